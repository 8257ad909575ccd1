/* Keyed hashing of bytes (SipHash-1-3: Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012, with 1 and 3
 * rounds). One key per process: from the kernel, or from a seed. */
#ifndef POLYGIL_HASH_H
#define POLYGIL_HASH_H

#include "base/base.h"

/* Before anything is hashed: the key follows from the seed; 0 makes it 0. */
void hash_seed(uint32_t seed);
uint64_t hash_bytes(const void *p, size_t n);

#endif

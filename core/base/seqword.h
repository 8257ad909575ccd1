/* A sequence word beside a few atomic fields that must be read as one: odd while somebody writes them. A reader loads
 * the fields with acquire between seq_read_begin and seq_read_ok, a writer stores them with release between
 * seq_write_begin and seq_write_end. Nobody waits: a writer that finds another gives up, a reader that meets one has
 * read nothing.
 *
 * Source: Lameter, "Effective Synchronization on Linux/NUMA Systems", 2005; the orders: Boehm, "Can Seqlocks Get Along
 * with Programming Language Memory Models?", MSPC 2012. */
#ifndef POLYGIL_SEQWORD_H
#define POLYGIL_SEQWORD_H

#include "base/base.h"

typedef _Atomic(uint32_t) SeqWord;

static ALWAYS_INLINE uint32_t seq_read_begin(const SeqWord *s) {
    return LOAD_ACQUIRE(s);
}
/* True when all that was loaded since seq_read_begin gave `seq` was written by one writer. */
static ALWAYS_INLINE bool seq_read_ok(const SeqWord *s, uint32_t seq) {
    return !(seq & 1) && LOAD_RELAXED(s) == seq;
}
/* False when somebody else writes. */
static ALWAYS_INLINE bool seq_write_begin(SeqWord *s) {
    uint32_t seq = LOAD_RELAXED(s);
    return !(seq & 1) &&
           atomic_compare_exchange_strong_explicit(s, &seq, seq + 1, memory_order_acq_rel, memory_order_relaxed);
}
static ALWAYS_INLINE void seq_write_end(SeqWord *s) {
    STORE_RELEASE(s, LOAD_RELAXED(s) + 1);
}

#endif

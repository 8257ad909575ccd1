#include "base/hash.h"

#include <sys/random.h>
#include <unistd.h>

static uint64_t key[2];
static _Atomic(int) key_state; /* 0 none, 1 being made, 2 ready: made once, before a second thread exists */

static void make_key(void) {
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        key[0] = (uint64_t)getpid() * 0x9e3779b97f4a7c15;
        key[1] = (uint64_t)(uintptr_t)&key ^ key[0];
    }
    STORE_RELEASE(&key_state, 2);
}

void hash_seed(uint32_t seed) {
    uint64_t s = seed;
    for (int i = 0; s != 0 && i < 2; i++) { /* splitmix64 */
        s += 0x9e3779b97f4a7c15;
        uint64_t z = s;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        key[i] = z ^ (z >> 31);
    }
    STORE_RELEASE(&key_state, 2);
}

static ALWAYS_INLINE uint64_t rotl(uint64_t x, int b) {
    return (x << b) | (x >> (64 - b));
}

#define ROUND                                                \
    do {                                                     \
        v0 += v1, v1 = rotl(v1, 13) ^ v0, v0 = rotl(v0, 32); \
        v2 += v3, v3 = rotl(v3, 16) ^ v2;                    \
        v0 += v3, v3 = rotl(v3, 21) ^ v0;                    \
        v2 += v1, v1 = rotl(v1, 17) ^ v2, v2 = rotl(v2, 32); \
    } while (0)

uint64_t hash_bytes(const void *p, size_t n) {
    if (UNLIKELY(LOAD_RELAXED(&key_state) != 2))
        make_key();
    const unsigned char *s = p;
    uint64_t v0 = key[0] ^ 0x736f6d6570736575, v1 = key[1] ^ 0x646f72616e646f6d;
    uint64_t v2 = key[0] ^ 0x6c7967656e657261, v3 = key[1] ^ 0x7465646279746573;
    uint64_t last = (uint64_t)n << 56, m;
    for (; n >= 8; n -= 8, s += 8) {
        memcpy(&m, s, 8);
        v3 ^= m;
        ROUND;
        v0 ^= m;
    }
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)s[i] << (8 * i);
    v3 ^= last;
    ROUND;
    v0 ^= last;
    v2 ^= 0xff;
    ROUND;
    ROUND;
    ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

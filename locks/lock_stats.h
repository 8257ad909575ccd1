/* Counters of waiting: only slow paths count, so they are always on. */
#ifndef POLYGIL_LOCK_STATS_H
#define POLYGIL_LOCK_STATS_H

#include "base/base.h"

#define LOCK_STATS(X)                                                      \
    X(waits)        /* a lock was found taken: object locks and mutexes */ \
    X(parks)        /* ... and its waiter slept */                         \
    X(gil_acquires) /* the GIL was taken */                                \
    X(gil_waits)    /* ... after waiting */                                \
    X(gil_switches) /* ... by another thread than the last one */          \
    X(gil_drops)    /* given up because a waiter asked */

typedef struct LockStats {
#define LOCK_STAT_FIELD(n) _Atomic(uint64_t) n;
    LOCK_STATS(LOCK_STAT_FIELD)
#undef LOCK_STAT_FIELD
} LockStats;
extern LockStats lock_stats;
#define LOCK_STAT(n) atomic_fetch_add_explicit(&lock_stats.n, 1, memory_order_relaxed)

#endif

/* What the benchmarks read: counters of one thread each, summed on demand; collections, pauses and stops are always
 * counted, count operations and lock waits only with POLYGIL_STATS. */
#ifndef POLYGIL_STATS_H
#define POLYGIL_STATS_H

#include "base/base.h"

#ifndef POLYGIL_STATS
#define POLYGIL_STATS 0
#endif

/* X(name): hot ones, compiled in by POLYGIL_STATS. */
#define STAT_HOT(X)                                                                           \
    X(count_owner)     /* counted by the owner, or under the one lock */                      \
    X(count_shared)    /* counted atomically, or under the count's lock */                    \
    X(count_uncounted) /* skipped: the object is uncounted; only where a slow path sees it */ \
    X(count_queued)    /* went to the owner's merge queue */                                  \
    X(count_try_failed)                                                                       \
    X(gil_acquires)                                                                           \
    X(lock_acquired)                                                                          \
    X(lock_waits)
/* Rare ones: always counted. */
#define STAT_COLD(X)     \
    X(gil_waits)         \
    X(gil_switches)      \
    X(gil_drop_requests) \
    X(lock_parks)        \
    X(retired_bytes)     \
    X(retired_items) X(quiescent_requests) X(frozen) X(rebiased) X(merged) X(finalizers) X(weak_callbacks) X(chunks)

typedef struct StatCounters {
#define STAT_FIELD(n) _Atomic(uint64_t) n;
    STAT_HOT(STAT_FIELD)
    STAT_COLD(STAT_FIELD)
#undef STAT_FIELD
    struct StatCounters *next;
} StatCounters;

/* Points to a shared record until the thread has one of its own (stats_thread_init). */
extern _Thread_local StatCounters *stat_counters TLS_FAST;
void stats_thread_init(void);
void stats_thread_fini(void);
void stats_after_fork_child(void); /* a thread that is gone may have held the list's lock */

#define STAT_ADD(field, n) STORE_RELAXED(&stat_counters->field, LOAD_RELAXED(&stat_counters->field) + (uint64_t)(n))
#define STAT_HOT_ADD(field, n)  \
    do {                        \
        if (POLYGIL_STATS)      \
            STAT_ADD(field, n); \
    } while (0)
#define STAT_HOT_INC(field) STAT_HOT_ADD(field, 1)

/* Times in a histogram of powers of two of 1/8 steps, nanoseconds. */
enum { STAT_BUCKETS = 400 };
typedef struct StatTimes {
    _Atomic(uint64_t) n, total_ns, max_ns;
    _Atomic(uint32_t) bucket[STAT_BUCKETS];
} StatTimes;
void stat_time_add(StatTimes *h, uint64_t ns);
uint64_t stat_time_quantile(StatTimes *h, double q);
uint64_t stat_now_ns(void);
extern StatTimes stat_pauses;       /* world stopped by the collector */
extern StatTimes stat_time_to_stop; /* from the request to the stopped world, by whomever */
extern StatTimes stat_lock_wait;    /* object locks: parked */

/* Calls fn for every counter and derived figure by name. */
void stats_each(void (*fn)(const char *name, uint64_t value, void *arg), void *arg);
void stats_reset(void);

#endif

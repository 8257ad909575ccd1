/* Counters and histograms of times. See stats.h. */
#include "stats.h"

#include <time.h>

#include "mutex.h"

static StatCounters unowned; /* of threads that have no record: summed, written without care */
static StatCounters ended;   /* of threads that are gone */
static StatCounters *all;
static Mutex all_mutex = MUTEX_INIT(RANK_QUEUE - 1);
_Thread_local StatCounters *stat_counters = &unowned;

StatTimes stat_pauses, stat_time_to_stop, stat_lock_wait;

void stats_thread_init(void) {
    StatCounters *c = NULL;
    if (stat_counters != &unowned || posix_memalign((void **)&c, CACHE_LINE, sizeof *c) != 0)
        return;
    memset((void *)c, 0, sizeof *c);
    mutex_lock(&all_mutex);
    c->next = all;
    all = c;
    mutex_unlock(&all_mutex);
    stat_counters = c;
}

static void add_to(StatCounters *to, StatCounters *from) {
#define STAT_SUM(n) STORE_RELAXED(&to->n, LOAD_RELAXED(&to->n) + LOAD_RELAXED(&from->n));
    STAT_HOT(STAT_SUM) STAT_COLD(STAT_SUM)
#undef STAT_SUM
}

void stats_thread_fini(void) {
    StatCounters *c = stat_counters;
    if (c == &unowned)
        return;
    stat_counters = &unowned;
    mutex_lock(&all_mutex);
    StatCounters **p = &all;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    add_to(&ended, c);
    mutex_unlock(&all_mutex);
    free(c);
}

void stats_after_fork_child(void) {
    mutex_reinit(&all_mutex);
}

uint64_t stat_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Buckets: eight steps to each power of two. */
static uint32_t bucket_of(uint64_t ns) {
    if (ns < 8)
        return (uint32_t)ns;
    uint32_t e = 63 - (uint32_t)__builtin_clzll(ns);
    uint32_t b = (e - 2) * 8 + (uint32_t)(ns >> (e - 3) & 7);
    return b < STAT_BUCKETS ? b : STAT_BUCKETS - 1;
}
static uint64_t bucket_end(uint32_t b) {
    if (b < 8)
        return b;
    uint32_t e = b / 8 + 2;
    return ((uint64_t)(8 + b % 8 + 1) << (e - 3)) - 1;
}

void stat_time_add(StatTimes *h, uint64_t ns) {
    atomic_fetch_add_explicit(&h->n, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->total_ns, ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->bucket[bucket_of(ns)], 1, memory_order_relaxed);
    uint64_t max = LOAD_RELAXED(&h->max_ns);
    while (ns > max &&
           !atomic_compare_exchange_weak_explicit(&h->max_ns, &max, ns, memory_order_relaxed, memory_order_relaxed))
        ;
}

uint64_t stat_time_quantile(StatTimes *h, double q) {
    uint64_t n = LOAD_RELAXED(&h->n), seen = 0, rank = (uint64_t)(q * (double)n);
    if (n == 0)
        return 0;
    for (uint32_t b = 0; b < STAT_BUCKETS; b++) {
        seen += LOAD_RELAXED(&h->bucket[b]);
        if (seen > rank) {
            uint64_t end = bucket_end(b), max = LOAD_RELAXED(&h->max_ns);
            return end < max ? end : max;
        }
    }
    return LOAD_RELAXED(&h->max_ns);
}

static void each_times(const char *name, StatTimes *h, void (*fn)(const char *name, uint64_t value, void *arg),
                       void *arg) {
    char key[64];
#define ONE(suffix, value)                         \
    snprintf(key, sizeof key, "%s_" suffix, name); \
    fn(key, (value), arg)
    ONE("count", LOAD_RELAXED(&h->n));
    ONE("total_ns", LOAD_RELAXED(&h->total_ns));
    ONE("max_ns", LOAD_RELAXED(&h->max_ns));
    ONE("p50_ns", stat_time_quantile(h, 0.5));
    ONE("p99_ns", stat_time_quantile(h, 0.99));
#undef ONE
}

void stats_each(void (*fn)(const char *name, uint64_t value, void *arg), void *arg) {
    StatCounters sum;
    memset((void *)&sum, 0, sizeof sum);
    mutex_lock(&all_mutex);
    add_to(&sum, &ended);
    add_to(&sum, &unowned);
    for (StatCounters *c = all; c; c = c->next)
        add_to(&sum, c);
    mutex_unlock(&all_mutex);
#define STAT_EACH(n) fn(#n, LOAD_RELAXED(&sum.n), arg);
    if (POLYGIL_STATS) {
        STAT_HOT(STAT_EACH)
    }
    STAT_COLD(STAT_EACH)
#undef STAT_EACH
    each_times("pause", &stat_pauses, fn, arg);
    each_times("time_to_stop", &stat_time_to_stop, fn, arg);
    each_times("lock_wait", &stat_lock_wait, fn, arg);
}

void stats_reset(void) {
    mutex_lock(&all_mutex);
    for (StatCounters *c = all; c; c = c->next) {
#define STAT_ZERO(n) STORE_RELAXED(&c->n, 0);
        STAT_HOT(STAT_ZERO) STAT_COLD(STAT_ZERO)
#undef STAT_ZERO
    }
    memset((void *)&ended, 0, sizeof ended);
    memset((void *)&unowned, 0, sizeof unowned);
    mutex_unlock(&all_mutex);
    StatTimes *all_times[] = {&stat_pauses, &stat_time_to_stop, &stat_lock_wait};
    for (size_t i = 0; i < ARRAY_LEN(all_times); i++)
        memset((void *)all_times[i], 0, sizeof(StatTimes));
}

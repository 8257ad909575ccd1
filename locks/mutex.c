#include "mutex.h"

#include "backend/backend.h"
#include "bytelock.h"
#include "lock_stats.h"
#include "runtime/safepoint.h"

LockStats lock_stats;

void mutex_lock_slow(Mutex *m) {
    bytelock_lock_slow(&m->bits);
}
void mutex_unlock_slow(Mutex *m) {
    bytelock_unlock_slow(&m->bits);
}

NOINLINE void mutex_lock_detached(Mutex *m) {
    SCHED_POINT(SCHED_LOCK, m);
    rank_acquire((Rank)m->rank);
    rank_release((Rank)m->rank); /* in order; not held while waiting */
    int64_t since = 0;
    while (!bytelock_spin(&m->bits)) {
        if (since == 0)
            since = now_ns();
        bool handed;
        DETACHED_BEGIN
        handed = bytelock_park(&m->bits, since, NULL);
        DETACHED_END
        if (handed)
            break;
    }
    rank_acquired((Rank)m->rank);
}

void mutex_reinit(Mutex *m) {
    atomic_init(&m->bits, 0);
}

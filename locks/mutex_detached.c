/* The one operation of Mutex that knows about attached threads. */
#include "backend/backend.h"
#include "bytelock.h"
#include "mutex.h"

NOINLINE void mutex_lock_detached(Mutex *m) {
    SCHED_POINT(SCHED_LOCK, m);
    rank_acquire((Rank)m->rank);
    rank_release((Rank)m->rank); /* in order; not held while waiting */
    int64_t since = 0;
    while (!bytelock_spin(&m->bits)) {
        if (since == 0)
            since = now_ns();
        bool handed;
        Thread *t = thread_self();
        DETACHED_BEGIN
        handed = bytelock_park(&m->bits, since);
        t->handed = handed ? &m->bits : NULL;
        t->waited = &m->bits;
        DETACHED_END
        t->handed = t->waited = NULL;
        if (handed)
            break;
    }
    rank_acquired((Rank)m->rank);
}

/* COUNT locked: waiting for a count's lock bit. */
#include "backend/backend.h"

#include <sched.h>

/* The bit is held for a few instructions; only when its holder lost the processor does it take longer, and then it
 * needs ours. */
NOINLINE uint32_t count_lock_slow(Object *o) {
    STAT_HOT_INC(lock_waits);
    for (int spins = 0;; spins++) {
        uint32_t c = LOAD_RELAXED(&o->count);
        if (c & COUNT_STICKY)
            return c;
        /* acquire: as in count_lock */
        if (!(c & COUNT_LOCK_BIT) && atomic_compare_exchange_weak_explicit(&o->count, &c, c | COUNT_LOCK_BIT,
                                                                           memory_order_acquire, memory_order_relaxed))
            return c;
        if (spins >= 64)
            sched_yield();
        else
            __builtin_ia32_pause();
    }
}

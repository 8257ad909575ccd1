/* Mutex: one byte over the parking lot, for the VM's own tables. Not an object lock, not Python's.
 *
 * mutex_lock waits attached, so what is done under it must be short and must not poll, detach, enter a section or run
 * Python code: then the holder always goes on and stopping the world is not held up. Longer ones use
 * mutex_lock_detached. Bits: 1 locked, 2 somebody is parked (bytelock.h). */
#ifndef POLYGIL_MUTEX_H
#define POLYGIL_MUTEX_H

#include "rank.h"
#include "runtime/sched.h"

typedef struct Mutex {
    _Atomic(uint8_t) bits;
    uint8_t rank; /* Rank */
} Mutex;
#define MUTEX_INIT(r) {0, (r)}

#ifndef POLYGIL_LOCK_BITS
#define POLYGIL_LOCK_BITS
enum { LOCK_HELD = 1, LOCK_PARKED = 2 };
#endif

void mutex_lock_slow(Mutex *m);
void mutex_unlock_slow(Mutex *m);
/* Detaches the calling thread while it waits: the mutex may be held across blocking calls and safepoints. Attached
 * callers only. */
void mutex_lock_detached(Mutex *m);
/* In a forked child: nobody holds it, nobody waits. */
void mutex_reinit(Mutex *m);

static ALWAYS_INLINE bool mutex_try_lock(Mutex *m) {
    uint8_t seen = 0;
    /* acquire: pairs with the release in mutex_unlock; what the last holder wrote is visible */
    if (!atomic_compare_exchange_strong_explicit(&m->bits, &seen, LOCK_HELD, memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
    rank_acquired((Rank)m->rank);
    return true;
}
static ALWAYS_INLINE void mutex_lock(Mutex *m) {
    SCHED_POINT(SCHED_LOCK, m);
    rank_acquire((Rank)m->rank);
    uint8_t seen = 0;
    if (UNLIKELY(!atomic_compare_exchange_strong_explicit(&m->bits, &seen, LOCK_HELD, memory_order_acquire,
                                                          memory_order_relaxed)))
        mutex_lock_slow(m);
}
static ALWAYS_INLINE void mutex_unlock(Mutex *m) {
    rank_release((Rank)m->rank);
    uint8_t seen = LOCK_HELD;
    if (UNLIKELY(
            !atomic_compare_exchange_strong_explicit(&m->bits, &seen, 0, memory_order_release, memory_order_relaxed)))
        mutex_unlock_slow(m);
}
static ALWAYS_INLINE bool mutex_is_locked(Mutex *m) {
    return LOAD_RELAXED(&m->bits) & LOCK_HELD;
}

#endif

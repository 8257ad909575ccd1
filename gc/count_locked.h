/* COUNT locked: every count operation takes a bit of the count's own word, so it is correct and slow by design: the
 * classic first step away from one lock. Nothing is acquired under the bit. */
#ifndef POLYGIL_COUNT_LOCKED_H
#define POLYGIL_COUNT_LOCKED_H

#include "dead.h"
#include "runtime/sched.h"
#include "stats.h"

#define COUNT_LOCK_BIT 0x80000000u
#define COUNT_STICKY 0x40000000u

uint32_t count_lock_slow(Object *o);

/* The count, locked; or with COUNT_STICKY, not locked. */
static ALWAYS_INLINE uint32_t count_lock(Object *o) {
    uint32_t c = LOAD_RELAXED(&o->count);
    if (UNLIKELY(c & COUNT_STICKY))
        return c;
    SCHED_POINT(SCHED_COUNT, o);
    /* acquire: pairs with the release in count_unlock; who takes the count to zero sees what every former holder did */
    if (LIKELY(!(c & COUNT_LOCK_BIT) &&
               atomic_compare_exchange_strong_explicit(&o->count, &c, c | COUNT_LOCK_BIT, memory_order_acquire,
                                                       memory_order_relaxed)))
        return c;
    return count_lock_slow(o);
}
static ALWAYS_INLINE void count_unlock(Object *o, uint32_t c) {
    STORE_RELEASE(&o->count, c);
}

static ALWAYS_INLINE void count_init(Object *o) {
    obj_init_header(o, 0, 1);
}
static ALWAYS_INLINE void count_retain(Object *o) {
    uint32_t c = count_lock(o);
    if (UNLIKELY(c & COUNT_STICKY)) {
        STAT_HOT_INC(count_uncounted);
        return;
    }
    STAT_HOT_INC(count_shared);
    count_unlock(o, c + 1);
}
/* True when the count fell to zero. */
static ALWAYS_INLINE bool count_drop(Object *o) {
    uint32_t c = count_lock(o);
    if (UNLIKELY(c & COUNT_STICKY)) {
        STAT_HOT_INC(count_uncounted);
        return false;
    }
    STAT_HOT_INC(count_shared);
    ASSERT(c > 0);
    count_unlock(o, c - 1);
    return c == 1;
}
static ALWAYS_INLINE bool count_try_retain(Object *o) {
    uint32_t c = count_lock(o);
    if (c & COUNT_STICKY)
        return true;
    STAT_HOT_INC(count_shared);
    count_unlock(o, c + (c != 0));
    return c != 0;
}
static ALWAYS_INLINE intptr_t count_get(Object *o) {
    return LOAD_ACQUIRE(&o->count) & ~(COUNT_LOCK_BIT | COUNT_STICKY);
}
/* acquire: pairs with the release in count_unlock, so that the former holders' accesses are over */
static ALWAYS_INLINE bool count_is_unique(Object *o) {
    return LOAD_ACQUIRE(&o->count) == 1;
}
static ALWAYS_INLINE bool count_is_uncounted(Object *o) {
    return LOAD_RELAXED(&o->count) & COUNT_STICKY;
}
static ALWAYS_INLINE void count_set_uncounted(Object *o) {
    STORE_RELAXED(&o->count, LOAD_RELAXED(&o->count) | COUNT_STICKY);
    obj_set_flag(o, OF_UNCOUNTED);
}
static ALWAYS_INLINE void count_revive(Object *o) {
    STORE_RELEASE(&o->count, 1u); /* pairs with count_lock's acquire */
}
static ALWAYS_INLINE Value count_load_slow_or_retain(Value holder, _Atomic(Value) *r, Value seen) {
    count_retain(v_obj(seen)); /* readers hold the holder's lock: the slot keeps it alive */
    return seen;
}
static ALWAYS_INLINE int count_thread_init(Thread *t) {
    return 0;
}
static ALWAYS_INLINE void count_thread_fini(Thread *t) {}
static ALWAYS_INLINE void count_after_fork_child(void) {}
static ALWAYS_INLINE bool count_merge(Thread *t) {
    return false;
}
static ALWAYS_INLINE void count_merge_all(void) {}
static ALWAYS_INLINE void count_settle(Object *o) {}
static ALWAYS_INLINE void count_share(Object *o) {}
static ALWAYS_INLINE bool count_load_quick(_Atomic(Value) *r, Object *seen) {
    return false;
}

#endif

/* COUNT atomic: one atomic addition per operation. The top bit means uncounted. */
#ifndef POLYGIL_COUNT_ATOMIC_H
#define POLYGIL_COUNT_ATOMIC_H

#include "dead.h"
#include "freeze.h"
#include "runtime/sched.h"
#include "stats.h"

#define COUNT_STICKY 0x80000000u

static ALWAYS_INLINE void count_init(Object *o) {
    obj_init_header(o, 0, 1);
}
static ALWAYS_INLINE void count_retain(Object *o) {
    if (UNLIKELY((int32_t)LOAD_RELAXED(&o->count) < 0)) {
        STAT_HOT_INC(count_uncounted);
        return;
    }
    SCHED_POINT(SCHED_COUNT, o);
    STAT_HOT_INC(count_shared);
    atomic_fetch_add_explicit(&o->count, 1u, memory_order_relaxed); /* the caller's reference keeps it above zero */
    freeze_note(o);
}
/* True when the count fell to zero. */
static ALWAYS_INLINE bool count_drop(Object *o) {
    if (UNLIKELY((int32_t)LOAD_RELAXED(&o->count) < 0)) {
        STAT_HOT_INC(count_uncounted);
        return false;
    }
    SCHED_POINT(SCHED_COUNT, o);
    STAT_HOT_INC(count_shared);
    /* release: our accesses come before the drop; acquire: who drops last sees everybody's (pairs with the other drops)
     */
    return atomic_fetch_sub_explicit(&o->count, 1u, memory_order_acq_rel) == 1;
}
/* Any reader protected by RETIRE may try it on any object: the memory is an object's, dead or alive. */
static ALWAYS_INLINE bool count_try_retain(Object *o) {
    uint32_t c = LOAD_RELAXED(&o->count);
    SCHED_POINT(SCHED_COUNT, o);
    do {
        if ((int32_t)c < 0)
            return true;
        if (c == 0) {
            STAT_HOT_INC(count_try_failed);
            return false;
        }
        /* acquire: pairs with the acq_rel drop: a failed recheck then sees the slot that was emptied before the drop */
    } while (!atomic_compare_exchange_weak_explicit(&o->count, &c, c + 1, memory_order_acquire, memory_order_relaxed));
    STAT_HOT_INC(count_shared);
    return true;
}
static ALWAYS_INLINE intptr_t count_get(Object *o) {
    return LOAD_RELAXED(&o->count) & ~COUNT_STICKY;
}
/* acquire: pairs with the drop of the last other holder */
static ALWAYS_INLINE bool count_is_unique(Object *o) {
    return LOAD_ACQUIRE(&o->count) == 1;
}
static ALWAYS_INLINE bool count_is_uncounted(Object *o) {
    return (int32_t)LOAD_RELAXED(&o->count) < 0;
}
static ALWAYS_INLINE void count_set_uncounted(Object *o) {
    atomic_fetch_or_explicit(&o->count, COUNT_STICKY, memory_order_relaxed);
    obj_set_flag(o, OF_UNCOUNTED);
}
static ALWAYS_INLINE void count_revive(Object *o) {
    STORE_RELEASE(&o->count, 1u); /* pairs with try_retain's acquire */
}
Value count_load_again(_Atomic(Value) *r);
/* Reader without a lock: takes a count if there is one, then looks whether the slot still holds the object; if so the
 * slot's own reference made the count valid. */
static ALWAYS_INLINE bool count_load_quick(_Atomic(Value) *r, Object *seen) {
    if (UNLIKELY(!count_try_retain(seen)))
        return false;
    if (LIKELY(LOAD_ACQUIRE(r) == V_OF(seen))) { /* pairs with the release in ref_swap, as every load of a slot */
        if (!count_is_uncounted(seen))
            freeze_note(seen);
        return true;
    }
    if (count_drop(seen))
        dead_push(seen);
    return false;
}
static ALWAYS_INLINE Value count_load_slow_or_retain(Value holder, _Atomic(Value) *r, Value seen) {
    return LIKELY(count_load_quick(r, v_obj(seen))) ? seen : count_load_again(r);
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

#endif

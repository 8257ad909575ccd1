/* COUNT biased: the owner counts in `local` without atomic instructions, everybody else in `shared` with them.
 * (Choi, Shull, Torrellas: "Biased Reference Counting", PACT 2018.)
 *
 *   local   references counted by the owner. Read and written only by the owner: the thread whose slot is in `owner`,
 *           or who holds the slot of a thread that is detached or gone (count_biased.c).
 *
 *   owner   slot number of the owner, 0: none: merged, then `local` is 0 and only `shared` counts; or uncounted. It
 *           changes hands when another counts the object again and again while the owner sleeps (count_rebias).
 *
 *   shared  count:29 (signed), then the bits below. May be negative while the references dropped here were counted in
 *           `local`.
 *
 *   MERGED  local has been added, and nobody owns it until somebody adopts it; it dies when the count falls to 0,
 *           whoever takes it there.
 *
 *   QUEUED  is in a merge queue, of the slot that owned it or of slot 0; only the drain of that queue frees it.
 *
 *   FROZEN  uncounted: never dies by counting.
 *
 * references = local + shared.count.
 *
 *   private  not OF_SHARED: no thread but the owner has reached it through a slot. When local and shared are 0 the
 *            owner frees it at once.
 *
 *   shared   readers without a lock may try to take a count, so death is decided by a compare-and-swap on `shared` to
 *            (0, MERGED), from where no try succeeds.
 *
 * `owner` equal to the own slot proves that the object is alive to whoever found it in a slot: only the reader's own
 * thread could have freed it.
 */
#ifndef POLYGIL_COUNT_BIASED_H
#define POLYGIL_COUNT_BIASED_H

#include "dead.h"
#include "freeze.h"
#include "runtime/sched.h"
#include "stats.h"

enum { BIASED_MERGED = 1, BIASED_QUEUED = 2, BIASED_FROZEN = 4, BIASED_ONE = 8 };

#define COUNT_NO_SLOT UINT16_MAX /* a thread without a slot: owns nothing, not even what nobody owns (0) */
extern _Thread_local uint16_t count_slot TLS_FAST;

bool count_zero(Object *o);
void count_retain_shared(Object *o);
bool count_drop_shared(Object *o);
bool count_try_shared(Object *o);
Value count_load_shared(Value holder, _Atomic(Value) *r, Value seen);

static ALWAYS_INLINE bool count_is_mine(const Object *o) {
    return LOAD_RELAXED(&((Object *)o)->owner) == count_slot;
}
static ALWAYS_INLINE bool count_is_uncounted(Object *o) {
    return obj_has_flag(o, OF_UNCOUNTED);
}

static ALWAYS_INLINE void count_init(Object *o) {
    obj_init_header(o, (uint64_t)1 << 32, count_slot);
}
static ALWAYS_INLINE void count_retain(Object *o) {
    if (LIKELY(count_is_mine(o))) {
        STAT_HOT_INC(count_owner);
        add_by_writer(&o->local, 1);
    } else if (!count_is_uncounted(o)) {
        count_retain_shared(o);
    } else {
        STAT_HOT_INC(count_uncounted);
    }
}
/* Neither OF_SHARED nor counted by anybody else: flags and `shared` in one look. acquire: pairs with the release in
 * count_drop_shared. */
static ALWAYS_INLINE bool count_is_private(Object *o) {
    uint64_t owner_to_shared = LOAD_ACQUIRE((_Atomic(uint64_t) *)(uintptr_t)&o->owner);
    return (owner_to_shared >> 24 & (~(uint64_t)0xff | OF_SHARED)) == 0;
}
/* True when the object is dead now, and the caller's to destroy. */
static ALWAYS_INLINE bool count_drop(Object *o) {
    if (LIKELY(count_is_mine(o))) {
        STAT_HOT_INC(count_owner);
        ASSERT(LOAD_RELAXED(&o->local) > 0);
        return UNLIKELY(sub_by_writer(&o->local, 1)) && (count_is_private(o) || count_zero(o));
    }
    if (UNLIKELY(!count_is_uncounted(o)))
        return count_drop_shared(o);
    STAT_HOT_INC(count_uncounted);
    return false;
}
/* Of an object that is OF_SHARED, or the caller's own. */
static ALWAYS_INLINE bool count_try_retain(Object *o) {
    if (count_is_mine(o)) {
        uint32_t n = LOAD_RELAXED(&o->local);
        STORE_RELAXED(&o->local, n + (n != 0));
        return n != 0;
    }
    return count_is_uncounted(o) || count_try_shared(o);
}
static ALWAYS_INLINE intptr_t count_get(Object *o) {
    return (intptr_t)LOAD_RELAXED(&o->local) + ((int32_t)LOAD_RELAXED(&o->shared) >> 3);
}
static ALWAYS_INLINE bool count_is_unique(Object *o) {
    /* acquire: pairs with the release of other holders' drops */
    uint32_t s = LOAD_ACQUIRE(&o->shared);
    return count_is_mine(o) ? LOAD_RELAXED(&o->local) == 1 && s == 0 : s == (BIASED_ONE | BIASED_MERGED);
}
/* Before publication, or in a stopped world. */
static ALWAYS_INLINE void count_set_uncounted(Object *o) {
    STORE_RELAXED(&o->shared, LOAD_RELAXED(&o->shared) | BIASED_FROZEN);
    obj_set_flag(o, OF_UNCOUNTED);
    STORE_RELEASE(&o->owner, 0); /* the owner's next count operation sees the flag */
}
/* The object is dead: gives it one reference of the caller's again. */
static ALWAYS_INLINE void count_revive(Object *o) {
    uint32_t s = LOAD_RELAXED(&o->shared);
    if (s & BIASED_MERGED) {
        STORE_RELEASE(&o->shared, BIASED_ONE | BIASED_MERGED); /* pairs with try_shared's acquire */
    } else {
        STORE_RELAXED(&o->local, 1u);
    }
}
/* From now on death must be decided atomically: a weak reference, or a reader of another thread, can reach it. The
 * caller holds a reference. */
static ALWAYS_INLINE void count_share(Object *o) {
    if (!obj_has_flag(o, OF_SHARED))
        obj_set_flag(o, OF_SHARED);
}
/* Both cases are common: what several threads read is soon uncounted, and laid out as a rare case its loads took 15 %
 * longer. */
static ALWAYS_INLINE bool count_load_quick(_Atomic(Value) *r, Object *seen) {
    if (__builtin_expect_with_probability(count_is_mine(seen), 1, 0.6)) {
        STAT_HOT_INC(count_owner);
        add_by_writer(&seen->local, 1);
        return true;
    }
    /* As in count_load_shared: the slot still says that the flag is this object's. */
    return LIKELY(count_is_uncounted(seen)) && LIKELY(LOAD_ACQUIRE(r) == V_OF(seen));
}
static ALWAYS_INLINE Value count_load_slow_or_retain(Value holder, _Atomic(Value) *r, Value seen) {
    return LIKELY(count_load_quick(r, v_obj(seen))) ? seen : count_load_shared(holder, r, seen);
}
int count_thread_init(Thread *t);
void count_thread_fini(Thread *t);
void count_after_fork_child(void);
/* Empties the merge queue of t: the caller, or another thread, if that can be claimed. True when something died (it is
 * on the caller's dead list). */
bool count_merge(Thread *t);
/* World stopped: the same for every slot. */
void count_merge_all(void);
/* World stopped, queues empty: nobody owns o any more. */
void count_settle(Object *o);

#endif

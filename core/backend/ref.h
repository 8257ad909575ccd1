/* Reference fields: the only way core code touches a field that holds a Value another thread or the tracer may see.
 * Written once, over the slots.
 *
 *   READS    A reader brackets its loads from a holder with excl_read_begin/excl_read_end (nothing where readers need
 * no lock; the holder's lock where RETIRE does not defer). Inside, ref_load gives an owned value whatever writers do.
 *   WRITES   A store needs the holder's critical section (excl_cs_begin or excl_leaf_lock), or sole access (not yet
 * published).
 */
#ifndef POLYGIL_REF_H
#define POLYGIL_REF_H

#include "backend/backend.h"
#include "publish.h"
#include "stats.h"

typedef _Atomic(Value) Ref;

/* v: any value but ABSENT allowed; ABSENT is a no-op. */
static ALWAYS_INLINE void retain(Value v) {
    if (COUNT_EXACT && v_is_obj(v))
        count_retain(v_obj(v));
}
static ALWAYS_INLINE Value retained(Value v) {
    retain(v);
    return v;
}
/* Legal anywhere (inside sections too); never runs Python code itself: what dies goes on the thread's dead list. */
static ALWAYS_INLINE void release(Value v) {
    if (COUNT_EXACT && v_is_obj(v))
        count_release(v_obj(v));
}

/* The same, and count_drop and ref_load, for what is uncounted as a rule: constants, functions, classes. Where counting
 * looks for the owner first, these look for the flag first. */
static ALWAYS_INLINE bool is_uncounted_first(Object *o) {
    if (!COUNT_BIASED || !count_is_uncounted(o))
        return false;
    STAT_HOT_INC(count_uncounted);
    return true;
}
static ALWAYS_INLINE Value retained_lasting(Value v) {
    if (COUNT_EXACT && v_is_obj(v) && !LIKELY(is_uncounted_first(v_obj(v))))
        count_retain(v_obj(v));
    return v;
}
static ALWAYS_INLINE bool drop_lasting(Object *o) {
    return !LIKELY(is_uncounted_first(o)) && count_drop(o);
}

/* Steals v. The holder is not published yet. */
static ALWAYS_INLINE void ref_init(Ref *r, Value v) {
    STORE_RELAXED(r, v);
}

/* Steals v. *r is a global variable. */
static ALWAYS_INLINE void ref_init_global(Ref *r, Value v) {
    publish(v);
    STORE_RELEASE(r, v); /* who reads the variable sees the object whole */
}

/* Borrowed; under the holder's section, in a stopped world, or as its only user. */
static ALWAYS_INLINE Value ref_peek(Ref *r) {
    return LOAD_RELAXED(r);
}

/* Owned (or ABSENT), safe against a concurrent store. holder is the object whose lock guards r. Inside
 * excl_read_begin(holder). */
static ALWAYS_INLINE Value ref_load(Value holder, Ref *r) {
    Value v =
        LOAD_ACQUIRE(r); /* pairs with the release in ref_swap: the object's contents are visible before its address */
    if (!COUNT_EXACT || !v_is_obj(v))
        return v;
    return count_load_slow_or_retain(holder, r, v);
}

static ALWAYS_INLINE Value ref_load_lasting(Value holder, Ref *r) {
    Value v = LOAD_ACQUIRE(r); /* as above */
    if (!COUNT_EXACT || !v_is_likely_obj(v))
        return v;
    /* The flag may be that of a younger object in the same cell, unless the slot still says this one. */
    if (LIKELY(is_uncounted_first(v_obj(v)) && LOAD_ACQUIRE(r) == v))
        return v;
    return count_load_slow_or_retain(holder, r, v);
}

/* The common cases of ref_load, mostly without a call; seen is not ABSENT: true when seen, loaded from r with acquire,
 * is the caller's now. */
static ALWAYS_INLINE bool ref_load_quick(Ref *r, Value seen) {
    return !COUNT_EXACT || !v_is_obj_nz(seen) || count_load_quick(r, v_obj(seen));
}

/* The stores below, and those that cannot use them, call this before holder's field becomes v: publication and the
 * tracer's write hook. */
static ALWAYS_INLINE void ref_written(Value holder, Value old, Value v) {
    publish_into(holder, v);
    trace_write(holder, old, v);
}

/* Steals v; returns the old value, owned. */
static ALWAYS_INLINE Value ref_swap(Value holder, Ref *r, Value v) {
    Value old = LOAD_RELAXED(r);
    ref_written(holder, old, v);
    STORE_RELEASE(r, v); /* pairs with the acquire in ref_load */
    return old;
}
/* The same where obj_is_private(holder). */
static ALWAYS_INLINE Value ref_swap_private(Value holder, Ref *r, Value v) {
    Value old = LOAD_RELAXED(r);
    trace_write(holder, old, v);
    STORE_RELEASE(r, v);
    return old;
}
/* Steals v; the old value is released. */
static ALWAYS_INLINE void ref_store(Value holder, Ref *r, Value v) {
    release(ref_swap(holder, r, v));
}

/* Empties the slot and releases what it held. */
static ALWAYS_INLINE void ref_clear(Value holder, Ref *r) {
    ref_store(holder, r, ABSENT);
}

#endif

/* COUNT plain. count_flags = count << 6 | flags; its top bit means uncounted, so a count that reaches 2^25 sticks
 * there. */
#ifndef POLYGIL_COUNT_PLAIN_H
#define POLYGIL_COUNT_PLAIN_H

#include "dead.h"
#include "stats.h"

#define COUNT_ONE 64u
#define COUNT_STICKY 0x80000000u

static ALWAYS_INLINE void count_init(Object *o) {
    obj_init_header(o, (uint64_t)COUNT_ONE << 32, 0);
}
static ALWAYS_INLINE void count_retain(Object *o) {
    uint32_t c = LOAD_RELAXED(&o->count_flags);
    STAT_HOT_INC(count_owner);
    if (LIKELY((int32_t)c >= 0))
        add_by_writer(&o->count_flags, COUNT_ONE);
}
/* True when the count fell to zero. */
static ALWAYS_INLINE bool count_drop(Object *o) {
    uint32_t c = LOAD_RELAXED(&o->count_flags);
    STAT_HOT_INC(count_owner);
    if (UNLIKELY((int32_t)c < 0))
        return false;
    ASSERT(c >= COUNT_ONE);
    c -= COUNT_ONE;
    STORE_RELAXED(&o->count_flags, c);
    return c < COUNT_ONE;
}
static ALWAYS_INLINE bool count_try_retain(Object *o) {
    uint32_t c = LOAD_RELAXED(&o->count_flags);
    if ((int32_t)c < 0)
        return true;
    if (c < COUNT_ONE)
        return false;
    STORE_RELAXED(&o->count_flags, c + COUNT_ONE);
    return true;
}
static ALWAYS_INLINE bool count_is_unique(Object *o) {
    uint32_t c = LOAD_RELAXED(&o->count_flags);
    return c >> 6 == 1;
}
static ALWAYS_INLINE bool count_is_uncounted(Object *o) {
    return (int32_t)LOAD_RELAXED(&o->count_flags) < 0;
}
static ALWAYS_INLINE intptr_t count_get(Object *o) {
    return LOAD_RELAXED(&o->count_flags) >> 6;
}
static ALWAYS_INLINE void count_set_uncounted(Object *o) {
    STORE_RELAXED(&o->count_flags, LOAD_RELAXED(&o->count_flags) | COUNT_STICKY | OF_UNCOUNTED);
}
static ALWAYS_INLINE void count_revive(Object *o) {
    STORE_RELAXED(&o->count_flags, (LOAD_RELAXED(&o->count_flags) & 63) | COUNT_ONE);
}
static ALWAYS_INLINE Value count_load_slow_or_retain(Value holder, _Atomic(Value) *r, Value seen) {
    count_retain(v_obj(seen)); /* nobody else runs */
    return seen;
}
static ALWAYS_INLINE bool count_load_quick(_Atomic(Value) *r, Object *seen) {
    count_retain(seen);
    return true;
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

/* COUNT none: nothing to count. Written everywhere, compiled to nothing. */
#ifndef POLYGIL_COUNT_NONE_H
#define POLYGIL_COUNT_NONE_H

#include "dead.h"
#include "stats.h"

static ALWAYS_INLINE void count_init(Object *o) {
    obj_init_header(o, 0, 0);
}
static ALWAYS_INLINE void count_retain(Object *o) {}
static ALWAYS_INLINE bool count_drop(Object *o) {
    return false;
}
static ALWAYS_INLINE bool count_try_retain(Object *o) {
    return true;
}
static ALWAYS_INLINE intptr_t count_get(Object *o) {
    return 0;
}
static ALWAYS_INLINE bool count_is_unique(Object *o) {
    return false; /* nobody knows */
}
static ALWAYS_INLINE bool count_is_uncounted(Object *o) {
    return true;
}
static ALWAYS_INLINE void count_set_uncounted(Object *o) {
    obj_set_flag(o, OF_UNCOUNTED);
}
static ALWAYS_INLINE void count_revive(Object *o) {}
static ALWAYS_INLINE void count_share(Object *o) {}
static ALWAYS_INLINE Value count_load_slow_or_retain(Value holder, _Atomic(Value) *r, Value seen) {
    return seen;
}
static ALWAYS_INLINE bool count_load_quick(_Atomic(Value) *r, Object *seen) {
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

#endif

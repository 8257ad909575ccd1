#ifndef POLYGIL_FAKE_H
#define POLYGIL_FAKE_H

#include "backend/value.h"

static inline void count_retain(Object *o) {}
static inline bool count_drop(Object *o) {
    return false;
}
static inline void count_set_uncounted(Object *o) {}
static inline bool count_is_uncounted(Object *o) {
    return false;
}
static inline bool count_try_retain(Object *o) {
    return true;
}
static inline Value count_load_slow_or_retain(Value holder, void *r, Value seen) {
    return seen;
}
static inline bool count_load_quick(void *r, Object *seen) {
    return true;
}
static inline int count_thread_init(Thread *t) {
    return 0;
}
static inline void count_thread_fini(Thread *t) {}
static inline bool count_merge(Thread *t) {
    return false;
}
static inline void count_after_fork_child(void) {}
static inline int retire_thread_init(Thread *t) {
    return 0;
}
static inline void retire_thread_fini(Thread *t) {}
static inline void retire_after_fork_child(void) {}
void retire_quiescent(Thread *t);
void retire_attach(Thread *t);
void retire_detach(Thread *t);
static inline void trace_write(Value holder, Value old, Value new) {}

#endif

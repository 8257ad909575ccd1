/* RETIRE now: nobody reads without a lock, so memory is freed at once. */
#ifndef POLYGIL_RETIRE_NOW_H
#define POLYGIL_RETIRE_NOW_H

#include "runtime/thread.h"

void retire_free(uintptr_t item);

static ALWAYS_INLINE void retire_mem(void *block) {
    retire_free((uintptr_t)block);
}
static ALWAYS_INLINE void retire_object(Object *o) {
    retire_free((uintptr_t)o | 1);
}
static ALWAYS_INLINE void retire_freeing(Thread *t, int delta) {}
static ALWAYS_INLINE void retire_quiescent(Thread *t) {}
static ALWAYS_INLINE void retire_attach(Thread *t) {}
static ALWAYS_INLINE void retire_detach(Thread *t) {}
static ALWAYS_INLINE uint64_t retire_stamp(void) {
    return 0;
}
static ALWAYS_INLINE bool retire_passed(uint64_t stamp) {
    return true;
}
static ALWAYS_INLINE int retire_thread_init(Thread *t) {
    return 0;
}
static ALWAYS_INLINE void retire_thread_fini(Thread *t) {}
static ALWAYS_INLINE void retire_after_fork_child(void) {}
static ALWAYS_INLINE void retire_flush_stopped(void) {}

#endif

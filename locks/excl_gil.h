/* EXCL gil: one lock, taken by attach and released by detach; sections and leaf locks are nothing. Contract:
 * core/backend/contract.md. */
#ifndef POLYGIL_EXCL_GIL_H
#define POLYGIL_EXCL_GIL_H

#include "dead.h"
#include "gil.h"
#include "runtime/safepoint.h"

static ALWAYS_INLINE void excl_attach(Thread *t) {
    excl_attach_out(t);
}
static ALWAYS_INLINE void excl_detach(Thread *t) {
    __builtin_unwind_init(); /* callee-saved registers lie in this frame from here on: the stack scanner finds them */
    excl_detach_out(t);
}

static ALWAYS_INLINE int excl_poll(void) {
    Thread *t = thread_self();
    ASSERT(t->excl.depth == 0);
    SCHED_POINT(SCHED_SAFEPOINT, t);
    if (GIL_TICKS && UNLIKELY(--t->excl.ticks < 0))
        return safepoint_slow(t);
    if (LIKELY(LOAD_RELAXED(&t->poll) == 0))
        return 0;
    return safepoint_slow(t);
}

/* Depth of sections: what dies inside one waits on the dead list until the outermost ends. */
static ALWAYS_INLINE void section_enter(void) {
    if (COUNT_EXACT || POLYGIL_ASSERT >= 1)
        thread_self()->excl.depth++;
}
static ALWAYS_INLINE void section_leave(void) {
    if (COUNT_EXACT || POLYGIL_ASSERT >= 1) {
        Thread *t = thread_self();
        ASSERT(t->excl.depth > 0);
        if (--t->excl.depth == 0 && COUNT_EXACT && UNLIKELY(t->dead_len != 0))
            dead_drain(t);
    }
}

/* No other thread touches v before this one's next safepoint. */
static ALWAYS_INLINE bool excl_alone(Value v) {
    return true;
}

static inline bool excl_inside_alone(Value v) {
    return false;
}

static ALWAYS_INLINE void excl_cs_begin(ExclCs *cs, Value v) {
    section_enter();
}
static ALWAYS_INLINE void excl_cs_begin2(ExclCs *cs, Value a, Value b) {
    section_enter();
}
static ALWAYS_INLINE void excl_cs_end(ExclCs *cs) {
    section_leave();
}
static ALWAYS_INLINE void excl_leaf_lock(Value v) {
    section_enter();
}
static ALWAYS_INLINE void excl_leaf_unlock(Value v) {
    section_leave();
}
static ALWAYS_INLINE void excl_object_dead(Object *o) {}
static ALWAYS_INLINE bool excl_retains(Value v) {
    return false;
}
static ALWAYS_INLINE bool excl_retains_quick(const Thread *t, Value v) {
    return false;
}
static ALWAYS_INLINE void excl_let_go(Thread *t) {}
static ALWAYS_INLINE bool excl_stores_due(Thread *t, Value v) {
    return false;
}
static ALWAYS_INLINE void excl_stores_turn(Thread *t, Value v) {}
static ALWAYS_INLINE void excl_read_begin(ExclCs *cs, Value v) {}
static ALWAYS_INLINE void excl_read_end(ExclCs *cs) {}
/* True when objects that die must wait on the dead list: a section is open. */
static ALWAYS_INLINE bool excl_in_section(const Thread *t) {
    return t->excl.depth != 0;
}

#endif

#include "backend/backend.h"

#include <errno.h>

#include "stats.h"

/* A thread is attached exactly while it holds the GIL. So the holder has stopped the world already: others are
 * detached, or wait in their safepoint, with their stacks published; it only must not give the lock up before it starts
 * the world again. */

static _Atomic(Thread *) stopper;

bool excl_world_stopped(void) {
    return LOAD_RELAXED(&stopper) == thread_self();
}

void excl_stop_world(void) {
    ASSERT(gil_held_by(thread_self()));
    ASSERT(LOAD_RELAXED(&stopper) == NULL);
    STORE_RELAXED(&stopper, thread_self());
    stat_time_add(&stat_time_to_stop, 0);
}

void excl_start_world(void) {
    ASSERT(excl_world_stopped());
    STORE_RELAXED(&stopper, NULL);
}

void excl_thread_init(Thread *t) {
    memset(&t->excl, 0, sizeof(t->excl));
    t->excl.ticks = GIL_TICKS;
}

void excl_thread_fini(Thread *t) {
    ASSERT(t->excl.depth == 0);
    STORE_RELAXED(&t->excl.state, THREAD_DETACHED);
    gil_release(t);
}

void excl_thread_vanished(Thread *t) {}

void excl_after_fork_child(Thread *t) {
    STORE_RELAXED(&stopper, NULL);
    gil_after_fork_child(t);
}

static void attach(Thread *t) {
    gil_acquire(t);
    STORE_RELAXED(&t->excl.state, THREAD_ATTACHED);
    retire_attach(t);
    if (thread_must_vanish(t)) {
        STORE_RELAXED(&t->excl.state, THREAD_DETACHED);
        gil_release(t);
        thread_vanish();
    }
}

void excl_attach_out(Thread *t) {
    int saved = errno;
    sched_join();
    attach(t);
    errno = saved;
}

void excl_detach_out(Thread *t) {
    int saved = errno;
    ASSERT(t->excl.depth == 0);
    ASSERT(rank_below(RANK_SECTION));
    ASSERT(LOAD_RELAXED(&stopper) == NULL);
    t->c_stack_top = (uintptr_t)__builtin_frame_address(0);
    while (UNLIKELY(LOAD_RELAXED(&t->poll) & POLL_MERGE))
        safepoint_merge(t); /* what is dead is destroyed before it sleeps */
    retire_detach(t);
    STORE_RELAXED(&t->excl.state, THREAD_DETACHED);
    gil_release(t);
    sched_leave();
    errno = saved;
}

static void yield(Thread *t, bool force) {
    retire_detach(t);
    STORE_RELAXED(&t->excl.state, THREAD_DETACHED);
    gil_yield(t, force);
    STORE_RELAXED(&t->excl.state, THREAD_ATTACHED);
    retire_attach(t);
    if (thread_must_vanish(t)) {
        gil_release(t);
        thread_vanish();
    }
}

void excl_safepoint(Thread *t, uint32_t bits) {
    if ((bits & POLL_GIL_DROP) || (GIL_TICKS && t->excl.ticks < 0))
        yield(t, false);
}

NOINLINE void excl_yield(Thread *t) {
    __builtin_unwind_init();
    thread_publish_stack(t);
    yield(t, true);
}

/* Whoever asks holds the GIL, so t stays detached. */
bool excl_claim(Thread *t) {
    return true;
}
void excl_unclaim(Thread *t) {}

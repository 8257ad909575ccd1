#include "runtime/safepoint.h"
#include "runtime/torture.h"

#include "backend/backend.h"
#include "mutex.h"
#include "object/object.h"

_Atomic(int64_t) gil_interval_ns = 5000000;

static SafepointHook hooks[32];

#define PENDING_MAX 32
static Mutex pending_mutex = MUTEX_INIT(RANK_QUEUE - 1);
static struct {
    int (*fn)(void *);
    void *arg;
} pending_calls[PENDING_MAX];
static int pending_first, n_pending;
static bool pending_busy; /* main thread only: a pending call is running */

bool torture_switch;

void safepoint_hook(uint32_t bit, SafepointHook fn) {
    hooks[__builtin_ctz(bit)] = fn;
}

int safepoint_add_pending(int (*fn)(void *), void *arg) {
    mutex_lock(&pending_mutex);
    bool room = n_pending < PENDING_MAX;
    if (room) {
        int i = (pending_first + n_pending++) % PENDING_MAX;
        pending_calls[i].fn = fn;
        pending_calls[i].arg = arg;
    }
    mutex_unlock(&pending_mutex);
    if (!room)
        return -1;
    thread_set_poll(thread_main_record, POLL_PENDING);
    return 0;
}

static int run_pending(void) {
    if (pending_busy)
        return 0;
    pending_busy = true;
    int rc = 0;
    for (int i = 0; i < PENDING_MAX && rc == 0; i++) {
        mutex_lock(&pending_mutex);
        int (*fn)(void *) = NULL;
        void *arg = NULL;
        if (n_pending > 0) {
            fn = pending_calls[pending_first].fn;
            arg = pending_calls[pending_first].arg;
            pending_first = (pending_first + 1) % PENDING_MAX;
            n_pending--;
        }
        mutex_unlock(&pending_mutex);
        if (fn == NULL)
            break;
        rc = fn(arg);
    }
    pending_busy = false;
    if (n_pending > 0)
        thread_set_poll(thread_self(), POLL_PENDING);
    return rc;
}

static int raise_async(Thread *t) {
    thread_list_lock();
    Value exc = t->async_exc;
    t->async_exc = ABSENT;
    thread_list_unlock();
    if (exc == ABSENT)
        return 0;
    Value instance = v_is_type(exc) ? obj_call0(exc) : retained(exc);
    release(exc);
    if (instance != ABSENT)
        err_raise(instance);
    return -1;
}

/* Takes bit; true when it was set. */
static bool take(Thread *t, uint32_t bit) {
    if (!(LOAD_RELAXED(&t->poll) & bit))
        return false;
    /* acquire: pairs with thread_set_poll; what the reason is about is visible */
    atomic_fetch_and_explicit(&t->poll, ~bit, memory_order_acquire);
    return true;
}

static int run_hook(Thread *t, uint32_t bit) {
    if (!take(t, bit))
        return 0;
    SafepointHook fn = hooks[__builtin_ctz(bit)];
    return fn != NULL ? fn(t) : 0;
}

void safepoint_merge(Thread *t) {
    run_hook(t, POLL_MERGE);
}

NOINLINE int safepoint_slow(Thread *t) {
    __builtin_unwind_init(); /* for the scanner: see thread_publish_stack */
    ASSERT(!excl_in_section(t));
    thread_publish_stack(t);
    excl_safepoint(t, LOAD_ACQUIRE(&t->poll));
    if (take(t, POLL_QUIESCENT))
        retire_quiescent(t);
    if (run_hook(t, POLL_MERGE) < 0 || run_hook(t, POLL_COLLECT) < 0 || run_hook(t, POLL_CACHES) < 0)
        return -1;
    if (take(t, POLL_PENDING)) {
        thread_try_alone();
        SafepointHook fn = hooks[__builtin_ctz(POLL_PENDING)];
        if (fn != NULL && fn(t) < 0)
            return -1;
        if (raise_async(t) < 0)
            return -1;
        if (thread_is_main(t) && run_pending() < 0)
            return -1;
    }
    if (UNLIKELY(torture_switch) && LOAD_RELAXED(&world_threaded))
        excl_yield(t);
    if (take(t, POLL_SIGNAL) && thread_is_main(t) && signal_run_handlers() < 0)
        return -1;
    return 0;
}

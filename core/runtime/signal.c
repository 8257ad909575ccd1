#include "runtime/signal.h"

#include <errno.h>
#include <unistd.h>

#include "backend/backend.h"
#include "interp/frame.h"
#include "mutex.h"
#include "object/object.h"
#include "parker.h"
#include "runtime/safepoint.h"
#include "tracer.h"

#define HANDLER_DEFAULT v_from_int(0)
#define HANDLER_IGNORE v_from_int(1)

static struct {
    _Atomic(bool) tripped;
    Ref handler; /* V_MARK: KeyboardInterrupt, before module _signal gives it a name */
} signals[NSIG];
static Mutex handlers_mutex = MUTEX_INIT(RANK_MODULE);
static _Atomic(bool) any_tripped;
static _Atomic(int) wakeup_fd = -1;
static _Atomic(bool) wakeup_warn = true;
static _Atomic(int) wakeup_errno;
static _Atomic(Parker *) main_parker;
static Ref default_int;

void signal_trip(int signum) {
    atomic_store_explicit(&signals[signum].tripped, true, memory_order_relaxed);
    /* release: pairs with the exchange in signal_run_handlers, which then sees tripped */
    atomic_store_explicit(&any_tripped, true, memory_order_release);
    Thread *t = thread_main_record;
    if (t != NULL)
        thread_set_poll(t, POLL_SIGNAL);
    Parker *p = LOAD_RELAXED(&main_parker);
    if (p != NULL)
        parker_wake(p); /* it may wait for a lock: see ParkSpec.interrupt */
    int fd = LOAD_RELAXED(&wakeup_fd);
    if (fd != -1) {
        unsigned char byte = (unsigned char)signum;
        ssize_t n;
        do
            n = write(fd, &byte, 1);
        while (n < 0 && errno == EINTR);
        if (n < 0 && (LOAD_RELAXED(&wakeup_warn) || (errno != EAGAIN && errno != EWOULDBLOCK)))
            STORE_RELAXED(&wakeup_errno, errno);
    }
}

static void handle(int signum) {
    int saved = errno;
    signal_trip(signum);
    errno = saved;
}

int signal_install(int signum, bool ours, void (*other)(int)) {
    struct sigaction sa = {0};
    sa.sa_handler = ours ? handle : other;
    sigemptyset(&sa.sa_mask);
    return sigaction(signum, &sa, NULL);
}

Value signal_get(int signum) {
    mutex_lock(&handlers_mutex);
    Value v = retained(ref_peek(&signals[signum].handler));
    mutex_unlock(&handlers_mutex);
    return v == ABSENT ? V_NONE : v;
}

Value signal_swap(int signum, Value handler) {
    retain(handler);
    publish(handler);
    mutex_lock(&handlers_mutex);
    Value old = ref_peek(&signals[signum].handler);
    STORE_RELEASE(&signals[signum].handler, handler);
    mutex_unlock(&handlers_mutex);
    return old == ABSENT ? V_NONE : old;
}

int signal_set_wakeup(int fd, bool warn_on_full) {
    STORE_RELAXED(&wakeup_warn, warn_on_full);
    return atomic_exchange_explicit(&wakeup_fd, fd, memory_order_relaxed);
}

void signal_set_default_int(Value fn) {
    ref_init(&default_int, retained(fn));
    if (ref_peek(&signals[SIGINT].handler) == V_MARK)
        release(signal_swap(SIGINT, fn));
}

static void report_wakeup_error(void) {
    int e = atomic_exchange_explicit(&wakeup_errno, 0, memory_order_relaxed);
    if (e == 0)
        return;
    errno = e;
    err_errno();
    err_unraisable("when trying to write to the signal wakeup fd", ABSENT);
}

int signal_run_handlers(void) {
    if (!atomic_exchange_explicit(&any_tripped, false, memory_order_acquire))
        return 0;
    report_wakeup_error();
    for (int i = 1; i < NSIG; i++) {
        if (!LOAD_RELAXED(&signals[i].tripped) ||
            !atomic_exchange_explicit(&signals[i].tripped, false, memory_order_relaxed))
            continue;
        Value h = signal_get(i);
        Value r = V_NONE;
        if (h == V_MARK) {
            r = err_set_none(&exc_KeyboardInterrupt);
        } else if (v_is_obj(h)) {
            Value frame = frame_current(0);
            r = obj_call2(h, v_from_int(i), frame == ABSENT ? V_NONE : frame);
            release(frame);
        }
        release(h);
        if (r == ABSENT) {
            /* The rest runs at the next safepoint. */
            atomic_store_explicit(&any_tripped, true, memory_order_relaxed);
            thread_set_poll(thread_self(), POLL_SIGNAL);
            return -1;
        }
        release(r);
    }
    return 0;
}

/* The child has none of the signals that were on their way to the parent. */
static void after_fork_child(void) {
    for (int i = 1; i < NSIG; i++)
        STORE_RELAXED(&signals[i].tripped, false);
    STORE_RELAXED(&any_tripped, false);
    STORE_RELAXED(&main_parker, parker_self());
    mutex_reinit(&handlers_mutex);
}

void signal_init(bool install_handlers) {
    STORE_RELAXED(&main_parker, parker_self());
    handle_register(&default_int);
    if (install_handlers) {
        signal_install(SIGPIPE, false, SIG_IGN);
        signal_install(SIGXFSZ, false, SIG_IGN);
    }
    for (int i = 1; i < NSIG; i++) {
        handle_register(&signals[i].handler);
        struct sigaction sa;
        Value v = V_NONE;
        if (sigaction(i, NULL, &sa) == 0 && !(sa.sa_flags & SA_SIGINFO)) {
            if (sa.sa_handler == SIG_DFL)
                v = HANDLER_DEFAULT;
            else if (sa.sa_handler == SIG_IGN)
                v = HANDLER_IGNORE;
        } else if (i >= SIGSYS) {
            v = HANDLER_DEFAULT;
        }
        ref_init(&signals[i].handler, v);
    }
    if (install_handlers && ref_peek(&signals[SIGINT].handler) == HANDLER_DEFAULT) {
        ref_init(&signals[SIGINT].handler, V_MARK);
        signal_install(SIGINT, true, NULL);
    }
    thread_atfork(NULL, NULL, after_fork_child);
}

void signal_fini(void) {
    STORE_RELAXED(&wakeup_fd, -1);
    for (int i = 1; i < NSIG; i++) {
        Value old = signal_swap(i, HANDLER_DEFAULT);
        if (v_is_obj(old) || old == V_MARK)
            signal_install(i, false, SIG_DFL);
        release(old);
    }
    Value d = ref_peek(&default_int);
    ref_init(&default_int, ABSENT);
    release(d);
}

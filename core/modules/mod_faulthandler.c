/* faulthandler: tracebacks of all threads when the process crashes, on demand, or after a time. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "interp/frame.h"
#include "modules/sys_impl.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"

#define FN(name) static Value name(Value self, Value *args, intptr_t nargs, Value kw)
#define ARG(i) arg_at(args, nargs, (i))

/* Everything below `dump` is called from signal handlers: write(2) and plain memory only. */
static void put(int fd, const char *s) {
    size_t n = strlen(s);
    while (n > 0) {
        ssize_t k = write(fd, s, n);
        if (k <= 0)
            return;
        s += k;
        n -= (size_t)k;
    }
}
static void put_number(int fd, uint64_t n, unsigned base, int width) {
    char buf[24], *p = buf + sizeof buf;
    *--p = 0;
    do {
        *--p = "0123456789abcdef"[n % base];
        n /= base;
        width--;
    } while (n || width > 0);
    put(fd, p);
}
static void put_str(int fd, Value s) {
    if (!v_is_str(s)) {
        put(fd, "???");
        return;
    }
    intptr_t n = str_len(s) < 500 ? str_len(s) : 500;
    for (intptr_t i = 0; i < n; i++) {
        uint32_t c = str_at(s, i);
        char b[2] = {(char)c, 0};
        if (c >= ' ' && c < 0x7f)
            put(fd, b);
        else {
            put(fd, c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
            put_number(fd, c, 16, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
        }
    }
    if (n < str_len(s))
        put(fd, "...");
}
static void dump_frames(int fd, Thread *t) {
    InterpFrame *f = t->frame;
    if (!f)
        put(fd, "  <no Python frame>\n");
    for (int i = 0; f; f = f->prev) {
        if (i++ == 100) {
            put(fd, "  ...\n");
            break;
        }
        put(fd, "  File \"");
        put_str(fd, ref_peek(&f->code->filename));
        put(fd, "\", line ");
        int line = frame_line(f);
        put_number(fd, (uint64_t)(line > 0 ? line : 0), 10, 1);
        put(fd, " in ");
        put_str(fd, ref_peek(&f->code->name));
        put(fd, "\n");
    }
}
static void dump(int fd, bool all) {
    Thread *self = thread_self();
    if (!all) {
        put(fd, "Stack (most recent call first):\n");
        if (self)
            dump_frames(fd, self);
        return;
    }
    int n = 0;
    for (Thread *t = thread_list; t && n < 100; t = t->next, n++) {
        if (n)
            put(fd, "\n");
        put(fd, t == self ? "Current thread 0x" : "Thread 0x");
        put_number(fd, t->ident, 16, 16);
        put(fd, " (most recent call first):\n");
        dump_frames(fd, t);
    }
}

/* ---- crashes ---- */

static const struct {
    int signum;
    const char *text;
} fatal_signals[] = {{SIGBUS, "Bus error"},
                     {SIGILL, "Illegal instruction"},
                     {SIGFPE, "Floating point exception"},
                     {SIGABRT, "Aborted"},
                     {SIGSEGV, "Segmentation fault"}};
static struct sigaction saved[ARRAY_LEN(fatal_signals)];
static volatile int enabled, fatal_fd = 2, fatal_all = 1;

static void on_fatal(int signum) {
    int e = errno;
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        if (fatal_signals[i].signum == signum) {
            sigaction(signum, &saved[i], NULL);
            put(fatal_fd, "Fatal Python error: ");
            put(fatal_fd, fatal_signals[i].text);
            put(fatal_fd, "\n\n");
        }
    dump(fatal_fd, fatal_all);
    errno = e;
    raise(signum);
}

/* The descriptor of a file argument; -1 with exception. */
static int get_fd(Value file) {
    Value own = ABSENT;
    int fd = -1;
    if (!file || file == V_NONE) {
        own = file = sys_get("stderr");
        if (!file || file == V_NONE) {
            release(own);
            err_set(&exc_RuntimeError, file ? "sys.stderr is None" : "unable to get sys.stderr");
            return -1;
        }
    }
    if (v_is_integer(file)) {
        if (num_as_int(file, &fd) == 0 && fd < 0)
            err_set(&exc_ValueError, "file is not a valid file descripter");
    } else {
        Value n = obj_call_method(file, ID("fileno"), NULL, 0);
        if (n && num_as_int(n, &fd) < 0)
            fd = -1;
        release(n);
        if (fd >= 0) {
            Value r = obj_call_method(file, ID("flush"), NULL, 0);
            if (!r)
                err_clear();
            release(r);
        }
    }
    release(own);
    return fd;
}
static int flag(Value v, int dflt) {
    return v ? obj_truth(v) : dflt;
}

FN(f_enable) {
    int fd = get_fd(ARG(0)), all = fd < 0 ? -1 : flag(ARG(1), 1);
    if (all < 0)
        return ABSENT;
    fatal_fd = fd;
    fatal_all = all;
    if (!enabled) {
        static char stack[65536];
        stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
        sigaltstack(&ss, NULL);
        for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++) {
            struct sigaction sa = {.sa_handler = on_fatal, .sa_flags = SA_NODEFER | SA_ONSTACK};
            sigaction(fatal_signals[i].signum, &sa, &saved[i]);
        }
        enabled = 1;
    }
    return V_NONE;
}
FN(f_disable) {
    if (!enabled)
        return V_FALSE;
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        sigaction(fatal_signals[i].signum, &saved[i], NULL);
    enabled = 0;
    return V_TRUE;
}
FN(f_is_enabled) {
    return v_bool(enabled);
}
FN(f_dump) {
    int fd = get_fd(ARG(0)), all = fd < 0 ? -1 : flag(ARG(1), 1);
    if (all < 0)
        return ABSENT;
    excl_stop_world();
    dump(fd, all);
    excl_start_world();
    return V_NONE;
}

/* ---- on a signal ---- */

static struct UserSignal {
    struct sigaction old;
    int fd, all, chain, on;
} user[NSIG];

static void on_user(int signum) {
    int e = errno;
    struct UserSignal *u = &user[signum];
    if (u->on) {
        dump(u->fd, u->all);
        if (u->chain && u->old.sa_handler != SIG_IGN && u->old.sa_handler != SIG_DFL)
            u->old.sa_handler(signum);
    }
    errno = e;
}
static int get_signum(Value v) {
    int n;
    if (num_as_int(v, &n) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(fatal_signals); i++)
        if (fatal_signals[i].signum == n) {
            err_set(&exc_RuntimeError, "signal %d cannot be registered, use enable() instead", n);
            return -1;
        }
    if (n < 1 || n >= NSIG) {
        err_set(&exc_ValueError, "signal number out of range");
        return -1;
    }
    return n;
}
FN(f_register) {
    int n = get_signum(args[0]), fd = n < 0 ? -1 : get_fd(ARG(1)), all = fd < 0 ? -1 : flag(ARG(2), 1),
        chain = all < 0 ? -1 : flag(ARG(3), 0);
    if (chain < 0)
        return ABSENT;
    struct UserSignal *u = &user[n];
    u->fd = fd;
    u->all = all;
    u->chain = chain;
    if (!u->on) {
        struct sigaction sa = {.sa_handler = on_user, .sa_flags = SA_RESTART};
        if (sigaction(n, &sa, &u->old) < 0)
            return err_errno();
        u->on = 1;
    }
    return V_NONE;
}
FN(f_unregister) {
    int n = get_signum(args[0]);
    if (n < 0)
        return ABSENT;
    if (!user[n].on)
        return V_FALSE;
    sigaction(n, &user[n].old, NULL);
    user[n].on = 0;
    return V_TRUE;
}

/* ---- after a time: a thread of its own that only watches ---- */

static pthread_mutex_t later_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t later_cond = PTHREAD_COND_INITIALIZER;
static struct {
    pthread_t thread;
    bool running, stop, repeat, exit;
    struct timespec period;
    int fd;
} later;

static void *watch(void *unused) {
    pthread_mutex_lock(&later_lock);
    while (!later.stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += later.period.tv_sec;
        until.tv_nsec += later.period.tv_nsec;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        int r = 0;
        while (r == 0 && !later.stop)
            r = pthread_cond_timedwait(&later_cond, &later_lock, &until);
        if (later.stop)
            break;
        put(later.fd, "Timeout (");
        put_number(later.fd, (uint64_t)later.period.tv_sec / 3600, 10, 1);
        put(later.fd, ":");
        put_number(later.fd, (uint64_t)later.period.tv_sec / 60 % 60, 10, 2);
        put(later.fd, ":");
        put_number(later.fd, (uint64_t)later.period.tv_sec % 60, 10, 2);
        put(later.fd, ")!\n");
        dump(later.fd, true);
        if (later.exit)
            _exit(1);
        if (!later.repeat)
            break;
    }
    pthread_mutex_unlock(&later_lock);
    return NULL;
}
static void cancel(void) {
    pthread_mutex_lock(&later_lock);
    bool was = later.running;
    later.stop = true;
    pthread_cond_broadcast(&later_cond);
    pthread_mutex_unlock(&later_lock);
    if (was) {
        DETACHED_BEGIN
        pthread_join(later.thread, NULL);
        DETACHED_END
        later.running = false;
    }
}
FN(f_later) {
    double d;
    if (num_as_double(args[0], &d) < 0)
        return ABSENT;
    if (!(d > 0))
        return err_set(&exc_ValueError, "timeout must be greater than 0");
    int repeat = flag(ARG(1), 0), fd = repeat < 0 ? -1 : get_fd(ARG(2)), ex = fd < 0 ? -1 : flag(ARG(3), 0);
    if (ex < 0)
        return ABSENT;
    cancel();
    later.stop = false;
    later.repeat = repeat;
    later.exit = ex;
    later.fd = fd;
    later.period.tv_sec = (time_t)d;
    later.period.tv_nsec = (long)((d - (double)(time_t)d) * 1e9);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int e = pthread_create(&later.thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (e)
        return err_set(&exc_RuntimeError, "unable to start watchdog thread");
    later.running = true;
    return V_NONE;
}
FN(f_cancel) {
    cancel();
    return V_NONE;
}
static const NativeDef functions[] = {
    {"enable", f_enable, "(file=None, all_threads=True)", 0,
     "enable(file=sys.stderr, all_threads=True): enable the fault handler"},
    {"disable", f_disable, "()", 0, "disable(): disable the fault handler"},
    {"is_enabled", f_is_enabled, "()", 0, "is_enabled()->bool: check if the handler is enabled"},
    {"dump_traceback", f_dump, "(file=None, all_threads=True)", 0,
     "dump_traceback(file=sys.stderr, all_threads=True): dump the traceback of the current thread, or of all threads "
     "if all_threads is True, into file"},
    {"dump_traceback_later", f_later, "(timeout, repeat=False, file=None, exit=False)", 0,
     "dump the traceback of all threads after timeout seconds"},
    {"cancel_dump_traceback_later", f_cancel, "()", 0, "cancel the previous call to dump_traceback_later()."},
    {"register", f_register, "(signum, file=None, all_threads=True, chain=False)", 0,
     "register a handler for the signal 'signum'"},
    {"unregister", f_unregister, "(signum, /)", 0,
     "unregister(signum): unregister the handler of the signal 'signum' registered by register()"},
    {0},
};
const ModuleSpec module_faulthandler = {"faulthandler", "faulthandler module.", functions, NULL};

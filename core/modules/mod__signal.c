/* Module _signal. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "object/dict.h"
#include "object/float.h"
#include "object/int.h"
#include "object/module.h"
#include "object/set.h"
#include "object/str.h"
#include "object/structseq.h"
#include "object/tuple.h"
#include "runtime/safepoint.h"
#include "runtime/signal.h"
#include "tracer.h"

static Ref itimer_error; /* class ItimerError */

/* A signal number in [1, NSIG): 0, or -1 with ValueError. */
static int get_signum(Value v, int *out) {
    if (num_as_int(v, out) < 0)
        return -1;
    if (*out < 1 || *out >= NSIG) {
        err_set(&exc_ValueError, "signal number out of range");
        return -1;
    }
    return 0;
}

static Value m_signal(Value self, Value *args, intptr_t nargs, Value kw) {
    int signum;
    if (num_as_int(args[0], &signum) < 0)
        return ABSENT;
    if (!thread_is_main(thread_self()))
        return err_set(&exc_ValueError, "signal only works in main thread of the main interpreter");
    if (signum < 1 || signum >= NSIG)
        return err_set(&exc_ValueError, "signal number out of range");
    Value handler = args[1];
    int64_t n;
    int rc;
    if (v_is_callable(handler)) {
        rc = 2;
    } else if (v_is_integer(handler) && int_to_i64(handler, &n) == 0 && (n == 0 || n == 1)) {
        rc = (int)n;
        handler = v_from_int(n);
    } else {
        return err_set(&exc_TypeError, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
    }
    if (excl_poll() < 0) /* what has come already is the old handler's */
        return ABSENT;
    if (signal_install(signum, rc == 2, rc == 0 ? SIG_DFL : SIG_IGN) < 0)
        return err_errno();
    return signal_swap(signum, handler);
}

static Value m_getsignal(Value self, Value *args, intptr_t nargs, Value kw) {
    int signum;
    if (get_signum(args[0], &signum) < 0)
        return ABSENT;
    return signal_get(signum);
}

static Value m_default_int_handler(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set_none(&exc_KeyboardInterrupt);
}

static Value m_raise_signal(Value self, Value *args, intptr_t nargs, Value kw) {
    int signum;
    if (num_as_int(args[0], &signum) < 0)
        return ABSENT;
    int rc;
    DETACHED_BEGIN
    rc = raise(signum);
    DETACHED_END
    if (rc != 0)
        return err_errno();
    return excl_poll() < 0 ? ABSENT : V_NONE;
}

static Value m_alarm(Value self, Value *args, intptr_t nargs, Value kw) {
    int seconds;
    if (num_as_int(args[0], &seconds) < 0)
        return ABSENT;
    return v_from_int((int64_t)alarm((unsigned)seconds));
}

static Value m_pause(Value self, Value *args, intptr_t nargs, Value kw) {
    DETACHED_BEGIN
    pause();
    DETACHED_END
    return excl_poll() < 0 ? ABSENT : V_NONE;
}

static Value m_siginterrupt(Value self, Value *args, intptr_t nargs, Value kw) {
    int signum, flag;
    if (get_signum(args[0], &signum) < 0 || num_as_int(args[1], &flag) < 0)
        return ABSENT;
    struct sigaction sa;
    sigaction(signum, NULL, &sa);
    if (flag)
        sa.sa_flags &= ~SA_RESTART;
    else
        sa.sa_flags |= SA_RESTART;
    if (sigaction(signum, &sa, NULL) < 0)
        return err_errno();
    return V_NONE;
}

static Value m_set_wakeup_fd(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    int warn = 1;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    if (arg_at(args, nargs, 1) != ABSENT && (warn = obj_truth(args[1])) < 0)
        return ABSENT;
    if (!thread_is_main(thread_self()))
        return err_set(&exc_ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
    if (fd != -1) {
        struct stat st;
        if (fstat(fd, &st) < 0)
            return err_errno();
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0)
            return err_errno();
        if (!(flags & O_NONBLOCK))
            return err_set(&exc_ValueError, "the fd %i must be in non-blocking mode", fd);
    }
    return v_from_int(signal_set_wakeup(fd, warn));
}

/* ---- interval timers ---- */

static int to_timeval(Value v, struct timeval *tv) {
    double d;
    if (v == ABSENT) {
        tv->tv_sec = tv->tv_usec = 0;
        return 0;
    }
    if (num_as_double(v, &d) < 0)
        return -1;
    if (d != d || d > 9e18 || d < -9e18) {
        err_set(&exc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    double whole = __builtin_floor(d);
    tv->tv_sec = (time_t)whole;
    tv->tv_usec = (suseconds_t)__builtin_ceil((d - whole) * 1e6);
    if (tv->tv_usec >= 1000000) {
        tv->tv_sec++;
        tv->tv_usec -= 1000000;
    }
    return 0;
}

static Value itimer_value(const struct itimerval *it) {
    Value pair[2] = {float_new((double)it->it_value.tv_sec + (double)it->it_value.tv_usec * 1e-6),
                     float_new((double)it->it_interval.tv_sec + (double)it->it_interval.tv_usec * 1e-6)};
    return tuple_from_steal(pair, 2);
}

static Value raise_itimer(void) {
    Value a[2] = {v_from_int(errno), str_from_c(strerror(errno))};
    if (a[1] == ABSENT)
        return ABSENT;
    Value e = obj_call2(ref_peek(&itimer_error), a[0], a[1]);
    release(a[1]);
    return e == ABSENT ? ABSENT : err_raise(e);
}

static Value m_setitimer(Value self, Value *args, intptr_t nargs, Value kw) {
    int which;
    struct itimerval new, old;
    if (num_as_int(args[0], &which) < 0 || to_timeval(args[1], &new.it_value) < 0 ||
        to_timeval(arg_at(args, nargs, 2), &new.it_interval) < 0)
        return ABSENT;
    if (setitimer((__itimer_which_t)which, &new, &old) < 0)
        return raise_itimer();
    return itimer_value(&old);
}

static Value m_getitimer(Value self, Value *args, intptr_t nargs, Value kw) {
    int which;
    struct itimerval old;
    if (num_as_int(args[0], &which) < 0)
        return ABSENT;
    if (getitimer((__itimer_which_t)which, &old) < 0)
        return raise_itimer();
    return itimer_value(&old);
}

/* ---- masks and waiting ---- */

static int to_sigset(Value iterable, sigset_t *set) {
    sigemptyset(set);
    Value it = obj_iter(iterable);
    if (it == ABSENT)
        return -1;
    Value v;
    while ((v = obj_next(it)) != ABSENT) {
        int64_t n;
        int rc = num_as_i64(v, &n);
        release(v);
        if (rc < 0)
            break;
        if (n <= 0 || n >= NSIG) {
            err_set(&exc_ValueError, "signal number %ld out of range [1; %i]", (long)n, NSIG - 1);
            break;
        }
        if (sigaddset(set, (int)n) < 0 && errno != EINVAL) { /* EINVAL: reserved by the C library */
            err_errno();
            break;
        }
    }
    release(it);
    return err_pending() ? -1 : 0;
}

static Value from_sigset(const sigset_t *set) {
    Value s = set_new();
    for (int i = 1; s != ABSENT && i < NSIG; i++) {
        if (sigismember(set, i) == 1 && set_add(s, v_from_int(i)) < 0) {
            release(s);
            return ABSENT;
        }
    }
    return s;
}

static Value m_pthread_sigmask(Value self, Value *args, intptr_t nargs, Value kw) {
    int how;
    sigset_t new, old;
    if (num_as_int(args[0], &how) < 0 || to_sigset(args[1], &new) < 0)
        return ABSENT;
    int rc = pthread_sigmask(how, &new, &old);
    if (rc != 0) {
        errno = rc;
        return err_errno();
    }
    if (excl_poll() < 0)
        return ABSENT;
    return from_sigset(&old);
}

static Value m_sigpending(Value self, Value *args, intptr_t nargs, Value kw) {
    sigset_t set;
    if (sigpending(&set) < 0)
        return err_errno();
    return from_sigset(&set);
}

static Value m_sigwait(Value self, Value *args, intptr_t nargs, Value kw) {
    sigset_t set;
    if (to_sigset(args[0], &set) < 0)
        return ABSENT;
    int rc, signum;
    DETACHED_BEGIN
    rc = sigwait(&set, &signum);
    DETACHED_END
    if (rc != 0) {
        errno = rc;
        return err_errno();
    }
    return v_from_int(signum);
}

static Type siginfo_type;
static const StructSeqField siginfo_fields[] = {
    {"si_signo", "signal number"},
    {"si_code", "signal code"},
    {"si_errno", "errno associated with this signal"},
    {"si_pid", "sending process ID"},
    {"si_uid", "real user ID of sending process"},
    {"si_status", "exit value or signal"},
    {"si_band", "band event for SIGPOLL"},
    {0},
};
static const char siginfo_doc[] =
    "struct_siginfo: Result from sigwaitinfo or sigtimedwait.\n\nThis object may be accessed either as a tuple "
    "of\n(si_signo, "
    "si_code, si_errno, si_pid, si_uid, si_status, si_band),\nor via the attributes si_signo, si_code, and so on.";

static Value from_siginfo(const siginfo_t *si) {
    Value f[] = {v_from_int(si->si_signo), v_from_int(si->si_code),   v_from_int(si->si_errno), v_from_int(si->si_pid),
                 v_from_int(si->si_uid),   v_from_int(si->si_status), int_from_i64(si->si_band)};
    return structseq_new(&siginfo_type, f, 7);
}

static Value m_sigwaitinfo(Value self, Value *args, intptr_t nargs, Value kw) {
    sigset_t set;
    siginfo_t si;
    if (to_sigset(args[0], &set) < 0)
        return ABSENT;
    for (;;) {
        int rc;
        DETACHED_BEGIN
        rc = sigwaitinfo(&set, &si);
        DETACHED_END
        if (rc >= 0)
            return from_siginfo(&si);
        if (errno != EINTR)
            return err_errno();
        if (excl_poll() < 0)
            return ABSENT;
    }
}

static Value m_sigtimedwait(Value self, Value *args, intptr_t nargs, Value kw) {
    sigset_t set;
    siginfo_t si;
    double d;
    if (to_sigset(args[0], &set) < 0 || num_as_double(args[1], &d) < 0)
        return ABSENT;
    if (d < 0)
        return err_set(&exc_ValueError, "timeout must be non-negative");
    if (!(d < 9e9))
        return err_set(&exc_OverflowError, "timestamp too large to convert to C _PyTime_t");
    int64_t deadline = 0, left = (int64_t)(d * 1e9);
    for (;;) {
        struct timespec now, ts = {left / 1000000000, left % 1000000000};
        if (deadline == 0) {
            clock_gettime(CLOCK_MONOTONIC, &now);
            deadline = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + left;
        }
        int rc;
        DETACHED_BEGIN
        rc = sigtimedwait(&set, &si, &ts);
        DETACHED_END
        if (rc >= 0)
            return from_siginfo(&si);
        if (errno == EAGAIN)
            return V_NONE;
        if (errno != EINTR)
            return err_errno();
        if (excl_poll() < 0)
            return ABSENT;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left = deadline - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
        if (left < 0)
            return V_NONE;
    }
}

static Value m_pthread_kill(Value self, Value *args, intptr_t nargs, Value kw) {
    uint64_t id;
    int signum;
    if (!v_is_integer(args[0]))
        return err_set(&exc_TypeError, "an integer is required (got type %T)", args[0]);
    if (int_to_u64_mask(args[0], &id) < 0 || num_as_int(args[1], &signum) < 0)
        return ABSENT;
    int rc = pthread_kill((pthread_t)id, signum);
    if (rc != 0) {
        errno = rc;
        return err_errno();
    }
    return excl_poll() < 0 ? ABSENT : V_NONE;
}

static Value m_pidfd_send_signal(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, signum, flags = 0;
    if (num_as_int(args[0], &fd) < 0 || num_as_int(args[1], &signum) < 0)
        return ABSENT;
    if (arg_at(args, nargs, 2) != ABSENT && args[2] != V_NONE)
        return err_set(&exc_TypeError, "siginfo must be None");
    if (arg_at(args, nargs, 3) != ABSENT && num_as_int(args[3], &flags) < 0)
        return ABSENT;
    if (syscall(SYS_pidfd_send_signal, fd, signum, NULL, flags) < 0)
        return err_errno();
    return V_NONE;
}

static Value m_valid_signals(Value self, Value *args, intptr_t nargs, Value kw) {
    sigset_t set;
    sigfillset(&set);
    return from_sigset(&set);
}

static Value m_strsignal(Value self, Value *args, intptr_t nargs, Value kw) {
    int signum;
    if (get_signum(args[0], &signum) < 0)
        return ABSENT;
    const char *s = strsignal(signum);
    if (s == NULL || strncmp(s, "Unknown signal", 14) == 0)
        return V_NONE;
    return str_from_c(s);
}

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define C(n) {#n, n}
    C(SIGHUP),      C(SIGINT),           C(SIGQUIT),     C(SIGILL),           C(SIGTRAP),
    C(SIGABRT),     {"SIGIOT", SIGABRT}, C(SIGBUS),      C(SIGFPE),           C(SIGKILL),
    C(SIGUSR1),     C(SIGSEGV),          C(SIGUSR2),     C(SIGPIPE),          C(SIGALRM),
    C(SIGTERM),     C(SIGSTKFLT),        C(SIGCHLD),     {"SIGCLD", SIGCHLD}, C(SIGCONT),
    C(SIGSTOP),     C(SIGTSTP),          C(SIGTTIN),     C(SIGTTOU),          C(SIGURG),
    C(SIGXCPU),     C(SIGXFSZ),          C(SIGVTALRM),   C(SIGPROF),          C(SIGWINCH),
    C(SIGIO),       {"SIGPOLL", SIGIO},  C(SIGPWR),      C(SIGSYS),           C(SIG_BLOCK),
    C(SIG_UNBLOCK), C(SIG_SETMASK),      C(ITIMER_REAL), C(ITIMER_VIRTUAL),   C(ITIMER_PROF),
    C(NSIG),        {"SIG_DFL", 0},      {"SIG_IGN", 1},
#undef C
};

static const NativeDef functions[] = {
    {"default_int_handler", m_default_int_handler, "($module, signalnum, frame, /)", 0,
     "The default handler for SIGINT installed by Python.\n\nIt raises KeyboardInterrupt."},
    {"alarm", m_alarm, "($module, seconds, /)", 0, "Arrange for SIGALRM to arrive after the given number of seconds."},
    {"setitimer", m_setitimer, "($module, which, seconds, interval=0.0, /)", 0,
     "Sets given itimer (one of ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF).\n\nThe timer will fire after value "
     "seconds and after\nthat every "
     "interval seconds. The itimer can be cleared by setting seconds to zero.\n\nReturns old values as a tuple: "
     "(delay, interval)."},
    {"getitimer", m_getitimer, "($module, which, /)", 0, "Returns current value of given itimer."},
    {"signal", m_signal, "($module, signalnum, handler, /)", 0,
     "Set the action for the given signal.\n\nThe action can be SIG_DFL, SIG_IGN, or a callable Python object.\nThe "
     "previous action is "
     "returned.  See getsignal() for possible return values."},
    {"raise_signal", m_raise_signal, "($module, signalnum, /)", 0, "Send a signal to the executing process."},
    {"strsignal", m_strsignal, "($module, signalnum, /)", 0, "Return the system description of the given signal."},
    {"getsignal", m_getsignal, "($module, signalnum, /)", 0, "Return the current action for the given signal."},
    {"set_wakeup_fd", m_set_wakeup_fd, "($module, fd, *, warn_on_full_buffer=True)", 0,
     "Sets the fd to be written to (with the signal number) when a signal comes in."},
    {"siginterrupt", m_siginterrupt, "($module, signalnum, flag, /)", 0, "Change system call restart behaviour."},
    {"pause", m_pause, "($module, /)", 0, "Wait until a signal arrives."},
    {"pidfd_send_signal", m_pidfd_send_signal, "($module, pidfd, signalnum, siginfo=None, flags=0, /)", 0,
     "Send a signal to a process referred to by a pid file descriptor."},
    {"pthread_kill", m_pthread_kill, "($module, thread_id, signalnum, /)", 0, "Send a signal to a thread."},
    {"pthread_sigmask", m_pthread_sigmask, "($module, how, mask, /)", 0,
     "Fetch and/or change the signal mask of the calling thread."},
    {"sigpending", m_sigpending, "($module, /)", 0, "Examine pending signals."},
    {"sigwait", m_sigwait, "($module, sigset, /)", 0, "Wait for a signal."},
    {"sigwaitinfo", m_sigwaitinfo, "($module, sigset, /)", 0,
     "Wait synchronously until one of the signals in *sigset* is delivered."},
    {"sigtimedwait", m_sigtimedwait, "($module, sigset, timeout, /)", 0, "Like sigwaitinfo(), but with a timeout."},
    {"valid_signals", m_valid_signals, "($module, /)", 0, "Return a set of valid signal numbers on this platform."},
    {0},
};

static int exec(Value m) {
    for (size_t i = 0; i < ARRAY_LEN(constants); i++) {
        if (module_add_int(m, constants[i].name, constants[i].value) < 0)
            return -1;
    }
    if (module_add_int(m, "SIGRTMIN", SIGRTMIN) < 0 || module_add_int(m, "SIGRTMAX", SIGRTMAX) < 0)
        return -1;
    if (siginfo_type.spec == NULL)
        structseq_init(&siginfo_type, "signal.struct_siginfo", siginfo_doc, siginfo_fields, 7);
    if (module_add(m, "struct_siginfo", retained(V_OF(&siginfo_type))) < 0)
        return -1;
    if (ref_peek(&itimer_error) == ABSENT) {
        Value dict = dict_new();
        Value name = str_from_c("itimer_error"), module = str_from_c("signal");
        Value bases = tuple_pack(1, V_OF(&exc_OSError));
        if (dict == ABSENT || name == ABSENT || module == ABSENT || bases == ABSENT ||
            dict_set_str(dict, "__module__", module) < 0)
            return -1;
        Value cls = obj_call3(V_OF(&type_type), name, bases, dict);
        release(dict);
        release(name);
        release(module);
        release(bases);
        if (cls == ABSENT)
            return -1;
        ref_init_global(&itimer_error, cls);
        handle_register(&itimer_error);
    }
    if (module_add(m, "ItimerError", retained(ref_peek(&itimer_error))) < 0)
        return -1;
    Value d = obj_getattr_str(m, "default_int_handler");
    if (d == ABSENT)
        return -1;
    signal_set_default_int(d);
    release(d);
    return 0;
}

const ModuleSpec module__signal = {
    "_signal",
    "This module provides mechanisms to use signal handlers in Python.",
    functions,
    exec,
};

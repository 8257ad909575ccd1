/* select: select, poll and epoll; all wait detached and go on after a signal with the time that is left. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "object/float.h"
#include "posix.h"

static Type poll_type, epoll_type;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
/* A time-out in units of 1/scale seconds to nanoseconds, rounded up: -1 for None. 0, -1 with exception. */
static int timeout_ns(Value v, double scale, int64_t *out) {
    double d;
    *out = -1;
    if (v == ABSENT || v == V_NONE)
        return 0;
    if (!v_is_floating(v) && !v_is_index(v)) {
        err_set(&exc_TypeError, "timeout must be a float or None");
        return -1;
    }
    if (num_as_double(v, &d) < 0)
        return -1;
    if (isnan(d)) {
        err_set(&exc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    if (d / scale > 9e9) {
        err_set(&exc_OverflowError, "timeout is too large");
        return -1;
    }
    *out = d < 0 ? -2 : (int64_t)ceil(d / scale * 1e9);
    return 0;
}
static int ms_left(int64_t deadline) {
    if (deadline < 0)
        return -1;
    int64_t left = deadline - now_ns();
    return left <= 0 ? 0 : (int)MIN((left + 999999) / 1000000, INT_MAX);
}

/* ---- select ---- */

/* The descriptors of a sequence, appended to p as wishes for events. Owned tuple of the objects. */
static Value wishes(Value seq, struct pollfd **p, size_t *n, short events) {
    Value t = seq_to_tuple(seq);
    if (t == ABSENT) {
        if (err_matches(&exc_TypeError)) {
            err_clear();
            err_set(&exc_TypeError, "arguments 1-3 must be sequences");
        }
        return ABSENT;
    }
    size_t k = (size_t)tuple_len(t);
    struct pollfd *q = realloc(*p, (*n + k + 1) * sizeof *q);
    if (!q) {
        release(t);
        return err_no_memory();
    }
    *p = q;
    for (size_t i = 0; i < k; i++) {
        int fd;
        if (fd_arg(tuple_get(t, (intptr_t)i), &fd) < 0) {
            release(t);
            return ABSENT;
        }
        if (fd < 0 || fd >= FD_SETSIZE) {
            release(t);
            return err_set(&exc_ValueError,
                           fd < 0 ? "file descriptor cannot be a negative integer (%d)"
                                  : "filedescriptor out of range in select()",
                           fd);
        }
        q[(*n)++] = (struct pollfd){fd, events, 0};
    }
    return t;
}
static Value select_select(Value self, Value *args, intptr_t nargs, Value kw) {
    static const short events[3] = {POLLIN | POLLRDNORM | POLLRDBAND, POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};
    struct pollfd *p = NULL;
    size_t n = 0, from[4] = {0};
    Value seqs[3] = {ABSENT, ABSENT, ABSENT}, out[3] = {ABSENT, ABSENT, ABSENT}, result = ABSENT;
    int64_t ns;
    if (timeout_ns(arg_at(args, nargs, 3), 1, &ns) < 0)
        return ABSENT;
    if (ns == -2)
        return err_set(&exc_ValueError, "timeout must be non-negative");
    for (int i = 0; i < 3; i++) {
        seqs[i] = wishes(args[i], &p, &n, events[i]);
        if (seqs[i] == ABSENT)
            goto done;
        from[i + 1] = n;
    }
    int64_t deadline = ns < 0 ? -1 : now_ns() + ns;
    for (;;) {
        int r, e, ms = ms_left(deadline);
        DETACHED_BEGIN
        r = poll(p, n, ms);
        e = errno;
        DETACHED_END
        if (r >= 0)
            break;
        if (e != EINTR) {
            errno = e;
            err_errno();
            goto done;
        }
        if (excl_poll() < 0)
            goto done;
    }
    for (size_t i = 0; i < n; i++)
        if (p[i].revents & POLLNVAL) {
            errno = EBADF;
            err_errno();
            goto done;
        }
    for (int s = 0; s < 3; s++) {
        if ((out[s] = list_new(0)) == ABSENT)
            goto done;
        for (size_t i = from[s]; i < from[s + 1]; i++) {
            short hit = s == 0   ? p[i].revents & (events[0] | POLLHUP | POLLERR)
                        : s == 1 ? p[i].revents & (events[1] | POLLERR)
                                 : p[i].revents & events[2];
            if (hit && list_append(out[s], tuple_get(seqs[s], (intptr_t)(i - from[s]))) < 0)
                goto done;
        }
    }
    result = tuple_pack(3, out[0], out[1], out[2]);
done:
    for (int i = 0; i < 3; i++) {
        release(seqs[i]);
        release(out[i]);
    }
    free(p);
    return result;
}

/* ---- poll ---- */

typedef struct Poll {
    Object hdr;
    Ref wishes; /* dict fd -> events */
    _Atomic(bool) busy;
} Poll;
static void poll_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Poll *)self)->wishes), arg);
}
static void poll_clear(Value self) {
    ref_clear(self, &((Poll *)self)->wishes);
}
static const TypeOps poll_ops = {poll_traverse, poll_clear, NULL};

static Value select_poll(Value self, Value *args, intptr_t nargs, Value kw) {
    Value p = obj_new(&poll_type), d = p == ABSENT ? ABSENT : dict_new();
    if (d == ABSENT) {
        release(p);
        return ABSENT;
    }
    ref_init(&((Poll *)p)->wishes, d);
    trace_track(v_obj(p));
    return p;
}
static int events_arg(Value v, int dflt, int *out) {
    *out = dflt;
    if (v == ABSENT)
        return 0;
    int64_t n;
    if (num_as_i64(v, &n) < 0)
        return -1;
    if (n < 0 || n > USHRT_MAX) {
        err_set(&exc_OverflowError, n < 0 ? "can't convert negative value to unsigned int"
                                          : "Python int too large to convert to C unsigned short");
        return -1;
    }
    *out = (int)n;
    return 0;
}
static Value poll_register(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, ev;
    if (fd_arg(args[0], &fd) < 0 || events_arg(arg_at(args, nargs, 1), POLLIN | POLLPRI | POLLOUT, &ev) < 0)
        return ABSENT;
    return dict_set(ref_peek(&((Poll *)self)->wishes), v_from_int(fd), v_from_int(ev)) < 0 ? ABSENT : V_NONE;
}
static Value poll_modify(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, ev;
    Value d = ref_peek(&((Poll *)self)->wishes);
    if (fd_arg(args[0], &fd) < 0 || events_arg(args[1], 0, &ev) < 0)
        return ABSENT;
    int has = dict_contains(d, v_from_int(fd));
    if (has <= 0) {
        errno = ENOENT;
        return has < 0 ? ABSENT : err_errno();
    }
    return dict_set(d, v_from_int(fd), v_from_int(ev)) < 0 ? ABSENT : V_NONE;
}
static Value poll_unregister(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    if (fd_arg(args[0], &fd) < 0)
        return ABSENT;
    return dict_del(ref_peek(&((Poll *)self)->wishes), v_from_int(fd)) < 0 ? ABSENT : V_NONE;
}

static Value poll_poll(Value self, Value *args, intptr_t nargs, Value kw) {
    Poll *po = (Poll *)self;
    int64_t ns;
    if (timeout_ns(arg_at(args, nargs, 0), 1000, &ns) < 0)
        return ABSENT;
    if (atomic_exchange(&po->busy, true))
        return err_set(&exc_RuntimeError, "concurrent poll() invocation");
    Value items = dict_items_list(ref_peek(&po->wishes)), out = ABSENT;
    size_t n = items == ABSENT ? 0 : (size_t)list_len(items);
    struct pollfd *p = calloc(n + 1, sizeof *p);
    if (items == ABSENT || !p) {
        if (items != ABSENT)
            err_no_memory();
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        Value pair = list_get(items, (intptr_t)i);
        p[i].fd = (int)v_int(tuple_get(pair, 0));
        p[i].events = (short)v_int(tuple_get(pair, 1));
        release(pair);
    }
    int64_t deadline = ns < 0 ? -1 : now_ns() + ns;
    for (;;) {
        int r, e, ms = ms_left(deadline);
        DETACHED_BEGIN
        r = poll(p, n, ms);
        e = errno;
        DETACHED_END
        if (r >= 0)
            break;
        if (e != EINTR) {
            errno = e;
            err_errno();
            goto done;
        }
        if (excl_poll() < 0)
            goto done;
    }
    out = list_new(0);
    for (size_t i = 0; out != ABSENT && i < n; i++)
        if (p[i].revents) {
            Value t = tuple_pack(2, v_from_int(p[i].fd), v_from_int((uint16_t)p[i].revents));
            if (t == ABSENT || list_append_steal(out, t) < 0) {
                release(out);
                out = ABSENT;
            }
        }
done:
    atomic_store(&po->busy, false);
    free(p);
    release(items);
    return out;
}

/* ---- epoll ---- */

typedef struct Epoll {
    Object hdr;
    _Atomic(int) fd;
} Epoll;
static void epoll_fini(Value self) {
    int fd = LOAD_RELAXED(&((Epoll *)self)->fd);
    if (fd >= 0)
        close(fd);
}
static const TypeOps epoll_ops = {NULL, NULL, epoll_fini};
static int epoll_fd(Value self) {
    int fd = LOAD_RELAXED(&((Epoll *)self)->fd);
    if (fd < 0)
        err_set(&exc_ValueError, "I/O operation on closed epoll object");
    return fd;
}
static Value epoll_wrap(Value cls, int fd) {
    if (fd < 0)
        return err_errno();
    Value e = obj_new((Type *)cls);
    if (e == ABSENT)
        close(fd);
    else
        STORE_RELAXED(&((Epoll *)e)->fd, fd);
    return e;
}
static Value epoll_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    int size = -1, flags = 0;
    if ((arg_at(args, nargs, 0) != ABSENT && num_as_int(args[0], &size) < 0) ||
        (arg_at(args, nargs, 1) != ABSENT && num_as_int(args[1], &flags) < 0))
        return ABSENT;
    if (size != -1 && size <= 0)
        return err_set(&exc_ValueError, "negative sizehint");
    if (flags & ~EPOLL_CLOEXEC)
        return err_set(&exc_OSError, "invalid flags");
    return epoll_wrap(cls, epoll_create1(EPOLL_CLOEXEC));
}
static Value epoll_fromfd(Value cls, Value *args, intptr_t nargs, Value kw) {
    int fd;
    return num_as_int(args[0], &fd) < 0 ? ABSENT : epoll_wrap(cls, fd);
}
static Value epoll_ctl_any(Value self, int op, Value file, Value mask) {
    int ep = epoll_fd(self), fd;
    struct epoll_event ev = {0};
    int64_t m = EPOLLIN | EPOLLPRI | EPOLLOUT;
    if (ep < 0 || fd_arg(file, &fd) < 0 || (mask != ABSENT && num_as_i64(mask, &m) < 0))
        return ABSENT;
    ev.events = (uint32_t)m;
    ev.data.fd = fd;
    return epoll_ctl(ep, op, fd, &ev) < 0 ? err_errno() : V_NONE;
}
static Value epoll_register(Value self, Value *args, intptr_t nargs, Value kw) {
    return epoll_ctl_any(self, EPOLL_CTL_ADD, args[0], arg_at(args, nargs, 1));
}
static Value epoll_modify(Value self, Value *args, intptr_t nargs, Value kw) {
    return epoll_ctl_any(self, EPOLL_CTL_MOD, args[0], args[1]);
}
static Value epoll_unregister(Value self, Value *args, intptr_t nargs, Value kw) {
    return epoll_ctl_any(self, EPOLL_CTL_DEL, args[0], ABSENT);
}
static Value epoll_poll(Value self, Value *args, intptr_t nargs, Value kw) {
    int ep = epoll_fd(self), max = FD_SETSIZE - 1, got = 0;
    int64_t ns;
    if (ep < 0 || timeout_ns(arg_at(args, nargs, 0), 1, &ns) < 0)
        return ABSENT;
    if (arg_at(args, nargs, 1) != ABSENT && args[1] != V_NONE) {
        if (num_as_int(args[1], &max) < 0)
            return ABSENT;
        if (max == -1)
            max = FD_SETSIZE - 1;
        if (max < 1)
            return err_set(&exc_ValueError, "maxevents must be greater than 0, got %d", max);
    }
    struct epoll_event *ev = calloc((size_t)max, sizeof *ev);
    if (!ev)
        return err_no_memory();
    int64_t deadline = ns < 0 ? -1 : now_ns() + ns;
    Value out = ABSENT;
    for (;;) {
        int e, ms = ms_left(deadline);
        DETACHED_BEGIN
        got = epoll_wait(ep, ev, max, ms);
        e = errno;
        DETACHED_END
        if (got >= 0)
            break;
        if (e != EINTR) {
            errno = e;
            err_errno();
            goto done;
        }
        if (excl_poll() < 0)
            goto done;
    }
    out = list_new(got);
    for (int i = 0; out != ABSENT && i < got; i++) {
        Value t = tuple_pack(2, v_from_int(ev[i].data.fd), v_from_int(ev[i].events));
        if (t == ABSENT || list_append_steal(out, t) < 0) {
            release(out);
            out = ABSENT;
        }
    }
done:
    free(ev);
    return out;
}
static Value epoll_close(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = atomic_exchange(&((Epoll *)self)->fd, -1);
    return fd >= 0 && close(fd) < 0 ? err_errno() : V_NONE;
}
static Value epoll_fileno(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = epoll_fd(self);
    return fd < 0 ? ABSENT : v_from_int(fd);
}
static Value epoll_enter(Value self, Value *args, intptr_t nargs, Value kw) {
    return epoll_fd(self) < 0 ? ABSENT : retained(self);
}
static Value epoll_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    return epoll_close(self, NULL, 0, ABSENT);
}
static Value epoll_closed(Value self) {
    return v_bool(LOAD_RELAXED(&((Epoll *)self)->fd) < 0);
}

static const NativeDef poll_methods[] = {
    {"register", poll_register, "($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)"},
    {"modify", poll_modify, "($self, fd, eventmask, /)"},
    {"unregister", poll_unregister, "($self, fd, /)"},
    {"poll", poll_poll, "($self, timeout=None, /)"},
    {NULL}};
static const NativeDef epoll_methods[] = {
    {"__new__", epoll_new, "($type, sizehint=-1, flags=0)", NF_STATIC},
    {"fromfd", epoll_fromfd, "($type, fd, /)", NF_CLASS},
    {"register", epoll_register, "($self, /, fd, eventmask=0)"},
    {"modify", epoll_modify, "($self, /, fd, eventmask)"},
    {"unregister", epoll_unregister, "($self, /, fd)"},
    {"poll", epoll_poll, "($self, /, timeout=None, maxevents=-1)"},
    {"close", epoll_close, "($self, /)"},
    {"fileno", epoll_fileno, "($self, /)"},
    {"__enter__", epoll_enter, "($self, /)"},
    {"__exit__", epoll_exit, "($self, exc_type=None, exc_value=None, exc_tb=None, /)"},
    {NULL}};
static const GetSetDef epoll_getsets[] = {{"closed", epoll_closed}, {NULL}};
static const NativeDef functions[] = {{"select", select_select, "($module, rlist, wlist, xlist, timeout=None, /)"},
                                      {"poll", select_poll, "($module, /)"},
                                      {NULL}};

static int fill(Value m) {
    static const TypeSpec poll_spec = {.name = "select.poll",
                                       .basic_size = sizeof(Poll),
                                       .flags = TF_NO_NEW,
                                       .ops = &poll_ops,
                                       .methods = poll_methods};
    static const TypeSpec epoll_spec = {.name = "select.epoll",
                                        .basic_size = sizeof(Epoll),
                                        .flags = TF_UNTRACKED,
                                        .ops = &epoll_ops,
                                        .methods = epoll_methods,
                                        .getsets = epoll_getsets};
    static const struct {
        const char *name;
        unsigned value;
    } numbers[] = {{"POLLIN", POLLIN},           {"POLLPRI", POLLPRI},           {"POLLOUT", POLLOUT},
                   {"POLLERR", POLLERR},         {"POLLHUP", POLLHUP},           {"POLLNVAL", POLLNVAL},
                   {"POLLRDNORM", POLLRDNORM},   {"POLLRDBAND", POLLRDBAND},     {"POLLWRNORM", POLLWRNORM},
                   {"POLLWRBAND", POLLWRBAND},   {"POLLMSG", POLLMSG},           {"POLLRDHUP", POLLRDHUP},
                   {"EPOLLIN", EPOLLIN},         {"EPOLLPRI", EPOLLPRI},         {"EPOLLOUT", EPOLLOUT},
                   {"EPOLLERR", EPOLLERR},       {"EPOLLHUP", EPOLLHUP},         {"EPOLLRDHUP", EPOLLRDHUP},
                   {"EPOLLET", EPOLLET},         {"EPOLLONESHOT", EPOLLONESHOT}, {"EPOLLEXCLUSIVE", EPOLLEXCLUSIVE},
                   {"EPOLLRDNORM", EPOLLRDNORM}, {"EPOLLRDBAND", EPOLLRDBAND},   {"EPOLLWRNORM", EPOLLWRNORM},
                   {"EPOLLWRBAND", EPOLLWRBAND}, {"EPOLLMSG", EPOLLMSG},         {"EPOLL_CLOEXEC", EPOLL_CLOEXEC},
                   {"PIPE_BUF", PIPE_BUF}};
    type_init_module_type(&poll_type, &poll_spec);
    type_init_module_type(&epoll_type, &epoll_spec);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (module_add_int(m, numbers[i].name, numbers[i].value) < 0)
            return -1;
    return module_add(m, "epoll", V_OF(&epoll_type)) < 0 || module_add(m, "error", V_OF(&exc_OSError)) < 0 ? -1 : 0;
}
const ModuleSpec module_select = {.name = "select",
                                  .doc = "This module supports asynchronous I/O on multiple file descriptors.",
                                  .functions = functions,
                                  .exec = fill};

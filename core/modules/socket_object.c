/* _socket.socket. A time-out of -1 ns blocks, 0 never waits; in between the descriptor is non-blocking and poll()
 * waits, detached. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "socket.h"

static Type socket_type;

typedef struct Socket {
    Object hdr;
    _Atomic(int) fd;
    int family, type, proto;
    _Atomic(int64_t) timeout;
} Socket;

static void socket_fini(Value self) {
    int fd = LOAD_RELAXED(&((Socket *)self)->fd);
    if (fd >= 0)
        close(fd);
}
static const TypeOps ops = {NULL, NULL, socket_fini};

static Value os_error(int e) {
    errno = e;
    return err_errno();
}
static int set_blocking(int fd, bool on) {
    int f = fcntl(fd, F_GETFL), want = on ? f & ~O_NONBLOCK : f | O_NONBLOCK;
    return f < 0 || (f != want && fcntl(fd, F_SETFL, want) < 0) ? -1 : 0;
}

Value sock_wrap(int fd, int family, int type, int proto) {
    Value s = obj_new(&socket_type);
    if (s == ABSENT) {
        close(fd);
        return ABSENT;
    }
    Socket *k = (Socket *)s;
    STORE_RELAXED(&k->fd, fd);
    k->family = family;
    k->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    k->proto = proto;
    STORE_RELAXED(&k->timeout, type & SOCK_NONBLOCK ? 0 : LOAD_RELAXED(&sock_default_timeout));
    if (LOAD_RELAXED(&k->timeout) >= 0)
        set_blocking(fd, false);
    return s;
}

static Value socket_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value s = obj_new((Type *)cls);
    if (s != ABSENT) {
        STORE_RELAXED(&((Socket *)s)->fd, -1);
        STORE_RELAXED(&((Socket *)s)->timeout, -1);
        trace_track(v_obj(s));
    }
    return s;
}
static Value socket_init(Value self, Value *args, intptr_t nargs, Value kw) {
    Socket *k = (Socket *)self;
    int family = -1, type = -1, proto = -1, fd = -1;
    int *const fields[] = {&family, &type, &proto};
    for (int i = 0; i < 3; i++)
        if (arg_at(args, nargs, i) != ABSENT && num_as_int(args[i], fields[i]) < 0)
            return ABSENT;
    Value fileno = arg_at(args, nargs, 3);
    if (fileno != ABSENT && fileno != V_NONE) {
        if (v_is_floating(fileno))
            return err_set(&exc_TypeError, "integer argument expected, got float");
        if (num_as_int(fileno, &fd) < 0)
            return ABSENT;
        if (fd < 0)
            return err_set(&exc_ValueError, "negative file descriptor");
        SockAddr a;
        socklen_t len = sizeof a;
        memset(&a, 0, sizeof a);
        if (getsockname(fd, &a.any, &len) < 0) {
            if (family == -1 || errno == EBADF || errno == ENOTSOCK)
                return err_errno();
        } else if (family == -1) {
            family = a.any.sa_family;
        }
        len = sizeof type;
        if (type == -1 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
            return err_errno();
        len = sizeof proto;
        if (proto == -1 && getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len) < 0)
            return err_errno();
    } else {
        if (family == -1)
            family = AF_INET;
        if (type == -1)
            type = SOCK_STREAM;
        if (proto == -1)
            proto = 0;
        DETACHED_BEGIN
        fd = socket(family, type | SOCK_CLOEXEC, proto);
        DETACHED_END
        if (fd < 0)
            return err_errno();
    }
    STORE_RELAXED(&k->fd, fd);
    k->family = family;
    k->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    k->proto = proto;
    int64_t t = type & SOCK_NONBLOCK ? 0 : LOAD_RELAXED(&sock_default_timeout);
    STORE_RELAXED(&k->timeout, t);
    if (t >= 0 && set_blocking(fd, false) < 0)
        return err_errno();
    return V_NONE;
}

/* ---- waiting ---- */

/* Waits until fd is ready for events: 1, 0 time-out, -1 exception. deadline -1: for ever. */
static int wait_ready(int fd, short events, int64_t deadline) {
    for (;;) {
        struct pollfd p = {fd, events, 0};
        int64_t left = deadline < 0 ? -1 : deadline - sock_now_ns();
        int ms = deadline < 0 ? -1 : left <= 0 ? 0 : (int)MIN((left + 999999) / 1000000, INT32_MAX), r, e;
        DETACHED_BEGIN
        r = poll(&p, 1, ms);
        e = errno;
        DETACHED_END
        if (r > 0)
            return 1;
        if (r == 0 && (deadline >= 0 && sock_now_ns() >= deadline))
            return 0;
        if (r < 0 && e != EINTR) {
            os_error(e);
            return -1;
        }
        if (excl_poll() < 0)
            return -1;
    }
}
static Value timed_out(void) {
    return err_set(&exc_TimeoutError, "timed out");
}

typedef struct Deadline {
    int64_t at; /* -1: none */
    bool waits; /* a time-out between never and for ever */
} Deadline;
static Deadline deadline_of(Socket *k) {
    int64_t t = LOAD_RELAXED(&k->timeout);
    return (Deadline){t > 0 ? sock_now_ns() + t : -1, t > 0};
}

/* One transfer: fn(fd, arg) is a non-blocking or blocking system call. Result >= 0, or -1 with an exception. */
static ssize_t transfer_until(Socket *k, short events, Deadline d, ssize_t (*fn)(int fd, void *arg), void *arg) {
    for (;;) {
        int fd = LOAD_RELAXED(&k->fd), e;
        ssize_t r;
        if (d.waits) {
            int ready = wait_ready(fd, events, d.at);
            if (ready <= 0) {
                if (ready == 0)
                    timed_out();
                return -1;
            }
        }
        DETACHED_BEGIN
        r = fn(fd, arg);
        e = errno;
        DETACHED_END
        if (r >= 0)
            return r;
        if (e == EINTR) {
            if (excl_poll() < 0)
                return -1;
            continue;
        }
        if (d.waits && (e == EAGAIN || e == EWOULDBLOCK))
            continue;
        os_error(e);
        return -1;
    }
}
static ssize_t transfer(Socket *k, short events, ssize_t (*fn)(int fd, void *arg), void *arg) {
    return transfer_until(k, events, deadline_of(k), fn, arg);
}

/* ---- connections ---- */

typedef struct Accept {
    SockAddr addr;
    socklen_t len;
} Accept;
static ssize_t call_accept(int fd, void *arg) {
    Accept *a = arg;
    a->len = sizeof a->addr;
    return accept4(fd, &a->addr.any, &a->len, SOCK_CLOEXEC);
}
static Value socket_accept(Value self, Value *args, intptr_t nargs, Value kw) {
    Accept a;
    ssize_t fd = transfer((Socket *)self, POLLIN, call_accept, &a);
    if (fd < 0)
        return ABSENT;
    Value addr = sockaddr_to_value(&a.addr, a.len);
    if (addr == ABSENT) {
        close((int)fd);
        return ABSENT;
    }
    Value items[2] = {v_from_int(fd), addr};
    return tuple_from_steal(items, 2);
}

/* errno of the attempt (0 connected), -1 with an exception. */
static int do_connect(Value self, Value address, const char *name) {
    Socket *k = (Socket *)self;
    SockAddr a;
    socklen_t len;
    if (sockaddr_from_value(k->family, address, &a, &len, name) < 0)
        return -1;
    int fd = LOAD_RELAXED(&k->fd), r, e;
    DETACHED_BEGIN
    r = connect(fd, &a.any, len);
    e = errno;
    DETACHED_END
    if (r == 0)
        return 0;
    bool wait = e == EINTR ? LOAD_RELAXED(&k->timeout) != 0 : LOAD_RELAXED(&k->timeout) > 0 && e == EINPROGRESS;
    if (e == EINTR && excl_poll() < 0)
        return -1;
    if (!wait)
        return e;
    int ready = wait_ready(fd, POLLOUT, deadline_of(k).at);
    if (ready < 0)
        return -1;
    if (ready == 0)
        return EWOULDBLOCK;
    socklen_t n = sizeof e;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0 ? errno : e == EISCONN ? 0 : e;
}
static Value socket_connect(Value self, Value *args, intptr_t nargs, Value kw) {
    int e = do_connect(self, args[0], "connect");
    if (e > 0 && e == EWOULDBLOCK && LOAD_RELAXED(&((Socket *)self)->timeout) > 0)
        return timed_out();
    return e < 0 ? ABSENT : e ? os_error(e) : V_NONE;
}
static Value socket_connect_ex(Value self, Value *args, intptr_t nargs, Value kw) {
    int e = do_connect(self, args[0], "connect_ex");
    return e < 0 ? ABSENT : v_from_int(e);
}
static Value socket_bind(Value self, Value *args, intptr_t nargs, Value kw) {
    SockAddr a;
    socklen_t len;
    if (sockaddr_from_value(((Socket *)self)->family, args[0], &a, &len, "bind") < 0)
        return ABSENT;
    int r, fd = LOAD_RELAXED(&((Socket *)self)->fd);
    DETACHED_BEGIN
    r = bind(fd, &a.any, len);
    DETACHED_END
    return r < 0 ? err_errno() : V_NONE;
}
static Value socket_listen(Value self, Value *args, intptr_t nargs, Value kw) {
    int backlog = MIN(SOMAXCONN, 128);
    if (nargs && num_as_int(args[0], &backlog) < 0)
        return ABSENT;
    return listen(LOAD_RELAXED(&((Socket *)self)->fd), MAX(backlog, 0)) < 0 ? err_errno() : V_NONE;
}
static Value socket_shutdown(Value self, Value *args, intptr_t nargs, Value kw) {
    int how, r, fd = LOAD_RELAXED(&((Socket *)self)->fd);
    if (num_as_int(args[0], &how) < 0)
        return ABSENT;
    DETACHED_BEGIN
    r = shutdown(fd, how);
    DETACHED_END
    return r < 0 ? err_errno() : V_NONE;
}
static Value socket_close(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = atomic_exchange(&((Socket *)self)->fd, -1), r;
    if (fd < 0)
        return V_NONE;
    DETACHED_BEGIN
    r = close(fd);
    DETACHED_END
    return r < 0 && errno != ECONNRESET ? err_errno() : V_NONE;
}
static Value socket_detach(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(atomic_exchange(&((Socket *)self)->fd, -1));
}
static Value socket_fileno(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(LOAD_RELAXED(&((Socket *)self)->fd));
}
static Value socket_getsockname(Value self, Value *args, intptr_t nargs, Value kw) {
    SockAddr a;
    socklen_t len = sizeof a;
    return getsockname(LOAD_RELAXED(&((Socket *)self)->fd), &a.any, &len) < 0 ? err_errno()
                                                                              : sockaddr_to_value(&a, len);
}
static Value socket_getpeername(Value self, Value *args, intptr_t nargs, Value kw) {
    SockAddr a;
    socklen_t len = sizeof a;
    return getpeername(LOAD_RELAXED(&((Socket *)self)->fd), &a.any, &len) < 0 ? err_errno()
                                                                              : sockaddr_to_value(&a, len);
}

/* ---- data ---- */

typedef struct Xfer {
    char *p;
    size_t n;
    int flags;
    SockAddr addr;
    socklen_t len;
} Xfer;
static ssize_t call_recv(int fd, void *arg) {
    Xfer *x = arg;
    return recv(fd, x->p, x->n, x->flags);
}
static ssize_t call_recvfrom(int fd, void *arg) {
    Xfer *x = arg;
    x->len = sizeof x->addr;
    return recvfrom(fd, x->p, x->n, x->flags, &x->addr.any, &x->len);
}
static ssize_t call_send(int fd, void *arg) {
    Xfer *x = arg;
    return send(fd, x->p, x->n, x->flags | MSG_NOSIGNAL);
}
static ssize_t call_sendto(int fd, void *arg) {
    Xfer *x = arg;
    return sendto(fd, x->p, x->n, x->flags | MSG_NOSIGNAL, &x->addr.any, x->len);
}
static int size_and_flags(Value *args, intptr_t nargs, int i, intptr_t *n, int *flags, const char *name) {
    *flags = 0;
    if (num_as_index(args[i], n, &exc_OverflowError) < 0 || (nargs > i + 1 && num_as_int(args[i + 1], flags) < 0))
        return -1;
    if (*n < 0) {
        err_set(&exc_ValueError, "negative buffersize in %s", name);
        return -1;
    }
    return 0;
}
static Value receive(Value self, Value *args, intptr_t nargs, bool from) {
    intptr_t n;
    Xfer x = {0};
    if (size_and_flags(args, nargs, 0, &n, &x.flags, from ? "recvfrom" : "recv") < 0)
        return ABSENT;
    Value b = bytes_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    x.p = bytes_data(b);
    x.n = (size_t)n;
    ssize_t r = transfer((Socket *)self, POLLIN, from ? call_recvfrom : call_recv, &x);
    if (r < 0) {
        release(b);
        return ABSENT;
    }
    b = bytes_shrink(b, (size_t)r);
    if (!from || b == ABSENT)
        return b;
    Value addr = sockaddr_to_value(&x.addr, x.len);
    Value items[2] = {b, addr};
    if (addr == ABSENT) {
        release(b);
        return ABSENT;
    }
    return tuple_from_steal(items, 2);
}
static Value socket_recv(Value self, Value *args, intptr_t nargs, Value kw) {
    return receive(self, args, nargs, false);
}
static Value socket_recvfrom(Value self, Value *args, intptr_t nargs, Value kw) {
    return receive(self, args, nargs, true);
}
static Value receive_into(Value self, Value *args, intptr_t nargs, bool from) {
    Buffer b;
    intptr_t n = 0;
    Xfer x = {0};
    if ((arg_at(args, nargs, 1) != ABSENT && num_as_index(args[1], &n, &exc_OverflowError) < 0) ||
        (arg_at(args, nargs, 2) != ABSENT && num_as_int(args[2], &x.flags) < 0))
        return ABSENT;
    if (n < 0)
        return err_set(&exc_ValueError, "negative buffersize in %s", from ? "recvfrom_into" : "recv_into");
    if (buffer_get(args[0], &b, true) < 0)
        return ABSENT;
    Value out = ABSENT;
    if (n > b.len) {
        err_set(&exc_ValueError,
                from ? "nbytes is greater than the length of the buffer" : "buffer too small for requested bytes");
    } else {
        x.p = b.data;
        x.n = (size_t)(n ? n : b.len);
        ssize_t r = transfer((Socket *)self, POLLIN, from ? call_recvfrom : call_recv, &x);
        if (r >= 0 && from) {
            Value addr = sockaddr_to_value(&x.addr, x.len);
            Value items[2] = {v_from_int(r), addr};
            out = addr == ABSENT ? ABSENT : tuple_from_steal(items, 2);
        } else if (r >= 0) {
            out = v_from_int(r);
        }
    }
    buffer_release(&b);
    return out;
}
static Value socket_recv_into(Value self, Value *args, intptr_t nargs, Value kw) {
    return receive_into(self, args, nargs, false);
}
static Value socket_recvfrom_into(Value self, Value *args, intptr_t nargs, Value kw) {
    return receive_into(self, args, nargs, true);
}

static Value socket_send(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffer b;
    Xfer x = {0};
    if ((nargs > 1 && num_as_int(args[1], &x.flags) < 0) || buffer_get(args[0], &b, false) < 0)
        return ABSENT;
    x.p = b.data;
    x.n = (size_t)b.len;
    ssize_t r = transfer((Socket *)self, POLLOUT, call_send, &x);
    buffer_release(&b);
    return r < 0 ? ABSENT : v_from_int(r);
}
static Value socket_sendall(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffer b;
    Xfer x = {0};
    if ((nargs > 1 && num_as_int(args[1], &x.flags) < 0) || buffer_get(args[0], &b, false) < 0)
        return ABSENT;
    Deadline d = deadline_of((Socket *)self); /* of the whole */
    x.p = b.data;
    x.n = (size_t)b.len;
    Value out = V_NONE;
    do {
        ssize_t r = transfer_until((Socket *)self, POLLOUT, d, call_send, &x);
        if (r < 0 || (r < (ssize_t)x.n && excl_poll() < 0)) {
            out = ABSENT;
            break;
        }
        x.p += r;
        x.n -= (size_t)r;
    } while (x.n > 0);
    buffer_release(&b);
    return out;
}
static Value socket_sendto(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffer b;
    Xfer x = {0};
    if (nargs > 2 && num_as_int(args[1], &x.flags) < 0)
        return ABSENT;
    if (sockaddr_from_value(((Socket *)self)->family, args[nargs - 1], &x.addr, &x.len, "sendto") < 0 ||
        buffer_get(args[0], &b, false) < 0)
        return ABSENT;
    x.p = b.data;
    x.n = (size_t)b.len;
    ssize_t r = transfer((Socket *)self, POLLOUT, call_sendto, &x);
    buffer_release(&b);
    return r < 0 ? ABSENT : v_from_int(r);
}

/* Messages with ancillary data. */
typedef struct Message {
    struct msghdr h;
    int flags;
} Message;
static ssize_t call_sendmsg(int fd, void *arg) {
    return sendmsg(fd, &((Message *)arg)->h, ((Message *)arg)->flags | MSG_NOSIGNAL);
}
static ssize_t call_recvmsg(int fd, void *arg) {
    return recvmsg(fd, &((Message *)arg)->h, ((Message *)arg)->flags | MSG_CMSG_CLOEXEC);
}

/* Buffers of a sequence as an iovec. NULL with exception. */
static struct iovec *buffers_of(Value seq, Buffer **bufs, intptr_t *n, bool writable) {
    Value t = seq_to_tuple(seq);
    if (t == ABSENT)
        return NULL;
    intptr_t count = tuple_len(t), i = 0;
    struct iovec *v = calloc((size_t)count + 1, sizeof *v);
    *bufs = calloc((size_t)count + 1, sizeof **bufs);
    for (; v && *bufs && i < count; i++) {
        if (buffer_get(tuple_get(t, i), &(*bufs)[i], writable) < 0)
            break;
        v[i].iov_base = (*bufs)[i].data;
        v[i].iov_len = (size_t)(*bufs)[i].len;
    }
    release(t);
    *n = i;
    if (v && *bufs && i == count)
        return v;
    if (!err_pending())
        err_no_memory();
    while (*bufs && i-- > 0)
        buffer_release(&(*bufs)[i]);
    free(v);
    free(*bufs);
    return NULL;
}
static void buffers_free(struct iovec *v, Buffer *bufs, intptr_t n) {
    for (intptr_t i = 0; i < n; i++)
        buffer_release(&bufs[i]);
    free(v);
    free(bufs);
}

static Value socket_sendmsg(Value self, Value *args, intptr_t nargs, Value kw) {
    Socket *k = (Socket *)self;
    Message m = {0};
    SockAddr a;
    Buffer *bufs = NULL;
    intptr_t n = 0;
    Value anc = ABSENT, out = ABSENT;
    if (nargs > 2 && num_as_int(args[2], &m.flags) < 0)
        return ABSENT;
    struct iovec *v = buffers_of(args[0], &bufs, &n, false);
    if (!v)
        return ABSENT;
    m.h.msg_iov = v;
    m.h.msg_iovlen = (size_t)n;
    if (nargs > 3 && args[3] != V_NONE) {
        socklen_t len;
        if (sockaddr_from_value(k->family, args[3], &a, &len, "sendmsg") < 0)
            goto done;
        m.h.msg_name = &a;
        m.h.msg_namelen = len;
    }
    if (nargs > 1) {
        anc = seq_to_tuple(args[1]);
        if (anc == ABSENT)
            goto done;
        size_t total = 0;
        for (int pass = 0; pass < 2; pass++) {
            struct cmsghdr *c = NULL;
            if (pass == 1) {
                if (total == 0)
                    break;
                m.h.msg_control = calloc(1, total);
                m.h.msg_controllen = total;
                if (!m.h.msg_control) {
                    err_no_memory();
                    goto done;
                }
                c = CMSG_FIRSTHDR(&m.h);
            }
            for (intptr_t i = 0; i < tuple_len(anc); i++) {
                Value item = seq_to_tuple(tuple_get(anc, i));
                int level, type;
                Buffer data;
                if (item == ABSENT || tuple_len(item) != 3 || num_as_int(tuple_get(item, 0), &level) < 0 ||
                    num_as_int(tuple_get(item, 1), &type) < 0 || buffer_get(tuple_get(item, 2), &data, false) < 0) {
                    if (!err_pending())
                        err_set(&exc_TypeError, "[sendmsg() ancillary data items must be 3-tuples]");
                    release(item);
                    goto done;
                }
                if (pass == 0) {
                    total += CMSG_SPACE((size_t)data.len);
                } else {
                    c->cmsg_level = level;
                    c->cmsg_type = type;
                    c->cmsg_len = CMSG_LEN((size_t)data.len);
                    memcpy(CMSG_DATA(c), data.data, (size_t)data.len);
                    c = CMSG_NXTHDR(&m.h, c);
                }
                buffer_release(&data);
                release(item);
            }
        }
    }
    ssize_t r = transfer(k, POLLOUT, call_sendmsg, &m);
    out = r < 0 ? ABSENT : v_from_int(r);
done:
    free(m.h.msg_control);
    release(anc);
    buffers_free(v, bufs, n);
    return out;
}

static Value receive_message(Socket *k, struct iovec *v, size_t n, intptr_t ancsize, int flags, Value data) {
    Message m = {.flags = flags};
    SockAddr a;
    memset(&a, 0, sizeof a);
    if (ancsize < 0 || ancsize > INT32_MAX)
        return err_set(&exc_ValueError, "invalid ancillary data buffer length");
    m.h.msg_name = &a;
    m.h.msg_namelen = sizeof a;
    m.h.msg_iov = v;
    m.h.msg_iovlen = n;
    void *control = ancsize ? calloc(1, (size_t)ancsize) : NULL;
    if (ancsize && !control)
        return err_no_memory();
    m.h.msg_control = control;
    m.h.msg_controllen = (size_t)ancsize;
    Value out = ABSENT, list = ABSENT, first = ABSENT, addr = ABSENT;
    ssize_t r = transfer(k, POLLIN, call_recvmsg, &m);
    if (r < 0)
        goto done;
    list = list_new(0);
    for (struct cmsghdr *c = control ? CMSG_FIRSTHDR(&m.h) : NULL; list != ABSENT && c; c = CMSG_NXTHDR(&m.h, c)) {
        size_t len = c->cmsg_len > CMSG_LEN(0) ? c->cmsg_len - CMSG_LEN(0) : 0;
        size_t room = (size_t)((char *)control + m.h.msg_controllen - (char *)CMSG_DATA(c));
        Value b = bytes_from((char *)CMSG_DATA(c), MIN(len, room));
        Value t = b == ABSENT ? ABSENT : tuple_pack(3, v_from_int(c->cmsg_level), v_from_int(c->cmsg_type), b);
        release(b);
        if (t == ABSENT || list_append_steal(list, t) < 0) {
            release(list);
            list = ABSENT;
        }
    }
    if (list == ABSENT)
        goto done;
    first = data == ABSENT ? v_from_int(r) : bytes_from(bytes_data(data), (size_t)r);
    addr = sockaddr_to_value(&a, m.h.msg_namelen);
    if (first != ABSENT && addr != ABSENT)
        out = tuple_pack(4, first, list, v_from_int(m.h.msg_flags & ~MSG_CMSG_CLOEXEC), addr);
done:
    free(control);
    release(list);
    release(first);
    release(addr);
    return out;
}
static Value socket_recvmsg(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n, anc = 0;
    int flags = 0;
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0 ||
        (nargs > 1 && num_as_index(args[1], &anc, &exc_OverflowError) < 0) ||
        (nargs > 2 && num_as_int(args[2], &flags) < 0))
        return ABSENT;
    if (n < 0)
        return err_set(&exc_ValueError, "negative buffer size in recvmsg()");
    Value b = bytes_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    struct iovec v = {bytes_data(b), (size_t)n};
    Value out = receive_message((Socket *)self, &v, 1, anc, flags, b);
    release(b);
    return out;
}
static Value socket_recvmsg_into(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n, anc = 0;
    int flags = 0;
    Buffer *bufs;
    if ((nargs > 1 && num_as_index(args[1], &anc, &exc_OverflowError) < 0) ||
        (nargs > 2 && num_as_int(args[2], &flags) < 0))
        return ABSENT;
    struct iovec *v = buffers_of(args[0], &bufs, &n, true);
    if (!v)
        return ABSENT;
    Value out = receive_message((Socket *)self, v, (size_t)n, anc, flags, ABSENT);
    buffers_free(v, bufs, n);
    return out;
}

/* ---- options ---- */

static Value socket_setsockopt(Value self, Value *args, intptr_t nargs, Value kw) {
    int level, name, r, fd = LOAD_RELAXED(&((Socket *)self)->fd);
    if (num_as_int(args[0], &level) < 0 || num_as_int(args[1], &name) < 0)
        return ABSENT;
    if (nargs == 4) {
        int len;
        if (args[2] != V_NONE)
            return err_set(&exc_TypeError, "setsockopt() argument 3 must be None when a length is given");
        if (num_as_int(args[3], &len) < 0)
            return ABSENT;
        /* NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions): some options want a null pointer */
        r = setsockopt(fd, level, name, NULL, (socklen_t)len);
    } else if (v_is_index(args[2])) {
        int value;
        if (num_as_int(args[2], &value) < 0)
            return ABSENT;
        r = setsockopt(fd, level, name, &value, sizeof value);
    } else {
        Buffer b;
        if (buffer_get(args[2], &b, false) < 0)
            return ABSENT;
        r = setsockopt(fd, level, name, b.data, (socklen_t)b.len);
        buffer_release(&b);
    }
    return r < 0 ? err_errno() : V_NONE;
}
static Value socket_getsockopt(Value self, Value *args, intptr_t nargs, Value kw) {
    int level, name, size = 0, fd = LOAD_RELAXED(&((Socket *)self)->fd);
    if (num_as_int(args[0], &level) < 0 || num_as_int(args[1], &name) < 0 ||
        (nargs > 2 && num_as_int(args[2], &size) < 0))
        return ABSENT;
    if (size == 0) {
        int value = 0;
        socklen_t len = sizeof value;
        return getsockopt(fd, level, name, &value, &len) < 0 ? err_errno() : v_from_int(value);
    }
    if (size < 0 || size > 1024)
        return err_set(&exc_OSError, "getsockopt buflen out of range");
    char buf[1024];
    socklen_t len = (socklen_t)size;
    return getsockopt(fd, level, name, buf, &len) < 0 ? err_errno() : bytes_from(buf, len);
}
static Value socket_settimeout(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t ns;
    if (sock_timeout_arg(args[0], &ns) < 0)
        return ABSENT;
    STORE_RELAXED(&((Socket *)self)->timeout, ns);
    return set_blocking(LOAD_RELAXED(&((Socket *)self)->fd), ns < 0) < 0 ? err_errno() : V_NONE;
}
static Value socket_gettimeout(Value self, Value *args, intptr_t nargs, Value kw) {
    return sock_timeout_value(LOAD_RELAXED(&((Socket *)self)->timeout));
}
static Value socket_setblocking(Value self, Value *args, intptr_t nargs, Value kw) {
    int on = obj_truth(args[0]);
    if (on < 0)
        return ABSENT;
    STORE_RELAXED(&((Socket *)self)->timeout, on ? -1 : 0);
    return set_blocking(LOAD_RELAXED(&((Socket *)self)->fd), on) < 0 ? err_errno() : V_NONE;
}
static Value socket_getblocking(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(LOAD_RELAXED(&((Socket *)self)->timeout) != 0);
}
static Value socket_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Socket *k = (Socket *)self;
    return str_format_c("<socket object, fd=%d, family=%d, type=%d, proto=%d>", LOAD_RELAXED(&k->fd), k->family,
                        k->type, k->proto);
}
static Value socket_del(Value self, Value *args, intptr_t nargs, Value kw) {
    Socket *k = (Socket *)self;
    if (LOAD_RELAXED(&k->fd) >= 0) {
        if (err_warn(&exc_ResourceWarning, 1, "unclosed %R", self) < 0) {
            if (err_matches(&exc_Warning))
                err_unraisable("", self);
            else
                err_clear();
        }
        int fd = atomic_exchange(&k->fd, -1);
        if (fd >= 0)
            close(fd);
    }
    return V_NONE;
}
static Value get_family(Value self) {
    return v_from_int(((Socket *)self)->family);
}
static Value get_type(Value self) {
    return v_from_int(((Socket *)self)->type);
}
static Value get_proto(Value self) {
    return v_from_int(((Socket *)self)->proto);
}
static Value get_timeout(Value self) {
    return sock_timeout_value(LOAD_RELAXED(&((Socket *)self)->timeout));
}

static const NativeDef methods[] = {
    {"__new__", socket_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__init__", socket_init, "($self, family=-1, type=-1, proto=-1, fileno=None)"},
    {"_accept", socket_accept, "($self, /)"},
    {"connect", socket_connect, "($self, address, /)"},
    {"connect_ex", socket_connect_ex, "($self, address, /)"},
    {"bind", socket_bind, "($self, address, /)"},
    {"listen", socket_listen, "($self, backlog=128, /)"},
    {"shutdown", socket_shutdown, "($self, flag, /)"},
    {"close", socket_close, "($self, /)"},
    {"detach", socket_detach, "($self, /)"},
    {"fileno", socket_fileno, "($self, /)"},
    {"getsockname", socket_getsockname, "($self, /)"},
    {"getpeername", socket_getpeername, "($self, /)"},
    {"recv", socket_recv, "($self, buffersize, flags=0, /)"},
    {"recvfrom", socket_recvfrom, "($self, buffersize, flags=0, /)"},
    {"recv_into", socket_recv_into, "($self, buffer, nbytes=0, flags=0)"},
    {"recvfrom_into", socket_recvfrom_into, "($self, buffer, nbytes=0, flags=0)"},
    {"send", socket_send, "($self, data, flags=0, /)"},
    {"sendall", socket_sendall, "($self, data, flags=0, /)"},
    {"sendto", socket_sendto, "($self, data, flags, address=None, /)"},
    {"sendmsg", socket_sendmsg, "($self, buffers, ancdata=None, flags=0, address=None, /)"},
    {"recvmsg", socket_recvmsg, "($self, bufsize, ancbufsize=0, flags=0, /)"},
    {"recvmsg_into", socket_recvmsg_into, "($self, buffers, ancbufsize=0, flags=0, /)"},
    {"setsockopt", socket_setsockopt, "($self, level, option, value, optlen=None, /)"},
    {"getsockopt", socket_getsockopt, "($self, level, option, buffersize=0, /)"},
    {"settimeout", socket_settimeout, "($self, timeout, /)"},
    {"gettimeout", socket_gettimeout, "($self, /)"},
    {"setblocking", socket_setblocking, "($self, flag, /)"},
    {"getblocking", socket_getblocking, "($self, /)"},
    {"__repr__", socket_repr, "($self, /)"},
    {"__del__", socket_del, "($self, /)"},
    {NULL},
};
static const GetSetDef getsets[] = {
    {"family", get_family}, {"type", get_type}, {"proto", get_proto}, {"timeout", get_timeout}, {NULL}};

int sock_type_init(Value m) {
    static const TypeSpec spec = {.name = "_socket.socket",
                                  .doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object",
                                  .basic_size = sizeof(Socket),
                                  .flags = TF_BASETYPE | TF_FINALIZER,
                                  .ops = &ops,
                                  .methods = methods,
                                  .getsets = getsets};
    type_init_module_type(&socket_type, &spec);
    return module_add(m, "socket", V_OF(&socket_type)) < 0 || module_add(m, "SocketType", V_OF(&socket_type)) < 0 ? -1
                                                                                                                  : 0;
}

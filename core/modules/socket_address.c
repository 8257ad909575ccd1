/* _socket: addresses, names, conversions. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <net/if.h>
#include <netdb.h>
#include <time.h>
#include <unistd.h>

#include "object/float.h"
#include "socket.h"

Value sock_gaierror_type, sock_herror_type;
_Atomic(int64_t) sock_default_timeout = -1;

int64_t sock_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static Value raise_pair(Value type, int code, const char *text) {
    Value s = str_from_c(text), e = s == ABSENT ? ABSENT : obj_call2(type, v_from_int(code), s);
    release(s);
    return e == ABSENT ? ABSENT : err_raise(e);
}
Value sock_gaierror(int code, int e) {
    if (code == EAI_SYSTEM) {
        errno = e;
        return err_errno();
    }
    return raise_pair(sock_gaierror_type, code, gai_strerror(code));
}

int sock_timeout_arg(Value v, int64_t *ns) {
    double d;
    *ns = -1;
    if (v == V_NONE)
        return 0;
    if (num_as_double(v, &d) < 0)
        return -1;
    if (isnan(d)) {
        err_set(&exc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    if (d < 0) {
        err_set(&exc_ValueError, "Timeout value out of range");
        return -1;
    }
    if (d > 9e9) {
        err_set(&exc_OverflowError, "timeout doesn't fit into C timeval");
        return -1;
    }
    *ns = (int64_t)ceil(d * 1e9);
    return 0;
}
Value sock_timeout_value(int64_t ns) {
    return ns < 0 ? V_NONE : float_new((double)ns / 1e9);
}

Value sockaddr_to_value(const SockAddr *a, socklen_t len) {
    char buf[INET6_ADDRSTRLEN + 1];
    if (len == 0)
        return V_NONE;
    switch (a->any.sa_family) {
    case AF_INET: {
        Value host = str_from_c(inet_ntop(AF_INET, &a->in.sin_addr, buf, sizeof buf));
        Value items[2] = {host, v_from_int(ntohs(a->in.sin_port))};
        return host == ABSENT ? ABSENT : tuple_from_steal(items, 2);
    }
    case AF_INET6: {
        char full[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
        if (getnameinfo(&a->any, sizeof a->in6, full, sizeof full, NULL, 0, NI_NUMERICHOST) != 0)
            inet_ntop(AF_INET6, &a->in6.sin6_addr, full, sizeof full);
        Value host = str_from_c(full);
        Value items[4] = {host, v_from_int(ntohs(a->in6.sin6_port)), v_from_int(ntohl(a->in6.sin6_flowinfo)),
                          v_from_int(a->in6.sin6_scope_id)};
        return host == ABSENT ? ABSENT : tuple_from_steal(items, 4);
    }
    case AF_UNIX: {
        size_t n = len - offsetof(struct sockaddr_un, sun_path);
        if (n > 0 && a->un.sun_path[0] == 0)
            return bytes_from(a->un.sun_path, n); /* abstract name space */
        return str_decode_fs(a->un.sun_path, strnlen(a->un.sun_path, n));
    }
    default: {
        Value raw = bytes_from((const char *)&a->storage + sizeof a->any.sa_family, len - sizeof a->any.sa_family);
        Value items[2] = {v_from_int(a->any.sa_family), raw};
        return raw == ABSENT ? ABSENT : tuple_from_steal(items, 2);
    }
    }
}

int sock_resolve(const char *name, int family, SockAddr *a, socklen_t *len) {
    memset(a, 0, sizeof *a);
    if (!*name) {
        /* Any address. */
        a->any.sa_family = (sa_family_t)family;
        *len = family == AF_INET6 ? sizeof a->in6 : sizeof a->in;
        return 0;
    }
    if (family == AF_INET && !strcmp(name, "<broadcast>")) {
        a->in.sin_family = AF_INET;
        a->in.sin_addr.s_addr = INADDR_BROADCAST;
        *len = sizeof a->in;
        return 0;
    }
    if (family == AF_INET && inet_pton(AF_INET, name, &a->in.sin_addr) == 1) {
        a->in.sin_family = AF_INET;
        *len = sizeof a->in;
        return 0;
    }
    if (family == AF_INET6 && !strchr(name, '%') && inet_pton(AF_INET6, name, &a->in6.sin6_addr) == 1) {
        a->in6.sin6_family = AF_INET6;
        *len = sizeof a->in6;
        return 0;
    }
    struct addrinfo hints = {.ai_family = family}, *res = NULL;
    int r, e;
    DETACHED_BEGIN
    r = getaddrinfo(name, NULL, &hints, &res);
    e = errno;
    DETACHED_END
    if (r) {
        sock_gaierror(r, e);
        return -1;
    }
    *len = res->ai_addrlen;
    memcpy(a, res->ai_addr, MIN(res->ai_addrlen, sizeof *a));
    freeaddrinfo(res);
    return 0;
}

/* A host argument as bytes: str in IDNA's ASCII form. Owned. */
static Value host_arg(Value v) {
    if (v_is_str(v)) {
        Value b = str_is_ascii(v) ? str_encode(v, "ascii", "strict") : str_encode(v, "idna", "strict");
        if (b != ABSENT && strlen(bytes_data(b)) != (size_t)bytes_len(b)) {
            release(b);
            return err_set(&exc_ValueError, "host name must not contain null character");
        }
        return b;
    }
    if (v_is_bytes(v) || v_is_buffer(v))
        return bytes_from_object(v);
    return err_set(&exc_TypeError, "str, bytes or bytearray expected, not %T", v);
}

int sockaddr_from_value(int family, Value v, SockAddr *a, socklen_t *len, const char *function) {
    memset(a, 0, sizeof *a);
    if (family == AF_UNIX) {
        Value b = v_is_str(v) ? str_encode_fs(v) : v_is_buffer(v) ? bytes_from_object(v) : ABSENT;
        if (b == ABSENT) {
            if (!err_pending())
                err_set(&exc_TypeError, "a bytes-like object is required, not '%T'", v);
            return -1;
        }
        size_t n = (size_t)bytes_len(b);
        bool abstract = n > 0 && bytes_data(b)[0] == 0;
        if (n + !abstract > sizeof a->un.sun_path) {
            release(b);
            err_set(&exc_OSError, "AF_UNIX path too long");
            return -1;
        }
        a->un.sun_family = AF_UNIX;
        memcpy(a->un.sun_path, bytes_data(b), n);
        *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + !abstract);
        release(b);
        return 0;
    }
    if (family != AF_INET && family != AF_INET6) {
        err_set(&exc_OSError, "%s(): bad family", function);
        return -1;
    }
    if (!v_is_tuple(v)) {
        err_set(&exc_TypeError, "%s(): %s address must be tuple, not %T", function,
                family == AF_INET ? "AF_INET" : "AF_INET6", v);
        return -1;
    }
    intptr_t n = tuple_len(v);
    if (family == AF_INET ? n != 2 : n < 2 || n > 4) {
        err_set(&exc_TypeError,
                family == AF_INET ? "%s(): AF_INET address must be a pair (host, port)"
                                  : "%s(): AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])",
                function);
        return -1;
    }
    Value host = host_arg(tuple_get(v, 0));
    if (host == ABSENT)
        return -1;
    int64_t port, flow = 0, scope = 0;
    int bad = num_as_i64(tuple_get(v, 1), &port) < 0 || (n > 2 && num_as_i64(tuple_get(v, 2), &flow) < 0) ||
              (n > 3 && num_as_i64(tuple_get(v, 3), &scope) < 0);
    if (!bad)
        bad = sock_resolve(bytes_data(host), family, a, len);
    release(host);
    if (bad)
        return -1;
    if (port < 0 || port > 65535) {
        err_set(&exc_OverflowError, "%s(): port must be 0-65535.", function);
        return -1;
    }
    if (flow < 0 || flow > 0xfffff) {
        err_set(&exc_OverflowError, "%s(): flowinfo must be 0-1048575.", function);
        return -1;
    }
    if (family == AF_INET) {
        a->in.sin_port = htons((uint16_t)port);
    } else {
        a->in6.sin6_port = htons((uint16_t)port);
        a->in6.sin6_flowinfo = htonl((uint32_t)flow);
        if (n > 3)
            a->in6.sin6_scope_id = (uint32_t)scope;
    }
    return 0;
}

static Value sock_getaddrinfo(Value self, Value *args, intptr_t nargs, Value kw) {
    struct addrinfo hints = {0}, *res = NULL;
    Value host = ABSENT, port = ABSENT, out = ABSENT;
    int *const fields[] = {&hints.ai_family, &hints.ai_socktype, &hints.ai_protocol, &hints.ai_flags};
    for (int i = 0; i < 4; i++)
        if (arg_at(args, nargs, 2 + i) != ABSENT && num_as_int(args[2 + i], fields[i]) < 0)
            return ABSENT;
    if (args[0] != V_NONE && (host = host_arg(args[0])) == ABSENT)
        return ABSENT;
    if (v_is_integer(args[1])) {
        Value text = int_to_str(args[1], 10, false);
        port = text == ABSENT ? ABSENT : str_encode(text, NULL, NULL);
        release(text);
    } else if (v_is_str(args[1])) {
        port = str_encode(args[1], NULL, NULL);
    } else if (v_is_bytes(args[1])) {
        port = retained(args[1]);
    } else if (args[1] != V_NONE) {
        err_set(&exc_OSError, "Int or String expected");
    }
    if (port == ABSENT && args[1] != V_NONE)
        goto done;
    int r, e;
    const char *h = host == ABSENT ? NULL : bytes_data(host), *p = port == ABSENT ? NULL : bytes_data(port);
    DETACHED_BEGIN
    r = getaddrinfo(h, p, &hints, &res);
    e = errno;
    DETACHED_END
    if (r) {
        sock_gaierror(r, e);
        goto done;
    }
    out = list_new(0);
    for (struct addrinfo *ai = res; out != ABSENT && ai; ai = ai->ai_next) {
        Value addr = sockaddr_to_value((const SockAddr *)ai->ai_addr, ai->ai_addrlen),
              name = str_from_c(ai->ai_canonname ? ai->ai_canonname : ""), t = ABSENT;
        if (addr != ABSENT && name != ABSENT)
            t = tuple_pack(5, v_from_int(ai->ai_family), v_from_int(ai->ai_socktype), v_from_int(ai->ai_protocol), name,
                           addr);
        release(addr);
        release(name);
        if (t == ABSENT || list_append_steal(out, t) < 0) {
            release(out);
            out = ABSENT;
        }
    }
    freeaddrinfo(res);
done:
    release(host);
    release(port);
    return out;
}

static Value sock_getnameinfo(Value self, Value *args, intptr_t nargs, Value kw) {
    char hbuf[NI_MAXHOST], pbuf[NI_MAXSERV];
    int flags;
    if (!v_is_tuple(args[0]))
        return err_set(&exc_TypeError, "getnameinfo() argument 1 must be a tuple");
    if (num_as_int(args[1], &flags) < 0)
        return ABSENT;
    intptr_t n = tuple_len(args[0]);
    if (n < 2 || n > 4 || !v_is_str(tuple_get(args[0], 0)))
        return err_set(&exc_TypeError, "getnameinfo(): illegal sockaddr argument");
    const char *host = str_utf8(tuple_get(args[0], 0), NULL);
    if (!host)
        return ABSENT;
    SockAddr a;
    socklen_t len;
    int family = strchr(host, ':') ? AF_INET6 : AF_INET;
    if (family == AF_INET && n > 2)
        return err_set(&exc_OSError, "IPv4 sockaddr must be 2 tuple");
    if (sockaddr_from_value(family, args[0], &a, &len, "getnameinfo") < 0)
        return ABSENT;
    int r, e;
    DETACHED_BEGIN
    r = getnameinfo(&a.any, len, hbuf, sizeof hbuf, pbuf, sizeof pbuf, flags);
    e = errno;
    DETACHED_END
    if (r)
        return sock_gaierror(r, e);
    Value items[2] = {str_from_c(hbuf), str_from_c(pbuf)};
    return tuple_from_steal(items, 2);
}

static Value ip_text(const SockAddr *a) {
    char buf[INET6_ADDRSTRLEN];
    return str_from_c(a->any.sa_family == AF_INET6 ? inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, sizeof buf)
                                                   : inet_ntop(AF_INET, &a->in.sin_addr, buf, sizeof buf));
}
static Value sock_gethostbyname(Value self, Value *args, intptr_t nargs, Value kw) {
    SockAddr a;
    socklen_t len;
    Value host = host_arg(args[0]);
    if (host == ABSENT)
        return ABSENT;
    int bad = sock_resolve(bytes_data(host), AF_INET, &a, &len);
    release(host);
    return bad < 0 ? ABSENT : ip_text(&a);
}
/* (name, aliases, addresses) of a hostent. */
static Value hostent_value(struct hostent *h) {
    Value aliases = list_new(0), addresses = list_new(0), name = str_decode_fs(h->h_name, strlen(h->h_name)),
          out = ABSENT;
    if (aliases == ABSENT || addresses == ABSENT || name == ABSENT)
        goto done;
    for (char **p = h->h_aliases; *p; p++)
        if (list_append_steal(aliases, str_decode_fs(*p, strlen(*p))) < 0)
            goto done;
    for (char **p = h->h_addr_list; *p; p++) {
        char buf[INET6_ADDRSTRLEN];
        if (list_append_steal(addresses, str_from_c(inet_ntop(h->h_addrtype, *p, buf, sizeof buf))) < 0)
            goto done;
    }
    out = tuple_pack(3, name, aliases, addresses);
done:
    release(aliases);
    release(addresses);
    release(name);
    return out;
}
static Value sock_gethostbyname_ex(Value self, Value *args, intptr_t nargs, Value kw) {
    Value host = host_arg(args[0]);
    if (host == ABSENT)
        return ABSENT;
    struct hostent ent, *h = NULL;
    char buf[16384];
    int e = 0;
    DETACHED_BEGIN
    gethostbyname_r(bytes_data(host), &ent, buf, sizeof buf, &h, &e);
    DETACHED_END
    release(host);
    return h ? hostent_value(h) : raise_pair(sock_herror_type, e, hstrerror(e));
}
static Value sock_gethostbyaddr(Value self, Value *args, intptr_t nargs, Value kw) {
    SockAddr a;
    socklen_t len;
    Value host = host_arg(args[0]);
    if (host == ABSENT)
        return ABSENT;
    int family = strchr(bytes_data(host), ':') ? AF_INET6 : AF_INET;
    int bad = sock_resolve(bytes_data(host), family, &a, &len);
    release(host);
    if (bad < 0)
        return ABSENT;
    struct hostent ent, *h = NULL;
    char buf[16384];
    int e = 0;
    DETACHED_BEGIN
    if (family == AF_INET)
        gethostbyaddr_r(&a.in.sin_addr, sizeof a.in.sin_addr, AF_INET, &ent, buf, sizeof buf, &h, &e);
    else
        gethostbyaddr_r(&a.in6.sin6_addr, sizeof a.in6.sin6_addr, AF_INET6, &ent, buf, sizeof buf, &h, &e);
    DETACHED_END
    return h ? hostent_value(h) : raise_pair(sock_herror_type, e, hstrerror(e));
}
static Value sock_gethostname(Value self, Value *args, intptr_t nargs, Value kw) {
    char buf[1024];
    if (gethostname(buf, sizeof buf - 1) < 0)
        return err_errno();
    buf[sizeof buf - 1] = 0;
    return str_decode_fs(buf, strlen(buf));
}
static Value sock_sethostname(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = os_fspath_bytes(args[0]);
    if (name == ABSENT)
        return ABSENT;
    int r = sethostname(bytes_data(name), (size_t)bytes_len(name));
    release(name);
    return r < 0 ? err_errno() : V_NONE;
}
static Value sock_getservbyname(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *name = str_utf8(args[0], NULL), *proto = nargs > 1 ? str_utf8(args[1], NULL) : NULL;
    if (!name || (nargs > 1 && !proto))
        return ABSENT;
    struct servent ent, *s = NULL;
    char buf[4096];
    DETACHED_BEGIN
    getservbyname_r(name, proto, &ent, buf, sizeof buf, &s);
    DETACHED_END
    return s ? v_from_int(ntohs((uint16_t)s->s_port)) : err_set(&exc_OSError, "service/proto not found");
}
static Value sock_getservbyport(Value self, Value *args, intptr_t nargs, Value kw) {
    int port;
    const char *proto = nargs > 1 ? str_utf8(args[1], NULL) : NULL;
    if (num_as_int(args[0], &port) < 0 || (nargs > 1 && !proto))
        return ABSENT;
    if (port < 0 || port > 65535)
        return err_set(&exc_OverflowError, "getservbyport: port must be 0-65535.");
    struct servent ent, *s = NULL;
    char buf[4096];
    DETACHED_BEGIN
    getservbyport_r(htons((uint16_t)port), proto, &ent, buf, sizeof buf, &s);
    DETACHED_END
    return s ? str_from_c(s->s_name) : err_set(&exc_OSError, "port/proto not found");
}
static Value sock_getprotobyname(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *name = str_utf8(args[0], NULL);
    if (!name)
        return ABSENT;
    struct protoent ent, *p = NULL;
    char buf[4096];
    DETACHED_BEGIN
    getprotobyname_r(name, &ent, buf, sizeof buf, &p);
    DETACHED_END
    return p ? v_from_int(p->p_proto) : err_set(&exc_OSError, "protocol not found");
}

/* Byte order: 16 and 32 bits. */
static int unsigned_arg(Value v, int64_t max, int64_t *out, const char *name) {
    if (num_as_i64(v, out) < 0)
        return -1;
    if (*out < 0) {
        err_set(&exc_OverflowError,
                max == 65535 ? "%s: can't convert negative Python int to C 16-bit unsigned integer"
                             : "can't convert negative value to unsigned int",
                name);
        return -1;
    }
    if (*out > max) {
        err_set(&exc_OverflowError,
                max == 65535 ? "%s: Python int too large to convert to C 16-bit unsigned integer"
                             : "int larger than 32 bits",
                name);
        return -1;
    }
    return 0;
}
static Value sock_htons(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n;
    return unsigned_arg(args[0], 65535, &n, "htons") < 0 ? ABSENT : v_from_int(htons((uint16_t)n));
}
static Value sock_ntohs(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n;
    return unsigned_arg(args[0], 65535, &n, "ntohs") < 0 ? ABSENT : v_from_int(ntohs((uint16_t)n));
}
static Value sock_htonl(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n;
    return unsigned_arg(args[0], UINT32_MAX, &n, "htonl") < 0 ? ABSENT : v_from_int(htonl((uint32_t)n));
}
static Value sock_ntohl(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n;
    return unsigned_arg(args[0], UINT32_MAX, &n, "ntohl") < 0 ? ABSENT : v_from_int(ntohl((uint32_t)n));
}
static Value sock_inet_aton(Value self, Value *args, intptr_t nargs, Value kw) {
    struct in_addr a;
    const char *s = v_is_str(args[0]) ? str_utf8(args[0], NULL) : NULL;
    if (!s)
        return err_pending() ? ABSENT : err_set(&exc_TypeError, "inet_aton() argument 1 must be str, not %T", args[0]);
    return inet_aton(s, &a) ? bytes_from((char *)&a, sizeof a)
                            : err_set(&exc_OSError, "illegal IP address string passed to inet_aton");
}
static Value sock_inet_ntoa(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffer b;
    struct in_addr a;
    char buf[INET_ADDRSTRLEN];
    if (buffer_get(args[0], &b, false) < 0)
        return ABSENT;
    bool ok = b.len == sizeof a;
    if (ok)
        memcpy(&a, b.data, sizeof a);
    buffer_release(&b);
    return ok ? str_from_c(inet_ntop(AF_INET, &a, buf, sizeof buf)) : err_set(&exc_OSError, "packed IP wrong length");
}
static Value sock_inet_pton(Value self, Value *args, intptr_t nargs, Value kw) {
    int family;
    char a[sizeof(struct in6_addr)];
    if (num_as_int(args[0], &family) < 0)
        return ABSENT;
    const char *s = v_is_str(args[1]) ? str_utf8(args[1], NULL) : NULL;
    if (!s)
        return err_pending() ? ABSENT : err_set(&exc_TypeError, "inet_pton() argument 2 must be str, not %T", args[1]);
    int r = inet_pton(family, s, a);
    if (r < 0)
        return err_errno();
    return r ? bytes_from(a, family == AF_INET ? 4 : 16)
             : err_set(&exc_OSError, "illegal IP address string passed to inet_pton");
}
static Value sock_inet_ntop(Value self, Value *args, intptr_t nargs, Value kw) {
    int family;
    Buffer b;
    char buf[INET6_ADDRSTRLEN];
    if (num_as_int(args[0], &family) < 0 || buffer_get(args[1], &b, false) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (family != AF_INET && family != AF_INET6)
        err_set(&exc_ValueError, "unknown address family %d", family);
    else if (b.len != (family == AF_INET ? 4 : 16))
        err_set(&exc_ValueError, "invalid length of packed IP address string");
    else
        r = str_from_c(inet_ntop(family, b.data, buf, sizeof buf));
    buffer_release(&b);
    return r;
}
static Value sock_socketpair(Value self, Value *args, intptr_t nargs, Value kw) {
    int family = AF_UNIX, type = SOCK_STREAM, proto = 0, fds[2];
    int *const fields[] = {&family, &type, &proto};
    for (int i = 0; i < 3; i++)
        if (arg_at(args, nargs, i) != ABSENT && num_as_int(args[i], fields[i]) < 0)
            return ABSENT;
    if (socketpair(family, type | SOCK_CLOEXEC, proto, fds) < 0)
        return err_errno();
    Value a = sock_wrap(fds[0], family, type, proto), b = ABSENT;
    if (a == ABSENT)
        close(fds[1]);
    else
        b = sock_wrap(fds[1], family, type, proto);
    if (b == ABSENT) {
        release(a);
        return ABSENT;
    }
    Value items[2] = {a, b};
    return tuple_from_steal(items, 2);
}
static Value sock_close_fd(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, r;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    DETACHED_BEGIN
    r = close(fd);
    DETACHED_END
    return r < 0 && errno != ECONNRESET ? err_errno() : V_NONE;
}
static Value sock_dup(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    int r = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return r < 0 ? err_errno() : v_from_int(r);
}
static Value sock_getdefaulttimeout(Value self, Value *args, intptr_t nargs, Value kw) {
    return sock_timeout_value(LOAD_RELAXED(&sock_default_timeout));
}
static Value sock_setdefaulttimeout(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t ns;
    if (sock_timeout_arg(args[0], &ns) < 0)
        return ABSENT;
    STORE_RELAXED(&sock_default_timeout, ns);
    return V_NONE;
}
static Value sock_if_nameindex(Value self, Value *args, intptr_t nargs, Value kw) {
    struct if_nameindex *all = if_nameindex();
    if (!all)
        return err_errno();
    Value out = list_new(0);
    for (struct if_nameindex *p = all; out != ABSENT && p->if_index; p++) {
        Value name = str_decode_fs(p->if_name, strlen(p->if_name)),
              t = name == ABSENT ? ABSENT : tuple_pack(2, v_from_int(p->if_index), name);
        release(name);
        if (t == ABSENT || list_append_steal(out, t) < 0) {
            release(out);
            out = ABSENT;
        }
    }
    if_freenameindex(all);
    return out;
}
static Value sock_if_nametoindex(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = os_fspath_bytes(args[0]);
    if (name == ABSENT)
        return ABSENT;
    unsigned i = if_nametoindex(bytes_data(name));
    release(name);
    return i ? v_from_int(i) : err_set(&exc_OSError, "no interface with this name");
}
static Value sock_if_indextoname(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t i;
    char buf[IF_NAMESIZE];
    if (num_as_i64(args[0], &i) < 0)
        return ABSENT;
    return if_indextoname((unsigned)i, buf) ? str_decode_fs(buf, strlen(buf)) : err_errno();
}
static Value cmsg_size(Value *args, bool space) {
    intptr_t n;
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    if (n < 0 || n > INT32_MAX - 64)
        return err_set(&exc_OverflowError, "%s() argument out of range", space ? "CMSG_SPACE" : "CMSG_LEN");
    return v_from_int((int64_t)(space ? CMSG_SPACE((size_t)n) : CMSG_LEN((size_t)n)));
}
static Value sock_cmsg_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return cmsg_size(args, false);
}
static Value sock_cmsg_space(Value self, Value *args, intptr_t nargs, Value kw) {
    return cmsg_size(args, true);
}

const NativeDef sock_functions[] = {
    {"getaddrinfo", sock_getaddrinfo, "($module, /, host, port, family=0, type=0, proto=0, flags=0)"},
    {"getnameinfo", sock_getnameinfo, "($module, sockaddr, flags, /)"},
    {"gethostbyname", sock_gethostbyname, "($module, host, /)"},
    {"gethostbyname_ex", sock_gethostbyname_ex, "($module, host, /)"},
    {"gethostbyaddr", sock_gethostbyaddr, "($module, host, /)"},
    {"gethostname", sock_gethostname, "($module, /)"},
    {"sethostname", sock_sethostname, "($module, name, /)"},
    {"getservbyname", sock_getservbyname, "($module, servicename, protocolname=None, /)"},
    {"getservbyport", sock_getservbyport, "($module, port, protocolname=None, /)"},
    {"getprotobyname", sock_getprotobyname, "($module, name, /)"},
    {"htons", sock_htons, "($module, x, /)"},
    {"ntohs", sock_ntohs, "($module, x, /)"},
    {"htonl", sock_htonl, "($module, x, /)"},
    {"ntohl", sock_ntohl, "($module, x, /)"},
    {"inet_aton", sock_inet_aton, "($module, ip_addr, /)"},
    {"inet_ntoa", sock_inet_ntoa, "($module, packed_ip, /)"},
    {"inet_pton", sock_inet_pton, "($module, af, ip, /)"},
    {"inet_ntop", sock_inet_ntop, "($module, af, packed_ip, /)"},
    {"socketpair", sock_socketpair, "($module, family=AF_UNIX, type=SOCK_STREAM, proto=0, /)"},
    {"close", sock_close_fd, "($module, fd, /)"},
    {"dup", sock_dup, "($module, fd, /)"},
    {"getdefaulttimeout", sock_getdefaulttimeout, "($module, /)"},
    {"setdefaulttimeout", sock_setdefaulttimeout, "($module, timeout, /)"},
    {"if_nameindex", sock_if_nameindex, "($module, /)"},
    {"if_nametoindex", sock_if_nametoindex, "($module, name, /)"},
    {"if_indextoname", sock_if_indextoname, "($module, index, /)"},
    {"CMSG_LEN", sock_cmsg_len, "($module, length, /)"},
    {"CMSG_SPACE", sock_cmsg_space, "($module, length, /)"},
    {NULL},
};

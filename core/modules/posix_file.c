/* posix: descriptors and the names of files. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "posix.h"

int path_arg(Value v, Path *p, const char *function, bool allow_fd, bool none_is_dot) {
    *p = (Path){.given = v, .fd = -1};
    if ((v == ABSENT || v == V_NONE) && none_is_dot) {
        p->s = ".";
        return 0;
    }
    if (allow_fd && v_is_integer(v)) {
        if (num_as_int(v, &p->fd) < 0)
            return -1;
        if (p->fd < 0)
            p->fd = -2; /* the call fails with EBADF */
        return 0;
    }
    Value f = v_is_str(v) || v_is_bytes(v) ? retained(v) : obj_call_special(v, SP_FSPATH, NULL, 0);
    if (f == V_MARK) {
        err_set(&exc_TypeError, "%s: path should be string, bytes%s, not %T", function,
                allow_fd      ? ", os.PathLike or integer"
                : none_is_dot ? ", os.PathLike or None"
                              : " or os.PathLike",
                v);
        return -1;
    }
    if (f == ABSENT)
        return -1;
    p->was_bytes = v_is_bytes(f);
    p->bytes = os_fspath_bytes(f);
    release(f);
    if (p->bytes == ABSENT) {
        if (err_matches(&exc_ValueError) && !err_matches(&exc_UnicodeError)) {
            err_clear();
            err_set(&exc_ValueError, "%s: embedded null character in path", function);
        }
        return -1;
    }
    p->s = bytes_data(p->bytes);
    return 0;
}
void path_free(Path *p) {
    release(p->bytes);
    p->bytes = ABSENT;
}
Value path_error(Path *p, int e) {
    errno = e;
    if (p->given == ABSENT)
        err_errno();
    else
        err_errno_file(p->given);
    path_free(p);
    return ABSENT;
}
Value path_error2(Path *p, Path *q, int e) {
    Value text = str_from_c(strerror(e));
    if (text != ABSENT) {
        Value a[5] = {v_from_int(e), text, p->given, V_NONE, q->given};
        Value exc = obj_call(V_OF(&exc_OSError), a, 5, ABSENT);
        release(text);
        if (exc != ABSENT)
            err_raise(exc);
    }
    path_free(p);
    path_free(q);
    return ABSENT;
}
int dir_fd_arg(Value v, int *fd) {
    *fd = AT_FDCWD;
    if (v == ABSENT || v == V_NONE)
        return 0;
    if (!v_is_index(v)) {
        err_set(&exc_TypeError, "argument should be integer or None, not %T", v);
        return -1;
    }
    return num_as_int(v, fd);
}
int bool_arg(Value v, int dflt) {
    return v == ABSENT ? dflt : obj_truth(v);
}
int fd_arg(Value v, int *fd) {
    if (v_is_integer(v))
        return num_as_int(v, fd);
    Value m;
    int has = obj_lookup_attr(v, ID("fileno"), &m);
    if (has < 0)
        return -1;
    if (!has) {
        err_set(&exc_TypeError, "argument must be an int, or have a fileno() method.");
        return -1;
    }
    Value r = obj_call0(m);
    release(m);
    if (r == ABSENT)
        return -1;
    int bad = v_is_integer(r) ? num_as_int(r, fd) : (err_set(&exc_TypeError, "fileno() returned a non-integer"), -1);
    release(r);
    if (bad == 0 && *fd < 0) {
        err_set(&exc_ValueError, "file descriptor cannot be a negative integer (%d)", *fd);
        return -1;
    }
    return bad;
}
Value path_result(const char *s, size_t n, bool as_bytes) {
    return as_bytes ? bytes_from(s, n) : str_decode_fs(s, n);
}

static Value os_error(int e) {
    errno = e;
    return err_errno();
}
static Value none_or_error(int r, int e) {
    return r < 0 ? os_error(e) : V_NONE;
}

/* ---- descriptors ---- */

static Value posix_open(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int flags, mode = 0777, dir_fd, r, e;
    if (path_arg(args[0], &p, "open", false, false) < 0)
        return ABSENT;
    if (num_as_int(args[1], &flags) < 0 || (arg_at(args, nargs, 2) != ABSENT && num_as_int(args[2], &mode) < 0) ||
        dir_fd_arg(arg_at(args, nargs, 3), &dir_fd) < 0)
        goto interrupted;
    BLOCKING_CALL(r, e, openat(dir_fd, p.s, flags | O_CLOEXEC, mode))
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return v_from_int(r);
interrupted:
    path_free(&p);
    return ABSENT;
}
static Value posix_close(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, r, e;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    DETACHED_BEGIN
    r = close(fd);
    e = errno;
    DETACHED_END
    return none_or_error(r, e);
}
static Value posix_closerange(Value self, Value *args, intptr_t nargs, Value kw) {
    int lo, hi;
    if (num_as_int(args[0], &lo) < 0 || num_as_int(args[1], &hi) < 0)
        return ABSENT;
    if (lo < 0)
        lo = 0;
    if (hi > lo) {
        DETACHED_BEGIN
        if (close_range((unsigned)lo, (unsigned)hi - 1, 0) < 0)
            for (int fd = lo; fd < hi; fd++)
                close(fd);
        DETACHED_END
    }
    return V_NONE;
}
static Value posix_read(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, e;
    intptr_t n;
    ssize_t r;
    if (num_as_int(args[0], &fd) < 0 || num_as_index(args[1], &n, &exc_OverflowError) < 0)
        return ABSENT;
    if (n < 0)
        return os_error(EINVAL);
    Value b = bytes_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    char *data = bytes_data(b);
    BLOCKING_CALL(r, e, read(fd, data, (size_t)n))
    if (r >= 0)
        return bytes_shrink(b, (size_t)r);
    os_error(e);
interrupted:
    release(b);
    return ABSENT;
}
static Value posix_write(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, e;
    ssize_t r;
    Buffer b;
    if (num_as_int(args[0], &fd) < 0 || buffer_get(args[1], &b, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, write(fd, b.data, (size_t)b.len))
    buffer_release(&b);
    return r < 0 ? os_error(e) : v_from_int(r);
interrupted:
    buffer_release(&b);
    return ABSENT;
}
static Value posix_pread(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, e;
    intptr_t n;
    int64_t off;
    ssize_t r;
    if (num_as_int(args[0], &fd) < 0 || num_as_index(args[1], &n, &exc_OverflowError) < 0 ||
        num_as_i64(args[2], &off) < 0)
        return ABSENT;
    if (n < 0)
        return os_error(EINVAL);
    Value b = bytes_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    char *data = bytes_data(b);
    BLOCKING_CALL(r, e, pread(fd, data, (size_t)n, off))
    if (r >= 0)
        return bytes_shrink(b, (size_t)r);
    os_error(e);
interrupted:
    release(b);
    return ABSENT;
}
static Value posix_pwrite(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, e;
    int64_t off;
    ssize_t r;
    Buffer b;
    if (num_as_int(args[0], &fd) < 0 || num_as_i64(args[2], &off) < 0 || buffer_get(args[1], &b, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, pwrite(fd, b.data, (size_t)b.len, off))
    buffer_release(&b);
    return r < 0 ? os_error(e) : v_from_int(r);
interrupted:
    buffer_release(&b);
    return ABSENT;
}

/* readv, writev: a sequence of buffers. NULL with an exception; the buffers are released by iov_free. */
static struct iovec *iov_get(Value seq, Buffer **bufs, intptr_t *count, bool writable) {
    Value t = seq_to_tuple(seq);
    if (t == ABSENT)
        return NULL;
    intptr_t n = tuple_len(t), i = 0;
    struct iovec *v = calloc((size_t)n + 1, sizeof *v);
    *bufs = calloc((size_t)n + 1, sizeof **bufs);
    if (!v || !*bufs) {
        err_no_memory();
        goto fail;
    }
    for (; i < n; i++) {
        if (buffer_get(tuple_get(t, i), &(*bufs)[i], writable) < 0)
            goto fail;
        v[i].iov_base = (*bufs)[i].data;
        v[i].iov_len = (size_t)(*bufs)[i].len;
    }
    release(t);
    *count = n;
    return v;
fail:
    while (i-- > 0)
        buffer_release(&(*bufs)[i]);
    free(v);
    free(*bufs);
    release(t);
    return NULL;
}
static void iov_free(struct iovec *v, Buffer *bufs, intptr_t n) {
    for (intptr_t i = 0; i < n; i++)
        buffer_release(&bufs[i]);
    free(v);
    free(bufs);
}
static Value vectored(Value *args, bool reading) {
    int fd, e;
    Buffer *bufs;
    intptr_t n;
    ssize_t r;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    struct iovec *v = iov_get(args[1], &bufs, &n, reading);
    if (!v)
        return ABSENT;
    BLOCKING_CALL(r, e, reading ? readv(fd, v, (int)n) : writev(fd, v, (int)n))
    iov_free(v, bufs, n);
    return r < 0 ? os_error(e) : v_from_int(r);
interrupted:
    iov_free(v, bufs, n);
    return ABSENT;
}
static Value posix_readv(Value self, Value *args, intptr_t nargs, Value kw) {
    return vectored(args, true);
}
static Value posix_writev(Value self, Value *args, intptr_t nargs, Value kw) {
    return vectored(args, false);
}

static Value posix_sendfile(Value self, Value *args, intptr_t nargs, Value kw) {
    int out, in, e;
    intptr_t count;
    int64_t off = 0;
    ssize_t r;
    if (num_as_int(args[0], &out) < 0 || num_as_int(args[1], &in) < 0 ||
        (args[2] != V_NONE && num_as_i64(args[2], &off) < 0) || num_as_index(args[3], &count, &exc_OverflowError) < 0)
        return ABSENT;
    off_t o = off;
    bool none = args[2] == V_NONE;
    BLOCKING_CALL(r, e, sendfile(out, in, none ? NULL : &o, (size_t)count))
    return r < 0 ? os_error(e) : v_from_int(r);
interrupted:
    return ABSENT;
}
static Value posix_lseek(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, how, e;
    int64_t off, r;
    if (num_as_int(args[0], &fd) < 0 || num_as_i64(args[1], &off) < 0 || num_as_int(args[2], &how) < 0)
        return ABSENT;
    DETACHED_BEGIN
    r = lseek(fd, off, how);
    e = errno;
    DETACHED_END
    return r < 0 ? os_error(e) : int_from_i64(r);
}
static Value posix_ftruncate(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, r, e;
    int64_t n;
    if (num_as_int(args[0], &fd) < 0 || num_as_i64(args[1], &n) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, ftruncate(fd, n))
    return none_or_error(r, e);
interrupted:
    return ABSENT;
}
static Value posix_truncate(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int64_t n;
    int r, e;
    if (path_arg(args[0], &p, "truncate", true, false) < 0)
        return ABSENT;
    if (num_as_i64(args[1], &n) < 0)
        goto interrupted;
    BLOCKING_CALL(r, e, p.s ? truncate(p.s, n) : ftruncate(p.fd, n))
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return V_NONE;
interrupted:
    path_free(&p);
    return ABSENT;
}
static Value fd_call(Value v, int (*fn)(int)) {
    int fd, r, e;
    if (fd_arg(v, &fd) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, fn(fd))
    return none_or_error(r, e);
interrupted:
    return ABSENT;
}
static Value posix_fsync(Value self, Value *args, intptr_t nargs, Value kw) {
    return fd_call(args[0], fsync);
}
static Value posix_fdatasync(Value self, Value *args, intptr_t nargs, Value kw) {
    return fd_call(args[0], fdatasync);
}
static Value posix_fchdir(Value self, Value *args, intptr_t nargs, Value kw) {
    return fd_call(args[0], fchdir);
}
static Value posix_dup(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    int r = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return r < 0 ? err_errno() : v_from_int(r);
}
static Value posix_dup2(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, fd2, inheritable = bool_arg(arg_at(args, nargs, 2), 1);
    if (inheritable < 0 || num_as_int(args[0], &fd) < 0 || num_as_int(args[1], &fd2) < 0)
        return ABSENT;
    int r = inheritable || fd == fd2 ? dup2(fd, fd2) : dup3(fd, fd2, O_CLOEXEC);
    return r < 0 ? err_errno() : v_from_int(r);
}
static Value posix_pipe(Value self, Value *args, intptr_t nargs, Value kw) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_errno();
    return tuple_pack(2, v_from_int(fds[0]), v_from_int(fds[1]));
}
static Value posix_pipe2(Value self, Value *args, intptr_t nargs, Value kw) {
    int fds[2], flags;
    if (num_as_int(args[0], &flags) < 0)
        return ABSENT;
    if (pipe2(fds, flags) < 0)
        return err_errno();
    return tuple_pack(2, v_from_int(fds[0]), v_from_int(fds[1]));
}
static Value posix_isatty(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    return num_as_int(args[0], &fd) < 0 ? ABSENT : v_bool(isatty(fd));
}
static Value posix_ttyname(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    char name[PATH_MAX];
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    int e = ttyname_r(fd, name, sizeof name);
    return e ? os_error(e) : str_decode_fs(name, strlen(name));
}
static Value posix_get_inheritable(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    int f = fcntl(fd, F_GETFD);
    return f < 0 ? err_errno() : v_bool(!(f & FD_CLOEXEC));
}
static Value posix_set_inheritable(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, on = obj_truth(args[1]);
    if (on < 0 || num_as_int(args[0], &fd) < 0)
        return ABSENT;
    int f = fcntl(fd, F_GETFD);
    return f < 0 || fcntl(fd, F_SETFD, on ? f & ~FD_CLOEXEC : f | FD_CLOEXEC) < 0 ? err_errno() : V_NONE;
}
static Value posix_get_blocking(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd;
    if (num_as_int(args[0], &fd) < 0)
        return ABSENT;
    int f = fcntl(fd, F_GETFL);
    return f < 0 ? err_errno() : v_bool(!(f & O_NONBLOCK));
}
static Value posix_set_blocking(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, on = obj_truth(args[1]);
    if (on < 0 || num_as_int(args[0], &fd) < 0)
        return ABSENT;
    int f = fcntl(fd, F_GETFL);
    return f < 0 || fcntl(fd, F_SETFL, on ? f & ~O_NONBLOCK : f | O_NONBLOCK) < 0 ? err_errno() : V_NONE;
}
static Value posix_urandom(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    if (n < 0)
        return err_set(&exc_ValueError, "negative argument not allowed");
    Value b = bytes_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    char *p = bytes_data(b);
    for (intptr_t done = 0; done < n;) {
        ssize_t r;
        int e;
        BLOCKING_CALL(r, e, getrandom(p + done, (size_t)(n - done), 0))
        if (r < 0) {
            os_error(e);
            goto interrupted;
        }
        done += r;
    }
    return b;
interrupted:
    release(b);
    return ABSENT;
}
static Value posix_getrandom(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    int flags = 0;
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0 || (nargs > 1 && num_as_int(args[1], &flags) < 0))
        return ABSENT;
    if (n < 0)
        return os_error(EINVAL);
    Value b = bytes_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    char *p = bytes_data(b);
    ssize_t r;
    int e;
    BLOCKING_CALL(r, e, getrandom(p, (size_t)n, (unsigned)flags))
    if (r >= 0)
        return bytes_shrink(b, (size_t)r);
    os_error(e);
interrupted:
    release(b);
    return ABSENT;
}

static Value posix_get_terminal_size(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = 1;
    struct winsize w;
    if (nargs && num_as_int(args[0], &fd) < 0)
        return ABSENT;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0)
        return err_errno();
    Value size[2] = {v_from_int(w.ws_col), v_from_int(w.ws_row)};
    return structseq_new(&posix_terminal_size_type, size, 2);
}
static Value posix_eventfd(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t init;
    int flags = EFD_CLOEXEC;
    if (num_as_i64(args[0], &init) < 0 || (nargs > 1 && num_as_int(args[1], &flags) < 0))
        return ABSENT;
    int r = eventfd((unsigned)init, flags);
    return r < 0 ? err_errno() : v_from_int(r);
}

/* ---- names ---- */

/* One path and a system call on it. */
#define PATH_CALL(fname, pyname, allow_fd, call)                            \
    static Value fname(Value self, Value *args, intptr_t nargs, Value kw) { \
        Path p;                                                             \
        int r, e;                                                           \
        if (path_arg(args[0], &p, pyname, allow_fd, false) < 0)             \
            return ABSENT;                                                  \
        BLOCKING_CALL(r, e, call)                                           \
        if (r < 0)                                                          \
            return path_error(&p, e);                                       \
        path_free(&p);                                                      \
        return V_NONE;                                                      \
    interrupted:                                                            \
        path_free(&p);                                                      \
        return ABSENT;                                                      \
    }
PATH_CALL(posix_chdir, "chdir", true, p.s ? chdir(p.s) : fchdir(p.fd))
PATH_CALL(posix_chroot, "chroot", false, chroot(p.s))

/* The same with a dir_fd in argument i. */
#define PATH_AT(fname, pyname, i, call)                                                                     \
    static Value fname(Value self, Value *args, intptr_t nargs, Value kw) {                                 \
        Path p;                                                                                             \
        int r, e, at;                                                                                       \
        if (dir_fd_arg(arg_at(args, nargs, i), &at) < 0 || path_arg(args[0], &p, pyname, false, false) < 0) \
            return ABSENT;                                                                                  \
        BLOCKING_CALL(r, e, call)                                                                           \
        if (r < 0)                                                                                          \
            return path_error(&p, e);                                                                       \
        path_free(&p);                                                                                      \
        return V_NONE;                                                                                      \
    interrupted:                                                                                            \
        path_free(&p);                                                                                      \
        return ABSENT;                                                                                      \
    }
PATH_AT(posix_unlink, "unlink", 1, unlinkat(at, p.s, 0))
PATH_AT(posix_remove, "remove", 1, unlinkat(at, p.s, 0))
PATH_AT(posix_rmdir, "rmdir", 1, unlinkat(at, p.s, AT_REMOVEDIR))

/* Path, mode, dir_fd. */
#define PATH_MODE_AT(fname, pyname, dflt, call)                                                             \
    static Value fname(Value self, Value *args, intptr_t nargs, Value kw) {                                 \
        Path p;                                                                                             \
        int r, e, at, mode = dflt;                                                                          \
        if ((arg_at(args, nargs, 1) != ABSENT && num_as_int(args[1], &mode) < 0) ||                         \
            dir_fd_arg(arg_at(args, nargs, 2), &at) < 0 || path_arg(args[0], &p, pyname, false, false) < 0) \
            return ABSENT;                                                                                  \
        BLOCKING_CALL(r, e, call)                                                                           \
        if (r < 0)                                                                                          \
            return path_error(&p, e);                                                                       \
        path_free(&p);                                                                                      \
        return V_NONE;                                                                                      \
    interrupted:                                                                                            \
        path_free(&p);                                                                                      \
        return ABSENT;                                                                                      \
    }
PATH_MODE_AT(posix_mkdir, "mkdir", 0777, mkdirat(at, p.s, (mode_t)mode))
PATH_MODE_AT(posix_mkfifo, "mkfifo", 0666, mkfifoat(at, p.s, (mode_t)mode))

static Value posix_mknod(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int r, e, at, mode = 0600;
    int64_t dev = 0;
    if ((arg_at(args, nargs, 1) != ABSENT && num_as_int(args[1], &mode) < 0) ||
        (arg_at(args, nargs, 2) != ABSENT && num_as_i64(args[2], &dev) < 0) ||
        dir_fd_arg(arg_at(args, nargs, 3), &at) < 0 || path_arg(args[0], &p, "mknod", false, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, mknodat(at, p.s, (mode_t)mode, (dev_t)dev))
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return V_NONE;
interrupted:
    path_free(&p);
    return ABSENT;
}

static Value posix_chmod(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int r, e, at, mode, follow = bool_arg(arg_at(args, nargs, 3), 1);
    if (follow < 0 || num_as_int(args[1], &mode) < 0 || dir_fd_arg(arg_at(args, nargs, 2), &at) < 0 ||
        path_arg(args[0], &p, "chmod", true, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e,
                  p.s ? fchmodat(at, p.s, (mode_t)mode, follow ? 0 : AT_SYMLINK_NOFOLLOW) : fchmod(p.fd, (mode_t)mode))
    if (r < 0 && !follow && p.s && (e == ENOTSUP || e == EOPNOTSUPP)) {
        path_free(&p);
        return at != AT_FDCWD
                   ? err_set(&exc_ValueError, "chmod: cannot use dir_fd and follow_symlinks together")
                   : err_set(&exc_NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
    }
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return V_NONE;
interrupted:
    path_free(&p);
    return ABSENT;
}
static Value posix_fchmod(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd, mode, r, e;
    if (num_as_int(args[0], &fd) < 0 || num_as_int(args[1], &mode) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e, fchmod(fd, (mode_t)mode))
    return none_or_error(r, e);
interrupted:
    return ABSENT;
}
static int id_arg(Value v, int *out) {
    int64_t n;
    if (num_as_i64(v, &n) < 0)
        return -1;
    *out = (int)n;
    return 0;
}
static Value posix_chown(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int r, e, at, uid, gid, follow = bool_arg(arg_at(args, nargs, 4), 1);
    if (follow < 0 || id_arg(args[1], &uid) < 0 || id_arg(args[2], &gid) < 0 ||
        dir_fd_arg(arg_at(args, nargs, 3), &at) < 0 || path_arg(args[0], &p, "chown", true, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e,
                  p.s ? fchownat(at, p.s, (uid_t)uid, (gid_t)gid, follow ? 0 : AT_SYMLINK_NOFOLLOW)
                      : fchown(p.fd, (uid_t)uid, (gid_t)gid))
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return V_NONE;
interrupted:
    path_free(&p);
    return ABSENT;
}
static Value posix_lchown(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a[5] = {args[0], args[1], args[2], V_NONE, V_FALSE};
    return posix_chown(self, a, 5, ABSENT);
}
static Value posix_access(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int r, at, mode, eff = bool_arg(arg_at(args, nargs, 3), 0), follow = bool_arg(arg_at(args, nargs, 4), 1);
    if (eff < 0 || follow < 0 || num_as_int(args[1], &mode) < 0 || dir_fd_arg(arg_at(args, nargs, 2), &at) < 0 ||
        path_arg(args[0], &p, "access", false, false) < 0)
        return ABSENT;
    DETACHED_BEGIN
    r = faccessat(at, p.s, mode, (eff ? AT_EACCESS : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW));
    DETACHED_END
    path_free(&p);
    return v_bool(r == 0);
}
static Value two_paths(Value *args, intptr_t nargs, const char *name) {
    Path p, q;
    int r, e, at, bt;
    if (dir_fd_arg(arg_at(args, nargs, 2), &at) < 0 || dir_fd_arg(arg_at(args, nargs, 3), &bt) < 0 ||
        path_arg(args[0], &p, name, false, false) < 0)
        return ABSENT;
    if (path_arg(args[1], &q, name, false, false) < 0) {
        path_free(&p);
        return ABSENT;
    }
    BLOCKING_CALL(r, e, renameat(at, p.s, bt, q.s))
    if (r < 0)
        return path_error2(&p, &q, e);
    path_free(&p);
    path_free(&q);
    return V_NONE;
interrupted:
    path_free(&p);
    path_free(&q);
    return ABSENT;
}
static Value posix_rename(Value self, Value *args, intptr_t nargs, Value kw) {
    return two_paths(args, nargs, "rename");
}
static Value posix_replace(Value self, Value *args, intptr_t nargs, Value kw) {
    return two_paths(args, nargs, "replace");
}
static Value posix_link(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p, q;
    int r, e, at, bt, follow = bool_arg(arg_at(args, nargs, 4), 1);
    if (follow < 0 || dir_fd_arg(arg_at(args, nargs, 2), &at) < 0 || dir_fd_arg(arg_at(args, nargs, 3), &bt) < 0 ||
        path_arg(args[0], &p, "link", false, false) < 0)
        return ABSENT;
    if (path_arg(args[1], &q, "link", false, false) < 0) {
        path_free(&p);
        return ABSENT;
    }
    /* link() does not follow a symbolic link by itself on Linux; asked for explicitly it does. */
    bool ask = arg_at(args, nargs, 4) != ABSENT && follow;
    BLOCKING_CALL(r, e, linkat(at, p.s, bt, q.s, ask ? AT_SYMLINK_FOLLOW : 0))
    if (r < 0)
        return path_error2(&p, &q, e);
    path_free(&p);
    path_free(&q);
    return V_NONE;
interrupted:
    path_free(&p);
    path_free(&q);
    return ABSENT;
}
static Value posix_symlink(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p, q;
    int r, e, at;
    if (dir_fd_arg(arg_at(args, nargs, 3), &at) < 0 || path_arg(args[0], &p, "symlink", false, false) < 0)
        return ABSENT;
    if (path_arg(args[1], &q, "symlink", false, false) < 0) {
        path_free(&p);
        return ABSENT;
    }
    BLOCKING_CALL(r, e, symlinkat(p.s, at, q.s))
    if (r < 0)
        return path_error2(&p, &q, e);
    path_free(&p);
    path_free(&q);
    return V_NONE;
interrupted:
    path_free(&p);
    path_free(&q);
    return ABSENT;
}
static Value posix_readlink(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int at, e;
    ssize_t r;
    char buf[PATH_MAX];
    if (dir_fd_arg(arg_at(args, nargs, 1), &at) < 0 || path_arg(args[0], &p, "readlink", false, false) < 0)
        return ABSENT;
    DETACHED_BEGIN
    r = readlinkat(at, p.s, buf, sizeof buf);
    e = errno;
    DETACHED_END
    if (r < 0)
        return path_error(&p, e);
    Value v = path_result(buf, (size_t)r, p.was_bytes);
    path_free(&p);
    return v;
}
static Value posix_umask(Value self, Value *args, intptr_t nargs, Value kw) {
    int m;
    return num_as_int(args[0], &m) < 0 ? ABSENT : v_from_int(umask((mode_t)m));
}

/* Seconds (float or int) or nanoseconds to a timespec. */
static int seconds_to_timespec(Value v, struct timespec *ts) {
    if (v_is_floating(v)) {
        double d;
        if (num_as_double(v, &d) < 0)
            return -1;
        int64_t whole = (int64_t)d;
        double frac = d - (double)whole;
        if (frac < 0) {
            frac += 1;
            whole--;
        }
        ts->tv_sec = whole;
        ts->tv_nsec = (long)(frac * 1e9);
        return 0;
    }
    int64_t s;
    if (num_as_i64(v, &s) < 0)
        return -1;
    ts->tv_sec = s;
    ts->tv_nsec = 0;
    return 0;
}
static int ns_to_timespec(Value v, struct timespec *ts) {
    int64_t n;
    if (num_as_i64(v, &n) < 0)
        return -1;
    ts->tv_sec = n / 1000000000;
    ts->tv_nsec = n % 1000000000;
    if (ts->tv_nsec < 0) {
        ts->tv_nsec += 1000000000;
        ts->tv_sec--;
    }
    return 0;
}
static Value posix_utime(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    struct timespec ts[2];
    int r, e, at, follow = bool_arg(arg_at(args, nargs, 4), 1);
    Value times = arg_at(args, nargs, 1), ns = arg_at(args, nargs, 2);
    bool now = false;
    if (times == V_NONE)
        times = ABSENT;
    if (follow < 0 || dir_fd_arg(arg_at(args, nargs, 3), &at) < 0)
        return ABSENT;
    if (times != ABSENT && ns != ABSENT)
        return err_set(&exc_ValueError, "utime: you may specify either 'times' or 'ns' but not both");
    if (times != ABSENT) {
        if (!v_is_tuple(times) || tuple_len(times) != 2)
            return err_set(&exc_TypeError, "utime: 'times' must be either a tuple of two ints or None");
        if (seconds_to_timespec(tuple_get(times, 0), &ts[0]) < 0 ||
            seconds_to_timespec(tuple_get(times, 1), &ts[1]) < 0)
            return ABSENT;
    } else if (ns != ABSENT) {
        if (!v_is_tuple(ns) || tuple_len(ns) != 2)
            return err_set(&exc_TypeError, "utime: 'ns' must be a tuple of two ints");
        if (ns_to_timespec(tuple_get(ns, 0), &ts[0]) < 0 || ns_to_timespec(tuple_get(ns, 1), &ts[1]) < 0)
            return ABSENT;
    } else {
        now = true;
    }
    if (path_arg(args[0], &p, "utime", true, false) < 0)
        return ABSENT;
    BLOCKING_CALL(r, e,
                  p.s ? utimensat(at, p.s, now ? NULL : ts, follow ? 0 : AT_SYMLINK_NOFOLLOW)
                      : futimens(p.fd, now ? NULL : ts))
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return V_NONE;
interrupted:
    path_free(&p);
    return ABSENT;
}

static Value posix_getcwd_any(bool as_bytes) {
    char buf[PATH_MAX];
    if (!getcwd(buf, sizeof buf))
        return err_errno();
    return path_result(buf, strlen(buf), as_bytes);
}
static Value posix_getcwd(Value self, Value *args, intptr_t nargs, Value kw) {
    return posix_getcwd_any(false);
}
static Value posix_getcwdb(Value self, Value *args, intptr_t nargs, Value kw) {
    return posix_getcwd_any(true);
}

static Value posix_getxattr(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p, a;
    int follow = bool_arg(arg_at(args, nargs, 2), 1), e;
    ssize_t r;
    if (follow < 0 || path_arg(args[0], &p, "getxattr", true, false) < 0)
        return ABSENT;
    if (path_arg(args[1], &a, "getxattr", false, false) < 0) {
        path_free(&p);
        return ABSENT;
    }
    char *buf = malloc(65536);
    if (!buf) {
        path_free(&p);
        path_free(&a);
        return err_no_memory();
    }
    DETACHED_BEGIN
    r = !p.s     ? fgetxattr(p.fd, a.s, buf, 65536)
        : follow ? getxattr(p.s, a.s, buf, 65536)
                 : lgetxattr(p.s, a.s, buf, 65536);
    e = errno;
    DETACHED_END
    path_free(&a);
    Value v = ABSENT;
    if (r < 0) {
        path_error(&p, e);
    } else {
        v = bytes_from(buf, (size_t)r);
        path_free(&p);
    }
    free(buf);
    return v;
}
static Value posix_setxattr(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p, a;
    Buffer b;
    int flags = 0, follow = bool_arg(arg_at(args, nargs, 4), 1), r, e;
    if (follow < 0 || (arg_at(args, nargs, 3) != ABSENT && num_as_int(args[3], &flags) < 0) ||
        path_arg(args[0], &p, "setxattr", true, false) < 0)
        return ABSENT;
    if (path_arg(args[1], &a, "setxattr", false, false) < 0) {
        path_free(&p);
        return ABSENT;
    }
    if (buffer_get(args[2], &b, false) < 0) {
        path_free(&p);
        path_free(&a);
        return ABSENT;
    }
    DETACHED_BEGIN
    r = !p.s     ? fsetxattr(p.fd, a.s, b.data, (size_t)b.len, flags)
        : follow ? setxattr(p.s, a.s, b.data, (size_t)b.len, flags)
                 : lsetxattr(p.s, a.s, b.data, (size_t)b.len, flags);
    e = errno;
    DETACHED_END
    buffer_release(&b);
    path_free(&a);
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return V_NONE;
}
static Value posix_listxattr(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p;
    int follow = bool_arg(arg_at(args, nargs, 1), 1), e;
    ssize_t r;
    if (follow < 0 || path_arg(arg_at(args, nargs, 0), &p, "listxattr", true, true) < 0)
        return ABSENT;
    char *buf = malloc(65536);
    if (!buf) {
        path_free(&p);
        return err_no_memory();
    }
    DETACHED_BEGIN
    r = !p.s ? flistxattr(p.fd, buf, 65536) : follow ? listxattr(p.s, buf, 65536) : llistxattr(p.s, buf, 65536);
    e = errno;
    DETACHED_END
    Value list = ABSENT;
    if (r < 0) {
        path_error(&p, e);
    } else {
        path_free(&p);
        list = list_new(0);
        for (char *q = buf; list != ABSENT && q < buf + r; q += strlen(q) + 1) {
            Value s = str_decode_fs(q, strlen(q));
            if (s == ABSENT || list_append_steal(list, s) < 0) {
                release(list);
                list = ABSENT;
            }
        }
    }
    free(buf);
    return list;
}
static Value posix_removexattr(Value self, Value *args, intptr_t nargs, Value kw) {
    Path p, a;
    int follow = bool_arg(arg_at(args, nargs, 2), 1), r, e;
    if (follow < 0 || path_arg(args[0], &p, "removexattr", true, false) < 0)
        return ABSENT;
    if (path_arg(args[1], &a, "removexattr", false, false) < 0) {
        path_free(&p);
        return ABSENT;
    }
    DETACHED_BEGIN
    r = !p.s ? fremovexattr(p.fd, a.s) : follow ? removexattr(p.s, a.s) : lremovexattr(p.s, a.s);
    e = errno;
    DETACHED_END
    path_free(&a);
    if (r < 0)
        return path_error(&p, e);
    path_free(&p);
    return V_NONE;
}

const NativeDef posix_file_functions[] = {
    {"open", posix_open, "($module, /, path, flags, mode=511, *, dir_fd=None)"},
    {"close", posix_close, "($module, /, fd)"},
    {"closerange", posix_closerange, "($module, fd_low, fd_high, /)"},
    {"read", posix_read, "($module, fd, length, /)"},
    {"write", posix_write, "($module, fd, data, /)"},
    {"pread", posix_pread, "($module, fd, length, offset, /)"},
    {"pwrite", posix_pwrite, "($module, fd, buffer, offset, /)"},
    {"readv", posix_readv, "($module, fd, buffers, /)"},
    {"writev", posix_writev, "($module, fd, buffers, /)"},
    {"sendfile", posix_sendfile, "($module, /, out_fd, in_fd, offset, count)"},
    {"lseek", posix_lseek, "($module, fd, position, how, /)"},
    {"ftruncate", posix_ftruncate, "($module, fd, length, /)"},
    {"truncate", posix_truncate, "($module, /, path, length)"},
    {"fsync", posix_fsync, "($module, /, fd)"},
    {"fdatasync", posix_fdatasync, "($module, /, fd)"},
    {"fchdir", posix_fchdir, "($module, /, fd)"},
    {"dup", posix_dup, "($module, fd, /)"},
    {"dup2", posix_dup2, "($module, /, fd, fd2, inheritable=True)"},
    {"pipe", posix_pipe, "($module, /)"},
    {"pipe2", posix_pipe2, "($module, flags, /)"},
    {"isatty", posix_isatty, "($module, fd, /)"},
    {"ttyname", posix_ttyname, "($module, fd, /)"},
    {"get_inheritable", posix_get_inheritable, "($module, fd, /)"},
    {"set_inheritable", posix_set_inheritable, "($module, fd, inheritable, /)"},
    {"get_blocking", posix_get_blocking, "($module, fd, /)"},
    {"set_blocking", posix_set_blocking, "($module, fd, blocking, /)"},
    {"urandom", posix_urandom, "($module, size, /)"},
    {"getrandom", posix_getrandom, "($module, /, size, flags=0)"},
    {"get_terminal_size", posix_get_terminal_size, "($module, fd=<unrepresentable>, /)"},
    {"eventfd", posix_eventfd, "($module, /, initval, flags=EFD_CLOEXEC)"},
    {"chdir", posix_chdir, "($module, /, path)"},
    {"chroot", posix_chroot, "($module, /, path)"},
    {"unlink", posix_unlink, "($module, /, path, *, dir_fd=None)"},
    {"remove", posix_remove, "($module, /, path, *, dir_fd=None)"},
    {"rmdir", posix_rmdir, "($module, /, path, *, dir_fd=None)"},
    {"mkdir", posix_mkdir, "($module, /, path, mode=511, *, dir_fd=None)"},
    {"mkfifo", posix_mkfifo, "($module, /, path, mode=438, *, dir_fd=None)"},
    {"mknod", posix_mknod, "($module, /, path, mode=384, device=0, *, dir_fd=None)"},
    {"chmod", posix_chmod, "($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)"},
    {"fchmod", posix_fchmod, "($module, /, fd, mode)"},
    {"chown", posix_chown, "($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)"},
    {"lchown", posix_lchown, "($module, /, path, uid, gid)"},
    {"access", posix_access, "($module, /, path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)"},
    {"rename", posix_rename, "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)"},
    {"replace", posix_replace, "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)"},
    {"link", posix_link, "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)"},
    {"symlink", posix_symlink, "($module, /, src, dst, target_is_directory=False, *, dir_fd=None)"},
    {"readlink", posix_readlink, "($module, /, path, *, dir_fd=None)"},
    {"umask", posix_umask, "($module, mask, /)"},
    {"utime", posix_utime,
     "($module, /, path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)"},
    {"getcwd", posix_getcwd, "($module, /)"},
    {"getcwdb", posix_getcwdb, "($module, /)"},
    {"getxattr", posix_getxattr, "($module, /, path, attribute, *, follow_symlinks=True)"},
    {"setxattr", posix_setxattr, "($module, /, path, attribute, value, flags=0, *, follow_symlinks=True)"},
    {"listxattr", posix_listxattr, "($module, /, path=None, *, follow_symlinks=True)"},
    {"removexattr", posix_removexattr, "($module, /, path, attribute, *, follow_symlinks=True)"},
    {NULL},
};

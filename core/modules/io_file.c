/* FileIO: an open file descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "object/int.h"
#include "object/path.h"

Type fileio_type;

static int file_fd(Value self) {
    int fd = LOAD_RELAXED(&((FileIO *)self)->fd);
    if (fd < 0)
        err_set(&exc_ValueError, "I/O operation on closed file");
    return fd;
}

static Value mode_error(const char *what) {
    return io_unsupported(what);
}

/* Closes the descriptor; 0, -1 with OSError. */
static int close_fd(FileIO *f) {
    int fd = atomic_exchange(&f->fd, -1);
    if (fd < 0)
        return 0;
    int r, e;
    DETACHED_BEGIN
    r = close(fd);
    e = errno;
    DETACHED_END
    if (r < 0 && e != EINTR) {
        errno = e;
        err_errno();
        return -1;
    }
    return 0;
}

static int parse_mode(FileIO *f, const char *mode, int *flags) {
    bool rwa = false, plus = false;
    int fl = O_CLOEXEC;
    f->created = f->readable = f->writable = f->appending = false;
    for (const char *p = mode; *p; p++) {
        if (strchr("xrwa", *p)) {
            if (rwa)
                goto bad;
            rwa = true;
            f->readable = *p == 'r';
            f->writable = *p != 'r';
            if (*p == 'x') {
                f->created = true;
                fl |= O_EXCL | O_CREAT;
            } else if (*p == 'w') {
                fl |= O_CREAT | O_TRUNC;
            } else if (*p == 'a') {
                f->appending = true;
                fl |= O_APPEND | O_CREAT;
            }
        } else if (*p == '+') {
            if (plus)
                goto bad;
            plus = true;
        } else if (*p != 'b') {
            err_set(&exc_ValueError, "invalid mode: %s", mode);
            return -1;
        }
    }
    if (!rwa)
        goto bad;
    if (plus)
        f->readable = f->writable = true;
    fl |= f->readable && f->writable ? O_RDWR : f->readable ? O_RDONLY : O_WRONLY;
    *flags = fl;
    return 0;
bad:
    err_set(&exc_ValueError, "Must have exactly one of create/read/write/append mode and at most one plus");
    return -1;
}

static Value file_init(Value self, Value *args, intptr_t nargs, Value kw) {
    FileIO *f = (FileIO *)self;
    Value file = args[0], mode_v = arg_at(args, nargs, 1), closefd_v = arg_at(args, nargs, 2),
          opener = arg_at(args, nargs, 3);
    const char *mode = "r";
    int closefd = closefd_v == ABSENT ? 1 : obj_truth(closefd_v), flags;
    if (closefd < 0)
        return ABSENT;
    if (mode_v != ABSENT) {
        if (!v_is_str(mode_v))
            return err_set(&exc_TypeError, "FileIO() argument 2 must be str, not %T", mode_v);
        mode = str_utf8(mode_v, NULL);
        if (!mode)
            return ABSENT;
    }
    if (LOAD_RELAXED(&f->fd) >= 0 && f->closefd && close_fd(f) < 0)
        return ABSENT;
    STORE_RELAXED(&f->fd, -1);
    int fd = -1;
    Value path = ABSENT;
    if (v_is_integer(file)) {
        if (num_as_int(file, &fd) < 0)
            return ABSENT;
        if (fd < 0)
            return err_set(&exc_ValueError, "negative file descriptor");
    } else {
        path = os_fspath_bytes(file);
        if (path == ABSENT)
            return ABSENT;
    }
    if (parse_mode(f, mode, &flags) < 0) {
        release(path);
        return ABSENT;
    }
    f->closefd = closefd;
    STORE_RELAXED(&f->seekable, -1);
    bool own = false;
    if (path != ABSENT) {
        if (!closefd) {
            release(path);
            return err_set(&exc_ValueError, "Cannot use closefd=False with file name");
        }
        own = true;
        if (opener == ABSENT || opener == V_NONE) {
            int e;
            for (;;) {
                DETACHED_BEGIN
                fd = open(bytes_data(path), flags, 0666);
                e = errno;
                DETACHED_END
                if (fd >= 0 || e != EINTR)
                    break;
                if (excl_poll() < 0) {
                    release(path);
                    return ABSENT;
                }
            }
            release(path);
            if (fd < 0) {
                errno = e;
                return err_errno_file(file);
            }
        } else {
            release(path);
            Value r = obj_call2(opener, file, v_from_int(flags));
            if (r == ABSENT)
                return ABSENT;
            int bad = num_as_int(r, &fd);
            release(r);
            if (bad < 0)
                return ABSENT;
            if (fd < 0)
                return err_set(&exc_ValueError, "opener returned %d", fd);
            fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
    }
    struct stat st;
    if (fstat(fd, &st) < 0) {
        if (errno == EBADF) {
            errno = EBADF;
            return err_errno_file(file);
        }
    } else if (S_ISDIR(st.st_mode)) {
        if (own)
            close(fd);
        errno = EISDIR;
        return err_errno_file(file);
    }
    STORE_RELAXED(&f->fd, fd);
    bool placed = !f->appending || lseek(fd, 0, SEEK_END) >= 0 || errno == ESPIPE;
    if (!placed)
        err_errno();
    if (placed && obj_setattr(self, ID("name"), file) == 0)
        return V_NONE;
    STORE_RELAXED(&f->fd, -1);
    if (own) /* a descriptor that was given stays open */
        close(fd);
    return ABSENT;
}

static Value file_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        STORE_RELAXED(&((FileIO *)self)->fd, -1);
        STORE_RELAXED(&((FileIO *)self)->seekable, -1);
        trace_track(v_obj(self));
    }
    return self;
}

static Value file_read(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self);
    intptr_t n;
    if (fd < 0)
        return ABSENT;
    if (!((FileIO *)self)->readable)
        return mode_error("File not open for reading");
    if (io_size_arg(arg_at(args, nargs, 0), &n) < 0)
        return ABSENT;
    if (n < 0)
        return fileio_readall(self);
    Value b = bytes_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    ssize_t r = io_read_fd(fd, bytes_data(b), (size_t)n);
    if (r < 0) {
        release(b);
        return r == -2 ? V_NONE : ABSENT;
    }
    return bytes_shrink(b, (size_t)r);
}

Value fileio_readall(Value self) {
    int fd = file_fd(self);
    if (fd < 0)
        return ABSENT;
    if (!((FileIO *)self)->readable)
        return mode_error("File not open for reading");
    struct stat st;
    size_t cap = IO_BUFFER_SIZE, len = 0;
    off_t pos = lseek(fd, 0, SEEK_CUR);
    if (fstat(fd, &st) == 0 && pos >= 0 && st.st_size >= pos)
        cap = (size_t)(st.st_size - pos) + 1;
    char *buf = malloc(cap);
    if (!buf)
        return err_no_memory();
    for (;;) {
        if (len == cap) {
            cap += cap / 2 + IO_BUFFER_SIZE;
            char *p = realloc(buf, cap);
            if (!p) {
                free(buf);
                return err_no_memory();
            }
            buf = p;
        }
        ssize_t r = io_read_fd(fd, buf + len, cap - len);
        if (r == -1 || (r == -2 && len == 0)) {
            free(buf);
            return r == -2 ? V_NONE : ABSENT;
        }
        if (r <= 0)
            break;
        len += (size_t)r;
    }
    Value out = bytes_from(buf, len);
    free(buf);
    return out;
}
static Value file_readall(Value self, Value *args, intptr_t nargs, Value kw) {
    return fileio_readall(self);
}

static Value file_readinto(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self);
    if (fd < 0)
        return ABSENT;
    if (!((FileIO *)self)->readable)
        return mode_error("File not open for reading");
    Buffer b;
    if (buffer_get(args[0], &b, true) < 0)
        return ABSENT;
    ssize_t r = io_read_fd(fd, b.data, (size_t)b.len);
    buffer_release(&b);
    return r == -2 ? V_NONE : r < 0 ? ABSENT : v_from_int(r);
}

static Value file_write(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self);
    if (fd < 0)
        return ABSENT;
    if (!((FileIO *)self)->writable)
        return mode_error("File not open for writing");
    Buffer b;
    if (buffer_get(args[0], &b, false) < 0)
        return ABSENT;
    ssize_t r = io_write_fd(fd, b.data, (size_t)b.len);
    buffer_release(&b);
    return r == -2 ? V_NONE : r < 0 ? ABSENT : v_from_int(r);
}

static Value seek_to(int fd, Value offset, int whence) {
    int64_t o = 0;
    if (offset != ABSENT) {
        if (v_is_floating(offset))
            return err_set(&exc_TypeError, "'float' object cannot be interpreted as an integer");
        if (num_as_i64(offset, &o) < 0)
            return ABSENT;
    }
    off_t r;
    int e;
    DETACHED_BEGIN
    r = lseek(fd, o, whence);
    e = errno;
    DETACHED_END
    if (r < 0) {
        errno = e;
        return err_errno();
    }
    return int_from_i64(r);
}
static Value file_seek(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self), whence = 0;
    if (fd < 0 || (nargs > 1 && num_as_int(args[1], &whence) < 0))
        return ABSENT;
    return seek_to(fd, args[0], whence);
}
static Value file_tell(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self);
    return fd < 0 ? ABSENT : seek_to(fd, ABSENT, SEEK_CUR);
}
static Value file_truncate(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self), r, e;
    if (fd < 0)
        return ABSENT;
    if (!((FileIO *)self)->writable)
        return mode_error("File not open for writing");
    Value pos = nargs && args[0] != V_NONE ? retained(args[0]) : seek_to(fd, ABSENT, SEEK_CUR);
    int64_t n;
    if (pos == ABSENT || num_as_i64(pos, &n) < 0) {
        release(pos);
        return ABSENT;
    }
    DETACHED_BEGIN
    r = ftruncate(fd, n);
    e = errno;
    DETACHED_END
    if (r < 0) {
        release(pos);
        errno = e;
        return err_errno();
    }
    return pos;
}
static Value file_close(Value self, Value *args, intptr_t nargs, Value kw) {
    FileIO *f = (FileIO *)self;
    if (!f->closefd) {
        STORE_RELAXED(&f->fd, -1);
        return V_NONE;
    }
    return close_fd(f) < 0 ? ABSENT : V_NONE;
}
static Value file_seekable(Value self, Value *args, intptr_t nargs, Value kw) {
    FileIO *f = (FileIO *)self;
    int fd = file_fd(self);
    if (fd < 0)
        return ABSENT;
    if (LOAD_RELAXED(&f->seekable) < 0)
        STORE_RELAXED(&f->seekable, lseek(fd, 0, SEEK_CUR) >= 0);
    return v_bool(LOAD_RELAXED(&f->seekable));
}
static Value file_readable(Value self, Value *args, intptr_t nargs, Value kw) {
    return file_fd(self) < 0 ? ABSENT : v_bool(((FileIO *)self)->readable);
}
static Value file_writable(Value self, Value *args, intptr_t nargs, Value kw) {
    return file_fd(self) < 0 ? ABSENT : v_bool(((FileIO *)self)->writable);
}
static Value file_fileno(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self);
    return fd < 0 ? ABSENT : v_from_int(fd);
}
static Value file_isatty(Value self, Value *args, intptr_t nargs, Value kw) {
    int fd = file_fd(self);
    return fd < 0 ? ABSENT : v_bool(isatty(fd));
}
static const char *mode_text(const FileIO *f) {
    if (f->created)
        return f->readable ? "xb+" : "xb";
    if (f->appending)
        return f->readable ? "ab+" : "ab";
    return f->readable ? (f->writable ? "rb+" : "rb") : "wb";
}
static Value file_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    FileIO *f = (FileIO *)self;
    int fd = LOAD_RELAXED(&f->fd);
    if (fd < 0)
        return str_from_c("<_io.FileIO [closed]>");
    Value name;
    if (obj_lookup_attr(self, ID("name"), &name) < 0)
        return ABSENT;
    const char *closefd = f->closefd ? "True" : "False";
    if (name == ABSENT)
        return str_format_c("<_io.FileIO fd=%d mode='%s' closefd=%s>", fd, mode_text(f), closefd);
    int in = repr_enter(self);
    Value r = ABSENT;
    if (in == 0) {
        r = str_format_c("<_io.FileIO name=%R mode='%s' closefd=%s>", name, mode_text(f), closefd);
        repr_leave(self);
    } else if (in > 0) {
        err_set(&exc_RuntimeError, "reentrant call inside _io.FileIO.__repr__");
    }
    release(name);
    return r;
}
static Value file_get_closed(Value self) {
    return v_bool(LOAD_RELAXED(&((FileIO *)self)->fd) < 0);
}
static Value file_get_mode(Value self) {
    return str_from_c(mode_text((FileIO *)self));
}
static Value file_get_closefd(Value self) {
    return v_bool(((FileIO *)self)->closefd);
}
static Value file_get_blksize(Value self) {
    struct stat st;
    int fd = LOAD_RELAXED(&((FileIO *)self)->fd);
    return v_from_int(fd >= 0 && fstat(fd, &st) == 0 && st.st_blksize > 1 ? st.st_blksize : IO_BUFFER_SIZE);
}

/* Warns of a file that was left open, as the last thing before the descriptor goes. */
static Value file_del(Value self, Value *args, intptr_t nargs, Value kw) {
    FileIO *f = (FileIO *)self;
    if (LOAD_RELAXED(&f->fd) >= 0 && f->closefd) {
        if (err_warn(&exc_ResourceWarning, 1, "unclosed file %R", self) < 0) {
            if (err_matches(&exc_Warning))
                err_unraisable("", self);
            else
                err_clear();
        }
        Value r = io_call(self, "close");
        if (r == ABSENT)
            err_clear();
        release(r);
    }
    return V_NONE;
}

/* A descriptor of an object that no finalizer saw (the interpreter's end). */
static void file_fini(Value self) {
    FileIO *f = (FileIO *)self;
    int fd = LOAD_RELAXED(&f->fd);
    if (fd > 2 && f->closefd)
        close(fd);
}
static const TypeOps file_ops = {NULL, NULL, file_fini};

static const NativeDef file_methods[] = {
    {"__new__", file_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__init__", file_init, "($self, file, mode='r', closefd=True, opener=None)"},
    {"read", file_read, "($self, size=-1, /)"},
    {"readall", file_readall, "($self, /)"},
    {"readinto", file_readinto, "($self, buffer, /)"},
    {"write", file_write, "($self, b, /)"},
    {"seek", file_seek, "($self, pos, whence=0, /)"},
    {"tell", file_tell, "($self, /)"},
    {"truncate", file_truncate, "($self, size=None, /)"},
    {"close", file_close, "($self, /)"},
    {"seekable", file_seekable, "($self, /)"},
    {"readable", file_readable, "($self, /)"},
    {"writable", file_writable, "($self, /)"},
    {"fileno", file_fileno, "($self, /)"},
    {"isatty", file_isatty, "($self, /)"},
    {"__repr__", file_repr, "($self, /)"},
    {"__del__", file_del, "($self, /)"},
    {NULL},
};
static const GetSetDef file_getsets[] = {{"closed", file_get_closed},
                                         {"mode", file_get_mode},
                                         {"closefd", file_get_closefd},
                                         {"_blksize", file_get_blksize},
                                         {NULL}};

int io_file_init(Value m) {
    static const TypeSpec spec = {.name = "_io.FileIO",
                                  .doc = "Open a file.",
                                  .base = &rawiobase_type,
                                  .basic_size = sizeof(FileIO),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                  .ops = &file_ops,
                                  .methods = file_methods,
                                  .getsets = file_getsets};
    type_init_module_type(&fileio_type, &spec);
    return module_add_type(m, &fileio_type);
}

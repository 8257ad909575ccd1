/* _IOBase and the abstract classes over it; locks and helpers of the stream types. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "io.h"

Type iobase_type, rawiobase_type, bufferediobase_type, textiobase_type;
Value io_unsupported_type;

void io_lock_init(IoLock *l) {
    l->mutex = (Mutex)MUTEX_INIT(RANK_NONE);
    STORE_RELAXED(&l->owner, 0);
    STORE_RELAXED(&l->forks, LOAD_RELAXED(&thread_forks));
    l->depth = 0;
}

static Mutex inherit_mutex = MUTEX_INIT(RANK_TABLE);

/* First use after a fork: free, unless it is the survivor's. The mutex may be held where owner is not set yet. */
static NOINLINE void inherit(IoLock *l) {
    mutex_lock(&inherit_mutex);
    if (LOAD_RELAXED(&l->forks) != LOAD_RELAXED(&thread_forks)) {
        if (LOAD_RELAXED(&l->owner) != thread_main_record->serial) {
            mutex_reinit(&l->mutex);
            STORE_RELAXED(&l->owner, 0);
            l->depth = 0;
        }
        STORE_RELEASE(&l->forks, LOAD_RELAXED(&thread_forks));
    }
    mutex_unlock(&inherit_mutex);
}
static ALWAYS_INLINE void inherit_once(IoLock *l) {
    /* acquire: pairs with the release above; the mutex is reset */
    if (UNLIKELY(LOAD_ACQUIRE(&l->forks) != LOAD_RELAXED(&thread_forks)))
        inherit(l);
}
static void after_fork_child(void) {
    mutex_reinit(&inherit_mutex);
}

bool io_lock_enter(IoLock *l, Value self) {
    if (LOAD_RELAXED(&l->owner) == thread_self()->serial) {
        err_set(&exc_RuntimeError, "reentrant call inside %R", self);
        return false;
    }
    io_lock_enter_again(l);
    return true;
}

void io_lock_enter_again(IoLock *l) {
    Thread *t = thread_self();
    uint64_t me = t->serial;
    if (LOAD_RELAXED(&l->owner) != me) {
        if (thread_is_last(t)) {
            l->depth = 0;
        } else {
            inherit_once(l);
            if (!mutex_try_lock(&l->mutex))
                mutex_lock_detached(&l->mutex);
        }
        STORE_RELAXED(&l->owner, me);
    }
    l->depth++;
}

void io_lock_leave(IoLock *l) {
    if (--l->depth == 0) {
        inherit_once(l); /* while owner says whose it is */
        STORE_RELAXED(&l->owner, 0);
        if (!thread_is_last(thread_self()))
            mutex_unlock(&l->mutex);
    }
}

Value io_unsupported(const char *what) {
    return err_set((Type *)io_unsupported_type, "%s", what);
}

Value io_call(Value self, const char *method) {
    return obj_call_method_str(self, method, NULL, 0);
}
Value io_call1(Value self, const char *method, Value arg) {
    return obj_call_method_str(self, method, &arg, 1);
}

int io_is_closed(Value self) {
    Value c = obj_getattr(self, ID("closed"));
    if (c == ABSENT)
        return -1;
    int r = obj_truth(c);
    release(c);
    return r;
}

int io_check_closed(Value self) {
    int r = io_is_closed(self);
    if (r > 0) {
        err_set(&exc_ValueError, "I/O operation on closed file.");
        return -1;
    }
    return r;
}

int io_size_arg(Value v, intptr_t *out) {
    *out = -1;
    if (v == ABSENT || v == V_NONE)
        return 0;
    if (!v_is_index(v)) {
        err_set(&exc_TypeError, "argument should be integer or None, not '%T'", v);
        return -1;
    }
    return num_as_index(v, out, &exc_OverflowError);
}

ssize_t io_read_fd(int fd, void *buf, size_t n) {
    for (;;) {
        ssize_t r;
        int e;
        DETACHED_BEGIN
        r = read(fd, buf, n);
        e = errno;
        DETACHED_END
        if (r >= 0)
            return r;
        if (e == EINTR) {
            if (excl_poll() < 0)
                return -1;
            continue;
        }
        if (e == EAGAIN || e == EWOULDBLOCK)
            return -2;
        errno = e;
        err_errno();
        return -1;
    }
}

ssize_t io_write_fd(int fd, const void *buf, size_t n) {
    for (;;) {
        ssize_t r;
        int e;
        DETACHED_BEGIN
        r = write(fd, buf, n > INT_MAX ? INT_MAX : n);
        e = errno;
        DETACHED_END
        if (r >= 0)
            return r;
        if (e == EINTR) {
            if (excl_poll() < 0)
                return -1;
            continue;
        }
        if (e == EAGAIN || e == EWOULDBLOCK)
            return -2;
        errno = e;
        err_errno();
        return -1;
    }
}

/* ---- _IOBase ---- */

static Value unsupported_seek(Value self, Value *args, intptr_t nargs, Value kw) {
    return io_unsupported("seek");
}
static Value unsupported_truncate(Value self, Value *args, intptr_t nargs, Value kw) {
    return io_unsupported("truncate");
}
static Value unsupported_fileno(Value self, Value *args, intptr_t nargs, Value kw) {
    return io_unsupported("fileno");
}
static Value base_tell(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a[2] = {v_from_int(0), v_from_int(1)};
    return obj_call_method_str(self, "seek", a, 2);
}
static Value base_flush(Value self, Value *args, intptr_t nargs, Value kw) {
    int c = io_is_closed(self); /* the attribute: FileIO has no field of IoBase's */
    return c == 0 ? V_NONE : c < 0 ? ABSENT : err_set(&exc_ValueError, "I/O operation on closed file.");
}
static Value base_close(Value self, Value *args, intptr_t nargs, Value kw) {
    int c = io_is_closed(self);
    if (c)
        return c < 0 ? ABSENT : V_NONE;
    Value r = io_call(self, "flush");
    STORE_RELAXED(&((IoBase *)self)->closed, true);
    return r == ABSENT ? ABSENT : (release(r), V_NONE);
}
static Value base_get_closed(Value self) {
    return v_bool(LOAD_RELAXED(&((IoBase *)self)->closed));
}
static Value base_false(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_FALSE;
}
static Value base_isatty(Value self, Value *args, intptr_t nargs, Value kw) {
    return io_check_closed(self) < 0 ? ABSENT : V_FALSE;
}

static Value check_capability(Value self, const char *method, const char *message) {
    Value r = io_call(self, method);
    if (r == ABSENT)
        return ABSENT;
    bool yes = r == V_TRUE;
    release(r);
    return yes ? V_TRUE : io_unsupported(message);
}
static Value base_check_seekable(Value self, Value *args, intptr_t nargs, Value kw) {
    return check_capability(self, "seekable", "File or stream is not seekable.");
}
static Value base_check_readable(Value self, Value *args, intptr_t nargs, Value kw) {
    return check_capability(self, "readable", "File or stream is not readable.");
}
static Value base_check_writable(Value self, Value *args, intptr_t nargs, Value kw) {
    return check_capability(self, "writable", "File or stream is not writable.");
}
static Value base_check_closed(Value self, Value *args, intptr_t nargs, Value kw) {
    return io_check_closed(self) < 0 ? ABSENT : V_NONE;
}
static Value base_enter(Value self, Value *args, intptr_t nargs, Value kw) {
    return io_check_closed(self) < 0 ? ABSENT : retained(self);
}
static Value base_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    return io_call(self, "close");
}
static Value base_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return base_enter(self, args, nargs, kw);
}
static Value base_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value line = io_call(self, "readline");
    if (line == ABSENT)
        return ABSENT;
    intptr_t n = obj_len(line);
    if (n > 0)
        return line;
    release(line);
    return n < 0 ? ABSENT : err_set_none(&exc_StopIteration);
}

static Value base_readline(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t limit;
    if (io_size_arg(arg_at(args, nargs, 0), &limit) < 0)
        return ABSENT;
    Value peek = ABSENT, out = ABSENT;
    char *buf = NULL;
    size_t len = 0, cap = 0;
    if (obj_lookup_attr(self, ID("peek"), &peek) < 0)
        return ABSENT;
    while (limit < 0 || (intptr_t)len < limit) {
        intptr_t want = 1;
        if (peek != ABSENT) {
            Value ahead = obj_call1(peek, v_from_int(1));
            if (ahead == ABSENT)
                goto done;
            if (!v_is_bytes(ahead)) {
                err_set(&exc_OSError, "peek() should have returned a bytes object, not '%T'", ahead);
                release(ahead);
                goto done;
            }
            intptr_t n = bytes_len(ahead);
            if (n > 0) {
                if (limit >= 0 && n > limit - (intptr_t)len)
                    n = limit - (intptr_t)len;
                const char *nl = memchr(bytes_data(ahead), '\n', (size_t)n);
                want = nl ? nl - bytes_data(ahead) + 1 : n;
            }
            release(ahead);
        }
        Value b = io_call1(self, "read", v_from_int(want));
        if (b == ABSENT)
            goto done;
        if (!v_is_bytes(b)) {
            err_set(&exc_OSError, "read() should have returned a bytes object, not '%T'", b);
            release(b);
            goto done;
        }
        size_t n = (size_t)bytes_len(b);
        if (n == 0) {
            release(b);
            break;
        }
        if (len + n > cap) {
            cap = (len + n) * 2;
            char *p = realloc(buf, cap);
            if (!p) {
                release(b);
                err_no_memory();
                goto done;
            }
            buf = p;
        }
        memcpy(buf + len, bytes_data(b), n);
        len += n;
        release(b);
        if (buf[len - 1] == '\n')
            break;
    }
    out = bytes_from(buf ? buf : "", len);
done:
    free(buf);
    release(peek);
    return out;
}

static Value base_readlines(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t hint, total = 0;
    if (io_size_arg(arg_at(args, nargs, 0), &hint) < 0)
        return ABSENT;
    Value list = list_new(0), it = list == ABSENT ? ABSENT : obj_iter(self), line;
    if (it == ABSENT) {
        release(list);
        return ABSENT;
    }
    while ((line = obj_next(it)) != ABSENT) {
        intptr_t n = obj_len(line);
        if (n < 0 || list_append(list, line) < 0) {
            release(line);
            goto fail;
        }
        release(line);
        total += n;
        if (hint > 0 && total > hint)
            break;
    }
    if (err_pending())
        goto fail;
    release(it);
    return list;
fail:
    release(it);
    release(list);
    return ABSENT;
}

static Value base_writelines(Value self, Value *args, intptr_t nargs, Value kw) {
    if (io_check_closed(self) < 0)
        return ABSENT;
    Value it = obj_iter(args[0]), line;
    if (it == ABSENT)
        return ABSENT;
    while ((line = obj_next(it)) != ABSENT) {
        Value r = io_call1(self, "write", line);
        release(line);
        if (r == ABSENT)
            break;
        release(r);
    }
    release(it);
    return err_pending() ? ABSENT : V_NONE;
}

/* An unclosed stream that dies is closed; errors of that are nobody's. */
static Value base_del(Value self, Value *args, intptr_t nargs, Value kw) {
    int closed = io_is_closed(self);
    if (closed < 0)
        err_clear();
    if (closed == 0) {
        Value r = io_call(self, "close");
        if (r == ABSENT)
            err_clear();
        else
            release(r);
    }
    return V_NONE;
}

static const NativeDef base_methods[] = {
    {"seek", unsupported_seek, "($self, offset, whence=0, /)"},
    {"tell", base_tell, "($self, /)"},
    {"truncate", unsupported_truncate, "($self, pos=None, /)"},
    {"flush", base_flush, "($self, /)"},
    {"close", base_close, "($self, /)"},
    {"seekable", base_false, "($self, /)"},
    {"readable", base_false, "($self, /)"},
    {"writable", base_false, "($self, /)"},
    {"_checkClosed", base_check_closed, "($self, /)"},
    {"_checkSeekable", base_check_seekable, "($self, /)"},
    {"_checkReadable", base_check_readable, "($self, /)"},
    {"_checkWritable", base_check_writable, "($self, /)"},
    {"fileno", unsupported_fileno, "($self, /)"},
    {"isatty", base_isatty, "($self, /)"},
    {"__enter__", base_enter, "($self, /)"},
    {"__exit__", base_exit, "($self, /, *args)"},
    {"__iter__", base_iter, "($self, /)"},
    {"__next__", base_next, "($self, /)"},
    {"readline", base_readline, "($self, size=-1, /)"},
    {"readlines", base_readlines, "($self, hint=-1, /)"},
    {"writelines", base_writelines, "($self, lines, /)"},
    {"__del__", base_del, "($self, /)"},
    {NULL},
};
static const GetSetDef base_getsets[] = {{"closed", base_get_closed}, {NULL}};

/* ---- _RawIOBase ---- */

static Value raw_read(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (io_size_arg(arg_at(args, nargs, 0), &n) < 0)
        return ABSENT;
    if (n < 0)
        return io_call(self, "readall");
    Value b = bytearray_from(NULL, (size_t)n);
    if (b == ABSENT)
        return ABSENT;
    Value r = io_call1(self, "readinto", b), out = ABSENT;
    if (r == V_NONE) {
        release(b);
        return V_NONE;
    }
    intptr_t got;
    if (r != ABSENT && num_as_index(r, &got, &exc_ValueError) == 0) {
        Buffer view;
        if (buffer_get(b, &view, false) == 0) {
            out = bytes_from(view.data, (size_t)MIN(MAX(got, 0), view.len));
            buffer_release(&view);
        }
    }
    release(r);
    release(b);
    return out;
}
static Value raw_readall(Value self, Value *args, intptr_t nargs, Value kw) {
    Value chunks = list_new(0);
    if (chunks == ABSENT)
        return ABSENT;
    for (;;) {
        Value b = io_call1(self, "read", v_from_int(IO_BUFFER_SIZE));
        if (b == ABSENT)
            goto fail;
        if (b == V_NONE) {
            if (list_len(chunks) == 0) {
                release(chunks);
                return V_NONE;
            }
            break;
        }
        if (!v_is_bytes(b)) {
            err_set(&exc_TypeError, "read() should return bytes");
            release(b);
            goto fail;
        }
        if (bytes_len(b) == 0) {
            release(b);
            break;
        }
        if (list_append_steal(chunks, b) < 0)
            goto fail;
    }
    Value out = obj_call_method_str(bytes_empty(), "join", &chunks, 1);
    release(chunks);
    return out;
fail:
    release(chunks);
    return ABSENT;
}
static const NativeDef raw_methods[] = {
    {"read", raw_read, "($self, size=-1, /)"}, {"readall", raw_readall, "($self, /)"}, {NULL}};

/* ---- _BufferedIOBase, _TextIOBase ---- */

#define UNSUPPORTED(name)                                                                \
    static Value unsupported_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return io_unsupported(#name);                                                    \
    }
UNSUPPORTED(read)
UNSUPPORTED(read1)
UNSUPPORTED(write)
UNSUPPORTED(detach)
UNSUPPORTED(readline)

static Value read_into(Value self, Value target, const char *method) {
    Buffer b;
    if (buffer_get(target, &b, true) < 0)
        return ABSENT;
    Value data = io_call1(self, method, v_from_int(b.len)), out = ABSENT;
    if (data == ABSENT)
        goto done;
    if (!v_is_bytes(data)) {
        err_set(&exc_TypeError, "%s() should return bytes", method);
    } else if (bytes_len(data) > b.len) {
        err_set(&exc_ValueError, "%s() returned too much data: %zd bytes requested, %zd returned", method,
                (ssize_t)b.len, (ssize_t)bytes_len(data));
    } else {
        memcpy(b.data, bytes_data(data), (size_t)bytes_len(data));
        out = v_from_int(bytes_len(data));
    }
    release(data);
done:
    buffer_release(&b);
    return out;
}
static Value buffered_base_readinto(Value self, Value *args, intptr_t nargs, Value kw) {
    return read_into(self, args[0], "read");
}
static Value buffered_base_readinto1(Value self, Value *args, intptr_t nargs, Value kw) {
    return read_into(self, args[0], "read1");
}
static const NativeDef buffered_methods[] = {
    {"detach", unsupported_detach, "($self, /)"},
    {"read", unsupported_read, "($self, size=-1, /)"},
    {"read1", unsupported_read1, "($self, size=-1, /)"},
    {"readinto", buffered_base_readinto, "($self, buffer, /)"},
    {"readinto1", buffered_base_readinto1, "($self, buffer, /)"},
    {"write", unsupported_write, "($self, b, /)"},
    {NULL},
};
static const NativeDef text_methods[] = {
    {"detach", unsupported_detach, "($self, /)"},
    {"read", unsupported_read, "($self, size=-1, /)"},
    {"readline", unsupported_readline, "($self, size=-1, /)"},
    {"write", unsupported_write, "($self, s, /)"},
    {NULL},
};
static Value none_getter(Value self) {
    return V_NONE;
}
static const GetSetDef text_getsets[] = {
    {"encoding", none_getter}, {"errors", none_getter}, {"newlines", none_getter}, {NULL}};

int io_base_init(Value m) {
    static const TypeSpec base = {.name = "_io._IOBase",
                                  .doc = "The abstract base class for all I/O classes.",
                                  .basic_size = sizeof(IoBase),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                  .methods = base_methods,
                                  .getsets = base_getsets};
    static const TypeSpec raw = {.name = "_io._RawIOBase",
                                 .doc = "Base class for raw binary I/O.",
                                 .base = &iobase_type,
                                 .basic_size = sizeof(IoBase),
                                 .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                 .methods = raw_methods};
    static const TypeSpec buffered = {.name = "_io._BufferedIOBase",
                                      .doc = "Base class for buffered IO objects.",
                                      .base = &iobase_type,
                                      .basic_size = sizeof(IoBase),
                                      .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                      .methods = buffered_methods};
    static const TypeSpec text = {.name = "_io._TextIOBase",
                                  .doc = "Base class for text I/O.",
                                  .base = &iobase_type,
                                  .basic_size = sizeof(IoBase),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                  .methods = text_methods,
                                  .getsets = text_getsets};
    if (iobase_type.spec == NULL)
        thread_atfork(NULL, NULL, after_fork_child);
    type_init_module_type(&iobase_type, &base);
    type_init_module_type(&rawiobase_type, &raw);
    type_init_module_type(&bufferediobase_type, &buffered);
    type_init_module_type(&textiobase_type, &text);
    return module_add_type(m, &iobase_type) < 0 || module_add_type(m, &rawiobase_type) < 0 ||
                   module_add_type(m, &bufferediobase_type) < 0 || module_add_type(m, &textiobase_type) < 0
               ? -1
               : 0;
}

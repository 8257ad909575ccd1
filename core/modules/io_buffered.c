/* BufferedReader, BufferedWriter, BufferedRandom and BufferedRWPair.
 *
 * One block serves both directions: either it holds bytes read ahead (rpos < rend) or bytes not yet written (wlen > 0),
 * never both. A switch to writing moves the stream below back over what was read ahead; a switch to reading writes what
 * waits.
 */
#include <errno.h>

#include "io.h"
#include "object/int.h"

Type buffered_reader_type, buffered_writer_type, buffered_random_type, buffered_rwpair_type;

typedef struct Buffered {
    Object hdr;
    IoLock lock;
    Ref raw; /* ABSENT: detached or not initialised */
    char *buf;
    size_t size;
    size_t rpos, rend, wlen;
    int64_t pos; /* of the stream below, -1: not known */
    bool readable, writable, ready, detached, closing;
} Buffered;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Buffered *)self)->raw), arg);
}
static void clear(Value self) {
    ref_clear(self, &((Buffered *)self)->raw);
}
static void fini(Value self) {
    free(((Buffered *)self)->buf);
}
static const TypeOps ops = {traverse, clear, fini};

static Value buffered_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        io_lock_init(&((Buffered *)self)->lock);
        trace_track(v_obj(self));
    }
    return self;
}

static Buffered *usable(Value self) {
    Buffered *b = (Buffered *)self;
    if (b->ready)
        return b;
    err_set(&exc_ValueError, b->detached ? "raw stream has been detached" : "I/O operation on uninitialized object");
    return NULL;
}
static Value raw_of(Buffered *b) {
    return ref_peek(&b->raw);
}
/* Calls a method of the stream below without the lock: what runs in it may detach it. */
static Value call_raw(Value self, const char *method) {
    Value raw = retained(raw_of((Buffered *)self));
    if (raw == ABSENT)
        return err_set(&exc_ValueError, "raw stream has been detached");
    Value v = io_call(raw, method);
    release(raw);
    return v;
}
static Value getattr_raw(Value self, Value name) {
    Value raw = retained(raw_of((Buffered *)self));
    Value v = raw == ABSENT ? err_set(&exc_ValueError, "raw stream has been detached") : obj_getattr(raw, name);
    release(raw);
    return v;
}
static bool raw_is_file(Buffered *b) {
    Value raw = raw_of(b);
    return v_is_obj(raw) && type_of(raw) == &fileio_type;
}

/* 1 closed, 0, -1 */
static int raw_closed(Buffered *b) {
    if (raw_is_file(b))
        return LOAD_RELAXED(&((FileIO *)raw_of(b))->fd) < 0;
    return io_is_closed(raw_of(b));
}

/* While the lock is held, b->raw and b->buf stay: __init__ and detach take it. */

/* Enters for an operation named what; NULL with an exception. */
static Buffered *enter(Value self, const char *what) {
    Buffered *b = usable(self);
    if (!b)
        return NULL;
    if (!io_lock_enter(&b->lock, self))
        return NULL;
    int closed = usable(self) ? raw_closed(b) : -1; /* another thread may have detached it */
    if (closed == 0)
        return b;
    io_lock_leave(&b->lock);
    if (closed > 0)
        err_set(&exc_ValueError, "%s of closed file", what);
    return NULL;
}
static Value leave(Buffered *b, Value v) {
    io_lock_leave(&b->lock);
    return v;
}

/* n bytes into p from the stream below: count, 0 at the end, -1 exception, -2 would block. */
static ssize_t raw_read(Buffered *b, char *p, size_t n) {
    ssize_t r;
    if (raw_is_file(b)) {
        FileIO *f = (FileIO *)raw_of(b);
        if (!f->readable) {
            io_unsupported("File not open for reading");
            return -1;
        }
        r = io_read_fd(LOAD_RELAXED(&f->fd), p, n);
    } else {
        Value tmp = bytearray_from(NULL, n), got;
        if (tmp == ABSENT)
            return -1;
        for (;;) {
            got = io_call1(raw_of(b), "readinto", tmp);
            if (got != ABSENT || !err_matches(&exc_InterruptedError))
                break;
            err_clear();
        }
        intptr_t k = 0;
        if (got == ABSENT) {
            r = -1;
        } else if (got == V_NONE) {
            r = -2;
        } else if (num_as_index(got, &k, &exc_ValueError) < 0) {
            r = -1;
        } else if (k < 0 || (size_t)k > n) {
            err_set(&exc_OSError, "raw readinto() returned invalid length %zd (should have been between 0 and %zd)",
                    (ssize_t)k, (ssize_t)n);
            r = -1;
        } else {
            Buffer view;
            r = buffer_get(tmp, &view, false);
            if (r == 0) {
                memcpy(p, view.data, (size_t)MIN(k, view.len));
                buffer_release(&view);
                r = k;
            }
        }
        release(got);
        release(tmp);
    }
    if (r > 0 && b->pos >= 0)
        b->pos += r;
    return r;
}

static ssize_t raw_write(Buffered *b, Value self, const char *p, size_t n) {
    ssize_t r;
    if (raw_is_file(b)) {
        FileIO *f = (FileIO *)raw_of(b);
        int fd = LOAD_RELAXED(&f->fd);
        if (fd < 0) {
            err_set(&exc_ValueError, "I/O operation on closed file");
            return -1;
        }
        if (!f->writable) {
            io_unsupported("File not open for writing");
            return -1;
        }
        r = io_write_fd(fd, p, n);
    } else {
        Value chunk = bytes_from(p, n), got;
        if (chunk == ABSENT)
            return -1;
        for (;;) {
            got = io_call1(raw_of(b), "write", chunk);
            if (got != ABSENT || !err_matches(&exc_InterruptedError))
                break;
            err_clear();
        }
        release(chunk);
        intptr_t k = 0;
        if (got == ABSENT) {
            r = -1;
        } else if (got == V_NONE) {
            r = -2;
        } else if (num_as_index(got, &k, &exc_ValueError) < 0) {
            r = -1;
        } else if (k < 0 || (size_t)k > n) {
            err_set(&exc_OSError, "raw write() returned invalid length %zd (should have been between 0 and %zd)",
                    (ssize_t)k, (ssize_t)n);
            r = -1;
        } else {
            r = k;
        }
        release(got);
    }
    if (r > 0 && b->pos >= 0)
        b->pos += r;
    return r;
}

static int64_t raw_seek(Buffered *b, int64_t target, int whence) {
    Value o = int_from_i64(target);
    if (o == ABSENT)
        return -1;
    Value a[2] = {o, v_from_int(whence)}, r = obj_call_method_str(raw_of(b), "seek", a, 2);
    release(o);
    int64_t n;
    if (r == ABSENT || num_as_i64(r, &n) < 0) {
        release(r);
        return -1;
    }
    release(r);
    if (n < 0) {
        err_set(&exc_OSError, "Raw stream returned invalid position %lld", (long long)n);
        return -1;
    }
    return b->pos = n;
}
static int64_t raw_tell(Buffered *b) {
    if (b->pos >= 0)
        return b->pos;
    Value r = io_call(raw_of(b), "tell");
    int64_t n;
    if (r == ABSENT || num_as_i64(r, &n) < 0) {
        release(r);
        return -1;
    }
    release(r);
    if (n < 0) {
        err_set(&exc_OSError, "Raw stream returned invalid position %lld", (long long)n);
        return -1;
    }
    return b->pos = n;
}

static Value blocking_error(size_t written) {
    Value e = obj_call3(V_OF(&exc_BlockingIOError), v_from_int(EAGAIN), ID("write could not complete without blocking"),
                        v_from_int((int64_t)written));
    return e == ABSENT ? ABSENT : err_raise(e);
}

/* Writes all that waits: 0, -1. What could not be written stays. */
static int flush_writes(Buffered *b, Value self) {
    size_t done = 0;
    while (done < b->wlen) {
        ssize_t r = raw_write(b, self, b->buf + done, b->wlen - done);
        if (r < 0) {
            memmove(b->buf, b->buf + done, b->wlen - done);
            b->wlen -= done;
            if (r == -2)
                blocking_error(0);
            return -1;
        }
        done += (size_t)r;
        if (b->wlen && excl_poll() < 0) {
            memmove(b->buf, b->buf + done, b->wlen - done);
            b->wlen -= done;
            return -1;
        }
    }
    b->wlen = 0;
    return 0;
}

/* Drops what was read ahead, moving the stream below back over it. */
static int drop_ahead(Buffered *b) {
    size_t ahead = b->rend - b->rpos;
    b->rpos = b->rend = 0;
    return ahead && raw_seek(b, -(int64_t)ahead, 1) < 0 ? -1 : 0;
}
static int to_reading(Buffered *b, Value self) {
    return b->wlen ? flush_writes(b, self) : 0;
}

static bool init_common(Value self, Value raw, Value size_v, bool readable, bool writable) {
    Buffered *b = (Buffered *)self;
    intptr_t size = IO_BUFFER_SIZE;
    char *p = NULL;
    if (!io_lock_enter(&b->lock, self))
        return false;
    b->ready = b->detached = false;
    if (size_v != ABSENT && num_as_index(size_v, &size, &exc_ValueError) < 0)
        goto fail;
    if (size <= 0) {
        err_set(&exc_ValueError, "buffer size must be strictly positive");
        goto fail;
    }
    p = realloc(b->buf, (size_t)size);
    if (!p) {
        err_no_memory();
        goto fail;
    }
    b->buf = p;
    b->size = (size_t)size;
    b->rpos = b->rend = b->wlen = 0;
    b->pos = -1;
    b->readable = readable;
    b->writable = writable;
    Value old = ref_swap(self, &b->raw, retained(raw));
    b->ready = true;
    io_lock_leave(&b->lock);
    release(old);
    return true;
fail:
    io_lock_leave(&b->lock);
    return false;
}
static bool demand(Value raw, const char *method, const char *message) {
    if (v_is_obj(raw) && type_of(raw) == &fileio_type) {
        FileIO *f = (FileIO *)raw;
        if (LOAD_RELAXED(&f->fd) >= 0) {
            if (method[0] == 'r' ? f->readable : method[0] == 'w' ? f->writable : true)
                return true;
            io_unsupported(message);
            return false;
        }
    }
    Value r = io_call(raw, method);
    if (r == ABSENT)
        return false;
    int yes = obj_truth(r);
    release(r);
    if (yes == 0)
        io_unsupported(message);
    return yes > 0;
}
static Value reader_init(Value self, Value *args, intptr_t nargs, Value kw) {
    return demand(args[0], "readable", "File or stream is not readable.") &&
                   init_common(self, args[0], arg_at(args, nargs, 1), true, false)
               ? V_NONE
               : ABSENT;
}
static Value writer_init(Value self, Value *args, intptr_t nargs, Value kw) {
    return demand(args[0], "writable", "File or stream is not writable.") &&
                   init_common(self, args[0], arg_at(args, nargs, 1), false, true)
               ? V_NONE
               : ABSENT;
}
static Value random_init(Value self, Value *args, intptr_t nargs, Value kw) {
    return demand(args[0], "seekable", "File or stream is not seekable.") &&
                   demand(args[0], "readable", "File or stream is not readable.") &&
                   demand(args[0], "writable", "File or stream is not writable.") &&
                   init_common(self, args[0], arg_at(args, nargs, 1), true, true)
               ? V_NONE
               : ABSENT;
}

/* ---- reading ---- */

/* Refills the empty block: bytes now ahead, 0 at the end, -1, -2. */
static ssize_t fill(Buffered *b) {
    b->rpos = b->rend = 0;
    ssize_t r = raw_read(b, b->buf, b->size);
    if (r > 0)
        b->rend = (size_t)r;
    return r;
}

static Value read_all(Buffered *b) {
    Value head = bytes_from(b->buf + b->rpos, b->rend - b->rpos);
    b->rpos = b->rend = 0;
    if (head == ABSENT)
        return ABSENT;
    Value rest;
    int has = obj_lookup_attr(raw_of(b), ID("readall"), &rest);
    if (has < 0) {
        release(head);
        return ABSENT;
    }
    if (has) {
        Value tail = obj_call0(rest);
        release(rest);
        b->pos = -1;
        if (tail == ABSENT || (tail != V_NONE && !v_is_bytes(tail))) {
            if (tail != ABSENT)
                err_set(&exc_TypeError, "readall() should return bytes");
            release(tail);
            release(head);
            return ABSENT;
        }
        if (tail == V_NONE) {
            if (bytes_len(head) > 0)
                return head;
            release(head);
            return V_NONE;
        }
        if (bytes_len(head) == 0) {
            release(head);
            return tail;
        }
        Value all = bytes_concat(head, tail);
        release(head);
        release(tail);
        return all;
    }
    size_t len = (size_t)bytes_len(head), cap = len + IO_BUFFER_SIZE;
    char *buf = malloc(cap);
    Value out = ABSENT;
    if (!buf) {
        err_no_memory();
        goto done;
    }
    memcpy(buf, bytes_data(head), len);
    for (;;) {
        if (len + IO_BUFFER_SIZE > cap) {
            cap = cap * 2 + IO_BUFFER_SIZE;
            char *p = realloc(buf, cap);
            if (!p) {
                err_no_memory();
                goto done;
            }
            buf = p;
        }
        ssize_t r = raw_read(b, buf + len, IO_BUFFER_SIZE);
        if (r == -1)
            goto done;
        if (r == -2 && len == 0) {
            out = V_NONE;
            goto done;
        }
        if (r <= 0)
            break;
        len += (size_t)r;
    }
    out = bytes_from(buf, len);
done:
    free(buf);
    release(head);
    return out;
}

/* Up to n bytes to p: fewer only at the end or when it would block (*blocked). -1. */
static ssize_t read_some(Buffered *b, char *p, size_t n, bool one_call, bool *blocked) {
    size_t got = MIN(n, b->rend - b->rpos);
    memcpy(p, b->buf + b->rpos, got);
    b->rpos += got;
    *blocked = false;
    if (one_call && got > 0)
        return (ssize_t)got;
    while (got < n) {
        ssize_t r;
        if (n - got >= b->size) {
            r = raw_read(b, p + got, one_call ? n - got : (n - got) / b->size * b->size);
            if (r > 0)
                got += (size_t)r;
        } else {
            r = fill(b);
            if (r > 0) {
                size_t k = MIN(n - got, (size_t)r);
                memcpy(p + got, b->buf, k);
                b->rpos = k;
                got += k;
            }
        }
        if (r == -1)
            return -1;
        if (r == -2)
            *blocked = true;
        if (r <= 0 || one_call)
            break;
    }
    return (ssize_t)got;
}

static Value read_n(Buffered *b, size_t n, bool one_call) {
    Value out = bytes_from(NULL, n);
    if (out == ABSENT)
        return ABSENT;
    bool blocked;
    ssize_t r = read_some(b, bytes_data(out), n, one_call, &blocked);
    if (r < 0 || (r == 0 && blocked && !one_call)) {
        release(out);
        return r < 0 ? ABSENT : V_NONE;
    }
    return bytes_shrink(out, (size_t)r);
}

static Value buffered_read(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (io_size_arg(arg_at(args, nargs, 0), &n) < 0)
        return ABSENT;
    if (n < -1)
        return err_set(&exc_ValueError, "read length must be non-negative or -1");
    Buffered *b = enter(self, "read");
    if (!b)
        return ABSENT;
    if (to_reading(b, self) < 0)
        return leave(b, ABSENT);
    return leave(b, n < 0 ? read_all(b) : read_n(b, (size_t)n, false));
}
static Value buffered_read1(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (io_size_arg(arg_at(args, nargs, 0), &n) < 0)
        return ABSENT;
    Buffered *b = enter(self, "read");
    if (!b)
        return ABSENT;
    if (to_reading(b, self) < 0)
        return leave(b, ABSENT);
    return leave(b, read_n(b, n < 0 ? b->size : (size_t)n, true));
}
static Value read_into(Value self, Value target, bool one_call) {
    Buffer view;
    if (buffer_get(target, &view, true) < 0)
        return ABSENT;
    Value r = ABSENT;
    Buffered *b = enter(self, "readinto");
    if (b) {
        bool blocked;
        ssize_t n = to_reading(b, self) < 0 ? -1 : read_some(b, view.data, (size_t)view.len, one_call, &blocked);
        r = leave(b, n < 0 ? ABSENT : n == 0 && blocked ? V_NONE : v_from_int(n));
    }
    buffer_release(&view);
    return r;
}
static Value buffered_readinto(Value self, Value *args, intptr_t nargs, Value kw) {
    return read_into(self, args[0], false);
}
static Value buffered_readinto1(Value self, Value *args, intptr_t nargs, Value kw) {
    return read_into(self, args[0], true);
}

static Value buffered_peek(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffered *b = enter(self, "peek");
    if (!b)
        return ABSENT;
    if (to_reading(b, self) < 0)
        return leave(b, ABSENT);
    if (b->rpos == b->rend && fill(b) == -1)
        return leave(b, ABSENT);
    return leave(b, bytes_from(b->buf + b->rpos, b->rend - b->rpos));
}

static Value read_line(Buffered *b, intptr_t limit) {
    char *acc = NULL;
    size_t len = 0;
    Value out = ABSENT;
    for (;;) {
        size_t n = b->rend - b->rpos;
        bool last = false;
        if (limit >= 0 && n >= (size_t)limit - len) {
            n = (size_t)limit - len;
            last = true;
        }
        const char *p = b->buf + b->rpos, *nl = n ? memchr(p, '\n', n) : NULL;
        if (nl) {
            n = (size_t)(nl - p) + 1;
            last = true;
        }
        if (last && !acc) {
            b->rpos += n;
            return bytes_from(p, n);
        }
        char *q = realloc(acc, len + n + 1);
        if (!q) {
            err_no_memory();
            break;
        }
        acc = q;
        memcpy(acc + len, p, n);
        len += n;
        b->rpos += n;
        if (last) {
            out = bytes_from(acc, len);
            break;
        }
        ssize_t r = fill(b);
        if (r == -1)
            break;
        if (r <= 0) {
            out = bytes_from(acc, len);
            break;
        }
    }
    free(acc);
    return out;
}
static Value buffered_readline(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t limit;
    if (io_size_arg(arg_at(args, nargs, 0), &limit) < 0)
        return ABSENT;
    Buffered *b = enter(self, "readline");
    if (!b)
        return ABSENT;
    return leave(b, to_reading(b, self) < 0 ? ABSENT : read_line(b, limit));
}
static Value buffered_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value line = type_special(type_of(self), SP_NEXT) &&
                         (type_of(self) == &buffered_reader_type || type_of(self) == &buffered_random_type)
                     ? buffered_readline(self, NULL, 0, ABSENT)
                     : io_call(self, "readline");
    if (line == ABSENT)
        return ABSENT;
    intptr_t n = obj_len(line);
    if (n > 0)
        return line;
    release(line);
    return n < 0 ? ABSENT : err_set_none(&exc_StopIteration);
}

/* ---- writing ---- */

static Value write_bytes(Buffered *b, Value self, const char *p, size_t n) {
    if (b->rend > b->rpos || b->rend) {
        if (drop_ahead(b) < 0)
            return ABSENT;
    }
    if (n <= b->size - b->wlen) {
        memcpy(b->buf + b->wlen, p, n);
        b->wlen += n;
        return v_from_int((int64_t)n);
    }
    if (flush_writes(b, self) < 0) {
        if (!err_matches(&exc_BlockingIOError))
            return ABSENT;
        /* Keep what fits. */
        err_clear();
        size_t room = MIN(n, b->size - b->wlen);
        memcpy(b->buf + b->wlen, p, room);
        b->wlen += room;
        return room == n ? v_from_int((int64_t)n) : blocking_error(room);
    }
    size_t done = 0;
    while (n - done > b->size) {
        ssize_t r = raw_write(b, self, p + done, n - done);
        if (r == -1)
            return ABSENT;
        if (r == -2) {
            size_t room = MIN(n - done, b->size);
            memcpy(b->buf, p + done, room);
            b->wlen = room;
            done += room;
            return done == n ? v_from_int((int64_t)n) : blocking_error(done);
        }
        done += (size_t)r;
        if (excl_poll() < 0)
            return ABSENT;
    }
    memcpy(b->buf, p + done, n - done);
    b->wlen = n - done;
    return v_from_int((int64_t)n);
}
static Value buffered_write(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!usable(self))
        return ABSENT;
    if (v_is_str(args[0]))
        return err_set(&exc_TypeError, "a bytes-like object is required, not 'str'");
    Buffer view;
    if (buffer_get(args[0], &view, false) < 0)
        return ABSENT;
    Value r = ABSENT;
    Buffered *b = enter(self, "write to");
    if (b) {
        r = write_bytes(b, self, view.data, (size_t)view.len);
        leave(b, r);
    } else if (err_matches(&exc_ValueError)) {
        err_clear();
        err_set(&exc_ValueError, "write to closed file");
    }
    buffer_release(&view);
    return r;
}
static Value buffered_flush(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffered *b = enter(self, "flush");
    if (!b)
        return ABSENT;
    if (b->writable && flush_writes(b, self) < 0)
        return leave(b, ABSENT);
    if (b->readable && b->writable && drop_ahead(b) < 0)
        return leave(b, ABSENT);
    return leave(b, V_NONE);
}
static Value simple_flush(Value self, Value *args, intptr_t nargs, Value kw) {
    return usable(self) ? call_raw(self, "flush") : ABSENT;
}

/* ---- position ---- */

static Value buffered_tell(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffered *b = enter(self, "tell");
    if (!b)
        return ABSENT;
    int64_t p = raw_tell(b);
    if (p < 0)
        return leave(b, ABSENT);
    p += (int64_t)b->wlen - (int64_t)(b->rend - b->rpos);
    return leave(b, int_from_i64(p < 0 ? 0 : p));
}
static Value buffered_seek(Value self, Value *args, intptr_t nargs, Value kw) {
    int whence = 0;
    int64_t target;
    if (nargs > 1 && num_as_int(args[1], &whence) < 0)
        return ABSENT;
    if (whence < 0 || whence > 2)
        return err_set(&exc_ValueError, "whence value %d unsupported", whence);
    if (!usable(self) || num_as_i64(args[0], &target) < 0)
        return ABSENT;
    Buffered *b = enter(self, "seek");
    if (!b)
        return ABSENT;
    if (!raw_is_file(b) && !demand(raw_of(b), "seekable", "File or stream is not seekable."))
        return leave(b, ABSENT);
    if (b->wlen && flush_writes(b, self) < 0)
        return leave(b, ABSENT);
    if (whence != 2 && b->readable && b->rend) {
        /* Within what was read ahead nothing below moves. */
        int64_t now = raw_tell(b);
        if (now < 0)
            return leave(b, ABSENT);
        int64_t logical = now - (int64_t)(b->rend - b->rpos), offset = whence == 0 ? target - logical : target;
        if (offset >= -(int64_t)b->rpos && offset <= (int64_t)(b->rend - b->rpos)) {
            b->rpos = (size_t)((int64_t)b->rpos + offset);
            return leave(b, int_from_i64(logical + offset));
        }
    }
    if (whence == 1)
        target -= (int64_t)(b->rend - b->rpos);
    b->rpos = b->rend = 0;
    int64_t p = raw_seek(b, target, whence);
    return leave(b, p < 0 ? ABSENT : int_from_i64(p));
}
static Value buffered_truncate(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!usable(self))
        return ABSENT;
    if (!((Buffered *)self)->writable)
        return io_unsupported("truncate");
    Buffered *b = enter(self, "truncate");
    if (!b)
        return ABSENT;
    if (flush_writes(b, self) < 0 || drop_ahead(b) < 0)
        return leave(b, ABSENT);
    Value r = io_call1(raw_of(b), "truncate", arg_at(args, nargs, 0) == ABSENT ? V_NONE : args[0]);
    return leave(b, r);
}

/* ---- the rest ---- */

static Value buffered_close(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffered *b = usable(self);
    if (!b)
        return ABSENT;
    io_lock_enter_again(&b->lock);
    int closed = usable(self) ? raw_closed(b) : -1;
    if (closed || b->closing)
        return leave(b, closed < 0 ? ABSENT : V_NONE);
    b->closing = true;
    io_lock_leave(&b->lock);
    /* Through the method: subclasses override flush. */
    Value flushed = io_call(self, "flush"), first = flushed == ABSENT ? err_fetch() : ABSENT;
    release(flushed);
    Value r = call_raw(self, "close");
    b->closing = false;
    if (first != ABSENT) {
        release(r);
        err_clear();
        err_restore(first);
        return ABSENT;
    }
    return r == ABSENT ? ABSENT : (release(r), V_NONE);
}
static Value buffered_detach(Value self, Value *args, intptr_t nargs, Value kw) {
    Buffered *b = usable(self);
    if (!b)
        return ABSENT;
    Value f = io_call(self, "flush");
    if (f == ABSENT)
        return ABSENT;
    release(f);
    if (!io_lock_enter(&b->lock, self))
        return ABSENT;
    if (!usable(self)) /* flushing detached it */
        return leave(b, ABSENT);
    b->ready = false;
    b->detached = true;
    return leave(b, ref_swap(self, &b->raw, ABSENT));
}
#define FORWARD(name)                                                                 \
    static Value buffered_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return usable(self) ? call_raw(self, #name) : ABSENT;                         \
    }
FORWARD(seekable)
FORWARD(readable)
FORWARD(writable)
FORWARD(fileno)
FORWARD(isatty)
#define FORWARD_ATTR(name)                                           \
    static Value buffered_get_##name(Value self) {                   \
        return usable(self) ? getattr_raw(self, ID(#name)) : ABSENT; \
    }
FORWARD_ATTR(closed)
FORWARD_ATTR(name)
FORWARD_ATTR(mode)
static Value buffered_get_raw(Value self) {
    return usable(self) ? retained(raw_of((Buffered *)self)) : ABSENT;
}

static Value buffered_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name;
    int has = obj_lookup_attr(self, ID("name"), &name);
    if (has < 0) {
        if (!err_matches(&exc_ValueError))
            return ABSENT;
        err_clear();
    }
    if (has <= 0)
        return str_format_c("<_io.%T>", self);
    int in = repr_enter(self);
    Value r = ABSENT;
    if (in == 0) {
        r = str_format_c("<_io.%T name=%R>", self, name);
        repr_leave(self);
    } else if (in > 0) {
        err_set(&exc_RuntimeError, "reentrant call inside %T.__repr__", self);
    }
    release(name);
    return r;
}
static Value no_pickle(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "cannot pickle '_io.%T' object", self);
}
/* Data that was never flushed is written when the stream dies. */
static Value buffered_del(Value self, Value *args, intptr_t nargs, Value kw) {
    if (((Buffered *)self)->ready) {
        int closed = io_is_closed(self);
        if (closed == 0) {
            Value r = io_call(self, "close");
            if (r != ABSENT)
                release(r);
        }
        err_clear();
    }
    return V_NONE;
}

#define COMMON_METHODS                                                                                         \
    {"__new__", buffered_new, "($type, *args, **kwargs)", NF_STATIC}, {"close", buffered_close, "($self, /)"}, \
        {"detach", buffered_detach, "($self, /)"}, {"seekable", buffered_seekable, "($self, /)"},              \
        {"fileno", buffered_fileno, "($self, /)"}, {"isatty", buffered_isatty, "($self, /)"},                  \
        {"tell", buffered_tell, "($self, /)"}, {"seek", buffered_seek, "($self, target, whence=0, /)"},        \
        {"truncate", buffered_truncate, "($self, pos=None, /)"}, {"__repr__", buffered_repr, "($self, /)"},    \
        {"__getstate__", no_pickle, "($self, /)"}, {"__del__", buffered_del, "($self, /)"}
#define READ_METHODS                                                                                            \
    {"read", buffered_read, "($self, size=-1, /)"}, {"read1", buffered_read1, "($self, size=-1, /)"},           \
        {"readinto", buffered_readinto, "($self, buffer, /)"},                                                  \
        {"readinto1", buffered_readinto1, "($self, buffer, /)"}, {"peek", buffered_peek, "($self, size=0, /)"}, \
        {"readline", buffered_readline, "($self, size=-1, /)"}, {"__next__", buffered_next, "($self, /)"},      \
        {"readable", buffered_readable, "($self, /)"}
#define WRITE_METHODS                                                                         \
    {"write", buffered_write, "($self, buffer, /)"}, {"flush", buffered_flush, "($self, /)"}, \
        {"writable", buffered_writable, "($self, /)"}

static const NativeDef reader_methods[] = {COMMON_METHODS,
                                           READ_METHODS,
                                           {"flush", simple_flush, "($self, /)"},
                                           {"__init__", reader_init, "($self, raw, buffer_size=8192)"},
                                           {NULL}};
static const NativeDef writer_methods[] = {
    COMMON_METHODS, WRITE_METHODS, {"__init__", writer_init, "($self, raw, buffer_size=8192)"}, {NULL}};
static const NativeDef random_methods[] = {
    COMMON_METHODS, READ_METHODS, WRITE_METHODS, {"__init__", random_init, "($self, raw, buffer_size=8192)"}, {NULL}};
static const GetSetDef getsets[] = {{"closed", buffered_get_closed},
                                    {"name", buffered_get_name},
                                    {"mode", buffered_get_mode},
                                    {"raw", buffered_get_raw},
                                    {NULL}};

/* ---- BufferedRWPair ---- */

typedef struct RWPair {
    Object hdr;
    Ref reader, writer;
} RWPair;
static void pair_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((RWPair *)self)->reader), arg);
    visit(ref_peek(&((RWPair *)self)->writer), arg);
}
static void pair_clear(Value self) {
    ref_clear(self, &((RWPair *)self)->reader);
    ref_clear(self, &((RWPair *)self)->writer);
}
static const TypeOps pair_ops = {pair_traverse, pair_clear, NULL};
static Value pair_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT)
        trace_track(v_obj(self));
    return self;
}
static Value pair_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!demand(args[0], "readable", "File or stream is not readable.") ||
        !demand(args[1], "writable", "File or stream is not writable."))
        return ABSENT;
    Value size = arg_at(args, nargs, 2) == ABSENT ? v_from_int(IO_BUFFER_SIZE) : args[2];
    Value r = obj_call2(V_OF(&buffered_reader_type), args[0], size);
    Value w = r == ABSENT ? ABSENT : obj_call2(V_OF(&buffered_writer_type), args[1], size);
    if (w == ABSENT) {
        release(r);
        return ABSENT;
    }
    ref_store(self, &((RWPair *)self)->reader, r);
    ref_store(self, &((RWPair *)self)->writer, w);
    return V_NONE;
}
static Value pair_side(Value self, bool writer) {
    Value v = ref_peek(writer ? &((RWPair *)self)->writer : &((RWPair *)self)->reader);
    return v != ABSENT ? v : err_set(&exc_ValueError, "I/O operation on uninitialized object");
}
#define PAIR(name, side)                                                          \
    static Value pair_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        Value s = pair_side(self, side);                                          \
        return s == ABSENT ? ABSENT : obj_call_method_str(s, #name, args, nargs); \
    }
PAIR(read, false)
PAIR(read1, false)
PAIR(peek, false)
PAIR(readinto, false)
PAIR(readinto1, false)
PAIR(readable, false)
PAIR(write, true)
PAIR(flush, true)
PAIR(writable, true)
static Value pair_close(Value self, Value *args, intptr_t nargs, Value kw) {
    Value w = pair_side(self, true), first = ABSENT;
    if (w == ABSENT)
        return ABSENT;
    Value a = io_call(w, "close");
    if (a == ABSENT)
        first = err_fetch();
    release(a);
    Value reader = pair_side(self, false), b = reader == ABSENT ? ABSENT : io_call(reader, "close");
    if (first != ABSENT) {
        release(b);
        err_clear();
        err_restore(first);
        return ABSENT;
    }
    return b;
}
static Value pair_isatty(Value self, Value *args, intptr_t nargs, Value kw) {
    Value w = pair_side(self, true), r = w == ABSENT ? ABSENT : io_call(w, "isatty");
    if (r != V_FALSE)
        return r;
    Value reader = pair_side(self, false);
    return reader == ABSENT ? ABSENT : io_call(reader, "isatty");
}
static Value pair_get_closed(Value self) {
    Value w = pair_side(self, true);
    return w == ABSENT ? ABSENT : obj_getattr(w, ID("closed"));
}
static const NativeDef pair_methods[] = {
    {"__new__", pair_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__init__", pair_init, "($self, reader, writer, buffer_size=8192, /)"},
    {"read", pair_read, "($self, size=-1, /)"},
    {"read1", pair_read1, "($self, size=-1, /)"},
    {"peek", pair_peek, "($self, size=0, /)"},
    {"readinto", pair_readinto, "($self, buffer, /)"},
    {"readinto1", pair_readinto1, "($self, buffer, /)"},
    {"readable", pair_readable, "($self, /)"},
    {"write", pair_write, "($self, b, /)"},
    {"flush", pair_flush, "($self, /)"},
    {"writable", pair_writable, "($self, /)"},
    {"close", pair_close, "($self, /)"},
    {"isatty", pair_isatty, "($self, /)"},
    {NULL},
};
static const GetSetDef pair_getsets[] = {{"closed", pair_get_closed}, {NULL}};

static int add(Value m, Type *t, const char *name, const char *doc, const NativeDef *methods) {
    TypeSpec *spec = calloc(1, sizeof *spec); /* lives as long as the type: for ever */
    if (!spec)
        return -1;
    *spec = (TypeSpec){.name = name,
                       .doc = doc,
                       .base = &bufferediobase_type,
                       .basic_size = sizeof(Buffered),
                       .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                       .ops = &ops,
                       .methods = methods,
                       .getsets = getsets};
    type_init_module_type(t, spec);
    return module_add_type(m, t); /* NOLINT(clang-analyzer-unix.Malloc): t has spec */
}

int io_buffered_init(Value m) {
    static const TypeSpec pair = {.name = "_io.BufferedRWPair",
                                  .doc = "A buffered reader and writer object together.",
                                  .base = &bufferediobase_type,
                                  .basic_size = sizeof(RWPair),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                  .ops = &pair_ops,
                                  .methods = pair_methods,
                                  .getsets = pair_getsets};
    if (add(m, &buffered_reader_type, "_io.BufferedReader",
            "Create a new buffered reader using the given readable raw IO object.", reader_methods) < 0 ||
        add(m, &buffered_writer_type, "_io.BufferedWriter", "A buffer for a writeable sequential RawIO object.",
            writer_methods) < 0 ||
        add(m, &buffered_random_type, "_io.BufferedRandom", "A buffered interface to random access streams.",
            random_methods) < 0)
        return -1;
    type_init_module_type(&buffered_rwpair_type, &pair);
    return module_add_type(m, &buffered_rwpair_type);
}

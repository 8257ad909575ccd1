/* BytesIO: a stream over a growing block of memory. */
#include "io.h"
#include "object/buffer.h"
#include "object/dict.h"
#include "object/int.h"

Type bytesio_type;

typedef struct BytesIO {
    Object hdr;
    IoLock lock;
    char *buf;
    size_t len, cap, pos;
    _Atomic(intptr_t) exports; /* grows under the lock */
    bool closed, ready;
} BytesIO;

/* Enters the stream's lock; false with ValueError when it is closed. */
static bool enter(BytesIO *b) {
    io_lock_enter_again(&b->lock);
    if (!b->closed)
        return true;
    io_lock_leave(&b->lock);
    err_set(&exc_ValueError, "I/O operation on closed file.");
    return false;
}
static Value leave(BytesIO *b, Value v) {
    io_lock_leave(&b->lock);
    return v;
}

static bool reserve(BytesIO *b, size_t n) {
    if (n <= b->cap)
        return true;
    size_t cap = n < 64 ? 64 : n + n / 8;
    char *p = realloc(b->buf, cap);
    if (!p) {
        err_no_memory();
        return false;
    }
    b->buf = p;
    b->cap = cap;
    return true;
}
static bool resizable(BytesIO *b) {
    if (LOAD_ACQUIRE(&b->exports) == 0) /* uses of the memory come before that */
        return true;
    err_set(&exc_BufferError, "Existing exports of data: object cannot be re-sized");
    return false;
}

static Value bytesio_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        io_lock_init(&((BytesIO *)self)->lock);
        trace_track(v_obj(self));
    }
    return self;
}

/* Writes at the position; zeros fill a gap. */
static bool put(BytesIO *b, const char *p, size_t n) {
    if (n == 0)
        return true;
    if (!resizable(b) || !reserve(b, b->pos + n))
        return false;
    if (b->pos > b->len)
        memset(b->buf + b->len, 0, b->pos - b->len);
    memcpy(b->buf + b->pos, p, n);
    b->pos += n;
    if (b->pos > b->len)
        b->len = b->pos;
    return true;
}

static Value bytesio_init(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    Value init = arg_at(args, nargs, 0);
    Buffer view = {0};
    if (init != ABSENT && init != V_NONE && buffer_get(init, &view, false) < 0)
        return ABSENT;
    io_lock_enter_again(&b->lock);
    bool ok = resizable(b);
    if (ok) {
        b->len = b->pos = 0;
        b->closed = false;
        ok = !view.owner || put(b, view.data, (size_t)view.len);
        b->pos = 0;
    }
    io_lock_leave(&b->lock);
    if (view.owner)
        buffer_release(&view);
    return ok ? V_NONE : ABSENT;
}

static Value bytesio_write(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    Buffer view;
    if (b->closed)
        return err_set(&exc_ValueError, "I/O operation on closed file.");
    if (v_is_str(args[0]))
        return err_set(&exc_TypeError, "a bytes-like object is required, not 'str'");
    if (buffer_get(args[0], &view, false) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (enter(b)) {
        if (put(b, view.data, (size_t)view.len))
            r = v_from_int(view.len);
        leave(b, r);
    }
    buffer_release(&view);
    return r;
}

static size_t available(BytesIO *b, intptr_t n) {
    size_t left = b->pos < b->len ? b->len - b->pos : 0;
    return n < 0 || (size_t)n > left ? left : (size_t)n;
}
static Value take(BytesIO *b, size_t n) {
    Value v = bytes_from(b->buf ? b->buf + (b->pos < b->len ? b->pos : 0) : "", n);
    if (v != ABSENT)
        b->pos += n;
    return v;
}
static Value bytesio_read(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    intptr_t n;
    if (io_size_arg(arg_at(args, nargs, 0), &n) < 0 || !enter(b))
        return ABSENT;
    return leave(b, take(b, available(b, n)));
}
static Value bytesio_readline(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    intptr_t limit;
    if (io_size_arg(arg_at(args, nargs, 0), &limit) < 0 || !enter(b))
        return ABSENT;
    size_t n = available(b, limit);
    const char *nl = n ? memchr(b->buf + b->pos, '\n', n) : NULL;
    return leave(b, take(b, nl ? (size_t)(nl - (b->buf + b->pos)) + 1 : n));
}
static Value bytesio_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value line = bytesio_readline(self, NULL, 0, ABSENT);
    if (line == ABSENT || bytes_len(line) > 0)
        return line;
    release(line);
    return err_set_none(&exc_StopIteration);
}
static Value bytesio_readinto(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    Buffer view;
    if (buffer_get(args[0], &view, true) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (enter(b)) {
        size_t n = available(b, view.len);
        if (n)
            memcpy(view.data, b->buf + b->pos, n);
        b->pos += n;
        r = leave(b, v_from_int((int64_t)n));
    }
    buffer_release(&view);
    return r;
}
static Value bytesio_getvalue(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    return enter(b) ? leave(b, bytes_from(b->buf ? b->buf : "", b->len)) : ABSENT;
}

/* What exports the memory; while a buffer is out the stream cannot change its size. */
typedef struct BytesIOView {
    Object hdr;
    Ref stream;
    _Atomic(intptr_t) exports;
} BytesIOView;
static Type view_type;
static void view_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((BytesIOView *)self)->stream), arg);
}
static void count_exports(BytesIOView *v, BytesIO *b, intptr_t n) {
    atomic_fetch_add_explicit(&v->exports, n, memory_order_relaxed);
    atomic_fetch_add_explicit(&b->exports, n, memory_order_release); /* uses of the memory come before their end */
}
static void view_clear(Value self) {
    BytesIOView *v = (BytesIOView *)self;
    Value s = ref_swap(self, &v->stream, ABSENT);
    if (s != ABSENT)
        count_exports(v, (BytesIO *)s, -LOAD_RELAXED(&v->exports)); /* of garbage that is cleared after it */
    release(s);
}
static const TypeOps view_ops = {view_traverse, view_clear, NULL};
static int view_get(Value v, Buffer *out, bool writable) {
    BytesIO *b = (BytesIO *)ref_peek(&((BytesIOView *)v)->stream);
    if (!enter(b))
        return -1;
    bool ok = reserve(b, 1);
    if (ok) {
        count_exports((BytesIOView *)v, b, 1);
        out->data = b->buf;
        out->len = (intptr_t)b->len;
    }
    io_lock_leave(&b->lock);
    return ok ? 0 : -1;
}
static void view_release(Value v, Buffer *out) {
    Value s = ref_peek(&((BytesIOView *)v)->stream);
    if (s != ABSENT)
        count_exports((BytesIOView *)v, (BytesIO *)s, -1);
}
static Value bytesio_getbuffer(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exporter = obj_new(&view_type);
    if (exporter == ABSENT)
        return ABSENT;
    ref_init(&((BytesIOView *)exporter)->stream, retained(self));
    trace_track(v_obj(exporter));
    Value view = memoryview_new(exporter);
    release(exporter);
    return view;
}

static Value bytesio_seek(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    intptr_t pos;
    int whence = 0;
    if (num_as_index(args[0], &pos, &exc_OverflowError) < 0 || (nargs > 1 && num_as_int(args[1], &whence) < 0) ||
        !enter(b))
        return ABSENT;
    if (whence == 0 && pos < 0)
        return leave(b, err_set(&exc_ValueError, "negative seek value %zd", (ssize_t)pos));
    if (whence < 0 || whence > 2)
        return leave(b, err_set(&exc_ValueError, "invalid whence (%d, should be 0, 1 or 2)", whence));
    pos += whence == 1 ? (intptr_t)b->pos : whence == 2 ? (intptr_t)b->len : 0;
    b->pos = pos < 0 ? 0 : (size_t)pos;
    return leave(b, v_from_int((int64_t)b->pos));
}
static Value bytesio_tell(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    return enter(b) ? leave(b, v_from_int((int64_t)b->pos)) : ABSENT;
}
static Value bytesio_truncate(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    intptr_t n = -1;
    bool given = arg_at(args, nargs, 0) != ABSENT && args[0] != V_NONE;
    if (given && num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    if (given && n < 0)
        return err_set(&exc_ValueError, "negative size value %zd", (ssize_t)n);
    if (!enter(b))
        return ABSENT;
    size_t size = given ? (size_t)n : b->pos;
    if (!resizable(b))
        return leave(b, ABSENT);
    if (size < b->len)
        b->len = size;
    return leave(b, v_from_int((int64_t)size));
}
static Value bytesio_close(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    io_lock_enter_again(&b->lock);
    if (!resizable(b))
        return leave(b, ABSENT);
    b->closed = true;
    free(b->buf);
    b->buf = NULL;
    b->len = b->cap = 0;
    return leave(b, V_NONE);
}
static Value bytesio_true(Value self, Value *args, intptr_t nargs, Value kw) {
    return ((BytesIO *)self)->closed ? err_set(&exc_ValueError, "I/O operation on closed file.") : V_TRUE;
}
static Value bytesio_isatty(Value self, Value *args, intptr_t nargs, Value kw) {
    return ((BytesIO *)self)->closed ? err_set(&exc_ValueError, "I/O operation on closed file.") : V_FALSE;
}
static Value bytesio_flush(Value self, Value *args, intptr_t nargs, Value kw) {
    return ((BytesIO *)self)->closed ? err_set(&exc_ValueError, "I/O operation on closed file.") : V_NONE;
}
static Value bytesio_getstate(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIO *b = (BytesIO *)self;
    Value data = bytesio_getvalue(self, NULL, 0, ABSENT), dict, r = ABSENT;
    if (data == ABSENT)
        return ABSENT;
    dict = obj_get_dict(self);
    if (dict != ABSENT) {
        Value copy = dict_len(dict) ? dict_copy(dict) : V_NONE;
        if (copy != ABSENT)
            r = tuple_pack(3, data, v_from_int((int64_t)b->pos), copy);
        release(copy);
        release(dict);
    }
    release(data);
    return r;
}
static Value bytesio_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_tuple(args[0]) || tuple_len(args[0]) < 3)
        return err_set(&exc_TypeError, "%T.__setstate__ argument should be 3-tuple, got %T", self, args[0]);
    Value data = tuple_get(args[0], 0), pos = tuple_get(args[0], 1), dict = tuple_get(args[0], 2);
    if (bytesio_init(self, &data, 1, ABSENT) == ABSENT)
        return ABSENT;
    if (!v_is_integer(pos))
        return err_set(&exc_TypeError, "second item of state must be an integer, not %T", pos);
    if (bytesio_seek(self, &pos, 1, ABSENT) == ABSENT)
        return ABSENT;
    if (dict != V_NONE) {
        Value own = obj_get_dict(self);
        if (own == ABSENT)
            return ABSENT;
        int bad = dict_update(own, dict);
        release(own);
        if (bad < 0)
            return ABSENT;
    }
    return V_NONE;
}
static Value bytesio_get_closed(Value self) {
    return v_bool(((BytesIO *)self)->closed);
}

static void bytesio_fini(Value self) {
    free(((BytesIO *)self)->buf);
}
static const TypeOps bytesio_ops = {NULL, NULL, bytesio_fini};

static const NativeDef methods[] = {
    {"__new__", bytesio_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__init__", bytesio_init, "($self, initial_bytes=b'')"},
    {"read", bytesio_read, "($self, size=-1, /)"},
    {"read1", bytesio_read, "($self, size=-1, /)"},
    {"readline", bytesio_readline, "($self, size=-1, /)"},
    {"readinto", bytesio_readinto, "($self, buffer, /)"},
    {"readinto1", bytesio_readinto, "($self, buffer, /)"},
    {"write", bytesio_write, "($self, b, /)"},
    {"getvalue", bytesio_getvalue, "($self, /)"},
    {"getbuffer", bytesio_getbuffer, "($self, /)"},
    {"seek", bytesio_seek, "($self, pos, whence=0, /)"},
    {"tell", bytesio_tell, "($self, /)"},
    {"truncate", bytesio_truncate, "($self, size=None, /)"},
    {"close", bytesio_close, "($self, /)"},
    {"flush", bytesio_flush, "($self, /)"},
    {"readable", bytesio_true, "($self, /)"},
    {"writable", bytesio_true, "($self, /)"},
    {"seekable", bytesio_true, "($self, /)"},
    {"isatty", bytesio_isatty, "($self, /)"},
    {"__next__", bytesio_next, "($self, /)"},
    {"__getstate__", bytesio_getstate, "($self, /)"},
    {"__setstate__", bytesio_setstate, "($self, state, /)"},
    {NULL},
};
static const GetSetDef getsets[] = {{"closed", bytesio_get_closed}, {NULL}};

int io_bytes_init(Value m) {
    static const TypeSpec view = {
        .name = "_io._BytesIOBuffer", .basic_size = sizeof(BytesIOView), .flags = TF_NO_NEW, .ops = &view_ops};
    static const TypeSpec spec = {.name = "_io.BytesIO",
                                  .doc = "Buffered I/O implementation using an in-memory bytes buffer.",
                                  .base = &bufferediobase_type,
                                  .basic_size = sizeof(BytesIO),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                  .ops = &bytesio_ops,
                                  .methods = methods,
                                  .getsets = getsets};
    type_init_module_type(&view_type, &view);
    buffer_register(&view_type, view_get, view_release);
    type_init_module_type(&bytesio_type, &spec);
    return module_add_type(m, &bytesio_type);
}

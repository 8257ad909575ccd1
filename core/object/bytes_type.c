/* The type bytes: construction from Python, items, iteration. */
#include "heap.h"
#include "object/bytes_impl.h"
#include "object/codec.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/memoryview.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

Type bytes_type, bytes_iter_type;

int bytes_warning_level;

int bytes_warning(Value a, Value b) {
    if (LIKELY(bytes_warning_level == 0))
        return 0;
    if (v_is_str(b))
        return err_warn(&exc_BytesWarning, 1, "Comparison between bytes and string");
    if (v_is_integer(b))
        return err_warn(&exc_BytesWarning, 1, "Comparison between bytes and int");
    return 0;
}

/* ---- construction ---- */

static int append_item(BytesBuilder *b, Value item, const char *what) {
    if (!v_is_index(item)) {
        err_set(&exc_TypeError, "'%T' object cannot be interpreted as an integer", item);
        return -1;
    }
    int c = byte_value(item, what);
    if (c < 0)
        return -1;
    bb_byte(b, c);
    return 0;
}

int bb_object(BytesBuilder *b, Value v, bool bytearray) {
    const char *what = bytearray ? "byte" : "bytes";
    if (v_is_exact(v, IDX_MEMORYVIEW)) { /* strided ones too */
        Value bytes = memoryview_tobytes(v);
        if (bytes == ABSENT)
            return -1;
        bb_bytes(b, bytes_data(bytes), (size_t)bytes_len(bytes));
        release(bytes);
        return 0;
    }
    if (v_is_buffer(v)) {
        ByteView w;
        if (view_open(&w, v) < 0)
            return -1;
        bb_bytes(b, w.p, (size_t)w.n);
        view_close(&w);
        return 0;
    }
    Value item;
    if (v_is_exact(v, IDX_LIST) || v_is_exact(v, IDX_TUPLE)) {
        bool list = v_is_exact(v, IDX_LIST);
        for (intptr_t i = 0;; i++) {
            if (list)
                item = list_get(v, i);
            else
                item = i < tuple_len(v) ? retained(tuple_get(v, i)) : ABSENT;
            if (item == ABSENT)
                return 0;
            int r = append_item(b, item, what);
            release(item);
            if (r < 0)
                return -1;
        }
    }
    if (v_is_str(v) && !bytearray) {
        err_set(&exc_TypeError, "cannot convert '%T' object to %s", v, bytearray ? "bytearray" : "bytes");
        return -1;
    }
    Value it = obj_iter(v);
    if (it == ABSENT) {
        if (err_matches(&exc_TypeError))
            err_set(&exc_TypeError, "cannot convert '%T' object to %s", v, bytearray ? "bytearray" : "bytes");
        return -1;
    }
    while ((item = obj_next(it)) != ABSENT) {
        int r = append_item(b, item, what);
        release(item);
        if (r < 0)
            break;
    }
    release(it);
    return err_pending() ? -1 : 0;
}

Value bytes_from_object(Value v) {
    if (v_is_exact(v, IDX_BYTES))
        return retained(v);
    BytesBuilder b;
    bb_init(&b);
    if (bb_object(&b, v, false) < 0) {
        bb_free(&b);
        return ABSENT;
    }
    return bb_finish(&b);
}

Value bytes_special(Value v) {
    Value r = obj_call_special(v, SP_BYTES, NULL, 0);
    if (r == ABSENT || r == V_MARK || v_is_bytes(r))
        return r;
    err_set(&exc_TypeError, "__bytes__ returned non-bytes (type %T)", r);
    release(r);
    return ABSENT;
}

static Value as_class(Value cls, Value v) {
    if (v == ABSENT || cls == V_OF(&bytes_type))
        return v;
    size_t n = (size_t)bytes_len(v);
    char *data = heap_block(n + 1);
    Value r = data == NULL ? err_no_memory() : obj_new((Type *)cls);
    if (r == ABSENT || data == NULL) {
        heap_block_free(data);
    } else {
        memcpy(data, bytes_data(v), n + 1);
        ((Bytes *)r)->len_ext = n << 1 | 1;
        *(char **)((Bytes *)r + 1) = data;
    }
    release(v);
    return r;
}
static void fini(Value self) {
    Bytes *b = (Bytes *)self;
    if (UNLIKELY(b->len_ext & 1)) {
        char **data = (char **)(b + 1);
        heap_block_free(*data);
        *data = NULL;
    }
}

/* The names that bytes() and bytearray() take with a str. 0, or -1. */
static int codec_names(const char *type, Value enc, Value errors, const char **out) {
    Value a[2] = {enc, errors};
    for (int i = 0; i < 2; i++) {
        out[i] = NULL;
        if (a[i] == ABSENT)
            continue;
        if (!v_is_str(a[i])) {
            err_set(&exc_TypeError, "%s() argument '%s' must be str, not %T", type, i == 0 ? "encoding" : "errors",
                    a[i]);
            return -1;
        }
        if ((out[i] = str_utf8_nonul(a[i])) == NULL)
            return -1;
    }
    return 0;
}

int bytes_construct(const char *type, Value *args, intptr_t nargs, BytesBuilder *b, Value *out) {
    Value v = arg_at(args, nargs, 0), enc = arg_at(args, nargs, 1), errors = arg_at(args, nargs, 2);
    *out = ABSENT;
    if (v == ABSENT) {
        if (enc != ABSENT || errors != ABSENT) {
            err_set(&exc_TypeError,
                    enc != ABSENT ? "encoding without a string argument" : "errors without a string argument");
            return -1;
        }
        return 0;
    }
    if (enc != ABSENT || errors != ABSENT) {
        const char *names[2];
        if (!v_is_str(v)) {
            err_set(&exc_TypeError,
                    enc != ABSENT ? "encoding without a string argument" : "errors without a string argument");
            return -1;
        }
        if (enc == ABSENT) {
            err_set(&exc_TypeError, "string argument without an encoding");
            return -1;
        }
        if (codec_names(type, enc, errors, names) < 0)
            return -1;
        *out = str_encode(v, names[0], names[1]);
        return *out == ABSENT ? -1 : 0;
    }
    if (v_is_exact(v, IDX_BYTES)) {
        *out = retained(v);
        return 0;
    }
    Value special = strcmp(type, "bytes") == 0 ? bytes_special(v) : V_MARK;
    if (special != V_MARK) {
        *out = special;
        return special == ABSENT ? -1 : 0;
    }
    if (v_is_str(v)) {
        err_set(&exc_TypeError, "string argument without an encoding");
        return -1;
    }
    if (v_is_index(v)) {
        intptr_t n;
        if (num_as_index(v, &n, &exc_OverflowError) < 0) {
            if (!err_matches(&exc_TypeError))
                return -1;
            err_clear();
        } else {
            if (n < 0) {
                err_set(&exc_ValueError, "negative count");
                return -1;
            }
            bb_fill(b, 0, n);
            return 0;
        }
    }
    bool bytearray = strcmp(type, "bytearray") == 0;
    if (!bytearray && !v_is_buffer(v) && obj_length_hint(v, 0) < 0)
        return -1;
    return bb_object(b, v, bytearray);
}

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    BytesBuilder b;
    Value v;
    bb_init(&b);
    if (bytes_construct("bytes", args, nargs, &b, &v) < 0) {
        bb_free(&b);
        return ABSENT;
    }
    if (v != ABSENT) {
        if (cls == V_OF(&bytes_type))
            return v;
        bb_bytes(&b, bytes_data(v), (size_t)bytes_len(v));
        release(v);
    }
    return as_class(cls, bb_finish(&b));
}

static int hex_digit(uint32_t c) {
    return c - '0' < 10 ? (int)(c - '0') : (c | 32) - 'a' < 6 ? (int)((c | 32) - 'a' + 10) : -1;
}

int bb_fromhex(BytesBuilder *b, Value s) {
    if (!v_is_str(s)) {
        err_set(&exc_TypeError, "fromhex() argument must be str, not %T", s);
        return -1;
    }
    intptr_t n = str_len(s), i = 0;
    while (i < n) {
        uint32_t c = str_at(s, i);
        if (c == ' ' || (c >= 9 && c <= 13)) {
            i++;
            continue;
        }
        int hi = hex_digit(c);
        if (hi >= 0 && i + 1 < n) {
            int lo = hex_digit(str_at(s, i + 1));
            if (lo >= 0) {
                bb_byte(b, hi << 4 | lo);
                i += 2;
                continue;
            }
        }
        if (hi >= 0)
            i++;
        err_set(&exc_ValueError, "non-hexadecimal number found in fromhex() arg at position %zd", i);
        return -1;
    }
    return 0;
}

static Value m_fromhex(Value cls, Value *args, intptr_t nargs, Value kw) {
    BytesBuilder b;
    bb_init(&b);
    if (bb_fromhex(&b, args[0]) < 0) {
        bb_free(&b);
        return ABSENT;
    }
    Value v = bb_finish(&b);
    if (v == ABSENT || cls == V_OF(&bytes_type))
        return v;
    Value r = obj_call1(cls, v);
    release(v);
    return r;
}

/* ---- operators ---- */

static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = args[0];
    if (!v_is_buffer(o)) {
        if (seq_defers(o, SP_RADD))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can't concat %T to %T", o, self);
    }
    if (bytes_len(self) == 0 && v_is_exact(o, IDX_BYTES))
        return retained(o);
    if (v_is_exact(self, IDX_BYTES) && v_is_bytes(o) && bytes_len(o) == 0)
        return retained(self);
    return bytes_concat(self, o);
}
static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(bytes_len(self));
}
static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return bytes_repr(bytes_data(self), (size_t)bytes_len(self));
}
static Value m_str(Value self, Value *args, intptr_t nargs, Value kw) {
    if (bytes_warning_level > 0 && err_warn(&exc_BytesWarning, 1, "str() on a bytes instance") < 0)
        return ABSENT;
    return m_repr(self, NULL, 0, ABSENT);
}
static Value m_bytes(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_is_exact(self, IDX_BYTES) ? retained(self) : bytes_from(bytes_data(self), (size_t)bytes_len(self));
}
static Value m_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    Bytes *b = (Bytes *)self;
    uint32_t h = LOAD_RELAXED(&b->hash);
    if (h == 0) {
        h = str_hash_bytes(bytes_data(self), (size_t)bytes_len(self));
        STORE_RELAXED(&b->hash, h);
    }
    return v_from_int(h);
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value key = args[0];
    intptr_t i, n = bytes_len(self);
    const char *p = bytes_data(self);
    if (v_is_exact(key, IDX_SLICE)) {
        intptr_t lo, hi, step, k = slice_indices(key, n, &lo, &hi, &step);
        if (k < 0)
            return ABSENT;
        if (step == 1 || k == 0)
            return k == n && v_is_exact(self, IDX_BYTES) ? retained(self)
                                                         : bytes_from(p + (k == 0 ? 0 : lo), (size_t)k);
        Value r = bytes_from(NULL, (size_t)k);
        if (r != ABSENT)
            for (i = 0; i < k; i++)
                bytes_data(r)[i] = p[lo + i * step];
        return r;
    }
    if (LIKELY(v_is_int(key)))
        i = v_int(key);
    else if (!v_is_index(key))
        return err_set(&exc_TypeError, "byte indices must be integers or slices, not %T", key);
    else if (num_as_index(key, &i, &exc_IndexError) < 0)
        return ABSENT;
    if (i < 0)
        i += n;
    if (i < 0 || i >= n)
        return err_set(&exc_IndexError, "index out of range");
    return v_from_int((uint8_t)p[i]);
}

static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int((intptr_t)(MAX(sizeof(Bytes) + 8, offsetof(Bytes, data) + (size_t)bytes_len(self) + 1)));
}
static Value m_getnewargs(Value self, Value *args, intptr_t nargs, Value kw) {
    Value b = bytes_from(bytes_data(self), (size_t)bytes_len(self));
    return b == ABSENT ? ABSENT : tuple_from_steal(&b, 1);
}

/* ---- iterator ---- */

typedef struct BytesIter {
    Object hdr;
    Ref bytes; /* fixed */
    _Atomic(intptr_t) next;
} BytesIter;

static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((BytesIter *)self)->bytes), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &((BytesIter *)self)->bytes);
}
static const TypeOps iter_ops = {.traverse = iter_traverse, .clear = iter_clear};

static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    Value it = obj_new(&bytes_iter_type);
    if (it != ABSENT) {
        ref_init(&((BytesIter *)it)->bytes, retained(self));
        trace_track(v_obj(it));
    }
    return it;
}
static Value iter_next(Value it) {
    BytesIter *b = (BytesIter *)it;
    Value bytes = ref_peek(&b->bytes);
    intptr_t n = bytes_len(bytes), i = LOAD_RELAXED(&b->next);
    if (i >= n)
        return ABSENT;
    if (EXCL_PARALLEL)
        i = atomic_fetch_add_explicit(&b->next, 1, memory_order_relaxed);
    else
        STORE_RELAXED(&b->next, i + 1);
    return i < n ? v_from_int((uint8_t)bytes_data(bytes)[i]) : ABSENT;
}
static Value mi_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value mi_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = iter_next(self);
    return v == ABSENT ? err_stop_iteration(ABSENT) : v;
}
static Value mi_length_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIter *b = (BytesIter *)self;
    return v_from_int(MAX(bytes_len(ref_peek(&b->bytes)) - LOAD_RELAXED(&b->next), 0));
}
static Value mi_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIter *b = (BytesIter *)self;
    Value bytes = ref_peek(&b->bytes), iter = import_attr("builtins", "iter"), r = ABSENT;
    if (iter == ABSENT)
        return ABSENT;
    intptr_t i = LOAD_RELAXED(&b->next);
    Value inner = tuple_pack(1, bytes);
    if (inner != ABSENT)
        r = tuple_pack(3, iter, inner, v_from_int(MIN(i, bytes_len(bytes))));
    release(inner);
    release(iter);
    return r;
}
static Value mi_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesIter *b = (BytesIter *)self;
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    STORE_RELAXED(&b->next, MIN(MAX(i, 0), bytes_len(ref_peek(&b->bytes))));
    return V_NONE;
}
static const NativeDef iter_methods[] = {
    {"__iter__", mi_iter, "($self, /)"},
    {"__next__", mi_next, "($self, /)"},
    {"__length_hint__", mi_length_hint, "($self, /)"},
    {"__reduce__", mi_reduce, "($self, /)"},
    {"__setstate__", mi_setstate, "($self, state, /)"},
    {NULL},
};
static const TypeSpec iter_spec = {
    .name = "bytes_iterator",
    .basic_size = sizeof(BytesIter),
    .flags = TF_IMMUTABLE | TF_NO_NEW,
    .ops = &iter_ops,
    .methods = iter_methods,
};

/* ---- the type ---- */

static const NativeDef own_methods[] = {
    {"__new__", m_new, "($type, source=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)"},
    {"fromhex", m_fromhex, "($type, string, /)", NF_CLASS},
    {"__add__", m_add, "($self, value, /)"},
    {"__len__", m_len, "($self, /)"},
    {"__repr__", m_repr, "($self, /)"},
    {"__str__", m_str, "($self, /)"},
    {"__bytes__", m_bytes, "($self, /)"},
    {"__hash__", m_hash, "($self, /)"},
    {"__getitem__", m_getitem, "($self, key, /)"},
    {"__iter__", m_iter, "($self, /)"},
    {"__sizeof__", m_sizeof, "($self, /)"},
    {"__getnewargs__", m_getnewargs, "($self, /)"},
    {NULL},
};
static NativeDef all_methods[ARRAY_LEN(own_methods) + 64];
static const TypeOps ops = {.fini = fini};
static const TypeSpec spec = {
    .name = "bytes",
    .doc = "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\n"
           "bytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\n"
           "bytes(int) -> bytes object of size given by the parameter initialized with null bytes\n"
           "bytes() -> empty bytes object",
    .basic_size = sizeof(Bytes) + sizeof(char *),
    .flags = TF_BASETYPE | TF_IMMUTABLE | TF_BYTES | TF_UNTRACKED,
    .ops = &ops,
    .methods = all_methods,
};

void methods_merge(NativeDef *to, size_t room, const NativeDef *const *parts, size_t n) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (const NativeDef *d = parts[i]; d->name != NULL; d++) {
            if (k + 1 >= room)
                fatal("too many methods");
            to[k++] = *d;
        }
}

void bytes_init(void) {
    const NativeDef *parts[] = {own_methods, bytes_shared_methods};
    methods_merge(all_methods, ARRAY_LEN(all_methods), parts, 2);
    type_init_static(&bytes_type, IDX_BYTES, &spec);
    type_init_static(&bytes_iter_type, IDX_BYTES_ITER, &iter_spec);
    iter_register(&bytes_iter_type, iter_next);
}

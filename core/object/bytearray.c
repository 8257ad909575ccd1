/* bytearray: see bytes.h. Everything that reads or changes the block holds the object's section; nothing in a section
 * allocates, so the new memory that a change may need is prepared outside and the change starts over when it does not
 * suffice. */
#include "heap.h"
#include "object/bytes_impl.h"
#include "object/codec.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

Type bytearray_type, bytearray_iter_type;

static ByteArray *ba(Value v) {
    return (ByteArray *)v;
}
static char *items(ByteArray *a) {
    return a->block == NULL ? NULL : a->block + a->start;
}

static void exported(void) {
    err_set(&exc_BufferError, "Existing exports of data: object cannot be re-sized");
}

/* A section for a change of size: refused (false, BufferError) while buffers are exported. */
static bool open_section(ExclCs *cs, Value v) {
    excl_cs_begin(cs, v);
    if (LIKELY(LOAD_ACQUIRE(&ba(v)->exports) == 0))
        return true;
    excl_cs_end(cs);
    exported();
    return false;
}

/* Replaces [lo, hi) by n bytes of p, inside the section, when the block has room: true. Else *need is the size a new
 * block must have. */
static bool splice_fits(ByteArray *a, size_t lo, size_t hi, const char *p, size_t n, size_t *need) {
    size_t len = a->len - (hi - lo) + n, tail = a->len - hi;
    char *d = items(a);
    if (len == 0 && a->block == NULL)
        return true;
    if (a->block == NULL || (n > hi - lo && a->start + len >= a->cap)) {
        if (a->block == NULL || len >= a->cap) {
            *need = len + 1;
            return false;
        }
        /* There is room in front: it is reclaimed when it is at least half of the block, or the cost would not be
         * amortised. */
        if (a->start < a->cap / 2) {
            *need = len + 1;
            return false;
        }
        memmove(a->block, d, a->len);
        a->start = 0;
        d = a->block;
    }
    if (lo == 0 && n < hi - lo) { /* cut off in front: nothing moves but the start */
        a->start += hi - lo - n;
        d = items(a);
    } else if (n != hi - lo)
        memmove(d + lo + n, d + hi, tail);
    if (n > 0)
        memmove(d + lo, p, n);
    a->len = len;
    d[len] = '\0';
    return true;
}

/* The bounds of a change, given anew each time the section is entered. */
typedef void (*BoundsFn)(ByteArray *a, void *arg, size_t *lo, size_t *hi);

/* Replaces what bounds says by n bytes of p (not part of the array). 0, -1. */
static int splice(Value v, BoundsFn bounds, void *arg, const char *p, size_t n) {
    ByteArray *a = ba(v);
    char *fresh = NULL;
    size_t cap = 0, need = 0, lo, hi;
    for (;;) {
        ExclCs cs;
        excl_cs_begin(&cs, v);
        bounds(a, arg, &lo, &hi);
        if (hi - lo != n && LOAD_ACQUIRE(&a->exports) != 0) {
            excl_cs_end(&cs);
            heap_block_free(fresh);
            exported();
            return -1;
        }
        size_t len = a->len - (hi - lo) + n;
        char *old = NULL;
        if (fresh != NULL && len < cap && hi - lo != n) { /* a change that keeps the size is made in place: exports */
            if (a->len > 0) {
                memcpy(fresh, items(a), lo);
                memcpy(fresh + lo + n, items(a) + hi, a->len - hi);
            }
            if (n > 0)
                memcpy(fresh + lo, p, n);
            fresh[len] = '\0';
            old = a->block;
            a->block = fresh, a->start = 0, a->cap = cap, a->len = len;
            excl_cs_end(&cs);
            heap_block_free(old);
            return 0;
        }
        if (splice_fits(a, lo, hi, p, n, &need)) {
            if (a->len < a->cap / 4 && a->cap > 4096 && LOAD_RELAXED(&a->exports) == 0 && fresh == NULL) {
                size_t keep = a->len; /* much too large by now: shrink */
                excl_cs_end(&cs);
                char *less = heap_block(keep + keep / 8 + 64);
                if (less == NULL)
                    return 0;
                excl_cs_begin(&cs, v);
                if (a->len <= keep && LOAD_ACQUIRE(&a->exports) == 0 && a->block != NULL) {
                    memcpy(less, items(a), a->len + 1);
                    old = a->block;
                    a->block = less, a->start = 0, a->cap = keep + keep / 8 + 64;
                    less = NULL;
                }
                excl_cs_end(&cs);
                heap_block_free(old);
                heap_block_free(less);
                return 0;
            }
            excl_cs_end(&cs);
            heap_block_free(fresh);
            return 0;
        }
        excl_cs_end(&cs);
        heap_block_free(fresh);
        cap = need + need / 8 + (need < 9 ? 3 : 6);
        cap = MAX(cap, 16);
        if (cap < need || (fresh = heap_block(cap)) == NULL) {
            err_no_memory();
            return -1;
        }
    }
}

static void bounds_end(ByteArray *a, void *arg, size_t *lo, size_t *hi) {
    *lo = *hi = a->len;
}
static void bounds_all(ByteArray *a, void *arg, size_t *lo, size_t *hi) {
    *lo = 0;
    *hi = a->len;
}
typedef struct Bounds {
    size_t lo, hi;
} Bounds;
static void bounds_fixed(ByteArray *a, void *arg, size_t *lo, size_t *hi) {
    *hi = MIN(((Bounds *)arg)->hi, a->len);
    *lo = MIN(((Bounds *)arg)->lo, *hi);
}

static int append(Value v, const char *p, size_t n) {
    return splice(v, bounds_end, NULL, p, n);
}

/* ---- construction ---- */

Value bytearray_from(const char *s, size_t n) {
    Value v = obj_new(&bytearray_type);
    if (v == ABSENT || n == 0)
        return v;
    char *d = heap_block(n + 1);
    if (d == NULL) {
        release(v);
        return err_no_memory();
    }
    if (s != NULL)
        memcpy(d, s, n);
    else
        memset(d, 0, n);
    d[n] = '\0';
    ba(v)->block = d;
    ba(v)->cap = n + 1;
    ba(v)->len = n;
    return v;
}

static void fini(Value self) {
    heap_block_free(ba(self)->block);
    ba(self)->block = NULL;
}

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return obj_new((Type *)cls);
}

static Value m_init(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesBuilder b;
    Value v;
    bb_init(&b);
    if (bytes_construct("bytearray", args, nargs, &b, &v) < 0 || b.failed) {
        if (b.failed)
            err_no_memory();
        bb_free(&b);
        return ABSENT;
    }
    int r;
    if (v != ABSENT)
        r = splice(self, bounds_all, NULL, bytes_data(v), (size_t)bytes_len(v));
    else
        r = splice(self, bounds_all, NULL, b.data, b.len);
    release(v);
    bb_free(&b);
    return r < 0 ? ABSENT : V_NONE;
}

static Value m_fromhex(Value cls, Value *args, intptr_t nargs, Value kw) {
    BytesBuilder b;
    bb_init(&b);
    if (bb_fromhex(&b, args[0]) < 0) {
        bb_free(&b);
        return ABSENT;
    }
    Value v = bb_finish_bytearray(&b);
    if (v == ABSENT || cls == V_OF(&bytearray_type))
        return v;
    Value r = obj_call1(cls, v);
    release(v);
    return r;
}

/* ---- reading ---- */

static size_t current_len(Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, v);
    size_t n = ba(v)->len;
    excl_cs_end(&cs);
    return n;
}

static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int((intptr_t)current_len(self));
}

/* As the repr of bytes, but that a single quote is escaped within double quotes too. */
static Value repr_text(const char *p, size_t n) {
    Value r = bytes_repr(p, n);
    if (r == ABSENT || str_at(r, 1) != '"')
        return r;
    Value quoted = str_replace(r, str_from_char('\''), ID("\\'"), -1);
    release(r);
    return quoted;
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView w;
    if (view_open(&w, self) < 0)
        return ABSENT;
    Value inner = repr_text(w.p, (size_t)w.n);
    view_close(&w);
    if (inner == ABSENT)
        return ABSENT;
    Value r = str_format_c("%s(%S)", type_cname(type_of(self)), inner);
    release(inner);
    return r;
}
static Value m_str(Value self, Value *args, intptr_t nargs, Value kw) {
    if (bytes_warning_level > 0 && err_warn(&exc_BytesWarning, 1, "str() on a bytearray instance") < 0)
        return ABSENT;
    return m_repr(self, NULL, 0, ABSENT);
}

/* An index argument: 0, -1. */
static int index_arg(Value key, intptr_t *i) {
    if (LIKELY(v_is_int(key))) {
        *i = v_int(key);
        return 0;
    }
    if (!v_is_index(key)) {
        err_set(&exc_TypeError, "bytearray indices must be integers or slices, not %T", key);
        return -1;
    }
    return num_as_index(key, i, &exc_IndexError);
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (v_is_exact(args[0], IDX_SLICE)) {
        intptr_t lo, hi, step, k = slice_indices(args[0], (intptr_t)current_len(self), &lo, &hi, &step);
        if (k < 0)
            return ABSENT;
        ByteView w;
        if (view_open(&w, self) < 0)
            return ABSENT;
        Value r = bytearray_from(NULL, (size_t)k);
        if (r != ABSENT)
            for (i = 0; i < k && lo + i * step < w.n; i++)
                ba(r)->block[i] = w.p[lo + i * step];
        view_close(&w);
        return r;
    }
    if (index_arg(args[0], &i) < 0)
        return ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    intptr_t n = (intptr_t)ba(self)->len;
    if (i < 0)
        i += n;
    int c = i >= 0 && i < n ? (uint8_t)items(ba(self))[i] : -1;
    excl_cs_end(&cs);
    return c < 0 ? err_set(&exc_IndexError, "bytearray index out of range") : v_from_int(c);
}

static Value m_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView w;
    if (view_open(&w, self) < 0)
        return ABSENT;
    Value r = bytearray_from(w.p, (size_t)w.n);
    view_close(&w);
    return r;
}
static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView a, b;
    if (!v_is_buffer(args[0])) {
        if (seq_defers(args[0], SP_RADD))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can't concat %T to %T", args[0], self);
    }
    if (view_open(&a, self) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (view_open(&b, args[0]) == 0) {
        r = bytearray_from(NULL, (size_t)(a.n + b.n));
        if (r != ABSENT && a.n + b.n > 0) {
            memcpy(ba(r)->block, a.p, (size_t)a.n);
            memcpy(ba(r)->block + a.n, b.p, (size_t)b.n);
        }
        view_close(&b);
    }
    view_close(&a);
    return r;
}
static Value m_alloc(Value self, Value *args, intptr_t nargs, Value kw) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    size_t n = ba(self)->cap;
    excl_cs_end(&cs);
    return v_from_int((intptr_t)n);
}
static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(v_int(m_alloc(self, NULL, 0, ABSENT)) + (intptr_t)sizeof(ByteArray));
}

static Value reduce(Value self, int proto) {
    ByteView w;
    if (view_open(&w, self) < 0)
        return ABSENT;
    Value args = ABSENT, state = ABSENT, r = ABSENT;
    if (proto < 3) {
        Value text = str_from_latin1(w.p, (size_t)w.n);
        if (text != ABSENT)
            args = w.n > 0 ? tuple_pack(2, text, ID("latin-1")) : retained(tuple_empty());
        release(text);
    } else {
        Value b = bytes_from(w.p, (size_t)w.n);
        if (b != ABSENT)
            args = w.n > 0 ? tuple_pack(1, b) : retained(tuple_empty());
        release(b);
    }
    view_close(&w);
    if (args != ABSENT) {
        state = obj_call_method_str(self, "__getstate__", NULL, 0);
        if (state != ABSENT)
            r = tuple_pack(3, V_OF(type_of(self)), args, state);
    }
    release(args);
    release(state);
    return r;
}
static Value m_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return reduce(self, 2);
}
static Value m_reduce_ex(Value self, Value *args, intptr_t nargs, Value kw) {
    int proto = 0;
    if (nargs > 0 && args[0] != ABSENT && num_as_int(args[0], &proto) < 0)
        return ABSENT;
    return reduce(self, proto);
}

/* ---- changing ---- */

static Value m_append(Value self, Value *args, intptr_t nargs, Value kw) {
    int c = byte_value(args[0], "byte");
    if (c < 0)
        return ABSENT;
    char b = (char)c;
    ByteArray *a = ba(self);
    ExclCs cs;
    excl_cs_begin(&cs, self);
    if (LIKELY(a->block != NULL && a->start + a->len + 1 < a->cap && LOAD_ACQUIRE(&a->exports) == 0)) {
        items(a)[a->len++] = b;
        items(a)[a->len] = '\0';
        excl_cs_end(&cs);
        return V_NONE;
    }
    excl_cs_end(&cs);
    return append(self, &b, 1) < 0 ? ABSENT : V_NONE;
}

static Value m_extend(Value self, Value *args, intptr_t nargs, Value kw) {
    BytesBuilder b;
    Value v = args[0];
    bb_init(&b);
    if (!v_is_buffer(v) && type_special(type_of(v), SP_ITER) == ABSENT &&
        type_special(type_of(v), SP_GETITEM) == ABSENT)
        return err_set(&exc_TypeError, "can't extend bytearray with %T", v);
    int r = -1;
    if ((v_is_buffer(v) || obj_length_hint(v, 0) >= 0) && bb_object(&b, v, true) == 0) {
        if (b.failed)
            err_no_memory();
        else
            r = append(self, b.data, b.len);
    }
    bb_free(&b);
    return r < 0 ? ABSENT : V_NONE;
}
static Value m_iadd(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView w;
    if (!v_is_obj(args[0]) || !v_is_buffer(args[0]))
        return err_set(&exc_TypeError, "can't concat %T to %T", args[0], self);
    /* a += a: the view of a would move. */
    if (args[0] == self) {
        Value copy = m_copy(self, NULL, 0, ABSENT);
        if (copy == ABSENT)
            return ABSENT;
        int r = append(self, items(ba(copy)), ba(copy)->len);
        release(copy);
        return r < 0 ? ABSENT : retained(self);
    }
    if (view_open(&w, args[0]) < 0)
        return ABSENT;
    int r = append(self, w.p, (size_t)w.n);
    view_close(&w);
    return r < 0 ? ABSENT : retained(self);
}
static Value m_imul(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_index(args[0])) {
        if (seq_defers(args[0], SP_RMUL))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", args[0]);
    }
    intptr_t n, total;
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    ByteView w;
    if (view_open(&w, self) < 0)
        return ABSENT;
    BytesBuilder b;
    bb_init(&b);
    int r = -1;
    if (n < 0)
        n = 0;
    if (__builtin_mul_overflow(w.n, n, &total))
        b.failed = true;
    else if (total > 0 && bb_room(&b, (size_t)total)) {
        bb_bytes(&b, w.p, (size_t)w.n);
        while ((intptr_t)b.len < total)
            bb_bytes(&b, b.data, MIN(b.len, (size_t)total - b.len));
    }
    view_close(&w);
    if (b.failed)
        err_no_memory();
    else
        r = splice(self, bounds_all, NULL, b.data, b.len);
    bb_free(&b);
    return r < 0 ? ABSENT : retained(self);
}

static void bounds_insert(ByteArray *a, void *arg, size_t *lo, size_t *hi) {
    intptr_t i = *(intptr_t *)arg, n = (intptr_t)a->len;
    if (i < 0)
        i = MAX(i + n, 0);
    *lo = *hi = (size_t)MIN(i, n);
}
static Value m_insert(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    int c = byte_value(args[1], "byte");
    if (c < 0)
        return ABSENT;
    char b = (char)c;
    return splice(self, bounds_insert, &i, &b, 1) < 0 ? ABSENT : V_NONE;
}

static Value m_pop(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = -1;
    Value arg = arg_at(args, nargs, 0);
    if (arg != ABSENT && num_as_index(arg, &i, &exc_IndexError) < 0)
        return ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    ByteArray *a = ba(self);
    intptr_t n = (intptr_t)a->len;
    if (i < 0)
        i += n;
    int c = -1;
    bool busy = LOAD_ACQUIRE(&a->exports) != 0;
    if (i >= 0 && i < n && !busy) {
        size_t need;
        c = (uint8_t)items(a)[i];
        splice_fits(a, (size_t)i, (size_t)i + 1, NULL, 0, &need);
    }
    excl_cs_end(&cs);
    if (c >= 0)
        return v_from_int(c);
    if (n == 0)
        return err_set(&exc_IndexError, "pop from empty bytearray");
    if (i < 0 || i >= n)
        return err_set(&exc_IndexError, "pop index out of range");
    exported();
    return ABSENT;
}

static Value m_remove(Value self, Value *args, intptr_t nargs, Value kw) {
    int c = byte_value(args[0], "byte");
    if (c < 0)
        return ABSENT;
    ExclCs cs;
    if (!open_section(&cs, self))
        return ABSENT;
    ByteArray *a = ba(self);
    char *at = a->len > 0 ? memchr(items(a), c, a->len) : NULL;
    if (at != NULL) {
        size_t need, i = (size_t)(at - items(a));
        splice_fits(a, i, i + 1, NULL, 0, &need);
    }
    excl_cs_end(&cs);
    return at != NULL ? V_NONE : err_set(&exc_ValueError, "value not found in bytearray");
}

static Value m_reverse(Value self, Value *args, intptr_t nargs, Value kw) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    char *p = items(ba(self));
    for (size_t i = 0, n = ba(self)->len; i < n / 2; i++) {
        char t = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = t;
    }
    excl_cs_end(&cs);
    return V_NONE;
}
static Value m_clear(Value self, Value *args, intptr_t nargs, Value kw) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    ByteArray *a = ba(self);
    if (a->len > 0 && LOAD_ACQUIRE(&a->exports) != 0) {
        excl_cs_end(&cs);
        exported();
        return ABSENT;
    }
    char *old = a->block;
    a->block = NULL, a->len = a->start = a->cap = 0;
    excl_cs_end(&cs);
    heap_block_free(old);
    return V_NONE;
}

/* Removes k items from lo on, `step` apart. */
static int delete_stepped(Value self, intptr_t lo, intptr_t step, intptr_t k) {
    if (step < 0) {
        lo += step * (k - 1);
        step = -step;
    }
    ExclCs cs;
    if (!open_section(&cs, self))
        return -1;
    ByteArray *a = ba(self);
    char *p = items(a);
    size_t to = 0, gone = 0;
    for (size_t i = 0; i < a->len; i++)
        if ((intptr_t)i >= lo && (intptr_t)gone < k && ((intptr_t)i - lo) % step == 0)
            gone++;
        else
            p[to++] = p[i];
    a->len = to;
    if (p != NULL)
        p[to] = '\0';
    excl_cs_end(&cs);
    return 0;
}

static int set_slice(Value self, Value slice, const char *p, size_t n, bool del) {
    intptr_t lo, hi, step, k = slice_indices(slice, (intptr_t)current_len(self), &lo, &hi, &step);
    if (k < 0)
        return -1;
    if (step == 1) {
        Bounds b = {(size_t)lo, (size_t)MAX(hi, lo)};
        return splice(self, bounds_fixed, &b, p, n);
    }
    if (del || n == 0)
        return k == 0 ? 0 : delete_stepped(self, lo, step, k);
    if ((intptr_t)n != k) {
        err_set(&exc_ValueError, "attempt to assign bytes of size %zd to extended slice of size %zd", (intptr_t)n, k);
        return -1;
    }
    ExclCs cs;
    excl_cs_begin(&cs, self);
    for (intptr_t i = 0; i < k; i++)
        if (lo + i * step < (intptr_t)ba(self)->len)
            items(ba(self))[lo + i * step] = p[i];
    excl_cs_end(&cs);
    return 0;
}

static Value m_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value key = args[0], v = args[1];
    intptr_t i;
    if (v_is_exact(key, IDX_SLICE)) {
        BytesBuilder b;
        bb_init(&b);
        int r = -1;
        if (v_is_index(v) || v_is_str(v))
            err_set(&exc_TypeError, "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
        else if (bb_object(&b, v, true) == 0) {
            if (b.failed)
                err_no_memory();
            else
                r = set_slice(self, key, b.data, b.len, false);
        }
        bb_free(&b);
        return r < 0 ? ABSENT : V_NONE;
    }
    if (index_arg(key, &i) < 0)
        return ABSENT;
    int c = byte_value(v, "byte");
    if (c < 0)
        return ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    intptr_t n = (intptr_t)ba(self)->len;
    if (i < 0)
        i += n;
    bool ok = i >= 0 && i < n;
    if (ok)
        items(ba(self))[i] = (char)c;
    excl_cs_end(&cs);
    return ok ? V_NONE : err_set(&exc_IndexError, "bytearray index out of range");
}

static Value m_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (v_is_exact(args[0], IDX_SLICE))
        return set_slice(self, args[0], NULL, 0, true) < 0 ? ABSENT : V_NONE;
    if (index_arg(args[0], &i) < 0)
        return ABSENT;
    ExclCs cs;
    if (!open_section(&cs, self))
        return ABSENT;
    intptr_t n = (intptr_t)ba(self)->len;
    size_t need;
    if (i < 0)
        i += n;
    bool ok = i >= 0 && i < n;
    if (ok)
        splice_fits(ba(self), (size_t)i, (size_t)i + 1, NULL, 0, &need);
    excl_cs_end(&cs);
    return ok ? V_NONE : err_set(&exc_IndexError, "bytearray index out of range");
}

/* ---- iterator ---- */

typedef struct ByteArrayIter {
    Object hdr;
    Ref array;              /* fixed */
    _Atomic(intptr_t) next; /* negative: exhausted for ever */
} ByteArrayIter;

static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((ByteArrayIter *)self)->array), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &((ByteArrayIter *)self)->array);
}
static const TypeOps iter_ops = {.traverse = iter_traverse, .clear = iter_clear};

static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    Value it = obj_new(&bytearray_iter_type);
    if (it != ABSENT) {
        ref_init(&((ByteArrayIter *)it)->array, retained(self));
        trace_track(v_obj(it));
    }
    return it;
}
static Value iter_next(Value it) {
    ByteArrayIter *b = (ByteArrayIter *)it;
    Value v = ref_peek(&b->array);
    ExclCs cs;
    excl_cs_begin(&cs, v); /* the array's section orders users of one iterator too */
    intptr_t i = LOAD_RELAXED(&b->next);
    int c = -1;
    if (i >= 0) {
        if (i < (intptr_t)ba(v)->len) {
            c = (uint8_t)items(ba(v))[i];
            STORE_RELAXED(&b->next, i + 1);
        } else
            STORE_RELAXED(&b->next, -1);
    }
    excl_cs_end(&cs);
    return c < 0 ? ABSENT : v_from_int(c);
}
static Value mi_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value mi_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = iter_next(self);
    return v == ABSENT ? err_stop_iteration(ABSENT) : v;
}
static Value mi_length_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteArrayIter *b = (ByteArrayIter *)self;
    intptr_t i = LOAD_RELAXED(&b->next);
    return v_from_int(i < 0 ? 0 : MAX((intptr_t)current_len(ref_peek(&b->array)) - i, 0));
}
static Value mi_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteArrayIter *b = (ByteArrayIter *)self;
    Value iter = import_attr("builtins", "iter"), r = ABSENT;
    if (iter == ABSENT)
        return ABSENT;
    intptr_t i = LOAD_RELAXED(&b->next);
    Value inner = i >= 0 ? tuple_pack(1, ref_peek(&b->array)) : tuple_pack(1, tuple_empty());
    if (inner != ABSENT)
        r = i >= 0 ? tuple_pack(3, iter, inner, v_from_int(i)) : tuple_pack(2, iter, inner);
    release(inner);
    release(iter);
    return r;
}
static Value mi_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteArrayIter *b = (ByteArrayIter *)self;
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    if (LOAD_RELAXED(&b->next) >= 0)
        STORE_RELAXED(&b->next, MAX(i, 0));
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
    .name = "bytearray_iterator",
    .basic_size = sizeof(ByteArrayIter),
    .flags = TF_IMMUTABLE | TF_NO_NEW,
    .ops = &iter_ops,
    .methods = iter_methods,
};

/* ---- the type ---- */

static const NativeDef own_methods[] = {
    {"__new__", m_new, "($type, *args, **kwargs)"},
    {"__init__", m_init, "($self, /, source=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)"},
    {"fromhex", m_fromhex, "($type, string, /)", NF_CLASS},
    {"__len__", m_len, "($self, /)"},
    {"__repr__", m_repr, "($self, /)"},
    {"__str__", m_str, "($self, /)"},
    {"__getitem__", m_getitem, "($self, key, /)"},
    {"__setitem__", m_setitem, "($self, key, value, /)"},
    {"__delitem__", m_delitem, "($self, key, /)"},
    {"__iter__", m_iter, "($self, /)"},
    {"__add__", m_add, "($self, value, /)"},
    {"__iadd__", m_iadd, "($self, value, /)"},
    {"__imul__", m_imul, "($self, value, /)"},
    {"__alloc__", m_alloc, "($self, /)"},
    {"__sizeof__", m_sizeof, "($self, /)"},
    {"__reduce__", m_reduce, "($self, /)"},
    {"__reduce_ex__", m_reduce_ex, "($self, proto=0, /)"},
    {"append", m_append, "($self, item, /)"},
    {"extend", m_extend, "($self, iterable_of_ints, /)"},
    {"insert", m_insert, "($self, index, item, /)"},
    {"pop", m_pop, "($self, index=-1, /)"},
    {"remove", m_remove, "($self, value, /)"},
    {"reverse", m_reverse, "($self, /)"},
    {"clear", m_clear, "($self, /)"},
    {"copy", m_copy, "($self, /)"},
    {NULL},
};
static NativeDef all_methods[ARRAY_LEN(own_methods) + 64];
static const TypeOps ops = {.fini = fini};
static const TypeSpec spec = {
    .name = "bytearray",
    .doc = "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\n"
           "bytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\n"
           "bytearray(int) -> bytes array of size given by the parameter initialized with null bytes\n"
           "bytearray() -> empty bytes array",
    .basic_size = sizeof(ByteArray),
    .flags = TF_BASETYPE | TF_IMMUTABLE | TF_UNTRACKED,
    .ops = &ops,
    .methods = all_methods,
};

void bytearray_init(void) {
    const NativeDef *parts[] = {own_methods, bytes_shared_methods};
    methods_merge(all_methods, ARRAY_LEN(all_methods), parts, 2);
    type_init_static(&bytearray_type, IDX_BYTEARRAY, &spec);
    type_init_static(&bytearray_iter_type, IDX_BYTEARRAY_ITER, &iter_spec);
    iter_register(&bytearray_iter_type, iter_next);
}

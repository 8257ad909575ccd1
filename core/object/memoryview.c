/* memoryview: see memoryview.h. */
#include "object/memoryview.h"

#include "heap.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/float.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"

Type memoryview_type;

/* ---- items ---- */

intptr_t item_size(char code) {
    switch (code) {
    case 'c':
    case 'b':
    case 'B':
    case '?':
        return 1;
    case 'h':
    case 'H':
    case 'e':
        return 2;
    case 'i':
    case 'I':
    case 'f':
        return 4;
    case 'l':
    case 'L':
    case 'q':
    case 'Q':
    case 'n':
    case 'N':
    case 'd':
    case 'P':
        return 8;
    default:
        return 0;
    }
}

double half_to_double(uint16_t h) {
    int e = h >> 10 & 31;
    double m = h & 0x3ff, v;
    if (e == 31)
        v = m == 0 ? __builtin_inf() : __builtin_nan("");
    else
        v = __builtin_ldexp(e == 0 ? m : m + 1024, (e == 0 ? 1 : e) - 25);
    return h & 0x8000 ? -v : v;
}

/* Round half to even; -1 when the value is too large. */
int double_to_half(double d, uint16_t *out) {
    uint16_t sign = __builtin_signbit(d) ? 0x8000 : 0;
    d = __builtin_fabs(d);
    if (__builtin_isnan(d)) {
        *out = sign | 0x7e00;
        return 0;
    }
    if (__builtin_isinf(d)) {
        *out = sign | 0x7c00;
        return 0;
    }
    int e;
    double m = __builtin_frexp(d, &e); /* m in [0.5, 1) */
    if (d == 0) {
        *out = sign;
        return 0;
    }
    e--;
    if (e >= 16)
        return -1;
    int shift = e < -14 ? 24 : 10 - e; /* scale so that the result's unit is 1 */
    double scaled = __builtin_ldexp(e < -14 ? d : m * 2, e < -14 ? shift : 10);
    double whole = __builtin_nearbyint(scaled);
    uint32_t bits = (uint32_t)whole;
    if (e >= -14)                                          /* a subnormal's carry makes it the least normal by itself */
        bits = (uint32_t)((e + 15) << 10) + (bits - 1024); /* a carry goes into the exponent by itself */
    if (bits >= 0x7c00)
        return -1;
    *out = (uint16_t)(sign | bits);
    return 0;
}

#define LOAD(type)                  \
    ({                              \
        type x_;                    \
        memcpy(&x_, p, sizeof(x_)); \
        x_;                         \
    })

Value item_unpack(char code, const char *p) {
    switch (code) {
    case 'c':
        return bytes_from(p, 1);
    case 'b':
        return v_from_int(*(const int8_t *)p);
    case 'B':
        return v_from_int(*(const uint8_t *)p);
    case '?':
        return v_bool(*p != 0);
    case 'h':
        return v_from_int(LOAD(int16_t));
    case 'H':
        return v_from_int(LOAD(uint16_t));
    case 'i':
        return v_from_int(LOAD(int32_t));
    case 'I':
        return v_from_int(LOAD(uint32_t));
    case 'l':
    case 'q':
    case 'n':
        return int_from_i64(LOAD(int64_t));
    case 'L':
    case 'Q':
    case 'N':
    case 'P':
        return int_from_u64(LOAD(uint64_t));
    case 'e':
        return float_new(half_to_double(LOAD(uint16_t)));
    case 'f':
        return float_new((double)LOAD(float));
    case 'd':
        return float_new(LOAD(double));
    default:
        return err_set(&exc_NotImplementedError, "memoryview: format %c not supported", code);
    }
}

static int type_error(char code) {
    err_set(&exc_TypeError, "memoryview: invalid type for format '%c'", code);
    return -1;
}
static int value_error(char code) {
    err_set(&exc_ValueError, "memoryview: invalid value for format '%c'", code);
    return -1;
}

int item_pack(char code, char *p, Value v) {
    intptr_t size = item_size(code);
    if (size == 0)
        return -2;
    switch (code) {
    case 'c':
        if (!v_is_bytes(v))
            return type_error(code);
        if (bytes_len(v) != 1)
            return value_error(code);
        *p = *bytes_data(v);
        return 0;
    case '?': {
        int t = obj_truth(v);
        if (t < 0)
            return -1;
        *p = (char)t;
        return 0;
    }
    case 'e':
    case 'f':
    case 'd': {
        double d;
        if (num_as_double(v, &d) < 0)
            return err_matches(&exc_TypeError) ? type_error(code) : -1;
        if (code == 'd')
            memcpy(p, &d, 8);
        else if (code == 'f') {
            float f = (float)d;
            memcpy(p, &f, 4);
        } else {
            uint16_t h;
            if (double_to_half(d, &h) < 0)
                return value_error(code);
            memcpy(p, &h, 2);
        }
        return 0;
    }
    default:
        break;
    }
    if (!v_is_index(v))
        return type_error(code);
    Value n = num_index(v);
    if (n == ABSENT)
        return -1;
    bool is_signed = strchr("bhilqn", code) != NULL, ok;
    int64_t i;
    uint64_t u = 0;
    if (is_signed) {
        ok = int_to_i64(n, &i) == 0;
        if (ok && size < 8)
            ok = i >= -((int64_t)1 << (8 * size - 1)) && i < (int64_t)1 << (8 * size - 1);
        u = (uint64_t)i;
    } else {
        ok = int_sign(n) >= 0 && int_bit_length(n) <= (size_t)size * 8;
        if (ok)
            int_to_u64_mask(n, &u);
    }
    release(n);
    if (!ok)
        return value_error(code);
    memcpy(p, &u, (size_t)size); /* little-endian */
    return 0;
}

/* ---- making ---- */

static MemoryView *mv(Value v) {
    return (MemoryView *)v;
}
static intptr_t *strides(MemoryView *m) {
    return m->dims + m->ndim;
}

static bool is_released(MemoryView *m) {
    return LOAD_RELAXED(&m->state) & MV_RELEASED;
}
static bool forbidden(void) {
    err_set(&exc_ValueError, "operation forbidden on released memoryview object");
    return false;
}
static bool check(MemoryView *m) {
    return LIKELY(!is_released(m)) || forbidden();
}

/* Counts one more user or export; false when the view is released. */
static ALWAYS_INLINE bool count_in(MemoryView *m, int64_t what) {
    int64_t w = LOAD_RELAXED(&m->state);
    if (excl_alone(V_OF(m))) {
        if (UNLIKELY(w & MV_RELEASED))
            return false;
        STORE_RELAXED(&m->state, w + what);
        return true;
    }
    do
        if (UNLIKELY(w & MV_RELEASED))
            return false;
    while (!atomic_compare_exchange_weak_explicit(&m->state, &w, w + what, memory_order_acquire, memory_order_relaxed));
    return true;
}
/* And one less: what was there before. */
static ALWAYS_INLINE int64_t count_out(MemoryView *m, int64_t what) {
    if (!excl_alone(V_OF(m)))
        return atomic_fetch_sub_explicit(&m->state, what, memory_order_acq_rel); /* uses come before giving back */
    int64_t w = LOAD_RELAXED(&m->state);
    STORE_RELAXED(&m->state, w - what);
    return w;
}

/* The memory is used from enter() to leave(), whoever releases the view meanwhile. No Python code runs in between: it
 * would find the exporter's memory pinned after a release. */
static ALWAYS_INLINE bool enter(MemoryView *m) {
    return LIKELY(count_in(m, MV_USER)) || forbidden();
}
static ALWAYS_INLINE void leave(MemoryView *m) {
    int64_t w = count_out(m, MV_USER);
    if (UNLIKELY(w & MV_RELEASED) && w < 2 * MV_USER)
        buffer_release(&m->buffer);
}
/* Releases the view; false when it has exports, unless they do not count. */
static bool end_view(MemoryView *m, bool in_any_case) {
    int64_t w = atomic_load(&m->state);
    do {
        if (w & MV_RELEASED)
            return true;
        if (w % MV_USER >= MV_EXPORT && !in_any_case)
            return false;
    } while (!atomic_compare_exchange_weak(&m->state, &w, w | MV_RELEASED));
    if (w < MV_USER)
        buffer_release(&m->buffer);
    return true;
}

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(mv(self)->buffer.owner, arg);
}
static void clear(Value self) {
    end_view(mv(self), true);
}
static void fini(Value self) {
    heap_block_free(mv(self)->format);
    heap_block_free(mv(self)->dims);
    mv(self)->format = NULL;
    mv(self)->dims = NULL;
}

/* A view without memory yet. Released until it has some, so that it may die at any moment. */
static Value new_view(const char *format, intptr_t itemsize, int ndim) {
    Value v = obj_new(&memoryview_type);
    if (v == ABSENT)
        return ABSENT;
    MemoryView *m = mv(v);
    STORE_RELAXED(&m->state, MV_RELEASED);
    m->format = heap_block(strlen(format) + 1);
    m->dims = heap_block((size_t)MAX(ndim, 1) * 2 * sizeof(intptr_t));
    if (m->format == NULL || m->dims == NULL) {
        release(v);
        return err_no_memory();
    }
    strcpy(m->format, format);
    m->itemsize = itemsize;
    m->ndim = ndim;
    STORE_RELAXED(&m->hash, -1);
    return v;
}

/* A view on the same memory as `of`, with its own hold on the exporter. */
static Value derive(MemoryView *of, const char *format, intptr_t itemsize, int ndim) {
    if (!enter(of))
        return ABSENT;
    Value v = new_view(format, itemsize, ndim);
    if (v != ABSENT && buffer_get(of->buffer.owner, &mv(v)->buffer, false) < 0) {
        release(v);
        v = ABSENT;
    }
    leave(of);
    if (v == ABSENT)
        return ABSENT;
    MemoryView *m = mv(v);
    m->data = of->data;
    m->readonly = of->readonly;
    STORE_RELAXED(&m->state, 0);
    trace_track(v_obj(v));
    return v;
}

static void copy_dims(MemoryView *to, MemoryView *from) {
    memcpy(to->dims, from->dims, (size_t)from->ndim * 2 * sizeof(intptr_t));
}

Value memoryview_new(Value of) {
    if (v_is_exact(of, IDX_MEMORYVIEW)) {
        MemoryView *src = mv(of);
        if (!check(src))
            return ABSENT;
        Value v = derive(src, src->format, src->itemsize, src->ndim);
        if (v != ABSENT)
            copy_dims(mv(v), src);
        return v;
    }
    Buffer b;
    if (!v_is_buffer(of))
        return err_set(&exc_TypeError, "memoryview: a bytes-like object is required, not '%T'", of);
    if (buffer_get(of, &b, false) < 0)
        return ABSENT;
    const char *format = b.format != NULL ? b.format : "B";
    Value v = new_view(format, b.itemsize, 1);
    if (v == ABSENT) {
        buffer_release(&b);
        return ABSENT;
    }
    MemoryView *m = mv(v);
    m->buffer = b;
    m->data = b.data;
    m->dims[0] = b.itemsize > 0 ? b.len / b.itemsize : 0;
    m->dims[1] = b.itemsize;
    m->readonly = b.readonly;
    STORE_RELAXED(&m->state, 0);
    trace_track(v_obj(v));
    return v;
}

/* ---- geometry ---- */

static intptr_t count_items(MemoryView *m) {
    intptr_t n = 1;
    for (int i = 0; i < m->ndim; i++)
        n *= m->dims[i];
    return n;
}
static intptr_t nbytes(MemoryView *m) {
    return count_items(m) * m->itemsize;
}

static bool contiguous(MemoryView *m, char order) {
    if (nbytes(m) == 0)
        return true;
    intptr_t step = m->itemsize;
    for (int k = 0; k < m->ndim; k++) {
        int i = order == 'F' ? k : m->ndim - 1 - k;
        if (m->dims[i] > 1 && strides(m)[i] != step)
            return false;
        step *= m->dims[i];
    }
    return true;
}

/* The items in order 'C' or 'F' into out. */
static char *flatten(MemoryView *m, char *p, int dim, char *out) {
    if (dim == m->ndim) {
        memcpy(out, p, (size_t)m->itemsize);
        return out + m->itemsize;
    }
    for (intptr_t i = 0; i < m->dims[dim]; i++)
        out = flatten(m, p + i * strides(m)[dim], dim + 1, out);
    return out;
}
static void flatten_f(MemoryView *m, char *out) {
    intptr_t index[MEMORYVIEW_MAX_DIM] = {0};
    for (intptr_t n = count_items(m); n > 0; n--) {
        char *p = m->data;
        for (int i = 0; i < m->ndim; i++)
            p += index[i] * strides(m)[i];
        memcpy(out, p, (size_t)m->itemsize);
        out += m->itemsize;
        for (int i = 0; i < m->ndim && ++index[i] == m->dims[i]; i++)
            index[i] = 0;
    }
}
static void copy_out(MemoryView *m, char *out) {
    if (contiguous(m, 'C'))
        memcpy(out, m->data, (size_t)nbytes(m));
    else
        flatten(m, m->data, 0, out);
}

int memoryview_export(Value v, Buffer *b) {
    MemoryView *m = mv(v);
    if (!check(m))
        return -1;
    if (!contiguous(m, 'C')) {
        err_set(&exc_BufferError, "memoryview: underlying buffer is not C-contiguous");
        return -1;
    }
    if (!count_in(m, MV_EXPORT)) {
        forbidden();
        return -1;
    }
    b->data = m->data;
    b->len = nbytes(m);
    b->itemsize = m->itemsize;
    b->format = m->format;
    b->readonly = m->readonly;
    return 0;
}
void memoryview_unexport(Value v) {
    count_out(mv(v), MV_EXPORT);
}

/* The single code of a native format, or 0. */
static char native_code(const char *f) {
    if (*f == '@')
        f++;
    return f[0] != '\0' && f[1] == '\0' && item_size(f[0]) != 0 ? f[0] : 0;
}
static char view_code(MemoryView *m) {
    char c = native_code(m->format);
    if (c == 0)
        err_set(&exc_NotImplementedError, "memoryview: unsupported format %s", m->format);
    return c;
}

/* ---- methods ---- */

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return memoryview_new(args[0]);
}

static Value release_view(Value self) {
    MemoryView *m = mv(self);
    if (end_view(m, false))
        return V_NONE;
    intptr_t n = LOAD_RELAXED(&m->state) % MV_USER / MV_EXPORT;
    n = MAX(n, 1); /* it may just have ended */
    return err_set(&exc_BufferError, "memoryview has %zd exported buffer%s", n, n == 1 ? "" : "s");
}
static Value m_release(Value self, Value *args, intptr_t nargs, Value kw) {
    return release_view(self);
}
static Value m_enter(Value self, Value *args, intptr_t nargs, Value kw) {
    return check(mv(self)) ? retained(self) : ABSENT;
}
static Value m_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    return release_view(self);
}

static Value m_tobytes(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    char order = 'C';
    Value o = arg_at(args, nargs, 0);
    if (!check(m))
        return ABSENT;
    if (o != ABSENT && o != V_NONE) {
        if (!v_is_str(o))
            return err_set(&exc_TypeError, "tobytes() argument 'order' must be str or None, not %T", o);
        order = str_len(o) == 1 ? (char)str_at(o, 0) : 0;
        if (order != 'C' && order != 'F' && order != 'A')
            return err_set(&exc_ValueError, "order must be 'C', 'F' or 'A'");
    }
    Value b = bytes_from(NULL, (size_t)nbytes(m));
    if (b == ABSENT || nbytes(m) == 0)
        return b;
    if (!enter(m)) {
        release(b);
        return ABSENT;
    }
    if (order == 'F' || (order == 'A' && !contiguous(m, 'C') && contiguous(m, 'F')))
        flatten_f(m, bytes_data(b));
    else
        copy_out(m, bytes_data(b));
    leave(m);
    return b;
}

Value memoryview_tobytes(Value v) {
    return m_tobytes(v, NULL, 0, ABSENT);
}

static Value m_hex(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!check(mv(self)))
        return ABSENT;
    Value b = m_tobytes(self, NULL, 0, ABSENT);
    if (b == ABSENT)
        return ABSENT;
    Value r = bytes_hex(bytes_data(b), bytes_len(b), arg_at(args, nargs, 0), arg_at(args, nargs, 1));
    release(b);
    return r;
}

static Value to_list(MemoryView *m, char code, const char *p, int dim) {
    Value list = list_new(m->dims[dim]);
    for (intptr_t i = 0; list != ABSENT && i < m->dims[dim]; i++) {
        const char *q = p + i * strides(m)[dim];
        Value item = dim + 1 == m->ndim ? item_unpack(code, q) : to_list(m, code, q, dim + 1);
        if (item == ABSENT || list_append_steal(list, item) < 0) {
            release(list);
            return ABSENT;
        }
    }
    return list;
}
static Value m_tolist(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    char code;
    if (!check(m) || (code = view_code(m)) == 0)
        return ABSENT;
    if (!enter(m))
        return ABSENT;
    Value r = m->ndim == 0 ? item_unpack(code, m->data) : to_list(m, code, m->data, 0);
    leave(m);
    return r;
}

static Value m_toreadonly(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = memoryview_new(self);
    if (v != ABSENT)
        mv(v)->readonly = true;
    return v;
}

static Value m_cast(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    Value f = args[0], shape = arg_at(args, nargs, 1);
    if (!check(m))
        return ABSENT;
    if (!v_is_str(f))
        return err_set(&exc_TypeError, "cast() argument 'format' must be str, not %T", f);
    if (!contiguous(m, 'C'))
        return err_set(&exc_TypeError, "memoryview: casts are restricted to C-contiguous views");
    if ((shape != ABSENT || m->ndim != 1)) {
        for (int i = 0; i < m->ndim; i++)
            if (m->dims[i] == 0)
                return err_set(&exc_TypeError, "memoryview: cannot cast view with zeros in shape or strides");
    }
    const char *format = str_utf8_nonul(f);
    if (format == NULL)
        return ABSENT;
    int ndim = 1;
    if (shape != ABSENT) {
        if (!v_is_tuple(shape) && !v_is_list(shape))
            return err_set(&exc_TypeError, "shape must be a list or a tuple");
        intptr_t n = obj_len(shape);
        if (n < 0)
            return ABSENT;
        if (n > MEMORYVIEW_MAX_DIM)
            return err_set(&exc_ValueError, "memoryview: number of dimensions must not exceed %d", MEMORYVIEW_MAX_DIM);
        ndim = (int)n;
        if (m->ndim != 1 && ndim != 1)
            return err_set(&exc_TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
    }
    char to = native_code(format), from = native_code(m->format);
    if (to == 0)
        return err_set(
            &exc_ValueError,
            "memoryview: destination format must be a native single character format prefixed with an optional '@'");
    if (from == 0)
        return err_set(
            &exc_ValueError,
            "memoryview: source format must be a native single character format prefixed with an optional '@'");
    if (!strchr("bBc", to) && !strchr("bBc", from))
        return err_set(&exc_TypeError, "memoryview: cannot cast between two non-byte formats");
    intptr_t size = item_size(to), total = nbytes(m);
    if (total % size != 0)
        return err_set(&exc_TypeError, "memoryview: length is not a multiple of itemsize");
    Value v = derive(m, format, size, ndim);
    if (v == ABSENT)
        return ABSENT;
    MemoryView *r = mv(v);
    if (shape == ABSENT) {
        r->dims[0] = total / size;
        r->dims[1] = size;
        return v;
    }
    intptr_t product = size;
    for (int i = 0; i < ndim; i++) {
        Value item = obj_getitem(shape, v_from_int(i));
        intptr_t n = -1;
        if (item == ABSENT)
            goto fail;
        bool ok = v_is_integer(item);
        if (!ok)
            err_set(&exc_TypeError, "memoryview.cast(): elements of shape must be integers");
        else if ((ok = num_as_index(item, &n, &exc_OverflowError) == 0) && n <= 0) {
            err_set(&exc_ValueError, "memoryview.cast(): elements of shape must be integers > 0");
            ok = false;
        }
        release(item);
        if (!ok)
            goto fail;
        if (__builtin_mul_overflow(product, n, &product)) {
            err_set(&exc_ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
            goto fail;
        }
        r->dims[i] = n;
    }
    if (product != total) {
        err_set(&exc_TypeError, "memoryview: product(shape) * itemsize != buffer size");
        goto fail;
    }
    for (int i = ndim - 1; i >= 0; i--) {
        strides(r)[i] = size;
        size *= r->dims[i];
    }
    return v;
fail:
    release(v);
    return ABSENT;
}

static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    return !check(m) ? ABSENT : v_from_int(m->ndim == 0 ? 1 : m->dims[0]);
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    StrBuilder b;
    sb_init(&b);
    sb_printf(&b, is_released(mv(self)) ? "<released memory at 0x%lx>" : "<memory at 0x%lx>",
              (unsigned long)obj_id(self));
    return sb_finish(&b);
}

/* The address of the item that an index or a tuple of indices names; NULL with an exception. */
static char *item_at(MemoryView *m, Value key) {
    char *p = m->data;
    bool tuple = v_is_tuple(key);
    intptr_t n = tuple ? tuple_len(key) : 1;
    if (n != m->ndim) {
        if (!tuple)
            err_set(&exc_NotImplementedError, m->ndim == 0 ? "invalid indexing of 0-dim memory"
                                                           : "multi-dimensional sub-views are not implemented");
        else if (n < m->ndim)
            err_set(&exc_NotImplementedError, "sub-views are not implemented");
        else
            err_set(&exc_TypeError, "cannot index %d-dimension view with %zd-element tuple", m->ndim, n);
        return NULL;
    }
    for (int i = 0; i < m->ndim; i++) {
        intptr_t k;
        if (num_as_index(tuple ? tuple_get(key, i) : key, &k, &exc_IndexError) < 0)
            return NULL;
        if (k < 0)
            k += m->dims[i];
        if (k < 0 || k >= m->dims[i]) {
            err_set(&exc_IndexError, "index out of bounds on dimension %d", i + 1);
            return NULL;
        }
        p += k * strides(m)[i];
    }
    return p;
}

static Value load_item(MemoryView *m, char code, const char *p) {
    if (!enter(m))
        return ABSENT;
    Value v = item_unpack(code, p);
    leave(m);
    return v;
}

static bool is_index_tuple(Value key, bool *slices) {
    if (!v_is_tuple(key))
        return false;
    *slices = tuple_len(key) > 0;
    bool all = true;
    for (intptr_t i = 0; i < tuple_len(key); i++) {
        *slices = *slices && v_is_exact(tuple_get(key, i), IDX_SLICE);
        all = all && v_is_index(tuple_get(key, i));
    }
    return all;
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    Value key = args[0];
    bool slices = false;
    char code;
    if (!check(m))
        return ABSENT;
    if (m->ndim == 0 && (key == V_ELLIPSIS || (v_is_tuple(key) && tuple_len(key) == 0))) {
        if (key == V_ELLIPSIS)
            return retained(self);
        return (code = view_code(m)) == 0 ? ABSENT : load_item(m, code, m->data);
    }
    if (v_is_index(key) || is_index_tuple(key, &slices)) {
        if ((code = view_code(m)) == 0)
            return ABSENT;
        char *p = item_at(m, key);
        return p == NULL ? ABSENT : load_item(m, code, p); /* an __index__ may have released it */
    }
    if (v_is_exact(key, IDX_SLICE)) {
        intptr_t lo, hi, step, n;
        if (m->ndim == 0)
            return err_set(&exc_TypeError, "invalid indexing of 0-dim memory");
        Value v = derive(m, m->format, m->itemsize, m->ndim); /* first: an __index__ may release the other */
        if (v == ABSENT)
            return ABSENT;
        copy_dims(mv(v), m);
        if ((n = slice_indices(key, mv(v)->dims[0], &lo, &hi, &step)) < 0) {
            release(v);
            return ABSENT;
        }
        mv(v)->data += n > 0 || lo < mv(v)->dims[0] ? lo * strides(mv(v))[0] : 0;
        mv(v)->dims[0] = n;
        strides(mv(v))[0] *= step;
        return v;
    }
    if (slices)
        return err_set(&exc_NotImplementedError, "multi-dimensional slicing is not implemented");
    return err_set(&exc_TypeError, "memoryview: invalid slice key");
}

static Value m_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    Value key = args[0], v = args[1];
    bool slices = false;
    char code;
    if (!check(m) || (code = view_code(m)) == 0)
        return ABSENT;
    if (m->readonly)
        return err_set(&exc_TypeError, "cannot modify read-only memory");
    if (v_is_index(key) || is_index_tuple(key, &slices) ||
        (m->ndim == 0 && (key == V_ELLIPSIS || (v_is_tuple(key) && tuple_len(key) == 0)))) {
        char *p = key == V_ELLIPSIS ? m->data : item_at(m, key), buf[8];
        if (p == NULL || item_pack(code, buf, v) < 0 || !enter(m))
            return ABSENT;
        memcpy(p, buf, (size_t)m->itemsize);
        leave(m);
        return V_NONE;
    }
    if (v_is_exact(key, IDX_SLICE) && m->ndim == 1) {
        Value dst = m_getitem(self, &key, 1, ABSENT), src = dst == ABSENT ? ABSENT : memoryview_new(v), r = ABSENT;
        if (src != ABSENT && check(m)) { /* an __index__ may have released it */
            MemoryView *d = mv(dst), *s = mv(src);
            if (s->ndim != 1 || s->dims[0] != d->dims[0] || native_code(s->format) != code)
                err_set(&exc_ValueError, "memoryview assignment: lvalue and rvalue have different structures");
            else {
                intptr_t n = nbytes(d);
                char *copy = malloc((size_t)n + 1); /* source and destination may overlap */
                if (copy == NULL)
                    err_no_memory();
                else {
                    copy_out(s, copy);
                    for (intptr_t i = 0; i < d->dims[0]; i++)
                        memcpy(d->data + i * strides(d)[0], copy + i * d->itemsize, (size_t)d->itemsize);
                    free(copy);
                    r = V_NONE;
                }
            }
        }
        release(src);
        release(dst);
        return r;
    }
    if (slices || v_is_exact(key, IDX_SLICE))
        return err_set(&exc_NotImplementedError, "memoryview slice assignments are currently restricted to ndim = 1");
    return err_set(&exc_TypeError, "memoryview: invalid slice key");
}
static Value m_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    if (!check(m))
        return ABSENT;
    return err_set(&exc_TypeError, m->readonly ? "cannot modify read-only memory" : "cannot delete memory");
}

static Value g_obj(Value self) {
    MemoryView *m = mv(self);
    if (!enter(m))
        return ABSENT;
    Value v = retained(m->buffer.owner);
    leave(m);
    return v;
}
static Value m_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    MemoryView *m = mv(self);
    int64_t h = LOAD_RELAXED(&m->hash);
    if (h != -1)
        return v_from_int(h);
    if (!check(m))
        return ABSENT;
    if (!m->readonly)
        return err_set(&exc_ValueError, "cannot hash writable memoryview object");
    char code = native_code(m->format);
    if (code == 0 || !strchr("bBc", code))
        return err_set(&exc_ValueError, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
    Value owner = g_obj(self);
    if (owner == ABSENT)
        return ABSENT;
    h = obj_hash(owner);
    release(owner);
    if (h == -1)
        return ABSENT;
    Value b = m_tobytes(self, NULL, 0, ABSENT);
    if (b == ABSENT)
        return ABSENT;
    h = obj_hash(b);
    release(b);
    STORE_RELAXED(&m->hash, h);
    return v_from_int(h);
}

/* 1, 0, or -1 with an exception. */
static int equal_dim(MemoryView *a, char ca, const char *p, MemoryView *b, char cb, const char *q, int dim) {
    if (dim == a->ndim) {
        if (ca == cb && !strchr("efd?", ca))
            return memcmp(p, q, (size_t)a->itemsize) == 0;
        Value x = item_unpack(ca, p), y = x == ABSENT ? ABSENT : item_unpack(cb, q);
        int r = y == ABSENT ? -1 : x == y && !v_is_flo(x) ? 1 : -2;
        if (r == -2) {
            Value c = obj_compare(x, y, CMP_EQ);
            r = c == ABSENT ? -1 : obj_truth(c);
            release(c);
        }
        release(x);
        release(y);
        return r;
    }
    for (intptr_t i = 0; i < a->dims[dim]; i++) {
        int r = equal_dim(a, ca, p + i * strides(a)[dim], b, cb, q + i * strides(b)[dim], dim + 1);
        if (r <= 0)
            return r;
    }
    return 1;
}

static int equal(Value self, Value other) {
    if (self == other)
        return 1;
    MemoryView *a = mv(self);
    bool views = v_is_exact(other, IDX_MEMORYVIEW);
    if (is_released(a) || (views && is_released(mv(other))))
        return 0;
    Value view = memoryview_new(other);
    if (view == ABSENT || !enter(a)) {
        release(view);
        if (!is_released(a) && !(views && is_released(mv(other))))
            return -1;
        err_clear(); /* another thread has released it */
        return 0;
    }
    MemoryView *b = mv(view);
    int r = a->ndim == b->ndim;
    for (int i = 0; r && i < a->ndim; i++)
        r = a->dims[i] == b->dims[i];
    char ca = native_code(a->format), cb = native_code(b->format);
    if (r && ca != 0 && cb != 0)
        r = equal_dim(a, ca, a->data, b, cb, b->data, 0);
    else if (r) /* other formats: the same bytes in the same format */
        r = strcmp(a->format, b->format) == 0 && contiguous(a, 'C') && contiguous(b, 'C') &&
            memcmp(a->data, b->data, (size_t)nbytes(a)) == 0;
    leave(a);
    release(view);
    return r;
}
static Value m_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_buffer(args[0]))
        return V_NOTIMPL;
    int r = equal(self, args[0]);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value m_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_buffer(args[0]))
        return V_NOTIMPL;
    int r = equal(self, args[0]);
    return r < 0 ? ABSENT : v_bool(!r);
}

static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!check(mv(self)))
        return ABSENT;
    if (mv(self)->ndim == 0)
        return err_set(&exc_TypeError, "invalid indexing of 0-dim memory");
    return seq_iter_new(self);
}

/* ---- attributes ---- */

static Value dims_tuple(Value self, bool of_strides) {
    MemoryView *m = mv(self);
    if (!check(m))
        return ABSENT;
    Value t = tuple_new(m->ndim);
    for (int i = 0; t != ABSENT && i < m->ndim; i++)
        tuple_init_item(t, i, v_from_int((of_strides ? strides(m) : m->dims)[i]));
    return t;
}
static Value g_shape(Value self) {
    return dims_tuple(self, false);
}
static Value g_strides(Value self) {
    return dims_tuple(self, true);
}
static Value g_suboffsets(Value self) {
    return check(mv(self)) ? retained(tuple_empty()) : ABSENT;
}
static Value g_nbytes(Value self) {
    return check(mv(self)) ? v_from_int(nbytes(mv(self))) : ABSENT;
}
static Value g_readonly(Value self) {
    return check(mv(self)) ? v_bool(mv(self)->readonly) : ABSENT;
}
static Value g_itemsize(Value self) {
    return check(mv(self)) ? v_from_int(mv(self)->itemsize) : ABSENT;
}
static Value g_format(Value self) {
    return check(mv(self)) ? str_from_c(mv(self)->format) : ABSENT;
}
static Value g_ndim(Value self) {
    return check(mv(self)) ? v_from_int(mv(self)->ndim) : ABSENT;
}
static Value g_c(Value self) {
    return check(mv(self)) ? v_bool(contiguous(mv(self), 'C')) : ABSENT;
}
static Value g_f(Value self) {
    return check(mv(self)) ? v_bool(contiguous(mv(self), 'F')) : ABSENT;
}
static Value g_any(Value self) {
    MemoryView *m = mv(self);
    return check(m) ? v_bool(contiguous(m, 'C') || contiguous(m, 'F')) : ABSENT;
}

static const GetSetDef getsets[] = {
    {"obj", g_obj, NULL, "The underlying object of the memoryview."},
    {"nbytes", g_nbytes, NULL, NULL},
    {"readonly", g_readonly, NULL, "A bool indicating whether the memory is read only."},
    {"itemsize", g_itemsize, NULL, "The size in bytes of each element of the memoryview."},
    {"format", g_format, NULL, NULL},
    {"ndim", g_ndim, NULL, NULL},
    {"shape", g_shape, NULL, NULL},
    {"strides", g_strides, NULL, NULL},
    {"suboffsets", g_suboffsets, NULL, NULL},
    {"c_contiguous", g_c, NULL, NULL},
    {"f_contiguous", g_f, NULL, NULL},
    {"contiguous", g_any, NULL, NULL},
    {NULL},
};
static const NativeDef methods[] = {
    {"__new__", m_new, "($type, object)"},
    {"release", m_release, "($self, /)"},
    {"tobytes", m_tobytes, "($self, /, order='C')"},
    {"hex", m_hex, "($self, sep=<unrepresentable>, bytes_per_sep=1)"},
    {"tolist", m_tolist, "($self, /)"},
    {"cast", m_cast, "($self, /, format, shape=<unrepresentable>)"},
    {"toreadonly", m_toreadonly, "($self, /)"},
    {"__enter__", m_enter, "($self, /)"},
    {"__exit__", m_exit, "($self, *args)"},
    {"__len__", m_len, "($self, /)"},
    {"__repr__", m_repr, "($self, /)"},
    {"__getitem__", m_getitem, "($self, key, /)"},
    {"__setitem__", m_setitem, "($self, key, value, /)"},
    {"__delitem__", m_delitem, "($self, key, /)"},
    {"__hash__", m_hash, "($self, /)"},
    {"__eq__", m_eq, "($self, value, /)"},
    {"__ne__", m_ne, "($self, value, /)"},
    {"__iter__", m_iter, "($self, /)"},
    {NULL},
};
static const TypeOps ops = {.traverse = traverse, .clear = clear, .fini = fini};
static const TypeSpec spec = {
    .name = "memoryview",
    .doc = "Create a new memoryview object which references the given object.",
    .basic_size = sizeof(MemoryView),
    .flags = TF_IMMUTABLE | TF_WEAKREF | TF_SEQUENCE,
    .ops = &ops,
    .methods = methods,
    .getsets = getsets,
};

void memoryview_init(void) {
    type_init_static(&memoryview_type, IDX_MEMORYVIEW, &spec);
}

/* _struct: packing values as C structures. A format is compiled once to a list of items. */
#include <stdarg.h>

#include "heap.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"
#include "tracer.h"

/* `repeat` values of one code at offset; for s and p one value of `repeat` bytes. */
typedef struct Item {
    char code;
    uint8_t size;
    intptr_t offset, repeat;
} Item;

typedef struct Format {
    bool native; /* sizes and alignment of the machine */
    bool big;
    intptr_t size, values, n;
    struct Format
        *older; /* replaced by a later __init__: somebody may still use it, so it lives as long as the Struct */
    Item items[];
} Format;

typedef struct Struct {
    Object hdr;
    Ref text; /* the format as str; ABSENT until __init__ */
    _Atomic(Format *) format;
} Struct;

typedef struct UnpackIter {
    Object hdr;
    Ref owner; /* the Struct; fixed */
    Buffer buffer;
    _Atomic(intptr_t) pos;
} UnpackIter;

static Type struct_type, iter_type;
static Value struct_error; /* the class; in the module's dict for ever */
static Value cache;        /* dict: format -> Struct */

static void roots(VisitFn visit, void *arg) {
    visit(struct_error, arg);
    visit(cache, arg);
}

static Value fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static Value fail(const char *fmt, ...) {
    char buf[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    return err_set((Type *)struct_error, "%s", buf);
}

/* ---- formats ---- */

/* Size and alignment of a code; false: not a code. */
static bool code_info(char c, bool native, int *size, int *align) {
    switch (c) {
    case 'x':
    case 'b':
    case 'B':
    case 'c':
    case 's':
    case 'p':
    case '?':
        *size = 1;
        break;
    case 'h':
    case 'H':
    case 'e':
        *size = 2;
        break;
    case 'i':
    case 'I':
    case 'f':
        *size = 4;
        break;
    case 'l':
    case 'L':
        *size = native ? 8 : 4;
        break;
    case 'q':
    case 'Q':
    case 'd':
        *size = 8;
        break;
    case 'n':
    case 'N':
    case 'P':
        *size = 8;
        *align = 8;
        return native;
    default:
        return false;
    }
    *align = native ? *size : 1;
    return true;
}

/* With items NULL counts; else fills. False with an exception. */
static bool parse(const char *s, Format *f, Item *items) {
    const intptr_t limit = INTPTR_MAX;
    intptr_t size = 0, n = 0;
    f->values = 0;
    f->native = true;
    f->big = false;
    if (*s == '@' || *s == '=' || *s == '<' || *s == '>' || *s == '!') {
        f->native = *s == '@';
        f->big = *s == '>' || *s == '!';
        s++;
    }
    while (*s != '\0') {
        char c = *s++;
        intptr_t num = 1;
        if (c == ' ' || (c >= 9 && c <= 13))
            continue;
        if (c >= '0' && c <= '9') {
            num = c - '0';
            while (*s >= '0' && *s <= '9') {
                if (num > (limit - (*s - '0')) / 10)
                    goto too_long;
                num = num * 10 + (*s++ - '0');
            }
            c = *s;
            if (c == '\0') {
                fail("repeat count given without format specifier");
                return false;
            }
            s++;
        }
        int width, align;
        if (!code_info(c, f->native, &width, &align)) {
            fail("bad char in struct format");
            return false;
        }
        intptr_t pad = align > 1 ? (align - size % align) % align : 0, bytes;
        if (__builtin_add_overflow(size, pad, &size) || __builtin_mul_overflow(num, (intptr_t)width, &bytes))
            goto too_long;
        if (c != 'x') {
            f->values += c == 's' || c == 'p' ? 1 : num;
            if (num > 0 || c == 's' || c == 'p') {
                if (items != NULL)
                    items[n] = (Item){c, (uint8_t)width, size, num};
                n++;
            }
        }
        if (__builtin_add_overflow(size, bytes, &size))
            goto too_long;
    }
    f->size = size;
    f->n = n;
    return true;
too_long:
    fail("total struct size too long");
    return false;
}

static Format *format_new(const char *text) {
    Format head;
    if (!parse(text, &head, NULL))
        return NULL;
    Format *f = heap_block(sizeof(Format) + (size_t)head.n * sizeof(Item));
    if (f == NULL) {
        err_no_memory();
        return NULL;
    }
    parse(text, f, f->items);
    return f;
}

/* ---- packing ---- */

static void store(char *p, uint64_t u, int size, bool big) {
    for (int i = 0; i < size; i++)
        p[big ? size - 1 - i : i] = (char)(u >> 8 * i);
}
static uint64_t load(const char *p, int size, bool big) {
    uint64_t u = 0;
    for (int i = 0; i < size; i++)
        u |= (uint64_t)(uint8_t)p[big ? size - 1 - i : i] << 8 * i;
    return u;
}

static bool range_error(char c, int size, bool big) {
    bool is_signed = strchr("bhilqn", c) != NULL;
    static const char *const names[][2] = {{"ubyte", "byte"}, {"ushort", "short"}};
    if (size == 1)
        fail(is_signed ? "byte format requires -128 <= number <= 127" : "ubyte format requires 0 <= number <= 255");
    else if (size == 2 && big)
        fail("'%c' format requires %d <= number <= %d", c, is_signed ? -32768 : 0, is_signed ? 32767 : 65535);
    else if (size == 2)
        fail("%s format requires %d <= number <= %d", names[1][is_signed], is_signed ? -32768 : 0,
             is_signed ? 32767 : 65535);
    else if (size == 4)
        fail(is_signed ? "'%c' format requires -2147483648 <= number <= 2147483647"
                       : "'%c' format requires 0 <= number <= 4294967295",
             c);
    else
        fail(is_signed ? "'%c' format requires -9223372036854775808 <= number <= 9223372036854775807"
                       : "'%c' format requires 0 <= number <= 18446744073709551615",
             c);
    return false;
}

static bool pack_int(const Format *f, const Item *it, char *p, Value v) {
    Value n = v;
    if (!v_is_integer(v)) {
        if (!v_is_index(v)) {
            fail("required argument is not an integer");
            return false;
        }
        if ((n = num_index(v)) == ABSENT)
            return false;
    } else
        retain(v);
    bool is_signed = strchr("bhilqn", it->code) != NULL;
    int64_t i = 0;
    uint64_t u = 0;
    int r = int_to_i64(n, &i);
    bool ok = true;
    if (it->code == 'P') { /* any address, also as a negative number */
        ok = r == 0 || (int_sign(n) > 0 && int_bit_length(n) <= 64);
        if (!ok)
            fail("int too large to convert");
        else
            int_to_u64_mask(n, &u);
    } else if (is_signed) {
        if (r != 0) {
            fail(it->size == 8 && f->big ? "int too large to convert" : "argument out of range");
            ok = false;
        } else if (it->size < 8 && (i < -((int64_t)1 << (8 * it->size - 1)) || i >= (int64_t)1 << (8 * it->size - 1)))
            ok = range_error(it->code, it->size, f->big);
        u = (uint64_t)i;
    } else {
        bool small = it->size == 1 || (it->size == 2 && !f->big); /* the range is what such are told about */
        if ((r != 0 && (int_sign(n) < 0 || int_bit_length(n) > 64)) || (!small && int_sign(n) < 0)) {
            fail(it->size == 8 && f->big ? "int too large to convert" : "argument out of range");
            ok = false;
        } else {
            int_to_u64_mask(n, &u);
            if (it->size < 8 && (int_sign(n) < 0 || u >> (8 * it->size) != 0))
                ok = range_error(it->code, it->size, f->big);
        }
    }
    release(n);
    if (ok)
        store(p, u, it->size, f->big);
    return ok;
}

static bool pack_float(const Format *f, const Item *it, char *p, Value v) {
    double d;
    if (num_as_double(v, &d) < 0) {
        if (err_matches(&exc_TypeError))
            fail("required argument is not a float");
        return false;
    }
    uint64_t u;
    if (it->code == 'd')
        memcpy(&u, &d, 8);
    else if (it->code == 'f') {
        float x = (float)d;
        uint32_t w;
        if (!f->native && __builtin_isinf(x) && !__builtin_isinf(d)) {
            err_set(&exc_OverflowError, "float too large to pack with f format");
            return false;
        }
        memcpy(&w, &x, 4);
        u = w;
    } else {
        uint16_t h;
        if (double_to_half(d, &h) < 0) {
            err_set(&exc_OverflowError, "float too large to pack with e format");
            return false;
        }
        u = h;
    }
    store(p, u, it->size, f->big);
    return true;
}

static bool pack_one(const Format *f, const Item *it, char *p, Value v) {
    switch (it->code) {
    case 's':
    case 'p': {
        if (!v_is_bytes(v) && !v_is_bytearray(v)) {
            fail("argument for '%c' must be a bytes object", it->code);
            return false;
        }
        ByteView w;
        if (view_open(&w, v) < 0)
            return false;
        intptr_t n = w.n;
        if (it->code == 's') {
            n = MIN(n, it->repeat);
            if (n > 0)
                memcpy(p, w.p, (size_t)n);
        } else if (it->repeat > 0) {
            n = MIN(n, it->repeat - 1);
            if (n > 0)
                memcpy(p + 1, w.p, (size_t)n);
            *p = (char)MIN(n, 255);
        }
        view_close(&w);
        return true;
    }
    case 'c':
        if (!v_is_bytes(v) || bytes_len(v) != 1) {
            fail("char format requires a bytes object of length 1");
            return false;
        }
        *p = *bytes_data(v);
        return true;
    case '?': {
        int t = obj_truth(v);
        if (t < 0)
            return false;
        *p = (char)t;
        return true;
    }
    case 'e':
    case 'f':
    case 'd':
        return pack_float(f, it, p, v);
    default:
        return pack_int(f, it, p, v);
    }
}

static bool pack_all(const Format *f, char *p, Value *args) {
    memset(p, 0, (size_t)f->size);
    for (intptr_t i = 0; i < f->n; i++) {
        const Item *it = &f->items[i];
        intptr_t count = it->code == 's' || it->code == 'p' ? 1 : it->repeat;
        for (intptr_t k = 0; k < count; k++)
            if (!pack_one(f, it, p + it->offset + k * it->size, *args++))
                return false;
    }
    return true;
}

static Value unpack_one(const Format *f, const Item *it, const char *p) {
    switch (it->code) {
    case 's':
        return bytes_from(it->repeat == 0 ? "" : p, (size_t)it->repeat);
    case 'p': {
        intptr_t n = it->repeat == 0 ? 0 : MIN((uint8_t)*p, it->repeat - 1);
        return bytes_from(n == 0 ? "" : p + 1, (size_t)n);
    }
    case 'c':
        return bytes_from(p, 1);
    case '?':
        return v_bool(*p != 0);
    default:
        break;
    }
    uint64_t u = load(p, it->size, f->big);
    switch (it->code) {
    case 'b':
        return v_from_int((int8_t)u);
    case 'h':
        return v_from_int((int16_t)u);
    case 'i':
        return v_from_int((int32_t)u);
    case 'l':
    case 'q':
    case 'n':
        return int_from_i64(it->size == 4 ? (int32_t)u : (int64_t)u);
    case 'e':
        return float_new(half_to_double((uint16_t)u));
    case 'f': {
        uint32_t w = (uint32_t)u;
        float x;
        memcpy(&x, &w, 4);
        return float_new((double)x);
    }
    case 'd': {
        double d;
        memcpy(&d, &u, 8);
        return float_new(d);
    }
    default:
        return int_from_u64(u);
    }
}

static Value unpack_all(const Format *f, const char *p) {
    Value t = tuple_new(f->values);
    intptr_t at = 0;
    for (intptr_t i = 0; t != ABSENT && i < f->n; i++) {
        const Item *it = &f->items[i];
        intptr_t count = it->code == 's' || it->code == 'p' ? 1 : it->repeat;
        for (intptr_t k = 0; k < count; k++) {
            Value v = unpack_one(f, it, p + it->offset + k * it->size);
            if (v == ABSENT) {
                release(t);
                return ABSENT;
            }
            tuple_init_item(t, at++, v);
        }
    }
    return t;
}

/* ---- Struct ---- */

static Struct *st(Value v) {
    return (Struct *)v;
}

static const Format *format_of(Value self) {
    const Format *f = LOAD_ACQUIRE(&st(self)->format);
    if (f == NULL)
        err_set(&exc_RuntimeError, "Struct object is not initialized");
    return f;
}

static void struct_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&st(self)->text), arg);
}
static void struct_clear(Value self) {
    ref_clear(self, &st(self)->text);
}
static void struct_fini(Value self) {
    for (Format *f = LOAD_RELAXED(&st(self)->format), *older; f != NULL; f = older) {
        older = f->older;
        heap_block_free(f);
    }
    STORE_RELAXED(&st(self)->format, NULL);
}
static const TypeOps struct_ops = {.traverse = struct_traverse, .clear = struct_clear, .fini = struct_fini};

static Value s_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value v = obj_new((Type *)cls);
    if (v != ABSENT)
        trace_track(v_obj(v));
    return v;
}

static Value s_init(Value self, Value *args, intptr_t nargs, Value kw) {
    Value text = args[0], owned;
    if (v_is_str(text)) {
        Value b = str_encode(text, "ascii", NULL);
        if (b == ABSENT)
            return ABSENT;
        release(b);
        owned = str_exact(text);
    } else if (v_is_bytes(text))
        owned = str_from_latin1(bytes_data(text), (size_t)bytes_len(text));
    else
        return err_set(&exc_TypeError, "Struct() argument 1 must be a str or bytes object, not %T", text);
    if (owned == ABSENT)
        return ABSENT;
    if (str_find_char(owned, 0, 0, str_len(owned), 1) >= 0) {
        release(owned);
        return fail("embedded null character");
    }
    const char *s = str_utf8(owned, NULL);
    Format *f = s == NULL ? NULL : format_new(s);
    if (f == NULL) {
        release(owned);
        return ABSENT;
    }
    ExclCs cs;
    excl_cs_begin(&cs, self);
    f->older = LOAD_RELAXED(&st(self)->format);
    Value old_text = ref_swap(self, &st(self)->text, owned);
    STORE_RELEASE(&st(self)->format, f);
    excl_cs_end(&cs);
    release(old_text);
    return V_NONE;
}

/* A Struct of a format given as str or bytes, from the cache: owned. */
static Value struct_get(Value format) {
    Value v;
    bool exact = v_is_exact(format, IDX_STR) || v_is_exact(format, IDX_BYTES);
    if (exact) {
        int r = dict_lookup(cache, format, &v);
        if (r != 0)
            return r > 0 ? v : ABSENT;
    }
    v = obj_new(&struct_type);
    if (v == ABSENT)
        return ABSENT;
    trace_track(v_obj(v));
    if (s_init(v, &format, 1, ABSENT) == ABSENT) {
        release(v);
        return ABSENT;
    }
    if (exact) {
        if (dict_len(cache) >= 100)
            dict_clear(cache);
        if (dict_set(cache, format, v) < 0) {
            release(v);
            return ABSENT;
        }
    }
    return v;
}

static Value do_pack(Value self, Value *args, intptr_t nargs) {
    const Format *f = format_of(self);
    if (f == NULL)
        return ABSENT;
    if (nargs != f->values)
        return fail("pack expected %zd items for packing (got %zd)", f->values, nargs);
    Value b = bytes_from(NULL, (size_t)f->size);
    if (b == ABSENT)
        return ABSENT;
    /* An empty bytes is shared, and what the values' methods do must not see a half-made one of another size. */
    char none[1];
    if (pack_all(f, f->size == 0 ? none : bytes_data(b), args))
        return b;
    release(b);
    return ABSENT;
}

static Value do_pack_into(Value self, Value *args, intptr_t nargs) {
    const Format *f = format_of(self);
    if (f == NULL)
        return ABSENT;
    if (nargs != f->values + 2) {
        if (nargs == 0)
            return fail("pack_into expected buffer argument");
        if (nargs == 1)
            return fail("pack_into expected offset argument");
        return fail("pack_into expected %zd items for packing (got %zd)", f->values, nargs - 2);
    }
    intptr_t off;
    Buffer b;
    if (buffer_get(args[0], &b, true) < 0) {
        if (v_is_buffer(args[0]) && err_matches(&exc_TypeError))
            err_set(&exc_TypeError, "argument must be read-write bytes-like object, not %T", args[0]);
        return ABSENT;
    }
    Value r = ABSENT;
    if (num_as_index(args[1], &off, &exc_IndexError) < 0)
        goto done;
    if (off < 0) {
        if (off + f->size > 0) {
            fail("no space to pack %zd bytes at offset %zd", f->size, off);
            goto done;
        }
        if (off + b.len < 0) {
            fail("offset %zd out of range for %zd-byte buffer", off, b.len);
            goto done;
        }
        off += b.len;
    }
    if (b.len - off < f->size) {
        fail("pack_into requires a buffer of at least %zu bytes for packing %zd bytes at offset %zd (actual buffer "
             "size is %zd)",
             (size_t)f->size + (size_t)off, f->size, off, b.len);
        goto done;
    }
    if (pack_all(f, b.data + off, args + 2))
        r = V_NONE;
done:
    buffer_release(&b);
    return r;
}

static Value do_unpack(Value self, Value data) {
    const Format *f = format_of(self);
    ByteView w;
    if (f == NULL || view_open(&w, data) < 0)
        return ABSENT;
    Value r = w.n != f->size ? fail("unpack requires a buffer of %zd bytes", f->size) : unpack_all(f, w.p);
    view_close(&w);
    return r;
}

static Value do_unpack_from(Value self, Value data, Value offset) {
    const Format *f = format_of(self);
    intptr_t off = 0;
    ByteView w;
    if (f == NULL || (offset != ABSENT && num_as_index(offset, &off, &exc_IndexError) < 0) || view_open(&w, data) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (off < 0 && off + f->size > 0)
        fail("not enough data to unpack %zd bytes at offset %zd", f->size, off);
    else if (off < 0 && off + w.n < 0)
        fail("offset %zd out of range for %zd-byte buffer", off, w.n);
    else {
        if (off < 0)
            off += w.n;
        if (w.n - off < f->size)
            fail("unpack_from requires a buffer of at least %zu bytes for unpacking %zd bytes at offset %zd (actual "
                 "buffer size is %zd)",
                 (size_t)f->size + (size_t)off, f->size, off, w.n);
        else
            r = unpack_all(f, w.p + off);
    }
    view_close(&w);
    return r;
}

/* ---- iter_unpack ---- */

static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((UnpackIter *)self)->owner), arg);
    visit(((UnpackIter *)self)->buffer.owner, arg);
}
static void iter_clear(Value self) {
    buffer_release(&((UnpackIter *)self)->buffer);
    ref_clear(self, &((UnpackIter *)self)->owner);
}
static const TypeOps iter_ops = {.traverse = iter_traverse, .clear = iter_clear};

static Value do_iter_unpack(Value self, Value data) {
    const Format *f = format_of(self);
    Buffer b;
    if (f == NULL)
        return ABSENT;
    if (f->size == 0)
        return fail("cannot iteratively unpack with a struct of length 0");
    if (buffer_get(data, &b, false) < 0)
        return ABSENT;
    if (b.len % f->size != 0) {
        buffer_release(&b);
        return fail("iterative unpacking requires a buffer of a multiple of %zd bytes", f->size);
    }
    Value v = obj_new(&iter_type);
    if (v == ABSENT) {
        buffer_release(&b);
        return ABSENT;
    }
    ((UnpackIter *)v)->buffer = b;
    ref_init(&((UnpackIter *)v)->owner, retained(self));
    trace_track(v_obj(v));
    return v;
}
static Value iter_next(Value self) {
    UnpackIter *it = (UnpackIter *)self;
    const Format *f = format_of(ref_peek(&it->owner));
    if (f == NULL || LOAD_RELAXED(&it->pos) + f->size > it->buffer.len)
        return ABSENT;
    intptr_t pos = atomic_fetch_add(&it->pos, f->size);
    return pos + f->size > it->buffer.len ? ABSENT : unpack_all(f, it->buffer.data + pos);
}
static Value i_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value i_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = iter_next(self);
    return v == ABSENT && !err_pending() ? err_stop_iteration(ABSENT) : v;
}
static Value i_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    UnpackIter *it = (UnpackIter *)self;
    const Format *f = format_of(ref_peek(&it->owner));
    return f == NULL ? ABSENT : v_from_int(MAX(it->buffer.len - LOAD_RELAXED(&it->pos), 0) / f->size);
}

/* ---- methods and functions ---- */

static Value s_pack(Value self, Value *args, intptr_t nargs, Value kw) {
    return do_pack(self, args, nargs);
}
static Value s_pack_into(Value self, Value *args, intptr_t nargs, Value kw) {
    return do_pack_into(self, args, nargs);
}
static Value s_unpack(Value self, Value *args, intptr_t nargs, Value kw) {
    return do_unpack(self, args[0]);
}
static Value s_unpack_from(Value self, Value *args, intptr_t nargs, Value kw) {
    return do_unpack_from(self, args[0], arg_at(args, nargs, 1));
}
static Value s_iter_unpack(Value self, Value *args, intptr_t nargs, Value kw) {
    return do_iter_unpack(self, args[0]);
}
static Value s_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    const Format *f = format_of(self);
    return f == NULL ? ABSENT : v_from_int((intptr_t)(sizeof(Struct) + sizeof(Format)) + f->n * (intptr_t)sizeof(Item));
}
static Value g_format(Value self) {
    ExclCs cs;
    excl_read_begin(&cs, self);
    Value v = ref_load(self, &st(self)->text);
    excl_read_end(&cs);
    return v != ABSENT ? v : err_set(&exc_AttributeError, "format");
}
static Value g_size(Value self) {
    const Format *f = LOAD_ACQUIRE(&st(self)->format);
    return v_from_int(f == NULL ? -1 : f->size);
}

/* A module function: the method of the format's Struct. */
#define WITH_STRUCT(expr)             \
    Value s = struct_get(args[0]), r; \
    if (s == ABSENT)                  \
        return ABSENT;                \
    r = (expr);                       \
    release(s);                       \
    return r
static Value f_pack(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs == 0)
        return err_set(&exc_TypeError, "missing format argument");
    WITH_STRUCT(do_pack(s, args + 1, nargs - 1));
}
static Value f_pack_into(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs == 0)
        return err_set(&exc_TypeError, "missing format argument");
    WITH_STRUCT(do_pack_into(s, args + 1, nargs - 1));
}
static Value f_unpack(Value self, Value *args, intptr_t nargs, Value kw) {
    WITH_STRUCT(do_unpack(s, args[1]));
}
static Value f_unpack_from(Value self, Value *args, intptr_t nargs, Value kw) {
    WITH_STRUCT(do_unpack_from(s, args[1], arg_at(args, nargs, 2)));
}
static Value f_iter_unpack(Value self, Value *args, intptr_t nargs, Value kw) {
    WITH_STRUCT(do_iter_unpack(s, args[1]));
}
static Value f_calcsize(Value self, Value *args, intptr_t nargs, Value kw) {
    WITH_STRUCT(g_size(s));
}
static Value f_clearcache(Value self, Value *args, intptr_t nargs, Value kw) {
    dict_clear(cache);
    return V_NONE;
}

static const NativeDef struct_methods[] = {
    {"__new__", s_new, "($type, *args, **kwargs)"},
    {"__init__", s_init, "($self, /, format)"},
    {"pack", s_pack, "($self, *args)"},
    {"pack_into", s_pack_into, "($self, *args)"},
    {"unpack", s_unpack, "($self, buffer, /)"},
    {"unpack_from", s_unpack_from, "($self, /, buffer, offset=0)"},
    {"iter_unpack", s_iter_unpack, "($self, buffer, /)"},
    {"__sizeof__", s_sizeof, "($self, /)"},
    {NULL},
};
static const GetSetDef struct_getsets[] = {
    {"format", g_format, NULL, "struct format string"}, {"size", g_size, NULL, "struct size in bytes"}, {NULL}};
static const TypeSpec struct_spec = {.name = "_struct.Struct",
                                     .doc = "Struct(fmt) --> compiled struct object",
                                     .basic_size = sizeof(Struct),
                                     .flags = TF_BASETYPE | TF_IMMUTABLE | TF_WEAKREF,
                                     .ops = &struct_ops,
                                     .methods = struct_methods,
                                     .getsets = struct_getsets};
static const NativeDef iter_methods[] = {{"__iter__", i_iter, "($self, /)"},
                                         {"__next__", i_next, "($self, /)"},
                                         {"__length_hint__", i_hint, "($self, /)"},
                                         {NULL}};
static const TypeSpec iter_spec = {.name = "_struct.unpack_iterator",
                                   .basic_size = sizeof(UnpackIter),
                                   .flags = TF_IMMUTABLE | TF_NO_NEW,
                                   .ops = &iter_ops,
                                   .methods = iter_methods};

static int exec(Value m) {
    if (struct_error == ABSENT) { /* a second import finds the same classes */
        type_init_module_type(&struct_type, &struct_spec);
        type_init_module_type(&iter_type, &iter_spec);
        iter_register(&iter_type, iter_next);
        trace_register_roots(roots);
        if ((cache = dict_new()) == ABSENT || (struct_error = exc_class_new("struct.error", &exc_Exception)) == ABSENT)
            return -1;
        publish(cache);
        publish(struct_error);
    }
    return module_add(m, "error", retained(struct_error)) < 0 ||
                   module_add(m, "Struct", retained(V_OF(&struct_type))) < 0
               ? -1
               : 0;
}

static const NativeDef functions[] = {
    {"pack", f_pack, "($module, *args)"},
    {"pack_into", f_pack_into, "($module, *args)"},
    {"unpack", f_unpack, "($module, format, buffer, /)"},
    {"unpack_from", f_unpack_from, "($module, format, /, buffer, offset=0)"},
    {"iter_unpack", f_iter_unpack, "($module, format, buffer, /)"},
    {"calcsize", f_calcsize, "($module, format, /)"},
    {"_clearcache", f_clearcache, "($module, /)"},
    {NULL},
};
const ModuleSpec module__struct = {
    .name = "_struct",
    .doc = "Functions to convert between Python values and C structs.\n"
           "Python bytes objects are used to hold the data representing the C struct\n"
           "and also as format strings (explained below) to describe the layout of data\nin the C struct.",
    .functions = functions,
    .exec = exec};

/* marshal: CPython's format (version 4) for the values that programs store: everything but code objects, whose contents
 * are the VM's own. */
#include "gc/heap.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

#define FN(name) static Value name(Value self, Value *args, intptr_t nargs, Value kw)

enum { FLAG_REF = 0x80, DEPTH_MAX = 2000 };

/* ---- writing ---- */

typedef struct Writer {
    char *p;
    size_t n, cap;
    int depth, version;
    bool failed;
} Writer;

static void put(Writer *w, const void *p, size_t n) {
    if (w->n + n > w->cap) {
        size_t cap = (w->n + n) * 2 + 64;
        char *q = realloc(w->p, cap);
        if (!q) {
            w->failed = true;
            return;
        }
        w->p = q;
        w->cap = cap;
    }
    if (n > 0)
        memcpy(w->p + w->n, p, n);
    w->n += n;
}
static void put_byte(Writer *w, int c) {
    char b = (char)c;
    put(w, &b, 1);
}
static void put_u32(Writer *w, uint32_t x) {
    unsigned char b[] = {(unsigned char)x, (unsigned char)(x >> 8), (unsigned char)(x >> 16), (unsigned char)(x >> 24)};
    put(w, b, 4);
}
static void put_double(Writer *w, double d) {
    put(w, &d, 8);
}

static int put_value(Writer *w, Value v);
static int put_int(Writer *w, Value v) {
    int64_t i;
    if (int_to_i64(v, &i) == 0 && i >= INT32_MIN && i <= INT32_MAX) {
        put_byte(w, 'i');
        put_u32(w, (uint32_t)(int32_t)i);
        return 0;
    }
    size_t bits = int_bit_length(v), digits = (bits + 14) / 15, bytes = bits / 8 + 1;
    unsigned char *mag = calloc(1, bytes + 4);
    Value a = mag ? int_sign(v) < 0 ? int_neg(v) : retained(v) : err_no_memory();
    int r = mag && a ? int_to_bytes(a, mag, bytes, true, false) : -1;
    if (r == 0) {
        put_byte(w, 'l');
        put_u32(w, (uint32_t)(int_sign(v) < 0 ? -(int32_t)digits : (int32_t)digits));
        for (size_t d = 0; d < digits; d++) {
            size_t bit = d * 15;
            uint32_t word = mag[bit / 8] | (uint32_t)mag[bit / 8 + 1] << 8 |
                            (uint32_t)(bit / 8 + 2 < bytes ? mag[bit / 8 + 2] : 0) << 16;
            uint32_t digit = word >> (bit % 8) & 0x7fff;
            put_byte(w, (int)(digit & 0xff));
            put_byte(w, (int)(digit >> 8));
        }
    }
    release(a);
    free(mag);
    return r;
}
static int put_seq(Writer *w, Value seq) {
    Value l = seq_to_list(seq);
    int r = l ? 0 : -1;
    for (intptr_t i = 0; r == 0 && i < list_len(l); i++) {
        Value x = list_get(l, i);
        r = x ? put_value(w, x) : 0;
        release(x);
    }
    release(l);
    return r;
}
static int put_value(Writer *w, Value v) {
    if (++w->depth > DEPTH_MAX) {
        err_set(&exc_ValueError, "object too deeply nested to marshal");
        return -1;
    }
    int r = 0;
    Type *t = type_of(v);
    if (v == V_NONE)
        put_byte(w, 'N');
    else if (v == V_TRUE)
        put_byte(w, 'T');
    else if (v == V_FALSE)
        put_byte(w, 'F');
    else if (v == V_ELLIPSIS)
        put_byte(w, '.');
    else if (v == V_OF(&exc_StopIteration))
        put_byte(w, 'S');
    else if (t == &int_type)
        r = put_int(w, v);
    else if (t == &float_type) {
        put_byte(w, 'g');
        put_double(w, float_value(v));
    } else if (t == &complex_type) {
        put_byte(w, 'y');
        put_double(w, ((Complex *)v)->re);
        put_double(w, ((Complex *)v)->im);
    } else if (t == &bytes_type) {
        put_byte(w, 's');
        put_u32(w, (uint32_t)bytes_len(v));
        put(w, bytes_data(v), (size_t)bytes_len(v));
    } else if (t == &str_type) {
        Value b = str_encode(v, "utf-8", "surrogatepass");
        if (b) {
            put_byte(w, str_is_interned(v) ? 't' : 'u');
            put_u32(w, (uint32_t)bytes_len(b));
            put(w, bytes_data(b), (size_t)bytes_len(b));
        }
        r = b ? 0 : -1;
        release(b);
    } else if (t == &tuple_type) {
        if (tuple_len(v) < 256) {
            put_byte(w, ')');
            put_byte(w, (int)tuple_len(v));
        } else {
            put_byte(w, '(');
            put_u32(w, (uint32_t)tuple_len(v));
        }
        r = put_seq(w, v);
    } else if (t == &list_type) {
        put_byte(w, '[');
        put_u32(w, (uint32_t)list_len(v));
        r = put_seq(w, v);
    } else if (t == &set_type || t == &frozenset_type) {
        put_byte(w, t == &set_type ? '<' : '>');
        put_u32(w, (uint32_t)set_len(v));
        r = put_seq(w, v);
    } else if (t == &dict_type) {
        put_byte(w, '{');
        Value k, x;
        for (intptr_t pos = 0; r == 0 && dict_next(v, &pos, &k, &x);) {
            r = put_value(w, k);
            if (r == 0)
                r = put_value(w, x);
            release(k);
            release(x);
        }
        put_byte(w, '0');
    } else if (v_is_buffer(v)) {
        Buffer b;
        r = buffer_get(v, &b, false);
        if (r == 0) {
            put_byte(w, 's');
            put_u32(w, (uint32_t)b.len);
            put(w, b.data, (size_t)b.len);
            buffer_release(&b);
        }
    } else {
        err_set(&exc_ValueError, "unmarshallable object");
        r = -1;
    }
    w->depth--;
    return r;
}
static Value dumps(Value v) {
    Writer w = {0};
    int r = put_value(&w, v);
    Value b = r < 0 ? ABSENT : w.failed ? err_no_memory() : bytes_from(w.p, w.n);
    free(w.p);
    return b;
}
FN(m_dumps) {
    return dumps(args[0]);
}
FN(m_dump) {
    Value b = dumps(args[0]);
    if (!b)
        return ABSENT;
    Value a[] = {b}, r = obj_call_method_str(args[1], "write", a, 1);
    release(b);
    return r;
}

/* ---- reading ---- */

typedef struct Reader {
    const unsigned char *p, *end;
    Value file; /* ABSENT, or where more comes from */
    Value refs; /* list */
    Value hold; /* bytes last read from the file */
    int depth;
} Reader;

static const unsigned char *take(Reader *r, size_t n) {
    if (r->file) {
        Value a[] = {v_from_int((int64_t)n)}, b = obj_call_method_str(r->file, "read", a, 1);
        if (!b)
            return NULL;
        release(r->hold);
        r->hold = b;
        if (!v_is_bytes(b) || (size_t)bytes_len(b) != n) {
            err_set(&exc_EOFError, "marshal data too short");
            return NULL;
        }
        return (const unsigned char *)bytes_data(b);
    }
    if ((size_t)(r->end - r->p) < n) {
        err_set(&exc_EOFError, "marshal data too short");
        return NULL;
    }
    r->p += n;
    return r->p - n;
}
static bool take_u32(Reader *r, uint32_t *out) {
    const unsigned char *p = take(r, 4);
    if (!p)
        return false;
    *out = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return true;
}
static bool take_double(Reader *r, double *d) {
    const unsigned char *p = take(r, 8);
    if (p)
        memcpy(d, p, 8);
    return p != NULL;
}
static Value bad(const char *what) {
    return err_set(&exc_ValueError, "bad marshal data (%s)", what);
}
static int remember(Reader *r, bool flag, Value v) {
    return flag ? list_append(r->refs, v) : 0;
}

static Value get_value(Reader *r, bool null_ok);

static Value get_items(Reader *r, uint32_t n) { /* a list */
    Value l = list_new(0);
    for (uint32_t i = 0; l && i < n; i++) {
        Value x = get_value(r, false);
        if (!x || list_append_steal(l, x) < 0) {
            release(l);
            return ABSENT;
        }
    }
    return l;
}
static Value get_long(Reader *r) {
    uint32_t u;
    if (!take_u32(r, &u))
        return ABSENT;
    int32_t n = (int32_t)u;
    if (n == INT32_MIN)
        return bad("long size out of range");
    size_t digits = (size_t)(n < 0 ? -n : n), bytes = digits * 15 / 8 + 4;
    unsigned char *mag = calloc(1, bytes);
    if (!mag)
        return err_no_memory();
    for (size_t d = 0; d < digits; d++) {
        const unsigned char *p = take(r, 2);
        if (!p) {
            free(mag);
            return ABSENT;
        }
        uint32_t digit = p[0] | (uint32_t)p[1] << 8;
        if (digit > 0x7fff) {
            free(mag);
            return bad("digit out of range in long");
        }
        size_t bit = d * 15;
        uint32_t word = digit << (bit % 8);
        mag[bit / 8] |= (unsigned char)word;
        mag[bit / 8 + 1] |= (unsigned char)(word >> 8);
        mag[bit / 8 + 2] |= (unsigned char)(word >> 16);
    }
    Value v = int_from_bytes(mag, bytes, true, false);
    free(mag);
    if (v && n < 0) {
        Value neg = int_neg(v);
        release(v);
        v = neg;
    }
    return v;
}
static Value get_value(Reader *r, bool null_ok) {
    const unsigned char *p = take(r, 1);
    if (!p) {
        if (r->file == ABSENT && r->refs && list_len(r->refs) == 0 && r->depth == 0)
            err_set(&exc_EOFError, "EOF read where object expected");
        return ABSENT;
    }
    if (++r->depth > DEPTH_MAX)
        return bad("recursion limit exceeded");
    bool flag = *p & FLAG_REF;
    int c = *p & ~FLAG_REF;
    uint32_t n;
    Value v = ABSENT, l;
    double d, im;
    switch (c) {
    case '0':
        if (!null_ok)
            bad("unexpected NULL");
        r->depth--;
        return ABSENT;
    case 'N':
        v = V_NONE;
        break;
    case 'T':
        v = V_TRUE;
        break;
    case 'F':
        v = V_FALSE;
        break;
    case '.':
        v = V_ELLIPSIS;
        break;
    case 'S':
        v = retained(V_OF(&exc_StopIteration));
        break;
    case 'i':
        if (take_u32(r, &n))
            v = v_from_int((int32_t)n);
        if (v && remember(r, flag, v) < 0)
            v = ABSENT;
        break;
    case 'l':
        v = get_long(r);
        if (v && remember(r, flag, v) < 0)
            v = ABSENT;
        break;
    case 'g':
        if (take_double(r, &d))
            v = float_new(d);
        if (v && remember(r, flag, v) < 0)
            v = ABSENT;
        break;
    case 'y':
        if (take_double(r, &d) && take_double(r, &im))
            v = complex_new(d, im);
        if (v && remember(r, flag, v) < 0)
            v = ABSENT;
        break;
    case 's':
    case 't':
    case 'u':
    case 'a':
    case 'A':
    case 'z':
    case 'Z': {
        if (c == 'z' || c == 'Z') {
            p = take(r, 1);
            if (!p)
                break;
            n = *p;
        } else if (!take_u32(r, &n))
            break;
        if (n > INT32_MAX) {
            bad("string size out of range");
            break;
        }
        p = take(r, n);
        if (!p)
            break;
        if (c == 's')
            v = bytes_from((const char *)p, n);
        else {
            Value b = bytes_from((const char *)p, n);
            v = b ? bytes_decode(b, "utf-8", "surrogatepass") : ABSENT;
            release(b);
            if (v && (c == 't' || c == 'A' || c == 'Z'))
                v = str_intern(v);
        }
        if (v && remember(r, flag, v) < 0)
            v = ABSENT;
        break;
    }
    case ')':
    case '(': {
        if (c == ')') {
            p = take(r, 1);
            if (!p)
                break;
            n = *p;
        } else if (!take_u32(r, &n))
            break;
        intptr_t at = list_len(r->refs);
        if (flag && list_append(r->refs, V_NONE) < 0)
            break;
        l = get_items(r, n);
        v = l ? list_to_tuple(l) : ABSENT;
        release(l);
        if (v && flag)
            list_set(r->refs, at, v);
        break;
    }
    case '[': {
        if (!take_u32(r, &n))
            break;
        v = list_new(0);
        if (v && remember(r, flag, v) == 0)
            for (uint32_t i = 0; i < n; i++) {
                Value x = get_value(r, false);
                if (!x || list_append_steal(v, x) < 0) {
                    release(v);
                    v = ABSENT;
                    break;
                }
            }
        break;
    }
    case '<':
    case '>': {
        if (!take_u32(r, &n))
            break;
        intptr_t at = list_len(r->refs);
        if (flag && list_append(r->refs, V_NONE) < 0)
            break;
        l = get_items(r, n);
        v = l ? c == '<' ? set_from(l) : frozenset_from(l) : ABSENT;
        release(l);
        if (v && flag)
            list_set(r->refs, at, v);
        break;
    }
    case '{': {
        v = dict_new();
        if (!v || remember(r, flag, v) < 0)
            break;
        for (;;) {
            Value k = get_value(r, true);
            if (!k)
                break;
            Value x = get_value(r, false);
            int e = x ? dict_set(v, k, x) : -1;
            release(k);
            release(x);
            if (e < 0)
                break;
        }
        if (err_pending()) {
            release(v);
            v = ABSENT;
        }
        break;
    }
    case 'r':
        if (!take_u32(r, &n))
            break;
        v = n < (uint32_t)list_len(r->refs) ? list_get(r->refs, (intptr_t)n) : bad("invalid reference");
        break;
    default:
        bad("unknown type code");
    }
    r->depth--;
    return v;
}
static Value read_all(Reader *r) {
    r->refs = list_new(0);
    Value v = r->refs ? get_value(r, false) : ABSENT;
    release(r->refs);
    release(r->hold);
    if (!v && !err_pending())
        err_set(&exc_TypeError, "NULL object in marshal data for object");
    return v;
}
FN(m_loads) {
    Buffer b;
    if (buffer_get(args[0], &b, false) < 0)
        return ABSENT;
    Reader r = {.p = (const unsigned char *)b.data, .end = (const unsigned char *)b.data + b.len};
    Value v = read_all(&r);
    buffer_release(&b);
    return v;
}
FN(m_load) {
    Reader r = {.file = args[0]};
    return read_all(&r);
}
static const NativeDef functions[] = {
    {"dump", m_dump, "($module, value, file, version=4, /)", 0, "Write the value on the open file."},
    {"dumps", m_dumps, "($module, value, version=4, /)", 0,
     "Return the bytes object that would be written to a file by dump(value, file)."},
    {"load", m_load, "($module, file, /)", 0, "Read one value from the open file and return it."},
    {"loads", m_loads, "($module, bytes, /)", 0, "Convert the bytes-like object to a value."},
    {0},
};
static int exec(Value m) {
    return module_add_int(m, "version", 4);
}
const ModuleSpec module_marshal = {
    "marshal", "This module contains functions that can read and write Python values in\na binary format.", functions,
    exec};

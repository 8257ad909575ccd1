/* array: packed values of one C type. Like bytearray: the block and its sizes belong to the object's critical section;
 * whatever changes the size fails while buffers are exported. */
#include "heap.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/float.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

typedef struct Array {
    Object hdr;
    char code;
    uint8_t size; /* of an item */
    intptr_t len; /* items */
    intptr_t cap;
    char *block; /* heap_block, or NULL */
    _Atomic(intptr_t) exports;
} Array;

static Type array_type, iter_type;
static Array *ar(Value v) {
    return (Array *)v;
}
static bool is_array(Value v) {
    return v != ABSENT && type_is_subtype(type_of(v), &array_type);
}

static intptr_t code_size(uint32_t c) {
    return c == 'u' ? 4 : c < 128 && strchr("bBhHiIlLqQfd", (int)c) ? item_size((char)c) : 0;
}

/* ---- items ---- */

static Value get_item(char code, const char *p) {
    if (code == 'u') {
        uint32_t c;
        memcpy(&c, p, 4);
        if (c > 0x10ffff)
            return err_set(&exc_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", c);
        return str_from_char(c);
    }
    return item_unpack(code, p);
}

static int range_error(char code, bool above) {
    static const struct {
        char code;
        const char *name;
    } names[] = {{'b', "signed char"},    {'B', "unsigned byte integer"}, {'h', "signed short integer"},
                 {'H', "unsigned short"}, {'i', "signed integer"},        {'I', "unsigned int"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].code == code)
            err_set(&exc_OverflowError, "%s is %s than %s", names[i].name, above ? "greater" : "less",
                    above ? "maximum" : "minimum");
    return -1;
}

/* 0, -1. May run Python code. */
static int set_item(char code, char *p, Value v) {
    double d;
    if (code == 'u') {
        if (!v_is_str(v) || str_len(v) != 1) {
            err_set(&exc_TypeError,
                    v_is_str(v) ? "array item must be unicode character"
                                : "array item must be a unicode character, not %T",
                    v);
            return -1;
        }
        uint32_t c = str_at(v, 0);
        memcpy(p, &c, 4);
        return 0;
    }
    if (code == 'f' || code == 'd') {
        if (num_as_double(v, &d) < 0)
            return -1;
        float f = (float)d;
        memcpy(p, code == 'f' ? (void *)&f : (void *)&d, code == 'f' ? 4 : 8);
        return 0;
    }
    Value n = v_is_integer(v) ? retained(v) : num_index(v);
    if (n == ABSENT)
        return -1;
    intptr_t size = item_size(code);
    bool is_signed = strchr("bhilq", code) != NULL;
    int64_t i = 0;
    uint64_t u = 0;
    int r = int_to_i64(n, &i), sign = int_sign(n);
    size_t bits = int_bit_length(n);
    int_to_u64_mask(n, &u);
    release(n);
    if (is_signed) {
        if (size == 8 && r != 0) {
            err_set(&exc_OverflowError,
                    code == 'l' ? "Python int too large to convert to C long" : "int too big to convert");
            return -1;
        }
        if (size < 8 && (r != 0 || i < -((int64_t)1 << (8 * size - 1)) || i >= (int64_t)1 << (8 * size - 1)))
            return range_error(code, sign > 0);
    } else if (sign < 0) {
        if (size <= 2)
            return range_error(code, false);
        err_set(&exc_OverflowError, code == 'Q' ? "can't convert negative int to unsigned"
                                                : "can't convert negative value to unsigned int");
        return -1;
    } else if (bits > (size_t)size * 8) {
        if (size < 8)
            return range_error(code, true);
        err_set(&exc_OverflowError,
                code == 'L' ? "Python int too large to convert to C unsigned long" : "int too big to convert");
        return -1;
    }
    memcpy(p, &u, (size_t)size);
    return 0;
}

/* ---- storage ---- */

static void exported(void) {
    err_set(&exc_BufferError, "cannot resize an array that is exporting buffers");
}

/* Replaces the items [lo, hi), clipped to the array (negative: counted from the end), by n items of p. 0, -1. */
static int splice(Value v, intptr_t lo, intptr_t hi, const char *p, intptr_t n) {
    Array *a = ar(v);
    const intptr_t size = a->size;
    char *fresh = NULL;
    intptr_t cap = 0;
    for (;;) {
        ExclCs cs;
        excl_cs_begin(&cs, v);
        intptr_t to = MIN(hi, a->len), from = lo < 0 ? MAX(lo + a->len, 0) : MIN(lo, a->len);
        to = MAX(to, from);
        if (lo < 0 && hi < 0)
            to = from;
        intptr_t len = a->len - (to - from) + n, tail = a->len - to;
        if (len != a->len && LOAD_ACQUIRE(&a->exports) != 0) {
            excl_cs_end(&cs);
            heap_block_free(fresh);
            exported();
            return -1;
        }
        if (len <= a->cap) {
            if (len != a->len && tail > 0)
                memmove(a->block + (from + n) * size, a->block + to * size, (size_t)(tail * size));
            if (n > 0)
                memcpy(a->block + from * size, p, (size_t)(n * size));
            a->len = len;
            excl_cs_end(&cs);
            heap_block_free(fresh);
            return 0;
        }
        if (fresh != NULL && len <= cap) {
            char *old = a->block;
            if (old != NULL) {
                memcpy(fresh, old, (size_t)(from * size));
                memcpy(fresh + (from + n) * size, old + to * size, (size_t)(tail * size));
            }
            memcpy(fresh + from * size, p, (size_t)(n * size));
            a->block = fresh;
            a->cap = cap;
            a->len = len;
            excl_cs_end(&cs);
            heap_block_free(old);
            return 0;
        }
        bool grows = a->block != NULL;
        excl_cs_end(&cs);
        heap_block_free(fresh);
        cap = grows ? len + (len >> 3) + (len < 8 ? 3 : 7) : MAX(len, 1);
        if (len > INTPTR_MAX / 16 || (fresh = heap_block((size_t)(cap * size))) == NULL) {
            err_no_memory();
            return -1;
        }
    }
}
static int append_items(Value v, const char *p, intptr_t n) {
    return n == 0 ? 0 : splice(v, INTPTR_MAX, INTPTR_MAX, p, n);
}

static Value array_new(Type *t, char code) {
    Value v = obj_new(t);
    if (v != ABSENT) {
        ar(v)->code = code;
        ar(v)->size = (uint8_t)code_size((uint8_t)code);
    }
    return v;
}

static void fini(Value self) {
    heap_block_free(ar(self)->block);
    ar(self)->block = NULL;
}

/* A copy of the items [lo, hi) that stays as it is: malloc memory (never NULL on success) and how many there are. */
static char *snapshot(Value v, intptr_t lo, intptr_t hi, intptr_t *n) {
    Array *a = ar(v);
    intptr_t room = -1;
    char *copy = NULL;
    for (;;) {
        ExclCs cs;
        excl_cs_begin(&cs, v);
        intptr_t to = MIN(hi, a->len), from = MIN(lo, to), k = to - from;
        if (k <= room) {
            if (k > 0)
                memcpy(copy, a->block + from * a->size, (size_t)(k * a->size));
            excl_cs_end(&cs);
            *n = k;
            return copy;
        }
        excl_cs_end(&cs);
        free(copy);
        room = k;
        if ((copy = malloc((size_t)(room * a->size) + 1)) == NULL) {
            err_no_memory();
            return NULL;
        }
    }
}

static intptr_t current_len(Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, v);
    intptr_t n = ar(v)->len;
    excl_cs_end(&cs);
    return n;
}
/* The bytes of item i into out; false when there is none. */
static bool load_item(Value v, intptr_t i, char out[8]) {
    ExclCs cs;
    excl_cs_begin(&cs, v);
    bool ok = i >= 0 && i < ar(v)->len;
    if (ok)
        memcpy(out, ar(v)->block + i * ar(v)->size, ar(v)->size);
    excl_cs_end(&cs);
    return ok;
}

static int get_buffer(Value v, Buffer *b, bool writable) {
    static const char formats[][2] = {"b", "B", "w", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d"};
    Array *a = ar(v);
    ExclCs cs;
    excl_cs_begin(&cs, v);
    atomic_fetch_add_explicit(&a->exports, 1, memory_order_relaxed);
    b->data = a->block == NULL ? "" : a->block;
    b->len = a->len * a->size;
    excl_cs_end(&cs);
    b->itemsize = a->size;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i][0] == (a->code == 'u' ? 'w' : a->code))
            b->format = formats[i];
    return 0;
}
static void release_buffer(Value v, Buffer *b) {
    atomic_fetch_sub_explicit(&ar(v)->exports, 1, memory_order_release);
}

/* ---- filling ---- */

static int append_value(Value self, Value v) {
    char buf[8];
    return set_item(ar(self)->code, buf, v) < 0 ? -1 : append_items(self, buf, 1);
}

static int extend_iterable(Value self, Value iterable) {
    Value it = obj_iter(iterable), item;
    if (it == ABSENT)
        return -1;
    int r = 0;
    while (r == 0 && (item = obj_next(it)) != ABSENT) {
        r = append_value(self, item);
        release(item);
    }
    release(it);
    return r < 0 || err_pending() ? -1 : 0;
}

static int extend_array(Value self, Value other) {
    if (ar(self)->code != ar(other)->code) {
        err_set(&exc_TypeError, "can only extend with array of same kind");
        return -1;
    }
    intptr_t n;
    char *copy = snapshot(other, 0, INTPTR_MAX, &n);
    if (copy == NULL)
        return -1;
    int r = append_items(self, copy, n);
    free(copy);
    return r;
}

static int extend_bytes(Value self, Value data) {
    Buffer b;
    if (buffer_get(data, &b, false) < 0)
        return -1;
    int r = -1;
    if (b.itemsize != 1)
        err_set(&exc_TypeError, "a bytes-like object is required");
    else if (b.len % ar(self)->size != 0)
        err_set(&exc_ValueError, "bytes length not a multiple of item size");
    else
        r = append_items(self, b.data, b.len / ar(self)->size);
    buffer_release(&b);
    return r;
}

static int extend_text(Value self, Value s) {
    intptr_t n = str_len(s);
    uint32_t *u = malloc((size_t)(n + 1) * 4);
    if (u == NULL) {
        err_no_memory();
        return -1;
    }
    for (intptr_t i = 0; i < n; i++)
        u[i] = str_at(s, i);
    int r = append_items(self, (char *)u, n);
    free(u);
    return r;
}

static Value a_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (cls == V_OF(&array_type) && kw != ABSENT && tuple_len(kw) > 0)
        return err_set(&exc_TypeError, "array.array() takes no keyword arguments");
    if (nargs < 1)
        return err_set(&exc_TypeError, "array() takes at least 1 argument (0 given)");
    if (nargs > 2)
        return err_set(&exc_TypeError, "array() takes at most 2 arguments (%zd given)", nargs);
    Value code = args[0], init = nargs > 1 ? args[1] : ABSENT;
    if (!v_is_str(code) || str_len(code) != 1)
        return err_set(&exc_TypeError, "array() argument 1 must be a unicode character, not %T", code);
    uint32_t c = str_at(code, 0);
    if (init != ABSENT && c != 'u') {
        if (v_is_str(init))
            return err_set(&exc_TypeError, "cannot use a str to initialize an array with typecode '%c'", (int)c);
        if (is_array(init) && ar(init)->code == 'u')
            return err_set(&exc_TypeError, "cannot use a unicode array to initialize an array with typecode '%c'",
                           (int)c);
    }
    if (code_size(c) == 0)
        return err_set(&exc_ValueError, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)");
    Value v = array_new((Type *)cls, (char)c);
    if (v == ABSENT || init == ABSENT)
        return v;
    int r;
    if (v_is_str(init))
        r = extend_text(v, init);
    else if (v_is_bytes(init) || v_is_bytearray(init))
        r = extend_bytes(v, init);
    else if (is_array(init) && ar(init)->code == ar(v)->code)
        r = extend_array(v, init);
    else
        r = extend_iterable(v, init);
    if (r < 0) {
        release(v);
        return ABSENT;
    }
    return v;
}

/* ---- methods ---- */

static Value m_append(Value self, Value *args, intptr_t nargs, Value kw) {
    return append_value(self, args[0]) < 0 ? ABSENT : V_NONE;
}
static Value m_extend(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = is_array(args[0]) ? extend_array(self, args[0]) : extend_iterable(self, args[0]);
    return r < 0 ? ABSENT : V_NONE;
}
static Value m_frombytes(Value self, Value *args, intptr_t nargs, Value kw) {
    return extend_bytes(self, args[0]) < 0 ? ABSENT : V_NONE;
}
static Value m_fromunicode(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "fromunicode() argument must be str, not %T", args[0]);
    if (ar(self)->code != 'u')
        return err_set(&exc_ValueError, "fromunicode() may only be called on unicode type arrays");
    return extend_text(self, args[0]) < 0 ? ABSENT : V_NONE;
}
static Value m_fromlist(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_list(args[0]))
        return err_set(&exc_TypeError, "arg must be list");
    /* All or nothing: the items are converted before any is appended. */
    Value tmp = array_new(&array_type, ar(self)->code), item;
    int r = tmp == ABSENT ? -1 : 0;
    intptr_t n = list_len(args[0]);
    for (intptr_t i = 0; r == 0 && i < n; i++) {
        item = list_get(args[0], i);
        if (item == ABSENT || list_len(args[0]) != n) {
            err_set(&exc_RuntimeError, "list changed size during iteration");
            r = -1;
        } else
            r = append_value(tmp, item);
        release(item);
    }
    if (r == 0)
        r = extend_array(self, tmp);
    release(tmp);
    return r < 0 ? ABSENT : V_NONE;
}
static Value m_fromfile(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n, bytes;
    if (num_as_index(args[1], &n, &exc_OverflowError) < 0)
        return ABSENT;
    if (n < 0)
        return err_set(&exc_ValueError, "negative count");
    if (__builtin_mul_overflow(n, (intptr_t)ar(self)->size, &bytes))
        return err_no_memory();
    Value count = int_from_i64(bytes), b = count == ABSENT ? ABSENT : obj_call_method_str(args[0], "read", &count, 1);
    release(count);
    if (b == ABSENT)
        return ABSENT;
    if (!v_is_bytes(b)) {
        release(b);
        return err_set(&exc_TypeError, "read() didn't return bytes");
    }
    bool enough = bytes_len(b) == bytes;
    int r = extend_bytes(self, b);
    release(b);
    if (r < 0)
        return ABSENT;
    return enough ? V_NONE : err_set(&exc_EOFError, "read() didn't return enough bytes");
}
static Value m_tofile(Value self, Value *args, intptr_t nargs, Value kw) {
    const intptr_t chunk = 64 << 10;
    intptr_t per = chunk / ar(self)->size, n;
    for (intptr_t i = 0;; i += per) {
        char *copy = snapshot(self, i, i + per, &n);
        if (copy == NULL)
            return ABSENT;
        Value b = n == 0 ? ABSENT : bytes_from(copy, (size_t)(n * ar(self)->size));
        free(copy);
        if (n == 0)
            return V_NONE;
        Value r = b == ABSENT ? ABSENT : obj_call_method_str(args[0], "write", &b, 1);
        release(b);
        if (r == ABSENT)
            return ABSENT;
        release(r);
    }
}
static Value m_tobytes(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    char *copy = snapshot(self, 0, INTPTR_MAX, &n);
    if (copy == NULL)
        return ABSENT;
    Value b = bytes_from(copy, (size_t)(n * ar(self)->size));
    free(copy);
    return b;
}
static Value m_tolist(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    char *copy = snapshot(self, 0, INTPTR_MAX, &n);
    if (copy == NULL)
        return ABSENT;
    Value list = list_new(n);
    for (intptr_t i = 0; list != ABSENT && i < n; i++) {
        Value v = get_item(ar(self)->code, copy + i * ar(self)->size);
        if (v == ABSENT || list_append_steal(list, v) < 0) {
            release(list);
            list = ABSENT;
        }
    }
    free(copy);
    return list;
}
static Value m_tounicode(Value self, Value *args, intptr_t nargs, Value kw) {
    if (ar(self)->code != 'u')
        return err_set(&exc_ValueError, "tounicode() may only be called on unicode type arrays");
    intptr_t n;
    char *copy = snapshot(self, 0, INTPTR_MAX, &n);
    if (copy == NULL)
        return ABSENT;
    Value s = ABSENT;
    intptr_t i = 0;
    while (i < n && ((uint32_t *)copy)[i] <= 0x10ffff)
        i++;
    if (i < n)
        err_set(&exc_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", ((uint32_t *)copy)[i]);
    else
        s = str_from_kind(copy, 4, (size_t)n);
    free(copy);
    return s;
}

static Value m_insert(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    char buf[8];
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0 || set_item(ar(self)->code, buf, args[1]) < 0)
        return ABSENT;
    return splice(self, i, i < 0 ? -1 : i, buf, 1) < 0 ? ABSENT : V_NONE;
}
static Value m_pop(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = -1;
    char buf[8];
    if (nargs > 0 && args[0] != ABSENT && num_as_index(args[0], &i, &exc_IndexError) < 0)
        return ABSENT;
    Array *a = ar(self);
    ExclCs cs;
    excl_cs_begin(&cs, self);
    intptr_t n = a->len;
    bool busy = LOAD_ACQUIRE(&a->exports) != 0;
    if (i < 0)
        i += n;
    bool ok = i >= 0 && i < n && !busy;
    if (ok) {
        memcpy(buf, a->block + i * a->size, a->size);
        memmove(a->block + i * a->size, a->block + (i + 1) * a->size, (size_t)((n - i - 1) * a->size));
        a->len--;
    }
    excl_cs_end(&cs);
    if (ok)
        return get_item(a->code, buf);
    if (n == 0)
        return err_set(&exc_IndexError, "pop from empty array");
    if (i < 0 || i >= n)
        return err_set(&exc_IndexError, "pop index out of range");
    exported();
    return ABSENT;
}

/* Index of the first item in [lo, hi) equal to v; -1 none, -2 error. *count: how many (NULL: stop at the first). */
static intptr_t search(Value self, Value v, intptr_t lo, intptr_t hi, intptr_t *count) {
    char buf[8];
    for (intptr_t i = lo; i < hi && load_item(self, i, buf); i++) {
        Value item = get_item(ar(self)->code, buf);
        if (item == ABSENT)
            return -2;
        int r = obj_eq(item, v);
        release(item);
        if (r < 0)
            return -2;
        if (r > 0) {
            if (count == NULL)
                return i;
            ++*count;
        }
    }
    return -1;
}
static Value m_index(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t lo = 0, hi = INTPTR_MAX, n = current_len(self);
    if ((nargs > 1 && args[1] != ABSENT && num_as_index(args[1], &lo, NULL) < 0) ||
        (nargs > 2 && args[2] != ABSENT && num_as_index(args[2], &hi, NULL) < 0))
        return ABSENT;
    if (lo < 0)
        lo = MAX(lo + n, 0);
    if (hi < 0)
        hi += n;
    intptr_t i = search(self, args[0], lo, hi, NULL);
    return i >= 0 ? v_from_int(i) : i == -2 ? ABSENT : err_set(&exc_ValueError, "array.index(x): x not in array");
}
static Value m_count(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = 0;
    return search(self, args[0], 0, INTPTR_MAX, &n) == -2 ? ABSENT : v_from_int(n);
}
static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = search(self, args[0], 0, INTPTR_MAX, NULL);
    return i == -2 ? ABSENT : v_bool(i >= 0);
}
static Value m_remove(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = search(self, args[0], 0, INTPTR_MAX, NULL);
    if (i == -2)
        return ABSENT;
    if (i < 0)
        return err_set(&exc_ValueError, "array.remove(x): x not in array");
    return splice(self, i, i + 1, NULL, 0) < 0 ? ABSENT : V_NONE;
}
static void swap_bytes(char *p, char *q, int size) {
    for (int k = 0; k < size; k++) {
        char t = p[k];
        p[k] = q[k];
        q[k] = t;
    }
}
static Value m_reverse(Value self, Value *args, intptr_t nargs, Value kw) {
    Array *a = ar(self);
    ExclCs cs;
    excl_cs_begin(&cs, self);
    for (intptr_t i = 0, j = a->len - 1; i < j; i++, j--)
        swap_bytes(a->block + i * a->size, a->block + j * a->size, a->size);
    excl_cs_end(&cs);
    return V_NONE;
}
static Value m_byteswap(Value self, Value *args, intptr_t nargs, Value kw) {
    Array *a = ar(self);
    ExclCs cs;
    excl_cs_begin(&cs, self);
    for (intptr_t i = 0; i < a->len; i++)
        for (int k = 0; k < a->size / 2; k++)
            swap_bytes(a->block + i * a->size + k, a->block + i * a->size + a->size - 1 - k, 1);
    excl_cs_end(&cs);
    return V_NONE;
}
static Value m_buffer_info(Value self, Value *args, intptr_t nargs, Value kw) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    uintptr_t p = (uintptr_t)ar(self)->block;
    intptr_t n = ar(self)->len;
    excl_cs_end(&cs);
    Value t[2] = {int_from_u64(p), v_from_int(n)};
    return t[0] == ABSENT ? ABSENT : tuple_from_steal(t, 2);
}
static Value copy_range(Value self, intptr_t lo, intptr_t hi) {
    intptr_t n;
    char *copy = snapshot(self, lo, hi, &n);
    if (copy == NULL)
        return ABSENT;
    Value r = array_new(&array_type, ar(self)->code);
    if (r != ABSENT && append_items(r, copy, n) < 0) {
        release(r);
        r = ABSENT;
    }
    free(copy);
    return r;
}
static Value m_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return copy_range(self, 0, INTPTR_MAX);
}

/* The code of the machine's format for pickles (array's documentation of machine formats). */
static int machine_format(char code) {
    switch (code) {
    case 'u':
        return 20;
    case 'f':
        return 14;
    case 'd':
        return 16;
    case 'b':
        return 1;
    case 'B':
        return 0;
    default: {
        int base = code_size((uint8_t)code) == 2 ? 2 : code_size((uint8_t)code) == 4 ? 6 : 10;
        return base + (strchr("hilq", code) != NULL ? 2 : 0);
    }
    }
}
static Value m_reduce_ex(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t proto;
    Value dict;
    if (num_as_i64(args[0], &proto) < 0)
        return ABSENT;
    int found = obj_lookup_attr_str(self, "__dict__", &dict);
    if (found < 0)
        return ABSENT;
    if (found == 0)
        dict = V_NONE;
    Value items = ABSENT, inner = ABSENT, f = ABSENT, code = str_from_char((uint8_t)ar(self)->code), r = ABSENT;
    if (proto < 3) {
        items = m_tolist(self, NULL, 0, ABSENT);
        if (items != ABSENT && (inner = tuple_pack(2, code, items)) != ABSENT)
            r = tuple_pack(3, V_OF(type_of(self)), inner, dict);
    } else {
        items = m_tobytes(self, NULL, 0, ABSENT);
        f = import_attr("array", "_array_reconstructor");
        if (items != ABSENT && f != ABSENT &&
            (inner = tuple_pack(4, V_OF(type_of(self)), code, v_from_int(machine_format(ar(self)->code)), items)) !=
                ABSENT)
            r = tuple_pack(3, f, inner, dict);
    }
    release(dict);
    release(items);
    release(inner);
    release(f);
    return r;
}

/* ---- operators ---- */

static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(current_len(self));
}
static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int((intptr_t)sizeof(Array) + ar(self)->cap * ar(self)->size);
}
static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *full = type_cname(type_of(self)), *dot = strrchr(full, '.'), *name = dot != NULL ? dot + 1 : full;
    if (current_len(self) == 0)
        return str_format_c("%s('%c')", name, ar(self)->code);
    Value items = ar(self)->code == 'u' ? m_tounicode(self, NULL, 0, ABSENT) : m_tolist(self, NULL, 0, ABSENT);
    if (items == ABSENT)
        return ABSENT;
    Value r = str_format_c("%s('%c', %R)", name, ar(self)->code, items);
    release(items);
    return r;
}
static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!is_array(args[0])) {
        if (seq_defers(args[0], SP_RADD))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can only append array (not \"%T\") to array", args[0]);
    }
    if (ar(self)->code != ar(args[0])->code)
        return err_set(&exc_TypeError, "bad argument type for built-in operation");
    Value r = copy_range(self, 0, INTPTR_MAX);
    if (r != ABSENT && extend_array(r, args[0]) < 0) {
        release(r);
        return ABSENT;
    }
    return r;
}
static Value m_iadd(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!is_array(args[0]))
        return err_set(&exc_TypeError, "can only extend array with array (not \"%T\")", args[0]);
    return extend_array(self, args[0]) < 0 ? ABSENT : retained(self);
}
/* The items of self, times over, in place of all items of `into`. */
static int repeat_into(Value into, Value self, intptr_t times) {
    intptr_t n, total;
    char *one = snapshot(self, 0, INTPTR_MAX, &n), *all = NULL;
    if (one == NULL)
        return -1;
    int r = -1;
    times = MAX(times, 0);
    if (__builtin_mul_overflow(n * ar(self)->size, times, &total) || (all = malloc((size_t)total + 1)) == NULL)
        err_no_memory();
    else {
        for (intptr_t i = 0; i < times && n > 0; i++)
            memcpy(all + i * n * ar(self)->size, one, (size_t)(n * ar(self)->size));
        r = splice(into, 0, INTPTR_MAX, all, n * times);
    }
    free(all);
    free(one);
    return r;
}
static Value m_mul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (!v_is_index(args[0])) {
        if (seq_defers(args[0], SP_RMUL))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", args[0]);
    }
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    Value r = array_new(&array_type, ar(self)->code);
    if (r != ABSENT && repeat_into(r, self, n) < 0) {
        release(r);
        return ABSENT;
    }
    return r;
}
static Value m_imul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (!v_is_index(args[0]))
        return err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", args[0]);
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0 || repeat_into(self, self, n) < 0)
        return ABSENT;
    return retained(self);
}

static int index_arg(Value key, intptr_t *i) {
    if (!v_is_index(key)) {
        err_set(&exc_TypeError, "array indices must be integers");
        return -1;
    }
    return num_as_index(key, i, &exc_IndexError);
}
static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    char buf[8];
    if (v_is_exact(args[0], IDX_SLICE)) {
        intptr_t lo, hi, step, n, k = slice_indices(args[0], current_len(self), &lo, &hi, &step);
        if (k < 0)
            return ABSENT;
        if (step == 1)
            return copy_range(self, lo, lo + k);
        char *copy = snapshot(self, 0, INTPTR_MAX, &n);
        Value r = copy == NULL ? ABSENT : array_new(&array_type, ar(self)->code);
        for (i = 0; r != ABSENT && i < k && lo + i * step < n; i++)
            if (append_items(r, copy + (lo + i * step) * ar(self)->size, 1) < 0) {
                release(r);
                r = ABSENT;
            }
        free(copy);
        return r;
    }
    if (index_arg(args[0], &i) < 0)
        return ABSENT;
    if (i < 0)
        i += current_len(self);
    return load_item(self, i, buf) ? get_item(ar(self)->code, buf)
                                   : err_set(&exc_IndexError, "array index out of range");
}

/* Replaces (p not NULL) or removes the k items from lo on, `step` apart. */
static int stepped(Value self, intptr_t lo, intptr_t step, intptr_t k, const char *p) {
    Array *a = ar(self);
    ExclCs cs;
    excl_cs_begin(&cs, self);
    int r = 0;
    if (p != NULL) {
        for (intptr_t i = 0; i < k; i++)
            if (lo + i * step < a->len)
                memcpy(a->block + (lo + i * step) * a->size, p + i * a->size, a->size);
    } else if (k > 0 && LOAD_ACQUIRE(&a->exports) != 0)
        r = -1;
    else if (k > 0) {
        if (step < 0) {
            lo += step * (k - 1);
            step = -step;
        }
        intptr_t to = 0, gone = 0;
        for (intptr_t i = 0; i < a->len; i++)
            if (i >= lo && gone < k && (i - lo) % step == 0)
                gone++;
            else {
                if (to != i)
                    memcpy(a->block + to * a->size, a->block + i * a->size, a->size);
                to++;
            }
        a->len = to;
    }
    excl_cs_end(&cs);
    if (r < 0)
        exported();
    return r;
}

static Value m_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Array *a = ar(self);
    intptr_t i;
    char buf[8];
    if (v_is_exact(args[0], IDX_SLICE)) {
        Value v = args[1];
        if (!is_array(v))
            return err_set(&exc_TypeError, "can only assign array (not \"%T\") to array slice", v);
        if (ar(v)->code != a->code)
            return err_set(&exc_TypeError, "bad argument type for built-in operation");
        intptr_t lo, hi, step, n, k = slice_indices(args[0], current_len(self), &lo, &hi, &step);
        if (k < 0)
            return ABSENT;
        char *copy = snapshot(v, 0, INTPTR_MAX, &n);
        if (copy == NULL)
            return ABSENT;
        int r = -1;
        if (step == 1)
            r = splice(self, lo, MAX(hi, lo), copy, n);
        else if (n != k)
            err_set(&exc_ValueError, "attempt to assign array of size %zd to extended slice of size %zd", n, k);
        else
            r = stepped(self, lo, step, k, copy);
        free(copy);
        return r < 0 ? ABSENT : V_NONE;
    }
    if (index_arg(args[0], &i) < 0)
        return ABSENT;
    if (i < 0)
        i += current_len(self);
    if (i < 0 || i >= current_len(self))
        return err_set(&exc_IndexError, "array assignment index out of range");
    if (set_item(a->code, buf, args[1]) < 0)
        return ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    bool ok = i < a->len;
    if (ok)
        memcpy(a->block + i * a->size, buf, a->size);
    excl_cs_end(&cs);
    return ok ? V_NONE : err_set(&exc_IndexError, "array assignment index out of range");
}
static Value m_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i, n = current_len(self);
    if (v_is_exact(args[0], IDX_SLICE)) {
        intptr_t lo, hi, step, k = slice_indices(args[0], n, &lo, &hi, &step);
        if (k < 0)
            return ABSENT;
        int r = step == 1 ? splice(self, lo, MAX(hi, lo), NULL, 0) : stepped(self, lo, step, k, NULL);
        return r < 0 ? ABSENT : V_NONE;
    }
    if (index_arg(args[0], &i) < 0)
        return ABSENT;
    if (i < 0)
        i += n;
    if (i < 0 || i >= n)
        return err_set(&exc_IndexError, "array assignment index out of range");
    return splice(self, i, i + 1, NULL, 0) < 0 ? ABSENT : V_NONE;
}

static Value compare(Value self, Value other, int op) {
    if (!is_array(other))
        return V_NOTIMPL;
    intptr_t n = current_len(self), m = current_len(other);
    char a[8], b[8];
    if (n != m && (op == CMP_EQ || op == CMP_NE))
        return v_bool(op == CMP_NE);
    for (intptr_t i = 0; load_item(self, i, a) && load_item(other, i, b); i++) {
        Value x = get_item(ar(self)->code, a), y = x == ABSENT ? ABSENT : get_item(ar(other)->code, b), r = ABSENT;
        int eq = y == ABSENT ? -1 : obj_compare_bool(x, y, CMP_EQ);
        if (eq > 0 && v_is_flo(x) && v_flo(x) != v_flo(x))
            eq = 0; /* nan */
        if (eq == 0)
            r = op == CMP_EQ ? V_FALSE : op == CMP_NE ? V_TRUE : obj_compare(x, y, op);
        release(x);
        release(y);
        if (eq <= 0)
            return r;
    }
    bool r = op == CMP_LT   ? n < m
             : op == CMP_LE ? n <= m
             : op == CMP_EQ ? n == m
             : op == CMP_NE ? n != m
             : op == CMP_GT ? n > m
                            : n >= m;
    return v_bool(r);
}
COMPARE_NATIVES(m, compare)

/* ---- iterator ---- */

typedef struct ArrayIter {
    Object hdr;
    Ref array;              /* fixed */
    _Atomic(intptr_t) next; /* negative: exhausted for ever */
} ArrayIter;
static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((ArrayIter *)self)->array), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &((ArrayIter *)self)->array);
}
static const TypeOps iter_ops = {.traverse = iter_traverse, .clear = iter_clear};
static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    Value it = obj_new(&iter_type);
    if (it != ABSENT) {
        ref_init(&((ArrayIter *)it)->array, retained(self));
        trace_track(v_obj(it));
    }
    return it;
}
static Value iter_next(Value self) {
    ArrayIter *it = (ArrayIter *)self;
    Value v = ref_peek(&it->array);
    Array *a = ar(v);
    char buf[8];
    ExclCs cs;
    excl_cs_begin(&cs, v);
    intptr_t i = LOAD_RELAXED(&it->next);
    bool ok = i >= 0 && i < a->len;
    if (ok)
        memcpy(buf, a->block + i * a->size, a->size);
    STORE_RELAXED(&it->next, ok ? i + 1 : -1);
    excl_cs_end(&cs);
    return ok ? get_item(a->code, buf) : ABSENT;
}
static Value i_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value i_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = iter_next(self);
    return v == ABSENT && !err_pending() ? err_stop_iteration(ABSENT) : v;
}
static Value i_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    ArrayIter *it = (ArrayIter *)self;
    intptr_t i = LOAD_RELAXED(&it->next);
    Value iter = import_attr("builtins", "iter"), r = ABSENT;
    if (iter == ABSENT)
        return ABSENT;
    Value inner = i >= 0 ? tuple_pack(1, ref_peek(&it->array)) : tuple_pack(1, tuple_empty());
    if (inner != ABSENT)
        r = i >= 0 ? tuple_pack(3, iter, inner, v_from_int(i)) : tuple_pack(2, iter, inner);
    release(inner);
    release(iter);
    return r;
}
static Value i_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    STORE_RELAXED(&((ArrayIter *)self)->next, MAX(i, 0));
    return V_NONE;
}

/* ---- the module ---- */

/* Items in another machine's format, as values. Sizes, byte order and kinds by format number. */
static Value f_reconstructor(Value self, Value *args, intptr_t nargs, Value kw) {
    static const struct {
        uint8_t size;
        bool is_signed, big;
        char kind; /* i, f, u16, u32 */
    } formats[] = {{1, 0, 0, 'i'}, {1, 1, 0, 'i'}, {2, 0, 0, 'i'}, {2, 0, 1, 'i'}, {2, 1, 0, 'i'}, {2, 1, 1, 'i'},
                   {4, 0, 0, 'i'}, {4, 0, 1, 'i'}, {4, 1, 0, 'i'}, {4, 1, 1, 'i'}, {8, 0, 0, 'i'}, {8, 0, 1, 'i'},
                   {8, 1, 0, 'i'}, {8, 1, 1, 'i'}, {4, 0, 0, 'f'}, {4, 0, 1, 'f'}, {8, 0, 0, 'f'}, {8, 0, 1, 'f'},
                   {2, 0, 0, 'u'}, {2, 0, 1, 'u'}, {4, 0, 0, 'u'}, {4, 0, 1, 'u'}};
    Value cls = args[0], code = args[1], items = args[3];
    int format;
    if (!v_is_type(cls))
        return err_set(&exc_TypeError, "first argument must be a type object, not %T", cls);
    if (!type_is_subtype((Type *)cls, &array_type))
        return err_set(&exc_TypeError, "%N is not a subtype of array.array", (Type *)cls);
    if (!v_is_str(code) || str_len(code) != 1)
        return err_set(&exc_TypeError, "_array_reconstructor() argument 2 must be a unicode character, not %T", code);
    if (num_as_int(args[2], &format) < 0)
        return ABSENT;
    intptr_t want = code_size(str_at(code, 0));
    if (want == 0)
        return err_set(&exc_ValueError, "second argument must be a valid type code");
    if (format < 0 || format >= (int)ARRAY_LEN(formats))
        return err_set(&exc_ValueError, "third argument must be a valid machine format code.");
    if (!v_is_bytes(items))
        return err_set(&exc_TypeError, "fourth argument should be bytes, not %T", items);
    char c = (char)str_at(code, 0);
    Value v = array_new((Type *)cls, c);
    if (v == ABSENT)
        return ABSENT;
    const unsigned char *p = (const unsigned char *)bytes_data(items);
    intptr_t n = bytes_len(items), size = formats[format].size;
    int r = -1;
    if (format == machine_format(c))
        r = extend_bytes(v, items);
    else if (n % size != 0)
        err_set(&exc_ValueError, "bytes length not a multiple of item size");
    else if (formats[format].kind == 'u') {
        static const char *const names[] = {"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"};
        Value s = bytes_decode(items, names[format - 18], NULL);
        r = s == ABSENT ? -1 : c == 'u' ? extend_text(v, s) : extend_iterable(v, s);
        release(s);
    } else {
        r = 0;
        for (intptr_t i = 0; r == 0 && i < n; i += size) {
            unsigned char w[8];
            for (intptr_t k = 0; k < size; k++)
                w[k] = p[formats[format].big ? i + size - 1 - k : i + k];
            Value item = formats[format].kind == 'f' ? item_unpack(size == 4 ? 'f' : 'd', (char *)w)
                                                     : int_from_bytes(w, (size_t)size, true, formats[format].is_signed);
            r = item == ABSENT ? -1 : append_value(v, item);
            release(item);
        }
    }
    if (r < 0) {
        release(v);
        return ABSENT;
    }
    return v;
}

static Value g_typecode(Value self) {
    return str_from_char((uint8_t)ar(self)->code);
}
static Value g_itemsize(Value self) {
    return v_from_int(ar(self)->size);
}

static const GetSetDef getsets[] = {{"typecode", g_typecode, NULL, "the typecode character used to create the array"},
                                    {"itemsize", g_itemsize, NULL, "the size, in bytes, of one array item"},
                                    {NULL}};
static const NativeDef methods[] = {
    {"__new__", a_new, "($type, *args, **kwargs)"},
    {"append", m_append, "($self, v, /)"},
    {"extend", m_extend, "($self, bb, /)"},
    {"frombytes", m_frombytes, "($self, buffer, /)"},
    {"fromunicode", m_fromunicode, "($self, ustr, /)"},
    {"fromlist", m_fromlist, "($self, list, /)"},
    {"fromfile", m_fromfile, "($self, f, n, /)"},
    {"tofile", m_tofile, "($self, f, /)"},
    {"tobytes", m_tobytes, "($self, /)"},
    {"tolist", m_tolist, "($self, /)"},
    {"tounicode", m_tounicode, "($self, /)"},
    {"insert", m_insert, "($self, i, v, /)"},
    {"pop", m_pop, "($self, i=-1, /)"},
    {"index", m_index, "($self, v, start=0, stop=sys.maxsize, /)"},
    {"count", m_count, "($self, v, /)"},
    {"remove", m_remove, "($self, v, /)"},
    {"reverse", m_reverse, "($self, /)"},
    {"byteswap", m_byteswap, "($self, /)"},
    {"buffer_info", m_buffer_info, "($self, /)"},
    {"__copy__", m_copy, "($self, /)"},
    {"__deepcopy__", m_copy, "($self, unused, /)"},
    {"__reduce_ex__", m_reduce_ex, "($self, value, /)"},
    {"__len__", m_len, "($self, /)"},
    {"__sizeof__", m_sizeof, "($self, /)"},
    {"__repr__", m_repr, "($self, /)"},
    {"__contains__", m_contains, "($self, key, /)"},
    {"__add__", m_add, "($self, value, /)"},
    {"__iadd__", m_iadd, "($self, value, /)"},
    {"__mul__", m_mul, "($self, value, /)"},
    {"__rmul__", m_mul, "($self, value, /)"},
    {"__imul__", m_imul, "($self, value, /)"},
    {"__getitem__", m_getitem, "($self, key, /)"},
    {"__setitem__", m_setitem, "($self, key, value, /)"},
    {"__delitem__", m_delitem, "($self, key, /)"},
    {"__iter__", m_iter, "($self, /)"},
    {"__lt__", m_lt, "($self, value, /)"},
    {"__le__", m_le, "($self, value, /)"},
    {"__eq__", m_eq, "($self, value, /)"},
    {"__ne__", m_ne, "($self, value, /)"},
    {"__gt__", m_gt, "($self, value, /)"},
    {"__ge__", m_ge, "($self, value, /)"},
    {NULL},
};
static const TypeOps ops = {.fini = fini};
static const TypeSpec spec = {
    .name = "array.array",
    .doc = "array(typecode [, initializer]) -> array\n\nReturn a new array whose items are restricted by typecode.",
    .basic_size = sizeof(Array),
    .flags = TF_BASETYPE | TF_IMMUTABLE | TF_WEAKREF | TF_SEQUENCE | TF_UNTRACKED,
    .ops = &ops,
    .methods = methods,
    .getsets = getsets};
static const NativeDef iter_methods[] = {{"__iter__", i_iter, "($self, /)"},
                                         {"__next__", i_next, "($self, /)"},
                                         {"__reduce__", i_reduce, "($self, /)"},
                                         {"__setstate__", i_setstate, "($self, state, /)"},
                                         {NULL}};
static const TypeSpec iter_spec = {.name = "array.arrayiterator",
                                   .basic_size = sizeof(ArrayIter),
                                   .flags = TF_IMMUTABLE | TF_NO_NEW,
                                   .ops = &iter_ops,
                                   .methods = iter_methods};

static int exec(Value m) {
    if (array_type.spec == NULL) { /* a second import finds the same classes */
        type_init_module_type(&array_type, &spec);
        type_init_module_type(&iter_type, &iter_spec);
        iter_register(&iter_type, iter_next);
        buffer_register(&array_type, get_buffer, release_buffer);
    }
    Value mutable_sequence = import_attr("collections.abc", "MutableSequence");
    if (mutable_sequence == ABSENT)
        return -1;
    Value cls = V_OF(&array_type), r = obj_call_method_str(mutable_sequence, "register", &cls, 1);
    release(mutable_sequence);
    release(r);
    return r == ABSENT || module_add(m, "array", retained(cls)) < 0 || module_add(m, "ArrayType", retained(cls)) < 0 ||
                   module_add_str(m, "typecodes", "bBuhHiIlLqQfd") < 0
               ? -1
               : 0;
}
static const NativeDef functions[] = {
    {"_array_reconstructor", f_reconstructor, "($module, arraytype, typecode, mformat_code, items, /)"}, {NULL}};
const ModuleSpec module_array = {
    .name = "array",
    .doc = "This module defines an object type which can efficiently represent\nan array of basic values.",
    .functions = functions,
    .exec = exec};

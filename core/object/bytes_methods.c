/* The methods that bytes and bytearray share. The receiver is read through a ByteView after all arguments were
 * converted, because conversions may run Python code. */
#include "object/bytes_impl.h"
#include "object/codec.h"
#include "object/int.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/text.h"
#include "object/tuple.h"

Value bytes_like(Value self, const char *p, size_t n) {
    return v_is_bytes(self) ? bytes_from(n == 0 ? "" : p, n) : bytearray_from(n == 0 ? "" : p, n);
}
static Value finish_like(Value self, BytesBuilder *b) {
    return v_is_bytes(self) ? bb_finish(b) : bb_finish_bytearray(b);
}
/* Nothing changes: the same object when it is an exact bytes. */
static Value same(Value self, ByteView *w) {
    return v_is_exact(self, IDX_BYTES) ? retained(self) : bytes_like(self, w->p, (size_t)w->n);
}

int byte_value(Value v, const char *what) {
    int64_t i;
    Value n = v_is_int(v) ? v : num_index(v);
    if (n == ABSENT)
        return -1;
    int r = int_to_i64(n, &i);
    release(n);
    if (r != 0 || i < 0 || i > 255) {
        err_set(&exc_ValueError, "%s must be in range(0, 256)", what);
        return -1;
    }
    return (int)i;
}

int sub_open(SubArg *a, Value v) {
    a->is_byte = false;
    if (v_is_buffer(v))
        return view_open(&a->view, v);
    if (!v_is_index(v)) {
        err_set(&exc_TypeError, "argument should be integer or bytes-like object, not '%T'", v);
        return -1;
    }
    int c = byte_value(v, "byte");
    if (c < 0)
        return -1;
    a->is_byte = true;
    a->byte = (char)c;
    a->view = (ByteView){.p = &a->byte, .n = 1};
    return 0;
}
void sub_close(SubArg *a) {
    if (!a->is_byte)
        view_close(&a->view);
}

/* ---- finding ---- */

typedef struct FindArgs {
    SubArg sub;
    ByteView self;
    intptr_t lo, hi;
} FindArgs;

/* Bounds are converted before the receiver is read, so against no length yet: from the end counts as negative. */
#define NO_LENGTH (INTPTR_MAX / 2)
static int bounds_convert(Value start, Value end, intptr_t *lo, intptr_t *hi) {
    if (text_range(start, end, NO_LENGTH, lo, hi) < 0)
        return -1;
    if (*lo >= NO_LENGTH / 2)
        *lo -= NO_LENGTH;
    if (*hi >= NO_LENGTH / 2 && *hi < NO_LENGTH)
        *hi -= NO_LENGTH;
    return 0;
}
static void bounds_apply(intptr_t n, intptr_t *lo, intptr_t *hi) {
    *lo = *lo < 0 ? MAX(*lo + n, 0) : *lo;
    *hi = *hi < 0 ? MAX(*hi + n, 0) : MIN(*hi, n);
}

static int find_open(FindArgs *f, Value self, Value *args, intptr_t nargs) {
    if (sub_open(&f->sub, args[0]) < 0)
        return -1;
    if (bounds_convert(arg_at(args, nargs, 1), arg_at(args, nargs, 2), &f->lo, &f->hi) < 0 ||
        view_open(&f->self, self) < 0) {
        sub_close(&f->sub);
        return -1;
    }
    bounds_apply(f->self.n, &f->lo, &f->hi);
    return 0;
}
static void find_close(FindArgs *f) {
    sub_close(&f->sub);
    view_close(&f->self);
}

static Value find_method(const char *name, Value self, Value *args, intptr_t nargs, int dir, bool must) {
    if (!text_arg_count(name, nargs, 1, 3))
        return ABSENT;
    FindArgs f;
    if (find_open(&f, self, args, nargs) < 0)
        return ABSENT;
    intptr_t i = -1;
    if (f.hi - f.lo >= f.sub.view.n) {
        i = text_find(f.self.p + f.lo, f.hi - f.lo, f.sub.view.p, f.sub.view.n, 1, dir);
        if (i >= 0)
            i += f.lo;
    }
    find_close(&f);
    if (i < 0 && must)
        return err_set(&exc_ValueError, "subsection not found");
    return v_from_int(i);
}
static Value m_find(Value self, Value *args, intptr_t nargs, Value kw) {
    return find_method("find", self, args, nargs, 1, false);
}
static Value m_rfind(Value self, Value *args, intptr_t nargs, Value kw) {
    return find_method("rfind", self, args, nargs, -1, false);
}
static Value m_index(Value self, Value *args, intptr_t nargs, Value kw) {
    return find_method("index", self, args, nargs, 1, true);
}
static Value m_rindex(Value self, Value *args, intptr_t nargs, Value kw) {
    return find_method("rindex", self, args, nargs, -1, true);
}
static Value m_count(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!text_arg_count("count", nargs, 1, 3))
        return ABSENT;
    FindArgs f;
    if (find_open(&f, self, args, nargs) < 0)
        return ABSENT;
    intptr_t n = 0;
    if (f.hi - f.lo >= f.sub.view.n)
        n = text_count(f.self.p + f.lo, f.hi - f.lo, f.sub.view.p, f.sub.view.n, 1, INTPTR_MAX);
    find_close(&f);
    return v_from_int(n);
}

static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    SubArg a;
    if (!v_is_buffer(args[0]) && !v_is_index(args[0]))
        return err_set(&exc_TypeError, "a bytes-like object is required, not '%T'", args[0]);
    if (sub_open(&a, args[0]) < 0)
        return ABSENT;
    ByteView w;
    Value r = ABSENT;
    if (view_open(&w, self) == 0) {
        r = v_bool(text_find(w.p, w.n, a.view.p, a.view.n, 1, 1) >= 0);
        view_close(&w);
    }
    sub_close(&a);
    return r;
}

static int tail_one(Value self, Value sub, intptr_t from, intptr_t to, int dir) {
    ByteView s, p;
    if (view_open(&p, sub) < 0)
        return -1;
    if (view_open(&s, self) < 0) {
        view_close(&p);
        return -1;
    }
    int r = 0;
    bounds_apply(s.n, &from, &to);
    if (to - from >= p.n && from <= s.n)
        r = memcmp(dir < 0 ? s.p + from : s.p + to - p.n, p.p, (size_t)p.n) == 0;
    view_close(&s);
    view_close(&p);
    return r;
}
static Value tail_method(Value self, Value *args, intptr_t nargs, int dir, const char *name) {
    if (!text_arg_count(name, nargs, 1, 3))
        return ABSENT;
    intptr_t lo, hi;
    if (bounds_convert(arg_at(args, nargs, 1), arg_at(args, nargs, 2), &lo, &hi) < 0)
        return ABSENT;
    int r = 0;
    if (v_is_tuple(args[0])) {
        for (intptr_t i = 0; r == 0 && i < tuple_len(args[0]); i++)
            r = tail_one(self, tuple_get(args[0], i), lo, hi, dir);
    } else if (!v_is_buffer(args[0]))
        return err_set(&exc_TypeError, "%s first arg must be bytes or a tuple of bytes, not %T", name, args[0]);
    else
        r = tail_one(self, args[0], lo, hi, dir);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value m_startswith(Value self, Value *args, intptr_t nargs, Value kw) {
    return tail_method(self, args, nargs, -1, "startswith");
}
static Value m_endswith(Value self, Value *args, intptr_t nargs, Value kw) {
    return tail_method(self, args, nargs, 1, "endswith");
}

/* ---- replacing, splitting, joining ---- */

static Value replace(Value self, ByteView *s, ByteView *from, ByteView *to, intptr_t max) {
    if (max < 0)
        max = INTPTR_MAX;
    intptr_t count = max == 0 || from->n > s->n ? 0 : text_count(s->p, s->n, from->p, from->n, 1, max), extra;
    if (count == 0)
        return same(self, s);
    if (__builtin_mul_overflow(count, to->n - from->n, &extra) || extra > INTPTR_MAX - s->n)
        return err_set(&exc_OverflowError, "replace bytes is too long");
    BytesBuilder b;
    bb_init(&b);
    bb_room(&b, (size_t)(s->n + extra));
    const char *p = s->p, *end = p + s->n;
    for (; count > 0; count--) {
        if (from->n == 0) {
            bb_bytes(&b, to->p, (size_t)to->n);
            if (p < end)
                bb_byte(&b, *p++);
            continue;
        }
        intptr_t i = text_find(p, end - p, from->p, from->n, 1, 1);
        bb_bytes(&b, p, (size_t)i);
        bb_bytes(&b, to->p, (size_t)to->n);
        p += i + from->n;
    }
    bb_bytes(&b, p, (size_t)(end - p));
    return finish_like(self, &b);
}
static Value m_replace(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t max;
    ByteView from, to, s;
    if (text_size_arg(arg_at(args, nargs, 2), -1, &max) < 0 || view_open(&from, args[0]) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (view_open(&to, args[1]) == 0) {
        if (view_open(&s, self) == 0) {
            r = replace(self, &s, &from, &to, max);
            view_close(&s);
        }
        view_close(&to);
    }
    view_close(&from);
    return r;
}

static bool is_space(int c) {
    return c == ' ' || (c >= 9 && c <= 13);
}

static int add_part(Value self, Value list, const char *p, intptr_t lo, intptr_t hi) {
    Value part = bytes_like(self, p + lo, (size_t)(hi - lo));
    return part == ABSENT ? -1 : list_append_steal(list, part);
}

static int split_space(Value self, Value list, ByteView *s, intptr_t max, int dir) {
    const char *p = s->p;
    intptr_t lo = 0, hi = s->n;
    for (;;) {
        while (lo < hi && is_space((uint8_t)p[dir > 0 ? lo : hi - 1])) {
            if (dir > 0)
                lo++;
            else
                hi--;
        }
        if (lo == hi)
            return 0;
        if (max-- == 0)
            return add_part(self, list, p, lo, hi);
        intptr_t from = lo, to = hi;
        if (dir > 0) {
            while (lo < hi && !is_space((uint8_t)p[lo]))
                lo++;
            to = lo;
        } else {
            while (hi > lo && !is_space((uint8_t)p[hi - 1]))
                hi--;
            from = hi;
        }
        if (add_part(self, list, p, from, to) < 0)
            return -1;
    }
}

static int split_at(Value self, Value list, ByteView *s, ByteView *sep, intptr_t max, int dir) {
    intptr_t lo = 0, hi = s->n;
    while (max-- != 0) {
        intptr_t i = text_find(s->p + lo, hi - lo, sep->p, sep->n, 1, dir);
        if (i < 0)
            break;
        if (dir > 0) {
            if (add_part(self, list, s->p, lo, lo + i) < 0)
                return -1;
            lo += i + sep->n;
        } else {
            if (add_part(self, list, s->p, lo + i + sep->n, hi) < 0)
                return -1;
            hi = lo + i;
        }
    }
    return add_part(self, list, s->p, lo, hi);
}

static Value split_method(Value self, Value *args, intptr_t nargs, int dir) {
    intptr_t max;
    Value sep = arg_at(args, nargs, 0);
    ByteView s, p;
    bool space = sep == ABSENT || sep == V_NONE;
    if (text_size_arg(arg_at(args, nargs, 1), -1, &max) < 0 || (!space && view_open(&p, sep) < 0))
        return ABSENT;
    Value list = ABSENT;
    if (!space && p.n == 0)
        err_set(&exc_ValueError, "empty separator");
    else if (view_open(&s, self) == 0) {
        list = list_new(0);
        if (list != ABSENT) {
            int r = space ? split_space(self, list, &s, max, dir) : split_at(self, list, &s, &p, max, dir);
            if (r < 0 || (dir < 0 && list_reverse(list) < 0)) {
                release(list);
                list = ABSENT;
            }
        }
        view_close(&s);
    }
    if (!space)
        view_close(&p);
    return list;
}
static Value m_split(Value self, Value *args, intptr_t nargs, Value kw) {
    return split_method(self, args, nargs, 1);
}
static Value m_rsplit(Value self, Value *args, intptr_t nargs, Value kw) {
    return split_method(self, args, nargs, -1);
}

static Value m_splitlines(Value self, Value *args, intptr_t nargs, Value kw) {
    Value k = arg_at(args, nargs, 0);
    int keep = 0;
    if (k != ABSENT && num_as_int(k, &keep) < 0)
        return ABSENT;
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    Value list = list_new(0);
    for (intptr_t i = 0; list != ABSENT && i < s.n;) {
        intptr_t from = i;
        while (i < s.n && s.p[i] != '\n' && s.p[i] != '\r')
            i++;
        intptr_t end = i;
        if (i < s.n) {
            i += s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1;
            if (keep)
                end = i;
        }
        if (add_part(self, list, s.p, from, end) < 0) {
            release(list);
            list = ABSENT;
        }
    }
    view_close(&s);
    return list;
}

static Value partition(Value self, Value sep, int dir) {
    ByteView s, p;
    if (view_open(&p, sep) < 0)
        return ABSENT;
    Value parts[3] = {ABSENT, ABSENT, ABSENT};
    bool ok = false;
    if (p.n == 0)
        err_set(&exc_ValueError, "empty separator");
    else if (view_open(&s, self) == 0) {
        intptr_t i = text_find(s.p, s.n, p.p, p.n, 1, dir);
        if (i < 0) {
            parts[dir > 0 ? 0 : 2] = same(self, &s);
            parts[1] = bytes_like(self, "", 0);
            parts[dir > 0 ? 2 : 0] = bytes_like(self, "", 0);
        } else {
            parts[0] = bytes_like(self, s.p, (size_t)i);
            parts[1] = bytes_like(self, p.p, (size_t)p.n);
            parts[2] = bytes_like(self, s.p + i + p.n, (size_t)(s.n - i - p.n));
        }
        ok = parts[0] != ABSENT && parts[1] != ABSENT && parts[2] != ABSENT;
        view_close(&s);
    }
    view_close(&p);
    if (ok)
        return tuple_from_steal(parts, 3);
    for (int i = 0; i < 3; i++)
        release(parts[i]);
    return ABSENT;
}
static Value m_partition(Value self, Value *args, intptr_t nargs, Value kw) {
    return partition(self, args[0], 1);
}
static Value m_rpartition(Value self, Value *args, intptr_t nargs, Value kw) {
    return partition(self, args[0], -1);
}

static Value m_join(Value self, Value *args, intptr_t nargs, Value kw) {
    Value seq = seq_to_tuple(args[0]);
    if (seq == ABSENT) {
        if (err_matches(&exc_TypeError) && type_special(type_of(args[0]), SP_ITER) == ABSENT &&
            type_special(type_of(args[0]), SP_GETITEM) == ABSENT)
            err_set(&exc_TypeError, "can only join an iterable");
        return ABSENT;
    }
    ByteView sep, item;
    intptr_t n = tuple_len(seq);
    Value r = ABSENT;
    if (n == 1 && v_is_exact(self, IDX_BYTES) && v_is_exact(tuple_get(seq, 0), IDX_BYTES)) {
        r = retained(tuple_get(seq, 0));
        release(seq);
        return r;
    }
    if (view_open(&sep, self) < 0) {
        release(seq);
        return ABSENT;
    }
    BytesBuilder b;
    bb_init(&b);
    for (intptr_t i = 0; i < n; i++) {
        Value v = tuple_get(seq, i);
        if (!v_is_buffer(v)) {
            err_set(&exc_TypeError, "sequence item %zd: expected a bytes-like object, %T found", i, v);
            goto fail;
        }
        if (view_open(&item, v) < 0)
            goto fail;
        if (i > 0)
            bb_bytes(&b, sep.p, (size_t)sep.n);
        bb_bytes(&b, item.p, (size_t)item.n);
        view_close(&item);
    }
    r = finish_like(self, &b);
    goto done;
fail:
    bb_free(&b);
done:
    view_close(&sep);
    release(seq);
    return r;
}

/* ---- stripping, padding ---- */

static Value strip(Value self, Value chars, int sides) {
    bool set[256] = {false};
    ByteView s;
    if (chars == ABSENT || chars == V_NONE) {
        for (int c = 0; c < 256; c++)
            set[c] = is_space(c);
    } else {
        if (view_open(&s, chars) < 0)
            return ABSENT;
        for (intptr_t i = 0; i < s.n; i++)
            set[(uint8_t)s.p[i]] = true;
        view_close(&s);
    }
    if (view_open(&s, self) < 0)
        return ABSENT;
    intptr_t lo = 0, hi = s.n;
    while ((sides & 1) && lo < hi && set[(uint8_t)s.p[lo]])
        lo++;
    while ((sides & 2) && hi > lo && set[(uint8_t)s.p[hi - 1]])
        hi--;
    Value r = hi - lo == s.n ? same(self, &s) : bytes_like(self, s.p + lo, (size_t)(hi - lo));
    view_close(&s);
    return r;
}
static Value m_strip(Value self, Value *args, intptr_t nargs, Value kw) {
    return strip(self, arg_at(args, nargs, 0), 3);
}
static Value m_lstrip(Value self, Value *args, intptr_t nargs, Value kw) {
    return strip(self, arg_at(args, nargs, 0), 1);
}
static Value m_rstrip(Value self, Value *args, intptr_t nargs, Value kw) {
    return strip(self, arg_at(args, nargs, 0), 2);
}

static Value remove_affix(Value self, Value affix, int dir) {
    ByteView s, p;
    if (view_open(&p, affix) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (view_open(&s, self) == 0) {
        if (p.n <= s.n && p.n > 0 && memcmp(dir < 0 ? s.p : s.p + s.n - p.n, p.p, (size_t)p.n) == 0)
            r = bytes_like(self, dir < 0 ? s.p + p.n : s.p, (size_t)(s.n - p.n));
        else
            r = same(self, &s);
        view_close(&s);
    }
    view_close(&p);
    return r;
}
static Value m_removeprefix(Value self, Value *args, intptr_t nargs, Value kw) {
    return remove_affix(self, args[0], -1);
}
static Value m_removesuffix(Value self, Value *args, intptr_t nargs, Value kw) {
    return remove_affix(self, args[0], 1);
}

enum { PAD_CENTER, PAD_LEFT, PAD_RIGHT, PAD_ZERO };
static Value pad_method(Value self, Value *args, intptr_t nargs, int how, const char *name) {
    intptr_t width;
    int fill = how == PAD_ZERO ? '0' : ' ';
    ByteView s;
    Value f = how == PAD_ZERO ? ABSENT : arg_at(args, nargs, 1);
    if (text_size_arg(args[0], 0, &width) < 0)
        return ABSENT;
    if (f != ABSENT) {
        bool ok = v_is_bytes(f) || v_is_bytearray(f);
        if (ok) {
            if (view_open(&s, f) < 0)
                return ABSENT;
            ok = s.n == 1;
            fill = ok ? (uint8_t)s.p[0] : 0;
            view_close(&s);
        }
        if (!ok)
            return err_set(&exc_TypeError, "%s() argument 2 must be a byte string of length 1, not %T", name, f);
    }
    if (view_open(&s, self) < 0)
        return ABSENT;
    intptr_t room = width - s.n, left = 0, skip = 0;
    Value r;
    if (room <= 0)
        r = same(self, &s);
    else {
        if (how == PAD_CENTER)
            left = room / 2 + (room & width & 1);
        else if (how != PAD_LEFT)
            left = room;
        BytesBuilder b;
        bb_init(&b);
        bb_room(&b, (size_t)width);
        if (how == PAD_ZERO && s.n > 0 && (s.p[0] == '+' || s.p[0] == '-')) {
            bb_byte(&b, s.p[0]);
            skip = 1;
        }
        bb_fill(&b, fill, left);
        bb_bytes(&b, s.p + skip, (size_t)(s.n - skip));
        bb_fill(&b, fill, room - left);
        r = finish_like(self, &b);
    }
    view_close(&s);
    return r;
}
static Value m_center(Value self, Value *args, intptr_t nargs, Value kw) {
    return pad_method(self, args, nargs, PAD_CENTER, "center");
}
static Value m_ljust(Value self, Value *args, intptr_t nargs, Value kw) {
    return pad_method(self, args, nargs, PAD_LEFT, "ljust");
}
static Value m_rjust(Value self, Value *args, intptr_t nargs, Value kw) {
    return pad_method(self, args, nargs, PAD_RIGHT, "rjust");
}
static Value m_zfill(Value self, Value *args, intptr_t nargs, Value kw) {
    return pad_method(self, args, nargs, PAD_ZERO, "zfill");
}

static Value m_expandtabs(Value self, Value *args, intptr_t nargs, Value kw) {
    int size = 8;
    if (nargs > 0 && args[0] != ABSENT && num_as_int(args[0], &size) < 0)
        return ABSENT;
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    BytesBuilder b;
    bb_init(&b);
    intptr_t column = 0, total = 0;
    for (intptr_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\t') {
            intptr_t k = size > 0 ? size - column % size : 0;
            if (__builtin_add_overflow(total, k, &total)) {
                bb_free(&b);
                view_close(&s);
                return err_set(&exc_OverflowError, "result too long");
            }
            bb_fill(&b, ' ', k);
            column += k;
            continue;
        }
        bb_byte(&b, c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
    view_close(&s);
    return finish_like(self, &b);
}

/* ---- case and classes (ASCII) ---- */

static bool lower(int c) {
    return (unsigned)(c - 'a') < 26;
}
static bool upper(int c) {
    return (unsigned)(c - 'A') < 26;
}
static bool alpha(int c) {
    return lower(c | 32) && c < 128;
}
static bool digit(int c) {
    return (unsigned)(c - '0') < 10;
}
static bool alnum(int c) {
    return alpha(c) || digit(c);
}

enum { TO_LOWER, TO_UPPER, TO_TITLE, TO_SWAPPED, TO_CAPITAL };
static Value change_case(Value self, int to) {
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    BytesBuilder b;
    bb_init(&b);
    bool in_word = false;
    if (bb_room(&b, (size_t)s.n))
        for (intptr_t i = 0; i < s.n; i++) {
            int c = (uint8_t)s.p[i];
            if (alpha(c)) {
                bool up = to == TO_UPPER || (to == TO_SWAPPED && lower(c)) ||
                          (to >= TO_TITLE && to != TO_SWAPPED && !in_word);
                c = up ? c & ~32 : c | 32;
                in_word = true;
            } else
                in_word = to == TO_CAPITAL;
            b.data[b.len++] = (char)c;
        }
    view_close(&s);
    return finish_like(self, &b);
}
static Value m_lower(Value self, Value *args, intptr_t nargs, Value kw) {
    return change_case(self, TO_LOWER);
}
static Value m_upper(Value self, Value *args, intptr_t nargs, Value kw) {
    return change_case(self, TO_UPPER);
}
static Value m_title(Value self, Value *args, intptr_t nargs, Value kw) {
    return change_case(self, TO_TITLE);
}
static Value m_swapcase(Value self, Value *args, intptr_t nargs, Value kw) {
    return change_case(self, TO_SWAPPED);
}
static Value m_capitalize(Value self, Value *args, intptr_t nargs, Value kw) {
    return change_case(self, TO_CAPITAL);
}

static Value all_of(Value self, bool (*test)(int)) {
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    intptr_t i = 0;
    while (i < s.n && test((uint8_t)s.p[i]))
        i++;
    Value r = v_bool(i == s.n && i > 0);
    view_close(&s);
    return r;
}
static Value m_isalpha(Value self, Value *args, intptr_t nargs, Value kw) {
    return all_of(self, alpha);
}
static Value m_isdigit(Value self, Value *args, intptr_t nargs, Value kw) {
    return all_of(self, digit);
}
static Value m_isalnum(Value self, Value *args, intptr_t nargs, Value kw) {
    return all_of(self, alnum);
}
static Value m_isspace(Value self, Value *args, intptr_t nargs, Value kw) {
    return all_of(self, is_space);
}
static Value m_isascii(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    intptr_t i = 0;
    while (i < s.n && (uint8_t)s.p[i] < 128)
        i++;
    Value r = v_bool(i == s.n);
    view_close(&s);
    return r;
}
static Value case_is(Value self, bool (*want)(int), bool (*other)(int)) {
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    bool cased = false, wrong = false;
    for (intptr_t i = 0; i < s.n; i++) {
        cased = cased || want((uint8_t)s.p[i]);
        wrong = wrong || other((uint8_t)s.p[i]);
    }
    view_close(&s);
    return v_bool(cased && !wrong);
}
static Value m_islower(Value self, Value *args, intptr_t nargs, Value kw) {
    return case_is(self, lower, upper);
}
static Value m_isupper(Value self, Value *args, intptr_t nargs, Value kw) {
    return case_is(self, upper, lower);
}
static Value m_istitle(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    bool cased = false, in_word = false, ok = true;
    for (intptr_t i = 0; ok && i < s.n; i++) {
        int c = (uint8_t)s.p[i];
        if (upper(c))
            ok = !in_word, in_word = cased = true;
        else if (lower(c))
            ok = in_word, cased = true;
        else
            in_word = false;
    }
    view_close(&s);
    return v_bool(ok && cased);
}

/* ---- the rest ---- */

static Value m_translate(Value self, Value *args, intptr_t nargs, Value kw) {
    Value table = args[0], del = arg_at(args, nargs, 1);
    bool drop[256] = {false};
    uint8_t map[256];
    ByteView s;
    for (int i = 0; i < 256; i++)
        map[i] = (uint8_t)i;
    if (table != V_NONE) {
        if (view_open(&s, table) < 0)
            return ABSENT;
        bool ok = s.n == 256;
        if (ok)
            memcpy(map, s.p, 256);
        view_close(&s);
        if (!ok)
            return err_set(&exc_ValueError, "translation table must be 256 characters long");
    }
    if (del != ABSENT) {
        if (view_open(&s, del) < 0)
            return ABSENT;
        for (intptr_t i = 0; i < s.n; i++)
            drop[(uint8_t)s.p[i]] = true;
        view_close(&s);
    }
    if (view_open(&s, self) < 0)
        return ABSENT;
    BytesBuilder b;
    bb_init(&b);
    if (bb_room(&b, (size_t)s.n))
        for (intptr_t i = 0; i < s.n; i++)
            if (!drop[(uint8_t)s.p[i]])
                b.data[b.len++] = (char)map[(uint8_t)s.p[i]];
    bool unchanged = (intptr_t)b.len == s.n && memcmp(b.data, s.p, b.len) == 0;
    if (unchanged && v_is_exact(self, IDX_BYTES)) {
        view_close(&s);
        bb_free(&b);
        return retained(self);
    }
    view_close(&s);
    return finish_like(self, &b);
}

static Value m_maketrans(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView a, b;
    if (view_open(&a, args[0]) < 0)
        return ABSENT;
    if (view_open(&b, args[1]) < 0) {
        view_close(&a);
        return ABSENT;
    }
    Value r = ABSENT;
    if (a.n != b.n)
        err_set(&exc_ValueError, "maketrans arguments must have same length");
    else if ((r = bytes_from(NULL, 256)) != ABSENT) {
        for (int i = 0; i < 256; i++)
            bytes_data(r)[i] = (char)i;
        for (intptr_t i = 0; i < a.n; i++)
            bytes_data(r)[(uint8_t)a.p[i]] = b.p[i];
    }
    view_close(&a);
    view_close(&b);
    return r;
}

static Value m_hex(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    Value r = bytes_hex(s.p, s.n, arg_at(args, nargs, 0), arg_at(args, nargs, 1));
    view_close(&s);
    return r;
}

/* Every per_sep bytes from the right (from the left when negative) a separator. */
Value bytes_hex(const char *p, intptr_t n, Value sep, Value per_sep) {
    int group = 1, c = -1;
    if (sep != ABSENT) {
        if (v_is_str(sep)) {
            if (str_len(sep) != 1)
                return err_set(&exc_ValueError, "sep must be length 1.");
            if (!str_is_ascii(sep))
                return err_set(&exc_ValueError, "sep must be ASCII.");
            c = (int)str_at(sep, 0);
        } else if (v_is_bytes(sep)) {
            if (bytes_len(sep) != 1)
                return err_set(&exc_ValueError, "sep must be length 1.");
            c = (uint8_t)bytes_data(sep)[0];
            if (c > 127)
                return err_set(&exc_ValueError, "sep must be ASCII.");
        } else
            return obj_len(sep) < 0 ? ABSENT : err_set(&exc_TypeError, "sep must be str or bytes.");
        if (per_sep != ABSENT && num_as_int(per_sep, &group) < 0)
            return ABSENT;
    }
    intptr_t size = group < 0 ? -(intptr_t)group : group;
    bool seps = c >= 0 && size > 0 && size < n;
    intptr_t total = 2 * n + (seps ? (n - 1) / size : 0);
    if (total == 0)
        return str_empty();
    Value r = str_alloc((size_t)total, 0x7f);
    if (r == ABSENT)
        return ABSENT;
    char *d = str_data(r);
    for (intptr_t i = 0; i < n; i++) {
        if (seps && i > 0 && (group > 0 ? (n - i) % size == 0 : i % size == 0))
            *d++ = (char)c;
        *d++ = "0123456789abcdef"[(uint8_t)p[i] >> 4];
        *d++ = "0123456789abcdef"[p[i] & 15];
    }
    return r;
}

static Value m_decode(Value self, Value *args, intptr_t nargs, Value kw) {
    static const char *const names[] = {"encoding", "errors"};
    const char *out[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        Value a = arg_at(args, nargs, i);
        if (a == ABSENT)
            continue;
        if (!v_is_str(a))
            return err_set(&exc_TypeError, "decode() argument '%s' must be str, not %T", names[i], a);
        if ((out[i] = str_utf8_nonul(a)) == NULL)
            return ABSENT;
    }
    return bytes_decode(self, out[0], out[1]);
}
Value bytes_decode(Value buffer, const char *encoding, const char *errors) {
    return codec_decode(buffer, encoding, errors);
}

static Value m_mul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t times, total;
    if (!v_is_index(args[0])) {
        if (seq_defers(args[0], SP_RMUL))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", args[0]);
    }
    if (num_as_index(args[0], &times, &exc_OverflowError) < 0)
        return ABSENT;
    ByteView s;
    if (view_open(&s, self) < 0)
        return ABSENT;
    Value r;
    if (times < 0)
        times = 0;
    if (__builtin_mul_overflow(s.n, times, &total))
        r = v_is_bytes(self) ? err_set(&exc_OverflowError, "repeated bytes are too long") : err_no_memory();
    else if (times == 1)
        r = same(self, &s);
    else {
        BytesBuilder b;
        bb_init(&b);
        if (total > 0 && bb_room(&b, (size_t)total)) {
            bb_bytes(&b, s.p, (size_t)s.n);
            while ((intptr_t)b.len < total) /* doubling: the source is the builder's own start, which does not move */
                bb_bytes(&b, b.data, MIN(b.len, (size_t)total - b.len));
        }
        r = finish_like(self, &b);
    }
    view_close(&s);
    return r;
}
static Value m_mod(Value self, Value *args, intptr_t nargs, Value kw) {
    return bytes_percent(self, args[0], !v_is_bytes(self));
}
static Value m_rmod(Value self, Value *args, intptr_t nargs, Value kw) {
    if (v_is_bytes(self) ? !v_is_bytes(args[0]) : !v_is_bytearray(args[0]))
        return V_NOTIMPL;
    return bytes_percent(args[0], self, !v_is_bytes(args[0]));
}

static Value compare(Value self, Value other, int op) {
    if (v_is_bytes(self) ? !v_is_bytes(other) : !v_is_buffer(other)) { /* a bytearray takes any buffer */
        if ((op == CMP_EQ || op == CMP_NE) && bytes_warning(self, other) < 0)
            return ABSENT;
        return V_NOTIMPL;
    }
    ByteView a, b;
    if (view_open(&a, self) < 0)
        return ABSENT;
    if (view_open(&b, other) < 0) {
        view_close(&a);
        return ABSENT;
    }
    int c;
    if ((op == CMP_EQ || op == CMP_NE) && a.n != b.n)
        c = 1;
    else {
        c = memcmp(a.p, b.p, (size_t)MIN(a.n, b.n));
        if (c == 0)
            c = a.n < b.n ? -1 : a.n > b.n;
    }
    view_close(&a);
    view_close(&b);
    bool r = op == CMP_LT   ? c < 0
             : op == CMP_LE ? c <= 0
             : op == CMP_EQ ? c == 0
             : op == CMP_NE ? c != 0
             : op == CMP_GT ? c > 0
                            : c >= 0;
    return v_bool(r);
}
static Value m_lt(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_LT);
}
static Value m_le(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_LE);
}
static Value m_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_EQ);
}
static Value m_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_NE);
}
static Value m_gt(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_GT);
}
static Value m_ge(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_GE);
}

const NativeDef bytes_shared_methods[] = {
    {"find", m_find, "($self, *args)"},
    {"rfind", m_rfind, "($self, *args)"},
    {"index", m_index, "($self, *args)"},
    {"rindex", m_rindex, "($self, *args)"},
    {"count", m_count, "($self, *args)"},
    {"startswith", m_startswith, "($self, *args)"},
    {"endswith", m_endswith, "($self, *args)"},
    {"replace", m_replace, "($self, old, new, count=-1, /)"},
    {"split", m_split, "($self, /, sep=None, maxsplit=-1)"},
    {"rsplit", m_rsplit, "($self, /, sep=None, maxsplit=-1)"},
    {"splitlines", m_splitlines, "($self, /, keepends=False)"},
    {"partition", m_partition, "($self, sep, /)"},
    {"rpartition", m_rpartition, "($self, sep, /)"},
    {"join", m_join, "($self, iterable_of_bytes, /)"},
    {"strip", m_strip, "($self, bytes=None, /)"},
    {"lstrip", m_lstrip, "($self, bytes=None, /)"},
    {"rstrip", m_rstrip, "($self, bytes=None, /)"},
    {"removeprefix", m_removeprefix, "($self, prefix, /)"},
    {"removesuffix", m_removesuffix, "($self, suffix, /)"},
    {"center", m_center, "($self, width, fillchar=b' ', /)"},
    {"ljust", m_ljust, "($self, width, fillchar=b' ', /)"},
    {"rjust", m_rjust, "($self, width, fillchar=b' ', /)"},
    {"zfill", m_zfill, "($self, width, /)"},
    {"expandtabs", m_expandtabs, "($self, /, tabsize=8)"},
    {"lower", m_lower, "($self, /)"},
    {"upper", m_upper, "($self, /)"},
    {"title", m_title, "($self, /)"},
    {"swapcase", m_swapcase, "($self, /)"},
    {"capitalize", m_capitalize, "($self, /)"},
    {"isalpha", m_isalpha, "($self, /)"},
    {"isdigit", m_isdigit, "($self, /)"},
    {"isalnum", m_isalnum, "($self, /)"},
    {"isspace", m_isspace, "($self, /)"},
    {"isascii", m_isascii, "($self, /)"},
    {"islower", m_islower, "($self, /)"},
    {"isupper", m_isupper, "($self, /)"},
    {"istitle", m_istitle, "($self, /)"},
    {"translate", m_translate, "($self, table, /, delete=b'')"},
    {"maketrans", m_maketrans, "(frm, to, /)", NF_STATIC},
    {"hex", m_hex, "($self, sep=<unrepresentable>, bytes_per_sep=1)"},
    {"decode", m_decode, "($self, /, encoding='utf-8', errors='strict')"},
    {"__contains__", m_contains, "($self, key, /)"},
    {"__mul__", m_mul, "($self, value, /)"},
    {"__rmul__", m_mul, "($self, value, /)"},
    {"__mod__", m_mod, "($self, value, /)"},
    {"__rmod__", m_rmod, "($self, value, /)"},
    {"__lt__", m_lt, "($self, value, /)"},
    {"__le__", m_le, "($self, value, /)"},
    {"__eq__", m_eq, "($self, value, /)"},
    {"__ne__", m_ne, "($self, value, /)"},
    {"__gt__", m_gt, "($self, value, /)"},
    {"__ge__", m_ge, "($self, value, /)"},
    {NULL},
};

/* str: finding, counting, replacing, splitting, joining, stripping. */
#include "object/list.h"
#include "object/str_impl.h"
#include "object/text.h"
#include "object/tuple.h"
#include "object/unicode.h"

/* ---- finding ---- */

/* The items of sub widened to the kind of s: data NULL when sub cannot occur in s (a character of it cannot). */
typedef struct Needle {
    const void *data;
    void *heap;
    uint32_t small[16];
} Needle;

static int needle_open(Needle *nd, Value s, Value sub) {
    int ks = str_kind(s), kb = str_kind(sub);
    nd->heap = NULL;
    nd->data = NULL;
    if (kb > ks || (str_is_ascii(s) && !str_is_ascii(sub)))
        return 0;
    nd->data = str_data(sub);
    if (kb == ks)
        return 0;
    size_t n = (size_t)str_len(sub);
    void *d = nd->small;
    if (n * (size_t)ks > sizeof(nd->small) && (d = nd->heap = malloc(n * (size_t)ks)) == NULL) {
        err_no_memory();
        return -1;
    }
    str_copy_kind(d, ks, str_data(sub), kb, n);
    nd->data = d;
    return 0;
}
static void needle_close(Needle *nd) {
    free(nd->heap);
}

static const char *at(Value s, intptr_t i) {
    return (const char *)str_data(s) + i * str_kind(s);
}

intptr_t str_find_char(Value s, uint32_t c, intptr_t lo, intptr_t hi, int dir) {
    if (lo >= hi || (c >= 0x80 && str_is_ascii(s)))
        return -1;
    intptr_t r = text_find_item(at(s, lo), hi - lo, c, str_kind(s), dir);
    return r < 0 ? -1 : r + lo;
}

intptr_t str_find(Value s, Value sub, intptr_t lo, intptr_t hi, int dir) {
    hi = MIN(hi, str_len(s));
    if (hi - lo < str_len(sub))
        return -1;
    Needle nd;
    if (needle_open(&nd, s, sub) < 0)
        return -2;
    intptr_t r = -1;
    if (nd.data != NULL || str_len(sub) == 0)
        r = text_find(at(s, lo), hi - lo, nd.data, str_len(sub), str_kind(s), dir);
    needle_close(&nd);
    return r < 0 ? -1 : r + lo;
}

intptr_t str_count(Value s, Value sub, intptr_t lo, intptr_t hi) {
    hi = MIN(hi, str_len(s));
    if (hi - lo < str_len(sub))
        return 0;
    Needle nd;
    if (needle_open(&nd, s, sub) < 0)
        return -1;
    intptr_t r = 0;
    if (nd.data != NULL || str_len(sub) == 0)
        r = text_count(at(s, lo), hi - lo, nd.data, str_len(sub), str_kind(s), INTPTR_MAX);
    needle_close(&nd);
    return r;
}

bool str_tailmatch(Value s, Value sub, intptr_t lo, intptr_t hi, int dir) {
    intptr_t m = str_len(sub);
    hi = MIN(hi, str_len(s)) - m;
    if (hi < lo)
        return false;
    if (dir > 0)
        lo = hi;
    int ks = str_kind(s), kb = str_kind(sub);
    if (ks == kb)
        return memcmp(at(s, lo), str_data(sub), (size_t)(m * ks)) == 0;
    if (kb > ks)
        return m == 0;
    for (intptr_t i = 0; i < m; i++)
        if (str_at(s, lo + i) != str_at(sub, i))
            return false;
    return true;
}

/* ---- replacing ---- */

/* One character for another, all ASCII. */
static Value replace_char(Value s, char from, char to, intptr_t max) {
    intptr_t n = str_len(s);
    const char *p = str_data(s), *hit = memchr(p, from, (size_t)n);
    if (hit == NULL)
        return str_exact(s);
    Value r = str_alloc((size_t)n, 0x7f);
    if (r == ABSENT)
        return r;
    char *d = str_data(r);
    if (max >= n) {
        for (intptr_t i = 0; i < n; i++)
            d[i] = p[i] == from ? to : p[i];
        return r;
    }
    memcpy(d, p, (size_t)n);
    for (; hit != NULL && max > 0; max--) {
        d[hit - p] = to;
        hit = memchr(hit + 1, from, (size_t)(p + n - hit - 1));
    }
    return r;
}

/* All ASCII. The places of the first occurrences are remembered, so that most texts are searched once. */
static Value replace_ascii(Value s, Value from, Value to, intptr_t max) {
    intptr_t n = str_len(s), m = str_len(from), k = str_len(to), places[256], count = 0, pos = 0, extra;
    const char *p = str_data(s), *f = str_data(from), *t = str_data(to);
    if (m == 1 && k == 1)
        return replace_char(s, *f, *t, max);
    while (count < max && count < (intptr_t)ARRAY_LEN(places)) {
        intptr_t i = text_find(p + pos, n - pos, f, m, 1, 1);
        if (i < 0)
            break;
        places[count++] = pos + i;
        pos += i + m;
    }
    if (count == 0)
        return str_exact(s);
    intptr_t more = count == (intptr_t)ARRAY_LEN(places) ? text_count(p + pos, n - pos, f, m, 1, max - count) : 0;
    if (__builtin_mul_overflow(count + more, k - m, &extra) || extra > INTPTR_MAX - n)
        return err_set(&exc_OverflowError, "replace string is too long");
    Value r = str_alloc((size_t)(n + extra), 0x7f);
    if (r == ABSENT || n + extra == 0)
        return r;
    char *d = str_data(r);
    pos = 0;
    for (intptr_t i = 0; i < count + more; i++) {
        intptr_t at = i < count ? places[i] : pos + text_find(p + pos, n - pos, f, m, 1, 1);
        memcpy(d, p + pos, (size_t)(at - pos));
        d += at - pos;
        memcpy(d, t, (size_t)k);
        d += k;
        pos = at + m;
    }
    memcpy(d, p + pos, (size_t)(n - pos));
    return r;
}

Value str_replace(Value s, Value from, Value to, intptr_t max) {
    intptr_t n = str_len(s), m = str_len(from);
    if (max < 0)
        max = INTPTR_MAX;
    if (max == 0 || m > n || (m == 0 && str_len(to) == 0))
        return str_exact(s);
    if (m > 0 && str_is_ascii(s) && str_is_ascii(from) && str_is_ascii(to))
        return replace_ascii(s, from, to, max);
    StrBuilder b;
    sb_init(&b);
    if (m == 0) {
        for (intptr_t i = 0; i <= n; i++) {
            if (i < max)
                sb_str(&b, to);
            else {
                sb_substr(&b, s, i, n);
                break;
            }
            if (i < n)
                sb_char(&b, str_at(s, i));
        }
        return sb_finish(&b);
    }
    Needle nd;
    if (needle_open(&nd, s, from) < 0)
        return ABSENT;
    intptr_t pos = 0, count = 0;
    if (nd.data != NULL)
        for (; count < max; count++) {
            intptr_t i = text_find(at(s, pos), n - pos, nd.data, m, str_kind(s), 1);
            if (i < 0)
                break;
            sb_substr(&b, s, pos, pos + i);
            sb_str(&b, to);
            pos += i + m;
        }
    needle_close(&nd);
    if (count == 0) {
        sb_free(&b);
        return str_exact(s);
    }
    sb_substr(&b, s, pos, n);
    return sb_finish(&b);
}

/* ---- splitting ---- */

static int add_part(Value list, Value s, intptr_t lo, intptr_t hi) {
    Value part = str_substr(s, lo, hi);
    return part == ABSENT ? -1 : list_append_steal(list, part);
}

static const bool ascii_space[128] = {[9] = true,  [10] = true, [11] = true, [12] = true, [13] = true,
                                      [28] = true, [29] = true, [30] = true, [31] = true, [' '] = true};

/* For the parts of a text of n code points: most have few, and grow no list. */
static Value parts_new(intptr_t n, intptr_t max) {
    intptr_t most = max < 0 ? n : MIN(max, n);
    return list_new(MIN(most / 2 + 1, 12));
}

static Value split_space(Value s, intptr_t max) {
    const void *d = str_data(s);
    int kind = str_kind(s);
    intptr_t n = str_len(s), i = 0;
    Value list = parts_new(n, max);
    if (list == ABSENT)
        return ABSENT;
    if (str_is_ascii(s) && max < 0) {
        const uint8_t *p = d;
        for (;;) {
            while (i < n && ascii_space[p[i]])
                i++;
            if (i == n)
                return list;
            intptr_t from = i;
            while (i < n && !ascii_space[p[i]])
                i++;
            Value part =
                i - from == n ? str_substr(s, 0, n) : str_from_ascii((const char *)p + from, (size_t)(i - from));
            if (part == ABSENT || list_append_steal(list, part) < 0) {
                release(list);
                return ABSENT;
            }
        }
    }
    for (;;) {
        while (i < n && unicode_is_space(str_at_kind(d, kind, i)))
            i++;
        if (i == n)
            return list;
        intptr_t from = i;
        if (max-- == 0) {
            if (add_part(list, s, from, n) == 0)
                return list;
            break;
        }
        while (i < n && !unicode_is_space(str_at_kind(d, kind, i)))
            i++;
        if (add_part(list, s, from, i) < 0)
            break;
    }
    release(list);
    return ABSENT;
}

static Value rsplit_space(Value s, intptr_t max) {
    Value list = parts_new(str_len(s), max);
    if (list == ABSENT)
        return ABSENT;
    const void *d = str_data(s);
    int kind = str_kind(s);
    intptr_t i = str_len(s);
    for (;;) {
        while (i > 0 && unicode_is_space(str_at_kind(d, kind, i - 1)))
            i--;
        if (i == 0)
            break;
        intptr_t end = i;
        if (max-- == 0) {
            if (add_part(list, s, 0, end) < 0)
                goto fail;
            break;
        }
        while (i > 0 && !unicode_is_space(str_at_kind(d, kind, i - 1)))
            i--;
        if (add_part(list, s, i, end) < 0)
            goto fail;
    }
    if (list_reverse(list) == 0)
        return list;
fail:
    release(list);
    return ABSENT;
}

static Value split_at(Value s, Value sep, intptr_t max, int dir) {
    intptr_t m = str_len(sep);
    if (m == 0)
        return err_set(&exc_ValueError, "empty separator");
    Needle nd;
    if (needle_open(&nd, s, sep) < 0)
        return ABSENT;
    Value list = parts_new(str_len(s), max);
    if (list == ABSENT)
        goto done;
    intptr_t lo = 0, hi = str_len(s);
    if (nd.data != NULL)
        while (max-- != 0) {
            intptr_t i = text_find(at(s, lo), hi - lo, nd.data, m, str_kind(s), dir);
            if (i < 0)
                break;
            int r;
            if (dir > 0) {
                r = add_part(list, s, lo, lo + i);
                lo += i + m;
            } else {
                r = add_part(list, s, lo + i + m, hi);
                hi = i;
            }
            if (r < 0)
                goto fail;
        }
    if (add_part(list, s, lo, hi) < 0 || (dir < 0 && list_reverse(list) < 0))
        goto fail;
    goto done;
fail:
    release(list);
    list = ABSENT;
done:
    needle_close(&nd);
    return list;
}

Value str_split(Value s, Value sep, intptr_t max) {
    if (sep == ABSENT || sep == V_NONE)
        return split_space(s, max);
    return split_at(s, sep, max, 1);
}

Value str_splitlines(Value s, bool keepends) {
    Value list = list_new(0);
    if (list == ABSENT)
        return ABSENT;
    const void *d = str_data(s);
    int kind = str_kind(s);
    intptr_t n = str_len(s);
    for (intptr_t i = 0; i < n;) {
        intptr_t from = i;
        while (i < n && !unicode_is_line_break(str_at_kind(d, kind, i)))
            i++;
        intptr_t end = i;
        if (i < n) {
            if (str_at_kind(d, kind, i) == '\r' && i + 1 < n && str_at_kind(d, kind, i + 1) == '\n')
                i++;
            i++;
            if (keepends)
                end = i;
        }
        if (add_part(list, s, from, end) < 0) {
            release(list);
            return ABSENT;
        }
    }
    return list;
}

static Value split_method(Value self, Value *args, intptr_t nargs, int dir) {
    Value sep = arg_at(args, nargs, 0);
    intptr_t max;
    if (text_size_arg(arg_at(args, nargs, 1), -1, &max) < 0)
        return ABSENT;
    if (sep == ABSENT || sep == V_NONE)
        return dir > 0 ? split_space(self, max) : rsplit_space(self, max);
    if (!v_is_str(sep))
        return err_set(&exc_TypeError, "must be str or None, not %T", sep);
    return split_at(self, sep, max, dir);
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
    return str_splitlines(self, keep != 0);
}

static Value partition(Value self, Value sep, int dir) {
    if (!v_is_str(sep))
        return err_set(&exc_TypeError, "must be str, not %T", sep);
    if (str_len(sep) == 0)
        return err_set(&exc_ValueError, "empty separator");
    intptr_t i = str_find(self, sep, 0, str_len(self), dir);
    if (i == -2)
        return ABSENT;
    Value parts[3];
    if (i < 0) {
        parts[0] = dir > 0 ? str_exact(self) : str_empty();
        parts[1] = str_empty();
        parts[2] = dir > 0 ? str_empty() : str_exact(self);
    } else {
        parts[0] = str_substr(self, 0, i);
        parts[1] = retained(sep);
        parts[2] = str_substr(self, i + str_len(sep), str_len(self));
    }
    if (parts[0] == ABSENT || parts[2] == ABSENT) {
        release(parts[0]);
        release(parts[1]);
        release(parts[2]);
        return ABSENT;
    }
    return tuple_from_steal(parts, 3);
}
static Value m_partition(Value self, Value *args, intptr_t nargs, Value kw) {
    return partition(self, args[0], 1);
}
static Value m_rpartition(Value self, Value *args, intptr_t nargs, Value kw) {
    return partition(self, args[0], -1);
}

/* ---- joining ---- */

static bool join_item(StrBuilder *b, Value sep, Value item, intptr_t i) {
    if (UNLIKELY(!v_is_str(item))) {
        err_set(&exc_TypeError, "sequence item %zd: expected str instance, %T found", i, item);
        return false;
    }
    if (i > 0 && str_len(sep) > 0) {
        if (LIKELY(str_len(sep) == 1))
            sb_char(b, str_at(sep, 0));
        else
            sb_str(b, sep);
    }
    sb_str(b, item);
    return true;
}
/* The same for what a join is mostly made of: one-byte text, a separator of one character or none, and room; false:
 * nothing done. */
static ALWAYS_INLINE bool join_short(StrBuilder *b, int sep, Value item, intptr_t i) {
    if (!v_is_exact(item, IDX_STR))
        return false;
    uint64_t ls = str_len_state(item);
    size_t n = (size_t)(ls >> STR_LEN_SHIFT), before = i > 0 && sep >= 0;
    if (sep < -1 || (ls & (STR_KIND | STR_EXTERNAL)) != 1 || b->kind != 1 || b->cap - b->len < n + before)
        return false;
    uint8_t *p = (uint8_t *)b->data + b->len;
    if (before)
        *p++ = (uint8_t)sep;
    const uint8_t *from = ((Str *)item)->data;
    if (n == 1)
        *p = *from;
    else
        memcpy(p, from, n);
    b->len += n + before;
    b->non_ascii |= !(ls & STR_ASCII);
    return true;
}

Value str_join(Value sep, Value iterable) {
    StrBuilder b;
    int short_sep = str_len(sep) == 0 ? -1 : str_len(sep) == 1 && str_is_ascii(sep) ? (int)str_at(sep, 0) : -2;
    sb_init(&b);
    if (v_is_exact(iterable, IDX_TUPLE)) {
        intptr_t n = tuple_len(iterable);
        if (n == 1 && v_is_exact(tuple_get(iterable, 0), IDX_STR))
            return retained(tuple_get(iterable, 0));
        for (intptr_t i = 0; i < n; i++)
            if (!join_short(&b, short_sep, tuple_get(iterable, i), i) && !join_item(&b, sep, tuple_get(iterable, i), i))
                goto fail;
        return sb_finish(&b);
    }
    Value list;
    if (v_is_exact(iterable, IDX_LIST))
        list = retained(iterable);
    else if ((list = seq_to_list(iterable)) == ABSENT) {
        if (err_matches(&exc_TypeError) && type_special(type_of(iterable), SP_ITER) == ABSENT &&
            type_special(type_of(iterable), SP_GETITEM) == ABSENT)
            err_set(&exc_TypeError, "can only join an iterable");
        goto fail;
    }
    Value item = ABSENT;
    for (intptr_t i = 0; (item = list_get_fast(list, i)) != ABSENT; i++) {
        if (i == 0 && list_len(list) == 1 && v_is_exact(item, IDX_STR)) {
            release(list);
            return item;
        }
        bool ok = join_short(&b, short_sep, item, i) || join_item(&b, sep, item, i);
        release(item);
        if (!ok) {
            release(list);
            goto fail;
        }
    }
    release(list);
    return sb_finish(&b);
fail:
    sb_free(&b);
    return ABSENT;
}
static Value m_join(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_join(self, args[0]);
}

/* ---- stripping ---- */

static Value strip(Value self, Value chars, int sides) {
    const void *d = str_data(self);
    int kind = str_kind(self);
    intptr_t lo = 0, hi = str_len(self);
    if (chars == ABSENT || chars == V_NONE) {
        if (sides & 1)
            while (lo < hi && unicode_is_space(str_at_kind(d, kind, lo)))
                lo++;
        if (sides & 2)
            while (hi > lo && unicode_is_space(str_at_kind(d, kind, hi - 1)))
                hi--;
    } else {
        if (!v_is_str(chars))
            return err_set(&exc_TypeError, "%s arg must be None or str",
                           sides == 1   ? "lstrip"
                           : sides == 2 ? "rstrip"
                                        : "strip");
        intptr_t n = str_len(chars);
        if (sides & 1)
            while (lo < hi && str_find_char(chars, str_at_kind(d, kind, lo), 0, n, 1) >= 0)
                lo++;
        if (sides & 2)
            while (hi > lo && str_find_char(chars, str_at_kind(d, kind, hi - 1), 0, n, 1) >= 0)
                hi--;
    }
    return str_substr(self, lo, hi);
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

static Value m_removeprefix(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "removeprefix() argument must be str, not %T", args[0]);
    if (str_tailmatch(self, args[0], 0, str_len(self), -1))
        return str_substr(self, str_len(args[0]), str_len(self));
    return str_exact(self);
}
static Value m_removesuffix(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "removesuffix() argument must be str, not %T", args[0]);
    if (str_tailmatch(self, args[0], 0, str_len(self), 1))
        return str_substr(self, 0, str_len(self) - str_len(args[0]));
    return str_exact(self);
}

/* ---- the finding methods ---- */

static int find_args(Value self, Value *args, intptr_t nargs, intptr_t *lo, intptr_t *hi) {
    if (!v_is_str(args[0])) {
        err_set(&exc_TypeError, "must be str, not %T", args[0]);
        return -1;
    }
    return text_range(arg_at(args, nargs, 1), arg_at(args, nargs, 2), str_len(self), lo, hi);
}

static Value find_method(const char *name, Value self, Value *args, intptr_t nargs, int dir, bool must) {
    if (!text_arg_count(name, nargs, 1, 3))
        return ABSENT;
    intptr_t lo, hi;
    if (find_args(self, args, nargs, &lo, &hi) < 0)
        return ABSENT;
    intptr_t i = str_find(self, args[0], lo, hi, dir);
    if (i == -2)
        return ABSENT;
    if (i < 0 && must)
        return err_set(&exc_ValueError, "substring not found");
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
    intptr_t lo, hi;
    if (find_args(self, args, nargs, &lo, &hi) < 0)
        return ABSENT;
    intptr_t n = str_count(self, args[0], lo, hi);
    return n < 0 ? ABSENT : v_from_int(n);
}

static Value tailmatch_method(Value self, Value *args, intptr_t nargs, int dir, const char *name) {
    if (!text_arg_count(name, nargs, 1, 3))
        return ABSENT;
    intptr_t lo, hi;
    if (text_range(arg_at(args, nargs, 1), arg_at(args, nargs, 2), str_len(self), &lo, &hi) < 0)
        return ABSENT;
    if (v_is_tuple(args[0])) {
        for (intptr_t i = 0; i < tuple_len(args[0]); i++) {
            Value sub = tuple_get(args[0], i);
            if (!v_is_str(sub))
                return err_set(&exc_TypeError, "tuple for %s must only contain str, not %T", name, sub);
            if (str_tailmatch(self, sub, lo, hi, dir))
                return V_TRUE;
        }
        return V_FALSE;
    }
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "%s first arg must be str or a tuple of str, not %T", name, args[0]);
    return v_bool(str_tailmatch(self, args[0], lo, hi, dir));
}
static Value m_startswith(Value self, Value *args, intptr_t nargs, Value kw) {
    return tailmatch_method(self, args, nargs, -1, "startswith");
}
static Value m_endswith(Value self, Value *args, intptr_t nargs, Value kw) {
    return tailmatch_method(self, args, nargs, 1, "endswith");
}

static Value m_replace(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t max;
    for (int i = 0; i < 2; i++)
        if (!v_is_str(args[i]))
            return err_set(&exc_TypeError, "replace() argument %d must be str, not %T", i + 1, args[i]);
    if (text_size_arg(arg_at(args, nargs, 2), -1, &max) < 0)
        return ABSENT;
    return str_replace(self, args[0], args[1], max);
}

const NativeDef str_find_methods[] = {
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
    {"join", m_join, "($self, iterable, /)"},
    {"strip", m_strip, "($self, chars=None, /)"},
    {"lstrip", m_lstrip, "($self, chars=None, /)"},
    {"rstrip", m_rstrip, "($self, chars=None, /)"},
    {"removeprefix", m_removeprefix, "($self, prefix, /)"},
    {"removesuffix", m_removesuffix, "($self, suffix, /)"},
    {NULL},
};

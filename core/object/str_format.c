/* str.format and str.format_map: replacement fields, and the iterators that string.Formatter uses (module _string).
 *
 *   field    "{" [name] ["!" conversion] [":" spec] "}"        spec may hold fields itself, one level deep
 *   name     (identifier | index | nothing) ("." attribute | "[" key "]")*
 */
#include "object/str_format.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/str_impl.h"
#include "object/tuple.h"
#include "object/unicode.h"

/* ---- parsing ---- */

int markup_next(Markup *m) {
    Value s = m->str;
    intptr_t end = m->end;
    m->has_field = m->spec_nested = false;
    m->conversion = 0;
    m->name_lo = m->name_hi = m->spec_lo = m->spec_hi = 0;
    if (m->pos >= end)
        return 0;
    m->lit_lo = m->pos;
    uint32_t c = 0;
    bool found = false;
    while (m->pos < end) {
        c = str_at(s, m->pos++);
        if (c == '{' || c == '}') {
            found = true;
            break;
        }
    }
    if (!found) {
        m->lit_hi = m->pos;
        return 1;
    }
    bool at_end = m->pos >= end;
    if (c == '}' && (at_end || str_at(s, m->pos) != '}')) {
        err_set(&exc_ValueError, "Single '}' encountered in format string");
        return -1;
    }
    if (c == '{' && at_end) {
        err_set(&exc_ValueError, "Single '{' encountered in format string");
        return -1;
    }
    if (str_at(s, m->pos) == c) { /* doubled: one of them belongs to the literal */
        m->lit_hi = m->pos++;
        return 1;
    }
    m->lit_hi = m->pos - 1;
    m->has_field = true;
    /* The field's name ends at ! : or }, outside brackets. */
    m->name_lo = m->pos;
    bool bracket = false;
    c = 0;
    while (m->pos < end) {
        c = str_at(s, m->pos++);
        if (c == '{' && !bracket) {
            err_set(&exc_ValueError, "unexpected '{' in field name");
            return -1;
        }
        if (c == '[')
            bracket = true;
        else if (c == ']')
            bracket = false;
        else if (!bracket && (c == '}' || c == ':' || c == '!'))
            break;
        c = 0;
    }
    m->name_hi = c == 0 ? m->pos : m->pos - 1;
    if (c == '!') {
        if (m->pos >= end) {
            err_set(&exc_ValueError, "end of string while looking for conversion specifier");
            return -1;
        }
        m->conversion = str_at(s, m->pos++);
        if (m->pos < end) {
            c = str_at(s, m->pos++);
            if (c != ':' && c != '}') {
                err_set(&exc_ValueError, "expected ':' after conversion specifier");
                return -1;
            }
        } else
            c = ':'; /* and the end of the spec is missed */
    }
    if (c == ':') {
        int depth = 1;
        m->spec_lo = m->pos;
        while (m->pos < end) {
            c = str_at(s, m->pos++);
            if (c == '{') {
                m->spec_nested = true;
                depth++;
            } else if (c == '}' && --depth == 0) {
                m->spec_hi = m->pos - 1;
                return 1;
            }
        }
        err_set(&exc_ValueError, "unmatched '{' in format spec");
        return -1;
    }
    if (c != '}') {
        err_set(&exc_ValueError, "expected '}' before end of string");
        return -1;
    }
    return 1;
}

/* A decimal index in [lo, hi): the number; -1 not one; -2 too large, ValueError. */
static intptr_t index_of(Value s, intptr_t lo, intptr_t hi) {
    if (lo >= hi)
        return -1;
    intptr_t n = 0;
    for (intptr_t i = lo; i < hi; i++) {
        int d = unicode_decimal(str_at(s, i));
        if (d < 0)
            return -1;
        if (n > (INTPTR_MAX - d) / 10) {
            err_set(&exc_ValueError, "Too many decimal digits in format string");
            return -2;
        }
        n = n * 10 + d;
    }
    return n;
}

int field_first(FieldName *f, Value str, intptr_t lo, intptr_t hi) {
    f->str = str;
    intptr_t i = lo;
    while (i < hi && str_at(str, i) != '.' && str_at(str, i) != '[')
        i++;
    f->first_lo = lo;
    f->first_hi = i;
    f->pos = i;
    f->end = hi;
    f->first_index = index_of(str, lo, i);
    return f->first_index == -2 ? -1 : 0;
}

int field_next(FieldName *f, bool *is_attr, intptr_t *index, intptr_t *lo, intptr_t *hi) {
    if (f->pos >= f->end)
        return 0;
    uint32_t c = str_at(f->str, f->pos++);
    *lo = f->pos;
    *index = -1;
    if (c == '.') {
        *is_attr = true;
        while (f->pos < f->end && str_at(f->str, f->pos) != '.' && str_at(f->str, f->pos) != '[')
            f->pos++;
        *hi = f->pos;
    } else if (c == '[') {
        *is_attr = false;
        while (f->pos < f->end && str_at(f->str, f->pos) != ']')
            f->pos++;
        if (f->pos >= f->end) {
            err_set(&exc_ValueError, "Missing ']' in format string");
            return -1;
        }
        *hi = f->pos++;
        if ((*index = index_of(f->str, *lo, *hi)) == -2)
            return -1;
    } else {
        err_set(&exc_ValueError, "Only '.' or '[' may follow ']' in format field specifier");
        return -1;
    }
    if (*lo == *hi) {
        err_set(&exc_ValueError, "Empty attribute in format string");
        return -1;
    }
    return 1;
}

/* ---- formatting ---- */

typedef struct Formatter {
    Value *args;
    intptr_t nargs;
    Value kwnames, mapping;
    enum { AUTO_UNKNOWN, AUTO_YES, AUTO_NO } numbering;
    intptr_t next;
} Formatter;

static Value lookup_name(Formatter *f, Value name) {
    if (f->mapping != ABSENT)
        return obj_getitem(f->mapping, name);
    if (f->kwnames != ABSENT)
        for (intptr_t i = 0; i < tuple_len(f->kwnames); i++)
            if (str_equal(tuple_get(f->kwnames, i), name))
                return retained(f->args[f->nargs + i]);
    return err_key(name);
}

static Value field_value(Formatter *f, Markup *m) {
    FieldName name;
    Value s = m->str;
    if (field_first(&name, s, m->name_lo, m->name_hi) < 0)
        return ABSENT;
    bool empty = name.first_lo == name.first_hi;
    intptr_t i = name.first_index;
    if (empty || i >= 0) {
        if (f->numbering == AUTO_UNKNOWN)
            f->numbering = empty ? AUTO_YES : AUTO_NO;
        if (empty && f->numbering == AUTO_NO)
            return err_set(&exc_ValueError,
                           "cannot switch from manual field specification to automatic field numbering");
        if (!empty && f->numbering == AUTO_YES)
            return err_set(&exc_ValueError,
                           "cannot switch from automatic field numbering to manual field specification");
        if (empty)
            i = f->next++;
    }
    Value v;
    if (i >= 0) {
        if (f->mapping != ABSENT)
            return err_set(&exc_ValueError, "Format string contains positional fields");
        if (i >= f->nargs)
            return err_set(&exc_IndexError, "Replacement index %zd out of range for positional args tuple", i);
        v = retained(f->args[i]);
    } else {
        Value key = str_substr(s, name.first_lo, name.first_hi);
        if (key == ABSENT)
            return ABSENT;
        v = lookup_name(f, key);
        release(key);
    }
    bool is_attr;
    intptr_t index, lo, hi;
    int r;
    while (v != ABSENT && (r = field_next(&name, &is_attr, &index, &lo, &hi)) != 0) {
        Value next = ABSENT;
        if (r > 0) {
            if (index >= 0)
                next = obj_getitem(v, v_from_int(index));
            else {
                Value key = str_substr(s, lo, hi);
                if (key != ABSENT)
                    next = is_attr ? obj_getattr(v, key) : obj_getitem(v, key);
                release(key);
            }
        }
        release(v);
        v = next;
    }
    return v;
}

static bool build(Formatter *f, Value s, intptr_t lo, intptr_t hi, int depth, StrBuilder *out);

static bool add_field(Formatter *f, Markup *m, int depth, StrBuilder *out) {
    Value v = field_value(f, m), spec = ABSENT, text = ABSENT;
    if (v == ABSENT)
        return false;
    if (m->conversion != 0) {
        Value c;
        if (m->conversion == 'r')
            c = obj_repr(v);
        else if (m->conversion == 's')
            c = obj_str(v);
        else if (m->conversion == 'a')
            c = obj_ascii(v);
        else if (m->conversion > 32 && m->conversion < 127)
            c = err_set(&exc_ValueError, "Unknown conversion specifier %c", (int)m->conversion);
        else
            c = err_set(&exc_ValueError, "Unknown conversion specifier \\x%x", (unsigned)m->conversion);
        release(v);
        if ((v = c) == ABSENT)
            return false;
    }
    if (m->spec_nested) {
        StrBuilder b;
        sb_init(&b);
        if (!build(f, m->str, m->spec_lo, m->spec_hi, depth - 1, &b)) {
            sb_free(&b);
            goto done;
        }
        spec = sb_finish(&b);
    } else
        spec = str_substr(m->str, m->spec_lo, m->spec_hi);
    if (spec == ABSENT)
        goto done;
    if (str_len(spec) == 0 && v_is_exact(v, IDX_STR))
        text = retained(v);
    else
        text = obj_format(v, spec);
    if (text != ABSENT)
        sb_str(out, text);
done:
    release(v);
    release(spec);
    release(text);
    return text != ABSENT;
}

static bool build(Formatter *f, Value s, intptr_t lo, intptr_t hi, int depth, StrBuilder *out) {
    if (depth <= 0) {
        err_set(&exc_ValueError, "Max string recursion exceeded");
        return false;
    }
    Markup m = {.str = s, .pos = lo, .end = hi};
    int r;
    while ((r = markup_next(&m)) > 0) {
        sb_substr(out, s, m.lit_lo, m.lit_hi);
        if (m.has_field && !add_field(f, &m, depth, out))
            return false;
    }
    return r == 0;
}

Value str_format(Value fmt, Value *args, intptr_t nargs, Value kwnames, Value mapping) {
    Formatter f = {.args = args, .nargs = nargs, .kwnames = kwnames, .mapping = mapping};
    StrBuilder b;
    sb_init(&b);
    if (!build(&f, fmt, 0, str_len(fmt), 2, &b)) {
        sb_free(&b);
        return ABSENT;
    }
    return sb_finish(&b);
}

/* str: case, classes of characters, padding, translate. */
#include "object/dict.h"
#include "object/int.h"
#include "object/str_impl.h"
#include "object/text.h"
#include "object/unicode.h"

/* ---- case ---- */

/* Lower case of c = self[i]; capital sigma depends on its surroundings (Final_Sigma of the Unicode standard). */
static int lower_at(const void *d, int kind, intptr_t n, intptr_t i, uint32_t c, uint32_t out[3]) {
    if (c != 0x3a3)
        return unicode_to_lower(c, out);
    intptr_t j = i - 1;
    while (j >= 0 && unicode_is_case_ignorable(str_at_kind(d, kind, j)))
        j--;
    bool final = j >= 0 && unicode_is_cased(str_at_kind(d, kind, j));
    if (final) {
        j = i + 1;
        while (j < n && unicode_is_case_ignorable(str_at_kind(d, kind, j)))
            j++;
        final = j == n || !unicode_is_cased(str_at_kind(d, kind, j));
    }
    out[0] = final ? 0x3c2 : 0x3c3;
    return 1;
}

enum { TO_LOWER, TO_UPPER, TO_TITLE, TO_SWAPPED, TO_CAPITAL, TO_FOLDED };

static Value ascii_case(Value self, int to) {
    intptr_t n = str_len(self);
    if (n == 0)
        return str_empty();
    Value r = str_alloc((size_t)n, 0x7f);
    if (r == ABSENT)
        return ABSENT;
    const uint8_t *s = str_data(self);
    uint8_t *d = str_data(r);
    bool in_word = false;
    switch (to) {
    case TO_LOWER:
    case TO_FOLDED:
        for (intptr_t i = 0; i < n; i++)
            d[i] = (uint8_t)(s[i] + ((uint8_t)(s[i] - 'A') < 26 ? 32 : 0));
        break;
    case TO_UPPER:
        for (intptr_t i = 0; i < n; i++)
            d[i] = (uint8_t)(s[i] - ((uint8_t)(s[i] - 'a') < 26 ? 32 : 0));
        break;
    case TO_SWAPPED:
        for (intptr_t i = 0; i < n; i++)
            d[i] = (uint8_t)(s[i] ^ ((uint8_t)((s[i] | 32) - 'a') < 26 ? 32 : 0));
        break;
    default:
        for (intptr_t i = 0; i < n; i++) {
            bool letter = (uint8_t)((s[i] | 32) - 'a') < 26;
            d[i] = !letter ? s[i] : in_word ? s[i] | 32 : s[i] & ~32;
            in_word = letter || to == TO_CAPITAL;
        }
    }
    return r;
}

static Value change_case(Value self, int to) {
    if (str_is_ascii(self))
        return ascii_case(self, to);
    const void *d = str_data(self);
    int kind = str_kind(self);
    intptr_t n = str_len(self);
    StrBuilder b;
    sb_init(&b);
    bool in_word = false;
    for (intptr_t i = 0; i < n; i++) {
        uint32_t c = str_at_kind(d, kind, i), out[3];
        int k;
        switch (to) {
        case TO_LOWER:
            k = lower_at(d, kind, n, i, c, out);
            break;
        case TO_UPPER:
            k = unicode_to_upper(c, out);
            break;
        case TO_FOLDED:
            k = unicode_to_folded(c, out);
            break;
        case TO_SWAPPED:
            if (unicode_is_upper(c))
                k = lower_at(d, kind, n, i, c, out);
            else if (unicode_is_lower(c))
                k = unicode_to_upper(c, out);
            else
                out[0] = c, k = 1;
            break;
        default:
            k = in_word ? lower_at(d, kind, n, i, c, out) : unicode_to_title(c, out);
            in_word = to == TO_CAPITAL || unicode_is_cased(c);
        }
        for (int j = 0; j < k; j++)
            sb_char(&b, out[j]);
    }
    return sb_finish(&b);
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
static Value m_casefold(Value self, Value *args, intptr_t nargs, Value kw) {
    return change_case(self, TO_FOLDED);
}

/* ---- classes of characters ---- */

static bool is_alnum(uint32_t c) {
    if (c < 0x80)
        return unicode_is(c, UC_ALPHA | UC_DIGIT);
    return unicode_is_alpha(c) || unicode_is_numeric(c);
}
static bool is_digit(uint32_t c) {
    return unicode_digit(c) >= 0;
}

/* All characters (at least one) are of a class. */
#define ALL_METHOD(name, test)                                             \
    static Value name(Value self, Value *args, intptr_t nargs, Value kw) { \
        const void *d = str_data(self);                                    \
        int kind = str_kind(self);                                         \
        intptr_t n = str_len(self);                                        \
        for (intptr_t i = 0; i < n; i++)                                   \
            if (!test(str_at_kind(d, kind, i)))                            \
                return V_FALSE;                                            \
        return v_bool(n > 0);                                              \
    }
ALL_METHOD(m_isspace, unicode_is_space)
ALL_METHOD(m_isalpha, unicode_is_alpha)
ALL_METHOD(m_isalnum, is_alnum)
ALL_METHOD(m_isdecimal, unicode_is_decimal)
ALL_METHOD(m_isdigit, is_digit)
ALL_METHOD(m_isnumeric, unicode_is_numeric)

static Value m_isprintable(Value self, Value *args, intptr_t nargs, Value kw) {
    for (intptr_t i = 0; i < str_len(self); i++)
        if (!unicode_is_printable(str_at(self, i)))
            return V_FALSE;
    return V_TRUE;
}
static Value m_isascii(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(str_is_ascii(self));
}

static Value m_islower(Value self, Value *args, intptr_t nargs, Value kw) {
    bool cased = false;
    for (intptr_t i = 0; i < str_len(self); i++) {
        uint32_t c = str_at(self, i);
        if (unicode_is_upper(c) || unicode_is_title(c))
            return V_FALSE;
        cased = cased || unicode_is_lower(c);
    }
    return v_bool(cased);
}
static Value m_isupper(Value self, Value *args, intptr_t nargs, Value kw) {
    bool cased = false;
    for (intptr_t i = 0; i < str_len(self); i++) {
        uint32_t c = str_at(self, i);
        if (unicode_is_lower(c) || unicode_is_title(c))
            return V_FALSE;
        cased = cased || unicode_is_upper(c);
    }
    return v_bool(cased);
}
static Value m_istitle(Value self, Value *args, intptr_t nargs, Value kw) {
    bool cased = false, in_word = false;
    for (intptr_t i = 0; i < str_len(self); i++) {
        uint32_t c = str_at(self, i);
        if (unicode_is_upper(c) || unicode_is_title(c)) {
            if (in_word)
                return V_FALSE;
            in_word = cased = true;
        } else if (unicode_is_lower(c)) {
            if (!in_word)
                return V_FALSE;
            cased = true;
        } else
            in_word = false;
    }
    return v_bool(cased);
}

bool str_is_identifier(Value s) {
    intptr_t n = str_len(s);
    if (n == 0 || !unicode_is_id_start(str_at(s, 0)))
        return false;
    for (intptr_t i = 1; i < n; i++)
        if (!unicode_is_id_continue(str_at(s, i)))
            return false;
    return true;
}
static Value m_isidentifier(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(str_is_identifier(self));
}

/* ---- padding ---- */

static Value pad(Value self, intptr_t left, intptr_t right, uint32_t fill) {
    if (left <= 0 && right <= 0)
        return str_exact(self);
    StrBuilder b;
    sb_init(&b);
    sb_fill(&b, fill, left);
    sb_str(&b, self);
    sb_fill(&b, fill, right);
    return sb_finish(&b);
}

static int pad_args(Value *args, intptr_t nargs, intptr_t *width, uint32_t *fill) {
    Value f = arg_at(args, nargs, 1);
    *fill = ' ';
    if (text_size_arg(args[0], 0, width) < 0)
        return -1;
    if (f == ABSENT)
        return 0;
    if (!v_is_str(f)) {
        err_set(&exc_TypeError, "The fill character must be a unicode character, not %T", f);
        return -1;
    }
    if (str_len(f) != 1) {
        err_set(&exc_TypeError, "The fill character must be exactly one character long");
        return -1;
    }
    *fill = str_at(f, 0);
    return 0;
}

static Value m_center(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t width;
    uint32_t fill;
    if (pad_args(args, nargs, &width, &fill) < 0)
        return ABSENT;
    intptr_t room = width - str_len(self);
    if (room <= 0)
        return str_exact(self);
    intptr_t left = room / 2 + (room & width & 1);
    return pad(self, left, room - left, fill);
}
static Value m_ljust(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t width;
    uint32_t fill;
    return pad_args(args, nargs, &width, &fill) < 0 ? ABSENT : pad(self, 0, width - str_len(self), fill);
}
static Value m_rjust(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t width;
    uint32_t fill;
    return pad_args(args, nargs, &width, &fill) < 0 ? ABSENT : pad(self, width - str_len(self), 0, fill);
}
static Value m_zfill(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t width, n = str_len(self), skip = 0;
    if (text_size_arg(args[0], 0, &width) < 0)
        return ABSENT;
    if (width <= n)
        return str_exact(self);
    StrBuilder b;
    sb_init(&b);
    if (n > 0 && (str_at(self, 0) == '+' || str_at(self, 0) == '-')) {
        sb_char(&b, str_at(self, 0));
        skip = 1;
    }
    sb_fill(&b, '0', width - n);
    sb_substr(&b, self, skip, n);
    return sb_finish(&b);
}

static Value m_expandtabs(Value self, Value *args, intptr_t nargs, Value kw) {
    int size = 8;
    if (nargs > 0 && args[0] != ABSENT && num_as_int(args[0], &size) < 0)
        return ABSENT;
    intptr_t n = str_len(self), column = 0, total = 0;
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = 0; i < n; i++) {
        uint32_t c = str_at(self, i);
        if (c == '\t') {
            if (size > 0) {
                intptr_t k = size - column % size;
                if (__builtin_add_overflow(total, k, &total)) {
                    sb_free(&b);
                    return err_set(&exc_OverflowError, "new string is too long");
                }
                column += k;
                sb_fill(&b, ' ', k);
            }
            continue;
        }
        sb_char(&b, c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
    return sb_finish(&b);
}

/* ---- translate ---- */

/* What the table says about c, appended to b. 0, or -1. */
static int translate_char(StrBuilder *b, Value table, uint32_t c) {
    Value v, key = v_from_int(c);
    if (v_is_exact(table, IDX_DICT)) {
        int r = dict_lookup(table, key, &v);
        if (r <= 0) {
            if (r == 0)
                sb_char(b, c);
            return r;
        }
    } else if ((v = obj_getitem(table, key)) == ABSENT) {
        if (!err_matches(&exc_LookupError))
            return -1;
        err_clear();
        sb_char(b, c);
        return 0;
    }
    int r = 0;
    int64_t i;
    if (v_is_integer(v)) {
        if (int_to_i64(v, &i) != 0 || i < 0 || i > 0x10ffff) {
            err_set(&exc_ValueError, "character mapping must be in range(0x110000)");
            r = -1;
        } else
            sb_char(b, (uint32_t)i);
    } else if (v_is_str(v))
        sb_str(b, v);
    else if (v != V_NONE) {
        err_set(&exc_TypeError, "character mapping must return integer, None or str");
        r = -1;
    }
    release(v);
    return r;
}

static Value m_translate(Value self, Value *args, intptr_t nargs, Value kw) {
    /* ASCII characters that stand for one ASCII character or for nothing are asked for once. */
    int16_t memo[128];
    for (int i = 0; i < 128; i++)
        memo[i] = -2;
    StrBuilder b;
    sb_init(&b);
    intptr_t n = str_len(self);
    for (intptr_t i = 0; i < n; i++) {
        uint32_t c = str_at(self, i);
        if (c < 128 && memo[c] != -2) {
            if (memo[c] >= 0)
                sb_char(&b, (uint32_t)memo[c]);
            continue;
        }
        size_t before = b.len;
        if (translate_char(&b, args[0], c) < 0) {
            sb_free(&b);
            return ABSENT;
        }
        if (c < 128) {
            if (b.len == before)
                memo[c] = -1;
            else if (b.len == before + 1 && str_at_kind(b.data, b.kind, (intptr_t)before) < 128)
                memo[c] = (int16_t)str_at_kind(b.data, b.kind, (intptr_t)before);
        }
    }
    return sb_finish(&b);
}

static Value m_maketrans(Value self, Value *args, intptr_t nargs, Value kw) {
    Value x = args[0], y = arg_at(args, nargs, 1), z = arg_at(args, nargs, 2);
    Value d = dict_new(), k, v;
    if (d == ABSENT)
        return ABSENT;
    if (y != ABSENT) {
        if (!v_is_str(x)) {
            err_set(&exc_TypeError, "first maketrans argument must be a string if there is a second argument");
            goto fail;
        }
        if (!v_is_str(y)) {
            err_set(&exc_TypeError, "maketrans() argument 2 must be str, not %T", y);
            goto fail;
        }
        if (z != ABSENT && !v_is_str(z)) {
            err_set(&exc_TypeError, "maketrans() argument 3 must be str, not %T", z);
            goto fail;
        }
        if (str_len(x) != str_len(y)) {
            err_set(&exc_ValueError, "the first two maketrans arguments must have equal length");
            goto fail;
        }
        for (intptr_t i = 0; i < str_len(x); i++)
            if (dict_set(d, v_from_int(str_at(x, i)), v_from_int(str_at(y, i))) < 0)
                goto fail;
        for (intptr_t i = 0; z != ABSENT && i < str_len(z); i++)
            if (dict_set(d, v_from_int(str_at(z, i)), V_NONE) < 0)
                goto fail;
        return d;
    }
    if (!v_is_exact(x, IDX_DICT)) {
        err_set(&exc_TypeError, "if you give only one argument to maketrans it must be a dict");
        goto fail;
    }
    intptr_t pos = 0;
    while (dict_next(x, &pos, &k, &v)) {
        int r = -1;
        if (v_is_str(k)) {
            if (str_len(k) != 1)
                err_set(&exc_ValueError, "string keys in translate table must be of length 1");
            else
                r = dict_set(d, v_from_int(str_at(k, 0)), v);
        } else if (v_is_integer(k))
            r = dict_set(d, k, v);
        else
            err_set(&exc_TypeError, "keys in translate table must be strings or integers");
        release(k);
        release(v);
        if (r < 0)
            goto fail;
    }
    return d;
fail:
    release(d);
    return ABSENT;
}

const NativeDef str_case_methods[] = {
    {"lower", m_lower, "($self, /)"},
    {"upper", m_upper, "($self, /)"},
    {"title", m_title, "($self, /)"},
    {"swapcase", m_swapcase, "($self, /)"},
    {"capitalize", m_capitalize, "($self, /)"},
    {"casefold", m_casefold, "($self, /)"},
    {"isspace", m_isspace, "($self, /)"},
    {"isalpha", m_isalpha, "($self, /)"},
    {"isalnum", m_isalnum, "($self, /)"},
    {"isdecimal", m_isdecimal, "($self, /)"},
    {"isdigit", m_isdigit, "($self, /)"},
    {"isnumeric", m_isnumeric, "($self, /)"},
    {"isprintable", m_isprintable, "($self, /)"},
    {"isascii", m_isascii, "($self, /)"},
    {"islower", m_islower, "($self, /)"},
    {"isupper", m_isupper, "($self, /)"},
    {"istitle", m_istitle, "($self, /)"},
    {"isidentifier", m_isidentifier, "($self, /)"},
    {"center", m_center, "($self, width, fillchar=' ', /)"},
    {"ljust", m_ljust, "($self, width, fillchar=' ', /)"},
    {"rjust", m_rjust, "($self, width, fillchar=' ', /)"},
    {"zfill", m_zfill, "($self, width, /)"},
    {"expandtabs", m_expandtabs, "($self, /, tabsize=8)"},
    {"translate", m_translate, "($self, table, /)"},
    {"maketrans", m_maketrans, "(x, y=<unrepresentable>, z=<unrepresentable>, /)", NF_STATIC},
    {NULL},
};

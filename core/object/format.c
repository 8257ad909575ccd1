/* The format specification mini-language for int, float, complex and str. */
#include <ctype.h>
#include <locale.h>
#include <math.h>

#include "object/float.h"
#include "object/int.h"
#include "object/str.h"

typedef struct Spec {
    uint32_t fill;
    char align; /* < > = ^, 0: none given */
    char sign;  /* + - space, 0 */
    bool negzero, alt, zero;
    intptr_t width;     /* -1: none */
    char group;         /* , or _, 0 */
    intptr_t precision; /* -1: none */
    uint32_t type;      /* 0: none */
} Spec;

static int bad_spec(Value v, Value spec) {
    err_set(&exc_ValueError, "Invalid format specifier '%S' for object of type '%T'", spec, v);
    return -1;
}

/* A number at *i: 1 read, 0 none, -1. */
static int number(Value spec, intptr_t *i, intptr_t *out) {
    intptr_t start = *i, n = 0;
    for (; *i < str_len(spec); ++*i) {
        uint32_t c = str_at(spec, *i);
        if (c < '0' || c > '9')
            break;
        if (n > (INTPTR_MAX - 9) / 10) {
            err_set(&exc_ValueError, "Too many decimal digits in format string");
            return -1;
        }
        n = n * 10 + (intptr_t)(c - '0');
    }
    *out = n;
    return *i > start;
}

static int unknown_code(uint32_t type, Value v) {
    if (type > 32 && type < 128)
        err_set(&exc_ValueError, "Unknown format code '%c' for object of type '%T'", (int)type, v);
    else
        err_set(&exc_ValueError, "Unknown format code '\\x%x' for object of type '%T'", type, v);
    return -1;
}

static bool is_align(uint32_t c) {
    return c == '<' || c == '>' || c == '=' || c == '^';
}

static int parse(Value v, Value spec, Spec *s, char default_align) {
    intptr_t n = str_len(spec), i = 0;
    *s = (Spec){.fill = ' ', .width = -1, .precision = -1};
#define AT(k) (str_at(spec, (k)))
    bool fill_given = false;
    if (n >= 2 && is_align(AT(1))) {
        s->fill = AT(0);
        s->align = (char)AT(1);
        fill_given = true;
        i = 2;
    } else if (n >= 1 && is_align(AT(0))) {
        s->align = (char)AT(0);
        i = 1;
    }
    if (i < n && (AT(i) == '+' || AT(i) == '-' || AT(i) == ' '))
        s->sign = (char)AT(i++);
    if (i < n && AT(i) == 'z') {
        s->negzero = true;
        i++;
    }
    if (i < n && AT(i) == '#') {
        s->alt = true;
        i++;
    }
    if (!fill_given && i < n && AT(i) == '0') {
        s->fill = '0';
        s->zero = true;
        if (!s->align && default_align == '>')
            s->align = '=';
        i++;
    }
    intptr_t w;
    int r = number(spec, &i, &w);
    if (r < 0)
        return -1;
    if (r)
        s->width = w;
    if (i < n && AT(i) == ',') {
        s->group = ',';
        i++;
    }
    if (i < n && AT(i) == '_') {
        if (s->group) {
            err_set(&exc_ValueError, "Cannot specify both ',' and '_'.");
            return -1;
        }
        s->group = '_';
        i++;
    }
    if (i < n && AT(i) == ',' && s->group == '_') {
        err_set(&exc_ValueError, "Cannot specify both ',' and '_'.");
        return -1;
    }
    if (i < n && AT(i) == '.') {
        i++;
        r = number(spec, &i, &s->precision);
        if (r < 0)
            return -1;
        if (!r) {
            err_set(&exc_ValueError, "Format specifier missing precision");
            return -1;
        }
    }
    if (n - i > 1)
        return bad_spec(v, spec);
    if (n - i == 1)
        s->type = AT(i);
    if (s->group) {
        uint32_t t = s->type;
        bool decimal =
            t == 'd' || t == 'e' || t == 'f' || t == 'g' || t == 'E' || t == 'G' || t == '%' || t == 'F' || t == 0;
        bool other = s->group == '_' && (t == 'b' || t == 'o' || t == 'x' || t == 'X');
        if (!decimal && !other) {
            if (t > 32 && t < 128)
                err_set(&exc_ValueError, "Cannot specify '%c' with '%c'.", s->group, (int)t);
            else
                err_set(&exc_ValueError, "Cannot specify '%c' with '\\x%x'.", s->group, t);
            return -1;
        }
    }
#undef AT
    return 0;
}

/* Text between fill characters. */
static Value padded(const Spec *s, Value text, char default_align) {
    intptr_t n = str_len(text), total = MAX(s->width, n), extra = total - n;
    char align = s->align ? s->align : default_align;
    intptr_t left = align == '>' ? extra : align == '^' ? extra / 2 : 0;
    StrBuilder b;
    sb_init(&b);
    sb_fill(&b, s->fill, left);
    sb_str(&b, text);
    sb_fill(&b, s->fill, extra - left);
    return sb_finish(&b);
}

/* How a number falls into parts: sign, prefix (0x), digits before the point, the rest (point, digits, exponent, %). */
typedef struct Parts {
    char sign; /* 0: none */
    const char *prefix;
    const char *digits;
    intptr_t n_digits;
    const char *rest;
    intptr_t n_rest;
} Parts;

/* Writes digits with separators, zero-padded to at least min characters (separators counted). grouping as in struct
 * lconv. */
static void put_grouped(StrBuilder *b, const char *d, intptr_t n, const char *sep, const char *grouping, intptr_t min) {
    /* Lay it out from the right into a buffer of characters; separators are marked by 1. */
    intptr_t most = MAX(n, min);
    if (most > INTPTR_MAX / 4) {
        b->failed = true;
        return;
    }
    intptr_t cap = most * 2 + 8, k = cap, digits_left = n, in_group = 0;
    char *out = malloc((size_t)cap);
    if (!out) {
        b->failed = true;
        return;
    }
    const char *g = grouping;
    int size = *g == CHAR_MAX || *g <= 0 ? 0 : *g;
    for (;;) {
        if (digits_left <= 0 && cap - k >= min) /* (inf and nan have no digits) */
            break;
        if (size && in_group == size) {
            /* A separator in front of padding zeros only when a digit still fits behind it. */
            if (digits_left <= 0 && cap - k + 1 >= min + 1)
                break;
            out[--k] = 1;
            in_group = 0;
            if (g[1] && g[1] != CHAR_MAX)
                size = *++g;
            else if (g[1] == CHAR_MAX)
                size = 0;
        }
        out[--k] = digits_left > 0 ? d[--digits_left] : '0';
        in_group++;
    }
    for (; k < cap; k++) {
        if (out[k] == 1)
            sb_cstr(b, sep);
        else
            sb_char(b, (uint32_t)out[k]);
    }
    free(out);
}

static Value assemble(const Spec *s, const Parts *p) {
    const char *sep = s->group == ',' ? "," : s->group == '_' ? "_" : "", *grouping = "\0";
    const char *point = NULL;
    char every[2] = {3, 0};
    if (s->group) {
        every[0] = (s->type == 'x' || s->type == 'X' || s->type == 'b' || s->type == 'o') ? 4 : 3;
        grouping = every;
    } else if (s->type == 'n') {
        struct lconv *lc = localeconv();
        sep = lc->thousands_sep;
        grouping = lc->grouping;
        point = lc->decimal_point;
    }
    intptr_t fixed = (p->sign != 0) + (intptr_t)strlen(p->prefix) + p->n_rest;
    bool inner_zeros = s->align == '=' && s->fill == '0';
    intptr_t min = inner_zeros && s->width > fixed ? s->width - fixed : 0;
    StrBuilder body;
    sb_init(&body);
    put_grouped(&body, p->digits, p->n_digits, sep, grouping, min);
    if (point && p->n_rest && *p->rest == '.') {
        sb_cstr(&body, point);
        sb_ascii(&body, p->rest + 1, (size_t)p->n_rest - 1);
    } else {
        sb_ascii(&body, p->rest, (size_t)p->n_rest);
    }
    Value text = sb_finish(&body);
    if (text == ABSENT)
        return ABSENT;
    intptr_t len = str_len(text) + (p->sign != 0) + (intptr_t)strlen(p->prefix);
    intptr_t extra = s->width > len ? s->width - len : 0;
    char align = s->align ? s->align : '>';
    intptr_t left = align == '>' ? extra : align == '^' ? extra / 2 : 0, inner = align == '=' ? extra : 0;
    StrBuilder b;
    sb_init(&b);
    sb_fill(&b, s->fill, left);
    if (p->sign)
        sb_char(&b, (uint32_t)p->sign);
    sb_cstr(&b, p->prefix);
    sb_fill(&b, s->fill, inner);
    sb_str(&b, text);
    sb_fill(&b, s->fill, extra - left - inner);
    release(text);
    return sb_finish(&b);
}

static char sign_char(bool negative, char sign) {
    return negative ? '-' : sign == '+' ? '+' : sign == ' ' ? ' ' : 0;
}

static Value format_double(const Spec *s, double d) {
    char code = (char)s->type;
    intptr_t precision = s->precision;
    bool add_dot0 = false, percent = false;
    if (precision > INT32_MAX)
        return err_set(&exc_ValueError, "precision too big");
    if (code == 0) {
        code = precision < 0 ? 'r' : 'g';
        add_dot0 = true;
        if (precision < 0)
            precision = 0;
    } else if (code == 'n') {
        code = 'g';
    } else if (code == '%') {
        code = 'f';
        d *= 100;
        percent = true;
    }
    if (precision < 0)
        precision = 6;
    Value text = float_format(d, code, (int)precision, s->alt, false, add_dot0);
    if (text == ABSENT)
        return ABSENT;
    const char *t = str_data(text);
    intptr_t n = str_len(text);
    bool negative = *t == '-';
    if (negative)
        t++, n--;
    if (negative && s->negzero) {
        bool zero = true;
        for (intptr_t i = 0; i < n && (t[i] | 32) != 'e'; i++)
            zero = zero && (t[i] == '0' || t[i] == '.');
        negative = !zero;
    }
    intptr_t digits = 0;
    while (digits < n && isdigit((unsigned char)t[digits]))
        digits++;
    char rest[1400], *r = rest;
    intptr_t n_rest = n - digits;
    if (n_rest + 2 > (intptr_t)sizeof rest && !(r = malloc((size_t)n_rest + 2))) {
        release(text);
        return err_no_memory();
    }
    memcpy(r, t + digits, (size_t)n_rest);
    if (percent)
        r[n_rest++] = '%';
    Parts p = {sign_char(negative, s->sign), "", t, digits, r, n_rest};
    Value out = assemble(s, &p);
    if (r != rest)
        free(r);
    release(text);
    return out;
}

Value format_float(Value v, Value spec) {
    Spec s;
    if (str_len(spec) == 0)
        return v_is_flo(v) || v_is_exact(v, IDX_FLOAT) ? float_repr(float_value(v)) : obj_str(v);
    if (parse(v, spec, &s, '>') < 0)
        return ABSENT;
    if (s.type && !strchr("eEfFgGn%", (int)(s.type < 128 ? s.type : 1)))
        return unknown_code(s.type, v), ABSENT;
    return format_double(&s, float_value(v));
}

static Value format_as_char(const Spec *s, Value v) {
    if (s->sign)
        return err_set(&exc_ValueError, "Sign not allowed with integer format specifier 'c'");
    if (s->alt)
        return err_set(&exc_ValueError, "Alternate form (#) not allowed with integer format specifier 'c'");
    int64_t c;
    if (int_to_i64(v, &c) != 0)
        return err_set(&exc_OverflowError, "Python int too large to convert to C long");
    if (c < 0 || c > 0x10ffff)
        return err_set(&exc_OverflowError, "%%c arg not in range(0x110000)");
    Value ch = str_from_char((uint32_t)c);
    if (ch == ABSENT)
        return ABSENT;
    Value out = padded(s, ch, '>');
    release(ch);
    return out;
}

Value format_int(Value v, Value spec) {
    Spec s;
    if (str_len(spec) == 0)
        return v_is_int(v) || v_is_exact(v, IDX_INT) ? int_to_str(v, 10, false) : obj_str(v);
    if (parse(v, spec, &s, '>') < 0)
        return ABSENT;
    switch (s.type) {
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case '%': {
        bool over = false;
        double d = int_to_double(v, &over);
        return over ? err_set(&exc_OverflowError, "int too large to convert to float") : format_double(&s, d);
    }
    case 0:
    case 'b':
    case 'c':
    case 'd':
    case 'o':
    case 'x':
    case 'X':
    case 'n':
        break;
    default:
        return unknown_code(s.type, v), ABSENT;
    }
    if (s.precision >= 0)
        return err_set(&exc_ValueError, "Precision not allowed in integer format specifier");
    if (s.negzero)
        return err_set(&exc_ValueError, "Negative zero coercion (z) not allowed in integer format specifier");
    if (s.type == 'c')
        return format_as_char(&s, v);
    int base = s.type == 'b' ? 2 : s.type == 'o' ? 8 : s.type == 'x' || s.type == 'X' ? 16 : 10;
    Value text = int_to_str(v, base, false);
    if (text == ABSENT)
        return ABSENT;
    const char *t = str_data(text);
    intptr_t n = str_len(text);
    bool negative = *t == '-';
    if (negative)
        t++, n--;
    char *upper = NULL;
    if (s.type == 'X') {
        upper = malloc((size_t)n);
        if (!upper) {
            release(text);
            return err_no_memory();
        }
        for (intptr_t i = 0; i < n; i++)
            upper[i] = (char)toupper((unsigned char)t[i]);
        t = upper;
    }
    const char *prefix = !s.alt || base == 10 ? "" : base == 2 ? "0b" : base == 8 ? "0o" : s.type == 'X' ? "0X" : "0x";
    Parts p = {sign_char(negative, s.sign), prefix, t, n, "", 0};
    Value out = assemble(&s, &p);
    free(upper);
    release(text);
    return out;
}

Value format_str(Value v, Value spec) {
    Spec s;
    if (str_len(spec) == 0)
        return v_is_exact(v, IDX_STR) ? retained(v) : obj_str(v);
    if (parse(v, spec, &s, '<') < 0)
        return ABSENT;
    if (s.type && s.type != 's')
        return unknown_code(s.type, v), ABSENT;
    if (s.sign)
        return err_set(&exc_ValueError, s.sign == ' ' ? "Space not allowed in string format specifier"
                                                      : "Sign not allowed in string format specifier");
    if (s.negzero)
        return err_set(&exc_ValueError, "Negative zero coercion (z) not allowed in string format specifier");
    if (s.alt)
        return err_set(&exc_ValueError, "Alternate form (#) not allowed in string format specifier");
    if (s.group)
        return err_set(&exc_ValueError, "Cannot specify '%c' with 's'.", s.group);
    if (s.align == '=')
        return err_set(&exc_ValueError, "'=' alignment not allowed in string format specifier");
    Value text = s.precision >= 0 && s.precision < str_len(v) ? str_substr(v, 0, s.precision) : retained(v);
    if (text == ABSENT)
        return ABSENT;
    Value out = padded(&s, text, '<');
    release(text);
    return out;
}

Value format_complex(Value v, Value spec) {
    Complex *c = (Complex *)v;
    Spec s;
    if (str_len(spec) == 0)
        return obj_str(v);
    if (parse(v, spec, &s, '>') < 0)
        return ABSENT;
    if (s.type && !strchr("eEfFgGn", (int)(s.type < 128 ? s.type : 1)))
        return unknown_code(s.type, v), ABSENT;
    if (s.zero || s.fill == '0')
        return err_set(&exc_ValueError, "Zero padding is not allowed in complex format specifier");
    if (s.align == '=')
        return err_set(&exc_ValueError, "'=' alignment flag is not allowed in complex format specifier");
    /* Without a code it looks like str(): parentheses, and no real part when that is +0. */
    bool real = s.type != 0 || c->re != 0 || signbit(c->re);
    Spec part = s;
    part.width = -1;
    part.align = 0;
    part.fill = ' ';
    Value re = ABSENT, im = ABSENT, out = ABSENT;
    if (s.type == 0) {
        Spec shortest = part;
        shortest.type = s.precision < 0 ? 'r' : 'g';
        part = shortest;
    }
    if (real) {
        re = part.type == 'r' ? float_format(c->re, 'r', 0, s.alt, s.sign == '+', false) : format_double(&part, c->re);
        if (re == ABSENT)
            return ABSENT;
        part.sign = '+';
    }
    im = part.type == 'r' ? float_format(c->im, 'r', 0, s.alt, part.sign == '+', false) : format_double(&part, c->im);
    if (im != ABSENT) {
        bool paren = s.type == 0 && real;
        Value text = real ? str_format_c(paren ? "(%S%Sj)" : "%S%Sj", re, im) : str_format_c("%Sj", im);
        if (text != ABSENT) {
            out = padded(&s, text, '>');
            release(text);
        }
    }
    release(re);
    release(im);
    return out;
}

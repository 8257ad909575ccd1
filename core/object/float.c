/* Numbers of float: text in both directions, hash, floor division. */
#include "object/float.h"

#include <ctype.h>
#include <math.h>

#include "base/dtoa.h"
#include "object/int.h"
#include "object/int_text.h"
#include "object/str.h"

Value float_new_slow(double d) {
    Value v = obj_new(&float_type);
    if (v != ABSENT)
        ((Float *)v)->value = d;
    return v;
}

int64_t float_hash(double d) {
    if (isinf(d))
        return d > 0 ? 314159 : -314159;
    int e;
    double m = frexp(d, &e);
    int sign = 1;
    if (m < 0) {
        sign = -1;
        m = -m;
    }
    /* The value modulo 2^61 - 1: 28 bits of the mantissa at a time. */
    const uint64_t modulus = ((uint64_t)1 << 61) - 1;
    uint64_t x = 0;
    while (m != 0) {
        x = ((x << 28) & modulus) | x >> (61 - 28);
        m *= 268435456.0;
        e -= 28;
        uint64_t y = (uint64_t)m;
        m -= (double)y;
        x += y;
        if (x >= modulus)
            x -= modulus;
    }
    e = e >= 0 ? e % 61 : 60 - ((-1 - e) % 61);
    x = ((x << e) & modulus) | x >> (61 - e);
    int64_t h = (int64_t)x * sign;
    return h == -1 ? -2 : h;
}

double float_mod(double a, double b) {
    double m = fmod(a, b);
    if (m != 0) {
        if ((b < 0) != (m < 0))
            m += b;
    } else {
        m = copysign(0.0, b);
    }
    return m;
}

double float_floordiv(double a, double b) {
    double m = fmod(a, b), d = (a - m) / b;
    if (m != 0 && (b < 0) != (m < 0))
        d -= 1.0;
    if (d == 0)
        return copysign(0.0, a / b);
    double f = floor(d);
    return d - f > 0.5 ? f + 1.0 : f;
}

/* ---- to text ---- */

/* Digits need a buffer of this many characters for the largest double with p places behind the point. */
#define FIXED_DIGITS_MAX 330

Value float_format(double d, char code, int precision, bool alt, bool sign, bool add_dot0) {
    bool upper = code == 'E' || code == 'F' || code == 'G';
    code = (char)tolower((unsigned char)code);
    if (!isfinite(d)) {
        const char *t = isnan(d) ? "nan" : d < 0 ? "-inf" : sign ? "+inf" : "inf";
        if (isnan(d) && sign)
            t = "+nan";
        char up[8];
        size_t i = 0;
        for (; t[i]; i++)
            up[i] = (char)(upper ? toupper((unsigned char)t[i]) : t[i]);
        return str_from_ascii(up, i);
    }
    if (code == 'g' && precision == 0)
        precision = 1;
    /* Beyond about 1,100 significant digits a double has only zeros: ask for no more, pad the rest. */
    int ask = precision > 1100 ? 1100 : precision;
    int cap = ask + FIXED_DIGITS_MAX + 8;
    char stack_digits[512];
    char *digits = cap <= (int)sizeof stack_digits ? stack_digits : malloc((size_t)cap);
    if (!digits)
        return err_no_memory();
    int point = 0, n;
    if (d == 0) {
        digits[0] = '0';
        n = 1;
        point = 1;
    } else if (code == 'r') {
        n = dtoa_digits(d, DTOA_SHORTEST, 0, digits, cap, &point);
    } else if (code == 'f') {
        n = dtoa_digits(d, DTOA_FIXED, ask, digits, cap, &point);
        if (n == 0) {
            digits[0] = '0';
            n = 1;
            point = 1;
        }
    } else {
        n = dtoa_digits(d, DTOA_PRECISION, code == 'e' ? ask + 1 : ask, digits, cap, &point);
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;

    bool exponent = code == 'e' || (code == 'g' && (point <= -4 || point > precision - add_dot0)) ||
                    (code == 'r' && (point <= -4 || point > 16));
    int before = exponent ? 1 : point, fraction; /* digits before the point, and how many behind it */
    if (code == 'e' || code == 'f')
        fraction = precision;
    else if (code == 'g' && alt)
        fraction = exponent ? precision - 1 : precision - (d == 0 ? 1 : point);
    else
        fraction = n > before ? n - before : 0;

    StrBuilder b;
    sb_init(&b);
    if (signbit(d))
        sb_char(&b, '-');
    else if (sign)
        sb_char(&b, '+');
    if (before <= 0)
        sb_char(&b, '0');
    for (int i = 0; i < before; i++)
        sb_char(&b, i < n ? (uint32_t)digits[i] : '0');
    if (fraction > 0 || alt) {
        sb_char(&b, '.');
        for (int i = 0; i < fraction; i++) {
            int k = before + i;
            sb_char(&b, k >= 0 && k < n ? (uint32_t)digits[k] : '0');
        }
    } else if (add_dot0 && !exponent) {
        sb_ascii(&b, ".0", 2);
    }
    if (exponent) {
        int e = d == 0 ? 0 : point - 1;
        sb_char(&b, upper ? 'E' : 'e');
        sb_char(&b, e < 0 ? '-' : '+');
        sb_printf(&b, "%02d", e < 0 ? -e : e);
    }
    if (digits != stack_digits)
        free(digits);
    return sb_finish(&b);
}

Value float_repr(double d) {
    return float_format(d, 'r', 0, false, false, true);
}

/* ---- from text ---- */

double float_parse(const char *s, size_t n, bool *ok) {
    *ok = true;
    const char *p = s, *end = s + n;
    bool neg = false;
    if (p < end && (*p == '+' || *p == '-'))
        neg = *p++ == '-';
    size_t rest = (size_t)(end - p);
    if ((rest == 3 && strncasecmp(p, "inf", 3) == 0) || (rest == 8 && strncasecmp(p, "infinity", 8) == 0))
        return neg ? -HUGE_VAL : HUGE_VAL;
    if (rest == 3 && strncasecmp(p, "nan", 3) == 0)
        return neg ? -NAN : NAN;
    if (rest == 0 || !(isdigit((unsigned char)*p) || *p == '.')) {
        *ok = false;
        return 0;
    }
    double d = dtoa_parse(p, rest, ok);
    return neg ? -d : d;
}

Value float_from_str(Value s) {
    size_t n;
    char *text = text_to_ascii_digits(s, &n), *p = text;
    if (!text)
        return ABSENT;
    while (n && (isspace((unsigned char)*p) || (*p >= 28 && *p <= 31)))
        p++, n--;
    while (n && (isspace((unsigned char)p[n - 1]) || (p[n - 1] >= 28 && p[n - 1] <= 31)))
        n--;
    /* An underscore stands between two digits only. */
    size_t k = 0;
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '_')
            p[k++] = p[i];
        else if (i == 0 || i + 1 == n || !isdigit((unsigned char)p[i - 1]) || !isdigit((unsigned char)p[i + 1]))
            ok = false;
    }
    double d = 0;
    if (ok)
        d = float_parse(p, k, &ok);
    free(text);
    return ok ? float_new(d) : err_set(&exc_ValueError, "could not convert string to float: %R", s);
}

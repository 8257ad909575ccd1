/* Text to int and back, with the digit limit that guards against quadratic work on hostile input. */
#include "object/int_text.h"

#include "object/bytes.h"
#include "object/int_view.h"
#include "object/str.h"
#include "utf8proc.h"

#define DIGITS_DEFAULT 4300
static _Atomic(int) max_str_digits = DIGITS_DEFAULT;

int int_get_max_str_digits(void) {
    return LOAD_RELAXED(&max_str_digits);
}
void int_set_max_str_digits(int n) {
    STORE_RELAXED(&max_str_digits, n);
}

static int digit_value(int c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

static bool is_space(int c) {
    return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
}

/* Parses all of s: 1 ok, 0 malformed, -1 exception. */
static int parse(const char *s, size_t n, int base, Value *out) {
    const char *end = s + n;
    while (s < end && is_space((unsigned char)*s))
        s++;
    while (end > s && is_space((unsigned char)end[-1]))
        end--;
    bool neg = false;
    if (s < end && (*s == '+' || *s == '-'))
        neg = *s++ == '-';
    bool prefix = false, leading_zero_only = false;
    if (end - s >= 2 && s[0] == '0') {
        int p = s[1] | 32, pb = p == 'x' ? 16 : p == 'o' ? 8 : p == 'b' ? 2 : 0;
        if (pb && (base == 0 || base == pb)) {
            base = pb;
            prefix = true;
            s += 2;
            if (s < end && *s == '_')
                s++;
        } else if (base == 0) {
            leading_zero_only = true;
        }
    }
    if (base == 0)
        base = 10;
    (void)prefix;
    if (s == end || *s == '_')
        return 0;
    size_t digits = 0;
    int64_t acc = 0;
    bool small = true, last_underscore = false;
    for (const char *q = s; q < end; q++) {
        if (*q == '_') {
            if (last_underscore)
                return 0;
            last_underscore = true;
            continue;
        }
        last_underscore = false;
        int d = digit_value((unsigned char)*q);
        if (d >= base)
            return 0;
        if (leading_zero_only && d != 0)
            return 0;
        digits++;
        if (small &&
            (__builtin_mul_overflow(acc, (int64_t)base, &acc) || __builtin_add_overflow(acc, (int64_t)d, &acc)))
            small = false;
    }
    if (last_underscore)
        return 0;
    if (small) {
        *out = int_from_i64(neg ? -acc : acc);
        return *out == ABSENT ? -1 : 1;
    }
    int limit = int_get_max_str_digits();
    if ((base & (base - 1)) != 0 && limit > 0 && digits > (size_t)limit) {
        err_set(&exc_ValueError,
                "Exceeds the limit (%d digits) for integer string conversion: value has %zd digits; use "
                "sys.set_int_max_str_digits() to increase the limit",
                limit, (ssize_t)digits);
        return -1;
    }
    unsigned char *d = malloc(digits);
    if (!d) {
        err_no_memory();
        return -1;
    }
    size_t k = 0;
    for (const char *q = s; q < end; q++)
        if (*q != '_')
            d[k++] = (unsigned char)digit_value((unsigned char)*q);
    size_t skip = 0;
    while (skip + 1 < k && d[skip] == 0)
        skip++;
    /* log2(36) < 5.17 bits a digit */
    BigInt *b = int_alloc((mp_size_t)((double)(k - skip) * 5.17 / 64) + 2);
    if (!b) {
        free(d);
        return -1;
    }
    mp_size_t limbs = mpn_set_str((mp_limb_t *)b->limbs, d + skip, k - skip, base);
    free(d);
    *out = int_normal(b, limbs, neg);
    return 1;
}

Value int_from_str(const char *s, size_t n, int base) {
    Value v;
    int r = parse(s, n, base, &v);
    if (r > 0)
        return v;
    if (r == 0) {
        Value text = str_from_utf8_lossy(s, n);
        if (text != ABSENT) {
            err_set(&exc_ValueError, "invalid literal for int() with base %d: %R", base, text);
            release(text);
        }
    }
    return ABSENT;
}

/* Decimal digits and spaces of other scripts become ASCII; anything else non-ASCII becomes '?'. malloc'd. */
char *text_to_ascii_digits(Value s, size_t *n) {
    intptr_t len = str_len(s);
    char *out = malloc((size_t)len + 1);
    if (!out) {
        err_no_memory();
        return NULL;
    }
    for (intptr_t i = 0; i < len; i++) {
        uint32_t c = str_at(s, i);
        if (c >= 128) {
            const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
            if (p->category == UTF8PROC_CATEGORY_ND) {
                /* Decimal digits stand in runs of ten that start at a zero. */
                uint32_t z = c;
                int d = 0;
                while (d < 9 && utf8proc_category((utf8proc_int32_t)(z - 1)) == UTF8PROC_CATEGORY_ND && (z & 15) != 0 &&
                       (z & 15) != 6)
                    z--, d++;
                c = (uint32_t)('0' + d);
            } else if (p->category == UTF8PROC_CATEGORY_ZS || c == 0x85 || c == 0x2028 || c == 0x2029) {
                c = ' ';
            } else {
                c = '?';
            }
        }
        out[i] = (char)c;
    }
    out[len] = 0;
    *n = (size_t)len;
    return out;
}

Value int_from_str_obj(Value s, int base) {
    size_t n;
    char *ascii = text_to_ascii_digits(s, &n);
    if (!ascii)
        return ABSENT;
    Value v = ABSENT;
    int r = parse(ascii, n, base, &v);
    free(ascii);
    if (r == 0)
        err_set(&exc_ValueError, "invalid literal for int() with base %d: %R", base, s);
    return r > 0 ? v : ABSENT;
}

char *int_digits(char *end, int64_t i) {
    uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;
    while (u >= 100) {
        unsigned two = (unsigned)(u % 100);
        u /= 100;
        *--end = (char)('0' + two % 10);
        *--end = (char)('0' + two / 10);
    }
    *--end = (char)('0' + u % 10);
    if (u >= 10)
        *--end = (char)('0' + u / 10);
    if (i < 0)
        *--end = '-';
    return end;
}

Value int_to_str(Value v, int base, bool prefix) {
    v = int_plain(v);
    if (v_is_int(v) && base == 10) {
        char buf[INT_DIGITS_MAX], *end = buf + sizeof buf, *p = int_digits(end, v_int(v));
        return str_from_ascii(p, (size_t)(end - p));
    }
    if (v_is_int(v)) {
        char buf[80];
        size_t i = sizeof buf;
        int64_t x = v_int(v);
        uint64_t u = x < 0 ? -(uint64_t)x : (uint64_t)x;
        do {
            buf[--i] = "0123456789abcdef"[u % (unsigned)base];
            u /= (unsigned)base;
        } while (u);
        if (prefix) {
            buf[--i] = base == 16 ? 'x' : base == 8 ? 'o' : 'b';
            buf[--i] = '0';
        }
        if (x < 0)
            buf[--i] = '-';
        return str_from_ascii(buf + i, sizeof buf - i);
    }
    IntView a;
    int_view(v, &a);
    mpz_t z;
    int_mpz_of(&a, z);
    size_t cap = mpz_sizeinbase(z, base) + 5;
    int limit = int_get_max_str_digits();
    if (base == 10 && limit > 0 && cap > (size_t)limit + 6)
        return err_set(
            &exc_ValueError,
            "Exceeds the limit (%d digits) for integer string conversion; use sys.set_int_max_str_digits() to "
            "increase the limit",
            limit);
    char *buf = malloc(cap);
    if (!buf)
        return err_no_memory();
    char *p = buf;
    if (a.neg)
        *p++ = '-';
    if (prefix && base != 10) {
        *p++ = '0';
        *p++ = base == 16 ? 'x' : base == 8 ? 'o' : 'b';
    }
    mpz_t mag;
    mpz_roinit_n(mag, a.p, a.n);
    mpz_get_str(p, base, mag);
    size_t digits = strlen(p);
    Value s;
    if (base == 10 && limit > 0 && digits > (size_t)limit)
        s = err_set(&exc_ValueError,
                    "Exceeds the limit (%d digits) for integer string conversion; use sys.set_int_max_str_digits() to "
                    "increase the limit",
                    limit);
    else
        s = str_from_ascii(buf, (size_t)(p - buf) + digits);
    free(buf);
    return s;
}

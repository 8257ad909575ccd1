#include "object/unicode.h"

#include <utf8proc.h>

#include "object/unicode_impl.h"

const uint8_t unicode_latin1[256] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   16,  16,  16,  16,  16,  0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   16,  16,  16,  16,  48,  32,  32,  32,  32,  32,  32,  32,  32,  32,  32,  32,
    32,  32,  32,  32,  162, 162, 162, 162, 162, 162, 162, 162, 162, 162, 32,  32,  32,  32,  32,  32,  32,  233,
    233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233,
    233, 233, 233, 32,  32,  32,  32,  224, 32,  229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229,
    229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 32,  32,  32,  32,  0,   0,   0,   0,   0,
    0,   16,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   16,  32,  32,  32,  32,  32,  32,  32,  32,  32,  229, 32,  32,  0,   32,  32,
    32,  32,  32,  32,  32,  229, 32,  160, 32,  32,  229, 32,  32,  32,  32,  32,  233, 233, 233, 233, 233, 233,
    233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 233, 32,  233, 233, 233, 233,
    233, 233, 233, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229, 229,
    229, 229, 229, 229, 229, 32,  229, 229, 229, 229, 229, 229, 229, 229,
};

static bool in_ranges(const UnicodeRange *r, size_t n, uint32_t c) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (r[mid].hi < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && r[lo].lo <= c;
}
#define IN(table, c) in_ranges(table, table##_len, c)

static const UnicodeMap *find_map(const UnicodeMap *m, size_t n, uint32_t c) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (m[mid].c < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && m[lo].c == c ? &m[lo] : NULL;
}

int unicode_category(uint32_t c) {
    int cat = (int)utf8proc_category((utf8proc_int32_t)c);
    return cat != UTF8PROC_CATEGORY_CN && IN(unicode_newer, c) ? UTF8PROC_CATEGORY_CN : cat;
}
#define CAT(x) (1u << UTF8PROC_CATEGORY_##x)
#define LETTERS (CAT(LU) | CAT(LL) | CAT(LT) | CAT(LM) | CAT(LO))
#define STARTS (LETTERS | CAT(NL))
#define CONTINUES (STARTS | CAT(MN) | CAT(MC) | CAT(ND) | CAT(PC))
#define UNPRINTABLE (CAT(CC) | CAT(CF) | CAT(CS) | CAT(CO) | CAT(CN) | CAT(ZL) | CAT(ZP) | CAT(ZS))

/* `what` is one bit. */
bool unicode_is_slow(uint32_t c, int what) {
    unsigned cat = 1u << unicode_category(c);
    switch (what) {
    case UC_ALPHA:
        return cat & LETTERS;
    case UC_DIGIT:
        return cat & CAT(ND);
    case UC_LOWER:
        return (cat & CAT(LL)) || IN(unicode_other_lower, c);
    case UC_UPPER:
        return (cat & CAT(LU)) || IN(unicode_other_upper, c);
    case UC_SPACE:
        return c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
               c == 0x205f || c == 0x3000;
    case UC_PRINT:
        return !(cat & UNPRINTABLE);
    case UC_IDSTART:
        return ((cat & STARTS) != 0) != IN(unicode_id_start, c);
    default:
        return ((cat & CONTINUES) != 0) != IN(unicode_id_continue, c);
    }
}

bool unicode_is_title(uint32_t c) {
    return c >= 256 && unicode_category(c) == UTF8PROC_CATEGORY_LT;
}
bool unicode_is_cased(uint32_t c) {
    return unicode_is_lower(c) || unicode_is_upper(c) || unicode_is_title(c);
}
bool unicode_is_case_ignorable(uint32_t c) {
    unsigned cat = 1u << unicode_category(c);
    return ((cat & (CAT(MN) | CAT(ME) | CAT(CF) | CAT(LM) | CAT(SK))) != 0) != IN(unicode_case_ignorable, c);
}
bool unicode_is_line_break(uint32_t c) {
    return (c >= 0xa && c <= 0xd) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

int unicode_decimal(uint32_t c) {
    if (c < 0x80)
        return c - '0' < 10 ? (int)(c - '0') : -1;
    size_t lo = 0, hi = unicode_decimal_zeros_len; /* the first zero above c */
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (unicode_decimal_zeros[mid] <= c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && c - unicode_decimal_zeros[lo - 1] < 10 ? (int)(c - unicode_decimal_zeros[lo - 1]) : -1;
}

static const UnicodeNumber *find_number(uint32_t c) {
    size_t lo = 0, hi = unicode_numbers_len;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (unicode_numbers[mid].hi < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < unicode_numbers_len && unicode_numbers[lo].lo <= c ? &unicode_numbers[lo] : NULL;
}

int unicode_digit(uint32_t c) {
    int d = unicode_decimal(c);
    if (d >= 0 || c < 0x80)
        return d;
    const UnicodeNumber *n = find_number(c);
    return n != NULL && n->is_digit ? (int)(n->num + (c - n->lo)) : -1;
}

bool unicode_numeric(uint32_t c, int64_t *num, int32_t *den) {
    int d = unicode_decimal(c);
    if (d >= 0) {
        *num = d, *den = 1;
        return true;
    }
    const UnicodeNumber *n = c < 0x80 ? NULL : find_number(c);
    if (n == NULL)
        return false;
    *num = n->num + (c - n->lo), *den = n->den;
    return true;
}

bool unicode_is_numeric(uint32_t c) {
    int64_t num;
    int32_t den;
    return unicode_numeric(c, &num, &den);
}

/* Of a mapping to several code points the first one, as CPython has it. */
#define SIMPLE(name, table, function, ascii)                                   \
    uint32_t name(uint32_t c) {                                                \
        if (c < 0x80)                                                          \
            return ascii;                                                      \
        const UnicodeMap *m = find_map(table, table##_len, c);                 \
        return m != NULL ? m->to[0] : (uint32_t)function((utf8proc_int32_t)c); \
    }
SIMPLE(unicode_lower1, unicode_lower, utf8proc_tolower, c - 'A' < 26 ? c + 32 : c)
SIMPLE(unicode_upper1, unicode_upper, utf8proc_toupper, c - 'a' < 26 ? c - 32 : c)
SIMPLE(unicode_title1, unicode_title, utf8proc_totitle, c - 'a' < 26 ? c - 32 : c)

static int mapped(const UnicodeMap *m, uint32_t out[3]) {
    int n = 0;
    while (n < 3 && m->to[n] != 0) {
        out[n] = m->to[n];
        n++;
    }
    return n;
}

#define FULL(name, table, simple)                                                \
    int name(uint32_t c, uint32_t out[3]) {                                      \
        const UnicodeMap *m = c < 0x80 ? NULL : find_map(table, table##_len, c); \
        if (m != NULL)                                                           \
            return mapped(m, out);                                               \
        out[0] = simple(c);                                                      \
        return 1;                                                                \
    }
FULL(unicode_to_lower, unicode_lower, unicode_lower1)
FULL(unicode_to_upper, unicode_upper, unicode_upper1)
FULL(unicode_to_title, unicode_title, unicode_title1)
int unicode_to_folded(uint32_t c, uint32_t out[3]) {
    const UnicodeMap *m = c < 0x80 ? NULL : find_map(unicode_fold, unicode_fold_len, c);
    return m != NULL ? mapped(m, out) : unicode_to_lower(c, out);
}

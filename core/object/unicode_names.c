/* Names of characters: those that follow from the code point by rule. */
#include "object/unicode.h"

static const char *const jamo_l[] = {"G",  "GG", "N", "D",  "DD", "R", "M", "B", "BB", "S",
                                     "SS", "",   "J", "JJ", "C",  "K", "T", "P", "H"};
static const char *const jamo_v[] = {"A",  "AE", "YA", "YAE", "EO", "E",  "YEO", "YE", "O",  "WA", "WAE",
                                     "OE", "YO", "U",  "WEO", "WE", "WI", "YU",  "EU", "YI", "I"};
static const char *const jamo_t[] = {"",   "G",  "GG", "GS", "N",  "NJ", "NH", "D",  "L", "LG", "LM", "LB", "LS", "LT",
                                     "LP", "LH", "M",  "B",  "BS", "S",  "SS", "NG", "J", "C",  "K",  "T",  "P",  "H"};
static const struct {
    uint32_t lo, hi;
    const char *prefix;
} ideographs[] = {
    {0x3400, 0x4dbf, "CJK UNIFIED IDEOGRAPH-"},       {0x4e00, 0x9fff, "CJK UNIFIED IDEOGRAPH-"},
    {0xf900, 0xfa6d, "CJK COMPATIBILITY IDEOGRAPH-"}, {0xfa70, 0xfad9, "CJK COMPATIBILITY IDEOGRAPH-"},
    {0x17000, 0x187f7, "TANGUT IDEOGRAPH-"},          {0x18d00, 0x18d08, "TANGUT IDEOGRAPH-"},
    {0x1b170, 0x1b2fb, "NUSHU CHARACTER-"},           {0x18b00, 0x18cd5, "KHITAN SMALL SCRIPT CHARACTER-"},
    {0x20000, 0x2a6df, "CJK UNIFIED IDEOGRAPH-"},     {0x2a700, 0x2b738, "CJK UNIFIED IDEOGRAPH-"},
    {0x2b740, 0x2b81d, "CJK UNIFIED IDEOGRAPH-"},     {0x2b820, 0x2cea1, "CJK UNIFIED IDEOGRAPH-"},
    {0x2ceb0, 0x2ebe0, "CJK UNIFIED IDEOGRAPH-"},     {0x2f800, 0x2fa1d, "CJK COMPATIBILITY IDEOGRAPH-"},
    {0x30000, 0x3134a, "CJK UNIFIED IDEOGRAPH-"},
};

static bool by_rule(uint32_t c, char *out, size_t room) {
    if (c >= 0xac00 && c < 0xac00 + 11172) {
        uint32_t s = c - 0xac00;
        snprintf(out, room, "HANGUL SYLLABLE %s%s%s", jamo_l[s / 588], jamo_v[s / 28 % 21], jamo_t[s % 28]);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(ideographs); i++)
        if (c >= ideographs[i].lo && c <= ideographs[i].hi) {
            snprintf(out, room, "%s%04X", ideographs[i].prefix, c);
            return true;
        }
    return false;
}

bool unicode_name(uint32_t c, char *out, size_t room) {
    return by_rule(c, out, room);
}

/* The longest of the syllables at p; its index, or -1. */
static int take_jamo(const char **p, const char *end, const char *const *names, int n) {
    int best = -1;
    size_t best_len = 0;
    for (int i = 0; i < n; i++) {
        size_t k = strlen(names[i]);
        if (k <= (size_t)(end - *p) && memcmp(*p, names[i], k) == 0 && (best < 0 || k > best_len)) {
            best = i;
            best_len = k;
        }
    }
    if (best >= 0)
        *p += best_len;
    return best;
}

int32_t unicode_lookup(const char *name, size_t n) {
    char buf[128], check[128];
    if (n >= sizeof(buf))
        return -1;
    for (size_t i = 0; i < n; i++)
        buf[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    buf[n] = '\0';
    static const char hangul[] = "HANGUL SYLLABLE ";
    if (strncmp(buf, hangul, sizeof(hangul) - 1) == 0) {
        const char *p = buf + sizeof(hangul) - 1, *end = buf + n;
        int l = take_jamo(&p, end, jamo_l, 19), v = take_jamo(&p, end, jamo_v, 21), t = take_jamo(&p, end, jamo_t, 28);
        return l >= 0 && v >= 0 && t >= 0 && p == end ? 0xac00 + (l * 21 + v) * 28 + t : -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(ideographs); i++) {
        size_t k = strlen(ideographs[i].prefix);
        if (strncmp(buf, ideographs[i].prefix, k) == 0 && n - k >= 4 && n - k <= 5) {
            char *stop;
            unsigned long c = strtoul(buf + k, &stop, 16);
            if (*stop == '\0' && by_rule((uint32_t)c, check, sizeof(check)) && strcmp(check, buf) == 0)
                return (int32_t)c;
        }
    }
    return -1;
}

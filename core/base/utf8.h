/* UTF-8: one code point at a time, and scanning whole buffers. Strict: no surrogates, no overlong forms, nothing beyond
 * 10FFFF. */
#ifndef POLYGIL_UTF8_H
#define POLYGIL_UTF8_H

#include "base/base.h"

/* Bytes of the sequence at s (1 to 4), its code point in *c; 0 when it is not valid or cut off. n > 0. */
static inline int utf8_decode1(const uint8_t *s, size_t n, uint32_t *c) {
    uint32_t b = s[0];
    if (b < 0x80) {
        *c = b;
        return 1;
    }
    if (b < 0xc2 || n < 2 || (s[1] & 0xc0) != 0x80)
        return 0;
    if (b < 0xe0) {
        *c = (b & 0x1f) << 6 | (s[1] & 0x3fu);
        return 2;
    }
    if (n < 3 || (s[2] & 0xc0) != 0x80)
        return 0;
    if (b < 0xf0) {
        uint32_t r = (b & 0xf) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
        if (r < 0x800 || (r >= 0xd800 && r < 0xe000))
            return 0;
        *c = r;
        return 3;
    }
    if (b > 0xf4 || n < 4 || (s[3] & 0xc0) != 0x80)
        return 0;
    uint32_t r = (b & 7) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
    if (r < 0x10000 || r > 0x10ffff)
        return 0;
    *c = r;
    return 4;
}

/* Writes 1 to 4 bytes; surrogates as three bytes. */
static inline int utf8_encode1(uint8_t *p, uint32_t c) {
    if (c < 0x80) {
        p[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (uint8_t)(0xc0 | c >> 6), p[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (uint8_t)(0xe0 | c >> 12), p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f)), p[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    p[0] = (uint8_t)(0xf0 | c >> 18), p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f)), p[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* Length of the leading part that is ASCII. */
static inline size_t ascii_prefix(const uint8_t *s, size_t n) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        uint64_t a, b;
        memcpy(&a, s + i, 8);
        memcpy(&b, s + i + 8, 8);
        if ((a | b) & 0x8080808080808080)
            break;
    }
    while (i < n && s[i] < 0x80)
        i++;
    return i;
}

/* Offset of the first byte that is not valid, or n. *count: code points before it; *max: the bitwise or of them. */
size_t utf8_scan(const uint8_t *s, size_t n, size_t *count, uint32_t *max);

#endif

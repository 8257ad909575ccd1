#include "base/utf8.h"

size_t utf8_scan(const uint8_t *s, size_t n, size_t *count, uint32_t *max) {
    size_t i = ascii_prefix(s, n), k = i;
    uint32_t m = i > 0 ? 0x7f : 0, c;
    while (i < n) {
        if (s[i] < 0x80) {
            size_t a = ascii_prefix(s + i, n - i);
            i += a, k += a, m |= 0x7f;
            continue;
        }
        int len = utf8_decode1(s + i, n - i, &c);
        if (len == 0)
            break;
        i += (size_t)len, k++, m |= c;
    }
    *count = k;
    *max = m;
    return i;
}

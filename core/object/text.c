#include "object/text.h"

intptr_t text_find_item(const void *h, intptr_t n, uint32_t c, int kind, int dir) {
    if (kind == 1) {
        if (c > 0xff || n <= 0)
            return -1;
        const char *r = dir > 0 ? memchr(h, (int)c, (size_t)n) : memrchr(h, (int)c, (size_t)n);
        return r == NULL ? -1 : r - (const char *)h;
    }
    if (kind == 2) {
        const uint16_t *p = h;
        if (c > 0xffff)
            return -1;
        if (dir > 0) {
            for (intptr_t i = 0; i < n; i++)
                if (p[i] == c)
                    return i;
        } else
            for (intptr_t i = n - 1; i >= 0; i--)
                if (p[i] == c)
                    return i;
        return -1;
    }
    const uint32_t *p = h;
    if (dir > 0) {
        for (intptr_t i = 0; i < n; i++)
            if (p[i] == c)
                return i;
    } else
        for (intptr_t i = n - 1; i >= 0; i--)
            if (p[i] == c)
                return i;
    return -1;
}

static uint32_t item(const void *d, int kind, intptr_t i) {
    return kind == 1 ? ((const uint8_t *)d)[i] : kind == 2 ? ((const uint16_t *)d)[i] : ((const uint32_t *)d)[i];
}

/* From the end: Horspool's skip on the first item, which is what the window's other end meets. */
static intptr_t find_last(const char *h, intptr_t n, const char *p, intptr_t m, int kind) {
    intptr_t skip[256];
    for (int i = 0; i < 256; i++)
        skip[i] = m;
    for (intptr_t i = m - 1; i > 0; i--)
        skip[item(p, kind, i) & 255] = i;
    for (intptr_t i = n - m; i >= 0;) {
        if (memcmp(h + i * kind, p, (size_t)(m * kind)) == 0)
            return i;
        i -= skip[item(h, kind, i) & 255];
    }
    return -1;
}

intptr_t text_find(const void *h, intptr_t n, const void *p, intptr_t m, int kind, int dir) {
    if (m > n)
        return -1;
    if (m == 0)
        return dir > 0 ? 0 : n;
    if (m == 1)
        return text_find_item(h, n, item(p, kind, 0), kind, dir);
    if (dir < 0)
        return find_last(h, n, p, m, kind);
    const char *at = h, *end = at + n * kind;
    if (kind == 1 && m <= 16) {
        /* Short needles: by the first byte, as long as it is rare; a text full of false starts goes to memmem. */
        const char *q = p, *last = end - m;
        for (intptr_t tries = 0; at <= last; at++) {
            at = memchr(at, *q, (size_t)(last - at) + 1);
            if (at == NULL)
                return -1;
            if (at[1] == q[1] && memcmp(at + 1, q + 1, (size_t)m - 1) == 0)
                return at - (const char *)h;
            if (++tries > 16 && tries * 12 > at - (const char *)h) {
                at++;
                break;
            }
        }
        if (at > last)
            return -1;
    }
    /* memmem is linear (two-way). For wider items a match at an odd byte is no match. */
    for (;;) {
        const char *r = memmem(at, (size_t)(end - at), p, (size_t)(m * kind));
        if (r == NULL)
            return -1;
        intptr_t off = r - (const char *)h;
        if (off % kind == 0)
            return off / kind;
        at = r + (kind - off % kind);
    }
}

intptr_t text_count(const void *h, intptr_t n, const void *p, intptr_t m, int kind, intptr_t max) {
    intptr_t count = 0;
    if (m == 0)
        return n < 0 ? 0 : MIN(n + 1, max);
    const char *at = h;
    while (count < max) {
        intptr_t i = text_find(at, n, p, m, kind, 1);
        if (i < 0)
            break;
        count++;
        at += (i + m) * kind;
        n -= i + m;
    }
    return count;
}

static int range_arg(Value v, intptr_t *out) {
    if (v == ABSENT || v == V_NONE)
        return 0;
    if (v_is_int(v)) {
        *out = v_int(v);
        return 0;
    }
    if (!v_is_index(v)) {
        err_set(&exc_TypeError, "slice indices must be integers or None or have an __index__ method");
        return -1;
    }
    return num_as_index(v, out, NULL);
}

int text_range(Value start, Value end, intptr_t len, intptr_t *lo, intptr_t *hi) {
    *lo = 0;
    *hi = len;
    if (range_arg(start, lo) < 0 || range_arg(end, hi) < 0)
        return -1;
    if (*hi > len)
        *hi = len;
    else if (*hi < 0)
        *hi = MAX(*hi + len, 0);
    if (*lo < 0)
        *lo = MAX(*lo + len, 0);
    return 0;
}

int text_size_arg(Value v, intptr_t dflt, intptr_t *out) {
    *out = dflt;
    if (v == ABSENT)
        return 0;
    if (v_is_int(v)) {
        *out = v_int(v);
        return 0;
    }
    return num_as_index(v, out, &exc_OverflowError);
}

bool text_arg_count(const char *fn, intptr_t nargs, intptr_t min, intptr_t max) {
    if (LIKELY(nargs >= min && nargs <= max))
        return true;
    intptr_t want = nargs < min ? min : max;
    err_set(&exc_TypeError, "%s() takes at %s %zd argument%s (%zd given)", fn, nargs < min ? "least" : "most", want,
            want == 1 ? "" : "s", nargs);
    return false;
}

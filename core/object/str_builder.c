/* StrBuilder: see str.h. A large result is not copied: the builder's block becomes the str's. */
#include <stdarg.h>

#include "base/utf8.h"
#include "heap.h"
#include "object/str_impl.h"

#define ADOPT_MIN 4096

void sb_init(StrBuilder *b) {
    b->data = b->small;
    b->len = 0;
    b->cap = sizeof(b->small);
    b->kind = 1;
    b->failed = b->non_ascii = false;
}

static bool is_small(const StrBuilder *b) {
    return b->data == (void *)b->small;
}
static StrBuf *buf_of(const StrBuilder *b) {
    return CONTAINER_OF(b->data, StrBuf, data);
}

void sb_free(StrBuilder *b) {
    if (!is_small(b))
        heap_block_free(buf_of(b));
    b->data = b->small;
    b->len = 0;
}

void sb_grow_slow(StrBuilder *b, size_t extra, int kind) {
    if (b->failed)
        return;
    kind = MAX(kind, b->kind);
    size_t need = b->len + extra, cap = b->cap;
    if (kind != b->kind && is_small(b))
        cap = sizeof(b->small) / (size_t)kind;
    if (need > cap || (kind != b->kind && !is_small(b)))
        cap = MAX(need + need / 2 + 16, cap);
    else if (is_small(b)) { /* widen in place, from behind */
        uint8_t old[sizeof(b->small)];
        memcpy(old, b->small, b->len * (size_t)b->kind);
        str_copy_kind(b->small, kind, old, b->kind, b->len);
        b->kind = kind;
        b->cap = cap;
        return;
    }
    if (extra > ((size_t)1 << 55) || need > ((size_t)1 << 55)) {
        b->failed = true;
        return;
    }
    if (kind == b->kind && !is_small(b)) {
        StrBuf *n = heap_block_resize(buf_of(b), sizeof(StrBuf) + cap * (size_t)kind);
        if (n == NULL) {
            b->failed = true;
            return;
        }
        n->cap = cap * (size_t)kind;
        b->data = n->data;
        b->cap = cap;
        return;
    }
    StrBuf *n = strbuf_new(cap * (size_t)kind);
    if (n == NULL) {
        b->failed = true;
        return;
    }
    str_copy_kind(n->data, kind, b->data, b->kind, b->len);
    if (!is_small(b))
        heap_block_free(buf_of(b));
    b->data = n->data;
    b->cap = cap;
    b->kind = kind;
}

void sb_char_slow(StrBuilder *b, uint32_t c) {
    if (c >= 0x80)
        b->non_ascii = true;
    if (sb_room(b, 1, str_kind_for(c)))
        str_put_kind(b->data, b->kind, (intptr_t)b->len++, c);
}

/* `kind` and `non_ascii` are what the n code points really need. */
static void put(StrBuilder *b, const void *data, int skind, size_t n, int kind, bool non_ascii) {
    b->non_ascii |= non_ascii;
    if (n == 0 || !sb_room(b, n, kind))
        return;
    str_copy_kind((char *)b->data + b->len * (size_t)b->kind, b->kind, data, skind, n);
    b->len += n;
}

void sb_str(StrBuilder *b, Value s) {
    put(b, str_data(s), str_kind(s), (size_t)str_len(s), str_kind(s), !str_is_ascii(s));
}

void sb_kind(StrBuilder *b, const void *data, int kind, size_t n) {
    if (kind == 1 && b->non_ascii) {
        put(b, data, 1, n, 1, true);
        return;
    }
    uint32_t m = str_or_kind(data, kind, n);
    put(b, data, kind, n, str_kind_for(m), m >= 0x80);
}

void sb_substr(StrBuilder *b, Value s, intptr_t lo, intptr_t hi) {
    if (lo < 0)
        lo = 0;
    hi = MIN(hi, str_len(s));
    if (lo >= hi)
        return;
    int kind = str_kind(s);
    const char *p = (const char *)str_data(s) + lo * kind;
    if (str_is_ascii(s))
        put(b, p, 1, (size_t)(hi - lo), 1, false);
    else
        sb_kind(b, p, kind, (size_t)(hi - lo));
}

void sb_fill(StrBuilder *b, uint32_t c, intptr_t n) {
    if (n <= 0)
        return;
    if (c >= 0x80)
        b->non_ascii = true;
    if (!sb_room(b, (size_t)n, str_kind_for(c)))
        return;
    if (b->kind == 1)
        memset((char *)b->data + b->len, (int)c, (size_t)n);
    else
        for (intptr_t i = 0; i < n; i++)
            str_put_kind(b->data, b->kind, (intptr_t)b->len + i, c);
    b->len += (size_t)n;
}

void sb_ascii(StrBuilder *b, const char *s, size_t n) {
    put(b, s, 1, n, 1, false);
}
void sb_cstr(StrBuilder *b, const char *s) {
    put(b, s, 1, strlen(s), 1, false);
}

void sb_utf8(StrBuilder *b, const char *s, size_t n) {
    const uint8_t *p = (const uint8_t *)s;
    size_t count;
    uint32_t max;
    if (utf8_scan(p, n, &count, &max) < n)
        fatal("not UTF-8");
    if (count == 0 || !sb_room(b, count, str_kind_for(max)))
        return;
    b->non_ascii |= max >= 0x80;
    str_fill_utf8((char *)b->data + b->len * (size_t)b->kind, b->kind, p, n);
    b->len += count;
}

void sb_printf(StrBuilder *b, const char *fmt, ...) {
    char buf[256];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(buf, sizeof(buf), fmt, ap);
    if (n < (int)sizeof(buf))
        sb_ascii(b, buf, (size_t)MAX(n, 0));
    else {
        char *p = malloc((size_t)n + 1);
        if (p == NULL)
            b->failed = true;
        else {
            vsnprintf(p, (size_t)n + 1, fmt, again);
            sb_ascii(b, p, (size_t)n);
            free(p);
        }
    }
    va_end(again);
    va_end(ap);
}

Value sb_finish(StrBuilder *b) {
    if (UNLIKELY(b->failed)) {
        sb_free(b);
        return err_no_memory();
    }
    size_t bytes = b->len * (size_t)b->kind;
    if (!is_small(b) && bytes >= ADOPT_MIN) {
        StrBuf *buf = buf_of(b);
        if (buf->cap - bytes > bytes / 4) {
            StrBuf *cut = heap_block_resize(buf, sizeof(StrBuf) + bytes);
            if (cut != NULL)
                (buf = cut)->cap = bytes;
        }
        STORE_RELAXED(&buf->used, bytes);
        size_t len = b->len;
        b->data = b->small;
        return str_from_strbuf(buf, len, b->kind, !b->non_ascii ? STR_ASCII : 0);
    }
    Value v;
    if (b->len <= 1)
        v = b->len == 0 ? str_empty() : str_from_char(str_at_kind(b->data, b->kind, 0));
    else {
        v = str_alloc(b->len, b->kind == 1 ? (b->non_ascii ? 0xff : 0x7f) : b->kind == 2 ? 0xffff : 0x10ffff);
        if (v != ABSENT)
            memcpy(str_data(v), b->data, bytes);
    }
    sb_free(b);
    return v;
}

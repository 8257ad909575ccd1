/* The core of bytes: making, views of bytes-like objects, the builder. The methods are in bytes_methods.c, the type in
 * bytes_type.c. */
#include "object/bytes.h"

#include "heap.h"
#include "object/str.h"

#define BASIC (sizeof(Bytes) + sizeof(char *))

static Value alloc_immortal(size_t n) {
    Bytes *b = calloc(1, MAX(BASIC, offsetof(Bytes, data) + n + 1));
    if (b == NULL)
        fatal("out of memory");
    STORE_RELAXED(&b->hdr.index, IDX_BYTES);
    obj_set_immortal(&b->hdr);
    b->len_ext = n << 1;
    return V_OF(b);
}

static Value empty, single[256];
static void bootstrap(void) {
    for (int i = 0; i < 256; i++) {
        single[i] = alloc_immortal(1);
        ((Bytes *)single[i])->data[0] = (char)i;
    }
    empty = alloc_immortal(0);
}

Value bytes_empty(void) {
    if (UNLIKELY(empty == ABSENT))
        bootstrap();
    return empty;
}

Value bytes_from(const char *s, size_t n) {
    if (n == 0)
        return bytes_empty();
    if (n == 1 && s != NULL) {
        bytes_empty();
        return single[(uint8_t)*s];
    }
    if (UNLIKELY(n > (size_t)1 << 60))
        return err_no_memory();
    size_t size = offsetof(Bytes, data) + n + 1;
    Value v = obj_new_sized(&bytes_type, size > BASIC ? size - BASIC : 0);
    if (UNLIKELY(v == ABSENT))
        return ABSENT;
    ((Bytes *)v)->len_ext = n << 1;
    if (s != NULL)
        memcpy(((Bytes *)v)->data, s, n);
    return v;
}

Value bytes_shrink(Value v, size_t n) {
    Bytes *b = (Bytes *)v;
    size_t old = b->len_ext >> 1;
    if (n == old)
        return v;
    if (n < 2 || old - n > n / 4 + 32) {
        Value r = bytes_from(b->data, n);
        release(v);
        return r;
    }
    b->len_ext = n << 1;
    b->data[n] = '\0';
    return v;
}

/* ---- views ---- */

int view_open(ByteView *w, Value v) {
    w->copy = NULL;
    w->pinned = false;
    if (LIKELY(v_is_bytes(v))) {
        w->p = bytes_data(v);
        w->n = bytes_len(v);
        return 0;
    }
    if (v_is_bytearray(v)) {
        ByteArray *a = (ByteArray *)v;
        if (excl_alone(v)) {
            w->p = a->block == NULL ? "" : a->block + a->start;
            w->n = (intptr_t)a->len;
            return 0;
        }
        for (size_t room = 64;;) { /* the copy's size is known only inside the section, and memory only outside */
            char *copy = malloc(room);
            if (copy == NULL) {
                err_no_memory();
                return -1;
            }
            ExclCs cs;
            excl_cs_begin(&cs, v);
            size_t n = a->len;
            if (n < room) {
                if (n > 0)
                    memcpy(copy, a->block + a->start, n);
                copy[n] = '\0';
            }
            excl_cs_end(&cs);
            if (n < room) {
                w->copy = copy;
                w->p = copy;
                w->n = (intptr_t)n;
                return 0;
            }
            free(copy);
            room = n + n / 8 + 64;
        }
    }
    if (buffer_get(v, &w->buffer, false) < 0)
        return -1;
    w->pinned = true;
    w->p = w->buffer.data;
    w->n = w->buffer.len;
    return 0;
}

void view_close(ByteView *w) {
    free(w->copy);
    if (w->pinned)
        buffer_release(&w->buffer);
}

/* ---- builder ---- */

void bb_init(BytesBuilder *b) {
    b->data = b->small;
    b->len = 0;
    b->cap = sizeof(b->small);
    b->failed = false;
}

void bb_free(BytesBuilder *b) {
    if (b->data != b->small)
        free(b->data);
    b->data = b->small;
    b->len = 0;
}

bool bb_grow_slow(BytesBuilder *b, size_t extra) {
    size_t cap;
    if (b->failed || __builtin_add_overflow(b->len, extra, &cap) || cap > (size_t)1 << 60) {
        b->failed = true;
        return false;
    }
    cap += cap / 2;
    char *d = b->data == b->small ? malloc(cap) : realloc(b->data, cap);
    if (d == NULL) {
        b->failed = true;
        return false;
    }
    if (b->data == b->small)
        memcpy(d, b->small, b->len);
    b->data = d;
    b->cap = cap;
    return true;
}

void bb_bytes(BytesBuilder *b, const void *p, size_t n) {
    if (n == 0 || !bb_room(b, n))
        return;
    memcpy(b->data + b->len, p, n);
    b->len += n;
}

void bb_fill(BytesBuilder *b, int c, intptr_t n) {
    if (n <= 0 || !bb_room(b, (size_t)n))
        return;
    memset(b->data + b->len, c, (size_t)n);
    b->len += (size_t)n;
}

Value bb_finish(BytesBuilder *b) {
    Value v = b->failed ? err_no_memory() : bytes_from(b->data, b->len);
    bb_free(b);
    return v;
}
Value bb_finish_bytearray(BytesBuilder *b) {
    Value v = b->failed ? err_no_memory() : bytearray_from(b->data, b->len);
    bb_free(b);
    return v;
}

/* ---- small operations ---- */

Value bytes_concat(Value a, Value b) {
    ByteView x, y;
    if (view_open(&x, a) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (view_open(&y, b) == 0) {
        r = bytes_from(NULL, (size_t)(x.n + y.n));
        if (r != ABSENT && x.n + y.n > 0) {
            memcpy(bytes_data(r), x.p, (size_t)x.n);
            memcpy(bytes_data(r) + x.n, y.p, (size_t)y.n);
        }
        view_close(&y);
    }
    view_close(&x);
    return r;
}

Value bytes_repr(const char *p, size_t n) {
    StrBuilder b;
    sb_init(&b);
    uint8_t quote = memchr(p, '\'', n) != NULL && memchr(p, '"', n) == NULL ? '"' : '\'';
    sb_char(&b, 'b');
    sb_char(&b, quote);
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)p[i];
        if (c == quote || c == '\\') {
            sb_char(&b, '\\');
            sb_char(&b, c);
        } else if (c >= 0x20 && c < 0x7f)
            sb_char(&b, c);
        else if (c == '\n' || c == '\r' || c == '\t') {
            sb_char(&b, '\\');
            sb_char(&b, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        } else {
            sb_cstr(&b, "\\x");
            sb_char(&b, (uint8_t)"0123456789abcdef"[c >> 4]);
            sb_char(&b, (uint8_t)"0123456789abcdef"[c & 15]);
        }
    }
    sb_char(&b, (uint8_t)quote);
    return sb_finish(&b);
}

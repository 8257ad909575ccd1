/* The core of str: making, interning, hashing, comparing, concatenating. See str.h for the layout. */
#include "object/str.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "heap.h"
#include "object/bytes.h"
#include "object/codec.h"
#include "object/str_impl.h"

#define BASIC (sizeof(Str) + sizeof(StrBuf *)) /* str_type's basic_size: an external str */
#define OWN_STATE(n, kind, flags) ((uint64_t)(n) << STR_LEN_SHIFT | (uint64_t)(kind) | (flags))

/* ---- making ---- */

/* An immortal inline str, outside the heap; works before the types exist. */
static Value alloc_immortal(size_t n, int kind, bool ascii) {
    size_t size = MAX(offsetof(Str, data) + (n + 1) * (size_t)kind, BASIC);
    Str *s = calloc(1, (size + 7) & ~(size_t)7);
    if (s == NULL)
        fatal("out of memory");
    STORE_RELAXED(&s->hdr.index, IDX_STR);
    obj_set_immortal(&s->hdr);
    STORE_RELAXED(&s->len_state, OWN_STATE(n, kind, ascii ? STR_ASCII : 0));
    return V_OF(s);
}

/* spare: bytes of room behind the text. */
static ALWAYS_INLINE Value alloc_roomy(size_t n, int kind, uint32_t flags, size_t spare) {
    if (UNLIKELY(n > ((size_t)1 << 55)))
        return err_no_memory();
    size_t size = offsetof(Str, data) + (n + 1) * (size_t)kind + spare;
    size = MAX(size, BASIC);
    Object *o = heap_alloc_leaf(size);
    Value v = V_OF(o);
    if (LIKELY(o != NULL)) {
        count_init(o);
        STORE_RELAXED(&((Str *)o)->hash, 0);
        memset(((Str *)o)->data + n * (size_t)kind, 0, (size_t)kind);
        STORE_RELAXED(&((Str *)o)->len_state, OWN_STATE(n, kind, flags));
        STORE_RELEASE(&o->index, IDX_STR);
        return v;
    }
    v = obj_new_sized(&str_type, size - BASIC);
    if (UNLIKELY(v == ABSENT))
        return ABSENT;
    STORE_RELAXED(&((Str *)v)->len_state, OWN_STATE(n, kind, flags));
    return v;
}
static Value alloc_inline(size_t n, int kind, uint32_t flags) {
    return alloc_roomy(n, kind, flags, 0);
}

StrBuf *strbuf_new(size_t cap) {
    StrBuf *b = heap_block(sizeof(StrBuf) + cap);
    if (b == NULL)
        return NULL;
    STORE_RELAXED(&b->refs, 1);
    STORE_RELAXED(&b->used, cap);
    b->cap = cap;
    return b;
}

static void strbuf_release(StrBuf *b) {
    if (LOAD_RELAXED(&b->refs) == 1 || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        heap_block_free(b);
}

/* An external str over b; steals one reference to b, also on failure. */
Value str_from_strbuf(StrBuf *b, size_t n, int kind, uint32_t flags) {
    Value v = obj_new(&str_type);
    if (UNLIKELY(v == ABSENT)) {
        strbuf_release(b);
        return ABSENT;
    }
    *(StrBuf **)((Str *)v + 1) = b;
    STORE_RELAXED(&((Str *)v)->len_state, OWN_STATE(n, kind, flags | STR_EXTERNAL));
    return v;
}

static Value empty_str;
Value str_latin1_chars[256];

static void bootstrap(void) {
    for (int i = 0; i < 256; i++) {
        str_latin1_chars[i] = alloc_immortal(1, 1, i < 0x80);
        ((Str *)str_latin1_chars[i])->data[0] = (uint8_t)i;
    }
    empty_str = alloc_immortal(0, 1, true);
}

Value str_empty(void) {
    if (UNLIKELY(empty_str == ABSENT))
        bootstrap();
    return empty_str;
}

Value str_from_char(uint32_t c) {
    if (LIKELY(c < 256)) {
        if (UNLIKELY(empty_str == ABSENT))
            bootstrap();
        return str_latin1_chars[c];
    }
    Value v = alloc_inline(1, str_kind_for(c), 0);
    if (v != ABSENT)
        str_put_kind(((Str *)v)->data, str_kind_for(c), 0, c);
    return v;
}

Value str_alloc(size_t n, uint32_t max) {
    if (n == 0)
        return str_empty();
    return alloc_inline(n, str_kind_for(max), max < 0x80 ? STR_ASCII : 0);
}

uint32_t str_or_kind(const void *data, int kind, size_t n) {
    uint32_t m = 0;
    size_t i = 0;
    if (kind == 1) {
        const uint8_t *p = data;
        return ascii_prefix(p, n) == n ? (n > 0 ? 0x7f : 0) : 0xff;
    }
    if (kind == 2) {
        const uint16_t *p = data;
        for (; i < n; i++)
            m |= p[i];
        return m;
    }
    const uint32_t *p = data;
    for (; i < n; i++)
        m |= p[i];
    return m;
}

void str_copy_kind(void *dst, int dkind, const void *src, int skind, size_t n) {
    if (dkind == skind) {
        memcpy(dst, src, n * (size_t)dkind);
        return;
    }
    if (dkind == 2 && skind == 1) {
        uint16_t *d = dst;
        const uint8_t *s = src;
        for (size_t i = 0; i < n; i++)
            d[i] = s[i];
    } else if (dkind == 4 && skind == 1) {
        uint32_t *d = dst;
        const uint8_t *s = src;
        for (size_t i = 0; i < n; i++)
            d[i] = s[i];
    } else if (dkind == 4) {
        uint32_t *d = dst;
        const uint16_t *s = src;
        for (size_t i = 0; i < n; i++)
            d[i] = s[i];
    } else if (dkind == 1 && skind == 2) {
        uint8_t *d = dst;
        const uint16_t *s = src;
        for (size_t i = 0; i < n; i++)
            d[i] = (uint8_t)s[i];
    } else if (dkind == 1) {
        uint8_t *d = dst;
        const uint32_t *s = src;
        for (size_t i = 0; i < n; i++)
            d[i] = (uint8_t)s[i];
    } else {
        uint16_t *d = dst;
        const uint32_t *s = src;
        for (size_t i = 0; i < n; i++)
            d[i] = (uint16_t)s[i];
    }
}

Value str_from_kind(const void *data, int kind, size_t n) {
    if (n == 0)
        return str_empty();
    if (n == 1)
        return str_from_char(str_at_kind(data, kind, 0));
    Value v = str_alloc(n, str_or_kind(data, kind, n));
    if (v != ABSENT)
        str_copy_kind(((Str *)v)->data, str_kind(v), data, kind, n);
    return v;
}

Value str_from_ascii(const char *s, size_t n) {
    if (n <= 1)
        return n == 0 ? str_empty() : str_from_char((uint8_t)s[0]);
    Value v = alloc_inline(n, 1, STR_ASCII);
    if (LIKELY(v != ABSENT))
        memcpy(((Str *)v)->data, s, n);
    return v;
}

Value str_from_latin1(const void *s, size_t n) {
    return str_from_kind(s, 1, n);
}

/* Decodes valid UTF-8 of `count` code points. */
void str_fill_utf8(void *d, int kind, const uint8_t *p, size_t n) {
    size_t i = 0, k = 0;
    uint32_t c = 0;
    while (i < n) {
        if (p[i] < 0x80) {
            str_put_kind(d, kind, (intptr_t)k++, p[i++]);
            continue;
        }
        i += (size_t)utf8_decode1(p + i, n - i, &c);
        str_put_kind(d, kind, (intptr_t)k++, c);
    }
}

Value str_from_utf8(const char *s, size_t n) {
    const uint8_t *p = (const uint8_t *)s;
    size_t a = ascii_prefix(p, n), count;
    if (a == n)
        return str_from_ascii(s, n);
    uint32_t max;
    if (utf8_scan(p, n, &count, &max) < n)
        return codec_utf8_decode(s, n, NULL, true, NULL);
    if (count == 1) {
        uint32_t c = 0;
        utf8_decode1(p, n, &c);
        return str_from_char(c);
    }
    Value v = str_alloc(count, max);
    if (v != ABSENT)
        str_fill_utf8(((Str *)v)->data, str_kind(v), p, n);
    return v;
}

Value str_from_utf8_lossy(const char *s, size_t n) {
    const uint8_t *p = (const uint8_t *)s;
    size_t count;
    uint32_t max, c;
    if (utf8_scan(p, n, &count, &max) == n)
        return str_from_utf8(s, n);
    StrBuilder b;
    sb_init(&b);
    for (size_t i = 0; i < n;) {
        int len = utf8_decode1(p + i, n - i, &c);
        if (len == 0)
            c = 0xdc00 + p[i], len = 1;
        sb_char(&b, c);
        i += (size_t)len;
    }
    return sb_finish(&b);
}

Value str_from_c(const char *s) {
    return str_from_utf8_lossy(s, strlen(s));
}
Value str_decode_fs(const char *s, size_t n) {
    return str_from_utf8_lossy(s, n);
}

Value str_exact(Value s) {
    if (LIKELY(v_is_exact(s, IDX_STR)))
        return retained(s);
    return str_from_kind(str_data(s), str_kind(s), (size_t)str_len(s));
}

/* An instance of a subclass of str with the text of s. */
Value str_subclass_new(Type *cls, Value s) {
    size_t n = (size_t)str_len(s), kind = (size_t)str_kind(s);
    StrBuf *b = strbuf_new((n + 1) * kind);
    if (b == NULL)
        return err_no_memory();
    memcpy(b->data, str_data(s), n * kind);
    memset(b->data + n * kind, 0, kind);
    Value v = obj_new(cls);
    if (v == ABSENT) {
        strbuf_release(b);
        return ABSENT;
    }
    *(StrBuf **)((Str *)v + 1) = b;
    STORE_RELAXED(&((Str *)v)->hash, LOAD_RELAXED(&((Str *)s)->hash));
    STORE_RELAXED(&((Str *)v)->len_state, OWN_STATE(n, kind, (str_state(s) & STR_ASCII) | STR_EXTERNAL));
    return v;
}

/* ---- cached UTF-8 ----
 *
 * Few strs need one, so it is no field: a table from address to block. Entries are never unlinked, only reused, so that
 * the lists can be walked without a lock; an entry belongs to who swapped its key from 0 to 1. The owner of an address
 * is alive while it looks up, and unreachable when its entry goes. */
typedef struct Utf8Entry {
    _Atomic(uintptr_t) key; /* 0 free, 1 being filled */
    char *data;
    size_t n;
    struct Utf8Entry *next;
} Utf8Entry;
static _Atomic(Utf8Entry *) utf8_table[1024];

static _Atomic(Utf8Entry *) *utf8_bucket(Value s) {
    return &utf8_table[(s >> 4 ^ s >> 14) % ARRAY_LEN(utf8_table)];
}

static Utf8Entry *utf8_lookup(Value s) {
    for (Utf8Entry *e = LOAD_ACQUIRE(utf8_bucket(s)); e != NULL; e = e->next)
        if (LOAD_ACQUIRE(&e->key) == s) /* pairs with the release in utf8_insert */
            return e;
    return NULL;
}

static bool utf8_insert(Value s, char *data, size_t n) {
    _Atomic(Utf8Entry *) *bucket = utf8_bucket(s);
    for (Utf8Entry *e = LOAD_ACQUIRE(bucket); e != NULL; e = e->next) {
        uintptr_t zero = 0;
        if (LOAD_RELAXED(&e->key) == 0 && atomic_compare_exchange_strong(&e->key, &zero, 1)) {
            e->data = data, e->n = n;
            STORE_RELEASE(&e->key, s);
            return true;
        }
    }
    Utf8Entry *e = malloc(sizeof(*e));
    if (e == NULL)
        return false;
    e->data = data, e->n = n;
    STORE_RELAXED(&e->key, s);
    e->next = LOAD_RELAXED(bucket);
    while (!atomic_compare_exchange_weak(bucket, &e->next, e))
        ;
    return true;
}

static void utf8_drop(Value s) {
    for (Utf8Entry *e = LOAD_ACQUIRE(utf8_bucket(s)); e != NULL; e = e->next)
        if (LOAD_ACQUIRE(&e->key) == s) {
            heap_block_free(e->data);
            STORE_RELEASE(&e->key, 0);
        }
}

/* Bytes that the UTF-8 form needs; *bad: index of the first surrogate, or -1. */
size_t str_utf8_size(Value s, intptr_t *bad) {
    const void *d = str_data(s);
    intptr_t n = str_len(s);
    size_t size = 0;
    *bad = -1;
    if (str_is_ascii(s))
        return (size_t)n;
    if (str_kind(s) == 1) {
        const uint8_t *p = d;
        size = (size_t)n;
        for (intptr_t i = 0; i < n; i++)
            size += p[i] >> 7;
        return size;
    }
    for (intptr_t i = 0; i < n; i++) {
        uint32_t c = str_at_kind(d, str_kind(s), i);
        size += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        if (c >= 0xd800 && c < 0xe000 && *bad < 0)
            *bad = i;
    }
    return size;
}

void str_write_utf8(Value s, char *out) {
    const void *d = str_data(s);
    intptr_t n = str_len(s);
    int kind = str_kind(s);
    uint8_t *p = (uint8_t *)out;
    if (str_is_ascii(s)) {
        memcpy(out, d, (size_t)n);
        return;
    }
    for (intptr_t i = 0; i < n; i++)
        p += utf8_encode1(p, str_at_kind(d, kind, i));
}

const char *str_utf8(Value s, size_t *n) {
    uint32_t state = str_state(s);
    if (LIKELY((state & (STR_ASCII | STR_EXTERNAL)) == STR_ASCII)) {
        if (n != NULL)
            *n = (size_t)str_len(s);
        return (const char *)((Str *)s)->data;
    }
    if (state & STR_HAS_UTF8) {
        Utf8Entry *e = utf8_lookup(s);
        if (n != NULL)
            *n = e->n;
        return e->data;
    }
    intptr_t bad;
    size_t size = str_utf8_size(s, &bad);
    if (bad >= 0) {
        intptr_t end = bad;
        while (end < str_len(s) && str_at(s, end) >= 0xd800 && str_at(s, end) < 0xe000)
            end++;
        err_unicode_encode("utf-8", s, bad, end, "surrogates not allowed");
        return NULL;
    }
    char *data = heap_block(size + 1);
    if (data == NULL) {
        err_no_memory();
        return NULL;
    }
    str_write_utf8(s, data);
    data[size] = '\0';
    if (!utf8_insert(s, data, size)) {
        heap_block_free(data);
        err_no_memory();
        return NULL;
    }
    atomic_fetch_or_explicit(&((Str *)s)->len_state, STR_HAS_UTF8, memory_order_acq_rel);
    if (n != NULL)
        *n = size;
    return data;
}

const char *str_utf8_nonul(Value s) {
    size_t n;
    const char *p = str_utf8(s, &n);
    if (p != NULL && memchr(p, 0, n) != NULL) {
        err_set(&exc_ValueError, "embedded null character");
        return NULL;
    }
    return p;
}

Value str_encode_fs(Value s) {
    intptr_t bad;
    size_t size = str_utf8_size(s, &bad);
    if (bad < 0) {
        Value b = bytes_from(NULL, size);
        if (b != ABSENT)
            str_write_utf8(s, bytes_data(b));
        return b;
    }
    return codec_utf8_encode(s, "surrogateescape");
}

static void fini(Value self) {
    uint32_t state = str_state(self);
    if (LIKELY(!(state & (STR_EXTERNAL | STR_HAS_UTF8))))
        return;
    if (state & STR_HAS_UTF8)
        utf8_drop(self);
    if ((state & STR_EXTERNAL) && str_buf(self) != NULL) {
        StrBuf *b = str_buf(self);
        *(StrBuf **)((Str *)self + 1) = NULL;
        strbuf_release(b);
    }
}
const TypeOps str_ops = {.fini = fini};

/* ---- hash, equality, order ---- */

uint32_t str_hash_bytes(const void *p, size_t n) {
    uint64_t h = hash_bytes(p, n);
    uint32_t r = (uint32_t)(h ^ h >> 32);
    return r != 0 ? r : 1;
}

int64_t str_hash_slow(Value s) {
    uint32_t h = str_hash_bytes(str_data(s), (size_t)str_len(s) * (size_t)str_kind(s));
    STORE_RELAXED(&((Str *)s)->hash, h);
    return h;
}

bool str_equal_slow(Value a, Value b) {
    uint32_t ha = LOAD_RELAXED(&((Str *)a)->hash), hb = LOAD_RELAXED(&((Str *)b)->hash);
    return (ha == hb || ha == 0 || hb == 0) && str_equal_text(a, b);
}

bool str_equal_c(Value a, const char *ascii) {
    size_t n = strlen(ascii);
    return str_is_ascii(a) && (size_t)str_len(a) == n && memcmp(str_data(a), ascii, n) == 0;
}

int str_cmp(Value a, Value b) {
    if (a == b)
        return 0;
    intptr_t na = str_len(a), nb = str_len(b), n = MIN(na, nb);
    const void *da = str_data(a), *db = str_data(b);
    int ka = str_kind(a), kb = str_kind(b);
    if (ka == 1 && kb == 1) {
        int r = memcmp(da, db, (size_t)n);
        if (r != 0)
            return r < 0 ? -1 : 1;
    } else {
        for (intptr_t i = 0; i < n; i++) {
            uint32_t ca = str_at_kind(da, ka, i), cb = str_at_kind(db, kb, i);
            if (ca != cb)
                return ca < cb ? -1 : 1;
        }
    }
    return na < nb ? -1 : na > nb;
}

/* ---- interning ----
 *
 * A trie over the bits of the hash, so that it never moves: readers and writers need no lock, a writer fills an empty
 * slot, or replaces a str by a node that holds it, with one compare-and-swap. What is interned is immortal: names in
 * code, attributes, sys.intern. When the hash has no bits left (two strs of one hash) it goes on with another hash of
 * the text. */
typedef struct InternNode {
    _Atomic(uintptr_t) slots[16]; /* 0, a str, or a node + 1 */
} InternNode;
static _Atomic(uintptr_t) intern_root[8192];

typedef struct Text {
    const void *data;
    size_t n;
    int kind;
    bool ascii;
    uint32_t hash;
} Text;

static uint32_t text_rehash(const void *data, size_t bytes, uint32_t hash, int round) {
    uint64_t h = hash ^ (uint64_t)round << 32;
    const uint8_t *p = data;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ p[i]) * 0x100000001b3;
    return (uint32_t)(h >> 32);
}

static bool text_is(Value s, const Text *t) {
    return LOAD_RELAXED(&((Str *)s)->hash) == t->hash && (size_t)str_len(s) == t->n && str_kind(s) == t->kind &&
           memcmp(((Str *)s)->data, t->data, t->n * (size_t)t->kind) == 0;
}

/* The bits of a text's hash for one level after the root. */
static unsigned text_digit(const void *data, size_t bytes, uint32_t hash, int level) {
    if (level < 4)
        return hash >> (13 + 4 * level) & 15;
    uint32_t h = text_rehash(data, bytes, hash, level / 8);
    return h >> (4 * (level % 8)) & 15;
}

/* The interned str of t: found, or `make` (an immortal str of that text, not yet interned) put in, or ABSENT when make
 * is ABSENT. */
static Value intern(const Text *t, Value make) {
    _Atomic(uintptr_t) *slot = &intern_root[t->hash % ARRAY_LEN(intern_root)];
    for (int level = 0;;) {
        uintptr_t w = LOAD_ACQUIRE(slot); /* pairs with the compare-and-swaps below */
        if (w & 1) {
            InternNode *node = (InternNode *)(w - 1);
            slot = &node->slots[text_digit(t->data, t->n * (size_t)t->kind, t->hash, level++)];
            continue;
        }
        if (w == 0) {
            if (make == ABSENT)
                return ABSENT;
            if (atomic_compare_exchange_strong(slot, &w, make))
                return make;
            continue;
        }
        if (text_is(w, t))
            return w;
        if (make == ABSENT)
            return ABSENT;
        InternNode *node = calloc(1, sizeof(*node));
        if (node == NULL)
            fatal("out of memory");
        size_t bytes = (size_t)str_len(w) * (size_t)str_kind(w);
        STORE_RELAXED(&node->slots[text_digit(((Str *)w)->data, bytes, LOAD_RELAXED(&((Str *)w)->hash), level)], w);
        if (!atomic_compare_exchange_strong(slot, &w, (uintptr_t)node + 1))
            free(node);
    }
}

static Value intern_text(const Text *t) {
    Value v = intern(t, ABSENT);
    if (v != ABSENT)
        return v;
    if (t->n == 0)
        v = str_empty();
    else if (t->n == 1 && t->kind == 1)
        v = str_from_char(*(const uint8_t *)t->data);
    else {
        v = alloc_immortal(t->n, t->kind, t->ascii);
        memcpy(((Str *)v)->data, t->data, t->n * (size_t)t->kind);
    }
    STORE_RELAXED(&((Str *)v)->hash, t->hash);
    atomic_fetch_or_explicit(&((Str *)v)->len_state, STR_INTERNED, memory_order_relaxed);
    Value r = intern(t, v);
    if (r != v && t->n > 1)
        free((void *)v); /* another thread was first */
    return r;
}

Value str_intern_static(const char *s) {
    size_t n = strlen(s);
    Text t = {s, n, 1, true, str_hash_bytes(s, n)};
    ASSERT(ascii_prefix((const uint8_t *)s, n) == n);
    return intern_text(&t);
}

Value str_intern_ascii(const char *s, size_t n) {
    Text t = {s, n, 1, true, str_hash_bytes(s, n)};
    return intern_text(&t);
}

Value str_intern(Value s) {
    if (s == ABSENT || str_is_interned(s))
        return s;
    Text t = {str_data(s), (size_t)str_len(s), str_kind(s), str_is_ascii(s), (uint32_t)str_hash(s)};
    Value r = intern_text(&t);
    release(s);
    return r;
}

/* ---- concatenation ---- */

static Value concat_flags(Value a, Value b, uint32_t flags) {
    size_t na = (size_t)str_len(a), nb = (size_t)str_len(b);
    int ka = str_kind(a), kb = str_kind(b), kind = MAX(ka, kb);
    Value r = alloc_inline(na + nb, kind, (str_state(a) & str_state(b) & STR_ASCII) | flags);
    if (LIKELY(r != ABSENT)) {
        uint8_t *d = ((Str *)r)->data;
        str_copy_kind(d, kind, str_data(a), ka, na);
        str_copy_kind(d + na * (size_t)kind, kind, str_data(b), kb, nb);
    }
    return r;
}

Value str_concat(Value a, Value b) {
    if (str_len(b) == 0 && v_is_exact(a, IDX_STR))
        return retained(a);
    if (str_len(a) == 0 && v_is_exact(b, IDX_STR))
        return retained(b);
    return concat_flags(a, b, 0);
}

/* From this size a chain of appends shares a growing buffer; below, copying costs less than it. */
#define GROW_MIN 192

static Value append_slow(Value a, Value b) {
    size_t na = (size_t)str_len(a), nb = (size_t)str_len(b), n = na + nb;
    int ka = str_kind(a), kb = str_kind(b), kind = MAX(ka, kb);
    uint32_t flags = (str_state(a) & str_state(b) & STR_ASCII) | STR_APPENDED;
    if (n * (size_t)kind < GROW_MIN || !(str_state(a) & STR_APPENDED))
        return concat_flags(a, b, STR_APPENDED);
    if ((str_state(a) & STR_EXTERNAL) && ka == kind) {
        StrBuf *buf = str_buf(a);
        size_t old = na * (size_t)kind;
        if (n * (size_t)kind <= buf->cap && LOAD_RELAXED(&buf->used) == old &&
            atomic_compare_exchange_strong_explicit(&buf->used, &old, n * (size_t)kind, memory_order_relaxed,
                                                    memory_order_relaxed)) {
            str_copy_kind(buf->data + na * (size_t)kind, kind, str_data(b), kb, nb);
            atomic_fetch_add_explicit(&buf->refs, 1, memory_order_relaxed);
            return str_from_strbuf(buf, n, kind, flags);
        }
    }
    if (n > ((size_t)1 << 55))
        return err_no_memory();
    StrBuf *buf = strbuf_new((n + n / 2 + 64) * (size_t)kind);
    if (buf == NULL)
        return err_no_memory();
    STORE_RELAXED(&buf->used, n * (size_t)kind);
    str_copy_kind(buf->data, kind, str_data(a), ka, na);
    str_copy_kind(buf->data + na * (size_t)kind, kind, str_data(b), kb, nb);
    return str_from_strbuf(buf, n, kind, flags);
}

Value str_append_last(Value a, Value b) {
    uint64_t la = str_len_state(a), lb = str_len_state(b);
    UNUSED size_t na = (size_t)(la >> STR_LEN_SHIFT), nb = (size_t)(lb >> STR_LEN_SHIFT);
    if ((la & (STR_APPENDED | STR_EXTERNAL | STR_HAS_UTF8 | STR_INTERNED)) != STR_APPENDED || nb == 0 ||
        (la & STR_KIND) < (lb & STR_KIND) || (na + nb) * (size_t)(la & STR_KIND) >= GROW_MIN ||
        !(COUNT_EXACT ? count_is_unique(v_obj(a)) : obj_is_temporary(a)) || (obj_flags(v_obj(a)) & OF_SHARED))
        return str_append(a, b);
    size_t kind = (size_t)(la & STR_KIND), need = offsetof(Str, data) + (na + nb + 1) * kind;
    if (need > heap_size_of(v_obj(a))) {
        Value r = alloc_roomy(na + nb, (int)kind, (uint32_t)(la & lb & STR_ASCII) | STR_APPENDED, na * kind);
        if (LIKELY(r != ABSENT)) {
            memcpy(((Str *)r)->data, ((Str *)a)->data, na * kind);
            str_copy_kind(((Str *)r)->data + na * kind, (int)kind, str_data(b), (int)(lb & STR_KIND), nb);
        }
        return r;
    }
    Str *s = (Str *)a;
    str_copy_kind(s->data + na * kind, (int)kind, str_data(b), (int)(lb & STR_KIND), nb);
    memset(s->data + (na + nb) * kind, 0, kind);
    STORE_RELAXED(&s->hash, 0);
    STORE_RELAXED(&s->len_state, OWN_STATE(na + nb, kind, (uint32_t)(la & lb & STR_ASCII) | STR_APPENDED));
    return retained(a);
}

Value str_append(Value a, Value b) {
    if (str_len(b) == 0 && v_is_exact(a, IDX_STR))
        return retained(a);
    if (str_len(a) == 0 && v_is_exact(b, IDX_STR))
        return retained(b);
    return append_slow(a, b);
}

Value str_append_steal(Value a, Value b) {
    Value r = str_append(a, b);
    release(a);
    return r;
}

Value str_substr(Value s, intptr_t lo, intptr_t hi) {
    intptr_t n = str_len(s);
    if (lo < 0)
        lo = 0;
    if (hi > n)
        hi = n;
    if (lo >= hi)
        return str_empty();
    if (hi - lo == n && v_is_exact(s, IDX_STR))
        return retained(s);
    int kind = str_kind(s);
    char *p = (char *)str_data(s) + lo * kind;
    if (str_is_ascii(s))
        return str_from_ascii(p, (size_t)(hi - lo));
    return str_from_kind(p, kind, (size_t)(hi - lo));
}

Value str_repeat(Value s, intptr_t times) {
    intptr_t n = str_len(s), kind = str_kind(s);
    if (times <= 0 || n == 0)
        return str_empty();
    if (times == 1 && v_is_exact(s, IDX_STR))
        return retained(s);
    intptr_t total;
    if (__builtin_mul_overflow(n, times, &total))
        return err_set(&exc_OverflowError, "repeated string is too long");
    if (total > ((intptr_t)1 << 52))
        return err_no_memory();
    Value r = alloc_inline((size_t)total, (int)kind, str_state(s) & STR_ASCII);
    if (r == ABSENT)
        return ABSENT;
    char *d = (char *)((Str *)r)->data;
    if (n == 1 && kind == 1) {
        memset(d, *(uint8_t *)str_data(s), (size_t)total);
        return r;
    }
    size_t done = (size_t)(n * kind), all = (size_t)(total * kind);
    memcpy(d, str_data(s), done);
    while (done < all) {
        size_t k = MIN(done, all - done);
        memcpy(d + done, d, k);
        done += k;
    }
    return r;
}

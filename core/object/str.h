/* str: immutable text of 1, 2 or 4 bytes per code point (always the narrowest that fits), hash cached, identifiers
 * interned.
 *
 *   inline     the code points follow the header, with a zero code point behind the last: every str made at once
 *   external   the data lies in a StrBuf, which several strs may share as prefixes of one another: what `s += t` in a
 * loop makes (the spare room behind the longest prefix is claimed by compare-and-swap), results of large builders, and
 * instances of subclasses interned   immortal; two interned strs are equal only if they are the same object
 *
 * The fields are for the accessors below. Nothing of a str changes once it is published but its cached hash and the
 * bits STR_HAS_UTF8.
 */
#ifndef POLYGIL_STR_H
#define POLYGIL_STR_H

#include "object/object.h"

typedef struct Str {
    Object hdr;
    _Atomic(uint64_t) len_state; /* code points << 8 | STR_* */
    _Atomic(uint32_t) hash;      /* 0: not yet computed */
    uint8_t data[];
} Str;
enum { STR_KIND = 7, STR_ASCII = 8, STR_INTERNED = 16, STR_EXTERNAL = 32, STR_HAS_UTF8 = 64, STR_APPENDED = 128 };
#define STR_LEN_SHIFT 8

typedef struct StrBuf {
    _Atomic(size_t) refs;
    _Atomic(size_t) used; /* bytes that some str has claimed */
    size_t cap;           /* bytes; fixed */
    uint8_t data[] __attribute__((aligned(8)));
} StrBuf;

static ALWAYS_INLINE uint64_t str_len_state(Value s) {
    return LOAD_RELAXED(&((Str *)s)->len_state);
}
static ALWAYS_INLINE intptr_t str_len(Value s) {
    return (intptr_t)(str_len_state(s) >> STR_LEN_SHIFT);
}
static ALWAYS_INLINE uint32_t str_state(Value s) {
    return (uint8_t)str_len_state(s);
}
static ALWAYS_INLINE int str_kind(Value s) {
    return (int)(str_state(s) & STR_KIND);
}
static ALWAYS_INLINE bool str_is_ascii(Value s) {
    return str_state(s) & STR_ASCII;
}
static ALWAYS_INLINE bool str_is_interned(Value s) {
    return str_state(s) & STR_INTERNED;
}
/* The text lies in the object's own cell; but for the table of interned ones nothing else knows of it. */
static ALWAYS_INLINE bool str_is_one_cell(Value s) {
    return !(str_state(s) & (STR_EXTERNAL | STR_HAS_UTF8));
}
static ALWAYS_INLINE StrBuf *str_buf(Value s) {
    return *(StrBuf **)((Str *)s + 1);
} /* external only */
static ALWAYS_INLINE void *str_data(Value s) {
    return LIKELY(!(str_state(s) & STR_EXTERNAL)) ? (void *)((Str *)s)->data : (void *)str_buf(s)->data;
}
static ALWAYS_INLINE uint32_t str_at_kind(const void *d, int kind, intptr_t i) {
    return kind == 1 ? ((const uint8_t *)d)[i] : kind == 2 ? ((const uint16_t *)d)[i] : ((const uint32_t *)d)[i];
}
static ALWAYS_INLINE void str_put_kind(void *d, int kind, intptr_t i, uint32_t c) {
    if (kind == 1)
        ((uint8_t *)d)[i] = (uint8_t)c;
    else if (kind == 2)
        ((uint16_t *)d)[i] = (uint16_t)c;
    else
        ((uint32_t *)d)[i] = c;
}
static ALWAYS_INLINE uint32_t str_at(Value s, intptr_t i) {
    return str_at_kind(str_data(s), str_kind(s), i);
}
/* The kind that a highest code point needs. */
static ALWAYS_INLINE int str_kind_for(uint32_t max) {
    return max < 0x100 ? 1 : max < 0x10000 ? 2 : 4;
}

void str_init(void); /* the type; usable before: everything that makes str objects */
void str_iter_init(void);

/* A str of n code points up to max, to be filled through str_data before publication (zero behind the last is set). The
 * caller must really store a code point of max's kind (of ASCII or not, too), or use str_from_kind. */
Value str_alloc(size_t n, uint32_t max);
Value str_from_c(const char *utf8);                 /* NUL-terminated UTF-8; surrogateescape on bad bytes */
Value str_from_utf8(const char *s, size_t n);       /* UnicodeDecodeError */
Value str_from_utf8_lossy(const char *s, size_t n); /* surrogateescape */
Value str_from_ascii(const char *s, size_t n);      /* caller knows */
Value str_from_latin1(const void *s, size_t n);
Value str_from_kind(const void *data, int kind, size_t n); /* narrows */
Value str_from_char(uint32_t c);
extern Value
    str_latin1_chars[256]; /* the immortal strs of one character; made by the first str_empty or str_from_char */
Value str_empty(void);     /* immortal: owned and borrowed are the same */
Value str_intern_ascii(const char *s, size_t n); /* caller knows that it is ASCII; immortal */
Value str_intern(Value s);                       /* steals, returns the interned one, owned (immortal) */
Value str_exact(Value s); /* s, or a plain str of the same text when its class is a subclass: owned */
/* NUL-terminated UTF-8, NULL with exception (surrogates). Lives as long as s (cached), borrowed. n may be NULL. */
const char *str_utf8(Value s, size_t *n);
/* The same; ValueError "embedded null character" when there is one. */
const char *str_utf8_nonul(Value s);
/* The same with surrogates escaped to bytes (file names): new bytes object. */
Value str_encode_fs(Value s);
Value str_decode_fs(const char *s, size_t n);
/* Of two strs whose hashes are equal or unknown. */
static ALWAYS_INLINE bool str_equal_text(Value a, Value b) {
    uint64_t sa = str_len_state(a), sb = str_len_state(b);
    /* Both are narrowest: different kinds or ASCII flags are different texts. */
    if (sa >> STR_LEN_SHIFT != sb >> STR_LEN_SHIFT || ((sa ^ sb) & (STR_KIND | STR_ASCII)))
        return false;
    return memcmp(str_data(a), str_data(b), (size_t)(sa >> STR_LEN_SHIFT) * (sa & STR_KIND)) == 0;
}
bool str_equal_slow(Value a, Value b);
static ALWAYS_INLINE bool str_equal(Value a, Value b) {
    if (a == b)
        return true;
    if (str_is_interned(a) && str_is_interned(b))
        return false;
    return str_equal_slow(a, b);
}
bool str_equal_c(Value a, const char *ascii);
int str_cmp(Value a, Value b);
int64_t str_hash_slow(Value s);
static ALWAYS_INLINE int64_t str_hash(Value s) { /* 32 bits, never 0 */
    uint32_t h = LOAD_RELAXED(&((Str *)s)->hash);
    return LIKELY(h) ? (int64_t)h : str_hash_slow(s);
}
/* Hash of bytes as that of the ASCII str of the same bytes: 32 bits, never 0. */
uint32_t str_hash_bytes(const void *p, size_t n);
Value str_concat(Value a, Value b);
Value str_append(Value a, Value b); /* a + b, where a is probably not used again: linear in a loop */
/* The same when the caller's reference to a, which it gives up afterwards, may be the last: then a itself may grow and
 * be the result. */
Value str_append_last(Value a, Value b);
Value str_append_steal(Value a, Value b); /* the same; steals a */
Value str_substr(Value s, intptr_t lo, intptr_t hi);
Value str_join(Value sep, Value iterable);
intptr_t str_find(Value s, Value sub, intptr_t lo, intptr_t hi, int dir); /* dir 1 or -1; -1: none, -2: error */
intptr_t str_find_char(Value s, uint32_t c, intptr_t lo, intptr_t hi, int dir);
intptr_t str_count(Value s, Value sub, intptr_t lo, intptr_t hi);
bool str_tailmatch(Value s, Value sub, intptr_t lo, intptr_t hi, int dir); /* dir -1: prefix, 1: suffix */
Value str_replace(Value s, Value from, Value to, intptr_t max);
Value str_split(Value s, Value sep, intptr_t max); /* sep ABSENT or None: white space; max < 0: no limit; list */
Value str_splitlines(Value s, bool keepends);
Value str_repeat(Value s, intptr_t n);
Value str_percent(Value fmt, Value args); /* % operator */
Value str_format(Value fmt, Value *args, intptr_t nargs, Value kwnames,
                 Value mapping); /* str.format; mapping ABSENT or for format_map */
Value str_repr(Value s);
Value str_ascii(Value s);                                            /* repr with escapes beyond ASCII */
Value str_encode(Value s, const char *encoding, const char *errors); /* bytes; NULL: utf-8, strict */
bool str_is_identifier(Value s);

/* Builds a str piece by piece; widens as needed. Not to be copied once in use. */
typedef struct StrBuilder {
    void *data;
    size_t len, cap; /* code points */
    int kind;
    bool failed; /* out of memory: sb_finish reports it */
    bool non_ascii;
    uint64_t small[24];
} StrBuilder;
void sb_init(StrBuilder *b);
void sb_grow_slow(StrBuilder *b, size_t extra, int kind);
/* Room for n more code points of a kind; false when out of memory. */
static ALWAYS_INLINE bool sb_room(StrBuilder *b, size_t n, int kind) {
    if (UNLIKELY(b->cap - b->len < n || b->kind < kind))
        sb_grow_slow(b, n, kind);
    return !b->failed;
}
void sb_char_slow(StrBuilder *b, uint32_t c);
static ALWAYS_INLINE void sb_char(StrBuilder *b, uint32_t c) {
    if (LIKELY(c < 0x80 && b->kind == 1 && b->len < b->cap))
        ((uint8_t *)b->data)[b->len++] = (uint8_t)c;
    else
        sb_char_slow(b, c);
}
void sb_str(StrBuilder *b, Value s);
void sb_substr(StrBuilder *b, Value s, intptr_t lo, intptr_t hi);
void sb_kind(StrBuilder *b, const void *data, int kind, size_t n);
void sb_fill(StrBuilder *b, uint32_t c, intptr_t n);
void sb_ascii(StrBuilder *b, const char *s, size_t n);
void sb_cstr(StrBuilder *b, const char *s);
void sb_utf8(StrBuilder *b, const char *s, size_t n);                  /* caller knows that it is valid */
void sb_printf(StrBuilder *b, const char *fmt, ...) PRINTF_LIKE(2, 3); /* ASCII result */
Value sb_finish(StrBuilder *b);                                        /* owned; frees the builder */
void sb_free(StrBuilder *b);

#endif

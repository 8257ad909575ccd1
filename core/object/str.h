/* str: immutable text of 1, 2 or 4 bytes per code point (the narrowest that fits), hash cached, identifiers interned. */
#ifndef POLYGIL_STR_H
#define POLYGIL_STR_H

#include "object/object.h"

typedef struct Str {
    Object hdr;
    size_t len;                 /* code points */
    _Atomic(int64_t) hash;      /* 0: not yet computed */
    _Atomic(uint32_t) state;    /* STR_* bits: kind (1, 2, 4), ascii, interned */
    uint32_t spare;
    void *data;                 /* in the object, or a shared growing buffer: object/str.c */
} Str;
enum { STR_KIND = 7, STR_ASCII = 8, STR_INTERNED = 16, STR_EXTERNAL = 32 };

static ALWAYS_INLINE intptr_t str_len(Value s) { return (intptr_t)((Str *)s)->len; }
static ALWAYS_INLINE uint32_t str_state(Value s) { return LOAD_RELAXED(&((Str *)s)->state); }
static ALWAYS_INLINE int str_kind(Value s) { return (int)(str_state(s) & STR_KIND); }
static ALWAYS_INLINE bool str_is_ascii(Value s) { return str_state(s) & STR_ASCII; }
static ALWAYS_INLINE bool str_is_interned(Value s) { return str_state(s) & STR_INTERNED; }
static ALWAYS_INLINE void *str_data(Value s) { return ((Str *)s)->data; }
static ALWAYS_INLINE uint32_t str_at_kind(const void *d, int kind, intptr_t i) {
    return kind == 1 ? ((const uint8_t *)d)[i] : kind == 2 ? ((const uint16_t *)d)[i] : ((const uint32_t *)d)[i];
}
static ALWAYS_INLINE uint32_t str_at(Value s, intptr_t i) { return str_at_kind(str_data(s), str_kind(s), i); }

Value str_from_c(const char *utf8);                     /* NUL-terminated UTF-8; surrogateescape on bad bytes */
Value str_from_utf8(const char *s, size_t n);           /* UnicodeDecodeError */
Value str_from_utf8_lossy(const char *s, size_t n);     /* surrogateescape */
Value str_from_ascii(const char *s, size_t n);          /* caller knows */
Value str_from_kind(const void *data, int kind, size_t n); /* narrows */
Value str_from_char(uint32_t c);
Value str_empty(void);
Value str_intern(Value s);                              /* steals, returns the interned one, owned */
/* NUL-terminated UTF-8, NULL with exception (surrogates). Lives as long as s (cached), borrowed. */
const char *str_utf8(Value s, size_t *n);
/* The same with surrogates escaped to bytes (file names): new bytes object. */
Value str_encode_fs(Value s);
Value str_decode_fs(const char *s, size_t n);
bool str_equal(Value a, Value b);
bool str_equal_c(Value a, const char *ascii);
int str_cmp(Value a, Value b);
int64_t str_hash(Value s);
Value str_concat(Value a, Value b);
Value str_append_steal(Value a, Value b);               /* steals a; linear in a loop */
Value str_substr(Value s, intptr_t lo, intptr_t hi);
Value str_join(Value sep, Value iterable);
intptr_t str_find(Value s, Value sub, intptr_t lo, intptr_t hi, int dir);
Value str_percent(Value fmt, Value args);               /* % operator */
Value str_repr(Value s);
Value str_encode(Value s, const char *encoding, const char *errors); /* bytes */
bool str_is_identifier(Value s);

/* Builds a str piece by piece; widens as needed. */
typedef struct StrBuilder {
    void *data;
    size_t len, cap;
    int kind;
    bool failed; /* out of memory: sb_finish reports it */
} StrBuilder;
void sb_init(StrBuilder *b);
void sb_char(StrBuilder *b, uint32_t c);
void sb_str(StrBuilder *b, Value s);
void sb_substr(StrBuilder *b, Value s, intptr_t lo, intptr_t hi);
void sb_ascii(StrBuilder *b, const char *s, size_t n);
void sb_cstr(StrBuilder *b, const char *s);
void sb_printf(StrBuilder *b, const char *fmt, ...) PRINTF_LIKE(2, 3); /* ASCII result */
Value sb_finish(StrBuilder *b);                         /* owned; frees the builder */
void sb_free(StrBuilder *b);

#endif

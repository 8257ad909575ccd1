/* bytes and bytearray.
 *
 * bytes is immutable; its data follows the header, or (instances of subclasses) lies in a block of its own; NUL behind
 * the last. bytearray points to a block that carries its capacity. Readers copy under excl_read_begin or pin it with a
 * Buffer; whatever changes its size fails with BufferError while buffers are exported.
 */
#ifndef POLYGIL_BYTES_H
#define POLYGIL_BYTES_H

#include "object/object.h"

typedef struct Bytes {
    Object hdr;
    size_t len_ext;         /* bytes << 1 | external */
    _Atomic(uint32_t) hash; /* 0: not yet computed */
    char data[];
} Bytes;

static ALWAYS_INLINE intptr_t bytes_len(Value b) {
    return (intptr_t)(((Bytes *)b)->len_ext >> 1);
}
static ALWAYS_INLINE char *bytes_data(Value b) {
    return LIKELY(!(((Bytes *)b)->len_ext & 1)) ? ((Bytes *)b)->data : *(char **)((Bytes *)b + 1);
}

typedef struct ByteArray {
    Object hdr;
    size_t len, start, cap; /* start: bytes cut off in front; all under the object's section */
    char *block;            /* heap_block, or NULL; NUL behind the last byte when not NULL */
    _Atomic(intptr_t) exports;
} ByteArray;

static inline bool v_is_bytearray(Value v) {
    return v_is_exact(v, IDX_BYTEARRAY) || (v != ABSENT && type_is_subtype(type_of(v), &bytearray_type));
}

void bytes_init(void);
void bytearray_init(void);
void memoryview_init(void);

Value bytes_from(const char *s, size_t n); /* s NULL: uninitialised, to be filled before publication */
Value bytes_shrink(Value b, size_t n);     /* steals an unpublished bytes; returns it cut to n */
Value bytes_empty(void);
Value bytes_from_object(Value v); /* bytes(v) */
/* What v's __bytes__ returns; V_MARK without one. */
Value bytes_special(Value v);
Value bytes_concat(Value a, Value b);                                 /* two bytes-like objects */
Value bytes_repr(const char *p, size_t n);                            /* str: b'...' */
Value bytes_hex(const char *p, intptr_t n, Value sep, Value per_sep); /* str; sep and per_sep ABSENT: none */
extern int bytes_warning_level;                                       /* -b: 1 warns, 2 raises */
Value bytes_percent(Value fmt, Value args, bool to_bytearray);
Value bytearray_from(const char *s, size_t n);                              /* s NULL: zeroed */
Value bytes_decode(Value buffer, const char *encoding, const char *errors); /* NULL: utf-8, strict */
Value memoryview_new(Value v);

/* What a method reads of a bytes-like object: the data stay as they are until view_close. A bytearray that other
 * threads could change is copied. */
typedef struct ByteView {
    const char *p;
    intptr_t n;
    void *copy;
    bool pinned;
    Buffer buffer;
} ByteView;
int view_open(ByteView *w, Value v); /* TypeError: a bytes-like object is required, not 'X' */
void view_close(ByteView *w);

/* Builds bytes piece by piece. Not to be copied once in use. */
typedef struct BytesBuilder {
    char *data;
    size_t len, cap;
    bool failed; /* out of memory: bb_finish reports it */
    char small[256];
} BytesBuilder;
void bb_init(BytesBuilder *b);
bool bb_grow_slow(BytesBuilder *b, size_t extra);
static ALWAYS_INLINE bool bb_room(BytesBuilder *b, size_t n) {
    return LIKELY(b->cap - b->len >= n) || bb_grow_slow(b, n);
}
static ALWAYS_INLINE void bb_byte(BytesBuilder *b, int c) {
    if (bb_room(b, 1))
        b->data[b->len++] = (char)c;
}
void bb_bytes(BytesBuilder *b, const void *p, size_t n);
void bb_fill(BytesBuilder *b, int c, intptr_t n);
void bb_free(BytesBuilder *b);
Value bb_finish(BytesBuilder *b); /* bytes; frees the builder */
Value bb_finish_bytearray(BytesBuilder *b);

#endif

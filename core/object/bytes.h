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

typedef struct ByteArrayBlock {
    size_t cap;
    char data[];
} ByteArrayBlock;
typedef struct ByteArray {
    Object hdr;
    _Atomic(size_t) len;
    _Atomic(size_t) start;           /* bytes cut off in front */
    _Atomic(ByteArrayBlock *) block; /* NULL when empty from the start */
    _Atomic(intptr_t) exports;
} ByteArray;

void bytes_init(void);
void bytearray_init(void);
void memoryview_init(void);

Value bytes_from(const char *s, size_t n); /* s NULL: uninitialised, to be filled before publication */
Value bytes_shrink(Value b, size_t n);     /* steals an unpublished bytes; returns it cut to n */
Value bytes_empty(void);
Value bytes_from_object(Value v);          /* bytes(v) */
Value bytes_concat(Value a, Value b);      /* two bytes-like objects */
Value bytes_repr(const char *p, size_t n); /* str: b'...' */
Value bytes_percent(Value fmt, Value args, bool to_bytearray);
Value bytearray_from(const char *s, size_t n);                              /* s NULL: zeroed */
Value bytes_decode(Value buffer, const char *encoding, const char *errors); /* NULL: utf-8, strict */
Value memoryview_new(Value v);
/* A view of memory that the VM owns: owner is kept alive. */
Value memoryview_from_memory(Value owner, char *data, size_t n, bool readonly);

#endif

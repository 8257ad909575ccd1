/* bytes and bytearray. */
#ifndef POLYGIL_BYTES_H
#define POLYGIL_BYTES_H

#include "object/object.h"

typedef struct Bytes {
    Object hdr;
    size_t len;
    _Atomic(int64_t) hash;
    char data[]; /* NUL behind the last */
} Bytes;

static ALWAYS_INLINE intptr_t bytes_len(Value b) { return (intptr_t)((Bytes *)b)->len; }
static ALWAYS_INLINE char *bytes_data(Value b) { return ((Bytes *)b)->data; }
Value bytes_from(const char *s, size_t n); /* s NULL: uninitialised, to be filled before publication */
Value bytes_shrink(Value b, size_t n);     /* steals an unpublished bytes; returns it cut to n */
Value bytes_from_object(Value v);          /* bytes(v) */
Value bytearray_from(const char *s, size_t n);
Value bytes_decode(Value buffer, const char *encoding, const char *errors);
Value memoryview_new(Value v);

#endif

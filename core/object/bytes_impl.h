/* What bytes and bytearray share. */
#ifndef POLYGIL_BYTES_IMPL_H
#define POLYGIL_BYTES_IMPL_H

#include "object/bytes.h"

extern const NativeDef bytes_shared_methods[]; /* of both types: read the receiver, return a new object of its kind */

/* A new bytes, or bytearray when self is one. */
Value bytes_like(Value self, const char *p, size_t n);
/* One byte given as an int: 0 to 255, or -1 with an exception. `what`: "byte" or "bytes": byte must be in range(0,
 * 256). */
int byte_value(Value v, const char *what);
/* Appends what bytes(v) iterates over, or the content of a buffer. 0, -1. */
int bb_object(BytesBuilder *b, Value v, bool bytearray);
/* Comparing bytes with str under -b: 0, or -1 when the warning is an error. */
int bytes_warning(Value a, Value b);
/* What bytes(...) and bytearray(...) make of their arguments: *out a bytes, or ABSENT when it is in b. 0, -1. */
int bytes_construct(const char *type, Value *args, intptr_t nargs, BytesBuilder *b, Value *out);
int bb_fromhex(BytesBuilder *b, Value s);
/* One method table out of several, ended by a NULL name. */
void methods_merge(NativeDef *to, size_t room, const NativeDef *const *parts, size_t n);
/* __contains__, and the argument of find and its like: an int or a bytes-like object. */
typedef struct SubArg {
    ByteView view;
    char byte;
    bool is_byte;
} SubArg;
int sub_open(SubArg *a, Value v);
void sub_close(SubArg *a);

#endif

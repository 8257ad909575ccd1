/* The buffer protocol's other side: how a type offers its memory. */
#ifndef POLYGIL_BUFFER_H
#define POLYGIL_BUFFER_H

#include "object/object.h"

/* Fills data, len, itemsize, format (static, or living as long as v), readonly and pins the memory until release; -1
 * with an exception. `writable` is already checked against readonly by the caller afterwards. */
typedef int (*BufferGetFn)(Value v, Buffer *b, bool writable);
typedef void (*BufferReleaseFn)(Value v, Buffer *b); /* NULL allowed; runs no Python code */
/* At start-up, or when a module is made; subclasses inherit. */
void buffer_register(Type *t, BufferGetFn get, BufferReleaseFn release);

/* One item in native format (struct's @ codes c b B h H i I l L q Q n N e f d ? P); ABSENT: NotImplementedError for
 * other codes. */
Value item_unpack(char code, const char *p);
/* 0; -1 with TypeError or ValueError; -2: unknown code. */
int item_pack(char code, char *p, Value v);
intptr_t item_size(char code); /* 0: unknown */
double half_to_double(uint16_t h);
int double_to_half(double d, uint16_t *out); /* -1: too large */

#endif

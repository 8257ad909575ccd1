/* The constants of a code object under construction: values found again by type and content, so that 1, 1.0 and True,
 * 0.0 and -0.0, and tuples of them stay apart. The values live in a Python list, which keeps them reachable for the
 * tracer. */
#ifndef POLYGIL_CONSTS_H
#define POLYGIL_CONSTS_H

#include "front/arena.h"
#include "object/object.h"

typedef struct ConstTable {
    Value list;      /* borrowed from the arena; index -> value */
    uint32_t *slots; /* malloc'd open-addressing table of index + 1; NULL while small */
    uint32_t mask, n;
} ConstTable;

/* 0, or -1 with MemoryError. The list is kept by the arena, where the tracer finds it. */
int consts_init(ConstTable *t, Arena *a);
void consts_fini(ConstTable *t);
/* Index of v (retained when new), or -1 with an exception. Code objects are never shared. Runs no Python code. */
int consts_add(ConstTable *t, Value v);
Value consts_tuple(ConstTable *t);
/* Same type and same content, for constants of the language. */
bool const_same(Value a, Value b);
uint64_t const_hash(Value v);

#endif

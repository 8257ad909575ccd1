/* list: a block of slots that carries its own capacity; readers need no lock where READS_LOCK_FREE. */
#ifndef POLYGIL_LIST_H
#define POLYGIL_LIST_H

#include "object/object.h"

typedef struct ListBlock {
    size_t capacity;
    Ref items[];
} ListBlock;

typedef struct List {
    Object hdr;
    _Atomic(size_t) len;
    _Atomic(ListBlock *) block; /* NULL when capacity is 0 */
} List;

Value list_new(intptr_t cap);                     /* empty, room for cap */
Value list_from(const Value *items, intptr_t n);  /* retains each */
Value list_from_steal(Value *items, intptr_t n);
static ALWAYS_INLINE intptr_t list_len(Value l) { return (intptr_t)LOAD_RELAXED(&((List *)l)->len); }
Value list_get(Value l, intptr_t i);              /* owned; ABSENT without exception when out of range */
int list_append(Value l, Value v);
int list_append_steal(Value l, Value v);
int list_insert(Value l, intptr_t i, Value v);
int list_set(Value l, intptr_t i, Value v);       /* retains v; IndexError */
int list_extend(Value l, Value iterable);
Value list_pop(Value l, intptr_t i);
int list_sort(Value l);
int list_reverse(Value l);
Value list_to_tuple(Value l);
Value list_slice(Value l, intptr_t lo, intptr_t hi);
int list_clear(Value l);

#endif

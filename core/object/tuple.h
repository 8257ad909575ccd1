/* tuple: immutable once published. */
#ifndef POLYGIL_TUPLE_H
#define POLYGIL_TUPLE_H

#include "object/object.h"

typedef struct Tuple {
    Object hdr;
    size_t len;
    Ref items[];
} Tuple;

Value tuple_new(intptr_t n);                       /* slots ABSENT: fill with tuple_init_item before anyone sees it */
Value tuple_from(const Value *items, intptr_t n);  /* retains each */
Value tuple_from_steal(const Value *items, intptr_t n);
Value tuple_empty(void);
Value tuple_pack(int n, ...);                      /* retains each */
static ALWAYS_INLINE intptr_t tuple_len(Value t) { return (intptr_t)((Tuple *)t)->len; }
static ALWAYS_INLINE Value tuple_get(Value t, intptr_t i) { return LOAD_RELAXED(&((Tuple *)t)->items[i]); } /* borrowed */
static ALWAYS_INLINE void tuple_init_item(Value t, intptr_t i, Value v) { ref_init(&((Tuple *)t)->items[i], v); } /* steals */
/* Borrowed array of the items: valid while t lives. */
static ALWAYS_INLINE Value *tuple_items(Value t) { return (Value *)((Tuple *)t)->items; }
Value tuple_slice(Value t, intptr_t lo, intptr_t hi);
Value tuple_concat(Value a, Value b);

#endif

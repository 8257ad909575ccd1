/* tuple: immutable once published.
 * Instances of subclasses that have attributes keep their attrs word behind the items (object/shape.h). */
#ifndef POLYGIL_TUPLE_H
#define POLYGIL_TUPLE_H

#include "object/object.h"

typedef struct Tuple {
    Object hdr;
    size_t len;
    Ref items[];
} Tuple;

Value tuple_new(intptr_t n);                      /* slots ABSENT: fill with tuple_init_item before anyone sees it */
Value tuple_new_type(Type *t, intptr_t n);        /* the same for a subclass */
Value tuple_from(const Value *items, intptr_t n); /* retains each */
Value tuple_from_steal(const Value *items, intptr_t n); /* releases them when it fails */
Value tuple_empty(void);
Value tuple_pack(int n, ...); /* retains each */
static ALWAYS_INLINE intptr_t tuple_len(Value t) {
    return (intptr_t)((Tuple *)t)->len;
}
static ALWAYS_INLINE Value tuple_get(Value t, intptr_t i) {
    return LOAD_RELAXED(&((Tuple *)t)->items[i]);
} /* borrowed */
static ALWAYS_INLINE void tuple_init_item(Value t, intptr_t i, Value v) {
    ref_init(&((Tuple *)t)->items[i], v);
} /* steals */
/* Borrowed array of the items: valid while t lives. */
static ALWAYS_INLINE Value *tuple_items(Value t) {
    return (Value *)((Tuple *)t)->items;
}
Value tuple_slice(Value t, intptr_t lo, intptr_t hi); /* bounds clipped */
Value tuple_concat(Value a, Value b);
/* tuple_new does not track; whoever fills the slots calls this last (tuple_from and the others do it themselves). */
static ALWAYS_INLINE void tuple_track(Value t) {
    trace_track(v_obj(t));
}
static ALWAYS_INLINE bool v_is_tuple_exact(Value v) {
    return v_is_exact(v, IDX_TUPLE);
}
/* A tuple used as traced scratch memory of n slots: never tracked, never shown to Python code. */
Value scratch_new(intptr_t n);

int64_t tuple_hash(Value t); /* -1: an item is unhashable, or its __hash__ failed */
void tuple_init(void);       /* the types' registration (runtime/start.c) */

#endif

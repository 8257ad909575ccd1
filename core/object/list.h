/* list: a block of slots that carries its own capacity; readers need no lock where READS_LOCK_FREE.
 *
 * Invariants: slots at and above len are ABSENT; len <= capacity of the block published before it; a block that was
 * replaced while readers may run without a lock has its slots emptied before anything they held can be released, so a
 * reader that meets ABSENT loads the block again. Writers hold the list's section. */
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

Value list_new(intptr_t cap);                    /* empty, room for cap */
Value list_from(const Value *items, intptr_t n); /* retains each */
Value list_from_steal(Value *items, intptr_t n);
static ALWAYS_INLINE intptr_t list_len(Value l) {
    return (intptr_t)LOAD_RELAXED(&((List *)l)->len);
}
Value list_get(Value l, intptr_t i); /* owned; ABSENT without exception when out of range */
int list_append(Value l, Value v);
int list_append_steal(Value l, Value v); /* steals v also on failure */
int list_insert(Value l, intptr_t i, Value v);
int list_set(Value l, intptr_t i, Value v); /* negative from the end; retains v; IndexError */
int list_extend(Value l, Value iterable);
Value list_pop(Value l, intptr_t i); /* negative from the end; IndexError */
int list_sort(Value l);
int list_sort_with(Value l, Value key, bool reverse); /* key ABSENT or None: none */
int list_reverse(Value l);
Value list_to_tuple(Value l);
Value list_slice(Value l, intptr_t lo, intptr_t hi); /* bounds clipped */
/* l[start:stop:step] of bounds as slice_unpack gives them, step not 0. */
Value list_slice_by(Value l, intptr_t start, intptr_t stop, intptr_t step);
int list_ass_slice(Value l, intptr_t lo, intptr_t hi,
                   Value iterable); /* l[lo:hi] = iterable, negative from the end; ABSENT deletes */
int list_clear(Value l);
Value list_concat(Value a, Value b); /* both lists */
Value list_repeat(Value l, intptr_t n);

/* Item i of an exact or derived list, 0 <= i: owned, or ABSENT (out of range: nothing pending). */
static ALWAYS_INLINE Value list_get_fast(Value l, intptr_t i) {
    if (!READS_LOCK_FREE)
        return list_get(l, i);
    List *o = (List *)l;
    ListBlock *b = LOAD_ACQUIRE(&o->block); /* pairs with publish() in list.c */
    if (UNLIKELY((size_t)i >= LOAD_RELAXED(&o->len)))
        return ABSENT;
    if (!EXCL_PARALLEL)
        return ref_load(l, &b->items[i]);
    if (UNLIKELY(!b || (size_t)i >= b->capacity))
        return list_get(l, i);
    Value v = ref_load(l, &b->items[i]);
    return LIKELY(v != ABSENT) ? v : list_get(l, i);
}

/* The same for i < 0, counted from the end that the list has at that moment. */
Value list_get_back(Value l, intptr_t i);

/* As list_get_fast, but ABSENT too where that would take longer: while the list is changing, or for another thread's
 * item. */
static ALWAYS_INLINE Value list_get_quick(Value l, intptr_t i) {
    if (!READS_LOCK_FREE)
        return list_get(l, i);
    List *o = (List *)l;
    ListBlock *b = LOAD_ACQUIRE(&o->block); /* as above */
    if (UNLIKELY((size_t)i >= LOAD_RELAXED(&o->len)) || (EXCL_PARALLEL && UNLIKELY(!b || (size_t)i >= b->capacity)))
        return ABSENT;
    Value v = LOAD_ACQUIRE(&b->items[i]); /* as in ref_load */
    return LIKELY(v != ABSENT && ref_load_quick(&b->items[i], v)) ? v : ABSENT;
}

/* Appends and steals v when there is room; false (nothing done) when the block must grow: use list_append_steal. */
bool list_append_shared(Value l, Value v);
static ALWAYS_INLINE bool list_append_fast(Value l, Value v) {
    if (!obj_is_private(l) &&
        (v_is_obj(v) || !excl_retains_quick(thread_self(), l))) /* an object may have to be published */
        return list_append_shared(l, v);
    List *o = (List *)l;
    size_t n = LOAD_RELAXED(&o->len);
    ListBlock *b = LOAD_RELAXED(&o->block);
    if (UNLIKELY(!b || n >= b->capacity))
        return false;
    trace_write(l, ABSENT, v);
    STORE_RELEASE(&b->items[n], v); /* pairs with ref_load */
    STORE_RELEASE(&o->len, n + 1);  /* readers that see the length see the item */
    return true;
}

/* l[i] = v, negative from the end: retains v; false when out of range. */
bool list_set_shared(Value l, intptr_t i, Value v);
static ALWAYS_INLINE bool list_set_fast(Value l, intptr_t i, Value v) {
    if (!obj_is_private(l))
        return list_set_shared(l, i, v);
    List *o = (List *)l;
    if (UNLIKELY(i < 0))
        i += (intptr_t)LOAD_RELAXED(&o->len);
    if (UNLIKELY((size_t)i >= LOAD_RELAXED(&o->len)))
        return false;
    release(ref_swap_private(l, &LOAD_RELAXED(&o->block)->items[i], retained(v)));
    return true;
}

static ALWAYS_INLINE bool v_is_list_exact(Value v) {
    return v_is_exact(v, IDX_LIST);
}

void list_init(void); /* the types' registration (runtime/start.c) */

#endif

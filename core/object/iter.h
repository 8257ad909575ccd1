/* range, slice and the built-in iterators. An iterator type may register a C `next` so that loops need no call by name.
 */
#ifndef POLYGIL_ITER_H
#define POLYGIL_ITER_H

#include "object/object.h"

typedef struct Slice {
    Object hdr;
    Ref start, stop, step;
} Slice;
typedef struct Range {
    Object hdr;
    Ref start, stop, step, length; /* ints of any size */
} Range;
/* Of a range whose items are all immediate ints; others have an iterator of their own. */
typedef struct RangeIter {
    Object hdr;
    _Atomic(int64_t) next;
    _Atomic(int64_t) left; /* items still to come */
    int64_t step;
    int64_t len; /* items in all */
} RangeIter;

Value slice_new(Value start, Value stop, Value step); /* retains */
/* Start, stop, step clipped to len, and the number of items; -1 with exception. */
intptr_t slice_indices(Value slice, intptr_t len, intptr_t *start, intptr_t *stop, intptr_t *step);
/* The same in two steps: the bounds (may run __index__), then clipping to a length (cannot fail): the number of items.
 */
int slice_unpack(Value slice, intptr_t *start, intptr_t *stop, intptr_t *step);
intptr_t slice_adjust(intptr_t len, intptr_t *start, intptr_t *stop, intptr_t step);
Value range_new(Value start, Value stop, Value step);
Value list_iter_new(Value list);
Value list_reviter_new(Value list);
Value tuple_iter_new(Value tuple);
Value range_iter_new(Value range);
Value call_iter_new(Value callable, Value sentinel);
Value seq_iter_new(Value seq);
/* The C `next` of an exact built-in iterator type, or NULL. Result as obj_next (ABSENT and nothing pending: exhausted).
 */
typedef Value (*NextFn)(Value it);
NextFn iter_next_fn(Value it);
/* The n items of the tuple that a zip, enumerate or dict item iterator would give next, without the tuple: 1 and owned
 * items in out; 0 exhausted (nothing pending); -1; -2: another kind of iterator, or not n items (nothing done). */
int iter_next_items(Value it, Value *out, intptr_t n);
/* The same for two items, only when it needs nothing but loads and stores of this thread's own (no lock, no code, no
 * error): false, nothing done. The first item goes to second_first[1]. */
bool iter_fast_pair(Value it, Value *second_first);
bool dict_fast_item(Value itemiter, Value *second_first);
int dict_next_item(Value itemiter, Value *pair); /* 1, 0, -1 */
void iter_register(Type *t, NextFn fn);          /* at start-up */

/* Next item of an exact range_iter, or ABSENT when exhausted. */
static inline Value range_iter_next(Value it) {
    RangeIter *r = (RangeIter *)it;
    int64_t left = LOAD_RELAXED(&r->left);
    if (LIKELY(excl_alone(it))) {
        if (UNLIKELY(left <= 0))
            return ABSENT;
        int64_t v = LOAD_RELAXED(&r->next);
        STORE_RELAXED(&r->left, left - 1);
        STORE_RELAXED(&r->next, v + r->step);
        return v_from_int(v);
    }
    excl_leaf_lock(it);
    left = LOAD_RELAXED(&r->left);
    Value v = ABSENT;
    if (left > 0) {
        v = v_from_int(LOAD_RELAXED(&r->next));
        STORE_RELAXED(&r->left, left - 1);
        STORE_RELAXED(&r->next, v_int(v) + r->step);
    }
    excl_leaf_unlock(it);
    return v;
}

/* An iterator over items of a sequence by index: list_iter, list_reviter, tuple_iter, seq_iter. The index is taken
 * under the iterator's leaf lock, so that each item goes to one thread. */
typedef struct SeqIter {
    Object hdr;
    Ref seq; /* ABSENT: exhausted */
    _Atomic(intptr_t) index;
} SeqIter;

/* operator.index of slice bounds with CPython's message; clips. */
int slice_bound(Value v, intptr_t *out);

/* The types' registration (runtime/start.c). */
void range_init(void);
void slice_init(void);
void iter_init(void);     /* list, tuple, sequence and callable iterators */
void itertool_init(void); /* enumerate, reversed, zip, map, filter */

#endif

/* What list.c offers to list_methods.c and listsort.c alone. */
#ifndef POLYGIL_LIST_IMPL_H
#define POLYGIL_LIST_IMPL_H

#include "object/list.h"

/* Index of the first item in [lo, hi) equal to x, taken out when remove: -1 none, -2 error. Runs __eq__ outside
 * sections. */
intptr_t list_find(Value l, Value x, intptr_t lo, intptr_t hi, bool remove);
Value list_slice_step(Value l, Value slice);
int list_ass_slice_step(Value l, Value slice, Value iterable); /* iterable ABSENT: delete */
/* Item i (negative: from the end) leaves the list: owned, ABSENT when out of range (nothing pending). */
Value list_take(Value l, intptr_t i);
/* The items to assign to a slice: a tuple. TypeError with the message for slices. */
Value slice_source(Value v, Value slice);
int list_inplace_repeat(Value l, intptr_t times);
/* a < b, quick for ints, floats, strs and tuples of them: 1, 0, -1. Both are kept alive by the caller. */
int value_lt(Value a, Value b);
/* The same without Python code, locks and exceptions, so inside sections too: 1, 0, or -1 when only value_lt can tell.
 */
int simple_lt(Value a, Value b);
/* In l's section: v, retained, at the end. */
int list_append_within(Value l, Value v);
/* In l's section: the last item, owned; ABSENT (nothing pending) when there is none. */
Value list_take_last_within(Value l);
/* In l's section: its items, for ref_peek and ref_swap; stores of a permutation of them need no more than a release. */
static ALWAYS_INLINE Ref *list_items_within(Value l) {
    ListBlock *b = LOAD_RELAXED(&((List *)l)->block);
    return b ? b->items : NULL;
}
/* Takes all items out at once: an untracked tuple that owns them; the list is empty. *home: memory for list_put_back,
 * which therefore cannot fail. */
Value list_take_all(Value l, ListBlock **home);
/* Empties the scratch tuple t into l; false when l was not the empty list that list_take_all left (its items are
 * dropped). In no section; takes home over. */
bool list_put_back(Value l, Value t, ListBlock *home);

#endif

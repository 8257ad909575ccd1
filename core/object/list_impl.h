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
/* Exchanges two items; false when one is out of range. */
bool list_swap(Value l, intptr_t i, intptr_t j);
/* Takes all items out at once: an untracked tuple that owns them; the list is empty. *home: memory for list_put_back,
 * which therefore cannot fail. */
Value list_take_all(Value l, ListBlock **home);
/* Empties the scratch tuple t into l; false when l was not the empty list that list_take_all left (its items are
 * dropped). In no section; takes home over. */
bool list_put_back(Value l, Value t, ListBlock *home);

#endif

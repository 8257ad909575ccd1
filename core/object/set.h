/* set and frozenset. */
#ifndef POLYGIL_SET_H
#define POLYGIL_SET_H

#include "object/object.h"

Value set_new(void);
Value set_from(Value iterable);
Value frozenset_from(Value iterable); /* ABSENT: the empty one */
int set_add(Value s, Value v);
int set_contains(Value s, Value v);
int set_discard(Value s, Value v); /* 1 removed, 0 missing, -1 */
intptr_t set_len(Value s);
int set_update(Value s, Value iterable);
Value set_pop(Value s);
bool set_next(Value s, intptr_t *pos, Value *item); /* owned item */
static ALWAYS_INLINE bool v_is_set(Value v) { return v_has_flag(v, TF_SET | TF_FROZENSET); }

#endif

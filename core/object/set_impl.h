/* What set.c offers to set_methods.c alone. */
#ifndef POLYGIL_SET_IMPL_H
#define POLYGIL_SET_IMPL_H

#include "object/set.h"

int set_contains_hashed(Value s, Value key, int64_t hash);
int set_add_hashed(Value s, Value key, int64_t hash);     /* 1 added, 0 was there, -1 */
int set_discard_hashed(Value s, Value key, int64_t hash); /* 1 removed, 0 missing, -1 */
bool set_next_hashed(Value s, intptr_t *pos, Value *item, int64_t *hash);
void set_swap_contents(Value s, Value tmp);
Value set_new_type(Type *t);
Value set_make(Type *t, Value iterable); /* iterable ABSENT: empty */
int64_t set_hash(Value s);

#endif

/* What the files of dict, and the modules that build on it, share. */
#ifndef POLYGIL_DICT_IMPL_H
#define POLYGIL_DICT_IMPL_H

#include "object/dict.h"

extern Type dict_rev_keyiter_type, dict_rev_valueiter_type, dict_rev_itemiter_type;
Value dict_iter_new(Type *t, Value d); /* t: one of the six iterator types */
Value dict_view_new(Type *t, Value d); /* t: dict_keys_type ... */
static inline bool v_is_dict_items(Value v) {
    return v_is_exact(v, IDX_DICT_ITEMS) || (v_is_obj(v) && type_of(v)->base == &dict_items_type);
}
static inline bool v_is_dict_view_set(Value v) {
    return v_is_exact(v, IDX_DICT_KEYS) || v_is_dict_items(v) || (v_is_obj(v) && type_of(v)->base == &dict_keys_type);
}
int dict_move_to_end(Value d, Value key, bool last);  /* 1, 0: no such key, -1; to the front is linear */
int dict_popfirst(Value d, Value *key, Value *value); /* 1 (owned), 0: empty */
size_t dict_bytes(Value d);                           /* object and block */
Value dict_view_dict(Value view);                     /* borrowed */

#endif

/* What the files of dict, and the modules that build on it, share. */
#ifndef POLYGIL_DICT_IMPL_H
#define POLYGIL_DICT_IMPL_H

#include "object/dict.h"

extern Type dict_rev_keyiter_type, dict_rev_valueiter_type, dict_rev_itemiter_type;
Value dict_iter_new(Type *t, Value d); /* t: one of the six iterator types */
Value dict_view_new(Type *t, Value d); /* t: dict_keys_type ... */
static ALWAYS_INLINE bool v_is_dict_view_set(Value v) { return v_is_exact(v, IDX_DICT_KEYS) || v_is_exact(v, IDX_DICT_ITEMS); }
Value dict_view_dict(Value view); /* borrowed */

#endif

/* dict: insertion-ordered; a block of index and entries that carries its own capacity and layout id. An entry is never given to another key
 * within its block: deletion leaves a hole, compaction publishes a new block. Readers need no lock where READS_LOCK_FREE. */
#ifndef POLYGIL_DICT_H
#define POLYGIL_DICT_H

#include "object/object.h"

Value dict_new(void);
Value dict_new_presized(intptr_t n);
Value dict_get(Value d, Value key);               /* owned; ABSENT: missing (nothing pending) or error (pending) */
Value dict_get_str(Value d, const char *key);
int dict_lookup(Value d, Value key, Value *out);  /* 1, 0, -1 */
int dict_set(Value d, Value key, Value v);        /* retains both */
int dict_set_str(Value d, const char *key, Value v);
int dict_del(Value d, Value key);                 /* KeyError */
int dict_pop(Value d, Value key, Value *out);     /* 1 (owned), 0, -1 */
Value dict_setdefault(Value d, Value key, Value dflt); /* owned */
int dict_contains(Value d, Value key);
intptr_t dict_len(Value d);
/* Cursor iteration over a dict that may change meanwhile (never crashes): *pos starts at 0; key and value owned. */
bool dict_next(Value d, intptr_t *pos, Value *key, Value *value);
int dict_update(Value d, Value other);            /* mapping or iterable of pairs */
int dict_merge(Value d, Value other, int override); /* override 2: KeyError on duplicates, for calls */
Value dict_copy(Value d);
void dict_clear(Value d);
Value dict_keys_list(Value d);
Value dict_values_list(Value d);
Value dict_items_list(Value d);

/* For inline caches of module globals. The block's layout id, and the slot of an interned key in it (made as a hole when absent), for
 * LOAD_GLOBAL: the slot stays that key's as long as the layout id stays the same. Ids are never 0 and not reused while cached. */
uint32_t dict_layout_id(Value d);
/* Slot index of key, or -1 (too large, or no memory: nothing pending). */
intptr_t dict_cache_slot(Value d, Value key, uint32_t *layout_id);
/* Value in slot of the block with layout_id: owned, or ABSENT when the layout changed or the slot is a hole. */
Value dict_cached_load(Value d, uint32_t layout_id, uint32_t slot);
/* Stores into such a slot; false when the layout changed or the slot is a hole (use dict_set). Retains v. */
bool dict_cached_store(Value d, uint32_t layout_id, uint32_t slot, Value v);

#endif

/* dict: insertion-ordered.
 *
 * A dict points to a block: a header, entries in order of insertion, and behind them an open-addressing table of entry
 * numbers. Invariants:
 *   - An entry is never given to another key within its block. Deletion leaves a tombstone (key V_MARK, value ABSENT),
 * whose number stays in the table; compaction and growth publish a new block with a release store and retire the old
 * one.
 *   - An entry whose key is there and whose value is ABSENT is a reserved hole: a slot made for an inline cache before
 * the key exists. It does not count in len. Giving the key a value appends a new entry (insertion order) and changes
 * the block's stamp.
 *   - An entry is complete before its number is published in the table, and before `used` covers it.
 *   - When readers may run without a lock, the slots of a replaced block are emptied before anything they held can be
 * released: a reader that finds ABSENT where it expected a value checks whether its block is still the dict's, and
 * starts again if not. Readers need no lock where READS_LOCK_FREE; writers hold the dict's section. __eq__ and __hash__
 * of keys run outside of it; afterwards block, stamp and key are compared again. */
#ifndef POLYGIL_DICT_H
#define POLYGIL_DICT_H

#include "object/object.h"

typedef struct DictEntry {
    _Atomic(int64_t) hash;
    Ref key;
    Ref value;
} DictEntry;

typedef struct DictBlock {
    uint32_t capacity;      /* entries */
    uint32_t mask;          /* table size - 1; the table's elements are 1, 2 or 4 bytes wide */
    _Atomic(uint32_t) used; /* entries in use, tombstones and holes counted */
    _Atomic(uint32_t)
        stamp; /* top bit set: a layout id, unique for ever; else a number unlikely to meet again at this address */
    DictEntry entries[];
} DictBlock;

typedef struct Dict {
    Object hdr;
    _Atomic(size_t) len;
    _Atomic(DictBlock *) block; /* NULL: empty */
} Dict;

#define DICT_ID_BIT 0x80000000u

Value dict_new(void);
Value dict_new_presized(intptr_t n);
Value dict_get(Value d, Value key); /* owned; ABSENT: missing (nothing pending) or error (pending) */
Value dict_get_hashed(Value d, Value key, int64_t hash);
Value dict_get_str(Value d, const char *key);
int dict_lookup(Value d, Value key, Value *out); /* 1, 0, -1 */
/* The common cases of dict_get and dict_set, without Python code: keys that are small ints or str. ABSENT, false: not
 * done, nothing pending. dict_set_quick is for where nobody else can write (excl_alone, excl_retains); it may leave
 * what dies on the thread's dead list. */
Value dict_get_quick(Value d, Value key);
bool dict_set_quick(Value d, Value key, Value v);
int dict_set(Value d, Value key, Value v); /* retains both */
int dict_set_hashed(Value d, Value key, int64_t hash, Value v);
int dict_set_str(Value d, const char *key, Value v);
int dict_del(Value d, Value key);             /* KeyError */
int dict_pop(Value d, Value key, Value *out); /* 1 (owned), 0, -1 */
int dict_del_if_hashed(Value d, Value key, int64_t hash, Value value);
int dict_del_if(Value d, Value key, Value value); /* deletes the entry if it holds this very value: 1, 0, -1 */
int dict_pop_hashed(Value d, Value key, int64_t hash, Value *out);
Value dict_setdefault(Value d, Value key, Value dflt); /* owned */
Value dict_setdefault_hashed(Value d, Value key, int64_t hash, Value dflt);
int dict_contains(Value d, Value key);
static ALWAYS_INLINE intptr_t dict_len(Value d) {
    return (intptr_t)LOAD_RELAXED(&((Dict *)d)->len);
}
/* Cursor iteration over a dict that may change meanwhile (never crashes): *pos starts at 0; key and value owned. Either
 * may be NULL. */
bool dict_next(Value d, intptr_t *pos, Value *key, Value *value);
bool dict_next_hashed(Value d, intptr_t *pos, Value *key, Value *value, int64_t *hash);
bool dict_prev(Value d, intptr_t *pos, Value *key, Value *value); /* *pos starts at dict_end */
intptr_t dict_end(Value d);
int dict_popitem(Value d, Value *key, Value *value); /* last entry: 1 (owned), 0 empty */
int dict_update(Value d, Value other);               /* mapping or iterable of pairs */
int dict_merge(Value d, Value other,
               int override); /* a mapping; override 0: keep old values, 2: KeyError(key) on duplicates, for calls */
int dict_merge_pairs(Value d, Value iterable, int override);
Value dict_copy(Value d); /* exact dict */
void dict_clear(Value d);
Value dict_keys_list(Value d);
Value dict_values_list(Value d);
Value dict_items_list(Value d);
/* hash of a key: cached for exact str; -1 with "unhashable type: 'X'". */
int64_t dict_hash_key(Value key);
int dict_equal(Value a, Value b); /* both dicts; 1, 0, -1 */

/* For inline caches of module globals: the block's layout id, and the slot of an interned key in it (made as a hole
 * when absent): the slot stays that key's as long as the layout id stays the same. Ids are never 0 and not reused while
 * cached. -1: too large, or no memory (nothing pending). */
intptr_t dict_cache_slot(Value d, Value key, uint32_t *layout_id);
Value dict_cached_load_locked(Value d, uint32_t layout_id, uint32_t slot);
bool dict_cached_missing_locked(Value d, uint32_t layout_id, uint32_t slot);
bool dict_cached_store_slow(Value d, uint32_t layout_id, uint32_t slot, Value v);

/* Value in slot of the block with layout_id: owned, or ABSENT when the layout changed or the slot is a hole. */
static ALWAYS_INLINE Value dict_cached_load(Value d, uint32_t layout_id, uint32_t slot) {
    if (!READS_LOCK_FREE)
        return dict_cached_load_locked(d, layout_id, slot);
    DictBlock *b = LOAD_ACQUIRE(&((Dict *)d)->block); /* pairs with publish(): the block's header is visible */
    if (UNLIKELY(!b || LOAD_RELAXED(&b->stamp) != layout_id))
        return ABSENT;
    return ref_load_lasting(d, &b->entries[slot].value);
}
/* Whether the slot is still a reserved hole of that layout (the key is missing). */
static ALWAYS_INLINE bool dict_cached_missing(Value d, uint32_t layout_id, uint32_t slot) {
    if (!READS_LOCK_FREE)
        return dict_cached_missing_locked(d, layout_id, slot);
    DictBlock *b = LOAD_ACQUIRE(&((Dict *)d)->block);
    return b && LOAD_RELAXED(&b->stamp) == layout_id && LOAD_ACQUIRE(&b->entries[slot].value) == ABSENT;
}
/* Stores into such a slot; false when the layout changed or the slot is a hole (use dict_set). Retains v. */
static ALWAYS_INLINE bool dict_cached_store(Value d, uint32_t layout_id, uint32_t slot, Value v) {
    if (EXCL_PARALLEL)
        return dict_cached_store_slow(d, layout_id, slot, v);
    DictBlock *b = LOAD_RELAXED(&((Dict *)d)->block);
    if (UNLIKELY(!b || LOAD_RELAXED(&b->stamp) != layout_id))
        return false;
    Ref *r = &b->entries[slot].value;
    if (UNLIKELY(ref_peek(r) == ABSENT))
        return false;
    ref_store(d, r, retained(v));
    return true;
}

static ALWAYS_INLINE bool v_is_dict_exact(Value v) {
    return v_is_exact(v, IDX_DICT);
}

/* The types' registration (runtime/start.c). */
void dict_init(void);
void dictview_init(void);

#endif

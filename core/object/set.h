/* set and frozenset: an open-addressing table of keys, CPython's growth and probing order (so that iteration order is
 * the same).
 *
 * The invariants are dict.h's: an entry is never given to another key within its block, deletion leaves a tombstone
 * (V_MARK), growth publishes a new block, a replaced block is emptied where readers run without a lock. */
#ifndef POLYGIL_SET_H
#define POLYGIL_SET_H

#include "object/object.h"

typedef struct SetEntry {
    Ref key; /* ABSENT: never used; V_MARK: removed */
    _Atomic(int64_t) hash;
} SetEntry;

typedef struct SetBlock {
    size_t mask;
    size_t fill;      /* used entries and tombstones */
    uint32_t finger;  /* where pop() looks next */
    uint32_t objects; /* not 0: some key is or was an object, not an immediate */
    uint64_t stamp;   /* never met again */
    SetEntry entries[];
} SetBlock;

typedef struct Set {
    Object hdr;
    _Atomic(size_t) len;
    _Atomic(SetBlock *) block; /* NULL: empty */
    _Atomic(int64_t) hash;     /* of a frozenset; -1: not yet computed */
} Set;

Value set_new(void);
Value set_from(Value iterable);       /* ABSENT: empty */
Value frozenset_from(Value iterable); /* ABSENT: the empty one */
int set_add(Value s, Value v);
int set_add_new(Value s, Value v); /* 1 added, 0 was there, -1 */
int set_contains(Value s, Value v);
int set_discard(Value s, Value v); /* 1 removed, 0 missing, -1 */
static ALWAYS_INLINE intptr_t set_len(Value s) {
    return (intptr_t)LOAD_RELAXED(&((Set *)s)->len);
}
/* s | {v} for an exact set or frozenset s: new, laid out as if made in these two steps. */
Value set_with(Value s, Value v);
int set_update(Value s, Value iterable);
int set_difference_update(Value s, Value iterable);
int set_symmetric_difference_update(Value s, Value iterable);
void set_clear(Value s);
Value set_copy(Value s);                            /* exact set or frozenset, as s */
Value set_to_list(Value s);                         /* at one moment */
Value set_pop(Value s);                             /* KeyError */
bool set_next(Value s, intptr_t *pos, Value *item); /* owned item */
static ALWAYS_INLINE bool v_is_set(Value v) {
    return v_has_flag(v, TF_SET | TF_FROZENSET);
}
/* 1, 0, -1; other is any set. */
int set_issubset(Value s, Value other);
int set_equal(Value a, Value b);
void set_init(void); /* the types' registration (runtime/start.c) */

#endif

/* Arrays of Refs, and the memory of containers' blocks.
 *
 * The holder's section is held, or the holder is unpublished. A block is plain memory (heap_block) that its holder's
 * TypeOps trace and free. */
#ifndef POLYGIL_REFS_H
#define POLYGIL_REFS_H

#include "heap.h"
#include "object/native.h"
#include "object/object.h"
#include "object/str.h"

/* True when another thread may look into the container's memory without its lock. */
static ALWAYS_INLINE bool readers_unlocked(Value holder) {
    return EXCL_PARALLEL && READS_LOCK_FREE && !excl_alone(holder);
}

/* memmove within holder; no word is ever torn where readers may look. */
void refs_move(Value holder, Ref *dst, Ref *src, size_t n);
void refs_copy(Ref *dst, const Ref *src, size_t n); /* dst is unpublished: memcpy, and one more reference to each */
void refs_retain(const Ref *src, size_t n);         /* one more reference to each */
/* `times` more references to each. */
void refs_retain_times(const Ref *src, size_t n, size_t times);
void refs_release(Ref *src, size_t n); /* drops each; the words are left as they are (the memory is unpublished) */
void refs_zero(Ref *dst, size_t n);    /* ABSENT everywhere; nothing is released */
/* Empties a replaced block's slots where readers may still look into it, before what they held can be released. */
static ALWAYS_INLINE void refs_forget(Value holder, Ref *src, size_t n) {
    if (COUNT_EXACT && readers_unlocked(holder))
        refs_zero(src, n);
}

/* A field that any thread may replace: owned or ABSENT; and its replacement, which retains v. Neither is legal in a
 * section. */
Value ref_read(Value holder, Ref *r);
void ref_write(Value holder, Ref *r, Value v);

/* What such a field says until the end below, counted where another thread may replace it. Runs no code, before or at
 * the end; neither may what lies between. */
typedef struct BorrowedRef {
    Value v; /* owned */
} BorrowedRef;
static ALWAYS_INLINE Value borrow_begin(BorrowedRef *b, Value holder, Ref *r) {
    if (LIKELY(excl_alone(holder))) {
        b->v = ABSENT;
        return ref_peek(r);
    }
    return b->v = ref_read(holder, r);
}
static ALWAYS_INLINE void borrow_end(BorrowedRef *b) {
    if (COUNT_EXACT && v_is_obj(b->v))
        release_later(v_obj(b->v));
}

/* Memory for a block, uninitialised; NULL with MemoryError. */
void *block_alloc(size_t bytes);
void *block_alloc_zeroed(size_t bytes, size_t from); /* the bytes from `from` on are zero */
void block_retire(Value holder, void *block);        /* was holder's: freed once no reader can hold it; NULL allowed */
void block_free(void *block);                        /* was never published; NULL allowed */

/* Equality that needs no Python code and no lock: 1, 0, or -1 when only obj_eq can tell. Both alive. */
int tuple_flat_eq(Value a, Value b); /* of exact tuples, -1 for tuples in tuples too */
static ALWAYS_INLINE int equal_simply(Value a, Value b, bool tuples) {
    if (a == b)
        return 1;
    if (v_is_int(a) && v_is_int(b))
        return 0;
    if (v_is_obj_nz(a) && v_is_obj_nz(b)) {
        if (tuples && obj_index(a) == IDX_TUPLE && obj_index(b) == IDX_TUPLE)
            return tuple_flat_eq(a, b);
        return obj_index(a) == IDX_STR && obj_index(b) == IDX_STR ? str_equal(a, b) : -1;
    }
    if (v_is_flo(a) && v_is_flo(b))
        return v_flo(a) == v_flo(b);
    if ((v_is_none(a) && (!v_is_obj_nz(b) || obj_index(b) == IDX_STR)) ||
        (v_is_none(b) && (!v_is_obj_nz(a) || obj_index(a) == IDX_STR)))
        return 0;
    return -1;
}
static ALWAYS_INLINE int simple_eq(Value a, Value b) {
    return equal_simply(a, b, true);
}
static ALWAYS_INLINE int flat_eq(Value a, Value b) {
    return equal_simply(a, b, false);
}

/* Helpers for the natives of container types. */

/* True when `other` should be asked for its reflected method before a sequence's own operator complains. */
bool seq_defers(Value other, int reflected_sp);

/* Keywords given to the constructor of t, which is base or a subclass: TypeError for base itself and for subclasses
 * without a method sp (SP_NEW, SP_INIT) of their own, which would have taken them. */
bool check_no_keywords(Type *base, int sp, Type *t, const char *name, Value kw);

/* __dict__ of instances of built-in types with TF_HAS_DICT. */
Value instance_dict_get(Value self);
int instance_dict_set(Value self, Value v);
#define INSTANCE_DICT_DEF {"__dict__", instance_dict_get, instance_dict_set, NULL}

#define COMPARE_NATIVES(prefix, fn)                                               \
    static Value prefix##_lt(Value self, Value *args, intptr_t nargs, Value kw) { \
        return fn(self, args[0], CMP_LT);                                         \
    }                                                                             \
    static Value prefix##_le(Value self, Value *args, intptr_t nargs, Value kw) { \
        return fn(self, args[0], CMP_LE);                                         \
    }                                                                             \
    static Value prefix##_eq(Value self, Value *args, intptr_t nargs, Value kw) { \
        return fn(self, args[0], CMP_EQ);                                         \
    }                                                                             \
    static Value prefix##_ne(Value self, Value *args, intptr_t nargs, Value kw) { \
        return fn(self, args[0], CMP_NE);                                         \
    }                                                                             \
    static Value prefix##_gt(Value self, Value *args, intptr_t nargs, Value kw) { \
        return fn(self, args[0], CMP_GT);                                         \
    }                                                                             \
    static Value prefix##_ge(Value self, Value *args, intptr_t nargs, Value kw) { \
        return fn(self, args[0], CMP_GE);                                         \
    }
#define COMPARE_DEFS(prefix)                                                    \
    {"__lt__", prefix##_lt, "($self, value, /)", 0, "Return self<value."},      \
        {"__le__", prefix##_le, "($self, value, /)", 0, "Return self<=value."}, \
        {"__eq__", prefix##_eq, "($self, value, /)", 0, "Return self==value."}, \
        {"__ne__", prefix##_ne, "($self, value, /)", 0, "Return self!=value."}, \
        {"__gt__", prefix##_gt, "($self, value, /)", 0, "Return self>value."},  \
        {"__ge__", prefix##_ge, "($self, value, /)", 0, "Return self>=value."}

/* Order of two lengths under a comparison: what richer sequences fall back to when all common items are equal. */
static inline Value compare_lengths(intptr_t a, intptr_t b, int op) {
    switch (op) {
    case CMP_LT:
        return v_bool(a < b);
    case CMP_LE:
        return v_bool(a <= b);
    case CMP_EQ:
        return v_bool(a == b);
    case CMP_NE:
        return v_bool(a != b);
    case CMP_GT:
        return v_bool(a > b);
    default:
        return v_bool(a >= b);
    }
}

#endif

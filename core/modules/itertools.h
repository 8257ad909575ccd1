/* What the files of the itertools module share: one layout for its iterators.
 *
 * An iterator has up to six references and three numbers; each file names them. Fields are loaded owned and changed
 * under the iterator's leaf lock, so threads that share an iterator may get items in any order but never crash; calls
 * of Python code happen between such steps. */
#ifndef POLYGIL_ITERTOOLS_H
#define POLYGIL_ITERTOOLS_H

#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

enum { IT_REFS = 6, IT_NUMS = 3 };
typedef struct It {
    Object hdr;
    Ref ref[IT_REFS];
    _Atomic(int64_t) num[IT_NUMS];
} It;
static ALWAYS_INLINE It *it_of(Value v) {
    return (It *)v;
}
extern const TypeOps it_ops;

/* An instance with nothing in it, not tracked. */
static inline Value it_new(Value cls) {
    return obj_new((Type *)cls);
}
static inline void it_init(Value it, int i, Value v) {
    ref_init(&it_of(it)->ref[i], v);
} /* steals; before tracking */
static inline Value it_done(Value it) {
    trace_track(v_obj(it));
    return it;
}
/* Field i: owned, or ABSENT. */
static ALWAYS_INLINE Value it_get(Value it, int i) {
    if (!EXCL_PARALLEL)
        return retained(ref_peek(&it_of(it)->ref[i]));
    return ref_read(it, &it_of(it)->ref[i]);
}
/* Fields that never change while the iterator can be reached: borrowed. */
static ALWAYS_INLINE Value it_peek(Value it, int i) {
    return ref_peek(&it_of(it)->ref[i]);
}
/* Steals v; returns the old value, owned. */
static inline Value it_swap(Value it, int i, Value v) {
    excl_leaf_lock(it);
    Value old = ref_swap(it, &it_of(it)->ref[i], v);
    excl_leaf_unlock(it);
    return old;
}
static inline void it_set(Value it, int i, Value v) {
    release(it_swap(it, i, v));
}
/* Replaces what is in field i if it is still `seen`: steals v when so. */
static inline bool it_replace(Value it, int i, Value seen, Value v) {
    excl_leaf_lock(it);
    bool same = ref_peek(&it_of(it)->ref[i]) == seen;
    Value old = same ? ref_swap(it, &it_of(it)->ref[i], v) : ABSENT;
    excl_leaf_unlock(it);
    release(old);
    return same;
}
static ALWAYS_INLINE int64_t it_num(Value it, int i) {
    return LOAD_RELAXED(&it_of(it)->num[i]);
}
static ALWAYS_INLINE void it_set_num(Value it, int i, int64_t n) {
    STORE_RELAXED(&it_of(it)->num[i], n);
}

/* False with TypeError when an exact class got keywords it does not take. */
bool it_no_keywords(Type *t, Value cls, const char *name, Value kw);
/* (type(self), args[, state]): steals args and state; state ABSENT: none. */
Value it_reduce(Value self, Value args, Value state);
Value it_iterators(Value *args, intptr_t n); /* tuple of iter(x) */

typedef struct ItSpec {
    Type *type;
    const char *name, *doc;
    const NativeDef *methods;
    NextFn next;
    size_t size;        /* 0: It */
    const TypeOps *ops; /* NULL: it_ops */
    bool weakref;
    bool hidden; /* cannot be made by Python code */
} ItSpec;
/* Makes the type and adds it to the module under the last part of its name. */
int it_add_type(Value module, const ItSpec *spec, TypeSpec *storage);

int itertools_combine_exec(Value module);
int itertools_group_exec(Value module);
Value itertools_tee(Value self, Value *args, intptr_t nargs, Value kw);

#define IT_NEXT(fn)                                                          \
    static Value n_##fn(Value self, Value *args, intptr_t nargs, Value kw) { \
        return iter_end(fn(self));                                           \
    }
#define IT_COMMON(fn)                                                  \
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."}, \
        {"__next__", n_##fn, "($self, /)", 0, "Implement next(self)."}
#define NEW_DOC "Create and return a new object.  See help(type) for accurate signature."
#define REDUCE_DEF(fn) {"__reduce__", fn, "($self, /)", 0, "Return state information for pickling."}
#define SETSTATE_DEF(fn) {"__setstate__", fn, "($self, state, /)", 0, "Set state information for unpickling."}

#endif

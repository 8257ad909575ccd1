/* Iterators over lists, tuples, sequences by index, and callables; the table of C `next` functions. */
#include "object/iter.h"

#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/tuple.h"

Type tuple_iter_type, seq_iter_type, list_reviter_type, list_iter_type, call_iter_type;

static SeqIter *I(Value v) {
    return (SeqIter *)v;
}

/* ---- registration ---- */

/* Built-in types have small constant indices; the others are found by open addressing. */
static NextFn builtin_next[IDX_ORD_END];
static struct {
    uint32_t index;
    NextFn fn;
} other_next[128];

void iter_register(Type *t, NextFn fn) {
    uint32_t index = shape_index(t->root), ord = index / (sizeof(Shape) / 16);
    if (ord < IDX_ORD_END) {
        builtin_next[ord] = fn;
        return;
    }
    uint32_t i = ord % ARRAY_LEN(other_next), n = 0;
    while (other_next[i].index && other_next[i].index != index) {
        if (++n == ARRAY_LEN(other_next) / 2)
            fatal("too many iterator types");
        i = (i + 1) % ARRAY_LEN(other_next);
    }
    other_next[i].index = index;
    other_next[i].fn = fn;
}

NextFn iter_next_fn(Value it) {
    if (!v_is_obj(it))
        return NULL;
    uint32_t index = obj_index(it), ord = index / (sizeof(Shape) / 16);
    if (LIKELY(ord < IDX_ORD_END))
        return builtin_next[ord];
    uint32_t i = ord % ARRAY_LEN(other_next);
    while (other_next[i].index && other_next[i].index != index)
        i = (i + 1) % ARRAY_LEN(other_next);
    return other_next[i].fn;
}

/* ---- what iterators have in common ---- */

Value iter_self(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}

Value iter_end(Value v) {
    if (v == ABSENT && !err_pending())
        err_set_none(&exc_StopIteration);
    return v;
}

Value iter_builtin(const char *name) {
    return import_attr("builtins", name);
}

/* ---- by index ---- */

static Value make(Type *t, Value seq, intptr_t index) {
    Value it = obj_new(t);
    if (it == ABSENT)
        return ABSENT;
    ref_init(&I(it)->seq, retained(seq));
    STORE_RELAXED(&I(it)->index, index);
    trace_track(v_obj(it));
    return it;
}

Value list_iter_new(Value l) {
    return make(&list_iter_type, l, 0);
}
Value list_reviter_new(Value l) {
    return make(&list_reviter_type, l, list_len(l) - 1);
}
Value tuple_iter_new(Value t) {
    return make(&tuple_iter_type, t, 0);
}
Value seq_iter_new(Value seq) {
    return make(&seq_iter_type, seq, 0);
}

/* The sequence (owned, or borrowed from an iterator that no other thread can reach) and an index that no other thread
 * gets: ABSENT when exhausted. */
static ALWAYS_INLINE Value take_index(Value it, intptr_t step, intptr_t *index) {
    if (LIKELY(excl_alone(it))) {
        Value seq = ref_peek(&I(it)->seq);
        *index = LOAD_RELAXED(&I(it)->index);
        STORE_RELAXED(&I(it)->index, *index + step);
        return seq;
    }
    excl_leaf_lock(it);
    Value seq = retained(ref_peek(&I(it)->seq));
    *index = LOAD_RELAXED(&I(it)->index);
    if (seq != ABSENT)
        STORE_RELAXED(&I(it)->index, *index + step);
    excl_leaf_unlock(it);
    return seq;
}
static ALWAYS_INLINE void drop_seq(Value it, Value seq) {
    if (!excl_alone(it))
        release(seq);
}

static NOINLINE Value list_iter_next_slow(Value it) {
    intptr_t i;
    Value l = take_index(it, 1, &i);
    if (l == ABSENT)
        return ABSENT;
    Value v = list_get_fast(l, i);
    drop_seq(it, l);
    if (UNLIKELY(v == ABSENT))
        ref_write(it, &I(it)->seq, ABSENT);
    return v;
}

/* The common path makes no call, so it needs no stack frame. */
static Value list_iter_next(Value it) {
    Value l;
    if (READS_LOCK_FREE && LIKELY(excl_alone(it)) && (l = ref_peek(&I(it)->seq)) != ABSENT) {
        intptr_t i = LOAD_RELAXED(&I(it)->index);
        Value v = list_get_quick(l, i);
        if (LIKELY(v != ABSENT)) {
            STORE_RELAXED(&I(it)->index, i + 1);
            return v;
        }
    }
    return list_iter_next_slow(it);
}

static Value list_reviter_next(Value it) {
    intptr_t i;
    Value l = take_index(it, -1, &i);
    if (l == ABSENT)
        return ABSENT;
    Value v = i < 0 ? ABSENT : list_get_fast(l, i);
    drop_seq(it, l);
    if (UNLIKELY(v == ABSENT))
        ref_write(it, &I(it)->seq, ABSENT);
    return v;
}

static Value tuple_iter_next(Value it) {
    intptr_t i;
    Value t = take_index(it, 1, &i);
    if (t == ABSENT)
        return ABSENT;
    Value v = i < tuple_len(t) ? retained(tuple_get(t, i)) : ABSENT;
    drop_seq(it, t);
    if (UNLIKELY(v == ABSENT))
        ref_write(it, &I(it)->seq, ABSENT);
    return v;
}

static Value seq_iter_next(Value it) {
    Value seq = ref_read(it, &I(it)->seq);
    if (seq == ABSENT)
        return ABSENT;
    intptr_t i = LOAD_RELAXED(&I(it)->index);
    Value v = ABSENT;
    if (i == INTPTR_MAX) {
        err_set(&exc_OverflowError, "iter index too large");
    } else {
        Value index = int_from_i64(i);
        v = index == ABSENT ? ABSENT : obj_getitem(seq, index);
        release(index);
        if (v != ABSENT) {
            atomic_compare_exchange_strong(&I(it)->index, &i, i + 1);
        } else if (err_matches(&exc_IndexError) || err_matches(&exc_StopIteration)) {
            err_clear();
            ref_write(it, &I(it)->seq, ABSENT);
        }
    }
    release(seq);
    return v;
}

static Value n_list_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(list_iter_next(self));
}
static Value n_list_reviter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(list_reviter_next(self));
}
static Value n_tuple_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(tuple_iter_next(self));
}
static Value n_seq_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(seq_iter_next(self));
}

static Value m_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    Value seq = ref_read(self, &I(self)->seq);
    if (seq == ABSENT)
        return v_from_int(0);
    intptr_t i = LOAD_RELAXED(&I(self)->index), n;
    if (v_is_exact(self, IDX_LIST_REVITER)) {
        n = list_len(seq);
        n = i + 1 > n ? 0 : i + 1;
    } else if (v_is_exact(self, IDX_LIST_ITER)) {
        n = list_len(seq) - i;
    } else if (v_is_exact(self, IDX_TUPLE_ITER)) {
        n = tuple_len(seq) - i;
    } else {
        if (type_special(type_of(seq), SP_LEN) == ABSENT) {
            release(seq);
            return V_NOTIMPL;
        }
        n = obj_len(seq);
        if (n < 0) {
            release(seq);
            return ABSENT;
        }
        n -= i;
    }
    release(seq);
    return v_from_int(MAX(n, 0));
}

/* iter([]) or reversed([]) stand for an exhausted iterator. */
static Value m_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    bool reverse = v_is_exact(self, IDX_LIST_REVITER);
    Value seq = ref_read(self, &I(self)->seq), r = ABSENT;
    Value fn = iter_builtin(reverse ? "reversed" : "iter");
    if (fn == ABSENT) {
        release(seq);
        return ABSENT;
    }
    if (seq == ABSENT) {
        bool t = v_is_exact(self, IDX_TUPLE_ITER) || v_is_exact(self, IDX_SEQ_ITER);
        Value empty = t ? tuple_empty() : list_new(0);
        if (reverse) {
            release(fn);
            fn = iter_builtin("iter");
        }
        Value a = empty == ABSENT || fn == ABSENT ? ABSENT : tuple_from_steal(&empty, 1);
        if (a != ABSENT)
            r = tuple_pack(2, fn, a);
        release(a);
    } else {
        Value a = tuple_from_steal(&seq, 1), i = int_from_i64(LOAD_RELAXED(&I(self)->index));
        if (a != ABSENT && i != ABSENT)
            r = tuple_pack(3, fn, a, i);
        release(a);
        release(i);
    }
    release(fn);
    return r;
}

static Value m_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    Value seq = ref_read(self, &I(self)->seq);
    if (seq == ABSENT)
        return V_NONE;
    bool reverse = v_is_exact(self, IDX_LIST_REVITER);
    if (reverse) {
        i = i < -1 ? -1 : MIN(i, list_len(seq) - 1);
    } else {
        i = MAX(i, 0);
        if (v_is_exact(self, IDX_LIST_ITER))
            i = MIN(i, list_len(seq));
        else if (v_is_exact(self, IDX_TUPLE_ITER))
            i = MIN(i, tuple_len(seq));
    }
    STORE_RELAXED(&I(self)->index, i);
    release(seq);
    return V_NONE;
}

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&I(self)->seq), arg);
}
static void clear(Value self) {
    ref_clear(self, &I(self)->seq);
}
static const TypeOps ops = {traverse, clear, NULL};

#define INDEX_ITER_METHODS(next_fn)                                                                                 \
    {                                                                                                               \
        {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},                                          \
            {"__next__", next_fn, "($self, /)", 0, "Implement next(self)."},                                        \
            {"__length_hint__", m_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."}, \
            {"__reduce__", m_reduce, "($self, /)", 0, "Return state information for pickling."},                    \
            {"__setstate__", m_setstate, "($self, state, /)", 0, "Set state information for unpickling."}, {        \
            NULL                                                                                                    \
        }                                                                                                           \
    }
static const NativeDef list_iter_methods[] = INDEX_ITER_METHODS(n_list_iter);
static const NativeDef list_reviter_methods[] = INDEX_ITER_METHODS(n_list_reviter);
static const NativeDef tuple_iter_methods[] = INDEX_ITER_METHODS(n_tuple_iter);
static const NativeDef seq_iter_methods[] = INDEX_ITER_METHODS(n_seq_iter);

/* ---- iter(callable, sentinel) ---- */

typedef struct CallIter {
    Object hdr;
    Ref callable, sentinel; /* both ABSENT: exhausted */
} CallIter;
static CallIter *C(Value v) {
    return (CallIter *)v;
}

Value call_iter_new(Value callable, Value sentinel) {
    Value it = obj_new(&call_iter_type);
    if (it == ABSENT)
        return ABSENT;
    ref_init(&C(it)->callable, retained(callable));
    ref_init(&C(it)->sentinel, retained(sentinel));
    trace_track(v_obj(it));
    return it;
}

static void call_iter_finish(Value it) {
    ref_write(it, &C(it)->callable, ABSENT);
    ref_write(it, &C(it)->sentinel, ABSENT);
}

static Value call_iter_next(Value it) {
    Value f = ref_read(it, &C(it)->callable);
    if (f == ABSENT)
        return ABSENT;
    Value v = obj_call0(f);
    release(f);
    if (v == ABSENT) {
        if (err_matches(&exc_StopIteration)) {
            err_clear();
            call_iter_finish(it);
        }
        return ABSENT;
    }
    Value s = ref_read(it, &C(it)->sentinel);
    if (s == ABSENT) { /* exhausted by the call itself */
        release(v);
        return ABSENT;
    }
    int r = obj_eq(s, v);
    release(s);
    if (r == 0)
        return v;
    release(v);
    if (r > 0)
        call_iter_finish(it);
    return ABSENT;
}
static Value n_call_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(call_iter_next(self));
}

static Value call_iter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value fn = iter_builtin("iter"), f = ref_read(self, &C(self)->callable), s = ref_read(self, &C(self)->sentinel);
    Value a = ABSENT, r = ABSENT;
    if (f != ABSENT && s != ABSENT) {
        a = tuple_pack(2, f, s);
    } else {
        Value empty = tuple_empty();
        a = tuple_from_steal(&empty, 1);
    }
    if (fn != ABSENT && a != ABSENT)
        r = tuple_pack(2, fn, a);
    release(fn);
    release(f);
    release(s);
    release(a);
    return r;
}

static void call_iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&C(self)->callable), arg);
    visit(ref_peek(&C(self)->sentinel), arg);
}
static void call_iter_clear(Value self) {
    ref_clear(self, &C(self)->callable);
    ref_clear(self, &C(self)->sentinel);
}
static const TypeOps call_iter_ops = {call_iter_traverse, call_iter_clear, NULL};
static const NativeDef call_iter_methods[] = {
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_call_iter, "($self, /)", 0, "Implement next(self)."},
    {"__reduce__", call_iter_reduce, "($self, /)", 0, "Return state information for pickling."},
    {NULL},
};

/* ---- start-up ---- */

void iter_init(void) {
    static const TypeSpec list_iter = {.name = "list_iterator",
                                       .basic_size = sizeof(SeqIter),
                                       .flags = TF_IMMUTABLE | TF_NO_NEW,
                                       .ops = &ops,
                                       .methods = list_iter_methods};
    static const TypeSpec list_reviter = {.name = "list_reverseiterator",
                                          .basic_size = sizeof(SeqIter),
                                          .flags = TF_IMMUTABLE | TF_NO_NEW,
                                          .ops = &ops,
                                          .methods = list_reviter_methods};
    static const TypeSpec tuple_iter = {.name = "tuple_iterator",
                                        .basic_size = sizeof(SeqIter),
                                        .flags = TF_IMMUTABLE | TF_NO_NEW,
                                        .ops = &ops,
                                        .methods = tuple_iter_methods};
    static const TypeSpec seq_iter = {.name = "iterator",
                                      .basic_size = sizeof(SeqIter),
                                      .flags = TF_IMMUTABLE | TF_NO_NEW,
                                      .ops = &ops,
                                      .methods = seq_iter_methods};
    static const TypeSpec call_iter = {.name = "callable_iterator",
                                       .basic_size = sizeof(CallIter),
                                       .flags = TF_IMMUTABLE | TF_NO_NEW,
                                       .ops = &call_iter_ops,
                                       .methods = call_iter_methods};
    type_init_static(&list_iter_type, IDX_LIST_ITER, &list_iter);
    type_init_static(&list_reviter_type, IDX_LIST_REVITER, &list_reviter);
    type_init_static(&tuple_iter_type, IDX_TUPLE_ITER, &tuple_iter);
    type_init_static(&seq_iter_type, IDX_SEQ_ITER, &seq_iter);
    type_init_static(&call_iter_type, IDX_CALL_ITER, &call_iter);
    iter_register(&list_iter_type, list_iter_next);
    iter_register(&list_reviter_type, list_reviter_next);
    iter_register(&tuple_iter_type, tuple_iter_next);
    iter_register(&seq_iter_type, seq_iter_next);
    iter_register(&call_iter_type, call_iter_next);
}

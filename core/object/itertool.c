/* enumerate, reversed, zip, map, filter: iterators that pull from others. Their sources are fixed once made and emptied
 * only when they die, so they are read without a lock; what changes (a counter) is taken under the leaf lock. */
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/tuple.h"

Type zip_type, reversed_type, map_type, filter_type, enumerate_type;

static const Value one = ((uint64_t)1 << 1) | 1;

Value iter_pull(Value it) {
    if (v_is_exact(it, IDX_LIST_ITER) && excl_alone(it)) {
        SeqIter *s = (SeqIter *)it;
        Value l = ref_peek(&s->seq);
        intptr_t i = LOAD_RELAXED(&s->index);
        Value v = l != ABSENT ? list_get_fast(l, i) : ABSENT;
        if (LIKELY(v != ABSENT)) {
            STORE_RELAXED(&s->index, i + 1);
            return v;
        }
    }
    return obj_next(it);
}

/* ---- enumerate ---- */

typedef struct Enumerate {
    Object hdr;
    Ref it, index; /* index: an int */
} Enumerate;
static Enumerate *E(Value v) {
    return (Enumerate *)v;
}

static Value enumerate_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value start = arg_at(args, nargs, 1), index = start == ABSENT ? v_from_int(0) : num_index(start);
    if (v_is_bool(index))
        index = v_from_int(index == V_TRUE);
    Value it = index == ABSENT ? ABSENT : obj_iter(args[0]);
    Value e = it == ABSENT ? ABSENT : obj_new((Type *)cls);
    if (e == ABSENT) {
        release(index);
        release(it);
        return ABSENT;
    }
    ref_init(&E(e)->it, it);
    ref_init(&E(e)->index, index);
    trace_track(v_obj(e));
    return e;
}
static bool enumerate_pair(Value self, Value *pair) {
    pair[1] = iter_pull(ref_peek(&E(self)->it));
    if (pair[1] == ABSENT)
        return false;
    Value i = excl_alone(self) ? ref_peek(&E(self)->index) : ABSENT;
    if (LIKELY(v_is_int(i) && v_int(i) < INT_IMM_MAX)) {
        ref_init(&E(self)->index, i + 2);
        pair[0] = i;
        return true;
    }
    for (;;) {
        pair[0] = EXCL_PARALLEL ? ref_read(self, &E(self)->index) : retained(ref_peek(&E(self)->index));
        Value next = LIKELY(v_is_int(pair[0]) && v_int(pair[0]) < INT_IMM_MAX) ? v_from_int(v_int(pair[0]) + 1)
                                                                               : int_add(pair[0], one);
        if (next == ABSENT) {
            release(pair[0]);
            release(pair[1]);
            return false;
        }
        excl_leaf_lock(self);
        bool mine = ref_peek(&E(self)->index) == pair[0];
        Value old = mine ? ref_swap(self, &E(self)->index, next) : next;
        excl_leaf_unlock(self);
        release(old);
        if (LIKELY(mine))
            return true;
        release(pair[0]);
    }
}
static Value enumerate_next(Value self) {
    Value pair[2];
    return enumerate_pair(self, pair) ? tuple_from_steal(pair, 2) : ABSENT;
}
static Value n_enumerate(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(enumerate_next(self));
}
static Value enumerate_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value i = ref_read(self, &E(self)->index), a = tuple_pack(2, ref_peek(&E(self)->it), i), r = ABSENT;
    if (a != ABSENT)
        r = tuple_pack(2, V_OF(type_of(self)), a);
    release(i);
    release(a);
    return r;
}
static void enumerate_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&E(self)->it), arg);
    visit(ref_peek(&E(self)->index), arg);
}
static void enumerate_clear(Value self) {
    ref_store(self, &E(self)->it, V_NONE);
    ref_store(self, &E(self)->index, v_from_int(0));
}
static const TypeOps enumerate_ops = {enumerate_traverse, enumerate_clear, NULL};
static const NativeDef enumerate_methods[] = {
    {"__new__", enumerate_new, "($type, iterable, start=0)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_enumerate, "($self, /)", 0, "Implement next(self)."},
    {"__reduce__", enumerate_reduce, "($self, /)", 0, "Return state information for pickling."},
    CLASS_GETITEM_DEF,
    {NULL},
};

/* ---- reversed ---- */

static SeqIter *R(Value v) {
    return (SeqIter *)v;
}

static Value reversed_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!check_no_keywords(&reversed_type, SP_INIT, (Type *)cls, "reversed", kw))
        return ABSENT;
    if (nargs != 1)
        return err_set(&exc_TypeError, "reversed expected 1 argument, got %zd", (ssize_t)nargs);
    Value seq = args[0], method;
    int r = obj_lookup_special(seq, SP_REVERSED, &method);
    if (r < 0)
        return ABSENT;
    if (r && method == V_NONE)
        return err_set(&exc_TypeError, "'%T' object is not reversible", seq);
    if (r) {
        Value it = obj_call0(method);
        release(method);
        return it;
    }
    Type *t = type_of(seq);
    if ((t->flags & TF_DICT) || type_special(t, SP_GETITEM) == ABSENT || type_special(t, SP_LEN) == ABSENT)
        return err_set(&exc_TypeError, "'%T' object is not reversible", seq);
    intptr_t n = obj_len(seq);
    if (n < 0)
        return ABSENT;
    Value it = obj_new((Type *)cls);
    if (it == ABSENT)
        return ABSENT;
    ref_init(&R(it)->seq, retained(seq));
    STORE_RELAXED(&R(it)->index, n - 1);
    trace_track(v_obj(it));
    return it;
}
static Value reversed_next(Value it) {
    Value seq = ref_read(it, &R(it)->seq), v = ABSENT;
    if (seq == ABSENT)
        return ABSENT;
    excl_leaf_lock(it);
    intptr_t i = LOAD_RELAXED(&R(it)->index);
    if (i >= 0)
        STORE_RELAXED(&R(it)->index, i - 1);
    excl_leaf_unlock(it);
    if (i >= 0) {
        v = obj_getitem(seq, v_from_int(i));
        if (v == ABSENT && (err_matches(&exc_IndexError) || err_matches(&exc_StopIteration))) {
            err_clear();
            i = -1;
        }
    }
    if (i < 0) {
        STORE_RELAXED(&R(it)->index, -1);
        ref_write(it, &R(it)->seq, ABSENT);
    }
    release(seq);
    return v;
}
static Value n_reversed(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(reversed_next(self));
}
static Value reversed_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    Value seq = ref_read(self, &R(self)->seq);
    if (seq == ABSENT)
        return v_from_int(0);
    intptr_t n = obj_len(seq), i = LOAD_RELAXED(&R(self)->index) + 1;
    release(seq);
    return n < 0 ? ABSENT : v_from_int(n < i ? 0 : i);
}
static Value reversed_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value seq = ref_read(self, &R(self)->seq), a, r = ABSENT;
    if (seq == ABSENT)
        seq = tuple_empty();
    a = tuple_from_steal(&seq, 1);
    if (a == ABSENT)
        return ABSENT;
    if (ref_peek(&R(self)->seq) != ABSENT) {
        Value i = v_from_int(LOAD_RELAXED(&R(self)->index));
        r = tuple_pack(3, V_OF(type_of(self)), a, i);
    } else {
        r = tuple_pack(2, V_OF(type_of(self)), a);
    }
    release(a);
    return r;
}
static Value reversed_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i, n;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    Value seq = ref_read(self, &R(self)->seq);
    if (seq == ABSENT)
        return V_NONE;
    n = obj_len(seq);
    release(seq);
    if (n < 0)
        return ABSENT;
    STORE_RELAXED(&R(self)->index, i < -1 ? -1 : MIN(i, n - 1));
    return V_NONE;
}
static void reversed_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&R(self)->seq), arg);
}
static void reversed_clear(Value self) {
    ref_clear(self, &R(self)->seq);
}
static const TypeOps reversed_ops = {reversed_traverse, reversed_clear, NULL};
static const NativeDef reversed_methods[] = {
    {"__new__", reversed_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_reversed, "($self, /)", 0, "Implement next(self)."},
    {"__length_hint__", reversed_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", reversed_reduce, "($self, /)", 0, "Return state information for pickling."},
    {"__setstate__", reversed_setstate, "($self, state, /)", 0, "Set state information for unpickling."},
    {NULL},
};

/* ---- zip, map, filter ---- */

typedef struct Puller {
    Object hdr;
    Ref func;             /* map, filter: callable; zip: ABSENT */
    Ref sources;          /* zip, map: tuple of iterators; filter: the iterator */
    _Atomic(bool) strict; /* zip */
} Puller;
static Puller *P(Value v) {
    return (Puller *)v;
}

static void puller_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&P(self)->func), arg);
    visit(ref_peek(&P(self)->sources), arg);
}
static void puller_clear(Value self) {
    ref_clear(self, &P(self)->func);
    ref_clear(self, &P(self)->sources);
}
static const TypeOps puller_ops = {puller_traverse, puller_clear, NULL};

static Value iterators_of(Value *args, intptr_t n) {
    Value t = tuple_new(n);
    for (intptr_t i = 0; t != ABSENT && i < n; i++) {
        Value it = obj_iter(args[i]);
        if (it == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, i, it);
    }
    if (t != ABSENT && n)
        tuple_track(t);
    return t;
}
/* Steals sources. */
static Value puller_new(Value cls, Value func, Value sources) {
    Value p = sources == ABSENT ? ABSENT : obj_new((Type *)cls);
    if (p == ABSENT) {
        release(sources);
        return ABSENT;
    }
    ref_init(&P(p)->func, retained(func));
    ref_init(&P(p)->sources, sources);
    trace_track(v_obj(p));
    return p;
}

static Value zip_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    int strict = 0;
    for (intptr_t i = 0, n = kw == ABSENT ? 0 : tuple_len(kw); i < n; i++) {
        if (!str_equal_c(tuple_get(kw, i), "strict")) {
            if ((Type *)cls == &zip_type || type_special((Type *)cls, SP_INIT) == type_special(&zip_type, SP_INIT))
                return err_set(&exc_TypeError, "'%S' is an invalid keyword argument for zip()", tuple_get(kw, i));
            continue;
        }
        strict = obj_truth(args[nargs + i]);
        if (strict < 0)
            return ABSENT;
    }
    Value z = puller_new(cls, ABSENT, iterators_of(args, nargs));
    if (z != ABSENT)
        STORE_RELAXED(&P(z)->strict, strict);
    return z;
}

/* zip(strict=True) whose argument i (from 0) ended while earlier ones had an item, or has one while argument 0 ended.
 */
static Value strict_failure(intptr_t i, const char *what) {
    if (i == 1)
        return err_set(&exc_ValueError, "zip() argument 2 is %s than argument 1", what);
    return err_set(&exc_ValueError, "zip() argument %zd is %s than arguments 1-%zd", (ssize_t)(i + 1), what,
                   (ssize_t)i);
}
/* The next item of each of the n sources: true, owned; false: exhausted, or an exception. */
static bool zip_fill(Value self, Value sources, Value *out, intptr_t n) {
    for (intptr_t i = 0; i < n; i++) {
        out[i] = iter_pull(tuple_get(sources, i));
        if (LIKELY(out[i] != ABSENT))
            continue;
        for (intptr_t k = 0; k < i; k++) {
            Value v = out[k];
            out[k] = ABSENT;
            release(v);
        }
        if (err_pending() || !LOAD_RELAXED(&P(self)->strict))
            return false;
        if (i) {
            strict_failure(i, "shorter");
            return false;
        }
        for (intptr_t k = 1; k < n; k++) {
            Value v = iter_pull(tuple_get(sources, k));
            if (v != ABSENT) {
                release(v);
                strict_failure(k, "longer");
                return false;
            }
            if (err_pending())
                return false;
        }
        return false;
    }
    return true;
}
static Value zip_next(Value self) {
    Value sources = ref_peek(&P(self)->sources);
    intptr_t n = sources == ABSENT ? 0 : tuple_len(sources);
    if (n == 0)
        return ABSENT;
    Value t = tuple_new(n);
    if (t == ABSENT)
        return ABSENT;
    if (!zip_fill(self, sources, tuple_items(t), n)) {
        release(t);
        return ABSENT;
    }
    tuple_track(t);
    return t;
}

/* The item a list or tuple iterator of this thread alone is at: owned, or ABSENT (at its end, or another kind); it
 * stays where it is. */
static ALWAYS_INLINE Value seq_at(Value it) {
    if (!v_is_obj(it) || !excl_alone(it))
        return ABSENT;
    uint32_t kind = obj_index(it);
    if (kind != IDX_LIST_ITER && kind != IDX_TUPLE_ITER)
        return ABSENT;
    Value seq = ref_peek(&((SeqIter *)it)->seq);
    intptr_t i = LOAD_RELAXED(&((SeqIter *)it)->index);
    if (seq == ABSENT)
        return ABSENT;
    if (kind == IDX_LIST_ITER)
        return list_get_quick(seq, i);
    if (i >= tuple_len(seq))
        return ABSENT;
    Ref *slot = (Ref *)&tuple_items(seq)[i];
    Value v = LOAD_RELAXED(slot);
    return LIKELY(ref_load_quick(slot, v)) ? v : ABSENT;
}
static ALWAYS_INLINE void seq_step(Value it) {
    STORE_RELAXED(&((SeqIter *)it)->index, LOAD_RELAXED(&((SeqIter *)it)->index) + 1);
}

static NOINLINE bool not_the_first(Value first) {
    release(first);
    return false;
}

bool iter_fast_pair(Value it, Value *second_first) {
    if (!excl_alone(it))
        return false;
    if (obj_index(it) == IDX_ENUMERATE) {
        Value source = ref_peek(&E(it)->it), i = ref_peek(&E(it)->index);
        if (UNLIKELY(!v_is_int(i) || v_int(i) == INT_IMM_MAX))
            return false;
        Value v = seq_at(source);
        if (UNLIKELY(v == ABSENT))
            return false;
        seq_step(source);
        ref_init(&E(it)->index, i + 2);
        second_first[1] = i;
        second_first[0] = v;
        return true;
    }
    if (obj_index(it) != IDX_ZIP)
        return obj_index(it) == IDX_DICT_ITEMITER && dict_fast_item(it, second_first);
    Value sources = ref_peek(&P(it)->sources);
    if (sources == ABSENT || tuple_len(sources) != 2)
        return false;
    Value a = tuple_get(sources, 0), b = tuple_get(sources, 1);
    if (UNLIKELY(a == b))
        return false;
    Value x = seq_at(a);
    if (UNLIKELY(x == ABSENT))
        return false;
    Value y = seq_at(b);
    if (UNLIKELY(y == ABSENT))
        return not_the_first(x); /* a tail call: the common path has no stack frame */
    seq_step(a);
    seq_step(b);
    second_first[1] = x;
    second_first[0] = y;
    return true;
}

int iter_next_items(Value it, Value *out, intptr_t n) {
    if (!v_is_obj(it))
        return -2;
    switch (obj_index(it)) {
    case IDX_ENUMERATE:
        if (n == 2)
            return enumerate_pair(it, out) ? 1 : err_pending() ? -1 : 0;
        break;
    case IDX_ZIP: {
        Value sources = ref_peek(&P(it)->sources);
        if (n > 0 && sources != ABSENT && tuple_len(sources) == n)
            return zip_fill(it, sources, out, n) ? 1 : err_pending() ? -1 : 0;
        break;
    }
    case IDX_DICT_ITEMITER:
        if (n == 2)
            return dict_next_item(it, out);
        break;
    }
    return -2;
}

static Value n_zip(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(zip_next(self));
}
static Value zip_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    if (LOAD_RELAXED(&P(self)->strict))
        return tuple_pack(3, V_OF(type_of(self)), ref_peek(&P(self)->sources), V_TRUE);
    return tuple_pack(2, V_OF(type_of(self)), ref_peek(&P(self)->sources));
}
static Value zip_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = obj_truth(args[0]);
    if (r < 0)
        return ABSENT;
    STORE_RELAXED(&P(self)->strict, r);
    return V_NONE;
}
static const NativeDef zip_methods[] = {
    {"__new__", zip_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_zip, "($self, /)", 0, "Implement next(self)."},
    {"__reduce__", zip_reduce, "($self, /)", 0, "Return state information for pickling."},
    {"__setstate__", zip_setstate, "($self, state, /)", 0, "Set state information for unpickling."},
    {NULL},
};

static Value map_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!check_no_keywords(&map_type, SP_INIT, (Type *)cls, "map", kw))
        return ABSENT;
    if (nargs < 2)
        return err_set(&exc_TypeError, "map() must have at least two arguments.");
    return puller_new(cls, args[0], iterators_of(args + 1, nargs - 1));
}
static Value map_next(Value self) {
    Value sources = ref_peek(&P(self)->sources), few[8], scratch = ABSENT, r = ABSENT;
    intptr_t n = tuple_len(sources), got = 0;
    Value *items = few;
    if (n > (intptr_t)ARRAY_LEN(few)) {
        if ((scratch = scratch_new(n)) == ABSENT)
            return ABSENT;
        items = tuple_items(scratch);
    }
    for (; got < n; got++)
        if ((items[got] = iter_pull(tuple_get(sources, got))) == ABSENT)
            break;
    if (got == n)
        r = n == 1 ? obj_call1(ref_peek(&P(self)->func), items[0])
                   : obj_call(ref_peek(&P(self)->func), items, n, ABSENT);
    if (scratch != ABSENT)
        release(scratch);
    else
        for (intptr_t i = 0; i < got; i++)
            release(items[i]);
    return r;
}
static Value n_map(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(map_next(self));
}
static Value map_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = tuple_pack(1, ref_peek(&P(self)->func)),
          a = f == ABSENT ? ABSENT : tuple_concat(f, ref_peek(&P(self)->sources));
    Value r = a == ABSENT ? ABSENT : tuple_pack(2, V_OF(type_of(self)), a);
    release(f);
    release(a);
    return r;
}
static const NativeDef map_methods[] = {
    {"__new__", map_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_map, "($self, /)", 0, "Implement next(self)."},
    {"__reduce__", map_reduce, "($self, /)", 0, "Return state information for pickling."},
    {NULL},
};

static Value filter_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!check_no_keywords(&filter_type, SP_INIT, (Type *)cls, "filter", kw))
        return ABSENT;
    if (nargs != 2)
        return err_set(&exc_TypeError, "filter expected 2 arguments, got %zd", (ssize_t)nargs);
    Value it = obj_iter(args[1]);
    return it == ABSENT ? ABSENT : puller_new(cls, args[0], it);
}
static Value filter_next(Value self) {
    Value f = ref_peek(&P(self)->func), it = ref_peek(&P(self)->sources), v;
    bool plain = v_is_none(f) || f == V_OF(&bool_type);
    for (unsigned steps = 1; (v = iter_pull(it)) != ABSENT; steps++) {
        int r;
        if (plain) {
            r = obj_truth(v);
        } else {
            Value x = obj_call1(f, v);
            r = x == ABSENT ? -1 : obj_truth(x);
            release(x);
        }
        if (r > 0)
            return v;
        release(v);
        if (r < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            return ABSENT;
    }
    return ABSENT;
}
static Value n_filter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(filter_next(self));
}
static Value filter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = tuple_pack(2, ref_peek(&P(self)->func), ref_peek(&P(self)->sources));
    Value r = a == ABSENT ? ABSENT : tuple_pack(2, V_OF(type_of(self)), a);
    release(a);
    return r;
}
static const NativeDef filter_methods[] = {
    {"__new__", filter_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_filter, "($self, /)", 0, "Implement next(self)."},
    {"__reduce__", filter_reduce, "($self, /)", 0, "Return state information for pickling."},
    {NULL},
};

void itertool_init(void) {
    enum { FLAGS = TF_BASETYPE | TF_IMMUTABLE };
    static const TypeSpec enumerate = {
        .name = "enumerate",
        .doc = "Return an enumerate object.\n\n  iterable\n    an object supporting iteration\n\n"
               "The enumerate object yields pairs containing a count (from start, which\n"
               "defaults to zero) and a value yielded by the iterable argument.\n\n"
               "enumerate is useful for obtaining an indexed list:\n    (0, seq[0]), (1, seq[1]), (2, seq[2]), ...",
        .basic_size = sizeof(Enumerate),
        .flags = FLAGS,
        .ops = &enumerate_ops,
        .methods = enumerate_methods};
    static const TypeSpec reversed = {.name = "reversed",
                                      .doc = "Return a reverse iterator over the values of the given sequence.",
                                      .basic_size = sizeof(SeqIter),
                                      .flags = FLAGS,
                                      .ops = &reversed_ops,
                                      .methods = reversed_methods};
    static const TypeSpec zip = {
        .name = "zip",
        .doc = "zip(*iterables, strict=False) --> Yield tuples until an input is exhausted.\n\n"
               "   >>> list(zip('abcdefg', range(3), range(4)))\n   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]\n\n"
               "The zip object yields n-length tuples, where n is the number of iterables\n"
               "passed as positional arguments to zip().  The i-th element in every tuple\n"
               "comes from the i-th iterable argument to zip().  This continues until the\nshortest argument is "
               "exhausted.\n\n"
               "If strict is true and one of the arguments is exhausted before the others,\nraise a ValueError.",
        .basic_size = sizeof(Puller),
        .flags = FLAGS,
        .ops = &puller_ops,
        .methods = zip_methods};
    static const TypeSpec map = {
        .name = "map",
        .doc =
            "map(func, *iterables) --> map object\n\nMake an iterator that computes the function using arguments from\n"
            "each of the iterables.  Stops when the shortest iterable is exhausted.",
        .basic_size = sizeof(Puller),
        .flags = FLAGS,
        .ops = &puller_ops,
        .methods = map_methods};
    static const TypeSpec filter = {.name = "filter",
                                    .doc = "filter(function or None, iterable) --> filter object\n\nReturn an iterator "
                                           "yielding those items of iterable for which function(item)\n"
                                           "is true. If function is None, return the items that are true.",
                                    .basic_size = sizeof(Puller),
                                    .flags = FLAGS,
                                    .ops = &puller_ops,
                                    .methods = filter_methods};
    type_init_static(&enumerate_type, IDX_ENUMERATE, &enumerate);
    type_init_static(&reversed_type, IDX_REVERSED, &reversed);
    type_init_static(&zip_type, IDX_ZIP, &zip);
    type_init_static(&map_type, IDX_MAP, &map);
    type_init_static(&filter_type, IDX_FILTER, &filter);
    iter_register(&enumerate_type, enumerate_next);
    iter_register(&reversed_type, reversed_next);
    iter_register(&zip_type, zip_next);
    iter_register(&map_type, map_next);
    iter_register(&filter_type, filter_next);
}

/* The Python side of set and frozenset, and their iterator. */
#include "object/dict.h"
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/set_impl.h"
#include "object/str.h"
#include "object/tuple.h"

Type set_type, frozenset_type, set_iter_type;

static Set *S(Value v) {
    return (Set *)v;
}
static Value none_or_fail(int r) {
    return r < 0 ? ABSENT : V_NONE;
}
static Value then_drop(int r, Value s) {
    if (r >= 0)
        return s;
    release(s);
    return ABSENT;
}
static Type *base_type(Value s) {
    return v_has_flag(s, TF_FROZENSET) ? &frozenset_type : &set_type;
}

/* ---- iterator ---- */

typedef struct SetIter {
    Object hdr;
    Ref set; /* ABSENT: exhausted */
    _Atomic(intptr_t) pos;
    _Atomic(intptr_t) expected; /* -1: changed size, for ever */
    _Atomic(intptr_t) left;
} SetIter;
static SetIter *I(Value v) {
    return (SetIter *)v;
}

static Value iter_new(Value s) {
    Value it = obj_new(&set_iter_type);
    if (it == ABSENT)
        return ABSENT;
    ref_init(&I(it)->set, retained(s));
    STORE_RELAXED(&I(it)->expected, set_len(s));
    STORE_RELAXED(&I(it)->left, set_len(s));
    trace_track(v_obj(it));
    return it;
}

static Value iter_next(Value it) {
    Value s = EXCL_PARALLEL ? ref_read(it, &I(it)->set) : ref_peek(&I(it)->set), v = ABSENT;
    if (s == ABSENT)
        return ABSENT;
    for (;;) {
        if (UNLIKELY(LOAD_RELAXED(&I(it)->expected) != set_len(s))) {
            STORE_RELAXED(&I(it)->expected, -1);
            err_set(&exc_RuntimeError, "Set changed size during iteration");
            break;
        }
        intptr_t pos = LOAD_RELAXED(&I(it)->pos), at = pos;
        if (!set_next(s, &at, &v)) {
            v = ABSENT;
            ref_write(it, &I(it)->set, ABSENT);
            break;
        }
        if (EXCL_PARALLEL && !atomic_compare_exchange_strong(&I(it)->pos, &pos, at)) {
            release(v);
            continue;
        }
        if (EXCL_PARALLEL)
            atomic_fetch_sub_explicit(&I(it)->left, 1, memory_order_relaxed);
        else
            STORE_RELAXED(&I(it)->left, LOAD_RELAXED(&I(it)->left) - 1);
        if (!EXCL_PARALLEL)
            STORE_RELAXED(&I(it)->pos, at);
        break;
    }
    if (EXCL_PARALLEL)
        release(s);
    return v;
}
static Value n_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(iter_next(self));
}

static Value iter_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = ref_read(self, &I(self)->set);
    intptr_t n = s != ABSENT && LOAD_RELAXED(&I(self)->expected) == set_len(s) ? LOAD_RELAXED(&I(self)->left) : 0;
    release(s);
    return v_from_int(MAX(n, 0));
}
static Value iter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = ref_read(self, &I(self)->set), copy = ABSENT, l = ABSENT, r = ABSENT, fn = ABSENT;
    if (s == ABSENT) {
        l = list_new(0);
    } else if ((copy = iter_new(s)) != ABSENT) {
        STORE_RELAXED(&I(copy)->pos, LOAD_RELAXED(&I(self)->pos));
        STORE_RELAXED(&I(copy)->expected, LOAD_RELAXED(&I(self)->expected));
        STORE_RELAXED(&I(copy)->left, LOAD_RELAXED(&I(self)->left));
        l = seq_to_list(copy);
    }
    if (l != ABSENT && (fn = iter_builtin("iter")) != ABSENT) {
        Value a = tuple_pack(1, l);
        r = a == ABSENT ? ABSENT : tuple_pack(2, fn, a);
        release(a);
    }
    release(s);
    release(copy);
    release(l);
    release(fn);
    return r;
}
static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&I(self)->set), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &I(self)->set);
}
static const TypeOps iter_ops = {iter_traverse, iter_clear, NULL};
static const NativeDef iter_methods[] = {
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_next, "($self, /)", 0, "Implement next(self)."},
    {"__length_hint__", iter_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", iter_reduce, "($self, /)", 0, "Return state information for pickling."},
    {NULL},
};

/* ---- algebra ---- */

static Value intersection(Type *t, Value a, Value b) {
    Value s = set_new_type(t), item;
    int64_t hash;
    int r = 0;
    if (s == ABSENT)
        return ABSENT;
    if (v_is_set(b)) {
        intptr_t pos = 0;
        if (set_len(b) > set_len(a)) {
            Value x = a;
            a = b;
            b = x;
        }
        while (r >= 0 && set_next_hashed(b, &pos, &item, &hash)) {
            r = set_contains_hashed(a, item, hash);
            if (r > 0)
                r = set_add_hashed(s, item, hash);
            release(item);
        }
        return then_drop(r, s);
    }
    Value it = obj_iter(b);
    if (it == ABSENT)
        return then_drop(-1, s);
    while ((item = obj_next(it)) != ABSENT) {
        hash = dict_hash_key(item);
        r = hash == -1 ? -1 : set_contains_hashed(a, item, hash);
        if (r > 0)
            r = set_add_hashed(s, item, hash);
        release(item);
        if (r < 0)
            break;
    }
    release(it);
    return then_drop(err_pending() ? -1 : 0, s);
}

static Value difference(Type *t, Value a, Value b) {
    bool is_dict = v_is_dict_exact(b);
    if ((!v_is_set(b) && !is_dict) || set_len(a) >> 2 > (is_dict ? dict_len(b) : set_len(b))) {
        Value s = set_make(t, a);
        return s == ABSENT ? ABSENT : then_drop(set_difference_update(s, b), s);
    }
    Value s = set_new_type(t), item;
    int64_t hash;
    intptr_t pos = 0;
    int r = 0;
    while (s != ABSENT && r >= 0 && set_next_hashed(a, &pos, &item, &hash)) {
        if (is_dict) {
            Value v = dict_get_hashed(b, item, hash);
            r = v != ABSENT ? 1 : err_pending() ? -1 : 0;
            release(v);
        } else {
            r = set_contains_hashed(b, item, hash);
        }
        if (r == 0)
            r = set_add_hashed(s, item, hash);
        release(item);
    }
    return s == ABSENT ? ABSENT : then_drop(r, s);
}

static Value symmetric_difference(Type *t, Value a, Value b) {
    Value s = set_make(t, b);
    return s == ABSENT ? ABSENT : then_drop(set_symmetric_difference_update(s, a), s);
}
static Value set_or(Type *t, Value a, Value b) {
    Value s = set_make(t, a);
    return s == ABSENT ? ABSENT : then_drop(set_update(s, b), s);
}

#define BINARY(name, fn)                                                              \
    static Value n_##name(Value self, Value *args, intptr_t nargs, Value kw) {        \
        return v_is_set(args[0]) ? fn(base_type(self), self, args[0]) : V_NOTIMPL;    \
    }                                                                                 \
    static Value n_r##name(Value self, Value *args, intptr_t nargs, Value kw) {       \
        return v_is_set(args[0]) ? fn(base_type(args[0]), args[0], self) : V_NOTIMPL; \
    }
BINARY(and, intersection)
BINARY(or, set_or)
BINARY(sub, difference)
BINARY(xor, symmetric_difference)

static int intersection_update(Value s, Value other) {
    Value tmp = intersection(&set_type, s, other);
    if (tmp == ABSENT)
        return -1;
    set_swap_contents(s, tmp);
    release(tmp);
    return 0;
}

#define INPLACE(name, fn)                                                      \
    static Value n_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        if (!v_is_set(args[0]))                                                \
            return V_NOTIMPL;                                                  \
        return fn(self, args[0]) < 0 ? ABSENT : retained(self);                \
    }
INPLACE(iand, intersection_update)
INPLACE(ior, set_update)
INPLACE(isub, set_difference_update)
INPLACE(ixor, set_symmetric_difference_update)

/* ---- methods ---- */

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return set_new_type((Type *)cls);
}
static Value m_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (kw != ABSENT && tuple_len(kw))
        return err_set(&exc_TypeError, "set() takes no keyword arguments");
    if (nargs > 1)
        return err_set(&exc_TypeError, "set expected at most 1 argument, got %zd", (ssize_t)nargs);
    set_clear(self);
    Value src = arg_at(args, nargs, 0);
    return src == ABSENT ? V_NONE : none_or_fail(set_update(self, src));
}
static Value frozen_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)cls;
    Value src = ABSENT;
    if (!check_no_keywords(&frozenset_type, SP_INIT, t, "frozenset", kw))
        return ABSENT;
    if (nargs > 1)
        return err_set(&exc_TypeError, "frozenset expected at most 1 argument, got %zd", (ssize_t)nargs);
    src = arg_at(args, nargs, 0);
    return t == &frozenset_type ? frozenset_from(src) : set_make(t, src);
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (set_len(self) == 0)
        return str_format_c("%T()", self);
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_format_c("%T(...)", self);
    Value l = seq_to_list(self), text = l == ABSENT ? ABSENT : obj_repr(l), s = ABSENT;
    release(l);
    if (text != ABSENT) {
        Value items = str_substr(text, 1, str_len(text) - 1);
        if (items != ABSENT)
            s = v_is_exact(self, IDX_SET) ? str_format_c("{%S}", items) : str_format_c("%T({%S})", self, items);
        release(items);
    }
    release(text);
    repr_leave(self);
    return s;
}

static Value m_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_i64(set_hash(self));
}
static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(set_len(self));
}
static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_new(self);
}
static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = set_contains(self, args[0]);
    return r < 0 ? ABSENT : v_bool(r);
}

static Value compare(Value a, Value b, int op) {
    if (!v_is_set(b))
        return V_NOTIMPL;
    int r = 0;
    switch (op) {
    case CMP_EQ:
    case CMP_NE:
        r = set_equal(a, b);
        break;
    case CMP_LE:
        r = set_issubset(a, b);
        break;
    case CMP_GE:
        r = set_issubset(b, a);
        break;
    case CMP_LT:
        r = set_len(a) < set_len(b) ? set_issubset(a, b) : 0;
        break;
    case CMP_GT:
        r = set_len(a) > set_len(b) ? set_issubset(b, a) : 0;
        break;
    }
    return r < 0 ? ABSENT : v_bool(op == CMP_NE ? !r : r);
}
COMPARE_NATIVES(set, compare)

static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(set_add(self, args[0]));
}
static Value m_discard(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(set_discard(self, args[0]));
}
static Value m_remove(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = set_discard(self, args[0]);
    return r == 0 ? err_key(args[0]) : none_or_fail(r);
}
static Value m_pop(Value self, Value *args, intptr_t nargs, Value kw) {
    return set_pop(self);
}
static Value m_clear(Value self, Value *args, intptr_t nargs, Value kw) {
    set_clear(self);
    return V_NONE;
}
static Value m_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_is_exact(self, IDX_FROZENSET) ? retained(self) : set_copy(self);
}

static Value m_update(Value self, Value *args, intptr_t nargs, Value kw) {
    for (intptr_t i = 0; i < nargs; i++)
        if (set_update(self, args[i]) < 0)
            return ABSENT;
    return V_NONE;
}
static Value m_union(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = set_copy(self);
    for (intptr_t i = 0; s != ABSENT && i < nargs; i++)
        if (args[i] != self)
            s = then_drop(set_update(s, args[i]), s);
    return s;
}
static Value m_intersection(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs == 0)
        return set_copy(self);
    Value s = retained(self);
    for (intptr_t i = 0; s != ABSENT && i < nargs; i++) {
        Value next = intersection(base_type(self), s, args[i]);
        release(s);
        s = next;
    }
    return s;
}
static Value m_intersection_update(Value self, Value *args, intptr_t nargs, Value kw) {
    Value tmp = m_intersection(self, args, nargs, ABSENT);
    if (tmp == ABSENT)
        return ABSENT;
    set_swap_contents(self, tmp);
    release(tmp);
    return V_NONE;
}
static Value m_difference(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs == 0)
        return set_copy(self);
    Value s = difference(base_type(self), self, args[0]);
    for (intptr_t i = 1; s != ABSENT && i < nargs; i++)
        s = then_drop(set_difference_update(s, args[i]), s);
    return s;
}
static Value m_difference_update(Value self, Value *args, intptr_t nargs, Value kw) {
    for (intptr_t i = 0; i < nargs; i++)
        if (set_difference_update(self, args[i]) < 0)
            return ABSENT;
    return V_NONE;
}
static Value m_symmetric_difference(Value self, Value *args, intptr_t nargs, Value kw) {
    return symmetric_difference(base_type(self), self, args[0]);
}
static Value m_symmetric_difference_update(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(set_symmetric_difference_update(self, args[0]));
}

static Value m_isdisjoint(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = self, b = args[0], item;
    int r = 0;
    if (v_is_set(b)) {
        if (a == b)
            return v_bool(set_len(a) == 0);
        intptr_t pos = 0;
        int64_t hash;
        if (set_len(b) > set_len(a)) {
            a = b;
            b = self;
        }
        while (r == 0 && set_next_hashed(b, &pos, &item, &hash)) {
            r = set_contains_hashed(a, item, hash);
            release(item);
        }
        return r < 0 ? ABSENT : v_bool(!r);
    }
    Value it = obj_iter(b);
    if (it == ABSENT)
        return ABSENT;
    while (r == 0 && (item = obj_next(it)) != ABSENT) {
        int64_t h = dict_hash_key(item);
        r = h == -1 ? -1 : set_contains_hashed(a, item, h);
        release(item);
    }
    release(it);
    return err_pending() ? ABSENT : v_bool(!r);
}
static Value m_issubset(Value self, Value *args, intptr_t nargs, Value kw) {
    Value other = v_is_set(args[0]) ? retained(args[0]) : set_from(args[0]);
    int r = other == ABSENT ? -1 : set_issubset(self, other);
    release(other);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value m_issuperset(Value self, Value *args, intptr_t nargs, Value kw) {
    if (v_is_set(args[0])) {
        int r = set_issubset(args[0], self);
        return r < 0 ? ABSENT : v_bool(r);
    }
    Value it = obj_iter(args[0]), item;
    if (it == ABSENT)
        return ABSENT;
    int r = 1;
    while (r > 0 && (item = obj_next(it)) != ABSENT) {
        r = set_contains(self, item);
        release(item);
    }
    release(it);
    return err_pending() ? ABSENT : v_bool(r);
}

static Value m_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value l = seq_to_list(self), a = ABSENT, r = ABSENT, state = ABSENT;
    if (l != ABSENT && (a = tuple_pack(1, l)) != ABSENT &&
        (state = obj_call_method_str(self, "__getstate__", NULL, 0)) != ABSENT)
        r = tuple_pack(3, V_OF(type_of(self)), a, state);
    release(l);
    release(a);
    release(state);
    return r;
}
static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t n = sizeof(Set);
    ExclCs cs;
    excl_cs_begin(&cs, self);
    SetBlock *b = LOAD_RELAXED(&S(self)->block);
    if (b)
        n += sizeof(SetBlock) + (b->mask + 1) * sizeof(SetEntry);
    excl_cs_end(&cs);
    return v_from_int((int64_t)n);
}

static void traverse(Value self, VisitFn visit, void *arg) {
    SetBlock *b = LOAD_RELAXED(&S(self)->block);
    for (size_t i = 0, n = b ? b->mask + 1 : 0; i < n; i++)
        visit(ref_peek(&b->entries[i].key), arg);
}
static void clear(Value self) {
    SetBlock *b = LOAD_RELAXED(&S(self)->block);
    STORE_RELEASE(&S(self)->len, 0);
    if (!b || !b->objects)
        return;
    for (size_t i = 0, n = b->mask + 1; i < n; i++)
        if (v_is_obj(ref_peek(&b->entries[i].key)))
            ref_store(self, &b->entries[i].key, V_MARK);
}
static void fini(Value self) {
    block_retire(self, LOAD_RELAXED(&S(self)->block));
}
static const TypeOps ops = {traverse, clear, fini};

#define COMMON_METHODS                                                                                                 \
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},                                                       \
        {"__iter__", m_iter, "($self, /)", 0, "Implement iter(self)."},                                                \
        {"__len__", m_len, "($self, /)", 0, "Return len(self)."},                                                      \
        {"__contains__", m_contains, "($self, key, /)", 0, "x.__contains__(y) <==> y in x."}, COMPARE_DEFS(set),       \
        {"__and__", n_and, "($self, value, /)", 0, "Return self&value."},                                              \
        {"__rand__", n_rand, "($self, value, /)", 0, "Return value&self."},                                            \
        {"__or__", n_or, "($self, value, /)", 0, "Return self|value."},                                                \
        {"__ror__", n_ror, "($self, value, /)", 0, "Return value|self."},                                              \
        {"__sub__", n_sub, "($self, value, /)", 0, "Return self-value."},                                              \
        {"__rsub__", n_rsub, "($self, value, /)", 0, "Return value-self."},                                            \
        {"__xor__", n_xor, "($self, value, /)", 0, "Return self^value."},                                              \
        {"__rxor__", n_rxor, "($self, value, /)", 0, "Return value^self."},                                            \
        {"copy", m_copy, "($self, /)", 0, "Return a shallow copy of a set."},                                          \
        {"union", m_union, "($self, /, *args)", 0, "Return the union of sets as a new set."},                          \
        {"intersection", m_intersection, "($self, /, *args)", 0, "Return the intersection of two sets as a new set."}, \
        {"difference", m_difference, "($self, /, *args)", 0,                                                           \
         "Return the difference of two or more sets as a new set."},                                                   \
        {"symmetric_difference", m_symmetric_difference, "($self, other, /)", 0,                                       \
         "Return the symmetric difference of two sets as a new set."},                                                 \
        {"isdisjoint", m_isdisjoint, "($self, other, /)", 0, "Return True if two sets have a null intersection."},     \
        {"issubset", m_issubset, "($self, other, /)", 0, "Report whether another set contains this set."},             \
        {"issuperset", m_issuperset, "($self, other, /)", 0, "Report whether this set contains another set."},         \
        {"__reduce__", m_reduce, "($self, /)", 0, "Return state information for pickling."},                           \
        {"__sizeof__", m_sizeof, "($self, /)", 0, "S.__sizeof__() -> size of S in memory, in bytes"},                  \
        CLASS_GETITEM_DEF

static const NativeDef set_methods[] = {
    {"__new__", m_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__", m_init, "($self, /, *args, **kwargs)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    COMMON_METHODS,
    {"__iand__", n_iand, "($self, value, /)", 0, "Return self&=value."},
    {"__ior__", n_ior, "($self, value, /)", 0, "Return self|=value."},
    {"__isub__", n_isub, "($self, value, /)", 0, "Return self-=value."},
    {"__ixor__", n_ixor, "($self, value, /)", 0, "Return self^=value."},
    {"add", m_add, "($self, object, /)", 0,
     "Add an element to a set.\n\nThis has no effect if the element is already present."},
    {"discard", m_discard, "($self, object, /)", 0,
     "Remove an element from a set if it is a member.\n\nUnlike set.remove(), the discard() method does not raise\nan "
     "exception when an element is "
     "missing from the set."},
    {"remove", m_remove, "($self, object, /)", 0,
     "Remove an element from a set; it must be a member.\n\nIf the element is not a member, raise a KeyError."},
    {"pop", m_pop, "($self, /)", 0,
     "Remove and return an arbitrary set element.\nRaises KeyError if the set is empty."},
    {"clear", m_clear, "($self, /)", 0, "Remove all elements from this set."},
    {"update", m_update, "($self, /, *args)", 0, "Update a set with the union of itself and others."},
    {"intersection_update", m_intersection_update, "($self, /, *args)", 0,
     "Update a set with the intersection of itself and another."},
    {"difference_update", m_difference_update, "($self, /, *args)", 0,
     "Remove all elements of another set from this set."},
    {"symmetric_difference_update", m_symmetric_difference_update, "($self, other, /)", 0,
     "Update a set with the symmetric difference of itself and another."},
    {NULL},
};
static const NativeDef frozenset_methods[] = {
    {"__new__", frozen_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__hash__", m_hash, "($self, /)", 0, "Return hash(self)."},
    COMMON_METHODS,
    {NULL},
};

void set_init(void) {
    static const TypeSpec set = {.name = "set",
                                 .doc = "set() -> new empty set object\nset(iterable) -> new set object\n\nBuild an "
                                        "unordered collection of unique elements.",
                                 .basic_size = sizeof(Set),
                                 .flags = TF_BASETYPE | TF_SET | TF_IMMUTABLE | TF_WEAKREF,
                                 .ops = &ops,
                                 .methods = set_methods};
    static const TypeSpec frozenset = {
        .name = "frozenset",
        .doc = "frozenset() -> empty frozenset object\nfrozenset(iterable) -> frozenset object\n\n"
               "Build an immutable unordered collection of unique elements.",
        .basic_size = sizeof(Set),
        .flags = TF_BASETYPE | TF_FROZENSET | TF_IMMUTABLE | TF_WEAKREF,
        .ops = &ops,
        .methods = frozenset_methods};
    static const TypeSpec iter = {.name = "set_iterator",
                                  .basic_size = sizeof(SetIter),
                                  .flags = TF_IMMUTABLE | TF_NO_NEW,
                                  .ops = &iter_ops,
                                  .methods = iter_methods};
    type_init_static(&set_type, IDX_SET, &set);
    type_init_static(&frozenset_type, IDX_FROZENSET, &frozenset);
    type_init_static(&set_iter_type, IDX_SET_ITER, &iter);
    iter_register(&set_iter_type, iter_next);
}

/* collections.OrderedDict: a dict (which keeps the order anyway) that compares in order and can move its items.
 *
 * Methods that subclasses may rely on (update, pop, setdefault, popitem) go through __setitem__, __getitem__ and
 * __delitem__ of a subclass that has its own. `state` counts what changes the order, for iterators. Moving an item to
 * the front is linear. */
#include "modules/collections.h"
#include "object/dict_impl.h"
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

typedef struct OrderedDict {
    Dict dict;
    _Atomic(uint64_t) state;
} OrderedDict;
static Type odict_type, odict_iter_type, odict_keys_type, odict_values_type, odict_items_type;

static _Atomic(uint64_t) *state_of(Value d) {
    return &((OrderedDict *)d)->state;
}
static void changed(Value d) {
    atomic_fetch_add_explicit(state_of(d), 1, memory_order_relaxed);
}
static bool is_odict(Value v) {
    return v_is_obj(v) && type_is_subtype(type_of(v), &odict_type);
}
static bool is_exact(Value v) {
    return v_is_obj(v) && type_of(v) == &odict_type;
}
/* Whether special method sp of d's class is still OrderedDict's. */
static bool own(Value d, int sp) {
    return type_special(type_of(d), sp) == type_special(&odict_type, sp);
}

/* ---- iterators: num: what is given out ---- */

enum { KEYS = 1, VALUES = 2, ITEMS = 3, REVERSED = 4 };
typedef struct OdictIter {
    Object hdr;
    Ref dict; /* ABSENT: exhausted */
    _Atomic(intptr_t) pos;
    uint64_t state;
    _Atomic(intptr_t) left; /* after the last item the end comes without looking at the dict again */
    intptr_t expected;
    int what;
} OdictIter;
static OdictIter *I(Value v) {
    return (OdictIter *)v;
}

static Value iter_new(Value d, int what) {
    Value it = obj_new(&odict_iter_type);
    if (it == ABSENT)
        return ABSENT;
    ref_init(&I(it)->dict, retained(d));
    STORE_RELAXED(&I(it)->pos, what & REVERSED ? dict_end(d) : 0);
    I(it)->state = LOAD_RELAXED(state_of(d));
    I(it)->expected = dict_len(d);
    STORE_RELAXED(&I(it)->left, I(it)->expected);
    I(it)->what = what;
    trace_track(v_obj(it));
    return it;
}
static Value iter_next(Value it) {
    Value d = ref_read(it, &I(it)->dict), kv[2], r = ABSENT;
    if (d == ABSENT)
        return ABSENT;
    int what = I(it)->what;
    for (;;) {
        if (LOAD_RELAXED(&I(it)->left) <= 0) {
            ref_write(it, &I(it)->dict, ABSENT);
            break;
        }
        if (LOAD_RELAXED(state_of(d)) != I(it)->state || dict_len(d) != I(it)->expected) {
            bool size = LOAD_RELAXED(state_of(d)) == I(it)->state;
            err_set(&exc_RuntimeError,
                    size ? "OrderedDict changed size during iteration" : "OrderedDict mutated during iteration");
            break;
        }
        intptr_t pos = LOAD_RELAXED(&I(it)->pos), at = pos;
        bool found = what & REVERSED ? dict_prev(d, &at, &kv[0], &kv[1]) : dict_next(d, &at, &kv[0], &kv[1]);
        if (!found) {
            ref_write(it, &I(it)->dict, ABSENT);
            break;
        }
        if (!atomic_compare_exchange_strong(&I(it)->pos, &pos, at)) {
            release(kv[0]);
            release(kv[1]);
            continue;
        }
        atomic_fetch_sub_explicit(&I(it)->left, 1, memory_order_relaxed);
        if ((what & ITEMS) == ITEMS) {
            r = tuple_from_steal(kv, 2);
        } else {
            r = kv[what & KEYS ? 0 : 1];
            release(kv[what & KEYS ? 1 : 0]);
        }
        break;
    }
    release(d);
    return r;
}
static Value n_iter_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(iter_next(self));
}
static Value iter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = ref_read(self, &I(self)->dict), l = ABSENT, copy = ABSENT, r = ABSENT, fn = iter_builtin("iter");
    if (d == ABSENT) {
        l = list_new(0);
    } else if ((copy = iter_new(d, I(self)->what)) != ABSENT) {
        STORE_RELAXED(&I(copy)->pos, LOAD_RELAXED(&I(self)->pos));
        STORE_RELAXED(&I(copy)->left, LOAD_RELAXED(&I(self)->left));
        l = seq_to_list(copy);
    }
    Value a = l == ABSENT ? ABSENT : tuple_pack(1, l);
    if (a != ABSENT && fn != ABSENT)
        r = tuple_pack(2, fn, a);
    release(d);
    release(copy);
    release(l);
    release(a);
    release(fn);
    return r;
}
static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&I(self)->dict), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &I(self)->dict);
}
static const TypeOps iter_ops = {iter_traverse, iter_clear, NULL};
static const NativeDef iter_methods[] = {
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_iter_next, "($self, /)", 0, "Implement next(self)."},
    {"__reduce__", iter_reduce, "($self, /)", 0, "Return state information for pickling"},
    {NULL},
};

#define VIEW_ITER(name, what)                                              \
    static Value name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return iter_new(dict_view_dict(self), what);                       \
    }
VIEW_ITER(keys_iter, KEYS)
VIEW_ITER(keys_rev, KEYS | REVERSED)
VIEW_ITER(values_iter, VALUES)
VIEW_ITER(values_rev, VALUES | REVERSED)
VIEW_ITER(items_iter, ITEMS)
VIEW_ITER(items_rev, ITEMS | REVERSED)
#define VIEW_METHODS(iter_fn, rev_fn)                                    \
    {                                                                    \
        {"__iter__", iter_fn, "($self, /)", 0, "Implement iter(self)."}, \
            {"__reversed__", rev_fn, "($self, /)", 0, NULL}, {           \
            NULL                                                         \
        }                                                                \
    }
static const NativeDef keys_methods[] = VIEW_METHODS(keys_iter, keys_rev);
static const NativeDef values_methods[] = VIEW_METHODS(values_iter, values_rev);
static const NativeDef items_methods[] = VIEW_METHODS(items_iter, items_rev);

/* ---- methods ---- */

static Value none_or_fail(int r) {
    return r < 0 ? ABSENT : V_NONE;
}

static int set_item(Value self, Value key, Value v) {
    intptr_t n = dict_len(self);
    int r = dict_set(self, key, v);
    if (dict_len(self) != n)
        changed(self);
    return r;
}
static Value m_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(set_item(self, args[0], args[1]));
}
static Value m_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = dict_del(self, args[0]);
    if (r == 0)
        changed(self);
    return none_or_fail(r);
}

/* self[k] = v for the items of a mapping or of pairs. */
static int update_one(Value self, Value other) {
    if (own(self, SP_SETITEM)) {
        int r = dict_update(self, other);
        changed(self);
        return r;
    }
    Value items = ABSENT, keys = ABSENT, tmp = dict_new(), key, v;
    intptr_t pos = 0;
    int r = -1;
    if (tmp == ABSENT)
        return -1;
    if (v_is_dict_exact(other)) {
        items = dict_items_list(other);
    } else {
        r = obj_lookup_attr(other, ID("keys"), &keys);
        if (r > 0) {
            release(keys);
            keys = obj_call_method(other, ID("keys"), NULL, 0);
            Value it = keys == ABSENT ? ABSENT : obj_iter(keys);
            while (it != ABSENT && (key = obj_next(it)) != ABSENT) {
                v = obj_getitem(other, key);
                int failed = v == ABSENT || obj_setitem(self, key, v) < 0;
                release(key);
                release(v);
                if (failed)
                    break;
            }
            release(it);
            release(keys);
            release(tmp);
            return err_pending() ? -1 : 0;
        }
        if (r == 0) {
            /* Checks the pairs as dict does. */
            Value l = seq_to_list(other);
            for (intptr_t i = 0; l != ABSENT && (v = list_get(l, i)) != ABSENT; i++) {
                Value one = list_from(&v, 1);
                int failed = one == ABSENT || dict_merge_pairs(tmp, one, 1) < 0;
                release(one);
                release(v);
                pos = 0;
                if (failed)
                    break;
                while (dict_next(tmp, &pos, &key, &v)) {
                    failed |= obj_setitem(self, key, v) < 0;
                    release(key);
                    release(v);
                }
                dict_clear(tmp);
                if (failed)
                    break;
            }
            release(l);
            release(tmp);
            return err_pending() ? -1 : 0;
        }
    }
    for (intptr_t i = 0; items != ABSENT && (v = list_get(items, i)) != ABSENT; i++) {
        r = obj_setitem(self, tuple_get(v, 0), tuple_get(v, 1));
        release(v);
        if (r < 0)
            break;
    }
    release(items);
    release(tmp);
    return err_pending() ? -1 : 0;
}
static Value m_update(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs > 1)
        return err_set(&exc_TypeError, "expected at most 1 arguments, got %zd", (ssize_t)nargs);
    if (nargs == 1 && update_one(self, args[0]) < 0)
        return ABSENT;
    for (intptr_t i = 0, n = kw == ABSENT ? 0 : tuple_len(kw); i < n; i++)
        if (obj_setitem(self, tuple_get(kw, i), args[nargs + i]) < 0)
            return ABSENT;
    return V_NONE;
}

static Value m_setdefault(Value self, Value *args, intptr_t nargs, Value kw) {
    Value key = args[0], dflt = arg_at(args, nargs, 1);
    if (dflt == ABSENT)
        dflt = V_NONE;
    if (is_exact(self)) {
        Value v = dict_setdefault(self, key, dflt);
        changed(self);
        return v;
    }
    int r = obj_contains(self, key);
    if (r < 0)
        return ABSENT;
    if (r)
        return obj_getitem(self, key);
    return obj_setitem(self, key, dflt) < 0 ? ABSENT : retained(dflt);
}

static Value pop_key(Value self, Value key, Value dflt) {
    Value v;
    int r = dict_pop(self, key, &v);
    if (r > 0) {
        changed(self);
        return v;
    }
    if (r < 0)
        return ABSENT;
    return dflt != ABSENT ? retained(dflt) : err_key(key);
}
static Value m_pop(Value self, Value *args, intptr_t nargs, Value kw) {
    return pop_key(self, args[0], arg_at(args, nargs, 1));
}

static Value m_popitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value last = arg_at(args, nargs, 0), kv[2];
    int at_end = last == ABSENT ? 1 : obj_truth(last);
    if (at_end < 0)
        return ABSENT;
    if (!(at_end ? dict_popitem(self, &kv[0], &kv[1]) : dict_popfirst(self, &kv[0], &kv[1])))
        return err_set(&exc_KeyError, "dictionary is empty");
    changed(self);
    return tuple_from_steal(kv, 2);
}

static Value m_move_to_end(Value self, Value *args, intptr_t nargs, Value kw) {
    Value last = arg_at(args, nargs, 1);
    int at_end = last == ABSENT ? 1 : obj_truth(last);
    int r = at_end < 0 ? -1 : dict_move_to_end(self, args[0], at_end);
    if (r < 0)
        return ABSENT;
    if (r == 0)
        return err_key(args[0]);
    changed(self);
    return V_NONE;
}

static Value m_clear(Value self, Value *args, intptr_t nargs, Value kw) {
    dict_clear(self);
    changed(self);
    return V_NONE;
}

static Value m_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = obj_call0(V_OF(type_of(self))), key, v;
    intptr_t pos = 0;
    if (d == ABSENT)
        return ABSENT;
    if (is_exact(self)) {
        if (dict_merge(d, self, 1) < 0)
            goto fail;
        return d;
    }
    while (dict_next(self, &pos, &key, &v)) {
        Value item = obj_getitem(self, key);
        int r = item == ABSENT ? -1 : obj_setitem(d, key, item);
        release(key);
        release(v);
        release(item);
        if (r < 0)
            goto fail;
    }
    return d;
fail:
    release(d);
    return ABSENT;
}

static Value m_fromkeys(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value v = arg_at(args, nargs, 1), d = obj_call0(cls), it = d == ABSENT ? ABSENT : obj_iter(args[0]), key;
    if (it == ABSENT) {
        release(d);
        return ABSENT;
    }
    while ((key = obj_next(it)) != ABSENT) {
        int r = obj_setitem(d, key, v == ABSENT ? V_NONE : v);
        release(key);
        if (r < 0)
            break;
    }
    release(it);
    if (!err_pending())
        return d;
    release(d);
    return ABSENT;
}

static int equal(Value a, Value b) {
    int r = dict_equal(a, b);
    if (r <= 0 || !is_odict(b))
        return r;
    intptr_t i = 0, k = 0;
    Value x, y;
    while (r > 0 && dict_next(a, &i, &x, NULL)) {
        if (!dict_next(b, &k, &y, NULL)) {
            release(x);
            return 0;
        }
        r = obj_eq(x, y);
        release(x);
        release(y);
    }
    return r;
}
static Value m_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = v_is_dict(args[0]) ? equal(self, args[0]) : -2;
    return r == -2 ? V_NOTIMPL : r < 0 ? ABSENT : v_bool(r);
}
static Value m_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = v_is_dict(args[0]) ? equal(self, args[0]) : -2;
    return r == -2 ? V_NOTIMPL : r < 0 ? ABSENT : v_bool(!r);
}

static Value merged(Type *t, Value a, Value b) {
    if (!v_is_dict(a) || !v_is_dict(b))
        return V_NOTIMPL;
    Value d = obj_call1(V_OF(t), a);
    if (d != ABSENT && update_one(d, b) < 0) {
        release(d);
        return ABSENT;
    }
    return d;
}
static Value m_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return merged(type_of(self), self, args[0]);
}
static Value m_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return merged(type_of(self), args[0], self);
}
static Value m_ior(Value self, Value *args, intptr_t nargs, Value kw) {
    return update_one(self, args[0]) < 0 ? ABSENT : retained(self);
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = obj_getattr_str(V_OF(type_of(self)), "__name__"), s = ABSENT, items = ABSENT, l = ABSENT;
    if (name == ABSENT)
        return ABSENT;
    if (dict_len(self) == 0) {
        s = str_format_c("%S()", name);
        release(name);
        return s;
    }
    int r = repr_enter(self);
    if (r) {
        release(name);
        return r < 0 ? ABSENT : str_from_c("...");
    }
    if (is_exact(self)) {
        l = dict_items_list(self);
    } else {
        items = obj_call_method_str(self, "items", NULL, 0);
        l = items == ABSENT ? ABSENT : seq_to_list(items);
    }
    if (l != ABSENT)
        s = str_format_c("%S(%R)", name, l);
    release(items);
    release(l);
    release(name);
    repr_leave(self);
    return s;
}

static Value m_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value state = obj_call_method_str(self, "__getstate__", NULL, 0), items = ABSENT, it = ABSENT, r = ABSENT,
          empty = tuple_empty();
    if (state != ABSENT && (items = obj_call_method_str(self, "items", NULL, 0)) != ABSENT &&
        (it = obj_iter(items)) != ABSENT)
        r = tuple_pack(5, V_OF(type_of(self)), empty, state, V_NONE, it);
    release(state);
    release(items);
    release(it);
    release(empty);
    return r;
}

static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_new(self, KEYS);
}
static Value m_reversed(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_new(self, KEYS | REVERSED);
}
static Value m_keys(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_view_new(&odict_keys_type, self);
}
static Value m_values(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_view_new(&odict_values_type, self);
}
static Value m_items(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_view_new(&odict_items_type, self);
}
static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int((int64_t)(dict_bytes(self) + sizeof(OrderedDict) - sizeof(Dict)));
}

static const NativeDef methods[] = {
    {"__init__", m_update, "($self, /, *args, **kwargs)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__iter__", m_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__setitem__", m_setitem, "($self, key, value, /)", 0, "Set self[key] to value."},
    {"__delitem__", m_delitem, "($self, key, /)", 0, "Delete self[key]."},
    {"__eq__", m_eq, "($self, value, /)", 0, "Return self==value."},
    {"__ne__", m_ne, "($self, value, /)", 0, "Return self!=value."},
    {"__or__", m_or, "($self, value, /)", 0, "Return self|value."},
    {"__ror__", m_ror, "($self, value, /)", 0, "Return value|self."},
    {"__ior__", m_ior, "($self, value, /)", 0, "Return self|=value."},
    {"__reversed__", m_reversed, "($self, /)", 0, "od.__reversed__() <==> reversed(od)"},
    {"__reduce__", m_reduce, "($self, /)", 0, "Return state information for pickling"},
    {"__sizeof__", m_sizeof, "($self, /)", 0, NULL},
    {"fromkeys", m_fromkeys, "($type, /, iterable, value=None)", NF_CLASS,
     "Create a new ordered dictionary with keys from iterable and values set to value."},
    {"setdefault", m_setdefault, "($self, /, key, default=None)", 0,
     "Insert key with a value of default if key is not in the dictionary.\n\n"
     "Return the value for key if key is in the dictionary, else default."},
    {"pop", m_pop, "($self, /, key, default=<unrepresentable>)", 0,
     "od.pop(key[,default]) -> v, remove specified key and return the corresponding value.\n\nIf the key is not found, "
     "return the default if given; "
     "otherwise,\nraise a KeyError."},
    {"popitem", m_popitem, "($self, /, last=True)", 0,
     "Remove and return a (key, value) pair from the dictionary.\n\nPairs are returned in LIFO order if last is true "
     "or FIFO order if false."},
    {"keys", m_keys, "($self, /)", 0, NULL},
    {"values", m_values, "($self, /)", 0, NULL},
    {"items", m_items, "($self, /)", 0, NULL},
    {"update", m_update, "($self, /, *args, **kwargs)", 0, NULL},
    {"clear", m_clear, "($self, /)", 0, "od.clear() -> None.  Remove all items from od."},
    {"copy", m_copy, "($self, /)", 0, "od.copy() -> a shallow copy of od"},
    {"move_to_end", m_move_to_end, "($self, /, key, last=True)", 0,
     "Move an existing element to the end (or beginning if last is false).\n\nRaise KeyError if the element does not "
     "exist."},
    {NULL},
};

static const GetSetDef getsets[] = {INSTANCE_DICT_DEF, {NULL}};

int collections_odict_exec(Value module) {
    static const TypeSpec odict = {.name = "collections.OrderedDict",
                                   .doc = "Dictionary that remembers insertion order",
                                   .base = &dict_type,
                                   .basic_size = sizeof(OrderedDict),
                                   .flags =
                                       TF_BASETYPE | TF_IMMUTABLE | TF_HAS_DICT | TF_WEAKREF | TF_DICT | TF_MAPPING,
                                   .methods = methods,
                                   .getsets = getsets};
    static const TypeSpec iter = {.name = "odict_iterator",
                                  .basic_size = sizeof(OdictIter),
                                  .flags = TF_IMMUTABLE | TF_NO_NEW,
                                  .ops = &iter_ops,
                                  .methods = iter_methods};
    static const TypeSpec keys = {
        .name = "odict_keys", .base = &dict_keys_type, .flags = TF_IMMUTABLE | TF_NO_NEW, .methods = keys_methods};
    static const TypeSpec values = {.name = "odict_values",
                                    .base = &dict_values_type,
                                    .flags = TF_IMMUTABLE | TF_NO_NEW,
                                    .methods = values_methods};
    static const TypeSpec items = {
        .name = "odict_items", .base = &dict_items_type, .flags = TF_IMMUTABLE | TF_NO_NEW, .methods = items_methods};
    type_init_module_type(&odict_type, &odict);
    type_init_module_type(&odict_iter_type, &iter);
    type_init_module_type(&odict_keys_type, &keys);
    type_init_module_type(&odict_values_type, &values);
    type_init_module_type(&odict_items_type, &items);
    iter_register(&odict_iter_type, iter_next);
    return module_add_type(module, &odict_type);
}

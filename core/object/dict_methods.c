/* The Python side of dict: construction, special methods, methods. Iterators and views: dict_view.c. */
#include "object/dict.h"
#include "object/dict_impl.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/set_impl.h"
#include "object/str.h"
#include "object/tuple.h"

Type dict_type;

static Dict *D(Value v) {
    return (Dict *)v;
}
static Value none_or_fail(int r) {
    return r < 0 ? ABSENT : V_NONE;
}

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value d = obj_new((Type *)cls);
    if (d != ABSENT)
        trace_track(v_obj(d));
    return d;
}

static int update_from_args(Value self, const char *name, Value *args, intptr_t nargs, Value kw) {
    if (nargs > 1) {
        err_set(&exc_TypeError, "%s expected at most 1 argument, got %zd", name, (ssize_t)nargs);
        return -1;
    }
    if (nargs == 1 && args[0] != ABSENT && dict_update(self, args[0]) < 0)
        return -1;
    for (intptr_t i = 0, n = kw == ABSENT ? 0 : tuple_len(kw); i < n; i++)
        if (dict_set(self, tuple_get(kw, i), args[nargs + i]) < 0)
            return -1;
    return 0;
}
static Value m_init(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(update_from_args(self, "dict", args, nargs, kw));
}
static Value m_update(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(update_from_args(self, "update", args, nargs, kw));
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (dict_len(self) == 0)
        return str_from_c("{}");
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_from_c("{...}");
    StrBuilder sb;
    sb_init(&sb);
    sb_char(&sb, '{');
    intptr_t pos = 0;
    Value part[2];
    for (bool first = true; dict_next(self, &pos, &part[0], &part[1]); first = false) {
        if (!first)
            sb_ascii(&sb, ", ", 2);
        for (int i = 0; i < 2; i++) {
            Value s = obj_repr(part[i]);
            if (s == ABSENT) {
                release(part[0]);
                release(part[1]);
                sb_free(&sb);
                repr_leave(self);
                return ABSENT;
            }
            if (i)
                sb_ascii(&sb, ": ", 2);
            sb_str(&sb, s);
            release(s);
        }
        release(part[0]);
        release(part[1]);
    }
    sb_char(&sb, '}');
    repr_leave(self);
    return sb_finish(&sb);
}

static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(dict_len(self));
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v;
    int r = dict_lookup(self, args[0], &v);
    if (LIKELY(r > 0))
        return v;
    if (r < 0)
        return ABSENT;
    if (!v_is_dict_exact(self)) {
        v = obj_call_special(self, SP_MISSING, args, 1);
        if (v != V_MARK)
            return v;
    }
    return err_key(args[0]);
}
static Value m_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(dict_set(self, args[0], args[1]));
}
static Value m_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(dict_del(self, args[0]));
}
static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = dict_contains(self, args[0]);
    return r < 0 ? ABSENT : v_bool(r);
}

static Value m_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = v_is_dict(args[0]) ? dict_equal(self, args[0]) : -2;
    return r == -2 ? V_NOTIMPL : r < 0 ? ABSENT : v_bool(r);
}
static Value m_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = v_is_dict(args[0]) ? dict_equal(self, args[0]) : -2;
    return r == -2 ? V_NOTIMPL : r < 0 ? ABSENT : v_bool(!r);
}
static Value m_order(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_NOTIMPL;
}

static Value merged(Value a, Value b) {
    if (!v_is_dict(a) || !v_is_dict(b))
        return V_NOTIMPL;
    Value d = dict_copy(a);
    if (d != ABSENT && dict_update(d, b) < 0) {
        release(d);
        return ABSENT;
    }
    return d;
}
static Value m_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return merged(self, args[0]);
}
static Value m_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return merged(args[0], self);
}
static Value m_ior(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_update(self, args[0]) < 0 ? ABSENT : retained(self);
}

static Value m_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v;
    int r = dict_lookup(self, args[0], &v);
    if (r != 0)
        return r < 0 ? ABSENT : v;
    v = arg_at(args, nargs, 1);
    return v == ABSENT ? V_NONE : retained(v);
}
static Value m_setdefault(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = arg_at(args, nargs, 1);
    return dict_setdefault(self, args[0], v == ABSENT ? V_NONE : v);
}
static Value m_pop(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v, dflt = arg_at(args, nargs, 1);
    int r;
    if (dict_len(self) == 0) { /* not even hashed, as in CPython */
        r = 0;
    } else {
        r = dict_pop(self, args[0], &v);
    }
    if (r != 0)
        return r < 0 ? ABSENT : v;
    return dflt != ABSENT ? retained(dflt) : err_key(args[0]);
}
static Value m_popitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value item[2];
    if (!dict_popitem(self, &item[0], &item[1]))
        return err_set(&exc_KeyError, "popitem(): dictionary is empty");
    return tuple_from_steal(item, 2);
}
static Value m_clear(Value self, Value *args, intptr_t nargs, Value kw) {
    dict_clear(self);
    return V_NONE;
}
static Value m_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_copy(self);
}

static Value m_fromkeys(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value v = arg_at(args, nargs, 1), d = obj_call0(cls), key;
    if (d == ABSENT)
        return ABSENT;
    if (v == ABSENT)
        v = V_NONE;
    Value it = obj_iter(args[0]);
    if (it == ABSENT)
        goto fail;
    bool exact = v_is_dict_exact(d);
    if (exact && (v_is_dict_exact(args[0]) || v_is_exact(args[0], IDX_SET) || v_is_exact(args[0], IDX_FROZENSET))) {
        /* Their keys' hashes are known. */
        intptr_t pos = 0;
        int64_t hash;
        int r = 0;
        while (r >= 0 && (v_is_dict(args[0]) ? dict_next_hashed(args[0], &pos, &key, NULL, &hash)
                                             : set_next_hashed(args[0], &pos, &key, &hash))) {
            r = dict_set_hashed(d, key, hash, v);
            release(key);
        }
        release(it);
        if (r >= 0)
            return d;
        goto fail;
    }
    NextFn next = iter_next_fn(it);
    while ((key = next ? next(it) : obj_next(it)) != ABSENT) {
        int r = exact ? dict_set(d, key, v) : obj_setitem(d, key, v);
        release(key);
        if (r < 0)
            break;
    }
    release(it);
    if (!err_pending())
        return d;
fail:
    release(d);
    return ABSENT;
}

static Value m_keys(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_view_new(&dict_keys_type, self);
}
static Value m_values(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_view_new(&dict_values_type, self);
}
static Value m_items(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_view_new(&dict_items_type, self);
}
static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_keyiter_type, self);
}
static Value m_reversed(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_rev_keyiter_type, self);
}

size_t dict_bytes(Value d) {
    size_t n = sizeof(Dict);
    ExclCs cs;
    excl_cs_begin(&cs, d);
    DictBlock *b = LOAD_RELAXED(&D(d)->block);
    if (b)
        n += sizeof(DictBlock) + b->capacity * sizeof(DictEntry) +
             (((size_t)b->mask + 1) << (b->mask <= 0xff     ? 0
                                        : b->mask <= 0xffff ? 1
                                                            : 2));
    excl_cs_end(&cs);
    return n;
}
static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int((int64_t)dict_bytes(self));
}

static void traverse(Value self, VisitFn visit, void *arg) {
    DictBlock *b = LOAD_RELAXED(&D(self)->block);
    for (uint32_t i = 0, n = b ? LOAD_RELAXED(&b->used) : 0; i < n; i++) {
        visit(ref_peek(&b->entries[i].key), arg);
        visit(ref_peek(&b->entries[i].value), arg);
    }
}
static void clear(Value self) {
    DictBlock *b = LOAD_RELAXED(&D(self)->block);
    STORE_RELEASE(&D(self)->len, 0);
    for (uint32_t i = 0, n = b ? LOAD_RELAXED(&b->used) : 0; i < n; i++) {
        ref_clear(self, &b->entries[i].value);
        STORE_RELAXED(&b->entries[i].hash, 0);
        ref_store(self, &b->entries[i].key, V_MARK);
    }
}
static void fini(Value self) {
    block_retire(self, LOAD_RELAXED(&D(self)->block));
}
static const TypeOps ops = {traverse, clear, fini};

static const NativeDef methods[] = {
    {"__new__", m_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__", m_init, "($self, /, *args, **kwargs)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__iter__", m_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__len__", m_len, "($self, /)", 0, "Return len(self)."},
    {"__getitem__", m_getitem, "($self, key, /)", 0, "x.__getitem__(y) <==> x[y]"},
    {"__setitem__", m_setitem, "($self, key, value, /)", 0, "Set self[key] to value."},
    {"__delitem__", m_delitem, "($self, key, /)", 0, "Delete self[key]."},
    {"__contains__", m_contains, "($self, key, /)", 0, "True if the dictionary has the specified key, else False."},
    {"__lt__", m_order, "($self, value, /)", 0, "Return self<value."},
    {"__le__", m_order, "($self, value, /)", 0, "Return self<=value."},
    {"__eq__", m_eq, "($self, value, /)", 0, "Return self==value."},
    {"__ne__", m_ne, "($self, value, /)", 0, "Return self!=value."},
    {"__gt__", m_order, "($self, value, /)", 0, "Return self>value."},
    {"__ge__", m_order, "($self, value, /)", 0, "Return self>=value."},
    {"__or__", m_or, "($self, value, /)", 0, "Return self|value."},
    {"__ror__", m_ror, "($self, value, /)", 0, "Return value|self."},
    {"__ior__", m_ior, "($self, value, /)", 0, "Return self|=value."},
    {"__reversed__", m_reversed, "($self, /)", 0, "Return a reverse iterator over the dict keys."},
    {"__sizeof__", m_sizeof, "($self, /)", 0, "D.__sizeof__() -> size of D in memory, in bytes"},
    {"get", m_get, "($self, key, default=None, /)", 0,
     "Return the value for key if key is in the dictionary, else default."},
    {"setdefault", m_setdefault, "($self, key, default=None, /)", 0,
     "Insert key with a value of default if key is not in the dictionary.\n\n"
     "Return the value for key if key is in the dictionary, else default."},
    {"pop", m_pop, "($self, key, default=<unrepresentable>, /)", 0,
     "D.pop(k[,d]) -> v, remove specified key and return the corresponding value.\n\n"
     "If the key is not found, return the default if given; otherwise,\nraise a KeyError."},
    {"popitem", m_popitem, "($self, /)", 0,
     "Remove and return a (key, value) pair as a 2-tuple.\n\nPairs are returned in LIFO (last-in, first-out) order.\n"
     "Raises KeyError if the dict is empty."},
    {"keys", m_keys, "($self, /)", 0, "D.keys() -> a set-like object providing a view on D's keys"},
    {"items", m_items, "($self, /)", 0, "D.items() -> a set-like object providing a view on D's items"},
    {"values", m_values, "($self, /)", 0, "D.values() -> an object providing a view on D's values"},
    {"update", m_update, "($self, /, *args, **kwargs)", 0,
     "D.update([E, ]**F) -> None.  Update D from dict/iterable E and F.\n"
     "If E is present and has a .keys() method, then does:  for k in E: D[k] = E[k]\n"
     "If E is present and lacks a .keys() method, then does:  for k, v in E: D[k] = v\n"
     "In either case, this is followed by: for k in F:  D[k] = F[k]"},
    {"fromkeys", m_fromkeys, "($type, iterable, value=None, /)", NF_CLASS,
     "Create a new dictionary with keys from iterable and values set to value."},
    {"clear", m_clear, "($self, /)", 0, "D.clear() -> None.  Remove all items from D."},
    {"copy", m_copy, "($self, /)", 0, "D.copy() -> a shallow copy of D"},
    CLASS_GETITEM_DEF,
    {NULL},
};

void dict_init(void) {
    static const TypeSpec spec = {
        .name = "dict",
        .doc = "dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a mapping object's\n  "
               "  (key, value) pairs\n"
               "dict(iterable) -> new dictionary initialized as if via:\n    d = {}\n    for k, v in iterable:\n       "
               " d[k] = v\n"
               "dict(**kwargs) -> new dictionary initialized with the name=value pairs\n"
               "    in the keyword argument list.  For example:  dict(one=1, two=2)",
        .basic_size = sizeof(Dict),
        .flags = TF_BASETYPE | TF_DICT | TF_MAPPING | TF_IMMUTABLE,
        .ops = &ops,
        .methods = methods,
    };
    type_init_static(&dict_type, IDX_DICT, &spec);
}

/* _collections: defaultdict, _tuplegetter, _count_elements; deque and OrderedDict have files of their own. */
#include "modules/collections.h"
#include "object/dict_impl.h"
#include "object/int.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

/* ---- defaultdict ---- */

typedef struct DefaultDict {
    Dict dict;
    Ref factory; /* ABSENT: None */
} DefaultDict;
static Type defaultdict_type;

static Value factory_of(Value d) {
    ExclCs cs;
    excl_read_begin(&cs, d);
    Value f = ref_load(d, &((DefaultDict *)d)->factory);
    excl_read_end(&cs);
    return f == ABSENT ? V_NONE : f;
}

static Value dd_init(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = nargs ? args[0] : V_NONE;
    if (!v_is_none(f) && !v_is_callable(f))
        return err_set(&exc_TypeError, "first argument must be callable or None");
    excl_leaf_lock(self);
    Value old = ref_swap(self, &((DefaultDict *)self)->factory, retained(f));
    excl_leaf_unlock(self);
    release(old);
    intptr_t rest = nargs ? nargs - 1 : 0;
    if (rest > 1)
        return err_set(&exc_TypeError, "dict expected at most 1 argument, got %zd", (ssize_t)rest);
    if (rest == 1 && dict_update(self, args[1]) < 0)
        return ABSENT;
    for (intptr_t i = 0, n = kw == ABSENT ? 0 : tuple_len(kw); i < n; i++)
        if (dict_set(self, tuple_get(kw, i), args[nargs + i]) < 0)
            return ABSENT;
    return V_NONE;
}
static Value dd_missing(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = factory_of(self);
    if (v_is_none(f))
        return err_key(args[0]);
    Value v = obj_call0(f);
    release(f);
    if (v != ABSENT && obj_setitem(self, args[0], v) < 0) {
        release(v);
        return ABSENT;
    }
    return v;
}
static Value new_like(Value self, Value items) {
    Value f = factory_of(self), d = obj_call2(V_OF(type_of(self)), f, items);
    release(f);
    return d;
}
static Value dd_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return new_like(self, self);
}
static Value dd_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = factory_of(self), a = v_is_none(f) ? tuple_empty() : tuple_pack(1, f), items = ABSENT, it = ABSENT,
          r = ABSENT;
    if (a != ABSENT && (items = obj_call_method_str(self, "items", NULL, 0)) != ABSENT &&
        (it = obj_iter(items)) != ABSENT)
        r = tuple_pack(5, V_OF(type_of(self)), a, V_NONE, V_NONE, it);
    release(f);
    release(a);
    release(items);
    release(it);
    return r;
}
static Value dd_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = factory_of(self), plain = dict_copy(self), text = ABSENT,
          name = obj_getattr_str(V_OF(type_of(self)), "__name__"), s = ABSENT;
    if (plain == ABSENT || name == ABSENT)
        goto done;
    /* The factory may be a method of self. */
    int r = v_is_none(f) ? 0 : repr_enter(self);
    if (r < 0)
        goto done;
    text = r ? str_from_c("...") : obj_repr(f);
    if (text != ABSENT)
        s = str_format_c("%S(%S, %R)", name, text, plain);
    if (r == 0 && !v_is_none(f))
        repr_leave(self);
done:
    release(f);
    release(plain);
    release(text);
    release(name);
    return s;
}
static Value merged(Value self, Value a, Value b) {
    if (!v_is_dict(a) || !v_is_dict(b))
        return V_NOTIMPL;
    Value d = new_like(self, a);
    if (d != ABSENT && dict_update(d, b) < 0) {
        release(d);
        return ABSENT;
    }
    return d;
}
static Value dd_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return merged(self, self, args[0]);
}
static Value dd_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return merged(self, args[0], self);
}

static void dd_traverse(Value self, VisitFn visit, void *arg) {
    dict_type.ops->traverse(self, visit, arg);
    visit(ref_peek(&((DefaultDict *)self)->factory), arg);
}
static void dd_clear(Value self) {
    dict_type.ops->clear(self);
    ref_clear(self, &((DefaultDict *)self)->factory);
}
static void dd_fini(Value self) {
    dict_type.ops->fini(self);
}
static const TypeOps dd_ops = {dd_traverse, dd_clear, dd_fini};

static const NativeDef dd_methods[] = {
    {"__init__", dd_init, "($self, /, *args, **kwargs)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__repr__", dd_repr, "($self, /)", 0, "Return repr(self)."},
    {"__missing__", dd_missing, "($self, key, /)", 0,
     "__missing__(key) # Called by __getitem__ for missing key; pseudo-code:\n  if self.default_factory is None: raise "
     "KeyError((key,))\n"
     "  self[key] = value = self.default_factory()\n  return value\n"},
    {"__or__", dd_or, "($self, value, /)", 0, "Return self|value."},
    {"__ror__", dd_ror, "($self, value, /)", 0, "Return value|self."},
    {"copy", dd_copy, "($self, /)", 0, "D.copy() -> a shallow copy of D."},
    {"__copy__", dd_copy, "($self, /)", 0, "D.copy() -> a shallow copy of D."},
    {"__reduce__", dd_reduce, "($self, /)", 0, "Return state information for pickling."},
    CLASS_GETITEM_DEF,
    {NULL},
};
static const MemberDef dd_members[] = {
    {"default_factory", MK_REF_NONE, offsetof(DefaultDict, factory),
     "Factory for default value called by __missing__()."},
    {NULL},
};

/* ---- _tuplegetter: the descriptor of a named tuple's field ---- */

typedef struct TupleGetter {
    Object hdr;
    intptr_t index;
    Ref doc;
} TupleGetter;
static TupleGetter *TG(Value v) {
    return (TupleGetter *)v;
}
static Type tuplegetter_type;

static Value tg_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    Value g = obj_new((Type *)cls);
    if (g == ABSENT)
        return ABSENT;
    TG(g)->index = i;
    ref_init(&TG(g)->doc, retained(args[1]));
    trace_track(v_obj(g));
    return g;
}
static Value tg_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = args[0];
    if (o == ABSENT || v_is_none(o))
        return retained(self);
    if (!v_is_tuple(o))
        return err_set(&exc_TypeError, "descriptor for index '%zd' for tuple subclasses doesn't apply to '%T' object",
                       (ssize_t)TG(self)->index, o);
    if (TG(self)->index < 0 || TG(self)->index >= tuple_len(o))
        return err_set(&exc_IndexError, "tuple index out of range");
    return retained(tuple_get(o, TG(self)->index));
}
static Value tg_set(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_AttributeError, "can't set attribute");
}
static Value tg_delete(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_AttributeError, "can't delete attribute");
}
static Value tg_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = tuple_pack(2, v_from_int(TG(self)->index), ref_peek(&TG(self)->doc));
    Value r = a == ABSENT ? ABSENT : tuple_pack(2, V_OF(type_of(self)), a);
    release(a);
    return r;
}
static Value tg_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("_tuplegetter(%zd, %R)", (ssize_t)TG(self)->index, ref_peek(&TG(self)->doc));
}
static void tg_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&TG(self)->doc), arg);
}
static void tg_clear(Value self) {
    ref_store(self, &TG(self)->doc, V_NONE);
}
static const TypeOps tg_ops = {tg_traverse, tg_clear, NULL};
static const NativeDef tg_methods[] = {
    {"__new__", tg_new, "($type, index, doc, /)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__get__", tg_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__set__", tg_set, "($self, instance, value, /)", 0, "Set an attribute of instance to value."},
    {"__delete__", tg_delete, "($self, instance, /)", 0, "Delete an attribute of instance."},
    {"__reduce__", tg_reduce, "($self, /)", 0, NULL},
    {"__repr__", tg_repr, "($self, /)", 0, "Return repr(self)."},
    {NULL},
};
static const MemberDef tg_members[] = {{"__doc__", MK_REF_NONE, offsetof(TupleGetter, doc), NULL}, {NULL}};

/* ---- _count_elements ---- */

static Value count_elements(Value self, Value *args, intptr_t nargs, Value kw) {
    const Value one = v_from_int(1), zero = v_from_int(0);
    Value mapping = args[0], it = obj_iter(args[1]), key, get = ABSENT, dict_get_method = ABSENT;
    if (it == ABSENT)
        return ABSENT;
    /* Straight into the dict when nothing of the mapping's own would be bypassed. */
    bool fast = false;
    if (v_is_dict(mapping)) {
        get = type_lookup(type_of(mapping), ID("get"));
        dict_get_method = type_lookup(&dict_type, ID("get"));
        fast = get == dict_get_method &&
               type_special(type_of(mapping), SP_SETITEM) == type_special(&dict_type, SP_SETITEM);
        release(get);
        release(dict_get_method);
    }
    get = ABSENT;
    if (!fast && (get = obj_getattr(mapping, ID("get"))) == ABSENT)
        goto done;
    for (unsigned steps = 1; (key = obj_next(it)) != ABSENT; steps++) {
        Value old = ABSENT, sum = ABSENT;
        int64_t hash = 0;
        int r = -1;
        if (fast) {
            hash = dict_hash_key(key);
            if (hash != -1) {
                old = dict_get_hashed(mapping, key, hash);
                if (old != ABSENT || !err_pending())
                    sum = v_is_int(old) && v_int(old) < INT_IMM_MAX ? v_from_int(v_int(old) + 1)
                          : old == ABSENT                           ? one
                                                                    : num_binary(SP_ADD, old, one);
                r = sum == ABSENT ? -1 : dict_set_hashed(mapping, key, hash, sum);
            }
        } else {
            old = obj_call2(get, key, zero);
            sum = old == ABSENT ? ABSENT : num_binary(SP_ADD, old, one);
            r = sum == ABSENT ? -1 : obj_setitem(mapping, key, sum);
        }
        release(key);
        release(old);
        release(sum);
        if (r < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            break;
    }
done:
    release(it);
    release(get);
    return err_pending() ? ABSENT : V_NONE;
}

/* ---- the module ---- */

static int exec(Value m) {
    static const TypeSpec defaultdict = {.name = "collections.defaultdict",
                                         .doc =
                                             "defaultdict(default_factory=None, /, [...]) --> dict with default "
                                             "factory\n\nThe default factory is called without arguments to produce\n"
                                             "a new value when a key is not present, in __getitem__ only.\nA "
                                             "defaultdict compares equal to a dict with the same items.\n"
                                             "All remaining arguments are treated the same as if they were\npassed to "
                                             "the dict constructor, including keyword arguments.",
                                         .base = &dict_type,
                                         .basic_size = sizeof(DefaultDict),
                                         .flags = TF_BASETYPE | TF_IMMUTABLE | TF_DICT | TF_MAPPING,
                                         .ops = &dd_ops,
                                         .methods = dd_methods,
                                         .members = dd_members};
    static const TypeSpec tuplegetter = {.name = "_collections._tuplegetter",
                                         .basic_size = sizeof(TupleGetter),
                                         .flags = TF_IMMUTABLE,
                                         .ops = &tg_ops,
                                         .methods = tg_methods,
                                         .members = tg_members};
    type_init_module_type(&defaultdict_type, &defaultdict);
    type_init_module_type(&tuplegetter_type, &tuplegetter);
    if (module_add_type(m, &defaultdict_type) < 0 || module_add_type(m, &tuplegetter_type) < 0)
        return -1;
    return collections_deque_exec(m) < 0 ? -1 : collections_odict_exec(m);
}

static const NativeDef functions[] = {
    {"_count_elements", count_elements, "($module, mapping, iterable, /)", 0,
     "Count elements in the iterable, updating the mapping"},
    {NULL},
};

const ModuleSpec module__collections = {
    "_collections",
    "High performance data structures.\n- deque:        ordered collection accessible from endpoints only\n- "
    "defaultdict:  dict subclass with a default "
    "value factory\n",
    functions,
    exec,
};

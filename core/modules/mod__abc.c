/* _abc: what makes abstract base classes fast. A class's registry and its positive and negative caches are WeakSets' equal: sets of weak
 * references, in one object under the class's _abc_impl. The negative cache is valid for one value of the global counter. */
#include "object/dict.h"
#include "object/int.h"
#include "object/module.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/list.h"
#include "object/weakref.h"

static _Atomic(uint64_t) invalidations;
static Type abc_data_type;

typedef struct AbcData {
    Object hdr;
    Ref registry, cache, negative; /* sets of weakrefs, or ABSENT */
    _Atomic(uint64_t) negative_version;
} AbcData;

static void traverse(Value self, VisitFn visit, void *arg) {
    AbcData *d = (AbcData *)self;
    visit(ref_peek(&d->registry), arg);
    visit(ref_peek(&d->cache), arg);
    visit(ref_peek(&d->negative), arg);
}
static void clear(Value self) {
    AbcData *d = (AbcData *)self;
    ref_clear(self, &d->registry);
    ref_clear(self, &d->cache);
    ref_clear(self, &d->negative);
}
static const TypeOps ops = {traverse, clear, NULL};

/* The data of an abstract class: owned. */
static Value data_of(Value cls) {
    Value d = obj_getattr(cls, ID("_abc_impl"));
    if (d != ABSENT && !(v_is_obj(d) && type_of(d) == &abc_data_type)) {
        release(d);
        return err_set(&exc_TypeError, "_abc_impl is set to a wrong type");
    }
    return d;
}
/* The set in a field: owned, or ABSENT when there is none (made when create). */
static Value set_of(Value data, Ref *field, bool create) {
    ExclCs cs;
    excl_read_begin(&cs, data);
    Value s = ref_load(data, field);
    excl_read_end(&cs);
    if (s != ABSENT || !create)
        return s;
    Value fresh = set_new();
    if (fresh == ABSENT)
        return ABSENT;
    excl_cs_begin(&cs, data);
    s = ref_peek(field);
    if (s == ABSENT)
        ref_store(data, field, s = retained(fresh));
    retain(s);
    excl_cs_end(&cs);
    release(fresh);
    return s;
}
static void replace(Value data, Ref *field, Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, data);
    Value old = ref_swap(data, field, v);
    excl_cs_end(&cs);
    release(old);
}

/* Takes a dead reference out of its set, which the callback holds weakly. */
static Value forget(Value self, Value *args, intptr_t nargs, Value kw) {
    Value set = obj_call0(self);
    if (set == ABSENT)
        return ABSENT;
    int r = set == V_NONE ? 0 : set_discard(set, args[0]);
    release(set);
    return r < 0 ? ABSENT : V_NONE;
}
static const NativeDef forget_def = {"_destroy", forget, "($self, wr, /)"};

static int add(Value data, Ref *field, Value cls) {
    Value set = set_of(data, field, true);
    if (set == ABSENT)
        return -1;
    Value set_ref = weakref_new(&weakref_type, set, ABSENT), callback = ABSENT, ref = ABSENT;
    int bad = -1;
    if (set_ref != ABSENT)
        callback = native_new(&forget_def, set_ref, ABSENT);
    if (callback != ABSENT)
        ref = weakref_new(&weakref_type, cls, callback);
    if (ref != ABSENT)
        bad = set_add(set, ref);
    release(ref);
    release(callback);
    release(set_ref);
    release(set);
    return bad;
}
static int contains(Value data, Ref *field, Value cls) {
    Value set = set_of(data, field, false);
    if (set == ABSENT)
        return 0;
    int r = 0;
    if (set_len(set)) {
        Value ref = weakref_new(&weakref_type, cls, ABSENT);
        if (ref == ABSENT) {
            /* Not weakly referencable: not there. */
            r = err_matches(&exc_TypeError) ? (err_clear(), 0) : -1;
        } else {
            r = set_contains(set, ref);
            release(ref);
        }
    }
    release(set);
    return r;
}

static int is_abstract(Value v) {
    Value flag;
    int has = obj_lookup_attr(v, ID("__isabstractmethod__"), &flag);
    if (has <= 0)
        return has;
    int r = obj_truth(flag);
    release(flag);
    return r;
}

/* The names of cls that are still abstract, as __abstractmethods__. */
static int compute_abstract(Value cls) {
    Value abstracts = set_new(), ns = obj_getattr(cls, ID("__dict__")), items = ABSENT, bases = ABSENT;
    int bad = -1;
    if (abstracts == ABSENT || ns == ABSENT)
        goto done;
    items = obj_call_method_str(ns, "items", NULL, 0);
    Value list = items == ABSENT ? ABSENT : seq_to_list(items);
    if (list == ABSENT)
        goto done;
    for (intptr_t i = 0; i < list_len(list); i++) {
        Value pair = list_get(list, i);
        int r = pair == ABSENT ? -1 : is_abstract(tuple_get(pair, 1));
        if (r > 0)
            r = set_add(abstracts, tuple_get(pair, 0));
        release(pair);
        if (r < 0) {
            release(list);
            goto done;
        }
    }
    release(list);
    bases = obj_getattr(cls, ID("__bases__"));
    if (bases == ABSENT)
        goto done;
    for (intptr_t i = 0; i < tuple_len(bases); i++) {
        Value inherited;
        int has = obj_lookup_attr(tuple_get(bases, i), ID("__abstractmethods__"), &inherited);
        if (has < 0)
            goto done;
        if (!has)
            continue;
        Value it = obj_iter(inherited), name;
        release(inherited);
        if (it == ABSENT)
            goto done;
        while ((name = obj_next(it)) != ABSENT) {
            Value v;
            int r = obj_lookup_attr(cls, name, &v);
            if (r > 0) {
                r = is_abstract(v);
                release(v);
                if (r > 0)
                    r = set_add(abstracts, name);
            }
            release(name);
            if (r < 0)
                break;
        }
        release(it);
        if (err_pending())
            goto done;
    }
    Value frozen = frozenset_from(abstracts);
    bad = frozen == ABSENT ? -1 : obj_setattr(cls, ID("__abstractmethods__"), frozen);
    release(frozen);
done:
    release(abstracts);
    release(ns);
    release(items);
    release(bases);
    return bad;
}

static Value abc_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (compute_abstract(args[0]) < 0)
        return ABSENT;
    Value d = obj_new(&abc_data_type);
    if (d == ABSENT)
        return ABSENT;
    STORE_RELAXED(&((AbcData *)d)->negative_version, LOAD_RELAXED(&invalidations));
    trace_track(v_obj(d));
    int bad = obj_setattr(args[0], ID("_abc_impl"), d);
    release(d);
    return bad < 0 ? ABSENT : V_NONE;
}

static Value abc_register(Value self, Value *args, intptr_t nargs, Value kw) {
    Value cls = args[0], sub = args[1];
    if (!v_is_type(sub))
        return err_set(&exc_TypeError, "Can only register classes");
    int r = obj_issubclass(sub, cls);
    if (r)
        return r < 0 ? ABSENT : retained(sub);
    r = obj_issubclass(cls, sub);
    if (r)
        return r < 0 ? ABSENT : err_set(&exc_RuntimeError, "Refusing to create an inheritance cycle");
    Value d = data_of(cls);
    if (d == ABSENT)
        return ABSENT;
    r = add(d, &((AbcData *)d)->registry, sub);
    release(d);
    if (r < 0)
        return ABSENT;
    atomic_fetch_add(&invalidations, 1);
    return retained(sub);
}

/* -1, 0, 1 */
static int subclass_check(Value cls, Value sub) {
    if (!v_is_type(sub)) {
        err_set(&exc_TypeError, "issubclass() arg 1 must be a class");
        return -1;
    }
    Value dv = data_of(cls);
    if (dv == ABSENT)
        return -1;
    AbcData *d = (AbcData *)dv;
    int r = contains(dv, &d->cache, sub);
    if (r)
        goto done;
    uint64_t now = atomic_load(&invalidations);
    if (LOAD_RELAXED(&d->negative_version) < now) {
        replace(dv, &d->negative, ABSENT);
        STORE_RELAXED(&d->negative_version, now);
    } else if ((r = contains(dv, &d->negative, sub)) != 0) {
        r = r < 0 ? -1 : 0;
        goto done;
    }
    Value hook = obj_call_method_str(cls, "__subclasshook__", &sub, 1);
    if (hook == ABSENT) {
        r = -1;
        goto done;
    }
    if (hook != V_NOTIMPL) {
        bool yes = hook == V_TRUE, valid = v_is_bool(hook);
        release(hook);
        if (!valid) {
            err_set(&exc_AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
            r = -1;
        } else {
            r = add(dv, yes ? &d->cache : &d->negative, sub) < 0 ? -1 : yes;
        }
        goto done;
    }
    if (type_is_subtype((Type *)sub, (Type *)cls)) {
        r = add(dv, &d->cache, sub) < 0 ? -1 : 1;
        goto done;
    }
    /* Registered classes, and subclasses of this one. */
    Value registry = set_of(dv, &d->registry, false);
    if (registry != ABSENT) {
        Value refs = seq_to_list(registry);
        release(registry);
        if (refs == ABSENT) {
            r = -1;
            goto done;
        }
        for (intptr_t i = 0; r == 0 && i < list_len(refs); i++) {
            Value ref = list_get(refs, i), c = ref == ABSENT ? ABSENT : obj_call0(ref);
            release(ref);
            if (c == ABSENT) {
                r = -1;
                break;
            }
            if (c != V_NONE)
                r = obj_issubclass(sub, c);
            release(c);
        }
        release(refs);
        if (r) {
            if (r > 0 && add(dv, &d->cache, sub) < 0)
                r = -1;
            goto done;
        }
    }
    Value subs = obj_call_method_str(cls, "__subclasses__", NULL, 0);
    if (subs == ABSENT) {
        r = -1;
        goto done;
    }
    for (intptr_t i = 0; r == 0 && i < list_len(subs); i++) {
        Value c = list_get(subs, i);
        if (c != ABSENT)
            r = obj_issubclass(sub, c);
        release(c);
    }
    release(subs);
    if (r >= 0 && add(dv, r ? &d->cache : &d->negative, sub) < 0)
        r = -1;
done:
    release(dv);
    return r;
}
static Value abc_subclasscheck(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = subclass_check(args[0], args[1]);
    return r < 0 ? ABSENT : v_bool(r);
}

static Value abc_instancecheck(Value self, Value *args, intptr_t nargs, Value kw) {
    Value cls = args[0], sub = obj_getattr(args[1], ID("__class__"));
    if (sub == ABSENT)
        return ABSENT;
    Value d = data_of(cls);
    if (d == ABSENT) {
        release(sub);
        return ABSENT;
    }
    int r = v_is_type(sub) ? contains(d, &((AbcData *)d)->cache, sub) : 0;
    release(d);
    if (r == 0) {
        /* Through the method, which subclasses of ABCMeta may override. */
        Value own = V_OF(type_of(args[1])), v = obj_call_method_str(cls, "__subclasscheck__", &sub, 1);
        r = v == ABSENT ? -1 : obj_truth(v);
        release(v);
        if (r == 0 && own != sub) {
            v = obj_call_method_str(cls, "__subclasscheck__", &own, 1);
            r = v == ABSENT ? -1 : obj_truth(v);
            release(v);
        }
    }
    release(sub);
    return r < 0 ? ABSENT : v_bool(r);
}

static Value abc_get_dump(Value self, Value *args, intptr_t nargs, Value kw) {
    Value dv = data_of(args[0]);
    if (dv == ABSENT)
        return ABSENT;
    AbcData *d = (AbcData *)dv;
    Ref *fields[3] = {&d->registry, &d->cache, &d->negative};
    Value items[4];
    for (int i = 0; i < 3; i++) {
        Value s = set_of(dv, fields[i], false);
        items[i] = s == ABSENT ? set_new() : set_from(s);
        release(s);
    }
    items[3] = int_from_u64(LOAD_RELAXED(&d->negative_version));
    release(dv);
    return tuple_from_steal(items, 4);
}
static Value abc_reset_registry(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = data_of(args[0]);
    if (d == ABSENT)
        return ABSENT;
    replace(d, &((AbcData *)d)->registry, ABSENT);
    release(d);
    return V_NONE;
}
static Value abc_reset_caches(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = data_of(args[0]);
    if (d == ABSENT)
        return ABSENT;
    replace(d, &((AbcData *)d)->cache, ABSENT);
    replace(d, &((AbcData *)d)->negative, ABSENT);
    release(d);
    return V_NONE;
}
static Value abc_token(Value self, Value *args, intptr_t nargs, Value kw) { return int_from_u64(atomic_load(&invalidations)); }

static const NativeDef functions[] = {
    {"_abc_init", abc_init, "($module, self, /)"},
    {"_abc_register", abc_register, "($module, self, subclass, /)"},
    {"_abc_instancecheck", abc_instancecheck, "($module, self, instance, /)"},
    {"_abc_subclasscheck", abc_subclasscheck, "($module, self, subclass, /)"},
    {"_get_dump", abc_get_dump, "($module, self, /)"},
    {"_reset_registry", abc_reset_registry, "($module, self, /)"},
    {"_reset_caches", abc_reset_caches, "($module, self, /)"},
    {"get_cache_token", abc_token, "($module, /)"},
    {NULL},
};
static int fill(Value m) {
    static const TypeSpec spec = {.name = "_abc._abc_data", .basic_size = sizeof(AbcData), .flags = TF_NO_NEW, .ops = &ops};
    type_init_module_type(&abc_data_type, &spec);
    return 0;
}
const ModuleSpec module__abc = {
    .name = "_abc", .doc = "Module contains faster C implementation of abc.ABCMeta", .functions = functions, .exec = fill};

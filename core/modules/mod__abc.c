/* _abc: the machinery of abstract base classes. Each such class has an _abc_impl with its registry and two caches: sets
 * of weak references to classes. A negative cache counts only while no class anywhere was registered since
 * (invalidation counter). */
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/weakref.h"

#define FN(name) static Value name(Value self, Value *args, intptr_t nargs, Value kw)

static _Atomic(uint64_t) counter;
static Type data_type;

typedef struct AbcData {
    Object hdr;
    Ref registry, cache, negative; /* sets, or ABSENT */
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
static const TypeSpec data_spec = {.name = "_abc._abc_data",
                                   .doc = "Internal state held by ABC machinery.",
                                   .basic_size = sizeof(AbcData),
                                   .flags = TF_NO_NEW,
                                   .ops = &ops};

/* The data of cls: owned; ABSENT with exception. */
static Value data_of(Value cls) {
    Value d = obj_getattr(cls, ID("_abc_impl"));
    if (d && type_of(d) != &data_type) {
        release(d);
        return err_set(&exc_TypeError, "_abc_impl is set to a wrong type");
    }
    return d;
}
/* A set of d: owned, made when create; ABSENT when there is none. */
static Value set_of(Value d, Ref *r, bool create) {
    for (;;) {
        ExclCs cs;
        excl_read_begin(&cs, d);
        Value s = ref_load(d, r);
        excl_read_end(&cs);
        if (s || !create)
            return s;
        Value fresh = set_new();
        if (!fresh)
            return ABSENT;
        excl_cs_begin(&cs, d);
        if (ref_peek(r) == ABSENT) {
            ref_swap(d, r, fresh);
            fresh = ABSENT;
        }
        excl_cs_end(&cs);
        release(fresh);
    }
}
static int in_set(Value d, Ref *r, Value cls) {
    Value s = set_of(d, r, false);
    if (!s)
        return 0;
    int result = 0;
    if (set_len(s) > 0) {
        Value w = weakref_new(&weakref_type, cls, ABSENT);
        if (!w && err_matches(&exc_TypeError))
            err_clear(); /* cannot be weakly referenced: is not in it */
        else
            result = w ? set_contains(s, w) : -1;
        release(w);
    }
    release(s);
    return result;
}
static void drop_dead(Value set) {
    Value l = seq_to_list(set);
    for (intptr_t i = 0; l && i < list_len(l); i++) {
        Value w = list_get(l, i), v = weakref_get(w);
        if (v == V_NONE)
            set_discard(set, w);
        release(v);
        release(w);
    }
    release(l);
    err_clear();
}
static int add_to_set(Value d, Ref *r, Value cls) {
    Value s = set_of(d, r, true), w = s ? weakref_new(&weakref_type, cls, ABSENT) : ABSENT;
    int result = w ? set_add(s, w) : -1;
    if (result == 0) {
        intptr_t n = set_len(s);
        if (n >= 64 && (n & (n - 1)) == 0)
            drop_dead(s);
    }
    release(s);
    release(w);
    return result;
}

/* ---- abstract methods ---- */

static int is_abstract(Value v) {
    Value a;
    int r = obj_lookup_attr(v, ID("__isabstractmethod__"), &a);
    if (r <= 0)
        return r;
    r = obj_truth(a);
    release(a);
    return r;
}
static int compute_abstract(Value cls) {
    Value set = set_new(), items = set ? dict_items_list(type_dict((Type *)cls)) : ABSENT;
    int r = items ? 0 : -1;
    for (intptr_t i = 0; r == 0 && i < list_len(items); i++) {
        Value p = list_get(items, i);
        int a = is_abstract(tuple_get(p, 1));
        r = a < 0 ? -1 : a ? set_add(set, tuple_get(p, 0)) : 0;
        release(p);
    }
    Value bases = type_bases((Type *)cls);
    for (intptr_t i = 0; r == 0 && i < tuple_len(bases); i++) {
        Value am, it, name;
        int has = obj_lookup_attr(tuple_get(bases, i), ID("__abstractmethods__"), &am);
        if (has < 0)
            r = -1;
        if (has <= 0)
            continue;
        it = obj_iter(am);
        release(am);
        if (!it) {
            r = -1;
            break;
        }
        while (r == 0 && (name = obj_next(it)) != ABSENT) {
            Value v;
            has = obj_lookup_attr(cls, name, &v);
            if (has > 0) {
                int a = is_abstract(v);
                r = a < 0 ? -1 : a ? set_add(set, name) : 0;
                release(v);
            } else
                r = has;
            release(name);
        }
        release(it);
        if (err_pending())
            r = -1;
    }
    Value f = r == 0 ? frozenset_from(set) : ABSENT;
    r = f ? obj_setattr(cls, ID("__abstractmethods__"), f) : -1;
    release(f);
    release(set);
    release(items);
    return r;
}

enum { CPYTHON_SEQUENCE = 1 << 5, CPYTHON_MAPPING = 1 << 6 };

FN(a_init) {
    Value cls = args[0];
    if (!v_is_type(cls))
        return err_set(&exc_TypeError, "_abc_init() argument must be a class");
    if (compute_abstract(cls) < 0)
        return ABSENT;
    Value d = obj_new(&data_type);
    if (!d)
        return ABSENT;
    STORE_RELAXED(&((AbcData *)d)->negative_version, LOAD_RELAXED(&counter));
    trace_track(v_obj(d));
    int r = obj_setattr(cls, ID("_abc_impl"), d);
    release(d);
    if (r < 0)
        return ABSENT;
    Value flags;
    r = dict_lookup(type_dict((Type *)cls), ID("__abc_tpflags__"), &flags);
    if (r > 0) { /* collections.abc: how pattern matching sees its classes */
        int64_t f = 0;
        if (v_is_integer(flags) && num_as_i64(flags, &f) == 0) {
            Type *t = (Type *)cls;
            if ((f & (CPYTHON_SEQUENCE | CPYTHON_MAPPING)) == (CPYTHON_SEQUENCE | CPYTHON_MAPPING)) {
                release(flags);
                return err_set(&exc_TypeError,
                               "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
            }
            t->flags |=
                (f & CPYTHON_SEQUENCE ? (uint32_t)TF_SEQUENCE : 0) | (f & CPYTHON_MAPPING ? (uint32_t)TF_MAPPING : 0);
        }
        release(flags);
        r = obj_setattr(cls, ID("__abc_tpflags__"), ABSENT);
    }
    return r < 0 ? ABSENT : V_NONE;
}

static void set_flags(Type *t, uint32_t f) {
    if (t->flags & TF_IMMUTABLE || (t->flags & (TF_SEQUENCE | TF_MAPPING)) == f)
        return;
    t->flags = (t->flags & ~(uint32_t)(TF_SEQUENCE | TF_MAPPING)) | f;
    Value subs = type_subclasses(t);
    for (intptr_t i = 0; subs && i < list_len(subs); i++) {
        Value s = list_get(subs, i);
        set_flags((Type *)s, f);
        release(s);
    }
    release(subs);
    err_clear();
}

FN(a_register) {
    Value cls = args[0], sub = args[1];
    if (!v_is_type(sub))
        return err_set(&exc_TypeError, "Can only register classes");
    int r = obj_issubclass(sub, cls);
    if (r != 0)
        return r < 0 ? ABSENT : retained(sub);
    r = obj_issubclass(cls, sub); /* no cycles */
    if (r < 0)
        return ABSENT;
    if (r)
        return err_set(&exc_RuntimeError, "Refusing to create an inheritance cycle");
    Value d = data_of(cls);
    if (!d)
        return ABSENT;
    r = add_to_set(d, &((AbcData *)d)->registry, sub);
    release(d);
    if (r < 0)
        return ABSENT;
    atomic_fetch_add_explicit(&counter, 1, memory_order_acq_rel);
    uint32_t f = ((Type *)cls)->flags & (TF_SEQUENCE | TF_MAPPING);
    if (v_is_type(cls) && f)
        set_flags((Type *)sub, f);
    return retained(sub);
}

static int ask_subclasscheck(Value cls, Value sub) {
    Value a[] = {sub}, r = obj_call_method(cls, special_name(SP_SUBCLASSCHECK), a, 1);
    if (!r)
        return -1;
    int t = obj_truth(r);
    release(r);
    return t;
}

FN(a_instancecheck) {
    Value cls = args[0], inst = args[1], d = data_of(cls), sub = d ? obj_getattr(inst, ID("__class__")) : ABSENT;
    int r = -1;
    if (sub) {
        AbcData *x = (AbcData *)d;
        r = in_set(d, &x->cache, sub);
        if (r == 0) {
            Value t = V_OF(type_of(inst));
            if (t == sub) {
                if (LOAD_ACQUIRE(&x->negative_version) == LOAD_RELAXED(&counter)) {
                    int neg = in_set(d, &x->negative, sub);
                    if (neg != 0) {
                        r = neg < 0 ? -1 : 0;
                        goto out;
                    }
                }
                r = ask_subclasscheck(cls, sub);
            } else {
                r = ask_subclasscheck(cls, sub);
                if (r == 0)
                    r = ask_subclasscheck(cls, t);
            }
        }
    }
out:
    release(d);
    release(sub);
    return r < 0 ? ABSENT : v_bool(r);
}

FN(a_subclasscheck) {
    Value cls = args[0], sub = args[1], hook = ABSENT, l = ABSENT;
    if (!v_is_type(sub))
        return err_set(&exc_TypeError, "issubclass() arg 1 must be a class");
    Value d = data_of(cls);
    if (!d)
        return ABSENT;
    AbcData *x = (AbcData *)d;
    int r = in_set(d, &x->cache, sub);
    if (r != 0)
        goto out;
    uint64_t now = LOAD_RELAXED(&counter);
    if (LOAD_ACQUIRE(&x->negative_version) < now) {
        Value s = set_of(d, &x->negative, false);
        if (s) { /* a fresh set: another thread may be looking into the old one */
            ExclCs cs;
            excl_cs_begin(&cs, d);
            Value old = ref_swap(d, &x->negative, ABSENT);
            excl_cs_end(&cs);
            release(old);
            release(s);
        }
        STORE_RELEASE(&x->negative_version, now);
    } else {
        r = in_set(d, &x->negative, sub);
        if (r != 0) {
            r = r < 0 ? -1 : 0;
            goto out;
        }
    }
    Value a[] = {sub};
    hook = obj_call_method_str(cls, "__subclasshook__", a, 1);
    if (!hook) {
        r = -1;
        goto out;
    }
    if (hook != V_NOTIMPL) {
        r = obj_truth(hook);
        if (r >= 0 && add_to_set(d, r ? &x->cache : &x->negative, sub) < 0)
            r = -1;
        goto out;
    }
    if (type_is_subtype((Type *)sub, (Type *)cls)) {
        r = add_to_set(d, &x->cache, sub) < 0 ? -1 : 1;
        goto out;
    }
    /* a subclass of something registered */
    Value reg = set_of(d, &x->registry, false);
    if (reg) {
        l = seq_to_list(reg);
        release(reg);
        r = l ? 0 : -1;
        for (intptr_t i = 0; r == 0 && i < list_len(l); i++) {
            Value w = list_get(l, i), c = weakref_get(w);
            if (c != V_NONE)
                r = obj_issubclass(sub, c);
            release(w);
            release(c);
        }
        release(l);
        if (r != 0) {
            if (r > 0 && add_to_set(d, &x->cache, sub) < 0)
                r = -1;
            goto out;
        }
    }
    /* a subclass of a subclass */
    l = obj_call_method_str(cls, "__subclasses__", NULL, 0);
    if (!l || !v_is_list(l)) {
        if (l)
            err_set(&exc_TypeError, "__subclasses__() must return a list");
        release(l);
        r = -1;
        goto out;
    }
    for (intptr_t i = 0; r == 0 && i < list_len(l); i++) {
        Value c = list_get(l, i);
        r = obj_issubclass(sub, c);
        release(c);
    }
    release(l);
    if (r >= 0 && add_to_set(d, r ? &x->cache : &x->negative, sub) < 0)
        r = -1;
out:
    release(d);
    release(hook);
    return r < 0 ? ABSENT : v_bool(r);
}

static void reset(Value d, Ref *r) {
    ExclCs cs;
    excl_cs_begin(&cs, d);
    Value old = ref_swap(d, r, ABSENT);
    excl_cs_end(&cs);
    release(old);
}
FN(a_reset_registry) {
    Value d = data_of(args[0]);
    if (!d)
        return ABSENT;
    reset(d, &((AbcData *)d)->registry);
    release(d);
    return V_NONE;
}
FN(a_reset_caches) {
    Value d = data_of(args[0]);
    if (!d)
        return ABSENT;
    reset(d, &((AbcData *)d)->cache);
    reset(d, &((AbcData *)d)->negative);
    release(d);
    return V_NONE;
}
FN(a_get_dump) {
    Value d = data_of(args[0]);
    if (!d)
        return ABSENT;
    AbcData *x = (AbcData *)d;
    Ref *refs[] = {&x->registry, &x->cache, &x->negative};
    Value copies[3] = {ABSENT, ABSENT, ABSENT};
    bool ok = true;
    for (int i = 0; i < 3; i++) {
        Value s = set_of(d, refs[i], false);
        copies[i] = s ? set_from(s) : set_new();
        ok &= copies[i] != ABSENT;
        release(s);
    }
    Value r =
        ok ? tuple_pack(4, copies[0], copies[1], copies[2], v_from_int((int64_t)LOAD_RELAXED(&x->negative_version)))
           : ABSENT;
    for (int i = 0; i < 3; i++)
        release(copies[i]);
    release(d);
    return r;
}
FN(a_token) {
    return v_from_int((int64_t)LOAD_RELAXED(&counter));
}

static const NativeDef functions[] = {
    {"get_cache_token", a_token, "($module, /)", 0, "Returns the current ABC cache token."},
    {"_abc_init", a_init, "($module, self, /)", 0, "Internal ABC helper for class set-up."},
    {"_abc_register", a_register, "($module, self, subclass, /)", 0, "Internal ABC helper for subclasss registration."},
    {"_abc_instancecheck", a_instancecheck, "($module, self, instance, /)", 0,
     "Internal ABC helper for instance checks."},
    {"_abc_subclasscheck", a_subclasscheck, "($module, self, subclass, /)", 0,
     "Internal ABC helper for subclasss checks."},
    {"_get_dump", a_get_dump, "($module, self, /)", 0, "Internal ABC helper for cache and registry debugging."},
    {"_reset_registry", a_reset_registry, "($module, self, /)", 0,
     "Internal ABC helper to reset registry of a given class."},
    {"_reset_caches", a_reset_caches, "($module, self, /)", 0,
     "Internal ABC helper to reset both caches of a given class."},
    {0},
};
static int exec(Value m) {
    type_init_module_type(&data_type, &data_spec);
    return 0;
}
const ModuleSpec module__abc = {"_abc", "Module contains faster C implementation of abc.ABCMeta", functions, exec};

/* The class `type`: calling classes, reading and writing their attributes, and what Python code sees of them. */
#include "interp/function.h"
#include "object/dict.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type_impl.h"

Type type_type;

/* ---- calling a class ---- */

/* f(first, *args, **kw): the arguments lie in a traced cell when they are many. */
static Value call_with_first(Value f, Value first, Value *args, intptr_t nargs, Value kwnames) {
    intptr_t nk = kwnames ? tuple_len(kwnames) : 0, n = nargs + nk + 1;
    if (n <= 24) {
        Value tmp[24];
        tmp[0] = first;
        for (intptr_t i = 1; i < n; i++)
            tmp[i] = args[i - 1];
        return obj_call(f, tmp, nargs + 1, kwnames);
    }
    Value t = tuple_new(n);
    if (!t)
        return ABSENT;
    tuple_init_item(t, 0, retained(first));
    for (intptr_t i = 1; i < n; i++)
        tuple_init_item(t, i, retained(args[i - 1]));
    Value r = obj_call(f, tuple_items(t), nargs + 1, kwnames);
    release(t);
    return r;
}

Value type_call(Type *t, Value *args, intptr_t nargs, Value kwnames) {
    if (UNLIKELY(t == &type_type) && nargs == 1 && (!kwnames || tuple_len(kwnames) == 0))
        return retained(V_OF(type_of(args[0])));
    if (UNLIKELY(t->flags & TF_NO_NEW)) {
        err_set(&exc_TypeError, "cannot create '%s' instances", type_cname(t));
        return ABSENT;
    }
    Value newf = type_special(t, SP_NEW), obj;
    if (UNLIKELY(!newf)) {
        err_set(&exc_TypeError, "cannot create '%s' instances", type_cname(t));
        return ABSENT;
    }
    if (v_is_exact(newf, IDX_NATIVE))
        obj = native_call_with((Native *)newf, V_OF(t), args, nargs, kwnames);
    else if (v_is_exact(newf, IDX_STATICMETHOD)) {
        Value f = ref_peek(&((WrapDescr *)newf)->func);
        obj = call_with_first(f, V_OF(t), args, nargs, kwnames);
    } else {
        Value bound = descr_get(newf, ABSENT, t);
        obj = bound ? call_with_first(bound, V_OF(t), args, nargs, kwnames) : ABSENT;
        release(bound);
    }
    if (!obj)
        return ABSENT;
    Type *ot = type_of(obj);
    if (ot != t && !type_is_subtype(ot, t))
        return obj;
    Value init = type_special(ot, SP_INIT);
    if (init == type_special(&object_type, SP_INIT)) {
        /* object.__init__ would only check that nobody passed arguments in vain, as object.__new__ has done */
        if ((nargs == 0 && !kwnames) || newf == type_special(&object_type, SP_NEW) || !(ot->flags & TF_HEAP) ||
            v_is_exact(newf, IDX_NATIVE))
            return obj;
    }
    Value r;
    if (v_is_exact(init, IDX_METHOD_DESCR))
        r = native_call_with((Native *)init, obj, args, nargs, kwnames);
    else if (v_is_exact(init, IDX_FUNCTION))
        r = call_with_first(init, obj, args, nargs, kwnames);
    else {
        Value bound = descr_get(init, obj, ot);
        r = bound ? obj_call(bound, args, nargs, kwnames) : ABSENT;
        release(bound);
    }
    if (!r) {
        release(obj);
        return ABSENT;
    }
    if (UNLIKELY(r != V_NONE)) {
        err_set(&exc_TypeError, "__init__() should return None, not '%T'", r);
        release(r);
        release(obj);
        return ABSENT;
    }
    return obj;
}

static Value m_call(Value self, Value *args, intptr_t nargs, Value kw) {
    return type_call((Type *)self, args, nargs, kw);
}

/* ---- attributes of classes ---- */

Value type_getattr(Type *t, Value name, bool quiet) {
    Type *meta = type_of(V_OF(t));
    Value mv = type_lookup(meta, name);
    if (mv) {
        Type *mt = type_of(mv);
        if (type_special(mt, SP_GET) && (type_special(mt, SP_SET) || type_special(mt, SP_DELETE))) {
            Value r = descr_get(mv, V_OF(t), meta);
            release(mv);
            return r;
        }
    }
    Value v = type_lookup(t, name);
    if (v) {
        release(mv);
        if (!v_is_obj(v) || !type_special(type_of(v), SP_GET))
            return v;
        Value r = descr_get(v, ABSENT, t);
        release(v);
        return r;
    }
    if (mv) {
        Value r = descr_get(mv, V_OF(t), meta);
        release(mv);
        return r;
    }
    if (!quiet) {
        Value n = type_name(t);
        Value msg = str_format_c("type object '%S' has no attribute '%S'", n, name);
        release(n);
        if (msg) {
            err_set_value(&exc_AttributeError, msg);
            Value e = err_fetch();
            if (e) {
                obj_setattr(e, ID("name"), name);
                obj_setattr(e, ID("obj"), V_OF(t));
            }
            err_restore(e);
            release(msg);
        }
    }
    return ABSENT;
}

static Value m_getattribute(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", args[0]);
    return type_getattr((Type *)self, args[0], false);
}

int type_setattr(Type *t, Value name, Value v) {
    if (t->flags & TF_IMMUTABLE) {
        err_set(&exc_TypeError, "cannot set %R attribute of immutable type '%s'", name, type_cname(t));
        return -1;
    }
    Value n = str_is_interned(name) ? retained(name) : str_intern(retained(name));
    if (!n)
        return -1;
    int r = -1;
    Type *meta = type_of(V_OF(t));
    Value mv = type_lookup(meta, n);
    if (mv) {
        Type *mt = type_of(mv);
        if (v_is_exact(mv, IDX_GETSET)) {
            r = getset_set(mv, V_OF(t), v);
            goto changed;
        }
        Value set = type_special(mt, v ? SP_SET : SP_DELETE);
        if (set || type_special(mt, SP_SET) || type_special(mt, SP_DELETE)) {
            Value args[] = {V_OF(t), v};
            Value res = set ? obj_call_special(mv, v ? SP_SET : SP_DELETE, args, v ? 2 : 1)
                            : err_set_value(&exc_AttributeError, n);
            r = res && res != V_MARK ? 0 : -1;
            release(res);
            goto changed;
        }
    }
    if (v) {
        type_share_value(v);
        r = dict_set(type_dict(t), n, v);
    } else {
        Value old;
        r = dict_pop(type_dict(t), n, &old);
        if (r == 0) {
            Value tn = type_name(t);
            err_set(&exc_AttributeError, "type object '%S' has no attribute '%S'", tn, n);
            release(tn);
            r = -1;
        } else if (r > 0) {
            release(old);
            r = 0;
        }
    }
changed:
    if (r == 0)
        type_attr_changed(t, n);
    release(mv);
    release(n);
    return r;
}

static Value m_setattr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", args[0]);
    return type_setattr((Type *)self, args[0], args[1]) < 0 ? ABSENT : V_NONE;
}
static Value m_delattr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", args[0]);
    return type_setattr((Type *)self, args[0], ABSENT) < 0 ? ABSENT : V_NONE;
}

/* ---- type(), type.__init__ ---- */

static Value m_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *meta = (Type *)self;
    intptr_t nk = kw ? tuple_len(kw) : 0;
    if (meta == &type_type && nargs == 1 && nk == 0)
        return retained(V_OF(type_of(args[0])));
    if (nargs != 3)
        return err_set(&exc_TypeError,
                       meta == &type_type && nargs != 3 ? "type() takes 1 or 3 arguments"
                                                        : "type.__new__() takes exactly 3 arguments (%zd given)",
                       nargs);
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "type.__new__() argument 1 must be str, not %T", args[0]);
    if (!v_is_tuple(args[1]))
        return err_set(&exc_TypeError, "type.__new__() argument 2 must be tuple, not %T", args[1]);
    if (!v_is_dict(args[2]))
        return err_set(&exc_TypeError, "type.__new__() argument 3 must be dict, not %T", args[2]);
    for (intptr_t i = 0; i < tuple_len(args[1]); i++) {
        Value b = tuple_get(args[1], i), out;
        if (v_is_type(b))
            continue;
        int r = obj_lookup_attr(b, ID("__mro_entries__"), &out);
        if (r < 0)
            return ABSENT;
        if (r > 0) {
            release(out);
            return err_set(&exc_TypeError, "type() doesn't support MRO entry resolution; use types.new_class()");
        }
    }
    Type *winner = type_calculate_meta(meta, args[1]);
    if (!winner)
        return ABSENT;
    if (winner != meta) {
        Value newf = type_special(winner, SP_NEW);
        if (newf != type_special(&type_type, SP_NEW)) {
            Value f = type_getattr(winner, special_name(SP_NEW), false);
            if (!f)
                return ABSENT;
            Value r = call_with_first(f, V_OF(winner), args, nargs, kw);
            release(f);
            return r;
        }
        meta = winner;
    }
    return type_new(meta, args[0], args[1], args[2], args + 3, kw);
}

static Value m_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs != 1 && nargs != 3)
        return err_set(&exc_TypeError, "type.__init__() takes 1 or 3 arguments");
    if (nargs == 1 && kw && tuple_len(kw))
        return err_set(&exc_TypeError, "type.__init__() takes no keyword arguments");
    return V_NONE;
}

static Value m_prepare(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_new();
}

/* ---- what classes tell ---- */

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)self;
    Value mod = type_module(t), q = type_qualname(t), r;
    if (mod && v_is_str(mod) && !str_equal_c(mod, "builtins"))
        r = str_format_c("<class '%S.%S'>", mod, q);
    else {
        Value n = mod && v_is_str(mod) ? retained(q) : type_name(t);
        r = str_format_c("<class '%S'>", n);
        release(n);
    }
    release(mod);
    release(q);
    return r;
}

static Value m_mro(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)self;
    Value m = type_mro_c3(t, type_bases(t));
    if (!m)
        return ABSENT;
    Value l = list_from(tuple_items(m), tuple_len(m));
    release(m);
    return l;
}
static Value m_subclasses(Value self, Value *args, intptr_t nargs, Value kw) {
    return type_subclasses((Type *)self);
}
static Value m_instancecheck(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = type_of(args[0]);
    if (type_is_subtype(t, (Type *)self))
        return V_TRUE;
    Value c;
    int r = obj_lookup_attr(args[0], ID("__class__"), &c);
    if (r <= 0)
        return r < 0 ? ABSENT : V_FALSE;
    bool yes = v_is_type(c) && c != V_OF(t) && type_is_subtype((Type *)c, (Type *)self);
    release(c);
    return v_bool(yes);
}
int type_subclass_plain(Value c, Value cls); /* object.c */
static Value m_subclasscheck(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = type_subclass_plain(args[0], self);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value m_dir(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = dict_new();
    if (!d)
        return ABSENT;
    Value mro = type_mro((Type *)self);
    for (intptr_t i = mro ? tuple_len(mro) - 1 : -1; i >= 0; i--)
        if (dict_update(d, type_dict((Type *)tuple_get(mro, i))) < 0) {
            release(d);
            return ABSENT;
        }
    Value l = dict_keys_list(d);
    release(d);
    return l;
}
static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(sizeof(Type));
}
static Value m_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return union_or(self, args[0]);
}
static Value m_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return union_or(args[0], self);
}

static const NativeDef methods[] = {
    {"__call__", m_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__new__", m_new, "(*args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__", m_init, "($self, /, *args, **kwargs)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__getattribute__", m_getattribute, "($self, name, /)", 0, "Return getattr(self, name)."},
    {"__setattr__", m_setattr, "($self, name, value, /)", 0, "Implement setattr(self, name, value)."},
    {"__delattr__", m_delattr, "($self, name, /)", 0, "Implement delattr(self, name)."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__prepare__", m_prepare, "(*args, **kwargs)", NF_CLASS, "used to create the namespace for the class statement"},
    {"mro", m_mro, "($self, /)", 0, "Return a type's method resolution order."},
    {"__subclasses__", m_subclasses, "($self, /)", 0, "Return a list of immediate subclasses."},
    {"__instancecheck__", m_instancecheck, "($self, instance, /)", 0, "Check if an object is an instance."},
    {"__subclasscheck__", m_subclasscheck, "($self, subclass, /)", 0, "Check if a class is a subclass."},
    {"__dir__", m_dir, "($self, /)", 0, "Specialized __dir__ implementation for types."},
    {"__sizeof__", m_sizeof, "($self, /)", 0, "Return memory consumption of the type object."},
    {"__or__", m_or, "($self, value, /)", 0, "Return self|value."},
    {"__ror__", m_ror, "($self, value, /)", 0, "Return value|self."},
    {0},
};

/* ---- getsets ---- */

static int check_settable(Type *t, Value v, const char *what) {
    if (t->flags & TF_IMMUTABLE) {
        err_set(&exc_TypeError, "cannot set '%s' attribute of immutable type '%s'", what, type_cname(t));
        return -1;
    }
    if (!v) {
        err_set(&exc_TypeError, "cannot delete '%s' attribute of immutable type '%s'", /* as CPython says of any */
                what, type_cname(t));
        return -1;
    }
    return 0;
}
static void store_ref(Value self, Ref *r, Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    Value old = ref_swap(self, r, retained(v));
    excl_cs_end(&cs);
    release(old);
}

static Value g_name(Value self) {
    return type_name((Type *)self);
}
static int s_name(Value self, Value v) {
    Type *t = (Type *)self;
    if (check_settable(t, v, "__name__") < 0)
        return -1;
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "can only assign string to %s.__name__, not '%T'", type_cname(t), v);
        return -1;
    }
    if (!type_name_valid(v))
        return -1;
    store_ref(self, &t->name, v);
    return 0;
}
static Value g_qualname(Value self) {
    return type_qualname((Type *)self);
}
static int s_qualname(Value self, Value v) {
    Type *t = (Type *)self;
    if (check_settable(t, v, "__qualname__") < 0)
        return -1;
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "can only assign string to %s.__qualname__, not '%T'", type_cname(t), v);
        return -1;
    }
    store_ref(self, &t->qualname, v);
    return 0;
}
static Value g_module(Value self) {
    Value m = type_module((Type *)self);
    return m ? m : err_pending() ? ABSENT : err_set(&exc_AttributeError, "__module__");
}
static int set_in_dict(Value self, Value v, Value name, const char *what) {
    Type *t = (Type *)self;
    if (check_settable(t, v, what) < 0)
        return -1;
    return dict_set(type_dict(t), name, v);
}
static int s_module(Value self, Value v) {
    return set_in_dict(self, v, ID("__module__"), "__module__");
}
static Value g_bases(Value self) {
    return retained(type_bases((Type *)self));
}
static int s_bases(Value self, Value v) {
    if (check_settable((Type *)self, v, "__bases__") < 0)
        return -1;
    return type_set_bases((Type *)self, v);
}
static Value g_mro(Value self) {
    Value m = type_mro((Type *)self);
    return m ? retained(m) : V_NONE;
}
static Value g_base(Value self) {
    Type *b = ((Type *)self)->base;
    return b ? retained(V_OF(b)) : V_NONE;
}
static Value g_dict(Value self) {
    return mappingproxy_new(type_dict((Type *)self));
}
static Value g_doc(Value self) {
    Type *t = (Type *)self;
    Value d = dict_get(type_dict(t), ID("__doc__"));
    if (!d)
        return err_pending() ? ABSENT : V_NONE;
    if (type_special(type_of(d), SP_GET)) {
        Value r = descr_get(d, ABSENT, t);
        release(d);
        return r;
    }
    return d;
}
static int s_doc(Value self, Value v) {
    if (check_settable((Type *)self, v, "__doc__") < 0)
        return -1;
    return dict_set(type_dict((Type *)self), ID("__doc__"), v);
}
static Value g_annotations(Value self) {
    Type *t = (Type *)self;
    if (!(t->flags & TF_HEAP))
        return err_set(&exc_AttributeError, "type object '%s' has no attribute '__annotations__'", type_cname(t));
    Value a = dict_get(type_dict(t), ID("__annotations__"));
    if (a) {
        if (type_special(type_of(a), SP_GET)) {
            Value r = descr_get(a, ABSENT, t);
            release(a);
            return r;
        }
        return a;
    }
    if (err_pending())
        return ABSENT;
    Value d = dict_new();
    if (!d)
        return ABSENT;
    Value r = dict_setdefault(type_dict(t), ID("__annotations__"), d);
    release(d);
    if (r)
        type_modified(t);
    return r;
}
static int s_annotations(Value self, Value v) {
    Type *t = (Type *)self;
    if (t->flags & TF_IMMUTABLE) {
        err_set(&exc_TypeError, "cannot set '__annotations__' attribute of immutable type '%s'", type_cname(t));
        return -1;
    }
    if (v)
        return dict_set(type_dict(t), ID("__annotations__"), v);
    Value old;
    int r = dict_pop(type_dict(t), ID("__annotations__"), &old);
    if (r == 0) {
        err_set(&exc_AttributeError, "__annotations__");
        return -1;
    }
    if (r > 0)
        release(old);
    return r < 0 ? -1 : 0;
}
static Value g_abstract(Value self) {
    Type *t = (Type *)self;
    Value a = t == &type_type ? ABSENT : dict_get(type_dict(t), ID("__abstractmethods__"));
    if (a || err_pending())
        return a;
    return err_set(&exc_AttributeError, "__abstractmethods__");
}
static int s_abstract(Value self, Value v) {
    Type *t = (Type *)self;
    int truth = 0;
    if (v) {
        truth = obj_truth(v);
        if (truth < 0 || dict_set(type_dict(t), ID("__abstractmethods__"), v) < 0)
            return -1;
    } else {
        Value old;
        int r = dict_pop(type_dict(t), ID("__abstractmethods__"), &old);
        if (r == 0)
            err_set(&exc_AttributeError, "__abstractmethods__");
        if (r <= 0)
            return -1;
        release(old);
    }
    if (truth)
        t->flags |= TF_ABSTRACT;
    else
        t->flags &= ~(uint32_t)TF_ABSTRACT;
    type_modified(t);
    return 0;
}
/* CPython's bits, for copyreg, pickle and inspect. */
static Value g_flags(Value self) {
    uint32_t f = ((Type *)self)->flags;
    uint64_t r = 1 << 12;
    r |= f & TF_IMMUTABLE ? 1 << 8 : 0;
    r |= f & TF_NO_NEW ? 1 << 7 : 0;
    r |= f & TF_SEQUENCE ? 1 << 5 : 0;
    r |= f & TF_MAPPING ? 1 << 6 : 0;
    r |= f & TF_HEAP ? 1 << 9 : 0;
    r |= f & TF_BASETYPE ? 1 << 10 : 0;
    r |= f & TF_UNTRACKED ? 0 : 1 << 14;
    r |= f & TF_METHOD_DESCR ? 1 << 17 : 0;
    r |= f & TF_ABSTRACT ? 1 << 20 : 0;
    r |= f & TF_INT ? 1 << 24 : 0;
    r |= f & TF_LIST ? 1 << 25 : 0;
    r |= f & TF_TUPLE ? 1 << 26 : 0;
    r |= f & TF_BYTES ? 1 << 27 : 0;
    r |= f & TF_STR ? 1 << 28 : 0;
    r |= f & TF_DICT ? 1 << 29 : 0;
    r |= f & TF_EXC ? 1 << 30 : 0;
    r |= f & TF_TYPE ? 1ull << 31 : 0;
    return v_from_int((int64_t)r);
}
static Value g_basicsize(Value self) {
    Type *t = (Type *)self;
    return v_from_int(t->basic_size + (t->flags & TF_HAS_DICT ? 8 + 8 * t->inline_slots : 0));
}
static Value g_itemsize(Value self) {
    uint32_t f = ((Type *)self)->flags;
    return v_from_int(f & (TF_TUPLE | TF_INT) ? 8 : f & TF_BYTES ? 1 : f & TF_TYPE ? 40 : 0);
}
static Value g_dictoffset(Value self) {
    Type *t = (Type *)self;
    if (t->flags & TF_TYPE)
        return v_from_int(264);
    return v_from_int(t->flags & TF_HAS_DICT ? (t->slots_offset ? t->slots_offset : -8) : 0);
}
static Value g_weakrefoffset(Value self) {
    return v_from_int(((Type *)self)->flags & TF_WEAKREF ? 8 : 0);
}
static Value g_text_signature(Value self) {
    Type *t = (Type *)self;
    const char *doc = t->spec ? t->spec->doc : NULL;
    if (doc) { /* "name(sig)\n--\n\n..." */
        size_t n = strlen(t->c_name);
        const char *end = strstr(doc, ")\n--\n\n");
        if (strncmp(doc, t->c_name, n) == 0 && doc[n] == '(' && end)
            return str_from_utf8(doc + n, (size_t)(end + 1 - (doc + n)));
    }
    return V_NONE;
}

static const GetSetDef getsets[] = {
    {"__name__", g_name, s_name, NULL},
    {"__qualname__", g_qualname, s_qualname, NULL},
    {"__module__", g_module, s_module, NULL},
    {"__bases__", g_bases, s_bases, NULL},
    {"__mro__", g_mro, NULL, NULL},
    {"__base__", g_base, NULL, NULL},
    {"__dict__", g_dict, NULL, NULL},
    {"__doc__", g_doc, s_doc, NULL},
    {"__annotations__", g_annotations, s_annotations, NULL},
    {"__abstractmethods__", g_abstract, s_abstract, NULL},
    {"__flags__", g_flags, NULL, NULL},
    {"__basicsize__", g_basicsize, NULL, NULL},
    {"__itemsize__", g_itemsize, NULL, NULL},
    {"__dictoffset__", g_dictoffset, NULL, NULL},
    {"__weakrefoffset__", g_weakrefoffset, NULL, NULL},
    {"__text_signature__", g_text_signature, NULL, NULL},
    {0},
};

static const TypeOps ops = {type_traverse, type_clear, type_fini};
static const TypeSpec spec = {
    .name = "type",
    .doc = "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    .basic_size = sizeof(Type),
    .flags = TF_BASETYPE | TF_TYPE | TF_WEAKREF,
    .ops = &ops,
    .methods = methods,
    .getsets = getsets,
};

void type_init(void) {
    type_init_static(&type_type, IDX_TYPE, &spec);
}

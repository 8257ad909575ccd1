/* property, classmethod, staticmethod. */
#include "object/dict.h"
#include "object/exc.h"
#include "object/native.h"
#include "object/refs.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

Type property_type, classmethod_type, staticmethod_type;

static Property *P(Value v) {
    return (Property *)v;
}
static WrapDescr *W(Value v) {
    return (WrapDescr *)v;
}
static Value or_absent(Value v) {
    return v == V_NONE ? ABSENT : v;
}
static Value or_none(Value v) {
    return v != ABSENT ? v : V_NONE;
}

/* ---- property ---- */

static int prop_set_up(Value self, Value fget, Value fset, Value fdel, Value doc) {
    Property *p = P(self);
    Value get = or_absent(fget);
    ref_write(self, &p->fget, get);
    ref_write(self, &p->fset, or_absent(fset));
    ref_write(self, &p->fdel, or_absent(fdel));
    ref_write(self, &p->name, ABSENT);
    p->getter_doc = false;
    if ((!doc || doc == V_NONE) && get) {
        Value found;
        int r = obj_lookup_attr(get, ID("__doc__"), &found);
        if (r < 0)
            return -1;
        if (r > 0) {
            /* A subclass has a __doc__ of its own, which would hide the field. */
            if (type_of(self) == &property_type)
                ref_write(self, &p->doc, found);
            else
                r = obj_setattr(self, ID("__doc__"), found);
            release(found);
            if (r < 0)
                return -1;
            p->getter_doc = true;
            return 0;
        }
    }
    ref_write(self, &p->doc, doc);
    return 0;
}
Value property_new(Value fget, Value fset, Value fdel, Value doc) {
    Value v = obj_new(&property_type);
    if (v && prop_set_up(v, fget, fset, fdel, doc) < 0) {
        release(v);
        return ABSENT;
    }
    if (v)
        trace_track(v_obj(v));
    return v;
}
static Value prop_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (prop_set_up(self, arg_at(args, nargs, 0), arg_at(args, nargs, 1), arg_at(args, nargs, 2),
                    arg_at(args, nargs, 3)) < 0)
        return ABSENT;
    return V_NONE;
}

static COLD Value prop_error(Value self, Value o, const char *what) {
    Value name = ref_read(self, &P(self)->name);
    Value q = type_qualname(type_of(o));
    if (name)
        err_set(&exc_AttributeError, "property %R of %R object has no %s", name, q, what);
    else
        err_set(&exc_AttributeError, "property of %R object has no %s", q, what);
    release(name);
    release(q);
    return ABSENT;
}
static Value prop_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = args[0];
    if (o == V_NONE || !o)
        return retained(self);
    Value f = ref_read(self, &P(self)->fget);
    if (!f)
        return prop_error(self, o, "getter");
    Value r = obj_call1(f, o);
    release(f);
    return r;
}
static Value prop_set(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = ref_read(self, &P(self)->fset);
    if (!f)
        return prop_error(self, args[0], "setter");
    Value r = obj_call2(f, args[0], args[1]);
    release(f);
    release(r);
    return r ? V_NONE : ABSENT;
}
static Value prop_delete(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = ref_read(self, &P(self)->fdel);
    if (!f)
        return prop_error(self, args[0], "deleter");
    Value r = obj_call1(f, args[0]);
    release(f);
    release(r);
    return r ? V_NONE : ABSENT;
}
static Value prop_copy(Value self, Value get, Value set, Value del) {
    Property *p = P(self);
    Value a[] = {get ? retained(get) : or_none(ref_read(self, &p->fget)),
                 set ? retained(set) : or_none(ref_read(self, &p->fset)),
                 del ? retained(del) : or_none(ref_read(self, &p->fdel)), ABSENT};
    /* The getter's doc is the new one's too, which looks for it itself. */
    a[3] = a[0] != V_NONE && p->getter_doc ? V_NONE : or_none(ref_read(self, &p->doc));
    Value r = obj_call(V_OF(type_of(self)), a, 4, ABSENT), name = ref_read(self, &p->name);
    for (int i = 0; i < 4; i++)
        release(a[i]);
    if (r && type_is_subtype(type_of(r), &property_type) && name)
        ref_write(r, &P(r)->name, name);
    release(name);
    return r;
}
static Value prop_getter(Value self, Value *args, intptr_t nargs, Value kw) {
    return prop_copy(self, args[0], ABSENT, ABSENT);
}
static Value prop_setter(Value self, Value *args, intptr_t nargs, Value kw) {
    return prop_copy(self, ABSENT, args[0], ABSENT);
}
static Value prop_deleter(Value self, Value *args, intptr_t nargs, Value kw) {
    return prop_copy(self, ABSENT, ABSENT, args[0]);
}
static Value prop_set_name(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs != 2)
        return err_set(&exc_TypeError, "__set_name__() takes 2 positional arguments but %zd were given", nargs);
    ref_write(self, &P(self)->name, args[1]);
    return V_NONE;
}
/* f's __isabstractmethod__, false where it has none; consumes f, which may be ABSENT. */
static int is_abstract(Value f) {
    Value a;
    int r = 0;
    if (f != ABSENT)
        r = recursion_enter(" while calling a Python object") ? obj_lookup_attr(f, ID("__isabstractmethod__"), &a) : -1;
    release(f);
    if (r > 0) {
        r = obj_truth(a);
        release(a);
    }
    return r;
}
static Value prop_abstract(Value self) {
    int r = 0;
    for (int i = 0; i < 3 && r == 0; i++)
        r = is_abstract(ref_read(self, &P(self)->fget + i));
    return r < 0 ? ABSENT : v_bool(r);
}
static Value prop_fget(Value self) {
    return or_none(ref_read(self, &P(self)->fget));
}
static Value prop_fset(Value self) {
    return or_none(ref_read(self, &P(self)->fset));
}
static Value prop_fdel(Value self) {
    return or_none(ref_read(self, &P(self)->fdel));
}

static void prop_traverse(Value self, VisitFn visit, void *arg) {
    for (int i = 0; i < 5; i++)
        visit(ref_peek(&P(self)->fget + i), arg);
}
static void prop_clear(Value self) {
    for (int i = 0; i < 5; i++)
        ref_clear(self, &P(self)->fget + i);
}
static const TypeOps prop_ops = {prop_traverse, prop_clear, NULL};
static Value new_empty(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = obj_new((Type *)self);
    if (v)
        trace_track(v_obj(v));
    return v;
}
static const NativeDef prop_methods[] = {
    {"__new__", new_empty, "(*args, **kwargs)", 0, NULL},
    {"__init__", prop_init, "($self, /, fget=None, fset=None, fdel=None, doc=None)", 0, "Initialize self."},
    {"__get__", prop_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__set__", prop_set, "($self, instance, value, /)", 0, "Set an attribute of instance to value."},
    {"__delete__", prop_delete, "($self, instance, /)", 0, "Delete an attribute of instance."},
    {"getter", prop_getter, "($self, fget, /)", 0,
     "Descriptor to obtain a copy of the property with a different getter."},
    {"setter", prop_setter, "($self, fset, /)", 0,
     "Descriptor to obtain a copy of the property with a different setter."},
    {"deleter", prop_deleter, "($self, fdel, /)", 0,
     "Descriptor to obtain a copy of the property with a different deleter."},
    {"__set_name__", prop_set_name, "(*args)", 0, "Method to set name of a property."},
    {0},
};
static const GetSetDef prop_getsets[] = {{"fget", prop_fget, NULL, NULL},
                                         {"fset", prop_fset, NULL, NULL},
                                         {"fdel", prop_fdel, NULL, NULL},
                                         {"__isabstractmethod__", prop_abstract, NULL, NULL},
                                         {0}};
static const MemberDef prop_members[] = {{"__doc__", MK_REF_NONE, offsetof(Property, doc), NULL}, {0}};
static const TypeSpec property_spec = {
    .name = "property",
    .doc = "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\nProperty attribute.",
    .basic_size = sizeof(Property),
    .flags = TF_BASETYPE,
    .ops = &prop_ops,
    .methods = prop_methods,
    .getsets = prop_getsets,
    .members = prop_members};

/* ---- classmethod, staticmethod ---- */

static Value wrap_new(Type *t, Value func) {
    Value v = obj_new(t);
    if (v) {
        ref_init(&W(v)->func, retained(func));
        trace_track(v_obj(v));
    }
    return v;
}
Value staticmethod_new(Value func) {
    return wrap_new(&staticmethod_type, func);
}
Value classmethod_new(Value func) {
    return wrap_new(&classmethod_type, func);
}

static Value wrap_init(Value self, Value *args, intptr_t nargs, Value kw) {
    ref_write(self, &W(self)->func, args[0]);
    static const char *const names[] = {"__module__", "__name__", "__qualname__", "__doc__", "__annotations__"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        Value v;
        int r = obj_lookup_attr_str(args[0], names[i], &v);
        if (r < 0)
            return ABSENT;
        if (r > 0) {
            r = obj_setattr_str(self, names[i], v);
            release(v);
            if (r < 0)
                return ABSENT;
        }
    }
    return V_NONE;
}
static Value sm_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = ref_read(self, &W(self)->func);
    return f ? f : err_set(&exc_RuntimeError, "uninitialized staticmethod object");
}
static Value sm_call(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = sm_get(self, NULL, 0, ABSENT), r = f != ABSENT ? obj_call(f, args, nargs, kw) : ABSENT;
    release(f);
    return r;
}
Value method_new(Value func, Value self);
static Value cm_get(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!recursion_enter(" while calling a Python object"))
        return ABSENT;
    Value f = ref_read(self, &W(self)->func);
    if (!f)
        return err_set(&exc_RuntimeError, "uninitialized classmethod object");
    Value t = nargs > 1 && args[1] && args[1] != V_NONE ? args[1] : V_OF(type_of(args[0]));
    bool binds = !v_is_exact(f, IDX_FUNCTION) && type_special(type_of(f), SP_GET);
    Value r = binds ? descr_get(f, t, (Type *)t) : method_new(f, t);
    release(f);
    return r;
}
static Value wrap_repr(Value self, const char *kind) {
    Value f = or_none(ref_read(self, &W(self)->func)), r = str_format_c("<%s(%R)>", kind, f);
    release(f);
    return r;
}
static Value sm_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return wrap_repr(self, "staticmethod");
}
static Value cm_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return wrap_repr(self, "classmethod");
}
static Value wrap_abstract(Value self) {
    int r = is_abstract(ref_read(self, &W(self)->func));
    return r < 0 ? ABSENT : v_bool(r);
}
static Value wrap_dict(Value self) {
    return attrs_dict(self);
}
static void wrap_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&W(self)->func), arg);
}
static void wrap_clear(Value self) {
    ref_clear(self, &W(self)->func);
}
static const TypeOps wrap_ops = {wrap_traverse, wrap_clear, NULL};
static const MemberDef wrap_members[] = {{"__func__", MK_REF_NONE | MK_READONLY, offsetof(WrapDescr, func), NULL},
                                         {"__wrapped__", MK_REF_NONE | MK_READONLY, offsetof(WrapDescr, func), NULL},
                                         {0}};
static const GetSetDef wrap_getsets[] = {
    {"__isabstractmethod__", wrap_abstract, NULL, NULL}, {"__dict__", wrap_dict, NULL, NULL}, {0}};
static const NativeDef sm_methods[] = {
    {"__new__", new_empty, "(*args, **kwargs)", 0, NULL},
    {"__init__", wrap_init, "($self, function, /)", 0, NULL},
    {"__get__", sm_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__call__", sm_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__repr__", sm_repr, "($self, /)", 0, "Return repr(self)."},
    {0},
};
static const NativeDef cm_methods[] = {
    {"__new__", new_empty, "(*args, **kwargs)", 0, NULL},
    {"__init__", wrap_init, "($self, function, /)", 0, NULL},
    {"__get__", cm_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__repr__", cm_repr, "($self, /)", 0, "Return repr(self)."},
    {0},
};
static const TypeSpec staticmethod_spec = {
    .name = "staticmethod",
    .doc = "staticmethod(function) -> method\n\nConvert a function to be a static method.",
    .basic_size = sizeof(WrapDescr),
    .flags = TF_BASETYPE | TF_HAS_DICT,
    .ops = &wrap_ops,
    .methods = sm_methods,
    .getsets = wrap_getsets,
    .members = wrap_members};
static const TypeSpec classmethod_spec = {
    .name = "classmethod",
    .doc = "classmethod(function) -> method\n\nConvert a function to be a class method.",
    .basic_size = sizeof(WrapDescr),
    .flags = TF_BASETYPE | TF_HAS_DICT,
    .ops = &wrap_ops,
    .methods = cm_methods,
    .getsets = wrap_getsets,
    .members = wrap_members};

void property_init(void) {
    type_init_static(&property_type, IDX_PROPERTY, &property_spec);
    type_init_static(&staticmethod_type, IDX_STATICMETHOD, &staticmethod_spec);
    type_init_static(&classmethod_type, IDX_CLASSMETHOD, &classmethod_spec);
}

/* super: attribute lookup that starts behind a class in an instance's MRO. */
#include "object/super.h"
#include "interp/frame.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

Type super_type;

static Super *S(Value v) {
    return (Super *)v;
}

/* The class in whose MRO to look: borrowed by way of *hold; NULL with TypeError. */
static Type *check(Type *cls, Value o, Value *hold) {
    *hold = ABSENT;
    if (v_is_type(o) && type_is_subtype((Type *)o, cls))
        return (Type *)o;
    if (type_is_subtype(type_of(o), cls))
        return type_of(o);
    Value c;
    if (obj_lookup_attr(o, ID("__class__"), &c) > 0) {
        if (v_is_type(c) && c != V_OF(type_of(o)) && type_is_subtype((Type *)c, cls)) {
            *hold = c;
            return (Type *)c;
        }
        release(c);
    } else if (err_pending())
        return NULL;
    err_set(&exc_TypeError, "super(type, obj): obj must be an instance or subtype of type");
    return NULL;
}

/* Owned, not bound; ABSENT: none. */
static Value find(Type *start, Type *cls, Value name) {
    Value mro = type_mro(start);
    intptr_t n = mro ? tuple_len(mro) : 0, i = 0; /* none while a metaclass's mro() runs */
    while (i < n && tuple_get(mro, i) != V_OF(cls))
        i++;
    for (i++; i < n; i++) {
        Value v = dict_get(type_dict((Type *)tuple_get(mro, i)), name);
        if (v || err_pending())
            return v;
    }
    return ABSENT;
}

Value super_lookup(Type *cls, Value o, Value name, bool *unbound) {
    Value hold;
    *unbound = false;
    Type *start = check(cls, o, &hold);
    if (!start)
        return ABSENT;
    Value v = find(start, cls, name);
    if (v && (v_is_exact(v, IDX_FUNCTION) || v_is_exact(v, IDX_METHOD_DESCR)) && V_OF(start) != o)
        *unbound = true;
    else if (v) {
        Value r = descr_get(v, V_OF(start) == o ? ABSENT : o, start);
        release(v);
        v = r;
    } else if (!err_pending()) {
        err_set(&exc_AttributeError, "'super' object has no attribute '%S'", name);
    }
    release(hold);
    return v;
}

static Value get_attribute(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = args[0], o = ref_peek(&S(self)->obj);
    if (!v_is_str(name))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
    if (o && !str_equal_c(name, "__class__")) {
        Type *start = (Type *)ref_peek(&S(self)->obj_type);
        Value v = find(start, (Type *)ref_peek(&S(self)->cls), name);
        if (v) {
            Value r = descr_get(v, V_OF(start) == o ? ABSENT : o, start);
            release(v);
            return r;
        }
        if (err_pending())
            return ABSENT;
    }
    return obj_generic_getattr(self, name);
}

static int set_up(Value self, Value cls, Value o) {
    Value hold = ABSENT;
    Type *start = NULL;
    if (o && o != V_NONE) {
        start = check((Type *)cls, o, &hold);
        if (!start)
            return -1;
    } else
        o = ABSENT;
    ref_store(self, &S(self)->cls, retained(cls));
    ref_store(self, &S(self)->obj, retained(o));
    ref_store(self, &S(self)->obj_type, start ? retained(V_OF(start)) : ABSENT);
    release(hold);
    return 0;
}
Value super_new(Value cls, Value o) {
    Value v = obj_new(&super_type);
    if (v && set_up(v, cls, o) < 0) {
        release(v);
        return ABSENT;
    }
    if (v)
        trace_track(v_obj(v));
    return v;
}
static Value s_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = obj_new((Type *)self);
    if (v)
        trace_track(v_obj(v));
    return v;
}
static Value s_init(Value self, Value *args, intptr_t nargs, Value kw) {
    Value cls = arg_at(args, nargs, 0), o = arg_at(args, nargs, 1);
    if (!cls) {
        if (frame_super_args(&cls, &o) < 0)
            return ABSENT;
    }
    if (!v_is_type(cls))
        return err_set(&exc_TypeError, "super() argument 1 must be a type, not %T", cls);
    return set_up(self, cls, o) < 0 ? ABSENT : V_NONE;
}
static Value s_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = args[0];
    if (o == V_NONE || ref_peek(&S(self)->obj))
        return retained(self);
    if (type_of(self) != &super_type) {
        Value a[] = {ref_peek(&S(self)->cls), o};
        return obj_call(V_OF(type_of(self)), a, 2, ABSENT);
    }
    return super_new(ref_peek(&S(self)->cls), o);
}
static Value s_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value cls = ref_peek(&S(self)->cls), n = cls ? type_name((Type *)cls) : str_from_c("NULL"), r;
    if (ref_peek(&S(self)->obj_type)) {
        Value on = type_name((Type *)ref_peek(&S(self)->obj_type));
        r = str_format_c("<super: <class '%S'>, <%S object>>", n, on);
        release(on);
    } else
        r = str_format_c("<super: <class '%S'>, NULL>", n);
    release(n);
    return r;
}
static void s_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&S(self)->cls), arg);
    visit(ref_peek(&S(self)->obj), arg);
    visit(ref_peek(&S(self)->obj_type), arg);
}
static void s_clear(Value self) {
    ref_clear(self, &S(self)->cls);
    ref_clear(self, &S(self)->obj);
    ref_clear(self, &S(self)->obj_type);
}
static const TypeOps ops = {s_traverse, s_clear, NULL};
static const NativeDef methods[] = {
    {"__new__", s_new, "(*args, **kwargs)", 0, NULL},
    {"__init__", s_init, "($self, type=None, obj=None, /)", 0, "Initialize self."},
    {"__getattribute__", get_attribute, "($self, name, /)", 0, "Return getattr(self, name)."},
    {"__get__", s_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__repr__", s_repr, "($self, /)", 0, "Return repr(self)."},
    {0},
};
static const MemberDef members[] = {
    {"__thisclass__", MK_REF_NONE | MK_READONLY, offsetof(Super, cls), "the class invoking super()"},
    {"__self__", MK_REF_NONE | MK_READONLY, offsetof(Super, obj), "the instance invoking super(); may be None"},
    {"__self_class__", MK_REF_NONE | MK_READONLY, offsetof(Super, obj_type),
     "the type of the instance invoking super(); may be None"},
    {0}};
static const TypeSpec spec = {
    .name = "super",
    .doc = "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super object\n"
           "super(type, obj) -> bound super object; requires isinstance(obj, type)",
    .basic_size = sizeof(Super),
    .flags = TF_BASETYPE,
    .ops = &ops,
    .methods = methods,
    .members = members};
void super_init(void) {
    type_init_static(&super_type, IDX_SUPER, &spec);
}

/* Bound methods: made only when a method is read without being called. */
#include "interp/function.h"
#include "object/native.h"
#include "object/object.h"
#include "object/str.h"
#include "object/tuple.h"

Type method_type;

static void method_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Method *)self)->func), arg);
    visit(ref_peek(&((Method *)self)->self), arg);
}
static void method_clear(Value self) {
    ref_clear(self, &((Method *)self)->func);
    ref_clear(self, &((Method *)self)->self);
}

Value method_new(Value func, Value self) {
    Value m = obj_new(&method_type);
    if (m == ABSENT)
        return ABSENT;
    ref_init(&((Method *)m)->func, retained(func));
    ref_init(&((Method *)m)->self, retained(self));
    trace_track(v_obj(m));
    return m;
}

static Value method_new_method(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_callable(args[0]))
        return err_set(&exc_TypeError, "first argument must be callable");
    if (args[1] == V_NONE)
        return err_set(&exc_TypeError, "self must not be None");
    return method_new(args[0], args[1]);
}
static Value method_call(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_call(self, args, nargs, kw);
}
static Value method_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Method *m = (Method *)self;
    Value name = ABSENT;
    if (obj_lookup_attr(ref_peek(&m->func), ID("__qualname__"), &name) < 0)
        return ABSENT;
    if (name == ABSENT && obj_lookup_attr(ref_peek(&m->func), ID("__name__"), &name) < 0)
        return ABSENT;
    if (name != ABSENT && !v_is_str(name)) {
        release(name);
        name = ABSENT;
    }
    if (name == ABSENT)
        name = str_from_c("?");
    Value r = str_format_c("<bound method %S of %R>", name, ref_peek(&m->self));
    release(name);
    return r;
}
static Value method_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_method(args[0]))
        return V_NOTIMPL;
    Method *a = (Method *)self, *b = (Method *)args[0];
    if (ref_peek(&a->self) != ref_peek(&b->self))
        return V_FALSE;
    int r = obj_eq(ref_peek(&a->func), ref_peek(&b->func));
    return r < 0 ? ABSENT : v_bool(r);
}
static Value method_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    Method *m = (Method *)self;
    int64_t h = obj_hash(ref_peek(&m->func));
    if (h == -1)
        return ABSENT;
    h ^= (int64_t)(obj_id(ref_peek(&m->self)) >> 4);
    return v_from_int((h == -1 ? -2 : h) >> 2);
}
/* What the method itself does not have is the function's. */
static Value method_getattribute(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = args[0];
    if (!v_is_str(name))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
    Value key = str_intern(retained(name));
    if (key == ABSENT)
        return ABSENT;
    Value found = type_lookup(&method_type, key), r;
    if (found != ABSENT && key != ID("__doc__")) {
        r = descr_get(found, self, &method_type);
    } else {
        r = obj_getattr(ref_peek(&((Method *)self)->func), key);
    }
    release(found);
    release(key);
    return r;
}
static Value method_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Method *m = (Method *)self;
    Value name = obj_getattr(ref_peek(&m->func), ID("__name__"));
    Value getattr = name == ABSENT ? ABSENT : import_attr("builtins", "getattr");
    Value pair = getattr == ABSENT ? ABSENT : tuple_pack(2, ref_peek(&m->self), name);
    Value r = pair == ABSENT ? ABSENT : tuple_pack(2, getattr, pair);
    release(name);
    release(getattr);
    release(pair);
    return r;
}

static const NativeDef method_methods[] = {
    {"__new__", method_new_method, "($type, function, instance, /)", 0, NULL},
    {"__call__", method_call, NULL, 0, NULL},
    {"__repr__", method_repr, "($self, /)", 0, NULL},
    {"__eq__", method_eq, "($self, value, /)", 0, NULL},
    {"__hash__", method_hash, "($self, /)", 0, NULL},
    {"__getattribute__", method_getattribute, "($self, name, /)", 0, NULL},
    {"__reduce__", method_reduce, "($self, /)", 0, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
static const MemberDef method_members[] = {
    {"__func__", MK_REF | MK_READONLY, offsetof(Method, func), NULL},
    {"__self__", MK_REF | MK_READONLY, offsetof(Method, self), NULL},
    {NULL, 0, 0, NULL},
};

void method_init(void) {
    static const TypeOps ops = {method_traverse, method_clear, NULL};
    static const TypeSpec spec = {.name = "method",
                                  .doc = "Create a bound instance method object.",
                                  .basic_size = sizeof(Method),
                                  .flags = TF_WEAKREF,
                                  .ops = &ops,
                                  .methods = method_methods,
                                  .members = method_members};
    type_init_static(&method_type, IDX_METHOD, &spec);
}

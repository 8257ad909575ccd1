/* weakref.ref and the two proxies. See weakref.h. */
#include "object/weakref.h"

#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "weak.h"

Type weakref_type, weakproxy_type, callable_proxy_type;

/* ---- making ---- */

Value weakref_new(Type *t, Value target, Value callback) {
    if (!v_is_obj(target) || !(type_of(target)->flags & TF_WEAKREF))
        return err_set(&exc_TypeError, "cannot create weak reference to '%T' object", target);
    if (callback == V_NONE)
        callback = ABSENT;
    /* References without a callback are shared, but for those of subclasses. */
    bool shared = callback == ABSENT && (t == &weakref_type || t == &weakproxy_type || t == &callable_proxy_type);
    if (shared) {
        WeakRef *w = weak_find_plain(target, t);
        if (w)
            return V_OF(w);
    }
    Value v = obj_new(t);
    if (!v)
        return ABSENT;
    WeakRef *w = (WeakRef *)v;
    STORE_RELAXED(&w->hash, -1);
    ref_init(&w->callback, retained(callback));
    if (weak_link(w, target, shared, t == &weakref_type) < 0) {
        release(v);
        return err_no_memory();
    }
    trace_track(v_obj(v));
    return v;
}

Value weakproxy_new(Value target, Value callback) {
    return weakref_new(v_is_callable(target) ? &callable_proxy_type : &weakproxy_type, target, callback);
}

Value weakref_get(Value ref) {
    Value v = weak_get((WeakRef *)ref);
    return v ? v : V_NONE;
}

Value weakref_first(Value target) {
    WeakRef *w = weak_first(target);
    return w ? V_OF(w) : V_NONE;
}

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((WeakRef *)self)->callback), arg);
}
static void clear(Value self) {
    weak_unlink((WeakRef *)self);
    ref_clear(self, &((WeakRef *)self)->callback);
}
static void fini(Value self) {
    weak_unlink((WeakRef *)self);
}
static const TypeOps ops = {traverse, clear, fini};

/* ---- ref ---- */

/* Keywords are a subclass's __init__'s. */
static Value ref_new(Value self, Value *args, intptr_t nargs, Value kw) {
    if (kw && tuple_len(kw) && (Type *)self == &weakref_type)
        return err_set(&exc_TypeError, "ref() takes no keyword arguments");
    if (nargs < 1 || nargs > 2)
        return err_set(&exc_TypeError, "__new__ expected %s 1 argument, got %zd", nargs ? "at most" : "at least",
                       nargs);
    return weakref_new((Type *)self, args[0], arg_at(args, nargs, 1));
}
static Value ref_init_(Value self, Value *args, intptr_t nargs, Value kw) {
    if (kw && tuple_len(kw))
        return err_set(&exc_TypeError, "ref() takes no keyword arguments");
    if (nargs < 1 || nargs > 2)
        return err_set(&exc_TypeError, "__init__ expected %s 1 argument, got %zd", nargs ? "at most" : "at least",
                       nargs);
    return V_NONE;
}
static Value ref_call(Value self, Value *args, intptr_t nargs, Value kw) {
    return weakref_get(self);
}
static Value ref_callback(Value self) {
    ExclCs cs;
    excl_read_begin(&cs, self);
    Value v = ref_load(self, &((WeakRef *)self)->callback);
    excl_read_end(&cs);
    return v ? v : V_NONE;
}
static Value ref_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    WeakRef *w = (WeakRef *)self;
    int64_t h = LOAD_RELAXED(&w->hash);
    if (h == -1) {
        Value v = weak_get(w);
        if (!v)
            return err_set(&exc_TypeError, "weak object has gone away");
        h = obj_hash(v);
        release(v);
        if (h == -1)
            return ABSENT;
        STORE_RELAXED(&w->hash, h);
    }
    return v_from_int(h);
}
static Value ref_compare(Value self, Value other, int op) {
    if (!v_is_obj(other) || !type_is_subtype(type_of(other), &weakref_type))
        return V_NOTIMPL;
    Value a = weak_get((WeakRef *)self), b = weak_get((WeakRef *)other), r;
    if (a && b)
        r = obj_compare(a, b, op);
    else
        r = v_bool((self == other) == (op == CMP_EQ));
    release(a);
    release(b);
    return r;
}
static Value ref_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    return ref_compare(self, args[0], CMP_EQ);
}
static Value ref_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    return ref_compare(self, args[0], CMP_NE);
}
static Value ref_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = weak_get((WeakRef *)self), name = ABSENT, r;
    char here[32], there[32];
    snprintf(here, sizeof here, "0x%llx", (unsigned long long)obj_id(self));
    if (!v)
        return str_format_c("<weakref at %s; dead>", here);
    snprintf(there, sizeof there, "0x%llx", (unsigned long long)obj_id(v));
    if (obj_lookup_attr(v, ID("__name__"), &name) < 0) {
        release(v);
        return ABSENT;
    }
    if (name && v_is_str(name))
        r = str_format_c("<weakref at %s; to '%T' at %s (%S)>", here, v, there, name);
    else
        r = str_format_c("<weakref at %s; to '%T' at %s>", here, v, there);
    release(name);
    release(v);
    return r;
}
static Value ref_class_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return generic_alias_new(self, args[0]);
}

static const NativeDef ref_methods[] = {
    {"__new__", ref_new, "($type, *args, **kw)"},
    {"__init__", ref_init_, "($self, *args, **kw)"},
    {"__call__", ref_call, "($self)"},
    {"__hash__", ref_hash, "($self, /)"},
    {"__eq__", ref_eq, "($self, value, /)"},
    {"__ne__", ref_ne, "($self, value, /)"},
    {"__repr__", ref_repr, "($self, /)"},
    {"__class_getitem__", ref_class_getitem, "($type, object, /)", NF_CLASS, "See PEP 585"},
    {NULL},
};
static const GetSetDef ref_getsets[] = {{"__callback__", ref_callback, NULL, NULL}, {NULL}};

/* ---- proxies: every operation is the target's ---- */

static bool is_proxy(Value v) {
    return v_is_obj(v) && (type_of(v) == &weakproxy_type || type_of(v) == &callable_proxy_type);
}
/* What v stands for: owned; ABSENT with ReferenceError. */
static Value unwrap(Value v) {
    if (!is_proxy(v))
        return retained(v);
    Value t = weak_get((WeakRef *)v);
    return t ? t : err_set(&exc_ReferenceError, "weakly-referenced object no longer exists");
}

#define PROXY_BODY(result, expr) \
    Value t = unwrap(self);      \
    if (!t)                      \
        return ABSENT;           \
    result = expr;               \
    release(t);                  \
    return r;
#define PROXY_VALUE(name, expr)                                                    \
    static Value proxy_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        PROXY_BODY(Value r, expr)                                                  \
    }

static Value from_status(int r) {
    return r < 0 ? ABSENT : V_NONE;
}
static Value from_bool(int r) {
    return r < 0 ? ABSENT : v_bool(r != 0);
}
static Value from_length(intptr_t n) {
    return n < 0 ? ABSENT : v_from_int(n);
}

PROXY_VALUE(getattribute, obj_getattr(t, args[0]))
PROXY_VALUE(setattr, from_status(obj_setattr(t, args[0], args[1])))
PROXY_VALUE(delattr, from_status(obj_setattr(t, args[0], ABSENT)))
PROXY_VALUE(str, obj_str(t))
PROXY_VALUE(bool, from_bool(obj_truth(t)))
PROXY_VALUE(len, from_length(obj_len(t)))
PROXY_VALUE(getitem, obj_getitem(t, args[0]))
PROXY_VALUE(setitem, from_status(obj_setitem(t, args[0], args[1])))
PROXY_VALUE(delitem, from_status(obj_delitem(t, args[0])))
PROXY_VALUE(contains, from_bool(obj_contains(t, args[0])))
PROXY_VALUE(iter, obj_iter(t))
PROXY_VALUE(bytes, obj_call_method_str(t, "__bytes__", NULL, 0))
PROXY_VALUE(reversed, obj_call_method_str(t, "__reversed__", NULL, 0))
PROXY_VALUE(call, obj_call(t, args, nargs, kw))
PROXY_VALUE(index, num_index(t))
PROXY_VALUE(int, obj_call1(V_OF(&int_type), t))
PROXY_VALUE(float, obj_call1(V_OF(&float_type), t))

static Value proxy_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value t = unwrap(self);
    if (!t)
        return ABSENT;
    Value r = ABSENT;
    if (!type_special(type_of(t), SP_NEXT)) {
        err_set(&exc_TypeError, "Weakref proxy referenced a non-iterator '%T' object", t);
    } else {
        r = obj_next(t);
        if (!r && !err_pending())
            err_set_none(&exc_StopIteration);
    }
    release(t);
    return r;
}
static Value proxy_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value t = weak_get((WeakRef *)self);
    char here[32], there[32];
    snprintf(here, sizeof here, "0x%llx", (unsigned long long)obj_id(self));
    snprintf(there, sizeof there, "0x%llx", (unsigned long long)(t ? obj_id(t) : 0));
    Value r = str_format_c("<weakproxy at %s to %T at %s>", here, t ? t : V_NONE, there);
    release(t);
    return r;
}
static Value proxy_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "unhashable type: '%T'", self);
}
static Value proxy_compare(Value self, Value other, int op) {
    Value a = unwrap(self), b = a ? unwrap(other) : ABSENT;
    Value r = a && b ? obj_compare(a, b, op) : ABSENT;
    release(a);
    release(b);
    return r;
}
#define PROXY_COMPARE(name, op)                                                    \
    static Value proxy_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return proxy_compare(self, args[0], op);                                   \
    }
PROXY_COMPARE(lt, CMP_LT)
PROXY_COMPARE(le, CMP_LE)
PROXY_COMPARE(eq, CMP_EQ)
PROXY_COMPARE(ne, CMP_NE)
PROXY_COMPARE(gt, CMP_GT)
PROXY_COMPARE(ge, CMP_GE)

static Value proxy_binary(int sp, Value x, Value y, Value mod, bool inplace) {
    Value a = unwrap(x), b = a ? unwrap(y) : ABSENT, r = ABSENT;
    if (a && b) {
        if (mod && mod != V_NONE)
            r = num_power(a, b, mod);
        else
            r = inplace ? num_inplace(sp, a, b) : num_binary(sp, a, b);
    }
    release(a);
    release(b);
    return r;
}
#define PROXY_BINARY_OPS(X) \
    X(add, ADD)             \
    X(sub, SUB)             \
    X(mul, MUL)             \
    X(matmul, MATMUL)       \
    X(truediv, TRUEDIV)     \
    X(floordiv, FLOORDIV)   \
    X(mod, MOD) X(divmod, DIVMOD) X(pow, POW) X(lshift, LSHIFT) X(rshift, RSHIFT) X(and, AND) X(xor, XOR) X(or, OR)
#define PROXY_INPLACE_OPS(X) \
    X(add, ADD)              \
    X(sub, SUB)              \
    X(mul, MUL)              \
    X(matmul, MATMUL)        \
    X(truediv, TRUEDIV)      \
    X(floordiv, FLOORDIV) X(mod, MOD) X(pow, POW) X(lshift, LSHIFT) X(rshift, RSHIFT) X(and, AND) X(xor, XOR) X(or, OR)
#define PROXY_BINARY_DEF(n, SP)                                                     \
    static Value proxy_##n##_(Value self, Value *args, intptr_t nargs, Value kw) {  \
        return proxy_binary(SP_##SP, self, args[0], arg_at(args, nargs, 1), false); \
    }                                                                               \
    static Value proxy_r##n(Value self, Value *args, intptr_t nargs, Value kw) {    \
        return proxy_binary(SP_##SP, args[0], self, arg_at(args, nargs, 1), false); \
    }
#define PROXY_INPLACE_DEF(n, SP)                                                 \
    static Value proxy_i##n(Value self, Value *args, intptr_t nargs, Value kw) { \
        return proxy_binary(SP_##SP, self, args[0], ABSENT, true);               \
    }
PROXY_BINARY_OPS(PROXY_BINARY_DEF)
PROXY_INPLACE_OPS(PROXY_INPLACE_DEF)
#define PROXY_UNARY_OPS(X) X(neg, NEG) X(pos, POS) X(abs, ABS) X(invert, INVERT)
#define PROXY_UNARY_DEF(n, SP) PROXY_VALUE(n, num_unary(SP_##SP, t))
PROXY_UNARY_OPS(PROXY_UNARY_DEF)

#define PROXY_BINARY_ROW(n, SP)                                  \
    {"__" #n "__", proxy_##n##_, "($self, value, mod=None, /)"}, \
        {"__r" #n "__", proxy_r##n, "($self, value, mod=None, /)"},
#define PROXY_INPLACE_ROW(n, SP) {"__i" #n "__", proxy_i##n, "($self, value, /)"},
#define PROXY_UNARY_ROW(n, SP) {"__" #n "__", proxy_##n, "($self, /)"},
#define PROXY_METHODS                                                                                                  \
    {"__getattribute__", proxy_getattribute, "($self, name, /)"},                                                      \
        {"__setattr__", proxy_setattr, "($self, name, value, /)"}, {"__delattr__", proxy_delattr, "($self, name, /)"}, \
        {"__str__", proxy_str, "($self, /)"}, {"__repr__", proxy_repr, "($self, /)"},                                  \
        {"__hash__", proxy_hash, "($self, /)"}, {"__bool__", proxy_bool, "($self, /)"},                                \
        {"__len__", proxy_len, "($self, /)"}, {"__getitem__", proxy_getitem, "($self, key, /)"},                       \
        {"__setitem__", proxy_setitem, "($self, key, value, /)"}, {"__delitem__", proxy_delitem, "($self, key, /)"},   \
        {"__contains__", proxy_contains, "($self, key, /)"}, {"__iter__", proxy_iter, "($self, /)"},                   \
        {"__next__", proxy_next, "($self, /)"}, {"__bytes__", proxy_bytes, "($self, /)"},                              \
        {"__reversed__", proxy_reversed, "($self, /)"}, {"__index__", proxy_index, "($self, /)"},                      \
        {"__int__", proxy_int, "($self, /)"}, {"__float__", proxy_float, "($self, /)"},                                \
        {"__lt__", proxy_lt, "($self, value, /)"}, {"__le__", proxy_le, "($self, value, /)"},                          \
        {"__eq__", proxy_eq, "($self, value, /)"}, {"__ne__", proxy_ne, "($self, value, /)"},                          \
        {"__gt__", proxy_gt, "($self, value, /)"}, {"__ge__", proxy_ge, "($self, value, /)"},                          \
        PROXY_BINARY_OPS(PROXY_BINARY_ROW) PROXY_INPLACE_OPS(PROXY_INPLACE_ROW) PROXY_UNARY_OPS(PROXY_UNARY_ROW)

static const NativeDef proxy_methods[] = {PROXY_METHODS{NULL}};
static const NativeDef callable_proxy_methods[] = {PROXY_METHODS{"__call__", proxy_call, NULL}, {NULL}};

void weakref_init(void) {
    static const TypeSpec ref_spec = {
        .name = "weakref.ReferenceType",
        .basic_size = sizeof(WeakRef),
        .flags = TF_BASETYPE,
        .ops = &ops,
        .methods = ref_methods,
        .getsets = ref_getsets,
    };
    static const TypeSpec proxy_spec = {
        .name = "weakref.ProxyType",
        .basic_size = sizeof(WeakRef),
        .flags = TF_NO_NEW,
        .ops = &ops,
        .methods = proxy_methods,
    };
    static const TypeSpec callable_spec = {
        .name = "weakref.CallableProxyType",
        .basic_size = sizeof(WeakRef),
        .flags = TF_NO_NEW,
        .ops = &ops,
        .methods = callable_proxy_methods,
    };
    type_init_static(&weakref_type, IDX_WEAKREF, &ref_spec);
    type_init_module_type(&weakproxy_type, &proxy_spec);
    type_init_module_type(&callable_proxy_type, &callable_spec);
}

/* Native functions and the descriptors of built-in types.
 *
 *   native           a module's function, or a native method bound to its receiver (builtin_function_or_method)
 *   method_descr     a native method in its class's dict; called with the receiver in front
 *   classmethod_descr, staticmethod (of a native), getset, member
 *
 * A signature is bound as NativeDef says. It is parsed once per definition, on the first call or inspection.
 */
#ifndef POLYGIL_NATIVE_H
#define POLYGIL_NATIVE_H

#include "object/module.h"
#include "object/object.h"

/* Compact form of a text signature. Parameters are numbered without the receiver. */
typedef struct NativeSig {
    uint8_t n_pos;      /* parameters that positional arguments may fill */
    uint8_t n_posonly;  /* of these, the first n_posonly take no keyword */
    uint8_t n_total;    /* with the keyword-only ones */
    uint8_t n_required; /* leading parameters without default */
    bool var_args, var_kw;
    bool direct; /* no keywords given and n_required <= nargs <= n_pos (or var_args): call straight away */
    bool required_kwonly;
    uint8_t min_args, max_args; /* for direct; max_args 255 with var_args */
    Value names[];              /* interned, immortal; n_total of them */
} NativeSig;

/* Native.special. NEW: a class's __new__: native_call takes the class from the arguments. CLEAN: NF_CLEAN. */
enum { NATIVE_PLAIN, NATIVE_NEW, NATIVE_CLEAN };

typedef struct Native {
    Object hdr;
    NativeFn fn;
    const NativeDef *def;
    _Atomic(NativeSig *) sig; /* NULL until first used */
    Type *owner;              /* method_descr, classmethod_descr: the class; native: the class of the method, or NULL */
    Ref self;                 /* native: receiver, module, class; ABSENT in descriptors */
    Ref module;               /* __module__: str or ABSENT */
    uint8_t special;          /* NATIVE_* */
} Native;

typedef struct GetSetDescr {
    Object hdr;
    const GetSetDef *def;
    Type *owner;
} GetSetDescr;

typedef struct MemberDescr {
    Object hdr;
    const MemberDef *def;
    Type *owner;
} MemberDescr;

typedef struct Property {
    Object hdr;
    Ref fget, fset, fdel, doc, name;
    bool getter_doc; /* the docstring is the getter's */
} Property;

/* classmethod and staticmethod */
typedef struct WrapDescr {
    Object hdr;
    Ref func;
} WrapDescr;

/* The full binder: keywords, defaults, messages. self: the receiver (for static functions of modules: the module). */
Value native_bind_call(Native *n, Value self, Value *args, intptr_t nargs, Value kwnames);
NativeSig *native_sig(Native *n); /* parsed on demand; NULL with MemoryError */

Value native_call(Value native, Value self, Value *args, intptr_t nargs, Value kwnames);
/* Calls n with its receiver given apart: methods found on a class are called so, without a bound object. args as in
 * obj_call. */
static ALWAYS_INLINE Value native_call_with(Native *n, Value self, Value *args, intptr_t nargs, Value kwnames) {
    NativeSig *sig = LOAD_ACQUIRE(&n->sig);
    if (LIKELY(sig != NULL && kwnames == ABSENT && sig->direct && nargs >= sig->min_args && nargs <= sig->max_args))
        return n->fn(self, args, nargs, ABSENT);
    return native_bind_call(n, self, args, nargs, kwnames);
}
/* A native object as it is called: with its own receiver, or with the class among the arguments (__new__). */
static ALWAYS_INLINE Value native_call_own(Native *n, Value *args, intptr_t nargs, Value kwnames) {
    if (UNLIKELY(n->special == NATIVE_NEW))
        return native_call(V_OF(n), ABSENT, args, nargs, kwnames);
    return native_call_with(n, ref_peek(&n->self), args, nargs, kwnames);
}
/* native: a native or method_descr or classmethod_descr object. self: ABSENT for a native (it knows its own) . A
 * method_descr called with self ABSENT takes args[0] after checking its class. */

Value method_descr_new(const NativeDef *def, Type *owner);
Value classmethod_descr_new(const NativeDef *def, Type *owner);
Value getset_new(const GetSetDef *def, Type *owner);
Value member_new(const MemberDef *def, Type *owner);
/* TypeError: self is not of descr's class; ABSENT. */
Value native_wrong_self(Native *descr, Value self);
Value native_bound(Native *descr, Value self); /* native: descr bound to self */
Value staticmethod_new(Value func);            /* retains */
Value classmethod_new(Value func);
Value property_new(Value fget, Value fset, Value fdel, Value doc);
Value mappingproxy_new(Value mapping);
Value namespace_new(void);                         /* types.SimpleNamespace(); fill with obj_setattr */
Value generic_alias_new(Value origin, Value args); /* args: a tuple, or one argument */
Value union_or(Value a, Value b);                  /* a | b for types; V_NOTIMPL */
Value capsule_new(void *p, const char *name);
void *capsule_get(Value v, const char *name); /* NULL with exception */
Value generic_class_getitem(Value cls, Value *args, intptr_t nargs,
                            Value kw); /* for "__class_getitem__" entries, NF_CLASS */
#define CLASS_GETITEM_DEF {"__class_getitem__", generic_class_getitem, "($type, item, /)", NF_CLASS, "See PEP 585"}

/* What a class attribute gives when read through o (ABSENT: through the class itself): calls its __get__. owned. */
Value descr_get(Value descr, Value o, Type *t);
/* Values of getset and member descriptors, checked against the owner. */
Value getset_get(Value descr, Value o);
int getset_set(Value descr, Value o, Value v);
Value member_get_at(Value o, const MemberDef *def); /* AttributeError for an empty MK_REF */
int member_set_at(Value o, const MemberDef *def, Value v);

/* Keyword values of natives whose signature has *args and named keyword-only parameters: the value of name among kw, or
 * ABSENT. */
static inline Value kw_find(Value *args, intptr_t nargs, Value kw, Value name);
#include "object/tuple.h"
static inline Value kw_find(Value *args, intptr_t nargs, Value kw, Value name) {
    for (intptr_t i = 0, n = kw ? tuple_len(kw) : 0; i < n; i++)
        if (tuple_get(kw, i) == name)
            return args[nargs + i];
    return ABSENT;
}

/* Calls m, found on the class of self, with one argument. */
static ALWAYS_INLINE Value native_or_call(Value m, Value self, Value arg) {
    if (LIKELY(v_is_exact(m, IDX_METHOD_DESCR)))
        return native_call_with((Native *)m, self, &arg, 1, ABSENT);
    if (v_is_exact(m, IDX_FUNCTION)) {
        Value a[] = {self, arg};
        return obj_call(m, a, 2, ABSENT);
    }
    Value f = descr_get(m, self, type_of(self));
    if (!f)
        return ABSENT;
    Value r = obj_call(f, &arg, 1, ABSENT);
    release(f);
    return r;
}

/* The text of __doc__, or NULL; what is common to all types is not in a method's definition. */
const char *native_doc(const Native *n);

#endif

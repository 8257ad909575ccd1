/* The descriptors of built-in types, and what Python code sees of native functions. */
#include "interp/function.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/native.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type_impl.h"

Type native_type, method_descr_type, classmethod_descr_type, getset_type, member_type;

/* ---- reading through a descriptor ---- */

static Value bind_method(Native *n, Value o) {
    if (UNLIKELY(!type_is_subtype(type_of(o), n->owner)))
        return err_set(&exc_TypeError, "descriptor '%s' for '%s' objects doesn't apply to a '%T' object", n->def->name,
                       type_cname(n->owner), o);
    return native_bound(n, o);
}
static Value bind_classmethod(Native *n, Value t) {
    if (UNLIKELY(!type_is_subtype((Type *)t, n->owner)))
        return err_set(&exc_TypeError, "descriptor '%s' requires a subtype of '%s' but received '%s'", n->def->name,
                       type_cname(n->owner), type_cname((Type *)t));
    return native_bound(n, t);
}

Value descr_get(Value d, Value o, Type *t) {
    if (!v_is_obj(d))
        return d;
    switch (obj_index(d)) {
    case IDX_FUNCTION:
        return o ? method_new(d, o) : retained(d);
    case IDX_METHOD_DESCR:
        return o ? bind_method((Native *)d, o) : retained(d);
    case IDX_PROPERTY: {
        if (!o)
            return retained(d);
        Value f = ref_read(d, &((Property *)d)->fget);
        if (UNLIKELY(f == ABSENT))
            break;
        Value r = obj_call1(f, o);
        release(f);
        return r;
    }
    case IDX_GETSET:
    case IDX_MEMBER:
        return o ? getset_get(d, o) : retained(d);
    case IDX_CLASSMETHOD: {
        Value f = ref_read(d, &((WrapDescr *)d)->func), r = v_is_function(f) ? method_new(f, V_OF(t)) : V_MARK;
        release(f);
        if (r != V_MARK)
            return r;
        break;
    }
    case IDX_CLASSMETHOD_DESCR:
        return bind_classmethod((Native *)d, V_OF(t));
    case IDX_STATICMETHOD: {
        Value f = ref_read(d, &((WrapDescr *)d)->func);
        if (LIKELY(f != ABSENT))
            return f;
        break;
    }
    }
    Type *dt = type_of(d);
    Value get = type_special(dt, SP_GET);
    if (!get)
        return retained(d);
    Value args[] = {o ? o : V_NONE, V_OF(t)};
    if (v_is_exact(get, IDX_METHOD_DESCR))
        return native_call_with((Native *)get, d, args, 2, ABSENT);
    Value r = obj_call_special(d, SP_GET, args, 2);
    return r == V_MARK ? retained(d) : r;
}

/* ---- members ---- */

Value member_get_at(Value o, const MemberDef *m) {
    void *p = (char *)v_obj(o) + m->offset;
    switch (m->kind & ~(uint32_t)MK_READONLY) {
    case MK_REF:
    case MK_REF_NONE: {
        ExclCs cs;
        excl_read_begin(&cs, o);
        Value v = ref_load(o, p);
        excl_read_end(&cs);
        if (v)
            return v;
        if ((m->kind & ~(uint32_t)MK_READONLY) == MK_REF_NONE)
            return V_NONE;
        Value name = str_from_c(m->name);
        if (name)
            err_attribute(o, name);
        release(name);
        return ABSENT;
    }
    case MK_INT32:
        return v_from_int(LOAD_RELAXED((_Atomic(int32_t) *)p));
    case MK_INT64:
        return v_from_int(LOAD_RELAXED((_Atomic(int64_t) *)p));
    case MK_BOOL:
        return v_bool(LOAD_RELAXED((_Atomic(uint8_t) *)p));
    }
    return V_NONE;
}

int member_set_at(Value o, const MemberDef *m, Value v) {
    void *p = (char *)v_obj(o) + m->offset;
    uint32_t kind = m->kind & ~(uint32_t)MK_READONLY;
    if (m->kind & MK_READONLY) {
        err_set(&exc_AttributeError, "readonly attribute");
        return -1;
    }
    if (kind == MK_REF || kind == MK_REF_NONE) {
        ExclCs cs;
        excl_cs_begin(&cs, o);
        Value old = ref_swap(o, p, retained(v));
        excl_cs_end(&cs);
        if (!v && !old && kind == MK_REF) {
            err_set(&exc_AttributeError, "%s", m->name);
            return -1;
        }
        release(old);
        return 0;
    }
    if (!v) {
        err_set(&exc_TypeError, "can't delete numeric/char attribute");
        return -1;
    }
    if (kind == MK_BOOL) {
        if (!v_is_bool(v)) {
            err_set(&exc_TypeError, "attribute value type must be bool");
            return -1;
        }
        STORE_RELAXED((_Atomic(uint8_t) *)p, (uint8_t)(v == V_TRUE));
        return 0;
    }
    int64_t i;
    if (num_as_i64(v, &i) < 0)
        return -1;
    if (kind == MK_INT32)
        STORE_RELAXED((_Atomic(int32_t) *)p, (int32_t)i);
    else
        STORE_RELAXED((_Atomic(int64_t) *)p, i);
    return 0;
}

static const char *descr_name(Value d) {
    return v_is_exact(d, IDX_GETSET) ? ((GetSetDescr *)d)->def->name : ((MemberDescr *)d)->def->name;
}
static Type *descr_owner(Value d) {
    return v_is_exact(d, IDX_GETSET) ? ((GetSetDescr *)d)->owner : ((MemberDescr *)d)->owner;
}

static bool check_owner(Value d, Value o) {
    if (LIKELY(type_is_subtype(type_of(o), descr_owner(d))))
        return true;
    err_set(&exc_TypeError, "descriptor '%s' for '%s' objects doesn't apply to a '%T' object", descr_name(d),
            type_cname(descr_owner(d)), o);
    return false;
}
Value getset_get(Value d, Value o) {
    if (!check_owner(d, o))
        return ABSENT;
    if (v_is_exact(d, IDX_MEMBER))
        return member_get_at(o, ((MemberDescr *)d)->def);
    const GetSetDef *g = ((GetSetDescr *)d)->def;
    if (!g->get)
        return err_set(&exc_AttributeError, "attribute '%s' of '%s' objects is not readable", g->name,
                       type_cname(descr_owner(d)));
    return g->get(o);
}
int getset_set(Value d, Value o, Value v) {
    if (!check_owner(d, o))
        return -1;
    if (v_is_exact(d, IDX_MEMBER))
        return member_set_at(o, ((MemberDescr *)d)->def, v);
    const GetSetDef *g = ((GetSetDescr *)d)->def;
    if (!g->set) {
        /* CPython has these as members of a struct. */
        if (v_is_exact(o, IDX_PROPERTY) || v_is_exact(o, IDX_MODULE))
            err_set(&exc_AttributeError, "readonly attribute");
        else
            err_set(&exc_AttributeError, "attribute '%s' of '%s' objects is not writable", g->name,
                    type_cname(descr_owner(d)));
        return -1;
    }
    return g->set(o, v);
}

Value getset_new(const GetSetDef *def, Type *owner) {
    Value v = obj_new(&getset_type);
    if (v) {
        ((GetSetDescr *)v)->def = def;
        ((GetSetDescr *)v)->owner = owner;
    }
    return v;
}
Value member_new(const MemberDef *def, Type *owner) {
    Value v = obj_new(&member_type);
    if (v) {
        ((MemberDescr *)v)->def = def;
        ((MemberDescr *)v)->owner = owner;
    }
    return v;
}

static Value gs_get(Value self, Value *args, intptr_t nargs, Value kw) {
    if (args[0] == V_NONE)
        return retained(self);
    return getset_get(self, args[0]);
}
static Value gs_set(Value self, Value *args, intptr_t nargs, Value kw) {
    return getset_set(self, args[0], args[1]) < 0 ? ABSENT : V_NONE;
}
static Value gs_delete(Value self, Value *args, intptr_t nargs, Value kw) {
    return getset_set(self, args[0], ABSENT) < 0 ? ABSENT : V_NONE;
}
static Value gs_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("<%s '%s' of '%s' objects>", v_is_exact(self, IDX_GETSET) ? "attribute" : "member",
                        descr_name(self), type_cname(descr_owner(self)));
}
static Value gs_name(Value self) {
    return str_from_c(descr_name(self));
}
static Value gs_qualname(Value self) {
    Value q = type_qualname(descr_owner(self));
    Value r = str_format_c("%S.%s", q, descr_name(self));
    release(q);
    return r;
}
static Value gs_objclass(Value self) {
    return retained(V_OF(descr_owner(self)));
}
static Value gs_doc(Value self) {
    const char *d = v_is_exact(self, IDX_GETSET) ? ((GetSetDescr *)self)->def->doc : ((MemberDescr *)self)->def->doc;
    return d ? str_from_c(d) : V_NONE;
}
static Value reduce_getattr(Value self) {
    Value g = import_attr("builtins", "getattr");
    if (!g)
        return ABSENT;
    Value name = gs_name(self), args = tuple_pack(2, V_OF(descr_owner(self)), name), r = tuple_pack(2, g, args);
    release(g);
    release(name);
    release(args);
    return r;
}
static Value gs_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return reduce_getattr(self);
}

static const NativeDef gs_methods[] = {
    {"__get__", gs_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__set__", gs_set, "($self, instance, value, /)", 0, "Set an attribute of instance to value."},
    {"__delete__", gs_delete, "($self, instance, /)", 0, "Delete an attribute of instance."},
    {"__repr__", gs_repr, "($self, /)", 0, "Return repr(self)."},
    {"__reduce__", gs_reduce, "($self, /)", 0, NULL},
    {0},
};
static const GetSetDef gs_getsets[] = {
    {"__name__", gs_name, NULL, NULL},
    {"__qualname__", gs_qualname, NULL, NULL},
    {"__objclass__", gs_objclass, NULL, NULL},
    {"__doc__", gs_doc, NULL, NULL},
    {0},
};
static void gs_traverse(Value self, VisitFn visit, void *arg) {
    visit(V_OF(descr_owner(self)), arg);
}
static const TypeOps gs_ops = {gs_traverse, NULL, NULL};
static const TypeSpec getset_spec = {.name = "getset_descriptor",
                                     .basic_size = sizeof(GetSetDescr),
                                     .flags = TF_NO_NEW,
                                     .ops = &gs_ops,
                                     .methods = gs_methods,
                                     .getsets = gs_getsets};
static const TypeSpec member_spec = {.name = "member_descriptor",
                                     .basic_size = sizeof(MemberDescr),
                                     .flags = TF_NO_NEW,
                                     .ops = &gs_ops,
                                     .methods = gs_methods,
                                     .getsets = gs_getsets};

/* ---- native functions and methods ---- */

static Native *N(Value v) {
    return (Native *)v;
}
static bool is_dunder(const char *s) {
    size_t n = strlen(s);
    return n > 4 && s[0] == '_' && s[1] == '_' && s[n - 1] == '_' && s[n - 2] == '_' &&
           special_index(str_intern_static(s)) >= 0;
}

static Value n_call(Value self, Value *args, intptr_t nargs, Value kw) {
    return native_call(self, ABSENT, args, nargs, kw);
}
static Value n_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Native *n = N(self);
    const char *name = n->def->name;
    switch (obj_index(self)) {
    case IDX_METHOD_DESCR:
        return str_format_c(is_dunder(name) && strcmp(name, "__class_getitem__") ? "<slot wrapper '%s' of '%s' objects>"
                                                                                 : "<method '%s' of '%s' objects>",
                            name, type_cname(n->owner));
    case IDX_CLASSMETHOD_DESCR:
        return str_format_c("<method '%s' of '%s' objects>", name, type_cname(n->owner));
    }
    Value s = ref_peek(&n->self);
    if (!s || v_is_exact(s, IDX_MODULE))
        return str_format_c("<built-in function %s>", name);
    if (n->owner && is_dunder(name) && s != V_OF(n->owner) && !v_is_type(s))
        return str_format_c("<method-wrapper '%s' of %T object at 0x%zx>", name, s, (size_t)obj_id(s));
    return str_format_c("<built-in method %s of %T object at 0x%zx>", name, s, (size_t)obj_id(s));
}
static Value n_name(Value self) {
    return str_from_c(N(self)->def->name);
}
static Value n_qualname(Value self) {
    Native *n = N(self);
    if (n->owner) {
        Value q = type_qualname(n->owner);
        Value r = str_format_c("%S.%s", q, n->def->name);
        release(q);
        return r;
    }
    Value s = obj_index(self) == IDX_NATIVE ? ref_peek(&n->self) : ABSENT;
    if (v_is_type(s)) {
        Value q = type_qualname((Type *)s);
        Value r = str_format_c("%S.%s", q, n->def->name);
        release(q);
        return r;
    }
    return n_name(self);
}
static Value n_self(Value self) {
    Value s = ref_peek(&N(self)->self);
    return s ? retained(s) : V_NONE;
}
static Value n_module(Value self) {
    Value m = ref_peek(&N(self)->module);
    return m ? retained(m) : V_NONE;
}
static Value n_objclass(Value self) {
    if (!N(self)->owner)
        return err_set(&exc_AttributeError, "__objclass__");
    return retained(V_OF(N(self)->owner));
}
static Value n_doc(Value self) {
    const char *d = native_doc(N(self));
    return d ? str_from_c(d) : V_NONE;
}
static Value n_text_signature(Value self) {
    const char *s = N(self)->def->sig;
    return s ? str_from_c(s) : V_NONE;
}
static Value n_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = obj_index(self) == IDX_NATIVE ? ref_peek(&N(self)->self) : V_OF(N(self)->owner);
    if (!s || v_is_exact(s, IDX_MODULE))
        return n_name(self);
    Value g = import_attr("builtins", "getattr");
    if (!g)
        return ABSENT;
    Value name = n_name(self), a = tuple_pack(2, s, name), r = tuple_pack(2, g, a);
    release(g);
    release(name);
    release(a);
    return r;
}
static Value n_get(Value self, Value *args, intptr_t nargs, Value kw) {
    if (args[0] == V_NONE && (nargs < 2 || args[1] != V_OF(&none_type)))
        return retained(self);
    return bind_method(N(self), args[0]);
}
static Value cm_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value t = nargs > 1 && args[1] && args[1] != V_NONE ? args[1] : V_OF(type_of(args[0]));
    if (!v_is_type(t))
        return err_set(&exc_TypeError, "descriptor '%s' for type '%s' needs a type, not a '%T' as arg 2",
                       N(self)->def->name, type_cname(N(self)->owner), t);
    return bind_classmethod(N(self), t);
}
static Value n_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_exact(args[0], IDX_NATIVE))
        return V_NOTIMPL;
    return v_bool(N(self)->fn == N(args[0])->fn && N(self)->def == N(args[0])->def &&
                  ref_peek(&N(self)->self) == ref_peek(&N(args[0])->self));
}
static Value n_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    Value r = n_eq(self, args, nargs, kw);
    return r == V_NOTIMPL ? r : v_bool(r == V_FALSE);
}
static Value n_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = ref_peek(&N(self)->self);
    uint64_t h = (uint64_t)(uintptr_t)N(self)->def >> 4;
    h ^= v_is_obj(s) ? obj_id(s) * 31 : s;
    return v_from_int((int64_t)(h & 0x0fffffffffffffff));
}

static void n_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&N(self)->self), arg);
    visit(ref_peek(&N(self)->module), arg);
    if (N(self)->owner)
        visit(V_OF(N(self)->owner), arg);
}
static void n_clear(Value self) {
    ref_clear(self, &N(self)->self);
    ref_clear(self, &N(self)->module);
}
static const TypeOps n_ops = {n_traverse, n_clear, NULL};

static const NativeDef native_methods[] = {
    {"__call__", n_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__repr__", n_repr, "($self, /)", 0, "Return repr(self)."},
    {"__eq__", n_eq, "($self, value, /)", 0, "Return self==value."},
    {"__ne__", n_ne, "($self, value, /)", 0, "Return self!=value."},
    {"__hash__", n_hash, "($self, /)", 0, "Return hash(self)."},
    {"__reduce__", n_reduce, "($self, /)", 0, NULL},
    {0},
};
static const GetSetDef native_getsets[] = {
    {"__name__", n_name, NULL, NULL},
    {"__qualname__", n_qualname, NULL, NULL},
    {"__self__", n_self, NULL, NULL},
    {"__module__", n_module, NULL, NULL},
    {"__doc__", n_doc, NULL, NULL},
    {"__text_signature__", n_text_signature, NULL, NULL},
    {0},
};
static const TypeSpec native_spec = {.name = "builtin_function_or_method",
                                     .basic_size = sizeof(Native),
                                     .flags = TF_NO_NEW | TF_WEAKREF,
                                     .ops = &n_ops,
                                     .methods = native_methods,
                                     .getsets = native_getsets};

static const NativeDef descr_methods[] = {
    {"__call__", n_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__get__", n_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__repr__", n_repr, "($self, /)", 0, "Return repr(self)."},
    {"__reduce__", n_reduce, "($self, /)", 0, NULL},
    {0},
};
static const NativeDef cm_methods[] = {
    {"__call__", n_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__get__", cm_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"__repr__", n_repr, "($self, /)", 0, "Return repr(self)."},
    {0},
};
static const GetSetDef descr_getsets[] = {
    {"__name__", n_name, NULL, NULL},
    {"__qualname__", n_qualname, NULL, NULL},
    {"__objclass__", n_objclass, NULL, NULL},
    {"__doc__", n_doc, NULL, NULL},
    {"__text_signature__", n_text_signature, NULL, NULL},
    {0},
};
static const TypeSpec method_descr_spec = {.name = "method_descriptor",
                                           .basic_size = sizeof(Native),
                                           .flags = TF_NO_NEW | TF_METHOD_DESCR,
                                           .ops = &n_ops,
                                           .methods = descr_methods,
                                           .getsets = descr_getsets};
static const TypeSpec classmethod_descr_spec = {.name = "classmethod_descriptor",
                                                .basic_size = sizeof(Native),
                                                .flags = TF_NO_NEW,
                                                .ops = &n_ops,
                                                .methods = cm_methods,
                                                .getsets = descr_getsets};

void descr_init(void) {
    type_init_static(&native_type, IDX_NATIVE, &native_spec);
    type_init_static(&method_descr_type, IDX_METHOD_DESCR, &method_descr_spec);
    type_init_static(&classmethod_descr_type, IDX_CLASSMETHOD_DESCR, &classmethod_descr_spec);
    type_init_static(&getset_type, IDX_GETSET, &getset_spec);
    type_init_static(&member_type, IDX_MEMBER, &member_spec);
    mismatch_init();
}

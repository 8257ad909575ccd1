/* types.UnionType: int | str. */
#include "object/dict.h"
#include "object/exc.h"
#include "object/generic_alias.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/tuple.h"

Type union_type;

static Union *U(Value v) {
    return (Union *)v;
}

static bool unionable(Value v) {
    return v == V_NONE || v_is_type(v) || type_is_subtype(type_of(v), &generic_alias_type) || v_is_exact(v, IDX_UNION);
}

/* Adds v to list unless an equal one is there; the parts of a union one by one. */
static int add_part(Value list, Value v) {
    if (v_is_exact(v, IDX_UNION)) {
        Value a = ref_peek(&U(v)->args);
        for (intptr_t i = 0; i < tuple_len(a); i++)
            if (add_part(list, tuple_get(a, i)) < 0)
                return -1;
        return 0;
    }
    if (v == V_NONE)
        v = V_OF(&none_type);
    for (intptr_t i = 0; i < list_len(list); i++) {
        Value x = list_get(list, i);
        int eq = x == v;
        if (!eq && type_is_subtype(type_of(x), &generic_alias_type) && type_is_subtype(type_of(v), &generic_alias_type))
            eq = obj_eq(x, v);
        release(x);
        if (eq)
            return eq < 0 ? -1 : 0;
    }
    return list_append(list, v);
}
static Value make(Value list) {
    if (list_len(list) == 1)
        return list_get(list, 0);
    Value t = list_to_tuple(list), v = t ? obj_new(&union_type) : ABSENT;
    if (!v) {
        release(t);
        return ABSENT;
    }
    ref_init(&U(v)->args, t);
    trace_track(v_obj(v));
    return v;
}
Value union_or(Value a, Value b) {
    if (!unionable(a) || !unionable(b))
        return V_NOTIMPL;
    Value l = list_new(2);
    Value r = l && add_part(l, a) == 0 && add_part(l, b) == 0 ? make(l) : ABSENT;
    release(l);
    return r;
}

static Value u_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return union_or(self, args[0]);
}
static Value u_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return union_or(args[0], self);
}
static Value as_set(Value self) {
    return frozenset_from(ref_peek(&U(self)->args));
}
static Value u_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_exact(args[0], IDX_UNION))
        return V_NOTIMPL;
    Value a = as_set(self), b = a ? as_set(args[0]) : ABSENT;
    Value r = b ? obj_compare(a, b, CMP_EQ) : ABSENT;
    release(a);
    release(b);
    return r;
}
static Value u_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = as_set(self);
    int64_t h = a ? obj_hash(a) : -1;
    release(a);
    return h == -1 ? ABSENT : int_from_i64(h);
}
static Value u_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    StrBuilder b;
    sb_init(&b);
    Value a = ref_peek(&U(self)->args);
    for (intptr_t i = 0; i < tuple_len(a); i++) {
        if (i > 0)
            sb_cstr(&b, " | ");
        if (tuple_get(a, i) == V_OF(&none_type))
            sb_cstr(&b, "None");
        else if (generic_repr_item(&b, tuple_get(a, i)) < 0) {
            sb_free(&b);
            return ABSENT;
        }
    }
    return sb_finish(&b);
}
static bool has_generic(Value self) {
    Value a = ref_peek(&U(self)->args);
    for (intptr_t i = 0; i < tuple_len(a); i++)
        if (type_is_subtype(type_of(tuple_get(a, i)), &generic_alias_type))
            return true;
    return false;
}
static Value u_instancecheck(Value self, Value *args, intptr_t nargs, Value kw) {
    if (has_generic(self))
        return err_set(&exc_TypeError, "isinstance() argument 2 cannot be a parameterized generic");
    int r = obj_isinstance(args[0], ref_peek(&U(self)->args));
    return r < 0 ? ABSENT : v_bool(r);
}
static Value u_subclasscheck(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_type(args[0]))
        return err_set(&exc_TypeError, "issubclass() arg 1 must be a class");
    if (has_generic(self))
        return err_set(&exc_TypeError, "issubclass() argument 2 cannot be a parameterized generic");
    int r = obj_issubclass(args[0], ref_peek(&U(self)->args));
    return r < 0 ? ABSENT : v_bool(r);
}
static Value parameters(Value self) {
    Value p = ref_peek(&U(self)->parameters);
    if (p)
        return retained(p);
    p = generic_parameters(ref_peek(&U(self)->args));
    if (p) {
        ExclCs cs;
        excl_cs_begin(&cs, self);
        Value old = ref_swap(self, &U(self)->parameters, retained(p));
        excl_cs_end(&cs);
        release(old);
    }
    return p;
}
static Value u_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value p = parameters(self), a = p ? generic_subs_parameters(self, ref_peek(&U(self)->args), p, args[0]) : ABSENT,
          r = ABSENT;
    if (a && tuple_len(a) > 0) {
        r = retained(tuple_get(a, 0));
        for (intptr_t i = 1; r && i < tuple_len(a); i++) {
            Value n = num_binary(SP_OR, r, tuple_get(a, i));
            release(r);
            r = n;
        }
    }
    release(p);
    release(a);
    return r;
}
static Value g_parameters(Value self) {
    return parameters(self);
}
static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&U(self)->args), arg);
    visit(ref_peek(&U(self)->parameters), arg);
}
static void clear(Value self) {
    ref_clear(self, &U(self)->args);
    ref_clear(self, &U(self)->parameters);
}
static const TypeOps ops = {traverse, clear, NULL};
static const NativeDef methods[] = {
    {"__or__", u_or, "($self, value, /)", 0, "Return self|value."},
    {"__ror__", u_ror, "($self, value, /)", 0, "Return value|self."},
    {"__eq__", u_eq, "($self, value, /)", 0, "Return self==value."},
    {"__hash__", u_hash, "($self, /)", 0, "Return hash(self)."},
    {"__repr__", u_repr, "($self, /)", 0, "Return repr(self)."},
    {"__getitem__", u_getitem, "($self, key, /)", 0, "Return self[key]."},
    {"__instancecheck__", u_instancecheck, "($self, instance, /)", 0, NULL},
    {"__subclasscheck__", u_subclasscheck, "($self, subclass, /)", 0, NULL},
    {0},
};
static const MemberDef members[] = {{"__args__", MK_REF | MK_READONLY, offsetof(Union, args), NULL}, {0}};
static const GetSetDef getsets[] = {{"__parameters__", g_parameters, NULL, "Type variables in the types.UnionType."},
                                    {0}};
static const TypeSpec spec = {.name = "types.UnionType",
                              .doc = "Represent a PEP 604 union type\n\nE.g. for int | str",
                              .basic_size = sizeof(Union),
                              .flags = TF_NO_NEW,
                              .ops = &ops,
                              .methods = methods,
                              .getsets = getsets,
                              .members = members};
void union_init(void) {
    type_init_static(&union_type, IDX_UNION, &spec);
}

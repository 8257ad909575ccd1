/* types.GenericAlias: list[int] and friends (PEP 585), with substitution of type parameters. */
#include "object/generic_alias.h"

#include "object/dict.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

Type generic_alias_type;

static GenericAlias *G(Value v) {
    return (GenericAlias *)v;
}

/* 1 and owned *out, 0, -1. */
static int lookup(Value o, const char *name, Value *out) {
    return obj_lookup_attr_str(o, name, out);
}

static int add_unique(Value list, Value v) {
    for (intptr_t i = 0; i < list_len(list); i++) {
        Value x = list_get(list, i);
        release(x);
        if (x == v)
            return 0;
    }
    return list_append(list, v);
}

/* Type variables in args, in order of appearance: a new tuple. */
Value generic_parameters(Value args) {
    Value l = list_new(0);
    int r = l ? 0 : -1;
    for (intptr_t i = 0; r == 0 && i < tuple_len(args); i++) {
        Value a = tuple_get(args, i), sub;
        if (v_is_type(a))
            continue;
        int has = lookup(a, "__typing_subst__", &sub);
        if (has < 0)
            r = -1;
        else if (has > 0) {
            release(sub);
            r = add_unique(l, a);
        } else {
            has = lookup(a, "__parameters__", &sub);
            if (has < 0)
                r = -1;
            else if (has > 0) {
                if (v_is_tuple(sub))
                    for (intptr_t j = 0; r == 0 && j < tuple_len(sub); j++)
                        r = add_unique(l, tuple_get(sub, j));
                release(sub);
            }
        }
    }
    Value t = r == 0 ? list_to_tuple(l) : ABSENT;
    release(l);
    return t;
}

static Value make(Type *t, Value origin, Value args, bool starred) {
    Value tup = v_is_tuple(args) ? retained(args) : tuple_pack(1, args);
    if (!tup)
        return ABSENT;
    Value v = obj_new(t);
    if (v) {
        ref_init(&G(v)->origin, retained(origin));
        ref_init(&G(v)->args, tup);
        G(v)->starred = starred;
        trace_track(v_obj(v));
    } else
        release(tup);
    return v;
}
Value generic_alias_new(Value origin, Value args) {
    return make(&generic_alias_type, origin, args, false);
}
Value generic_class_getitem(Value cls, Value *args, intptr_t nargs, Value kw) {
    return generic_alias_new(cls, args[0]);
}

static Value parameters(Value self) {
    Value p = ref_peek(&G(self)->parameters);
    if (p)
        return retained(p);
    p = generic_parameters(ref_peek(&G(self)->args));
    if (p) {
        ExclCs cs;
        excl_cs_begin(&cs, self);
        Value old = ref_swap(self, &G(self)->parameters, retained(p));
        excl_cs_end(&cs);
        release(old);
    }
    return p;
}

/* Appends the text of one argument as it stands in brackets. */
int generic_repr_item(StrBuilder *b, Value p) {
    if (p == V_ELLIPSIS) {
        sb_cstr(b, "...");
        return 0;
    }
    Value q = ABSENT, m = ABSENT, o, text = ABSENT;
    int r = 0;
    int has_origin = lookup(p, "__origin__", &o), has_args = 0;
    if (has_origin > 0) {
        release(o);
        has_args = lookup(p, "__args__", &o);
        if (has_args > 0)
            release(o);
    }
    if (has_origin < 0 || has_args < 0)
        return -1;
    if (!(has_origin > 0 && has_args > 0)) {
        r = lookup(p, "__qualname__", &q);
        if (r > 0)
            r = lookup(p, "__module__", &m);
        if (r < 0) {
            release(q);
            return -1;
        }
        if (q && m && m != V_NONE)
            text = v_is_str(m) && str_equal_c(m, "builtins") ? obj_str(q) : str_format_c("%S.%S", m, q);
    }
    if (!text && !err_pending())
        text = obj_repr(p);
    release(q);
    release(m);
    if (!text)
        return -1;
    sb_str(b, text);
    release(text);
    return 0;
}

static Value g_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    StrBuilder b;
    sb_init(&b);
    if (G(self)->starred)
        sb_char(&b, '*');
    Value a = ref_peek(&G(self)->args);
    if (generic_repr_item(&b, ref_peek(&G(self)->origin)) < 0)
        goto fail;
    sb_char(&b, '[');
    intptr_t n = tuple_len(a);
    for (intptr_t i = 0; i < n; i++) {
        if (i > 0)
            sb_cstr(&b, ", ");
        Value p = tuple_get(a, i);
        if (v_is_list(p)) { /* Callable's parameter list */
            sb_char(&b, '[');
            for (intptr_t j = 0; j < list_len(p); j++) {
                Value x = list_get(p, j);
                if (j > 0)
                    sb_cstr(&b, ", ");
                int r = x ? generic_repr_item(&b, x) : 0;
                release(x);
                if (r < 0)
                    goto fail;
            }
            sb_char(&b, ']');
        } else if (generic_repr_item(&b, p) < 0)
            goto fail;
    }
    if (n == 0)
        sb_cstr(&b, "()");
    sb_char(&b, ']');
    return sb_finish(&b);
fail:
    sb_free(&b);
    return ABSENT;
}

/* ---- substitution ---- */

/* Arguments with starred aliases of tuples spread out: new tuple. */
static Value unpack_args(Value item) {
    Value in = v_is_tuple(item) ? retained(item) : tuple_pack(1, item), out = list_new(0);
    int r = in && out ? 0 : -1;
    for (intptr_t i = 0; r == 0 && i < tuple_len(in); i++) {
        Value x = tuple_get(in, i), sub;
        if (v_is_type(x)) {
            r = list_append(out, x);
            continue;
        }
        int has = lookup(x, "__typing_unpacked_tuple_args__", &sub);
        if (has < 0)
            r = -1;
        else if (has > 0 && sub != V_NONE && v_is_tuple(sub) &&
                 !(tuple_len(sub) > 0 && tuple_get(sub, tuple_len(sub) - 1) == V_ELLIPSIS))
            r = list_extend(out, sub);
        else
            r = list_append(out, x);
        if (has > 0)
            release(sub);
    }
    Value t = r == 0 ? list_to_tuple(out) : ABSENT;
    release(in);
    release(out);
    return t;
}

static intptr_t index_of(Value params, Value v) {
    for (intptr_t i = 0; i < tuple_len(params); i++)
        if (tuple_get(params, i) == v)
            return i;
    return -1;
}

/* obj[...] with the parameters that occur in it replaced. */
static Value subs_in(Value o, Value params, Value argitems) {
    Value sub;
    if (!recursion_enter(" while calling a Python object"))
        return ABSENT;
    int has = lookup(o, "__parameters__", &sub);
    if (has <= 0)
        return has < 0 ? ABSENT : retained(o);
    Value r = ABSENT;
    if (v_is_tuple(sub) && tuple_len(sub) > 0) {
        Value l = list_new(0);
        int ok = l ? 0 : -1;
        for (intptr_t i = 0; ok == 0 && i < tuple_len(sub); i++) {
            Value p = tuple_get(sub, i);
            intptr_t at = index_of(params, p);
            if (at < 0)
                ok = list_append(l, p);
            else {
                Value a = tuple_get(argitems, at);
                ok = type_special(type_of(p), SP_ITER) && v_is_tuple(a) ? list_extend(l, a) : list_append(l, a);
            }
        }
        Value t = ok == 0 ? list_to_tuple(l) : ABSENT;
        r = t ? obj_getitem(o, t) : ABSENT;
        release(t);
        release(l);
    } else
        r = retained(o);
    release(sub);
    return r;
}

Value generic_subs_parameters(Value self, Value args, Value params, Value item) {
    intptr_t n = tuple_len(params);
    if (n == 0)
        return err_set(&exc_TypeError, "%R is not a generic class", self);
    Value items = unpack_args(item), out = ABSENT, result = ABSENT;
    if (!items)
        return ABSENT;
    for (intptr_t i = 0; i < n; i++) {
        Value prep;
        int has = lookup(tuple_get(params, i), "__typing_prepare_subst__", &prep);
        if (has < 0)
            goto done;
        if (has > 0) {
            if (prep != V_NONE) {
                Value t = obj_call2(prep, self, items);
                release(items);
                items = t && !v_is_tuple(t) ? tuple_pack(1, t) : retained(t);
                release(t);
            }
            release(prep);
            if (!items)
                return ABSENT;
        }
    }
    intptr_t given = tuple_len(items);
    if (given != n) {
        err_set(&exc_TypeError, "Too %s arguments for %R; actual %zd, expected %zd", given > n ? "many" : "few", self,
                given, n);
        goto done;
    }
    out = list_new(0);
    for (intptr_t i = 0; out && i < tuple_len(args); i++) {
        Value a = tuple_get(args, i), x = ABSENT, sub;
        if (v_is_type(a)) {
            if (list_append(out, a) < 0)
                goto done;
            continue;
        }
        int unpack = 0, has = lookup(a, "__typing_is_unpacked_typevartuple__", &sub);
        if (has > 0) {
            unpack = obj_truth(sub);
            release(sub);
        }
        if (has < 0 || unpack < 0)
            goto done;
        has = lookup(a, "__typing_subst__", &sub);
        if (has < 0)
            goto done;
        if (has > 0) {
            intptr_t at = index_of(params, a);
            x = obj_call1(sub, tuple_get(items, at < 0 ? 0 : at));
            release(sub);
        } else
            x = subs_in(a, params, items);
        int r = !x ? -1 : unpack && v_is_tuple(x) ? list_extend(out, x) : list_append(out, x);
        release(x);
        if (r < 0)
            goto done;
    }
    result = out ? list_to_tuple(out) : ABSENT;
done:
    release(items);
    release(out);
    return result;
}

static Value g_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value p = parameters(self);
    Value a = p ? generic_subs_parameters(self, ref_peek(&G(self)->args), p, args[0]) : ABSENT;
    Value r = a ? make(type_of(self), ref_peek(&G(self)->origin), a, G(self)->starred) : ABSENT;
    release(p);
    release(a);
    return r;
}

/* ---- the rest ---- */

static Value g_new(Value self, Value *args, intptr_t nargs, Value kw) {
    return make((Type *)self, args[0], args[1], false);
}
static Value g_call(Value self, Value *args, intptr_t nargs, Value kw) {
    Value r = obj_call(ref_peek(&G(self)->origin), args, nargs, kw);
    if (r && obj_setattr(r, ID("__orig_class__"), self) < 0) {
        if (!err_matches(&exc_AttributeError) && !err_matches(&exc_TypeError)) {
            release(r);
            return ABSENT;
        }
        err_clear();
    }
    return r;
}
static Value g_getattribute(Value self, Value *args, intptr_t nargs, Value kw) {
    static const char *const own[] = {"__class__",
                                      "__bases__",
                                      "__origin__",
                                      "__args__",
                                      "__unpacked__",
                                      "__parameters__",
                                      "__typing_unpacked_tuple_args__",
                                      "__mro_entries__",
                                      "__reduce_ex__",
                                      "__reduce__",
                                      "__copy__",
                                      "__deepcopy__"};
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", args[0]);
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_equal_c(args[0], own[i]))
            return obj_generic_getattr(self, args[0]);
    return obj_getattr(ref_peek(&G(self)->origin), args[0]);
}
static Value g_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!type_is_subtype(type_of(args[0]), &generic_alias_type))
        return V_NOTIMPL;
    GenericAlias *a = G(self), *b = G(args[0]);
    if (a->starred != b->starred)
        return V_FALSE;
    int r = obj_eq(ref_peek(&a->origin), ref_peek(&b->origin));
    if (r > 0)
        r = obj_eq(ref_peek(&a->args), ref_peek(&b->args));
    return r < 0 ? ABSENT : v_bool(r);
}
static Value g_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t a = obj_hash(ref_peek(&G(self)->origin)), b = a == -1 ? -1 : obj_hash(ref_peek(&G(self)->args));
    return a == -1 || b == -1 ? ABSENT : int_from_i64(a ^ b);
}
static Value g_mro_entries(Value self, Value *args, intptr_t nargs, Value kw) {
    return tuple_pack(1, ref_peek(&G(self)->origin));
}
static Value g_instancecheck(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "isinstance() argument 2 cannot be a parameterized generic");
}
static Value g_subclasscheck(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "issubclass() argument 2 cannot be a parameterized generic");
}
static Value g_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return union_or(self, args[0]);
}
static Value g_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return union_or(args[0], self);
}
/* iter(list[int]) gives *list[int], once. */
typedef struct AliasIter {
    Object hdr;
    Ref alias; /* ABSENT: exhausted */
} AliasIter;
static Type alias_iter_type;

static Value it_next(Value self, Value *args, intptr_t nargs, Value kw) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    Value a = ref_swap(self, &((AliasIter *)self)->alias, ABSENT);
    excl_cs_end(&cs);
    if (!a)
        return err_set_none(&exc_StopIteration);
    Value s = make(type_of(a), ref_peek(&G(a)->origin), ref_peek(&G(a)->args), true);
    release(a);
    return s;
}
static Value it_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value it_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value iter = import_attr("builtins", "iter"), o = ref_peek(&((AliasIter *)self)->alias);
    Value a = iter ? tuple_pack(1, o ? o : tuple_empty()) : ABSENT, r = a ? tuple_pack(2, iter, a) : ABSENT;
    release(iter);
    release(a);
    return r;
}
static void it_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((AliasIter *)self)->alias), arg);
}
static void it_clear(Value self) {
    ref_clear(self, &((AliasIter *)self)->alias);
}
static const TypeOps it_ops = {it_traverse, it_clear, NULL};
static const NativeDef it_methods[] = {
    {"__iter__", it_iter, "($self, /)", 0, NULL},
    {"__next__", it_next, "($self, /)", 0, NULL},
    {"__reduce__", it_reduce, "($self, /)", 0, NULL},
    {0},
};
static const TypeSpec it_spec = {.name = "generic_alias_iterator",
                                 .basic_size = sizeof(AliasIter),
                                 .flags = TF_NO_NEW,
                                 .ops = &it_ops,
                                 .methods = it_methods};

static Value g_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = obj_new(&alias_iter_type);
    if (v) {
        ref_init(&((AliasIter *)v)->alias, retained(self));
        trace_track(v_obj(v));
    }
    return v;
}
static Value g_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a, r;
    if (G(self)->starred) {
        Value next = import_attr("builtins", "next");
        Value plain = make(&generic_alias_type, ref_peek(&G(self)->origin), ref_peek(&G(self)->args), false);
        Value it = plain ? obj_iter(plain) : ABSENT;
        a = it && next ? tuple_pack(1, it) : ABSENT;
        r = a ? tuple_pack(2, next, a) : ABSENT;
        release(next);
        release(plain);
        release(it);
    } else {
        a = tuple_pack(2, ref_peek(&G(self)->origin), ref_peek(&G(self)->args));
        r = a ? tuple_pack(2, V_OF(type_of(self)), a) : ABSENT;
    }
    release(a);
    return r;
}
static Value g_dir(Value self, Value *args, intptr_t nargs, Value kw) {
    static const char *const own[] = {
        "__origin__", "__args__", "__parameters__", "__mro_entries__", "__reduce_ex__",
        "__reduce__", "__copy__", "__deepcopy__",   "__unpacked__",    "__typing_unpacked_tuple_args__"};
    Value l = obj_dir(ref_peek(&G(self)->origin));
    for (size_t i = 0; l && i < ARRAY_LEN(own); i++) {
        Value n = str_from_c(own[i]);
        int has = n ? obj_contains(l, n) : -1;
        if (has < 0 || (has == 0 && list_append(l, n) < 0)) {
            release(l);
            l = ABSENT;
        }
        release(n);
    }
    return l;
}
static Value get_parameters(Value self) {
    return parameters(self);
}
static Value get_unpacked(Value self) {
    return v_bool(G(self)->starred);
}
static Value get_tuple_args(Value self) {
    return G(self)->starred && ref_peek(&G(self)->origin) == V_OF(&tuple_type) ? retained(ref_peek(&G(self)->args))
                                                                               : V_NONE;
}
static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&G(self)->origin), arg);
    visit(ref_peek(&G(self)->args), arg);
    visit(ref_peek(&G(self)->parameters), arg);
}
static void clear(Value self) {
    ref_clear(self, &G(self)->origin);
    ref_clear(self, &G(self)->args);
    ref_clear(self, &G(self)->parameters);
}
static const TypeOps ops = {traverse, clear, NULL};
static const NativeDef methods[] = {
    {"__new__", g_new, "(origin, args, /)", 0, NULL},
    {"__call__", g_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__repr__", g_repr, "($self, /)", 0, "Return repr(self)."},
    {"__getattribute__", g_getattribute, "($self, name, /)", 0, "Return getattr(self, name)."},
    {"__getitem__", g_getitem, "($self, key, /)", 0, "Return self[key]."},
    {"__eq__", g_eq, "($self, value, /)", 0, "Return self==value."},
    {"__hash__", g_hash, "($self, /)", 0, "Return hash(self)."},
    {"__mro_entries__", g_mro_entries, "($self, bases, /)", 0, NULL},
    {"__instancecheck__", g_instancecheck, "($self, instance, /)", 0, NULL},
    {"__subclasscheck__", g_subclasscheck, "($self, subclass, /)", 0, NULL},
    {"__or__", g_or, "($self, value, /)", 0, "Return self|value."},
    {"__ror__", g_ror, "($self, value, /)", 0, "Return value|self."},
    {"__iter__", g_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__reduce__", g_reduce, "($self, /)", 0, NULL},
    {"__dir__", g_dir, "($self, /)", 0, NULL},
    {0},
};
static const MemberDef members[] = {{"__origin__", MK_REF_NONE | MK_READONLY, offsetof(GenericAlias, origin), NULL},
                                    {"__args__", MK_REF_NONE | MK_READONLY, offsetof(GenericAlias, args), NULL},
                                    {0}};
static const GetSetDef getsets[] = {{"__parameters__", get_parameters, NULL, "Type variables in the GenericAlias."},
                                    {"__unpacked__", get_unpacked, NULL, NULL},
                                    {"__typing_unpacked_tuple_args__", get_tuple_args, NULL, NULL},
                                    {0}};
static const TypeSpec spec = {
    .name = "types.GenericAlias",
    .doc = "Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).",
    .basic_size = sizeof(GenericAlias),
    .flags = TF_BASETYPE | TF_WEAKREF | TF_HAS_DICT,
    .ops = &ops,
    .methods = methods,
    .getsets = getsets,
    .members = members};
void generic_alias_init(void) {
    type_init_static(&alias_iter_type, 0, &it_spec);

    type_init_static(&generic_alias_type, IDX_GENERIC_ALIAS, &spec);
}

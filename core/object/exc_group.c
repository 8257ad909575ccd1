/* Exception groups: construction, split, subgroup, derive; and what except* needs. */
#include "interp/interp.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

Value exc_base_new(Value cls, Value *args, intptr_t nargs);
static Value int_from_u64_id(Value e) {
    return int_from_u64(obj_id(e));
}

static ExcGroup *G(Value v) {
    return (ExcGroup *)v;
}
static bool is_group(Value v) {
    return type_is_subtype(type_of(v), &exc_BaseExceptionGroup);
}

static Value group_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *cls = (Type *)self;
    if (kw && tuple_len(kw))
        return err_set(&exc_TypeError, "%s() takes no keyword arguments", type_cname(cls));
    if (nargs != 2)
        return err_set(&exc_TypeError, "BaseExceptionGroup.__new__() takes exactly 2 arguments (%zd given)", nargs);
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "argument 1 must be str, not %T", args[0]);
    if (!type_special(type_of(args[1]), SP_GETITEM) || v_is_dict(args[1]))
        return err_set(&exc_TypeError, "second argument (exceptions) must be a sequence");
    Value excs = seq_to_tuple(args[1]);
    if (!excs)
        return ABSENT;
    intptr_t n = tuple_len(excs);
    bool nested_base = false;
    if (n == 0) {
        release(excs);
        return err_set(&exc_ValueError, "second argument (exceptions) must be a non-empty sequence");
    }
    for (intptr_t i = 0; i < n; i++) {
        Value e = tuple_get(excs, i);
        if (!v_is_exc(e)) {
            err_set(&exc_ValueError, "Item %zd of second argument (exceptions) is not an exception", i);
            release(excs);
            return ABSENT;
        }
        nested_base |= !type_is_subtype(type_of(e), &exc_Exception);
    }
    if (cls == &exc_BaseExceptionGroup) {
        if (!nested_base)
            cls = &exc_ExceptionGroup;
    } else if (nested_base && type_is_subtype(cls, &exc_Exception)) {
        release(excs);
        if (cls == &exc_ExceptionGroup)
            return err_set(&exc_TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
        return err_set(&exc_TypeError, "Cannot nest BaseExceptions in '%s'", type_cname(cls));
    }
    Value v = exc_base_new(V_OF(cls), args, nargs);
    if (v) {
        ref_init(&G(v)->msg, retained(args[0]));
        ref_init(&G(v)->excs, excs);
    } else
        release(excs);
    return v;
}
static Value group_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (kw && tuple_len(kw))
        return err_set(&exc_TypeError, "%T() takes no keyword arguments", self);
    return V_NONE;
}
static Value group_str(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = tuple_len(ref_peek(&G(self)->excs));
    return str_format_c("%S (%zd sub-exception%s)", ref_peek(&G(self)->msg), n, n == 1 ? "" : "s");
}
static Value group_derive(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a[] = {ref_peek(&G(self)->msg), args[0]};
    return type_call(&exc_BaseExceptionGroup, a, 2, ABSENT);
}

/* derive(excs), with traceback, context, cause and notes of the original. excs: a list; steals nothing. */
static Value derive_like(Value orig, Value excs) {
    if (list_len(excs) == 0)
        return V_NONE;
    Value a[] = {excs};
    Value e = obj_call_method(orig, ID("derive"), a, 1);
    if (!e)
        return ABSENT;
    if (!v_is_exc(e) || !is_group(e)) {
        release(e);
        return err_set(&exc_TypeError, "derive must return an instance of BaseExceptionGroup");
    }
    Value tb = exc_traceback(orig);
    exc_set_traceback(e, tb);
    release(tb);
    Value c = exc_context(orig);
    exc_set_context(e, c == V_NONE ? ABSENT : c);
    c = exc_cause(orig);
    uint32_t suppress = LOAD_RELAXED(&((BaseExc *)orig)->suppress_context);
    if (c != V_NONE)
        exc_set_cause(e, c);
    STORE_RELAXED(&((BaseExc *)e)->suppress_context, suppress);
    Value notes;
    int r = obj_lookup_attr(orig, ID("__notes__"), &notes);
    if (r > 0) {
        r = 0;
        if (type_special(type_of(notes), SP_GETITEM) && !v_is_dict(notes)) {
            Value copy = seq_to_list(notes);
            r = copy ? obj_setattr(e, ID("__notes__"), copy) : -1;
            release(copy);
        }
        release(notes);
    }
    if (r < 0) {
        release(e);
        return ABSENT;
    }
    return e;
}

/* What is looked for: a class or tuple of classes, a predicate, or a set of the ids of leaves. */
typedef struct Matcher {
    enum { BY_TYPE, BY_CALL, BY_SET } kind;
    Value value;
} Matcher;

static int make_matcher(Value v, Matcher *m) {
    m->value = v;
    if (v_is_type(v) && ((Type *)v)->flags & TF_EXC) {
        m->kind = BY_TYPE;
        return 0;
    }
    if (v_is_tuple(v)) {
        bool ok = true;
        for (intptr_t i = 0; i < tuple_len(v); i++)
            ok &= v_is_type(tuple_get(v, i)) && ((Type *)tuple_get(v, i))->flags & TF_EXC;
        if (ok) {
            m->kind = BY_TYPE;
            return 0;
        }
    } else if (v_is_callable(v)) {
        m->kind = BY_CALL;
        return 0;
    }
    err_set(&exc_TypeError, "expected a function, exception type or tuple of exception types");
    return -1;
}
static int matches(Value e, const Matcher *m) {
    if (m->kind == BY_TYPE)
        return err_value_matches(e, m->value);
    if (m->kind == BY_SET) {
        if (is_group(e))
            return 0;
        Value id = int_from_u64_id(e);
        int r = id ? set_contains(m->value, id) : -1;
        release(id);
        return r;
    }
    Value r = obj_call1(m->value, e);
    if (!r)
        return -1;
    int t = obj_truth(r);
    release(r);
    return t;
}

/* match and rest: owned, or V_NONE; rest NULL: not wanted. */
static int split(Value e, const Matcher *m, Value *match, Value *rest) {
    *match = V_NONE;
    if (rest)
        *rest = V_NONE;
    int r = matches(e, m);
    if (r < 0)
        return -1;
    if (r) {
        *match = retained(e);
        return 0;
    }
    if (!is_group(e)) {
        if (rest)
            *rest = retained(e);
        return 0;
    }
    Thread *t = thread_self();
    if (!recursion_enter(" in exception_group_split_recursive"))
        return -1;
    if (t->py_depth + ++t->c_depth > LOAD_RELAXED(&interp_recursion_limit)) {
        t->c_depth--;
        err_set(&exc_RecursionError, "maximum recursion depth exceeded in exception_group_split_recursive");
        return -1;
    }
    Value yes = list_new(0), no = list_new(0), excs = ref_peek(&G(e)->excs);
    r = yes && no ? 0 : -1;
    for (intptr_t i = 0; r == 0 && i < tuple_len(excs); i++) {
        Value a, b;
        r = split(tuple_get(excs, i), m, &a, rest ? &b : NULL);
        if (r < 0)
            break;
        if (a != V_NONE)
            r = list_append(yes, a);
        release(a);
        if (rest) {
            if (b != V_NONE && r == 0)
                r = list_append(no, b);
            release(b);
        }
    }
    if (r == 0) {
        *match = derive_like(e, yes);
        if (*match && rest) {
            *rest = derive_like(e, no);
            if (!*rest) {
                release(*match);
                *match = ABSENT;
            }
        }
        if (!*match)
            r = -1;
    }
    release(yes);
    release(no);
    t->c_depth--;
    return r;
}

static Value group_split(Value self, Value *args, intptr_t nargs, Value kw) {
    Matcher m;
    Value a, b;
    if (make_matcher(args[0], &m) < 0 || split(self, &m, &a, &b) < 0)
        return ABSENT;
    Value r = tuple_pack(2, a, b);
    release(a);
    release(b);
    return r;
}
static Value group_subgroup(Value self, Value *args, intptr_t nargs, Value kw) {
    Matcher m;
    Value a;
    if (make_matcher(args[0], &m) < 0 || split(self, &m, &a, NULL) < 0)
        return ABSENT;
    return a;
}

const NativeDef exc_group_methods[] = {
    {"__new__", group_new, "(*args, **kwargs)", 0, NULL},
    {"__init__", group_init, "($self, /, *args, **kwargs)", 0, NULL},
    {"__str__", group_str, "($self, /)", 0, "Return str(self)."},
    {"derive", group_derive, "($self, excs, /)", 0, NULL},
    {"split", group_split, "($self, condition, /)", 0, NULL},
    {"subgroup", group_subgroup, "($self, condition, /)", 0, NULL},
    CLASS_GETITEM_DEF,
    {0},
};

/* ---- except* ---- */

static bool names_group(Value types) {
    if (v_is_tuple(types)) {
        for (intptr_t i = 0; i < tuple_len(types); i++)
            if (names_group(tuple_get(types, i)))
                return true;
        return false;
    }
    return v_is_type(types) && type_is_subtype((Type *)types, &exc_BaseExceptionGroup);
}
static bool names_exceptions(Value types) {
    if (v_is_tuple(types)) {
        for (intptr_t i = 0; i < tuple_len(types); i++)
            if (!names_exceptions(tuple_get(types, i)))
                return false;
        return true;
    }
    return v_is_type(types) && ((Type *)types)->flags & TF_EXC;
}

int exc_group_match(Value e, Value types, Value *match, Value *rest) {
    if (!names_exceptions(types)) {
        err_set(&exc_TypeError, "catching classes that do not inherit from BaseException is not allowed");
        return -1;
    }
    if (names_group(types)) {
        err_set(&exc_TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead.");
        return -1;
    }
    *match = *rest = V_NONE;
    if (e == V_NONE)
        return 0;
    if (err_value_matches(e, types)) {
        if (is_group(e)) {
            *match = retained(e);
            return 0;
        }
        Value l = list_from(&e, 1), msg = str_empty(); /* a naked exception is wrapped */
        Value a[] = {msg, l};
        *match = l ? type_call(&exc_BaseExceptionGroup, a, 2, ABSENT) : ABSENT;
        release(l);
        if (!*match)
            return -1;
        Value tb = exc_traceback(e);
        exc_set_traceback(*match, tb);
        release(tb);
        return 0;
    }
    if (!is_group(e)) {
        *rest = retained(e);
        return 0;
    }
    Matcher m = {BY_TYPE, types};
    return split(e, &m, match, rest);
}

static int collect_leaf_ids(Value e, Value set) {
    if (!is_group(e)) {
        Value id = int_from_u64_id(e);
        int r = id ? set_add(set, id) : -1;
        release(id);
        return r;
    }
    Value excs = ref_peek(&G(e)->excs);
    for (intptr_t i = 0; i < tuple_len(excs); i++)
        if (collect_leaf_ids(tuple_get(excs, i), set) < 0)
            return -1;
    return 0;
}
static bool same_origin(Value a, Value b) {
    BaseExc *x = (BaseExc *)a, *y = (BaseExc *)b;
    Value na, nb;
    bool same = ref_peek(&x->traceback) == ref_peek(&y->traceback) && ref_peek(&x->context) == ref_peek(&y->context) &&
                ref_peek(&x->cause) == ref_peek(&y->cause);
    if (!same)
        return false;
    int ra = obj_lookup_attr(a, ID("__notes__"), &na), rb = obj_lookup_attr(b, ID("__notes__"), &nb);
    if (ra < 0 || rb < 0)
        err_clear();
    same = ra == rb && (ra <= 0 || obj_eq(na, nb) > 0);
    if (ra > 0)
        release(na);
    if (rb > 0)
        release(nb);
    return same;
}

/* raised: what the handlers raised, then what nobody handled; None entries are skipped. Parts of the original that come
 * back unchanged in origin are merged in the original's own structure; the others are raised beside it in a new group.
 */
Value exc_star_result(Value orig, Value raised_list) {
    Value raised = list_new(0), reraised = list_new(0), result = ABSENT, ids = ABSENT, keep = ABSENT;
    if (!raised || !reraised)
        goto out;
    intptr_t n = list_len(raised_list);
    if (n == 0) {
        result = V_NONE;
        goto out;
    }
    if (!is_group(orig)) { /* a naked exception: at most one thing to raise */
        Value last = list_get(raised_list, 0);
        result = last;
        goto out;
    }
    for (intptr_t i = 0; i < n; i++) {
        Value e = list_get(raised_list, i);
        if (e == V_NONE)
            continue;
        int r = list_append(is_group(e) && same_origin(e, orig) ? reraised : raised, e);
        release(e);
        if (r < 0)
            goto out;
    }
    if (list_len(reraised) > 0) {
        ids = set_new();
        for (intptr_t i = 0; ids && i < list_len(reraised); i++) {
            Value e = list_get(reraised, i);
            int r = collect_leaf_ids(e, ids);
            release(e);
            if (r < 0)
                goto out;
        }
        if (!ids)
            goto out;
        Matcher m = {BY_SET, ids};
        if (split(orig, &m, &keep, NULL) < 0) {
            keep = ABSENT;
            goto out;
        }
    } else
        keep = V_NONE;
    if (list_len(raised) == 0) {
        result = retained(keep);
        goto out;
    }
    if (keep != V_NONE && list_append(raised, keep) < 0)
        goto out;
    Value a[] = {str_empty(), raised};
    result = type_call(&exc_BaseExceptionGroup, a, 2, ABSENT);
out:
    release(raised);
    release(reraised);
    release(ids);
    release(keep);
    return result;
}

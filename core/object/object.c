/* The protocols that every value answers: comparison, truth, hash, text, iteration, length, items, instance checks. */
#include "object/object.h"

#include "interp/generator.h"
#include "interp/interp.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type_impl.h"

/* ---- recursion ---- */

COLD bool recursion_exceeded(const char *where) {
    err_set(&exc_RecursionError, "maximum recursion depth exceeded%s", where);
    return false;
}

/* Objects whose repr is being made by this thread; its frames hold them. */
static _Thread_local struct {
    Value *items;
    size_t n, cap;
} in_repr;

int repr_enter(Value v) {
    for (size_t i = 0; i < in_repr.n; i++)
        if (in_repr.items[i] == v)
            return 1;
    if (!recursion_enter(" while getting the repr of an object"))
        return -1;
    if (in_repr.n >= (size_t)LOAD_RELAXED(&interp_recursion_limit)) {
        err_set(&exc_RecursionError, "maximum recursion depth exceeded while getting the repr of an object");
        return -1;
    }
    if (in_repr.n == in_repr.cap) {
        size_t cap = in_repr.cap ? in_repr.cap * 2 : 16;
        Value *p = realloc(in_repr.items, cap * sizeof *p);
        if (!p) {
            err_no_memory();
            return -1;
        }
        in_repr.items = p;
        in_repr.cap = cap;
    }
    in_repr.items[in_repr.n++] = v;
    return 0;
}
void repr_leave(Value v) {
    for (size_t i = in_repr.n; i-- > 0;)
        if (in_repr.items[i] == v) {
            memmove(&in_repr.items[i], &in_repr.items[i + 1], (in_repr.n - i - 1) * sizeof(Value));
            in_repr.n--;
            return;
        }
}

/* ---- comparison ---- */

/* native_or_call for comparisons: a method that cannot be fetched counts as not there. */
static ALWAYS_INLINE Value compare_with(Value m, Value self, Value arg) {
    if (LIKELY(v_is_exact(m, IDX_METHOD_DESCR) || v_is_exact(m, IDX_FUNCTION)))
        return native_or_call(m, self, arg);
    Value f = descr_get(m, self, type_of(self));
    if (!f) {
        if (special_is_mismatch(m))
            return ABSENT;
        err_clear();
        return V_NOTIMPL;
    }
    Value r = obj_call(f, &arg, 1, ABSENT);
    release(f);
    return r;
}

static const int cmp_sp[] = {SP_LT, SP_LE, SP_EQ, SP_NE, SP_GT, SP_GE};
static const int cmp_swapped[] = {SP_GT, SP_GE, SP_EQ, SP_NE, SP_LT, SP_LE};
static const char *const cmp_text[] = {"<", "<=", "==", "!=", ">", ">="};

Value obj_compare(Value a, Value b, int op) {
    Type *ta = type_of(a), *tb = type_of(b);
    if (!recursion_enter(" in comparison"))
        return ABSENT;
    bool tried = false;
    Value r;
    if (ta != tb && tb->base && type_is_subtype(tb, ta)) {
        Value m = type_special(tb, cmp_swapped[op]);
        /* object's != asks its == in turn; the others of it have no answer. */
        if (m && (op == CMP_NE || m != type_special(&object_type, cmp_swapped[op]))) {
            tried = true;
            r = compare_with(m, b, a);
            if (r != V_NOTIMPL)
                return r;
        }
    }
    Value m = type_special(ta, cmp_sp[op]);
    if (m) {
        r = compare_with(m, a, b);
        if (r != V_NOTIMPL)
            return r;
    }
    if (!tried && (m = type_special(tb, cmp_swapped[op])) != ABSENT) {
        r = compare_with(m, b, a);
        if (r != V_NOTIMPL)
            return r;
    }
    if (op == CMP_EQ)
        return v_bool(a == b);
    if (op == CMP_NE)
        return v_bool(a != b);
    return err_set(&exc_TypeError, "'%s' not supported between instances of '%T' and '%T'", cmp_text[op], a, b);
}

int obj_compare_bool(Value a, Value b, int op) {
    if (a == b) {
        if (op == CMP_EQ)
            return 1;
        if (op == CMP_NE)
            return 0;
    }
    Value r = obj_compare(a, b, op);
    if (!r)
        return -1;
    int t = obj_truth(r);
    release(r);
    return t;
}

int obj_truth_slow(Value v) {
    if (v == V_NOTIMPL)
        return err_warn(&exc_DeprecationWarning, 1, "NotImplemented should not be used in a boolean context") < 0 ? -1
                                                                                                                  : 1;
    if (v_is_const(v))
        return v == V_TRUE || v == V_ELLIPSIS || v == V_MARK;
    if (v_is_int(v))
        return v != v_from_int(0);
    if (v_is_flo(v))
        return v_flo(v) != 0.0;
    switch (obj_index(v)) {
    case IDX_STR:
        return str_len(v) != 0;
    case IDX_LIST:
        return list_len(v) != 0;
    case IDX_TUPLE:
        return tuple_len(v) != 0;
    case IDX_DICT:
        return dict_len(v) != 0;
    }
    Type *t = type_of(v);
    if (type_special(t, SP_BOOL)) {
        Value r = obj_call_special(v, SP_BOOL, NULL, 0);
        if (!r)
            return -1;
        if (!v_is_bool(r)) {
            err_set(&exc_TypeError, "__bool__ should return bool, returned %T", r);
            release(r);
            return -1;
        }
        return r == V_TRUE;
    }
    if (type_special(t, SP_LEN)) {
        intptr_t n = obj_len(v);
        return n < 0 ? -1 : n != 0;
    }
    return 1;
}

/* ---- hash, identity ---- */

uint64_t obj_id(Value v) {
    return v;
}

int64_t obj_hash(Value v) {
    if (v_is_obj(v) && obj_index(v) == IDX_STR)
        return str_hash(v);
    if (v_is_int(v))
        return int_hash(v);
    if (v_is_exact(v, IDX_TUPLE))
        return tuple_hash(v);
    Type *t = type_of(v);
    Value m = type_special(t, SP_HASH);
    if (!m || m == V_NONE) {
        err_set(&exc_TypeError, "unhashable type: '%T'", v);
        return -1;
    }
    Value r = obj_call_special(v, SP_HASH, NULL, 0);
    if (!r)
        return -1;
    if (!v_is_integer(r)) {
        err_set(&exc_TypeError, "__hash__ method should return an integer");
        release(r);
        return -1;
    }
    int64_t h;
    if (int_to_i64(r, &h) != 0)
        h = int_hash(r);
    release(r);
    return h == -1 ? -2 : h;
}

/* ---- text ---- */

Value obj_repr(Value v) {
    if (!v)
        return str_from_c("<NULL>");
    if (!recursion_enter(" while getting the repr of an object"))
        return ABSENT;
    Value r = obj_call_special(v, SP_REPR, NULL, 0);
    if (r == V_MARK)
        return str_format_c("<%T object at 0x%zx>", v, (size_t)obj_id(v));
    if (r && !v_is_str(r)) {
        err_set(&exc_TypeError, "__repr__ returned non-string (type %T)", r);
        release(r);
        return ABSENT;
    }
    return r;
}
Value obj_str(Value v) {
    if (!v)
        return str_from_c("<NULL>");
    if (v_is_exact(v, IDX_STR))
        return retained(v);
    if (v_is_int(v))
        return int_to_str(v, 10, false);
    if (!recursion_enter(" while getting the str of an object"))
        return ABSENT;
    Value r = obj_call_special(v, SP_STR, NULL, 0);
    if (r == V_MARK)
        return obj_repr(v);
    if (r && !v_is_str(r)) {
        err_set(&exc_TypeError, "__str__ returned non-string (type %T)", r);
        release(r);
        return ABSENT;
    }
    return r;
}
Value obj_ascii(Value v) {
    Value r = obj_repr(v);
    if (!r || str_is_ascii(r))
        return r;
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = 0; i < str_len(r); i++) {
        uint32_t c = str_at(r, i);
        if (c < 0x80)
            sb_char(&b, c);
        else if (c < 0x100)
            sb_printf(&b, "\\x%02x", c);
        else if (c < 0x10000)
            sb_printf(&b, "\\u%04x", c);
        else
            sb_printf(&b, "\\U%08x", c);
    }
    release(r);
    return sb_finish(&b);
}
Value obj_format(Value v, Value spec) {
    Value empty = spec ? ABSENT : str_empty();
    if (!spec)
        spec = empty;
    Value r;
    if (str_len(spec) == 0 && (v_is_exact(v, IDX_STR) || v_is_int(v)))
        r = obj_str(v);
    else {
        Value args[] = {spec};
        r = obj_call_special(v, SP_FORMAT, args, 1);
        if (r == V_MARK)
            r = err_set(&exc_TypeError, "Type %T doesn't define __format__", v);
        else if (r && !v_is_str(r)) {
            err_set(&exc_TypeError, "__format__ must return a str, not %T", r);
            release(r);
            r = ABSENT;
        }
    }
    release(empty);
    return r;
}

/* ---- instance and subclass checks ---- */

/* cls.__bases__ when it is a tuple: 1 owned, 0, -1. */
static int abstract_bases(Value cls, Value *out) {
    int r = obj_lookup_attr(cls, ID("__bases__"), out);
    if (r > 0 && !v_is_tuple(*out)) {
        release(*out);
        *out = ABSENT;
        return 0;
    }
    return r;
}
static int abstract_subclass(Value c, Value cls) {
    if (c == cls)
        return 1;
    if (!recursion_enter(" in __issubclass__"))
        return -1;
    Value bases;
    int r = abstract_bases(c, &bases);
    if (r <= 0)
        return r;
    r = 0;
    for (intptr_t i = 0; r == 0 && i < tuple_len(bases); i++)
        r = abstract_subclass(tuple_get(bases, i), cls);
    release(bases);
    return r;
}
static int check_class(Value c, const char *msg) {
    Value bases;
    int r = abstract_bases(c, &bases);
    if (r > 0) {
        release(bases);
        return 0;
    }
    if (r == 0)
        err_set(&exc_TypeError, "%s", msg);
    return -1;
}

int type_subclass_plain(Value c, Value cls) {
    if (v_is_type(c) && v_is_type(cls))
        return type_is_subtype((Type *)c, (Type *)cls);
    if (check_class(c, "issubclass() arg 1 must be a class") < 0 ||
        check_class(cls, "issubclass() arg 2 must be a class, a tuple of classes, or a union") < 0)
        return -1;
    return abstract_subclass(c, cls);
}

static int instance_plain(Value v, Value cls) {
    if (v_is_type(cls)) {
        if (type_is_subtype(type_of(v), (Type *)cls))
            return 1;
        Value c;
        int r = obj_lookup_attr(v, ID("__class__"), &c);
        if (r <= 0)
            return r;
        r = v_is_type(c) && c != V_OF(type_of(v)) && type_is_subtype((Type *)c, (Type *)cls);
        release(c);
        return r;
    }
    if (check_class(cls, "isinstance() arg 2 must be a type, a tuple of types, or a union") < 0)
        return -1;
    Value c;
    int r = obj_lookup_attr(v, ID("__class__"), &c);
    if (r <= 0)
        return r;
    r = abstract_subclass(c, cls);
    release(c);
    return r;
}

/* Nesting of tuples and hooks counts towards the recursion limit, as calls do. */
static bool check_enter(const char *where) {
    Thread *t = thread_self();
    if (!recursion_enter(where))
        return false;
    if (t->py_depth + ++t->c_depth <= LOAD_RELAXED(&interp_recursion_limit))
        return true;
    t->c_depth--;
    err_set(&exc_RecursionError, "maximum recursion depth exceeded%s", where);
    return false;
}
static void check_leave(void) {
    thread_self()->c_depth--;
}

int obj_isinstance(Value v, Value cls) {
    Type *t = type_of(v);
    if (V_OF(t) == cls)
        return 1;
    if (v_is_tuple(cls)) {
        if (!check_enter(" in __instancecheck__"))
            return -1;
        int r = 0;
        for (intptr_t i = 0; r == 0 && i < tuple_len(cls); i++)
            r = obj_isinstance(v, tuple_get(cls, i));
        check_leave();
        return r;
    }
    Type *meta = type_of(cls);
    Value m = type_special(meta, SP_INSTANCECHECK);
    if (m == type_special(&type_type, SP_INSTANCECHECK) || !m)
        return instance_plain(v, cls);
    if (!recursion_enter(" in __instancecheck__"))
        return -1;
    Value r = native_or_call(m, cls, v);
    if (!r)
        return -1;
    int b = obj_truth(r);
    release(r);
    return b;
}

int obj_issubclass(Value c, Value cls) {
    Type *meta = type_of(cls);
    if (meta == &type_type) {
        if (c == cls)
            return 1;
        return type_subclass_plain(c, cls);
    }
    if (v_is_tuple(cls)) {
        if (!check_enter(" in __subclasscheck__"))
            return -1;
        int r = 0;
        for (intptr_t i = 0; r == 0 && i < tuple_len(cls); i++)
            r = obj_issubclass(c, tuple_get(cls, i));
        check_leave();
        return r;
    }
    Value m = type_special(meta, SP_SUBCLASSCHECK);
    if (!m || m == type_special(&type_type, SP_SUBCLASSCHECK))
        return type_subclass_plain(c, cls);
    if (!recursion_enter(" in __subclasscheck__"))
        return -1;
    Value r = native_or_call(m, cls, c);
    if (!r)
        return -1;
    int b = obj_truth(r);
    release(r);
    return b;
}

/* ---- containers ---- */

Value obj_getitem(Value o, Value key) {
    Value m = type_special(type_of(o), SP_GETITEM);
    if (LIKELY(m != ABSENT)) {
        if (LIKELY(v_is_exact(m, IDX_METHOD_DESCR)))
            return native_call_with((Native *)m, o, &key, 1, ABSENT);
        return native_or_call(m, o, key);
    }
    if (v_is_type(o)) {
        if (o == V_OF(&type_type))
            return generic_alias_new(o, key);
        Value g;
        int r = obj_lookup_attr(o, ID("__class_getitem__"), &g);
        if (r < 0)
            return ABSENT;
        if (r > 0 && g != V_NONE) {
            Value v = obj_call1(g, key);
            release(g);
            return v;
        }
        return err_set(&exc_TypeError, "type '%s' is not subscriptable", type_cname((Type *)o));
    }
    return err_set(&exc_TypeError, "'%T' object is not subscriptable", o);
}
/* CPython asks a sequence that has nothing to store with for the index first. */
static Value no_item_change(Value o, Value key, bool deletes) {
    Type *t = type_of(o);
    bool at_index = (t->flags & TF_HEAP || type_special(t, SP_LEN) || type_special(t, SP_CONTAINS)) && v_is_index(key);
    intptr_t i;
    if (at_index && num_as_index(key, &i, &exc_IndexError) < 0)
        return ABSENT;
    if (!deletes)
        return err_set(&exc_TypeError, "'%T' object does not support item assignment", o);
    return err_set(
        &exc_TypeError,
        at_index ? "'%T' object doesn't support item deletion" : "'%T' object does not support item deletion", o);
}
int obj_setitem(Value o, Value key, Value v) {
    Value args[] = {key, v};
    Value r = obj_call_special(o, SP_SETITEM, args, 2);
    if (r == V_MARK)
        r = no_item_change(o, key, false);
    release(r);
    return r ? 0 : -1;
}
int obj_delitem(Value o, Value key) {
    Value r = obj_call_special(o, SP_DELITEM, &key, 1);
    if (r == V_MARK)
        r = no_item_change(o, key, true);
    release(r);
    return r ? 0 : -1;
}

static intptr_t length_result(Value r) {
    if (!r)
        return -1;
    Value i = num_index(r);
    release(r);
    if (!i)
        return -1;
    int64_t n;
    int big = int_to_i64(i, &n);
    int sign = int_sign(i);
    release(i);
    if (sign < 0) {
        err_set(&exc_ValueError, "__len__() should return >= 0");
        return -1;
    }
    if (big) {
        err_set(&exc_OverflowError, "cannot fit 'int' into an index-sized integer");
        return -1;
    }
    return (intptr_t)n;
}
intptr_t obj_len(Value o) {
    if (v_is_obj(o))
        switch (obj_index(o)) {
        case IDX_LIST:
            return list_len(o);
        case IDX_TUPLE:
            return tuple_len(o);
        case IDX_STR:
            return str_len(o);
        case IDX_DICT:
            return dict_len(o);
        case IDX_BYTES:
            return bytes_len(o);
        }
    Value r = obj_call_special(o, SP_LEN, NULL, 0);
    if (r == V_MARK) {
        err_set(&exc_TypeError, "object of type '%T' has no len()", o);
        return -1;
    }
    return length_result(r);
}
intptr_t obj_length_hint(Value o, intptr_t dflt) {
    if (type_special(type_of(o), SP_LEN)) {
        intptr_t n = obj_len(o);
        if (n >= 0)
            return n;
        if (!err_matches(&exc_TypeError))
            return -1;
        err_clear();
    }
    Value r = obj_call_special(o, SP_LENGTH_HINT, NULL, 0);
    if (r == V_MARK)
        return dflt;
    if (!r) {
        if (!err_matches(&exc_TypeError))
            return -1;
        err_clear();
        return dflt;
    }
    if (r == V_NOTIMPL)
        return dflt;
    if (!v_is_integer(r)) {
        err_set(&exc_TypeError, "__length_hint__ must be an integer, not %T", r);
        release(r);
        return -1;
    }
    int64_t n;
    int big = int_to_i64(r, &n);
    release(r);
    if (big) {
        err_set(&exc_OverflowError, "cannot fit 'int' into an index-sized integer");
        return -1;
    }
    if (n < 0) {
        err_set(&exc_ValueError, "__length_hint__() should return >= 0");
        return -1;
    }
    return (intptr_t)n;
}

int obj_contains(Value o, Value item) {
    Value m = type_special(type_of(o), SP_CONTAINS);
    if (m == V_NONE) {
        err_set(&exc_TypeError, "'%T' object is not a container", o);
        return -1;
    }
    if (m) {
        Value r = native_or_call(m, o, item);
        if (!r)
            return -1;
        int b = obj_truth(r);
        release(r);
        return b;
    }
    Type *t = type_of(o);
    if (!type_special(t, SP_ITER) && !type_special(t, SP_GETITEM)) {
        err_set(&exc_TypeError, "argument of type '%T' is not iterable", o);
        return -1;
    }
    Value it = obj_iter(o), v;
    if (!it)
        return -1;
    int r = 0;
    while (r == 0 && (v = obj_next(it)) != ABSENT) {
        r = obj_eq(v, item);
        release(v);
        if (r == 0 && excl_poll() < 0)
            r = -1;
    }
    release(it);
    return r == 0 && err_pending() ? -1 : r;
}

Value obj_iter(Value o) {
    if (v_is_obj(o)) {
        if (obj_index(o) == IDX_LIST)
            return list_iter_new(o);
        if (obj_index(o) == IDX_TUPLE)
            return tuple_iter_new(o);
        if (obj_index(o) == IDX_GENERATOR)
            return retained(o);
    }
    Type *t = type_of(o);
    Value m = type_special(t, SP_ITER);
    if (m == V_NONE)
        return err_set(&exc_TypeError, "'%T' object is not iterable", o);
    if (!m) {
        if (type_special(t, SP_GETITEM) && !(t->flags & TF_DICT))
            return seq_iter_new(o);
        return err_set(&exc_TypeError, "'%T' object is not iterable", o);
    }
    Value r = obj_call_special(o, SP_ITER, NULL, 0);
    if (r && !type_special(type_of(r), SP_NEXT)) {
        err_set(&exc_TypeError, "iter() returned non-iterator of type '%T'", r);
        release(r);
        return ABSENT;
    }
    return r;
}

Value obj_next(Value it) {
    NextFn fn = iter_next_fn(it);
    if (fn) /* iterators of iterators need no Python frame */
        return recursion_enter(" while calling a Python object") ? fn(it) : ABSENT;
    if (v_is_exact(it, IDX_GENERATOR))
        return gen_next(it);
    Value r = obj_call_special(it, SP_NEXT, NULL, 0);
    if (r == V_MARK)
        return err_set(&exc_TypeError, "'%T' object is not an iterator", it);
    if (!r && err_matches(&exc_StopIteration))
        err_clear();
    return r;
}

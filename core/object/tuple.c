#include "object/tuple.h"
#include "tracer.h"

#include <stdarg.h>

#include "object/dict.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/str.h"

Type tuple_type;

static Value empty_tuple;

static Tuple *T(Value v) {
    return (Tuple *)v;
}

/* ---- making ---- */

static Value alloc(Type *t, intptr_t n) {
    if (UNLIKELY((size_t)n > (SIZE_MAX / 2 - sizeof(Tuple) - 8) / sizeof(Ref)))
        return err_no_memory();
    Value v = obj_new_sized(t, (size_t)n * sizeof(Ref));
    if (LIKELY(v != ABSENT))
        T(v)->len = (size_t)n;
    return v;
}

Value tuple_empty(void) {
    return retained(empty_tuple);
}
Value tuple_new(intptr_t n) {
    return n == 0 ? tuple_empty() : alloc(&tuple_type, n);
}
Value tuple_new_type(Type *t, intptr_t n) {
    return t == &tuple_type ? tuple_new(n) : alloc(t, n);
}
Value scratch_new(intptr_t n) {
    return alloc(&tuple_type, n);
}

Value tuple_from(const Value *items, intptr_t n) {
    Value t = tuple_new(n);
    if (LIKELY(t != ABSENT) && n) {
        refs_copy(T(t)->items, (const Ref *)items, (size_t)n);
        trace_track(v_obj(t));
    }
    return t;
}

Value tuple_from_steal(const Value *items, intptr_t n) {
    Value t = tuple_new(n);
    if (UNLIKELY(t == ABSENT)) {
        refs_release((Ref *)items, (size_t)n);
        return ABSENT;
    }
    if (n) {
        memcpy((void *)T(t)->items, items, (size_t)n * sizeof(Value));
        trace_track(v_obj(t));
    }
    return t;
}

Value tuple_pack(int n, ...) {
    Value t = tuple_new(n);
    if (t == ABSENT || n == 0)
        return t;
    va_list ap;
    va_start(ap, n);
    for (int i = 0; i < n; i++)
        ref_init(&T(t)->items[i], retained(va_arg(ap, Value)));
    va_end(ap);
    trace_track(v_obj(t));
    return t;
}

Value tuple_slice(Value t, intptr_t lo, intptr_t hi) {
    intptr_t n = tuple_len(t);
    lo = lo < 0 ? 0 : lo;
    hi = hi > n ? n : hi;
    if (lo == 0 && hi == n && v_is_tuple_exact(t))
        return retained(t);
    return hi <= lo ? tuple_empty() : tuple_from(tuple_items(t) + lo, hi - lo);
}

Value tuple_concat(Value a, Value b) {
    intptr_t n = tuple_len(a), m = tuple_len(b);
    if (n == 0 && v_is_tuple_exact(b))
        return retained(b);
    if (m == 0 && v_is_tuple_exact(a))
        return retained(a);
    Value t = tuple_new(n + m);
    if (t == ABSENT || n + m == 0)
        return t;
    refs_copy(T(t)->items, T(a)->items, (size_t)n);
    refs_copy(T(t)->items + n, T(b)->items, (size_t)m);
    trace_track(v_obj(t));
    return t;
}

static Value repeat(Value t, intptr_t times) {
    intptr_t n = tuple_len(t);
    if ((times == 1 || n == 0) && v_is_tuple_exact(t))
        return retained(t);
    if (times <= 0 || n == 0)
        return tuple_empty();
    intptr_t total;
    if (__builtin_mul_overflow(n, times, &total))
        return err_no_memory();
    Value r = tuple_new(total);
    if (r == ABSENT)
        return ABSENT;
    Ref *dst = T(r)->items;
    if (n == 1) {
        Value v = tuple_get(t, 0);
        for (intptr_t i = 0; i < total; i++)
            ref_init(&dst[i], v);
    } else {
        memcpy((void *)dst, (void *)T(t)->items, (size_t)n * sizeof(Ref));
        for (intptr_t done = n; done < total;) {
            intptr_t m = MIN(done, total - done);
            memcpy((void *)(dst + done), (void *)dst, (size_t)m * sizeof(Ref));
            done += m;
        }
    }
    refs_retain_times(dst, (size_t)n, (size_t)times);
    trace_track(v_obj(r));
    return r;
}

Value seq_to_tuple(Value iterable) {
    if (v_is_tuple_exact(iterable))
        return retained(iterable);
    if (v_is_list_exact(iterable))
        return list_to_tuple(iterable);
    Value l = seq_to_list(iterable);
    if (l == ABSENT)
        return ABSENT;
    Value t = list_to_tuple(l);
    release(l);
    return t;
}

/* ---- comparison and hash ---- */

static Value compare(Value a, Value b, int op) {
    if (!v_is_tuple(b))
        return V_NOTIMPL;
    intptr_t n = tuple_len(a), m = tuple_len(b);
    if (!recursion_enter(" in comparison"))
        return ABSENT;
    for (intptr_t i = 0; i < n && i < m; i++) {
        Value x = tuple_get(a, i), y = tuple_get(b, i);
        if (x == y)
            continue;
        int r = obj_eq(x, y);
        if (r < 0)
            return ABSENT;
        if (r)
            continue;
        if (op == CMP_EQ)
            return V_FALSE;
        if (op == CMP_NE)
            return V_TRUE;
        return obj_compare(x, y, op);
    }
    return compare_lengths(n, m, op);
}
COMPARE_NATIVES(tuple, compare)

/* xxHash's mixing of 64-bit lanes (Yann Collet), as CPython combines hashes since 3.8: the order of sets of tuples
 * depends on it. */
int64_t tuple_hash(Value t) {
    const uint64_t p1 = 11400714785074694791ull, p2 = 14029467366897019727ull, p5 = 2870177450012600261ull;
    uint64_t acc = p5;
    intptr_t n = tuple_len(t);
    if (!recursion_enter(" while hashing a tuple"))
        return -1;
    for (intptr_t i = 0; i < n; i++) {
        int64_t h = dict_hash_key(tuple_get(t, i));
        if (h == -1)
            return -1;
        acc += (uint64_t)h * p2;
        acc = (acc << 31) | (acc >> 33);
        acc *= p1;
    }
    acc += (uint64_t)n ^ (p5 ^ 3527539ull);
    return acc == (uint64_t)-1 ? 1546275796 : (int64_t)acc;
}

int tuple_flat_eq(Value a, Value b) {
    intptr_t n = tuple_len(a);
    if (n != tuple_len(b))
        return 0;
    for (intptr_t i = 0; i < n; i++) {
        int r = flat_eq(tuple_get(a, i), tuple_get(b, i));
        if (r <= 0)
            return r;
    }
    return 1;
}

/* ---- methods ---- */

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)cls;
    if (!check_no_keywords(&tuple_type, SP_INIT, t, "tuple", kw))
        return ABSENT;
    if (nargs > 1)
        return err_set(&exc_TypeError, "tuple expected at most 1 argument, got %zd", (ssize_t)nargs);
    Value src = arg_at(args, nargs, 0);
    Value items = src == ABSENT ? tuple_empty() : seq_to_tuple(src);
    if (items == ABSENT || t == &tuple_type)
        return items;
    intptr_t n = tuple_len(items);
    Value v = alloc(t, n);
    if (v != ABSENT) {
        refs_copy(T(v)->items, T(items)->items, (size_t)n);
        trace_track(v_obj(v));
    }
    release(items);
    return v;
}

static Value m_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t h = tuple_hash(self);
    return h == -1 ? ABSENT : int_from_i64(h);
}

static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(tuple_len(self));
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = tuple_len(self);
    if (n == 0)
        return str_from_c("()");
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_from_c("(...)");
    StrBuilder sb;
    sb_init(&sb);
    sb_char(&sb, '(');
    for (intptr_t i = 0; i < n; i++) {
        if (i)
            sb_ascii(&sb, ", ", 2);
        Value s = obj_repr(tuple_get(self, i));
        if (s == ABSENT) {
            sb_free(&sb);
            repr_leave(self);
            return ABSENT;
        }
        sb_str(&sb, s);
        release(s);
    }
    sb_cstr(&sb, n == 1 ? ",)" : ")");
    repr_leave(self);
    return sb_finish(&sb);
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value key = args[0];
    intptr_t i, n = tuple_len(self);
    if (v_is_exact(key, IDX_SLICE)) {
        intptr_t start, stop, step, count = slice_indices(key, n, &start, &stop, &step);
        if (count < 0)
            return ABSENT;
        if (step == 1)
            return tuple_slice(self, start, start + count);
        if (count == 0)
            return tuple_empty();
        Value t = tuple_new(count);
        if (t == ABSENT)
            return ABSENT;
        for (size_t k = 0, at = (size_t)start; k < (size_t)count; k++, at += (size_t)step) /* (the last sum may wrap) */
            ref_init(&T(t)->items[k], retained(tuple_get(self, at)));
        trace_track(v_obj(t));
        return t;
    }
    if (v_is_int(key))
        i = v_int(key);
    else if (!v_is_index(key))
        return err_set(&exc_TypeError, "tuple indices must be integers or slices, not %T", key);
    else if (num_as_index(key, &i, &exc_IndexError) < 0)
        return ABSENT;
    if (i < 0)
        i += n;
    if (i < 0 || i >= n)
        return err_set(&exc_IndexError, "tuple index out of range");
    return retained(tuple_get(self, i));
}

static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = tuple_len(self);
    for (intptr_t i = 0; i < n; i++) {
        int r = obj_eq(tuple_get(self, i), args[0]);
        if (r)
            return r < 0 ? ABSENT : V_TRUE;
    }
    return V_FALSE;
}

static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_tuple(args[0])) {
        if (seq_defers(args[0], SP_RADD))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can only concatenate tuple (not \"%T\") to tuple", args[0]);
    }
    return tuple_concat(self, args[0]);
}

static Value m_mul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (!v_is_index(args[0])) {
        if (seq_defers(args[0], SP_RMUL))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", args[0]);
    }
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    return repeat(self, n);
}

static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return tuple_iter_new(self);
}

static Value m_index(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = tuple_len(self), lo = 0, hi = INTPTR_MAX;
    if (nargs > 1 && args[1] != ABSENT && slice_bound(args[1], &lo) < 0)
        return ABSENT;
    if (nargs > 2 && args[2] != ABSENT && slice_bound(args[2], &hi) < 0)
        return ABSENT;
    if (lo < 0 && (lo += n) < 0)
        lo = 0;
    if (hi < 0)
        hi += n;
    for (intptr_t i = lo; i < hi && i < n; i++) {
        int r = obj_eq(tuple_get(self, i), args[0]);
        if (r)
            return r < 0 ? ABSENT : v_from_int(i);
    }
    return err_set(&exc_ValueError, "tuple.index(x): x not in tuple");
}

static Value m_count(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = tuple_len(self), found = 0;
    for (intptr_t i = 0; i < n; i++) {
        int r = obj_eq(tuple_get(self, i), args[0]);
        if (r < 0)
            return ABSENT;
        found += r;
    }
    return v_from_int(found);
}

static Value m_getnewargs(Value self, Value *args, intptr_t nargs, Value kw) {
    Value copy = tuple_from(tuple_items(self), tuple_len(self));
    if (copy == ABSENT)
        return ABSENT;
    Value r = tuple_from_steal(&copy, 1);
    return r;
}

static void traverse(Value self, VisitFn visit, void *arg) {
    for (size_t i = 0, n = T(self)->len; i < n; i++)
        visit(ref_peek(&T(self)->items[i]), arg);
}
static void clear(Value self) {
    for (size_t i = 0, n = T(self)->len; i < n; i++)
        ref_clear(self, &T(self)->items[i]);
}

static const TypeOps ops = {traverse, clear, NULL};

static const NativeDef methods[] = {
    {"__new__", m_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__hash__", m_hash, "($self, /)", 0, "Return hash(self)."},
    {"__iter__", m_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__len__", m_len, "($self, /)", 0, "Return len(self)."},
    {"__getitem__", m_getitem, "($self, key, /)", 0, "Return self[key]."},
    {"__contains__", m_contains, "($self, key, /)", 0, "Return key in self."},
    {"__add__", m_add, "($self, value, /)", 0, "Return self+value."},
    {"__mul__", m_mul, "($self, value, /)", 0, "Return self*value."},
    {"__rmul__", m_mul, "($self, value, /)", 0, "Return value*self."},
    COMPARE_DEFS(tuple),
    {"__getnewargs__", m_getnewargs, "($self, /)", 0, NULL},
    {"index", m_index, "($self, value, start=0, stop=sys.maxsize, /)", 0,
     "Return first index of value.\n\nRaises ValueError if the value is not present."},
    {"count", m_count, "($self, value, /)", 0, "Return number of occurrences of value."},
    CLASS_GETITEM_DEF,
    {NULL},
};

void tuple_init(void) {
    static const TypeSpec spec = {
        .name = "tuple",
        .doc = "Built-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty tuple.\n"
               "If iterable is specified the tuple is initialized from iterable's items.\n\n"
               "If the argument is a tuple, the return value is the same object.",
        .basic_size = sizeof(Tuple),
        .flags = TF_BASETYPE | TF_TUPLE | TF_SEQUENCE | TF_IMMUTABLE,
        .ops = &ops,
        .methods = methods,
    };
    type_init_static(&tuple_type, IDX_TUPLE, &spec);
    empty_tuple = alloc(&tuple_type, 0);
    if (empty_tuple == ABSENT)
        fatal("no memory for the empty tuple");
    count_set_uncounted(v_obj(empty_tuple));
    handle_register((Ref *)&empty_tuple);
}

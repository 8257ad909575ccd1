/* range objects and their iterators. All four numbers are ints of any size, computed once. */
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

Type range_type, range_iter_type;

static Range *R(Value v) {
    return (Range *)v;
}
static Value start_of(Value r) {
    return ref_peek(&R(r)->start);
}
static Value stop_of(Value r) {
    return ref_peek(&R(r)->stop);
}
static Value step_of(Value r) {
    return ref_peek(&R(r)->step);
}
static Value length_of(Value r) {
    return ref_peek(&R(r)->length);
}

static const Value zero = ((uint64_t)0 << 1) | 1, one = ((uint64_t)1 << 1) | 1;

/* A large int between sums: takes over the result, releases the operand. */
static Value then(Value (*op)(Value, Value), Value a_stolen, Value b) {
    if (a_stolen == ABSENT)
        return ABSENT;
    Value r = op(a_stolen, b);
    release(a_stolen);
    return r;
}

static Value compute_length(Value lo, Value hi, Value step) {
    int sign = int_sign(step);
    if (v_is_int(lo) && v_is_int(hi) && v_is_int(step)) {
        /* The difference of two 63-bit ints fits 64 bits. */
        int64_t d = sign > 0 ? v_int(hi) - v_int(lo) : v_int(lo) - v_int(hi), s = v_int(step);
        return d <= 0 ? zero : int_from_u64((uint64_t)(d - 1) / (uint64_t)(s < 0 ? -s : s) + 1);
    }
    if (sign < 0) {
        Value t = lo;
        lo = hi;
        hi = t;
    }
    if (int_cmp(lo, hi) >= 0)
        return zero;
    Value magnitude = sign < 0 ? int_neg(step) : retained(step);
    if (magnitude == ABSENT)
        return ABSENT;
    Value n = then(int_add, then(int_floordiv, then(int_sub, int_sub(hi, lo), one), magnitude), one);
    release(magnitude);
    return n;
}

/* Steals the three. */
static Value make(Value start, Value stop, Value step) {
    Value n = compute_length(start, stop, step), r = n == ABSENT ? ABSENT : obj_new(&range_type);
    if (r == ABSENT) {
        release(start);
        release(stop);
        release(step);
        release(n);
        return ABSENT;
    }
    ref_init(&R(r)->start, start);
    ref_init(&R(r)->stop, stop);
    ref_init(&R(r)->step, step);
    ref_init(&R(r)->length, n);
    return r;
}

/* operator.index(v) as an exact int. */
static Value plain_index(Value v) {
    Value i = num_index(v);
    if (i == ABSENT || v_is_int(i) || v_is_exact(i, IDX_INT))
        return i;
    Value plain = v_is_bool(i) ? v_from_int(i == V_TRUE) : int_add(i, zero);
    release(i);
    return plain;
}

Value range_new(Value start, Value stop, Value step) {
    Value a = plain_index(start), b = a == ABSENT ? ABSENT : plain_index(stop),
          c = b == ABSENT ? ABSENT : plain_index(step);
    if (c != ABSENT && int_sign(c) == 0) {
        release(c);
        c = ABSENT;
        err_set(&exc_ValueError, "range() arg 3 must not be zero");
    }
    if (c == ABSENT) {
        release(a);
        release(b);
        return ABSENT;
    }
    return make(a, b, c);
}

/* Item i (any int, not checked). */
static Value item_at(Value r, Value i) {
    Value product = int_mul(i, step_of(r));
    return then(int_add, product, start_of(r));
}

/* ---- iterators ---- */

/* Items that are not all immediate. */
typedef struct LongRangeIter {
    Object hdr;
    Ref range;
    _Atomic(int64_t) index;
} LongRangeIter;
static LongRangeIter *LI(Value v) {
    return (LongRangeIter *)v;
}
static RangeIter *RI(Value v) {
    return (RangeIter *)v;
}
static Type long_range_iter_type;

static Value short_iter(int64_t start, int64_t n, int64_t step) {
    Value it = obj_new(&range_iter_type);
    if (it == ABSENT)
        return ABSENT;
    STORE_RELAXED(&RI(it)->next, start);
    STORE_RELAXED(&RI(it)->left, n);
    RI(it)->step = step;
    RI(it)->len = n;
    return it;
}

Value range_iter_new(Value r) {
    Value start = start_of(r), step = step_of(r), n = length_of(r);
    int64_t last;
    if (v_is_int(start) && v_is_int(step) && v_is_int(n) && !__builtin_mul_overflow(v_int(n), v_int(step), &last) &&
        !__builtin_add_overflow(last, v_int(start), &last) && int_fits_imm(last))
        return short_iter(v_int(start), v_int(n), v_int(step));
    Value it = obj_new(&long_range_iter_type);
    if (it != ABSENT) {
        ref_init(&LI(it)->range, retained(r));
        trace_track(v_obj(it));
    }
    return it;
}

static Value long_next(Value it) {
    Value r = ref_peek(&LI(it)->range), v = ABSENT; /* never changes */
    excl_leaf_lock(it);
    int64_t i = LOAD_RELAXED(&LI(it)->index);
    bool more = !v_is_int(length_of(r)) || i < v_int(length_of(r));
    if (more)
        STORE_RELAXED(&LI(it)->index, i + 1);
    excl_leaf_unlock(it);
    if (more) {
        Value index = int_from_i64(i);
        v = index == ABSENT ? ABSENT : item_at(r, index);
        release(index);
    }
    return v;
}
static Value n_short(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(range_iter_next(self));
}
static Value n_long(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(long_next(self));
}

static Value short_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_i64(MAX(LOAD_RELAXED(&RI(self)->left), 0));
}
static Value long_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    Value i = int_from_i64(LOAD_RELAXED(&LI(self)->index)),
          n = i == ABSENT ? ABSENT : int_sub(length_of(ref_peek(&LI(self)->range)), i);
    release(i);
    return n;
}

static Value reduce(Value range, int64_t index) {
    Value fn = iter_builtin("iter"), a = range == ABSENT ? ABSENT : tuple_from_steal(&range, 1),
          i = int_from_i64(index), r = ABSENT;
    if (fn != ABSENT && a != ABSENT && i != ABSENT)
        r = tuple_pack(3, fn, a, i);
    release(fn);
    release(a);
    release(i);
    return r;
}
static Value short_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    RangeIter *r = RI(self);
    excl_leaf_lock(self);
    int64_t index = r->len - LOAD_RELAXED(&r->left), start = LOAD_RELAXED(&r->next) - index * r->step;
    excl_leaf_unlock(self);
    return reduce(make(v_from_int(start), int_from_i64(start + r->len * r->step), v_from_int(r->step)), index);
}
static Value long_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return reduce(retained(ref_peek(&LI(self)->range)), LOAD_RELAXED(&LI(self)->index));
}
static Value short_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, NULL) < 0)
        return ABSENT;
    excl_leaf_lock(self);
    int64_t left = LOAD_RELAXED(&RI(self)->left);
    i = MAX(0, MIN(i, left));
    STORE_RELAXED(&RI(self)->left, left - i);
    STORE_RELAXED(&RI(self)->next, LOAD_RELAXED(&RI(self)->next) + i * RI(self)->step);
    excl_leaf_unlock(self);
    return V_NONE;
}
static Value long_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, NULL) < 0)
        return ABSENT;
    Value n = length_of(ref_peek(&LI(self)->range));
    i = MAX(i, 0);
    if (v_is_int(n))
        i = MIN(i, v_int(n));
    STORE_RELAXED(&LI(self)->index, i);
    return V_NONE;
}

static void long_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&LI(self)->range), arg);
}
static void long_clear(Value self) {
    ref_clear(self, &LI(self)->range);
}
static const TypeOps long_ops = {long_traverse, long_clear, NULL};

static const NativeDef short_methods[] = {
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_short, "($self, /)", 0, "Implement next(self)."},
    {"__length_hint__", short_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", short_reduce, "($self, /)", 0, "Return state information for pickling."},
    {"__setstate__", short_setstate, "($self, state, /)", 0, "Set state information for unpickling."},
    {NULL},
};
static const NativeDef long_methods[] = {
    {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},
    {"__next__", n_long, "($self, /)", 0, "Implement next(self)."},
    {"__length_hint__", long_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", long_reduce, "($self, /)", 0, "Return state information for pickling."},
    {"__setstate__", long_setstate, "($self, state, /)", 0, "Set state information for unpickling."},
    {NULL},
};

/* ---- methods of range ---- */

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (nargs == 0)
        return err_set(&exc_TypeError, "range expected at least 1 argument, got 0");
    if (nargs > 3)
        return err_set(&exc_TypeError, "range expected at most 3 arguments, got %zd", (ssize_t)nargs);
    if (nargs == 1)
        return range_new(zero, args[0], one);
    return range_new(args[0], args[1], nargs == 3 ? args[2] : one);
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (step_of(self) == one)
        return str_format_c("range(%R, %R)", start_of(self), stop_of(self));
    return str_format_c("range(%R, %R, %R)", start_of(self), stop_of(self), step_of(self));
}

static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n;
    if (int_to_i64(length_of(self), &n) != 0)
        return err_set(&exc_OverflowError, "Python int too large to convert to C ssize_t");
    return retained(length_of(self));
}
static Value m_bool(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(length_of(self) != zero);
}
static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return range_iter_new(self);
}

/* range(last, start - step, -step) */
static Value m_reversed(Value self, Value *args, intptr_t nargs, Value kw) {
    Value step = int_neg(step_of(self)), before = int_sub(start_of(self), step_of(self));
    Value last = before == ABSENT ? ABSENT : int_mul(length_of(self), step_of(self));
    last = then(int_add, last, before == ABSENT ? zero : before);
    if (step == ABSENT || before == ABSENT || last == ABSENT) {
        release(step);
        release(before);
        release(last);
        return ABSENT;
    }
    Value r = make(last, before, step);
    if (r == ABSENT)
        return ABSENT;
    Value it = range_iter_new(r);
    release(r);
    return it;
}

/* The position of int v, or V_NONE when it is no item. */
static Value position(Value self, Value v) {
    Value d = int_sub(v, start_of(self)), q, m;
    if (d == ABSENT)
        return ABSENT;
    int r = int_divmod(d, step_of(self), &q, &m);
    release(d);
    if (r < 0)
        return ABSENT;
    bool in = int_sign(m) == 0 && int_sign(q) >= 0 && int_cmp(q, length_of(self)) < 0;
    release(m);
    if (in)
        return q;
    release(q);
    return V_NONE;
}

static bool exact_int(Value v) {
    return v_is_int(v) || v_is_bool(v) || v_is_exact(v, IDX_INT);
}

/* Items compared one by one, for what is no int: the index of the first equal one, -1, or -2 with exception; all are
 * counted in *count. */
static intptr_t scan(Value self, Value v, intptr_t *count) {
    Value it = range_iter_new(self), item;
    if (it == ABSENT)
        return -2;
    intptr_t i = 0, found = -1;
    NextFn next = iter_next_fn(it);
    while ((item = next(it)) != ABSENT) {
        int r = obj_eq(item, v);
        release(item);
        if (r < 0) {
            found = -2;
            break;
        }
        if (r) {
            if (found < 0)
                found = i;
            if (!count)
                break;
            ++*count;
        }
        if ((++i & 1023) == 0 && excl_poll() < 0) {
            found = -2;
            break;
        }
    }
    release(it);
    return err_pending() ? -2 : found;
}

static Value as_int(Value v) {
    return v == V_TRUE ? one : v == V_FALSE ? zero : v;
}

static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!exact_int(args[0])) {
        intptr_t i = scan(self, args[0], NULL);
        return i == -2 ? ABSENT : v_bool(i >= 0);
    }
    Value p = position(self, as_int(args[0]));
    if (p == ABSENT)
        return ABSENT;
    release(p);
    return v_bool(p != V_NONE);
}

static Value m_index(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!exact_int(args[0])) {
        intptr_t i = scan(self, args[0], NULL);
        if (i == -1)
            return err_set(&exc_ValueError, "sequence.index(x): x not in sequence");
        return i < 0 ? ABSENT : v_from_int(i);
    }
    Value p = position(self, as_int(args[0]));
    if (p == V_NONE)
        return err_set(&exc_ValueError, "%R is not in range", args[0]);
    return p;
}

static Value m_count(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!exact_int(args[0])) {
        intptr_t n = 0;
        return scan(self, args[0], &n) == -2 ? ABSENT : v_from_int(n);
    }
    Value p = position(self, as_int(args[0]));
    if (p == ABSENT)
        return ABSENT;
    release(p);
    return v_from_int(p != V_NONE);
}

static Value slice_of(Value self, Value slice) {
    Value method = obj_getattr_str(slice, "indices");
    Value bounds = method == ABSENT ? ABSENT : obj_call1(method, length_of(self));
    release(method);
    if (bounds == ABSENT)
        return ABSENT;
    Value start = item_at(self, tuple_get(bounds, 0)), stop = item_at(self, tuple_get(bounds, 1)),
          step = int_mul(step_of(self), tuple_get(bounds, 2));
    release(bounds);
    if (start == ABSENT || stop == ABSENT || step == ABSENT) {
        release(start);
        release(stop);
        release(step);
        return ABSENT;
    }
    return make(start, stop, step);
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    if (v_is_exact(args[0], IDX_SLICE))
        return slice_of(self, args[0]);
    if (!v_is_index(args[0]))
        return err_set(&exc_TypeError, "range indices must be integers or slices, not %T", args[0]);
    Value i = num_index(args[0]), n = length_of(self);
    if (i == ABSENT)
        return ABSENT;
    if (int_sign(i) < 0)
        i = then(int_add, i, n);
    if (i == ABSENT)
        return ABSENT;
    if (int_sign(i) < 0 || int_cmp(i, n) >= 0) {
        release(i);
        return err_set(&exc_IndexError, "range object index out of range");
    }
    Value v = item_at(self, i);
    release(i);
    return v;
}

static bool equal(Value a, Value b) {
    if (a == b)
        return true;
    if (!int_equal(length_of(a), length_of(b)))
        return false;
    if (length_of(a) == zero)
        return true;
    if (!int_equal(start_of(a), start_of(b)))
        return false;
    return length_of(a) == one || int_equal(step_of(a), step_of(b));
}
static Value m_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_is_exact(args[0], IDX_RANGE) ? v_bool(equal(self, args[0])) : V_NOTIMPL;
}
static Value m_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_is_exact(args[0], IDX_RANGE) ? v_bool(!equal(self, args[0])) : V_NOTIMPL;
}

/* Equal ranges have equal hashes: that of (length, start or None, step or None). */
static Value m_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    Value n = length_of(self);
    Value t = tuple_pack(3, n, n == zero ? V_NONE : start_of(self), n == zero || n == one ? V_NONE : step_of(self));
    if (t == ABSENT)
        return ABSENT;
    int64_t h = obj_hash(t);
    release(t);
    return h == -1 ? ABSENT : int_from_i64(h);
}

static Value m_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = tuple_pack(3, start_of(self), stop_of(self), step_of(self)), r = ABSENT;
    if (a != ABSENT)
        r = tuple_pack(2, V_OF(&range_type), a);
    release(a);
    return r;
}

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(start_of(self), arg);
    visit(stop_of(self), arg);
    visit(step_of(self), arg);
    visit(length_of(self), arg);
}
static void clear(Value self) {
    ref_store(self, &R(self)->start, zero);
    ref_store(self, &R(self)->stop, zero);
    ref_store(self, &R(self)->step, one);
    ref_store(self, &R(self)->length, zero);
}
static const TypeOps ops = {traverse, clear, NULL};

static const NativeDef methods[] = {
    {"__new__", m_new, "($type, /, *args)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__hash__", m_hash, "($self, /)", 0, "Return hash(self)."},
    {"__iter__", m_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__len__", m_len, "($self, /)", 0, "Return len(self)."},
    {"__bool__", m_bool, "($self, /)", 0, "True if self else False"},
    {"__getitem__", m_getitem, "($self, key, /)", 0, "Return self[key]."},
    {"__contains__", m_contains, "($self, key, /)", 0, "Return key in self."},
    {"__eq__", m_eq, "($self, value, /)", 0, "Return self==value."},
    {"__ne__", m_ne, "($self, value, /)", 0, "Return self!=value."},
    {"__reversed__", m_reversed, "($self, /)", 0, "Return a reverse iterator."},
    {"__reduce__", m_reduce, "($self, /)", 0, NULL},
    {"count", m_count, "($self, value, /)", 0,
     "rangeobject.count(value) -> integer -- return number of occurrences of value"},
    {"index", m_index, "($self, value, /)", 0,
     "rangeobject.index(value) -> integer -- return index of value.\nRaise ValueError if the value is not present."},
    {NULL},
};
static const MemberDef members[] = {
    {"start", MK_REF | MK_READONLY, offsetof(Range, start), NULL},
    {"stop", MK_REF | MK_READONLY, offsetof(Range, stop), NULL},
    {"step", MK_REF | MK_READONLY, offsetof(Range, step), NULL},
    {NULL},
};

static Value next_short(Value it) {
    return range_iter_next(it);
}

void range_init(void) {
    static const TypeSpec spec = {
        .name = "range",
        .doc = "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\n"
               "Return an object that produces a sequence of integers from start (inclusive)\n"
               "to stop (exclusive) by step.  range(i, j) produces i, i+1, i+2, ..., j-1.\n"
               "start defaults to 0, and stop is omitted!  range(4) produces 0, 1, 2, 3.\n"
               "These are exactly the valid indices for a list of 4 elements.\n"
               "When step is given, it specifies the increment (or decrement).",
        .basic_size = sizeof(Range),
        .flags = TF_IMMUTABLE | TF_SEQUENCE,
        .ops = &ops,
        .methods = methods,
        .members = members,
    };
    static const TypeSpec iter = {.name = "range_iterator",
                                  .basic_size = sizeof(RangeIter),
                                  .flags = TF_IMMUTABLE | TF_NO_NEW | TF_UNTRACKED,
                                  .methods = short_methods};
    static const TypeSpec long_iter = {.name = "longrange_iterator",
                                       .basic_size = sizeof(LongRangeIter),
                                       .flags = TF_IMMUTABLE | TF_NO_NEW,
                                       .ops = &long_ops,
                                       .methods = long_methods};
    type_init_static(&range_type, IDX_RANGE, &spec);
    type_init_static(&range_iter_type, IDX_RANGE_ITER, &iter);
    type_init_module_type(&long_range_iter_type, &long_iter);
    iter_register(&range_iter_type, next_short);
    iter_register(&long_range_iter_type, long_next);
}

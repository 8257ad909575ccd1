#include "object/int.h"
#include "object/iter.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

Type slice_type;

static Slice *S(Value v) {
    return (Slice *)v;
}

Value slice_new(Value start, Value stop, Value step) {
    Value v = obj_new(&slice_type);
    if (v == ABSENT)
        return ABSENT;
    ref_init(&S(v)->start, retained(start));
    ref_init(&S(v)->stop, retained(stop));
    ref_init(&S(v)->step, retained(step));
    if (v_is_obj(start) || v_is_obj(stop) || v_is_obj(step))
        trace_track(v_obj(v));
    return v;
}

int slice_bound(Value v, intptr_t *out) {
    if (v_is_int(v)) {
        *out = v_int(v);
        return 0;
    }
    if (!v_is_index(v)) {
        err_set(&exc_TypeError, "slice indices must be integers or have an __index__ method");
        return -1;
    }
    return num_as_index(v, out, NULL);
}

/* A bound of a slice: None is the default. */
static int bound(Value v, intptr_t dflt, intptr_t *out) {
    if (v_is_none(v)) {
        *out = dflt;
        return 0;
    }
    if (!v_is_index(v)) {
        err_set(&exc_TypeError, "slice indices must be integers or None or have an __index__ method");
        return -1;
    }
    return num_as_index(v, out, NULL);
}

int slice_unpack(Value slice, intptr_t *start, intptr_t *stop, intptr_t *step) {
    if (bound(ref_peek(&S(slice)->step), 1, step) < 0)
        return -1;
    if (*step == 0) {
        err_set(&exc_ValueError, "slice step cannot be zero");
        return -1;
    }
    if (*step < -INTPTR_MAX)
        *step = -INTPTR_MAX; /* so that it can be negated */
    if (bound(ref_peek(&S(slice)->start), *step < 0 ? INTPTR_MAX : 0, start) < 0)
        return -1;
    return bound(ref_peek(&S(slice)->stop), *step < 0 ? INTPTR_MIN : INTPTR_MAX, stop);
}

static intptr_t clip(intptr_t i, intptr_t len, intptr_t step) {
    if (i < 0) {
        i += len;
        return i < 0 ? (step < 0 ? -1 : 0) : i;
    }
    return i >= len ? (step < 0 ? len - 1 : len) : i;
}

intptr_t slice_adjust(intptr_t len, intptr_t *start, intptr_t *stop, intptr_t step) {
    *start = clip(*start, len, step);
    *stop = clip(*stop, len, step);
    if (step < 0)
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

intptr_t slice_indices(Value slice, intptr_t len, intptr_t *start, intptr_t *stop, intptr_t *step) {
    if (slice_unpack(slice, start, stop, step) < 0)
        return -1;
    return slice_adjust(len, start, stop, *step);
}

/* ---- methods ---- */

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (nargs < 1 || args[0] == ABSENT)
        return err_set(&exc_TypeError, "slice expected at least 1 argument, got 0");
    if (nargs > 3)
        return err_set(&exc_TypeError, "slice expected at most 3 arguments, got %zd", (ssize_t)nargs);
    if (nargs == 1)
        return slice_new(V_NONE, args[0], V_NONE);
    return slice_new(args[0], args[1], nargs > 2 && args[2] != ABSENT ? args[2] : V_NONE);
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("slice(%R, %R, %R)", ref_peek(&S(self)->start), ref_peek(&S(self)->stop),
                        ref_peek(&S(self)->step));
}

static Value as_tuple(Value s) {
    return tuple_pack(3, ref_peek(&S(s)->start), ref_peek(&S(s)->stop), ref_peek(&S(s)->step));
}

static Value compare(Value a, Value b, int op) {
    if (!v_is_exact(b, IDX_SLICE))
        return V_NOTIMPL;
    if (a == b)
        return v_bool(op == CMP_EQ || op == CMP_LE || op == CMP_GE);
    Value x = as_tuple(a), y = x == ABSENT ? ABSENT : as_tuple(b);
    Value r = y == ABSENT ? ABSENT : obj_compare(x, y, op);
    release(x);
    release(y);
    return r;
}
COMPARE_NATIVES(slice, compare)

static Value m_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "unhashable type: 'slice'");
}

/* slice.indices(len) for ints of any size. */
static Value m_indices(Value self, Value *args, intptr_t nargs, Value kw) {
    Value len = num_index(args[0]), step = ABSENT, lower = ABSENT, upper = ABSENT, start = ABSENT, stop = ABSENT,
          r = ABSENT;
    const Value zero = v_from_int(0), one = v_from_int(1);
    if (len == ABSENT)
        return ABSENT;
    if (int_sign(len) < 0) {
        err_set(&exc_ValueError, "length should not be negative");
        goto done;
    }
    Value given[3] = {ref_peek(&S(self)->start), ref_peek(&S(self)->stop), ref_peek(&S(self)->step)};
    for (int i = 0; i < 3; i++)
        if (!v_is_none(given[i]) && !v_is_index(given[i])) {
            err_set(&exc_TypeError, "slice indices must be integers or None or have an __index__ method");
            goto done;
        }
    step = v_is_none(given[2]) ? one : num_index(given[2]);
    if (step == ABSENT)
        goto done;
    int sign = int_sign(step);
    if (sign == 0) {
        err_set(&exc_ValueError, "slice step cannot be zero");
        goto done;
    }
    lower = sign < 0 ? v_from_int(-1) : zero;
    upper = sign < 0 ? int_sub(len, one) : retained(len);
    if (upper == ABSENT)
        goto done;
    Value *out[2] = {&start, &stop};
    for (int i = 0; i < 2; i++) {
        Value v;
        if (v_is_none(given[i])) {
            *out[i] = retained((i == 0) == (sign < 0) ? upper : lower);
            continue;
        }
        if ((v = num_index(given[i])) == ABSENT)
            goto done;
        if (int_sign(v) < 0) {
            Value sum = int_add(v, len);
            release(v);
            if ((v = sum) == ABSENT)
                goto done;
            if (int_cmp(v, lower) < 0) {
                release(v);
                v = retained(lower);
            }
        } else if (int_cmp(v, upper) > 0) {
            release(v);
            v = retained(upper);
        }
        *out[i] = v;
    }
    r = tuple_pack(3, start, stop, step);
done:
    release(len);
    release(step);
    release(upper);
    release(start);
    release(stop);
    return r;
}

static Value m_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value t = as_tuple(self);
    if (t == ABSENT)
        return ABSENT;
    Value r = tuple_pack(2, V_OF(&slice_type), t);
    release(t);
    return r;
}

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&S(self)->start), arg);
    visit(ref_peek(&S(self)->stop), arg);
    visit(ref_peek(&S(self)->step), arg);
}
static void clear(Value self) {
    ref_store(self, &S(self)->start, V_NONE);
    ref_store(self, &S(self)->stop, V_NONE);
    ref_store(self, &S(self)->step, V_NONE);
}
static const TypeOps ops = {traverse, clear, NULL};

static const NativeDef methods[] = {
    {"__new__", m_new, "($type, /, *args)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__hash__", m_hash, "($self, /)", 0, NULL},
    COMPARE_DEFS(slice),
    {"indices", m_indices, "($self, len, /)", 0,
     "S.indices(len) -> (start, stop, stride)\n\nAssuming a sequence of length len, calculate the start and "
     "stop\nindices, and the stride "
     "length of the extended slice described by\nS. Out of bounds indices are clipped in a manner consistent with "
     "the\nhandling of normal "
     "slices."},
    {"__reduce__", m_reduce, "($self, /)", 0, "Return state information for pickling."},
    {NULL},
};
static const MemberDef members[] = {
    {"start", MK_REF_NONE | MK_READONLY, offsetof(Slice, start), NULL},
    {"stop", MK_REF_NONE | MK_READONLY, offsetof(Slice, stop), NULL},
    {"step", MK_REF_NONE | MK_READONLY, offsetof(Slice, step), NULL},
    {NULL},
};

void slice_init(void) {
    static const TypeSpec spec = {
        .name = "slice",
        .doc = "slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for extended slicing "
               "(e.g. a[0:10:2]).",
        .basic_size = sizeof(Slice),
        .flags = TF_IMMUTABLE,
        .ops = &ops,
        .methods = methods,
        .members = members,
    };
    type_init_static(&slice_type, IDX_SLICE, &spec);
}

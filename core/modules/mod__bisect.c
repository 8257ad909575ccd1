/* _bisect: binary search in sorted sequences. */
#include "object/int.h"
#include "object/list_impl.h"
#include "object/module.h"

/* Where x goes in a[lo:hi]: right of equal items, or left. key ABSENT or None: none; it is not applied to x. -1:
 * exception. */
static intptr_t search(Value a, Value x, intptr_t lo, intptr_t hi, Value key, bool right) {
    if (lo < 0) {
        err_set(&exc_ValueError, "lo must be non-negative");
        return -1;
    }
    if (hi == -1 && (hi = obj_len(a)) < 0)
        return -1;
    bool keyed = key != ABSENT && !v_is_none(key), list = v_is_list_exact(a);
    while (lo < hi) {
        intptr_t mid = lo + (hi - lo) / 2;
        Value item;
        if (list) {
            item = list_get_fast(a, mid);
        } else {
            Value index = int_from_i64(mid);
            item = index == ABSENT ? ABSENT : obj_getitem(a, index);
            release(index);
        }
        if (item == ABSENT && list)
            err_set(&exc_IndexError, "list index out of range");
        if (item != ABSENT && keyed) {
            Value k = obj_call1(key, item);
            release(item);
            item = k;
        }
        if (item == ABSENT)
            return -1;
        int r = right ? value_lt(x, item) : value_lt(item, x);
        release(item);
        if (r < 0)
            return -1;
        if ((r > 0) == right)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static int bounds(Value *args, intptr_t nargs, intptr_t *lo, intptr_t *hi) {
    Value a = arg_at(args, nargs, 2), b = arg_at(args, nargs, 3);
    *lo = 0;
    *hi = -1;
    if (a != ABSENT && num_as_index(a, lo, &exc_OverflowError) < 0)
        return -1;
    return b == ABSENT || v_is_none(b) ? 0 : num_as_index(b, hi, &exc_OverflowError);
}
static Value bisect(Value *args, intptr_t nargs, bool right) {
    intptr_t lo, hi;
    if (bounds(args, nargs, &lo, &hi) < 0)
        return ABSENT;
    intptr_t i = search(args[0], args[1], lo, hi, arg_at(args, nargs, 4), right);
    return i < 0 ? ABSENT : int_from_i64(i);
}
static Value insort(Value *args, intptr_t nargs, bool right) {
    intptr_t lo, hi;
    Value key = arg_at(args, nargs, 4), x = args[1];
    if (bounds(args, nargs, &lo, &hi) < 0)
        return ABSENT;
    bool keyed = key != ABSENT && !v_is_none(key);
    if (keyed && (x = obj_call1(key, args[1])) == ABSENT)
        return ABSENT;
    intptr_t i = search(args[0], x, lo, hi, key, right);
    if (keyed)
        release(x);
    if (i < 0)
        return ABSENT;
    if (v_is_list_exact(args[0]))
        return list_insert(args[0], i, args[1]) < 0 ? ABSENT : V_NONE;
    Value a[2] = {int_from_i64(i), args[1]}, r = a[0] == ABSENT ? ABSENT : obj_call_method_str(args[0], "insert", a, 2);
    release(a[0]);
    if (r == ABSENT)
        return ABSENT;
    release(r);
    return V_NONE;
}
static Value bisect_right(Value self, Value *args, intptr_t nargs, Value kw) {
    return bisect(args, nargs, true);
}
static Value bisect_left(Value self, Value *args, intptr_t nargs, Value kw) {
    return bisect(args, nargs, false);
}
static Value insort_right(Value self, Value *args, intptr_t nargs, Value kw) {
    return insort(args, nargs, true);
}
static Value insort_left(Value self, Value *args, intptr_t nargs, Value kw) {
    return insort(args, nargs, false);
}

#define SIG "($module, /, a, x, lo=0, hi=None, *, key=None)"
static const NativeDef functions[] = {
    {"bisect_right", bisect_right, SIG, 0,
     "Return the index where to insert item x in list a, assuming a is sorted.\n\nThe return value i is such that all "
     "e in a[:i] have e <= x, and all e in\n"
     "a[i:] have e > x.  So if x already appears in the list, a.insert(i, x) will\ninsert just after the rightmost x "
     "already there.\n\nOptional args lo (default "
     "0) and hi (default len(a)) bound the\nslice of a to be searched."},
    {"insort_right", insort_right, SIG, 0,
     "Insert item x in list a, and keep it sorted assuming a is sorted.\n\nIf x is already in a, insert it to the "
     "right of the rightmost x.\n\nOptional args lo "
     "(default 0) and hi (default len(a)) bound the\nslice of a to be searched."},
    {"bisect_left", bisect_left, SIG, 0,
     "Return the index where to insert item x in list a, assuming a is sorted.\n\nThe return value i is such that all "
     "e in a[:i] have e < x, and all e in\n"
     "a[i:] have e >= x.  So if x already appears in the list, a.insert(i, x) will\ninsert just before the leftmost x "
     "already there.\n\nOptional args lo (default "
     "0) and hi (default len(a)) bound the\nslice of a to be searched."},
    {"insort_left", insort_left, SIG, 0,
     "Insert item x in list a, and keep it sorted assuming a is sorted.\n\nIf x is already in a, insert it to the left "
     "of the leftmost x.\n\nOptional args lo "
     "(default 0) and hi (default len(a)) bound the\nslice of a to be searched."},
    {NULL},
};

const ModuleSpec module__bisect = {
    "_bisect",
    "Bisection algorithms.\n\nThis module provides support for maintaining a list in sorted order without\nhaving to "
    "sort the list after each insertion.",
    functions,
};

/* The Python side of list: construction, special methods, methods. */
#include "object/int.h"
#include "object/iter.h"
#include "object/list_impl.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

Type list_type;

static List *L(Value v) {
    return (List *)v;
}

static Value none_or_fail(int r) {
    return r < 0 ? ABSENT : V_NONE;
}

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value l = obj_new((Type *)cls);
    if (l != ABSENT)
        trace_track(v_obj(l));
    return l;
}

static Value m_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!check_no_keywords(&list_type, SP_NEW, type_of(self), "list", kw))
        return ABSENT;
    if (nargs > 1)
        return err_set(&exc_TypeError, "list expected at most 1 argument, got %zd", (ssize_t)nargs);
    Value src = arg_at(args, nargs, 0);
    if (list_len(self))
        list_clear(self);
    return src == ABSENT ? V_NONE : none_or_fail(list_extend(self, src));
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (list_len(self) == 0)
        return str_from_c("[]");
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_from_c("[...]");
    StrBuilder sb;
    sb_init(&sb);
    sb_char(&sb, '[');
    Value v;
    for (intptr_t i = 0; (v = list_get(self, i)) != ABSENT; i++) {
        if (i)
            sb_ascii(&sb, ", ", 2);
        Value s = obj_repr(v);
        release(v);
        if (s == ABSENT) {
            sb_free(&sb);
            repr_leave(self);
            return ABSENT;
        }
        sb_str(&sb, s);
        release(s);
    }
    sb_char(&sb, ']');
    repr_leave(self);
    return sb_finish(&sb);
}

static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(list_len(self));
}
static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return list_iter_new(self);
}
static Value m_reversed(Value self, Value *args, intptr_t nargs, Value kw) {
    return list_reviter_new(self);
}

static Value compare(Value a, Value b, int op) {
    if (!v_is_list(b))
        return V_NOTIMPL;
    if ((op == CMP_EQ || op == CMP_NE) && list_len(a) != list_len(b))
        return v_bool(op == CMP_NE);
    if (!recursion_enter(" in comparison"))
        return ABSENT;
    for (intptr_t i = 0;; i++) {
        Value x = list_get_fast(a, i), y = list_get_fast(b, i);
        if (x == ABSENT || y == ABSENT) {
            release(x);
            release(y);
            return compare_lengths(list_len(a), list_len(b), op);
        }
        int r = simple_eq(x, y);
        if (r < 0)
            r = obj_eq(x, y);
        if (r > 0) {
            release(x);
            release(y);
            continue;
        }
        /* __eq__ may have shortened a list: then it is a matter of lengths again. */
        if (r == 0 && (i >= list_len(a) || i >= list_len(b))) {
            release(x);
            release(y);
            return compare_lengths(list_len(a), list_len(b), op);
        }
        Value result = r < 0 ? ABSENT : op == CMP_EQ ? V_FALSE : op == CMP_NE ? V_TRUE : obj_compare(x, y, op);
        release(x);
        release(y);
        return result;
    }
}
COMPARE_NATIVES(list, compare)

static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = list_find(self, args[0], 0, INTPTR_MAX, false);
    return i == -2 ? ABSENT : v_bool(i >= 0);
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value key = args[0];
    intptr_t i;
    if (v_is_exact(key, IDX_SLICE))
        return list_slice_step(self, key);
    if (v_is_int(key))
        i = v_int(key);
    else if (!v_is_index(key))
        return err_set(&exc_TypeError, "list indices must be integers or slices, not %T", key);
    else if (num_as_index(key, &i, &exc_IndexError) < 0)
        return ABSENT;
    Value v = i < 0 ? list_get_back(self, i) : list_get_fast(self, i);
    return v != ABSENT ? v : err_set(&exc_IndexError, "list index out of range");
}

/* v ABSENT: delete */
static Value assign(Value self, Value key, Value v) {
    intptr_t i;
    if (v_is_exact(key, IDX_SLICE)) {
        if (v != ABSENT) {
            /* The message differs from that of list(v). */
            Value items = v_is_list_exact(v) || v_is_tuple_exact(v) ? seq_to_tuple(v) : slice_source(v, key);
            if (items == ABSENT)
                return ABSENT;
            int r = list_ass_slice_step(self, key, items);
            release(items);
            return none_or_fail(r);
        }
        return none_or_fail(list_ass_slice_step(self, key, ABSENT));
    }
    if (v_is_int(key))
        i = v_int(key);
    else if (!v_is_index(key))
        return err_set(&exc_TypeError, "list indices must be integers or slices, not %T", key);
    else if (num_as_index(key, &i, &exc_IndexError) < 0)
        return ABSENT;
    if (v == ABSENT) {
        Value old = list_take(self, i);
        if (old == ABSENT)
            return err_set(&exc_IndexError, "list assignment index out of range");
        release(old);
        return V_NONE;
    }
    return none_or_fail(list_set(self, i, v));
}
static Value m_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return assign(self, args[0], args[1]);
}
static Value m_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return assign(self, args[0], ABSENT);
}

static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_list(args[0])) {
        if (seq_defers(args[0], SP_RADD))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can only concatenate list (not \"%T\") to list", args[0]);
    }
    return list_concat(self, args[0]);
}

static Value m_iadd(Value self, Value *args, intptr_t nargs, Value kw) {
    return list_extend(self, args[0]) < 0 ? ABSENT : retained(self);
}

static int repeat_count(Value v, intptr_t *n) {
    if (v_is_index(v))
        return num_as_index(v, n, &exc_OverflowError);
    if (seq_defers(v, SP_RMUL))
        return 1;
    err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", v);
    return -1;
}
static Value m_mul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    int r = repeat_count(args[0], &n);
    return r < 0 ? ABSENT : r > 0 ? V_NOTIMPL : list_repeat(self, n);
}
static Value m_imul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    int r = repeat_count(args[0], &n);
    if (r)
        return r < 0 ? ABSENT : V_NOTIMPL;
    return list_inplace_repeat(self, n) < 0 ? ABSENT : retained(self);
}

static Value m_append(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(list_append(self, args[0]));
}
static Value m_extend(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(list_extend(self, args[0]));
}
static Value m_clear(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(list_clear(self));
}
static Value m_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return list_slice(self, 0, INTPTR_MAX);
}
static Value m_reverse(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(list_reverse(self));
}

static Value m_insert(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    return none_or_fail(list_insert(self, i, args[1]));
}

static Value m_pop(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = -1;
    Value a = arg_at(args, nargs, 0);
    if (a != ABSENT && num_as_index(a, &i, &exc_IndexError) < 0)
        return ABSENT;
    return list_pop(self, i);
}

static Value m_remove(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = list_find(self, args[0], 0, INTPTR_MAX, true);
    if (i == -1)
        return err_set(&exc_ValueError, "list.remove(x): x not in list");
    return i < 0 ? ABSENT : V_NONE;
}

static Value m_index(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t lo = 0, hi = INTPTR_MAX, n = list_len(self);
    if (nargs > 1 && args[1] != ABSENT && slice_bound(args[1], &lo) < 0)
        return ABSENT;
    if (nargs > 2 && args[2] != ABSENT && slice_bound(args[2], &hi) < 0)
        return ABSENT;
    if (lo < 0 && (lo += n) < 0)
        lo = 0;
    if (hi < 0 && (hi += n) < 0)
        hi = 0;
    intptr_t i = list_find(self, args[0], lo, hi, false);
    if (i == -1)
        return err_set(&exc_ValueError, "%R is not in list", args[0]);
    return i < 0 ? ABSENT : v_from_int(i);
}

static Value m_count(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = 0;
    for (intptr_t i = 0;; i++, n++) {
        i = list_find(self, args[0], i, INTPTR_MAX, false);
        if (i < 0)
            return i == -2 ? ABSENT : v_from_int(n);
    }
}

static Value m_sort(Value self, Value *args, intptr_t nargs, Value kw) {
    Value key = arg_at(args, nargs, 0), rev = arg_at(args, nargs, 1);
    int reverse = 0;
    if (rev != ABSENT) {
        int64_t r;
        if (num_as_i64(rev, &r) < 0)
            return ABSENT;
        reverse = r != 0;
    }
    return none_or_fail(list_sort_with(self, key, reverse));
}

static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t n = sizeof(List);
    ExclCs cs;
    excl_cs_begin(&cs, self);
    ListBlock *b = LOAD_RELAXED(&L(self)->block);
    if (b)
        n += sizeof(ListBlock) + b->capacity * sizeof(Ref);
    excl_cs_end(&cs);
    return v_from_int((int64_t)n);
}

/* ---- the type ---- */

static void traverse(Value self, VisitFn visit, void *arg) {
    ListBlock *b = LOAD_RELAXED(&L(self)->block);
    for (size_t i = 0, n = LOAD_RELAXED(&L(self)->len); i < n; i++)
        visit(ref_peek(&b->items[i]), arg);
}
static void clear(Value self) {
    ListBlock *b = LOAD_RELAXED(&L(self)->block);
    size_t n = LOAD_RELAXED(&L(self)->len);
    STORE_RELEASE(&L(self)->len, 0);
    for (size_t i = 0; i < n; i++)
        ref_clear(self, &b->items[i]);
}
static void fini(Value self) {
    block_retire(self, LOAD_RELAXED(&L(self)->block));
}

static const TypeOps ops = {traverse, clear, fini};

static const NativeDef methods[] = {
    {"__new__", m_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__", m_init, "($self, /, *args, **kwargs)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__iter__", m_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__len__", m_len, "($self, /)", 0, "Return len(self)."},
    {"__getitem__", m_getitem, "($self, index, /)", 0, "x.__getitem__(y) <==> x[y]"},
    {"__setitem__", m_setitem, "($self, key, value, /)", 0, "Set self[key] to value."},
    {"__delitem__", m_delitem, "($self, key, /)", 0, "Delete self[key]."},
    {"__contains__", m_contains, "($self, key, /)", 0, "Return key in self."},
    {"__add__", m_add, "($self, value, /)", 0, "Return self+value."},
    {"__mul__", m_mul, "($self, value, /)", 0, "Return self*value."},
    {"__rmul__", m_mul, "($self, value, /)", 0, "Return value*self."},
    {"__iadd__", m_iadd, "($self, value, /)", 0, "Implement self+=value."},
    {"__imul__", m_imul, "($self, value, /)", 0, "Implement self*=value."},
    COMPARE_DEFS(list),
    {"__reversed__", m_reversed, "($self, /)", 0, "Return a reverse iterator over the list."},
    {"__sizeof__", m_sizeof, "($self, /)", 0, "Return the size of the list in memory, in bytes."},
    {"append", m_append, "($self, object, /)", 0, "Append object to the end of the list."},
    {"extend", m_extend, "($self, iterable, /)", 0, "Extend list by appending elements from the iterable."},
    {"insert", m_insert, "($self, index, object, /)", 0, "Insert object before index."},
    {"pop", m_pop, "($self, index=-1, /)", 0,
     "Remove and return item at index (default last).\n\nRaises IndexError if list is empty or index is out of range."},
    {"remove", m_remove, "($self, value, /)", 0,
     "Remove first occurrence of value.\n\nRaises ValueError if the value is not present."},
    {"clear", m_clear, "($self, /)", 0, "Remove all items from list."},
    {"copy", m_copy, "($self, /)", 0, "Return a shallow copy of the list."},
    {"index", m_index, "($self, value, start=0, stop=sys.maxsize, /)", 0,
     "Return first index of value.\n\nRaises ValueError if the value is not present."},
    {"count", m_count, "($self, value, /)", 0, "Return number of occurrences of value."},
    {"reverse", m_reverse, "($self, /)", 0, "Reverse *IN PLACE*."},
    {"sort", m_sort, "($self, /, *, key=None, reverse=False)", 0,
     "Sort the list in ascending order and return None.\n\nThe sort is in-place (i.e. the list itself is modified) and "
     "stable (i.e. the\n"
     "order of two equal elements is maintained).\n\nIf a key function is given, apply it once to each list item and "
     "sort them,\n"
     "ascending or descending, according to their function values.\n\nThe reverse flag can be set to sort in "
     "descending order."},
    CLASS_GETITEM_DEF,
    {NULL},
};

void list_init(void) {
    static const TypeSpec spec = {
        .name = "list",
        .doc = "Built-in mutable sequence.\n\nIf no argument is given, the constructor creates a new empty list.\n"
               "The argument must be an iterable if specified.",
        .basic_size = sizeof(List),
        .flags = TF_BASETYPE | TF_LIST | TF_SEQUENCE | TF_IMMUTABLE,
        .ops = &ops,
        .methods = methods,
    };
    type_init_static(&list_type, IDX_LIST, &spec);
}

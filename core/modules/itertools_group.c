/* itertools: groupby and tee. */
#include "modules/itertools.h"

/* ---- groupby: iterator, key function, keys of the group being given out and of the item read ahead, that item, the
 * present group's iterator -------- */

static Type groupby_type, grouper_type;
enum { GB_IT, GB_KEY, GB_TARGET, GB_CURRENT_KEY, GB_CURRENT_VALUE };
enum { GB_GROUP = 0 }; /* num: serial of the present group, so that older group iterators know that they are over */
enum { GR_PARENT, GR_KEY };

static Value groupby_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value key = arg_at(args, nargs, 1), src = obj_iter(args[0]), it = src == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(src);
        return ABSENT;
    }
    it_init(it, GB_IT, src);
    it_init(it, GB_KEY, key == ABSENT ? V_NONE : retained(key));
    return it_done(it);
}
/* Reads one item ahead: 0, or -1 at the end or with an exception. */
static int groupby_step(Value it) {
    Value v = iter_pull(it_peek(it, GB_IT)), f = it_peek(it, GB_KEY);
    if (v == ABSENT)
        return -1;
    Value key = v_is_none(f) ? retained(v) : obj_call1(f, v);
    if (key == ABSENT) {
        release(v);
        return -1;
    }
    it_set(it, GB_CURRENT_VALUE, v);
    it_set(it, GB_CURRENT_KEY, key);
    return 0;
}
static Value groupby_next(Value it) {
    atomic_fetch_add_explicit(&it_of(it)->num[GB_GROUP], 1, memory_order_relaxed);
    for (;;) {
        Value current = it_get(it, GB_CURRENT_KEY), target = it_get(it, GB_TARGET);
        int r = 1;
        if (current != ABSENT)
            r = target == ABSENT ? 0 : obj_eq(target, current);
        release(current);
        release(target);
        if (r == 0)
            break;
        if (r < 0 || groupby_step(it) < 0)
            return ABSENT;
    }
    Value v[2] = {it_get(it, GB_CURRENT_KEY), ABSENT};
    if (v[0] == ABSENT) /* another thread has taken it */
        return ABSENT;
    it_set(it, GB_TARGET, retained(v[0]));
    v[1] = it_new(V_OF(&grouper_type));
    if (v[1] == ABSENT) {
        release(v[0]);
        return ABSENT;
    }
    it_init(v[1], GR_PARENT, retained(it));
    it_init(v[1], GR_KEY, retained(v[0]));
    it_set_num(v[1], 0, it_num(it, GB_GROUP));
    it_done(v[1]);
    return tuple_from_steal(v, 2);
}
IT_NEXT(groupby_next)
static Value groupby_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = tuple_pack(2, it_peek(self, GB_IT), it_peek(self, GB_KEY)), state = ABSENT;
    Value target = it_get(self, GB_TARGET), key = it_get(self, GB_CURRENT_KEY), v = it_get(self, GB_CURRENT_VALUE);
    if (target != ABSENT && key != ABSENT && v != ABSENT)
        state = tuple_pack(3, key, v, target);
    release(target);
    release(key);
    release(v);
    return it_reduce(self, a, state);
}
static Value groupby_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = args[0];
    if (!v_is_tuple(s))
        return err_set(&exc_TypeError, "state is not a tuple");
    if (tuple_len(s) != 3)
        return err_set(&exc_TypeError, "function takes exactly 3 arguments (%zd given)", (ssize_t)tuple_len(s));
    it_set(self, GB_CURRENT_KEY, retained(tuple_get(s, 0)));
    it_set(self, GB_CURRENT_VALUE, retained(tuple_get(s, 1)));
    it_set(self, GB_TARGET, retained(tuple_get(s, 2)));
    return V_NONE;
}
static const NativeDef groupby_methods[] = {{"__new__", groupby_new, "($type, iterable, key=None)", 0, NEW_DOC},
                                            IT_COMMON(groupby_next),
                                            REDUCE_DEF(groupby_reduce),
                                            SETSTATE_DEF(groupby_setstate),
                                            {NULL}};

static Value grouper_next(Value it) {
    Value parent = it_peek(it, GR_PARENT);
    if (parent == ABSENT || it_num(it, 0) != it_num(parent, GB_GROUP))
        return ABSENT;
    if (it_peek(parent, GB_CURRENT_VALUE) == ABSENT && groupby_step(parent) < 0)
        return ABSENT;
    Value key = it_get(parent, GB_CURRENT_KEY);
    int r = key == ABSENT ? 0 : obj_eq(it_peek(it, GR_KEY), key);
    release(key);
    if (r <= 0)
        return ABSENT;
    Value v = it_swap(parent, GB_CURRENT_VALUE, ABSENT);
    it_set(parent, GB_CURRENT_KEY, ABSENT);
    return v;
}
IT_NEXT(grouper_next)
static Value grouper_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!type_is_subtype(type_of(args[0]), &groupby_type))
        return err_set(&exc_TypeError, "_grouper() argument 1 must be itertools.groupby, not %T", args[0]);
    Value it = it_new(cls);
    if (it == ABSENT)
        return ABSENT;
    it_init(it, GR_PARENT, retained(args[0]));
    it_init(it, GR_KEY, retained(args[1]));
    it_set_num(it, 0, it_num(args[0], GB_GROUP));
    return it_done(it);
}
static Value grouper_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value parent = it_peek(self, GR_PARENT);
    if (it_num(self, 0) != it_num(parent, GB_GROUP)) {
        Value fn = iter_builtin("iter"), empty = tuple_empty(), a = tuple_from_steal(&empty, 1), r = ABSENT;
        if (fn != ABSENT && a != ABSENT)
            r = tuple_pack(2, fn, a);
        release(fn);
        release(a);
        return r;
    }
    return it_reduce(self, tuple_pack(2, parent, it_peek(self, GR_KEY)), ABSENT);
}
static const NativeDef grouper_methods[] = {{"__new__", grouper_new, "($type, parent, tgtkey, /)", 0, NEW_DOC},
                                            IT_COMMON(grouper_next),
                                            REDUCE_DEF(grouper_reduce),
                                            {NULL}};

/* ---- tee: a chain of blocks of items; each copy points to a block and an index ---- */

enum { TEE_BLOCK = 57 };
typedef struct TeeData {
    Object hdr;
    Ref it;
    Ref next;              /* the following block, made when somebody needs it */
    _Atomic(int32_t) n;    /* items read */
    _Atomic(bool) running; /* somebody is reading one */
    Ref items[TEE_BLOCK];
} TeeData;
static TeeData *TD(Value v) {
    return (TeeData *)v;
}
static Type tee_data_type, tee_type;
enum { TEE_DATA = 0 };

static void data_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&TD(self)->it), arg);
    visit(ref_peek(&TD(self)->next), arg);
    for (int i = 0; i < TEE_BLOCK; i++)
        visit(ref_peek(&TD(self)->items[i]), arg);
}
static void data_clear(Value self) {
    ref_clear(self, &TD(self)->it);
    ref_clear(self, &TD(self)->next);
    for (int i = 0; i < TEE_BLOCK; i++)
        ref_clear(self, &TD(self)->items[i]);
}
static const TypeOps data_ops = {data_traverse, data_clear, NULL};

static Value data_make(Value it) {
    Value d = obj_new(&tee_data_type);
    if (d == ABSENT)
        return ABSENT;
    ref_init(&TD(d)->it, retained(it));
    trace_track(v_obj(d));
    return d;
}
/* Item i of the block, reading it when nobody has: as obj_next. */
static Value data_item(Value d, intptr_t i) {
    TeeData *t = TD(d);
    if (i < atomic_load(&t->n))
        return ref_read(d, &t->items[i]);
    Value src = ref_read(d, &t->it);
    if (src == ABSENT)
        return ABSENT;
    if (atomic_exchange(&t->running, true)) {
        release(src);
        return err_set(&exc_RuntimeError, "cannot re-enter the tee iterator");
    }
    Value v;
    if (i < atomic_load(&t->n)) { /* read in between */
        v = ref_read(d, &t->items[i]);
    } else if ((v = iter_pull(src)) != ABSENT) {
        int32_t n = atomic_load(&t->n);
        excl_leaf_lock(d);
        ref_swap(d, &t->items[n], retained(v));
        excl_leaf_unlock(d);
        atomic_store(&t->n, n + 1);
    }
    atomic_store(&t->running, false);
    release(src);
    return v;
}
static Value data_next_block(Value d) {
    Value next = ref_read(d, &TD(d)->next);
    if (next != ABSENT)
        return next;
    Value src = ref_read(d, &TD(d)->it), fresh = src == ABSENT ? ABSENT : data_make(src);
    release(src);
    if (fresh == ABSENT)
        return ABSENT;
    excl_leaf_lock(d);
    next = ref_peek(&TD(d)->next);
    if (next == ABSENT) {
        next = retained(fresh);
        ref_swap(d, &TD(d)->next, fresh);
        fresh = ABSENT;
    } else {
        retain(next);
    }
    excl_leaf_unlock(d);
    release(fresh);
    return next;
}
static Value data_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value d = data_make(args[0]);
    if (d == ABSENT)
        return ABSENT;
    if (!v_is_list(args[1])) {
        release(d);
        return err_set(&exc_TypeError, "_tee_dataobject() argument 2 must be list, not %T", args[1]);
    }
    intptr_t n = list_len(args[1]);
    if (n > TEE_BLOCK) {
        release(d);
        return err_set(&exc_ValueError, "Invalid arguments");
    }
    intptr_t i = 0;
    for (Value v; i < n && (v = list_get(args[1], i)) != ABSENT; i++)
        ref_init(&TD(d)->items[i], v);
    atomic_store(&TD(d)->n, (int32_t)i);
    Value next = args[2];
    if (i == TEE_BLOCK) {
        if (!v_is_none(next)) {
            if (type_of(next) != &tee_data_type) {
                release(d);
                return err_set(&exc_ValueError, "Invalid arguments");
            }
            ref_init(&TD(d)->next, retained(next));
        }
    } else if (!v_is_none(next)) {
        release(d);
        return err_set(&exc_ValueError, "Invalid arguments");
    }
    return d;
}
static Value data_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value items = list_new(0), next = ref_read(self, &TD(self)->next), it = ref_read(self, &TD(self)->it);
    for (int32_t i = 0, n = atomic_load(&TD(self)->n); items != ABSENT && i < n; i++) {
        Value v = ref_read(self, &TD(self)->items[i]);
        if (v != ABSENT && list_append_steal(items, v) < 0)
            break;
    }
    Value a = items == ABSENT || it == ABSENT ? ABSENT : tuple_pack(3, it, items, next == ABSENT ? V_NONE : next);
    release(items);
    release(next);
    release(it);
    return it_reduce(self, a, ABSENT);
}
static const NativeDef data_methods[] = {
    {"__new__", data_new, "($type, it, values, next, /)", 0, NEW_DOC}, REDUCE_DEF(data_reduce), {NULL}};

/* ref 0 the block, num 0 the index in it */
static Value tee_make(Value data, int64_t index) {
    Value t = data == ABSENT ? ABSENT : it_new(V_OF(&tee_type));
    if (t == ABSENT) {
        release(data);
        return ABSENT;
    }
    it_init(t, TEE_DATA, data);
    it_set_num(t, 0, index);
    return it_done(t);
}
static Value tee_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    excl_leaf_lock(self);
    Value data = retained(it_peek(self, TEE_DATA));
    int64_t i = it_num(self, 0);
    excl_leaf_unlock(self);
    return tee_make(data, i);
}
static Value tee_from(Value iterable) {
    Value src = obj_iter(iterable), t;
    if (src == ABSENT)
        return ABSENT;
    if (type_of(src) == &tee_type)
        t = tee_copy(src, NULL, 0, ABSENT);
    else
        t = tee_make(data_make(src), 0);
    release(src);
    return t;
}
static Value tee_next(Value it) {
    for (;;) {
        excl_leaf_lock(it);
        Value data = retained(it_peek(it, TEE_DATA));
        int64_t i = it_num(it, 0);
        excl_leaf_unlock(it);
        if (data == ABSENT)
            return ABSENT;
        if (i >= TEE_BLOCK) {
            Value next = data_next_block(data), old = ABSENT;
            if (next != ABSENT) {
                excl_leaf_lock(it);
                if (it_peek(it, TEE_DATA) == data && it_num(it, 0) == i) {
                    old = ref_swap(it, &it_of(it)->ref[TEE_DATA], next);
                    it_set_num(it, 0, 0);
                } else {
                    old = next;
                }
                excl_leaf_unlock(it);
                release(old);
            }
            release(data);
            if (next == ABSENT)
                return ABSENT;
            continue;
        }
        Value v = data_item(data, i);
        bool mine = true;
        if (v != ABSENT) {
            excl_leaf_lock(it);
            mine = it_peek(it, TEE_DATA) == data && it_num(it, 0) == i;
            if (mine)
                it_set_num(it, 0, i + 1);
            excl_leaf_unlock(it);
        }
        release(data);
        if (mine)
            return v;
        release(v);
    }
}
IT_NEXT(tee_next)
static Value tee_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return tee_from(args[0]);
}
static Value tee_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value empty = tuple_empty(), a = tuple_from_steal(&empty, 1), data = it_get(self, TEE_DATA);
    Value state = tuple_pack(2, data, v_from_int(it_num(self, 0)));
    release(data);
    return it_reduce(self, a, state);
}
static Value tee_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = args[0];
    intptr_t i;
    if (!v_is_tuple(s))
        return err_set(&exc_TypeError, "state is not a tuple");
    if (tuple_len(s) != 2 || type_of(tuple_get(s, 0)) != &tee_data_type)
        return err_set(&exc_TypeError, "argument 1 must be itertools._tee_dataobject");
    if (num_as_index(tuple_get(s, 1), &i, &exc_OverflowError) < 0)
        return ABSENT;
    if (i < 0 || i > TEE_BLOCK)
        return err_set(&exc_ValueError, "Index out of range");
    excl_leaf_lock(self);
    Value old = ref_swap(self, &it_of(self)->ref[TEE_DATA], retained(tuple_get(s, 0)));
    it_set_num(self, 0, i);
    excl_leaf_unlock(self);
    release(old);
    return V_NONE;
}
static const NativeDef tee_methods[] = {{"__new__", tee_new, "($type, iterable, /)", 0, NEW_DOC},
                                        IT_COMMON(tee_next),
                                        {"__copy__", tee_copy, "($self, /)", 0, "Returns an independent iterator."},
                                        REDUCE_DEF(tee_reduce),
                                        SETSTATE_DEF(tee_setstate),
                                        {NULL}};

Value itertools_tee(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = 2;
    Value count = arg_at(args, nargs, 1);
    if (count != ABSENT && num_as_index(count, &n, &exc_OverflowError) < 0)
        return ABSENT;
    if (n < 0)
        return err_set(&exc_ValueError, "n must be >= 0");
    Value result = tuple_new(n);
    if (result == ABSENT || n == 0)
        return result;
    /* An iterator that can be copied is: the first result is itself. */
    Value first = obj_iter(args[0]), copy = ABSENT;
    int r = first == ABSENT ? -1 : obj_lookup_attr_str(first, "__copy__", &copy);
    if (r == 0) {
        Value t = tee_from(first);
        release(first);
        first = t;
        r = t == ABSENT ? -1 : obj_lookup_attr_str(first, "__copy__", &copy);
    }
    if (r < 0) {
        release(first);
        release(result);
        return ABSENT;
    }
    tuple_init_item(result, 0, first);
    for (intptr_t i = 1; i < n; i++) {
        Value t = obj_call0(copy);
        if (t == ABSENT) {
            release(copy);
            release(result);
            return ABSENT;
        }
        tuple_init_item(result, i, t);
    }
    release(copy);
    tuple_track(result);
    return result;
}

int itertools_group_exec(Value module) {
    static const ItSpec specs[] = {
        {&groupby_type, "itertools.groupby",
         "make an iterator that returns consecutive keys and groups from the iterable\n\n  iterable\n    Elements to "
         "divide into groups according to the "
         "key function.\n  key\n    A function for computing the group category for each element.\n    If the key "
         "function is not specified or is None, "
         "the element itself\n    is used for grouping.",
         groupby_methods, groupby_next},
        {&grouper_type, "itertools._grouper", NULL, grouper_methods, grouper_next},
        {&tee_data_type, "itertools._tee_dataobject", "Data container common to multiple tee objects.", data_methods,
         NULL, sizeof(TeeData), &data_ops},
        {&tee_type, "itertools._tee", "Iterator wrapped to make it copyable.", tee_methods, tee_next, .weakref = true},
    };
    static TypeSpec storage[ARRAY_LEN(specs)];
    for (size_t i = 0; i < ARRAY_LEN(specs); i++)
        if (it_add_type(module, &specs[i], &storage[i]) < 0)
            return -1;
    return 0;
}

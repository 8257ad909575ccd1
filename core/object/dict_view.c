/* Iterators over dicts, and the views keys(), values(), items(). */
#include "object/dict_impl.h"
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

Type dict_keyiter_type, dict_values_type, dict_valueiter_type, dict_keys_type, dict_items_type, dict_itemiter_type;

/* ---- iterators ---- */

typedef struct DictIter {
    Object hdr;
    Ref dict; /* ABSENT: exhausted */
    _Atomic(intptr_t) pos;
    _Atomic(intptr_t) expected; /* length of the dict when made; -1: changed since, for ever */
    _Atomic(intptr_t) left;
} DictIter;
static DictIter *I(Value v) {
    return (DictIter *)v;
}

Type dict_rev_keyiter_type, dict_rev_valueiter_type, dict_rev_itemiter_type;

static bool is_reverse(Type *t) {
    return t == &dict_rev_keyiter_type || t == &dict_rev_valueiter_type || t == &dict_rev_itemiter_type;
}

Value dict_iter_new(Type *t, Value d) {
    Value it = obj_new(t);
    if (it == ABSENT)
        return ABSENT;
    intptr_t n = dict_len(d);
    ref_init(&I(it)->dict, retained(d));
    STORE_RELAXED(&I(it)->pos, is_reverse(t) ? dict_end(d) : 0);
    STORE_RELAXED(&I(it)->expected, n);
    STORE_RELAXED(&I(it)->left, n);
    trace_track(v_obj(it));
    return it;
}

static Value check_changed(Value it) {
    STORE_RELAXED(&I(it)->expected, -1);
    return err_set(&exc_RuntimeError, "dictionary changed size during iteration");
}

/* The next entry when iterator and dict are this thread's alone, and it is alive, as it nearly always is. */
static ALWAYS_INLINE bool quick_step(Value it, Value *key, Value *value) {
    if (!excl_alone(it))
        return false;
    Value dict = ref_peek(&I(it)->dict);
    DictBlock *b = dict == ABSENT || !excl_alone(dict) ? NULL : LOAD_RELAXED(&((Dict *)dict)->block);
    intptr_t pos = LOAD_RELAXED(&I(it)->pos), left = LOAD_RELAXED(&I(it)->left);
    if (UNLIKELY(!b || pos >= LOAD_RELAXED(&b->used) || left <= 0 || LOAD_RELAXED(&I(it)->expected) != dict_len(dict)))
        return false;
    Value k = ref_peek(&b->entries[pos].key), v = ref_peek(&b->entries[pos].value);
    if (UNLIKELY(v == ABSENT || k == ABSENT || k == V_MARK))
        return false;
    STORE_RELAXED(&I(it)->pos, pos + 1);
    STORE_RELAXED(&I(it)->left, left - 1);
    if (key)
        *key = retained(k);
    if (value)
        *value = retained(v);
    return true;
}
bool dict_fast_item(Value it, Value *second_first) {
    return quick_step(it, &second_first[1], &second_first[0]);
}

/* Next key and value (owned, where asked for): 1, 0 exhausted, -1. Each entry goes to one thread. */
static ALWAYS_INLINE int step(Value it, bool reverse, Value *key, Value *value) {
    if (!reverse && quick_step(it, key, value))
        return 1;
    Value d = EXCL_PARALLEL ? ref_read(it, &I(it)->dict) : ref_peek(&I(it)->dict);
    if (d == ABSENT)
        return 0;
    int r = 0;
    for (;;) {
        if (UNLIKELY(LOAD_RELAXED(&I(it)->expected) != dict_len(d))) {
            check_changed(it);
            r = -1;
            break;
        }
        intptr_t pos = LOAD_RELAXED(&I(it)->pos), at = pos;
        bool found = reverse ? dict_prev(d, &at, key, value) : dict_next(d, &at, key, value);
        if (!found) {
            ref_write(it, &I(it)->dict, ABSENT);
            break;
        }
        if (EXCL_PARALLEL) {
            if (UNLIKELY(!atomic_compare_exchange_strong(&I(it)->pos, &pos, at))) {
                if (key)
                    release(*key);
                if (value)
                    release(*value);
                continue;
            }
        } else {
            STORE_RELAXED(&I(it)->pos, at);
        }
        intptr_t left = LOAD_RELAXED(&I(it)->left);
        if (EXCL_PARALLEL)
            left = atomic_fetch_sub_explicit(&I(it)->left, 1, memory_order_relaxed);
        else
            STORE_RELAXED(&I(it)->left, left - 1);
        r = 1;
        if (UNLIKELY(left <= 0)) {
            if (key)
                release(*key);
            if (value)
                release(*value);
            err_set(&exc_RuntimeError, "dictionary keys changed during iteration");
            r = -1;
        }
        break;
    }
    if (EXCL_PARALLEL)
        release(d);
    return r;
}

static Value next_key(Value it) {
    Value k;
    return step(it, false, &k, NULL) > 0 ? k : ABSENT;
}
static Value next_value(Value it) {
    Value v;
    return step(it, false, NULL, &v) > 0 ? v : ABSENT;
}
static Value next_item(Value it) {
    Value kv[2];
    return step(it, false, &kv[0], &kv[1]) > 0 ? tuple_from_steal(kv, 2) : ABSENT;
}
int dict_next_item(Value it, Value *pair) {
    int r = step(it, false, &pair[0], &pair[1]);
    return r > 0 ? 1 : err_pending() ? -1 : 0;
}
static Value prev_key(Value it) {
    Value k;
    return step(it, true, &k, NULL) > 0 ? k : ABSENT;
}
static Value prev_value(Value it) {
    Value v;
    return step(it, true, NULL, &v) > 0 ? v : ABSENT;
}
static Value prev_item(Value it) {
    Value kv[2];
    return step(it, true, &kv[0], &kv[1]) > 0 ? tuple_from_steal(kv, 2) : ABSENT;
}
static Value n_next_key(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(next_key(self));
}
static Value n_next_value(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(next_value(self));
}
static Value n_next_item(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(next_item(self));
}
static Value n_prev_key(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(prev_key(self));
}
static Value n_prev_value(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(prev_value(self));
}
static Value n_prev_item(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(prev_item(self));
}

static Value iter_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = ref_read(self, &I(self)->dict);
    intptr_t n = 0;
    if (d != ABSENT && LOAD_RELAXED(&I(self)->expected) == dict_len(d))
        n = LOAD_RELAXED(&I(self)->left);
    release(d);
    return v_from_int(MAX(n, 0));
}

/* iter(list of what is left); self stays where it is. */
static Value iter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = type_of(self);
    Value d = ref_read(self, &I(self)->dict), copy = ABSENT, l = ABSENT, r = ABSENT, fn = ABSENT;
    if (d == ABSENT) {
        l = list_new(0);
    } else if ((copy = dict_iter_new(t, d)) != ABSENT) {
        STORE_RELAXED(&I(copy)->pos, LOAD_RELAXED(&I(self)->pos));
        STORE_RELAXED(&I(copy)->expected, LOAD_RELAXED(&I(self)->expected));
        STORE_RELAXED(&I(copy)->left, LOAD_RELAXED(&I(self)->left));
        l = seq_to_list(copy);
    }
    if (l != ABSENT && (fn = iter_builtin("iter")) != ABSENT) {
        Value a = tuple_pack(1, l);
        r = a == ABSENT ? ABSENT : tuple_pack(2, fn, a);
        release(a);
    }
    release(d);
    release(copy);
    release(l);
    release(fn);
    return r;
}

static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&I(self)->dict), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &I(self)->dict);
}
static const TypeOps iter_ops = {iter_traverse, iter_clear, NULL};

#define DICT_ITER_METHODS(next_fn)                                                                                     \
    {                                                                                                                  \
        {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},                                             \
            {"__next__", next_fn, "($self, /)", 0, "Implement next(self)."},                                           \
            {"__length_hint__", iter_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."}, \
            {"__reduce__", iter_reduce, "($self, /)", 0, "Return state information for pickling."}, {                  \
            NULL                                                                                                       \
        }                                                                                                              \
    }
static const NativeDef key_methods[] = DICT_ITER_METHODS(n_next_key);
static const NativeDef value_methods[] = DICT_ITER_METHODS(n_next_value);
static const NativeDef item_methods[] = DICT_ITER_METHODS(n_next_item);
static const NativeDef rev_key_methods[] = DICT_ITER_METHODS(n_prev_key);
static const NativeDef rev_value_methods[] = DICT_ITER_METHODS(n_prev_value);
static const NativeDef rev_item_methods[] = DICT_ITER_METHODS(n_prev_item);

/* ---- views ---- */

typedef struct DictView {
    Object hdr;
    Ref dict; /* never changes while the view can be reached */
} DictView;
/* Iterator over what v holds now, for what Python programs take for one step. */
static Value iter_moment(Value v) {
    Value own = seq_to_list(v);
    Value it = own == ABSENT ? ABSENT : obj_iter(own);
    release(own);
    return it;
}
static Value dict_of(Value v) {
    return ref_peek(&((DictView *)v)->dict);
}
Value dict_view_dict(Value view) {
    return dict_of(view);
}

Value dict_view_new(Type *t, Value d) {
    Value v = obj_new(t);
    if (v == ABSENT)
        return ABSENT;
    ref_init(&((DictView *)v)->dict, retained(d));
    trace_track(v_obj(v));
    return v;
}

static Value view_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(dict_len(dict_of(self)));
}
static Value keys_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_keyiter_type, dict_of(self));
}
static Value values_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_valueiter_type, dict_of(self));
}
static Value items_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_itemiter_type, dict_of(self));
}
static Value keys_rev(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_rev_keyiter_type, dict_of(self));
}
static Value values_rev(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_rev_valueiter_type, dict_of(self));
}
static Value items_rev(Value self, Value *args, intptr_t nargs, Value kw) {
    return dict_iter_new(&dict_rev_itemiter_type, dict_of(self));
}

static Value view_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_from_c("...");
    Value l = seq_to_list(self), s = ABSENT;
    if (l != ABSENT)
        s = str_format_c("%T(%R)", self, l);
    release(l);
    repr_leave(self);
    return s;
}

static Value view_mapping(Value self) {
    return obj_call1(V_OF(&mappingproxy_type), dict_of(self));
}

/* 1, 0, -1 */
static int view_has(Value self, Value item) {
    if (!v_is_dict_items(self))
        return dict_contains(dict_of(self), item);
    if (!v_is_tuple(item) || tuple_len(item) != 2)
        return 0;
    Value v;
    int r = dict_lookup(dict_of(self), tuple_get(item, 0), &v);
    if (r > 0) {
        r = obj_eq(v, tuple_get(item, 1));
        release(v);
    }
    return r;
}
static Value view_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = view_has(self, args[0]);
    return r < 0 ? ABSENT : v_bool(r);
}

static bool is_setlike(Value v) {
    return v_is_set(v) || v_is_dict_view_set(v);
}

/* Whether each item of a (a set or a view) is in b: 1, 0, -1. */
static int all_in(Value a, Value b) {
    Value it = iter_moment(a), item;
    if (it == ABSENT)
        return -1;
    int r = 1;
    while (r > 0 && (item = obj_next(it)) != ABSENT) {
        r = obj_contains(b, item);
        release(item);
    }
    release(it);
    return err_pending() ? -1 : r;
}

static Value compare(Value self, Value other, int op) {
    if (!is_setlike(other))
        return V_NOTIMPL;
    intptr_t n = dict_len(dict_of(self)), m = obj_len(other);
    int r = 0;
    if (m < 0)
        return ABSENT;
    switch (op) {
    case CMP_EQ:
    case CMP_NE:
        r = n == m ? all_in(self, other) : 0;
        break;
    case CMP_LT:
        r = n < m ? all_in(self, other) : 0;
        break;
    case CMP_LE:
        r = n <= m ? all_in(self, other) : 0;
        break;
    case CMP_GT:
        r = n > m ? all_in(other, self) : 0;
        break;
    case CMP_GE:
        r = n >= m ? all_in(other, self) : 0;
        break;
    }
    return r < 0 ? ABSENT : v_bool(op == CMP_NE ? !r : r);
}
COMPARE_NATIVES(view, compare)

static Value sub(Value a, Value b) {
    Value s = set_from(a);
    if (s != ABSENT && set_difference_update(s, b) < 0) {
        release(s);
        return ABSENT;
    }
    return s;
}
static Value or (Value a, Value b) {
    Value s = set_from(a);
    if (s != ABSENT && set_update(s, b) < 0) {
        release(s);
        return ABSENT;
    }
    return s;
}
static Value xor
        (Value a, Value b) {
            Value s = set_from(a);
            if (s != ABSENT && set_symmetric_difference_update(s, b) < 0) {
                release(s);
                return ABSENT;
            }
            return s;
        } static Value
    and (Value a, Value b) {
    /* The larger side is asked; one of the two is a view. */
    if (is_setlike(a) && is_setlike(b)) {
        intptr_t n = obj_len(a), m = n < 0 ? -1 : obj_len(b);
        if (m < 0)
            return ABSENT;
        if (m > n) {
            Value t = a;
            a = b;
            b = t;
        }
    } else if (!is_setlike(a)) {
        Value t = a;
        a = b;
        b = t;
    }
    Value s = set_new(), it = s == ABSENT ? ABSENT : iter_moment(b), item;
    if (it == ABSENT) {
        release(s);
        return ABSENT;
    }
    while ((item = obj_next(it)) != ABSENT) {
        int r = obj_contains(a, item);
        if (r > 0)
            r = set_add(s, item);
        release(item);
        if (r < 0)
            break;
    }
    release(it);
    if (!err_pending())
        return s;
    release(s);
    return ABSENT;
}
static Value n_sub(Value self, Value *args, intptr_t nargs, Value kw) {
    return sub(self, args[0]);
}
static Value n_rsub(Value self, Value *args, intptr_t nargs, Value kw) {
    return sub(args[0], self);
}
static Value n_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return or (self, args[0]);
}
static Value n_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return or (args[0], self);
}
static Value n_xor(Value self, Value *args, intptr_t nargs, Value kw) {
    return xor(self, args[0]);
}
static Value n_rxor(Value self, Value *args, intptr_t nargs, Value kw) {
    return xor(args[0], self);
}
static Value n_and(Value self, Value *args, intptr_t nargs, Value kw) {
    return and(self, args[0]);
}

static Value n_isdisjoint(Value self, Value *args, intptr_t nargs, Value kw) {
    Value other = args[0], asked = self;
    if (other == self)
        return v_bool(dict_len(dict_of(self)) == 0);
    if (is_setlike(other)) {
        intptr_t m = obj_len(other);
        if (m < 0)
            return ABSENT;
        if (m > dict_len(dict_of(self))) {
            asked = other;
            other = self;
        }
    }
    Value it = iter_moment(other), item;
    if (it == ABSENT)
        return ABSENT;
    int r = 0;
    while (r == 0 && (item = obj_next(it)) != ABSENT) {
        r = obj_contains(asked, item);
        release(item);
    }
    release(it);
    return err_pending() ? ABSENT : v_bool(!r);
}

static void view_traverse(Value self, VisitFn visit, void *arg) {
    visit(dict_of(self), arg);
}
static void view_clear(Value self) {
    ref_clear(self, &((DictView *)self)->dict);
}
static const TypeOps view_ops = {view_traverse, view_clear, NULL};

#define SET_VIEW_METHODS(iter_fn, rev_fn)                                                                     \
    {                                                                                                         \
        {"__len__", view_len, "($self, /)", 0, "Return len(self)."},                                          \
            {"__iter__", iter_fn, "($self, /)", 0, "Implement iter(self)."},                                  \
            {"__reversed__", rev_fn, "($self, /)", 0, "Return a reverse iterator over the dict."},            \
            {"__repr__", view_repr, "($self, /)", 0, "Return repr(self)."},                                   \
            {"__contains__", view_contains, "($self, key, /)", 0, "Return key in self."}, COMPARE_DEFS(view), \
            {"__sub__", n_sub, "($self, value, /)", 0, "Return self-value."},                                 \
            {"__rsub__", n_rsub, "($self, value, /)", 0, "Return value-self."},                               \
            {"__and__", n_and, "($self, value, /)", 0, "Return self&value."},                                 \
            {"__rand__", n_and, "($self, value, /)", 0, "Return value&self."},                                \
            {"__xor__", n_xor, "($self, value, /)", 0, "Return self^value."},                                 \
            {"__rxor__", n_rxor, "($self, value, /)", 0, "Return value^self."},                               \
            {"__or__", n_or, "($self, value, /)", 0, "Return self|value."},                                   \
            {"__ror__", n_ror, "($self, value, /)", 0, "Return value|self."},                                 \
            {"isdisjoint", n_isdisjoint, "($self, other, /)", 0,                                              \
             "Return True if the view and the given iterable have a null intersection."},                     \
        {                                                                                                     \
            NULL                                                                                              \
        }                                                                                                     \
    }
static const NativeDef keys_methods[] = SET_VIEW_METHODS(keys_iter, keys_rev);
static const NativeDef items_methods[] = SET_VIEW_METHODS(items_iter, items_rev);
static const NativeDef values_methods[] = {
    {"__len__", view_len, "($self, /)", 0, "Return len(self)."},
    {"__iter__", values_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__reversed__", values_rev, "($self, /)", 0, "Return a reverse iterator over the dict."},
    {"__repr__", view_repr, "($self, /)", 0, "Return repr(self)."},
    {NULL},
};
static const GetSetDef view_getsets[] = {{"mapping", view_mapping, NULL, "dictionary that this view refers to"},
                                         {NULL}};

void dictview_init(void) {
    static const struct {
        Type *type;
        int index;
        const char *name;
        const NativeDef *methods;
        NextFn next;
    } iters[] = {
        {&dict_keyiter_type, IDX_DICT_KEYITER, "dict_keyiterator", key_methods, next_key},
        {&dict_valueiter_type, IDX_DICT_VALUEITER, "dict_valueiterator", value_methods, next_value},
        {&dict_itemiter_type, IDX_DICT_ITEMITER, "dict_itemiterator", item_methods, next_item},
        {&dict_rev_keyiter_type, 0, "dict_reversekeyiterator", rev_key_methods, prev_key},
        {&dict_rev_valueiter_type, 0, "dict_reversevalueiterator", rev_value_methods, prev_value},
        {&dict_rev_itemiter_type, 0, "dict_reverseitemiterator", rev_item_methods, prev_item},
    };
    static TypeSpec specs[ARRAY_LEN(iters)];
    for (size_t i = 0; i < ARRAY_LEN(iters); i++) {
        specs[i] = (TypeSpec){.name = iters[i].name,
                              .basic_size = sizeof(DictIter),
                              .flags = TF_IMMUTABLE | TF_NO_NEW,
                              .ops = &iter_ops,
                              .methods = iters[i].methods};
        if (iters[i].index)
            type_init_static(iters[i].type, (uint32_t)iters[i].index, &specs[i]);
        else
            type_init_module_type(iters[i].type, &specs[i]);
        iter_register(iters[i].type, iters[i].next);
    }
    static const TypeSpec keys = {.name = "dict_keys",
                                  .basic_size = sizeof(DictView),
                                  .flags = TF_IMMUTABLE | TF_NO_NEW,
                                  .ops = &view_ops,
                                  .methods = keys_methods,
                                  .getsets = view_getsets};
    static const TypeSpec values = {.name = "dict_values",
                                    .basic_size = sizeof(DictView),
                                    .flags = TF_IMMUTABLE | TF_NO_NEW,
                                    .ops = &view_ops,
                                    .methods = values_methods,
                                    .getsets = view_getsets};
    static const TypeSpec items = {.name = "dict_items",
                                   .basic_size = sizeof(DictView),
                                   .flags = TF_IMMUTABLE | TF_NO_NEW,
                                   .ops = &view_ops,
                                   .methods = items_methods,
                                   .getsets = view_getsets};
    type_init_static(&dict_keys_type, IDX_DICT_KEYS, &keys);
    type_init_static(&dict_values_type, IDX_DICT_VALUES, &values);
    type_init_static(&dict_items_type, IDX_DICT_ITEMS, &items);
}

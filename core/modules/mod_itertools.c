/* itertools: the iterators that transform one stream. Combinatorial ones: itertools_combine.c; tee and groupby:
 * itertools_group.c. */
#include "modules/itertools.h"

static const Value zero = ((uint64_t)0 << 1) | 1, one = ((uint64_t)1 << 1) | 1;

/* ---- shared ---- */

static void it_traverse(Value self, VisitFn visit, void *arg) {
    for (int i = 0; i < IT_REFS; i++)
        visit(ref_peek(&it_of(self)->ref[i]), arg);
}
static void it_clear(Value self) {
    for (int i = 0; i < IT_REFS; i++)
        ref_clear(self, &it_of(self)->ref[i]);
}
const TypeOps it_ops = {it_traverse, it_clear, NULL};

bool it_no_keywords(Type *t, Value cls, const char *name, Value kw) {
    return check_no_keywords(t, SP_INIT, (Type *)cls, name, kw);
}

Value it_reduce(Value self, Value args, Value state) {
    Value r = ABSENT;
    if (args != ABSENT)
        r = state == ABSENT ? tuple_pack(2, V_OF(type_of(self)), args)
                            : tuple_pack(3, V_OF(type_of(self)), args, state);
    release(args);
    release(state);
    return r;
}

Value it_iterators(Value *args, intptr_t n) {
    Value t = tuple_new(n);
    for (intptr_t i = 0; t != ABSENT && i < n; i++) {
        Value it = obj_iter(args[i]);
        if (it == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, i, it);
    }
    if (t != ABSENT && n)
        tuple_track(t);
    return t;
}

int it_add_type(Value module, const ItSpec *s, TypeSpec *spec) {
    *spec = (TypeSpec){.name = s->name,
                       .doc = s->doc,
                       .basic_size = (uint32_t)(s->size ? s->size : sizeof(It)),
                       .flags = TF_IMMUTABLE | (s->hidden ? 0 : TF_BASETYPE) | (s->weakref ? TF_WEAKREF : 0),
                       .ops = s->ops ? s->ops : &it_ops,
                       .methods = s->methods};
    type_init_module_type(s->type, spec);
    if (s->next)
        iter_register(s->type, s->next);
    return module_add_type(module, s->type);
}

/* tuple (a,) that steals a. */
static Value pack1(Value a) {
    return a == ABSENT ? ABSENT : tuple_from_steal(&a, 1);
}
static Value pack2(Value a, Value b) {
    Value v[2] = {a, b};
    if (a != ABSENT && b != ABSENT)
        return tuple_from_steal(v, 2);
    release(a);
    release(b);
    return ABSENT;
}
static Value empty_iter(void) {
    Value t = tuple_empty(), it = tuple_iter_new(t);
    release(t);
    return it;
}

/* ---- count: num 0 the next int while it is small (ref 0 ABSENT); ref 0 the next value else; ref 1 the step ---- */

static Type count_type;
enum { COUNT_VALUE = 0, COUNT_STEP = 1 };

static bool is_number(Value v) {
    if (v_is_integer(v) || v_is_floating(v))
        return true;
    Type *t = type_of(v);
    return type_special(t, SP_INDEX) || type_special(t, SP_INT) || type_special(t, SP_FLOAT) ||
           type_special(t, SP_COMPLEX) || t == &complex_type;
}

static Value count_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value start = arg_at(args, nargs, 0), step = arg_at(args, nargs, 1);
    if (start == ABSENT)
        start = zero;
    if (step == ABSENT)
        step = one;
    if (!is_number(start) || !is_number(step))
        return err_set(&exc_TypeError, "a number is required");
    Value it = it_new(cls);
    if (it == ABSENT)
        return ABSENT;
    if (v_is_int(start) && v_is_int(step))
        it_set_num(it, 0, v_int(start));
    else
        it_init(it, COUNT_VALUE, retained(start));
    it_init(it, COUNT_STEP, retained(step));
    return it_done(it);
}
static Value count_next(Value it) {
    Value step = it_peek(it, COUNT_STEP);
    for (;;) {
        excl_leaf_lock(it);
        Value seen = ref_peek(&it_of(it)->ref[COUNT_VALUE]);
        if (LIKELY(seen == ABSENT)) {
            /* Two ints of 63 bits: the sum fits 64. Beyond 63 the value moves to the reference. */
            int64_t n = it_num(it, 0), next = n + v_int(step);
            if (LIKELY(int_fits_imm(next))) {
                it_set_num(it, 0, next);
                excl_leaf_unlock(it);
                return v_from_int(n);
            }
            ref_swap(it, &it_of(it)->ref[COUNT_VALUE], v_from_int(n));
            excl_leaf_unlock(it);
            continue;
        }
        retain(seen);
        excl_leaf_unlock(it);
        Value next = num_binary(SP_ADD, seen, step);
        if (next == ABSENT) {
            release(seen);
            return ABSENT;
        }
        if (it_replace(it, COUNT_VALUE, seen, next))
            return seen;
        release(seen);
        release(next);
    }
}
IT_NEXT(count_next)
static Value count_value(Value it) {
    excl_leaf_lock(it);
    Value v = ref_peek(&it_of(it)->ref[COUNT_VALUE]);
    v = v == ABSENT ? v_from_int(it_num(it, 0)) : retained(v);
    excl_leaf_unlock(it);
    return v;
}
static Value count_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = count_value(self), step = it_peek(self, COUNT_STEP);
    Value s =
        step == one
            ? str_format_c("%s(%R)", type_cname(type_of(self)) + (type_of(self) == &count_type ? 10 : 0), v)
            : str_format_c("%s(%R, %R)", type_cname(type_of(self)) + (type_of(self) == &count_type ? 10 : 0), v, step);
    release(v);
    return s;
}
static Value count_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = count_value(self), step = it_peek(self, COUNT_STEP);
    return it_reduce(self, step == one ? pack1(v) : pack2(v, retained(step)), ABSENT);
}
static const NativeDef count_methods[] = {{"__new__", count_new, "($type, start=0, step=1)", 0, NEW_DOC},
                                          IT_COMMON(count_next),
                                          {"__repr__", count_repr, "($self, /)", 0, "Return repr(self)."},
                                          REDUCE_DEF(count_reduce),
                                          {NULL}};

/* ---- cycle: ref 0 the iterator, until it is exhausted; ref 1 the list of its items; num 0 position; num 1 items are
 * not to be saved -------------------- */

static Type cycle_type;
enum { CYCLE_IT = 0, CYCLE_SAVED = 1 };

static Value cycle_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!it_no_keywords(&cycle_type, cls, "cycle", kw))
        return ABSENT;
    if (nargs != 1)
        return err_set(&exc_TypeError, "cycle expected 1 argument, got %zd", (ssize_t)nargs);
    Value src = obj_iter(args[0]), saved = src == ABSENT ? ABSENT : list_new(0),
          it = saved == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(src);
        release(saved);
        return ABSENT;
    }
    it_init(it, CYCLE_IT, src);
    it_init(it, CYCLE_SAVED, saved);
    return it_done(it);
}
static Value cycle_next(Value it) {
    Value src = it_get(it, CYCLE_IT), saved = it_get(it, CYCLE_SAVED), v = ABSENT;
    if (src != ABSENT) {
        v = iter_pull(src);
        release(src);
        if (v != ABSENT) {
            if (!it_num(it, 1) && saved != ABSENT && list_append(saved, v) < 0) {
                release(v);
                v = ABSENT;
            }
            release(saved);
            return v;
        }
        if (err_pending()) {
            release(saved);
            return ABSENT;
        }
        it_set(it, CYCLE_IT, ABSENT);
    }
    intptr_t n = saved == ABSENT ? 0 : list_len(saved);
    if (n) {
        excl_leaf_lock(it);
        int64_t i = it_num(it, 0);
        if (i >= n)
            i = 0;
        it_set_num(it, 0, i + 1);
        excl_leaf_unlock(it);
        v = list_get(saved, i);
    }
    release(saved);
    return v;
}
IT_NEXT(cycle_next)
static Value cycle_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value src = it_get(self, CYCLE_IT), saved = it_get(self, CYCLE_SAVED);
    if (src != ABSENT)
        return it_reduce(self, pack1(src), pack2(saved, v_bool(it_num(self, 1))));
    src = list_iter_new(saved);
    if (src != ABSENT && it_num(self, 0)) {
        Value i = v_from_int(it_num(self, 0)), r = obj_call_method_str(src, "__setstate__", &i, 1);
        if (r == ABSENT) {
            release(src);
            src = ABSENT;
        }
    }
    return it_reduce(self, pack1(src), pack2(saved, V_TRUE));
}
static Value cycle_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = args[0];
    if (!v_is_tuple(s))
        return err_set(&exc_TypeError, "state is not a tuple");
    if (tuple_len(s) != 2 || !v_is_list(tuple_get(s, 0)) || !v_is_index(tuple_get(s, 1)))
        return err_set(&exc_TypeError, "function missing required argument");
    int64_t first;
    if (num_as_i64(tuple_get(s, 1), &first) < 0)
        return ABSENT;
    it_set(self, CYCLE_SAVED, retained(tuple_get(s, 0)));
    it_set_num(self, 1, first != 0);
    it_set_num(self, 0, 0);
    return V_NONE;
}
static const NativeDef cycle_methods[] = {{"__new__", cycle_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                          IT_COMMON(cycle_next),
                                          REDUCE_DEF(cycle_reduce),
                                          SETSTATE_DEF(cycle_setstate),
                                          {NULL}};

/* ---- repeat: ref 0 the object; num 0 how often still, -1 for ever ---- */

static Type repeat_type;

static Value repeat_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = -1;
    Value times = arg_at(args, nargs, 1);
    if (times != ABSENT) {
        if (num_as_index(times, &n, &exc_OverflowError) < 0)
            return ABSENT;
        n = MAX(n, 0);
    }
    Value it = it_new(cls);
    if (it == ABSENT)
        return ABSENT;
    it_init(it, 0, retained(args[0]));
    it_set_num(it, 0, n);
    return it_done(it);
}
static Value repeat_next(Value it) {
    excl_leaf_lock(it);
    int64_t n = it_num(it, 0);
    if (n > 0)
        it_set_num(it, 0, n - 1);
    excl_leaf_unlock(it);
    return n == 0 ? ABSENT : retained(it_peek(it, 0));
}
IT_NEXT(repeat_next)
static Value repeat_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n = it_num(self, 0);
    if (n < 0)
        return str_format_c("repeat(%R)", it_peek(self, 0));
    return str_format_c("repeat(%R, %zd)", it_peek(self, 0), (ssize_t)n);
}
static Value repeat_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n = it_num(self, 0);
    return n < 0 ? err_set(&exc_TypeError, "len() of unsized object") : int_from_i64(n);
}
static Value repeat_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n = it_num(self, 0);
    Value v = retained(it_peek(self, 0));
    return it_reduce(self, n < 0 ? pack1(v) : pack2(v, int_from_i64(n)), ABSENT);
}
static const NativeDef repeat_methods[] = {
    {"__new__", repeat_new, "($type, object, times=<unrepresentable>)", 0, NEW_DOC},
    IT_COMMON(repeat_next),
    {"__repr__", repeat_repr, "($self, /)", 0, "Return repr(self)."},
    {"__length_hint__", repeat_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."},
    REDUCE_DEF(repeat_reduce),
    {NULL}};

/* ---- chain: ref 0 iterator over iterables, until exhausted; ref 1 the active iterator ---- */

static Type chain_type;
enum { CHAIN_SOURCE = 0, CHAIN_ACTIVE = 1 };

static Value chain_make(Value cls, Value source) {
    Value it = source == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(source);
        return ABSENT;
    }
    it_init(it, CHAIN_SOURCE, source);
    return it_done(it);
}
static Value chain_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!it_no_keywords(&chain_type, cls, "chain", kw))
        return ABSENT;
    Value t = tuple_from(args, nargs), source = t == ABSENT ? ABSENT : tuple_iter_new(t);
    release(t);
    return chain_make(cls, source);
}
static Value chain_from_iterable(Value cls, Value *args, intptr_t nargs, Value kw) {
    return chain_make(cls, obj_iter(args[0]));
}
static Value chain_next(Value it) {
    for (unsigned steps = 1;; steps++) {
        Value active = it_get(it, CHAIN_ACTIVE), v;
        if (active == ABSENT) {
            Value source = it_get(it, CHAIN_SOURCE);
            if (source == ABSENT)
                return ABSENT;
            v = iter_pull(source);
            release(source);
            active = v == ABSENT ? ABSENT : obj_iter(v);
            release(v);
            if (active == ABSENT) {
                /* The end, or an error: which also ends the chain. */
                it_set(it, CHAIN_SOURCE, ABSENT);
                return ABSENT;
            }
            it_set(it, CHAIN_ACTIVE, retained(active));
        }
        v = iter_pull(active);
        if (v == ABSENT && !err_pending())
            it_replace(it, CHAIN_ACTIVE, active, ABSENT);
        release(active);
        if (v != ABSENT || err_pending())
            return v;
        if ((steps & 1023) == 0 && excl_poll() < 0)
            return ABSENT;
    }
}
IT_NEXT(chain_next)
static Value chain_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value source = it_get(self, CHAIN_SOURCE), active = it_get(self, CHAIN_ACTIVE);
    if (source == ABSENT) {
        release(active);
        return it_reduce(self, tuple_empty(), ABSENT);
    }
    return it_reduce(self, tuple_empty(), active == ABSENT ? pack1(source) : pack2(source, active));
}
static bool is_iterator(Value v) {
    return type_special(type_of(v), SP_NEXT) != ABSENT;
}
static Value chain_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = args[0];
    if (!v_is_tuple(s))
        return err_set(&exc_TypeError, "state is not a tuple");
    intptr_t n = tuple_len(s);
    if (n < 1 || n > 2)
        return err_set(&exc_TypeError, "function takes at %s argument%s (%zd given)", n < 1 ? "least 1" : "most 2",
                       n < 1 ? "" : "s", (ssize_t)n);
    if (!is_iterator(tuple_get(s, 0)) || (n == 2 && !is_iterator(tuple_get(s, 1))))
        return err_set(&exc_TypeError, "Arguments must be iterators.");
    it_set(self, CHAIN_SOURCE, retained(tuple_get(s, 0)));
    it_set(self, CHAIN_ACTIVE, n == 2 ? retained(tuple_get(s, 1)) : ABSENT);
    return V_NONE;
}
static const NativeDef chain_methods[] = {
    {"__new__", chain_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
    IT_COMMON(chain_next),
    {"from_iterable", chain_from_iterable, "($type, iterable, /)", NF_CLASS,
     "Alternative chain() constructor taking a single iterable argument that evaluates lazily."},
    REDUCE_DEF(chain_reduce),
    SETSTATE_DEF(chain_setstate),
    CLASS_GETITEM_DEF,
    {NULL}};

/* ---- islice: ref 0 the iterator, until exhausted; num 0 items pulled, num 1 next index wanted, num 2 stop (-1: none);
 * step in ref 1 -------------------------- */

static Type islice_type;
enum { ISLICE_IT = 0, ISLICE_STEP = 1 };
enum { ISLICE_COUNT = 0, ISLICE_NEXT = 1, ISLICE_STOP = 2 };

/* None (-1 for stop, or dflt), or an int in [0, maxsize]. */
static int islice_arg(Value v, intptr_t dflt, intptr_t *out) {
    *out = dflt;
    if (v == ABSENT || v_is_none(v))
        return 0;
    if (v_is_index(v) && num_as_index(v, out, &exc_ValueError) == 0 && *out >= 0)
        return 0;
    err_clear();
    return -1;
}
static Value islice_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!it_no_keywords(&islice_type, cls, "islice", kw))
        return ABSENT;
    if (nargs < 2 || nargs > 4)
        return err_set(&exc_TypeError, "islice expected at %s, got %zd",
                       nargs < 2 ? "least 2 arguments" : "most 4 arguments", (ssize_t)nargs);
    intptr_t start = 0, stop, step = 1;
    if (nargs == 2) {
        if (islice_arg(args[1], -1, &stop) < 0)
            return err_set(&exc_ValueError,
                           "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
    } else {
        if (islice_arg(args[2], -1, &stop) < 0)
            return err_set(&exc_ValueError,
                           "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
        if (islice_arg(args[1], 0, &start) < 0)
            return err_set(&exc_ValueError, "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
    }
    if (nargs == 4 && (islice_arg(args[3], 1, &step) < 0 || step < 1))
        return err_set(&exc_ValueError, "Step for islice() must be a positive integer or None.");
    Value src = obj_iter(args[0]), it = src == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(src);
        return ABSENT;
    }
    it_init(it, ISLICE_IT, src);
    it_init(it, ISLICE_STEP, int_from_i64(step));
    it_set_num(it, ISLICE_NEXT, start);
    it_set_num(it, ISLICE_STOP, stop);
    return it_done(it);
}
static Value islice_next(Value it) {
    Value src = it_get(it, ISLICE_IT), v;
    if (src == ABSENT)
        return ABSENT;
    int64_t stop = it_num(it, ISLICE_STOP), step = INTPTR_MAX;
    int_to_i64(it_peek(it, ISLICE_STEP), &step);
    for (unsigned steps = 1; it_num(it, ISLICE_COUNT) < it_num(it, ISLICE_NEXT); steps++) {
        if ((v = iter_pull(src)) == ABSENT || ((steps & 1023) == 0 && excl_poll() < 0)) {
            release(v);
            goto end;
        }
        release(v);
        atomic_fetch_add_explicit(&it_of(it)->num[ISLICE_COUNT], 1, memory_order_relaxed);
    }
    if (stop != -1 && it_num(it, ISLICE_COUNT) >= stop)
        goto end;
    if ((v = iter_pull(src)) == ABSENT)
        goto end;
    atomic_fetch_add_explicit(&it_of(it)->num[ISLICE_COUNT], 1, memory_order_relaxed);
    int64_t next;
    if (__builtin_add_overflow(it_num(it, ISLICE_NEXT), step, &next) || (stop != -1 && next > stop))
        next = stop != -1 ? stop : INT64_MAX;
    it_set_num(it, ISLICE_NEXT, next);
    release(src);
    return v;
end:
    release(src);
    it_set(it, ISLICE_IT, ABSENT);
    return ABSENT;
}
IT_NEXT(islice_next)
static Value islice_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value src = it_get(self, ISLICE_IT);
    if (src == ABSENT) {
        Value e = empty_iter();
        return it_reduce(self, pack2(e, zero), zero);
    }
    int64_t stop = it_num(self, ISLICE_STOP);
    Value next = int_from_i64(it_num(self, ISLICE_NEXT)), last = stop == -1 ? V_NONE : int_from_i64(stop);
    Value v[4] = {src, next, last, retained(it_peek(self, ISLICE_STEP))};
    return it_reduce(self, tuple_from_steal(v, 4), int_from_i64(it_num(self, ISLICE_COUNT)));
}
static Value islice_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n;
    if (num_as_i64(args[0], &n) < 0)
        return ABSENT;
    it_set_num(self, ISLICE_COUNT, n);
    return V_NONE;
}
static const NativeDef islice_methods[] = {{"__new__", islice_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                           IT_COMMON(islice_next),
                                           REDUCE_DEF(islice_reduce),
                                           SETSTATE_DEF(islice_setstate),
                                           {NULL}};

/* ---- starmap, takewhile, dropwhile, filterfalse: ref 0 the function, ref 1 the iterator; num 0: see each ---- */

static Type starmap_type, takewhile_type, dropwhile_type, filterfalse_type;
enum { FN = 0, SRC = 1 };

static Value fn_iter_new(Value cls, Type *t, const char *name, Value *args, intptr_t nargs, Value kw) {
    if (!it_no_keywords(t, cls, name, kw))
        return ABSENT;
    if (nargs != 2)
        return err_set(&exc_TypeError, "%s expected 2 arguments, got %zd", name, (ssize_t)nargs);
    Value src = obj_iter(args[1]), it = src == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(src);
        return ABSENT;
    }
    it_init(it, FN, retained(args[0]));
    it_init(it, SRC, src);
    return it_done(it);
}
static Value fn_iter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return it_reduce(self, tuple_pack(2, it_peek(self, FN), it_peek(self, SRC)), ABSENT);
}
static Value flagged_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return it_reduce(self, tuple_pack(2, it_peek(self, FN), it_peek(self, SRC)), v_from_int(it_num(self, 0)));
}
static Value flagged_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = obj_truth(args[0]);
    if (r < 0)
        return ABSENT;
    it_set_num(self, 0, r);
    return V_NONE;
}

static Value starmap_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return fn_iter_new(cls, &starmap_type, "starmap", args, nargs, kw);
}
static Value starmap_next(Value it) {
    Value v = iter_pull(it_peek(it, SRC));
    if (v == ABSENT)
        return ABSENT;
    Value t = seq_to_tuple(v),
          r = t == ABSENT ? ABSENT : obj_call(it_peek(it, FN), tuple_items(t), tuple_len(t), ABSENT);
    release(v);
    release(t);
    return r;
}
IT_NEXT(starmap_next)
static const NativeDef starmap_methods[] = {{"__new__", starmap_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                            IT_COMMON(starmap_next),
                                            REDUCE_DEF(fn_iter_reduce),
                                            {NULL}};

/* func(v) as truth; 1, 0, -1 */
static int passes(Value func, Value v) {
    Value r = obj_call1(func, v);
    int t = r == ABSENT ? -1 : obj_truth(r);
    release(r);
    return t;
}

/* num 0: stopped */
static Value takewhile_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return fn_iter_new(cls, &takewhile_type, "takewhile", args, nargs, kw);
}
static Value takewhile_next(Value it) {
    if (it_num(it, 0))
        return ABSENT;
    Value v = iter_pull(it_peek(it, SRC));
    if (v == ABSENT)
        return ABSENT;
    int r = passes(it_peek(it, FN), v);
    if (r > 0)
        return v;
    if (r == 0)
        it_set_num(it, 0, 1);
    release(v);
    return ABSENT;
}
IT_NEXT(takewhile_next)
static const NativeDef takewhile_methods[] = {{"__new__", takewhile_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                              IT_COMMON(takewhile_next),
                                              REDUCE_DEF(flagged_reduce),
                                              SETSTATE_DEF(flagged_setstate),
                                              {NULL}};

/* num 0: started */
static Value dropwhile_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return fn_iter_new(cls, &dropwhile_type, "dropwhile", args, nargs, kw);
}
static Value dropwhile_next(Value it) {
    Value v;
    for (unsigned steps = 1; (v = iter_pull(it_peek(it, SRC))) != ABSENT; steps++) {
        if (it_num(it, 0))
            return v;
        int r = passes(it_peek(it, FN), v);
        if (r == 0) {
            it_set_num(it, 0, 1);
            return v;
        }
        release(v);
        if (r < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            return ABSENT;
    }
    return ABSENT;
}
IT_NEXT(dropwhile_next)
static const NativeDef dropwhile_methods[] = {{"__new__", dropwhile_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                              IT_COMMON(dropwhile_next),
                                              REDUCE_DEF(flagged_reduce),
                                              SETSTATE_DEF(flagged_setstate),
                                              {NULL}};

static Value filterfalse_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return fn_iter_new(cls, &filterfalse_type, "filterfalse", args, nargs, kw);
}
static Value filterfalse_next(Value it) {
    Value v, f = it_peek(it, FN);
    bool plain = v_is_none(f) || f == V_OF(&bool_type);
    for (unsigned steps = 1; (v = iter_pull(it_peek(it, SRC))) != ABSENT; steps++) {
        int r = plain ? obj_truth(v) : passes(f, v);
        if (r == 0)
            return v;
        release(v);
        if (r < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            return ABSENT;
    }
    return ABSENT;
}
IT_NEXT(filterfalse_next)
static const NativeDef filterfalse_methods[] = {{"__new__", filterfalse_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                                IT_COMMON(filterfalse_next),
                                                REDUCE_DEF(fn_iter_reduce),
                                                {NULL}};

/* ---- accumulate: ref 0 function or None, ref 1 the iterator, ref 2 the total, ref 3 what comes first (initial) ----
 */

static Type accumulate_type;
enum { ACC_TOTAL = 2, ACC_INITIAL = 3 };

static Value accumulate_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value f = arg_at(args, nargs, 1), initial = arg_at(args, nargs, 2);
    Value src = obj_iter(args[0]), it = src == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(src);
        return ABSENT;
    }
    it_init(it, FN, f == ABSENT ? V_NONE : retained(f));
    it_init(it, SRC, src);
    if (initial != ABSENT && !v_is_none(initial))
        it_init(it, ACC_INITIAL, retained(initial));
    return it_done(it);
}
static Value accumulate_next(Value it) {
    Value initial = it_swap(it, ACC_INITIAL, ABSENT);
    if (initial != ABSENT) {
        it_set(it, ACC_TOTAL, retained(initial));
        return initial;
    }
    Value v = iter_pull(it_peek(it, SRC));
    if (v == ABSENT)
        return ABSENT;
    Value total = it_get(it, ACC_TOTAL), f = it_peek(it, FN);
    if (total == ABSENT) {
        it_set(it, ACC_TOTAL, retained(v));
        return v;
    }
    Value next = v_is_none(f) ? num_binary(SP_ADD, total, v) : obj_call2(f, total, v);
    release(total);
    release(v);
    if (next != ABSENT)
        it_set(it, ACC_TOTAL, retained(next));
    return next;
}
IT_NEXT(accumulate_next)
static Value accumulate_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = it_peek(self, FN), src = it_peek(self, SRC), initial = it_get(self, ACC_INITIAL),
          total = it_get(self, ACC_TOTAL);
    if (initial != ABSENT) {
        /* accumulate(chain([initial], it), f) gives the same. */
        release(total);
        Value first = list_from(&initial, 1), it1 = first == ABSENT ? ABSENT : list_iter_new(first), chain = ABSENT;
        if (it1 != ABSENT) {
            Value both[2] = {it1, src}, t = tuple_from(both, 2), ti = t == ABSENT ? ABSENT : tuple_iter_new(t);
            chain = chain_make(V_OF(&chain_type), ti);
            release(t);
        }
        release(initial);
        release(first);
        release(it1);
        return it_reduce(self, pack2(chain, retained(f)), V_NONE);
    }
    if (total != ABSENT && v_is_none(total)) {
        /* None stands for "no total yet" in the state: islice(accumulate(chain([None], it), f), 1, None). */
        Value first = list_from(&total, 1), it1 = first == ABSENT ? ABSENT : list_iter_new(first), chain = ABSENT,
              r = ABSENT;
        if (it1 != ABSENT) {
            Value both[2] = {it1, src}, t = tuple_from(both, 2), ti = t == ABSENT ? ABSENT : tuple_iter_new(t);
            chain = chain_make(V_OF(&chain_type), ti);
            release(t);
        }
        Value acc = chain == ABSENT ? ABSENT : obj_call2(V_OF(type_of(self)), chain, f);
        Value args3 = acc == ABSENT ? ABSENT : tuple_pack(3, acc, one, V_NONE);
        if (args3 != ABSENT)
            r = tuple_pack(2, V_OF(&islice_type), args3);
        release(first);
        release(it1);
        release(chain);
        release(acc);
        release(args3);
        return r;
    }
    return it_reduce(self, tuple_pack(2, src, f), total == ABSENT ? V_NONE : total);
}
static Value accumulate_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    it_set(self, ACC_TOTAL, v_is_none(args[0]) ? ABSENT : retained(args[0]));
    return V_NONE;
}
static const NativeDef accumulate_methods[] = {
    {"__new__", accumulate_new, "($type, iterable, func=None, *, initial=None)", 0, NEW_DOC},
    IT_COMMON(accumulate_next),
    REDUCE_DEF(accumulate_reduce),
    SETSTATE_DEF(accumulate_setstate),
    {NULL}};

/* ---- compress: ref 0 the data, ref 1 the selectors ---- */

static Type compress_type;

static Value compress_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value data = obj_iter(args[0]), sel = data == ABSENT ? ABSENT : obj_iter(args[1]),
          it = sel == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(data);
        release(sel);
        return ABSENT;
    }
    it_init(it, 0, data);
    it_init(it, 1, sel);
    return it_done(it);
}
static Value compress_next(Value it) {
    for (unsigned steps = 1;; steps++) {
        Value v = iter_pull(it_peek(it, 0)), s = v == ABSENT ? ABSENT : iter_pull(it_peek(it, 1));
        int r = s == ABSENT ? -1 : obj_truth(s);
        release(s);
        if (r > 0)
            return v;
        release(v);
        if (r < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            return ABSENT;
    }
}
IT_NEXT(compress_next)
static Value compress_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return it_reduce(self, tuple_pack(2, it_peek(self, 0), it_peek(self, 1)), ABSENT);
}
static const NativeDef compress_methods[] = {{"__new__", compress_new, "($type, data, selectors)", 0, NEW_DOC},
                                             IT_COMMON(compress_next),
                                             REDUCE_DEF(compress_reduce),
                                             {NULL}};

/* ---- pairwise: ref 0 the iterator, ref 1 the item before ---- */

static Type pairwise_type;

static Value pairwise_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!it_no_keywords(&pairwise_type, cls, "pairwise", kw))
        return ABSENT;
    if (nargs != 1)
        return err_set(&exc_TypeError, "pairwise expected 1 argument, got %zd", (ssize_t)nargs);
    Value src = obj_iter(args[0]), it = src == ABSENT ? ABSENT : it_new(cls);
    if (it == ABSENT) {
        release(src);
        return ABSENT;
    }
    it_init(it, 0, src);
    return it_done(it);
}
static Value pairwise_next(Value it) {
    Value src = it_get(it, 0), old, v;
    if (src == ABSENT)
        return ABSENT;
    if ((old = it_get(it, 1)) == ABSENT) {
        old = iter_pull(src);
        if (old == ABSENT)
            goto end;
        it_set(it, 1, retained(old));
        if (it_peek(it, 0) == ABSENT) { /* a nested call has finished it */
            release(old);
            release(src);
            return ABSENT;
        }
    }
    v = iter_pull(src);
    if (v == ABSENT) {
        release(old);
        goto end;
    }
    it_set(it, 1, retained(v));
    release(src);
    return pack2(old, v);
end:
    release(src);
    it_set(it, 0, ABSENT);
    it_set(it, 1, ABSENT);
    return ABSENT;
}
IT_NEXT(pairwise_next)
static const NativeDef pairwise_methods[] = {
    {"__new__", pairwise_new, "($type, /, *args, **kwargs)", 0, NEW_DOC}, IT_COMMON(pairwise_next), {NULL}};

/* ---- zip_longest: ref 0 tuple of iterators, ref 1 the fill value, ref 2 list of flags (True: exhausted); num 0 how
 * many are active ----------------------------- */

static Type zip_longest_type;

static Value zip_longest_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value fill = V_NONE;
    for (intptr_t i = 0, n = kw == ABSENT ? 0 : tuple_len(kw); i < n; i++) {
        if (!str_equal_c(tuple_get(kw, i), "fillvalue"))
            return err_set(&exc_TypeError, "zip_longest() got an unexpected keyword argument");
        fill = args[nargs + i];
    }
    Value its = it_iterators(args, nargs), it = its == ABSENT ? ABSENT : it_new(cls), f = V_FALSE, l, flags = ABSENT;
    if (it != ABSENT && (l = list_from(&f, 1)) != ABSENT) {
        flags = list_repeat(l, nargs);
        release(l);
    }
    if (flags == ABSENT) {
        release(its);
        release(it);
        return ABSENT;
    }
    it_init(it, 0, its);
    it_init(it, 1, retained(fill));
    it_init(it, 2, flags);
    it_set_num(it, 0, nargs);
    return it_done(it);
}
static Value zip_longest_next(Value it) {
    Value its = it_peek(it, 0), flags = it_peek(it, 2);
    intptr_t n = its == ABSENT ? 0 : tuple_len(its);
    if (n == 0 || it_num(it, 0) <= 0)
        return ABSENT;
    Value t = tuple_new(n);
    if (t == ABSENT)
        return ABSENT;
    for (intptr_t i = 0; i < n; i++) {
        Value v = ABSENT;
        if (list_get(flags, i) == V_FALSE) {
            v = iter_pull(tuple_get(its, i));
            if (v == ABSENT) {
                bool failed = err_pending();
                if (!failed && list_set(flags, i, V_TRUE) < 0)
                    failed = true;
                if (failed)
                    it_set_num(it, 0, 0);
                if (failed || atomic_fetch_sub_explicit(&it_of(it)->num[0], 1, memory_order_relaxed) <= 1) {
                    release(t);
                    return ABSENT;
                }
            }
        }
        tuple_init_item(t, i, v == ABSENT ? retained(it_peek(it, 1)) : v);
    }
    tuple_track(t);
    return t;
}
IT_NEXT(zip_longest_next)
static Value zip_longest_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value its = it_peek(self, 0);
    intptr_t n = tuple_len(its);
    Value t = tuple_new(n);
    for (intptr_t i = 0; t != ABSENT && i < n; i++) {
        Value v = list_get(it_peek(self, 2), i) == V_FALSE ? retained(tuple_get(its, i)) : tuple_empty();
        tuple_init_item(t, i, v);
    }
    if (t != ABSENT && n)
        tuple_track(t);
    return it_reduce(self, t, retained(it_peek(self, 1)));
}
static Value zip_longest_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    it_set(self, 1, retained(args[0]));
    return V_NONE;
}
static const NativeDef zip_longest_methods[] = {{"__new__", zip_longest_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                                IT_COMMON(zip_longest_next),
                                                REDUCE_DEF(zip_longest_reduce),
                                                SETSTATE_DEF(zip_longest_setstate),
                                                {NULL}};

/* ---- the module ---- */

static int exec(Value m) {
    static const ItSpec specs[] = {
        {&count_type, "itertools.count",
         "Return a count object whose .__next__() method returns consecutive values.\n\nEquivalent to:\n    def "
         "count(firstval=0, step=1):\n"
         "        x = firstval\n        while 1:\n            yield x\n            x += step",
         count_methods, count_next},
        {&cycle_type, "itertools.cycle",
         "Return elements from the iterable until it is exhausted. Then repeat the sequence indefinitely.",
         cycle_methods, cycle_next},
        {&repeat_type, "itertools.repeat",
         "repeat(object [,times]) -> create an iterator which returns the object\nfor the specified number of times.  "
         "If not specified, returns the "
         "object\nendlessly.",
         repeat_methods, repeat_next},
        {&chain_type, "itertools.chain",
         "chain(*iterables) --> chain object\n\nReturn a chain object whose .__next__() method returns elements from "
         "the\nfirst iterable until it is "
         "exhausted, then elements from the next\niterable, until all of the iterables are exhausted.",
         chain_methods, chain_next},
        {&islice_type, "itertools.islice",
         "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nReturn "
         "an iterator whose next() "
         "method returns selected values from an\niterable.  If start is specified, will skip all preceding "
         "elements;\notherwise, start defaults to "
         "zero.  Step defaults to one.  If\nspecified as another value, step determines how many values are\nskipped "
         "between successive calls.  "
         "Works like a slice() on a list\nbut returns an iterator.",
         islice_methods, islice_next},
        {&starmap_type, "itertools.starmap",
         "Return an iterator whose values are returned from the function evaluated with an argument tuple taken from "
         "the given sequence.",
         starmap_methods, starmap_next},
        {&takewhile_type, "itertools.takewhile",
         "Return successive entries from an iterable as long as the predicate evaluates to true for each entry.",
         takewhile_methods, takewhile_next},
        {&dropwhile_type, "itertools.dropwhile",
         "Drop items from the iterable while predicate(item) is true.\n\nAfterwards, return every element until the "
         "iterable is exhausted.",
         dropwhile_methods, dropwhile_next},
        {&filterfalse_type, "itertools.filterfalse",
         "Return those items of iterable for which function(item) is false.\n\nIf function is None, return the items "
         "that are false.",
         filterfalse_methods, filterfalse_next},
        {&accumulate_type, "itertools.accumulate", "Return series of accumulated sums.", accumulate_methods,
         accumulate_next},
        {&compress_type, "itertools.compress",
         "Return data elements corresponding to true selector elements.\n\nForms a shorter iterator from selected data "
         "elements using the selectors "
         "to\nchoose the data elements.",
         compress_methods, compress_next},
        {&pairwise_type, "itertools.pairwise", "Return an iterator of overlapping pairs taken from the input iterator.",
         pairwise_methods, pairwise_next},
        {&zip_longest_type, "itertools.zip_longest",
         "zip_longest(iter1 [,iter2 [...]], [fillvalue=None]) --> zip_longest object\n\nReturn a zip_longest object "
         "whose .__next__() method returns "
         "a tuple where\nthe i-th element comes from the i-th iterable argument.  The .__next__()\nmethod continues "
         "until the longest iterable in the "
         "argument sequence\nis exhausted and then it raises StopIteration.  When the shorter iterables\nare "
         "exhausted, the fillvalue is substituted "
         "in their place.  The fillvalue\ndefaults to None or can be specified by a keyword argument.",
         zip_longest_methods, zip_longest_next},
    };
    static TypeSpec storage[ARRAY_LEN(specs)];
    for (size_t i = 0; i < ARRAY_LEN(specs); i++)
        if (it_add_type(m, &specs[i], &storage[i]) < 0)
            return -1;
    return itertools_combine_exec(m) < 0 ? -1 : itertools_group_exec(m);
}

static const NativeDef functions[] = {
    {"tee", itertools_tee, "($module, iterable, n=2, /)", 0, "Returns a tuple of n independent iterators."},
    {NULL},
};

const ModuleSpec module_itertools = {
    "itertools",
    "Functional tools for creating and using iterators.",
    functions,
    exec,
};

/* collections.deque: a ring of slots. Every access holds the deque's lock (a leaf lock where nothing is allocated), so
 * the ring is plain memory. What calls Python code between steps compares `state`, which changes with every mutation.
 */
#include "modules/collections.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

typedef struct Deque {
    Object hdr;
    _Atomic(size_t) len;
    size_t head;     /* slot of the first item */
    size_t capacity; /* slots: 0 or a power of two */
    Ref *ring;       /* block; slots without item are ABSENT */
    intptr_t maxlen; /* -1: none; set by __init__ */
    _Atomic(uint64_t) state;
} Deque;
static Deque *D(Value v) {
    return (Deque *)v;
}
Type deque_type;
static Type iter_type, rev_iter_type;

enum { MIN_RING = 8 };

static size_t len_of(Value d) {
    return LOAD_RELAXED(&D(d)->len);
}
static void set_len(Value d, size_t n) {
    STORE_RELAXED(&D(d)->len, n);
    STORE_RELAXED(&D(d)->state, LOAD_RELAXED(&D(d)->state) + 1);
}
static Ref *slot(Value d, size_t i) {
    return &D(d)->ring[(D(d)->head + i) & (D(d)->capacity - 1)];
}
static bool is_deque(Value v) {
    return v_is_obj(v) && type_is_subtype(type_of(v), &deque_type);
}

/* In the section: a ring of cap slots. */
static int resize(Value d, size_t cap) {
    Deque *o = D(d);
    Ref *ring = cap > SIZE_MAX / 16 ? (err_no_memory(), NULL) : block_alloc(cap * sizeof(Ref));
    if (!ring)
        return -1;
    size_t n = len_of(d);
    for (size_t i = 0; i < n; i++)
        ref_init(&ring[i], ref_peek(slot(d, i)));
    memset((void *)(ring + n), 0, (cap - n) * sizeof(Ref));
    block_free(o->ring);
    o->ring = ring;
    o->head = 0;
    o->capacity = cap;
    return 0;
}
static int reserve(Value d, size_t need) {
    if (need <= D(d)->capacity)
        return 0;
    size_t cap = MAX(D(d)->capacity, MIN_RING);
    while (cap < need)
        cap *= 2;
    return resize(d, cap);
}
/* In the section, after removals. */
static void trim(Value d) {
    if (D(d)->capacity > 64 && len_of(d) < D(d)->capacity / 8 && resize(d, D(d)->capacity / 4) < 0)
        err_clear();
}

/* Under the lock, with room: steals v. */
static void put_last(Value d, Value v) {
    size_t n = len_of(d);
    ref_swap(d, slot(d, n), v);
    set_len(d, n + 1);
}
static void put_first(Value d, Value v) {
    Deque *o = D(d);
    o->head = (o->head - 1) & (o->capacity - 1);
    ref_swap(d, &o->ring[o->head], v);
    set_len(d, len_of(d) + 1);
}
static Value take_last(Value d) {
    size_t n = len_of(d);
    Value v = ref_swap(d, slot(d, n - 1), ABSENT);
    set_len(d, n - 1);
    return v;
}
static Value take_first(Value d) {
    Value v = ref_swap(d, slot(d, 0), ABSENT);
    D(d)->head = (D(d)->head + 1) & (D(d)->capacity - 1);
    set_len(d, len_of(d) - 1);
    return v;
}

/* Adds v (stolen, also on failure) at an end; what falls out at the other is released. */
static int add(Value d, Value v, bool left) {
    Value out = ABSENT;
    bool done = false;
    excl_leaf_lock(d);
    size_t n = len_of(d), max = (size_t)D(d)->maxlen;
    if (UNLIKELY(n >= max)) {
        /* Full: nothing is stored when the limit is 0. */
        done = true;
        if (max == 0) {
            out = v;
        } else if (left) {
            out = take_last(d);
            put_first(d, v);
        } else {
            out = take_first(d);
            put_last(d, v);
        }
    } else if (n < D(d)->capacity) {
        done = true;
        if (left)
            put_first(d, v);
        else
            put_last(d, v);
    }
    excl_leaf_unlock(d);
    if (LIKELY(done)) {
        release(out);
        return 0;
    }
    ExclCs cs;
    excl_cs_begin(&cs, d);
    int r = reserve(d, len_of(d) + 1);
    if (r == 0) {
        if (left)
            put_first(d, v);
        else
            put_last(d, v);
        if (len_of(d) > (size_t)D(d)->maxlen)
            out = left ? take_last(d) : take_first(d);
    }
    excl_cs_end(&cs);
    release(r < 0 ? v : out);
    return r;
}

static bool is_slack(Value d, size_t n) {
    return D(d)->capacity > 64 && n < D(d)->capacity / 8;
}
/* Sections are not needed where nobody else can look, and nothing dies. */
static ALWAYS_INLINE bool add_private(Value d, Value v, bool left) {
    size_t n = len_of(d);
    if (!obj_is_private(d) || UNLIKELY(n >= (size_t)D(d)->maxlen || n >= D(d)->capacity))
        return false;
    if (left)
        put_first(d, retained(v));
    else
        put_last(d, retained(v));
    return true;
}
static ALWAYS_INLINE Value take_private(Value d, bool left) {
    size_t n = len_of(d);
    if (!obj_is_private(d) || UNLIKELY(n == 0 || is_slack(d, n)))
        return ABSENT;
    return left ? take_first(d) : take_last(d);
}

static NOINLINE Value take(Value d, bool left) {
    Value v = ABSENT;
    excl_leaf_lock(d);
    size_t n = len_of(d);
    if (n)
        v = left ? take_first(d) : take_last(d);
    bool slack = is_slack(d, n);
    excl_leaf_unlock(d);
    if (UNLIKELY(slack)) {
        ExclCs cs;
        excl_cs_begin(&cs, d);
        trim(d);
        excl_cs_end(&cs);
    }
    return v != ABSENT ? v : err_set(&exc_IndexError, "pop from an empty deque");
}

/* Item i: owned, or ABSENT. */
static Value get(Value d, size_t i) {
    excl_leaf_lock(d);
    Value v = i < len_of(d) ? retained(ref_peek(slot(d, i))) : ABSENT;
    excl_leaf_unlock(d);
    return v;
}
/* The same when nothing has changed since state was seen. */
static Value get_same(Value d, size_t i, uint64_t state, bool *changed) {
    excl_leaf_lock(d);
    *changed = LOAD_RELAXED(&D(d)->state) != state;
    Value v = !*changed && i < len_of(d) ? retained(ref_peek(slot(d, i))) : ABSENT;
    excl_leaf_unlock(d);
    return v;
}

static Value snapshot(Value d) {
    ExclCs cs;
    excl_cs_begin(&cs, d);
    size_t n = len_of(d);
    Value t = tuple_new((intptr_t)n);
    for (size_t i = 0; t != ABSENT && i < n; i++)
        tuple_init_item(t, (intptr_t)i, retained(ref_peek(slot(d, i))));
    excl_cs_end(&cs);
    if (t != ABSENT && n)
        tuple_track(t);
    return t;
}

static void clear_items(Value d) {
    ExclCs cs;
    excl_cs_begin(&cs, d);
    Ref *ring = D(d)->ring;
    size_t cap = D(d)->capacity;
    for (size_t i = 0, n = len_of(d); i < n; i++)
        ref_clear(d, slot(d, i));
    if (cap > 64) {
        D(d)->ring = NULL;
        D(d)->capacity = 0;
    } else {
        ring = NULL;
    }
    D(d)->head = 0;
    set_len(d, 0);
    excl_cs_end(&cs);
    block_free(ring);
}

static int extend(Value d, Value iterable, bool left) {
    Value it, v, copy = ABSENT;
    if (iterable == d) {
        if ((copy = snapshot(d)) == ABSENT)
            return -1;
        iterable = copy;
    }
    it = obj_iter(iterable);
    release(copy);
    if (it == ABSENT)
        return -1;
    NextFn next = iter_next_fn(it);
    for (unsigned steps = 1; (v = next ? next(it) : obj_next(it)) != ABSENT; steps++)
        if (add(d, v, left) < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            break;
    release(it);
    return err_pending() ? -1 : 0;
}

/* In the section. */
static void rotate(Value d, intptr_t by) {
    Deque *o = D(d);
    intptr_t n = (intptr_t)len_of(d);
    if (n < 2)
        return;
    by %= n;
    if (by < 0)
        by += n;
    if (by > n / 2)
        by -= n;
    if ((size_t)n == o->capacity) {
        o->head = (o->head - (size_t)by) & (o->capacity - 1);
    } else {
        for (; by > 0; by--) {
            Value v = ref_swap(d, slot(d, (size_t)n - 1), ABSENT);
            o->head = (o->head - 1) & (o->capacity - 1);
            ref_swap(d, &o->ring[o->head], v);
        }
        for (; by < 0; by++) {
            Value v = ref_swap(d, slot(d, 0), ABSENT);
            o->head = (o->head + 1) & (o->capacity - 1);
            ref_swap(d, slot(d, (size_t)n - 1), v);
        }
    }
    set_len(d, (size_t)n);
}

/* In the section: item i leaves; owned. The shorter side moves. */
static Value take_at(Value d, size_t i) {
    size_t n = len_of(d);
    Value v = ref_peek(slot(d, i));
    if (i < n / 2) {
        for (; i > 0; i--)
            ref_swap(d, slot(d, i), ref_peek(slot(d, i - 1)));
        take_first(d);
    } else {
        for (; i + 1 < n; i++)
            ref_swap(d, slot(d, i), ref_peek(slot(d, i + 1)));
        take_last(d);
    }
    return v;
}

/* ---- the iterators ---- */

typedef struct DequeIter {
    Object hdr;
    Ref deque;
    _Atomic(uint64_t) state;
    _Atomic(intptr_t) index, left;
} DequeIter;
static DequeIter *I(Value v) {
    return (DequeIter *)v;
}

static Value iter_new(Type *t, Value d) {
    Value it = obj_new(t);
    if (it == ABSENT)
        return ABSENT;
    ref_init(&I(it)->deque, retained(d));
    excl_leaf_lock(d);
    intptr_t n = (intptr_t)len_of(d);
    STORE_RELAXED(&I(it)->state, LOAD_RELAXED(&D(d)->state));
    excl_leaf_unlock(d);
    STORE_RELAXED(&I(it)->left, n);
    STORE_RELAXED(&I(it)->index, t == &rev_iter_type ? n - 1 : 0);
    trace_track(v_obj(it));
    return it;
}
static ALWAYS_INLINE Value step(Value it, intptr_t by) {
    Value d = ref_peek(&I(it)->deque); /* never changes while the iterator can be reached */
    bool changed;
    if (d == ABSENT)
        return ABSENT;
    excl_leaf_lock(it);
    intptr_t i = LOAD_RELAXED(&I(it)->index), left = LOAD_RELAXED(&I(it)->left);
    if (left > 0) {
        STORE_RELAXED(&I(it)->index, i + by);
        STORE_RELAXED(&I(it)->left, left - 1);
    }
    excl_leaf_unlock(it);
    Value v = get_same(d, (size_t)i, LOAD_RELAXED(&I(it)->state), &changed);
    if (changed) {
        STORE_RELAXED(&I(it)->left, 0);
        return err_set(&exc_RuntimeError, "deque mutated during iteration");
    }
    if (left > 0)
        return v;
    release(v);
    return ABSENT;
}
static Value iter_next(Value it) {
    return step(it, 1);
}
static Value rev_iter_next(Value it) {
    return step(it, -1);
}
static Value n_iter_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(iter_next(self));
}
static Value n_rev_iter_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_end(rev_iter_next(self));
}
static Value iter_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(LOAD_RELAXED(&I(self)->left));
}
static Value iter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = ref_peek(&I(self)->deque);
    intptr_t done = (intptr_t)len_of(d) - LOAD_RELAXED(&I(self)->left);
    Value a = tuple_pack(2, d, v_from_int(done)), r = a == ABSENT ? ABSENT : tuple_pack(2, V_OF(type_of(self)), a);
    release(a);
    return r;
}
static Value iter_make(Type *t, Value *args, intptr_t nargs) {
    intptr_t skip = 0;
    if (!is_deque(args[0]))
        return err_set(&exc_TypeError, "%s() argument 1 must be collections.deque, not %T", type_cname(t), args[0]);
    if (nargs > 1 && args[1] != ABSENT && num_as_index(args[1], &skip, &exc_OverflowError) < 0)
        return ABSENT;
    Value it = iter_new(t, args[0]);
    for (intptr_t i = 0; it != ABSENT && i < skip; i++) {
        Value v = step(it, t == &rev_iter_type ? -1 : 1);
        if (v == ABSENT)
            break;
        release(v);
    }
    if (it != ABSENT && err_pending()) {
        release(it);
        return ABSENT;
    }
    return it;
}
static Value n_iter_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return iter_make(&iter_type, args, nargs);
}
static Value n_rev_iter_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return iter_make(&rev_iter_type, args, nargs);
}
static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&I(self)->deque), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &I(self)->deque);
}
static const TypeOps iter_ops = {iter_traverse, iter_clear, NULL};
#define DEQUE_ITER_METHODS(new_fn, next_fn)                                                                            \
    {                                                                                                                  \
        {"__new__", new_fn, "($type, deque, index=0, /)", 0, NULL},                                                    \
            {"__iter__", iter_self, "($self, /)", 0, "Implement iter(self)."},                                         \
            {"__next__", next_fn, "($self, /)", 0, "Implement next(self)."},                                           \
            {"__length_hint__", iter_hint, "($self, /)", 0, "Private method returning an estimate of len(list(it))."}, \
            {"__reduce__", iter_reduce, "($self, /)", 0, "Return state information for pickling."}, {                  \
            NULL                                                                                                       \
        }                                                                                                              \
    }
static const NativeDef iter_methods[] = DEQUE_ITER_METHODS(n_iter_new, n_iter_next);
static const NativeDef rev_iter_methods[] = DEQUE_ITER_METHODS(n_rev_iter_new, n_rev_iter_next);

/* ---- methods ---- */

static Value none_or_fail(int r) {
    return r < 0 ? ABSENT : V_NONE;
}

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value d = obj_new((Type *)cls);
    if (d == ABSENT)
        return ABSENT;
    D(d)->maxlen = -1;
    trace_track(v_obj(d));
    return d;
}
static Value m_init(Value self, Value *args, intptr_t nargs, Value kw) {
    Value iterable = arg_at(args, nargs, 0), max = arg_at(args, nargs, 1);
    intptr_t maxlen = -1;
    if (max != ABSENT && !v_is_none(max)) {
        if (!v_is_integer(max))
            return err_set(&exc_TypeError, "an integer is required");
        if (num_as_index(max, &maxlen, &exc_OverflowError) < 0)
            return ABSENT;
        if (maxlen < 0)
            return err_set(&exc_ValueError, "maxlen must be non-negative");
    }
    if (len_of(self))
        clear_items(self);
    excl_leaf_lock(self);
    D(self)->maxlen = maxlen;
    excl_leaf_unlock(self);
    return iterable == ABSENT ? V_NONE : none_or_fail(extend(self, iterable, false));
}

static Value m_append(Value self, Value *args, intptr_t nargs, Value kw) {
    return add_private(self, args[0], false) ? V_NONE : none_or_fail(add(self, retained(args[0]), false));
}
static Value m_appendleft(Value self, Value *args, intptr_t nargs, Value kw) {
    return add_private(self, args[0], true) ? V_NONE : none_or_fail(add(self, retained(args[0]), true));
}
static Value m_pop(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = take_private(self, false);
    return LIKELY(v != ABSENT) ? v : take(self, false);
}
static Value m_popleft(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = take_private(self, true);
    return LIKELY(v != ABSENT) ? v : take(self, true);
}
static Value m_extend(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(extend(self, args[0], false));
}
static Value m_extendleft(Value self, Value *args, intptr_t nargs, Value kw) {
    return none_or_fail(extend(self, args[0], true));
}
static Value m_clear(Value self, Value *args, intptr_t nargs, Value kw) {
    clear_items(self);
    return V_NONE;
}
static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int((int64_t)len_of(self));
}
static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_new(&iter_type, self);
}
static Value m_reversed(Value self, Value *args, intptr_t nargs, Value kw) {
    return iter_new(&rev_iter_type, self);
}

/* An empty deque with self's limit, of self's class. */
static Value like(Value self, Value items) {
    if (type_of(self) == &deque_type) {
        Value d = m_new(V_OF(&deque_type), NULL, 0, ABSENT);
        if (d == ABSENT)
            return ABSENT;
        D(d)->maxlen = D(self)->maxlen;
        if (extend(d, items, false) == 0)
            return d;
        release(d);
        return ABSENT;
    }
    intptr_t max = D(self)->maxlen;
    Value d = max < 0 ? obj_call1(V_OF(type_of(self)), items) : obj_call2(V_OF(type_of(self)), items, v_from_int(max));
    if (d != ABSENT && !is_deque(d)) {
        err_set(&exc_TypeError, "%N() must return a deque, not %T", type_of(self), d);
        release(d);
        return ABSENT;
    }
    return d;
}
static Value m_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    Value t = snapshot(self), d = t == ABSENT ? ABSENT : like(self, t);
    release(t);
    return d;
}

static Value m_rotate(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t by = 1;
    Value n = arg_at(args, nargs, 0);
    if (n != ABSENT && num_as_index(n, &by, &exc_OverflowError) < 0)
        return ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    rotate(self, by);
    excl_cs_end(&cs);
    return V_NONE;
}
static Value m_reverse(Value self, Value *args, intptr_t nargs, Value kw) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    for (size_t i = 0, j = len_of(self); i + 1 < j; i++) {
        Value v = ref_swap(self, slot(self, i), ref_peek(slot(self, --j)));
        ref_swap(self, slot(self, j), v);
    }
    set_len(self, len_of(self));
    excl_cs_end(&cs);
    return V_NONE;
}

static Value m_insert(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    intptr_t n = (intptr_t)len_of(self);
    int r = 0;
    bool full = D(self)->maxlen >= 0 && n >= D(self)->maxlen;
    if (!full && (r = reserve(self, (size_t)n + 1)) == 0) {
        if (i < 0)
            i = MAX(i + n, 0);
        i = MIN(i, n);
        if (i < n / 2) {
            put_first(self, ABSENT);
            for (intptr_t k = 0; k < i; k++)
                ref_swap(self, slot(self, (size_t)k), ref_peek(slot(self, (size_t)k + 1)));
        } else {
            put_last(self, ABSENT);
            for (intptr_t k = n; k > i; k--)
                ref_swap(self, slot(self, (size_t)k), ref_peek(slot(self, (size_t)k - 1)));
        }
        ref_swap(self, slot(self, (size_t)i), retained(args[1]));
    }
    excl_cs_end(&cs);
    if (full)
        return err_set(&exc_IndexError, "deque already at its maximum size");
    return none_or_fail(r);
}

static int index_arg(Value self, Value key, intptr_t *i) {
    if (!v_is_index(key)) {
        err_set(&exc_TypeError, "sequence index must be integer, not '%T'", key);
        return -1;
    }
    if (num_as_index(key, i, &exc_IndexError) < 0)
        return -1;
    if (*i < 0)
        *i += (intptr_t)len_of(self);
    return 0;
}
static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (index_arg(self, args[0], &i) < 0)
        return ABSENT;
    Value v = get(self, (size_t)i);
    return v != ABSENT ? v : err_set(&exc_IndexError, "deque index out of range");
}
static Value m_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (index_arg(self, args[0], &i) < 0)
        return ABSENT;
    Value old = ABSENT;
    excl_leaf_lock(self);
    bool ok = (size_t)i < len_of(self);
    if (ok)
        old = ref_swap(self, slot(self, (size_t)i), retained(args[1]));
    excl_leaf_unlock(self);
    release(old);
    return ok ? V_NONE : err_set(&exc_IndexError, "deque index out of range");
}
static Value m_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i;
    if (index_arg(self, args[0], &i) < 0)
        return ABSENT;
    ExclCs cs;
    Value old = ABSENT;
    excl_cs_begin(&cs, self);
    if ((size_t)i < len_of(self))
        old = take_at(self, (size_t)i);
    excl_cs_end(&cs);
    if (old == ABSENT)
        return err_set(&exc_IndexError, "deque index out of range");
    release(old);
    return V_NONE;
}

/* First index in [lo, hi) of an item equal to x: -1 none, -2 error. */
static intptr_t find(Value d, Value x, intptr_t lo, intptr_t hi) {
    uint64_t state = LOAD_RELAXED(&D(d)->state);
    for (intptr_t i = lo; i < hi; i++) {
        bool changed;
        Value v = get_same(d, (size_t)i, state, &changed);
        if (v == ABSENT && !changed)
            return -1;
        int r = v == ABSENT ? 0 : simple_eq(v, x);
        if (r < 0)
            r = obj_eq(v, x);
        release(v);
        if (r < 0)
            return -2;
        if (r)
            return i;
        if (changed || LOAD_RELAXED(&D(d)->state) != state) {
            err_set(&exc_RuntimeError, "deque mutated during iteration");
            return -2;
        }
        if ((i & 1023) == 1023 && excl_poll() < 0)
            return -2;
    }
    return -1;
}
static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t i = find(self, args[0], 0, INTPTR_MAX);
    return i == -2 ? ABSENT : v_bool(i >= 0);
}
static Value m_count(Value self, Value *args, intptr_t nargs, Value kw) {
    uint64_t state = LOAD_RELAXED(&D(self)->state);
    int64_t n = 0;
    for (intptr_t i = 0;; i++, n++) {
        i = find(self, args[0], i, INTPTR_MAX);
        if (i == -2)
            return ABSENT;
        if (LOAD_RELAXED(&D(self)->state) != state)
            return err_set(&exc_RuntimeError, "deque mutated during iteration");
        if (i < 0)
            return v_from_int(n);
    }
}
static Value m_index(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = (intptr_t)len_of(self), lo = 0, hi = n;
    if (nargs > 1 && args[1] != ABSENT && slice_bound(args[1], &lo) < 0)
        return ABSENT;
    if (nargs > 2 && args[2] != ABSENT && slice_bound(args[2], &hi) < 0)
        return ABSENT;
    if (lo < 0)
        lo = MAX(lo + n, 0);
    if (hi < 0)
        hi = MAX(hi + n, 0);
    intptr_t i = find(self, args[0], lo, MIN(hi, n));
    if (i == -1)
        return err_set(&exc_ValueError, "%R is not in deque", args[0]);
    return i < 0 ? ABSENT : v_from_int(i);
}
static Value m_remove(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t n = len_of(self);
    uint64_t state = LOAD_RELAXED(&D(self)->state);
    for (size_t i = 0; i < n; i++) {
        bool changed;
        Value v = get_same(self, i, state, &changed);
        int r = v == ABSENT ? 0 : obj_eq(v, args[0]);
        release(v);
        if (r < 0)
            return ABSENT;
        ExclCs cs;
        excl_cs_begin(&cs, self);
        changed |= LOAD_RELAXED(&D(self)->state) != state;
        Value old = !changed && r ? take_at(self, i) : ABSENT;
        excl_cs_end(&cs);
        if (changed)
            return err_set(&exc_IndexError, "deque mutated during remove().");
        if (r) {
            release(old);
            return V_NONE;
        }
    }
    return err_set(&exc_ValueError, "%R is not in deque", args[0]);
}

static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!is_deque(args[0])) {
        if (seq_defers(args[0], SP_RADD))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can only concatenate deque (not \"%T\") to deque", args[0]);
    }
    Value d = m_copy(self, NULL, 0, ABSENT);
    if (d == ABSENT || extend(d, args[0], false) == 0)
        return d;
    release(d);
    return ABSENT;
}
static Value m_iadd(Value self, Value *args, intptr_t nargs, Value kw) {
    return extend(self, args[0], false) < 0 ? ABSENT : retained(self);
}
static int repeat(Value d, intptr_t n) {
    if (n <= 0) {
        clear_items(d);
        return 0;
    }
    Value items = snapshot(d);
    if (items == ABSENT)
        return -1;
    int r = 0;
    intptr_t total, len = tuple_len(items);
    if (D(d)->maxlen < 0 && (__builtin_mul_overflow(len, n, &total) || total > INTPTR_MAX / 16)) {
        err_no_memory();
        r = -1;
    }
    if (D(d)->maxlen >= 0 && len)
        n = MIN(n, D(d)->maxlen / len + 2);
    for (intptr_t i = 1; r == 0 && len && i < n; i++)
        r = extend(d, items, false);
    release(items);
    return r;
}
static int count_arg(Value v, intptr_t *n) {
    if (v_is_index(v))
        return num_as_index(v, n, &exc_OverflowError);
    if (seq_defers(v, SP_RMUL))
        return 1;
    err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", v);
    return -1;
}
static Value m_mul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    int r = count_arg(args[0], &n);
    if (r)
        return r < 0 ? ABSENT : V_NOTIMPL;
    Value d = m_copy(self, NULL, 0, ABSENT);
    if (d == ABSENT || repeat(d, n) == 0)
        return d;
    release(d);
    return ABSENT;
}
static Value m_imul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    int r = count_arg(args[0], &n);
    if (r)
        return r < 0 ? ABSENT : V_NOTIMPL;
    return repeat(self, n) < 0 ? ABSENT : retained(self);
}

static Value compare(Value a, Value b, int op) {
    if (!is_deque(b))
        return V_NOTIMPL;
    if ((op == CMP_EQ || op == CMP_NE) && len_of(a) != len_of(b))
        return v_bool(op == CMP_NE);
    Value x = snapshot(a), y = x == ABSENT ? ABSENT : snapshot(b), r = y == ABSENT ? ABSENT : obj_compare(x, y, op);
    release(x);
    release(y);
    return r;
}
COMPARE_NATIVES(deque, compare)

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_from_c("[...]");
    Value l = seq_to_list(self), s = ABSENT, name = obj_getattr_str(V_OF(type_of(self)), "__name__");
    if (l != ABSENT && name != ABSENT)
        s = D(self)->maxlen < 0 ? str_format_c("%S(%R)", name, l)
                                : str_format_c("%S(%R, maxlen=%zd)", name, l, (ssize_t)D(self)->maxlen);
    release(l);
    release(name);
    repr_leave(self);
    return s;
}
static Value m_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value state = obj_call_method_str(self, "__getstate__", NULL, 0), it = ABSENT, a = ABSENT, r = ABSENT;
    if (state == ABSENT)
        return ABSENT;
    Value empty = tuple_empty();
    a = D(self)->maxlen < 0 ? retained(empty) : tuple_pack(2, empty, v_from_int(D(self)->maxlen));
    release(empty);
    if (a != ABSENT && (it = obj_iter(self)) != ABSENT)
        r = tuple_pack(4, V_OF(type_of(self)), a, state, it);
    release(state);
    release(it);
    release(a);
    return r;
}
static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int((int64_t)(sizeof(Deque) + D(self)->capacity * sizeof(Ref)));
}
static Value get_maxlen(Value self) {
    return D(self)->maxlen < 0 ? V_NONE : v_from_int(D(self)->maxlen);
}

static void traverse(Value self, VisitFn visit, void *arg) {
    for (size_t i = 0; i < D(self)->capacity; i++)
        visit(ref_peek(&D(self)->ring[i]), arg);
}
static void clear(Value self) {
    for (size_t i = 0; i < D(self)->capacity; i++)
        ref_clear(self, &D(self)->ring[i]);
    set_len(self, 0);
}
static void fini(Value self) {
    block_free(D(self)->ring);
}
static const TypeOps ops = {traverse, clear, fini};

static const NativeDef methods[] = {
    {"__new__", m_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__", m_init, "($self, iterable=(), maxlen=None)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__iter__", m_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__len__", m_len, "($self, /)", 0, "Return len(self)."},
    {"__getitem__", m_getitem, "($self, key, /)", 0, "Return self[key]."},
    {"__setitem__", m_setitem, "($self, key, value, /)", 0, "Set self[key] to value."},
    {"__delitem__", m_delitem, "($self, key, /)", 0, "Delete self[key]."},
    {"__contains__", m_contains, "($self, key, /)", 0, "Return key in self."},
    {"__add__", m_add, "($self, value, /)", 0, "Return self+value."},
    {"__mul__", m_mul, "($self, value, /)", 0, "Return self*value."},
    {"__rmul__", m_mul, "($self, value, /)", 0, "Return value*self."},
    {"__iadd__", m_iadd, "($self, value, /)", 0, "Implement self+=value."},
    {"__imul__", m_imul, "($self, value, /)", 0, "Implement self*=value."},
    COMPARE_DEFS(deque),
    {"__reversed__", m_reversed, "($self, /)", 0, "D.__reversed__() -- return a reverse iterator over the deque"},
    {"__reduce__", m_reduce, "($self, /)", 0, "Return state information for pickling."},
    {"__copy__", m_copy, "($self, /)", 0, "Return a shallow copy of a deque."},
    {"__sizeof__", m_sizeof, "($self, /)", 0, "D.__sizeof__() -- size of D in memory, in bytes"},
    {"append", m_append, "($self, item, /)", 0, "Add an element to the right side of the deque."},
    {"appendleft", m_appendleft, "($self, item, /)", 0, "Add an element to the left side of the deque."},
    {"clear", m_clear, "($self, /)", 0, "Remove all elements from the deque."},
    {"copy", m_copy, "($self, /)", 0, "Return a shallow copy of a deque."},
    {"count", m_count, "($self, value, /)", 0, "D.count(value) -- return number of occurrences of value"},
    {"extend", m_extend, "($self, iterable, /)", 0,
     "Extend the right side of the deque with elements from the iterable"},
    {"extendleft", m_extendleft, "($self, iterable, /)", 0,
     "Extend the left side of the deque with elements from the iterable"},
    {"index", m_index, "($self, value, start=0, stop=sys.maxsize, /)", 0,
     "D.index(value, [start, [stop]]) -- return first index of value.\nRaises ValueError if the value is not present."},
    {"insert", m_insert, "($self, index, object, /)", 0, "D.insert(index, object) -- insert object before index"},
    {"pop", m_pop, "($self, /)", 0, "Remove and return the rightmost element."},
    {"popleft", m_popleft, "($self, /)", 0, "Remove and return the leftmost element."},
    {"remove", m_remove, "($self, value, /)", 0, "D.remove(value) -- remove first occurrence of value."},
    {"reverse", m_reverse, "($self, /)", 0, "D.reverse() -- reverse *IN PLACE*"},
    {"rotate", m_rotate, "($self, n=1, /)", 0,
     "Rotate the deque n steps to the right (default n=1).  If n is negative, rotates left."},
    CLASS_GETITEM_DEF,
    {NULL},
};
static const GetSetDef getsets[] = {{"maxlen", get_maxlen, NULL, "maximum size of a deque or None if unbounded"},
                                    {NULL}};

int collections_deque_exec(Value module) {
    static const TypeSpec deque = {.name = "collections.deque",
                                   .doc = "deque([iterable[, maxlen]]) --> deque object\n\nA list-like sequence "
                                          "optimized for data accesses near its endpoints.",
                                   .basic_size = sizeof(Deque),
                                   .flags = TF_BASETYPE | TF_IMMUTABLE | TF_SEQUENCE | TF_WEAKREF,
                                   .ops = &ops,
                                   .methods = methods,
                                   .getsets = getsets};
    static const TypeSpec iter = {.name = "_collections._deque_iterator",
                                  .basic_size = sizeof(DequeIter),
                                  .flags = TF_IMMUTABLE,
                                  .ops = &iter_ops,
                                  .methods = iter_methods};
    static const TypeSpec rev_iter = {.name = "_collections._deque_reverse_iterator",
                                      .basic_size = sizeof(DequeIter),
                                      .flags = TF_IMMUTABLE,
                                      .ops = &iter_ops,
                                      .methods = rev_iter_methods};
    type_init_module_type(&deque_type, &deque);
    type_init_module_type(&iter_type, &iter);
    type_init_module_type(&rev_iter_type, &rev_iter);
    iter_register(&iter_type, iter_next);
    iter_register(&rev_iter_type, rev_iter_next);
    if (module_add_type(module, &deque_type) < 0 || module_add_type(module, &iter_type) < 0)
        return -1;
    return module_add_type(module, &rev_iter_type);
}

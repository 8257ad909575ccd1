/* itertools: product, permutations, combinations, combinations_with_replacement. Each step is pure C on an array of
 * indices into immutable pools, so it runs in one section and is atomic. */
#include "modules/itertools.h"

typedef struct Combo {
    Object hdr;
    Ref pools; /* product: tuple of tuples; else: one tuple */
    _Atomic(int64_t) state;
    intptr_t n, r;     /* pools (product) or items in the pool; length of results */
    intptr_t *indices; /* block: r of them, permutations n indices and r cycles */
} Combo;
enum { FRESH, RUNNING, STOPPED };
static Combo *C(Value v) {
    return (Combo *)v;
}
static Type product_type, permutations_type, combinations_type, cwr_type;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&C(self)->pools), arg);
}
static void clear(Value self) {
    STORE_RELAXED(&C(self)->state, STOPPED);
    ref_clear(self, &C(self)->pools);
}
static void fini(Value self) {
    block_free(C(self)->indices);
}
static const TypeOps ops = {traverse, clear, fini};

/* Steals pools. */
static Value make(Value cls, Value pools, intptr_t n, intptr_t r, intptr_t n_indices, bool stopped) {
    Value it = pools == ABSENT ? ABSENT : obj_new((Type *)cls);
    if (it == ABSENT) {
        release(pools);
        return ABSENT;
    }
    ref_init(&C(it)->pools, pools);
    C(it)->n = n;
    C(it)->r = r;
    STORE_RELAXED(&C(it)->state, stopped ? STOPPED : FRESH);
    if ((size_t)n_indices > SIZE_MAX / 16) {
        release(it);
        return err_no_memory();
    }
    C(it)->indices = block_alloc((size_t)MAX(n_indices, 1) * sizeof(intptr_t));
    if (!C(it)->indices) {
        release(it);
        return ABSENT;
    }
    memset(C(it)->indices, 0, (size_t)MAX(n_indices, 1) * sizeof(intptr_t));
    trace_track(v_obj(it));
    return it;
}

/* Runs step under the section; pick(i) is item i of the result. */
typedef bool (*StepFn)(Combo *c);
static Value advance(Value it, StepFn step) {
    ExclCs cs;
    Combo *c = C(it);
    Value t = ABSENT;
    excl_cs_begin(&cs, it);
    int64_t state = LOAD_RELAXED(&c->state);
    if (state == RUNNING && !step(c))
        STORE_RELAXED(&c->state, state = STOPPED);
    if (state != STOPPED) {
        STORE_RELAXED(&c->state, RUNNING);
        Value pools = ref_peek(&c->pools);
        bool many = type_of(it)->ops == &ops && type_is_subtype(type_of(it), &product_type);
        t = tuple_new(c->r);
        for (intptr_t i = 0; t != ABSENT && i < c->r; i++) {
            Value pool = many ? tuple_get(pools, i) : pools;
            tuple_init_item(t, i, retained(tuple_get(pool, c->indices[i])));
        }
        if (t != ABSENT && c->r)
            tuple_track(t);
    }
    excl_cs_end(&cs);
    return t;
}

static Value int_tuple(const intptr_t *v, intptr_t n) {
    Value t = tuple_new(n);
    for (intptr_t i = 0; t != ABSENT && i < n; i++)
        tuple_init_item(t, i, int_from_i64(v[i]));
    return t;
}
/* (type, args) when fresh, (type, stopped args) when stopped, (type, args, indices) while running. Steals args; the
 * pool is replaced. */
static Value reduce(Value self, Value args, Value stopped_args) {
    Value state = ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    int64_t s = LOAD_RELAXED(&C(self)->state);
    if (s == RUNNING)
        state = int_tuple(C(self)->indices, C(self)->r);
    excl_cs_end(&cs);
    release(s == STOPPED ? args : stopped_args);
    return it_reduce(self, s == STOPPED ? stopped_args : args, state);
}
/* Indices from a tuple of r ints, each clipped to [low, high(i)]. */
static int load_indices(Value state, intptr_t *out, intptr_t n) {
    for (intptr_t i = 0; i < n; i++)
        if (num_as_index(tuple_get(state, i), &out[i], &exc_OverflowError) < 0)
            return -1;
    return 0;
}
static Value pack1(Value a) {
    return a == ABSENT ? ABSENT : tuple_from_steal(&a, 1);
}

/* ---- product ---- */

static Value product_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    intptr_t repeat = 1;
    for (intptr_t i = 0, n = kw == ABSENT ? 0 : tuple_len(kw); i < n; i++) {
        if (!str_equal_c(tuple_get(kw, i), "repeat"))
            return err_set(&exc_TypeError, "'%S' is an invalid keyword argument for product()", tuple_get(kw, i));
        if (num_as_index(args[nargs + i], &repeat, &exc_OverflowError) < 0)
            return ABSENT;
        if (repeat < 0)
            return err_set(&exc_ValueError, "repeat argument cannot be negative");
    }
    intptr_t n;
    if (__builtin_mul_overflow(repeat ? nargs : 0, repeat, &n) || n > INTPTR_MAX / 16)
        return err_set(&exc_OverflowError, "repeat argument too large");
    Value pools = tuple_new(n);
    if (pools == ABSENT)
        return ABSENT;
    bool empty = false;
    for (intptr_t i = 0; i < nargs && n; i++) {
        Value t = seq_to_tuple(args[i]);
        if (t == ABSENT) {
            release(pools);
            return ABSENT;
        }
        empty |= tuple_len(t) == 0;
        for (intptr_t k = 0; k < repeat; k++)
            tuple_init_item(pools, k * nargs + i, retained(t));
        release(t);
    }
    if (n)
        tuple_track(pools);
    return make(cls, pools, n, n, n, empty);
}
static bool product_step(Combo *c) {
    Value pools = ref_peek(&c->pools);
    for (intptr_t i = c->n - 1; i >= 0; i--) {
        if (++c->indices[i] < tuple_len(tuple_get(pools, i)))
            return true;
        c->indices[i] = 0;
    }
    return false;
}
static Value product_next(Value it) {
    return advance(it, product_step);
}
IT_NEXT(product_next)
static Value product_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return reduce(self, retained(ref_peek(&C(self)->pools)), pack1(tuple_empty()));
}
static Value product_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Combo *c = C(self);
    Value s = args[0];
    if (!v_is_tuple(s) || tuple_len(s) != c->n)
        return err_set(&exc_ValueError, "invalid arguments");
    intptr_t *fresh = block_alloc((size_t)MAX(c->n, 1) * sizeof(intptr_t));
    if (!fresh)
        return ABSENT;
    if (load_indices(s, fresh, c->n) < 0) {
        block_free(fresh);
        return ABSENT;
    }
    ExclCs cs;
    excl_cs_begin(&cs, self);
    bool empty = false;
    for (intptr_t i = 0; i < c->n; i++) {
        intptr_t size = tuple_len(tuple_get(ref_peek(&c->pools), i));
        empty |= size == 0;
        c->indices[i] = MAX(0, MIN(fresh[i], size - 1));
    }
    STORE_RELAXED(&c->state, empty ? STOPPED : RUNNING);
    excl_cs_end(&cs);
    block_free(fresh);
    return V_NONE;
}
static const NativeDef product_methods[] = {{"__new__", product_new, "($type, /, *args, **kwargs)", 0, NEW_DOC},
                                            IT_COMMON(product_next),
                                            REDUCE_DEF(product_reduce),
                                            SETSTATE_DEF(product_setstate),
                                            {NULL}};

/* ---- the three over one pool ---- */

static Value reduce_one(Value self, Value *args, intptr_t nargs, Value kw) {
    Value r = v_from_int(C(self)->r), empty = tuple_empty();
    Value full = tuple_pack(2, ref_peek(&C(self)->pools), r), stopped = tuple_pack(2, empty, r);
    release(empty);
    return reduce(self, full, stopped);
}
static int r_argument(Value v, intptr_t *r) {
    if (num_as_index(v, r, &exc_OverflowError) < 0)
        return -1;
    if (*r >= 0)
        return 0;
    err_set(&exc_ValueError, "r must be non-negative");
    return -1;
}

static bool combinations_step(Combo *c) {
    intptr_t i = c->r - 1;
    while (i >= 0 && c->indices[i] == i + c->n - c->r)
        i--;
    if (i < 0)
        return false;
    c->indices[i]++;
    while (++i < c->r)
        c->indices[i] = c->indices[i - 1] + 1;
    return true;
}
static Value combinations_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    intptr_t r;
    if (r_argument(args[1], &r) < 0)
        return ABSENT;
    Value pool = seq_to_tuple(args[0]);
    if (pool == ABSENT)
        return ABSENT;
    intptr_t n = tuple_len(pool);
    Value it = make(cls, pool, n, r, r > n ? 0 : r, r > n);
    for (intptr_t i = 0; it != ABSENT && r <= n && i < r; i++)
        C(it)->indices[i] = i;
    return it;
}
static Value combinations_next(Value it) {
    return advance(it, combinations_step);
}
IT_NEXT(combinations_next)

static bool cwr_step(Combo *c) {
    intptr_t i = c->r - 1;
    while (i >= 0 && c->indices[i] == c->n - 1)
        i--;
    if (i < 0)
        return false;
    for (intptr_t next = c->indices[i] + 1; i < c->r; i++)
        c->indices[i] = next;
    return true;
}
static Value cwr_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    intptr_t r;
    if (r_argument(args[1], &r) < 0)
        return ABSENT;
    Value pool = seq_to_tuple(args[0]);
    if (pool == ABSENT)
        return ABSENT;
    intptr_t n = tuple_len(pool);
    return make(cls, pool, n, r, r, n == 0 && r > 0);
}
static Value cwr_next(Value it) {
    return advance(it, cwr_step);
}
IT_NEXT(cwr_next)

/* State of a running combination: r indices, each in range. */
static Value set_indices(Value self, Value s, bool rising) {
    Combo *c = C(self);
    if (!v_is_tuple(s) || tuple_len(s) != c->r)
        return err_set(&exc_ValueError, "invalid arguments");
    if (LOAD_RELAXED(&c->state) == STOPPED)
        return V_NONE;
    intptr_t *fresh = block_alloc((size_t)MAX(c->r, 1) * sizeof(intptr_t));
    if (!fresh)
        return ABSENT;
    if (load_indices(s, fresh, c->r) < 0) {
        block_free(fresh);
        return ABSENT;
    }
    ExclCs cs;
    excl_cs_begin(&cs, self);
    for (intptr_t i = 0; i < c->r; i++)
        c->indices[i] = MAX(0, MIN(fresh[i], rising ? i + c->n - c->r : c->n - 1));
    STORE_RELAXED(&c->state, RUNNING);
    excl_cs_end(&cs);
    block_free(fresh);
    return V_NONE;
}
static Value combinations_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    return set_indices(self, args[0], true);
}
static Value cwr_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    return set_indices(self, args[0], false);
}

/* indices[0..n) a permutation of the pool, then r cycle counters */
static bool permutations_step(Combo *c) {
    intptr_t *indices = c->indices, *cycles = c->indices + c->n, n = c->n;
    for (intptr_t i = c->r - 1; i >= 0; i--) {
        if (--cycles[i] == 0) {
            intptr_t first = indices[i];
            memmove(indices + i, indices + i + 1, (size_t)(n - 1 - i) * sizeof(intptr_t));
            indices[n - 1] = first;
            cycles[i] = n - i;
        } else {
            intptr_t j = n - cycles[i], t = indices[i];
            indices[i] = indices[j];
            indices[j] = t;
            return true;
        }
    }
    return false;
}
static Value permutations_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value pool = seq_to_tuple(args[0]), given = arg_at(args, nargs, 1);
    if (pool == ABSENT)
        return ABSENT;
    intptr_t n = tuple_len(pool), r = n;
    if (given != ABSENT && !v_is_none(given)) {
        if (!v_is_integer(given))
            err_set(&exc_TypeError, "Expected int as r");
        if (!v_is_integer(given) || r_argument(given, &r) < 0) {
            release(pool);
            return ABSENT;
        }
    }
    Value it = make(cls, pool, n, r, r > n ? 0 : n + r, r > n);
    if (it != ABSENT && r <= n) {
        for (intptr_t i = 0; i < n; i++)
            C(it)->indices[i] = i;
        for (intptr_t i = 0; i < r; i++)
            C(it)->indices[n + i] = n - i;
    }
    return it;
}
static Value permutations_next(Value it) {
    return advance(it, permutations_step);
}
IT_NEXT(permutations_next)
static Value permutations_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Combo *c = C(self);
    Value r = v_from_int(c->r), a = ABSENT, state = ABSENT;
    int64_t s = LOAD_RELAXED(&c->state);
    if (s == STOPPED) {
        Value empty = tuple_empty();
        a = tuple_pack(2, empty, r);
        release(empty);
    } else {
        a = tuple_pack(2, ref_peek(&c->pools), r);
    }
    if (s == RUNNING) {
        ExclCs cs;
        excl_cs_begin(&cs, self);
        Value v[2] = {int_tuple(c->indices, c->n), int_tuple(c->indices + c->n, c->r)};
        excl_cs_end(&cs);
        if (v[0] != ABSENT && v[1] != ABSENT)
            state = tuple_from_steal(v, 2);
    }
    return it_reduce(self, a, state);
}
static Value permutations_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Combo *c = C(self);
    Value s = args[0], a, b;
    if (!v_is_tuple(s) || tuple_len(s) != 2 || !v_is_tuple(a = tuple_get(s, 0)) || !v_is_tuple(b = tuple_get(s, 1)))
        return err_set(&exc_TypeError, "invalid state");
    if (tuple_len(a) != c->n || tuple_len(b) != c->r)
        return err_set(&exc_ValueError, "invalid arguments");
    if (LOAD_RELAXED(&c->state) == STOPPED)
        return V_NONE;
    intptr_t *fresh = block_alloc((size_t)MAX(c->n + c->r, 1) * sizeof(intptr_t));
    if (!fresh)
        return ABSENT;
    if (load_indices(a, fresh, c->n) < 0 || load_indices(b, fresh + c->n, c->r) < 0) {
        block_free(fresh);
        return ABSENT;
    }
    ExclCs cs;
    excl_cs_begin(&cs, self);
    for (intptr_t i = 0; i < c->n; i++)
        c->indices[i] = MAX(0, MIN(fresh[i], c->n - 1));
    for (intptr_t i = 0; i < c->r; i++)
        c->indices[c->n + i] = MAX(1, MIN(fresh[c->n + i], c->n - i));
    STORE_RELAXED(&c->state, RUNNING);
    excl_cs_end(&cs);
    block_free(fresh);
    return V_NONE;
}

#define ONE_POOL_METHODS(kind, sig, reduce_fn)                                                   \
    {                                                                                            \
        {"__new__", kind##_new, sig, 0, NEW_DOC}, IT_COMMON(kind##_next), REDUCE_DEF(reduce_fn), \
            SETSTATE_DEF(kind##_setstate), {                                                     \
            NULL                                                                                 \
        }                                                                                        \
    }
static const NativeDef combinations_methods[] = ONE_POOL_METHODS(combinations, "($type, iterable, r)", reduce_one);
static const NativeDef cwr_methods[] = ONE_POOL_METHODS(cwr, "($type, iterable, r)", reduce_one);
static const NativeDef permutations_methods[] =
    ONE_POOL_METHODS(permutations, "($type, iterable, r=None)", permutations_reduce);

int itertools_combine_exec(Value module) {
    static const ItSpec specs[] = {
        {&product_type, "itertools.product",
         "product(*iterables, repeat=1) --> product object\n\nCartesian product of input iterables.  Equivalent to "
         "nested for-loops.",
         product_methods, product_next, sizeof(Combo), &ops},
        {&permutations_type, "itertools.permutations",
         "Return successive r-length permutations of elements in the iterable.\n\npermutations(range(3), 2) --> (0,1), "
         "(0,2), (1,0), (1,2), (2,0), "
         "(2,1)",
         permutations_methods, permutations_next, sizeof(Combo), &ops},
        {&combinations_type, "itertools.combinations",
         "Return successive r-length combinations of elements in the iterable.\n\ncombinations(range(4), 3) --> "
         "(0,1,2), (0,1,3), (0,2,3), (1,2,3)",
         combinations_methods, combinations_next, sizeof(Combo), &ops},
        {&cwr_type, "itertools.combinations_with_replacement",
         "Return successive r-length combinations of elements in the iterable allowing individual elements to have "
         "successive repeats.",
         cwr_methods, cwr_next, sizeof(Combo), &ops},
    };
    static TypeSpec storage[ARRAY_LEN(specs)];
    for (size_t i = 0; i < ARRAY_LEN(specs); i++)
        if (it_add_type(module, &specs[i], &storage[i]) < 0)
            return -1;
    return 0;
}

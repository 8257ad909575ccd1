/* _random: the Mersenne Twister MT19937 (source: Matsumoto, Nishimura, "Mersenne Twister", ACM TOMACS 1998). One leaf
 * section guards the state: no two threads ever get the same number of the sequence. */
#include <sys/random.h>

#include "object/float.h"
#include "object/int_view.h"
#include "object/module.h"
#include "object/native.h"
#include "object/tuple.h"

enum { N = 624, M = 397 };

typedef struct Random {
    Object hdr;
    uint32_t mt[N];
    int32_t index;
} Random;

static Type random_type;

static void init_genrand(Random *r, uint32_t s) {
    r->mt[0] = s;
    for (uint32_t i = 1; i < N; i++)
        r->mt[i] = 1812433253u * (r->mt[i - 1] ^ (r->mt[i - 1] >> 30)) + i;
    r->index = N;
}
static void init_by_array(Random *r, const uint32_t *key, size_t n) {
    init_genrand(r, 19650218u);
    uint32_t *mt = r->mt;
    size_t i = 1, j = 0;
    for (size_t k = n > N ? n : N; k; k--) {
        mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1664525u)) + key[j] + (uint32_t)j;
        if (++i >= N) {
            mt[0] = mt[N - 1];
            i = 1;
        }
        if (++j >= n)
            j = 0;
    }
    for (size_t k = N - 1; k; k--) {
        mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1566083941u)) - (uint32_t)i;
        if (++i >= N) {
            mt[0] = mt[N - 1];
            i = 1;
        }
    }
    mt[0] = 0x80000000u;
}
static uint32_t genrand(Random *r) {
    uint32_t *mt = r->mt;
    if (r->index >= N) {
        for (int k = 0; k < N; k++) {
            uint32_t y = (mt[k] & 0x80000000u) | (mt[(k + 1) % N] & 0x7fffffffu);
            mt[k] = mt[(k + M) % N] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        r->index = 0;
    }
    uint32_t y = mt[r->index++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static Value random_random(Value self, Value *args, intptr_t nargs, Value kw) {
    excl_leaf_lock(self);
    uint32_t a = genrand((Random *)self) >> 5, b = genrand((Random *)self) >> 6;
    excl_leaf_unlock(self);
    return float_new((a * 67108864.0 + b) * (1.0 / 9007199254740992.0));
}

static int seed(Value self, Value v) {
    if (v == ABSENT || v == V_NONE) {
        uint32_t key[N];
        for (size_t done = 0; done < sizeof key;) {
            ssize_t n = getrandom((char *)key + done, sizeof key - done, 0);
            if (n > 0)
                done += (size_t)n;
        }
        excl_leaf_lock(self);
        init_by_array((Random *)self, key, N);
        excl_leaf_unlock(self);
        return 0;
    }
    Value n = ABSENT;
    if (v_is_integer(v)) {
        n = int_sign(v) < 0 ? int_neg(v) : retained(int_plain(v));
    } else {
        int64_t h = obj_hash(v);
        if (h == -1 && err_pending())
            return -1;
        n = int_from_u64((uint64_t)h);
    }
    if (n == ABSENT)
        return -1;
    IntView a;
    int_view(n, &a);
    size_t words = int_bit_length(n) == 0 ? 1 : (int_bit_length(n) + 31) / 32;
    uint32_t *key = calloc(words, sizeof *key);
    if (!key) {
        release(n);
        err_no_memory();
        return -1;
    }
    for (size_t i = 0; i < words && (mp_size_t)(i / 2) < a.n; i++)
        key[i] = (uint32_t)(a.p[i / 2] >> (i % 2 * 32));
    excl_leaf_lock(self);
    init_by_array((Random *)self, key, words);
    excl_leaf_unlock(self);
    free(key);
    release(n);
    return 0;
}
static Value random_seed(Value self, Value *args, intptr_t nargs, Value kw) {
    return seed(self, arg_at(args, nargs, 0)) < 0 ? ABSENT : V_NONE;
}
static Value random_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        trace_track(v_obj(self));
        if (seed(self, arg_at(args, nargs, 0)) < 0) {
            release(self);
            return ABSENT;
        }
    }
    return self;
}

static Value random_getrandbits(Value self, Value *args, intptr_t nargs, Value kw) {
    int k;
    if (num_as_int(args[0], &k) < 0)
        return ABSENT;
    if (k < 0)
        return err_set(&exc_ValueError, "number of bits must be non-negative");
    if (k == 0)
        return v_from_int(0);
    if (k <= 32) {
        excl_leaf_lock(self);
        uint32_t y = genrand((Random *)self) >> (32 - k);
        excl_leaf_unlock(self);
        return v_from_int(y);
    }
    size_t words = (size_t)(k - 1) / 32 + 1;
    uint32_t *w = calloc(words, sizeof *w);
    if (!w)
        return err_no_memory();
    excl_leaf_lock(self);
    for (size_t i = 0; i < words; i++, k -= 32) {
        w[i] = genrand((Random *)self);
        if (k < 32)
            w[i] >>= 32 - k;
    }
    excl_leaf_unlock(self);
    Value v = int_from_bytes((unsigned char *)w, words * 4, true, false);
    free(w);
    return v;
}
static Value random_getstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Random copy;
    excl_leaf_lock(self);
    memcpy(copy.mt, ((Random *)self)->mt, sizeof copy.mt);
    copy.index = ((Random *)self)->index;
    excl_leaf_unlock(self);
    Value t = tuple_new(N + 1);
    if (t == ABSENT)
        return ABSENT;
    for (int i = 0; i < N; i++)
        tuple_init_item(t, i, v_from_int(copy.mt[i]));
    tuple_init_item(t, N, v_from_int(copy.index));
    return t;
}
static Value random_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_tuple(args[0]))
        return err_set(&exc_TypeError, "state vector must be a tuple");
    if (tuple_len(args[0]) != N + 1)
        return err_set(&exc_ValueError, "state vector is the wrong size");
    uint32_t mt[N];
    int64_t v;
    for (int i = 0; i < N; i++) {
        if (num_as_i64(tuple_get(args[0], i), &v) < 0)
            return ABSENT;
        mt[i] = (uint32_t)v;
    }
    if (num_as_i64(tuple_get(args[0], N), &v) < 0)
        return ABSENT;
    if (v < 0 || v > N)
        return err_set(&exc_ValueError, "invalid state");
    excl_leaf_lock(self);
    memcpy(((Random *)self)->mt, mt, sizeof mt);
    ((Random *)self)->index = (int32_t)v;
    excl_leaf_unlock(self);
    return V_NONE;
}

static const NativeDef methods[] = {
    {"__new__", random_new, "($type, *args, **kwargs)", NF_STATIC},
    {"random", random_random, "($self, /)"},
    {"seed", random_seed, "($self, n=None, /)"},
    {"getrandbits", random_getrandbits, "($self, k, /)"},
    {"getstate", random_getstate, "($self, /)"},
    {"setstate", random_setstate, "($self, state, /)"},
    {NULL},
};
static int fill(Value m) {
    static const TypeSpec spec = {.name = "_random.Random",
                                  .doc = "Random() -> create a random number generator with its own internal state.",
                                  .basic_size = sizeof(Random),
                                  .flags = TF_BASETYPE | TF_UNTRACKED,
                                  .methods = methods};
    type_init_module_type(&random_type, &spec);
    return module_add_type(m, &random_type);
}
const ModuleSpec module__random = {
    .name = "_random", .doc = "Module implements the Mersenne Twister random number generator.", .exec = fill};

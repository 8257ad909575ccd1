#include "math_exact.h"

#include <math.h>

#include "object/float.h"
#include "object/int_view.h"
#include "object/tuple.h"

/* ---- sums ---- */

/* Non-overlapping partial sums whose exact sum is that of the numbers seen (source: Shewchuk, "Adaptive Precision
 * Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997). */
typedef struct Partials {
    double *p, stack[32];
    size_t n, cap;
    double special, infinite; /* sums of what is not finite */
} Partials;

static int partials_add(Partials *s, double x) {
    double original = x;
    size_t k = 0;
    for (size_t i = 0; i < s->n; i++) {
        double y = s->p[i];
        if (fabs(x) < fabs(y)) {
            double t = x;
            x = y;
            y = t;
        }
        double hi = x + y, lo = y - (hi - x);
        if (lo != 0)
            s->p[k++] = lo;
        x = hi;
    }
    s->n = k;
    if (x == 0)
        return 0;
    if (!isfinite(x)) {
        if (isfinite(original)) {
            err_set(&exc_OverflowError, "intermediate overflow in fsum");
            return -1;
        }
        if (isinf(original))
            s->infinite += original;
        s->special += original;
        s->n = 0;
        return 0;
    }
    if (s->n == s->cap) {
        double *q = malloc(s->cap * 2 * sizeof *q);
        if (!q) {
            err_no_memory();
            return -1;
        }
        memcpy(q, s->p, s->n * sizeof *q);
        if (s->p != s->stack)
            free(s->p);
        s->p = q;
        s->cap *= 2;
    }
    s->p[s->n++] = x;
    return 0;
}

static Value partials_sum(Partials *s) {
    if (s->special != 0)
        return isnan(s->infinite) ? err_set(&exc_ValueError, "-inf + inf in fsum") : float_new(s->special);
    if (s->n == 0)
        return FLOAT_ZERO;
    double hi = s->p[--s->n], lo = 0;
    while (s->n > 0) {
        double x = hi, y = s->p[--s->n];
        hi = x + y;
        lo = y - (hi - x);
        if (lo != 0)
            break;
    }
    /* Half an ulp left: the sign of the next partial decides. */
    if (s->n > 0 && ((lo < 0 && s->p[s->n - 1] < 0) || (lo > 0 && s->p[s->n - 1] > 0))) {
        double y = lo * 2, x = hi + y;
        if (y == x - hi)
            hi = x;
    }
    return float_new(hi);
}

Value math_fsum(Value self, Value *args, intptr_t nargs, Value kw) {
    Value it = obj_iter(args[0]), item, result = ABSENT;
    if (it == ABSENT)
        return ABSENT;
    Partials s = {.cap = 32};
    s.p = s.stack;
    while ((item = obj_next(it)) != ABSENT) {
        double x;
        int bad = num_as_double(item, &x);
        release(item);
        if (bad < 0 || partials_add(&s, x) < 0)
            break;
    }
    if (!err_pending())
        result = partials_sum(&s);
    if (s.p != s.stack)
        free(s.p);
    release(it);
    return result;
}

Value math_prod(Value self, Value *args, intptr_t nargs, Value kw) {
    Value it = obj_iter(args[0]), item;
    if (it == ABSENT)
        return ABSENT;
    Value acc = arg_at(args, nargs, 1) == ABSENT ? v_from_int(1) : retained(args[1]);
    while (acc != ABSENT && (item = obj_next(it)) != ABSENT) {
        Value t = num_binary(SP_MUL, acc, item);
        release(acc);
        release(item);
        acc = t;
    }
    release(it);
    if (acc != ABSENT && err_pending()) {
        release(acc);
        return ABSENT;
    }
    return acc;
}

/* sqrt of the sum of squares: scaled by the largest, summed with compensation, corrected by one Newton step. */
static double norm(const double *v, intptr_t n) {
    double max = 0;
    bool nan = false;
    for (intptr_t i = 0; i < n; i++) {
        if (isinf(v[i]))
            return HUGE_VAL;
        nan = nan || isnan(v[i]);
        max = fmax(max, fabs(v[i]));
    }
    if (nan)
        return NAN;
    if (max == 0)
        return 0;
    int e;
    frexp(max, &e);
    double sum = 0, err = 0;
    for (intptr_t i = 0; i < n; i++) {
        double x = ldexp(v[i], -e), sq = x * x, lo = fma(x, x, -sq), t = sum + sq;
        err += (sum >= sq ? (sum - t) + sq : (sq - t) + sum) + lo;
        sum = t;
    }
    double r = sqrt(sum + err);
    r += (fma(-r, r, sum) + err) / (2 * r);
    return ldexp(r, e);
}
static double *doubles(intptr_t n, double *stack, intptr_t room) {
    double *p = n <= room ? stack : malloc((size_t)n * sizeof *p);
    if (!p)
        err_no_memory();
    return p;
}
Value math_hypot(Value self, Value *args, intptr_t nargs, Value kw) {
    double stack[8], *v = doubles(nargs, stack, 8);
    if (!v)
        return ABSENT;
    intptr_t i = 0;
    while (i < nargs && num_as_double(args[i], &v[i]) == 0)
        i++;
    Value r = i < nargs ? ABSENT : float_new(norm(v, nargs));
    if (v != stack)
        free(v);
    return r;
}
Value math_dist(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = seq_to_tuple(args[0]), b = a == ABSENT ? ABSENT : seq_to_tuple(args[1]), r = ABSENT;
    double stack[8], *v = NULL;
    if (b == ABSENT)
        goto done;
    intptr_t n = tuple_len(a);
    if (n != tuple_len(b)) {
        err_set(&exc_ValueError, "both points must have the same number of dimensions");
        goto done;
    }
    if (!(v = doubles(n, stack, 8)))
        goto done;
    for (intptr_t i = 0; i < n; i++) {
        double x, y;
        if (num_as_double(tuple_get(a, i), &x) < 0 || num_as_double(tuple_get(b, i), &y) < 0)
            goto done;
        v[i] = x - y;
    }
    r = float_new(norm(v, n));
done:
    if (v && v != stack)
        free(v);
    release(a);
    release(b);
    return r;
}

/* ---- integers ---- */

typedef void (*MpzOp)(mpz_ptr, mpz_srcptr, mpz_srcptr);
static Value fold(Value *args, intptr_t nargs, int64_t start, MpzOp op) {
    mpz_t acc;
    mpz_init_set_si(acc, start);
    for (intptr_t i = 0; i < nargs; i++) {
        Value v = num_index(args[i]);
        if (v == ABSENT) {
            mpz_clear(acc);
            return ABSENT;
        }
        IntView a;
        int_view(v, &a);
        mpz_t z;
        int_mpz_of(&a, z);
        if (i == 0)
            mpz_abs(acc, z);
        else
            op(acc, acc, z);
        release(v);
    }
    Value r = int_from_mpz(acc);
    mpz_clear(acc);
    return r;
}
Value math_gcd(Value self, Value *args, intptr_t nargs, Value kw) {
    return fold(args, nargs, 0, mpz_gcd);
}
Value math_lcm(Value self, Value *args, intptr_t nargs, Value kw) {
    return fold(args, nargs, 1, mpz_lcm);
}

Value math_isqrt(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = num_index(args[0]);
    if (v == ABSENT)
        return ABSENT;
    if (int_sign(v) < 0) {
        release(v);
        return err_set(&exc_ValueError, "isqrt() argument must be nonnegative");
    }
    IntView a;
    int_view(v, &a);
    mpz_t z, r;
    int_mpz_of(&a, z);
    mpz_init(r);
    mpz_sqrt(r, z);
    Value out = int_from_mpz(r);
    mpz_clear(r);
    release(v);
    return out;
}

Value math_factorial(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n;
    Value v = num_index(args[0]);
    if (v == ABSENT)
        return ABSENT;
    int r = int_to_i64(v, &n), sign = int_sign(v);
    release(v);
    if (sign < 0)
        return err_set(&exc_ValueError, "factorial() not defined for negative values");
    if (r != 0)
        return err_set(&exc_OverflowError, "factorial() argument should not exceed %ld", LONG_MAX);
    if (n > ((int64_t)1 << 32))
        return err_no_memory();
    mpz_t z;
    mpz_init(z);
    if (n > 20000) {
        DETACHED_BEGIN
        mpz_fac_ui(z, (unsigned long)n);
        DETACHED_END
    } else {
        mpz_fac_ui(z, (unsigned long)n);
    }
    Value out = int_from_mpz(z);
    mpz_clear(z);
    return out;
}

/* n and k as non-negative ints: *nv owned. 1; 0: k is larger than n; -1. either: n - k may stand for k. */
static int two_counts(Value n, Value k, Value *nv, uint64_t *kk, bool either) {
    *nv = num_index(n);
    Value kv = *nv == ABSENT ? ABSENT : num_index(k);
    if (kv == ABSENT)
        goto fail;
    if (int_sign(*nv) < 0 || int_sign(kv) < 0) {
        err_set(&exc_ValueError, "%s must be a non-negative integer", int_sign(*nv) < 0 ? "n" : "k");
        goto fail;
    }
    bool larger = int_cmp(kv, *nv) > 0;
    int64_t k64 = 0;
    if (!larger && either) {
        Value other = int_sub(*nv, kv);
        if (other == ABSENT)
            goto fail;
        bool less = int_cmp(other, kv) < 0;
        release(less ? kv : other);
        kv = less ? other : kv;
    }
    if (!larger && int_to_i64(kv, &k64) != 0) {
        err_set(&exc_OverflowError, "%s must not exceed %lld", either ? "min(n - k, k)" : "k", LLONG_MAX);
        goto fail;
    }
    release(kv);
    if (larger)
        release(*nv);
    *kk = (uint64_t)k64;
    return !larger;
fail:
    release(kv);
    release(*nv);
    return -1;
}

Value math_comb(Value self, Value *args, intptr_t nargs, Value kw) {
    Value n, out = ABSENT;
    uint64_t k;
    int r = two_counts(args[0], args[1], &n, &k, true); /* C(n, k) = C(n, n - k) */
    if (r <= 0)
        return r < 0 ? ABSENT : v_from_int(0);
    if (k < UINT32_MAX) {
        IntView a;
        int_view(n, &a);
        mpz_t z, c;
        int_mpz_of(&a, z);
        mpz_init(c);
        mpz_bin_ui(c, z, k);
        out = int_from_mpz(c);
        mpz_clear(c);
    } else {
        err_no_memory();
    }
    release(n);
    return out;
}

Value math_perm(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs < 2 || args[1] == V_NONE)
        return math_factorial(self, args, 1, ABSENT);
    Value n;
    uint64_t k;
    int r = two_counts(args[0], args[1], &n, &k, false);
    if (r <= 0)
        return r < 0 ? ABSENT : v_from_int(0);
    IntView a;
    int_view(n, &a);
    mpz_t z, product, factor;
    int_mpz_of(&a, z);
    mpz_init_set_ui(product, 1);
    mpz_init_set(factor, z);
    int stopped = 0;
    for (uint64_t i = 0; i < k && !stopped; i++) {
        mpz_mul(product, product, factor);
        mpz_sub_ui(factor, factor, 1);
        if ((i & 1023) == 1023)
            stopped = excl_poll();
    }
    Value out = stopped ? ABSENT : int_from_mpz(product);
    mpz_clear(product);
    mpz_clear(factor);
    release(n);
    return out;
}

/* Representation, conversion and arithmetic of int. Hot operations work with mpn on limbs inside the result object; the
 * rare ones use mpz on read-only views. Very large products run detached. */
#include "object/int.h"

#include <errno.h>
#include <math.h>

#include "object/float.h"
#include "object/int_view.h"

/* Above this many limbs in the smaller operand an operation takes long enough (a millisecond) to let other threads run.
 */
#define DETACH_LIMBS 4000
#define MAX_LIMBS ((mp_size_t)1 << 34)

BigInt *int_alloc(mp_size_t n) {
    if (n < 1)
        n = 1;
    if (n > MAX_LIMBS) {
        err_no_memory();
        return NULL;
    }
    return (BigInt *)obj_new_sized(&int_type, (size_t)(n - 1) * sizeof(mp_limb_t));
}

Value int_normal(BigInt *b, mp_size_t n, bool neg) {
    while (n > 0 && b->limbs[n - 1] == 0)
        n--;
    if (n <= 1) {
        uint64_t u = n ? b->limbs[0] : 0;
        if (u <= (uint64_t)INT_IMM_MAX || (neg && u == (uint64_t)INT_IMM_MAX + 1)) {
            release(V_OF(b));
            return v_from_int(neg ? (int64_t)-u : (int64_t)u);
        }
    }
    b->size = neg ? -n : n;
    return V_OF(b);
}

Value int_from_mpz(mpz_srcptr z) {
    mp_size_t n = (mp_size_t)mpz_size(z);
    if (n == 0)
        return v_from_int(0);
    BigInt *b = int_alloc(n);
    if (!b)
        return ABSENT;
    mpn_copyi((mp_limb_t *)b->limbs, mpz_limbs_read(z), n);
    return int_normal(b, n, mpz_sgn(z) < 0);
}

Value int_from_i64_slow(int64_t i) {
    BigInt *b = int_alloc(1);
    if (!b)
        return ABSENT;
    b->limbs[0] = i < 0 ? -(uint64_t)i : (uint64_t)i;
    return int_normal(b, 1, i < 0);
}

Value int_from_u64(uint64_t u) {
    if (u <= (uint64_t)INT_IMM_MAX)
        return v_from_int((int64_t)u);
    BigInt *b = int_alloc(1);
    if (!b)
        return ABSENT;
    b->limbs[0] = u;
    return int_normal(b, 1, false);
}

Value int_from_double(double d) {
    if (isinf(d))
        return err_set(&exc_OverflowError, "cannot convert float infinity to integer");
    if (isnan(d))
        return err_set(&exc_ValueError, "cannot convert float NaN to integer");
    if (d > -4e18 && d < 4e18)
        return int_from_i64((int64_t)d);
    mpz_t z;
    mpz_init_set_d(z, d);
    Value r = int_from_mpz(z);
    mpz_clear(z);
    return r;
}

int int_to_i64(Value v, int64_t *out) {
    v = int_plain(v);
    if (v_is_int(v)) {
        *out = v_int(v);
        return 0;
    }
    BigInt *b = (BigInt *)v;
    if (b->size == 1 && b->limbs[0] <= INT64_MAX) {
        *out = (int64_t)b->limbs[0];
        return 0;
    }
    if (b->size == -1 && b->limbs[0] <= (uint64_t)INT64_MAX + 1) {
        *out = (int64_t)-b->limbs[0];
        return 0;
    }
    return b->size < 0 ? -1 : 1;
}

int int_to_u64_mask(Value v, uint64_t *out) {
    IntView a;
    int_view(v, &a);
    uint64_t u = a.n ? a.p[0] : 0;
    *out = a.neg ? -u : u;
    return 0;
}

double int_round_scaled(uint64_t q, int64_t exp) {
    if (q == 0)
        return 0.0;
    int bits = 64 - __builtin_clzll(q);
    int64_t top = exp + bits; /* q * 2^exp lies in [2^(top-1), 2^top) */
    if (top > 1100)
        return HUGE_VAL;
    if (top < -1200)
        return 0.0;
    int keep = top < -1021 ? (int)(53 - (-1021 - top)) : 53;
    int drop = bits - keep;
    if (drop > 0) {
        if (drop > 63)
            return 0.0;
        uint64_t rest = q & (((uint64_t)1 << drop) - 1), half = (uint64_t)1 << (drop - 1);
        q >>= drop;
        exp += drop;
        if (rest > half || (rest == half && (q & 1)))
            q++;
    }
    return ldexp((double)q, (int)exp);
}

/* The top 64 bits of the magnitude with a sticky lowest bit, and the exponent that goes with them. */
static uint64_t top_bits(const IntView *a, int64_t *exp) {
    mp_size_t n = a->n;
    *exp = 0;
    if (n == 0)
        return 0;
    if (n == 1)
        return a->p[0];
    int shift = __builtin_clzll(a->p[n - 1]);
    uint64_t q = a->p[n - 1] << shift;
    uint64_t rest = a->p[n - 2];
    if (shift) {
        q |= rest >> (64 - shift);
        rest <<= shift;
    }
    for (mp_size_t i = n - 3; rest == 0 && i >= 0; i--)
        rest = a->p[i];
    *exp = (int64_t)(n - 1) * 64 - shift;
    return q | (rest != 0);
}

double int_to_double(Value v, bool *overflow) {
    v = int_plain(v);
    if (v_is_int(v))
        return (double)v_int(v);
    IntView a;
    int_view(v, &a);
    int64_t exp;
    uint64_t q = top_bits(&a, &exp);
    double d = int_round_scaled(q, exp);
    if (isinf(d) && overflow)
        *overflow = true;
    return a.neg ? -d : d;
}

int int_sign(Value v) {
    IntView a;
    int_view(v, &a);
    return a.n == 0 ? 0 : a.neg ? -1 : 1;
}

size_t int_bit_length(Value v) {
    IntView a;
    int_view(v, &a);
    return a.n == 0 ? 0 : (size_t)a.n * 64 - (size_t)__builtin_clzll(a.p[a.n - 1]);
}

int int_cmp(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    if (v_is_int(a) && v_is_int(b))
        return v_int(a) < v_int(b) ? -1 : v_int(a) > v_int(b);
    IntView x, y;
    int_view(a, &x);
    int_view(b, &y);
    if (x.neg != y.neg)
        return x.neg ? -1 : 1;
    int c = x.n != y.n ? (x.n < y.n ? -1 : 1) : mpn_cmp(x.p, y.p, x.n);
    return x.neg ? -c : c;
}

bool int_equal(Value a, Value b) {
    return int_cmp(a, b) == 0;
}

int64_t int_hash(Value v) {
    const uint64_t modulus = ((uint64_t)1 << 61) - 1;
    if (v_is_int(v) && v_int(v) > -(int64_t)modulus && v_int(v) < (int64_t)modulus)
        return UNLIKELY(v_int(v) == -1) ? -2 : v_int(v);
    IntView a;
    int_view(v, &a);
    uint64_t h = 0;
    if (a.n == 1)
        h = a.p[0] % modulus;
    else if (a.n > 1)
        h = mpn_mod_1(a.p, a.n, modulus);
    int64_t r = a.neg ? -(int64_t)h : (int64_t)h;
    return r == -1 ? -2 : r;
}

/* ---- arithmetic ---- */

static Value add_views(const IntView *x, const IntView *y, bool negate_y) {
    bool yneg = y->neg != negate_y;
    if (x->n < y->n) {
        const IntView *t = x;
        x = y;
        y = t;
        bool xneg = yneg;
        yneg = y->neg;
        if (xneg == yneg) {
            BigInt *r = int_alloc(x->n + 1);
            if (!r)
                return ABSENT;
            r->limbs[x->n] = y->n ? mpn_add((mp_limb_t *)r->limbs, x->p, x->n, y->p, y->n)
                                  : (mpn_copyi((mp_limb_t *)r->limbs, x->p, x->n), 0);
            return int_normal(r, x->n + 1, xneg);
        }
        BigInt *r = int_alloc(x->n);
        if (!r)
            return ABSENT;
        if (y->n)
            mpn_sub((mp_limb_t *)r->limbs, x->p, x->n, y->p, y->n);
        else
            mpn_copyi((mp_limb_t *)r->limbs, x->p, x->n);
        return int_normal(r, x->n, xneg);
    }
    if (x->neg == yneg) {
        BigInt *r = int_alloc(x->n + 1);
        if (!r)
            return ABSENT;
        r->limbs[x->n] = y->n ? mpn_add((mp_limb_t *)r->limbs, x->p, x->n, y->p, y->n)
                              : (mpn_copyi((mp_limb_t *)r->limbs, x->p, x->n), 0);
        return int_normal(r, x->n + 1, x->neg);
    }
    BigInt *r = int_alloc(x->n);
    if (!r)
        return ABSENT;
    bool neg = x->neg;
    if (y->n == 0) {
        mpn_copyi((mp_limb_t *)r->limbs, x->p, x->n);
    } else if (x->n > y->n || mpn_cmp(x->p, y->p, x->n) >= 0) {
        mpn_sub((mp_limb_t *)r->limbs, x->p, x->n, y->p, y->n);
    } else {
        mpn_sub_n((mp_limb_t *)r->limbs, y->p, x->p, x->n);
        neg = yneg;
    }
    return int_normal(r, x->n, neg);
}

Value int_add(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    if (v_is_int(a) && v_is_int(b))
        return int_from_i64(v_int(a) + v_int(b)); /* two 63-bit numbers: no overflow of 64 bits */
    IntView x, y;
    int_view(a, &x);
    int_view(b, &y);
    return add_views(&x, &y, false);
}

Value int_sub(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    if (v_is_int(a) && v_is_int(b))
        return int_from_i64(v_int(a) - v_int(b));
    IntView x, y;
    int_view(a, &x);
    int_view(b, &y);
    return add_views(&x, &y, true);
}

Value int_mul(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    int64_t small;
    if (v_is_int(a) && v_is_int(b) && !__builtin_mul_overflow(v_int(a), v_int(b), &small))
        return int_from_i64(small);
    IntView x0, y0, *x = &x0, *y = &y0;
    int_view(a, x);
    int_view(b, y);
    if (x->n < y->n) {
        x = &y0;
        y = &x0;
    }
    if (y->n == 0)
        return v_from_int(0);
    BigInt *r = int_alloc(x->n + y->n);
    if (!r)
        return ABSENT;
    if (y->n >= DETACH_LIMBS) {
        DETACHED_BEGIN
        mpn_mul((mp_limb_t *)r->limbs, x->p, x->n, y->p, y->n);
        DETACHED_END
    } else {
        mpn_mul((mp_limb_t *)r->limbs, x->p, x->n, y->p, y->n);
    }
    return int_normal(r, x->n + y->n, x->neg != y->neg);
}

int int_divmod(Value a, Value b, Value *q, Value *r) {
    a = int_plain(a);
    b = int_plain(b);
    if (b == v_from_int(0)) {
        err_set(&exc_ZeroDivisionError, "integer division or modulo by zero");
        return -1;
    }
    if (v_is_int(a) && v_is_int(b)) {
        int64_t x = v_int(a), y = v_int(b), d = x / y, m = x % y;
        if (m != 0 && (m < 0) != (y < 0)) {
            d--;
            m += y;
        }
        if (q)
            *q = int_from_i64(d);
        if (r)
            *r = int_from_i64(m);
        return 0;
    }
    IntView x, y;
    int_view(a, &x);
    int_view(b, &y);
    BigInt *qb, *rb;
    bool differ = x.neg != y.neg;
    if (x.n < y.n) {
        /* |a| < |b|: the truncated quotient is 0 and the remainder a. */
        Value qq = v_from_int(0), rr = a;
        if (differ && x.n != 0) {
            qq = v_from_int(-1);
            rr = int_add(a, b);
            if (rr == ABSENT)
                return -1;
        } else {
            retain(rr);
        }
        if (q)
            *q = qq;
        if (r)
            *r = rr;
        else
            release(rr);
        return 0;
    }
    qb = int_alloc(x.n - y.n + 2);
    rb = qb ? int_alloc(y.n) : NULL;
    if (!rb) {
        if (qb)
            release(V_OF(qb));
        return -1;
    }
    if (y.n >= DETACH_LIMBS) {
        DETACHED_BEGIN
        mpn_tdiv_qr((mp_limb_t *)qb->limbs, (mp_limb_t *)rb->limbs, 0, x.p, x.n, y.p, y.n);
        DETACHED_END
    } else {
        mpn_tdiv_qr((mp_limb_t *)qb->limbs, (mp_limb_t *)rb->limbs, 0, x.p, x.n, y.p, y.n);
    }
    mp_size_t qn = x.n - y.n + 1;
    if (differ && !mpn_zero_p((mp_limb_t *)rb->limbs, y.n)) {
        /* Round towards minus infinity: |q| + 1, and |r| becomes |b| - |r|. */
        qb->limbs[qn] = mpn_add_1((mp_limb_t *)qb->limbs, (mp_limb_t *)qb->limbs, qn, 1);
        qn++;
        mpn_sub_n((mp_limb_t *)rb->limbs, y.p, (mp_limb_t *)rb->limbs, y.n);
    }
    Value qv = int_normal(qb, qn, differ), rv = int_normal(rb, y.n, y.neg);
    if (q)
        *q = qv;
    else
        release(qv);
    if (r)
        *r = rv;
    else
        release(rv);
    return 0;
}

Value int_floordiv(Value a, Value b) {
    Value q;
    return int_divmod(a, b, &q, NULL) < 0 ? ABSENT : q;
}

Value int_mod(Value a, Value b) {
    Value r;
    if (int_plain(b) == v_from_int(0))
        return err_set(&exc_ZeroDivisionError, "integer modulo by zero");
    return int_divmod(a, b, NULL, &r) < 0 ? ABSENT : r;
}

Value int_truediv(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    if (b == v_from_int(0))
        return err_set(&exc_ZeroDivisionError, "division by zero");
    const int64_t exact = (int64_t)1 << 53;
    if (v_is_int(a) && v_is_int(b) && v_int(a) <= exact && v_int(a) >= -exact && v_int(b) <= exact &&
        v_int(b) >= -exact)
        return float_new((double)v_int(a) / (double)v_int(b));
    IntView x, y;
    int_view(a, &x);
    int_view(b, &y);
    if (x.n == 0)
        return float_new(y.neg ? -0.0 : 0.0);
    /* A quotient of 56 or 57 bits, made odd when a remainder is left, rounds correctly in one step. */
    int64_t shift = (int64_t)int_bit_length(b) - (int64_t)int_bit_length(a) + 56;
    mpz_t xz, yz, t, q, r;
    int_mpz_of(&x, xz);
    int_mpz_of(&y, yz);
    mpz_init(t);
    mpz_init(q);
    mpz_init(r);
    if (shift >= 0) {
        mpz_mul_2exp(t, xz, (mp_bitcnt_t)shift);
        mpz_tdiv_qr(q, r, t, yz);
    } else {
        mpz_mul_2exp(t, yz, (mp_bitcnt_t)-shift);
        mpz_tdiv_qr(q, r, xz, t);
    }
    uint64_t m = mpz_getlimbn(q, 0) | (mpz_sgn(r) != 0);
    mpz_clear(t);
    mpz_clear(q);
    mpz_clear(r);
    double d = int_round_scaled(m, -shift);
    if (isinf(d))
        return err_set(&exc_OverflowError, "integer division result too large for a float");
    return float_new(x.neg != y.neg ? -d : d);
}

Value int_pow(Value a, Value b, Value mod) {
    IntView x, y, m;
    int_view(a, &x);
    int_view(b, &y);
    mpz_t base, exp, modulus, r;
    int_mpz_of(&x, base);
    int_mpz_of(&y, exp);
    if (mod != ABSENT && mod != V_NONE) {
        int_view(mod, &m);
        if (m.n == 0)
            return err_set(&exc_ValueError, "pow() 3rd argument cannot be 0");
        int_mpz_of(&m, modulus);
        mpz_init(r);
        mpz_t positive;
        mpz_init(positive);
        mpz_abs(positive, modulus);
        if (y.neg) {
            if (mpz_invert(r, base, positive) == 0 && mpz_cmp_ui(positive, 1) != 0) {
                mpz_clear(r);
                mpz_clear(positive);
                return err_set(&exc_ValueError, "base is not invertible for the given modulus");
            }
            mpz_t e;
            mpz_init(e);
            mpz_neg(e, exp);
            mpz_powm(r, r, e, positive);
            mpz_clear(e);
        } else {
            mpz_powm(r, base, exp, positive);
        }
        if (m.neg && mpz_sgn(r) != 0)
            mpz_sub(r, r, positive);
        Value v = int_from_mpz(r);
        mpz_clear(r);
        mpz_clear(positive);
        return v;
    }
    if (y.neg) {
        bool over = false;
        double da = int_to_double(a, &over), db = int_to_double(b, &over);
        if (over)
            return err_set(&exc_OverflowError, "int too large to convert to float");
        if (da == 0)
            return err_set(&exc_ZeroDivisionError, "0.0 cannot be raised to a negative power");
        return float_new(pow(da, db));
    }
    if (x.n == 0)
        return v_from_int(y.n == 0);
    if (x.n == 1 && x.p[0] == 1)
        return v_from_int(x.neg && y.n && (y.p[0] & 1) ? -1 : 1);
    if (y.n > 1 || (y.n == 1 && y.p[0] > UINT32_MAX))
        return err_no_memory();
    uint64_t e = y.n ? y.p[0] : 0;
    if ((long double)int_bit_length(a) * (long double)e > (long double)MAX_LIMBS * 4)
        return err_no_memory();
    Value small = int_plain(a);
    if (v_is_int(small)) {
        int64_t acc = 1, sq = v_int(small);
        uint64_t k = e;
        for (;;) {
            if ((k & 1) && __builtin_mul_overflow(acc, sq, &acc))
                break;
            k >>= 1;
            if (k == 0)
                return int_from_i64(acc);
            if (__builtin_mul_overflow(sq, sq, &sq))
                break;
        }
    }
    mpz_init(r);
    if ((double)int_bit_length(a) * (double)e > 1e6) {
        DETACHED_BEGIN
        mpz_pow_ui(r, base, e);
        DETACHED_END
    } else {
        mpz_pow_ui(r, base, e);
    }
    Value v = int_from_mpz(r);
    mpz_clear(r);
    return v;
}

Value int_lshift(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    if (int_sign(b) < 0)
        return err_set(&exc_ValueError, "negative shift count");
    IntView x;
    int_view(a, &x);
    if (x.n == 0)
        return v_from_int(0);
    if (!v_is_int(b) || v_int(b) / 64 > MAX_LIMBS / 2)
        return err_set(&exc_OverflowError, "too many digits in integer");
    int64_t s = v_int(b);
    if (v_is_int(a) && s < 62) {
        int64_t i = v_int(a), r = (int64_t)((uint64_t)i << s);
        if (r >> s == i)
            return int_from_i64(r);
    }
    mp_size_t words = s / 64;
    unsigned bits = (unsigned)(s % 64);
    BigInt *r = int_alloc(x.n + words + 1);
    if (!r)
        return ABSENT;
    mp_limb_t *p = (mp_limb_t *)r->limbs;
    memset(p, 0, (size_t)words * 8);
    if (bits) {
        p[x.n + words] = mpn_lshift(p + words, x.p, x.n, bits);
    } else {
        mpn_copyi(p + words, x.p, x.n);
        p[x.n + words] = 0;
    }
    return int_normal(r, x.n + words + 1, x.neg);
}

Value int_rshift(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    if (int_sign(b) < 0)
        return err_set(&exc_ValueError, "negative shift count");
    if (!v_is_int(b))
        return v_from_int(int_sign(a) < 0 ? -1 : 0);
    int64_t s = v_int(b);
    if (v_is_int(a))
        return v_from_int(s > 62 ? (v_int(a) < 0 ? -1 : 0) : v_int(a) >> s);
    IntView x;
    int_view(a, &x);
    if (s / 64 >= x.n)
        return v_from_int(x.neg ? -1 : 0);
    mpz_t z, r;
    int_mpz_of(&x, z);
    mpz_init(r);
    mpz_fdiv_q_2exp(r, z, (mp_bitcnt_t)s);
    Value v = int_from_mpz(r);
    mpz_clear(r);
    return v;
}

typedef void (*MpzOp)(mpz_ptr, mpz_srcptr, mpz_srcptr);
static Value bit_op(Value a, Value b, MpzOp op) {
    IntView x, y;
    int_view(a, &x);
    int_view(b, &y);
    mpz_t p, q, r;
    int_mpz_of(&x, p);
    int_mpz_of(&y, q);
    mpz_init(r);
    op(r, p, q);
    Value v = int_from_mpz(r);
    mpz_clear(r);
    return v;
}

Value int_and(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    return v_is_int(a) && v_is_int(b) ? a & b : bit_op(a, b, mpz_and);
}
Value int_or(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    return v_is_int(a) && v_is_int(b) ? a | b : bit_op(a, b, mpz_ior);
}
Value int_xor(Value a, Value b) {
    a = int_plain(a);
    b = int_plain(b);
    return v_is_int(a) && v_is_int(b) ? (a ^ b) | 1 : bit_op(a, b, mpz_xor);
}

Value int_neg(Value a) {
    a = int_plain(a);
    return v_is_int(a) ? int_from_i64(-v_int(a)) : int_sub(v_from_int(0), a);
}
Value int_invert(Value a) {
    a = int_plain(a);
    return v_is_int(a) ? v_from_int(~v_int(a)) : int_sub(v_from_int(-1), a);
}

/* ---- bytes ---- */

Value int_from_bytes(const unsigned char *p, size_t n, bool little, bool is_signed) {
    mp_size_t limbs = (mp_size_t)(n / 8 + 1);
    BigInt *r = int_alloc(limbs);
    if (!r)
        return ABSENT;
    bool neg = is_signed && n && (p[little ? n - 1 : 0] & 0x80);
    for (mp_size_t i = 0; i < limbs; i++)
        r->limbs[i] = neg ? ~(uint64_t)0 : 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t byte = p[little ? i : n - 1 - i];
        unsigned shift = (unsigned)(i % 8) * 8;
        r->limbs[i / 8] = (r->limbs[i / 8] & ~((uint64_t)255 << shift)) | byte << shift;
    }
    if (neg)
        mpn_neg((mp_limb_t *)r->limbs, (mp_limb_t *)r->limbs, limbs);
    return int_normal(r, limbs, neg);
}

int int_to_bytes(Value v, unsigned char *p, size_t n, bool little, bool is_signed) {
    IntView a;
    int_view(v, &a);
    if (a.neg && !is_signed) {
        err_set(&exc_OverflowError, "can't convert negative int to unsigned");
        return -1;
    }
    size_t bits = int_bit_length(v);
    /* Two's complement needs a sign bit, except for the most negative number of its width. */
    bool power = false;
    if (a.neg) {
        power = (a.p[a.n - 1] & (a.p[a.n - 1] - 1)) == 0;
        for (mp_size_t i = 0; power && i < a.n - 1; i++)
            power = a.p[i] == 0;
    }
    size_t need = is_signed ? (power ? bits : bits + 1) : bits;
    if (a.n && need > n * 8) {
        err_set(&exc_OverflowError, "int too big to convert");
        return -1;
    }
    uint64_t carry = 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t limb = (mp_size_t)(i / 8) < a.n ? a.p[i / 8] : 0;
        unsigned byte = (unsigned)(limb >> (i % 8 * 8)) & 255;
        if (a.neg) {
            byte = (~byte & 255) + (unsigned)carry;
            carry = byte >> 8;
            byte &= 255;
        }
        p[little ? i : n - 1 - i] = (unsigned char)byte;
    }
    return 0;
}

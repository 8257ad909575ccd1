/* How int.c and its companions see an int of any representation: sign and limbs. Private to the int files. */
#ifndef POLYGIL_INT_VIEW_H
#define POLYGIL_INT_VIEW_H

#include <gmp.h>

#include "object/int.h"

_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0, "limbs of 64 bits");

typedef struct IntView {
    const mp_limb_t *p;
    mp_size_t n; /* 0 for zero */
    bool neg;
    mp_limb_t one;
} IntView;

/* An instance of a subclass keeps its number in a field; everything else is its own number. Borrowed. */
static inline Value int_plain(Value v) {
    if (v_is_int(v))
        return v;
    if (v_is_obj_nz(v))
        return obj_index(v) == IDX_INT ? v : ref_peek((Ref *)&((BigInt *)v)->limbs[0]);
    return v_from_int(v == V_TRUE);
}

/* v is an int (bool and subclasses included). The view points into v or into itself: do not copy it. */
static inline void int_view(Value v, IntView *o) {
    v = int_plain(v);
    if (v_is_int(v)) {
        int64_t i = v_int(v);
        o->neg = i < 0;
        o->one = i < 0 ? -(uint64_t)i : (uint64_t)i;
        o->n = i != 0;
        o->p = &o->one;
        return;
    }
    BigInt *b = (BigInt *)v;
    o->neg = b->size < 0;
    o->n = b->size < 0 ? -b->size : b->size;
    o->p = (const mp_limb_t *)b->limbs;
}

/* A result of n limbs to be filled, then given to int_normal. NULL with MemoryError. */
BigInt *int_alloc(mp_size_t n);
/* Steals b: strips high zeros and turns what fits into an immediate. */
Value int_normal(BigInt *b, mp_size_t n, bool neg);
/* A GMP integer's value as an int; and the read-only GMP integer of a view. */
Value int_from_mpz(mpz_srcptr z);
static inline void int_mpz_of(const IntView *v, mpz_t z) {
    mpz_roinit_n(z, v->p, v->neg ? -v->n : v->n);
}
/* q * 2^exp rounded once, half to even, subnormals included; q's lowest bit is sticky. */
double int_round_scaled(uint64_t q, int64_t exp);

#endif

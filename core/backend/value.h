/* Value: one 64-bit word, an immediate or a pointer to an object. Immediates have no count, no lock and no memory.
 *
 *   0             ABSENT: unbound, a hole, an error result (with an exception pending)
 *   ...xx1        int of 63 bits
 *   ...x10        float: the double rotated left by 3, low two bits replaced by 10, when its top exponent bits are 011
 * or 100 (about 2^-255 to 2^257). FLOAT_ZERO stands for +0.0. Every other double is a boxed Float object (source:
 * Melancon, Serrano, Feeley, "Float Self-Tagging", 2024).
 *   ...100        None, False, True, Ellipsis, NotImplemented and the VM's own markers
 *   ...000        object, 8-byte aligned
 */
#ifndef POLYGIL_VALUE_H
#define POLYGIL_VALUE_H

#include "base/base.h"

typedef uint64_t Value;

typedef struct Object Object;
typedef struct Type Type;
typedef struct Shape Shape;
typedef struct Thread Thread;

#define ABSENT ((Value)0)
#define V_NONE ((Value)0x04)
#define V_FALSE ((Value)0x0c)
#define V_TRUE ((Value)0x14)
#define V_ELLIPSIS ((Value)0x1c)
#define V_NOTIMPL ((Value)0x24)
#define V_MARK ((Value)0x2c) /* private sentinel; never visible to Python code */

static ALWAYS_INLINE bool v_is_int(Value v) {
    return v & 1;
} /* an immediate int; large ints are objects */
static ALWAYS_INLINE bool v_is_flo(Value v) {
    return (v & 3) == 2;
} /* an immediate float */
static ALWAYS_INLINE bool v_is_const(Value v) {
    return (v & 7) == 4;
}
/* The hints are beside the tests, where the compiler takes them into account as it lays out what follows. */
static ALWAYS_INLINE bool v_is_obj(Value v) {
    return (v & 7) == 0 && LIKELY(v != 0);
}
/* The same where v is one as a rule. */
static ALWAYS_INLINE bool v_is_likely_obj(Value v) {
    return LIKELY((v & 7) == 0) && LIKELY(v != 0);
}
/* For words known to be not ABSENT. */
static ALWAYS_INLINE bool v_is_obj_nz(Value v) {
    return (v & 7) == 0;
}
static ALWAYS_INLINE bool v_is_none(Value v) {
    return v == V_NONE;
}
static ALWAYS_INLINE bool v_is_bool(Value v) {
    return v == V_FALSE || v == V_TRUE;
}

static ALWAYS_INLINE Value v_bool(bool b) {
    return b ? V_TRUE : V_FALSE;
}

#define INT_IMM_MAX ((int64_t)0x3fffffffffffffff)
#define INT_IMM_MIN (-INT_IMM_MAX - 1)
static ALWAYS_INLINE int64_t v_int(Value v) {
    return (int64_t)v >> 1;
}
static ALWAYS_INLINE bool int_fits_imm(int64_t i) {
    return i >= INT_IMM_MIN && i <= INT_IMM_MAX;
}
/* The caller knows that it fits; otherwise use int_from_i64 (object/int.h). */
static ALWAYS_INLINE Value v_from_int(int64_t i) {
    return ((uint64_t)i << 1) | 1;
}

#define FLOAT_ZERO ((Value)0x8000000000000002)
static ALWAYS_INLINE uint64_t float_bits(double d) {
    uint64_t b;
    memcpy(&b, &d, 8);
    return b;
}
/* The immediate form of a double, or ABSENT when it has none. The rotated word's top bit tells which of 01 and 10 its
 * low bits must be: turned to 10 by the same exclusive or that turns them back, they say whether the exponent was
 * common. */
static ALWAYS_INLINE Value v_from_double(double d) {
    uint64_t b = float_bits(d), r = (b << 3) | (b >> 61);
    Value v = r ^ (((int64_t)r >> 63) & 3);
    if (__builtin_expect((v & 3) == 2 && v != FLOAT_ZERO, 1))
        return v;
    return b == 0 ? FLOAT_ZERO : ABSENT;
}
/* True when a double has an immediate form. */
static ALWAYS_INLINE bool float_fits_imm(double d) {
    return v_from_double(d) != ABSENT;
}
static ALWAYS_INLINE Value v_from_float_imm(double d) {
    return v_from_double(d);
}
static ALWAYS_INLINE double v_flo(Value v) {
    uint64_t r = v ^ (((int64_t)v >> 63) & 3);
    uint64_t b = (r >> 3) | (r << 61);
    if (UNLIKELY(v == FLOAT_ZERO))
        b = 0;
    double d;
    memcpy(&d, &b, 8);
    return d;
}

static ALWAYS_INLINE Object *v_obj(Value v) {
    return (Object *)v;
}
#define V_OF(p) ((Value)(uintptr_t)(p))

#endif

/* The bodies of arithmetic and comparison over immediates; what they do not cover goes to a step. Included by
 * dispatch.c alone; dispatch_macros.h says what a body may use. */
#ifndef POLYGIL_INTERP_DISPATCH_ARITH_H
#define POLYGIL_INTERP_DISPATCH_ARITH_H
#include "interp/dispatch_macros.h"
#include "object/float.h"
#include "object/int.h"

#define BOTH_INT(a, b) ((a) & (b) & 1)
#define BOTH_FLO(a, b) (((((a) ^ 2) | ((b) ^ 2)) & 3) == 0)

/* One an int, the other a float; the int becomes a double, rounded to nearest as CPython does it. */
#define MIXED(a, b) ((v_is_int(a) && v_is_flo(b)) || (v_is_flo(a) && v_is_int(b)))
#define NUMBER(v) (v_is_int(v) ? (double)v_int(v) : v_flo(v))
#define MIXED_ARITH(expr)                    \
    do {                                     \
        double x = NUMBER(b), y = NUMBER(c); \
        Value z = v_from_double(expr);       \
        if (LIKELY(z != ABSENT))             \
            DONE_SUM(z);                     \
    } while (0)

/* a op b of the machine's doubles: the result when it is an immediate; otherwise the step makes the box. */
#define FLOAT_ARITH(expr, fallback)        \
    do {                                   \
        double x = v_flo(b), y = v_flo(c); \
        Value z = v_from_double(expr);     \
        if (LIKELY(z != ABSENT))           \
            DONE_SUM(z);                   \
    } while (0)

/* An int that a double holds exactly: the quotient of two such is the rounded true one. */
static ALWAYS_INLINE bool small_int(Value v) {
    return v_int(v) >= -((int64_t)1 << 53) && v_int(v) <= (int64_t)1 << 53;
}

/* Floor division and remainder of immediates; c not 0. INT_IMM_MIN // -1 does not fit: excluded by the caller. */
static ALWAYS_INLINE int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = a / b;
    return q - ((a % b != 0) & ((a ^ b) < 0));
}
static ALWAYS_INLINE int64_t floor_mod(int64_t a, int64_t b) {
    int64_t r = a % b;
    return r + (r != 0 && (r ^ b) < 0 ? b : 0);
}

/* Sum or difference: tagged ints are added without untagging, c being stripped of its tag. */
#define SUM_BODY(c_value, step, op, overflows)                      \
    Value b = REG_B, c = (c_value);                                 \
    if (LIKELY(BOTH_INT(b, c))) {                                   \
        int64_t r;                                                  \
        if (LIKELY(!overflows((int64_t)b, (int64_t)(c - 1), &r))) { \
            DONE_SUM((Value)r);                                     \
        }                                                           \
    } else if (BOTH_FLO(b, c)) {                                    \
        FLOAT_ARITH(x op y, step);                                  \
    } else if (MIXED(b, c)) {                                       \
        MIXED_ARITH(x op y);                                        \
    }                                                               \
    STEP_ANY(step);
#define ADD_BODY(c_value, step) SUM_BODY(c_value, step, +, __builtin_add_overflow)
#define SUB_BODY(c_value, step) SUM_BODY(c_value, step, -, __builtin_sub_overflow)
#define MUL_BODY(c_value, step)                                                \
    Value b = REG_B, c = (c_value);                                            \
    if (BOTH_INT(b, c)) {                                                      \
        int64_t r;                                                             \
        if (LIKELY(!__builtin_mul_overflow((int64_t)(b - 1), v_int(c), &r))) { \
            DONE_SUM((Value)r + 1);                                            \
        }                                                                      \
    } else if (BOTH_FLO(b, c)) {                                               \
        FLOAT_ARITH(x *y, step);                                               \
    } else if (MIXED(b, c)) {                                                  \
        MIXED_ARITH(x *y);                                                     \
    }                                                                          \
    STEP_ANY(step);
#define TRUEDIV_BODY(c_value, step)                                                    \
    Value b = REG_B, c = (c_value);                                                    \
    if (BOTH_FLO(b, c) && c != FLOAT_ZERO && v_flo(c) != 0) {                          \
        FLOAT_ARITH(x / y, step);                                                      \
    } else if (MIXED(b, c) && NUMBER(c) != 0) {                                        \
        MIXED_ARITH(x / y);                                                            \
    } else if (BOTH_INT(b, c) && c != v_from_int(0) && small_int(b) && small_int(c)) { \
        MIXED_ARITH(x / y);                                                            \
    }                                                                                  \
    STEP_ANY(step);
#define FLOORDIV_BODY(c_value, step)                         \
    Value b = REG_B, c = (c_value);                          \
    if (BOTH_INT(b, c) && v_int(c) > 0) {                    \
        DONE_SUM(v_from_int(floor_div(v_int(b), v_int(c)))); \
    }                                                        \
    STEP_ANY(step);
#define MOD_BODY(c_value, step)                              \
    Value b = REG_B, c = (c_value);                          \
    if (BOTH_INT(b, c) && v_int(c) > 0) {                    \
        DONE_SUM(v_from_int(floor_mod(v_int(b), v_int(c)))); \
    }                                                        \
    STEP_ANY(step);
#define BITS_BODY(c_value, step, expr) \
    Value b = REG_B, c = (c_value);    \
    if (LIKELY(BOTH_INT(b, c))) {      \
        DONE_SUM((expr) | 1);          \
    }                                  \
    STEP_ANY(step);
#define AND_BODY(c_value, step) BITS_BODY(c_value, step, b &c)
#define OR_BODY(c_value, step) BITS_BODY(c_value, step, b | c)
#define XOR_BODY(c_value, step) BITS_BODY(c_value, step, b ^ c)
#define SLOW_BODY(c_value, step) STEP_ANY(step);
#define LSHIFT_BODY(c_value, step)                                           \
    Value b = REG_B, c = (c_value);                                          \
    if (BOTH_INT(b, c) && (uint64_t)v_int(c) < 62) {                         \
        int64_t x = v_int(b), y = v_int(c), z = (int64_t)((uint64_t)x << y); \
        if (LIKELY(z >> y == x && int_fits_imm(z))) {                        \
            DONE_SUM(v_from_int(z));                                         \
        }                                                                    \
    }                                                                        \
    STEP_ANY(step);
#define RSHIFT_BODY(c_value, step)                           \
    Value b = REG_B, c = (c_value);                          \
    if (BOTH_INT(b, c) && v_int(c) >= 0) {                   \
        DONE_SUM(v_from_int(v_int(b) >> MIN(v_int(c), 63))); \
    }                                                        \
    STEP_ANY(step);

#define COMPARE_BODY(op, name)                      \
    Value b = REG_B, c = REG_C;                     \
    if (LIKELY(BOTH_INT(b, c))) {                   \
        DONE_SUM(v_bool((int64_t)b op(int64_t) c)); \
    }                                               \
    if (BOTH_FLO(b, c)) {                           \
        DONE_SUM(v_bool(v_flo(b) op v_flo(c)));     \
    }                                               \
    STEP(step_compare);
/* sense: jump when the comparison has this result */
#define COMPARE_JUMP(op, sense)                    \
    Value a = REG_A, b = REG_B;                    \
    if (LIKELY(BOTH_INT(a, b))) {                  \
        if (((int64_t)a op(int64_t) b) == (sense)) \
            JUMP_POLL(instr_sc(w));                \
        NEXT();                                    \
    }                                              \
    if (BOTH_FLO(a, b)) {                          \
        if ((v_flo(a) op v_flo(b)) == (sense))     \
            JUMP_POLL(instr_sc(w));                \
        NEXT();                                    \
    }                                              \
    STEP_ANY(step_compare_jump);
#define COMPARE_JUMP_I(op, sense)                                        \
    Value a = REG_A;                                                     \
    if (LIKELY(v_is_int(a))) {                                           \
        if (((int64_t)a op(int64_t) v_from_int(instr_sb(w))) == (sense)) \
            JUMP_POLL(instr_sc(w));                                      \
        NEXT();                                                          \
    }                                                                    \
    STEP_ANY(step_compare_jump);

/* An operator of two registers, and the same with a constant as its right operand. */
#define BINARY_OPS(name, body)              \
    OP(name) {                              \
        body(REG_C, step_binary);           \
    }                                       \
    OP(name##_K) {                          \
        body(K[instr_c(w)], step_binary_k); \
    }
/* The four jumps on a comparison: when it holds and when it does not, of two registers and with a small int. */
#define COMPARE_JUMPS(name, op)    \
    OP(J##name) {                  \
        COMPARE_JUMP(op, true);    \
    }                              \
    OP(JN##name) {                 \
        COMPARE_JUMP(op, false);   \
    }                              \
    OP(J##name##_I) {              \
        COMPARE_JUMP_I(op, true);  \
    }                              \
    OP(JN##name##_I) {             \
        COMPARE_JUMP_I(op, false); \
    }
#define COMPARE_OP(name, op)          \
    OP(name) {                        \
        COMPARE_BODY(op, CMP_##name); \
    }

#endif

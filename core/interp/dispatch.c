/* The loop (long because it is the one place of all instruction bodies). Each instruction is one body between OP(NAME)
 * and the next; the same bodies become functions that tail-call each other (clang 19 and later: registers of the
 * machine hold the loop's state) or labels of one function (computed goto).
 *
 * A body has R (registers), pc, t (thread), K (constants), w (the word). Rules: no local has its address taken;
 * whatever may raise, poll or allocate is out of line and publishes the pc. NEXT ends a body; so do the macros that
 * jump.
 */
#include "interp/eval.h"
#include "object/dict.h"
#include "object/float.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

#if defined(__clang__) && __clang_major__ >= 19 && !defined(POLYGIL_NO_TAILCALL) && defined(__x86_64__)
#define TAILCALL 1
#define PRESERVE __attribute__((preserve_none))
#else
#define TAILCALL 0
#endif

#define REG_A R[instr_a(w)]
#define REG_B R[instr_b(w)]
#define REG_C R[instr_c(w)]

#if TAILCALL
#define STATE Value *R, Instr *pc, Thread *t, Value *K, uint64_t w
typedef PRESERVE Value OpFn(STATE);
static OpFn *const op_table[256];
#define OP(name) PRESERVE static Value op_##name(STATE)
#define DISPATCH()                                                             \
    do {                                                                       \
        w = LOAD_RELAXED(pc);                                                  \
        __attribute__((musttail)) return op_table[(uint8_t)w](R, pc, t, K, w); \
    } while (0)
#define GOTO(label) __attribute__((musttail)) return label(R, pc, t, K, w)
#define SHARED(name) PRESERVE __attribute__((noinline)) static Value name(STATE)
#define DECLARE_SHARED(name) PRESERVE static Value name(STATE)
#else
#define OP(name) op_##name:
#define DISPATCH()                  \
    do {                            \
        w = LOAD_RELAXED(pc);       \
        goto *op_table[(uint8_t)w]; \
    } while (0)
#define GOTO(label) goto label
#define SHARED(name) \
    name:
#endif

#define NEXT()      \
    do {            \
        pc++;       \
        DISPATCH(); \
    } while (0)
#define NEXT_N(n)   \
    do {            \
        pc += (n);  \
        DISPATCH(); \
    } while (0)
/* An instruction that is done wholly out of line, and cannot change the frame. n: words. */
#define STEP_BODY(fn, n)                   \
    do {                                   \
        if (UNLIKELY(fn(t, R, pc, w) < 0)) \
            GOTO(raised);                  \
        NEXT_N(n);                         \
    } while (0)
/* One that may: calls, returns, raises. */
#define STEP_ANY_BODY(fn, n)          \
    do {                              \
        int s_ = fn(t, R, pc, w);     \
        if (LIKELY(s_ == STEP_FRAME)) \
            GOTO(enter);              \
        if (LIKELY(s_ == STEP_NEXT))  \
            NEXT_N(n);                \
        if (s_ == STEP_EXIT)          \
            GOTO(leave);              \
        if (s_ == STEP_RERAISE)       \
            GOTO(reraised);           \
        GOTO(raised);                 \
    } while (0)
#if TAILCALL
/* Behind a tail call, so that the instruction's common path has no stack frame. */
#define STEP_N(fn, n) GOTO(tail_##fn##_##n)
#define STEP_ANY(fn) GOTO(tail_##fn)
#define STEP_ANY_N(fn, n) GOTO(tail_any_##fn##_##n)
#else
#define STEP_N(fn, n) STEP_BODY(fn, n)
#define STEP_ANY(fn) STEP_ANY_BODY(fn, 1)
#define STEP_ANY_N(fn, n) STEP_ANY_BODY(fn, n)
#endif
#define STEP(fn) STEP_N(fn, 1)
/* Backward or taken jumps: target becomes the pc, and is where an exception of the poll counts as raised. */
#define JUMP_POLL(offset)                          \
    do {                                           \
        pc += (offset);                            \
        if (UNLIKELY(LOAD_RELAXED(&t->poll) != 0)) \
            GOTO(polled);                          \
        DISPATCH();                                \
    } while (0)

/* Ends of instructions. A value that dies is destroyed in a shared tail, because destroying may run code: by then the
 * pc is published, the registers are as the depth table says, and the common path needs no stack frame. DONE(v) A = v;
 * on to the next word DONE_N(v, n)       n words FINISH2(x, y, n)   x and y (ABSENT allowed) lose a reference each; on
 */
#define FINISH2(x, y, n)                                                                                   \
    do {                                                                                                   \
        if (COUNT_EXACT) {                                                                                 \
            Value x_ = (x), y_ = (y);                                                                      \
            bool dx_ = v_is_obj(x_) && count_drop(v_obj(x_)), dy_ = v_is_obj(y_) && count_drop(v_obj(y_)); \
            if (UNLIKELY(dx_ || dy_)) {                                                                    \
                t->dying = dy_ ? y_ : ABSENT;                                                              \
                w = dx_ ? x_ : ABSENT;                                                                     \
                GOTO(died##n);                                                                             \
            }                                                                                              \
        }                                                                                                  \
        NEXT_N(n);                                                                                         \
    } while (0)
#define FINISH1(x, n)                                              \
    do {                                                           \
        if (COUNT_EXACT) {                                         \
            Value x_ = (x);                                        \
            if (v_is_obj(x_) && UNLIKELY(count_drop(v_obj(x_)))) { \
                t->dying = ABSENT;                                 \
                w = x_;                                            \
                GOTO(died##n);                                     \
            }                                                      \
        }                                                          \
        NEXT_N(n);                                                 \
    } while (0)
/* The same, and then a jump. */
#define FINISH_JUMP(x, y, offset)                                                                          \
    do {                                                                                                   \
        if (COUNT_EXACT) {                                                                                 \
            Value x_ = (x), y_ = (y);                                                                      \
            bool dx_ = v_is_obj(x_) && count_drop(v_obj(x_)), dy_ = v_is_obj(y_) && count_drop(v_obj(y_)); \
            if (UNLIKELY(dx_ || dy_)) {                                                                    \
                t->dying = dy_ ? y_ : ABSENT;                                                              \
                t->dying_offset = (offset);                                                                \
                w = dx_ ? x_ : ABSENT;                                                                     \
                GOTO(died_jump);                                                                           \
            }                                                                                              \
        }                                                                                                  \
        pc += (offset);                                                                                    \
        DISPATCH();                                                                                        \
    } while (0)
#define HAS_FLAG(f) ((w & ((uint64_t)(f) << 8)) != 0)
#define OLD(reg) (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL) ? R[reg] : ABSENT)
#define DONE_N(v, n)                                 \
    do {                                             \
        unsigned a_ = instr_a(w);                    \
        Value v_ = (v);                              \
        if (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL)) { \
            Value old_ = R[a_];                      \
            R[a_] = v_;                              \
            FINISH1(old_, n);                        \
        }                                            \
        R[a_] = v_;                                  \
        NEXT_N(n);                                   \
    } while (0)
#define DONE(v) DONE_N(v, 1)
#define DONE_B(v)                                    \
    do {                                             \
        unsigned b_ = instr_b(w);                    \
        Value v_ = (v);                              \
        if (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL)) { \
            Value old_ = R[b_];                      \
            R[b_] = v_;                              \
            FINISH1(old_, 1);                        \
        }                                            \
        R[b_] = v_;                                  \
        NEXT();                                      \
    } while (0)
/* The same, and on behind the FOR_ITER that C jumps to. */
#define DONE_B_BACK(v)                               \
    do {                                             \
        unsigned b_ = instr_b(w);                    \
        Value v_ = (v);                              \
        int offset_ = instr_sc(w) + 1;               \
        if (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL)) { \
            Value old_ = R[b_];                      \
            R[b_] = v_;                              \
            FINISH_JUMP(old_, ABSENT, offset_);      \
        }                                            \
        R[b_] = v_;                                  \
        pc += offset_;                               \
        DISPATCH();                                  \
    } while (0)
/* The value of a consumed operand, whose register is emptied (before the destination is written, which may be the
 * same). */
#define TAKE_B (COUNT_EXACT && HAS_FLAG(IF_KILL_B) ? take_reg(R, instr_b(w)) : ABSENT)
#define TAKE_C (COUNT_EXACT && HAS_FLAG(IF_KILL_C) ? take_reg(R, instr_c(w)) : ABSENT)
#define TAKE_A (COUNT_EXACT && HAS_FLAG(IF_KILL_A) ? take_reg(R, instr_a(w)) : ABSENT)
/* A = v, and operand B is consumed. */
#define DONE_KILL_B(v, n)                                             \
    do {                                                              \
        Value v2_ = (v);                                              \
        if (COUNT_EXACT && (w & ((IF_DST_LOCAL | IF_KILL_B) << 8))) { \
            Value b_ = TAKE_B, old_ = OLD(instr_a(w));                \
            REG_A = v2_;                                              \
            FINISH2(old_, b_, n);                                     \
        }                                                             \
        REG_A = v2_;                                                  \
        NEXT_N(n);                                                    \
    } while (0)
/* The function of a frame that is about to go; nothing but its code is needed of it any more, and that is uncounted. */
static ALWAYS_INLINE Value take_func(InterpFrame *f) {
    Value v = f->func;
    f->func = ABSENT;
    return v;
}
static ALWAYS_INLINE Value take_reg(Value *R, unsigned reg) {
    Value v = R[reg];
    R[reg] = ABSENT;
    return v;
}

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
            DONE(z);                         \
    } while (0)

/* a op b of the machine's doubles: the result when it is an immediate; otherwise the step makes the box. */
#define FLOAT_ARITH(expr, fallback)        \
    do {                                   \
        double x = v_flo(b), y = v_flo(c); \
        Value z = v_from_double(expr);     \
        if (LIKELY(z != ABSENT))           \
            DONE(z);                       \
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

#define ADD_BODY(c_value, step)                                                  \
    Value b = REG_B, c = (c_value);                                              \
    if (LIKELY(BOTH_INT(b, c))) {                                                \
        int64_t r;                                                               \
        if (LIKELY(!__builtin_add_overflow((int64_t)b, (int64_t)(c - 1), &r))) { \
            DONE((Value)r);                                                      \
        }                                                                        \
    } else if (BOTH_FLO(b, c)) {                                                 \
        FLOAT_ARITH(x + y, step);                                                \
    } else if (MIXED(b, c)) {                                                    \
        MIXED_ARITH(x + y);                                                      \
    }                                                                            \
    STEP_ANY(step);
#define SUB_BODY(c_value, step)                                                  \
    Value b = REG_B, c = (c_value);                                              \
    if (LIKELY(BOTH_INT(b, c))) {                                                \
        int64_t r;                                                               \
        if (LIKELY(!__builtin_sub_overflow((int64_t)b, (int64_t)(c - 1), &r))) { \
            DONE((Value)r);                                                      \
        }                                                                        \
    } else if (BOTH_FLO(b, c)) {                                                 \
        FLOAT_ARITH(x - y, step);                                                \
    } else if (MIXED(b, c)) {                                                    \
        MIXED_ARITH(x - y);                                                      \
    }                                                                            \
    STEP_ANY(step);
#define MUL_BODY(c_value, step)                                                \
    Value b = REG_B, c = (c_value);                                            \
    if (BOTH_INT(b, c)) {                                                      \
        int64_t r;                                                             \
        if (LIKELY(!__builtin_mul_overflow((int64_t)(b - 1), v_int(c), &r))) { \
            DONE((Value)r + 1);                                                \
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
#define FLOORDIV_BODY(c_value, step)                     \
    Value b = REG_B, c = (c_value);                      \
    if (BOTH_INT(b, c) && v_int(c) > 0) {                \
        DONE(v_from_int(floor_div(v_int(b), v_int(c)))); \
    }                                                    \
    STEP_ANY(step);
#define MOD_BODY(c_value, step)                          \
    Value b = REG_B, c = (c_value);                      \
    if (BOTH_INT(b, c) && v_int(c) > 0) {                \
        DONE(v_from_int(floor_mod(v_int(b), v_int(c)))); \
    }                                                    \
    STEP_ANY(step);
#define BITS_BODY(c_value, step, expr) \
    Value b = REG_B, c = (c_value);    \
    if (LIKELY(BOTH_INT(b, c))) {      \
        DONE((expr) | 1);              \
    }                                  \
    STEP_ANY(step);
#define LSHIFT_BODY(c_value, step)                                           \
    Value b = REG_B, c = (c_value);                                          \
    if (BOTH_INT(b, c) && (uint64_t)v_int(c) < 62) {                         \
        int64_t x = v_int(b), y = v_int(c), z = (int64_t)((uint64_t)x << y); \
        if (LIKELY(z >> y == x && int_fits_imm(z))) {                        \
            DONE(v_from_int(z));                                             \
        }                                                                    \
    }                                                                        \
    STEP_ANY(step);
#define RSHIFT_BODY(c_value, step)                       \
    Value b = REG_B, c = (c_value);                      \
    if (BOTH_INT(b, c) && v_int(c) >= 0) {               \
        DONE(v_from_int(v_int(b) >> MIN(v_int(c), 63))); \
    }                                                    \
    STEP_ANY(step);

#define COMPARE_BODY(op, name)                  \
    Value b = REG_B, c = REG_C;                 \
    if (LIKELY(BOTH_INT(b, c))) {               \
        DONE(v_bool((int64_t)b op(int64_t) c)); \
    }                                           \
    if (BOTH_FLO(b, c)) {                       \
        DONE(v_bool(v_flo(b) op v_flo(c)));     \
    }                                           \
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

/* True or false without calling anything: 1, 0; -1 otherwise. */
static ALWAYS_INLINE int quick_truth(Value v) {
    if (v == V_TRUE)
        return 1;
    if (v == V_FALSE || v == V_NONE)
        return 0;
    if (v_is_int(v))
        return v != v_from_int(0);
    return -1;
}

static ALWAYS_INLINE void enter_locals(Value *r, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++)
        STORE_RELAXED((Ref *)&r[i], ABSENT); /* atomic, or the compiler calls memset for three words */
}

/* A plain frame (no flags) whose function takes n arguments that lie in place: pushed without a call. h: its header. */
#define TRY_PUSH(h, n, func_value)                                                            \
    do {                                                                                      \
        Value fv_ = (func_value);                                                             \
        if (LIKELY(v_is_exact(fv_, IDX_FUNCTION))) {                                          \
            Code *c_ = function_code(fv_);                                                    \
            InterpFrame *caller_ = frame_of_regs(R);                                          \
            Value *r_ = (h) + FRAME_WORDS;                                                    \
            if (LIKELY(c_->fast_args == (uint32_t)(n) && r_ + c_->n_regs <= t->stack_limit && \
                       (int)caller_->depth + 1 < LOAD_RELAXED(&interp_recursion_limit) &&     \
                       LOAD_RELAXED(&t->poll) == 0)) {                                        \
                InterpFrame *f_ = (InterpFrame *)(h);                                         \
                caller_->pc = pc;                                                             \
                f_->code = c_;                                                                \
                f_->prev = caller_;                                                           \
                f_->flags = 0;                                                                \
                f_->depth = caller_->depth + 1;                                               \
                enter_locals(r_, (uint32_t)(n), c_->n_locals);                                \
                t->frame = f_;                                                                \
                R = r_;                                                                       \
                pc = c_->instrs;                                                              \
                K = c_->consts;                                                               \
                DISPATCH();                                                                   \
            }                                                                                 \
        }                                                                                     \
    } while (0)

#if TAILCALL
DECLARE_SHARED(raised);
DECLARE_SHARED(reraised);
DECLARE_SHARED(enter);
DECLARE_SHARED(leave);
DECLARE_SHARED(polled);
DECLARE_SHARED(resume);
DECLARE_SHARED(pairs);
DECLARE_SHARED(suspend);
DECLARE_SHARED(tail_step_for_iter);
DECLARE_SHARED(tail_step_yield);
DECLARE_SHARED(died1);
DECLARE_SHARED(died2);
DECLARE_SHARED(died3);
DECLARE_SHARED(died_jump);
#else
Value dispatch_run(Thread *t, bool throwing) {
    static const void *const op_table[256] = {
#define X(name, operands, extra, effects) [OP_##name] = &&op_##name,
#include "interp/instructions.def"
#undef X
    };
    Value *R = NULL, *K = NULL;
    Instr *pc = NULL;
    uint64_t w = 0;
    if (throwing)
        goto raised; /* a traceback entry for the frame that it is thrown into */
    goto enter;
#endif

/* ---- where instructions meet
 * --------------------------------------------------------------------------------------------------------- */

/* Thread.frame goes on at its pc. */
SHARED(enter) {
    InterpFrame *f = t->frame;
    R = f->regs;
    pc = f->pc;
    K = f->code->consts;
    DISPATCH();
}
SHARED(leave) {
    return t->interp_result;
}
SHARED(raised) {
    if (LIKELY(interp_unwind(t, true)))
        GOTO(enter);
    return ABSENT;
}
SHARED(reraised) {
    if (LIKELY(interp_unwind(t, false)))
        GOTO(enter);
    return ABSENT;
}
/* What FINISH leaves: w and Thread.dying are dead objects, or ABSENT. */
#define DIED(offset)                                  \
    Value second = t->dying;                          \
    int words = (offset);                             \
    publish_pc(R, pc);                                \
    if (w != ABSENT && second != ABSENT)              \
        dead_pair(v_obj(w), v_obj(second));           \
    else                                              \
        dead_object(v_obj(w != ABSENT ? w : second)); \
    pc += words;                                      \
    DISPATCH();
SHARED(died1){DIED(1)} SHARED(died2){DIED(2)} SHARED(died3){DIED(3)} SHARED(died_jump){DIED(t->dying_offset)}
/* A safepoint in front of the instruction at pc. */
SHARED(polled) {
    publish_pc(R, pc);
    if (UNLIKELY(excl_poll() < 0))
        GOTO(raised);
    DISPATCH();
}

/* FOR_ITER over a generator that is suspended, with nothing out of the ordinary: its frame goes above this one. */
SHARED(resume) {
    Value it = REG_A;
    Generator *g = (Generator *)it;
    Code *c = (Code *)ref_peek(&g->code);
    InterpFrame *caller = frame_of_regs(R), *f = (InterpFrame *)(R + caller->code->n_regs);
    if (LIKELY(excl_alone(it) && LOAD_RELAXED(&g->state) == GEN_SUSPENDED && ref_peek(&g->frame_obj) == ABSENT &&
               t->handled == ABSENT && ref_peek(&g->own_handled) == ABSENT && f->regs + c->n_regs <= t->stack_limit &&
               (int)caller->depth + 1 < LOAD_RELAXED(&interp_recursion_limit))) {
        caller->pc = pc;
        STORE_RELAXED(&g->state, GEN_RUNNING);
        R = f->regs;
        for (uint32_t i = 0, n = g->n_saved; i < n; i++)
            STORE_RELAXED((Ref *)&R[i], LOAD_RELAXED(&g->regs[i]));
        g->n_saved = 0;
        f->func = ref_peek(&g->func);
        f->code = c;
        f->prev = caller;
        f->extra = it;
        f->flags = FR_GEN;
        f->depth = caller->depth + 1;
        g->frame = f;
        t->frame = f;
        K = c->consts;
        pc = g->pc;
        w = LOAD_RELAXED(pc);
        DONE(V_NONE); /* what the yield gives */
    }
    STEP_ANY(step_for_iter);
}
/* FOR_ITER over enumerate, zip or items() with the UNPACK of two behind it: no tuple is made. Moves to two locals
 * behind that are done too. */
SHARED(pairs) {
    uint64_t u = LOAD_RELAXED(pc + 1);
    if (instr_op(u) == OP_UNPACK && instr_c(u) == 2 && instr_b(u) == instr_b(w) && (instr_flags(u) & IF_KILL_B)) {
        unsigned at = instr_a(u);
        if (LIKELY(iter_fast_pair(REG_A, &R[at]))) {
            uint64_t m1 = LOAD_RELAXED(pc + 2), m2 = LOAD_RELAXED(pc + 3);
            if (instr_op(m1) == OP_MOVE && instr_op(m2) == OP_MOVE && instr_flags(m1) == (IF_DST_LOCAL | IF_KILL_B) &&
                instr_flags(m2) == (IF_DST_LOCAL | IF_KILL_B) && instr_b(m1) == at + 1 && instr_b(m2) == at) {
                Value old1 = R[instr_a(m1)], x = R[at + 1], old2, y = R[at];
                R[instr_a(m1)] = x;
                old2 = R[instr_a(m2)];
                R[instr_a(m2)] = y;
                FINISH_JUMP(old1, old2, 4);
            }
            NEXT_N(2);
        }
    }
    STEP_ANY(step_for_iter);
}
/* The fast cases of YIELD. */
SHARED(suspend) {
    InterpFrame *f = frame_of_regs(R);
    Code *c = f->code;
    Generator *g = (Generator *)f->extra;
    if (LIKELY((f->flags & ~(uint32_t)FR_ENTRY) == FR_GEN && !c->yields_in_block && t->handled == ABSENT &&
               ref_peek(&g->inherited) == ABSENT)) {
        InterpFrame *caller = f->prev;
        uint64_t cw = caller ? LOAD_RELAXED(caller->pc) : OP_NOP;
        bool to_c = f->flags & FR_ENTRY; /* resumed by a native: gen_next */
        if (LIKELY(to_c || instr_op(cw) == OP_FOR_ITER)) {
            Value v = REG_B;
            if (COUNT_EXACT) {
                if (HAS_FLAG(IF_KILL_B))
                    REG_B = ABSENT;
                else
                    retain(v);
            }
            for (uint32_t i = 0, n = g->n_saved = c->depths[pc - c->instrs]; i < n; i++) {
                ref_written(V_OF(g), ABSENT, R[i]);
                STORE_RELAXED(&g->regs[i], R[i]);
            }
            g->pc = pc;
            g->frame = NULL;
            STORE_RELEASE(&g->state, GEN_SUSPENDED); /* pairs with gen_take: whoever goes on sees the registers */
            t->frame = caller;
            if (to_c) {
                t->interp_result = v;
                GOTO(leave);
            }
            R = caller->regs;
            pc = caller->pc;
            K = caller->code->consts;
            w = cw;
            DONE_B(v);
        }
    }
    STEP_ANY(step_yield);
}
#if TAILCALL
#define TAIL_STEP(fn, n)      \
    SHARED(tail_##fn##_##n) { \
        STEP_BODY(fn, n);     \
    }
#define TAIL_STEP_ANY(fn)     \
    SHARED(tail_##fn) {       \
        STEP_ANY_BODY(fn, 1); \
    }
#define TAIL_STEP_ANY_N(fn, n)    \
    SHARED(tail_any_##fn##_##n) { \
        STEP_ANY_BODY(fn, n);     \
    }
#endif
#if TAILCALL
TAIL_STEP(step_async_gen_wrap, 1)
TAIL_STEP(step_binary_i, 1)
TAIL_STEP(step_build_list, 1)
TAIL_STEP(step_build_map, 1)
TAIL_STEP(step_build_slice, 1)
TAIL_STEP(step_build_string, 1)
TAIL_STEP(step_build_tuple, 1)
TAIL_STEP(step_check_local, 1)
TAIL_STEP(step_compare, 1)
TAIL_STEP(step_copy_without_keys, 1)
TAIL_STEP(step_delete_attr, 1)
TAIL_STEP(step_delete_cell, 1)
TAIL_STEP(step_delete_free, 1)
TAIL_STEP(step_delete_global, 1)
TAIL_STEP(step_delete_local, 1)
TAIL_STEP(step_delete_name, 1)
TAIL_STEP(step_delitem, 1)
TAIL_STEP(step_dict_merge, 1)
TAIL_STEP(step_dict_update, 1)
TAIL_STEP(step_exc_group_match, 1)
TAIL_STEP(step_exc_match, 1)
TAIL_STEP(step_for_prep, 1)
TAIL_STEP(step_for_range, 1)
TAIL_STEP(step_format_value, 1)
TAIL_STEP(step_get_aiter, 1)
TAIL_STEP(step_get_anext, 1)
TAIL_STEP(step_get_awaitable, 1)
TAIL_STEP(step_get_iter, 1)
TAIL_STEP(step_get_len, 1)
TAIL_STEP(step_get_yield_from_iter, 1)
TAIL_STEP(step_getitem_i, 1)
TAIL_STEP(step_getitem_k, 1)
TAIL_STEP(step_getslice, 2)
TAIL_STEP(step_import_from, 1)
TAIL_STEP(step_import_name, 1)
TAIL_STEP(step_import_star, 1)
TAIL_STEP(step_in, 1)
TAIL_STEP(step_list_append, 1)
TAIL_STEP(step_list_extend, 1)
TAIL_STEP(step_list_to_tuple, 1)
TAIL_STEP(step_load_build_class, 1)
TAIL_STEP(step_load_cell, 1)
TAIL_STEP(step_load_classderef, 1)
TAIL_STEP(step_load_free, 1)
TAIL_STEP(step_load_global, 3)
TAIL_STEP(step_load_method, 2)
TAIL_STEP(step_load_name, 3)
TAIL_STEP(step_load_super_attr, 1)
TAIL_STEP(step_make_cell, 1)
TAIL_STEP(step_make_function, 1)
TAIL_STEP(step_map_add, 1)
TAIL_STEP(step_match_class, 2)
TAIL_STEP(step_match_keys, 1)
TAIL_STEP(step_match_mapping, 1)
TAIL_STEP(step_match_sequence, 1)
TAIL_STEP(step_not, 1)
TAIL_STEP(step_pop_exc, 1)
TAIL_STEP(step_prep_reraise_star, 1)
TAIL_STEP(step_print_expr, 1)
TAIL_STEP(step_push_exc, 1)
TAIL_STEP(step_set_add, 1)
TAIL_STEP(step_set_update, 1)
TAIL_STEP(step_setitem, 1)
TAIL_STEP(step_setslice, 2)
TAIL_STEP(step_setup_annotations, 1)
TAIL_STEP(step_store_attr, 2)
TAIL_STEP(step_store_cell, 1)
TAIL_STEP(step_store_free, 1)
TAIL_STEP(step_store_global, 2)
TAIL_STEP(step_store_name, 2)
TAIL_STEP(step_unary, 1)
TAIL_STEP(step_unpack, 1)
TAIL_STEP(step_unpack_ex, 1)
TAIL_STEP(step_wide_name, 2)
TAIL_STEP(step_with_enter, 1)
TAIL_STEP(step_with_except, 1)
TAIL_STEP_ANY(step_binary)
TAIL_STEP_ANY(step_binary_k)
TAIL_STEP_ANY(step_build_set)
TAIL_STEP_ANY(step_call)
TAIL_STEP_ANY(step_call_ex)
TAIL_STEP_ANY(step_call_kw)
TAIL_STEP_ANY(step_call_method)
TAIL_STEP_ANY(step_call_super)
TAIL_STEP_ANY(step_compare_jump)
TAIL_STEP_ANY(step_end_async_for)
TAIL_STEP_ANY(step_for_iter)
TAIL_STEP_ANY(step_getitem)
TAIL_STEP_ANY(step_in_jump)
TAIL_STEP_ANY(step_raise)
TAIL_STEP_ANY(step_reraise)
TAIL_STEP_ANY(step_send)
TAIL_STEP_ANY(step_truth_jump)
TAIL_STEP_ANY(step_truth_or_pop)
TAIL_STEP_ANY(step_yield)
TAIL_STEP_ANY_N(step_load_attr, 2)
#endif

/* ---- moving
 * --------------------------------------------------------------------------------------------------------------------------
 */

OP(NOP) {
    NEXT();
}
OP(MOVE) {
    Value v = REG_B;
    if (COUNT_EXACT && !(w & (IF_KILL_B << 8)))
        retain(v);
    DONE(v);
}
OP(LOAD_CONST) {
    Value v = retained(K[instr_bc(w)]);
    DONE(v);
}
OP(LOAD_INT) {
    DONE(v_from_int(instr_bc(w)));
}
OP(CHECK_LOCAL) {
    if (LIKELY(REG_A != ABSENT))
        NEXT();
    STEP(step_check_local);
}
OP(DELETE_LOCAL) {
    STEP(step_delete_local);
}
OP(CLEAR) {
    Value v = take_reg(R, instr_a(w));
    FINISH1(v, 1);
}
OP(RELEASE) {
    FINISH1(take_reg(R, instr_a(w)), 1);
}

/* ---- cells
 * ---------------------------------------------------------------------------------------------------------------------------
 */

OP(MAKE_CELL) {
    STEP(step_make_cell);
}
OP(LOAD_CELL) {
    if (READS_LOCK_FREE) {
        Value cell = REG_B, v = ref_load(cell, &((Cell *)cell)->value);
        if (LIKELY(v != ABSENT)) {
            DONE(v);
        }
    }
    STEP(step_load_cell);
}
OP(STORE_CELL) {
    STEP(step_store_cell);
}
OP(DELETE_CELL) {
    STEP(step_delete_cell);
}
OP(LOAD_FREE) {
    if (READS_LOCK_FREE) {
        Value closure = ref_peek(&((Function *)frame_of_regs(R)->func)->closure);
        Value cell = tuple_get(closure, instr_b(w)), v = ref_load(cell, &((Cell *)cell)->value);
        if (LIKELY(v != ABSENT)) {
            DONE(v);
        }
    }
    STEP(step_load_free);
}
OP(STORE_FREE) {
    STEP(step_store_free);
}
OP(DELETE_FREE) {
    STEP(step_delete_free);
}
OP(LOAD_CLOSURE) {
    Value closure = ref_peek(&((Function *)frame_of_regs(R)->func)->closure);
    DONE(retained(tuple_get(closure, instr_b(w))));
}
OP(LOAD_CLASSDEREF) {
    STEP(step_load_classderef);
}

/* ---- names
 * ---------------------------------------------------------------------------------------------------------------------------
 */

OP(LOAD_GLOBAL) {
    Function *f = (Function *)frame_of_regs(R)->func;
    Value g = ref_peek(&f->globals);
    uint64_t ic = LOAD_RELAXED(pc + 1);
    if (LIKELY(IC_KIND(ic) == IC_DICT_SLOT)) {
        Value v = dict_cached_load(g, IC_GUARD(ic), IC_PAYLOAD(ic));
        if (LIKELY(v != ABSENT)) {
            DONE_N(v, 3);
        }
        uint64_t ic2 = LOAD_RELAXED(pc + 2);
        if (IC_KIND(ic2) == IC_DICT_SLOT && dict_cached_missing(g, IC_GUARD(ic), IC_PAYLOAD(ic))) {
            v = dict_cached_load(ref_peek(&f->builtins), IC_GUARD(ic2), IC_PAYLOAD(ic2));
            if (LIKELY(v != ABSENT)) {
                DONE_N(v, 3);
            }
        }
    }
    STEP_N(step_load_global, 3);
}
OP(STORE_GLOBAL) {
    uint64_t ic = LOAD_RELAXED(pc + 1);
    if (!EXCL_PARALLEL && LIKELY(IC_KIND(ic) == IC_DICT_SLOT)) {
        Value v = REG_A;
        publish_pc(R, pc); /* the old value may die in there */
        if (LIKELY(dict_cached_store(ref_peek(&((Function *)frame_of_regs(R)->func)->globals), IC_GUARD(ic),
                                     IC_PAYLOAD(ic), v))) {
            FINISH1(TAKE_A, 2);
        }
    }
    STEP_N(step_store_global, 2);
}
OP(DELETE_GLOBAL) {
    STEP(step_delete_global);
}
OP(LOAD_NAME) {
    STEP_N(step_load_name, 3);
}
OP(STORE_NAME) {
    STEP_N(step_store_name, 2);
}
OP(DELETE_NAME) {
    STEP(step_delete_name);
}
OP(WIDE_NAME) {
    STEP_N(step_wide_name, 2);
}

/* ---- attributes
 * ----------------------------------------------------------------------------------------------------------------------
 */

OP(LOAD_ATTR) {
    if (READS_LOCK_FREE) {
        Value o = REG_B;
        uint64_t ic = LOAD_RELAXED(pc + 1);
        if (LIKELY(v_is_obj(o) && IC_GUARD_KIND(ic) == IC_KEY(obj_index(o), IC_INLINE))) {
            Value v = ref_load(o, (Ref *)((char *)o + IC_PAYLOAD(ic)));
            if (LIKELY(v != ABSENT)) {
                DONE_KILL_B(v, 2);
            }
        }
    }
    STEP_ANY_N(step_load_attr, 2);
}
OP(STORE_ATTR) {
    Value o = REG_B;
    uint64_t ic = LOAD_ACQUIRE(pc + 1);
    if (LIKELY(v_is_obj(o) && (!STORES_NEED_LOCK || !obj_is_shared(o) || excl_retains(o) || excl_alone(o)))) {
        uint32_t index = obj_index(o);
        if (LIKELY(IC_GUARD_KIND(ic) == IC_KEY(index, IC_INLINE))) {
            Ref *r = (Ref *)((char *)o + IC_PAYLOAD(ic));
            if (LIKELY(ref_peek(r) != ABSENT)) {
                Value v = REG_A;
                if (COUNT_EXACT) {
                    if (HAS_FLAG(IF_KILL_A))
                        REG_A = ABSENT;
                    else
                        retain(v);
                }
                Value old = ref_swap(o, r, v), b = TAKE_B;
                FINISH2(old, b, 2);
            }
        } else if (excl_alone(o) && IC_GUARD_KIND(ic) == IC_KEY(index, IC_ADD_INLINE)) {
            const SideCell *c = ic_cell(ic);
            Ref *r = (Ref *)((char *)o + c->aux);
            if (LIKELY(ic_cell_valid(c) && ref_peek(r) == ABSENT)) {
                Value v = REG_A;
                if (COUNT_EXACT) {
                    if (HAS_FLAG(IF_KILL_A))
                        REG_A = ABSENT;
                    else
                        retain(v);
                }
                ref_swap(o, r, v);
                STORE_RELEASE(&v_obj(o)->index,
                              c->next_shape); /* pairs with readers' guard: the value comes before the shape */
                FINISH1(TAKE_B, 2);
            }
        }
    }
    STEP_N(step_store_attr, 2);
}
OP(DELETE_ATTR) {
    STEP(step_delete_attr);
}
OP(LOAD_METHOD) {
    Value o = REG_B;
    uint64_t ic = LOAD_ACQUIRE(pc + 1);
    if (LIKELY(v_is_obj(o) && IC_GUARD_KIND(ic) == IC_KEY(obj_index(o), IC_METHOD))) {
        const SideCell *c = ic_cell(ic);
        if (LIKELY(ic_cell_valid(c))) {
            Value *block = &REG_A;
            if (COUNT_EXACT && !(w & (IF_KILL_B << 8)))
                retain(o);
            block[0] = c->value; /* uncounted */
            block[1] = ABSENT;
            block[FRAME_WORDS] = o;
            NEXT_N(2);
        }
    }
    STEP_N(step_load_method, 2);
}
OP(LOAD_SUPER_ATTR) {
    STEP(step_load_super_attr);
}
/* ---- items
 * ---------------------------------------------------------------------------------------------------------------------------
 */

OP(GETITEM) {
    Value b = REG_B, c = REG_C;
    if (LIKELY(v_is_obj(b) && v_is_int(c))) {
        if (obj_index(b) == IDX_LIST) {
            if (READS_LOCK_FREE) {
                intptr_t i = v_int(c);
                if (UNLIKELY(i < 0))
                    i += list_len(b);
                Value v = list_get_fast(b, i);
                if (LIKELY(v != ABSENT)) {
                    DONE_KILL_B(v, 1);
                }
            }
        } else if (obj_index(b) == IDX_TUPLE) {
            intptr_t i = v_int(c);
            if (UNLIKELY(i < 0))
                i += tuple_len(b);
            if (LIKELY((size_t)i < (size_t)tuple_len(b))) {
                DONE_KILL_B(retained(tuple_get(b, i)), 1);
            }
        }
    }
    STEP_ANY(step_getitem);
}
OP(GETITEM_I) {
    Value b = REG_B;
    if (LIKELY(v_is_obj(b))) {
        intptr_t i = instr_sc(w);
        if (obj_index(b) == IDX_LIST) {
            if (READS_LOCK_FREE) {
                if (i < 0)
                    i += list_len(b);
                Value v = list_get_fast(b, i);
                if (LIKELY(v != ABSENT)) {
                    DONE_KILL_B(v, 1);
                }
            }
        } else if (obj_index(b) == IDX_TUPLE) {
            if (i < 0)
                i += tuple_len(b);
            if (LIKELY((size_t)i < (size_t)tuple_len(b))) {
                DONE_KILL_B(retained(tuple_get(b, i)), 1);
            }
        }
    }
    STEP(step_getitem_i);
}
OP(GETITEM_K) {
    STEP(step_getitem_k);
}
OP(SETITEM) {
    Value b = REG_B, c = REG_C;
    if (LIKELY(v_is_exact(b, IDX_LIST) && v_is_int(c))) {
        intptr_t i = v_int(c);
        if (UNLIKELY(i < 0))
            i += list_len(b);
        Value v = REG_A;
        publish_pc(R, pc); /* the old item may die in there */
        if (LIKELY(i >= 0 && list_set_fast(b, i, v))) {
            Value a = TAKE_A, o = TAKE_B;
            FINISH2(a, o, 1);
        }
    }
    STEP(step_setitem);
}
OP(DELITEM) {
    STEP(step_delitem);
}

/* ---- arithmetic
 * ----------------------------------------------------------------------------------------------------------------------
 */

OP(ADD){ADD_BODY(REG_C, step_binary)} OP(SUB){SUB_BODY(REG_C, step_binary)} OP(MUL){
    MUL_BODY(REG_C, step_binary)} OP(TRUEDIV){TRUEDIV_BODY(REG_C, step_binary)} OP(FLOORDIV){
    FLOORDIV_BODY(REG_C, step_binary)} OP(MOD){MOD_BODY(REG_C, step_binary)} OP(POW) {
    STEP_ANY(step_binary);
}
OP(MATMUL) {
    STEP_ANY(step_binary);
}
OP(LSHIFT){LSHIFT_BODY(REG_C, step_binary)} OP(RSHIFT){RSHIFT_BODY(REG_C, step_binary)} OP(AND){
    BITS_BODY(REG_C, step_binary, b &c)} OP(OR){BITS_BODY(REG_C, step_binary, b | c)} OP(XOR){
    BITS_BODY(REG_C, step_binary, b ^ c)} OP(ADD_I) {
    Value b = REG_B;
    int64_t r;
    if (LIKELY(v_is_int(b) && !__builtin_add_overflow((int64_t)b, (int64_t)instr_sc(w) * 2, &r))) {
        DONE((Value)r);
    }
    STEP(step_binary_i);
}
OP(SUB_I) {
    Value b = REG_B;
    int64_t r;
    if (LIKELY(v_is_int(b) && !__builtin_sub_overflow((int64_t)b, (int64_t)instr_sc(w) * 2, &r))) {
        DONE((Value)r);
    }
    STEP(step_binary_i);
}
OP(ADD_K){ADD_BODY(K[instr_c(w)], step_binary_k)} OP(SUB_K){SUB_BODY(K[instr_c(w)], step_binary_k)} OP(MUL_K){
    MUL_BODY(K[instr_c(w)], step_binary_k)} OP(TRUEDIV_K){TRUEDIV_BODY(K[instr_c(w)], step_binary_k)} OP(FLOORDIV_K){
    FLOORDIV_BODY(K[instr_c(w)], step_binary_k)} OP(MOD_K){MOD_BODY(K[instr_c(w)], step_binary_k)} OP(POW_K) {
    STEP_ANY(step_binary_k);
}
OP(MATMUL_K) {
    STEP_ANY(step_binary_k);
}
OP(LSHIFT_K){LSHIFT_BODY(K[instr_c(w)], step_binary_k)} OP(RSHIFT_K){
    RSHIFT_BODY(K[instr_c(w)], step_binary_k)} OP(AND_K){BITS_BODY(K[instr_c(w)], step_binary_k, b &c)} OP(OR_K){
    BITS_BODY(K[instr_c(w)], step_binary_k, b | c)} OP(XOR_K){BITS_BODY(K[instr_c(w)], step_binary_k, b ^ c)} OP(NEG) {
    Value b = REG_B;
    int64_t r;
    if (LIKELY(v_is_int(b) && !__builtin_sub_overflow((int64_t)2, (int64_t)b, &r))) {
        DONE((Value)r);
    }
    STEP(step_unary);
}
OP(POS) {
    STEP(step_unary);
}
OP(INVERT) {
    Value b = REG_B;
    if (LIKELY(v_is_int(b))) {
        DONE(v_from_int(~v_int(b)));
    }
    STEP(step_unary);
}
OP(NOT) {
    int r = quick_truth(REG_B);
    if (LIKELY(r >= 0)) {
        DONE(v_bool(!r));
    }
    STEP(step_not);
}

/* ---- comparison
 * ----------------------------------------------------------------------------------------------------------------------
 */

OP(LT){COMPARE_BODY(<, CMP_LT)} OP(LE){COMPARE_BODY(<=, CMP_LE)} OP(EQ){COMPARE_BODY(==, CMP_EQ)} OP(NE){
    COMPARE_BODY(!=, CMP_NE)} OP(GT){COMPARE_BODY(>, CMP_GT)} OP(GE){COMPARE_BODY(>=, CMP_GE)} OP(IS) {
    Value is = v_bool(REG_B == REG_C), b = TAKE_B, c = TAKE_C;
    if (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL)) {
        Value old = REG_A;
        REG_A = is;
        publish_pc(R, pc);
        release(b);
        release(c);
        FINISH1(old, 1);
    }
    REG_A = is;
    FINISH2(b, c, 1);
}
OP(IS_NOT) {
    Value is = v_bool(REG_B != REG_C), b = TAKE_B, c = TAKE_C;
    if (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL)) {
        Value old = REG_A;
        REG_A = is;
        publish_pc(R, pc);
        release(b);
        release(c);
        FINISH1(old, 1);
    }
    REG_A = is;
    FINISH2(b, c, 1);
}
OP(IN) {
    STEP(step_in);
}
OP(NOT_IN) {
    STEP(step_in);
}

/* ---- jumps
 * ---------------------------------------------------------------------------------------------------------------------------
 */

OP(JUMP) {
    pc += instr_bc(w);
    DISPATCH();
}
OP(JUMP_BACK) {
    JUMP_POLL(instr_bc(w));
}
OP(JUMP_IF_TRUE) {
    int r = quick_truth(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_jump);
    if (r)
        JUMP_POLL(instr_bc(w));
    NEXT();
}
OP(JUMP_IF_FALSE) {
    int r = quick_truth(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_jump);
    if (!r)
        JUMP_POLL(instr_bc(w));
    NEXT();
}
OP(JUMP_IF_TRUE_OR_POP) {
    int r = quick_truth(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_or_pop);
    if (r) {
        pc += instr_bc(w);
        DISPATCH();
    }
    NEXT(); /* what is dropped is an immediate */
}
OP(JUMP_IF_FALSE_OR_POP) {
    int r = quick_truth(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_or_pop);
    if (!r) {
        pc += instr_bc(w);
        DISPATCH();
    }
    NEXT(); /* what is dropped is an immediate */
}
OP(JUMP_IF_NONE) {
    if (REG_A == V_NONE) {
        pc += instr_bc(w);
        DISPATCH();
    }
    FINISH1(TAKE_A, 1);
}
OP(JUMP_IF_NOT_NONE) {
    if (REG_A == V_NONE)
        NEXT();
    int offset = instr_bc(w);
    FINISH_JUMP(TAKE_A, ABSENT, offset);
}
OP(JLT){COMPARE_JUMP(<, true)} OP(JLE){COMPARE_JUMP(<=, true)} OP(JEQ){COMPARE_JUMP(==, true)} OP(JNE){
    COMPARE_JUMP(!=, true)} OP(JGT){COMPARE_JUMP(>, true)} OP(JGE){COMPARE_JUMP(>=, true)} OP(JNLT){
    COMPARE_JUMP(<, false)} OP(JNLE){COMPARE_JUMP(<=, false)} OP(JNEQ){COMPARE_JUMP(==, false)} OP(JNNE){
    COMPARE_JUMP(!=, false)} OP(JNGT){COMPARE_JUMP(>, false)} OP(JNGE){COMPARE_JUMP(>=, false)} OP(JLT_I){
    COMPARE_JUMP_I(<, true)} OP(JLE_I){COMPARE_JUMP_I(<=, true)} OP(JEQ_I){COMPARE_JUMP_I(==, true)} OP(JNE_I){
    COMPARE_JUMP_I(!=, true)} OP(JGT_I){COMPARE_JUMP_I(>, true)} OP(JGE_I){COMPARE_JUMP_I(>=, true)} OP(JNLT_I){
    COMPARE_JUMP_I(<, false)} OP(JNLE_I){COMPARE_JUMP_I(<=, false)} OP(JNEQ_I){COMPARE_JUMP_I(==, false)} OP(JNNE_I){
    COMPARE_JUMP_I(!=, false)} OP(JNGT_I){COMPARE_JUMP_I(>, false)} OP(JNGE_I){COMPARE_JUMP_I(>=, false)} OP(JIN) {
    STEP_ANY(step_in_jump);
}
OP(JNIN) {
    STEP_ANY(step_in_jump);
}
OP(JIS) {
    int offset = REG_A == REG_B ? instr_sc(w) : 1;
    Value a = TAKE_A, b = TAKE_B;
    FINISH_JUMP(a, b, offset);
}
OP(JNIS) {
    int offset = REG_A != REG_B ? instr_sc(w) : 1;
    Value a = TAKE_A, b = TAKE_B;
    FINISH_JUMP(a, b, offset);
}

/* ---- iteration
 * -----------------------------------------------------------------------------------------------------------------------
 */

OP(GET_ITER) {
    Value b = REG_B;
    /* What a loop starts from just as well as from its iterator. */
    if (v_is_obj(b) && (obj_index(b) == IDX_LIST || obj_index(b) == IDX_TUPLE || obj_index(b) == IDX_RANGE ||
                        obj_index(b) == IDX_GENERATOR)) {
        retain(b);
        DONE_KILL_B(b, 1);
    }
    STEP(step_get_iter);
}
OP(FOR_PREP) {
    STEP(step_for_prep);
}
OP(FOR_RANGE) {
    STEP(step_for_range);
}
OP(FOR_ITER) {
    Value *S = &REG_A, it = S[0];
    if (v_is_int(it)) {
        Value left = S[1];
        if (LIKELY(left != v_from_int(0))) {
            S[1] = left - 2;
            S[0] = it + (S[2] - 1);
            DONE_B(it);
        }
        S[0] = ABSENT;
        pc += instr_sc(w);
        DISPATCH();
    }
    if (READS_LOCK_FREE && obj_index(it) == IDX_LIST) {
        Value v = list_get_fast(it, v_int(S[1]));
        if (LIKELY(v != ABSENT)) {
            S[1] += 2;
            DONE_B(v);
        }
    } else if (obj_index(it) == IDX_TUPLE) {
        intptr_t i = v_int(S[1]);
        if (LIKELY(i < tuple_len(it))) {
            S[1] += 2;
            DONE_B(retained(tuple_get(it, i)));
        }
    }
    if (obj_index(it) == IDX_GENERATOR)
        GOTO(resume);
    if (obj_index(it) == IDX_STR) {
        size_t i = (size_t)v_int(S[1]);
        uint64_t ls = str_len_state(it);
        if (LIKELY((ls & (STR_KIND | STR_EXTERNAL)) == 1 && i < ls >> STR_LEN_SHIFT)) {
            S[1] += 2;
            DONE_B(str_latin1_chars[((Str *)it)->data[i]]);
        }
    }
    GOTO(pairs);
}
/* The fast cases of FOR_ITER; all else is left to the FOR_ITER itself. */
OP(FOR_LOOP) {
    Value *S = &REG_A, it = S[0];
    if (UNLIKELY(LOAD_RELAXED(&t->poll) != 0)) {
        pc += instr_sc(w);
        GOTO(polled);
    }
    if (v_is_int(it)) {
        Value left = S[1];
        if (LIKELY(left != v_from_int(0))) {
            S[1] = left - 2;
            S[0] = it + (S[2] - 1);
            DONE_B_BACK(it);
        }
    } else if (READS_LOCK_FREE && obj_index(it) == IDX_LIST) {
        Value v = list_get_fast(it, v_int(S[1]));
        if (LIKELY(v != ABSENT)) {
            S[1] += 2;
            DONE_B_BACK(v);
        }
    } else if (obj_index(it) == IDX_TUPLE) {
        intptr_t i = v_int(S[1]);
        if (LIKELY(i < tuple_len(it))) {
            S[1] += 2;
            DONE_B_BACK(retained(tuple_get(it, i)));
        }
    } else if (obj_index(it) == IDX_STR) {
        size_t i = (size_t)v_int(S[1]);
        uint64_t ls = str_len_state(it);
        if (LIKELY((ls & (STR_KIND | STR_EXTERNAL)) == 1 && i < ls >> STR_LEN_SHIFT)) {
            S[1] += 2;
            DONE_B_BACK(str_latin1_chars[((Str *)it)->data[i]]);
        }
    } else if (obj_index(it) != IDX_GENERATOR && obj_index(it) != IDX_LIST) {
        pc += instr_sc(w); /* what the FOR_ITER would come to */
        w = LOAD_RELAXED(pc);
        GOTO(pairs);
    }
    pc += instr_sc(w);
    DISPATCH();
}
OP(UNPACK) {
    Value b = REG_B;
    unsigned n = instr_c(w);
    if (LIKELY(v_is_exact(b, IDX_TUPLE) && (unsigned)tuple_len(b) == n)) {
        Value *T = &REG_A, old = TAKE_B; /* whose register may be one of T's */
        for (unsigned i = 0; i < n; i++)
            STORE_RELAXED((Ref *)&T[n - 1 - i], retained(tuple_get(b, (intptr_t)i)));
        FINISH1(old, 1);
    }
    STEP(step_unpack);
}
OP(UNPACK_EX) {
    STEP(step_unpack_ex);
}

/* ---- building
 * ------------------------------------------------------------------------------------------------------------------------
 */

OP(BUILD_TUPLE) {
    STEP(step_build_tuple);
}
OP(BUILD_LIST) {
    STEP(step_build_list);
}
OP(BUILD_SET) {
    STEP_ANY(step_build_set);
}
OP(BUILD_MAP) {
    STEP(step_build_map);
}
OP(BUILD_STRING) {
    STEP(step_build_string);
}
OP(BUILD_SLICE) {
    STEP(step_build_slice);
}
OP(LIST_APPEND) {
    Value v = REG_C;
    retain(v);
    if (LIKELY(list_append_fast(REG_B, v)))
        FINISH1(TAKE_C, 1);
    if (COUNT_EXACT)
        release(v);
    STEP(step_list_append);
}
OP(SET_ADD) {
    STEP(step_set_add);
}
OP(MAP_ADD) {
    STEP(step_map_add);
}
OP(LIST_EXTEND) {
    STEP(step_list_extend);
}
OP(SET_UPDATE) {
    STEP(step_set_update);
}
OP(DICT_UPDATE) {
    STEP(step_dict_update);
}
OP(DICT_MERGE) {
    STEP(step_dict_merge);
}
OP(LIST_TO_TUPLE) {
    STEP(step_list_to_tuple);
}
OP(FORMAT_VALUE) {
    STEP(step_format_value);
}

/* ---- calls
 * ---------------------------------------------------------------------------------------------------------------------------
 */

OP(CALL) {
    Value *h = &REG_A;
    TRY_PUSH(h, instr_b(w), h[0]);
    Value f = h[0];
    if (v_is_exact(f, IDX_NATIVE) && ((Native *)f)->fn == interp_list_append_fn && instr_b(w) == 1) {
        Value v = h[FRAME_WORDS];
        if (LIKELY(list_append_fast(ref_peek(&((Native *)f)->self), v))) { /* v moves into the list */
            h[0] = h[FRAME_WORDS] = ABSENT;
            unsigned d = instr_c(w);
            Value old = OLD(d);
            R[d] = V_NONE;
            FINISH2(old, f, 1);
        }
    }
    STEP_ANY(step_call);
}
OP(CALL_METHOD) {
    Value *h = &REG_A;
    Value f = h[0];
    if (f == interp_list_append && instr_b(w) == 1 && obj_index(h[FRAME_WORDS]) == IDX_LIST) {
        Value l = h[FRAME_WORDS], v = h[FRAME_WORDS + 1];
        if (LIKELY(list_append_fast(l, v))) { /* v moves into the list */
            h[FRAME_WORDS] = h[FRAME_WORDS + 1] = ABSENT;
            unsigned d = instr_c(w);
            Value old = OLD(d);
            R[d] = V_NONE;
            FINISH2(old, l, 1);
        }
    }
    if (LIKELY(f != ABSENT))
        TRY_PUSH(h, instr_b(w) + 1, f);
    else
        TRY_PUSH(h + 1, instr_b(w), h[1]);
    STEP_ANY(step_call_method);
}
OP(CALL_SUPER) {
    STEP_ANY(step_call_super);
}
OP(GETSLICE) {
    STEP_N(step_getslice, 2);
}
OP(SETSLICE) {
    STEP_N(step_setslice, 2);
}
OP(CALL_KW) {
    STEP_ANY(step_call_kw);
}
OP(CALL_EX) {
    STEP_ANY(step_call_ex);
}
OP(MAKE_FUNCTION) {
    STEP(step_make_function);
}
OP(LOAD_BUILD_CLASS) {
    STEP(step_load_build_class);
}
OP(RETURN) {
    InterpFrame *f = frame_of_regs(R);
    Value v = REG_B;
    if (UNLIKELY(f->flags != 0) && f->flags == FR_INIT && v == V_NONE) {
        v = f->extra;
    } else if (UNLIKELY(f->flags != 0)) {
        if (COUNT_EXACT && !(w & (IF_KILL_B << 8)))
            retain(v);
        else
            REG_B = ABSENT;
        publish_pc(R, pc);
        int s = return_slow(t, f, v);
        if (s == STEP_FRAME)
            GOTO(enter);
        if (s == STEP_EXIT)
            GOTO(leave);
        GOTO(raised);
    }
    if (COUNT_EXACT) {
        REG_B = ABSENT; /* moves, out of a local too: the frame ends */
        for (uint32_t i = 0, n = f->code->n_locals; i < n; i++) {
            Value x = R[i];
            if (v_is_obj(x)) {
                R[i] = ABSENT;
                if (UNLIKELY(count_drop(v_obj(x)))) {
                    publish_pc(R, pc);
                    dead_object(v_obj(x));
                }
            }
        }
        if (UNLIKELY(count_drop(v_obj(f->func)))) {
            publish_pc(R, pc);
            dead_object(v_obj(take_func(f)));
        }
    }
    InterpFrame *caller = f->prev;
    t->frame = caller;
    R = caller->regs;
    pc = caller->pc;
    K = caller->code->consts;
    w = LOAD_RELAXED(pc);
    unsigned c = instr_c(w);
    if (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL)) {
        Value old = R[c];
        R[c] = v;
        FINISH1(old, 1);
    }
    R[c] = v;
    NEXT();
}
OP(RETURN_CONST) {
    InterpFrame *f = frame_of_regs(R);
    Value v = retained(K[instr_bc(w)]);
    if (f->flags == FR_INIT && v == V_NONE) {
        v = f->extra;
    } else if (UNLIKELY(f->flags != 0)) {
        publish_pc(R, pc);
        int s = return_slow(t, f, v);
        if (s == STEP_FRAME)
            GOTO(enter);
        if (s == STEP_EXIT)
            GOTO(leave);
        GOTO(raised);
    }
    if (COUNT_EXACT) {
        for (uint32_t i = 0, n = f->code->n_locals; i < n; i++) {
            Value x = R[i];
            if (v_is_obj(x)) {
                R[i] = ABSENT;
                if (UNLIKELY(count_drop(v_obj(x)))) {
                    publish_pc(R, pc);
                    dead_object(v_obj(x));
                }
            }
        }
        if (UNLIKELY(count_drop(v_obj(f->func)))) {
            publish_pc(R, pc);
            dead_object(v_obj(take_func(f)));
        }
    }
    InterpFrame *caller = f->prev;
    t->frame = caller;
    R = caller->regs;
    pc = caller->pc;
    K = caller->code->consts;
    w = LOAD_RELAXED(pc);
    unsigned c = instr_c(w);
    if (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL)) {
        Value old = R[c];
        R[c] = v;
        FINISH1(old, 1);
    }
    R[c] = v;
    NEXT();
}

/* ---- generators
 * ----------------------------------------------------------------------------------------------------------------------
 */

OP(YIELD) {
    GOTO(suspend);
}
OP(GET_YIELD_FROM_ITER) {
    STEP(step_get_yield_from_iter);
}
OP(GET_AWAITABLE) {
    STEP(step_get_awaitable);
}
OP(SEND) {
    STEP_ANY(step_send);
}
OP(GET_AITER) {
    STEP(step_get_aiter);
}
OP(GET_ANEXT) {
    STEP(step_get_anext);
}
OP(ASYNC_GEN_WRAP) {
    STEP(step_async_gen_wrap);
}
OP(END_ASYNC_FOR) {
    STEP_ANY(step_end_async_for);
}

/* ---- exceptions
 * ----------------------------------------------------------------------------------------------------------------------
 */

OP(RAISE) {
    STEP_ANY(step_raise);
}
OP(RERAISE) {
    STEP_ANY(step_reraise);
}
OP(PUSH_EXC) {
    STEP(step_push_exc);
}
OP(POP_EXC) {
    STEP(step_pop_exc);
}
OP(EXC_MATCH) {
    STEP(step_exc_match);
}
OP(EXC_GROUP_MATCH) {
    STEP(step_exc_group_match);
}
OP(PREP_RERAISE_STAR) {
    STEP(step_prep_reraise_star);
}
OP(WITH_ENTER) {
    STEP(step_with_enter);
}
OP(WITH_EXCEPT) {
    STEP(step_with_except);
}
OP(LOAD_ASSERTION_ERROR) {
    DONE(V_OF(&exc_AssertionError));
}

/* ---- import, classes, match
 * ---------------------------------------------------------------------------------------------------------- */

OP(IMPORT_NAME) {
    STEP(step_import_name);
}
OP(IMPORT_FROM) {
    STEP(step_import_from);
}
OP(IMPORT_STAR) {
    STEP(step_import_star);
}
OP(SETUP_ANNOTATIONS) {
    STEP(step_setup_annotations);
}
OP(PRINT_EXPR) {
    STEP(step_print_expr);
}
OP(MATCH_MAPPING) {
    STEP(step_match_mapping);
}
OP(MATCH_SEQUENCE) {
    STEP(step_match_sequence);
}
OP(MATCH_KEYS) {
    STEP(step_match_keys);
}
OP(MATCH_CLASS) {
    STEP_N(step_match_class, 2);
}
OP(GET_LEN) {
    STEP(step_get_len);
}
OP(COPY_WITHOUT_KEYS) {
    STEP(step_copy_without_keys);
}

#if TAILCALL
static OpFn *const op_table[256] = {
#define X(name, operands, extra, effects) [OP_##name] = op_##name,
#include "interp/instructions.def"
#undef X
};
Value dispatch_run(Thread *t, bool throwing) {
    return throwing ? raised(NULL, NULL, t, NULL, 0) : enter(NULL, NULL, t, NULL, 0);
}
#else
}
#endif

void interp_init(void) {
    code_init();
    function_init();
    cell_init();
    method_init();
    frame_init();
    traceback_init();
    generator_init();
    ic_init();
}

/* How the bodies of instructions are written: the loop's state, and the ways in which an instruction ends. Included by
 * dispatch.c alone. */
#ifndef POLYGIL_INTERP_DISPATCH_MACROS_H
#define POLYGIL_INTERP_DISPATCH_MACROS_H
#include "interp/eval.h"

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
        FORGET_PC();                                                           \
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
        FORGET_PC();                \
        w = LOAD_RELAXED(pc);       \
        goto *op_table[(uint8_t)w]; \
    } while (0)
#define GOTO(label) goto label
#define SHARED(name) \
    name:
#endif

/* In front of what may wait for an object's lock: a collection while it waits must find the frame's place. Debug builds
 * empty the place at each instruction, and look at each section that it has been published since. */
#define MAY_WAIT()             \
    do {                       \
        if (EXCL_PARALLEL)     \
            publish_pc(R, pc); \
    } while (0)
#define READ_MAY_WAIT()        \
    do {                       \
        if (!READS_LOCK_FREE)  \
            publish_pc(R, pc); \
    } while (0)
#define FORGET_PC()              \
    do {                         \
        if (POLYGIL_ASSERT >= 1) \
            publish_pc(R, NULL); \
    } while (0)

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
/* Backward or taken jumps: target becomes the pc, and is where an exception of the poll counts as raised. Under the
 * seeded scheduler each goes back by way of a safepoint: a loop may wait for what another thread stores. */
#define JUMP_POLL(offset)                                      \
    do {                                                       \
        pc += (offset);                                        \
        if (UNLIKELY(sched_on || LOAD_RELAXED(&t->poll) != 0)) \
            GOTO(polled);                                      \
        DISPATCH();                                            \
    } while (0)

/* Ends of instructions. A value that dies is destroyed in a shared tail, because destroying may run code: by then the
 * pc is published, the registers are as the depth table says, and the common path needs no stack frame.
 *
 * FINISH1(x, n), FINISH2(x, y, n): the values (ABSENT allowed) lose a reference each; on, n words further.
 * Where nothing is counted these do not look at x and y: variables that are only for them are UNUSED.
 * DONE(v), DONE_N(v, n): A = v, the old value of A is released where the flags ask for it; on. */
#define RELEASE_TWO(x, y, when_dead)                               \
    do {                                                           \
        if (COUNT_EXACT) {                                         \
            Value x_ = (x), y_ = (y);                              \
            if (v_is_obj(x_) && UNLIKELY(count_drop(v_obj(x_)))) { \
                t->dying = y_;                                     \
                w = x_;                                            \
                when_dead;                                         \
            }                                                      \
            if (v_is_obj(y_) && UNLIKELY(count_drop(v_obj(y_)))) { \
                t->dying = ABSENT;                                 \
                w = y_;                                            \
                when_dead;                                         \
            }                                                      \
        }                                                          \
    } while (0)
#define FINISH2(x, y, n)                  \
    do {                                  \
        RELEASE_TWO(x, y, GOTO(died##n)); \
        NEXT_N(n);                        \
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
/* The same, and then a jump, which polls when it goes back: a loop may consist of nothing else. */
#define FINISH_JUMP(x, y, offset)                                       \
    do {                                                                \
        RELEASE_TWO(x, y, t->dying_offset = (offset); GOTO(died_jump)); \
        if ((offset) <= 0)                                              \
            JUMP_POLL(offset);                                          \
        pc += (offset);                                                 \
        DISPATCH();                                                     \
    } while (0)
#define HAS_FLAG(f) ((w & ((uint64_t)(f) << 8)) != 0)
#define OLD(reg) (COUNT_EXACT && HAS_FLAG(IF_DST_LOCAL) ? R[reg] : ABSENT)
/* local: HAS_FLAG(IF_DST_LOCAL), with the hint that decides which of the two ways is the straight one. */
#define DONE_WAYS(v, n, local)      \
    do {                            \
        unsigned a_ = instr_a(w);   \
        Value v_ = (v);             \
        if (COUNT_EXACT && local) { \
            Value old_ = R[a_];     \
            R[a_] = v_;             \
            FINISH1(old_, n);       \
        }                           \
        R[a_] = v_;                 \
        NEXT_N(n);                  \
    } while (0)
#define DONE_N(v, n) DONE_WAYS(v, n, UNLIKELY(HAS_FLAG(IF_DST_LOCAL)))
#define DONE(v) DONE_N(v, 1)
/* Of arithmetic and comparisons: the result is a local variable's as often as not. */
#define DONE_SUM(v) DONE_WAYS(v, 1, LIKELY(HAS_FLAG(IF_DST_LOCAL)))
#define DONE_B(v)                                            \
    do {                                                     \
        unsigned b_ = instr_b(w);                            \
        Value v_ = (v);                                      \
        if (COUNT_EXACT && LIKELY(HAS_FLAG(IF_DST_LOCAL))) { \
            Value old_ = R[b_];                              \
            R[b_] = v_;                                      \
            FINISH1(old_, 1);                                \
        }                                                    \
        R[b_] = v_;                                          \
        NEXT();                                              \
    } while (0)
/* The same, and on behind the FOR_ITER that C jumps to; the instruction has polled. */
#define DONE_B_BACK(v)                                                             \
    do {                                                                           \
        unsigned b_ = instr_b(w);                                                  \
        Value v_ = (v);                                                            \
        int offset_ = instr_sc(w) + 1;                                             \
        if (COUNT_EXACT && LIKELY(HAS_FLAG(IF_DST_LOCAL))) {                       \
            Value old_ = R[b_];                                                    \
            R[b_] = v_;                                                            \
            RELEASE_TWO(old_, ABSENT, t->dying_offset = offset_; GOTO(died_jump)); \
        } else {                                                                   \
            R[b_] = v_;                                                            \
        }                                                                          \
        pc += offset_;                                                             \
        if (sched_on)                                                              \
            GOTO(polled);                                                          \
        DISPATCH();                                                                \
    } while (0)
/* The value of a consumed operand, whose register is emptied (before the destination is written, which may be the
 * same). */
#define TAKE_B (COUNT_EXACT && HAS_FLAG(IF_KILL_B) ? take_reg(R, instr_b(w)) : ABSENT)
#define TAKE_C (TAKES_C ? take_reg(R, instr_c(w)) : ABSENT)
#define TAKES_C (COUNT_EXACT && HAS_FLAG(IF_KILL_C))
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
/* Operand A, to be stored: taken out of its register where it is consumed, else retained. */
static ALWAYS_INLINE Value own_a(Value *R, uint64_t w) {
    if (!COUNT_EXACT)
        return REG_A;
    return HAS_FLAG(IF_KILL_A) ? take_reg(R, instr_a(w)) : retained(REG_A);
}

#endif

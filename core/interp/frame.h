/* Frames of Python code: header words, then registers, on the thread's register stack. The stack consists of segments
 * and never moves.
 *
 * A callee's frame overlaps the end of its caller's: header word 0 is the register that held the callable, the
 * arguments already lie where the callee's first registers are. Only the running thread writes its frames. Thread.frame
 * is the innermost one.
 *
 *   depth    how many registers of a frame are live: of the innermost frame, and of one that waits for C code,
 * depths[pc]; of a frame that waits for a Python callee, the start of its call block pc       the current instruction,
 * published before anything that may raise, poll or call
 */
#ifndef POLYGIL_FRAME_H
#define POLYGIL_FRAME_H

#include "interp/code.h"

/* Frame.flags */
enum {
    FR_ENTRY = 1,      /* returning from it leaves the C function that runs the loop */
    FR_INIT = 2,       /* __init__ called by a class: the result is `extra`, the instance */
    FR_GEN = 4,        /* of the generator `extra` (borrowed: whoever resumed it holds it) */
    FR_LOCALS = 8,     /* module, class or exec code: `extra` is the mapping of its names */
    FR_OBJECT = 16,    /* frame_obj is valid */
    FR_TRACED = 32,    /* sys.settrace is active in it */
    FR_RESULT_A = 128, /* called for an operator or attribute: the caller's instruction has its operands still, its
                          result goes to A */
    FR_SEGMENT = 64,   /* first frame of its segment */
    FR_OWNER = 256,    /* some parameters own what an operator made for them (Code.owned_params) */
};

typedef struct InterpFrame {
    Value func; /* owned; a Function, for module and class code too */
    Code *code; /* borrowed from func */
    struct InterpFrame *prev;
    Instr *pc;
    Value extra; /* owned (but FR_GEN), see FR_* */
    uint32_t flags;
    uint32_t depth;  /* number of Python frames below it */
    Value frame_obj; /* owned; valid with FR_OBJECT */
    Value regs[];
} InterpFrame;

#define FRAME_WORDS ((int)(offsetof(InterpFrame, regs) / sizeof(Value)))
_Static_assert(sizeof(InterpFrame) == 7 * sizeof(Value), "the code generator lays call blocks out with FRAME_WORDS");

static ALWAYS_INLINE InterpFrame *frame_of_regs(Value *regs) {
    return (InterpFrame *)(regs - FRAME_WORDS);
}

/* Where the next frame that C code starts may lie. */
Value *interp_top(Thread *t);
/* A frame's registers while its arguments are bound, before it is t->frame: roots, and code that runs meanwhile (a
 * key's __eq__, a finalizer) starts its frames above them. Begins and ends nest. regs may lie outside the stack. */
typedef struct Binding {
    struct Binding *prev;
    Value *regs;
    uint32_t n;
} Binding;
void interp_bind_begin(Binding *b, Value *regs, uint32_t n);
void interp_bind_end(Binding *b);
/* Room for n words in a fresh segment, which becomes the current one; NULL with MemoryError. The frame there gets
 * FR_SEGMENT. */
Value *interp_push_segment(Thread *t, size_t n);
void interp_pop_segment(Thread *t);
/* Live registers of f; callee is the frame above it, or NULL. */
uint32_t frame_live(const InterpFrame *f, const InterpFrame *callee);
/* Releases registers [from, to) of f, but for the holes at its pc. */
void frame_release(InterpFrame *f, uint32_t from, uint32_t to);
/* f ends with FR_OBJECT set: its frame object takes what lives in f over (registers below n_locals are moved out). */
void frame_detach(InterpFrame *f);

/* Per-thread state and roots. */
int interp_thread_init(Thread *t);
void interp_thread_fini(Thread *t);
/* In a forked child, before interp_thread_fini of a thread that is not there: frame objects let go of its frames. */
void interp_thread_vanished(Thread *t);
/* World stopped, or t is the caller: visits every Value that t's frames, segments and interpreter state hold. */
void interp_visit_roots(Thread *t, VisitFn visit, void *arg);

/* What Python code sees of a frame: made on demand, outlives the frame (then it holds copies). */
Value frame_object(InterpFrame *f);   /* owned frame object, or ABSENT with MemoryError */
Code *frame_object_code(Value frame); /* borrowed */
Value frame_current(
    int level); /* owned frame object of the level-th caller (0: innermost), or ABSENT, nothing pending */
Value frame_globals(InterpFrame *f); /* borrowed */
Value frame_space(InterpFrame *f); /* the mapping of module, class or exec code's names, borrowed; ABSENT: a function */
Value frame_builtins(InterpFrame *f); /* borrowed */
Value frame_locals(InterpFrame *f);   /* owned mapping: the namespace, or a snapshot dict */
int frame_line(InterpFrame *f);
/* The globals of the innermost Python frame, or ABSENT: borrowed. */
Value current_globals(void);
Value current_builtins(void);
Value current_locals(void); /* owned, as locals() */
/* For super() without arguments: borrowed class and first argument of the innermost frame; -1 with RuntimeError. */
int frame_super_args(Value *cls, Value *self);
void frame_init(void); /* the types frame and traceback */

#endif

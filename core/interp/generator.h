/* Generators, coroutines and async generators: one layout. A suspended one holds copies of its frame's live registers.
 */
#ifndef POLYGIL_GENERATOR_H
#define POLYGIL_GENERATOR_H

#include "interp/frame.h"

enum { GEN_CREATED, GEN_SUSPENDED, GEN_RUNNING, GEN_FINISHED };

typedef struct Generator {
    Object hdr;
    Ref func; /* ABSENT when finished */
    Ref code;
    Ref name, qualname;
    _Atomic(uint32_t) state; /* GEN_*: taken by compare-and-swap */
    uint32_t n_saved;        /* registers held in regs */
    Instr *pc;               /* where it goes on: the YIELD, or the start */
    Ref own_handled;         /* exception it is handling itself */
    Ref inherited;           /* what its resumer was handling, while it runs */
    InterpFrame *frame;      /* while running */
    Ref frame_obj;           /* gi_frame, if anyone asked */
    Ref origin;              /* cr_origin */
    Ref finalizer; /* async generators: hook; code without fast locals (top-level await): the mapping of its names */
    uint32_t ag_flags; /* async generators */
    Ref regs[];        /* code->n_regs */
} Generator;

/* The frame object of a generator that does not run: owned. */
Value frame_object_suspended(Value gen);
/* gen is about to die: its frame object takes its registers over. */
void frame_orphan(Value frame, Value gen);
/* f, of a generator and with FR_OBJECT, is about to be suspended. */
void frame_suspend(InterpFrame *f);

/* Sends v (V_NONE to start). 1: yielded, *out owned. 0: returned, *out owned. -1: exception. */
int gen_send(Value gen, Value v, Value *out);
/* For `for` loops and next(): item or ABSENT (nothing pending: finished normally). */
Value gen_next(Value gen);
Value gen_throw(Value gen, Value exc); /* exc an instance; result as __next__ with StopIteration pending at the end */
int gen_close(Value gen);
/* What __del__ does: closes it, reports what goes wrong and what was never awaited. */
void gen_finalize(Value gen);
/* An awaitable's iterator (PEP 492), owned. */
Value coro_get_awaitable(Value v);
void generator_init(void);

#endif

/* Between the files of interp/: steps of the loop that are out of line.
 *
 * A step function does the whole instruction w at pc of the frame whose registers are R (the innermost one): it
 * publishes the pc, writes the destination, releases consumed temporaries. On failure it leaves the operands in place,
 * unless it says that it consumes them (then their registers are ABSENT).
 */
#ifndef POLYGIL_EVAL_H
#define POLYGIL_EVAL_H

#include "interp/function.h"
#include "interp/generator.h"
#include "interp/ic.h"
#include "interp/interp.h"
#include "interp/traceback.h"
#include "object/native.h"

enum {
    STEP_ERROR = -1,   /* exception pending, traceback entry wanted */
    STEP_NEXT = 0,     /* go on behind this instruction */
    STEP_FRAME = 1,    /* go on in Thread.frame at its pc */
    STEP_RERAISE = -2, /* exception pending, no traceback entry for this frame */
    STEP_EXIT = 2,     /* leave the loop with Thread.interp_result */
};
typedef int StepFn(Thread *t, Value *R, Instr *pc, uint64_t w);

static ALWAYS_INLINE void publish_pc(Value *R, Instr *pc) {
    frame_of_regs(R)->pc = pc;
}
static ALWAYS_INLINE void set_reg(Value *R, uint64_t w, unsigned reg, Value v) {
    if (COUNT_EXACT && (instr_flags(w) & IF_DST_LOCAL)) {
        Value old = R[reg];
        R[reg] = v;
        release(old);
    } else {
        R[reg] = v;
    }
}
static ALWAYS_INLINE void set_a(Value *R, uint64_t w, Value v) {
    set_reg(R, w, instr_a(w), v);
}
/* A native that, called with n positional arguments, needs no binding. */
static ALWAYS_INLINE bool native_direct(Native *f, intptr_t n) {
    NativeSig *sig = LOAD_ACQUIRE(&f->sig);
    return LIKELY(sig != NULL && sig->direct && n >= sig->min_args && n <= sig->max_args);
}
/* Releases v, which lay in register reg and is consumed when the flag says so. Releasing may run code: the register is
 * emptied first. Not after the destination was written, which may be the same register. */
static ALWAYS_INLINE void kill_reg(Value *R, uint64_t w, unsigned flag, unsigned reg, Value v) {
    if (COUNT_EXACT && (instr_flags(w) & flag)) {
        R[reg] = ABSENT;
        release(v);
    }
}
/* The usual end of a step with operands in B and C. v: owned result, or ABSENT. */
static ALWAYS_INLINE int step_result(Value *R, uint64_t w, Value v, Value b, Value c) {
    if (UNLIKELY(v == ABSENT))
        return STEP_ERROR;
    if (COUNT_EXACT) {
        unsigned f = instr_flags(w);
        if (f & IF_KILL_B)
            R[instr_b(w)] = ABSENT;
        if (f & IF_KILL_C)
            R[instr_c(w)] = ABSENT;
        set_a(R, w, v);
        if (f & IF_KILL_B)
            release(b);
        if (f & IF_KILL_C)
            release(c);
    } else {
        R[instr_a(w)] = v;
    }
    return STEP_NEXT;
}

/* The method list.append as found on the class: an immortal descriptor. Set when built-in types are complete. */
extern Value interp_list_append;
/* Its C function. */
extern NativeFn interp_list_append_fn;

/* call.c */
StepFn step_call, step_call_method, step_call_kw, step_call_ex;
/* Binds borrowed arguments to the parameters of c: fills r[0, n_locals) with owned values. 0, or -1 with TypeError and
 * nothing owned in r. */
int bind_arguments(Value func, Code *c, Value *r, const Value *args, intptr_t npos, Value kwnames);
/* Runs frame f, which is complete and has FR_ENTRY; it is consumed. With throwing, Thread.exc is raised at its pc. */
Value interp_run(Thread *t, InterpFrame *f, bool throwing);
/* Space for a frame of c in C calls; its header is not filled. NULL with an exception. *flags: FR_ENTRY and FR_SEGMENT
 * as needed. */
InterpFrame *frame_reserve(Thread *t, Code *c, uint32_t *flags);
/* The loop (dispatch.c): runs Thread.frame from its pc until an FR_ENTRY frame ends. */
Value dispatch_run(Thread *t, bool throwing);
/* RecursionError when f may have no further frame above it. */
int recursion_check(InterpFrame *prev);

/* Pushes a frame of func, a function that takes n positional arguments, whose result goes to A of the current
 * instruction: STEP_FRAME; or STEP_NEXT: not possible here, nothing done. args: borrowed. */
int push_result_a(Thread *t, Value *R, Value func, const Value *args, int n);
StepFn step_call_super;

/* unwind.c */
/* Exception pending in Thread.frame at its pc. True: go on at Thread.frame->pc. False: an FR_ENTRY frame has ended. */
bool interp_unwind(Thread *t, bool add_traceback);
/* Releases what the frame holds but registers at or above n_locals, and pops it. */
void frame_pop(Thread *t, InterpFrame *f);
/* RETURN of a frame with flags. v: owned. */
int return_slow(Thread *t, InterpFrame *f, Value v);
/* w, the caller's instruction, has called a function (FR_RESULT_A) that returned v, owned: finishes it. STEP_NEXT, or
 * STEP_ERROR. */
int return_to_a(Value *R, uint64_t w, Value v);
StepFn step_raise, step_reraise, step_push_exc, step_pop_exc, step_exc_match, step_exc_group_match,
    step_prep_reraise_star, step_with_enter, step_with_except;

/* generator.c */
/* A generator, coroutine or async generator of func with these arguments (borrowed). */
Value generator_new(Value func, Code *c, const Value *args, intptr_t npos, Value kwnames);
/* Pushes g's frame above Thread.frame with v (owned, consumed) sent. 0; 1: it has finished; -1. extra_flags: FR_ENTRY
 * or 0. */
int gen_push(Thread *t, Generator *g, Value v, uint32_t extra_flags);
StepFn step_yield, step_send, step_get_yield_from_iter, step_get_awaitable, step_get_aiter, step_get_anext,
    step_async_gen_wrap, step_end_async_for;
/* Called when g's frame has ended: normally, or by an exception, which it may replace. */
void gen_finished(Thread *t, InterpFrame *f, bool raised);

/* steps.c and attrsteps.c */
/* A callable as messages name it, "module.name()": new str. */
Value callable_text(Value f);
/* d |= more, keyword arguments of a call of f: duplicates raise. 0, -1. */
int merge_keywords(Value d, Value more, Value f);
/* A local that owned old, a temporary, gets `by`: frees old. */
void owned_replaced(Value old, Value by);
/* Before a call of code (NULL: of anything else) with n arguments: lets those out that no parameter of code owns.
 * FR_OWNER if a marked one remains, else 0. */
uint32_t arguments_let_out(Value *args, uint32_t n, const Code *code);
/* The frame ends: what its parameters own is freed. */
void owner_returns(InterpFrame *f);
StepFn step_check_local, step_delete_local, step_make_cell, step_load_cell, step_store_cell, step_delete_cell,
    step_load_free, step_store_free, step_delete_free, step_load_classderef, step_load_global, step_store_global,
    step_delete_global, step_load_name, step_store_name, step_delete_name, step_wide_name, step_load_attr,
    step_store_attr, step_delete_attr, step_load_method, step_load_super_attr, step_getitem, step_getitem_i,
    step_getitem_k, step_setitem, step_delitem, step_binary, step_binary_i, step_binary_k, step_unary, step_not,
    step_compare, step_in, step_get_iter, step_for_prep, step_for_range, step_for_iter, step_unpack, step_unpack_ex,
    step_build_tuple, step_build_list, step_build_set, step_build_map, step_build_string, step_build_slice,
    step_list_append, step_set_add, step_map_add, step_list_extend, step_set_update, step_dict_update, step_dict_merge,
    step_list_to_tuple, step_format_value, step_make_function, step_load_build_class, step_import_name,
    step_import_from, step_import_star, step_setup_annotations, step_print_expr, step_match_mapping,
    step_match_sequence, step_match_keys, step_match_class, step_get_len, step_copy_without_keys;
/* TypeError of a binary operator's instruction. */
void num_unsupported(unsigned op, Value a, Value b, bool inplace);
StepFn step_getslice, step_setslice;
StepFn step_compare_jump, step_truth_jump, step_truth_or_pop, step_in_jump;

#endif

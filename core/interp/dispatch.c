/* The loop (long because it is the one place of all instruction bodies). Each instruction is one body between OP(NAME)
 * and the next; the same bodies become functions that tail-call each other (clang 19 and later: registers of the
 * machine hold the loop's state) or labels of one function (computed goto).
 *
 * A body has R (registers), pc, t (thread), K (constants), w (the word). Rules: no local has its address taken;
 * whatever may raise, poll or allocate is out of line and publishes the pc. NEXT ends a body; so do the macros that
 * jump.
 */
#include "interp/dispatch_arith.h"
#include "interp/dispatch_macros.h"
#include "interp/eval.h"
#include "object/dict.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

static ALWAYS_INLINE void enter_locals(Value *r, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++)
        STORE_RELAXED((Ref *)&r[i], ABSENT); /* atomic, or the compiler calls memset for three words */
}

/* A plain frame (no flags) whose function takes n arguments that lie in place: pushed without a call. h: its header. */
#define TRY_PUSH(h, n, func_value)                                            \
    do {                                                                      \
        Value fv_ = (func_value);                                             \
        if (v_is_likely_obj(fv_) && LIKELY(obj_index(fv_) == IDX_FUNCTION)) { \
            Code *code_ = function_code(fv_);                                 \
            TRY_PUSH_CODE(h, n, code_, 0);                                    \
        }                                                                     \
    } while (0)
#define TRY_PUSH_CODE(h, n, callee, owner)                                                                            \
    do {                                                                                                              \
        Code *c_ = (callee);                                                                                          \
        InterpFrame *caller_ = frame_of_regs(R);                                                                      \
        Value *r_ = (h) + FRAME_WORDS;                                                                                \
        if (LIKELY(c_->fast_args == (uint32_t)(n) && r_ + c_->n_regs <= t->stack_limit &&                             \
                   (int)caller_->depth + 1 < LOAD_RELAXED(&interp_recursion_limit) && LOAD_RELAXED(&t->poll) == 0)) { \
            InterpFrame *f_ = (InterpFrame *)(h);                                                                     \
            caller_->pc = pc;                                                                                         \
            f_->code = c_;                                                                                            \
            f_->prev = caller_;                                                                                       \
            f_->flags = (owner);                                                                                      \
            f_->depth = caller_->depth + 1;                                                                           \
            enter_locals(r_, (uint32_t)(n), c_->n_locals);                                                            \
            t->frame = f_;                                                                                            \
            R = r_;                                                                                                   \
            pc = c_->instrs;                                                                                          \
            K = c_->consts;                                                                                           \
            DISPATCH();                                                                                               \
        }                                                                                                             \
    } while (0)

#if TAILCALL
DECLARE_SHARED(raised);
DECLARE_SHARED(reraised);
DECLARE_SHARED(enter);
DECLARE_SHARED(leave);
DECLARE_SHARED(polled);
DECLARE_SHARED(resume);
DECLARE_SHARED(pairs);
DECLARE_SHARED(return_a);
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

/* ---- where instructions meet ---- */

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
/* What FINISH leaves: w is a dead object, and Thread.dying a value that loses a reference too. */
#define DIED(offset)                                             \
    Value second = t->dying;                                     \
    int words = (offset);                                        \
    publish_pc(R, pc);                                           \
    if (v_is_obj(second) && UNLIKELY(count_drop(v_obj(second)))) \
        dead_pair(v_obj(w), v_obj(second));                      \
    else                                                         \
        dead_object(v_obj(w));                                   \
    pc += words;                                                 \
    DISPATCH();
/* clang-format off */
SHARED(died1) { DIED(1) }
SHARED(died2) { DIED(2) }
SHARED(died3) { DIED(3) }
SHARED(died_jump) { DIED(t->dying_offset) }
/* clang-format on */
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
        MAY_WAIT();
        if (LIKELY(iter_fast_pair(REG_A, &R[at]))) {
            uint64_t m1 = LOAD_RELAXED(pc + 2), m2 = LOAD_RELAXED(pc + 3);
            if (instr_op(m1) == OP_MOVE && instr_op(m2) == OP_MOVE && instr_flags(m1) == (IF_DST_LOCAL | IF_KILL_B) &&
                instr_flags(m2) == (IF_DST_LOCAL | IF_KILL_B) && instr_b(m1) == at + 1 && instr_b(m2) == at) {
                Value x = R[at + 1], y = R[at];
                UNUSED Value old1 = R[instr_a(m1)];
                R[instr_a(m1)] = x;
                UNUSED Value old2 = R[instr_a(m2)];
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
               ref_peek(&g->inherited) == ABSENT && obj_is_private(V_OF(g)))) {
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
                trace_write(V_OF(g), ABSENT, R[i]);
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
TAIL_STEP(step_store_cell, 1)
TAIL_STEP(step_store_free, 1)
TAIL_STEP(step_store_global, 2)
TAIL_STEP(step_store_name, 2)
TAIL_STEP(step_unary, 1)
TAIL_STEP(step_unpack, 1)
TAIL_STEP(step_unpack_ex, 1)
TAIL_STEP(step_wide_name, 2)
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
TAIL_STEP_ANY(step_with_enter)
TAIL_STEP_ANY(step_truth_jump)
TAIL_STEP_ANY(step_truth_or_pop)
TAIL_STEP_ANY(step_yield)
TAIL_STEP_ANY_N(step_load_attr, 2)
TAIL_STEP_ANY_N(step_store_attr, 2)
#endif

/* ---- moving ---- */

OP(NOP) {
    NEXT();
}
OP(MOVE) {
    Value v = REG_B;
    if (COUNT_EXACT && !(w & (IF_KILL_B << 8)))
        retain(v);
    DONE(v);
}
OP(MOVE_OUT) {
    obj_let_out(REG_B);
    GOTO(op_MOVE);
}
OP(MOVE_OWNED) {
    if (obj_is_temporary(REG_A))
        owned_replaced(REG_A, REG_B);
    GOTO(op_MOVE);
}
OP(LOAD_CONST) {
    Value v = retained_lasting(K[instr_bc(w)]);
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
    UNUSED Value v = take_reg(R, instr_a(w));
    FINISH1(v, 1);
}
OP(RELEASE) {
    FINISH1(take_reg(R, instr_a(w)), 1);
}

/* ---- cells ---- */

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

/* ---- names ---- */

OP(LOAD_GLOBAL) {
    Function *f = (Function *)frame_of_regs(R)->func;
    Value g = ref_peek(&f->globals);
    uint64_t ic = LOAD_RELAXED(pc + 1);
    if (LIKELY(IC_KIND(ic) == IC_DICT_SLOT)) {
        READ_MAY_WAIT();
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
    UNUSED uint64_t ic = LOAD_RELAXED(pc + 1);
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

/* ---- attributes ---- */

OP(LOAD_ATTR) {
    if (READS_LOCK_FREE) {
        Value o = REG_B;
        uint64_t ic = LOAD_ACQUIRE(pc + 1);
        if (LIKELY(v_is_obj(o) && IC_GUARD_KIND(ic) == IC_KEY(obj_index(o), IC_INLINE))) {
            Value v = ref_load(o, (Ref *)((char *)o + IC_PAYLOAD(ic)));
            if (LIKELY(v != ABSENT)) {
                DONE_KILL_B(v, 2);
            }
        } else if (v_is_exact(o, IDX_MODULE) && IC_GUARD_KIND(ic) == IC_KEY(IDX_MODULE, IC_MODULE)) {
            Value v = ic_module_load(o, ic_cell(ic));
            if (LIKELY(v != ABSENT)) {
                DONE_KILL_B(v, 2);
            }
        }
    }
    STEP_ANY_N(step_load_attr, 2);
}
/* Slot r of o = operand A; on. */
#define STORE_SLOT(o, r)                                            \
    do {                                                            \
        UNUSED Value old = ref_swap(o, r, own_a(R, w)), b = TAKE_B; \
        FINISH2(old, b, 2);                                         \
    } while (0)
OP(STORE_ATTR) {
    Value o = REG_B;
    uint64_t ic = LOAD_ACQUIRE(pc + 1);
    if (LIKELY(v_is_obj(o) && (!STORES_NEED_LOCK || excl_alone(o)))) {
        uint32_t index = obj_index(o);
        if (LIKELY(IC_GUARD_KIND(ic) == IC_KEY(index, IC_INLINE))) {
            Ref *r = (Ref *)((char *)o + IC_PAYLOAD(ic));
            if (LIKELY(ref_peek(r) != ABSENT && (STORES_NEED_LOCK || !excl_stores_due(t, o)))) {
                STORE_SLOT(o, r);
            }
        } else if (excl_alone(o) && IC_GUARD_KIND(ic) == IC_KEY(index, IC_ADD_INLINE)) {
            const SideCell *c = ic_cell(ic);
            Ref *r = (Ref *)((char *)o + c->aux);
            if (LIKELY(ic_cell_valid(c) && ref_peek(r) == ABSENT)) {
                ref_swap(o, r, own_a(R, w));
                STORE_RELEASE(&v_obj(o)->index,
                              c->next_shape); /* pairs with readers' guard: the value comes before the shape */
                FINISH1(TAKE_B, 2);
            }
        } else if (IC_GUARD_KIND(ic) == IC_KEY(index, IC_MEMBER) && excl_alone(o)) {
            STORE_SLOT(o, (Ref *)((char *)o + IC_PAYLOAD(ic)));
        }
    }
    STEP_ANY_N(step_store_attr, 2);
}
/* Apart from STORE_ATTR, so that neither of the two jumps on its way: it takes a tenth more time. */
OP(STORE_ATTR_SHARED) {
    Value o = REG_B;
    uint64_t ic = LOAD_ACQUIRE(pc + 1);
    if (LIKELY(v_is_obj(o) && excl_retains_quick(t, o))) {
        uint32_t index = obj_index(o);
        Ref *r = (Ref *)((char *)o + IC_PAYLOAD(ic));
        if (LIKELY(IC_GUARD_KIND(ic) == IC_KEY(index, IC_INLINE) && ref_peek(r) != ABSENT)) {
            STORE_SLOT(o, r);
        }
    } else if (v_is_obj(o) && !excl_alone(o)) {
        GOTO(op_STORE_ATTR);
    }
    STEP_ANY_N(step_store_attr, 2);
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
    } else if (v_is_exact(o, IDX_MODULE) && IC_GUARD_KIND(ic) == IC_KEY(IDX_MODULE, IC_MODULE)) {
        READ_MAY_WAIT();
        Value v = ic_module_load(o, ic_cell(ic));
        if (LIKELY(v != ABSENT)) {
            Value *block = &REG_A;
            UNUSED Value b = TAKE_B;
            block[0] = block[FRAME_WORDS] = ABSENT;
            block[1] = v;
            FINISH1(b, 2);
        }
    }
    STEP_N(step_load_method, 2);
}
OP(LOAD_SUPER_ATTR) {
    STEP(step_load_super_attr);
}
/* ---- items ---- */

OP(GETITEM) {
    Value b = REG_B, c = REG_C;
    if (LIKELY(v_is_obj(b) && v_is_int(c))) {
        if (obj_index(b) == IDX_LIST) {
            if (READS_LOCK_FREE) {
                intptr_t i = v_int(c);
                if (UNLIKELY(i < 0) && excl_alone(b)) /* of a shared list another step looks up both at once */
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
    if (v_is_likely_obj(b) && obj_index(b) == IDX_DICT && LIKELY(!(v_is_obj(c) && TAKES_C))) {
        Value v = dict_get_quick(b, c);
        if (LIKELY(v != ABSENT)) {
            DONE_KILL_B(v, 1);
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
                if (i < 0 && excl_alone(b))
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
    Value b = REG_B;
    if (v_is_likely_obj(b) && LIKELY(obj_index(b) == IDX_DICT)) {
        Value v = dict_get_quick(b, K[instr_c(w)]);
        if (LIKELY(v != ABSENT)) {
            DONE_KILL_B(v, 1);
        }
    }
    STEP(step_getitem_k);
}
#define DICT_SET                                       \
    do {                                               \
        if (LIKELY(!(v_is_obj(c) && TAKES_C))) {       \
            publish_pc(R, pc);                         \
            if (LIKELY(dict_set_quick(b, c, REG_A))) { \
                Value a = TAKE_A, o = TAKE_B;          \
                FINISH2(a, o, 1);                      \
            }                                          \
        }                                              \
    } while (0)
OP(SETITEM) {
    Value b = REG_B, c = REG_C;
    if (v_is_likely_obj(b) && LIKELY(obj_index(b) == IDX_LIST && v_is_int(c))) {
        Value v = REG_A;
        publish_pc(R, pc); /* the old item may die in there */
        if (LIKELY(list_set_fast(b, v_int(c), v))) {
            Value a = TAKE_A, o = TAKE_B;
            FINISH2(a, o, 1);
        }
    } else if (v_is_likely_obj(b) && obj_index(b) == IDX_DICT && excl_alone(b)) {
        DICT_SET;
    }
    STEP(step_setitem);
}
/* Apart from SETITEM for the same reason as STORE_ATTR_SHARED. */
OP(SETITEM_SHARED) {
    Value b = REG_B, c = REG_C;
    if (LIKELY(v_is_obj(b) && excl_retains_quick(t, b) && obj_index(b) == IDX_DICT))
        DICT_SET;
    STEP(step_setitem);
}
OP(DELITEM) {
    STEP(step_delitem);
}

/* ---- arithmetic ---- */

/* clang-format off */
BINARY_OPS(ADD, ADD_BODY)
BINARY_OPS(SUB, SUB_BODY)
BINARY_OPS(MUL, MUL_BODY)
BINARY_OPS(TRUEDIV, TRUEDIV_BODY)
BINARY_OPS(FLOORDIV, FLOORDIV_BODY)
BINARY_OPS(MOD, MOD_BODY)
BINARY_OPS(POW, SLOW_BODY)
BINARY_OPS(MATMUL, SLOW_BODY)
BINARY_OPS(LSHIFT, LSHIFT_BODY)
BINARY_OPS(RSHIFT, RSHIFT_BODY)
BINARY_OPS(AND, AND_BODY)
BINARY_OPS(OR, OR_BODY)
BINARY_OPS(XOR, XOR_BODY)
/* clang-format on */

OP(ADD_I) {
    Value b = REG_B;
    int64_t r;
    if (LIKELY(v_is_int(b) && !__builtin_add_overflow((int64_t)b, (int64_t)instr_sc(w) * 2, &r))) {
        DONE_SUM((Value)r);
    }
    STEP(step_binary_i);
}
OP(SUB_I) {
    Value b = REG_B;
    int64_t r;
    if (LIKELY(v_is_int(b) && !__builtin_sub_overflow((int64_t)b, (int64_t)instr_sc(w) * 2, &r))) {
        DONE_SUM((Value)r);
    }
    STEP(step_binary_i);
}
OP(NEG) {
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
    int r = obj_truth_quick(REG_B);
    if (LIKELY(r >= 0)) {
        DONE(v_bool(!r));
    }
    STEP(step_not);
}

/* ---- comparison ---- */

/* clang-format off */
COMPARE_OP(LT, <)
COMPARE_OP(LE, <=)
COMPARE_OP(EQ, ==)
COMPARE_OP(NE, !=)
COMPARE_OP(GT, >)
COMPARE_OP(GE, >=)
/* clang-format on */

OP(IS) {
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

/* ---- jumps ---- */

OP(JUMP) {
    pc += instr_bc(w);
    DISPATCH();
}
OP(JUMP_BACK) {
    JUMP_POLL(instr_bc(w));
}
OP(JUMP_IF_TRUE) {
    int r = obj_truth_quick(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_jump);
    if (r)
        JUMP_POLL(instr_bc(w));
    NEXT();
}
OP(JUMP_IF_FALSE) {
    int r = obj_truth_quick(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_jump);
    if (!r)
        JUMP_POLL(instr_bc(w));
    NEXT();
}
OP(JUMP_IF_TRUE_OR_POP) {
    int r = obj_truth_quick(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_or_pop);
    if (r) {
        pc += instr_bc(w);
        DISPATCH();
    }
    NEXT(); /* what is dropped is an immediate */
}
OP(JUMP_IF_FALSE_OR_POP) {
    int r = obj_truth_quick(REG_A);
    if (UNLIKELY(r < 0))
        STEP_ANY(step_truth_or_pop);
    if (!r) {
        pc += instr_bc(w);
        DISPATCH();
    }
    NEXT(); /* what is dropped is an immediate */
}
OP(JUMP_IF_NONE) {
    if (REG_A == V_NONE)
        JUMP_POLL(instr_bc(w));
    FINISH1(TAKE_A, 1);
}
OP(JUMP_IF_NOT_NONE) {
    if (REG_A == V_NONE)
        NEXT();
    int offset = instr_bc(w);
    FINISH_JUMP(TAKE_A, ABSENT, offset);
}
/* clang-format off */
COMPARE_JUMPS(LT, <)
COMPARE_JUMPS(LE, <=)
COMPARE_JUMPS(EQ, ==)
COMPARE_JUMPS(NE, !=)
COMPARE_JUMPS(GT, >)
COMPARE_JUMPS(GE, >=)
/* clang-format on */

OP(JIN) {
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

/* ---- iteration ---- */

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
_Static_assert(IDX_LIST < IDX_GENERATOR && IDX_TUPLE < IDX_GENERATOR && IDX_STR < IDX_GENERATOR &&
                   IDX_GENERATOR < IDX_ZIP && IDX_GENERATOR < IDX_ENUMERATE && IDX_GENERATOR < IDX_DICT_ITEMITER,
               "FOR_PAIRS tells what may give pairs from what FOR_LOOP knows");
OP(FOR_PAIRS) {
    Value it = REG_A;
    /* Iterators that may give pairs come behind what FOR_LOOP knows. */
    if (v_is_likely_obj(it) && LIKELY(obj_index(it) > IDX_GENERATOR) && LIKELY(LOAD_RELAXED(&t->poll) == 0)) {
        pc += instr_sc(w);
        w = LOAD_RELAXED(pc);
        GOTO(pairs);
    }
    GOTO(op_FOR_LOOP);
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

/* ---- building ---- */

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
    MAY_WAIT();
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

/* ---- calls ---- */

OP(CALL) {
    Value *h = &REG_A;
    TRY_PUSH(h, instr_b(w), h[0]);
    Value f = h[0];
    if (v_is_exact(f, IDX_NATIVE) && ((Native *)f)->fn == interp_list_append_fn && instr_b(w) == 1) {
        Value v = h[FRAME_WORDS];
        MAY_WAIT();
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
OP(CALL_OWNED) {
    Value *h = &REG_A, f = h[0];
    bool objects = false;
    for (unsigned i = 0, n = instr_b(w); i < n; i++)
        objects |= v_is_obj(h[FRAME_WORDS + i]);
    if (!objects)
        GOTO(op_CALL);
    if (v_is_likely_obj(f) && LIKELY(obj_index(f) == IDX_FUNCTION)) {
        Code *c = function_code(f);
        uint32_t owner = arguments_let_out(h + FRAME_WORDS, instr_b(w), c);
        TRY_PUSH_CODE(h, instr_b(w), c, owner);
    }
    arguments_let_out(h + FRAME_WORDS, instr_b(w), NULL);
    GOTO(op_CALL);
}
OP(CALL_METHOD) {
    Value *h = &REG_A;
    Value f = h[0];
    if (f == interp_list_append && instr_b(w) == 1 && obj_index(h[FRAME_WORDS]) == IDX_LIST) {
        Value l = h[FRAME_WORDS], v = h[FRAME_WORDS + 1];
        MAY_WAIT();
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
/* The locals of frame f, which returns, and its function lose their references; the caller's frame is the current one.
 */
#define END_FRAME(f)                                                    \
    do {                                                                \
        if (COUNT_EXACT) {                                              \
            for (uint32_t i = 0, n = (f)->code->n_locals; i < n; i++) { \
                Value x = R[i];                                         \
                if (v_is_obj(x)) {                                      \
                    R[i] = ABSENT;                                      \
                    if (UNLIKELY(count_drop(v_obj(x)))) {               \
                        publish_pc(R, pc);                              \
                        dead_object(v_obj(x));                          \
                    }                                                   \
                }                                                       \
            }                                                           \
            if (UNLIKELY(drop_lasting(v_obj((f)->func)))) {             \
                publish_pc(R, pc);                                      \
                dead_object(v_obj(take_func(f)));                       \
            }                                                           \
        }                                                               \
        InterpFrame *caller = (f)->prev;                                \
        t->frame = caller;                                              \
        R = caller->regs;                                               \
        pc = caller->pc;                                                \
        K = caller->code->consts;                                       \
    } while (0)
/* w: what a frame with FR_RESULT_A and no other flag returns. */
SHARED(return_a) {
    Value v = w;
    InterpFrame *f = frame_of_regs(R);
    END_FRAME(f);
    w = LOAD_RELAXED(pc);
    if (UNLIKELY(return_to_a(R, w, v) < 0))
        GOTO(raised);
    NEXT_N(instr_length(instr_op(w)));
}
OP(RETURN) {
    InterpFrame *f = frame_of_regs(R);
    Value v = REG_B;
    if (UNLIKELY(f->flags != 0) && f->flags == FR_INIT && v == V_NONE) {
        v = f->extra;
    } else if (UNLIKELY(f->flags != 0)) {
        if (f->flags == FR_RESULT_A) {
            if (COUNT_EXACT)
                REG_B = ABSENT; /* as below */
            w = v;
            GOTO(return_a);
        }
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
    if (COUNT_EXACT)
        REG_B = ABSENT; /* moves, out of a local too: the frame ends */
    END_FRAME(f);
    w = LOAD_RELAXED(pc);
    unsigned c = instr_c(w);
    if (COUNT_EXACT && UNLIKELY(HAS_FLAG(IF_DST_LOCAL))) {
        Value old = R[c];
        R[c] = v;
        FINISH1(old, 1);
    }
    R[c] = v;
    NEXT();
}
OP(RETURN_OUT) {
    obj_let_out(REG_B);
    GOTO(op_RETURN);
}
OP(RETURN_CONST) {
    InterpFrame *f = frame_of_regs(R);
    Value v = retained_lasting(K[instr_bc(w)]);
    if (f->flags == FR_INIT && v == V_NONE) {
        v = f->extra;
    } else if (UNLIKELY(f->flags != 0)) {
        if (f->flags == FR_RESULT_A) {
            w = v;
            GOTO(return_a);
        }
        publish_pc(R, pc);
        int s = return_slow(t, f, v);
        if (s == STEP_FRAME)
            GOTO(enter);
        if (s == STEP_EXIT)
            GOTO(leave);
        GOTO(raised);
    }
    END_FRAME(f);
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

/* ---- generators ---- */

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

/* ---- exceptions ---- */

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
    STEP_ANY(step_with_enter);
}
OP(WITH_EXIT) {
    Value func = REG_B, self = R[instr_b(w) + 1], *block = &REG_A;
    REG_B = R[instr_b(w) + 1] = ABSENT;
    block[0] = self != ABSENT ? func : ABSENT;
    block[1] = self != ABSENT ? ABSENT : func;
    block[FRAME_WORDS] = self;
    NEXT_N(1);
}
OP(WITH_EXCEPT) {
    STEP(step_with_except);
}
OP(LOAD_ASSERTION_ERROR) {
    DONE(V_OF(&exc_AssertionError));
}

/* ---- import, classes, match ---- */

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

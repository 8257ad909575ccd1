/* Exceptions in the loop, the ends of frames, and the instructions of try, except and with. */
#include "interp/eval.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"

void frame_pop(Thread *t, InterpFrame *f) {
    if (f->flags & FR_OBJECT)
        frame_detach(f);
    if (COUNT_EXACT) {
        for (uint32_t i = 0, n = f->code->n_locals; i < n; i++) {
            Value v = f->regs[i];
            f->regs[i] = ABSENT;
            release(v);
        }
    }
    if (f->flags & (FR_INIT | FR_LOCALS)) {
        f->flags &= ~(uint32_t)(FR_INIT | FR_LOCALS);
        release(f->extra);
    }
    t->frame = f->prev;
    Value func = f->func;
    f->func = ABSENT; /* it may be a word of the caller's call block */
    Value gen = f->flags & FR_GEN ? f->extra : ABSENT;
    if (f->flags & FR_SEGMENT)
        interp_pop_segment(t);
    if (gen != ABSENT)
        ref_clear(gen, &((Generator *)gen)->func); /* the frame's was borrowed from it */
    else if (COUNT_EXACT && v_is_obj(func) && drop_lasting(v_obj(func)))
        dead_object(v_obj(func));
}

int return_to_a(Value *R, uint64_t w, Value v) {
    unsigned op = instr_op(w);
    if (UNLIKELY(v == V_NOTIMPL) && op >= OP_ADD && op <= OP_XOR) {
        /* Both operands are of one class: nobody else is asked. */
        num_unsupported(op, R[instr_b(w)], R[instr_c(w)], instr_flags(w) & IF_INPLACE);
        return STEP_ERROR;
    }
    if (op == OP_STORE_ATTR || op == OP_STORE_ATTR_SHARED) {
        release(v); /* what a property's setter returns is nobody's */
        kill_reg(R, w, IF_KILL_A, instr_a(w), R[instr_a(w)]);
        kill_reg(R, w, IF_KILL_B, instr_b(w), R[instr_b(w)]);
        return STEP_NEXT;
    }
    return step_result(R, w, v, R[instr_b(w)], instr_flags(w) & IF_KILL_C ? R[instr_c(w)] : ABSENT);
}

int return_slow(Thread *t, InterpFrame *f, Value v) {
    uint32_t flags = f->flags;
    if (!COUNT_EXACT && (flags & (FR_OWNER | FR_OBJECT)) == FR_OWNER)
        owner_returns(f);
    if (flags & FR_INIT) {
        if (UNLIKELY(v != V_NONE)) {
            err_set(&exc_TypeError, "__init__() should return None, not '%T'", v);
            release(v);
            return STEP_ERROR;
        }
        v = f->extra;
        f->flags &= ~(uint32_t)FR_INIT; /* the reference moves to v */
    }
    if (flags & FR_GEN)
        gen_finished(t, f, false);
    frame_pop(t, f);
    if (flags & FR_ENTRY) {
        t->interp_result = v;
        return STEP_EXIT;
    }
    InterpFrame *caller = t->frame;
    uint64_t w = LOAD_RELAXED(caller->pc);
    if (flags & FR_GEN) {
        if (instr_op(w) == OP_FOR_ITER) {
            Value g = caller->regs[instr_a(w)];
            caller->regs[instr_a(w)] = ABSENT;
            release(v);
            release(g);
        } else { /* SEND */
            caller->regs[instr_a(w)] = v;
        }
        caller->pc += instr_sc(w);
        return STEP_FRAME;
    }
    if (flags & FR_RESULT_A) {
        if (return_to_a(caller->regs, w, v) < 0)
            return STEP_ERROR;
        caller->pc += instr_length(instr_op(w));
        return STEP_FRAME;
    }
    set_reg(caller->regs, w, instr_c(w), v);
    caller->pc++;
    return STEP_FRAME;
}

static const ExcEntry *find_handler(const Code *c, uint32_t pc) {
    for (uint32_t i = 0; i < c->n_excs; i++)
        if (pc >= c->excs[i].start && pc < c->excs[i].end)
            return &c->excs[i];
    return NULL;
}

bool interp_unwind(Thread *t, bool add_traceback) {
    InterpFrame *f = t->frame;
    uint32_t live = frame_live(f, NULL);
    for (;;) {
        ASSERT(t->exc != ABSENT);
        if (add_traceback)
            traceback_here(t, f);
        const ExcEntry *e = find_handler(f->code, (uint32_t)(f->pc - f->code->instrs));
        if (e) {
            frame_release(f, e->depth, live);
            f->regs[e->depth] = t->exc;
            t->exc = ABSENT;
            f->pc = f->code->instrs + e->handler;
            return true;
        }
        frame_release(f, f->code->n_locals, live);
        if (!add_traceback && (f->flags & FR_OBJECT) && frame_line(f) < 0) {
            /* Raised again on the way out: the frame's line stays that of where it came from. */
            Value tb = ref_peek(&((BaseExc *)t->exc)->traceback);
            if (tb != ABSENT && v_is_exact(tb, IDX_TRACEBACK) && ref_peek(&((Traceback *)tb)->frame) == f->frame_obj)
                f->pc = f->code->instrs + ((Traceback *)tb)->lasti;
        }
        uint32_t flags = f->flags;
        if (flags & FR_GEN)
            gen_finished(t, f, true);
        frame_pop(t, f);
        if (flags & FR_ENTRY)
            return false;
        InterpFrame *caller = t->frame;
        /* A frame above a call block has eaten the block; generators leave their driver's operands alone. */
        live = flags & (FR_GEN | FR_RESULT_A) ? frame_live(caller, NULL) : instr_a(LOAD_RELAXED(caller->pc));
        f = caller;
        add_traceback = true;
    }
}

/* ---- raising ---- */

int step_raise(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    if (instr_flags(w) & IF_X1) {
        Value h = interp_handled();
        if (h == ABSENT || h == V_NONE) {
            err_set(&exc_RuntimeError, "No active exception to reraise");
            return STEP_ERROR;
        }
        err_restore(retained(h));
        return STEP_RERAISE;
    }
    Value exc = exc_from_raise(R[instr_b(w)]);
    if (exc == ABSENT)
        return STEP_ERROR;
    if (instr_c(w) != NO_REG) {
        Value cause = R[instr_c(w)];
        if (cause == V_NONE) {
            exc_set_cause(exc, V_NONE);
        } else if (v_is_type(cause) || v_is_exc(cause)) {
            Value made = v_is_exc(cause) ? retained(cause) : obj_call0(cause);
            if (made != ABSENT && !v_is_exc(made)) {
                release(made);
                made = err_set(&exc_TypeError, "exception causes must derive from BaseException");
            }
            if (made == ABSENT) {
                release(exc);
                return STEP_ERROR;
            }
            exc_set_cause(exc, made);
        } else {
            release(exc);
            err_set(&exc_TypeError, "exception causes must derive from BaseException");
            return STEP_ERROR;
        }
    }
    err_raise(exc);
    return STEP_ERROR;
}

int step_reraise(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value exc = R[instr_b(w)];
    R[instr_b(w)] = ABSENT;
    err_restore(exc);
    return STEP_RERAISE;
}

Value interp_handled(void) {
    return thread_self()->handled;
}

/* A generator has a handled exception of its own; where it has none, that of whoever resumed it shows through. */
int step_push_exc(Thread *t, Value *R, Instr *pc, uint64_t w) {
    InterpFrame *f = frame_of_regs(R);
    Value exc = R[instr_b(w)];
    if (f->flags & FR_GEN) {
        Generator *g = (Generator *)f->extra;
        Value own = ref_peek(&g->own_handled);
        R[instr_a(w)] = own == ABSENT ? V_NONE : own; /* moves */
        ref_swap(f->extra, &g->own_handled, retained(exc));
        Value old = t->handled;
        t->handled = retained(exc);
        release(old);
    } else {
        R[instr_a(w)] = t->handled == ABSENT ? V_NONE : t->handled; /* moves */
        t->handled = retained(exc);
    }
    return STEP_NEXT;
}
int step_pop_exc(Thread *t, Value *R, Instr *pc, uint64_t w) {
    InterpFrame *f = frame_of_regs(R);
    publish_pc(R, pc);
    Value prev = R[instr_a(w)], old = t->handled;
    R[instr_a(w)] = ABSENT;
    if (prev == V_NONE)
        prev = ABSENT;
    if (f->flags & FR_GEN) {
        Generator *g = (Generator *)f->extra;
        release(ref_swap(f->extra, &g->own_handled, prev));
        t->handled = retained(prev != ABSENT ? prev : ref_peek(&g->inherited));
    } else {
        t->handled = prev;
    }
    release(old);
    return STEP_NEXT;
}

/* ---- matching ---- */

static int check_catchable(Value type, const char *msg) {
    if (v_is_tuple(type)) {
        for (intptr_t i = 0; i < tuple_len(type); i++)
            if (check_catchable(tuple_get(type, i), msg) < 0)
                return -1;
        return 0;
    }
    if (v_is_type(type) && type_is_subtype((Type *)type, &exc_BaseException))
        return 0;
    err_set(&exc_TypeError, "%s", msg);
    return -1;
}

int step_exc_match(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    if (v_is_tuple(c)) { /* one level only, as CPython checks */
        for (intptr_t i = 0; i < tuple_len(c); i++)
            if (v_is_tuple(tuple_get(c, i)) || check_catchable(tuple_get(c, i), "") < 0) {
                err_set(&exc_TypeError, "catching classes that do not inherit from BaseException is not allowed");
                return STEP_ERROR;
            }
    } else if (check_catchable(c, "catching classes that do not inherit from BaseException is not allowed") < 0) {
        return STEP_ERROR;
    }
    return step_result(R, w, v_bool(err_value_matches(b, c)), b, c);
}

int step_exc_group_match(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)], match = ABSENT, rest = ABSENT;
    if (check_catchable(c, "catching classes that do not inherit from BaseException is not allowed") < 0)
        return STEP_ERROR;
    for (intptr_t i = 0, n = v_is_tuple(c) ? tuple_len(c) : 1; i < n; i++) {
        Value k = v_is_tuple(c) ? tuple_get(c, i) : c;
        if (v_is_type(k) && type_is_subtype((Type *)k, &exc_BaseExceptionGroup)) {
            err_set(&exc_TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead.");
            return STEP_ERROR;
        }
    }
    if (b == V_NONE) {
        match = V_NONE;
        rest = V_NONE;
    } else if (exc_group_match(b, c, &match, &rest) < 0) {
        return STEP_ERROR;
    }
    kill_reg(R, w, IF_KILL_B, instr_b(w), b);
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    R[instr_a(w)] = match;
    R[instr_a(w) + 1] = rest;
    return STEP_NEXT;
}

int step_prep_reraise_star(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    return step_result(R, w, exc_star_result(b, c), b, c);
}

/* ---- with ---- */

/* Class attribute sp of o as a function to be called with o in front (*self = o, retained), or bound (*self = ABSENT).
 * 1, 0, -1. */
static int special_unbound(Value o, int sp, Value *func, Value *self) {
    Value f = type_special(type_of(o), sp);
    if (f == ABSENT)
        return 0;
    if (v_is_function(f) || v_is_exact(f, IDX_METHOD_DESCR)) {
        *func = retained(f);
        *self = retained(o);
        return 1;
    }
    *self = ABSENT;
    return obj_lookup_special(o, sp, func);
}

/* Where both are methods of one built-in type, as a lock's: calls __enter__ at once, without a block, and goes on
 * behind the CALL_METHOD (STEP_FRAME). STEP_NEXT: nothing has happened. */
static int enter_native(Value *R, Instr *pc, uint64_t w) {
    Value m = R[instr_b(w)];
    Type *type = type_of(m);
    Value enter = type_special(type, SP_ENTER), leave = type_special(type, SP_EXIT);
    uint64_t call = LOAD_RELAXED(pc + 1);
    if (enter == ABSENT || leave == ABSENT || !v_is_exact(enter, IDX_METHOD_DESCR) ||
        !v_is_exact(leave, IDX_METHOD_DESCR) || instr_op(call) != OP_CALL_METHOD)
        return STEP_NEXT;
    Native *f = (Native *)enter;
    if (f->owner != type || !native_direct(f, 0))
        return STEP_NEXT;
    Value v = f->fn(m, NULL, 0, ABSENT);
    if (v == ABSENT)
        return STEP_ERROR;
    R[instr_a(w)] = retained(leave);
    R[instr_a(w) + 1] = COUNT_EXACT && (instr_flags(w) & IF_KILL_B) ? m : retained(m);
    set_reg(R, call, instr_c(call), v);
    frame_of_regs(R)->pc = pc + 2;
    return STEP_FRAME;
}

int step_with_enter(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value m = R[instr_b(w)], enter = ABSENT, self = ABSENT, leave = ABSENT, manager = ABSENT;
    bool async = instr_flags(w) & IF_X1;
    int r = async ? STEP_NEXT : enter_native(R, pc, w);
    if (r != STEP_NEXT)
        return r;
    r = special_unbound(m, async ? SP_AENTER : SP_ENTER, &enter, &self);
    if (r == 0) {
        err_set(&exc_TypeError, "'%T' object does not support the %s protocol", m,
                async ? "asynchronous context manager" : "context manager");
        return STEP_ERROR;
    }
    if (r > 0) {
        r = special_unbound(m, async ? SP_AEXIT : SP_EXIT, &leave, &manager);
        if (r == 0)
            err_set(&exc_TypeError, "'%T' object does not support the %s protocol (missed %s method)", m,
                    async ? "asynchronous context manager" : "context manager", async ? "__aexit__" : "__exit__");
    }
    if (r <= 0) {
        release(enter);
        release(self);
        return STEP_ERROR;
    }
    kill_reg(R, w, IF_KILL_B, instr_b(w), m);
    R[instr_a(w)] = leave;
    R[instr_a(w) + 1] = manager;
    Value *block = &R[instr_c(w)];
    if (self != ABSENT) {
        block[0] = enter;
        block[1] = ABSENT;
        block[FRAME_WORDS] = self;
    } else {
        block[0] = ABSENT;
        block[1] = enter;
        block[FRAME_WORDS] = ABSENT;
    }
    return STEP_NEXT;
}

int step_with_except(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value f = R[instr_b(w)], manager = R[instr_b(w) + 1], c = R[instr_c(w)];
    Value args[4] = {manager, V_OF(type_of(c)), c, exc_traceback(c)};
    bool bound = manager == ABSENT;
    Value r = obj_call(f, args + bound, 4 - bound, ABSENT);
    release(args[3]);
    return step_result(R, w, r, f, c);
}

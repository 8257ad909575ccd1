/* Generators and coroutines: their life, send, throw, close, and the instructions that drive and suspend them. Async
 * generators' own awaitables: asyncgen.c. */
#include "interp/asyncgen.h"
#include "interp/eval.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/native.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

Type generator_type, coroutine_type;

static const char *kind_name(const Generator *g) {
    switch (obj_index(V_OF(g))) {
    case IDX_COROUTINE:
        return "coroutine";
    case IDX_ASYNC_GENERATOR:
        return "async generator";
    }
    return "generator";
}

void gen_traverse(Value self, VisitFn visit, void *arg) {
    Generator *g = (Generator *)self;
    visit(ref_peek(&g->func), arg);
    visit(ref_peek(&g->code), arg);
    visit(ref_peek(&g->name), arg);
    visit(ref_peek(&g->qualname), arg);
    visit(ref_peek(&g->own_handled), arg);
    visit(ref_peek(&g->inherited), arg);
    visit(ref_peek(&g->frame_obj), arg);
    visit(ref_peek(&g->origin), arg);
    visit(ref_peek(&g->finalizer), arg);
    for (uint32_t i = 0; i < g->n_saved; i++)
        visit(ref_peek(&g->regs[i]), arg);
}
void gen_clear_refs(Value self) {
    Generator *g = (Generator *)self;
    STORE_RELAXED(&g->state, GEN_FINISHED);
    if (ref_peek(&g->frame_obj) != ABSENT)
        frame_orphan(ref_peek(&g->frame_obj), self);
    for (uint32_t i = 0; i < g->n_saved; i++)
        ref_clear(self, &g->regs[i]);
    g->n_saved = 0;
    ref_clear(self, &g->func);
    ref_clear(self, &g->name);
    ref_clear(self, &g->qualname);
    ref_clear(self, &g->own_handled);
    ref_clear(self, &g->inherited);
    ref_clear(self, &g->frame_obj);
    ref_clear(self, &g->origin);
    ref_clear(self, &g->finalizer);
}

Value generator_new(Value func, Code *c, const Value *args, intptr_t npos, Value kwnames) {
    Type *type = c->flags & CO_COROUTINE         ? &coroutine_type
                 : c->flags & CO_ASYNC_GENERATOR ? &async_generator_type
                                                 : &generator_type;
    Value v = obj_new_sized(type, c->n_regs * sizeof(Value));
    if (v == ABSENT)
        return ABSENT;
    Generator *g = (Generator *)v;
    STORE_RELAXED(&g->state, GEN_FINISHED);
    ref_init(&g->func, retained(func));
    ref_init(&g->code, retained(V_OF(c)));
    ref_init(&g->name, ref_read(func, &((Function *)func)->name));
    ref_init(&g->qualname, ref_read(func, &((Function *)func)->qualname));
    g->n_saved = c->n_locals;
    g->pc = c->instrs;
    /* One without handlers has nothing to do when it dies but to let go of what it holds. */
    if (c->n_excs == 0 && type == &generator_type)
        obj_set_flag(v_obj(v), OF_FINALIZED);
    trace_track(v_obj(v));
    if (bind_arguments(func, c, (Value *)g->regs, args, npos, kwnames) < 0) {
        release(v);
        return ABSENT;
    }
    STORE_RELAXED(&g->state, GEN_CREATED);
    if ((c->flags & CO_COROUTINE) && coro_origin_depth() > 0)
        coro_track_origin(v);
    return v;
}

/* ---- resuming and suspending ---- */

/* Takes the generator: 0, or -1 with ValueError when it runs, or 1 when it is finished. *was: its state before. */
static int gen_take(Generator *g, uint32_t *was) {
    uint32_t s = LOAD_RELAXED(&g->state);
    for (;;) {
        if (s == GEN_FINISHED)
            return 1;
        if (s == GEN_RUNNING) {
            const char *kind = obj_index(V_OF(g)) == IDX_COROUTINE         ? "coroutine"
                               : obj_index(V_OF(g)) == IDX_ASYNC_GENERATOR ? "async generator"
                                                                           : "generator";
            err_set(&exc_ValueError, "%s already executing", kind);
            return -1;
        }
        if (LIKELY(excl_alone(V_OF(g)))) {
            STORE_RELAXED(&g->state, GEN_RUNNING);
            *was = s;
            return 0;
        }
        if (atomic_compare_exchange_weak_explicit(&g->state, &s, GEN_RUNNING, memory_order_acquire,
                                                  memory_order_relaxed)) {
            *was = s;
            return 0;
        }
    }
}

/* The frame of g, which the caller has taken, above Thread.frame. NULL with an exception; g is as before then. */
static InterpFrame *gen_frame(Thread *t, Generator *g, uint32_t extra_flags, uint32_t was) {
    Code *c = (Code *)ref_peek(&g->code);
    uint32_t flags = FR_GEN | extra_flags;
    InterpFrame *f = frame_reserve(t, c, &flags);
    if (!f) {
        STORE_RELEASE(&g->state, was);
        return NULL;
    }
    for (uint32_t i = 0; i < g->n_saved; i++)
        f->regs[i] = LOAD_RELAXED(&g->regs[i]);
    if (EXCL_PARALLEL)
        for (uint32_t i = 0; i < g->n_saved; i++)
            ref_written(V_OF(g), f->regs[i], ABSENT);
    g->n_saved = 0;
    f->func = ref_peek(&g->func); /* borrowed: the generator outlives its frame */
    f->code = c;
    f->prev = t->frame;
    f->pc = g->pc;
    f->extra = V_OF(g);
    f->flags = flags;
    f->depth = t->frame ? t->frame->depth + 1 : 1;
    g->frame = f;
    if (UNLIKELY(ref_peek(&g->frame_obj) != ABSENT))
        release(frame_object(f)); /* attaches it */
    /* The generator sees what its resumer handles, unless it handles something itself. */
    publish_into(V_OF(g), t->handled);
    ref_init(&g->inherited, t->handled);
    Value own = ref_peek(&g->own_handled);
    t->handled = retained(own != ABSENT ? own : t->handled);
    t->frame = f;
    return f;
}

/* Thread.handled goes back to the resumer's. */
static void gen_leave(Thread *t, Generator *g) {
    Value now = t->handled;
    t->handled = ref_peek(&g->inherited);
    ref_init(&g->inherited, ABSENT);
    release(now);
    g->frame = NULL;
}

int gen_push(Thread *t, Generator *g, Value v, uint32_t extra_flags) {
    uint32_t was = 0;
    int r = gen_take(g, &was);
    if (r != 0) {
        release(v);
        return r;
    }
    if (was == GEN_CREATED && v != V_NONE) {
        STORE_RELEASE(&g->state, was);
        err_set(&exc_TypeError, "can't send non-None value to a just-started %s", kind_name(g));
        release(v);
        return -1;
    }
    InterpFrame *f = gen_frame(t, g, extra_flags, was);
    if (!f) {
        release(v);
        return -1;
    }
    if (was == GEN_SUSPENDED) {
        uint64_t w = LOAD_RELAXED(f->pc);
        set_reg(f->regs, w, instr_a(w), v);
        f->pc++;
    }
    return 0;
}

/* The registers of g's frame f, which is innermost, go back into g. The frame is popped. */
static void gen_suspend(Thread *t, Generator *g, InterpFrame *f) {
    uint32_t live = frame_live(f, NULL), at = (uint32_t)(f->pc - f->code->instrs);
    Code *c = f->code;
    for (uint32_t i = 0; c->yields_in_block && i < c->n_holes; i++)
        if (at >= c->holes[i].start && at < c->holes[i].end)
            for (uint32_t k = 0; k < c->holes[i].n; k++)
                f->regs[c->holes[i].first + k] = ABSENT;
    if (obj_is_private(V_OF(g)))
        for (uint32_t i = 0; i < live; i++)
            ref_swap_private(V_OF(g), &g->regs[i], f->regs[i]);
    else
        for (uint32_t i = 0; i < live; i++)
            ref_swap(V_OF(g), &g->regs[i], f->regs[i]);
    g->n_saved = live;
    g->pc = f->pc;
    if (f->flags & FR_OBJECT)
        frame_suspend(f);
    gen_leave(t, g);
    t->frame = f->prev;
    if (f->flags & FR_SEGMENT)
        interp_pop_segment(t);
    STORE_RELEASE(&g->state, GEN_SUSPENDED); /* pairs with gen_take: whoever goes on sees the registers */
}

int step_yield(Thread *t, Value *R, Instr *pc, uint64_t w) {
    InterpFrame *f = frame_of_regs(R);
    Value v = R[instr_b(w)];
    publish_pc(R, pc);
    if (!(instr_flags(w) & IF_KILL_B))
        retain(v);
    else
        R[instr_b(w)] = ABSENT;
    uint32_t flags = f->flags;
    gen_suspend(t, (Generator *)f->extra, f);
    if (flags & FR_ENTRY) {
        t->interp_result = v;
        t->yielded = true;
        return STEP_EXIT;
    }
    InterpFrame *caller = t->frame;
    w = LOAD_RELAXED(caller->pc);
    if (instr_op(w) == OP_FOR_ITER)
        set_reg(caller->regs, w, instr_b(w), v);
    else
        caller->regs[instr_a(w)] = v;
    caller->pc++;
    return STEP_FRAME;
}

void gen_finished(Thread *t, InterpFrame *f, bool raised) {
    Generator *g = (Generator *)f->extra;
    gen_leave(t, g);
    Value v = V_OF(g);
    ref_clear(v, &g->own_handled);
    if (raised) {
        uint32_t flags = f->code->flags;
        if (err_matches(&exc_StopIteration))
            exc_wrap_pending(&exc_RuntimeError, flags & CO_COROUTINE         ? "coroutine raised StopIteration"
                                                : flags & CO_ASYNC_GENERATOR ? "async generator raised StopIteration"
                                                                             : "generator raised StopIteration");
        else if ((flags & CO_ASYNC_GENERATOR) && err_matches(&exc_StopAsyncIteration))
            exc_wrap_pending(&exc_RuntimeError, "async generator raised StopAsyncIteration");
    }
    if (f->flags & FR_OBJECT)
        frame_detach(f);
    ref_clear(v, &g->frame_obj);
    STORE_RELEASE(&g->state, GEN_FINISHED);
    if (!(obj_flags(v_obj(v)) & OF_FINALIZED))
        obj_set_flag(v_obj(v), OF_FINALIZED);
}

/* ---- driving from C ---- */

/* Behind interp_run of g's frame: whether g has yielded. Its state may be another thread's doing by now, unless it is
 * private, as those are that the loop itself suspends. */
static bool has_yielded(Thread *t, Generator *g) {
    bool yielded = t->yielded;
    t->yielded = false;
    return yielded || (obj_is_private(V_OF(g)) && LOAD_RELAXED(&g->state) != GEN_FINISHED);
}

int gen_send(Value gen, Value v, Value *out) {
    Thread *t = thread_self();
    Generator *g = (Generator *)gen;
    *out = ABSENT;
    int r = LOAD_RELAXED(&g->state) == GEN_FINISHED ? 1 : gen_push(t, g, retained(v), FR_ENTRY);
    if (r > 0) {
        if (obj_index(gen) == IDX_COROUTINE) {
            err_set(&exc_RuntimeError, "cannot reuse already awaited coroutine");
            return -1;
        }
        *out = V_NONE;
        return 0;
    }
    if (r < 0)
        return -1;
    *out = interp_run(t, t->frame, false);
    if (*out == ABSENT)
        return -1;
    return has_yielded(t, g);
}

/* gen_push for a generator that is suspended with nothing out of the ordinary: false, and nothing done, for others. */
static bool resume_plain(Thread *t, Generator *g) {
    InterpFrame *caller = t->frame;
    Code *c = (Code *)ref_peek(&g->code);
    if (!excl_alone(V_OF(g)) || LOAD_RELAXED(&g->state) != GEN_SUSPENDED || ref_peek(&g->frame_obj) != ABSENT ||
        t->handled != ABSENT || ref_peek(&g->own_handled) != ABSENT || !caller)
        return false;
    InterpFrame *f = (InterpFrame *)(caller->regs + caller->code->n_regs);
    if (f->regs + c->n_regs > t->stack_limit || (int)caller->depth + 1 >= LOAD_RELAXED(&interp_recursion_limit))
        return false;
    STORE_RELAXED(&g->state, GEN_RUNNING);
    for (uint32_t i = 0, n = g->n_saved; i < n; i++)
        STORE_RELAXED((Ref *)&f->regs[i], LOAD_RELAXED(&g->regs[i]));
    g->n_saved = 0;
    f->func = ref_peek(&g->func);
    f->code = c;
    f->prev = caller;
    f->extra = V_OF(g);
    f->flags = FR_GEN | FR_ENTRY;
    f->depth = caller->depth + 1;
    g->frame = f;
    uint64_t w = LOAD_RELAXED(g->pc);
    set_reg(f->regs, w, instr_a(w), V_NONE);
    f->pc = g->pc + 1;
    t->frame = f;
    return true;
}

Value gen_next(Value gen) {
    Value v;
    Thread *t = thread_self();
    if (LIKELY(resume_plain(t, (Generator *)gen))) {
        v = interp_run(t, t->frame, false);
        if (UNLIKELY(!has_yielded(t, (Generator *)gen))) {
            release(v);
            return ABSENT;
        }
        return v;
    }
    int r = gen_send(gen, V_NONE, &v);
    if (r > 0)
        return v;
    if (r == 0)
        release(v);
    return ABSENT;
}

/* The iterator that a generator suspended at pc in `yield from` or `await` waits for: borrowed, or ABSENT. */
static Value delegate_at(const Instr *pc, const Ref *regs) {
    uint64_t w = LOAD_RELAXED(pc);
    return instr_op(w) == OP_YIELD && (instr_flags(w) & IF_X1) ? LOAD_RELAXED(&regs[instr_c(w)]) : ABSENT;
}
/* The same of g; nobody resumes it meanwhile. */
static Value gen_delegate(Generator *g) {
    return LOAD_RELAXED(&g->state) == GEN_SUSPENDED ? delegate_at(g->pc, g->regs) : ABSENT;
}
/* f: the frame of a generator that the caller has taken, and that was in that state. */
static Value frame_delegate(const InterpFrame *f, uint32_t was) {
    return was == GEN_SUSPENDED ? delegate_at(f->pc, (const Ref *)f->regs) : ABSENT;
}

static Value stop_with(Value v) {
    err_stop_iteration(v);
    release(v);
    return ABSENT;
}

/* Result of running the generator on, with the pending exception raised in it if throwing: what it yields, or ABSENT
 * with StopIteration. */
static Value run_on(Thread *t, Generator *g, InterpFrame *f, bool throwing) {
    /* What the resumer handles is no context of what is thrown: raising it there has chained it, if it was raised. */
    Value own = ref_peek(&g->own_handled);
    if (throwing && own != ABSENT) {
        Value exc = err_fetch();
        exc_chain(exc, own);
        err_restore(exc);
    }
    Value r = interp_run(t, f, throwing);
    if (r == ABSENT || has_yielded(t, g))
        return r;
    if (obj_index(V_OF(g)) == IDX_ASYNC_GENERATOR) {
        release(r);
        return err_set_none(&exc_StopAsyncIteration);
    }
    if (r == V_NONE)
        return err_set_none(&exc_StopIteration);
    return stop_with(r);
}

/* Raises the pending exception inside g. */
static Value gen_throw_pending(Generator *g) {
    Thread *t = thread_self();
    Value exc = err_fetch();
    uint32_t was = 0;
    int r = gen_take(g, &was);
    if (r < 0) {
        release(exc);
        return ABSENT;
    }
    if (r > 0) {
        if (obj_index(V_OF(g)) == IDX_COROUTINE) {
            release(exc);
            return err_set(&exc_RuntimeError, "cannot reuse already awaited coroutine");
        }
        err_restore(exc);
        return ABSENT;
    }
    InterpFrame *f = gen_frame(t, g, FR_ENTRY, was);
    if (!f) {
        release(exc);
        return ABSENT;
    }
    err_restore(exc);
    return run_on(t, g, f, true);
}

/* f, g's frame suspended in a `yield from`, is on the stack, and the subiterator has just ended with an exception
 * pending: g goes on behind its SEND with the value of a StopIteration; anything else is raised in it. */
static Value gen_delegate_done(Thread *t, Generator *g, InterpFrame *f) {
    if (!err_matches(&exc_StopIteration))
        return run_on(t, g, f, true);
    Value stop = err_fetch(), v = exc_stop_value(stop);
    release(stop);
    /* YIELD; JUMP back to its SEND. */
    Instr *jump = f->pc + 1, *send = jump + instr_bc(LOAD_RELAXED(jump));
    uint64_t w = LOAD_RELAXED(send);
    ASSERT(instr_op(w) == OP_SEND);
    f->regs[instr_a(w)] = v;
    f->pc = send + instr_sc(w);
    return run_on(t, g, f, false);
}

static bool is_gen(Value v) {
    return v_is_obj(v) &&
           (obj_index(v) == IDX_GENERATOR || obj_index(v) == IDX_COROUTINE || obj_index(v) == IDX_ASYNC_GENERATOR);
}

static int close_iterator(Value it) {
    if (is_gen(it))
        return gen_close(it);
    Value m;
    int r = obj_lookup_attr(it, ID("close"), &m);
    if (r < 0)
        err_unraisable("Exception ignored in", it);
    if (r <= 0)
        return 0;
    Value v = obj_call0(m);
    release(m);
    if (v == ABSENT)
        return -1;
    release(v);
    return 0;
}

Value gen_throw(Value gen, Value exc) {
    Thread *t = thread_self();
    Generator *g = (Generator *)gen;
    if (excl_alone(gen) && gen_delegate(g) == ABSENT) {
        err_restore(retained(exc));
        return gen_throw_pending(g);
    }
    if (!recursion_enter(" while throwing into a generator"))
        return ABSENT;
    /* The generator's frame lies on the stack while its subiterator deals with the exception, as it does when it is
     * resumed. */
    uint32_t was = 0;
    int taken = gen_take(g, &was);
    if (taken != 0) {
        if (taken < 0)
            return ABSENT;
        err_restore(retained(exc));
        return gen_throw_pending(g); /* as of one that is finished */
    }
    InterpFrame *f = gen_frame(t, g, FR_ENTRY, was);
    if (!f)
        return ABSENT;
    Value sub = frame_delegate(f, was), r = ABSENT;
    if (sub == ABSENT) {
        err_restore(retained(exc));
        return run_on(t, g, f, true);
    }
    if (err_value_matches(exc, V_OF(&exc_GeneratorExit))) {
        if (close_iterator(sub) >= 0)
            err_restore(retained(exc));
        return run_on(t, g, f, true);
    }
    if (is_gen(sub)) {
        r = gen_throw(sub, exc);
    } else {
        Value m;
        int has = obj_lookup_attr(sub, ID("throw"), &m);
        if (has <= 0) {
            if (has == 0)
                err_restore(retained(exc));
            return run_on(t, g, f, true);
        }
        r = obj_call1(m, exc);
        release(m);
    }
    if (r == ABSENT)
        return gen_delegate_done(t, g, f);
    gen_suspend(t, g, f);
    return r;
}

int gen_close(Value gen) {
    Thread *t = thread_self();
    Generator *g = (Generator *)gen;
    uint32_t s = LOAD_RELAXED(&g->state);
    if (s == GEN_FINISHED)
        return 0;
    if (s == GEN_CREATED) {
        uint32_t was = 0;
        int taken = gen_take(g, &was);
        if (taken != 0)
            return taken < 0 ? -1 : 0;
        if (was == GEN_CREATED) {
            for (uint32_t i = 0; i < g->n_saved; i++)
                ref_clear(gen, &g->regs[i]);
            g->n_saved = 0;
            ref_clear(gen, &g->func);
            if (ref_peek(&g->frame_obj) != ABSENT)
                frame_orphan(ref_peek(&g->frame_obj), gen);
            ref_clear(gen, &g->frame_obj);
            STORE_RELEASE(&g->state, GEN_FINISHED);
            return 0;
        }
        STORE_RELEASE(&g->state, was); /* another thread has begun it */
    }
    Value r;
    if ((!excl_alone(gen) || gen_delegate(g) != ABSENT) && recursion_enter(" while closing a generator")) {
        uint32_t was = 0;
        int taken = gen_take(g, &was);
        if (taken != 0)
            return taken < 0 ? -1 : 0;
        InterpFrame *f = gen_frame(t, g, FR_ENTRY, was);
        if (!f)
            return -1;
        Value sub = frame_delegate(f, was);
        if (sub == ABSENT || close_iterator(sub) >= 0)
            err_set_none(&exc_GeneratorExit);
        r = run_on(t, g, f, true);
    } else {
        if (!err_pending())
            err_set_none(&exc_GeneratorExit);
        r = gen_throw_pending(g);
    }
    if (r != ABSENT) {
        release(r);
        err_set(&exc_RuntimeError, "%s ignored GeneratorExit", kind_name(g));
        return -1;
    }
    if (err_matches(&exc_StopIteration) || err_matches(&exc_GeneratorExit) || err_matches(&exc_StopAsyncIteration)) {
        err_clear();
        return 0;
    }
    return -1;
}

/* ---- methods ---- */

static Value method_send(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v;
    int r = gen_send(self, args[0], &v);
    if (r != 0)
        return r < 0 ? ABSENT : v;
    return v == V_NONE ? err_set_none(&exc_StopIteration) : stop_with(v);
}
static Value method_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value none = V_NONE;
    return method_send(self, &none, 1, ABSENT);
}
/* throw(type[, value[, tb]]): owned instance, or ABSENT. */
Value gen_throw_args(Value *args, intptr_t nargs) {
    Value type = args[0], value = arg_at(args, nargs, 1), tb = arg_at(args, nargs, 2), exc;
    if (tb != ABSENT && tb != V_NONE && !v_is_exact(tb, IDX_TRACEBACK))
        return err_set(&exc_TypeError, "throw() third argument must be a traceback object");
    if (v_is_exc(type)) {
        if (value != ABSENT && value != V_NONE)
            return err_set(&exc_TypeError, "instance exception may not have a separate value");
        exc = retained(type);
    } else if (v_is_type(type) && type_is_subtype((Type *)type, &exc_BaseException)) {
        if (value == ABSENT || value == V_NONE)
            exc = obj_call0(type);
        else if (v_is_exc(value) && obj_isinstance(value, type) > 0)
            exc = retained(value);
        else if (v_is_tuple(value))
            exc = obj_call_tuple_dict(type, value, ABSENT);
        else
            exc = obj_call1(type, value);
        if (exc != ABSENT && !v_is_exc(exc)) {
            err_set(&exc_TypeError, "calling %R should have returned an instance of BaseException, not %T", type, exc);
            release(exc);
            exc = ABSENT;
        }
        if (exc == ABSENT)
            exc = err_fetch(); /* is thrown in its place */
    } else {
        return err_set(&exc_TypeError, "exceptions must be classes or instances deriving from BaseException, not %T",
                       type);
    }
    if (exc != ABSENT && tb != ABSENT && tb != V_NONE)
        exc_set_traceback(exc, tb);
    return exc;
}
static Value method_throw(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = gen_throw_args(args, nargs);
    if (exc == ABSENT)
        return ABSENT;
    Value r = gen_throw(self, exc);
    release(exc);
    return r;
}
static Value method_close(Value self, Value *args, intptr_t nargs, Value kw) {
    return gen_close(self) < 0 ? ABSENT : V_NONE;
}

/* What dies while it is suspended runs its finally blocks; a coroutine that never ran is reported. */
void gen_finalize(Value self) {
    Generator *g = (Generator *)self;
    uint32_t s = LOAD_RELAXED(&g->state);
    if (s == GEN_FINISHED || s == GEN_RUNNING)
        return;
    Value pending = err_fetch();
    if (s == GEN_CREATED && obj_index(self) == IDX_COROUTINE) {
        if (coro_warn_never_awaited(self) < 0)
            err_unraisable("Exception ignored in", self);
    }
    if (gen_close(self) < 0) {
        Thread *t = thread_self();
        if (t->frame)
            traceback_here(t, t->frame);
        err_unraisable("Exception ignored in", self);
    }
    err_restore(pending);
}
static Value method_del(Value self, Value *args, intptr_t nargs, Value kw) {
    gen_finalize(self);
    return V_NONE;
}
static Value method_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value gen_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Generator *g = (Generator *)self;
    Value name = ref_read(self, &g->qualname),
          r = str_format_c("<%s object %S at 0x%lx>",
                           obj_index(self) == IDX_ASYNC_GENERATOR ? "async_generator" : kind_name(g), name,
                           (unsigned long)obj_id(self));
    release(name);
    return r;
}

/* Of a generator that another thread may resume, in a stopped world: that thread goes on with what it finds then. */
static bool stop_resumers(Value gen) {
    bool stop = EXCL_PARALLEL && !excl_alone(gen);
    if (stop)
        excl_stop_world();
    return stop;
}
Value gen_get_frame(Value self) {
    Generator *g = (Generator *)self;
    bool stopped = stop_resumers(self);
    Value v = V_NONE;
    uint32_t state = LOAD_RELAXED(&g->state);
    if (state == GEN_RUNNING)
        v = g->frame ? frame_object(g->frame) : V_NONE;
    else if (state != GEN_FINISHED)
        v = frame_object_suspended(self);
    if (stopped)
        excl_start_world();
    return v;
}
Value gen_get_running(Value self) {
    return v_bool(LOAD_RELAXED(&((Generator *)self)->state) == GEN_RUNNING);
}
Value gen_get_suspended(Value self) {
    return v_bool(LOAD_RELAXED(&((Generator *)self)->state) == GEN_SUSPENDED);
}
Value gen_get_delegate(Value self) {
    bool stopped = stop_resumers(self);
    Value v = gen_delegate((Generator *)self);
    v = v == ABSENT ? V_NONE : retained(v);
    if (stopped)
        excl_start_world();
    return v;
}
static int set_text(Value self, Ref *r, Value v, const char *what) {
    if (v == ABSENT || !v_is_str(v)) {
        err_set(&exc_TypeError, "%s must be set to a string object", what);
        return -1;
    }
    ref_write(self, r, v);
    return 0;
}
Value gen_get_name(Value self) {
    return ref_read(self, &((Generator *)self)->name);
}
int gen_set_name(Value self, Value v) {
    return set_text(self, &((Generator *)self)->name, v, "__name__");
}
Value gen_get_qualname(Value self) {
    return ref_read(self, &((Generator *)self)->qualname);
}
int gen_set_qualname(Value self, Value v) {
    return set_text(self, &((Generator *)self)->qualname, v, "__qualname__");
}
static Value get_origin(Value self) {
    Value v = ref_peek(&((Generator *)self)->origin);
    return v == ABSENT ? V_NONE : retained(v);
}

/* ---- instructions of delegation ---- */

int step_get_yield_from_iter(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], v;
    bool in_coroutine = frame_of_regs(R)->code->flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE);
    if (v_is_exact(b, IDX_COROUTINE)) {
        v = in_coroutine
                ? retained(b)
                : err_set(&exc_TypeError, "cannot 'yield from' a coroutine object in a non-coroutine generator");
    } else if (v_is_exact(b, IDX_GENERATOR)) {
        v = retained(b);
    } else {
        v = obj_iter(b);
    }
    return step_result(R, w, v, b, ABSENT);
}

int step_send(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value it = R[instr_b(w)], sent = R[instr_a(w)], v = ABSENT;
    if (is_gen(it) && obj_index(it) != IDX_ASYNC_GENERATOR) {
        Generator *g = (Generator *)it;
        if (LOAD_RELAXED(&g->state) != GEN_FINISHED) {
            R[instr_a(w)] = ABSENT;
            int r = gen_push(t, g, sent, 0);
            if (LIKELY(r <= 0))
                return r < 0 ? STEP_ERROR : STEP_FRAME;
            sent = ABSENT; /* it has finished since */
        }
        int r = gen_send(it, V_NONE, &v);
        if (r < 0)
            return STEP_ERROR;
    } else {
        if (sent == V_NONE) {
            v = obj_call_special(it, SP_NEXT, NULL, 0);
            if (v == V_MARK)
                v = err_set(&exc_TypeError, "'%T' object is not an iterator", it);
        } else {
            v = obj_call_method(it, ID("send"), &sent, 1);
        }
        if (v != ABSENT) {
            release(sent);
            R[instr_a(w)] = v;
            return STEP_NEXT;
        }
        if (!err_matches(&exc_StopIteration))
            return STEP_ERROR;
        Value stop = err_fetch();
        v = exc_stop_value(stop);
        release(stop);
    }
    release(sent);
    R[instr_a(w)] = v;
    frame_of_regs(R)->pc = pc + instr_sc(w);
    return STEP_FRAME;
}

Value coro_get_awaitable(Value v) {
    if (v_is_exact(v, IDX_COROUTINE))
        return retained(v);
    if (v_is_exact(v, IDX_GENERATOR) && (((Code *)ref_peek(&((Generator *)v)->code))->flags & CO_ITERABLE_COROUTINE))
        return retained(v);
    Value r = obj_call_special(v, SP_AWAIT, NULL, 0);
    if (r == V_MARK)
        return err_set(&exc_TypeError, "object %T can't be used in 'await' expression", v);
    if (r == ABSENT)
        return ABSENT;
    if (v_is_exact(r, IDX_COROUTINE) ||
        (v_is_exact(r, IDX_GENERATOR) &&
         (((Code *)ref_peek(&((Generator *)r)->code))->flags & CO_ITERABLE_COROUTINE))) {
        release(r);
        return err_set(&exc_TypeError, "__await__() returned a coroutine");
    }
    if (type_special(type_of(r), SP_NEXT) == ABSENT) {
        err_set(&exc_TypeError, "__await__() returned non-iterator of type '%T'", r);
        release(r);
        return ABSENT;
    }
    return r;
}

int step_get_awaitable(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], v = coro_get_awaitable(b);
    unsigned where = instr_c(w);
    if (v == ABSENT && where && err_matches(&exc_TypeError) && type_special(type_of(b), SP_AWAIT) == ABSENT) {
        err_clear();
        err_set(&exc_TypeError, "'async with' received an object from %s that does not implement __await__: %T",
                where == 1 ? "__aenter__" : "__aexit__", b);
    }
    if (v != ABSENT && v_is_exact(v, IDX_COROUTINE)) {
        Value waits_for = gen_get_delegate(v);
        if (waits_for != V_NONE) {
            release(v);
            v = err_set(&exc_RuntimeError, "coroutine is being awaited already");
        }
        release(waits_for);
    }
    return step_result(R, w, v, b, ABSENT);
}

int step_get_aiter(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], v = obj_call_special(b, SP_AITER, NULL, 0);
    if (v == V_MARK) {
        v = err_set(&exc_TypeError, "'async for' requires an object with __aiter__ method, got %T", b);
    } else if (v != ABSENT && type_special(type_of(v), SP_ANEXT) == ABSENT) {
        err_set(&exc_TypeError, "'async for' received an object from __aiter__ that does not implement __anext__: %T",
                v);
        release(v);
        v = ABSENT;
    }
    return step_result(R, w, v, b, ABSENT);
}
int step_get_anext(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], v = obj_call_special(b, SP_ANEXT, NULL, 0);
    if (v == V_MARK) {
        v = err_set(&exc_TypeError, "'async for' requires an iterator with __anext__ method, got %T", b);
    } else if (v != ABSENT && !v_is_exact(b, IDX_ASYNC_GENERATOR)) {
        Value a = coro_get_awaitable(v);
        if (a == ABSENT) {
            Value cause = err_fetch();
            err_set(&exc_TypeError, "'async for' received an invalid object from __anext__: %T", v);
            Value exc = err_fetch();
            exc_set_cause(exc, cause);
            err_restore(exc);
        }
        release(v);
        v = a;
    }
    return step_result(R, w, v, b, ABSENT);
}
int step_async_gen_wrap(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, asyncgen_wrap(b), b, ABSENT);
}
int step_end_async_for(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value exc = R[instr_a(w)];
    R[instr_a(w)] = ABSENT;
    if (err_value_matches(exc, V_OF(&exc_StopAsyncIteration))) {
        release(exc);
        return STEP_NEXT;
    }
    err_restore(exc);
    return STEP_RERAISE;
}

/* ---- types ---- */

void generator_init(void) {
    static const TypeOps ops = {gen_traverse, gen_clear_refs, NULL};
    static const NativeDef gen_methods[] = {
        {"__iter__", method_iter, "($self, /)", 0, NULL},
        {"__next__", method_next, "($self, /)", 0, NULL},
        {"send", method_send, "($self, arg, /)", 0,
         "send(arg) -> send 'arg' into generator,\nreturn next yielded value or raise StopIteration."},
        {"throw", method_throw, "($self, type, value=None, traceback=None, /)", 0,
         "throw(value)\nthrow(type[,value[,tb]])\n\nRaise exception in generator, return next yielded value or "
         "raise\nStopIteration."},
        {"close", method_close, "($self, /)", 0, "close() -> raise GeneratorExit inside generator."},
        {"__del__", method_del, "($self, /)", 0, NULL},
        {"__repr__", gen_repr, "($self, /)", 0, NULL},
        CLASS_GETITEM_DEF,
        {NULL, NULL, NULL, 0, NULL},
    };
    static const GetSetDef gen_getsets[] = {
        {"gi_frame", gen_get_frame, NULL, NULL},
        {"gi_running", gen_get_running, NULL, NULL},
        {"gi_suspended", gen_get_suspended, NULL, NULL},
        {"gi_yieldfrom", gen_get_delegate, NULL, NULL},
        {"__name__", gen_get_name, gen_set_name, NULL},
        {"__qualname__", gen_get_qualname, gen_set_qualname, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const MemberDef gen_members[] = {
        {"gi_code", MK_REF | MK_READONLY, offsetof(Generator, code), NULL},
        {NULL, 0, 0, NULL},
    };
    static const TypeSpec gen_spec = {.name = "generator",
                                      .basic_size = sizeof(Generator),
                                      .flags = TF_NO_NEW | TF_WEAKREF | TF_FINALIZER,
                                      .ops = &ops,
                                      .methods = gen_methods,
                                      .getsets = gen_getsets,
                                      .members = gen_members};
    type_init_static(&generator_type, IDX_GENERATOR, &gen_spec);

    static const NativeDef coro_methods[] = {
        {"__await__", coro_await, "($self, /)", 0, NULL},
        {"send", method_send, "($self, arg, /)", 0,
         "send(arg) -> send 'arg' into coroutine,\nreturn next yielded value or raise StopIteration."},
        {"throw", method_throw, "($self, type, value=None, traceback=None, /)", 0,
         "throw(value)\nthrow(type[,value[,traceback]])\n\nRaise exception in coroutine, return next yielded value or "
         "raise\nStopIteration."},
        {"close", method_close, "($self, /)", 0, "close() -> raise GeneratorExit inside coroutine."},
        {"__del__", method_del, "($self, /)", 0, NULL},
        {"__repr__", gen_repr, "($self, /)", 0, NULL},
        CLASS_GETITEM_DEF,
        {NULL, NULL, NULL, 0, NULL},
    };
    static const GetSetDef coro_getsets[] = {
        {"cr_frame", gen_get_frame, NULL, NULL},
        {"cr_running", gen_get_running, NULL, NULL},
        {"cr_suspended", gen_get_suspended, NULL, NULL},
        {"cr_await", gen_get_delegate, NULL, NULL},
        {"cr_origin", get_origin, NULL, NULL},
        {"__name__", gen_get_name, gen_set_name, NULL},
        {"__qualname__", gen_get_qualname, gen_set_qualname, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const MemberDef coro_members[] = {
        {"cr_code", MK_REF | MK_READONLY, offsetof(Generator, code), NULL},
        {NULL, 0, 0, NULL},
    };
    static const TypeSpec coro_spec = {.name = "coroutine",
                                       .basic_size = sizeof(Generator),
                                       .flags = TF_NO_NEW | TF_WEAKREF | TF_FINALIZER,
                                       .ops = &ops,
                                       .methods = coro_methods,
                                       .getsets = coro_getsets,
                                       .members = coro_members};
    type_init_static(&coroutine_type, IDX_COROUTINE, &coro_spec);
    asyncgen_init();
}

#include "interp/asyncgen.h"

#include "interp/eval.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

Type async_generator_type;
static Type wrapped_type, asend_type, athrow_type, coro_wrapper_type, anext_type;

/* ---- coroutines ---- */

/* What coroutine.__await__() returns: an iterator that drives it. */
typedef struct CoroWrapper {
    Object hdr;
    Ref coro;
} CoroWrapper;

static void wrapper_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((CoroWrapper *)self)->coro), arg);
}
static void wrapper_clear(Value self) {
    ref_clear(self, &((CoroWrapper *)self)->coro);
}

Value coro_await(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = obj_new(&coro_wrapper_type);
    if (v == ABSENT)
        return ABSENT;
    ref_init(&((CoroWrapper *)v)->coro, retained(self));
    trace_track(v_obj(v));
    return v;
}
static Value gen_send_value(Value gen, Value v) {
    Value out;
    int r = gen_send(gen, v, &out);
    if (r != 0)
        return r < 0 ? ABSENT : out;
    if (out == V_NONE)
        return err_set_none(&exc_StopIteration);
    err_stop_iteration(out);
    release(out);
    return ABSENT;
}
static Value wrapper_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return gen_send_value(ref_peek(&((CoroWrapper *)self)->coro), V_NONE);
}
static Value wrapper_send(Value self, Value *args, intptr_t nargs, Value kw) {
    return gen_send_value(ref_peek(&((CoroWrapper *)self)->coro), args[0]);
}
static Value wrapper_throw(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = gen_throw_args(args, nargs);
    if (exc == ABSENT)
        return ABSENT;
    Value r = gen_throw(ref_peek(&((CoroWrapper *)self)->coro), exc);
    release(exc);
    return r;
}
static Value wrapper_close(Value self, Value *args, intptr_t nargs, Value kw) {
    return gen_close(ref_peek(&((CoroWrapper *)self)->coro)) < 0 ? ABSENT : V_NONE;
}
static Value self_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}

static _Thread_local int origin_depth;
int coro_origin_depth(void) {
    return origin_depth;
}
void coro_set_origin_depth(int n) {
    origin_depth = n;
}

void coro_track_origin(Value coro) {
    Value l = list_new(origin_depth);
    if (l == ABSENT) {
        err_clear();
        return;
    }
    InterpFrame *f = thread_self()->frame;
    for (int i = 0; f && i < origin_depth; i++, f = f->prev) {
        Value item = tuple_pack(3, ref_peek(&f->code->filename), v_from_int(frame_line(f)), ref_peek(&f->code->name));
        if (item == ABSENT || list_append_steal(l, item) < 0)
            break;
    }
    Value t = list_to_tuple(l);
    release(l);
    if (t == ABSENT)
        err_clear();
    else
        ref_store(coro, &((Generator *)coro)->origin, t);
}

/* warnings._warn_unawaited_coroutine adds where it was created, when that is known. */
int coro_warn_never_awaited(Value coro) {
    Generator *g = (Generator *)coro;
    Value modules = sys_get("modules");
    Value warnings = modules != ABSENT && v_is_dict(modules) ? dict_get(modules, ID("warnings")) : ABSENT;
    release(modules);
    if (warnings != ABSENT) {
        Value f;
        int r = obj_lookup_attr(warnings, ID("_warn_unawaited_coroutine"), &f);
        release(warnings);
        if (r < 0)
            return -1;
        if (r > 0) {
            Value v = obj_call1(f, coro);
            release(f);
            release(v);
            return v == ABSENT ? -1 : 0;
        }
    }
    return err_warn(&exc_RuntimeWarning, 1, "coroutine '%S' was never awaited", ref_peek(&g->qualname));
}

/* ---- values yielded by async generators ---- */

/* `yield v` of an async generator hands this to whoever drives it, to tell it from what an `await` inside passes
 * through. */
typedef struct Wrapped {
    Object hdr;
    Ref value;
} Wrapped;
static void wrapped_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Wrapped *)self)->value), arg);
}
static void wrapped_clear(Value self) {
    ref_clear(self, &((Wrapped *)self)->value);
}

Value asyncgen_wrap(Value v) {
    Value o = obj_new(&wrapped_type);
    if (o == ABSENT)
        return ABSENT;
    ref_init(&((Wrapped *)o)->value, retained(v));
    trace_track(v_obj(o));
    return o;
}

enum { AG_RUNNING = 1, AG_CLOSED = 2, AG_HOOKS = 4 };

/* Hooks are per thread; they live in the thread's dict, so that the collectors find them. */
static Value hook_get(const char *name) {
    Value d = thread_self()->dict;
    if (d == ABSENT)
        return ABSENT;
    Value v = dict_get_str(d, name);
    if (v == ABSENT) {
        if (err_pending())
            err_clear();
        return ABSENT;
    }
    release(v); /* the dict keeps it */
    return v;
}
Value asyncgen_hook_firstiter(void) {
    return hook_get("asyncgen.firstiter");
}
Value asyncgen_hook_finalizer(void) {
    return hook_get("asyncgen.finalizer");
}
static void hook_set(const char *name, Value v) {
    Thread *t = thread_self();
    if (v == ABSENT)
        return;
    if (t->dict == ABSENT)
        t->dict = dict_new();
    if (t->dict == ABSENT) {
        err_clear();
        return;
    }
    if (v == V_NONE) {
        if (dict_del(t->dict, str_intern_static(name)) < 0)
            err_clear();
    } else if (dict_set_str(t->dict, name, v) < 0) {
        err_clear();
    }
}
void asyncgen_set_hooks(Value firstiter, Value finalizer) {
    hook_set("asyncgen.firstiter", firstiter);
    hook_set("asyncgen.finalizer", finalizer);
}

static int init_hooks(Value ag) {
    Generator *g = (Generator *)ag;
    if (g->ag_flags & AG_HOOKS)
        return 0;
    g->ag_flags |= AG_HOOKS;
    Value fin = asyncgen_hook_finalizer();
    if (fin != ABSENT)
        ref_store(ag, &g->finalizer, retained(fin));
    Value first = asyncgen_hook_firstiter();
    if (first != ABSENT) {
        retain(first);
        Value r = obj_call1(first, ag);
        release(first);
        if (r == ABSENT)
            return -1;
        release(r);
    }
    return 0;
}

/* ---- asend, anext: one step ---- */

enum { ST_INIT, ST_ITER, ST_CLOSED };
typedef struct Step {
    Object hdr;
    Ref gen, arg; /* arg: value to send, or the exception of athrow; ABSENT with athrow: aclose */
    int32_t state;
    int32_t close;
} Step;
static void step_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Step *)self)->gen), arg);
    visit(ref_peek(&((Step *)self)->arg), arg);
}
static void step_clear(Value self) {
    ref_clear(self, &((Step *)self)->gen);
    ref_clear(self, &((Step *)self)->arg);
}
static Value step_new(Type *type, Value gen, Value arg) {
    Value v = obj_new(type);
    if (v == ABSENT)
        return ABSENT;
    ref_init(&((Step *)v)->gen, retained(gen));
    ref_init(&((Step *)v)->arg, retained(arg));
    trace_track(v_obj(v));
    return v;
}

/* r: what running the generator gave (owned), or ABSENT: the result of the awaitable's step. */
static Value unwrap(Generator *g, Value r) {
    if (r == ABSENT) {
        if (!err_pending())
            err_set_none(&exc_StopAsyncIteration);
        if (err_matches(&exc_StopAsyncIteration) || err_matches(&exc_GeneratorExit))
            g->ag_flags |= AG_CLOSED;
        g->ag_flags &= ~(uint32_t)AG_RUNNING;
        return ABSENT;
    }
    if (v_is_obj(r) && type_of(r) == &wrapped_type) {
        err_stop_iteration(ref_peek(&((Wrapped *)r)->value));
        release(r);
        g->ag_flags &= ~(uint32_t)AG_RUNNING;
        return ABSENT;
    }
    return r;
}

static Value ag_send(Generator *g, Value v) {
    Value out;
    int r = gen_send(V_OF(g), v, &out);
    if (r > 0)
        return out;
    if (r == 0) {
        release(out);
        err_set_none(&exc_StopAsyncIteration);
    }
    return ABSENT;
}

static Value asend_send(Value self, Value *args, intptr_t nargs, Value kw) {
    Step *s = (Step *)self;
    Generator *g = (Generator *)ref_peek(&s->gen);
    if (s->state == ST_CLOSED)
        return err_set(&exc_RuntimeError, "cannot reuse already awaited __anext__()/asend()");
    Value v = args[0];
    if (s->state == ST_INIT) {
        if (g->ag_flags & AG_RUNNING)
            return err_set(&exc_RuntimeError, "anext(): asynchronous generator is already running");
        if (v == V_NONE && ref_peek(&s->arg) != ABSENT)
            v = ref_peek(&s->arg);
        s->state = ST_ITER;
    }
    g->ag_flags |= AG_RUNNING;
    Value r = unwrap(g, ag_send(g, v));
    if (r == ABSENT)
        s->state = ST_CLOSED;
    return r;
}
static Value asend_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value none = V_NONE;
    return asend_send(self, &none, 1, ABSENT);
}
static Value asend_throw(Value self, Value *args, intptr_t nargs, Value kw) {
    Step *s = (Step *)self;
    Generator *g = (Generator *)ref_peek(&s->gen);
    if (s->state == ST_CLOSED)
        return err_set(&exc_RuntimeError, "cannot reuse already awaited __anext__()/asend()");
    Value exc = gen_throw_args(args, nargs);
    if (exc == ABSENT)
        return ABSENT;
    Value r = unwrap(g, gen_throw(V_OF(g), exc));
    release(exc);
    if (r == ABSENT)
        s->state = ST_CLOSED;
    return r;
}
static Value step_close(Value self, Value *args, intptr_t nargs, Value kw) {
    ((Step *)self)->state = ST_CLOSED;
    return V_NONE;
}

/* ---- athrow, aclose ---- */

static Value athrow_ended(Step *s, Generator *g, Value r) {
    if (s->close) {
        if (r != ABSENT && v_is_obj(r) && type_of(r) == &wrapped_type) {
            release(r);
            g->ag_flags &= ~(uint32_t)AG_RUNNING;
            s->state = ST_CLOSED;
            return err_set(&exc_RuntimeError, "async generator ignored GeneratorExit");
        }
        if (r != ABSENT)
            return r;
        g->ag_flags &= ~(uint32_t)AG_RUNNING;
        s->state = ST_CLOSED;
        if (err_matches(&exc_StopAsyncIteration) || err_matches(&exc_GeneratorExit)) {
            err_clear();
            err_set_none(&exc_StopIteration);
        }
        return ABSENT;
    }
    r = unwrap(g, r);
    if (r == ABSENT)
        s->state = ST_CLOSED;
    return r;
}
static Value athrow_send(Value self, Value *args, intptr_t nargs, Value kw) {
    Step *s = (Step *)self;
    Value gen = ref_peek(&s->gen), v = args[0];
    Generator *g = (Generator *)gen;
    if (s->state == ST_CLOSED)
        return err_set(&exc_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
    if (s->state == ST_INIT) {
        if (LOAD_RELAXED(&g->state) == GEN_FINISHED) {
            s->state = ST_CLOSED;
            return err_set_none(s->close ? &exc_StopIteration : &exc_StopAsyncIteration);
        }
        if (g->ag_flags & AG_RUNNING) {
            s->state = ST_CLOSED;
            return err_set(&exc_RuntimeError, s->close ? "aclose(): asynchronous generator is already running"
                                                       : "athrow(): asynchronous generator is already running");
        }
        if (g->ag_flags & AG_CLOSED) {
            s->state = ST_CLOSED;
            return err_set_none(&exc_StopAsyncIteration);
        }
        if (v != V_NONE)
            return err_set(&exc_RuntimeError, "can't send non-None value to a just-started coroutine");
        s->state = ST_ITER;
        g->ag_flags |= AG_RUNNING;
        Value exc;
        if (s->close) {
            g->ag_flags |= AG_CLOSED;
            exc = obj_call0(V_OF(&exc_GeneratorExit));
        } else {
            exc = retained(ref_peek(&s->arg));
        }
        Value r = exc == ABSENT ? ABSENT : gen_throw(gen, exc);
        release(exc);
        return athrow_ended(s, g, r);
    }
    return athrow_ended(s, g, ag_send(g, v));
}
static Value athrow_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value none = V_NONE;
    return athrow_send(self, &none, 1, ABSENT);
}
static Value athrow_throw(Value self, Value *args, intptr_t nargs, Value kw) {
    Step *s = (Step *)self;
    Value gen = ref_peek(&s->gen);
    if (s->state == ST_CLOSED)
        return err_set(&exc_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
    Value exc = gen_throw_args(args, nargs);
    if (exc == ABSENT)
        return ABSENT;
    Value r = gen_throw(gen, exc);
    release(exc);
    return athrow_ended(s, (Generator *)gen, r);
}

/* ---- anext(it, default) ---- */

Value asyncgen_anext_default(Value awaitable, Value dflt) {
    Value v = obj_new(&anext_type);
    if (v == ABSENT)
        return ABSENT;
    ref_init(&((Step *)v)->gen, retained(awaitable));
    ref_init(&((Step *)v)->arg, retained(dflt));
    trace_track(v_obj(v));
    return v;
}
static Value anext_result(Step *s, Value r) {
    if (r != ABSENT || !err_matches(&exc_StopAsyncIteration))
        return r;
    err_clear();
    err_stop_iteration(ref_peek(&s->arg));
    return ABSENT;
}
static Value anext_call(Value self, Value name, Value *args, intptr_t nargs) {
    Step *s = (Step *)self;
    Value it = coro_get_awaitable(ref_peek(&s->gen));
    if (it == ABSENT)
        return ABSENT;
    if (v_is_exact(it, IDX_COROUTINE)) {
        Value w = coro_await(it, NULL, 0, ABSENT);
        release(it);
        if (w == ABSENT)
            return ABSENT;
        it = w;
    }
    Value r = obj_call_method(it, name, args, nargs);
    release(it);
    return anext_result(s, r);
}
static Value anext_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return anext_call(self, ID("__next__"), NULL, 0);
}
static Value anext_send(Value self, Value *args, intptr_t nargs, Value kw) {
    return anext_call(self, ID("send"), args, 1);
}
static Value anext_throw(Value self, Value *args, intptr_t nargs, Value kw) {
    return anext_call(self, ID("throw"), args, nargs);
}
static Value anext_close(Value self, Value *args, intptr_t nargs, Value kw) {
    return anext_call(self, ID("close"), NULL, 0);
}

/* ---- the type ---- */

static Value ag_anext(Value self, Value *args, intptr_t nargs, Value kw) {
    return init_hooks(self) < 0 ? ABSENT : step_new(&asend_type, self, ABSENT);
}
static Value ag_asend(Value self, Value *args, intptr_t nargs, Value kw) {
    return init_hooks(self) < 0 ? ABSENT : step_new(&asend_type, self, args[0]);
}
static Value ag_athrow(Value self, Value *args, intptr_t nargs, Value kw) {
    if (init_hooks(self) < 0)
        return ABSENT;
    Value exc = gen_throw_args(args, nargs);
    if (exc == ABSENT)
        return ABSENT;
    Value r = step_new(&athrow_type, self, exc);
    release(exc);
    return r;
}
static Value ag_aclose(Value self, Value *args, intptr_t nargs, Value kw) {
    if (init_hooks(self) < 0)
        return ABSENT;
    Value r = step_new(&athrow_type, self, ABSENT);
    if (r != ABSENT)
        ((Step *)r)->close = 1;
    return r;
}
static Value ag_del(Value self, Value *args, intptr_t nargs, Value kw) {
    Generator *g = (Generator *)self;
    uint32_t s = LOAD_RELAXED(&g->state);
    if (s != GEN_SUSPENDED && s != GEN_CREATED)
        return V_NONE;
    Value pending = err_fetch(), fin = ref_peek(&g->finalizer);
    if (fin != ABSENT && !(g->ag_flags & AG_CLOSED)) {
        Value r = obj_call1(fin, self);
        if (r == ABSENT)
            err_unraisable("Exception ignored in", self);
        release(r);
    } else if (gen_close(self) < 0) {
        err_unraisable("Exception ignored in", self);
    }
    err_restore(pending);
    return V_NONE;
}
static Value ag_running(Value self) {
    return v_bool(((Generator *)self)->ag_flags & AG_RUNNING);
}
static Value ag_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("<async_generator object %S at 0x%lx>", ref_peek(&((Generator *)self)->qualname),
                        (unsigned long)obj_id(self));
}

void asyncgen_init(void) {
    static const TypeOps gen_ops = {gen_traverse, gen_clear_refs, NULL};
    static const NativeDef ag_methods[] = {
        {"__aiter__", self_iter, "($self, /)", 0, NULL},
        {"__anext__", ag_anext, "($self, /)", 0, NULL},
        {"asend", ag_asend, "($self, value, /)", 0, NULL},
        {"athrow", ag_athrow, "($self, type, value=None, traceback=None, /)", 0, NULL},
        {"aclose", ag_aclose, "($self, /)", 0, NULL},
        {"__del__", ag_del, "($self, /)", 0, NULL},
        {"__repr__", ag_repr, "($self, /)", 0, NULL},
        CLASS_GETITEM_DEF,
        {NULL, NULL, NULL, 0, NULL},
    };
    static const GetSetDef ag_getsets[] = {
        {"ag_frame", gen_get_frame, NULL, NULL},
        {"ag_running", ag_running, NULL, NULL},
        {"ag_suspended", gen_get_suspended, NULL, NULL},
        {"ag_await", gen_get_delegate, NULL, NULL},
        {"__name__", gen_get_name, gen_set_name, NULL},
        {"__qualname__", gen_get_qualname, gen_set_qualname, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const MemberDef ag_members[] = {
        {"ag_code", MK_REF | MK_READONLY, offsetof(Generator, code), NULL},
        {NULL, 0, 0, NULL},
    };
    static const TypeSpec ag_spec = {.name = "async_generator",
                                     .basic_size = sizeof(Generator),
                                     .flags = TF_NO_NEW | TF_WEAKREF | TF_FINALIZER,
                                     .ops = &gen_ops,
                                     .methods = ag_methods,
                                     .getsets = ag_getsets,
                                     .members = ag_members};
    type_init_static(&async_generator_type, IDX_ASYNC_GENERATOR, &ag_spec);

    static const TypeOps wrapped_ops = {wrapped_traverse, wrapped_clear, NULL};
    static const TypeSpec wrapped_spec = {.name = "async_generator_wrapped_value",
                                          .basic_size = sizeof(Wrapped),
                                          .flags = TF_NO_NEW,
                                          .ops = &wrapped_ops};
    type_init_module_type(&wrapped_type, &wrapped_spec);

    static const TypeOps wrapper_ops = {wrapper_traverse, wrapper_clear, NULL};
    static const NativeDef wrapper_methods[] = {
        {"__iter__", self_iter, "($self, /)", 0, NULL},
        {"__next__", wrapper_next, "($self, /)", 0, NULL},
        {"send", wrapper_send, "($self, arg, /)", 0, NULL},
        {"throw", wrapper_throw, "($self, type, value=None, traceback=None, /)", 0, NULL},
        {"close", wrapper_close, "($self, /)", 0, NULL},
        {NULL, NULL, NULL, 0, NULL},
    };
    static const TypeSpec wrapper_spec = {.name = "coroutine_wrapper",
                                          .basic_size = sizeof(CoroWrapper),
                                          .flags = TF_NO_NEW,
                                          .ops = &wrapper_ops,
                                          .methods = wrapper_methods};
    type_init_module_type(&coro_wrapper_type, &wrapper_spec);

    static const TypeOps step_ops = {step_traverse, step_clear, NULL};
    static const NativeDef asend_methods[] = {
        {"__await__", self_iter, "($self, /)", 0, NULL},
        {"__iter__", self_iter, "($self, /)", 0, NULL},
        {"__next__", asend_next, "($self, /)", 0, NULL},
        {"send", asend_send, "($self, arg, /)", 0, NULL},
        {"throw", asend_throw, "($self, type, value=None, traceback=None, /)", 0, NULL},
        {"close", step_close, "($self, /)", 0, NULL},
        {NULL, NULL, NULL, 0, NULL},
    };
    static const TypeSpec asend_spec = {.name = "async_generator_asend",
                                        .basic_size = sizeof(Step),
                                        .flags = TF_NO_NEW,
                                        .ops = &step_ops,
                                        .methods = asend_methods};
    type_init_module_type(&asend_type, &asend_spec);
    static const NativeDef athrow_methods[] = {
        {"__await__", self_iter, "($self, /)", 0, NULL},
        {"__iter__", self_iter, "($self, /)", 0, NULL},
        {"__next__", athrow_next, "($self, /)", 0, NULL},
        {"send", athrow_send, "($self, arg, /)", 0, NULL},
        {"throw", athrow_throw, "($self, type, value=None, traceback=None, /)", 0, NULL},
        {"close", step_close, "($self, /)", 0, NULL},
        {NULL, NULL, NULL, 0, NULL},
    };
    static const TypeSpec athrow_spec = {.name = "async_generator_athrow",
                                         .basic_size = sizeof(Step),
                                         .flags = TF_NO_NEW,
                                         .ops = &step_ops,
                                         .methods = athrow_methods};
    type_init_module_type(&athrow_type, &athrow_spec);
    static const NativeDef anext_methods[] = {
        {"__await__", self_iter, "($self, /)", 0, NULL},
        {"__iter__", self_iter, "($self, /)", 0, NULL},
        {"__next__", anext_next, "($self, /)", 0, NULL},
        {"send", anext_send, "($self, arg, /)", 0, NULL},
        {"throw", anext_throw, "($self, type, value=None, traceback=None, /)", 0, NULL},
        {"close", anext_close, "($self, /)", 0, NULL},
        {NULL, NULL, NULL, 0, NULL},
    };
    static const TypeSpec anext_spec = {.name = "anext_awaitable",
                                        .basic_size = sizeof(Step),
                                        .flags = TF_NO_NEW,
                                        .ops = &step_ops,
                                        .methods = anext_methods};
    type_init_module_type(&anext_type, &anext_spec);
}

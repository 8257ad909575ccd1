/* Calls: from C (obj_call and friends), and the CALL instructions beyond their inline case. */
#include "interp/eval.h"
#include "interp/generator.h"
#include "object/dict.h"
#include "object/list.h"
#include "object/native.h"
#include "object/refs.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/super.h"
#include "object/tuple.h"
#include "tracer.h"

#include <alloca.h>

_Atomic(int) interp_recursion_limit = 1000;
Value interp_list_append = V_MARK;
NativeFn interp_list_append_fn;

void interp_types_ready(void) {
    Value v = type_lookup(&list_type, ID("append"));
    if (v != ABSENT && v_is_exact(v, IDX_METHOD_DESCR))
        interp_list_append = v, interp_list_append_fn = ((Native *)v)->fn;
}

COLD static int recursion_error(void) {
    err_set(&exc_RecursionError, "maximum recursion depth exceeded");
    return -1;
}
static bool recursion_near(const InterpFrame *f) {
    return (int)f->depth + 1 >= LOAD_RELAXED(&interp_recursion_limit);
}
int recursion_check(InterpFrame *prev) {
    if (prev && UNLIKELY((int)prev->depth + 1 >= LOAD_RELAXED(&interp_recursion_limit)))
        return recursion_error();
    return 0;
}

/* ---- binding ---- */

static Value func_name(Value func) {
    return ref_peek(&((Function *)func)->qualname);
}

/* 'a', 'b', and 'c' */
static Value name_list(Value *names, intptr_t n) {
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = 0; i < n; i++) {
        if (i > 0)
            sb_cstr(&b, n == 2 ? " and " : i == n - 1 ? ", and " : ", ");
        Value r = obj_repr(names[i]);
        if (r != ABSENT)
            sb_str(&b, r);
        release(r);
    }
    return sb_finish(&b);
}

COLD static int missing_arguments(Value func, Code *c, Value *r, intptr_t lo, intptr_t hi, const char *kind) {
    Value names[256];
    intptr_t n = 0;
    for (intptr_t i = lo; i < hi && n < 256; i++)
        if (r[i] == ABSENT)
            names[n++] = tuple_get(ref_peek(&c->varnames), i);
    Value list = name_list(names, n);
    if (list == ABSENT)
        return -1;
    err_set(&exc_TypeError, "%S() missing %zd required %s argument%s: %S", func_name(func), (ssize_t)n, kind,
            n == 1 ? "" : "s", list);
    release(list);
    return -1;
}

COLD static int too_many_positional(Value func, Code *c, Value *r, intptr_t given) {
    Value defaults = ref_peek(&((Function *)func)->defaults);
    intptr_t n_defaults = defaults == ABSENT ? 0 : tuple_len(defaults), kwonly = 0;
    for (uint32_t i = c->argcount; i < c->argcount + c->kwonlyargcount; i++)
        if (r[i] != ABSENT)
            kwonly++;
    char takes[64], also[80] = "";
    bool plural;
    if (n_defaults) {
        snprintf(takes, sizeof takes, "from %ld to %u", (long)(c->argcount - n_defaults), c->argcount);
        plural = true;
    } else {
        snprintf(takes, sizeof takes, "%u", c->argcount);
        plural = c->argcount != 1;
    }
    if (kwonly)
        snprintf(also, sizeof also, " positional argument%s (and %ld keyword-only argument%s)", given != 1 ? "s" : "",
                 (long)kwonly, kwonly != 1 ? "s" : "");
    err_set(&exc_TypeError, "%S() takes %s positional argument%s but %zd%s %s given", func_name(func), takes,
            plural ? "s" : "", (ssize_t)given, also, given == 1 && !kwonly ? "was" : "were");
    return -1;
}

/* Parameter index of a keyword, or -1 (-2: error). Names are interned on both sides nearly always. */
static intptr_t find_parameter(Code *c, Value name, intptr_t from, intptr_t to) {
    Value *names = tuple_items(ref_peek(&c->varnames));
    for (intptr_t i = from; i < to; i++)
        if (names[i] == name)
            return i;
    for (intptr_t i = from; i < to; i++)
        if (str_equal(names[i], name))
            return i;
    return -1;
}

static int positional_only_error(Value func, Code *c, Value kwnames) {
    Value bad = list_new(0);
    if (bad == ABSENT)
        return -1;
    for (uint32_t p = 0; p < c->posonlyargcount; p++)
        for (intptr_t i = 0; i < tuple_len(kwnames); i++)
            if (str_equal(tuple_get(ref_peek(&c->varnames), p), tuple_get(kwnames, i)))
                list_append(bad, tuple_get(kwnames, i));
    int found = list_len(bad) > 0;
    if (found) {
        Value sep = str_from_c(", ");
        Value text = str_join(sep, bad);
        err_set(&exc_TypeError, "%S() got some positional-only arguments passed as keyword arguments: '%S'",
                func_name(func), text);
        release(sep);
        release(text);
    }
    release(bad);
    return found;
}

int bind_arguments(Value func, Code *c, Value *r, const Value *args, intptr_t npos, Value kwnames) {
    Function *f = (Function *)func;
    intptr_t argcount = c->argcount, total = argcount + c->kwonlyargcount,
             nkw = kwnames == ABSENT ? 0 : tuple_len(kwnames);
    Value kwdict = ABSENT;
    for (uint32_t i = 0; i < c->n_locals; i++)
        r[i] = ABSENT;
    Binding binding;
    interp_bind_begin(&binding, r, c->n_locals);
    intptr_t n = MIN(npos, argcount);
    for (intptr_t i = 0; i < n; i++)
        r[i] = retained(args[i]);
    if (c->flags & CO_VARARGS) {
        r[total] = npos > n ? tuple_from(args + n, npos - n) : tuple_empty();
        if (r[total] == ABSENT)
            goto fail;
    }
    if (c->flags & CO_VARKEYWORDS) {
        kwdict = dict_new();
        if (kwdict == ABSENT)
            goto fail;
        r[total + !!(c->flags & CO_VARARGS)] = kwdict;
    }
    for (intptr_t k = 0; k < nkw; k++) {
        Value name = tuple_get(kwnames, k), v = args[npos + k];
        if (!v_is_str(name)) {
            err_set(&exc_TypeError, "%S() keywords must be strings", func_name(func));
            goto fail;
        }
        intptr_t i = find_parameter(c, name, c->posonlyargcount, total);
        if (i < 0) {
            if (kwdict == ABSENT) {
                int r2 = c->posonlyargcount ? positional_only_error(func, c, kwnames) : 0;
                if (r2 == 0)
                    err_set(&exc_TypeError, "%S() got an unexpected keyword argument '%S'", func_name(func), name);
                goto fail;
            }
            if (dict_set(kwdict, name, v) < 0)
                goto fail;
            continue;
        }
        if (r[i] != ABSENT) {
            err_set(&exc_TypeError, "%S() got multiple values for argument '%S'", func_name(func), name);
            goto fail;
        }
        r[i] = retained(v);
    }
    if (npos > argcount && !(c->flags & CO_VARARGS)) {
        too_many_positional(func, c, r, npos);
        goto fail;
    }
    for (n = npos; n < argcount && r[n] != ABSENT; n++)
        continue; /* given by name */
    if (n < argcount) {
        Value defaults = ref_read(func, &f->defaults);
        intptr_t n_defaults = defaults == ABSENT ? 0 : tuple_len(defaults), first = argcount - n_defaults;
        for (intptr_t i = n; i < first; i++)
            if (r[i] == ABSENT) {
                release(defaults);
                missing_arguments(func, c, r, 0, first, "positional");
                goto fail;
            }
        for (intptr_t i = MAX(n, first); i < argcount; i++)
            if (r[i] == ABSENT)
                r[i] = retained(tuple_get(defaults, i - first));
        release(defaults);
    }
    if (c->kwonlyargcount) {
        bool missing = false;
        for (intptr_t i = argcount; i < total; i++)
            if (r[i] == ABSENT) {
                Value kwdefaults = ref_read(func, &f->kwdefaults); /* the lookup may replace it */
                if (kwdefaults != ABSENT)
                    r[i] = dict_get(kwdefaults, tuple_get(ref_peek(&c->varnames), i));
                release(kwdefaults);
                if (r[i] == ABSENT && err_pending())
                    goto fail;
                missing |= r[i] == ABSENT;
            }
        if (missing) {
            missing_arguments(func, c, r, argcount, total, "keyword-only");
            goto fail;
        }
    }
    interp_bind_end(&binding);
    return 0;
fail:
    for (uint32_t i = 0; i < c->n_locals; i++) {
        Value v = r[i];
        r[i] = ABSENT;
        release(v);
    }
    interp_bind_end(&binding);
    return -1;
}

/* ---- calls from C ---- */

InterpFrame *frame_reserve(Thread *t, Code *c, uint32_t *flags) {
    if (recursion_check(t->frame) < 0)
        return NULL;
    Value *h = interp_top(t);
    if (UNLIKELY(h + FRAME_WORDS + c->n_regs > t->stack_limit)) {
        h = interp_push_segment(t, (size_t)FRAME_WORDS + c->n_regs);
        if (!h)
            return NULL;
        *flags |= FR_SEGMENT;
    }
    return (InterpFrame *)h;
}

static void fill_header(Thread *t, InterpFrame *f, Value func, Code *c, uint32_t flags) {
    f->func = func;
    f->code = c;
    f->prev = t->frame;
    f->pc = c->instrs;
    f->flags = flags;
    f->depth = t->frame ? t->frame->depth + 1 : 1;
}

Value interp_run(Thread *t, InterpFrame *f, bool throwing) {
    t->frame = f;
    if (UNLIKELY(!recursion_enter(" while calling a Python object"))) {
        frame_release(f, f->code->n_locals, frame_live(f, NULL));
        if (f->flags & FR_GEN)
            gen_finished(t, f, true);
        frame_pop(t, f);
        return ABSENT;
    }
    t->c_depth++;
    uintptr_t outer = t->c_stack_loop;
    __builtin_unwind_init(); /* what callers keep in registers lies in this frame, not in the loop's */
    t->c_stack_loop = (uintptr_t)__builtin_alloca(sizeof(uintptr_t));
    Value v = dispatch_run(t, throwing);
    t->c_stack_loop = outer;
    t->c_depth--;
    return v;
}

static bool is_generator_code(const Code *c) {
    return c->flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
}

/* func: borrowed. */
static Value call_function(Thread *t, Value func, const Value *args, intptr_t npos, Value kwnames) {
    Code *c = function_code(func);
    if (is_generator_code(c))
        return generator_new(func, c, args, npos, kwnames);
    uint32_t flags = FR_ENTRY;
    InterpFrame *f = frame_reserve(t, c, &flags);
    if (!f)
        return ABSENT;
    if (LIKELY(c->fast_args == npos && kwnames == ABSENT)) {
        for (intptr_t i = 0; i < npos; i++)
            f->regs[i] = retained(args[i]);
        for (uint32_t i = (uint32_t)npos; i < c->n_locals; i++)
            f->regs[i] = ABSENT;
    } else {
        if (bind_arguments(func, c, f->regs, args, npos, kwnames) < 0) {
            if (flags & FR_SEGMENT)
                interp_pop_segment(t);
            return ABSENT;
        }
    }
    fill_header(t, f, retained(func), c, flags);
    return interp_run(t, f, false);
}

/* Calls with one more argument in front. */
static Value call_prepended(Value func, Value first, const Value *args, intptr_t total, Value kwnames, intptr_t npos) {
    Value tmp[16], *v = tmp, scratch = ABSENT;
    if (total + 1 > (intptr_t)ARRAY_LEN(tmp)) {
        scratch = scratch_new(total + 1);
        if (scratch == ABSENT)
            return ABSENT;
        v = tuple_items(scratch);
    }
    v[0] = first;
    if (total > 0)
        memcpy(v + 1, args, (size_t)total * sizeof(Value));
    Value r = obj_call(func, v, npos + 1, kwnames);
    if (scratch != ABSENT) {
        memset(v, 0, (size_t)(total + 1) * sizeof(Value)); /* borrowed, not the tuple's */
        release(scratch);
    }
    return r;
}

COLD static Value not_callable(Value f) {
    return err_set(&exc_TypeError, "'%T' object is not callable", f);
}

Value obj_call(Value f, Value *args, intptr_t nargs, Value kwnames) {
    Thread *t = thread_self();
    if (kwnames != ABSENT && tuple_len(kwnames) == 0)
        kwnames = ABSENT;
    intptr_t total = nargs + (kwnames == ABSENT ? 0 : tuple_len(kwnames));
    if (!v_is_obj(f))
        return not_callable(f);
    switch (obj_index(f)) {
    case IDX_FUNCTION:
        return call_function(t, f, args, nargs, kwnames);
    case IDX_METHOD: {
        Method *m = (Method *)f;
        if (UNLIKELY(!recursion_enter(" while calling a Python object")))
            return ABSENT;
        return call_prepended(ref_peek(&m->func), ref_peek(&m->self), args, total, kwnames, nargs);
    }
    case IDX_NATIVE:
        if (UNLIKELY(!recursion_enter(" while calling a Python object")))
            return ABSENT;
        return native_call_own((Native *)f, args, nargs, kwnames);
    case IDX_METHOD_DESCR:
    case IDX_CLASSMETHOD_DESCR:
        if (UNLIKELY(!recursion_enter(" while calling a Python object")))
            return ABSENT;
        return native_call(f, ABSENT, args, nargs, kwnames);
    }
    Value call = type_special(type_of(f), SP_CALL);
    if (call == ABSENT)
        return not_callable(f);
    if (v_is_exact(call, IDX_METHOD_DESCR)) /* callables of callables need no Python frame */
        return recursion_enter(" while calling a Python object")
                   ? native_call_with((Native *)call, f, args, nargs, kwnames)
                   : ABSENT;
    if (v_is_function(call))
        return call_prepended(call, f, args, total, kwnames, nargs);
    if (!recursion_enter(" while calling a Python object"))
        return ABSENT;
    Value bound;
    int r = obj_lookup_special(f, SP_CALL, &bound);
    if (r <= 0)
        return r < 0 ? ABSENT : not_callable(f);
    Value v = obj_call(bound, args, nargs, kwnames);
    release(bound);
    return v;
}

Value obj_call0(Value f) {
    static Value none[1]; /* an address to count from; never written */
    return obj_call(f, none, 0, ABSENT);
}
Value obj_call1(Value f, Value a) {
    return obj_call(f, &a, 1, ABSENT);
}
Value obj_call2(Value f, Value a, Value b) {
    Value args[2] = {a, b};
    return obj_call(f, args, 2, ABSENT);
}
Value obj_call3(Value f, Value a, Value b, Value c) {
    Value args[3] = {a, b, c};
    return obj_call(f, args, 3, ABSENT);
}

bool v_is_callable(Value v) {
    return v != ABSENT && type_special(type_of(v), SP_CALL) != ABSENT;
}

/* Splits kwargs into a tuple of names, and values behind npos positional ones, all owned by a scratch tuple. */
static Value spread(Value args_tuple, Value kwargs, Value *names) {
    intptr_t npos = tuple_len(args_tuple), nkw = kwargs == ABSENT ? 0 : dict_len(kwargs);
    Value s = scratch_new(npos + nkw);
    *names = ABSENT;
    if (s == ABSENT)
        return ABSENT;
    for (intptr_t i = 0; i < npos; i++)
        tuple_init_item(s, i, retained(tuple_get(args_tuple, i)));
    if (nkw) {
        *names = tuple_new(nkw);
        intptr_t pos = 0, i = 0;
        Value k, v;
        if (*names == ABSENT)
            goto fail;
        while (i < nkw && dict_next(kwargs, &pos, &k, &v)) {
            if (!v_is_str(k)) {
                err_set(&exc_TypeError, "keywords must be strings");
                release(k);
                release(v);
                goto fail;
            }
            tuple_init_item(*names, i, k);
            tuple_init_item(s, npos + i, v);
            i++;
        }
        if (i < nkw) {
            err_set(&exc_RuntimeError, "dictionary changed size during iteration");
            goto fail;
        }
    }
    return s;
fail:
    release(*names);
    release(s);
    return ABSENT;
}

Value obj_call_tuple_dict(Value f, Value args_tuple, Value kwargs_dict) {
    if (kwargs_dict == ABSENT || kwargs_dict == V_NONE || dict_len(kwargs_dict) == 0)
        return obj_call(f, tuple_items(args_tuple), tuple_len(args_tuple), ABSENT);
    Value names, s = spread(args_tuple, kwargs_dict, &names);
    if (s == ABSENT)
        return ABSENT;
    Value v = obj_call(f, tuple_items(s), tuple_len(args_tuple), names);
    release(s);
    release(names);
    return v;
}

/* ---- module and class bodies ---- */

static Value run_with_namespace(Value func, Value namespace) {
    Thread *t = thread_self();
    Code *c = function_code(func);
    if (UNLIKELY(is_generator_code(c))) { /* a module's code with top-level await */
        Value g = generator_new(func, c, NULL, 0, ABSENT);
        if (g != ABSENT)
            ref_store(g, &((Generator *)g)->finalizer, retained(namespace));
        return g;
    }
    uint32_t flags = FR_ENTRY | FR_LOCALS;
    InterpFrame *f = frame_reserve(t, c, &flags);
    if (!f)
        return ABSENT;
    for (uint32_t i = 0; i < c->n_locals; i++)
        f->regs[i] = ABSENT;
    fill_header(t, f, retained(func), c, flags);
    f->extra = retained(namespace);
    return interp_run(t, f, false);
}

Value interp_exec(Value code, Value globals, Value locals, Value closure) {
    Value b = dict_get(globals, ID("__builtins__"));
    if (b == ABSENT) {
        if (err_pending())
            return ABSENT;
        b = current_builtins() != ABSENT ? retained(current_builtins()) : function_builtins_of(globals);
        if (b == ABSENT || dict_set(globals, ID("__builtins__"), b) < 0) {
            release(b);
            return ABSENT;
        }
    }
    release(b);
    Value func = function_new(code, globals);
    if (func == ABSENT)
        return ABSENT;
    if (closure != ABSENT)
        ref_store(func, &((Function *)func)->closure, retained(closure));
    Value r = ((Code *)code)->flags & CO_OPTIMIZED ? obj_call0(func) : run_with_namespace(func, locals);
    release(func);
    return r;
}

Value interp_run_class_body(Value func, Value namespace) {
    return run_with_namespace(func, namespace);
}

/* ---- the CALL instructions ---- */

/* A call block being worked on: h[0] callable, args at h + FRAME_WORDS; everything in it is owned. */

static void block_drop(Value *h, intptr_t n) {
    Value f = h[0];
    h[0] = ABSENT;
    release(f);
    for (intptr_t i = 0; i < n; i++) {
        Value v = h[FRAME_WORDS + i];
        h[FRAME_WORDS + i] = ABSENT;
        release(v);
    }
}

static int store_result(Value *R, uint64_t w, Value v) {
    if (UNLIKELY(v == ABSENT))
        return STEP_ERROR;
    set_reg(R, w, instr_c(w), v);
    return STEP_NEXT;
}
/* The same behind a native function, and a safepoint: what it set off (a signal, an exception sent here) counts as
 * raised by the call. The block has been consumed, so its registers hold nothing; the result, if it lies among them, is
 * live. */
static ALWAYS_INLINE int store_native_result(Thread *t, Value *R, uint64_t w, Value v) {
    int s = store_result(R, w, v);
    if (UNLIKELY(LOAD_RELAXED(&t->poll) != 0) && s == STEP_NEXT && excl_poll() < 0)
        return STEP_ERROR;
    return s;
}

/* Native calls leave the block in place while they run; then it is dropped. */
static int native_done(Thread *t, Value *R, uint64_t w, Value *h, intptr_t n, Value v) {
    if (COUNT_EXACT)
        block_drop(h, n);
    return store_native_result(t, R, w, v);
}

static void drop_kwonly(Value *kwonly, uint32_t n) {
    for (uint32_t k = 0; COUNT_EXACT && k < n; k++)
        if (v_is_obj(kwonly[k]))
            release_later(v_obj(kwonly[k]));
}

/* Lays the arguments of a block out as c's parameters without touching a count: positional ones are in place, keywords'
 * values are moved. For the calls that need neither **kwargs nor an error message: false, and nothing changed, for the
 * others. Runs no Python code: what it lays out is no root yet. */
static bool bind_in_place(Function *f, Code *c, Value *r, intptr_t npos, Value kwnames) {
    enum { MAX_KW = 12 };
    const uint32_t n_kwonly = c->kwonlyargcount;
    intptr_t nkw = kwnames == ABSENT ? 0 : tuple_len(kwnames), argcount = c->argcount, total = argcount + n_kwonly;
    if ((c->flags & (CO_VARARGS | CO_VARKEYWORDS)) || nkw > MAX_KW || npos > argcount || !READS_LOCK_FREE)
        return false;
    Value values[MAX_KW], *names = tuple_items(ref_peek(&c->varnames));
    intptr_t where[MAX_KW];
    uint64_t given = 0;
    if (total > 64)
        return false;
    for (intptr_t k = 0; k < nkw; k++) {
        Value name = tuple_get(kwnames, k);
        intptr_t i = MAX(npos, (intptr_t)c->posonlyargcount);
        while (i < total && names[i] != name)
            i++;
        if (i == total || (given >> i & 1))
            return false;
        given |= (uint64_t)1 << i;
        where[k] = i;
        values[k] = r[npos + k];
    }
    Value kwonly[MAX_KW];
    if (n_kwonly > MAX_KW)
        return false;
    if (n_kwonly) {
        BorrowedRef b;
        bool all = true;
        Value kwdefaults = borrow_begin(&b, V_OF(f), &f->kwdefaults);
        for (uint32_t k = 0; k < n_kwonly; k++) {
            kwonly[k] = ABSENT;
            if (given >> (argcount + k) & 1)
                continue;
            if (kwdefaults != ABSENT)
                kwonly[k] = dict_get_quick(kwdefaults, names[argcount + k]);
            all &= kwonly[k] != ABSENT;
        }
        borrow_end(&b);
        if (!all) {
            drop_kwonly(kwonly, n_kwonly);
            return false;
        }
    }
    BorrowedRef b;
    Value defaults = borrow_begin(&b, V_OF(f), &f->defaults);
    intptr_t first = argcount - (defaults == ABSENT ? 0 : tuple_len(defaults));
    for (intptr_t i = npos; i < first; i++)
        if (!(given >> i & 1)) {
            borrow_end(&b);
            drop_kwonly(kwonly, n_kwonly);
            return false;
        }
    for (intptr_t i = npos; i < (intptr_t)c->n_locals; i++)
        r[i] = ABSENT;
    for (intptr_t k = 0; k < nkw; k++)
        r[where[k]] = values[k];
    for (intptr_t i = MAX(npos, first); i < argcount; i++)
        if (!(given >> i & 1))
            r[i] = retained(tuple_get(defaults, i - first));
    borrow_end(&b);
    for (uint32_t k = 0; k < n_kwonly; k++)
        if (!(given >> (argcount + k) & 1))
            r[argcount + k] = kwonly[k];
    return true;
}

/* Pushes the frame of the function in h[0], arguments in place. extra: instance of FR_INIT, owned, or ABSENT. Consumes
 * the block in any case. */
static int push_function(Thread *t, Value *R, uint64_t w, Value *h, intptr_t npos, Value kwnames, Value extra) {
    Value func = h[0];
    Code *c = function_code(func);
    intptr_t total = npos + (kwnames == ABSENT ? 0 : tuple_len(kwnames));
    Value *r = h + FRAME_WORDS;
    uint32_t flags = extra == ABSENT ? 0 : FR_INIT;
    InterpFrame *caller = frame_of_regs(R);
    if (UNLIKELY(is_generator_code(c))) {
        Value g = generator_new(func, c, r, npos, kwnames);
        release(extra);
        return native_done(t, R, w, h, total, g);
    }
    if (UNLIKELY(recursion_check(caller) < 0))
        goto fail;
    InterpFrame *f = (InterpFrame *)h;
    bool moved = false;
    if (UNLIKELY(r + c->n_regs > t->stack_limit)) {
        Value *fresh = interp_push_segment(t, (size_t)FRAME_WORDS + c->n_regs + (size_t)total);
        if (!fresh)
            goto fail;
        memcpy(fresh + FRAME_WORDS, r, (size_t)total * sizeof(Value));
        h[0] = ABSENT;
        for (intptr_t i = 0; i < total; i++)
            r[i] = ABSENT;
        f = (InterpFrame *)fresh;
        r = f->regs;
        flags |= FR_SEGMENT;
        moved = true;
    }
    if (LIKELY(kwnames == ABSENT && c->fast_args == npos)) {
        for (uint32_t i = (uint32_t)npos; i < c->n_locals; i++)
            r[i] = ABSENT;
    } else {
        if (!bind_in_place((Function *)func, c, r, npos, kwnames)) {
            Value scratch = ABSENT, *args;
            if (total <= 64) {
                args = alloca((size_t)(total + 1) * sizeof(Value));
            } else {
                scratch = scratch_new(total);
                if (scratch == ABSENT)
                    goto fail_moved;
                args = tuple_items(scratch);
            }
            memcpy(args, r, (size_t)total * sizeof(Value));
            for (intptr_t i = 0; i < total; i++)
                h[FRAME_WORDS + i] = ABSENT;
            int bad = bind_arguments(func, c, r, args, npos, kwnames);
            if (bad < 0 && moved)
                interp_pop_segment(t);
            /* The block's values are held by args now. None dies here that was bound. */
            if (scratch != ABSENT) {
                release(scratch);
            } else {
                for (intptr_t i = 0; i < total; i++)
                    release(args[i]);
            }
            if (bad < 0) {
                total = 0;
                goto fail;
            }
        }
    }
    f->func = func;
    f->code = c;
    f->prev = caller;
    f->pc = c->instrs;
    f->extra = extra;
    f->flags = flags;
    f->depth = caller->depth + 1;
    t->frame = f;
    return STEP_FRAME;
fail_moved:
    if (moved)
        interp_pop_segment(t);
fail:
    block_drop(h, total);
    release(extra);
    return STEP_ERROR;
}

/* Puts v (owned) in front of the arguments and func (owned) in h[0]; the old callable is released. */
static void block_prepend(Value *h, intptr_t total, Value func, Value v) {
    Value old = h[0];
    memmove(h + FRAME_WORDS + 1, h + FRAME_WORDS, (size_t)total * sizeof(Value));
    h[FRAME_WORDS] = v;
    h[0] = func;
    release(old);
}

/* Its frame lies on words that clean_stack has cleared. */
static NOINLINE int call_on_clean_stack(Thread *t, Value *R, uint64_t w, Value *h, intptr_t npos, Value kwnames) {
    uintptr_t low = t->c_stack_gap_low, high = t->c_stack_gap_high;
    t->c_stack_gap_low = (uintptr_t)__builtin_frame_address(0);
    t->c_stack_gap_high = t->c_stack_loop;
    Value v = native_call_own((Native *)h[0], h + FRAME_WORDS, npos, kwnames);
    t->c_stack_gap_low = low;
    t->c_stack_gap_high = high;
    return native_done(t, R, w, h, npos + (kwnames == ABSENT ? 0 : tuple_len(kwnames)), v);
}
/* For natives that collect or mark (NF_CLEAN): the frames from here on must not show the scanner words that earlier
 * calls left on the C stack. Those in the frames up to the loop's, that one included, are passed over: at a call they
 * hold nothing but what the registers of the Python frame hold too. */
static NOINLINE int call_clean(Thread *t, Value *R, uint64_t w, Value *h, intptr_t npos, Value kwnames) {
    clean_stack();
    int r = call_on_clean_stack(t, R, w, h, npos, kwnames);
    __asm__ volatile("" ::: "memory"); /* not a tail call: this frame stays */
    return r;
}

static int call_block(Thread *t, Value *R, uint64_t w, Value *h, intptr_t npos, Value kwnames) {
    /* Here the block is as the depth table says; later an argument may lie beyond it. */
    if (UNLIKELY(LOAD_RELAXED(&t->poll) != 0) && excl_poll() < 0)
        return STEP_ERROR;
    intptr_t total = npos + (kwnames == ABSENT ? 0 : tuple_len(kwnames));
    Value f = h[0], *args = h + FRAME_WORDS;
    if (UNLIKELY(!v_is_obj(f))) {
        not_callable(f);
        return STEP_ERROR;
    }
    switch (obj_index(f)) {
    case IDX_FUNCTION:
        return push_function(t, R, w, h, npos, kwnames, ABSENT);
    case IDX_NATIVE:
        if (UNLIKELY(((Native *)f)->special == NATIVE_CLEAN))
            return call_clean(t, R, w, h, npos, kwnames);
        return native_done(t, R, w, h, total, native_call_own((Native *)f, args, npos, kwnames));
    case IDX_METHOD_DESCR: {
        Native *n = (Native *)f;
        if (LIKELY(npos > 0 && type_of(args[0]) == n->owner))
            return native_done(t, R, w, h, total, native_call_with(n, args[0], args + 1, npos - 1, kwnames));
        return native_done(t, R, w, h, total, native_call(f, ABSENT, args, npos, kwnames));
    }
    case IDX_METHOD: {
        Method *m = (Method *)f;
        Value func = ref_peek(&m->func);
        if (LIKELY(v_is_function(func))) {
            block_prepend(h, total, retained(func), retained(ref_peek(&m->self)));
            return push_function(t, R, w, h, npos + 1, kwnames, ABSENT);
        }
        break;
    }
    case IDX_TYPE: {
        Type *type = (Type *)f;
        if (LIKELY((type->flags & (TF_GENERIC_NEW | TF_ABSTRACT | TF_HEAP)) == (TF_GENERIC_NEW | TF_HEAP))) {
            Value init = type_special(type, SP_INIT);
            if (LIKELY(init != ABSENT && v_is_function(init))) {
                Value self = obj_new(type);
                if (self == ABSENT)
                    return STEP_ERROR;
                trace_track(v_obj(self));
                block_prepend(h, total, retained(init), retained(self));
                return push_function(t, R, w, h, npos + 1, kwnames, self);
            }
        }
        Value call = type_special(&type_type, SP_CALL);
        return native_done(t, R, w, h, total, native_call_with((Native *)call, f, args, npos, kwnames));
    }
    default: {
        Value call = type_special(type_of(f), SP_CALL);
        if (call != ABSENT && v_is_function(call)) {
            retain(f);
            block_prepend(h, total, retained(call), f);
            return push_function(t, R, w, h, npos + 1, kwnames, ABSENT);
        }
        break;
    }
    }
    return native_done(t, R, w, h, total, obj_call(f, args, npos, kwnames));
}

/* args: n of them, in the block. */
static ALWAYS_INLINE int direct_done(Thread *t, Value *R, uint64_t w, Value *args, intptr_t n, Value v) {
    if (COUNT_EXACT)
        for (intptr_t i = 0; i < n; i++) {
            Value x = args[i];
            args[i] = ABSENT;
            release(x);
        }
    return store_native_result(t, R, w, v);
}

/* A call of the block at h with n arguments. */
static ALWAYS_INLINE int call_native_or_block(Thread *t, Value *R, uint64_t w, Value *h, intptr_t n) {
    Value f = h[0];
    if (v_is_exact(f, IDX_NATIVE) && LOAD_RELAXED(&t->poll) == 0) {
        Native *native = (Native *)f;
        if (native_direct(native, n) && native->special == NATIVE_PLAIN) {
            Value v = native->fn(ref_peek(&native->self), h + FRAME_WORDS, n, ABSENT);
            if (COUNT_EXACT) {
                h[0] = ABSENT;
                release(f);
            }
            return direct_done(t, R, w, h + FRAME_WORDS, n, v);
        }
    }
    return call_block(t, R, w, h, n, ABSENT);
}
int step_call(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    return call_native_or_block(t, R, w, &R[instr_a(w)], instr_b(w));
}

/* Where the callable of a method block lies, and how many arguments there are. */
static Value *method_block(Value *R, uint64_t w, intptr_t *n) {
    Value *h = &R[instr_a(w)];
    if (h[0] == ABSENT)
        return h + 1;
    ++*n;
    return h;
}

int step_call_method(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    intptr_t n = instr_b(w);
    Value *block = &R[instr_a(w)], f = block[0];
    if (LIKELY(f != ABSENT && obj_index(f) == IDX_METHOD_DESCR && LOAD_RELAXED(&t->poll) == 0)) {
        Native *native = (Native *)f;
        Value *args = block + FRAME_WORDS, self = args[0];
        /* Descriptors that LOAD_METHOD found are uncounted. */
        if (LIKELY(type_of(self) == native->owner) && native_direct(native, n))
            return direct_done(t, R, w, args, n + 1, native->fn(self, args + 1, n, ABSENT));
    }
    Value *h = method_block(R, w, &n);
    return call_native_or_block(t, R, w, h, n);
}

int step_call_kw(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    intptr_t n = instr_b(w);
    Value *h = &R[instr_a(w)];
    if (instr_flags(w) & IF_X1)
        h = method_block(R, w, &n);
    /* Its register may become an argument's. */
    Value *at = &h[FRAME_WORDS + n], kwnames = *at;
    *at = ABSENT;
    int s = call_block(t, R, w, h, n - tuple_len(kwnames), kwnames);
    release(kwnames);
    return s;
}

int push_result_a(Thread *t, Value *R, Value func, const Value *args, int n) {
    if (!v_is_function(func))
        return STEP_NEXT;
    Code *c = function_code(func);
    InterpFrame *caller = frame_of_regs(R), *f = (InterpFrame *)(R + caller->code->n_regs);
    if (c->fast_args != (uint32_t)n || f->regs + c->n_regs > t->stack_limit || recursion_near(caller))
        return STEP_NEXT;
    fill_header(t, f, retained_lasting(func), c, FR_RESULT_A);
    for (int i = 0; i < n; i++)
        f->regs[i] = retained(args[i]);
    for (uint32_t i = (uint32_t)n; i < c->n_locals; i++)
        f->regs[i] = ABSENT;
    t->frame = f;
    return STEP_FRAME;
}

/* super() and what is read from it. A is `super`, most likely; B is 0; the next word is a LOAD_METHOD or LOAD_ATTR of
 * register A. */
int step_call_super(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value *h = &R[instr_a(w)];
    if (h[0] != V_OF(&super_type))
        return call_block(t, R, w, h, 0, ABSENT);
    Value cls, self, found;
    if (frame_super_args(&cls, &self) < 0)
        return STEP_ERROR;
    retain(self);
    uint64_t next = LOAD_RELAXED(pc + 1);
    Value name = frame_of_regs(R)->code->names[instr_c(next)];
    Instr *ic = pc + 2;
    bool unbound = false;
    uint32_t own = shape_index(((Type *)cls)->root);
    const SideCell *cell = v_is_obj(self) ? ic_find_super(ic, obj_index(self), own, name) : NULL;
    if (cell) {
        found = cell->value;
        unbound = true;
    } else {
        frame_of_regs(R)->pc = pc + 1; /* what fails now is the attribute; the register is live there as here */
        Type *type = v_is_obj(self) ? type_of(self) : NULL;
        uint32_t version = type ? LOAD_RELAXED(&type->version) : 0, shape = type ? obj_index(self) : 0;
        found = super_lookup((Type *)cls, self, name, &unbound);
        if (found == ABSENT) {
            release(self);
            return STEP_ERROR;
        }
        if (unbound && type && version && !v_is_type(self) && count_is_uncounted(v_obj(found)))
            ic_learn_super(ic, shape, own, name, type, version, found);
    }
    h[0] = ABSENT;
    frame_of_regs(R)->pc = pc + 1;
    if (instr_op(next) == OP_LOAD_METHOD) {
        if (unbound) {
            h[0] = found;
            h[1] = ABSENT;
            h[FRAME_WORDS] = self;
        } else {
            h[1] = found;
            h[FRAME_WORDS] = ABSENT;
            release(self);
        }
    } else {
        if (unbound) {
            Value bound = descr_get(found, self, type_of(self));
            if (!cell)
                release(found);
            found = bound;
        }
        release(self);
        if (found == ABSENT)
            return STEP_ERROR;
        set_a(R, next, found);
    }
    frame_of_regs(R)->pc = pc + 3;
    return STEP_FRAME;
}

int step_call_ex(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value *h = &R[instr_a(w)], *args = &h[FRAME_WORDS];
    bool has_kw = instr_flags(w) & IF_X1;
    if (!v_is_tuple_exact(args[0])) {
        Value it = args[0], tuple;
        if (!v_is_list(it) && !v_is_tuple(it) && type_special(type_of(it), SP_ITER) == ABSENT &&
            type_special(type_of(it), SP_GETITEM) == ABSENT) {
            Value name = callable_text(h[0]);
            err_set(&exc_TypeError, "%S argument after * must be an iterable, not %T", name, it);
            release(name);
            return STEP_ERROR;
        }
        tuple = seq_to_tuple(it);
        if (tuple == ABSENT)
            return STEP_ERROR;
        args[0] = tuple;
        release(it);
    }
    if (has_kw && args[1] != ABSENT && !v_is_dict(args[1])) {
        Value d = dict_new();
        if (d == ABSENT)
            return STEP_ERROR;
        if (merge_keywords(d, args[1], h[0]) < 0) {
            release(d);
            return STEP_ERROR;
        }
        release(args[1]);
        args[1] = d;
    }
    Value tuple = args[0], kwargs = has_kw ? args[1] : ABSENT, names = ABSENT;
    intptr_t npos = tuple_len(tuple);
    bool plain = v_is_function(h[0]) && !is_generator_code(function_code(h[0]));
    if (!plain) {
        Value v = obj_call_tuple_dict(h[0], tuple, kwargs);
        if (v == ABSENT)
            return STEP_ERROR;
        block_drop(h, has_kw ? 2 : 1);
        return store_result(R, w, v);
    }
    /* A Python function: the arguments are laid out where a frame has room for them. */
    InterpFrame *caller = frame_of_regs(R);
    Value func = h[0];
    Code *c = function_code(func);
    Value s = ABSENT;
    Value *in = tuple_items(tuple);
    if (kwargs != ABSENT && dict_len(kwargs)) {
        s = spread(tuple, kwargs, &names);
        if (s == ABSENT)
            return STEP_ERROR;
        in = tuple_items(s);
    }
    uint32_t flags = 0;
    InterpFrame *f = recursion_check(caller) < 0 ? NULL : frame_reserve(t, c, &flags);
    int bad = f ? bind_arguments(func, c, f->regs, in, npos, names) : -1;
    if (bad == 0) {
        fill_header(t, f, retained(func), c, flags);
        t->frame = f; /* before anything can die, and run code */
        block_drop(h, has_kw ? 2 : 1);
    } else if (flags & FR_SEGMENT) {
        interp_pop_segment(t);
    }
    release(s);
    release(names);
    return bad < 0 ? STEP_ERROR : STEP_FRAME;
}

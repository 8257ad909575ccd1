/* Module atexit. */
#include "modules/atexit.h"

#include "object/dict.h"
#include "object/list.h"
#include "object/module.h"
#include "object/tuple.h"
#include "tracer.h"

/* A list of (function, args, kwargs or None); an unregistered one is None. */
static Ref callbacks;

static Value list_owned(void) {
    return retained(ref_peek(&callbacks));
} /* set once, at the first import */

static Value m_register(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs < 1)
        return err_set(&exc_TypeError, "register() takes at least 1 argument (0 given)");
    if (!v_is_callable(args[0]))
        return err_set(&exc_TypeError, "the first argument must be callable");
    Value kwargs = V_NONE;
    intptr_t nkw = kw == ABSENT ? 0 : tuple_len(kw);
    if (nkw > 0 && (kwargs = dict_new()) == ABSENT)
        return ABSENT;
    for (intptr_t i = 0; i < nkw; i++) {
        if (dict_set(kwargs, tuple_get(kw, i), args[nargs + i]) < 0) {
            release(kwargs);
            return ABSENT;
        }
    }
    Value rest = tuple_from(args + 1, nargs - 1);
    Value entry = rest == ABSENT ? ABSENT : tuple_pack(3, args[0], rest, kwargs);
    release(rest);
    release(kwargs);
    if (entry == ABSENT || list_append_steal(ref_peek(&callbacks), entry) < 0)
        return ABSENT;
    return retained(args[0]);
}

static Value m_unregister(Value self, Value *args, intptr_t nargs, Value kw) {
    Value l = list_owned();
    for (intptr_t i = 0; i < list_len(l); i++) {
        Value e = list_get(l, i);
        int eq = e == ABSENT || e == V_NONE ? 0 : obj_eq(tuple_get(e, 0), args[0]);
        release(e);
        if (eq < 0 || (eq > 0 && list_set(l, i, V_NONE) < 0)) {
            release(l);
            return ABSENT;
        }
    }
    release(l);
    return V_NONE;
}

static Value m_clear(Value self, Value *args, intptr_t nargs, Value kw) {
    return list_clear(ref_peek(&callbacks)) < 0 ? ABSENT : V_NONE;
}

static Value m_ncallbacks(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = 0;
    for (intptr_t i = 0; i < list_len(ref_peek(&callbacks)); i++) {
        Value e = list_get(ref_peek(&callbacks), i);
        n += e != ABSENT && e != V_NONE;
        release(e);
    }
    return v_from_int(n);
}

void atexit_run(void) {
    if (ref_peek(&callbacks) == ABSENT)
        return;
    Value l = list_owned();
    intptr_t n;
    while ((n = list_len(l)) > 0) {
        Value e = list_pop(l, n - 1);
        if (e == ABSENT) {
            err_clear(); /* another thread was quicker */
            continue;
        }
        if (e != V_NONE) {
            Value kwargs = tuple_get(e, 2);
            Value r = obj_call_tuple_dict(tuple_get(e, 0), tuple_get(e, 1), kwargs == V_NONE ? ABSENT : kwargs);
            if (r == ABSENT)
                err_unraisable("in atexit callback", tuple_get(e, 0));
            release(r);
        }
        release(e);
    }
    release(l);
}

static Value m_run_exitfuncs(Value self, Value *args, intptr_t nargs, Value kw) {
    atexit_run();
    return V_NONE;
}

static const NativeDef functions[] = {
    {"register", m_register, "($module, *args, **kwargs)", 0,
     "register(func, *args, **kwargs) -> func\n\nRegister a function to be executed upon normal program "
     "termination\n\n    func - function to be "
     "called at exit\n    args - optional arguments to pass to func\n    kwargs - optional keyword arguments to pass "
     "to func\n\n    func is "
     "returned to facilitate usage as a decorator."},
    {"_clear", m_clear, "($module)", 0, "_clear() -> None\n\nClear the list of previously registered exit functions."},
    {"unregister", m_unregister, "($module, func, /)", 0,
     "unregister(func) -> None\n\nUnregister an exit function which was previously registered "
     "using\natexit.register\n\n    func - function to be "
     "unregistered"},
    {"_run_exitfuncs", m_run_exitfuncs, "($module)", 0,
     "_run_exitfuncs() -> None\n\nRun all registered exit functions.\n\nIf a callback raises an exception, it is "
     "logged with sys.unraisablehook."},
    {"_ncallbacks", m_ncallbacks, "($module)", 0,
     "_ncallbacks() -> int\n\nReturn the number of registered exit functions."},
    {0},
};

static int exec(Value m) {
    if (ref_peek(&callbacks) != ABSENT)
        return 0;
    Value l = list_new(0);
    if (l == ABSENT)
        return -1;
    ref_init_global(&callbacks, l);
    handle_register(&callbacks);
    return 0;
}

void atexit_fini(void) {
    Value l = ref_peek(&callbacks);
    ref_init(&callbacks, ABSENT);
    release(l);
}

const ModuleSpec module_atexit = {
    "atexit",
    "allow programmer to define multiple exit functions to be executed\nupon normal program termination.\n\nTwo public "
    "functions, register and "
    "unregister, are defined.\n",
    functions,
    exec,
};

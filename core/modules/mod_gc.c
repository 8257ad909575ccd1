/* The gc module. Generations are a matter of form: every collection is a full one (gc/tracer.h). */
#include "heap.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"
#include "tracer.h"

static Ref callbacks, garbage;
/* Collections that a callback causes run no callbacks, and one that it asks for does nothing. */
static _Thread_local bool in_callbacks;

static void call_callbacks(bool start, int generation, size_t collected) {
    Value list = ref_peek(&callbacks);
    if (!list || list_len(list) == 0 || in_callbacks)
        return;
    in_callbacks = true;
    Value saved = err_fetch();
    Value info = dict_new(), phase = retained(start ? ID("start") : ID("stop"));
    if (info && dict_set_str(info, "generation", v_from_int(generation)) == 0 &&
        dict_set_str(info, "collected", v_from_int((int64_t)collected)) == 0 &&
        dict_set_str(info, "uncollectable", v_from_int(0)) == 0) {
        Value all = list_slice(list, 0, list_len(list));
        for (intptr_t i = 0; all && i < list_len(all); i++) {
            Value fn = list_get(all, i);
            if (!fn)
                break;
            Value r = obj_call2(fn, phase, info);
            if (!r)
                err_unraisable("Exception ignored in", fn);
            release(r);
            release(fn);
        }
        release(all);
    }
    if (err_pending())
        err_unraisable("Exception ignored in garbage collection callbacks", ABSENT);
    release(info);
    err_restore(saved);
    in_callbacks = false;
}

static Value collect(Value self, Value *args, intptr_t nargs, Value kw) {
    int generation = 2;
    if (arg_at(args, nargs, 0) && num_as_int(args[0], &generation) < 0)
        return ABSENT;
    if (generation < 0 || generation > 2)
        return err_set(&exc_ValueError, "invalid generation");
    if (in_callbacks)
        return v_from_int(0);
    call_callbacks(true, generation, 0);
    intptr_t n = trace_collect(generation);
    gc_take_saved(ref_peek(&garbage));
    if (err_pending())
        return ABSENT;
    call_callbacks(false, generation, (size_t)n);
    return v_from_int(n);
}
static Value enable(Value self, Value *args, intptr_t nargs, Value kw) {
    STORE_RELAXED(&gc_state.enabled, true);
    return V_NONE;
}
static Value disable(Value self, Value *args, intptr_t nargs, Value kw) {
    STORE_RELAXED(&gc_state.enabled, false);
    return V_NONE;
}
static Value isenabled(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(LOAD_RELAXED(&gc_state.enabled));
}

static Value three(int64_t a, int64_t b, int64_t c) {
    return tuple_pack(3, v_from_int(a), v_from_int(b), v_from_int(c));
}

/* The first number is the growth since the last collection in the threshold's unit. */
static Value get_count(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t now = heap_bytes(), then = gc_state.live_after;
    return three(now > then ? (int64_t)((now - then) / GC_THRESHOLD_UNIT) : 0, (int64_t)(gc_state.collections[1] % 10),
                 0);
}
static Value get_threshold(Value self, Value *args, intptr_t nargs, Value kw) {
    return three(gc_state.threshold[0], gc_state.threshold[1], gc_state.threshold[2]);
}
static Value set_threshold(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs < 1 || nargs > 3)
        return err_set(&exc_TypeError, "gc.set_threshold requires 1 to 3 arguments");
    for (intptr_t i = 0; i < nargs; i++) {
        int n;
        if (num_as_int(args[i], &n) < 0)
            return ABSENT;
        gc_state.threshold[i] = n < 0 ? 0 : (uint32_t)n;
    }
    trace_threshold_changed();
    return V_NONE;
}
static Value get_objects(Value self, Value *args, intptr_t nargs, Value kw) {
    Value g = arg_at(args, nargs, 0);
    if (g && g != V_NONE) {
        int n;
        if (num_as_int(g, &n) < 0)
            return ABSENT;
        if (n < 0 || n > 2)
            return err_set(&exc_ValueError,
                           n < 0 ? "generation parameter cannot be negative"
                                 : "generation parameter must be less than the number of available generations (3)");
        if (n != 2)
            return list_new(0);
    }
    return gc_objects();
}
static Value with_args(Value *args, intptr_t nargs, Value (*fn)(Value)) {
    Value t = tuple_from(args, nargs);
    Value r = t ? fn(t) : ABSENT;
    release(t);
    return r;
}
static Value get_referrers(Value self, Value *args, intptr_t nargs, Value kw) {
    return with_args(args, nargs, gc_referrers);
}
static Value get_referents(Value self, Value *args, intptr_t nargs, Value kw) {
    return with_args(args, nargs, gc_referents);
}
static Value is_tracked(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(gc_is_tracked(args[0]));
}
static Value is_finalized(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(v_is_obj(args[0]) && obj_flags(v_obj(args[0])) & OF_FINALIZED);
}
static Value set_debug(Value self, Value *args, intptr_t nargs, Value kw) {
    int n;
    if (num_as_int(args[0], &n) < 0)
        return ABSENT;
    gc_state.debug = (uint32_t)n;
    return V_NONE;
}
static Value get_debug(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(gc_state.debug);
}
static int64_t n_frozen;
static Value freeze(Value self, Value *args, intptr_t nargs, Value kw) {
    Value all = gc_objects();
    if (!all)
        return ABSENT;
    n_frozen += list_len(all);
    release(all);
    return V_NONE;
}
static Value unfreeze(Value self, Value *args, intptr_t nargs, Value kw) {
    n_frozen = 0;
    return V_NONE;
}
static Value get_freeze_count(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(n_frozen);
}
static Value get_stats(Value self, Value *args, intptr_t nargs, Value kw) {
    Value list = list_new(3);
    for (int i = 0; list && i < 3; i++) {
        Value d = dict_new();
        if (!d || dict_set_str(d, "collections", v_from_int((int64_t)gc_state.collections[i])) < 0 ||
            dict_set_str(d, "collected", v_from_int((int64_t)gc_state.collected[i])) < 0 ||
            dict_set_str(d, "uncollectable", v_from_int((int64_t)gc_state.uncollectable[i])) < 0 ||
            list_append(list, d) < 0) {
            release(d);
            release(list);
            return ABSENT;
        }
        release(d);
    }
    return list;
}

static const NativeDef functions[] = {
    {"enable", enable, "($module, /)", 0, "Enable automatic garbage collection."},
    {"disable", disable, "($module, /)", 0, "Disable automatic garbage collection."},
    {"isenabled", isenabled, "($module, /)", 0, "Returns true if automatic garbage collection is enabled."},
    {"collect", collect, "($module, /, generation=2)", NF_CLEAN,
     "Run the garbage collector; returns the number of unreachable objects."},
    {"get_count", get_count, "($module, /)", 0,
     "Growth of the heap since the last collection, in the threshold's unit."},
    {"get_threshold", get_threshold, "($module, /)", 0, "Return the current collection thresholds."},
    {"set_threshold", set_threshold, NULL, 0, "set_threshold(threshold0, [threshold1, threshold2]) -> None"},
    {"get_objects", get_objects, "($module, /, generation=None)", 0,
     "Return a list of the objects tracked by the collector."},
    {"get_referrers", get_referrers, "($module, /, *objs)", 0,
     "Return the list of objects that directly refer to any of objs."},
    {"get_referents", get_referents, "($module, /, *objs)", 0,
     "Return the list of objects directly referred to by any of objs."},
    {"is_tracked", is_tracked, "($module, obj, /)", 0,
     "Returns true if the object is tracked by the garbage collector."},
    {"is_finalized", is_finalized, "($module, obj, /)", 0,
     "Returns true if the object has been already finalized by the GC."},
    {"set_debug", set_debug, "($module, flags, /)", 0, "Set the garbage collection debugging flags."},
    {"get_debug", get_debug, "($module, /)", 0, "Get the garbage collection debugging flags."},
    {"freeze", freeze, "($module, /)", 0,
     "Counts the objects there are: generations are a matter of form, and nothing is left out of later collections."},
    {"unfreeze", unfreeze, "($module, /)", 0, "Unfreeze all objects in the permanent generation."},
    {"get_freeze_count", get_freeze_count, "($module, /)", 0,
     "Return the number of objects in the permanent generation."},
    {"get_stats", get_stats, "($module, /)", 0, "Return a list of dictionaries containing per-generation statistics."},
    {NULL},
};

static int exec(Value m) {
    static bool registered;
    if (!registered) {
        registered = true;
        handle_register(&callbacks);
        handle_register(&garbage);
        ref_init_global(&callbacks, list_new(0));
        ref_init_global(&garbage, list_new(0));
        gc_callback = call_callbacks;
    }
    if (module_add(m, "callbacks", retained(ref_peek(&callbacks))) < 0 ||
        module_add(m, "garbage", retained(ref_peek(&garbage))) < 0)
        return -1;
    return module_add_int(m, "DEBUG_STATS", 1) < 0 || module_add_int(m, "DEBUG_COLLECTABLE", 2) < 0 ||
                   module_add_int(m, "DEBUG_UNCOLLECTABLE", 4) < 0 || module_add_int(m, "DEBUG_SAVEALL", 32) < 0 ||
                   module_add_int(m, "DEBUG_LEAK", 38) < 0
               ? -1
               : 0;
}

const ModuleSpec module_gc = {"gc", "The garbage collector's controls and questions about the object graph.", functions,
                              exec};

/* The _polygil module: what the benchmarks and tests ask the VM itself. */
#include "heap.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/module.h"
#include "object/weakref.h"
#include "stats.h"
#include "tracer.h"

typedef struct Fill {
    Value dict;
    bool failed;
} Fill;
static void put(const char *name, uint64_t value, void *arg) {
    Fill *f = arg;
    Value v = int_from_u64(value);
    if (!v || dict_set_str(f->dict, name, v) < 0)
        f->failed = true;
    release(v);
}

static Value stats(Value self, Value *args, intptr_t nargs, Value kw) {
    Fill f = {.dict = dict_new()};
    if (!f.dict)
        return ABSENT;
    stats_each(put, &f);
    put("heap_bytes", heap_bytes(), &f);
    put("collections", gc_state.collections[0] + gc_state.collections[1] + gc_state.collections[2], &f);
    if (f.failed) {
        release(f.dict);
        return ABSENT;
    }
    return f.dict;
}
static Value reset(Value self, Value *args, intptr_t nargs, Value kw) {
    stats_reset();
    return V_NONE;
}
static Value verify(Value self, Value *args, intptr_t nargs, Value kw) {
    excl_stop_world();
    size_t n = trace_verify();
    excl_start_world();
    return v_from_int((int64_t)n);
}
static Value watch(Value self, Value *args, intptr_t nargs, Value kw) {
    Value ref = args[0];
    if (ref != V_NONE && !(v_is_obj(ref) && type_is_subtype(type_of(ref), &weakref_type)))
        return err_set(&exc_TypeError, "a weak reference or None is required");
    gc_watch(ref == V_NONE ? ABSENT : ref);
    return V_NONE;
}

static const NativeDef functions[] = {
    {"stats", stats, "($module, /)", 0, "Counters and times since the start or the last reset, as a dict of ints."},
    {"reset", reset, "($module, /)", 0, "Sets the counters to zero."},
    {"verify", verify, "($module, /)", 0,
     "Checks the heap, ends the process when it is inconsistent; the number of counts that nothing found explains."},
    {"watch", watch, "($module, ref, /)", 0,
     "Each collection prints to stderr what keeps the target of a weak reference; None: no more."},
    {NULL},
};
static int exec(Value m) {
    return module_add_str(m, "backend", POLYGIL_BACKEND_NAME);
}

const ModuleSpec module__polygil = {"_polygil", "The VM about itself.", functions, exec};

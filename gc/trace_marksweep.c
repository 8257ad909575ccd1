/* TRACE marksweep: whatever neither the precise roots nor a word of a C stack leads to is freed. Started when the heap has grown by as much as lived
 * after the last collection, and at least 32 MB. */
#include "stats.h"
#include "tracer_impl.h"

_Static_assert(!COUNT_EXACT, "with counts the cycle collector is the one");

static size_t n_freed;

bool collector_finish_marking(void) {
    conservative_each(mark_push);
    mark_drain();
    return true;
}

static bool dead(Object *o, void *types) {
    if (heap_is_marked(o))
        return false;
    const Shape *s = v_shape(V_OF(o));
    if (UNLIKELY(s->type->flags & TF_TYPE) && !types)
        return false;
    obj_free_attrs(o);
    if (s->ops && s->ops->fini)
        s->ops->fini(V_OF(o));
    n_freed++;
    return true;
}
static void sweep(Page *p, void *types) { heap_page_sweep(p, dead, types); }

/* Classes last: what is freed before them still asks its class how. */
size_t collector_free_dead(void) {
    static char types;
    n_freed = 0;
    heap_each_page(sweep, NULL);
    heap_each_page(sweep, &types);
    return n_freed;
}

size_t collector_trigger(size_t live) { return MAX((size_t)32 << 20, live); }

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

/* What needs nothing but its cell back is decided by its shape index alone, remembered from the cell before. */
static uint32_t plain_index;
static ALWAYS_INLINE bool dead(Object *o, void *types) {
    uint32_t index = LOAD_RELAXED(&o->index);
    n_freed++;
    if (index == plain_index)
        return true;
    const Shape *s = shape_at(index);
    uint32_t f = s->type->flags;
    if (UNLIKELY(f & TF_TYPE) && !types) {
        n_freed--;
        return false;
    }
    bool fini = s->ops && s->ops->fini;
    if (!fini && !(f & TF_HAS_DICT)) {
        plain_index = index;
        return true;
    }
    obj_free_attrs(o);
    if (fini)
        s->ops->fini(V_OF(o));
    return true;
}
static void sweep(Page *p, void *types) { heap_page_sweep(p, dead, types); }

/* Classes last: what is freed before them still asks its class how. */
size_t collector_free_dead(void) {
    static char types;
    n_freed = 0;
    plain_index = 0;
    heap_each_page(sweep, NULL);
    plain_index = 0; /* a freed class's shapes may be anybody's next */
    heap_each_page(sweep, &types);
    return n_freed;
}

size_t trace_report_leaks(void) { return 0; }

size_t collector_trigger(size_t live) { return MAX((size_t)32 << 20, live); }

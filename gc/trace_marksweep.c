/* TRACE marksweep: whatever neither the precise roots nor a word of a C stack leads to is freed. Started when as much
 * was taken as lived after the last collection, and at least 8 MB, or 12 MB for each of several threads that took much
 * of it at a time.
 *
 * What an automatic collection finds dead is swept by the pages' owners later (heap_sweep_lazily), unless classes died:
 * what dies with its class must go before it.
 */
#include "stats.h"
#include "tracer_impl.h"

_Static_assert(!COUNT_EXACT, "with counts the cycle collector is the one");

bool collector_finish_marking(void) {
    conservative_each(mark_push);
    mark_drain_parallel();
    return true;
}

/* *plain: the shape index of the last object that needed nothing but its cell back. */
static ALWAYS_INLINE bool release_parts(Object *o, uint32_t *plain) {
    uint32_t index = LOAD_RELAXED(&o->index);
    if (index == *plain)
        return true;
    const Shape *s = shape_at(index);
    bool dict = s->type->flags & TF_HAS_DICT, fini = s->ops && s->ops->fini;
    if (!dict && !fini) {
        *plain = index;
        return true;
    }
    if (dict)
        obj_free_attrs(o);
    if (fini)
        s->ops->fini(V_OF(o));
    return true;
}
static bool dead_lazily(Object *o, void *plain) {
    return release_parts(o, plain);
}
static ALWAYS_INLINE bool dead_other(Object *o, void *plain) {
    return (LOAD_RELAXED(&o->index) == *(uint32_t *)plain || round_of(o) == ROUND_OTHERS) && release_parts(o, plain);
}
static void sweep_others(Page *p, void *unused) {
    uint32_t plain = 0;
    if (heap_page_sweep(p, dead_other, &plain))
        heap_page_swept(p);
}
static bool dead_in_round(Object *o, void *round) {
    uint32_t plain = 0;
    return round_of(o) == *(int *)round && release_parts(o, &plain);
}
static void sweep_round(Page *p, void *round) {
    if (p->bits & PAGE_LOOK && heap_page_sweep(p, dead_in_round, round))
        heap_page_swept(p);
}

size_t collector_free_dead(bool lazily) {
    if (lazily && n_dead_classes == 0 && !(POLYGIL_ASSERT >= 2)) {
        size_t dead = heap_sweep_lazily(dead_lazily);
        return heap_bytes() - MIN(dead, heap_bytes());
    }
    heap_each_page(sweep_others, NULL);
    for (int round = ROUND_CLASSES; n_dead_classes && round < ROUNDS; round++)
        heap_each_page(sweep_round, &round);
    return heap_bytes();
}

size_t trace_report_leaks(void) {
    return 0;
}

/* Several threads allocate at a time: each takes more before all of them are stopped for it. */
enum { ALONE_BYTES = 8 << 20, EACH_BYTES = EXCL_PARALLEL ? 12 << 20 : ALONE_BYTES, TAKERS_MAX = 16 };

size_t collector_trigger(size_t live) {
    uint32_t takers = MIN(heap_takers(), (uint32_t)TAKERS_MAX);
    return MAX(takers > 1 ? (size_t)EACH_BYTES * takers : ALONE_BYTES, live);
}

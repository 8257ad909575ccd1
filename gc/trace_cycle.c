/* TRACE cycle: finds garbage that counts do not: cycles, and uncounted objects.
 *
 * After marking from the precise roots (frames, handles, modules, types ...), what is not marked is either held by C
 * code or garbage:
 *   1. a word of a C stack counts only when it means an uncounted object;
 *   2. surplus of a counted object = its count minus the references to it from unmarked objects. A surplus means that
 * something that is no object holds it (C code, a queue): mark from it;
 *   3. the rest is garbage.
 * A reference from a marked object cannot exist: its target would be marked. (source of the idea: CPython's collector
 * by trial deletion, turned round so that the live heap is only marked and the arithmetic is done on what is left.)
 *
 * Cost: one traversal of the heap, started when the heap has grown by half since the last one (at least threshold0 x 8
 * KiB for each thread that took memory): so each byte allocated and kept pays for a constant amount of tracing.
 */
#include "stats.h"
#include "tracer_impl.h"

_Static_assert(COUNT_EXACT, "the cycle collector needs counts");

static bool out_of_memory;

static bool is_counted(Object *o) {
    return !count_is_uncounted(o);
}

/* Pages with an unmarked object are told apart, and get a table; most pages of a live heap have none. */
static bool page_has_unmarked;
static ALWAYS_INLINE void see_unmarked(Object *o) {
    page_has_unmarked = true;
}
static void edges_make(Page *p, void *unused) {
    p->edges = NULL;
    p->bits &= (uint8_t)~PAGE_UNMARKED;
    if (p->kind == PAGE_OBJECTS && heap_page_marked(p) == p->used)
        return;
    page_has_unmarked = false;
    heap_page_each_unmarked(p, see_unmarked);
    if (!page_has_unmarked)
        return;
    p->bits |= PAGE_UNMARKED;
    if (!out_of_memory) {
        p->edges = calloc(heap_page_cells(p), sizeof *p->edges);
        out_of_memory = p->edges == NULL;
    }
}
static void edges_free(Page *p, void *unused) {
    free(p->edges);
    p->edges = NULL;
}

static void edge_to(Value v, void *unused) {
    if (!v_is_obj(v) || !heap_owns(v_obj(v)) || heap_is_marked(v_obj(v)))
        return;
    Page *p = heap_page_of(v_obj(v));
    p->edges[heap_cell_number(p, v_obj(v))]++;
}
/* What follows visits the unmarked objects of the pages that have any. */
#define EACH_UNMARKED(name)                          \
    static void name##_page(Page *p, void *unused) { \
        if (p->bits & PAGE_UNMARKED)                 \
            heap_page_each_unmarked(p, name);        \
    }
static void edges_from(Object *o) {
    obj_traverse(o, edge_to, NULL);
}
EACH_UNMARKED(edges_from)
static void mark_surplus(Object *o) {
    if (!is_counted(o))
        return;
    Page *p = heap_page_of(o);
    intptr_t edges = p->edges[heap_cell_number(p, o)], count = count_get(o);
    if (count < edges)
        fatal("more references than the count says");
    if (count > edges) {
        mark_push(o);
        mark_drain();
    }
}
EACH_UNMARKED(mark_surplus)
static void mark_uncounted(Object *o) {
    if (!is_counted(o))
        mark_push(o);
}

bool collector_finish_marking(void) {
    conservative_each(mark_uncounted);
    mark_drain();
    out_of_memory = false;
    heap_each_page(edges_make, NULL);
    if (!out_of_memory) {
        heap_each_page(edges_from_page, NULL);
        heap_each_page(mark_surplus_page, NULL);
    }
    heap_each_page(edges_free, NULL);
    return !out_of_memory;
}

/* ---- leaks ---- */

static struct Left {
    const Type *type;
    size_t n;
} left[64];
static size_t n_left;

static void see_left(Object *o) {
    if (!is_counted(o))
        return;
    Page *p = heap_page_of(o);
    if (count_get(o) <= p->edges[heap_cell_number(p, o)])
        return;
    n_left++;
    const Type *type = v_shape(V_OF(o))->type;
    size_t i = 0;
    while (i < ARRAY_LEN(left) - 1 && left[i].type && left[i].type != type)
        i++; /* the last line is for all that found no place */
    left[i].type = type;
    left[i].n++;
}
EACH_UNMARKED(see_left)

size_t trace_report_leaks(void) {
    excl_stop_world();
    tracer_mark_roots();
    /* Threads that were not joined never return: what their C code holds is no leak. */
    conservative_each(thread_count() > 1 ? mark_push : mark_uncounted);
    mark_drain();
    out_of_memory = false;
    heap_each_page(edges_make, NULL);
    if (!out_of_memory) {
        heap_each_page(edges_from_page, NULL);
        heap_each_page(see_left_page, NULL);
    }
    heap_each_page(edges_free, NULL);
    excl_start_world();
    for (size_t i = 0; i < ARRAY_LEN(left) && left[i].type; i++)
        fprintf(stderr, "polygil: left at exit: %zu %s\n", left[i].n, type_cname((Type *)left[i].type));
    return n_left;
}

/* ---- freeing: the garbage is unreachable, so nobody can be in the middle of it ---- */

/* A count of our own keeps each in place while references between them are dropped. */
static void hold(Object *o) {
    count_settle(o);
    count_retain(o);
}
EACH_UNMARKED(hold)
EACH_UNMARKED(obj_clear_refs)
static void free_counted(Object *o) {
    if (!is_counted(o))
        return;
    if (count_drop(o)) {
        dead_free(o);
    } else {
        heap_mark(o); /* somebody took a reference while it was cleared: its last holder frees it */
    }
}
EACH_UNMARKED(free_counted)
static int round;
static void free_uncounted(Object *o) {
    if (!is_counted(o) && round_of(o) == round)
        dead_free(o);
}
EACH_UNMARKED(free_uncounted)
size_t collector_free_dead(bool lazily) {
    heap_each_page(hold_page, NULL);
    heap_each_page(obj_clear_refs_page, NULL);
    heap_each_page(free_counted_page, NULL);
    for (round = 0; round < (n_dead_classes ? ROUNDS : ROUND_CLASSES); round++)
        heap_each_page(free_uncounted_page, NULL);
    return heap_bytes();
}

size_t collector_trigger(size_t live) {
    size_t floor = (size_t)gc_state.threshold[0] * GC_THRESHOLD_UNIT * MIN(heap_takers(), 8u);
    return MAX(floor, live / 2);
}

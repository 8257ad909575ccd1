/* Questions about the object graph, each answered in a stopped world: reference counts, referrers, all objects; and the
 * verification of the heap. */
#include "object/dict.h"
#include "object/list.h"
#include "object/object.h"
#include "object/tuple.h"
#include "stats.h"
#include "tracer_impl.h"

/* ---- references to one object ---- */

static Value wanted;
static intptr_t n_seen;
static void count_wanted(Value v, void *unused) {
    n_seen += v == wanted;
}
static void count_in_live(Object *o, void *unused) {
    if (heap_is_marked(o))
        obj_traverse(o, count_wanted, NULL);
}
intptr_t gc_refcount(Value v) {
    if (!v_is_obj(v))
        return 1 << 29;
    if (COUNT_EXACT && !count_is_uncounted(v_obj(v)))
        return count_get(v_obj(v));
    excl_stop_world();
    tracer_mark_live();
    wanted = v;
    n_seen = 0;
    heap_each(count_in_live, NULL);
    tracer_visit_roots(count_wanted, NULL);
    intptr_t n = n_seen;
    excl_start_world();
    return n;
}

/* ---- lists of objects: counted in one stopped world, gathered into a tuple in another ---- */

typedef struct Gather {
    bool (*want)(Object *o, void *arg);
    void *arg;
    Value into; /* a tuple, or ABSENT: count only */
    intptr_t n, cap;
} Gather;

static void gather_one(Value v, Gather *g) {
    if (g->into) {
        if (g->n == g->cap)
            return;
        publish(v);
        obj_let_out(v);
        tuple_init_item(g->into, g->n, retained(v));
    }
    g->n++;
}
static void gather_object(Object *o, void *arg) {
    Gather *g = arg;
    /* What is dead and waits to be destroyed has no count to take. */
    if (V_OF(o) == g->into || (COUNT_EXACT && !count_is_uncounted(o) && count_get(o) <= 0) || !g->want(o, g->arg))
        return;
    gather_one(V_OF(o), g);
}
static Value gathered(Gather *g, void (*run)(Gather *)) {
    excl_stop_world();
    heap_sweep_finish();
    run(g);
    excl_start_world();
    g->cap = g->n + g->n / 8 + 64;
    g->into = tuple_new(g->cap);
    if (!g->into)
        return ABSENT;
    g->n = 0;
    excl_stop_world();
    heap_sweep_finish();
    run(g);
    excl_start_world();
    Value list = list_from(tuple_items(g->into), g->n);
    release(g->into);
    return list;
}
static void run_heap(Gather *g) {
    heap_each(gather_object, g);
}

static bool is_tracked_object(Object *o, void *unused) {
    return gc_is_tracked(V_OF(o));
}
Value gc_objects(void) {
    Gather g = {.want = is_tracked_object};
    return gathered(&g, run_heap);
}

static Value targets;
static bool hit;
static void look_for_targets(Value v, void *unused) {
    for (intptr_t i = 0; v_is_obj(v) && i < tuple_len(targets); i++)
        hit |= tuple_get(targets, i) == v;
}
static bool refers(Object *o, void *unused) {
    if (V_OF(o) == targets)
        return false;
    hit = false;
    obj_traverse(o, look_for_targets, NULL);
    return hit;
}
Value gc_referrers(Value tuple) {
    Gather g = {.want = refers};
    targets = tuple; /* used in the stopped worlds alone, and set again by whoever stops it next */
    Value r = gathered(&g, run_heap);
    return r;
}

static void gather_child(Value v, void *arg) {
    if (v != ABSENT)
        gather_one(v, arg);
}
static void run_referents(Gather *g) {
    Value tuple = *(Value *)g->arg;
    for (intptr_t i = 0; i < tuple_len(tuple); i++)
        if (v_is_obj(tuple_get(tuple, i)))
            obj_traverse(v_obj(tuple_get(tuple, i)), gather_child, g);
}
Value gc_referents(Value tuple) {
    Gather g = {.arg = &tuple};
    return gathered(&g, run_referents);
}

static void look_for_tracked(Value v, void *found) {
    if (v_is_obj(v) && !(type_of(v)->flags & TF_UNTRACKED))
        *(bool *)found = true;
}
bool gc_is_tracked(Value v) {
    if (!heap_has(v) || type_of(v)->flags & TF_UNTRACKED)
        return false;
    const Shape *s = v_shape(v);
    if (!(s->ops && s->ops->traverse) && !(s->type->flags & (TF_HEAP | TF_HAS_DICT)))
        return false;
    if (v_is_exact(v, IDX_DICT) || v_is_exact(v, IDX_TUPLE)) {
        bool found = false;
        obj_traverse(v_obj(v), look_for_tracked, &found);
        return found;
    }
    return true;
}

/* ---- verification ---- */

static bool no_memory;
static size_t n_unexplained;
static void table_make(Page *p, void *unused) {
    p->edges = calloc(heap_page_cells(p), sizeof *p->edges);
    no_memory |= p->edges == NULL;
}
static void table_free(Page *p, void *unused) {
    free(p->edges);
    p->edges = NULL;
}
static int32_t *entry(Object *o) {
    Page *p = heap_page_of(o);
    return &p->edges[heap_cell_number(p, o)];
}
static void check_edge(Value v, void *unused) {
    if (!v_is_obj(v))
        return;
    Object *o = v_obj(v);
    if (!heap_owns(o))
        return;
    if ((uintptr_t)o != (uintptr_t)heap_find((uintptr_t)o))
        fatal("a field refers to no object");
    ++*entry(o);
}
static void check_object(Object *o, void *unused) {
    if (v_shape(V_OF(o))->type == NULL)
        fatal("an object has no type");
    obj_traverse(o, check_edge, NULL);
}
enum { EXPLAINED = 1 << 30 };
static void explain(Object *o) {
    *entry(o) |= EXPLAINED;
}
static Object *suspect;
static void holders_edge(Value v, void *holder) {
    if (v == V_OF(suspect))
        fprintf(stderr, "  from %s\n", holder ? type_cname(type_of(V_OF(holder))) : "a root");
}
static void holders(Object *o, void *unused) {
    obj_traverse(o, holders_edge, o);
}
static void check_count(Object *o, void *unused) {
    if (!COUNT_EXACT || count_is_uncounted(o))
        return;
    intptr_t edges = *entry(o) & (EXPLAINED - 1), count = count_get(o);
    if (count < edges && count > 0) { /* (a dead one waits for its destruction: its roots are no counts) */
        fprintf(stderr, "polygil: %s at %p: count %ld, references %ld\n", type_cname(type_of(V_OF(o))), (void *)o,
                (long)count, (long)edges);
        suspect = o;
        heap_each(holders, NULL);
        tracer_visit_roots(holders_edge, NULL);
        fatal("more references than the count says");
    }
    if (count > edges && !(*entry(o) & EXPLAINED))
        n_unexplained++;
}
size_t trace_verify(void) {
    heap_sweep_finish();
    heap_verify();
    no_memory = false;
    n_unexplained = 0;
    heap_each_page(table_make, NULL);
    if (!no_memory) {
        heap_each(check_object, NULL);
        tracer_visit_roots(check_edge, NULL);
        conservative_each(explain);
        heap_each(check_count, NULL);
    }
    heap_each_page(table_free, NULL);
    return n_unexplained;
}

/* Inside the tracer: what tracer.c and a collector (trace_cycle.c, trace_marksweep.c) share. The world is stopped
 * throughout. */
#ifndef POLYGIL_TRACER_IMPL_H
#define POLYGIL_TRACER_IMPL_H

#include "heap.h"
#include "mark.h"
#include "object/shape.h"
#include "tracer.h"

static ALWAYS_INLINE bool is_live(const Object *o) {
    return !heap_owns(o) || heap_is_marked(o);
}
/* Calls fn for every object that a word of a C stack or a saved register may mean. */
void conservative_each(void (*fn)(Object *o));
/* at: the word's address. */
void conservative_each_at(void (*fn)(Object *o, uintptr_t at));

/* Marks what precise roots lead to; counts are merged, and what was retired is freed. */
void tracer_mark_roots(void);
/* Marks what roots and stack words lead to, for questions. */
void tracer_mark_live(void);

/* gc_watch was called: prints the path. Marks are lost. */
extern bool gc_watched;
void gc_explain(void);

/* ---- the collector's part ---- */
/* After marking from the precise roots: marks everything else that must live. False: cannot (no memory), nothing is
 * freed. */
bool collector_finish_marking(void);
/* Frees what is not marked; lazily: cells may go later, if that is worth it. Returns the bytes in use afterwards, or
 * about that. */
size_t collector_free_dead(bool lazily);
/* What is freed before a class still asks it how, so classes go behind their instances: everything else, ordinary
 * classes, classes of classes whose own class is not built in, the other classes of classes. */
enum { ROUND_OTHERS, ROUND_CLASSES, ROUND_METACLASSES, ROUND_ROOT_METACLASSES, ROUNDS };
static ALWAYS_INLINE int round_of(Object *o) {
    Type *cls = v_shape(V_OF(o))->type;
    if (LIKELY(!(cls->flags & TF_TYPE)))
        return ROUND_OTHERS;
    if (!(((Type *)o)->flags & TF_TYPE))
        return ROUND_CLASSES;
    return cls->flags & TF_HEAP ? ROUND_METACLASSES : ROUND_ROOT_METACLASSES;
}
/* Objects with finalizers and classes among the dead are looked for on every page, or where the heap's notes say. */
extern size_t n_dead_classes;
/* Bytes of growth until the next collection. */
size_t collector_trigger(size_t live_bytes);

#endif

/* Inside the tracer: what tracer.c and a collector (trace_cycle.c, trace_marksweep.c) share. The world is stopped throughout. */
#ifndef POLYGIL_TRACER_IMPL_H
#define POLYGIL_TRACER_IMPL_H

#include "heap.h"
#include "object/shape.h"
#include "tracer.h"

/* ---- marking (tracer.c) ---- */
void mark_push(Object *o);                /* marks it and queues it for scanning; idempotent */
void mark_value(Value v, void *unused);   /* a VisitFn: immediates and static objects are passed over */
void mark_drain(void);                    /* scans until nothing is queued */
static ALWAYS_INLINE bool is_live(const Object *o) { return !heap_owns(o) || heap_is_marked(o); }
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
/* After marking from the precise roots: marks everything else that must live. False: cannot (no memory), nothing is freed. */
bool collector_finish_marking(void);
/* Frees what is not marked. Returns the number of objects. */
size_t collector_free_dead(void);
/* Bytes of growth until the next collection. */
size_t collector_trigger(size_t live_bytes);

#endif

/* The tracer: finds what nothing refers to. One for both collectors; what they do with it differs (trace_cycle.c,
 * trace_marksweep.c).
 *
 * Roots, precise: every thread's record and frames to their depth, registered handles and root functions (modules,
 * static types, intern tables ...). Roots, conservative: every word of the C stacks and registers of stopped and
 * detached threads.
 */
#ifndef POLYGIL_TRACER_H
#define POLYGIL_TRACER_H

#include "backend/ref.h"
#include "object/type.h"

/* A global C variable that holds a reference; *r may change. Unregistering needs the same address. */
void handle_register(Ref *r);
void handle_unregister(Ref *r);
/* fn calls visit for every Value that its part of the VM holds outside the heap. World stopped; must not allocate. */
void trace_register_roots(void (*fn)(VisitFn visit, void *arg));
/* fn drops entries of weak tables whose objects are not alive(v) any more. Called after marking, world stopped. Must
 * not allocate. */
void trace_register_weak(void (*fn)(bool (*alive)(Value v)));
/* interp/: the frames of a thread, registers to their depth, code and functions of the frames included. */
void interp_visit_roots(Thread *t, VisitFn visit, void *arg);

/* What is registered: global variables and what the root functions hold. */
void tracer_visit_globals(VisitFn visit, void *arg);
/* Every precise root, the threads' included. */
void tracer_visit_roots(VisitFn visit, void *arg);

int tracer_init(void);

/* generation: the gc module's number, for its statistics; or GC_AUTOMATIC: finalized objects wait for the next
 * collection. Attached, in no section: collects, runs finalizers and weak references' callbacks. Number of unreachable
 * objects found. */
intptr_t trace_collect(int generation);
/* At the heap's limit or without memory, attached and in no section: collects without running Python code. */
void trace_emergency(Thread *t);
/* Overwrites the C stack below the caller: the frames of what it calls next hold no words that earlier calls left. */
void clean_stack(void);
/* The slow poll for POLL_COLLECT. */
int trace_poll(Thread *t);

/* Number of references to v: its count, or where there is none (or it is uncounted) what a trace finds: fields of
 * objects, registers of frames, handles. Stops the world. */
intptr_t gc_refcount(Value v);

/* Set by the gc module: before and after an automatic collection. */
extern void (*gc_callback)(bool start, int generation, size_t collected);

/* State of the gc module. */
enum { GC_AUTOMATIC = -1, GC_SAVEALL = 32 };
/* Moves what DEBUG_SAVEALL kept to a list. */
void gc_take_saved(Value list);
typedef struct GcState {
    _Atomic(bool) enabled;
    uint32_t threshold[3];
    uint64_t collections[3], collected[3], uncollectable[3];
    size_t live_after; /* bytes after the last collection */
    uint32_t debug;
} GcState;
extern GcState gc_state;
/* Bytes of growth that one step of threshold 0 stands for under TRACE cycle. */
enum { GC_THRESHOLD_UNIT = 8192 };
void trace_threshold_changed(void);

/* All objects with references, owned, as a list; referrers and referents of the values in a tuple. */
Value gc_objects(void);
Value gc_referrers(Value tuple);
Value gc_referents(Value tuple);
bool gc_is_tracked(Value v);

/* Aborts when the heap is inconsistent; for debug builds, after a collection, and tests. World stopped. Returns the
 * number of objects with a count that neither fields, roots nor a stack word explain. */
size_t trace_verify(void);
/* A weak reference, or ABSENT: each collection prints to stderr the path from a root to its target, for finding what
 * keeps an object. */
void gc_watch(Value weak);
/* At exit, after a collection: a line on stderr for each type with objects that neither a root nor another object
 * refers to and whose count is above zero all the same: somebody forgot to release them. Returns their number; 0
 * without counts. */
size_t trace_report_leaks(void);

#endif

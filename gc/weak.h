/* The weak reference table: from an object to the weak references to it. In shards, each under a mutex of RANK_TABLE;
 * weak reference objects are linked into it without being counted.
 *
 * A reference's `target` is not counted either. It is emptied, under the shard's mutex, before the object can be
 * finalized or freed, and read under the mutex together with an attempt to take a count: so weak_get gives a living
 * object or nothing.
 */
#ifndef POLYGIL_WEAK_H
#define POLYGIL_WEAK_H

#include "object/type.h"

typedef struct WeakRef {
    Object hdr;
    Ref callback;          /* ABSENT: none */
    _Atomic(Value) target; /* ABSENT: dead */
    bool shared;
    _Atomic(int64_t) hash;       /* of the target once it was asked for; -1: not yet */
    struct WeakRef *next, *prev; /* references to the same object, newest first, but the shared one without callback */
} WeakRef;

/* Links a fresh reference; the caller holds target. shared: the one without callback of its class, kept before the
 * others; front: before all. -1 without memory (nothing pending). */
int weak_link(WeakRef *w, Value target, bool shared, bool front);
/* The shared reference of exactly this type to target: owned, or NULL. */
WeakRef *weak_find_plain(Value target, Type *t);
void weak_unlink(WeakRef *w);
/* The target, owned, or ABSENT. */
Value weak_get(WeakRef *w);
/* The newest reference to target: owned, or NULL. */
WeakRef *weak_first(Value target);
intptr_t weak_count(Value target);
/* All of them as a list. ABSENT with exception. */
Value weak_list(Value target);

/* o is dying: empties the references to it, then calls the callbacks. Runs Python code. */
void weak_clear(Object *o);
/* World stopped: empties the references to objects that are not alive; callbacks of living references wait for
 * weak_run_callbacks. */
void weak_clear_dead(bool (*alive)(const Object *o));
/* Roots: references whose callbacks wait. */
void weak_visit_pending(VisitFn visit, void *arg);
bool weak_any_pending(void);
/* Attached, in no section. True when there were any. */
bool weak_run_callbacks(void);

#endif

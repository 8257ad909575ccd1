/* Publication: an object belongs to its thread alone until a reference to it is stored where another thread may find
 * it.
 *
 * Invariant: what a shared object (OF_SHARED) refers to is shared, and so is what a global variable or a weak reference
 * refers to. A thread's registers, C stack and record may refer to private objects of that thread. So a private object
 * can be reached by one thread only, and nothing it does with it needs a lock: sections of private objects are elided
 * (excl_objlock.h), and what they drop is freed at once.
 *
 * The store marks: ref_written (ref.h) publishes a value, and all it leads to, before it becomes visible in a shared
 * holder. An object is marked once in its life and never goes back. Before the first thread starts nothing is shared;
 * then everything that exists is. In a stopped world another thread's private objects may be reached too: who keeps one
 * publishes it there.
 *
 * Source: Domani, Goldshtein, Kolodner, Lewis, Petrank, Sheinwald: "Thread-Local Heaps for Java", ISMM 2002. */
#ifndef POLYGIL_PUBLISH_H
#define POLYGIL_PUBLISH_H

#include "backend/header.h"

/* Marks o and everything private that it leads to; o's own thread, or in a stopped world. Runs no code, takes no lock.
 * Needs memory of its own for a long chain of objects, and ends the process without. */
void publish_object(Object *o);
/* Everything that exists: the process is about to have its first other thread. World stopped. */
void publish_all(void);
/* World stopped, debug builds: aborts when a shared object or a global variable leads to a private one. */
void publish_verify(void);

static ALWAYS_INLINE bool obj_is_shared(Value v) {
    return EXCL_PARALLEL && obj_has_flag(v_obj(v), OF_SHARED);
}

/* No thread but this one reaches v, until it publishes it: fields are stored without section and publication
 * (ref_swap_private). */
static ALWAYS_INLINE bool obj_is_private(Value v) {
    return LIKELY(!obj_is_shared(v));
}

extern bool publishing; /* there has been another thread. Changes in a stopped world */

/* v is about to be reachable for other threads by a way that is no store into an object: a global variable, a thread's
 * argument, a weak reference. */
static ALWAYS_INLINE void publish(Value v) {
    if (EXCL_PARALLEL && publishing && v_is_obj(v) && !obj_is_shared(v))
        publish_object(v_obj(v));
}
/* v is about to be stored into holder. */
static ALWAYS_INLINE void publish_into(Value holder, Value v) {
    if (EXCL_PARALLEL && v_is_obj(v) && obj_is_shared(holder) && !obj_is_shared(v))
        publish_object(v_obj(v));
}

#endif

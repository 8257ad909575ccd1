/* The chosen policies, in the order in which they may use each other. See contract.md. */
#ifndef POLYGIL_BACKEND_H
#define POLYGIL_BACKEND_H

#include "backend/header.h"
#include "runtime/thread.h"

#define READS_LOCK_FREE (!EXCL_PARALLEL || RETIRE_DEFERS)
#define STORES_NEED_LOCK (EXCL_PARALLEL && COUNT_EXACT)

#include RETIRE_HEADER
#include TRACE_HEADER
#include EXCL_HEADER
#include COUNT_HEADER

/* Every count policy gives count_drop: true when the object is dead now, and the caller's to destroy. */
static ALWAYS_INLINE void count_release(Object *o) {
    if (UNLIKELY(count_drop(o)))
        dead_object(o);
}
/* An object outside the heap, or one that lives as long as the process and is reachable from a root. Before
 * publication. */
static ALWAYS_INLINE void obj_set_immortal(Object *o) {
    count_set_uncounted(o);
    obj_set_flag(o, OF_IMMORTAL | OF_SHARED);
}
/* Where nothing may be destroyed: it waits for the next safepoint. */
static ALWAYS_INLINE void release_later(Object *o) {
    if (UNLIKELY(count_drop(o)))
        dead_push(o);
}

_Static_assert(COUNT_LAYOUT != COUNT_LAYOUT_PACKED || !EXCL_PARALLEL, "a packed count is sound under one lock only");
_Static_assert(!(EXCL_PARALLEL && COUNT_BIASED) || RETIRE_DEFERS,
               "lock-free readers of shared objects need a RETIRE that defers");

#endif

/* The order in which locks are taken: a thread may acquire only a rank above every rank it holds. Checked at
 * POLYGIL_ASSERT >= 1.
 *
 * Object locks (RANK_SECTION) nest among themselves because waiting for one suspends the others. A thread holding a
 * rank above RANK_SECTION neither polls, attaches, detaches nor enters a section. */
#ifndef POLYGIL_RANK_H
#define POLYGIL_RANK_H

#include "base/base.h"

typedef enum Rank {
    RANK_NONE,    /* not ordered: held across blocking calls, taken with mutex_lock_detached (streams, imports) */
    RANK_STOP,    /* the right to stop the world */
    RANK_THREADS, /* the list of threads; held for the whole time the world is stopped */
    RANK_SECTION, /* object locks */
    RANK_TYPE,    /* types: method resolution, subclass lists, shapes' transitions */
    RANK_MODULE,  /* tables of C modules */
    RANK_TABLE,   /* intern table, weak reference table */
    RANK_LEAF,    /* short object locks: nothing is acquired, allocated or run under them */
    RANK_HEAP,    /* chunks and remote lists */
    RANK_RETIRE,  /* retired memory, owner slots and merge queues */
    RANK_QUEUE,   /* waiting queues: parking lot buckets, the GIL's queue */
    RANK_COUNT,
} Rank;

#if POLYGIL_ASSERT >= 1
extern _Thread_local uint32_t rank_held; /* bit r: holds a lock of rank r */
static ALWAYS_INLINE void rank_acquire(Rank r) {
    if (r == RANK_NONE)
        return;
    ASSERT((rank_held >> r) == 0 && "lock rank violated");
    rank_held |= 1u << r;
}
/* For a try-lock, which cannot deadlock. */
static ALWAYS_INLINE void rank_acquired(Rank r) {
    if (r != RANK_NONE)
        rank_held |= 1u << r;
}
static ALWAYS_INLINE void rank_release(Rank r) {
    if (r == RANK_NONE)
        return;
    ASSERT(rank_held & (1u << r));
    rank_held &= ~(1u << r);
}
/* No lock of rank r or above is held. */
static ALWAYS_INLINE bool rank_below(Rank r) {
    return (rank_held >> r) == 0;
}
#else
static ALWAYS_INLINE void rank_acquire(Rank r) {}
static ALWAYS_INLINE void rank_acquired(Rank r) {}
static ALWAYS_INLINE void rank_release(Rank r) {}
static ALWAYS_INLINE bool rank_below(Rank r) {
    return true;
}
#endif

#endif

/* EXCL gil: the words that one lock for everything adds to an object (none) and to a thread. */
#ifndef POLYGIL_EXCL_GIL_TYPES_H
#define POLYGIL_EXCL_GIL_TYPES_H

#include "backend/value.h"

#define EXCL_PARALLEL 0
#define EXCL_HAS_OBJECT_LOCK 0

typedef struct ExclCs {
    char nothing;
} ExclCs;

typedef struct ExclThread {
    _Atomic(uint32_t) state; /* THREAD_DETACHED, THREAD_ATTACHED: for the statistics and the asserts */
    int32_t depth;           /* sections entered */
    int32_t ticks;           /* policy tick: safepoints left before the lock is given up */
    bool forced;             /* policy priority: it gave the lock up because it was asked, not to block */
} ExclThread;

#endif

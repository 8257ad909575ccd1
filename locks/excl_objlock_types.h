/* EXCL objlock: a lock byte in every object, a state word and a chain of sections in every thread. */
#ifndef POLYGIL_EXCL_OBJLOCK_TYPES_H
#define POLYGIL_EXCL_OBJLOCK_TYPES_H

#include "backend/value.h"

#define EXCL_PARALLEL 1
#define EXCL_HAS_OBJECT_LOCK 1

typedef struct Retainer Retainer;

/* A critical section: one or two objects locked, or none (elided: one thread, or already held further out: both NULL).
 */
typedef struct ExclCs {
    void *a, *b;         /* ObjLocks */
    struct ExclCs *prev; /* the section outside it */
#if POLYGIL_ASSERT >= 1
    Value alone;               /* the private object of an elided section, or ABSENT */
    struct ExclCs *alone_prev; /* the elided section outside it */
#endif
    bool suspended; /* parking or detaching released it; taken again when it is the innermost and its thread is attached
                     */
} ExclCs;

typedef struct ExclThread {
    _Atomic(uint32_t) state; /* THREAD_DETACHED, THREAD_ATTACHED, THREAD_STOPPED, THREAD_CLAIMED */
    void *wants;             /* the object lock that it waits for, or was handed and has not begun to use; for fork */
    ExclCs *cs;              /* innermost section, NULL outside all */
    bool leaf_elided;        /* striped locks: the leaf lock taken is one that a section of this thread holds */
#if POLYGIL_ASSERT >= 1
    ExclCs *alone; /* innermost elided section: its object must not be published before it ends */
#endif
    _Atomic(Retainer *) retainer; /* see retain.h, for what follows too */
    int32_t retain_left;          /* sections before the next look at the clock */
    int32_t retain_sparse;        /* looks in a row that found its sections far apart */
    int32_t hot_times;            /* contended acquisitions of hot in a row, the last at hot_at */
    const void *hot;
    _Atomic(int64_t) retain_since; /* the batch began; others read it */
    int64_t hot_at, retain_checked, retain_not_before;
    int64_t ask_ns;   /* it waits for a lock: how long until it next asks who retains that */
    const void *last; /* the lock of the last section, in_a_row sections before it too */
    int32_t in_a_row;
    bool alerted;   /* who waits for the retained lock knows that its turn is near */
    bool reserved;  /* the retained lock was reserved: nobody had waited for it */
    bool row_timed; /* row_began and row_retain_left, retain_left then, are of this row */
    int32_t row_retain_left;
    int64_t row_began, reserve_not_before, reserve_pause;
    /* Without a lock, before the next look at who else stores into stores_on; the last look was at stores_at. */
    int32_t stores_left;
    const void *stores_on;
    int64_t stores_at;
    int32_t depth; /* sections entered, elided ones and leaf locks too */
} ExclThread;

#endif

/* The GIL: one lock whose queue discipline and moments of giving it up are a policy's (locks/gil_interval.c,
 * gil_tick.c, gil_fair.c, gil_priority.c; option POLYGIL_GIL_POLICY).
 *
 * The lock: a word (held or not) and a queue of waiters under a low-level lock. Release either frees the word and wakes
 * the first waiter, which then competes (barging), or hands the lock to it; which one, and who is first, the policy
 * says. */
#ifndef POLYGIL_GIL_H
#define POLYGIL_GIL_H

#include "rank.h"
#include "runtime/safepoint.h"
#include "runtime/thread.h"

#ifndef GIL_TICKS
#define GIL_TICKS 0 /* policy tick: 100, safepoints between two releases */
#endif

/* What a policy decides. */
typedef enum GilQueue { GIL_QUEUE_TAIL, GIL_QUEUE_URGENT } GilQueue;
typedef struct GilPolicy {
    const char *name;
    bool handoff_on_detach; /* a thread that leaves to block hands the lock to the first waiter; else it frees it and
                               wakes one */
    bool handoff_on_drop;   /* the same for one that was asked: the forced switch */
    GilQueue (*queue)(const Thread *t);      /* where a waiter queues */
    int64_t (*patience_ns)(const Thread *t); /* how long it waits before it asks for a drop; -1: never asks */
} GilPolicy;
extern const GilPolicy gil_policy;

void gil_acquire(Thread *t);
void gil_release(Thread *t);
/* Slow poll: gives the lock up and takes it again when somebody waits for it; to the first waiter whatever the policy
 * says, if force. */
void gil_yield(Thread *t, bool force);
bool gil_held_by(const Thread *t);
void gil_after_fork_child(Thread *t);

#endif

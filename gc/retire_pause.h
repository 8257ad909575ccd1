/* RETIRE pause: see retire_pause_types.h. The contract is core/backend/contract.md's. */
#ifndef POLYGIL_RETIRE_PAUSE_H
#define POLYGIL_RETIRE_PAUSE_H

#include "runtime/thread.h"

void retire_free(uintptr_t item);

void retire_mem(void *block);
/* An object without references, after its ops->clear; ops->fini runs when it is freed. */
void retire_object(Object *o);
/* +1, -1: what the thread retires in between is out of every reader's reach already (ops->fini), and freed at once. */
static ALWAYS_INLINE void retire_freeing(Thread *t, int delta) {
    t->retire.local.freeing += delta;
}
/* The calling thread, attached, holds no pointer it got without a lock. */
void retire_quiescent(Thread *t);
void retire_attach(Thread *t);
void retire_detach(Thread *t);
/* A point in time, and whether every reader of that time has passed a quiescent state since: for pages. */
uint64_t retire_stamp(void);
bool retire_passed(uint64_t stamp);
int retire_thread_init(Thread *t);
void retire_thread_fini(Thread *t);
void retire_after_fork_child(void);
/* The world is stopped: everything waiting is freed. */
void retire_flush_stopped(void);

#endif

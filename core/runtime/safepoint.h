/* Safepoints: where a thread stops for others, and what it does for itself before it goes on. The EXCL policies' inline
 * functions lead here. */
#ifndef POLYGIL_SAFEPOINT_H
#define POLYGIL_SAFEPOINT_H

#include "runtime/sched.h"
#include "runtime/thread.h"

/* Behind excl_poll, with reasons in t->poll. May run Python code (signal handlers, finalizers), collect, wait. 0, or -1
 * with an exception. */
int safepoint_slow(Thread *t);
/* Behind excl_attach and excl_detach, in locks/excl_*.c; the latter publishes the stack. errno is preserved. */
void excl_attach_out(Thread *t);
void excl_detach_out(Thread *t);
/* POLL_MERGE alone, before a thread detaches. May run finalizers; the pending exception is kept. */
void safepoint_merge(Thread *t);
/* In locks/excl_*.c: the reasons for a slow poll that are the policy's own (stop, drop). Called with the stack
 * published. */
void excl_safepoint(Thread *t, uint32_t bits);
/* All other threads are parked or detached when it returns. The caller is attached; not nested. Sections stay as they
 * are: who stops the world takes no object lock before it starts it again. */
void excl_stop_world(void);
void excl_start_world(void);
bool excl_world_stopped(void); /* by the calling thread */
/* Lets another thread run, if one waits; attached, in no section. */
void excl_yield(Thread *t);
/* Works on the record of a detached thread in its place: true, and t cannot attach before excl_unclaim. Short, nothing
 * waits inside. The caller keeps the record from being freed. */
bool excl_claim(Thread *t);
void excl_unclaim(Thread *t);
/* In a forked child: t's OS thread does not exist. */
void excl_thread_vanished(Thread *t);
/* The world's state in a forked child, where the caller is the only thread. */
void excl_after_fork_child(Thread *t);
void excl_thread_init(Thread *t); /* detached */
void excl_thread_fini(Thread *t); /* the caller's record, with the list locked: it detaches for good */

/* sys.setswitchinterval: how long a waiter for the one lock leaves its holder alone; and an object lock's, where that
 * is retained (locks/retain.h). */
extern _Atomic(int64_t) gil_interval_ns;

/* Pending calls: fn(arg) runs in the main thread at its next safepoint; -1 when the queue (32) is full. fn returns 0,
 * or -1 with an exception. */
int safepoint_add_pending(int (*fn)(void *), void *arg);
/* Runs in the main thread's slow poll when POLL_SIGNAL is set: runtime/signal.c. 0 or -1. */
int signal_run_handlers(void);

/* Hooks of other parts, set once at start-up: run by the slow poll for their bit, in the order of the bits. 0 or -1. */
typedef int (*SafepointHook)(Thread *);
void safepoint_hook(uint32_t bit, SafepointHook fn);

#endif

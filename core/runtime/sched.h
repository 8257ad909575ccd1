/* SCHED_POINT(kind, address): the hook at safepoints, lock operations, count operations on shared objects, allocation,
 * thread start and end. Nothing unless POLYGIL_SCHED; with it and POLYGIL_SCHED=random:SEED (pct:SEED[:DEPTH],
 * dfs:FILE[:BOUND]) in the environment, all threads run one at a time and the seeded scheduler chooses at every point
 * who goes on, so that a run can be repeated.
 *
 * Invariant: nothing in the VM waits where this hook cannot see it. All waiting goes through the parker
 * (locks/parker.h), which calls sched_wait; what blocks outside (system calls) is detached and calls sched_leave and
 * sched_join. */
#ifndef POLYGIL_SCHED_H
#define POLYGIL_SCHED_H

#include "base/base.h"

typedef enum SchedKind {
    SCHED_SAFEPOINT,
    SCHED_LOCK,
    SCHED_UNLOCK,
    SCHED_COUNT,
    SCHED_ALLOC,
    SCHED_THREAD_START,
    SCHED_THREAD_END,
    SCHED_ATTACH,
    SCHED_DETACH,
    SCHED_MISC,
} SchedKind;

#ifndef POLYGIL_SCHED
#define POLYGIL_SCHED 0
#endif

#if POLYGIL_SCHED
extern bool sched_on; /* set once, before the second thread */
void sched_point_slow(SchedKind kind, const void *addr);
#define SCHED_POINT(kind, addr)                             \
    do {                                                    \
        if (sched_on)                                       \
            sched_point_slow((kind), (const void *)(addr)); \
    } while (0)
#else
#define sched_on false
#define SCHED_POINT(kind, addr) ((void)0)
#endif

#if POLYGIL_SCHED
/* All below do nothing when !sched_on. Called from thread.c, parker.c, locks/excl_*.c alone. */
void sched_init(void);         /* reads the environment; the caller is the first thread */
void sched_thread_begin(void); /* a new OS thread; returns when it is chosen */
void sched_thread_end(void);
void sched_spawn(void); /* the caller is about to create a thread: a sched_thread_begin will follow */
void sched_spawn_failed(void);
void sched_leave(void); /* may block in a system call from here on */
void sched_join(void);  /* returns when chosen */
void sched_after_fork_child(void);
/* Waits until *word != seen (true; may be spurious), or deadline_ns (-1: none) in virtual time (false). */
bool sched_wait(_Atomic(uint32_t) *word, uint32_t seen, int64_t deadline_ns);
void sched_wake(_Atomic(uint32_t) *word); /* the word has changed; callable from a signal handler */
/* Nanoseconds of virtual time: it passes with the points, with long system calls, and jumps when all wait. */
int64_t sched_now(void);
#else
static inline void sched_init(void) {}
static inline void sched_thread_begin(void) {}
static inline void sched_thread_end(void) {}
static inline void sched_spawn(void) {}
static inline void sched_spawn_failed(void) {}
static inline void sched_leave(void) {}
static inline void sched_join(void) {}
static inline void sched_after_fork_child(void) {}
static inline bool sched_wait(_Atomic(uint32_t) *word, uint32_t seen, int64_t deadline_ns) {
    return true;
}
static inline void sched_wake(_Atomic(uint32_t) *word) {}
static inline int64_t sched_now(void) {
    return 0;
}
#endif

#endif

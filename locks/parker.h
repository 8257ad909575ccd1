/* Parker: how an OS thread sleeps until another wakes it. One per OS thread; everything that waits in the VM waits
 * here.
 *
 * A wake is remembered: parker_wait returns at once if parker_wake came first. Wakes may be spurious, so the caller
 * tests its own condition. Parkers live in type-stable memory: waking one whose thread has ended does no harm.
 * parker_wake is safe in a signal handler.
 *
 * LowLock: a word that sleeps in the kernel, for the queues under all other waiting (rank RANK_QUEUE). */
#ifndef POLYGIL_PARKER_H
#define POLYGIL_PARKER_H

#include "rank.h"
#include "runtime/sched.h"

typedef struct Parker {
    _Atomic(uint32_t) word; /* 1: woken */
    struct Parker *next;    /* free list */
} Parker;

extern _Thread_local Parker *parker_mine;
Parker *parker_self(void);    /* of the calling thread; never fails (aborts when memory is out) */
void parker_thread_end(void); /* the thread waits no more */
/* In a forked child: a thread that is gone may have held the pool's lock. */
void parker_after_fork_child(void);
/* Waits for a wake; false when deadline_ns (now_ns() time; -1: none) has passed. Not inside a LowLock. */
bool parker_wait(Parker *p, int64_t deadline_ns);
void parker_wake(Parker *p);
/* Passes up to ns nanoseconds awake, as long as no wake is remembered. */
void parker_spin(Parker *p, int64_t ns);

int64_t now_ns(void); /* CLOCK_MONOTONIC; virtual under the seeded scheduler */
static ALWAYS_INLINE int64_t deadline_in(int64_t ns) {
    int64_t now = now_ns();
    return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}

typedef struct LowLock {
    _Atomic(uint32_t) word; /* 0 free, 1 held, 2 held and somebody sleeps */
} LowLock;
void lowlock_lock_slow(LowLock *l);
void lowlock_wake(LowLock *l);
static ALWAYS_INLINE void lowlock_lock(LowLock *l) {
    rank_acquire(RANK_QUEUE);
    uint32_t seen = 0;
    /* acquire: pairs with lowlock_unlock */
    if (UNLIKELY(
            !atomic_compare_exchange_strong_explicit(&l->word, &seen, 1, memory_order_acquire, memory_order_relaxed)))
        lowlock_lock_slow(l);
}
static ALWAYS_INLINE void lowlock_unlock(LowLock *l) {
    rank_release(RANK_QUEUE);
    if (UNLIKELY(atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2))
        lowlock_wake(l);
}

/* Passes about ns nanoseconds without touching memory that others write. */
void spin_for(int64_t ns);
static ALWAYS_INLINE void cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

#endif

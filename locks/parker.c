#include "parker.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if POLYGIL_ASSERT >= 1
_Thread_local uint32_t rank_held;
#endif

_Thread_local Parker *parker_mine;
static LowLock pool_lock;
static Parker *pool;

/* The kernel reads the word itself: the atomics around the call order memory. */
static int futex(_Atomic(uint32_t) *word, int op, uint32_t val, const struct timespec *timeout) {
    return (int)syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, val, timeout, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int64_t real_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t now_ns(void) {
    return sched_on ? sched_now() : real_now_ns();
}

Parker *parker_self(void) {
    if (LIKELY(parker_mine != NULL))
        return parker_mine;
    lowlock_lock(&pool_lock);
    Parker *p = pool;
    if (p != NULL)
        pool = p->next;
    lowlock_unlock(&pool_lock);
    if (p == NULL) {
        p = aligned_alloc(CACHE_LINE, CACHE_LINE); /* never freed: see the header */
        if (p == NULL)
            fatal("out of memory");
        atomic_init(&p->word, 0);
    }
    STORE_RELAXED(&p->word, 0);
    parker_mine = p;
    return p;
}

void parker_thread_end(void) {
    Parker *p = parker_mine;
    if (p == NULL)
        return;
    parker_mine = NULL;
    lowlock_lock(&pool_lock);
    p->next = pool;
    pool = p;
    lowlock_unlock(&pool_lock);
}

void parker_after_fork_child(void) {
    STORE_RELAXED(&pool_lock.word, 0);
}

bool parker_wait(Parker *p, int64_t deadline_ns) {
    ASSERT(rank_below(RANK_QUEUE));
    struct timespec ts;
    if (deadline_ns >= 0) {
        ts.tv_sec = deadline_ns / 1000000000;
        ts.tv_nsec = deadline_ns % 1000000000;
    }
    for (;;) {
        /* acquire: pairs with the release in parker_wake; what the waker wrote before is visible */
        if (atomic_exchange_explicit(&p->word, 0, memory_order_acq_rel) == 1)
            return true;
        if (sched_on) {
            if (!sched_wait(&p->word, 0, deadline_ns))
                return false;
            continue;
        }
        if (futex(&p->word, FUTEX_WAIT_BITSET, 0, deadline_ns >= 0 ? &ts : NULL) < 0 && errno == ETIMEDOUT)
            return atomic_exchange_explicit(&p->word, 0, memory_order_acq_rel) == 1;
    }
}

void parker_wake(Parker *p) {
    if (atomic_exchange_explicit(&p->word, 1, memory_order_acq_rel) == 1)
        return;
    if (sched_on)
        sched_wake(&p->word);
    else
        futex(&p->word, FUTEX_WAKE, 1, NULL);
}

void parker_spin(Parker *p, int64_t ns) {
    int64_t end = real_now_ns() + ns;
    do {
        for (int i = 0; i < 8 && LOAD_RELAXED(&p->word) == 0; i++)
            cpu_relax();
    } while (LOAD_RELAXED(&p->word) == 0 && real_now_ns() < end);
}

void lowlock_lock_slow(LowLock *l) {
    for (int i = 0; i < 50; i++) {
        cpu_relax();
        uint32_t seen = 0;
        if (LOAD_RELAXED(&l->word) == 0 &&
            atomic_compare_exchange_strong_explicit(&l->word, &seen, 1, memory_order_acquire, memory_order_relaxed))
            return;
    }
    while (atomic_exchange_explicit(&l->word, 2, memory_order_acquire) != 0)
        futex(&l->word, FUTEX_WAIT_BITSET, 2, NULL);
}

void lowlock_wake(LowLock *l) {
    futex(&l->word, FUTEX_WAKE, 1, NULL);
}

void spin_for(int64_t ns) {
    int64_t end = real_now_ns() + ns;
    do {
        for (int i = 0; i < 8; i++)
            cpu_relax();
    } while (real_now_ns() < end);
}

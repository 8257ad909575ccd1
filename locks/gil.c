#include "gil.h"

#include "parker.h"
#include "runtime/safepoint.h"
#include "stats.h"

/* Word: 0 free, 1 held, 2 held and somebody queues. 1 -> 0 needs no queue lock; every other change that looks at the
 * queue holds it. holder is set by whoever takes the lock; read under the queue's lock by a waiter that asks for a
 * drop: the holder then cannot get away, since its release finds 2 and needs the queue's lock. */
enum { WAITING, COMPETE, HANDED };

typedef struct Waiter {
    struct Waiter *next;
    Thread *thread;
    Parker *parker;
    _Atomic(uint32_t) verdict;
} Waiter;

static _Atomic(uint32_t) word;
static _Atomic(Thread *) holder;
static _Atomic(uint64_t) switches; /* changes of hands */
static Thread *last_holder;        /* under the lock itself; compared, never followed */
static LowLock queue_lock;
static Waiter *heads[2], *tails[2]; /* GIL_QUEUE_TAIL, GIL_QUEUE_URGENT */

static bool queue_empty(void) {
    return heads[GIL_QUEUE_TAIL] == NULL && heads[GIL_QUEUE_URGENT] == NULL;
}

static void push(Waiter *w, GilQueue q, bool front) {
    if (front || heads[q] == NULL) {
        w->next = heads[q];
        heads[q] = w;
        if (w->next == NULL)
            tails[q] = w;
    } else {
        w->next = NULL;
        tails[q]->next = w;
        tails[q] = w;
    }
}

static Waiter *pop(void) {
    GilQueue q = heads[GIL_QUEUE_URGENT] != NULL ? GIL_QUEUE_URGENT : GIL_QUEUE_TAIL;
    Waiter *w = heads[q];
    if (w != NULL) {
        heads[q] = w->next;
        if (w->next == NULL)
            tails[q] = NULL;
    }
    return w;
}

/* The lock is the calling thread's, or has just been handed to t. */
static void taken(Thread *t) {
    STORE_RELAXED(&holder, t);
    STAT_HOT_INC(gil_acquires);
    if (last_holder != t) {
        last_holder = t;
        STORE_RELAXED(&switches, LOAD_RELAXED(&switches) + 1);
        STAT_ADD(gil_switches, 1);
    }
    if (UNLIKELY(LOAD_RELAXED(&t->poll) & POLL_GIL_DROP))
        atomic_fetch_and_explicit(&t->poll, ~(uint32_t)POLL_GIL_DROP, memory_order_relaxed);
}

static bool try_take(uint32_t to) {
    uint32_t seen = 0;
    /* acquire: pairs with the release in gil_release */
    return atomic_compare_exchange_strong_explicit(&word, &seen, to, memory_order_acquire, memory_order_relaxed);
}

static NOINLINE void acquire_slow(Thread *t) {
    Waiter w = {.thread = t, .parker = parker_self()};
    GilQueue q = gil_policy.queue(t);
    STAT_ADD(gil_waits, 1);
    bool first = true;
    for (;;) {
        lowlock_lock(&queue_lock);
        /* A woken waiter takes it before newcomers only if it is quicker: barging, unless the policy hands over. */
        if ((!first || queue_empty() || !gil_policy.handoff_on_detach) && try_take(queue_empty() ? 1 : 2)) {
            lowlock_unlock(&queue_lock);
            taken(t);
            return;
        }
        uint32_t one = 1;
        if (!atomic_compare_exchange_strong_explicit(&word, &one, 2, memory_order_relaxed, memory_order_relaxed) &&
            one == 0) {
            lowlock_unlock(&queue_lock);
            first = false; /* it was freed meanwhile: nobody would wake us */
            continue;
        }
        STORE_RELAXED(&w.verdict, WAITING);
        push(&w, q, !first);
        lowlock_unlock(&queue_lock);
        first = false;
        for (;;) {
            uint64_t seen_switches = LOAD_RELAXED(&switches);
            int64_t patience = gil_policy.patience_ns(t);
            bool in_time = parker_wait(w.parker, patience < 0 ? -1 : deadline_in(patience));
            /* acquire: pairs with the release in pass_on; under HANDED the lock is ours */
            uint32_t verdict = LOAD_ACQUIRE(&w.verdict);
            if (verdict == HANDED)
                return;
            if (verdict == COMPETE)
                break;
            if (!in_time && LOAD_RELAXED(&switches) == seen_switches) {
                lowlock_lock(&queue_lock);
                Thread *h = LOAD_RELAXED(&holder);
                if (LOAD_ACQUIRE(&w.verdict) == WAITING && h != NULL && LOAD_RELAXED(&word) == 2)
                    atomic_fetch_or_explicit(&h->poll, POLL_GIL_DROP, memory_order_relaxed);
                lowlock_unlock(&queue_lock);
            }
        }
    }
}

/* Somebody may be queued: frees the lock and wakes the first, or makes it the holder. */
static NOINLINE void pass_on(bool handoff) {
    lowlock_lock(&queue_lock);
    Waiter *w = pop();
    Parker *p = NULL;
    if (w == NULL) {
        atomic_store_explicit(&word, 0, memory_order_release);
    } else {
        p = w->parker;
        if (handoff) {
            STORE_RELAXED(&word, queue_empty() ? 1 : 2);
            taken(w->thread);
            STORE_RELEASE(&w->verdict, HANDED);
        } else {
            atomic_store_explicit(&word, 0, memory_order_release);
            STORE_RELEASE(&w->verdict, COMPETE);
        }
    }
    lowlock_unlock(&queue_lock);
    if (p != NULL)
        parker_wake(p);
}

void gil_acquire(Thread *t) {
    SCHED_POINT(SCHED_LOCK, &word);
    if (LIKELY(try_take(1)))
        taken(t);
    else
        acquire_slow(t);
    t->excl.ticks = GIL_TICKS;
    t->excl.forced = false;
}

static void release_with(bool handoff) {
    STORE_RELAXED(&holder, NULL);
    uint32_t one = 1;
    /* release: pairs with try_take */
    if (!atomic_compare_exchange_strong_explicit(&word, &one, 0, memory_order_release, memory_order_relaxed))
        pass_on(handoff);
}

void gil_release(Thread *t) {
    ASSERT(gil_held_by(t));
    release_with(gil_policy.handoff_on_detach);
    SCHED_POINT(SCHED_UNLOCK, &word);
}

void gil_yield(Thread *t, bool force) {
    ASSERT(gil_held_by(t));
    if (LOAD_RELAXED(&word) != 2) {
        /* Nobody waits, or the waiter has just been served. */
        atomic_fetch_and_explicit(&t->poll, ~(uint32_t)POLL_GIL_DROP, memory_order_relaxed);
        t->excl.ticks = GIL_TICKS;
        return;
    }
    STAT_ADD(gil_drop_requests, 1);
    t->excl.forced = true;
    release_with(force || gil_policy.handoff_on_drop);
    gil_acquire(t);
}

bool gil_held_by(const Thread *t) {
    return LOAD_RELAXED(&word) != 0 && LOAD_RELAXED(&holder) == t;
}

void gil_after_fork_child(Thread *t) {
    atomic_init(&queue_lock.word, 0);
    heads[0] = heads[1] = tails[0] = tails[1] = NULL;
    STORE_RELAXED(&word, 1);
    STORE_RELAXED(&holder, t);
}

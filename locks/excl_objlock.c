#include "backend/backend.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "bytelock.h"
#include "stats.h"

/* ---- stopping the world ----
 *
 * state            DETACHED <-> ATTACHED by the thread itself; DETACHED -> STOPPED once per stop, by the stopper or by
 * the thread as it detaches, whoever's compare-and-swap wins, who then counts `pending` down; STOPPED -> DETACHED by
 * the stopper alone. DETACHED <-> CLAIMED by a third thread (excl_claim), which on giving it back does what a detaching
 * thread does.
 * number           The word's bits above the state count up whenever it becomes DETACHED. Who detaches helps with the
 * very word that it wrote: the poll bit it has read may be of a stop that has ended meanwhile, which then has moved the
 * word on.
 * Dekker           The stopper sets the poll bit, then tries the state; the detaching thread sets the
 * state, then reads the poll bit; all four sequentially consistent, so at least one of them sees the other's.
 * threads mutex    held by the stopper all the while: no record comes or goes. */

static Mutex stop_mutex = MUTEX_INIT(RANK_STOP);
static _Atomic(uint32_t) pending; /* attached threads that the stopper waits for */
static _Atomic(Thread *) stopper; /* who has stopped the world, or is about to */
static _Atomic(bool) elided_stop; /* it was alone: nothing was locked */

/* Who stops the world again and again lets it run for as long as it kept it stopped, where anybody waited: a thread
 * that wakes up otherwise finds the next stop. */
enum { STOP_DEBT_MAX_NS = 1000000 };
static _Atomic(uint32_t) waiting;     /* threads that wait for the end of a stop */
static _Atomic(int64_t) stop_debt_ns; /* written by who stops the world; began and ended too */
static _Atomic(int64_t) stop_began, stop_ended;

static void detach_state(Thread *t);
static void attach_state(Thread *t);

static bool holds(const Thread *t, const ObjLock *l) {
    for (ExclCs *c = t->excl.cs; c != NULL && !c->suspended; c = c->prev) {
        if (c->a == l || c->b == l)
            return true;
    }
    return false;
}
/* A section may be open. */
static void let_go_idle(Thread *t) {
    const ObjLock *l = retain_which(t);
    if (l != NULL && !holds(t, l))
        retain_let_go(t);
}

static void count_down(void) {
    /* acq_rel: what the stopped threads wrote is visible to the stopper, which reads 0 with acquire */
    if (atomic_fetch_sub_explicit(&pending, 1, memory_order_acq_rel) == 1)
        parking_unpark_all(&pending, 0);
}

static uint32_t state_of(uint32_t word) {
    return word & THREAD_STATE_MASK;
}
static uint32_t with_state(uint32_t word, uint32_t state) {
    return (word & ~(uint32_t)THREAD_STATE_MASK) | state;
}
/* What the caller, who alone may change t's state now, makes it when it becomes detached. */
static uint32_t next_detached(Thread *t) {
    return with_state(LOAD_RELAXED(&t->excl.state), THREAD_DETACHED) + THREAD_STATE_STEP;
}

/* t is detached and its state was `word`: if it still is, t counts as stopped. Returns false with the word that is
 * there. */
static bool help_stop(Thread *t, uint32_t *word) {
    if (!atomic_compare_exchange_strong(&t->excl.state, word, with_state(*word, THREAD_STOPPED)))
        return false;
    count_down();
    return true;
}

/* By who stops the world. */
static void stop_detached(Thread *t) {
    uint32_t word = atomic_load(&t->excl.state);
    while (state_of(word) == THREAD_DETACHED && !help_stop(t, &word))
        continue;
}

/* The caller has made t's state `word`, a detached one. */
static void help_if_stopping(Thread *t, uint32_t word) {
    if (UNLIKELY(atomic_load(&t->poll) & POLL_STOP))
        help_stop(t, &word);
}

static bool still_pending(void *arg) {
    return atomic_load(&pending) != 0;
}

static void wait_pending(void) {
    if (!sched_on) {
        for (int i = 0; i < 20 && LOAD_ACQUIRE(&pending) != 0; i++)
            spin_for(1000);
    }
    while (LOAD_ACQUIRE(&pending) != 0) { /* pairs with count_down */
        ParkSpec spec = {.addr = &pending, .still = still_pending, .deadline_ns = -1};
        parking_park(&spec, NULL);
    }
}

bool excl_world_stopped(void) {
    return LOAD_RELAXED(&stopper) == thread_self();
}

/* Waits detached, but with the sections kept: where nothing is counted no depth of sections is known (section_enter),
 * and the heap, when it is full, collects in the middle of one. So this is the one thread that can be stopped with
 * object locks held (pay_debt, before it, too); a stopper takes none. */
static NOINLINE void lock_stop_mutex(Thread *t) {
    __builtin_unwind_init();
    int64_t since = now_ns();
    rank_acquire(RANK_STOP);
    while (!bytelock_spin(&stop_mutex.bits)) {
        thread_publish_stack(t);
        detach_state(t);
        bool handed = bytelock_park(&stop_mutex.bits, since);
        t->handed = handed ? &stop_mutex.bits : NULL;
        t->waited = &stop_mutex.bits;
        attach_state(t);
        t->handed = t->waited = NULL;
        if (handed)
            break;
    }
}

/* Waits, detached as above, until the world has run for its due. */
static NOINLINE void pay_debt(Thread *t, int64_t ns) {
    __builtin_unwind_init();
    thread_publish_stack(t);
    detach_state(t);
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
    attach_state(t);
}

void excl_stop_world(void) {
    Thread *self = thread_self();
    ASSERT(state_of(LOAD_RELAXED(&self->excl.state)) == THREAD_ATTACHED);
    ASSERT(!excl_world_stopped());
    if (!LOAD_RELAXED(&world_threaded)) {
        STORE_RELAXED(&elided_stop, true);
        STORE_RELAXED(&stopper, self);
        return;
    }
    SCHED_POINT(SCHED_MISC, &stopper);
    let_go_idle(self);
    int64_t debt = LOAD_RELAXED(&stop_debt_ns) - (now_ns() - LOAD_RELAXED(&stop_ended));
    if (UNLIKELY(debt > STOP_DEBT_MAX_NS) && !sched_on)
        pay_debt(self, MIN(debt, 10 * (int64_t)STOP_DEBT_MAX_NS));
    lock_stop_mutex(self);
    int64_t t0 = now_ns();
    STORE_RELAXED(&stop_debt_ns, MAX(LOAD_RELAXED(&stop_debt_ns) - (t0 - LOAD_RELAXED(&stop_ended)), 0));
    STORE_RELAXED(&stop_began, t0);
    thread_list_lock_attached();
    STORE_RELAXED(&elided_stop, false);
    STORE_RELAXED(&stopper, self);
    atomic_store(&pending, thread_count() - 1);
    for (Thread *t = thread_list; t != NULL; t = t->next) {
        if (t == self)
            continue;
        atomic_fetch_or(&t->poll, POLL_STOP);
        stop_detached(t);
    }
    wait_pending();
    stat_time_add(&stat_time_to_stop, (uint64_t)(now_ns() - t0));
}

void excl_start_world(void) {
    Thread *self = thread_self();
    ASSERT(excl_world_stopped());
    STORE_RELAXED(&stopper, NULL);
    if (LOAD_RELAXED(&elided_stop))
        return;
    int64_t now = now_ns();
    if (LOAD_RELAXED(&waiting) != 0)
        STORE_RELAXED(&stop_debt_ns, LOAD_RELAXED(&stop_debt_ns) + now - LOAD_RELAXED(&stop_began));
    STORE_RELAXED(&stop_ended, now);
    for (Thread *t = thread_list; t != NULL; t = t->next) {
        if (t == self)
            continue;
        ASSERT(state_of(LOAD_RELAXED(&t->excl.state)) == THREAD_STOPPED);
        atomic_fetch_and(&t->poll, ~(uint32_t)POLL_STOP);
        /* Pairs with the acquire in attach: what was done in the stopped world is visible. Sequentially consistent,
         * with the load of poll: who left counts to it meanwhile could not claim it, and it may go on sleeping. */
        atomic_exchange(&t->excl.state, next_detached(t));
        if (UNLIKELY(atomic_load(&t->poll) & POLL_MERGE))
            count_merge(t);
        parking_unpark_all(&t->excl.state, 0);
    }
    thread_list_unlock();
    mutex_unlock(&stop_mutex);
    SCHED_POINT(SCHED_MISC, &stopper);
}

void excl_after_fork_child(Thread *t) {
    if (OBJLOCK_STRIPED)
        objlock_init();
    atomic_init(&pending, 0);
    atomic_init(&waiting, 0);
    STORE_RELAXED(&stopper, NULL);
    if (!LOAD_RELAXED(&elided_stop)) {
        thread_list_unlock();
        mutex_unlock(&stop_mutex);
    }
    atomic_fetch_and(&t->poll, ~(uint32_t)POLL_STOP);
}

/* What the thread waited for may have been handed to it, and it did not live to say so or to give it back; and who
 * waits in a section to stop the world, where nothing is counted, keeps its locks (lock_stop_mutex). Nobody else but
 * the caller holds an object's lock after a fork, because nobody does in a stopped world. */
void excl_thread_vanished(Thread *t) {
#if OBJLOCK_PARKS
    for (ExclCs *c = t->excl.cs; c != NULL && !c->suspended; c = c->prev) {
        retain_forget(t, c->a);
        STORE_RELAXED((ObjLock *)c->a, 0);
        if (c->b != NULL)
            STORE_RELAXED((ObjLock *)c->b, 0);
    }
    ObjLock *l = t->excl.wants;
    if (l != NULL && !retain_has(thread_self(), l))
        STORE_RELAXED(l, 0);
#endif
    retain_thread_fini(t);
}

void excl_thread_init(Thread *t) {
    memset(&t->excl, 0, sizeof(t->excl));
    atomic_init(&t->excl.state, THREAD_DETACHED);
    retain_thread_init(t);
}

void excl_thread_fini(Thread *t) {
    ASSERT(t->excl.cs == NULL);
    retain_thread_fini(t);
    objlock_thread_fini();
    atomic_store(&t->excl.state, next_detached(t));
}

/* ---- attach and detach ---- */

static bool attach_try(Thread *t) {
    uint32_t word = LOAD_RELAXED(&t->excl.state);
    /* acquire: pairs with excl_start_world and excl_unclaim */
    do {
        if (state_of(word) != THREAD_DETACHED)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&t->excl.state, &word, with_state(word, THREAD_ATTACHED),
                                                    memory_order_acquire, memory_order_relaxed));
    retire_attach(t);
    return true;
}

static bool still_stopped(void *arg) {
    uint32_t s = state_of(LOAD_RELAXED(&((Thread *)arg)->excl.state));
    return s == THREAD_STOPPED || s == THREAD_CLAIMED;
}

static void attach_wait(Thread *t) {
    atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
    while (!attach_try(t)) {
        if (state_of(LOAD_RELAXED(&t->excl.state)) == THREAD_CLAIMED && !sched_on)
            spin_for(500); /* a claim is short */
        ParkSpec spec = {.addr = &t->excl.state, .still = still_stopped, .arg = t, .deadline_ns = -1};
        parking_park(&spec, NULL);
    }
    atomic_fetch_sub_explicit(&waiting, 1, memory_order_relaxed);
}

static void detach_state(Thread *t) {
    retire_detach(t);
    /* sequentially consistent, with the load of poll: see the protocol above */
    uint32_t word = next_detached(t);
    atomic_exchange(&t->excl.state, word);
    help_if_stopping(t, word);
}

static void lock_section(Thread *t, ExclCs *cs);

static void suspend_sections(Thread *t) {
    for (ExclCs *c = t->excl.cs; c != NULL && !c->suspended; c = c->prev) {
        retain_forget(t, c->a);
        if (c->b != NULL)
            objlock_release((ObjLock *)c->b);
        objlock_release((ObjLock *)c->a);
        c->suspended = true;
    }
    retain_let_go(t);
}

static void attach_state(Thread *t) {
    if (UNLIKELY(!attach_try(t)))
        attach_wait(t);
    if (UNLIKELY(thread_must_vanish(t))) {
        detach_state(t);
        thread_vanish();
    }
}

void excl_attach_out(Thread *t) {
    int saved = errno;
    sched_join();
    attach_state(t);
    if (UNLIKELY(t->excl.cs != NULL && t->excl.cs->suspended))
        lock_section(t, t->excl.cs);
    errno = saved;
}

void excl_detach_out(Thread *t) {
    int saved = errno;
    ASSERT(rank_below(RANK_SECTION));
    ASSERT(state_of(LOAD_RELAXED(&t->excl.state)) == THREAD_ATTACHED);
    t->c_stack_top = (uintptr_t)__builtin_frame_address(0);
    suspend_sections(t);
    /* Counts that others have left to this thread are merged before it sleeps: who leaves one sets the bit, then tries
     * to claim the thread, so either it succeeds, or the bit is seen here. */
    while (UNLIKELY(atomic_load(&t->poll) & POLL_MERGE) && t->excl.depth == 0)
        safepoint_merge(t);
    detach_state(t);
    while (UNLIKELY(atomic_load(&t->poll) & POLL_MERGE) && t->excl.depth == 0) {
        attach_state(t);
        safepoint_merge(t);
        detach_state(t);
    }
    sched_leave();
    errno = saved;
}

void excl_safepoint(Thread *t, uint32_t bits) {
    if (bits & POLL_RETAINED) {
        atomic_fetch_and_explicit(&t->poll, ~(uint32_t)POLL_RETAINED, memory_order_relaxed);
        retain_check(t, true);
    }
    /* POLL_PENDING: the world may cease to be threaded */
    if (bits & (POLL_STOP | POLL_PENDING))
        retain_let_go(t);
    if (!(bits & POLL_STOP))
        return;
    detach_state(t);
    attach_state(t);
}

NOINLINE void excl_yield(Thread *t) {
    __builtin_unwind_init();
    thread_publish_stack(t);
    retain_let_go(t);
    detach_state(t);
    SCHED_POINT(SCHED_MISC, t);
    if (!sched_on)
        sched_yield();
    attach_state(t);
}

bool excl_claim(Thread *t) {
    uint32_t word = atomic_load(&t->excl.state); /* sequentially consistent: the caller has set a poll bit */
    /* acquire: what it wrote before it detached is visible */
    while (state_of(word) == THREAD_DETACHED)
        if (atomic_compare_exchange_weak_explicit(&t->excl.state, &word, with_state(word, THREAD_CLAIMED),
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

void excl_unclaim(Thread *t) {
    ASSERT(state_of(LOAD_RELAXED(&t->excl.state)) == THREAD_CLAIMED);
    uint32_t word = next_detached(t);
    atomic_exchange(&t->excl.state, word);
    help_if_stopping(t, word);
    parking_unpark_all(&t->excl.state, 0); /* needed where it does not stop */
}

/* ---- sections ---- */

#if OBJLOCK_PARKS
enum { RETAINED_ASK_NS = 50000, RETAINED_ASK_MAX_NS = 2000000 };

static int64_t ask_retainer(void *l) {
    Thread *t = thread_self();
    t->excl.ask_ns = MIN(t->excl.ask_ns * 4, RETAINED_ASK_MAX_NS);
    return deadline_in(retain_ask(l, t->excl.ask_ns));
}
#endif

/* Takes l, which the thread does not hold. What waits suspends the sections and is detached. */
static NOINLINE void lock_wait(Thread *t, ObjLock *l) {
    __builtin_unwind_init();
#if OBJLOCK_PARKS
    if (bytelock_spin(l))
        return;
    int64_t since = now_ns();
    t->excl.wants = l;
    t->excl.ask_ns = RETAINED_ASK_NS;
    for (;;) {
        suspend_sections(t);
        thread_publish_stack(t);
        detach_state(t);
        bool handed = bytelock_park_overdue(l, since, deadline_in(t->excl.ask_ns), ask_retainer);
        if (UNLIKELY(!attach_try(t))) {
            /* The world is stopped: a stopped thread holds no lock. */
            if (handed)
                objlock_release(l);
            handed = false;
            t->waited = l;
            attach_state(t);
            t->waited = NULL;
        }
        if (UNLIKELY(thread_must_vanish(t))) {
            if (handed || bytelock_try_any(l)) /* it may have been woken to compete: the wake goes to the next */
                objlock_release(l);
            detach_state(t);
            thread_vanish();
        }
        if (handed || bytelock_spin(l))
            break;
    }
    t->excl.wants = NULL;
    stat_time_add(&stat_lock_wait, (uint64_t)(now_ns() - since));
#else
    STAT_HOT_INC(lock_waits);
    for (;;) {
        suspend_sections(t);
        thread_publish_stack(t);
        detach_state(t);
        objlock_block(l);
        if (LIKELY(attach_try(t)) && !thread_must_vanish(t))
            return;
        objlock_release(l);
        if (state_of(LOAD_RELAXED(&t->excl.state)) == THREAD_ATTACHED)
            detach_state(t);
        attach_state(t);
    }
#endif
}

/* Takes the locks of cs, which none of the thread's running sections holds, and marks it as running. */
static void lock_section(Thread *t, ExclCs *cs) {
    ObjLock *a = cs->a, *b = cs->b;
    retain_let_go(t);
    cs->suspended = true; /* lock_wait must not release what is not held */
    for (;;) {
        if (!objlock_try(a))
            lock_wait(t, a);
        if (b == NULL || objlock_try(b))
            break;
        objlock_release(a); /* what waits holds nothing */
        lock_wait(t, b);
        if (objlock_try(a))
            break;
        objlock_release(b);
    }
    cs->suspended = false;
}

static bool try_hard(ObjLock *l) {
#if OBJLOCK_PARKS
    return bytelock_spin(l);
#else
    return objlock_try(l);
#endif
}

/* Invariant of the chain: the running sections are the innermost ones; every section outside a suspended one is
 * suspended. */
static void push_section(Thread *t, ExclCs *cs, ObjLock *a, ObjLock *b) {
    cs->a = a;
    cs->b = b;
    cs->prev = t->excl.cs;
    cs->suspended = false;
    if (b == NULL && retain_has(t, a)) {
        t->excl.cs = cs;
        return;
    }
    int64_t began = now_ns();
    let_go_idle(t); /* it may be a or b */
    if (try_hard(a)) {
        if (b == NULL || try_hard(b)) {
            t->excl.cs = cs;
            goto locked;
        }
        objlock_release(a);
    }
    suspend_sections(t);
    cs->suspended = true;
    t->excl.cs = cs;
    lock_section(t, cs);
locked:
    STAT_HOT_ADD(lock_acquired, b == NULL ? 1 : 2);
    if (b == NULL)
        retain_contended(t, a, began);
}

void excl_cs_begin_slow(ExclCs *cs, ObjLock *l) {
    Thread *t = thread_self();
    ASSERT(rank_below(RANK_SECTION + 1));
    if (!holds(t, l)) /* else cs->a stays NULL: nothing to release */
        push_section(t, cs, l, NULL);
}

void excl_cs_begin2_slow(ExclCs *cs, Object *x, Object *y) {
    Thread *t = thread_self();
    ASSERT(rank_below(RANK_SECTION + 1));
    ObjLock *a = x != NULL ? objlock_of(x) : NULL, *b = y != NULL ? objlock_of(y) : NULL;
    SCHED_POINT(SCHED_LOCK, a);
    if (a == b)
        b = NULL;
    if (a != NULL && holds(t, a))
        a = NULL;
    if (b != NULL && holds(t, b))
        b = NULL;
    if (a == NULL || (b != NULL && b < a)) {
        ObjLock *swap = a;
        a = b;
        b = swap;
    }
    if (a == NULL)
        return;
    push_section(t, cs, a, b);
}

void excl_cs_end_slow(ExclCs *cs) {
    Thread *t = thread_self();
    ASSERT(t->excl.cs == cs);
    t->excl.cs = cs->prev;
    if (!cs->suspended) {
        if (cs->b != NULL)
            objlock_release((ObjLock *)cs->b);
        /* Of two objects one may be private: those die without a look at who retains their lock. */
        if (cs->b != NULL || !retain_keep(t, (ObjLock *)cs->a))
            objlock_release((ObjLock *)cs->a);
    }
    SCHED_POINT(SCHED_UNLOCK, cs->a);
    if (cs->prev != NULL && cs->prev->suspended)
        lock_section(t, cs->prev);
}

void excl_stores_turn_slow(Thread *t, Value v) {
    ObjLock *l = objlock_of(v_obj(v));
    if (retain_stores(t, l)) {
        int64_t began = now_ns();
        excl_leaf_lock(v);
        retain_contended(t, l, began - RETAIN_LONG_WAIT_NS);
        excl_leaf_unlock(v);
    }
}

void excl_leaf_lock_slow(ObjLock *l) {
    Thread *t = thread_self();
    if (OBJLOCK_STRIPED && holds(t, l)) {
        t->excl.leaf_elided = true;
        return;
    }
    ASSERT(!holds(t, l));
    int64_t began = now_ns();
    for (;;) {
        lock_wait(t, l);
        ExclCs *cs = t->excl.cs;
        if (cs == NULL || !cs->suspended)
            break;
        /* Waiting suspended the section around it: that comes first. */
        objlock_release(l);
        lock_section(t, cs);
        if (try_hard(l))
            break;
    }
    STAT_HOT_INC(lock_acquired);
    retain_contended(t, l, began);
}

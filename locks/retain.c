#include "retain.h"

#include <sched.h>

#include "bytelock.h"
#include "runtime/safepoint.h"
#include "stats.h"

enum {
    RETAINERS = 64,         /* threads that retain at a time */
    SECTIONS = 128,         /* between two looks at the clock */
    SPARSE_MAX = 4,         /* looks in a row that find them too far apart; one alone may be the scheduler's doing */
    BATCH_MAX_NS = 3000000, /* before others have their turn; the switch interval when that is shorter */
    LAST_ASK_NS = 150000,   /* before the end of a batch; a thread that sleeps takes some 30 to 80 us to wake up */
    ALERT_NS = 200000,      /* before the end of a batch, at most: who asked last is in time */
    IDLE_NS = 30000,        /* without a section */
    DENSE_NS = 160,         /* from section to section, at most */
    STREAK = 3,             /* contended acquisitions of one lock ... */
    STREAK_GAP_NS = 50000,  /* ... each this soon after the last */
    STORES = 256,           /* without a lock, between two looks */
    STORES_NS = 25600,      /* for so many, at most */
    STORERS = 64,           /* a table by the lock's address */
    RESERVE_GAP_NS = 1000,  /* from section to section of a row, at most, on average */
    RESERVE_PAUSE_MAX_NS = 1280000000,
    UNSUITED_NS = 20000000 /* after sections that were not dense, or on a reserved lock that another wanted */
};

static Retainer none; /* of threads that have none: its lock is always NULL */
static Retainer retainers[RETAINERS];

void retain_thread_init(Thread *t) {
    atomic_init(&t->excl.retainer, &none);
}

void retain_thread_fini(Thread *t) {
    retain_let_go(t);
    Retainer *r = LOAD_RELAXED(&t->excl.retainer);
    STORE_RELAXED(&t->excl.retainer, &none);
    if (r != &none)
        STORE_RELEASE(&r->in_use, false);
}

static Retainer *retainer_new(void) {
    for (int i = 0; i < RETAINERS; i++) {
        bool seen = false;
        /* acquire: pairs with the release in retain_thread_fini */
        if (!LOAD_RELAXED(&retainers[i].in_use) &&
            atomic_compare_exchange_strong_explicit(&retainers[i].in_use, &seen, true, memory_order_acquire,
                                                    memory_order_relaxed))
            return &retainers[i];
    }
    return NULL;
}

/* The lock, no longer retained, or NULL. Its object may be dying in another thread: one of the two gets it. */
static ObjLock *take_back(Thread *t) {
    Retainer *r = LOAD_RELAXED(&t->excl.retainer);
    ObjLock *l = LOAD_RELAXED(&r->lock);
    if (l == NULL)
        return NULL;
    STORE_RELAXED(&r->settled, NULL);
    if (!atomic_compare_exchange_strong_explicit(&r->lock, &l, NULL, memory_order_relaxed, memory_order_relaxed))
        return NULL;
    return l;
}

void retain_let_go(Thread *t) {
    ObjLock *l = take_back(t);
    if (l != NULL) {
        t->excl.hot_at = now_ns(); /* the streak goes on */
        objlock_release(l);
    }
}

static void hand_over(Thread *t, int64_t now) {
    ObjLock *l = take_back(t);
    t->excl.hot_at = now;
    if (l != NULL && LOAD_RELAXED(l) & LOCK_PARKED)
        bytelock_hand_over(l);
    else if (l != NULL)
        objlock_release(l);
}

/* The object may be dying in another thread: that one clears `lock`, then `settled`. All four accesses are sequentially
 * consistent, so what is stored here too late is seen by one of the two. */
static void settle(Retainer *r, const ObjLock *l) {
    atomic_store(&r->settled, objlock_owner(l));
    if (atomic_load(&r->lock) != l)
        STORE_RELAXED(&r->settled, NULL);
}

static int64_t batch_left(Thread *t, int64_t now) {
    return LOAD_RELAXED(&t->excl.retain_since) + MIN(BATCH_MAX_NS, LOAD_RELAXED(&gil_interval_ns)) - now;
}

NOINLINE void retain_check(Thread *t, bool asked) {
    Retainer *r = LOAD_RELAXED(&t->excl.retainer);
    const ObjLock *l = LOAD_RELAXED(&r->lock);
    if (l == NULL)
        return;
    bool wanted = LOAD_RELAXED(l) & LOCK_PARKED;
    if (t->excl.reserved && !wanted) {
        t->excl.retain_left = SECTIONS;
        settle(r, l);
        return;
    }
    bool settled = LOAD_RELAXED(&r->settled) != NULL;
    if (settled && !asked) {
        t->excl.retain_left = SECTIONS; /* these were counted, others not: they say nothing */
        return;
    }
    STORE_RELAXED(&r->settled, NULL);
    int64_t now = now_ns();
    if (t->excl.reserved) {
        t->excl.reserve_pause = MIN(MAX(t->excl.reserve_pause * 2, UNSUITED_NS), RESERVE_PAUSE_MAX_NS);
        t->excl.reserve_not_before = now + t->excl.reserve_pause;
        hand_over(t, now);
        return;
    }
    int32_t sections = SECTIONS - t->excl.retain_left;
    bool dense = now - t->excl.retain_checked <= (int64_t)sections * DENSE_NS;
    /* What was done with a settled lock has not been counted: it is from here on. */
    t->excl.retain_sparse = dense || settled ? 0 : t->excl.retain_sparse + 1;
    /* Whom the lock was handed a moment ago may not have come to its first section yet. */
    bool idle = !settled && sections == 0 && now - t->excl.retain_checked > IDLE_NS;
    if (idle || t->excl.retain_sparse >= SPARSE_MAX) {
        if (t->excl.retain_sparse >= SPARSE_MAX)
            t->excl.retain_not_before = now + UNSUITED_NS;
        hand_over(t, now);
        return;
    }
    t->excl.retain_left = SECTIONS;
    t->excl.retain_checked = now;
    int64_t left = batch_left(t, now);
    if (left <= 0) {
        STORE_RELAXED(&t->excl.retain_since, now);
        t->excl.alerted = false;
        if (wanted) {
            /* Its next store without the lock looks whose turn it is, and finds that it has stored densely. */
            t->excl.stores_left = 0;
            t->excl.stores_on = l;
            t->excl.stores_at = now;
            hand_over(t, now);
        }
        return;
    }
    bool last = left < ALERT_NS;
    if (last && wanted && !t->excl.alerted) {
        t->excl.alerted = true;
        bytelock_alert(l, now + left);
    }
    if (settled ? last : dense)
        settle(r, l);
}

/* False when there are too many. */
static bool begin(Thread *t, ObjLock *l, bool reserved, int64_t now) {
    Retainer *r = LOAD_RELAXED(&t->excl.retainer);
    if (r == &none) {
        if ((r = retainer_new()) == NULL)
            return false;
        STORE_RELEASE(&t->excl.retainer, r);
    }
    t->excl.reserved = reserved;
    STORE_RELAXED(&t->excl.retain_since, now);
    t->excl.retain_checked = now;
    t->excl.retain_left = SECTIONS;
    t->excl.retain_sparse = 0;
    t->excl.alerted = false;
    STORE_RELAXED(&r->lock, l);
    return true;
}

NOINLINE bool retain_reserve(Thread *t, ObjLock *l) {
    t->excl.in_a_row = 0;
    int64_t now = now_ns();
    bool close = t->excl.row_timed && now - t->excl.row_began < RESERVE_ROW * (int64_t)RESERVE_GAP_NS;
    /* The sections of a row are in a row but for those on the lock that is retained already, which may be the hotter
     * one. */
    bool other_used = retain_which(t) != NULL && t->excl.retain_left != t->excl.row_retain_left;
    t->excl.row_timed = true;
    t->excl.row_began = now;
    t->excl.row_retain_left = t->excl.retain_left;
    if (!close || other_used || now < t->excl.reserve_not_before)
        return false;
    /* A stopped world leaves no lock taken, and what a collector frees is not looked for here. */
    if (t->excl.cs != NULL || LOAD_RELAXED(l) & LOCK_PARKED || sched_on || excl_world_stopped())
        return false;
    retain_let_go(t);
    return begin(t, l, true, 0);
}

void retain_contended(Thread *t, ObjLock *l, int64_t began) {
    int64_t now = now_ns();
    bool again = t->excl.hot == l && began - t->excl.hot_at < STREAK_GAP_NS;
    t->excl.hot = l;
    t->excl.hot_at = now;
    t->excl.hot_times = now - began >= RETAIN_LONG_WAIT_NS ? STREAK : again ? t->excl.hot_times + 1 : 1;
    Retainer *r = LOAD_RELAXED(&t->excl.retainer);
    if (t->excl.hot_times >= STREAK && now >= t->excl.retain_not_before && LOAD_RELAXED(&r->lock) == NULL)
        begin(t, l, false, now);
}

/* Who stored without a lock last, by the lock's address; hints, each word for itself. */
static struct Storer {
    _Alignas(CACHE_LINE) _Atomic(const ObjLock *) lock;
    _Atomic(const Thread *) thread;
    _Atomic(int64_t) at;
} storers[STORERS];

bool retain_stores(Thread *t, ObjLock *l) {
    int64_t now = now_ns();
    bool dense = t->excl.stores_on == l && now - t->excl.stores_at < STORES_NS;
    t->excl.stores_left = STORES;
    t->excl.stores_on = l;
    t->excl.stores_at = now;
    struct Storer *s = &storers[((uintptr_t)l >> 4) % STORERS];
    bool other = LOAD_RELAXED(&s->lock) == l && LOAD_RELAXED(&s->thread) != t &&
                 now - LOAD_RELAXED(&s->at) < 4 * (int64_t)STORES_NS;
    other = other || LOAD_RELAXED(l) & LOCK_HELD; /* whose retainer has settled does not come here */
    STORE_RELAXED(&s->lock, l);
    STORE_RELAXED(&s->thread, t);
    STORE_RELAXED(&s->at, now);
    if (retain_has(t, l)) {
        t->excl.retain_left -= STORES;
        if (t->excl.retain_left < 0)
            retain_check(t, false);
        return false;
    }
    return dense && other && !sched_on && !excl_world_stopped();
}

int64_t retain_ask(const ObjLock *l, int64_t at_most_ns) {
    int64_t again = at_most_ns;
    thread_list_lock_attached();
    for (Thread *t = thread_list; t != NULL; t = t->next) {
        /* acquire: pairs with the release in begin */
        if (LOAD_RELAXED(&LOAD_ACQUIRE(&t->excl.retainer)->lock) == l) {
            thread_set_poll(t, POLL_RETAINED);
            int64_t left = batch_left(t, now_ns());
            if (left > LAST_ASK_NS)
                again = MIN(again, left - LAST_ASK_NS);
            break;
        }
    }
    thread_list_unlock();
    return again;
}

NOINLINE void retain_dead_slow(ObjLock *l) {
    /* Who retains it, or is letting it go this moment, is in no section on it: it has no reference. */
    while (LOAD_ACQUIRE(l) & LOCK_HELD) {
        for (int i = 0; i < RETAINERS; i++) {
            ObjLock *seen = l;
            const Object *o = objlock_owner(l);
            if (LOAD_RELAXED(&retainers[i].lock) == l &&
                atomic_compare_exchange_strong(&retainers[i].lock, &seen, NULL)) {
                if (atomic_load(&retainers[i].settled) == o) /* see settle */
                    atomic_compare_exchange_strong(&retainers[i].settled, &o, NULL);
                STORE_RELAXED(l, 0);
                return;
            }
        }
        sched_yield();
    }
}

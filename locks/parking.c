#include "parking.h"

#define BUCKET_BITS 8
#define BUCKETS (1 << BUCKET_BITS)
#define OVERDUE_NS 100000 /* awake, for the next safepoint of who is asked */

typedef struct Bucket {
    _Alignas(CACHE_LINE) LowLock lock;
    ParkNode *head, *tail;
} Bucket;
static Bucket buckets[BUCKETS];

static Bucket *bucket_of(const void *addr) {
    uint64_t h = (uint64_t)(uintptr_t)addr * 0x9e3779b97f4a7c15u;
    return &buckets[h >> (64 - BUCKET_BITS)];
}

static void enqueue(Bucket *b, ParkNode *n) {
    n->next = NULL;
    if (b->tail != NULL)
        b->tail->next = n;
    else
        b->head = n;
    b->tail = n;
}

/* Removes n, whose predecessor is prev (NULL: it is the head). */
static void unlink_node(Bucket *b, ParkNode *n, ParkNode *prev) {
    if (prev != NULL)
        prev->next = n->next;
    else
        b->head = n->next;
    if (b->tail == n)
        b->tail = prev;
}

static ParkNode *first_waiter(Bucket *b, const void *addr, ParkNode **prev) {
    ParkNode *n = b->head;
    *prev = NULL;
    while (n != NULL && n->addr != addr) {
        *prev = n;
        n = n->next;
    }
    return n;
}

static bool remove_node(Bucket *b, ParkNode *n) {
    ParkNode *prev = NULL;
    for (ParkNode *p = b->head; p != NULL; prev = p, p = p->next) {
        if (p == n) {
            unlink_node(b, n, prev);
            return true;
        }
    }
    return false;
}

static ParkResult park_node(const ParkSpec *spec, Bucket *b, ParkNode *n) {
    int64_t deadline = spec->deadline_ns;
    for (;;) {
        bool in_time = parker_wait(n->parker, deadline);
        int64_t turn = in_time ? LOAD_RELAXED(&n->turn_ns) : 0;
        if (turn != 0) {
            STORE_RELAXED(&n->turn_ns, 0);
            parker_spin(n->parker, turn - now_ns());
        }
        /* acquire: pairs with the release in wake_node; token and what the waker did are visible */
        if (LOAD_ACQUIRE(&n->done))
            return PARK_WOKEN;
        if ((!in_time || turn != 0) && spec->overdue != NULL) {
            deadline = spec->overdue(spec->arg);
            if (turn != 0)
                parker_spin(n->parker, OVERDUE_NS);
            in_time = true;
            if (LOAD_ACQUIRE(&n->done)) /* a wait inside `overdue` may have taken the wake */
                return PARK_WOKEN;
        }
        bool interrupted = spec->interrupt != NULL && (LOAD_ACQUIRE(spec->interrupt) & spec->interrupt_mask);
        if (in_time && !interrupted)
            continue;
        lowlock_lock(&b->lock);
        bool queued = remove_node(b, n);
        lowlock_unlock(&b->lock);
        if (!queued)
            return PARK_WOKEN; /* taken out meanwhile: the wake counts, or it would be lost; done was set under the
                                  bucket's lock */
        return interrupted ? PARK_INTERRUPTED : PARK_TIMEOUT;
    }
}

ParkResult parking_park(const ParkSpec *spec, uintptr_t *token) {
    Bucket *b = bucket_of(spec->addr);
    ParkNode n = {.addr = spec->addr, .parker = parker_self(), .since_ns = spec->since_ns ? spec->since_ns : now_ns()};
    lowlock_lock(&b->lock);
    if ((spec->still != NULL && !spec->still(spec->arg)) ||
        (spec->interrupt != NULL && (LOAD_ACQUIRE(spec->interrupt) & spec->interrupt_mask))) {
        bool interrupted = spec->interrupt != NULL && (LOAD_ACQUIRE(spec->interrupt) & spec->interrupt_mask);
        lowlock_unlock(&b->lock);
        return interrupted ? PARK_INTERRUPTED : PARK_INVALID;
    }
    enqueue(b, &n);
    lowlock_unlock(&b->lock);
    ParkResult r = park_node(spec, b, &n);
    if (r == PARK_WOKEN && token != NULL)
        *token = n.token;
    return r;
}

/* Under the bucket's lock; returns whom to wake after it. The node may be gone as soon as done is set. */
static Parker *finish_node(ParkNode *n, uintptr_t token) {
    Parker *p = n->parker;
    n->token = token;
    STORE_RELEASE(&n->done, 1); /* pairs with the acquire in park_node */
    return p;
}

bool parking_unpark_one(const void *addr, uintptr_t (*decide)(void *arg, const UnparkInfo *info), void *arg) {
    Bucket *b = bucket_of(addr);
    UnparkInfo info = {0};
    lowlock_lock(&b->lock);
    ParkNode *prev, *n = first_waiter(b, addr, &prev);
    if (n != NULL) {
        info.found = true;
        info.since_ns = n->since_ns;
        for (ParkNode *m = n->next; m != NULL; m = m->next) {
            if (m->addr == addr) {
                info.more = true;
                break;
            }
        }
        unlink_node(b, n, prev);
    }
    uintptr_t token = decide != NULL ? decide(arg, &info) : 0;
    Parker *p = n != NULL ? finish_node(n, token) : NULL;
    lowlock_unlock(&b->lock);
    if (p != NULL)
        parker_wake(p);
    return p != NULL;
}

void parking_alert_one(const void *addr, int64_t turn_ns) {
    if (sched_on)
        return;
    Bucket *b = bucket_of(addr);
    Parker *p = NULL;
    lowlock_lock(&b->lock);
    ParkNode *prev, *n = first_waiter(b, addr, &prev);
    if (n != NULL) {
        STORE_RELAXED(&n->turn_ns, turn_ns);
        p = n->parker;
    }
    lowlock_unlock(&b->lock);
    if (p != NULL)
        parker_wake(p);
}

size_t parking_unpark_all(const void *addr, uintptr_t token) {
    Bucket *b = bucket_of(addr);
    size_t woken = 0;
    for (;;) {
        Parker *batch[32];
        size_t n_batch = 0;
        lowlock_lock(&b->lock);
        ParkNode *prev = NULL, *n = b->head;
        while (n != NULL && n_batch < ARRAY_LEN(batch)) {
            ParkNode *next = n->next;
            if (n->addr == addr) {
                unlink_node(b, n, prev);
                batch[n_batch++] = finish_node(n, token);
            } else {
                prev = n;
            }
            n = next;
        }
        lowlock_unlock(&b->lock);
        for (size_t i = 0; i < n_batch; i++)
            parker_wake(batch[i]);
        woken += n_batch;
        if (n_batch < ARRAY_LEN(batch))
            return woken;
    }
}

void parking_after_fork_child(void) {
    for (int i = 0; i < BUCKETS; i++) {
        atomic_init(&buckets[i].lock.word, 0);
        buckets[i].head = buckets[i].tail = NULL;
    }
}

/* COUNT biased: what is not the owner's fast path. See count_biased.h.
 *
 * The slots of owners. A slot belongs to a living thread, or to nobody; a new thread takes over a slot that nobody has,
 * and with it the objects it owned. `mutex` guards the queue and who may drain it: the slot's thread; a thread that has
 * claimed the detached thread (excl_claim); anybody, while the slot has no thread. Who drains acts as the owner of the
 * objects in the queue.
 */
#include "backend/backend.h"

#include "mutex.h"

typedef struct Slot {
    Mutex mutex;
    Thread *thread; /* NULL: nobody */
    Object **queue; /* objects whose shared count went below what was counted there */
    uint32_t n, cap;
    uint16_t next_free;
} Slot;

enum { SLOTS_PER_BLOCK = 64, SLOT_BLOCKS = 1024 };
_Thread_local uint16_t count_slot TLS_FAST = COUNT_NO_SLOT;
_Static_assert(offsetof(Object, owner) == 8 && offsetof(Object, flags) == 11 && offsetof(Object, shared) == 12,
               "see count_is_private");

static Mutex slots_mutex = MUTEX_INIT(RANK_THREADS); /* taken before any slot's */
static _Atomic(Slot *) slot_block[SLOT_BLOCKS];
static uint32_t n_slots = 1; /* 0 is nobody */
static uint16_t free_slot;   /* first of those nobody has */

static ALWAYS_INLINE Slot *slot_at(uint32_t i) {
    return &LOAD_ACQUIRE(
        &slot_block[i / SLOTS_PER_BLOCK])[i % SLOTS_PER_BLOCK]; /* pairs with the release in count_thread_init */
}

/* ---- merging ---- */

static ALWAYS_INLINE _Atomic(uint64_t) *owner_to_shared(Object *o) { /* owner:16 lock:8 flags:8 shared:32 */
    return (_Atomic(uint64_t) *)(uintptr_t)&o->owner;
}
/* Adds n references to shared, takes the bits `clear` away, sets MERGED, and nobody owns it any more: all in one
 * exchange, for from then on somebody may adopt it. By who acts as the owner, or of what nobody owns; local is 0
 * already. Returns the new word of shared. */
static uint32_t disown(Object *o, uint32_t n, uint32_t clear) {
    _Atomic(uint64_t) *word = owner_to_shared(o);
    uint64_t seen = LOAD_RELAXED(word);
    uint32_t shared;
    do
        shared = (((uint32_t)(seen >> 32) + n * BIASED_ONE) | BIASED_MERGED) & ~clear;
    /* acq_rel: acquire the others' drops, release ours (pairs with all read-modify-writes of shared) */
    while (!atomic_compare_exchange_weak_explicit(word, &seen, (uint64_t)shared << 32 | (seen & 0xffff0000),
                                                  memory_order_acq_rel, memory_order_relaxed));
    return shared;
}
/* Adds local to shared. By who acts as the owner. True when it is dead: the caller's. */
static bool merge(Object *o) {
    uint32_t l = LOAD_RELAXED(&o->local);
    STORE_RELAXED(&o->local, 0u);
    STAT_ADD(merged, 1);
    return disown(o, l, BIASED_QUEUED) == BIASED_MERGED;
}

/* Under the slot's mutex, as its owner. What dies goes on the caller's dead list. */
static bool drain(Slot *s) {
    bool died = false;
    while (s->n) {
        Object *o = s->queue[--s->n];
        if (merge(o)) {
            dead_push(o);
            died = true;
        }
    }
    if (s->cap > 4096) {
        free(s->queue);
        s->queue = NULL;
        s->cap = 0;
    }
    return died;
}

/* The slot of o's owner, or of who was it before, with its mutex. owner: as the caller has read it; slot 0, which never
 * has a thread, is that of what has been merged meanwhile. o carries QUEUED, so that it changes hands no more once this
 * mutex was taken (see count_rebias). */
static Slot *lock_owner(const Object *o, uint16_t owner) {
    for (;;) {
        Slot *s = slot_at(owner);
        mutex_lock(&s->mutex);
        uint16_t now = LOAD_RELAXED(&o->owner);
        if (LIKELY(now == owner || now == 0))
            return s;
        mutex_unlock(&s->mutex);
        owner = now;
    }
}

/* o carries QUEUED now, set by the caller after it read who owned it. */
static NOINLINE void enqueue(Object *o, uint16_t owner) {
    STAT_HOT_INC(count_queued);
    SCHED_POINT(SCHED_COUNT, o);
    Slot *s = lock_owner(o, owner);
    if (UNLIKELY(s->n == s->cap)) {
        uint32_t cap = s->cap ? s->cap * 2 : 64;
        Object **q = realloc(s->queue, cap * sizeof *q);
        if (!q) {
            /* It stays QUEUED, alive and in no queue, until a collection merges it. */
            mutex_unlock(&s->mutex);
            thread_set_poll(thread_self(), POLL_COLLECT);
            return;
        }
        s->queue = q;
        s->cap = cap;
    }
    s->queue[s->n++] = o;
    Thread *t = s->thread;
    if (t == NULL) {
        drain(s);
    } else {
        /* Ask, then try: a thread that detaches after our try reads the bit after it has detached, and takes care
         * itself; for one that is stopped, who starts the world does. */
        thread_set_poll(t, POLL_MERGE);
        if (excl_claim(t)) {
            drain(s);
            excl_unclaim(t);
        }
    }
    mutex_unlock(&s->mutex);
}

bool count_merge(Thread *t) {
    Slot *s = slot_at(t->count.slot);
    bool other = t != thread_self();
    mutex_lock(&s->mutex);
    bool acting = !other || excl_claim(t);
    bool died = acting && drain(s);
    if (acting && other)
        excl_unclaim(t);
    mutex_unlock(&s->mutex);
    return died;
}

void count_settle(Object *o) {
    if (!(LOAD_RELAXED(&o->shared) & BIASED_MERGED))
        merge(o);
}

void count_merge_all(void) {
    for (uint32_t i = 1; i < n_slots; i++)
        drain(slot_at(i));
}

/* ---- the owner drops its last reference ---- */

/* It is not private: there, nobody can try to take a count, and the caller has decided. */
NOINLINE bool count_zero(Object *o) {
    SCHED_POINT(SCHED_COUNT, o);
    return disown(o, 0, 0) == BIASED_MERGED; /* from there no try succeeds */
}

/* ---- everybody else ---- */

NOINLINE void count_retain_shared(Object *o) {
    SCHED_POINT(SCHED_COUNT, o);
    STAT_HOT_INC(count_shared);
    if (UNLIKELY(!(obj_flags(o) & OF_SHARED)))
        obj_set_flag(o, OF_SHARED);
    atomic_fetch_add_explicit(&o->shared, BIASED_ONE, memory_order_relaxed); /* the caller's reference keeps it alive */
    freeze_note(o);
}

NOINLINE bool count_drop_shared(Object *o) {
    SCHED_POINT(SCHED_COUNT, o);
    STAT_HOT_INC(count_shared);
    uint32_t s = LOAD_RELAXED(&o->shared), n;
    uint16_t owner;
    do {
        n = s - BIASED_ONE;
        owner = LOAD_RELAXED(&o->owner); /* as a guess: see lock_owner */
        if ((int32_t)n < 0 && !(s & (BIASED_MERGED | BIASED_QUEUED | BIASED_FROZEN)))
            n |= BIASED_QUEUED;
        /* acq_rel: release our accesses, acquire the others' when we are last */
    } while (!atomic_compare_exchange_weak_explicit(&o->shared, &s, n, memory_order_acq_rel, memory_order_relaxed));
    if ((n & ~s) & BIASED_QUEUED) {
        enqueue(o, owner); /* if that killed it, it is on our dead list */
        return false;
    }
    return (n & (BIASED_MERGED | BIASED_QUEUED | BIASED_FROZEN)) == BIASED_MERGED && n >> 3 == 0;
}

NOINLINE bool count_try_shared(Object *o) {
    SCHED_POINT(SCHED_COUNT, o);
    uint32_t s = LOAD_RELAXED(&o->shared);
    do {
        if (s & BIASED_MERGED && (int32_t)s >> 3 <= 0 && !(s & BIASED_FROZEN)) {
            STAT_HOT_INC(count_try_failed);
            return false;
        }
        /* acquire: pairs with the last drop; the slot that was emptied before it then looks empty to the caller */
    } while (!atomic_compare_exchange_weak_explicit(&o->shared, &s, s + BIASED_ONE, memory_order_acquire,
                                                    memory_order_acquire));
    STAT_HOT_INC(count_shared);
    return true;
}

/* ref_load of an object that is not the reader's own. */
NOINLINE Value count_load_shared(Value holder, _Atomic(Value) *r, Value v) {
    for (;;) {
        if (!v_is_obj(v))
            return v;
        Object *o = v_obj(v);
        if (count_is_mine(o)) {
            add_by_writer(&o->local, 1);
            return v;
        }
        uint32_t f = obj_flags(o);
        if (f & OF_UNCOUNTED) {
            /* The flag may be that of a younger object in the same cell, unless the slot still says this one. */
            if (LOAD_ACQUIRE(r) == v)
                return v;
        } else if (f & OF_SHARED) {
            if (count_try_shared(o)) {
                if (LIKELY(LOAD_ACQUIRE(r) == v)) {
                    freeze_note(o);
                    return v;
                }
                if (count_drop(o))
                    dead_push(o);
            }
        } else {
            /* Private to somebody else: under the holder's lock the slot's reference keeps it, and from now on it is
             * shared. */
            ExclCs cs;
            excl_cs_begin(&cs, holder);
            v = LOAD_RELAXED(r);
            if (v_is_obj(v))
                count_retain(v_obj(v));
            excl_cs_end(&cs);
            return v;
        }
        v = LOAD_ACQUIRE(r); /* pairs with the release in ref_swap */
    }
}

/* The caller holds a reference. */
void count_freeze(Object *o) {
    uint32_t s = LOAD_RELAXED(&o->shared), n;
    uint16_t owner;
    do {
        if (s & BIASED_FROZEN)
            return;
        owner = LOAD_RELAXED(&o->owner); /* as in count_drop_shared */
        n = s | BIASED_FROZEN;
        if (!(s & (BIASED_MERGED | BIASED_QUEUED)))
            n |= BIASED_QUEUED; /* so that the owner stops counting too */
    } while (!atomic_compare_exchange_weak_explicit(&o->shared, &s, n, memory_order_acq_rel, memory_order_relaxed));
    obj_set_flag(o, OF_UNCOUNTED | OF_SHARED);
    if ((n & ~s) & BIASED_QUEUED)
        enqueue(o, owner);
}

/* What others have counted moves into `local` with the object, or the caller's next drop would take that to 0 and merge
 * it. What is queued stays with whom it was queued for.
 *
 * Nobody's: owner and shared change in one exchange, for others may try the same. */
static bool adopt(Object *o) {
    _Atomic(uint64_t) *word = owner_to_shared(o);
    uint64_t seen = LOAD_RELAXED(word);
    uint32_t s = (uint32_t)(seen >> 32);
    if ((seen & 0xffff) != 0 || (s & (BIASED_ONE - 1)) != BIASED_MERGED || (int32_t)s < 0)
        return false;
    if (!atomic_compare_exchange_strong_explicit(word, &seen, (seen & 0xffff0000) | count_slot, memory_order_acq_rel,
                                                 memory_order_relaxed))
        return false; /* the next sample tries again */
    STORE_RELAXED(&o->local, s >> 3);
    return true;
}
/* By who acts as the owner. */
static bool hand_to_caller(Object *o) {
    uint32_t s = LOAD_RELAXED(&o->shared);
    do {
        if (s & (BIASED_ONE - 1))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&o->shared, &s, 0u, memory_order_acq_rel, memory_order_relaxed));
    STORE_RELAXED(&o->local, LOAD_RELAXED(&o->local) + (s >> 3));
    STORE_RELAXED(&o->owner, count_slot);
    return true;
}

bool count_rebias(Object *o) {
    uint16_t owner = LOAD_RELAXED(&o->owner);
    SCHED_POINT(SCHED_COUNT, o);
    if (owner == count_slot || count_slot == COUNT_NO_SLOT)
        return false;
    bool done;
    if (owner == 0) {
        done = adopt(o);
    } else {
        Slot *s = slot_at(owner);
        mutex_lock(&s->mutex);
        Thread *t = s->thread;
        bool acting = t == NULL || excl_claim(t);
        done = acting && LOAD_RELAXED(&o->owner) == owner && hand_to_caller(o);
        if (acting && t != NULL)
            excl_unclaim(t);
        mutex_unlock(&s->mutex);
    }
    if (done)
        STAT_ADD(rebiased, 1);
    return done;
}

uint32_t count_freeze_trace(const Object *o) {
    return LOAD_RELAXED(&((Object *)o)->local);
}

/* ---- threads ---- */

/* Called by the thread itself, attached. */
int count_thread_init(Thread *t) {
    memset(&t->count, 0, sizeof t->count);
    int result = -1;
    mutex_lock(&slots_mutex);
    uint32_t i = free_slot;
    if (i == 0) {
        if (n_slots >= COUNT_NO_SLOT)
            goto out;
        i = n_slots;
        _Atomic(Slot *) *b = &slot_block[i / SLOTS_PER_BLOCK];
        if (!LOAD_RELAXED(b)) {
            Slot *fresh = calloc(SLOTS_PER_BLOCK, sizeof *fresh);
            if (!fresh)
                goto out;
            for (int k = 0; k < SLOTS_PER_BLOCK; k++)
                fresh[k].mutex.rank = RANK_RETIRE;
            STORE_RELEASE(b, fresh); /* pairs with slot_at */
        }
        n_slots++;
    } else {
        free_slot = slot_at(i)->next_free;
    }
    Slot *s = slot_at(i);
    mutex_lock(&s->mutex);
    s->thread = t;
    mutex_unlock(&s->mutex);
    t->count.slot = count_slot = (uint16_t)i;
    result = 0;
out:
    mutex_unlock(&slots_mutex);
    return result;
}
/* Called by the thread itself, attached, or in a forked child for a thread that is gone. */
void count_thread_fini(Thread *t) {
    uint32_t i = t->count.slot;
    if (i == 0)
        return;
    Slot *s = slot_at(i);
    Thread *self = thread_self();
    /* What the queue kills may release more of what the slot owns. */
    for (;;) {
        mutex_lock(&slots_mutex);
        mutex_lock(&s->mutex);
        if (s->n == 0)
            break;
        drain(s);
        mutex_unlock(&s->mutex);
        mutex_unlock(&slots_mutex);
        dead_drain(self);
    }
    s->thread = NULL;
    mutex_unlock(&s->mutex);
    s->next_free = free_slot;
    free_slot = (uint16_t)i;
    mutex_unlock(&slots_mutex);
    t->count.slot = 0;
    if (t == self)
        count_slot = COUNT_NO_SLOT;
}
void count_after_fork_child(void) {
    mutex_reinit(&slots_mutex);
    for (uint32_t i = 1; i < n_slots; i++)
        mutex_reinit(&slot_at(i)->mutex);
}

/* Retaining an object lock: a thread that ends a section keeps the lock for its next one instead of releasing it. The
 * sections in between cost a comparison. Two reasons:
 *
 *   hot        Several threads want the lock at every moment: it changes hands after a batch of some milliseconds, to
 * whoever has waited longest, instead of at every operation. Begun by a thread that found the lock taken several times
 * in a row, or waited long for it; it goes on only while its sections on the lock are dense: where threads do much else
 * between them, taking turns at each section is quicker. (Batches of one holder: lock cohorting, Dice et al. 2012.)
 *   reserved   Nobody else has asked: an object that other threads could reach and one uses, or a lock of the program's
 * own guards. Begun after some sections in a row on one lock, close together; whoever waits for it gets it at the
 * holder's next safepoint, and the loser reserves nothing for a while, each time for longer: who waits may wait for a
 * native function that has no safepoint. (Lock reservation: Kawachiya et al. 2002.)
 *
 * What is done with the object while it is `settled` is not even counted: a comparison, and no section. A retained lock
 * settles when its sections have been dense; whoever waits asks for it (retain_ask), early on to find out whether it is
 * still used, at last shortly before the turn is over, and then the first waiter is alerted, which asks once more when
 * its turn has come.
 *
 * Invariants:
 *   - At most one lock per thread. It is held: the byte says so, and nobody else takes it.
 *   - A thread that detaches, parks, waits for another object lock or stops lets it go, except that a retained lock of
 * a section that is open is that section's, as any other.
 *   - Nothing is retained while the process has one thread. No dead object's lock is retained.
 *   - Retainers are never freed, so that anybody may read a thread's. */
#ifndef POLYGIL_RETAIN_H
#define POLYGIL_RETAIN_H

#include "objlock.h"
#include "runtime/thread.h"

#if OBJLOCK_RETAINS

struct Retainer {
    _Alignas(CACHE_LINE) _Atomic(ObjLock *) lock; /* set by the thread; cleared by it, or when the object dies */
    _Atomic(const Object *) settled;              /* NULL or the lock's object; the same for it */
    _Atomic(bool) in_use;
};

void retain_thread_init(Thread *t);
void retain_thread_fini(Thread *t);

/* The thread retains o's lock, and until somebody asks for it nobody counts what is done with it. */
static ALWAYS_INLINE bool retain_settled(const Thread *t, const Object *o) {
    return LOAD_RELAXED(&LOAD_RELAXED(&t->excl.retainer)->settled) == o;
}
/* The thread holds l, outside its sections. */
static ALWAYS_INLINE bool retain_has(const Thread *t, const ObjLock *l) {
    return LOAD_RELAXED(&LOAD_RELAXED(&t->excl.retainer)->lock) == l;
}
/* After so many sections, or because somebody who waits asks: whether the lock should still be retained. */
void retain_check(Thread *t, bool asked);
enum { RESERVE_ROW = 8 };
/* After RESERVE_ROW sections in a row on l, a shared object's, which the caller holds: true when it is retained now. */
bool retain_reserve(Thread *t, ObjLock *l);
/* A section on l ends. False: l is to be released. */
static ALWAYS_INLINE bool retain_keep(Thread *t, ObjLock *l) {
    if (retain_has(t, l)) {
        if (UNLIKELY(--t->excl.retain_left < 0))
            retain_check(t, false);
        return true;
    }
    if (t->excl.last != l) {
        t->excl.last = l;
        t->excl.in_a_row = 0;
        t->excl.row_timed = false;
        return false;
    }
    return UNLIKELY(++t->excl.in_a_row >= RESERVE_ROW) && retain_reserve(t, l);
}
/* Outside the thread's sections: the lock is released. */
void retain_let_go(Thread *t);
/* The section that holds l takes it over: it is no longer retained. */
static ALWAYS_INLINE void retain_forget(Thread *t, const ObjLock *l) {
    if (retain_has(t, l)) {
        Retainer *r = LOAD_RELAXED(&t->excl.retainer);
        STORE_RELAXED(&r->settled, NULL);
        STORE_RELAXED(&r->lock, NULL);
    }
}
/* The thread, attached, has taken l, which it found taken at began (now_ns): from here on it may retain it. */
void retain_contended(Thread *t, ObjLock *l, int64_t began);
/* The thread stores into l's object without the lock. True: so does another one, and it should take the lock and
 * retain it, so that they take turns. */
bool retain_stores(Thread *t, ObjLock *l);
enum {
    RETAIN_LONG_WAIT_NS = 500000
}; /* who waited so long waited for a retainer, most likely, and need not learn it anew */
/* Detached: whoever retains l is asked to look whether it still should. Waits for the list of threads. Returns in how
 * many ns to ask again: at_most_ns, or when its turn is nearly over. */
int64_t retain_ask(const ObjLock *l, int64_t at_most_ns);
/* The object that l belongs to is dead: nobody retains l. */
void retain_dead_slow(ObjLock *l);
static ALWAYS_INLINE void retain_dead(ObjLock *l) {
    if (UNLIKELY(LOAD_RELAXED(l) != 0))
        retain_dead_slow(l);
}
/* What the thread retains, or NULL. */
static ALWAYS_INLINE const ObjLock *retain_which(const Thread *t) {
    return LOAD_RELAXED(&LOAD_RELAXED(&t->excl.retainer)->lock);
}

#else

static inline void retain_thread_init(Thread *t) {}
static inline void retain_thread_fini(Thread *t) {}
static inline bool retain_settled(const Thread *t, const Object *o) {
    return false;
}
static inline bool retain_has(const Thread *t, const ObjLock *l) {
    return false;
}
static inline void retain_check(Thread *t, bool asked) {}
static inline bool retain_keep(Thread *t, ObjLock *l) {
    return false;
}
static inline void retain_let_go(Thread *t) {}
static inline void retain_forget(Thread *t, const ObjLock *l) {}
static inline void retain_contended(Thread *t, ObjLock *l, int64_t began) {}
static inline bool retain_stores(Thread *t, ObjLock *l) {
    return false;
}
enum { RETAIN_LONG_WAIT_NS };
static inline int64_t retain_ask(const ObjLock *l, int64_t at_most_ns) {
    return at_most_ns;
}
static inline void retain_dead(ObjLock *l) {}
static inline const ObjLock *retain_which(const Thread *t) {
    return NULL;
}

#endif

#endif

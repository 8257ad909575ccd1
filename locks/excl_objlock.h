/* EXCL objlock: threads run at once; sections lock the objects they name. Contract: core/backend/contract.md.
 *
 * Invariants:
 *   - A detached, parked or stopped thread holds no object lock: what waits suspends every section of its thread first
 * (but for one that is about to stop the world itself: lock_stop_mutex).
 *   - What no other thread can reach (gc/publish.h) is not locked. A section's object is not published inside the
 * section.
 *   - While the process has one thread (!world_threaded) nothing is locked. The flag changes only in a stopped world
 * where no thread is in a section.
 *   - A section entered again by the same thread on the same object does nothing. */
#ifndef POLYGIL_EXCL_OBJLOCK_H
#define POLYGIL_EXCL_OBJLOCK_H

#include "dead.h"
#include "objlock.h"
#include "retain.h"
#include "runtime/safepoint.h"
#include "runtime/thread.h"
#include "stats.h"

static ALWAYS_INLINE void excl_attach(Thread *t) {
    excl_attach_out(t);
}
static ALWAYS_INLINE void excl_detach(Thread *t) {
    ASSERT(interp_pc_published(t));
    __builtin_unwind_init(); /* callee-saved registers lie in this frame from here on: the stack scanner finds them */
    excl_detach_out(t);
}

static ALWAYS_INLINE int excl_poll(void) {
    Thread *t = thread_self();
    ASSERT(t->excl.depth == 0);
    SCHED_POINT(SCHED_SAFEPOINT, t);
    if (LIKELY(LOAD_RELAXED(&t->poll) == 0))
        return 0;
    return safepoint_slow(t);
}

void excl_cs_begin_slow(ExclCs *cs, ObjLock *l);
void excl_cs_begin2_slow(ExclCs *cs, Object *a, Object *b);
void excl_cs_end_slow(ExclCs *cs);
void excl_leaf_lock_slow(ObjLock *l);
void excl_stores_turn_slow(Thread *t, Value v);

/* Depth of sections, elided ones too: what dies inside one waits on the dead list until the outermost ends. */
static ALWAYS_INLINE void section_enter(Thread *t) {
    if (COUNT_EXACT || POLYGIL_ASSERT >= 1)
        t->excl.depth++;
}
static ALWAYS_INLINE void section_leave(Thread *t) {
    if (COUNT_EXACT || POLYGIL_ASSERT >= 1) {
        ASSERT(t->excl.depth > 0);
        if (--t->excl.depth == 0 && COUNT_EXACT && UNLIKELY(t->dead_len != 0))
            dead_drain(t);
    }
}

/* No other thread touches v before this one's next safepoint, unless it is published meanwhile. */
static ALWAYS_INLINE bool excl_alone(Value v) {
    return LIKELY(!obj_has_flag(v_obj(v), OF_SHARED)) || !LOAD_RELAXED(&world_threaded);
}

/* Debug builds: which private objects are inside an elided section. */
static ALWAYS_INLINE void alone_enter(ExclCs *cs, Value v) {
#if POLYGIL_ASSERT >= 1
    Thread *t = thread_self();
    cs->alone = v;
    cs->alone_prev = t->excl.alone;
    t->excl.alone = cs;
#endif
}
static ALWAYS_INLINE void alone_leave(ExclCs *cs) {
#if POLYGIL_ASSERT >= 1
    Thread *t = thread_self();
    if (t->excl.alone == cs)
        t->excl.alone = cs->alone_prev;
#endif
}
static inline bool excl_inside_alone(Value v) {
#if POLYGIL_ASSERT >= 1
    Thread *t = thread_self();
    for (ExclCs *cs = t ? t->excl.alone : NULL; cs != NULL; cs = cs->alone_prev)
        if (cs->alone == v)
            return true;
#endif
    return false;
}

static ALWAYS_INLINE bool lock_try(ObjLock *l) {
    bool taken = objlock_try(l);
    if (taken)
        STAT_HOT_INC(lock_acquired);
    return taken;
}
static ALWAYS_INLINE void excl_cs_begin(ExclCs *cs, Value v) {
    section_enter(thread_self());
    cs->a = NULL;
    if (excl_alone(v)) {
        alone_enter(cs, v);
        return;
    }
    SCHED_POINT(SCHED_LOCK, v);
    ObjLock *l = objlock_of(v_obj(v));
    Thread *t = thread_self();
    ASSERT(interp_pc_published(t));
    if (LIKELY((retain_has(t, l) && t->excl.cs == NULL) || lock_try(l))) {
        cs->a = l;
        cs->b = NULL;
        cs->suspended = false;
        cs->prev = t->excl.cs;
        t->excl.cs = cs;
    } else {
        excl_cs_begin_slow(cs, l);
    }
}
/* Either may be an immediate, and both the same. */
static ALWAYS_INLINE void excl_cs_begin2(ExclCs *cs, Value a, Value b) {
    section_enter(thread_self());
    cs->a = NULL;
    /* One that is shared makes both locked: what goes from one to the other may publish the private one. */
    ASSERT(interp_pc_published(thread_self()));
    if ((v_is_obj(a) && !excl_alone(a)) || (v_is_obj(b) && !excl_alone(b)))
        excl_cs_begin2_slow(cs, v_is_obj(a) ? v_obj(a) : NULL, v_is_obj(b) ? v_obj(b) : NULL);
}
static ALWAYS_INLINE void excl_cs_end(ExclCs *cs) {
    Thread *t = thread_self();
    alone_leave(cs);
    if (cs->a != NULL) {
        if (LIKELY(cs->b == NULL && cs->prev == NULL && !cs->suspended)) {
            t->excl.cs = NULL;
            if (!retain_keep(t, (ObjLock *)cs->a))
                objlock_release((ObjLock *)cs->a);
            SCHED_POINT(SCHED_UNLOCK, cs->a);
        } else {
            excl_cs_end_slow(cs);
        }
    }
    section_leave(t);
}
/* Inside a section of another object waiting for it suspends that section; it must not be an object locked by this
 * thread. */
static ALWAYS_INLINE void excl_leaf_lock(Value v) {
    section_enter(thread_self());
    if (excl_alone(v))
        return;
    SCHED_POINT(SCHED_LOCK, v);
    ASSERT(interp_pc_published(thread_self()));
    ObjLock *l = objlock_of(v_obj(v));
    if (UNLIKELY(!retain_has(thread_self(), l) && !lock_try(l)))
        excl_leaf_lock_slow(l);
    rank_acquired(RANK_LEAF);
}
static ALWAYS_INLINE void excl_leaf_unlock(Value v) {
    Thread *t = thread_self();
    if (!excl_alone(v)) {
        rank_release(RANK_LEAF);
        if (OBJLOCK_STRIPED && t->excl.leaf_elided) {
            t->excl.leaf_elided = false;
        } else {
            ObjLock *l = objlock_of(v_obj(v));
            if (!retain_keep(t, l))
                objlock_release(l);
            SCHED_POINT(SCHED_UNLOCK, v);
        }
    }
    section_leave(t);
}
/* The calling thread, in no section, holds the lock of this published object from section to section: until its next
 * safepoint or wait, what it does is as in a section. */
static ALWAYS_INLINE bool excl_retains(Value v) {
    Thread *t = thread_self();
    return retain_settled(t, v_obj(v)) || (UNLIKELY(retain_has(t, objlock_of(v_obj(v)))) && --t->excl.retain_left >= 0);
}
/* The same, but says so only sometimes, and counts nothing. */
static ALWAYS_INLINE bool excl_retains_quick(const Thread *t, Value v) {
    return retain_settled(t, v_obj(v));
}
/* The thread, in no section, is about to wait a little, attached, for what another thread may give up only after a
 * section: it keeps no lock. */
static ALWAYS_INLINE void excl_let_go(Thread *t) {
    ASSERT(t->excl.cs == NULL);
    retain_let_go(t);
}
/* Counts a store into v without its lock, where stores need none. True now and then: excl_stores_turn comes first. */
static ALWAYS_INLINE bool excl_stores_due(Thread *t, Value v) {
    return OBJLOCK_RETAINS && !excl_alone(v) && --t->excl.stores_left < 0;
}
/* Threads that store into one object at every moment, without locks, take turns at it too: the cache line costs more to
 * move than the store. Outside sections; may wait. */
static ALWAYS_INLINE void excl_stores_turn(Thread *t, Value v) {
    if (OBJLOCK_RETAINS && UNLIKELY(t->excl.stores_left < 0) && !excl_alone(v))
        excl_stores_turn_slow(t, v);
}
/* o is dead, and was shared: its memory may be freed or retired. */
static ALWAYS_INLINE void excl_object_dead(Object *o) {
    retain_dead(objlock_of(o));
}
/* A macro below says whether readers lock: READS_LOCK_FREE (backend.h) follows from the RETIRE slot. */
static ALWAYS_INLINE void excl_read_begin(ExclCs *cs, Value v) {
    if (!READS_LOCK_FREE)
        excl_cs_begin(cs, v);
}
static ALWAYS_INLINE void excl_read_end(ExclCs *cs) {
    if (!READS_LOCK_FREE)
        excl_cs_end(cs);
}
/* True when objects that die must wait on the dead list: a section is open. */
static ALWAYS_INLINE bool excl_in_section(const Thread *t) {
    return t->excl.depth != 0;
}

#endif

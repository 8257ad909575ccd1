/* Module _thread: locks on the parking lot, thread-local data, starting threads. */
#include <errno.h>
#include <time.h>

#include "bytelock.h"
#include "mutex.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/str.h"
#include "object/structseq.h"
#include "object/tuple.h"
#include "runtime/safepoint.h"
#include "runtime/signal.h"
#include "thread_lock.h"
#include "tracer.h"

#define TIMEOUT_MAX_NS ((int64_t)9223372036 * 1000000000) /* whole seconds, as CPython's TIMEOUT_MAX */

/* ---- waiting ---- */

int thread_timeout_arg(Value v, double *seconds) {
    if (v == ABSENT)
        return 0;
    if (num_as_double(v, seconds) < 0)
        return -1;
    if (*seconds != *seconds) {
        err_set(&exc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    if (!(*seconds > -9223372036.854775808 && *seconds < 9223372036.854775808)) {
        if (v_is_integer(v))
            err_set(&exc_OverflowError, "timestamp too large to convert to C _PyTime_t");
        else
            err_set(&exc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    return 0;
}

/* The arguments blocking and timeout: *ns is 0 (do not block), -1 (for ever) or the time. */
int thread_wait_args(Value *args, intptr_t nargs, int64_t *ns) {
    int blocking = 1;
    if (arg_at(args, nargs, 0) != ABSENT) {
        int b;
        if (num_as_int(args[0], &b) < 0)
            return -1;
        blocking = b != 0;
    }
    double timeout = -1;
    if (thread_timeout_arg(arg_at(args, nargs, 1), &timeout) < 0)
        return -1;
    if (!blocking && timeout != -1) {
        err_set(&exc_ValueError, "can't specify a timeout for a non-blocking call");
        return -1;
    }
    if (timeout < 0 && timeout != -1) {
        err_set(&exc_ValueError, "timeout value must be positive");
        return -1;
    }
    if (timeout > (double)TIMEOUT_MAX_NS / 1e9) {
        err_set(&exc_OverflowError, "timeout value is too large");
        return -1;
    }
    *ns = !blocking ? 0 : timeout == -1 ? -1 : (int64_t)__builtin_ceil(timeout * 1e9);
    return 0;
}

static bool byte_try(_Atomic(uint8_t) *bits) {
    uint8_t seen = 0;
    SCHED_POINT(SCHED_LOCK, bits);
    return atomic_compare_exchange_strong_explicit(bits, &seen, LOCK_HELD, memory_order_acquire,
                                                   memory_order_relaxed) ||
           bytelock_try_any(bits);
}

/* A lock that several threads take at every moment is quickest when they take turns at it, in batches: each change of
 * hands costs more than what is done under the lock. So who finds it taken again and again, with hardly anything in
 * between, sleeps instead of competing. Nobody has to wake it: the others' releases stay cheap. */
enum {
    DENSE_NS = 250,    /* from one acquisition to the next, on average, at most */
    DENSE_TIMES = 3,   /* waits in a row */
    TURN_NS = 500000,  /* asleep, before it looks again */
    TURNS_NS = 4000000 /* asleep in all, before it queues up and is handed the lock */
};

static bool contends_densely(Thread *t, const void *lock, int64_t now) {
    uint32_t n = t->contends.taken - t->contends.at_wait;
    bool dense = t->contends.lock == lock && now - t->contends.waited < (int64_t)n * DENSE_NS;
    t->contends.dense = dense ? t->contends.dense + 1 : 0;
    t->contends.lock = lock;
    return t->contends.dense >= DENSE_TIMES;
}
static int contends_got(Thread *t) {
    t->contends.at_wait = t->contends.taken++;
    t->contends.waited = now_ns();
    return 1;
}

/* Asleep until the lock is free when it looks, TURNS_NS have passed, or a signal came. */
static bool take_turns(Thread *t, _Atomic(uint8_t) *bits, int64_t since) {
    struct timespec turn = {.tv_nsec = TURN_NS};
    bool taken = false;
    DETACHED_BEGIN
    while (!taken && now_ns() - since < TURNS_NS && nanosleep(&turn, NULL) == 0)
        taken = bytelock_try_any(bits);
    t->handed = taken ? bits : NULL;
    DETACHED_END
    t->handed = NULL;
    return taken;
}

/* Acquires; 1, 0 (timeout), -1 (interruptible: a signal handler raised; main thread only). */
static int acquire(_Atomic(uint8_t) *bits, int64_t ns, bool interruptible) {
    if (LIKELY(byte_try(bits))) {
        if (EXCL_PARALLEL)
            thread_self()->contends.taken++;
        return 1;
    }
    if (ns == 0)
        return 0;
    Thread *t = thread_self();
    int64_t since = now_ns(), deadline = ns < 0 ? -1 : deadline_in(ns);
    excl_let_go(t);
    /* Under one lock the holder runs only when we let it. */
    if (EXCL_PARALLEL) {
        bool turns = contends_densely(t, bits, since) && !sched_on && (ns < 0 || ns > TURNS_NS);
        if (turns ? take_turns(t, bits, since) : bytelock_spin(bits))
            return contends_got(t);
    }
    for (;;) {
        bool main = interruptible && thread_is_main(t);
        ByteLockWait r;
        DETACHED_BEGIN
        r = bytelock_park_until(bits, since, deadline, main ? &t->poll : NULL, POLL_SIGNAL);
        t->handed = r == BYTELOCK_HANDED ? bits : NULL;
        t->waited = bits;
        DETACHED_END
        t->handed = t->waited = NULL;
        if (r == BYTELOCK_HANDED || byte_try(bits))
            return contends_got(t);
        if (r == BYTELOCK_TIMEOUT)
            return 0;
        if (interruptible && excl_poll() < 0)
            return -1;
    }
}
int thread_byte_acquire(_Atomic(uint8_t) *bits, int64_t ns) {
    return acquire(bits, ns, true);
}

void thread_byte_release(_Atomic(uint8_t) *bits) {
    uint8_t seen = LOCK_HELD;
    if (!atomic_compare_exchange_strong_explicit(bits, &seen, 0, memory_order_release, memory_order_relaxed))
        bytelock_unlock_slow(bits);
    SCHED_POINT(SCHED_UNLOCK, bits);
}

/* In the byte while the one that releases wakes a waiter: it is not to be released once more. Nobody parks meanwhile;
 * the end of the release overwrites it. */
enum { LOCK_RELEASING = 4 };

bool thread_byte_release_held(_Atomic(uint8_t) *bits) {
    uint8_t seen = LOCK_HELD;
    while (!atomic_compare_exchange_weak_explicit(bits, &seen, seen == LOCK_HELD ? 0 : seen | LOCK_RELEASING,
                                                  memory_order_release, memory_order_relaxed)) {
        if (!(seen & LOCK_HELD) || (seen & LOCK_RELEASING))
            return false;
    }
    if (seen != LOCK_HELD)
        bytelock_unlock_slow(bits);
    SCHED_POINT(SCHED_UNLOCK, bits);
    return true;
}

/* ---- lock ---- */

typedef struct Lock {
    Object hdr;
    _Atomic(uint8_t) bits;
} Lock;
static Type lock_type;

static Value lock_acquire(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t ns = -1;
    if (nargs > 0 && thread_wait_args(args, nargs, &ns) < 0)
        return ABSENT;
    int r = thread_byte_acquire(&((Lock *)self)->bits, ns);
    return r < 0 ? ABSENT : v_bool(r);
}

static Value lock_release(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!thread_byte_release_held(&((Lock *)self)->bits))
        return err_set(&exc_RuntimeError, "release unlocked lock");
    return V_NONE;
}

static Value lock_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    return lock_release(self, NULL, 0, ABSENT);
}
static Value lock_enter(Value self, Value *args, intptr_t nargs, Value kw) {
    return lock_acquire(self, NULL, 0, ABSENT);
}

static Value lock_locked(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(LOAD_RELAXED(&((Lock *)self)->bits) & LOCK_HELD);
}

static Value lock_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("<%s %T object at %p>",
                        (LOAD_RELAXED(&((Lock *)self)->bits) & LOCK_HELD) ? "locked" : "unlocked", self, (void *)self);
}

static Value lock_at_fork_reinit(Value self, Value *args, intptr_t nargs, Value kw) {
    STORE_RELAXED(&((Lock *)self)->bits, 0);
    return V_NONE;
}

static const NativeDef lock_methods[] = {
    {"acquire_lock", lock_acquire, "($self, blocking=True, timeout=-1)"},
    {"acquire", lock_acquire, "($self, blocking=True, timeout=-1)", 0,
     "acquire(blocking=True, timeout=-1) -> bool\n\nLock the lock.  Without argument, this blocks if the lock is "
     "already\nlocked (even by the "
     "same thread), waiting for another thread to release\nthe lock, and return True once the lock is acquired.\nWith "
     "an argument, this will "
     "only block if the argument is true,\nand the return value reflects whether the lock is acquired.\nThe blocking "
     "operation is "
     "interruptible."},
    {"release_lock", lock_release, "($self)"},
    {"release", lock_release, "($self)", 0,
     "Release the lock, allowing another thread that is blocked waiting for\nthe lock to acquire the lock.  The lock "
     "must be in the locked "
     "state,\nbut it needn't be locked by the same thread that unlocks it."},
    {"locked_lock", lock_locked, "($self)"},
    {"locked", lock_locked, "($self)", 0, "Return whether the lock is in the locked state."},
    {"__enter__", lock_enter, "($self)"},
    {"__exit__", lock_exit, "($self, *args)"},
    {"__repr__", lock_repr, "($self, /)"},
    {"_at_fork_reinit", lock_at_fork_reinit, "($self)"},
    {0},
};

static const TypeSpec lock_spec = {
    .name = "_thread.lock",
    .doc = "A lock object is a synchronization primitive.  To create a lock,\ncall threading.Lock().",
    .basic_size = sizeof(Lock),
    .flags = TF_NO_NEW | TF_UNTRACKED | TF_WEAKREF,
    .methods = lock_methods,
};

static Value m_allocate_lock(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_new(&lock_type);
}

/* ---- rlock ---- */

typedef struct RLock {
    Object hdr;
    _Atomic(uint8_t) bits;
    _Atomic(uint64_t) owner; /* Thread.serial; 0: nobody. Written by the holder of bits */
    uint64_t owner_ident;    /* for repr and _release_save */
    _Atomic(uint64_t) count;
} RLock;
static Type rlock_type;

static bool rlock_mine(const RLock *l) {
    return LOAD_RELAXED(&((RLock *)l)->owner) == thread_self()->serial;
}

static Value rlock_acquire(Value self, Value *args, intptr_t nargs, Value kw) {
    RLock *l = (RLock *)self;
    int64_t ns = -1;
    if (nargs > 0 && thread_wait_args(args, nargs, &ns) < 0)
        return ABSENT;
    if (rlock_mine(l)) {
        uint64_t n = LOAD_RELAXED(&l->count) + 1;
        if (n == 0)
            return err_set(&exc_OverflowError, "Internal lock count overflowed");
        STORE_RELAXED(&l->count, n);
        return V_TRUE;
    }
    int r = thread_byte_acquire(&l->bits, ns);
    if (r > 0) {
        STORE_RELAXED(&l->count, 1);
        STORE_RELAXED(&l->owner, thread_self()->serial);
    }
    return r < 0 ? ABSENT : v_bool(r);
}

static Value rlock_release(Value self, Value *args, intptr_t nargs, Value kw) {
    RLock *l = (RLock *)self;
    if (!rlock_mine(l))
        return err_set(&exc_RuntimeError, "cannot release un-acquired lock");
    uint64_t n = LOAD_RELAXED(&l->count) - 1;
    STORE_RELAXED(&l->count, n);
    if (n == 0) {
        STORE_RELAXED(&l->owner, 0);
        thread_byte_release(&l->bits);
    }
    return V_NONE;
}

static Value rlock_enter(Value self, Value *args, intptr_t nargs, Value kw) {
    return rlock_acquire(self, NULL, 0, ABSENT);
}
static Value rlock_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    return rlock_release(self, NULL, 0, ABSENT);
}
static Value rlock_is_owned(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(rlock_mine((RLock *)self));
}

static Value rlock_release_save(Value self, Value *args, intptr_t nargs, Value kw) {
    RLock *l = (RLock *)self;
    if (!rlock_mine(l))
        return err_set(&exc_RuntimeError, "cannot release un-acquired lock");
    Value pair[2] = {int_from_u64(LOAD_RELAXED(&l->count)), int_from_u64(thread_self()->ident)};
    Value r = tuple_from_steal(pair, 2);
    if (r == ABSENT)
        return ABSENT;
    STORE_RELAXED(&l->count, 0);
    STORE_RELAXED(&l->owner, 0);
    thread_byte_release(&l->bits);
    return r;
}

static Value rlock_acquire_restore(Value self, Value *args, intptr_t nargs, Value kw) {
    RLock *l = (RLock *)self;
    uint64_t n;
    if (!v_is_tuple(args[0]) || tuple_len(args[0]) != 2)
        return err_set(&exc_TypeError, "_acquire_restore() argument 1 must be a 2-tuple");
    if (int_to_u64_mask(tuple_get(args[0], 0), &n) < 0)
        return ABSENT;
    acquire(&l->bits, -1, false); /* whoever waits for a condition has the lock again, whatever comes */
    STORE_RELAXED(&l->count, n);
    STORE_RELAXED(&l->owner, thread_self()->serial);
    return V_NONE;
}

static Value rlock_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    RLock *l = (RLock *)self;
    uint64_t serial = LOAD_RELAXED(&l->owner), ident = 0;
    if (serial != 0) {
        thread_list_lock();
        for (Thread *t = thread_list; t != NULL; t = t->next) {
            if (t->serial == serial)
                ident = t->ident;
        }
        thread_list_unlock();
    }
    return str_format_c("<%s %T object owner=%ld count=%ld at %p>", serial ? "locked" : "unlocked", self, (long)ident,
                        (long)LOAD_RELAXED(&l->count), (void *)self);
}

static Value rlock_at_fork_reinit(Value self, Value *args, intptr_t nargs, Value kw) {
    RLock *l = (RLock *)self;
    STORE_RELAXED(&l->bits, 0);
    STORE_RELAXED(&l->owner, 0);
    STORE_RELAXED(&l->count, 0);
    return V_NONE;
}

static Value rlock_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return obj_new((Type *)cls);
}

static const NativeDef rlock_methods[] = {
    {"__new__", rlock_new, "($type, *args, **kwargs)", NF_STATIC},
    {"acquire", rlock_acquire, "($self, blocking=True, timeout=-1)", 0,
     "Lock the lock.  `blocking` indicates whether we should wait\nfor the lock to be available or not.  If `blocking` "
     "is False\nand another "
     "thread holds the lock, the method will return False\nimmediately.  If `blocking` is True and another thread "
     "holds\nthe lock, the method "
     "will wait for the lock to be released,\ntake it and then return True.\n(note: the blocking operation is "
     "interruptible.)"},
    {"release", rlock_release, "($self)", 0,
     "Release the lock, allowing another thread that is blocked waiting for\nthe lock to acquire it."},
    {"__enter__", rlock_enter, "($self)"},
    {"__exit__", rlock_exit, "($self, *args)"},
    {"_is_owned", rlock_is_owned, "($self)"},
    {"_acquire_restore", rlock_acquire_restore, "($self, state, /)"},
    {"_release_save", rlock_release_save, "($self)"},
    {"__repr__", rlock_repr, "($self, /)"},
    {"_at_fork_reinit", rlock_at_fork_reinit, "($self)"},
    {0},
};

static const TypeSpec rlock_spec = {
    .name = "_thread.RLock",
    .basic_size = sizeof(RLock),
    .flags = TF_BASETYPE | TF_UNTRACKED | TF_WEAKREF,
    .methods = rlock_methods,
};

/* ---- local ---- */

/* Attributes per thread: `dicts` maps Thread.serial to a dict. All locals are in a list, so that a thread that ends can
 * take its dict out of each; a local leaves it when it dies: in fini, or, where there are no counts, when the collector
 * has marked (drop_dead). */
typedef struct Local {
    Object hdr;
    Ref dicts;    /* immutable */
    Ref args, kw; /* immutable: what __init__ gets in each thread; tuple, dict or ABSENT */
    struct Local *next, *prev;
    bool listed;
} Local;
static Type local_type;
static Local *locals;
static Mutex locals_mutex = MUTEX_INIT(RANK_TABLE);

static void local_traverse(Value self, VisitFn visit, void *arg) {
    Local *l = (Local *)self;
    visit(ref_peek(&l->dicts), arg);
    visit(ref_peek(&l->args), arg);
    visit(ref_peek(&l->kw), arg);
}
static void local_clear(Value self) {
    Local *l = (Local *)self;
    ref_clear(self, &l->dicts);
    ref_clear(self, &l->args);
    ref_clear(self, &l->kw);
}
/* The list is locked, or the world is stopped. */
static void unlink_local(Local *l) {
    if (!l->listed)
        return;
    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        locals = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
    l->next = l->prev = NULL;
    l->listed = false;
}
static void local_fini(Value self) {
    mutex_lock(&locals_mutex);
    unlink_local((Local *)self);
    mutex_unlock(&locals_mutex);
}
static void drop_dead(bool (*alive)(Value v)) {
    for (Local *l = locals, *next; l != NULL; l = next) {
        next = l->next;
        if (!alive(V_OF(l)))
            unlink_local(l);
    }
}
static const TypeOps local_ops = {local_traverse, local_clear, local_fini};

static Value local_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)cls;
    intptr_t nkw = kw == ABSENT ? 0 : tuple_len(kw);
    if ((nargs > 0 || nkw > 0) && type_special(t, SP_INIT) == type_special(&object_type, SP_INIT))
        return err_set(&exc_TypeError, "Initialization arguments are not supported");
    Value v = obj_new(t);
    Value dicts = ABSENT, a = ABSENT, k = ABSENT, d = ABSENT;
    if (v == ABSENT || (dicts = dict_new()) == ABSENT || (a = tuple_from(args, nargs)) == ABSENT ||
        (d = dict_new()) == ABSENT)
        goto fail;
    if (nkw > 0) {
        if ((k = dict_new()) == ABSENT)
            goto fail;
        for (intptr_t i = 0; i < nkw; i++) {
            if (dict_set(k, tuple_get(kw, i), args[nargs + i]) < 0)
                goto fail;
        }
    }
    /* type.__call__ runs __init__ in this thread. */
    if (dict_set(dicts, v_from_int((int64_t)thread_self()->serial), d) < 0)
        goto fail;
    release(d);
    Local *l = (Local *)v;
    ref_init(&l->dicts, dicts);
    ref_init(&l->args, a);
    ref_init(&l->kw, k);
    trace_track(v_obj(v));
    publish(v);
    count_share(v_obj(v)); /* locals_thread_end of any thread may take a reference */
    mutex_lock(&locals_mutex);
    l->next = locals;
    if (locals != NULL)
        locals->prev = l;
    locals = l;
    l->listed = true;
    mutex_unlock(&locals_mutex);
    return v;
fail:
    release(v);
    release(dicts);
    release(a);
    release(k);
    release(d);
    return ABSENT;
}

/* Drops the dicts of threads that have ended. */
static int purge(Value dicts) {
    Value keys = dict_keys_list(dicts);
    if (keys == ABSENT)
        return -1;
    for (intptr_t i = 0; i < list_len(keys); i++) {
        Value k = list_get(keys, i);
        bool alive = false;
        thread_list_lock();
        for (Thread *t = thread_list; t != NULL; t = t->next)
            alive |= t->serial == (uint64_t)v_int(k);
        thread_list_unlock();
        Value old = ABSENT;
        if (!alive && dict_pop(dicts, k, &old) < 0) {
            release(keys);
            return -1;
        }
        release(old);
    }
    release(keys);
    return 0;
}

/* The calling thread's dict, owned. Makes it and calls __init__ on first use. */
static Value local_dict(Value self) {
    Local *l = (Local *)self;
    Value dicts = ref_peek(&l->dicts), key = v_from_int((int64_t)thread_self()->serial), d;
    int found = dict_lookup(dicts, key, &d);
    if (found != 0)
        return found < 0 ? ABSENT : d;
    if (purge(dicts) < 0 || (d = dict_new()) == ABSENT)
        return ABSENT;
    if (dict_set(dicts, key, d) < 0)
        goto fail;
    if (type_special(type_of(self), SP_INIT) != type_special(&object_type, SP_INIT)) {
        Value init;
        int r = obj_lookup_special(self, SP_INIT, &init);
        Value res = r > 0 ? obj_call_tuple_dict(init, ref_peek(&l->args), ref_peek(&l->kw)) : r < 0 ? ABSENT : V_NONE;
        if (r > 0)
            release(init);
        if (res == ABSENT) {
            /* As if never touched: __init__ runs again next time. */
            Value exc = err_fetch(), old = ABSENT;
            dict_pop(dicts, key, &old);
            release(old);
            err_restore(exc);
            goto fail;
        }
        release(res);
    }
    return d;
fail:
    release(d);
    return ABSENT;
}

static Value local_getattribute(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = args[0];
    if (!v_is_str(name))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
    Value d = local_dict(self);
    if (d == ABSENT)
        return ABSENT;
    if (str_equal_c(name, "__dict__"))
        return d;
    Value cls_attr = type_lookup(type_of(self), name);
    bool data = cls_attr != ABSENT && (type_special(type_of(cls_attr), SP_SET) != ABSENT ||
                                       type_special(type_of(cls_attr), SP_DELETE) != ABSENT);
    Value v = ABSENT;
    int found = data ? 0 : dict_lookup(d, name, &v);
    release(d);
    if (found < 0) {
        release(cls_attr);
        return ABSENT;
    }
    if (found == 0) {
        if (cls_attr == ABSENT)
            v = err_set(&exc_AttributeError, "'%T' object has no attribute '%S'", self, name);
        else
            v = obj_generic_getattr(self, name);
    }
    release(cls_attr);
    return v;
}

static int local_setattr(Value self, Value name, Value v) {
    if (!v_is_str(name)) {
        err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
        return -1;
    }
    if (str_equal_c(name, "__dict__")) {
        err_set(&exc_AttributeError, "'%T' object attribute '%S' is read-only", self, name);
        return -1;
    }
    Value d = local_dict(self);
    if (d == ABSENT)
        return -1;
    Value cls_attr = type_lookup(type_of(self), name);
    bool data = cls_attr != ABSENT && (type_special(type_of(cls_attr), SP_SET) != ABSENT ||
                                       type_special(type_of(cls_attr), SP_DELETE) != ABSENT);
    int rc;
    if (data) {
        rc = obj_generic_setattr(self, name, v);
    } else if (v != ABSENT) {
        rc = dict_set(d, name, v);
    } else {
        Value old = ABSENT;
        rc = dict_pop(d, name, &old);
        release(old);
        if (rc == 0)
            err_set(&exc_AttributeError, "'%T' object has no attribute '%S'", self, name);
        rc = rc > 0 ? 0 : -1;
    }
    release(cls_attr);
    release(d);
    return rc;
}

static Value local_setattr_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return local_setattr(self, args[0], args[1]) < 0 ? ABSENT : V_NONE;
}
static Value local_delattr_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return local_setattr(self, args[0], ABSENT) < 0 ? ABSENT : V_NONE;
}

static const NativeDef local_methods[] = {
    {"__new__", local_new, "($type, /, *args, **kw)", NF_STATIC},
    {"__getattribute__", local_getattribute, "($self, name, /)"},
    {"__setattr__", local_setattr_m, "($self, name, value, /)"},
    {"__delattr__", local_delattr_m, "($self, name, /)"},
    {0},
};
static const TypeSpec local_spec = {
    .name = "_thread._local",
    .doc = "Thread-local data",
    .basic_size = sizeof(Local),
    .flags = TF_BASETYPE,
    .ops = &local_ops,
    .methods = local_methods,
};

/* A thread ends: its dict leaves every local. */
static void locals_thread_end(Thread *t) {
    Value key = v_from_int((int64_t)t->serial);
    Value last = ABSENT; /* owned: keeps the place in the list */
    for (;;) {
        Value v = ABSENT;
        mutex_lock(&locals_mutex);
        for (Local *l = last == ABSENT ? locals : ((Local *)last)->next; l != NULL; l = l->next) {
            if (count_try_retain(&l->hdr)) { /* false: it is dying */
                v = V_OF(l);
                break;
            }
        }
        mutex_unlock(&locals_mutex);
        release(last);
        if (v == ABSENT)
            return;
        Value dicts = ref_peek(&((Local *)v)->dicts), old = ABSENT;
        if (dicts != ABSENT && dict_pop(dicts, key, &old) < 0)
            err_clear();
        release(old);
        last = v;
    }
}

/* ---- threads ---- */

static _Atomic(int64_t) n_threads;

static void thread_run(Thread *t) {
    Value start = t->start;
    t->start = ABSENT;
    Value f = tuple_get(start, 0), kwargs = tuple_get(start, 2);
    Value r = obj_call_tuple_dict(f, tuple_get(start, 1), kwargs == V_NONE ? ABSENT : kwargs);
    if (r == ABSENT) {
        if (err_matches(&exc_SystemExit))
            err_clear();
        else
            err_unraisable("in thread started by", f);
    }
    release(r);
    release(start);
    atomic_fetch_sub_explicit(&n_threads, 1, memory_order_relaxed);
}

static Value m_start_new_thread(Value self, Value *args, intptr_t nargs, Value kw) {
    Value kwargs = arg_at(args, nargs, 2);
    if (!v_is_callable(args[0]))
        return err_set(&exc_TypeError, "first arg must be callable");
    if (!v_is_tuple(args[1]))
        return err_set(&exc_TypeError, "2nd arg must be a tuple");
    if (kwargs != ABSENT && !v_is_dict(kwargs))
        return err_set(&exc_TypeError, "optional 3rd arg must be a dictionary");
    Value start = tuple_pack(3, args[0], args[1], kwargs == ABSENT ? V_NONE : kwargs);
    if (start == ABSENT)
        return ABSENT;
    atomic_fetch_add_explicit(&n_threads, 1, memory_order_relaxed);
    uint64_t ident = thread_start(thread_run, start);
    if (ident == 0) {
        atomic_fetch_sub_explicit(&n_threads, 1, memory_order_relaxed);
        return ABSENT;
    }
    return int_from_u64(ident);
}

static Value m_exit(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set_none(&exc_SystemExit);
}
static Value m_get_ident(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_u64(thread_self()->ident);
}
static Value m_get_native_id(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(thread_self()->native_id);
}
static Value m_count(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(LOAD_RELAXED(&n_threads));
}

static Value m_interrupt_main(Value self, Value *args, intptr_t nargs, Value kw) {
    int signum = SIGINT;
    if (nargs > 0 && args[0] != ABSENT && num_as_int(args[0], &signum) < 0)
        return ABSENT;
    if (signum < 1 || signum >= NSIG)
        return err_set(&exc_ValueError, "signal number out of range");
    Value h = signal_get(signum);
    if (v_is_obj(h) || h == V_MARK)
        signal_trip(signum);
    release(h);
    return V_NONE;
}

static Value m_stack_size(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t size = 0;
    size_t old = LOAD_RELAXED(&thread_stack_size);
    if (arg_at(args, nargs, 0) != ABSENT) {
        if (num_as_i64(args[0], &size) < 0)
            return ABSENT;
        if (size < 0)
            return err_set(&exc_ValueError, "size must be 0 or a positive value");
        if (size != 0 && size < 32768)
            return err_set(&exc_ValueError, "size not valid: %zd bytes", (ssize_t)size);
        STORE_RELAXED(&thread_stack_size, (size_t)size);
    }
    return v_from_int((int64_t)old);
}

static Value m_set_sentinel(Value self, Value *args, intptr_t nargs, Value kw) {
    Value lock = obj_new(&lock_type);
    if (lock == ABSENT)
        return ABSENT;
    Thread *t = thread_self();
    Value old = t->sentinel;
    t->sentinel = retained(lock);
    release(old);
    return lock;
}

void thread_sentinel_release(Value lock) {
    thread_byte_release_held(&((Lock *)lock)->bits);
}

/* ---- uncaught exceptions ---- */

static Type hook_args_type;
static const StructSeqField hook_args_fields[] = {
    {"exc_type", "Exception type"},
    {"exc_value", "Exception value"},
    {"exc_traceback", "Exception traceback"},
    {"thread", "Thread"},
    {0},
};
/* sys.stderr, or the thread's own while sys is being torn down; owned, None: nowhere. */
static Value hook_file(Value thread) {
    Value file = sys_get("stderr");
    if (file != ABSENT && file != V_NONE)
        return file;
    release(file);
    file = ABSENT;
    if (thread != V_NONE && obj_lookup_attr_str(thread, "_stderr", &file) < 0)
        return ABSENT;
    return file == ABSENT ? V_NONE : file;
}

static Value m_excepthook(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = args[0];
    if (type_of(a) != &hook_args_type)
        return err_set(&exc_TypeError, "_thread.excepthook argument type must be ExceptHookArgs");
    Value type = tuple_get(a, 0), value = tuple_get(a, 1), tb = tuple_get(a, 2), thread = tuple_get(a, 3);
    if (type == V_OF(&exc_SystemExit))
        return V_NONE;
    Value result = ABSENT, name = ABSENT, text = ABSENT, file = hook_file(thread);
    if (file == ABSENT)
        return ABSENT;
    if (file == V_NONE)
        return V_NONE;
    if (thread != V_NONE && obj_lookup_attr_str(thread, "_name", &name) < 0)
        goto done;
    if (name != ABSENT)
        text = str_format_c("Exception in thread %S:\n", name);
    else
        text = str_format_c("Exception in thread %lu:\n", (unsigned long)thread_self()->ident);
    if (text == ABSENT)
        goto done;
    Value r = obj_call_method_str(file, "write", &text, 1);
    if (r == ABSENT)
        goto done;
    release(r);
    release(text);
    text = exc_format_full(value, tb);
    if (text == ABSENT)
        goto done;
    r = obj_call_method_str(file, "write", &text, 1);
    if (r == ABSENT)
        goto done;
    release(r);
    r = obj_call_method_str(file, "flush", NULL, 0);
    if (r == ABSENT)
        goto done;
    release(r);
    result = V_NONE;
done:
    release(text);
    release(name);
    release(file);
    return result;
}

/* ---- module ---- */

static const NativeDef functions[] = {
    {"start_new_thread", m_start_new_thread, "($module, function, args, kwargs={}, /)", 0,
     "Start a new thread and return its identifier.\n\nThe thread will call the function with positional arguments "
     "from the\ntuple args and "
     "keyword arguments taken from the optional dictionary\nkwargs."},
    {"start_new", m_start_new_thread, "($module, function, args, kwargs={}, /)"},
    {"allocate_lock", m_allocate_lock, "($module)", 0,
     "Create a new lock object. See help(type(threading.Lock())) for\ninformation about locks."},
    {"allocate", m_allocate_lock, "($module)"},
    {"exit_thread", m_exit, "($module)"},
    {"exit", m_exit, "($module)", 0,
     "This is synonymous to ``raise SystemExit''.  It will cause the current\nthread to exit silently unless the "
     "exception is caught."},
    {"interrupt_main", m_interrupt_main, "($module, signum=2, /)", 0,
     "Simulate the arrival of the given signal in the main thread."},
    {"get_ident", m_get_ident, "($module)", 0,
     "Return a non-zero integer that uniquely identifies the current thread\namongst other threads that exist "
     "simultaneously."},
    {"get_native_id", m_get_native_id, "($module)", 0,
     "Return a non-negative integer identifying the thread as reported\nby the OS (kernel)."},
    {"_count", m_count, "($module)"},
    {"stack_size", m_stack_size, "($module, size=0, /)", 0,
     "Return the thread stack size used when creating new threads."},
    {"_set_sentinel", m_set_sentinel, "($module)"},
    {"_excepthook", m_excepthook, "($module, args, /)", 0, "Handle uncaught Thread.run() exception."},
    {0},
};

static void after_fork_child(void) {
    mutex_reinit(&locals_mutex);
    STORE_RELAXED(&n_threads, 0);
}

static int exec(Value m) {
    if (lock_type.spec == NULL) {
        type_init_module_type(&lock_type, &lock_spec);
        type_init_module_type(&rlock_type, &rlock_spec);
        type_init_module_type(&local_type, &local_spec);
        structseq_init(&hook_args_type, "_thread._ExceptHookArgs",
                       "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.", hook_args_fields, 4);
        thread_on_end(locals_thread_end);
        trace_register_weak(drop_dead);
        thread_atfork(NULL, NULL, after_fork_child);
    }
    if (module_add(m, "LockType", retained(V_OF(&lock_type))) < 0 ||
        module_add(m, "RLock", retained(V_OF(&rlock_type))) < 0 ||
        module_add(m, "_local", retained(V_OF(&local_type))) < 0 ||
        module_add(m, "_ExceptHookArgs", retained(V_OF(&hook_args_type))) < 0 ||
        module_add(m, "error", retained(V_OF(&exc_RuntimeError))) < 0 ||
        module_add(m, "TIMEOUT_MAX", float_new((double)TIMEOUT_MAX_NS / 1e9)) < 0)
        return -1;
    return 0;
}

const ModuleSpec module__thread = {
    "_thread",
    "This module provides primitive operations to write multi-threaded programs.\nThe 'threading' module provides a "
    "more convenient interface.",
    functions,
    exec,
};

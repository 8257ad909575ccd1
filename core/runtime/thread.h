/* One record per OS thread that runs managed code, the pending exception, and the block that runs detached.
 *
 * Glossary: attached: may touch Values; detached: may block, touches no Value; parked: waits inside the VM, counts as
 * detached. Only the thread itself writes its record, except `poll` (any thread sets bits) and what the EXCL policy
 * says.
 */
#ifndef POLYGIL_THREAD_H
#define POLYGIL_THREAD_H

#include "backend/header.h"
#include HEAP_TYPES_HEADER
#include RETIRE_TYPES_HEADER

/* Bits of Thread.poll: reasons for the slow poll. */
enum {
    POLL_GIL_DROP = 1,   /* a waiter asks for the lock */
    POLL_STOP = 2,       /* the world is being stopped */
    POLL_SIGNAL = 4,     /* a C signal handler ran (main thread only) */
    POLL_PENDING = 8,    /* pending calls, asynchronous exception, finalizers */
    POLL_COLLECT = 16,   /* the heap asks for a collection */
    POLL_QUIESCENT = 32, /* somebody waits for this thread's quiescent state */
    POLL_MERGE = 64,     /* counts to merge, or a dead list to drain */
    POLL_RETAINED = 256, /* somebody waits for the object lock that this thread retains (locks/retain.h) */
    POLL_TORTURE = 128,  /* never cleared: each safepoint is slow, see runtime/torture.h */
    POLL_CACHES = 512,   /* the inline caches have no side cell left */
};

struct InterpFrame;

struct Thread {
    _Atomic(uint32_t) poll;    /* POLL_*: nonzero makes the next safepoint slow */
    uint32_t id;               /* small, unique among living threads, from 1 */
    struct InterpFrame *frame; /* innermost Python frame, or NULL (interp/frame.h) */
    Value *stack_limit;        /* end of the current segment of the register stack: interp/frame.h */
    Value exc;                 /* pending exception instance, owned, or ABSENT */
    Value handled;           /* exception being handled (sys.exc_info), owned, or ABSENT: top of the chain in interp/ */
    int32_t c_depth;         /* nested interpreter entries and C recursion */
    int32_t py_depth;        /* Python frames */
    uintptr_t c_stack_limit; /* lowest address that C code may reach before RecursionError */
    uintptr_t c_stack_base;  /* highest address: the scanner's end */
    uintptr_t c_stack_top;   /* published at detach and slow poll: the scanner's start */
    uintptr_t c_stack_loop;  /* the frames of the innermost interpreter loop begin below it */
    uintptr_t c_stack_gap_low, c_stack_gap_high; /* a stretch in between that holds no Value of its own, or 0, 0 */
    void *interp;                                /* interp/'s own per-thread state */
    Value interp_result;                         /* what the loop leaves with: interp/ */
    bool yielded;                                /* it leaves with what a generator yields, not with its end */
    Value dying;                                 /* dispatch.c: a value on its way to its end */
    int dying_offset;
    uint64_t ident; /* pthread_self() */
    int native_id;
    Value context;   /* contextvars, owned or ABSENT */
    Value dict;      /* thread-state dict, owned or ABSENT */
    Value start;     /* what a thread that has not begun yet will run, owned or ABSENT */
    Value sentinel;  /* lock released when the thread has ended (_thread._set_sentinel), owned or ABSENT */
    Value async_exc; /* exception that another thread sends to this one, owned or ABSENT; under the list's lock */
    Object **dead;   /* dead list: objects whose count fell to zero and that wait to be destroyed (gc/dead.h) */
    uint32_t dead_len, dead_cap;
    struct DeadFrame *destroying; /* objects being destroyed further out (gc/dead.c): roots */
    /* A byte lock that it was handed while detached, or has waited for: should it never attach again, the lock, or the
     * wake, goes to the next. */
    _Atomic(uint8_t) *handed, *waited;
    /* Python's locks that it waits for: modules/mod__thread.c */
    struct {
        const void *lock; /* the last one */
        int64_t waited;   /* until then, ns */
        uint32_t taken;   /* locks taken */
        uint32_t at_wait; /* locks that had been taken then */
        int32_t dense;    /* waits for it in a row between which the thread did little but take locks */
    } contends;
    uint32_t dead_depth; /* destructions nested in each other, and dead_hold */
    uint64_t serial;     /* never reused */
    Thread *next, *prev; /* list of all threads, under the thread list's lock */
    ExclThread excl;
    CountThread count;
    RetireThread retire;
    HeapThread heap;
};

extern _Thread_local Thread *thread_current TLS_FAST;
static ALWAYS_INLINE Thread *thread_self(void) {
    return thread_current;
}

/* True while the process has had one thread only since the last time it was alone: locks are elided, memory is freed at
 * once. Changes only in a stopped world, by the one running thread. */
extern _Atomic(bool) world_threaded;

/* Thread.excl.state. STOPPED: detached, and must not attach until the world starts again. CLAIMED: detached, and
 * another thread works on its record for a moment (excl_claim). */
enum { THREAD_DETACHED, THREAD_ATTACHED, THREAD_STOPPED, THREAD_CLAIMED };
/* The bits above the state are EXCL's own. */
enum { THREAD_STATE_MASK = 3, THREAD_STATE_STEP = 4 };

/* The record of the calling OS thread, attached: made, linked and initialised in every slot. NULL when memory is short.
 * The first call makes the main thread's. */
Thread *thread_attach_new(void);
/* Attached, in no section; the record is unlinked and freed, the OS thread goes on without one. */
void thread_detach_end(void);
/* Starts an OS thread that calls fn(t) attached, with t->start = start (stolen), and then ends. Its ident, or 0 with
 * RuntimeError "can't start new thread". */
uint64_t thread_start(void (*fn)(Thread *), Value start);
extern Thread *thread_main_record; /* the main thread's: signals are handled there */
static inline bool thread_is_main(const Thread *t) {
    return t == thread_main_record;
}
/* modules/mod__thread.c: releases the lock object. */
void thread_sentinel_release(Value lock);
/* First record of the list; follow ->next. In a stopped world, or with the list locked. */
extern Thread *thread_list;
void thread_list_lock(void);          /* short: no allocation from the heap, no Python code, no poll under it */
void thread_list_lock_attached(void); /* waits attached: for who stops the world */
void thread_list_unlock(void);
uint32_t thread_count(void);
/* At a safepoint of the only thread left: locks are elided again (world_threaded becomes false). */
bool thread_try_alone(void);
/* Bytes of C stack for new threads; 0: the system's default. */
extern _Atomic(size_t) thread_stack_size;
/* From here on attach never returns in any other thread (daemon threads at exit). Caller attached. */
void thread_at_exit(void);
extern _Atomic(Thread *) thread_ender; /* who ends the process, or NULL */
static ALWAYS_INLINE bool thread_must_vanish(const Thread *t) {
    Thread *e = LOAD_RELAXED(&thread_ender);
    return UNLIKELY(e != NULL) && e != t;
}
/* The caller ends the process: what other threads hold is never given back. */
static ALWAYS_INLINE bool thread_is_last(const Thread *t) {
    return UNLIKELY(LOAD_RELAXED(&thread_ender) == t);
}
NORETURN void thread_vanish(void); /* detached: sleeps for ever */
/* fn runs in every thread that ends, attached, before its values are released; it may run Python code. Registered at
 * start-up or import. */
void thread_on_end(void (*fn)(Thread *));
/* Sets poll bits of a thread (a living one) or of all. Callable from any thread; from a signal handler for the main
 * thread. */
void thread_set_poll(Thread *t, uint32_t bits);
void thread_set_poll_all(uint32_t bits);
/* Publishes the address below the caller's frame for the stack scanner. The caller's frame must hold its callee-saved
 * registers
 * (__builtin_unwind_init) and stay alive as long as the address is used. */
void thread_publish_stack(Thread *t);

/* fork: the caller is attached, in no section. before stops the world; the parent starts it again; in the child the
 * other records are freed. */
void thread_before_fork(void);
void thread_after_fork_parent(void);
void thread_after_fork_child(void);
/* How many forks lie between the first process and this one. What an earlier count's thread held is nobody's now,
 * unless that thread forked: it is thread_main_record then. */
extern _Atomic(uint32_t) thread_forks;
/* C hooks around fork; NULL allowed. before run in reverse order of registration, in a stopped world. */
void thread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void));

/* Errors. A function that fails returns ABSENT, NULL or -1 with one exception pending in the current thread. */
static ALWAYS_INLINE bool err_pending(void) {
    return thread_self()->exc != ABSENT;
}

/* Debug builds: the innermost frame says where it is, as it must wherever the thread may wait or stop (interp/). */
bool interp_pc_published(const Thread *t);

/* DETACHED_BEGIN; blocking calls only, no Value touched; DETACHED_END; errno is preserved. */
#define DETACHED_BEGIN                            \
    {                                             \
        Thread *detached_thread_ = thread_self(); \
        excl_detach(detached_thread_);
#define DETACHED_END               \
    excl_attach(detached_thread_); \
    }

#endif

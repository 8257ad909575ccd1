#include "runtime/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/backend.h"
#include "bytelock.h"
#include "dead.h"
#include "heap.h"
#include "interp/frame.h"
#include "mutex.h"
#include "object/err.h"
#include "parker.h"
#include "parking.h"
#include "runtime/safepoint.h"
#include "runtime/torture.h"
#include "stats.h"

_Thread_local Thread *thread_current;
_Atomic(bool) world_threaded;
Thread *thread_list;
Thread *thread_main_record;
_Atomic(Thread *) thread_ender;
_Atomic(size_t) thread_stack_size;
_Atomic(uint32_t) thread_forks;

static Mutex list_mutex = MUTEX_INIT(RANK_THREADS);
static _Atomic(uint32_t) count; /* records in the list; written under its lock */
static uint64_t next_serial = 1;

/* Bytes left for what runs when the limit is reached: error handling, the C library, instrumented frames. */
enum { STACK_RESERVE = POLYGIL_SANITIZED ? 512 << 10 : 96 << 10 };
/* No use of more, and the main thread's limit may be "unlimited". */
static const size_t STACK_USE_MAX = (size_t)64 << 20;

static void (*end_hooks[8])(Thread *);
static int n_end_hooks;

static struct {
    void (*before)(void), (*parent)(void), (*child)(void);
} fork_hooks[32];
static int n_fork_hooks;

void thread_list_lock(void) {
    mutex_lock_detached(&list_mutex);
}
void thread_list_lock_attached(void) {
    mutex_lock(&list_mutex);
}
void thread_list_unlock(void) {
    mutex_unlock(&list_mutex);
}
uint32_t thread_count(void) {
    return LOAD_RELAXED(&count);
}

NOINLINE void thread_publish_stack(Thread *t) {
    t->c_stack_top = (uintptr_t)__builtin_frame_address(0);
}

/* ---- records ---- */

/* Smallest free id; the list is locked. */
static uint32_t free_id(void) {
    for (uint32_t id = 1;; id++) {
        Thread *t = thread_list;
        while (t != NULL && t->id != id)
            t = t->next;
        if (t == NULL)
            return id;
    }
}

static Thread *record_new(void) {
    Thread *t = aligned_alloc(CACHE_LINE, (sizeof(Thread) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (t != NULL) {
        memset(t, 0, sizeof(*t));
        excl_thread_init(t);
    }
    return t;
}

/* The list is locked, or nobody else exists. */
static void link_record(Thread *t) {
    t->id = free_id();
    t->serial = next_serial++;
    t->next = thread_list;
    if (thread_list != NULL)
        thread_list->prev = t;
    thread_list = t;
    STORE_RELAXED(&count, LOAD_RELAXED(&count) + 1);
}

static void unlink_record(Thread *t) {
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        thread_list = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    STORE_RELAXED(&count, LOAD_RELAXED(&count) - 1);
}

static void find_stack(Thread *t) {
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &low, &size);
        pthread_attr_destroy(&attr);
    }
    if (low == NULL)
        fatal("cannot find the C stack");
    t->c_stack_base = (uintptr_t)low + size;
    t->c_stack_limit = t->c_stack_base - MIN(size, STACK_USE_MAX) + MIN(STACK_RESERVE, size / 2);
    t->c_stack_top = (uintptr_t)__builtin_frame_address(0);
}

/* By the thread itself, attached. */
static int init_parts(Thread *t) {
    return count_thread_init(t) < 0 || retire_thread_init(t) < 0 || interp_thread_init(t) < 0 ? -1 : 0;
}

void thread_on_end(void (*fn)(Thread *)) {
    if (n_end_hooks == (int)ARRAY_LEN(end_hooks))
        fatal("too many thread hooks");
    end_hooks[n_end_hooks++] = fn;
}

/* t becomes the calling OS thread's record. */
static void adopt(Thread *t) {
    t->ident = (uint64_t)pthread_self();
    t->native_id = (int)syscall(SYS_gettid);
    find_stack(t);
    thread_current = t;
}

/* The calling OS thread takes its record over, and attaches. Who stops the world reads the records in the list: so this
 * one is filled with the list locked, or attached, where only one thread is at a time. (There nobody may wait for the
 * list's lock attached: it may have been handed to a thread that waits to attach.) Returns -1 when memory is short. */
static int begin(Thread *t, bool link) {
    int r = 0;
    if (EXCL_PARALLEL) {
        mutex_lock(&list_mutex);
        adopt(t);
        r = heap_thread_init(t);
        if (link && r == 0)
            link_record(t);
        mutex_unlock(&list_mutex);
        if (r == 0) {
            heap_thread_use_arena(t);
            excl_attach(t);
        }
    } else {
        thread_current = t;
        excl_attach(t);
        adopt(t);
        r = heap_thread_init(t);
        if (link && r == 0) {
            thread_list_lock();
            link_record(t);
            thread_list_unlock();
        }
        if (r == 0)
            heap_thread_use_arena(t);
        else
            excl_thread_fini(t);
    }
    return r;
}

Thread *thread_attach_new(void) {
    Thread *t = record_new();
    if (t == NULL)
        return NULL;
    bool first = thread_main_record == NULL;
    if (first) {
        thread_main_record = t;
        sched_init();
    }
    stats_thread_init();
    if (begin(t, true) < 0) {
        thread_current = NULL;
        free(t);
        return NULL;
    }
    if (!first && !LOAD_RELAXED(&world_threaded))
        fatal("a foreign thread attached before the world was threaded");
    if (init_parts(t) < 0)
        fatal("out of memory for a thread");
    return t;
}

/* What the record refers to; t may be a thread that a fork left behind. */
static void clear_values(Thread *t) {
    Value *fields[] = {&t->exc, &t->handled, &t->context, &t->dict, &t->start, &t->async_exc};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        Value v = *fields[i];
        *fields[i] = ABSENT;
        release(v);
    }
}

void thread_detach_end(void) {
    Thread *t = thread_self();
    ASSERT(!excl_in_section(t));
    SCHED_POINT(SCHED_THREAD_END, t);
    for (int i = 0; i < n_end_hooks; i++)
        end_hooks[i](t);
    clear_values(t);
    if (t->dead_len != 0)
        dead_drain(t);
    /* A signal to the process is for a thread that goes on. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    /* Who joins may go on from here: nothing of the thread's is left for Python code to see. */
    Value sentinel = t->sentinel;
    t->sentinel = ABSENT;
    if (sentinel != ABSENT) {
        thread_sentinel_release(sentinel);
        release(sentinel);
    }
    count_thread_fini(t); /* may destroy, so that Python code runs */
    interp_thread_fini(t);
    thread_list_lock();
    /* From here to the end attached, without a safepoint: nobody stops the world meanwhile, for that needs the list's
     * lock. */
    retire_thread_fini(t);
    heap_thread_fini(t);
    unlink_record(t);
    if (LOAD_RELAXED(&count) == 1)
        atomic_fetch_or_explicit(&thread_list->poll, POLL_PENDING, memory_order_relaxed); /* see thread_try_alone */
    excl_thread_fini(t);
    thread_current = NULL;
    thread_list_unlock();
    stats_thread_fini();
    free(t->dead);
    free(t);
}

bool thread_try_alone(void) {
    if (!LOAD_RELAXED(&world_threaded) || LOAD_RELAXED(&count) != 1)
        return false;
    /* The one record is the caller's, attached at a safepoint, and only it can start another. */
    thread_list_lock();
    bool alone = LOAD_RELAXED(&count) == 1;
    if (alone)
        STORE_RELAXED(&world_threaded, false);
    thread_list_unlock();
    return alone;
}

/* ---- start ---- */

typedef struct Boot {
    Thread *record;
    void (*fn)(Thread *);
} Boot;

static void *boot(void *arg) {
    Boot b = *(Boot *)arg;
    free(arg);
    Thread *t = b.record;
    sched_thread_begin();
    stats_thread_init();
    if (begin(t, false) < 0 || init_parts(t) < 0)
        fatal("out of memory for a thread");
    if (torture_switch)
        thread_set_poll(t, POLL_TORTURE);
    b.fn(t);
    thread_detach_end();
    parker_thread_end();
    sched_thread_end();
    return NULL;
}

static uint64_t cannot_start(Thread *t, Boot *b, Value start) {
    free(b);
    if (t != NULL)
        free(t);
    release(start);
    err_set(&exc_RuntimeError, "can't start new thread");
    return 0;
}

uint64_t thread_start(void (*fn)(Thread *), Value start) {
    Thread *t = record_new();
    Boot *b = malloc(sizeof(*b));
    if (t == NULL || b == NULL)
        return cannot_start(t, b, start);
    if (!LOAD_RELAXED(&world_threaded)) {
        ASSERT(!excl_in_section(thread_self()));
        excl_stop_world(); /* nobody to stop: for the record of who changed the flag */
        publish_all();
        excl_start_world();
        STORE_RELAXED(&world_threaded, true);
    }
    *b = (Boot){.record = t, .fn = fn};
    publish(start);
    t->start = start;
    thread_list_lock();
    link_record(t);
    thread_list_unlock();
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    size_t stack = LOAD_RELAXED(&thread_stack_size);
    if (stack != 0)
        pthread_attr_setstacksize(&attr, stack);
    SCHED_POINT(SCHED_THREAD_START, t);
    sched_spawn();
    pthread_t id;
    int rc = pthread_create(&id, &attr, boot, b);
    pthread_attr_destroy(&attr);
    if (rc != 0) {
        sched_spawn_failed();
        thread_list_lock();
        unlink_record(t);
        thread_list_unlock();
        return cannot_start(t, b, start);
    }
    return (uint64_t)id;
}

/* ---- the end of the process ---- */

void thread_at_exit(void) {
    excl_stop_world(); /* who is attached comes to a safepoint, and passes thread_must_vanish when it attaches again */
    STORE_RELAXED(&thread_ender, thread_self());
    excl_start_world();
}

NORETURN void thread_vanish(void) {
    Thread *t = thread_self();
    if (t->handed != NULL || (t->waited != NULL && bytelock_try_any(t->waited)))
        bytelock_unlock_slow(t->handed != NULL ? t->handed : t->waited);
    sched_thread_end();
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (;;)
        pause();
}

/* ---- poll bits ---- */

void thread_set_poll(Thread *t, uint32_t bits) {
    atomic_fetch_or(&t->poll, bits); /* sequentially consistent, for who then looks whether the thread sleeps */
}

void thread_set_poll_all(uint32_t bits) {
    thread_list_lock();
    for (Thread *t = thread_list; t != NULL; t = t->next)
        thread_set_poll(t, bits);
    thread_list_unlock();
}

/* ---- fork ---- */

void thread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void)) {
    if (n_fork_hooks == (int)ARRAY_LEN(fork_hooks))
        fatal("too many fork hooks");
    fork_hooks[n_fork_hooks].before = before;
    fork_hooks[n_fork_hooks].parent = parent;
    fork_hooks[n_fork_hooks++].child = child;
}

void thread_before_fork(void) {
    excl_stop_world();
    for (int i = n_fork_hooks - 1; i >= 0; i--) {
        if (fork_hooks[i].before != NULL)
            fork_hooks[i].before();
    }
}

void thread_after_fork_parent(void) {
    for (int i = 0; i < n_fork_hooks; i++) {
        if (fork_hooks[i].parent != NULL)
            fork_hooks[i].parent();
    }
    excl_start_world();
}

void thread_after_fork_child(void) {
    Thread *self = thread_self();
    sched_after_fork_child();
    parker_after_fork_child();
    parking_after_fork_child();
    stats_after_fork_child();
    /* The others' records leave the list first, so that nothing below meets them; their values are released at the end,
     * when all works again. */
    Thread *gone = NULL;
    for (Thread *t = thread_list, *next; t != NULL; t = next) {
        next = t->next;
        if (t == self)
            continue;
        excl_thread_vanished(t);
        unlink_record(t);
        t->next = gone;
        gone = t;
    }
    thread_main_record = self;
    STORE_RELAXED(&thread_forks, LOAD_RELAXED(&thread_forks) + 1);
    self->native_id = (int)syscall(SYS_gettid);
    excl_after_fork_child(self);
    mutex_reinit(&list_mutex);
    count_after_fork_child();
    retire_after_fork_child();
    heap_after_fork_child();
    /* No collection comes between: what the others' frames and C stacks refer to is nobody's root any more. And nothing
     * is destroyed, which may run Python code, until all hooks are done. */
    self->heap.no_limit++;
    dead_hold(self);
    for (Thread *t = gone; t != NULL; t = t->next)
        interp_thread_vanished(t);
    for (int i = 0; i < n_fork_hooks; i++) {
        if (fork_hooks[i].child != NULL)
            fork_hooks[i].child();
    }
    dead_let(self);
    self->heap.no_limit--;
    for (Thread *t = gone, *next; t != NULL; t = next) {
        next = t->next;
        clear_values(t);
        Value sentinel = t->sentinel; /* stays locked: who waits for it has vanished too */
        t->sentinel = ABSENT;
        release(sentinel);
        for (uint32_t i = 0; i < t->dead_len; i++)
            dead_push(t->dead[i]);
        free(t->dead);
        count_thread_fini(t);
        interp_thread_fini(t);
        retire_thread_fini(t);
        heap_thread_fini(t);
        free(t);
    }
    STORE_RELAXED(&world_threaded, false);
}

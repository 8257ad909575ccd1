/* The questions: one body each, compiled against the chosen slots. Names are "group/question[/variant]". */
#include <ck_spinlock.h>
#include <pthread.h>
#include <unistd.h>

#include "backend/backend.h"
#include "heap.h"
#include "micro.h"
#include "mutex.h"
#include "object/dict.h"
#include "object/list.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/start.h"
#include "tracer.h"

/* Attached for each batch; every thread has its own record. */
static Thread *enter(void) {
    Thread *t = thread_self();
    if (t)
        excl_attach(t);
    else
        t = thread_attach_new();
    return t;
}
static void leave(Thread *t) {
    excl_detach(t);
}
#define MICRO_BATCHES(m)                                                                                 \
    for (Thread *micro_t_ = NULL; micro_next((m), MICRO_BATCH);)                                         \
        for (int micro_once_ = (micro_t_ = enter(), 1); micro_once_; micro_once_ = (leave(micro_t_), 0)) \
            for (int64_t i = 0; i < MICRO_BATCH; i++)

/* ---- counts ---- */

enum { OBJECTS = 1024 };
static Value objects[OBJECTS];

static void retain_release_many(Micro *m) {
    MICRO_BATCHES(m) {
        Value v = objects[i % OBJECTS];
        micro_keep(v);
        retain(v);
        micro_keep(v);
        release(v);
    }
}
static void retain_release_same(Micro *m) {
    Value v = objects[0];
    MICRO_BATCHES(m) {
        micro_keep(v);
        retain(v);
        micro_keep(v);
        release(v);
    }
}
/* What one operation adds to a program: between two of them the processor has other work to overlap them with, about as
 * much as an interpreter has. */
static uint64_t scratch[64];
static ALWAYS_INLINE uint64_t other_work(uint64_t x) {
    for (int i = 0; i < 3; i++) {
        x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
        scratch[x % ARRAY_LEN(scratch)] += x;
    }
    return x;
}
static void retain_release_between_work(Micro *m) {
    uint64_t x = 1;
    MICRO_BATCHES(m) {
        Value v = objects[i % OBJECTS];
        micro_keep(v);
        retain(v);
        x = other_work(x);
        micro_keep(v);
        release(v);
        x = other_work(x);
    }
    micro_keep(x);
}
/* Slots of a list read as Python code reads them. */
static Value shared_list;
static void load_shared(Micro *m) {
    MICRO_BATCHES(m) {
        release(list_get(shared_list, i % OBJECTS));
    }
}

/* ---- locks: one body, a binding per lock ---- */

#define LOCK_BODY(name, lock, unlock)                   \
    static uint64_t name##_counter;                     \
    static void lock_##name(Micro *m) {                 \
        while (micro_next(m, MICRO_BATCH)) {            \
            for (int64_t i = 0; i < MICRO_BATCH; i++) { \
                lock;                                   \
                name##_counter++;                       \
                unlock;                                 \
            }                                           \
        }                                               \
    }
static Mutex mutex = MUTEX_INIT(RANK_NONE);
LOCK_BODY(mutex, mutex_lock(&mutex), mutex_unlock(&mutex))
static pthread_mutex_t pthread_lock = PTHREAD_MUTEX_INITIALIZER;
LOCK_BODY(pthread, pthread_mutex_lock(&pthread_lock), pthread_mutex_unlock(&pthread_lock))
static ck_spinlock_fas_t fas = CK_SPINLOCK_FAS_INITIALIZER;
LOCK_BODY(fas, ck_spinlock_fas_lock(&fas), ck_spinlock_fas_unlock(&fas))
static ck_spinlock_ticket_t ticket = CK_SPINLOCK_TICKET_INITIALIZER;
LOCK_BODY(ticket, ck_spinlock_ticket_lock(&ticket), ck_spinlock_ticket_unlock(&ticket))
static ck_spinlock_mcs_t mcs = CK_SPINLOCK_MCS_INITIALIZER;
static _Thread_local ck_spinlock_mcs_context_t mcs_node;
LOCK_BODY(mcs, ck_spinlock_mcs_lock(&mcs, &mcs_node), ck_spinlock_mcs_unlock(&mcs, &mcs_node))

static Value locked;
static uint64_t section_counter;
static void lock_section(Micro *m) {
    MICRO_BATCHES(m) {
        ExclCs cs;
        excl_cs_begin(&cs, locked);
        section_counter++;
        excl_cs_end(&cs);
    }
}
static void lock_leaf(Micro *m) {
    MICRO_BATCHES(m) {
        excl_leaf_lock(locked);
        section_counter++;
        excl_leaf_unlock(locked);
    }
}
static void lock_leaf_between_work(Micro *m) {
    uint64_t x = 1;
    MICRO_BATCHES(m) {
        excl_leaf_lock(locked);
        section_counter++;
        excl_leaf_unlock(locked);
        x = other_work(x);
    }
    micro_keep(x);
}
static void attach_detach(Micro *m) {
    Thread *t = enter();
    leave(t);
    while (micro_next(m, MICRO_BATCH))
        for (int64_t i = 0; i < MICRO_BATCH; i++) {
            excl_attach(t);
            excl_detach(t);
        }
}

/* ---- memory ---- */

static void allocate_tuple(Micro *m) {
    MICRO_BATCHES(m) {
        Value v = tuple_new((intptr_t)micro_argument(m));
        micro_keep(v);
        release(v);
        if ((i & 1023) == 0 && excl_poll() < 0)
            err_clear();
    }
}
static void allocate_list(Micro *m) {
    MICRO_BATCHES(m) {
        Value v = list_new((intptr_t)micro_argument(m));
        micro_keep(v);
        release(v);
        if ((i & 1023) == 0 && excl_poll() < 0)
            err_clear();
    }
}

/* ---- safepoints ---- */

static void safepoint(Micro *m) {
    MICRO_BATCHES(m) {
        if (excl_poll() < 0)
            err_clear();
    }
}
/* Thread 0 stops and starts the world; the others run between safepoints. */
static void handshake(Micro *m) {
    if (micro_thread(m) != 0) {
        safepoint(m);
        return;
    }
    while (micro_next(m, MICRO_BATCH)) {
        Thread *t = enter();
        for (int64_t i = 0; i < MICRO_BATCH / 64; i++) {
            excl_stop_world();
            excl_start_world();
        }
        leave(t);
    }
}

/* ---- containers and calls ---- */

static Value table, keys[OBJECTS], numbers, function;
static void dict_read(Micro *m) {
    MICRO_BATCHES(m) {
        release(dict_get(table, keys[i % OBJECTS]));
    }
}
static void dict_write(Micro *m) {
    MICRO_BATCHES(m) {
        if (dict_set(table, keys[i % OBJECTS], v_from_int(i)) < 0)
            err_clear();
    }
}
static void list_read(Micro *m) {
    MICRO_BATCHES(m) {
        micro_keep(list_get(numbers, i % OBJECTS));
    }
}
static void list_write(Micro *m) {
    MICRO_BATCHES(m) {
        if (list_set(numbers, i % OBJECTS, v_from_int(i)) < 0)
            err_clear();
    }
}
static void call_function(Micro *m) {
    MICRO_BATCHES(m) {
        Value r = obj_call1(function, v_from_int(i));
        micro_keep(r);
        release(r);
    }
}

/* For ever detached: from its start on the process has more than one thread, and foreign threads may attach. */
static void sleeper(Thread *t) {
    (void)t;
    DETACHED_BEGIN
    for (;;)
        pause();
    DETACHED_END
}
/* Before the first benchmark with a number of threads. The calling thread is detached. */
static void go_threaded(void) {
    static bool done;
    if (done)
        return;
    done = true;
    Thread *t = enter();
    if (thread_start(sleeper, ABSENT) == 0)
        fatal("no second thread");
    leave(t);
}

static void prepare(void) {
    numbers = list_new(OBJECTS);
    table = dict_new();
    shared_list = list_new(OBJECTS);
    locked = list_new(0);
    for (int k = 0; k < OBJECTS; k++) {
        Value item = v_from_int(k);
        objects[k] = list_from(&item, 1);
        keys[k] = str_intern(str_format_c("key%d", k));
        if (list_append(numbers, item) < 0 || list_append(shared_list, objects[k]) < 0 ||
            dict_set(table, keys[k], item) < 0)
            fatal("out of memory");
    }
    Value ns = dict_new(), source = str_from_c("def f(x):\n    return x\n"), run = import_attr("builtins", "exec");
    Value done = run == ABSENT ? ABSENT : obj_call2(run, source, ns);
    function = done == ABSENT ? ABSENT : dict_get_str(ns, "f");
    if (function == ABSENT)
        fatal("the function to call cannot be made");
    release(source);
    release(run);
    release(ns);
    /* The collectors do not know these arrays: a tuple under a handle keeps all. */
    static Ref root;
    Value all[] = {
        tuple_from(objects, OBJECTS), tuple_from(keys, OBJECTS), numbers, table, shared_list, locked, function};
    ref_init(&root, tuple_from(all, ARRAY_LEN(all)));
    handle_register(&root);
}

int main(int argc, char **argv) {
    static char *no_arguments[] = {"micro", NULL};
    StartOptions o = {
        .executable = argv[0], .orig_argv = no_arguments, .orig_argc = 1, .argv = no_arguments, .argc = 1};
    start_init(&o);
    prepare();
    /* Those with a number of threads last: from the first of them on the process has several. */
    typedef struct {
        const char *name;
        MicroFn fn;
        int64_t argument;
    } Entry;
    static const Entry alone[] = {
        {"count/retain+release, 1024 objects", retain_release_many, 0},
        {"count/retain+release, same object", retain_release_same, 0},
        {"lock/object section, elided", lock_section, 0},
        {"lock/object leaf, elided", lock_leaf, 0},
        {"lock/object leaf between other work, elided", lock_leaf_between_work, 0},
        {"count/retain+release between other work", retain_release_between_work, 0},
        {"thread/attach+detach", attach_detach, 0},
        {"memory/tuple of 2", allocate_tuple, 2},
        {"memory/list of 4", allocate_list, 4},
        {"safepoint/poll", safepoint, 0},
        {"container/dict read", dict_read, 0},
        {"container/dict write", dict_write, 0},
        {"container/list read", list_read, 0},
        {"container/list write", list_write, 0},
        {"call/Python function from C", call_function, 0},
    };
    static const Entry together[] = {
        {"count/retain+release, own object", retain_release_same, 0},
        {"count/load from a shared list", load_shared, 0},
        {"lock/object section", lock_section, 0},
        {"lock/object leaf", lock_leaf, 0},
        {"lock/object leaf between other work", lock_leaf_between_work, 0},
        {"lock/mutex", lock_mutex, 0},
        {"lock/pthread mutex", lock_pthread, 0},
        {"lock/ck fas", lock_fas, 0},
        {"lock/ck ticket", lock_ticket, 0},
        {"lock/ck mcs", lock_mcs, 0},
        {"memory/tuple of 2", allocate_tuple, 2},
        {"container/dict read", dict_read, 0},
        {"container/list read", list_read, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(alone); i++)
        micro_register(alone[i].name, alone[i].fn, alone[i].argument, 0, NULL);
    for (int threads = 1; threads <= 2; threads++) {
        for (size_t i = 0; i < ARRAY_LEN(together); i++)
            micro_register(together[i].name, together[i].fn, together[i].argument, threads, go_threaded);
    }
    micro_register("safepoint/stop and start the world, 1/64 of an item", handshake, 0, 2, go_threaded);
    leave(thread_self());
    int status = micro_main(argc, argv);
    fflush(NULL);
    _exit(status); /* threads of all kinds are left behind */
}

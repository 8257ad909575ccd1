#include "runtime/sched.h"

#if POLYGIL_SCHED

#include <pthread.h>
#include <signal.h>
#include <time.h>

/* One thread has the baton; the others wait on their condition. A thread in a system call keeps the baton for GRACE_NS
 * (most calls are short, and then the run stays repeatable); after that the watchdog takes it away, and the thread is
 * EXTERNAL until it joins again. Time is virtual: STEP_NS for each point, what a system call took when it was longer
 * than the grace; and when nobody can run and somebody waits with a deadline, it jumps to the earliest deadline. */

enum {
    GRACE_NS = 3000000,
    WATCH_NS = 1000000,
    RATE_SAFEPOINT = 16,
    RATE_OTHER = 2,
    FAIR_STEPS = 20000,
    STEP_NS = 500,
    DFS_MAX = 4000
};

typedef enum State { READY, RUNNING, WAITING, EXTERNAL } State;

typedef struct SchedThread {
    struct SchedThread *next; /* in order of creation */
    pthread_cond_t cond;
    State state;
    bool in_syscall, timed_out;
    int64_t left_at;
    _Atomic(uint32_t) *word;
    uint32_t seen;
    int64_t deadline;
    int64_t priority; /* PCT: the highest runs */
    uint64_t streak;
} SchedThread;

bool sched_on;
static _Thread_local SchedThread *me;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t registered = PTHREAD_COND_INITIALIZER;
static SchedThread *threads, *current;
static int expected; /* threads created that have not begun */
static _Atomic(int64_t) skip;
static int64_t time_base;
static _Atomic(uint64_t) steps; /* points passed; the baton's holder counts */

static enum { RANDOM, PCT, DFS } policy;
static uint64_t seed_word, rng;
static uint64_t rate = RATE_SAFEPOINT;
static uint64_t change_points[64];
static int n_change_points;
static int64_t lowest = 0;
static const char *dfs_file;
static int dfs_bound = 3, dfs_preemptions;
static struct {
    uint8_t choice, options;
} dfs[DFS_MAX];
static int dfs_len, dfs_given, dfs_at;

static int64_t real_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
static int64_t virtual_ns(void) {
    return time_base + (int64_t)LOAD_RELAXED(&steps) * STEP_NS + LOAD_RELAXED(&skip);
}
int64_t sched_now(void) {
    return virtual_ns();
}

static uint64_t random_word(void) { /* xorshift64* (Vigna) */
    rng ^= rng >> 12;
    rng ^= rng << 25;
    rng ^= rng >> 27;
    return rng * 0x2545f4914f6cdd1dull;
}
static uint64_t random_below(uint64_t n) {
    return (random_word() >> 11) % n;
}

/* Signal handlers wake waiters: none may run while the mutex is held. */
static void enter(sigset_t *old) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, old);
    pthread_mutex_lock(&mu);
}
static void leave(const sigset_t *old) {
    pthread_mutex_unlock(&mu);
    pthread_sigmask(SIG_SETMASK, old, NULL);
}

static void make_current(SchedThread *t) {
    current = t;
    t->state = RUNNING;
    t->left_at = real_ns();
    pthread_cond_signal(&t->cond);
}

static int ready_list(SchedThread **out, int max) {
    int n = 0;
    for (SchedThread *t = threads; t != NULL && n < max; t = t->next) {
        if (t->state == READY)
            out[n++] = t;
    }
    return n;
}

/* One of the n threads that can run; self, when it is among them, is the first. may_stay: going on is no loss of
 * fairness. */
static SchedThread *choose(SchedThread **r, int n, bool preemption) {
    if (policy == RANDOM)
        return r[n == 1 ? 0 : random_below((uint64_t)n)];
    if (policy == PCT) {
        SchedThread *best = r[0];
        for (int i = 1; i < n; i++) {
            if (r[i]->priority > best->priority)
                best = r[i];
        }
        return best;
    }
    if (n == 1 || dfs_at >= DFS_MAX || (preemption && dfs_preemptions >= dfs_bound))
        return r[0];
    int c = 0;
    if (dfs_at < dfs_given)
        c = MIN(dfs[dfs_at].choice, n - 1);
    dfs[dfs_at].choice = (uint8_t)c;
    dfs[dfs_at].options = (uint8_t)MIN(n, 255);
    dfs_at++;
    dfs_len = dfs_at;
    if (preemption && c != 0)
        dfs_preemptions++;
    return r[c];
}

/* Nobody has the baton: gives it to somebody, or leaves it lying when all who could take it are in system calls. */
static void dispatch(void) {
    if (current != NULL)
        return;
    SchedThread *r[256];
    int n = ready_list(r, 256);
    if (n == 0) {
        SchedThread *first = NULL;
        bool external = expected > 0;
        for (SchedThread *t = threads; t != NULL; t = t->next) {
            external |= t->state == EXTERNAL;
            if (t->state == WAITING && t->deadline >= 0 && (first == NULL || t->deadline < first->deadline))
                first = t;
        }
        if (first == NULL || (external && virtual_ns() < first->deadline)) { /* the watchdog lets time pass */
            if (!external && threads != NULL) {
                fprintf(stderr, "polygil: scheduler: deadlock at step %llu, seed %llu\n",
                        (unsigned long long)LOAD_RELAXED(&steps), (unsigned long long)seed_word);
                abort();
            }
            return;
        }
        int64_t now = virtual_ns();
        if (first->deadline > now)
            atomic_fetch_add(&skip, first->deadline - now);
        first->timed_out = true;
        first->state = READY;
        r[n++] = first;
    }
    make_current(choose(r, n, false));
}

/* Deadlines that have passed. */
static void expire(void) {
    int64_t now = virtual_ns();
    for (SchedThread *t = threads; t != NULL; t = t->next) {
        if (t->state == WAITING && t->deadline >= 0 && t->deadline <= now) {
            t->timed_out = true;
            t->state = READY;
        }
    }
}

static void await_baton(void) {
    while (current != me)
        pthread_cond_wait(&me->cond, &mu);
}

static void rejoin(void) {
    if (current == me)
        return;
    me->state = READY;
    dispatch();
    await_baton();
}

static void *watchdog(void *arg) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (;;) {
        struct timespec ts = {0, WATCH_NS};
        nanosleep(&ts, NULL);
        pthread_mutex_lock(&mu);
        if (current != NULL && current->in_syscall && real_ns() - current->left_at > GRACE_NS) {
            current->state = EXTERNAL;
            current = NULL;
        }
        if (current == NULL)
            atomic_fetch_add(&skip, WATCH_NS);
        dispatch();
        pthread_mutex_unlock(&mu);
    }
    return NULL;
}

static void add_me(void) {
    me = calloc(1, sizeof(*me));
    if (me == NULL)
        fatal("out of memory");
    pthread_cond_init(&me->cond, NULL);
    me->state = READY;
    me->priority = (int64_t)(random_word() >> 2);
    SchedThread **end = &threads;
    while (*end != NULL)
        end = &(*end)->next;
    *end = me;
}

static void dfs_save(void) {
    FILE *f = fopen(dfs_file, "w");
    if (f == NULL)
        return;
    int n = dfs_len;
    while (n > 0 && dfs[n - 1].choice + 1 >= dfs[n - 1].options)
        n--;
    if (n == 0) {
        fprintf(f, "done\n");
    } else {
        dfs[n - 1].choice++;
        for (int i = 0; i < n; i++)
            fprintf(f, "%d\n", dfs[i].choice);
    }
    fclose(f);
}

static void start_watchdog(void) {
    pthread_t id;
    if (pthread_create(&id, NULL, watchdog, NULL) != 0)
        fatal("cannot start the scheduler's watchdog");
    pthread_detach(id);
}

void sched_init(void) {
    const char *spec = getenv("POLYGIL_SCHED");
    if (spec == NULL || *spec == 0)
        return;
    unsigned long long seed = 1, arg = 0;
    if (strncmp(spec, "random", 6) == 0) {
        policy = RANDOM;
        if (sscanf(spec, "random:%llu:%llu", &seed, &arg) == 2 && arg > 0)
            rate = arg;
    } else if (strncmp(spec, "pct", 3) == 0) {
        policy = PCT;
        n_change_points = 3;
        if (sscanf(spec, "pct:%llu:%llu", &seed, &arg) == 2)
            n_change_points = (int)MIN(arg, ARRAY_LEN(change_points));
    } else if (strncmp(spec, "dfs:", 4) == 0) {
        policy = DFS;
        char *name = strdup(spec + 4);
        char *colon = name != NULL ? strrchr(name, ':') : NULL;
        if (colon != NULL) {
            *colon = 0;
            dfs_bound = atoi(colon + 1);
        }
        dfs_file = name;
        FILE *f = name != NULL ? fopen(name, "r") : NULL;
        int c;
        while (f != NULL && dfs_given < DFS_MAX && fscanf(f, "%d", &c) == 1)
            dfs[dfs_given++].choice = (uint8_t)c;
        if (f != NULL)
            fclose(f);
        atexit(dfs_save);
    } else {
        fprintf(stderr,
                "polygil: POLYGIL_SCHED is random:SEED[:RATE], pct:SEED[:DEPTH] or dfs:FILE[:BOUND], not '%s'\n", spec);
        exit(2);
    }
    seed_word = seed;
    rng = (seed + 1) * 0x9e3779b97f4a7c15ull | 1;
    for (int i = 0; i < 8; i++)
        random_word();
    for (int i = 0; i < n_change_points; i++)
        change_points[i] = random_below(20000);
    time_base = real_ns();
    add_me();
    make_current(me);
    start_watchdog();
    sched_on = true;
}

void sched_point_slow(SchedKind kind, const void *addr) {
    if (me == NULL)
        return; /* a thread from outside */
    if (current == me)
        STORE_RELAXED(&steps, LOAD_RELAXED(&steps) + 1);
    if (policy == RANDOM && current == me && random_below(kind == SCHED_SAFEPOINT ? rate : RATE_OTHER) != 0)
        return; /* only the baton's holder draws, so the sequence is repeatable */
    sigset_t old;
    enter(&old);
    while (expected > 0)
        pthread_cond_wait(&registered, &mu);
    rejoin();
    expire();
    if (policy == PCT) {
        for (int i = 0; i < n_change_points; i++) {
            if (change_points[i] == LOAD_RELAXED(&steps))
                me->priority = -1 - i;
        }
        /* A loop that waits for another thread would run for ever. */
        if (++me->streak > FAIR_STEPS) {
            me->streak = 0;
            me->priority = --lowest - 100;
        }
    }
    SchedThread *r[256];
    r[0] = me;
    int n = 1 + ready_list(r + 1, 255);
    SchedThread *t = choose(r, n, true);
    if (t != me) {
        me->streak = 0;
        me->state = READY;
        make_current(t);
        await_baton();
    }
    leave(&old);
}

void sched_spawn(void) {
    if (!sched_on)
        return;
    sigset_t old;
    enter(&old);
    expected++;
    leave(&old);
}

void sched_spawn_failed(void) {
    if (!sched_on)
        return;
    sigset_t old;
    enter(&old);
    expected--;
    leave(&old);
}

void sched_thread_begin(void) {
    if (!sched_on)
        return;
    sigset_t old;
    enter(&old);
    add_me();
    expected--;
    pthread_cond_broadcast(&registered);
    dispatch();
    await_baton();
    leave(&old);
}

void sched_thread_end(void) {
    if (!sched_on || me == NULL)
        return;
    sigset_t old;
    enter(&old);
    SchedThread **p = &threads;
    while (*p != me)
        p = &(*p)->next;
    *p = me->next;
    if (current == me)
        current = NULL;
    dispatch();
    pthread_cond_destroy(&me->cond);
    free(me);
    me = NULL;
    leave(&old);
}

void sched_leave(void) {
    if (!sched_on || me == NULL)
        return;
    sched_point_slow(SCHED_DETACH, NULL);
    sigset_t old;
    enter(&old);
    me->in_syscall = true;
    me->left_at = real_ns();
    leave(&old);
}

void sched_join(void) {
    if (!sched_on || me == NULL)
        return;
    sigset_t old;
    enter(&old);
    me->in_syscall = false;
    int64_t took = real_ns() - me->left_at;
    if (took > GRACE_NS)
        atomic_fetch_add(&skip, took);
    rejoin();
    leave(&old);
    sched_point_slow(SCHED_ATTACH, NULL);
}

bool sched_wait(_Atomic(uint32_t) *word, uint32_t seen, int64_t deadline_ns) {
    if (me == NULL) {
        struct timespec ts = {0, 100000};
        nanosleep(&ts, NULL);
        return deadline_ns < 0 || virtual_ns() < deadline_ns;
    }
    sigset_t old;
    enter(&old);
    while (expected > 0)
        pthread_cond_wait(&registered, &mu);
    /* In the middle of a detached stretch: here it is not in a system call, and the watchdog must not take the baton it
     * is given. */
    bool in_syscall = me->in_syscall;
    me->in_syscall = false;
    rejoin();
    me->timed_out = false;
    if (LOAD_ACQUIRE(word) == seen) {
        me->word = word;
        me->seen = seen;
        me->deadline = deadline_ns;
        me->state = WAITING;
        me->streak = 0;
        current = NULL;
        dispatch();
        await_baton();
        me->word = NULL;
    }
    me->in_syscall = in_syscall;
    me->left_at = real_ns();
    bool in_time = !me->timed_out;
    leave(&old);
    return in_time;
}

void sched_wake(_Atomic(uint32_t) *word) {
    sigset_t old;
    enter(&old);
    for (SchedThread *t = threads; t != NULL; t = t->next) {
        if (t->state == WAITING && t->word == word && LOAD_RELAXED(word) != t->seen)
            t->state = READY;
    }
    dispatch();
    leave(&old);
}

void sched_after_fork_child(void) {
    if (!sched_on)
        return;
    pthread_mutex_init(&mu, NULL);
    pthread_cond_init(&registered, NULL);
    pthread_cond_init(&me->cond, NULL);
    threads = me; /* the others' records are lost with their threads */
    me->next = NULL;
    expected = 0;
    current = me;
    me->state = RUNNING;
    start_watchdog();
}

#endif

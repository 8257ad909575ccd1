/* Marking. See mark.h. (Source of the idea of markers that leave work to each other: Endo, Taura and Yonezawa, "A
 * scalable mark-sweep garbage collector on large-scale shared-memory machines", 1997.) */
#include "mark.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "heap.h"
#include "object/list.h"
#include "object/shape.h"
#include "object/tuple.h"
#include "parker.h"
#include "runtime/thread.h"

/* Items of a long list or tuple that are still to be looked at: pushed all at once they would need a stack as long, of
 * fresh memory, and only one marker could look at them. */
typedef struct Range {
    Ref *items;
    size_t n;
} Range;
enum { RANGES = 32 }; /* of a marker; a list beyond these is pushed as a whole */

typedef struct Marker {
    _Alignas(64) Object **stack; /* marked, and not yet scanned */
    size_t depth, cap;
    uint32_t n_ranges;
    Range ranges[RANGES];
} Marker; /* on cache lines of its own: it is written with each object */

enum {
    STACK_KEEP = 1 << 16,   /* entries of a stack that are kept between collections */
    RANGE_MIN = 512,        /* items of what is looked at in slices */
    SLICE = 64,             /* items */
    GIFT_MIN = 128,         /* a marker with fewer entries keeps them */
    GIFT_MAX = 1 << 14,     /* entries put into the pool at a time */
    TAKE_MAX = 1024,        /* entries taken from it at a time */
    SPINS = 1000,           /* looks at the pool before a marker sleeps: some 20 microseconds */
    HELPER_STACK = 1 << 20, /* bytes */
};
/* A smaller heap is marked before a helper is awake. */
#define PARALLEL_MIN_BYTES ((size_t)6 << 20)

static Marker main_marker;
static _Atomic(bool) overflow; /* an object was marked but not queued: the heap must be searched for such */

/* The pool: what a marker left to others. Under pool_mutex; pool_size and n_idle are read without it, as hints. */
static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_changed = PTHREAD_COND_INITIALIZER, turn_begins = PTHREAD_COND_INITIALIZER;
static Marker pool;
static _Atomic(size_t) pool_size;  /* entries and ranges */
static _Atomic(uint32_t) n_idle;   /* markers of this turn without work; when all are, the turn is over */
static uint32_t n_markers;         /* who takes part in this turn: the collecting thread and helpers awake in time */
static uint64_t turn;              /* odd: one is under way */
static uint32_t n_helpers, n_used; /* threads that exist; that take part in the collection */
static bool shared;                /* several markers work: marks are set by atomic operations */

static NOINLINE bool stack_grow(Marker *m, size_t need) {
    size_t cap = MAX(m->cap * 2, (size_t)4096);
    while (cap < need)
        cap *= 2;
    Object **s = (Object **)realloc((void *)m->stack, cap * sizeof *s);
    if (!s) {
        STORE_RELAXED(&overflow, true);
        return false;
    }
    m->stack = s;
    m->cap = cap;
    return true;
}
static void stack_trim(Marker *m) {
    if (m->cap > STACK_KEEP) {
        free((void *)m->stack);
        *m = (Marker){0};
    }
}

static ALWAYS_INLINE void push(Marker *m, Object *o) {
    if (!(UNLIKELY(shared) ? heap_mark_shared(o) : heap_mark(o)))
        return;
    __builtin_prefetch(o);
    if (LIKELY(m->depth < m->cap) || stack_grow(m, m->depth + 1))
        m->stack[m->depth++] = o;
}
static void mark_child(Value v, void *marker) {
    if (v_is_obj(v) && heap_owns(v_obj(v)))
        push(marker, v_obj(v));
}
void mark_push(Object *o) {
    push(&main_marker, o);
}
void mark_value(Value v, void *unused) {
    mark_child(v, &main_marker);
}
/* True when the list or tuple is long, and will be looked at in slices. */
static bool add_range(Marker *m, Ref *items, size_t n) {
    if (LIKELY(n < RANGE_MIN) || m->n_ranges == RANGES)
        return false;
    m->ranges[m->n_ranges++] = (Range){items, n};
    return true;
}
static ALWAYS_INLINE void scan(Marker *m, Object *o) {
    uint32_t index = LOAD_RELAXED(&o->index);
    if (index == IDX_LIST) {
        List *l = (List *)o;
        ListBlock *b = LOAD_RELAXED(&l->block);
        if (b && add_range(m, b->items, LOAD_RELAXED(&l->len)))
            return;
    } else if (index == IDX_TUPLE) {
        Tuple *t = (Tuple *)o;
        if (add_range(m, t->items, t->len))
            return;
    }
    if ((shape_at(index)->type->flags & (TF_UNTRACKED | TF_HAS_DICT | TF_HEAP)) != TF_UNTRACKED)
        obj_traverse(o, mark_child, m);
}
/* The stack is empty: a slice of the last range goes onto it. False: nothing is left. */
static NOINLINE bool next_slice(Marker *m) {
    while (m->n_ranges && m->depth == 0) {
        Range *r = &m->ranges[m->n_ranges - 1];
        size_t n = MIN(r->n, (size_t)SLICE);
        for (size_t i = 0; i < n; i++)
            mark_child(ref_peek(&r->items[i]), m);
        r->items += n;
        r->n -= n;
        m->n_ranges -= r->n == 0;
    }
    return m->depth != 0;
}

/* ---- the pool ---- */

/* Half of the longest range, or else of the stack; or nothing, when there is little. */
static NOINLINE void pool_give(Marker *m) {
    Range *r = &m->ranges[0];
    for (uint32_t i = 1; i < m->n_ranges; i++)
        if (m->ranges[i].n > r->n)
            r = &m->ranges[i];
    bool range = m->n_ranges && r->n >= (size_t)2 * SLICE;
    if (!range && m->depth < GIFT_MIN)
        return;
    size_t n = MIN(m->depth / 2, (size_t)GIFT_MAX);
    pthread_mutex_lock(&pool_mutex);
    if (range && pool.n_ranges < RANGES) {
        size_t half = r->n / 2;
        r->n -= half;
        pool.ranges[pool.n_ranges++] = (Range){r->items + r->n, half};
    } else if (pool.depth + n <= pool.cap || stack_grow(&pool, pool.depth + n)) {
        m->depth -= n;
        memcpy((void *)(pool.stack + pool.depth), (void *)(m->stack + m->depth), n * sizeof *m->stack);
        pool.depth += n;
    }
    STORE_RELAXED(&pool_size, pool.depth + pool.n_ranges);
    pthread_cond_broadcast(&pool_changed);
    pthread_mutex_unlock(&pool_mutex);
}
static void take_from_pool(Marker *m) {
    size_t n = MIN(pool.depth, (size_t)TAKE_MAX);
    if (pool.n_ranges) {
        m->ranges[m->n_ranges++] = pool.ranges[--pool.n_ranges];
    } else if (n > 0 && (n <= m->cap || stack_grow(m, n))) {
        pool.depth -= n;
        memcpy((void *)m->stack, (void *)(pool.stack + pool.depth), n * sizeof *m->stack);
        m->depth = n;
    } else {
        pool.depth = 0; /* they are found again, as what overflowed */
    }
    STORE_RELAXED(&pool_size, pool.depth + pool.n_ranges);
}
/* The marker has nothing left: takes something from the pool. False: the turn is over. */
static bool pool_take(Marker *m, uint64_t this_turn) {
    pthread_mutex_lock(&pool_mutex);
    STORE_RELAXED(&n_idle, n_idle + 1);
    bool spun = false;
    while (turn == this_turn && LOAD_RELAXED(&pool_size) == 0) {
        if (n_idle == n_markers) {
            turn++;
            pthread_cond_broadcast(&pool_changed);
        } else if (!spun) {
            spun = true;
            pthread_mutex_unlock(&pool_mutex);
            for (int i = 0; i < SPINS && LOAD_RELAXED(&pool_size) == 0; i++)
                cpu_relax();
            pthread_mutex_lock(&pool_mutex);
        } else {
            pthread_cond_wait(&pool_changed, &pool_mutex);
        }
    }
    bool more = turn == this_turn;
    if (more) {
        take_from_pool(m);
        STORE_RELAXED(&n_idle, n_idle - 1);
    }
    pthread_mutex_unlock(&pool_mutex);
    return more;
}

/* Scans until the marker's stack is empty. A short queue between stack and scanning gives the prefetch time. */
static ALWAYS_INLINE void drain(Marker *m, bool give) {
    enum { AHEAD = 8 };
    Object *ring[AHEAD];
    uint32_t in = 0, out = 0;
    for (;;) {
        while (in - out < AHEAD && (m->depth || next_slice(m))) {
            Object *o = m->stack[--m->depth];
            __builtin_prefetch(o);
            ring[in++ % AHEAD] = o;
        }
        if (in == out)
            return;
        scan(m, ring[out++ % AHEAD]);
        if (give && UNLIKELY(LOAD_RELAXED(&n_idle) != 0) && LOAD_RELAXED(&pool_size) == 0)
            pool_give(m);
    }
}
static NOINLINE void take_part(Marker *m, uint64_t this_turn) {
    do
        drain(m, true);
    while (pool_take(m, this_turn));
}

static void rescan(Object *o, void *unused) {
    if (heap_is_marked(o))
        obj_traverse(o, mark_value, NULL);
}
void mark_drain(void) {
    for (;;) {
        drain(&main_marker, false);
        if (LIKELY(!LOAD_RELAXED(&overflow)))
            return;
        STORE_RELAXED(&overflow, false);
        heap_each(rescan, NULL);
    }
}
void mark_drain_parallel(void) {
    if (n_used && heap_bytes() >= PARALLEL_MIN_BYTES) {
        pthread_mutex_lock(&pool_mutex);
        uint64_t this_turn = ++turn;
        n_markers = 1;
        STORE_RELAXED(&n_idle, 0);
        shared = true;
        pthread_cond_broadcast(&turn_begins);
        pthread_mutex_unlock(&pool_mutex);
        take_part(&main_marker, this_turn);
        shared = false;
    }
    mark_drain();
}

/* ---- helpers ---- */

static cpu_set_t cores; /* of the process; the thread that starts a helper may be bound to one of them */

static void *helper(void *number) {
    uint32_t index = (uint32_t)(uintptr_t)number;
    Marker m = {0};
    pthread_setname_np(pthread_self(), "polygil-mark");
    pthread_mutex_lock(&pool_mutex);
    for (uint64_t seen = 0;;) {
        while (turn == seen || turn % 2 == 0 || index >= n_used)
            pthread_cond_wait(&turn_begins, &pool_mutex);
        seen = turn;
        n_markers++;
        pthread_mutex_unlock(&pool_mutex);
        if (pool_take(&m, seen))
            take_part(&m, seen);
        stack_trim(&m);
        pthread_mutex_lock(&pool_mutex);
    }
    return NULL;
}
static bool helper_start(uint32_t index) {
    pthread_attr_t attr;
    pthread_t id;
    sigset_t all, old;
    sigfillset(&all);
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setstacksize(&attr, HELPER_STACK);
    pthread_attr_setaffinity_np(&attr, sizeof cores, &cores);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are for the VM's threads */
    int rc = pthread_create(&id, &attr, helper, (void *)(uintptr_t)index);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc == 0;
}

/* The child has no helpers. */
static void after_fork_child(void) {
    pthread_mutex_init(&pool_mutex, NULL);
    pthread_cond_init(&pool_changed, NULL);
    pthread_cond_init(&turn_begins, NULL);
    n_helpers = n_used = 0;
}
void mark_init(void) {
    thread_atfork(NULL, NULL, after_fork_child);
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) {
        CPU_ZERO(&cores);
        CPU_SET(0, &cores);
    }
}
void mark_prepare(uint32_t markers) {
    uint32_t helpers = MIN(markers, (uint32_t)CPU_COUNT(&cores)) - 1;
    pthread_mutex_lock(&pool_mutex); /* emergencies of two threads may come here at once */
    while (n_helpers < helpers && helper_start(n_helpers))
        n_helpers++;
    n_used = MIN(helpers, n_helpers);
    pthread_mutex_unlock(&pool_mutex);
}
void mark_begin(void) {
    heap_clear_marks();
    main_marker.depth = 0;
    main_marker.n_ranges = 0;
}
void mark_end(void) {
    stack_trim(&main_marker);
    pthread_mutex_lock(&pool_mutex);
    stack_trim(&pool);
    pthread_mutex_unlock(&pool_mutex);
}

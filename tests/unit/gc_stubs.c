#include "tests/unit/gc_stubs.h"

#include <time.h>

#include "dead.h"
#include "object/object.h"
#include "object/shape.h"
#include "runtime/signal.h"
#include "tracer.h"
#include "weak.h"

_Alignas(64) char shape_region[SHAPE_REGION_BYTES];
Type *immediate_type[64];
Type exc_RuntimeError, node_type, leaf_type;
_Atomic(int64_t) nodes_live, nodes_cleared;

/* ---- what the files under test call ---- */

Value err_set(Type *exc, const char *fmt, ...) {
    return ABSENT;
}
Value err_raise(Value v) {
    return ABSENT;
}
Value err_fetch(void) {
    return ABSENT;
}
void err_restore(Value v) {}
void err_unraisable(const char *what, Value where) {}
Value obj_call0(Value f) {
    return ABSENT;
}
Value obj_call_special(Value o, int sp, Value *args, intptr_t nargs) {
    return V_NONE;
}
int interp_thread_init(Thread *t) {
    return 0;
}
void interp_thread_fini(Thread *t) {}
void interp_thread_vanished(Thread *t) {}
bool interp_pc_published(const Thread *t) {
    return true;
}
int signal_run_handlers(void) {
    return 0;
}
void thread_sentinel_release(Value lock) {}
void trace_emergency(Thread *t) {}
void tracer_visit_roots(VisitFn visit, void *arg) {}
void tracer_visit_globals(VisitFn visit, void *arg) {}
void obj_traverse(Object *o, VisitFn visit, void *arg) {
    const Shape *s = v_shape(V_OF(o));
    if (s->ops->traverse)
        s->ops->traverse(V_OF(o), visit, arg);
}
void weak_clear(Object *o) {}
void obj_clear_refs(Object *o) {
    const Shape *s = v_shape(V_OF(o));
    if (s->ops->clear)
        s->ops->clear(V_OF(o));
}

/* ---- nodes ---- */

static void node_clear(Value self) {
    Node *n = (Node *)self;
    CHECK(n->magic == NODE_MAGIC);
    atomic_fetch_add(&nodes_cleared, 1);
    for (uint32_t i = 0; i < n->n; i++)
        ref_clear(self, &n->ref[i]);
}
static void node_traverse(Value self, VisitFn visit, void *arg) {
    Node *n = (Node *)self;
    for (uint32_t i = 0; i < n->n; i++)
        visit(ref_peek(&n->ref[i]), arg);
}
static void node_fini(Value self) {
    Node *n = (Node *)self;
    CHECK(n->magic == NODE_MAGIC);
    n->magic = 0;
    atomic_fetch_sub(&nodes_live, 1);
}
static const TypeOps node_ops = {.traverse = node_traverse, .clear = node_clear, .fini = node_fini};
static const TypeOps leaf_ops = {.fini = node_fini};

static Value make(Type *t, size_t size, uint32_t n) {
    Object *o = heap_alloc(size);
    if (!o)
        return ABSENT;
    for (size_t i = sizeof(Object) / 8; i < size / 8; i++)
        CHECK(((uint64_t *)o)[i] == 0);
    count_init(o);
    CHECK(obj_index(V_OF(o)) == 0 && obj_flags(o) == 0);
    Node *node = (Node *)o;
    node->magic = NODE_MAGIC;
    node->n = n;
    atomic_fetch_add_explicit(&nodes_live, 1, memory_order_relaxed);
    STORE_RELEASE(&o->index, shape_index(t->root));
    return V_OF(o);
}
Value node_new(uint32_t n) {
    return make(&node_type, sizeof(Node) + n * sizeof(Ref), n);
}
Value leaf_new(size_t bytes) {
    return make(&leaf_type, sizeof(Node) + bytes, 0);
}

static int merge_hook(Thread *t) {
    count_merge(t);
    dead_drain(t);
    return 0;
}

void stubs_init(void) {
    Type *types[] = {&node_type, &leaf_type};
    for (int i = 0; i < 2; i++) {
        Shape *s = shape_at((uint32_t)(i + 1) * 4);
        s->type = types[i];
        s->ops = i ? &leaf_ops : &node_ops;
        types[i]->root = s;
        types[i]->ops = s->ops;
    }
    leaf_type.flags = TF_UNTRACKED;
    safepoint_hook(POLL_MERGE, merge_hook);
    if (!thread_attach_new())
        fatal("no memory");
}

/* ---- threads ---- */

static struct {
    void (*fn)(void *arg, int i);
    void *arg;
    _Atomic(int) next, running;
} job;
static void body(Thread *t) {
    int i = atomic_fetch_add(&job.next, 1);
    job.fn(job.arg, i);
    excl_poll();
    atomic_fetch_sub(&job.running, 1);
}
void on_threads(int n, void (*fn)(void *arg, int i), void *arg) {
    job.fn = fn;
    job.arg = arg;
    atomic_store(&job.next, 0);
    atomic_store(&job.running, n);
    for (int i = 0; i < n; i++)
        if (thread_start(body, ABSENT) == 0)
            fatal("no thread");
    while (atomic_load(&job.running) || thread_count() > 1) {
        DETACHED_BEGIN
        struct timespec ts = {0, 200000};
        nanosleep(&ts, NULL);
        DETACHED_END
        excl_poll();
    }
}

void settle(void) {
    Thread *t = thread_self();
    excl_poll();
    excl_stop_world();
    dead_hold(t);
    count_merge_all();
    dead_let(t);
    excl_start_world();
    dead_drain(t);
    excl_stop_world();
    retire_flush_stopped();
    heap_trim(0);
    heap_verify();
    excl_start_world();
}

uint32_t random_next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* _queue: SimpleQueue, an unbounded FIFO queue whose put never blocks and may be called from a finalizer.
 *
 * `gate` is a lock that a consumer takes when it found the queue empty: the next one waits for it. `taken` says that
 * somebody takes or waits for it; whoever puts an item, or leaves with one, opens it then, if it is held. It is set
 * before the wait, so that a gate opens again whose holder a fork left behind. To open it once too often does no harm.
 * Items and `taken` are guarded by the queue's section; the gate is touched outside of it.
 */
#include "object/dict.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "parker.h"
#include "thread_lock.h"

static Type queue_type;
static Value empty_type;

typedef struct SimpleQueue {
    Object hdr;
    Value *ring; /* capacity is a power of two */
    size_t capacity, head, len;
    _Atomic(uint8_t) gate;
    bool taken;
} SimpleQueue;

static void traverse(Value self, VisitFn visit, void *arg) {
    SimpleQueue *q = (SimpleQueue *)self;
    for (size_t i = 0; i < q->len; i++)
        visit(q->ring[(q->head + i) & (q->capacity - 1)], arg);
}
/* In the section: the first item, or ABSENT. *open: the gate is to be opened. */
static ALWAYS_INLINE Value take(SimpleQueue *q, bool *open) {
    if (!q->len)
        return ABSENT;
    Value v = q->ring[q->head];
    q->head = (q->head + 1) & (q->capacity - 1);
    q->len--;
    *open = q->taken;
    q->taken = false;
    return v;
}

static void clear(Value self) {
    SimpleQueue *q = (SimpleQueue *)self;
    bool open;
    for (Value v; (v = take(q, &open)) != ABSENT;)
        release(v);
}
static void fini(Value self) {
    free(((SimpleQueue *)self)->ring);
}
static const TypeOps ops = {traverse, clear, fini};

static Value queue_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT)
        trace_track(v_obj(self));
    return self;
}

/* In the section: room for one more; false without memory. */
static bool reserve(SimpleQueue *q) {
    if (q->len < q->capacity)
        return true;
    size_t cap = q->capacity ? q->capacity * 2 : 16;
    Value *ring = malloc(cap * sizeof *ring);
    if (!ring)
        return false;
    for (size_t i = 0; i < q->len; i++)
        ring[i] = q->ring[(q->head + i) & (q->capacity - 1)];
    free(q->ring);
    q->ring = ring;
    q->capacity = cap;
    q->head = 0;
    return true;
}

/* No section is needed: nobody else touches the queue before this thread's next safepoint or wait. A queue is there for
 * several threads: what they do in turns is the straight way. */
static ALWAYS_INLINE bool is_mine(Value self) {
    return LIKELY(excl_retains_quick(thread_self(), self)) || excl_alone(self) || excl_retains(self);
}
/* In the section, where there is room. True: the gate is to be opened. */
static ALWAYS_INLINE bool add(Value self, Value v) {
    SimpleQueue *q = (SimpleQueue *)self;
    ref_written(self, ABSENT, v);
    q->ring[(q->head + q->len++) & (q->capacity - 1)] = retained(v);
    bool open = q->taken;
    q->taken = false;
    return open;
}
static Value queue_put(Value self, Value *args, intptr_t nargs, Value kw) {
    SimpleQueue *q = (SimpleQueue *)self;
    bool ok = true, open = false;
    if (is_mine(self) && LIKELY(q->len < q->capacity)) {
        open = add(self, args[0]);
    } else {
        ExclCs cs;
        excl_cs_begin(&cs, self);
        ok = reserve(q);
        if (ok)
            open = add(self, args[0]);
        excl_cs_end(&cs);
    }
    if (!ok)
        return err_no_memory();
    if (open)
        thread_byte_release_held(&q->gate);
    return V_NONE;
}

static Value get(Value self, int64_t ns) {
    SimpleQueue *q = (SimpleQueue *)self;
    int64_t deadline = ns > 0 ? deadline_in(ns) : 0; /* for all the times that somebody else gets the item */
    for (;;) {
        bool mine = is_mine(self), open = false;
        if (!mine)
            excl_leaf_lock(self);
        Value v = take(q, &open);
        if (v == ABSENT && ns != 0)
            q->taken = true;
        if (!mine)
            excl_leaf_unlock(self);
        if (open)
            thread_byte_release_held(&q->gate);
        if (v != ABSENT)
            return v;
        if (ns > 0)
            ns = MAX(deadline - now_ns(), 0);
        int r = ns == 0 ? 0 : thread_byte_acquire(&q->gate, ns);
        if (r <= 0)
            return r < 0 ? ABSENT : err_set_none((Type *)empty_type);
        excl_leaf_lock(self);
        q->taken = true;
        excl_leaf_unlock(self);
    }
}
static Value queue_get(Value self, Value *args, intptr_t nargs, Value kw) {
    int block = arg_at(args, nargs, 0) == ABSENT ? 1 : obj_truth(args[0]);
    if (block < 0)
        return ABSENT;
    Value timeout = arg_at(args, nargs, 1);
    if (!block)
        return get(self, 0);
    if (timeout == ABSENT || timeout == V_NONE)
        return get(self, -1);
    double d;
    if (thread_timeout_arg(timeout, &d) < 0)
        return ABSENT;
    if (d <= -1e-9)
        return err_set(&exc_ValueError, "'timeout' must be a non-negative number");
    return get(self, d <= 0 ? 0 : (int64_t)__builtin_ceil(d * 1e9));
}
static Value queue_get_nowait(Value self, Value *args, intptr_t nargs, Value kw) {
    return get(self, 0);
}
static Value queue_qsize(Value self, Value *args, intptr_t nargs, Value kw) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    size_t n = ((SimpleQueue *)self)->len;
    excl_cs_end(&cs);
    return v_from_int((int64_t)n);
}
static Value queue_empty(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(queue_qsize(self, NULL, 0, ABSENT) == v_from_int(0));
}

static const NativeDef methods[] = {
    {"__new__", queue_new, "($type, /)", NF_STATIC},
    {"put", queue_put, "($self, /, item, block=True, timeout=None)"},
    {"put_nowait", queue_put, "($self, /, item)"},
    {"get", queue_get, "($self, /, block=True, timeout=None)"},
    {"get_nowait", queue_get_nowait, "($self, /)"},
    {"qsize", queue_qsize, "($self, /)"},
    {"empty", queue_empty, "($self, /)"},
    CLASS_GETITEM_DEF,
    {NULL},
};

static int fill(Value m) {
    static const TypeSpec spec = {.name = "_queue.SimpleQueue",
                                  .doc = "Simple, unbounded, reentrant FIFO queue.",
                                  .basic_size = sizeof(SimpleQueue),
                                  .flags = TF_BASETYPE | TF_WEAKREF,
                                  .ops = &ops,
                                  .methods = methods};
    type_init_module_type(&queue_type, &spec);
    Value bases = tuple_pack(1, V_OF(&exc_Exception)), dict = dict_new(), name = str_from_c("_queue");
    if (bases != ABSENT && dict != ABSENT && name != ABSENT && dict_set_str(dict, "__module__", name) == 0)
        empty_type = type_new(&type_type, ID("Empty"), bases, dict, NULL, ABSENT);
    release(bases);
    release(dict);
    release(name);
    return empty_type == ABSENT || module_add(m, "Empty", retained(empty_type)) < 0 ||
                   module_add_type(m, &queue_type) < 0
               ? -1
               : 0;
}

const ModuleSpec module__queue = {
    .name = "_queue", .doc = "C implementation of the Python queue module.", .exec = fill};

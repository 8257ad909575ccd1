/* Module _queue: SimpleQueue, on the parking lot. put may be called from finalizers and signal handlers, so it never
 * waits. */
#include "object/dict.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"
#include "parking.h"
#include "runtime/safepoint.h"
#include "tracer.h"

/* items[head ..) are the queue; the places before are None. All but `count` under the queue's section. */
typedef struct SimpleQueue {
    Object hdr;
    Ref items; /* immutable: a list that nobody else sees */
    intptr_t head;
    _Atomic(intptr_t) count; /* waiters sleep while it is 0, under its address */
    _Atomic(intptr_t) waiters;
} SimpleQueue;
static Type queue_type;
static Ref empty_error;

static void queue_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((SimpleQueue *)self)->items), arg);
}
static void queue_clear(Value self) {
    ref_clear(self, &((SimpleQueue *)self)->items);
}
static const TypeOps queue_ops = {queue_traverse, queue_clear, NULL};

static Value queue_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value v = obj_new((Type *)cls);
    if (v == ABSENT)
        return ABSENT;
    Value items = list_new(0);
    if (items == ABSENT) {
        release(v);
        return ABSENT;
    }
    ref_init(&((SimpleQueue *)v)->items, items);
    trace_track(v_obj(v));
    return v;
}

static Value queue_put(Value self, Value *args, intptr_t nargs, Value kw) {
    SimpleQueue *q = (SimpleQueue *)self;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    int rc = list_append(ref_peek(&q->items), args[0]);
    if (rc == 0)
        atomic_fetch_add(&q->count, 1);
    excl_cs_end(&cs);
    if (rc < 0)
        return ABSENT;
    /* Sequentially consistent with the waiter's increment and its look at count: one of the two sees the other. */
    if (atomic_load(&q->waiters) > 0)
        parking_unpark_one((void *)&q->count, NULL, NULL);
    return V_NONE;
}

/* The first item, owned; ABSENT: empty. */
static Value take(SimpleQueue *q) {
    Value items = ref_peek(&q->items), v = ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, V_OF(q));
    if (LOAD_RELAXED(&q->count) > 0) {
        v = list_get(items, q->head);
        list_set(items, q->head++, V_NONE);
        if (atomic_fetch_sub(&q->count, 1) == 1) {
            list_clear(items);
            q->head = 0;
        } else if (q->head > 64 && q->head * 2 > list_len(items)) {
            Value rest = list_slice(items, q->head, list_len(items));
            if (rest != ABSENT) {
                list_clear(items);
                list_extend(items, rest);
                q->head = 0;
            } else {
                err_clear(); /* no memory to make it shorter: it stays as it is */
            }
            release(rest);
        }
    }
    excl_cs_end(&cs);
    return v;
}

static bool still_empty(void *arg) {
    return atomic_load(&((SimpleQueue *)arg)->count) <= 0;
}

static Value raise_empty(void) {
    Value e = obj_call0(ref_peek(&empty_error));
    return e == ABSENT ? ABSENT : err_raise(e);
}

static Value get(SimpleQueue *q, bool block, int64_t ns) {
    Thread *t = thread_self();
    int64_t deadline = ns < 0 ? -1 : deadline_in(ns);
    for (;;) {
        Value v = take(q);
        if (v != ABSENT)
            return v;
        if (!block)
            return raise_empty();
        bool main = thread_is_main(t);
        ParkSpec spec = {.addr = (void *)&q->count,
                         .still = still_empty,
                         .arg = q,
                         .deadline_ns = deadline,
                         .interrupt = main ? &t->poll : NULL,
                         .interrupt_mask = POLL_SIGNAL};
        ParkResult r;
        atomic_fetch_add(&q->waiters, 1);
        DETACHED_BEGIN
        r = parking_park(&spec, NULL);
        DETACHED_END
        atomic_fetch_sub(&q->waiters, 1);
        if (r == PARK_TIMEOUT && (v = take(q)) != ABSENT)
            return v;
        if (r == PARK_TIMEOUT)
            return raise_empty();
        if (r == PARK_INTERRUPTED && excl_poll() < 0)
            return ABSENT;
    }
}

static Value queue_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value b = arg_at(args, nargs, 0), timeout = arg_at(args, nargs, 1);
    int block = b == ABSENT ? 1 : obj_truth(b);
    int64_t ns = -1;
    if (block < 0)
        return ABSENT;
    if (block && timeout != ABSENT && timeout != V_NONE) {
        double d;
        if (num_as_double(timeout, &d) < 0)
            return ABSENT;
        if (d < 0)
            return err_set(&exc_ValueError, "'timeout' must be a non-negative number");
        if (!(d < 9223372036.0))
            return err_set(&exc_OverflowError, "timeout value is too large");
        ns = (int64_t)__builtin_ceil(d * 1e9);
    }
    return get((SimpleQueue *)self, block, ns);
}

static Value queue_get_nowait(Value self, Value *args, intptr_t nargs, Value kw) {
    return get((SimpleQueue *)self, false, -1);
}
static Value queue_empty(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(LOAD_RELAXED(&((SimpleQueue *)self)->count) == 0);
}
static Value queue_qsize(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(LOAD_RELAXED(&((SimpleQueue *)self)->count));
}
static Value queue_class_getitem(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value alias = import_attr("types", "GenericAlias");
    Value r = alias == ABSENT ? ABSENT : obj_call2(alias, cls, args[0]);
    release(alias);
    return r;
}

static const NativeDef methods[] = {
    {"__new__", queue_new, "($type)", NF_STATIC},
    {"empty", queue_empty, "($self, /)", 0, "Return True if the queue is empty, False otherwise (not reliable!)."},
    {"get", queue_get, "($self, /, block=True, timeout=None)", 0, "Remove and return an item from the queue."},
    {"get_nowait", queue_get_nowait, "($self, /)", 0, "Remove and return an item from the queue without blocking."},
    {"put", queue_put, "($self, /, item, block=True, timeout=None)", 0,
     "Put the item on the queue.\n\nThe optional 'block' and 'timeout' arguments are ignored, as this method\nnever "
     "blocks."},
    {"put_nowait", queue_put, "($self, /, item)", 0, "Put an item into the queue without blocking."},
    {"qsize", queue_qsize, "($self, /)", 0, "Return the approximate size of the queue (not reliable!)."},
    {"__class_getitem__", queue_class_getitem, "($type, item, /)", NF_CLASS},
    {0},
};
static const TypeSpec spec = {
    .name = "_queue.SimpleQueue",
    .doc = "Simple, unbounded, reentrant FIFO queue.",
    .basic_size = sizeof(SimpleQueue),
    .flags = TF_BASETYPE,
    .ops = &queue_ops,
    .methods = methods,
};

static int exec(Value m) {
    if (queue_type.spec == NULL) {
        type_init_module_type(&queue_type, &spec);
        Value dict = dict_new(), name = str_from_c("Empty"), module = str_from_c("_queue");
        Value bases = tuple_pack(1, V_OF(&exc_Exception)), cls = ABSENT;
        if (dict != ABSENT && name != ABSENT && module != ABSENT && bases != ABSENT &&
            dict_set_str(dict, "__module__", module) == 0)
            cls = obj_call3(V_OF(&type_type), name, bases, dict);
        release(dict);
        release(name);
        release(module);
        release(bases);
        if (cls == ABSENT)
            return -1;
        ref_init(&empty_error, cls);
        handle_register(&empty_error);
    }
    if (module_add(m, "SimpleQueue", retained(V_OF(&queue_type))) < 0 ||
        module_add(m, "Empty", retained(ref_peek(&empty_error))) < 0)
        return -1;
    return 0;
}

const ModuleSpec module__queue = {
    "_queue",
    "C implementation of the Python queue module.\nThis module is an implementation detail, please do not use it "
    "directly.",
    NULL,
    exec,
};

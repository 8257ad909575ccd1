/* Roots, weak references, finalizers and the course of a collection. See tracer.h.
 *
 * A collection: stop the world; free what was retired; mark from the precise roots; let the collector mark the rest
 * that must live; empty weak references to what is not marked; queue what has a finalizer and mark from it; drop
 * entries of weak tables; free; start the world; call back, finalize. Finalized objects that nobody resurrected go with
 * the next collection, which an explicit one appends at once.
 */
#include "tracer.h"

#include "batch.h"
#include "dead.h"
#include "mutex.h"
#include "object/list.h"
#include "object/object.h"
#include "object/tuple.h"
#include "runtime/safepoint.h"
#include "stats.h"
#include "tracer_impl.h"
#include "weak.h"

GcState gc_state = {.enabled = true, .threshold = {700, 10, 10}};

/* ---- what is registered ---- */

static Mutex registry_mutex = MUTEX_INIT(RANK_QUEUE - 1);
static Ref **handles;
static size_t n_handles, cap_handles;
enum { FNS_MAX = 64 };
static void (*root_fns[FNS_MAX])(VisitFn visit, void *arg);
static void (*weak_fns[FNS_MAX])(bool (*alive)(Value v));
static int n_root_fns, n_weak_fns;

void handle_register(Ref *r) {
    mutex_lock(&registry_mutex);
    if (n_handles == cap_handles) {
        cap_handles = cap_handles ? cap_handles * 2 : 256;
        void *more = realloc((void *)handles, cap_handles * sizeof *handles);
        if (!more)
            fatal("out of memory for handles");
        handles = (Ref **)more;
    }
    handles[n_handles++] = r;
    mutex_unlock(&registry_mutex);
}
void handle_unregister(Ref *r) {
    mutex_lock(&registry_mutex);
    for (size_t i = n_handles; i-- > 0;) {
        if (handles[i] == r) {
            handles[i] = handles[--n_handles];
            break;
        }
    }
    mutex_unlock(&registry_mutex);
}
void trace_register_roots(void (*fn)(VisitFn visit, void *arg)) {
    for (int i = 0; i < n_root_fns; i++)
        if (root_fns[i] == fn)
            return;
    if (n_root_fns == FNS_MAX)
        fatal("too many root functions");
    root_fns[n_root_fns++] = fn;
}
void trace_register_weak(void (*fn)(bool (*alive)(Value v))) {
    if (n_weak_fns == FNS_MAX)
        fatal("too many weak tables");
    weak_fns[n_weak_fns++] = fn;
}

/* ---- roots ---- */

/* Finalizers that wait, from queue_head on; owned. Grows in a stopped world; who runs them takes from the head, under
 * the mutex. */
static Mutex queue_mutex = MUTEX_INIT(RANK_RETIRE);
static Value *queue;
static size_t queue_head, n_queue, cap_queue;
static _Atomic(bool) any_queue;

/* DEBUG_SAVEALL: what was found is kept for gc.garbage; owned. */
static Value *saved;
static size_t n_saved, cap_saved;

static void visit_thread(Thread *t, VisitFn visit, void *arg) {
    visit(t->exc, arg);
    visit(t->handled, arg);
    visit(t->context, arg);
    visit(t->dict, arg);
    visit(t->start, arg);
    visit(t->async_exc, arg);
    visit(t->sentinel, arg);
    for (uint32_t i = 0; i < t->dead_len; i++)
        visit(V_OF(t->dead[i]), arg); /* it is about to be destroyed by its thread, with what it refers to */
    for (const DeadFrame *f = t->destroying; f; f = f->prev)
        visit(V_OF(f->o), arg);
    interp_visit_roots(t, visit, arg);
}
void tracer_visit_globals(VisitFn visit, void *arg) {
    for (size_t i = 0; i < n_handles; i++)
        visit(ref_peek(handles[i]), arg);
    for (int i = 0; i < n_root_fns; i++)
        root_fns[i](visit, arg);
}
void tracer_visit_roots(VisitFn visit, void *arg) {
    for (Thread *t = thread_list; t; t = t->next)
        visit_thread(t, visit, arg);
    tracer_visit_globals(visit, arg);
    for (size_t i = queue_head; i < n_queue; i++)
        visit(queue[i], arg);
    weak_visit_pending(visit, arg);
    for (size_t i = 0; i < n_saved; i++)
        visit(saved[i], arg);
}

/* A loop that walked to the end of a cell may keep only that address. It is the next cell's as well, whose references
 * must not keep the one before alive without need: only what has items behind its fixed part is looped over, and what
 * has a finalizer is held by a frame meanwhile. */
static bool may_be_held_by_end(Object *o) {
    const Type *type = v_shape(V_OF(o))->type;
    return !(type->flags & TF_FINALIZER) && heap_size_of(o) > ((type->basic_size + 7u) & ~7u);
}

__attribute__((no_sanitize("address", "thread"), noinline)) static void
scan_words(uintptr_t from, uintptr_t to, void (*fn)(Object *o, uintptr_t at)) {
    for (uintptr_t p = from & ~(uintptr_t)7; p + 8 <= to; p += 8) {
        uintptr_t w = *(volatile uintptr_t *)p;
        Object *o = heap_find(w);
        if (o)
            fn(o, p);
        if ((w & 7) == 0 && (o == NULL || (uintptr_t)o == w) && w != 0 && (o = heap_find(w - 8)) != NULL &&
            may_be_held_by_end(o))
            fn(o, p);
    }
}
/* Where the collecting thread's words begin; 0: at the scanner's own frame. Below it are the collector's own. */
static uintptr_t collector_top;

NOINLINE void conservative_each_at(void (*fn)(Object *o, uintptr_t at)) {
    Thread *self = thread_self();
    __builtin_unwind_init(); /* our caller's registers lie in this frame */
    for (Thread *t = thread_list; t; t = t->next) {
        if (t->c_stack_base == 0)
            continue; /* has not begun */
        uintptr_t top = t->c_stack_top;
        if (t == self)
            top = collector_top ? collector_top : (uintptr_t)__builtin_frame_address(0) - 256;
        if (t->c_stack_gap_low > top) {
            scan_words(top, t->c_stack_gap_low, fn);
            top = t->c_stack_gap_high;
        }
        scan_words(top, t->c_stack_base, fn);
    }
}
static void (*each_fn)(Object *o);
static void each_word(Object *o, uintptr_t at) {
    each_fn(o);
}
void conservative_each(void (*fn)(Object *o)) {
    each_fn = fn;
    conservative_each_at(each_word);
}

/* ---- finalizers ---- */

static bool queue_push(Value v) {
    if (n_queue == cap_queue) {
        size_t cap = cap_queue ? cap_queue * 2 : 64;
        Value *q = realloc(queue, cap * sizeof *q);
        if (!q)
            return false;
        queue = q;
        cap_queue = cap;
    }
    queue[n_queue++] = v;
    return true;
}

/* Those that have run make room. */
static void queue_compact(void) {
    n_queue -= queue_head;
    if (queue_head && n_queue)
        memmove(queue, queue + queue_head, n_queue * sizeof *queue);
    queue_head = 0;
}

static size_t n_found; /* unreachable objects that hold references; when freed lazily, those that were looked at */
size_t n_dead_classes;
static bool none_left_out;  /* all finalizers found a place in the queue */
static uint32_t leaf_index; /* shape of the last one without references and finalizer: decided by its index alone */
static ALWAYS_INLINE void count_dead(Object *o) {
    uint32_t f = v_shape(V_OF(o))->type->flags;
    n_found += !(f & TF_UNTRACKED);
    n_dead_classes += (f & TF_TYPE) != 0;
}
static ALWAYS_INLINE void look_dead(Object *o) {
    uint32_t index = LOAD_RELAXED(&o->index);
    if (index == leaf_index)
        return;
    uint32_t f = shape_at(index)->type->flags;
    if (!(f & TF_UNTRACKED)) {
        n_found++;
        n_dead_classes += (f & TF_TYPE) != 0;
    } else if (!(f & TF_FINALIZER))
        leaf_index = index;
    if (f & TF_FINALIZER && !(obj_flags(o) & OF_FINALIZED)) {
        if (!queue_push(V_OF(o))) {
            mark_push(o); /* no memory: it lives until the next collection */
            none_left_out = false;
            return;
        }
        obj_set_flag(o, OF_FINALIZED);
        publish(V_OF(o)); /* whichever thread comes first runs it */
        retain(V_OF(o));
    }
}
static bool page_has_dead(const Page *p) {
    return !COUNT_EXACT || p->bits & PAGE_UNMARKED; /* the cycle collector noted them */
}
static void count_page(Page *p, void *unused) {
    if (page_has_dead(p))
        heap_page_each_unmarked(p, count_dead);
}
static void count_noted(Page *p, void *unused) {
    if (p->bits & PAGE_LOOK)
        heap_page_each_unmarked(p, count_dead);
}
static void look_page(Page *p, void *unused) {
    if (page_has_dead(p))
        heap_page_each_unmarked(p, look_dead);
}
static void look_noted(Page *p, void *unused) {
    if (p->bits & PAGE_LOOK)
        heap_page_each_unmarked(p, look_dead);
}

static void save_dead(Object *o, void *unused) {
    if (heap_is_marked(o) || v_shape(V_OF(o))->type->flags & TF_UNTRACKED)
        return;
    if (n_saved == cap_saved) {
        size_t cap = cap_saved ? cap_saved * 2 : 64;
        Value *s = realloc(saved, cap * sizeof *s);
        if (!s)
            return;
        saved = s;
        cap_saved = cap;
    }
    publish(V_OF(o));
    saved[n_saved++] = retained(V_OF(o));
}
static void mark_saved(void) {
    for (size_t i = 0; i < n_saved; i++)
        mark_value(saved[i], NULL);
}
void gc_take_saved(Value list) {
    while (n_saved) {
        Value v = saved[n_saved - 1];
        if (list_append(list, v) < 0)
            return;
        n_saved--;
        release(v);
    }
}

static bool run_queue(void) {
    if (!LOAD_RELAXED(&any_queue))
        return false;
    for (bool any = false;; any = true) {
        mutex_lock(&queue_mutex);
        Value v = queue_head < n_queue ? queue[queue_head++] : ABSENT;
        if (queue_head == n_queue) {
            queue_head = n_queue = 0;
            STORE_RELAXED(&any_queue, false);
        }
        mutex_unlock(&queue_mutex);
        if (!v)
            return any;
        STAT_ADD(finalizers, 1);
        Value saved = err_fetch();
        Value r = obj_call_special(v, SP_DEL, NULL, 0);
        if (!r)
            err_unraisable("Exception ignored in", type_special(type_of(v), SP_DEL));
        release(r);
        release(v);
        err_restore(saved);
    }
}

/* ---- a collection ---- */

/* Who collects, from before the world is stopped until the finalizers have run: another collection that is no emergency
 * does nothing meanwhile. */
static _Atomic(Thread *) collector;
/* What the thread finalizes may come to a safepoint: the rest waits for its return, not nested in it. */
static _Thread_local bool finalizing;

static bool collector_begin(Thread *t) {
    Thread *nobody = NULL;
    /* acquire: pairs with the release in collector_end */
    return atomic_compare_exchange_strong_explicit(&collector, &nobody, t, memory_order_acquire, memory_order_relaxed);
}
static void collector_end(Thread *t) {
    Thread *was = t; /* not so in a child forked by a finalizer: see after_fork_child */
    atomic_compare_exchange_strong_explicit(&collector, &was, NULL, memory_order_release, memory_order_relaxed);
    if (heap_asks()) /* since then; it was nobody's turn */
        thread_set_poll(t, POLL_COLLECT);
}
/* Callbacks of weak references and finalizers that the tracer has left to safepoints. True when there were any. */
static bool run_finalizers(Thread *t) {
    bool outer = finalizing;
    finalizing = true;
    dead_drain(t);
    bool any = weak_run_callbacks();
    any |= run_queue();
    finalizing = outer;
    if (!outer && (LOAD_RELAXED(&any_queue) || weak_any_pending()))
        thread_set_poll(t, POLL_COLLECT); /* an emergency found them meanwhile */
    return any;
}

static bool alive_object(const Object *o) {
    return is_live(o);
}
static bool alive_value(Value v) {
    return !v_is_obj(v) || is_live(v_obj(v));
}

/* World stopped. Number of unreachable objects. */
static NOINLINE size_t collect_stopped(bool lazily) {
    Thread *self = thread_self();
    size_t live = heap_bytes();
    lazily = lazily && !COUNT_EXACT && heap_limit() == 0 && !(gc_state.debug & GC_SAVEALL);
    self->heap.no_limit++;
    dead_hold(self);
    count_merge_all();
    heap_sweep_finish();
    retire_flush_stopped();
    retire_freeing(self, 1);
    if (UNLIKELY(gc_watched))
        gc_explain();
    mark_begin();
    tracer_visit_roots(mark_value, NULL);
    mark_drain_parallel();
    if (POLYGIL_ASSERT >= 1)
        publish_verify();
    n_found = 0;
    queue_compact();
    size_t before = n_queue;
    if (collector_finish_marking()) {
        weak_clear_dead(alive_object);
        weak_visit_pending(mark_value, NULL);
        leaf_index = 0;
        n_dead_classes = 0;
        none_left_out = true;
        heap_each_page(lazily && !LOAD_RELAXED(&heap_look_everywhere) ? look_noted : look_page, NULL);
        for (size_t i = before; i < n_queue; i++)
            mark_value(queue[i], NULL);
        STORE_RELAXED(&any_queue, n_queue != 0);
        mark_drain();
        if (n_queue != before || !none_left_out) { /* less what the finalizers keep */
            n_found = n_dead_classes = 0;
            heap_each_page(lazily && !LOAD_RELAXED(&heap_look_everywhere) ? count_noted : count_page, NULL);
        }
        if (gc_state.debug & GC_SAVEALL) {
            heap_each(save_dead, NULL);
            mark_saved();
            mark_drain();
        }
        for (int i = 0; i < n_weak_fns; i++)
            weak_fns[i](alive_value);
        live = collector_free_dead(lazily);
        if (POLYGIL_ASSERT >= 2)
            trace_verify();
    }
    /* What is taken up to the next collection need not come from the system again. */
    heap_trim(COUNT_EXACT ? 0 : collector_trigger(0));
    mark_end();
    gc_state.live_after = live;
    heap_set_trigger(collector_trigger(gc_state.live_after));
    retire_freeing(self, -1);
    dead_let(self);
    self->heap.no_limit--;
    return n_found;
}

void tracer_mark_roots(void) {
    heap_sweep_finish();
    count_merge_all();
    retire_flush_stopped();
    mark_begin();
    tracer_visit_roots(mark_value, NULL);
    mark_drain();
}
void tracer_mark_live(void) {
    heap_sweep_finish();
    retire_flush_stopped();
    mark_begin();
    tracer_visit_roots(mark_value, NULL);
    conservative_each(mark_push);
    mark_drain();
}

NOINLINE void clean_stack(void) {
    volatile uintptr_t area[512];
    for (size_t i = 0; i < ARRAY_LEN(area); i++)
        area[i] = 0;
}

static NOINLINE size_t collect_once(bool lazily) {
    __builtin_unwind_init(); /* our caller's registers lie in this frame */
    Thread *self = thread_self();
    clean_stack();
    heap_sweep_own(self);
    /* As many as allocated are stopped: it takes no core from anybody. */
    mark_prepare(EXCL_PARALLEL ? heap_takers() : 1);
    excl_stop_world();
    uint64_t t0 = stat_now_ns();
    thread_publish_stack(self);
    collector_top = self->c_stack_top;
    size_t n = collect_stopped(lazily);
    collector_top = 0;
    stat_time_add(&stat_pauses, stat_now_ns() - t0);
    excl_start_world();
    return n;
}

/* By the collector. */
static size_t collect(Thread *t, int generation) {
    size_t n = collect_once(generation < 0);
    if (run_finalizers(t) && generation >= 0) {
        n += collect_once(false);
        run_finalizers(t);
    }
    int g = generation < 0 ? 1 : generation;
    gc_state.collections[g]++;
    gc_state.collected[g] += n;
    return n;
}

intptr_t trace_collect(int generation) {
    if (!TRACE_FREES)
        return 0;
    Thread *t = thread_self();
    if (!collector_begin(t))
        return 0;
    size_t n = collect(t, generation);
    collector_end(t);
    return (intptr_t)n;
}

void trace_emergency(Thread *t) {
    if (!TRACE_FREES)
        return;
    /* No Python code may run here: what needs some is found, kept and finalized at the next safepoint. While another
     * collection runs finalizers this is a collection like any other; its stopped world is waited for. */
    collect_once(false);
    thread_set_poll(t, POLL_COLLECT);
}

void (*gc_callback)(bool start, int generation, size_t collected);

int trace_poll(Thread *t) {
    if ((LOAD_RELAXED(&any_queue) || weak_any_pending()) && !finalizing)
        run_finalizers(t);
    if (!heap_asks())
        return 0;
    if (!LOAD_RELAXED(&gc_state.enabled) || gc_state.threshold[0] == 0) {
        if (heap_take_request())
            heap_set_trigger(collector_trigger(heap_bytes())); /* switched off: until the limit forces one */
        return 0;
    }
    if (!TRACE_FREES)
        return 0;
    if (!collector_begin(t)) { /* the request stays, unless it cannot wait for the finalizers' end */
        if (heap_beyond_limit() && heap_take_request())
            trace_emergency(t);
        return 0;
    }
    if (heap_take_request()) {
        if (gc_callback)
            gc_callback(true, 1, 0);
        size_t n = collect(t, GC_AUTOMATIC);
        if (gc_callback)
            gc_callback(false, 1, n);
    }
    collector_end(t);
    return 0;
}
static int merge_poll(Thread *t) {
    count_merge(t);
    dead_drain(t);
    return 0;
}

void trace_threshold_changed(void) {
    heap_set_trigger(collector_trigger(gc_state.live_after));
}

/* The collector may be gone, or its finalizer, which has forked, be what the child goes on with. */
static void after_fork_child(void) {
    STORE_RELAXED(&collector, NULL);
    finalizing = false;
}

int tracer_init(void) {
    mark_init();
    thread_atfork(NULL, NULL, after_fork_child);
    safepoint_hook(POLL_COLLECT, trace_poll);
    safepoint_hook(POLL_MERGE, merge_poll);
    heap_set_trigger(collector_trigger(0));
    return 0;
}

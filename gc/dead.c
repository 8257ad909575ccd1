/* Destroying objects whose count fell to zero. See dead.h. */
#include "dead.h"

#include "batch.h"
#include "heap.h"
#include "object/object.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "stats.h"
#include "weak.h"

enum { DEAD_HOLD = 1 << 16 };

NOINLINE void dead_push(Object *o) {
    Thread *t = thread_self();
    if (UNLIKELY(t->dead_len == t->dead_cap)) {
        uint32_t cap = t->dead_cap ? t->dead_cap * 2 : 256;
        Object **list = realloc(t->dead, cap * sizeof *list);
        if (!list) {
            thread_set_poll(t, POLL_COLLECT); /* unreachable with a count of zero: the tracer finds it */
            return;
        }
        t->dead = list;
        t->dead_cap = cap;
    }
    t->dead[t->dead_len++] = o;
    if (!(LOAD_RELAXED(&t->poll) & POLL_MERGE))
        thread_set_poll(t, POLL_MERGE);
}

static ALWAYS_INLINE void free_now(Object *o) {
    const Shape *s = v_shape(V_OF(o));
    if (s->ops && s->ops->fini) {
        Thread *t = thread_self();
        retire_freeing(t, 1);
        s->ops->fini(V_OF(o));
        retire_freeing(t, -1);
    }
    heap_free(o);
}
void dead_free(Object *o) {
    free_now(o);
}

static NOINLINE void memory_of_threads(Object *o) {
    if (obj_flags(o) & OF_SHARED)
        excl_object_dead(o);
    /* A private object has no reader but its thread; a large cell's page would lose its type. */
    if (RETIRE_DEFERS && LOAD_RELAXED(&world_threaded) &&
        (obj_flags(o) & OF_SHARED || heap_page_of(o)->kind == PAGE_LARGE)) {
#ifdef POLYGIL_FREEZE_H
        freeze_forget(o);
#endif
        retire_object(o);
        return;
    }
    dead_free(o);
}
/* The memory of an object that was cleared. */
static ALWAYS_INLINE void memory_done(Object *o) {
    if (EXCL_PARALLEL && UNLIKELY(obj_flags(o) & OF_SHARED || LOAD_RELAXED(&world_threaded)))
        memory_of_threads(o);
    else
        free_now(o);
}

uint32_t dead_python_begin(Thread *t) {
    uint32_t depth = t->dead_depth;
    uintptr_t half = t->c_stack_limit + (t->c_stack_base - t->c_stack_limit) / 2;
    t->dead_depth = (uintptr_t)__builtin_frame_address(0) > half ? 0 : DEAD_NEST;
    return depth;
}
void dead_python_end(Thread *t, uint32_t depth) {
    t->dead_depth = depth;
}

/* Runs the finalizer; true when o was resurrected. */
static NOINLINE bool finalize(Thread *t, Object *o) {
    ASSERT(!excl_in_section(t));
    Value v = V_OF(o);
    count_revive(o);
    obj_set_flag(o, OF_FINALIZED);
    STAT_ADD(finalizers, 1);
    Value saved = err_fetch();
    uint32_t depth = dead_python_begin(t);
    Value r = obj_call_special(v, SP_DEL, NULL, 0);
    if (!r)
        err_unraisable("Exception ignored in", type_special(type_of(v), SP_DEL));
    dead_python_end(t, depth);
    release(r);
    err_restore(saved);
    return !count_drop(o);
}

static void destroy(Thread *t, Object *o) {
    const Type *ty = v_shape(V_OF(o))->type;
    if (UNLIKELY(ty->flags & TF_FINALIZER) && !(obj_flags(o) & OF_FINALIZED) && finalize(t, o))
        return;
    DeadFrame frame = {o, t->destroying};
    t->destroying = &frame;
    if (UNLIKELY(obj_flags(o) & OF_WEAKREF)) /* the finalizer may have made the first one */
        weak_clear(o);
    if (ty->flags & (TF_HEAP | TF_HAS_DICT)) {
        obj_clear_refs(o);
    } else { /* what it comes to for built-in types */
        const TypeOps *ops = v_shape(V_OF(o))->ops;
        if (ops && ops->clear)
            ops->clear(V_OF(o));
    }
    t->destroying = frame.prev;
    memory_done(o);
}

NOINLINE void dead_object(Object *o) {
    const Type *ty = v_shape(V_OF(o))->type;
    if (obj_index(V_OF(o)) == IDX_STR && LIKELY(str_is_one_cell(V_OF(o))) &&
        !(RETIRE_DEFERS && LOAD_RELAXED(&world_threaded)) && LIKELY(!(obj_flags(o) & OF_WEAKREF))) {
        heap_free(o); /* what dead_free comes to, without its detours */
        return;
    }
    if (obj_index(V_OF(o)) == IDX_TUPLE) {
        intptr_t n = tuple_len(V_OF(o));
        while (n > 0 && !v_is_obj(tuple_get(V_OF(o), n - 1)))
            n--;
        if (n == 0) {
            memory_done(o);
            return;
        }
    }
    if ((ty->flags & (TF_UNTRACKED | TF_HAS_DICT | TF_HEAP | TF_FINALIZER)) == TF_UNTRACKED &&
        LIKELY(!(obj_flags(o) & OF_WEAKREF))) {
        memory_done(o);
        return;
    }
    Thread *t = thread_self();
    if (UNLIKELY(t->dead_depth >= DEAD_NEST || excl_in_section(t))) {
        dead_push(o);
        return;
    }
    t->dead_depth++;
    destroy(t, o);
    if (--t->dead_depth == 0 && UNLIKELY(t->dead_len != 0))
        dead_drain(t);
}

void dead_pair(Object *a, Object *b) {
    Thread *t = thread_self();
    DeadFrame frame = {b, t->destroying}; /* a's end may run a collection */
    t->destroying = &frame;
    dead_object(a);
    t->destroying = frame.prev;
    dead_object(b);
}

NOINLINE void dead_drain(Thread *t) {
    if (t->dead_depth != 0 || excl_in_section(t))
        return; /* whoever destroys further out, or ends the section, comes back to it */
    while (t->dead_len != 0) {
        Object *o = t->dead[--t->dead_len];
        t->dead_depth++;
        destroy(t, o);
        t->dead_depth--;
    }
    if (t->dead_cap > 1 << 16) {
        free(t->dead);
        t->dead = NULL;
        t->dead_cap = 0;
    }
}

void dead_hold(Thread *t) {
    t->dead_depth += DEAD_HOLD;
}
void dead_let(Thread *t) {
    t->dead_depth -= DEAD_HOLD;
}

/* Freeing what has passed its grace period: bit 0 marks objects. */
void retire_free(uintptr_t item) {
    if (item & 1)
        dead_free((Object *)(item & ~(uintptr_t)1));
    else
        heap_block_free((void *)item);
}

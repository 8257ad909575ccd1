/* Publication. See publish.h. */
#include "publish.h"

#include "heap.h"
#include "object/object.h"
#include "object/shape.h"
#include "tracer.h"

bool publishing;

typedef struct Pending {
    Object **items;
    size_t n, cap;
    Object *first[64];
} Pending;

static void mark_shared(Value v, void *arg) {
    Pending *p = arg;
    if (!v_is_obj(v) || obj_is_shared(v))
        return;
    Object *o = v_obj(v);
    ASSERT(excl_world_stopped() || !excl_inside_alone(v));
    obj_set_flag_private(o, OF_SHARED);
    if ((v_shape(v)->type->flags & (TF_UNTRACKED | TF_HAS_DICT | TF_HEAP)) == TF_UNTRACKED)
        return;
    if (UNLIKELY(p->n == p->cap)) {
        size_t cap = p->cap * 2;
        Object **items = p->items == p->first ? NULL : p->items;
        if (!(items = realloc(items, cap * sizeof *items)))
            fatal("out of memory while an object is shared");
        if (p->items == p->first)
            memcpy(items, p->first, sizeof p->first);
        p->items = items;
        p->cap = cap;
    }
    p->items[p->n++] = o;
}

NOINLINE void publish_object(Object *o) {
    Pending p = {.cap = ARRAY_LEN(p.first)};
    p.items = p.first;
    mark_shared(V_OF(o), &p);
    while (p.n)
        obj_traverse(p.items[--p.n], mark_shared, &p);
    if (p.items != p.first)
        free(p.items);
}

static void share_value(Value v, void *unused) {
    if (v_is_obj(v) && !obj_is_shared(v))
        publish_object(v_obj(v));
}
/* What exists before the first other thread is what all threads will use: names, constants, keys. Of it, what refers to
 * nothing and whose end nobody can notice is not counted from here on; the tracer frees it. That is a bounded amount,
 * and big ones stay counted. */
enum { SHARE_UNCOUNTED_MAX = 512 };
static void share_object(Object *o, void *unused) {
    share_value(V_OF(o), NULL);
    if (COUNT_EXACT &&
        (v_shape(V_OF(o))->type->flags & (TF_UNTRACKED | TF_HAS_DICT | TF_HEAP | TF_FINALIZER)) == TF_UNTRACKED &&
        !(obj_flags(o) & (OF_UNCOUNTED | OF_WEAKREF)) && count_get(o) > 0 && heap_size_of(o) <= SHARE_UNCOUNTED_MAX)
        count_set_uncounted(o);
}

void publish_all(void) {
    if (!EXCL_PARALLEL || publishing)
        return;
    publishing = true;
    heap_sweep_finish();
    heap_each(share_object, NULL);
    tracer_visit_roots(share_value, NULL);
}

/* ---- verification ---- */

static Object *holder;
static void check_shared(Value v, void *unused) {
    if (!v_is_obj(v) || obj_is_shared(v))
        return;
    fprintf(stderr, "polygil: a private %s is reached by a shared %s\n", v_shape(v)->type->c_name,
            holder ? v_shape(V_OF(holder))->type->c_name : "root");
    abort();
}
static void check_object(Object *o, void *unused) {
    if (!(obj_flags(o) & OF_SHARED))
        return;
    holder = o;
    obj_traverse(o, check_shared, NULL);
}
void publish_verify(void) {
    if (!EXCL_PARALLEL || !publishing)
        return;
    heap_each(check_object, NULL);
    holder = NULL;
    tracer_visit_globals(check_shared, NULL);
}

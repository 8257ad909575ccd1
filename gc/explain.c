/* What keeps an object: the path from a root to the target of a watched weak reference, printed at each collection. For
 * finding stale words. */
#include "object/object.h"
#include "object/type.h"
#include "tracer_impl.h"
#include "weak.h"

bool gc_watched;
static Ref watched;

static uintptr_t hidden; /* the object in question, its bits inverted: the question must not keep it */
static const char *kind; /* of the roots being visited */
static uintptr_t at;     /* the word's address, for words of a C stack */
static Object *holder;   /* what is being scanned, or NULL: a root */
static bool found;
static Object *found_in;
static const char *found_kind;
static uintptr_t found_at;
static Object **todo;
static size_t n_todo, cap_todo;

static void reach(Value v, void *unused) {
    if (!v_is_obj(v) || !heap_owns(v_obj(v)))
        return;
    if (!found && ~(uintptr_t)v == hidden) {
        found = true;
        found_in = holder;
        found_kind = kind;
        found_at = at;
    }
    if (!heap_mark(v_obj(v)))
        return;
    if (n_todo == cap_todo) {
        cap_todo = cap_todo ? cap_todo * 2 : 4096;
        void *more = realloc((void *)todo, cap_todo * sizeof(Object *));
        if (!more)
            fatal("out of memory");
        todo = (Object **)more;
    }
    todo[n_todo++] = v_obj(v);
}
static void drain(void) {
    while (n_todo) {
        holder = todo[--n_todo];
        obj_traverse(holder, reach, NULL);
    }
    holder = NULL;
}
static void word(Object *o, uintptr_t where) {
    at = where;
    reach(V_OF(o), NULL);
}

NOINLINE void gc_explain(void) {
    hidden = ~(uintptr_t)LOAD_RELAXED(&((WeakRef *)ref_peek(&watched))->target);
    if (hidden == ~(uintptr_t)0)
        return;
    for (;;) {
        heap_clear_marks();
        found = false;
        at = 0;
        kind = "a precise root";
        tracer_visit_roots(reach, NULL);
        drain();
        kind = "a word of a C stack";
        conservative_each_at(word);
        drain();
        Object *o = (Object *)~hidden;
        if (!found) {
            fprintf(stderr, "polygil: nothing refers to %s at %p\n", type_cname(type_of(V_OF(o))), (void *)o);
            return;
        }
        fprintf(stderr, "polygil: %s at %p is held by ", type_cname(type_of(V_OF(o))), (void *)o);
        if (!found_in) {
            fprintf(stderr, found_at ? "%s at %#lx\n" : "%s\n", found_kind, (unsigned long)found_at);
            return;
        }
        fprintf(stderr, "%s at %p\n", type_cname(type_of(V_OF(found_in))), (void *)found_in);
        hidden = ~(uintptr_t)found_in;
    }
}

void gc_watch(Value weak) {
    static bool registered;
    publish(weak);
    excl_stop_world();
    if (!registered) {
        handle_register(&watched);
        registered = true;
    }
    Value old = ref_peek(&watched);
    ref_init(&watched, retained(weak));
    gc_watched = weak != ABSENT;
    excl_start_world();
    release(old);
}

/* _heapq: binary heaps on lists. An operation is one section of the list, which it leaves only for a comparison that
 * may run Python code; the list's length is checked after each such. What other code sees then, and what it changes, is
 * a whole list: items move by swaps, so that nothing is lost or doubled. */
#include "object/list_impl.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/tuple.h"

typedef struct Heap {
    ExclCs cs;
    Value list;
    bool max;    /* the greatest on top */
    bool simple; /* Python code is not to be run: NOT_SIMPLE instead, with nothing pending */
} Heap;
enum { NOT_SIMPLE = -2 };

static int need_list(Value v, const char *name) {
    if (v_is_list(v))
        return 0;
    err_set(&exc_TypeError, "%s argument must be list, not %T", name, v);
    return -1;
}
static void enter(Heap *h, Value list, bool max) {
    h->list = list;
    h->max = max;
    h->simple = false;
    excl_cs_begin(&h->cs, list);
}
static void leave(Heap *h) {
    excl_cs_end(&h->cs);
}
static int changed_size(void) {
    err_set(&exc_RuntimeError, "list changed size during iteration");
    return -1;
}

/* Below, all are in the section. */

static Value item(Heap *h, intptr_t i) {
    return ref_peek(&list_items_within(h->list)[i]);
}

/* Whether a < b, two items: 1, 0, negative. Apart from the section's end in between. */
static NOINLINE int less_slow(Heap *h, Value a, Value b) {
    if (h->simple)
        return NOT_SIMPLE;
    retain(a);
    retain(b);
    excl_cs_end(&h->cs);
    int r = value_lt(a, b);
    release(a);
    release(b);
    excl_cs_begin(&h->cs, h->list);
    return r;
}
static ALWAYS_INLINE int less(Heap *h, Value a, Value b) {
    int r = simple_lt(a, b);
    return LIKELY(r >= 0) ? r : less_slow(h, a, b);
}

/* Whether item i goes above item j, of n: 1, 0, negative. */
static ALWAYS_INLINE int above(Heap *h, intptr_t i, intptr_t j, intptr_t n) {
    Value a = item(h, i), b = item(h, j);
    int r = h->max ? less(h, b, a) : less(h, a, b);
    return r >= 0 && UNLIKELY(list_len(h->list) != n) ? changed_size() : r;
}
static ALWAYS_INLINE void swap(Heap *h, intptr_t i, intptr_t j) {
    Ref *items = list_items_within(h->list);
    Value a = ref_peek(&items[i]);
    STORE_RELEASE(&items[i], ref_peek(&items[j])); /* readers see the object whole, as in ref_swap */
    STORE_RELEASE(&items[j], a);
}

/* Item pos rises towards start. */
static int rise(Heap *h, intptr_t start, intptr_t pos) {
    intptr_t n = list_len(h->list);
    while (pos > start) {
        intptr_t parent = (pos - 1) >> 1;
        int r = above(h, pos, parent, n);
        if (r <= 0)
            return r;
        swap(h, pos, parent);
        pos = parent;
    }
    return 0;
}
/* Item pos sinks to a leaf along the children that go above, then rises to its place: fewer comparisons than stopping
 * half-way. */
static int sink(Heap *h, intptr_t pos) {
    intptr_t n = list_len(h->list), start = pos;
    if (pos >= n) {
        err_set(&exc_IndexError, "index out of range");
        return -1;
    }
    while (pos < n >> 1) {
        intptr_t child = 2 * pos + 1;
        if (child + 1 < n) {
            int r = above(h, child, child + 1, n);
            if (r < 0)
                return r;
            child += !r;
        }
        swap(h, pos, child);
        pos = child;
    }
    return rise(h, start, pos);
}
/* v becomes the top, and sinks. The former top, owned. */
static Value exchange_top(Heap *h, Value v) {
    Value top = ref_swap(h->list, &list_items_within(h->list)[0], retained(v));
    if (sink(h, 0) == 0)
        return top;
    release(top);
    return ABSENT;
}

static Value heappush(Value self, Value *args, intptr_t nargs, Value kw) {
    Heap h;
    if (need_list(args[0], "heappush()") < 0)
        return ABSENT;
    enter(&h, args[0], false);
    int r = list_append_within(args[0], args[1]);
    if (r == 0)
        r = rise(&h, 0, list_len(args[0]) - 1);
    leave(&h);
    return r < 0 ? ABSENT : V_NONE;
}

static Value pop(Value list, bool max) {
    Heap h;
    if (need_list(list, max ? "_heappop_max()" : "heappop()") < 0)
        return ABSENT;
    enter(&h, list, max);
    Value last = list_take_last_within(list), top = last;
    if (last != ABSENT && list_len(list) > 0) {
        top = exchange_top(&h, last);
        release(last);
    }
    leave(&h);
    return last == ABSENT ? err_set(&exc_IndexError, "index out of range") : top;
}
static Value heappop(Value self, Value *args, intptr_t nargs, Value kw) {
    return pop(args[0], false);
}
static Value heappop_max(Value self, Value *args, intptr_t nargs, Value kw) {
    return pop(args[0], true);
}

static Value replace(Value list, Value v, bool max) {
    Heap h;
    if (need_list(list, max ? "_heapreplace_max()" : "heapreplace()") < 0)
        return ABSENT;
    enter(&h, list, max);
    Value top = list_len(list) > 0 ? exchange_top(&h, v) : err_set(&exc_IndexError, "index out of range");
    leave(&h);
    return top;
}
static Value heapreplace(Value self, Value *args, intptr_t nargs, Value kw) {
    return replace(args[0], args[1], false);
}
static Value heapreplace_max(Value self, Value *args, intptr_t nargs, Value kw) {
    return replace(args[0], args[1], true);
}

static Value heappushpop(Value self, Value *args, intptr_t nargs, Value kw) {
    Heap h;
    if (need_list(args[0], "heappushpop()") < 0)
        return ABSENT;
    enter(&h, args[0], false);
    int r = list_len(args[0]) > 0 ? less(&h, item(&h, 0), args[1]) : 0;
    Value top = ABSENT;
    if (r == 0)
        top = retained(args[1]);
    else if (r > 0)
        top = list_len(args[0]) > 0 ? exchange_top(&h, args[1]) : err_set(&exc_IndexError, "index out of range");
    leave(&h);
    return top;
}

enum { PAUSE_ITEMS = 1024 };

/* In no section. 0, negative; pauses: the section ends now and then, so that others need not wait. */
static int make_heap_in(Value list, bool max, bool simple, bool pauses) {
    Heap h;
    int r = 0;
    enter(&h, list, max);
    h.simple = simple;
    for (intptr_t i = (list_len(list) >> 1) - 1; i >= 0 && r == 0; i--) {
        r = sink(&h, i);
        if (pauses && r == 0 && i % PAUSE_ITEMS == 0) {
            leave(&h);
            r = excl_poll();
            excl_cs_begin(&h.cs, list);
        }
    }
    leave(&h);
    return r;
}

/* By way of a copy, which becomes the list's order if nobody has changed the list meanwhile: 1; 0: somebody has;
 * negative. */
static int make_heap_of_copy(Value list, bool max) {
    Value before = list_to_tuple(list), copy = before == ABSENT ? ABSENT : seq_to_list(before);
    int r = copy == ABSENT ? -1 : make_heap_in(copy, max, true, true);
    if (r == 0) {
        ExclCs cs;
        excl_cs_begin(&cs, list);
        intptr_t n = tuple_len(before);
        Ref *to = list_items_within(list), *from = list_items_within(copy);
        r = list_len(list) == n && memcmp((void *)to, tuple_items(before), (size_t)n * sizeof(Value)) == 0;
        for (intptr_t i = 0; r && i < n; i++)
            STORE_RELEASE(&to[i], ref_peek(&from[i])); /* as in swap */
        excl_cs_end(&cs);
    }
    release(copy);
    release(before);
    return r;
}

static Value make_heap(Value list, bool max) {
    if (need_list(list, max ? "_heapify_max()" : "heapify()") < 0)
        return ABSENT;
    bool alone = excl_alone(list);
    int r = 0;
    if (!alone)
        for (int attempt = 0; attempt < 4 && r == 0 && list_len(list) >= PAUSE_ITEMS; attempt++)
            r = make_heap_of_copy(list, max);
    if (r == 0 || r == NOT_SIMPLE)
        r = make_heap_in(list, max, false, EXCL_PARALLEL && (alone || r == NOT_SIMPLE));
    return r < 0 ? ABSENT : V_NONE;
}
static Value heapify(Value self, Value *args, intptr_t nargs, Value kw) {
    return make_heap(args[0], false);
}
static Value heapify_max(Value self, Value *args, intptr_t nargs, Value kw) {
    return make_heap(args[0], true);
}

static int exec(Value m) {
    return module_add_str(m, "__about__",
                          "Heap queues\n\nHeaps are lists for which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for all k, "
                          "counting from 0. a[0] is always "
                          "the smallest item.");
}

static const NativeDef functions[] = {
    {"heappush", heappush, "($module, heap, item, /)", 0, "Push item onto heap, maintaining the heap invariant."},
    {"heappushpop", heappushpop, "($module, heap, item, /)", 0,
     "Push item on the heap, then pop and return the smallest item from the heap.\n\nThe combined action runs more "
     "efficiently than heappush() followed by\n"
     "a separate call to heappop()."},
    {"heappop", heappop, "($module, heap, /)", 0,
     "Pop the smallest item off the heap, maintaining the heap invariant."},
    {"heapreplace", heapreplace, "($module, heap, item, /)", 0,
     "Pop and return the current smallest value, and add the new item.\n\nThis is more efficient than heappop() "
     "followed by heappush(), and can be\n"
     "more appropriate when using a fixed-size heap.  Note that the value\nreturned may be larger than item!  That "
     "constrains reasonable uses of\nthis routine "
     "unless written as part of a conditional replacement:\n\n    if item > heap[0]:\n        item = heapreplace(heap, "
     "item)"},
    {"heapify", heapify, "($module, heap, /)", 0, "Transform list into a heap, in-place, in O(len(heap)) time."},
    {"_heappop_max", heappop_max, "($module, heap, /)", 0, "Maxheap variant of heappop."},
    {"_heapify_max", heapify_max, "($module, heap, /)", 0, "Maxheap variant of heapify."},
    {"_heapreplace_max", heapreplace_max, "($module, heap, item, /)", 0, "Maxheap variant of heapreplace."},
    {NULL},
};

const ModuleSpec module__heapq = {"_heapq", "Heap queue algorithm (a.k.a. priority queue).", functions, exec};

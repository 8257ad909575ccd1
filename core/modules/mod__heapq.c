/* _heapq: binary heaps on lists. Comparisons may run Python code: the list's length is checked after each. Items move
 * by swaps, so that a list that other code changes meanwhile loses and doubles nothing. */
#include "object/list_impl.h"
#include "object/module.h"

static int need_list(Value v, const char *name) {
    if (v_is_list(v))
        return 0;
    err_set(&exc_TypeError, "%s argument must be list, not %T", name, v);
    return -1;
}

/* Whether item i goes above item j (max: the greater one does): 1, 0, -1. */
static int above(Value heap, intptr_t i, intptr_t j, intptr_t n, bool max) {
    Value a = list_get_fast(heap, i), b = list_get_fast(heap, j);
    int r = -1;
    if (a != ABSENT && b != ABSENT)
        r = max ? value_lt(b, a) : value_lt(a, b);
    bool gone = a == ABSENT || b == ABSENT || (r >= 0 && list_len(heap) != n);
    release(a);
    release(b);
    if (!gone)
        return r;
    err_set(&exc_RuntimeError, "list changed size during iteration");
    return -1;
}
static int swap(Value heap, intptr_t i, intptr_t j) {
    if (list_swap(heap, i, j))
        return 0;
    err_set(&exc_RuntimeError, "list changed size during iteration");
    return -1;
}

/* Item pos rises towards start. */
static int rise(Value heap, intptr_t start, intptr_t pos, bool max) {
    intptr_t n = list_len(heap);
    if (pos >= n) {
        err_set(&exc_IndexError, "index out of range");
        return -1;
    }
    while (pos > start) {
        intptr_t parent = (pos - 1) >> 1;
        int r = above(heap, pos, parent, n, max);
        if (r <= 0)
            return r;
        if (swap(heap, pos, parent) < 0)
            return -1;
        pos = parent;
    }
    return 0;
}
/* Item pos sinks to a leaf along the children that go above, then rises to its place: fewer comparisons than stopping
 * half-way. */
static int sink(Value heap, intptr_t pos, bool max) {
    intptr_t n = list_len(heap), start = pos;
    if (pos >= n) {
        err_set(&exc_IndexError, "index out of range");
        return -1;
    }
    while (pos < n >> 1) {
        intptr_t child = 2 * pos + 1;
        if (child + 1 < n) {
            int r = above(heap, child, child + 1, n, max);
            if (r < 0)
                return -1;
            child += !r;
        }
        if (swap(heap, pos, child) < 0)
            return -1;
        pos = child;
    }
    return rise(heap, start, pos, max);
}

static Value heappush(Value self, Value *args, intptr_t nargs, Value kw) {
    if (need_list(args[0], "heappush()") < 0 || list_append(args[0], args[1]) < 0)
        return ABSENT;
    return rise(args[0], 0, list_len(args[0]) - 1, false) < 0 ? ABSENT : V_NONE;
}

static Value pop(Value heap, bool max) {
    if (need_list(heap, max ? "_heappop_max()" : "heappop()") < 0)
        return ABSENT;
    Value last = list_take(heap, -1);
    if (last == ABSENT)
        return err_set(&exc_IndexError, "index out of range");
    Value top = list_get(heap, 0);
    if (top == ABSENT)
        return last;
    int r = list_set(heap, 0, last);
    release(last);
    if (r == 0)
        r = sink(heap, 0, max);
    if (r == 0)
        return top;
    release(top);
    return ABSENT;
}
static Value heappop(Value self, Value *args, intptr_t nargs, Value kw) {
    return pop(args[0], false);
}
static Value heappop_max(Value self, Value *args, intptr_t nargs, Value kw) {
    return pop(args[0], true);
}

static Value replace(Value heap, Value item, bool max) {
    if (need_list(heap, max ? "_heapreplace_max()" : "heapreplace()") < 0)
        return ABSENT;
    Value top = list_get(heap, 0);
    if (top == ABSENT)
        return err_set(&exc_IndexError, "index out of range");
    if (list_set(heap, 0, item) == 0 && sink(heap, 0, max) == 0)
        return top;
    release(top);
    return ABSENT;
}
static Value heapreplace(Value self, Value *args, intptr_t nargs, Value kw) {
    return replace(args[0], args[1], false);
}
static Value heapreplace_max(Value self, Value *args, intptr_t nargs, Value kw) {
    return replace(args[0], args[1], true);
}

static Value heappushpop(Value self, Value *args, intptr_t nargs, Value kw) {
    if (need_list(args[0], "heappushpop()") < 0)
        return ABSENT;
    Value top = list_get(args[0], 0);
    if (top == ABSENT)
        return retained(args[1]);
    int r = value_lt(top, args[1]);
    release(top);
    if (r < 0)
        return ABSENT;
    if (r == 0)
        return retained(args[1]);
    if (list_len(args[0]) == 0)
        return err_set(&exc_IndexError, "index out of range");
    return replace(args[0], args[1], false);
}

static Value make_heap(Value heap, bool max) {
    if (need_list(heap, max ? "_heapify_max()" : "heapify()") < 0)
        return ABSENT;
    for (intptr_t i = (list_len(heap) >> 1) - 1; i >= 0; i--) {
        if (sink(heap, i, max) < 0)
            return ABSENT;
        if ((i & 1023) == 0 && excl_poll() < 0)
            return ABSENT;
    }
    return V_NONE;
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

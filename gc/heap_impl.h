/* Inside the heap: shared by heap.c and heap_scan.c. */
#ifndef POLYGIL_HEAP_IMPL_H
#define POLYGIL_HEAP_IMPL_H

#include "heap.h"
#include "mutex.h"

struct HeapOwner {
    _Atomic(Page *) remote_pages;   /* pages whose remote list became non-empty */
    _Alignas(64) Page *avail[2][HEAP_CLASSES]; /* pages with free cells, the current ones not among them */
    Page *empties, *empties_last;   /* oldest first */
    uint32_t n_empties;
    uint32_t n_pages;
    Thread *thread;                 /* NULL: in the pool */
    HeapOwner *pool_next, *all_next;
};

extern Mutex heap_mutex;
extern Chunk *heap_chunks;
/* Walks over all chunks under way, in a stopped world: chunks keep their places. */
extern int heap_walking;
void heap_walk_end(void);
void heap_each_owner(void (*fn)(HeapOwner *w, void *arg), void *arg);

/* Forced rare events (-X torture options, tests/torture): counted in the slow ways in. */
typedef struct HeapTorture {
    _Atomic(uint32_t) fail_every;    /* each n-th slow allocation fails; 0: never */
    _Atomic(uint32_t) collect_every; /* each n-th asks for a collection */
    _Atomic(uint32_t) n;
} HeapTorture;
extern HeapTorture heap_torture;
extern _Atomic(bool) heap_asked;

static ALWAYS_INLINE bool heap_torture_alloc(Thread *t) {
    uint32_t fail = LOAD_RELAXED(&heap_torture.fail_every), collect = LOAD_RELAXED(&heap_torture.collect_every);
    if (LIKELY((fail | collect) == 0))
        return false;
    uint32_t n = atomic_fetch_add_explicit(&heap_torture.n, 1, memory_order_relaxed) + 1;
    if (collect && n % collect == 0) {
        STORE_RELAXED(&heap_asked, true);
        thread_set_poll(t, POLL_COLLECT);
    }
    return fail && n % fail == 0 && t->heap.no_limit == 0;
}

#endif

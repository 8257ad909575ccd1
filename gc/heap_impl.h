/* Inside the heap: shared by heap.c and heap_scan.c. */
#ifndef POLYGIL_HEAP_IMPL_H
#define POLYGIL_HEAP_IMPL_H

#include "heap.h"
#include "mutex.h"

struct HeapOwner {
    _Atomic(Page *) remote_pages;              /* pages whose remote list became non-empty */
    _Alignas(64) Page *avail[2][HEAP_CLASSES]; /* pages with free cells, the current ones not among them */
    Page *empties, *empties_last;              /* oldest first */
    uint32_t n_empties;
    uint32_t n_pages;
    Page *unswept[HEAP_CLASSES]; /* by next */
    uint32_t n_unswept;
    uint32_t number; /* from 0 */
    Thread *thread;  /* NULL: in the pool */
    HeapOwner *pool_next, *all_next;
};

extern Mutex heap_mutex;
extern Chunk *heap_chunks;
/* Walks over all chunks under way, in a stopped world: chunks keep their places. */
extern int heap_walking;
void heap_walk_end(void);
void heap_each_owner(void (*fn)(HeapOwner *w, void *arg), void *arg);

/* Forced rare events (runtime/torture.h). While they are on, no page stays in a bin, so every allocation takes a slow
 * way in, where they are counted. */
typedef struct HeapTorture {
    _Atomic(uint32_t) fail_every;    /* each n-th allocation fails; 0: never */
    _Atomic(uint32_t) collect_every; /* each n-th collects */
    _Atomic(uint32_t) n;
} HeapTorture;
extern HeapTorture heap_torture;
extern _Atomic(bool) heap_torture_on;

/* True when the allocation is to fail. May collect. */
bool heap_torture_alloc(Thread *t);

#endif

/* A VM without Python for the tests of heap, counts and retiring: one class of objects with up to 14 references, which
 * counts how many of its instances live. The files under test are the VM's own. */
#ifndef POLYGIL_GC_STUBS_H
#define POLYGIL_GC_STUBS_H

#include "backend/ref.h"
#include "heap.h"
#include "object/type.h"
#include "runtime/safepoint.h"

typedef struct Node {
    Object hdr;
    uint64_t magic; /* MAGIC while alive */
    uint32_t n;     /* references */
    uint32_t bytes;
    Ref ref[];
} Node;
#define NODE_MAGIC 0x5ca1ab1e0ddba11ull

extern _Atomic(int64_t) nodes_live; /* made and not yet freed */
extern _Atomic(int64_t) nodes_cleared;
extern Type node_type, leaf_type;

void stubs_init(void); /* the calling thread becomes the main thread */
Value node_new(uint32_t n_refs);
Value leaf_new(size_t bytes); /* no references */
/* Runs fn(arg, i) on n threads at once and waits for them, detached. */
void on_threads(int n, void (*fn)(void *arg, int i), void *arg);
/* Everything retired or waiting is freed: polls, and a stopped world. */
void settle(void);
uint32_t random_next(uint32_t *state);

#define CHECK(c)                                                            \
    do {                                                                    \
        if (!(c)) {                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #c); \
            abort();                                                        \
        }                                                                   \
    } while (0)

#endif

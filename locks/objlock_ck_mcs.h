/* Object lock as a table of ConcurrencyKit's MCS queue locks striped by address, for comparison with the byte lock.
 * Waiters spin, detached, each on its own node; nodes come from a list per thread and are found again through the lock,
 * whose holder alone reads `node`. */
#ifndef POLYGIL_OBJLOCK_CK_MCS_H
#define POLYGIL_OBJLOCK_CK_MCS_H

#include <ck_spinlock.h>

#define OBJLOCK_STRIPED 1
#define OBJLOCK_PARKS 0
#define OBJLOCK_RETAINS 0
#define OBJLOCK_STRIPES 4096

typedef struct McsNode {
    _Alignas(CACHE_LINE) ck_spinlock_mcs_context_t context;
    struct McsNode *next;
} McsNode;

typedef struct ObjLock {
    _Alignas(CACHE_LINE) ck_spinlock_mcs_t queue;
    McsNode *node; /* the holder's */
} ObjLock;
extern ObjLock objlock_table[OBJLOCK_STRIPES];
extern _Thread_local McsNode *mcs_free;
McsNode *mcs_node_new(void);

static ALWAYS_INLINE McsNode *mcs_node(void) {
    McsNode *n = mcs_free;
    if (UNLIKELY(n == NULL))
        return mcs_node_new();
    mcs_free = n->next;
    return n;
}
static ALWAYS_INLINE ObjLock *objlock_of(Object *o) {
    return &objlock_table[((uint64_t)(uintptr_t)o * 0x9e3779b97f4a7c15u) >> 52];
}
static ALWAYS_INLINE bool objlock_try(ObjLock *l) {
    McsNode *n = mcs_node();
    if (ck_spinlock_mcs_trylock(&l->queue, &n->context)) {
        l->node = n;
        return true;
    }
    n->next = mcs_free;
    mcs_free = n;
    return false;
}
static ALWAYS_INLINE void objlock_release(ObjLock *l) {
    McsNode *n = l->node;
    ck_spinlock_mcs_unlock(&l->queue, &n->context);
    n->next = mcs_free;
    mcs_free = n;
}
/* Waits until it is taken; the caller is detached. */
static ALWAYS_INLINE void objlock_block(ObjLock *l) {
    McsNode *n = mcs_node();
    ck_spinlock_mcs_lock(&l->queue, &n->context);
    l->node = n;
}
void objlock_thread_fini(void);

#endif

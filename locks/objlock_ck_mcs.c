#include "objlock.h"

ObjLock objlock_table[OBJLOCK_STRIPES];
_Thread_local McsNode *mcs_free;

void objlock_init(void) {
    for (int i = 0; i < OBJLOCK_STRIPES; i++)
        ck_spinlock_mcs_init(&objlock_table[i].queue);
}

McsNode *mcs_node_new(void) {
    McsNode *n = aligned_alloc(_Alignof(McsNode), sizeof(McsNode));
    if (n == NULL)
        fatal("out of memory");
    n->next = NULL;
    return n;
}

/* Nobody looks at the node of a lock that was released. */
void objlock_thread_fini(void) {
    while (mcs_free != NULL) {
        McsNode *n = mcs_free;
        mcs_free = n->next;
        free(n);
    }
}

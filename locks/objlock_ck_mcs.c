#include "objlock.h"

ObjLock objlock_table[OBJLOCK_STRIPES];
_Thread_local McsNode *mcs_free;

void objlock_init(void) {
    for (int i = 0; i < OBJLOCK_STRIPES; i++)
        ck_spinlock_mcs_init(&objlock_table[i].queue);
}

McsNode *mcs_node_new(void) {
    McsNode *n = aligned_alloc(_Alignof(McsNode),
                               sizeof(McsNode)); /* kept for the thread's life and beyond: comparison builds alone */
    if (n == NULL)
        fatal("out of memory");
    n->next = NULL;
    return n;
}

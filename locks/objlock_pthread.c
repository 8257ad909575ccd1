#include "objlock.h"

ObjLock objlock_table[OBJLOCK_STRIPES]; /* PTHREAD_MUTEX_INITIALIZER is all zero on Linux */
void objlock_init(void) {
    for (int i = 0; i < OBJLOCK_STRIPES; i++)
        pthread_mutex_init(&objlock_table[i].m, NULL);
}

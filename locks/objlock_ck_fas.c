#include "objlock.h"

ObjLock objlock_table[OBJLOCK_STRIPES];
void objlock_init(void) {
    for (int i = 0; i < OBJLOCK_STRIPES; i++)
        ck_spinlock_fas_init(&objlock_table[i].s);
}

/* Per thread: a sample of the shared objects it counts. See freeze.h. */
#ifndef POLYGIL_FREEZE_TYPES_H
#define POLYGIL_FREEZE_TYPES_H

#include "backend/value.h"

enum { FREEZE_SLOTS = 16 };

typedef struct FreezeThread {
    uint32_t ops; /* shared count operations so far */
    struct {
        Object *o; /* compared, never followed */
        uint32_t hits;
    } slot[FREEZE_SLOTS];
} FreezeThread;

#endif

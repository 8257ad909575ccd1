/* Per thread: when to look at the next shared count operation. See freeze.h. */
#ifndef POLYGIL_FREEZE_TYPES_H
#define POLYGIL_FREEZE_TYPES_H

#include "backend/value.h"

typedef struct FreezeThread {
    uint32_t left;   /* operations until the next sample, minus one */
    uint32_t random; /* the distance between samples varies, or a loop would show the same object every time */
} FreezeThread;

#endif

/* COUNT biased: the owner counts in a field of its own, the others atomically in another. */
#ifndef POLYGIL_COUNT_BIASED_TYPES_H
#define POLYGIL_COUNT_BIASED_TYPES_H

#include "freeze_types.h"

#define COUNT_EXACT 1
#define COUNT_PROMPT 1
#define COUNT_BIASED 1
#define COUNT_LAYOUT COUNT_LAYOUT_BIASED

typedef struct CountThread {
    uint16_t slot; /* owner number, from 1; the thread's own copy of it is the thread-local count_slot */
    FreezeThread freeze;
} CountThread;

#endif

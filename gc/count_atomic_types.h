/* COUNT atomic: a word of its own, counted by atomic additions. */
#ifndef POLYGIL_COUNT_ATOMIC_TYPES_H
#define POLYGIL_COUNT_ATOMIC_TYPES_H

#include "freeze_types.h"

#define COUNT_EXACT 1
#define COUNT_PROMPT 1
#define COUNT_BIASED 0
#define COUNT_LAYOUT COUNT_LAYOUT_WORD

typedef struct CountThread {
    FreezeThread freeze;
} CountThread;

#endif

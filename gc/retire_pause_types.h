/* RETIRE pause: freed when the world is next stopped. */
#ifndef POLYGIL_RETIRE_PAUSE_TYPES_H
#define POLYGIL_RETIRE_PAUSE_TYPES_H

#include "batch.h"

#define RETIRE_DEFERS 1

typedef struct RetireThread {
    RetireLocal local;
} RetireThread;

#endif

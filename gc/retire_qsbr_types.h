/* RETIRE qsbr: freed after every thread has passed a quiescent state. */
#ifndef POLYGIL_RETIRE_QSBR_TYPES_H
#define POLYGIL_RETIRE_QSBR_TYPES_H

#include "batch.h"

#define RETIRE_DEFERS 1

struct QsbrRecord;
typedef struct RetireThread {
    RetireLocal local;
    struct QsbrRecord *record;
} RetireThread;

#endif

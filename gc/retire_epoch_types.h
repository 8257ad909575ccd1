/* RETIRE epoch: as qsbr, but ConcurrencyKit's ck_epoch decides. */
#ifndef POLYGIL_RETIRE_EPOCH_TYPES_H
#define POLYGIL_RETIRE_EPOCH_TYPES_H

#include "batch.h"

#define RETIRE_DEFERS 1

struct EpochRecord;
typedef struct RetireThread {
    RetireLocal local;
    struct EpochRecord *record;
} RetireThread;

#endif

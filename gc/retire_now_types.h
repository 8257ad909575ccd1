/* RETIRE now: memory is freed at once; readers hold the holder's lock. */
#ifndef POLYGIL_RETIRE_NOW_TYPES_H
#define POLYGIL_RETIRE_NOW_TYPES_H

#define RETIRE_DEFERS 0

typedef struct RetireThread {
    char nothing;
} RetireThread;

#endif

/* Traceback objects. */
#ifndef POLYGIL_TRACEBACK_H
#define POLYGIL_TRACEBACK_H

#include "interp/frame.h"

typedef struct Traceback {
    Object hdr;
    Ref next;              /* tb_next: Traceback or ABSENT */
    Ref frame;             /* frame object */
    int32_t lasti, lineno; /* lasti: index of the word */
} Traceback;

/* Puts an entry for frame f at its pc in front of the pending exception's __traceback__. Never fails (out of memory: no
 * entry). */
void traceback_here(Thread *t, InterpFrame *f);
void traceback_init(void);

#endif

/* Freezing: an object that several threads count often becomes uncounted, so that its cache line is only read. The tracer frees it.
 *
 * Each thread looks at every FREEZE_EVERY-th shared count operation; a table shared by all remembers which thread sampled an object last.
 * FREEZE_HITS samples that find another thread's name freeze it. Never one whose end can be noticed: with a finalizer or a weak reference.
 * Option POLYGIL_FREEZE=0 (compile) switches it off. */
#ifndef POLYGIL_FREEZE_H
#define POLYGIL_FREEZE_H

#include "backend/backend.h"

#ifndef POLYGIL_FREEZE
#define POLYGIL_FREEZE 1
#endif
enum { FREEZE_EVERY = 32, FREEZE_HITS = 8 };

void freeze_sample(FreezeThread *f, Object *o);

/* After a shared count operation on o by a thread that holds a reference to it. */
static ALWAYS_INLINE void freeze_note(Object *o) {
    FreezeThread *f = &thread_self()->count.freeze;
    if (POLYGIL_FREEZE && UNLIKELY(++f->ops % FREEZE_EVERY == 0))
        freeze_sample(f, o);
}
/* The policy's part: makes it uncounted while others count it. */
void count_freeze(Object *o);

#endif

/* What happens to an object whose count has fallen to zero.
 *
 * Outside sections it is destroyed at once, nested up to DEAD_NEST deep; inside one, and deeper, it waits on the
 * thread's dead list, which the outermost end of a section and the slow poll drain. Destroying: __del__ (once; it may
 * resurrect), weak references cleared and their callbacks called, references dropped, then the memory is freed or
 * retired. The thread's pending exception is kept across all of it.
 */
#ifndef POLYGIL_DEAD_H
#define POLYGIL_DEAD_H

#include "backend/value.h"

enum { DEAD_NEST = 30 };

/* An object in the middle of its destruction, with a count of zero and part of its references: a collection in between
 * must leave it alone. */
typedef struct DeadFrame {
    Object *o;
    struct DeadFrame *prev;
} DeadFrame;

/* The last reference is gone. May run Python code when the thread is in no section. */
void dead_object(Object *o);
/* Two at once, in that order. */
void dead_pair(Object *a, Object *b);
/* Puts it on the dead list in any case: for code in which nothing may be destroyed. The next poll drains it. */
void dead_push(Object *o);
/* Gives the memory of an object back at once: ops->fini and heap_free. It holds no references any more, and no reader
 * may look at it. */
void dead_free(Object *o);
/* Destroys what waits. Outside all sections. */
void dead_drain(Thread *t);
/* Around Python code that runs inside a destruction: what dies in it dies there, unless so many are nested that the C
 * stack is short. Returns what the matching end takes. */
uint32_t dead_python_begin(Thread *t);
void dead_python_end(Thread *t, uint32_t depth);
/* Between hold and the matching let, nothing is destroyed: all goes on the dead list. */
void dead_hold(Thread *t);
void dead_let(Thread *t);

#endif

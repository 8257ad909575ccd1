/* Marking: everything that marked objects lead to is marked. World stopped, but where it says otherwise.
 *
 * One marker is the thread that collects. When several threads took memory since the last collection, their cores idle
 * while the world is stopped; then as many markers work, on helper threads, and a marker with much to do leaves a part
 * of its stack in a pool for those that have nothing. Helpers are no threads of the VM: they run no Python code, take
 * no signals, and sleep between collections.
 */
#ifndef POLYGIL_MARK_H
#define POLYGIL_MARK_H

#include "backend/value.h"

/* Once, by the first thread: which cores there are. */
void mark_init(void);
/* Before the world is stopped, by the thread that will stop it: how many markers take part in what follows, itself
 * included; not more than there are cores, and fewer when threads cannot be had. */
void mark_prepare(uint32_t markers);
/* Nothing is marked. */
void mark_begin(void);
/* Marks the object and queues it for scanning; idempotent. By the collecting thread. */
void mark_push(Object *o);
/* The same, as a VisitFn: immediates and static objects are passed over. */
void mark_value(Value v, void *unused);
/* Scans until nothing is queued. */
void mark_drain(void);
/* The same with the helpers, for when much is queued. */
void mark_drain_parallel(void);
/* Gives memory back. */
void mark_end(void);

#endif

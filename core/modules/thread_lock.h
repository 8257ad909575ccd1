/* Python's locks as other modules use them: one byte over the parking lot, waited for detached, interruptible in the
 * main thread. */
#ifndef POLYGIL_THREAD_LOCK_H
#define POLYGIL_THREAD_LOCK_H

#include "object/object.h"

/* The arguments (blocking, timeout): *ns is 0 (do not block), -1 (for ever) or the time. 0, -1 with exception. */
int thread_wait_args(Value *args, intptr_t nargs, int64_t *ns);
/* Acquires; 1, 0 (timeout), -1 (a signal handler raised; main thread only). */
int thread_byte_acquire(_Atomic(uint8_t) *bits, int64_t ns);
void thread_byte_release(_Atomic(uint8_t) *bits);
/* The same of a lock that others may release too: false when it is not held. */
bool thread_byte_release_held(_Atomic(uint8_t) *bits);
/* A timeout in seconds (ABSENT: left alone) that is a number of the system's range; 0, -1 with exception. */
int thread_timeout_arg(Value v, double *seconds);

#endif

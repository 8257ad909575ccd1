/* The lock of an object, by kind (option POLYGIL_OBJLOCK): a byte in its header over the parking lot, or one of a table
 * of other locks, striped by the object's address.
 *
 * Each kind gives OBJLOCK_STRIPED (several objects share a lock), OBJLOCK_PARKS (waiters park in the parking lot under
 * the lock's address), OBJLOCK_RETAINS (hot ones are kept from section to section: retain.h), ObjLock, objlock_of,
 * objlock_try, objlock_release, objlock_init, objlock_thread_fini; those that do not park give objlock_block(l), which
 * waits until the lock is taken. In a forked child objlock_init makes the table new: the stopped world holds no object
 * lock. */
#ifndef POLYGIL_OBJLOCK_H
#define POLYGIL_OBJLOCK_H

#include "backend/header.h"
#include "mutex.h"

#ifndef OBJLOCK_HEADER
#define OBJLOCK_HEADER "objlock_byte.h"
#endif
#include OBJLOCK_HEADER
void objlock_init(void);

#endif

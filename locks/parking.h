/* Parking lot: threads wait under an address, so that a lock needs no queue of its own. One table of buckets; an
 * address's waiters queue in order of arrival. (source of the idea: WebKit's WTF::ParkingLot.)
 *
 *   park     unless `still` says no (asked under the bucket's lock), sleep until unparked, out of time, or interrupted
 *
 *   unpark   takes the first waiter out; `decide` runs under the bucket's lock, changes the lock's word, and its result
 *            is what the waiter's park returns in *token
 *
 * Nothing here knows about attached threads: who may hold up a stop detaches first. */
#ifndef POLYGIL_PARKING_H
#define POLYGIL_PARKING_H

#include "parker.h"

typedef enum ParkResult {
    PARK_WOKEN,
    PARK_INVALID, /* `still` said no: nothing was waited for */
    PARK_TIMEOUT,
    PARK_INTERRUPTED, /* a bit of *interrupt is set */
} ParkResult;

/* A waiter, in the frame of its park. Others read it only under the bucket's lock, and `done`. */
typedef struct ParkNode {
    struct ParkNode *next;
    const void *addr;
    Parker *parker;
    int64_t since_ns; /* when it began to wait for this address, over several parks */
    uintptr_t token;
    _Atomic(uint32_t) done;   /* unparked; token is set */
    _Atomic(int64_t) turn_ns; /* its turn comes then, most likely; 0: not known */
} ParkNode;

typedef struct ParkSpec {
    const void *addr;
    bool (*still)(void *arg); /* NULL: always */
    void *arg;
    int64_t deadline_ns; /* -1: none */
    /* NULL, or called at the deadline, or when its turn should have come, still in the queue: gives the next deadline,
     * and the wait goes on. May park. */
    int64_t (*overdue)(void *arg);
    int64_t since_ns;                   /* 0: now */
    const _Atomic(uint32_t) *interrupt; /* NULL: never */
    uint32_t interrupt_mask;
} ParkSpec;

typedef struct UnparkInfo {
    bool found, more; /* a waiter was taken; others wait under the same address */
    int64_t since_ns;
} UnparkInfo;

ParkResult parking_park(const ParkSpec *spec, uintptr_t *token);
/* decide is called even when nobody waits. True: a waiter was woken. */
bool parking_unpark_one(const void *addr, uintptr_t (*decide)(void *arg, const UnparkInfo *info), void *arg);
/* The first waiter's turn comes at turn_ns, some ten microseconds from now: it waits for it awake, and is overdue then.
 * A hint; nobody leaves the queue. */
void parking_alert_one(const void *addr, int64_t turn_ns);
size_t parking_unpark_all(const void *addr, uintptr_t token);
/* The queues are empty: their threads do not exist in this process. */
void parking_after_fork_child(void);

#endif

/* The one-byte lock's slow paths: bits LOCK_HELD and LOCK_PARKED over the parking lot, waiters under the byte's
 * address.
 *
 * Who loses the first compare-and-swap backs off without touching the line, in steps that double, 10 to 20 us in all,
 * then parks. A release frees the byte and wakes the first waiter, which competes with newcomers (barging); one that
 * has waited for more than 1 ms is handed the lock: the byte stays held. (source of the idea: WTF::Lock's eventual
 * fairness.)
 *
 * LOCK_PARKED is set by a waiter before it parks and cleared under the bucket's lock by the release that finds no other
 * waiter, so a release that sees it clear has nobody to wake. */
#ifndef POLYGIL_BYTELOCK_H
#define POLYGIL_BYTELOCK_H

#include "parking.h"

#ifndef POLYGIL_LOCK_BITS
#define POLYGIL_LOCK_BITS
enum { LOCK_HELD = 1, LOCK_PARKED = 2 };
#endif

/* Who finds a lock taken parks at once: see runtime/torture.h. Set while one thread exists. */
extern bool bytelock_no_spin;
/* Takes it if free, whoever is parked. */
bool bytelock_try_any(_Atomic(uint8_t) *l);
/* Backs off and tries, 10 to 20 us. */
bool bytelock_spin(_Atomic(uint8_t) *l);
/* Parks unless it is free. True: it was handed over, the caller holds it. since_ns: when the caller began to wait. */
bool bytelock_park(_Atomic(uint8_t) *l, int64_t since_ns);
/* The same, but for what it does while it waits: see ParkSpec. */
bool bytelock_park_overdue(_Atomic(uint8_t) *l, int64_t since_ns, int64_t deadline_ns, int64_t (*overdue)(void *l));
/* The same with a deadline (-1: none) and an interrupt: see ParkSpec. since_ns: 0 the first time. */
typedef enum ByteLockWait { BYTELOCK_RETRY, BYTELOCK_HANDED, BYTELOCK_TIMEOUT, BYTELOCK_INTERRUPTED } ByteLockWait;
ByteLockWait bytelock_park_until(_Atomic(uint8_t) *l, int64_t since_ns, int64_t deadline_ns,
                                 const _Atomic(uint32_t) *interrupt, uint32_t interrupt_mask);
void bytelock_unlock_slow(_Atomic(uint8_t) *l);
/* Releases it to the first waiter, however short it has waited. */
void bytelock_hand_over(_Atomic(uint8_t) *l);
/* A release is near: the first waiter gets ready, and at turn_ns it is overdue. */
static inline void bytelock_alert(const _Atomic(uint8_t) *l, int64_t turn_ns) {
    parking_alert_one((const void *)l, turn_ns);
}
/* Waits as long as it takes, parks as it is. */
void bytelock_lock_slow(_Atomic(uint8_t) *l);

#endif

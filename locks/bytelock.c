#include "bytelock.h"

#include "stats.h"

#define HANDOFF_NS 1000000
#define SPIN_FIRST_NS 500
#define SPIN_ROUNDS 5 /* 0.5 + 1 + 2 + 4 + 8 us */

enum { TOKEN_COMPETE, TOKEN_HANDED };

bool bytelock_try_any(_Atomic(uint8_t) *l) {
    uint8_t v = LOAD_RELAXED(l);
    while (!(v & LOCK_HELD)) {
        /* acquire: pairs with the release of the last holder */
        if (atomic_compare_exchange_weak_explicit(l, &v, v | LOCK_HELD, memory_order_acquire, memory_order_relaxed))
            return true;
    }
    return false;
}

bool bytelock_no_spin;

bool bytelock_spin(_Atomic(uint8_t) *l) {
    if (bytelock_try_any(l))
        return true;
    STAT_HOT_INC(lock_waits);
    if (sched_on || UNLIKELY(bytelock_no_spin))
        return false;
    int64_t ns = SPIN_FIRST_NS;
    for (int i = 0; i < SPIN_ROUNDS; i++, ns *= 2) {
        spin_for(ns);
        if (bytelock_try_any(l))
            return true;
    }
    return false;
}

static bool still_taken(void *arg) {
    return LOAD_RELAXED((_Atomic(uint8_t) *)arg) == (LOCK_HELD | LOCK_PARKED);
}

/* Says that somebody parks; false when the lock is free. */
static bool mark_parked(_Atomic(uint8_t) *l) {
    uint8_t v = LOAD_RELAXED(l);
    do {
        if (!(v & LOCK_HELD))
            return false;
        if (v & LOCK_PARKED)
            break;
    } while (
        !atomic_compare_exchange_weak_explicit(l, &v, v | LOCK_PARKED, memory_order_relaxed, memory_order_relaxed));
    STAT_ADD(lock_parks, 1);
    return true;
}

bool bytelock_park(_Atomic(uint8_t) *l, int64_t since_ns) {
    return bytelock_park_overdue(l, since_ns, -1, NULL);
}

bool bytelock_park_overdue(_Atomic(uint8_t) *l, int64_t since_ns, int64_t deadline_ns, int64_t (*overdue)(void *l)) {
    if (!mark_parked(l))
        return false;
    ParkSpec spec = {.addr = l,
                     .still = still_taken,
                     .arg = l,
                     .deadline_ns = deadline_ns,
                     .overdue = overdue,
                     .since_ns = since_ns};
    uintptr_t token = TOKEN_COMPETE;
    return parking_park(&spec, &token) == PARK_WOKEN && token == TOKEN_HANDED;
}

ByteLockWait bytelock_park_until(_Atomic(uint8_t) *l, int64_t since_ns, int64_t deadline_ns,
                                 const _Atomic(uint32_t) *interrupt, uint32_t interrupt_mask) {
    if (!mark_parked(l))
        return BYTELOCK_RETRY;
    ParkSpec spec = {.addr = l,
                     .still = still_taken,
                     .arg = l,
                     .deadline_ns = deadline_ns,
                     .since_ns = since_ns,
                     .interrupt = interrupt,
                     .interrupt_mask = interrupt_mask};
    uintptr_t token = TOKEN_COMPETE;
    switch (parking_park(&spec, &token)) {
    case PARK_TIMEOUT:
        return BYTELOCK_TIMEOUT;
    case PARK_INTERRUPTED:
        return BYTELOCK_INTERRUPTED;
    case PARK_WOKEN:
        return token == TOKEN_HANDED ? BYTELOCK_HANDED : BYTELOCK_RETRY;
    default:
        return BYTELOCK_RETRY;
    }
}

static uintptr_t release_byte(_Atomic(uint8_t) *l, const UnparkInfo *info, int64_t patience_ns) {
    uint8_t parked = info->more ? LOCK_PARKED : 0;
    if (info->found && (patience_ns == 0 || now_ns() - info->since_ns > patience_ns)) {
        STORE_RELAXED(l, LOCK_HELD | parked); /* the bucket's lock and `done` order it for the new holder */
        return TOKEN_HANDED;
    }
    STORE_RELEASE(l, parked); /* pairs with the acquire in bytelock_try_any */
    return TOKEN_COMPETE;
}
static uintptr_t decide_unlock(void *arg, const UnparkInfo *info) {
    return release_byte(arg, info, HANDOFF_NS);
}
static uintptr_t decide_hand_over(void *arg, const UnparkInfo *info) {
    return release_byte(arg, info, 0);
}

void bytelock_hand_over(_Atomic(uint8_t) *l) {
    ASSERT(LOAD_RELAXED(l) & LOCK_HELD);
    parking_unpark_one(l, decide_hand_over, l);
}
void bytelock_unlock_slow(_Atomic(uint8_t) *l) {
    ASSERT(LOAD_RELAXED(l) & LOCK_HELD);
    parking_unpark_one(l, decide_unlock, l);
}

void bytelock_lock_slow(_Atomic(uint8_t) *l) {
    int64_t since = 0;
    while (!bytelock_spin(l)) {
        if (since == 0)
            since = now_ns();
        if (bytelock_park(l, since))
            return;
    }
}

/* Object lock in one byte: 1 held, 2 somebody is parked in the parking lot under the byte's address. Uncontended: one
 * compare-and-swap each way. (source of the idea: WebKit's WTF::Lock.) */
#ifndef POLYGIL_OBJLOCK_BYTE_H
#define POLYGIL_OBJLOCK_BYTE_H

#define OBJLOCK_STRIPED 0
#define OBJLOCK_PARKS 1
#define OBJLOCK_RETAINS 1
typedef _Atomic(uint8_t) ObjLock;

static ALWAYS_INLINE ObjLock *objlock_of(Object *o) {
    return &o->lock;
}
static ALWAYS_INLINE const Object *objlock_owner(const ObjLock *l) {
    return (const Object *)((const char *)l - offsetof(Object, lock));
}

void bytelock_unlock_slow(ObjLock *l);

static ALWAYS_INLINE bool objlock_try(ObjLock *l) {
    uint8_t seen = 0;
    /* acquire: pairs with the release below; the object's fields are as the last holder left them */
    return atomic_compare_exchange_strong_explicit(l, &seen, LOCK_HELD, memory_order_acquire, memory_order_relaxed);
}
static ALWAYS_INLINE void objlock_release(ObjLock *l) {
    uint8_t seen = LOCK_HELD;
    if (UNLIKELY(!atomic_compare_exchange_strong_explicit(l, &seen, 0, memory_order_release, memory_order_relaxed)))
        bytelock_unlock_slow(l);
}
static inline void objlock_thread_fini(void) {}

#endif

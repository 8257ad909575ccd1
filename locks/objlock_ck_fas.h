/* Object lock as a table of ConcurrencyKit's fas spinlocks striped by address, for comparison with the byte lock.
 * Waiters spin, detached. */
#ifndef POLYGIL_OBJLOCK_CK_FAS_H
#define POLYGIL_OBJLOCK_CK_FAS_H

#include <ck_spinlock.h>

#define OBJLOCK_STRIPED 1
#define OBJLOCK_PARKS 0
#define OBJLOCK_RETAINS 0
#define OBJLOCK_STRIPES 4096

typedef struct ObjLock {
    _Alignas(CACHE_LINE) ck_spinlock_fas_t s;
} ObjLock;
extern ObjLock objlock_table[OBJLOCK_STRIPES];

static ALWAYS_INLINE ObjLock *objlock_of(Object *o) {
    return &objlock_table[((uint64_t)(uintptr_t)o * 0x9e3779b97f4a7c15u) >> 52];
}
static ALWAYS_INLINE bool objlock_try(ObjLock *l) {
    return ck_spinlock_fas_trylock(&l->s);
}
static ALWAYS_INLINE void objlock_release(ObjLock *l) {
    ck_spinlock_fas_unlock(&l->s);
}
/* Waits until it is taken; the caller is detached. */
static ALWAYS_INLINE void objlock_block(ObjLock *l) {
    ck_spinlock_fas_lock(&l->s);
}
static inline void objlock_thread_fini(void) {}

#endif

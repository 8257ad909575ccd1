/* Object lock as a table of pthread mutexes striped by address, for comparison with the byte lock. */
#ifndef POLYGIL_OBJLOCK_PTHREAD_H
#define POLYGIL_OBJLOCK_PTHREAD_H

#include <pthread.h>

#define OBJLOCK_STRIPED 1
#define OBJLOCK_PARKS 0
#define OBJLOCK_RETAINS 0
#define OBJLOCK_STRIPES 4096

typedef struct ObjLock {
    _Alignas(CACHE_LINE) pthread_mutex_t m;
} ObjLock;
extern ObjLock objlock_table[OBJLOCK_STRIPES];

static ALWAYS_INLINE ObjLock *objlock_of(Object *o) {
    return &objlock_table[((uint64_t)(uintptr_t)o * 0x9e3779b97f4a7c15u) >> 52];
}
static ALWAYS_INLINE bool objlock_try(ObjLock *l) {
    return pthread_mutex_trylock(&l->m) == 0;
}
static ALWAYS_INLINE void objlock_release(ObjLock *l) {
    pthread_mutex_unlock(&l->m);
}
/* Waits until it is taken; the caller is detached. */
static ALWAYS_INLINE void objlock_block(ObjLock *l) {
    pthread_mutex_lock(&l->m);
}
static inline void objlock_thread_fini(void) {}

#endif

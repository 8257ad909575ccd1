#include "mutex.h"

#include "bytelock.h"

void mutex_lock_slow(Mutex *m) {
    bytelock_lock_slow(&m->bits);
}
void mutex_unlock_slow(Mutex *m) {
    bytelock_unlock_slow(&m->bits);
}
void mutex_reinit(Mutex *m) {
    STORE_RELAXED(&m->bits, 0);
}

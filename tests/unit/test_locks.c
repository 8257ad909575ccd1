/* Every lock under the same bodies: exclusion, try, no starvation. A binding per lock. */
#ifndef NO_CK
#include <ck_spinlock.h>
#endif

#include "bytelock.h"
#include "mutex.h"
#include "unit.h"

typedef struct Binding {
    const char *name;
    void *lock;
    void (*acquire)(void *l);
    bool (*try_acquire)(void *l);
    void (*release)(void *l);
    bool fair; /* nobody starves, however many compete */
} Binding;

static const Binding *under_test;
static uint64_t counter, shadow; /* guarded by the lock: equal outside */
static _Atomic(int) inside;
static _Atomic(bool) stop;

static void enter(void) {
    CHECK(atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed) == 0);
    CHECK(counter == shadow);
    counter++;
    shadow++;
    CHECK(atomic_fetch_sub_explicit(&inside, 1, memory_order_relaxed) == 1);
}

static void body_exclusion(int index, void *arg) {
    int n = *(int *)arg;
    for (int i = 0; i < n; i++) {
        if (i % 7 == 0) {
            while (!under_test->try_acquire(under_test->lock))
                unit_sleep_us(1);
        } else {
            under_test->acquire(under_test->lock);
        }
        enter();
        if (i % 1000 == 0)
            unit_sleep_us(50); /* others must park */
        under_test->release(under_test->lock);
    }
}

static void body_starve(int index, void *arg) {
    uint64_t *mine = (uint64_t *)arg + index * 8;
    while (!LOAD_RELAXED(&stop)) {
        under_test->acquire(under_test->lock);
        for (int i = 0; i < 200; i++)
            cpu_relax();
        ++*mine;
        under_test->release(under_test->lock);
    }
}

static void *stopper(void *arg) {
    unit_sleep_us(300000);
    STORE_RELAXED(&stop, true);
    return NULL;
}

static void check_lock(const Binding *b) {
    under_test = b;
    for (int threads = 1; threads <= 8; threads *= 2) {
        int n = 3000 * unit_scale() / threads + 50;
        counter = shadow = 0;
        unit_run(threads, body_exclusion, &n);
        CHECK(counter == (uint64_t)n * (uint64_t)threads);
    }
    if (b->fair) {
        uint64_t got[8 * 8] = {0};
        STORE_RELAXED(&stop, false);
        pthread_t id;
        pthread_create(&id, NULL, stopper, NULL);
        unit_run(8, body_starve, got);
        pthread_join(id, NULL);
        uint64_t least = UINT64_MAX, most = 0;
        for (int i = 0; i < 8; i++) {
            least = MIN(least, got[i * 8]);
            most = MAX(most, got[i * 8]);
        }
        printf("  %s: least %llu, most %llu of 8 threads\n", b->name, (unsigned long long)least,
               (unsigned long long)most);
        CHECK(least > 0);
    }
    printf("%s ok\n", b->name);
}

static Mutex mutex = MUTEX_INIT(RANK_TABLE);
static void mutex_a(void *l) {
    mutex_lock(l);
}
static bool mutex_t(void *l) {
    return mutex_try_lock(l);
}
static void mutex_r(void *l) {
    mutex_unlock(l);
}

static LowLock low;
static void low_a(void *l) {
    lowlock_lock(l);
}
static bool low_t(void *l) {
    lowlock_lock(l);
    return true;
}
static void low_r(void *l) {
    lowlock_unlock(l);
}

static _Atomic(uint8_t) byte;
static void byte_a(void *l) {
    if (!bytelock_try_any(l))
        bytelock_lock_slow(l);
}
static bool byte_t(void *l) {
    return bytelock_try_any(l);
}
static void byte_r(void *l) {
    uint8_t seen = LOCK_HELD;
    if (!atomic_compare_exchange_strong_explicit((_Atomic(uint8_t) *)l, &seen, 0, memory_order_release,
                                                 memory_order_relaxed))
        bytelock_unlock_slow(l);
}
/* The way of threading.Lock: with deadlines. */
static void timed_a(void *l) {
    int64_t since = now_ns();
    while (!bytelock_try_any(l)) {
        if (bytelock_park_until(l, since, deadline_in(200000), NULL, 0) == BYTELOCK_HANDED)
            return;
    }
}

static pthread_mutex_t posix = PTHREAD_MUTEX_INITIALIZER;
static void posix_a(void *l) {
    pthread_mutex_lock(l);
}
static bool posix_t(void *l) {
    return pthread_mutex_trylock(l) == 0;
}
static void posix_r(void *l) {
    pthread_mutex_unlock(l);
}

#ifndef NO_CK
static ck_spinlock_fas_t fas = CK_SPINLOCK_FAS_INITIALIZER;
static void fas_a(void *l) {
    ck_spinlock_fas_lock(l);
}
static bool fas_t(void *l) {
    return ck_spinlock_fas_trylock(l);
}
static void fas_r(void *l) {
    ck_spinlock_fas_unlock(l);
}
#endif

int main(void) {
    Binding all[] = {
        {"mutex", &mutex, mutex_a, mutex_t, mutex_r, true},
        {"lowlock", &low, low_a, low_t, low_r, false},
        {"byte", (void *)&byte, byte_a, byte_t, byte_r, true},
        {"byte, timed", (void *)&byte, timed_a, byte_t, byte_r, true},
        {"pthread", &posix, posix_a, posix_t, posix_r, false},
#ifndef NO_CK
        {"ck_fas", &fas, fas_a, fas_t, fas_r, false},
#endif
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        check_lock(&all[i]);
    CHECK(LOAD_RELAXED(&byte) == 0 && LOAD_RELAXED(&mutex.bits) == 0);
    return 0;
}

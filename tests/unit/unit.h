/* What every unit test uses: CHECK, and bodies run by several threads. */
#ifndef POLYGIL_UNIT_H
#define POLYGIL_UNIT_H

#include <pthread.h>
#include <time.h>

#include "base/base.h"

#define CHECK(c)                                                                  \
    do {                                                                          \
        if (!(c)) {                                                               \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #c); \
            abort();                                                              \
        }                                                                         \
    } while (0)

#define UNIT_THREADS_MAX 32

typedef struct UnitThread {
    void (*body)(int index, void *arg);
    int index;
    void *arg;
} UnitThread;

/* Where the parker is linked: as the end of a VM's thread. */
__attribute__((weak)) void parker_thread_end(void);
static void *unit_thread(void *p) {
    UnitThread *u = p;
    u->body(u->index, u->arg);
    if (parker_thread_end)
        parker_thread_end();
    return NULL;
}

/* n threads run body(0 .. n-1, arg) at once. */
static inline void unit_run(int n, void (*body)(int index, void *arg), void *arg) {
    pthread_t ids[UNIT_THREADS_MAX];
    UnitThread units[UNIT_THREADS_MAX];
    for (int i = 0; i < n; i++) {
        units[i] = (UnitThread){body, i, arg};
        CHECK(pthread_create(&ids[i], NULL, unit_thread, &units[i]) == 0);
    }
    for (int i = 0; i < n; i++)
        CHECK(pthread_join(ids[i], NULL) == 0);
}

static inline void unit_sleep_us(long us) {
    struct timespec ts = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&ts, NULL);
}

static inline int unit_scale(void) { /* UNIT_SCALE=n: n times the work */
    const char *s = getenv("UNIT_SCALE");
    return s != NULL && atoi(s) > 0 ? atoi(s) : 1;
}

#endif

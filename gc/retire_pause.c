/* RETIRE pause: retired memory waits for the next stopped world, which the collector brings, or a thread for which more
 * than PAUSE_BYTES wait; it counts as allocated until then. Afterwards the thread that retired it frees it, four
 * batches for each that it fills, so that the pause itself stays short. */
#include "batch.h"
#include "heap.h"
#include "stats.h"

/* A pause costs little against this much: see docs/decisions.md, retired memory. */
enum { PAUSE_BYTES = 1 << 20 };

static _Atomic(uint64_t) pauses = 1; /* batches are stamped with it; changes in a stopped world */

static void free_until(Thread *t, uint64_t stamp, int batches) {
    t->heap.sweeping++;
    retire_free_until(t, stamp, batches);
    t->heap.sweeping--;
}

static void retire(uintptr_t item) {
    Thread *t = thread_self();
    if (!LOAD_RELAXED(&world_threaded) || t->retire.local.freeing) {
        retire_free(item);
        return;
    }
    if (retire_put(t, item)) {
        uint64_t now = LOAD_RELAXED(&pauses);
        retire_close(t, now);
        free_until(t, now - 1, 4);
        retire_ask_above(t, PAUSE_BYTES);
    }
}
void retire_mem(void *block) {
    if (block)
        retire((uintptr_t)block);
}
void retire_object(Object *o) {
    retire((uintptr_t)o | 1);
}
void retire_quiescent(Thread *t) {
    if (LIKELY(!retire_asked(t, PAUSE_BYTES)))
        return;
    excl_stop_world();
    uint64_t now = LOAD_RELAXED(&pauses);
    retire_close(t, now);
    STORE_RELAXED(&pauses, now + 1);
    excl_start_world();
    free_until(t, now, INT_MAX);
}
void retire_attach(Thread *t) {}
void retire_detach(Thread *t) {}
uint64_t retire_stamp(void) {
    return 1;
}
/* What is freed here has had its pause, so whole pages need none of their own. */
bool retire_passed(uint64_t stamp) {
    return true;
}
int retire_thread_init(Thread *t) {
    memset(&t->retire, 0, sizeof t->retire);
    return 0;
}
void retire_thread_fini(Thread *t) {
    retire_close(t, LOAD_RELAXED(&pauses));
    retire_abandon(t);
}
void retire_after_fork_child(void) {}
/* Batches of the time before the last pause: freed now, if their thread has not come to it. */
void retire_flush_stopped(void) {
    uint64_t now = LOAD_RELAXED(&pauses);
    for (Thread *t = thread_list; t; t = t->next) {
        retire_close(t, now);
        retire_free_until(t, now - 1, INT_MAX);
    }
    retire_free_orphans();
    STORE_RELAXED(&pauses, now + 1);
}

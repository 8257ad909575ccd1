/* RETIRE pause: retired memory waits for the next stopped world, which the collector brings; it counts as allocated until then. */
#include "batch.h"
#include "heap.h"
#include "stats.h"

static void retire(uintptr_t item) {
    Thread *t = thread_self();
    if (!LOAD_RELAXED(&world_threaded) || t->retire.local.freeing) {
        retire_free(item);
        return;
    }
    if (retire_put(t, item))
        retire_close(t, 0);
}
void retire_mem(void *block) {
    if (block)
        retire((uintptr_t)block);
}
void retire_object(Object *o) { retire((uintptr_t)o | 1); }
void retire_quiescent(Thread *t) {}
void retire_attach(Thread *t) {}
void retire_detach(Thread *t) {}
uint64_t retire_stamp(void) { return 1; }
bool retire_passed(uint64_t stamp) { return !LOAD_RELAXED(&world_threaded) || excl_world_stopped(); }
int retire_thread_init(Thread *t) {
    memset(&t->retire, 0, sizeof t->retire);
    return 0;
}
void retire_thread_fini(Thread *t) {
    retire_close(t, 0);
    retire_abandon(t);
}
void retire_after_fork_child(void) {}
void retire_flush_stopped(void) { retire_free_all(); }

/* What locks/ and runtime/thread.c ask of the rest of the VM. */
#include "backend/backend.h"
#include "dead.h"
#include "heap.h"
#include "interp/frame.h"
#include "object/object.h"
#include "runtime/signal.h"

char shape_region[SHAPE_REGION_BYTES];
Type exc_RuntimeError;

void fatal_at(const char *file, int line, const char *what) {
    fprintf(stderr, "fatal: %s:%d: %s\n", file, line, what);
    abort();
}
Value err_set(Type *exc, const char *fmt, ...) {
    fatal(fmt);
}
Value err_raise(Value v) {
    fatal("err_raise");
}
Value obj_call0(Value f) {
    fatal("obj_call0");
}
int signal_run_handlers(void) {
    return 0;
}
bool publishing;
void publish_object(Object *o) {
    obj_set_flag(o, OF_SHARED);
}
void publish_all(void) {
    publishing = true;
}
void thread_sentinel_release(Value lock) {}
int heap_thread_init(Thread *t) {
    return 0;
}
void heap_thread_use_arena(const Thread *t) {}
void heap_thread_fini(Thread *t) {}
void heap_after_fork_child(void) {}
int interp_thread_init(Thread *t) {
    return 0;
}
void interp_thread_fini(Thread *t) {}
void interp_thread_vanished(Thread *t) {}
bool interp_pc_published(const Thread *t) {
    return true;
}
void dead_drain(Thread *t) {}
void dead_hold(Thread *t) {}
void dead_let(Thread *t) {}
void dead_push(Object *o) {}
void retire_quiescent(Thread *t) {}
void retire_attach(Thread *t) {
    ASSERT(t->retire.inside == 0);
    t->retire.inside = 1;
}
void retire_detach(Thread *t) {
    ASSERT(t->retire.inside == 1);
    t->retire.inside = 0;
}

/* GIL policy interval (CPython since 3.2): a waiter that saw no switch for one interval (5 ms, sys.setswitchinterval)
 * asks the holder to drop the lock; the drop is a forced switch. Who leaves to block frees the lock, and the first
 * waiter competes for it: hence the convoy. */
#include "gil.h"

static GilQueue queue(const Thread *t) {
    return GIL_QUEUE_TAIL;
}
static int64_t patience_ns(const Thread *t) {
    return LOAD_RELAXED(&gil_interval_ns);
}

const GilPolicy gil_policy = {
    .name = "interval",
    .handoff_on_detach = false,
    .handoff_on_drop = true,
    .queue = queue,
    .patience_ns = patience_ns,
};

/* GIL policy tick (CPython until 3.1): every GIL_TICKS safepoints the holder frees the lock, signals a waiter and takes
 * the lock again, mostly before the waiter runs. Nobody asks. */
#include "gil.h"

static GilQueue queue(const Thread *t) {
    return GIL_QUEUE_TAIL;
}
static int64_t patience_ns(const Thread *t) {
    return -1;
}

const GilPolicy gil_policy = {
    .name = "tick",
    .handoff_on_detach = false,
    .handoff_on_drop = false,
    .queue = queue,
    .patience_ns = patience_ns,
};

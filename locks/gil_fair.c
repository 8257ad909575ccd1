/* GIL policy fair: first come, first served; every release hands the lock over, a waiter asks for a drop after one
 * interval. */
#include "gil.h"

static GilQueue queue(const Thread *t) {
    return GIL_QUEUE_TAIL;
}
static int64_t patience_ns(const Thread *t) {
    return LOAD_RELAXED(&gil_interval_ns);
}

const GilPolicy gil_policy = {
    .name = "fair",
    .handoff_on_detach = true,
    .handoff_on_drop = true,
    .queue = queue,
    .patience_ns = patience_ns,
};

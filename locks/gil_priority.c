/* GIL policy priority: a thread that comes back from blocking asks at once and goes before those that were computing;
 * every release hands the lock over. No convoy. */
#include "gil.h"

static GilQueue queue(const Thread *t) {
    return t->excl.forced ? GIL_QUEUE_TAIL : GIL_QUEUE_URGENT;
}
static int64_t patience_ns(const Thread *t) {
    return t->excl.forced ? LOAD_RELAXED(&gil_interval_ns) : 50000;
}

const GilPolicy gil_policy = {
    .name = "priority",
    .handoff_on_detach = true,
    .handoff_on_drop = true,
    .queue = queue,
    .patience_ns = patience_ns,
};

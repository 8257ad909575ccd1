/* TRACE none: nothing is collected. */
#include "tracer_impl.h"

bool collector_finish_marking(void) {
    return false;
}
size_t collector_free_dead(bool lazily) {
    return 0;
}
size_t collector_trigger(size_t live) {
    return SIZE_MAX;
}
size_t trace_report_leaks(void) {
    return 0;
}

/* TRACE cycle: finds what counts cannot: cycles, and uncounted objects. */
#ifndef POLYGIL_TRACE_CYCLE_H
#define POLYGIL_TRACE_CYCLE_H

#include "runtime/thread.h"

#define TRACE_FREES 1

/* Every cell is enumerable from its allocation on, and may be traced as soon as its header is set. */
static ALWAYS_INLINE void trace_track(Object *o) {}
/* The whole heap is traced each time, so no store needs to be remembered. */
static ALWAYS_INLINE void trace_write(Value holder, Value old, Value new_) {}
/* See tracer.h. */
intptr_t trace_collect(int generation);

#endif

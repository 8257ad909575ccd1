/* Choosing objects to freeze. See freeze.h. */
#include "backend/backend.h"

#include "object/type.h"

#ifdef POLYGIL_FREEZE_H

/* The object's address / 8, 44 bits | changes: 3 | repeats: 4 | trace: 4 | thread: 9. Entries are overwritten without
 * care: a lost one costs a later freeze. */
_Atomic(uint64_t) freeze_table[1 << FREEZE_TABLE_BITS];
enum { THREAD_BITS = 9, TRACE_SHIFT = 9, REPEATS_SHIFT = 13, HITS_SHIFT = 17 };

static uint32_t distance(FreezeThread *f) {
    f->random = f->random * 1664525u + 1013904223u;
    return f->random >> 16 & (2 * FREEZE_EVERY - 1);
}

NOINLINE void freeze_sample(FreezeThread *f, Object *o) {
    f->left = distance(f);
    if (!LOAD_RELAXED(&world_threaded)) {
        f->left = 1024;
        return;
    }
    _Atomic(uint64_t) *e = freeze_entry(o);
    uint64_t seen = LOAD_RELAXED(e);
    uint64_t me = (count_freeze_trace(o) & 15) << TRACE_SHIFT | (thread_self()->id & ((1 << THREAD_BITS) - 1));
    uint64_t hits = 0;
    if (seen >> 20 == freeze_address(o) >> 20) {
        hits = seen >> HITS_SHIFT & 7;
        if (((seen ^ me) & ((1u << REPEATS_SHIFT) - 1)) == 0) {
            if (!COUNT_BIASED)
                return;
            uint64_t repeats = (seen >> REPEATS_SHIFT & 15) + 1;
            if (repeats >= REBIAS_REPEATS) {
                repeats = 0;
                if (count_rebias(o))
                    hits = 0; /* who uses it in turns, each for long, needs it uncounted no more */
            }
            STORE_RELAXED(e, freeze_address(o) | hits << HITS_SHIFT | repeats << REPEATS_SHIFT | me);
            return;
        }
        hits++;
    }
    if (hits < FREEZE_HITS) {
        STORE_RELAXED(e, freeze_address(o) | hits << HITS_SHIFT | me);
        return;
    }
    const Type *t = type_of(V_OF(o));
    if (t->flags & TF_FINALIZER || obj_flags(o) & (OF_WEAKREF | OF_UNCOUNTED))
        return;
    STORE_RELAXED(e, 0);
    STAT_ADD(frozen, 1);
    count_freeze(o);
}

#endif

/* Choosing objects to freeze. See freeze.h. */
#include "backend/backend.h"

#include "object/type.h"

#ifdef POLYGIL_FREEZE_H

enum { TABLE = 512 };
/* Who sampled which object last: address and thread number in one word. */
static _Atomic(uint64_t) last[TABLE];

NOINLINE void freeze_sample(FreezeThread *f, Object *o) {
    if (!LOAD_RELAXED(&world_threaded))
        return;
    uint64_t hash = (uint64_t)(uintptr_t)o * 0x9e3779b97f4a7c15ull;
    uint64_t mine = (uint64_t)(uintptr_t)o << 16 | (thread_self()->id & 0xffff);
    _Atomic(uint64_t) *e = &last[hash >> 55];
    uint64_t seen = LOAD_RELAXED(e);
    if (seen != mine)
        STORE_RELAXED(e, mine);
    if (seen >> 16 != mine >> 16 || seen == mine)
        return;
    uint32_t i = hash >> 40 & (FREEZE_SLOTS - 1);
    if (f->slot[i].o != o) {
        f->slot[i].o = o;
        f->slot[i].hits = 0;
    }
    if (++f->slot[i].hits < FREEZE_HITS)
        return;
    f->slot[i].hits = 0;
    const Type *t = type_of(V_OF(o));
    if (t->flags & TF_FINALIZER || obj_flags(o) & (OF_WEAKREF | OF_UNCOUNTED))
        return;
    STAT_ADD(frozen, 1);
    count_freeze(o);
}

#endif

/* COUNT atomic: a reader that met a writer, and freezing. */
#include "backend/backend.h"

NOINLINE Value count_load_again(_Atomic(Value) *r) {
    for (;;) {
        Value v = LOAD_ACQUIRE(r); /* pairs with the release in ref_swap */
        if (!v_is_obj(v))
            return v;
        if (!count_try_retain(v_obj(v)))
            continue; /* dead: its slot was emptied before, and the failed attempt's acquire shows us that next time
                         round */
        if (LOAD_ACQUIRE(r) == v)
            return v;
        release_later(v_obj(v));
    }
}

/* The caller holds a reference, so the count is above zero: no drop that is under way can take it to zero any more, and
 * whoever decides on the value 1 sees the sticky bit instead. */
void count_freeze(Object *o) {
    count_set_uncounted(o);
}
uint32_t count_freeze_trace(const Object *o) {
    return 0;
}

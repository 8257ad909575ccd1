/* Freezing: an object that several threads count often becomes uncounted, so that its cache line is only read. The
 * tracer frees it.
 *
 * Each thread samples about one in FREEZE_EVERY of its shared count operations. A table shared by all remembers per
 * object who sampled it last and how often that changed: after FREEZE_HITS changes the object is frozen, so a few
 * hundred operations by two threads do it, and what each of a few threads uses once (the function that they run, and
 * what it refers to) stays counted. Under a biased count the owner takes no samples; instead every sample looks whether
 * the owner's own count has moved (freeze_trace); and an object that one thread alone samples again REBIAS_REPEATS
 * times in a row becomes that thread's, if its owner sleeps. Never frozen is an object whose end can be noticed: with a
 * finalizer or a weak reference. What dies by its count while there are several threads is forgotten, so that its
 * cell's next one starts anew. Option POLYGIL_FREEZE=0 (compile) switches it off. */
#ifndef POLYGIL_FREEZE_H
#define POLYGIL_FREEZE_H

#include "backend/backend.h"

#ifndef POLYGIL_FREEZE
#define POLYGIL_FREEZE 1
#endif
enum { FREEZE_EVERY = 16, FREEZE_HITS = 4, REBIAS_REPEATS = 8, FREEZE_TABLE_BITS = 12 };

extern _Atomic(uint64_t) freeze_table[1 << FREEZE_TABLE_BITS];
void freeze_sample(FreezeThread *f, Object *o);

/* After a shared count operation on o by a thread that holds a reference to it. */
static ALWAYS_INLINE void freeze_note(Object *o) {
    UNUSED FreezeThread *f = &thread_self()->count.freeze;
    if (POLYGIL_FREEZE && UNLIKELY(f->left-- == 0))
        freeze_sample(f, o);
}
static ALWAYS_INLINE _Atomic(uint64_t) *freeze_entry(const Object *o) {
    return &freeze_table[(uint64_t)(uintptr_t)o * 0x9e3779b97f4a7c15ull >> (64 - FREEZE_TABLE_BITS)];
}
static ALWAYS_INLINE uint64_t freeze_address(const Object *o) {
    return (uint64_t)(uintptr_t)o >> 3 << 20;
}
/* o dies; others may have sampled it. */
static ALWAYS_INLINE void freeze_forget(const Object *o) {
    UNUSED _Atomic(uint64_t) *e = freeze_entry(o);
    if (POLYGIL_FREEZE && UNLIKELY(LOAD_RELAXED(e) >> 20 == freeze_address(o) >> 20))
        STORE_RELAXED(e, 0);
}
/* The policy's part: makes it uncounted while others count it. */
void count_freeze(Object *o);
/* ... and four bits that change when somebody who takes no samples counts o; 0 when everybody does. */
uint32_t count_freeze_trace(const Object *o);
/* Biased counts: o becomes the caller's, who holds a reference and counts it often, if its owner is detached or gone.
 * False: it stays whose it was. */
bool count_rebias(Object *o);

#endif

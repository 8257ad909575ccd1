/* The header of every object, laid out per composition of slots. Core code never names a field of it: it uses the
 * accessors below and the slots' functions.
 *
 *   one lock, plain count    8   index:32 | count:26 flags:6
 *   one lock, no count       8   index:32 | flags:8
 *   locks, no count          8   index:32 | lock:8 flags:8 spare:16
 *   locks, count word       16   index:32 | lock:8 flags:8 spare:16 | count:32 | spare:32
 *   locks, biased count     16   index:32 | local:32 | owner:16 lock:8 flags:8 | shared:32
 *
 * `index` is a compressed pointer to the object's Shape: region base + index * 16.
 */
#ifndef POLYGIL_HEADER_H
#define POLYGIL_HEADER_H

#include "backend/value.h"

/* COUNT_LAYOUT is set by the count policy's types header to one of these. */
#define COUNT_LAYOUT_NONE 0
#define COUNT_LAYOUT_PACKED 1 /* 26 bits beside the flags; sound under one lock only */
#define COUNT_LAYOUT_WORD 2
#define COUNT_LAYOUT_BIASED 3

#include EXCL_TYPES_HEADER
#include COUNT_TYPES_HEADER

struct Object {
    _Atomic(uint32_t) index;
#if COUNT_LAYOUT == COUNT_LAYOUT_PACKED && !EXCL_HAS_OBJECT_LOCK
    _Atomic(uint32_t) count_flags; /* count << 6 | flags */
#elif COUNT_LAYOUT == COUNT_LAYOUT_BIASED
    _Atomic(uint32_t) local;
    _Atomic(uint16_t) owner;
    _Atomic(uint8_t) lock;
    _Atomic(uint8_t) flags;
    _Atomic(uint32_t) shared;
#else
    _Atomic(uint8_t) lock;
    _Atomic(uint8_t) flags;
    uint16_t spare;
#if COUNT_LAYOUT == COUNT_LAYOUT_WORD || COUNT_LAYOUT == COUNT_LAYOUT_PACKED
    _Atomic(uint32_t) count;
    uint32_t spare2;
#endif
#endif
};

/* Flags, at most six where objects are counted. All may be set and read at any time by any thread. */
enum {
    OF_UNCOUNTED = 1,  /* count operations skip it; only the tracer frees it */
    OF_WEAKREF = 2,    /* has an entry in the weak reference table */
    OF_FINALIZED = 4,  /* its __del__ has run */
    OF_SHARED = 8,     /* threads other than the one that made it may reach it (gc/publish.h) */
    OF_FINALIZER = 16, /* its type has __del__ or it is otherwise special when it dies */
    OF_IMMORTAL = 32,  /* lives outside the heap or for ever */
    OF_TEMPORARY = 64, /* without counts: nothing but one register refers to it (obj_set_temporary) */
};

#if COUNT_LAYOUT == COUNT_LAYOUT_PACKED && !EXCL_HAS_OBJECT_LOCK
static ALWAYS_INLINE uint32_t obj_flags(const Object *o) {
    return LOAD_RELAXED(&((Object *)o)->count_flags) & 63;
}
static ALWAYS_INLINE bool obj_has_flag(const Object *o, uint32_t f) {
    return obj_flags(o) & f;
}
static ALWAYS_INLINE void obj_set_flag(Object *o, uint32_t f) {
    STORE_RELAXED(&o->count_flags, LOAD_RELAXED(&o->count_flags) | f);
}
static ALWAYS_INLINE void obj_clear_flag(Object *o, uint32_t f) {
    STORE_RELAXED(&o->count_flags, LOAD_RELAXED(&o->count_flags) & ~f);
}
#else
static ALWAYS_INLINE uint32_t obj_flags(const Object *o) {
    return LOAD_RELAXED(&((Object *)o)->flags);
}
static ALWAYS_INLINE bool obj_has_flag(const Object *o, uint32_t f) {
    return test_bits(&o->flags, (uint8_t)f);
}
static ALWAYS_INLINE void obj_set_flag(Object *o, uint32_t f) {
    if (EXCL_PARALLEL)
        atomic_fetch_or_explicit(&o->flags, (uint8_t)f, memory_order_acq_rel);
    else
        STORE_RELAXED(&o->flags, (uint8_t)(LOAD_RELAXED(&o->flags) | f));
}
static ALWAYS_INLINE void obj_clear_flag(Object *o, uint32_t f) {
    if (EXCL_PARALLEL)
        atomic_fetch_and_explicit(&o->flags, (uint8_t)~f, memory_order_acq_rel);
    else
        STORE_RELAXED(&o->flags, (uint8_t)(LOAD_RELAXED(&o->flags) & ~f));
}
#endif

/* The header of a fresh object by its words; index is 0. Two whole stores: a load of several fields at once that
 * follows soon would wait for stores of each. */
static ALWAYS_INLINE void obj_init_header(Object *o, uint64_t first, uint64_t second) {
    _Atomic(uint64_t) *w = (_Atomic(uint64_t) *)o; /* atomically: a late reader may look */
    STORE_RELAXED(w, first);
    if (sizeof(Object) > 8)
        STORE_RELAXED(w + 1, second);
}

/* Of an object that no other thread can reach. */
static ALWAYS_INLINE void obj_set_flag_private(Object *o, uint32_t f) {
#if COUNT_LAYOUT == COUNT_LAYOUT_PACKED && !EXCL_HAS_OBJECT_LOCK
    obj_set_flag(o, f);
#else
    STORE_RELAXED(&o->flags, (uint8_t)(LOAD_RELAXED(&o->flags) | f));
#endif
}

/* Without counts an operator can still free an operand, or what its result replaces, at once: a number, str or set that
 * an operator made for one register. That is a temporary whose next use is an operator, or a local that owns what is
 * made for it (front/owned.c). Who lets such an object out of its register clears the flag. */
static ALWAYS_INLINE bool obj_is_temporary(Value v) {
    return COUNT_LAYOUT == COUNT_LAYOUT_NONE && (v & 7) == 0 && v != 0 && obj_flags((Object *)v) & OF_TEMPORARY;
}
static ALWAYS_INLINE void obj_set_temporary(Value v, bool on) {
#if COUNT_LAYOUT == COUNT_LAYOUT_NONE
    Object *o = (Object *)v;
    uint8_t f = LOAD_RELAXED(&o->flags);
    STORE_RELAXED(&o->flags, (uint8_t)(on ? f | OF_TEMPORARY : f & ~OF_TEMPORARY));
#endif
}

/* v leaves the register that it may have been made for. */
static ALWAYS_INLINE void obj_let_out(Value v) {
    if (obj_is_temporary(v))
        obj_set_temporary(v, false);
}

/* The region of shapes (and of nothing else): `index` x 16 from its start. */
#define SHAPE_REGION_BYTES ((size_t)256 << 20)
extern char shape_region[SHAPE_REGION_BYTES];

static ALWAYS_INLINE uint32_t obj_index(Value v) {
    return LOAD_RELAXED(&v_obj(v)->index);
}
static ALWAYS_INLINE Shape *shape_at(uint32_t index) {
    return (Shape *)(shape_region + (size_t)index * 16);
}
static ALWAYS_INLINE uint32_t shape_index(const Shape *s) {
    return (uint32_t)(((const char *)s - shape_region) >> 4);
}

#endif

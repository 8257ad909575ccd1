/* Shapes: which attribute sits in which slot of an instance; and the storage of instance attributes.
 *
 *   slot mode   attribute i of the shape lies in the object (i < inline_slots) or in the overflow block.
 *   dict mode   SF_DICT_MODE: the attrs word holds the instance's __dict__ (ABSENT: an empty one not made yet), slots
 * are empty.
 *
 * Invariants:
 *   - An instance goes from a shape to its child (attribute added) or to dict mode; never back. The value is published
 * before the shape.
 *   - A slot belongs to one name for ever: deletion leaves a hole (ABSENT); adding the name again goes to dict mode,
 * for the order.
 *   - Names in shapes are interned strs, which live as long as the process.
 *   - Shapes, once published, never change but for `transitions` and `table`, which are published by release stores.
 *   - A reader that finds ABSENT in a slot, or an attrs word of the other kind, reads the shape again before it
 * believes it.
 *   - Where stores to existing slots take no lock (stw), whatever moves slots happens in a stopped world.
 */
#ifndef POLYGIL_SHAPE_H
#define POLYGIL_SHAPE_H

#include "object/object.h"

/* Overflow block: heap_block memory, tagged with bit 0 in the attrs word. */
typedef struct AttrBlock {
    size_t capacity;
    Ref items[];
} AttrBlock;

enum {
    SHAPE_MAX_ATTRS = 120,
    SHAPE_MAX_INLINE = 32,
    SHAPE_DEFAULT_INLINE = 4 /* of a class whose methods assign none */
};

/* A fresh root for instances of t; flags: SF_*. Aborts when the region is full. */
Shape *shape_new_root(Type *t, const TypeOps *ops, uint32_t flags);
/* Fills the shape with a constant index. */
Shape *shape_init_at(uint32_t index, Type *t, const TypeOps *ops);
/* Slot of an interned name, or -1. Lock-free. */
intptr_t shape_find(const Shape *s, Value name);
/* The child of s that adds the interned name; NULL: too many attributes, use dict mode (nothing pending). Takes the
 * shape lock. */
Shape *shape_add(Shape *s, Value name);
/* Shape of t's instances in dict mode. */
Shape *shape_dict_mode(Type *t);
/* Name of slot i. */
Value shape_name_at(const Shape *s, uint32_t slot);
/* Names of the shape tree under a root (for the type's traverse), and the tree's end. */
void shape_tree_visit(Shape *root, VisitFn visit, void *arg);
void shape_tree_free(Shape *root);

enum { ATTRS_TAG = 1 };
/* The attrs word of an instance of a type with TF_HAS_DICT: the dict of dict mode, a tagged AttrBlock, or 0. The tag
 * alone: another thread is between the shape and the dict of dict mode. */
static ALWAYS_INLINE _Atomic(Value) *attrs_word_at(Value o, uint32_t slots_offset) {
    return (_Atomic(Value) *)((char *)v_obj(o) + slots_offset);
}
_Atomic(Value) *attrs_word(Value o);
static ALWAYS_INLINE Ref *attrs_inline(Value o, uint32_t slots_offset, uint32_t slot) {
    return (Ref *)((char *)v_obj(o) + slots_offset + 8) + slot;
}
/* The cell of slot in an instance with shape s; NULL when the attrs word holds no block with that slot (the shape is
 * stale). */
static ALWAYS_INLINE Ref *attrs_slot(Value o, const Shape *s, uint32_t slot) {
    if (LIKELY(slot < s->inline_slots))
        return attrs_inline(o, s->slots_offset, slot);
    Value w = LOAD_ACQUIRE(
        attrs_word_at(o, s->slots_offset)); /* pairs with the release in grow: the items come before the block */
    if (!(w & 1))
        return NULL;
    AttrBlock *b = (AttrBlock *)(uintptr_t)(w & ~(Value)1);
    slot -= s->inline_slots;
    return slot < b->capacity ? &b->items[slot] : NULL;
}

/* Instance attributes alone: no class, no descriptors. name: str (interned by the callee when needed). */
Value attrs_get(Value o, Value name);        /* owned; ABSENT: none (nothing pending), or an error (pending) */
int attrs_set(Value o, Value name, Value v); /* retains v */
int attrs_del(Value o, Value name);          /* 1 deleted, 0 there was none, -1 */
Value attrs_dict(Value o);                   /* owned dict; switches to dict mode */
int attrs_set_dict(Value o, Value dict);     /* replaces it; retains */
Value attrs_snapshot(Value o); /* new dict, the instance keeps its mode; V_NONE when there are no attributes */
bool attrs_have_any(Value o);

/* Everything an instance refers to, its class when it is a heap type included; and its emptying. For gc/. */
void obj_traverse(Object *o, VisitFn visit, void *arg);
void obj_clear_refs(Object *o);
/* Frees the overflow block of an instance that was not cleared; for a sweep. */
void obj_free_attrs(Object *o);

/* Inline caches: what a lookup of an interned name on o finds now, for objects whose class has TF_GENERIC_GETATTR. */
typedef enum AttrKind {
    ATTR_OTHER,       /* no cache: modules, types, dict mode, __getattr__, errors ... */
    ATTR_INLINE,      /* slot: index of the inline slot; guard: shape */
    ATTR_OVERFLOW,    /* slot: index into AttrBlock.items; guard: shape */
    ATTR_MEMBER,      /* slot: byte offset of a Ref field (__slots__); guard: shape */
    ATTR_METHOD,      /* value: a function or method_descr to be called with o in front; guards: shape and version */
    ATTR_CLASS_VALUE, /* value: found on the class and no descriptor; guards: shape and version */
    ATTR_PROPERTY,    /* value: the property's fget, or fset for stores; guards: shape and version */
    ATTR_GETSET,      /* value: a getset or non-Ref member object; guards: shape and version */
    ATTR_ADD_INLINE,  /* stores: slot is new, next_shape follows; guards: shape and version */
    ATTR_DICT, /* instance in dict mode and the class has no data descriptor of that name; guards: shape and version */
    ATTR_MODULE, /* module: look into module_dict(o) with dict_cache_slot; guard: shape */
} AttrKind;
typedef struct AttrLoc {
    AttrKind kind;
    uint32_t shape;   /* index guard */
    uint32_t version; /* of the class, read before the lookup */
    uint32_t slot;
    uint32_t next_shape; /* ATTR_ADD_INLINE */
    Value value;         /* borrowed; only uncounted objects, never ABSENT for METHOD, CLASS_VALUE, PROPERTY, GETSET */
} AttrLoc;
/* Never fails and runs no Python code. A slot kind is valid as long as the shape guard holds: when a class gains a data
 * descriptor, or a
 * __getattribute__ or __setattr__ of its own, after it has had instances, type.c calls *type_clear_caches in a stopped
 * world. */
extern void (*type_clear_caches)(void); /* set by interp/ at start: voids every inline cache; NULL: nothing to do */
void attr_find(Value o, Value name, AttrLoc *out);
void attr_find_store(Value o, Value name, AttrLoc *out);

#endif

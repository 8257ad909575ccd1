/* Inline caches: one 64-bit word behind its instruction, replaced by one atomic store, shared by all threads.
 *
 *   guard:32   shape index of the receiver, or layout id of a dict
 *   kind:4     IC_*
 *   payload:28 byte offset of a slot, slot of a dict, or index of a side cell
 *
 * A side cell is immutable once the word that names it is published. Cells are never given back while the world runs;
 * all caches are cleared, and the cells with them, in a stopped world (ic_clear_all): when none is left, and when shape
 * indices may be used again.
 *
 * A site that meets several shapes would write its word, which all threads read, again and again. So what is learnt is
 * kept in one table too, by shape, name and use: a site that misses finds it there, and is left as it is most times.
 * (The lookup cache behind the inline cache: Deutsch and Schiffman, "Efficient Implementation of the Smalltalk-80
 * System", POPL 1984.)
 */
#ifndef POLYGIL_IC_H
#define POLYGIL_IC_H

#include "interp/code.h"
#include "object/dict.h"
#include "object/module.h"

enum {
    IC_EMPTY,
    IC_INLINE,      /* payload: byte offset in the object of a slot that holds the attribute (inline slot or __slots__
                       member) */
    IC_OVERFLOW,    /* payload: index into AttrBlock.items */
    IC_METHOD,      /* payload: side cell; value to be called with the receiver in front */
    IC_CLASS_VALUE, /* side cell; value */
    IC_PROPERTY,    /* side cell; value is the getter, or the setter for stores */
    IC_GETSET,      /* side cell; value is a data descriptor of a built-in class */
    IC_ADD_INLINE,  /* side cell; slot offset and next shape */
    IC_DICT,        /* side cell; instance in dict mode: look the name up in its dict */
    IC_MODULE,      /* payload: side cell; layout id and slot of the module's dict */
    IC_SUPER,       /* side cell; aux: shape index of the class that super() starts behind */
    IC_TYPE, /* receiver is a class; side cell: type is that class itself, value what it gives; aux 1: a classmethod's
                function */
    IC_DICT_SLOT, /* guard: layout id; payload: slot */
    IC_MEMBER,    /* of stores into __slots__ members, as IC_INLINE; the slot may be empty */
};

typedef struct SideCell {
    Type *type;
    uint32_t version; /* of type, when the cell was made; IC_MODULE: layout id */
    uint32_t aux;     /* byte offset or slot */
    Value value;      /* borrowed: uncounted */
    uint32_t next_shape;
    uint32_t spare;
} SideCell;
_Static_assert(sizeof(SideCell) == 32, "cells are found by a shift");

#define IC_PAYLOAD(w) ((uint32_t)(w) & 0x0fffffff)
#define IC_KIND(w) ((uint32_t)((w) >> 28) & 15)
#define IC_GUARD(w) ((uint32_t)((w) >> 32))
/* Guard and kind at once: equal to IC_KEY(index, kind) on a hit. */
#define IC_GUARD_KIND(w) ((w) >> 28)
#define IC_KEY(index, kind) ((uint64_t)(index) << 4 | (kind))
static ALWAYS_INLINE uint64_t ic_word(uint32_t guard, uint32_t kind, uint32_t payload) {
    return (uint64_t)guard << 32 | (uint64_t)kind << 28 | payload;
}

#define IC_MAX_CELLS ((uint32_t)1 << (POLYGIL_ASSERT >= 1 ? 12 : 20)) /* few: the tests reach the last */
extern SideCell ic_cells[IC_MAX_CELLS];
static ALWAYS_INLINE const SideCell *ic_cell(uint64_t w) {
    return &ic_cells[IC_PAYLOAD(w)];
}
static ALWAYS_INLINE bool ic_cell_valid(const SideCell *c) {
    return LOAD_RELAXED(&c->type->version) == c->version;
}

/* Of module o, as the cell of an IC_MODULE word says: owned; ABSENT when it is out of date. */
static ALWAYS_INLINE Value ic_module_load(Value o, const SideCell *c) {
    return dict_cached_load(module_dict(o), c->version, c->aux);
}

/* What an attribute is looked up for. */
typedef enum IcUse { IC_USE_LOAD = 1, IC_USE_STORE, IC_USE_SUPER } IcUse;
/* The word for name of o at this site: the site's own when its guard says so, else what any site has learnt about that
 * shape, or what is learnt now, which the site may take over. Its cell may be out of date; IC_EMPTY says that nothing
 * can be cached. No Python code, no failure. */
uint64_t ic_find_elsewhere(Instr *site, Value o, Value name, IcUse use);
static ALWAYS_INLINE uint64_t ic_find(Instr *site, Value o, Value name, IcUse use) {
    if (!v_is_obj(o))
        return 0;
    uint64_t word = LOAD_ACQUIRE(site);
    uint32_t index = obj_index(o);
    if (IC_GUARD(word) == index && (index != IDX_TYPE || ic_cell(word)->type == (Type *)o))
        return word;
    return ic_find_elsewhere(site, o, name, use);
}
/* The word that ic_find gave did not do: sometimes learns anew. */
void ic_stale(Instr *site, uint64_t word, Value o, Value name, IcUse use);
/* The instruction at pc, whose word is w, might better be op: it is changed more and more rarely. */
void ic_quicken(Instr *pc, uint64_t w, unsigned op);
/* What super() behind the class with root shape `own` gives for a receiver of that shape: a valid cell, or NULL. */
const SideCell *ic_find_super(Instr *site, uint32_t shape, uint32_t own, Value name);
/* value: uncounted. */
void ic_learn_super(Instr *site, uint32_t shape, uint32_t own, Value name, Type *type, uint32_t version, Value value);
/* Voids all caches; stops the world itself. */
void ic_clear_all(void);
/* Empties the caches in a copy of code words. */
void ic_reset_words(uint64_t *words, uint32_t n);
void ic_init(void);

#endif

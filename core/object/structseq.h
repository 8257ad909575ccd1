/* Struct sequences: named tuples made in C (time.struct_time, os.stat_result, sys.flags ...). A tuple of the first
 * n_sequence fields, with all fields as attributes; the others lie hidden behind the tuple's items. */
#ifndef POLYGIL_STRUCTSEQ_H
#define POLYGIL_STRUCTSEQ_H

#include "object/object.h"
#include "object/tuple.h"

typedef struct StructSeqField {
    const char *name; /* NULL ends the array; "" : unnamed, in the sequence alone */
    const char *doc;
} StructSeqField;

typedef struct StructSeqDesc {
    TypeSpec spec;    /* filled by structseq_init; first, so that it is found from the type */
    const char *name; /* "time.struct_time" */
    const char *doc;
    const StructSeqField *fields;
    int n_sequence;
    int n_fields, n_unnamed; /* filled by structseq_init */
    bool no_new;             /* cannot be made by Python code (sys.flags) */
} StructSeqDesc;

/* Fills the static type. Both live for ever. 0, -1. */
int structseq_init(Type *t, StructSeqDesc *desc);
/* All items ABSENT: set each of the n_fields before anyone sees it. Owned, or ABSENT with MemoryError. */
Value structseq_new(Type *t);
/* Steals v. i < n_fields. */
static ALWAYS_INLINE void structseq_set(Value s, int i, Value v) {
    ref_init(&((Tuple *)s)->items[i], v);
}
static ALWAYS_INLINE Value structseq_get(Value s, int i) {
    return LOAD_RELAXED(&((Tuple *)s)->items[i]);
} /* borrowed */

#endif

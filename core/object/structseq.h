/* Struct sequences: tuples whose items have names (time.struct_time, os.stat_result, sys.version_info ...). */
#ifndef POLYGIL_STRUCTSEQ_H
#define POLYGIL_STRUCTSEQ_H

#include "object/object.h"

typedef struct StructSeqField {
    const char *name; /* NULL name ends the list; STRUCTSEQ_UNNAMED: no attribute */
    const char *doc;
} StructSeqField;
extern const char structseq_unnamed[];

/* Makes the type t: fields[0..n_visible) are items, those behind only attributes. */
void structseq_init(Type *t, const char *name, const char *doc, const StructSeqField *fields, int n_visible);
/* As structseq_init, and Python code cannot make instances (sys.flags ...). */
void structseq_init_sealed(Type *t, const char *name, const char *doc, const StructSeqField *fields, int n_visible);
/* Steals all values, visible ones first, then the others. ABSENT among them: fails with what is pending. */
Value structseq_new(Type *t, Value *values, int n);

#endif

/* The grammar of format strings: str.format and module _string. Positions are indices into the str. */
#ifndef POLYGIL_STR_FORMAT_H
#define POLYGIL_STR_FORMAT_H

#include "object/object.h"

/* One step: literal text, then perhaps a field. */
typedef struct Markup {
    Value str; /* borrowed */
    intptr_t pos, end;
    intptr_t lit_lo, lit_hi, name_lo, name_hi, spec_lo, spec_hi;
    uint32_t conversion; /* 0: none */
    bool has_field, spec_nested;
} Markup;
int markup_next(Markup *m); /* 1, 0 at the end, -1 ValueError */

typedef struct FieldName {
    Value str;                                /* borrowed */
    intptr_t first_lo, first_hi, first_index; /* -1: a name */
    intptr_t pos, end;
} FieldName;
int field_first(FieldName *f, Value str, intptr_t lo, intptr_t hi);                       /* 0, -1 */
int field_next(FieldName *f, bool *is_attr, intptr_t *index, intptr_t *lo, intptr_t *hi); /* 1, 0, -1 */

#endif

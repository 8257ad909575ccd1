/* types.GenericAlias and types.UnionType share the handling of type parameters. */
#ifndef POLYGIL_GENERIC_ALIAS_H
#define POLYGIL_GENERIC_ALIAS_H

#include "object/str.h"

typedef struct GenericAlias {
    Object hdr;
    Ref origin, args, parameters; /* parameters: made on demand */
    bool starred;
} GenericAlias;

typedef struct Union {
    Object hdr;
    Ref args, parameters;
} Union;

Value generic_parameters(Value args);                                            /* tuple */
Value generic_subs_parameters(Value self, Value args, Value params, Value item); /* tuple */
int generic_repr_item(StrBuilder *b, Value p);

#endif

/* super objects. */
#ifndef POLYGIL_SUPER_H
#define POLYGIL_SUPER_H

#include "object/object.h"

typedef struct Super {
    Object hdr;
    Ref cls, obj, obj_type;
} Super;

Value super_new(Value cls, Value o);
/* super(cls, o).name without making the super object: owned, or ABSENT with an exception. *unbound: the result is a
 * function or method_descr to be called with o in front. */
Value super_lookup(Type *cls, Value o, Value name, bool *unbound);

#endif

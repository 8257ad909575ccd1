/* The class statement. */
#ifndef POLYGIL_TYPE_BUILD_H
#define POLYGIL_TYPE_BUILD_H

#include "object/object.h"

/* __build_class__(func, name, *bases, **keywords). Owned class. */
Value type_build_class(Value func, Value name, Value *bases, intptr_t n_bases, Value *kwvalues, Value kwnames);
/* Bases with those replaced that have __mro_entries__: tuple, owned (the same one when there are none). */
Value type_update_bases(Value bases);

#endif

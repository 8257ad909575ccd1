/* What the files of the _collections module share. */
#ifndef POLYGIL_COLLECTIONS_H
#define POLYGIL_COLLECTIONS_H

#include "object/object.h"

int collections_deque_exec(Value module);
int collections_odict_exec(Value module);

#endif

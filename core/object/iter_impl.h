/* What the files of iterators share. */
#ifndef POLYGIL_ITER_IMPL_H
#define POLYGIL_ITER_IMPL_H

#include "object/iter.h"

Value iter_self(Value self, Value *args, intptr_t nargs, Value kw); /* __iter__ of an iterator */
/* Turns the result of a NextFn into that of __next__: StopIteration when exhausted. */
Value iter_end(Value v);
/* A field of an iterator: owned or ABSENT. */
Value iter_field(Value it, Ref *r);
/* Empties a field: an exhausted iterator keeps nothing alive. */
void iter_drop(Value it, Ref *r);
Value iter_builtin(const char *name); /* builtins.NAME, owned, for __reduce__ */
/* Next item by the C function where there is one: as obj_next. */
Value iter_pull(Value it);

#endif

/* What the files of iterators share. */
#ifndef POLYGIL_ITER_IMPL_H
#define POLYGIL_ITER_IMPL_H

#include "object/iter.h"
#include "object/refs.h"

Value iter_self(Value self, Value *args, intptr_t nargs, Value kw); /* __iter__ of an iterator */
/* Turns the result of a NextFn into that of __next__: StopIteration when exhausted. */
Value iter_end(Value v);
Value iter_builtin(const char *name); /* builtins.NAME, owned, for __reduce__ */
/* Next item by the C function where there is one: as obj_next. */
Value iter_pull(Value it);

#endif

/* Function objects, cells and bound methods. */
#ifndef POLYGIL_FUNCTION_H
#define POLYGIL_FUNCTION_H

#include "interp/code.h"

typedef struct Function {
    Object hdr;
    Ref code;       /* replaced only by f.__code__ = ... */
    Ref globals;    /* immutable: a dict */
    Ref builtins;   /* immutable: a dict */
    Ref closure;    /* immutable: tuple of cells, or ABSENT */
    Ref defaults;   /* tuple or ABSENT */
    Ref kwdefaults; /* dict or ABSENT */
    Ref name, qualname, module, doc;
    Ref annotations; /* dict, or tuple of name, value ... until it is asked for, or ABSENT */
    Ref dict;        /* __dict__, made on demand */
} Function;

/* The dict of built-ins that code with these globals uses: owned. */
Value function_builtins_of(Value globals);
/* module is globals["__name__"]. Retains. qualname: the code's. */
Value function_new(Value code, Value globals);
static ALWAYS_INLINE bool v_is_function(Value v) {
    return v_is_exact(v, IDX_FUNCTION);
}
static ALWAYS_INLINE Code *function_code(Value f) {
    return (Code *)LOAD_ACQUIRE(&((Function *)f)->code);
}
void function_init(void);

typedef struct Cell {
    Object hdr;
    Ref value;
} Cell;
Value cell_new(Value v);            /* v ABSENT: empty; retains */
Value cell_get(Value cell);         /* owned, or ABSENT (empty; nothing pending) */
void cell_set(Value cell, Value v); /* retains; v ABSENT: empties */
void cell_init(void);

typedef struct Method {
    Object hdr;
    Ref func, self; /* immutable */
} Method;
Value method_new(Value func, Value self); /* retains both */
static ALWAYS_INLINE bool v_is_method(Value v) {
    return v_is_exact(v, IDX_METHOD);
}
void method_init(void);

#endif

/* Running code: what the rest of the VM asks of the interpreter. obj_call and friends are in object/object.h. */
#ifndef POLYGIL_INTERP_H
#define POLYGIL_INTERP_H

#include "interp/frame.h"

/* Runs module-like code with these namespaces (locals may be any mapping). Owned result. builtins follow from
 * globals["__builtins__"] (added when missing). closure: tuple of cells or ABSENT. */
Value interp_exec(Value code, Value globals, Value locals, Value closure);
/* Class body: like interp_exec for the function made of it; result is the value of its __class__ cell, or None. func: a
 * function. */
Value interp_run_class_body(Value func, Value namespace);

extern _Atomic(int) interp_recursion_limit;
/* The exception being handled (sys.exc_info), borrowed, or ABSENT. */
Value interp_handled(void);
/* Sets the pending asynchronous exception machinery aside: traceback entry for the innermost frame, to be called by C
 * code that raises on behalf of Python code never; the loop adds entries itself. */
void interp_types_ready(void); /* after the built-in types are complete */
void interp_init(void);        /* types of interp/ and the dispatch tables; before any code runs */

#endif

/* Constant folding on the AST, done lazily: the code generator calls fold_expr on an expression before it looks at it.
 */
#ifndef POLYGIL_FOLD_H
#define POLYGIL_FOLD_H

#include "front/ast.h"

/* Replaces e by a Constant where all of it is constant, operands first. Each node is visited once, however often this
 * is called. optimize decides __debug__. 0, or -1 with MemoryError or RecursionError. Runs no Python code. */
int fold_expr(Arena *a, Expr *e, int optimize);
/* The iterable of a for loop or comprehension, or the right side of `in`: a literal list or set that nobody else can
 * see becomes a constant tuple or frozenset. */
int fold_iterable(Arena *a, Expr *e, int optimize);

#endif

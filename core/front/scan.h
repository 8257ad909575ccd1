/* What the code generator must know about a function's locals before it emits the first instruction: which are deleted
 * somewhere, and which are targets of := (a borrowed operand might change under the instruction). */
#ifndef POLYGIL_SCAN_H
#define POLYGIL_SCAN_H

#include "front/codegen.h"

/* Fills u->deletable and u->rebound from a function's body, or from an expression (NULL: only what generators of a
 * comprehension can hold is left out, as := in one binds a name of the function around it). 0, or -1 with
 * RecursionError. */
int scan_scope(Unit *u, StmtSeq body, Expr *e);

#endif

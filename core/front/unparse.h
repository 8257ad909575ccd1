/* Source text of an expression, in ast.unparse's normal form, as postponed annotations keep it. */
#ifndef POLYGIL_UNPARSE_H
#define POLYGIL_UNPARSE_H

#include "front/ast.h"

/* New str, or ABSENT with an exception. */
Value unparse_expr(Expr *e);

#endif

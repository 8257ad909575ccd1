/* SyntaxError with its location. */
#ifndef POLYGIL_SYNTAX_ERROR_H
#define POLYGIL_SYNTAX_ERROR_H

#include "front/ast.h"
#include "object/err.h"

/* Raises exc (SyntaxError or a subclass) with args (msg, (filename, lineno, offset, text, end_lineno, end_offset)).
 * offsets are 1-based, in code points; end_offset -1 or 0: as it is. text: str or V_NONE, borrowed. */
void syntax_error_raise(Type *exc, Value filename, int lineno, int offset, Value text, int end_lineno, int end_offset,
                        const char *fmt, ...) COLD;

/* For what is found after parsing (symbol table, code generator): the line is read from the file called filename, if
 * there is one. */
void syntax_error_node(Value filename, AstPos pos, const char *fmt, ...) COLD;

/* The same without an end. */
void syntax_error_point(Value filename, AstPos pos, const char *fmt, ...) COLD;

/* Warning of the given category at pos: 0, or -1 with an exception (where the filters turn it into an error, a
 * SyntaxError). May run Python code. */
int syntax_warning(Type *category, Value filename, AstPos pos, const char *fmt, ...) COLD;

#endif

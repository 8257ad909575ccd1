/* From source text or AST to a code object. */
#ifndef POLYGIL_COMPILE_H
#define POLYGIL_COMPILE_H

#include "front/parser.h"

/* Flags of compile() besides the parser's and FUTURE_*. */
enum { COMPILE_ALLOW_TOP_LEVEL_AWAIT = 0x2000 };

/* optimize: 0, 1, 2 as -O counts; -1: as the interpreter was started with (compile_optimize). mode PARSE_EXEC,
 * PARSE_EVAL or PARSE_SINGLE. Owned code object, or ABSENT with SyntaxError and the like. Warnings may run Python code.
 */
Value compile_source(const char *utf8, size_t n, Value filename, ParseMode mode, int flags, int optimize);
/* The same from a tree, which it may change by folding constants. */
Value compile_ast(AstModule *m, Value filename, int flags, int optimize);

extern int compile_optimize; /* number of -O options */

#endif

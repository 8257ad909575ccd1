/* From source text to AST. */
#ifndef POLYGIL_PARSER_H
#define POLYGIL_PARSER_H

#include "front/ast.h"

typedef enum { PARSE_EXEC, PARSE_EVAL, PARSE_SINGLE, PARSE_FUNC_TYPE } ParseMode;

/* Flags: those of CPython's compile() that concern the parser. */
enum {
    PARSE_DONT_IMPLY_DEDENT = 0x200,
    PARSE_IGNORE_COOKIE = 0x100000, /* the text is already UTF-8: a coding line is a comment */
    PARSE_FILE = 0x200000, /* the text of a program's file: bytes that are not UTF-8 are an error wherever they stand */
    PARSE_TYPE_COMMENTS = 0x1000,
    PARSE_ALLOW_INCOMPLETE = 0x4000, /* interactive: text that could go on raises "incomplete input" */
    PARSE_BARRY_AS_BDFL = 0x400000,
};

/* source: n bytes, need not be NUL-terminated, not needed afterwards. With PARSE_IGNORE_COOKIE it is UTF-8 (the caller
 * had a str); otherwise it is the contents of a file: byte order mark and coding line say what it is. Any newline
 * convention. The AST lives in the arena, and so do the Values it borrows. NULL with SyntaxError, IndentationError or
 * TabError pending (filename, lineno, offset, text, end_lineno, end_offset as CPython 3.11's), or MemoryError,
 * RecursionError, ValueError (null bytes). May run Python code (warnings, codecs). */
AstModule *parse_source(const char *utf8, size_t n, Value filename, ParseMode mode, int flags, Arena *arena);

/* The bytes of a source file as UTF-8: byte order mark and coding line are obeyed (PEP 263). *out lies in the arena, or
 * is raw itself. 0, or -1 with SyntaxError. May run Python code (codecs). */
int source_to_utf8(const char *raw, size_t n, Value filename, Arena *arena, const char **out, size_t *out_n);

/* SyntaxError "Non-UTF-8 code ..." and -1 when some byte is not UTF-8. */
int source_check_utf8(const char *s, size_t n, Value filename);

#endif

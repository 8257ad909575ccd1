/* Text to tokens, one at a time. Errors of the tokenizer are raised where they are found. */
#ifndef POLYGIL_LEXER_H
#define POLYGIL_LEXER_H

#include "front/token.h"

enum { MAX_INDENT = 100, MAX_PAREN = 200 };

/* Bytes that must be readable (and zero) behind the source. */
enum { LEXER_PADDING = 16 };

typedef struct Lexer {
    const char *src, *end; /* *end is NUL */
    const char *cur;
    const char *line_start; /* of the line that cur is in */
    int32_t lineno;
    int32_t first_lineno,
        first_col; /* added to columns while lineno is first_lineno: replacement fields of f-strings */
    const char *tok_start;
    const char *text_start;      /* line in which the text of errors begins: that of cur, or where its token began */
    const char *last_text_start; /* the same for the line before */
    bool soft_error;             /* the error is one that a look at the rest of the text does not report */
    Arena *arena;
    Value filename; /* borrowed */
    bool at_bol, failed /* an exception is pending */, at_eof;
    bool touched_eof; /* a token could go on where the text ends: the text may be incomplete */
    bool single;      /* ENDMARKER becomes NEWLINE once (interactive input) */
    bool started, no_dedent;
    bool quiet;                /* no warnings: they were given already */
    bool fstring;              /* messages start with "f-string: " */
    bool not_utf8;             /* somewhere: names and literals must check */
    bool exec;                 /* a newline was added behind the last line if it had none */
    int16_t n_indent, pending; /* pending > 0: INDENTs, < 0: DEDENTs to deliver */
    int16_t level;
    int32_t indents[MAX_INDENT], alt_indents[MAX_INDENT];
    char paren[MAX_PAREN];
    int32_t paren_line[MAX_PAREN], paren_col[MAX_PAREN];
} Lexer;

/* src: UTF-8 (or not_utf8 is set) with LF newlines, n bytes and LEXER_PADDING zeros, as long-lived as the tokens. */
void lexer_init(Lexer *lx, const char *src, size_t n, Value filename, Arena *arena);
/* False: an exception is pending, kind is TOK_ERROR. Behind the end: ENDMARKER again and again. */
bool lexer_next(Lexer *lx, Token *t);

/* The identifier's interned str (NFKC), borrowed from the arena, ABSENT with an exception; *kind KW_* or TOK_NAME, *aux
 * SOFT_*. */
Value lexer_name(Lexer *lx, const char *s, size_t n, uint8_t *kind, uint8_t *aux);

/* The line lineno of the source as a str, with its newline when keep_newline. Owned. */
Value lexer_line_text(Lexer *lx, int lineno, bool keep_newline);
/* A UnicodeDecodeError is pending: it becomes a SyntaxError "(unicode error) ..." at that place. */
void lexer_unicode_error(Lexer *lx, AstPos pos, int offset, int end_offset);
/* "'(' was never closed" for the innermost open bracket. */
void lexer_never_closed(Lexer *lx);
/* Raises with offset and end offset in bytes of line lineno (converted to characters); end_col < 0 is passed on. */
void lexer_error_at(Lexer *lx, Type *exc, int lineno, int offset, int end_lineno, int end_offset, const char *fmt,
                    ...) COLD PRINTF_LIKE(7, 8);
void lexer_error_at_v(Lexer *lx, Type *exc, int lineno, int offset, int end_lineno, int end_offset, const char *fmt,
                      va_list ap) COLD;

#endif

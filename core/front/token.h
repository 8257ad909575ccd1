/* Tokens. */
#ifndef POLYGIL_TOKEN_H
#define POLYGIL_TOKEN_H

#include "front/ast.h"

/* X(name, text) */
#define OPERATOR_TOKENS(X)    \
    X(LPAR, "(")              \
    X(RPAR, ")")              \
    X(LSQB, "[")              \
    X(RSQB, "]")              \
    X(LBRACE, "{")            \
    X(RBRACE, "}")            \
    X(COLON, ":")             \
    X(COMMA, ",")             \
    X(SEMI, ";")              \
    X(PLUS, "+")              \
    X(MINUS, "-")             \
    X(STAR, "*")              \
    X(SLASH, "/")             \
    X(VBAR, "|")              \
    X(AMPER, "&")             \
    X(LESS, "<")              \
    X(GREATER, ">")           \
    X(EQUAL, "=")             \
    X(DOT, ".")               \
    X(PERCENT, "%")           \
    X(EQEQUAL, "==")          \
    X(NOTEQUAL, "!=")         \
    X(LESSEQUAL, "<=")        \
    X(GREATEREQUAL, ">=")     \
    X(TILDE, "~")             \
    X(CIRCUMFLEX, "^")        \
    X(LEFTSHIFT, "<<")        \
    X(RIGHTSHIFT, ">>")       \
    X(DOUBLESTAR, "**")       \
    X(PLUSEQUAL, "+=")        \
    X(MINEQUAL, "-=")         \
    X(STAREQUAL, "*=")        \
    X(SLASHEQUAL, "/=")       \
    X(PERCENTEQUAL, "%=")     \
    X(AMPEREQUAL, "&=")       \
    X(VBAREQUAL, "|=")        \
    X(CIRCUMFLEXEQUAL, "^=")  \
    X(LEFTSHIFTEQUAL, "<<=")  \
    X(RIGHTSHIFTEQUAL, ">>=") \
    X(DOUBLESTAREQUAL, "**=") \
    X(DOUBLESLASH, "//")      \
    X(DOUBLESLASHEQUAL, "//=") X(AT, "@") X(ATEQUAL, "@=") X(RARROW, "->") X(ELLIPSIS, "...") X(COLONEQUAL, ":=")
#define KEYWORD_TOKENS(X)                                                                                           \
    X(False) X(None) X(True) X(and) X(as) X(assert) X(async) X(await) X(break) X(class) X(continue) X(def) X(del)      \
    X(elif) X(else) X(except) X(finally) X(for) X(from) X(global) X(if) X(import) X(in) X(is) X(lambda) X(nonlocal)    \
    X(not) X(or) X(pass) X(raise) X(return) X(try) X(while) X(with) X(yield)

typedef enum {
    TOK_ENDMARKER,
    TOK_NAME,
    TOK_NUMBER,
    TOK_STRING,
    TOK_NEWLINE,
    TOK_INDENT,
    TOK_DEDENT,
    TOK_ERROR,
    TOK_OP, /* a character that no operator uses */
#define OP_ENUM(n, s) TOK_##n,
    OPERATOR_TOKENS(OP_ENUM)
#undef OP_ENUM
#define KW_ENUM(n) KW_##n,
        KEYWORD_TOKENS(KW_ENUM)
#undef KW_ENUM
            TOK_KIND_END
} TokenKind;

/* Names with a meaning in some places (Token.aux of a NAME). */
enum { SOFT_NONE, SOFT_MATCH, SOFT_CASE, SOFT_UNDERSCORE, LEGACY_PRINT, LEGACY_EXEC };

/* Token.aux of a STRING, and of a NUMBER. */
enum {
    STRF_RAW = 1,
    STRF_BYTES = 2,
    STRF_FORMAT = 4,
    STRF_U = 8,
    STRF_TRIPLE = 16,
    STRF_BACKSLASH = 32,
    STRF_NONASCII = 64
};
enum { NUMF_FLOAT = 1, NUMF_IMAGINARY = 2, NUMF_UNDERSCORE = 4, NUMF_BASE = 8 /* 0x 0o 0b */ };

typedef struct Token {
    AstPos pos;          /* col -1: no place in the text (INDENT, DEDENT, ENDMARKER) */
    uint32_t start, end; /* offsets in the source */
    Value name;          /* NAME: interned, kept by the arena */
    uint8_t kind;        /* TOK_*, KW_* */
    uint8_t aux;
    uint8_t level; /* open brackets behind it */
} Token;

extern const char *const token_texts[TOK_KIND_END];

#endif

/* Inside of the parser: recursive descent with one token of lookahead, in up to two passes.
 *
 * The first pass only accepts or fails (a NULL, nothing pending). When it failed the text is parsed again with `diag`
 * set: then the places where people go wrong look for what was meant and raise. What nothing explains is "invalid
 * syntax" at the furthest token of the first pass. Speculation (with items in parentheses, match statements) happens at
 * the start of statements only, so time is linear; in the second pass failed brackets are remembered. */
#ifndef POLYGIL_PARSER_IMPL_H
#define POLYGIL_PARSER_IMPL_H

#include "front/lexer.h"
#include "front/parser.h"
#include "object/object.h"

typedef struct Parser {
    Token *t;           /* current token: always read */
    Token *base, *fill; /* tokens[base..fill) */
    size_t cap;
    uint64_t dropped; /* tokens before base that are gone */
    Lexer *lx;
    Arena *arena;
    bool diag;       /* second pass */
    bool quiet_diag; /* second pass, but no looking for errors (expression_without_invalid) */
    int flags;
    void **stack; /* parts of sequences */
    size_t top, stack_cap;
    uint8_t *failed; /* brackets, by token index, that failed */
    size_t failed_cap;
    struct ExprMemo *memo[2]; /* second pass: disjunctions and expressions by token index */
    size_t memo_cap[2];
    AstPos line_end; /* of the last token before the last NEWLINE: where a block ends */
    bool committed;  /* the statement cannot be anything else: do not try */
} Parser;

/* ---- tokens ---- */
void parser_fill(Parser *p);
static ALWAYS_INLINE void advance(Parser *p) {
    if (++p->t == p->fill)
        parser_fill(p);
}
static ALWAYS_INLINE int kind(const Parser *p) {
    return p->t->kind;
}
static ALWAYS_INLINE bool at(const Parser *p, int k) {
    return p->t->kind == k;
}
static ALWAYS_INLINE bool accept(Parser *p, int k) {
    if (p->t->kind != k)
        return false;
    advance(p);
    return true;
}
/* The token behind the current one. */
static inline const Token *peek(Parser *p) {
    if (p->t + 1 == p->fill) {
        p->t++;
        parser_fill(p);
        p->t--;
    }
    return p->t + 1;
}
static ALWAYS_INLINE size_t mark(const Parser *p) {
    return (size_t)(p->t - p->base);
}
static ALWAYS_INLINE void reset(Parser *p, size_t m) {
    p->t = p->base + m;
}
/* From start to the end of the last token taken. */
static ALWAYS_INLINE AstPos span(const Parser *p, AstPos start) {
    return (AstPos){start.lineno, start.col, p->t[-1].pos.end_lineno, p->t[-1].pos.end_col};
}
/* The same for what ends with a block. */
static ALWAYS_INLINE AstPos span_block(const Parser *p, AstPos start) {
    return (AstPos){start.lineno, start.col, p->line_end.end_lineno, p->line_end.end_col};
}
static ALWAYS_INLINE AstPos span2(AstPos a, AstPos b) {
    return (AstPos){a.lineno, a.col, b.end_lineno, b.end_col};
}
/* Looking for errors now. */
static ALWAYS_INLINE bool diagnosing(const Parser *p) {
    return UNLIKELY(p->diag) && !p->quiet_diag && !p->lx->failed;
}
static ALWAYS_INLINE bool broken(const Parser *p) {
    return UNLIKELY(p->lx->failed);
}

/* ---- sequences ---- */
bool push_slow(Parser *p, void *x);
static ALWAYS_INLINE bool push(Parser *p, void *x) {
    if (LIKELY(p->top < p->stack_cap)) {
        p->stack[p->top++] = x;
        return true;
    }
    return push_slow(p, x);
}
/* Moves what lies above `from` into the arena; false: no memory. */
bool take_seq(Parser *p, size_t from, void ***v, int32_t *n);
#define TAKE(p, from, seq) take_seq(p, from, (void ***)&(seq)->v, &(seq)->n)

/* ---- errors: all return NULL ---- */
void *raise_at(Parser *p, AstPos pos, const char *fmt, ...) COLD PRINTF_LIKE(3, 4);
void *raise_last(Parser *p, Type *exc, const char *fmt, ...) COLD PRINTF_LIKE(3, 4); /* at the furthest token */
void *raise_from(Parser *p, AstPos pos, const char *fmt, ...) COLD
    PRINTF_LIKE(3, 4); /* from pos to the furthest token */
const char *expr_description(const Expr *e);
void *invalid_target(Parser *p, Expr *e, ExprCtx ctx,
                     bool for_target); /* "cannot assign to ..." when some part of e cannot be; else nothing */

/* ---- parser_expr.c ---- */
enum {
    PREC_OR = 1,
    PREC_AND,
    PREC_NOT,
    PREC_CMP,
    PREC_BITOR,
    PREC_BITXOR,
    PREC_BITAND,
    PREC_SHIFT,
    PREC_ARITH,
    PREC_TERM
};
Expr *parse_operators(Parser *p, int min_prec);
Expr *parse_disjunction(Parser *p);
static ALWAYS_INLINE Expr *parse_bitor(Parser *p) {
    return parse_operators(p, PREC_BITOR);
}
Expr *parse_primary(Parser *p);
Expr *parse_expression(Parser *p);
Expr *parse_expression_quiet(Parser *p);
Expr *parse_named_expression(Parser *p);
Expr *parse_star_named_expression(Parser *p);
Expr *parse_star_expression(Parser *p);
Expr *parse_star_expressions(Parser *p);
Expr *parse_expressions(Parser *p);
Expr *parse_yield(Parser *p);
Expr *parse_yield_or_star_expressions(Parser *p);
/* Target list of for and comprehensions, context Store. */
Expr *parse_for_targets(Parser *p);
bool parse_comp_clauses(Parser *p, CompSeq *out);
Expr *parse_star_target(Parser *p);
Expr *parse_number(Parser *p);
/* '(' taken; up to and with ')'. */
bool parse_call_arguments(Parser *p, ExprSeq *args, KeywordSeq *keywords, bool genexp);
AstArguments *parse_parameters(Parser *p, bool lambda); /* up to, not with, ')' or ':' */
bool set_context(Parser *p, Expr *e, ExprCtx ctx);      /* false: not a target */
bool is_expression_start(int kind);

/* ---- parser_string.c ---- */
Expr *parse_strings(Parser *p);

/* ---- parser_pattern.c ---- */
Stmt *
parse_match(Parser *p); /* at `match`; NULL, nothing pending: not a match statement after all (position restored) */

/* ---- parser_stmt.c ---- */
bool parse_statements(Parser *p); /* pushes */
bool parse_statement(Parser *p);  /* pushes one or more */
bool parse_simple_statements(Parser *p);
/* ":" NEWLINE INDENT ... ; what and line for the messages. */
bool parse_block(Parser *p, StmtSeq *body, const char *what, int line);
bool expect_colon(Parser *p, bool forced);

/* ---- parser_invalid.c: second pass only ---- */
bool invalid_comma(Parser *p, Expr *a, size_t start);
void invalid_named(Parser *p, Expr *e, size_t start);
void invalid_assignment(Parser *p, size_t start);
void invalid_dict(Parser *p, size_t start); /* in both passes, as in CPython */
void invalid_bracket(Parser *p, size_t start, int open);
void invalid_comprehension(Parser *p, size_t start, bool paren); /* at the bracket `start` */
void invalid_arguments(Parser *p, size_t start);
void invalid_parameters(Parser *p, size_t start, bool lambda);
void invalid_for_target(Parser *p, size_t start);
void invalid_del(Parser *p, size_t start);
void invalid_with(Parser *p, size_t start);

/* ---- used by f-strings ---- */
Expr *parse_fstring_field(Parser *p, const char *src, size_t n, int lineno, int col);

#endif

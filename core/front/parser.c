/* The two passes, the tokens' buffer, raising. */
#include "front/parser.h"

#include "base/utf8.h"
#include "front/parser_impl.h"
#include "front/syntax_error.h"
#include "object/str.h"

/* ---- tokens ---- */

NOINLINE void parser_fill(Parser *p) {
    if (UNLIKELY((size_t)(p->fill - p->base) == p->cap)) {
        size_t n = (size_t)(p->fill - p->base), cap = p->cap * 2, t = (size_t)(p->t - p->base);
        Token *bigger = realloc(p->base, cap * sizeof *bigger);
        if (bigger == NULL) {
            if (!p->lx->failed)
                err_no_memory();
            p->lx->failed = true;
            p->t = p->fill - 1;
            p->t->kind = TOK_ERROR;
            return;
        }
        p->base = bigger;
        p->cap = cap;
        p->fill = bigger + n;
        p->t = bigger + t;
    }
    lexer_next(p->lx, p->fill);
    p->fill++;
}

bool push_slow(Parser *p, void *x) {
    size_t cap = p->stack_cap * 2 + 64;
    void **bigger = realloc(p->stack, cap * sizeof *bigger);
    if (bigger == NULL) {
        err_no_memory();
        p->lx->failed = true;
        return false;
    }
    p->stack = bigger;
    p->stack_cap = cap;
    p->stack[p->top++] = x;
    return true;
}

bool take_seq(Parser *p, size_t from, void ***v, int32_t *n) {
    size_t count = p->top - from;
    p->top = from;
    *n = (int32_t)count;
    if (count == 0) {
        *v = NULL;
        return true;
    }
    *v = arena_alloc(p->arena, count * sizeof **v);
    if (*v == NULL) {
        p->lx->failed = true;
        return false;
    }
    memcpy(*v, p->stack + from, count * sizeof **v);
    return true;
}

/* ---- errors ---- */

static COLD void *raise_span(Parser *p, AstPos pos, const char *fmt, va_list ap) {
    if (!p->lx->failed)
        lexer_error_at_v(p->lx, &exc_SyntaxError, pos.lineno, pos.col + 1, pos.end_lineno, pos.end_col + 1, fmt, ap);
    return NULL;
}

void *raise_at(Parser *p, AstPos pos, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    raise_span(p, pos, fmt, ap);
    va_end(ap);
    return NULL;
}

void *raise_from(Parser *p, AstPos pos, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (!p->lx->failed)
        lexer_error_at_v(p->lx, &exc_SyntaxError, pos.lineno, pos.col + 1, p->lx->lineno,
                         (int)(p->lx->cur - p->lx->line_start), fmt, ap);
    va_end(ap);
    return NULL;
}

void *raise_last(Parser *p, Type *exc, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    AstPos pos = p->fill[-1].pos;
    int offset = pos.col + 1, end_offset = pos.end_col + 1;
    if (pos.col < 0) {
        offset = (int)(p->lx->cur - p->lx->line_start);
        end_offset = -1;
    }
    if (!p->lx->failed)
        lexer_error_at_v(p->lx, exc, pos.lineno, offset, pos.end_lineno, end_offset, fmt, ap);
    va_end(ap);
    return NULL;
}

const char *expr_description(const Expr *e) {
    switch (e->kind) {
    case EXPR_Attribute:
        return "attribute";
    case EXPR_Subscript:
        return "subscript";
    case EXPR_Starred:
        return "starred";
    case EXPR_Name:
        return "name";
    case EXPR_List:
        return "list";
    case EXPR_Tuple:
        return "tuple";
    case EXPR_Lambda:
        return "lambda";
    case EXPR_Call:
        return "function call";
    case EXPR_BoolOp:
    case EXPR_BinOp:
    case EXPR_UnaryOp:
        return "expression";
    case EXPR_GeneratorExp:
        return "generator expression";
    case EXPR_Yield:
    case EXPR_YieldFrom:
        return "yield expression";
    case EXPR_Await:
        return "await expression";
    case EXPR_ListComp:
        return "list comprehension";
    case EXPR_SetComp:
        return "set comprehension";
    case EXPR_DictComp:
        return "dict comprehension";
    case EXPR_Dict:
        return "dict literal";
    case EXPR_Set:
        return "set display";
    case EXPR_JoinedStr:
    case EXPR_FormattedValue:
        return "f-string expression";
    case EXPR_Constant:
        return e->Constant.value == V_NONE       ? "None"
               : e->Constant.value == V_FALSE    ? "False"
               : e->Constant.value == V_TRUE     ? "True"
               : e->Constant.value == V_ELLIPSIS ? "ellipsis"
                                                 : "literal";
    case EXPR_Compare:
        return "comparison";
    case EXPR_IfExp:
        return "conditional expression";
    case EXPR_NamedExpr:
        return "named expression";
    default:
        return "expression";
    }
}

/* The first part of e that cannot be a target. */
static Expr *find_invalid(Expr *e, ExprCtx ctx, bool for_target) {
    switch (e->kind) {
    case EXPR_List:
    case EXPR_Tuple:
        for (int i = 0; i < e->Tuple.elts.n; i++) {
            Expr *bad = find_invalid(e->Tuple.elts.v[i], ctx, for_target);
            if (bad != NULL)
                return bad;
        }
        return NULL;
    case EXPR_Starred:
        return ctx == CTX_Del ? e : find_invalid(e->Starred.value, ctx, for_target);
    case EXPR_Compare:
        /* `for x in y`: the left side is the target. */
        if (for_target)
            return e->Compare.ops.v[0] == CMPOP_In ? find_invalid(e->Compare.left, ctx, for_target) : NULL;
        return e;
    case EXPR_Name:
    case EXPR_Subscript:
    case EXPR_Attribute:
        return NULL;
    default:
        return e;
    }
}

void *invalid_target(Parser *p, Expr *e, ExprCtx ctx, bool for_target) {
    Expr *bad = find_invalid(e, ctx, for_target);
    if (bad != NULL)
        return raise_at(p, bad->pos, ctx == CTX_Del ? "cannot delete %s" : "cannot assign to %s",
                        expr_description(bad));
    return NULL;
}

/* ---- passes ---- */

typedef enum { START_FILE, START_EVAL, START_SINGLE, START_FIELD } Start;

/* What the start symbol gave. */
typedef struct Result {
    StmtSeq body;
    Expr *expr;
} Result;

static bool parse_start(Parser *p, Start start, Result *r) {
    size_t from = p->top;
    switch (start) {
    case START_FILE:
        return parse_statements(p) && at(p, TOK_ENDMARKER) && TAKE(p, from, &r->body);
    case START_EVAL:
        r->expr = parse_expressions(p);
        if (r->expr == NULL)
            return false;
        while (accept(p, TOK_NEWLINE)) {
        }
        return at(p, TOK_ENDMARKER);
    case START_SINGLE:
        if (at(p, TOK_NEWLINE)) {
            Stmt *s = ast_stmt(p->arena, STMT_Pass, span2(p->t->pos, p->t->pos));
            if (s == NULL || !push(p, s))
                return false;
            advance(p);
        } else {
            int k = kind(p);
            bool compound = k == KW_def || k == KW_if || k == KW_for || k == KW_try || k == KW_with || k == KW_while ||
                            k == KW_class || k == TOK_AT || k == KW_async;
            if (!parse_statement(p))
                return false;
            Stmt *s = p->stack[from];
            if ((compound || s->kind == STMT_Match) && !accept(p, TOK_NEWLINE))
                return false;
        }
        return TAKE(p, from, &r->body);
    default:
        r->expr = parse_star_expressions(p);
        return r->expr != NULL;
    }
}

/* Only blank space and comments may follow a single statement. */
static bool rest_is_empty(Lexer *lx, const Token *t) {
    const char *s = lx->cur;
    if (t->kind != TOK_ENDMARKER && t->kind != TOK_NEWLINE && t->kind != TOK_DEDENT && t->kind != TOK_INDENT)
        return false;
    while (s < lx->end) {
        if (*s == '#') {
            while (s < lx->end && *s != '\n')
                s++;
        } else if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\f') {
            s++;
        } else {
            return false;
        }
    }
    return true;
}

/* Reads the rest of the text for errors of the tokenizer: they count more than the pending one, which is replaced. */
static void check_rest(Parser *p) {
    Lexer *lx = p->lx;
    if (lx->at_eof)
        return;
    int line = p->fill[-1].pos.lineno;
    Value pending = err_fetch();
    lx->failed = false;
    lx->quiet = true;
    Token t;
    do {
        if (!lexer_next(lx, &t)) {
            /* Of the errors that only stop the tokenizer none counts, but a bracket opened on a line before. */
            if (lx->soft_error) {
                err_clear();
                if (lx->level > 0 && line > lx->paren_line[lx->level - 1]) {
                    release(pending);
                    lexer_never_closed(lx);
                    return;
                }
                break;
            }
            release(pending);
            return;
        }
    } while (t.kind != TOK_ENDMARKER);
    lx->failed = true;
    err_restore(pending);
}

static void generic_error(Parser *p, const Token *last) {
    if (last->kind == TOK_INDENT || last->kind == TOK_DEDENT) {
        raise_last(p, &exc_IndentationError, last->kind == TOK_INDENT ? "unexpected indent" : "unexpected unindent");
        return;
    }
    raise_at(p, last->pos, "invalid syntax");
    check_rest(p);
}

static bool parser_begin(Parser *p, Lexer *lx) {
    p->lx = lx;
    if (p->base == NULL) {
        p->cap = 512;
        p->base = malloc(p->cap * sizeof *p->base);
        if (p->base == NULL) {
            err_no_memory();
            return false;
        }
    }
    /* Slot 0 stands for the token before the first. */
    memset(&p->base[0], 0, sizeof p->base[0]);
    p->base[0].pos = (AstPos){1, 0, 1, 0};
    p->t = p->base;
    p->fill = p->base + 1;
    advance(p);
    return true;
}

static void parser_end(Parser *p) {
    free(p->base);
    free(p->stack);
}

/* Parses; on failure says why. lexer_start gives a fresh lexer for the second pass. */
static bool parse_passes(Parser *p, Lexer *lx, const Lexer *fresh, Start start, Result *r) {
    if (!parser_begin(p, lx))
        return false;
    bool parsed = parse_start(p, start, r);
    if (parsed && start == START_SINGLE && lx->failed && p->t[-1].kind == TOK_NEWLINE && p->t->kind == TOK_ERROR &&
        err_matches(&exc_SyntaxError)) {
        /* One token too far. */
        err_clear();
        lx->failed = false;
    }
    if (parsed && !lx->failed && !err_pending()) {
        if (start == START_SINGLE && !rest_is_empty(lx, p->t)) {
            AstPos pos = p->t[-1].pos;
            lx->lineno = pos.lineno;
            if (!lx->at_bol)
                lx->text_start = lx->last_text_start;
            lx->at_bol = false;
            raise_at(p, pos, "multiple statements found while compiling a single statement");
            return false;
        }
        return true;
    }
    if ((p->flags & PARSE_ALLOW_INCOMPLETE) && lx->touched_eof && start != START_FIELD) {
        if (err_pending())
            err_clear();
        lx->failed = false;
        raise_last(p, &exc_SyntaxError, "incomplete input");
        return false;
    }
    bool from_lexer = p->fill[-1].kind == TOK_ERROR;
    if (err_pending()) {
        if (!from_lexer && !lx->touched_eof && err_matches(&exc_SyntaxError))
            check_rest(p);
        return false;
    }
    uint64_t n = p->dropped + (uint64_t)(p->fill - p->base);
    p->top = 0;
    p->dropped = 0;
    p->diag = true;
    p->committed = false;
    *lx = *fresh;
    lx->quiet = true;
    if (!parser_begin(p, lx))
        return false;
    /* The second pass starts with the tokens that the first has seen: places "at the last token" depend on it. */
    while ((uint64_t)(p->fill - p->base) < n && !lx->failed)
        parser_fill(p);
    Token last = p->fill[-1];
    parse_start(p, start, r);
    if (err_pending()) {
        if (p->fill[-1].kind != TOK_ERROR && !lx->touched_eof && err_matches(&exc_SyntaxError))
            check_rest(p);
        return false;
    }
    lx->failed = false;
    generic_error(p, &last);
    return false;
}

/* ---- f-string fields ---- */

Expr *parse_fstring_field(Parser *p, const char *src, size_t n, int lineno, int col) {
    if (!recursion_enter(" during compilation")) {
        p->lx->failed = true;
        return NULL;
    }
    char *text = arena_alloc(p->arena, n + 3 + LEXER_PADDING);
    if (text == NULL) {
        p->lx->failed = true;
        return NULL;
    }
    text[0] = '(';
    memcpy(text + 1, src, n);
    text[n + 1] = ')';
    text[n + 2] = '\n';
    memset(text + n + 3, 0, LEXER_PADDING);
    Lexer *lx = arena_alloc(p->arena, 2 * sizeof *lx), *fresh = lx + 1;
    if (lx == NULL) {
        p->lx->failed = true;
        return NULL;
    }
    lexer_init(lx, text, n + 3, p->lx->filename, p->arena);
    lx->lineno = lx->first_lineno = lineno;
    lx->first_col = col;
    lx->fstring = lx->exec = true;
    lx->not_utf8 = p->lx->not_utf8;
    lx->quiet = p->lx->quiet;
    *fresh = *lx;
    Parser q = {.arena = p->arena, .flags = p->flags};
    Result r = {.expr = NULL};
    bool ok = parse_passes(&q, lx, fresh, START_FIELD, &r);
    parser_end(&q);
    if (!ok) {
        p->lx->failed = true;
        return NULL;
    }
    return r.expr;
}

/* ---- sources ---- */

/* A padded copy with LF newlines and, for files, one at the end. */
static char *copy_source(const char *s, size_t n, bool add_newline, Arena *a, size_t *out_n) {
    if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
        s += 3;
        n -= 3;
    }
    char *out = arena_alloc(a, n + 1 + LEXER_PADDING);
    if (out == NULL)
        return NULL;
    size_t m = n;
    if (memchr(s, '\r', n) == NULL) {
        memcpy(out, s, n);
    } else {
        m = 0;
        for (size_t i = 0; i < n; i++) {
            if (s[i] == '\r') {
                out[m++] = '\n';
                if (i + 1 < n && s[i + 1] == '\n')
                    i++;
            } else {
                out[m++] = s[i];
            }
        }
    }
    if (add_newline && m > 0 && out[m - 1] != '\n')
        out[m++] = '\n';
    memset(out + m, 0, LEXER_PADDING);
    *out_n = m;
    return out;
}

AstModule *parse_source(const char *utf8, size_t n, Value filename, ParseMode mode, int flags, Arena *arena) {
    if (n > INT32_MAX - 64) {
        err_set(&exc_MemoryError, "source is too large");
        return NULL;
    }
    if (memchr(utf8, 0, n) != NULL) {
        err_set(&exc_ValueError, "source code string cannot contain null bytes");
        return NULL;
    }
    if (!(flags & PARSE_IGNORE_COOKIE) && source_to_utf8(utf8, n, filename, arena, &utf8, &n) < 0)
        return NULL;
    if ((flags & PARSE_FILE) && source_check_utf8(utf8, n, filename) < 0)
        return NULL;
    size_t len, chars;
    uint32_t bits;
    char *src = copy_source(utf8, n, mode == PARSE_EXEC, arena, &len);
    if (src == NULL)
        return NULL;
    Lexer *lx = arena_alloc(arena, 2 * sizeof *lx), *fresh = lx + 1;
    AstModule *m = arena_zalloc(arena, sizeof *m);
    if (lx == NULL || m == NULL)
        return NULL;
    lexer_init(lx, src, len, filename, arena);
    if (lx->failed)
        return NULL;
    lx->exec = mode == PARSE_EXEC;
    lx->single = mode == PARSE_SINGLE;
    lx->no_dedent = flags & PARSE_DONT_IMPLY_DEDENT;
    lx->not_utf8 = utf8_scan((const uint8_t *)src, len, &chars, &bits) != len;
    *fresh = *lx;
    Parser p = {.arena = arena, .flags = flags};
    Result r = {.expr = NULL};
    Start start = mode == PARSE_EXEC ? START_FILE : mode == PARSE_SINGLE ? START_SINGLE : START_EVAL;
    bool ok = parse_passes(&p, lx, fresh, start, &r);
    parser_end(&p);
    if (!ok) {
        if (!err_pending())
            err_no_memory();
        return NULL;
    }
    m->kind = mode == PARSE_EXEC ? MOD_Module : mode == PARSE_SINGLE ? MOD_Interactive : MOD_Expression;
    m->body = r.body;
    m->expr = r.expr;
    m->arena = arena;
    m->source = src;
    m->source_len = len;
    return m;
}

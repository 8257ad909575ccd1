/* Statements. */
#include "front/parser_impl.h"
#include "object/str.h"

#define NODE(p, k, pos) ast_stmt((p)->arena, STMT_##k, pos)

static const uint8_t augassign_op[TOK_KIND_END] = {
    [TOK_PLUSEQUAL] = BINOP_Add,          [TOK_MINEQUAL] = BINOP_Sub,           [TOK_STAREQUAL] = BINOP_Mult,
    [TOK_SLASHEQUAL] = BINOP_Div,         [TOK_PERCENTEQUAL] = BINOP_Mod,       [TOK_AMPEREQUAL] = BINOP_BitAnd,
    [TOK_VBAREQUAL] = BINOP_BitOr,        [TOK_CIRCUMFLEXEQUAL] = BINOP_BitXor, [TOK_LEFTSHIFTEQUAL] = BINOP_LShift,
    [TOK_RIGHTSHIFTEQUAL] = BINOP_RShift, [TOK_DOUBLESTAREQUAL] = BINOP_Pow,    [TOK_DOUBLESLASHEQUAL] = BINOP_FloorDiv,
    [TOK_ATEQUAL] = BINOP_MatMult};

static bool finish(Parser *p, Stmt *s) {
    return s != NULL && push(p, s);
}

/* ---- simple statements ---- */

/* The place where an annotation may stand: 0 none, 1 a plain name, 2 another target. */
static int annotation_target(const Expr *e) {
    switch (e->kind) {
    case EXPR_Name:
        return e->paren ? 2 : 1;
    case EXPR_Attribute:
    case EXPR_Subscript:
        return 2;
    default:
        return 0;
    }
}

static Stmt *annotated_assignment(Parser *p, Expr *target, AstPos start, int form) {
    advance(p);
    Expr *annotation = parse_expression(p), *value = NULL;
    if (annotation == NULL)
        return NULL;
    size_t m = mark(p);
    if (accept(p, TOK_EQUAL) && (value = parse_yield_or_star_expressions(p)) == NULL) {
        if (broken(p))
            return NULL;
        reset(p, m);
    }
    Stmt *s = NODE(p, AnnAssign, span(p, start));
    if (s == NULL)
        return NULL;
    set_context(p, target, CTX_Store);
    s->AnnAssign.target = target;
    s->AnnAssign.annotation = annotation;
    s->AnnAssign.value = value;
    s->AnnAssign.simple = form == 1;
    return s;
}

static Stmt *assignment(Parser *p, Expr *first, AstPos start) {
    size_t from = p->top;
    Expr *value = first;
    while (at(p, TOK_EQUAL)) {
        if (value->kind == EXPR_Yield || value->kind == EXPR_YieldFrom || !set_context(p, value, CTX_Store) ||
            !push(p, value))
            goto fail;
        advance(p);
        value = parse_yield_or_star_expressions(p);
        if (value == NULL)
            goto fail;
    }
    Stmt *s = NODE(p, Assign, span(p, start));
    if (s == NULL || !TAKE(p, from, &s->Assign.targets))
        goto fail;
    s->Assign.value = value;
    return s;
fail:
    p->top = from;
    return NULL;
}

static Stmt *expression_statement(Parser *p) {
    AstPos start = p->t->pos;
    size_t m = mark(p);
    if (at(p, KW_yield)) {
        Expr *e = parse_yield(p);
        if (e == NULL)
            return NULL;
        if (at(p, TOK_EQUAL)) {
            if (diagnosing(p))
                invalid_assignment(p, m);
            return NULL;
        }
        Stmt *s = NODE(p, Expr, e->pos);
        if (s != NULL)
            s->Expr.value = e;
        return s;
    }
    Expr *e = parse_star_expressions(p);
    if (UNLIKELY(e == NULL))
        goto invalid;
    int k = kind(p);
    if (k == TOK_EQUAL) {
        Stmt *s = assignment(p, e, start);
        if (s == NULL)
            goto invalid;
        return s;
    }
    if (UNLIKELY(k == TOK_COLON)) {
        int form = annotation_target(e);
        if (form == 0)
            goto invalid;
        Stmt *s = annotated_assignment(p, e, start, form);
        if (s == NULL)
            goto invalid;
        return s;
    }
    if (augassign_op[k] != 0) {
        if (annotation_target(e) == 0)
            goto invalid;
        set_context(p, e, CTX_Store);
        advance(p);
        Expr *value = parse_yield_or_star_expressions(p);
        Stmt *s = value != NULL ? NODE(p, AugAssign, span(p, start)) : NULL;
        if (s == NULL)
            return NULL;
        s->AugAssign.target = e;
        s->AugAssign.op = augassign_op[k];
        s->AugAssign.value = value;
        return s;
    }
    if (diagnosing(p)) {
        size_t end = mark(p);
        invalid_assignment(p, m);
        if (broken(p))
            return NULL;
        reset(p, end);
    }
    Stmt *s = NODE(p, Expr, span(p, start));
    if (s != NULL)
        s->Expr.value = e;
    return s;
invalid:
    if (diagnosing(p)) {
        size_t end = mark(p);
        invalid_assignment(p, m);
        reset(p, end);
    }
    return NULL;
}

static bool dotted_name(Parser *p, Value *out) {
    if (!at(p, TOK_NAME))
        return false;
    uint32_t start = p->t->start, end = p->t->end;
    Value v = p->t->name;
    bool exact = true; /* written without spaces, and ASCII */
    advance(p);
    if (!at(p, TOK_DOT)) {
        *out = v;
        return true;
    }
    Value joined = retained(v);
    while (accept(p, TOK_DOT)) {
        if (!at(p, TOK_NAME)) {
            release(joined);
            return false;
        }
        if (p->t->start != end + 1)
            exact = false;
        end = p->t->end;
        StrBuilder b;
        sb_init(&b);
        sb_str(&b, joined);
        sb_char(&b, '.');
        sb_str(&b, p->t->name);
        release(joined);
        joined = sb_finish(&b);
        if (joined == ABSENT) {
            p->lx->failed = true;
            return false;
        }
        advance(p);
    }
    (void)start;
    (void)exact;
    *out = str_intern(joined);
    if (*out == ABSENT)
        p->lx->failed = true;
    return *out != ABSENT;
}

/* [as NAME], and the alias. */
static bool push_alias(Parser *p, AstPos start, Value name) {
    Value asname = ABSENT;
    if (accept(p, KW_as)) {
        if (!at(p, TOK_NAME))
            return false;
        asname = p->t->name;
        advance(p);
    }
    AstAlias *a = arena_alloc(p->arena, sizeof *a);
    if (a == NULL)
        return false;
    *a = (AstAlias){span(p, start), name, asname};
    return push(p, a);
}

static Stmt *import_statement(Parser *p) {
    AstPos start = p->t->pos;
    size_t from = p->top;
    advance(p);
    do {
        AstPos pos = p->t->pos;
        Value name;
        if (!dotted_name(p, &name) || !push_alias(p, pos, name))
            return NULL;
    } while (accept(p, TOK_COMMA));
    Stmt *s = NODE(p, Import, span(p, start));
    return s != NULL && TAKE(p, from, &s->Import.names) ? s : NULL;
}

static Stmt *import_from(Parser *p) {
    AstPos start = p->t->pos;
    size_t from = p->top;
    advance(p);
    int level = 0;
    for (;;) {
        if (accept(p, TOK_DOT))
            level++;
        else if (accept(p, TOK_ELLIPSIS))
            level += 3;
        else
            break;
    }
    Value module = ABSENT;
    if (!(level > 0 && at(p, KW_import)) && !dotted_name(p, &module))
        return NULL;
    if (!accept(p, KW_import))
        return NULL;
    AstPos pos = p->t->pos;
    if (at(p, TOK_STAR)) {
        advance(p);
        AstAlias *a = arena_alloc(p->arena, sizeof *a);
        if (a == NULL)
            return NULL;
        *a = (AstAlias){pos, ID("*"), ABSENT};
        push(p, a);
    } else {
        bool paren = accept(p, TOK_LPAR);
        for (;;) {
            pos = p->t->pos;
            if (!at(p, TOK_NAME))
                return NULL;
            Value name = p->t->name;
            advance(p);
            if (!push_alias(p, pos, name))
                return NULL;
            if (!accept(p, TOK_COMMA))
                break;
            if (paren && at(p, TOK_RPAR))
                break;
            if (!paren && at(p, TOK_NEWLINE)) {
                if (diagnosing(p))
                    return raise_last(p, &exc_SyntaxError,
                                      "trailing comma not allowed without surrounding parentheses");
                return NULL;
            }
        }
        if (paren && !accept(p, TOK_RPAR))
            return NULL;
    }
    Stmt *s = NODE(p, ImportFrom, span(p, start));
    if (s == NULL || !TAKE(p, from, &s->ImportFrom.names))
        return NULL;
    s->ImportFrom.module = module;
    s->ImportFrom.level = level;
    return s;
}

static Stmt *scope_statement(Parser *p, StmtKind k) {
    AstPos start = p->t->pos;
    size_t from = p->top;
    advance(p);
    do {
        if (!at(p, TOK_NAME) || !push(p, (void *)(uintptr_t)p->t->name))
            return NULL;
        advance(p);
    } while (accept(p, TOK_COMMA));
    Stmt *s = ast_stmt(p->arena, k, span(p, start));
    return s != NULL && TAKE(p, from, &s->Global.names) ? s : NULL;
}

static Stmt *del_statement(Parser *p) {
    AstPos start = p->t->pos;
    size_t from = p->top, m = mark(p);
    advance(p);
    do {
        if (p->top > from && (at(p, TOK_SEMI) || at(p, TOK_NEWLINE)))
            break;
        Expr *e = parse_primary(p);
        if (e == NULL || !set_context(p, e, CTX_Del) || !push(p, e))
            goto invalid;
    } while (accept(p, TOK_COMMA));
    if (!at(p, TOK_SEMI) && !at(p, TOK_NEWLINE))
        goto invalid;
    Stmt *s = NODE(p, Delete, span(p, start));
    return s != NULL && TAKE(p, from, &s->Delete.targets) ? s : NULL;
invalid:
    if (diagnosing(p))
        invalid_del(p, m);
    return NULL;
}

static Stmt *keyword_statement(Parser *p, StmtKind k) {
    AstPos pos = p->t->pos;
    advance(p);
    return ast_stmt(p->arena, k, pos);
}

static Stmt *simple_statement(Parser *p) {
    AstPos start = p->t->pos;
    Stmt *s;
    switch (kind(p)) {
    case KW_pass:
        return keyword_statement(p, STMT_Pass);
    case KW_break:
        return keyword_statement(p, STMT_Break);
    case KW_continue:
        return keyword_statement(p, STMT_Continue);
    case KW_return: {
        advance(p);
        Expr *v = NULL;
        if ((is_expression_start(kind(p)) || at(p, TOK_STAR)) && (v = parse_star_expressions(p)) == NULL)
            return NULL;
        s = NODE(p, Return, span(p, start));
        if (s != NULL)
            s->Return.value = v;
        return s;
    }
    case KW_raise: {
        advance(p);
        Expr *exc = NULL, *cause = NULL;
        if (is_expression_start(kind(p))) {
            exc = parse_expression(p);
            if (exc == NULL || (accept(p, KW_from) && (cause = parse_expression(p)) == NULL))
                return NULL;
        }
        s = NODE(p, Raise, span(p, start));
        if (s == NULL)
            return NULL;
        s->Raise.exc = exc;
        s->Raise.cause = cause;
        return s;
    }
    case KW_assert: {
        advance(p);
        Expr *msg = NULL, *test = parse_expression(p);
        if (test == NULL || (accept(p, TOK_COMMA) && (msg = parse_expression(p)) == NULL))
            return NULL;
        s = NODE(p, Assert, span(p, start));
        if (s == NULL)
            return NULL;
        s->Assert.test = test;
        s->Assert.msg = msg;
        return s;
    }
    case KW_global:
        return scope_statement(p, STMT_Global);
    case KW_nonlocal:
        return scope_statement(p, STMT_Nonlocal);
    case KW_import:
        return import_statement(p);
    case KW_from:
        return import_from(p);
    case KW_del:
        return del_statement(p);
    default:
        return expression_statement(p);
    }
}

bool parse_simple_statements(Parser *p) {
    for (;;) {
        if (!finish(p, simple_statement(p)))
            return false;
        if (!at(p, TOK_NEWLINE)) {
            if (!accept(p, TOK_SEMI))
                return false;
            if (!at(p, TOK_NEWLINE))
                continue;
        }
        p->line_end = p->t[-1].pos;
        advance(p);
        return true;
    }
}

/* ---- blocks ---- */

bool expect_colon(Parser *p, bool forced) {
    if (LIKELY(at(p, TOK_COLON))) {
        advance(p);
        return true;
    }
    if (broken(p))
        return false;
    if (forced)
        raise_at(p, p->t->pos, "expected ':'");
    else if (diagnosing(p) && at(p, TOK_NEWLINE))
        raise_last(p, &exc_SyntaxError, "expected ':'");
    return false;
}

static bool block_body(Parser *p, StmtSeq *body, const char *what, int line) {
    size_t from = p->top;
    if (!at(p, TOK_NEWLINE)) {
        if (!parse_simple_statements(p))
            return false;
        return TAKE(p, from, body);
    }
    advance(p);
    if (UNLIKELY(!at(p, TOK_INDENT))) {
        if (diagnosing(p))
            raise_last(p, &exc_IndentationError, "expected an indented block after %s on line %d", what, line);
        return false;
    }
    if (!recursion_enter(" during compilation")) {
        p->lx->failed = true;
        return false;
    }
    advance(p);
    if (!parse_statements(p) || !at(p, TOK_DEDENT))
        return false;
    advance(p);
    return TAKE(p, from, body);
}

bool parse_block(Parser *p, StmtSeq *body, const char *what, int line) {
    return expect_colon(p, false) && block_body(p, body, what, line);
}

static bool parse_block_forced(Parser *p, StmtSeq *body, const char *what, int line) {
    return expect_colon(p, true) && block_body(p, body, what, line);
}

static bool else_block(Parser *p, StmtSeq *body) {
    if (!at(p, KW_else))
        return true;
    int line = p->t->pos.lineno;
    advance(p);
    return parse_block_forced(p, body, "'else' statement", line);
}

static Stmt *if_statement(Parser *p) {
    AstPos start = p->t->pos;
    Stmt *first = NULL, **link = NULL;
    size_t from = p->top;
    /* A chain of elif is a loop here: each is the only statement of the orelse before it. */
    for (;;) {
        AstPos pos = p->t->pos;
        bool elif = at(p, KW_elif);
        advance(p);
        Stmt *s = NODE(p, If, pos);
        if (s == NULL || !push(p, s))
            return NULL;
        s->If.test = parse_named_expression(p);
        if (s->If.test == NULL ||
            !parse_block(p, &s->If.body, elif ? "'elif' statement" : "'if' statement", pos.lineno))
            return NULL;
        if (link != NULL)
            *link = s;
        else
            first = s;
        if (!at(p, KW_elif)) {
            if (!else_block(p, &s->If.orelse))
                return NULL;
            break;
        }
        link = arena_alloc(p->arena, sizeof *link);
        if (link == NULL)
            return NULL;
        s->If.orelse = (StmtSeq){link, 1};
    }
    for (size_t i = from; i < p->top; i++) {
        Stmt *s = p->stack[i];
        s->pos = span_block(p, s->pos);
    }
    p->top = from;
    (void)start;
    return first;
}

static Stmt *while_statement(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    Expr *test = parse_named_expression(p);
    StmtSeq body, orelse = {NULL, 0};
    if (test == NULL || !parse_block(p, &body, "'while' statement", start.lineno) || !else_block(p, &orelse))
        return NULL;
    Stmt *s = NODE(p, While, span_block(p, start));
    if (s == NULL)
        return NULL;
    s->While.test = test;
    s->While.body = body;
    s->While.orelse = orelse;
    return s;
}

static Stmt *for_statement(Parser *p, AstPos start, bool is_async) {
    size_t m = mark(p);
    int line = p->t->pos.lineno;
    advance(p);
    StmtSeq body, orelse = {NULL, 0};
    Expr *target = parse_for_targets(p);
    if (target == NULL || !at(p, KW_in)) {
        if (diagnosing(p))
            invalid_for_target(p, m);
        return NULL;
    }
    advance(p);
    Expr *iter = parse_star_expressions(p);
    if (iter == NULL || !parse_block(p, &body, "'for' statement", line) || !else_block(p, &orelse))
        return NULL;
    Stmt *s = ast_stmt(p->arena, is_async ? STMT_AsyncFor : STMT_For, span_block(p, start));
    if (s == NULL)
        return NULL;
    s->For.target = target;
    s->For.iter = iter;
    s->For.body = body;
    s->For.orelse = orelse;
    return s;
}

/* ---- with ---- */

static bool with_item(Parser *p) {
    Expr *e = parse_expression(p), *vars = NULL;
    if (e == NULL)
        return false;
    if (accept(p, KW_as)) {
        size_t m = mark(p);
        vars = parse_star_target(p);
        if (vars == NULL || !(at(p, TOK_COMMA) || at(p, TOK_RPAR) || at(p, TOK_COLON))) {
            if (diagnosing(p)) {
                reset(p, m);
                Expr *a = parse_expression(p);
                if (a != NULL && !broken(p) && (at(p, TOK_COMMA) || at(p, TOK_RPAR) || at(p, TOK_COLON)))
                    invalid_target(p, a, CTX_Store, false);
            }
            return false;
        }
    }
    AstWithItem *w = arena_alloc(p->arena, sizeof *w);
    if (w == NULL)
        return false;
    *w = (AstWithItem){e, vars};
    return push(p, w);
}

static Stmt *with_statement(Parser *p, AstPos start, bool is_async) {
    int line = p->t->pos.lineno;
    size_t from = p->top, begin = mark(p);
    advance(p);
    bool done = false;
    if (at(p, TOK_LPAR)) {
        size_t m = mark(p);
        advance(p);
        bool ok = true;
        do {
            if (at(p, TOK_RPAR) && p->top > from)
                break;
            ok = with_item(p);
        } while (ok && accept(p, TOK_COMMA));
        if (ok && accept(p, TOK_RPAR) && at(p, TOK_COLON)) {
            done = true;
        } else {
            if (broken(p))
                return NULL;
            p->top = from;
            reset(p, m);
        }
    }
    if (!done) {
        do
            if (!with_item(p)) {
                if (diagnosing(p))
                    invalid_with(p, begin);
                return NULL;
            }
        while (accept(p, TOK_COMMA));
        if (!at(p, TOK_COLON)) {
            if (diagnosing(p))
                invalid_with(p, begin);
            return NULL;
        }
    }
    WithItemSeq items;
    StmtSeq body;
    if (!TAKE(p, from, &items) || !parse_block(p, &body, "'with' statement", line))
        return NULL;
    Stmt *s = ast_stmt(p->arena, is_async ? STMT_AsyncWith : STMT_With, span_block(p, start));
    if (s == NULL)
        return NULL;
    s->With.items = items;
    s->With.body = body;
    return s;
}

/* ---- try ---- */

static AstHandler *handler(Parser *p, bool *star) {
    AstPos start = p->t->pos;
    advance(p);
    *star = accept(p, TOK_STAR);
    AstHandler *h = arena_zalloc(p->arena, sizeof *h);
    if (h == NULL)
        return NULL;
    if (*star && diagnosing(p) && (at(p, TOK_NEWLINE) || at(p, TOK_COLON)))
        return raise_last(p, &exc_SyntaxError, "expected one or more exception types");
    if (!at(p, TOK_COLON)) {
        if (at(p, TOK_NEWLINE) && diagnosing(p))
            return raise_last(p, &exc_SyntaxError, "expected ':'");
        AstPos pos = p->t->pos;
        h->type = parse_expression(p);
        if (h->type == NULL)
            return NULL;
        if (at(p, TOK_COMMA) && diagnosing(p)) {
            /* except a, b: */
            size_t m = mark(p);
            advance(p);
            bool ok = parse_expressions(p) != NULL;
            if (ok && accept(p, KW_as))
                ok = accept(p, TOK_NAME);
            if (ok && at(p, TOK_COLON))
                return raise_from(p, pos, "multiple exception types must be parenthesized");
            if (broken(p))
                return NULL;
            reset(p, m);
        }
        if (accept(p, KW_as)) {
            if (!at(p, TOK_NAME))
                return NULL;
            h->name = p->t->name;
            advance(p);
        }
    } else if (*star) {
        return NULL;
    }
    if (!parse_block(p, &h->body, *star ? "'except*' statement" : "'except' statement", start.lineno))
        return NULL;
    h->pos = span_block(p, start);
    return h;
}

static Stmt *try_statement(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    StmtSeq body, orelse = {NULL, 0}, final = {NULL, 0};
    HandlerSeq handlers;
    size_t from = p->top;
    if (!parse_block_forced(p, &body, "'try' statement", start.lineno)) {
        bool star;
        if (diagnosing(p) && at(p, KW_except))
            handler(p, &star); /* has errors of its own, even without a block before it */
        return NULL;
    }
    if (!at(p, KW_except) && !at(p, KW_finally)) {
        if (diagnosing(p))
            return raise_last(p, &exc_SyntaxError, "expected 'except' or 'finally' block");
        return NULL;
    }
    bool is_star = false;
    while (at(p, KW_except)) {
        bool star;
        bool first = p->top == from;
        AstHandler *h;
        if (!first && (peek(p)->kind == TOK_STAR) != is_star) {
            if (!diagnosing(p))
                return NULL;
            AstPos except = p->t->pos;
            advance(p);
            bool ok;
            AstPos end = p->t->pos;
            if (!is_star) {
                advance(p);
                if (at(p, TOK_NEWLINE) || at(p, TOK_COLON))
                    return raise_last(p, &exc_SyntaxError, "expected one or more exception types");
                ok = parse_expression(p) != NULL;
            } else {
                end = except;
                ok = at(p, TOK_COLON) || parse_expression(p) != NULL;
            }
            if (ok && accept(p, KW_as))
                ok = accept(p, TOK_NAME);
            if (ok && !broken(p) && at(p, TOK_COLON))
                return raise_at(p, span2(except, end), "cannot have both 'except' and 'except*' on the same 'try'");
            return NULL;
        }
        h = handler(p, &star);
        if (h == NULL || !push(p, h))
            return NULL;
        is_star = star;
    }
    if (!TAKE(p, from, &handlers))
        return NULL;
    if (handlers.n > 0 && !else_block(p, &orelse))
        return NULL;
    if (at(p, KW_finally)) {
        int line = p->t->pos.lineno;
        advance(p);
        if (!parse_block_forced(p, &final, "'finally' statement", line))
            return NULL;
    }
    Stmt *s = ast_stmt(p->arena, is_star ? STMT_TryStar : STMT_Try, span_block(p, start));
    if (s == NULL)
        return NULL;
    s->Try.body = body;
    s->Try.handlers = handlers;
    s->Try.orelse = orelse;
    s->Try.finalbody = final;
    return s;
}

/* ---- definitions ---- */

static Stmt *function(Parser *p, AstPos start, bool is_async, ExprSeq decorators) {
    int line = p->t->pos.lineno;
    advance(p);
    if (!at(p, TOK_NAME))
        return NULL;
    Value name = p->t->name;
    advance(p);
    if (!at(p, TOK_LPAR))
        return broken(p) ? NULL : raise_at(p, p->t->pos, "expected '('");
    advance(p);
    AstArguments *args = parse_parameters(p, false);
    if (args == NULL || !accept(p, TOK_RPAR))
        return NULL;
    Expr *returns = NULL;
    size_t m = mark(p);
    if (accept(p, TOK_RARROW) && (returns = parse_expression(p)) == NULL) {
        if (broken(p))
            return NULL;
        reset(p, m);
    }
    StmtSeq body;
    if (!parse_block_forced(p, &body, "function definition", line))
        return NULL;
    Stmt *s = ast_stmt(p->arena, is_async ? STMT_AsyncFunctionDef : STMT_FunctionDef, span_block(p, start));
    if (s == NULL)
        return NULL;
    s->FunctionDef.name = name;
    s->FunctionDef.args = args;
    s->FunctionDef.body = body;
    s->FunctionDef.decorator_list = decorators;
    s->FunctionDef.returns = returns;
    return s;
}

static Stmt *class_definition(Parser *p, ExprSeq decorators) {
    AstPos start = p->t->pos;
    advance(p);
    if (!at(p, TOK_NAME))
        return NULL;
    Value name = p->t->name;
    advance(p);
    ExprSeq bases = {NULL, 0};
    KeywordSeq keywords = {NULL, 0};
    if (accept(p, TOK_LPAR)) {
        if (!accept(p, TOK_RPAR) && !parse_call_arguments(p, &bases, &keywords, false))
            return NULL;
    }
    StmtSeq body;
    if (!parse_block(p, &body, "class definition", start.lineno))
        return NULL;
    Stmt *s = NODE(p, ClassDef, span_block(p, start));
    if (s == NULL)
        return NULL;
    s->ClassDef.name = name;
    s->ClassDef.bases = bases;
    s->ClassDef.keywords = keywords;
    s->ClassDef.body = body;
    s->ClassDef.decorator_list = decorators;
    return s;
}

static Stmt *decorated(Parser *p) {
    size_t from = p->top;
    while (accept(p, TOK_AT)) {
        Expr *e = parse_named_expression(p);
        if (e == NULL || !accept(p, TOK_NEWLINE) || !push(p, e))
            return NULL;
    }
    ExprSeq decorators;
    if (!TAKE(p, from, &decorators))
        return NULL;
    AstPos start = p->t->pos;
    if (at(p, KW_def))
        return function(p, start, false, decorators);
    if (at(p, KW_class))
        return class_definition(p, decorators);
    if (accept(p, KW_async) && at(p, KW_def))
        return function(p, start, true, decorators);
    return NULL;
}

static Stmt *async_statement(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    switch (kind(p)) {
    case KW_def:
        return function(p, start, true, (ExprSeq){NULL, 0});
    case KW_for:
        return for_statement(p, start, true);
    case KW_with:
        return with_statement(p, start, true);
    default:
        return NULL;
    }
}

bool parse_statement(Parser *p) {
    switch (kind(p)) {
    case KW_def:
        return finish(p, function(p, p->t->pos, false, (ExprSeq){NULL, 0}));
    case KW_if:
        return finish(p, if_statement(p));
    case KW_for:
        return finish(p, for_statement(p, p->t->pos, false));
    case KW_try:
        return finish(p, try_statement(p));
    case KW_with:
        return finish(p, with_statement(p, p->t->pos, false));
    case KW_while:
        return finish(p, while_statement(p));
    case KW_class:
        return finish(p, class_definition(p, (ExprSeq){NULL, 0}));
    case TOK_AT:
        return finish(p, decorated(p));
    case KW_async:
        return finish(p, async_statement(p));
    case TOK_NAME:
        if (UNLIKELY(p->t->aux == SOFT_MATCH)) {
            size_t top = p->top;
            Stmt *s = parse_match(p);
            if (s != NULL)
                return push(p, s);
            if (broken(p) || p->committed)
                return false;
            p->top = top;
        }
        return parse_simple_statements(p);
    default:
        return parse_simple_statements(p);
    }
}

/* The first pass never goes back behind the start of a statement: tokens before it can go. */
static void forget_tokens(Parser *p) {
    size_t done = mark(p) - 1;
    memmove(p->base, p->base + done, (size_t)(p->fill - p->base - done) * sizeof(Token));
    p->dropped += done;
    p->failed_cap = 0;
    p->fill -= done;
    p->t -= done;
}

bool parse_statements(Parser *p) {
    for (;;) {
        int k = kind(p);
        if (k == TOK_DEDENT || k == TOK_ENDMARKER)
            return true;
        if (!p->diag && mark(p) > 256)
            forget_tokens(p);
        if (!parse_statement(p))
            return false;
    }
}

/* The match statement and its patterns. */
#include "front/parser_impl.h"
#include "object/int.h"

#define NODE(p, k, pos) ast_pattern((p)->arena, PATTERN_##k, pos)

static Pattern *parse_pattern(Parser *p);

static Pattern *value_pattern(Parser *p, Expr *e, AstPos start) {
    Pattern *n = e != NULL ? NODE(p, MatchValue, span(p, start)) : NULL;
    if (n != NULL)
        n->MatchValue.value = e;
    return n;
}

static bool is_imaginary(const Parser *p) {
    return at(p, TOK_NUMBER) && (p->t->aux & NUMF_IMAGINARY);
}

/* [-] NUMBER [(+ | -) IMAGINARY] */
static Expr *number_literal(Parser *p) {
    AstPos start = p->t->pos;
    Expr *left;
    if (accept(p, TOK_MINUS)) {
        if (!at(p, TOK_NUMBER))
            return NULL;
        Expr *v = parse_number(p);
        left = v != NULL ? ast_expr(p->arena, EXPR_UnaryOp, span(p, start)) : NULL;
        if (left == NULL)
            return NULL;
        left->UnaryOp.op = UNARYOP_USub;
        left->UnaryOp.operand = v;
    } else {
        left = parse_number(p);
    }
    if (left == NULL || !(at(p, TOK_PLUS) || at(p, TOK_MINUS)))
        return left;
    bool real = !(p->t[-1].aux & NUMF_IMAGINARY);
    int op = at(p, TOK_PLUS) ? BINOP_Add : BINOP_Sub;
    if (!real) {
        return raise_at(p, left->pos, "real number required in complex literal");
    }
    advance(p);
    if (!at(p, TOK_NUMBER))
        return NULL;
    if (!is_imaginary(p))
        return raise_at(p, p->t->pos, "imaginary number required in complex literal");
    Expr *right = parse_number(p);
    Expr *e = right != NULL ? ast_expr(p->arena, EXPR_BinOp, span(p, start)) : NULL;
    if (e == NULL)
        return NULL;
    e->BinOp.op = op;
    e->BinOp.left = left;
    e->BinOp.right = right;
    return e;
}

static Expr *name_or_attr(Parser *p) {
    AstPos start = p->t->pos;
    Expr *e = ast_expr(p->arena, EXPR_Name, start);
    if (e == NULL)
        return NULL;
    e->Name.id = p->t->name;
    e->Name.ctx = CTX_Load;
    advance(p);
    while (accept(p, TOK_DOT)) {
        if (!at(p, TOK_NAME))
            return NULL;
        Value attr = p->t->name;
        advance(p);
        Expr *n = ast_expr(p->arena, EXPR_Attribute, span(p, start));
        if (n == NULL)
            return NULL;
        n->Attribute.value = e;
        n->Attribute.attr = attr;
        n->Attribute.ctx = CTX_Load;
        e = n;
    }
    return e;
}

static Pattern *class_pattern(Parser *p, Expr *cls, AstPos start) {
    size_t from = p->top;
    advance(p);
    PatternSeq patterns = {NULL, 0}, kwd_patterns = {NULL, 0};
    ValueSeq attrs = {NULL, 0};
    while (!at(p, TOK_RPAR)) {
        if (at(p, TOK_NAME) && peek(p)->kind == TOK_EQUAL)
            break;
        Pattern *n = parse_pattern(p);
        if (n == NULL || !push(p, n))
            return NULL;
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (!TAKE(p, from, &patterns))
        return NULL;
    size_t cap = 0;
    while (at(p, TOK_NAME) && peek(p)->kind == TOK_EQUAL) {
        if ((size_t)attrs.n == cap) {
            attrs.v = arena_grow(p->arena, attrs.v, cap * sizeof(Value), (cap * 2 + 4) * sizeof(Value));
            if (attrs.v == NULL)
                return NULL;
            cap = cap * 2 + 4;
        }
        attrs.v[attrs.n++] = p->t->name;
        advance(p);
        advance(p);
        Pattern *n = parse_pattern(p);
        if (n == NULL || !push(p, n))
            return NULL;
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (!at(p, TOK_RPAR)) {
        if (diagnosing(p) && attrs.n > 0 && p->t[-1].kind == TOK_COMMA) {
            /* positional patterns behind keyword patterns */
            Pattern *first = parse_pattern(p), *last = first;
            while (last != NULL && at(p, TOK_COMMA)) {
                const Token *next = peek(p);
                if (next->kind == TOK_RPAR)
                    break;
                size_t m = mark(p);
                advance(p);
                if (at(p, TOK_NAME) && peek(p)->kind == TOK_EQUAL) {
                    reset(p, m);
                    break;
                }
                Pattern *n = parse_pattern(p);
                if (n == NULL) {
                    if (broken(p))
                        return NULL;
                    reset(p, m);
                    break;
                }
                last = n;
            }
            if (first != NULL && !broken(p))
                return raise_at(p, span2(first->pos, last->pos), "positional patterns follow keyword patterns");
        }
        return NULL;
    }
    advance(p);
    if (!TAKE(p, from, &kwd_patterns))
        return NULL;
    Pattern *n = NODE(p, MatchClass, span(p, start));
    if (n == NULL)
        return NULL;
    n->MatchClass.cls = cls;
    n->MatchClass.patterns = patterns;
    n->MatchClass.kwd_attrs = attrs;
    n->MatchClass.kwd_patterns = kwd_patterns;
    return n;
}

static Pattern *star_pattern(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    if (!at(p, TOK_NAME))
        return NULL;
    Value name = p->t->aux == SOFT_UNDERSCORE ? ABSENT : p->t->name;
    advance(p);
    Pattern *n = NODE(p, MatchStar, span(p, start));
    if (n != NULL)
        n->MatchStar.name = name;
    return n;
}

static Pattern *maybe_star_pattern(Parser *p) {
    return at(p, TOK_STAR) ? star_pattern(p) : parse_pattern(p);
}

static Pattern *make_sequence(Parser *p, size_t from, AstPos pos) {
    Pattern *n = NODE(p, MatchSequence, pos);
    return n != NULL && TAKE(p, from, &n->MatchSequence.patterns) ? n : NULL;
}

/* ( ... ) and [ ... ] */
static Pattern *bracket_pattern(Parser *p, int close) {
    AstPos start = p->t->pos;
    size_t from = p->top;
    bool comma = false;
    advance(p);
    while (!at(p, close)) {
        Pattern *n = maybe_star_pattern(p);
        if (n == NULL || !push(p, n))
            return NULL;
        if (!accept(p, TOK_COMMA))
            break;
        comma = true;
    }
    if (!at(p, close))
        return NULL;
    if (close == TOK_RPAR && !comma && p->top == from + 1) {
        Pattern *n = p->stack[from];
        if (n->kind == PATTERN_MatchStar)
            return NULL;
        advance(p);
        p->top = from;
        return n;
    }
    advance(p);
    return make_sequence(p, from, span(p, start));
}

static Pattern *mapping_pattern(Parser *p) {
    AstPos start = p->t->pos;
    size_t from = p->top;
    Value rest = ABSENT;
    advance(p);
    while (!at(p, TOK_RBRACE)) {
        if (accept(p, TOK_DOUBLESTAR)) {
            if (!at(p, TOK_NAME) || p->t->aux == SOFT_UNDERSCORE)
                return NULL;
            rest = p->t->name;
            advance(p);
            accept(p, TOK_COMMA);
            break;
        }
        AstPos pos = p->t->pos;
        Expr *key;
        switch (kind(p)) {
        case TOK_NUMBER:
        case TOK_MINUS:
            key = number_literal(p);
            break;
        case TOK_STRING:
            key = parse_strings(p);
            break;
        case KW_None:
        case KW_True:
        case KW_False:
            key = ast_expr(p->arena, EXPR_Constant, pos);
            if (key == NULL)
                return NULL;
            key->Constant.value = at(p, KW_None) ? V_NONE : v_bool(at(p, KW_True));
            advance(p);
            break;
        case TOK_NAME:
            key = name_or_attr(p);
            if (key != NULL && key->kind == EXPR_Name)
                return NULL;
            break;
        default:
            return NULL;
        }
        if (key == NULL || !accept(p, TOK_COLON))
            return NULL;
        Pattern *v = parse_pattern(p);
        if (v == NULL || !push(p, key) || !push(p, v))
            return NULL;
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (!at(p, TOK_RBRACE))
        return NULL;
    advance(p);
    Pattern *n = NODE(p, MatchMapping, span(p, start));
    int32_t count = (int32_t)((p->top - from) / 2);
    Expr **keys = count > 0 ? arena_alloc(p->arena, (size_t)count * sizeof *keys) : NULL;
    Pattern **patterns = count > 0 ? arena_alloc(p->arena, (size_t)count * sizeof *patterns) : NULL;
    if (n == NULL || (count > 0 && (keys == NULL || patterns == NULL)))
        return NULL;
    for (int32_t i = 0; i < count; i++) {
        keys[i] = p->stack[from + 2 * (size_t)i];
        patterns[i] = p->stack[from + 2 * (size_t)i + 1];
    }
    p->top = from;
    n->MatchMapping.keys = (ExprSeq){keys, count};
    n->MatchMapping.patterns = (PatternSeq){patterns, count};
    n->MatchMapping.rest = rest;
    return n;
}

static Pattern *closed_pattern(Parser *p) {
    AstPos start = p->t->pos;
    Pattern *n;
    switch (kind(p)) {
    case TOK_NUMBER:
    case TOK_MINUS:
        return value_pattern(p, number_literal(p), start);
    case TOK_STRING: {
        Expr *e = parse_strings(p);
        return value_pattern(p, e, start);
    }
    case KW_None:
    case KW_True:
    case KW_False:
        n = NODE(p, MatchSingleton, start);
        if (n == NULL)
            return NULL;
        n->MatchSingleton.value = at(p, KW_None) ? V_NONE : v_bool(at(p, KW_True));
        advance(p);
        return n;
    case TOK_NAME: {
        int soft = p->t->aux;
        Expr *e = name_or_attr(p);
        if (e == NULL)
            return NULL;
        if (at(p, TOK_LPAR))
            return class_pattern(p, e, start);
        if (e->kind == EXPR_Attribute)
            return value_pattern(p, e, start);
        if (at(p, TOK_EQUAL))
            return NULL;
        n = NODE(p, MatchAs, span(p, start));
        if (n != NULL)
            n->MatchAs.name = soft == SOFT_UNDERSCORE ? ABSENT : e->Name.id;
        return n;
    }
    case TOK_LPAR:
        return recursion_enter(" during compilation") ? bracket_pattern(p, TOK_RPAR) : (p->lx->failed = true, NULL);
    case TOK_LSQB:
        return recursion_enter(" during compilation") ? bracket_pattern(p, TOK_RSQB) : (p->lx->failed = true, NULL);
    case TOK_LBRACE:
        return recursion_enter(" during compilation") ? mapping_pattern(p) : (p->lx->failed = true, NULL);
    default:
        return NULL;
    }
}

static Pattern *parse_pattern(Parser *p) {
    AstPos start = p->t->pos;
    Pattern *n = closed_pattern(p);
    if (n == NULL)
        return NULL;
    if (at(p, TOK_VBAR)) {
        size_t from = p->top;
        push(p, n);
        while (accept(p, TOK_VBAR)) {
            n = closed_pattern(p);
            if (n == NULL || !push(p, n))
                return NULL;
        }
        n = NODE(p, MatchOr, span(p, start));
        if (n == NULL || !TAKE(p, from, &n->MatchOr.patterns))
            return NULL;
    }
    if (!at(p, KW_as))
        return n;
    advance(p);
    if (!at(p, TOK_NAME) || p->t->aux == SOFT_UNDERSCORE) {
        if (diagnosing(p)) {
            if (at(p, TOK_NAME))
                return raise_at(p, p->t->pos, "cannot use '_' as a target");
            Expr *e = parse_expression(p);
            if (e != NULL && !broken(p))
                return raise_at(p, e->pos, "invalid pattern target");
        }
        return NULL;
    }
    Value name = p->t->name;
    advance(p);
    Pattern *as = NODE(p, MatchAs, span(p, start));
    if (as == NULL)
        return NULL;
    as->MatchAs.pattern = n;
    as->MatchAs.name = name;
    return as;
}

/* patterns: open_sequence_pattern | pattern */
static Pattern *parse_patterns(Parser *p) {
    AstPos start = p->t->pos;
    size_t from = p->top;
    Pattern *n = maybe_star_pattern(p);
    if (n == NULL)
        return NULL;
    if (!at(p, TOK_COMMA))
        return n->kind == PATTERN_MatchStar ? NULL : n;
    push(p, n);
    while (accept(p, TOK_COMMA)) {
        if (at(p, TOK_COLON) || at(p, KW_if))
            break;
        n = maybe_star_pattern(p);
        if (n == NULL || !push(p, n))
            return NULL;
    }
    return make_sequence(p, from, span(p, start));
}

static AstMatchCase *match_case(Parser *p) {
    int line = p->t->pos.lineno;
    advance(p);
    AstMatchCase *c = arena_zalloc(p->arena, sizeof *c);
    if (c == NULL || (c->pattern = parse_patterns(p)) == NULL)
        return NULL;
    if (accept(p, KW_if) && (c->guard = parse_named_expression(p)) == NULL)
        return NULL;
    return parse_block(p, &c->body, "'case' statement", line) ? c : NULL;
}

/* subject_expr */
static Expr *match_subject(Parser *p) {
    AstPos start = p->t->pos;
    Expr *e = parse_star_named_expression(p);
    if (e == NULL || (!at(p, TOK_COMMA) && e->kind != EXPR_Starred))
        return e;
    if (!at(p, TOK_COMMA))
        return NULL;
    size_t from = p->top;
    push(p, e);
    while (accept(p, TOK_COMMA)) {
        if (!is_expression_start(kind(p)) && !at(p, TOK_STAR))
            break;
        if ((e = parse_star_named_expression(p)) == NULL || !push(p, e))
            return NULL;
    }
    Expr *t = ast_expr(p->arena, EXPR_Tuple, span(p, start));
    if (t == NULL || !TAKE(p, from, &t->Tuple.elts))
        return NULL;
    t->Tuple.ctx = CTX_Load;
    return t;
}

Stmt *parse_match(Parser *p) {
    size_t m = mark(p), top = p->top;
    AstPos start = p->t->pos;
    int next = peek(p)->kind;
    if (!is_expression_start(next) && next != TOK_STAR)
        return NULL;
    advance(p);
    Expr *subject = match_subject(p);
    if (subject == NULL || !at(p, TOK_COLON)) {
        if (subject != NULL && at(p, TOK_NEWLINE) && diagnosing(p))
            return raise_last(p, &exc_SyntaxError, "expected ':'");
        goto other;
    }
    advance(p);
    if (!at(p, TOK_NEWLINE))
        goto other;
    advance(p);
    if (!at(p, TOK_INDENT)) {
        if (diagnosing(p))
            return raise_last(p, &exc_IndentationError, "expected an indented block after 'match' statement on line %d",
                              start.lineno);
        goto other;
    }
    advance(p);
    if (!(at(p, TOK_NAME) && p->t->aux == SOFT_CASE))
        goto other;
    while (at(p, TOK_NAME) && p->t->aux == SOFT_CASE) {
        AstMatchCase *c = match_case(p);
        if (c == NULL || !push(p, c)) {
            p->committed = true;
            return NULL;
        }
    }
    if (!accept(p, TOK_DEDENT)) {
        p->committed = true;
        return NULL;
    }
    Stmt *s = ast_stmt(p->arena, STMT_Match, span_block(p, start));
    if (s == NULL || !TAKE(p, top, &s->Match.cases))
        return NULL;
    s->Match.subject = subject;
    return s;
other:
    p->top = top;
    if (!broken(p))
        reset(p, m);
    return NULL;
}

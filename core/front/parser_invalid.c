/* What people get wrong: run in the second pass, where the grammar has just failed (or is about to). Each function
 * looks at the text from a token on, raises when it knows better than "invalid syntax", and otherwise leaves nothing
 * pending; the caller resets the position. */
#include "front/parser_impl.h"

static bool is_legacy(const Expr *e, const Token *t) {
    return e->kind == EXPR_Name && !e->paren && t->kind == TOK_NAME &&
           (t->aux == LEGACY_PRINT || t->aux == LEGACY_EXEC);
}

/* n tokens behind token m; those between may not have been read yet. */
static void skip_to(Parser *p, size_t m, int n) {
    reset(p, m);
    while (n-- > 0)
        advance(p);
}

/* CPython compares as many letters as the name has: the first letters of a soft keyword count as one. */
static bool like_soft_keyword(Parser *p, const Token *t) {
    const char *s = p->lx->src + t->start;
    size_t n = t->end - t->start;
    return (n <= 5 && memcmp(s, "match", n) == 0) || (n <= 4 && memcmp(s, "case", n) == 0) || (n == 1 && *s == '_');
}

/* An expression directly behind the expression a (which began at token start). True: raised. */
bool invalid_comma(Parser *p, Expr *a, size_t start) {
    const Token *first = p->base + start;
    size_t end = mark(p);
    bool skip = first->kind == TOK_NAME && (first[1].kind == TOK_STRING || like_soft_keyword(p, first));
    bool legacy = is_legacy(a, first);
    if (!skip && is_expression_start(kind(p))) {
        Expr *b = parse_expression_quiet(p);
        if (broken(p))
            return true;
        if (b != NULL && !legacy && p->t[-1].level != 0) {
            raise_at(p, span2(a->pos, b->pos), "invalid syntax. Perhaps you forgot a comma?");
            return true;
        }
        reset(p, end);
    }
    first = p->base + start;
    if (first->kind == TOK_NAME && first[1].kind != TOK_LPAR &&
        (is_expression_start(first[1].kind) || first[1].kind == TOK_STAR)) {
        /* Any name is tried, as in CPython: what follows may hold an error of its own. */
        AstPos pos = first->pos;
        const char *name = first->aux == LEGACY_PRINT ? "print" : first->aux == LEGACY_EXEC ? "exec" : NULL;
        skip_to(p, start, 1);
        Expr *b = parse_star_expressions(p);
        if (b != NULL && !broken(p) && name != NULL)
            raise_at(p, span2(pos, b->pos), "Missing parentheses in call to '%s'. Did you mean %s(...)?", name, name);
        if (broken(p))
            return true;
        reset(p, end);
    }
    return false;
}

/* Whether an operator expression, not a comparison or less tight, was written. */
static bool is_tight(const Expr *e) {
    if (e->paren)
        return true;
    return e->kind != EXPR_Compare && e->kind != EXPR_BoolOp && e->kind != EXPR_IfExp && e->kind != EXPR_Lambda &&
           !(e->kind == EXPR_UnaryOp && e->UnaryOp.op == UNARYOP_Not);
}

/* The text at token start begins with True, None, False, a list, a tuple or a generator expression. */
static bool starts_with_display(Parser *p, size_t start) {
    reset(p, start);
    switch (kind(p)) {
    case KW_True:
    case KW_False:
    case KW_None:
        return true;
    case TOK_LPAR:
    case TOK_LSQB:
        break;
    default:
        return false;
    }
    bool old = p->quiet_diag;
    p->quiet_diag = true;
    Expr *e = parse_primary(p);
    p->quiet_diag = old;
    while (e != NULL && !e->paren && (e->kind == EXPR_Attribute || e->kind == EXPR_Subscript || e->kind == EXPR_Call))
        e = e->kind == EXPR_Attribute   ? e->Attribute.value
            : e->kind == EXPR_Subscript ? e->Subscript.value
                                        : e->Call.func;
    return e != NULL && !e->paren && (e->kind == EXPR_List || e->kind == EXPR_Tuple || e->kind == EXPR_GeneratorExp);
}

/* ":=" or "=" behind the expression e. */
void invalid_named(Parser *p, Expr *e, size_t start) {
    if (accept(p, TOK_COLONEQUAL)) {
        if (parse_expression(p) != NULL && !broken(p))
            raise_at(p, e->pos, "cannot use assignment expressions with %s", expr_description(e));
        return;
    }
    size_t eq = mark(p);
    if (!is_tight(e))
        return;
    bool plain = e->kind == EXPR_Name && eq == start + 1;
    if (!plain && starts_with_display(p, start))
        return;
    if (broken(p))
        return;
    reset(p, eq);
    advance(p);
    Expr *b = parse_bitor(p);
    if (b == NULL || broken(p) || at(p, TOK_EQUAL) || at(p, TOK_COLONEQUAL))
        return;
    if (plain)
        raise_at(p, span2(e->pos, b->pos), "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    else
        raise_at(p, e->pos, "cannot assign to %s here. Maybe you meant '==' instead of '='?", expr_description(e));
}

void invalid_assignment(Parser *p, size_t start) {
    reset(p, start);
    if (at(p, TOK_LPAR) || at(p, TOK_LSQB)) {
        Expr *e = parse_primary(p);
        if (broken(p))
            return;
        if (e != NULL && (e->kind == EXPR_List || e->kind == EXPR_Tuple) && accept(p, TOK_COLON) &&
            parse_expression(p) != NULL) {
            raise_at(p, e->pos, "only single target (not %s) can be annotated",
                     e->kind == EXPR_List ? "list" : "tuple");
            return;
        }
        reset(p, start);
    }
    if (broken(p))
        return;
    Expr *e = parse_star_named_expression(p);
    if (broken(p))
        return;
    if (e != NULL && accept(p, TOK_COMMA)) {
        while (is_expression_start(kind(p)) || at(p, TOK_STAR)) {
            size_t m = mark(p);
            if (parse_star_named_expression(p) == NULL || broken(p)) {
                if (!broken(p))
                    reset(p, m);
                break;
            }
            accept(p, TOK_COMMA);
        }
        if (broken(p))
            return;
        if (accept(p, TOK_COLON) && parse_expression(p) != NULL) {
            raise_at(p, e->pos, "only single target (not tuple) can be annotated");
            return;
        }
        if (broken(p))
            return;
    }
    reset(p, start);
    e = parse_expression(p);
    if (broken(p))
        return;
    if (e != NULL && accept(p, TOK_COLON) && parse_expression(p) != NULL) {
        raise_at(p, e->pos, "illegal target for annotation");
        return;
    }
    if (broken(p))
        return;
    reset(p, start);
    for (;;) {
        if (at(p, KW_yield)) {
            e = parse_yield(p);
            if (e != NULL && !broken(p) && at(p, TOK_EQUAL))
                raise_at(p, e->pos, "assignment to yield expression not possible");
            return;
        }
        e = parse_star_expressions(p);
        if (e == NULL || broken(p) || !at(p, TOK_EQUAL))
            break;
        invalid_target(p, e, CTX_Store, false);
        if (broken(p))
            return;
        advance(p);
    }
    if (broken(p))
        return;
    reset(p, start);
    e = parse_star_expressions(p);
    if (e == NULL || broken(p))
        return;
    int k = kind(p);
    if ((k >= TOK_PLUSEQUAL && k <= TOK_DOUBLESTAREQUAL) || k == TOK_DOUBLESLASHEQUAL || k == TOK_ATEQUAL) {
        advance(p);
        if (parse_yield_or_star_expressions(p) != NULL && !broken(p))
            raise_at(p, e->pos, "'%s' is an illegal expression for augmented assignment", expr_description(e));
    }
}

/* ---- brackets ---- */

static bool at_for(Parser *p) {
    return at(p, KW_for) || (at(p, KW_async) && peek(p)->kind == KW_for);
}

static bool for_clauses(Parser *p, CompSeq *out) {
    return at_for(p) && parse_comp_clauses(p, out) && !broken(p);
}

static AstPos last_comp_item(const CompSeq *c) {
    const AstComp *last = c->v[c->n - 1];
    return last->ifs.n > 0 ? last->ifs.v[last->ifs.n - 1]->pos : last->iter->pos;
}

void invalid_comprehension(Parser *p, size_t start, bool paren) {
    CompSeq gens;
    skip_to(p, start, 1);
    if (at(p, TOK_STAR)) {
        AstPos pos = p->t->pos;
        advance(p);
        Expr *e = parse_expression(p);
        if (e != NULL && for_clauses(p, &gens)) {
            raise_at(p, span2(pos, e->pos), "iterable unpacking cannot be used in comprehension");
            return;
        }
        if (broken(p))
            return;
    }
    if (paren)
        return;
    skip_to(p, start, 1);
    Expr *a = parse_star_named_expression(p);
    if (a == NULL || broken(p) || !at(p, TOK_COMMA))
        return;
    AstPos comma = p->t->pos, last = comma;
    advance(p);
    while (is_expression_start(kind(p)) || at(p, TOK_STAR)) {
        Expr *b = parse_star_named_expression(p);
        if (b == NULL)
            return;
        last = b->pos;
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (!broken(p) && for_clauses(p, &gens))
        raise_at(p, span2(a->pos, last), "did you forget parentheses around the comprehension target?");
}

/* At a key that has no proper value. */
static bool invalid_pair(Parser *p, bool missing_colon) {
    Expr *e = parse_expression(p);
    if (e == NULL || broken(p))
        return broken(p);
    if (!at(p, TOK_COLON)) {
        if (missing_colon)
            lexer_error_at(p->lx, &exc_SyntaxError, e->pos.lineno, e->pos.end_col, e->pos.end_lineno, 0,
                           "':' expected after dictionary key");
        return broken(p);
    }
    AstPos colon = p->t->pos;
    advance(p);
    if (at(p, TOK_STAR)) {
        AstPos star = p->t->pos;
        advance(p);
        if (parse_bitor(p) != NULL && !broken(p))
            raise_from(p, star, "cannot use a starred expression in a dictionary value");
    } else if (at(p, TOK_RBRACE) || at(p, TOK_COMMA)) {
        raise_at(p, colon, "expression expected after dictionary key and ':'");
    }
    return broken(p);
}

void invalid_dict(Parser *p, size_t start) {
    skip_to(p, start, 1);
    /* As many proper pairs as there are, then one that is not. */
    bool any = false;
    for (;;) {
        size_t m = mark(p);
        bool ok;
        if (accept(p, TOK_DOUBLESTAR)) {
            ok = parse_bitor(p) != NULL;
        } else {
            ok = parse_expression(p) != NULL && accept(p, TOK_COLON) && parse_expression(p) != NULL;
        }
        if (broken(p))
            return;
        if (!ok) {
            reset(p, m);
            if (any && invalid_pair(p, true))
                return;
            break;
        }
        any = true;
        if (!accept(p, TOK_COMMA))
            break;
    }
    skip_to(p, start, 1);
    invalid_pair(p, false);
}

void invalid_bracket(Parser *p, size_t start, int open) {
    if (open == TOK_LPAR) {
        skip_to(p, start, 1);
        AstPos pos = p->t->pos;
        if (accept(p, TOK_STAR)) {
            Expr *e = parse_expression(p);
            if (e != NULL && !broken(p) && at(p, TOK_RPAR))
                raise_at(p, span2(pos, e->pos), "cannot use starred expression here");
        } else if (accept(p, TOK_DOUBLESTAR)) {
            if (parse_expression(p) != NULL && !broken(p) && at(p, TOK_RPAR))
                raise_at(p, pos, "cannot use double starred expression here");
        }
    } else if (open == TOK_LBRACE) {
        skip_to(p, start, 1);
        AstPos pos = p->t->pos;
        CompSeq gens;
        if (accept(p, TOK_DOUBLESTAR)) {
            if (parse_bitor(p) != NULL && for_clauses(p, &gens) && at(p, TOK_RBRACE))
                raise_at(p, pos, "dict unpacking cannot be used in dict comprehension");
            return;
        }
    }
    if (!broken(p))
        invalid_comprehension(p, start, open == TOK_LPAR);
}

/* ---- arguments ---- */

/* The longest proper start of an argument list. */
typedef struct ArgsPrefix {
    AstPos pos;
    Expr *last; /* positional */
    int n;      /* positional */
    bool unpack, any;
} ArgsPrefix;

static void invalid_keyword(Parser *p) {
    size_t m = mark(p);
    AstPos pos = p->t->pos;
    if (at(p, KW_True) || at(p, KW_False) || at(p, KW_None)) {
        const char *name = token_texts[kind(p)];
        if (peek(p)->kind == TOK_EQUAL) {
            raise_at(p, span2(pos, p->t[1].pos), "cannot assign to %s", name);
            return;
        }
    }
    if (at(p, TOK_NAME) && peek(p)->kind == TOK_EQUAL) {
        AstPos eq = p->t[1].pos;
        CompSeq gens;
        skip_to(p, m, 2);
        if (parse_expression(p) != NULL && for_clauses(p, &gens))
            raise_at(p, span2(pos, eq), "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    } else if (is_expression_start(kind(p))) {
        Expr *e = parse_expression(p);
        if (e != NULL && !broken(p) && at(p, TOK_EQUAL))
            raise_at(p, span2(e->pos, p->t->pos), "expression cannot contain assignment, perhaps you meant \"==\"?");
    }
    if (!broken(p))
        reset(p, m);
}

static ArgsPrefix args_prefix(Parser *p) {
    ArgsPrefix a = {.pos = p->t->pos};
    size_t end = mark(p);
    bool keywords = false;
    for (;;) {
        size_t m = mark(p);
        bool ok = false;
        if (!keywords) {
            Expr *e = NULL;
            AstPos pos = p->t->pos;
            if (accept(p, TOK_STAR)) {
                e = parse_expression(p);
                if (e != NULL) {
                    Expr *s = ast_expr(p->arena, EXPR_Starred, span(p, pos));
                    if (s != NULL)
                        s->Starred.value = e;
                    e = s;
                }
            } else if (is_expression_start(kind(p))) {
                e = parse_expression(p);
                if (e != NULL && at(p, TOK_COLONEQUAL)) {
                    if (e->kind != EXPR_Name || e->paren) {
                        e = NULL;
                    } else {
                        advance(p);
                        if (parse_expression(p) == NULL)
                            e = NULL;
                    }
                }
            }
            if (broken(p))
                return a;
            ok = e != NULL && !at(p, TOK_EQUAL);
            if (ok) {
                a.n++;
                a.last = e;
            } else {
                reset(p, m);
                keywords = true;
            }
        }
        if (!ok) {
            invalid_keyword(p);
            if (broken(p))
                return a;
            if (at(p, TOK_NAME) && peek(p)->kind == TOK_EQUAL) {
                skip_to(p, m, 2);
                ok = parse_expression(p) != NULL;
            } else if (at(p, TOK_STAR) && !a.unpack) {
                advance(p);
                ok = parse_expression(p) != NULL;
            } else if (accept(p, TOK_DOUBLESTAR)) {
                ok = parse_expression(p) != NULL;
                a.unpack |= ok;
            }
            if (broken(p))
                return a;
        }
        if (!ok) {
            reset(p, end);
            break;
        }
        a.any = true;
        end = mark(p);
        a.pos = span(p, a.pos);
        if (!accept(p, TOK_COMMA))
            break;
    }
    return a;
}

void invalid_arguments(Parser *p, size_t start) {
    CompSeq gens;
    reset(p, start);
    ArgsPrefix a = args_prefix(p);
    if (broken(p))
        return;
    size_t end = mark(p);
    if (a.any && at(p, TOK_COMMA) && peek(p)->kind == TOK_STAR) {
        raise_at(p, a.pos, "iterable argument unpacking follows keyword argument unpacking");
        return;
    }
    reset(p, start);
    Expr *e = is_expression_start(kind(p)) ? parse_expression(p) : NULL;
    if (broken(p))
        return;
    if (e != NULL && for_clauses(p, &gens) && accept(p, TOK_COMMA)) {
        args_prefix(p); /* what follows may hold an error of its own */
        if (!broken(p))
            raise_at(p, span2(e->pos, last_comp_item(&gens)), "Generator expression must be parenthesized");
        return;
    }
    if (broken(p))
        return;
    reset(p, start);
    if (at(p, TOK_NAME) && peek(p)->kind == TOK_EQUAL) {
        AstPos name = p->t->pos, eq = p->t[1].pos;
        skip_to(p, start, 2);
        if (parse_expression(p) != NULL && for_clauses(p, &gens))
            raise_at(p, span2(name, eq), "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
        if (broken(p))
            return;
    }
    if (!a.any)
        return;
    reset(p, end);
    if (for_clauses(p, &gens)) {
        if (a.n > 1)
            raise_at(p, span2(a.last->pos, last_comp_item(&gens)), "Generator expression must be parenthesized");
        if (broken(p))
            return;
    }
    if (broken(p))
        return;
    reset(p, end);
    if (!accept(p, TOK_COMMA))
        return;
    size_t rest = mark(p);
    e = is_expression_start(kind(p)) ? parse_expression(p) : NULL;
    if (broken(p))
        return;
    if (e != NULL && for_clauses(p, &gens)) {
        raise_at(p, span2(e->pos, last_comp_item(&gens)), "Generator expression must be parenthesized");
        return;
    }
    if (broken(p))
        return;
    reset(p, rest);
    ArgsPrefix b = args_prefix(p);
    if (!broken(p) && b.any)
        raise_last(p, &exc_SyntaxError,
                   a.unpack ? "positional argument follows keyword argument unpacking"
                            : "positional argument follows keyword argument");
}

/* ---- parameters ---- */

/* NAME [":" annotation]; its place. */
static bool parameter(Parser *p, bool lambda, AstPos *pos) {
    if (!at(p, TOK_NAME))
        return false;
    AstPos start = p->t->pos;
    advance(p);
    if (!lambda && accept(p, TOK_COLON) && (at(p, TOK_STAR) ? parse_star_expression(p) : parse_expression(p)) == NULL)
        return false;
    *pos = span(p, start);
    return !broken(p);
}

static void bare_star(Parser *p, AstPos pos, bool lambda) {
    if (lambda)
        raise_last(p, &exc_SyntaxError, "named arguments must follow bare *");
    else
        raise_at(p, pos, "named arguments must follow bare *");
}

void invalid_parameters(Parser *p, size_t start, bool lambda) {
    int close = lambda ? TOK_COLON : TOK_RPAR;
    bool dflt = false, slash = false, star = false;
    int n = 0;
    reset(p, start);
    while (!broken(p) && !at(p, close)) {
        AstPos pos = p->t->pos;
        switch (kind(p)) {
        case TOK_NAME:
            if (!parameter(p, lambda, &pos))
                return;
            n++;
            if (accept(p, TOK_EQUAL)) {
                if (at(p, close) || at(p, TOK_COMMA)) {
                    raise_at(p, p->t[-1].pos, "expected default value expression");
                    return;
                }
                if (parse_expression(p) == NULL)
                    return;
                dflt = true;
            } else if (dflt && !star) {
                if (at(p, close) || at(p, TOK_COMMA))
                    raise_at(p, pos, "non-default argument follows default argument");
                return;
            }
            break;
        case TOK_LPAR: {
            if (dflt || slash || star)
                return;
            advance(p);
            AstPos ignored;
            bool any = false;
            while (parameter(p, lambda, &ignored)) {
                any = true;
                if (!accept(p, TOK_COMMA))
                    break;
            }
            if (any && !broken(p) && at(p, TOK_RPAR))
                raise_at(p, span2(pos, p->t->pos),
                         lambda ? "Lambda expression parameters cannot be parenthesized"
                                : "Function parameters cannot be parenthesized");
            return;
        }
        case TOK_SLASH:
            if (star) {
                raise_at(p, pos, "/ must be ahead of *");
                return;
            }
            if (slash) {
                raise_at(p, pos, "/ may appear only once");
                return;
            }
            advance(p);
            if (n == 0) {
                if (at(p, TOK_COMMA))
                    raise_at(p, pos, "at least one argument must precede /");
                return;
            }
            slash = true;
            if (at(p, TOK_STAR)) {
                raise_at(p, p->t->pos, "expected comma between / and *");
                return;
            }
            break;
        case TOK_STAR:
            advance(p);
            if (star) {
                if (at(p, TOK_COMMA) || at(p, TOK_NAME))
                    raise_at(p, pos, "* argument may appear only once");
                return;
            }
            star = true;
            if (at(p, close)) {
                bare_star(p, pos, lambda);
                return;
            }
            if (at(p, TOK_COMMA)) {
                int next = peek(p)->kind;
                if (next == close || next == TOK_DOUBLESTAR) {
                    bare_star(p, pos, lambda);
                    return;
                }
            } else {
                if (!parameter(p, lambda, &pos))
                    return;
                if (at(p, TOK_EQUAL)) {
                    raise_at(p, p->t->pos, "var-positional argument cannot have default value");
                    return;
                }
            }
            break;
        case TOK_DOUBLESTAR:
            advance(p);
            if (!parameter(p, lambda, &pos))
                return;
            if (at(p, TOK_EQUAL)) {
                raise_at(p, p->t->pos, "var-keyword argument cannot have default value");
            } else if (accept(p, TOK_COMMA)) {
                pos = p->t->pos;
                if (at(p, TOK_NAME) ? parameter(p, lambda, &pos)
                                    : at(p, TOK_STAR) || at(p, TOK_DOUBLESTAR) || at(p, TOK_SLASH))
                    raise_at(p, pos, "arguments cannot follow var-keyword argument");
            }
            return;
        default:
            return;
        }
        if (!accept(p, TOK_COMMA))
            return;
    }
}

/* ---- statements ---- */

void invalid_for_target(Parser *p, size_t start) {
    skip_to(p, start, 1);
    Expr *e = parse_star_expressions(p);
    if (e != NULL && !broken(p))
        invalid_target(p, e, CTX_Store, true);
}

void invalid_del(Parser *p, size_t start) {
    skip_to(p, start, 1);
    Expr *e = parse_star_expressions(p);
    if (e != NULL && !broken(p))
        invalid_target(p, e, CTX_Del, false);
}

static bool with_items(Parser *p) {
    do {
        if (at(p, TOK_RPAR))
            break;
        if (parse_expression(p) == NULL || broken(p))
            return false;
        if (accept(p, KW_as) && (parse_star_target(p) == NULL || broken(p)))
            return false;
    } while (accept(p, TOK_COMMA));
    return true;
}

void invalid_with(Parser *p, size_t start) {
    skip_to(p, start, 1);
    bool ok = with_items(p);
    if (broken(p))
        return;
    if (!ok || !at(p, TOK_NEWLINE)) {
        skip_to(p, start, 1);
        ok = accept(p, TOK_LPAR) && with_items(p) && accept(p, TOK_RPAR) && !broken(p);
    }
    if (ok && !broken(p) && at(p, TOK_NEWLINE))
        raise_last(p, &exc_SyntaxError, "expected ':'");
}

/* Expressions: precedence climbing over primaries. */
#include "front/parser_impl.h"
#include "object/float.h"
#include "object/int.h"
#include "object/str.h"

static const uint8_t infix_prec[TOK_KIND_END] = {
    [KW_or] = PREC_OR,
    [KW_and] = PREC_AND,
    [TOK_LESS] = PREC_CMP,
    [TOK_GREATER] = PREC_CMP,
    [TOK_EQEQUAL] = PREC_CMP,
    [TOK_NOTEQUAL] = PREC_CMP,
    [TOK_LESSEQUAL] = PREC_CMP,
    [TOK_GREATEREQUAL] = PREC_CMP,
    [KW_in] = PREC_CMP,
    [KW_is] = PREC_CMP,
    [KW_not] = PREC_CMP,
    [TOK_VBAR] = PREC_BITOR,
    [TOK_CIRCUMFLEX] = PREC_BITXOR,
    [TOK_AMPER] = PREC_BITAND,
    [TOK_LEFTSHIFT] = PREC_SHIFT,
    [TOK_RIGHTSHIFT] = PREC_SHIFT,
    [TOK_PLUS] = PREC_ARITH,
    [TOK_MINUS] = PREC_ARITH,
    [TOK_STAR] = PREC_TERM,
    [TOK_SLASH] = PREC_TERM,
    [TOK_DOUBLESLASH] = PREC_TERM,
    [TOK_PERCENT] = PREC_TERM,
    [TOK_AT] = PREC_TERM,
};
static const uint8_t infix_op[TOK_KIND_END] = {
    [TOK_LESS] = CMPOP_Lt,
    [TOK_GREATER] = CMPOP_Gt,
    [TOK_EQEQUAL] = CMPOP_Eq,
    [TOK_NOTEQUAL] = CMPOP_NotEq,
    [TOK_LESSEQUAL] = CMPOP_LtE,
    [TOK_GREATEREQUAL] = CMPOP_GtE,
    [KW_in] = CMPOP_In,
    [KW_is] = CMPOP_Is,
    [KW_not] = CMPOP_NotIn,
    [TOK_VBAR] = BINOP_BitOr,
    [TOK_CIRCUMFLEX] = BINOP_BitXor,
    [TOK_AMPER] = BINOP_BitAnd,
    [TOK_LEFTSHIFT] = BINOP_LShift,
    [TOK_RIGHTSHIFT] = BINOP_RShift,
    [TOK_PLUS] = BINOP_Add,
    [TOK_MINUS] = BINOP_Sub,
    [TOK_STAR] = BINOP_Mult,
    [TOK_SLASH] = BINOP_Div,
    [TOK_DOUBLESLASH] = BINOP_FloorDiv,
    [TOK_PERCENT] = BINOP_Mod,
    [TOK_AT] = BINOP_MatMult,
};

static const bool starts_expression[TOK_KIND_END] = {
    [TOK_NAME] = 1,     [TOK_NUMBER] = 1, [TOK_STRING] = 1, [TOK_LPAR] = 1,  [TOK_LSQB] = 1, [TOK_LBRACE] = 1,
    [TOK_ELLIPSIS] = 1, [TOK_MINUS] = 1,  [TOK_PLUS] = 1,   [TOK_TILDE] = 1, [KW_not] = 1,   [KW_lambda] = 1,
    [KW_await] = 1,     [KW_True] = 1,    [KW_False] = 1,   [KW_None] = 1,
};
bool is_expression_start(int k) {
    return starts_expression[k];
}

/* ---- nodes ---- */
#define NODE(p, k, pos) ast_expr((p)->arena, EXPR_##k, pos)

static Expr *make_constant(Parser *p, AstPos pos, Value v) {
    Expr *e = NODE(p, Constant, pos);
    if (e != NULL)
        e->Constant.value = v;
    return e;
}

static Expr *take_name(Parser *p) {
    Expr *e = NODE(p, Name, p->t->pos);
    if (UNLIKELY(e == NULL))
        return NULL;
    e->Name.id = p->t->name;
    e->Name.ctx = CTX_Load;
    advance(p);
    return e;
}

static Expr *make_tuple(Parser *p, size_t from, AstPos pos) {
    Expr *e = NODE(p, Tuple, pos);
    if (e == NULL || !TAKE(p, from, &e->Tuple.elts))
        return NULL;
    e->Tuple.ctx = CTX_Load;
    return e;
}

static Expr *make_starred(Parser *p, Expr *value, AstPos start) {
    if (value == NULL)
        return NULL;
    Expr *e = NODE(p, Starred, span(p, start));
    if (e == NULL)
        return NULL;
    e->Starred.value = value;
    e->Starred.ctx = CTX_Load;
    return e;
}

/* ---- numbers ---- */

Expr *parse_number(Parser *p) {
    const Token *t = p->t;
    const char *s = p->lx->src + t->start;
    size_t n = t->end - t->start;
    Value v;
    char small[128], *buf = NULL;
    if (!(t->aux & (NUMF_FLOAT | NUMF_IMAGINARY | NUMF_UNDERSCORE | NUMF_BASE)) && n <= 18) {
        int64_t i = 0;
        for (size_t k = 0; k < n; k++)
            i = i * 10 + (s[k] - '0');
        v = v_from_int(i);
    } else {
        if (t->aux & NUMF_UNDERSCORE) {
            buf = n < sizeof small ? small : arena_alloc(p->arena, n + 1);
            if (buf == NULL)
                return NULL;
            size_t m = 0;
            for (size_t k = 0; k < n; k++)
                if (s[k] != '_')
                    buf[m++] = s[k];
            s = buf;
            n = m;
        }
        if (t->aux & NUMF_IMAGINARY) {
            bool ok;
            double d = float_parse(s, n - 1, &ok);
            v = arena_keep(p->arena, complex_new(0.0, d));
        } else if (t->aux & NUMF_FLOAT) {
            bool ok;
            v = arena_keep(p->arena, float_new(float_parse(s, n, &ok)));
        } else {
            if ((t->aux & NUMF_BASE) && n > 2 && n <= 16) {
                int shift = (s[1] | 32) == 'x' ? 4 : (s[1] | 32) == 'o' ? 3 : 1;
                int64_t i = 0;
                for (size_t k = 2; k < n; k++)
                    i = (i << shift) | (s[k] <= '9' ? s[k] - '0' : (s[k] | 32) - 'a' + 10);
                v = v_from_int(i);
            } else {
                v = arena_keep(p->arena, int_from_str(s, n, t->aux & NUMF_BASE ? 0 : 10));
                if (v == ABSENT && err_matches(&exc_ValueError)) {
                    /* More digits than sys.set_int_max_str_digits() allows. */
                    Value e = err_fetch();
                    Value text = obj_str(e);
                    release(e);
                    size_t len;
                    const char *msg = text != ABSENT ? str_utf8(text, &len) : NULL;
                    if (msg != NULL)
                        raise_at(
                            p, t->pos,
                            "%s - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.",
                            msg);
                    release(text);
                }
            }
        }
        if (v == ABSENT) {
            p->lx->failed = true;
            return NULL;
        }
    }
    Expr *e = make_constant(p, t->pos, v);
    if (e != NULL)
        advance(p);
    return e;
}

/* ---- targets ---- */

bool set_context(Parser *p, Expr *e, ExprCtx ctx) {
    switch (e->kind) {
    case EXPR_Name:
        e->Name.ctx = ctx;
        return true;
    case EXPR_Attribute:
        e->Attribute.ctx = ctx;
        return true;
    case EXPR_Subscript:
        e->Subscript.ctx = ctx;
        return true;
    case EXPR_Starred:
        if (ctx == CTX_Del || e->Starred.value->kind == EXPR_Starred)
            return false;
        e->Starred.ctx = ctx;
        return set_context(p, e->Starred.value, ctx);
    case EXPR_List:
    case EXPR_Tuple:
        for (int i = 0; i < e->Tuple.elts.n; i++)
            if (!set_context(p, e->Tuple.elts.v[i], ctx))
                return false;
        e->Tuple.ctx = ctx;
        return true;
    default:
        return false;
    }
}

Expr *parse_star_target(Parser *p) {
    AstPos start = p->t->pos;
    Expr *e;
    if (accept(p, TOK_STAR)) {
        if (at(p, TOK_STAR))
            return NULL;
        e = make_starred(p, parse_primary(p), start);
    } else {
        e = parse_primary(p);
    }
    return e != NULL && set_context(p, e, CTX_Store) ? e : NULL;
}

Expr *parse_for_targets(Parser *p) {
    AstPos start = p->t->pos;
    Expr *e = parse_star_target(p);
    if (e == NULL || !at(p, TOK_COMMA))
        return e;
    size_t from = p->top;
    push(p, e);
    while (accept(p, TOK_COMMA)) {
        if (!starts_expression[kind(p)] && !at(p, TOK_STAR))
            break;
        if ((e = parse_star_target(p)) == NULL || !push(p, e)) {
            p->top = from;
            return NULL;
        }
    }
    Expr *t = make_tuple(p, from, span(p, start));
    if (t != NULL)
        t->Tuple.ctx = CTX_Store;
    return t;
}

/* ---- comprehensions ---- */

static bool parse_for_clauses(Parser *p, CompSeq *out) {
    size_t from = p->top;
    while (at(p, KW_for) || at(p, KW_async)) {
        size_t start = mark(p);
        AstComp *c = arena_zalloc(p->arena, sizeof *c);
        if (c == NULL)
            goto fail;
        c->is_async = accept(p, KW_async);
        if (!at(p, KW_for))
            goto fail;
        size_t target = mark(p);
        advance(p);
        c->target = parse_for_targets(p);
        if (c->target == NULL || !at(p, KW_in)) {
            if (diagnosing(p))
                invalid_for_target(p, target);
            goto fail;
        }
        advance(p);
        (void)start;
        c->iter = parse_disjunction(p);
        if (c->iter == NULL)
            goto fail;
        size_t ifs = p->top;
        while (accept(p, KW_if)) {
            Expr *e = parse_disjunction(p);
            if (e == NULL || !push(p, e))
                goto fail;
        }
        if (!TAKE(p, ifs, &c->ifs) || !push(p, c))
            goto fail;
    }
    return TAKE(p, from, out);
fail:
    p->top = from;
    return false;
}

bool parse_comp_clauses(Parser *p, CompSeq *out) {
    return parse_for_clauses(p, out);
}

static ALWAYS_INLINE bool at_comprehension(Parser *p) {
    return at(p, KW_for) || (UNLIKELY(at(p, KW_async)) && peek(p)->kind == KW_for);
}

static Expr *finish_comprehension(Parser *p, ExprKind k, AstPos start, Expr *elt, Expr *value, int close) {
    CompSeq gens;
    if (!parse_for_clauses(p, &gens) || !at(p, close))
        return NULL;
    advance(p);
    Expr *e = ast_expr(p->arena, k, span(p, start));
    if (e == NULL)
        return NULL;
    e->DictComp.key = elt;
    e->DictComp.generators = gens;
    if (k == EXPR_DictComp)
        e->DictComp.value = value;
    return e;
}

/* ---- brackets ---- */

static Expr *bracket_paren(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    if (at(p, TOK_RPAR)) {
        advance(p);
        return make_tuple(p, p->top, span(p, start));
    }
    if (at(p, KW_yield)) {
        Expr *e = parse_yield(p);
        if (e == NULL || !accept(p, TOK_RPAR))
            return NULL;
        e->paren = true;
        return e;
    }
    Expr *e = parse_star_named_expression(p);
    if (e == NULL)
        return NULL;
    if (at(p, TOK_RPAR)) {
        if (e->kind == EXPR_Starred && !e->paren)
            return NULL;
        advance(p);
        e->paren = true;
        return e;
    }
    if (at(p, TOK_COMMA)) {
        size_t from = p->top;
        push(p, e);
        while (accept(p, TOK_COMMA)) {
            if (at(p, TOK_RPAR))
                break;
            if ((e = parse_star_named_expression(p)) == NULL || !push(p, e)) {
                p->top = from;
                return NULL;
            }
        }
        if (!at(p, TOK_RPAR)) {
            p->top = from;
            return NULL;
        }
        advance(p);
        return make_tuple(p, from, span(p, start));
    }
    if (at_comprehension(p) && e->kind != EXPR_Starred)
        return finish_comprehension(p, EXPR_GeneratorExp, start, e, NULL, TOK_RPAR);
    return NULL;
}

static Expr *bracket_list(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    size_t from = p->top;
    if (!at(p, TOK_RSQB)) {
        Expr *e = parse_star_named_expression(p);
        if (e == NULL)
            return NULL;
        if (at_comprehension(p) && e->kind != EXPR_Starred)
            return finish_comprehension(p, EXPR_ListComp, start, e, NULL, TOK_RSQB);
        push(p, e);
        while (accept(p, TOK_COMMA)) {
            if (at(p, TOK_RSQB))
                break;
            if ((e = parse_star_named_expression(p)) == NULL || !push(p, e)) {
                p->top = from;
                return NULL;
            }
        }
    }
    if (!at(p, TOK_RSQB)) {
        p->top = from;
        return NULL;
    }
    advance(p);
    Expr *e = NODE(p, List, span(p, start));
    if (e == NULL || !TAKE(p, from, &e->List.elts))
        return NULL;
    e->List.ctx = CTX_Load;
    return e;
}

/* Pushes key (NULL for **) and value. */
static bool parse_dict_item(Parser *p) {
    Expr *k = NULL, *v;
    if (accept(p, TOK_DOUBLESTAR)) {
        v = parse_bitor(p);
    } else {
        k = parse_expression(p);
        if (k == NULL || !accept(p, TOK_COLON))
            return false;
        v = parse_expression(p);
    }
    return v != NULL && push(p, k) && push(p, v);
}

static Expr *finish_dict(Parser *p, AstPos start, size_t from) {
    while (accept(p, TOK_COMMA)) {
        if (at(p, TOK_RBRACE))
            break;
        if (!parse_dict_item(p)) {
            p->top = from;
            return NULL;
        }
    }
    if (!at(p, TOK_RBRACE)) {
        p->top = from;
        return NULL;
    }
    advance(p);
    Expr *e = NODE(p, Dict, span(p, start));
    int32_t n = (int32_t)((p->top - from) / 2);
    Expr **v = n > 0 ? arena_alloc(p->arena, (size_t)n * 2 * sizeof *v) : NULL;
    if (e == NULL || (n > 0 && v == NULL)) {
        p->top = from;
        return NULL;
    }
    for (int32_t i = 0; i < n; i++) {
        v[i] = p->stack[from + 2 * (size_t)i];
        v[n + i] = p->stack[from + 2 * (size_t)i + 1];
    }
    p->top = from;
    e->Dict.keys = (ExprSeq){v, n};
    e->Dict.values = (ExprSeq){n > 0 ? v + n : NULL, n};
    return e;
}

static Expr *bracket_brace(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    size_t from = p->top;
    if (at(p, TOK_RBRACE))
        return finish_dict(p, start, from);
    if (at(p, TOK_DOUBLESTAR)) {
        if (!parse_dict_item(p)) {
            p->top = from;
            return NULL;
        }
        return finish_dict(p, start, from);
    }
    Expr *e;
    if (at(p, TOK_STAR)) {
        e = parse_star_named_expression(p);
    } else {
        e = parse_named_expression(p);
        if (e != NULL && at(p, TOK_COLON) && (e->kind != EXPR_NamedExpr || e->paren)) {
            advance(p);
            Expr *v = parse_expression(p);
            if (v == NULL)
                return NULL;
            if (at_comprehension(p))
                return finish_comprehension(p, EXPR_DictComp, start, e, v, TOK_RBRACE);
            push(p, e);
            push(p, v);
            return finish_dict(p, start, from);
        }
    }
    if (e == NULL)
        return NULL;
    if (at_comprehension(p) && e->kind != EXPR_Starred)
        return finish_comprehension(p, EXPR_SetComp, start, e, NULL, TOK_RBRACE);
    push(p, e);
    while (accept(p, TOK_COMMA)) {
        if (at(p, TOK_RBRACE))
            break;
        if ((e = parse_star_named_expression(p)) == NULL || !push(p, e)) {
            p->top = from;
            return NULL;
        }
    }
    if (!at(p, TOK_RBRACE)) {
        p->top = from;
        return NULL;
    }
    advance(p);
    e = NODE(p, Set, span(p, start));
    return e != NULL && TAKE(p, from, &e->Set.elts) ? e : NULL;
}

/* A failed bracket fails again: remembered, because the same text is tried in several ways once something is wrong. */
static ALWAYS_INLINE uint8_t pass_bit(const Parser *p, bool trailer) {
    return (uint8_t)((p->diag ? 2 : 1) << (trailer ? 2 : 0));
}
static bool known_failure(Parser *p, size_t m, bool trailer) {
    return m < p->failed_cap && (p->failed[m] & pass_bit(p, trailer));
}
static void note_failure(Parser *p, size_t m, bool trailer) {
    if (m >= p->failed_cap) {
        size_t cap = m * 2 + 64;
        uint8_t *f = arena_zalloc(p->arena, cap);
        if (f == NULL)
            return;
        if (p->failed_cap > 0)
            memcpy(f, p->failed, p->failed_cap);
        p->failed = f;
        p->failed_cap = cap;
    }
    p->failed[m] |= pass_bit(p, trailer);
}

static Expr *parse_bracket(Parser *p) {
    int open = kind(p);
    size_t start = mark(p), top = p->top;
    if (UNLIKELY(p->failed_cap > 0) && known_failure(p, start, false))
        return NULL;
    if (!recursion_enter(" during compilation")) {
        p->lx->failed = true;
        return NULL;
    }
    Expr *e = open == TOK_LPAR ? bracket_paren(p) : open == TOK_LSQB ? bracket_list(p) : bracket_brace(p);
    if (UNLIKELY(e == NULL)) {
        p->top = top;
        if (open == TOK_LBRACE && !broken(p))
            invalid_dict(p, start);
        if (diagnosing(p))
            invalid_bracket(p, start, open);
        if (!broken(p))
            note_failure(p, start, false);
    }
    return e;
}

/* ---- atoms and primaries ---- */

static Expr *parse_atom(Parser *p) {
    Value v;
    switch (kind(p)) {
    case TOK_NAME:
        return take_name(p);
    case TOK_NUMBER:
        return parse_number(p);
    case TOK_STRING:
        return parse_strings(p);
    case TOK_LPAR:
    case TOK_LSQB:
    case TOK_LBRACE:
        return parse_bracket(p);
    case KW_None:
        v = V_NONE;
        break;
    case KW_True:
        v = V_TRUE;
        break;
    case KW_False:
        v = V_FALSE;
        break;
    case TOK_ELLIPSIS:
        v = V_ELLIPSIS;
        break;
    default:
        return NULL;
    }
    Expr *e = make_constant(p, p->t->pos, v);
    if (e != NULL)
        advance(p);
    return e;
}

static Expr *parse_slice(Parser *p) {
    AstPos start = p->t->pos;
    if (at(p, TOK_STAR)) {
        advance(p);
        return make_starred(p, parse_expression(p), start);
    }
    Expr *lower = NULL, *upper = NULL, *step = NULL;
    if (!at(p, TOK_COLON)) {
        lower = parse_named_expression(p);
        if (lower == NULL || !at(p, TOK_COLON) || (lower->kind == EXPR_NamedExpr && !lower->paren))
            return lower;
    }
    advance(p);
    if (starts_expression[kind(p)] && (upper = parse_expression(p)) == NULL)
        return NULL;
    if (accept(p, TOK_COLON) && starts_expression[kind(p)] && (step = parse_expression(p)) == NULL)
        return NULL;
    Expr *e = NODE(p, Slice, span(p, start));
    if (e == NULL)
        return NULL;
    e->Slice.lower = lower;
    e->Slice.upper = upper;
    e->Slice.step = step;
    return e;
}

static Expr *parse_slices(Parser *p) {
    AstPos start = p->t->pos;
    Expr *e = parse_slice(p);
    if (e == NULL || (!at(p, TOK_COMMA) && e->kind != EXPR_Starred))
        return e;
    size_t from = p->top;
    push(p, e);
    while (accept(p, TOK_COMMA)) {
        if (at(p, TOK_RSQB))
            break;
        if ((e = parse_slice(p)) == NULL || !push(p, e)) {
            p->top = from;
            return NULL;
        }
    }
    return make_tuple(p, from, span(p, start));
}

bool parse_call_arguments(Parser *p, ExprSeq *args, KeywordSeq *keywords, bool genexp) {
    size_t from = p->top, start = mark(p);
    size_t n_keywords = 0;
    bool unpacked = false; /* ** was seen */
    /* Keywords are kept apart behind the arena's list, so that both sequences stay in order. */
    AstKeyword **kw = NULL;
    size_t kw_cap = 0;
    while (!at(p, TOK_RPAR)) {
        AstPos pos = p->t->pos;
        Expr *e = NULL;
        AstKeyword *k = NULL;
        if (at(p, TOK_STAR)) {
            if (unpacked)
                goto fail;
            advance(p);
            e = make_starred(p, parse_expression(p), pos);
            if (e == NULL)
                goto fail;
        } else if (at(p, TOK_DOUBLESTAR)) {
            advance(p);
            e = parse_expression(p);
            if (e == NULL || (k = arena_alloc(p->arena, sizeof *k)) == NULL)
                goto fail;
            *k = (AstKeyword){span(p, pos), ABSENT, e};
            unpacked = true;
        } else {
            if (n_keywords > 0 && (!at(p, TOK_NAME) || peek(p)->kind != TOK_EQUAL))
                goto fail;
            e = parse_expression(p);
            if (e == NULL)
                goto fail;
            bool is_name = e->kind == EXPR_Name && !e->paren;
            if (at(p, TOK_EQUAL)) {
                if (!is_name)
                    goto fail;
                advance(p);
                Expr *v = parse_expression(p);
                if (v == NULL || (k = arena_alloc(p->arena, sizeof *k)) == NULL)
                    goto fail;
                *k = (AstKeyword){span(p, pos), e->Name.id, v};
                if (UNLIKELY(p->diag) && at_comprehension(p))
                    goto fail;
            } else {
                if (at(p, TOK_COLONEQUAL)) {
                    if (!is_name)
                        goto fail;
                    advance(p);
                    Expr *v = parse_expression(p), *n = NULL;
                    if (v == NULL || (n = NODE(p, NamedExpr, span(p, pos))) == NULL)
                        goto fail;
                    e->Name.ctx = CTX_Store;
                    n->NamedExpr.target = e;
                    n->NamedExpr.value = v;
                    e = n;
                }
                if (at(p, KW_for) || (p->top == from && n_keywords == 0 && at_comprehension(p))) {
                    /* f(x for x in y): the call's parentheses are the generator's. */
                    if (p->top != from || n_keywords > 0 || !genexp)
                        goto fail;
                    AstPos open = p->t[0].pos;
                    CompSeq gens;
                    if (!parse_for_clauses(p, &gens) || !at(p, TOK_RPAR))
                        goto fail;
                    (void)open;
                    Expr *g = NODE(p, GeneratorExp,
                                   ((AstPos){p->base[start - 1].pos.lineno, p->base[start - 1].pos.col,
                                             p->t->pos.end_lineno, p->t->pos.end_col}));
                    if (g == NULL)
                        goto fail;
                    g->GeneratorExp.elt = e;
                    g->GeneratorExp.generators = gens;
                    if (!push(p, g))
                        goto fail;
                    break;
                }
                if (n_keywords > 0)
                    goto fail;
            }
        }
        if (k != NULL) {
            if (n_keywords == kw_cap) {
                AstKeyword **bigger = arena_grow(p->arena, kw, kw_cap * sizeof *kw, (kw_cap * 2 + 4) * sizeof *kw);
                if (bigger == NULL)
                    goto fail;
                kw = bigger;
                kw_cap = kw_cap * 2 + 4;
            }
            kw[n_keywords++] = k;
        } else if (!push(p, e)) {
            goto fail;
        }
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (!at(p, TOK_RPAR))
        goto fail;
    advance(p);
    keywords->v = kw;
    keywords->n = (int32_t)n_keywords;
    return TAKE(p, from, args);
fail:
    p->top = from;
    if (diagnosing(p))
        invalid_arguments(p, start);
    return false;
}

/* The trailers give up what does not parse: the expression ends before it, as in a grammar with ordered choice. */
static Expr *parse_call(Parser *p, Expr *func, AstPos start) {
    advance(p);
    ExprSeq args = {NULL, 0};
    KeywordSeq keywords = {NULL, 0};
    if (at(p, TOK_RPAR))
        advance(p);
    else if (!parse_call_arguments(p, &args, &keywords, true))
        return NULL;
    Expr *e = NODE(p, Call, span(p, start));
    if (e == NULL)
        return NULL;
    e->Call.func = func;
    e->Call.args = args;
    e->Call.keywords = keywords;
    return e;
}

static Expr *parse_attribute(Parser *p, Expr *value, AstPos start) {
    advance(p);
    if (!at(p, TOK_NAME))
        return NULL;
    Value attr = p->t->name;
    advance(p);
    Expr *e = NODE(p, Attribute, span(p, start));
    if (e == NULL)
        return NULL;
    e->Attribute.value = value;
    e->Attribute.attr = attr;
    e->Attribute.ctx = CTX_Load;
    return e;
}

static Expr *parse_subscript(Parser *p, Expr *value, AstPos start) {
    advance(p);
    Expr *slice = parse_slices(p);
    if (slice == NULL || !at(p, TOK_RSQB))
        return NULL;
    advance(p);
    Expr *e = NODE(p, Subscript, span(p, start));
    if (e == NULL)
        return NULL;
    e->Subscript.value = value;
    e->Subscript.slice = slice;
    e->Subscript.ctx = CTX_Load;
    return e;
}

static Expr *parse_trailers(Parser *p, Expr *e, AstPos start) {
    for (;;) {
        int k = kind(p);
        Expr *longer;
        size_t m = mark(p);
        if (UNLIKELY(p->diag) && (k == TOK_LPAR || k == TOK_LSQB || k == TOK_LBRACE) && diagnosing(p)) {
            /* CPython's grammar looks for a generator expression, or what was meant to be one, behind every primary. */
            size_t top = p->top;
            if (k == TOK_LPAR) {
                advance(p);
                if (starts_expression[kind(p)] && parse_expression(p) != NULL && at_comprehension(p)) {
                    CompSeq ignored;
                    parse_for_clauses(p, &ignored);
                }
            }
            if (!broken(p))
                invalid_comprehension(p, m, k == TOK_LPAR);
            if (broken(p))
                return NULL;
            p->top = top;
            reset(p, m);
        }
        if (k == TOK_DOT) {
            longer = parse_attribute(p, e, start);
        } else if (k == TOK_LPAR || k == TOK_LSQB) {
            if (UNLIKELY(p->failed_cap > 0) && known_failure(p, m, true))
                return e;
            if (!recursion_enter(" during compilation")) {
                p->lx->failed = true;
                return NULL;
            }
            longer = k == TOK_LPAR ? parse_call(p, e, start) : parse_subscript(p, e, start);
            if (UNLIKELY(longer == NULL) && !broken(p))
                note_failure(p, m, true);
        } else {
            return e;
        }
        if (UNLIKELY(longer == NULL)) {
            if (broken(p))
                return NULL;
            reset(p, m);
            return e;
        }
        e = longer;
    }
}

Expr *parse_primary(Parser *p) {
    AstPos start = p->t->pos;
    Expr *e = parse_atom(p);
    return LIKELY(e != NULL) ? parse_trailers(p, e, start) : NULL;
}

/* ---- memory of the second pass ---- */

/* There the same expression is tried in many ways: results are kept by token, so that time stays linear. As in CPython
 * it does not matter whether it was looking for errors when it parsed the expression first. */
typedef struct ExprMemo {
    Expr *e;
    uint32_t end;
    bool known;
} ExprMemo;

static COLD Expr *memoized(Parser *p, int which, Expr *(*parse)(Parser *)) {
    size_t m = mark(p);
    if (m < p->memo_cap[which] && p->memo[which][m].known) {
        if (p->memo[which][m].e != NULL)
            reset(p, p->memo[which][m].end);
        return p->memo[which][m].e;
    }
    Expr *e = parse(p);
    if (broken(p))
        return NULL;
    if (m >= p->memo_cap[which]) {
        size_t cap = m * 2 + 256;
        ExprMemo *bigger = arena_zalloc(p->arena, cap * sizeof *bigger);
        if (bigger == NULL) {
            p->lx->failed = true;
            return NULL;
        }
        if (p->memo_cap[which] > 0)
            memcpy(bigger, p->memo[which], p->memo_cap[which] * sizeof *bigger);
        p->memo[which] = bigger;
        p->memo_cap[which] = cap;
    }
    p->memo[which][m] = (ExprMemo){e, (uint32_t)mark(p), true};
    return e;
}

/* ---- operators ---- */

static const uint8_t unary_op[TOK_KIND_END] = {
    [TOK_PLUS] = UNARYOP_UAdd, [TOK_MINUS] = UNARYOP_USub, [TOK_TILDE] = UNARYOP_Invert, [KW_not] = UNARYOP_Not};

static Expr *parse_factor(Parser *p) {
    AstPos start = p->t->pos;
    int k = kind(p);
    int op = unary_op[k];
    if (UNLIKELY(op != 0)) {
        if (op == UNARYOP_Not)
            return NULL;
        if (!recursion_enter(" during compilation")) {
            p->lx->failed = true;
            return NULL;
        }
        advance(p);
        Expr *operand = parse_factor(p);
        Expr *e = operand != NULL ? NODE(p, UnaryOp, span(p, start)) : NULL;
        if (e == NULL)
            return NULL;
        e->UnaryOp.op = op;
        e->UnaryOp.operand = operand;
        return e;
    }
    Expr *left;
    if (UNLIKELY(k == KW_await)) {
        advance(p);
        Expr *v = parse_primary(p);
        left = v != NULL ? NODE(p, Await, span(p, start)) : NULL;
        if (left == NULL)
            return NULL;
        left->Await.value = v;
    } else {
        left = parse_primary(p);
        if (UNLIKELY(left == NULL))
            return NULL;
    }
    if (LIKELY(!at(p, TOK_DOUBLESTAR)))
        return left;
    if (!recursion_enter(" during compilation")) {
        p->lx->failed = true;
        return NULL;
    }
    size_t m = mark(p);
    advance(p);
    Expr *right = parse_factor(p);
    if (UNLIKELY(right == NULL)) {
        if (broken(p))
            return NULL;
        reset(p, m);
        return left;
    }
    Expr *e = NODE(p, BinOp, span(p, start));
    if (e == NULL)
        return NULL;
    e->BinOp.op = BINOP_Pow;
    e->BinOp.left = left;
    e->BinOp.right = right;
    return e;
}

/* a < b < c: left is there, the operator is current. */
static Expr *parse_comparison(Parser *p, Expr *left, AstPos start) {
    uint8_t small[32], *ops = small;
    size_t n = 0, cap = sizeof small, from = p->top;
    do {
        int k = kind(p), op = infix_op[k];
        size_t m = mark(p);
        bool ok = true;
        if (k == KW_not) {
            advance(p);
            ok = at(p, KW_in);
        } else if (k == TOK_NOTEQUAL) {
            bool ltgt = p->lx->src[p->t->start] == '<';
            ok = ltgt == ((p->flags & PARSE_BARRY_AS_BDFL) != 0);
            if (!ok && !ltgt)
                raise_last(p, &exc_SyntaxError, "with Barry as BDFL, use '<>' instead of '!='");
        }
        Expr *right = NULL;
        if (ok) {
            advance(p);
            if (k == KW_is && accept(p, KW_not))
                op = CMPOP_IsNot;
            right = parse_operators(p, PREC_BITOR);
        }
        if (UNLIKELY(right == NULL)) {
            if (broken(p))
                goto fail;
            reset(p, m);
            break;
        }
        if (n == cap) {
            uint8_t *bigger = arena_alloc(p->arena, cap * 2);
            if (bigger == NULL)
                goto fail;
            memcpy(bigger, ops, cap);
            ops = bigger;
            cap *= 2;
        }
        ops[n++] = (uint8_t)op;
        if (!push(p, right))
            goto fail;
    } while (infix_prec[kind(p)] == PREC_CMP);
    if (n == 0)
        return left;
    Expr *e = NODE(p, Compare, span(p, start));
    uint8_t *kept = arena_alloc(p->arena, n);
    if (e == NULL || kept == NULL)
        goto fail;
    memcpy(kept, ops, n);
    e->Compare.left = left;
    e->Compare.ops = (CmpSeq){kept, (int32_t)n};
    return TAKE(p, from, &e->Compare.comparators) ? e : NULL;
fail:
    p->top = from;
    return NULL;
}

Expr *parse_operators(Parser *p, int min_prec) {
    AstPos start = p->t->pos;
    Expr *left;
    if (UNLIKELY(at(p, KW_not))) {
        if (min_prec > PREC_NOT)
            return NULL;
        if (!recursion_enter(" during compilation")) {
            p->lx->failed = true;
            return NULL;
        }
        advance(p);
        Expr *operand = parse_operators(p, PREC_NOT);
        left = operand != NULL ? NODE(p, UnaryOp, span(p, start)) : NULL;
        if (left == NULL)
            return NULL;
        left->UnaryOp.op = UNARYOP_Not;
        left->UnaryOp.operand = operand;
    } else {
        left = parse_factor(p);
        if (UNLIKELY(left == NULL))
            return NULL;
    }
    for (;;) {
        int k = kind(p), prec = infix_prec[k];
        if (LIKELY(prec < min_prec) || prec == 0)
            return left;
        size_t m = mark(p);
        if (prec >= PREC_BITOR) {
            advance(p);
            Expr *right = parse_operators(p, prec + 1);
            if (UNLIKELY(right == NULL)) {
                if (broken(p))
                    return NULL;
                reset(p, m);
                return left;
            }
            Expr *e = NODE(p, BinOp, span(p, start));
            if (e == NULL)
                return NULL;
            e->BinOp.op = infix_op[k];
            e->BinOp.left = left;
            e->BinOp.right = right;
            left = e;
        } else if (prec == PREC_CMP) {
            Expr *e = parse_comparison(p, left, start);
            if (e == NULL || e == left)
                return e;
            left = e;
        } else {
            size_t from = p->top;
            push(p, left);
            do {
                m = mark(p);
                advance(p);
                Expr *right = parse_operators(p, prec + 1);
                if (right == NULL || !push(p, right)) {
                    if (broken(p)) {
                        p->top = from;
                        return NULL;
                    }
                    reset(p, m);
                    break;
                }
            } while (at(p, k));
            if (p->top == from + 1) {
                p->top = from;
                return left;
            }
            Expr *e = NODE(p, BoolOp, span(p, start));
            if (e == NULL || !TAKE(p, from, &e->BoolOp.values))
                return NULL;
            e->BoolOp.op = k == KW_and ? BOOLOP_And : BOOLOP_Or;
            left = e;
            if (UNLIKELY(at(p, k)))
                return left; /* the rest did not parse */
        }
    }
}

static Expr *disjunction_body(Parser *p) {
    return parse_operators(p, PREC_OR);
}

Expr *parse_disjunction(Parser *p) {
    return UNLIKELY(p->diag) ? memoized(p, 0, disjunction_body) : parse_operators(p, PREC_OR);
}

/* ---- expressions ---- */

static Expr *parse_lambda(Parser *p) {
    AstPos start = p->t->pos;
    if (!recursion_enter(" during compilation")) {
        p->lx->failed = true;
        return NULL;
    }
    advance(p);
    AstArguments *args = parse_parameters(p, true);
    if (args == NULL || !at(p, TOK_COLON))
        return NULL;
    advance(p);
    Expr *body = parse_expression(p);
    Expr *e = body != NULL ? NODE(p, Lambda, span(p, start)) : NULL;
    if (e == NULL)
        return NULL;
    e->Lambda.args = args;
    e->Lambda.body = body;
    return e;
}

static Expr *expression_body(Parser *p) {
    if (UNLIKELY(at(p, KW_lambda)))
        return parse_lambda(p);
    AstPos start = p->t->pos;
    size_t m = mark(p);
    Expr *body = parse_disjunction(p);
    if (body == NULL)
        return NULL;
    if (diagnosing(p) && invalid_comma(p, body, m))
        return NULL;
    if (LIKELY(!at(p, KW_if)))
        return body;
    if (!recursion_enter(" during compilation")) {
        p->lx->failed = true;
        return NULL;
    }
    size_t end = mark(p);
    advance(p);
    Expr *test = parse_disjunction(p), *orelse = NULL;
    if (test != NULL) {
        if (diagnosing(p) && !at(p, KW_else) && !at(p, TOK_COLON))
            return raise_at(p, span2(body->pos, test->pos), "expected 'else' after 'if' expression");
        if (accept(p, KW_else))
            orelse = parse_expression(p);
    }
    if (UNLIKELY(orelse == NULL)) {
        if (broken(p))
            return NULL;
        reset(p, end);
        return body;
    }
    Expr *e = NODE(p, IfExp, span(p, start));
    if (e == NULL)
        return NULL;
    e->IfExp.test = test;
    e->IfExp.body = body;
    e->IfExp.orelse = orelse;
    return e;
}

Expr *parse_expression(Parser *p) {
    return UNLIKELY(p->diag) ? memoized(p, 1, expression_body) : expression_body(p);
}

Expr *parse_expression_quiet(Parser *p) {
    bool old = p->quiet_diag;
    p->quiet_diag = true;
    Expr *e = expression_body(p);
    p->quiet_diag = old;
    return e;
}

Expr *parse_named_expression(Parser *p) {
    size_t m = mark(p);
    AstPos start = p->t->pos;
    Expr *e = parse_expression(p);
    if (UNLIKELY(e == NULL))
        return NULL;
    if (UNLIKELY(at(p, TOK_COLONEQUAL)) && e->kind == EXPR_Name && !e->paren) {
        advance(p);
        Expr *v = parse_expression(p);
        Expr *n = v != NULL ? NODE(p, NamedExpr, span(p, start)) : NULL;
        if (n == NULL)
            return NULL;
        e->Name.ctx = CTX_Store;
        n->NamedExpr.target = e;
        n->NamedExpr.value = v;
        return n;
    }
    if (diagnosing(p) && (at(p, TOK_COLONEQUAL) || at(p, TOK_EQUAL))) {
        size_t end = mark(p);
        invalid_named(p, e, m);
        if (broken(p))
            return NULL;
        reset(p, end);
    }
    /* A named expression is not followed by ":=". */
    return at(p, TOK_COLONEQUAL) ? NULL : e;
}

Expr *parse_star_named_expression(Parser *p) {
    if (UNLIKELY(at(p, TOK_STAR))) {
        AstPos start = p->t->pos;
        advance(p);
        return make_starred(p, parse_bitor(p), start);
    }
    return parse_named_expression(p);
}

Expr *parse_star_expression(Parser *p) {
    if (UNLIKELY(at(p, TOK_STAR))) {
        AstPos start = p->t->pos;
        advance(p);
        return make_starred(p, parse_bitor(p), start);
    }
    return parse_expression(p);
}

static Expr *parse_list(Parser *p, Expr *(*item)(Parser *), bool star) {
    AstPos start = p->t->pos;
    Expr *e = item(p);
    if (e == NULL || LIKELY(!at(p, TOK_COMMA)))
        return e;
    size_t from = p->top;
    push(p, e);
    while (accept(p, TOK_COMMA)) {
        if (!starts_expression[kind(p)] && !(star && at(p, TOK_STAR)))
            break;
        size_t m = mark(p);
        if (UNLIKELY((e = item(p)) == NULL)) {
            if (broken(p)) {
                p->top = from;
                return NULL;
            }
            reset(p, m); /* the comma before it was the last */
            break;
        }
        if (!push(p, e)) {
            p->top = from;
            return NULL;
        }
    }
    return make_tuple(p, from, span(p, start));
}

Expr *parse_star_expressions(Parser *p) {
    return parse_list(p, parse_star_expression, true);
}
Expr *parse_expressions(Parser *p) {
    return parse_list(p, parse_expression, false);
}

Expr *parse_yield(Parser *p) {
    AstPos start = p->t->pos;
    advance(p);
    Expr *v = NULL, *e;
    if (accept(p, KW_from)) {
        v = parse_expression(p);
        e = v != NULL ? NODE(p, YieldFrom, span(p, start)) : NULL;
    } else {
        if ((starts_expression[kind(p)] || at(p, TOK_STAR)) && (v = parse_star_expressions(p)) == NULL)
            return NULL;
        e = NODE(p, Yield, span(p, start));
    }
    if (e != NULL)
        e->Yield.value = v;
    return e;
}

Expr *parse_yield_or_star_expressions(Parser *p) {
    return at(p, KW_yield) ? parse_yield(p) : parse_star_expressions(p);
}

/* ---- parameters ---- */

static AstArg *parse_parameter(Parser *p, bool lambda, bool star_annotation) {
    if (!at(p, TOK_NAME))
        return NULL;
    AstPos start = p->t->pos;
    AstArg *a = arena_zalloc(p->arena, sizeof *a);
    if (a == NULL)
        return NULL;
    a->arg = p->t->name;
    advance(p);
    if (!lambda && accept(p, TOK_COLON)) {
        a->annotation = star_annotation ? parse_star_expression(p) : parse_expression(p);
        if (a->annotation == NULL)
            return NULL;
    }
    a->pos = span(p, start);
    return a;
}

AstArguments *parse_parameters(Parser *p, bool lambda) {
    int close = lambda ? TOK_COLON : TOK_RPAR;
    size_t from = p->top, m = mark(p);
    AstArguments *a = arena_zalloc(p->arena, sizeof *a);
    if (a == NULL)
        return NULL;
    /* Parameters and defaults in turn on the stack. */
    size_t n = 0, n_posonly = 0;
    bool slash = false, star = false, any_default = false;
    while (!at(p, close)) {
        if (at(p, TOK_SLASH)) {
            if (slash || star || n == 0)
                goto fail;
            slash = true;
            n_posonly = n;
            advance(p);
        } else if (at(p, TOK_STAR)) {
            if (star)
                goto fail;
            advance(p);
            star = true;
            /* what came before are the positional ones */
            int32_t n_args = (int32_t)(n - n_posonly);
            Expr **defaults = arena_alloc(p->arena, (n + 1) * sizeof *defaults);
            AstArg **names = arena_alloc(p->arena, (n + 1) * sizeof *names);
            if (defaults == NULL || names == NULL)
                goto fail;
            int32_t nd = 0;
            for (size_t i = 0; i < n; i++) {
                names[i] = p->stack[from + 2 * i];
                if (p->stack[from + 2 * i + 1] != NULL)
                    defaults[nd++] = p->stack[from + 2 * i + 1];
            }
            a->posonlyargs = (ArgSeq){names, (int32_t)n_posonly};
            a->args = (ArgSeq){names + n_posonly, n_args};
            a->defaults = (ExprSeq){defaults, nd};
            p->top = from;
            n = 0;
            if (at(p, TOK_COMMA)) {
                advance(p);
                if (!at(p, TOK_NAME))
                    goto fail; /* named arguments must follow bare * */
                continue;
            }
            a->vararg = parse_parameter(p, lambda, true);
            if (a->vararg == NULL)
                goto fail;
        } else if (at(p, TOK_DOUBLESTAR)) {
            advance(p);
            a->kwarg = parse_parameter(p, lambda, false);
            if (a->kwarg == NULL)
                goto fail;
            accept(p, TOK_COMMA);
            break;
        } else {
            AstArg *arg = parse_parameter(p, lambda, false);
            if (arg == NULL)
                goto fail;
            Expr *dflt = NULL;
            if (accept(p, TOK_EQUAL)) {
                if (diagnosing(p) && (at(p, TOK_COMMA) || at(p, close)) && !lambda)
                    return raise_at(p, p->t[-1].pos, "expected default value expression");
                if (diagnosing(p) && (at(p, TOK_COMMA) || at(p, TOK_RPAR)) && lambda)
                    return raise_at(p, p->t[-1].pos, "expected default value expression");
                dflt = parse_expression(p);
                if (dflt == NULL)
                    goto fail;
            }
            if (!star) {
                if (dflt == NULL && any_default)
                    goto fail;
                any_default |= dflt != NULL;
            }
            if (!push(p, arg) || !push(p, dflt))
                goto fail;
            n++;
        }
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (!at(p, close))
        goto fail;
    if (n > 0) {
        AstArg **names = arena_alloc(p->arena, n * sizeof *names);
        Expr **defaults = arena_alloc(p->arena, n * sizeof *defaults);
        if (names == NULL || defaults == NULL)
            goto fail;
        int32_t nd = 0;
        for (size_t i = 0; i < n; i++) {
            names[i] = p->stack[from + 2 * i];
            Expr *d = p->stack[from + 2 * i + 1];
            if (star || d != NULL)
                defaults[nd++] = d;
        }
        if (star) {
            a->kwonlyargs = (ArgSeq){names, (int32_t)n};
            a->kw_defaults = (ExprSeq){defaults, (int32_t)n};
        } else {
            a->posonlyargs = (ArgSeq){names, (int32_t)n_posonly};
            a->args = (ArgSeq){names + n_posonly, (int32_t)(n - n_posonly)};
            a->defaults = (ExprSeq){defaults, nd};
        }
    }
    p->top = from;
    return a;
fail:
    p->top = from;
    if (diagnosing(p))
        invalid_parameters(p, m, lambda);
    return NULL;
}

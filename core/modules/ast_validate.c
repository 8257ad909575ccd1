/* What the parser guarantees and a tree made by hand may break. */
#include "modules/ast_schema.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

static bool expr_ok(Expr *e, ExprCtx ctx);
static bool stmts_ok(StmtSeq s);
static bool pattern_ok(Pattern *p, bool star);

static COLD bool value_error(const char *fmt, const char *what) {
    err_set(&exc_ValueError, fmt, what);
    return false;
}

static bool position_ok(AstPos p) {
    if (p.lineno > p.end_lineno) {
        err_set(&exc_ValueError, "AST node line range (%d, %d) is not valid", p.lineno, p.end_lineno);
        return false;
    }
    if ((p.lineno < 0 && p.end_lineno != p.lineno) || (p.col < 0 && p.col != p.end_col)) {
        err_set(&exc_ValueError, "AST node column range (%d, %d) for line range (%d, %d) is not valid", p.col,
                p.end_col, p.lineno, p.end_lineno);
        return false;
    }
    if (p.lineno == p.end_lineno && p.col > p.end_col) {
        err_set(&exc_ValueError, "line %d, column %d-%d is not a valid range", p.lineno, p.col, p.end_col);
        return false;
    }
    return true;
}

static bool name_ok(Value name) {
    static const char *const forbidden[] = {"None", "True", "False"};
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
        if (str_equal_c(name, forbidden[i]))
            return value_error("identifier field can't represent '%s' constant", forbidden[i]);
    return true;
}

static bool constant_ok(Value v) {
    if (v == V_NONE || v == V_ELLIPSIS || v_is_bool(v) || v_is_int(v) || v_is_flo(v))
        return true;
    if (v == ABSENT)
        return value_error("%s", "field 'value' is required for Constant");
    if (v_is_exact(v, IDX_INT) || v_is_exact(v, IDX_FLOAT) || v_is_exact(v, IDX_COMPLEX) || v_is_exact(v, IDX_STR) ||
        v_is_exact(v, IDX_BYTES))
        return true;
    if (v_is_exact(v, IDX_TUPLE) || v_is_exact(v, IDX_FROZENSET)) {
        if (!recursion_enter(" during compilation"))
            return false;
        Value it = obj_iter(v);
        if (it == ABSENT)
            return false;
        Value x;
        bool ok = true;
        while (ok && (x = obj_next(it)) != ABSENT) {
            ok = constant_ok(x);
            release(x);
        }
        release(it);
        return ok && !err_pending();
    }
    err_set(&exc_TypeError, "got an invalid type in Constant: %T", v);
    return false;
}

static bool exprs_ok(ExprSeq s, ExprCtx ctx, bool null_ok) {
    for (int32_t i = 0; i < s.n; i++) {
        if (s.v[i] == NULL) {
            if (null_ok)
                continue;
            return value_error("%s", "None disallowed in expression list");
        }
        if (!expr_ok(s.v[i], ctx))
            return false;
    }
    return true;
}

static bool not_empty(int32_t n, const char *what, const char *owner) {
    if (n > 0)
        return true;
    err_set(&exc_ValueError, "empty %s on %s", what, owner);
    return false;
}

static bool opt_ok(Expr *e) {
    return e == NULL || expr_ok(e, CTX_Load);
}

static bool args_ok(ArgSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (s.v[i] == NULL || !position_ok(s.v[i]->pos) || !opt_ok(s.v[i]->annotation))
            return false;
    return true;
}

static bool arguments_ok(AstArguments *a) {
    if (!args_ok(a->posonlyargs) || !args_ok(a->args) || (a->vararg != NULL && !opt_ok(a->vararg->annotation)) ||
        !args_ok(a->kwonlyargs) || (a->kwarg != NULL && !opt_ok(a->kwarg->annotation)))
        return false;
    if (a->defaults.n > a->posonlyargs.n + a->args.n)
        return value_error("%s", "more positional defaults than args on arguments");
    if (a->kw_defaults.n != a->kwonlyargs.n)
        return value_error("%s", "length of kwonlyargs is not the same as kw_defaults on arguments");
    return exprs_ok(a->defaults, CTX_Load, false) && exprs_ok(a->kw_defaults, CTX_Load, true);
}

static bool keywords_ok(KeywordSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (!expr_ok(s.v[i]->value, CTX_Load))
            return false;
    return true;
}

static bool comps_ok(CompSeq s) {
    if (s.n == 0)
        return value_error("%s", "comprehension with no generators");
    for (int32_t i = 0; i < s.n; i++)
        if (!expr_ok(s.v[i]->target, CTX_Store) || !expr_ok(s.v[i]->iter, CTX_Load) ||
            !exprs_ok(s.v[i]->ifs, CTX_Load, false))
            return false;
    return true;
}

static const char *ctx_name(ExprCtx c) {
    return c == CTX_Load ? "Load" : c == CTX_Store ? "Store" : "Del";
}

static bool expr_body_ok(Expr *e, ExprCtx ctx) {
    ExprCtx actual = CTX_Load;
    switch (e->kind) {
    case EXPR_Attribute:
        actual = e->Attribute.ctx;
        break;
    case EXPR_Subscript:
        actual = e->Subscript.ctx;
        break;
    case EXPR_Starred:
        actual = e->Starred.ctx;
        break;
    case EXPR_Name:
        if (!name_ok(e->Name.id))
            return false;
        actual = e->Name.ctx;
        break;
    case EXPR_List:
    case EXPR_Tuple:
        actual = e->List.ctx;
        break;
    default:
        if (ctx != CTX_Load) {
            err_set(&exc_ValueError, "expression which can't be assigned to in %s context", ctx_name(ctx));
            return false;
        }
    }
    if (actual != ctx) {
        err_set(&exc_ValueError, "expression must have %s context but has %s instead", ctx_name(ctx), ctx_name(actual));
        return false;
    }
    switch (e->kind) {
    case EXPR_BoolOp:
        if (e->BoolOp.values.n < 2)
            return value_error("%s", "BoolOp with less than 2 values");
        return exprs_ok(e->BoolOp.values, CTX_Load, false);
    case EXPR_BinOp:
        return expr_ok(e->BinOp.left, CTX_Load) && expr_ok(e->BinOp.right, CTX_Load);
    case EXPR_UnaryOp:
        return expr_ok(e->UnaryOp.operand, CTX_Load);
    case EXPR_Lambda:
        return arguments_ok(e->Lambda.args) && expr_ok(e->Lambda.body, CTX_Load);
    case EXPR_IfExp:
        return expr_ok(e->IfExp.test, CTX_Load) && expr_ok(e->IfExp.body, CTX_Load) &&
               expr_ok(e->IfExp.orelse, CTX_Load);
    case EXPR_Dict:
        if (e->Dict.keys.n != e->Dict.values.n)
            return value_error("%s", "Dict doesn't have the same number of keys as values");
        return exprs_ok(e->Dict.keys, CTX_Load, true) && exprs_ok(e->Dict.values, CTX_Load, false);
    case EXPR_Set:
        return exprs_ok(e->Set.elts, CTX_Load, false);
    case EXPR_ListComp:
    case EXPR_SetComp:
    case EXPR_GeneratorExp:
        return comps_ok(e->ListComp.generators) && expr_ok(e->ListComp.elt, CTX_Load);
    case EXPR_DictComp:
        return comps_ok(e->DictComp.generators) && expr_ok(e->DictComp.key, CTX_Load) &&
               expr_ok(e->DictComp.value, CTX_Load);
    case EXPR_Yield:
        return opt_ok(e->Yield.value);
    case EXPR_YieldFrom:
    case EXPR_Await:
        return expr_ok(e->Await.value, CTX_Load);
    case EXPR_Compare:
        if (e->Compare.comparators.n == 0)
            return value_error("%s", "Compare with no comparators");
        if (e->Compare.comparators.n != e->Compare.ops.n)
            return value_error("%s", "Compare has a different number of comparators and operands");
        return exprs_ok(e->Compare.comparators, CTX_Load, false) && expr_ok(e->Compare.left, CTX_Load);
    case EXPR_Call:
        return expr_ok(e->Call.func, CTX_Load) && exprs_ok(e->Call.args, CTX_Load, false) &&
               keywords_ok(e->Call.keywords);
    case EXPR_Constant:
        return constant_ok(e->Constant.value);
    case EXPR_JoinedStr:
        return exprs_ok(e->JoinedStr.values, CTX_Load, false);
    case EXPR_FormattedValue:
        return expr_ok(e->FormattedValue.value, CTX_Load) && opt_ok(e->FormattedValue.format_spec);
    case EXPR_Attribute:
        return expr_ok(e->Attribute.value, CTX_Load);
    case EXPR_Subscript:
        return expr_ok(e->Subscript.slice, CTX_Load) && expr_ok(e->Subscript.value, CTX_Load);
    case EXPR_Starred:
        return expr_ok(e->Starred.value, ctx);
    case EXPR_Slice:
        return opt_ok(e->Slice.lower) && opt_ok(e->Slice.upper) && opt_ok(e->Slice.step);
    case EXPR_List:
    case EXPR_Tuple:
        return exprs_ok(e->List.elts, ctx, false);
    case EXPR_NamedExpr:
        if (e->NamedExpr.target->kind != EXPR_Name) {
            err_set(&exc_TypeError, "NamedExpr target must be a Name");
            return false;
        }
        return expr_ok(e->NamedExpr.value, CTX_Load);
    default:
        return true;
    }
}

static bool expr_ok(Expr *e, ExprCtx ctx) {
    return position_ok(e->pos) && recursion_enter(" during compilation") && expr_body_ok(e, ctx);
}

/* ---- patterns ---- */

static bool patterns_ok(PatternSeq s, bool star) {
    for (int32_t i = 0; i < s.n; i++)
        if (s.v[i] == NULL)
            return value_error("%s", "None disallowed in pattern list");
        else if (!pattern_ok(s.v[i], star))
            return false;
    return true;
}

static bool capture_ok(Value name) {
    if (str_equal_c(name, "_"))
        return value_error("%s", "can't capture name '_' in patterns");
    return name_ok(name);
}

static bool match_value_ok(Expr *e) {
    if (!expr_ok(e, CTX_Load))
        return false;
    switch (e->kind) {
    case EXPR_Constant: {
        Value v = e->Constant.value;
        if (v_is_bool(v) || v == V_NONE || v == V_ELLIPSIS ||
            !(v_is_integer(v) || v_is_floating(v) || v_is_str(v) || v_is_bytes(v) || v_is_exact(v, IDX_COMPLEX)))
            return value_error("%s", "unexpected constant inside of a literal pattern");
        return true;
    }
    case EXPR_Attribute:
    case EXPR_JoinedStr:
        return true;
    case EXPR_UnaryOp:
        if (e->UnaryOp.op == UNARYOP_USub && e->UnaryOp.operand->kind == EXPR_Constant)
            return true;
        break;
    case EXPR_BinOp:
        if ((e->BinOp.op == BINOP_Add || e->BinOp.op == BINOP_Sub) && e->BinOp.right->kind == EXPR_Constant)
            return true;
        break;
    default:
        break;
    }
    return value_error("%s", "patterns may only match literals and attribute lookups");
}

static bool pattern_ok(Pattern *p, bool star) {
    if (!position_ok(p->pos) || !recursion_enter(" during compilation"))
        return false;
    switch (p->kind) {
    case PATTERN_MatchValue:
        return match_value_ok(p->MatchValue.value);
    case PATTERN_MatchSingleton:
        if (p->MatchSingleton.value != V_NONE && !v_is_bool(p->MatchSingleton.value))
            return value_error("%s", "MatchSingleton can only contain True, False and None");
        return true;
    case PATTERN_MatchSequence:
        return patterns_ok(p->MatchSequence.patterns, true);
    case PATTERN_MatchMapping:
        if (p->MatchMapping.keys.n != p->MatchMapping.patterns.n)
            return value_error("%s", "MatchMapping doesn't have the same number of keys as patterns");
        if (p->MatchMapping.rest != ABSENT && !capture_ok(p->MatchMapping.rest))
            return false;
        for (int32_t i = 0; i < p->MatchMapping.keys.n; i++) {
            Expr *k = p->MatchMapping.keys.v[i];
            if (k == NULL)
                return value_error("%s", "None disallowed in expression list");
            if (k->kind == EXPR_Constant && (k->Constant.value == V_NONE || v_is_bool(k->Constant.value)))
                continue;
            if (!match_value_ok(k))
                return false;
        }
        return patterns_ok(p->MatchMapping.patterns, false);
    case PATTERN_MatchClass: {
        if (p->MatchClass.kwd_attrs.n != p->MatchClass.kwd_patterns.n)
            return value_error("%s", "MatchClass doesn't have the same number of keyword attributes as patterns");
        if (!expr_ok(p->MatchClass.cls, CTX_Load))
            return false;
        Expr *c = p->MatchClass.cls;
        while (c->kind == EXPR_Attribute)
            c = c->Attribute.value;
        if (c->kind != EXPR_Name)
            return value_error("%s", "MatchClass cls field can only contain Name or Attribute nodes.");
        for (int32_t i = 0; i < p->MatchClass.kwd_attrs.n; i++)
            if (!name_ok(p->MatchClass.kwd_attrs.v[i]))
                return false;
        return patterns_ok(p->MatchClass.patterns, false) && patterns_ok(p->MatchClass.kwd_patterns, false);
    }
    case PATTERN_MatchStar:
        if (!star)
            return value_error("%s", "can't use MatchStar here");
        return p->MatchStar.name == ABSENT || capture_ok(p->MatchStar.name);
    case PATTERN_MatchAs:
        if (p->MatchAs.name != ABSENT && !capture_ok(p->MatchAs.name))
            return false;
        if (p->MatchAs.pattern == NULL)
            return true;
        if (p->MatchAs.name == ABSENT)
            return value_error("%s", "MatchAs must specify a target name if a pattern is given");
        return pattern_ok(p->MatchAs.pattern, false);
    case PATTERN_MatchOr:
        if (p->MatchOr.patterns.n < 2)
            return value_error("%s", "MatchOr requires at least 2 patterns");
        return patterns_ok(p->MatchOr.patterns, false);
    default:
        return true;
    }
}

/* ---- statements ---- */

static bool body_ok(StmtSeq s, const char *owner) {
    return not_empty(s.n, "body", owner) && stmts_ok(s);
}

static bool try_ok(Stmt *s, const char *name) {
    if (!body_ok(s->Try.body, name))
        return false;
    if (s->Try.handlers.n == 0 && s->Try.finalbody.n == 0)
        return value_error("%s has neither except handlers nor finalbody", name);
    if (s->Try.handlers.n == 0 && s->Try.orelse.n > 0)
        return value_error("%s has orelse but no except handlers", name);
    for (int32_t i = 0; i < s->Try.handlers.n; i++) {
        AstHandler *h = s->Try.handlers.v[i];
        if (h == NULL)
            return value_error("%s", "None disallowed in except handler list");
        if (!position_ok(h->pos) || !opt_ok(h->type) || !body_ok(h->body, "ExceptHandler"))
            return false;
    }
    return stmts_ok(s->Try.finalbody) && stmts_ok(s->Try.orelse);
}

static bool stmt_ok(Stmt *s) {
    const char *name = stmt_kind_names[s->kind];
    if (!position_ok(s->pos) || !recursion_enter(" during compilation"))
        return false;
    switch (s->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef:
        return body_ok(s->FunctionDef.body, name) && arguments_ok(s->FunctionDef.args) &&
               exprs_ok(s->FunctionDef.decorator_list, CTX_Load, false) && opt_ok(s->FunctionDef.returns);
    case STMT_ClassDef:
        return body_ok(s->ClassDef.body, name) && exprs_ok(s->ClassDef.bases, CTX_Load, false) &&
               keywords_ok(s->ClassDef.keywords) && exprs_ok(s->ClassDef.decorator_list, CTX_Load, false);
    case STMT_Return:
        return opt_ok(s->Return.value);
    case STMT_Delete:
        return not_empty(s->Delete.targets.n, "targets", name) && exprs_ok(s->Delete.targets, CTX_Del, false);
    case STMT_Assign:
        return not_empty(s->Assign.targets.n, "targets", name) && exprs_ok(s->Assign.targets, CTX_Store, false) &&
               expr_ok(s->Assign.value, CTX_Load);
    case STMT_AugAssign:
        return expr_ok(s->AugAssign.target, CTX_Store) && expr_ok(s->AugAssign.value, CTX_Load);
    case STMT_AnnAssign:
        if (s->AnnAssign.target->kind != EXPR_Name && s->AnnAssign.simple) {
            err_set(&exc_TypeError, "AnnAssign with simple non-Name target");
            return false;
        }
        return expr_ok(s->AnnAssign.target, CTX_Store) && opt_ok(s->AnnAssign.value) &&
               expr_ok(s->AnnAssign.annotation, CTX_Load);
    case STMT_For:
    case STMT_AsyncFor:
        return expr_ok(s->For.target, CTX_Store) && expr_ok(s->For.iter, CTX_Load) && body_ok(s->For.body, name) &&
               stmts_ok(s->For.orelse);
    case STMT_While:
    case STMT_If:
        return expr_ok(s->If.test, CTX_Load) && body_ok(s->If.body, name) && stmts_ok(s->If.orelse);
    case STMT_With:
    case STMT_AsyncWith:
        if (!not_empty(s->With.items.n, "items", name))
            return false;
        for (int32_t i = 0; i < s->With.items.n; i++) {
            AstWithItem *w = s->With.items.v[i];
            if (!expr_ok(w->context_expr, CTX_Load) ||
                (w->optional_vars != NULL && !expr_ok(w->optional_vars, CTX_Store)))
                return false;
        }
        return body_ok(s->With.body, name);
    case STMT_Match:
        if (!expr_ok(s->Match.subject, CTX_Load) || !not_empty(s->Match.cases.n, "cases", name))
            return false;
        for (int32_t i = 0; i < s->Match.cases.n; i++) {
            AstMatchCase *c = s->Match.cases.v[i];
            if (!pattern_ok(c->pattern, false) || !opt_ok(c->guard) || !body_ok(c->body, "match_case"))
                return false;
        }
        return true;
    case STMT_Raise:
        if (s->Raise.exc == NULL && s->Raise.cause != NULL)
            return value_error("%s", "Raise with cause but no exception");
        return opt_ok(s->Raise.exc) && opt_ok(s->Raise.cause);
    case STMT_Try:
    case STMT_TryStar:
        return try_ok(s, name);
    case STMT_Assert:
        return expr_ok(s->Assert.test, CTX_Load) && opt_ok(s->Assert.msg);
    case STMT_Import:
        return not_empty(s->Import.names.n, "names", name);
    case STMT_ImportFrom:
        if (s->ImportFrom.level < 0)
            return value_error("%s", "Negative ImportFrom level");
        return not_empty(s->ImportFrom.names.n, "names", name);
    case STMT_Global:
    case STMT_Nonlocal:
        return not_empty(s->Global.names.n, "names", name);
    case STMT_Expr:
        return expr_ok(s->Expr.value, CTX_Load);
    default:
        return true;
    }
}

static bool stmts_ok(StmtSeq s) {
    for (int32_t i = 0; i < s.n; i++) {
        if (s.v[i] == NULL)
            return value_error("%s", "None disallowed in statement list");
        if (!stmt_ok(s.v[i]))
            return false;
    }
    return true;
}

bool ast_validate(AstModule *m) {
    return m->kind == MOD_Expression ? expr_ok(m->expr, CTX_Load) : stmts_ok(m->body);
}

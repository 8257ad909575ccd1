#include "front/scan.h"

typedef struct Scan {
    Unit *u;
    bool walrus; /* look into expressions */
    bool failed;
} Scan;

static void scan_stmts(Scan *s, StmtSeq body);
static void scan_expr(Scan *s, Expr *e);

static bool descend(Scan *s) {
    if (s->failed)
        return false;
    if (!recursion_enter(" during compilation"))
        s->failed = true;
    return !s->failed;
}

static void set(Scan *s, uint64_t *bits, Symbol *sym) {
    int reg = local_register(s->u, sym);
    if (reg >= 0)
        bits[reg >> 6] |= (uint64_t)1 << (reg & 63);
}

static void scan_exprs(Scan *s, ExprSeq v) {
    for (int32_t i = 0; i < v.n; i++)
        scan_expr(s, v.v[i]);
}

static void scan_arguments(Scan *s, AstArguments *a) {
    scan_exprs(s, a->defaults);
    scan_exprs(s, a->kw_defaults);
}

static void scan_expr(Scan *s, Expr *e) {
    if (!e || !s->walrus || !descend(s))
        return;
    switch (e->kind) {
    case EXPR_BoolOp:
        scan_exprs(s, e->BoolOp.values);
        break;
    case EXPR_NamedExpr:
        set(s, s->u->rebound, e->NamedExpr.target->Name.sym);
        scan_expr(s, e->NamedExpr.value);
        break;
    case EXPR_BinOp:
        scan_expr(s, e->BinOp.left);
        scan_expr(s, e->BinOp.right);
        break;
    case EXPR_UnaryOp:
        scan_expr(s, e->UnaryOp.operand);
        break;
    case EXPR_Lambda:
        scan_arguments(s, e->Lambda.args);
        break;
    case EXPR_IfExp:
        scan_expr(s, e->IfExp.test);
        scan_expr(s, e->IfExp.body);
        scan_expr(s, e->IfExp.orelse);
        break;
    case EXPR_Dict:
        scan_exprs(s, e->Dict.keys);
        scan_exprs(s, e->Dict.values);
        break;
    case EXPR_Set:
    case EXPR_List:
    case EXPR_Tuple:
        scan_exprs(s, e->Set.elts);
        break;
    case EXPR_ListComp:
    case EXPR_SetComp:
    case EXPR_DictComp:
    case EXPR_GeneratorExp:
        scan_expr(s, e->ListComp.generators.v[0]->iter);
        break;
    case EXPR_Await:
    case EXPR_Yield:
    case EXPR_YieldFrom:
        scan_expr(s, e->Await.value);
        break;
    case EXPR_Compare:
        scan_expr(s, e->Compare.left);
        scan_exprs(s, e->Compare.comparators);
        break;
    case EXPR_Call:
        scan_expr(s, e->Call.func);
        scan_exprs(s, e->Call.args);
        for (int32_t i = 0; i < e->Call.keywords.n; i++)
            scan_expr(s, e->Call.keywords.v[i]->value);
        break;
    case EXPR_FormattedValue:
        scan_expr(s, e->FormattedValue.value);
        scan_expr(s, e->FormattedValue.format_spec);
        break;
    case EXPR_JoinedStr:
        scan_exprs(s, e->JoinedStr.values);
        break;
    case EXPR_Attribute:
        scan_expr(s, e->Attribute.value);
        break;
    case EXPR_Subscript:
        scan_expr(s, e->Subscript.value);
        scan_expr(s, e->Subscript.slice);
        break;
    case EXPR_Starred:
        scan_expr(s, e->Starred.value);
        break;
    case EXPR_Slice:
        scan_expr(s, e->Slice.lower);
        scan_expr(s, e->Slice.upper);
        scan_expr(s, e->Slice.step);
        break;
    default:
        break;
    }
}

static void scan_deleted(Scan *s, Expr *e) {
    if (!descend(s))
        return;
    if (e->kind == EXPR_Name)
        set(s, s->u->deletable, e->Name.sym);
    else if (e->kind == EXPR_Tuple || e->kind == EXPR_List)
        for (int32_t i = 0; i < e->Tuple.elts.n; i++)
            scan_deleted(s, e->Tuple.elts.v[i]);
    else
        scan_expr(s, e);
}

static void scan_keywords(Scan *s, KeywordSeq k) {
    for (int32_t i = 0; i < k.n; i++)
        scan_expr(s, k.v[i]->value);
}

static void scan_stmt(Scan *s, Stmt *x) {
    if (!descend(s))
        return;
    switch (x->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef:
        scan_exprs(s, x->FunctionDef.decorator_list);
        if (s->walrus) {
            AstArguments *a = x->FunctionDef.args;
            ArgSeq seqs[3] = {a->posonlyargs, a->args, a->kwonlyargs};
            scan_arguments(s, a);
            for (int k = 0; k < 3; k++)
                for (int32_t i = 0; i < seqs[k].n; i++)
                    scan_expr(s, seqs[k].v[i]->annotation);
            scan_expr(s, x->FunctionDef.returns);
        }
        break;
    case STMT_ClassDef:
        scan_exprs(s, x->ClassDef.decorator_list);
        scan_exprs(s, x->ClassDef.bases);
        scan_keywords(s, x->ClassDef.keywords);
        break;
    case STMT_Return:
    case STMT_Expr:
        scan_expr(s, x->Return.value);
        break;
    case STMT_Delete:
        for (int32_t i = 0; i < x->Delete.targets.n; i++)
            scan_deleted(s, x->Delete.targets.v[i]);
        break;
    case STMT_Assign:
        scan_exprs(s, x->Assign.targets);
        scan_expr(s, x->Assign.value);
        break;
    case STMT_AugAssign:
        scan_expr(s, x->AugAssign.target);
        scan_expr(s, x->AugAssign.value);
        break;
    case STMT_AnnAssign:
        scan_expr(s, x->AnnAssign.target);
        scan_expr(s, x->AnnAssign.value);
        break;
    case STMT_For:
    case STMT_AsyncFor:
        scan_expr(s, x->For.target);
        scan_expr(s, x->For.iter);
        scan_stmts(s, x->For.body);
        scan_stmts(s, x->For.orelse);
        break;
    case STMT_While:
    case STMT_If:
        scan_expr(s, x->If.test);
        scan_stmts(s, x->If.body);
        scan_stmts(s, x->If.orelse);
        break;
    case STMT_With:
    case STMT_AsyncWith:
        for (int32_t i = 0; i < x->With.items.n; i++) {
            scan_expr(s, x->With.items.v[i]->context_expr);
            scan_expr(s, x->With.items.v[i]->optional_vars);
        }
        scan_stmts(s, x->With.body);
        break;
    case STMT_Match:
        scan_expr(s, x->Match.subject);
        for (int32_t i = 0; i < x->Match.cases.n; i++) {
            scan_expr(s, x->Match.cases.v[i]->guard);
            scan_stmts(s, x->Match.cases.v[i]->body);
        }
        break;
    case STMT_Raise:
        scan_expr(s, x->Raise.exc);
        scan_expr(s, x->Raise.cause);
        break;
    case STMT_Try:
    case STMT_TryStar:
        scan_stmts(s, x->Try.body);
        for (int32_t i = 0; i < x->Try.handlers.n; i++) {
            AstHandler *h = x->Try.handlers.v[i];
            scan_expr(s, h->type);
            if (h->name != ABSENT)
                set(s, s->u->deletable, find_symbol(s->u, h->name));
            scan_stmts(s, h->body);
        }
        scan_stmts(s, x->Try.orelse);
        scan_stmts(s, x->Try.finalbody);
        break;
    case STMT_Assert:
        scan_expr(s, x->Assert.test);
        scan_expr(s, x->Assert.msg);
        break;
    default:
        break;
    }
}

static void scan_stmts(Scan *s, StmtSeq body) {
    for (int32_t i = 0; i < body.n && !s->failed; i++)
        scan_stmt(s, body.v[i]);
}

int scan_scope(Unit *u, StmtSeq body, Expr *e) {
    Scan s = {u, u->g->has_walrus, false};
    if (!u->n_locals)
        return 0;
    scan_stmts(&s, body);
    scan_expr(&s, e);
    return s.failed ? -1 : 0;
}

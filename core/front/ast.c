#include "front/ast.h"

#include "object/str.h"

static const uint16_t expr_sizes[EXPR_KIND_END] = {
#define SIZE(k) [EXPR_##k] = (uint16_t)(offsetof(Expr, k) + sizeof(((Expr *)0)->k)),
    EXPR_KINDS(SIZE)
#undef SIZE
};
static const uint16_t stmt_sizes[STMT_KIND_END] = {
    [STMT_Pass] = offsetof(Stmt, Expr),
    [STMT_Break] = offsetof(Stmt, Expr),
    [STMT_Continue] = offsetof(Stmt, Expr),
#define SIZE(k) [STMT_##k] = (uint16_t)(offsetof(Stmt, k) + sizeof(((Stmt *)0)->k)),
    SIZE(FunctionDef) SIZE(AsyncFunctionDef) SIZE(ClassDef) SIZE(Return) SIZE(Delete) SIZE(Assign) SIZE(AugAssign)
        SIZE(AnnAssign) SIZE(For) SIZE(AsyncFor) SIZE(While) SIZE(If) SIZE(With) SIZE(AsyncWith) SIZE(Match) SIZE(Raise)
            SIZE(Try) SIZE(TryStar) SIZE(Assert) SIZE(Import) SIZE(ImportFrom) SIZE(Global) SIZE(Nonlocal) SIZE(Expr)
#undef SIZE
};
static const uint16_t pattern_sizes[PATTERN_KIND_END] = {
#define SIZE(k) [PATTERN_##k] = (uint16_t)(offsetof(Pattern, k) + sizeof(((Pattern *)0)->k)),
    PATTERN_KINDS(SIZE)
#undef SIZE
};

#define NAME(k) #k,
const char *const expr_kind_names[] = {"", EXPR_KINDS(NAME)};
const char *const stmt_kind_names[] = {"", STMT_KINDS(NAME)};
const char *const pattern_kind_names[] = {"", PATTERN_KINDS(NAME)};
#undef NAME

Expr *ast_expr(Arena *a, ExprKind kind, AstPos pos) {
    size_t n = expr_sizes[kind];
    Expr *e = arena_alloc(a, n);
    if (UNLIKELY(e == NULL))
        return NULL;
    memset((char *)e + sizeof(AstPos), 0, n - sizeof(AstPos));
    e->pos = pos;
    e->kind = (uint8_t)kind;
    return e;
}

Stmt *ast_stmt(Arena *a, StmtKind kind, AstPos pos) {
    size_t n = stmt_sizes[kind];
    Stmt *s = arena_zalloc(a, n);
    if (UNLIKELY(s == NULL))
        return NULL;
    s->pos = pos;
    s->kind = (uint8_t)kind;
    return s;
}

Pattern *ast_pattern(Arena *a, PatternKind kind, AstPos pos) {
    Pattern *p = arena_zalloc(a, pattern_sizes[kind]);
    if (UNLIKELY(p == NULL))
        return NULL;
    p->pos = pos;
    p->kind = (uint8_t)kind;
    return p;
}

Value ast_docstring(StmtSeq body) {
    if (body.n == 0 || body.v[0]->kind != STMT_Expr || body.v[0]->Expr.value->kind != EXPR_Constant)
        return ABSENT;
    Value v = body.v[0]->Expr.value->Constant.value;
    return v_is_str(v) ? v : ABSENT;
}

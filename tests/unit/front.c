/* Driver of the front end alone: front dump FILE..., front check FILE..., front time FILE..., front errors (sources
 * from stdin, length first). */
#include <time.h>

#include "front/parser.h"
#include "front/symtable.h"
#include "object/bytes.h"
#include "object/float.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"
#include "tests/unit/front_stubs.h"

static bool positions = true;
static void pos(AstPos p) {
    if (positions)
        printf("@%d:%d-%d:%d", p.lineno, p.col, p.end_lineno, p.end_col);
}
static void hex(const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        printf("%02x", (unsigned char)s[i]);
}
static void ident(Value v) {
    printf(" %s", v == ABSENT ? "-" : TEXT(v));
}
static void constant(Value v) {
    if (v == ABSENT)
        printf(" -");
    else if (v == V_NONE)
        printf(" None");
    else if (v == V_TRUE)
        printf(" True");
    else if (v == V_FALSE)
        printf(" False");
    else if (v == V_ELLIPSIS)
        printf(" Ellipsis");
    else if (v_is_int(v))
        printf(" %lld", (long long)v_int(v));
    else if (v_is_flo(v))
        printf(" f:%a", v_flo(v));
    else if (v_is_str(v)) {
        printf(" s:");
        hex(TEXT(v), (size_t)str_len(v));
    } else if (v_is_bytes(v)) {
        printf(" b:");
        hex(bytes_data(v), (size_t)bytes_len(v));
    } else if (obj_index(v) == IDX_INT)
        printf(" I:%s;", TEXT(v));
    else if (obj_index(v) == IDX_FLOAT)
        printf(" f:%a", ((Float *)v)->value);
    else
        printf(" c:%a", ((Complex *)v)->im);
}
static void expr(Expr *e);
static void exprs(ExprSeq s) {
    printf(" [");
    for (int i = 0; i < s.n; i++)
        expr(s.v[i]);
    printf("]");
}
static void ctx(ExprCtx c) {
    printf(" %s", c == CTX_Load ? "Load" : c == CTX_Store ? "Store" : c == CTX_Del ? "Del" : "?");
}
static void arg(AstArg *a) {
    if (a == NULL) {
        printf(" -");
        return;
    }
    printf(" (arg");
    pos(a->pos);
    ident(a->arg);
    expr(a->annotation);
    printf(")");
}
static void args(ArgSeq s) {
    printf(" [");
    for (int i = 0; i < s.n; i++)
        arg(s.v[i]);
    printf("]");
}
static void arguments(AstArguments *a) {
    printf(" (arguments");
    args(a->posonlyargs);
    args(a->args);
    arg(a->vararg);
    args(a->kwonlyargs);
    exprs(a->kw_defaults);
    arg(a->kwarg);
    exprs(a->defaults);
    printf(")");
}
static void keywords(KeywordSeq s) {
    printf(" [");
    for (int i = 0; i < s.n; i++) {
        printf(" (keyword");
        pos(s.v[i]->pos);
        ident(s.v[i]->arg);
        expr(s.v[i]->value);
        printf(")");
    }
    printf("]");
}
static void comps(CompSeq s) {
    printf(" [");
    for (int i = 0; i < s.n; i++) {
        printf(" (comprehension");
        expr(s.v[i]->target);
        expr(s.v[i]->iter);
        exprs(s.v[i]->ifs);
        printf(" %d)", s.v[i]->is_async);
    }
    printf("]");
}
static const char *binops[] = {"",    "Add",    "Sub",    "Mult",  "MatMult", "Div",    "Mod",
                               "Pow", "LShift", "RShift", "BitOr", "BitXor",  "BitAnd", "FloorDiv"};
static const char *cmpops[] = {"", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In", "NotIn"};
static const char *unops[] = {"", "Invert", "Not", "UAdd", "USub"};
static void expr(Expr *e) {
    if (e == NULL) {
        printf(" -");
        return;
    }
    printf(" (%s", expr_kind_names[e->kind]);
    pos(e->pos);
    switch (e->kind) {
    case EXPR_BoolOp:
        printf(" %s", e->BoolOp.op == BOOLOP_And ? "And" : "Or");
        exprs(e->BoolOp.values);
        break;
    case EXPR_NamedExpr:
        expr(e->NamedExpr.target);
        expr(e->NamedExpr.value);
        break;
    case EXPR_BinOp:
        expr(e->BinOp.left);
        printf(" %s", binops[e->BinOp.op]);
        expr(e->BinOp.right);
        break;
    case EXPR_UnaryOp:
        printf(" %s", unops[e->UnaryOp.op]);
        expr(e->UnaryOp.operand);
        break;
    case EXPR_Lambda:
        arguments(e->Lambda.args);
        expr(e->Lambda.body);
        break;
    case EXPR_IfExp:
        expr(e->IfExp.test);
        expr(e->IfExp.body);
        expr(e->IfExp.orelse);
        break;
    case EXPR_Dict:
        exprs(e->Dict.keys);
        exprs(e->Dict.values);
        break;
    case EXPR_Set:
        exprs(e->Set.elts);
        break;
    case EXPR_ListComp:
    case EXPR_SetComp:
    case EXPR_GeneratorExp:
        expr(e->ListComp.elt);
        comps(e->ListComp.generators);
        break;
    case EXPR_DictComp:
        expr(e->DictComp.key);
        expr(e->DictComp.value);
        comps(e->DictComp.generators);
        break;
    case EXPR_Await:
    case EXPR_Yield:
    case EXPR_YieldFrom:
        expr(e->Await.value);
        break;
    case EXPR_Compare:
        expr(e->Compare.left);
        printf(" [");
        for (int i = 0; i < e->Compare.ops.n; i++)
            printf(" %s", cmpops[e->Compare.ops.v[i]]);
        printf("]");
        exprs(e->Compare.comparators);
        break;
    case EXPR_Call:
        expr(e->Call.func);
        exprs(e->Call.args);
        keywords(e->Call.keywords);
        break;
    case EXPR_FormattedValue:
        expr(e->FormattedValue.value);
        printf(" %d", e->FormattedValue.conversion);
        expr(e->FormattedValue.format_spec);
        break;
    case EXPR_JoinedStr:
        exprs(e->JoinedStr.values);
        break;
    case EXPR_Constant:
        constant(e->Constant.value);
        ident(e->Constant.kind);
        break;
    case EXPR_Attribute:
        expr(e->Attribute.value);
        ident(e->Attribute.attr);
        ctx(e->Attribute.ctx);
        break;
    case EXPR_Subscript:
        expr(e->Subscript.value);
        expr(e->Subscript.slice);
        ctx(e->Subscript.ctx);
        break;
    case EXPR_Starred:
        expr(e->Starred.value);
        ctx(e->Starred.ctx);
        break;
    case EXPR_Name:
        ident(e->Name.id);
        ctx(e->Name.ctx);
        break;
    case EXPR_List:
    case EXPR_Tuple:
        exprs(e->List.elts);
        ctx(e->List.ctx);
        break;
    case EXPR_Slice:
        expr(e->Slice.lower);
        expr(e->Slice.upper);
        expr(e->Slice.step);
        break;
    default:
        printf(" ?");
    }
    printf(")");
}
static void pattern(Pattern *n);
static void patterns(PatternSeq s) {
    printf(" [");
    for (int i = 0; i < s.n; i++)
        pattern(s.v[i]);
    printf("]");
}
static void pattern(Pattern *n) {
    if (n == NULL) {
        printf(" -");
        return;
    }
    printf(" (%s", pattern_kind_names[n->kind]);
    pos(n->pos);
    switch (n->kind) {
    case PATTERN_MatchValue:
        expr(n->MatchValue.value);
        break;
    case PATTERN_MatchSingleton:
        constant(n->MatchSingleton.value);
        break;
    case PATTERN_MatchSequence:
    case PATTERN_MatchOr:
        patterns(n->MatchOr.patterns);
        break;
    case PATTERN_MatchMapping:
        exprs(n->MatchMapping.keys);
        patterns(n->MatchMapping.patterns);
        ident(n->MatchMapping.rest);
        break;
    case PATTERN_MatchClass:
        expr(n->MatchClass.cls);
        patterns(n->MatchClass.patterns);
        printf(" [");
        for (int i = 0; i < n->MatchClass.kwd_attrs.n; i++)
            ident(n->MatchClass.kwd_attrs.v[i]);
        printf("]");
        patterns(n->MatchClass.kwd_patterns);
        break;
    case PATTERN_MatchStar:
        ident(n->MatchStar.name);
        break;
    case PATTERN_MatchAs:
        pattern(n->MatchAs.pattern);
        ident(n->MatchAs.name);
        break;
    }
    printf(")");
}
static void stmt(Stmt *s);
static void stmts(StmtSeq s) {
    printf(" [");
    for (int i = 0; i < s.n; i++)
        stmt(s.v[i]);
    printf("]");
}
static void names(AliasSeq s) {
    printf(" [");
    for (int i = 0; i < s.n; i++) {
        printf(" (alias");
        pos(s.v[i]->pos);
        ident(s.v[i]->name);
        ident(s.v[i]->asname);
        printf(")");
    }
    printf("]");
}
static void stmt(Stmt *s) {
    printf("\n(%s", stmt_kind_names[s->kind]);
    pos(s->pos);
    switch (s->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef:
        ident(s->FunctionDef.name);
        arguments(s->FunctionDef.args);
        stmts(s->FunctionDef.body);
        exprs(s->FunctionDef.decorator_list);
        expr(s->FunctionDef.returns);
        break;
    case STMT_ClassDef:
        ident(s->ClassDef.name);
        exprs(s->ClassDef.bases);
        keywords(s->ClassDef.keywords);
        stmts(s->ClassDef.body);
        exprs(s->ClassDef.decorator_list);
        break;
    case STMT_Return:
        expr(s->Return.value);
        break;
    case STMT_Delete:
        exprs(s->Delete.targets);
        break;
    case STMT_Assign:
        exprs(s->Assign.targets);
        expr(s->Assign.value);
        break;
    case STMT_AugAssign:
        expr(s->AugAssign.target);
        printf(" %s", binops[s->AugAssign.op]);
        expr(s->AugAssign.value);
        break;
    case STMT_AnnAssign:
        expr(s->AnnAssign.target);
        expr(s->AnnAssign.annotation);
        expr(s->AnnAssign.value);
        printf(" %d", s->AnnAssign.simple);
        break;
    case STMT_For:
    case STMT_AsyncFor:
        expr(s->For.target);
        expr(s->For.iter);
        stmts(s->For.body);
        stmts(s->For.orelse);
        break;
    case STMT_While:
    case STMT_If:
        expr(s->If.test);
        stmts(s->If.body);
        stmts(s->If.orelse);
        break;
    case STMT_With:
    case STMT_AsyncWith:
        printf(" [");
        for (int i = 0; i < s->With.items.n; i++) {
            printf(" (withitem");
            expr(s->With.items.v[i]->context_expr);
            expr(s->With.items.v[i]->optional_vars);
            printf(")");
        }
        printf("]");
        stmts(s->With.body);
        break;
    case STMT_Match:
        expr(s->Match.subject);
        printf(" [");
        for (int i = 0; i < s->Match.cases.n; i++) {
            printf(" (match_case");
            pattern(s->Match.cases.v[i]->pattern);
            expr(s->Match.cases.v[i]->guard);
            stmts(s->Match.cases.v[i]->body);
            printf(")");
        }
        printf("]");
        break;
    case STMT_Raise:
        expr(s->Raise.exc);
        expr(s->Raise.cause);
        break;
    case STMT_Try:
    case STMT_TryStar:
        stmts(s->Try.body);
        printf(" [");
        for (int i = 0; i < s->Try.handlers.n; i++) {
            AstHandler *h = s->Try.handlers.v[i];
            printf(" (ExceptHandler");
            pos(h->pos);
            expr(h->type);
            ident(h->name);
            stmts(h->body);
            printf(")");
        }
        printf("]");
        stmts(s->Try.orelse);
        stmts(s->Try.finalbody);
        break;
    case STMT_Assert:
        expr(s->Assert.test);
        expr(s->Assert.msg);
        break;
    case STMT_Import:
        names(s->Import.names);
        break;
    case STMT_ImportFrom:
        ident(s->ImportFrom.module);
        names(s->ImportFrom.names);
        printf(" %d", s->ImportFrom.level);
        break;
    case STMT_Global:
    case STMT_Nonlocal:
        printf(" [");
        for (int i = 0; i < s->Global.names.n; i++)
            ident(s->Global.names.v[i]);
        printf("]");
        break;
    case STMT_Expr:
        expr(s->Expr.value);
        break;
    }
    printf(")");
}

#ifdef WITH_SYMTABLE
/* (NAME KIND line flags [(name scope flags)...] [children]) */
static void scope(Scope *s, int depth) {
    static const char *kinds[] = {"module", "function", "class"};
    static const char *scopes[] = {"?", "LOCAL", "GLOBAL_EXPLICIT", "GLOBAL_IMPLICIT", "FREE", "CELL"};
    printf("%*s%s %s %d nested=%d gen=%d coro=%d\n", depth, "", TEXT(s->name), kinds[s->kind], s->lineno, s->nested,
           s->is_generator, s->is_coroutine);
    for (int i = 0; i < s->n_symbols; i++)
        printf("%*s . %s %s %u\n", depth, "", TEXT(s->symbols[i]->name), scopes[s->symbols[i]->scope],
               s->symbols[i]->flags);
    for (int i = 0; i < s->n_children; i++)
        scope(s->children[i], depth + 1);
}
#endif

static char *read_file(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *s = malloc(*n + 1);
    *n = fread(s, 1, *n, f);
    fclose(f);
    return s;
}

static void print_error(void) {
    printf("%s: %s", stub_error.name, TEXT(stub_error.message));
    if (stub_error.where != ABSENT) {
        Value w = stub_error.where;
        printf(" | %lld %lld %lld ", (long long)v_int(tuple_get(w, 1)), (long long)v_int(tuple_get(w, 2)),
               (long long)v_int(tuple_get(w, 4)));
        if (tuple_get(w, 5) == V_NONE)
            printf("None |");
        else
            printf("%lld |", (long long)v_int(tuple_get(w, 5)));
        Value text = tuple_get(w, 3);
        if (v_is_str(text))
            printf("%s", TEXT(text));
        else
            printf("None");
    }
    err_clear();
    stub_error.where = ABSENT;
}

static bool with_symtable = true;
static AstModule *front(const char *s, size_t n, Value name, ParseMode mode, Arena *a) {
    AstModule *m = parse_source(s, n, name, mode, 0, a);
#ifdef WITH_SYMTABLE
    int line;
    if (m != NULL && with_symtable) {
        int f = future_features(m, name, &line);
        if (f < 0 || symtable_build(m, name, f) == NULL)
            return NULL;
    }
#endif
    return m;
}

int main(int argc, char **argv) {
    stubs_init();
    const char *mode = argc > 1 ? argv[1] : "";
    Value name = str_from_ascii("<s>", 3);
    if (strcmp(mode, "errors") == 0) {
        /* "LENGTH MODE\n" and LENGTH bytes, again and again; one record per source, ended by \x01. */
        char head[64];
        while (fgets(head, sizeof head, stdin) != NULL) {
            size_t n;
            char m[16];
            if (sscanf(head, "%zu %15s", &n, m) != 2)
                return 2;
            char *s = malloc(n + 1);
            if (fread(s, 1, n, stdin) != n)
                return 2;
            Arena a;
            arena_init(&a);
            AstModule *ast = front(s, n, name,
                                   m[0] == 'e' && m[1] == 'x' ? PARSE_EXEC
                                   : m[0] == 's'              ? PARSE_SINGLE
                                                              : PARSE_EVAL,
                                   &a);
            if (ast != NULL)
                printf("OK");
            else
                print_error();
            printf("\x01\n");
            fflush(stdout);
            arena_free(&a);
            free(s);
        }
        return 0;
    }
    int failed = 0;
    size_t lines = 0;
    double seconds = 0;
    for (int i = 2; i < argc; i++) {
        size_t n;
        char *s = read_file(argv[i], &n);
        if (s == NULL)
            continue;
        Arena a;
        arena_init(&a);
        struct timespec t0, t1;
        clock_gettime(CLOCK_MONOTONIC, &t0);
        with_symtable = strcmp(mode, "parse") != 0;
        AstModule *m = front(s, n, name, PARSE_EXEC, &a);
        clock_gettime(CLOCK_MONOTONIC, &t1);
        seconds += (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
        for (size_t k = 0; k < n; k++)
            lines += s[k] == '\n';
        if (strcmp(mode, "dump") == 0) {
            printf("# %s\n", argv[i]);
            if (m == NULL)
                print_error();
            else
                stmts(m->body);
            printf("\n\x01\n");
#ifdef WITH_SYMTABLE
        } else if (strcmp(mode, "symtable") == 0) {
            printf("# %s\n", argv[i]);
            if (m == NULL)
                print_error();
            else
                scope(m->scope, 0);
            printf("\n\x01\n");
#endif
        } else if (m == NULL) {
            failed++;
            printf("%s: ", argv[i]);
            print_error();
            printf("\n");
        }
        arena_free(&a);
        free(s);
    }
    fprintf(stderr, "%d failed, %zu lines, %.3f s, %.0f lines/s\n", failed, lines, seconds, (double)lines / seconds);
    return failed != 0;
}

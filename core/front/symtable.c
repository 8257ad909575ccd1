/* Two passes: visiting the tree collects how each name occurs in each scope; resolving decides what it means there. */
#include "front/symtable.h"

#include "front/syntax_error.h"
#include "object/str.h"

/* Where `global`, `nonlocal` or a named expression declared a name: the place of errors found when resolving. */
typedef struct Directive {
    struct Directive *next;
    Value name;
    AstPos pos;
} Directive;

enum { COMP_NONE, COMP_LIST, COMP_SET, COMP_DICT, COMP_GENERATOR };

/* What visiting a scope needs beside the Scope itself, which lies first. */
typedef struct Block {
    Scope s;
    Directive *directives;
    int comp_iter_expr; /* > 0: inside an iterable of a comprehension */
    uint8_t comprehension;
    bool comp_iter_target;
    bool annotation; /* a throw-away scope: annotations are kept as text */
    Scope **spill;
    int32_t children_cap, symbols_cap;
} Block;

typedef struct Builder {
    Arena *arena;
    Value filename;
    Block *cur, *top;
    Value private_name;
    int future_flags;
    unsigned depth;
    Value class_, super_; /* "__class__", "super" */
} Builder;

static bool visit_expr(Builder *b, Expr *e);
static bool visit_stmts(Builder *b, StmtSeq s);

/* ---- names ---- */

typedef struct MangleCache {
    Value private_name[256], name[256], mangled[256];
} MangleCache;

Value name_mangle(Arena *a, Value private_name, Value name) {
    if (private_name == ABSENT || str_len(name) < 2 || str_at(name, 0) != '_' || str_at(name, 1) != '_')
        return name;
    MangleCache *c = a->mangled;
    if (c == NULL) {
        c = a->mangled = arena_zalloc(a, sizeof *c);
        if (c == NULL)
            return ABSENT;
    }
    size_t h = (size_t)((private_name >> 4) * 31 + (name >> 4)) & 255;
    if (c->private_name[h] == private_name && c->name[h] == name)
        return c->mangled[h];
    intptr_t n = str_len(name), m = str_len(private_name), skip = 0;
    while (skip < m && str_at(private_name, skip) == '_')
        skip++;
    Value v = name;
    if (skip < m && !(str_at(name, n - 1) == '_' && str_at(name, n - 2) == '_') &&
        str_find_char(name, '.', 0, n, 1) < 0) {
        StrBuilder sb;
        sb_init(&sb);
        sb_char(&sb, '_');
        sb_substr(&sb, private_name, skip, m);
        sb_str(&sb, name);
        v = sb_finish(&sb);
        if (v == ABSENT || (v = str_intern(v)) == ABSENT)
            return ABSENT;
    }
    c->private_name[h] = private_name;
    c->name[h] = name;
    c->mangled[h] = v;
    return v;
}

/* ---- symbols of a scope ---- */

enum { LINEAR_MAX = 8 }; /* fewer symbols are searched one by one */

static ALWAYS_INLINE uint32_t name_slot(Value name, uint32_t mask) {
    return (uint32_t)((name * 0x9e3779b97f4a7c15ull) >> 40) & mask;
}

Symbol *scope_symbol_mangled(Scope *s, Value name) {
    if (s->table == NULL) {
        for (int32_t i = 0; i < s->n_symbols; i++)
            if (s->symbols[i]->name == name)
                return s->symbols[i];
        return NULL;
    }
    for (uint32_t h = name_slot(name, s->table_mask);; h = (h + 1) & s->table_mask) {
        Symbol *y = s->table[h];
        if (y == NULL || y->name == name)
            return y;
    }
}

Symbol *scope_symbol(Arena *a, Scope *s, Value name) {
    Value m = name_mangle(a, s->private_name, name);
    if (m == ABSENT) {
        err_clear();
        return NULL;
    }
    return scope_symbol_mangled(s, m);
}

static void table_put(Scope *s, Symbol *y) {
    uint32_t h = name_slot(y->name, s->table_mask);
    while (s->table[h] != NULL)
        h = (h + 1) & s->table_mask;
    s->table[h] = y;
}

/* A new symbol; NULL: no memory. */
static Symbol *scope_add(Arena *a, Block *b, Value name) {
    Scope *s = &b->s;
    if (s->n_symbols == b->symbols_cap) {
        int32_t cap = b->symbols_cap * 2 + 4;
        Symbol **v = arena_alloc(a, (size_t)cap * sizeof *v);
        if (v == NULL)
            return NULL;
        if (s->n_symbols > 0)
            memcpy(v, s->symbols, (size_t)s->n_symbols * sizeof *v);
        s->symbols = v;
        b->symbols_cap = cap;
    }
    Symbol *y = arena_alloc(a, sizeof *y);
    if (y == NULL)
        return NULL;
    *y = (Symbol){name, 0, 0, -1};
    s->symbols[s->n_symbols++] = y;
    if (s->n_symbols <= LINEAR_MAX)
        return y;
    if (s->table != NULL && (uint32_t)s->n_symbols * 2 <= s->table_mask) {
        table_put(s, y);
        return y;
    }
    uint32_t size = s->table == NULL ? 32 : (s->table_mask + 1) * 2;
    s->table = arena_zalloc(a, size * sizeof *s->table);
    if (s->table == NULL)
        return NULL;
    s->table_mask = size - 1;
    for (int32_t i = 0; i < s->n_symbols; i++)
        table_put(s, s->symbols[i]);
    return y;
}

static COLD bool error_at(Builder *b, AstPos pos, const char *fmt, Value name) {
    if (name != ABSENT)
        syntax_error_node(b->filename, pos, fmt, name);
    else
        syntax_error_node(b->filename, pos, "%s", fmt);
    return false;
}

/* Notes that name occurs in block as flag says. */
static Symbol *define_in(Builder *b, Block *block, Value name, uint32_t flag, AstPos pos) {
    Value m = UNLIKELY(b->private_name != ABSENT) ? name_mangle(b->arena, b->private_name, name) : name;
    if (m == ABSENT)
        return NULL;
    Symbol *y = scope_symbol_mangled(&block->s, m);
    if (y == NULL) {
        y = scope_add(b->arena, block, m);
        if (y == NULL)
            return NULL;
    } else if (UNLIKELY(flag & y->flags & DEF_PARAM)) {
        error_at(b, pos, "duplicate argument %R in function definition", name);
        return NULL;
    }
    y->flags |= flag;
    if (UNLIKELY(block->comp_iter_target)) {
        if (y->flags & (DEF_GLOBAL | DEF_NONLOCAL)) {
            error_at(b, pos, "comprehension inner loop cannot rebind assignment expression target %R", name);
            return NULL;
        }
        y->flags |= DEF_COMP_ITER;
    }
    if (flag & DEF_PARAM) {
        block->s.n_params++;
    } else if (UNLIKELY(flag & DEF_GLOBAL) && block != b->top) {
        Symbol *g = scope_symbol_mangled(&b->top->s, m);
        if (g == NULL && (g = scope_add(b->arena, b->top, m)) == NULL)
            return NULL;
        g->flags |= flag;
    }
    return y;
}

static ALWAYS_INLINE bool define(Builder *b, Value name, uint32_t flag, AstPos pos) {
    return define_in(b, b->cur, name, flag, pos) != NULL;
}

static uint32_t flags_of(Builder *b, Block *block, Value name) {
    Value m = name_mangle(b->arena, b->private_name, name);
    Symbol *y = m != ABSENT ? scope_symbol_mangled(&block->s, m) : NULL;
    return y != NULL ? y->flags : 0;
}

static bool add_directive(Builder *b, Value name, AstPos pos) {
    Directive *d = arena_alloc(b->arena, sizeof *d);
    if (d == NULL)
        return false;
    Value m = name_mangle(b->arena, b->private_name, name);
    *d = (Directive){b->cur->directives, m, pos};
    b->cur->directives = d;
    return m != ABSENT;
}

/* ---- scopes ---- */

static Block *enter(Builder *b, ScopeKind kind, Value name, const void *node, AstPos pos) {
    Block *n = arena_zalloc(b->arena, sizeof *n), *parent = b->cur;
    if (n == NULL)
        return NULL;
    n->s.kind = kind;
    n->s.name = name;
    n->s.node = node;
    n->s.lineno = pos.lineno;
    n->s.col = pos.col;
    n->s.private_name = b->private_name;
    if (parent != NULL) {
        n->s.parent = &parent->s;
        n->s.nested = parent->s.nested || parent->s.kind == SCOPE_FUNCTION;
        n->comp_iter_expr = parent->comp_iter_expr;
        if (parent->s.n_children == parent->children_cap) {
            int32_t cap = parent->children_cap * 2 + 4;
            Scope **v = arena_alloc(b->arena, (size_t)cap * sizeof *v);
            if (v == NULL)
                return NULL;
            if (parent->s.n_children > 0)
                memcpy(v, parent->s.children, (size_t)parent->s.n_children * sizeof *v);
            parent->s.children = v;
            parent->children_cap = cap;
        }
        parent->s.children[parent->s.n_children++] = &n->s;
    }
    b->cur = n;
    return n;
}

static void leave(Builder *b) {
    b->cur = (Block *)b->cur->s.parent;
}

/* ---- expressions ---- */

static bool visit_exprs(Builder *b, ExprSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (s.v[i] != NULL && !visit_expr(b, s.v[i]))
            return false;
    return true;
}

static bool visit_opt(Builder *b, Expr *e) {
    return e == NULL || visit_expr(b, e);
}

static bool visit_keywords(Builder *b, KeywordSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (!visit_expr(b, s.v[i]->value))
            return false;
    return true;
}

static bool define_args(Builder *b, ArgSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (!define(b, s.v[i]->arg, DEF_PARAM, s.v[i]->pos))
            return false;
    return true;
}

static bool visit_arguments(Builder *b, AstArguments *a) {
    if (!define_args(b, a->posonlyargs) || !define_args(b, a->args) || !define_args(b, a->kwonlyargs))
        return false;
    if (a->vararg != NULL) {
        if (!define(b, a->vararg->arg, DEF_PARAM, a->vararg->pos))
            return false;
        b->cur->s.has_varargs = true;
    }
    if (a->kwarg != NULL) {
        if (!define(b, a->kwarg->arg, DEF_PARAM, a->kwarg->pos))
            return false;
        b->cur->s.has_varkeywords = true;
    }
    return true;
}

static COLD bool not_in_annotation(Builder *b, Expr *e, const char *what) {
    syntax_error_node(b->filename, e->pos, "'%s' can not be used within an annotation", what);
    return false;
}

/* One `for` clause but the first of a comprehension. */
static bool visit_clause(Builder *b, AstComp *c) {
    b->cur->comp_iter_target = true;
    bool ok = visit_expr(b, c->target);
    b->cur->comp_iter_target = false;
    if (!ok)
        return false;
    b->cur->comp_iter_expr++;
    ok = visit_expr(b, c->iter);
    b->cur->comp_iter_expr--;
    if (!ok || !visit_exprs(b, c->ifs))
        return false;
    if (c->is_async)
        b->cur->s.is_coroutine = true;
    return true;
}

static bool visit_comprehension(Builder *b, Expr *e, Value name, uint8_t kind, Expr *elt, Expr *value) {
    CompSeq gens = e->ListComp.generators;
    AstComp *first = gens.v[0];
    b->cur->comp_iter_expr++;
    bool ok = visit_expr(b, first->iter);
    b->cur->comp_iter_expr--;
    if (!ok)
        return false;
    Block *n = enter(b, SCOPE_FUNCTION, name, e, e->pos);
    if (n == NULL)
        return false;
    n->comprehension = kind;
    n->s.is_comprehension = true;
    n->s.is_genexpr = kind == COMP_GENERATOR;
    n->s.is_coroutine = first->is_async;
    e->ListComp.scope = &n->s;
    if (!define(b, ID(".0"), DEF_PARAM, e->pos))
        return false;
    n->comp_iter_target = true;
    ok = visit_expr(b, first->target);
    n->comp_iter_target = false;
    if (!ok || !visit_exprs(b, first->ifs))
        return false;
    for (int32_t i = 1; i < gens.n; i++)
        if (!visit_clause(b, gens.v[i]))
            return false;
    if (!visit_opt(b, value) || !visit_expr(b, elt))
        return false;
    n->s.is_generator = kind == COMP_GENERATOR;
    bool is_async = n->s.is_coroutine && kind != COMP_GENERATOR;
    leave(b);
    if (is_async)
        b->cur->s.is_coroutine = true;
    return true;
}

/* A named expression in a comprehension binds in the scope around it. */
static bool extend_named(Builder *b, Expr *target) {
    Value name = target->Name.id;
    for (Block *n = b->cur; n != NULL; n = (Block *)n->s.parent) {
        if (n->comprehension) {
            if (flags_of(b, n, name) & DEF_COMP_ITER)
                return error_at(b, target->pos,
                                "assignment expression cannot rebind comprehension iteration variable %R", name);
            continue;
        }
        switch (n->s.kind) {
        case SCOPE_FUNCTION: {
            uint32_t flag = flags_of(b, n, name) & DEF_GLOBAL ? DEF_GLOBAL : DEF_NONLOCAL;
            return define(b, name, flag, target->pos) && add_directive(b, name, target->pos) &&
                   define_in(b, n, name, DEF_LOCAL, target->pos) != NULL;
        }
        case SCOPE_MODULE:
            return define(b, name, DEF_GLOBAL, target->pos) && add_directive(b, name, target->pos) &&
                   define_in(b, n, name, DEF_GLOBAL, target->pos) != NULL;
        case SCOPE_CLASS:
            return error_at(b, target->pos,
                            "assignment expression within a comprehension cannot be used in a class body", ABSENT);
        }
    }
    return true;
}

static const char *const comp_names[] = {"", "list comprehension", "set comprehension", "dict comprehension",
                                         "generator expression"};

static bool visit_yield(Builder *b, Expr *e) {
    if (b->cur->annotation)
        return not_in_annotation(b, e, "yield expression");
    if (!visit_opt(b, e->Yield.value))
        return false;
    b->cur->s.is_generator = true;
    if (b->cur->comprehension) {
        syntax_error_node(b->filename, e->pos, "'yield' inside %s", comp_names[b->cur->comprehension]);
        return false;
    }
    return true;
}

static bool visit_expr_body(Builder *b, Expr *e) {
    switch (e->kind) {
    case EXPR_Name: {
        Symbol *y = define_in(b, b->cur, e->Name.id, e->Name.ctx == CTX_Load ? SYM_USE : DEF_LOCAL, e->pos);
        if (y == NULL)
            return false;
        e->Name.sym = y;
        /* Calling super() needs the class. */
        if (UNLIKELY(e->Name.id == b->super_) && e->Name.ctx == CTX_Load && b->cur->s.kind == SCOPE_FUNCTION)
            return define(b, b->class_, SYM_USE, e->pos);
        return true;
    }
    case EXPR_Constant:
        return true;
    case EXPR_Attribute:
        return visit_expr(b, e->Attribute.value);
    case EXPR_Call:
        return visit_expr(b, e->Call.func) && visit_exprs(b, e->Call.args) && visit_keywords(b, e->Call.keywords);
    case EXPR_Subscript:
        return visit_expr(b, e->Subscript.value) && visit_expr(b, e->Subscript.slice);
    case EXPR_BinOp:
        return visit_expr(b, e->BinOp.left) && visit_expr(b, e->BinOp.right);
    case EXPR_UnaryOp:
        return visit_expr(b, e->UnaryOp.operand);
    case EXPR_BoolOp:
        return visit_exprs(b, e->BoolOp.values);
    case EXPR_Compare:
        return visit_expr(b, e->Compare.left) && visit_exprs(b, e->Compare.comparators);
    case EXPR_Tuple:
    case EXPR_List:
        return visit_exprs(b, e->List.elts);
    case EXPR_Set:
        return visit_exprs(b, e->Set.elts);
    case EXPR_Dict:
        return visit_exprs(b, e->Dict.keys) && visit_exprs(b, e->Dict.values);
    case EXPR_IfExp:
        return visit_expr(b, e->IfExp.test) && visit_expr(b, e->IfExp.body) && visit_expr(b, e->IfExp.orelse);
    case EXPR_Starred:
        return visit_expr(b, e->Starred.value);
    case EXPR_Slice:
        return visit_opt(b, e->Slice.lower) && visit_opt(b, e->Slice.upper) && visit_opt(b, e->Slice.step);
    case EXPR_JoinedStr:
        return visit_exprs(b, e->JoinedStr.values);
    case EXPR_FormattedValue:
        return visit_expr(b, e->FormattedValue.value) && visit_opt(b, e->FormattedValue.format_spec);
    case EXPR_NamedExpr:
        if (b->cur->annotation)
            return not_in_annotation(b, e, "named expression");
        if (b->cur->comp_iter_expr > 0)
            return error_at(b, e->pos, "assignment expression cannot be used in a comprehension iterable expression",
                            ABSENT);
        if (b->cur->comprehension && !extend_named(b, e->NamedExpr.target))
            return false;
        return visit_expr(b, e->NamedExpr.value) && visit_expr(b, e->NamedExpr.target);
    case EXPR_Lambda: {
        AstArguments *a = e->Lambda.args;
        if (!visit_exprs(b, a->defaults) || !visit_exprs(b, a->kw_defaults))
            return false;
        Block *n = enter(b, SCOPE_FUNCTION, ID("lambda"), e, e->pos);
        if (n == NULL)
            return false;
        n->s.is_lambda = true;
        e->Lambda.scope = &n->s;
        if (!visit_arguments(b, a) || !visit_expr(b, e->Lambda.body))
            return false;
        leave(b);
        return true;
    }
    case EXPR_ListComp:
        return visit_comprehension(b, e, ID("listcomp"), COMP_LIST, e->ListComp.elt, NULL);
    case EXPR_SetComp:
        return visit_comprehension(b, e, ID("setcomp"), COMP_SET, e->SetComp.elt, NULL);
    case EXPR_GeneratorExp:
        return visit_comprehension(b, e, ID("genexpr"), COMP_GENERATOR, e->GeneratorExp.elt, NULL);
    case EXPR_DictComp:
        return visit_comprehension(b, e, ID("dictcomp"), COMP_DICT, e->DictComp.key, e->DictComp.value);
    case EXPR_Yield:
    case EXPR_YieldFrom:
        return visit_yield(b, e);
    case EXPR_Await:
        if (b->cur->annotation)
            return not_in_annotation(b, e, "await expression");
        if (!visit_expr(b, e->Await.value))
            return false;
        b->cur->s.is_coroutine = true;
        return true;
    default:
        return true;
    }
}

static bool visit_expr(Builder *b, Expr *e) {
    if (UNLIKELY((++b->depth & 31) == 0) && !recursion_enter(" during compilation"))
        return false;
    bool ok = visit_expr_body(b, e);
    b->depth--;
    return ok;
}

/* ---- statements ---- */

/* Kept as text under `from __future__ import annotations`: then names in it mean nothing here. */
static bool visit_annotation(Builder *b, Expr *e) {
    if (e == NULL)
        return true;
    if (!(b->future_flags & FUTURE_ANNOTATIONS))
        return visit_expr(b, e);
    Block *n = enter(b, SCOPE_FUNCTION, ID("_annotation"), e, e->pos);
    if (n == NULL)
        return false;
    n->annotation = true;
    b->cur->s.parent->n_children--;
    if (!visit_expr(b, e))
        return false;
    leave(b);
    return true;
}

static bool annotate_args(Builder *b, ArgSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (!visit_annotation(b, s.v[i]->annotation))
            return false;
    return true;
}

static bool visit_function(Builder *b, Stmt *s) {
    AstArguments *a = s->FunctionDef.args;
    if (!define(b, s->FunctionDef.name, DEF_LOCAL, s->pos) || !visit_exprs(b, a->defaults) ||
        !visit_exprs(b, a->kw_defaults))
        return false;
    if (!annotate_args(b, a->posonlyargs) || !annotate_args(b, a->args) ||
        (a->vararg != NULL && !visit_annotation(b, a->vararg->annotation)) ||
        (a->kwarg != NULL && !visit_annotation(b, a->kwarg->annotation)) || !annotate_args(b, a->kwonlyargs) ||
        !visit_annotation(b, s->FunctionDef.returns) || !visit_exprs(b, s->FunctionDef.decorator_list))
        return false;
    Block *n = enter(b, SCOPE_FUNCTION, s->FunctionDef.name, s, s->pos);
    if (n == NULL)
        return false;
    n->s.is_coroutine = s->kind == STMT_AsyncFunctionDef;
    s->FunctionDef.scope = &n->s;
    if (!visit_arguments(b, a) || !visit_stmts(b, s->FunctionDef.body))
        return false;
    leave(b);
    return true;
}

static bool visit_class(Builder *b, Stmt *s) {
    if (!define(b, s->ClassDef.name, DEF_LOCAL, s->pos) || !visit_exprs(b, s->ClassDef.bases) ||
        !visit_keywords(b, s->ClassDef.keywords) || !visit_exprs(b, s->ClassDef.decorator_list))
        return false;
    Value outer = b->private_name;
    b->private_name = s->ClassDef.name;
    Block *n = enter(b, SCOPE_CLASS, s->ClassDef.name, s, s->pos);
    if (n == NULL)
        return false;
    s->ClassDef.scope = &n->s;
    if (!visit_stmts(b, s->ClassDef.body))
        return false;
    leave(b);
    b->private_name = outer;
    return true;
}

static bool visit_declaration(Builder *b, Stmt *s) {
    bool global = s->kind == STMT_Global;
    for (int32_t i = 0; i < s->Global.names.n; i++) {
        Value name = s->Global.names.v[i];
        uint32_t had = flags_of(b, b->cur, name);
        if (had & (DEF_PARAM | DEF_LOCAL | SYM_USE | DEF_ANNOT)) {
            const char *fmt;
            if (had & DEF_PARAM)
                fmt = global ? "name %R is parameter and global" : "name %R is parameter and nonlocal";
            else if (had & SYM_USE)
                fmt = global ? "name %R is used prior to global declaration"
                             : "name %R is used prior to nonlocal declaration";
            else if (had & DEF_ANNOT)
                fmt = global ? "annotated name %R can't be global" : "annotated name %R can't be nonlocal";
            else
                fmt = global ? "name %R is assigned to before global declaration"
                             : "name %R is assigned to before nonlocal declaration";
            return error_at(b, s->pos, fmt, name);
        }
        if (!define(b, name, global ? DEF_GLOBAL : DEF_NONLOCAL, s->pos) || !add_directive(b, name, s->pos))
            return false;
    }
    return true;
}

static bool visit_alias(Builder *b, AstAlias *a) {
    Value name = a->asname != ABSENT ? a->asname : a->name;
    if (a->asname == ABSENT) {
        if (str_equal_c(name, "*")) {
            if (b->cur->s.kind != SCOPE_MODULE)
                return error_at(b, a->pos, "import * only allowed at module level", ABSENT);
            b->cur->s.uses_locals_dict = true;
            return true;
        }
        intptr_t dot = str_find_char(name, '.', 0, str_len(name), 1);
        if (dot >= 0) {
            name = str_substr(name, 0, dot);
            if (name == ABSENT || (name = str_intern(name)) == ABSENT)
                return false;
        }
    }
    return define(b, name, DEF_IMPORT, a->pos);
}

static bool visit_pattern(Builder *b, Pattern *p) {
    if (UNLIKELY((++b->depth & 31) == 0) && !recursion_enter(" during compilation"))
        return false;
    bool ok = true;
    PatternSeq parts = {NULL, 0};
    switch (p->kind) {
    case PATTERN_MatchValue:
        ok = visit_expr(b, p->MatchValue.value);
        break;
    case PATTERN_MatchSequence:
    case PATTERN_MatchOr:
        parts = p->MatchOr.patterns;
        break;
    case PATTERN_MatchStar:
        ok = p->MatchStar.name == ABSENT || define(b, p->MatchStar.name, DEF_LOCAL, p->pos);
        break;
    case PATTERN_MatchMapping:
        ok = visit_exprs(b, p->MatchMapping.keys);
        for (int32_t i = 0; ok && i < p->MatchMapping.patterns.n; i++)
            ok = visit_pattern(b, p->MatchMapping.patterns.v[i]);
        ok = ok && (p->MatchMapping.rest == ABSENT || define(b, p->MatchMapping.rest, DEF_LOCAL, p->pos));
        break;
    case PATTERN_MatchClass:
        ok = visit_expr(b, p->MatchClass.cls);
        for (int32_t i = 0; ok && i < p->MatchClass.patterns.n; i++)
            ok = visit_pattern(b, p->MatchClass.patterns.v[i]);
        parts = p->MatchClass.kwd_patterns;
        break;
    case PATTERN_MatchAs:
        ok = (p->MatchAs.pattern == NULL || visit_pattern(b, p->MatchAs.pattern)) &&
             (p->MatchAs.name == ABSENT || define(b, p->MatchAs.name, DEF_LOCAL, p->pos));
        break;
    default:
        break;
    }
    for (int32_t i = 0; ok && i < parts.n; i++)
        ok = visit_pattern(b, parts.v[i]);
    b->depth--;
    return ok;
}

static bool visit_annotated(Builder *b, Stmt *s) {
    Expr *t = s->AnnAssign.target;
    if (t->kind == EXPR_Name) {
        uint32_t had = flags_of(b, b->cur, t->Name.id);
        if ((had & (DEF_GLOBAL | DEF_NONLOCAL)) && b->cur != b->top && s->AnnAssign.simple)
            return error_at(b, s->pos,
                            had & DEF_GLOBAL ? "annotated name %R can't be global"
                                             : "annotated name %R can't be nonlocal",
                            t->Name.id);
        Symbol *y = NULL;
        if (s->AnnAssign.simple)
            y = define_in(b, b->cur, t->Name.id, DEF_ANNOT | DEF_LOCAL, t->pos);
        else if (s->AnnAssign.value != NULL)
            y = define_in(b, b->cur, t->Name.id, DEF_LOCAL, t->pos);
        else
            y = define_in(b, b->cur, t->Name.id, 0, t->pos);
        if (y == NULL)
            return false;
        t->Name.sym = y;
    } else if (!visit_expr(b, t)) {
        return false;
    }
    return visit_annotation(b, s->AnnAssign.annotation) && visit_opt(b, s->AnnAssign.value);
}

static bool visit_try(Builder *b, Stmt *s) {
    if (!visit_stmts(b, s->Try.body) || !visit_stmts(b, s->Try.orelse))
        return false;
    for (int32_t i = 0; i < s->Try.handlers.n; i++) {
        AstHandler *h = s->Try.handlers.v[i];
        if (!visit_opt(b, h->type) || (h->name != ABSENT && !define(b, h->name, DEF_LOCAL, h->pos)) ||
            !visit_stmts(b, h->body))
            return false;
    }
    return visit_stmts(b, s->Try.finalbody);
}

static bool visit_stmt_body(Builder *b, Stmt *s) {
    switch (s->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef:
        return visit_function(b, s);
    case STMT_ClassDef:
        return visit_class(b, s);
    case STMT_Return:
        if (s->Return.value != NULL) {
            b->cur->s.returns_value = true;
            return visit_expr(b, s->Return.value);
        }
        return true;
    case STMT_Delete:
        return visit_exprs(b, s->Delete.targets);
    case STMT_Assign:
        return visit_exprs(b, s->Assign.targets) && visit_expr(b, s->Assign.value);
    case STMT_AugAssign:
        return visit_expr(b, s->AugAssign.target) && visit_expr(b, s->AugAssign.value);
    case STMT_AnnAssign:
        return visit_annotated(b, s);
    case STMT_AsyncFor:
        b->cur->s.is_coroutine = true;
        __attribute__((fallthrough));
    case STMT_For:
        return visit_expr(b, s->For.target) && visit_expr(b, s->For.iter) && visit_stmts(b, s->For.body) &&
               visit_stmts(b, s->For.orelse);
    case STMT_While:
    case STMT_If:
        return visit_expr(b, s->If.test) && visit_stmts(b, s->If.body) && visit_stmts(b, s->If.orelse);
    case STMT_AsyncWith:
        b->cur->s.is_coroutine = true;
        __attribute__((fallthrough));
    case STMT_With:
        for (int32_t i = 0; i < s->With.items.n; i++) {
            AstWithItem *w = s->With.items.v[i];
            if (!visit_expr(b, w->context_expr) || !visit_opt(b, w->optional_vars))
                return false;
        }
        return visit_stmts(b, s->With.body);
    case STMT_Match:
        if (!visit_expr(b, s->Match.subject))
            return false;
        for (int32_t i = 0; i < s->Match.cases.n; i++) {
            AstMatchCase *c = s->Match.cases.v[i];
            if (!visit_pattern(b, c->pattern) || !visit_opt(b, c->guard) || !visit_stmts(b, c->body))
                return false;
        }
        return true;
    case STMT_Raise:
        return visit_opt(b, s->Raise.exc) && visit_opt(b, s->Raise.cause);
    case STMT_Try:
    case STMT_TryStar:
        return visit_try(b, s);
    case STMT_Assert:
        return visit_expr(b, s->Assert.test) && visit_opt(b, s->Assert.msg);
    case STMT_Import:
    case STMT_ImportFrom: {
        AliasSeq names = s->kind == STMT_Import ? s->Import.names : s->ImportFrom.names;
        for (int32_t i = 0; i < names.n; i++)
            if (!visit_alias(b, names.v[i]))
                return false;
        return true;
    }
    case STMT_Global:
    case STMT_Nonlocal:
        return visit_declaration(b, s);
    case STMT_Expr:
        return visit_expr(b, s->Expr.value);
    default:
        return true;
    }
}

static bool visit_stmts(Builder *b, StmtSeq s) {
    for (int32_t i = 0; i < s.n; i++) {
        if (UNLIKELY((++b->depth & 31) == 0) && !recursion_enter(" during compilation"))
            return false;
        if (!visit_stmt_body(b, s.v[i]))
            return false;
        b->depth--;
    }
    return true;
}

/* ---- resolving ---- */

static COLD bool directive_error(Builder *b, Block *n, Value name, const char *fmt) {
    Directive *first = NULL;
    for (Directive *d = n->directives; d != NULL; d = d->next)
        if (d->name == name)
            first = d; /* the list is in reverse */
    if (first != NULL)
        return error_at(b, first->pos, fmt, name);
    return error_at(b, (AstPos){n->s.lineno, n->s.col, n->s.lineno, n->s.col}, fmt, name);
}

/* The scope around s in which a function nested in it finds name, or NULL: a global. */
static Scope *find_owner(Builder *b, Scope *s, Value name) {
    for (Scope *o = s->parent; o != NULL; o = o->parent) {
        if (o->kind == SCOPE_CLASS) {
            if (name == b->class_)
                return o;
            continue;
        }
        if (o->kind != SCOPE_FUNCTION)
            continue;
        Symbol *y = scope_symbol_mangled(o, name);
        if (y == NULL)
            continue;
        if (y->flags & DEF_GLOBAL)
            return NULL;
        if ((y->flags & DEF_BOUND) && !(y->flags & DEF_NONLOCAL))
            return o;
    }
    return NULL;
}

/* name, free in s, belongs to owner: the scopes between pass it on. */
static bool make_free(Builder *b, Scope *s, Scope *owner, Value name) {
    s->has_free = true;
    for (Scope *o = s->parent; o != owner; o = o->parent) {
        o->child_has_free = true;
        Symbol *y = scope_symbol_mangled(o, name);
        if (y == NULL) {
            y = scope_add(b->arena, (Block *)o, name);
            if (y == NULL)
                return false;
            y->scope = SYM_FREE;
        } else if (o->kind == SCOPE_CLASS && (y->flags & (DEF_BOUND | DEF_GLOBAL))) {
            y->flags |= DEF_FREE_CLASS;
        }
    }
    for (Scope *o = owner; o != NULL; o = o->parent)
        o->child_has_free = true;
    if (owner->kind == SCOPE_CLASS) {
        owner->needs_class_closure = true;
        return true;
    }
    scope_symbol_mangled(owner, name)->scope = SYM_CELL;
    return true;
}

static bool resolve(Builder *b, Block *n) {
    Scope *s = &n->s;
    if (!recursion_enter(" during compilation"))
        return false;
    for (int32_t i = 0; i < s->n_symbols; i++) {
        Symbol *y = s->symbols[i];
        uint32_t f = y->flags;
        if (y->scope != 0 && f == 0)
            continue; /* passed on for an inner scope */
        if (f & DEF_GLOBAL) {
            if (f & DEF_NONLOCAL)
                return directive_error(b, n, y->name, "name %R is nonlocal and global");
            y->scope = SYM_GLOBAL_EXPLICIT;
            continue;
        }
        if (f & DEF_NONLOCAL) {
            if (s->kind == SCOPE_MODULE)
                return directive_error(b, n, y->name, "nonlocal declaration not allowed at module level");
            Scope *owner = find_owner(b, s, y->name);
            if (owner == NULL)
                return directive_error(b, n, y->name, "no binding for nonlocal %R found");
            y->scope = SYM_FREE;
            if (!make_free(b, s, owner, y->name))
                return false;
            continue;
        }
        if (f & DEF_BOUND) {
            if (y->scope != SYM_CELL)
                y->scope = SYM_LOCAL;
            continue;
        }
        Scope *owner = s->kind == SCOPE_MODULE ? NULL : find_owner(b, s, y->name);
        if (owner != NULL) {
            y->scope = SYM_FREE;
            if (!make_free(b, s, owner, y->name))
                return false;
            continue;
        }
        y->scope = SYM_GLOBAL_IMPLICIT;
        if (s->nested)
            s->has_free = true;
    }
    for (int32_t i = 0; i < s->n_children; i++)
        if (!resolve(b, (Block *)s->children[i]))
            return false;
    return true;
}

Symtable *symtable_build(AstModule *m, Value filename, int future_flags) {
    Builder b = {.arena = m->arena,
                 .filename = filename,
                 .future_flags = future_flags,
                 .class_ = ID("__class__"),
                 .super_ = ID("super")};
    Block *top = enter(&b, SCOPE_MODULE, ID("top"), m, (AstPos){0, 0, 0, 0});
    if (top == NULL)
        return NULL;
    b.top = top;
    m->scope = &top->s;
    bool ok = m->kind == MOD_Expression ? visit_expr(&b, m->expr) : visit_stmts(&b, m->body);
    if (!ok || !resolve(&b, top))
        return NULL;
    Symtable *t = arena_alloc(m->arena, sizeof *t);
    if (t != NULL)
        *t = (Symtable){&top->s, filename, future_flags, m->arena};
    return t;
}

/* ---- future statements ---- */

static int feature_flags(Stmt *s, Value filename) {
    int flags = 0;
    static const char *const old[] = {"nested_scopes",  "generators",     "division",         "absolute_import",
                                      "with_statement", "print_function", "unicode_literals", "generator_stop"};
    for (int32_t i = 0; i < s->ImportFrom.names.n; i++) {
        Value name = s->ImportFrom.names.v[i]->name;
        bool known = false;
        for (size_t k = 0; k < ARRAY_LEN(old); k++)
            known |= str_equal_c(name, old[k]);
        if (known)
            continue;
        if (str_equal_c(name, "annotations")) {
            flags |= FUTURE_ANNOTATIONS;
        } else if (str_equal_c(name, "barry_as_FLUFL")) {
            flags |= FUTURE_BARRY_AS_BDFL;
        } else {
            if (str_equal_c(name, "braces"))
                syntax_error_point(filename, s->pos, "not a chance");
            else
                syntax_error_point(filename, s->pos, "future feature %S is not defined", name);
            return -1;
        }
    }
    return flags;
}

int future_features(AstModule *m, Value filename, int *last_line) {
    *last_line = -1;
    if (m->kind == MOD_Expression)
        return 0;
    int flags = 0, line = 0;
    bool done = false;
    for (int32_t i = ast_docstring(m->body) != ABSENT ? 1 : 0; i < m->body.n; i++) {
        Stmt *s = m->body.v[i];
        if (done && s->pos.lineno > line)
            break;
        line = s->pos.lineno;
        if (s->kind != STMT_ImportFrom || s->ImportFrom.module == ABSENT ||
            !str_equal_c(s->ImportFrom.module, "__future__")) {
            done = true;
            continue;
        }
        if (done) {
            syntax_error_point(filename, s->pos, "from __future__ imports must occur at the beginning of the file");
            return -1;
        }
        int f = feature_flags(s, filename);
        if (f < 0)
            return -1;
        flags |= f;
        *last_line = s->pos.lineno;
    }
    return flags;
}

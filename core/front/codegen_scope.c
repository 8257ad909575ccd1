/* What opens a scope: functions, classes, lambdas, comprehensions. */
#include "front/codegen.h"

#include "front/fold.h"
#include "front/scan.h"
#include "object/str.h"
#include "object/tuple.h"

/* ---- units ---- */
static Value qualified_name(Gen *g, Unit *outer, UnitKind kind, Value name) {
    if (!outer || outer->kind == UNIT_MODULE)
        return name;
    if (kind == UNIT_FUNCTION || kind == UNIT_ASYNC_FUNCTION || kind == UNIT_CLASS) {
        Symbol *sym = find_symbol(outer, name);
        if (sym && sym->scope == SYM_GLOBAL_EXPLICIT)
            return name;
    }
    bool function = outer->kind == UNIT_FUNCTION || outer->kind == UNIT_ASYNC_FUNCTION || outer->kind == UNIT_LAMBDA;
    Value q = str_format_c(function ? "%S.<locals>.%S" : "%S.%S", outer->qualname, name);
    if (q == ABSENT || arena_keep(g->arena, q) == ABSENT) {
        fail(g);
        return name;
    }
    return q;
}

static void sort_symbols(Symbol **v, uint32_t n) {
    for (uint32_t i = 1; i < n; i++) {
        Symbol *x = v[i];
        uint32_t j = i;
        for (; j > 0 && str_cmp(v[j - 1]->name, x->name) > 0; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static void add_param(Unit *u, Value name) {
    Value m = mangled(u, name);
    Symbol *sym = scope_symbol_mangled(u->scope, m);
    ASSERT(u->g->failed || sym);
    if (sym)
        sym->index = (int32_t)u->n_varnames;
    u->varnames[u->n_varnames++] = m;
}

static void add_params(Unit *u, AstArguments *a, const AstPos *pos) {
    ArgSeq seqs[3] = {a->posonlyargs, a->args, a->kwonlyargs};
    for (int k = 0; k < 3; k++)
        for (int32_t i = 0; i < seqs[k].n; i++) {
            forbidden_name(u, seqs[k].v[i]->arg, CTX_Store, pos);
            add_param(u, seqs[k].v[i]->arg);
        }
    AstArg *rest[2] = {a->vararg, a->kwarg};
    for (int k = 0; k < 2; k++)
        if (rest[k]) {
            forbidden_name(u, rest[k]->arg, CTX_Store, pos);
            add_param(u, rest[k]->arg);
        }
    u->posonlyargcount = (uint32_t)a->posonlyargs.n;
    u->argcount = (uint32_t)(a->posonlyargs.n + a->args.n);
    u->kwonlyargcount = (uint32_t)a->kwonlyargs.n;
}

static void lay_out_variables(Unit *u, AstArguments *args, bool dot0) {
    Scope *s = u->scope;
    bool function = u->kind != UNIT_MODULE && u->kind != UNIT_CLASS;
    uint32_t n = (uint32_t)s->n_symbols;
    u->class_cell = -1;
    u->varnames = arena_alloc(u->arena, (n + 8) * sizeof(Value));
    u->cellvars = arena_alloc(u->arena, (n + 1) * sizeof(Value));
    u->freevars = arena_alloc(u->arena, (n + 1) * sizeof(Value));
    u->cell_regs = arena_alloc(u->arena, (n + 1) * sizeof(uint16_t));
    Symbol **sorted = arena_alloc(u->arena, (n + 1) * sizeof *sorted);
    if (!u->varnames || !u->cellvars || !u->freevars || !u->cell_regs || !sorted) {
        fail(u->g);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        s->symbols[i]->index = -1;
    if (function) {
        if (dot0) {
            Symbol *sym = scope_symbol_mangled(s, ID(".0"));
            if (sym)
                sym->index = 0;
            u->varnames[u->n_varnames++] = ID(".0");
            u->argcount = 1;
        }
        if (args)
            add_params(u, args, u->kind == UNIT_LAMBDA ? &((const Expr *)s->node)->pos : &((const Stmt *)s->node)->pos);
        for (uint32_t i = 0; i < n; i++) {
            Symbol *sym = s->symbols[i];
            if (sym->scope == SYM_LOCAL && sym->index < 0) {
                sym->index = (int32_t)u->n_varnames;
                u->varnames[u->n_varnames++] = sym->name;
            }
        }
    }
    u->n_locals = u->n_varnames;
    uint32_t m = 0;
    if (function)
        for (uint32_t i = 0; i < n; i++)
            if (s->symbols[i]->scope == SYM_CELL)
                sorted[m++] = s->symbols[i];
    sort_symbols(sorted, m);
    /* Parameters among them first, in their order: they keep their registers. */
    for (uint32_t reg = 0; m && reg < u->n_varnames; reg++) {
        Symbol *sym = scope_symbol_mangled(s, u->varnames[reg]);
        if (sym && sym->scope == SYM_CELL) {
            u->cell_regs[u->n_cellvars] = (uint16_t)reg;
            u->cellvars[u->n_cellvars++] = sym->name;
        }
    }
    for (uint32_t i = 0; i < m; i++) {
        if (sorted[i]->index >= 0)
            continue;
        sorted[i]->index = (int32_t)u->n_locals++;
        u->cell_regs[u->n_cellvars] = (uint16_t)sorted[i]->index;
        u->cellvars[u->n_cellvars++] = sorted[i]->name;
    }
    if (u->kind == UNIT_CLASS && s->needs_class_closure) {
        u->class_cell = (int)u->n_locals++;
        u->cell_regs[u->n_cellvars] = (uint16_t)u->class_cell;
        u->cellvars[u->n_cellvars++] = ID("__class__");
    }
    m = 0;
    for (uint32_t i = 0; i < n; i++)
        if (s->symbols[i]->scope == SYM_FREE || (s->symbols[i]->flags & DEF_FREE_CLASS))
            sorted[m++] = s->symbols[i];
    sort_symbols(sorted, m);
    for (uint32_t i = 0; i < m; i++) {
        sorted[i]->index = (int32_t)i;
        u->freevars[u->n_freevars++] = sorted[i]->name;
    }
}

static uint32_t code_flags(Unit *u) {
    Scope *s = u->scope;
    uint32_t f = 0;
    if (s->kind == SCOPE_FUNCTION) {
        f |= CO_OPTIMIZED | CO_NEWLOCALS;
        if (s->nested)
            f |= CO_NESTED;
        bool generator = s->is_generator || s->is_genexpr;
        if (generator)
            f |= s->is_coroutine ? CO_ASYNC_GENERATOR : CO_GENERATOR;
        else if (s->is_coroutine)
            f |= CO_COROUTINE;
        if (s->has_varargs)
            f |= CO_VARARGS;
        if (s->has_varkeywords)
            f |= CO_VARKEYWORDS;
    } else if (u->g->top_level_await && s->is_coroutine) {
        f |= s->is_generator ? CO_ASYNC_GENERATOR : CO_COROUTINE;
    }
    return f | (uint32_t)(u->g->future_flags & 0x1fe0000);
}

Unit *unit_enter(Gen *g, Scope *scope, UnitKind kind, Value name, int32_t firstlineno, AstArguments *args) {
    Unit *u = arena_zalloc(g->arena, sizeof *u);
    if (!u) {
        fail(g);
        return g->unit;
    }
    u->g = g;
    u->arena = g->arena;
    u->outer = g->unit;
    u->scope = scope;
    u->kind = kind;
    u->name = name;
    u->firstlineno = firstlineno;
    u->handler = -1;
    u->reachable = true;
    u->first_param = ABSENT;
    u->qualname = qualified_name(g, u->outer, kind, name);
    at_none(u);
    if (consts_init(&u->consts, g->arena) < 0)
        fail(g);
    lay_out_variables(u, args, kind == UNIT_COMPREHENSION);
    u->state_words = (u->n_locals + 63) / 64;
    if (!u->state_words)
        u->state_words = 1;
    u->state = arena_zalloc(u->arena, (size_t)u->state_words * 3 * sizeof *u->state);
    if (!u->state) {
        fail(g);
    } else {
        u->deletable = u->state + u->state_words;
        u->rebound = u->deletable + u->state_words;
    }
    g->unit = u;
    if (g->failed)
        return u;
    u->ins = g->spare_instrs;
    u->cap = g->spare_cap;
    g->spare_instrs = NULL;
    g->spare_cap = 0;
    u->flags = code_flags(u);
    set_depth(u, u->n_locals);
    uint32_t n_params = u->argcount + u->kwonlyargcount + !!(u->flags & CO_VARARGS) + !!(u->flags & CO_VARKEYWORDS);
    for (uint32_t i = 0; i < n_params && kind != UNIT_MODULE && kind != UNIT_CLASS; i++)
        mark_bound(u, (int)i);
    if (args && args->posonlyargs.n + args->args.n > 0)
        u->first_param = (args->posonlyargs.n ? args->posonlyargs.v[0] : args->args.v[0])->arg;
    if (u->flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) {
        /* What is thrown in before the start is raised here, outside all handlers. */
        u->pos = (CodePos){firstlineno, firstlineno, -1, -1};
        emit(u, OP_NOP, 0, 0, 0);
        at_none(u);
    }
    for (uint32_t i = 0; i < u->n_cellvars; i++)
        emit(u, OP_MAKE_CELL, u->cell_regs[i], 0, 0);
    return u;
}

static void emit_return_none(Unit *u, CodePos pos) {
    u->pos = pos;
    emit(u, OP_RETURN_CONST, 0, add_const(u, V_NONE), 0);
}

/* What falls off the end returns None on the line that it comes from: jumps to the end get returns of their own, one
 * per line. */
static void implicit_return(Unit *u) {
    uint32_t end = u->n;
    bool joined = u->bound_at == (int32_t)end, falls = true;
    u->handler = -1;
    if (!end) {
        emit_return_none(u, (CodePos){u->firstlineno, u->firstlineno, -1, -1});
        return;
    }
    if (joined) {
        int op = u->ins[end - 1].op;
        falls = !(instr_info[op].effects[strcspn(instr_info[op].effects, "E")] || op == OP_JUMP);
    }
    if (falls)
        emit_return_none(u, u->ins[end - 1].pos);
    for (uint32_t i = 0; joined && i < end && !u->g->failed; i++) {
        AsmInstr *x = &u->ins[i];
        const char *kinds = instr_info[x->op].operands;
        uint32_t *target = kinds[1] == 'J' ? &x->b : kinds[2] == 'J' ? &x->c : NULL;
        if (!target || u->labels[*target].at != (int32_t)end)
            continue;
        CodePos pos = x->pos;
        for (uint32_t k = i; pos.line < 0 && k-- > 0;)
            pos = u->ins[k].pos;
        if (x->op == OP_JUMP) {
            *x = (AsmInstr){
                .op = OP_RETURN_CONST, .depth = x->depth, .b = add_const(u, V_NONE), .handler = -1, .pos = pos};
            continue;
        }
        uint32_t found = end;
        while (found < u->n && u->ins[found].pos.line != pos.line)
            found++;
        if (found == u->n) {
            u->reachable = true;
            u->depth = u->n_locals;
            emit_return_none(u, pos);
        }
        Label l = new_label(u);
        if (u->g->failed)
            return;
        u->labels[l].at = (int32_t)found;
        u->labels[l].depth = (int32_t)u->n_locals;
        x = &u->ins[i];
        *(kinds[1] == 'J' ? &x->b : &x->c) = (uint32_t)l;
    }
}

Value unit_leave(Gen *g) {
    Unit *u = g->unit;
    Value code = ABSENT;
    if (!g->failed && u->reachable)
        implicit_return(u);
    if (!g->failed) {
        if (!COUNT_EXACT)
            own_locals(u);
        code = assemble(u);
        if (code == ABSENT || arena_keep(g->arena, code) == ABSENT) {
            code = ABSENT;
            fail(g);
        }
    }
    consts_fini(&u->consts);
    if (!g->spare_instrs) {
        g->spare_instrs = u->ins;
        g->spare_cap = u->cap;
    } else {
        free(u->ins);
    }
    u->ins = NULL;
    g->unit = u->outer;
    return code;
}

/* ---- functions ---- */

/* The cells that code's free variables need, as a tuple in the next temporary. */
static void load_closure(Unit *u, Value code) {
    Value names = ref_peek(&((Code *)code)->freevars);
    uint32_t base = u->depth;
    for (intptr_t i = 0; i < tuple_len(names); i++) {
        Value name = tuple_get(names, i);
        Symbol *sym = scope_symbol_mangled(u->scope, name);
        if (u->class_cell >= 0 && name == ID("__class__")) {
            emit(u, OP_MOVE, u->depth, (uint32_t)u->class_cell, 0);
        } else if (sym && sym->scope == SYM_CELL && u->kind != UNIT_CLASS) {
            emit(u, OP_MOVE, u->depth, (uint32_t)sym->index, 0);
        } else if (sym) { /* always: a free variable of the code is one of the scope around it */
            ASSERT(sym->index >= 0);
            emit(u, OP_LOAD_CLOSURE, u->depth, (uint32_t)sym->index, 0);
        }
        set_depth(u, u->depth + 1);
    }
    emit(u, OP_BUILD_TUPLE, base, base, u->depth - base);
    set_depth(u, base + 1);
}

static void add_annotation(Unit *u, Value name, Expr *annotation) {
    if (!annotation)
        return;
    load_const(u, mangled(u, name), TEMP);
    if (annotation->kind == EXPR_Starred && !(u->g->future_flags & FUTURE_ANNOTATIONS)) {
        /* *args: *Ts */
        int r = expr(u, annotation->Starred.value, TEMP);
        emit(u, OP_UNPACK, (uint32_t)r, (uint32_t)r, 1);
        return;
    }
    load_annotation(u, annotation, TEMP);
}

static void add_annotations(Unit *u, ArgSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        add_annotation(u, s.v[i]->arg, s.v[i]->annotation);
}

/* The function object of code, where it is wanted. args and returns may be NULL. */
static int make_function(Unit *u, Value code, AstArguments *args, Expr *returns, int want, const AstPos *pos) {
    uint32_t base = u->depth, bits = 0;
    if (code == ABSENT)
        return want >= 0 ? want : push_temp(u);
    at(u, pos);
    emit(u, OP_LOAD_CONST, base, u->reachable ? add_const(u, code) : 0, 0);
    set_depth(u, base + 1);
    if (args && args->defaults.n) {
        bits |= 1;
        bool constant = true;
        for (int32_t i = 0; i < args->defaults.n; i++)
            constant &= fold(u, args->defaults.v[i]);
        if (constant) {
            Value t = tuple_new(args->defaults.n);
            if (t == ABSENT || arena_keep(u->arena, t) == ABSENT) {
                fail(u->g);
            } else {
                for (int32_t i = 0; i < args->defaults.n; i++)
                    tuple_init_item(t, i, retained(args->defaults.v[i]->Constant.value));
                tuple_track(t);
                load_const(u, t, TEMP);
            }
        } else {
            uint32_t t = u->depth;
            exprs_temp(u, args->defaults);
            at(u, pos);
            emit(u, OP_BUILD_TUPLE, t, t, (uint32_t)args->defaults.n);
            set_depth(u, t + 1);
        }
    }
    if (args) {
        uint32_t t = u->depth, n = 0;
        for (int32_t i = 0; i < args->kwonlyargs.n; i++)
            if (args->kw_defaults.v[i]) {
                load_const(u, mangled(u, args->kwonlyargs.v[i]->arg), TEMP);
                expr(u, args->kw_defaults.v[i], TEMP);
                n++;
            }
        if (n) {
            bits |= 2;
            at(u, pos);
            emit(u, OP_BUILD_MAP, t, t, n);
            set_depth(u, t + 1);
        }
        t = u->depth;
        add_annotations(u, args->args);
        add_annotations(u, args->posonlyargs);
        if (args->vararg)
            add_annotation(u, args->vararg->arg, args->vararg->annotation);
        add_annotations(u, args->kwonlyargs);
        if (args->kwarg)
            add_annotation(u, args->kwarg->arg, args->kwarg->annotation);
        add_annotation(u, ID("return"), returns);
        if (u->depth > t) {
            bits |= 4;
            at(u, pos);
            emit(u, OP_BUILD_TUPLE, t, t, u->depth - t);
            set_depth(u, t + 1);
        }
    }
    if (tuple_len(ref_peek(&((Code *)code)->freevars))) {
        bits |= 8;
        load_closure(u, code);
    }
    at(u, pos);
    int d = dest(u, want, base);
    emit(u, OP_MAKE_FUNCTION, (uint32_t)d, base, bits);
    return done(u, d, base);
}

/* Decorators are evaluated first, each the callable of a block that will take the next one's result. Returns the depth
 * before them. */
static uint32_t begin_decorators(Unit *u, ExprSeq decorators, uint32_t *holes) {
    uint32_t base = u->depth;
    for (int32_t i = 0; i < decorators.n; i++) {
        expr(u, decorators.v[i], TEMP);
        holes[i] = u->n;
        set_depth(u, u->depth - 1 + FRAME_WORDS);
    }
    return base;
}

/* Calls them on the value on top; the result is in register base (or, without decorators, where it was). */
static void apply_decorators(Unit *u, ExprSeq decorators, const uint32_t *holes, uint32_t base) {
    for (int32_t i = decorators.n - 1; i >= 0; i--) {
        uint32_t block = base + (uint32_t)i * FRAME_WORDS;
        at(u, &decorators.v[i]->pos);
        call_simple(u, block, 1, (int)block, holes[i]);
    }
}

static void scan_locals(Unit *u, StmtSeq body, Expr *e) {
    if (!u->g->failed && scan_scope(u, body, e) < 0)
        fail(u->g);
}

void compile_function(Unit *u, Stmt *s, bool is_async) {
    ExprSeq decorators = s->FunctionDef.decorator_list;
    int32_t firstlineno = decorators.n ? decorators.v[0]->pos.lineno : s->pos.lineno;
    Value name = s->FunctionDef.name;
    uint32_t *holes = arena_alloc(u->arena, ((size_t)decorators.n + 1) * sizeof *holes);
    if (!holes) {
        fail(u->g);
        return;
    }
    if (forbidden_name(u, name, CTX_Store, &s->pos))
        return;
    uint32_t base = begin_decorators(u, decorators, holes);
    Unit *f = unit_enter(u->g, s->FunctionDef.scope, is_async ? UNIT_ASYNC_FUNCTION : UNIT_FUNCTION, name, firstlineno,
                         s->FunctionDef.args);
    if (!u->g->failed) {
        Value doc = u->g->optimize >= 2 ? ABSENT : ast_docstring(s->FunctionDef.body);
        add_const(f, doc == ABSENT ? V_NONE : doc);
        scan_locals(f, s->FunctionDef.body, NULL);
        stmts(f, s->FunctionDef.body);
    }
    Value code = f == u ? ABSENT : unit_leave(u->g);
    Symbol *sym = find_symbol(u, name);
    int reg = local_register(u, sym);
    bool direct = reg >= 0 && !decorators.n;
    int r = make_function(u, code, s->FunctionDef.args, s->FunctionDef.returns, direct ? reg : TEMP, &s->pos);
    if (direct)
        return;
    if (decorators.n) {
        apply_decorators(u, decorators, holes, base);
        r = (int)base;
    }
    at(u, &s->pos);
    store_name(u, sym, name, r, false);
}

int compile_lambda(Unit *u, Expr *e, int want) {
    Unit *f = unit_enter(u->g, e->Lambda.scope, UNIT_LAMBDA, ID("<lambda>"), e->pos.lineno, e->Lambda.args);
    if (!u->g->failed) {
        add_const(f, V_NONE); /* no docstring */
        scan_locals(f, (StmtSeq){NULL, 0}, e->Lambda.body);
        int r = expr_last(f, e->Lambda.body);
        at(f, &e->Lambda.body->pos);
        emit(f, OP_RETURN, 0, (uint32_t)r, 0);
        f->reachable = false;
    }
    Value code = f == u ? ABSENT : unit_leave(u->g);
    return make_function(u, code, e->Lambda.args, NULL, want, &e->pos);
}

/* ---- classes ---- */
static bool has_annotations(StmtSeq body);
static bool stmt_has_annotations(Stmt *s) {
    switch (s->kind) {
    case STMT_AnnAssign:
        return true;
    case STMT_For:
    case STMT_AsyncFor:
        return has_annotations(s->For.body) || has_annotations(s->For.orelse);
    case STMT_While:
    case STMT_If:
        return has_annotations(s->If.body) || has_annotations(s->If.orelse);
    case STMT_With:
    case STMT_AsyncWith:
        return has_annotations(s->With.body);
    case STMT_Match:
        for (int32_t i = 0; i < s->Match.cases.n; i++)
            if (has_annotations(s->Match.cases.v[i]->body))
                return true;
        return false;
    case STMT_Try:
    case STMT_TryStar:
        for (int32_t i = 0; i < s->Try.handlers.n; i++)
            if (has_annotations(s->Try.handlers.v[i]->body))
                return true;
        return has_annotations(s->Try.body) || has_annotations(s->Try.orelse) || has_annotations(s->Try.finalbody);
    default:
        return false;
    }
}
static bool has_annotations(StmtSeq body) {
    for (int32_t i = 0; i < body.n; i++)
        if (recursion_enter(" during compilation") ? stmt_has_annotations(body.v[i]) : (err_clear(), true))
            return true;
    return false;
}

/* Body of a module or class. */
void compile_body(Unit *u, StmtSeq body) {
    if (has_annotations(body)) {
        if (u->kind == UNIT_MODULE && body.n)
            at(u, &body.v[0]->pos);
        emit(u, OP_SETUP_ANNOTATIONS, 0, 0, 0);
    }
    bool interactive = u->kind == UNIT_MODULE && u->g->interactive;
    Value doc = u->g->optimize >= 2 || interactive ? ABSENT : ast_docstring(body);
    if (doc != ABSENT) {
        at(u, &body.v[0]->pos);
        store_name(u, NULL, ID("__doc__"), load_const(u, doc, TEMP), false);
        body.v++;
        body.n--;
    }
    stmts(u, body);
}

static void store_class_name(Unit *u, Value name) {
    emit_name(u, OP_STORE_NAME, u->depth - 1, 0, name, 0);
}

static void class_body(Unit *c, Stmt *s) {
    uint32_t base = c->depth;
    c->pos = (CodePos){c->firstlineno, c->firstlineno, -1, -1};
    emit_name(c, OP_LOAD_NAME, base, 0, ID("__name__"), 0);
    set_depth(c, base + 1);
    store_class_name(c, ID("__module__"));
    set_depth(c, base);
    load_const(c, c->qualname, TEMP);
    store_class_name(c, ID("__qualname__"));
    set_depth(c, base);
    compile_body(c, s->ClassDef.body);
    at_none(c);
    if (c->class_cell >= 0 && c->reachable) {
        emit_name(c, OP_STORE_NAME, (uint32_t)c->class_cell, 0, ID("__classcell__"), 0);
        emit(c, OP_RETURN, 0, (uint32_t)c->class_cell, 0);
        c->reachable = false;
    }
}

void compile_class(Unit *u, Stmt *s) {
    ExprSeq decorators = s->ClassDef.decorator_list;
    int32_t firstlineno = decorators.n ? decorators.v[0]->pos.lineno : s->pos.lineno;
    Value name = s->ClassDef.name;
    uint32_t *holes = arena_alloc(u->arena, ((size_t)decorators.n + 1) * sizeof *holes);
    if (!holes) {
        fail(u->g);
        return;
    }
    if (forbidden_name(u, name, CTX_Store, &s->pos))
        return;
    uint32_t outer = begin_decorators(u, decorators, holes);
    Unit *c = unit_enter(u->g, s->ClassDef.scope, UNIT_CLASS, name, firstlineno, NULL);
    if (!u->g->failed)
        class_body(c, s);
    Value code = c == u ? ABSENT : unit_leave(u->g);
    uint32_t base = u->depth;
    at(u, &s->pos);
    emit(u, OP_LOAD_BUILD_CLASS, base, 0, 0);
    uint32_t hole = u->n;
    set_depth(u, base + FRAME_WORDS);
    make_function(u, code, NULL, NULL, TEMP, &s->pos);
    load_const(u, name, TEMP);
    int r = call_rest(u, base, 2, s->ClassDef.bases, s->ClassDef.keywords, TEMP, hole, &s->pos);
    if (decorators.n) {
        apply_decorators(u, decorators, holes, outer);
        r = (int)outer;
    }
    at(u, &s->pos);
    store_name(u, find_symbol(u, name), name, r, false);
}

/* ---- comprehensions ---- */
static void comp_element(Unit *u, Expr *e, uint32_t result) {
    uint32_t base = u->depth;
    switch (e->kind) {
    case EXPR_GeneratorExp: {
        int r = expr_last(u, e->GeneratorExp.elt);
        at(u, &e->GeneratorExp.elt->pos);
        if (u->flags & CO_ASYNC_GENERATOR) {
            emit(u, OP_ASYNC_GEN_WRAP, base, (uint32_t)r, 0);
            set_depth(u, base + 1);
            r = (int)base;
        }
        emit(u, OP_YIELD, base, (uint32_t)r, NO_REG);
        set_depth(u, base + 1);
        emit(u, OP_RELEASE, base, 0, 0);
        break;
    }
    case EXPR_ListComp:
    case EXPR_SetComp: {
        int r = expr_last(u, e->ListComp.elt);
        at(u, &e->ListComp.elt->pos);
        emit(u, e->kind == EXPR_ListComp ? OP_LIST_APPEND : OP_SET_ADD, 0, result, (uint32_t)r);
        break;
    }
    default: {
        int k = expr(u, e->DictComp.key, ANY);
        int v = expr_last(u, e->DictComp.value);
        at(u, &e->DictComp.key->pos);
        u->pos.end_line = e->DictComp.value->pos.end_lineno;
        u->pos.end_col = e->DictComp.value->pos.end_col <= INT16_MAX ? (int16_t)e->DictComp.value->pos.end_col : -1;
        emit(u, OP_MAP_ADD, (uint32_t)v, result, (uint32_t)k);
        break;
    }
    }
    set_depth(u, base);
}

static void comp_generator(Unit *u, Expr *e, int32_t i, uint32_t result) {
    if (u->g->failed || !enter(u))
        return;
    AstComp *c = e->ListComp.generators.v[i];
    bool last = i + 1 == e->ListComp.generators.n;
    uint32_t base = u->depth;
    Label start = new_label(u), exit = new_label(u);
    if (!c->is_async && i > 0 && (c->iter->kind == EXPR_Tuple || c->iter->kind == EXPR_List) &&
        c->iter->Tuple.elts.n == 1 && c->iter->Tuple.elts.v[0]->kind != EXPR_Starred) {
        /* `for x in [value]`: an assignment */
        Label skip = new_label(u);
        assign(u, c->target, expr(u, c->iter->Tuple.elts.v[0], TEMP), false);
        for (int32_t k = 0; k < c->ifs.n; k++)
            cond(u, c->ifs.v[k], skip, false);
        if (last)
            comp_element(u, e, result);
        else
            comp_generator(u, e, i + 1, result);
        codegen_bind(u, skip);
        return;
    }
    at(u, &c->iter->pos);
    if (c->is_async) {
        if (i == 0) {
            emit(u, OP_MOVE, base, 0, 0);
        } else {
            int r = expr_last(u, c->iter);
            at(u, &c->iter->pos);
            emit(u, OP_GET_AITER, base, (uint32_t)r, 0);
        }
        set_depth(u, base + 1);
        bind_loop(u, start);
        int outer = u->handler;
        int h = handler_begin(u, exit);
        anext_top(u, base);
        handler_end(u, outer);
        assign(u, c->target, (int)base + 1, false);
        for (int32_t k = 0; k < c->ifs.n; k++)
            cond(u, c->ifs.v[k], start, false);
        if (last)
            comp_element(u, e, result);
        else
            comp_generator(u, e, i + 1, result);
        at(u, &e->pos);
        jump(u, start);
        handler_bind(u, h);
        at(u, &c->iter->pos);
        emit(u, OP_END_ASYNC_FOR, base + 1, 0, 0);
        set_depth(u, base + 1);
        emit(u, OP_RELEASE, base, 0, 0);
        set_depth(u, base);
        return;
    }
    if (i == 0) {
        emit(u, OP_FOR_PREP, base, 0, 0);
        set_depth(u, base + 3);
    } else {
        for_prepare(u, c->iter);
    }
    at(u, &e->pos);
    for_next(u, base, c->target, start, exit);
    for (int32_t k = 0; k < c->ifs.n; k++)
        cond(u, c->ifs.v[k], start, false);
    if (last)
        comp_element(u, e, result);
    else
        comp_generator(u, e, i + 1, result);
    at(u, &e->pos);
    jump(u, start);
    set_depth(u, base);
    codegen_bind(u, exit);
}

int compile_comprehension(Unit *u, Expr *e, int want) {
    static const char *const names[] = {[EXPR_ListComp] = "<listcomp>",
                                        [EXPR_SetComp] = "<setcomp>",
                                        [EXPR_DictComp] = "<dictcomp>",
                                        [EXPR_GeneratorExp] = "<genexpr>"};
    uint32_t base = u->depth;
    AstComp *first = e->ListComp.generators.v[0];
    bool generator = e->kind == EXPR_GeneratorExp;
    Value name = str_intern_static(names[e->kind]);
    Scope *scope = e->ListComp.scope;
    bool is_async = scope->is_coroutine;
    if (is_async && !generator && u->kind != UNIT_ASYNC_FUNCTION && u->kind != UNIT_COMPREHENSION &&
        !(u->g->top_level_await && u->scope->kind != SCOPE_FUNCTION)) {
        error_at(u, &e->pos, "asynchronous comprehension outside of an asynchronous function");
        return want >= 0 ? want : push_temp(u);
    }
    Unit *f = unit_enter(u->g, scope, UNIT_COMPREHENSION, name, e->pos.lineno, NULL);
    if (!u->g->failed) {
        uint32_t result = f->depth;
        scan_locals(f, (StmtSeq){NULL, 0}, NULL);
        if (!generator) {
            at(f, &e->pos);
            emit(f,
                 e->kind == EXPR_ListComp  ? OP_BUILD_LIST
                 : e->kind == EXPR_SetComp ? OP_BUILD_SET
                                           : OP_BUILD_MAP,
                 result, result, 0);
            set_depth(f, result + 1);
        }
        comp_generator(f, e, 0, result);
        if (!generator) {
            at(f, &e->pos);
            emit(f, OP_RETURN, 0, result, 0);
            f->reachable = false;
        }
    }
    Value code = f == u ? ABSENT : unit_leave(u->g);
    make_function(u, code, NULL, NULL, TEMP, &e->pos);
    uint32_t hole = u->n;
    set_depth(u, base + FRAME_WORDS);
    if (fold_iterable(u->arena, first->iter, u->g->optimize) < 0)
        fail(u->g);
    int r = expr_last(u, first->iter);
    at(u, &e->pos);
    emit(u, first->is_async ? OP_GET_AITER : OP_GET_ITER, base + FRAME_WORDS, (uint32_t)r, 0);
    set_depth(u, base + FRAME_WORDS + 1);
    bool awaited = is_async && !generator;
    int d = awaited ? (int)base : dest(u, want, base);
    call_simple(u, base, 1, d, hole);
    if (!awaited)
        return d;
    await_top(u, 0);
    return load_move(u, (int)base, want);
}

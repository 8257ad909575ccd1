/* Statements that neither jump nor open a scope. */
#include "front/codegen.h"

#include "front/fold.h"
#include "front/unparse.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"

enum { MAX_PARALLEL = 16 };

/* ---- assignment ---- */

/* Remembers that a method assigns self.name: the class's instances are given room for so many attributes. */
static void note_self_attr(Unit *u, Expr *object, Value name) {
    enum { MAX_HINT = 64 };
    Unit *cls = u->outer;
    if (object->kind != EXPR_Name || u->first_param == ABSENT || object->Name.id != u->first_param || !cls ||
        cls->kind != UNIT_CLASS)
        return;
    for (uint32_t i = 0; i < cls->n_self_attrs; i++)
        if (cls->self_attrs[i] == name)
            return;
    if (cls->n_self_attrs >= MAX_HINT)
        return;
    if (!cls->self_attrs) {
        cls->self_attrs = arena_alloc(u->arena, MAX_HINT * sizeof(Value));
        if (!cls->self_attrs) {
            fail(u->g);
            return;
        }
    }
    cls->self_attrs[cls->n_self_attrs++] = name;
}

/* The value in reg, the top temporary (consumed) or a local, is taken apart; the first item comes to lie on top. */
static void unpack(Unit *u, ExprSeq targets, int reg, bool keep, const AstPos *pos) {
    uint32_t base = is_temp(u, reg) && !keep ? u->depth - 1 : u->depth;
    int32_t star = -1;
    for (int32_t i = 0; i < targets.n; i++)
        if (targets.v[i]->kind == EXPR_Starred) {
            if (star >= 0) {
                error_at(u, pos, "multiple starred expressions in assignment");
                return;
            }
            star = i;
        }
    at(u, pos);
    if (star < 0) {
        emit_keep(u, OP_UNPACK, base, (uint32_t)reg, (uint32_t)targets.n, keep ? KEEP_B : 0);
    } else {
        int32_t after = targets.n - star - 1;
        if (star > 255 || after > 255) {
            error_at(u, pos, "too many expressions in star-unpacking assignment");
            return;
        }
        emit_keep(u, OP_UNPACK_EX, base, (uint32_t)reg, (uint32_t)(star | after << 8), keep ? KEEP_B : 0);
    }
    set_depth(u, base + (uint32_t)targets.n);
    for (int32_t i = 0; i < targets.n && !u->g->failed; i++) {
        Expr *t = targets.v[i];
        assign(u, t->kind == EXPR_Starred ? t->Starred.value : t, (int)u->depth - 1, false);
    }
}

void assign(Unit *u, Expr *t, int reg, bool keep) {
    if (u->g->failed || !enter(u))
        return;
    uint32_t base = is_temp(u, reg) && !keep ? u->depth - 1 : u->depth;
    switch (t->kind) {
    case EXPR_Name:
        if (forbidden_name(u, t->Name.id, CTX_Store, &t->pos))
            return;
        at(u, &t->pos);
        store_name(u, t->Name.sym, t->Name.id, reg, keep);
        return;
    case EXPR_Attribute: {
        if (forbidden_name(u, t->Attribute.attr, CTX_Store, &t->pos))
            return;
        int o = expr_last(u, t->Attribute.value);
        Value name = mangled(u, t->Attribute.attr);
        note_self_attr(u, t->Attribute.value, name);
        at(u, &t->pos);
        at_name_of(u, t);
        emit_name(u, OP_STORE_ATTR, (uint32_t)reg, (uint32_t)o, name, keep ? KEEP_A : 0);
        break;
    }
    case EXPR_Subscript: {
        int o = expr(u, t->Subscript.value, ANY);
        int i = expr_last(u, t->Subscript.slice);
        at(u, &t->pos);
        emit_keep(u, OP_SETITEM, (uint32_t)reg, (uint32_t)o, (uint32_t)i, keep ? KEEP_A : 0);
        break;
    }
    case EXPR_Tuple:
    case EXPR_List:
        unpack(u, t->Tuple.elts, reg, keep, &t->pos);
        break;
    case EXPR_Starred:
        error_at(u, &t->pos, "starred assignment target must be in a list or tuple");
        return;
    default:
        UNREACHABLE();
    }
    set_depth(u, base);
}

/* a, b = x, y: without a tuple in between. */
static bool parallel_assign(Unit *u, Expr *target, Expr *value) {
    if ((target->kind != EXPR_Tuple && target->kind != EXPR_List) ||
        (value->kind != EXPR_Tuple && value->kind != EXPR_List))
        return false;
    ExprSeq t = target->Tuple.elts, v = value->Tuple.elts;
    if (t.n != v.n || t.n > MAX_PARALLEL || t.n == 0)
        return false;
    bool locals = true, constants = true;
    for (int32_t i = 0; i < t.n; i++) {
        if (t.v[i]->kind == EXPR_Starred || v.v[i]->kind == EXPR_Starred)
            return false;
        constants &= fold(u, v.v[i]);
        int reg = t.v[i]->kind == EXPR_Name ? local_register(u, t.v[i]->Name.sym) : -1;
        if (reg < 0 || state_has(u->rebound, reg)) {
            locals = false;
            continue;
        }
        for (int32_t j = 0; j < i && locals; j++)
            locals = t.v[j]->Name.sym != t.v[i]->Name.sym;
    }
    uint32_t base = u->depth;
    if (locals && constants) {
        for (int32_t i = 0; i < t.n; i++)
            expr(u, v.v[i], local_register(u, t.v[i]->Name.sym));
        return true;
    }
    if (locals) {
        for (int32_t i = 0; i < t.n - 1; i++)
            expr(u, v.v[i], TEMP);
        expr(u, v.v[t.n - 1], local_register(u, t.v[t.n - 1]->Name.sym));
        for (int32_t i = t.n - 2; i >= 0; i--)
            assign(u, t.v[i], (int)base + i, false);
        return true;
    }
    exprs_temp(u, v);
    for (int32_t i = 0; i < t.n; i++)
        assign(u, t.v[i], (int)base + i, true);
    at(u, &target->pos);
    for (int32_t i = t.n - 1; i >= 0; i--)
        drop(u, (int)base + i);
    return true;
}

static void compile_assign(Unit *u, Stmt *s) {
    ExprSeq targets = s->Assign.targets;
    Expr *value = s->Assign.value, *t = targets.v[0];
    if (targets.n == 1) {
        if (parallel_assign(u, t, value))
            return;
        if (t->kind == EXPR_Name) {
            int reg = local_register(u, t->Name.sym);
            if (reg >= 0 && !forbidden_name(u, t->Name.id, CTX_Store, &t->pos)) {
                expr(u, value, reg);
                return;
            }
        }
        assign(u, t, expr(u, value, ANY), false);
        return;
    }
    int r = expr(u, value, TEMP);
    for (int32_t i = 0; i < targets.n; i++)
        assign(u, targets.v[i], r, i < targets.n - 1);
}

static void aug_assign(Unit *u, Stmt *s) {
    uint32_t base = u->depth;
    Expr *t = s->AugAssign.target, *value = s->AugAssign.value;
    BinOpKind op = s->AugAssign.op;
    switch (t->kind) {
    case EXPR_Name: {
        if (forbidden_name(u, t->Name.id, CTX_Store, &t->pos))
            return;
        at(u, &t->pos);
        int l = load_name(u, t->Name.sym, t->Name.id, ANY, false);
        int reg = local_register(u, t->Name.sym);
        int r = binary_rest(u, op, l, value, reg >= 0 ? reg : TEMP, base, &s->pos, true);
        if (reg < 0) {
            at(u, &t->pos);
            store_name(u, t->Name.sym, t->Name.id, r, false);
        }
        return;
    }
    case EXPR_Attribute: {
        if (forbidden_name(u, t->Attribute.attr, CTX_Store, &t->pos))
            return;
        int o = expr(u, t->Attribute.value, ANY);
        Value name = mangled(u, t->Attribute.attr);
        uint32_t top = u->depth;
        at(u, &t->pos);
        at_name_of(u, t);
        emit_name(u, OP_LOAD_ATTR, top, (uint32_t)o, name, KEEP_B);
        set_depth(u, top + 1);
        int r = binary_rest(u, op, (int)top, value, TEMP, top, &s->pos, true);
        note_self_attr(u, t->Attribute.value, name);
        at(u, &t->pos);
        at_name_of(u, t);
        emit_name(u, OP_STORE_ATTR, (uint32_t)r, (uint32_t)o, name, 0);
        set_depth(u, base);
        return;
    }
    case EXPR_Subscript: {
        int o = expr(u, t->Subscript.value, ANY);
        int i = expr(u, t->Subscript.slice, ANY);
        uint32_t top = u->depth;
        at(u, &t->pos);
        emit_keep(u, OP_GETITEM, top, (uint32_t)o, (uint32_t)i, KEEP_B | KEEP_C);
        set_depth(u, top + 1);
        int r = binary_rest(u, op, (int)top, value, TEMP, top, &s->pos, true);
        at(u, &t->pos);
        emit(u, OP_SETITEM, (uint32_t)r, (uint32_t)o, (uint32_t)i);
        set_depth(u, base);
        return;
    }
    default:
        UNREACHABLE();
    }
}

void load_annotation(Unit *u, Expr *e, int want) {
    if (!(u->g->future_flags & FUTURE_ANNOTATIONS)) {
        expr(u, e, want);
        return;
    }
    Value s = unparse_expr(e);
    if (s == ABSENT || arena_keep(u->arena, s) == ABSENT) {
        fail(u->g);
        return;
    }
    at(u, &e->pos);
    load_const(u, s, want);
}

static void discard(Unit *u, Expr *e) {
    drop(u, expr(u, e, ANY));
}

static void ann_assign(Unit *u, Stmt *s) {
    Expr *t = s->AnnAssign.target;
    bool evaluated = u->scope->kind != SCOPE_FUNCTION && !(u->g->future_flags & FUTURE_ANNOTATIONS);
    if (s->AnnAssign.value) {
        int reg = t->kind == EXPR_Name ? local_register(u, t->Name.sym) : -1;
        if (reg >= 0 && !forbidden_name(u, t->Name.id, CTX_Store, &s->pos))
            expr(u, s->AnnAssign.value, reg);
        else
            assign(u, t, expr(u, s->AnnAssign.value, ANY), false);
    }
    switch (t->kind) {
    case EXPR_Name:
        if (forbidden_name(u, t->Name.id, CTX_Store, &s->pos))
            return;
        if (s->AnnAssign.simple && u->scope->kind != SCOPE_FUNCTION) {
            uint32_t base = u->depth;
            load_annotation(u, s->AnnAssign.annotation, TEMP);
            at(u, &s->pos);
            emit_name(u, OP_LOAD_NAME, base + 1, 0, ID("__annotations__"), 0);
            set_depth(u, base + 2);
            load_const(u, mangled(u, t->Name.id), TEMP);
            emit(u, OP_SETITEM, base, base + 1, base + 2);
            set_depth(u, base);
            return;
        }
        break;
    case EXPR_Attribute:
        if (forbidden_name(u, t->Attribute.attr, CTX_Store, &s->pos))
            return;
        if (!s->AnnAssign.value)
            discard(u, t->Attribute.value);
        break;
    case EXPR_Subscript:
        if (!s->AnnAssign.value) {
            discard(u, t->Subscript.value);
            discard(u, t->Subscript.slice);
        }
        break;
    default:
        UNREACHABLE();
    }
    if (!s->AnnAssign.simple && evaluated)
        discard(u, s->AnnAssign.annotation);
}

static void delete_target(Unit *u, Expr *t) {
    if (u->g->failed || !enter(u))
        return;
    uint32_t base = u->depth;
    switch (t->kind) {
    case EXPR_Name:
        if (forbidden_name(u, t->Name.id, CTX_Del, &t->pos))
            return;
        at(u, &t->pos);
        delete_name(u, t->Name.sym, t->Name.id, true);
        break;
    case EXPR_Attribute: {
        if (forbidden_name(u, t->Attribute.attr, CTX_Del, &t->pos))
            return;
        int o = expr_last(u, t->Attribute.value);
        at(u, &t->pos);
        at_name_of(u, t);
        emit_name(u, OP_DELETE_ATTR, 0, (uint32_t)o, mangled(u, t->Attribute.attr), 0);
        break;
    }
    case EXPR_Subscript: {
        int o = expr(u, t->Subscript.value, ANY);
        int i = expr_last(u, t->Subscript.slice);
        at(u, &t->pos);
        emit(u, OP_DELITEM, 0, (uint32_t)o, (uint32_t)i);
        break;
    }
    case EXPR_Tuple:
    case EXPR_List:
        for (int32_t i = 0; i < t->Tuple.elts.n; i++)
            delete_target(u, t->Tuple.elts.v[i]);
        break;
    default:
        UNREACHABLE();
    }
    set_depth(u, base);
}

/* ---- import ---- */

/* Part of a dotted name, interned: kept by the arena. */
static Value part(Unit *u, Value name, intptr_t lo, intptr_t hi) {
    if (lo == 0 && hi == str_len(name))
        return name;
    Value s = str_substr(name, lo, hi);
    s = s == ABSENT ? ABSENT : str_intern(s);
    if (s == ABSENT || arena_keep(u->arena, s) == ABSENT) {
        fail(u->g);
        return name;
    }
    return s;
}

static intptr_t find_dot(Value name, intptr_t from) {
    intptr_t n = str_len(name);
    for (; from < n; from++)
        if (str_at(name, from) == '.')
            return from;
    return -1;
}

/* Module object in a new temporary. */
static int import_name(Unit *u, Value name, int level, Value fromlist) {
    uint32_t base = u->depth;
    load_const(u, v_from_int(level), TEMP);
    load_const(u, fromlist, TEMP);
    emit_name(u, OP_IMPORT_NAME, base, base, name, 0);
    set_depth(u, base + 1);
    return (int)base;
}

static void compile_import(Unit *u, Stmt *s) {
    for (int32_t i = 0; i < s->Import.names.n && !u->g->failed; i++) {
        AstAlias *a = s->Import.names.v[i];
        at(u, &s->pos);
        int m = import_name(u, a->name, 0, V_NONE);
        intptr_t dot = find_dot(a->name, 0);
        if (a->asname == ABSENT) {
            Value top = dot < 0 ? a->name : part(u, a->name, 0, dot);
            if (!forbidden_name(u, top, CTX_Store, &s->pos))
                store_name(u, find_symbol(u, top), top, m, false);
            continue;
        }
        while (dot >= 0) {
            intptr_t from = dot + 1;
            dot = find_dot(a->name, from);
            Value p = part(u, a->name, from, dot < 0 ? str_len(a->name) : dot);
            emit_name(u, OP_IMPORT_FROM, (uint32_t)m + 1, (uint32_t)m, p, 0);
            set_depth(u, u->depth + 1);
            emit(u, OP_CLEAR, (uint32_t)m, 0, 0);
            emit(u, OP_MOVE, (uint32_t)m, (uint32_t)m + 1, 0);
            set_depth(u, u->depth - 1);
        }
        if (!forbidden_name(u, a->asname, CTX_Store, &s->pos))
            store_name(u, find_symbol(u, a->asname), a->asname, m, false);
    }
}

static void import_from(Unit *u, Stmt *s) {
    AliasSeq names = s->ImportFrom.names;
    Value module = s->ImportFrom.module;
    if (module != ABSENT && module == ID("__future__") && s->pos.lineno > u->g->future_line) {
        error_at(u, &s->pos, "from __future__ imports must occur at the beginning of the file");
        return;
    }
    Value t = tuple_new(names.n);
    if (t == ABSENT || arena_keep(u->arena, t) == ABSENT) {
        fail(u->g);
        return;
    }
    for (int32_t i = 0; i < names.n; i++)
        tuple_init_item(t, i, retained(names.v[i]->name));
    tuple_track(t);
    at(u, &s->pos);
    int m = import_name(u, module == ABSENT ? ID("") : module, s->ImportFrom.level, t);
    for (int32_t i = 0; i < names.n && !u->g->failed; i++) {
        AstAlias *a = names.v[i];
        if (i == 0 && str_equal_c(a->name, "*")) {
            emit(u, OP_IMPORT_STAR, 0, (uint32_t)m, 0);
            set_depth(u, u->depth - 1);
            return;
        }
        emit_name(u, OP_IMPORT_FROM, u->depth, (uint32_t)m, a->name, 0);
        int v = push_temp(u);
        Value as = a->asname != ABSENT ? a->asname : a->name;
        if (!forbidden_name(u, as, CTX_Store, &s->pos))
            store_name(u, find_symbol(u, as), as, v, false);
    }
    drop(u, m);
}

/* ---- the rest ---- */
static void compile_assert(Unit *u, Stmt *s) {
    Expr *test = s->Assert.test;
    if ((test->kind == EXPR_Tuple && test->Tuple.elts.n > 0) ||
        (test->kind == EXPR_Constant && v_is_tuple(test->Constant.value) && tuple_len(test->Constant.value) > 0))
        warn_at(u, &s->pos, "assertion is always true, perhaps remove parentheses?");
    if (u->g->optimize)
        return;
    uint32_t base = u->depth;
    Label end = new_label(u);
    cond(u, test, end, true);
    at(u, &s->pos);
    emit(u, OP_LOAD_ASSERTION_ERROR, base, 0, 0);
    set_depth(u, base + 1);
    if (s->Assert.msg) {
        uint32_t hole = u->n;
        set_depth(u, base + FRAME_WORDS);
        expr(u, s->Assert.msg, TEMP);
        at(u, &s->pos);
        call_simple(u, base, 1, (int)base, hole);
    }
    emit(u, OP_RAISE, 0, base, NO_REG);
    u->reachable = false;
    set_depth(u, base);
    codegen_bind(u, end);
}

static void compile_raise(Unit *u, Stmt *s) {
    uint32_t base = u->depth, exc = NO_REG, cause = NO_REG;
    if (s->Raise.exc)
        exc = (uint32_t)expr(u, s->Raise.exc, ANY);
    if (s->Raise.cause)
        cause = (uint32_t)expr_last(u, s->Raise.cause);
    at(u, &s->pos);
    AsmInstr *i = emit(u, OP_RAISE, 0, exc, cause);
    if (!s->Raise.exc)
        i->flags |= IF_X1;
    set_depth(u, base);
    u->reachable = false;
}

static void compile_if(Unit *u, Stmt *s) {
    Label end = new_label(u);
    if (!s->If.orelse.n) {
        cond(u, s->If.test, end, false);
        stmts(u, s->If.body);
        codegen_bind(u, end);
        return;
    }
    Label orelse = new_label(u);
    cond(u, s->If.test, orelse, false);
    stmts(u, s->If.body);
    at_none(u);
    jump(u, end);
    codegen_bind(u, orelse);
    stmts(u, s->If.orelse);
    codegen_bind(u, end);
}

void stmts(Unit *u, StmtSeq body) {
    for (int32_t i = 0; i < body.n && !u->g->failed; i++)
        stmt(u, body.v[i]);
}

void stmt(Unit *u, Stmt *s) {
    if (u->g->failed || !enter(u))
        return;
    at(u, &s->pos);
    switch (s->kind) {
    case STMT_FunctionDef:
        compile_function(u, s, false);
        break;
    case STMT_AsyncFunctionDef:
        compile_function(u, s, true);
        break;
    case STMT_ClassDef:
        compile_class(u, s);
        break;
    case STMT_Return:
        compile_return(u, s);
        break;
    case STMT_Delete:
        for (int32_t i = 0; i < s->Delete.targets.n; i++)
            delete_target(u, s->Delete.targets.v[i]);
        break;
    case STMT_Assign:
        compile_assign(u, s);
        break;
    case STMT_AugAssign:
        aug_assign(u, s);
        break;
    case STMT_AnnAssign:
        ann_assign(u, s);
        break;
    case STMT_For:
        compile_for(u, s);
        break;
    case STMT_AsyncFor:
        compile_async_for(u, s);
        break;
    case STMT_While:
        compile_while(u, s);
        break;
    case STMT_If:
        compile_if(u, s);
        break;
    case STMT_With:
        compile_with(u, s, false);
        break;
    case STMT_AsyncWith:
        compile_with(u, s, true);
        break;
    case STMT_Match:
        compile_match(u, s);
        break;
    case STMT_Raise:
        compile_raise(u, s);
        break;
    case STMT_Try:
        compile_try(u, s);
        break;
    case STMT_TryStar:
        compile_try_star(u, s);
        break;
    case STMT_Assert:
        compile_assert(u, s);
        break;
    case STMT_Import:
        compile_import(u, s);
        break;
    case STMT_ImportFrom:
        import_from(u, s);
        break;
    case STMT_Global:
    case STMT_Nonlocal:
        break;
    case STMT_Pass:
        emit(u, OP_NOP, 0, 0, 0); /* for tracing: it has a line */
        break;
    case STMT_Expr:
        if (u->g->interactive && u->kind == UNIT_MODULE && !u->outer) {
            int r = expr_last(u, s->Expr.value);
            at(u, &s->pos);
            emit(u, OP_PRINT_EXPR, 0, (uint32_t)r, 0);
            set_depth(u, is_temp(u, r) ? u->depth - 1 : u->depth);
        } else if (!fold(u, s->Expr.value)) {
            discard(u, s->Expr.value);
        }
        break;
    case STMT_Break:
        compile_break(u, s);
        break;
    case STMT_Continue:
        compile_continue(u, s);
        break;
    default:
        UNREACHABLE();
    }
}

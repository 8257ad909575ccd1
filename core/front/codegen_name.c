/* Variables: which instruction reads, writes or deletes a name, after what the symbol table found out about it. */
#include "front/codegen.h"

#include "object/str.h"

static bool is_function(const Unit *u) {
    return u->kind != UNIT_MODULE && u->kind != UNIT_CLASS;
}

AsmInstr *emit_name(Unit *u, int op, uint32_t a, uint32_t b, Value mangled_name, int keep) {
    uint32_t n = add_name(u, mangled_name);
    AsmInstr *i = emit_keep(u, op, a, b, n, keep);
    if (UNLIKELY(n > UINT16_MAX)) {
        i->extra = n;
        i->c = (uint32_t)op;
        i->op = OP_WIDE_NAME;
    }
    return i;
}

Symbol *find_symbol(Unit *u, Value name) {
    return scope_symbol(u->arena, u->scope, name);
}

int local_register(Unit *u, Symbol *sym) {
    return is_function(u) && sym && sym->scope == SYM_LOCAL ? sym->index : -1;
}

bool forbidden_name(Unit *u, Value name, ExprCtx ctx, const AstPos *pos) {
    if (ctx == CTX_Store && name == ID("__debug__")) {
        error_at(u, pos, "cannot assign to __debug__");
        return true;
    }
    if (ctx == CTX_Del && name == ID("__debug__")) {
        error_at(u, pos, "cannot delete __debug__");
        return true;
    }
    return false;
}

/* last: the value is read by the very next instruction, so no := can change the local in between. */
int load_name(Unit *u, Symbol *sym, Value name, int want, bool last) {
    uint32_t base = u->depth;
    int reg = local_register(u, sym);
    if (reg >= 0) {
        if (!state_has(u->state, reg)) {
            emit(u, OP_CHECK_LOCAL, (uint32_t)reg, 0, 0);
            mark_bound(u, reg);
        }
        if (want == ANY && !last && state_has(u->rebound, reg))
            want = TEMP;
        return load_move(u, reg, want);
    }
    int d = dest(u, want, base);
    int scope = sym ? sym->scope : SYM_GLOBAL_IMPLICIT;
    Value m = sym ? sym->name : mangled(u, name);
    switch (scope) {
    case SYM_CELL:
        if (u->kind != UNIT_CLASS) {
            emit(u, OP_LOAD_CELL, (uint32_t)d, (uint32_t)sym->index, 0);
            break;
        }
        emit_name(u, OP_LOAD_NAME, (uint32_t)d, 0, m, 0);
        break;
    case SYM_FREE:
        if (u->kind == UNIT_CLASS)
            emit(u, OP_LOAD_CLASSDEREF, (uint32_t)d, (uint32_t)sym->index, add_name(u, m));
        else
            emit(u, OP_LOAD_FREE, (uint32_t)d, (uint32_t)sym->index, 0);
        break;
    case SYM_GLOBAL_EXPLICIT:
        emit_name(u, OP_LOAD_GLOBAL, (uint32_t)d, 0, m, 0);
        break;
    case SYM_GLOBAL_IMPLICIT:
        emit_name(u, is_function(u) ? OP_LOAD_GLOBAL : OP_LOAD_NAME, (uint32_t)d, 0, m, 0);
        break;
    default:
        emit_name(u, OP_LOAD_NAME, (uint32_t)d, 0, m, 0);
        break;
    }
    return done(u, d, base);
}

void store_name(Unit *u, Symbol *sym, Value name, int reg, bool keep) {
    int kept = keep ? KEEP_A : 0;
    uint32_t base = is_temp(u, reg) && !keep ? u->depth - 1 : u->depth;
    int local = local_register(u, sym);
    if (local >= 0) {
        if (local != reg)
            emit_keep(u, OP_MOVE, (uint32_t)local, (uint32_t)reg, 0, keep ? KEEP_B : 0);
        mark_bound(u, local);
        set_depth(u, base);
        return;
    }
    int scope = sym ? sym->scope : SYM_GLOBAL_IMPLICIT;
    Value m = sym ? sym->name : mangled(u, name);
    switch (scope) {
    case SYM_CELL:
        if (u->kind == UNIT_CLASS)
            emit_name(u, OP_STORE_NAME, (uint32_t)reg, 0, m, kept);
        else
            emit_keep(u, OP_STORE_CELL, (uint32_t)reg, (uint32_t)sym->index, 0, kept | KEEP_B);
        break;
    case SYM_FREE:
        emit_keep(u, OP_STORE_FREE, (uint32_t)reg, (uint32_t)sym->index, 0, kept);
        break;
    case SYM_GLOBAL_EXPLICIT:
        emit_name(u, OP_STORE_GLOBAL, (uint32_t)reg, 0, m, kept);
        break;
    case SYM_GLOBAL_IMPLICIT:
        emit_name(u, is_function(u) ? OP_STORE_GLOBAL : OP_STORE_NAME, (uint32_t)reg, 0, m, kept);
        break;
    default:
        emit_name(u, OP_STORE_NAME, (uint32_t)reg, 0, m, kept);
        break;
    }
    set_depth(u, base);
}

void delete_name(Unit *u, Symbol *sym, Value name, bool checked) {
    int local = local_register(u, sym);
    if (local >= 0) {
        emit(u, checked && !state_has(u->state, local) ? OP_DELETE_LOCAL : OP_CLEAR, (uint32_t)local, 0, 0);
        mark_unbound(u, local);
        return;
    }
    int scope = sym ? sym->scope : SYM_GLOBAL_IMPLICIT;
    Value m = sym ? sym->name : mangled(u, name);
    switch (scope) {
    case SYM_CELL:
        if (u->kind == UNIT_CLASS)
            emit_name(u, OP_DELETE_NAME, 0, 0, m, 0);
        else
            emit_keep(u, OP_DELETE_CELL, 0, (uint32_t)sym->index, 0, KEEP_B);
        break;
    case SYM_FREE:
        emit(u, OP_DELETE_FREE, 0, (uint32_t)sym->index, 0);
        break;
    case SYM_GLOBAL_EXPLICIT:
        emit_name(u, OP_DELETE_GLOBAL, 0, 0, m, 0);
        break;
    case SYM_GLOBAL_IMPLICIT:
        emit_name(u, is_function(u) ? OP_DELETE_GLOBAL : OP_DELETE_NAME, 0, 0, m, 0);
        break;
    default:
        emit_name(u, OP_DELETE_NAME, 0, 0, m, 0);
        break;
    }
}

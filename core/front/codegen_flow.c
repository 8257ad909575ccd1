/* Loops, try, with, and what leaves them: every way out unwinds the blocks it crosses. */
#include "front/codegen.h"

#include "front/fold.h"

void push_block(Unit *u, Block *b, BlockKind kind, uint32_t base) {
    b->kind = kind;
    b->base = base;
    b->outer = u->block;
    b->outer_handler = u->handler;
    b->name = ABSENT;
    b->pos = u->pos;
    u->block = b;
}

void pop_block(Unit *u) {
    u->block = u->block->outer;
}

/* Frees a temporary that need not be the top one. */
static void free_reg(Unit *u, uint32_t reg, bool keep) {
    emit(u, keep ? OP_CLEAR : OP_RELEASE, reg, 0, 0);
    if (!keep)
        set_depth(u, reg);
}

static void forget_name(Unit *u, Value name) {
    if (name == ABSENT)
        return;
    Symbol *sym = find_symbol(u, name);
    if (local_register(u, sym) < 0)
        store_name(u, sym, name, load_none(u, TEMP), false);
    delete_name(u, sym, name, false);
}

/* __exit__(None, None, None) of the manager whose pair is at base; its result, awaited, is dropped. keep: the pair's
 * registers stay in use, empty. */
static void call_exit(Unit *u, uint32_t base, bool is_async, bool keep) {
    uint32_t t = keep ? u->depth : base;
    emit(u, OP_WITH_EXIT, t, base, 0);
    uint32_t hole = u->n;
    set_depth(u, t + FRAME_WORDS + 1);
    for (int i = 0; i < 3; i++)
        load_none(u, TEMP);
    emit(u, OP_CALL_METHOD, t, 3, t);
    add_hole(u, hole, t + 2, FRAME_WORDS - 2);
    done(u, (int)t, t);
    if (is_async)
        await_top(u, 2);
    emit(u, OP_RELEASE, t, 0, 0);
    set_depth(u, t);
}

/* Leaves the innermost block. keep: a value on top of the temporaries survives, so that nothing below it may move. */
static void unwind_one(Unit *u, bool keep) {
    Block *b = u->block;
    uint32_t base = b->base;
    CodePos pos = u->pos;
    u->block = b->outer;
    u->handler = b->outer_handler;
    switch (b->kind) {
    case BLOCK_WHILE:
    case BLOCK_TRY:
        break;
    case BLOCK_FOR:
    case BLOCK_ASYNC_FOR:
    case BLOCK_VALUE:
        free_reg(u, base, keep);
        break;
    case BLOCK_FINALLY: {
        Block value;
        if (keep)
            push_block(u, &value, BLOCK_VALUE, u->depth - 1);
        stmts(u, b->final);
        if (keep)
            pop_block(u);
        break;
    }
    case BLOCK_HANDLING:
        emit(u, OP_POP_EXC, base + 1, 0, 0);
        if (keep)
            emit(u, OP_LOAD_INT, base + 1, 0, 0); /* something harmless below the kept value */
        else
            set_depth(u, base + 1);
        free_reg(u, base, keep);
        break;
    case BLOCK_HANDLER_NAME:
        at_none(u);
        forget_name(u, b->name);
        break;
    case BLOCK_WITH:
    case BLOCK_ASYNC_WITH:
        u->pos = b->pos;
        call_exit(u, base, b->kind == BLOCK_ASYNC_WITH, keep);
        break;
    case BLOCK_EXCEPT_STAR:
        break;
    }
    u->pos = pos;
}

/* ---- return, break, continue ---- */
static bool needs_unwinding(Block *b) {
    for (; b; b = b->outer)
        if (b->kind != BLOCK_WHILE && b->kind != BLOCK_TRY && b->kind != BLOCK_FOR)
            return true;
    return false;
}

static bool leaves_except_star(Unit *u, Stmt *s, bool to_loop) {
    for (Block *b = u->block; b; b = b->outer) {
        if (to_loop && (b->kind == BLOCK_WHILE || b->kind == BLOCK_FOR || b->kind == BLOCK_ASYNC_FOR))
            return false;
        if (b->kind == BLOCK_EXCEPT_STAR) {
            error_at(u, &s->pos, "'break', 'continue' and 'return' cannot appear in an except* block");
            return true;
        }
    }
    return false;
}

void compile_return(Unit *u, Stmt *s) {
    Expr *value = s->Return.value;
    if (u->scope->kind != SCOPE_FUNCTION) {
        error_at(u, &s->pos, "'return' outside function");
        return;
    }
    if (value && (u->flags & CO_ASYNC_GENERATOR)) {
        error_at(u, &s->pos, "'return' with value in async generator");
        return;
    }
    if (leaves_except_star(u, s, false))
        return;
    uint32_t depth = u->depth;
    int32_t handler = u->handler;
    Block *block = u->block;
    bool constant = !value || fold(u, value);
    int r = -1;
    if (!constant)
        r = needs_unwinding(block) ? expr(u, value, TEMP) : expr_last(u, value);
    at(u, &s->pos);
    while (u->block)
        unwind_one(u, r >= 0 && is_temp(u, r));
    if (constant)
        emit(u, OP_RETURN_CONST, 0, u->reachable ? add_const(u, value ? value->Constant.value : V_NONE) : 0, 0);
    else
        emit(u, OP_RETURN, 0, (uint32_t)r, 0);
    u->reachable = false;
    u->handler = handler;
    u->block = block;
    set_depth(u, depth);
}

static void leave_loop(Unit *u, Stmt *s, bool is_break) {
    uint32_t depth = u->depth;
    int32_t handler = u->handler;
    Block *block = u->block;
    if (leaves_except_star(u, s, true))
        return;
    for (;;) {
        Block *b = u->block;
        if (!b) {
            error_at(u, &s->pos, is_break ? "'break' outside loop" : "'continue' not properly in loop");
            break;
        }
        bool loop = b->kind == BLOCK_WHILE || b->kind == BLOCK_FOR || b->kind == BLOCK_ASYNC_FOR;
        /* Inside a finally body that runs for a return, what the return has emptied still lies between. */
        if (loop)
            set_depth(u, b->base + (b->kind == BLOCK_FOR ? 3 : b->kind == BLOCK_ASYNC_FOR ? 1 : 0));
        if (loop && !is_break) {
            jump(u, b->cont);
            break;
        }
        unwind_one(u, false);
        if (loop) {
            jump(u, b->brk);
            break;
        }
    }
    u->reachable = false;
    u->handler = handler;
    u->block = block;
    set_depth(u, depth);
}

void compile_break(Unit *u, Stmt *s) {
    leave_loop(u, s, true);
}
void compile_continue(Unit *u, Stmt *s) {
    leave_loop(u, s, false);
}

/* ---- loops ---- */
static bool is_range_call(Expr *e) {
    if (e->kind != EXPR_Call || e->Call.func->kind != EXPR_Name || e->Call.func->Name.id != ID("range") ||
        e->Call.keywords.n || e->Call.args.n < 1 || e->Call.args.n > 3)
        return false;
    for (int32_t i = 0; i < e->Call.args.n; i++)
        if (e->Call.args.v[i]->kind == EXPR_Starred)
            return false;
    return true;
}

void for_prepare(Unit *u, Expr *iter) {
    uint32_t base = u->depth;
    if (is_range_call(iter)) {
        expr(u, iter->Call.func, TEMP);
        uint32_t hole = u->n;
        set_depth(u, base + FRAME_WORDS);
        exprs_temp(u, iter->Call.args);
        at(u, &iter->pos);
        emit(u, OP_FOR_RANGE, base, base, (uint32_t)iter->Call.args.n);
        add_hole(u, hole, base + 1, FRAME_WORDS - 1);
    } else {
        if (fold_iterable(u->arena, iter, u->g->optimize) < 0)
            fail(u->g);
        int r = expr_last(u, iter);
        at(u, &iter->pos);
        emit(u, OP_FOR_PREP, base, (uint32_t)r, 0);
    }
    set_depth(u, base + 3);
}

void for_next(Unit *u, uint32_t base, Expr *target, Label start, Label exit) {
    CodePos pos = u->pos;
    bind_loop(u, start);
    int reg = target->kind == EXPR_Name ? local_register(u, target->Name.sym) : -1;
    int d = reg >= 0 ? reg : (int)base + 3;
    u->pos = pos;
    emit_jump(u, OP_FOR_ITER, base, (uint32_t)d, exit, base);
    set_depth(u, base + 3);
    done(u, d, base + 3);
    if (reg < 0)
        assign(u, target, d, false);
    else
        forbidden_name(u, target->Name.id, CTX_Store, &target->pos);
}

void compile_for(Unit *u, Stmt *s) {
    uint32_t base = u->depth;
    Block b;
    Label start = new_label(u), exit = new_label(u);
    for_prepare(u, s->For.iter);
    push_block(u, &b, BLOCK_FOR, base);
    b.brk = new_label(u);
    b.cont = start;
    at(u, &s->For.iter->pos);
    for_next(u, base, s->For.target, start, exit);
    stmts(u, s->For.body);
    at(u, &s->pos);
    jump(u, start);
    pop_block(u);
    set_depth(u, base);
    codegen_bind(u, exit);
    stmts(u, s->For.orelse);
    codegen_bind(u, b.brk);
}

static bool may_await(Unit *u) {
    return u->kind == UNIT_ASYNC_FUNCTION || (u->g->top_level_await && u->scope->kind != SCOPE_FUNCTION);
}

void compile_async_for(Unit *u, Stmt *s) {
    uint32_t base = u->depth;
    if (!may_await(u)) {
        error_at(u, &s->pos, "'async for' outside async function");
        return;
    }
    Block b;
    Label start = new_label(u), except = new_label(u);
    int r = expr_last(u, s->AsyncFor.iter);
    at(u, &s->AsyncFor.iter->pos);
    emit(u, OP_GET_AITER, base, (uint32_t)r, 0);
    set_depth(u, base + 1);
    push_block(u, &b, BLOCK_ASYNC_FOR, base);
    b.brk = new_label(u);
    b.cont = start;
    bind_loop(u, start);
    int outer = u->handler;
    int h = handler_begin(u, except);
    anext_top(u, base);
    handler_end(u, outer);
    assign(u, s->AsyncFor.target, (int)base + 1, false);
    stmts(u, s->AsyncFor.body);
    at_none(u);
    jump(u, start);
    pop_block(u);
    handler_bind(u, h);
    at(u, &s->AsyncFor.iter->pos);
    emit(u, OP_END_ASYNC_FOR, base + 1, 0, 0);
    set_depth(u, base + 1);
    emit(u, OP_RELEASE, base, 0, 0);
    set_depth(u, base);
    stmts(u, s->AsyncFor.orelse);
    codegen_bind(u, b.brk);
}

void compile_while(Unit *u, Stmt *s) {
    Block b;
    Label body = new_label(u), exit = new_label(u);
    push_block(u, &b, BLOCK_WHILE, u->depth);
    b.brk = new_label(u);
    b.cont = new_label(u);
    cond(u, s->While.test, exit, false);
    bind_loop(u, body);
    stmts(u, s->While.body);
    codegen_bind(u, b.cont);
    cond(u, s->While.test, body, true); /* the test again, so that an iteration takes one jump */
    pop_block(u);
    codegen_bind(u, exit);
    stmts(u, s->While.orelse);
    codegen_bind(u, b.brk);
}

/* ---- try ---- */

/* Another exception arrives while the one in base is handled: back to what was handled before, and on with it. */
static void bind_cleanup(Unit *u, int h, uint32_t base) {
    handler_bind(u, h);
    at_none(u);
    emit(u, OP_POP_EXC, base + 1, 0, 0);
    emit(u, OP_MOVE, base + 1, base + 2, 0);
    set_depth(u, base + 2);
    emit(u, OP_RERAISE, 0, base + 1, 0);
    u->reachable = false;
    set_depth(u, base);
}

/* The exception in base goes on. */
static void reraise_handled(Unit *u, uint32_t base) {
    emit(u, OP_POP_EXC, base + 1, 0, 0);
    set_depth(u, base + 1);
    emit(u, OP_RERAISE, 0, base, 0);
    u->reachable = false;
    set_depth(u, base);
}

static void end_handling(Unit *u, uint32_t base) {
    emit(u, OP_POP_EXC, base + 1, 0, 0);
    set_depth(u, base + 1);
    emit(u, OP_RELEASE, base, 0, 0);
    set_depth(u, base);
}

static void try_except(Unit *u, Stmt *s) {
    uint32_t base = u->depth;
    HandlerSeq handlers = s->Try.handlers;
    int outer = u->handler;
    Label except = new_label(u), cleanup = new_label(u), end = new_label(u);
    Block b, handling;
    push_block(u, &b, BLOCK_TRY, base);
    int h = handler_begin(u, except);
    stmts(u, s->Try.body);
    pop_block(u);
    handler_end(u, outer);
    stmts(u, s->Try.orelse);
    at_none(u);
    jump(u, end);

    handler_bind(u, h);
    at_none(u);
    emit(u, OP_PUSH_EXC, base + 1, base, 0);
    set_depth(u, base + 2);
    push_block(u, &handling, BLOCK_HANDLING, base);
    int hc = handler_begin(u, cleanup);
    for (int32_t i = 0; i < handlers.n && !u->g->failed; i++) {
        AstHandler *x = handlers.v[i];
        Label next = new_label(u);
        if (!x->type && i < handlers.n - 1) {
            error_at(u, &x->pos, "default 'except:' must be last");
            return;
        }
        set_depth(u, base + 2);
        at(u, &x->pos);
        if (x->type) {
            int t = expr_last(u, x->type);
            at(u, &x->type->pos);
            emit(u, OP_EXC_MATCH, base + 2, base, (uint32_t)t);
            set_depth(u, base + 3);
            emit_jump(u, OP_JUMP_IF_FALSE, base + 2, 0, next, base + 2);
        }
        if (x->name != ABSENT) {
            Label raised = new_label(u);
            Block named;
            at(u, &x->pos);
            if (!forbidden_name(u, x->name, CTX_Store, &x->pos))
                store_name(u, find_symbol(u, x->name), x->name, (int)base, true);
            push_block(u, &named, BLOCK_HANDLER_NAME, base);
            named.name = x->name;
            int hn = handler_begin(u, raised);
            stmts(u, x->body);
            pop_block(u);
            handler_end(u, hc);
            at_none(u);
            forget_name(u, x->name);
            handler_end(u, outer);
            end_handling(u, base);
            jump(u, end);
            handler_end(u, hc);
            handler_bind(u, hn);
            at_none(u);
            forget_name(u, x->name);
            jump(u, cleanup);
        } else {
            stmts(u, x->body);
            at_none(u);
            handler_end(u, outer);
            end_handling(u, base);
            jump(u, end);
            handler_end(u, hc);
        }
        set_depth(u, base + 2);
        codegen_bind(u, next);
    }
    pop_block(u);
    handler_end(u, outer);
    at(u, &handlers.v[handlers.n - 1]->pos);
    reraise_handled(u, base);
    bind_cleanup(u, hc, base);
    codegen_bind(u, end);
}

static void try_finally(Unit *u, Stmt *s, void (*inner)(Unit *, Stmt *)) {
    uint32_t base = u->depth;
    int outer = u->handler;
    Label finally = new_label(u), cleanup = new_label(u), end = new_label(u);
    Block b, handling;
    push_block(u, &b, BLOCK_FINALLY, base);
    b.final = s->Try.finalbody;
    int h = handler_begin(u, finally);
    if (s->Try.handlers.n)
        inner(u, s);
    else
        stmts(u, s->Try.body);
    pop_block(u);
    handler_end(u, outer);
    stmts(u, s->Try.finalbody);
    at_none(u);
    jump(u, end);

    handler_bind(u, h);
    at_none(u);
    emit(u, OP_PUSH_EXC, base + 1, base, 0);
    set_depth(u, base + 2);
    push_block(u, &handling, BLOCK_HANDLING, base);
    int hc = handler_begin(u, cleanup);
    stmts(u, s->Try.finalbody);
    pop_block(u);
    handler_end(u, outer);
    at_none(u);
    set_depth(u, base + 2);
    reraise_handled(u, base);
    bind_cleanup(u, hc, base);
    codegen_bind(u, end);
}

void compile_try(Unit *u, Stmt *s) {
    if (s->Try.finalbody.n)
        try_finally(u, s, try_except);
    else
        try_except(u, s);
}

/* except*. Registers: base the exception, + 1 what was handled before, + 2 list of what the handlers raised, + 3 what
 * is not caught yet,
 * + 4 the part that one handler catches, + 5 what was handled before it. */
static void except_star(Unit *u, Stmt *s) {
    uint32_t base = u->depth;
    HandlerSeq handlers = s->TryStar.handlers;
    int outer = u->handler;
    Label except = new_label(u), cleanup = new_label(u), end = new_label(u), clean = new_label(u);
    Block b, handling;
    push_block(u, &b, BLOCK_TRY, base);
    int h = handler_begin(u, except);
    stmts(u, s->TryStar.body);
    pop_block(u);
    handler_end(u, outer);
    stmts(u, s->TryStar.orelse);
    at_none(u);
    jump(u, end);

    handler_bind(u, h);
    at_none(u);
    emit(u, OP_PUSH_EXC, base + 1, base, 0);
    set_depth(u, base + 2);
    push_block(u, &handling, BLOCK_EXCEPT_STAR, base);
    int hc = handler_begin(u, cleanup);
    emit(u, OP_BUILD_LIST, base + 2, base + 2, 0);
    set_depth(u, base + 3);
    emit_keep(u, OP_MOVE, base + 3, base, 0, KEEP_B);
    set_depth(u, base + 4);
    for (int32_t i = 0; i < handlers.n && !u->g->failed; i++) {
        AstHandler *x = handlers.v[i];
        Label none = new_label(u), raised = new_label(u), next = new_label(u);
        at(u, &x->pos);
        int t = x->type ? expr_last(u, x->type) : load_none(u, TEMP);
        at(u, x->type ? &x->type->pos : &x->pos);
        emit(u, OP_EXC_GROUP_MATCH, base + 4, base + 3, (uint32_t)t);
        set_depth(u, base + 6);
        emit(u, OP_CLEAR, base + 3, 0, 0);
        emit(u, OP_MOVE, base + 3, base + 5, 0);
        set_depth(u, base + 5);
        emit_jump(u, OP_JUMP_IF_NONE, base + 4, 0, none, base + 5)->flags &= (uint8_t)~IF_KILL_A;
        emit(u, OP_PUSH_EXC, base + 5, base + 4, 0);
        set_depth(u, base + 6);
        int hn = handler_begin(u, raised);
        if (x->name != ABSENT && !forbidden_name(u, x->name, CTX_Store, &x->pos)) {
            at(u, &x->pos);
            store_name(u, find_symbol(u, x->name), x->name, (int)base + 4, true);
        }
        stmts(u, x->body);
        handler_end(u, hc);
        at_none(u);
        forget_name(u, x->name);
        emit(u, OP_POP_EXC, base + 5, 0, 0);
        set_depth(u, base + 5);
        emit(u, OP_RELEASE, base + 4, 0, 0);
        set_depth(u, base + 4);
        jump(u, next);
        handler_bind(u, hn);
        at_none(u);
        forget_name(u, x->name);
        emit(u, OP_LIST_APPEND, 0, base + 2, base + 6);
        set_depth(u, base + 6);
        emit(u, OP_POP_EXC, base + 5, 0, 0);
        set_depth(u, base + 5);
        emit(u, OP_RELEASE, base + 4, 0, 0);
        set_depth(u, base + 4);
        jump(u, next);
        set_depth(u, base + 5);
        codegen_bind(u, none);
        emit(u, OP_RELEASE, base + 4, 0, 0);
        set_depth(u, base + 4);
        codegen_bind(u, next);
    }
    at_none(u);
    emit(u, OP_LIST_APPEND, 0, base + 2, base + 3);
    set_depth(u, base + 3);
    emit(u, OP_PREP_RERAISE_STAR, base + 2, base, base + 2);
    emit_jump(u, OP_JUMP_IF_NONE, base + 2, 0, clean, base + 3)->flags &= (uint8_t)~IF_KILL_A;
    pop_block(u);
    handler_end(u, outer);
    emit(u, OP_POP_EXC, base + 1, 0, 0);
    emit(u, OP_MOVE, base + 1, base + 2, 0);
    set_depth(u, base + 2);
    emit(u, OP_RERAISE, 0, base + 1, 0);
    u->reachable = false;
    set_depth(u, base + 3);
    codegen_bind(u, clean);
    emit(u, OP_RELEASE, base + 2, 0, 0);
    set_depth(u, base + 2);
    end_handling(u, base);
    jump(u, end);
    bind_cleanup(u, hc, base);
    codegen_bind(u, end);
}

void compile_try_star(Unit *u, Stmt *s) {
    if (s->TryStar.finalbody.n)
        try_finally(u, s, except_star);
    else
        except_star(u, s);
}

/* ---- with ---- */
static void with_item(Unit *u, Stmt *s, int32_t i, bool is_async) {
    if (u->g->failed || !enter(u))
        return;
    uint32_t base = u->depth;
    AstWithItem *item = s->With.items.v[i];
    int outer = u->handler;
    Label except = new_label(u), cleanup = new_label(u), end = new_label(u), suppress = new_label(u);
    Block b;
    int m = expr_last(u, item->context_expr);
    at(u, &s->pos);
    AsmInstr *enter_with = emit(u, OP_WITH_ENTER, base, (uint32_t)m, base + 2);
    if (is_async)
        enter_with->flags |= IF_X1;
    uint32_t hole = u->n;
    set_depth(u, base + 2 + FRAME_WORDS + 1);
    Expr *target = item->optional_vars;
    int reg = target && !is_async && target->kind == EXPR_Name ? local_register(u, target->Name.sym) : -1;
    int d = reg >= 0 ? reg : (int)base + 2;
    emit(u, OP_CALL_METHOD, base + 2, 0, (uint32_t)d);
    add_hole(u, hole, base + 4, FRAME_WORDS - 2);
    done(u, d, base + 2);
    if (is_async)
        await_top(u, 1);
    uint32_t entered = u->depth;
    set_depth(u, base + 2); /* the depth of the handler; the value of __enter__ lies above it */
    at(u, &s->pos);
    push_block(u, &b, is_async ? BLOCK_ASYNC_WITH : BLOCK_WITH, base);
    int h = handler_begin(u, except);
    set_depth(u, entered);
    if (reg < 0) {
        if (target)
            assign(u, target, d, false);
        else
            drop(u, d);
    } else {
        forbidden_name(u, target->Name.id, CTX_Store, &target->pos);
    }
    if (i + 1 < s->With.items.n)
        with_item(u, s, i + 1, is_async);
    else
        stmts(u, s->With.body);
    pop_block(u);
    handler_end(u, outer);
    at(u, &s->pos);
    set_depth(u, base + 2);
    call_exit(u, base, is_async, false);
    jump(u, end);

    handler_bind(u, h);
    at(u, &s->pos);
    emit(u, OP_PUSH_EXC, base + 3, base + 2, 0);
    set_depth(u, base + 4);
    int hc = handler_begin(u, cleanup);
    emit(u, OP_WITH_EXCEPT, base + 4, base, base + 2);
    set_depth(u, base + 5);
    if (is_async)
        await_top(u, 2);
    emit_jump(u, OP_JUMP_IF_TRUE, base + 4, 0, suppress, base + 4);
    handler_end(u, outer);
    reraise_handled(u, base + 2);
    set_depth(u, base + 4);
    codegen_bind(u, suppress);
    end_handling(u, base + 2);
    emit(u, OP_RELEASE, base + 1, 0, 0);
    set_depth(u, base + 1);
    emit(u, OP_RELEASE, base, 0, 0);
    set_depth(u, base);
    jump(u, end);
    bind_cleanup(u, hc, base + 2);
    set_depth(u, base);
    codegen_bind(u, end);
}

void compile_with(Unit *u, Stmt *s, bool is_async) {
    if (is_async && !may_await(u)) {
        error_at(u, &s->pos, "'async with' outside async function");
        return;
    }
    with_item(u, s, 0, is_async);
}

#include "front/compile.h"

#include "front/codegen.h"

int compile_optimize;

Value compile_ast(AstModule *m, Value filename, int flags, int optimize) {
    Gen g = {.arena = m->arena,
             .filename = filename,
             .optimize = optimize < 0 ? compile_optimize : optimize,
             .future_line = -1};
    int features = future_features(m, filename, &g.future_line);
    if (features < 0)
        return ABSENT;
    g.future_flags = features | (flags & (FUTURE_BARRY_AS_BDFL | FUTURE_GENERATOR_STOP | FUTURE_ANNOTATIONS));
    g.interactive = m->kind == MOD_Interactive;
    g.top_level_await = flags & COMPILE_ALLOW_TOP_LEVEL_AWAIT;
    g.has_walrus = !m->source || memmem(m->source, m->source_len, ":=", 2);
    Symtable *st = symtable_build(m, filename, g.future_flags);
    if (!st)
        return ABSENT;
    Unit *u = unit_enter(&g, st->top, UNIT_MODULE, ID("<module>"), 1, NULL);
    if (!g.failed) {
        u->pos = (CodePos){0, 1, 0, 0};
        if (m->kind == MOD_Expression) {
            int r = expr_last(u, m->expr);
            at(u, &m->expr->pos);
            emit(u, OP_RETURN, 0, (uint32_t)r, 0);
            u->reachable = false;
        } else {
            compile_body(u, m->body);
        }
    }
    Value code = u ? unit_leave(&g) : ABSENT;
    free(g.spare_instrs);
    retain(code);
    return code;
}

Value compile_source(const char *utf8, size_t n, Value filename, ParseMode mode, int flags, int optimize) {
    Arena arena;
    arena_init(&arena);
    AstModule *m = parse_source(utf8, n, filename, mode, flags, &arena);
    Value code = m ? compile_ast(m, filename, flags, optimize) : ABSENT;
    arena_free(&arena);
    return code;
}

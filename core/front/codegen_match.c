/* match. Names bound by a pattern wait in temporaries until all of it has matched, since nothing may be bound by one
 * that fails. */
#include "front/codegen.h"

#include "object/str.h"
#include "object/tuple.h"

typedef struct FailLabels {
    uint32_t base; /* depth of label[0]; label[k] is for k more temporaries to release */
    Label *label;
    uint32_t n;
} FailLabels;

typedef struct PatternState {
    Value *names; /* of all captures of the pattern */
    bool *bound;
    uint32_t n, cap;
    uint32_t first; /* register of names[0] */
    FailLabels fail;
    bool allow_irrefutable;
    const AstPos *pos; /* of the pattern visited last */
} PatternState;

static void pattern(Unit *u, PatternState *ps, Pattern *p, uint32_t reg);

static void *alloc(Unit *u, size_t n) {
    void *p = arena_zalloc(u->arena, n);
    if (!p)
        fail(u->g);
    return p;
}

static void add_capture(Unit *u, PatternState *ps, Value name) {
    if (name == ABSENT)
        return;
    for (uint32_t i = 0; i < ps->n; i++)
        if (ps->names[i] == name)
            return;
    if (ps->n == ps->cap) {
        uint32_t cap = ps->cap ? ps->cap * 2 : 8;
        Value *names = alloc(u, cap * sizeof *names);
        bool *bound = alloc(u, cap);
        if (!names || !bound)
            return;
        if (ps->n) {
            memcpy(names, ps->names, ps->n * sizeof *names);
            memcpy(bound, ps->bound, ps->n);
        }
        ps->names = names;
        ps->bound = bound;
        ps->cap = cap;
    }
    ps->names[ps->n++] = name;
}

static void find_captures(Unit *u, PatternState *ps, Pattern *p) {
    if (u->g->failed || !p || !enter(u))
        return;
    PatternSeq s = {NULL, 0};
    switch (p->kind) {
    case PATTERN_MatchSequence:
    case PATTERN_MatchOr:
        s = p->MatchSequence.patterns;
        break;
    case PATTERN_MatchMapping:
        s = p->MatchMapping.patterns;
        add_capture(u, ps, p->MatchMapping.rest);
        break;
    case PATTERN_MatchClass:
        s = p->MatchClass.patterns;
        for (int32_t i = 0; i < p->MatchClass.kwd_patterns.n; i++)
            find_captures(u, ps, p->MatchClass.kwd_patterns.v[i]);
        break;
    case PATTERN_MatchStar:
        add_capture(u, ps, p->MatchStar.name);
        break;
    case PATTERN_MatchAs:
        add_capture(u, ps, p->MatchAs.name);
        find_captures(u, ps, p->MatchAs.pattern);
        break;
    default:
        break;
    }
    for (int32_t i = 0; i < s.n; i++)
        find_captures(u, ps, s.v[i]);
}

/* Where a failure at this depth goes. */
static Label fail_here(Unit *u, PatternState *ps) {
    uint32_t k = u->depth - ps->fail.base;
    if (k >= ps->fail.n) {
        Label *l = alloc(u, (k + 8) * sizeof *l);
        if (!l)
            return 0;
        if (ps->fail.n)
            memcpy(l, ps->fail.label, ps->fail.n * sizeof *l);
        for (uint32_t i = ps->fail.n; i < k + 8; i++)
            l[i] = -1;
        ps->fail.label = l;
        ps->fail.n = k + 8;
    }
    if (ps->fail.label[k] < 0)
        ps->fail.label[k] = new_label(u);
    return ps->fail.label[k];
}

/* The landing of all failures: releases what each still holds. Ends with depth fail.base. */
static void bind_fails(Unit *u, PatternState *ps) {
    for (uint32_t k = ps->fail.n; k-- > 0;) {
        if (ps->fail.label[k] >= 0) {
            set_depth(u, ps->fail.base + k);
            codegen_bind(u, ps->fail.label[k]);
        }
        if (u->reachable && k > 0) {
            set_depth(u, ps->fail.base + k);
            emit(u, OP_RELEASE, ps->fail.base + k - 1, 0, 0);
        }
    }
    set_depth(u, ps->fail.base);
}

/* A jump to the failure labels that keeps operand A. */
static void fail_if(Unit *u, PatternState *ps, int op, uint32_t a, uint32_t b, uint32_t depth_after) {
    uint32_t depth = u->depth;
    u->depth = depth_after;
    Label l = fail_here(u, ps);
    u->depth = depth;
    emit_jump(u, op, a, b, l, depth_after)->flags &= (uint8_t)~IF_KILL_A;
}

/* The same that consumes the temporary on top. */
static void fail_unless_top(Unit *u, PatternState *ps, int op, uint32_t b) {
    uint32_t top = u->depth - 1;
    u->depth = top;
    Label l = fail_here(u, ps);
    u->depth = top + 1;
    emit_jump(u, op, top, b, l, top);
}

static void capture(Unit *u, PatternState *ps, Value name, uint32_t reg, const AstPos *pos) {
    if (name == ABSENT || u->g->failed || forbidden_name(u, name, CTX_Store, pos))
        return;
    for (uint32_t i = 0; i < ps->n; i++)
        if (ps->names[i] == name) {
            if (ps->bound[i]) {
                Value r = obj_repr(name);
                error_at(u, pos, "multiple assignments to name %s in pattern", r == ABSENT ? "?" : str_utf8(r, NULL));
                release(r);
                return;
            }
            ps->bound[i] = true;
            emit_keep(u, OP_MOVE, ps->first + i, reg, 0, KEEP_B);
        }
}

static bool is_wildcard(const Pattern *p) {
    return p->kind == PATTERN_MatchAs && p->MatchAs.name == ABSENT && !p->MatchAs.pattern;
}
static bool is_star_wildcard(const Pattern *p) {
    return p->kind == PATTERN_MatchStar && p->MatchStar.name == ABSENT;
}

static void subpattern(Unit *u, PatternState *ps, Pattern *p, uint32_t reg) {
    bool old = ps->allow_irrefutable;
    ps->allow_irrefutable = true;
    pattern(u, ps, p, reg);
    ps->allow_irrefutable = old;
}

/* Items lie on top of each other, the first on top: each is matched and released. NULL: nothing to match. */
static void match_items(Unit *u, PatternState *ps, PatternSeq s, PatternSeq more) {
    for (int32_t i = 0; i < s.n + more.n && !u->g->failed; i++) {
        Pattern *p = i < s.n ? s.v[i] : more.v[i - s.n];
        uint32_t top = u->depth - 1;
        if (!is_wildcard(p) && !is_star_wildcard(p))
            subpattern(u, ps, p, top);
        at(u, &p->pos);
        drop(u, (int)top);
    }
}

static void sequence(Unit *u, PatternState *ps, Pattern *p, uint32_t reg) {
    PatternSeq s = p->MatchSequence.patterns;
    int32_t star = -1;
    bool only_wildcards = true, star_wildcard = false;
    for (int32_t i = 0; i < s.n; i++) {
        if (s.v[i]->kind == PATTERN_MatchStar) {
            if (star >= 0) {
                error_at(u, &p->pos, "multiple starred names in sequence pattern");
                return;
            }
            star = i;
            star_wildcard = is_star_wildcard(s.v[i]);
            only_wildcards &= star_wildcard;
            continue;
        }
        only_wildcards &= is_wildcard(s.v[i]);
    }
    uint32_t t = u->depth;
    emit(u, OP_MATCH_SEQUENCE, t, reg, 0);
    set_depth(u, t + 1);
    fail_unless_top(u, ps, OP_JUMP_IF_FALSE, 0);
    if (s.n > INT16_MAX || (star >= 0 && (star > 255 || s.n - star - 1 > 255))) {
        error_at(u, &p->pos, "too many expressions in star-unpacking sequence pattern");
        return;
    }
    if (star < 0 || s.n > 1) {
        emit(u, OP_GET_LEN, t, reg, 0);
        set_depth(u, t + 1);
        fail_unless_top(u, ps, star < 0 ? OP_JNEQ_I : OP_JNGE_I, (uint32_t)(star < 0 ? s.n : s.n - 1));
    }
    if (only_wildcards)
        return;
    if (star_wildcard) {
        /* Only some items matter: no list is made of the others. */
        for (int32_t i = 0; i < s.n && !u->g->failed; i++) {
            if (i == star || is_wildcard(s.v[i]))
                continue;
            at(u, &s.v[i]->pos);
            if (i < star) {
                emit_keep(u, OP_GETITEM_I, t, reg, (uint32_t)i, KEEP_B);
                set_depth(u, t + 1);
            } else {
                emit(u, OP_GET_LEN, t, reg, 0);
                set_depth(u, t + 1);
                emit(u, OP_SUB_I, t, t, (uint16_t)(s.n - i));
                emit_keep(u, OP_GETITEM, t, reg, t, KEEP_B);
            }
            subpattern(u, ps, s.v[i], t);
            drop(u, (int)t);
        }
        return;
    }
    if (star < 0)
        emit_keep(u, OP_UNPACK, t, reg, (uint32_t)s.n, KEEP_B);
    else
        emit_keep(u, OP_UNPACK_EX, t, reg, (uint32_t)(star | (s.n - star - 1) << 8), KEEP_B);
    set_depth(u, t + (uint32_t)s.n);
    match_items(u, ps, s, (PatternSeq){NULL, 0});
}

static void mapping(Unit *u, PatternState *ps, Pattern *p, uint32_t reg) {
    ExprSeq keys = p->MatchMapping.keys;
    Value rest = p->MatchMapping.rest;
    uint32_t t = u->depth;
    emit(u, OP_MATCH_MAPPING, t, reg, 0);
    set_depth(u, t + 1);
    fail_unless_top(u, ps, OP_JUMP_IF_FALSE, 0);
    if (keys.n == 0 && rest == ABSENT)
        return;
    if (keys.n > INT16_MAX) {
        error_at(u, &p->pos, "too many sub-patterns in mapping pattern");
        return;
    }
    if (keys.n) {
        emit(u, OP_GET_LEN, t, reg, 0);
        set_depth(u, t + 1);
        fail_unless_top(u, ps, OP_JNGE_I, (uint32_t)keys.n);
    }
    for (int32_t i = 0; i < keys.n && !u->g->failed; i++) {
        if (fold(u, keys.v[i])) {
            for (int32_t j = 0; j < i; j++) {
                if (keys.v[j]->kind != EXPR_Constant)
                    continue;
                int eq = obj_eq(keys.v[j]->Constant.value, keys.v[i]->Constant.value);
                if (eq < 0) {
                    fail(u->g);
                } else if (eq) {
                    Value r = obj_repr(keys.v[i]->Constant.value);
                    error_at(u, &p->pos, "mapping pattern checks duplicate key (%s)",
                             r == ABSENT ? "?" : str_utf8(r, NULL));
                    release(r);
                }
            }
        } else if (keys.v[i]->kind != EXPR_Attribute) {
            error_at(u, &p->pos, "mapping pattern keys may only match literals and attribute lookups");
        }
        expr(u, keys.v[i], TEMP);
    }
    at(u, &p->pos);
    emit(u, OP_BUILD_TUPLE, t, t, (uint32_t)keys.n);
    set_depth(u, t + 1);
    emit_keep(u, OP_MATCH_KEYS, t + 1, reg, t, KEEP_C);
    set_depth(u, t + 2);
    fail_if(u, ps, OP_JUMP_IF_NONE, t + 1, 0, t + 2);
    emit(u, OP_UNPACK, t + 1, t + 1, (uint32_t)keys.n);
    set_depth(u, t + 1 + (uint32_t)keys.n);
    match_items(u, ps, p->MatchMapping.patterns, (PatternSeq){NULL, 0});
    at(u, &p->pos);
    if (rest != ABSENT) {
        emit(u, OP_COPY_WITHOUT_KEYS, t, reg, t);
        set_depth(u, t + 1);
        capture(u, ps, rest, t, &p->pos);
    }
    drop(u, (int)t);
}

static void class_pattern(Unit *u, PatternState *ps, Pattern *p, uint32_t reg) {
    PatternSeq positional = p->MatchClass.patterns, by_name = p->MatchClass.kwd_patterns;
    ValueSeq attrs = p->MatchClass.kwd_attrs;
    uint32_t t = u->depth, n = (uint32_t)(positional.n + by_name.n);
    if (n > MAX_REGS / 2) {
        error_at(u, &p->pos, "too many sub-patterns in class pattern");
        return;
    }
    for (int32_t i = 0; i < attrs.n; i++) {
        if (forbidden_name(u, attrs.v[i], CTX_Store, &by_name.v[i]->pos))
            return;
        for (int32_t j = i + 1; j < attrs.n; j++)
            if (attrs.v[i] == attrs.v[j]) {
                error_at(u, &by_name.v[j]->pos, "attribute name repeated in class pattern: %s",
                         str_utf8(attrs.v[j], NULL));
                return;
            }
    }
    expr(u, p->MatchClass.cls, TEMP);
    Value names = attrs.n ? tuple_new(attrs.n) : tuple_empty();
    if (names == ABSENT || arena_keep(u->arena, names) == ABSENT) {
        fail(u->g);
        return;
    }
    for (int32_t i = 0; i < attrs.n; i++)
        tuple_init_item(names, i, retained(attrs.v[i]));
    if (attrs.n)
        tuple_track(names);
    load_const(u, names, TEMP);
    at(u, &p->pos);
    emit(u, OP_MATCH_CLASS, t, reg, t)->extra = (uint32_t)positional.n;
    set_depth(u, t + 1);
    fail_if(u, ps, OP_JUMP_IF_NONE, t, 0, t + 1);
    if (!n) {
        drop(u, (int)t);
        return;
    }
    emit(u, OP_UNPACK, t, t, n);
    set_depth(u, t + n);
    match_items(u, ps, positional, by_name);
}

static void or_pattern(Unit *u, PatternState *ps, Pattern *p, uint32_t reg) {
    PatternSeq s = p->MatchOr.patterns;
    FailLabels outer = ps->fail;
    bool allow = ps->allow_irrefutable;
    bool *before = alloc(u, ps->n + 1), *first = alloc(u, ps->n + 1);
    Label matched = new_label(u);
    uint32_t depth = u->depth;
    if (!before || !first)
        return;
    if (ps->n)
        memcpy(before, ps->bound, ps->n);
    for (int32_t i = 0; i < s.n && !u->g->failed; i++) {
        if (ps->n)
            memcpy(ps->bound, before, ps->n);
        ps->fail = (FailLabels){depth, NULL, 0};
        ps->allow_irrefutable = i == s.n - 1 && allow;
        pattern(u, ps, s.v[i], reg);
        if (i == 0 && ps->n)
            memcpy(first, ps->bound, ps->n);
        else if (ps->n && memcmp(first, ps->bound, ps->n)) {
            error_at(u, ps->pos, "alternative patterns bind different names");
            return;
        }
        jump(u, matched);
        bind_fails(u, ps);
        for (uint32_t k = 0; k < ps->n; k++)
            if (ps->bound[k] && !before[k])
                emit(u, OP_CLEAR, ps->first + k, 0, 0);
    }
    ps->fail = outer;
    ps->allow_irrefutable = allow;
    jump(u, fail_here(u, ps));
    set_depth(u, depth);
    codegen_bind(u, matched);
}

static void pattern(Unit *u, PatternState *ps, Pattern *p, uint32_t reg) {
    if (u->g->failed || !enter(u))
        return;
    at(u, &p->pos);
    ps->pos = &p->pos;
    uint32_t depth = u->depth;
    switch (p->kind) {
    case PATTERN_MatchValue: {
        Expr *v = p->MatchValue.value;
        if (v->kind != EXPR_JoinedStr)
            fold(u, v);
        if (v->kind != EXPR_Constant && v->kind != EXPR_Attribute) {
            error_at(u, &p->pos, "patterns may only match literals and attribute lookups");
            return;
        }
        if (v->kind == EXPR_Constant && v_is_int(v->Constant.value) && v_int(v->Constant.value) >= INT16_MIN &&
            v_int(v->Constant.value) <= INT16_MAX) {
            fail_if(u, ps, OP_JNEQ_I, reg, (uint16_t)v_int(v->Constant.value), depth);
            break;
        }
        int r = expr_last(u, v);
        at(u, &p->pos);
        fail_if(u, ps, OP_JNEQ, reg, (uint32_t)r, depth);
        break;
    }
    case PATTERN_MatchSingleton: {
        Value v = p->MatchSingleton.value;
        if (v_is_none(v)) {
            fail_if(u, ps, OP_JUMP_IF_NOT_NONE, reg, 0, depth);
            break;
        }
        int r = load_const(u, v, TEMP);
        fail_if(u, ps, OP_JNIS, reg, (uint32_t)r, depth);
        break;
    }
    case PATTERN_MatchSequence:
        sequence(u, ps, p, reg);
        break;
    case PATTERN_MatchMapping:
        mapping(u, ps, p, reg);
        break;
    case PATTERN_MatchClass:
        class_pattern(u, ps, p, reg);
        break;
    case PATTERN_MatchStar:
        capture(u, ps, p->MatchStar.name, reg, &p->pos);
        break;
    case PATTERN_MatchAs:
        if (!p->MatchAs.pattern) {
            if (!ps->allow_irrefutable) {
                if (p->MatchAs.name != ABSENT) {
                    Value r = obj_repr(p->MatchAs.name);
                    error_at(u, &p->pos, "name capture %s makes remaining patterns unreachable",
                             r == ABSENT ? "?" : str_utf8(r, NULL));
                    release(r);
                } else {
                    error_at(u, &p->pos, "wildcard makes remaining patterns unreachable");
                }
                return;
            }
        } else {
            pattern(u, ps, p->MatchAs.pattern, reg);
            at(u, &p->pos);
        }
        capture(u, ps, p->MatchAs.name, reg, &p->pos);
        break;
    case PATTERN_MatchOr:
        or_pattern(u, ps, p, reg);
        break;
    default:
        UNREACHABLE();
    }
}

void compile_match(Unit *u, Stmt *s) {
    uint32_t base = u->depth;
    MatchCaseSeq cases = s->Match.cases;
    Label end = new_label(u);
    expr(u, s->Match.subject, TEMP);
    for (int32_t i = 0; i < cases.n && !u->g->failed; i++) {
        AstMatchCase *c = cases.v[i];
        Label next = new_label(u);
        PatternState ps = {.first = base + 1};
        find_captures(u, &ps, c->pattern);
        at(u, &c->pattern->pos);
        for (uint32_t k = 0; k < ps.n; k++)
            load_const(u, v_from_int(0), TEMP);
        ps.fail.base = base + 1; /* captures are released on the way */
        ps.allow_irrefutable = c->guard != NULL || i == cases.n - 1;
        pattern(u, &ps, c->pattern, base);
        for (uint32_t k = ps.n; k-- > 0;)
            store_name(u, find_symbol(u, ps.names[k]), ps.names[k], (int)(base + 1 + k), false);
        set_depth(u, base + 1);
        if (c->guard)
            cond(u, c->guard, next, false);
        at(u, &c->pattern->pos);
        drop(u, (int)base);
        stmts(u, c->body);
        at_none(u);
        jump(u, end);
        bind_fails(u, &ps);
        set_depth(u, base + 1);
        codegen_bind(u, next);
    }
    set_depth(u, base + 1);
    drop(u, (int)base);
    codegen_bind(u, end);
}

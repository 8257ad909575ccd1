/* Expressions: values and conditions. */
#include "front/codegen.h"

#include "front/fold.h"
#include "object/int.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

enum {
    MAX_DISPLAY = 64, /* so many items are evaluated into temporaries before a display is built */
    MAX_PAIRS = 16,
};

static int expr_any(Unit *u, Expr *e, int want, bool last);

bool fold(Unit *u, Expr *e) {
    if (fold_expr(u->arena, e, u->g->optimize) < 0)
        fail(u->g);
    return e->kind == EXPR_Constant;
}

int load_move(Unit *u, int reg, int want) {
    if (want == ANY || want == reg)
        return reg;
    if (!is_temp(u, reg)) {
        uint32_t base = u->depth;
        int d = dest(u, want, base);
        emit(u, OP_MOVE, (uint32_t)d, (uint32_t)reg, 0);
        return done(u, d, base);
    }
    ASSERT(u->g->failed || (uint32_t)reg == u->depth - 1);
    if (want == TEMP)
        return reg;
    emit(u, OP_MOVE, (uint32_t)want, (uint32_t)reg, 0);
    return done(u, want, u->depth - 1);
}

int load_const(Unit *u, Value v, int want) {
    uint32_t base = u->depth;
    int d = dest(u, want, base);
    if (v_is_int(v) && v_int(v) >= INT32_MIN && v_int(v) <= INT32_MAX)
        emit(u, OP_LOAD_INT, (uint32_t)d, (uint32_t)(int32_t)v_int(v), 0);
    else if (u->reachable)
        emit(u, OP_LOAD_CONST, (uint32_t)d, add_const(u, v), 0);
    return done(u, d, base);
}

int load_none(Unit *u, int want) {
    return load_const(u, V_NONE, want);
}

void drop(Unit *u, int reg) {
    if (!is_temp(u, reg))
        return;
    emit(u, OP_RELEASE, (uint32_t)reg, 0, 0);
    set_depth(u, u->depth - 1);
}

void exprs_temp(Unit *u, ExprSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        expr(u, s.v[i], TEMP);
}

int expr(Unit *u, Expr *e, int want) {
    return expr_any(u, e, want, false);
}
int expr_last(Unit *u, Expr *e) {
    return expr_any(u, e, ANY, true);
}

/* ---- warnings about what cannot work ---- */
static const char *constant_type(Expr *e) {
    switch (e->kind) {
    case EXPR_Constant:
        return type_cname(type_of(e->Constant.value));
    case EXPR_Tuple:
        return "tuple";
    case EXPR_List:
    case EXPR_ListComp:
        return "list";
    case EXPR_Dict:
    case EXPR_DictComp:
        return "dict";
    case EXPR_Set:
    case EXPR_SetComp:
        return "set";
    case EXPR_GeneratorExp:
        return "generator";
    case EXPR_Lambda:
        return "function";
    case EXPR_JoinedStr:
    case EXPR_FormattedValue:
        return "str";
    default:
        return NULL;
    }
}

static void check_subscript(Unit *u, Expr *e) {
    Expr *v = e->Subscript.value, *i = e->Subscript.slice;
    if (e->Subscript.ctx != CTX_Load)
        return;
    switch (v->kind) {
    case EXPR_Constant:
        if (!(v_is_none(v->Constant.value) || v->Constant.value == V_ELLIPSIS || v_is_integer(v->Constant.value) ||
              v_is_floating(v->Constant.value) || v_is_exact(v->Constant.value, IDX_COMPLEX) ||
              v_is_set(v->Constant.value)))
            break;
        /* fall through */
    case EXPR_Set:
    case EXPR_SetComp:
    case EXPR_GeneratorExp:
    case EXPR_Lambda:
        warn_at(u, &e->pos, "'%.200s' object is not subscriptable; perhaps you missed a comma?", constant_type(v));
        return;
    default:
        break;
    }
    const char *it = constant_type(i);
    if (!it || i->kind == EXPR_Slice || (i->kind == EXPR_Constant && v_is_integer(i->Constant.value)))
        return;
    bool indexed = v->kind == EXPR_Tuple || v->kind == EXPR_List || v->kind == EXPR_ListComp ||
                   v->kind == EXPR_JoinedStr || v->kind == EXPR_FormattedValue ||
                   (v->kind == EXPR_Constant &&
                    (v_is_str(v->Constant.value) || v_is_bytes(v->Constant.value) || v_is_tuple(v->Constant.value)));
    if (indexed)
        warn_at(u, &e->pos, "%.200s indices must be integers or slices, not %.200s; perhaps you missed a comma?",
                constant_type(v), it);
}

/* `is` with a literal that need not be unique. */
static bool dubious_identity(Expr *e) {
    if (e->kind == EXPR_Constant) {
        Value v = e->Constant.value;
        return !(v_is_none(v) || v_is_bool(v) || v == V_ELLIPSIS);
    }
    return e->kind == EXPR_Tuple && e->Tuple.elts.n == 0;
}

static void check_compare(Unit *u, Expr *e) {
    Expr *left = e->Compare.left;
    bool dubious = dubious_identity(left) || left->kind == EXPR_Tuple;
    for (int32_t i = 0; i < e->Compare.ops.n; i++) {
        Expr *c = e->Compare.comparators.v[i];
        bool right = dubious_identity(c) || c->kind == EXPR_Tuple;
        int op = e->Compare.ops.v[i];
        if ((op == CMPOP_Is || op == CMPOP_IsNot) && (dubious || right)) {
            warn_at(u, &e->pos,
                    op == CMPOP_Is ? "\"is\" with a literal. Did you mean \"==\"?"
                                   : "\"is not\" with a literal. Did you mean \"!=\"?");
            return;
        }
        dubious = right;
    }
}

/* ---- operators ---- */
static const uint8_t binary_ops[] = {
    [BINOP_Add] = OP_ADD,           [BINOP_Sub] = OP_SUB,  [BINOP_Mult] = OP_MUL,   [BINOP_MatMult] = OP_MATMUL,
    [BINOP_Div] = OP_TRUEDIV,       [BINOP_Mod] = OP_MOD,  [BINOP_Pow] = OP_POW,    [BINOP_LShift] = OP_LSHIFT,
    [BINOP_RShift] = OP_RSHIFT,     [BINOP_BitOr] = OP_OR, [BINOP_BitXor] = OP_XOR, [BINOP_BitAnd] = OP_AND,
    [BINOP_FloorDiv] = OP_FLOORDIV,
};
static const uint8_t binary_const_ops[] = {
    [BINOP_Add] = OP_ADD_K,           [BINOP_Sub] = OP_SUB_K,  [BINOP_Mult] = OP_MUL_K,   [BINOP_MatMult] = OP_MATMUL_K,
    [BINOP_Div] = OP_TRUEDIV_K,       [BINOP_Mod] = OP_MOD_K,  [BINOP_Pow] = OP_POW_K,    [BINOP_LShift] = OP_LSHIFT_K,
    [BINOP_RShift] = OP_RSHIFT_K,     [BINOP_BitOr] = OP_OR_K, [BINOP_BitXor] = OP_XOR_K, [BINOP_BitAnd] = OP_AND_K,
    [BINOP_FloorDiv] = OP_FLOORDIV_K,
};

static bool is_int16(Expr *e) {
    if (e->kind != EXPR_Constant || !v_is_int(e->Constant.value))
        return false;
    int64_t i = v_int(e->Constant.value);
    return i >= INT16_MIN && i <= INT16_MAX;
}

/* The operand in register r is consumed by an operator or comparison: the operator that made it, if one did, may hand
 * it over. */
static void hand_over(Unit *u, int r) {
    if (!u->reachable || u->g->failed || u->n == 0 || (uint32_t)r < u->n_locals)
        return;
    AsmInstr *i = &u->ins[u->n - 1];
    if (i->a == (uint32_t)r && i->op >= OP_ADD && i->op <= OP_XOR_K)
        i->flags |= IF_X1;
}

/* left op right, of which left is evaluated: emits the operation at pos into the place that want and base say. */
int binary_rest(Unit *u, BinOpKind op, int left, Expr *right, int want, uint32_t base, const AstPos *pos,
                bool inplace) {
    AsmInstr *i;
    hand_over(u, left);
    if (fold(u, right)) {
        bool imm = is_int16(right) && (op == BINOP_Add || op == BINOP_Sub);
        uint32_t k = imm || !u->reachable ? 0 : add_const(u, right->Constant.value);
        if (k <= UINT16_MAX) {
            at(u, pos);
            int d = dest(u, want, base);
            if (imm)
                i = emit(u, op == BINOP_Add ? OP_ADD_I : OP_SUB_I, (uint32_t)d, (uint32_t)left,
                         (uint16_t)v_int(right->Constant.value));
            else
                i = emit(u, binary_const_ops[op], (uint32_t)d, (uint32_t)left, k);
            if (inplace)
                i->flags |= IF_INPLACE;
            return done(u, d, base);
        }
    }
    int r = expr_last(u, right);
    hand_over(u, r);
    at(u, pos);
    int d = dest(u, want, base);
    i = emit(u, binary_ops[op], (uint32_t)d, (uint32_t)left, (uint32_t)r);
    if (inplace)
        i->flags |= IF_INPLACE;
    return done(u, d, base);
}

static const uint8_t compare_ops[] = {
    [CMPOP_Eq] = OP_EQ, [CMPOP_NotEq] = OP_NE,     [CMPOP_Lt] = OP_LT, [CMPOP_LtE] = OP_LE,
    [CMPOP_Gt] = OP_GT, [CMPOP_GtE] = OP_GE,       [CMPOP_Is] = OP_IS, [CMPOP_IsNot] = OP_IS_NOT,
    [CMPOP_In] = OP_IN, [CMPOP_NotIn] = OP_NOT_IN,
};
/* Fused with a jump: when the comparison is true, when it is false; and with a small int on the right. */
static const uint8_t jump_true_ops[] = {
    [CMPOP_Eq] = OP_JEQ, [CMPOP_NotEq] = OP_JNE,  [CMPOP_Lt] = OP_JLT, [CMPOP_LtE] = OP_JLE,
    [CMPOP_Gt] = OP_JGT, [CMPOP_GtE] = OP_JGE,    [CMPOP_Is] = OP_JIS, [CMPOP_IsNot] = OP_JNIS,
    [CMPOP_In] = OP_JIN, [CMPOP_NotIn] = OP_JNIN,
};
static const uint8_t jump_false_ops[] = {
    [CMPOP_Eq] = OP_JNEQ, [CMPOP_NotEq] = OP_JNNE, [CMPOP_Lt] = OP_JNLT, [CMPOP_LtE] = OP_JNLE,
    [CMPOP_Gt] = OP_JNGT, [CMPOP_GtE] = OP_JNGE,   [CMPOP_Is] = OP_JNIS, [CMPOP_IsNot] = OP_JIS,
    [CMPOP_In] = OP_JNIN, [CMPOP_NotIn] = OP_JIN,
};
static const uint8_t jump_true_imm_ops[] = {
    [CMPOP_Eq] = OP_JEQ_I,  [CMPOP_NotEq] = OP_JNE_I, [CMPOP_Lt] = OP_JLT_I,
    [CMPOP_LtE] = OP_JLE_I, [CMPOP_Gt] = OP_JGT_I,    [CMPOP_GtE] = OP_JGE_I,
};
static const uint8_t jump_false_imm_ops[] = {
    [CMPOP_Eq] = OP_JNEQ_I,  [CMPOP_NotEq] = OP_JNNE_I, [CMPOP_Lt] = OP_JNLT_I,
    [CMPOP_LtE] = OP_JNLE_I, [CMPOP_Gt] = OP_JNGT_I,    [CMPOP_GtE] = OP_JNGE_I,
};

/* Right side of a comparison: a literal list or set that only serves `in` becomes a constant. */
static void fold_comparator(Unit *u, int op, Expr *e) {
    if (op == CMPOP_In || op == CMPOP_NotIn) {
        if (fold_iterable(u->arena, e, u->g->optimize) < 0)
            fail(u->g);
    } else {
        fold(u, e);
    }
}

/* left op right, of which left is evaluated, then a jump. */
static void compare_jump(Unit *u, int op, int left, Expr *right, Label target, bool jump_if, uint32_t base,
                         const AstPos *pos) {
    fold_comparator(u, op, right);
    if (op <= CMPOP_GtE)
        hand_over(u, left);
    if (op <= CMPOP_GtE && is_int16(right)) {
        at(u, pos);
        emit_jump(u, (jump_if ? jump_true_imm_ops : jump_false_imm_ops)[op], (uint32_t)left,
                  (uint16_t)v_int(right->Constant.value), target, base);
        return;
    }
    if ((op == CMPOP_Is || op == CMPOP_IsNot) && right->kind == EXPR_Constant && v_is_none(right->Constant.value)) {
        at(u, pos);
        emit_jump(u, (op == CMPOP_Is) == jump_if ? OP_JUMP_IF_NONE : OP_JUMP_IF_NOT_NONE, (uint32_t)left, 0, target,
                  base);
        return;
    }
    int r = expr_last(u, right);
    if (op <= CMPOP_GtE)
        hand_over(u, r);
    at(u, pos);
    emit_jump(u, (jump_if ? jump_true_ops : jump_false_ops)[op], (uint32_t)left, (uint32_t)r, target, base);
}

/* A middle operand of a chain that can be read twice from where it is. */
static bool stays_put(Unit *u, Expr *e) {
    return e->kind == EXPR_Name && local_register(u, e->Name.sym) >= 0 && !state_has(u->rebound, e->Name.sym->index);
}

/* a < b < c ...: jumps to fail_simple (depth base) as soon as one is false; the last comparison is left to the caller:
 * its left operand is returned. Where a middle operand is no local, comparisons fail to fail_held, with that operand
 * still in register base. */
static int chain(Unit *u, Expr *e, Label fail_simple, Label fail_held, uint32_t base) {
    int32_t n = e->Compare.ops.n;
    bool simple = true;
    for (int32_t i = 0; i < n - 1; i++)
        simple &= stays_put(u, e->Compare.comparators.v[i]);
    int left = expr(u, e->Compare.left, simple ? ANY : TEMP);
    for (int32_t i = 0; i < n - 1; i++) {
        Expr *c = e->Compare.comparators.v[i];
        int op = e->Compare.ops.v[i];
        if (simple) {
            int r = expr_last(u, c);
            at(u, &e->pos);
            emit_jump(u, jump_false_ops[op], (uint32_t)left, (uint32_t)r, fail_simple, base);
            left = r;
            continue;
        }
        /* left in base, this operand in base + 1, the result in base + 2: then the operand moves down and the result
         * after it. */
        fold_comparator(u, op, c);
        expr(u, c, TEMP);
        at(u, &e->pos);
        emit_keep(u, compare_ops[op], base + 2, base, base + 1, KEEP_B | KEEP_C);
        set_depth(u, base + 3);
        emit(u, OP_CLEAR, base, 0, 0);
        emit(u, OP_MOVE, base, base + 1, 0);
        emit(u, OP_MOVE, base + 1, base + 2, 0);
        set_depth(u, base + 2);
        emit_jump(u, OP_JUMP_IF_FALSE, base + 1, 0, fail_held, base + 1);
    }
    return left;
}

static int compare(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    int32_t n = e->Compare.ops.n;
    if (n == 1) {
        int op = e->Compare.ops.v[0];
        Expr *right = e->Compare.comparators.v[0];
        int l = expr(u, e->Compare.left, ANY);
        fold_comparator(u, op, right);
        int r = expr_last(u, right);
        at(u, &e->pos);
        int d = dest(u, want, base);
        emit(u, compare_ops[op], (uint32_t)d, (uint32_t)l, (uint32_t)r);
        return done(u, d, base);
    }
    /* The value of a failed comparison is the result: it is kept, so the jumps cannot be fused. */
    Label end = new_label(u), held = new_label(u);
    expr(u, e->Compare.left, TEMP);
    for (int32_t i = 0; i < n - 1; i++) {
        Expr *c = e->Compare.comparators.v[i];
        int op = e->Compare.ops.v[i];
        fold_comparator(u, op, c);
        expr(u, c, TEMP);
        at(u, &e->pos);
        emit_keep(u, compare_ops[op], base + 2, base, base + 1, KEEP_B | KEEP_C);
        set_depth(u, base + 3);
        emit(u, OP_CLEAR, base, 0, 0);
        emit(u, OP_MOVE, base, base + 1, 0);
        emit(u, OP_MOVE, base + 1, base + 2, 0);
        set_depth(u, base + 2);
        /* Keeps the result when it jumps: depth base + 2 there. */
        if (u->reachable) {
            emit_jump(u, OP_JUMP_IF_FALSE_OR_POP, base + 1, 0, held, base + 2);
            set_depth(u, base + 1);
        }
        set_depth(u, base + 1);
    }
    int op = e->Compare.ops.v[n - 1];
    fold_comparator(u, op, e->Compare.comparators.v[n - 1]);
    int r = expr_last(u, e->Compare.comparators.v[n - 1]);
    at(u, &e->pos);
    emit(u, compare_ops[op], base, base, (uint32_t)r);
    set_depth(u, base + 1);
    jump(u, end);
    set_depth(u, base + 2);
    codegen_bind(u, held);
    emit(u, OP_CLEAR, base, 0, 0);
    emit(u, OP_MOVE, base, base + 1, 0);
    set_depth(u, base + 1);
    codegen_bind(u, end);
    return load_move(u, (int)base, want);
}

/* ---- conditions ---- */
void cond(Unit *u, Expr *e, Label target, bool jump_if) {
    if (u->g->failed || !enter(u))
        return;
    uint32_t base = u->depth;
    fold(u, e);
    switch (e->kind) {
    case EXPR_Constant: {
        int t = obj_truth(e->Constant.value);
        if (t < 0) {
            fail(u->g);
            return;
        }
        at(u, &e->pos);
        if ((t != 0) == jump_if)
            jump(u, target);
        return;
    }
    case EXPR_UnaryOp:
        if (e->UnaryOp.op != UNARYOP_Not)
            break;
        cond(u, e->UnaryOp.operand, target, !jump_if);
        return;
    case EXPR_BoolOp: {
        /* Values but the last decide at once in one direction. */
        bool decides = e->BoolOp.op == BOOLOP_Or; /* the truth value that ends it */
        ExprSeq v = e->BoolOp.values;
        if (decides == jump_if) {
            for (int32_t i = 0; i < v.n; i++)
                cond(u, v.v[i], target, jump_if);
            return;
        }
        Label skip = new_label(u);
        for (int32_t i = 0; i < v.n - 1; i++)
            cond(u, v.v[i], skip, decides);
        cond(u, v.v[v.n - 1], target, jump_if);
        codegen_bind(u, skip);
        return;
    }
    case EXPR_IfExp: {
        Label orelse = new_label(u), end = new_label(u);
        cond(u, e->IfExp.test, orelse, false);
        cond(u, e->IfExp.body, target, jump_if);
        jump(u, end);
        codegen_bind(u, orelse);
        cond(u, e->IfExp.orelse, target, jump_if);
        codegen_bind(u, end);
        return;
    }
    case EXPR_Compare: {
        check_compare(u, e);
        int32_t n = e->Compare.ops.n;
        if (n == 1) {
            int l = expr(u, e->Compare.left, ANY);
            compare_jump(u, e->Compare.ops.v[0], l, e->Compare.comparators.v[0], target, jump_if, base, &e->pos);
            return;
        }
        Label no = new_label(u), held = new_label(u);
        int l = chain(u, e, no, held, base);
        compare_jump(u, e->Compare.ops.v[n - 1], l, e->Compare.comparators.v[n - 1], jump_if ? target : no, jump_if,
                     base, &e->pos);
        if (!jump_if) {
            Label yes = new_label(u);
            jump(u, yes);
            set_depth(u, base + 1);
            codegen_bind(u, held);
            if (u->reachable) {
                emit(u, OP_RELEASE, base, 0, 0);
                set_depth(u, base);
            }
            set_depth(u, base);
            codegen_bind(u, no);
            jump(u, target);
            set_depth(u, base);
            codegen_bind(u, yes);
            return;
        }
        Label end = new_label(u);
        jump(u, end);
        set_depth(u, base + 1);
        codegen_bind(u, held);
        if (u->reachable)
            emit(u, OP_RELEASE, base, 0, 0);
        set_depth(u, base);
        codegen_bind(u, no);
        codegen_bind(u, end);
        return;
    }
    default:
        break;
    }
    int r = expr_last(u, e);
    at(u, &e->pos);
    emit_jump(u, jump_if ? OP_JUMP_IF_TRUE : OP_JUMP_IF_FALSE, (uint32_t)r, 0, target, base);
}

static int boolop(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    ExprSeq v = e->BoolOp.values;
    int op = e->BoolOp.op == BOOLOP_And ? OP_JUMP_IF_FALSE_OR_POP : OP_JUMP_IF_TRUE_OR_POP;
    Label end = new_label(u);
    for (int32_t i = 0; i < v.n - 1; i++) {
        int r = expr(u, v.v[i], TEMP);
        at(u, &e->pos);
        emit_jump(u, op, (uint32_t)r, 0, end, base + 1);
        set_depth(u, base);
    }
    expr(u, v.v[v.n - 1], TEMP);
    codegen_bind(u, end);
    set_depth(u, base + 1);
    return load_move(u, (int)base, want);
}

static int if_expr(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    Label orelse = new_label(u), end = new_label(u);
    if (want == ANY)
        want = TEMP;
    cond(u, e->IfExp.test, orelse, false);
    expr(u, e->IfExp.body, want);
    jump(u, end);
    set_depth(u, base);
    codegen_bind(u, orelse);
    int d = expr(u, e->IfExp.orelse, want);
    codegen_bind(u, end);
    return done(u, d, base);
}

/* ---- displays ---- */
static bool has_starred(ExprSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (s.v[i]->kind == EXPR_Starred)
            return true;
    return false;
}

static bool all_constant(Unit *u, ExprSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (!fold(u, s.v[i]))
            return false;
    return true;
}

static int constants_display(Unit *u, ExprSeq s, bool is_set, int want) {
    uint32_t base = u->depth;
    Value t = tuple_new(s.n);
    if (t == ABSENT) {
        fail(u->g);
        return load_none(u, want);
    }
    for (int32_t i = 0; i < s.n; i++)
        tuple_init_item(t, i, retained(s.v[i]->Constant.value));
    if (is_set) {
        Value f = frozenset_from(t);
        release(t);
        t = f;
    } else {
        tuple_track(t);
    }
    uint32_t k = add_const_steal(u, t);
    emit(u, is_set ? OP_BUILD_SET : OP_BUILD_LIST, base, base, 0);
    set_depth(u, base + 1);
    emit(u, OP_LOAD_CONST, base + 1, k, 0);
    set_depth(u, base + 2);
    emit(u, is_set ? OP_SET_UPDATE : OP_LIST_EXTEND, 0, base, base + 1);
    set_depth(u, base + 1);
    return load_move(u, (int)base, want);
}

/* A list, set or tuple from expressions, some of them starred; n_before of its items lie already in the temporaries
 * from base on. */
int sequence_display(Unit *u, ExprSeq s, int kind, int want, const AstPos *pos) {
    uint32_t base = u->depth;
    bool is_set = kind == EXPR_Set;
    if (!has_starred(s) && s.n <= MAX_DISPLAY) {
        exprs_temp(u, s);
        at(u, pos);
        int d = dest(u, want, base);
        emit(u,
             is_set              ? OP_BUILD_SET
             : kind == EXPR_List ? OP_BUILD_LIST
                                 : OP_BUILD_TUPLE,
             (uint32_t)d, base, (uint32_t)s.n);
        return done(u, d, base);
    }
    int32_t i = 0;
    while (i < s.n && i < MAX_DISPLAY && s.v[i]->kind != EXPR_Starred)
        expr(u, s.v[i++], TEMP);
    at(u, pos);
    emit(u, is_set ? OP_BUILD_SET : OP_BUILD_LIST, base, base, (uint32_t)i);
    set_depth(u, base + 1);
    for (; i < s.n && !u->g->failed; i++) {
        bool star = s.v[i]->kind == EXPR_Starred;
        int r = expr_last(u, star ? s.v[i]->Starred.value : s.v[i]);
        at(u, pos);
        emit(u, star ? (is_set ? OP_SET_UPDATE : OP_LIST_EXTEND) : (is_set ? OP_SET_ADD : OP_LIST_APPEND), 0, base,
             (uint32_t)r);
        set_depth(u, base + 1);
    }
    if (kind == EXPR_Tuple) {
        int d = dest(u, want, base);
        emit(u, OP_LIST_TO_TUPLE, (uint32_t)d, base, 0);
        return done(u, d, base);
    }
    return load_move(u, (int)base, want);
}

static int dict_display(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    ExprSeq keys = e->Dict.keys, values = e->Dict.values;
    int32_t i = 0;
    for (; i < keys.n && i < MAX_PAIRS && keys.v[i]; i++) {
        expr(u, keys.v[i], TEMP);
        expr(u, values.v[i], TEMP);
    }
    at(u, &e->pos);
    int d = i == keys.n ? dest(u, want, base) : (int)base;
    emit(u, OP_BUILD_MAP, (uint32_t)d, base, (uint32_t)i);
    done(u, d, base);
    if (i == keys.n)
        return d;
    for (; i < keys.n && !u->g->failed; i++) {
        if (keys.v[i]) {
            int k = expr(u, keys.v[i], ANY);
            int v = expr_last(u, values.v[i]);
            at(u, &e->pos);
            emit(u, OP_MAP_ADD, (uint32_t)v, base, (uint32_t)k);
        } else {
            int v = expr_last(u, values.v[i]);
            at(u, &e->pos);
            emit(u, OP_DICT_UPDATE, 0, base, (uint32_t)v);
        }
        set_depth(u, base + 1);
    }
    return load_move(u, (int)base, want);
}

/* ---- f-strings ---- */
static int formatted_value(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth, spec = NO_REG;
    int v = expr(u, e->FormattedValue.value, ANY);
    if (e->FormattedValue.format_spec)
        spec = (uint32_t)expr(u, e->FormattedValue.format_spec, TEMP);
    int c = e->FormattedValue.conversion;
    int conversion = c == 's' ? 1 : c == 'r' ? 2 : c == 'a' ? 3 : 0;
    at(u, &e->pos);
    int d = dest(u, want, base);
    AsmInstr *i = emit(u, OP_FORMAT_VALUE, (uint32_t)d, (uint32_t)v, spec);
    i->flags |= (uint8_t)((conversion & 1 ? IF_X1 : 0) | (conversion & 2 ? IF_X2 : 0));
    return done(u, d, base);
}

static int joined_str(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    ExprSeq s = e->JoinedStr.values;
    if (s.n == 0)
        return load_const(u, ID(""), want);
    if (s.n == 1)
        return expr(u, s.v[0], want);
    for (int32_t i = 0; i < s.n && !u->g->failed; i++) {
        expr(u, s.v[i], TEMP);
        if (u->depth - base >= MAX_DISPLAY && i + 1 < s.n) {
            at(u, &e->pos);
            emit(u, OP_BUILD_STRING, base, base, u->depth - base);
            set_depth(u, base + 1);
        }
    }
    at(u, &e->pos);
    int d = dest(u, want, base);
    emit(u, OP_BUILD_STRING, (uint32_t)d, base, u->depth - base);
    return done(u, d, base);
}

/* ---- subscripts ---- */
static int slice_expr(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    Expr *parts[3] = {e->Slice.lower, e->Slice.upper, e->Slice.step};
    for (int i = 0; i < 3; i++) {
        if (parts[i])
            expr(u, parts[i], TEMP);
        else
            load_none(u, TEMP);
    }
    at(u, &e->pos);
    int d = dest(u, want, base);
    emit(u, OP_BUILD_SLICE, (uint32_t)d, base, 0);
    return done(u, d, base);
}

static int subscript(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    Expr *i = e->Subscript.slice;
    check_subscript(u, e);
    int o = expr(u, e->Subscript.value, ANY);
    if (fold(u, i)) {
        if (is_int16(i)) {
            at(u, &e->pos);
            int d = dest(u, want, base);
            emit(u, OP_GETITEM_I, (uint32_t)d, (uint32_t)o, (uint16_t)v_int(i->Constant.value));
            return done(u, d, base);
        }
        uint32_t k = u->reachable ? add_const(u, i->Constant.value) : 0;
        if (k <= UINT16_MAX) {
            at(u, &e->pos);
            int d = dest(u, want, base);
            emit(u, OP_GETITEM_K, (uint32_t)d, (uint32_t)o, k);
            return done(u, d, base);
        }
    }
    int r = expr_last(u, i);
    at(u, &e->pos);
    int d = dest(u, want, base);
    emit(u, OP_GETITEM, (uint32_t)d, (uint32_t)o, (uint32_t)r);
    return done(u, d, base);
}

/* ---- generators and coroutines ---- */
static bool in_async(Unit *u) {
    return u->kind == UNIT_ASYNC_FUNCTION || (u->kind == UNIT_COMPREHENSION && u->scope->is_coroutine);
}

static int yield_expr(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    if (u->scope->kind != SCOPE_FUNCTION)
        error_at(u, &e->pos, "'yield' outside function");
    int r = e->Yield.value ? expr_last(u, e->Yield.value) : load_none(u, ANY);
    at(u, &e->pos);
    if (u->flags & CO_ASYNC_GENERATOR) {
        emit(u, OP_ASYNC_GEN_WRAP, base, (uint32_t)r, 0);
        set_depth(u, base + 1);
        r = (int)base;
    }
    int d = dest(u, want, base);
    emit(u, OP_YIELD, (uint32_t)d, (uint32_t)r, NO_REG);
    return done(u, d, base);
}

/* Depth base + 2: the iterator in base + 1, base is free. Leaves the result in base. */
static void run_iterator(Unit *u, uint32_t base) {
    Label again = new_label(u), end = new_label(u);
    emit(u, OP_LOAD_CONST, base, u->reachable ? add_const(u, V_NONE) : 0, 0);
    bind_loop(u, again);
    emit_jump(u, OP_SEND, base, base + 1, end, base + 2);
    emit(u, OP_YIELD, base, base, base + 1)->flags |= IF_X1;
    jump(u, again);
    set_depth(u, base + 2);
    codegen_bind(u, end);
    emit(u, OP_RELEASE, base + 1, 0, 0);
    set_depth(u, base + 1);
}

static int yield_from(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    if (u->scope->kind != SCOPE_FUNCTION)
        error_at(u, &e->pos, "'yield' outside function");
    else if (u->kind == UNIT_ASYNC_FUNCTION)
        error_at(u, &e->pos, "'yield from' inside async function");
    int r = expr_last(u, e->YieldFrom.value);
    at(u, &e->pos);
    emit(u, OP_GET_YIELD_FROM_ITER, base + 1, (uint32_t)r, 0);
    set_depth(u, base + 2);
    run_iterator(u, base);
    return load_move(u, (int)base, want);
}

void await_top(Unit *u, int kind) {
    uint32_t base = u->depth - 1;
    emit(u, OP_GET_AWAITABLE, base + 1, base, (uint32_t)kind);
    set_depth(u, base + 2);
    run_iterator(u, base);
}

void anext_top(Unit *u, uint32_t iter) {
    uint32_t base = u->depth;
    emit(u, OP_GET_ANEXT, base + 1, iter, 0);
    set_depth(u, base + 2);
    run_iterator(u, base);
}

static int await_expr(Unit *u, Expr *e, int want) {
    if (!u->g->top_level_await || u->scope->kind == SCOPE_FUNCTION) {
        if (u->scope->kind != SCOPE_FUNCTION)
            error_at(u, &e->pos, "'await' outside function");
        else if (!in_async(u) && u->kind != UNIT_COMPREHENSION)
            error_at(u, &e->pos, "'await' outside async function");
    }
    expr(u, e->Await.value, TEMP);
    at(u, &e->pos);
    await_top(u, 0);
    return load_move(u, (int)u->depth - 1, want);
}

static int named_expr(Unit *u, Expr *e, int want, bool last) {
    Expr *t = e->NamedExpr.target;
    int reg = local_register(u, t->Name.sym);
    if (forbidden_name(u, t->Name.id, CTX_Store, &t->pos))
        return load_none(u, want);
    if (reg >= 0) {
        expr(u, e->NamedExpr.value, reg);
        return load_move(u, reg, want == ANY && !last ? TEMP : want);
    }
    int r = expr(u, e->NamedExpr.value, TEMP);
    at(u, &t->pos);
    store_name(u, t->Name.sym, t->Name.id, r, true);
    return load_move(u, r, want);
}

/* ---- all kinds ---- */
static int unary(Unit *u, Expr *e, int want) {
    static const uint8_t ops[] = {
        [UNARYOP_Invert] = OP_INVERT, [UNARYOP_Not] = OP_NOT, [UNARYOP_UAdd] = OP_POS, [UNARYOP_USub] = OP_NEG};
    uint32_t base = u->depth;
    Expr *o = e->UnaryOp.operand;
    if (e->UnaryOp.op == UNARYOP_Not && o->kind == EXPR_Compare && o->Compare.ops.n == 1 &&
        o->Compare.ops.v[0] >= CMPOP_Is) {
        /* These four give nothing but a bool: negate the operator (Is, IsNot and In, NotIn are neighbours). */
        uint8_t op = o->Compare.ops.v[0];
        uint8_t inverse = op == CMPOP_Is      ? CMPOP_IsNot
                          : op == CMPOP_IsNot ? CMPOP_Is
                          : op == CMPOP_In    ? CMPOP_NotIn
                                              : CMPOP_In;
        check_compare(u, o);
        o->Compare.ops.v[0] = inverse;
        int d = compare(u, o, want);
        o->Compare.ops.v[0] = op; /* finally bodies are compiled more than once */
        return d;
    }
    int r = expr_last(u, o);
    at(u, &e->pos);
    int d = dest(u, want, base);
    emit(u, ops[e->UnaryOp.op], (uint32_t)d, (uint32_t)r, 0);
    return done(u, d, base);
}

static int expr_any(Unit *u, Expr *e, int want, bool last) {
    if (UNLIKELY(u->g->failed) || !enter(u)) {
        if (want >= 0)
            return want;
        return push_temp(u);
    }
    uint32_t base = u->depth;
    fold(u, e);
    at(u, &e->pos);
    switch (e->kind) {
    case EXPR_Constant:
        return load_const(u, e->Constant.value, want);
    case EXPR_Name:
        return load_name(u, e->Name.sym, e->Name.id, want, last);
    case EXPR_Attribute: {
        int r = expr_last(u, e->Attribute.value);
        at(u, &e->pos);
        at_name_of(u, e);
        int d = dest(u, want, base);
        emit_name(u, OP_LOAD_ATTR, (uint32_t)d, (uint32_t)r, mangled(u, e->Attribute.attr), 0);
        return done(u, d, base);
    }
    case EXPR_Subscript:
        return subscript(u, e, want);
    case EXPR_Call:
        return compile_call(u, e, want);
    case EXPR_BinOp: {
        int l = expr(u, e->BinOp.left, ANY);
        return binary_rest(u, e->BinOp.op, l, e->BinOp.right, want, base, &e->pos, false);
    }
    case EXPR_UnaryOp:
        return unary(u, e, want);
    case EXPR_Compare:
        check_compare(u, e);
        return compare(u, e, want);
    case EXPR_BoolOp:
        return boolop(u, e, want);
    case EXPR_IfExp:
        return if_expr(u, e, want);
    case EXPR_NamedExpr:
        return named_expr(u, e, want, last);
    case EXPR_List:
    case EXPR_Set:
        if (e->List.elts.n >= 3 && all_constant(u, e->List.elts))
            return constants_display(u, e->List.elts, e->kind == EXPR_Set, want);
        return sequence_display(u, e->List.elts, e->kind, want, &e->pos);
    case EXPR_Tuple:
        return sequence_display(u, e->Tuple.elts, EXPR_Tuple, want, &e->pos);
    case EXPR_Dict:
        return dict_display(u, e, want);
    case EXPR_Lambda:
        return compile_lambda(u, e, want);
    case EXPR_ListComp:
    case EXPR_SetComp:
    case EXPR_DictComp:
    case EXPR_GeneratorExp:
        return compile_comprehension(u, e, want);
    case EXPR_JoinedStr:
        return joined_str(u, e, want);
    case EXPR_FormattedValue:
        return formatted_value(u, e, want);
    case EXPR_Slice:
        return slice_expr(u, e, want);
    case EXPR_Yield:
        return yield_expr(u, e, want);
    case EXPR_YieldFrom:
        return yield_from(u, e, want);
    case EXPR_Await:
        return await_expr(u, e, want);
    case EXPR_Starred:
        if (e->Starred.ctx == CTX_Store)
            error_at(u, &e->pos, "starred assignment target must be in a list or tuple");
        else
            error_at(u, &e->pos, "can't use starred expression here");
        break;
    default:
        UNREACHABLE();
    }
    return want >= 0 ? want : push_temp(u);
}

#include "front/fold.h"

#include "object/bytes.h"
#include "object/int.h"
#include "object/object.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

/* Expr.paren is the parser's; behind it the field marks what was folded already. */
enum { FOLDED = 0x80 };

enum { MAX_INT_BITS = 128, MAX_ITEMS = 4096, MAX_COLLECTION = 256, MAX_STR = 4096 };

static int make_constant(Arena *a, Expr *e, Value v) {
    if (arena_keep(a, v) == ABSENT)
        return -1;
    e->kind = EXPR_Constant;
    e->Constant.value = v;
    e->Constant.kind = ABSENT;
    return 0;
}

/* A failed operation is left for run time. */
static int try_constant(Arena *a, Expr *e, Value v) {
    if (v != ABSENT)
        return make_constant(a, e, v);
    if (err_matches(&exc_MemoryError) || err_matches(&exc_RecursionError))
        return -1;
    err_clear();
    return 0;
}

static bool is_int(Value v) {
    return v_is_integer(v);
}
static intptr_t sequence_len(Value v) {
    if (v_is_str(v))
        return str_len(v);
    if (v_is_bytes(v))
        return bytes_len(v);
    if (v_is_tuple(v))
        return tuple_len(v);
    return -1;
}

/* Items of nested constant tuples, at most limit. */
static intptr_t count_items(Value v, intptr_t limit) {
    if (!v_is_tuple(v))
        return 0;
    intptr_t n = tuple_len(v);
    for (intptr_t i = 0; i < tuple_len(v) && n <= limit; i++)
        n += count_items(tuple_get(v, i), limit - n);
    return n;
}

static bool safe_repeat(Value n, Value seq) {
    int64_t k;
    if (int_to_i64(n, &k) != 0)
        return false;
    intptr_t len = sequence_len(seq);
    if (k < 0 || len == 0)
        return true;
    if (v_is_tuple(seq))
        return k <= MAX_COLLECTION / len && k * (count_items(seq, MAX_ITEMS) + 1) <= MAX_ITEMS;
    return k <= MAX_STR / len;
}

static bool safe_multiply(Value l, Value r) {
    if (is_int(l) && is_int(r))
        return int_bit_length(l) + int_bit_length(r) <= MAX_INT_BITS;
    if (is_int(l) && sequence_len(r) >= 0)
        return safe_repeat(l, r);
    if (is_int(r) && sequence_len(l) >= 0)
        return safe_repeat(r, l);
    return true;
}

static bool safe_power(Value l, Value r) {
    if (!is_int(l) || !is_int(r) || int_sign(r) <= 0)
        return true;
    int64_t n;
    size_t bits = int_bit_length(l);
    if (int_to_i64(r, &n) != 0)
        return bits <= 1;
    return bits == 0 || (size_t)n <= MAX_INT_BITS / bits;
}

static bool safe_shift(Value l, Value r) {
    if (!is_int(l) || !is_int(r))
        return true;
    int64_t n;
    return int_to_i64(r, &n) == 0 && n >= 0 && n <= MAX_INT_BITS && int_bit_length(l) + (size_t)n <= MAX_INT_BITS;
}

static int fold_binop(Arena *a, Expr *e) {
    Expr *l = e->BinOp.left, *r = e->BinOp.right;
    if (l->kind != EXPR_Constant || r->kind != EXPR_Constant)
        return 0;
    Value x = l->Constant.value, y = r->Constant.value, v;
    switch (e->BinOp.op) {
    case BINOP_Add:
        if (sequence_len(x) >= 0 && sequence_len(x) + MAX(sequence_len(y), 0) > (intptr_t)MAX_STR * 16)
            return 0;
        v = num_binary(SP_ADD, x, y);
        break;
    case BINOP_Sub:
        v = num_binary(SP_SUB, x, y);
        break;
    case BINOP_Mult:
        if (!safe_multiply(x, y))
            return 0;
        v = num_binary(SP_MUL, x, y);
        break;
    case BINOP_Div:
        v = num_binary(SP_TRUEDIV, x, y);
        break;
    case BINOP_FloorDiv:
        v = num_binary(SP_FLOORDIV, x, y);
        break;
    case BINOP_Mod:
        if (v_is_str(x) || v_is_bytes(x))
            return 0; /* formatting: the result may be large, and may warn */
        v = num_binary(SP_MOD, x, y);
        break;
    case BINOP_Pow:
        if (!safe_power(x, y))
            return 0;
        v = num_power(x, y, V_NONE);
        break;
    case BINOP_LShift:
        if (!safe_shift(x, y))
            return 0;
        v = num_binary(SP_LSHIFT, x, y);
        break;
    case BINOP_RShift:
        v = num_binary(SP_RSHIFT, x, y);
        break;
    case BINOP_BitOr:
        v = num_binary(SP_OR, x, y);
        break;
    case BINOP_BitXor:
        v = num_binary(SP_XOR, x, y);
        break;
    case BINOP_BitAnd:
        v = num_binary(SP_AND, x, y);
        break;
    default:
        return 0;
    }
    return try_constant(a, e, v);
}

static int fold_unary(Arena *a, Expr *e) {
    Expr *o = e->UnaryOp.operand;
    if (o->kind != EXPR_Constant)
        return 0;
    Value x = o->Constant.value, v;
    switch (e->UnaryOp.op) {
    case UNARYOP_Not: {
        int t = obj_truth(x);
        if (t < 0) {
            err_clear();
            return 0;
        }
        v = v_bool(!t);
        break;
    }
    case UNARYOP_Invert:
        v = num_unary(SP_INVERT, x);
        break;
    case UNARYOP_UAdd:
        v = num_unary(SP_POS, x);
        break;
    default:
        v = num_unary(SP_NEG, x);
        break;
    }
    return try_constant(a, e, v);
}

static bool all_constant(ExprSeq s) {
    for (int32_t i = 0; i < s.n; i++)
        if (s.v[i]->kind != EXPR_Constant)
            return false;
    return true;
}

static Value constant_tuple(ExprSeq s) {
    Value t = s.n ? tuple_new(s.n) : tuple_empty();
    if (t == ABSENT)
        return ABSENT;
    for (int32_t i = 0; i < s.n; i++)
        tuple_init_item(t, i, retained(s.v[i]->Constant.value));
    return t;
}

static int fold_seq(Arena *a, ExprSeq s, int optimize) {
    for (int32_t i = 0; i < s.n; i++)
        if (s.v[i] && fold_expr(a, s.v[i], optimize) < 0)
            return -1;
    return 0;
}

int fold_expr(Arena *a, Expr *e, int optimize) {
    if (e->paren & FOLDED)
        return 0;
    e->paren |= FOLDED;
    switch (e->kind) {
    case EXPR_BinOp:
        if (!recursion_enter(" during compilation") || fold_expr(a, e->BinOp.left, optimize) < 0 ||
            fold_expr(a, e->BinOp.right, optimize) < 0)
            return -1;
        return fold_binop(a, e);
    case EXPR_UnaryOp:
        if (!recursion_enter(" during compilation") || fold_expr(a, e->UnaryOp.operand, optimize) < 0)
            return -1;
        return fold_unary(a, e);
    case EXPR_Tuple:
        if (e->Tuple.ctx != CTX_Load)
            return 0;
        if (!recursion_enter(" during compilation") || fold_seq(a, e->Tuple.elts, optimize) < 0)
            return -1;
        if (!all_constant(e->Tuple.elts))
            return 0;
        return try_constant(a, e, constant_tuple(e->Tuple.elts));
    case EXPR_Subscript: {
        if (e->Subscript.ctx != CTX_Load)
            return 0;
        Expr *o = e->Subscript.value, *i = e->Subscript.slice;
        if (!recursion_enter(" during compilation") || fold_expr(a, o, optimize) < 0 || fold_expr(a, i, optimize) < 0)
            return -1;
        if (o->kind != EXPR_Constant || i->kind != EXPR_Constant || sequence_len(o->Constant.value) < 0 ||
            !is_int(i->Constant.value))
            return 0;
        return try_constant(a, e, obj_getitem(o->Constant.value, i->Constant.value));
    }
    case EXPR_Name:
        if (e->Name.ctx == CTX_Load && e->Name.id == ID("__debug__"))
            return make_constant(a, e, v_bool(optimize == 0));
        return 0;
    default:
        return 0;
    }
}

int fold_iterable(Arena *a, Expr *e, int optimize) {
    if (fold_expr(a, e, optimize) < 0)
        return -1;
    if (e->kind == EXPR_List) {
        if (fold_seq(a, e->List.elts, optimize) < 0)
            return -1;
        if (all_constant(e->List.elts))
            return try_constant(a, e, constant_tuple(e->List.elts));
        for (int32_t i = 0; i < e->List.elts.n; i++)
            if (e->List.elts.v[i]->kind == EXPR_Starred)
                return 0;
        e->kind = EXPR_Tuple; /* the two share their layout */
        return 0;
    }
    if (e->kind == EXPR_Set) {
        if (fold_seq(a, e->Set.elts, optimize) < 0)
            return -1;
        if (!all_constant(e->Set.elts))
            return 0;
        Value t = constant_tuple(e->Set.elts);
        Value s = t == ABSENT ? ABSENT : frozenset_from(t);
        release(t);
        return try_constant(a, e, s);
    }
    return 0;
}

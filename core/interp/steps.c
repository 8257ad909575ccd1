/* Operators, containers, iteration, formatting, imports and matching: the out-of-line halves of instructions. */
#include <math.h>

#include "heap.h"
#include "interp/eval.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"

static Value name_of(Value *R, uint64_t w) {
    return frame_of_regs(R)->code->names[instr_c(w)];
}
static Value const_of(Value *R, uint64_t w) {
    return frame_of_regs(R)->code->consts[instr_c(w)];
}

/* ---- operators ---- */

static const uint8_t binary_special[OP_COUNT] = {
    [OP_ADD] = SP_ADD,           [OP_SUB] = SP_SUB,       [OP_MUL] = SP_MUL,           [OP_TRUEDIV] = SP_TRUEDIV,
    [OP_FLOORDIV] = SP_FLOORDIV, [OP_MOD] = SP_MOD,       [OP_POW] = SP_POW,           [OP_MATMUL] = SP_MATMUL,
    [OP_LSHIFT] = SP_LSHIFT,     [OP_RSHIFT] = SP_RSHIFT, [OP_AND] = SP_AND,           [OP_OR] = SP_OR,
    [OP_XOR] = SP_XOR,           [OP_ADD_I] = SP_ADD,     [OP_SUB_I] = SP_SUB,         [OP_ADD_K] = SP_ADD,
    [OP_SUB_K] = SP_SUB,         [OP_MUL_K] = SP_MUL,     [OP_TRUEDIV_K] = SP_TRUEDIV, [OP_FLOORDIV_K] = SP_FLOORDIV,
    [OP_MOD_K] = SP_MOD,         [OP_POW_K] = SP_POW,     [OP_MATMUL_K] = SP_MATMUL,   [OP_LSHIFT_K] = SP_LSHIFT,
    [OP_RSHIFT_K] = SP_RSHIFT,   [OP_AND_K] = SP_AND,     [OP_OR_K] = SP_OR,           [OP_XOR_K] = SP_XOR,
    [OP_NEG] = SP_NEG,           [OP_POS] = SP_POS,       [OP_INVERT] = SP_INVERT,
};

static ALWAYS_INLINE bool is_any_int(Value v) {
    return v_is_int(v) || v_is_exact(v, IDX_INT);
}
static Value binary(uint64_t w, Value a, Value b) {
    int sp = binary_special[instr_op(w)];
    unsigned f = instr_flags(w);
    if (sp == SP_ADD && v_is_exact(a, IDX_STR) && v_is_exact(b, IDX_STR)) {
        /* s += t, s = s + t, and a temporary's growth: the text may go on growing where it lies. */
        if ((f & IF_KILL_B) || ((f & IF_DST_LOCAL) && instr_a(w) == instr_b(w)))
            return str_append_last(a, b);
        return f & IF_INPLACE ? str_append(a, b) : str_concat(a, b);
    }
    /* Numbers that are not both ints or both floats inside the word. */
    if ((is_any_int(a) || v_is_bool(a)) && (is_any_int(b) || v_is_bool(b))) {
        switch (sp) {
        case SP_ADD:
            return int_add(a, b);
        case SP_SUB:
            return int_sub(a, b);
        case SP_MUL:
            return int_mul(a, b);
        }
    } else if ((v_is_flo(a) || v_is_int(a) || v_is_exact(a, IDX_FLOAT)) &&
               (v_is_flo(b) || v_is_int(b) || v_is_exact(b, IDX_FLOAT))) {
        /* An immediate int converts like CPython's: rounded to nearest. */
        double x = v_is_int(a) ? (double)v_int(a) : float_value(a), y = v_is_int(b) ? (double)v_int(b) : float_value(b);
        switch (sp) {
        case SP_ADD:
            return float_new(x + y);
        case SP_SUB:
            return float_new(x - y);
        case SP_MUL:
            return float_new(x * y);
        case SP_TRUEDIV:
            if (y != 0)
                return float_new(x / y);
            break;
        case SP_POW:
            if (x > 0) {
                double z = pow(x, y);
                if (isfinite(z) && (v_is_flo(a) || v_is_flo(b)))
                    return float_new(z);
            }
            break;
        }
    }
    return f & IF_INPLACE ? num_inplace(sp, a, b) : num_binary(sp, a, b);
}

void num_unsupported(unsigned op, Value a, Value b, bool inplace) {
    static const char *const signs[] = {"+", "-", "*", "/", "//", "%", "** or pow()", "@", "<<", ">>", "&", "|", "^"};
    static const char *const inplace_signs[] = {
        "+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "<<=", ">>=", "&=", "|=", "^="};
    err_set(&exc_TypeError, "unsupported operand type(s) for %s: '%T' and '%T'",
            (inplace ? inplace_signs : signs)[op - OP_ADD], a, b);
}

/* ---- without counts: what operators make for one register ---- */

static ALWAYS_INLINE bool is_exact_set(Value v) {
    return v_is_exact(v, IDX_FROZENSET) || v_is_exact(v, IDX_SET);
}
static ALWAYS_INLINE bool is_number(Value v) {
    if (v_is_int(v) || v_is_flo(v))
        return true;
    if (!v_is_obj(v))
        return false;
    unsigned index = obj_index(v);
    return index == IDX_INT || index == IDX_FLOAT || index == IDX_COMPLEX;
}
/* Operators and comparisons of the two keep neither. */
static ALWAYS_INLINE bool are_plain(Value b, Value c) {
    return (is_number(b) && is_number(c)) || (v_is_exact(b, IDX_STR) && v_is_exact(c, IDX_STR)) ||
           (is_exact_set(b) && is_exact_set(c));
}
/* v is not used again; result may be the same object. */
static ALWAYS_INLINE void drop_temporary(Value v, Value result) {
    if (!obj_is_temporary(v) || v == result)
        return;
    if (obj_flags(v_obj(v)) & OF_SHARED || (v_is_exact(v, IDX_STR) && !str_is_one_cell(v)))
        obj_set_temporary(v, false); /* the collector knows what else belongs to it */
    else if (v_is_set(v))
        dead_free(v_obj(v));
    else
        heap_free(v_obj(v));
}
void owned_replaced(Value old, Value by) {
    drop_temporary(old, by);
}
uint32_t arguments_let_out(Value *args, uint32_t n, const Code *code) {
    uint64_t owned = code && code->fast_args == n ? code->owned_params : 0;
    uint32_t result = 0;
    for (uint32_t i = 0; i < n; i++)
        if (obj_is_temporary(args[i])) {
            if (i < 64 && owned >> i & 1)
                result = FR_OWNER;
            else
                obj_set_temporary(args[i], false);
        }
    return result;
}
void owner_returns(InterpFrame *f) {
    uint32_t n = MIN(f->code->argcount, 64u);
    for (uint32_t i = 0; i < n; i++)
        if (f->code->owned_params >> i & 1 && obj_is_temporary(f->regs[i])) {
            Value v = f->regs[i];
            f->regs[i] = ABSENT;
            drop_temporary(v, ABSENT);
        }
}
/* One without the other would bring a collection every millisecond in a loop on large ints: the operator frees the
 * operands that operators made for it, and what its result replaces in a local that owned it. */
static Value binary_temporary(Value *R, uint64_t w, Value b, Value c) {
    unsigned f = instr_flags(w);
    if (!are_plain(b, c)) {
        obj_let_out(b);
        obj_let_out(c);
        return binary(w, b, c);
    }
    Value old = f & IF_X2 ? R[instr_a(w)] : ABSENT, v = binary(w, b, c);
    if (v == ABSENT)
        return ABSENT;
    if (f & IF_KILL_B)
        drop_temporary(b, v);
    if (f & IF_KILL_C)
        drop_temporary(c, v);
    if (v_is_obj(v)) {
        /* A local's own value may come back: now two registers have it, unless it is the same local's. */
        bool mine = f & (IF_X1 | IF_X2);
        if (v == b)
            mine = mine && obj_is_temporary(b) && (f & IF_KILL_B || v == old);
        else if (v == c)
            mine = mine && obj_is_temporary(c) && (f & IF_KILL_C || v == old);
        else
            mine = mine && (instr_op(w) == OP_ADD || instr_op(w) == OP_ADD_K || !v_is_exact(v, IDX_STR));
        if (mine != obj_is_temporary(v))
            obj_set_temporary(v, mine);
    }
    drop_temporary(old, v);
    return v;
}
static ALWAYS_INLINE Value binary_of(Value *R, uint64_t w, Value b, Value c) {
    return COUNT_EXACT ? binary(w, b, c) : binary_temporary(R, w, b, c);
}

int step_binary(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    if (v_is_obj(b) && v_is_obj(c)) {
        /* Two instances of one class written in Python: its method runs without recursion in C. */
        Type *type = v_shape(b)->type;
        if ((type->flags & TF_HEAP) && type == v_shape(c)->type && !(instr_flags(w) & IF_INPLACE)) {
            Value m = type_special(type, binary_special[instr_op(w)]), args[2] = {b, c};
            if (m != ABSENT && push_result_a(t, R, m, args, 2) == STEP_FRAME)
                return STEP_FRAME;
        }
    }
    return step_result(R, w, binary_of(R, w, b, c), b, c);
}
int step_binary_i(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, binary_of(R, w, b, v_from_int(instr_sc(w))), b, ABSENT);
}
int step_binary_k(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, binary_of(R, w, b, const_of(R, w)), b, ABSENT);
}
int step_unary(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, num_unary(binary_special[instr_op(w)], b), b, ABSENT);
}
int step_not(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    int r = obj_truth(b);
    return step_result(R, w, r < 0 ? ABSENT : v_bool(!r), b, ABSENT);
}

_Static_assert(OP_LE - OP_LT == CMP_LE && OP_EQ - OP_LT == CMP_EQ && OP_NE - OP_LT == CMP_NE &&
                   OP_GT - OP_LT == CMP_GT && OP_GE - OP_LT == CMP_GE,
               "comparison instructions are in the order of CMP_*");

/* a op b of two exact strs. */
static ALWAYS_INLINE bool compare_strs(Value a, Value b, unsigned op) {
    if (op == CMP_EQ)
        return str_equal(a, b);
    if (op == CMP_NE)
        return !str_equal(a, b);
    int c = str_cmp(a, b);
    return op == CMP_LT ? c < 0 : op == CMP_LE ? c <= 0 : op == CMP_GT ? c > 0 : c >= 0;
}

int step_compare(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    if (v_is_exact(b, IDX_STR) && v_is_exact(c, IDX_STR))
        return step_result(R, w, v_bool(compare_strs(b, c, instr_op(w) - OP_LT)), b, c);
    if (!COUNT_EXACT && !are_plain(b, c)) {
        obj_let_out(b);
        obj_let_out(c);
    }
    return step_result(R, w, obj_compare(b, c, (int)(instr_op(w) - OP_LT)), b, c);
}
static int contains(Value container, Value item) {
    if (v_is_obj(container)) {
        switch (obj_index(container)) {
        case IDX_SET:
        case IDX_FROZENSET:
            if (!v_is_obj(item) || v_is_exact(item, IDX_STR))
                return set_contains(container, item);
            break;
        case IDX_DICT:
            return dict_contains(container, item);
        }
    }
    return obj_contains(container, item);
}
/* An item may be compared by Python code, a container have a method of its own. */
static ALWAYS_INLINE void let_out_in(Value container, Value item) {
    if (COUNT_EXACT)
        return;
    obj_let_out(item);
    if (!is_exact_set(container))
        obj_let_out(container);
}
int step_in(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    let_out_in(c, b);
    int r = contains(c, b);
    return step_result(R, w, r < 0 ? ABSENT : v_bool(r == (instr_op(w) == OP_IN)), b, c);
}
/* To the jump's target or the next word, with a safepoint in front of it. */
static int jump(Thread *t, Value *R, Instr *target) {
    frame_of_regs(R)->pc = target;
    if (UNLIKELY(LOAD_RELAXED(&t->poll) != 0) && excl_poll() < 0)
        return STEP_ERROR;
    return STEP_FRAME;
}

_Static_assert(OP_JNLT - OP_JLT == 6 && OP_JLT_I - OP_JLT == 12 && OP_JNLT_I - OP_JLT == 18 && OP_JNGE_I - OP_JLT == 23,
               "compare and jump: four groups in the order of CMP_*");

int step_compare_jump(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    unsigned n = instr_op(w) - OP_JLT, cmp = n % 6, group = n / 6;
    Value a = R[instr_a(w)], b = group < 2 ? R[instr_b(w)] : v_from_int(instr_sb(w));
    int r;
    bool plain = COUNT_EXACT || are_plain(a, b);
    if (!plain) {
        obj_let_out(a);
        obj_let_out(b);
    }
    if (v_is_exact(a, IDX_STR) && v_is_exact(b, IDX_STR)) {
        r = compare_strs(a, b, cmp);
    } else {
        Value v = obj_compare(a, b, (int)cmp);
        if (v == ABSENT)
            return STEP_ERROR;
        r = obj_truth(v);
        release(v);
        if (r < 0)
            return STEP_ERROR;
    }
    if (plain && instr_flags(w) & IF_KILL_A)
        drop_temporary(a, ABSENT);
    if (plain && instr_flags(w) & IF_KILL_B && group < 2)
        drop_temporary(b, ABSENT);
    kill_reg(R, w, IF_KILL_A, instr_a(w), a);
    if (group < 2)
        kill_reg(R, w, IF_KILL_B, instr_b(w), b);
    return jump(t, R, pc + (r == !(group & 1) ? instr_sc(w) : 1));
}
int step_truth_jump(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value a = R[instr_a(w)];
    int r = obj_truth(a);
    if (r < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_A, instr_a(w), a);
    return jump(t, R, pc + (r == (instr_op(w) == OP_JUMP_IF_TRUE) ? instr_bc(w) : 1));
}
int step_truth_or_pop(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value a = R[instr_a(w)];
    int r = obj_truth(a);
    if (r < 0)
        return STEP_ERROR;
    if (r == (instr_op(w) == OP_JUMP_IF_TRUE_OR_POP)) {
        frame_of_regs(R)->pc = pc + instr_bc(w);
        return STEP_FRAME;
    }
    R[instr_a(w)] = ABSENT;
    release(a);
    return STEP_NEXT;
}
int step_in_jump(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value a = R[instr_a(w)], b = R[instr_b(w)];
    let_out_in(b, a);
    int r = contains(b, a);
    if (r < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_A, instr_a(w), a);
    kill_reg(R, w, IF_KILL_B, instr_b(w), b);
    return jump(t, R, pc + (r == (instr_op(w) == OP_JIN) ? instr_sc(w) : 1));
}

/* ---- items ---- */

static Value getitem(Value o, Value key) {
    if (v_is_obj(o)) {
        switch (obj_index(o)) {
        case IDX_LIST:
            if (v_is_int(key)) {
                intptr_t i = v_int(key);
                Value v = i < 0 ? list_get_back(o, i) : list_get(o, i);
                return v != ABSENT ? v : err_set(&exc_IndexError, "list index out of range");
            }
            break;
        case IDX_TUPLE:
            if (v_is_int(key)) {
                intptr_t i = v_int(key);
                if (i < 0)
                    i += tuple_len(o);
                if (i < 0 || i >= tuple_len(o))
                    return err_set(&exc_IndexError, "tuple index out of range");
                return retained(tuple_get(o, i));
            }
            break;
        case IDX_STR:
            if (v_is_int(key)) {
                intptr_t i = v_int(key), n = str_len(o);
                if (i < 0)
                    i += n;
                if (i < 0 || i >= n)
                    return err_set(&exc_IndexError, "string index out of range");
                return str_from_char(str_at(o, i));
            }
            break;
        case IDX_DICT: {
            Value v = dict_get(o, key);
            if (v != ABSENT || err_pending())
                return v;
            return err_key(key);
        }
        }
    }
    return obj_getitem(o, key);
}
int step_getitem(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    if (v_is_obj(b) && (v_shape(b)->type->flags & TF_HEAP)) {
        Value m = type_special(v_shape(b)->type, SP_GETITEM), args[2] = {b, c};
        if (m != ABSENT && push_result_a(t, R, m, args, 2) == STEP_FRAME)
            return STEP_FRAME;
    }
    return step_result(R, w, getitem(b, c), b, c);
}
int step_getitem_i(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, getitem(b, v_from_int(instr_sc(w))), b, ABSENT);
}
int step_getitem_k(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, getitem(b, const_of(R, w)), b, ABSENT);
}
int step_setitem(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value a = R[instr_a(w)], b = R[instr_b(w)], c = R[instr_c(w)];
    bool is_dict = v_is_exact(b, IDX_DICT);
    if (instr_op(w) == OP_SETITEM_SHARED ? !is_dict || excl_alone(b) : is_dict && excl_retains_quick(t, b))
        ic_quicken(pc, w, instr_op(w) == OP_SETITEM ? OP_SETITEM_SHARED : OP_SETITEM);
    int r = is_dict ? dict_set(b, c, a) : obj_setitem(b, c, a);
    if (r < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_A, instr_a(w), a);
    kill_reg(R, w, IF_KILL_B, instr_b(w), b);
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}
/* Bounds of a plain list slice without step: true when lo and hi are known. */
static bool plain_bounds(const Value *p, intptr_t len, intptr_t *lo, intptr_t *hi) {
    if (p[2] != V_NONE || !(v_is_int(p[0]) || p[0] == V_NONE) || !(v_is_int(p[1]) || p[1] == V_NONE))
        return false;
    *lo = p[0] == V_NONE ? 0 : v_int(p[0]);
    *hi = p[1] == V_NONE ? len : v_int(p[1]);
    if (*lo < 0)
        *lo = MAX(*lo + len, 0);
    if (*hi < 0)
        *hi = MAX(*hi + len, 0);
    *lo = MIN(*lo, len);
    *hi = MIN(*hi, len);
    return true;
}
/* The same for a list, whose length only counts under its lock. */
static bool list_bounds(const Value *p, intptr_t *lo, intptr_t *hi, intptr_t *step) {
    if (!(v_is_int(p[2]) || p[2] == V_NONE) || p[2] == v_from_int(0) || !(v_is_int(p[0]) || p[0] == V_NONE) ||
        !(v_is_int(p[1]) || p[1] == V_NONE))
        return false;
    *step = p[2] == V_NONE ? 1 : MAX(v_int(p[2]), -INTPTR_MAX);
    *lo = p[0] != V_NONE ? v_int(p[0]) : *step < 0 ? INTPTR_MAX : 0;
    *hi = p[1] != V_NONE ? v_int(p[1]) : *step < 0 ? INTPTR_MIN : INTPTR_MAX;
    return true;
}
static NOINLINE void drop_bound(Value v) {
    release(v);
}
static ALWAYS_INLINE void drop_bounds(Value *p) {
    for (int i = 0; COUNT_EXACT && i < 3; i++) {
        Value v = p[i];
        p[i] = ABSENT;
        if (UNLIKELY(v_is_obj(v)))
            drop_bound(v);
    }
}
int step_getslice(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], *p = &R[instr_c(w)], v;
    intptr_t lo, hi, step;
    if (v_is_exact(b, IDX_LIST) && list_bounds(p, &lo, &hi, &step)) {
        v = list_slice_by(b, lo, hi, step);
    } else if (v_is_exact(b, IDX_STR) && plain_bounds(p, str_len(b), &lo, &hi)) {
        v = str_substr(b, lo, MAX(lo, hi));
    } else if (v_is_exact(b, IDX_TUPLE) && plain_bounds(p, tuple_len(b), &lo, &hi)) {
        v = tuple_slice(b, lo, MAX(lo, hi));
    } else {
        Value s = slice_new(p[0], p[1], p[2]);
        v = s == ABSENT ? ABSENT : obj_getitem(b, s);
        release(s);
    }
    if (v == ABSENT)
        return STEP_ERROR;
    drop_bounds(p);
    return step_result(R, w & ~((uint64_t)IF_KILL_C << 8), v, b, ABSENT);
}
int step_setslice(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value a = R[instr_a(w)], b = R[instr_b(w)], *p = &R[instr_c(w)];
    intptr_t lo, hi, step;
    int r;
    if (v_is_exact(b, IDX_LIST) && list_bounds(p, &lo, &hi, &step) && step == 1) {
        r = list_ass_slice(b, lo, hi, a);
    } else {
        Value s = slice_new(p[0], p[1], p[2]);
        r = s == ABSENT ? -1 : obj_setitem(b, s, a);
        release(s);
    }
    if (r < 0)
        return STEP_ERROR;
    drop_bounds(p);
    kill_reg(R, w, IF_KILL_A, instr_a(w), a);
    kill_reg(R, w, IF_KILL_B, instr_b(w), b);
    return STEP_NEXT;
}
int step_delitem(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    if (obj_delitem(b, c) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_B, instr_b(w), b);
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}

/* ---- iteration ---- */

int step_get_iter(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, obj_iter(b), b, ABSENT);
}

/* Loop state in S[0..2]:
 *   range      S[0] next, S[1] how many are left, S[2] step: ints
 *   list, tuple, str: S[0] the object, S[1] index
 *   generator  S[0] the generator
 *   iterator   S[0] the iterator, S[1] its C function as an int, or 0
 * iterable: owned. */
static int loop_state(Value *S, Value iterable) {
    if (v_is_obj(iterable)) {
        switch (obj_index(iterable)) {
        case IDX_RANGE: {
            Range *r = (Range *)iterable;
            Value start = ref_peek(&r->start), step = ref_peek(&r->step), length = ref_peek(&r->length), last;
            if (v_is_int(start) && v_is_int(step) && v_is_int(length) && v_is_int(ref_peek(&r->stop))) {
                int64_t end;
                if (__builtin_mul_overflow(v_int(length), v_int(step), &end) ||
                    __builtin_add_overflow(end, v_int(start), &end) || !int_fits_imm(end))
                    break; /* next would leave the word behind the last item */
                (void)last;
                S[0] = start;
                S[1] = length;
                S[2] = step;
                release(iterable);
                return 0;
            }
            break;
        }
        case IDX_LIST:
        case IDX_TUPLE:
        case IDX_STR:
            S[0] = iterable;
            S[1] = v_from_int(0);
            S[2] = v_from_int(0);
            return 0;
        case IDX_GENERATOR:
            S[0] = iterable;
            S[1] = v_from_int(0);
            S[2] = v_from_int(0);
            return 0;
        }
    }
    Value it = obj_iter(iterable);
    if (it == ABSENT)
        return -1;
    release(iterable);
    S[0] = it;
    S[1] = v_is_obj(it) ? ((uint64_t)(uintptr_t)iter_next_fn(it) << 1 | 1) : v_from_int(0);
    S[2] = v_from_int(0);
    return 0;
}

int step_for_prep(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    if (!(instr_flags(w) & IF_KILL_B))
        retain(b);
    if (loop_state(&R[instr_a(w)], b) < 0) {
        if (!(instr_flags(w) & IF_KILL_B))
            release(b);
        return STEP_ERROR;
    }
    return STEP_NEXT;
}

int step_for_range(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value *h = &R[instr_b(w)], *args = h + FRAME_WORDS, *S = &R[instr_a(w)];
    intptr_t n = instr_c(w);
    if (h[0] == V_OF(&range_type) && n >= 1 && n <= 3 && v_is_int(args[0]) && (n < 2 || v_is_int(args[1])) &&
        (n < 3 || (v_is_int(args[2]) && args[2] != v_from_int(0)))) {
        int64_t start = n == 1 ? 0 : v_int(args[0]), stop = v_int(args[n == 1 ? 0 : 1]),
                step = n < 3 ? 1 : v_int(args[2]);
        uint64_t span = step > 0 ? (stop > start ? (uint64_t)stop - (uint64_t)start : 0)
                                 : (start > stop ? (uint64_t)start - (uint64_t)stop : 0);
        uint64_t by = step > 0 ? (uint64_t)step : -(uint64_t)step, count = span / by + (span % by != 0);
        int64_t end;
        if (count <= (uint64_t)INT_IMM_MAX && !__builtin_mul_overflow((int64_t)count, step, &end) &&
            !__builtin_add_overflow(end, start, &end) && int_fits_imm(end)) {
            release(h[0]);
            S[0] = v_from_int(start);
            S[1] = v_from_int((int64_t)count);
            S[2] = v_from_int(step);
            return STEP_NEXT;
        }
    }
    Value v = obj_call(h[0], args, n, ABSENT);
    if (v == ABSENT)
        return STEP_ERROR;
    if (COUNT_EXACT) {
        Value f = h[0];
        h[0] = ABSENT;
        release(f);
        for (intptr_t i = 0; i < n; i++) {
            Value x = args[i];
            args[i] = ABSENT;
            release(x);
        }
    }
    Value state[3];
    if (loop_state(state, v) < 0) {
        release(v);
        return STEP_ERROR;
    }
    memcpy(S, state, sizeof state);
    return STEP_NEXT;
}

/* The destination is B here, as for the inline case. */
int step_for_iter(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value *S = &R[instr_a(w)], it = S[0], v;
    if (v_is_exact(it, IDX_GENERATOR)) {
        Generator *g = (Generator *)it;
        int r = LOAD_RELAXED(&g->state) == GEN_FINISHED ? 1 : gen_push(t, g, V_NONE, 0);
        if (r <= 0)
            return r < 0 ? STEP_ERROR : STEP_FRAME;
        v = ABSENT;
    } else if (v_is_exact(it, IDX_LIST)) {
        v = list_get(it, v_int(S[1]));
        S[1] += 2;
    } else if (v_is_exact(it, IDX_TUPLE)) {
        intptr_t i = v_int(S[1]);
        v = i < tuple_len(it) ? retained(tuple_get(it, i)) : ABSENT;
        S[1] += 2;
    } else if (v_is_exact(it, IDX_STR)) {
        intptr_t i = v_int(S[1]);
        v = ABSENT;
        if (i < str_len(it)) {
            v = str_from_char(str_at(it, i));
            if (UNLIKELY(v == ABSENT))
                return STEP_ERROR;
        }
        S[1] += 2;
    } else {
        /* for a, b in zip(...), enumerate(...), d.items(): no tuple is made. */
        uint64_t unpack = LOAD_RELAXED(pc + 1);
        uint32_t kind = obj_index(it);
        if ((kind == IDX_ZIP || kind == IDX_ENUMERATE || kind == IDX_DICT_ITEMITER) && instr_op(unpack) == OP_UNPACK &&
            instr_b(unpack) == instr_b(w) && (instr_flags(unpack) & IF_KILL_B) && instr_c(unpack) <= 8) {
            Value items[8], *T = &R[instr_a(unpack)];
            intptr_t n = instr_c(unpack);
            int r = iter_next_items(it, items, n);
            if (LIKELY(r > 0)) {
                for (intptr_t i = 0; i < n; i++)
                    T[n - 1 - i] = items[i];
                frame_of_regs(R)->pc = pc + 2;
                return STEP_FRAME;
            }
            if (r == -1)
                return STEP_ERROR;
            if (r == 0)
                goto ended;
        }
        NextFn next = (NextFn)(uintptr_t)(S[1] >> 1);
        v = next ? next(it) : obj_next(it);
        if (UNLIKELY(v == ABSENT && err_pending()))
            return STEP_ERROR;
    }
    if (LIKELY(v != ABSENT)) {
        set_reg(R, w, instr_b(w), v);
        return STEP_NEXT;
    }
ended:
    S[0] = ABSENT;
    release(it);
    frame_of_regs(R)->pc = pc + instr_sc(w);
    return STEP_FRAME;
}

static int unpack_error(Value src) {
    if (err_matches(&exc_TypeError) && type_special(type_of(src), SP_ITER) == ABSENT &&
        type_special(type_of(src), SP_GETITEM) == ABSENT) {
        err_clear();
        err_set(&exc_TypeError, "cannot unpack non-iterable %T object", src);
    }
    return STEP_ERROR;
}

/* The operand, whose register is empty by now, is released. */
static void unpacked(uint64_t w, Value b) {
    if (instr_flags(w) & IF_KILL_B)
        release(b);
}

int step_unpack(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], *T = &R[instr_a(w)];
    intptr_t n = instr_c(w), i = 0;
    Value tmp[16], *out = tmp, scratch = ABSENT;
    if (v_is_exact(b, IDX_TUPLE) && tuple_len(b) == n) {
        if (instr_flags(w) & IF_KILL_B)
            R[instr_b(w)] = ABSENT; /* it may be one of T's */
        for (; i < n; i++)
            T[n - 1 - i] = retained(tuple_get(b, i));
        unpacked(w, b);
        return STEP_NEXT;
    }
    if (n > (intptr_t)ARRAY_LEN(tmp)) {
        scratch = scratch_new(n);
        if (scratch == ABSENT)
            return STEP_ERROR;
        out = tuple_items(scratch);
    }
    if (v_is_exact(b, IDX_LIST)) {
        intptr_t len = list_len(b);
        while (i < n && len == n && (out[i] = list_get(b, i)) != ABSENT)
            i++;
        if (i < n || list_len(b) != n) {
            len = list_len(b);
            if (len > n)
                err_set(&exc_ValueError, "too many values to unpack (expected %zd)", (ssize_t)n);
            else
                err_set(&exc_ValueError, "not enough values to unpack (expected %zd, got %zd)", (ssize_t)n,
                        (ssize_t)len);
            goto fail;
        }
    } else if (v_is_exact(b, IDX_TUPLE)) {
        if (tuple_len(b) > n)
            err_set(&exc_ValueError, "too many values to unpack (expected %zd)", (ssize_t)n);
        else
            err_set(&exc_ValueError, "not enough values to unpack (expected %zd, got %zd)", (ssize_t)n,
                    (ssize_t)tuple_len(b));
        goto fail;
    } else {
        Value it = obj_iter(b);
        if (it == ABSENT) {
            release(scratch);
            return unpack_error(b);
        }
        for (; i < n; i++) {
            Value v = obj_next(it);
            if (v == ABSENT) {
                if (!err_pending())
                    err_set(&exc_ValueError, "not enough values to unpack (expected %zd, got %zd)", (ssize_t)n,
                            (ssize_t)i);
                release(it);
                goto fail;
            }
            out[i] = v;
        }
        Value more = obj_next(it);
        release(it);
        if (more != ABSENT || err_pending()) {
            release(more);
            if (!err_pending())
                err_set(&exc_ValueError, "too many values to unpack (expected %zd)", (ssize_t)n);
            goto fail;
        }
    }
    if (instr_flags(w) & IF_KILL_B)
        R[instr_b(w)] = ABSENT;
    for (i = 0; i < n; i++)
        T[n - 1 - i] = out[i]; /* the first on top */
    if (scratch != ABSENT) {
        memset(out, 0, (size_t)n * sizeof(Value));
        release(scratch);
    }
    unpacked(w, b);
    return STEP_NEXT;
fail:
    if (scratch == ABSENT)
        while (i > 0)
            release(out[--i]);
    release(scratch);
    return STEP_ERROR;
}

int step_unpack_ex(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], *T = &R[instr_a(w)];
    intptr_t before = instr_c(w) & 255, after = instr_c(w) >> 8;
    Value it = obj_iter(b);
    if (it == ABSENT)
        return unpack_error(b);
    Value all = seq_to_list(it);
    release(it);
    if (all == ABSENT)
        return STEP_ERROR;
    intptr_t n = list_len(all);
    if (n < before + after) {
        err_set(&exc_ValueError, "not enough values to unpack (expected at least %zd, got %zd)",
                (ssize_t)(before + after), (ssize_t)n);
        release(all);
        return STEP_ERROR;
    }
    Value rest = list_slice(all, before, n - after);
    if (rest == ABSENT) {
        release(all);
        return STEP_ERROR;
    }
    if (instr_flags(w) & IF_KILL_B)
        R[instr_b(w)] = ABSENT;
    for (intptr_t i = 0; i < before; i++)
        T[before + after - i] = list_get(all, i); /* the first on top */
    T[after] = rest;
    for (intptr_t i = 0; i < after; i++)
        T[i] = list_get(all, n - 1 - i);
    release(all);
    unpacked(w, b);
    return STEP_NEXT;
}

/* ---- building ---- */

/* The block was moved into the result. */
static int built(Value *R, uint64_t w, Value v) {
    if (v == ABSENT)
        return STEP_ERROR;
    set_a(R, w, v);
    return STEP_NEXT;
}
static int drop_block(Value *R, uint64_t w, intptr_t n, Value v) {
    if (v == ABSENT)
        return STEP_ERROR;
    if (COUNT_EXACT)
        for (intptr_t i = 0; i < n; i++) {
            Value x = R[instr_b(w) + i];
            R[instr_b(w) + i] = ABSENT;
            release(x);
        }
    set_a(R, w, v);
    return STEP_NEXT;
}
int step_build_tuple(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    intptr_t n = instr_c(w);
    if (n == 0)
        return built(R, w, tuple_empty());
    Value v = tuple_new(n);
    if (v == ABSENT)
        return STEP_ERROR;
    for (intptr_t i = 0; i < n; i++)
        tuple_init_item(v, i, R[instr_b(w) + i]);
    tuple_track(v);
    return built(R, w, v);
}
int step_build_list(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value v = list_from(&R[instr_b(w)], instr_c(w));
    return drop_block(R, w, instr_c(w), v);
}
int step_build_set(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    uint64_t next = LOAD_RELAXED(pc + 1);
    /* s | {x}: the set in between is not made. */
    if (instr_c(w) == 1 && instr_op(next) == OP_OR && instr_c(next) == instr_a(w) && instr_b(next) != instr_a(w) &&
        (instr_flags(next) & (IF_KILL_C | IF_INPLACE)) == IF_KILL_C && !(instr_flags(w) & IF_DST_LOCAL)) {
        Value a = R[instr_b(next)];
        if (is_exact_set(a)) {
            Value x = R[instr_b(w)], v = set_with(a, x);
            if (v == ABSENT)
                return STEP_ERROR;
            Value old = instr_flags(next) & IF_X2 ? R[instr_a(next)] : ABSENT;
            if (!COUNT_EXACT)
                obj_set_temporary(v, instr_flags(next) & (IF_X1 | IF_X2));
            R[instr_b(w)] = ABSENT;
            step_result(R, next & ~((uint64_t)IF_KILL_C << 8), v, a, ABSENT);
            drop_temporary(old, v);
            frame_of_regs(R)->pc = pc + 2;
            release(x);
            return STEP_FRAME;
        }
    }
    Value s = set_new();
    for (intptr_t i = 0, n = instr_c(w); s != ABSENT && i < n; i++)
        if (set_add(s, R[instr_b(w) + i]) < 0) {
            release(s);
            s = ABSENT;
        }
    return drop_block(R, w, instr_c(w), s);
}
int step_build_map(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    intptr_t n = instr_c(w);
    Value d = n ? dict_new_presized(n) : dict_new(), *p = &R[instr_b(w)];
    for (intptr_t i = 0; d != ABSENT && i < n; i++)
        if (dict_set(d, p[2 * i], p[2 * i + 1]) < 0) {
            release(d);
            d = ABSENT;
        }
    return drop_block(R, w, 2 * n, d);
}
int step_build_string(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = 0, n = instr_c(w); i < n; i++)
        sb_str(&b, R[instr_b(w) + i]);
    return drop_block(R, w, instr_c(w), sb_finish(&b));
}
int step_build_slice(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value *p = &R[instr_b(w)];
    return drop_block(R, w, 3, slice_new(p[0], p[1], p[2]));
}
int step_list_append(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = R[instr_c(w)];
    if (list_append(R[instr_b(w)], c) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}
int step_set_add(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = R[instr_c(w)];
    if (set_add(R[instr_b(w)], c) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}
int step_map_add(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value a = R[instr_a(w)], c = R[instr_c(w)];
    if (dict_set(R[instr_b(w)], c, a) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_A, instr_a(w), a);
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}
int step_list_extend(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = R[instr_c(w)];
    if (list_extend(R[instr_b(w)], c) < 0) {
        if (err_matches(&exc_TypeError) && type_special(type_of(c), SP_ITER) == ABSENT &&
            type_special(type_of(c), SP_GETITEM) == ABSENT) {
            err_clear();
            err_set(&exc_TypeError, "Value after * must be an iterable, not %T", c);
        }
        return STEP_ERROR;
    }
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}
int step_set_update(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = R[instr_c(w)];
    if (set_update(R[instr_b(w)], c) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}
int step_dict_update(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = R[instr_c(w)];
    if (dict_merge(R[instr_b(w)], c, 1) < 0) {
        if (err_matches(&exc_AttributeError)) {
            err_clear();
            err_set(&exc_TypeError, "'%T' object is not a mapping", c);
        }
        return STEP_ERROR;
    }
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}

Value callable_text(Value f) {
    Value q;
    if (obj_lookup_attr(f, ID("__qualname__"), &q) > 0) {
        Value m = ABSENT, r;
        if (obj_lookup_attr(f, ID("__module__"), &m) > 0 && m != V_NONE && v_is_str(m) && !str_equal_c(m, "builtins"))
            r = str_format_c("%S.%S()", m, q);
        else
            r = str_format_c("%S()", q);
        err_pending() ? err_clear() : (void)0;
        release(m);
        release(q);
        return r;
    }
    if (err_pending())
        err_clear();
    return obj_str(f);
}

int merge_keywords(Value d, Value more, Value f) {
    if (dict_merge(d, more, 2) >= 0)
        return 0;
    if (err_matches(&exc_AttributeError)) {
        err_clear();
        Value name = callable_text(f);
        err_set(&exc_TypeError, "%S argument after ** must be a mapping, not %T", name, more);
        release(name);
    } else if (err_matches(&exc_KeyError)) {
        Value exc = err_fetch(), args = ref_peek(&((BaseExc *)exc)->args);
        if (args != ABSENT && tuple_len(args) == 1) {
            Value name = callable_text(f);
            err_set(&exc_TypeError, "%S got multiple values for keyword argument '%S'", name, tuple_get(args, 0));
            release(name);
            release(exc);
        } else {
            err_restore(exc);
        }
    }
    return -1;
}

int step_dict_merge(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = R[instr_c(w)], f = R[instr_a(w)];
    if (merge_keywords(R[instr_b(w)], c, f) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_C, instr_c(w), c);
    return STEP_NEXT;
}
int step_list_to_tuple(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, list_to_tuple(b), b, ABSENT);
}

int step_format_value(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], spec = instr_c(w) == NO_REG ? ABSENT : R[instr_c(w)], v = b, r;
    switch (instr_flags(w) & (IF_X1 | IF_X2)) {
    case IF_X1:
        v = obj_str(b);
        break;
    case IF_X2:
        v = obj_repr(b);
        break;
    case IF_X1 | IF_X2:
        v = obj_ascii(b);
        break;
    default:
        retain(v);
    }
    if (v == ABSENT)
        return STEP_ERROR;
    if (spec == ABSENT && v_is_exact(v, IDX_STR)) {
        r = v;
    } else {
        r = obj_format(v, spec);
        release(v);
    }
    return step_result(R, w, r, b, spec);
}

/* ---- functions and classes ---- */

int step_make_function(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    InterpFrame *f = frame_of_regs(R);
    Value *p = &R[instr_b(w)];
    unsigned has = instr_c(w);
    Code *c = (Code *)p[0];
    Value v = function_new(p[0], ref_peek(&((Function *)f->func)->globals));
    if (v == ABSENT)
        return STEP_ERROR;
    Function *fn = (Function *)v;
    p++; /* the code is uncounted; the rest of the block moves into the function */
    if (has & 1)
        ref_store(v, &fn->defaults, *p++);
    if (has & 2)
        ref_store(v, &fn->kwdefaults, *p++);
    if (has & 4)
        ref_store(v, &fn->annotations, *p++);
    if (has & 8)
        ref_store(v, &fn->closure, *p++);
    /* Deferred: functions of modules and of their classes live about as long as the program, and all threads call them.
     */
    if (!(has & 8) && !(c->flags & CO_NESTED) && !str_equal_c(ref_peek(&c->name), "<lambda>") && (f->flags & FR_LOCALS))
        count_set_uncounted(v_obj(v));
    set_a(R, w, v);
    return STEP_NEXT;
}

int step_load_build_class(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = ref_peek(&((Function *)frame_of_regs(R)->func)->builtins);
    Value v = v_is_dict_exact(b) ? dict_get(b, ID("__build_class__")) : obj_getitem(b, ID("__build_class__"));
    if (v == ABSENT) {
        if (!err_pending() || err_matches(&exc_KeyError))
            err_set(&exc_NameError, "__build_class__ not found");
        return STEP_ERROR;
    }
    set_a(R, w, v);
    return STEP_NEXT;
}

/* ---- import ---- */

int step_import_name(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    InterpFrame *f = frame_of_regs(R);
    Value *p = &R[instr_b(w)];
    Value b = frame_builtins(f);
    Value import = v_is_dict_exact(b) ? dict_get(b, ID("__import__")) : obj_getitem(b, ID("__import__"));
    if (import == ABSENT) {
        if (!err_pending() || err_matches(&exc_KeyError))
            err_set(&exc_ImportError, "__import__ not found");
        return STEP_ERROR;
    }
    Value space = frame_space(f), locals = space != ABSENT ? space : V_NONE;
    Value args[5] = {name_of(R, w), frame_globals(f), locals, p[1], p[0]};
    Value v = obj_call(import, args, 5, ABSENT);
    release(import);
    return drop_block(R, w, 2, v);
}

int step_import_from(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value m = R[instr_b(w)], name = name_of(R, w), v, mod_name = ABSENT, full, origin = ABSENT, modules;
    int r = obj_lookup_attr(m, name, &v);
    if (r < 0)
        return STEP_ERROR;
    if (r > 0) {
        set_a(R, w, v);
        return STEP_NEXT;
    }
    /* A submodule that is being imported is in sys.modules before it is an attribute of its package. */
    if (obj_lookup_attr(m, ID("__name__"), &mod_name) < 0)
        return STEP_ERROR;
    if (mod_name != ABSENT && v_is_str(mod_name)) {
        full = str_format_c("%S.%S", mod_name, name);
        modules = full == ABSENT ? ABSENT : sys_get("modules");
        v = modules == ABSENT ? ABSENT : v_is_dict(modules) ? dict_get(modules, full) : obj_getitem(modules, full);
        release(modules);
        release(full);
        if (v != ABSENT) {
            release(mod_name);
            set_a(R, w, v);
            return STEP_NEXT;
        }
        if (err_pending())
            err_clear();
    }
    if (mod_name == ABSENT || !v_is_str(mod_name)) {
        release(mod_name);
        mod_name = str_from_c("<unknown module name>");
    }
    bool circular = false;
    Value spec = ABSENT, initializing = ABSENT;
    if (obj_lookup_attr(m, ID("__spec__"), &spec) > 0 && spec != V_NONE &&
        obj_lookup_attr(spec, ID("_initializing"), &initializing) > 0)
        circular = obj_truth(initializing) > 0;
    release(initializing);
    release(spec);
    if (err_pending())
        err_clear();
    if (obj_lookup_attr(m, ID("__file__"), &origin) < 0)
        err_clear();
    if (origin != ABSENT && !v_is_str(origin)) {
        release(origin);
        origin = ABSENT;
    }
    if (origin == ABSENT)
        err_import(&exc_ImportError, mod_name, V_NONE, "cannot import name %R from %R (unknown location)", name,
                   mod_name);
    else if (circular)
        err_import(
            &exc_ImportError, mod_name, origin,
            "cannot import name %R from partially initialized module %R (most likely due to a circular import) (%S)",
            name, mod_name, origin);
    else
        err_import(&exc_ImportError, mod_name, origin, "cannot import name %R from %R (%S)", name, mod_name, origin);
    release(origin);
    release(mod_name);
    return STEP_ERROR;
}

int step_import_star(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    InterpFrame *f = frame_of_regs(R);
    Value m = R[instr_b(w)], all = ABSENT, names;
    Value space = frame_space(f);
    if (space == ABSENT)
        space = frame_globals(f);
    bool skip_private = false;
    if (obj_lookup_attr(m, ID("__all__"), &all) < 0)
        return STEP_ERROR;
    if (all == ABSENT) {
        Value d = ABSENT;
        int r = obj_lookup_attr(m, ID("__dict__"), &d);
        if (r == 0)
            err_set(&exc_ImportError, "from-import-* object has no __dict__ and no __all__");
        if (r <= 0)
            return STEP_ERROR;
        names = seq_to_list(d);
        release(d);
        skip_private = true;
    } else {
        names = seq_to_list(all);
        release(all);
    }
    if (names == ABSENT)
        return STEP_ERROR;
    for (intptr_t i = 0; i < list_len(names); i++) {
        Value name = list_get(names, i), v;
        if (name == ABSENT)
            break;
        if (!v_is_str(name)) {
            Value mod_name = ABSENT;
            if (obj_lookup_attr(m, ID("__name__"), &mod_name) > 0)
                err_set(&exc_TypeError, "%s in %S.%s must be str, not %T", skip_private ? "Key" : "Item", mod_name,
                        skip_private ? "__dict__" : "__all__", name);
            release(mod_name);
            release(name);
            goto fail;
        }
        if (skip_private && str_len(name) > 0 && str_at(name, 0) == '_') {
            release(name);
            continue;
        }
        v = obj_getattr(m, name);
        int r = v == ABSENT ? -1 : v_is_dict_exact(space) ? dict_set(space, name, v) : obj_setitem(space, name, v);
        release(v);
        release(name);
        if (r < 0)
            goto fail;
    }
    release(names);
    kill_reg(R, w, IF_KILL_B, instr_b(w), m);
    return STEP_NEXT;
fail:
    release(names);
    return STEP_ERROR;
}

int step_setup_annotations(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    InterpFrame *f = frame_of_regs(R);
    Value space = frame_space(f), v;
    if (space == ABSENT)
        space = frame_globals(f);
    if (v_is_dict_exact(space)) {
        v = dict_get(space, ID("__annotations__"));
    } else {
        v = obj_getitem(space, ID("__annotations__"));
        if (v == ABSENT && err_matches(&exc_KeyError))
            err_clear();
    }
    if (v == ABSENT && !err_pending()) {
        v = dict_new();
        if (v == ABSENT || obj_setitem(space, ID("__annotations__"), v) < 0) {
            release(v);
            return STEP_ERROR;
        }
    }
    if (v == ABSENT)
        return STEP_ERROR;
    release(v);
    return STEP_NEXT;
}

int step_print_expr(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], hook = sys_get("displayhook");
    if (hook == ABSENT) {
        err_set(&exc_RuntimeError, "lost sys.displayhook");
        return STEP_ERROR;
    }
    Value r = obj_call1(hook, b);
    release(hook);
    if (r == ABSENT)
        return STEP_ERROR;
    release(r);
    kill_reg(R, w, IF_KILL_B, instr_b(w), b);
    return STEP_NEXT;
}

/* ---- match ---- */

int step_match_mapping(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, v_bool(v_has_flag(b, TF_MAPPING)), b, ABSENT);
}
int step_match_sequence(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    return step_result(R, w, v_bool(v_has_flag(b, TF_SEQUENCE)), b, ABSENT);
}
int step_get_len(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)];
    intptr_t n = obj_len(b);
    return step_result(R, w, n < 0 ? ABSENT : v_from_int(n), b, ABSENT);
}

static Value match_keys(Value m, Value keys) {
    intptr_t n = tuple_len(keys);
    Value seen = set_new(), get = ABSENT, marker = ABSENT, out = ABSENT;
    if (seen == ABSENT)
        return ABSENT;
    get = obj_getattr(m, ID("get"));
    marker = get == ABSENT ? ABSENT : obj_call0(V_OF(&object_type));
    out = marker == ABSENT ? ABSENT : tuple_new(n);
    for (intptr_t i = 0; out != ABSENT && i < n; i++) {
        Value k = tuple_get(keys, i);
        int dup = set_contains(seen, k);
        if (dup > 0)
            err_set(&exc_ValueError, "mapping pattern checks duplicate key (%R)", k);
        Value v = dup != 0 || set_add(seen, k) < 0 ? ABSENT : obj_call2(get, k, marker);
        if (v == ABSENT) {
            release(out);
            out = ABSENT;
        } else if (v == marker) {
            release(v);
            release(out);
            out = V_NONE;
            break;
        } else {
            tuple_init_item(out, i, v);
        }
    }
    if (out != ABSENT && out != V_NONE)
        tuple_track(out);
    release(seen);
    release(get);
    release(marker);
    return out;
}
int step_match_keys(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)];
    return step_result(R, w, match_keys(b, c), b, c);
}

/* Attribute name of subject for a class pattern, each at most once: 1, 0 (no such attribute), -1. */
static int match_attr(Value subject, Type *type, Value name, Value seen, Value out) {
    int dup = set_contains(seen, name);
    if (dup > 0)
        err_set(&exc_TypeError, "%N() got multiple sub-patterns for attribute %R", type, name);
    if (dup != 0 || set_add(seen, name) < 0)
        return -1;
    Value v;
    int r = obj_lookup_attr(subject, name, &v);
    if (r > 0 && list_append_steal(out, v) < 0)
        return -1;
    return r;
}

static Value match_class(Value subject, Value cls, Value kwnames, intptr_t nargs) {
    if (!v_is_type(cls))
        return err_set(&exc_TypeError, "called match pattern must be a type");
    Type *type = (Type *)cls;
    int r = obj_isinstance(subject, cls);
    if (r <= 0)
        return r < 0 ? ABSENT : V_NONE;
    Value seen = set_new(), out = list_new(nargs), match_args = ABSENT, result = ABSENT;
    if (seen == ABSENT || out == ABSENT)
        goto done;
    if (nargs > 0) {
        bool self = false;
        r = obj_lookup_attr(cls, ID("__match_args__"), &match_args);
        if (r < 0)
            goto done;
        if (r == 0) {
            self = type->flags &
                       (TF_INT | TF_STR | TF_BYTES | TF_LIST | TF_TUPLE | TF_DICT | TF_SET | TF_FROZENSET | TF_FLOAT) ||
                   type_is_subtype(type, &bytearray_type);
        } else if (!v_is_tuple_exact(match_args)) {
            err_set(&exc_TypeError, "%N.__match_args__ must be a tuple (got %T)", type, match_args);
            goto done;
        }
        intptr_t allowed = match_args != ABSENT ? tuple_len(match_args) : self ? 1 : 0;
        if (nargs > allowed) {
            err_set(&exc_TypeError, "%N() accepts %zd positional sub-pattern%s (%zd given)", type, (ssize_t)allowed,
                    allowed == 1 ? "" : "s", (ssize_t)nargs);
            goto done;
        }
        if (self) {
            if (list_append(out, subject) < 0)
                goto done;
        } else {
            for (intptr_t i = 0; i < nargs; i++) {
                Value name = tuple_get(match_args, i);
                if (!v_is_str(name)) {
                    err_set(&exc_TypeError, "__match_args__ elements must be strings (got %T)", name);
                    goto done;
                }
                r = match_attr(subject, type, name, seen, out);
                if (r <= 0) {
                    result = r < 0 ? ABSENT : V_NONE;
                    goto done;
                }
            }
        }
    }
    for (intptr_t i = 0; i < tuple_len(kwnames); i++) {
        r = match_attr(subject, type, tuple_get(kwnames, i), seen, out);
        if (r <= 0) {
            result = r < 0 ? ABSENT : V_NONE;
            goto done;
        }
    }
    result = list_to_tuple(out);
done:
    release(match_args);
    release(seen);
    release(out);
    return result;
}
int step_match_class(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], *p = &R[instr_c(w)];
    Value v = match_class(b, p[0], p[1], (intptr_t)LOAD_RELAXED(pc + 1));
    if (v == ABSENT)
        return STEP_ERROR;
    Value x = p[0], y = p[1];
    if (COUNT_EXACT) {
        p[0] = p[1] = ABSENT;
        if (instr_flags(w) & IF_KILL_B)
            R[instr_b(w)] = ABSENT;
    }
    set_a(R, w, v);
    release(x);
    release(y);
    if (instr_flags(w) & IF_KILL_B)
        release(b);
    return STEP_NEXT;
}
int step_copy_without_keys(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value b = R[instr_b(w)], c = R[instr_c(w)], d = dict_new();
    if (d != ABSENT && dict_update(d, b) < 0) {
        release(d);
        d = ABSENT;
    }
    for (intptr_t i = 0; d != ABSENT && i < tuple_len(c); i++)
        if (dict_del(d, tuple_get(c, i)) < 0) {
            release(d);
            d = ABSENT;
        }
    return step_result(R, w, d, b, c);
}

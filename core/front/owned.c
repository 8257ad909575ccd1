/* Which locals own what operators make for them, where nothing counts references.
 *
 * A number, str or set that an operator makes for a local (`q = q * k`, `s += t`) is garbage as soon as the local is
 * assigned again, if nothing else got hold of it. A local is followed when all of its function does no more with it
 * than to assign it, to use it as operand of operators and comparisons, and to move it elsewhere. Then an operator
 * marks what it makes for the local (OF_TEMPORARY), a move out of it takes the mark off, and the next assignment by an
 * operator frees what still has it. A parameter is followed when the function only reads it, too: what an operator made
 * for the call (`f(s | {x})`) is freed when the function returns. Whoever else looks into a frame's registers takes the
 * mark off (obj_let_out).
 * (After Guyer, McKinley, Frampton: "Free-Me: A Static Analysis for Automatic Individual Object Reclamation", PLDI
 * 2006.)
 */
#include "front/codegen.h"

/* Of a local: an operator makes something for it; it is moved elsewhere; an instruction may keep it. */
enum { MADE_FOR = 1, MOVED = 2, KEPT = 4 };

static bool is_operator(int op) {
    return op >= OP_ADD && op <= OP_XOR_K;
}
/* Does not keep a number, str or set that it reads, nor hand it to code that could. (Where it would, with an operand of
 * another kind, the interpreter takes the mark off.) */
static bool only_reads(int op) {
    if (is_operator(op) || (op >= OP_LT && op <= OP_NOT_IN) || (op >= OP_JLT && op <= OP_JNIS))
        return true;
    switch (op) {
    case OP_NOT:
    case OP_JUMP_IF_TRUE:
    case OP_JUMP_IF_FALSE:
    case OP_JUMP_IF_NONE:
    case OP_JUMP_IF_NOT_NONE:
    case OP_CHECK_LOCAL:
    case OP_DELETE_LOCAL:
    case OP_CLEAR:
        return true;
    }
    return false;
}

static bool is_set(const uint8_t *bits, uint32_t i) {
    return bits[i / 8] >> i % 8 & 1;
}

/* The operator whose result lies in the temporary reg at i; NULL where another instruction made it, or may have seen
 * it. */
static AsmInstr *maker_of(Unit *u, const uint8_t *targets, uint32_t i, uint32_t reg) {
    for (uint32_t k = i; k > 0 && !is_set(targets, k);) {
        AsmInstr *x = &u->ins[--k];
        const InstrInfo *info = &instr_info[x->op];
        if (is_operator(x->op) && x->a == reg)
            return x;
        if (strpbrk(info->effects, "JE"))
            return NULL;
        const uint32_t regs[3] = {x->a, x->b, x->c};
        for (int n = 0; n < 3; n++) {
            char kind = info->operands[n];
            if (((kind == 'D' || kind == 'R') && regs[n] == reg) || (kind == 'T' && regs[n] <= reg))
                return NULL;
        }
    }
    return NULL;
}

/* What a MOVE at i takes into a local, and leaves nowhere else (as `a = b = x + y` does). */
static AsmInstr *maker_of_moved(Unit *u, const uint8_t *targets, uint32_t i) {
    const AsmInstr *x = &u->ins[i];
    return x->op == OP_MOVE && x->a < u->n_locals && x->flags & IF_KILL_B ? maker_of(u, targets, i, x->b) : NULL;
}

static void classify(Unit *u, const uint8_t *targets, uint8_t *state) {
    for (uint32_t i = 0; i < u->n; i++) {
        const AsmInstr *x = &u->ins[i];
        const char *kinds = instr_info[x->op].operands;
        const uint32_t regs[3] = {x->a, x->b, x->c};
        for (int n = 0; n < 3; n++)
            if (kinds[n] == 'R' && regs[n] < u->n_locals && !only_reads(x->op) && x->op != OP_RETURN)
                state[regs[n]] |= x->op == OP_MOVE ? MOVED : KEPT;
        if (x->a < u->n_locals && (is_operator(x->op) || maker_of_moved(u, targets, i)))
            state[x->a] |= MADE_FOR;
    }
}
static bool is_followed(const Unit *u, const uint8_t *state, uint32_t reg) {
    if (reg >= u->n_locals || state[reg] & KEPT)
        return false;
    return state[reg] & MADE_FOR || (reg < u->argcount && !(state[reg] & MOVED));
}

static void flag(Unit *u, const uint8_t *targets, const uint8_t *state) {
    for (uint32_t i = 0; i < u->n; i++) {
        AsmInstr *x = &u->ins[i], *maker;
        if (is_operator(x->op)) {
            if (is_followed(u, state, x->a))
                x->flags |= IF_X2;
        } else if (x->op == OP_CALL) {
            for (uint32_t k = 0; k < x->b; k++)
                /* `f(n - 1)` makes a large int only of a large int: not worth a look at each call. */
                if ((maker = maker_of(u, targets, i, x->a + (uint32_t)FRAME_WORDS + k)) != NULL &&
                    maker->op != OP_ADD_I && maker->op != OP_SUB_I) {
                    maker->flags |= IF_X1;
                    x->op = OP_CALL_OWNED;
                }
        } else if ((x->op == OP_MOVE || x->op == OP_RETURN) && x->b < u->n_locals) {
            if (is_followed(u, state, x->b))
                x->op = x->op == OP_MOVE ? OP_MOVE_OUT : OP_RETURN_OUT;
        } else if (is_followed(u, state, x->a) && (maker = maker_of_moved(u, targets, i)) != NULL) {
            maker->flags |= IF_X1;
            x->op = OP_MOVE_OWNED;
        }
    }
    for (uint32_t i = 0; i < u->argcount && i < 64; i++)
        if (is_followed(u, state, i))
            u->owned_params |= (uint64_t)1 << i;
}

/* The unit's labels are bound, its registers final. */
void own_locals(Unit *u) {
    uint8_t *state = calloc(u->n_locals + u->n / 8 + 1, 1);
    if (!state)
        return; /* nothing is lost but memory that could be used again sooner */
    uint8_t *targets = state + u->n_locals;
    for (uint32_t i = 0; i < u->n_labels; i++) {
        int32_t at = u->labels[i].at;
        if (at >= 0 && (uint32_t)at < u->n)
            targets[at / 8] |= (uint8_t)(1 << at % 8);
    }
    classify(u, targets, state);
    flag(u, targets, state);
    free(state);
}

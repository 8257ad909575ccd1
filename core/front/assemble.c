/* From a unit's instructions to a code object: labels become offsets, ranges become tables. */
#include "front/codegen.h"

#include "object/tuple.h"

/* Long code: a jump that cannot reach its target in 16 bits hops over an unconditional one. Which opcode means the
 * opposite. */
static int inverse_jump(int op) {
    static const uint8_t pairs[][2] = {
        {OP_JLT, OP_JNLT},     {OP_JLE, OP_JNLE},     {OP_JEQ, OP_JNEQ},     {OP_JNE, OP_JNNE},
        {OP_JGT, OP_JNGT},     {OP_JGE, OP_JNGE},     {OP_JLT_I, OP_JNLT_I}, {OP_JLE_I, OP_JNLE_I},
        {OP_JEQ_I, OP_JNEQ_I}, {OP_JNE_I, OP_JNNE_I}, {OP_JGT_I, OP_JNGT_I}, {OP_JGE_I, OP_JNGE_I},
        {OP_JIN, OP_JNIN},     {OP_JIS, OP_JNIS},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (pairs[i][0] == op)
            return pairs[i][1];
        if (pairs[i][1] == op)
            return pairs[i][0];
    }
    return op; /* FOR_ITER, SEND: not to be inverted */
}

static bool is_short_jump(int op) {
    return instr_info[op].operands[2] == 'J';
}
static bool is_long_jump(int op) {
    return instr_info[op].operands[1] == 'J';
}

typedef struct Output {
    uint64_t *words;
    uint16_t *depths;
    CodePos *positions;
    uint32_t n;
} Output;

static void put(Output *o, uint64_t w, const AsmInstr *i) {
    o->words[o->n] = w;
    o->depths[o->n] = i->depth;
    o->positions[o->n++] = i->pos;
}

static uint32_t length_of(const AsmInstr *i, bool far) {
    uint32_t n = (uint32_t)instr_length(i->op);
    if (far && is_short_jump(i->op))
        n += inverse_jump(i->op) != i->op ? 1 : 2;
    return n;
}

static bool fits(uint32_t v) {
    return v <= UINT16_MAX;
}

Value assemble(Unit *u) {
    Value code = ABSENT, consts = ABSENT, names = ABSENT, varnames = ABSENT, cellvars = ABSENT, freevars = ABSENT;
    uint32_t *word_of = malloc(((size_t)u->n + 1) * sizeof *word_of); /* of each instruction */
    ExcEntry *excs = NULL;
    HoleEntry *holes = NULL;
    Output o = {0};
    uint32_t n = 0, n_excs = 0;
    bool far = false;
    if (!word_of)
        goto no_memory;
    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        for (uint32_t i = 0; i < u->n; i++) {
            word_of[i] = n;
            n += length_of(&u->ins[i], far);
        }
        word_of[u->n] = n;
        if (n < INT16_MAX)
            break;
        far = true;
    }
    o.words = malloc((n + 1) * sizeof *o.words);
    o.depths = malloc((n + 1) * sizeof *o.depths);
    o.positions = malloc((n + 1) * sizeof *o.positions);
    excs = malloc(((size_t)u->n + 1) * sizeof *excs);
    holes = malloc((u->n_holes + 1) * sizeof *holes);
    if (!o.words || !o.depths || !o.positions || !excs || !holes)
        goto no_memory;
    for (uint32_t i = 0; i < u->n; i++) {
        const AsmInstr *x = &u->ins[i];
        if (is_long_jump(x->op)) {
            int32_t offset = (int32_t)word_of[u->labels[x->b].at] - (int32_t)o.n;
            put(&o, instr_make_bc(x->op, x->flags, x->a, offset), x);
        } else if (is_short_jump(x->op)) {
            int32_t target = (int32_t)word_of[u->labels[x->c].at];
            int inverse = inverse_jump(x->op);
            if (!fits(x->a) || !fits(x->b))
                goto too_large;
            if (!far) {
                put(&o, instr_make(x->op, x->flags, x->a, x->b, (uint16_t)(target - (int32_t)o.n)), x);
                for (int k = 0; k < instr_info[x->op].extra; k++)
                    put(&o, 0, x);
            } else {
                uint32_t len = (uint32_t)instr_length(x->op);
                bool hop = inverse == x->op;
                put(&o, instr_make(inverse, x->flags, x->a, x->b, len + 1), x);
                for (uint32_t k = 1; k < len; k++)
                    put(&o, 0, x);
                uint32_t depth = (uint32_t)u->labels[x->c].depth;
                AsmInstr y = *x;
                if (hop) { /* behind it: over the jump to the far target */
                    y.depth = i + 1 < u->n ? u->ins[i + 1].depth : x->depth;
                    put(&o, instr_make_bc(OP_JUMP, 0, 0, 2), &y);
                }
                y.depth = (uint16_t)depth;
                put(&o, instr_make_bc(target < (int32_t)o.n ? OP_JUMP_BACK : OP_JUMP, 0, 0, target - (int32_t)o.n), &y);
            }
        } else {
            const char *kinds = instr_info[x->op].operands;
            if (!fits(x->a))
                goto too_large;
            if (kinds[2] == ' ') {
                put(&o, instr_make_bc(x->op, x->flags, x->a, (int32_t)x->b), x);
            } else {
                if (!fits(x->b) || !fits(x->c))
                    goto too_large;
                put(&o, instr_make(x->op, x->flags, x->a, x->b, x->c), x);
            }
            for (int k = 0; k < instr_info[x->op].extra; k++)
                put(&o, k == 0 ? x->extra : 0, x);
        }
        ASSERT(o.n == word_of[i + 1]);
    }
    for (uint32_t i = 0; i < u->n;) {
        uint32_t j = i + 1;
        int32_t h = u->ins[i].handler;
        while (j < u->n && u->ins[j].handler == h)
            j++;
        if (h >= 0) {
            const Handler *x = &u->handlers[h];
            excs[n_excs++] = (ExcEntry){word_of[i], word_of[j], word_of[u->labels[x->label].at], x->depth};
        }
        i = j;
    }
    for (uint32_t i = 0; i < u->n_holes; i++)
        holes[i] = (HoleEntry){word_of[u->holes[i].start], word_of[u->holes[i].end], u->holes[i].first, u->holes[i].n};
    /* In order of start: a block inside another's arguments was recorded before it. */
    for (uint32_t i = 1; i < u->n_holes; i++) {
        HoleEntry x = holes[i];
        uint32_t j = i;
        for (; j > 0 && holes[j - 1].start > x.start; j--)
            holes[j] = holes[j - 1];
        holes[j] = x;
    }
    consts = consts_tuple(&u->consts);
    names = tuple_from(u->names.names, u->names.n);
    varnames = tuple_from(u->varnames, u->n_varnames);
    cellvars = tuple_from(u->cellvars, u->n_cellvars);
    freevars = tuple_from(u->freevars, u->n_freevars);
    if (consts == ABSENT || names == ABSENT || varnames == ABSENT || cellvars == ABSENT || freevars == ABSENT)
        goto done;
    CodeSpec spec = {
        .instrs = o.words,
        .depths = o.depths,
        .positions = o.positions,
        .n_instrs = o.n,
        .excs = excs,
        .n_excs = n_excs,
        .holes = holes,
        .n_holes = u->n_holes,
        .n_regs = u->max_depth + 1,
        .n_locals = u->n_locals,
        .argcount = u->argcount,
        .owned_params = u->owned_params,
        .posonlyargcount = u->posonlyargcount,
        .kwonlyargcount = u->kwonlyargcount,
        .flags = u->flags,
        .inline_slots_hint = u->n_self_attrs,
        .firstlineno = u->firstlineno,
        .consts = consts,
        .names = names,
        .varnames = varnames,
        .cellvars = cellvars,
        .freevars = freevars,
        .cell_regs = u->cell_regs,
        .filename = u->g->filename,
        .name = u->name,
        .qualname = u->qualname,
    };
    code = code_new(&spec);
    goto done;
too_large:
    err_set(&exc_OverflowError, "code object too large");
    goto done;
no_memory:
    err_no_memory();
done:
    release(consts);
    release(names);
    release(varnames);
    release(cellvars);
    release(freevars);
    free(word_of);
    free(o.words);
    free(o.depths);
    free(o.positions);
    free(excs);
    free(holes);
    return code;
}

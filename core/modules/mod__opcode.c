/* _opcode: the instruction table for opcode.py and dis.py. */
#include "interp/code.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/object.h"
#include "object/str.h"
#include "object/tuple.h"

/* [(name, operands, extra words, effects), ...] in the order of the opcodes. */
static Value instructions(Value self, Value *args, intptr_t nargs, Value kw) {
    Value l = list_new(OP_COUNT);
    for (int i = 0; i < OP_COUNT && l != ABSENT; i++) {
        const InstrInfo *x = &instr_info[i];
        Value name = str_intern(str_from_c(x->name)), operands = str_from_c(x->operands),
              effects = str_from_c(x->effects);
        Value t = name == ABSENT || operands == ABSENT || effects == ABSENT
                      ? ABSENT
                      : tuple_pack(4, name, operands, v_from_int(x->extra), effects);
        release(name);
        release(operands);
        release(effects);
        if (t == ABSENT || list_append_steal(l, t) < 0) {
            release(l);
            return ABSENT;
        }
    }
    return l;
}

static bool check_code(Value v) {
    if (v_is_code(v))
        return true;
    err_set(&exc_TypeError, "expected a code object, not '%T'", v);
    return false;
}

/* [(start, end, target, depth), ...], in units of co_lines (two per word) but for depth. */
static Value exception_table(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!check_code(args[0]))
        return ABSENT;
    Code *c = (Code *)args[0];
    Value l = list_new(c->n_excs);
    for (uint32_t i = 0; i < c->n_excs && l != ABSENT; i++) {
        const ExcEntry *e = &c->excs[i];
        Value t = tuple_pack(4, v_from_int((int64_t)e->start * 2), v_from_int((int64_t)e->end * 2),
                             v_from_int((int64_t)e->handler * 2), v_from_int(e->depth));
        if (t == ABSENT || list_append_steal(l, t) < 0) {
            release(l);
            return ABSENT;
        }
    }
    return l;
}

/* Number of locals, cells included: registers from here on are temporaries. */
static Value local_registers(Value self, Value *args, intptr_t nargs, Value kw) {
    return check_code(args[0]) ? v_from_int(((Code *)args[0])->n_locals) : ABSENT;
}

/* How many temporaries an instruction leaves more than it takes, as far as the opcode alone tells. */
static Value stack_effect(Value self, Value *args, intptr_t nargs, Value kw) {
    int op;
    if (num_as_int(args[0], &op) < 0)
        return ABSENT;
    Value jump = arg_at(args, nargs, 2);
    if (jump != ABSENT && jump != V_NONE && !v_is_bool(jump))
        return err_set(&exc_ValueError, "stack_effect: jump must be False, True or None");
    if (op < 0 || op >= OP_COUNT)
        return err_set(&exc_ValueError, "invalid opcode or oparg");
    int n = 0;
    for (const char *k = instr_info[op].operands; *k; k++)
        n += *k == 'D' ? 1 : *k == 'R' ? -1 : 0;
    return v_from_int(n);
}

static Value get_specialization_stats(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_NONE;
}

static const NativeDef functions[] = {
    {"instructions", instructions, "($module, /)"},
    {"exception_table", exception_table, "($module, code, /)"},
    {"local_registers", local_registers, "($module, code, /)"},
    {"stack_effect", stack_effect, "($module, opcode, oparg=None, /, *, jump=None)", 0,
     "Compute the stack effect of the opcode."},
    {"get_specialization_stats", get_specialization_stats, "($module, /)", 0, "Return the specialization stats"},
    {NULL},
};

const ModuleSpec module__opcode = {"_opcode", "Opcode support module.", functions, NULL};

/* Code objects: what the code generator makes and the interpreter runs. Immutable but for quickened words and inline
 * caches.
 *
 * Registers of a frame: [0, n_locals) locals: first co_varnames in order (positional arguments, keyword-only ones,
 * *args, **kwargs, other locals), then the cell variables that are no arguments; [n_locals, n_regs) temporaries.
 */
#ifndef POLYGIL_CODE_H
#define POLYGIL_CODE_H

#include "object/object.h"

typedef _Atomic(uint64_t) Instr;

enum {
#define X(name, operands, extra, effects) OP_##name,
#include "interp/instructions.def"
#undef X
    OP_COUNT
};

/* Flags of a word. */
enum {
    IF_KILL_B = 1,
    IF_KILL_C = 2,
    IF_DST_LOCAL = 4,
    IF_INPLACE = 8,
    IF_KILL_A = 16,
    IF_X1 = 32, /* of an operator: its result is a temporary's that owns it, an operand, argument or local to be */
    IF_X2 = 64, /* of an operator: its result is a local's that owns it (front/owned.c) */
};
#define NO_REG 0xffff

static ALWAYS_INLINE uint64_t instr_make(unsigned op, unsigned flags, unsigned a, unsigned b, unsigned c) {
    return (uint64_t)op | (uint64_t)flags << 8 | (uint64_t)(a & 0xffff) << 16 | (uint64_t)(b & 0xffff) << 32 |
           (uint64_t)(c & 0xffff) << 48;
}
static ALWAYS_INLINE uint64_t instr_make_bc(unsigned op, unsigned flags, unsigned a, int32_t bc) {
    return (uint64_t)op | (uint64_t)flags << 8 | (uint64_t)(a & 0xffff) << 16 | (uint64_t)(uint32_t)bc << 32;
}
static ALWAYS_INLINE unsigned instr_op(uint64_t w) {
    return (uint8_t)w;
}
static ALWAYS_INLINE unsigned instr_flags(uint64_t w) {
    return (uint8_t)(w >> 8);
}
static ALWAYS_INLINE unsigned instr_a(uint64_t w) {
    return (uint16_t)(w >> 16);
}
static ALWAYS_INLINE unsigned instr_b(uint64_t w) {
    return (uint16_t)(w >> 32);
}
static ALWAYS_INLINE unsigned instr_c(uint64_t w) {
    return (uint16_t)(w >> 48);
}
static ALWAYS_INLINE int32_t instr_bc(uint64_t w) {
    return (int32_t)(w >> 32);
}
static ALWAYS_INLINE int instr_sc(uint64_t w) {
    return (int16_t)(w >> 48);
} /* C signed */
static ALWAYS_INLINE int instr_sb(uint64_t w) {
    return (int16_t)(w >> 32);
}

typedef struct InstrInfo {
    const char *name;
    const char *operands;
    uint8_t extra; /* words behind it: inline caches or wide operands */
    const char *effects;
} InstrInfo;
extern const InstrInfo instr_info[OP_COUNT];
static inline int instr_length(unsigned op) {
    return 1 + instr_info[op].extra;
}

/* CPython's co_flags. */
enum {
    CO_OPTIMIZED = 1,
    CO_NEWLOCALS = 2,
    CO_VARARGS = 4,
    CO_VARKEYWORDS = 8,
    CO_NESTED = 0x10,
    CO_GENERATOR = 0x20,
    CO_COROUTINE = 0x80,
    CO_ITERABLE_COROUTINE = 0x100,
    CO_ASYNC_GENERATOR = 0x200,
};

/* An exception in [start, end) goes to handler with depth registers live and the exception in register depth. The first
 * entry that covers a pc applies, so inner blocks come first. Words from the start of the code. */
typedef struct ExcEntry {
    uint32_t start, end, handler, depth;
} ExcEntry;

/* While start <= pc < end, the n registers from first hold garbage, though they lie below depths[pc]: header words of
 * an open call block. In order of start; nested blocks overlap. */
typedef struct HoleEntry {
    uint32_t start, end;
    uint16_t first, n;
} HoleEntry;

typedef struct CodePos {
    int32_t line, end_line; /* -1: none */
    int16_t col, end_col;   /* UTF-8 byte offsets as in ast; -1: unknown or too large */
} CodePos;

typedef struct Code {
    Object hdr;
    Instr *instrs;
    Value *consts; /* items of const_tuple */
    Value *names;  /* items of name_tuple: interned */
    uint32_t n_regs, n_locals;
    uint32_t argcount; /* positional parameters, positional-only ones included */
    uint32_t posonlyargcount, kwonlyargcount;
    uint32_t flags;     /* CO_* */
    uint32_t fast_args; /* argcount when it takes just positional arguments and is no generator; else UINT32_MAX */
    uint32_t n_instrs;
    uint64_t owned_params; /* without counts: bit i: parameter i is read by operators alone (front/owned.c) */
    uint16_t *depths;      /* per word */
    CodePos *positions;    /* per word */
    ExcEntry *excs;
    HoleEntry *holes;
    uint32_t n_excs, n_holes;
    int32_t firstlineno;
    uint16_t *cell_regs;        /* register of each cellvar */
    uint32_t inline_slots_hint; /* class bodies: number of attributes that methods assign to self, 0 unknown */
    uint32_t stacksize;
    Ref const_tuple, name_tuple, varnames, cellvars, freevars; /* tuples */
    Ref filename, name, qualname;
    Ref code_bytes;                     /* reserved for co_code */
    struct Code *list_next, *list_prev; /* all code objects: code_each */
    bool listed;
    bool yields_in_block; /* a YIELD lies inside an open call block: holes are to be emptied when it saves its registers
                           */
} Code;
/* Calls fn for every code object; no Python code, no allocation inside. */
void code_each(void (*fn)(Code *));

/* What the code generator hands over. Everything is copied or retained. */
typedef struct CodeSpec {
    const uint64_t *instrs;
    const uint16_t *depths;
    const CodePos *positions;
    uint32_t n_instrs;
    const ExcEntry *excs;
    uint32_t n_excs;
    const HoleEntry *holes;
    uint32_t n_holes;
    uint32_t n_regs, n_locals, argcount, posonlyargcount, kwonlyargcount, flags, inline_slots_hint;
    uint64_t owned_params;
    int32_t firstlineno;
    Value consts, names, varnames, cellvars, freevars; /* tuples of str, but consts */
    const uint16_t *cell_regs;                         /* one per cellvar */
    Value filename, name, qualname;
} CodeSpec;

/* Owned. ABSENT with MemoryError, or SystemError when the verifier finds the code malformed (debug builds). */
Value code_new(const CodeSpec *spec);
static ALWAYS_INLINE bool v_is_code(Value v) {
    return v_is_exact(v, IDX_CODE);
}
/* Source line of the word at index, or -1. */
int code_line(const Code *c, intptr_t index);
CodePos code_pos(const Code *c, intptr_t index);
/* One instruction as text (for dis and debugging): str. */
Value code_disassemble(Value code);
void code_dump(FILE *f, const Code *c);
void code_init(void);

#endif

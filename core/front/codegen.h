/* The code generator's own structures, shared by its files; the entry points are in front/compile.h.
 *
 *   unit      one code object under construction: a Scope's
 *   register  a local (below n_locals) or a temporary; temporaries are a stack, u->depth is the number of live
 * registers operand   what an expression's value is read from: a local, borrowed, or the temporary on top, consumed by
 * the instruction that reads it state     the set of locals known to be bound here, so that only doubtful reads are
 * checked
 *
 * Errors are sticky: after the first (g->failed, one exception pending) nothing more is emitted and the walk returns
 * quickly. Unreachable code is walked for its errors and scopes, but not emitted.
 *
 * Order of work for one instruction: operands are evaluated (depth grows), the instruction is emitted at that depth,
 * then u->depth falls to the depth before the operands, plus one if the result is a temporary. */
#ifndef POLYGIL_CODEGEN_H
#define POLYGIL_CODEGEN_H

#include "front/ast.h"
#include "front/consts.h"
#include "front/symtable.h"
#include "interp/frame.h"

typedef struct Unit Unit;
typedef int Label; /* index into u->labels */

typedef struct AsmInstr {
    uint8_t op, flags;
    uint16_t depth;
    uint32_t a, b, c; /* a jump operand holds its label */
    uint32_t extra;
    int32_t handler; /* index into u->handlers, or -1 */
    CodePos pos;
} AsmInstr;

typedef struct LabelInfo {
    int32_t at;      /* instruction index, or -1: not bound yet */
    int32_t depth;   /* at the label; -1: not known yet */
    uint64_t *state; /* what holds on all jumps to it so far; NULL: none */
} LabelInfo;

typedef struct Handler {
    Label label;
    uint32_t depth; /* the exception arrives in this register */
    bool used;
    uint64_t *state; /* at the start of the range, without what may be deleted in it */
} Handler;

typedef struct Hole {
    uint32_t start, end; /* instruction indices */
    uint16_t first, n;
} Hole;

typedef enum { UNIT_MODULE, UNIT_CLASS, UNIT_FUNCTION, UNIT_ASYNC_FUNCTION, UNIT_LAMBDA, UNIT_COMPREHENSION } UnitKind;

/* Blocks that break, continue and return unwind, innermost first; they live in the C frames of the functions that
 * compile them. */
typedef enum {
    BLOCK_WHILE,
    BLOCK_FOR,          /* loop state at base */
    BLOCK_ASYNC_FOR,    /* iterator at base */
    BLOCK_TRY,          /* body of try/except */
    BLOCK_FINALLY,      /* body and handlers of try/finally */
    BLOCK_HANDLING,     /* inside a handler: exception at base, what was handled before at base + 1 */
    BLOCK_HANDLER_NAME, /* body of `except ... as name`, inside a BLOCK_HANDLING */
    BLOCK_WITH,         /* the pair of __exit__ at base */
    BLOCK_ASYNC_WITH,
    BLOCK_VALUE,       /* a return value waits at base while finally bodies run */
    BLOCK_EXCEPT_STAR, /* inside except*: break, continue and return are errors */
} BlockKind;
typedef struct Block {
    BlockKind kind;
    struct Block *outer;
    uint32_t base;
    int32_t outer_handler; /* in force outside */
    Label brk, cont;       /* loops */
    StmtSeq final;         /* BLOCK_FINALLY */
    Value name;            /* BLOCK_HANDLER_NAME: or ABSENT */
    CodePos pos;           /* with statements: for the exit call */
} Block;

typedef struct NameTable {
    Value *names; /* interned, in order */
    uint32_t *slots, mask, n, cap;
} NameTable;

typedef struct Gen {
    Arena *arena;
    Value filename;
    int optimize;
    int future_flags;
    bool interactive, top_level_await;
    bool has_walrus; /* there may be := in the module */
    int future_line; /* of the last import of features that came in time */
    bool failed;
    Unit *unit;
    AsmInstr *spare_instrs; /* the buffer of a finished unit, for the next one */
    uint32_t spare_cap;
} Gen;

struct Unit {
    Gen *g;
    Arena *arena;
    Unit *outer;
    Scope *scope;
    UnitKind kind;
    Value name, qualname; /* kept by the arena */
    AsmInstr *ins;
    uint32_t n, cap;
    LabelInfo *labels;
    uint32_t n_labels, cap_labels;
    Handler *handlers;
    uint32_t n_handlers, cap_handlers;
    Hole *holes;
    uint32_t n_holes, cap_holes;
    int32_t handler; /* in force */
    uint32_t n_locals, depth, max_depth;
    bool reachable;
    int32_t bound_at;                      /* where a label was bound last */
    CodePos pos;                           /* of what is emitted next */
    uint64_t *state, *deletable, *rebound; /* sets of locals: bound; deleted somewhere in this unit; targets of := */
    uint32_t state_words;
    ConstTable consts;
    NameTable names;
    Block *block;
    Value *varnames, *cellvars, *freevars;
    uint32_t n_varnames, n_cellvars, n_freevars;
    uint16_t *cell_regs;
    uint32_t argcount, posonlyargcount, kwonlyargcount, flags;
    uint64_t owned_params; /* own_locals found them */
    int32_t firstlineno;
    Value first_param; /* methods: the name that `self` has; or ABSENT */
    Value *self_attrs; /* classes: distinct names that methods assign on their first parameter */
    uint32_t n_self_attrs;
    int class_cell;   /* register of a class's __class__ cell, or -1 */
    AsmInstr scratch; /* written, never read: what unreachable code "emits" */
};

/* ---- codegen.c: emitting ---- */
#define MAX_REGS 60000
enum { KEEP_A = 1, KEEP_B = 2, KEEP_C = 4 };

/* Index of the instruction, or a scratch one when nothing is emitted. Flags for consumed temporaries and local
 * destinations are added, but for operands in `keep`. The depth recorded is u->depth. */
AsmInstr *emit_keep(Unit *u, int op, uint32_t a, uint32_t b, uint32_t c, int keep);
static inline AsmInstr *emit(Unit *u, int op, uint32_t a, uint32_t b, uint32_t c) {
    return emit_keep(u, op, a, b, c, 0);
}
/* A jump: depth_after is the depth at its target and behind it. */
AsmInstr *emit_jump(Unit *u, int op, uint32_t a, uint32_t b, Label target, uint32_t depth_after);
void jump(Unit *u, Label target);
Label new_label(Unit *u);
void codegen_bind(Unit *u, Label l);
/* The head of a loop: everything that may be deleted in the unit is doubtful from here on. */
void bind_loop(Unit *u, Label l);
/* Opens a protected range with the current depth; returns the handler's index, to be given to handler_end and
 * handler_bind. */
int handler_begin(Unit *u, Label l);
void handler_end(Unit *u, int outer);
/* Binds the handler's label: depth is its depth + 1 (the exception). */
void handler_bind(Unit *u, int h);

static inline bool is_temp(const Unit *u, int reg) {
    return (uint32_t)reg >= u->n_locals;
}
void set_depth(Unit *u, uint32_t depth);
static inline int push_temp(Unit *u) {
    set_depth(u, u->depth + 1);
    return (int)u->depth - 1;
}
static inline void at(Unit *u, const AstPos *p) {
    u->pos = (CodePos){p->lineno, p->end_lineno, p->col <= INT16_MAX ? (int16_t)p->col : -1,
                       p->end_col <= INT16_MAX ? (int16_t)p->end_col : -1};
}
/* Behind at(): the line of what an attribute does is that of its name. */
void at_name_of(Unit *u, const Expr *attr);
static inline void at_none(Unit *u) {
    u->pos = (CodePos){-1, -1, -1, -1};
}

static inline bool state_has(const uint64_t *s, int reg) {
    return s[reg >> 6] >> (reg & 63) & 1;
}
static inline void mark_bound(Unit *u, int reg) {
    u->state[reg >> 6] |= (uint64_t)1 << (reg & 63);
}
static inline void mark_unbound(Unit *u, int reg) {
    u->state[reg >> 6] &= ~((uint64_t)1 << (reg & 63));
}

uint32_t add_const(Unit *u, Value v); /* borrowed */
uint32_t add_const_steal(Unit *u, Value v);
uint32_t add_name(Unit *u, Value name); /* as it is */
Value mangled(Unit *u, Value name);
/* Records that registers [first, first + n) hold garbage in instructions [start, the last one emitted]. */
void add_hole(Unit *u, uint32_t start, uint32_t first, uint32_t n);

void fail(Gen *g);
void error_at(Unit *u, const AstPos *pos, const char *fmt, ...) PRINTF_LIKE(3, 4);
void warn_at(Unit *u, const AstPos *pos, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* C recursion; false: failed. */
bool enter(Unit *u);

/* ---- where a result goes ---- */
enum { ANY = -1, TEMP = -2 }; /* otherwise: that local */
/* The register for a result whose operands started at base. */
static inline int dest(const Unit *u, int want, uint32_t base) {
    return want >= 0 ? want : (int)base;
}
/* Call after the instruction that wrote d. */
static inline int done(Unit *u, int d, uint32_t base) {
    if (is_temp(u, d)) {
        set_depth(u, base + 1);
    } else {
        set_depth(u, base);
        mark_bound(u, d);
    }
    return d;
}

/* ---- codegen_expr.c ---- */
int expr(Unit *u, Expr *e, int want); /* the register that holds the value */
int expr_last(Unit *u, Expr *e);      /* the same (ANY) for an operand that the very next instruction reads */
bool fold(Unit *u, Expr *e);          /* folds; true when e is a constant now */
void exprs_temp(Unit *u, ExprSeq s);  /* each into the next temporary */
void cond(Unit *u, Expr *e, Label target, bool jump_if);
void drop(Unit *u, int reg); /* releases a temporary on top; nothing for a local */
int load_const(Unit *u, Value v, int want);
int load_none(Unit *u, int want);
int load_move(Unit *u, int reg, int want); /* value of a local, or of the temporary on top, where it is wanted */
void await_top(Unit *u, int kind);         /* the awaitable on top becomes its result; kind as in GET_AWAITABLE */
/* The next item of the asynchronous iterator in register iter, awaited: in a new temporary. */
void anext_top(Unit *u, uint32_t iter);
int binary_rest(Unit *u, BinOpKind op, int left, Expr *right, int want, uint32_t base, const AstPos *pos, bool inplace);
int sequence_display(Unit *u, ExprSeq s, int kind, int want, const AstPos *pos);

/* ---- codegen_name.c ---- */
int load_name(Unit *u, Symbol *sym, Value name, int want, bool last);
/* Consumes reg if it is a temporary (it must be the top one), unless keep. */
void store_name(Unit *u, Symbol *sym, Value name, int reg, bool keep);
void delete_name(Unit *u, Symbol *sym, Value name, bool checked);
/* The register of a plain local of a function, or -1. */
int local_register(Unit *u, Symbol *sym);
Symbol *find_symbol(Unit *u, Value name); /* not mangled yet */
bool forbidden_name(Unit *u, Value name, ExprCtx ctx, const AstPos *pos);
/* An instruction with a name in C. */
AsmInstr *emit_name(Unit *u, int op, uint32_t a, uint32_t b, Value mangled_name, int keep);

/* ---- codegen_call.c ---- */
int compile_call(Unit *u, Expr *e, int want);
/* The rest of a call whose callable is in base; the depth is base + FRAME_WORDS + n_before, arguments that lie in the
 * block already. hole_from: u->n behind the instruction that wrote the callable. */
int call_rest(Unit *u, uint32_t base, uint32_t n_before, ExprSeq args, KeywordSeq keywords, int want,
              uint32_t hole_from, const AstPos *pos);
/* The call of a complete block with n_args positional arguments into register d (a local, or base). */
void call_simple(Unit *u, uint32_t base, uint32_t n_args, int d, uint32_t hole_from);

/* ---- codegen_stmt.c ---- */
void stmts(Unit *u, StmtSeq body);
void stmt(Unit *u, Stmt *s);
/* Consumes reg if it is a temporary (the top one), unless keep. */
void assign(Unit *u, Expr *target, int reg, bool keep);
/* The expression's source as a constant, for postponed annotations: kept by the arena. */
void load_annotation(Unit *u, Expr *annotation, int want);

/* ---- codegen_flow.c ---- */
void compile_for(Unit *u, Stmt *s);
void compile_async_for(Unit *u, Stmt *s);
void compile_while(Unit *u, Stmt *s);
void compile_try(Unit *u, Stmt *s);
void compile_try_star(Unit *u, Stmt *s);
void compile_with(Unit *u, Stmt *s, bool is_async);
void compile_return(Unit *u, Stmt *s);
void compile_break(Unit *u, Stmt *s);
void compile_continue(Unit *u, Stmt *s);
void push_block(Unit *u, Block *b, BlockKind kind, uint32_t base);
void pop_block(Unit *u);
/* Evaluates an iterable and prepares the state of a loop over it in three new temporaries. */
void for_prepare(Unit *u, Expr *iter);
/* The head of that loop (state at base): fetches an item and assigns it, or goes to exit with depth base. */
void for_next(Unit *u, uint32_t base, Expr *target, Label start, Label exit);

/* ---- codegen_match.c ---- */
void compile_match(Unit *u, Stmt *s);

/* ---- codegen_scope.c ---- */
Unit *unit_enter(Gen *g, Scope *scope, UnitKind kind, Value name, int32_t firstlineno, AstArguments *args);
/* Code object, kept by the arena; ABSENT after an error. */
Value unit_leave(Gen *g);
void compile_function(Unit *u, Stmt *s, bool is_async);
void compile_class(Unit *u, Stmt *s);
void compile_body(Unit *u, StmtSeq body); /* of a module or class */
int compile_lambda(Unit *u, Expr *e, int want);
int compile_comprehension(Unit *u, Expr *e, int want);

/* ---- owned.c, assemble.c ---- */
/* Before assemble: flags the operators and moves of locals that own what operators make for them. */
void own_locals(Unit *u);
Value assemble(Unit *u);

#endif

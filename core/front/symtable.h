/* Scopes of a module: which variable each name means.
 *
 * Every scope node (module, FunctionDef, AsyncFunctionDef, Lambda, ClassDef, comprehension) gets its Scope in its
 * `scope` field, every Name expression its Symbol in `sym`. Names in scopes are mangled. Everything lives in the
 * module's arena. */
#ifndef POLYGIL_SYMTABLE_H
#define POLYGIL_SYMTABLE_H

#include "front/ast.h"

typedef enum { SCOPE_MODULE, SCOPE_FUNCTION, SCOPE_CLASS } ScopeKind;

/* What a name means where it is used. */
typedef enum {
    SYM_LOCAL = 1,       /* parameter or variable of this function; module and class: by name in the namespace */
    SYM_GLOBAL_EXPLICIT, /* `global x` */
    SYM_GLOBAL_IMPLICIT, /* not bound anywhere around */
    SYM_FREE,            /* of an enclosing function (or the class's __class__) */
    SYM_CELL,            /* a local that an inner scope uses */
} SymScope;

/* How it occurs (CPython's bits). */
enum {
    DEF_GLOBAL = 1,
    DEF_LOCAL = 2,
    DEF_PARAM = 4,
    DEF_NONLOCAL = 8,
    SYM_USE = 16,
    DEF_FREE = 32,
    DEF_FREE_CLASS = 64,
    DEF_IMPORT = 128,
    DEF_ANNOT = 256,
    DEF_COMP_ITER = 512,
    DEF_BOUND = DEF_LOCAL | DEF_PARAM | DEF_IMPORT
};

struct Symbol {
    Value name;     /* mangled, interned */
    uint32_t flags; /* DEF_* */
    uint8_t scope;  /* SymScope */
    int32_t index;  /* the code generator's own (register, cell number ...); -1 at first */
};

struct Scope {
    ScopeKind kind;
    Value name;         /* "top", function or class name, "lambda", "genexpr", "listcomp", "setcomp", "dictcomp" */
    Value private_name; /* innermost class around (itself for a class), for mangling; ABSENT: none */
    const void *node;   /* AstModule, Stmt or Expr */
    Scope *parent;
    Scope **children; /* in source order */
    int32_t n_children;
    Symbol **symbols; /* in order of first occurrence: parameters come first, in signature order */
    int32_t n_symbols;
    int32_t n_params;
    int32_t lineno, col;
    bool nested; /* inside a function */
    bool is_lambda, is_comprehension /* of any kind */, is_genexpr;
    bool is_generator, is_coroutine; /* has yield; async def, or a comprehension that awaits */
    bool has_varargs, has_varkeywords;
    bool returns_value;
    bool has_free, child_has_free;
    bool needs_class_closure; /* class: a method uses __class__ or super: it has the cell __class__ */
    bool uses_locals_dict;    /* `import *` at module level, exec-like: names cannot be resolved statically (module and
                                 class scopes) */
    AstPos comp_iter_pos;
    Symbol **table; /* open addressing by name, size a power of two */
    uint32_t table_mask;
};

typedef struct Symtable {
    Scope *top;
    Value filename;
    int future_flags;
    Arena *arena;
} Symtable;

/* CO_FUTURE_* bits, as in CPython. */
enum { FUTURE_BARRY_AS_BDFL = 0x400000, FUTURE_GENERATOR_STOP = 0x800000, FUTURE_ANNOTATIONS = 0x1000000 };

/* The future features that the module's `from __future__` imports ask for; -1 with SyntaxError. *last_line: the last
 * such line or -1. */
int future_features(AstModule *m, Value filename, int *last_line);

/* NULL with SyntaxError (or MemoryError, RecursionError) pending. Runs no Python code except warnings. */
Symtable *symtable_build(AstModule *m, Value filename, int future_flags);

/* Symbol of a name as mangled in scope s, or NULL. Mangled: already done. */
Symbol *scope_symbol(Arena *a, Scope *s, Value name);
Symbol *scope_symbol_mangled(Scope *s, Value name);
/* name as seen inside class private_name (ABSENT: none): itself, or _Class__name, kept by the arena. ABSENT: no memory.
 * Borrowed. */
Value name_mangle(Arena *a, Value private_name, Value name);

#endif

/* Abstract syntax of Python 3.11: the node kinds and fields of CPython's `ast` module as tagged C structs in an arena.
 *
 * Positions: lines from 1, columns from 0 in bytes of UTF-8. Optional nodes are NULL, optional identifiers ABSENT.
 * Identifiers are interned str; all Values are borrowed from the arena (arena_keep). Nodes are allocated only as large
 * as their kind needs: never copy one by assignment. */
#ifndef POLYGIL_AST_H
#define POLYGIL_AST_H

#include "front/arena.h"

typedef struct AstPos {
    int32_t lineno, col, end_lineno, end_col;
} AstPos;

typedef struct Expr Expr;
typedef struct Stmt Stmt;
typedef struct Pattern Pattern;
typedef struct AstArg AstArg;
typedef struct AstKeyword AstKeyword;
typedef struct AstAlias AstAlias;
typedef struct AstWithItem AstWithItem;
typedef struct AstHandler AstHandler;
typedef struct AstMatchCase AstMatchCase;
typedef struct AstComp AstComp;
typedef struct Scope Scope; /* front/symtable.h */
typedef struct Symbol Symbol;

typedef struct ExprSeq {
    Expr **v;
    int32_t n;
} ExprSeq;
typedef struct StmtSeq {
    Stmt **v;
    int32_t n;
} StmtSeq;
typedef struct PatternSeq {
    Pattern **v;
    int32_t n;
} PatternSeq;
typedef struct ArgSeq {
    AstArg **v;
    int32_t n;
} ArgSeq;
typedef struct KeywordSeq {
    AstKeyword **v;
    int32_t n;
} KeywordSeq;
typedef struct AliasSeq {
    AstAlias **v;
    int32_t n;
} AliasSeq;
typedef struct WithItemSeq {
    AstWithItem **v;
    int32_t n;
} WithItemSeq;
typedef struct HandlerSeq {
    AstHandler **v;
    int32_t n;
} HandlerSeq;
typedef struct MatchCaseSeq {
    AstMatchCase **v;
    int32_t n;
} MatchCaseSeq;
typedef struct CompSeq {
    AstComp **v;
    int32_t n;
} CompSeq;
typedef struct ValueSeq {
    Value *v;
    int32_t n;
} ValueSeq;
typedef struct CmpSeq {
    uint8_t *v;
    int32_t n;
} CmpSeq; /* CMPOP_* */

typedef enum { CTX_Load = 1, CTX_Store, CTX_Del } ExprCtx;
typedef enum { BOOLOP_And = 1, BOOLOP_Or } BoolOpKind;
typedef enum {
    BINOP_Add = 1,
    BINOP_Sub,
    BINOP_Mult,
    BINOP_MatMult,
    BINOP_Div,
    BINOP_Mod,
    BINOP_Pow,
    BINOP_LShift,
    BINOP_RShift,
    BINOP_BitOr,
    BINOP_BitXor,
    BINOP_BitAnd,
    BINOP_FloorDiv
} BinOpKind;
typedef enum { UNARYOP_Invert = 1, UNARYOP_Not, UNARYOP_UAdd, UNARYOP_USub } UnaryOpKind;
typedef enum {
    CMPOP_Eq = 1,
    CMPOP_NotEq,
    CMPOP_Lt,
    CMPOP_LtE,
    CMPOP_Gt,
    CMPOP_GtE,
    CMPOP_Is,
    CMPOP_IsNot,
    CMPOP_In,
    CMPOP_NotIn
} CmpOpKind;

typedef struct AstArguments {
    ArgSeq posonlyargs, args;
    AstArg *vararg; /* or NULL */
    ArgSeq kwonlyargs;
    ExprSeq kw_defaults; /* one per kwonlyargs, NULL where none */
    AstArg *kwarg;       /* or NULL */
    ExprSeq defaults;    /* of the last posonlyargs + args */
} AstArguments;

struct AstArg {
    AstPos pos;
    Value arg;
    Expr *annotation;
    Value type_comment; /* only from ast objects */
};

struct AstKeyword {
    AstPos pos;
    Value arg; /* ABSENT: **value */
    Expr *value;
};

struct AstAlias {
    AstPos pos;
    Value name, asname; /* name is dotted in Import, "*" in from x import * */
};

struct AstWithItem {
    Expr *context_expr, *optional_vars;
};

struct AstComp {
    Expr *target, *iter;
    ExprSeq ifs;
    bool is_async;
};

/* ---- expressions ---- */
#define EXPR_KINDS(X) \
    X(BoolOp)         \
    X(NamedExpr)      \
    X(BinOp)          \
    X(UnaryOp)        \
    X(Lambda)         \
    X(IfExp)          \
    X(Dict)           \
    X(Set)            \
    X(ListComp)       \
    X(SetComp)        \
    X(DictComp)       \
    X(GeneratorExp)   \
    X(Await)          \
    X(Yield)          \
    X(YieldFrom)      \
    X(Compare)        \
    X(Call)           \
    X(FormattedValue) X(JoinedStr) X(Constant) X(Attribute) X(Subscript) X(Starred) X(Name) X(List) X(Tuple) X(Slice)
typedef enum {
    EXPR_NONE,
#define AST_ENUM(k) EXPR_##k,
    EXPR_KINDS(AST_ENUM)
#undef AST_ENUM
        EXPR_KIND_END
} ExprKind;

struct Expr {
    AstPos pos;
    uint8_t kind;  /* EXPR_* */
    uint8_t paren; /* parser only: written in parentheses */
    union {
        struct {
            BoolOpKind op;
            ExprSeq values;
        } BoolOp;
        struct {
            Expr *target, *value;
        } NamedExpr;
        struct {
            BinOpKind op;
            Expr *left, *right;
        } BinOp;
        struct {
            UnaryOpKind op;
            Expr *operand;
        } UnaryOp;
        struct {
            AstArguments *args;
            Expr *body;
            Scope *scope;
        } Lambda;
        struct {
            Expr *test, *body, *orelse;
        } IfExp;
        struct {
            ExprSeq keys, values;
        } Dict; /* key NULL: **value */
        struct {
            ExprSeq elts;
        } Set;
        /* The four comprehensions share a layout: value is DictComp's alone. */
        struct {
            Expr *elt;
            CompSeq generators;
            Scope *scope;
        } ListComp, SetComp, GeneratorExp;
        struct {
            Expr *key;
            CompSeq generators;
            Scope *scope;
            Expr *value;
        } DictComp;
        struct {
            Expr *value;
        } Await, Yield, YieldFrom; /* Yield: may be NULL */
        struct {
            Expr *left;
            CmpSeq ops;
            ExprSeq comparators;
        } Compare;
        struct {
            Expr *func;
            ExprSeq args;
            KeywordSeq keywords;
        } Call;
        struct {
            Expr *value;
            int32_t conversion;
            Expr *format_spec;
        } FormattedValue; /* conversion: -1, 's', 'r', 'a' */
        struct {
            ExprSeq values;
        } JoinedStr;
        struct {
            Value value;
            Value kind;
        } Constant; /* kind: "u" or ABSENT */
        struct {
            Expr *value;
            Value attr;
            ExprCtx ctx;
        } Attribute; /* attr is not mangled yet: name_mangle */
        struct {
            Expr *value, *slice;
            ExprCtx ctx;
        } Subscript;
        struct {
            Expr *value;
            ExprCtx ctx;
        } Starred;
        struct {
            Value id;
            ExprCtx ctx;
            Symbol *sym;
        } Name; /* sym: of the scope that uses it, set by symtable_build */
        struct {
            ExprSeq elts;
            ExprCtx ctx;
        } List, Tuple;
        struct {
            Expr *lower, *upper, *step;
        } Slice;
    };
};

/* ---- statements ---- */
#define STMT_KINDS(X)   \
    X(FunctionDef)      \
    X(AsyncFunctionDef) \
    X(ClassDef)         \
    X(Return)           \
    X(Delete)           \
    X(Assign)           \
    X(AugAssign)        \
    X(AnnAssign)        \
    X(For)              \
    X(AsyncFor)         \
    X(While)            \
    X(If)               \
    X(With)             \
    X(AsyncWith)        \
    X(Match)            \
    X(Raise)            \
    X(Try) X(TryStar) X(Assert) X(Import) X(ImportFrom) X(Global) X(Nonlocal) X(Expr) X(Pass) X(Break) X(Continue)
typedef enum {
    STMT_NONE,
#define AST_ENUM(k) STMT_##k,
    STMT_KINDS(AST_ENUM)
#undef AST_ENUM
        STMT_KIND_END
} StmtKind;

struct Stmt {
    AstPos pos;
    uint8_t kind; /* STMT_* */
    union {
        struct {
            Value name;
            AstArguments *args;
            StmtSeq body;
            ExprSeq decorator_list;
            Expr *returns;
            Scope *scope;
            Value type_comment;
        } FunctionDef, AsyncFunctionDef;
        struct {
            Value name;
            ExprSeq bases;
            KeywordSeq keywords;
            StmtSeq body;
            ExprSeq decorator_list;
            Scope *scope;
        } ClassDef;
        struct {
            Expr *value;
        } Return; /* or NULL */
        struct {
            ExprSeq targets;
        } Delete;
        struct {
            ExprSeq targets;
            Expr *value;
            Value type_comment;
        } Assign;
        struct {
            Expr *target;
            BinOpKind op;
            Expr *value;
        } AugAssign;
        struct {
            Expr *target, *annotation, *value;
            int32_t simple;
        } AnnAssign;
        struct {
            Expr *target, *iter;
            StmtSeq body, orelse;
            Value type_comment;
        } For, AsyncFor;
        struct {
            Expr *test;
            StmtSeq body, orelse;
        } While, If;
        struct {
            WithItemSeq items;
            StmtSeq body;
            Value type_comment;
        } With, AsyncWith;
        struct {
            Expr *subject;
            MatchCaseSeq cases;
        } Match;
        struct {
            Expr *exc, *cause;
        } Raise;
        struct {
            StmtSeq body;
            HandlerSeq handlers;
            StmtSeq orelse, finalbody;
        } Try, TryStar;
        struct {
            Expr *test, *msg;
        } Assert;
        struct {
            AliasSeq names;
        } Import;
        struct {
            Value module;
            AliasSeq names;
            int32_t level;
        } ImportFrom;
        struct {
            ValueSeq names;
        } Global, Nonlocal;
        struct {
            Expr *value;
        } Expr;
    };
};

struct AstHandler {
    AstPos pos;
    Expr *type; /* or NULL */
    Value name; /* or ABSENT */
    StmtSeq body;
};

struct AstMatchCase {
    Pattern *pattern;
    Expr *guard;
    StmtSeq body;
};

/* ---- patterns ---- */
#define PATTERN_KINDS(X) \
    X(MatchValue) X(MatchSingleton) X(MatchSequence) X(MatchMapping) X(MatchClass) X(MatchStar) X(MatchAs) X(MatchOr)
typedef enum {
    PATTERN_NONE,
#define AST_ENUM(k) PATTERN_##k,
    PATTERN_KINDS(AST_ENUM)
#undef AST_ENUM
        PATTERN_KIND_END
} PatternKind;

struct Pattern {
    AstPos pos;
    uint8_t kind; /* PATTERN_* */
    union {
        struct {
            Expr *value;
        } MatchValue;
        struct {
            Value value;
        } MatchSingleton;
        struct {
            PatternSeq patterns;
        } MatchSequence, MatchOr;
        struct {
            ExprSeq keys;
            PatternSeq patterns;
            Value rest;
        } MatchMapping;
        struct {
            Expr *cls;
            PatternSeq patterns;
            ValueSeq kwd_attrs;
            PatternSeq kwd_patterns;
        } MatchClass;
        struct {
            Value name;
        } MatchStar; /* ABSENT: * _ */
        struct {
            Pattern *pattern;
            Value name;
        } MatchAs; /* both missing: wildcard */
    };
};

/* ---- module ---- */
typedef enum { MOD_Module = 1, MOD_Expression, MOD_Interactive } ModKind;

typedef struct AstModule {
    uint8_t kind; /* MOD_* */
    StmtSeq body; /* Module, Interactive */
    Expr *expr;   /* Expression */
    Arena *arena;
    Scope *scope;       /* set by symtable_build */
    const char *source; /* UTF-8, newline-terminated lines; NULL when made from ast objects */
    size_t source_len;
} AstModule;

/* A node with everything behind pos and kind zero. NULL: no memory. */
Expr *ast_expr(Arena *a, ExprKind kind, AstPos pos);
Stmt *ast_stmt(Arena *a, StmtKind kind, AstPos pos);
Pattern *ast_pattern(Arena *a, PatternKind kind, AstPos pos);

extern const char *const expr_kind_names[], *const stmt_kind_names[], *const pattern_kind_names[];

/* The body's docstring: a str constant, or ABSENT. Borrowed. */
Value ast_docstring(StmtSeq body);

#endif

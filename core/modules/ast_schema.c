#include "modules/ast_schema.h"

#define N(f, place, fam) {f, FT_NODE, fam, false, place}
#define NO(f, place, fam) {f, FT_NODE, fam, true, place}
#define NS(f, place, fam) {f, FT_NODES, fam, false, place}
#define ID_(f, place) {f, FT_IDENT, 0, false, place}
#define IDO(f, place) {f, FT_IDENT, 0, true, place}
#define IDS(f, place) {f, FT_IDENTS, 0, false, place}
#define INT(f, place) {f, FT_INT, 0, false, place}
#define STRO(f, place) {f, FT_STRING, 0, true, place}
#define F(...) (const AstField[]){__VA_ARGS__}, .n_fields = sizeof((const AstField[]){__VA_ARGS__}) / sizeof(AstField)
#define DEF(fam, k, ...) {.name = #k, .family = FAM_##fam, .kind = fam##_##k, .fields = __VA_ARGS__}
#define PLAIN(fam, k) {.name = #k, .family = FAM_##fam, .kind = fam##_##k}

#define E(k, f) offsetof(Expr, k.f)
#define S(k, f) offsetof(Stmt, k.f)
#define P(k, f) offsetof(Pattern, k.f)
#define CONTEXT_Load CTX_Load
#define CONTEXT_Store CTX_Store
#define CONTEXT_Del CTX_Del
#define MOD_FunctionType 4
#define FUNCTION_FIELDS(k)                                                                             \
    F(ID_("name", S(k, name)), N("args", S(k, args), FAM_ARGUMENTS), NS("body", S(k, body), FAM_STMT), \
      NS("decorator_list", S(k, decorator_list), FAM_EXPR), NO("returns", S(k, returns), FAM_EXPR),    \
      STRO("type_comment", S(k, type_comment)))
#define FOR_FIELDS(k)                                                                                         \
    F(N("target", S(k, target), FAM_EXPR), N("iter", S(k, iter), FAM_EXPR), NS("body", S(k, body), FAM_STMT), \
      NS("orelse", S(k, orelse), FAM_STMT), STRO("type_comment", S(k, type_comment)))
#define WITH_FIELDS(k)                                                          \
    F(NS("items", S(k, items), FAM_WITHITEM), NS("body", S(k, body), FAM_STMT), \
      STRO("type_comment", S(k, type_comment)))
#define TRY_FIELDS(k)                                                                \
    F(NS("body", S(k, body), FAM_STMT), NS("handlers", S(k, handlers), FAM_HANDLER), \
      NS("orelse", S(k, orelse), FAM_STMT), NS("finalbody", S(k, finalbody), FAM_STMT))
#define COMP_FIELDS(k) F(N("elt", E(k, elt), FAM_EXPR), NS("generators", E(k, generators), FAM_COMPREHENSION))

const AstNodeDef ast_node_defs[] = {
    DEF(MOD, Module,
        F(NS("body", offsetof(AstModule, body), FAM_STMT), {"type_ignores", FT_NOTHING, FAM_TYPE_IGNORE, false, 0})),
    DEF(MOD, Interactive, F(NS("body", offsetof(AstModule, body), FAM_STMT))),
    DEF(MOD, Expression, F(N("body", offsetof(AstModule, expr), FAM_EXPR))),
    DEF(MOD, FunctionType,
        F({"argtypes", FT_NOTHING, FAM_EXPR, false, 0}, N("returns", offsetof(AstModule, expr), FAM_EXPR))),

    DEF(STMT, FunctionDef, FUNCTION_FIELDS(FunctionDef)),
    DEF(STMT, AsyncFunctionDef, FUNCTION_FIELDS(AsyncFunctionDef)),
    DEF(STMT, ClassDef,
        F(ID_("name", S(ClassDef, name)), NS("bases", S(ClassDef, bases), FAM_EXPR),
          NS("keywords", S(ClassDef, keywords), FAM_KEYWORD), NS("body", S(ClassDef, body), FAM_STMT),
          NS("decorator_list", S(ClassDef, decorator_list), FAM_EXPR))),
    DEF(STMT, Return, F(NO("value", S(Return, value), FAM_EXPR))),
    DEF(STMT, Delete, F(NS("targets", S(Delete, targets), FAM_EXPR))),
    DEF(STMT, Assign,
        F(NS("targets", S(Assign, targets), FAM_EXPR), N("value", S(Assign, value), FAM_EXPR),
          STRO("type_comment", S(Assign, type_comment)))),
    DEF(STMT, AugAssign,
        F(N("target", S(AugAssign, target), FAM_EXPR), N("op", S(AugAssign, op), FAM_BINOP),
          N("value", S(AugAssign, value), FAM_EXPR))),
    DEF(STMT, AnnAssign,
        F(N("target", S(AnnAssign, target), FAM_EXPR), N("annotation", S(AnnAssign, annotation), FAM_EXPR),
          NO("value", S(AnnAssign, value), FAM_EXPR), INT("simple", S(AnnAssign, simple)))),
    DEF(STMT, For, FOR_FIELDS(For)),
    DEF(STMT, AsyncFor, FOR_FIELDS(AsyncFor)),
    DEF(STMT, While,
        F(N("test", S(While, test), FAM_EXPR), NS("body", S(While, body), FAM_STMT),
          NS("orelse", S(While, orelse), FAM_STMT))),
    DEF(STMT, If,
        F(N("test", S(If, test), FAM_EXPR), NS("body", S(If, body), FAM_STMT), NS("orelse", S(If, orelse), FAM_STMT))),
    DEF(STMT, With, WITH_FIELDS(With)),
    DEF(STMT, AsyncWith, WITH_FIELDS(AsyncWith)),
    DEF(STMT, Match, F(N("subject", S(Match, subject), FAM_EXPR), NS("cases", S(Match, cases), FAM_CASE))),
    DEF(STMT, Raise, F(NO("exc", S(Raise, exc), FAM_EXPR), NO("cause", S(Raise, cause), FAM_EXPR))),
    DEF(STMT, Try, TRY_FIELDS(Try)),
    DEF(STMT, TryStar, TRY_FIELDS(TryStar)),
    DEF(STMT, Assert, F(N("test", S(Assert, test), FAM_EXPR), NO("msg", S(Assert, msg), FAM_EXPR))),
    DEF(STMT, Import, F(NS("names", S(Import, names), FAM_ALIAS))),
    DEF(STMT, ImportFrom,
        F(IDO("module", S(ImportFrom, module)), NS("names", S(ImportFrom, names), FAM_ALIAS),
          {"level", FT_INT, 0, true, offsetof(Stmt, ImportFrom.level)})),
    DEF(STMT, Global, F(IDS("names", S(Global, names)))),
    DEF(STMT, Nonlocal, F(IDS("names", S(Nonlocal, names)))),
    DEF(STMT, Expr, F(N("value", S(Expr, value), FAM_EXPR))),
    PLAIN(STMT, Pass),
    PLAIN(STMT, Break),
    PLAIN(STMT, Continue),

    DEF(EXPR, BoolOp, F(N("op", E(BoolOp, op), FAM_BOOLOP), NS("values", E(BoolOp, values), FAM_EXPR))),
    DEF(EXPR, NamedExpr, F(N("target", E(NamedExpr, target), FAM_EXPR), N("value", E(NamedExpr, value), FAM_EXPR))),
    DEF(EXPR, BinOp,
        F(N("left", E(BinOp, left), FAM_EXPR), N("op", E(BinOp, op), FAM_BINOP),
          N("right", E(BinOp, right), FAM_EXPR))),
    DEF(EXPR, UnaryOp, F(N("op", E(UnaryOp, op), FAM_UNARYOP), N("operand", E(UnaryOp, operand), FAM_EXPR))),
    DEF(EXPR, Lambda, F(N("args", E(Lambda, args), FAM_ARGUMENTS), N("body", E(Lambda, body), FAM_EXPR))),
    DEF(EXPR, IfExp,
        F(N("test", E(IfExp, test), FAM_EXPR), N("body", E(IfExp, body), FAM_EXPR),
          N("orelse", E(IfExp, orelse), FAM_EXPR))),
    DEF(EXPR, Dict,
        F({"keys", FT_NODES, FAM_EXPR, true, offsetof(Expr, Dict.keys)}, NS("values", E(Dict, values), FAM_EXPR))),
    DEF(EXPR, Set, F(NS("elts", E(Set, elts), FAM_EXPR))),
    DEF(EXPR, ListComp, COMP_FIELDS(ListComp)),
    DEF(EXPR, SetComp, COMP_FIELDS(SetComp)),
    DEF(EXPR, DictComp,
        F(N("key", E(DictComp, key), FAM_EXPR), N("value", E(DictComp, value), FAM_EXPR),
          NS("generators", E(DictComp, generators), FAM_COMPREHENSION))),
    DEF(EXPR, GeneratorExp, COMP_FIELDS(GeneratorExp)),
    DEF(EXPR, Await, F(N("value", E(Await, value), FAM_EXPR))),
    DEF(EXPR, Yield, F(NO("value", E(Yield, value), FAM_EXPR))),
    DEF(EXPR, YieldFrom, F(N("value", E(YieldFrom, value), FAM_EXPR))),
    DEF(EXPR, Compare,
        F(N("left", E(Compare, left), FAM_EXPR), NS("ops", E(Compare, ops), FAM_CMPOP),
          NS("comparators", E(Compare, comparators), FAM_EXPR))),
    DEF(EXPR, Call,
        F(N("func", E(Call, func), FAM_EXPR), NS("args", E(Call, args), FAM_EXPR),
          NS("keywords", E(Call, keywords), FAM_KEYWORD))),
    DEF(EXPR, FormattedValue,
        F(N("value", E(FormattedValue, value), FAM_EXPR), INT("conversion", E(FormattedValue, conversion)),
          NO("format_spec", E(FormattedValue, format_spec), FAM_EXPR))),
    DEF(EXPR, JoinedStr, F(NS("values", E(JoinedStr, values), FAM_EXPR))),
    DEF(EXPR, Constant,
        F({"value", FT_CONSTANT, 0, false, offsetof(Expr, Constant.value)}, STRO("kind", E(Constant, kind)))),
    DEF(EXPR, Attribute,
        F(N("value", E(Attribute, value), FAM_EXPR), ID_("attr", E(Attribute, attr)),
          N("ctx", E(Attribute, ctx), FAM_CONTEXT))),
    DEF(EXPR, Subscript,
        F(N("value", E(Subscript, value), FAM_EXPR), N("slice", E(Subscript, slice), FAM_EXPR),
          N("ctx", E(Subscript, ctx), FAM_CONTEXT))),
    DEF(EXPR, Starred, F(N("value", E(Starred, value), FAM_EXPR), N("ctx", E(Starred, ctx), FAM_CONTEXT))),
    DEF(EXPR, Name, F(ID_("id", E(Name, id)), N("ctx", E(Name, ctx), FAM_CONTEXT))),
    DEF(EXPR, List, F(NS("elts", E(List, elts), FAM_EXPR), N("ctx", E(List, ctx), FAM_CONTEXT))),
    DEF(EXPR, Tuple, F(NS("elts", E(Tuple, elts), FAM_EXPR), N("ctx", E(Tuple, ctx), FAM_CONTEXT))),
    DEF(EXPR, Slice,
        F(NO("lower", E(Slice, lower), FAM_EXPR), NO("upper", E(Slice, upper), FAM_EXPR),
          NO("step", E(Slice, step), FAM_EXPR))),

    DEF(PATTERN, MatchValue, F(N("value", P(MatchValue, value), FAM_EXPR))),
    DEF(PATTERN, MatchSingleton, F({"value", FT_CONSTANT, 0, false, offsetof(Pattern, MatchSingleton.value)})),
    DEF(PATTERN, MatchSequence, F(NS("patterns", P(MatchSequence, patterns), FAM_PATTERN))),
    DEF(PATTERN, MatchMapping,
        F(NS("keys", P(MatchMapping, keys), FAM_EXPR), NS("patterns", P(MatchMapping, patterns), FAM_PATTERN),
          IDO("rest", P(MatchMapping, rest)))),
    DEF(PATTERN, MatchClass,
        F(N("cls", P(MatchClass, cls), FAM_EXPR), NS("patterns", P(MatchClass, patterns), FAM_PATTERN),
          IDS("kwd_attrs", P(MatchClass, kwd_attrs)), NS("kwd_patterns", P(MatchClass, kwd_patterns), FAM_PATTERN))),
    DEF(PATTERN, MatchStar, F(IDO("name", P(MatchStar, name)))),
    DEF(PATTERN, MatchAs, F(NO("pattern", P(MatchAs, pattern), FAM_PATTERN), IDO("name", P(MatchAs, name)))),
    DEF(PATTERN, MatchOr, F(NS("patterns", P(MatchOr, patterns), FAM_PATTERN))),

    {.name = "comprehension",
     .family = FAM_COMPREHENSION,
     .fields =
         F(N("target", offsetof(AstComp, target), FAM_EXPR), N("iter", offsetof(AstComp, iter), FAM_EXPR),
           NS("ifs", offsetof(AstComp, ifs), FAM_EXPR), {"is_async", FT_BOOL, 0, false, offsetof(AstComp, is_async)})},
    {.name = "ExceptHandler",
     .family = FAM_HANDLER,
     .fields = F(NO("type", offsetof(AstHandler, type), FAM_EXPR), IDO("name", offsetof(AstHandler, name)),
                 NS("body", offsetof(AstHandler, body), FAM_STMT))},
    {.name = "arguments",
     .family = FAM_ARGUMENTS,
     .fields =
         F(NS("posonlyargs", offsetof(AstArguments, posonlyargs), FAM_ARG),
           NS("args", offsetof(AstArguments, args), FAM_ARG), NO("vararg", offsetof(AstArguments, vararg), FAM_ARG),
           NS("kwonlyargs", offsetof(AstArguments, kwonlyargs), FAM_ARG),
           {"kw_defaults", FT_NODES, FAM_EXPR, true, offsetof(AstArguments, kw_defaults)},
           NO("kwarg", offsetof(AstArguments, kwarg), FAM_ARG),
           NS("defaults", offsetof(AstArguments, defaults), FAM_EXPR))},
    {.name = "arg",
     .family = FAM_ARG,
     .fields = F(ID_("arg", offsetof(AstArg, arg)), NO("annotation", offsetof(AstArg, annotation), FAM_EXPR),
                 STRO("type_comment", offsetof(AstArg, type_comment)))},
    {.name = "keyword",
     .family = FAM_KEYWORD,
     .fields = F(IDO("arg", offsetof(AstKeyword, arg)), N("value", offsetof(AstKeyword, value), FAM_EXPR))},
    {.name = "alias",
     .family = FAM_ALIAS,
     .fields = F(ID_("name", offsetof(AstAlias, name)), IDO("asname", offsetof(AstAlias, asname)))},
    {.name = "withitem",
     .family = FAM_WITHITEM,
     .fields = F(N("context_expr", offsetof(AstWithItem, context_expr), FAM_EXPR),
                 NO("optional_vars", offsetof(AstWithItem, optional_vars), FAM_EXPR))},
    {.name = "match_case",
     .family = FAM_CASE,
     .fields =
         F(N("pattern", offsetof(AstMatchCase, pattern), FAM_PATTERN),
           NO("guard", offsetof(AstMatchCase, guard), FAM_EXPR), NS("body", offsetof(AstMatchCase, body), FAM_STMT))},
    {.name = "TypeIgnore",
     .family = FAM_TYPE_IGNORE,
     .fields = F({"lineno", FT_INT, 0, false, 0}, {"tag", FT_STRING, 0, false, 0})},

    PLAIN(CONTEXT, Load),
    PLAIN(CONTEXT, Store),
    PLAIN(CONTEXT, Del),
    PLAIN(BOOLOP, And),
    PLAIN(BOOLOP, Or),
    PLAIN(BINOP, Add),
    PLAIN(BINOP, Sub),
    PLAIN(BINOP, Mult),
    PLAIN(BINOP, MatMult),
    PLAIN(BINOP, Div),
    PLAIN(BINOP, Mod),
    PLAIN(BINOP, Pow),
    PLAIN(BINOP, LShift),
    PLAIN(BINOP, RShift),
    PLAIN(BINOP, BitOr),
    PLAIN(BINOP, BitXor),
    PLAIN(BINOP, BitAnd),
    PLAIN(BINOP, FloorDiv),
    PLAIN(UNARYOP, Invert),
    PLAIN(UNARYOP, Not),
    PLAIN(UNARYOP, UAdd),
    PLAIN(UNARYOP, USub),
    PLAIN(CMPOP, Eq),
    PLAIN(CMPOP, NotEq),
    PLAIN(CMPOP, Lt),
    PLAIN(CMPOP, LtE),
    PLAIN(CMPOP, Gt),
    PLAIN(CMPOP, GtE),
    PLAIN(CMPOP, Is),
    PLAIN(CMPOP, IsNot),
    PLAIN(CMPOP, In),
    PLAIN(CMPOP, NotIn),
};
const int ast_n_node_defs = ARRAY_LEN(ast_node_defs);

const char *const ast_family_names[FAM_COUNT] = {
    "mod",         "stmt",         "expr",    "pattern",  "comprehension", "excepthandler",
    "arguments",   "arg",          "keyword", "alias",    "withitem",      "match_case",
    "type_ignore", "expr_context", "boolop",  "operator", "unaryop",       "cmpop"};

const AstNodeDef *ast_def(int family, int kind) {
    static _Atomic(uint8_t) table[FAM_COUNT][32]; /* index + 1; every writer writes the same */
    uint8_t i = LOAD_RELAXED(&table[family][kind]);
    if (i == 0) {
        while (ast_node_defs[i].family != family || ast_node_defs[i].kind != kind)
            i++;
        STORE_RELAXED(&table[family][kind], ++i);
    }
    return &ast_node_defs[i - 1];
}

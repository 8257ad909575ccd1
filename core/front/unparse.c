#include "front/unparse.h"

#include "object/float.h"
#include "object/object.h"
#include "object/str.h"
#include "object/tuple.h"

/* Precedence: an expression is parenthesised when it binds less tightly than its place asks for. */
enum {
    P_TUPLE,
    P_TEST,
    P_OR,
    P_AND,
    P_NOT,
    P_CMP,
    P_BOR,
    P_BXOR,
    P_BAND,
    P_SHIFT,
    P_ARITH,
    P_TERM,
    P_FACTOR,
    P_POWER,
    P_AWAIT,
    P_ATOM,
    P_EXPR = P_BOR
};

typedef struct Out {
    StrBuilder b;
    bool failed; /* exception pending */
} Out;

static void put_expr(Out *o, Expr *e, int level);

static void put(Out *o, const char *s) {
    sb_cstr(&o->b, s);
}
static void put_if(Out *o, bool c, const char *s) {
    if (c)
        put(o, s);
}

static void put_exprs(Out *o, ExprSeq s, int level) {
    for (int32_t i = 0; i < s.n; i++) {
        put_if(o, i > 0, ", ");
        put_expr(o, s.v[i], level);
    }
}

static void put_arg(Out *o, const char *prefix, AstArg *a) {
    put(o, prefix);
    sb_str(&o->b, a->arg);
    if (a->annotation) {
        put(o, ": ");
        put_expr(o, a->annotation, P_TEST);
    }
}

static void put_arguments(Out *o, AstArguments *a) {
    bool first = true;
    int32_t n = a->posonlyargs.n + a->args.n;
    for (int32_t i = 0; i < n; i++) {
        put_if(o, !first, ", ");
        first = false;
        put_arg(o, "", i < a->posonlyargs.n ? a->posonlyargs.v[i] : a->args.v[i - a->posonlyargs.n]);
        int32_t d = i - (n - a->defaults.n);
        if (d >= 0) {
            put(o, "=");
            put_expr(o, a->defaults.v[d], P_TEST);
        }
        put_if(o, a->posonlyargs.n && i + 1 == a->posonlyargs.n, ", /");
    }
    if (a->vararg || a->kwonlyargs.n) {
        put_if(o, !first, ", ");
        first = false;
        if (a->vararg)
            put_arg(o, "*", a->vararg);
        else
            put(o, "*");
    }
    for (int32_t i = 0; i < a->kwonlyargs.n; i++) {
        put_if(o, !first, ", ");
        first = false;
        put_arg(o, "", a->kwonlyargs.v[i]);
        if (a->kw_defaults.v[i]) {
            put(o, "=");
            put_expr(o, a->kw_defaults.v[i], P_TEST);
        }
    }
    if (a->kwarg) {
        put_if(o, !first, ", ");
        put_arg(o, "**", a->kwarg);
    }
}

static void put_comprehension(Out *o, const char *open, Expr *e, const char *close) {
    put(o, open);
    put_expr(o, e->ListComp.elt, P_TEST);
    if (e->kind == EXPR_DictComp) {
        put(o, ": ");
        put_expr(o, e->DictComp.value, P_TEST);
    }
    for (int32_t i = 0; i < e->ListComp.generators.n; i++) {
        AstComp *c = e->ListComp.generators.v[i];
        put(o, c->is_async ? " async for " : " for ");
        put_expr(o, c->target, P_TUPLE);
        put(o, " in ");
        put_expr(o, c->iter, P_TEST + 1);
        for (int32_t k = 0; k < c->ifs.n; k++) {
            put(o, " if ");
            put_expr(o, c->ifs.v[k], P_TEST + 1);
        }
    }
    put(o, close);
}

static void put_repr(Out *o, Value v) {
    Value r = obj_repr(v);
    if (r == ABSENT) {
        o->failed = true;
        return;
    }
    /* Infinity has no literal of its own. */
    if (v_is_floating(v) || v_is_exact(v, IDX_COMPLEX)) {
        for (intptr_t i = 0; i < str_len(r);) {
            if (i + 3 <= str_len(r) && str_at(r, i) == 'i' && str_at(r, i + 1) == 'n' && str_at(r, i + 2) == 'f') {
                put(o, "1e309");
                i += 3;
            } else {
                sb_char(&o->b, str_at(r, i++));
            }
        }
    } else {
        sb_str(&o->b, r);
    }
    release(r);
}

static void put_constant(Out *o, Value v) {
    if (v == V_ELLIPSIS) {
        put(o, "...");
        return;
    }
    if (v_is_exact(v, IDX_TUPLE)) {
        put(o, "(");
        for (intptr_t i = 0; i < tuple_len(v); i++) {
            put_if(o, i > 0, ", ");
            put_constant(o, tuple_get(v, i));
        }
        put(o, tuple_len(v) == 1 ? ",)" : ")");
        return;
    }
    put_repr(o, v);
}

static void put_fstring_part(Out *o, Expr *e);

static void put_formatted_value(Out *o, Expr *e) {
    Out inner = {.failed = false};
    sb_init(&inner.b);
    put_expr(&inner, e->FormattedValue.value, P_TEST + 1);
    Value s = sb_finish(&inner.b);
    if (inner.failed || s == ABSENT) {
        o->failed = true;
        release(s);
        return;
    }
    put(o, str_len(s) && str_at(s, 0) == '{' ? "{ " : "{");
    sb_str(&o->b, s);
    release(s);
    if (e->FormattedValue.conversion > 0) {
        sb_char(&o->b, '!');
        sb_char(&o->b, (uint32_t)e->FormattedValue.conversion);
    }
    if (e->FormattedValue.format_spec) {
        put(o, ":");
        put_fstring_part(o, e->FormattedValue.format_spec);
    }
    put(o, "}");
}

static void put_fstring_part(Out *o, Expr *e) {
    switch (e->kind) {
    case EXPR_Constant:
        for (intptr_t i = 0; i < str_len(e->Constant.value); i++) {
            uint32_t c = str_at(e->Constant.value, i);
            sb_char(&o->b, c);
            if (c == '{' || c == '}')
                sb_char(&o->b, c);
        }
        break;
    case EXPR_JoinedStr:
        for (int32_t i = 0; i < e->JoinedStr.values.n; i++)
            put_fstring_part(o, e->JoinedStr.values.v[i]);
        break;
    case EXPR_FormattedValue:
        put_formatted_value(o, e);
        break;
    default:
        put_expr(o, e, P_TEST);
        break;
    }
}

static void put_fstring(Out *o, Expr *e) {
    Out body = {.failed = false};
    sb_init(&body.b);
    put_fstring_part(&body, e);
    Value s = sb_finish(&body.b);
    if (body.failed || s == ABSENT) {
        o->failed = true;
        release(s);
        return;
    }
    put(o, "f");
    put_repr(o, s);
    release(s);
}

static void put_call(Out *o, Expr *e) {
    ExprSeq args = e->Call.args;
    KeywordSeq keywords = e->Call.keywords;
    put_expr(o, e->Call.func, P_ATOM);
    if (args.n == 1 && keywords.n == 0 && args.v[0]->kind == EXPR_GeneratorExp) {
        put_expr(o, args.v[0], P_ATOM);
        return;
    }
    put(o, "(");
    put_exprs(o, args, P_TEST);
    for (int32_t i = 0; i < keywords.n; i++) {
        put_if(o, args.n || i > 0, ", ");
        if (keywords.v[i]->arg == ABSENT) {
            put(o, "**");
        } else {
            sb_str(&o->b, keywords.v[i]->arg);
            put(o, "=");
        }
        put_expr(o, keywords.v[i]->value, P_TEST);
    }
    put(o, ")");
}

static void put_expr(Out *o, Expr *e, int level) {
    static const struct {
        const char *text;
        int level;
        bool right;
    } binary[] = {
        [BINOP_Add] = {" + ", P_ARITH, false},     [BINOP_Sub] = {" - ", P_ARITH, false},
        [BINOP_Mult] = {" * ", P_TERM, false},     [BINOP_MatMult] = {" @ ", P_TERM, false},
        [BINOP_Div] = {" / ", P_TERM, false},      [BINOP_Mod] = {" % ", P_TERM, false},
        [BINOP_LShift] = {" << ", P_SHIFT, false}, [BINOP_RShift] = {" >> ", P_SHIFT, false},
        [BINOP_BitOr] = {" | ", P_BOR, false},     [BINOP_BitXor] = {" ^ ", P_BXOR, false},
        [BINOP_BitAnd] = {" & ", P_BAND, false},   [BINOP_FloorDiv] = {" // ", P_TERM, false},
        [BINOP_Pow] = {" ** ", P_POWER, true},
    };
    static const char *const compare[] = {
        [CMPOP_Eq] = " == ", [CMPOP_NotEq] = " != ",     [CMPOP_Lt] = " < ",  [CMPOP_LtE] = " <= ",
        [CMPOP_Gt] = " > ",  [CMPOP_GtE] = " >= ",       [CMPOP_Is] = " is ", [CMPOP_IsNot] = " is not ",
        [CMPOP_In] = " in ", [CMPOP_NotIn] = " not in ",
    };
    static const char *const unary[] = {
        [UNARYOP_Invert] = "~", [UNARYOP_Not] = "not ", [UNARYOP_UAdd] = "+", [UNARYOP_USub] = "-"};
    if (o->failed)
        return;
    if (!recursion_enter(" during compilation")) {
        o->failed = true;
        return;
    }
    switch (e->kind) {
    case EXPR_BoolOp: {
        bool is_and = e->BoolOp.op == BOOLOP_And;
        int p = is_and ? P_AND : P_OR;
        put_if(o, level > p, "(");
        for (int32_t i = 0; i < e->BoolOp.values.n; i++) {
            put_if(o, i > 0, is_and ? " and " : " or ");
            put_expr(o, e->BoolOp.values.v[i], p + 1);
        }
        put_if(o, level > p, ")");
        break;
    }
    case EXPR_NamedExpr:
        put_if(o, level > P_TUPLE, "(");
        put_expr(o, e->NamedExpr.target, P_ATOM);
        put(o, " := ");
        put_expr(o, e->NamedExpr.value, P_ATOM);
        put_if(o, level > P_TUPLE, ")");
        break;
    case EXPR_BinOp: {
        int p = binary[e->BinOp.op].level;
        bool right = binary[e->BinOp.op].right;
        put_if(o, level > p, "(");
        put_expr(o, e->BinOp.left, p + right);
        put(o, binary[e->BinOp.op].text);
        put_expr(o, e->BinOp.right, p + !right);
        put_if(o, level > p, ")");
        break;
    }
    case EXPR_UnaryOp: {
        int p = e->UnaryOp.op == UNARYOP_Not ? P_NOT : P_FACTOR;
        put_if(o, level > p, "(");
        put(o, unary[e->UnaryOp.op]);
        put_expr(o, e->UnaryOp.operand, p);
        put_if(o, level > p, ")");
        break;
    }
    case EXPR_Lambda: {
        AstArguments *a = e->Lambda.args;
        bool any = a->posonlyargs.n || a->args.n || a->vararg || a->kwonlyargs.n || a->kwarg;
        put_if(o, level > P_TEST, "(");
        put(o, any ? "lambda " : "lambda");
        put_arguments(o, a);
        put(o, ": ");
        put_expr(o, e->Lambda.body, P_TEST);
        put_if(o, level > P_TEST, ")");
        break;
    }
    case EXPR_IfExp:
        put_if(o, level > P_TEST, "(");
        put_expr(o, e->IfExp.body, P_TEST + 1);
        put(o, " if ");
        put_expr(o, e->IfExp.test, P_TEST + 1);
        put(o, " else ");
        put_expr(o, e->IfExp.orelse, P_TEST);
        put_if(o, level > P_TEST, ")");
        break;
    case EXPR_Dict:
        put(o, "{");
        for (int32_t i = 0; i < e->Dict.values.n; i++) {
            put_if(o, i > 0, ", ");
            if (e->Dict.keys.v[i]) {
                put_expr(o, e->Dict.keys.v[i], P_TEST);
                put(o, ": ");
                put_expr(o, e->Dict.values.v[i], P_TEST);
            } else {
                put(o, "**");
                put_expr(o, e->Dict.values.v[i], P_EXPR);
            }
        }
        put(o, "}");
        break;
    case EXPR_Set:
        put(o, "{");
        put_exprs(o, e->Set.elts, P_TEST);
        put(o, "}");
        break;
    case EXPR_ListComp:
        put_comprehension(o, "[", e, "]");
        break;
    case EXPR_SetComp:
    case EXPR_DictComp:
        put_comprehension(o, "{", e, "}");
        break;
    case EXPR_GeneratorExp:
        put_comprehension(o, "(", e, ")");
        break;
    case EXPR_Await:
        put_if(o, level > P_AWAIT, "(");
        put(o, "await ");
        put_expr(o, e->Await.value, P_ATOM);
        put_if(o, level > P_AWAIT, ")");
        break;
    case EXPR_Yield:
        put(o, e->Yield.value ? "(yield " : "(yield");
        if (e->Yield.value)
            put_expr(o, e->Yield.value, P_TEST);
        put(o, ")");
        break;
    case EXPR_YieldFrom:
        put(o, "(yield from ");
        put_expr(o, e->YieldFrom.value, P_TEST);
        put(o, ")");
        break;
    case EXPR_Compare:
        put_if(o, level > P_CMP, "(");
        put_expr(o, e->Compare.left, P_CMP + 1);
        for (int32_t i = 0; i < e->Compare.ops.n; i++) {
            put(o, compare[e->Compare.ops.v[i]]);
            put_expr(o, e->Compare.comparators.v[i], P_CMP + 1);
        }
        put_if(o, level > P_CMP, ")");
        break;
    case EXPR_Call:
        put_call(o, e);
        break;
    case EXPR_FormattedValue:
    case EXPR_JoinedStr:
        put_fstring(o, e);
        break;
    case EXPR_Constant:
        put_if(o, e->Constant.kind != ABSENT, "u");
        put_constant(o, e->Constant.value);
        break;
    case EXPR_Attribute:
        put_expr(o, e->Attribute.value, P_ATOM);
        put(o, e->Attribute.value->kind == EXPR_Constant && v_is_integer(e->Attribute.value->Constant.value) &&
                       !v_is_bool(e->Attribute.value->Constant.value)
                   ? " ."
                   : ".");
        sb_str(&o->b, e->Attribute.attr);
        break;
    case EXPR_Subscript:
        put_expr(o, e->Subscript.value, P_ATOM);
        put(o, "[");
        put_expr(o, e->Subscript.slice, P_TUPLE);
        put(o, "]");
        break;
    case EXPR_Starred:
        put(o, "*");
        put_expr(o, e->Starred.value, P_EXPR);
        break;
    case EXPR_Name:
        sb_str(&o->b, e->Name.id);
        break;
    case EXPR_List:
        put(o, "[");
        put_exprs(o, e->List.elts, P_TEST);
        put(o, "]");
        break;
    case EXPR_Tuple:
        if (!e->Tuple.elts.n) {
            put(o, "()");
            break;
        }
        put_if(o, level > P_TUPLE, "(");
        put_exprs(o, e->Tuple.elts, P_TEST);
        put_if(o, e->Tuple.elts.n == 1, ",");
        put_if(o, level > P_TUPLE, ")");
        break;
    case EXPR_Slice:
        if (e->Slice.lower)
            put_expr(o, e->Slice.lower, P_TEST);
        put(o, ":");
        if (e->Slice.upper)
            put_expr(o, e->Slice.upper, P_TEST);
        if (e->Slice.step) {
            put(o, ":");
            put_expr(o, e->Slice.step, P_TEST);
        }
        break;
    default:
        UNREACHABLE();
    }
}

Value unparse_expr(Expr *e) {
    Out o = {.failed = false};
    sb_init(&o.b);
    put_expr(&o, e, P_TEST);
    Value s = sb_finish(&o.b);
    if (o.failed) {
        release(s);
        return ABSENT;
    }
    return s;
}

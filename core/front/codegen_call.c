/* Calls. A call block lies on top of the temporaries: the callable, the words of the callee's frame header, the
 * arguments. */
#include "front/codegen.h"

#include "front/fold.h"
#include "object/str.h"
#include "object/tuple.h"

enum { MAX_ARGS = 1000, /* more are passed as a tuple */ MAX_KEYWORDS = 16 };

static void check_caller(Unit *u, Expr *f) {
    const char *type;
    switch (f->kind) {
    case EXPR_Constant:
        type = type_cname(type_of(f->Constant.value));
        break;
    case EXPR_Tuple:
        type = "tuple";
        break;
    case EXPR_List:
    case EXPR_ListComp:
        type = "list";
        break;
    case EXPR_Dict:
    case EXPR_DictComp:
        type = "dict";
        break;
    case EXPR_Set:
    case EXPR_SetComp:
        type = "set";
        break;
    case EXPR_GeneratorExp:
        type = "generator";
        break;
    case EXPR_JoinedStr:
    case EXPR_FormattedValue:
        type = "str";
        break;
    default:
        return;
    }
    warn_at(u, &f->pos, "'%.200s' object is not callable; perhaps you missed a comma?", type);
}

static void check_keywords(Unit *u, KeywordSeq k, const AstPos *pos) {
    for (int32_t i = 0; i < k.n; i++) {
        AstKeyword *a = k.v[i];
        if (a->arg == ABSENT)
            continue;
        if (forbidden_name(u, a->arg, CTX_Store, pos))
            return;
        for (int32_t j = i + 1; j < k.n; j++)
            if (k.v[j]->arg == a->arg) {
                error_at(u, &k.v[j]->pos, "keyword argument repeated: %s", str_utf8(a->arg, NULL));
                return;
            }
    }
}

static bool is_plain(ExprSeq args, KeywordSeq keywords) {
    if (args.n + keywords.n > MAX_ARGS)
        return false;
    for (int32_t i = 0; i < args.n; i++)
        if (args.v[i]->kind == EXPR_Starred)
            return false;
    for (int32_t i = 0; i < keywords.n; i++)
        if (keywords.v[i]->arg == ABSENT)
            return false;
    return true;
}

static Value keyword_names(Unit *u, KeywordSeq k) {
    Value t = tuple_new(k.n);
    if (t == ABSENT) {
        fail(u->g);
        return ABSENT;
    }
    for (int32_t i = 0; i < k.n; i++)
        tuple_init_item(t, i, retained(k.v[i]->arg));
    tuple_track(t);
    return t;
}

/* Keyword arguments as a mapping in the next temporary. */
static void keyword_dict(Unit *u, uint32_t callable, KeywordSeq k, const AstPos *pos) {
    uint32_t base = u->depth;
    if (k.n == 1 && k.v[0]->arg == ABSENT) {
        expr(u, k.v[0]->value, TEMP);
        return;
    }
    int32_t i = 0;
    for (; i < k.n && i < MAX_KEYWORDS && k.v[i]->arg != ABSENT; i++) {
        load_const(u, k.v[i]->arg, TEMP);
        expr(u, k.v[i]->value, TEMP);
    }
    at(u, pos);
    emit(u, OP_BUILD_MAP, base, base, (uint32_t)i);
    set_depth(u, base + 1);
    while (i < k.n && !u->g->failed) {
        if (k.v[i]->arg == ABSENT) {
            int r = expr_last(u, k.v[i++]->value);
            at(u, pos);
            emit(u, OP_DICT_MERGE, callable, base, (uint32_t)r);
            set_depth(u, base + 1);
            continue;
        }
        /* Names after a mapping may repeat one of its keys: they are merged too. */
        int32_t from = i;
        for (; i < k.n && i - from < MAX_KEYWORDS && k.v[i]->arg != ABSENT; i++) {
            load_const(u, k.v[i]->arg, TEMP);
            expr(u, k.v[i]->value, TEMP);
        }
        at(u, pos);
        emit(u, OP_BUILD_MAP, base + 1, base + 1, (uint32_t)(i - from));
        set_depth(u, base + 2);
        emit(u, OP_DICT_MERGE, callable, base, base + 1);
        set_depth(u, base + 1);
    }
}

static void at_attribute(Unit *u, Expr *call, Expr *attr) {
    at(u, &call->pos);
    at_name_of(u, attr);
}

/* Arguments behind n_before that lie in the block already, then the call. */
static int plain_call(Unit *u, uint32_t base, bool method, uint32_t n_before, ExprSeq args, KeywordSeq keywords,
                      int want, uint32_t hole_from, CodePos pos) {
    exprs_temp(u, args);
    for (int32_t i = 0; i < keywords.n; i++)
        expr(u, keywords.v[i]->value, TEMP);
    uint32_t n = n_before + (uint32_t)(args.n + keywords.n);
    u->pos = pos;
    if (keywords.n) { /* their names lie behind the last argument */
        Value names = keyword_names(u, keywords);
        if (names != ABSENT)
            load_const(u, names, TEMP);
        release(names);
    }
    int d = dest(u, want, base);
    if (keywords.n) {
        AsmInstr *i = emit(u, OP_CALL_KW, base, n, (uint32_t)d);
        if (method)
            i->flags |= IF_X1;
    } else {
        emit(u, method ? OP_CALL_METHOD : OP_CALL, base, n, (uint32_t)d);
    }
    if (method)
        add_hole(u, hole_from, base + 2, FRAME_WORDS - 2);
    else
        add_hole(u, hole_from, base + 1, FRAME_WORDS - 1);
    return done(u, d, base);
}

void call_simple(Unit *u, uint32_t base, uint32_t n_args, int d, uint32_t hole_from) {
    emit(u, OP_CALL, base, n_args, (uint32_t)d);
    add_hole(u, hole_from, base + 1, FRAME_WORDS - 1);
    done(u, d, base);
}

/* The callable is in base, the depth base + FRAME_WORDS + n_before. */
static int call_rest_at(Unit *u, uint32_t base, uint32_t n_before, ExprSeq args, KeywordSeq keywords, int want,
                        uint32_t hole_from, CodePos cpos, const AstPos *pos) {
    check_keywords(u, keywords, pos);
    if (is_plain(args, keywords))
        return plain_call(u, base, false, n_before, args, keywords, want, hole_from, cpos);
    uint32_t first = base + FRAME_WORDS;
    if (n_before == 0 && args.n == 1 && args.v[0]->kind == EXPR_Starred) {
        expr(u, args.v[0]->Starred.value, TEMP);
    } else if (n_before == 0) {
        sequence_display(u, args, EXPR_Tuple, TEMP, pos);
    } else {
        emit(u, OP_BUILD_LIST, first, first, n_before);
        set_depth(u, first + 1);
        for (int32_t i = 0; i < args.n && !u->g->failed; i++) {
            bool star = args.v[i]->kind == EXPR_Starred;
            int r = expr_last(u, star ? args.v[i]->Starred.value : args.v[i]);
            at(u, pos);
            emit(u, star ? OP_LIST_EXTEND : OP_LIST_APPEND, 0, first, (uint32_t)r);
            set_depth(u, first + 1);
        }
    }
    if (keywords.n)
        keyword_dict(u, base, keywords, pos);
    u->pos = cpos;
    int d = dest(u, want, base);
    AsmInstr *i = emit(u, OP_CALL_EX, base, 0, (uint32_t)d);
    if (keywords.n)
        i->flags |= IF_X1;
    add_hole(u, hole_from, base + 1, FRAME_WORDS - 1);
    return done(u, d, base);
}

int call_rest(Unit *u, uint32_t base, uint32_t n_before, ExprSeq args, KeywordSeq keywords, int want,
              uint32_t hole_from, const AstPos *pos) {
    at(u, pos);
    return call_rest_at(u, base, n_before, args, keywords, want, hole_from, u->pos, pos);
}

int compile_call(Unit *u, Expr *e, int want) {
    uint32_t base = u->depth;
    Expr *f = e->Call.func;
    if (f->kind == EXPR_Attribute && is_plain(e->Call.args, e->Call.keywords)) {
        check_keywords(u, e->Call.keywords, &e->pos);
        int r = expr_last(u, f->Attribute.value);
        at_attribute(u, f, f);
        emit_name(u, OP_LOAD_METHOD, base, (uint32_t)r, mangled(u, f->Attribute.attr), 0);
        uint32_t hole_from = u->n;
        set_depth(u, base + FRAME_WORDS + 1);
        at_attribute(u, e, f);
        return plain_call(u, base, true, 0, e->Call.args, e->Call.keywords, want, hole_from, u->pos);
    }
    fold(u, f);
    check_caller(u, f);
    expr(u, f, TEMP);
    uint32_t hole_from = u->n;
    set_depth(u, base + FRAME_WORDS);
    if (f->kind == EXPR_Attribute)
        at_attribute(u, e, f);
    else
        at(u, &e->pos);
    return call_rest_at(u, base, 0, e->Call.args, e->Call.keywords, want, hole_from, u->pos, &e->pos);
}

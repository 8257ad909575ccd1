/* The parser's trees as Python objects, and back. */
#include "modules/ast_schema.h"
#include "object/int.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"

/* ---- out ---- */

static Value node_out(int family, void *node);

/* An item of a family that is an enumeration. */
static Value enum_out(int family, int kind) {
    const AstNodeDef *d = ast_def(family, kind);
    return retained(ast_singleton((int)(d - ast_node_defs)));
}

static Value field_out(const AstField *f, char *base) {
    char *p = base + f->offset;
    switch (f->type) {
    case FT_NODE: {
        if (family_is_enum(f->family)) {
            int kind;
            memcpy(&kind, p, sizeof kind);
            return enum_out(f->family, kind);
        }
        void *node = *(void **)p;
        return node != NULL ? node_out(f->family, node) : V_NONE;
    }
    case FT_NODES: {
        if (f->family == FAM_CMPOP) {
            CmpSeq *s = (CmpSeq *)p;
            Value l = list_new(s->n);
            for (int32_t i = 0; l != ABSENT && i < s->n; i++)
                list_append_steal(l, enum_out(FAM_CMPOP, s->v[i]));
            return l;
        }
        ExprSeq *s = (ExprSeq *)p; /* all sequences of pointers look alike */
        Value l = list_new(s->n);
        for (int32_t i = 0; l != ABSENT && i < s->n; i++) {
            Value v = s->v[i] != NULL ? node_out(f->family, s->v[i]) : V_NONE;
            if (v == ABSENT || list_append_steal(l, v) < 0) {
                release(l);
                return ABSENT;
            }
        }
        return l;
    }
    case FT_IDENTS: {
        ValueSeq *s = (ValueSeq *)p;
        return list_from(s->v, s->n);
    }
    case FT_IDENT:
    case FT_STRING:
    case FT_CONSTANT: {
        Value v = *(Value *)p;
        return v != ABSENT ? retained(v) : V_NONE;
    }
    case FT_INT:
        return v_from_int(*(int32_t *)p);
    case FT_BOOL:
        return v_from_int(*(bool *)p);
    default:
        return list_new(0);
    }
}

static int kind_of(int family, void *node) {
    switch (family) {
    case FAM_MOD:
        return ((AstModule *)node)->kind;
    case FAM_STMT:
        return ((Stmt *)node)->kind;
    case FAM_EXPR:
        return ((Expr *)node)->kind;
    case FAM_PATTERN:
        return ((Pattern *)node)->kind;
    default:
        return 0;
    }
}

static Value node_out(int family, void *node) {
    if (!recursion_enter(" during ast construction"))
        return ABSENT;
    const AstNodeDef *d = ast_def(family, kind_of(family, node));
    Value cls = ast_class_of((int)(d - ast_node_defs));
    Value o = obj_new((Type *)cls);
    if (o == ABSENT)
        return ABSENT;
    trace_track(v_obj(o));
    for (int i = 0; i < d->n_fields; i++) {
        Value v = field_out(&d->fields[i], node);
        if (v == ABSENT || obj_setattr_str(o, d->fields[i].name, v) < 0) {
            release(v);
            release(o);
            return ABSENT;
        }
        release(v);
    }
    if (family_has_position(family)) {
        AstPos *pos = node; /* the first member everywhere */
        if (obj_setattr(o, ID("lineno"), v_from_int(pos->lineno)) < 0 ||
            obj_setattr(o, ID("col_offset"), v_from_int(pos->col)) < 0 ||
            obj_setattr(o, ID("end_lineno"), v_from_int(pos->end_lineno)) < 0 ||
            obj_setattr(o, ID("end_col_offset"), v_from_int(pos->end_col)) < 0) {
            release(o);
            return ABSENT;
        }
    }
    return o;
}

Value ast_to_object(AstModule *m) {
    return node_out(FAM_MOD, m);
}

/* ---- in ---- */

static void *node_in(Arena *a, int family, Value v);

/* Attribute: 1 (owned; None counts as missing where optional), 0 missing, -1. */
static int attribute(Value o, const char *name, Value *out) {
    int r = obj_lookup_attr_str(o, name, out);
    return r;
}

static int int_in(Value v, int32_t *out) {
    if (!v_is_integer(v)) {
        err_set(&exc_ValueError, "invalid integer value: %R", v);
        return -1;
    }
    int i;
    if (num_as_int(v, &i) < 0)
        return -1;
    *out = i;
    return 0;
}

static Value identifier_in(Arena *a, Value v) {
    if (!v_is_exact(v, IDX_STR))
        return err_set(&exc_TypeError, "AST identifier must be of type str");
    return str_intern(retained(v)); /* immortal */
}

/* Which member of an enumeration v is an instance of: 0 none (exception). */
static int enum_in(int family, Value v) {
    for (int i = 0; i < ast_n_node_defs; i++) {
        if (ast_node_defs[i].family != family)
            continue;
        if (v == ast_singleton(i))
            return ast_node_defs[i].kind;
    }
    for (int i = 0; i < ast_n_node_defs; i++) {
        if (ast_node_defs[i].family != family)
            continue;
        int r = obj_isinstance(v, ast_class_of(i));
        if (r < 0)
            return 0;
        if (r > 0)
            return ast_node_defs[i].kind;
    }
    err_set(&exc_TypeError, "expected some sort of %s, but got %R", ast_family_names[family], v);
    return 0;
}

/* Items of a list field. */
static bool list_in(Arena *a, const AstNodeDef *d, const AstField *f, Value list, char *p) {
    if (!v_is_list(list)) {
        err_set(&exc_TypeError, "%s field \"%s\" must be a list, not a %T", d->name, f->name, list);
        return false;
    }
    intptr_t n = list_len(list);
    size_t item = f->type == FT_NODES && f->family == FAM_CMPOP ? 1 : sizeof(void *);
    char *items = n > 0 ? arena_zalloc(a, (size_t)n * item) : NULL;
    if (n > 0 && items == NULL)
        return false;
    for (intptr_t i = 0; i < n; i++) {
        Value v = list_get(list, i);
        if (v == ABSENT) {
            err_set(&exc_RuntimeError, "%s field \"%s\" changed size during iteration", d->name, f->name);
            return false;
        }
        bool ok;
        if (f->type == FT_IDENTS) {
            ok = (((Value *)items)[i] = identifier_in(a, v)) != ABSENT;
        } else if (item == 1) {
            ok = (((uint8_t *)items)[i] = (uint8_t)enum_in(f->family, v)) != 0;
        } else if (v_is_none(v) && !family_is_product(f->family)) {
            ok = true;
        } else {
            ok = (((void **)items)[i] = node_in(a, f->family, v)) != NULL;
        }
        release(v);
        if (!ok)
            return false;
    }
    ExprSeq s = {(Expr **)items, (int32_t)n}; /* all sequences look alike */
    memcpy(p, &s, sizeof s);
    return true;
}

static bool missing(const AstNodeDef *d, const char *field) {
    err_set(&exc_TypeError, "required field \"%s\" missing from %s", field, d->name);
    return false;
}

static bool field_in(Arena *a, const AstNodeDef *d, const AstField *f, Value o, char *base) {
    char *p = base + f->offset;
    Value v = ABSENT;
    int r = attribute(o, f->name, &v);
    if (r < 0)
        return false;
    bool list = f->type == FT_NODES || f->type == FT_IDENTS;
    if (f->type == FT_NOTHING) {
        release(v);
        return true;
    }
    if (r > 0 && v_is_none(v) && !f->optional && f->type == FT_NODE && !family_is_enum(f->family)) {
        err_set(&exc_ValueError, "field '%s' is required for %s", f->name, d->name);
        return false;
    }
    if (r == 0 || (v_is_none(v) && f->optional && !list)) {
        if (r > 0 || (f->optional && !list))
            return true; /* None and absent are the same */
        return missing(d, f->name);
    }
    bool ok = false;
    switch (f->type) {
    case FT_NODES:
    case FT_IDENTS:
        ok = list_in(a, d, f, v, p);
        break;
    case FT_NODE:
        if (family_is_enum(f->family)) {
            int kind = enum_in(f->family, v);
            memcpy(p, &kind, sizeof kind);
            ok = kind != 0;
        } else {
            void *node = node_in(a, f->family, v);
            memcpy(p, &node, sizeof node);
            ok = node != NULL;
        }
        break;
    case FT_IDENT: {
        Value id = identifier_in(a, v);
        memcpy(p, &id, sizeof id);
        ok = id != ABSENT;
        break;
    }
    case FT_STRING:
        if (!v_is_exact(v, IDX_STR) && !v_is_exact(v, IDX_BYTES)) {
            err_set(&exc_TypeError, "AST string must be of type str");
            break;
        }
        /* fall through */
    case FT_CONSTANT: {
        Value kept = arena_keep(a, retained(v));
        memcpy(p, &kept, sizeof kept);
        ok = kept != ABSENT;
        break;
    }
    case FT_INT: {
        int32_t i = 0;
        ok = int_in(v, &i) == 0;
        memcpy(p, &i, sizeof i);
        break;
    }
    case FT_BOOL: {
        int32_t i = 0;
        ok = int_in(v, &i) == 0;
        *(bool *)p = i != 0;
        break;
    }
    default:
        ok = true;
    }
    release(v);
    return ok;
}

static int position_part(Value o, const AstNodeDef *d, const char *name, bool required, int32_t *out) {
    Value v = ABSENT;
    int r = attribute(o, name, &v);
    if (r < 0)
        return -1;
    if (r == 0 || v_is_none(v)) {
        if (!required)
            return 0;
        if (r == 0) {
            missing(&(AstNodeDef){.name = family_is_product(d->family) ? d->name : ast_family_names[d->family]}, name);
            return -1;
        }
    }
    r = int_in(v, out);
    release(v);
    return r;
}

static bool position_in(Value o, const AstNodeDef *d, AstPos *pos) {
    if (position_part(o, d, "lineno", true, &pos->lineno) < 0 || position_part(o, d, "col_offset", true, &pos->col) < 0)
        return false;
    pos->end_lineno = pos->lineno;
    pos->end_col = pos->col;
    return position_part(o, d, "end_lineno", false, &pos->end_lineno) == 0 &&
           position_part(o, d, "end_col_offset", false, &pos->end_col) == 0;
}

static void *allocate(Arena *a, const AstNodeDef *d) {
    AstPos none = {0, 0, 0, 0};
    switch (d->family) {
    case FAM_MOD: {
        AstModule *m = arena_zalloc(a, sizeof *m);
        if (m != NULL) {
            m->kind = d->kind;
            m->arena = a;
        }
        return m;
    }
    case FAM_STMT:
        return ast_stmt(a, d->kind, none);
    case FAM_EXPR:
        return ast_expr(a, d->kind, none);
    case FAM_PATTERN:
        return ast_pattern(a, d->kind, none);
    case FAM_COMPREHENSION:
        return arena_zalloc(a, sizeof(AstComp));
    case FAM_HANDLER:
        return arena_zalloc(a, sizeof(AstHandler));
    case FAM_ARGUMENTS:
        return arena_zalloc(a, sizeof(AstArguments));
    case FAM_ARG:
        return arena_zalloc(a, sizeof(AstArg));
    case FAM_KEYWORD:
        return arena_zalloc(a, sizeof(AstKeyword));
    case FAM_ALIAS:
        return arena_zalloc(a, sizeof(AstAlias));
    case FAM_WITHITEM:
        return arena_zalloc(a, sizeof(AstWithItem));
    default:
        return arena_zalloc(a, sizeof(AstMatchCase));
    }
}

/* Definition of an object's class: its own one, or the first that it is an instance of. NULL with an exception. */
static const AstNodeDef *def_in(int family, Value v) {
    Value cls = V_OF(type_of(v));
    for (int i = 0; i < ast_n_node_defs; i++)
        if (ast_node_defs[i].family == family && cls == ast_class_of(i))
            return &ast_node_defs[i];
    for (int i = 0; i < ast_n_node_defs; i++) {
        if (ast_node_defs[i].family != family)
            continue;
        int r = family_is_product(family) ? 1 : obj_isinstance(v, ast_class_of(i));
        if (r < 0)
            return NULL;
        if (r > 0)
            return &ast_node_defs[i];
    }
    err_set(&exc_TypeError, "expected some sort of %s, but got %R", ast_family_names[family], v);
    return NULL;
}

static void *node_in(Arena *a, int family, Value v) {
    if (!recursion_enter(" while traversing an AST node"))
        return NULL;
    if (v_is_none(v) && !family_is_product(family)) {
        err_set(&exc_TypeError, "expected some sort of %s, but got None", ast_family_names[family]);
        return NULL;
    }
    const AstNodeDef *d = def_in(family, v);
    char *node = d != NULL ? allocate(a, d) : NULL;
    if (node == NULL)
        return NULL;
    if (family_has_position(family) && !position_in(v, d, (AstPos *)node))
        return NULL;
    for (int i = 0; i < d->n_fields; i++)
        if (!field_in(a, d, &d->fields[i], v, node))
            return NULL;
    return node;
}

AstModule *ast_from_object(Value tree, ParseMode mode, Arena *a) {
    static const char *const wanted[] = {
        [PARSE_EXEC] = "Module", [PARSE_EVAL] = "Expression", [PARSE_SINGLE] = "Interactive"};
    static const uint8_t kinds[] = {
        [PARSE_EXEC] = MOD_Module, [PARSE_EVAL] = MOD_Expression, [PARSE_SINGLE] = MOD_Interactive};
    const AstNodeDef *d = ast_def(FAM_MOD, kinds[mode]);
    int r = obj_isinstance(tree, ast_class_of((int)(d - ast_node_defs)));
    if (r < 0)
        return NULL;
    if (r == 0) {
        err_set(&exc_TypeError, "expected %s node, got %T", wanted[mode], tree);
        return NULL;
    }
    return node_in(a, FAM_MOD, tree);
}

/* _ast: the classes of syntax trees; compile() to and from them. */
#include "modules/ast_schema.h"
#include "object/dict.h"
#include "object/list.h"
#include "object/module.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "tracer.h"

/* In mod_builtins.c: compile() asks here about trees. */
extern int (*compile_is_ast_hook)(Value);
extern AstModule *(*compile_ast_in_hook)(Value tree, ParseMode mode, Arena *arena);
extern Value (*compile_ast_out_hook)(AstModule *m);

/* ---- class AST ---- */

Type ast_AST_type;

/* _fields of the class of self: 1 (owned tuple or list), 0, -1. */
static int fields_of(Value self, Value *out) {
    return obj_lookup_attr(V_OF(type_of(self)), ID("_fields"), out);
}

static Value ast_init(Value self, Value *args, intptr_t nargs, Value kw) {
    Value fields = ABSENT;
    int r = fields_of(self, &fields);
    if (r < 0)
        return ABSENT;
    intptr_t n = 0;
    if (r > 0 && (n = obj_len(fields)) < 0)
        goto fail;
    if (nargs > n) {
        err_set(&exc_TypeError, "%s constructor takes at most %zd positional argument%s", type_cname(type_of(self)), n,
                n == 1 ? "" : "s");
        goto fail;
    }
    for (intptr_t i = 0; i < nargs; i++) {
        Value name = obj_getitem(fields, v_from_int(i));
        int bad = name == ABSENT || obj_setattr(self, name, args[i]) < 0;
        release(name);
        if (bad)
            goto fail;
    }
    intptr_t n_kw = kw != ABSENT ? tuple_len(kw) : 0;
    for (intptr_t k = 0; k < n_kw; k++) {
        Value name = tuple_get(kw, k);
        for (intptr_t i = 0; i < nargs; i++) {
            Value f = obj_getitem(fields, v_from_int(i));
            int same = f == ABSENT ? -1 : obj_eq(f, name);
            release(f);
            if (same < 0)
                goto fail;
            if (same) {
                err_set(&exc_TypeError, "%s got multiple values for argument %R", type_cname(type_of(self)), name);
                goto fail;
            }
        }
        if (obj_setattr(self, name, args[nargs + k]) < 0)
            goto fail;
    }
    release(fields);
    return V_NONE;
fail:
    release(fields);
    return ABSENT;
}

static Value ast_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value dict = obj_get_dict(self);
    if (dict == ABSENT)
        return ABSENT;
    Value r = tuple_pack(3, V_OF(type_of(self)), tuple_empty(), dict);
    release(dict);
    return r;
}

/* Takes any arguments: they are for __init__. */
static Value ast_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = obj_new((Type *)self);
    if (o != ABSENT)
        trace_track(v_obj(o));
    return o;
}

static const NativeDef ast_methods[] = {
    {"__new__", ast_new, "($type, /, *args, **kwargs)", 0, NULL},
    {"__init__", ast_init, "($self, /, *args, **kwargs)", 0, NULL},
    {"__reduce__", ast_reduce, "($self, /)", 0, NULL},
    {NULL, NULL, NULL, 0, NULL},
};

static Value get_dict(Value self) {
    return obj_get_dict(self);
}
static int set_dict(Value self, Value v) {
    if (v != ABSENT && v_is_dict(v))
        return attrs_set_dict(self, v);
    err_set(&exc_TypeError, "__dict__ must be set to a dictionary, not a '%T'", v != ABSENT ? v : V_NONE);
    return -1;
}
static const GetSetDef ast_getsets[] = {{"__dict__", get_dict, set_dict, NULL}, {NULL, NULL, NULL, NULL}};

/* ---- the other classes ---- */

static Ref def_classes[160], family_classes[FAM_COUNT], singletons[160];

Value ast_class_of(int def) {
    return ref_peek(&def_classes[def]);
}
Value ast_family_class(int family) {
    return ref_peek(&family_classes[family]);
}
Value ast_singleton(int def) {
    return ref_peek(&singletons[def]);
}

static Value position_names(void) {
    return tuple_pack(4, ID("lineno"), ID("col_offset"), ID("end_lineno"), ID("end_col_offset"));
}

/* "BinOp(expr left, operator op, expr right)" */
static void signature(StrBuilder *b, const AstNodeDef *d) {
    sb_cstr(b, d->name);
    for (int i = 0; i < d->n_fields; i++) {
        const AstField *f = &d->fields[i];
        static const char *const plain[] = {
            [FT_IDENT] = "identifier", [FT_IDENTS] = "identifier", [FT_INT] = "int",
            [FT_BOOL] = "int",         [FT_CONSTANT] = "constant", [FT_STRING] = "string"};
        bool node = f->type == FT_NODE || f->type == FT_NODES || f->type == FT_NOTHING;
        sb_cstr(b, i == 0 ? "(" : ", ");
        sb_cstr(b, node ? ast_family_names[f->family] : plain[f->type]);
        bool many = f->type == FT_NODES || f->type == FT_NOTHING || f->type == FT_IDENTS;
        sb_cstr(b, many ? "* " : f->optional ? "? " : " ");
        sb_cstr(b, f->name);
    }
    if (d->n_fields > 0)
        sb_char(b, ')');
}

static Value family_doc(int family) {
    StrBuilder b;
    sb_init(&b);
    bool first = true;
    for (int i = 0; i < ast_n_node_defs; i++) {
        if (ast_node_defs[i].family != family)
            continue;
        if (!family_is_product(family)) {
            if (first)
                sb_cstr(&b, ast_family_names[family]);
            if (first)
                sb_cstr(&b, " = ");
            else if (family_is_enum(family))
                sb_cstr(&b, " | ");
            else {
                sb_char(&b, '\n');
                for (size_t k = strlen(ast_family_names[family]); k > 0; k--)
                    sb_char(&b, ' ');
                sb_cstr(&b, " | ");
            }
        }
        signature(&b, &ast_node_defs[i]);
        first = false;
    }
    return sb_finish(&b);
}

/* A class; steals doc. fields NULL: none. */
static Value make_class(const char *name, Value base, const AstNodeDef *fields_of_def, bool position, Value doc) {
    Value dict = dict_new(), bases = tuple_pack(1, base), name_v = str_from_c(name), cls = ABSENT, fields = ABSENT,
          attrs = ABSENT;
    int n = fields_of_def != NULL ? fields_of_def->n_fields : 0;
    if (dict == ABSENT || bases == ABSENT || name_v == ABSENT || doc == ABSENT)
        goto out;
    fields = tuple_new(n);
    if (fields == ABSENT)
        goto out;
    for (int i = 0; i < n; i++)
        tuple_init_item(fields, i, str_intern(str_from_c(fields_of_def->fields[i].name)));
    attrs = position ? position_names() : tuple_empty();
    if (attrs == ABSENT || dict_set_str(dict, "_fields", fields) < 0 ||
        dict_set_str(dict, "__match_args__", fields) < 0 || dict_set_str(dict, "__module__", ID("ast")) < 0 ||
        dict_set_str(dict, "__doc__", doc) < 0)
        goto out;
    if ((fields_of_def == NULL || family_is_product(fields_of_def->family)) &&
        dict_set_str(dict, "_attributes", attrs) < 0)
        goto out;
    if ((fields_of_def == NULL || family_is_product(fields_of_def->family)) && position &&
        (dict_set_str(dict, "end_lineno", V_NONE) < 0 || dict_set_str(dict, "end_col_offset", V_NONE) < 0))
        goto out;
    for (int i = 0; i < n; i++) {
        const AstField *f = &fields_of_def->fields[i];
        if (f->optional && f->type != FT_NODES && dict_set_str(dict, f->name, V_NONE) < 0)
            goto out;
    }
    cls = type_new(&type_type, name_v, bases, dict, NULL, ABSENT);
out:
    release(dict);
    release(bases);
    release(name_v);
    release(doc);
    release(fields);
    release(attrs);
    return cls;
}

static bool keep(Ref *r, Value v) {
    if (v == ABSENT)
        return false;
    ref_init_global(r, v);
    handle_register(r);
    return true;
}

int ast_classes_init(void) {
    if (ref_peek(&family_classes[0]) != ABSENT)
        return 0;
    static const TypeSpec spec = {.name = "ast.AST",
                                  .basic_size = sizeof(Object),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF,
                                  .methods = ast_methods,
                                  .getsets = ast_getsets};
    type_init_module_type(&ast_AST_type, &spec);
    ast_AST_type.flags &= ~(uint32_t)TF_IMMUTABLE; /* as in CPython, where it is made like a class statement's */
    Value empty = tuple_empty(), ast = V_OF(&ast_AST_type);
    if (obj_setattr_str(ast, "_fields", empty) < 0 || obj_setattr_str(ast, "_attributes", empty) < 0 ||
        obj_setattr_str(ast, "__match_args__", empty) < 0)
        return -1;
    for (int f = 0; f < FAM_COUNT; f++) {
        const AstNodeDef *product = NULL;
        for (int i = 0; i < ast_n_node_defs; i++)
            if (family_is_product(f) && ast_node_defs[i].family == f)
                product = &ast_node_defs[i];
        Value cls = make_class(ast_family_names[f], ast, product, family_has_position(f), family_doc(f));
        if (!keep(&family_classes[f], cls))
            return -1;
    }
    for (int i = 0; i < ast_n_node_defs; i++) {
        const AstNodeDef *d = &ast_node_defs[i];
        Value family = ref_peek(&family_classes[d->family]);
        if (family_is_product(d->family)) {
            if (!keep(&def_classes[i], retained(family)))
                return -1;
            continue;
        }
        StrBuilder b;
        sb_init(&b);
        signature(&b, d);
        if (!keep(&def_classes[i], make_class(d->name, family, d, false, sb_finish(&b))))
            return -1;
        if (family_is_enum(d->family) && !keep(&singletons[i], obj_call0(ref_peek(&def_classes[i]))))
            return -1;
    }
    return 0;
}

/* ---- module ---- */

static int is_tree(Value v) {
    return obj_isinstance(v, V_OF(&ast_AST_type));
}

static AstModule *tree_in(Value tree, ParseMode mode, Arena *a) {
    AstModule *m = ast_from_object(tree, mode, a);
    return m != NULL && ast_validate(m) ? m : NULL;
}

static Value tree_out(AstModule *m) {
    return ast_classes_init() < 0 ? ABSENT : ast_to_object(m);
}

static int exec(Value m) {
    if (ast_classes_init() < 0 || module_add_type(m, &ast_AST_type) < 0)
        return -1;
    for (int f = 0; f < FAM_COUNT; f++)
        if (module_add(m, ast_family_names[f], retained(ast_family_class(f))) < 0)
            return -1;
    for (int i = 0; i < ast_n_node_defs; i++)
        if (module_add(m, ast_node_defs[i].name, retained(ast_class_of(i))) < 0)
            return -1;
    if (module_add_int(m, "PyCF_ONLY_AST", 0x400) < 0 || module_add_int(m, "PyCF_TYPE_COMMENTS", 0x1000) < 0 ||
        module_add_int(m, "PyCF_ALLOW_TOP_LEVEL_AWAIT", 0x2000) < 0)
        return -1;
    compile_is_ast_hook = is_tree;
    compile_ast_in_hook = tree_in;
    compile_ast_out_hook = tree_out;
    return 0;
}

const ModuleSpec module__ast = {"_ast", NULL, NULL, exec};

/* _symtable: the compiler's symbol tables as objects, for symtable.py. */
#include "front/parser.h"
#include "front/symtable.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/str.h"

/* One scope, read only. */
typedef struct Entry {
    Object hdr;
    Ref name, symbols, varnames, children;
    int64_t id, kind, lineno;
    bool nested;
} Entry;
static Type entry_type;
#define ENTRY(v) ((Entry *)(v))

static void entry_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&ENTRY(self)->name), arg);
    visit(ref_peek(&ENTRY(self)->symbols), arg);
    visit(ref_peek(&ENTRY(self)->varnames), arg);
    visit(ref_peek(&ENTRY(self)->children), arg);
}
static void entry_clear(Value self) {
    ref_clear(self, &ENTRY(self)->name);
    ref_clear(self, &ENTRY(self)->symbols);
    ref_clear(self, &ENTRY(self)->varnames);
    ref_clear(self, &ENTRY(self)->children);
}
static const TypeOps entry_ops = {entry_traverse, entry_clear, NULL};

static Value entry_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("<symtable entry %S(%ld), line %ld>", ref_peek(&ENTRY(self)->name), (long)ENTRY(self)->id,
                        (long)ENTRY(self)->lineno);
}
static const NativeDef entry_methods[] = {{"__repr__", entry_repr, "($self, /)", 0, NULL}, {NULL, NULL, NULL, 0, NULL}};
static const MemberDef entry_members[] = {
    {"id", MK_INT64 | MK_READONLY, offsetof(Entry, id), NULL},
    {"name", MK_REF | MK_READONLY, offsetof(Entry, name), NULL},
    {"symbols", MK_REF | MK_READONLY, offsetof(Entry, symbols), NULL},
    {"varnames", MK_REF | MK_READONLY, offsetof(Entry, varnames), NULL},
    {"children", MK_REF | MK_READONLY, offsetof(Entry, children), NULL},
    {"nested", MK_BOOL | MK_READONLY, offsetof(Entry, nested), NULL},
    {"type", MK_INT64 | MK_READONLY, offsetof(Entry, kind), NULL},
    {"lineno", MK_INT64 | MK_READONLY, offsetof(Entry, lineno), NULL},
    {NULL, 0, 0, NULL},
};

enum { SCOPE_SHIFT = 11 };

static Value make_entry(Scope *s) {
    if (!recursion_enter(" while building a symbol table"))
        return ABSENT;
    static const int64_t kinds[] = {[SCOPE_FUNCTION] = 0, [SCOPE_CLASS] = 1, [SCOPE_MODULE] = 2};
    Value e = obj_new(&entry_type);
    if (e == ABSENT)
        return ABSENT;
    Value symbols = dict_new(), varnames = list_new(0), children = list_new(s->n_children);
    ENTRY(e)->id = (int64_t)((uintptr_t)s >> 3);
    ENTRY(e)->kind = kinds[s->kind];
    ENTRY(e)->lineno = s->lineno;
    ENTRY(e)->nested = s->nested;
    ref_init(&ENTRY(e)->name, retained(s->name));
    ref_init(&ENTRY(e)->symbols, symbols);
    ref_init(&ENTRY(e)->varnames, varnames);
    ref_init(&ENTRY(e)->children, children);
    trace_track(v_obj(e));
    if (symbols == ABSENT || varnames == ABSENT || children == ABSENT)
        goto fail;
    for (int32_t i = 0; i < s->n_symbols; i++) {
        Symbol *y = s->symbols[i];
        if (dict_set(symbols, y->name, v_from_int((int64_t)y->flags | (int64_t)y->scope << SCOPE_SHIFT)) < 0 ||
            ((y->flags & DEF_PARAM) && list_append(varnames, y->name) < 0))
            goto fail;
    }
    for (int32_t i = 0; i < s->n_children; i++) {
        Value c = make_entry(s->children[i]);
        if (c == ABSENT || list_append_steal(children, c) < 0)
            goto fail;
    }
    return e;
fail:
    release(e);
    return ABSENT;
}

static Value symtable(Value self, Value *args, intptr_t nargs, Value kw) {
    Value source = args[0], filename = args[1], start = args[2], r = ABSENT;
    ParseMode mode;
    if (!v_is_str(start))
        return err_set(&exc_TypeError, "symtable() argument 3 must be str, not %T", start);
    if (str_equal_c(start, "exec"))
        mode = PARSE_EXEC;
    else if (str_equal_c(start, "eval"))
        mode = PARSE_EVAL;
    else if (str_equal_c(start, "single"))
        mode = PARSE_SINGLE;
    else
        return err_set(&exc_ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
    if (!v_is_str(filename))
        return err_set(&exc_TypeError, "expected str, bytes or os.PathLike object, not %T", filename);
    Buffer b = {.owner = ABSENT};
    const char *text;
    size_t n;
    int flags = 0;
    if (v_is_str(source)) {
        text = str_utf8(source, &n);
        if (text == NULL)
            return ABSENT;
        flags = PARSE_IGNORE_COOKIE;
    } else if (v_is_buffer(source)) {
        if (buffer_get(source, &b, false) < 0)
            return ABSENT;
        text = b.data;
        n = (size_t)b.len;
    } else {
        return err_set(&exc_TypeError, "symtable() arg 1 must be a string or bytes object");
    }
    Arena arena;
    arena_init(&arena);
    AstModule *m = parse_source(text, n, filename, mode, flags, &arena);
    if (m != NULL) {
        int line, features = future_features(m, filename, &line);
        Symtable *t = features >= 0 ? symtable_build(m, filename, features) : NULL;
        if (t != NULL)
            r = make_entry(t->top);
    }
    arena_free(&arena);
    if (b.owner != ABSENT)
        buffer_release(&b);
    return r;
}

static const NativeDef functions[] = {
    {"symtable", symtable, "($module, source, filename, startstr, /)", 0,
     "Return symbol and scope dictionaries used internally by compiler."},
    {NULL, NULL, NULL, 0, NULL},
};

static int exec(Value m) {
    static const TypeSpec spec = {.name = "symtable entry",
                                  .basic_size = sizeof(Entry),
                                  .flags = TF_NO_NEW | TF_WEAKREF,
                                  .ops = &entry_ops,
                                  .methods = entry_methods,
                                  .members = entry_members};
    if (entry_type.c_name == NULL)
        type_init_module_type(&entry_type, &spec);
    static const struct {
        const char *name;
        int value;
    } constants[] = {{"USE", SYM_USE},
                     {"DEF_GLOBAL", DEF_GLOBAL},
                     {"DEF_NONLOCAL", DEF_NONLOCAL},
                     {"DEF_LOCAL", DEF_LOCAL},
                     {"DEF_PARAM", DEF_PARAM},
                     {"DEF_IMPORT", DEF_IMPORT},
                     {"DEF_BOUND", DEF_BOUND},
                     {"DEF_ANNOT", DEF_ANNOT},
                     {"TYPE_FUNCTION", 0},
                     {"TYPE_CLASS", 1},
                     {"TYPE_MODULE", 2},
                     {"LOCAL", SYM_LOCAL},
                     {"GLOBAL_EXPLICIT", SYM_GLOBAL_EXPLICIT},
                     {"GLOBAL_IMPLICIT", SYM_GLOBAL_IMPLICIT},
                     {"FREE", SYM_FREE},
                     {"CELL", SYM_CELL},
                     {"SCOPE_OFF", SCOPE_SHIFT},
                     {"SCOPE_MASK", 15}};
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (module_add_int(m, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

const ModuleSpec module__symtable = {"_symtable", NULL, functions, exec};

/* Struct sequences. An instance is a tuple of all fields, of which only the first n_visible count as items: Tuple.len
 * says n_visible, the others lie behind. */
#include "object/structseq.h"

#include "object/dict.h"
#include "object/exc.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

const char structseq_unnamed[] = "unnamed field";

typedef struct SeqInfo {
    const StructSeqField *fields;
    int n_visible, n_fields;
    MemberDef *members;
    TypeSpec spec;
} SeqInfo;

static SeqInfo *info_of(Type *t) {
    while (t->flags & TF_HEAP)
        t = t->base;
    return CONTAINER_OF(t->spec, SeqInfo, spec);
}

Value structseq_new(Type *t, Value *values, int n) {
    SeqInfo *info = info_of(t);
    bool ok = true;
    for (int i = 0; i < n; i++)
        ok &= values[i] != ABSENT;
    Value v = ok ? obj_new_sized(t, (size_t)info->n_fields * sizeof(Ref)) : ABSENT;
    if (!v) {
        for (int i = 0; i < n; i++)
            release(values[i]);
        return ABSENT;
    }
    Tuple *tup = (Tuple *)v;
    for (int i = 0; i < info->n_fields; i++)
        ref_init(&tup->items[i], i < n ? values[i] : V_NONE);
    tup->len = (size_t)info->n_visible;
    trace_track(v_obj(v));
    return v;
}

static Value s_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)self;
    SeqInfo *info = info_of(t);
    if (info->spec.flags & TF_NO_NEW)
        return err_set(&exc_TypeError, "cannot create '%s' instances", info->spec.name);
    Value seq = seq_to_tuple(args[0]), dict = arg_at(args, nargs, 1);
    if (!seq)
        return ABSENT;
    Value r = ABSENT, vals[64];
    intptr_t n = tuple_len(seq);
    if (dict && !v_is_dict(dict)) {
        err_set(&exc_TypeError, "%s() takes a dict as second arg, if any", t->spec ? t->spec->name : type_cname(t));
        goto out;
    }
    if (n < info->n_visible || n > info->n_fields) {
        bool exact = info->n_visible == info->n_fields;
        err_set(&exc_TypeError, "%s() takes %s %d-sequence (%zd-sequence given)", info->spec.name,
                exact                 ? "a"
                : n < info->n_visible ? "an at least"
                                      : "an at most",
                n < info->n_visible || exact ? info->n_visible : info->n_fields, n);
        goto out;
    }
    for (intptr_t i = 0; i < info->n_fields; i++) {
        vals[i] = i < n ? retained(tuple_get(seq, i)) : ABSENT;
        if (i >= n) {
            Value d = dict && v_is_dict(dict) ? dict_get_str(dict, info->fields[i].name) : ABSENT;
            vals[i] = d ? d : V_NONE;
        }
    }
    r = structseq_new(t, vals, info->n_fields);
out:
    release(seq);
    return r;
}
static Value s_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    SeqInfo *info = info_of(type_of(self));
    StrBuilder b;
    sb_init(&b);
    sb_cstr(&b, info->spec.name);
    sb_char(&b, '(');
    for (int i = 0; i < info->n_visible; i++) {
        Value r = obj_repr(tuple_get(self, i));
        if (!r) {
            sb_free(&b);
            return ABSENT;
        }
        if (i > 0)
            sb_cstr(&b, ", ");
        if (info->fields[i].name != structseq_unnamed) {
            sb_cstr(&b, info->fields[i].name);
            sb_char(&b, '=');
        }
        sb_str(&b, r);
        release(r);
    }
    sb_char(&b, ')');
    return sb_finish(&b);
}
static Value s_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    SeqInfo *info = info_of(type_of(self));
    Value t = tuple_from(tuple_items(self), info->n_visible), d = dict_new();
    for (int i = info->n_visible; d && i < info->n_fields; i++)
        if (dict_set_str(d, info->fields[i].name, tuple_get(self, i)) < 0) {
            release(d);
            d = ABSENT;
        }
    Value a = t && d ? tuple_pack(2, t, d) : ABSENT, r = a ? tuple_pack(2, V_OF(type_of(self)), a) : ABSENT;
    release(t);
    release(d);
    release(a);
    return r;
}
static void traverse(Value self, VisitFn visit, void *arg) {
    SeqInfo *info = info_of(type_of(self));
    for (int i = 0; i < info->n_fields; i++)
        visit(ref_peek(&((Tuple *)self)->items[i]), arg);
}
static void clear(Value self) {
    SeqInfo *info = info_of(type_of(self));
    for (int i = 0; i < info->n_fields; i++)
        ref_clear(self, &((Tuple *)self)->items[i]);
}
static const TypeOps ops = {traverse, clear, NULL};
static const NativeDef methods[] = {
    {"__new__", s_new, "(sequence, dict={})", 0, NULL},
    {"__repr__", s_repr, "($self, /)", 0, "Return repr(self)."},
    {"__reduce__", s_reduce, "($self, /)", 0, NULL},
    {0},
};

static void make(Type *t, const char *name, const char *doc, const StructSeqField *fields, int n_visible,
                 uint32_t flags) {
    SeqInfo *info = calloc(1, sizeof *info);
    int n = 0;
    while (fields[n].name)
        n++;
    MemberDef *m = calloc((size_t)n + 1, sizeof *m);
    if (!info || !m)
        fatal("out of memory while making built-in types");
    info->fields = fields;
    info->n_fields = n;
    info->n_visible = n_visible;
    info->members = m;
    int k = 0;
    for (int i = 0; i < n; i++)
        if (fields[i].name != structseq_unnamed)
            m[k++] = (MemberDef){fields[i].name, MK_REF_NONE | MK_READONLY,
                                 (uint32_t)(offsetof(Tuple, items) + (size_t)i * sizeof(Ref)), fields[i].doc};
    info->spec = (TypeSpec){.name = name,
                            .doc = doc,
                            .base = &tuple_type,
                            .basic_size = sizeof(Tuple),
                            .flags = flags,
                            .ops = &ops,
                            .methods = methods,
                            .members = m};
    type_init_module_type(t, &info->spec);
    Value d = type_dict(t);
    int unnamed = 0;
    for (int i = 0; i < n_visible; i++)
        unnamed += fields[i].name == structseq_unnamed;
    Value args = tuple_new(n_visible - unnamed);
    int r = args ? 0 : -1;
    for (int i = 0, j = 0; r == 0 && i < n_visible; i++)
        if (fields[i].name != structseq_unnamed)
            tuple_init_item(args, j++, str_from_c(fields[i].name));
    if (r < 0 || dict_set_str(d, "n_sequence_fields", v_from_int(n_visible)) < 0 ||
        dict_set_str(d, "n_fields", v_from_int(n)) < 0 ||
        dict_set_str(d, "n_unnamed_fields", v_from_int(unnamed)) < 0 || dict_set_str(d, "__match_args__", args) < 0)
        fatal("out of memory while making built-in types");
    release(args);
    type_modified(t);
}
void structseq_init(Type *t, const char *name, const char *doc, const StructSeqField *fields, int n_visible) {
    make(t, name, doc, fields, n_visible, TF_BASETYPE & 0);
}
void structseq_init_sealed(Type *t, const char *name, const char *doc, const StructSeqField *fields, int n_visible) {
    make(t, name, doc, fields, n_visible, TF_NO_NEW);
}

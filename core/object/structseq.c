#include "object/structseq.h"

#include "object/dict.h"
#include "object/int.h"
#include "object/str.h"

static const StructSeqDesc *desc_of(Type *t) {
    return (const StructSeqDesc *)t->spec;
}

static void seq_traverse(Value self, VisitFn visit, void *arg) {
    int n = desc_of(type_of(self))->n_fields;
    for (int i = 0; i < n; i++)
        visit(ref_peek(&((Tuple *)self)->items[i]), arg);
}

static void seq_clear(Value self) {
    int n = desc_of(type_of(self))->n_fields;
    for (int i = 0; i < n; i++)
        ref_clear(self, &((Tuple *)self)->items[i]);
}

static const TypeOps seq_ops = {seq_traverse, seq_clear, NULL};

Value structseq_new(Type *t) {
    const StructSeqDesc *d = desc_of(t);
    Value v = obj_new_sized(t, (size_t)d->n_fields * sizeof(Value));
    if (v == ABSENT)
        return ABSENT;
    ((Tuple *)v)->len = (size_t)d->n_sequence;
    trace_track(v_obj(v));
    return v;
}

/* cls(sequence, dict=None): hidden fields come from the sequence's further items, then from dict, else None. */
static Value seq_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)cls;
    const StructSeqDesc *d = desc_of(t);
    Value dict = arg_at(args, nargs, 1);
    if (dict != ABSENT && dict != V_NONE && !v_is_dict(dict))
        return err_set(&exc_TypeError, "%s() takes a dict as second arg, if any", d->name);
    Value seq = seq_to_tuple(args[0]);
    if (seq == ABSENT) {
        if (err_matches(&exc_TypeError)) {
            err_clear();
            err_set(&exc_TypeError, "constructor requires a sequence");
        }
        return ABSENT;
    }
    intptr_t n = tuple_len(seq);
    if (n < d->n_sequence || n > d->n_fields) {
        if (d->n_sequence == d->n_fields)
            err_set(&exc_TypeError, "%s() takes a %d-sequence (%zd-sequence given)", d->name, d->n_fields, (ssize_t)n);
        else if (n < d->n_sequence)
            err_set(&exc_TypeError, "%s() takes an at least %d-sequence (%zd-sequence given)", d->name, d->n_sequence,
                    (ssize_t)n);
        else
            err_set(&exc_TypeError, "%s() takes an at most %d-sequence (%zd-sequence given)", d->name, d->n_fields,
                    (ssize_t)n);
        release(seq);
        return ABSENT;
    }
    Value v = structseq_new(t);
    if (v == ABSENT) {
        release(seq);
        return ABSENT;
    }
    for (int i = 0; i < d->n_fields; i++) {
        Value item = ABSENT;
        if (i < n)
            item = retained(tuple_get(seq, i));
        else if (dict != ABSENT && dict != V_NONE)
            item = dict_get_str(dict, d->fields[i].name);
        structseq_set(v, i, item == ABSENT ? V_NONE : item);
    }
    release(seq);
    return v;
}

static Value seq_no_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "cannot create '%s' instances", desc_of((Type *)cls)->name);
}

static Value seq_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    const StructSeqDesc *d = desc_of(type_of(self));
    StrBuilder b;
    sb_init(&b);
    sb_cstr(&b, d->name);
    sb_char(&b, '(');
    for (int i = 0; i < d->n_sequence; i++) {
        if (i > 0)
            sb_cstr(&b, ", ");
        if (d->fields[i].name[0] != 0) {
            sb_cstr(&b, d->fields[i].name);
            sb_char(&b, '=');
        }
        Value r = obj_repr(structseq_get(self, i));
        if (r == ABSENT) {
            sb_free(&b);
            return ABSENT;
        }
        sb_str(&b, r);
        release(r);
    }
    sb_char(&b, ')');
    return sb_finish(&b);
}

static Value seq_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = type_of(self);
    const StructSeqDesc *d = desc_of(t);
    Value dict = dict_new();
    Value items = dict == ABSENT ? ABSENT : tuple_from(tuple_items(self), d->n_sequence);
    if (items == ABSENT) {
        release(dict);
        return ABSENT;
    }
    for (int i = d->n_sequence; i < d->n_fields; i++) {
        if (dict_set_str(dict, d->fields[i].name, structseq_get(self, i)) < 0) {
            release(items);
            release(dict);
            return ABSENT;
        }
    }
    Value inner = tuple_pack(2, items, dict);
    Value r = inner == ABSENT ? ABSENT : tuple_pack(2, V_OF(t), inner);
    release(inner);
    release(items);
    release(dict);
    return r;
}

static const NativeDef new_methods[] = {
    {"__new__", seq_new, "($type, sequence, dict=None)", NF_STATIC},
    {"__repr__", seq_repr, "($self, /)"},
    {"__reduce__", seq_reduce, "($self, /)"},
    {0},
};
static const NativeDef no_new_methods[] = {
    {"__new__", seq_no_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__repr__", seq_repr, "($self, /)"},
    {"__reduce__", seq_reduce, "($self, /)"},
    {0},
};

static int set_int(Type *t, const char *name, int n) {
    return dict_set_str(ref_peek(&t->dict), name, v_from_int(n));
}

int structseq_init(Type *t, StructSeqDesc *d) {
    while (d->fields[d->n_fields].name != NULL)
        d->n_fields++;
    MemberDef *members = calloc((size_t)d->n_fields + 1, sizeof(*members)); /* for the type's life: for ever */
    if (members == NULL) {
        err_no_memory();
        return -1;
    }
    int n_members = 0;
    for (int i = 0; i < d->n_fields; i++) {
        if (d->fields[i].name[0] == 0) {
            d->n_unnamed++;
            continue;
        }
        members[n_members].name = d->fields[i].name;
        members[n_members].kind = MK_REF_NONE | MK_READONLY;
        members[n_members].offset = (uint32_t)(offsetof(Tuple, items) + (size_t)i * sizeof(Value));
        members[n_members++].doc = d->fields[i].doc;
    }
    d->spec = (TypeSpec){
        .name = d->name,
        .doc = d->doc,
        .base = &tuple_type,
        .basic_size = sizeof(Tuple),
        .ops = &seq_ops,
        .methods = d->no_new ? no_new_methods : new_methods,
        .members = members,
    };
    type_init_module_type(t, &d->spec);
    Value match = tuple_new(d->n_sequence);
    if (match == ABSENT)
        return -1;
    int n_match = 0;
    for (int i = 0; i < d->n_sequence; i++) {
        if (d->fields[i].name[0] != 0)
            tuple_init_item(match, n_match++, str_intern_static(d->fields[i].name));
    }
    Value names = n_match == d->n_sequence ? retained(match) : tuple_slice(match, 0, n_match);
    release(match);
    int rc = names == ABSENT ? -1 : dict_set_str(ref_peek(&t->dict), "__match_args__", names);
    release(names);
    if (rc < 0 || set_int(t, "n_sequence_fields", d->n_sequence) < 0 || set_int(t, "n_fields", d->n_fields) < 0 ||
        set_int(t, "n_unnamed_fields", d->n_unnamed) < 0)
        return -1;
    type_modified(t);
    return 0;
}

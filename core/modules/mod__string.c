/* _string: the grammar of format strings, for string.Formatter. */
#include "object/iter.h"
#include "object/module.h"
#include "object/str.h"
#include "object/str_format.h"
#include "object/tuple.h"

/* Both iterators walk a str with a cursor, which each step claims by compare-and-swap. */
typedef struct FormatIter {
    Object hdr;
    Ref str; /* fixed */
    _Atomic(intptr_t) pos;
    intptr_t end;
} FormatIter;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((FormatIter *)self)->str), arg);
}
static void clear(Value self) {
    ref_clear(self, &((FormatIter *)self)->str);
}
static const TypeOps ops = {.traverse = traverse, .clear = clear};
static Type parser_type, field_type;

static Value iter_new(Type *t, Value str, intptr_t pos, intptr_t end) {
    Value v = obj_new(t);
    if (v == ABSENT)
        return ABSENT;
    ref_init(&((FormatIter *)v)->str, retained(str));
    STORE_RELAXED(&((FormatIter *)v)->pos, pos);
    ((FormatIter *)v)->end = end;
    trace_track(v_obj(v));
    return v;
}

/* (literal, field name, format spec, conversion) */
static Value parser_next(Value self) {
    FormatIter *it = (FormatIter *)self;
    Value s = ref_peek(&it->str);
    Markup m;
    intptr_t pos = LOAD_RELAXED(&it->pos);
    do {
        m = (Markup){.str = s, .pos = pos, .end = it->end};
        int r = markup_next(&m);
        if (r <= 0)
            return ABSENT;
    } while (!atomic_compare_exchange_strong(&it->pos, &pos, m.pos));
    Value part[4] = {str_substr(s, m.lit_lo, m.lit_hi), V_NONE, V_NONE, V_NONE};
    if (m.has_field) {
        part[1] = str_substr(s, m.name_lo, m.name_hi);
        part[2] = str_substr(s, m.spec_lo, m.spec_hi);
        if (m.conversion != 0)
            part[3] = str_from_char(m.conversion);
    }
    for (int i = 0; i < 4; i++)
        if (part[i] == ABSENT) {
            for (int k = 0; k < 4; k++)
                release(part[k]);
            return ABSENT;
        }
    return tuple_from_steal(part, 4);
}

/* (is attribute, name or index) */
static Value field_iter_next(Value self) {
    FormatIter *it = (FormatIter *)self;
    Value s = ref_peek(&it->str);
    FieldName f = {.str = s, .end = it->end};
    bool is_attr;
    intptr_t index, lo, hi, pos = LOAD_RELAXED(&it->pos);
    do {
        f.pos = pos;
        if (field_next(&f, &is_attr, &index, &lo, &hi) <= 0)
            return ABSENT;
    } while (!atomic_compare_exchange_strong(&it->pos, &pos, f.pos));
    Value part[2] = {v_bool(is_attr), index >= 0 ? v_from_int(index) : str_substr(s, lo, hi)};
    return part[1] == ABSENT ? ABSENT : tuple_from_steal(part, 2);
}

static Value mi_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value stop(Value v) {
    return v == ABSENT && !err_pending() ? err_stop_iteration(ABSENT) : v;
}
static Value m_parser_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return stop(parser_next(self));
}
static Value m_field_next(Value self, Value *args, intptr_t nargs, Value kw) {
    return stop(field_iter_next(self));
}

static Value formatter_parser(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "expected str, got %T", args[0]);
    return iter_new(&parser_type, args[0], 0, str_len(args[0]));
}

static Value formatter_field_name_split(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = args[0];
    if (!v_is_str(s))
        return err_set(&exc_TypeError, "expected str, got %T", s);
    FieldName f;
    if (field_first(&f, s, 0, str_len(s)) < 0)
        return ABSENT;
    Value part[2];
    part[0] = f.first_index >= 0 ? v_from_int(f.first_index) : str_substr(s, f.first_lo, f.first_hi);
    if (part[0] == ABSENT)
        return ABSENT;
    part[1] = iter_new(&field_type, s, f.pos, f.end);
    if (part[1] == ABSENT) {
        release(part[0]);
        return ABSENT;
    }
    return tuple_from_steal(part, 2);
}

static const NativeDef parser_methods[] = {
    {"__iter__", mi_iter, "($self, /)"}, {"__next__", m_parser_next, "($self, /)"}, {NULL}};
static const NativeDef field_methods[] = {
    {"__iter__", mi_iter, "($self, /)"}, {"__next__", m_field_next, "($self, /)"}, {NULL}};
static const TypeSpec parser_spec = {.name = "formatteriterator",
                                     .basic_size = sizeof(FormatIter),
                                     .flags = TF_IMMUTABLE | TF_NO_NEW,
                                     .ops = &ops,
                                     .methods = parser_methods};
static const TypeSpec field_spec = {.name = "fieldnameiterator",
                                    .basic_size = sizeof(FormatIter),
                                    .flags = TF_IMMUTABLE | TF_NO_NEW,
                                    .ops = &ops,
                                    .methods = field_methods};

static int exec(Value m) {
    if (parser_type.spec == NULL) { /* a second import finds the same classes */
        type_init_module_type(&parser_type, &parser_spec);
        type_init_module_type(&field_type, &field_spec);
    }
    return 0;
}

static const NativeDef functions[] = {
    {"formatter_parser", formatter_parser, "($module, string, /)"},
    {"formatter_field_name_split", formatter_field_name_split, "($module, field_name, /)"},
    {NULL},
};
const ModuleSpec module__string = {.name = "_string", .functions = functions, .exec = exec};

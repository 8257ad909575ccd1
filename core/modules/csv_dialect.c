/* _csv.Dialect: how records are written and read; and the dialects with a name. */
#include "modules/csv_impl.h"
#include "object/dict.h"
#include "object/tuple.h"

enum {
    DELIMITER,
    DOUBLEQUOTE,
    ESCAPECHAR,
    LINETERMINATOR,
    QUOTECHAR,
    QUOTING,
    SKIPINITIALSPACE,
    STRICT,
    N_FIELDS,
};
static const char *const field_names[N_FIELDS] = {
    "delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting", "skipinitialspace", "strict",
};

Type csv_dialect_type;
Value csv_error, csv_dialects;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((CsvDialect *)self)->lineterminator), arg);
}
static void clear(Value self) {
    ref_clear(self, &((CsvDialect *)self)->lineterminator);
}
static const TypeOps ops = {.traverse = traverse, .clear = clear};

/* ---- fields ---- */

/* A field of one character. 0 or -1. */
static int read_char(Value v, const char *name, bool optional, uint32_t *out) {
    if (v == V_NONE && optional) {
        *out = CSV_NO_CHAR;
        return 0;
    }
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "\"%s\" must be string%s, not %T", name, optional ? " or None" : "", v);
        return -1;
    }
    if (str_len(v) != 1) {
        err_set(&exc_TypeError, "\"%s\" must be a 1-character string", name);
        return -1;
    }
    *out = str_at(v, 0);
    return 0;
}
static int read_quoting(Value v, int32_t *out) {
    int64_t number;
    if (type_of(v) != &int_type) {
        err_set(&exc_TypeError, "\"quoting\" must be an integer");
        return -1;
    }
    if (num_as_i64(v, &number) < 0 || number != (int)number) {
        err_set(&exc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    if (number < CSV_QUOTE_MINIMAL || number > CSV_QUOTE_NONE) {
        err_set(&exc_TypeError, "bad \"quoting\" value");
        return -1;
    }
    *out = (int32_t)number;
    return 0;
}
static int read_flag(Value v, bool *out) {
    int truth = obj_truth(v);
    *out = truth > 0;
    return truth < 0 ? -1 : 0;
}
static int read_terminator(Value v, Ref *out) {
    if (v != V_NONE && !v_is_str(v)) {
        err_set(&exc_TypeError, "\"lineterminator\" must be a string");
        return -1;
    }
    if (v != V_NONE)
        ref_init(out, retained(v));
    return 0;
}

static void mark(CsvDialect *d, uint32_t c) {
    if (c < 128)
        d->marked[c >> 6] |= (uint64_t)1 << (c & 63);
}
static void mark_all(CsvDialect *d) {
    Value end = ref_peek(&d->lineterminator);
    mark(d, d->delimiter);
    mark(d, d->quotechar);
    mark(d, d->escapechar);
    mark(d, '\n');
    mark(d, '\r');
    for (intptr_t i = 0; i < str_len(end); i++)
        mark(d, str_at(end, i));
}

/* given: per field the value, or ABSENT for the default. */
static int fill(CsvDialect *d, Value *given) {
    d->delimiter = ',';
    d->quotechar = '"';
    d->escapechar = CSV_NO_CHAR;
    d->doublequote = true;
    if ((given[DELIMITER] && read_char(given[DELIMITER], "delimiter", false, &d->delimiter) < 0) ||
        (given[DOUBLEQUOTE] && read_flag(given[DOUBLEQUOTE], &d->doublequote) < 0) ||
        (given[ESCAPECHAR] && read_char(given[ESCAPECHAR], "escapechar", true, &d->escapechar) < 0) ||
        (given[LINETERMINATOR] && read_terminator(given[LINETERMINATOR], &d->lineterminator) < 0) ||
        (given[QUOTECHAR] && read_char(given[QUOTECHAR], "quotechar", true, &d->quotechar) < 0) ||
        (given[QUOTING] && read_quoting(given[QUOTING], &d->quoting) < 0) ||
        (given[SKIPINITIALSPACE] && read_flag(given[SKIPINITIALSPACE], &d->skipinitialspace) < 0) ||
        (given[STRICT] && read_flag(given[STRICT], &d->strict) < 0))
        return -1;
    if (given[QUOTECHAR] == V_NONE && given[QUOTING] == ABSENT)
        d->quoting = CSV_QUOTE_NONE;
    if (d->quoting != CSV_QUOTE_NONE && d->quotechar == CSV_NO_CHAR) {
        err_set(&exc_TypeError, "quotechar must be set if quoting enabled");
        return -1;
    }
    if (given[LINETERMINATOR] == ABSENT) {
        Value crlf = str_from_ascii("\r\n", 2);
        if (crlf == ABSENT)
            return -1;
        ref_init(&d->lineterminator, crlf);
    }
    if (ref_peek(&d->lineterminator) == ABSENT) {
        err_set(&exc_TypeError, "lineterminator must be set");
        return -1;
    }
    mark_all(d);
    return 0;
}

/* ---- making ---- */

/* Of the keyword arguments: those of the fields, and the dialect, borrowed. 0 or -1. */
static int bind_keywords(Value *values, Value names, Value *given, Value *dialect) {
    for (intptr_t i = 0; i < tuple_len(names); i++) {
        Value name = tuple_get(names, i);
        Value *place = str_equal_c(name, "dialect") ? dialect : NULL;
        for (int k = 0; k < N_FIELDS && place == NULL; k++)
            if (str_equal_c(name, field_names[k]))
                place = &given[k];
        if (place == NULL) {
            err_set(&exc_TypeError, "'%S' is an invalid keyword argument for this function", name);
            return -1;
        }
        if (*place != ABSENT) {
            err_set(&exc_TypeError, "argument for function given by name ('%S') and position", name);
            return -1;
        }
        *place = values[i];
    }
    return 0;
}

/* What is not given is the dialect's, where it has it. owned: the caller's to release. 0 or -1. */
static int take_from(Value dialect, Value *given, Value *owned) {
    for (int k = 0; k < N_FIELDS; k++) {
        if (given[k] != ABSENT)
            continue;
        if (obj_lookup_attr_str(dialect, field_names[k], &owned[k]) < 0)
            return -1;
        given[k] = owned[k];
    }
    return 0;
}

static bool is_dialect(Value v) {
    return v_is_obj(v) && type_is_subtype(type_of(v), &csv_dialect_type);
}

/* Steals base, the dialect that it is based on, or ABSENT. given: borrowed. */
static Value make(Type *cls, Value base, Value *given) {
    Value owned[N_FIELDS] = {ABSENT}, result = ABSENT;
    if (base == ABSENT || take_from(base, given, owned) == 0)
        result = obj_new(cls);
    if (result != ABSENT && fill((CsvDialect *)result, given) < 0) {
        release(result);
        result = ABSENT;
    }
    if (result != ABSENT)
        trace_track(v_obj(result));
    for (int k = 0; k < N_FIELDS; k++)
        release(owned[k]);
    release(base);
    return result;
}

static Value dialect_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value given[N_FIELDS] = {ABSENT}, base = ABSENT;
    intptr_t n = nargs + (kw == ABSENT ? 0 : tuple_len(kw));
    if (n > 1 + N_FIELDS)
        return err_set(&exc_TypeError, "function takes at most %d arguments (%zd given)", 1 + N_FIELDS, (ssize_t)n);
    base = arg_at(args, nargs, 0);
    for (int k = 0; k < N_FIELDS; k++)
        given[k] = arg_at(args, nargs, k + 1);
    if (kw != ABSENT && bind_keywords(args + nargs, kw, given, &base) < 0)
        return ABSENT;
    if (base == V_NONE)
        base = ABSENT;
    if (base != ABSENT && v_is_str(base)) {
        if ((base = csv_dialect_named(base)) == ABSENT)
            return ABSENT;
    } else {
        base = retained(base);
    }
    bool bare = true;
    for (int k = 0; k < N_FIELDS; k++)
        bare &= given[k] == ABSENT;
    return bare && base != ABSENT && is_dialect(base) ? base : make((Type *)cls, base, given);
}

Value csv_dialect_make(Value given, Value *kw_values, Value kw) {
    Value args[2 + N_FIELDS], *rest = args;
    intptr_t n = kw == ABSENT ? 0 : tuple_len(kw);
    if (n > 1 + N_FIELDS)
        return err_set(&exc_TypeError, "function takes at most %d arguments (%zd given)", 1 + N_FIELDS,
                       (ssize_t)n + (given != ABSENT));
    if (given != ABSENT)
        *rest++ = given;
    for (intptr_t i = 0; i < n; i++)
        rest[i] = kw_values[i];
    return obj_call(V_OF(&csv_dialect_type), args, rest - args, kw);
}

int csv_check_args(intptr_t nargs) {
    if (nargs >= 1 && nargs <= 2)
        return 0;
    err_set(&exc_TypeError,
            nargs == 0 ? " expected at least 1 argument, got 0" : " expected at most 2 arguments, got %zd",
            (ssize_t)nargs);
    return -1;
}

Value csv_dialect_named(Value name) {
    Value v = ABSENT;
    int found = dict_lookup(csv_dialects, name, &v);
    if (found == 0)
        err_set((Type *)csv_error, "unknown dialect");
    return v;
}

/* ---- what Python sees ---- */

static Value char_value(uint32_t c) {
    return c == CSV_NO_CHAR ? V_NONE : str_from_char(c);
}
static Value get_delimiter(Value self) {
    return char_value(((CsvDialect *)self)->delimiter);
}
static Value get_escapechar(Value self) {
    return char_value(((CsvDialect *)self)->escapechar);
}
static Value get_quotechar(Value self) {
    return char_value(((CsvDialect *)self)->quotechar);
}
static Value get_lineterminator(Value self) {
    return ref_load(self, &((CsvDialect *)self)->lineterminator);
}
static Value get_quoting(Value self) {
    return v_from_int(((CsvDialect *)self)->quoting);
}
static Value no_pickle(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = obj_getattr_str(V_OF(type_of(self)), "__name__");
    if (name != ABSENT)
        err_set(&exc_TypeError, "cannot pickle '%S' instances", name);
    release(name);
    return ABSENT;
}

static const NativeDef methods[] = {
    {"__new__", dialect_new, "($type, /, *args, **kwargs)", NF_STATIC},
    {"__reduce__", no_pickle, "($self, /)"},
    {"__reduce_ex__", no_pickle, "($self, protocol, /)"},
    {NULL},
};
static const GetSetDef getsets[] = {
    {"delimiter", get_delimiter}, {"escapechar", get_escapechar}, {"lineterminator", get_lineterminator},
    {"quotechar", get_quotechar}, {"quoting", get_quoting},       {NULL},
};
static const MemberDef members[] = {
    {"skipinitialspace", MK_BOOL | MK_READONLY, offsetof(CsvDialect, skipinitialspace)},
    {"doublequote", MK_BOOL | MK_READONLY, offsetof(CsvDialect, doublequote)},
    {"strict", MK_BOOL | MK_READONLY, offsetof(CsvDialect, strict)},
    {NULL},
};
const TypeSpec csv_dialect_spec = {.name = "_csv.Dialect",
                                   .doc = "CSV dialect\n\nHow delimited text is written and read.",
                                   .basic_size = sizeof(CsvDialect),
                                   .flags = TF_BASETYPE,
                                   .ops = &ops,
                                   .methods = methods,
                                   .getsets = getsets,
                                   .members = members};

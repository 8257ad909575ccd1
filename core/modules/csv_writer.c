/* _csv.writer: makes records of delimited text and hands each to a file's write method. */
#include "modules/csv_impl.h"
#include "object/iter.h"

Type csv_writer_type;

typedef struct CsvWriter {
    Object hdr;
    Ref write, dialect; /* the file's method, and a Dialect; fixed */
} CsvWriter;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((CsvWriter *)self)->write), arg);
    visit(ref_peek(&((CsvWriter *)self)->dialect), arg);
}
static void clear(Value self) {
    ref_clear(self, &((CsvWriter *)self)->write);
    ref_clear(self, &((CsvWriter *)self)->dialect);
}
static const TypeOps ops = {.traverse = traverse, .clear = clear};

/* ---- one record ---- */

typedef struct Record {
    CsvDialect *d;
    StrBuilder text;
    size_t n_fields;
} Record;

/* Characters that cannot stand in a field as they are. */
static bool is_special(CsvDialect *d, uint32_t c) {
    Value end = ref_peek(&d->lineterminator);
    return c == d->delimiter || c == d->escapechar || c == d->quotechar ||
           str_find_char(end, c, 0, str_len(end), 1) >= 0;
}
static bool has_special(CsvDialect *d, Value text) {
    intptr_t i = 0, n = str_len(text);
    const void *data = str_data(text);
    int kind = str_kind(text);
    for (uint32_t c; i < n && (c = str_at_kind(data, kind, i), csv_plain(d, c) || !is_special(d, c));)
        i++;
    return i < n;
}
/* What stands in front of c in a field: a second quote, the escape character, or CSV_NO_CHAR. *quote is set where
 * quotes around the field are enough. False with an exception. */
static bool in_front_of(CsvDialect *d, uint32_t c, uint32_t *front, bool *quote) {
    *front = CSV_NO_CHAR;
    bool escape = d->quoting == CSV_QUOTE_NONE;
    if (!escape && c == d->quotechar) {
        if (d->doublequote)
            *front = c;
        else
            escape = true;
    } else if (!escape && c == d->escapechar) {
        escape = true;
    }
    if (!escape) {
        *quote = true;
        return true;
    }
    if (d->escapechar == CSV_NO_CHAR) {
        err_set((Type *)csv_error, "need to escape, but no escapechar set");
        return false;
    }
    *front = d->escapechar;
    return true;
}

/* As it is. */
static void add_quoted(Record *r, Value text, bool quote) {
    if (quote)
        sb_char(&r->text, r->d->quotechar);
    if (text != ABSENT)
        sb_str(&r->text, text);
    if (quote)
        sb_char(&r->text, r->d->quotechar);
}

/* text: str, or ABSENT for nothing. quote: whatever it consists of. 0 or -1. */
static int add_field(Record *r, Value text, bool quote) {
    CsvDialect *d = r->d;
    if (r->n_fields++ > 0)
        sb_char(&r->text, d->delimiter);
    if (text == ABSENT || !has_special(d, text)) {
        add_quoted(r, text, quote);
        return 0;
    }
    StrBuilder field;
    sb_init(&field);
    for (intptr_t i = 0, n = str_len(text); i < n; i++) {
        uint32_t c = str_at(text, i), front;
        if (!csv_plain(d, c) && is_special(d, c)) {
            if (!in_front_of(d, c, &front, &quote)) {
                sb_free(&field);
                return -1;
            }
            if (front != CSV_NO_CHAR)
                sb_char(&field, front);
        }
        sb_char(&field, c);
    }
    Value inner = sb_finish(&field);
    if (inner == ABSENT)
        return -1;
    add_quoted(r, inner, quote);
    release(inner);
    return 0;
}

static bool is_number(Value v) {
    Type *t = type_of(v);
    return type_special(t, SP_INT) != ABSENT || type_special(t, SP_FLOAT) != ABSENT ||
           type_special(t, SP_INDEX) != ABSENT || type_special(t, SP_COMPLEX) != ABSENT;
}

static int add_value(Record *r, Value v) {
    bool quote = r->d->quoting == CSV_QUOTE_ALL || (r->d->quoting == CSV_QUOTE_NONNUMERIC && !is_number(v));
    if (v == V_NONE)
        return add_field(r, ABSENT, quote);
    Value text = v_is_str(v) ? retained(v) : obj_str(v);
    int result = text == ABSENT ? -1 : add_field(r, text, quote);
    release(text);
    return result;
}

/* 0 or -1. */
static int add_all(Record *r, Value row) {
    Value it = obj_iter(row);
    if (it == ABSENT) {
        if (err_matches(&exc_TypeError))
            err_set((Type *)csv_error, "iterable expected, not %T", row);
        return -1;
    }
    int result = 0;
    for (Value v; result == 0 && (v = obj_next(it)) != ABSENT;) {
        result = add_value(r, v);
        release(v);
    }
    release(it);
    if (result < 0 || err_pending())
        return -1;
    if (r->n_fields > 0 && r->text.len == 0) { /* else it would be an empty record */
        if (r->d->quoting == CSV_QUOTE_NONE) {
            err_set((Type *)csv_error, "single empty field record must be quoted");
            return -1;
        }
        r->n_fields = 0;
        return add_field(r, ABSENT, true);
    }
    return 0;
}

static Value write_row(Value self, Value row) {
    CsvWriter *w = (CsvWriter *)self;
    Record r = {.d = csv_dialect(&w->dialect)};
    sb_init(&r.text);
    if (add_all(&r, row) < 0) {
        sb_free(&r.text);
        return ABSENT;
    }
    sb_str(&r.text, ref_peek(&r.d->lineterminator));
    Value text = sb_finish(&r.text);
    if (text == ABSENT)
        return ABSENT;
    Value result = obj_call1(ref_peek(&w->write), text);
    release(text);
    return result;
}

/* ---- what Python sees ---- */

static Value writerow(Value self, Value *args, intptr_t nargs, Value kw) {
    return write_row(self, args[0]);
}
static Value writerows(Value self, Value *args, intptr_t nargs, Value kw) {
    Value it = obj_iter(args[0]);
    if (it == ABSENT)
        return ABSENT;
    Value result = V_NONE;
    for (Value row; result != ABSENT && (row = obj_next(it)) != ABSENT;) {
        Value written = write_row(self, row);
        release(row);
        release(written);
        if (written == ABSENT)
            result = ABSENT;
    }
    release(it);
    return err_pending() ? ABSENT : result;
}

Value csv_writer_new(Value module, Value *args, intptr_t nargs, Value kw) {
    if (csv_check_args(nargs) < 0)
        return ABSENT;
    Value write = ABSENT;
    if (obj_lookup_attr_str(args[0], "write", &write) < 0)
        return ABSENT;
    if (write == ABSENT || !v_is_callable(write)) {
        release(write);
        return err_set(&exc_TypeError, "argument 1 must have a \"write\" method");
    }
    Value dialect = csv_dialect_make(arg_at(args, nargs, 1), args + nargs, kw);
    Value self = dialect == ABSENT ? ABSENT : obj_new(&csv_writer_type);
    if (self == ABSENT) {
        release(write);
        release(dialect);
        return ABSENT;
    }
    ref_init(&((CsvWriter *)self)->write, write);
    ref_init(&((CsvWriter *)self)->dialect, dialect);
    trace_track(v_obj(self));
    return self;
}

static const NativeDef methods[] = {
    {"writerow", writerow, "($self, row, /)", 0, "Writes one record, of the items of row; returns what write returns."},
    {"writerows", writerows, "($self, rows, /)", 0, "Writes a record of each of rows."},
    {NULL},
};
static const MemberDef members[] = {{"dialect", MK_REF | MK_READONLY, offsetof(CsvWriter, dialect)}, {NULL}};
const TypeSpec csv_writer_spec = {.name = "_csv.writer",
                                  .doc = "CSV writer\n\nMakes delimited text of sequences of items.",
                                  .basic_size = sizeof(CsvWriter),
                                  .flags = TF_NO_NEW,
                                  .ops = &ops,
                                  .methods = methods,
                                  .members = members};
const char csv_writer_doc[] = "writer(fileobj [, dialect='excel'] [, field=value ...]) -> writer of records\n\n"
                              "fileobj has a write method, which is called with each record as a str. Keyword\n"
                              "arguments replace fields of the dialect.";

/* _csv.reader: an iterator of the records of delimited text.
 *
 * All that a record needs while it is parsed belongs to the call that parses it: the lines come from Python code, which
 * may use the same reader again, and so may another thread. Then each gets some of the lines.
 */
#include "modules/csv_impl.h"
#include "object/float.h"
#include "object/iter.h"
#include "object/list.h"

Type csv_reader_type;
_Atomic(int64_t) csv_field_limit = 131072;

typedef struct CsvReader {
    Object hdr;
    Ref lines, dialect; /* an iterator, and a Dialect; fixed */
    _Atomic(int64_t) line_num;
} CsvReader;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((CsvReader *)self)->lines), arg);
    visit(ref_peek(&((CsvReader *)self)->dialect), arg);
}
static void clear(Value self) {
    ref_clear(self, &((CsvReader *)self)->lines);
    ref_clear(self, &((CsvReader *)self)->dialect);
}
static const TypeOps ops = {.traverse = traverse, .clear = clear};

/* ---- one record ---- */

typedef enum State {
    START_RECORD,
    START_FIELD,
    ESCAPED,         /* behind the escape character */
    ESCAPED_NEWLINE, /* behind that and a line's end */
    IN_FIELD,
    IN_QUOTES,
    ESCAPED_IN_QUOTES,
    QUOTE_IN_QUOTES, /* the field's end, or one of two quotes that stand for one */
    LINE_ENDED,
} State;
#define END_OF_LINE (CSV_NO_CHAR - 1)

typedef struct Parse {
    CsvDialect *d;
    Value fields; /* list */
    StrBuilder text;
    State state;
    bool number; /* the field was not quoted, where that makes it a number */
    bool failed;
} Parse;

static void end_field(Parse *p) {
    Value v = sb_finish(&p->text);
    sb_init(&p->text);
    if (v != ABSENT && p->number) {
        Value text = v;
        v = float_from_str(text);
        release(text);
    }
    p->number = false;
    if (v == ABSENT || list_append_steal(p->fields, v) < 0)
        p->failed = true;
}
/* Records end with a line. */
static void end_field_and_line(Parse *p, uint32_t c) {
    end_field(p);
    p->state = c == END_OF_LINE ? START_RECORD : LINE_ENDED;
}
/* False with an exception: the field may not have n code points more. */
static bool has_room(Parse *p, intptr_t n) {
    int64_t limit = LOAD_RELAXED(&csv_field_limit);
    if (LIKELY((int64_t)p->text.len + n <= limit))
        return true;
    err_set((Type *)csv_error, "field larger than field limit (%ld)", (long)limit);
    p->failed = true;
    return false;
}
static void add(Parse *p, uint32_t c) {
    if (has_room(p, 1))
        sb_char(&p->text, c);
}
static bool ends_line(uint32_t c) {
    return c == '\n' || c == '\r' || c == END_OF_LINE;
}

static void step_start_field(Parse *p, uint32_t c) {
    CsvDialect *d = p->d;
    if (ends_line(c)) {
        end_field_and_line(p, c);
    } else if (c == d->quotechar && d->quoting != CSV_QUOTE_NONE) {
        p->state = IN_QUOTES;
    } else if (c == d->escapechar) {
        p->state = ESCAPED;
    } else if (c == ' ' && d->skipinitialspace) {
        p->state = START_FIELD;
    } else if (c == d->delimiter) {
        end_field(p);
        p->state = START_FIELD;
    } else {
        p->number = d->quoting == CSV_QUOTE_NONNUMERIC;
        add(p, c);
        p->state = IN_FIELD;
    }
}
static void step_in_field(Parse *p, uint32_t c) {
    if (ends_line(c)) {
        end_field_and_line(p, c);
    } else if (c == p->d->escapechar) {
        p->state = ESCAPED;
    } else if (c == p->d->delimiter) {
        end_field(p);
        p->state = START_FIELD;
    } else {
        add(p, c);
        p->state = IN_FIELD;
    }
}
static void step_in_quotes(Parse *p, uint32_t c) {
    CsvDialect *d = p->d;
    if (c == END_OF_LINE)
        return;
    if (c == d->escapechar)
        p->state = ESCAPED_IN_QUOTES;
    else if (c == d->quotechar && d->quoting != CSV_QUOTE_NONE)
        p->state = d->doublequote ? QUOTE_IN_QUOTES : IN_FIELD;
    else
        add(p, c);
}
static void step_quote_in_quotes(Parse *p, uint32_t c) {
    CsvDialect *d = p->d;
    if (c == d->quotechar && d->quoting != CSV_QUOTE_NONE) {
        add(p, c);
        p->state = IN_QUOTES;
    } else if (c == d->delimiter) {
        end_field(p);
        p->state = START_FIELD;
    } else if (ends_line(c)) {
        end_field_and_line(p, c);
    } else if (!d->strict) {
        add(p, c);
        p->state = IN_FIELD;
    } else {
        Value delimiter = str_from_char(d->delimiter), quote = str_from_char(d->quotechar);
        if (delimiter != ABSENT && quote != ABSENT)
            err_set((Type *)csv_error, "'%S' expected after '%S'", delimiter, quote);
        release(delimiter);
        release(quote);
        p->failed = true;
    }
}

/* c: a code point of a line, or END_OF_LINE behind the last one. */
static void step(Parse *p, uint32_t c) {
    switch (p->state) {
    case START_RECORD:
        if (c == END_OF_LINE)
            return; /* an empty line is an empty record */
        if (ends_line(c))
            p->state = LINE_ENDED;
        else
            step_start_field(p, c);
        return;
    case START_FIELD:
        step_start_field(p, c);
        return;
    case ESCAPED:
        add(p, c == END_OF_LINE ? '\n' : c);
        p->state = c == '\n' || c == '\r' ? ESCAPED_NEWLINE : IN_FIELD;
        return;
    case ESCAPED_NEWLINE:
        if (c != END_OF_LINE)
            step_in_field(p, c);
        return;
    case IN_FIELD:
        step_in_field(p, c);
        return;
    case IN_QUOTES:
        step_in_quotes(p, c);
        return;
    case ESCAPED_IN_QUOTES:
        add(p, c == END_OF_LINE ? '\n' : c);
        p->state = IN_QUOTES;
        return;
    case QUOTE_IN_QUOTES:
        step_quote_in_quotes(p, c);
        return;
    case LINE_ENDED:
        if (c == END_OF_LINE) {
            p->state = START_RECORD;
        } else if (!ends_line(c)) {
            err_set((Type *)csv_error, "new-line character seen in unquoted field - do you need to open the "
                                       "file in universal-newline mode?");
            p->failed = true;
        }
        return;
    }
}

static void parse_line(Parse *p, Value line) {
    const void *data = str_data(line);
    int kind = str_kind(line);
    for (intptr_t i = 0, n = str_len(line); i < n && !p->failed;) {
        intptr_t start = i;
        if (p->state == IN_FIELD || p->state == IN_QUOTES)
            while (i < n && csv_plain(p->d, str_at_kind(data, kind, i)))
                i++;
        if (i == start)
            step(p, str_at_kind(data, kind, i++));
        else if (has_room(p, i - start))
            sb_substr(&p->text, line, start, i);
    }
    if (!p->failed)
        step(p, END_OF_LINE);
}

/* The lines have come to their end within a record, or an exception is pending. */
static void out_of_lines(Parse *p) {
    if (err_pending() || (p->text.len == 0 && p->state != IN_QUOTES)) {
        p->failed = true;
        return;
    }
    if (p->d->strict) {
        err_set((Type *)csv_error, "unexpected end of data");
        p->failed = true;
    } else {
        end_field(p);
    }
    p->state = START_RECORD;
}

Value csv_reader_next(Value self) {
    CsvReader *r = (CsvReader *)self;
    Parse p = {.d = csv_dialect(&r->dialect), .fields = list_new(0)};
    if (p.fields == ABSENT)
        return ABSENT;
    sb_init(&p.text);
    do {
        Value line = obj_next(ref_peek(&r->lines));
        if (line == ABSENT) {
            out_of_lines(&p);
        } else if (!v_is_str(line)) {
            err_set((Type *)csv_error,
                    "iterator should return strings, not %T (the file should be opened in text mode)", line);
            p.failed = true;
        } else {
            atomic_fetch_add_explicit(&r->line_num, 1, memory_order_relaxed);
            parse_line(&p, line);
        }
        release(line);
    } while (!p.failed && p.state != START_RECORD);
    sb_free(&p.text);
    if (!p.failed)
        return p.fields;
    release(p.fields);
    return ABSENT;
}

/* ---- what Python sees ---- */

Value csv_reader_new(Value module, Value *args, intptr_t nargs, Value kw) {
    if (csv_check_args(nargs) < 0)
        return ABSENT;
    Value lines = obj_iter(args[0]);
    if (lines == ABSENT)
        return ABSENT;
    Value dialect = csv_dialect_make(arg_at(args, nargs, 1), args + nargs, kw);
    Value self = dialect == ABSENT ? ABSENT : obj_new(&csv_reader_type);
    if (self == ABSENT) {
        release(lines);
        release(dialect);
        return ABSENT;
    }
    ref_init(&((CsvReader *)self)->lines, lines);
    ref_init(&((CsvReader *)self)->dialect, dialect);
    trace_track(v_obj(self));
    return self;
}

static Value iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = csv_reader_next(self);
    return v == ABSENT && !err_pending() ? err_stop_iteration(ABSENT) : v;
}

static const NativeDef methods[] = {{"__iter__", iter, "($self, /)"}, {"__next__", next, "($self, /)"}, {NULL}};
static const MemberDef members[] = {
    {"dialect", MK_REF | MK_READONLY, offsetof(CsvReader, dialect)},
    {"line_num", MK_INT64 | MK_READONLY, offsetof(CsvReader, line_num)},
    {NULL},
};
const TypeSpec csv_reader_spec = {.name = "_csv.reader",
                                  .doc = "CSV reader\n\nAn iterator of the records of delimited text.",
                                  .basic_size = sizeof(CsvReader),
                                  .flags = TF_NO_NEW,
                                  .ops = &ops,
                                  .methods = methods,
                                  .members = members};
const char csv_reader_doc[] = "reader(iterable [, dialect='excel'] [, field=value ...]) -> iterator of records\n\n"
                              "iterable gives lines of text, as a file or a list does. A record is a list of str,\n"
                              "and may span several lines. Keyword arguments replace fields of the dialect.";

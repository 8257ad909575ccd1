/* What the parts of _csv share: the dialect, and how readers and writers get theirs. */
#ifndef POLYGIL_CSV_IMPL_H
#define POLYGIL_CSV_IMPL_H

#include "object/module.h"
#include "object/native.h"
#include "object/str.h"

enum { CSV_QUOTE_MINIMAL, CSV_QUOTE_ALL, CSV_QUOTE_NONNUMERIC, CSV_QUOTE_NONE };
#define CSV_NO_CHAR UINT32_MAX /* no code point: never found in a text */

/* Never changes once it is made. */
typedef struct CsvDialect {
    Object hdr;
    uint32_t delimiter, quotechar, escapechar; /* the last two may be CSV_NO_CHAR */
    int32_t quoting;                           /* CSV_QUOTE_* */
    Ref lineterminator;                        /* str */
    bool doublequote, skipinitialspace, strict;
    uint64_t marked[2]; /* a bit per ASCII character that may mean something: one of the above, or the end of a line */
} CsvDialect;
/* c stands for itself, wherever it is. Others may, too. */
static inline bool csv_plain(const CsvDialect *d, uint32_t c) {
    return c < 128 && !(d->marked[c >> 6] >> (c & 63) & 1);
}

extern Type csv_dialect_type;
extern Value csv_error; /* the class Error; known once the module has been imported */
extern const TypeSpec csv_dialect_spec;
/* Dialect(given, **kw), given ABSENT for none; kw: tuple of names or ABSENT, their values at kw_values. Owned. */
Value csv_dialect_make(Value given, Value *kw_values, Value kw);
static inline CsvDialect *csv_dialect(Ref *r) {
    return (CsvDialect *)ref_peek(r);
}

/* The arguments of reader, writer and register_dialect: one or two by position, the dialect's fields by keyword. 0 or
 * -1 with TypeError. */
int csv_check_args(intptr_t nargs);

/* The dialects that have a name: str -> Dialect. */
extern Value csv_dialects;
/* Owned; Error when there is none of this name. */
Value csv_dialect_named(Value name);

extern Type csv_reader_type, csv_writer_type;
extern const TypeSpec csv_reader_spec, csv_writer_spec;
extern _Atomic(int64_t) csv_field_limit; /* code points that a field may have */
Value csv_reader_next(Value self);
Value csv_reader_new(Value module, Value *args, intptr_t nargs, Value kw);
Value csv_writer_new(Value module, Value *args, intptr_t nargs, Value kw);
extern const char csv_reader_doc[], csv_writer_doc[];

#endif

/* The layouts of exception objects. Classes: err.h. */
#ifndef POLYGIL_EXC_H
#define POLYGIL_EXC_H

#include "object/object.h"

/* Every exception starts with this. ABSENT reads as None. */
typedef struct BaseExc {
    Object hdr;
    Ref args; /* a tuple; ABSENT: () */
    Ref traceback, context, cause;
    _Atomic(uint32_t) suppress_context;
    uint32_t spare;
} BaseExc;

typedef struct StopIterationExc {
    BaseExc base;
    Ref value;
} StopIterationExc; /* SystemExit too: code */

typedef struct OSErrorExc {
    BaseExc base;
    Ref err, strerror, filename, filename2;
    int64_t written; /* BlockingIOError.characters_written, -1 unset */
} OSErrorExc;

typedef struct SyntaxErrorExc {
    BaseExc base;
    Ref msg, filename, lineno, offset, end_lineno, end_offset, text, print_file_and_line;
} SyntaxErrorExc;

typedef struct ImportErrorExc {
    BaseExc base;
    Ref msg, name, path;
} ImportErrorExc;

typedef struct NameErrorExc {
    BaseExc base;
    Ref name, obj; /* obj: AttributeError only */
} NameErrorExc;

typedef struct UnicodeErrorExc {
    BaseExc base;
    Ref encoding, object, reason;
    intptr_t start, end;
} UnicodeErrorExc;

typedef struct ExcGroup {
    BaseExc base;
    Ref msg, excs; /* str, tuple */
} ExcGroup;

/* A new instance exc(*args), without running Python code for the built-in classes. */
Value exc_new(Type *cls, Value args_tuple);
/* What `raise v` does with v (a class or an instance): an owned instance; ABSENT with TypeError. */
Value exc_from_raise(Value v);
/* Owned; V_NONE when there is none. */
Value exc_traceback(Value exc);
void exc_set_traceback(Value exc, Value tb);    /* retains; V_NONE clears */
Value exc_context(Value exc);                   /* owned or V_NONE */
void exc_set_context(Value exc, Value context); /* steals; ABSENT clears */
Value exc_cause(Value exc);
void exc_set_cause(Value exc, Value cause); /* steals; ABSENT or V_NONE clears; sets __suppress_context__ */
/* Makes handled the __context__ of exc, cutting cycles. Borrowed. */
void exc_chain(Value exc, Value handled);
Value exc_stop_value(Value stop_iteration); /* owned .value */
/* Splits a group (or a plain exception) for except*: *match and *rest owned or V_NONE. 0, -1. */
int exc_group_match(Value exc, Value type_or_tuple, Value *match, Value *rest);
/* The exception that is raised at the end of a try with except* from what the handlers raised and what is left; owned
 * or V_NONE. */
Value exc_star_result(Value original, Value list_of_raised);
/* Replaces the pending StopIteration (generators): RuntimeError "generator raised StopIteration" with it as cause. */
void exc_wrap_pending(Type *cls, const char *msg);

/* "Traceback (most recent call last): ..." as sys.excepthook prints it; chained exceptions, notes and groups included
 * (runtime/traceback_print.c). Appends to a list-free builder: new str, owned. tb: V_NONE or the traceback shown first.
 */
Value exc_format_full(Value exc, Value tb);

/* Line number `line` of the file without its end: owned str, or ABSENT (nothing pending). runtime/traceback_print.c. */
Value traceback_source_line(Value filename, int line);

/* UnicodeErrors. */
Value exc_unicode_decode(const char *encoding, Value bytes, intptr_t start, intptr_t end,
                         const char *reason); /* raises */
Value exc_unicode_encode(const char *encoding, Value str, intptr_t start, intptr_t end, const char *reason);
/* AttributeError with name and obj set. */
Value err_attribute(Value obj, Value name) COLD;
/* NameError: "name 'x' is not defined" with name set. */
Value err_name(Value name) COLD;
Value err_import(Type *cls, Value name, Value path, const char *fmt, ...) COLD;
Value err_syntax(Type *cls, Value msg, Value filename, int line, int col, int end_line, int end_col, Value text) COLD;

/* A new exception class for a module: name is "module.Class". Owned. */
Value exc_class_new(const char *name, Type *base);

void exc_init(void);

#endif

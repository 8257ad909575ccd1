/* Raising, testing and chaining exceptions. Exception classes are static Types, one per built-in exception:
 * exc_TypeError ... */
#ifndef POLYGIL_ERR_H
#define POLYGIL_ERR_H

#include <stdarg.h>

#include "object/type.h"

#define EXCEPTION_TYPES(X)                     \
    X(BaseException, NULL_BASE)                \
    X(BaseExceptionGroup, BaseException)       \
    X(GeneratorExit, BaseException)            \
    X(KeyboardInterrupt, BaseException)        \
    X(SystemExit, BaseException)               \
    X(Exception, BaseException)                \
    X(ArithmeticError, Exception)              \
    X(FloatingPointError, ArithmeticError)     \
    X(OverflowError, ArithmeticError)          \
    X(ZeroDivisionError, ArithmeticError)      \
    X(AssertionError, Exception)               \
    X(AttributeError, Exception)               \
    X(BufferError, Exception)                  \
    X(EOFError, Exception)                     \
    X(ImportError, Exception)                  \
    X(ModuleNotFoundError, ImportError)        \
    X(LookupError, Exception)                  \
    X(IndexError, LookupError)                 \
    X(KeyError, LookupError)                   \
    X(MemoryError, Exception)                  \
    X(NameError, Exception)                    \
    X(UnboundLocalError, NameError)            \
    X(OSError, Exception)                      \
    X(BlockingIOError, OSError)                \
    X(ChildProcessError, OSError)              \
    X(ConnectionError, OSError)                \
    X(BrokenPipeError, ConnectionError)        \
    X(ConnectionAbortedError, ConnectionError) \
    X(ConnectionRefusedError, ConnectionError) \
    X(ConnectionResetError, ConnectionError)   \
    X(FileExistsError, OSError)                \
    X(FileNotFoundError, OSError)              \
    X(InterruptedError, OSError)               \
    X(IsADirectoryError, OSError)              \
    X(NotADirectoryError, OSError)             \
    X(PermissionError, OSError)                \
    X(ProcessLookupError, OSError)             \
    X(TimeoutError, OSError)                   \
    X(ReferenceError, Exception)               \
    X(RuntimeError, Exception)                 \
    X(NotImplementedError, RuntimeError)       \
    X(RecursionError, RuntimeError)            \
    X(StopAsyncIteration, Exception)           \
    X(StopIteration, Exception)                \
    X(SyntaxError, Exception)                  \
    X(IndentationError, SyntaxError)           \
    X(TabError, IndentationError)              \
    X(SystemError, Exception)                  \
    X(TypeError, Exception)                    \
    X(ValueError, Exception)                   \
    X(UnicodeError, ValueError)                \
    X(UnicodeDecodeError, UnicodeError)        \
    X(UnicodeEncodeError, UnicodeError)        \
    X(UnicodeTranslateError, UnicodeError)     \
    X(Warning, Exception)                      \
    X(BytesWarning, Warning)                   \
    X(DeprecationWarning, Warning)             \
    X(EncodingWarning, Warning)                \
    X(FutureWarning, Warning)                  \
    X(ImportWarning, Warning)                  \
    X(PendingDeprecationWarning, Warning)      \
    X(ResourceWarning, Warning)                \
    X(RuntimeWarning, Warning) X(SyntaxWarning, Warning) X(UnicodeWarning, Warning) X(UserWarning, Warning)
/* ExceptionGroup has two bases: declared apart. */
#define DECLARE_EXC(name, base) extern Type exc_##name;
EXCEPTION_TYPES(DECLARE_EXC)
#undef DECLARE_EXC
extern Type exc_ExceptionGroup;

/* Formats: %s C string, %d %u %zd %zu %ld %lld %x %c as printf; %R repr of a Value, %S str of a Value, %A ascii, %T
 * class name of a Value, %N name of a Type *. All set the pending exception (replacing it, chaining to the handled one
 * as __context__) and return ABSENT. */
Value err_set(Type *exc, const char *fmt, ...) COLD;
Value err_set_value(Type *exc, Value arg) COLD; /* exc(arg); arg borrowed */
Value err_set_none(Type *exc) COLD;             /* exc() */
Value err_raise(Value instance) COLD;           /* steals an exception instance */
Value err_no_memory(void) COLD;
Value err_errno(void) COLD; /* OSError subclass from errno */
Value err_errno_file(Value filename) COLD;
Value err_key(Value key) COLD; /* KeyError(key) */
Value err_stop_iteration(Value value) COLD;
bool err_matches(Type *exc); /* pending is an instance of exc */
bool err_value_matches(Value exc_instance, Value type_or_tuple);
void err_clear(void);
Value err_fetch(void);            /* owned, nothing pending any more */
void err_restore(Value instance); /* steals; ABSENT clears */
/* Prints "Exception ignored in: ..." through sys.unraisablehook; clears. */
void err_unraisable(const char *what, Value where);
/* 0, or -1 when the warning was turned into an exception. */
int err_warn(Type *category, int stacklevel, const char *fmt, ...);
/* The same at a place of its own; message str, borrowed. modules/mod__warnings.c */
int err_warn_explicit(Type *category, Value message, Value filename, int lineno);
/* str.format of the same directives: new str. */
Value str_format_c(const char *fmt, ...);
Value str_format_v(const char *fmt, va_list ap);

#endif

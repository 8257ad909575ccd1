#include "front/syntax_error.h"

#include "object/int.h"
#include "object/str.h"
#include "object/tuple.h"

enum { NO_OFFSET = INT_MIN };

static void raise_with(Type *exc, Value msg, Value filename, int lineno, int offset, Value text, int end_lineno,
                       int end_offset) {
    if (msg == ABSENT)
        return;
    Value where = tuple_pack(6, filename != ABSENT ? filename : V_NONE, v_from_int(lineno), v_from_int(offset), text,
                             v_from_int(end_lineno), end_offset != NO_OFFSET ? v_from_int(end_offset) : V_NONE);
    Value e = where != ABSENT ? obj_call2(V_OF(exc), msg, where) : ABSENT;
    release(where);
    release(msg);
    if (e != ABSENT)
        err_raise(e);
}

void syntax_error_raise(Type *exc, Value filename, int lineno, int offset, Value text, int end_lineno, int end_offset,
                        const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value msg = str_format_v(fmt, ap);
    va_end(ap);
    raise_with(exc, msg, filename, lineno, offset, text, end_lineno, end_offset);
}

/* The line of a source file, or V_NONE. Owned. */
static Value file_line(Value filename, int lineno) {
    if (filename == ABSENT || !v_is_str(filename) || lineno <= 0)
        return V_NONE;
    size_t n;
    const char *path = str_utf8(filename, &n);
    if (path == NULL) {
        err_clear();
        return V_NONE;
    }
    if (strlen(path) != n)
        return V_NONE;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return V_NONE;
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = -1;
    for (int i = 0; i < lineno; i++)
        if ((len = getline(&line, &cap, f)) < 0)
            break;
    fclose(f);
    Value v = len >= 0 ? str_from_utf8_lossy(line, (size_t)len) : V_NONE;
    free(line);
    if (v == ABSENT) {
        err_clear();
        v = V_NONE;
    }
    return v;
}

static void raise_node(Value filename, AstPos pos, Value msg) {
    Value text = file_line(filename, pos.lineno);
    raise_with(&exc_SyntaxError, msg, filename, pos.lineno, pos.col + 1, text, pos.end_lineno, pos.end_col + 1);
    release(text);
}

void syntax_error_node(Value filename, AstPos pos, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value msg = str_format_v(fmt, ap);
    va_end(ap);
    raise_node(filename, pos, msg);
}

void syntax_error_point(Value filename, AstPos pos, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value msg = str_format_v(fmt, ap);
    va_end(ap);
    Value text = file_line(filename, pos.lineno);
    raise_with(&exc_SyntaxError, msg, filename, pos.lineno, pos.col + 1, text, pos.lineno, NO_OFFSET);
    release(text);
}

int syntax_warning(Type *category, Value filename, AstPos pos, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value msg = str_format_v(fmt, ap);
    va_end(ap);
    if (msg == ABSENT)
        return -1;
    int r = err_warn_explicit(category, msg, filename, pos.lineno);
    if (r < 0 && err_matches(category)) {
        /* Warnings that are errors have the place of an error. */
        err_clear();
        raise_node(filename, pos, msg);
        return -1;
    }
    release(msg);
    return r;
}

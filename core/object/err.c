/* Raising exceptions, and the formatter of messages. */
#include <errno.h>

#include "interp/interp.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"
#include "tracer.h"

/* ---- formatting ---- */

static void put_utf8(StrBuilder *b, const char *s, size_t n) {
    size_t i = 0;
    while (i < n && (unsigned char)s[i] < 0x80)
        i++;
    if (i == n) {
        sb_ascii(b, s, n);
        return;
    }
    Value v = str_from_utf8_lossy(s, n);
    if (v)
        sb_str(b, v);
    release(v);
}

/* 0, -1 when making the text of a value failed. */
static int put_format(StrBuilder *b, const char *fmt, va_list ap) {
    for (const char *p = fmt; *p;) {
        const char *q = strchr(p, '%');
        if (!q) {
            put_utf8(b, p, strlen(p));
            break;
        }
        if (q > p)
            put_utf8(b, p, (size_t)(q - p));
        p = q + 1;
        char spec[32] = "%";
        size_t n = 1;
        int star[2] = {0, 0}, n_star = 0;
        int precision = -1;
        while (*p && strchr("-+ #0123456789.*", *p) && n < 16) {
            if (*p == '*')
                star[n_star++] = va_arg(ap, int);
            if (*p == '.')
                precision = p[1] == '*' ? -2 : atoi(p + 1);
            spec[n++] = *p++;
        }
        if (precision == -2)
            precision = star[n_star - 1];
        int size = 0; /* 1 long, 2 long long, 3 size_t */
        while (*p == 'l' || *p == 'z') {
            size = *p == 'z' ? 3 : size + 1;
            spec[n++] = *p++;
        }
        char c = *p++;
        char buf[64];
        switch (c) {
        case '%':
            sb_char(b, '%');
            break;
        case 'c':
            sb_char(b, (uint32_t)va_arg(ap, int));
            break;
        case 's': {
            const char *s = va_arg(ap, const char *);
            if (!s)
                s = "(null)";
            size_t len = precision >= 0 ? strnlen(s, (size_t)precision) : strlen(s);
            put_utf8(b, s, len);
            break;
        }
        case 'd':
        case 'i':
        case 'u':
        case 'x':
        case 'X':
        case 'o': {
            spec[n++] = c;
            spec[n] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            if (n_star)
                fatal("star width in a number");
            if (size == 1)
                snprintf(buf, sizeof buf, spec, va_arg(ap, long));
            else if (size == 2)
                snprintf(buf, sizeof buf, spec, va_arg(ap, long long));
            else if (size == 3)
                snprintf(buf, sizeof buf, spec, va_arg(ap, size_t));
            else
                snprintf(buf, sizeof buf, spec, va_arg(ap, int));
#pragma GCC diagnostic pop
            sb_cstr(b, buf);
            break;
        }
        case 'p':
            snprintf(buf, sizeof buf, "%p", va_arg(ap, void *));
            sb_cstr(b, buf);
            break;
        case 'R':
        case 'S':
        case 'A':
        case 'U': {
            Value v = va_arg(ap, Value);
            Value s = c == 'R' ? obj_repr(v) : c == 'A' ? obj_ascii(v) : obj_str(v);
            if (!s)
                return -1;
            if (precision >= 0 && str_len(s) > precision)
                sb_substr(b, s, 0, precision);
            else
                sb_str(b, s);
            release(s);
            break;
        }
        case 'T': {
            Value v = va_arg(ap, Value);
            const char *s = v ? type_cname(type_of(v)) : "NULL";
            put_utf8(b, s, strlen(s));
            break;
        }
        case 'N': {
            const char *s = type_cname(va_arg(ap, Type *));
            put_utf8(b, s, strlen(s));
            break;
        }
        default:
            fatal("unknown directive in a format");
        }
    }
    return 0;
}

Value str_format_v(const char *fmt, va_list ap) {
    StrBuilder b;
    sb_init(&b);
    if (put_format(&b, fmt, ap) < 0) {
        sb_free(&b);
        return ABSENT;
    }
    return sb_finish(&b);
}
Value str_format_c(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value v = str_format_v(fmt, ap);
    va_end(ap);
    return v;
}

/* ---- setting ---- */

/* Made at start, so that running out of memory can always be said. */
static Value spare_memory_error;

void err_restore(Value e) {
    Thread *t = thread_self();
    Value old = t->exc;
    t->exc = e;
    release(old);
}
Value err_fetch(void) {
    Thread *t = thread_self();
    Value e = t->exc;
    t->exc = ABSENT;
    return e;
}
void err_clear(void) {
    Thread *t = thread_self();
    if (t->exc) {
        Value old = t->exc;
        t->exc = ABSENT;
        release(old);
    }
}

Value err_raise(Value e) {
    Value handled = interp_handled();
    if (handled && handled != V_NONE && handled != e)
        exc_chain(e, handled);
    err_restore(e);
    return ABSENT;
}

static Value raise_with(Type *cls, Value args) {
    Value e = args ? exc_new(cls, args) : ABSENT;
    if (!e) /* the failure's own exception is pending */
        return ABSENT;
    if (!v_is_exc(e)) {
        release(e);
        return err_set(&exc_TypeError, "calling <class '%s'> should have returned an instance of BaseException",
                       type_cname(cls));
    }
    return err_raise(e);
}

Value err_set_value(Type *cls, Value arg) {
    Value args = tuple_pack(1, arg);
    raise_with(cls, args);
    release(args);
    return ABSENT;
}
Value err_set_none(Type *cls) {
    return raise_with(cls, tuple_empty());
}

Value err_set(Type *cls, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value msg = str_format_v(fmt, ap);
    va_end(ap);
    if (msg)
        err_set_value(cls, msg);
    release(msg);
    return ABSENT;
}
Value err_key(Value key) {
    return err_set_value(&exc_KeyError, key);
}
Value err_stop_iteration(Value v) {
    return v == V_NONE || !v ? err_set_none(&exc_StopIteration) : err_set_value(&exc_StopIteration, v);
}

Value err_no_memory(void) {
    Value e = obj_new(&exc_MemoryError); /* may fail: then nothing is pending yet and obj_new calls us: guarded below */
    if (e)
        return err_raise(e);
    return ABSENT;
}

/* Called by obj_new_sized when the heap is exhausted. */
Value err_no_memory_last(void) {
    err_restore(retained(spare_memory_error));
    return ABSENT;
}

static Value errno_args(Value filename) {
    int e = errno;
    char buf[128];
    const char *s = strerror_r(e, buf, sizeof buf);
    Value text = str_from_utf8_lossy(s, strlen(s));
    Value args = !text      ? ABSENT
                 : filename ? tuple_pack(3, v_from_int(e), text, filename)
                            : tuple_pack(2, v_from_int(e), text);
    release(text);
    return args;
}
Value err_errno(void) {
    return err_errno_file(ABSENT);
}
Value err_errno_file(Value filename) {
    if (errno == EINTR && excl_poll() < 0)
        return ABSENT;
    Value args = errno_args(filename);
    raise_with(&exc_OSError, args);
    release(args);
    return ABSENT;
}

bool err_matches(Type *exc) {
    Value e = thread_self()->exc;
    return e && type_is_subtype(type_of(e), exc);
}
bool err_value_matches(Value e, Value target) {
    if (v_is_tuple(target)) {
        for (intptr_t i = 0; i < tuple_len(target); i++)
            if (err_value_matches(e, tuple_get(target, i)))
                return true;
        return false;
    }
    return v_is_type(target) && type_is_subtype(type_of(e), (Type *)target);
}

Value err_name(Value name) {
    err_set(&exc_NameError, "name '%S' is not defined", name);
    Value e = err_fetch();
    if (e && type_is_subtype(type_of(e), &exc_NameError))
        ref_store(e, &((NameErrorExc *)e)->name, retained(name));
    err_restore(e);
    return ABSENT;
}

Value err_import(Type *cls, Value name, Value path, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value msg = str_format_v(fmt, ap);
    va_end(ap);
    if (!msg)
        return ABSENT;
    err_set_value(cls, msg);
    Value e = err_fetch();
    if (e && type_is_subtype(type_of(e), &exc_ImportError)) {
        ImportErrorExc *x = (ImportErrorExc *)e;
        if (name)
            ref_store(e, &x->name, retained(name));
        if (path)
            ref_store(e, &x->path, retained(path));
    }
    err_restore(e);
    release(msg);
    return ABSENT;
}

static Value pos_or_none(int n) {
    return n < 0 ? V_NONE : v_from_int(n);
}

Value err_syntax(Type *cls, Value msg, Value filename, int line, int col, int end_line, int end_col, Value text) {
    Value loc = tuple_pack(6, filename ? filename : V_NONE, pos_or_none(line), pos_or_none(col), text ? text : V_NONE,
                           pos_or_none(end_line), pos_or_none(end_col));
    Value args = loc ? tuple_pack(2, msg, loc) : ABSENT;
    raise_with(cls, args);
    release(args);
    release(loc);
    return ABSENT;
}

/* ---- exceptions nobody can catch ---- */

void unraisable_default(Value exc, Value err_msg, Value object); /* runtime/traceback_print.c */
Value unraisable_args(Value exc, Value err_msg,
                      Value object); /* mod_sys.c: the struct sequence; ABSENT before sys exists */

void err_unraisable(const char *what, Value where) {
    Value e = err_fetch();
    if (!e)
        return;
    /* What is said before the object; just "Exception ignored in" when nothing special. */
    Value msg = V_NONE;
    if (what && *what && strncmp(what, "Exception ignored in: ", 22) != 0 && strcmp(what, "Exception ignored in") != 0)
        msg = strncmp(what, "Exception", 9) == 0 ? str_from_c(what) : str_format_c("Exception ignored %s", what);
    Value hook = sys_get("unraisablehook");
    Value args = hook ? unraisable_args(e, msg, where ? where : V_NONE) : ABSENT;
    if (args) {
        Value r = obj_call1(hook, args);
        if (!r) {
            err_clear();
            unraisable_default(e, msg, where ? where : V_NONE);
        }
        release(r);
        release(args);
    } else {
        err_clear();
        unraisable_default(e, msg, where ? where : V_NONE);
    }
    release(hook);
    release(msg);
    release(e);
    err_clear();
}

int warnings_warn(Value category, Value message, int stacklevel, Value source); /* mod__warnings.c */

int err_warn(Type *category, int stacklevel, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value msg = str_format_v(fmt, ap);
    va_end(ap);
    if (!msg)
        return -1;
    int r = warnings_warn(V_OF(category), msg, stacklevel, ABSENT);
    release(msg);
    return r;
}

void err_init(void) {
    spare_memory_error = obj_new(&exc_MemoryError);
    if (!spare_memory_error)
        fatal("out of memory at start");
    count_set_uncounted(v_obj(spare_memory_error));
    handle_register((Ref *)&spare_memory_error);
}

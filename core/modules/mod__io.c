/* _io: open() and the module's names. The stream types are in io_*.c. */
#include <unistd.h>

#include "io.h"
#include "object/dict.h"
#include "object/int.h"

typedef struct Mode {
    bool creating, reading, writing, appending, updating, text, binary;
} Mode;

static int parse_mode(const char *mode, Mode *m) {
    memset(m, 0, sizeof *m);
    for (const char *p = mode; *p; p++) {
        bool *flag = *p == 'x'   ? &m->creating
                     : *p == 'r' ? &m->reading
                     : *p == 'w' ? &m->writing
                     : *p == 'a' ? &m->appending
                     : *p == '+' ? &m->updating
                     : *p == 't' ? &m->text
                     : *p == 'b' ? &m->binary
                                 : NULL;
        if (!flag || *flag) {
            err_set(&exc_ValueError, "invalid mode: '%s'", mode);
            return -1;
        }
        *flag = true;
    }
    if (m->text && m->binary) {
        err_set(&exc_ValueError, "can't have text and binary mode at once");
        return -1;
    }
    if (m->creating + m->reading + m->writing + m->appending > 1) {
        err_set(&exc_ValueError, "must have exactly one of create/read/write/append mode");
        return -1;
    }
    return 0;
}

static Value text_arg(Value v) {
    return v == ABSENT ? V_NONE : v;
}

static Value open_stream(Value file, const char *mode, intptr_t buffering, Value encoding, Value errors, Value newline,
                         int closefd, Value opener) {
    Mode m;
    if (parse_mode(mode, &m) < 0)
        return ABSENT;
    if (m.binary && encoding != V_NONE)
        return err_set(&exc_ValueError, "binary mode doesn't take an encoding argument");
    if (m.binary && errors != V_NONE)
        return err_set(&exc_ValueError, "binary mode doesn't take an errors argument");
    if (m.binary && newline != V_NONE)
        return err_set(&exc_ValueError, "binary mode doesn't take a newline argument");
    char raw_mode[6], *p = raw_mode;
    if (m.creating)
        *p++ = 'x';
    if (m.reading)
        *p++ = 'r';
    if (m.writing)
        *p++ = 'w';
    if (m.appending)
        *p++ = 'a';
    if (m.updating)
        *p++ = '+';
    *p = 0;
    Value mode_v = str_from_c(raw_mode);
    if (mode_v == ABSENT)
        return ABSENT;
    Value a[4] = {file, mode_v, v_bool(closefd), opener}, raw = obj_call(V_OF(&fileio_type), a, 4, ABSENT), result;
    release(mode_v);
    if (raw == ABSENT)
        return ABSENT;
    result = raw;
    int fd = LOAD_RELAXED(&((FileIO *)raw)->fd);
    bool line_buffering = buffering == 1 && !m.binary;
    bool tty = buffering < 0 && isatty(fd);
    if (tty || (buffering == 1 && m.binary)) {
        if (buffering == 1 &&
            err_warn(&exc_RuntimeWarning, 1,
                     "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be "
                     "used") < 0)
            goto fail;
        line_buffering = tty && !m.binary;
        buffering = -1;
    }
    if (buffering < 0 || buffering == 1)
        buffering = IO_BUFFER_SIZE;
    if (buffering == 0) {
        if (!m.binary) {
            err_set(&exc_ValueError, "can't have unbuffered text I/O");
            goto fail;
        }
        return raw;
    }
    Type *t = m.updating                               ? &buffered_random_type
              : m.creating || m.writing || m.appending ? &buffered_writer_type
              : m.reading                              ? &buffered_reader_type
                                                       : NULL;
    if (!t) {
        err_set(&exc_ValueError, "unknown mode: '%s'", mode);
        goto fail;
    }
    Value buffer = obj_call2(V_OF(t), raw, v_from_int(buffering));
    if (buffer == ABSENT)
        goto fail;
    release(raw);
    result = buffer;
    if (m.binary)
        return buffer;
    Value ta[5] = {buffer, encoding, errors, newline, v_bool(line_buffering)};
    Value wrapper = obj_call(V_OF(&textiowrapper_type), ta, 5, ABSENT);
    if (wrapper == ABSENT)
        goto fail;
    release(buffer);
    result = wrapper;
    mode_v = str_from_c(mode);
    if (mode_v == ABSENT || obj_setattr(wrapper, ID("mode"), mode_v) < 0) {
        release(mode_v);
        goto fail;
    }
    release(mode_v);
    return wrapper;
fail:;
    Value pending = err_fetch(), c = io_call(result, "close");
    if (c == ABSENT)
        err_clear();
    release(c);
    release(result);
    err_restore(pending);
    return ABSENT;
}

static Value io_open_m(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *mode = "r";
    int64_t buffering = -1;
    int closefd = 1;
    Value mode_v = arg_at(args, nargs, 1);
    if (mode_v != ABSENT) {
        if (!v_is_str(mode_v))
            return err_set(&exc_TypeError, "open() argument 'mode' must be str, not %T", mode_v);
        if (!(mode = str_utf8_nonul(mode_v)))
            return ABSENT;
    }
    if (arg_at(args, nargs, 2) != ABSENT && num_as_i64(args[2], &buffering) < 0)
        return ABSENT;
    if (arg_at(args, nargs, 6) != ABSENT && (closefd = obj_truth(args[6])) < 0)
        return ABSENT;
    for (int i = 3; i <= 5; i++)
        if (arg_at(args, nargs, i) != ABSENT && args[i] != V_NONE && !v_is_str(args[i]))
            return err_set(&exc_TypeError, "open() argument '%s' must be str or None, not %T",
                           i == 3   ? "encoding"
                           : i == 4 ? "errors"
                                    : "newline",
                           args[i]);
    return open_stream(args[0], mode, (intptr_t)buffering, text_arg(arg_at(args, nargs, 3)),
                       text_arg(arg_at(args, nargs, 4)), text_arg(arg_at(args, nargs, 5)), closefd,
                       text_arg(arg_at(args, nargs, 7)));
}
static Value io_open_code(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "open_code() argument 'path' must be str, not %T", args[0]);
    return open_stream(args[0], "rb", -1, V_NONE, V_NONE, V_NONE, 1, V_NONE);
}
static Value io_text_encoding(Value self, Value *args, intptr_t nargs, Value kw) {
    return args[0] == V_NONE ? retained(ID("locale")) : retained(args[0]);
}

static const NativeDef functions[] = {
    {"open", io_open_m,
     "($module, /, file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"},
    {"open_code", io_open_code, "($module, /, path)"},
    {"text_encoding", io_text_encoding, "($module, encoding, stacklevel=2, /)"},
    {NULL},
};

/* The namespace of a class that belongs to a module. */
static Value class_namespace(const char *module) {
    Value d = dict_new(), name = str_from_c(module);
    if (d == ABSENT || name == ABSENT || dict_set_str(d, "__module__", name) < 0) {
        release(d);
        d = ABSENT;
    }
    release(name);
    return d;
}

static int fill(Value m) {
    /* class UnsupportedOperation(OSError, ValueError) */
    Value bases = tuple_pack(2, V_OF(&exc_OSError), V_OF(&exc_ValueError)), dict = class_namespace("io"),
          name = ID("UnsupportedOperation");
    if (bases == ABSENT || dict == ABSENT)
        return -1;
    io_unsupported_type = type_new(&type_type, name, bases, dict, NULL, ABSENT);
    release(bases);
    release(dict);
    if (io_unsupported_type == ABSENT)
        return -1;
    return module_add(m, "UnsupportedOperation", retained(io_unsupported_type)) < 0 ||
                   module_add(m, "BlockingIOError", V_OF(&exc_BlockingIOError)) < 0 ||
                   module_add_int(m, "DEFAULT_BUFFER_SIZE", IO_BUFFER_SIZE) < 0 || io_base_init(m) < 0 ||
                   io_file_init(m) < 0 || io_bytes_init(m) < 0 || io_newline_init(m) < 0 || io_string_init(m) < 0 ||
                   io_buffered_init(m) < 0 || io_text_init(m) < 0
               ? -1
               : 0;
}

const ModuleSpec module__io = {
    .name = "_io",
    .doc = "The io module provides the Python interfaces to stream handling.",
    .functions = functions,
    .exec = fill,
};

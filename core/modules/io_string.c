/* StringIO: a text stream over a growing array of code points. */
#include "io.h"
#include "object/dict.h"
#include "object/int.h"

Type stringio_type;

typedef struct StringIO {
    Object hdr;
    IoLock lock;
    uint32_t *buf;
    size_t len, cap, pos;
    bool closed;
    bool universal, translate; /* reading */
    char write_nl[3];          /* what a written LF becomes; "" leaves it */
    char read_nl[3];           /* what ends a line; "" : universal without translation */
    bool newline_none;
    Newlines state;
} StringIO;

static bool enter(StringIO *s) {
    io_lock_enter_again(&s->lock);
    if (!s->closed)
        return true;
    io_lock_leave(&s->lock);
    err_set(&exc_ValueError, "I/O operation on closed file");
    return false;
}
static Value leave(StringIO *s, Value v) {
    io_lock_leave(&s->lock);
    return v;
}

static Value stringio_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        io_lock_init(&((StringIO *)self)->lock);
        trace_track(v_obj(self));
    }
    return self;
}

static bool put(StringIO *s, Value text) {
    size_t n = (size_t)str_len(text), end = s->pos + n;
    if (end > s->cap) {
        size_t cap = end + end / 2 + 32;
        uint32_t *p = realloc(s->buf, cap * sizeof *p);
        if (!p) {
            err_no_memory();
            return false;
        }
        s->buf = p;
        s->cap = cap;
    }
    if (s->pos > s->len)
        memset(s->buf + s->len, 0, (s->pos - s->len) * sizeof *s->buf);
    const void *d = str_data(text);
    int kind = str_kind(text);
    for (size_t i = 0; i < n; i++)
        s->buf[s->pos + i] = str_at_kind(d, kind, (intptr_t)i);
    s->pos = end;
    if (end > s->len)
        s->len = end;
    return true;
}

/* Applies the newline rules to text that is written. Steals nothing. */
static bool write_text(StringIO *s, Value text) {
    Value t = retained(text);
    if (s->universal)
        t = newlines_decode(&s->state, t, s->translate, true);
    if (t != ABSENT && s->write_nl[0]) {
        Value lf = str_from_char('\n'), nl = str_from_c(s->write_nl), r = ABSENT;
        if (lf != ABSENT && nl != ABSENT)
            r = str_replace(t, lf, nl, -1);
        release(lf);
        release(nl);
        release(t);
        t = r;
    }
    if (t == ABSENT)
        return false;
    bool ok = put(s, t);
    release(t);
    return ok;
}

static Value stringio_init(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    Value init = arg_at(args, nargs, 0), nl = arg_at(args, nargs, 1);
    const char *newline = "\n";
    if (nl == V_NONE) {
        newline = NULL;
    } else if (nl != ABSENT) {
        if (!v_is_str(nl))
            return err_set(&exc_TypeError, "newline must be str or None, not %T", nl);
        newline = str_utf8(nl, NULL);
        if (!newline)
            return ABSENT;
        if (strcmp(newline, "") && strcmp(newline, "\n") && strcmp(newline, "\r") && strcmp(newline, "\r\n"))
            return err_set(&exc_ValueError, "illegal newline value: %R", nl);
    }
    if (init != ABSENT && init != V_NONE && !v_is_str(init))
        return err_set(&exc_TypeError, "initial_value must be str or None, not %T", init);
    io_lock_enter_again(&s->lock);
    s->closed = false;
    s->len = s->pos = 0;
    s->state = (Newlines){0};
    s->newline_none = newline == NULL;
    s->universal = newline == NULL || newline[0] == 0;
    s->translate = newline == NULL;
    s->write_nl[0] = 0;
    if (newline && newline[0] == '\r')
        snprintf(s->write_nl, sizeof s->write_nl, "%s", newline);
    snprintf(s->read_nl, sizeof s->read_nl, "%s", newline ? newline : "\n");
    bool ok = init == ABSENT || init == V_NONE || write_text(s, init);
    s->pos = 0;
    io_lock_leave(&s->lock);
    return ok ? V_NONE : ABSENT;
}

static Value stringio_write(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "string argument expected, got '%T'", args[0]);
    if (!enter(s))
        return ABSENT;
    return leave(s, write_text(s, args[0]) ? v_from_int(str_len(args[0])) : ABSENT);
}
static size_t available(StringIO *s, intptr_t n) {
    size_t left = s->pos < s->len ? s->len - s->pos : 0;
    return n < 0 || (size_t)n > left ? left : (size_t)n;
}
static Value take(StringIO *s, size_t n) {
    Value v = n ? str_from_kind(s->buf + s->pos, 4, n) : str_empty();
    if (v != ABSENT)
        s->pos += n;
    return v;
}
static Value stringio_read(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    intptr_t n;
    if (io_size_arg(arg_at(args, nargs, 0), &n) < 0 || !enter(s))
        return ABSENT;
    return leave(s, take(s, available(s, n)));
}
/* Code points up to and with the next line end, at most n. */
static size_t line_length(const StringIO *s, size_t n) {
    const uint32_t *p = s->buf + s->pos;
    for (size_t i = 0; i < n; i++) {
        if (s->universal && !s->translate) {
            if (p[i] == '\n')
                return i + 1;
            if (p[i] == '\r')
                return i + 1 < n && p[i + 1] == '\n' ? i + 2 : i + 1;
        } else if (s->read_nl[0] == '\r') {
            if (p[i] == '\r' && (!s->read_nl[1] || (i + 1 < n && p[i + 1] == '\n')))
                return i + 1 + (s->read_nl[1] != 0);
        } else if (p[i] == '\n') {
            return i + 1;
        }
    }
    return n;
}
static Value stringio_readline(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    intptr_t limit;
    if (io_size_arg(arg_at(args, nargs, 0), &limit) < 0 || !enter(s))
        return ABSENT;
    size_t n = available(s, limit);
    return leave(s, take(s, n ? line_length(s, n) : 0));
}
static Value stringio_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value line = stringio_readline(self, NULL, 0, ABSENT);
    if (line == ABSENT || str_len(line) > 0)
        return line;
    release(line);
    return err_set_none(&exc_StopIteration);
}
static Value stringio_getvalue(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    return enter(s) ? leave(s, s->len ? str_from_kind(s->buf, 4, s->len) : str_empty()) : ABSENT;
}
static Value stringio_seek(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    intptr_t pos;
    int whence = 0;
    if (num_as_index(args[0], &pos, &exc_OverflowError) < 0 || (nargs > 1 && num_as_int(args[1], &whence) < 0) ||
        !enter(s))
        return ABSENT;
    if (whence < 0 || whence > 2)
        return leave(s, err_set(&exc_ValueError, "Invalid whence (%d, should be 0, 1 or 2)", whence));
    if (whence == 0 && pos < 0)
        return leave(s, err_set(&exc_ValueError, "Negative seek position %zd", (ssize_t)pos));
    if (whence != 0 && pos != 0)
        return leave(s, err_set(&exc_OSError, "Can't do nonzero cur-relative seeks"));
    s->pos = whence == 0 ? (size_t)pos : whence == 1 ? s->pos : s->len;
    return leave(s, v_from_int((int64_t)s->pos));
}
static Value stringio_tell(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    return enter(s) ? leave(s, v_from_int((int64_t)s->pos)) : ABSENT;
}
static Value stringio_truncate(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    intptr_t n = -1;
    bool given = arg_at(args, nargs, 0) != ABSENT && args[0] != V_NONE;
    if (given && num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    if (given && n < 0)
        return err_set(&exc_ValueError, "Negative size value %zd", (ssize_t)n);
    if (!enter(s))
        return ABSENT;
    size_t size = given ? (size_t)n : s->pos;
    if (size < s->len)
        s->len = size;
    return leave(s, v_from_int((int64_t)size));
}
static Value stringio_close(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    io_lock_enter_again(&s->lock);
    s->closed = true;
    free(s->buf);
    s->buf = NULL;
    s->len = s->cap = 0;
    return leave(s, V_NONE);
}
static Value stringio_true(Value self, Value *args, intptr_t nargs, Value kw) {
    return ((StringIO *)self)->closed ? err_set(&exc_ValueError, "I/O operation on closed file") : V_TRUE;
}
static Value stringio_getstate(Value self, Value *args, intptr_t nargs, Value kw) {
    StringIO *s = (StringIO *)self;
    Value text = stringio_getvalue(self, NULL, 0, ABSENT), dict, r = ABSENT;
    if (text == ABSENT)
        return ABSENT;
    dict = obj_get_dict(self);
    if (dict != ABSENT) {
        Value copy = dict_len(dict) ? dict_copy(dict) : V_NONE,
              nl = s->newline_none ? V_NONE : str_from_c(s->universal ? "" : s->read_nl);
        if (copy != ABSENT && nl != ABSENT)
            r = tuple_pack(4, text, nl, v_from_int((int64_t)s->pos), copy);
        release(copy);
        release(nl);
        release(dict);
    }
    release(text);
    return r;
}
static Value stringio_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_tuple(args[0]) || tuple_len(args[0]) < 4)
        return err_set(&exc_TypeError, "%T.__setstate__ argument should be 4-tuple, got %T", self, args[0]);
    Value init[2] = {tuple_get(args[0], 0), tuple_get(args[0], 1)}, pos = tuple_get(args[0], 2),
          dict = tuple_get(args[0], 3);
    if (stringio_init(self, init, 2, ABSENT) == ABSENT || stringio_seek(self, &pos, 1, ABSENT) == ABSENT)
        return ABSENT;
    if (dict != V_NONE) {
        Value own = obj_get_dict(self);
        if (own == ABSENT)
            return ABSENT;
        int bad = dict_update(own, dict);
        release(own);
        if (bad < 0)
            return ABSENT;
    }
    return V_NONE;
}
static Value stringio_get_closed(Value self) {
    return v_bool(((StringIO *)self)->closed);
}
static Value stringio_get_line_buffering(Value self) {
    return stringio_true(self, NULL, 0, ABSENT) == ABSENT ? ABSENT : V_FALSE;
}
static Value stringio_get_newlines(Value self) {
    StringIO *s = (StringIO *)self;
    if (stringio_true(self, NULL, 0, ABSENT) == ABSENT)
        return ABSENT;
    return s->universal ? newlines_seen(s->state.seen) : V_NONE;
}

static void stringio_fini(Value self) {
    free(((StringIO *)self)->buf);
}
static const TypeOps stringio_ops = {NULL, NULL, stringio_fini};

static const NativeDef methods[] = {
    {"__new__", stringio_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__init__", stringio_init, "($self, initial_value='', newline='\\n')"},
    {"read", stringio_read, "($self, size=-1, /)"},
    {"readline", stringio_readline, "($self, size=-1, /)"},
    {"write", stringio_write, "($self, s, /)"},
    {"getvalue", stringio_getvalue, "($self, /)"},
    {"seek", stringio_seek, "($self, pos, whence=0, /)"},
    {"tell", stringio_tell, "($self, /)"},
    {"truncate", stringio_truncate, "($self, pos=None, /)"},
    {"close", stringio_close, "($self, /)"},
    {"readable", stringio_true, "($self, /)"},
    {"writable", stringio_true, "($self, /)"},
    {"seekable", stringio_true, "($self, /)"},
    {"__next__", stringio_next, "($self, /)"},
    {"__getstate__", stringio_getstate, "($self, /)"},
    {"__setstate__", stringio_setstate, "($self, state, /)"},
    {NULL},
};
static const GetSetDef getsets[] = {{"closed", stringio_get_closed},
                                    {"line_buffering", stringio_get_line_buffering},
                                    {"newlines", stringio_get_newlines},
                                    {NULL}};

int io_string_init(Value m) {
    static const TypeSpec spec = {.name = "_io.StringIO",
                                  .doc = "Text I/O implementation using an in-memory buffer.",
                                  .base = &textiobase_type,
                                  .basic_size = sizeof(StringIO),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                  .ops = &stringio_ops,
                                  .methods = methods,
                                  .getsets = getsets};
    type_init_module_type(&stringio_type, &spec);
    return module_add_type(m, &stringio_type);
}

/* Exception classes: layouts, constructors and texts. Groups: exc_group.c. */
#include "object/exc.h"

#include <errno.h>

#include "object/bytes.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

#define DEFINE_EXC(name, base) Type exc_##name;
EXCEPTION_TYPES(DEFINE_EXC)
#undef DEFINE_EXC
Type exc_ExceptionGroup;

static BaseExc *B(Value v) {
    return (BaseExc *)v;
}

static Value load(Value self, Ref *r) {
    ExclCs cs;
    excl_read_begin(&cs, self);
    Value v = ref_load(self, r);
    excl_read_end(&cs);
    return v;
}
static Value load_none(Value self, Ref *r) {
    Value v = load(self, r);
    return v ? v : V_NONE;
}
static NOINLINE void store_shared(Value self, Ref *r, Value v) {
    ExclCs cs;
    excl_cs_begin(&cs, self);
    Value old = ref_swap(self, r, v);
    excl_cs_end(&cs);
    release(old);
}
/* Steals v. */
static ALWAYS_INLINE void store(Value self, Ref *r, Value v) {
    if (LIKELY(obj_is_private(self)))
        release(ref_swap_private(self, r, v));
    else
        store_shared(self, r, v);
}

/* ---- BaseException ---- */

static Value args_of(Value self) {
    Value a = load(self, &B(self)->args);
    return a ? a : retained(tuple_empty());
}

Value exc_base_new(Value cls, Value *args, intptr_t nargs) {
    Value v = obj_new((Type *)cls);
    if (!v)
        return ABSENT;
    Value a = tuple_from(args, nargs);
    if (!a) {
        release(v);
        return ABSENT;
    }
    ref_init(&B(v)->args, a);
    trace_track(v_obj(v));
    return v;
}
static Value base_new(Value self, Value *args, intptr_t nargs, Value kw) {
    return exc_base_new(self, args, nargs);
}
static int set_args(Value self, Value *args, intptr_t nargs) {
    Value a = tuple_from(args, nargs);
    if (!a)
        return -1;
    store(self, &B(self)->args, a);
    return 0;
}
static int no_keywords(Value self, Value kw) {
    if (!kw || tuple_len(kw) == 0)
        return 0;
    err_set(&exc_TypeError, "%T() takes no keyword arguments", self);
    return -1;
}
static Value base_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (no_keywords(self, kw) < 0)
        return ABSENT;
    /* __new__ has stored the same arguments as a rule */
    Value a = ref_peek(&B(self)->args);
    bool same = a && tuple_len(a) == nargs;
    for (intptr_t i = 0; same && i < nargs; i++)
        same = tuple_get(a, i) == args[i];
    if (!same && set_args(self, args, nargs) < 0)
        return ABSENT;
    return V_NONE;
}
static Value base_str(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = args_of(self), r;
    intptr_t n = tuple_len(a);
    r = n == 0 ? retained(str_empty()) : n == 1 ? obj_str(tuple_get(a, 0)) : obj_str(a);
    release(a);
    return r;
}
static Value base_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = args_of(self), n = type_name(type_of(self));
    Value r = tuple_len(a) == 1 ? str_format_c("%S(%R)", n, tuple_get(a, 0)) : str_format_c("%S%R", n, a);
    release(a);
    release(n);
    return r;
}
static Value reduce_with(Value self, Value args) { /* steals args */
    if (!args)
        return ABSENT;
    Value d = attrs_snapshot(self), cls = V_OF(type_of(self));
    Value r = !d ? ABSENT : d != V_NONE ? tuple_pack(3, cls, args, d) : tuple_pack(2, cls, args);
    release(d);
    release(args);
    return r;
}
static Value base_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return reduce_with(self, args_of(self));
}
static Value base_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    if (args[0] == V_NONE)
        return V_NONE;
    if (!v_is_dict(args[0]))
        return err_set(&exc_TypeError, "state is not a dictionary");
    Value k, v;
    for (intptr_t pos = 0; dict_next(args[0], &pos, &k, &v);) {
        int r = obj_setattr(self, k, v);
        release(k);
        release(v);
        if (r < 0)
            return ABSENT;
    }
    return V_NONE;
}
static int s_traceback(Value self, Value v) {
    if (!v) {
        err_set(&exc_TypeError, "__traceback__ may not be deleted");
        return -1;
    }
    if (v != V_NONE && !v_is_exact(v, IDX_TRACEBACK)) {
        err_set(&exc_TypeError, "__traceback__ must be a traceback or None");
        return -1;
    }
    exc_set_traceback(self, v);
    return 0;
}
static Value with_traceback(Value self, Value *args, intptr_t nargs, Value kw) {
    return s_traceback(self, args[0]) < 0 ? ABSENT : retained(self);
}
static Value add_note(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "note must be a str, not '%T'", args[0]);
    Value notes;
    int r = obj_lookup_attr(self, ID("__notes__"), &notes);
    if (r < 0)
        return ABSENT;
    if (r == 0) {
        notes = list_new(1);
        if (!notes || obj_setattr(self, ID("__notes__"), notes) < 0) {
            release(notes);
            return ABSENT;
        }
    } else if (!v_is_list(notes)) {
        release(notes);
        return err_set(&exc_TypeError, "Cannot add note: __notes__ is not a list");
    }
    r = list_append(notes, args[0]);
    release(notes);
    return r < 0 ? ABSENT : V_NONE;
}

static Value g_args(Value self) {
    return args_of(self);
}
static int s_args(Value self, Value v) {
    if (!v) {
        err_set(&exc_TypeError, "args may not be deleted");
        return -1;
    }
    Value t = seq_to_tuple(v);
    if (!t)
        return -1;
    store(self, &B(self)->args, t);
    return 0;
}
static Value g_traceback(Value self) {
    return load_none(self, &B(self)->traceback);
}
static Value g_context(Value self) {
    return load_none(self, &B(self)->context);
}
static Value g_cause(Value self) {
    return load_none(self, &B(self)->cause);
}
static int check_link(Value v, const char *name) {
    if (!v) {
        err_set(&exc_TypeError, "%s may not be deleted", name);
        return -1;
    }
    if (v != V_NONE && !v_is_exc(v)) {
        err_set(&exc_TypeError, "exception %s must be None or derive from BaseException", name + 2 + (name[2] == 0));
        return -1;
    }
    return 0;
}
static int s_context(Value self, Value v) {
    if (check_link(v, "__context__") < 0) {
        if (v)
            err_set(&exc_TypeError, "exception context must be None or derive from BaseException");
        return -1;
    }
    exc_set_context(self, v == V_NONE ? ABSENT : retained(v));
    return 0;
}
static int s_cause(Value self, Value v) {
    if (check_link(v, "__cause__") < 0) {
        if (v)
            err_set(&exc_TypeError, "exception cause must be None or derive from BaseException");
        return -1;
    }
    exc_set_cause(self, v == V_NONE ? ABSENT : retained(v));
    return 0;
}
static Value g_suppress(Value self) {
    return v_bool(LOAD_RELAXED(&B(self)->suppress_context));
}
static int s_suppress(Value self, Value v) {
    if (!v_is_bool(v)) {
        err_set(&exc_TypeError, v ? "attribute value type must be bool" : "can't delete numeric/char attribute");
        return -1;
    }
    STORE_RELAXED(&B(self)->suppress_context, v == V_TRUE);
    return 0;
}
static Value g_dict(Value self) {
    return attrs_dict(self);
}
static int s_dict(Value self, Value v) {
    if (!v || !v_is_dict(v)) {
        err_set(&exc_TypeError, v ? "__dict__ must be set to a dictionary, not a '%T'" : "cannot delete __dict__", v);
        return -1;
    }
    return attrs_set_dict(self, v);
}

/* ---- the interface to the interpreter ---- */

Value exc_traceback(Value e) {
    return g_traceback(e);
}
void exc_set_traceback(Value e, Value tb) {
    store(e, &B(e)->traceback, tb == V_NONE ? ABSENT : retained(tb));
}
Value exc_context(Value e) {
    return g_context(e);
}
void exc_set_context(Value e, Value context) {
    store(e, &B(e)->context, context == V_NONE ? ABSENT : context);
}
Value exc_cause(Value e) {
    return g_cause(e);
}
void exc_set_cause(Value e, Value cause) {
    STORE_RELAXED(&B(e)->suppress_context, 1);
    store(e, &B(e)->cause, cause == V_NONE ? ABSENT : cause);
}
void exc_chain(Value e, Value handled) {
    if (e == handled)
        return;
    /* No cycle: an earlier mention of e in handled's chain is cut; Floyd's second pointer finds cycles that were there
     * before. */
    Value o = handled, slow = handled;
    bool step = false;
    for (;;) {
        Value c = ref_peek(&B(o)->context);
        if (!c)
            break;
        if (c == e) {
            exc_set_context(o, ABSENT);
            break;
        }
        o = c;
        if (o == slow)
            break;
        if (step)
            slow = ref_peek(&B(slow)->context);
        step = !step;
    }
    exc_set_context(e, retained(handled));
}
Value exc_stop_value(Value e) {
    if (!type_is_subtype(type_of(e), &exc_StopIteration))
        return V_NONE;
    return load_none(e, &((StopIterationExc *)e)->value);
}
Value exc_new(Type *cls, Value args) {
    return type_call(cls, tuple_items(args), tuple_len(args), ABSENT);
}

Value exc_from_raise(Value v) {
    if (v_is_exc(v))
        return retained(v);
    if (v_is_type(v) && ((Type *)v)->flags & TF_EXC) {
        Value e = obj_call0(v);
        if (e && !v_is_exc(e)) {
            err_set(&exc_TypeError, "calling %R should have returned an instance of BaseException, not %R", v,
                    V_OF(type_of(e)));
            release(e);
            return ABSENT;
        }
        return e;
    }
    return err_set(&exc_TypeError, "exceptions must derive from BaseException");
}

void exc_wrap_pending(Type *cls, const char *msg) {
    Value cause = err_fetch();
    err_set(cls, "%s", msg);
    Value e = err_fetch();
    if (e && cause && e != cause) {
        exc_set_cause(e, retained(cause));
        exc_set_context(e, retained(cause));
    }
    release(cause);
    err_restore(e);
}

/* ---- StopIteration, SystemExit ---- */

static Value stop_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!base_init(self, args, nargs, kw))
        return ABSENT;
    store(self, &((StopIterationExc *)self)->value, nargs > 0 ? retained(args[0]) : ABSENT);
    return V_NONE;
}
static Value exit_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!base_init(self, args, nargs, kw))
        return ABSENT;
    Value code = nargs == 0 ? ABSENT : nargs == 1 ? retained(args[0]) : tuple_from(args, nargs);
    if (nargs > 1 && !code)
        return ABSENT;
    store(self, &((StopIterationExc *)self)->value, code);
    return V_NONE;
}

/* ---- KeyError ---- */

static Value key_str(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = args_of(self);
    if (tuple_len(a) == 1) {
        Value r = obj_repr(tuple_get(a, 0));
        release(a);
        return r;
    }
    release(a);
    return base_str(self, NULL, 0, ABSENT);
}

/* ---- NameError, AttributeError, ImportError ---- */

/* Keyword arguments by name; -1 with TypeError for another one. */
static int take_keywords(Value self, Value *kwvalues, Value kw, int n, const char *const *names, Value *out,
                         const char *fname) {
    for (intptr_t i = 0; kw && i < tuple_len(kw); i++) {
        int found = -1;
        for (int j = 0; j < n; j++)
            if (str_equal_c(tuple_get(kw, i), names[j]))
                found = j;
        if (found < 0) {
            err_set(&exc_TypeError, "%R is an invalid keyword argument for %s()", tuple_get(kw, i), fname);
            return -1;
        }
        out[found] = kwvalues[i];
    }
    return 0;
}

static Value name_init(Value self, Value *args, intptr_t nargs, Value kw) {
    bool attr = type_is_subtype(type_of(self), &exc_AttributeError);
    static const char *const names[] = {"name", "obj"};
    Value kv[2] = {ABSENT, ABSENT};
    if (take_keywords(self, args + nargs, kw, attr ? 2 : 1, names, kv, attr ? "AttributeError" : "NameError") < 0 ||
        !base_init(self, args, nargs, ABSENT))
        return ABSENT;
    NameErrorExc *x = (NameErrorExc *)self;
    store(self, &x->name, retained(kv[0]));
    if (attr)
        store(self, &x->obj, retained(kv[1]));
    return V_NONE;
}
static Value attr_getstate(Value self, Value *args, intptr_t nargs, Value kw) {
    NameErrorExc *x = (NameErrorExc *)self;
    Value d = attrs_snapshot(self);
    if (d == V_NONE)
        d = dict_new();
    Value name = load(self, &x->name), obj = load(self, &x->obj), a = args_of(self);
    bool any = (name && name != V_NONE) || (obj && obj != V_NONE);
    if (d && any &&
        ((name && dict_set(d, ID("name"), name) < 0) || (obj && dict_set(d, ID("obj"), obj) < 0) ||
         dict_set(d, ID("args"), a) < 0)) {
        release(d);
        d = ABSENT;
    }
    release(name);
    release(obj);
    release(a);
    if (d && dict_len(d) == 0) {
        release(d);
        return V_NONE;
    }
    return d;
}
static Value import_init(Value self, Value *args, intptr_t nargs, Value kw) {
    static const char *const names[] = {"name", "path"};
    Value kv[2] = {ABSENT, ABSENT};
    if (take_keywords(self, args + nargs, kw, 2, names, kv, "ImportError") < 0 || !base_init(self, args, nargs, ABSENT))
        return ABSENT;
    ImportErrorExc *x = (ImportErrorExc *)self;
    store(self, &x->name, retained(kv[0]));
    store(self, &x->path, retained(kv[1]));
    store(self, &x->msg, nargs == 1 ? retained(args[0]) : ABSENT);
    return V_NONE;
}
static Value import_str(Value self, Value *args, intptr_t nargs, Value kw) {
    Value m = load(self, &((ImportErrorExc *)self)->msg);
    if (m && v_is_exact(m, IDX_STR))
        return m;
    release(m);
    return base_str(self, NULL, 0, ABSENT);
}
static Value import_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    ImportErrorExc *x = (ImportErrorExc *)self;
    Value d = attrs_snapshot(self), name = load(self, &x->name), path = load(self, &x->path), a = args_of(self),
          cls = V_OF(type_of(self));
    if (d == V_NONE && (name || path))
        d = dict_new();
    if (d && d != V_NONE &&
        ((name && dict_set(d, ID("name"), name) < 0) || (path && dict_set(d, ID("path"), path) < 0))) {
        release(d);
        d = ABSENT;
    }
    Value r = !d ? ABSENT : d == V_NONE ? tuple_pack(2, cls, a) : tuple_pack(3, cls, a, d);
    release(d);
    release(name);
    release(path);
    release(a);
    return r;
}

/* ---- OSError ---- */

static Type *errno_class(int64_t e) {
    switch (e) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EALREADY:
    case EINPROGRESS:
        return &exc_BlockingIOError;
    case EPIPE:
    case ESHUTDOWN:
        return &exc_BrokenPipeError;
    case ECHILD:
        return &exc_ChildProcessError;
    case ECONNABORTED:
        return &exc_ConnectionAbortedError;
    case ECONNREFUSED:
        return &exc_ConnectionRefusedError;
    case ECONNRESET:
        return &exc_ConnectionResetError;
    case EEXIST:
        return &exc_FileExistsError;
    case ENOENT:
        return &exc_FileNotFoundError;
    case EISDIR:
        return &exc_IsADirectoryError;
    case ENOTDIR:
        return &exc_NotADirectoryError;
    case EINTR:
        return &exc_InterruptedError;
    case EACCES:
    case EPERM:
        return &exc_PermissionError;
    case ESRCH:
        return &exc_ProcessLookupError;
    case ETIMEDOUT:
        return &exc_TimeoutError;
    }
    return NULL;
}

static Value os_init(Value self, Value *args, intptr_t nargs, Value kw);
static Value os_new(Value self, Value *args, intptr_t nargs, Value kw);

/* A class that overrides __init__ alone gets its arguments there. */
static bool uses_init(Type *t) {
    Value i = type_special(t, SP_INIT), n = type_special(t, SP_NEW);
    bool own_init = v_is_exact(i, IDX_METHOD_DESCR) && ((Native *)i)->fn == os_init;
    bool own_new = v_is_exact(n, IDX_NATIVE) && ((Native *)n)->fn == os_new;
    return !own_init && own_new;
}

static int os_parse(Value self, Value *args, intptr_t nargs) {
    OSErrorExc *x = (OSErrorExc *)self;
    x->written = -1;
    intptr_t keep = nargs;
    if (nargs >= 2 && nargs <= 5) {
        store(self, &x->err, retained(args[0]));
        store(self, &x->strerror, retained(args[1]));
        if (nargs >= 3) {
            if (type_is_subtype(type_of(self), &exc_BlockingIOError) && v_is_integer(args[2])) {
                int64_t w;
                if (num_as_i64(args[2], &w) < 0)
                    return -1;
                x->written = w;
            } else {
                store(self, &x->filename, args[2] == V_NONE ? ABSENT : retained(args[2]));
                if (nargs >= 5 && args[4] != V_NONE)
                    store(self, &x->filename2, retained(args[4]));
                if (args[2] != V_NONE)
                    keep = 2;
            }
        }
    }
    return set_args(self, args, keep);
}
static Value os_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)self;
    bool use_init = uses_init(t);
    if (!use_init && kw && tuple_len(kw))
        return err_set(&exc_TypeError, "%s() takes no keyword arguments", type_cname(t));
    if (t == &exc_OSError && nargs >= 2 && v_is_int(args[0])) {
        Type *c = errno_class(v_int(args[0]));
        if (c)
            t = c;
    }
    Value v = exc_base_new(V_OF(t), args, use_init ? 0 : nargs);
    if (v && !use_init && os_parse(v, args, nargs) < 0) {
        release(v);
        return ABSENT;
    }
    if (v)
        ((OSErrorExc *)v)->written = ((OSErrorExc *)v)->written ? ((OSErrorExc *)v)->written : -1;
    return v;
}
static Value os_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!uses_init(type_of(self)))
        return V_NONE;
    if (no_keywords(self, kw) < 0 || os_parse(self, args, nargs) < 0)
        return ABSENT;
    return V_NONE;
}
static Value os_str(Value self, Value *args, intptr_t nargs, Value kw) {
    OSErrorExc *x = (OSErrorExc *)self;
    Value e = load_none(self, &x->err), s = load_none(self, &x->strerror), f = load(self, &x->filename),
          f2 = load(self, &x->filename2), r;
    bool both = ref_peek(&x->err) && ref_peek(&x->strerror);
    if (f && f2)
        r = str_format_c("[Errno %S] %S: %R -> %R", e, s, f, f2);
    else if (f)
        r = str_format_c("[Errno %S] %S: %R", e, s, f);
    else if (both)
        r = str_format_c("[Errno %S] %S", e, s);
    else
        r = base_str(self, NULL, 0, ABSENT);
    release(e);
    release(s);
    release(f);
    release(f2);
    return r;
}
static Value os_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    OSErrorExc *x = (OSErrorExc *)self;
    Value a = args_of(self), f = load(self, &x->filename), f2 = load(self, &x->filename2);
    if (tuple_len(a) == 2 && f) {
        Value n = f2 ? tuple_pack(5, tuple_get(a, 0), tuple_get(a, 1), f, V_NONE, f2)
                     : tuple_pack(3, tuple_get(a, 0), tuple_get(a, 1), f);
        release(a);
        a = n;
    }
    release(f);
    release(f2);
    return reduce_with(self, a);
}
static Value g_written(Value self) {
    int64_t w = ((OSErrorExc *)self)->written;
    return w < 0 ? err_set(&exc_AttributeError, "characters_written") : v_from_int(w);
}
static int s_written(Value self, Value v) {
    OSErrorExc *x = (OSErrorExc *)self;
    if (!v) {
        if (x->written < 0) {
            err_set(&exc_AttributeError, "characters_written");
            return -1;
        }
        x->written = -1;
        return 0;
    }
    int64_t n;
    if (num_as_i64(v, &n) < 0)
        return -1;
    x->written = n;
    return 0;
}

/* ---- SyntaxError ---- */

static Value syntax_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!base_init(self, args, nargs, kw))
        return ABSENT;
    SyntaxErrorExc *x = (SyntaxErrorExc *)self;
    if (nargs >= 1)
        store(self, &x->msg, retained(args[0]));
    if (nargs == 2) {
        Value info = seq_to_tuple(args[1]);
        if (!info)
            return ABSENT;
        intptr_t n = tuple_len(info);
        if (n < 4 || n == 5 || n > 6) {
            if (n == 5)
                err_set(&exc_TypeError, "end_offset must be provided when end_lineno is provided");
            else
                err_set(&exc_TypeError, "function %s %d argument%s (%zd given)",
                        n < 4 ? "missing required" : "takes at most", n < 4 ? 4 : 6, "s", n);
            release(info);
            return ABSENT;
        }
        Ref *where[] = {&x->filename, &x->lineno, &x->offset, &x->text, &x->end_lineno, &x->end_offset};
        for (intptr_t i = 0; i < 6; i++)
            store(self, where[i], i < n ? retained(tuple_get(info, i)) : ABSENT);
        release(info);
    }
    return V_NONE;
}
static Value syntax_str(Value self, Value *args, intptr_t nargs, Value kw) {
    SyntaxErrorExc *x = (SyntaxErrorExc *)self;
    Value msg = load_none(self, &x->msg), file = load(self, &x->filename), line = load(self, &x->lineno), r,
          base = ABSENT;
    if (file && v_is_str(file)) {
        intptr_t slash = str_len(file);
        while (slash > 0 && str_at(file, slash - 1) != '/')
            slash--;
        base = str_substr(file, slash, str_len(file));
    }
    bool has_line = line && v_is_integer(line);
    if (base && has_line)
        r = str_format_c("%S (%S, line %S)", msg, base, line);
    else if (base)
        r = str_format_c("%S (%S)", msg, base);
    else if (has_line)
        r = str_format_c("%S (line %S)", msg, line);
    else
        r = obj_str(msg);
    release(msg);
    release(file);
    release(line);
    release(base);
    return r;
}

/* ---- UnicodeErrors ---- */

static bool is_translate(Value self) {
    return type_is_subtype(type_of(self), &exc_UnicodeTranslateError);
}
static bool is_decode(Value self) {
    return type_is_subtype(type_of(self), &exc_UnicodeDecodeError);
}

static Value unicode_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!base_init(self, args, nargs, kw))
        return ABSENT;
    UnicodeErrorExc *x = (UnicodeErrorExc *)self;
    bool tr = is_translate(self);
    int want = tr ? 4 : 5;
    if (nargs != want)
        return err_set(&exc_TypeError, "function takes exactly %d arguments (%zd given)", want, nargs);
    Value *a = args;
    if (!tr) {
        if (!v_is_str(a[0]))
            return err_set(&exc_TypeError, "argument 1 must be str, not %T", a[0]);
        store(self, &x->encoding, retained(a[0]));
        a++;
    }
    Value object;
    if (is_decode(self)) {
        object = v_is_bytes(a[0]) ? retained(a[0]) : bytes_from_object(a[0]);
        if (!object)
            return ABSENT;
    } else {
        if (!v_is_str(a[0]))
            return err_set(&exc_TypeError, "argument %d must be str, not %T", tr ? 1 : 2, a[0]);
        object = retained(a[0]);
    }
    store(self, &x->object, object);
    if (num_as_index(a[1], &x->start, &exc_OverflowError) < 0 || num_as_index(a[2], &x->end, &exc_OverflowError) < 0)
        return ABSENT;
    if (!v_is_str(a[3]))
        return err_set(&exc_TypeError, "argument %d must be str, not %T", want, a[3]);
    store(self, &x->reason, retained(a[3]));
    return V_NONE;
}
static void clip_range(UnicodeErrorExc *x, intptr_t len, intptr_t *start, intptr_t *end) {
    *start = x->start < 0 ? 0 : x->start;
    if (*start >= len)
        *start = len == 0 ? 0 : len - 1;
    *end = x->end < 1 ? 1 : x->end;
    if (*end > len)
        *end = len;
}
static Value unicode_str(Value self, Value *args, intptr_t nargs, Value kw) {
    UnicodeErrorExc *x = (UnicodeErrorExc *)self;
    Value object = load(self, &x->object), reason = load(self, &x->reason), enc = load(self, &x->encoding), r = ABSENT;
    if (!object) {
        r = retained(str_empty());
        goto out;
    }
    if (!reason)
        reason = retained(str_empty());
    intptr_t s, e;
    if (is_decode(self)) {
        clip_range(x, bytes_len(object), &s, &e);
        if (s < bytes_len(object) && e == s + 1)
            r = str_format_c("'%S' codec can't decode byte 0x%02x in position %zd: %S", enc,
                             (int)(unsigned char)bytes_data(object)[s], s, reason);
        else
            r = str_format_c("'%S' codec can't decode bytes in position %zd-%zd: %S", enc, s, e - 1, reason);
    } else {
        clip_range(x, str_len(object), &s, &e);
        bool tr = is_translate(self);
        if (s < str_len(object) && e == s + 1) {
            uint32_t c = str_at(object, s);
            char buf[16];
            snprintf(buf, sizeof buf, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
            r = tr ? str_format_c("can't translate character '%s' in position %zd: %S", buf, s, reason)
                   : str_format_c("'%S' codec can't encode character '%s' in position %zd: %S", enc, buf, s, reason);
        } else
            r = tr ? str_format_c("can't translate characters in position %zd-%zd: %S", s, e - 1, reason)
                   : str_format_c("'%S' codec can't encode characters in position %zd-%zd: %S", enc, s, e - 1, reason);
    }
out:
    release(object);
    release(reason);
    release(enc);
    return r;
}

static Value raise_unicode(Type *cls, const char *encoding, Value object, intptr_t start, intptr_t end,
                           const char *reason) {
    Value enc = str_from_c(encoding), why = str_from_c(reason);
    Value args = enc && why ? tuple_pack(5, enc, object, v_from_int(start), v_from_int(end), why) : ABSENT;
    Value e = args ? exc_new(cls, args) : ABSENT;
    release(enc);
    release(why);
    release(args);
    return e ? err_raise(e) : ABSENT;
}
Value exc_unicode_decode(const char *encoding, Value bytes, intptr_t start, intptr_t end, const char *reason) {
    return raise_unicode(&exc_UnicodeDecodeError, encoding, bytes, start, end, reason);
}
Value exc_unicode_encode(const char *encoding, Value str, intptr_t start, intptr_t end, const char *reason) {
    return raise_unicode(&exc_UnicodeEncodeError, encoding, str, start, end, reason);
}

/* ---- layouts ---- */

/* Reference fields lie between BaseExc and the end of these layouts, so one traverse serves each by count. */
static void base_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&B(self)->args), arg);
    visit(ref_peek(&B(self)->traceback), arg);
    visit(ref_peek(&B(self)->context), arg);
    visit(ref_peek(&B(self)->cause), arg);
}
static void base_clear(Value self) {
    ref_clear(self, &B(self)->args);
    ref_clear(self, &B(self)->traceback);
    ref_clear(self, &B(self)->context);
    ref_clear(self, &B(self)->cause);
}
#define EXC_OPS(name, type, first, n)                                   \
    static void name##_traverse(Value self, VisitFn visit, void *arg) { \
        base_traverse(self, visit, arg);                                \
        for (int i = 0; i < (n); i++)                                   \
            visit(ref_peek(&((type *)self)->first + i), arg);           \
    }                                                                   \
    static void name##_clear(Value self) {                              \
        base_clear(self);                                               \
        for (int i = 0; i < (n); i++)                                   \
            ref_clear(self, &((type *)self)->first + i);                \
    }                                                                   \
    static const TypeOps name##_ops = {name##_traverse, name##_clear, NULL};
static const TypeOps base_ops = {base_traverse, base_clear, NULL};
EXC_OPS(stop, StopIterationExc, value, 1)
EXC_OPS(os, OSErrorExc, err, 4)
EXC_OPS(syntax, SyntaxErrorExc, msg, 8)
EXC_OPS(import, ImportErrorExc, msg, 3)
EXC_OPS(name, NameErrorExc, name, 2)
EXC_OPS(unicode, UnicodeErrorExc, encoding, 3)
EXC_OPS(group, ExcGroup, msg, 2)

#define NEW_DEF(f) \
    {"__new__", f, "(*args, **kwargs)", 0, "Create and return a new object.  See help(type) for accurate signature."}
#define INIT_DEF(f) \
    {"__init__", f, "($self, /, *args, **kwargs)", 0, "Initialize self.  See help(type(self)) for accurate signature."}
#define STR_DEF(f) {"__str__", f, "($self, /)", 0, "Return str(self)."}
#define REDUCE_DEF(f) {"__reduce__", f, "($self, /)", 0, NULL}

static const NativeDef base_methods[] = {
    NEW_DEF(base_new),
    INIT_DEF(base_init),
    STR_DEF(base_str),
    {"__repr__", base_repr, "($self, /)", 0, "Return repr(self)."},
    REDUCE_DEF(base_reduce),
    {"__setstate__", base_setstate, "($self, state, /)", 0, NULL},
    {"with_traceback", with_traceback, "($self, tb, /)", 0,
     "Exception.with_traceback(tb) --\n    set self.__traceback__ to tb and return self."},
    {"add_note", add_note, "($self, note, /)", 0, "Exception.add_note(note) --\n    add a note to the exception"},
    {0},
};
static const GetSetDef base_getsets[] = {
    {"__dict__", g_dict, s_dict, NULL},
    {"args", g_args, s_args, NULL},
    {"__traceback__", g_traceback, s_traceback, NULL},
    {"__context__", g_context, s_context, "exception context"},
    {"__cause__", g_cause, s_cause, "exception cause"},
    {"__suppress_context__", g_suppress, s_suppress, NULL},
    {0},
};
static const NativeDef stop_methods[] = {INIT_DEF(stop_init), {0}};
static const MemberDef stop_members[] = {
    {"value", MK_REF_NONE, offsetof(StopIterationExc, value), "generator return value"}, {0}};
static const NativeDef exit_methods[] = {INIT_DEF(exit_init), {0}};
static const MemberDef exit_members[] = {{"code", MK_REF_NONE, offsetof(StopIterationExc, value), "exception code"},
                                         {0}};
static const NativeDef key_methods[] = {STR_DEF(key_str), {0}};
static const NativeDef name_methods[] = {INIT_DEF(name_init), {0}};
static const NativeDef attr_methods[] = {
    INIT_DEF(name_init), {"__getstate__", attr_getstate, "($self, /)", 0, NULL}, {0}};
static const MemberDef name_members[] = {{"name", MK_REF_NONE, offsetof(NameErrorExc, name), "name"}, {0}};
static const MemberDef attr_members[] = {{"name", MK_REF_NONE, offsetof(NameErrorExc, name), "attribute name"},
                                         {"obj", MK_REF_NONE, offsetof(NameErrorExc, obj), "object"},
                                         {0}};
static const NativeDef import_methods[] = {INIT_DEF(import_init), STR_DEF(import_str), REDUCE_DEF(import_reduce), {0}};
static const MemberDef import_members[] = {{"msg", MK_REF_NONE, offsetof(ImportErrorExc, msg), "exception message"},
                                           {"name", MK_REF_NONE, offsetof(ImportErrorExc, name), "module name"},
                                           {"path", MK_REF_NONE, offsetof(ImportErrorExc, path), "module path"},
                                           {0}};
static const NativeDef os_methods[] = {NEW_DEF(os_new), INIT_DEF(os_init), STR_DEF(os_str), REDUCE_DEF(os_reduce), {0}};
static const MemberDef os_members[] = {
    {"errno", MK_REF_NONE, offsetof(OSErrorExc, err), "POSIX exception code"},
    {"strerror", MK_REF_NONE, offsetof(OSErrorExc, strerror), "exception strerror"},
    {"filename", MK_REF_NONE, offsetof(OSErrorExc, filename), "exception filename"},
    {"filename2", MK_REF_NONE, offsetof(OSErrorExc, filename2), "second exception filename"},
    {0}};
static const GetSetDef os_getsets[] = {{"characters_written", g_written, s_written, NULL}, {0}};
static const NativeDef syntax_methods[] = {INIT_DEF(syntax_init), STR_DEF(syntax_str), {0}};
#define SYNTAX_MEMBER(f) {#f, MK_REF_NONE, offsetof(SyntaxErrorExc, f), "exception " #f}
static const MemberDef syntax_members[] = {SYNTAX_MEMBER(msg),
                                           SYNTAX_MEMBER(filename),
                                           SYNTAX_MEMBER(lineno),
                                           SYNTAX_MEMBER(offset),
                                           SYNTAX_MEMBER(text),
                                           SYNTAX_MEMBER(end_lineno),
                                           SYNTAX_MEMBER(end_offset),
                                           SYNTAX_MEMBER(print_file_and_line),
                                           {0}};
static const NativeDef unicode_methods[] = {INIT_DEF(unicode_init), STR_DEF(unicode_str), {0}};
static const MemberDef unicode_members[] = {
    {"encoding", MK_REF_NONE, offsetof(UnicodeErrorExc, encoding), "exception encoding"},
    {"object", MK_REF_NONE, offsetof(UnicodeErrorExc, object), "exception object"},
    {"start", MK_INT64, offsetof(UnicodeErrorExc, start), "exception start"},
    {"end", MK_INT64, offsetof(UnicodeErrorExc, end), "exception end"},
    {"reason", MK_REF_NONE, offsetof(UnicodeErrorExc, reason), "exception reason"},
    {0}};

extern const NativeDef exc_group_methods[];
static const MemberDef group_members[] = {
    {"message", MK_REF_NONE | MK_READONLY, offsetof(ExcGroup, msg), "exception message"},
    {"exceptions", MK_REF_NONE | MK_READONLY, offsetof(ExcGroup, excs), "nested exceptions"},
    {0}};

/* What a class adds to its base. */
static void describe(Type *t, TypeSpec *s) {
#define DESCRIBE(cls, size, o, m, g, mem) \
    if (t == &exc_##cls) {                \
        s->basic_size = (size);           \
        s->ops = (o);                     \
        s->methods = (m);                 \
        s->getsets = (g);                 \
        s->members = (mem);               \
    }
    DESCRIBE(BaseException, sizeof(BaseExc), &base_ops, base_methods, base_getsets, NULL)
    DESCRIBE(StopIteration, sizeof(StopIterationExc), &stop_ops, stop_methods, NULL, stop_members)
    DESCRIBE(SystemExit, sizeof(StopIterationExc), &stop_ops, exit_methods, NULL, exit_members)
    DESCRIBE(KeyError, 0, NULL, key_methods, NULL, NULL)
    DESCRIBE(NameError, sizeof(NameErrorExc), &name_ops, name_methods, NULL, name_members)
    DESCRIBE(AttributeError, sizeof(NameErrorExc), &name_ops, attr_methods, NULL, attr_members)
    DESCRIBE(ImportError, sizeof(ImportErrorExc), &import_ops, import_methods, NULL, import_members)
    DESCRIBE(OSError, sizeof(OSErrorExc), &os_ops, os_methods, os_getsets, os_members)
    DESCRIBE(SyntaxError, sizeof(SyntaxErrorExc), &syntax_ops, syntax_methods, NULL, syntax_members)
    DESCRIBE(UnicodeDecodeError, sizeof(UnicodeErrorExc), &unicode_ops, unicode_methods, NULL, unicode_members)
    DESCRIBE(UnicodeEncodeError, sizeof(UnicodeErrorExc), &unicode_ops, unicode_methods, NULL, unicode_members)
    DESCRIBE(UnicodeTranslateError, sizeof(UnicodeErrorExc), &unicode_ops, unicode_methods, NULL, unicode_members)
    DESCRIBE(BaseExceptionGroup, sizeof(ExcGroup), &group_ops, exc_group_methods, NULL, group_members)
}

static const char *doc_of(Type *t) {
#define DOC(cls, text)   \
    if (t == &exc_##cls) \
        return text;
    DOC(BaseException, "Common base class for all exceptions")
    DOC(Exception, "Common base class for all non-exit exceptions.")
    DOC(TypeError, "Inappropriate argument type.")
    DOC(ValueError, "Inappropriate argument value (of correct type).")
    DOC(KeyError, "Mapping key not found.")
    DOC(IndexError, "Sequence index out of range.")
    DOC(AttributeError, "Attribute not found.")
    DOC(NameError, "Name not found globally.")
    DOC(ImportError, "Import can't find module, or can't find name in module.")
    DOC(ModuleNotFoundError, "Module not found.")
    DOC(OSError, "Base class for I/O related errors.")
    DOC(StopIteration, "Signal the end from iterator.__next__().")
    DOC(SystemExit, "Request to exit from the interpreter.")
    DOC(RuntimeError, "Unspecified run-time error.")
    DOC(SyntaxError, "Invalid syntax.")
    DOC(KeyboardInterrupt, "Program interrupted by user.")
    DOC(BaseExceptionGroup, "A combination of multiple unrelated exceptions.")
    DOC(ZeroDivisionError, "Second argument to a division or modulo operation was zero.")
    DOC(NotImplementedError, "Method or function hasn't been implemented yet.")
    DOC(RecursionError, "Recursion limit exceeded.")
    DOC(LookupError, "Base class for lookup errors.")
    DOC(ArithmeticError, "Base class for arithmetic errors.")
    DOC(OverflowError, "Result too large to be represented.")
    DOC(AssertionError, "Assertion failed.")
    DOC(EOFError, "Read beyond end of file.")
    DOC(MemoryError, "Out of memory.")
    DOC(Warning, "Base class for warning categories.")
    DOC(UserWarning, "Base class for warnings generated by user code.")
    DOC(DeprecationWarning, "Base class for warnings about deprecated features.")
    return NULL;
}

static TypeSpec specs[80];

void exc_init(void) {
    int n = 0;
#define NULL_BASE_TYPE NULL
#define INIT_EXC(cls, b)                                                             \
    specs[n] = (TypeSpec){.name = #cls,                                              \
                          .doc = doc_of(&exc_##cls),                                 \
                          .base = &exc_##b,                                          \
                          .flags = TF_BASETYPE | TF_EXC | TF_HAS_DICT | TF_WEAKREF}; \
    if (specs[n].base == &exc_##cls)                                                 \
        specs[n].base = NULL;                                                        \
    describe(&exc_##cls, &specs[n]);                                                 \
    type_init_static(&exc_##cls, 0, &specs[n++]);
#define exc_NULL_BASE exc_BaseException
    EXCEPTION_TYPES(INIT_EXC)
#undef exc_NULL_BASE
    specs[n] = (TypeSpec){.name = "ExceptionGroup",
                          .base = &exc_BaseExceptionGroup,
                          .flags = TF_BASETYPE | TF_EXC | TF_HAS_DICT | TF_WEAKREF};
    type_init_static(&exc_ExceptionGroup, 0, &specs[n++]);
}
/* After types_finish. */
void exc_finish(void) {
    type_set_two_bases(&exc_ExceptionGroup, &exc_BaseExceptionGroup, &exc_Exception);
}

/* Every exception class by its index; NULL behind the last. */
Type *exc_class_at(int i) {
#define LIST_EXC(cls, b) &exc_##cls,
    static Type *const all[] = {EXCEPTION_TYPES(LIST_EXC) & exc_ExceptionGroup};
    return i < (int)ARRAY_LEN(all) ? all[i] : NULL;
}

Value exc_class_new(const char *name, Type *base) {
    const char *dot = strrchr(name, '.');
    Value bases = tuple_pack(1, V_OF(base)), dict = dict_new(), module = str_from_utf8(name, (size_t)(dot - name)),
          last = str_from_c(dot + 1), r = ABSENT;
    if (bases != ABSENT && dict != ABSENT && module != ABSENT && last != ABSENT &&
        dict_set_str(dict, "__module__", module) == 0)
        r = type_new(&type_type, last, bases, dict, NULL, ABSENT);
    release(bases);
    release(dict);
    release(module);
    release(last);
    return r;
}

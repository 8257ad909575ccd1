/* sys. What the command line and the environment decide is filled in by runtime/start.c. */
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <pthread.h>
#include <unistd.h>

#include "gc/heap.h"
#include "gc/tracer.h"
#include "gil.h"
#include "interp/asyncgen.h"
#include "interp/frame.h"
#include "interp/interp.h"
#include "interp/traceback.h"
#include "modules/stdlib_names.h"
#include "modules/sys_impl.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/int_text.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/set.h"
#include "object/str.h"
#include "object/structseq.h"
#include "object/tuple.h"
#include "runtime/import.h"
#include "runtime/start.h"

#define FN(name) static Value name(Value self, Value *args, intptr_t nargs, Value kw)
#define ARG(i) arg_at(args, nargs, (i))

SysFlags sys_flags = {.hash_randomization = 1, .int_max_str_digits = -1};
static Value the_module;
static _Atomic(bool) finalizing;

Value sys_module(void) {
    return the_module;
}
Value sys_get(const char *name) {
    if (!the_module)
        return ABSENT;
    Value v = dict_get_str(module_dict(the_module), name);
    if (!v && err_pending())
        err_clear();
    return v;
}
int sys_set(const char *name, Value v) {
    return the_module ? module_add(the_module, name, v) : -1;
}
bool sys_finalizing(void) {
    return LOAD_RELAXED(&finalizing);
}
void sys_set_finalizing(void) {
    STORE_RELAXED(&finalizing, true);
}

/* ---- struct sequences ---- */

static Type flags_type, version_info_type, float_info_type, int_info_type, hash_info_type, thread_info_type, hooks_type,
    unraisable_type;

static const StructSeqField flags_fields[] = {{"debug", "-d"},
                                              {"inspect", "-i"},
                                              {"interactive", "-i"},
                                              {"optimize", "-O or -OO"},
                                              {"dont_write_bytecode", "-B"},
                                              {"no_user_site", "-s"},
                                              {"no_site", "-S"},
                                              {"ignore_environment", "-E"},
                                              {"verbose", "-v"},
                                              {"bytes_warning", "-b"},
                                              {"quiet", "-q"},
                                              {"hash_randomization", "-R"},
                                              {"isolated", "-I"},
                                              {"dev_mode", "-X dev"},
                                              {"utf8_mode", "-X utf8"},
                                              {"warn_default_encoding", "-X warn_default_encoding"},
                                              {"safe_path", "-P"},
                                              {"int_max_str_digits", "-X int_max_str_digits"},
                                              {0}};
static const StructSeqField version_fields[] = {
    {"major", "Major release number"},   {"minor", "Minor release number"},
    {"micro", "Patch release number"},   {"releaselevel", "'alpha', 'beta', 'candidate', or 'final'"},
    {"serial", "Serial release number"}, {0}};
static const StructSeqField float_fields[] = {
    {"max", NULL}, {"max_exp", NULL},  {"max_10_exp", NULL}, {"min", NULL},   {"min_exp", NULL}, {"min_10_exp", NULL},
    {"dig", NULL}, {"mant_dig", NULL}, {"epsilon", NULL},    {"radix", NULL}, {"rounds", NULL},  {0}};
static const StructSeqField int_fields[] = {{"bits_per_digit", NULL},
                                            {"sizeof_digit", NULL},
                                            {"default_max_str_digits", NULL},
                                            {"str_digits_check_threshold", NULL},
                                            {0}};
static const StructSeqField hash_fields[] = {
    {"width", NULL},     {"modulus", NULL},   {"inf", NULL},       {"nan", NULL},    {"imag", NULL},
    {"algorithm", NULL}, {"hash_bits", NULL}, {"seed_bits", NULL}, {"cutoff", NULL}, {0}};
static const StructSeqField thread_fields[] = {{"name", NULL}, {"lock", NULL}, {"version", NULL}, {0}};
static const StructSeqField hooks_fields[] = {{"firstiter", NULL}, {"finalizer", NULL}, {0}};
static const StructSeqField unraisable_fields[] = {{"exc_type", "Exception type"},
                                                   {"exc_value", "Exception value"},
                                                   {"exc_traceback", "Exception traceback"},
                                                   {"err_msg", "Error message"},
                                                   {"object", "Object causing the exception"},
                                                   {0}};

Value unraisable_args(Value exc, Value err_msg, Value object) {
    if (!the_module)
        return ABSENT;
    Value v[] = {retained(V_OF(type_of(exc))), retained(exc), exc_traceback(exc), retained(err_msg), retained(object)};
    return structseq_new(&unraisable_type, v, 5);
}

static Value make_flags(void) {
    SysFlags *f = &sys_flags;
    Value v[] = {v_from_int(f->debug),
                 v_from_int(f->inspect),
                 v_from_int(f->interactive),
                 v_from_int(f->optimize),
                 v_from_int(f->dont_write_bytecode),
                 v_from_int(f->no_user_site),
                 v_from_int(f->no_site),
                 v_from_int(f->ignore_environment),
                 v_from_int(f->verbose),
                 v_from_int(f->bytes_warning),
                 v_from_int(f->quiet),
                 v_from_int(f->hash_randomization),
                 v_from_int(f->isolated),
                 v_bool(f->dev_mode),
                 v_from_int(f->utf8_mode),
                 v_from_int(f->warn_default_encoding),
                 v_bool(f->safe_path),
                 v_from_int(f->int_max_str_digits)};
    return structseq_new(&flags_type, v, ARRAY_LEN(v));
}
static Value make_version_info(void) {
    Value v[] = {v_from_int(3), v_from_int(11), v_from_int(2), str_from_c("final"), v_from_int(0)};
    return structseq_new(&version_info_type, v, 5);
}
static Value make_float_info(void) {
    Value v[] = {float_new(DBL_MAX),
                 v_from_int(DBL_MAX_EXP),
                 v_from_int(DBL_MAX_10_EXP),
                 float_new(DBL_MIN),
                 v_from_int(DBL_MIN_EXP),
                 v_from_int(DBL_MIN_10_EXP),
                 v_from_int(DBL_DIG),
                 v_from_int(DBL_MANT_DIG),
                 float_new(DBL_EPSILON),
                 v_from_int(FLT_RADIX),
                 v_from_int(1)};
    return structseq_new(&float_info_type, v, ARRAY_LEN(v));
}
static Value make_int_info(void) {
    Value v[] = {v_from_int(30), v_from_int(4), v_from_int(4300), v_from_int(640)};
    return structseq_new(&int_info_type, v, 4);
}
static Value make_hash_info(void) {
    Value v[] = {v_from_int(64),      v_from_int(((int64_t)1 << 61) - 1),
                 v_from_int(314159),  v_from_int(0),
                 v_from_int(1000003), str_from_c("siphash13"),
                 v_from_int(64),      v_from_int(128),
                 v_from_int(0)};
    return structseq_new(&hash_info_type, v, ARRAY_LEN(v));
}
static Value make_thread_info(void) {
    char buf[64] = "";
    confstr(_CS_GNU_LIBPTHREAD_VERSION, buf, sizeof buf);
    Value v[] = {str_from_c("pthread"), str_from_c("semaphore"), str_from_c(buf)};
    return structseq_new(&thread_info_type, v, 3);
}
static Value make_implementation(void) {
    Value ns = namespace_new();
    if (!ns)
        return ABSENT;
    Value name = str_from_c("polygil"), ver = make_version_info(), multiarch = str_from_c("x86_64-linux-gnu");
    if (obj_setattr_str(ns, "name", name) < 0 || obj_setattr_str(ns, "cache_tag", V_NONE) < 0 ||
        obj_setattr_str(ns, "version", ver) < 0 || obj_setattr_str(ns, "hexversion", v_from_int(0x030b02f0)) < 0 ||
        obj_setattr_str(ns, "_multiarch", multiarch) < 0) {
        release(ns);
        ns = ABSENT;
    }
    release(name);
    release(ver);
    release(multiarch);
    return ns;
}

/* ---- hooks ---- */

int sys_display(Value v) {
    Value b = dict_get(import_modules(), ID("builtins"));
    if (!b) {
        err_set(&exc_RuntimeError, "lost builtins module");
        return -1;
    }
    int r = -1;
    Value out = ABSENT, text = ABSENT;
    if (v == V_NONE) {
        release(b);
        return 0;
    }
    if (obj_setattr(b, ID("_"), V_NONE) < 0)
        goto done;
    out = sys_get("stdout");
    if (!out || out == V_NONE) {
        err_set(&exc_RuntimeError, "lost sys.stdout");
        goto done;
    }
    text = obj_repr(v);
    if (!text)
        goto done;
    Value a[] = {text};
    Value w = obj_call_method(out, ID("write"), a, 1);
    if (!w && err_matches(&exc_UnicodeEncodeError)) {
        err_clear();
        Value enc = obj_getattr(out, ID("encoding")),
              bytes = enc ? str_encode(text, str_utf8(enc, NULL), "backslashreplace") : ABSENT;
        Value s = bytes ? str_from_utf8_lossy(bytes_data(bytes), (size_t)bytes_len(bytes)) : ABSENT;
        a[0] = s;
        w = s ? obj_call_method(out, ID("write"), a, 1) : ABSENT;
        release(enc);
        release(bytes);
        release(s);
    }
    release(w);
    if (!w)
        goto done;
    a[0] = ID("\n");
    w = obj_call_method(out, ID("write"), a, 1);
    release(w);
    if (!w || obj_setattr(b, ID("_"), v) < 0)
        goto done;
    r = 0;
done:
    release(b);
    release(out);
    release(text);
    return r;
}
FN(s_displayhook) {
    return sys_display(args[0]) < 0 ? ABSENT : V_NONE;
}

void excepthook_default(Value exc, Value tb); /* runtime/traceback_print.c */
FN(s_excepthook) {
    Value e = args[1], tb = args[2];
    if (!v_is_exc(e)) {
        Value err = sys_get("stderr"),
              text = str_format_c("TypeError: print_exception(): Exception expected for value, %T found\n", e);
        Value a[] = {text}, r = err && err != V_NONE && text ? obj_call_method(err, ID("write"), a, 1) : ABSENT;
        release(r);
        release(err);
        release(text);
        err_clear();
        return V_NONE;
    }
    excepthook_default(e, tb);
    return V_NONE;
}
void unraisable_default(Value exc, Value err_msg, Value object);
FN(s_unraisablehook) {
    if (type_of(args[0]) != &unraisable_type)
        return err_set(&exc_TypeError, "sys.unraisablehook argument type must be UnraisableHookArgs");
    unraisable_default(tuple_get(args[0], 1), tuple_get(args[0], 3), tuple_get(args[0], 4));
    return V_NONE;
}
FN(s_breakpointhook) {
    const char *env = sys_flags.ignore_environment ? NULL : getenv("PYTHONBREAKPOINT");
    if (!env || !*env)
        env = "pdb.set_trace";
    if (strcmp(env, "0") == 0)
        return V_NONE;
    const char *dot = strrchr(env, '.');
    char mod[256] = "builtins";
    if (dot && (size_t)(dot - env) < sizeof mod) {
        memcpy(mod, env, (size_t)(dot - env));
        mod[dot - env] = 0;
    }
    Value f = import_attr(mod, dot ? dot + 1 : env);
    if (!f) {
        if (!err_matches(&exc_ImportError) && !err_matches(&exc_AttributeError))
            return ABSENT;
        err_clear();
        return err_warn(&exc_RuntimeWarning, 0, "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", env) < 0 ? ABSENT
                                                                                                            : V_NONE;
    }
    Value r = obj_call(f, args, nargs, kw);
    release(f);
    return r;
}

/* ---- exceptions and exit ---- */

FN(s_exc_info) {
    Value e = interp_handled();
    if (!e || e == V_NONE)
        return tuple_pack(3, V_NONE, V_NONE, V_NONE);
    Value tb = exc_traceback(e), r = tuple_pack(3, V_OF(type_of(e)), e, tb);
    release(tb);
    return r;
}
FN(s_exception) {
    Value e = interp_handled();
    return e ? retained(e) : V_NONE;
}
FN(s_exit) {
    Value status = ARG(0);
    if (status && v_is_tuple(status)) { /* its items are the exception's arguments, as when it is raised by hand */
        Value e = exc_new(&exc_SystemExit, status);
        return e ? err_raise(e) : ABSENT;
    }
    return status && status != V_NONE ? err_set_value(&exc_SystemExit, status) : err_set_none(&exc_SystemExit);
}

/* ---- frames ---- */

FN(s_getframe) {
    int depth = 0;
    if (nargs > 0 && num_as_int(args[0], &depth) < 0)
        return ABSENT;
    Value f = frame_current(depth < 0 ? 0 : depth);
    if (!f && !err_pending())
        return err_set(&exc_ValueError, "call stack is not deep enough");
    return f;
}
FN(s_current_frames) {
    Value d = dict_new();
    if (!d)
        return ABSENT;
    /* Frame objects of other threads are made while the world stands still. */
    enum { MAX = 1024 };
    Value *frames = calloc(MAX, sizeof *frames);
    uint64_t *idents = calloc(MAX, sizeof *idents);
    int n = 0;
    if (frames && idents) {
        excl_stop_world();
        for (Thread *t = thread_list; t && n < MAX; t = t->next)
            if (t->frame) {
                frames[n] = frame_object(t->frame);
                idents[n] = t->ident;
                n += frames[n] != ABSENT;
            }
        excl_start_world();
    } else
        err_no_memory();
    for (int i = 0; i < n; i++) {
        Value k = int_from_u64(idents[i]);
        if (!k || dict_set(d, k, frames[i]) < 0) {
            release(d);
            d = ABSENT;
            n = d ? n : i + 1;
        }
        release(k);
    }
    for (int i = 0; i < n; i++)
        release(frames[i]);
    free(frames);
    free(idents);
    return err_pending() ? ABSENT : d;
}
FN(s_current_exceptions) {
    Value d = dict_new();
    enum { MAX = 1024 };
    Value *excs = calloc(MAX, sizeof *excs);
    uint64_t *idents = calloc(MAX, sizeof *idents);
    int n = 0;
    if (excs && idents) {
        excl_stop_world();
        for (Thread *t = thread_list; t && n < MAX; t = t->next) {
            idents[n] = t->ident;
            excs[n++] = retained(t->handled);
        }
        excl_start_world();
    } else
        err_no_memory();
    for (int i = 0; d && i < n; i++) {
        Value e = excs[i], tb = e ? exc_traceback(e) : V_NONE;
        Value k = int_from_u64(idents[i]), info = tuple_pack(3, e ? V_OF(type_of(e)) : V_NONE, e ? e : V_NONE, tb);
        if (!k || !info || dict_set(d, k, info) < 0) {
            release(d);
            d = ABSENT;
        }
        release(k);
        release(info);
        release(tb);
    }
    for (int i = 0; i < n; i++)
        release(excs[i]);
    free(excs);
    free(idents);
    return err_pending() ? ABSENT : d;
}

/* ---- limits and measures ---- */

FN(s_getrecursionlimit) {
    return v_from_int(LOAD_RELAXED(&interp_recursion_limit));
}
FN(s_setrecursionlimit) {
    int n;
    if (num_as_int(args[0], &n) < 0)
        return ABSENT;
    if (n < 1)
        return err_set(&exc_ValueError, "recursion limit must be greater or equal than 1");
    InterpFrame *frame = thread_self()->frame;
    int depth = frame ? (int)frame->depth : 0;
    if (depth >= n)
        return err_set(&exc_RecursionError,
                       "cannot set the recursion limit to %d at the recursion depth %d: the limit is too low", n,
                       depth);
    STORE_RELAXED(&interp_recursion_limit, n);
    return V_NONE;
}
FN(s_getswitchinterval) {
    return float_new((double)LOAD_RELAXED(&gil_interval_ns) * 1e-9);
}
FN(s_setswitchinterval) {
    double d;
    if (num_as_double(args[0], &d) < 0)
        return ABSENT;
    if (!(d > 0))
        return err_set(&exc_ValueError, "switch interval must be strictly positive");
    STORE_RELAXED(&gil_interval_ns, d > 1e9 ? INT64_MAX : (int64_t)(d * 1e9));
    return V_NONE;
}
/* CPython counts the argument of the call itself as well. */
FN(s_getrefcount) {
    return v_from_int(gc_refcount(args[0]));
}
FN(s_getsizeof) {
    Value m, r;
    int has = obj_lookup_attr(V_OF(type_of(args[0])), ID("__sizeof__"), &m);
    if (has < 0)
        return ABSENT;
    if (has == 0) {
        if (ARG(1))
            return retained(args[1]);
        return err_set(&exc_TypeError, "Type %T doesn't define __sizeof__", args[0]);
    }
    r = obj_call1(m, args[0]);
    release(m);
    if (!r) {
        if (ARG(1) && err_matches(&exc_TypeError)) {
            err_clear();
            return retained(args[1]);
        }
        return ABSENT;
    }
    int64_t n;
    int bad = num_as_i64(r, &n);
    release(r);
    if (bad < 0)
        return ABSENT;
    if (n < 0)
        return err_set(&exc_ValueError, "__sizeof__() should return >= 0");
    return v_from_int(n);
}
FN(s_getallocatedblocks) {
    return v_from_int((int64_t)(heap_bytes() / 64));
}
FN(s_get_max_digits) {
    return v_from_int(int_get_max_str_digits());
}
FN(s_set_max_digits) {
    int n;
    if (num_as_int(args[0], &n) < 0)
        return ABSENT;
    if (n != 0 && n < 640)
        return err_set(&exc_ValueError, "maxdigits must be 0 or larger than 640");
    int_set_max_str_digits(n);
    return V_NONE;
}
FN(s_intern) {
    if (!v_is_exact(args[0], IDX_STR)) {
        if (v_is_str(args[0]))
            return err_set(&exc_TypeError, "can't intern %T", args[0]);
        return err_set(&exc_TypeError, "intern() argument must be str, not %T", args[0]);
    }
    return str_intern(retained(args[0]));
}
FN(s_is_finalizing) {
    return v_bool(sys_finalizing());
}
FN(s_clear_type_cache) {
    excl_stop_world();
    type_cache_clear();
    excl_start_world();
    return V_NONE;
}
FN(s_getdefaultencoding) {
    return str_from_c("utf-8");
}
FN(s_getfsencoding) {
    return str_from_c("utf-8");
}
FN(s_getfserrors) {
    return str_from_c("surrogateescape");
}
static _Atomic(int) dlopen_flags = 2;
FN(s_getdlopenflags) {
    return v_from_int(LOAD_RELAXED(&dlopen_flags));
}
FN(s_setdlopenflags) {
    int n;
    if (num_as_int(args[0], &n) < 0)
        return ABSENT;
    STORE_RELAXED(&dlopen_flags, n);
    return V_NONE;
}
FN(s_debugmallocstats) {
    heap_verify();
    fprintf(stderr, "heap: %zu bytes\n", heap_bytes());
    return V_NONE;
}
FN(s_call_tracing) {
    if (!v_is_tuple(args[1]))
        return err_set(&exc_TypeError, "call_tracing() argument 2 must be tuple, not %T", args[1]);
    return obj_call_tuple_dict(args[0], args[1], ABSENT);
}

/* ---- tracing: the functions are kept per thread; interp/ calls them ---- */

static Value thread_slot(void) {
    Thread *t = thread_self();
    if (!t->dict)
        t->dict = dict_new();
    return t->dict;
}
static Value get_slot(Value name) {
    Thread *t = thread_self();
    Value v = t->dict ? dict_get(t->dict, name) : ABSENT;
    return v ? v : err_pending() ? ABSENT : V_NONE;
}
static Value set_slot(Value name, Value v) {
    Value d = thread_slot();
    return d && dict_set(d, name, v) == 0 ? V_NONE : ABSENT;
}
FN(s_settrace) {
    return set_slot(ID("sys.trace"), args[0]);
}
FN(s_gettrace) {
    return get_slot(ID("sys.trace"));
}
FN(s_setprofile) {
    return set_slot(ID("sys.profile"), args[0]);
}
FN(s_getprofile) {
    return get_slot(ID("sys.profile"));
}

/* ---- asynchronous code ---- */

FN(s_set_origin_depth) {
    int n;
    if (num_as_int(args[0], &n) < 0)
        return ABSENT;
    if (n < 0)
        return err_set(&exc_ValueError, "depth must be >= 0");
    coro_set_origin_depth(n);
    return V_NONE;
}
FN(s_get_origin_depth) {
    return v_from_int(coro_origin_depth());
}
FN(s_set_asyncgen_hooks) {
    for (int i = 0; i < 2; i++)
        if (ARG(i) && args[i] != V_NONE && !v_is_callable(args[i]))
            return err_set(&exc_TypeError, "callable %s expected, got %T", i ? "finalizer" : "firstiter", args[i]);
    asyncgen_set_hooks(ARG(0), ARG(1));
    return V_NONE;
}
FN(s_get_asyncgen_hooks) {
    Value a = asyncgen_hook_firstiter(), b = asyncgen_hook_finalizer();
    Value v[] = {a ? retained(a) : V_NONE, b ? retained(b) : V_NONE};
    return structseq_new(&hooks_type, v, 2);
}

/* ---- audit ---- */

static Ref audit_hooks; /* a list, or ABSENT */

int sys_audit(const char *event, Value args_tuple) {
    Value hooks = ref_peek(&audit_hooks);
    if (LIKELY(!hooks))
        return 0;
    Value name = str_from_c(event), a = args_tuple ? retained(args_tuple) : retained(tuple_empty());
    int r = name && a ? 0 : -1;
    for (intptr_t i = 0; r == 0 && i < list_len(hooks); i++) {
        Value h = list_get(hooks, i), res = h ? obj_call2(h, name, a) : V_NONE;
        release(h);
        release(res);
        r = res ? 0 : -1;
    }
    release(name);
    release(a);
    return r;
}
FN(s_audit) {
    if (nargs < 1)
        return err_set(&exc_TypeError, "audit expected at least 1 argument, got 0");
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "expected str for argument 'event', not %T", args[0]);
    if (!ref_peek(&audit_hooks))
        return V_NONE;
    Value t = tuple_from(args + 1, nargs - 1);
    const char *e = str_utf8(args[0], NULL);
    int r = t && e ? sys_audit(e, t) : -1;
    release(t);
    return r < 0 ? ABSENT : V_NONE;
}
FN(s_addaudithook) {
    if (sys_audit("sys.addaudithook", ABSENT) < 0) {
        if (!err_matches(&exc_RuntimeError))
            return ABSENT;
        err_clear();
        return V_NONE;
    }
    if (!ref_peek(&audit_hooks)) {
        Value l = list_new(1);
        if (!l)
            return ABSENT;
        ref_init_global(&audit_hooks, l);
        handle_register(&audit_hooks);
    }
    return list_append(ref_peek(&audit_hooks), args[0]) < 0 ? ABSENT : V_NONE;
}

/* ---- the table ---- */

static const NativeDef functions[] = {
    {"_clear_type_cache", s_clear_type_cache, "($module, /)", 0, "Clear the internal type lookup cache."},
    {"_current_exceptions", s_current_exceptions, "($module, /)", 0,
     "Return a dict mapping each thread's identifier to its current raised exception."},
    {"_current_frames", s_current_frames, "($module, /)", 0,
     "Return a dict mapping each thread's thread id to its current stack frame."},
    {"_debugmallocstats", s_debugmallocstats, "($module, /)", 0,
     "Print debug info to stderr about the state of the allocator."},
    {"_getframe", s_getframe, "($module, depth=0, /)", 0, "Return a frame object from the call stack."},
    {"addaudithook", s_addaudithook, "($module, /, hook)", 0, "Adds a new audit hook callback."},
    {"audit", s_audit, "(event, *args)", 0, "Passes the event to any hooks that are attached."},
    {"breakpointhook", s_breakpointhook, "($module, /, *args, **kws)", 0,
     "This hook function is called by built-in breakpoint()."},
    {"call_tracing", s_call_tracing, "($module, func, args, /)", 0, "Call func(*args), while tracing is enabled."},
    {"displayhook", s_displayhook, "($module, object, /)", 0,
     "Print an object to sys.stdout and also save it in builtins._"},
    {"exc_info", s_exc_info, "($module, /)", 0, "Return current exception information: (type, value, traceback)."},
    {"excepthook", s_excepthook, "($module, exctype, value, traceback, /)", 0,
     "Handle an exception by displaying it with a traceback on sys.stderr."},
    {"exception", s_exception, "($module, /)", 0, "Return the current exception."},
    {"exit", s_exit, "($module, status=None, /)", 0, "Exit the interpreter by raising SystemExit(status)."},
    {"get_asyncgen_hooks", s_get_asyncgen_hooks, "($module, /)", 0,
     "Return the installed asynchronous generators hooks."},
    {"get_coroutine_origin_tracking_depth", s_get_origin_depth, "($module, /)", 0,
     "Check status of origin tracking for coroutine objects in this thread."},
    {"get_int_max_str_digits", s_get_max_digits, "($module, /)", 0,
     "Return the maximum string digits limit for non-binary int<->str conversions."},
    {"getallocatedblocks", s_getallocatedblocks, "($module, /)", 0,
     "Return the number of memory blocks currently allocated."},
    {"getdefaultencoding", s_getdefaultencoding, "($module, /)", 0,
     "Return the current default encoding used by the Unicode implementation."},
    {"getdlopenflags", s_getdlopenflags, "($module, /)", 0,
     "Return the current value of the flags that are used for dlopen calls."},
    {"getfilesystemencodeerrors", s_getfserrors, "($module, /)", 0,
     "Return the error mode used for Unicode to OS filename conversion."},
    {"getfilesystemencoding", s_getfsencoding, "($module, /)", 0,
     "Return the encoding used to convert Unicode filenames to OS filenames."},
    {"getprofile", s_getprofile, "($module, /)", 0, "Return the profiling function set with sys.setprofile."},
    {"getrecursionlimit", s_getrecursionlimit, "($module, /)", 0, "Return the current value of the recursion limit."},
    {"getrefcount", s_getrefcount, "($module, object, /)", NF_CLEAN, "Return the reference count of object."},
    {"getsizeof", s_getsizeof, "(object, default=None)", 0,
     "getsizeof(object [, default]) -> int\n\nReturn the size of object in bytes."},
    {"getswitchinterval", s_getswitchinterval, "($module, /)", 0, "Return the current thread switch interval."},
    {"gettrace", s_gettrace, "($module, /)", 0, "Return the global debug tracing function set with sys.settrace."},
    {"intern", s_intern, "($module, string, /)", 0, "``Intern'' the given string."},
    {"is_finalizing", s_is_finalizing, "($module, /)", 0, "Return True if Python is exiting."},
    {"set_asyncgen_hooks", s_set_asyncgen_hooks, "($module, firstiter=None, finalizer=None)", 0,
     "Set a finalizer for async generators objects."},
    {"set_coroutine_origin_tracking_depth", s_set_origin_depth, "($module, /, depth)", 0,
     "Enable or disable origin tracking for coroutine objects in this thread."},
    {"set_int_max_str_digits", s_set_max_digits, "($module, /, maxdigits)", 0,
     "Set the maximum string digits limit for non-binary int<->str conversions."},
    {"setdlopenflags", s_setdlopenflags, "($module, flags, /)", 0,
     "Set the flags used by the interpreter for dlopen calls."},
    {"setprofile", s_setprofile, "($module, function, /)", 0, "Set the profiling function."},
    {"setrecursionlimit", s_setrecursionlimit, "($module, limit, /)", 0,
     "Set the maximum depth of the Python interpreter stack to n."},
    {"setswitchinterval", s_setswitchinterval, "($module, interval, /)", 0,
     "Set the ideal thread switching delay inside the Python interpreter."},
    {"settrace", s_settrace, "($module, function, /)", 0, "Set the global debug tracing function."},
    {"unraisablehook", s_unraisablehook, "($module, unraisable, /)", 0, "Handle an unraisable exception."},
    {0},
};

static Value stdlib_module_names(void) {
    Value l = list_new(ARRAY_LEN(stdlib_names));
    for (size_t i = 0; l && i < ARRAY_LEN(stdlib_names); i++)
        if (list_append_steal(l, str_from_c(stdlib_names[i])) < 0) {
            release(l);
            return ABSENT;
        }
    Value s = l ? frozenset_from(l) : ABSENT;
    release(l);
    return s;
}

static int exec(Value m) {
    the_module = m;
    structseq_init_sealed(&flags_type, "sys.flags",
                          "sys.flags\n\nFlags provided through command line arguments or environment vars.",
                          flags_fields, 18);
    structseq_init_sealed(&version_info_type, "sys.version_info",
                          "sys.version_info\n\nVersion information as a named tuple.", version_fields, 5);
    structseq_init_sealed(&float_info_type, "sys.float_info",
                          "sys.float_info\n\nA named tuple holding information about the float type.", float_fields,
                          11);
    structseq_init_sealed(
        &int_info_type, "sys.int_info",
        "sys.int_info\n\nA named tuple that holds information about Python's\ninternal representation of integers.",
        int_fields, 4);
    structseq_init_sealed(&hash_info_type, "sys.hash_info",
                          "hash_info\n\nA named tuple providing parameters used for computing hashes.", hash_fields, 9);
    structseq_init_sealed(&thread_info_type, "sys.thread_info",
                          "sys.thread_info\n\nA named tuple holding information about the thread implementation.",
                          thread_fields, 3);
    structseq_init(&hooks_type, "sys.asyncgen_hooks", NULL, hooks_fields, 2);
    structseq_init(&unraisable_type, "sys.UnraisableHookArgs",
                   "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.", unraisable_fields, 5);
    int r = 0;
    r |= module_add(m, "flags", make_flags());
    r |= module_add(m, "version_info", make_version_info());
    r |= module_add(m, "float_info", make_float_info());
    r |= module_add(m, "int_info", make_int_info());
    r |= module_add(m, "hash_info", make_hash_info());
    r |= module_add(m, "thread_info", make_thread_info());
    r |= module_add(m, "implementation", make_implementation());
    r |= module_add_str(m, "version", start_version_text());
    r |= module_add_int(m, "hexversion", 0x030b02f0);
    r |= module_add_int(m, "api_version", 1013);
    r |= module_add_str(m, "copyright", "Copyright (c) the Polygil authors.");
    r |= module_add_str(m, "platform", "linux");
    r |= module_add_str(m, "platlibdir", "lib");
    r |= module_add_str(m, "byteorder", "little");
    r |= module_add_str(m, "abiflags", "");
    r |= module_add_str(m, "float_repr_style", "short");
    r |= module_add(m, "maxsize", int_from_i64(INT64_MAX));
    r |= module_add_int(m, "maxunicode", 0x10ffff);
    r |= module_add(m, "dont_write_bytecode", V_TRUE);
    r |= module_add(m, "pycache_prefix", V_NONE);
    r |= module_add_str(m, "_framework", "");
    r |= module_add(m, "_git", tuple_pack(3, ID("polygil"), ID(""), ID("")));
    r |= module_add(m, "builtin_module_names", import_builtin_names());
    r |= module_add(m, "stdlib_module_names", stdlib_module_names());
    Value d = module_dict(m);
    static const char *const saved[][2] = {{"__displayhook__", "displayhook"},
                                           {"__excepthook__", "excepthook"},
                                           {"__breakpointhook__", "breakpointhook"},
                                           {"__unraisablehook__", "unraisablehook"}};
    for (size_t i = 0; i < ARRAY_LEN(saved); i++)
        r |= module_add(m, saved[i][0], dict_get_str(d, saved[i][1]));
    return r ? -1 : 0;
}
const ModuleSpec module_sys = {
    "sys",
    "This module provides access to some objects used or maintained by the\ninterpreter and to functions that interact "
    "strongly with the interpreter.",
    functions, exec};

/* Start and end of the process: the order in which the parts come up, what sys gets from the command line, and how it
 * all ends. */
#include "runtime/start.h"

#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <unistd.h>

#include "base/hash.h"
#include "front/compile.h"
#include "front/parser.h"
#include "gc/heap.h"
#include "gc/tracer.h"
#include "interp/asyncgen.h"
#include "interp/function.h"
#include "interp/generator.h"
#include "interp/interp.h"
#include "interp/traceback.h"
#include "modules/atexit.h"
#include "modules/sys_impl.h"
#include "object/bytes.h"
#include "object/codec_registry.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/int_text.h"
#include "object/int_type.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/native.h"
#include "object/number_types.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/unicode.h"
#include "object/weakref.h"
#include "runtime/import.h"
#include "runtime/sched.h"
#include "runtime/signal.h"
#include "runtime/torture.h"

void object_init(void);
void descr_init(void);
void property_init(void);
void super_init(void);
void module_init(void);
void mappingproxy_init(void);
void namespace_init(void);
void capsule_init(void);
void generic_alias_init(void);
void union_init(void);
void exc_finish(void);
void err_init(void);
int warnings_init(void);
void native_visit_roots(VisitFn visit, void *arg);

NORETURN static void die(const char *what) {
    if (err_pending()) {
        Value e = err_fetch(), text = exc_format_full(e, V_NONE);
        const char *s = text ? str_utf8(text, NULL) : NULL;
        fprintf(stderr, "%s", s ? s : "");
    }
    fprintf(stderr, "Fatal Python error: %s\n", what);
    exit(1);
}

const char *start_version_text(void) {
    static char text[160];
    if (!*text)
        snprintf(text, sizeof text, "3.11.2 (polygil %s, %s) [%s %s]", POLYGIL_BACKEND_NAME, __DATE__ ", " __TIME__,
#ifdef __clang__
                 "Clang", __clang_version__
#else
                 "GCC", __VERSION__
#endif
        );
    return text;
}

static bool (*prune_alive)(Value v);
static bool type_dead(Object *o) {
    return !prune_alive(V_OF(o));
}
static void prune_types(bool (*alive)(Value v)) {
    prune_alive = alive;
    types_prune(type_dead);
}

/* Types may be made in any order in which bases come first; types_finish then fills them. */
static void init_types(void) {
    object_init();
    str_init();
    int_init();
    float_init();
    complex_init();
    tuple_init();
    list_init();
    dict_init();
    dictview_init();
    set_init();
    bytes_init();
    bytearray_init();
    memoryview_init();
    str_iter_init();
    range_init();
    slice_init();
    iter_init();
    itertool_init();
    descr_init();
    property_init();
    super_init();
    module_init();
    mappingproxy_init();
    namespace_init();
    capsule_init();
    generic_alias_init();
    union_init();
    exc_init();
    interp_init();
    weakref_init();
    types_finish();
    interp_types_ready();
    exc_finish();
    err_init();
}

/* ---- paths ---- */

static int path_add(Value path, const char *s) {
    Value v = str_decode_fs(s, strlen(s));
    int r = v ? list_append(path, v) : -1;
    release(v);
    return r;
}

/* Directory of our own versions of library modules: beside the executable in a build tree or an installation, else
 * where it was built. */
static const char *pylib_dir(const char *exe) {
    static char buf[PATH_MAX + 64];
    static const char *const tails[] = {"/../lib/polygil/pylib", "/../core/pylib", "/core/pylib"};
    const char *slash = strrchr(exe, '/');
    for (size_t i = 0; slash && i < ARRAY_LEN(tails); i++) {
        snprintf(buf, sizeof buf, "%.*s%s", (int)(slash - exe), exe, tails[i]);
        if (access(buf, R_OK) == 0) {
            char real[PATH_MAX];
            if (realpath(buf, real))
                snprintf(buf, sizeof buf, "%s", real);
            return buf;
        }
    }
#ifdef POLYGIL_PYLIB
    if (access(POLYGIL_PYLIB, R_OK) == 0)
        return POLYGIL_PYLIB;
#endif
    return NULL;
}

static int set_up_paths(const StartOptions *o) {
    char exe[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = 0;
    Value path = list_new(8);
    if (!path)
        return -1;
    const char *env = sys_flags.ignore_environment ? NULL : getenv("PYTHONPATH");
    for (const char *p = env; p && *p;) {
        const char *end = strchr(p, ':');
        size_t len = end ? (size_t)(end - p) : strlen(p);
        char dir[PATH_MAX];
        if (len < sizeof dir) {
            memcpy(dir, p, len);
            dir[len] = 0;
            if (path_add(path, len ? dir : ".") < 0)
                return -1;
        }
        p += len + (end != NULL);
    }
    const char *pylib = pylib_dir(exe);
    if ((pylib && path_add(path, pylib) < 0) || path_add(path, "/usr/lib/python311.zip") < 0 ||
        path_add(path, STDLIB_DIR) < 0 || path_add(path, STDLIB_DIR "/lib-dynload") < 0)
        return -1;
    int r = sys_set("path", path);
    r |= sys_set("executable", str_decode_fs(exe, strlen(exe)));
    r |= sys_set("_base_executable", str_decode_fs(exe, strlen(exe)));
    static const char *const prefixes[] = {"prefix", "base_prefix", "exec_prefix", "base_exec_prefix"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        r |= sys_set(prefixes[i], str_from_c("/usr"));
    r |= sys_set("_stdlib_dir", str_from_c(STDLIB_DIR));
    return r;
}

static Value string_list(const char *const *items, int n) {
    Value l = list_new(n);
    for (int i = 0; l && i < n; i++)
        if (path_add(l, items[i]) < 0) {
            release(l);
            return ABSENT;
        }
    return l;
}

static int set_up_sys(const StartOptions *o) {
    int r = sys_set("argv", string_list((const char *const *)o->argv, o->argc));
    r |= sys_set("orig_argv", string_list((const char *const *)o->orig_argv, o->orig_argc));
    /* Warning options in CPython's order of precedence: environment, -b, then -W. */
    Value w = list_new(4);
    if (!w)
        return -1;
    if (sys_flags.dev_mode)
        r |= path_add(w, "default");
    const char *env = sys_flags.ignore_environment ? NULL : getenv("PYTHONWARNINGS");
    for (const char *p = env; p && *p;) {
        const char *end = strchr(p, ',');
        size_t len = end ? (size_t)(end - p) : strlen(p);
        Value s = str_decode_fs(p, len);
        r |= s ? list_append(w, s) : -1;
        release(s);
        p += len + (end != NULL);
    }
    for (int i = 0; i < o->n_warn; i++)
        r |= path_add(w, o->warn[i]);
    if (sys_flags.bytes_warning)
        r |= path_add(w, sys_flags.bytes_warning > 1 ? "error::BytesWarning" : "default::BytesWarning");
    r |= sys_set("warnoptions", w);
    Value x = dict_new();
    for (int i = 0; x && i < o->n_x; i++) {
        const char *eq = strchr(o->x[i], '=');
        Value k = str_decode_fs(o->x[i], eq ? (size_t)(eq - o->x[i]) : strlen(o->x[i]));
        Value v = eq ? str_decode_fs(eq + 1, strlen(eq + 1)) : V_TRUE;
        r |= k && v ? dict_set(x, k, v) : -1;
        release(k);
        release(v);
    }
    r |= sys_set("_xoptions", x);
    const char *prefix = sys_flags.ignore_environment ? NULL : getenv("PYTHONPYCACHEPREFIX");
    for (int i = 0; i < o->n_x; i++)
        if (strncmp(o->x[i], "pycache_prefix", 14) == 0)
            prefix = o->x[i][14] == '=' ? o->x[i] + 15 : "";
    if (prefix && *prefix)
        r |= sys_set("pycache_prefix", str_decode_fs(prefix, strlen(prefix)));
    r |= sys_set("dont_write_bytecode", v_bool(sys_flags.dont_write_bytecode));
    r |= set_up_paths(o);
    return r < 0 ? -1 : 0;
}

/* ---- streams ---- */

/* A text stream over fd as CPython makes its standard ones; None when the descriptor is not open. */
static Value make_stream(Value io, int fd, bool writing, const char *name, const char *encoding, const char *errors,
                         bool unbuffered) {
    if (fcntl(fd, F_GETFD) < 0)
        return V_NONE;
    Value open = obj_getattr_str(io, "open"), mode = str_from_c(writing ? "wb" : "rb"), text = ABSENT, buf = ABSENT,
          raw = ABSENT;
    Value names = tuple_pack(1, ID("closefd")), sname = str_from_c(name);
    Value a[] = {v_from_int(fd), mode, v_from_int(unbuffered && writing ? 0 : -1), V_FALSE};
    buf = open && names ? obj_call(open, a, 3, names) : ABSENT;
    if (!buf)
        goto out;
    raw = unbuffered && writing ? retained(buf) : obj_getattr_str(buf, "raw");
    if (!raw || obj_setattr_str(raw, "name", sname) < 0)
        goto out;
    bool tty = isatty(fd);
    Value cls = obj_getattr_str(io, "TextIOWrapper"), enc = str_from_c(encoding), err = str_from_c(errors);
    Value t[] = {
        buf, enc, err, ID("\n"), v_bool(writing ? tty || fd == 2 || unbuffered : false), v_bool(unbuffered && writing)};
    text = cls ? obj_call(cls, t, 6, ABSENT) : ABSENT;
    Value tmode = str_from_c(writing ? "w" : "r");
    if (text && obj_setattr_str(text, "mode", tmode) < 0)
        err_clear();
    release(tmode);
    release(cls);
    release(enc);
    release(err);
out:
    release(open);
    release(mode);
    release(names);
    release(sname);
    release(buf);
    release(raw);
    return text;
}

int start_set_up_streams(bool unbuffered) {
    char enc[64] = "utf-8", errs[64] = "";
    const char *env = sys_flags.ignore_environment ? NULL : getenv("PYTHONIOENCODING");
    if (env) {
        const char *colon = strchr(env, ':');
        size_t n = colon ? (size_t)(colon - env) : strlen(env);
        if (n && n < sizeof enc) {
            memcpy(enc, env, n);
            enc[n] = 0;
        }
        if (colon)
            snprintf(errs, sizeof errs, "%s", colon + 1);
        if (n && !*errs) /* an encoding without error handler: strict */
            strcpy(errs, "strict");
    }
    const char *lc = setlocale(LC_CTYPE, NULL);
    const char *io_errors = *errs                                                      ? errs
                            : lc && (strcmp(lc, "C") == 0 || strcmp(lc, "POSIX") == 0) ? "surrogateescape"
                                                                                       : "strict";
    Value io = import_module("_io");
    if (!io)
        return -1;
    static const char *const names[] = {"stdin", "stdout", "stderr"}, *const shown[] = {"<stdin>", "<stdout>",
                                                                                        "<stderr>"};
    Value open = obj_getattr_str(io, "open"), builtins = open == ABSENT ? ABSENT : import_module("builtins");
    int r = builtins == ABSENT ? -1 : obj_setattr_str(builtins, "open", open);
    release(open);
    release(builtins);
    for (int i = 0; r == 0 && i < 3; i++) {
        Value s = make_stream(io, i, i > 0, shown[i], enc, i == 2 ? "backslashreplace" : io_errors, unbuffered);
        char own[16];
        snprintf(own, sizeof own, "__%s__", names[i]);
        r = !s ? -1 : sys_set(own, retained(s)) | sys_set(names[i], retained(s));
        release(s);
    }
    release(io);
    return r;
}

void sys_flush_streams(void) {
    static const char *const names[] = {"stdout", "stderr"};
    for (int i = 0; i < 2; i++) {
        Value s = sys_get(names[i]);
        if (s && s != V_NONE) {
            Value r = obj_call_method(s, ID("flush"), NULL, 0);
            if (!r)
                err_clear();
            release(r);
        }
        release(s);
    }
}

/* ---- start ---- */

void start_init(const StartOptions *o) {
    setlocale(LC_CTYPE, "");
    if (heap_init() < 0)
        die("out of memory");
    sched_init();
    if (o->heap_limit)
        heap_set_limit(o->heap_limit);
    if (!thread_attach_new())
        die("out of memory");
    if (tracer_init() < 0)
        die("out of memory");
    compile_optimize = sys_flags.optimize;
    init_types();
    trace_register_roots(native_visit_roots);
    trace_register_roots(import_visit_roots);
    trace_register_weak(prune_types);
    if (warnings_init() < 0)
        die("out of memory");
    if (codec_registry_init() < 0)
        die("codecs: cannot start");
    if (import_init() < 0)
        die("import: cannot start");
    if (sys_flags.int_max_str_digits >= 0)
        int_set_max_str_digits(sys_flags.int_max_str_digits);
    if (set_up_sys(o) < 0)
        die("sys: cannot start");
    signal_init(true);
    if (start_set_up_streams(o->unbuffered) < 0)
        die("init_sys_streams: can't initialize sys standard streams");
}

/* ---- end ---- */

static int flush_std(const char *name) {
    Value s = sys_get(name);
    int r = 0;
    if (s && s != V_NONE) {
        Value closed;
        int has = obj_lookup_attr_str(s, "closed", &closed);
        bool skip = has > 0 && obj_truth(closed) > 0;
        if (has > 0)
            release(closed);
        if (!skip) {
            Value v = obj_call_method(s, ID("flush"), NULL, 0);
            if (!v) {
                err_unraisable(NULL, s);
                r = -1;
            }
            release(v);
        }
    }
    release(s);
    err_clear();
    return r;
}

static void shut_threads(void) {
    Value m = dict_get_str(import_modules(), "threading");
    if (!m)
        return;
    Value r = obj_call_method_str(m, "_shutdown", NULL, 0);
    if (!r)
        err_unraisable(NULL, m);
    release(r);
    release(m);
}

/* Values of a module's names become None, private ones first, so that finalizers find what they need as long as
 * possible. */
static void clear_module(Value m) {
    Value d = module_dict(m);
    for (int pass = 0; pass < 2; pass++) {
        Value keys = dict_keys_list(d);
        for (intptr_t i = 0; keys && i < list_len(keys); i++) {
            Value k = list_get(keys, i);
            if (v_is_str(k) && str_len(k) > 0) {
                bool private = str_at(k, 0) == '_' && !(str_len(k) > 1 && str_at(k, 1) == '_');
                if (!str_equal_c(k, "__builtins__") && (pass == 0 ? private : !private))
                    if (dict_set(d, k, V_NONE) < 0)
                        err_clear();
            }
            release(k);
        }
        release(keys);
        if (!keys)
            err_clear();
        excl_poll();
        err_clear();
    }
}

static void finalize_modules(void) {
    static const char *const cleared[] = {"path",
                                          "argv",
                                          "ps1",
                                          "ps2",
                                          "last_type",
                                          "last_value",
                                          "last_traceback",
                                          "path_hooks",
                                          "path_importer_cache",
                                          "meta_path"};
    Value b = dict_get_str(import_modules(), "builtins");
    if (b && dict_set(module_dict(b), ID("_"), V_NONE) < 0)
        err_clear();
    for (size_t i = 0; i < ARRAY_LEN(cleared); i++)
        sys_set(cleared[i], V_NONE);
    err_clear();
    static const char *const std[] = {"stdin", "stdout", "stderr"};
    for (int i = 0; i < 3; i++) {
        char own[16];
        snprintf(own, sizeof own, "__%s__", std[i]);
        Value s = sys_get(own);
        sys_set(std[i], s ? s : V_NONE);
    }
    Value mods = dict_values_list(import_modules()), main = dict_get_str(import_modules(), "__main__"),
          sys = sys_module();
    if (!COUNT_PROMPT)
        trace_collect(2); /* what is dead by now is finalized while its module is whole */
    if (main && v_is_exact(main, IDX_MODULE))
        clear_module(main);
    trace_collect(2);
    for (intptr_t i = mods ? list_len(mods) : 0; i-- > 0;) {
        Value m = list_get(mods, i);
        if (v_is_exact(m, IDX_MODULE) && m != main && m != sys && m != b) {
            Value d = module_dict(m), file = dict_get_str(d, "__file__");
            if (file) /* modules of Python code; C modules hold nothing of the program's */
                clear_module(m);
            release(file);
        }
        release(m);
    }
    release(mods);
    release(main);
    release(b);
    err_clear();
    trace_collect(2);
    err_clear();
}

enum { STATUS_LEAK = 121 };

int start_finish(const StartOptions *o, int status) {
    torture_end();
    err_clear();
    shut_threads();
    atexit_run();
    err_clear();
    if (flush_std("stdout") < 0)
        status = 120;
    if (flush_std("stderr") < 0)
        status = 120;
    thread_at_exit();
    sys_set_finalizing();
    finalize_modules();
    if (flush_std("stdout") < 0)
        status = 120;
    flush_std("stderr");
    atexit_fini();
    signal_fini();
    if ((o->leakcheck || POLYGIL_ASSERT >= 1) && trace_report_leaks() != 0 && status == 0)
        status = STATUS_LEAK;
    return status;
}

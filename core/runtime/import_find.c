/* Import: finding and loading. Two finder objects in sys.meta_path stand for what C code here does: built-in modules,
 * and source files along sys.path or a package's __path__. Foreign finders in sys.meta_path are asked as importlib
 * would ask them.
 *
 * When a program imports importlib, its classes take over what Python code can see (specs, loaders, sys.meta_path,
 * sys.path_hooks); C code here still does the work for the standard finders, as long as they are the ones that
 * importlib installed. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/arena.h"
#include "front/compile.h"
#include "interp/interp.h"
#include "modules/sys_impl.h"
#include "modules_table.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/import_impl.h"
#include "runtime/start.h"

/* ---- built-in modules ---- */

const ModuleSpec *import_builtin_spec(const char *name) {
    for (const ModuleSpec *const *p = modules_table; *p; p++)
        if (strcmp((*p)->name, name) == 0)
            return *p;
    return NULL;
}
Value import_builtin_names(void) {
    Value l = list_new(64);
    for (const ModuleSpec *const *p = modules_table; l && *p; p++)
        if (list_append_steal(l, str_from_c((*p)->name)) < 0) {
            release(l);
            return ABSENT;
        }
    Value t = l && list_sort(l) == 0 ? list_to_tuple(l) : ABSENT;
    release(l);
    return t;
}

static Value std_builtin_finder, std_path_finder; /* our objects in sys.meta_path, later importlib's classes */
static Value own_builtin, own_path;               /* ours, always */
static Value lib_bootstrap, lib_external;         /* _frozen_importlib, _frozen_importlib_external */
/* importlib's classes once it was loaded; ABSENT before. */
static Value lib_module_spec, lib_source_loader, lib_builtin_importer, lib_namespace_loader, lib_path_finder,
    lib_namespace_path;
static Value lib_zipimport; /* ABSENT too where the library lacks it */

Value import_load_builtin(const ModuleSpec *spec) {
    Value name = str_intern_static(spec->name), m = module_new(name);
    if (!m || dict_set(import_modules(), name, m) < 0) {
        release(m);
        return ABSENT;
    }
    Value d = module_dict(m);
    if (spec->doc) {
        Value doc = str_from_c(spec->doc);
        if (!doc || dict_set(d, ID("__doc__"), doc) < 0)
            goto fail;
        release(doc);
    }
    if (dict_set(d, ID("__package__"), ID("")) < 0)
        goto fail;
    if (own_builtin) { /* not during the first steps of start-up: import_find_init makes up for it */
        Value loader = lib_builtin_importer ? lib_builtin_importer : own_builtin;
        Value s = import_make_spec(name, loader, ID("built-in"), ABSENT, false);
        int r = s ? dict_set(d, ID("__spec__"), s) : -1;
        release(s);
        if (r < 0 || dict_set(d, ID("__loader__"), loader) < 0)
            goto fail;
    }
    for (const NativeDef *f = spec->functions; f && f->name; f++) {
        Value fn = native_new(f, m, name);
        if (fn)
            type_share_value(fn);
        int r = fn ? dict_set(d, str_intern_static(f->name), fn) : -1;
        release(fn);
        if (r < 0)
            goto fail;
    }
    if (spec->exec && spec->exec(m) < 0)
        goto fail;
    return m;
fail: {
    Value e = err_fetch(), old;
    if (dict_pop(import_modules(), name, &old) > 0)
        release(old);
    err_restore(e);
    release(m);
    return ABSENT;
}
}

/* ---- our loader, spec and finder objects ---- */

/* What importlib.machinery.ModuleSpec is, before importlib is there. A plain class with attributes. */
static Type spec_type, loader_type, finder_type;

typedef struct Loader {
    Object hdr;
    Ref name, path;
} Loader;
static Loader *L(Value v) {
    return (Loader *)v;
}

Value import_make_spec(Value name, Value loader, Value origin, Value locations, bool has_location) {
    Value spec;
    if (lib_module_spec) {
        Value names = tuple_pack(2, ID("origin"), ID("is_package"));
        Value a[] = {name, loader ? loader : V_NONE, origin ? origin : V_NONE, v_bool(locations != ABSENT)};
        spec = names ? obj_call(lib_module_spec, a, 2, names) : ABSENT;
        release(names);
        if (spec && ((has_location && obj_setattr(spec, ID("has_location"), V_TRUE) < 0 &&
                      obj_setattr(spec, ID("_set_fileattr"), V_TRUE) < 0) ||
                     (locations && obj_setattr(spec, ID("submodule_search_locations"), locations) < 0))) {
            err_clear();
        }
        if (spec && has_location && obj_setattr(spec, ID("_set_fileattr"), V_TRUE) < 0)
            err_clear();
        return spec;
    }
    spec = obj_new(&spec_type);
    if (!spec)
        return ABSENT;
    trace_track(v_obj(spec));
    Value parent = ABSENT;
    if (locations)
        parent = retained(name);
    else {
        intptr_t dot = str_len(name);
        while (dot > 0 && str_at(name, dot - 1) != '.')
            dot--;
        parent = str_substr(name, 0, dot > 0 ? dot - 1 : 0);
    }
    if (!parent || attrs_set(spec, ID("name"), name) < 0 ||
        attrs_set(spec, ID("loader"), loader ? loader : V_NONE) < 0 ||
        attrs_set(spec, ID("origin"), origin ? origin : V_NONE) < 0 ||
        attrs_set(spec, ID("submodule_search_locations"), locations ? locations : V_NONE) < 0 ||
        attrs_set(spec, ID("has_location"), v_bool(has_location)) < 0 || attrs_set(spec, ID("parent"), parent) < 0 ||
        attrs_set(spec, ID("loader_state"), V_NONE) < 0 || attrs_set(spec, ID("cached"), V_NONE) < 0 ||
        attrs_set(spec, ID("_initializing"), V_FALSE) < 0) {
        release(spec);
        spec = ABSENT;
    }
    release(parent);
    return spec;
}
int import_spec_set_initializing(Value spec, bool on) {
    return obj_setattr(spec, ID("_initializing"), v_bool(on));
}

static Value spec_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = obj_getattr(self, ID("name")), loader = name ? obj_getattr(self, ID("loader")) : ABSENT;
    Value origin = loader ? obj_getattr(self, ID("origin")) : ABSENT, r = ABSENT;
    if (origin)
        r = origin == V_NONE ? str_format_c("ModuleSpec(name=%R, loader=%R)", name, loader)
                             : str_format_c("ModuleSpec(name=%R, loader=%R, origin=%R)", name, loader, origin);
    release(name);
    release(loader);
    release(origin);
    return r;
}
static const NativeDef spec_methods[] = {{"__repr__", spec_repr, "($self, /)", 0, NULL}, {0}};
static const TypeSpec spec_spec = {.name = "_frozen_importlib.ModuleSpec",
                                   .basic_size = sizeof(Object),
                                   .flags = TF_HAS_DICT | TF_NO_NEW,
                                   .methods = spec_methods};

static Value read_file(const char *path); /* bytes; ABSENT with OSError */

static Value compile_file_text(Value bytes, Value filename) {
    Arena a;
    arena_init(&a);
    const char *text;
    size_t n;
    Value code = ABSENT;
    if (source_to_utf8(bytes_data(bytes), (size_t)bytes_len(bytes), filename, &a, &text, &n) == 0)
        code = compile_source(text, n, filename, PARSE_EXEC, PARSE_IGNORE_COOKIE, sys_flags.optimize);
    arena_free(&a);
    return code;
}
static Value loader_new(Value name, Value path) {
    if (lib_source_loader)
        return obj_call2(lib_source_loader, name, path);
    Value v = obj_new(&loader_type);
    if (v) {
        ref_init(&L(v)->name, retained(name));
        ref_init(&L(v)->path, retained(path));
        trace_track(v_obj(v));
    }
    return v;
}
static Value path_bytes(Value path) {
    return str_encode_fs(path);
}
static Value l_get_code(Value self, Value *args, intptr_t nargs, Value kw) {
    Value p = path_bytes(ref_peek(&L(self)->path)), src = p ? read_file(bytes_data(p)) : ABSENT;
    Value code = src ? compile_file_text(src, ref_peek(&L(self)->path)) : ABSENT;
    release(p);
    release(src);
    return code;
}
static Value l_get_source(Value self, Value *args, intptr_t nargs, Value kw) {
    Value p = path_bytes(ref_peek(&L(self)->path)), src = p ? read_file(bytes_data(p)) : ABSENT, r = ABSENT;
    if (src) {
        Arena a;
        arena_init(&a);
        const char *text;
        size_t n;
        if (source_to_utf8(bytes_data(src), (size_t)bytes_len(src), ref_peek(&L(self)->path), &a, &text, &n) == 0) {
            char *norm = malloc(n + 1); /* universal newlines */
            size_t k = 0;
            for (size_t i = 0; norm && i < n; i++) {
                if (text[i] == '\r') {
                    norm[k++] = '\n';
                    i += i + 1 < n && text[i + 1] == '\n';
                } else
                    norm[k++] = text[i];
            }
            r = norm ? str_from_utf8(norm, k) : err_no_memory();
            free(norm);
        }
        arena_free(&a);
    }
    release(p);
    release(src);
    return r;
}
static Value l_get_filename(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(ref_peek(&L(self)->path));
}
static Value l_get_data(Value self, Value *args, intptr_t nargs, Value kw) {
    Value p = v_is_str(args[0]) ? path_bytes(args[0]) : err_set(&exc_TypeError, "path must be str");
    Value r = p ? read_file(bytes_data(p)) : ABSENT;
    release(p);
    return r;
}
static Value l_is_package(Value self, Value *args, intptr_t nargs, Value kw) {
    Value p = ref_peek(&L(self)->path);
    Value tail = str_from_c("/__init__.py");
    intptr_t n = str_len(p), k = str_len(tail);
    bool yes = n >= k && str_find(p, tail, n - k, n, 1) >= 0;
    release(tail);
    return v_bool(yes);
}
static Value l_create(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_NONE;
}
static Value l_exec(Value self, Value *args, intptr_t nargs, Value kw) {
    Value code = l_get_code(self, NULL, 0, ABSENT), d = code ? obj_getattr(args[0], ID("__dict__")) : ABSENT;
    Value r = d ? interp_exec(code, d, d, ABSENT) : ABSENT;
    release(code);
    release(d);
    release(r);
    return r ? V_NONE : ABSENT;
}
static void l_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&L(self)->name), arg);
    visit(ref_peek(&L(self)->path), arg);
}
static void l_clear(Value self) {
    ref_clear(self, &L(self)->name);
    ref_clear(self, &L(self)->path);
}
static const TypeOps loader_ops = {l_traverse, l_clear, NULL};
static const NativeDef loader_methods[] = {
    {"create_module", l_create, "($self, spec, /)", 0, NULL},
    {"exec_module", l_exec, "($self, module, /)", 0, NULL},
    {"get_code", l_get_code, "($self, fullname=None, /)", 0, NULL},
    {"get_source", l_get_source, "($self, fullname=None, /)", 0, NULL},
    {"get_filename", l_get_filename, "($self, name=None, /)", 0, NULL},
    {"get_data", l_get_data, "($self, path, /)", 0, NULL},
    {"is_package", l_is_package, "($self, fullname=None, /)", 0, NULL},
    {0},
};
static const MemberDef loader_members[] = {{"name", MK_REF | MK_READONLY, offsetof(Loader, name), NULL},
                                           {"path", MK_REF | MK_READONLY, offsetof(Loader, path), NULL},
                                           {0}};
static const TypeSpec loader_spec = {.name = "_frozen_importlib_external.SourceFileLoader",
                                     .basic_size = sizeof(Loader),
                                     .flags = TF_NO_NEW,
                                     .ops = &loader_ops,
                                     .methods = loader_methods,
                                     .members = loader_members};

/* ---- files ---- */

static Value read_file(const char *path) {
    int fd, err = 0;
    char *buf = NULL;
    size_t n = 0, cap = 0;
    DETACHED_BEGIN
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        err = errno;
    else {
        struct stat st;
        cap = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size + 1 : 8192;
        buf = malloc(cap);
        for (;;) {
            if (buf && n == cap) {
                char *p = realloc(buf, cap *= 2);
                if (!p)
                    free(buf);
                buf = p;
            }
            if (!buf) {
                err = ENOMEM;
                break;
            }
            ssize_t k = read(fd, buf + n, cap - n);
            if (k < 0 && errno == EINTR)
                continue;
            if (k < 0)
                err = errno;
            if (k <= 0)
                break;
            n += (size_t)k;
        }
        close(fd);
    }
    DETACHED_END
    Value r = ABSENT;
    if (err) {
        errno = err;
        Value p = str_decode_fs(path, strlen(path));
        err_errno_file(p);
        release(p);
    } else
        r = bytes_from(buf, n);
    free(buf);
    return r;
}

static int file_kind(const char *path) { /* 0 none, 1 file or in a file (an archive), 2 directory */
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOTDIR ? 1 : 0;
    return S_ISDIR(st.st_mode) ? 2 : S_ISREG(st.st_mode) ? 1 : 0;
}

/* ---- finding ---- */

typedef enum FoundKind {
    FOUND_NOTHING,
    FOUND_SOURCE,
    FOUND_PACKAGE,
    FOUND_NAMESPACE,
    FOUND_BUILTIN,
    FOUND_SPEC,
    FOUND_ERROR
} FoundKind;
typedef struct Found {
    FoundKind kind;
    char *path;     /* malloc'd: the file */
    char *dir;      /* malloc'd: of a package */
    Value portions; /* list of directories: a namespace package */
    Value spec;     /* FOUND_SPEC: made by somebody else */
    const ModuleSpec *builtin;
} Found;
static void found_free(Found *f) {
    free(f->path);
    free(f->dir);
    release(f->portions);
    release(f->spec);
}

static char *join_path(const char *dir, const char *tail, const char *suffix) {
    char *p;
    if (asprintf(&p, *dir && dir[strlen(dir) - 1] != '/' ? "%s/%s%s" : "%s%s%s", dir, tail, suffix) < 0)
        return NULL;
    return p;
}

static int load_importlib(void);
static int take_over(void);

/* A path entry that is no directory, or has a hook of the program's: importlib is asked. */
static int find_by_importlib(Value name, Value entry, Found *f) {
    Value finder = ABSENT, spec = ABSENT, path = ABSENT;
    int r = -1;
    if (load_importlib() < 0)
        return -1;
    finder = retained(lib_path_finder);
    path = finder ? list_from(&entry, 1) : ABSENT;
    if (path) {
        Value a[] = {name, path};
        spec = obj_call_method(finder, ID("find_spec"), a, 2);
    }
    if (spec) {
        r = 0;
        if (spec != V_NONE) {
            f->kind = FOUND_SPEC;
            f->spec = retained(spec);
        }
    }
    release(finder);
    release(path);
    release(spec);
    return r;
}

static bool hooks_are_standard(void) {
    Value hooks = sys_get("path_hooks");
    bool std = !hooks || (v_is_list(hooks) && list_len(hooks) <= (lib_path_finder ? 2 : 0));
    release(hooks);
    return std;
}

static int find_in_path(Value name, Value path, Found *f) {
    size_t n;
    const char *full = str_utf8(name, &n);
    if (!full)
        return -1;
    if (strlen(full) != n)
        return 0; /* no file has such a name */
    const char *tail = strrchr(full, '.');
    tail = tail ? tail + 1 : full;
    Value it = obj_iter(path), entry;
    if (!it)
        return -1;
    int r = 0;
    bool standard = hooks_are_standard();
    while (r == 0 && f->kind == FOUND_NOTHING && (entry = obj_next(it)) != ABSENT) {
        if (!v_is_str(entry)) {
            release(entry);
            continue;
        }
        Value eb = str_encode_fs(entry);
        if (!eb) {
            release(entry);
            r = -1;
            break;
        }
        char cwd[4096];
        const char *dir = bytes_data(eb);
        if (!*dir)
            dir = getcwd(cwd, sizeof cwd) ? cwd : ".";
        int kind = file_kind(dir);
        if (kind == 1 || !standard)
            r = find_by_importlib(name, entry, f);
        else if (kind == 2) {
            char *p = join_path(dir, tail, ""), *init = p ? join_path(p, "__init__.py", "") : NULL,
                 *py = join_path(dir, tail, ".py");
            if (!p || !init || !py) {
                err_no_memory();
                r = -1;
            } else {
                int pk = file_kind(p);
                if (pk == 2 && file_kind(init) == 1) {
                    f->kind = FOUND_PACKAGE;
                    f->path = init;
                    f->dir = p;
                    init = p = NULL;
                } else if (file_kind(py) == 1) {
                    f->kind = FOUND_SOURCE;
                    f->path = py;
                    py = NULL;
                } else if (pk == 2) {
                    if (!f->portions)
                        f->portions = list_new(1);
                    Value d = str_decode_fs(p, strlen(p));
                    r = f->portions && d ? list_append(f->portions, d) : -1;
                    release(d);
                }
            }
            free(p);
            free(init);
            free(py);
        }
        release(entry);
        release(eb);
    }
    release(it);
    if (r < 0 || err_pending())
        return -1;
    if (f->kind == FOUND_NOTHING && f->portions)
        f->kind = FOUND_NAMESPACE;
    return 0;
}

/* Through sys.meta_path. 0, -1. */
static int find(Value name, Value parent_path, Found *f) {
    Value meta = sys_get("meta_path");
    if (!meta || meta == V_NONE || !v_is_list(meta)) {
        release(meta);
        err_set(&exc_ImportError, "sys.meta_path is None, Python is likely shutting down");
        return -1;
    }
    int r = 0;
    if (list_len(meta) == 0 && err_warn(&exc_ImportWarning, 1, "sys.meta_path is empty") < 0)
        r = -1;
    for (intptr_t i = 0; r == 0 && f->kind == FOUND_NOTHING && i < list_len(meta); i++) {
        Value finder = list_get(meta, i);
        if (!finder)
            break;
        if (finder == std_builtin_finder || finder == own_builtin) {
            const char *n = str_utf8(name, NULL);
            if (!n)
                r = -1;
            else if (parent_path == V_NONE && (f->builtin = import_builtin_spec(n)) != NULL)
                f->kind = FOUND_BUILTIN;
        } else if (finder == std_path_finder || finder == own_path) {
            Value path = parent_path != V_NONE ? retained(parent_path) : sys_get("path");
            r = path ? find_in_path(name, path, f) : 0;
            release(path);
        } else {
            Value find_spec, spec = ABSENT;
            int has = obj_lookup_attr(finder, ID("find_spec"), &find_spec);
            if (has < 0)
                r = -1;
            else if (has > 0) {
                Value a[] = {name, parent_path, V_NONE};
                spec = obj_call(find_spec, a, 3, ABSENT);
                release(find_spec);
                if (!spec)
                    r = -1;
                else if (spec != V_NONE) {
                    f->kind = FOUND_SPEC;
                    f->spec = spec;
                } else
                    release(spec);
            }
        }
        release(finder);
    }
    release(meta);
    return r;
}

/* The spec object for what was found: owned. */
static Value found_spec(Value name, const Found *f) {
    Value loader = ABSENT, origin = ABSENT, locations = ABSENT, spec = ABSENT;
    switch (f->kind) {
    case FOUND_BUILTIN:
        return import_make_spec(name, lib_builtin_importer ? lib_builtin_importer : own_builtin, ID("built-in"), ABSENT,
                                false);
    case FOUND_SPEC:
        return retained(f->spec);
    case FOUND_SOURCE:
    case FOUND_PACKAGE:
        origin = str_decode_fs(f->path, strlen(f->path));
        loader = origin ? loader_new(name, origin) : ABSENT;
        if (loader && f->kind == FOUND_PACKAGE) {
            Value d = str_decode_fs(f->dir, strlen(f->dir));
            locations = d ? list_from(&d, 1) : ABSENT;
            release(d);
        }
        if (loader && (f->kind == FOUND_SOURCE || locations))
            spec = import_make_spec(name, loader, origin, locations, true);
        break;
    case FOUND_NAMESPACE:
        locations = retained(f->portions);
        if (lib_namespace_loader) {
            Value a[] = {name, locations, std_path_finder};
            loader = obj_call(lib_namespace_loader, a, 3, ABSENT);
            if (!loader)
                break;
        }
        spec = import_make_spec(name, loader, ABSENT, locations, false);
        break;
    default:
        break;
    }
    release(loader);
    release(origin);
    release(locations);
    return spec;
}

/* ---- loading ---- */

static int set_attrs(Value d, Value spec, const Found *f) {
    int r = dict_set(d, ID("__spec__"), spec);
    Value loader = obj_getattr(spec, ID("loader")), parent = obj_getattr(spec, ID("parent"));
    if (!loader || !parent)
        r = -1;
    if (r == 0)
        r = dict_set(d, ID("__loader__"), loader);
    if (r == 0)
        r = dict_set(d, ID("__package__"), parent);
    release(loader);
    release(parent);
    if (r == 0 && (f->kind == FOUND_SOURCE || f->kind == FOUND_PACKAGE)) {
        Value file = obj_getattr(spec, ID("origin"));
        r = file ? dict_set(d, ID("__file__"), file) : -1;
        if (r == 0)
            r = dict_set(d, ID("__cached__"), V_NONE);
        release(file);
    }
    if (r == 0 && (f->kind == FOUND_PACKAGE || f->kind == FOUND_NAMESPACE)) {
        Value loc = obj_getattr(spec, ID("submodule_search_locations"));
        r = loc ? dict_set(d, ID("__path__"), loc) : -1;
        release(loc);
    }
    return r;
}

/* What importlib._bootstrap._load does with a spec of somebody else's. */
static Value load_foreign(Value name, Value spec) {
    if (load_importlib() < 0)
        return ABSENT;
    Value a[] = {spec};
    return obj_call_method_str(lib_bootstrap, "_load", a, 1);
}

/* The module as it is in sys.modules after it ran: it may have put something else there. */
static Value from_modules(Value name) {
    Value m;
    int r = dict_lookup(import_modules(), name, &m);
    if (r > 0)
        return m;
    if (r == 0)
        err_set(&exc_ImportError, "module %R not in sys.modules", name);
    return ABSENT;
}

Value import_find_load(Value name, Value parent_path) {
    Found f = {0};
    Value result = ABSENT, spec = ABSENT, m = ABSENT, code = ABSENT, src = ABSENT;
    if (str_equal_c(name, "_frozen_importlib")) {
        if (take_over() == 0)
            result = retained(lib_bootstrap);
        goto out;
    }
    if (str_equal_c(name, "_frozen_importlib_external")) {
        if (load_importlib() == 0)
            result = retained(lib_external);
        goto out;
    }
    if (str_equal_c(name, "zipimport") && (load_importlib() < 0 || lib_zipimport != ABSENT)) {
        result = retained(lib_zipimport);
        goto out;
    }
    if (find(name, parent_path, &f) < 0)
        goto out;
    if (f.kind == FOUND_NOTHING) {
        result = V_MARK;
        goto out;
    }
    if (f.kind == FOUND_BUILTIN) {
        result = import_load_builtin(f.builtin);
        goto out;
    }
    if (f.kind == FOUND_SPEC) {
        result = load_foreign(name, f.spec);
        goto out;
    }
    spec = found_spec(name, &f);
    m = spec ? module_new(name) : ABSENT;
    if (!m)
        goto out;
    Value d = module_dict(m);
    if (set_attrs(d, spec, &f) < 0)
        goto out;
    if (f.kind != FOUND_NAMESPACE) {
        src = read_file(f.path);
        Value origin = src ? dict_get(d, ID("__file__")) : ABSENT;
        code = origin ? compile_file_text(src, origin) : ABSENT;
        release(origin);
        if (!code)
            goto out;
    }
    if (import_verbose)
        fprintf(stderr, "import '%s' # %s\n", str_utf8(name, NULL), f.path ? f.path : "namespace");
    if (import_spec_set_initializing(spec, true) < 0 || dict_set(import_modules(), name, m) < 0)
        goto out;
    if (code) {
        Value r = interp_exec(code, d, d, ABSENT);
        if (!r) {
            Value e = err_fetch(), old;
            if (dict_pop(import_modules(), name, &old) > 0)
                release(old);
            import_spec_set_initializing(spec, false);
            err_clear();
            err_restore(e);
            goto out;
        }
        release(r);
    }
    if (import_spec_set_initializing(spec, false) < 0)
        goto out;
    result = from_modules(name);
out:
    found_free(&f);
    release(spec);
    release(m);
    release(code);
    release(src);
    return result;
}

/* ---- finder objects ---- */

static Value finder_find_spec(Value self, Value *args, intptr_t nargs, Value kw) {
    Found f = {0};
    Value path = arg_at(args, nargs, 1), spec = ABSENT;
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "module name must be str, not %T", args[0]);
    const char *n = str_utf8(args[0], NULL);
    int r = n ? 0 : -1;
    if (r == 0 && self == own_builtin) {
        if ((f.builtin = import_builtin_spec(n)) != NULL)
            f.kind = FOUND_BUILTIN;
    } else if (r == 0) {
        Value p = path && path != V_NONE ? retained(path) : sys_get("path");
        r = p ? find_in_path(args[0], p, &f) : 0;
        release(p);
    }
    if (r == 0)
        spec = f.kind == FOUND_NOTHING ? V_NONE : found_spec(args[0], &f);
    found_free(&f);
    return spec;
}
static Value finder_nothing(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_NONE;
}
static Value finder_is_package(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_FALSE;
}
static Value finder_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_from_c(self == own_builtin ? "<class '_frozen_importlib.BuiltinImporter'>"
                                          : "<class '_frozen_importlib_external.PathFinder'>");
}
static const NativeDef finder_methods[] = {
    {"find_spec", finder_find_spec, "($self, fullname, path=None, target=None)", 0, NULL},
    {"invalidate_caches", finder_nothing, "($self, /)", 0, NULL},
    {"get_code", finder_nothing, "($self, fullname, /)", 0, NULL},
    {"get_source", finder_nothing, "($self, fullname, /)", 0, NULL},
    {"is_package", finder_is_package, "($self, fullname, /)", 0, NULL},
    {"__repr__", finder_repr, "($self, /)", 0, NULL},
    {0},
};
static const TypeSpec finder_spec = {
    .name = "_frozen_importlib.Finder", .basic_size = sizeof(Object), .flags = TF_NO_NEW, .methods = finder_methods};

int import_find_init(Value sys_dict) {
    type_init_module_type(&spec_type, &spec_spec);
    type_init_module_type(&loader_type, &loader_spec);
    type_init_module_type(&finder_type, &finder_spec);
    own_builtin = std_builtin_finder = obj_new(&finder_type);
    own_path = std_path_finder = obj_new(&finder_type);
    Value l = list_new(2), hooks = list_new(0), cache = dict_new();
    int r = own_builtin && own_path && l && hooks && cache ? 0 : -1;
    if (r == 0)
        r = list_append(l, own_builtin) | list_append(l, own_path) | dict_set(sys_dict, ID("meta_path"), l) |
            dict_set(sys_dict, ID("path_hooks"), hooks) | dict_set(sys_dict, ID("path_importer_cache"), cache);
    release(l);
    release(hooks);
    release(cache);
    static const char *const early[] = {"builtins", "sys"};
    for (int i = 0; r == 0 && i < 2; i++) {
        Value name = str_intern_static(early[i]), m = dict_get(import_modules(), name);
        Value s = m ? import_make_spec(name, own_builtin, ID("built-in"), ABSENT, false) : ABSENT;
        r = s ? dict_set(module_dict(m), ID("__spec__"), s) | dict_set(module_dict(m), ID("__loader__"), own_builtin)
              : -1;
        release(s);
        release(m);
    }
    return r;
}

void import_find_visit(VisitFn visit, void *arg) {
    /* std_* are names for two of these: every visit stands for a count. */
    Value all[] = {own_builtin,          own_path,        lib_module_spec,    lib_source_loader, lib_builtin_importer,
                   lib_namespace_loader, lib_path_finder, lib_namespace_path, lib_zipimport};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        visit(all[i], arg);
}

/* ---- importlib takes over what is visible ---- */

/* Our spec of a module becomes importlib's. */
static int convert_module(Value name, Value m) {
    if (!v_is_exact(m, IDX_MODULE) || !v_is_str(name))
        return 0;
    Value d = module_dict(m), spec = dict_get(d, ID("__spec__"));
    if (!spec || type_of(spec) != &spec_type) {
        release(spec);
        return err_pending() ? -1 : 0;
    }
    Value sname = obj_getattr(spec, ID("name")), origin = obj_getattr(spec, ID("origin")),
          loc = obj_getattr(spec, ID("submodule_search_locations"));
    Value old = obj_getattr(spec, ID("loader")), init = obj_getattr(spec, ID("_initializing"));
    Value loader = ABSENT, fresh = ABSENT;
    int r = -1;
    if (sname && origin && loc && old && init) {
        bool located = v_is_exact(old, obj_index(old)) && type_of(old) == &loader_type;
        if (located)
            loader = loader_new(sname, origin);
        else if (old == own_builtin)
            loader = retained(lib_builtin_importer);
        else if (loc != V_NONE) {
            Value a[] = {sname, loc, std_path_finder};
            loader = obj_call(lib_namespace_loader, a, 3, ABSENT);
        } else
            loader = retained(old);
        fresh = loader ? import_make_spec(sname, loader, origin == V_NONE ? ABSENT : origin,
                                          loc == V_NONE ? ABSENT : loc, located)
                       : ABSENT;
        if (fresh && obj_setattr(fresh, ID("_initializing"), init) == 0)
            r = dict_set(d, ID("__spec__"), fresh) | dict_set(d, ID("__loader__"), loader);
    }
    release(spec);
    release(sname);
    release(origin);
    release(loc);
    release(old);
    release(init);
    release(loader);
    release(fresh);
    return r;
}

static Value keep(Value module, const char *name) {
    Value v = module ? obj_getattr_str(module, name) : ABSENT;
    return v;
}

/* One of importlib's two halves, or zipimport, run from the library's source as CPython runs its frozen copy, which it
 * calls `frozen`. */
static Value load_frozen(const char *name, const char *file, const char *frozen) {
    char path[128], shown[64];
    snprintf(path, sizeof path, STDLIB_DIR "/%s", file);
    snprintf(shown, sizeof shown, "<frozen %s>", frozen);
    Value n = str_intern_static(name), src = read_file(path), fn = src ? str_from_c(shown) : ABSENT, code = ABSENT,
          m = ABSENT, r = ABSENT;
    code = fn ? compile_file_text(src, fn) : ABSENT;
    m = code ? module_new(n) : ABSENT;
    if (m && dict_set(module_dict(m), ID("__package__"), ID("")) == 0 && dict_set(import_modules(), n, m) == 0)
        r = interp_exec(code, module_dict(m), module_dict(m), ABSENT);
    release(src);
    release(fn);
    release(code);
    if (!r) {
        release(m);
        return ABSENT;
    }
    release(r);
    return m;
}

/* 0: importlib is there. The lock of the module _frozen_importlib sees to it that one thread loads it. */
static int load_importlib(void) {
    if (LIKELY(lib_module_spec != ABSENT))
        return 0;
    Value m = import_module("_frozen_importlib");
    release(m);
    if (m && !lib_module_spec) { /* this thread is at it right now */
        err_set(&exc_ImportError, "importlib is being loaded");
        return -1;
    }
    return m ? 0 : -1;
}

/* zipimport, loaded as the two halves are because a search of sys.path may need it, and its hook in front of the
 * others. Without it no archive is looked into, as in CPython. */
static void add_zip_hook(Value hooks, Value frozen) {
    Value m = load_frozen("zipimport", "zipimport.py", "zipimport"), hook = m ? keep(m, "zipimporter") : ABSENT,
          spec = hook ? obj_call2(lib_module_spec, ID("zipimport"), frozen) : ABSENT;
    if (spec == ABSENT || obj_setattr_str(spec, "origin", ID("frozen")) < 0 ||
        dict_set(module_dict(m), ID("__spec__"), spec) < 0 || dict_set(module_dict(m), ID("__loader__"), frozen) < 0 ||
        list_insert(hooks, 0, hook) < 0) {
        err_clear();
        if (m != ABSENT && dict_del_if(import_modules(), ID("zipimport"), m) < 0)
            err_clear();
    } else {
        lib_zipimport = retained(m);
    }
    release(m);
    release(hook);
    release(spec);
}

static int take_over(void) {
    Value boot = load_frozen("_frozen_importlib", "importlib/_bootstrap.py", "importlib._bootstrap"),
          ext = boot ? load_frozen("_frozen_importlib_external", "importlib/_bootstrap_external.py",
                                   "importlib._bootstrap_external")
                     : ABSENT;
    int r = -1;
    Value hooks = ABSENT, meta = ABSENT, hook = ABSENT, loaders = ABSENT, ff = ABSENT, frozen = ABSENT, ph = ABSENT,
          v = ABSENT;
    if (!ext)
        goto out;
    Value imp = import_module("_imp"), a[] = {sys_module(), imp}, b[] = {boot};
    v = imp ? obj_call_method_str(boot, "_setup", a, 2) : ABSENT;
    release(imp);
    if (!v)
        goto out;
    v = obj_call_method_str(ext, "_set_bootstrap_module", b, 1);
    if (!v || obj_setattr_str(boot, "_bootstrap_external", ext) < 0)
        goto out;
    lib_builtin_importer = keep(boot, "BuiltinImporter");
    lib_source_loader = keep(ext, "SourceFileLoader");
    lib_namespace_loader = keep(ext, "NamespaceLoader");
    lib_path_finder = keep(ext, "PathFinder");
    frozen = keep(boot, "FrozenImporter");
    if (!lib_builtin_importer || !lib_source_loader || !lib_namespace_loader || !lib_path_finder || !frozen)
        goto out;
    std_builtin_finder = lib_builtin_importer;
    std_path_finder = lib_path_finder;
    Value spec_class = keep(boot, "ModuleSpec");
    if (!spec_class)
        goto out;
    lib_bootstrap = retained(boot);
    lib_external = retained(ext);
    lib_module_spec = spec_class;
    /* sys.meta_path: our two objects become importlib's three classes, in place. */
    meta = sys_get("meta_path");
    if (meta && v_is_list(meta))
        for (intptr_t i = 0; i < list_len(meta); i++) {
            Value x = list_get(meta, i);
            int e = 0;
            if (x == own_builtin)
                e = list_set(meta, i, lib_builtin_importer) | list_insert(meta, i + 1, frozen);
            else if (x == own_path)
                e = list_set(meta, i, lib_path_finder);
            release(x);
            if (e < 0)
                goto out;
        }
    hooks = sys_get("path_hooks");
    ff = keep(ext, "FileFinder");
    loaders = ff ? obj_call_method_str(ext, "_get_supported_file_loaders", NULL, 0) : ABSENT;
    ph = loaders ? obj_getattr_str(ff, "path_hook") : ABSENT;
    if (ph) {
        Value t = seq_to_tuple(loaders);
        hook = t ? obj_call_tuple_dict(ph, t, ABSENT) : ABSENT;
        release(t);
    }
    if (!hook || !hooks || !v_is_list(hooks) || list_append(hooks, hook) < 0)
        goto out;
    Value items = dict_items_list(import_modules());
    r = items ? 0 : -1;
    for (intptr_t i = 0; r == 0 && i < list_len(items); i++) {
        Value p = list_get(items, i);
        r = convert_module(tuple_get(p, 0), tuple_get(p, 1));
        release(p);
    }
    release(items);
    if (r == 0)
        add_zip_hook(hooks, frozen);
out:
    release(boot);
    release(ext);
    release(hooks);
    release(meta);
    release(hook);
    release(loaders);
    release(ff);
    release(ph);
    release(frozen);
    return r;
}

/* ---- the main program ---- */

int import_run_file(const char *path, Value main_module) {
    Value src = read_file(path), name = src ? str_decode_fs(path, strlen(path)) : ABSENT, d = module_dict(main_module);
    Value loader = name ? loader_new(ID("__main__"), name) : ABSENT;
    Value code = loader ? compile_file_text(src, name) : ABSENT, r = ABSENT;
    if (code && dict_set(d, ID("__file__"), name) == 0 && dict_set(d, ID("__cached__"), V_NONE) == 0 &&
        dict_set(d, ID("__loader__"), loader) == 0)
        r = interp_exec(code, d, d, ABSENT);
    release(src);
    release(name);
    release(loader);
    release(code);
    release(r);
    return r ? 0 : -1;
}

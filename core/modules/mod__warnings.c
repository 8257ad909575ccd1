/* _warnings: issuing warnings with the filters that the warnings module shares. */
#include "gc/tracer.h"
#include "interp/frame.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/import.h"

/* The state before, and without, the Python module; with it, its attributes count. */
static Ref filters, default_action, once_registry;
static _Atomic(int64_t) filters_version;

/* An attribute of the warnings module if that is imported (do_import: import it), else fallback: owned. ABSENT: error,
 * or no such thing. */
static Value from_warnings(const char *name, Value fallback, bool do_import) {
    Value m = do_import ? import_module("warnings") : dict_get_str(import_modules(), "warnings"), v = ABSENT;
    if (!m) {
        if (err_pending())
            err_clear();
        return fallback ? retained(fallback) : ABSENT;
    }
    int r = obj_lookup_attr_str(m, name, &v);
    release(m);
    if (r < 0)
        err_clear();
    return r > 0 ? v : fallback ? retained(fallback) : ABSENT;
}

/* Does text match a filter's pattern: None, a str to compare with, or a compiled regular expression. 1, 0, -1. */
static int check_matched(Value pattern, Value text) {
    if (pattern == V_NONE)
        return 1;
    if (v_is_str(pattern))
        return obj_eq(pattern, text);
    Value a[] = {text}, r = obj_call_method_str(pattern, "match", a, 1);
    if (!r)
        return -1;
    int t = obj_truth(r);
    release(r);
    return t;
}

/* The action for a warning: owned str; *item the filter's tuple, owned, or V_NONE. */
static Value find_action(Value category, Value text, int lineno, Value module, Value *item) {
    *item = V_NONE;
    Value list = from_warnings("filters", ref_peek(&filters), false);
    if (!list || !v_is_list(list)) {
        release(list);
        return err_set(&exc_ValueError, "_warnings.filters must be a list");
    }
    for (intptr_t i = 0; i < list_len(list); i++) {
        Value f = list_get(list, i);
        if (!f)
            break;
        if (!v_is_tuple(f) || tuple_len(f) != 5) {
            release(f);
            release(list);
            return err_set(&exc_ValueError, "_warnings.filters item %zd isn't a 5-tuple", i);
        }
        if (!v_is_str(tuple_get(f, 0))) {
            err_set(&exc_TypeError, "action must be a string, not '%T'", tuple_get(f, 0));
            release(f);
            release(list);
            return ABSENT;
        }
        int64_t ln = 0;
        int msg_ok = check_matched(tuple_get(f, 1), text),
            cat_ok = msg_ok > 0 ? obj_issubclass(category, tuple_get(f, 2)) : msg_ok;
        int mod_ok = cat_ok > 0 ? check_matched(tuple_get(f, 3), module) : cat_ok;
        if (mod_ok < 0 || num_as_i64(tuple_get(f, 4), &ln) < 0) {
            release(f);
            release(list);
            return ABSENT;
        }
        if (mod_ok > 0 && (ln == 0 || ln == lineno)) {
            Value action = retained(tuple_get(f, 0));
            *item = f;
            release(list);
            return action;
        }
        release(f);
    }
    release(list);
    Value d = from_warnings("defaultaction", ref_peek(&default_action), false);
    if (d && !v_is_str(d)) {
        err_set(&exc_TypeError, "_warnings.defaultaction must be a string, not '%T'", d);
        release(d);
        return ABSENT;
    }
    return d;
}

/* 1 the key was in the registry already, 0 not, -1. */
static int already_warned(Value registry, Value key, bool set) {
    if (!registry || registry == V_NONE)
        return 0;
    Value version = dict_get(registry, ID("version"));
    if (!version && err_pending())
        return -1;
    int64_t now = LOAD_RELAXED(&filters_version);
    if (!version || version != v_from_int(now)) {
        release(version);
        dict_clear(registry);
        if (dict_set(registry, ID("version"), v_from_int(now)) < 0)
            return -1;
    } else {
        release(version);
        Value v;
        int r = dict_lookup(registry, key, &v);
        if (r < 0)
            return -1;
        if (r > 0) {
            int t = obj_truth(v);
            release(v);
            if (t)
                return t;
        }
    }
    return set ? (dict_set(registry, key, V_TRUE) < 0 ? -1 : 0) : 0;
}
static int update_registry(Value registry, Value text, Value category, bool add_zero) {
    Value key = add_zero ? tuple_pack(3, text, category, v_from_int(0)) : tuple_pack(2, text, category);
    int r = key ? already_warned(registry, key, true) : -1;
    release(key);
    return r;
}

static int show_plain(Value filename, int lineno, Value text, Value category, Value line) {
    Value err = sys_get("stderr");
    if (!err || err == V_NONE)
        return 0;
    Value name = type_name((Type *)category);
    Value s = str_format_c("%S:%d: %S: %S\n", filename, lineno, name, text);
    Value a[] = {s}, r = s ? obj_call_method(err, ID("write"), a, 1) : ABSENT;
    release(r);
    Value read = line && line != V_NONE ? ABSENT : traceback_source_line(filename, lineno);
    if (read)
        line = read;
    if (r && line && v_is_str(line)) {
        intptr_t i = 0, n = str_len(line);
        while (i < n && (str_at(line, i) == ' ' || str_at(line, i) == '\t'))
            i++;
        while (n > i && (str_at(line, n - 1) == '\n' || str_at(line, n - 1) == ' '))
            n--;
        Value sub = str_substr(line, i, n), t = sub ? str_format_c("  %S\n", sub) : ABSENT;
        a[0] = t;
        r = t ? obj_call_method(err, ID("write"), a, 1) : ABSENT;
        release(sub);
        release(t);
        release(r);
    }
    err_clear();
    release(read);
    release(name);
    release(s);
    release(err);
    return 0;
}

static int call_show(Value category, Value text, Value message, Value filename, int lineno, Value line, Value source) {
    Value show = from_warnings("_showwarnmsg", ABSENT, source && source != V_NONE);
    if (!show)
        return show_plain(filename, lineno, text, category, line);
    int r = -1;
    if (!v_is_callable(show))
        err_set(&exc_TypeError, "warnings._showwarnmsg() must be set to a callable");
    else {
        Value cls = from_warnings("WarningMessage", ABSENT, false);
        if (!cls)
            err_set(&exc_RuntimeError, "unable to get warnings.WarningMessage");
        else {
            Value a[] = {message, category, filename, v_from_int(lineno), V_NONE, V_NONE, source ? source : V_NONE};
            Value msg = obj_call(cls, a, 7, ABSENT), res = msg ? obj_call1(show, msg) : ABSENT;
            r = res ? 0 : -1;
            release(msg);
            release(res);
            release(cls);
        }
    }
    release(show);
    return r;
}

static int explicit_warn(Value category, Value message, Value filename, int lineno, Value module, Value registry,
                         Value line, Value source) {
    if (message == V_NONE)
        return 0;
    Value mod = ABSENT, text = ABSENT, msg = ABSENT, key = ABSENT, action = ABSENT, item = V_NONE;
    int r = -1;
    if (registry && registry != V_NONE && !v_is_dict(registry)) {
        err_set(&exc_TypeError, "'registry' must be a dict or None");
        return -1;
    }
    if (module && module != V_NONE)
        mod = retained(module);
    else { /* from the file's name */
        intptr_t n = str_len(filename);
        if (n == 0)
            mod = str_from_c("<unknown>");
        else if (n >= 3 && str_at(filename, n - 1) == 'y' && str_at(filename, n - 2) == 'p' &&
                 str_at(filename, n - 3) == '.')
            mod = str_substr(filename, 0, n - 3);
        else
            mod = retained(filename);
    }
    int is_warning = obj_isinstance(message, V_OF(&exc_Warning));
    if (!mod || is_warning < 0)
        goto out;
    if (is_warning) {
        text = obj_str(message);
        category = V_OF(type_of(message));
        msg = retained(message);
    } else {
        text = retained(message);
        msg = obj_call1(category, message);
    }
    key = text && msg ? tuple_pack(3, text, category, v_from_int(lineno)) : ABSENT;
    if (!key)
        goto out;
    if (registry && registry != V_NONE) {
        int done = already_warned(registry, key, false);
        if (done < 0)
            goto out;
        if (done) {
            r = 0;
            goto out;
        }
    }
    action = find_action(category, text, lineno, mod, &item);
    if (!action)
        goto out;
    if (str_equal_c(action, "error")) {
        err_raise(retained(msg));
        goto out;
    }
    if (str_equal_c(action, "ignore")) {
        r = 0;
        goto out;
    }
    int already = 0;
    if (!str_equal_c(action, "always")) {
        if (registry && registry != V_NONE && dict_set(registry, key, V_TRUE) < 0)
            goto out;
        if (str_equal_c(action, "once")) {
            if (!registry || registry == V_NONE) {
                Value once = from_warnings("onceregistry", ref_peek(&once_registry), false);
                already = once ? update_registry(once, text, category, false) : -1;
                release(once);
            } else
                already = update_registry(registry, text, category, false);
        } else if (str_equal_c(action, "module")) {
            if (registry && registry != V_NONE)
                already = update_registry(registry, text, category, true);
        } else if (!str_equal_c(action, "default")) {
            err_set(&exc_RuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R", action, item);
            goto out;
        }
        if (already < 0)
            goto out;
    }
    r = already ? 0 : call_show(category, text, msg, filename, lineno, line, source);
out:
    release(mod);
    release(text);
    release(msg);
    release(key);
    release(action);
    release(item);
    return r;
}

/* ---- warn(): the place follows from the stack ---- */

static bool internal_frame(InterpFrame *f) {
    Value n = ref_peek(&f->code->filename);
    if (!n || !v_is_str(n) || !str_is_ascii(n))
        return false;
    const char *s = str_utf8(n, NULL);
    return s && strstr(s, "importlib") && strstr(s, "_bootstrap");
}
static InterpFrame *next_external(InterpFrame *f) {
    do
        f = f->prev;
    while (f && internal_frame(f));
    return f;
}

int warnings_warn(Value category, Value message, int stacklevel, Value source) {
    InterpFrame *f = thread_self()->frame;
    if (stacklevel <= 0 || (f && internal_frame(f))) {
        while (--stacklevel > 0 && f)
            f = f->prev;
    } else
        while (--stacklevel > 0 && f)
            f = next_external(f);
    Value globals, filename, module = ABSENT, registry = ABSENT;
    int lineno = 1, r = -1;
    if (!f) {
        Value sys = dict_get_str(import_modules(), "sys");
        if (!sys) {
            err_clear();
            return 0;
        }
        globals = retained(module_dict(sys));
        release(sys);
        filename = str_from_c("sys");
    } else {
        globals = retained(frame_globals(f));
        filename = retained(ref_peek(&f->code->filename));
        lineno = frame_line(f);
    }
    registry = dict_get(globals, ID("__warningregistry__"));
    if (!registry && !err_pending()) {
        registry = dict_new();
        if (registry && dict_set(globals, ID("__warningregistry__"), registry) < 0) {
            release(registry);
            registry = ABSENT;
        }
    }
    if (registry) {
        module = dict_get(globals, ID("__name__"));
        if (!module && !err_pending())
            module = str_from_c("<string>");
        if (module)
            r = explicit_warn(category, message, filename, lineno < 1 ? 1 : lineno, module, registry, ABSENT, source);
    }
    release(globals);
    release(filename);
    release(module);
    release(registry);
    return r;
}

int err_warn_explicit(Type *category, Value message, Value filename, int lineno) {
    return explicit_warn(V_OF(category), message, filename, lineno, ABSENT, ABSENT, ABSENT, ABSENT);
}

/* Category of a call: owned class. */
static Value get_category(Value message, Value category) {
    if (type_is_subtype(type_of(message), &exc_Warning))
        return retained(V_OF(type_of(message)));
    if (!category || category == V_NONE)
        return retained(V_OF(&exc_UserWarning));
    int ok = v_is_type(category) ? obj_issubclass(category, V_OF(&exc_Warning)) : 0;
    if (ok < 0)
        return ABSENT;
    if (!ok)
        return err_set(&exc_TypeError, "category must be a Warning subclass, not '%T'", category);
    return retained(category);
}

static Value w_warn(Value self, Value *args, intptr_t nargs, Value kw) {
    int level = 1;
    Value lv = arg_at(args, nargs, 2), source = arg_at(args, nargs, 3);
    if (lv && num_as_int(lv, &level) < 0)
        return ABSENT;
    Value category = get_category(args[0], arg_at(args, nargs, 1));
    if (!category)
        return ABSENT;
    int r = warnings_warn(category, args[0], level, source == V_NONE ? ABSENT : source);
    release(category);
    return r < 0 ? ABSENT : V_NONE;
}
static Value w_warn_explicit(Value self, Value *args, intptr_t nargs, Value kw) {
    int lineno;
    if (!v_is_str(args[2]))
        return err_set(&exc_TypeError, "warn_explicit() argument 3 must be str, not %T", args[2]);
    if (num_as_int(args[3], &lineno) < 0)
        return ABSENT;
    Value module = arg_at(args, nargs, 4), registry = arg_at(args, nargs, 5), module_globals = arg_at(args, nargs, 6),
          line = ABSENT;
    Value source = arg_at(args, nargs, 7);
    if (module_globals && module_globals != V_NONE) {
        if (!v_is_dict(module_globals))
            return err_set(&exc_TypeError, "module_globals must be a dict, not '%T'", module_globals);
        Value loader = dict_get_str(module_globals, "__loader__"), name = dict_get_str(module_globals, "__name__"), get;
        if (loader && name && obj_lookup_attr_str(loader, "get_source", &get) > 0) {
            Value src = obj_call1(get, name);
            if (src && src != V_NONE) {
                Value lines = obj_call_method_str(src, "splitlines", NULL, 0);
                if (lines && v_is_list(lines))
                    line = list_get(lines, lineno - 1);
                release(lines);
            }
            release(src);
            release(get);
        }
        release(loader);
        release(name);
        if (err_pending()) {
            release(line);
            return ABSENT;
        }
    }
    Value category = get_category(args[0], args[1]);
    int r = category ? explicit_warn(category, args[0], args[2], lineno, module, registry, line,
                                     source == V_NONE ? ABSENT : source)
                     : -1;
    release(category);
    release(line);
    return r < 0 ? ABSENT : V_NONE;
}
static Value w_filters_mutated(Value self, Value *args, intptr_t nargs, Value kw) {
    atomic_fetch_add_explicit(&filters_version, 1, memory_order_relaxed);
    return V_NONE;
}

static const NativeDef functions[] = {
    {"warn", w_warn, "($module, /, message, category=None, stacklevel=1, source=None)", 0,
     "Issue a warning, or maybe ignore it or raise an exception."},
    {"warn_explicit", w_warn_explicit,
     "(message, category, filename, lineno, module=None, registry=None, module_globals=None, source=None)", 0,
     "Low-level interface to warnings functionality."},
    {"_filters_mutated", w_filters_mutated, "()", 0, NULL},
    {0},
};

static Value make_filter(Type *category, const char *action, const char *module) {
    Value a = str_from_c(action), m = module ? str_from_c(module) : V_NONE;
    Value t = a && m ? tuple_pack(5, a, V_NONE, V_OF(category), m, v_from_int(0)) : ABSENT;
    release(a);
    release(m);
    return t;
}

/* Also before any import of the module: warnings can come early. */
static int state_init(void) {
    if (ref_peek(&filters))
        return 0;
    Value l = list_new(5);
    int r = l ? 0 : -1;
    if (r == 0)
        r |= list_append_steal(l, make_filter(&exc_DeprecationWarning, "default", "__main__"));
    static Type *const ignored[] = {&exc_DeprecationWarning, &exc_PendingDeprecationWarning, &exc_ImportWarning,
                                    &exc_ResourceWarning};
    for (int i = 0; r == 0 && i < 4; i++)
        r |= list_append_steal(l, make_filter(ignored[i], "ignore", NULL));
    Value once = dict_new(), dflt = str_from_c("default");
    if (r < 0 || !once || !dflt)
        return -1;
    ref_init_global(&once_registry, once);
    ref_init_global(&default_action, dflt);
    ref_init_global(&filters, l);
    handle_register(&filters);
    handle_register(&default_action);
    handle_register(&once_registry);
    return 0;
}
int warnings_init(void) {
    return state_init();
}

static int exec(Value m) {
    if (state_init() < 0)
        return -1;
    return module_add(m, "filters", retained(ref_peek(&filters))) |
           module_add(m, "_onceregistry", retained(ref_peek(&once_registry))) |
           module_add(m, "_defaultaction", retained(ref_peek(&default_action)));
}
const ModuleSpec module__warnings = {
    "_warnings",
    "_warnings provides basic warning filtering support.\nIt is a helper module to speed up interpreter start-up.",
    functions, exec};

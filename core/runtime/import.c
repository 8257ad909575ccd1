/* Import: absolute names, import locks, the import statements. Finding and loading: import_find.c. */
#include "interp/frame.h"
#include "modules/sys_impl.h"
#include "mutex.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "parking.h"
#include "runtime/import_impl.h"

bool import_verbose;
static Value
    modules; /* sys.modules: the dict made at start; programs may replace sys.modules' value, then that one counts */

Value import_modules(void) {
    return modules;
}

/* ---- module locks ---- */

/* A module that is being imported. In a list under `lock_mutex`; waiters park on its address. */
typedef struct Importing {
    struct Importing *next;
    Value name;     /* retained by the importing C frame */
    uint64_t owner; /* serial of the thread */
    uint32_t depth, waiters;
    bool done;
} Importing;

static Mutex lock_mutex = MUTEX_INIT(RANK_MODULE);
static Importing *importing;
static _Atomic(uint32_t) n_importing;

/* What each waiting thread waits for: to find cycles. */
typedef struct Waiting {
    struct Waiting *next;
    uint64_t thread;
    Importing *on;
} Waiting;
static Waiting *waiting;

static Importing *find_locked(Value name) {
    for (Importing *i = importing; i; i = i->next)
        if (i->name == name || str_equal(i->name, name))
            return i;
    return NULL;
}
/* Would waiting for i wait for ourselves? */
static bool cycle_locked(const Importing *i, uint64_t me) {
    for (int steps = 0; i && steps < 10000; steps++) {
        if (i->owner == me)
            return true;
        const Waiting *w = waiting;
        while (w && w->thread != i->owner)
            w = w->next;
        i = w ? w->on : NULL;
    }
    return false;
}

static bool still_importing(void *arg) {
    Importing *i = arg;
    return !__atomic_load_n(&i->done, __ATOMIC_ACQUIRE);
}

/* 1: this thread may import the module, and then unlocks it; 2: it does so already further out (the package of the
 * module that it wants imports that module first), and may go on; 0: another has finished it, or waiting would never
 * end: look again, take what is there. */
static int lock_module(Value name, Importing *mine) {
    uint64_t me = thread_self()->serial;
    mutex_lock(&lock_mutex);
    Importing *i = find_locked(name);
    if (!i) {
        *mine = (Importing){importing, name, me, 1, 0, false};
        importing = mine;
        atomic_fetch_add_explicit(&n_importing, 1, memory_order_relaxed);
        mutex_unlock(&lock_mutex);
        return 1;
    }
    if (i->owner == me || cycle_locked(i, me)) {
        bool own = i->owner == me;
        mutex_unlock(&lock_mutex);
        return own ? 2 : 0;
    }
    Waiting w = {waiting, me, i};
    waiting = &w;
    i->waiters++;
    mutex_unlock(&lock_mutex);
    DETACHED_BEGIN
    ParkSpec spec = {.addr = i, .still = still_importing, .arg = i, .deadline_ns = -1};
    uintptr_t token;
    while (still_importing(i))
        parking_park(&spec, &token);
    DETACHED_END
    mutex_lock(&lock_mutex);
    for (Waiting **p = &waiting; *p; p = &(*p)->next)
        if (*p == &w) {
            *p = w.next;
            break;
        }
    i->waiters--;
    bool last = i->waiters == 0;
    mutex_unlock(&lock_mutex);
    if (last)
        parking_unpark_all((char *)i + 1, 0); /* the owner may leave the frame that holds i */
    return 0;
}

static bool still_waited_for(void *arg) {
    Importing *i = arg;
    return __atomic_load_n(&i->waiters, __ATOMIC_ACQUIRE) != 0;
}

static void unlock_module(Importing *mine) {
    mutex_lock(&lock_mutex);
    for (Importing **p = &importing; *p; p = &(*p)->next)
        if (*p == mine) {
            *p = mine->next;
            break;
        }
    atomic_fetch_sub_explicit(&n_importing, 1, memory_order_relaxed);
    __atomic_store_n(&mine->done, true, __ATOMIC_RELEASE);
    bool waited = mine->waiters != 0;
    mutex_unlock(&lock_mutex);
    if (!waited)
        return;
    parking_unpark_all(mine, 0);
    DETACHED_BEGIN
    ParkSpec spec = {.addr = (char *)mine + 1, .still = still_waited_for, .arg = mine, .deadline_ns = -1};
    uintptr_t token;
    while (still_waited_for(mine))
        parking_park(&spec, &token);
    DETACHED_END
    /* The last waiter holds lock_mutex no more once its unlock is seen. */
    mutex_lock(&lock_mutex);
    mutex_unlock(&lock_mutex);
}

/* Modules that a thread was importing which is not there are imported again. Their entries lie on its C stack, which no
 * thread uses yet. */
static void after_fork_child(void) {
    uint64_t me = thread_self()->serial;
    uint32_t n = 0;
    mutex_reinit(&lock_mutex);
    waiting = NULL;
    for (Importing **p = &importing; *p;) {
        Importing *i = *p;
        if (i->owner == me) {
            i->waiters = 0;
            n++;
            p = &i->next;
            continue;
        }
        *p = i->next;
        Value m, old, spec = ABSENT, on = ABSENT;
        if (dict_lookup(modules, i->name, &m) > 0) {
            if (v_is_exact(m, IDX_MODULE) && obj_lookup_attr(m, ID("__spec__"), &spec) > 0 &&
                obj_lookup_attr(spec, ID("_initializing"), &on) > 0 && on == V_TRUE &&
                dict_pop(modules, i->name, &old) > 0)
                release(old);
            release(on);
            release(spec);
            release(m);
        }
        err_clear();
    }
    STORE_RELAXED(&n_importing, n);
}

/* Waits until no other thread is importing the module any more (unless that would never end). */
static void wait_if_importing(Value name) {
    if (LIKELY(LOAD_RELAXED(&n_importing) == 0))
        return;
    mutex_lock(&lock_mutex);
    Importing *i = find_locked(name);
    bool wait = i && !cycle_locked(i, thread_self()->serial);
    mutex_unlock(&lock_mutex);
    if (wait) {
        Importing mine;
        if (lock_module(name, &mine) == 1)
            unlock_module(&mine);
    }
}

/* ---- absolute names ---- */

/* sys.modules as the program sees it: owned. */
static Value current_modules(void) {
    Value m = sys_get("modules");
    return m ? m : retained(modules);
}
/* 1 owned *out, 0, -1. */
static int get_module(Value name, Value *out) {
    Value mods = current_modules();
    int r;
    if (v_is_exact(mods, IDX_DICT))
        r = dict_lookup(mods, name, out);
    else {
        *out = obj_getitem(mods, name);
        r = *out ? 1 : err_matches(&exc_KeyError) ? 0 : -1;
        if (r == 0)
            err_clear();
    }
    release(mods);
    return r;
}

static intptr_t last_dot(Value name) {
    for (intptr_t i = str_len(name); i-- > 0;)
        if (str_at(name, i) == '.')
            return i;
    return -1;
}

/* The package that a relative import in a module with these globals starts from: owned str. */
static Value package_of(Value globals) {
    if (!v_is_dict(globals))
        return err_set(&exc_KeyError, "'__name__' not in globals");
    Value package = dict_get(globals, ID("__package__")), spec = dict_get(globals, ID("__spec__")), r = ABSENT;
    if (package && package != V_NONE) {
        if (!v_is_str(package)) {
            err_set(&exc_TypeError, "package must be a string");
            goto out;
        }
        if (spec && spec != V_NONE) {
            Value parent;
            if (obj_lookup_attr(spec, ID("parent"), &parent) > 0) {
                int eq = obj_eq(package, parent);
                release(parent);
                if (eq < 0)
                    goto out;
                if (!eq && err_warn(&exc_ImportWarning, 1, "__package__ != __spec__.parent") < 0)
                    goto out;
            } else if (err_pending())
                goto out;
        }
        r = retained(package);
        goto out;
    }
    if (spec && spec != V_NONE) {
        r = obj_getattr(spec, ID("parent"));
        if (r && !v_is_str(r)) {
            release(r);
            r = err_set(&exc_TypeError, "__spec__.parent must be a string");
        }
        goto out;
    }
    if (err_warn(&exc_ImportWarning, 1,
                 "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__") < 0)
        goto out;
    Value name = dict_get(globals, ID("__name__"));
    if (!name || !v_is_str(name)) {
        err_set(name ? &exc_TypeError : &exc_KeyError,
                name ? "__name__ must be a string" : "'__name__' not in globals");
        release(name);
        goto out;
    }
    if (dict_contains(globals, ID("__path__")) > 0)
        r = name;
    else {
        intptr_t dot = last_dot(name);
        if (dot < 0)
            err_set(&exc_ImportError, "attempted relative import with no known parent package");
        else
            r = str_substr(name, 0, dot);
        release(name);
    }
out:
    release(package);
    release(spec);
    return r;
}

static Value resolve(Value name, Value globals, int level) {
    Value package = package_of(globals);
    if (!package)
        return ABSENT;
    if (str_len(package) == 0) {
        release(package);
        return err_set(&exc_ImportError, "attempted relative import with no known parent package");
    }
    intptr_t end = str_len(package);
    for (int i = 1; i < level; i++) {
        intptr_t dot = end - 1;
        while (dot >= 0 && str_at(package, dot) != '.')
            dot--;
        if (dot < 0) {
            release(package);
            return err_set(&exc_ImportError, "attempted relative import beyond top-level package");
        }
        end = dot;
    }
    Value base = str_substr(package, 0, end), r = base;
    release(package);
    if (base && str_len(name) > 0) {
        r = str_format_c("%S.%S", base, name);
        release(base);
    }
    return r;
}

/* ---- importing ---- */

static Value import_absolute(Value name);

static Value not_found(Value name) {
    return err_import(&exc_ModuleNotFoundError, name, ABSENT, "No module named %R", name);
}

/* With the module's lock held. */
static Value find_and_load(Value name) {
    Value m, parent_path = V_NONE, parent = ABSENT, parent_name = ABSENT;
    int r = get_module(name, &m); /* somebody may have finished it before we got the lock */
    if (r < 0)
        return ABSENT;
    if (r > 0) {
        if (m != V_NONE)
            return m;
        return err_import(&exc_ModuleNotFoundError, name, ABSENT, "import of %S halted; None in sys.modules", name);
    }
    intptr_t dot = last_dot(name);
    Value result = ABSENT;
    if (dot >= 0) {
        parent_name = str_substr(name, 0, dot);
        if (parent_name)
            parent_name = str_intern(parent_name);
        if (!parent_name)
            return ABSENT;
        r = get_module(parent_name, &parent);
        if (r == 0)
            parent = import_absolute(parent_name);
        if (!parent)
            goto out;
        r = get_module(name, &m); /* the parent may have imported it */
        if (r > 0) {
            result = m;
            goto out;
        }
        r = obj_lookup_attr(parent, ID("__path__"), &parent_path);
        if (r <= 0) {
            parent_path = V_NONE;
            if (r == 0)
                err_import(&exc_ModuleNotFoundError, name, ABSENT, "No module named %R; %R is not a package", name,
                           parent_name);
            goto out;
        }
    }
    result = import_find_load(name, parent_path);
    if (result == V_MARK)
        result = not_found(name);
    if (result && parent) { /* the package gets the submodule as an attribute */
        Value child = str_substr(name, dot + 1, str_len(name));
        if (child)
            child = str_intern(child);
        r = child ? obj_setattr(parent, child, result) : -1;
        release(child);
        if (r < 0) {
            if (err_matches(&exc_AttributeError)) {
                err_clear();
                r = err_warn(&exc_ImportWarning, 1, "Cannot set an attribute on %R for child module %R", parent_name,
                             name);
            }
            if (r < 0) {
                release(result);
                result = ABSENT;
            }
        }
    }
out:
    release(parent);
    release(parent_path);
    release(parent_name);
    return result;
}

static Value import_absolute(Value name) {
    Value m;
    int r = get_module(name, &m);
    if (r < 0)
        return ABSENT;
    if (r > 0 && m != V_NONE) {
        wait_if_importing(name);
        return m;
    }
    if (r > 0)
        return err_import(&exc_ModuleNotFoundError, name, ABSENT, "import of %S halted; None in sys.modules", name);
    for (int attempt = 0;; attempt++) {
        Importing mine;
        int lock = lock_module(name, &mine);
        if (lock == 1) {
            Value v = find_and_load(name);
            unlock_module(&mine);
            return v;
        }
        r = get_module(name, &m);
        if (r != 0)
            return r < 0 ? ABSENT : m;
        if (lock == 2)
            return find_and_load(name);
        if (attempt > 100)
            return err_set(&exc_ImportError, "deadlock detected while importing %R", name);
    }
}

/* ---- import statements ---- */

/* from m import (names): submodules that are not attributes yet are imported. */
static int handle_fromlist(Value m, Value mod_name, Value fromlist, bool recursive) {
    Value it = obj_iter(fromlist), x;
    if (!it)
        return -1;
    int r = 0;
    while (r == 0 && (x = obj_next(it)) != ABSENT) {
        if (!v_is_str(x)) {
            err_set(&exc_TypeError, "%s must be str, not %T", recursive ? "Item in ``from list''" : "Item in __all__",
                    x);
            r = -1;
        } else if (str_equal_c(x, "*")) {
            Value all;
            if (!recursive) {
                r = obj_lookup_attr(m, ID("__all__"), &all);
                if (r > 0) {
                    r = handle_fromlist(m, mod_name, all, true);
                    release(all);
                }
            }
        } else {
            Value a;
            r = obj_lookup_attr(m, x, &a);
            if (r > 0) {
                release(a);
                r = 0;
            } else if (r == 0) {
                Value full = str_format_c("%S.%S", mod_name, x);
                if (full)
                    full = str_intern(full);
                Value sub = full ? import_absolute(full) : ABSENT;
                if (!sub) {
                    r = -1;
                    if (full && err_matches(&exc_ModuleNotFoundError)) {
                        /* a missing submodule is no error here: the name may still be missing in the end */
                        Value e = err_fetch(), missing = e ? ref_peek(&((ImportErrorExc *)e)->name) : ABSENT, blocked;
                        int in = get_module(full, &blocked);
                        bool none = in > 0 && blocked == V_NONE;
                        if (in > 0)
                            release(blocked);
                        if (missing && v_is_str(missing) && str_equal(missing, full) && !none && in >= 0) {
                            release(e);
                            r = 0;
                        } else
                            err_restore(e);
                    }
                }
                release(sub);
                release(full);
            }
        }
        release(x);
    }
    release(it);
    return r < 0 || err_pending() ? -1 : 0;
}

Value import_name(Value name, Value globals, Value fromlist, int level) {
    if (!v_is_str(name))
        return err_set(&exc_TypeError, "module name must be a string");
    if (level < 0)
        return err_set(&exc_ValueError, "level must be >= 0");
    Value abs;
    if (level > 0)
        abs = resolve(name, globals, level);
    else if (str_len(name) == 0)
        return err_set(&exc_ValueError, "Empty module name");
    else
        abs = retained(name);
    if (abs)
        abs = str_intern(abs);
    if (!abs)
        return ABSENT;
    Value m = import_absolute(abs), r = ABSENT;
    if (!m)
        goto out;
    bool has_from = false;
    if (fromlist && fromlist != V_NONE) {
        int t = obj_truth(fromlist);
        if (t < 0)
            goto out;
        has_from = t;
    }
    if (!has_from) {
        if (level == 0 || str_len(name) > 0) {
            intptr_t dot = 0, n = str_len(name);
            while (dot < n && str_at(name, dot) != '.')
                dot++;
            if (dot == n) {
                r = retained(m);
                goto out;
            }
            /* `import a.b` gives a; for a relative name, the part of the absolute one that corresponds */
            Value top = level == 0 ? str_substr(name, 0, dot) : str_substr(abs, 0, str_len(abs) - (n - dot));
            if (top)
                top = str_intern(top);
            if (top && level == 0)
                r = import_absolute(top);
            else if (top && get_module(top, &r) == 0)
                r = err_set(&exc_KeyError, "%R not in sys.modules as expected", top);
            release(top);
        } else
            r = retained(m);
    } else {
        Value path;
        int has = obj_lookup_attr(m, ID("__path__"), &path);
        if (has < 0)
            goto out;
        if (has > 0) {
            release(path);
            Value mn;
            int ok = obj_lookup_attr(m, ID("__name__"), &mn);
            if (ok > 0 && !v_is_str(mn)) {
                release(mn);
                ok = 0;
            }
            if (ok < 0 || handle_fromlist(m, ok > 0 ? mn : abs, fromlist, false) < 0) {
                if (ok > 0)
                    release(mn);
                goto out;
            }
            if (ok > 0)
                release(mn);
        }
        r = retained(m);
    }
out:
    release(m);
    release(abs);
    return r;
}

Value import_from(Value m, Value name) {
    Value v;
    int r = obj_lookup_attr(m, name, &v);
    if (r != 0)
        return r < 0 ? ABSENT : v;
    /* A circular import may have put the submodule into sys.modules already. */
    Value pkg = ABSENT, file = ABSENT, full = ABSENT;
    r = obj_lookup_attr(m, ID("__name__"), &pkg);
    if (r < 0)
        return ABSENT;
    if (r > 0 && v_is_str(pkg)) {
        full = str_format_c("%S.%S", pkg, name);
        if (full && get_module(full, &v) > 0) {
            release(full);
            release(pkg);
            return v;
        }
        release(full);
        if (err_pending()) {
            release(pkg);
            return ABSENT;
        }
    } else {
        release(pkg);
        pkg = str_from_c("<unknown module name>");
    }
    r = obj_lookup_attr(m, ID("__file__"), &file);
    if (r < 0)
        err_clear();
    if (r <= 0 || !v_is_str(file)) {
        if (r > 0)
            release(file);
        err_import(&exc_ImportError, pkg, ABSENT, "cannot import name %R from %R (unknown location)", name, pkg);
    } else {
        bool initialising = false;
        Value spec, in;
        if (obj_lookup_attr(m, ID("__spec__"), &spec) > 0) {
            if (obj_lookup_attr(spec, ID("_initializing"), &in) > 0) {
                initialising = obj_truth(in) > 0;
                release(in);
            }
            release(spec);
        }
        err_clear();
        err_import(&exc_ImportError, pkg, file,
                   initialising ? "cannot import name %R from partially initialized module %R (most likely due to a "
                                  "circular import) (%S)"
                                : "cannot import name %R from %R (%S)",
                   name, pkg, file);
        release(file);
    }
    release(pkg);
    return ABSENT;
}

int import_star(Value m, Value locals) {
    Value all = ABSENT, names = ABSENT, d;
    bool skip_private = false;
    int r = obj_lookup_attr(m, ID("__all__"), &all);
    if (r < 0)
        return -1;
    if (r > 0) {
        names = seq_to_tuple(all);
        release(all);
    } else {
        r = obj_lookup_attr(m, ID("__dict__"), &d);
        if (r < 0)
            return -1;
        if (r == 0) {
            err_set(&exc_ImportError, "from-import-* object has no __dict__ and no __all__");
            return -1;
        }
        Value keys = obj_call_method(d, ID("keys"), NULL, 0);
        names = keys ? seq_to_tuple(keys) : ABSENT;
        release(keys);
        release(d);
        skip_private = true;
    }
    if (!names)
        return -1;
    r = 0;
    for (intptr_t i = 0; r == 0 && i < tuple_len(names); i++) {
        Value n = tuple_get(names, i);
        if (!v_is_str(n)) {
            Value mn = obj_getattr(m, ID("__name__"));
            if (mn)
                err_set(&exc_TypeError, "%s in %S.%s must be str, not %T", skip_private ? "Key" : "Item", mn,
                        skip_private ? "__dict__" : "__all__", n);
            release(mn);
            r = -1;
            break;
        }
        if (skip_private && str_len(n) > 0 && str_at(n, 0) == '_')
            continue;
        Value v = obj_getattr(m, n);
        r = !v ? -1 : v_is_exact(locals, IDX_DICT) ? dict_set(locals, n, v) : obj_setitem(locals, n, v);
        release(v);
    }
    release(names);
    return r;
}

/* ---- for C code ---- */

Value import_module(const char *name) {
    Value n = str_from_c(name);
    if (n)
        n = str_intern(n);
    if (!n)
        return ABSENT;
    Value m = import_absolute(n);
    release(n);
    return m;
}
Value import_attr(const char *module, const char *name) {
    Value m = import_module(module);
    Value v = m ? obj_getattr_str(m, name) : ABSENT;
    release(m);
    return v;
}
Value import_add_module(Value name) {
    Value m;
    int r = get_module(name, &m);
    if (r != 0)
        return r < 0 ? ABSENT : m;
    m = module_new(name);
    if (m && dict_set(modules, name, m) < 0) {
        release(m);
        return ABSENT;
    }
    return m;
}

Value import_module_repr(Value m) {
    Value d = module_dict(m), spec = d ? dict_get(d, ID("__spec__")) : ABSENT, r = ABSENT, name, origin = ABSENT,
          loader = ABSENT, has;
    if (spec && spec != V_NONE) {
        name = obj_getattr(spec, ID("name"));
        if (name && obj_lookup_attr(spec, ID("origin"), &origin) >= 0) {
            if (!origin || origin == V_NONE) {
                if (obj_lookup_attr(spec, ID("loader"), &loader) >= 0)
                    r = !loader || loader == V_NONE ? str_format_c("<module %R>", name)
                                                    : str_format_c("<module %R (%R)>", name, loader);
            } else if (obj_lookup_attr(spec, ID("has_location"), &has) >= 0) {
                bool located = has && obj_truth(has) > 0;
                release(has);
                r = located ? str_format_c("<module %R from %R>", name, origin)
                            : str_format_c("<module %R (%S)>", name, origin);
            }
        }
        release(name);
        release(origin);
        release(loader);
        release(spec);
        return r;
    }
    release(spec);
    loader = d ? dict_get(d, ID("__loader__")) : ABSENT;
    Value own = ABSENT;
    if (loader && loader != V_NONE && obj_lookup_attr_str(loader, "module_repr", &own) > 0) {
        r = obj_call1(own, m);
        release(own);
        if (r) {
            release(loader);
            return r;
        }
    }
    if (err_pending() && err_matches(&exc_Exception))
        err_clear();
    name = d ? dict_get(d, ID("__name__")) : ABSENT;
    if (!name)
        name = str_from_c("?");
    Value file = d ? dict_get(d, ID("__file__")) : ABSENT;
    if (file)
        r = str_format_c("<module %R from %R>", name, file);
    else if (loader && loader != V_NONE)
        r = str_format_c("<module %R (%R)>", name, loader);
    else
        r = str_format_c("<module %R>", name);
    release(name);
    release(file);
    release(loader);
    return r;
}

void import_visit_roots(VisitFn visit, void *arg) {
    visit(modules, arg);
    for (Importing *i = importing; i; i = i->next)
        visit(i->name, arg);
    import_find_visit(visit, arg);
}

int import_init(void) {
    modules = dict_new();
    if (!modules)
        return -1;
    count_set_uncounted(v_obj(modules));
    thread_atfork(NULL, NULL, after_fork_child);
    const ModuleSpec *b = import_builtin_spec("builtins"), *s = import_builtin_spec("sys");
    Value builtins = import_load_builtin(b), sys = builtins ? import_load_builtin(s) : ABSENT;
    if (!sys || sys_set("modules", retained(modules)) < 0 || import_find_init(module_dict(sys)) < 0)
        return -1;
    release(builtins);
    release(sys);
    return 0;
}

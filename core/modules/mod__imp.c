/* _imp: what importlib's Python implementation builds on. There are no frozen modules, no extension modules, no .pyc
 * files. */
#include "base/hash.h"
#include "interp/code.h"
#include "mutex.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/import.h"

#define FN(name) static Value name(Value self, Value *args, intptr_t nargs, Value kw)

/* The global import lock of old: recursive, held detached. */
static Mutex import_lock = MUTEX_INIT(RANK_MODULE);
static _Atomic(uint64_t) lock_owner;
static int lock_depth;

FN(i_acquire) {
    uint64_t me = thread_self()->serial;
    if (LOAD_RELAXED(&lock_owner) == me) {
        lock_depth++;
        return V_NONE;
    }
    for (;;) {
        mutex_lock(&import_lock);
        bool got = LOAD_RELAXED(&lock_owner) == 0;
        if (got) {
            STORE_RELAXED(&lock_owner, me);
            lock_depth = 1;
        }
        mutex_unlock(&import_lock);
        if (got)
            return V_NONE;
        if (excl_poll() < 0)
            return ABSENT;
        excl_yield(thread_self());
    }
}
FN(i_release) {
    if (LOAD_RELAXED(&lock_owner) != thread_self()->serial)
        return err_set(&exc_RuntimeError, "not holding the import lock");
    if (--lock_depth == 0)
        STORE_RELAXED(&lock_owner, 0);
    return V_NONE;
}
FN(i_held) {
    return v_bool(LOAD_RELAXED(&lock_owner) != 0);
}

FN(i_create_builtin) {
    Value name = obj_getattr_str(args[0], "name");
    if (!name)
        return ABSENT;
    const char *s = v_is_str(name) ? str_utf8(name, NULL) : NULL;
    Value m = ABSENT;
    if (s && dict_lookup(import_modules(), name, &m) == 0) {
        const ModuleSpec *spec = import_builtin_spec(s);
        m = spec ? import_load_builtin(spec) : V_NONE;
    }
    release(name);
    return m;
}
FN(i_zero) {
    return v_from_int(0);
}
FN(i_is_builtin) {
    const char *s = v_is_str(args[0]) ? str_utf8(args[0], NULL) : NULL;
    if (!s)
        return err_pending() ? ABSENT : err_set(&exc_TypeError, "is_builtin() argument must be str, not %T", args[0]);
    if (strcmp(s, "sys") == 0 || strcmp(s, "builtins") == 0)
        return v_from_int(-1);
    return v_from_int(import_builtin_spec(s) != NULL);
}
FN(i_false) {
    return V_FALSE;
}
FN(i_none) {
    return V_NONE;
}
FN(i_suffixes) {
    return list_new(0);
}
FN(i_no_frozen) {
    return err_import(&exc_ImportError, args[0], ABSENT, "No such frozen object named %R", args[0]);
}
FN(i_fix_filename) {
    return V_NONE;
}
FN(i_frozen_names) {
    return list_new(0);
}
FN(i_source_hash) {
    Buffer b;
    if (buffer_get(args[1], &b, false) < 0)
        return ABSENT;
    uint64_t h = hash_bytes(b.data, (size_t)b.len);
    buffer_release(&b);
    return bytes_from((const char *)&h, 8);
}

static const NativeDef functions[] = {
    {"acquire_lock", i_acquire, "($module, /)", 0, "Acquires the interpreter's import lock for the current thread."},
    {"release_lock", i_release, "($module, /)", 0, "Release the interpreter's import lock."},
    {"lock_held", i_held, "($module, /)", 0, "Return True if the import lock is currently held, else False."},
    {"create_builtin", i_create_builtin, "($module, spec, /)", 0, "Create an extension module."},
    {"exec_builtin", i_zero, "($module, mod, /)", 0, "Initialize a built-in module."},
    {"exec_dynamic", i_zero, "($module, mod, /)", 0, "Initialize an extension module."},
    {"extension_suffixes", i_suffixes, "($module, /)", 0,
     "Returns the list of file suffixes used to identify extension modules."},
    {"find_frozen", i_none, "($module, name, /, *, withdata=False)", 0,
     "Return info about the corresponding frozen module (if there is one) or None."},
    {"get_frozen_object", i_no_frozen, "($module, name, data=None, /)", 0, "Create a code object for a frozen module."},
    {"init_frozen", i_none, "($module, name, /)", 0, "Initializes a frozen module."},
    {"is_builtin", i_is_builtin, "($module, name, /)", 0,
     "Returns True if the module name corresponds to a built-in module."},
    {"is_frozen", i_false, "($module, name, /)", 0, "Returns True if the module name corresponds to a frozen module."},
    {"is_frozen_package", i_no_frozen, "($module, name, /)", 0,
     "Returns True if the module name is of a frozen package."},
    {"_fix_co_filename", i_fix_filename, "($module, code, path, /)", 0,
     "Changes code.co_filename to specify the passed-in file path."},
    {"_frozen_module_names", i_frozen_names, "($module, /)", 0, "Returns the list of available frozen modules."},
    {"_override_frozen_modules_for_tests", i_none, "($module, override, /)", 0, NULL},
    {"source_hash", i_source_hash, "($module, /, key, source)", 0, NULL},
    {0},
};
static void after_fork_child(void) {
    mutex_reinit(&import_lock);
    if (LOAD_RELAXED(&lock_owner) != thread_self()->serial)
        STORE_RELAXED(&lock_owner, 0);
}
static int exec(Value m) {
    static bool hooked;
    if (!hooked)
        thread_atfork(NULL, NULL, after_fork_child);
    hooked = true;
    return module_add_str(m, "check_hash_based_pycs", "default");
}
const ModuleSpec module__imp = {"_imp", "(Extremely) low-level import machinery bits as used by importlib.", functions,
                                exec};

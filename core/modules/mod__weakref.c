/* The _weakref module. */
#include "object/dict.h"
#include "object/list.h"
#include "object/module.h"
#include "object/weakref.h"
#include "weak.h"

static Value getweakrefcount(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(weak_count(args[0]));
}
static Value getweakrefs(Value self, Value *args, intptr_t nargs, Value kw) {
    return weak_list(args[0]);
}
static Value proxy(Value self, Value *args, intptr_t nargs, Value kw) {
    return weakproxy_new(args[0], arg_at(args, nargs, 1));
}
/* Deletes dct[key] if it is a weak reference to something dead: a new value under the same key stays. */
static Value remove_dead_weakref(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = args[0], key = args[1], v;
    if (!v_is_dict(d))
        return err_set(&exc_TypeError, "_remove_dead_weakref() argument 1 must be dict, not %T", d);
    int found = dict_lookup(d, key, &v);
    if (found <= 0)
        return found < 0 ? ABSENT : V_NONE;
    if (!v_is_obj(v) || !type_is_subtype(type_of(v), &weakref_type)) {
        release(v);
        return err_set(&exc_TypeError, "not a weakref");
    }
    Value target = weak_get((WeakRef *)v);
    int r = target ? 0 : dict_del_if(d, key, v);
    release(target);
    release(v);
    return r < 0 ? ABSENT : V_NONE;
}

static const NativeDef functions[] = {
    {"getweakrefcount", getweakrefcount, "($module, object, /)", 0,
     "Return the number of weak references to 'object'."},
    {"getweakrefs", getweakrefs, "($module, object, /)", 0,
     "Return a list of all weak reference objects pointing to 'object'."},
    {"proxy", proxy, "($module, object, callback=None, /)", 0,
     "Create a proxy object that weakly references 'object'.\n\n'callback', if given, is called with a reference to "
     "the\n"
     "proxy when 'object' is about to be finalized."},
    {"_remove_dead_weakref", remove_dead_weakref, "($module, dct, key, /)", 0,
     "Atomically remove key from dict if it points to a dead weakref."},
    {NULL},
};

static int exec(Value m) {
    return module_add(m, "ref", retained(V_OF(&weakref_type))) < 0 ||
                   module_add(m, "ReferenceType", retained(V_OF(&weakref_type))) < 0 ||
                   module_add(m, "ProxyType", retained(V_OF(&weakproxy_type))) < 0 ||
                   module_add(m, "CallableProxyType", retained(V_OF(&callable_proxy_type))) < 0
               ? -1
               : 0;
}

const ModuleSpec module__weakref = {"_weakref", "Weak-reference support module.", functions, exec};

/* _testinternalcapi: what the standard library's tests ask about the interpreter's configuration. */
#include "modules/sys_impl.h"
#include "object/dict.h"
#include "object/module.h"

static Value get_config(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = dict_new();
    const struct {
        const char *name;
        int value;
    } items[] = {{"code_debug_ranges", 1},
                 {"optimization_level", sys_flags.optimize},
                 {"verbose", sys_flags.verbose},
                 {"site_import", !sys_flags.no_site},
                 {"use_environment", !sys_flags.ignore_environment}};
    for (size_t i = 0; d && i < ARRAY_LEN(items); i++)
        if (dict_set_str(d, items[i].name, v_from_int(items[i].value)) < 0) {
            release(d);
            d = ABSENT;
        }
    return d;
}
static Value get_recursion_depth(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(thread_self()->py_depth);
}

static const NativeDef functions[] = {
    {"get_config", get_config, "($module, /)", 0, NULL},
    {"get_configs", get_config, "($module, /)", 0, NULL},
    {"get_recursion_depth", get_recursion_depth, "($module, /)", 0, NULL},
    {0},
};
const ModuleSpec module__testinternalcapi = {"_testinternalcapi", NULL, functions, NULL};

/* module objects, and the table of built-in modules. */
#ifndef POLYGIL_MODULE_H
#define POLYGIL_MODULE_H

#include "object/object.h"

Value module_new(Value name);
Value module_dict(Value m); /* borrowed */
/* A built-in module: functions, then `exec` fills the rest. Registered in modules/modules.c. */
typedef struct ModuleSpec {
    const char *name;
    const char *doc;
    const NativeDef *functions; /* NULL-terminated, or NULL */
    int (*exec)(Value module);  /* NULL allowed; 0, -1 */
} ModuleSpec;
int module_add(Value m, const char *name, Value v); /* steals v; -1 also when v is ABSENT */
int module_add_int(Value m, const char *name, int64_t v);
int module_add_str(Value m, const char *name, const char *s);
int module_add_type(Value m, Type *t);
Value native_new(const NativeDef *def, Value self, Value module_name); /* builtin_function_or_method */
/* Imported module, as `import name` gives the last part: owned. */
Value import_module(const char *name);
/* Attribute of an imported module: owned. */
Value import_attr(const char *module, const char *name);
Value sys_get(const char *name); /* owned, or ABSENT without exception */

#endif

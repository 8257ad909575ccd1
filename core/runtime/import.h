/* The import system: our own importer in C, which compiles from source and writes no cache files.
 *
 * sys.meta_path, sys.path_hooks and sys.path_importer_cache work as in CPython: the finder that stands in meta_path is
 * implemented here and does what BuiltinImporter and PathFinder do together. importlib's Python implementation is
 * loaded only when a program imports it, on top of _imp; it then shares sys.modules and the same finders.
 *
 * A module that is being imported is owned by one thread; others that want it wait, detached. Waits that form a cycle
 * go on with the partially initialised module, as in CPython.
 */
#ifndef POLYGIL_IMPORT_H
#define POLYGIL_IMPORT_H

#include "object/module.h"

/* What `import name` evaluates to: __import__ of the builtins called by import statements. Owned. globals: dict or
 * V_NONE; fromlist: a tuple (or other sequence) or V_NONE. */
Value import_name(Value name, Value globals, Value fromlist, int level);
/* from module import name. Owned. */
Value import_from(Value module, Value name);
/* from module import * into the mapping locals. 0, -1. */
int import_star(Value module, Value locals);
/* sys.modules: borrowed. */
Value import_modules(void);
/* Adds a new module called name to sys.modules (or finds the one that is there): owned. */
Value import_add_module(Value name);
/* The table of built-in modules. */
const ModuleSpec *import_builtin_spec(const char *name);
Value import_builtin_names(void); /* sorted tuple */
/* Makes and executes a built-in module: owned. spec: its __spec__, or V_NONE. */
Value import_load_builtin(const ModuleSpec *spec);
/* Runs a file as the module __main__ in its dict: what `polygil FILE` does. 0, -1 with exception. */
int import_run_file(const char *path, Value main_module);
/* Start-up: sys.modules with builtins and sys. 0, -1. */
int import_init(void);
void import_visit_roots(VisitFn visit, void *arg);
/* A ModuleSpec object (importlib's class while that is loaded, else our own with the same attributes). origin ABSENT:
 * None; locations ABSENT: no package. */
Value import_make_spec(Value name, Value loader, Value origin, Value locations, bool has_location);
extern bool import_verbose;

#endif

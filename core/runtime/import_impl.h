/* Shared by import.c (names, locks, statements) and import_find.c (finding and loading). */
#ifndef POLYGIL_IMPORT_IMPL_H
#define POLYGIL_IMPORT_IMPL_H

#include "runtime/import.h"

/* Finds name (absolute; parent_path: the parent's __path__, or V_NONE) by sys.meta_path, loads and runs it; the module
 * is in sys.modules afterwards. The caller owns the module's import lock. Owned; ABSENT with exception; V_MARK: not
 * found, nothing pending. */
Value import_find_load(Value name, Value parent_path);
int import_find_init(Value sys_dict);
void import_find_visit(VisitFn visit, void *arg);
/* spec._initializing */
int import_spec_set_initializing(Value spec, bool on);

#endif

/* What the sys module and the start-up code share. */
#ifndef POLYGIL_SYS_IMPL_H
#define POLYGIL_SYS_IMPL_H

#include "object/object.h"

/* sys.flags, as set by the command line. */
typedef struct SysFlags {
    int debug, inspect, interactive, optimize, dont_write_bytecode, no_user_site, no_site, ignore_environment, verbose,
        bytes_warning, quiet, hash_randomization, isolated, dev_mode, utf8_mode, warn_default_encoding, safe_path,
        int_max_str_digits;
} SysFlags;
extern SysFlags sys_flags;

/* Sets an attribute of sys; steals v. 0, -1. */
int sys_set(const char *name, Value v);
Value sys_module(void); /* borrowed, or ABSENT before it exists */
/* builtins.input. */
Value sys_input(Value prompt);
/* sys.displayhook's work. */
int sys_display(Value v);
void sys_flush_streams(void);
bool sys_finalizing(void);
void sys_set_finalizing(void);
int sys_audit(const char *event, Value args_tuple); /* args borrowed or ABSENT; -1: a hook objected */

#endif

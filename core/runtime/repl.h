/* The interactive prompt, and small things that main shares with it. */
#ifndef POLYGIL_REPL_H
#define POLYGIL_REPL_H

#include "object/object.h"

/* Reads, runs and prints until the end of input or SystemExit: the exit status. */
int repl_run(Value main_module, bool banner);
/* The pending exception, through sys.excepthook; sets sys.last_type etc.; flushes. Nothing pending afterwards. */
void repl_print_error(void);
const char *repl_absolute(const char *path); /* static buffer */
bool repl_is_zip(const char *path);
int repl_run_skipping(const char *path, Value main_module); /* -x */
/* One line with editing and history from a terminal: malloc'd with its newline; NULL at the end of input or with
 * KeyboardInterrupt pending. */
char *repl_read_line(const char *prompt);

#endif

/* What the end of the process runs: atexit's functions. */
#ifndef POLYGIL_ATEXIT_H
#define POLYGIL_ATEXIT_H

/* Runs the registered functions, last first; errors go to sys.unraisablehook. Nothing pending before and after. Runs
 * Python code. */
void atexit_run(void);
void atexit_fini(void); /* drops the list */

#endif

/* Start and end of the process. */
#ifndef POLYGIL_START_H
#define POLYGIL_START_H

#include "object/object.h"

/* Where Debian's libpython3.11-stdlib puts the library. */
#define STDLIB_DIR "/usr/lib/python3.11"

/* What the command line asks for. */
typedef struct StartOptions {
    const char *executable; /* argv[0] */
    char **orig_argv;
    int orig_argc;
    char **argv; /* sys.argv from [0] on */
    int argc;
    const char *command;  /* -c */
    const char *module;   /* -m */
    const char *file;     /* script; NULL: standard input */
    const char *warn[64]; /* -W, in order */
    int n_warn;
    const char *x[64]; /* -X */
    int n_x;
    bool unbuffered, skip_first_line, stdin_script, faulthandler, hash_random;
    size_t heap_limit;
    bool leakcheck; /* -X leakcheck */
} StartOptions;

/* Everything up to the first line of the program. Aborts with a message when it cannot. */
void start_init(const StartOptions *o);
/* Joins threads, runs atexit functions, flushes; the process's exit status: status unless flushing failed or objects
 * leaked. */
int start_finish(const StartOptions *o, int status);
const char *start_version_text(void);
int start_set_up_streams(bool unbuffered); /* sys.stdin, stdout, stderr: 0, -1 */

#endif

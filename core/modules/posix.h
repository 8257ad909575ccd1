/* What the files of the posix module share. */
#ifndef POLYGIL_POSIX_H
#define POLYGIL_POSIX_H

#include <errno.h>

#include "object/bytes.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/path.h"
#include "object/set.h"
#include "object/str.h"
#include "object/structseq.h"

/* A path argument: NUL-terminated text, or a descriptor (fd >= 0) where that is allowed. */
typedef struct Path {
    Value given; /* borrowed */
    Value bytes; /* owned, ABSENT for a descriptor */
    const char *s;
    int fd;
    bool was_bytes;
} Path;
/* 0, -1 with TypeError or ValueError. None is "." when none_is_dot. */
int path_arg(Value v, Path *p, const char *function, bool allow_fd, bool none_is_dot);
void path_free(Path *p);
/* OSError from e with the path; frees p. */
Value path_error(Path *p, int e);
Value path_error2(Path *p, Path *q, int e);
/* dir_fd argument: ABSENT and None are AT_FDCWD. */
int dir_fd_arg(Value v, int *fd);
int bool_arg(Value v, int dflt); /* -1 error */
int fd_arg(Value v, int *fd);    /* an int or an object with fileno() */
/* A name from the system in the type of the argument: str (surrogateescape), or bytes. */
Value path_result(const char *s, size_t n, bool as_bytes);

/* Runs a system call detached and again after a signal handler ran; r is its result, e its errno. On an exception
 * raised by a handler the enclosing function jumps to label `interrupted`. */
#define BLOCKING_CALL(r, e, call)       \
    for (;;) {                          \
        DETACHED_BEGIN                  \
        errno = 0;                      \
        r = (call);                     \
        e = errno;                      \
        DETACHED_END                    \
        if (!((r) < 0 && (e) == EINTR)) \
            break;                      \
        if (excl_poll() < 0)            \
            goto interrupted;           \
    }

extern const NativeDef posix_file_functions[], posix_dir_functions[], posix_process_functions[],
    posix_system_functions[];
extern Type posix_terminal_size_type;
/* What every fork does around it: hooks, the stopped world. */
void posix_before_fork(void);
void posix_after_fork_parent(void);
void posix_after_fork_child(void);
int posix_dir_init(Value module);
int posix_process_init(Value module);
int posix_system_init(Value module);

#endif

/* File names: str, bytes or os.PathLike to what the system calls take. */
#ifndef POLYGIL_PATH_H
#define POLYGIL_PATH_H

#include "object/object.h"

/* os.fspath(v): a str or bytes, owned; TypeError. */
Value os_fspath(Value v);
/* The same as NUL-terminated bytes in the file system's encoding: owned; ValueError for an embedded NUL. */
Value os_fspath_bytes(Value v);

#endif

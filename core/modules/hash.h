/* Message digests over OpenSSL's libcrypto, which is loaded when the first hash module is imported: start-up does not
 * pay for it. */
#ifndef POLYGIL_HASH_H
#define POLYGIL_HASH_H

#include "object/module.h"

typedef struct HashKind {
    const char *name;      /* Python's: "sha256" */
    const char *evp;       /* OpenSSL's */
    const char *type_name; /* "_sha256.sha256" */
    int block_size;
    bool xof; /* digest(length) */
    /* filled by hash_module_fill, and never freed */
    Type *type;
    TypeSpec spec;
    NativeDef constructor;
} HashKind;

/* Adds the constructors of kinds (ended by a NULL name) to m. 0, -1. */
int hash_module_fill(Value m, HashKind *kinds);

#endif

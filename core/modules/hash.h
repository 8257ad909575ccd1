/* Message digests: the objects of all the hash modules, over algorithms of libraries that are loaded when the first
 * module in need of one is imported: start-up does not pay for them. */
#ifndef POLYGIL_HASH_H
#define POLYGIL_HASH_H

#include "object/module.h"

/* Functions of a shared library. */
typedef struct HashLibrary {
    const char *soname, *package; /* of Debian, for the message */
    const char *const *names;     /* ended by NULL */
    void **functions;             /* filled in the same order */
    _Atomic(bool) loaded;
} HashLibrary;

/* Loads it if no one has. 0, or -1 with an ImportError. */
int hash_library_load(HashLibrary *l);

/* What works on `state`, the algorithm's own. One thread at a time uses a state. */
typedef struct HashOps {
    void *(*copy)(const void *state); /* NULL: no memory */
    void (*free)(void *state);
    void (*update)(void *state, const unsigned char *data, size_t n);
    void (*final)(void *state, unsigned char *out, size_t n); /* n: size(), or what digest() was asked for */
    int (*size)(const void *state);                           /* of the digest, bytes */
} HashOps;

typedef struct HashKind {
    const char *name;      /* Python's: "sha256" */
    const char *evp;       /* OpenSSL's */
    const char *type_name; /* "_sha256.sha256" */
    int block_size;
    bool xof;    /* digest(length) */
    char suffix; /* Keccak's domain bits, which SHA-3's objects show; 0: none */
    /* filled by who adds it to a module, and never freed */
    const HashOps *ops;
    Type *type;
    TypeSpec spec;
    NativeDef constructor;
} HashKind;

/* The methods of every hash object, but for those whose digest() asks for the length. */
#define HASH_METHODS(update_signature)                                            \
    {"update", hash_update, update_signature}, {"copy", hash_copy, "($self, /)"}, \
        {"digest", hash_digest, "($self, /)"}, {"hexdigest", hash_hexdigest, "($self, /)"}
Value hash_update(Value self, Value *args, intptr_t nargs, Value kw);
Value hash_copy(Value self, Value *args, intptr_t nargs, Value kw);
Value hash_digest(Value self, Value *args, intptr_t nargs, Value kw);
Value hash_hexdigest(Value self, Value *args, intptr_t nargs, Value kw);

/* Makes kind's type, for all imports of its module: its instances come from hash_start. methods: HASH_METHODS among
 * them. 0, or -1 with an exception: no memory. */
int hash_type_init(HashKind *kind, const NativeDef *methods, uint32_t flags);
/* A new object over `state`, which it owns even if this fails (NULL: no memory), with the first data (ABSENT: none). */
Value hash_start(const HashKind *kind, void *state, Value data);
/* Adds the constructors of kinds (OpenSSL's, ended by a NULL name) to m. 0, -1. */
int hash_module_fill(Value m, HashKind *kinds);

#endif

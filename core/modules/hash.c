#include "hash.h"

#include <dlfcn.h>

#include "mutex.h"
#include "object/bytes.h"
#include "object/native.h"
#include "object/str.h"

int hash_library_load(HashLibrary *l) {
    if (LOAD_ACQUIRE(&l->loaded)) /* pairs with the release below: the table is filled */
        return 0;
    void *lib = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);
    bool ok = lib != NULL;
    for (int i = 0; ok && l->names[i]; i++)
        ok = (l->functions[i] = dlsym(lib, l->names[i])) != NULL;
    if (!ok) {
        err_set(&exc_ImportError, "%s cannot be loaded: install Debian's package %s", l->soname, l->package);
        return -1;
    }
    STORE_RELEASE(&l->loaded, true);
    return 0;
}

typedef struct Hash {
    Object hdr;
    Mutex lock; /* taken and released attached without a safepoint between, or detached: so it is always released */
    _Atomic(uint32_t) forks; /* thread_forks when it was last taken */
    const HashKind *kind;
    void *state; /* the kind's; owned */
} Hash;

/* Data above this many bytes is hashed detached. */
#define DETACH_BYTES 2047

static void hash_fini(Value self) {
    Hash *h = (Hash *)self;
    if (h->state)
        h->kind->ops->free(h->state);
}
static const TypeOps ops = {NULL, NULL, hash_fini};

/* First use after a fork: a thread that is not in the child may have held the lock, detached. */
static NOINLINE void inherit(Hash *h) {
    ExclCs cs;
    excl_cs_begin(&cs, V_OF(h));
    if (LOAD_RELAXED(&h->forks) != LOAD_RELAXED(&thread_forks)) {
        mutex_reinit(&h->lock);
        STORE_RELEASE(&h->forks, LOAD_RELAXED(&thread_forks)); /* pairs with the acquire in inherit_once */
    }
    excl_cs_end(&cs);
}
static void inherit_once(Hash *h) {
    if (UNLIKELY(LOAD_ACQUIRE(&h->forks) != LOAD_RELAXED(&thread_forks)))
        inherit(h);
}
static void lock(Hash *h) {
    inherit_once(h);
    if (!mutex_try_lock(&h->lock))
        mutex_lock_detached(&h->lock);
}

static int update(Value self, Value data) {
    if (v_is_str(data)) {
        err_set(&exc_TypeError, "Strings must be encoded before hashing");
        return -1;
    }
    Buffer b;
    if (buffer_get(data, &b, false) < 0) {
        if (err_matches(&exc_TypeError)) {
            err_clear();
            err_set(&exc_TypeError, "object supporting the buffer API required");
        }
        return -1;
    }
    Hash *h = (Hash *)self;
    const unsigned char *p = (const unsigned char *)b.data;
    if (b.len > DETACH_BYTES) {
        inherit_once(h);
        DETACHED_BEGIN
        mutex_lock(&h->lock);
        h->kind->ops->update(h->state, p, (size_t)b.len);
        mutex_unlock(&h->lock);
        DETACHED_END
    } else {
        lock(h);
        h->kind->ops->update(h->state, p, (size_t)b.len);
        mutex_unlock(&h->lock);
    }
    buffer_release(&b);
    return 0;
}
Value hash_update(Value self, Value *args, intptr_t nargs, Value kw) {
    return update(self, args[0]) < 0 ? ABSENT : V_NONE;
}

Value hash_start(const HashKind *kind, void *state, Value data) {
    if (!state)
        return err_no_memory();
    Value v = obj_new(kind->type);
    if (v == ABSENT) {
        kind->ops->free(state);
        return ABSENT;
    }
    Hash *h = (Hash *)v;
    h->lock = (Mutex)MUTEX_INIT(RANK_NONE);
    STORE_RELAXED(&h->forks, LOAD_RELAXED(&thread_forks));
    h->kind = kind;
    h->state = state;
    if (data != ABSENT && update(v, data) < 0) {
        release(v);
        return ABSENT;
    }
    return v;
}

static void *copied_state(Hash *h) {
    lock(h);
    void *copy = h->kind->ops->copy(h->state);
    mutex_unlock(&h->lock);
    return copy;
}
Value hash_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    Hash *h = (Hash *)self;
    return hash_start(h->kind, copied_state(h), ABSENT);
}

/* The digest of what came so far; the state goes on. NULL with an exception, else malloc'd. */
static unsigned char *digest(Value self, Value length, size_t *n) {
    Hash *h = (Hash *)self;
    const HashOps *o = h->kind->ops;
    intptr_t len;
    if (h->kind->xof) {
        if (num_as_index(length, &len, &exc_OverflowError) < 0)
            return NULL;
        if (len < 0 || len >= (1 << 29)) {
            err_set(&exc_ValueError, "length is too large");
            return NULL;
        }
    } else {
        len = o->size(h->state);
    }
    unsigned char *out = malloc((size_t)len + 1);
    void *copy = out ? copied_state(h) : NULL;
    if (!copy) {
        free(out);
        err_no_memory();
        return NULL;
    }
    o->final(copy, out, (size_t)len);
    o->free(copy);
    *n = (size_t)len;
    return out;
}
Value hash_digest(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t n;
    unsigned char *d = digest(self, arg_at(args, nargs, 0), &n);
    if (!d)
        return ABSENT;
    Value b = bytes_from((char *)d, n);
    free(d);
    return b;
}
Value hash_hexdigest(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t n;
    unsigned char *d = digest(self, arg_at(args, nargs, 0), &n);
    if (!d)
        return ABSENT;
    char *hex = malloc(n * 2 + 1);
    Value s = ABSENT;
    if (hex) {
        for (size_t i = 0; i < n; i++) {
            hex[2 * i] = "0123456789abcdef"[d[i] >> 4];
            hex[2 * i + 1] = "0123456789abcdef"[d[i] & 15];
        }
        s = str_from_ascii(hex, n * 2);
    } else {
        err_no_memory();
    }
    free(hex);
    free(d);
    return s;
}
static Value hash_name(Value self) {
    return str_from_c(((Hash *)self)->kind->name);
}
static Value hash_block_size(Value self) {
    return v_from_int(((Hash *)self)->kind->block_size);
}
static Value hash_digest_size(Value self) {
    Hash *h = (Hash *)self;
    return v_from_int(h->kind->ops->size(h->state));
}

/* Keccak's parameters: a state of 1,600 bits takes in `rate` bits a round. */
static Value keccak_rate(Value self) {
    return v_from_int((int64_t)8 * ((Hash *)self)->kind->block_size);
}
static Value keccak_capacity(Value self) {
    return v_from_int(1600 - (int64_t)8 * ((Hash *)self)->kind->block_size);
}
static Value keccak_suffix(Value self) {
    return bytes_from(&((Hash *)self)->kind->suffix, 1);
}

#define GETSETS                                             \
    {"name", hash_name}, {"block_size", hash_block_size}, { \
        "digest_size", hash_digest_size                     \
    }
static const GetSetDef getsets[] = {GETSETS, {NULL}};
static const GetSetDef keccak_getsets[] = {
    GETSETS, {"_rate_bits", keccak_rate}, {"_capacity_bits", keccak_capacity}, {"_suffix", keccak_suffix}, {NULL}};
#undef GETSETS

int hash_type_init(HashKind *kind, const NativeDef *methods, uint32_t flags) {
    if (kind->type) /* the module is imported once more */
        return 0;
    Type *t = calloc(1, sizeof *t);
    if (!t) {
        err_no_memory();
        return -1;
    }
    kind->spec = (TypeSpec){.name = kind->type_name,
                            .basic_size = sizeof(Hash),
                            .flags = flags | TF_UNTRACKED,
                            .ops = &ops,
                            .methods = methods,

                            .getsets = kind->suffix ? keccak_getsets : getsets};
    type_init_module_type(t, &kind->spec);
    kind->type = t;
    return 0;
}

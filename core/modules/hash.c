#include "hash.h"

#include <dlfcn.h>
#include <openssl/evp.h>

#include "mutex.h"
#include "object/bytes.h"
#include "object/native.h"
#include "object/str.h"

/* What is used of libcrypto. */
#define CRYPTO_FUNCTIONS(X) \
    X(EVP_MD_CTX_new)       \
    X(EVP_MD_CTX_free)      \
    X(EVP_MD_CTX_copy_ex)   \
    X(EVP_get_digestbyname) \
    X(EVP_DigestInit_ex) X(EVP_DigestUpdate) X(EVP_DigestFinal_ex) X(EVP_DigestFinalXOF) X(EVP_MD_get_size)
static struct {
#define CRYPTO_FIELD(f) __typeof__(&f) f;
    CRYPTO_FUNCTIONS(CRYPTO_FIELD)
#undef CRYPTO_FIELD
} crypto;

static int load_crypto(void) {
    static _Atomic(bool) loaded;
    if (LOAD_ACQUIRE(&loaded)) /* pairs with the release below: the table is filled */
        return 0;
    void *lib = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    bool ok = lib != NULL;
#define CRYPTO_LOAD(f) ok = ok && (*(void **)&crypto.f = dlsym(lib, #f)) != NULL;
    CRYPTO_FUNCTIONS(CRYPTO_LOAD)
#undef CRYPTO_LOAD
    if (!ok) {
        err_set(&exc_ImportError, "OpenSSL's libcrypto.so.3 cannot be loaded: install Debian's package libssl3");
        return -1;
    }
    STORE_RELEASE(&loaded, true);
    return 0;
}

typedef struct Hash {
    Object hdr;
    Mutex lock; /* held over long updates, which run detached */
    const HashKind *kind;
    EVP_MD_CTX *ctx;
} Hash;

/* Data above this many bytes is hashed detached. */
#define DETACH_BYTES 2047

static void hash_fini(Value self) {
    if (((Hash *)self)->ctx)
        crypto.EVP_MD_CTX_free(((Hash *)self)->ctx);
}
static const TypeOps ops = {NULL, NULL, hash_fini};

static void lock(Hash *h) {
    if (!mutex_try_lock(&h->lock))
        mutex_lock_detached(&h->lock);
}

static Value hash_make(const HashKind *kind) {
    Value v = obj_new(kind->type);
    if (v == ABSENT)
        return ABSENT;
    Hash *h = (Hash *)v;
    h->lock = (Mutex)MUTEX_INIT(RANK_NONE);
    h->kind = kind;
    h->ctx = crypto.EVP_MD_CTX_new();
    if (!h->ctx) {
        release(v);
        return err_no_memory();
    }
    return v;
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
    lock(h);
    if (b.len > DETACH_BYTES) {
        DETACHED_BEGIN
        crypto.EVP_DigestUpdate(h->ctx, b.data, (size_t)b.len);
        DETACHED_END
    } else {
        crypto.EVP_DigestUpdate(h->ctx, b.data, (size_t)b.len);
    }
    mutex_unlock(&h->lock);
    buffer_release(&b);
    return 0;
}
static Value hash_update(Value self, Value *args, intptr_t nargs, Value kw) {
    return update(self, args[0]) < 0 ? ABSENT : V_NONE;
}

static Value hash_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    Hash *h = (Hash *)self;
    Value v = hash_make(h->kind);
    if (v == ABSENT)
        return ABSENT;
    lock(h);
    int ok = crypto.EVP_MD_CTX_copy_ex(((Hash *)v)->ctx, h->ctx);
    mutex_unlock(&h->lock);
    if (ok)
        return v;
    release(v);
    return err_no_memory();
}

/* The digest of what came so far; the state goes on. NULL with an exception, else malloc'd. */
static unsigned char *digest(Value self, Value length, size_t *n) {
    Hash *h = (Hash *)self;
    intptr_t len = 64;
    if (h->kind->xof) {
        if (num_as_index(length, &len, &exc_OverflowError) < 0)
            return NULL;
        if (len < 0 || len >= (1 << 29)) {
            err_set(&exc_ValueError, "length is too large");
            return NULL;
        }
    }
    unsigned char *out = malloc((size_t)len + 1);
    EVP_MD_CTX *copy = crypto.EVP_MD_CTX_new();
    if (!out || !copy) {
        free(out);
        err_no_memory();
        return NULL;
    }
    lock(h);
    crypto.EVP_MD_CTX_copy_ex(copy, h->ctx);
    mutex_unlock(&h->lock);
    unsigned got = 0;
    if (h->kind->xof) {
        crypto.EVP_DigestFinalXOF(copy, out, (size_t)len);
        got = (unsigned)len;
    } else {
        crypto.EVP_DigestFinal_ex(copy, out, &got);
    }
    crypto.EVP_MD_CTX_free(copy);
    *n = got;
    return out;
}
static Value hash_digest(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t n;
    unsigned char *d = digest(self, arg_at(args, nargs, 0), &n);
    if (!d)
        return ABSENT;
    Value b = bytes_from((char *)d, n);
    free(d);
    return b;
}
static Value hash_hexdigest(Value self, Value *args, intptr_t nargs, Value kw) {
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
    const HashKind *k = ((Hash *)self)->kind;
    return v_from_int(k->xof ? 0 : crypto.EVP_MD_get_size(crypto.EVP_get_digestbyname(k->evp)));
}

static const NativeDef methods[] = {{"update", hash_update, "($self, obj, /)"},
                                    {"copy", hash_copy, "($self, /)"},
                                    {"digest", hash_digest, "($self, /)"},
                                    {"hexdigest", hash_hexdigest, "($self, /)"},
                                    {NULL}};
static const NativeDef xof_methods[] = {{"update", hash_update, "($self, obj, /)"},
                                        {"copy", hash_copy, "($self, /)"},
                                        {"digest", hash_digest, "($self, length, /)"},
                                        {"hexdigest", hash_hexdigest, "($self, length, /)"},
                                        {NULL}};
static const GetSetDef getsets[] = {
    {"name", hash_name}, {"block_size", hash_block_size}, {"digest_size", hash_digest_size}, {NULL}};

static Value start(const HashKind *kind, Value data) {
    Value v = hash_make(kind);
    if (v == ABSENT)
        return ABSENT;
    const EVP_MD *md = crypto.EVP_get_digestbyname(kind->evp);
    if (!md || !crypto.EVP_DigestInit_ex(((Hash *)v)->ctx, md, NULL)) {
        release(v);
        return err_set(&exc_ValueError, "unsupported hash type %s", kind->name);
    }
    if (data != ABSENT && update(v, data) < 0) {
        release(v);
        return ABSENT;
    }
    return v;
}
/* The constructor. Its receiver tells the kind: the function object is bound to a capsule. */
static Value construct(Value self, Value *args, intptr_t nargs, Value kw) {
    const HashKind *kind = capsule_get(self, "hash");
    return kind ? start(kind, arg_at(args, nargs, 0)) : ABSENT;
}

int hash_module_fill(Value m, HashKind *kinds) {
    if (load_crypto() < 0)
        return -1;
    for (HashKind *k = kinds; k->name; k++) {
        k->type = calloc(1, sizeof *k->type);
        if (!k->type) {
            err_no_memory();
            return -1;
        }
        k->spec = (TypeSpec){.name = k->type_name,
                             .basic_size = sizeof(Hash),
                             .flags = TF_NO_NEW | TF_UNTRACKED,
                             .ops = &ops,
                             .methods = k->xof ? xof_methods : methods,
                             .getsets = getsets};
        type_init_module_type(k->type, &k->spec);
        k->constructor = (NativeDef){k->name, construct, "($self, string=b'', *, usedforsecurity=True)"};
        Value capsule = capsule_new(k, "hash");
        if (capsule == ABSENT)
            return -1;
        Value f = native_new(&k->constructor, capsule, ABSENT);
        release(capsule);
        if (module_add(m, k->name, f) < 0)
            return -1;
    }
    return 0;
}

/* The digests that OpenSSL's libcrypto has. */
#include <openssl/evp.h>

#include "hash.h"
#include "object/native.h"

#define CRYPTO_FUNCTIONS(X) \
    X(EVP_MD_CTX_new)       \
    X(EVP_MD_CTX_free)      \
    X(EVP_MD_CTX_copy_ex)   \
    X(EVP_MD_CTX_get0_md)   \
    X(EVP_get_digestbyname) \
    X(EVP_DigestInit_ex) X(EVP_DigestUpdate) X(EVP_DigestFinal_ex) X(EVP_DigestFinalXOF) X(EVP_MD_get_size)
static struct {
#define CRYPTO_FIELD(f) __typeof__(&f) f;
    CRYPTO_FUNCTIONS(CRYPTO_FIELD)
#undef CRYPTO_FIELD
} crypto;
static const char *const crypto_names[] = {
#define CRYPTO_NAME(f) #f,
    CRYPTO_FUNCTIONS(CRYPTO_NAME)
#undef CRYPTO_NAME
        NULL};
static HashLibrary library = {"libcrypto.so.3", "libssl3", crypto_names, (void **)&crypto, false};

static void *evp_copy(const void *state) {
    EVP_MD_CTX *copy = crypto.EVP_MD_CTX_new();
    if (copy && !crypto.EVP_MD_CTX_copy_ex(copy, state)) {
        crypto.EVP_MD_CTX_free(copy);
        copy = NULL;
    }
    return copy;
}
static void evp_free(void *state) {
    crypto.EVP_MD_CTX_free(state);
}
static void evp_update(void *state, const unsigned char *data, size_t n) {
    crypto.EVP_DigestUpdate(state, data, n);
}
static void evp_final(void *state, unsigned char *out, size_t n) {
    crypto.EVP_DigestFinal_ex(state, out, NULL);
}
static void evp_final_xof(void *state, unsigned char *out, size_t n) {
    crypto.EVP_DigestFinalXOF(state, out, n);
}
static int evp_size(const void *state) {
    return crypto.EVP_MD_get_size(crypto.EVP_MD_CTX_get0_md(state));
}
static int evp_size_xof(const void *state) {
    return 0;
}
static const HashOps evp_ops = {evp_copy, evp_free, evp_update, evp_final, evp_size};
static const HashOps xof_ops = {evp_copy, evp_free, evp_update, evp_final_xof, evp_size_xof};

/* The constructor. Its receiver tells the kind: the function object is bound to a capsule. */
static Value construct(Value self, Value *args, intptr_t nargs, Value kw) {
    const HashKind *kind = capsule_get(self, "hash");
    if (!kind)
        return ABSENT;
    EVP_MD_CTX *ctx = crypto.EVP_MD_CTX_new();
    const EVP_MD *md = crypto.EVP_get_digestbyname(kind->evp);
    if (ctx && (!md || !crypto.EVP_DigestInit_ex(ctx, md, NULL))) {
        crypto.EVP_MD_CTX_free(ctx);
        return err_set(&exc_ValueError, "unsupported hash type %s", kind->name);
    }
    return hash_start(kind, ctx, arg_at(args, nargs, 0));
}

int hash_module_fill(Value m, HashKind *kinds) {
    static const NativeDef methods[] = {HASH_METHODS("($self, obj, /)"), {NULL}};
    static const NativeDef xof_methods[] = {{"update", hash_update, "($self, data, /)"},
                                            {"copy", hash_copy, "($self, /)"},
                                            {"digest", hash_digest, "($self, length, /)"},
                                            {"hexdigest", hash_hexdigest, "($self, length, /)"},
                                            {NULL}};
    if (hash_library_load(&library) < 0)
        return -1;
    for (HashKind *k = kinds; k->name; k++) {
        k->ops = k->xof ? &xof_ops : &evp_ops;
        if (hash_type_init(k, k->xof ? xof_methods : methods, TF_NO_NEW) < 0)
            return -1;
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

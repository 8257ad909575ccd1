/* BLAKE2b and BLAKE2s with all their parameters, which OpenSSL's lack, over libb2. (RFC 7693, and section 2.5 of
 * "BLAKE2: simpler, smaller, fast as MD5" for the trees.) */
#include <blake2.h>

#include "hash.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/native.h"

#define B2_FUNCTIONS(X) \
    X(blake2b_init_param) X(blake2b_update) X(blake2b_final) X(blake2s_init_param) X(blake2s_update) X(blake2s_final)
static struct {
#define B2_FIELD(f) __typeof__(&f) f;
    B2_FUNCTIONS(B2_FIELD)
#undef B2_FIELD
} b2;
static const char *const b2_names[] = {
#define B2_NAME(f) #f,
    B2_FUNCTIONS(B2_NAME)
#undef B2_NAME
        NULL};
static HashLibrary library = {"libb2.so.1", "libb2-1", b2_names, (void **)&b2, false};

typedef struct Parameters {
    int digest_size, fanout, depth, node_depth, inner_size;
    uint64_t leaf_size, node_offset;
    Buffer key, salt, person; /* of no data (NULL): not given */
    bool last_node;
} Parameters;

/* ---- the two algorithms ---- */

typedef struct Variant {
    const char *prefix; /* of the module's constants */
    int digest_max, key_max, salt_max, person_max;
    uint64_t node_offset_max;
    void *(*start)(const Parameters *p); /* a state, or NULL: no memory */
    HashOps ops;
    HashKind kind;
} Variant;

/* A state is the library's, in malloc's memory. */
static void *state_copy(const void *state, size_t size) {
    void *copy = malloc(size);
    return copy ? memcpy(copy, state, size) : NULL;
}
static void copy_bytes(uint8_t *to, const Buffer *b) {
    if (b->data)
        memcpy(to, b->data, (size_t)b->len);
}

#define BLAKE2(x, X)                                                           \
    static void *x##_copy(const void *state) {                                 \
        return state_copy(state, sizeof(x##_state));                           \
    }                                                                          \
    static void x##_absorb(void *state, const unsigned char *data, size_t n) { \
        b2.x##_update(state, data, n);                                         \
    }                                                                          \
    static void x##_finish(void *state, unsigned char *out, size_t n) {        \
        b2.x##_final(state, out, n);                                           \
    }                                                                          \
    static int x##_size(const void *state) {                                   \
        return ((const x##_state *)state)->outlen;                             \
    }                                                                          \
    static void *x##_start(const Parameters *p) {                              \
        x##_param param = {.digest_length = (uint8_t)p->digest_size,           \
                           .key_length = (uint8_t)p->key.len,                  \
                           .fanout = (uint8_t)p->fanout,                       \
                           .depth = (uint8_t)p->depth,                         \
                           .leaf_length = (uint32_t)p->leaf_size,              \
                           .node_depth = (uint8_t)p->node_depth,               \
                           .inner_length = (uint8_t)p->inner_size};            \
        memcpy(&param.node_offset, &p->node_offset, sizeof param.node_offset); \
        copy_bytes(param.salt, &p->salt);                                      \
        copy_bytes(param.personal, &p->person);                                \
        x##_state *s = malloc(sizeof *s);                                      \
        if (!s)                                                                \
            return NULL;                                                       \
        b2.x##_init_param(s, &param);                                          \
        s->last_node = p->last_node;                                           \
        if (p->key.len) { /* it is the first block */                          \
            uint8_t block[X##_BLOCKBYTES] = {0};                               \
            copy_bytes(block, &p->key);                                        \
            b2.x##_update(s, block, sizeof block);                             \
            explicit_bzero(block, sizeof block);                               \
        }                                                                      \
        return s;                                                              \
    }
BLAKE2(blake2b, BLAKE2B)
BLAKE2(blake2s, BLAKE2S)
#define VARIANT(x, X, offset_max)                                                                \
    {                                                                                            \
        #X, X##_OUTBYTES, X##_KEYBYTES, X##_SALTBYTES, X##_PERSONALBYTES, offset_max, x##_start, \
            {x##_copy, free, x##_absorb, x##_finish, x##_size}, {                                \
            .name = #x, .type_name = "_blake2." #x, .block_size = X##_BLOCKBYTES                 \
        }                                                                                        \
    }
static Variant variants[] = {
    VARIANT(blake2b, BLAKE2B, UINT64_MAX),
    VARIANT(blake2s, BLAKE2S, ((uint64_t)1 << 48) - 1),
};

/* ---- the constructor ---- */

/* 0, or -1 with an exception. range: its message. */
static int parse_int(Value v, int *out, int min, int max, const char *range) {
    if (v == ABSENT)
        return 0;
    if (num_as_int(v, out) < 0) {
        if (err_matches(&exc_OverflowError)) {
            err_clear();
            err_set(&exc_OverflowError, "Python int too large to convert to C int");
        }
        return -1;
    }
    if (*out >= min && *out <= max)
        return 0;
    err_set(&exc_ValueError, range, max);
    return -1;
}
/* huge: the message for what 64 bits do not hold. */
static int parse_unsigned(Value v, uint64_t *out, uint64_t max, const char *name, const char *huge) {
    if (v == ABSENT)
        return 0;
    if (!v_is_integer(v)) {
        err_set(&exc_TypeError, "an integer is required");
    } else if (int_sign(v) < 0) {
        err_set(&exc_ValueError, "value must be positive");
    } else if (int_bit_length(v) > 64) {
        err_set(&exc_OverflowError, "%s", huge);
    } else {
        int_to_u64_mask(v, out);
        if (*out <= max)
            return 0;
        err_set(&exc_OverflowError, "%s is too large", name);
    }
    return -1;
}
/* *b is to be released. */
static int parse_bytes(Value v, Buffer *b, int max, const char *name) {
    if (v == ABSENT)
        return 0;
    Buffer got;
    if (buffer_get(v, &got, false) < 0)
        return -1;
    *b = got;
    if (b->len <= max)
        return 0;
    err_set(&exc_ValueError, "maximum %s length is %d bytes", name, max);
    return -1;
}

enum { DATA, DIGEST_SIZE, KEY, SALT, PERSON, FANOUT, DEPTH, LEAF_SIZE, NODE_OFFSET, NODE_DEPTH, INNER_SIZE, LAST_NODE };
static int parse(const Variant *x, Parameters *p, const Value *args, intptr_t nargs) {
    *p = (Parameters){.digest_size = x->digest_max, .fanout = 1, .depth = 1};
#define GIVEN(i) arg_at(args, nargs, i)
    if (parse_int(GIVEN(DIGEST_SIZE), &p->digest_size, 1, x->digest_max, "digest_size must be between 1 and %d bytes") <
            0 ||
        parse_bytes(GIVEN(KEY), &p->key, x->key_max, "key") < 0 ||
        parse_bytes(GIVEN(SALT), &p->salt, x->salt_max, "salt") < 0 ||
        parse_bytes(GIVEN(PERSON), &p->person, x->person_max, "person") < 0 ||
        parse_int(GIVEN(FANOUT), &p->fanout, 0, 255, "fanout must be between 0 and %d") < 0 ||
        parse_int(GIVEN(DEPTH), &p->depth, 1, 255, "depth must be between 1 and %d") < 0 ||
        parse_unsigned(GIVEN(LEAF_SIZE), &p->leaf_size, UINT32_MAX, "leaf_size",
                       "Python int too large to convert to C unsigned long") < 0 ||
        parse_unsigned(GIVEN(NODE_OFFSET), &p->node_offset, x->node_offset_max, "node_offset",
                       "int too big to convert") < 0 ||
        parse_int(GIVEN(NODE_DEPTH), &p->node_depth, 0, 255, "node_depth must be between 0 and %d") < 0 ||
        parse_int(GIVEN(INNER_SIZE), &p->inner_size, 0, x->digest_max, "inner_size must be between 0 and is %d") < 0)
        return -1;
    int last = GIVEN(LAST_NODE) == ABSENT ? 0 : obj_truth(GIVEN(LAST_NODE));
    p->last_node = last > 0;
    return last < 0 ? -1 : 0;
#undef GIVEN
}
static Value construct(Value cls, Value *args, intptr_t nargs, Value kw) {
    const Variant *x = variants;
    while (x->kind.type != (Type *)cls)
        x++;
    Parameters p;
    Value v = parse(x, &p, args, nargs) < 0 ? ABSENT : hash_start(&x->kind, x->start(&p), arg_at(args, nargs, DATA));
    for (Buffer *b = &p.key; b <= &p.person; b++)
        if (b->owner)
            buffer_release(b);
    return v;
}

/* ---- the module ---- */

static int add_constant(Value m, Variant *x, const char *name, int n) {
    char in_module[40];
    snprintf(in_module, sizeof in_module, "%s_%s", x->prefix, name);
    return dict_set_str(type_dict(x->kind.type), name, v_from_int(n)) < 0 ? -1 : module_add_int(m, in_module, n);
}
static int fill(Value m) {
    static const NativeDef methods[] = {
        {"__new__", construct,
         "($type, data=b'', /, *, digest_size=64, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, "
         "node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True)",
         NF_STATIC},
        HASH_METHODS("($self, data, /)"),
        {NULL}};
    if (hash_library_load(&library) < 0)
        return -1;
    for (Variant *x = variants; x < variants + ARRAY_LEN(variants); x++) {
        x->kind.ops = &x->ops;
        if (hash_type_init(&x->kind, methods, TF_IMMUTABLE) < 0 || add_constant(m, x, "SALT_SIZE", x->salt_max) < 0 ||
            add_constant(m, x, "PERSON_SIZE", x->person_max) < 0 ||
            add_constant(m, x, "MAX_KEY_SIZE", x->key_max) < 0 ||
            add_constant(m, x, "MAX_DIGEST_SIZE", x->digest_max) < 0 || module_add_type(m, x->kind.type) < 0)
            return -1;
    }
    return 0;
}
const ModuleSpec module__blake2 = {.name = "_blake2", .doc = "_blake2b provides BLAKE2b for hashlib\n", .exec = fill};

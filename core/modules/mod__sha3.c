#include "hash.h"

static int fill(Value m) {
    static HashKind kinds[] = {
        {.name = "sha3_224", .evp = "SHA3-224", .type_name = "_sha3.sha3_224", .block_size = 144, .suffix = 0x06},
        {.name = "sha3_256", .evp = "SHA3-256", .type_name = "_sha3.sha3_256", .block_size = 136, .suffix = 0x06},
        {.name = "sha3_384", .evp = "SHA3-384", .type_name = "_sha3.sha3_384", .block_size = 104, .suffix = 0x06},
        {.name = "sha3_512", .evp = "SHA3-512", .type_name = "_sha3.sha3_512", .block_size = 72, .suffix = 0x06},
        {.name = "shake_128",
         .evp = "SHAKE128",
         .type_name = "_sha3.shake_128",
         .block_size = 168,
         .xof = true,
         .suffix = 0x1f},
        {.name = "shake_256",
         .evp = "SHAKE256",
         .type_name = "_sha3.shake_256",
         .block_size = 136,
         .xof = true,
         .suffix = 0x1f},
        {.name = NULL},
    };
    return hash_module_fill(m, kinds);
}

const ModuleSpec module__sha3 = {.name = "_sha3", .exec = fill};

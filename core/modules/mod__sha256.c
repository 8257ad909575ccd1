#include "hash.h"

static int fill(Value m) {
    static HashKind kinds[] = {
        {.name = "sha224", .evp = "SHA224", .type_name = "_sha256.sha224", .block_size = 64},
        {.name = "sha256", .evp = "SHA256", .type_name = "_sha256.sha256", .block_size = 64},
        {.name = NULL},
    };
    return hash_module_fill(m, kinds);
}

const ModuleSpec module__sha256 = {.name = "_sha256", .exec = fill};

#include "hash.h"

static int fill(Value m) {
    static HashKind kinds[] = {
        {.name = "sha384", .evp = "SHA384", .type_name = "_sha512.sha384", .block_size = 128},
        {.name = "sha512", .evp = "SHA512", .type_name = "_sha512.sha512", .block_size = 128},
        {.name = NULL},
    };
    return hash_module_fill(m, kinds);
}

const ModuleSpec module__sha512 = {.name = "_sha512", .exec = fill};

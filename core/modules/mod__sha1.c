#include "hash.h"

static int fill(Value m) {
    static HashKind kinds[] = {
        {.name = "sha1", .evp = "SHA1", .type_name = "_sha1.sha1", .block_size = 64},
        {.name = NULL},
    };
    return hash_module_fill(m, kinds);
}

const ModuleSpec module__sha1 = {.name = "_sha1", .exec = fill};

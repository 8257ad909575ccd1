#include "hash.h"

static int fill(Value m) {
    static HashKind kinds[] = {
        {.name = "md5", .evp = "MD5", .type_name = "_md5.md5", .block_size = 64},
        {.name = NULL},
    };
    return hash_module_fill(m, kinds);
}

const ModuleSpec module__md5 = {.name = "_md5", .exec = fill};

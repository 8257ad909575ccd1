#include "base/base.h"

void fatal_at(const char *file, int line, const char *what) {
    fprintf(stderr, "polygil: fatal: %s:%d: %s\n", file, line, what);
    abort();
}

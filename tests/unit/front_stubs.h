#ifndef POLYGIL_FRONT_STUBS_H
#define POLYGIL_FRONT_STUBS_H
#include "object/err.h"
typedef struct StubError {
    const char *name;
    Type *type;
    Value message, where;
} StubError;
/* A str is UTF-8 here, a large int its text. */
#define TEXT(v) ((char *)((Str *)(v))->data)
extern StubError stub_error;
void stubs_init(void);
#endif

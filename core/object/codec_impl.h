/* What the codec files share: how a decoder or an encoder meets an error. */
#ifndef POLYGIL_CODEC_IMPL_H
#define POLYGIL_CODEC_IMPL_H

#include "object/bytes.h"
#include "object/codec.h"
#include "object/str.h"

typedef enum ErrorMode {
    ERR_STRICT,
    ERR_IGNORE,
    ERR_REPLACE,
    ERR_BACKSLASH,
    ERR_XMLCHARREF,
    ERR_SURROGATEESCAPE,
    ERR_CALL
} ErrorMode;

/* One decoding in progress. A handler may put another input in place: s and n are read again after each error. */
typedef struct Decoding {
    const char *encoding, *errors;
    const uint8_t *s;
    size_t n;
    Value input;   /* bytes that s points into once an exception had to be made, owned, or ABSENT */
    Value handler; /* owned, or ABSENT: not yet looked up */
    ErrorMode mode;
} Decoding;
void decoding_init(Decoding *d, const char *encoding, const char *s, size_t n, const char *errors);
void decoding_done(Decoding *d);
/* The bytes [start, end) are wrong: what the handler gives goes to out, *pos is where to go on. False with an
 * exception. */
bool decoding_error(Decoding *d, StrBuilder *out, size_t start, size_t end, const char *reason, size_t *pos);

typedef struct Encoding {
    const char *encoding, *errors;
    Value str;
    Value handler;
    ErrorMode mode;
} Encoding;
void encoding_init(Encoding *e, const char *encoding, Value str, const char *errors);
void encoding_done(Encoding *e);
/* The code points [start, end) cannot be encoded: *repl is what stands for them (owned: bytes as they are; a str to be
 * encoded, where what cannot be encoded is the error again; ABSENT: nothing), *pos where to go on. False with an
 * exception. */
bool encoding_error(Encoding *e, intptr_t start, intptr_t end, const char *reason, Value *repl, intptr_t *pos);

#endif

/* Codecs in C and their error handlers. `errors` NULL means "strict". Decoders take bytes and give str; encoders take
 * str and give bytes. A decoder with `final` false stops before an incomplete sequence; *consumed (NULL allowed) is
 * what it used. All may run Python code where a registered error handler does. */
#ifndef POLYGIL_CODEC_H
#define POLYGIL_CODEC_H

#include "object/object.h"

Value codec_utf8_decode(const char *s, size_t n, const char *errors, bool final, size_t *consumed);
Value codec_utf8_encode(Value s, const char *errors);
/* order: -1 little, 1 big, 0 by the mark, native when there is none; *order_out the one found. */
Value codec_utf16_decode(const char *s, size_t n, const char *errors, int *order, bool final, size_t *consumed);
Value codec_utf16_encode(Value s, const char *errors, int order); /* 0: native with a mark */
Value codec_utf32_decode(const char *s, size_t n, const char *errors, int *order, bool final, size_t *consumed);
Value codec_utf32_encode(Value s, const char *errors, int order);
Value codec_ascii_decode(const char *s, size_t n, const char *errors);
Value codec_ascii_encode(Value s, const char *errors);
Value codec_latin1_encode(Value s, const char *errors);
Value codec_utf7_decode(const char *s, size_t n, const char *errors, bool final, size_t *consumed);
Value codec_utf7_encode(Value s, const char *errors);
Value codec_unicode_escape_decode(const char *s, size_t n, const char *errors, bool final, size_t *consumed);
Value codec_unicode_escape_encode(Value s);
Value codec_raw_unicode_escape_decode(const char *s, size_t n, const char *errors, bool final, size_t *consumed);
Value codec_raw_unicode_escape_encode(Value s);
Value codec_charmap_decode(const char *s, size_t n, Value mapping, const char *errors);
Value codec_charmap_encode(Value s, Value mapping, const char *errors);
/* Escapes of a bytes literal. *warn: offset of the first invalid escape, or -1. */
Value codec_escape_decode(const char *s, size_t n, const char *errors, intptr_t *warn);

/* str <-> bytes by name, through the registry unless the codec is one of ours. */
Value codec_decode(Value buffer, const char *encoding, const char *errors);
Value codec_encode(Value s, const char *encoding, const char *errors);
/* Registry (owned by the process): CodecInfo tuple of an encoding; LookupError. */
Value codec_lookup(const char *encoding);
int codec_register(Value search);
int codec_unregister(Value search);
int codec_register_error(const char *name, Value handler);
Value codec_lookup_error(const char *name); /* owned; LookupError */

/* UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError: made and read. All return ABSENT with the exception
 * pending. */
Value err_unicode_encode(const char *encoding, Value s, intptr_t start, intptr_t end, const char *reason);
Value err_unicode_decode(const char *encoding, const char *p, size_t n, intptr_t start, intptr_t end,
                         const char *reason);

#endif

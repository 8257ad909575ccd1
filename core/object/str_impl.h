/* What the files of str share with each other and with nobody else. */
#ifndef POLYGIL_STR_IMPL_H
#define POLYGIL_STR_IMPL_H

#include "object/str.h"

extern const TypeOps str_ops;

/* cap bytes, all of them claimed; NULL without exception. */
StrBuf *strbuf_new(size_t cap);
/* Steals a reference to b, also on failure. */
Value str_from_strbuf(StrBuf *b, size_t n, int kind, uint32_t flags);
Value str_subclass_new(Type *cls, Value s);

/* Bitwise or of code points: enough to tell which kind they need and whether they are ASCII. */
uint32_t str_or_kind(const void *data, int kind, size_t n);
void str_copy_kind(void *dst, int dkind, const void *src, int skind, size_t n);
void str_fill_utf8(void *d, int kind, const uint8_t *p, size_t n); /* valid UTF-8 into room for its code points */
size_t str_utf8_size(Value s, intptr_t *bad);                      /* *bad: index of the first surrogate, or -1 */
void str_write_utf8(Value s, char *out);                           /* surrogates as three bytes */

#endif

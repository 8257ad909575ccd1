/* Properties and case mappings of code points (utf8proc, and tables for what it has not). */
#ifndef POLYGIL_UNICODE_H
#define POLYGIL_UNICODE_H

#include "base/base.h"

/* One byte per Latin-1 character. */
enum {
    UC_ALPHA = 1,
    UC_DIGIT = 2 /* decimal */,
    UC_LOWER = 4,
    UC_UPPER = 8,
    UC_SPACE = 16,
    UC_PRINT = 32,
    UC_IDSTART = 64,
    UC_IDCONT = 128
};
extern const uint8_t unicode_latin1[256];

/* The database is that of Unicode 14.0, the reference's: what utf8proc knows beyond it is unassigned. */
int unicode_category(uint32_t c); /* utf8proc's numbers */

bool unicode_is_slow(uint32_t c, int what); /* UC_* above Latin-1 */
static ALWAYS_INLINE bool unicode_is(uint32_t c, int what) {
    return c < 256 ? (unicode_latin1[c] & what) != 0 : unicode_is_slow(c, what);
}
static ALWAYS_INLINE bool unicode_is_space(uint32_t c) {
    return unicode_is(c, UC_SPACE);
}
static ALWAYS_INLINE bool unicode_is_alpha(uint32_t c) {
    return unicode_is(c, UC_ALPHA);
}
static ALWAYS_INLINE bool unicode_is_decimal(uint32_t c) {
    return unicode_is(c, UC_DIGIT);
}
static ALWAYS_INLINE bool unicode_is_lower(uint32_t c) {
    return unicode_is(c, UC_LOWER);
}
static ALWAYS_INLINE bool unicode_is_upper(uint32_t c) {
    return unicode_is(c, UC_UPPER);
}
static ALWAYS_INLINE bool unicode_is_printable(uint32_t c) {
    return unicode_is(c, UC_PRINT);
}
static ALWAYS_INLINE bool unicode_is_id_start(uint32_t c) {
    return unicode_is(c, UC_IDSTART);
}
static ALWAYS_INLINE bool unicode_is_id_continue(uint32_t c) {
    return unicode_is(c, UC_IDCONT);
}
bool unicode_is_title(uint32_t c);
bool unicode_is_cased(uint32_t c);
bool unicode_is_case_ignorable(uint32_t c);
bool unicode_is_line_break(uint32_t c);
bool unicode_is_numeric(uint32_t c);
int unicode_decimal(uint32_t c); /* -1: none */
int unicode_digit(uint32_t c);   /* -1: none */
bool unicode_numeric(uint32_t c, int64_t *num, int32_t *den);
/* Simple mappings. */
uint32_t unicode_lower1(uint32_t c);
uint32_t unicode_upper1(uint32_t c);
uint32_t unicode_title1(uint32_t c);
/* Full mappings: 1 to 3 code points. */
int unicode_to_lower(uint32_t c, uint32_t out[3]);
int unicode_to_upper(uint32_t c, uint32_t out[3]);
int unicode_to_title(uint32_t c, uint32_t out[3]);
int unicode_to_folded(uint32_t c, uint32_t out[3]);

/* The character's name, without aliases: false when it has none or ICU is not installed. */
bool unicode_name(uint32_t c, char *out, size_t room);
/* The code point with a name (aliases too, any case), or -1. */
int32_t unicode_lookup(const char *name, size_t n);
/* A, F, H, N, Na or W. */
const char *unicode_east_asian_width(uint32_t c);
/* Whether the character was assigned in Unicode 3.2. */
bool unicode_in_3_2(uint32_t c);
/* The decomposition of one character by one step, canonical or not: how many code points. */
int unicode_decomposition(uint32_t c, uint32_t out[32]);

#endif

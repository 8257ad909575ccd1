/* Searching in arrays of 1, 2 or 4 bytes per item, and what the methods of str, bytes and bytearray share. */
#ifndef POLYGIL_TEXT_H
#define POLYGIL_TEXT_H

#include "object/object.h"

/* Index of the first (dir > 0) or last (dir < 0) occurrence of p[0..m) in h[0..n), both of `kind` bytes per item; -1:
 * none. */
intptr_t text_find(const void *h, intptr_t n, const void *p, intptr_t m, int kind, int dir);
intptr_t text_find_item(const void *h, intptr_t n, uint32_t c, int kind, int dir);
/* Occurrences that do not overlap, at most max. */
intptr_t text_count(const void *h, intptr_t n, const void *p, intptr_t m, int kind, intptr_t max);

/* Optional start and end arguments (ABSENT, None or an index) against a length: hi is clipped to it, lo may lie beyond.
 * 0, or -1. */
int text_range(Value start, Value end, intptr_t len, intptr_t *lo, intptr_t *hi);
/* An optional size argument (split's maxsplit, replace's count): dflt when ABSENT. */
int text_size_arg(Value v, intptr_t dflt, intptr_t *out);
/* Old-style argument counts: "find() takes at most 3 arguments (4 given)". */
bool text_arg_count(const char *fn, intptr_t nargs, intptr_t min, intptr_t max);

#endif

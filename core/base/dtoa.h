/* Double to digits and back: a C face of the double-conversion library. Locale-free, correctly rounded. */
#ifndef POLYGIL_DTOA_H
#define POLYGIL_DTOA_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Digits d1 d2 ... dn and point p of |v| = 0.d1d2...dn * 10^p, v finite. buf takes cap digits and a NUL; n is returned.
 * DTOA_SHORTEST: fewest digits that read back as v (n <= 17). DTOA_FIXED: rounded to `digits` places behind the decimal
 * point. DTOA_PRECISION: `digits` significant digits (at least 1). Trailing zeros may be left out. */
enum { DTOA_SHORTEST, DTOA_FIXED, DTOA_PRECISION };
int dtoa_digits(double v, int mode, int digits, char *buf, int cap, int *point);

/* The number that the whole of s denotes (sign, digits, point, exponent; no spaces, no inf or nan). *ok is false
 * otherwise. */
double dtoa_parse(const char *s, size_t n, bool *ok);

#ifdef __cplusplus
}
#endif
#endif

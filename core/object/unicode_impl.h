/* Tables of unicode_tables.c, for unicode.c alone. All are sorted by code point. */
#ifndef POLYGIL_UNICODE_IMPL_H
#define POLYGIL_UNICODE_IMPL_H

#include "base/base.h"

typedef struct UnicodeRange {
    uint32_t lo, hi;
} UnicodeRange;
typedef struct UnicodeMap {
    uint32_t c, to[3]; /* zero behind the last */
} UnicodeMap;
typedef struct UnicodeNumber {
    uint32_t lo, hi; /* values rise by one from lo to hi */
    int64_t num;
    int32_t den;
    int32_t is_digit;
} UnicodeNumber;

#define DECLARE_TABLE(type, name) \
    extern const type name[];     \
    extern const size_t name##_len;
DECLARE_TABLE(UnicodeRange, unicode_newer) /* assigned after Unicode 14 */
DECLARE_TABLE(UnicodeRange, unicode_other_lower)
DECLARE_TABLE(UnicodeRange, unicode_other_upper)
DECLARE_TABLE(UnicodeRange, unicode_case_ignorable) /* exceptions: where it is not what the category says */
DECLARE_TABLE(UnicodeRange, unicode_id_start)       /* exceptions */
DECLARE_TABLE(UnicodeRange, unicode_id_continue)    /* exceptions */
DECLARE_TABLE(UnicodeMap, unicode_upper)            /* to several code points */
DECLARE_TABLE(UnicodeMap, unicode_lower)
DECLARE_TABLE(UnicodeMap, unicode_title)
DECLARE_TABLE(UnicodeMap, unicode_fold) /* other than lower case */
DECLARE_TABLE(uint32_t, unicode_decimal_zeros)
DECLARE_TABLE(UnicodeNumber, unicode_numbers) /* those that are not decimal digits */

#endif

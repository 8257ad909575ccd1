/* The only C++ of the core: double-conversion behind base/dtoa.h. */
#include "base/dtoa.h"

#include <double-conversion/double-conversion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

using double_conversion::DoubleToStringConverter;
using double_conversion::StringToDoubleConverter;

/* The same digits by the C library, which knows all of them: slow. */
static int round_even(double v, int mode, int digits, char *buf, int cap, int *point) {
    size_t room = static_cast<size_t>(cap) + 400;
    char *text = static_cast<char *>(malloc(room));
    if (text == nullptr)
        return 0;
    v = fabs(v);
    if (mode == DTOA_FIXED)
        snprintf(text, room, "%.*f", digits, v);
    else
        snprintf(text, room, "%.*e", digits - 1, v);
    int n = 0, before = -1;
    char *p = text;
    for (; *p != '\0' && *p != 'e'; p++) {
        if (*p < '0' || *p > '9') { /* the point, whatever the locale has for it */
            if (before < 0)
                before = n;
            continue;
        }
        if (n < cap)
            buf[n++] = *p;
    }
    *point = before < 0 ? n : before;
    if (*p == 'e')
        *point += atoi(p + 1);
    free(text);
    int zeros = 0;
    while (zeros < n && buf[zeros] == '0')
        zeros++;
    memmove(buf, buf + zeros, static_cast<size_t>(n - zeros));
    n -= zeros;
    *point -= zeros;
    while (n > 0 && buf[n - 1] == '0')
        n--;
    if (n == 0)
        *point = -digits;
    buf[n] = '\0';
    return n;
}

int dtoa_digits(double v, int mode, int digits, char *buf, int cap, int *point) {
    static const DoubleToStringConverter::DtoaMode modes[] = {
        DoubleToStringConverter::SHORTEST, DoubleToStringConverter::FIXED, DoubleToStringConverter::PRECISION};
    bool sign;
    int length = 0;
    DoubleToStringConverter::DoubleToAscii(v, modes[mode], digits, buf, cap, &sign, &length, point);
    /* The library rounds a half up; it must go to even. Half-way cases end within a digit or two behind the last one.
     */
    int places = mode == DTOA_FIXED ? digits : digits - *point;
    if (mode != DTOA_SHORTEST && places < 1000) {
        double scaled = ldexp(v, places < 0 ? 0 : places + 2);
        if (scaled == floor(scaled))
            length = round_even(v, mode, digits, buf, cap, point);
    }
    return length;
}

double dtoa_parse(const char *s, size_t n, bool *ok) {
    static const StringToDoubleConverter converter(0, 0.0, 0.0, nullptr, nullptr);
    int used = 0;
    double d = converter.StringToDouble(s, static_cast<int>(n), &used);
    *ok = n > 0 && n < 0x7fffffff && used == static_cast<int>(n);
    return d;
}

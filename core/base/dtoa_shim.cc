/* The only C++ of the core: double-conversion behind base/dtoa.h. */
#include "base/dtoa.h"

#include <double-conversion/double-conversion.h>

using double_conversion::DoubleToStringConverter;
using double_conversion::StringToDoubleConverter;

int dtoa_digits(double v, int mode, int digits, char *buf, int cap, int *point) {
    static const DoubleToStringConverter::DtoaMode modes[] = {
        DoubleToStringConverter::SHORTEST, DoubleToStringConverter::FIXED, DoubleToStringConverter::PRECISION};
    bool sign;
    int length = 0;
    DoubleToStringConverter::DoubleToAscii(v, modes[mode], digits, buf, cap, &sign, &length, point);
    return length;
}

double dtoa_parse(const char *s, size_t n, bool *ok) {
    static const StringToDoubleConverter converter(0, 0.0, 0.0, nullptr, nullptr);
    int used = 0;
    double d = converter.StringToDouble(s, static_cast<int>(n), &used);
    *ok = n > 0 && n < 0x7fffffff && used == static_cast<int>(n);
    return d;
}

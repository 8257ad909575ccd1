/* float: immediate for common exponents, boxed otherwise. */
#ifndef POLYGIL_FLOAT_H
#define POLYGIL_FLOAT_H

#include "object/object.h"

typedef struct Float {
    Object hdr;
    double value;
} Float;

Value float_new_slow(double d);
static ALWAYS_INLINE Value float_new(double d) {
    Value v = v_from_double(d);
    return LIKELY(v != ABSENT) ? v : float_new_slow(d);
}
static ALWAYS_INLINE double float_value(Value v) {
    return v_is_flo(v) ? v_flo(v) : ((Float *)v)->value;
} /* v is a float */
Value float_from_str(Value s);                         /* float("...") */
Value float_repr(double d);                            /* shortest form */
double float_parse(const char *s, size_t n, bool *ok); /* whole string, ASCII, underscores removed before */
/* format code r e f g %..., precision, flags as CPython's PyOS_double_to_string: new str. */
Value float_format(double d, char code, int precision, bool alt, bool sign, bool add_dot0);
/* Python's format spec applied (object/format.c). */
Value format_int(Value v, Value spec);
Value format_float(Value v, Value spec);
Value format_str(Value v, Value spec);
Value format_complex(Value v, Value spec);
int64_t float_hash(double d);
double float_floordiv(double a, double b);
double float_mod(double a, double b);

typedef struct Complex {
    Object hdr;
    double re, im;
} Complex;
Value complex_new(double re, double im);

#endif

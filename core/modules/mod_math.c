/* math: the C library's functions with Python's errors. Sums and exact integer functions are in math_exact.c. */
#include <math.h>

#include "math_exact.h"
#include "object/float.h"
#include "object/int.h"
#include "object/tuple.h"

static Value domain_error(void) {
    return err_set(&exc_ValueError, "math domain error");
}
static Value range_error(void) {
    return err_set(&exc_OverflowError, "math range error");
}

/* A NaN made from numbers is a domain error; an infinity made from finite ones a range error where the function can
 * overflow, else a domain error. */
static Value checked(double r, double x, double y, bool can_overflow) {
    if (isnan(r) && !isnan(x) && !isnan(y))
        return domain_error();
    if (isinf(r) && isfinite(x) && isfinite(y))
        return can_overflow ? range_error() : domain_error();
    return float_new(r);
}

#define UNARY(name, expr, overflow)                                                     \
    static Value math_##name(Value self, Value *args, intptr_t nargs, Value kw) {       \
        double x;                                                                       \
        return num_as_double(args[0], &x) < 0 ? ABSENT : checked(expr, x, 0, overflow); \
    }
UNARY(acos, acos(x), false)
UNARY(acosh, acosh(x), false)
UNARY(asin, asin(x), false)
UNARY(asinh, asinh(x), false)
UNARY(atan, atan(x), false)
UNARY(atanh, atanh(x), false)
UNARY(cbrt, cbrt(x), false)
UNARY(cos, cos(x), false)
UNARY(cosh, cosh(x), true)
UNARY(erf, erf(x), false)
UNARY(erfc, erfc(x), false)
UNARY(exp, exp(x), true)
UNARY(exp2, exp2(x), true)
UNARY(expm1, expm1(x), true)
UNARY(fabs, fabs(x), false)
UNARY(log1p, log1p(x), false)
UNARY(sin, sin(x), false)
UNARY(sinh, sinh(x), true)
UNARY(sqrt, sqrt(x), false)
UNARY(tan, tan(x), false)
UNARY(tanh, tanh(x), false)
UNARY(degrees, x * (180.0 / M_PI), false)
UNARY(radians, x *(M_PI / 180.0), false)
UNARY(gamma, x == floor(x) && x <= 0 ? NAN : tgamma(x), true)

static Value math_lgamma(Value self, Value *args, intptr_t nargs, Value kw) {
    double x;
    int sign;
    if (num_as_double(args[0], &x) < 0)
        return ABSENT;
    if (isfinite(x) && x == floor(x) && x <= 0)
        return domain_error();
    return checked(isinf(x) ? HUGE_VAL : lgamma_r(x, &sign), x, 0, true);
}

#define BINARY(name, result)                                                      \
    static Value math_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        double x, y;                                                              \
        if (num_as_double(args[0], &x) < 0 || num_as_double(args[1], &y) < 0)     \
            return ABSENT;                                                        \
        return result;                                                            \
    }
BINARY(atan2, checked(atan2(x, y), x, y, false))
BINARY(copysign, float_new(copysign(x, y)))
BINARY(fmod, checked(fmod(x, y), x, y, false))
BINARY(remainder, checked(remainder(x, y), x, y, false))
BINARY(nextafter, float_new(nextafter(x, y)))

static Value math_pow(Value self, Value *args, intptr_t nargs, Value kw) {
    double x, y;
    if (num_as_double(args[0], &x) < 0 || num_as_double(args[1], &y) < 0)
        return ABSENT;
    double r = pow(x, y);
    return checked(r, x, y, x != 0);
}
static Value math_ulp(Value self, Value *args, intptr_t nargs, Value kw) {
    double x;
    if (num_as_double(args[0], &x) < 0)
        return ABSENT;
    x = fabs(x);
    if (!isfinite(x))
        return float_new(x);
    double up = nextafter(x, HUGE_VAL);
    return float_new(isinf(up) ? x - nextafter(x, 0) : up - x);
}
static Value math_ldexp(Value self, Value *args, intptr_t nargs, Value kw) {
    double x;
    intptr_t e;
    if (num_as_double(args[0], &x) < 0)
        return ABSENT;
    if (!v_is_integer(args[1]))
        return err_set(&exc_TypeError, "Expected an int as second argument to ldexp.");
    if (num_as_index(args[1], &e, NULL) < 0)
        return ABSENT;
    if (x == 0 || !isfinite(x))
        return float_new(x);
    if (e > INT_MAX)
        return range_error();
    return e < INT_MIN ? float_new(copysign(0.0, x)) : checked(ldexp(x, (int)e), x, 0, true);
}
static Value math_frexp(Value self, Value *args, intptr_t nargs, Value kw) {
    double x;
    int e = 0;
    if (num_as_double(args[0], &x) < 0)
        return ABSENT;
    double m = isfinite(x) ? frexp(x, &e) : x;
    Value items[2] = {float_new(m), v_from_int(e)};
    return tuple_from_steal(items, 2);
}
static Value math_modf(Value self, Value *args, intptr_t nargs, Value kw) {
    double x, whole;
    if (num_as_double(args[0], &x) < 0)
        return ABSENT;
    double f = modf(x, &whole);
    Value items[2] = {float_new(f), float_new(whole)};
    return tuple_from_steal(items, 2);
}

#define TEST(name)                                                                \
    static Value math_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        double x;                                                                 \
        return num_as_double(args[0], &x) < 0 ? ABSENT : v_bool(name(x));         \
    }
TEST(isfinite)
TEST(isinf)
TEST(isnan)

static Value math_isclose(Value self, Value *args, intptr_t nargs, Value kw) {
    double a, b, rel = 1e-9, abs_tol = 0;
    if (num_as_double(args[0], &a) < 0 || num_as_double(args[1], &b) < 0 ||
        (arg_at(args, nargs, 2) != ABSENT && num_as_double(args[2], &rel) < 0) ||
        (arg_at(args, nargs, 3) != ABSENT && num_as_double(args[3], &abs_tol) < 0))
        return ABSENT;
    if (rel < 0 || abs_tol < 0)
        return err_set(&exc_ValueError, "tolerances must be non-negative");
    if (a == b)
        return V_TRUE;
    if (isinf(a) || isinf(b))
        return V_FALSE;
    double d = fabs(b - a);
    return v_bool(d <= fabs(rel * b) || d <= fabs(rel * a) || d <= abs_tol);
}

/* floor, ceil, trunc: the type's own method, else the double's. */
static Value rounded(Value v, int sp, double (*fn)(double)) {
    if (!v_is_flo(v)) {
        Value r = obj_call_special(v, sp, NULL, 0);
        if (r != V_MARK)
            return r;
        if (sp == SP_TRUNC)
            return err_set(&exc_TypeError, "type %T doesn't define __trunc__ method", v);
    }
    double x;
    return num_as_double(v, &x) < 0 ? ABSENT : int_from_double(fn(x));
}
static Value math_floor(Value self, Value *args, intptr_t nargs, Value kw) {
    return rounded(args[0], SP_FLOOR, floor);
}
static Value math_ceil(Value self, Value *args, intptr_t nargs, Value kw) {
    return rounded(args[0], SP_CEIL, ceil);
}
static Value math_trunc(Value self, Value *args, intptr_t nargs, Value kw) {
    return rounded(args[0], SP_TRUNC, trunc);
}

/* The logarithm of an int of any size, by its top bits. */
static Value logarithm(Value v, double (*fn)(double)) {
    double x;
    int64_t shift = 0;
    Value top = ABSENT;
    if (v_is_integer(v) && int_sign(v) <= 0)
        return domain_error();
    if (v_is_integer(v) && int_bit_length(v) > 1023) {
        shift = (int64_t)int_bit_length(v) - 64;
        top = int_rshift(v, v_from_int(shift));
        if (top == ABSENT)
            return ABSENT;
    }
    int bad = num_as_double(top == ABSENT ? v : top, &x);
    release(top);
    if (bad < 0)
        return ABSENT;
    if (x <= 0)
        return domain_error();
    /* The top bits as a fraction: nothing of a large x is lost when they are added. */
    return float_new(shift ? fn(ldexp(x, -64)) + (double)(shift + 64) * fn(2.0) : fn(x));
}
static Value math_log2(Value self, Value *args, intptr_t nargs, Value kw) {
    return logarithm(args[0], log2);
}
static Value math_log10(Value self, Value *args, intptr_t nargs, Value kw) {
    return logarithm(args[0], log10);
}
static Value math_log(Value self, Value *args, intptr_t nargs, Value kw) {
    Value num = logarithm(args[0], log);
    if (num == ABSENT || nargs < 2)
        return num;
    Value den = logarithm(args[1], log), r = ABSENT;
    if (den != ABSENT)
        r = float_value(den) == 0 ? err_set(&exc_ZeroDivisionError, "float division by zero")
                                  : float_new(float_value(num) / float_value(den));
    release(num);
    release(den);
    return r;
}

static const NativeDef functions[] = {
    {"acos", math_acos, "($module, x, /)"},
    {"acosh", math_acosh, "($module, x, /)"},
    {"asin", math_asin, "($module, x, /)"},
    {"asinh", math_asinh, "($module, x, /)"},
    {"atan", math_atan, "($module, x, /)"},
    {"atan2", math_atan2, "($module, y, x, /)"},
    {"atanh", math_atanh, "($module, x, /)"},
    {"cbrt", math_cbrt, "($module, x, /)"},
    {"ceil", math_ceil, "($module, x, /)"},
    {"comb", math_comb, "($module, n, k, /)"},
    {"copysign", math_copysign, "($module, x, y, /)"},
    {"cos", math_cos, "($module, x, /)"},
    {"cosh", math_cosh, "($module, x, /)"},
    {"degrees", math_degrees, "($module, x, /)"},
    {"dist", math_dist, "($module, p, q, /)"},
    {"erf", math_erf, "($module, x, /)"},
    {"erfc", math_erfc, "($module, x, /)"},
    {"exp", math_exp, "($module, x, /)"},
    {"exp2", math_exp2, "($module, x, /)"},
    {"expm1", math_expm1, "($module, x, /)"},
    {"fabs", math_fabs, "($module, x, /)"},
    {"factorial", math_factorial, "($module, n, /)"},
    {"floor", math_floor, "($module, x, /)"},
    {"fmod", math_fmod, "($module, x, y, /)"},
    {"frexp", math_frexp, "($module, x, /)"},
    {"fsum", math_fsum, "($module, seq, /)"},
    {"gamma", math_gamma, "($module, x, /)"},
    {"gcd", math_gcd, "($module, *integers)"},
    {"hypot", math_hypot, "($module, *coordinates)"},
    {"isclose", math_isclose, "($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)"},
    {"isfinite", math_isfinite, "($module, x, /)"},
    {"isinf", math_isinf, "($module, x, /)"},
    {"isnan", math_isnan, "($module, x, /)"},
    {"isqrt", math_isqrt, "($module, n, /)"},
    {"lcm", math_lcm, "($module, *integers)"},
    {"ldexp", math_ldexp, "($module, x, i, /)"},
    {"lgamma", math_lgamma, "($module, x, /)"},
    {"log", math_log, "($module, x, base=math.e, /)"},
    {"log10", math_log10, "($module, x, /)"},
    {"log1p", math_log1p, "($module, x, /)"},
    {"log2", math_log2, "($module, x, /)"},
    {"modf", math_modf, "($module, x, /)"},
    {"nextafter", math_nextafter, "($module, x, y, /)"},
    {"perm", math_perm, "($module, n, k=None, /)"},
    {"pow", math_pow, "($module, x, y, /)"},
    {"prod", math_prod, "($module, iterable, /, *, start=1)"},
    {"radians", math_radians, "($module, x, /)"},
    {"remainder", math_remainder, "($module, x, y, /)"},
    {"sin", math_sin, "($module, x, /)"},
    {"sinh", math_sinh, "($module, x, /)"},
    {"sqrt", math_sqrt, "($module, x, /)"},
    {"tan", math_tan, "($module, x, /)"},
    {"tanh", math_tanh, "($module, x, /)"},
    {"trunc", math_trunc, "($module, x, /)"},
    {"ulp", math_ulp, "($module, x, /)"},
    {NULL},
};

static int fill(Value m) {
    return module_add(m, "pi", float_new(M_PI)) < 0 || module_add(m, "e", float_new(M_E)) < 0 ||
                   module_add(m, "tau", float_new(2 * M_PI)) < 0 || module_add(m, "inf", float_new(HUGE_VAL)) < 0 ||
                   module_add(m, "nan", float_new(NAN)) < 0
               ? -1
               : 0;
}

const ModuleSpec module_math = {
    .name = "math",
    .doc = "This module provides access to the mathematical functions\ndefined by the C standard.",
    .functions = functions,
    .exec = fill,
};

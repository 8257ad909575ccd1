/* The type float as Python sees it. */
#include <ctype.h>
#include <float.h>
#include <math.h>

#include "object/bytes.h"
#include "object/float.h"
#include "object/int.h"
#include "object/int_view.h"
#include "object/number_types.h"
#include "object/str.h"
#include "object/tuple.h"

Type float_type;

/* The double of a float or int operand: 1; 0 for other types; -1 with OverflowError. */
static int operand(Value v, double *out) {
    if (v_is_floating(v)) {
        *out = float_value(v);
        return 1;
    }
    if (!v_is_integer(v))
        return 0;
    bool over = false;
    *out = int_to_double(v, &over);
    if (over) {
        err_set(&exc_OverflowError, "int too large to convert to float");
        return -1;
    }
    return 1;
}

typedef Value (*FloatOp)(double, double);
static Value apply(Value self, Value other, FloatOp op, bool reflected) {
    double a = float_value(self), b;
    int r = operand(other, &b);
    if (r <= 0)
        return r < 0 ? ABSENT : V_NOTIMPL;
    return reflected ? op(b, a) : op(a, b);
}

void errno_overflow(void) {
    Value e = obj_call2(V_OF(&exc_OverflowError), v_from_int(34), ID("Numerical result out of range"));
    if (e != ABSENT)
        err_raise(e);
}

static Value op_add(double a, double b) {
    return float_new(a + b);
}
static Value op_sub(double a, double b) {
    return float_new(a - b);
}
static Value op_mul(double a, double b) {
    return float_new(a * b);
}
static Value op_truediv(double a, double b) {
    return b == 0 ? err_set(&exc_ZeroDivisionError, "float division by zero") : float_new(a / b);
}
static Value op_floordiv(double a, double b) {
    return b == 0 ? err_set(&exc_ZeroDivisionError, "float floor division by zero") : float_new(float_floordiv(a, b));
}
static Value op_mod(double a, double b) {
    return b == 0 ? err_set(&exc_ZeroDivisionError, "float modulo") : float_new(float_mod(a, b));
}
static Value op_divmod(double a, double b) {
    if (b == 0)
        return err_set(&exc_ZeroDivisionError, "float divmod()");
    Value items[2] = {float_new(float_floordiv(a, b)), float_new(float_mod(a, b))};
    return tuple_from_steal(items, 2);
}
static Value op_pow(double a, double b) {
    if (a == 0 && b < 0 && isfinite(b))
        return err_set(&exc_ZeroDivisionError, "0.0 cannot be raised to a negative power");
    if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b)) {
        Value x = complex_new(a, 0), y = complex_new(b, 0), r = num_binary(SP_POW, x, y);
        release(x);
        release(y);
        return r;
    }
    double d = pow(a, b);
    if (isinf(d) && isfinite(a) && isfinite(b))
        return errno_overflow(), ABSENT;
    return float_new(d);
}

#define FLOAT_BINARY(name)                                                              \
    static Value float_##name##_m(Value self, Value *args, intptr_t nargs, Value kw) {  \
        return apply(self, args[0], op_##name, false);                                  \
    }                                                                                   \
    static Value float_r##name##_m(Value self, Value *args, intptr_t nargs, Value kw) { \
        return apply(self, args[0], op_##name, true);                                   \
    }
FLOAT_BINARY(add)
FLOAT_BINARY(sub)
FLOAT_BINARY(mul)
FLOAT_BINARY(truediv)
FLOAT_BINARY(floordiv)
FLOAT_BINARY(mod)
FLOAT_BINARY(divmod)

static Value pow_checked(Value self, Value *args, intptr_t nargs, bool reflected) {
    Value mod = arg_at(args, nargs, 1);
    if (mod != ABSENT && mod != V_NONE)
        return err_set(&exc_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
    return apply(self, args[0], op_pow, reflected);
}
static Value float_pow_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return pow_checked(self, args, nargs, false);
}
static Value float_rpow_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return pow_checked(self, args, nargs, true);
}

int float_compare_int(double d, Value i) {
    if (isnan(d))
        return 2;
    if (isinf(d))
        return d < 0 ? -1 : 1;
    int64_t small;
    if (int_to_i64(i, &small) == 0 && small <= ((int64_t)1 << 53) && small >= -((int64_t)1 << 53))
        return d<(double)small ? -1 : d>(double) small;
    if (fabs(d) < 9007199254740992.0)
        return int_sign(i) > 0 ? -1 : 1;
    Value whole = int_from_double(d); /* |d| >= 2^53: integral */
    if (whole == ABSENT)
        return 3;
    int c = int_cmp(whole, i);
    release(whole);
    return c;
}

static Value compare(Value self, Value other, int op) {
    double a = float_value(self);
    int c;
    if (v_is_floating(other)) {
        double b = float_value(other);
        c = isnan(a) || isnan(b) ? 2 : a < b ? -1 : a > b;
    } else if (v_is_integer(other)) {
        c = float_compare_int(a, other);
        if (c == 3)
            return ABSENT;
    } else {
        return V_NOTIMPL;
    }
    if (c == 2)
        return v_bool(op == CMP_NE);
    switch (op) {
    case CMP_LT:
        return v_bool(c < 0);
    case CMP_LE:
        return v_bool(c <= 0);
    case CMP_EQ:
        return v_bool(c == 0);
    case CMP_NE:
        return v_bool(c != 0);
    case CMP_GT:
        return v_bool(c > 0);
    default:
        return v_bool(c >= 0);
    }
}
#define FLOAT_COMPARE(name, op)                                                        \
    static Value float_##name##_m(Value self, Value *args, intptr_t nargs, Value kw) { \
        return compare(self, args[0], op);                                             \
    }
FLOAT_COMPARE(lt, CMP_LT)
FLOAT_COMPARE(le, CMP_LE)
FLOAT_COMPARE(eq, CMP_EQ)
FLOAT_COMPARE(ne, CMP_NE)
FLOAT_COMPARE(gt, CMP_GT)
FLOAT_COMPARE(ge, CMP_GE)

static Value float_neg_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return float_new(-float_value(self));
}
static Value float_pos_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return float_new(float_value(self));
}
static Value float_abs_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return float_new(fabs(float_value(self)));
}
static Value float_bool_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(float_value(self) != 0);
}
static Value float_hash_m(Value self, Value *args, intptr_t nargs, Value kw) {
    double d = float_value(self);
    /* NaNs are unequal to one another: hash them by identity, so that many of them do not collide. */
    int64_t h = isnan(d) ? (int64_t)(obj_id(self) & INT_IMM_MAX) : float_hash(d);
    return int_from_i64(h == -1 ? -2 : h);
}
static Value float_repr_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return float_repr(float_value(self));
}
static Value float_int_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_double(float_value(self));
}
static Value float_floor_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_double(floor(float_value(self)));
}
static Value float_ceil_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_double(ceil(float_value(self)));
}
static Value float_is_integer_m(Value self, Value *args, intptr_t nargs, Value kw) {
    double d = float_value(self);
    return v_bool(isfinite(d) && floor(d) == d);
}

static Value float_round_m(Value self, Value *args, intptr_t nargs, Value kw) {
    double d = float_value(self);
    Value nd = arg_at(args, nargs, 0);
    if (nd == ABSENT || nd == V_NONE)
        return int_from_double(isfinite(d) ? nearbyint(d) : d);
    intptr_t n;
    if (num_as_index(nd, &n, NULL) < 0)
        return ABSENT;
    if (!isfinite(d) || n > 323)
        return float_new(d);
    if (n < -308)
        return float_new(copysign(0.0, d));
    /* Correct rounding by way of decimal text. */
    if (n >= 0) {
        Value s = float_format(d, 'f', (int)n, false, false, false);
        if (s == ABSENT)
            return ABSENT;
        bool ok;
        double r = float_parse(str_data(s), (size_t)str_len(s), &ok);
        release(s);
        return float_new(r);
    }
    double p = pow(10.0, (double)-n), y = d / p, r = nearbyint(y);
    /* Division may have rounded onto a tie: decide it exactly with the remainder. */
    if (fabs(y - floor(y) - 0.5) < 1e-6) {
        double m = fmod(fabs(d), p), q = (fabs(d) - m) / p;
        if (m * 2 > p || (m * 2 == p && fmod(q, 2.0) != 0))
            q += 1;
        r = copysign(q, d);
    }
    r *= p;
    return isinf(r) ? err_set(&exc_OverflowError, "rounded value too large to represent") : float_new(r);
}

static Value float_format_m(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "__format__() argument must be str, not %T", args[0]);
    return format_float(self, args[0]);
}

static Value float_ratio_m(Value self, Value *args, intptr_t nargs, Value kw) {
    double d = float_value(self);
    if (isinf(d))
        return err_set(&exc_OverflowError, "cannot convert Infinity to integer ratio");
    if (isnan(d))
        return err_set(&exc_ValueError, "cannot convert NaN to integer ratio");
    int e;
    double m = frexp(d, &e);
    for (int i = 0; i < 300 && m != floor(m); i++) {
        m *= 2;
        e--;
    }
    Value num = int_from_double(m), den = v_from_int(1);
    if (num == ABSENT)
        return ABSENT;
    Value *side = e > 0 ? &num : &den, shifted = int_lshift(*side, v_from_int(e < 0 ? -e : e));
    release(*side);
    *side = shifted;
    if (shifted == ABSENT) {
        release(e > 0 ? den : num);
        return ABSENT;
    }
    Value items[2] = {num, den};
    return tuple_from_steal(items, 2);
}

static Value float_hex_m(Value self, Value *args, intptr_t nargs, Value kw) {
    double d = float_value(self);
    if (!isfinite(d))
        return float_repr(d);
    const char *sign = signbit(d) ? "-" : "";
    if (d == 0)
        return str_format_c("%s0x0.0p+0", sign);
    int e;
    double m = frexp(fabs(d), &e);
    int shift = 1 - (DBL_MIN_EXP - e > 0 ? DBL_MIN_EXP - e : 0);
    m = ldexp(m, shift);
    e -= shift;
    char digits[16];
    int lead = (int)m;
    m -= lead;
    for (int i = 0; i < 13; i++) {
        m *= 16;
        digits[i] = "0123456789abcdef"[(int)m];
        m -= (int)m;
    }
    digits[13] = 0;
    return str_format_c("%s0x%d.%sp%s%d", sign, lead, digits, e < 0 ? "-" : "+", e < 0 ? -e : e);
}

/* [sign] ["0x"] digits ["." digits] ["p" exponent]: false when it is anything else. */
static bool hex_parse(const char *s, const char *end, double *out) {
    bool negative = s < end && *s == '-', point = false, any = false;
    if (s < end && (*s == '-' || *s == '+'))
        s++;
    if (end - s >= 2 && s[0] == '0' && (s[1] | 32) == 'x')
        s += 2;
    uint64_t m = 0;
    int64_t e = 0;
    for (; s < end && (isxdigit((unsigned char)*s) || (*s == '.' && !point)); s++) {
        if (*s == '.') {
            point = true;
            continue;
        }
        any = true;
        unsigned digit = *s <= '9' ? (unsigned)(*s - '0') : (unsigned)(*s | 32) - 'a' + 10;
        if (m >> 58 == 0) {
            m = m << 4 | digit;
            e -= point ? 4 : 0;
        } else { /* beyond the digits that count, but for whether they are 0 */
            m |= digit != 0;
            e += point ? 0 : 4;
        }
    }
    if (!any)
        return false;
    if (s < end && (*s | 32) == 'p') {
        bool minus = ++s < end && *s == '-';
        if (s < end && (*s == '-' || *s == '+'))
            s++;
        if (s == end)
            return false;
        int64_t x = 0;
        for (; s < end && isdigit((unsigned char)*s); s++)
            x = MIN(x * 10 + (*s - '0'), (int64_t)1 << 40);
        e += minus ? -x : x;
    }
    double d = int_round_scaled(m, e); /* (glibc's strtod rounds some subnormal numbers wrongly) */
    *out = negative ? -d : d;
    return s == end;
}

static Value float_fromhex_m(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "bad argument type for built-in operation");
    size_t n;
    const char *s = str_utf8(args[0], &n);
    if (!s)
        return ABSENT;
    const char *end = s + n;
    while (s < end && isspace((unsigned char)*s))
        s++;
    while (end > s && isspace((unsigned char)end[-1]))
        end--;
    bool ok;
    double d = float_parse(s, (size_t)(end - s), &ok);
    if (!ok || isfinite(d)) {
        if (!hex_parse(s, end, &d))
            return err_set(&exc_ValueError, "invalid hexadecimal floating-point string");
        if (isinf(d))
            return err_set(&exc_OverflowError, "hexadecimal value too large to represent as a float");
    }
    Value v = float_new(d);
    if (v == ABSENT || cls == V_OF(&float_type))
        return v;
    Value r = obj_call1(cls, v);
    release(v);
    return r;
}

static Value float_of_object(Value x) {
    if (v_is_flo(x) || v_is_exact(x, IDX_FLOAT))
        return retained(x);
    if (v_is_exact(x, IDX_STR))
        return float_from_str(x);
    Value r = obj_call_special(x, SP_FLOAT, NULL, 0);
    if (r != V_MARK) {
        if (r == ABSENT || v_is_flo(r) || v_is_exact(r, IDX_FLOAT))
            return r;
        if (!v_is_floating(r)) {
            err_set(&exc_TypeError, "%T.__float__ returned non-float (type %T)", x, r);
            release(r);
            return ABSENT;
        }
        if (err_warn(
                &exc_DeprecationWarning, 1,
                "%T.__float__ returned non-float (type %T).  The ability to return an instance of a strict subclass "
                "of float is deprecated, and may not be supported in a future version of Python.",
                x, r) < 0) {
            release(r);
            return ABSENT;
        }
        Value plain = float_new(float_value(r));
        release(r);
        return plain;
    }
    if (v_is_index(x)) {
        double d;
        return num_as_double(x, &d) < 0 ? ABSENT : float_new(d);
    }
    if (v_is_buffer(x)) {
        Buffer b;
        if (buffer_get(x, &b, false) < 0)
            return ABSENT;
        Value s = str_from_utf8_lossy(b.data, (size_t)b.len);
        buffer_release(&b);
        if (s == ABSENT)
            return ABSENT;
        Value f = float_from_str(s);
        release(s);
        if (f == ABSENT && err_matches(&exc_ValueError)) {
            err_clear();
            err_set(&exc_ValueError, "could not convert string to float: %R", x);
        }
        return f;
    }
    if (v_is_str(x))
        return float_from_str(x);
    return err_set(&exc_TypeError, "float() argument must be a string or a real number, not '%T'", x);
}

static Value float_new_m(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value v = nargs ? float_of_object(args[0]) : FLOAT_ZERO;
    if (v == ABSENT || cls == V_OF(&float_type))
        return v;
    Value self = obj_new((Type *)cls);
    if (self != ABSENT)
        ((Float *)self)->value = float_value(v);
    release(v);
    return self;
}

static Value float_getnewargs_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = float_new(float_value(self));
    return v == ABSENT ? ABSENT : tuple_from_steal(&v, 1);
}
static Value float_getformat_m(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "__getformat__() argument must be str, not %T", args[0]);
    if (str_equal_c(args[0], "double") || str_equal_c(args[0], "float"))
        return str_from_c("IEEE, little-endian");
    return err_set(&exc_ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
}
static Value float_real(Value self) {
    return float_new(float_value(self));
}
static Value float_imag(Value self) {
    return FLOAT_ZERO;
}

#define BINARY_DEF(name) \
    {"__" #name "__", float_##name##_m, "($self, value, /)"}, {"__r" #name "__", float_r##name##_m, "($self, value, /)"}
static const NativeDef methods[] = {
    {"__new__", float_new_m, "($type, x=0, /)", NF_STATIC},
    BINARY_DEF(add),
    BINARY_DEF(sub),
    BINARY_DEF(mul),
    BINARY_DEF(truediv),
    BINARY_DEF(floordiv),
    BINARY_DEF(mod),
    BINARY_DEF(divmod),
    {"__pow__", float_pow_m, "($self, value, mod=None, /)"},
    {"__rpow__", float_rpow_m, "($self, value, mod=None, /)"},
    {"__lt__", float_lt_m, "($self, value, /)"},
    {"__le__", float_le_m, "($self, value, /)"},
    {"__eq__", float_eq_m, "($self, value, /)"},
    {"__ne__", float_ne_m, "($self, value, /)"},
    {"__gt__", float_gt_m, "($self, value, /)"},
    {"__ge__", float_ge_m, "($self, value, /)"},
    {"__neg__", float_neg_m, "($self, /)"},
    {"__pos__", float_pos_m, "($self, /)"},
    {"__abs__", float_abs_m, "($self, /)"},
    {"__bool__", float_bool_m, "($self, /)"},
    {"__hash__", float_hash_m, "($self, /)"},
    {"__repr__", float_repr_m, "($self, /)"},
    {"__int__", float_int_m, "($self, /)"},
    {"__float__", float_pos_m, "($self, /)"},
    {"__trunc__", float_int_m, "($self, /)"},
    {"__floor__", float_floor_m, "($self, /)"},
    {"__ceil__", float_ceil_m, "($self, /)"},
    {"__round__", float_round_m, "($self, ndigits=None, /)"},
    {"__format__", float_format_m, "($self, format_spec, /)"},
    {"__getnewargs__", float_getnewargs_m, "($self, /)"},
    {"__getformat__", float_getformat_m, "($type, typestr, /)", NF_CLASS},
    {"conjugate", float_pos_m, "($self, /)"},
    {"is_integer", float_is_integer_m, "($self, /)"},
    {"as_integer_ratio", float_ratio_m, "($self, /)"},
    {"hex", float_hex_m, "($self, /)"},
    {"fromhex", float_fromhex_m, "($type, string, /)", NF_CLASS},
    {NULL},
};
static const GetSetDef getsets[] = {
    {"real", float_real, NULL, "the real part of a complex number"},
    {"imag", float_imag, NULL, "the imaginary part of a complex number"},
    {NULL},
};

void float_init(void) {
    static const TypeSpec spec = {
        .name = "float",
        .doc = "Convert a string or number to a floating point number, if possible.",
        .basic_size = sizeof(Float),
        .flags = TF_BASETYPE | TF_FLOAT | TF_IMMUTABLE | TF_UNTRACKED,
        .methods = methods,
        .getsets = getsets,
    };
    type_init_static(&float_type, IDX_FLOAT, &spec);
}

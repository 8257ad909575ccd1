/* The type complex. */
#include <complex.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "object/float.h"
#include "object/int.h"
#include "object/number_types.h"
#include "object/str.h"
#include "object/tuple.h"

Type complex_type;

Value complex_new(double re, double im) {
    Value v = obj_new(&complex_type);
    if (v != ABSENT) {
        ((Complex *)v)->re = re;
        ((Complex *)v)->im = im;
    }
    return v;
}

typedef struct {
    double re, im;
} C;

static bool is_complex(Value v) {
    return v_is_obj(v) && type_is_subtype(type_of(v), &complex_type);
}

/* 1, 0: not a number that complex takes, -1. */
static int operand(Value v, C *out) {
    if (is_complex(v)) {
        *out = (C){((Complex *)v)->re, ((Complex *)v)->im};
        return 1;
    }
    out->im = 0;
    if (v_is_floating(v)) {
        out->re = float_value(v);
        return 1;
    }
    if (!v_is_integer(v))
        return 0;
    bool over = false;
    out->re = int_to_double(v, &over);
    if (over) {
        err_set(&exc_OverflowError, "int too large to convert to float");
        return -1;
    }
    return 1;
}

static Value op_add(C a, C b) {
    return complex_new(a.re + b.re, a.im + b.im);
}
static Value op_sub(C a, C b) {
    return complex_new(a.re - b.re, a.im - b.im);
}
static C product(C a, C b) {
    return (C){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
static Value op_mul(C a, C b) {
    C p = product(a, b);
    return complex_new(p.re, p.im);
}
/* Smith's method: divides by the larger component, so that nothing overflows needlessly. False for division by zero. */
static bool quotient(C a, C b, C *out) {
    double are = fabs(b.re), aim = fabs(b.im);
    if (are >= aim) {
        if (are == 0)
            return false;
        double ratio = b.im / b.re, denom = b.re + b.im * ratio;
        *out = (C){(a.re + a.im * ratio) / denom, (a.im - a.re * ratio) / denom};
    } else if (aim >= are) {
        double ratio = b.re / b.im, denom = b.re * ratio + b.im;
        *out = (C){(a.re * ratio + a.im) / denom, (a.im * ratio - a.re) / denom};
    } else {
        *out = (C){NAN, NAN};
    }
    return true;
}
static Value op_truediv(C a, C b) {
    C q;
    return quotient(a, b, &q) ? complex_new(q.re, q.im) : err_set(&exc_ZeroDivisionError, "complex division by zero");
}
static Value op_pow(C a, C b) {
    C r = {1, 0};
    if (b.re == 0 && b.im == 0)
        return complex_new(1, 0);
    if (a.re == 0 && a.im == 0) {
        if (b.im != 0 || b.re < 0)
            return err_set(&exc_ZeroDivisionError, "0.0 to a negative or complex power");
        return complex_new(0, 0);
    }
    if (b.im == 0 && b.re == floor(b.re) && fabs(b.re) <= 100) {
        int n = (int)fabs(b.re);
        C p = a;
        for (; n; n >>= 1, p = product(p, p))
            if (n & 1)
                r = product(r, p);
        if (b.re < 0 && !quotient((C){1, 0}, r, &r))
            return err_set(&exc_ZeroDivisionError, "0.0 to a negative or complex power");
    } else {
        double abs = hypot(a.re, a.im), len = pow(abs, b.re), at = atan2(a.im, a.re), phase = at * b.re;
        if (b.im != 0) {
            len *= exp(-at * b.im);
            phase += b.im * log(abs);
        }
        r = (C){len * cos(phase), len * sin(phase)};
    }
    if (isfinite(a.re) && isfinite(a.im) && isfinite(b.re) && isfinite(b.im) && (isinf(r.re) || isinf(r.im)))
        return err_set(&exc_OverflowError, "complex exponentiation");
    return complex_new(r.re, r.im);
}

static Value apply(Value self, Value other, Value (*op)(C, C), bool reflected) {
    C a = {0, 0}, b = {0, 0};
    operand(self, &a);
    int r = operand(other, &b);
    if (r <= 0)
        return r < 0 ? ABSENT : V_NOTIMPL;
    return reflected ? op(b, a) : op(a, b);
}
#define COMPLEX_BINARY(name)                                                              \
    static Value complex_##name##_m(Value self, Value *args, intptr_t nargs, Value kw) {  \
        return apply(self, args[0], op_##name, false);                                    \
    }                                                                                     \
    static Value complex_r##name##_m(Value self, Value *args, intptr_t nargs, Value kw) { \
        return apply(self, args[0], op_##name, true);                                     \
    }
COMPLEX_BINARY(add)
COMPLEX_BINARY(sub)
COMPLEX_BINARY(mul)
COMPLEX_BINARY(truediv)
COMPLEX_BINARY(pow)

static Value compare(Value self, Value other, bool want) {
    C a = {0, 0};
    operand(self, &a);
    bool equal;
    if (v_is_integer(other)) {
        int c = a.im == 0 ? float_compare_int(a.re, other) : 2;
        if (c == 3)
            return ABSENT;
        equal = c == 0;
    } else {
        C b;
        int r = operand(other, &b);
        if (r <= 0)
            return r < 0 ? ABSENT : V_NOTIMPL;
        equal = a.re == b.re && a.im == b.im;
    }
    return v_bool(equal == want);
}
static Value complex_eq_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], true);
}
static Value complex_ne_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], false);
}

static Value complex_neg_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    return complex_new(-c->re, -c->im);
}
static Value complex_pos_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    return v_is_exact(self, IDX_COMPLEX) ? retained(self) : complex_new(c->re, c->im);
}
static Value complex_conjugate_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    return complex_new(c->re, -c->im);
}
static Value complex_abs_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    double d = hypot(c->re, c->im);
    if (isinf(d) && isfinite(c->re) && isfinite(c->im))
        return err_set(&exc_OverflowError, "absolute value too large");
    return float_new(d);
}
static Value complex_bool_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    return v_bool(c->re != 0 || c->im != 0);
}
static Value complex_hash_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    uint64_t h = (uint64_t)float_hash(c->re) + 1000003u * (uint64_t)float_hash(c->im);
    int64_t r = (int64_t)h;
    return int_from_i64(r == -1 ? -2 : r);
}
static Value complex_repr_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    bool real = c->re != 0 || signbit(c->re);
    Value im = float_format(c->im, 'r', 0, false, real, false), re = ABSENT, s = ABSENT;
    if (im == ABSENT)
        return ABSENT;
    if (!real) {
        s = str_format_c("%Sj", im);
    } else {
        re = float_format(c->re, 'r', 0, false, false, false);
        if (re != ABSENT)
            s = str_format_c("(%S%Sj)", re, im);
    }
    release(re);
    release(im);
    return s;
}
static Value complex_complex_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return complex_pos_m(self, args, nargs, kw);
}
static Value complex_format_m(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "__format__() argument must be str, not %T", args[0]);
    return format_complex(self, args[0]);
}
static Value complex_getnewargs_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Complex *c = (Complex *)self;
    Value items[2] = {float_new(c->re), float_new(c->im)};
    return tuple_from_steal(items, 2);
}

/* The longest prefix of p that is a float: its end, or p. */
static const char *scan_float(const char *p, const char *end, double *out) {
    const char *q = p;
    if (q < end && (*q == '+' || *q == '-'))
        q++;
    const char *start = q;
    while (q < end && (isalnum((unsigned char)*q) || *q == '.' || *q == '_' ||
                       ((*q == '+' || *q == '-') && q > start && (q[-1] | 32) == 'e')))
        q++;
    /* Give back letters (the j) until what is left reads as a number. */
    for (; q > start; q--) {
        char buf[400];
        size_t n = 0;
        bool ok = true;
        for (const char *s = p; s < q && n < sizeof buf; s++) {
            if (*s != '_')
                buf[n++] = *s;
            else if (s == p || s + 1 == q || !isdigit((unsigned char)s[-1]) || !isdigit((unsigned char)s[1]))
                ok = false;
        }
        if (!ok || n >= sizeof buf)
            continue;
        *out = float_parse(buf, n, &ok);
        if (ok)
            return q;
    }
    return p;
}

static Value complex_from_str(Value s) {
    size_t n;
    char *text = str_is_ascii(s) ? strndup(str_data(s), (size_t)str_len(s)) : NULL;
    if (!text)
        return err_set(&exc_ValueError, "complex() arg is a malformed string");
    n = strlen(text);
    const char *p = text, *end = text + n;
    double re = 0, im = 0, d;
    bool ok = false, paren = false;
    while (p < end && isspace((unsigned char)*p))
        p++;
    while (end > p && isspace((unsigned char)end[-1]))
        end--;
    if (p < end && *p == '(') {
        paren = true;
        if (end[-1] != ')')
            goto done;
        p++;
        end--;
        while (p < end && isspace((unsigned char)*p))
            p++;
        while (end > p && isspace((unsigned char)end[-1]))
            end--;
    }
    (void)paren;
    const char *q = scan_float(p, end, &d);
    if (q == p) {
        /* "j", "+j", "-j" */
        d = p < end && *p == '-' ? -1 : 1;
        q = p + (p < end && (*p == '+' || *p == '-'));
        if (q + 1 == end && (*q | 32) == 'j') {
            im = d;
            ok = true;
        }
        goto done;
    }
    if (q == end) {
        re = d;
        ok = true;
    } else if ((*q | 32) == 'j') {
        im = d;
        ok = q + 1 == end;
    } else if (*q == '+' || *q == '-') {
        re = d;
        p = q;
        q = scan_float(p, end, &im);
        if (q == p) {
            im = *p == '-' ? -1 : 1;
            q = p + 1;
        }
        ok = q + 1 == end && (*q | 32) == 'j';
    }
done:
    free(text);
    return ok ? complex_new(re, im) : err_set(&exc_ValueError, "complex() arg is a malformed string");
}

/* The complex value of a constructor argument: 1, or -1. *was_complex tells whether the imaginary part counts. */
static int convert(Value v, C *out, bool *was_complex, const char *which) {
    *was_complex = false;
    if (is_complex(v)) {
        *was_complex = true;
        return operand(v, out);
    }
    Value c = which[0] == 'f' ? obj_call_special(v, SP_COMPLEX, NULL, 0) : V_MARK;
    if (c == ABSENT)
        return -1;
    if (c != V_MARK) {
        if (!is_complex(c)) {
            err_set(&exc_TypeError, "%T.__complex__ returned non-complex (type %T)", v, c);
            release(c);
            return -1;
        }
        operand(c, out);
        release(c);
        *was_complex = true;
        return 1;
    }
    out->im = 0;
    if (!v_is_floating(v) && type_special(type_of(v), SP_FLOAT) == ABSENT && !v_is_index(v)) {
        err_set(&exc_TypeError,
                which[0] == 'f' ? "complex() first argument must be a string or a number, not '%T'"
                                : "complex() second argument must be a number, not '%T'",
                v);
        return -1;
    }
    return num_as_double(v, &out->re) < 0 ? -1 : 1;
}

static Value complex_new_m(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value real = arg_at(args, nargs, 0), imag = arg_at(args, nargs, 1), v;
    if (real != ABSENT && v_is_str(real)) {
        if (imag != ABSENT)
            return err_set(&exc_TypeError, "complex() can't take second arg if first is a string");
        v = complex_from_str(real);
    } else if (imag != ABSENT && v_is_str(imag)) {
        return err_set(&exc_TypeError, "complex() second arg can't be a string");
    } else if (real != ABSENT && imag == ABSENT && v_is_exact(real, IDX_COMPLEX)) {
        v = retained(real);
    } else {
        C a = {0, 0}, b = {0, 0};
        bool ac = false, bc = false;
        if (real != ABSENT && convert(real, &a, &ac, "first") < 0)
            return ABSENT;
        if (imag != ABSENT && convert(imag, &b, &bc, "second") < 0)
            return ABSENT;
        double re = bc ? a.re - b.im : a.re, im = imag == ABSENT ? a.im : ac ? a.im + b.re : b.re;
        v = complex_new(re, im);
    }
    if (v == ABSENT || cls == V_OF(&complex_type))
        return v;
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        ((Complex *)self)->re = ((Complex *)v)->re;
        ((Complex *)self)->im = ((Complex *)v)->im;
    }
    release(v);
    return self;
}

static Value complex_real(Value self) {
    return float_new(((Complex *)self)->re);
}
static Value complex_imag(Value self) {
    return float_new(((Complex *)self)->im);
}

#define BINARY_DEF(name)                                        \
    {"__" #name "__", complex_##name##_m, "($self, value, /)"}, \
        {"__r" #name "__", complex_r##name##_m, "($self, value, /)"}
static const NativeDef methods[] = {
    {"__new__", complex_new_m, "($type, real=0, imag=0)", NF_STATIC},
    BINARY_DEF(add),
    BINARY_DEF(sub),
    BINARY_DEF(mul),
    BINARY_DEF(truediv),
    {"__pow__", complex_pow_m, "($self, value, mod=None, /)"},
    {"__rpow__", complex_rpow_m, "($self, value, mod=None, /)"},
    {"__eq__", complex_eq_m, "($self, value, /)"},
    {"__ne__", complex_ne_m, "($self, value, /)"},
    {"__neg__", complex_neg_m, "($self, /)"},
    {"__pos__", complex_pos_m, "($self, /)"},
    {"__abs__", complex_abs_m, "($self, /)"},
    {"__bool__", complex_bool_m, "($self, /)"},
    {"__hash__", complex_hash_m, "($self, /)"},
    {"__repr__", complex_repr_m, "($self, /)"},
    {"__complex__", complex_complex_m, "($self, /)"},
    {"__format__", complex_format_m, "($self, format_spec, /)"},
    {"__getnewargs__", complex_getnewargs_m, "($self, /)"},
    {"conjugate", complex_conjugate_m, "($self, /)"},
    {NULL},
};
static const GetSetDef getsets[] = {
    {"real", complex_real, NULL, "the real part of a complex number"},
    {"imag", complex_imag, NULL, "the imaginary part of a complex number"},
    {NULL},
};

void complex_init(void) {
    static const TypeSpec spec = {
        .name = "complex",
        .doc =
            "Create a complex number from a real part and an optional imaginary part.\n\nThis is equivalent to (real + "
            "imag*1j) where imag defaults to 0.",
        .basic_size = sizeof(Complex),
        .flags = TF_BASETYPE | TF_IMMUTABLE | TF_UNTRACKED,
        .methods = methods,
        .getsets = getsets,
    };
    type_init_static(&complex_type, IDX_COMPLEX, &spec);
}

/* The types int and bool as Python sees them. */
#include "object/int_type.h"

#include "object/bytes.h"
#include "object/float.h"
#include "object/int_text.h"
#include "object/int_view.h"
#include "object/str.h"
#include "object/tuple.h"

Type int_type, bool_type;

/* Binary operators: NotImplemented unless the other operand is an int too. */
#define INT_BINARY(name, fn)                                                          \
    static Value int_##name##_m(Value self, Value *args, intptr_t nargs, Value kw) {  \
        return v_is_integer(args[0]) ? fn(self, args[0]) : V_NOTIMPL;                 \
    }                                                                                 \
    static Value int_r##name##_m(Value self, Value *args, intptr_t nargs, Value kw) { \
        return v_is_integer(args[0]) ? fn(args[0], self) : V_NOTIMPL;                 \
    }
static Value int_divmod_tuple(Value a, Value b) {
    Value q, r;
    if (int_divmod(a, b, &q, &r) < 0)
        return ABSENT;
    Value items[2] = {q, r};
    return tuple_from_steal(items, 2);
}
INT_BINARY(add, int_add)
INT_BINARY(sub, int_sub)
INT_BINARY(mul, int_mul)
INT_BINARY(floordiv, int_floordiv)
INT_BINARY(mod, int_mod)
INT_BINARY(truediv, int_truediv)
INT_BINARY(divmod, int_divmod_tuple)
INT_BINARY(lshift, int_lshift)
INT_BINARY(rshift, int_rshift)
INT_BINARY(and, int_and)
INT_BINARY(or, int_or)
INT_BINARY(xor, int_xor)

static Value int_pow_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Value mod = arg_at(args, nargs, 1);
    if (!v_is_integer(args[0]) || (mod != ABSENT && mod != V_NONE && !v_is_integer(mod)))
        return V_NOTIMPL;
    return int_pow(self, args[0], mod);
}
static Value int_rpow_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_is_integer(args[0]) ? int_pow(args[0], self, ABSENT) : V_NOTIMPL;
}

#define INT_COMPARE(name, op)                                                           \
    static Value int_##name##_m(Value self, Value *args, intptr_t nargs, Value kw) {    \
        return v_is_integer(args[0]) ? v_bool(int_cmp(self, args[0]) op 0) : V_NOTIMPL; \
    }
INT_COMPARE(lt, <)
INT_COMPARE(le, <=)
INT_COMPARE(eq, ==)
INT_COMPARE(ne, !=)
INT_COMPARE(gt, >)
INT_COMPARE(ge, >=)

static Value int_neg_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_neg(self);
}
static Value int_invert_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_invert(self);
}
static Value int_self_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(int_plain(self));
}
static Value int_abs_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_sign(self) < 0 ? int_neg(self) : retained(int_plain(self));
}
static Value int_bool_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(int_sign(self) != 0);
}
static Value int_hash_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_i64(int_hash(self));
}
static Value int_repr_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_to_str(self, 10, false);
}
static Value int_float_m(Value self, Value *args, intptr_t nargs, Value kw) {
    bool over = false;
    double d = int_to_double(self, &over);
    return over ? err_set(&exc_OverflowError, "int too large to convert to float") : float_new(d);
}
static Value int_format_m(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "__format__() argument must be str, not %T", args[0]);
    return format_int(self, args[0]);
}

static Value int_round_m(Value self, Value *args, intptr_t nargs, Value kw) {
    Value nd = arg_at(args, nargs, 0);
    if (nd == ABSENT || nd == V_NONE)
        return retained(int_plain(self));
    nd = num_index(nd);
    if (nd == ABSENT)
        return ABSENT;
    if (int_sign(nd) >= 0) {
        release(nd);
        return retained(int_plain(self));
    }
    /* round(self, -n): the multiple of 10**n nearest to self, ties to the even multiple. */
    Value minus = int_neg(nd), ten = ABSENT, q = ABSENT, r = ABSENT, out = ABSENT;
    release(nd);
    if (minus != ABSENT)
        ten = int_pow(v_from_int(10), minus, ABSENT);
    if (ten == ABSENT || int_divmod(self, ten, &q, &r) < 0)
        goto done;
    Value twice = int_lshift(r, v_from_int(1));
    if (twice == ABSENT)
        goto done;
    int c = int_cmp(twice, ten);
    release(twice);
    IntView qv;
    int_view(q, &qv);
    bool up = c > 0 || (c == 0 && qv.n && (qv.p[0] & 1));
    Value t = int_sub(self, r);
    if (t != ABSENT && up) {
        out = int_add(t, ten);
        release(t);
    } else {
        out = t;
    }
done:
    release(minus);
    release(ten);
    release(q);
    release(r);
    return out;
}

static Value int_bit_length_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return int_from_i64((int64_t)int_bit_length(self));
}
static Value int_bit_count_m(Value self, Value *args, intptr_t nargs, Value kw) {
    IntView a;
    int_view(self, &a);
    return int_from_u64(a.n ? mpn_popcount(a.p, a.n) : 0);
}
static Value int_ratio_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return tuple_pack(2, int_plain(self), v_from_int(1));
}
static Value int_getnewargs_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return tuple_pack(1, int_plain(self));
}
static Value int_sizeof_m(Value self, Value *args, intptr_t nargs, Value kw) {
    IntView a;
    Value p = int_plain(self);
    if (v_is_int(p))
        return v_from_int(p == self || v_is_const(self) ? 8 : (int64_t)sizeof(BigInt) + 8);
    int_view(p, &a);
    return int_from_i64((int64_t)(sizeof(BigInt) + (size_t)a.n * 8));
}

static int byteorder_arg(Value v, bool *little) {
    *little = false;
    if (v == ABSENT)
        return 0;
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "to_bytes() argument 'byteorder' must be str, not %T", v);
        return -1;
    }
    if (str_equal_c(v, "little")) {
        *little = true;
        return 0;
    }
    if (str_equal_c(v, "big"))
        return 0;
    err_set(&exc_ValueError, "byteorder must be either 'little' or 'big'");
    return -1;
}

static Value int_to_bytes_m(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t len = 1;
    bool little;
    int is_signed = 0;
    if (arg_at(args, nargs, 0) != ABSENT && num_as_index(args[0], &len, &exc_OverflowError) < 0)
        return ABSENT;
    if (byteorder_arg(arg_at(args, nargs, 1), &little) < 0)
        return ABSENT;
    if (arg_at(args, nargs, 2) != ABSENT && (is_signed = obj_truth(args[2])) < 0)
        return ABSENT;
    if (len < 0)
        return err_set(&exc_ValueError, "length argument must be non-negative");
    Value b = bytes_from(NULL, (size_t)len);
    if (b != ABSENT && int_to_bytes(self, (unsigned char *)bytes_data(b), (size_t)len, little, is_signed) < 0) {
        release(b);
        return ABSENT;
    }
    return b;
}

static Value int_from_bytes_m(Value cls, Value *args, intptr_t nargs, Value kw) {
    bool little;
    int is_signed = 0;
    if (byteorder_arg(arg_at(args, nargs, 1), &little) < 0)
        return ABSENT;
    if (arg_at(args, nargs, 2) != ABSENT && (is_signed = obj_truth(args[2])) < 0)
        return ABSENT;
    Value b = bytes_special(args[0]);
    if (b == V_MARK)
        b = bytes_from_object(args[0]);
    if (b == ABSENT)
        return ABSENT;
    Value v = int_from_bytes((const unsigned char *)bytes_data(b), (size_t)bytes_len(b), little, is_signed);
    release(b);
    if (v == ABSENT || cls == V_OF(&int_type))
        return v;
    Value r = obj_call1(cls, v);
    release(v);
    return r;
}

/* The int that an object stands for: owned, a plain int. */
static Value int_of_object(Value x) {
    if (v_is_integer(x) && (v_is_int(x) || v_is_const(x) || obj_index(x) == IDX_INT))
        return retained(int_plain(x));
    if (v_is_floating(x) && v_is_flo(x))
        return int_from_double(v_flo(x));
    static const int conversions[] = {SP_INT, SP_INDEX, SP_TRUNC};
    for (int i = 0; i < 3; i++) {
        if (conversions[i] == SP_TRUNC && type_special(type_of(x), SP_TRUNC) &&
            err_warn(&exc_DeprecationWarning, 1, "The delegation of int() to __trunc__ is deprecated.") < 0)
            return ABSENT;
        Value r = obj_call_special(x, conversions[i], NULL, 0);
        if (r == V_MARK)
            continue;
        if (r == ABSENT)
            return ABSENT;
        if (v_is_integer(r)) {
            bool exact = v_is_int(r) || (v_is_obj(r) && obj_index(r) == IDX_INT);
            if (!exact && conversions[i] != SP_TRUNC &&
                err_warn(
                    &exc_DeprecationWarning, 1,
                    "%s returned non-int (type %T).  The ability to return an instance of a strict subclass of int "
                    "is deprecated, and may not be supported in a future version of Python.",
                    i == 0 ? "__int__" : "__index__", r) < 0) {
                release(r);
                return ABSENT;
            }
            Value p = retained(int_plain(r));
            release(r);
            return p;
        }
        if (conversions[i] == SP_TRUNC) {
            Value p = num_index(r);
            if (p == ABSENT && err_matches(&exc_TypeError))
                err_set(&exc_TypeError, "__trunc__ returned non-Integral (type %T)", r);
            release(r);
            if (p == ABSENT)
                return ABSENT;
            r = retained(int_plain(p));
            release(p);
            return r;
        }
        err_set(&exc_TypeError, "%s returned non-int (type %T)", i == 0 ? "__int__" : "__index__", r);
        release(r);
        return ABSENT;
    }
    if (v_is_str(x))
        return int_from_str_obj(x, 10);
    if (v_is_buffer(x)) {
        Buffer b;
        if (buffer_get(x, &b, false) < 0)
            return ABSENT;
        Value copy = bytes_from(b.data, (size_t)b.len);
        buffer_release(&b);
        if (copy == ABSENT)
            return ABSENT;
        Value r = int_from_bytes_text(copy, 10, x);
        release(copy);
        return r;
    }
    return err_set(&exc_TypeError, "int() argument must be a string, a bytes-like object or a real number, not '%T'",
                   x);
}

Value int_from_bytes_text(Value bytes, int base, Value original) {
    Value v = int_from_str(bytes_data(bytes), (size_t)bytes_len(bytes), base);
    if (v == ABSENT && err_matches(&exc_ValueError)) {
        err_clear();
        err_set(&exc_ValueError, "invalid literal for int() with base %d: %R", base, original);
    }
    return v;
}

static Value int_new_m(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value x = arg_at(args, nargs, 0), base = arg_at(args, nargs, 1), v;
    if (x == ABSENT) {
        if (base != ABSENT)
            return err_set(&exc_TypeError, "int() missing string argument");
        v = v_from_int(0);
    } else if (base == ABSENT) {
        v = int_of_object(x);
    } else {
        int64_t b = -1;
        if (num_as_i64(base, &b) < 0) {
            if (!err_matches(&exc_OverflowError))
                return ABSENT;
            err_clear(); /* no base either */
        }
        if (b != 0 && (b < 2 || b > 36))
            return err_set(&exc_ValueError, "int() base must be >= 2 and <= 36, or 0");
        if (v_is_str(x)) {
            v = int_from_str_obj(x, (int)b);
        } else if (v_is_bytes(x) || type_is_subtype(type_of(x), &bytearray_type)) {
            Value copy = bytes_from_object(x);
            if (copy == ABSENT)
                return ABSENT;
            v = int_from_bytes_text(copy, (int)b, x);
            release(copy);
        } else {
            return err_set(&exc_TypeError, "int() can't convert non-string with explicit base");
        }
    }
    if (v == ABSENT || cls == V_OF(&int_type))
        return v;
    Value self = obj_new((Type *)cls);
    if (self == ABSENT) {
        release(v);
        return ABSENT;
    }
    ref_init((Ref *)&((BigInt *)self)->limbs[0], v);
    return self;
}

static Value int_real(Value self) {
    return retained(int_plain(self));
}
static Value int_imag(Value self) {
    return v_from_int(0);
}
static Value int_denominator(Value self) {
    return v_from_int(1);
}

/* Only an instance of a subclass refers to another object: its number, when that is large. */
static bool has_number_field(Value v) {
    return obj_index(v) != IDX_INT;
}
static void int_traverse(Value self, VisitFn visit, void *arg) {
    if (has_number_field(self))
        visit(ref_peek((Ref *)&((BigInt *)self)->limbs[0]), arg);
}
static void int_clear(Value self) {
    if (has_number_field(self))
        ref_store(self, (Ref *)&((BigInt *)self)->limbs[0], v_from_int(0));
}
static const TypeOps int_ops = {int_traverse, int_clear, NULL};

#define BINARY_DEF(name) \
    {"__" #name "__", int_##name##_m, "($self, value, /)"}, {"__r" #name "__", int_r##name##_m, "($self, value, /)"}
static const NativeDef int_methods[] = {
    {"__new__", int_new_m, "($type, x=0, /, base=10)", NF_STATIC},
    BINARY_DEF(add),
    BINARY_DEF(sub),
    BINARY_DEF(mul),
    BINARY_DEF(floordiv),
    BINARY_DEF(mod),
    BINARY_DEF(truediv),
    BINARY_DEF(divmod),
    BINARY_DEF(lshift),
    BINARY_DEF(rshift),
    BINARY_DEF(and),
    BINARY_DEF(or),
    BINARY_DEF(xor),
    {"__pow__", int_pow_m, "($self, value, mod=None, /)"},
    {"__rpow__", int_rpow_m, "($self, value, mod=None, /)"},
    {"__lt__", int_lt_m, "($self, value, /)"},
    {"__le__", int_le_m, "($self, value, /)"},
    {"__eq__", int_eq_m, "($self, value, /)"},
    {"__ne__", int_ne_m, "($self, value, /)"},
    {"__gt__", int_gt_m, "($self, value, /)"},
    {"__ge__", int_ge_m, "($self, value, /)"},
    {"__neg__", int_neg_m, "($self, /)"},
    {"__pos__", int_self_m, "($self, /)"},
    {"__abs__", int_abs_m, "($self, /)"},
    {"__invert__", int_invert_m, "($self, /)"},
    {"__bool__", int_bool_m, "($self, /)"},
    {"__hash__", int_hash_m, "($self, /)"},
    {"__repr__", int_repr_m, "($self, /)"},
    {"__int__", int_self_m, "($self, /)"},
    {"__index__", int_self_m, "($self, /)"},
    {"__float__", int_float_m, "($self, /)"},
    {"__trunc__", int_self_m, "($self, /)"},
    {"__floor__", int_self_m, "($self, /)"},
    {"__ceil__", int_self_m, "($self, /)"},
    {"__round__", int_round_m, "($self, ndigits=<unrepresentable>, /)"},
    {"__format__", int_format_m, "($self, format_spec, /)"},
    {"__getnewargs__", int_getnewargs_m, "($self, /)"},
    {"__sizeof__", int_sizeof_m, "($self, /)"},
    {"conjugate", int_self_m, "($self, /)"},
    {"bit_length", int_bit_length_m, "($self, /)"},
    {"bit_count", int_bit_count_m, "($self, /)"},
    {"as_integer_ratio", int_ratio_m, "($self, /)"},
    {"to_bytes", int_to_bytes_m, "($self, /, length=1, byteorder='big', *, signed=False)"},
    {"from_bytes", int_from_bytes_m, "($type, /, bytes, byteorder='big', *, signed=False)", NF_CLASS},
    {NULL},
};
static const GetSetDef int_getsets[] = {
    {"real", int_real, NULL, "the real part of a complex number"},
    {"imag", int_imag, NULL, "the imaginary part of a complex number"},
    {"numerator", int_real, NULL, "the numerator of a rational number in lowest terms"},
    {"denominator", int_denominator, NULL, "the denominator of a rational number in lowest terms"},
    {NULL},
};

/* ---- bool ---- */

static Value bool_new_m(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value x = arg_at(args, nargs, 0);
    int t = x == ABSENT ? 0 : obj_truth(x);
    return t < 0 ? ABSENT : v_bool(t);
}
static Value bool_repr_m(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self == V_TRUE ? ID("True") : ID("False"));
}
#define BOOL_BINARY(name, op, fn)                                                     \
    static Value bool_##name##_m(Value self, Value *args, intptr_t nargs, Value kw) { \
        if (v_is_bool(args[0]))                                                       \
            return v_bool((self == V_TRUE) op(args[0] == V_TRUE));                    \
        return v_is_integer(args[0]) ? fn(self, args[0]) : V_NOTIMPL;                 \
    }
BOOL_BINARY(and, &, int_and)
BOOL_BINARY(or, |, int_or)
BOOL_BINARY(xor, ^, int_xor)

static const NativeDef bool_methods[] = {
    {"__new__", bool_new_m, "($type, x=False, /)", NF_STATIC},
    {"__repr__", bool_repr_m, "($self, /)"},
    {"__and__", bool_and_m, "($self, value, /)"},
    {"__or__", bool_or_m, "($self, value, /)"},
    {"__xor__", bool_xor_m, "($self, value, /)"},
    {"__rand__", bool_and_m, "($self, value, /)"},
    {"__ror__", bool_or_m, "($self, value, /)"},
    {"__rxor__", bool_xor_m, "($self, value, /)"},
    {NULL},
};

void int_init(void) {
    static const TypeSpec int_spec = {
        .name = "int",
        .doc = "int([x]) -> integer\nint(x, base=10) -> integer\n\nConvert a number or string to an integer, or return "
               "0 if no "
               "arguments\nare given.",
        .basic_size = sizeof(BigInt) + sizeof(mp_limb_t),
        .flags = TF_BASETYPE | TF_INT | TF_IMMUTABLE | TF_UNTRACKED,
        .ops = &int_ops,
        .methods = int_methods,
        .getsets = int_getsets,
    };
    static const TypeSpec bool_spec = {
        .name = "bool",
        .doc = "bool(x) -> bool\n\nReturns True when the argument x is true, False otherwise.",
        .base = &int_type,
        .basic_size = sizeof(BigInt) + sizeof(mp_limb_t),
        .flags = TF_INT | TF_IMMUTABLE | TF_UNTRACKED,
        .methods = bool_methods,
    };
    type_init_static(&int_type, IDX_INT, &int_spec);
    type_init_static(&bool_type, IDX_BOOL, &bool_spec);
}

/* Operators on any two values: who is asked first, and what it is called when nobody answers. */
#include "object/dict.h"
#include "object/float.h"
#include "object/int.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

static const char *const op_text[] = {"+",        "-",           "*",  "@",  "/", "//", "%",
                                      "divmod()", "** or pow()", "<<", ">>", "&", "^",  "|"};
static const char *const iop_text[] = {
    "+=", "-=", "*=", "@=", "/=", "//=", "%=", "**=", "<<=", ">>=", "&=", "^=", "|="};

static bool is_sequence(Type *t) {
    return t->flags & (TF_STR | TF_LIST | TF_TUPLE | TF_BYTES) || type_is_subtype(t, &bytearray_type);
}

static COLD Value no_operator(const char *op, int sp, Value a, Value b) {
    Type *ta = type_of(a);
    if (sp == SP_ADD && is_sequence(ta)) {
        const char *n = ta->flags & TF_STR     ? "str"
                        : ta->flags & TF_LIST  ? "list"
                        : ta->flags & TF_TUPLE ? "tuple"
                                               : NULL;
        if (n)
            return err_set(&exc_TypeError, "can only concatenate %s (not \"%T\") to %s", n, b, n);
        return err_set(&exc_TypeError, "can't concat %T to %T", b, a);
    }
    if (sp == SP_MUL && (is_sequence(ta) || is_sequence(type_of(b))))
        return err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", is_sequence(ta) ? b : a);
    if (sp == SP_RSHIFT && op[1] == '>' && op[2] == 0 && v_is_exact(a, IDX_NATIVE) &&
        strcmp(((Native *)a)->def->name, "print") == 0)
        return err_set(&exc_TypeError,
                       "unsupported operand type(s) for >>: '%T' and '%T'. Did you mean \"print(<message>, "
                       "file=<output_stream>)\"?",
                       a, b);
    return err_set(&exc_TypeError, "unsupported operand type(s) for %s: '%T' and '%T'", op, a, b);
}

/* V_NOTIMPL when neither side knows. */
static Value try_binary(int sp, Value a, Value b) {
    Type *ta = type_of(a), *tb = type_of(b);
    int rsp = sp + (SP_RADD - SP_ADD);
    Value l = type_special(ta, sp), r = ta == tb ? ABSENT : type_special(tb, rsp), v;
    /* A subclass that overrides the reflected method goes first; and so does anyone before a built-in sequence's + and
     * *, which raise. */
    if (r && (((tb->flags & TF_HEAP || tb->base == ta) && type_special(ta, rsp) != r && type_is_subtype(tb, ta)) ||
              ((sp == SP_ADD || sp == SP_MUL) && is_sequence(ta) && !is_sequence(tb)))) {
        v = native_or_call(r, b, a);
        if (v != V_NOTIMPL)
            return v;
        r = ABSENT;
    }
    if (l) {
        v = native_or_call(l, a, b);
        if (v != V_NOTIMPL)
            return v;
    }
    return r ? native_or_call(r, b, a) : V_NOTIMPL;
}

Value num_binary(int sp, Value a, Value b) {
    Value v = try_binary(sp, a, b);
    return LIKELY(v != V_NOTIMPL) ? v : no_operator(op_text[sp - SP_ADD], sp, a, b);
}

static int inplace_sp(int sp) {
    return sp == SP_DIVMOD ? -1 : sp > SP_DIVMOD ? sp - SP_ADD - 1 + SP_IADD : sp - SP_ADD + SP_IADD;
}

Value num_inplace(int sp, Value a, Value b) {
    int isp = inplace_sp(sp);
    Value m = type_special(type_of(a), isp), v;
    if (m) {
        v = native_or_call(m, a, b);
        if (v != V_NOTIMPL)
            return v;
    }
    v = try_binary(sp, a, b);
    return LIKELY(v != V_NOTIMPL) ? v : no_operator(iop_text[isp - SP_IADD], sp, a, b);
}

Value num_unary(int sp, Value a) {
    Value r = obj_call_special(a, sp, NULL, 0);
    if (r != V_MARK)
        return r;
    const char *op = sp == SP_NEG ? "unary -" : sp == SP_POS ? "unary +" : sp == SP_INVERT ? "unary ~" : "abs()";
    return err_set(&exc_TypeError, "bad operand type for %s: '%T'", op, a);
}

Value num_power(Value a, Value b, Value mod) {
    if (!mod || mod == V_NONE)
        return num_binary(SP_POW, a, b);
    Value m = type_special(type_of(a), SP_POW), r = V_NOTIMPL;
    if (m) {
        Value args[] = {b, mod};
        r = obj_call_special(a, SP_POW, args, 2);
    }
    if (r != V_NOTIMPL)
        return r;
    return err_set(&exc_TypeError, "unsupported operand type(s) for ** or pow(): '%T', '%T', '%T'", a, b, mod);
}

bool v_is_index(Value v) {
    return v_is_integer(v) || type_special(type_of(v), SP_INDEX);
}

Value num_index(Value v) {
    if (v_is_integer(v))
        return retained(v);
    Value r = obj_call_special(v, SP_INDEX, NULL, 0);
    if (r == V_MARK)
        return err_set(&exc_TypeError, "'%T' object cannot be interpreted as an integer", v);
    if (r && !v_is_integer(r)) {
        err_set(&exc_TypeError, "__index__ returned non-int (type %T)", r);
        release(r);
        return ABSENT;
    }
    if (r && type_of(r) != &int_type &&
        err_warn(&exc_DeprecationWarning, 1,
                 "__index__ returned non-int (type %T).  The ability to return an instance of a strict "
                 "subclass of int is deprecated, and may not be supported in a future version of Python.",
                 r) < 0) {
        release(r);
        return ABSENT;
    }
    return r;
}

int num_as_i64(Value v, int64_t *out) {
    if (LIKELY(v_is_int(v))) {
        *out = v_int(v);
        return 0;
    }
    Value i = num_index(v);
    if (!i)
        return -1;
    int r = int_to_i64(i, out);
    release(i);
    if (r) {
        err_set(&exc_OverflowError, "Python int too large to convert to C long");
        return -1;
    }
    return 0;
}
int num_as_int(Value v, int *out) {
    int64_t i;
    Value x = num_index(v);
    if (!x)
        return -1;
    int r = int_to_i64(x, &i);
    release(x);
    if (r || i > INT_MAX || i < INT_MIN) {
        bool big = r > 0 || (r == 0 && i > 0);
        err_set(&exc_OverflowError, r     ? "Python int too large to convert to C long"
                                    : big ? "signed integer is greater than maximum"
                                          : "signed integer is less than minimum");
        return -1;
    }
    *out = (int)i;
    return 0;
}
int num_as_index(Value v, intptr_t *out, Type *overflow_exc) {
    if (LIKELY(v_is_int(v))) {
        *out = (intptr_t)v_int(v);
        return 0;
    }
    Value i = num_index(v);
    if (!i)
        return -1;
    int64_t n;
    int r = int_to_i64(i, &n);
    release(i);
    if (r == 0) {
        *out = (intptr_t)n;
        return 0;
    }
    if (overflow_exc) {
        err_set(overflow_exc, "cannot fit '%T' into an index-sized integer", v);
        return -1;
    }
    *out = r > 0 ? INTPTR_MAX : INTPTR_MIN;
    return 0;
}
int num_as_double(Value v, double *out) {
    if (v_is_floating(v)) {
        *out = float_value(v);
        return 0;
    }
    if (v_is_integer(v)) {
        bool over = false;
        *out = int_to_double(v, &over);
        if (over) {
            err_set(&exc_OverflowError, "int too large to convert to float");
            return -1;
        }
        return 0;
    }
    Value r = obj_call_special(v, SP_FLOAT, NULL, 0);
    if (r != V_MARK) {
        if (!r)
            return -1;
        if (!v_is_floating(r)) {
            err_set(&exc_TypeError, "%T.__float__ returned non-float (type %T)", v, r);
            release(r);
            return -1;
        }
        *out = float_value(r);
        release(r);
        return 0;
    }
    if (type_special(type_of(v), SP_INDEX)) {
        Value i = num_index(v);
        if (!i)
            return -1;
        int k = num_as_double(i, out);
        release(i);
        return k;
    }
    err_set(&exc_TypeError, "must be real number, not %T", v);
    return -1;
}

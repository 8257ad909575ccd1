/* _operator: operators as functions; attrgetter, itemgetter, methodcaller. */
#include "object/dict.h"
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

/* ---- functions ---- */

#define BINARY(name, sp)                                                       \
    static Value f_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return num_binary(sp, args[0], args[1]);                               \
    }
#define INPLACE(name, sp)                                                      \
    static Value f_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return num_inplace(sp, args[0], args[1]);                              \
    }
#define UNARY(name, sp)                                                        \
    static Value f_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return num_unary(sp, args[0]);                                         \
    }
#define COMPARE(name, op)                                                      \
    static Value f_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return obj_compare(args[0], args[1], op);                              \
    }

BINARY(add, SP_ADD)
BINARY(sub, SP_SUB)
BINARY(mul, SP_MUL)
BINARY(matmul, SP_MATMUL)
BINARY(floordiv, SP_FLOORDIV)
BINARY(truediv, SP_TRUEDIV)
BINARY(mod, SP_MOD)
BINARY(lshift, SP_LSHIFT)
BINARY(rshift, SP_RSHIFT)
BINARY(and, SP_AND)
BINARY(xor, SP_XOR)
BINARY(or, SP_OR)
INPLACE(iadd, SP_ADD)
INPLACE(isub, SP_SUB)
INPLACE(imul, SP_MUL)
INPLACE(imatmul, SP_MATMUL)
INPLACE(ifloordiv, SP_FLOORDIV)
INPLACE(itruediv, SP_TRUEDIV)
INPLACE(imod, SP_MOD)
INPLACE(ilshift, SP_LSHIFT)
INPLACE(irshift, SP_RSHIFT)
INPLACE(iand, SP_AND)
INPLACE(ixor, SP_XOR)
INPLACE(ior, SP_OR)
INPLACE(ipow, SP_POW)
UNARY(neg, SP_NEG)
UNARY(pos, SP_POS)
UNARY(abs, SP_ABS)
UNARY(invert, SP_INVERT)
COMPARE(lt, CMP_LT)
COMPARE(le, CMP_LE)
COMPARE(eq, CMP_EQ)
COMPARE(ne, CMP_NE)
COMPARE(gt, CMP_GT)
COMPARE(ge, CMP_GE)

static Value f_pow(Value self, Value *args, intptr_t nargs, Value kw) {
    return num_power(args[0], args[1], ABSENT);
}
static Value f_not(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = obj_truth(args[0]);
    return r < 0 ? ABSENT : v_bool(!r);
}
static Value f_truth(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = obj_truth(args[0]);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value f_is(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(args[0] == args[1]);
}
static Value f_is_not(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_bool(args[0] != args[1]);
}
static Value f_index(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = num_index(args[0]);
    if (v == ABSENT || v_is_int(v) || v_is_exact(v, IDX_INT))
        return v;
    Value plain = v_is_bool(v) ? v_from_int(v == V_TRUE) : int_add(v, v_from_int(0));
    release(v);
    return plain;
}

static bool is_sequence(Value v) {
    return type_special(type_of(v), SP_GETITEM) != ABSENT && !v_is_dict(v);
}
static Value concat(Value a, Value b, bool in_place) {
    if (!is_sequence(a))
        return err_set(&exc_TypeError, "'%T' object can't be concatenated", a);
    if (type_special(type_of(a), SP_ADD) == ABSENT && !is_sequence(b))
        return err_set(&exc_TypeError, "'%T' object can't be concatenated", a);
    return in_place ? num_inplace(SP_ADD, a, b) : num_binary(SP_ADD, a, b);
}
static Value f_concat(Value self, Value *args, intptr_t nargs, Value kw) {
    return concat(args[0], args[1], false);
}
static Value f_iconcat(Value self, Value *args, intptr_t nargs, Value kw) {
    return concat(args[0], args[1], true);
}

static Value f_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = obj_contains(args[0], args[1]);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value f_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_getitem(args[0], args[1]);
}
static Value f_setitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_setitem(args[0], args[1], args[2]) < 0 ? ABSENT : V_NONE;
}
static Value f_delitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_delitem(args[0], args[1]) < 0 ? ABSENT : V_NONE;
}

/* Counts items equal to x, or finds the first (first_only): the number, the index or -1; -2 with an exception. */
static int64_t scan(Value seq, Value x, bool first_only) {
    Value it = obj_iter(seq), v;
    if (it == ABSENT) {
        if (err_matches(&exc_TypeError))
            err_set(&exc_TypeError, "argument of type '%T' is not iterable", seq);
        return -2;
    }
    int64_t n = 0, i = 0;
    for (; (v = iter_pull(it)) != ABSENT; i++) {
        int r = obj_eq(v, x);
        release(v);
        if (r < 0 || ((i & 1023) == 1023 && excl_poll() < 0))
            break;
        if (r && first_only) {
            release(it);
            return i;
        }
        n += r;
    }
    release(it);
    return err_pending() ? -2 : first_only ? -1 : n;
}
static Value f_countOf(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t n = scan(args[0], args[1], false);
    return n < 0 ? ABSENT : v_from_int(n);
}
static Value f_indexOf(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t i = scan(args[0], args[1], true);
    if (i == -1)
        return err_set(&exc_ValueError, "sequence.index(x): x not in sequence");
    return i < 0 ? ABSENT : v_from_int(i);
}
static Value f_length_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t dflt = 0;
    Value d = arg_at(args, nargs, 1);
    if (d != ABSENT) {
        if (!v_is_index(d))
            return err_set(&exc_TypeError, "'%T' object cannot be interpreted as an integer", d);
        if (num_as_index(d, &dflt, &exc_OverflowError) < 0)
            return ABSENT;
    }
    intptr_t n = obj_length_hint(args[0], dflt);
    return n == -1 && err_pending() ? ABSENT : v_from_int(n);
}
static Value f_call(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs < 1)
        return err_set(&exc_TypeError, "call expected at least 1 argument, got 0");
    return obj_call(args[0], args + 1, nargs - 1, kw);
}

/* Time depends on the lengths alone. */
static Value f_compare_digest(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a = args[0], b = args[1];
    Buffer x = {0}, y = {0};
    bool texts = v_is_str(a) && v_is_str(b);
    if (texts) {
        if (!str_is_ascii(a) || !str_is_ascii(b))
            return err_set(&exc_TypeError, "comparing strings with non-ASCII characters is not supported");
        x.data = str_data(a);
        x.len = str_len(a);
        y.data = str_data(b);
        y.len = str_len(b);
    } else {
        if (!v_is_buffer(a) || !v_is_buffer(b))
            return err_set(&exc_TypeError, "unsupported operand types(s) or combination of types: '%T' and '%T'", a, b);
        if (buffer_get(a, &x, false) < 0)
            return ABSENT;
        if (buffer_get(b, &y, false) < 0) {
            buffer_release(&x);
            return ABSENT;
        }
    }
    const volatile char *p = x.len == y.len ? x.data : y.data, *q = y.data;
    volatile unsigned char diff = x.len != y.len;
    for (intptr_t i = 0; i < y.len; i++)
        diff |= (unsigned char)(p[i] ^ q[i]);
    bool same = diff == 0;
    if (!texts) {
        buffer_release(&x);
        buffer_release(&y);
    }
    return v_bool(same);
}

/* ---- itemgetter, attrgetter, methodcaller ---- */

typedef struct Getter {
    Object hdr;
    Ref what; /* itemgetter: tuple of keys; attrgetter: tuple of names, each a str or a tuple of parts; methodcaller:
                 the name */
    Ref args; /* attrgetter: the names as given; methodcaller: tuple of arguments */
    Ref kw;   /* methodcaller: dict */
} Getter;
static Getter *G(Value v) {
    return (Getter *)v;
}
static Type itemgetter_type, attrgetter_type, methodcaller_type;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&G(self)->what), arg);
    visit(ref_peek(&G(self)->args), arg);
    visit(ref_peek(&G(self)->kw), arg);
}
static void clear(Value self) {
    ref_clear(self, &G(self)->what);
    ref_clear(self, &G(self)->args);
    ref_clear(self, &G(self)->kw);
}
static const TypeOps ops = {traverse, clear, NULL};

/* Steals the three. */
static Value make(Value cls, Value what, Value args, Value kw) {
    Value g = what == ABSENT ? ABSENT : obj_new((Type *)cls);
    if (g == ABSENT) {
        release(what);
        release(args);
        release(kw);
        return ABSENT;
    }
    ref_init(&G(g)->what, what);
    ref_init(&G(g)->args, args);
    ref_init(&G(g)->kw, kw);
    trace_track(v_obj(g));
    return g;
}
static bool no_keywords(const char *name, Value kw) {
    if (kw == ABSENT || tuple_len(kw) == 0)
        return true;
    err_set(&exc_TypeError, "%s() takes no keyword arguments", name);
    return false;
}
static bool one_argument(const char *name, intptr_t nargs, Value kw) {
    if (!no_keywords(name, kw))
        return false;
    if (nargs == 1)
        return true;
    err_set(&exc_TypeError, "%s expected 1 argument, got %zd", name, (ssize_t)nargs);
    return false;
}

static Value itemgetter_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!no_keywords("itemgetter", kw))
        return ABSENT;
    if (nargs < 1)
        return err_set(&exc_TypeError, "itemgetter expected 1 argument, got 0");
    return make(cls, tuple_from(args, nargs), ABSENT, ABSENT);
}
static Value get_one_item(Value o, Value key) {
    if (v_is_int(key) && v_int(key) >= 0) {
        if (v_is_tuple_exact(o) && v_int(key) < tuple_len(o))
            return retained(tuple_get(o, v_int(key)));
        if (v_is_list_exact(o)) {
            Value v = list_get_fast(o, v_int(key));
            if (v != ABSENT)
                return v;
        }
    }
    return obj_getitem(o, key);
}
static Value itemgetter_call(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!one_argument("itemgetter", nargs, kw))
        return ABSENT;
    Value keys = ref_peek(&G(self)->what);
    intptr_t n = tuple_len(keys);
    if (n == 1)
        return get_one_item(args[0], tuple_get(keys, 0));
    Value t = tuple_new(n);
    for (intptr_t i = 0; t != ABSENT && i < n; i++) {
        Value v = get_one_item(args[0], tuple_get(keys, i));
        if (v == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, i, v);
    }
    if (t != ABSENT)
        tuple_track(t);
    return t;
}
/* name(repr, ...) */
static Value repr_call(Value self, Value items) {
    Type *t = type_of(self);
    Value text = obj_repr(items), r = ABSENT, inner = ABSENT;
    if (text == ABSENT)
        return ABSENT;
    /* "(a,)" and "(a, b)" without the parentheses and the last comma */
    intptr_t n = str_len(text);
    inner = str_substr(text, 1, n - (tuple_len(items) == 1 ? 2 : 1));
    if (inner != ABSENT)
        r = str_format_c("%s(%S)", type_cname(t), inner);
    release(text);
    release(inner);
    return r;
}
static Value itemgetter_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_format_c("%s(...)", type_cname(type_of(self)));
    Value s = repr_call(self, ref_peek(&G(self)->what));
    repr_leave(self);
    return s;
}
static Value itemgetter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return tuple_pack(2, V_OF(type_of(self)), ref_peek(&G(self)->what));
}

/* A dotted name as a tuple of interned parts; a plain one as itself, interned. */
static Value split_name(Value name) {
    intptr_t n = str_len(name), dots = 0;
    for (intptr_t i = 0; i < n; i++)
        dots += str_at(name, i) == '.';
    if (dots == 0)
        return str_intern(retained(name));
    Value t = tuple_new(dots + 1);
    for (intptr_t k = 0, from = 0; t != ABSENT && k <= dots; k++) {
        intptr_t to = from;
        while (to < n && str_at(name, to) != '.')
            to++;
        Value part = str_substr(name, from, to);
        if (part != ABSENT)
            part = str_intern(part);
        if (part == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, k, part);
        from = to + 1;
    }
    if (t != ABSENT)
        tuple_track(t);
    return t;
}
static Value attrgetter_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (!no_keywords("attrgetter", kw))
        return ABSENT;
    if (nargs < 1)
        return err_set(&exc_TypeError, "attrgetter expected 1 argument, got 0");
    Value names = tuple_new(nargs);
    for (intptr_t i = 0; names != ABSENT && i < nargs; i++) {
        if (!v_is_str(args[i])) {
            release(names);
            return err_set(&exc_TypeError, "attribute name must be a string");
        }
        Value name = split_name(args[i]);
        if (name == ABSENT) {
            release(names);
            return ABSENT;
        }
        tuple_init_item(names, i, name);
    }
    if (names == ABSENT)
        return ABSENT;
    tuple_track(names);
    return make(cls, names, tuple_from(args, nargs), ABSENT);
}
static Value get_dotted(Value o, Value name) {
    if (!v_is_tuple(name))
        return obj_getattr(o, name);
    retain(o);
    for (intptr_t i = 0; o != ABSENT && i < tuple_len(name); i++) {
        Value next = obj_getattr(o, tuple_get(name, i));
        release(o);
        o = next;
    }
    return o;
}
static Value attrgetter_call(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!one_argument("attrgetter", nargs, kw))
        return ABSENT;
    Value names = ref_peek(&G(self)->what);
    intptr_t n = tuple_len(names);
    if (n == 1)
        return get_dotted(args[0], tuple_get(names, 0));
    Value t = tuple_new(n);
    for (intptr_t i = 0; t != ABSENT && i < n; i++) {
        Value v = get_dotted(args[0], tuple_get(names, i));
        if (v == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, i, v);
    }
    if (t != ABSENT)
        tuple_track(t);
    return t;
}
static Value attrgetter_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_format_c("%s(...)", type_cname(type_of(self)));
    Value s = repr_call(self, ref_peek(&G(self)->args));
    repr_leave(self);
    return s;
}
static Value attrgetter_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return tuple_pack(2, V_OF(type_of(self)), ref_peek(&G(self)->args));
}

static Value methodcaller_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (nargs < 1)
        return err_set(&exc_TypeError, "methodcaller needs at least one argument, the method name");
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "method name must be a string");
    Value dict = ABSENT, given = tuple_from(args + 1, nargs - 1), name = str_intern(retained(args[0]));
    intptr_t n = kw == ABSENT ? 0 : tuple_len(kw);
    if (given == ABSENT || name == ABSENT || (n && (dict = dict_new()) == ABSENT))
        goto fail;
    for (intptr_t i = 0; i < n; i++)
        if (dict_set(dict, tuple_get(kw, i), args[nargs + i]) < 0)
            goto fail;
    return make(cls, name, given, dict);
fail:
    release(name);
    release(given);
    release(dict);
    return ABSENT;
}
static Value methodcaller_call(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!one_argument("methodcaller", nargs, kw))
        return ABSENT;
    Value given = ref_peek(&G(self)->args), dict = ref_peek(&G(self)->kw);
    if (dict == ABSENT)
        return obj_call_method(args[0], ref_peek(&G(self)->what), tuple_items(given), tuple_len(given));
    Value f = obj_getattr(args[0], ref_peek(&G(self)->what));
    if (f == ABSENT)
        return ABSENT;
    Value r = obj_call_tuple_dict(f, given, dict);
    release(f);
    return r;
}
static Value methodcaller_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_format_c("%s(...)", type_cname(type_of(self)));
    Value given = ref_peek(&G(self)->args), dict = ref_peek(&G(self)->kw), key, v;
    StrBuilder sb;
    sb_init(&sb);
    sb_cstr(&sb, type_cname(type_of(self)));
    sb_char(&sb, '(');
    Value s = obj_repr(ref_peek(&G(self)->what));
    if (s != ABSENT) {
        sb_str(&sb, s);
        release(s);
    }
    for (intptr_t i = 0; !err_pending() && i < tuple_len(given); i++) {
        s = str_format_c(", %R", tuple_get(given, i));
        if (s != ABSENT)
            sb_str(&sb, s);
        release(s);
    }
    intptr_t pos = 0;
    while (!err_pending() && dict != ABSENT && dict_next(dict, &pos, &key, &v)) {
        s = str_format_c(", %S=%R", key, v);
        if (s != ABSENT)
            sb_str(&sb, s);
        release(s);
        release(key);
        release(v);
    }
    sb_char(&sb, ')');
    repr_leave(self);
    if (!err_pending())
        return sb_finish(&sb);
    sb_free(&sb);
    return ABSENT;
}
/* Keywords need functools.partial(methodcaller, name, **kw). */
static Value methodcaller_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = ref_peek(&G(self)->what), given = ref_peek(&G(self)->args), dict = ref_peek(&G(self)->kw), r = ABSENT;
    if (dict == ABSENT) {
        Value one = tuple_pack(1, name), all = one == ABSENT ? ABSENT : tuple_concat(one, given);
        if (all != ABSENT)
            r = tuple_pack(2, V_OF(type_of(self)), all);
        release(one);
        release(all);
        return r;
    }
    Value partial = import_attr("functools", "partial"), a = tuple_pack(2, V_OF(type_of(self)), name), f = ABSENT;
    if (partial != ABSENT && a != ABSENT && (f = obj_call_tuple_dict(partial, a, dict)) != ABSENT)
        r = tuple_pack(2, f, given);
    release(partial);
    release(a);
    release(f);
    return r;
}

#define GETTER_METHODS(kind, args_sig)                                                                 \
    {                                                                                                  \
        {"__new__", kind##_new, "($type, /, *args, **kwargs)", 0,                                      \
         "Create and return a new object.  See help(type) for accurate signature."},                   \
            {"__call__", kind##_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},   \
            {"__repr__", kind##_repr, "($self, /)", 0, "Return repr(self)."},                          \
            {"__reduce__", kind##_reduce, "($self, /)", 0, "Return state information for pickling"}, { \
            NULL                                                                                       \
        }                                                                                              \
    }
static const NativeDef itemgetter_methods[] = GETTER_METHODS(itemgetter, );
static const NativeDef attrgetter_methods[] = GETTER_METHODS(attrgetter, );
static const NativeDef methodcaller_methods[] = GETTER_METHODS(methodcaller, );

/* ---- the module ---- */

static int exec(Value m) {
    static const TypeSpec itemgetter = {.name = "operator.itemgetter",
                                        .doc =
                                            "Return a callable object that fetches the given item(s) from its "
                                            "operand.\nAfter f = itemgetter(2), the call f(r) returns r[2].\nAfter g = "
                                            "itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])",
                                        .basic_size = sizeof(Getter),
                                        .flags = TF_IMMUTABLE,
                                        .ops = &ops,
                                        .methods = itemgetter_methods};
    static const TypeSpec attrgetter = {.name = "operator.attrgetter",
                                        .doc =
                                            "Return a callable object that fetches the given attribute(s) from its "
                                            "operand.\nAfter f = attrgetter('name'), the call f(r) returns r.name.\n"
                                            "After g = attrgetter('name', 'date'), the call g(r) returns (r.name, "
                                            "r.date).\nAfter h = attrgetter('name.first', 'name.last'), the call h(r) "
                                            "returns\n(r.name.first, r.name.last).",
                                        .basic_size = sizeof(Getter),
                                        .flags = TF_IMMUTABLE,
                                        .ops = &ops,
                                        .methods = attrgetter_methods};
    static const TypeSpec methodcaller = {
        .name = "operator.methodcaller",
        .doc = "Return a callable object that calls the given method on its operand.\nAfter f = methodcaller('name'), "
               "the call f(r) returns r.name().\nAfter g "
               "= methodcaller('name', 'date', foo=1), the call g(r) returns\nr.name('date', foo=1).",
        .basic_size = sizeof(Getter),
        .flags = TF_IMMUTABLE,
        .ops = &ops,
        .methods = methodcaller_methods};
    type_init_module_type(&itemgetter_type, &itemgetter);
    type_init_module_type(&attrgetter_type, &attrgetter);
    type_init_module_type(&methodcaller_type, &methodcaller);
    if (module_add_type(m, &itemgetter_type) < 0 || module_add_type(m, &attrgetter_type) < 0)
        return -1;
    return module_add_type(m, &methodcaller_type);
}

#define AB "($module, a, b, /)"
#define A "($module, a, /)"
static const NativeDef functions[] = {
    {"truth", f_truth, A, 0, "Return True if a is true, False otherwise."},
    {"contains", f_contains, AB, 0, "Same as b in a (note reversed operands)."},
    {"indexOf", f_indexOf, AB, 0, "Return the first index of b in a."},
    {"countOf", f_countOf, AB, 0, "Return the number of items in a which are, or which equal, b."},
    {"is_", f_is, AB, 0, "Same as a is b."},
    {"is_not", f_is_not, AB, 0, "Same as a is not b."},
    {"add", f_add, AB, 0, "Same as a + b."},
    {"sub", f_sub, AB, 0, "Same as a - b."},
    {"mul", f_mul, AB, 0, "Same as a * b."},
    {"matmul", f_matmul, AB, 0, "Same as a @ b."},
    {"floordiv", f_floordiv, AB, 0, "Same as a // b."},
    {"truediv", f_truediv, AB, 0, "Same as a / b."},
    {"mod", f_mod, AB, 0, "Same as a % b."},
    {"neg", f_neg, A, 0, "Same as -a."},
    {"pos", f_pos, A, 0, "Same as +a."},
    {"abs", f_abs, A, 0, "Same as abs(a)."},
    {"inv", f_invert, A, 0, "Same as ~a."},
    {"invert", f_invert, A, 0, "Same as ~a."},
    {"lshift", f_lshift, AB, 0, "Same as a << b."},
    {"rshift", f_rshift, AB, 0, "Same as a >> b."},
    {"not_", f_not, A, 0, "Same as not a."},
    {"and_", f_and, AB, 0, "Same as a & b."},
    {"xor", f_xor, AB, 0, "Same as a ^ b."},
    {"or_", f_or, AB, 0, "Same as a | b."},
    {"iadd", f_iadd, AB, 0, "Same as a += b."},
    {"isub", f_isub, AB, 0, "Same as a -= b."},
    {"imul", f_imul, AB, 0, "Same as a *= b."},
    {"imatmul", f_imatmul, AB, 0, "Same as a @= b."},
    {"ifloordiv", f_ifloordiv, AB, 0, "Same as a //= b."},
    {"itruediv", f_itruediv, AB, 0, "Same as a /= b."},
    {"imod", f_imod, AB, 0, "Same as a %= b."},
    {"ilshift", f_ilshift, AB, 0, "Same as a <<= b."},
    {"irshift", f_irshift, AB, 0, "Same as a >>= b."},
    {"iand", f_iand, AB, 0, "Same as a &= b."},
    {"ixor", f_ixor, AB, 0, "Same as a ^= b."},
    {"ior", f_ior, AB, 0, "Same as a |= b."},
    {"concat", f_concat, AB, 0, "Same as a + b, for a and b sequences."},
    {"iconcat", f_iconcat, AB, 0, "Same as a += b, for a and b sequences."},
    {"getitem", f_getitem, AB, 0, "Same as a[b]."},
    {"setitem", f_setitem, "($module, a, b, c, /)", 0, "Same as a[b] = c."},
    {"delitem", f_delitem, AB, 0, "Same as del a[b]."},
    {"pow", f_pow, AB, 0, "Same as a ** b."},
    {"ipow", f_ipow, AB, 0, "Same as a **= b."},
    {"eq", f_eq, AB, 0, "Same as a == b."},
    {"ne", f_ne, AB, 0, "Same as a != b."},
    {"lt", f_lt, AB, 0, "Same as a < b."},
    {"le", f_le, AB, 0, "Same as a <= b."},
    {"gt", f_gt, AB, 0, "Same as a > b."},
    {"ge", f_ge, AB, 0, "Same as a >= b."},
    {"index", f_index, A, 0, "Same as a.__index__()"},
    {"length_hint", f_length_hint, "($module, obj, default=0, /)", 0,
     "Return an estimate of the number of items in obj.\n\nThis is useful for presizing containers when building from "
     "an iterable.\n\nIf the object supports "
     "len(), the result will be exact.\nOtherwise, it may over- or under-estimate by an arbitrary amount.\nThe result "
     "will be an integer >= 0."},
    {"call", f_call, "($module, obj, /, *args, **kwargs)", 0, "Same as obj(*args, **kwargs)."},
    {"_compare_digest", f_compare_digest, AB, 0,
     "Return 'a == b'.\n\nThis function uses an approach designed to prevent\ntiming analysis, making it appropriate "
     "for cryptography.\n\na and b must both be "
     "of the same type: either str (ASCII only),\nor any bytes-like object."},
    {NULL},
};

const ModuleSpec module__operator = {
    "_operator",
    "Operator interface.\n\nThis module exports a set of functions implemented in C corresponding\nto the intrinsic "
    "operators of Python.  For example, "
    "operator.add(x, y)\nis equivalent to the expression x+y.",
    functions,
    exec,
};

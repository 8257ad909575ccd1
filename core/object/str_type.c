/* The type str: construction from Python, operators, items, iteration, repr. */
#include "object/bytes.h"
#include "object/codec.h"
#include "object/float.h"
#include "object/iter.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str_impl.h"
#include "object/tuple.h"
#include "object/unicode.h"

Type str_type, str_iter_type;

extern const NativeDef str_find_methods[], str_case_methods[];

/* ---- construction ---- */

static Value as_class(Value cls, Value s) {
    if (s == ABSENT || V_OF(&str_type) == cls)
        return s;
    Value r = str_subclass_new((Type *)cls, s);
    release(s);
    return r;
}

static Value m_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value v = arg_at(args, nargs, 0), enc = arg_at(args, nargs, 1), errors = arg_at(args, nargs, 2);
    if (v == ABSENT)
        return as_class(cls, str_empty());
    if (enc == ABSENT && errors == ABSENT)
        return as_class(cls, obj_str(v));
    const char *e = NULL, *er = NULL;
    for (int i = 1; i < 3; i++) {
        Value a = arg_at(args, nargs, i);
        if (a == ABSENT)
            continue;
        if (!v_is_str(a))
            return err_set(&exc_TypeError, "str() argument '%s' must be str, not %T", i == 1 ? "encoding" : "errors",
                           a);
        const char *p = str_utf8_nonul(a);
        if (p == NULL)
            return ABSENT;
        *(i == 1 ? &e : &er) = p;
    }
    if (v_is_str(v))
        return err_set(&exc_TypeError, "decoding str is not supported");
    if (!v_is_buffer(v))
        return err_set(&exc_TypeError, "decoding to str: need a bytes-like object, %T found", v);
    return as_class(cls, bytes_decode(v, e, er));
}

/* ---- operators ---- */

static Value m_add(Value self, Value *args, intptr_t nargs, Value kw) {
    if (LIKELY(v_is_str(args[0])))
        return str_concat(self, args[0]);
    if (seq_defers(args[0], SP_RADD))
        return V_NOTIMPL;
    return err_set(&exc_TypeError, "can only concatenate str (not \"%T\") to str", args[0]);
}
static Value m_mul(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (!v_is_index(args[0])) {
        if (seq_defers(args[0], SP_RMUL))
            return V_NOTIMPL;
        return err_set(&exc_TypeError, "can't multiply sequence by non-int of type '%T'", args[0]);
    }
    if (num_as_index(args[0], &n, &exc_OverflowError) < 0)
        return ABSENT;
    return str_repeat(self, n);
}
static Value m_mod(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_percent(self, args[0]);
}
static Value m_rmod(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_is_str(args[0]) ? str_percent(args[0], self) : V_NOTIMPL;
}

#define COMPARE(name, test)                                                \
    static Value name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return v_is_str(args[0]) ? v_bool(test) : V_NOTIMPL;               \
    }
COMPARE(m_eq, str_equal(self, args[0]))
COMPARE(m_ne, !str_equal(self, args[0]))
COMPARE(m_lt, str_cmp(self, args[0]) < 0)
COMPARE(m_le, str_cmp(self, args[0]) <= 0)
COMPARE(m_gt, str_cmp(self, args[0]) > 0)
COMPARE(m_ge, str_cmp(self, args[0]) >= 0)

static Value m_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(str_hash(self));
}
static Value m_len(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(str_len(self));
}
static Value m_str(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_exact(self);
}
static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_repr(self);
}
static Value m_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "'in <string>' requires string as left operand, not %T", args[0]);
    intptr_t i = str_find(self, args[0], 0, str_len(self), 1);
    return i == -2 ? ABSENT : v_bool(i >= 0);
}

static Value getslice(Value self, Value slice) {
    intptr_t lo, hi, step, n = slice_indices(slice, str_len(self), &lo, &hi, &step);
    if (n < 0)
        return ABSENT;
    if (n == 0)
        return str_empty();
    if (step == 1)
        return str_substr(self, lo, lo + n);
    const void *d = str_data(self);
    int kind = str_kind(self);
    if (str_is_ascii(self)) {
        Value r = str_alloc((size_t)n, 0x7f);
        if (r != ABSENT)
            for (intptr_t i = 0; i < n; i++)
                ((char *)str_data(r))[i] = ((const char *)d)[lo + i * step];
        return r;
    }
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = 0; i < n; i++)
        sb_char(&b, str_at_kind(d, kind, lo + i * step));
    return sb_finish(&b);
}

static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    Value key = args[0];
    intptr_t i, n = str_len(self);
    if (LIKELY(v_is_int(key)))
        i = v_int(key);
    else if (v_is_exact(key, IDX_SLICE))
        return getslice(self, key);
    else if (!v_is_index(key))
        return err_set(&exc_TypeError, "string indices must be integers, not '%T'", key);
    else if (num_as_index(key, &i, &exc_IndexError) < 0)
        return ABSENT;
    if (i < 0)
        i += n;
    if (i < 0 || i >= n)
        return err_set(&exc_IndexError, "string index out of range");
    return str_from_char(str_at(self, i));
}

/* ---- text and codecs ---- */

static Value m_format(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format(self, args, nargs, kw, ABSENT);
}
static Value m_format_map(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format(self, NULL, 0, ABSENT, args[0]);
}
static Value m_dunder_format(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "__format__() argument must be str, not %T", args[0]);
    return str_len(args[0]) == 0 ? obj_str(self) : format_str(self, args[0]);
}

/* The names of codec and error handler that encode and decode take. 0, or -1. */
static int codec_args(const char *method, Value *args, intptr_t nargs, const char **out) {
    static const char *const names[] = {"encoding", "errors"};
    for (int i = 0; i < 2; i++) {
        Value a = arg_at(args, nargs, i);
        out[i] = NULL;
        if (a == ABSENT)
            continue;
        if (!v_is_str(a)) {
            err_set(&exc_TypeError, "%s() argument '%s' must be str, not %T", method, names[i], a);
            return -1;
        }
        if ((out[i] = str_utf8_nonul(a)) == NULL)
            return -1;
    }
    return 0;
}
static Value m_encode(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *names[2];
    return codec_args("encode", args, nargs, names) < 0 ? ABSENT : str_encode(self, names[0], names[1]);
}
Value str_encode(Value s, const char *encoding, const char *errors) {
    return codec_encode(s, encoding, errors);
}

/* Does not need an escape in a repr with single quotes. */
static bool plain(uint32_t c) {
    return c >= 0x20 && c < 0x7f && c != '\'' && c != '\\';
}

static Value repr(Value s, bool ascii_only) {
    const void *d = str_data(s);
    int kind = str_kind(s);
    intptr_t n = str_len(s), i = 0;
    StrBuilder b;
    sb_init(&b);
    while (i < n && plain(str_at_kind(d, kind, i)))
        i++;
    if (i == n) {
        sb_room(&b, (size_t)n + 2, 1);
        sb_char(&b, '\'');
        sb_str(&b, s);
        sb_char(&b, '\'');
        return sb_finish(&b);
    }
    uint32_t quote = str_find_char(s, '\'', 0, n, 1) >= 0 && str_find_char(s, '"', 0, n, 1) < 0 ? '"' : '\'';
    sb_char(&b, quote);
    for (i = 0; i < n; i++) {
        uint32_t c = str_at_kind(d, kind, i);
        if (c == quote || c == '\\') {
            sb_char(&b, '\\');
            sb_char(&b, c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            sb_char(&b, '\\');
            sb_char(&b, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        } else if (c < 0x20 || c == 0x7f)
            sb_printf(&b, "\\x%02x", c);
        else if (c < 0x80 || (!ascii_only && unicode_is_printable(c)))
            sb_char(&b, c);
        else
            sb_printf(&b, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
    sb_char(&b, quote);
    return sb_finish(&b);
}
Value str_repr(Value s) {
    return repr(s, false);
}
Value str_ascii(Value s) {
    return repr(s, true);
}

static Value m_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t text = (str_len(self) + 1) * str_kind(self);
    if (str_state(self) & STR_EXTERNAL)
        return v_from_int((intptr_t)(sizeof(Str) + sizeof(StrBuf *) + sizeof(StrBuf)) + text);
    return v_from_int((intptr_t)MAX((offsetof(Str, data) + (size_t)text + 7) & ~(size_t)7, sizeof(Str) + 8));
}
static Value m_getnewargs(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s =
        str_from_kind(str_data(self), str_kind(self), (size_t)str_len(self)); /* a copy: pickles tell them apart */
    return s == ABSENT ? ABSENT : tuple_from_steal(&s, 1);
}

/* ---- iterator ---- */

typedef struct StrIter {
    Object hdr;
    Ref str; /* fixed */
    _Atomic(intptr_t) next;
} StrIter;

static void iter_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((StrIter *)self)->str), arg);
}
static void iter_clear(Value self) {
    ref_clear(self, &((StrIter *)self)->str);
}
static const TypeOps iter_ops = {.traverse = iter_traverse, .clear = iter_clear};

static Value m_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    Value it = obj_new(&str_iter_type);
    if (it != ABSENT) {
        ref_init(&((StrIter *)it)->str, retained(self));
        trace_track(v_obj(it));
    }
    return it;
}

static Value iter_next(Value it) {
    StrIter *s = (StrIter *)it;
    Value str = ref_peek(&s->str);
    intptr_t i;
    if (EXCL_PARALLEL) {
        if (LOAD_RELAXED(&s->next) >= str_len(str))
            return ABSENT;
        i = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
    } else {
        i = LOAD_RELAXED(&s->next);
        STORE_RELAXED(&s->next, i + (i < str_len(str)));
    }
    return i < str_len(str) ? str_from_char(str_at(str, i)) : ABSENT;
}

static Value mi_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value mi_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = iter_next(self);
    return v == ABSENT ? err_stop_iteration(ABSENT) : v;
}
static Value mi_length_hint(Value self, Value *args, intptr_t nargs, Value kw) {
    StrIter *s = (StrIter *)self;
    return v_from_int(MAX(str_len(ref_peek(&s->str)) - LOAD_RELAXED(&s->next), 0));
}
static Value mi_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    StrIter *s = (StrIter *)self;
    Value str = ref_peek(&s->str), iter = import_attr("builtins", "iter"), r = ABSENT;
    if (iter == ABSENT)
        return ABSENT;
    intptr_t i = LOAD_RELAXED(&s->next);
    Value inner = tuple_pack(1, str);
    if (inner != ABSENT)
        r = tuple_pack(3, iter, inner, v_from_int(MIN(i, str_len(str))));
    release(inner);
    release(iter);
    return r;
}
static Value mi_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    StrIter *s = (StrIter *)self;
    intptr_t i;
    if (num_as_index(args[0], &i, &exc_OverflowError) < 0)
        return ABSENT;
    STORE_RELAXED(&s->next, MIN(MAX(i, 0), str_len(ref_peek(&s->str))));
    return V_NONE;
}

static const NativeDef iter_methods[] = {
    {"__iter__", mi_iter, "($self, /)"},
    {"__next__", mi_next, "($self, /)"},
    {"__length_hint__", mi_length_hint, "($self, /)"},
    {"__reduce__", mi_reduce, "($self, /)"},
    {"__setstate__", mi_setstate, "($self, state, /)"},
    {NULL},
};
static const TypeSpec iter_spec = {
    .name = "str_iterator",
    .basic_size = sizeof(StrIter),
    .flags = TF_IMMUTABLE | TF_NO_NEW,
    .ops = &iter_ops,
    .methods = iter_methods,
};

void str_iter_init(void) {
    type_init_static(&str_iter_type, IDX_STR_ITER, &iter_spec);
    iter_register(&str_iter_type, iter_next);
}

/* ---- the type ---- */

static const NativeDef own_methods[] = {
    {"__new__", m_new, "($type, object=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)"},
    {"__add__", m_add, "($self, value, /)"},
    {"__mul__", m_mul, "($self, value, /)"},
    {"__rmul__", m_mul, "($self, value, /)"},
    {"__mod__", m_mod, "($self, value, /)"},
    {"__rmod__", m_rmod, "($self, value, /)"},
    {"__eq__", m_eq, "($self, value, /)"},
    {"__ne__", m_ne, "($self, value, /)"},
    {"__lt__", m_lt, "($self, value, /)"},
    {"__le__", m_le, "($self, value, /)"},
    {"__gt__", m_gt, "($self, value, /)"},
    {"__ge__", m_ge, "($self, value, /)"},
    {"__hash__", m_hash, "($self, /)"},
    {"__len__", m_len, "($self, /)"},
    {"__str__", m_str, "($self, /)"},
    {"__repr__", m_repr, "($self, /)"},
    {"__contains__", m_contains, "($self, key, /)"},
    {"__getitem__", m_getitem, "($self, key, /)"},
    {"__iter__", m_iter, "($self, /)"},
    {"__format__", m_dunder_format, "($self, format_spec, /)"},
    {"__sizeof__", m_sizeof, "($self, /)"},
    {"__getnewargs__", m_getnewargs, "($self, /)"},
    {"encode", m_encode, "($self, /, encoding='utf-8', errors='strict')"},
    {"format", m_format, "($self, /, *args, **kwargs)"},
    {"format_map", m_format_map, "($self, mapping, /)"},
    {NULL},
};
static NativeDef all_methods[ARRAY_LEN(own_methods) + 64];

static const TypeSpec spec = {
    .name = "str",
    .doc = "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
           "The text of an object, or bytes decoded with a codec and an error handler.",
    .basic_size = sizeof(Str) + sizeof(StrBuf *),
    .flags = TF_BASETYPE | TF_IMMUTABLE | TF_STR | TF_UNTRACKED,
    .ops = &str_ops,
    .methods = all_methods,
};

void str_init(void) {
    const NativeDef *parts[] = {own_methods, str_find_methods, str_case_methods};
    size_t k = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (const NativeDef *d = parts[i]; d->name != NULL; d++) {
            ASSERT(k + 1 < ARRAY_LEN(all_methods));
            all_methods[k++] = *d;
        }
    type_init_static(&str_type, IDX_STR, &spec);
}

/* _codecs: the registry and the codecs in C, for module codecs and package encodings. */
#include "object/bytes.h"
#include "object/codec.h"
#include "object/codec_registry.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/module.h"
#include "object/str.h"
#include "object/tuple.h"

/* The argument `errors`: NULL when absent or None. False with an exception. */
static bool errors_arg(const char *fn, Value *args, intptr_t nargs, intptr_t i, const char **out) {
    Value v = arg_at(args, nargs, i);
    *out = NULL;
    if (v == ABSENT || v == V_NONE)
        return true;
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "%s() argument %zd must be str or None, not %T", fn, i + 1, v);
        return false;
    }
    return (*out = str_utf8_nonul(v)) != NULL;
}
static bool name_arg(const char *fn, Value v, const char **out) {
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "%s() argument must be str, not %T", fn, v);
        return false;
    }
    return (*out = str_utf8_nonul(v)) != NULL;
}

/* (result, count); steals result. */
static Value pair(Value result, intptr_t n) {
    if (result == ABSENT)
        return ABSENT;
    Value p[2] = {result, v_from_int(n)};
    return tuple_from_steal(p, 2);
}

/* ---- registry ---- */

static Value f_register(Value self, Value *args, intptr_t nargs, Value kw) {
    return codec_register(args[0]) < 0 ? ABSENT : V_NONE;
}
static Value f_unregister(Value self, Value *args, intptr_t nargs, Value kw) {
    return codec_unregister(args[0]) < 0 ? ABSENT : V_NONE;
}
static Value f_lookup(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *name;
    return name_arg("lookup", args[0], &name) ? codec_lookup(name) : ABSENT;
}
static Value f_register_error(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *name;
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "register_error() argument 1 must be str, not %T", args[0]);
    return name_arg("register_error", args[0], &name) && codec_register_error(name, args[1]) == 0 ? V_NONE : ABSENT;
}
static Value f_lookup_error(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *name;
    return name_arg("lookup_error", args[0], &name) ? codec_lookup_error(name) : ABSENT;
}

static Value code(Value *args, intptr_t nargs, bool encode) {
    const char *names[2] = {"utf-8", NULL};
    for (int i = 0; i < 2; i++) {
        Value v = arg_at(args, nargs, i + 1);
        if (v == ABSENT)
            continue;
        if (!v_is_str(v))
            return err_set(&exc_TypeError, "%s() argument '%s' must be str, not %T", encode ? "encode" : "decode",
                           i == 0 ? "encoding" : "errors", v);
        if ((names[i] = str_utf8_nonul(v)) == NULL)
            return ABSENT;
    }
    return codec_call(args[0], names[0], names[1], encode, false);
}
static Value f_encode(Value self, Value *args, intptr_t nargs, Value kw) {
    return code(args, nargs, true);
}
static Value f_decode(Value self, Value *args, intptr_t nargs, Value kw) {
    return code(args, nargs, false);
}

/* ---- decoders ---- */

typedef enum Which { UTF8, UTF7, UTF16, UTF32, UNICODE_ESCAPE, RAW_UNICODE_ESCAPE, ASCII, LATIN1, ESCAPE } Which;

/* The data argument of the escape decoders may be a str: its UTF-8. */
static int data_open(ByteView *w, Value v, bool allow_str) {
    if (allow_str && v_is_str(v)) {
        size_t n;
        const char *p = str_utf8(v, &n);
        *w = (ByteView){.p = p, .n = (intptr_t)n};
        return p == NULL ? -1 : 0;
    }
    return view_open(w, v);
}

static Value decode(Which which, const char *fn, Value *args, intptr_t nargs, intptr_t final_at, bool final,
                    int order) {
    const char *errors;
    if (!errors_arg(fn, args, nargs, 1, &errors))
        return ABSENT;
    Value f = final_at < 0 ? ABSENT : arg_at(args, nargs, final_at);
    if (f != ABSENT) {
        int t = obj_truth(f);
        if (t < 0)
            return ABSENT;
        final = t;
    }
    ByteView w;
    if (data_open(&w, args[0], which == UNICODE_ESCAPE || which == RAW_UNICODE_ESCAPE || which == ESCAPE) < 0)
        return ABSENT;
    size_t n = (size_t)w.n, used = n;
    Value r = ABSENT;
    intptr_t warn = -1;
    switch (which) {
    case UTF8:
        r = codec_utf8_decode(w.p, n, errors, final, &used);
        break;
    case UTF7:
        r = codec_utf7_decode(w.p, n, errors, final, &used);
        break;
    case UTF16:
        r = codec_utf16_decode(w.p, n, errors, &order, final, &used);
        break;
    case UTF32:
        r = codec_utf32_decode(w.p, n, errors, &order, final, &used);
        break;
    case UNICODE_ESCAPE:
        r = codec_unicode_escape_decode(w.p, n, errors, final, &used);
        break;
    case RAW_UNICODE_ESCAPE:
        r = codec_raw_unicode_escape_decode(w.p, n, errors, final, &used);
        break;
    case ASCII:
        r = codec_ascii_decode(w.p, n, errors);
        break;
    case LATIN1:
        r = str_from_latin1(w.p, n);
        break;
    case ESCAPE:
        r = codec_escape_decode(w.p, n, errors, &warn);
        if (r != ABSENT && warn >= 0) {
            const char *at = w.p + warn + 1;
            int bad = *at >= '4' && *at <= '7'
                          ? err_warn(&exc_DeprecationWarning, 1, "invalid octal escape sequence '\\%.3s'", at)
                          : err_warn(&exc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", (uint8_t)*at);
            if (bad < 0) {
                release(r);
                r = ABSENT;
            }
        }
        break;
    }
    view_close(&w);
    return pair(r, (intptr_t)(final ? (size_t)n : used)); /* a handler may have put something shorter in its place */
}

#define DECODER(name, which, final_at, final, order)                       \
    static Value name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return decode(which, #name, args, nargs, final_at, final, order);  \
    }
DECODER(utf_8_decode, UTF8, 2, false, 0)
DECODER(utf_7_decode, UTF7, 2, false, 0)
DECODER(utf_16_decode, UTF16, 2, false, 0)
DECODER(utf_16_le_decode, UTF16, 2, false, -1)
DECODER(utf_16_be_decode, UTF16, 2, false, 1)
DECODER(utf_32_decode, UTF32, 2, false, 0)
DECODER(utf_32_le_decode, UTF32, 2, false, -1)
DECODER(utf_32_be_decode, UTF32, 2, false, 1)
DECODER(unicode_escape_decode, UNICODE_ESCAPE, 2, true, 0)
DECODER(raw_unicode_escape_decode, RAW_UNICODE_ESCAPE, 2, true, 0)
DECODER(ascii_decode, ASCII, -1, true, 0)
DECODER(latin_1_decode, LATIN1, -1, true, 0)
DECODER(escape_decode, ESCAPE, -1, true, 0)

/* utf_16_ex_decode, utf_32_ex_decode: (text, consumed, byteorder). */
static Value ex_decode(Value *args, intptr_t nargs, int size) {
    const char *errors;
    int order = 0, final = 0;
    Value o = arg_at(args, nargs, 2), f = arg_at(args, nargs, 3);
    if (!errors_arg(size == 2 ? "utf_16_ex_decode" : "utf_32_ex_decode", args, nargs, 1, &errors) ||
        (o != ABSENT && num_as_int(o, &order) < 0) || (f != ABSENT && (final = obj_truth(f)) < 0))
        return ABSENT;
    ByteView w;
    if (view_open(&w, args[0]) < 0)
        return ABSENT;
    size_t used;
    Value r = size == 2 ? codec_utf16_decode(w.p, (size_t)w.n, errors, &order, final, &used)
                        : codec_utf32_decode(w.p, (size_t)w.n, errors, &order, final, &used);
    view_close(&w);
    if (r == ABSENT)
        return ABSENT;
    Value t[3] = {r, v_from_int((int64_t)(final ? (size_t)w.n : used)), v_from_int(order)};
    return tuple_from_steal(t, 3);
}
static Value utf_16_ex_decode(Value self, Value *args, intptr_t nargs, Value kw) {
    return ex_decode(args, nargs, 2);
}
static Value utf_32_ex_decode(Value self, Value *args, intptr_t nargs, Value kw) {
    return ex_decode(args, nargs, 4);
}

static Value charmap_decode(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *errors;
    if (!errors_arg("charmap_decode", args, nargs, 1, &errors))
        return ABSENT;
    ByteView w;
    if (view_open(&w, args[0]) < 0)
        return ABSENT;
    Value r = codec_charmap_decode(w.p, (size_t)w.n, arg_at(args, nargs, 2), errors);
    intptr_t n = w.n;
    view_close(&w);
    return pair(r, n);
}

/* ---- encoders ---- */

static Value encode(Which which, const char *fn, Value *args, intptr_t nargs, int order) {
    const char *errors;
    Value s = args[0], r = ABSENT;
    if (!v_is_str(s))
        return err_set(&exc_TypeError, "%s() argument 1 must be str, not %T", fn, s);
    if (!errors_arg(fn, args, nargs, 1, &errors))
        return ABSENT;
    switch (which) {
    case UTF8:
        r = codec_utf8_encode(s, errors);
        break;
    case UTF7:
        r = codec_utf7_encode(s, errors);
        break;
    case UTF16:
        r = codec_utf16_encode(s, errors, order);
        break;
    case UTF32:
        r = codec_utf32_encode(s, errors, order);
        break;
    case UNICODE_ESCAPE:
        r = codec_unicode_escape_encode(s);
        break;
    case RAW_UNICODE_ESCAPE:
        r = codec_raw_unicode_escape_encode(s);
        break;
    case ASCII:
        r = codec_ascii_encode(s, errors);
        break;
    case LATIN1:
        r = codec_latin1_encode(s, errors);
        break;
    case ESCAPE:
        UNREACHABLE();
    }
    return pair(r, str_len(s));
}
#define ENCODER(name, which, order)                                        \
    static Value name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return encode(which, #name, args, nargs, order);                   \
    }
ENCODER(utf_8_encode, UTF8, 0)
ENCODER(utf_7_encode, UTF7, 0)
ENCODER(utf_16_le_encode, UTF16, -1)
ENCODER(utf_16_be_encode, UTF16, 1)
ENCODER(utf_32_le_encode, UTF32, -1)
ENCODER(utf_32_be_encode, UTF32, 1)
ENCODER(unicode_escape_encode, UNICODE_ESCAPE, 0)
ENCODER(raw_unicode_escape_encode, RAW_UNICODE_ESCAPE, 0)
ENCODER(ascii_encode, ASCII, 0)
ENCODER(latin_1_encode, LATIN1, 0)

static Value order_encode(Which which, const char *fn, Value *args, intptr_t nargs) {
    int order = 0;
    Value o = arg_at(args, nargs, 2);
    if (o != ABSENT && num_as_int(o, &order) < 0)
        return ABSENT;
    return encode(which, fn, args, nargs, order < 0 ? -1 : order > 0);
}
static Value utf_16_encode(Value self, Value *args, intptr_t nargs, Value kw) {
    return order_encode(UTF16, "utf_16_encode", args, nargs);
}
static Value utf_32_encode(Value self, Value *args, intptr_t nargs, Value kw) {
    return order_encode(UTF32, "utf_32_encode", args, nargs);
}

static Value charmap_encode(Value self, Value *args, intptr_t nargs, Value kw) {
    const char *errors;
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "charmap_encode() argument 1 must be str, not %T", args[0]);
    if (!errors_arg("charmap_encode", args, nargs, 1, &errors))
        return ABSENT;
    return pair(codec_charmap_encode(args[0], arg_at(args, nargs, 2), errors), str_len(args[0]));
}

/* What charmap_encode takes for a decoding table: a dict from character to byte. */
static Value charmap_build(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = args[0];
    if (!v_is_str(s))
        return err_set(&exc_TypeError, "charmap_build() argument must be str, not %T", s);
    Value d = dict_new();
    for (intptr_t i = 0; d != ABSENT && i < str_len(s) && i < 256; i++)
        if (str_at(s, i) != 0xfffe && dict_set(d, v_from_int(str_at(s, i)), v_from_int(i)) < 0) {
            release(d);
            return ABSENT;
        }
    return d;
}

static Value readbuffer_encode(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView w;
    if (data_open(&w, args[0], true) < 0)
        return ABSENT;
    Value r = bytes_from(w.p, (size_t)w.n);
    intptr_t n = w.n;
    view_close(&w);
    return pair(r, n);
}

static Value escape_encode(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_bytes(args[0]))
        return err_set(&exc_TypeError, "escape_encode() argument 1 must be bytes, not %T", args[0]);
    BytesBuilder b;
    char buf[8];
    bb_init(&b);
    const uint8_t *p = (const uint8_t *)bytes_data(args[0]);
    for (intptr_t i = 0; i < bytes_len(args[0]); i++) {
        int c = p[i];
        if (c == '\'' || c == '\\' || c == '\t' || c == '\n' || c == '\r') {
            bb_byte(&b, '\\');
            bb_byte(&b, c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
        } else if (c < 0x20 || c >= 0x7f)
            bb_bytes(&b, buf, (size_t)snprintf(buf, sizeof(buf), "\\x%02x", c));
        else
            bb_byte(&b, c);
    }
    return pair(bb_finish(&b), bytes_len(args[0]));
}

#define DECODE_SIG "($module, data, errors=None, final=False, /)"
#define DECODE_FINAL_SIG "($module, data, errors=None, final=True, /)"
#define DECODE_ALL_SIG "($module, data, errors=None, /)"
#define ENCODE_SIG "($module, str, errors=None, /)"
static const NativeDef functions[] = {
    {"register", f_register, "($module, search_function, /)"},
    {"unregister", f_unregister, "($module, search_function, /)"},
    {"lookup", f_lookup, "($module, encoding, /)"},
    {"encode", f_encode, "($module, /, obj, encoding='utf-8', errors='strict')"},
    {"decode", f_decode, "($module, /, obj, encoding='utf-8', errors='strict')"},
    {"register_error", f_register_error, "($module, errors, handler, /)"},
    {"lookup_error", f_lookup_error, "($module, name, /)"},
    {"utf_8_decode", utf_8_decode, DECODE_SIG},
    {"utf_7_decode", utf_7_decode, DECODE_SIG},
    {"utf_16_decode", utf_16_decode, DECODE_SIG},
    {"utf_16_le_decode", utf_16_le_decode, DECODE_SIG},
    {"utf_16_be_decode", utf_16_be_decode, DECODE_SIG},
    {"utf_16_ex_decode", utf_16_ex_decode, "($module, data, errors=None, byteorder=0, final=False, /)"},
    {"utf_32_decode", utf_32_decode, DECODE_SIG},
    {"utf_32_le_decode", utf_32_le_decode, DECODE_SIG},
    {"utf_32_be_decode", utf_32_be_decode, DECODE_SIG},
    {"utf_32_ex_decode", utf_32_ex_decode, "($module, data, errors=None, byteorder=0, final=False, /)"},
    {"unicode_escape_decode", unicode_escape_decode, DECODE_FINAL_SIG},
    {"raw_unicode_escape_decode", raw_unicode_escape_decode, DECODE_FINAL_SIG},
    {"ascii_decode", ascii_decode, DECODE_ALL_SIG},
    {"latin_1_decode", latin_1_decode, DECODE_ALL_SIG},
    {"escape_decode", escape_decode, DECODE_ALL_SIG},
    {"charmap_decode", charmap_decode, "($module, data, errors=None, mapping=None, /)"},
    {"utf_8_encode", utf_8_encode, ENCODE_SIG},
    {"utf_7_encode", utf_7_encode, ENCODE_SIG},
    {"utf_16_encode", utf_16_encode, "($module, str, errors=None, byteorder=0, /)"},
    {"utf_16_le_encode", utf_16_le_encode, ENCODE_SIG},
    {"utf_16_be_encode", utf_16_be_encode, ENCODE_SIG},
    {"utf_32_encode", utf_32_encode, "($module, str, errors=None, byteorder=0, /)"},
    {"utf_32_le_encode", utf_32_le_encode, ENCODE_SIG},
    {"utf_32_be_encode", utf_32_be_encode, ENCODE_SIG},
    {"unicode_escape_encode", unicode_escape_encode, ENCODE_SIG},
    {"raw_unicode_escape_encode", raw_unicode_escape_encode, ENCODE_SIG},
    {"ascii_encode", ascii_encode, ENCODE_SIG},
    {"latin_1_encode", latin_1_encode, ENCODE_SIG},
    {"charmap_encode", charmap_encode, "($module, str, errors=None, mapping=None, /)"},
    {"charmap_build", charmap_build, "($module, map, /)"},
    {"readbuffer_encode", readbuffer_encode, DECODE_ALL_SIG},
    {"escape_encode", escape_encode, "($module, data, errors=None, /)"},
    {NULL},
};

const ModuleSpec module__codecs = {.name = "_codecs", .functions = functions};

/* The registry of codecs and of error handlers; str.encode and bytes.decode. */
#include "object/codec_registry.h"
#include "object/codec_impl.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/module.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/tuple.h"
#include "tracer.h"

extern const NativeDef codec_error_handlers[];

/* Made once, at start-up; roots of the tracer. */
static Value search_path, cache, handlers;

static void codec_registry_visit(VisitFn visit, void *arg) {
    visit(search_path, arg);
    visit(cache, arg);
    visit(handlers, arg);
}

int codec_registry_init(void) {
    search_path = list_new(0);
    cache = dict_new();
    handlers = dict_new();
    if (search_path == ABSENT || cache == ABSENT || handlers == ABSENT)
        return -1;
    trace_register_roots(codec_registry_visit);
    for (const NativeDef *d = codec_error_handlers; d->name != NULL; d++) {
        Value f = native_new(d, ABSENT, ABSENT);
        if (f == ABSENT || dict_set_str(handlers, d->name, f) < 0)
            return -1;
        release(f);
    }
    return 0;
}

/* ---- error handlers ---- */

int codec_register_error(const char *name, Value handler) {
    if (!v_is_callable(handler)) {
        err_set(&exc_TypeError, "handler must be callable");
        return -1;
    }
    return dict_set_str(handlers, name, handler);
}
Value codec_lookup_error(const char *name) {
    Value v = dict_get_str(handlers, name != NULL ? name : "strict");
    if (v == ABSENT && !err_pending())
        err_set(&exc_LookupError, "unknown error handler name '%.400s'", name);
    return v;
}

/* ---- codecs ---- */

int codec_register(Value search) {
    if (!v_is_callable(search)) {
        err_set(&exc_TypeError, "argument must be callable");
        return -1;
    }
    return list_append(search_path, search);
}

int codec_unregister(Value search) {
    Value f;
    for (intptr_t i = 0; (f = list_get(search_path, i)) != ABSENT; i++) {
        release(f);
        if (f != search)
            continue;
        dict_clear(cache);
        Value gone = list_pop(search_path, i);
        if (gone == ABSENT)
            return -1;
        release(gone);
        break;
    }
    return 0;
}

/* Lower case; what is neither alphanumeric nor a point becomes one underscore between the parts. */
static Value normalize(const char *encoding) {
    StrBuilder b;
    sb_init(&b);
    bool gap = false;
    for (const char *p = encoding; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c >= 'A' && c <= 'Z')
            c += 32;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.')) {
            gap = true;
            continue;
        }
        if (gap && b.len > 0)
            sb_char(&b, '_');
        gap = false;
        sb_char(&b, c);
    }
    return sb_finish(&b);
}

Value codec_lookup(const char *encoding) {
    Value name = normalize(encoding), r = ABSENT;
    if (name == ABSENT)
        return ABSENT;
    int found = dict_lookup(cache, name, &r);
    if (found != 0) {
        release(name);
        return found > 0 ? r : ABSENT;
    }
    if (list_len(search_path) == 0) {
        Value m = import_module("encodings");
        if (m == ABSENT)
            goto done;
        release(m);
    }
    Value f;
    for (intptr_t i = 0; (f = list_get(search_path, i)) != ABSENT; i++) {
        r = obj_call1(f, name);
        release(f);
        if (r == ABSENT)
            goto done;
        if (r == V_NONE)
            continue;
        if (!v_is_tuple(r) || tuple_len(r) != 4) {
            release(r);
            r = err_set(&exc_TypeError, "codec search functions must return 4-tuples");
        } else if (dict_set(cache, name, r) < 0) {
            release(r);
            r = ABSENT;
        }
        goto done;
    }
    r = err_set(&exc_LookupError, "unknown encoding: %s", encoding);
done:
    release(name);
    return r;
}

typedef enum Builtin {
    CODEC_NONE,
    CODEC_UTF8,
    CODEC_ASCII,
    CODEC_LATIN1,
    CODEC_UTF16,
    CODEC_UTF16LE,
    CODEC_UTF16BE,
    CODEC_UTF32,
    CODEC_UTF32LE,
    CODEC_UTF32BE
} Builtin;

/* The codecs that need no import, by names as people write them. */
static Builtin builtin(const char *encoding) {
    static const struct {
        const char *name;
        Builtin codec;
    } names[] = {{"utf_8", CODEC_UTF8},        {"utf8", CODEC_UTF8},         {"ascii", CODEC_ASCII},
                 {"us_ascii", CODEC_ASCII},    {"latin_1", CODEC_LATIN1},    {"latin1", CODEC_LATIN1},
                 {"iso_8859_1", CODEC_LATIN1}, {"iso8859_1", CODEC_LATIN1},  {"utf_16", CODEC_UTF16},
                 {"utf16", CODEC_UTF16},       {"utf_16_le", CODEC_UTF16LE}, {"utf_16_be", CODEC_UTF16BE},
                 {"utf_32", CODEC_UTF32},      {"utf32", CODEC_UTF32},       {"utf_32_le", CODEC_UTF32LE},
                 {"utf_32_be", CODEC_UTF32BE}};
    char buf[16];
    size_t n = 0;
    if (encoding == NULL)
        return CODEC_UTF8;
    for (const char *p = encoding; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (n == sizeof(buf) - 1)
            return CODEC_NONE;
        if (c >= 'A' && c <= 'Z')
            c += 32;
        else if (c == '-')
            c = '_';
        buf[n++] = (char)c;
    }
    buf[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(buf, names[i].name) == 0)
            return names[i].codec;
    return CODEC_NONE;
}

/* Whether an entry of the registry says that it is no text encoding. */
static int is_text(Value entry, const char *encoding, bool encode) {
    Value flag;
    if (v_is_exact(entry, IDX_TUPLE))
        return 0;
    int r = obj_lookup_attr_str(entry, "_is_text_encoding", &flag);
    if (r <= 0)
        return r;
    r = obj_truth(flag);
    release(flag);
    if (r == 0)
        err_set(&exc_LookupError, "'%.400s' is not a text encoding; use %s to handle arbitrary codecs", encoding,
                encode ? "codecs.encode()" : "codecs.decode()");
    return r > 0 ? 0 : -1;
}

/* What a codec raised, when it is a plain exception with at most a text, becomes the cause of one that names the codec.
 */
static void explain_error(const char *what, const char *encoding) {
    Value exc = err_fetch();
    Type *t = type_of(exc);
    Value args = ref_load(exc, &((BaseExc *)exc)->args);
    intptr_t n = args == ABSENT ? 0 : tuple_len(args);
    bool plain = t->basic_size == exc_BaseException.basic_size &&
                 type_special(t, SP_INIT) == type_special(&exc_BaseException, SP_INIT) &&
                 type_special(t, SP_NEW) == type_special(&exc_BaseException, SP_NEW) && !attrs_have_any(exc) &&
                 (n == 0 || (n == 1 && v_is_str(tuple_get(args, 0))));
    Value text = plain ? obj_str(exc) : ABSENT;
    release(args);
    if (text == ABSENT) {
        if (plain)
            err_clear();
        err_restore(exc);
        return;
    }
    err_set(t, "%s with '%s' codec failed (%N: %S)", what, encoding, t, text);
    release(text);
    Value wrapped = err_fetch();
    exc_set_cause(wrapped, retained(exc));
    exc_set_context(wrapped, exc);
    err_restore(wrapped);
}

Value codec_call(Value obj, const char *encoding, const char *errors, bool encode, bool text_only) {
    Value entry = codec_lookup(encoding), r = ABSENT;
    if (entry == ABSENT)
        return ABSENT;
    if (text_only && is_text(entry, encoding, encode) < 0)
        goto done;
    Value f = tuple_get(entry, encode ? 0 : 1), args[2] = {obj, ABSENT};
    if (errors != NULL && (args[1] = str_from_c(errors)) == ABSENT)
        goto done;
    Value pair = obj_call(f, args, errors != NULL ? 2 : 1, ABSENT);
    release(args[1]);
    if (pair == ABSENT) {
        explain_error(encode ? "encoding" : "decoding", encoding);
        goto done;
    }
    if (!v_is_tuple(pair) || tuple_len(pair) != 2)
        err_set(&exc_TypeError, encode ? "encoder must return a tuple (object, integer)"
                                       : "decoder must return a tuple (object,integer)");
    else
        r = retained(tuple_get(pair, 0));
    release(pair);
done:
    release(entry);
    return r;
}

Value codec_encode(Value s, const char *encoding, const char *errors) {
    switch (builtin(encoding)) {
    case CODEC_UTF8:
        return codec_utf8_encode(s, errors);
    case CODEC_ASCII:
        return codec_ascii_encode(s, errors);
    case CODEC_LATIN1:
        return codec_latin1_encode(s, errors);
    case CODEC_UTF16:
        return codec_utf16_encode(s, errors, 0);
    case CODEC_UTF16LE:
        return codec_utf16_encode(s, errors, -1);
    case CODEC_UTF16BE:
        return codec_utf16_encode(s, errors, 1);
    case CODEC_UTF32:
        return codec_utf32_encode(s, errors, 0);
    case CODEC_UTF32LE:
        return codec_utf32_encode(s, errors, -1);
    case CODEC_UTF32BE:
        return codec_utf32_encode(s, errors, 1);
    case CODEC_NONE:
        break;
    }
    Value r = codec_call(s, encoding, errors, true, true);
    if (r == ABSENT || v_is_bytes(r))
        return r;
    if (v_is_bytearray(r)) {
        err_warn(&exc_RuntimeWarning, 1,
                 "encoder %s returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types",
                 encoding);
        Value b = err_pending() ? ABSENT : bytes_from_object(r);
        release(r);
        return b;
    }
    err_set(&exc_TypeError,
            "'%.400s' encoder returned '%T' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
            encoding, r);
    release(r);
    return ABSENT;
}

Value codec_decode(Value buffer, const char *encoding, const char *errors) {
    Builtin codec = builtin(encoding);
    if (codec == CODEC_NONE) {
        Value r = codec_call(buffer, encoding, errors, false, true);
        if (r != ABSENT && !v_is_str(r)) {
            err_set(&exc_TypeError,
                    "'%.400s' decoder returned '%T' instead of 'str'; use codecs.decode() to decode to arbitrary types",
                    encoding, r);
            release(r);
            return ABSENT;
        }
        return r;
    }
    ByteView w;
    if (view_open(&w, buffer) < 0)
        return ABSENT;
    size_t n = (size_t)w.n;
    int order = codec == CODEC_UTF16LE || codec == CODEC_UTF32LE   ? -1
                : codec == CODEC_UTF16BE || codec == CODEC_UTF32BE ? 1
                                                                   : 0;
    Value r;
    if (codec == CODEC_UTF8)
        r = codec_utf8_decode(w.p, n, errors, true, NULL);
    else if (codec == CODEC_ASCII)
        r = codec_ascii_decode(w.p, n, errors);
    else if (codec == CODEC_LATIN1)
        r = str_from_latin1(w.p, n);
    else if (codec <= CODEC_UTF16BE)
        r = codec_utf16_decode(w.p, n, errors, &order, true, NULL);
    else
        r = codec_utf32_decode(w.p, n, errors, &order, true, NULL);
    view_close(&w);
    return r;
}

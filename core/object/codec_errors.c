/* Error handlers: the built-in ones, and calling registered ones. */
#include "object/codec_impl.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/native.h"
#include "object/tuple.h"
#include "object/unicode.h"

Value err_unicode_encode(const char *encoding, Value s, intptr_t start, intptr_t end, const char *reason) {
    return exc_unicode_encode(encoding, s, start, end, reason);
}
Value err_unicode_decode(const char *encoding, const char *p, size_t n, intptr_t start, intptr_t end,
                         const char *reason) {
    Value b = bytes_from(p, n);
    if (b != ABSENT)
        exc_unicode_decode(encoding, b, start, end, reason);
    release(b);
    return ABSENT;
}

static ErrorMode error_mode(const char *errors) {
    static const char *const names[] = {"strict",         "ignore", "replace", "backslashreplace", "xmlcharrefreplace",
                                        "surrogateescape"};
    if (errors == NULL)
        return ERR_STRICT;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(errors, names[i]) == 0)
            return (ErrorMode)i;
    return ERR_CALL;
}

/* Calls the handler with the pending exception. Its answer: a replacement and a position, not yet checked against the
 * input. */
static bool call_handler(const char *errors, Value *handler, bool decoding, Value *repl, int64_t *pos, Value *exc_out) {
    Value exc = err_fetch();
    if (*handler == ABSENT && (*handler = codec_lookup_error(errors)) == ABSENT) {
        release(exc);
        return false;
    }
    Value r = obj_call1(*handler, exc);
    if (r == ABSENT) {
        release(exc);
        return false;
    }
    bool ok = v_is_tuple(r) && tuple_len(r) == 2;
    Value first = ok ? tuple_get(r, 0) : ABSENT;
    ok = ok && (v_is_str(first) || (!decoding && v_is_bytes(first))) && v_is_integer(tuple_get(r, 1));
    if (!ok)
        err_set(&exc_TypeError, decoding ? "decoding error handler must return (str, int) tuple"
                                         : "encoding error handler must return (str/bytes, int) tuple");
    else if (int_to_i64(tuple_get(r, 1), pos) != 0)
        *pos = INT64_MAX;
    if (ok) {
        *repl = retained(first);
        *exc_out = exc;
    } else
        release(exc);
    release(r);
    return ok;
}

/* ---- decoding ---- */

void decoding_init(Decoding *d, const char *encoding, const char *s, size_t n, const char *errors) {
    *d =
        (Decoding){.encoding = encoding, .errors = errors, .s = (const uint8_t *)s, .n = n, .mode = error_mode(errors)};
}
void decoding_done(Decoding *d) {
    release(d->input);
    release(d->handler);
}

bool decoding_error(Decoding *d, StrBuilder *out, size_t start, size_t end, const char *reason, size_t *pos) {
    *pos = end;
    switch (d->mode) {
    case ERR_IGNORE:
        return true;
    case ERR_REPLACE:
        sb_char(out, 0xfffd);
        return true;
    case ERR_BACKSLASH:
        for (size_t i = start; i < end; i++)
            sb_printf(out, "\\x%02x", d->s[i]);
        return true;
    case ERR_SURROGATEESCAPE: {
        size_t i = start;
        while (i < end && i < start + 4 && d->s[i] >= 0x80)
            sb_char(out, 0xdc00 + d->s[i++]);
        *pos = i;
        if (i > start)
            return true;
        break;
    }
    default:
        break;
    }
    if (d->input == ABSENT) {
        if ((d->input = bytes_from((const char *)d->s, d->n)) == ABSENT)
            return false;
        d->s = (const uint8_t *)bytes_data(d->input);
    }
    exc_unicode_decode(d->encoding, d->input, (intptr_t)start, (intptr_t)end, reason);
    if (d->mode == ERR_STRICT || d->mode == ERR_SURROGATEESCAPE)
        return false;
    const char *name = d->mode == ERR_XMLCHARREF ? "xmlcharrefreplace" : d->errors;
    Value repl, exc;
    int64_t p;
    if (!call_handler(name, &d->handler, true, &repl, &p, &exc))
        return false;
    Value object = ref_load(exc, &((UnicodeErrorExc *)exc)->object);
    release(exc);
    if (!v_is_bytes(object)) {
        release(object);
        release(repl);
        err_set(&exc_TypeError, "exception attribute object must be bytes");
        return false;
    }
    release(d->input);
    d->input = object;
    d->s = (const uint8_t *)bytes_data(object);
    d->n = (size_t)bytes_len(object);
    if (p < 0)
        p += (int64_t)d->n;
    if (p < 0 || p > (int64_t)d->n) {
        release(repl);
        err_set(&exc_IndexError, "position %zd from error handler out of bounds", (intptr_t)p);
        return false;
    }
    sb_str(out, repl);
    release(repl);
    *pos = (size_t)p;
    return true;
}

/* ---- encoding ---- */

void encoding_init(Encoding *e, const char *encoding, Value str, const char *errors) {
    *e = (Encoding){.encoding = encoding, .errors = errors, .str = str, .mode = error_mode(errors)};
}
void encoding_done(Encoding *e) {
    release(e->handler);
}

static void add_escape(StrBuilder *b, uint32_t c) {
    sb_printf(b, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

bool encoding_error(Encoding *e, intptr_t start, intptr_t end, const char *reason, Value *repl, intptr_t *pos) {
    *pos = end;
    *repl = ABSENT;
    StrBuilder b;
    switch (e->mode) {
    case ERR_IGNORE:
        return true;
    case ERR_REPLACE:
    case ERR_BACKSLASH:
    case ERR_XMLCHARREF:
        sb_init(&b);
        for (intptr_t i = start; i < end; i++)
            if (e->mode == ERR_REPLACE)
                sb_char(&b, '?');
            else if (e->mode == ERR_BACKSLASH)
                add_escape(&b, str_at(e->str, i));
            else
                sb_printf(&b, "&#%u;", str_at(e->str, i));
        return (*repl = sb_finish(&b)) != ABSENT;
    case ERR_SURROGATEESCAPE: {
        intptr_t i = start;
        while (i < end && str_at(e->str, i) >= 0xdc80 && str_at(e->str, i) <= 0xdcff)
            i++;
        if (i == start)
            break;
        if ((*repl = bytes_from(NULL, (size_t)(i - start))) == ABSENT)
            return false;
        for (intptr_t k = start; k < i; k++)
            bytes_data(*repl)[k - start] = (char)(str_at(e->str, k) - 0xdc00);
        *pos = i;
        return true;
    }
    default:
        break;
    }
    exc_unicode_encode(e->encoding, e->str, start, end, reason);
    if (e->mode != ERR_CALL)
        return false;
    int64_t p;
    Value exc;
    if (!call_handler(e->errors, &e->handler, false, repl, &p, &exc))
        return false;
    release(exc);
    if (p < 0)
        p += str_len(e->str);
    if (p < 0 || p > str_len(e->str)) {
        release(*repl);
        err_set(&exc_IndexError, "position %zd from error handler out of bounds", (intptr_t)p);
        return false;
    }
    *pos = (intptr_t)p;
    return true;
}

/* ---- the handlers as Python functions ---- */

static UnicodeErrorExc *unicode_error(Value v, Type *t) {
    return type_is_subtype(type_of(v), t) ? (UnicodeErrorExc *)v : NULL;
}
static Value cannot_handle(Value exc) {
    return err_set(&exc_TypeError, "don't know how to handle %T in error callback", exc);
}
/* A UnicodeError itself has neither object nor range. */
static bool has_range(Value exc) {
    return unicode_error(exc, &exc_UnicodeEncodeError) || unicode_error(exc, &exc_UnicodeDecodeError) ||
           unicode_error(exc, &exc_UnicodeTranslateError);
}
/* The range of the error, which has one, clipped to the object: bytes of a decoding error, else str. Owned object;
 * ABSENT with TypeError. */
static Value error_range(Value exc, intptr_t *start, intptr_t *end) {
    UnicodeErrorExc *e = (UnicodeErrorExc *)exc;
    bool decoding = unicode_error(exc, &exc_UnicodeDecodeError) != NULL;
    ExclCs cs;
    excl_read_begin(&cs, exc);
    Value object = ref_load(exc, &e->object);
    intptr_t lo = e->start, hi = e->end;
    excl_read_end(&cs);
    if (object == ABSENT)
        return err_set(&exc_TypeError, "object attribute not set");
    if (decoding ? !v_is_bytes(object) : !v_is_str(object)) {
        release(object);
        return err_set(&exc_TypeError, "object attribute must be %s", decoding ? "bytes" : "unicode");
    }
    intptr_t n = decoding ? bytes_len(object) : str_len(object);
    *start = lo < 0 ? 0 : lo >= n ? MAX(n - 1, 0) : lo;
    *end = MIN(MAX(hi, 1), n);
    return object;
}
static Value answer(Value repl, intptr_t pos) {
    if (repl == ABSENT)
        return ABSENT;
    Value pair[2] = {repl, v_from_int(pos)};
    return tuple_from_steal(pair, 2);
}

static Value h_strict(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_exc(args[0]))
        return err_set(&exc_TypeError, "codec must pass exception instance");
    return err_raise(retained(args[0]));
}

static Value h_ignore(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!has_range(args[0]))
        return cannot_handle(args[0]);
    intptr_t start = 0, end = 0;
    Value o = error_range(args[0], &start, &end);
    if (o == ABSENT)
        return ABSENT;
    release(o);
    return answer(str_empty(), end);
}

static Value h_replace(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = args[0];
    if (!has_range(exc))
        return cannot_handle(exc);
    intptr_t start = 0, end = 0;
    Value o = error_range(exc, &start, &end);
    if (o == ABSENT)
        return ABSENT;
    release(o);
    StrBuilder b;
    sb_init(&b);
    if (unicode_error(exc, &exc_UnicodeEncodeError))
        sb_fill(&b, '?', end - start);
    else if (unicode_error(exc, &exc_UnicodeDecodeError))
        sb_char(&b, 0xfffd);
    else
        sb_fill(&b, 0xfffd, end - start);
    return answer(sb_finish(&b), end);
}

static Value h_xmlcharref(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = args[0];
    if (unicode_error(exc, &exc_UnicodeEncodeError) == NULL)
        return cannot_handle(exc);
    intptr_t start = 0, end = 0;
    Value o = error_range(exc, &start, &end);
    if (o == ABSENT)
        return ABSENT;
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = start; i < end; i++)
        sb_printf(&b, "&#%u;", str_at(o, i));
    release(o);
    return answer(sb_finish(&b), end);
}

static Value h_backslash(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = args[0];
    if (!has_range(exc))
        return cannot_handle(exc);
    intptr_t start = 0, end = 0;
    Value o = error_range(exc, &start, &end);
    if (o == ABSENT)
        return ABSENT;
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = start; i < end; i++)
        add_escape(&b, v_is_bytes(o) ? (uint8_t)bytes_data(o)[i] : str_at(o, i));
    release(o);
    return answer(sb_finish(&b), end);
}

static Value h_namereplace(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = args[0];
    if (unicode_error(exc, &exc_UnicodeEncodeError) == NULL)
        return cannot_handle(exc);
    intptr_t start = 0, end = 0;
    Value o = error_range(exc, &start, &end);
    if (o == ABSENT)
        return ABSENT;
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = start; i < end; i++) {
        char name[128];
        if (unicode_name(str_at(o, i), name, sizeof(name)))
            sb_printf(&b, "\\N{%s}", name);
        else
            add_escape(&b, str_at(o, i));
    }
    release(o);
    return answer(sb_finish(&b), end);
}

static Value h_surrogateescape(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = args[0];
    bool encode = unicode_error(exc, &exc_UnicodeEncodeError) != NULL;
    if (!encode && unicode_error(exc, &exc_UnicodeDecodeError) == NULL)
        return cannot_handle(exc);
    intptr_t start = 0, end = 0;
    Value o = error_range(exc, &start, &end), r;
    if (o == ABSENT)
        return ABSENT;
    if (encode) {
        BytesBuilder b;
        bb_init(&b);
        for (intptr_t i = start; i < end; i++) {
            uint32_t c = str_at(o, i);
            if (c < 0xdc80 || c > 0xdcff) {
                bb_free(&b);
                release(o);
                return err_raise(retained(exc));
            }
            bb_byte(&b, (int)(c - 0xdc00));
        }
        r = answer(bb_finish(&b), end);
    } else {
        StrBuilder b;
        sb_init(&b);
        intptr_t i = start;
        for (; i < end && i < start + 4 && (uint8_t)bytes_data(o)[i] >= 0x80; i++)
            sb_char(&b, 0xdc00u + (uint8_t)bytes_data(o)[i]);
        if (i == start) {
            sb_free(&b);
            release(o);
            return err_raise(retained(exc));
        }
        r = answer(sb_finish(&b), i);
    }
    release(o);
    return r;
}

/* Which of UTF-8, -16, -32 an encoding is: bytes per unit, negative little-endian; 0: none of them. */
static int utf_unit(Value name) {
    const char *p = v_is_str(name) ? str_utf8(name, NULL) : "";
    if (p == NULL) {
        err_clear();
        return 0;
    }
    if (strncasecmp(p, "utf", 3) != 0)
        return strcasecmp(p, "CP_UTF8") == 0 ? 1 : 0;
    p += 3;
    p += *p == '-' || *p == '_';
    if (strcmp(p, "8") == 0)
        return 1;
    int unit = strncmp(p, "16", 2) == 0 ? 2 : strncmp(p, "32", 2) == 0 ? 4 : 0;
    if (unit == 0)
        return 0;
    p += 2;
    if (*p == '\0')
        return -unit;
    p += *p == '-' || *p == '_';
    return strcasecmp(p, "be") == 0 ? unit : strcasecmp(p, "le") == 0 ? -unit : 0;
}

static Value h_surrogatepass(Value self, Value *args, intptr_t nargs, Value kw) {
    Value exc = args[0];
    bool encode = unicode_error(exc, &exc_UnicodeEncodeError) != NULL;
    if (!encode && unicode_error(exc, &exc_UnicodeDecodeError) == NULL)
        return cannot_handle(exc);
    intptr_t start = 0, end = 0;
    Value o = error_range(exc, &start, &end), r = ABSENT;
    if (o == ABSENT)
        return ABSENT;
    ExclCs cs;
    excl_read_begin(&cs, exc);
    Value name = ref_load(exc, &((UnicodeErrorExc *)exc)->encoding);
    excl_read_end(&cs);
    int unit = utf_unit(name), size = abs(unit);
    release(name);
    if (unit == 0) {
        release(o);
        return err_raise(retained(exc));
    }
    if (encode) {
        BytesBuilder b;
        bb_init(&b);
        for (intptr_t i = start; i < end; i++) {
            uint32_t c = str_at(o, i);
            if (c < 0xd800 || c > 0xdfff) {
                bb_free(&b);
                release(o);
                return err_raise(retained(exc));
            }
            if (size == 1) {
                bb_byte(&b, 0xe0 | (int)(c >> 12));
                bb_byte(&b, 0x80 | (int)(c >> 6 & 0x3f));
                bb_byte(&b, 0x80 | (int)(c & 0x3f));
            } else
                for (int k = 0; k < size; k++)
                    bb_byte(&b, (int)(c >> 8 * (unit < 0 ? k : size - 1 - k)) & 0xff);
        }
        r = answer(bb_finish(&b), end);
    } else {
        const uint8_t *p = (const uint8_t *)bytes_data(o) + start;
        intptr_t left = bytes_len(o) - start;
        uint32_t c = 0;
        int used = size == 1 ? 3 : size;
        if (left >= used) {
            if (size == 1) {
                if ((p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80)
                    c = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
            } else
                for (int k = 0; k < size; k++)
                    c |= (uint32_t)p[k] << 8 * (unit < 0 ? k : size - 1 - k);
        }
        if (c < 0xd800 || c > 0xdfff)
            err_raise(retained(exc));
        else
            r = answer(str_from_char(c), start + used);
    }
    release(o);
    return r;
}

const NativeDef codec_error_handlers[] = {
    {"strict", h_strict, "($module, exception, /)"},
    {"ignore", h_ignore, "($module, exception, /)"},
    {"replace", h_replace, "($module, exception, /)"},
    {"xmlcharrefreplace", h_xmlcharref, "($module, exception, /)"},
    {"backslashreplace", h_backslash, "($module, exception, /)"},
    {"namereplace", h_namereplace, "($module, exception, /)"},
    {"surrogateescape", h_surrogateescape, "($module, exception, /)"},
    {"surrogatepass", h_surrogatepass, "($module, exception, /)"},
    {NULL},
};

/* UTF-8, UTF-16, UTF-32, ASCII, Latin-1 and character maps. */
#include "base/utf8.h"
#include "object/codec_impl.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/str_impl.h"

/* ---- shared ---- */

static Value decoded(Decoding *d, StrBuilder *out, bool ok) {
    decoding_done(d);
    if (ok)
        return sb_finish(out);
    sb_free(out);
    return ABSENT;
}
static Value encoded(Encoding *e, BytesBuilder *out, bool ok) {
    encoding_done(e);
    if (ok)
        return bb_finish(out);
    bb_free(out);
    return ABSENT;
}

/* ---- UTF-8 ---- */

/* What is wrong at s[i]: the end of the bad bytes, and why. */
static const char *utf8_problem(const uint8_t *s, size_t n, size_t i, size_t *end) {
    uint8_t b = s[i];
    *end = i + 1;
    if (b < 0xc2 || b > 0xf4)
        return "invalid start byte";
    int need = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
    for (int k = 1; k <= need; k++) {
        if (i + (size_t)k >= n) {
            *end = n;
            return "unexpected end of data";
        }
        uint8_t c = s[i + (size_t)k], lo = 0x80, hi = 0xbf;
        if (k == 1) {
            if (b == 0xe0)
                lo = 0xa0;
            else if (b == 0xed)
                hi = 0x9f;
            else if (b == 0xf0)
                lo = 0x90;
            else if (b == 0xf4)
                hi = 0x8f;
        }
        if (c < lo || c > hi) {
            *end = i + (size_t)k;
            return "invalid continuation byte";
        }
    }
    return "invalid continuation byte";
}

Value codec_utf8_decode(const char *s, size_t n, const char *errors, bool final, size_t *consumed) {
    Decoding d;
    StrBuilder out;
    if (ascii_prefix((const uint8_t *)s, n) == n) {
        if (consumed != NULL)
            *consumed = n;
        return str_from_ascii(s, n);
    }
    decoding_init(&d, "utf-8", s, n, errors);
    sb_init(&out);
    size_t i = 0;
    bool ok = true;
    while (i < d.n) {
        size_t count, end;
        uint32_t max;
        size_t good = utf8_scan(d.s + i, d.n - i, &count, &max);
        if (i == 0 && good == d.n && d.input == ABSENT) { /* nothing wrong: no builder needed */
            decoding_done(&d);
            if (consumed != NULL)
                *consumed = n;
            return str_from_utf8(s, n);
        }
        if (good > 0) {
            out.non_ascii |= max >= 0x80;
            if (!sb_room(&out, count, str_kind_for(max)))
                break;
            str_fill_utf8((char *)out.data + out.len * (size_t)out.kind, out.kind, d.s + i, good);
            out.len += count;
            i += good;
            continue;
        }
        const char *why = utf8_problem(d.s, d.n, i, &end);
        if (!final && why[0] == 'u')
            break;
        if (!final && i + 2 == d.n && d.s[i] == 0xed && d.s[i + 1] >= 0xa0 && d.s[i + 1] <= 0xbf)
            break; /* the start of a surrogate, which surrogatepass may take */
        if (!(ok = decoding_error(&d, &out, i, end, why, &i)))
            break;
    }
    if (consumed != NULL)
        *consumed = i;
    return decoded(&d, &out, ok);
}

Value codec_utf8_encode(Value s, const char *errors) {
    intptr_t bad, n = str_len(s);
    size_t size = str_utf8_size(s, &bad);
    if (bad < 0) {
        Value b = bytes_from(NULL, size);
        if (b == ABSENT)
            return ABSENT;
        if (str_is_ascii(s))
            memcpy(bytes_data(b), str_data(s), size);
        else
            str_write_utf8(s, bytes_data(b));
        return b;
    }
    Encoding e;
    BytesBuilder out;
    encoding_init(&e, "utf-8", s, errors);
    bb_init(&out);
    for (intptr_t i = 0; i < n;) {
        uint32_t c = str_at(s, i);
        if (c < 0xd800 || c > 0xdfff) {
            if (!bb_room(&out, 4))
                break;
            out.len += (size_t)utf8_encode1((uint8_t *)out.data + out.len, c);
            i++;
            continue;
        }
        intptr_t end = i + 1, start = i;
        while (end < n && str_at(s, end) >= 0xd800 && str_at(s, end) <= 0xdfff)
            end++;
        Value repl;
        if (!encoding_error(&e, i, end, "surrogates not allowed", &repl, &i))
            return encoded(&e, &out, false);
        if (repl == ABSENT)
            continue;
        if (v_is_bytes(repl))
            bb_bytes(&out, bytes_data(repl), (size_t)bytes_len(repl));
        else if (str_is_ascii(repl))
            bb_bytes(&out, str_data(repl), (size_t)str_len(repl));
        else {
            release(repl);
            err_unicode_encode("utf-8", s, start, end, "surrogates not allowed");
            return encoded(&e, &out, false);
        }
        release(repl);
    }
    return encoded(&e, &out, true);
}

/* ---- UTF-16 and UTF-32 ---- */

#define NATIVE (-1) /* little-endian: all machines this runs on */

static uint32_t unit16(const uint8_t *p, int order) {
    return order < 0 ? p[0] | p[1] << 8 : p[1] | p[0] << 8;
}
static uint32_t unit32(const uint8_t *p, int order) {
    return order < 0 ? p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24
                     : p[3] | p[2] << 8 | p[1] << 16 | (uint32_t)p[0] << 24;
}

Value codec_utf16_decode(const char *s, size_t n, const char *errors, int *order, bool final, size_t *consumed) {
    Decoding d;
    StrBuilder out;
    int ord = order != NULL ? *order : 0;
    size_t i = 0, end = 0;
    if (ord == 0 && n >= 2) {
        uint32_t mark = unit16((const uint8_t *)s, -1);
        if (mark == 0xfeff || mark == 0xfffe) {
            ord = mark == 0xfeff ? -1 : 1;
            i = 2;
        }
    }
    int found = ord;
    if (ord == 0 && !(n < 2 && !final))
        found = 0;
    if (ord == 0)
        ord = NATIVE;
    decoding_init(&d, ord < 0 ? "utf-16-le" : "utf-16-be", s, n, errors);
    sb_init(&out);
    bool ok = true;
    while (ok && i < d.n) {
        const char *why;
        if (d.n - i < 2) {
            if (!final)
                break;
            why = "truncated data", end = d.n;
        } else {
            uint32_t c = unit16(d.s + i, ord);
            if (c < 0xd800 || c > 0xdfff) {
                sb_char(&out, c);
                i += 2;
                continue;
            }
            if (c >= 0xdc00)
                why = "illegal encoding", end = i + 2;
            else if (d.n - i < 4) {
                if (!final)
                    break;
                why = "unexpected end of data", end = d.n;
            } else {
                uint32_t low = unit16(d.s + i + 2, ord);
                if (low >= 0xdc00 && low <= 0xdfff) {
                    sb_char(&out, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
                    i += 4;
                    continue;
                }
                why = "illegal UTF-16 surrogate", end = i + 2;
            }
        }
        ok = decoding_error(&d, &out, i, end, why, &i);
    }
    if (consumed != NULL)
        *consumed = i;
    if (order != NULL && *order == 0)
        *order = found;
    return decoded(&d, &out, ok);
}

Value codec_utf32_decode(const char *s, size_t n, const char *errors, int *order, bool final, size_t *consumed) {
    Decoding d;
    StrBuilder out;
    int ord = order != NULL ? *order : 0;
    size_t i = 0, end = 0;
    if (ord == 0 && n >= 4) {
        uint32_t mark = unit32((const uint8_t *)s, -1);
        if (mark == 0xfeff || mark == 0xfffe0000) {
            ord = mark == 0xfeff ? -1 : 1;
            i = 4;
        }
    }
    int found = ord;
    if (ord == 0)
        ord = NATIVE;
    decoding_init(&d, ord < 0 ? "utf-32-le" : "utf-32-be", s, n, errors);
    sb_init(&out);
    bool ok = true;
    while (ok && i < d.n) {
        const char *why;
        if (d.n - i < 4) {
            if (!final)
                break;
            why = "truncated data", end = d.n;
        } else {
            uint32_t c = unit32(d.s + i, ord);
            end = i + 4;
            if (c >= 0xd800 && c <= 0xdfff)
                why = "code point in surrogate code point range(0xd800, 0xe000)";
            else if (c > 0x10ffff)
                why = "code point not in range(0x110000)";
            else {
                sb_char(&out, c);
                i += 4;
                continue;
            }
        }
        ok = decoding_error(&d, &out, i, end, why, &i);
    }
    if (consumed != NULL)
        *consumed = i;
    if (order != NULL && *order == 0)
        *order = found;
    return decoded(&d, &out, ok);
}

static void put_unit(BytesBuilder *b, uint32_t c, int size, int order) {
    for (int k = 0; k < size; k++)
        bb_byte(b, (int)(c >> 8 * (order < 0 ? k : size - 1 - k)) & 0xff);
}
static void put_wide(BytesBuilder *b, uint32_t c, int size, int order) {
    if (size == 2 && c >= 0x10000) {
        put_unit(b, 0xd800 + ((c - 0x10000) >> 10), 2, order);
        put_unit(b, 0xdc00 + ((c - 0x10000) & 0x3ff), 2, order);
    } else
        put_unit(b, c, size, order);
}

static Value wide_encode(Value s, const char *errors, int order, int size) {
    static const char *const names[2][3] = {{"utf-16-le", "utf-16", "utf-16-be"}, {"utf-32-le", "utf-32", "utf-32-be"}};
    const char *name = names[size == 4][order + 1];
    Encoding e;
    BytesBuilder out;
    encoding_init(&e, name, s, errors);
    bb_init(&out);
    bb_room(&out, (size_t)(str_len(s) + 1) * (size_t)size);
    if (order == 0) {
        order = NATIVE;
        put_unit(&out, 0xfeff, size, order);
    }
    for (intptr_t i = 0; i < str_len(s);) {
        uint32_t c = str_at(s, i);
        if (c < 0xd800 || c > 0xdfff) {
            put_wide(&out, c, size, order);
            i++;
            continue;
        }
        Value repl;
        intptr_t start = i;
        if (!encoding_error(&e, i, i + 1, "surrogates not allowed", &repl, &i))
            return encoded(&e, &out, false);
        if (repl == ABSENT)
            continue;
        bool ok = true;
        if (v_is_bytes(repl)) {
            ok = bytes_len(repl) % size == 0;
            if (ok)
                bb_bytes(&out, bytes_data(repl), (size_t)bytes_len(repl));
        } else {
            ok = str_is_ascii(repl);
            for (intptr_t k = 0; ok && k < str_len(repl); k++)
                put_unit(&out, str_at(repl, k), size, order);
        }
        release(repl);
        if (!ok) {
            err_unicode_encode(name, s, start, start + 1, "surrogates not allowed");
            return encoded(&e, &out, false);
        }
    }
    return encoded(&e, &out, true);
}
Value codec_utf16_encode(Value s, const char *errors, int order) {
    return wide_encode(s, errors, order, 2);
}
Value codec_utf32_encode(Value s, const char *errors, int order) {
    return wide_encode(s, errors, order, 4);
}

/* ---- ASCII and Latin-1 ---- */

Value codec_ascii_decode(const char *s, size_t n, const char *errors) {
    if (ascii_prefix((const uint8_t *)s, n) == n)
        return str_from_ascii(s, n);
    Decoding d;
    StrBuilder out;
    decoding_init(&d, "ascii", s, n, errors);
    sb_init(&out);
    bool ok = true;
    for (size_t i = 0; ok && i < d.n;) {
        size_t good = ascii_prefix(d.s + i, d.n - i);
        sb_ascii(&out, (const char *)d.s + i, good);
        i += good;
        if (i < d.n)
            ok = decoding_error(&d, &out, i, i + 1, "ordinal not in range(128)", &i);
    }
    return decoded(&d, &out, ok);
}

static Value narrow_encode(Value s, const char *errors, uint32_t limit) {
    intptr_t n = str_len(s);
    if (str_is_ascii(s) || (limit == 256 && str_kind(s) == 1))
        return bytes_from(n == 0 ? "" : str_data(s), (size_t)n);
    const char *name = limit == 128 ? "ascii" : "latin-1";
    const char *why = limit == 128 ? "ordinal not in range(128)" : "ordinal not in range(256)";
    Encoding e;
    BytesBuilder out;
    encoding_init(&e, name, s, errors);
    bb_init(&out);
    for (intptr_t i = 0; i < n;) {
        uint32_t c = str_at(s, i);
        if (c < limit) {
            bb_byte(&out, (int)c);
            i++;
            continue;
        }
        intptr_t start = i, end = i + 1;
        while (end < n && str_at(s, end) >= limit)
            end++;
        Value repl;
        if (!encoding_error(&e, i, end, why, &repl, &i))
            return encoded(&e, &out, false);
        if (repl == ABSENT)
            continue;
        bool ok = true;
        if (v_is_bytes(repl))
            bb_bytes(&out, bytes_data(repl), (size_t)bytes_len(repl));
        else if (str_is_ascii(repl) || (limit == 256 && str_kind(repl) == 1))
            bb_bytes(&out, str_data(repl), (size_t)str_len(repl));
        else
            ok = false;
        release(repl);
        if (!ok) {
            err_unicode_encode(name, s, start, end, why);
            return encoded(&e, &out, false);
        }
    }
    return encoded(&e, &out, true);
}
Value codec_ascii_encode(Value s, const char *errors) {
    return narrow_encode(s, errors, 128);
}
Value codec_latin1_encode(Value s, const char *errors) {
    return narrow_encode(s, errors, 256);
}

/* ---- character maps ---- */

/* What mapping says about key: owned, V_NONE when undefined; ABSENT with an exception. */
static Value map_get(Value mapping, uint32_t key) {
    Value v;
    if (v_is_exact(mapping, IDX_DICT)) {
        int r = dict_lookup(mapping, v_from_int(key), &v);
        return r < 0 ? ABSENT : r == 0 ? V_NONE : v;
    }
    v = obj_getitem(mapping, v_from_int(key));
    if (v == ABSENT && err_matches(&exc_LookupError)) {
        err_clear();
        return V_NONE;
    }
    return v;
}

Value codec_charmap_decode(const char *s, size_t n, Value mapping, const char *errors) {
    if (mapping == ABSENT || mapping == V_NONE)
        return str_from_latin1(s, n);
    Decoding d;
    StrBuilder out;
    decoding_init(&d, "charmap", s, n, errors);
    sb_init(&out);
    bool ok = true;
    for (size_t i = 0; ok && i < d.n;) {
        uint32_t b = d.s[i];
        bool undefined = false;
        if (v_is_exact(mapping, IDX_STR)) {
            uint32_t c = b < (uint32_t)str_len(mapping) ? str_at(mapping, b) : 0xfffe;
            undefined = c == 0xfffe;
            if (!undefined)
                sb_char(&out, c);
        } else {
            Value v = map_get(mapping, b);
            int64_t c;
            if (v == ABSENT)
                ok = false;
            else if (v == V_NONE)
                undefined = true;
            else if (v_is_integer(v)) {
                if (int_to_i64(v, &c) != 0 || c < 0 || c > 0x10ffff) {
                    err_set(&exc_TypeError, "character mapping must be in range(0x%lx)", 0x110000L);
                    ok = false;
                } else if (c == 0xfffe)
                    undefined = true;
                else
                    sb_char(&out, (uint32_t)c);
            } else if (v_is_str(v)) {
                undefined = str_len(v) == 1 && str_at(v, 0) == 0xfffe;
                if (!undefined)
                    sb_str(&out, v);
            } else {
                err_set(&exc_TypeError, "character mapping must return integer, None or str");
                ok = false;
            }
            release(v);
        }
        if (undefined)
            ok = decoding_error(&d, &out, i, i + 1, "character maps to <undefined>", &i);
        else
            i++;
    }
    return decoded(&d, &out, ok);
}

/* 1 encoded, 0 undefined, -1 error. */
static int map_char(BytesBuilder *out, Value mapping, uint32_t c) {
    Value v = map_get(mapping, c);
    int64_t b;
    int r = 1;
    if (v == ABSENT)
        return -1;
    if (v == V_NONE)
        return 0;
    if (v_is_integer(v)) {
        if (int_to_i64(v, &b) != 0 || b < 0 || b > 255) {
            err_set(&exc_TypeError, "character mapping must be in range(256)");
            r = -1;
        } else
            bb_byte(out, (int)b);
    } else if (v_is_bytes(v))
        bb_bytes(out, bytes_data(v), (size_t)bytes_len(v));
    else {
        err_set(&exc_TypeError, "character mapping must return integer, bytes or None, not %T", v);
        r = -1;
    }
    release(v);
    return r;
}

Value codec_charmap_encode(Value s, Value mapping, const char *errors) {
    if (mapping == ABSENT || mapping == V_NONE)
        return codec_latin1_encode(s, errors);
    Encoding e;
    BytesBuilder out;
    encoding_init(&e, "charmap", s, errors);
    bb_init(&out);
    intptr_t n = str_len(s);
    for (intptr_t i = 0; i < n;) {
        int r = map_char(&out, mapping, str_at(s, i));
        if (r < 0)
            return encoded(&e, &out, false);
        if (r > 0) {
            i++;
            continue;
        }
        intptr_t start = i, end = i + 1;
        while (end < n) {
            BytesBuilder probe;
            bb_init(&probe);
            r = map_char(&probe, mapping, str_at(s, end));
            bb_free(&probe);
            if (r != 0)
                break;
            end++;
        }
        Value repl;
        if (r < 0 || !encoding_error(&e, i, end, "character maps to <undefined>", &repl, &i))
            return encoded(&e, &out, false);
        if (repl == ABSENT)
            continue;
        r = 1;
        if (v_is_bytes(repl))
            bb_bytes(&out, bytes_data(repl), (size_t)bytes_len(repl));
        else
            for (intptr_t k = 0; r > 0 && k < str_len(repl); k++)
                r = map_char(&out, mapping, str_at(repl, k));
        release(repl);
        if (r == 0)
            err_unicode_encode("charmap", s, start, end, "character maps to <undefined>");
        if (r <= 0)
            return encoded(&e, &out, false);
    }
    return encoded(&e, &out, true);
}

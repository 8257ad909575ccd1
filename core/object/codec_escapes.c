/* unicode_escape, raw_unicode_escape, the escapes of bytes literals, UTF-7. */
#include "object/codec_impl.h"
#include "object/unicode.h"

static Value decoded(Decoding *d, StrBuilder *out, bool ok) {
    decoding_done(d);
    if (ok)
        return sb_finish(out);
    sb_free(out);
    return ABSENT;
}

static int hex_value(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* ---- unicode_escape ---- */

/* \x \u \U: digits from i on. Returns how many were found; *c the value. */
static size_t hex_run(Decoding *d, size_t i, size_t want, uint32_t *c) {
    size_t k = 0;
    *c = 0;
    while (k < want && i + k < d->n && hex_value(d->s[i + k]) >= 0)
        *c = *c << 4 | (uint32_t)hex_value(d->s[i + k++]);
    return k;
}

/* \N{name} with i behind the N. 1 decoded, 0 wrong (*end, *why), -1 incomplete. */
static int named(Decoding *d, size_t i, uint32_t *c, size_t *end, const char **why) {
    *why = "malformed \\N character escape";
    *end = i;
    if (i >= d->n)
        return -1;
    if (d->s[i] != '{')
        return 0;
    size_t j = i + 1;
    while (j < d->n && d->s[j] != '}')
        j++;
    *end = MIN(j + 1, d->n);
    if (j >= d->n)
        return -1;
    if (j == i + 1)
        return 0;
    int32_t found = unicode_lookup((const char *)d->s + i + 1, j - i - 1);
    *why = "unknown Unicode character name";
    if (found < 0)
        return 0;
    *c = (uint32_t)found;
    return 1;
}

Value codec_unicode_escape_decode(const char *s, size_t n, const char *errors, bool final, size_t *consumed) {
    Decoding d;
    StrBuilder out;
    decoding_init(&d, "unicodeescape", s, n, errors);
    sb_init(&out);
    bool ok = true;
    size_t i = 0;
    char bad_escape[3]; /* the first one, without its backslash; an error handler may replace the input */
    int bad_len = 0;
    while (ok && i < d.n) {
        if (d.s[i] != '\\') {
            sb_char(&out, d.s[i++]);
            continue;
        }
        size_t start = i++, end = i;
        const char *why;
        uint32_t c;
        if (i == d.n) {
            if (!final) {
                i = start;
                break;
            }
            why = "\\ at end of string";
            ok = decoding_error(&d, &out, start, d.n, why, &i);
            continue;
        }
        c = d.s[i++];
        switch (c) {
        case '\n':
            continue;
        case '\\':
        case '\'':
        case '"':
            break;
        case 'b':
            c = 8;
            break;
        case 'f':
            c = 12;
            break;
        case 't':
            c = 9;
            break;
        case 'n':
            c = 10;
            break;
        case 'r':
            c = 13;
            break;
        case 'v':
            c = 11;
            break;
        case 'a':
            c = 7;
            break;
        case '0':
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
        case '7':
            c -= '0';
            for (int k = 0; k < 2 && i < d.n && d.s[i] >= '0' && d.s[i] <= '7'; k++)
                c = c * 8 + (d.s[i++] - '0');
            if (c > 0377 && bad_len == 0)
                memcpy(bad_escape, d.s + start + 1, (size_t)(bad_len = 3));
            break;
        case 'x':
        case 'u':
        case 'U': {
            size_t want = c == 'x' ? 2 : c == 'u' ? 4 : 8, got = hex_run(&d, i, want, &c);
            end = i + got;
            why = want == 2   ? "truncated \\xXX escape"
                  : want == 4 ? "truncated \\uXXXX escape"
                              : "truncated \\UXXXXXXXX escape";
            if (got == want) {
                i = end;
                if (c <= 0x10ffff)
                    break;
                why = "illegal Unicode character";
            } else if (end == d.n && !final) {
                i = start;
                goto stop;
            }
            ok = decoding_error(&d, &out, start, end, why, &i);
            continue;
        }
        case 'N': {
            int r = named(&d, i, &c, &end, &why);
            if (r > 0) {
                i = end;
                break;
            }
            if (r < 0 && !final) {
                i = start;
                goto stop;
            }
            ok = decoding_error(&d, &out, start, end, why, &i);
            continue;
        }
        default:
            if (bad_len == 0)
                bad_escape[bad_len++] = (char)c;
            sb_char(&out, '\\');
        }
        sb_char(&out, c);
    }
stop:
    if (ok && bad_len > 0) {
        int r = bad_len > 1
                    ? err_warn(&exc_DeprecationWarning, 1, "invalid octal escape sequence '\\%.3s'", bad_escape)
                    : err_warn(&exc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", (uint8_t)bad_escape[0]);
        ok = r == 0;
    }
    if (consumed != NULL)
        *consumed = i;
    return decoded(&d, &out, ok);
}

Value codec_unicode_escape_encode(Value s) {
    BytesBuilder b;
    char buf[16];
    bb_init(&b);
    for (intptr_t i = 0; i < str_len(s); i++) {
        uint32_t c = str_at(s, i);
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            bb_byte(&b, (int)c);
            continue;
        }
        const char *f = c == '\\'     ? "\\\\"
                        : c == '\t'   ? "\\t"
                        : c == '\n'   ? "\\n"
                        : c == '\r'   ? "\\r"
                        : c < 0x100   ? "\\x%02x"
                        : c < 0x10000 ? "\\u%04x"
                                      : "\\U%08x";
        int n = c == '\\' || c == '\t' || c == '\n' || c == '\r' ? (int)strlen(strcpy(buf, f))
                                                                 : snprintf(buf, sizeof(buf), f, c);
        bb_bytes(&b, buf, (size_t)n);
    }
    return bb_finish(&b);
}

/* ---- raw_unicode_escape ---- */

Value codec_raw_unicode_escape_decode(const char *s, size_t n, const char *errors, bool final, size_t *consumed) {
    Decoding d;
    StrBuilder out;
    decoding_init(&d, "rawunicodeescape", s, n, errors);
    sb_init(&out);
    bool ok = true;
    size_t i = 0;
    while (ok && i < d.n) {
        if (d.s[i] != '\\') {
            sb_char(&out, d.s[i++]);
            continue;
        }
        if (i + 1 == d.n && !final)
            break;
        if (i + 1 < d.n && d.s[i + 1] == '\\') { /* an escaped backslash hides what follows */
            sb_ascii(&out, "\\\\", 2);
            i += 2;
            continue;
        }
        if (i + 1 == d.n || (d.s[i + 1] != 'u' && d.s[i + 1] != 'U')) {
            sb_char(&out, '\\');
            i++;
            if (i < d.n)
                sb_char(&out, d.s[i++]);
            continue;
        }
        uint32_t c;
        size_t want = d.s[i + 1] == 'u' ? 4 : 8, got = hex_run(&d, i + 2, want, &c), end = i + 2 + got;
        if (got == want && c <= 0x10ffff) {
            sb_char(&out, c);
            i = end;
            continue;
        }
        if (got < want && end == d.n && !final)
            break;
        ok = decoding_error(&d, &out, i, end,
                            got == want ? "\\Uxxxxxxxx out of range"
                            : want == 4 ? "truncated \\uXXXX escape"
                                        : "truncated \\UXXXXXXXX escape",
                            &i);
    }
    if (consumed != NULL)
        *consumed = i;
    return decoded(&d, &out, ok);
}

Value codec_raw_unicode_escape_encode(Value s) {
    BytesBuilder b;
    char buf[16];
    bb_init(&b);
    for (intptr_t i = 0; i < str_len(s); i++) {
        uint32_t c = str_at(s, i);
        if (c < 0x100)
            bb_byte(&b, (int)c);
        else
            bb_bytes(&b, buf, (size_t)snprintf(buf, sizeof(buf), c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
    }
    return bb_finish(&b);
}

/* ---- bytes literals ---- */

Value codec_escape_decode(const char *str, size_t n, const char *errors, intptr_t *warn) {
    const uint8_t *s = (const uint8_t *)str;
    BytesBuilder b;
    bb_init(&b);
    *warn = -1;
    for (size_t i = 0; i < n;) {
        if (s[i] != '\\') {
            bb_byte(&b, s[i++]);
            continue;
        }
        if (++i == n) {
            bb_free(&b);
            return err_set(&exc_ValueError, "Trailing \\ in string");
        }
        size_t start = i - 1;
        int c = s[i++];
        switch (c) {
        case '\n':
            continue;
        case '\\':
        case '\'':
        case '"':
            break;
        case 'b':
            c = 8;
            break;
        case 'f':
            c = 12;
            break;
        case 't':
            c = 9;
            break;
        case 'n':
            c = 10;
            break;
        case 'r':
            c = 13;
            break;
        case 'v':
            c = 11;
            break;
        case 'a':
            c = 7;
            break;
        case 'x':
            if (i + 1 < n && hex_value(s[i]) >= 0 && hex_value(s[i + 1]) >= 0) {
                c = hex_value(s[i]) << 4 | hex_value(s[i + 1]);
                i += 2;
                break;
            }
            if (i < n && hex_value(s[i]) >= 0)
                i++;
            if (errors == NULL || strcmp(errors, "strict") == 0) {
                bb_free(&b);
                return err_set(&exc_ValueError, "invalid \\x escape at position %zd", (intptr_t)start);
            }
            if (strcmp(errors, "replace") == 0)
                bb_byte(&b, '?');
            else if (strcmp(errors, "ignore") != 0) {
                bb_free(&b);
                return err_set(&exc_ValueError, "decoding error; unknown error handling code: %.400s", errors);
            }
            continue;
        default:
            if (c >= '0' && c <= '7') {
                c -= '0';
                for (int k = 0; k < 2 && i < n && s[i] >= '0' && s[i] <= '7'; k++)
                    c = c * 8 + (s[i++] - '0');
                if (c > 0377 && *warn < 0)
                    *warn = (intptr_t)start;
                c &= 0xff;
                break;
            }
            if (*warn < 0)
                *warn = (intptr_t)start;
            bb_byte(&b, '\\');
        }
        bb_byte(&b, c);
    }
    return bb_finish(&b);
}

/* ---- UTF-7 (RFC 2152) ---- */

static int base64_value(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}
/* Stands for itself outside base64. */
static bool direct7(uint32_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
           (c > 0 && c < 128 &&
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'(),-./:?!\"#$%&*;<=>@[]^_`{|}",
                   (int)c) != NULL);
}

Value codec_utf7_decode(const char *str, size_t n, const char *errors, bool final, size_t *consumed) {
    Decoding d;
    StrBuilder out;
    decoding_init(&d, "utf7", str, n, errors);
    sb_init(&out);
    bool ok = true, shifted = false;
    size_t i = 0, shift_start = 0, safe_i = 0, safe_len = 0;
    uint32_t bits = 0, high = 0;
    int nbits = 0;
    while (ok && i < d.n) {
        uint8_t c = d.s[i];
        const char *why = NULL;
        if (shifted) {
            int v = base64_value(c);
            if (v >= 0) {
                bits = bits << 6 | (uint32_t)v;
                nbits += 6;
                i++;
                if (nbits < 16)
                    continue;
                nbits -= 16;
                uint32_t u = bits >> nbits & 0xffff;
                bits &= (1u << nbits) - 1;
                if (high != 0) {
                    if (u >= 0xdc00 && u <= 0xdfff) {
                        sb_char(&out, 0x10000 + ((high - 0xd800) << 10) + (u - 0xdc00));
                        high = 0;
                        continue;
                    }
                    sb_char(&out, high);
                    high = 0;
                }
                if (u >= 0xd800 && u <= 0xdbff)
                    high = u;
                else
                    sb_char(&out, u);
                continue;
            }
            shifted = false;
            if (nbits >= 6)
                why = "partial character in base64 sequence";
            else if (nbits > 0 && bits != 0)
                why = "non-zero padding bits in base64 sequence";
            if (why != NULL) {
                ok = decoding_error(&d, &out, shift_start, i + 1, why, &i);
                high = 0;
                continue;
            }
            if (high != 0 && direct7(c)) {
                sb_char(&out, high);
            }
            high = 0;
            if (c == '-')
                i++;
            continue;
        }
        safe_i = i;
        safe_len = out.len;
        if (c == '+') {
            shift_start = i++;
            if (i < d.n && d.s[i] == '-') {
                sb_char(&out, '+');
                i++;
            } else if (i < d.n && base64_value(d.s[i]) < 0) {
                ok = decoding_error(&d, &out, shift_start, i + 1, "ill-formed sequence", &i);
            } else {
                shifted = true;
                bits = high = 0;
                nbits = 0;
            }
        } else if (c < 0x80) {
            sb_char(&out, c);
            i++;
        } else
            ok = decoding_error(&d, &out, i, i + 1, "unexpected special character", &i);
    }
    if (ok && shifted && final) {
        if (high != 0 || nbits >= 6 || (nbits > 0 && bits != 0))
            ok = decoding_error(&d, &out, shift_start, d.n, "unterminated shift sequence", &i);
    } else if (ok && shifted) { /* the whole sequence is for the next call */
        i = safe_i;
        out.len = safe_len;
    }
    if (consumed != NULL)
        *consumed = i;
    if (shifted && !final && ok) { /* what was cut off may have been all that was wide */
        Value v = str_from_kind(out.data, out.kind, out.len);
        sb_free(&out);
        decoding_done(&d);
        return v;
    }
    return decoded(&d, &out, ok);
}

Value codec_utf7_encode(Value s, const char *errors) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    BytesBuilder b;
    bb_init(&b);
    bool shifted = false;
    uint64_t bits = 0;
    int nbits = 0;
    intptr_t n = str_len(s);
    for (intptr_t i = 0; i < n; i++) {
        uint32_t c = str_at(s, i);
        if (shifted && direct7(c)) {
            if (nbits > 0)
                bb_byte(&b, digits[bits << (6 - nbits) & 63]);
            shifted = false;
            bits = 0;
            nbits = 0;
            if (base64_value((uint8_t)c) >= 0 || c == '-')
                bb_byte(&b, '-');
        }
        if (!shifted) {
            if (c == '+') {
                bb_bytes(&b, "+-", 2);
                continue;
            }
            if (direct7(c)) {
                bb_byte(&b, (int)c);
                continue;
            }
            bb_byte(&b, '+');
            shifted = true;
        }
        uint32_t units[2] = {c, 0};
        int k = 1;
        if (c >= 0x10000) {
            units[0] = 0xd800 + ((c - 0x10000) >> 10);
            units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
            k = 2;
        }
        for (int u = 0; u < k; u++) {
            bits = bits << 16 | units[u];
            nbits += 16;
            while (nbits >= 6) {
                nbits -= 6;
                bb_byte(&b, digits[bits >> nbits & 63]);
            }
            bits &= ((uint64_t)1 << nbits) - 1;
        }
    }
    if (nbits > 0)
        bb_byte(&b, digits[bits << (6 - nbits) & 63]);
    if (shifted)
        bb_byte(&b, '-');
    return bb_finish(&b);
}

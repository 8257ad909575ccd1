/* binascii: hexadecimal, base64, quoted-printable, uuencode, checksums. */
#include "object/bytes.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/module.h"
#include "object/str.h"
#include "tracer.h"

static Value error_class, incomplete_class;
static void roots(VisitFn visit, void *arg) {
    visit(error_class, arg);
    visit(incomplete_class, arg);
}
#define FAIL(...) err_set((Type *)error_class, __VA_ARGS__)

/* The argument of the decoders: bytes-like, or a str of ASCII. */
static int ascii_open(ByteView *w, Value v) {
    if (v_is_str(v)) {
        if (!str_is_ascii(v)) {
            err_set(&exc_ValueError, "string argument should contain only ASCII characters");
            return -1;
        }
        *w = (ByteView){.p = str_data(v), .n = str_len(v)};
        return 0;
    }
    if (!v_is_buffer(v)) {
        err_set(&exc_TypeError, "argument should be bytes, buffer or ASCII string, not '%T'", v);
        return -1;
    }
    return view_open(w, v);
}
/* An optional truth argument. */
static int flag(Value *args, intptr_t nargs, intptr_t i, int dflt) {
    Value v = arg_at(args, nargs, i);
    return v == ABSENT ? dflt : obj_truth(v);
}

/* ---- hexadecimal ---- */

static Value f_hexlify(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView w;
    if (view_open(&w, args[0]) < 0)
        return ABSENT;
    Value s = bytes_hex(w.p, w.n, arg_at(args, nargs, 1), arg_at(args, nargs, 2));
    view_close(&w);
    if (s == ABSENT)
        return ABSENT;
    Value b = bytes_from(str_data(s), (size_t)str_len(s));
    release(s);
    return b;
}

static int hex_value(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}
static Value f_unhexlify(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView w;
    if (ascii_open(&w, args[0]) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (w.n % 2 != 0)
        FAIL("Odd-length string");
    else if ((r = bytes_from(NULL, (size_t)w.n / 2)) != ABSENT)
        for (intptr_t i = 0; i < w.n; i += 2) {
            int hi = hex_value((uint8_t)w.p[i]), lo = hex_value((uint8_t)w.p[i + 1]);
            if (hi < 0 || lo < 0) {
                release(r);
                r = FAIL("Non-hexadecimal digit found");
                break;
            }
            bytes_data(r)[i / 2] = (char)(hi << 4 | lo);
        }
    view_close(&w);
    return r;
}

/* ---- base64 ---- */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static int8_t value64[256];

static Value f_b2a_base64(Value self, Value *args, intptr_t nargs, Value kw) {
    int newline = flag(args, nargs, 1, 1);
    ByteView w;
    if (newline < 0 || view_open(&w, args[0]) < 0)
        return ABSENT;
    const uint8_t *s = (const uint8_t *)w.p;
    size_t n = (size_t)w.n, i = 0;
    Value r = bytes_from(NULL, (n + 2) / 3 * 4 + (size_t)newline);
    if (r != ABSENT && (n > 0 || newline)) {
        char *d = bytes_data(r);
        for (; i + 2 < n; i += 3) {
            uint32_t u = (uint32_t)s[i] << 16 | (uint32_t)s[i + 1] << 8 | s[i + 2];
            *d++ = digits64[u >> 18];
            *d++ = digits64[u >> 12 & 63];
            *d++ = digits64[u >> 6 & 63];
            *d++ = digits64[u & 63];
        }
        if (i < n) {
            uint32_t u = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0);
            *d++ = digits64[u >> 18];
            *d++ = digits64[u >> 12 & 63];
            *d++ = i + 1 < n ? digits64[u >> 6 & 63] : '=';
            *d++ = '=';
        }
        if (newline)
            *d++ = '\n';
    }
    view_close(&w);
    return r;
}

static Value decode64(const uint8_t *s, size_t n, bool strict) {
    BytesBuilder b;
    bb_init(&b);
    bb_room(&b, n / 4 * 3 + 3);
    size_t i = 0;
    int pos = 0, pads = 0;
    uint32_t left = 0;
    bool padding = false;
    if (strict && n > 0 && s[0] == '=') {
        bb_free(&b);
        return FAIL("Leading padding not allowed");
    }
    for (; i < n; i++) {
        uint8_t c = s[i];
        if (c == '=') {
            padding = true;
            pads++;
            if (pos >= 2 && pos + pads >= 4) {
                if (strict && i + 1 < n) {
                    bb_free(&b);
                    return FAIL("Excess data after padding");
                }
                return bb_finish(&b);
            }
            continue;
        }
        signed char v = value64[c];
        if (v < 0) {
            if (strict) {
                bb_free(&b);
                return FAIL("Only base64 data is allowed");
            }
            continue;
        }
        if (strict && padding) {
            bb_free(&b);
            return FAIL("Discontinuous padding not allowed");
        }
        pads = 0;
        switch (pos) {
        case 0:
            left = (uint32_t)v;
            break;
        case 1:
            bb_byte(&b, (int)(left << 2 | (uint32_t)v >> 4));
            left = (uint32_t)v & 15;
            break;
        case 2:
            bb_byte(&b, (int)(left << 4 | (uint32_t)v >> 2));
            left = (uint32_t)v & 3;
            break;
        default:
            bb_byte(&b, (int)(left << 6 | (uint32_t)v));
        }
        pos = (pos + 1) & 3;
    }
    if (pos == 0)
        return bb_finish(&b);
    size_t chars = b.len / 3 * 4 + 1;
    bb_free(&b);
    if (pos == 1)
        return FAIL(
            "Invalid base64-encoded string: number of data characters (%zd) cannot be 1 more than a multiple of 4",
            (intptr_t)chars);
    return FAIL("Incorrect padding");
}
static Value f_a2b_base64(Value self, Value *args, intptr_t nargs, Value kw) {
    int strict = flag(args, nargs, 1, 0);
    ByteView w;
    if (strict < 0 || ascii_open(&w, args[0]) < 0)
        return ABSENT;
    Value r = decode64((const uint8_t *)w.p, (size_t)w.n, strict);
    view_close(&w);
    return r;
}

/* ---- uuencode ---- */

static Value f_b2a_uu(Value self, Value *args, intptr_t nargs, Value kw) {
    int backtick = flag(args, nargs, 1, 0);
    ByteView w;
    if (backtick < 0 || view_open(&w, args[0]) < 0)
        return ABSENT;
    Value r = ABSENT;
    if (w.n > 45)
        FAIL("At most 45 bytes at once");
    else {
        BytesBuilder b;
        bb_init(&b);
#define UU(v) bb_byte(&b, backtick && (v) == 0 ? '`' : (int)(v) + ' ')
        UU(w.n);
        for (intptr_t i = 0; i < w.n; i += 3) {
            uint32_t u = (uint32_t)(uint8_t)w.p[i] << 16;
            u |= i + 1 < w.n ? (uint32_t)(uint8_t)w.p[i + 1] << 8 : 0;
            u |= i + 2 < w.n ? (uint8_t)w.p[i + 2] : 0;
            for (int k = 18; k >= 0; k -= 6)
                UU(u >> k & 63);
        }
#undef UU
        bb_byte(&b, '\n');
        r = bb_finish(&b);
    }
    view_close(&w);
    return r;
}

static Value f_a2b_uu(Value self, Value *args, intptr_t nargs, Value kw) {
    ByteView w;
    if (ascii_open(&w, args[0]) < 0)
        return ABSENT;
    const uint8_t *s = (const uint8_t *)w.p, *end = s + w.n;
    size_t want = (size_t)((s < end ? *s++ : 0) - ' ') & 63;
    BytesBuilder b;
    bb_init(&b);
    uint32_t left = 0;
    int bits = 0;
    Value r = ABSENT;
    while (b.len < want && !b.failed) {
        uint32_t v = 0;
        if (s < end) {
            uint8_t c = *s++;
            if (c == '\n' || c == '\r')
                s--; /* a short line: spaces at its end were cut off */
            else if (c < ' ' || c > ' ' + 64) {
                FAIL("Illegal char");
                goto done;
            } else
                v = (uint32_t)(c - ' ') & 63;
        }
        left = left << 6 | v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bb_byte(&b, (int)(left >> bits) & 0xff);
            left &= (1u << bits) - 1;
        }
    }
    for (; s < end; s++)
        if (*s != ' ' && *s != ' ' + 64 && *s != '\n' && *s != '\r') {
            FAIL("Trailing garbage");
            goto done;
        }
    r = bb_finish(&b);
done:
    bb_free(&b);
    view_close(&w);
    return r;
}

/* ---- quoted-printable (RFC 1521) ---- */

static Value f_a2b_qp(Value self, Value *args, intptr_t nargs, Value kw) {
    int header = flag(args, nargs, 1, 0);
    ByteView w;
    if (header < 0 || ascii_open(&w, args[0]) < 0)
        return ABSENT;
    const uint8_t *s = (const uint8_t *)w.p;
    intptr_t n = w.n, i = 0;
    BytesBuilder b;
    bb_init(&b);
    while (i < n) {
        if (s[i] == '=') {
            if (++i >= n)
                break;
            if (s[i] == '\n' || s[i] == '\r') { /* soft line break */
                while (i < n && s[i] != '\n')
                    i++;
                if (i < n)
                    i++;
            } else if (s[i] == '=') {
                bb_byte(&b, '=');
                i++;
            } else if (i + 1 < n && hex_value(s[i]) >= 0 && hex_value(s[i + 1]) >= 0) {
                bb_byte(&b, hex_value(s[i]) << 4 | hex_value(s[i + 1]));
                i += 2;
            } else
                bb_byte(&b, '=');
        } else {
            bb_byte(&b, header && s[i] == '_' ? ' ' : s[i]);
            i++;
        }
    }
    view_close(&w);
    return bb_finish(&b);
}

static void quote(BytesBuilder *b, uint8_t c) {
    bb_byte(b, '=');
    bb_byte(b, "0123456789ABCDEF"[c >> 4]);
    bb_byte(b, "0123456789ABCDEF"[c & 15]);
}

static Value f_b2a_qp(Value self, Value *args, intptr_t nargs, Value kw) {
    int tabs = flag(args, nargs, 1, 0), text = flag(args, nargs, 2, 1), header = flag(args, nargs, 3, 0);
    ByteView w;
    if (tabs < 0 || text < 0 || header < 0 || view_open(&w, args[0]) < 0)
        return ABSENT;
    const uint8_t *s = (const uint8_t *)w.p;
    intptr_t n = w.n, i = 0, line = 0;
    const int max = 76;
    /* Line ends are written as the first one found is. */
    const uint8_t *nl = n > 0 ? memchr(s, '\n', (size_t)n) : NULL;
    bool crlf = nl != NULL && nl > s && nl[-1] == '\r';
    BytesBuilder b;
    bb_init(&b);
#define END_LINE()             \
    do {                       \
        if (crlf)              \
            bb_byte(&b, '\r'); \
        bb_byte(&b, '\n');     \
        line = 0;              \
    } while (0)
#define SOFT_BREAK(width)        \
    if (line + (width) >= max) { \
        bb_byte(&b, '=');        \
        END_LINE();              \
    }
    while (i < n) {
        uint8_t c = s[i];
        bool next_ends = i + 1 == n || s[i + 1] == '\n' || (crlf && s[i + 1] == '\r' && i + 2 < n && s[i + 2] == '\n');
        if (c > 126 || c == '=' || (header && c == '_') ||
            (c == '.' && line == 0 && (i + 1 == n || s[i + 1] == '\n' || s[i + 1] == '\r' || s[i + 1] == 0)) ||
            (!text && (c == '\r' || c == '\n')) || ((c == '\t' || c == ' ') && i + 1 == n) ||
            (c < 33 && c != '\r' && c != '\n' && c != '\t' && c != ' ') ||
            (c < 33 && (tabs && (c == '\t' || c == ' ')))) {
            SOFT_BREAK(3);
            quote(&b, c);
            line += 3;
            i++;
        } else if (text && (c == '\n' || (c == '\r' && i + 1 < n && s[i + 1] == '\n'))) {
            /* white space before a line end is quoted */
            if (b.len > 0 && line > 0 && (b.data[b.len - 1] == ' ' || b.data[b.len - 1] == '\t')) {
                uint8_t space = (uint8_t)b.data[--b.len];
                quote(&b, space);
            }
            END_LINE();
            i += c == '\r' ? 2 : 1;
        } else {
            if (!next_ends) {
                SOFT_BREAK(1);
            }
            line++;
            bb_byte(&b, header && c == ' ' ? '_' : c);
            i++;
        }
    }
#undef END_LINE
#undef SOFT_BREAK
    view_close(&w);
    return bb_finish(&b);
}

/* ---- checksums ---- */

static uint32_t crc_table[8][256];

static void tables_init(void) {
    memset(value64, -1, sizeof(value64));
    for (int i = 0; i < 64; i++)
        value64[(uint8_t)digits64[i]] = (int8_t)i;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        crc_table[0][i] = c;
    }
    for (int t = 1; t < 8; t++)
        for (uint32_t i = 0; i < 256; i++)
            crc_table[t][i] = crc_table[t - 1][i] >> 8 ^ crc_table[0][crc_table[t - 1][i] & 0xff];
}

/* Eight bytes at a time (Kounavis and Berry, "A systematic approach to building high performance software-based CRC
 * generators", 2005). */
static uint32_t crc32(uint32_t crc, const uint8_t *p, size_t n) {
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + 4, 4);
        a ^= crc;
        crc = crc_table[7][a & 0xff] ^ crc_table[6][a >> 8 & 0xff] ^ crc_table[5][a >> 16 & 0xff] ^
              crc_table[4][a >> 24] ^ crc_table[3][b & 0xff] ^ crc_table[2][b >> 8 & 0xff] ^
              crc_table[1][b >> 16 & 0xff] ^ crc_table[0][b >> 24];
    }
    while (n-- > 0)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 0xff];
    return ~crc;
}

/* The start value of a checksum: an int, modulo 2^32. */
static int start_value(Value v, uint32_t *out) {
    uint64_t u;
    Value n = num_index(v);
    if (n == ABSENT)
        return -1;
    int_to_u64_mask(n, &u);
    release(n);
    *out = (uint32_t)u;
    return 0;
}

static Value f_crc32(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t crc = 0;
    Buffer b;
    if ((nargs > 1 && args[1] != ABSENT && start_value(args[1], &crc) < 0) || buffer_get(args[0], &b, false) < 0)
        return ABSENT;
    if (b.len > 64 << 10) {
        DETACHED_BEGIN
        crc = crc32(crc, (const uint8_t *)b.data, (size_t)b.len);
        DETACHED_END
    } else
        crc = crc32(crc, (const uint8_t *)b.data, (size_t)b.len);
    buffer_release(&b);
    return v_from_int(crc);
}

static Value f_crc_hqx(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t crc;
    ByteView w;
    if (start_value(args[1], &crc) < 0 || view_open(&w, args[0]) < 0)
        return ABSENT;
    crc &= 0xffff;
    for (intptr_t i = 0; i < w.n; i++) {
        crc ^= (uint32_t)(uint8_t)w.p[i] << 8;
        for (int k = 0; k < 8; k++)
            crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1 & 0xffff;
    }
    view_close(&w);
    return v_from_int(crc);
}

static int exec(Value m) {
    if (error_class != ABSENT) /* a second import finds the same classes */
        return module_add(m, "Error", retained(error_class)) < 0 ||
                       module_add(m, "Incomplete", retained(incomplete_class)) < 0
                   ? -1
                   : 0;
    tables_init();
    error_class = exc_class_new("binascii.Error", &exc_ValueError);
    incomplete_class = exc_class_new("binascii.Incomplete", &exc_Exception);
    if (error_class == ABSENT || incomplete_class == ABSENT)
        return -1;
    publish(error_class);
    publish(incomplete_class);
    trace_register_roots(roots);
    return module_add(m, "Error", retained(error_class)) < 0 ||
                   module_add(m, "Incomplete", retained(incomplete_class)) < 0
               ? -1
               : 0;
}

#define HEX_SIG "($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)"
static const NativeDef functions[] = {
    {"hexlify", f_hexlify, HEX_SIG},
    {"b2a_hex", f_hexlify, HEX_SIG},
    {"unhexlify", f_unhexlify, "($module, hexstr, /)"},
    {"a2b_hex", f_unhexlify, "($module, hexstr, /)"},
    {"b2a_base64", f_b2a_base64, "($module, data, /, *, newline=True)"},
    {"a2b_base64", f_a2b_base64, "($module, data, /, *, strict_mode=False)"},
    {"b2a_uu", f_b2a_uu, "($module, data, /, *, backtick=False)"},
    {"a2b_uu", f_a2b_uu, "($module, data, /)"},
    {"b2a_qp", f_b2a_qp, "($module, /, data, quotetabs=False, istext=True, header=False)"},
    {"a2b_qp", f_a2b_qp, "($module, /, data, header=False)"},
    {"crc32", f_crc32, "($module, data, crc=0, /)"},
    {"crc_hqx", f_crc_hqx, "($module, data, crc, /)"},
    {NULL},
};
const ModuleSpec module_binascii = {
    .name = "binascii", .doc = "Conversion between binary data and ASCII", .functions = functions, .exec = exec};

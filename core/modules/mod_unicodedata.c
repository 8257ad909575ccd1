/* unicodedata: the Unicode database, by utf8proc (and ICU for names, widths and single-step decompositions). The object
 * ucd_3_2_0, which IDNA and stringprep use, is the same database without the characters that Unicode 3.2 did not have.
 */
#include <utf8proc.h>

#include "object/exc.h"
#include "object/float.h"
#include "object/int.h"
#include "object/module.h"
#include "object/str.h"
#include "object/unicode.h"

static Type ucd_type;

/* One character as argument; false with TypeError. */
static bool char_arg(const char *fn, Value v, bool only, uint32_t *c) {
    if (v_is_str(v) && str_len(v) == 1) {
        *c = str_at(v, 0);
        return true;
    }
    if (only)
        err_set(&exc_TypeError, "%s() argument must be a unicode character, not %T", fn, v);
    else
        err_set(&exc_TypeError, "%s() argument 1 must be a unicode character, not %T", fn, v);
    return false;
}
/* Not assigned in the database that self is. */
static bool unknown(Value self, uint32_t c) {
    return unicode_category(c) == UTF8PROC_CATEGORY_CN || (type_of(self) == &ucd_type && !unicode_in_3_2(c));
}

static Value or_default(Value *args, intptr_t nargs, const char *message) {
    return nargs > 1 && args[1] != ABSENT ? retained(args[1]) : err_set(&exc_ValueError, "%s", message);
}

static Value f_decimal(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    if (!char_arg("decimal", args[0], false, &c))
        return ABSENT;
    int d = unknown(self, c) ? -1 : unicode_decimal(c);
    return d >= 0 ? v_from_int(d) : or_default(args, nargs, "not a decimal");
}
static Value f_digit(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    if (!char_arg("digit", args[0], false, &c))
        return ABSENT;
    int d = unknown(self, c) ? -1 : unicode_digit(c);
    return d >= 0 ? v_from_int(d) : or_default(args, nargs, "not a digit");
}
static Value f_numeric(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    int64_t num;
    int32_t den;
    if (!char_arg("numeric", args[0], false, &c))
        return ABSENT;
    if (unknown(self, c) || !unicode_numeric(c, &num, &den))
        return or_default(args, nargs, "not a numeric character");
    return float_new((double)num / den);
}

static Value f_category(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    if (!char_arg("category", args[0], true, &c))
        return ABSENT;
    return str_from_c(unknown(self, c) ? "Cn" : utf8proc_category_string((utf8proc_int32_t)c));
}
static Value f_bidirectional(Value self, Value *args, intptr_t nargs, Value kw) {
    static const char *const names[] = {"",   "L",  "LRE", "LRO", "R", "AL", "RLE", "RLO", "PDF", "EN",  "ES",  "ET",
                                        "AN", "CS", "NSM", "BN",  "B", "S",  "WS",  "ON",  "LRI", "RLI", "FSI", "PDI"};
    uint32_t c;
    if (!char_arg("bidirectional", args[0], true, &c))
        return ABSENT;
    unsigned b = unknown(self, c) ? 0 : (unsigned)utf8proc_get_property((utf8proc_int32_t)c)->bidi_class;
    return str_from_c(b < ARRAY_LEN(names) ? names[b] : "");
}
static Value f_combining(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    if (!char_arg("combining", args[0], true, &c))
        return ABSENT;
    return v_from_int(unknown(self, c) ? 0 : utf8proc_get_property((utf8proc_int32_t)c)->combining_class);
}
static Value f_mirrored(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    if (!char_arg("mirrored", args[0], true, &c))
        return ABSENT;
    return v_from_int(!unknown(self, c) && utf8proc_get_property((utf8proc_int32_t)c)->bidi_mirrored);
}
static Value f_east_asian_width(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    if (!char_arg("east_asian_width", args[0], true, &c))
        return ABSENT;
    return str_from_c(unknown(self, c) ? "N" : unicode_east_asian_width(c));
}

static Value f_decomposition(Value self, Value *args, intptr_t nargs, Value kw) {
    static const char *const tags[] = {"",         "font",   "noBreak", "initial",  "medial",   "final",
                                       "isolated", "circle", "super",   "sub",      "vertical", "wide",
                                       "narrow",   "small",  "square",  "fraction", "compat"};
    uint32_t c, out[32];
    if (!char_arg("decomposition", args[0], true, &c))
        return ABSENT;
    int n = unknown(self, c) ? 0 : unicode_decomposition(c, out);
    if (n == 0)
        return str_empty();
    StrBuilder b;
    sb_init(&b);
    unsigned tag = (unsigned)utf8proc_get_property((utf8proc_int32_t)c)->decomp_type;
    if (tag > 0 && tag < ARRAY_LEN(tags))
        sb_printf(&b, "<%s> ", tags[tag]);
    for (int i = 0; i < n; i++)
        sb_printf(&b, i > 0 ? " %04X" : "%04X", out[i]);
    return sb_finish(&b);
}

/* ---- normalization ---- */

enum { FORM_NFC, FORM_NFKC, FORM_NFD, FORM_NFKD };
static int form_arg(Value v) {
    static const char *const names[] = {"NFC", "NFKC", "NFD", "NFKD"};
    if (v_is_str(v))
        for (int i = 0; i < 4; i++)
            if (str_equal_c(v, names[i]))
                return i;
    if (!v_is_str(v))
        err_set(&exc_TypeError, "normalize() argument 1 must be str, not %T", v);
    else
        err_set(&exc_ValueError, "invalid normalization form");
    return -1;
}

static int combining_class(int32_t c) {
    return utf8proc_get_property(c)->combining_class;
}

/* utf8proc takes U+11A7, which no syllable ends with, for a final consonant: what comes before it is composed apart. */
static intptr_t compose(int32_t *buf, intptr_t n) {
    intptr_t out = 0;
    for (intptr_t lo = 0, hi; lo < n; lo = hi) {
        hi = lo + 1;
        while (hi < n && buf[hi] != 0x11a7)
            hi++;
        memmove(buf + out, buf + lo, (size_t)(hi - lo) * sizeof(*buf));
        out += utf8proc_normalize_utf32(buf + out, hi - lo, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    }
    return out;
}

static Value normalize(Value self, int form, Value s) {
    intptr_t n = str_len(s), k = 0, room = n + n / 2 + 32;
    if (str_is_ascii(s))
        return str_exact(s);
    utf8proc_option_t options =
        UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (form == FORM_NFKC || form == FORM_NFKD ? UTF8PROC_COMPAT : 0);
    int32_t *buf = malloc((size_t)room * 4);
    if (buf == NULL)
        return err_no_memory();
    for (intptr_t i = 0; i < n; i++) {
        int32_t c = (int32_t)str_at(s, i);
        int last = 0;
        if (room - k < 32) {
            int32_t *more = realloc(buf, (size_t)(room = room * 2 + 64) * 4);
            if (more == NULL) {
                free(buf);
                return err_no_memory();
            }
            buf = more;
        }
        intptr_t d = unknown(self, (uint32_t)c) ? -1 : utf8proc_decompose_char(c, buf + k, room - k, options, &last);
        if (d < 0) {
            buf[k] = c;
            d = 1;
        }
        k += d;
    }
    /* Canonical order: runs of characters with a combining class are sorted by it, stably. */
    for (intptr_t i = 1; i < k; i++) {
        int32_t c = buf[i];
        int cc = combining_class(c);
        intptr_t j = i;
        while (cc != 0 && j > 0 && combining_class(buf[j - 1]) > cc) {
            buf[j] = buf[j - 1];
            j--;
        }
        buf[j] = c;
    }
    if (form == FORM_NFC || form == FORM_NFKC)
        k = compose(buf, k);
    Value r = str_from_kind(buf, 4, (size_t)k);
    free(buf);
    return r;
}

static Value f_normalize(Value self, Value *args, intptr_t nargs, Value kw) {
    int form = form_arg(args[0]);
    if (form < 0)
        return ABSENT;
    if (!v_is_str(args[1]))
        return err_set(&exc_TypeError, "normalize() argument 2 must be str, not %T", args[1]);
    return normalize(self, form, args[1]);
}
static Value f_is_normalized(Value self, Value *args, intptr_t nargs, Value kw) {
    int form = form_arg(args[0]);
    if (form < 0)
        return ABSENT;
    if (!v_is_str(args[1]))
        return err_set(&exc_TypeError, "is_normalized() argument 2 must be str, not %T", args[1]);
    Value n = normalize(self, form, args[1]);
    if (n == ABSENT)
        return ABSENT;
    Value r = v_bool(str_equal(n, args[1]));
    release(n);
    return r;
}

/* ---- names ---- */

static Value f_name(Value self, Value *args, intptr_t nargs, Value kw) {
    uint32_t c;
    char name[256];
    if (!char_arg("name", args[0], false, &c))
        return ABSENT;
    if (unknown(self, c) || !unicode_name(c, name, sizeof(name)))
        return or_default(args, nargs, "no such name");
    return str_from_c(name);
}
static Value f_lookup(Value self, Value *args, intptr_t nargs, Value kw) {
    size_t n;
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "lookup() argument must be str, not %T", args[0]);
    const char *name = str_utf8(args[0], &n);
    if (name == NULL)
        return ABSENT;
    if (n > 256)
        return err_set(&exc_KeyError, "name too long");
    int32_t c = unicode_lookup(name, n);
    if (c >= 0 && !unknown(self, (uint32_t)c))
        return str_from_char((uint32_t)c);
    Value text = str_format_c("undefined character name '%S'", args[0]);
    if (text != ABSENT)
        err_key(text);
    release(text);
    return ABSENT;
}

static Value g_version(Value self) {
    return str_from_c("3.2.0");
}

#define FUNCTIONS(self)                                                                                           \
    {"decimal", f_decimal, "(" self ", chr, default=<unrepresentable>, /)"},                                      \
        {"digit", f_digit, "(" self ", chr, default=<unrepresentable>, /)"},                                      \
        {"numeric", f_numeric, "(" self ", chr, default=<unrepresentable>, /)"},                                  \
        {"category", f_category, "(" self ", chr, /)"}, {"bidirectional", f_bidirectional, "(" self ", chr, /)"}, \
        {"combining", f_combining, "(" self ", chr, /)"}, {"mirrored", f_mirrored, "(" self ", chr, /)"},         \
        {"east_asian_width", f_east_asian_width, "(" self ", chr, /)"},                                           \
        {"decomposition", f_decomposition, "(" self ", chr, /)"},                                                 \
        {"is_normalized", f_is_normalized, "(" self ", form, unistr, /)"},                                        \
        {"normalize", f_normalize, "(" self ", form, unistr, /)"},                                                \
        {"name", f_name, "(" self ", chr, default=<unrepresentable>, /)"},                                        \
        {"lookup", f_lookup, "(" self ", name, /)"}, {                                                            \
        NULL                                                                                                      \
    }
static const NativeDef functions[] = {FUNCTIONS("$module")};
static const NativeDef methods[] = {FUNCTIONS("$self")};
static const GetSetDef getsets[] = {{"unidata_version", g_version, NULL, NULL}, {NULL}};
static const TypeSpec ucd_spec = {.name = "unicodedata.UCD",
                                  .basic_size = sizeof(Object),
                                  .flags = TF_IMMUTABLE | TF_NO_NEW | TF_UNTRACKED,
                                  .methods = methods,
                                  .getsets = getsets};

static int exec(Value m) {
    if (ucd_type.spec == NULL) { /* a second import finds the same classes */
        type_init_module_type(&ucd_type, &ucd_spec);
    }
    return module_add_str(m, "unidata_version", "14.0.0") < 0 || module_add(m, "UCD", retained(V_OF(&ucd_type))) < 0 ||
                   module_add(m, "ucd_3_2_0", obj_new(&ucd_type)) < 0
               ? -1
               : 0;
}
const ModuleSpec module_unicodedata = {.name = "unicodedata",
                                       .doc = "This module provides access to the Unicode Character Database.",
                                       .functions = functions,
                                       .exec = exec};

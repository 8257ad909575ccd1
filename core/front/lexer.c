#include "front/lexer.h"

#include "front/syntax_error.h"
#include "object/str.h"
#include "object/unicode.h"

#include <utf8proc.h>

const char *const token_texts[TOK_KIND_END] = {
#define OP_TEXT(n, s) [TOK_##n] = s,
    OPERATOR_TOKENS(OP_TEXT)
#undef OP_TEXT
#define KW_TEXT(n) [KW_##n] = #n,
        KEYWORD_TOKENS(KW_TEXT)
#undef KW_TEXT
};

/* ---- character classes ---- */

enum {
    C_ID = 1 /* continues an identifier */,
    C_DIGIT = 2,
    C_SPACE = 4,
    C_HEX = 8,
    C_QUOTE_STOP = 16 /* ends the scan of a string */
};

static const uint8_t cclass[256] = {
    ['0' ... '9'] = C_ID | C_DIGIT | C_HEX,
    ['a' ... 'f'] = C_ID | C_HEX,
    ['A' ... 'F'] = C_ID | C_HEX,
    ['g' ... 'z'] = C_ID,
    ['G' ... 'Z'] = C_ID,
    ['_'] = C_ID,
    [' '] = C_SPACE,
    ['\t'] = C_SPACE,
    ['\f'] = C_SPACE,
    ['\''] = C_QUOTE_STOP,
    ['"'] = C_QUOTE_STOP,
    ['\\'] = C_QUOTE_STOP,
    ['\n'] = C_QUOTE_STOP,
    [0] = C_QUOTE_STOP,
    [128 ... 255] = C_ID | C_QUOTE_STOP,
};
#define IS(c, m) (cclass[(unsigned char)(c)] & (m))

/* What a token that starts with this byte is. */
enum { S_BAD, S_NAME, S_PREFIX /* a letter that may start a string prefix */, S_NUMBER, S_QUOTE, S_OP };
static const uint8_t start_class[256] = {
    ['a'] = S_NAME,           ['b'] = S_PREFIX,       ['c' ... 'e'] = S_NAME, ['f'] = S_PREFIX,
    ['g' ... 'q'] = S_NAME,   ['r'] = S_PREFIX,       ['s' ... 't'] = S_NAME, ['u'] = S_PREFIX,
    ['v' ... 'z'] = S_NAME,   ['A'] = S_NAME,         ['B'] = S_PREFIX,       ['C' ... 'E'] = S_NAME,
    ['F'] = S_PREFIX,         ['G' ... 'Q'] = S_NAME, ['R'] = S_PREFIX,       ['S' ... 'T'] = S_NAME,
    ['U'] = S_PREFIX,         ['V' ... 'Z'] = S_NAME, ['_'] = S_NAME,         [128 ... 255] = S_NAME,
    ['0' ... '9'] = S_NUMBER, ['\''] = S_QUOTE,       ['"'] = S_QUOTE,
};

/* ---- identifiers ---- */

typedef struct NameEntry {
    uint64_t head; /* first 8 bytes */
    const char *text;
    uint32_t len;
    uint8_t kind, aux;
    Value value;
} NameEntry;

typedef struct NameTable {
    NameEntry *slots;
    uint32_t mask, used;
} NameTable;

static uint8_t keyword_kind(const char *s, size_t n) {
    if (n < 2 || n > 8)
        return TOK_NAME;
#define KW_TEST(k)                                                 \
    if (n == sizeof(#k) - 1 && memcmp(s, #k, sizeof(#k) - 1) == 0) \
        return KW_##k;
    KEYWORD_TOKENS(KW_TEST)
#undef KW_TEST
    return TOK_NAME;
}

static uint8_t soft_kind(const char *s, size_t n) {
    if (n == 1 && *s == '_')
        return SOFT_UNDERSCORE;
    if (n == 4 && memcmp(s, "case", 4) == 0)
        return SOFT_CASE;
    if (n == 4 && memcmp(s, "exec", 4) == 0)
        return LEGACY_EXEC;
    if (n == 5 && memcmp(s, "match", 5) == 0)
        return SOFT_MATCH;
    if (n == 5 && memcmp(s, "print", 5) == 0)
        return LEGACY_PRINT;
    return SOFT_NONE;
}

/* Reads up to 8 bytes: the source is padded. */
static ALWAYS_INLINE uint64_t head_word(const char *s, size_t n) {
    uint64_t w;
    memcpy(&w, s, 8);
    return n >= 8 ? w : w & ((1ull << (n * 8)) - 1);
}

static ALWAYS_INLINE uint32_t name_hash(uint64_t head, const char *s, size_t n) {
    uint64_t h = head * 0x9e3779b97f4a7c15ull;
    for (size_t i = 8; i < n; i += 8)
        h = (h ^ head_word(s + i, n - i)) * 0x9e3779b97f4a7c15ull ^ (h >> 29);
    h ^= n * 0x517cc1b727220a95ull;
    return (uint32_t)(h >> 32);
}

static bool names_grow(Arena *a, NameTable *t) {
    uint32_t size = (t->mask + 1) * 2;
    NameEntry *slots = arena_zalloc(a, size * sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i <= t->mask; i++) {
        NameEntry *e = &t->slots[i];
        if (e->text == NULL)
            continue;
        uint32_t h = name_hash(e->head, e->text, e->len) & (size - 1);
        while (slots[h].text != NULL)
            h = (h + 1) & (size - 1);
        slots[h] = *e;
    }
    t->slots = slots;
    t->mask = size - 1;
    return true;
}

/* Steals v. PEP 3131: identifiers are compared in their NFKC form. */
static Value normalize_name(Value v) {
    size_t n;
    const char *utf8 = v != ABSENT ? str_utf8(v, &n) : NULL;
    utf8proc_uint8_t *out = NULL;
    utf8proc_ssize_t len = -1;
    if (utf8 != NULL)
        len = utf8proc_map((const utf8proc_uint8_t *)utf8, (utf8proc_ssize_t)n, &out,
                           UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    release(v);
    if (len < 0) {
        if (utf8 != NULL)
            err_no_memory();
        return ABSENT;
    }
    Value r = str_from_utf8((const char *)out, (size_t)len);
    free(out);
    return r;
}

/* Value of a new name; raises for characters that no identifier has. */
static Value name_value(Lexer *lx, const char *s, size_t n) {
    bool ascii = true;
    for (size_t i = 0; i < n; i++)
        ascii &= (signed char)s[i] >= 0;
    Value v;
    if (ascii) {
        return str_intern_ascii(s, n);
    } else {
        v = str_from_utf8(s, n);
        if (v == ABSENT) {
            int offset = (int)(lx->cur - lx->line_start);
            lexer_unicode_error(lx, (AstPos){lx->lineno, 0, lx->lineno, 0}, offset, -1);
            return ABSENT;
        }
        if (!str_is_identifier(v)) {
            intptr_t bad = 0;
            for (intptr_t i = 1; i <= str_len(v); i++) {
                Value head = str_substr(v, 0, i);
                bool ok = head != ABSENT && str_is_identifier(head);
                release(head);
                if (!ok) {
                    bad = i - 1;
                    break;
                }
            }
            uint32_t c = str_at(v, bad);
            release(v);
            const char *q = s;
            for (intptr_t i = 0; i <= bad; i++)
                do
                    q++;
                while (((unsigned char)*q & 0xc0) == 0x80);
            const char *p = q - 1;
            while (((unsigned char)*p & 0xc0) == 0x80)
                p--;
            int offset = (int)(q - lx->line_start);
            lx->cur = q;
            if (unicode_is_printable(c))
                lexer_error_at(lx, &exc_SyntaxError, -lx->lineno, offset, lx->lineno, offset,
                               "invalid character '%.*s' (U+%04X)", (int)(q - p), p, c);
            else
                lexer_error_at(lx, &exc_SyntaxError, -lx->lineno, offset, lx->lineno, offset,
                               "invalid non-printable character U+%04X", c);
            return ABSENT;
        }
        v = normalize_name(v);
    }
    if (v == ABSENT)
        return ABSENT;
    return str_intern(v); /* immortal: the arena need not keep it */
}

static NOINLINE NameEntry *name_add(Lexer *lx, NameTable *t, uint32_t h, uint64_t head, const char *s, size_t n) {
    if (t->used * 4 >= (t->mask + 1) * 3) {
        if (!names_grow(lx->arena, t))
            return NULL;
        h = name_hash(head, s, n) & t->mask;
        while (t->slots[h].text != NULL)
            h = (h + 1) & t->mask;
    }
    uint8_t kind = keyword_kind(s, n);
    Value v = ABSENT;
    if (kind == TOK_NAME) {
        v = name_value(lx, s, n);
        if (v == ABSENT)
            return NULL;
    }
    t->used++;
    t->slots[h] = (NameEntry){head, s, (uint32_t)n, kind, soft_kind(s, n), v};
    return &t->slots[h];
}

static ALWAYS_INLINE NameEntry *name_entry(Lexer *lx, const char *s, size_t n) {
    NameTable *t = lx->arena->names;
    uint64_t head = head_word(s, n);
    uint32_t h = name_hash(head, s, n) & t->mask;
    for (;; h = (h + 1) & t->mask) {
        NameEntry *e = &t->slots[h];
        if (LIKELY(e->head == head && e->len == n)) {
            if (LIKELY(n <= 8) || memcmp(e->text + 8, s + 8, n - 8) == 0)
                return e;
        }
        if (e->text == NULL)
            return name_add(lx, t, h, head, s, n);
    }
}

Value lexer_name(Lexer *lx, const char *s, size_t n, uint8_t *kind, uint8_t *aux) {
    NameEntry *e = name_entry(lx, s, n);
    if (e == NULL)
        return ABSENT;
    *kind = e->kind;
    *aux = e->aux;
    return e->value;
}

void lexer_init(Lexer *lx, const char *src, size_t n, Value filename, Arena *arena) {
    memset(lx, 0, offsetof(Lexer, indents));
    lx->src = lx->cur = lx->line_start = lx->text_start = src;
    lx->end = src + n;
    lx->lineno = 1;
    lx->filename = filename;
    lx->arena = arena;
    lx->at_bol = true;
    lx->indents[0] = lx->alt_indents[0] = 0;
    if (arena->names == NULL) {
        NameTable *t = arena_alloc(arena, sizeof *t);
        uint32_t size = n < 512 ? 32 : n < 8192 ? 256 : 1024;
        NameEntry *slots = arena_zalloc(arena, size * sizeof *slots);
        if (t == NULL || slots == NULL) {
            lx->failed = true;
            return;
        }
        *t = (NameTable){slots, size - 1, 0};
        arena->names = t;
    }
}

/* ---- errors ---- */

/* Raises at the character before cur, as the tokenizer's own errors are. */
static COLD bool error_here(Lexer *lx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static COLD bool error_here(Lexer *lx, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int offset = (int)(lx->cur - lx->line_start);
    lexer_error_at_v(lx, &exc_SyntaxError, -lx->lineno, offset, lx->lineno, offset, fmt, ap);
    va_end(ap);
    return false;
}

void lexer_never_closed(Lexer *lx) {
    int i = lx->level - 1;
    lexer_error_at(lx, &exc_SyntaxError, lx->paren_line[i], lx->paren_col[i] + 1, lx->paren_line[i], 0,
                   "'%c' was never closed", lx->paren[i]);
}

static COLD bool error_eof(Lexer *lx) {
    lx->soft_error = lx->touched_eof = true;
    if (lx->level > 0) {
        lexer_never_closed(lx);
    } else {
        int offset = (int)(lx->cur - lx->line_start);
        lexer_error_at(lx, &exc_SyntaxError, lx->lineno, offset, lx->lineno, -1, "unexpected EOF while parsing");
    }
    return false;
}

/* False with an exception; where warnings are errors it is a SyntaxError. */
static COLD bool warn_literal(Lexer *lx, const char *kind) {
    Value msg = str_format_c("invalid %s literal", kind);
    if (msg == ABSENT)
        return false;
    int r = err_warn_explicit(&exc_SyntaxWarning, msg, lx->filename, lx->lineno);
    release(msg);
    if (r == 0)
        return true;
    if (err_matches(&exc_SyntaxWarning)) {
        err_clear();
        error_here(lx, "invalid %s literal", kind);
    }
    return false;
}

/* cur at a backslash that does not end its line. */
static COLD bool error_continuation(Lexer *lx) {
    int col = (int)(lx->cur + (lx->cur + 1 < lx->end) - lx->text_start);
    lx->soft_error = true;
    lexer_error_at(lx, &exc_SyntaxError, lx->lineno, col + 1, lx->lineno, 0,
                   "unexpected character after line continuation character");
    return false;
}

/* ---- numbers ---- */

/* A keyword may follow a number at once (with a warning), a name may not. */
static bool number_end(Lexer *lx, const char *kind) {
    const char *s = lx->cur;
    if (LIKELY(!IS(*s, C_ID)))
        return true;
    bool keyword = false;
    switch (*s) {
    case 'a':
        keyword = s[1] == 'n' && s[2] == 'd';
        break;
    case 'e':
        keyword = s[1] == 'l' && s[2] == 's' && s[3] == 'e';
        break;
    case 'f':
        keyword = s[1] == 'o' && s[2] == 'r';
        break;
    case 'i':
        keyword = s[1] == 'n' || s[1] == 'f' || s[1] == 's';
        break;
    case 'o':
        keyword = s[1] == 'r';
        break;
    case 'n':
        keyword = s[1] == 'o' && s[2] == 't';
        break;
    default:
        break;
    }
    if (!keyword)
        return error_here(lx, "invalid %s literal", kind);
    if (lx->quiet)
        return true;
    return warn_literal(lx, kind);
}

/* Digits with single underscores between them. */
static bool decimal_tail(Lexer *lx, Token *t) {
    for (;;) {
        while (IS(*lx->cur, C_DIGIT))
            lx->cur++;
        if (LIKELY(*lx->cur != '_'))
            return true;
        t->aux |= NUMF_UNDERSCORE;
        lx->cur++;
        if (!IS(*lx->cur, C_DIGIT))
            return error_here(lx, "invalid decimal literal");
    }
}

static bool based_number(Lexer *lx, Token *t, int base, const char *kind) {
    t->aux |= NUMF_BASE;
    lx->cur += 2;
    do {
        if (*lx->cur == '_') {
            lx->cur++;
            t->aux |= NUMF_UNDERSCORE;
        }
        char c = *lx->cur;
        if (base == 16 ? !IS(c, C_HEX) : c < '0' || c >= '0' + base) {
            if (IS(c, C_DIGIT)) {
                lx->cur++;
                return error_here(lx, "invalid digit '%c' in %s literal", c, kind);
            }
            return error_here(lx, "invalid %s literal", kind);
        }
        if (base == 16)
            while (IS(*lx->cur, C_HEX))
                lx->cur++;
        else
            while (*lx->cur >= '0' && *lx->cur < '0' + base)
                lx->cur++;
    } while (*lx->cur == '_');
    if (IS(*lx->cur, C_DIGIT)) {
        char c = *lx->cur++;
        return error_here(lx, "invalid digit '%c' in %s literal", c, kind);
    }
    return number_end(lx, kind);
}

static bool number(Lexer *lx, Token *t) {
    const char *s = lx->cur;
    const char *zeros_end = NULL;
    t->kind = TOK_NUMBER;
    t->aux = 0;
    if (*s == '0') {
        switch (s[1]) {
        case 'x':
        case 'X':
            return based_number(lx, t, 16, "hexadecimal");
        case 'o':
        case 'O':
            return based_number(lx, t, 8, "octal");
        case 'b':
        case 'B':
            return based_number(lx, t, 2, "binary");
        default:
            break;
        }
        lx->cur++;
        for (;;) {
            if (*lx->cur == '_') {
                t->aux |= NUMF_UNDERSCORE;
                lx->cur++;
                if (!IS(*lx->cur, C_DIGIT))
                    return error_here(lx, "invalid decimal literal");
            }
            if (*lx->cur != '0')
                break;
            lx->cur++;
        }
        if (IS(*lx->cur, C_DIGIT)) {
            zeros_end = lx->cur;
            if (!decimal_tail(lx, t))
                return false;
        }
    } else if (*s != '.') {
        if (!decimal_tail(lx, t))
            return false;
    }
    if (*lx->cur == '.') {
        t->aux |= NUMF_FLOAT;
        zeros_end = NULL;
        lx->cur++;
        if (IS(*lx->cur, C_DIGIT) && !decimal_tail(lx, t))
            return false;
    }
    if (*lx->cur == 'e' || *lx->cur == 'E') {
        const char *e = lx->cur++;
        bool sign = *lx->cur == '+' || *lx->cur == '-';
        if (sign)
            lx->cur++;
        if (IS(*lx->cur, C_DIGIT)) {
            t->aux |= NUMF_FLOAT;
            zeros_end = NULL;
            if (!decimal_tail(lx, t))
                return false;
        } else if (sign) {
            return error_here(lx, "invalid decimal literal");
        } else {
            lx->cur = e;
            return number_end(lx, "decimal");
        }
    }
    if (*lx->cur == 'j' || *lx->cur == 'J') {
        t->aux |= NUMF_IMAGINARY;
        lx->cur++;
        return number_end(lx, "imaginary");
    }
    if (UNLIKELY(zeros_end != NULL)) {
        int col = (int)(s - lx->line_start);
        lexer_error_at(
            lx, &exc_SyntaxError, -lx->lineno, col + 1, lx->lineno, (int)(zeros_end - lx->line_start) + 1,
            "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers");
        return false;
    }
    return number_end(lx, "decimal");
}

/* ---- strings ---- */

static COLD bool unterminated(Lexer *lx, Token *t, const char *line_start, bool triple) {
    int detected = lx->lineno;
    lx->touched_eof = triple || lx->cur >= lx->end;
    if (lx->cur >= lx->end && lx->cur > lx->src && lx->cur[-1] == '\n')
        detected--;
    lx->lineno = t->pos.lineno;
    lx->line_start = line_start;
    lx->cur = lx->tok_start + 1;
    return error_here(lx,
                      triple ? "unterminated triple-quoted string literal (detected at line %d)"
                             : "unterminated string literal (detected at line %d)",
                      detected);
}

/* cur at the opening quote; tok_start at the prefix. */
static bool string(Lexer *lx, Token *t, uint8_t aux) {
    const char *first_line = lx->line_start;
    const char *s = lx->cur;
    char quote = *s++;
    t->kind = TOK_STRING;
    if (*s == quote) {
        if (s[1] != quote) {
            lx->cur = s + 1;
            t->aux = aux;
            return true;
        }
        aux |= STRF_TRIPLE;
        s += 2;
    }
    for (;;) {
        while (!IS(*s, C_QUOTE_STOP))
            s++;
        char c = *s;
        if (c == quote) {
            if (!(aux & STRF_TRIPLE)) {
                s++;
                break;
            }
            if (s[1] == quote && s[2] == quote) {
                s += 3;
                break;
            }
            s++;
        } else if (c == '\n') {
            if (!(aux & STRF_TRIPLE)) {
                lx->cur = s;
                return unterminated(lx, t, first_line, false);
            }
            s++;
            lx->lineno++;
            lx->line_start = s;
        } else if (c == '\\') {
            aux |= STRF_BACKSLASH;
            s++;
            if (*s == '\n') {
                lx->lineno++;
                lx->line_start = s + 1;
            }
            if (*s != 0 || s < lx->end)
                s++;
        } else if (c == 0 && s >= lx->end) {
            lx->cur = s;
            return unterminated(lx, t, first_line, aux & STRF_TRIPLE);
        } else {
            if (c < 0)
                aux |= STRF_NONASCII;
            s++;
        }
    }
    lx->cur = s;
    t->aux = aux;
    return true;
}

/* ---- lines ---- */

static COLD bool tab_error(Lexer *lx) {
    lx->soft_error = true;
    lx->touched_eof = false;
    lexer_error_at(lx, &exc_TabError, lx->lineno, 1, lx->lineno, 0,
                   "inconsistent use of tabs and spaces in indentation");
    return false;
}

/* The end belongs to the last line, not to an empty one behind it. */
static void end_of_text(Lexer *lx) {
    if (lx->at_eof || (lx->cur > lx->src && lx->cur[-1] != '\n'))
        return;
    lx->at_eof = true;
    lx->lineno--;
    if (lx->cur > lx->src)
        do
            lx->line_start--;
        while (lx->line_start > lx->src && lx->line_start[-1] != '\n');
}

/* Start of a line: skips empty ones, compares the indentation. */
static bool begin_line(Lexer *lx) {
    int col, alt;
    lx->last_text_start = lx->text_start;
    for (;;) {
        const char *s = lx->line_start = lx->cur;
        if (s < lx->end)
            lx->text_start = s;
        while (*s == ' ')
            s++;
        col = alt = (int)(s - lx->cur);
        for (;; s++) {
            if (*s == ' ') {
                col++, alt++;
            } else if (*s == '\t') {
                col = (col / 8 + 1) * 8;
                alt++;
            } else if (*s == '\f') {
                col = alt = 0;
            } else if (UNLIKELY(*s == '\\' && s[1] != '\n')) {
                lx->cur = s;
                return error_continuation(lx);
            } else if (UNLIKELY(*s == '\\')) {
                /* The indentation goes on in the next line, unless it is zero there. */
                const char *q = s + 2;
                int c2 = 0, a2 = 0;
                for (;; q++) {
                    if (*q == ' ')
                        c2++, a2++;
                    else if (*q == '\t')
                        c2 = (c2 / 8 + 1) * 8, a2++;
                    else if (*q == '\f')
                        c2 = a2 = 0;
                    else
                        break;
                }
                if (q >= lx->end) {
                    lx->cur = lx->end;
                    return error_eof(lx);
                }
                lx->lineno++;
                lx->line_start = lx->text_start = s + 2;
                if (col == 0 && alt == 0)
                    col = c2, alt = a2;
                s = q - 1;
            } else {
                break;
            }
        }
        lx->cur = s;
        if (*s == '#') {
            const char *nl = memchr(s, '\n', (size_t)(lx->end - s));
            s = nl != NULL ? nl : lx->end;
            lx->cur = s;
            if (nl == NULL)
                return true;
        }
        if (*s == '\n') {
            if (lx->level > 0)
                return true;
            lx->cur = s + 1;
            lx->lineno++;
            continue;
        }
        break;
    }
    if (lx->cur >= lx->end) {
        lx->touched_eof = true;
        end_of_text(lx);
    }
    if (lx->level > 0)
        return true;
    int top = lx->n_indent;
    if (LIKELY(col == lx->indents[top])) {
        if (UNLIKELY(alt != lx->alt_indents[top]))
            return tab_error(lx);
    } else if (col > lx->indents[top]) {
        if (top + 1 >= MAX_INDENT) {
            lx->soft_error = true;
            lx->touched_eof = false;
            lexer_error_at(lx, &exc_IndentationError, lx->lineno, 1, lx->lineno, 0, "too many levels of indentation");
            return false;
        }
        if (alt <= lx->alt_indents[top])
            return tab_error(lx);
        lx->pending++;
        lx->n_indent++;
        lx->indents[top + 1] = col;
        lx->alt_indents[top + 1] = alt;
    } else {
        while (top > 0 && col < lx->indents[top]) {
            lx->pending--;
            top--;
        }
        lx->n_indent = (int16_t)top;
        if (col != lx->indents[top]) {
            const char *nl = memchr(lx->cur, '\n', (size_t)(lx->end - lx->cur));
            lx->cur = nl != NULL ? nl + 1 : lx->end;
            lx->soft_error = true;
            lx->touched_eof = false;
            lexer_error_at(lx, &exc_IndentationError, lx->lineno, (int)(lx->cur - lx->line_start), lx->lineno, -1,
                           "unindent does not match any outer indentation level");
            return false;
        }
        if (alt != lx->alt_indents[top])
            return tab_error(lx);
    }
    return true;
}

static ALWAYS_INLINE void no_place(Lexer *lx, Token *t, TokenKind kind) {
    t->kind = (uint8_t)kind;
    t->aux = 0;
    t->level = (uint8_t)lx->level;
    t->pos = (AstPos){lx->lineno, -1, lx->lineno, -1};
    t->start = t->end = (uint32_t)(lx->cur - lx->src);
    t->name = ABSENT;
}

/* ---- the tokens ---- */

static bool open_bracket(Lexer *lx, char c) {
    if (lx->level >= MAX_PAREN)
        return error_here(lx, "too many nested parentheses");
    lx->paren[lx->level] = c;
    lx->paren_line[lx->level] = lx->lineno;
    lx->paren_col[lx->level] = (int32_t)(lx->cur - 1 - lx->line_start);
    lx->level++;
    return true;
}

static bool close_bracket(Lexer *lx, char c) {
    if (lx->level == 0)
        return error_here(lx, "unmatched '%c'", c);
    lx->level--;
    char o = lx->paren[lx->level];
    if (LIKELY((o == '(' && c == ')') || (o == '[' && c == ']') || (o == '{' && c == '}')))
        return true;
    /* As in CPython an f-string's own parenthesis around the expression does not count. */
    if (lx->fstring && lx->level == 0)
        return error_here(lx, "unmatched '%c'", c);
    if (lx->paren_line[lx->level] != lx->lineno)
        return error_here(lx, "closing parenthesis '%c' does not match opening parenthesis '%c' on line %d", c, o,
                          lx->paren_line[lx->level]);
    return error_here(lx, "closing parenthesis '%c' does not match opening parenthesis '%c'", c, o);
}

static COLD bool odd_character(Lexer *lx, Token *t) {
    unsigned char c = (unsigned char)lx->cur[0];
    lx->cur++;
    t->kind = TOK_OP;
    if (c < 32 || c == 127)
        return error_here(lx, "invalid non-printable character U+%04X", c);
    return true;
}

#define OP1(k) (lx->cur += 1, t->kind = TOK_##k)
#define OP2(k) (lx->cur += 2, t->kind = TOK_##k)
#define OP3(k) (lx->cur += 3, t->kind = TOK_##k)

static bool operator_token(Lexer *lx, Token *t) {
    const char *s = lx->cur;
    char d = s[1];
    switch (s[0]) {
    case '(':
        OP1(LPAR);
        return open_bracket(lx, '(');
    case '[':
        OP1(LSQB);
        return open_bracket(lx, '[');
    case '{':
        OP1(LBRACE);
        return open_bracket(lx, '{');
    case ')':
        OP1(RPAR);
        return close_bracket(lx, ')');
    case ']':
        OP1(RSQB);
        return close_bracket(lx, ']');
    case '}':
        OP1(RBRACE);
        return close_bracket(lx, '}');
    case ',':
        OP1(COMMA);
        return true;
    case ';':
        OP1(SEMI);
        return true;
    case '~':
        OP1(TILDE);
        return true;
    case ':':
        d == '=' ? OP2(COLONEQUAL) : OP1(COLON);
        return true;
    case '=':
        d == '=' ? OP2(EQEQUAL) : OP1(EQUAL);
        return true;
    case '+':
        d == '=' ? OP2(PLUSEQUAL) : OP1(PLUS);
        return true;
    case '-':
        d == '=' ? OP2(MINEQUAL) : d == '>' ? OP2(RARROW) : OP1(MINUS);
        return true;
    case '%':
        d == '=' ? OP2(PERCENTEQUAL) : OP1(PERCENT);
        return true;
    case '&':
        d == '=' ? OP2(AMPEREQUAL) : OP1(AMPER);
        return true;
    case '|':
        d == '=' ? OP2(VBAREQUAL) : OP1(VBAR);
        return true;
    case '^':
        d == '=' ? OP2(CIRCUMFLEXEQUAL) : OP1(CIRCUMFLEX);
        return true;
    case '@':
        d == '=' ? OP2(ATEQUAL) : OP1(AT);
        return true;
    case '*':
        if (d == '*')
            s[2] == '=' ? OP3(DOUBLESTAREQUAL) : OP2(DOUBLESTAR);
        else
            d == '=' ? OP2(STAREQUAL) : OP1(STAR);
        return true;
    case '/':
        if (d == '/')
            s[2] == '=' ? OP3(DOUBLESLASHEQUAL) : OP2(DOUBLESLASH);
        else
            d == '=' ? OP2(SLASHEQUAL) : OP1(SLASH);
        return true;
    case '<':
        if (d == '<')
            s[2] == '=' ? OP3(LEFTSHIFTEQUAL) : OP2(LEFTSHIFT);
        else
            d == '=' ? OP2(LESSEQUAL) : d == '>' ? OP2(NOTEQUAL) : OP1(LESS);
        return true;
    case '>':
        if (d == '>')
            s[2] == '=' ? OP3(RIGHTSHIFTEQUAL) : OP2(RIGHTSHIFT);
        else
            d == '=' ? OP2(GREATEREQUAL) : OP1(GREATER);
        return true;
    case '!':
        if (d != '=')
            return odd_character(lx, t);
        OP2(NOTEQUAL);
        return true;
    case '.':
        if (IS(d, C_DIGIT))
            return number(lx, t);
        d == '.' && s[2] == '.' ? OP3(ELLIPSIS) : OP1(DOT);
        return true;
    default:
        return odd_character(lx, t);
    }
}

/* String flags of a prefix of n letters; 0 when it is none. */
static int string_prefix(const char *s, size_t n) {
    char a = (char)(s[0] | 32), b = n == 2 ? (char)(s[1] | 32) : 0;
    if (n == 1)
        return a == 'b' ? STRF_BYTES : a == 'r' ? STRF_RAW : a == 'f' ? STRF_FORMAT : a == 'u' ? STRF_U : 0;
    if (n != 2)
        return 0;
    if (b == 'r') {
        char c = a;
        a = b;
        b = c;
    }
    if (a != 'r')
        return 0;
    return b == 'b' ? STRF_RAW | STRF_BYTES : b == 'f' ? STRF_RAW | STRF_FORMAT : 0;
}

static COLD bool fail(Lexer *lx, Token *t) {
    lx->failed = true;
    t->pos = (AstPos){lx->lineno, -1, lx->lineno, -1};
    t->level = 0;
    t->kind = TOK_ERROR;
    return false;
}

/* cur stands at the end of the text. */
static bool at_end(Lexer *lx, Token *t) {
    end_of_text(lx);
    if (lx->level > 0) {
        lx->at_eof = true;
        error_eof(lx);
        return fail(lx, t);
    }
    lx->at_eof = lx->touched_eof = true;
    no_place(lx, t, TOK_ENDMARKER);
    if (lx->single && lx->started) {
        t->kind = TOK_NEWLINE;
        lx->started = false;
        if (!lx->no_dedent) {
            lx->pending = (int16_t)(lx->pending - lx->n_indent);
            lx->n_indent = 0;
        }
    }
    return true;
}

bool lexer_next(Lexer *lx, Token *t) {
    if (UNLIKELY(lx->failed))
        return fail(lx, t);
again:
    if (lx->at_bol) {
        lx->at_bol = false;
        if (!begin_line(lx))
            return fail(lx, t);
    }
    if (UNLIKELY(lx->pending != 0)) {
        lx->started = true;
        if (lx->pending < 0) {
            lx->pending++;
            no_place(lx, t, TOK_DEDENT);
        } else {
            lx->pending--;
            no_place(lx, t, TOK_INDENT);
        }
        return true;
    }
    const char *s = lx->cur;
    for (;;) {
        while (*s == ' ')
            s++;
        if (LIKELY(!IS(*s, C_SPACE)))
            break;
        s++;
    }
    char c = *s;
    const char *start = s;
    if (c == '#') {
        const char *nl = memchr(s, '\n', (size_t)(lx->end - s));
        s = nl != NULL ? nl : lx->end;
        c = *s;
    }
    lx->cur = lx->tok_start = s;
    t->pos.lineno = lx->lineno;
    t->pos.col = (int32_t)(s - lx->line_start);
    t->start = (uint32_t)(s - lx->src);
    bool ok = true;
    switch (start_class[(unsigned char)c]) {
    case S_PREFIX:
    case S_NAME: {
        const char *q = s + 1;
        while (IS(*q, C_ID))
            q++;
        size_t n = (size_t)(q - s);
        if (UNLIKELY(*q == '"' || *q == '\'') && n <= 2 && start_class[(unsigned char)c] == S_PREFIX) {
            int flags = string_prefix(s, n);
            if (flags != 0) {
                lx->cur = q;
                ok = string(lx, t, (uint8_t)flags);
                break;
            }
        }
        lx->cur = q;
        NameEntry *e = name_entry(lx, s, n);
        if (UNLIKELY(e == NULL))
            return fail(lx, t);
        t->kind = e->kind;
        t->aux = e->aux;
        t->name = e->value;
        break;
    }
    case S_NUMBER:
        ok = number(lx, t);
        break;
    case S_QUOTE:
        ok = string(lx, t, 0);
        break;
    default:
        if (c == '\n') {
            if (lx->level > 0) {
                lx->cur = s + 1;
                lx->lineno++;
                lx->line_start = lx->cur;
                if (lx->cur < lx->end)
                    lx->text_start = lx->cur;
                goto again; /* inside brackets lines have no indentation */
            }
            lx->at_bol = true;
            lx->started = true;
            t->kind = TOK_NEWLINE;
            t->aux = 0;
            t->level = 0;
            t->pos.end_lineno = lx->lineno;
            t->pos.end_col = t->pos.col;
            t->pos.col = (int32_t)(start - lx->line_start); /* a comment belongs to it */
            if (lx->lineno == lx->first_lineno) {
                t->pos.col += lx->first_col;
                t->pos.end_col += lx->first_col;
            }
            lx->cur = s + 1;
            lx->lineno++;
            lx->line_start = lx->cur;
            t->end = (uint32_t)(lx->cur - lx->src);
            return true;
        }
        if (c == '\\') {
            if (s[1] != '\n') {
                error_continuation(lx);
                return fail(lx, t);
            }
            if (s + 2 >= lx->end) {
                lx->cur = s + 2;
                error_eof(lx);
                return fail(lx, t);
            }
            lx->cur = s + 2;
            lx->lineno++;
            lx->line_start = lx->cur;
            goto again;
        }
        if (c == 0 && s >= lx->end)
            return at_end(lx, t);
        ok = operator_token(lx, t);
        break;
    }
    if (UNLIKELY(!ok))
        return fail(lx, t);
    lx->started = true;
    lx->touched_eof = lx->cur >= lx->end && t->kind != TOK_STRING;
    t->level = (uint8_t)lx->level;
    t->end = (uint32_t)(lx->cur - lx->src);
    t->pos.end_lineno = lx->lineno;
    t->pos.end_col = (int32_t)(lx->cur - lx->line_start);
    if (UNLIKELY(lx->lineno == lx->first_lineno)) {
        t->pos.col += lx->first_col;
        t->pos.end_col += lx->first_col;
    }
    return true;
}

/* ---- text of lines, raising ---- */

static const char *line_at(Lexer *lx, int lineno, size_t *n) {
    int line = lx->first_lineno != 0 ? lx->first_lineno : 1;
    const char *s = lx->src;
    while (line < lineno && s < lx->end) {
        const char *nl = memchr(s, '\n', (size_t)(lx->end - s));
        if (nl == NULL || nl + 1 >= lx->end)
            break;
        s = nl + 1;
        line++;
    }
    const char *nl = memchr(s, '\n', (size_t)(lx->end - s));
    *n = (size_t)((nl != NULL ? nl + 1 : lx->end) - s);
    return s;
}

Value lexer_line_text(Lexer *lx, int lineno, bool keep_newline) {
    size_t n;
    const char *s = line_at(lx, lineno, &n);
    if (!keep_newline && n > 0 && s[n - 1] == '\n')
        n--;
    return str_from_utf8_lossy(s, n);
}

/* Characters in the first n bytes of the text that is shown; a character that is cut counts; never beyond its end. */
static int chars_before(const char *s, size_t len, int n) {
    if (n <= 0)
        return n;
    int chars = 0;
    for (size_t i = 0; i < (size_t)n && i <= len; i++)
        if (i == len || ((unsigned char)s[i] & 0xc0) != 0x80)
            chars++;
    return chars;
}

/* A negative lineno asks for the text without its newline. */
void lexer_error_at_v(Lexer *lx, Type *exc, int lineno, int offset, int end_lineno, int end_offset, const char *fmt,
                      va_list ap) {
    bool tokenizer = lineno < 0;
    if (tokenizer)
        lineno = -lineno;
    /* As CPython's: with its newline only while the tokenizer is still in that line. */
    bool keep_newline = !tokenizer && lineno >= lx->lineno - (lx->at_bol ? 1 : 0);
    Value msg = str_format_v(fmt, ap);
    if (lx->fstring && !tokenizer) {
        offset -= lx->first_col;
        end_offset -= lx->first_col;
    }
    size_t n;
    const char *line = line_at(lx, lineno, &n);
    if (lx->fstring && msg != ABSENT && !tokenizer) {
        Value m = str_format_c("f-string: %S", msg);
        release(msg);
        msg = m;
    }
    const char *text_line = line;
    size_t text_n = !keep_newline && n > 0 && line[n - 1] == '\n' ? n - 1 : n;
    if (keep_newline && lx->text_start < line) {
        text_line = lx->text_start;
        text_n = (size_t)(line + n - text_line);
    }
    Value text = str_from_utf8_lossy(text_line, text_n);
    if (msg != ABSENT && text != ABSENT)
        syntax_error_raise(exc, lx->filename, lineno, chars_before(text_line, text_n, offset), text, end_lineno,
                           chars_before(text_line, text_n, end_offset), "%S", msg);
    release(msg);
    release(text);
    lx->failed = true;
}

void lexer_error_at(Lexer *lx, Type *exc, int lineno, int offset, int end_lineno, int end_offset, const char *fmt,
                    ...) {
    va_list ap;
    va_start(ap, fmt);
    lexer_error_at_v(lx, exc, lineno, offset, end_lineno, end_offset, fmt, ap);
    va_end(ap);
}

void lexer_unicode_error(Lexer *lx, AstPos pos, int offset, int end_offset) {
    lx->failed = true;
    if (!err_matches(&exc_UnicodeError))
        return;
    Value e = err_fetch();
    Value what = obj_str(e);
    release(e);
    size_t n;
    const char *text = what != ABSENT ? str_utf8(what, &n) : NULL;
    if (text != NULL)
        lexer_error_at(lx, &exc_SyntaxError, pos.lineno, offset, pos.end_lineno, end_offset, "(unicode error) %s",
                       text);
    release(what);
}

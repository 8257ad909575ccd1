/* String and bytes literals, their escapes, concatenation, and f-strings. */
#include "front/parser_impl.h"
#include "front/syntax_error.h"
#include "object/bytes.h"
#include "object/str.h"
#include "object/unicode.h"

/* The literal that is being put together from neighbouring tokens. */
typedef struct Joined {
    AstPos pos;  /* from the first token to the last */
    Value kind;  /* "u" or ABSENT */
    Value last;  /* text since the last replacement field, owned; ABSENT: none */
    size_t from; /* parts on the parser's stack */
    bool fmode;
} Joined;

static COLD void *fstring_error(Parser *p, const char *what) {
    return raise_last(p, &exc_SyntaxError, "f-string: %s", what);
}

/* ---- escapes ---- */

/* About the escape that ends at s; false with an exception. */
static COLD bool warn_escape(Parser *p, const Token *t, const char *fmt, int n, const char *s) {
    if (p->diag)
        return true; /* the first pass has warned */
    char text[64];
    snprintf(text, sizeof text, fmt, n, s);
    Value msg = str_from_c(text);
    int r = msg != ABSENT ? err_warn_explicit(&exc_DeprecationWarning, msg, p->lx->filename, t->pos.lineno) : -1;
    release(msg);
    if (r == 0)
        return true;
    if (msg != ABSENT && err_matches(&exc_DeprecationWarning)) {
        err_clear();
        raise_at(p, t->pos, "%s", text);
    }
    p->lx->failed = true;
    return false;
}
#define INVALID_ESCAPE "invalid escape sequence '\\%.*s'"
#define INVALID_OCTAL "invalid octal escape sequence '\\%.*s'"

static COLD bool unicode_error(Parser *p, size_t start, size_t end, const char *what) {
    if (end == start + 1)
        raise_last(p, &exc_SyntaxError,
                   "(unicode error) 'unicodeescape' codec can't decode byte 0x5c in position %zu: %s", start, what);
    else
        raise_last(p, &exc_SyntaxError,
                   "(unicode error) 'unicodeescape' codec can't decode bytes in position %zu-%zu: %s", start, end - 1,
                   what);
    return false;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One code point of UTF-8 that is known to be valid. */
static const char *next_char(const char *s, uint32_t *c) {
    unsigned char b = (unsigned char)*s;
    int n = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    uint32_t v = n == 1 ? b : n == 2 ? b & 0x1f : n == 3 ? b & 0x0f : b & 7;
    for (int i = 1; i < n; i++)
        v = v << 6 | ((unsigned char)s[i] & 0x3f);
    *c = v;
    return s + n;
}

/* Decodes s..end into b. Positions in messages count a character beyond ASCII as 10 bytes, as CPython's do. */
static bool decode_escapes(Parser *p, const Token *t, const char *s, const char *end, StrBuilder *b) {
    size_t extra = 0; /* position = (s - begin) + extra */
    const char *begin = s;
    bool warned = false;
    while (s < end) {
        const char *run = s;
        while (s < end && *s != '\\' && (signed char)*s >= 0)
            s++;
        if (s > run)
            sb_ascii(b, run, (size_t)(s - run));
        if (s >= end)
            break;
        uint32_t c;
        if (*s != '\\') {
            run = s;
            s = next_char(s, &c);
            extra += 10 - (size_t)(s - run);
            sb_char(b, c);
            continue;
        }
        size_t at = (size_t)(s - begin) + extra;
        s++;
        if (s >= end) { /* f"\\{x}": a backslash before a field stands for itself */
            sb_char(b, '\\');
            break;
        }
        char e = *s++;
        int digits;
        switch (e) {
        case '\n':
            continue;
        case '\\':
        case '\'':
        case '"':
            sb_char(b, (unsigned char)e);
            continue;
        case 'a':
            sb_char(b, 7);
            continue;
        case 'b':
            sb_char(b, 8);
            continue;
        case 'f':
            sb_char(b, 12);
            continue;
        case 'n':
            sb_char(b, 10);
            continue;
        case 'r':
            sb_char(b, 13);
            continue;
        case 't':
            sb_char(b, 9);
            continue;
        case 'v':
            sb_char(b, 11);
            continue;
        case '0' ... '7':
            c = (uint32_t)(e - '0');
            for (int i = 0; i < 2 && s < end && *s >= '0' && *s <= '7'; i++)
                c = c * 8 + (uint32_t)(*s++ - '0');
            if (UNLIKELY(c > 0377) && !warned) {
                if (!warn_escape(p, t, INVALID_OCTAL, 3, s - 3))
                    return false;
                warned = true;
            }
            sb_char(b, c);
            continue;
        case 'x':
            digits = 2;
            break;
        case 'u':
            digits = 4;
            break;
        case 'U':
            digits = 8;
            break;
        case 'N': {
            if (s >= end || *s != '{')
                return unicode_error(p, at, at + 2, "malformed \\N character escape");
            const char *name = ++s;
            while (s < end && *s != '}')
                s++;
            if (s >= end || s == name)
                return unicode_error(p, at, at + (size_t)(s - name) + 3 + (s < end), "malformed \\N character escape");
            int32_t code = unicode_lookup(name, (size_t)(s - name));
            s++;
            if (code < 0)
                return unicode_error(p, at, at + 3 + (size_t)(s - name), "unknown Unicode character name");
            sb_char(b, (uint32_t)code);
            continue;
        }
        default:
            if (!warned && (signed char)e >= 0) {
                if (!warn_escape(p, t, INVALID_ESCAPE, 1, s - 1))
                    return false;
                warned = true;
            }
            sb_char(b, '\\');
            s--;
            if ((signed char)*s >= 0)
                sb_char(b, (unsigned char)*s++);
            else
                extra += 5;
            continue;
        }
        c = 0;
        int got = 0;
        for (; got < digits && s < end && hex_digit(*s) >= 0; got++)
            c = c << 4 | (uint32_t)hex_digit(*s++);
        if (got < digits)
            return unicode_error(p, at, at + 2 + (size_t)got,
                                 digits == 2   ? "truncated \\xXX escape"
                                 : digits == 4 ? "truncated \\uXXXX escape"
                                               : "truncated \\UXXXXXXXX escape");
        if (c > 0x10ffff)
            return unicode_error(p, at, at + 10, "illegal Unicode character");
        sb_char(b, c);
    }
    return true;
}

/* str of a literal's inside; owned. ABSENT with an exception. */
static Value decode_str(Parser *p, const Token *t, const char *s, const char *end, bool raw) {
    Value v;
    bool plain = raw || memchr(s, '\\', (size_t)(end - s)) == NULL;
    if (plain || UNLIKELY(p->lx->not_utf8)) {
        v = t->aux & STRF_NONASCII ? str_from_utf8(s, (size_t)(end - s)) : str_from_ascii(s, (size_t)(end - s));
        if (v == ABSENT) {
            AstPos last = p->fill[-1].pos;
            lexer_unicode_error(p->lx, last, last.col + 1, last.end_col + 1);
            return ABSENT;
        }
        if (plain)
            return v;
        release(v);
    }
    StrBuilder b;
    sb_init(&b);
    if (!decode_escapes(p, t, s, end, &b)) {
        sb_free(&b);
        return ABSENT;
    }
    v = sb_finish(&b);
    if (v == ABSENT)
        p->lx->failed = true;
    return v;
}

/* Appends the decoded bytes at out; NULL with an exception. */
static char *decode_bytes(Parser *p, const Token *t, const char *s, const char *end, char *out) {
    const char *begin = s;
    if (t->aux & STRF_NONASCII)
        return raise_last(p, &exc_SyntaxError, "bytes can only contain ASCII literal characters");
    if ((t->aux & STRF_RAW) || !(t->aux & STRF_BACKSLASH)) {
        memcpy(out, s, (size_t)(end - s));
        return out + (end - s);
    }
    bool warned = false;
    while (s < end) {
        if (*s != '\\') {
            *out++ = *s++;
            continue;
        }
        size_t at = (size_t)(s - begin);
        char e = s[1];
        s += 2;
        switch (e) {
        case '\n':
            break;
        case '\\':
        case '\'':
        case '"':
            *out++ = e;
            break;
        case 'a':
            *out++ = 7;
            break;
        case 'b':
            *out++ = 8;
            break;
        case 'f':
            *out++ = 12;
            break;
        case 'n':
            *out++ = 10;
            break;
        case 'r':
            *out++ = 13;
            break;
        case 't':
            *out++ = 9;
            break;
        case 'v':
            *out++ = 11;
            break;
        case '0' ... '7': {
            int c = e - '0';
            for (int i = 0; i < 2 && s < end && *s >= '0' && *s <= '7'; i++)
                c = c * 8 + (*s++ - '0');
            if (UNLIKELY(c > 0377) && !warned) {
                if (!warn_escape(p, t, INVALID_OCTAL, 3, s - 3))
                    return NULL;
                warned = true;
            }
            *out++ = (char)c;
            break;
        }
        case 'x':
            if (s + 1 < end && hex_digit(s[0]) >= 0 && hex_digit(s[1]) >= 0) {
                *out++ = (char)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
                s += 2;
                break;
            }
            return raise_last(p, &exc_SyntaxError, "(value error) invalid \\x escape at position %zu", at);
        default:
            if (!warned && !warn_escape(p, t, INVALID_ESCAPE, 1, s - 1))
                return NULL;
            warned = true;
            *out++ = '\\';
            *out++ = e;
        }
    }
    return out;
}

/* ---- parts ---- */

/* Steals v. */
static bool add_text(Parser *p, Joined *j, Value v) {
    if (v == ABSENT)
        return false;
    if (j->last == ABSENT) {
        j->last = v;
        return true;
    }
    Value joined = str_concat(j->last, v);
    release(j->last);
    release(v);
    j->last = joined;
    if (joined == ABSENT)
        p->lx->failed = true;
    return joined != ABSENT;
}

/* The text so far as a Constant; takes j->last. */
static Expr *text_constant(Parser *p, Joined *j) {
    Value v = arena_keep(p->arena, j->last);
    j->last = ABSENT;
    Expr *e = v != ABSENT ? ast_expr(p->arena, EXPR_Constant, j->pos) : NULL;
    if (e == NULL) {
        p->lx->failed = true;
        return NULL;
    }
    e->Constant.value = v;
    e->Constant.kind = j->kind;
    return e;
}

static Expr *finish_joined(Parser *p, Joined *j) {
    if (!j->fmode) {
        if (j->last == ABSENT)
            j->last = str_empty();
        return text_constant(p, j);
    }
    if (j->last != ABSENT) {
        Expr *c = text_constant(p, j);
        if (c == NULL || !push(p, c))
            return NULL;
    }
    Expr *e = ast_expr(p->arena, EXPR_JoinedStr, j->pos);
    return e != NULL && TAKE(p, j->from, &e->JoinedStr.values) ? e : NULL;
}

/* ---- replacement fields ---- */

static bool fstring_parts(Parser *p, Joined *j, const Token *t, const char **str, const char *end, bool raw, int depth);

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\f';
}

/* Where the field that starts at brace lies: lines behind the token's first, column of the brace. */
static void field_place(Parser *p, const Token *t, const char *brace, int *lines, int *col) {
    const char *begin = p->lx->src + t->start;
    *lines = 0;
    *col = 0;
    for (const char *s = begin; s < brace; s++)
        if (*s == '\n')
            ++*lines;
    const char *s = brace + 1;
    while (*s == ' ' || *s == '\t' || *s == '\f')
        s++;
    if (*s == '\n')
        return; /* a newline follows the brace: columns are those of the next line */
    s = brace;
    while (s > begin && *s != '\n')
        s--;
    *col = (int)(brace - s) - (*s == '\n');
}

static Expr *field_expression(Parser *p, const Token *t, const char *start, const char *end) {
    const char *s = start;
    while (s < end && is_blank(*s))
        s++;
    if (s == end) {
        if (*end == '!' || *end == ':' || *end == '=')
            return raise_last(p, &exc_SyntaxError, "f-string: expression required before '%c'", *end);
        return fstring_error(p, "empty expression not allowed");
    }
    int lines, col;
    field_place(p, t, start - 1, &lines, &col);
    return parse_fstring_field(p, start, (size_t)(end - start), t->pos.lineno + lines,
                               lines != 0 ? col : t->pos.col + col);
}

/* At '{'. Pushes the FormattedValue. */
static bool fstring_field(Parser *p, Joined *j, const Token *t, const char **str, const char *end, bool raw,
                          int depth) {
    if (depth >= 2)
        return fstring_error(p, "expressions nested too deeply");
    char parens[MAX_PAREN], quote = 0;
    int nested = 0;
    bool triple = false;
    const char *s = *str + 1, *start = s;
    for (; s < end; s++) {
        char c = *s;
        if (c == '\\')
            return raise_last(p, &exc_SyntaxError, "f-string expression part cannot include a backslash") != NULL;
        if (quote != 0) {
            if (c == quote) {
                if (!triple) {
                    quote = 0;
                } else if (s + 2 < end && s[1] == c && s[2] == c) {
                    s += 2;
                    quote = 0;
                }
            }
            continue;
        }
        if (c == '\'' || c == '"') {
            triple = s + 2 < end && s[1] == c && s[2] == c;
            if (triple)
                s += 2;
            quote = c;
            continue;
        }
        if (c == '(' || c == '[' || c == '{') {
            if (nested >= MAX_PAREN)
                return fstring_error(p, "too many nested parenthesis") != NULL;
            parens[nested++] = c;
            continue;
        }
        if (c == '#')
            return raise_last(p, &exc_SyntaxError, "f-string expression part cannot include '#'") != NULL;
        if (nested == 0 && (c == '!' || c == ':' || c == '}' || c == '=' || c == '<' || c == '>')) {
            if (s + 1 < end && s[1] == '=' && c != ':' && c != '}') {
                s++;
                continue;
            }
            if (c == '<' || c == '>')
                continue;
            break;
        }
        if (c == ')' || c == ']' || c == '}') {
            if (nested == 0)
                return raise_last(p, &exc_SyntaxError, "f-string: unmatched '%c'", c) != NULL;
            char o = parens[--nested];
            if (!((o == '(' && c == ')') || (o == '[' && c == ']') || (o == '{' && c == '}')))
                return raise_last(p, &exc_SyntaxError,
                                  "f-string: closing parenthesis '%c' does not match opening parenthesis '%c'", c,
                                  o) != NULL;
        }
    }
    const char *expr_end = s;
    if (quote != 0)
        return fstring_error(p, "unterminated string") != NULL;
    if (nested > 0)
        return raise_last(p, &exc_SyntaxError, "f-string: unmatched '%c'", parens[nested - 1]) != NULL;
    if (s >= end)
        return fstring_error(p, "expecting '}'") != NULL;
    Expr *value = field_expression(p, t, start, expr_end), *spec = NULL;
    if (value == NULL)
        return false;
    bool debug = false;
    int conversion = -1;
    Value text = ABSENT;
    if (*s == '=') {
        s++;
        while (s < end && (is_blank(*s) || *s == '\r' || *s == '\v'))
            s++;
        debug = true;
        text = str_from_utf8(start, (size_t)(s - start));
        if (text == ABSENT)
            p->lx->failed = true;
        if (!add_text(p, j, text))
            return false;
    }
    if (s < end && *s == '!') {
        s++;
        if (s >= end)
            return fstring_error(p, "expecting '}'") != NULL;
        conversion = (unsigned char)*s++;
        if (conversion != 's' && conversion != 'r' && conversion != 'a')
            return fstring_error(p, "invalid conversion character: expected 's', 'r', or 'a'") != NULL;
    }
    /* The text before goes in front of this field, whatever its format spec does with the stack. */
    if (j->last != ABSENT) {
        Expr *c = text_constant(p, j);
        if (c == NULL || !push(p, c))
            return false;
    }
    if (s < end && *s == ':') {
        s++;
        Joined inner = {t->pos, ABSENT, ABSENT, p->top, true};
        if (s >= end)
            return fstring_error(p, "expecting '}'") != NULL;
        if (!fstring_parts(p, &inner, t, &s, end, raw, depth + 1)) {
            release(inner.last);
            return false;
        }
        spec = finish_joined(p, &inner);
        if (spec == NULL)
            return false;
    }
    if (s >= end || *s != '}')
        return fstring_error(p, "expecting '}'") != NULL;
    *str = s + 1;
    if (debug && spec == NULL && conversion == -1)
        conversion = 'r';
    Expr *e = ast_expr(p->arena, EXPR_FormattedValue, j->pos);
    if (e == NULL)
        return false;
    e->FormattedValue.value = value;
    e->FormattedValue.conversion = conversion;
    e->FormattedValue.format_spec = spec;
    return push(p, e);
}

/* Literal text up to a field, a closing brace or the end. *again: a doubled brace was undoubled, more text follows. */
static bool fstring_text(Parser *p, Joined *j, const Token *t, const char **str, const char *end, bool raw, int depth,
                         bool *again) {
    const char *s = *str, *start = s, *stop = NULL;
    *again = false;
    while (s < end) {
        char c = *s++;
        if (!raw && c == '\\' && s < end) {
            c = *s++;
            if (c == 'N') {
                if (s < end && *s++ == '{')
                    while (s < end && *s++ != '}') {
                    }
                continue;
            }
            if (c == '{' && !warn_escape(p, t, INVALID_ESCAPE, 1, s - 1))
                return false;
        }
        if (c == '{' || c == '}') {
            if (depth == 0) {
                if (s < end && *s == c) {
                    stop = s;
                    *again = true;
                    *str = s + 1;
                    break;
                }
                if (c == '}')
                    return fstring_error(p, "single '}' is not allowed") != NULL;
            }
            s--;
            break;
        }
    }
    if (stop == NULL) {
        stop = s;
        *str = s;
    }
    return stop == start || add_text(p, j, decode_str(p, t, start, stop, raw));
}

static bool fstring_parts(Parser *p, Joined *j, const Token *t, const char **str, const char *end, bool raw,
                          int depth) {
    j->fmode = true;
    for (;;) {
        bool again;
        if (!fstring_text(p, j, t, str, end, raw, depth, &again))
            return false;
        if (again)
            continue;
        if (*str >= end || **str == '}')
            break;
        if (!fstring_field(p, j, t, str, end, raw, depth))
            return false;
    }
    if (depth == 0 && *str < end)
        return fstring_error(p, "unexpected end of string") != NULL;
    if (depth != 0 && (*str >= end || **str != '}'))
        return fstring_error(p, "expecting '}'") != NULL;
    return true;
}

/* ---- literals ---- */

/* The inside of a string token. */
static void literal_body(Parser *p, const Token *t, const char **s, const char **end) {
    *s = p->lx->src + t->start;
    *end = p->lx->src + t->end;
    while (**s != '\'' && **s != '"')
        ++*s;
    int q = t->aux & STRF_TRIPLE ? 3 : 1;
    *s += q;
    *end -= q;
}

static Expr *bytes_literal(Parser *p, size_t first, size_t last, AstPos pos) {
    size_t n = 0;
    for (size_t i = first; i < last; i++)
        n += p->base[i].end - p->base[i].start;
    char *buf = arena_alloc(p->arena, n + 1), *out = buf;
    if (buf == NULL)
        return NULL;
    for (size_t i = first; i < last; i++) {
        const char *s, *end;
        Token t = p->base[i];
        literal_body(p, &t, &s, &end);
        out = decode_bytes(p, &t, s, end, out);
        if (out == NULL)
            return NULL;
    }
    Value v = arena_keep(p->arena, bytes_from(buf, (size_t)(out - buf)));
    Expr *e = v != ABSENT ? ast_expr(p->arena, EXPR_Constant, pos) : NULL;
    if (e == NULL)
        p->lx->failed = true;
    else
        e->Constant.value = v;
    return e;
}

Expr *parse_strings(Parser *p) {
    size_t first = mark(p);
    AstPos start = p->t->pos;
    uint8_t any = 0;
    bool mixed = false;
    uint8_t bytes = p->t->aux & STRF_BYTES;
    do {
        any |= p->t->aux;
        mixed |= (p->t->aux & STRF_BYTES) != bytes;
        advance(p);
    } while (at(p, TOK_STRING));
    if (broken(p))
        return NULL;
    size_t last = mark(p);
    AstPos pos = span(p, start);
    if (UNLIKELY(mixed)) {
        /* Errors inside the literals come first, up to the one that does not fit. */
        return raise_last(p, &exc_SyntaxError, "cannot mix bytes and nonbytes literals");
    }
    if (bytes)
        return bytes_literal(p, first, last, pos);
    Joined j = {pos, ABSENT, ABSENT, p->top, false};
    if (UNLIKELY(p->base[first].aux & STRF_U) && p->lx->src[p->base[first].start] == 'u')
        j.kind = ID("u");
    if (LIKELY(!(any & STRF_FORMAT)) && last > first + 1) {
        /* Plain neighbours are joined in one go. */
        StrBuilder b;
        sb_init(&b);
        for (size_t i = first; i < last; i++) {
            const char *s, *end;
            Token t = p->base[i];
            literal_body(p, &t, &s, &end);
            if ((t.aux & STRF_RAW) || !(t.aux & STRF_BACKSLASH)) {
                if (!(t.aux & STRF_NONASCII)) {
                    sb_ascii(&b, s, (size_t)(end - s));
                    continue;
                }
                Value v = decode_str(p, &t, s, end, true);
                if (v != ABSENT)
                    sb_str(&b, v);
                release(v);
                if (v != ABSENT)
                    continue;
            } else if (!p->lx->not_utf8) {
                if (decode_escapes(p, &t, s, end, &b))
                    continue;
            } else {
                Value v = decode_str(p, &t, s, end, false);
                if (v != ABSENT)
                    sb_str(&b, v);
                release(v);
                if (v != ABSENT)
                    continue;
            }
            sb_free(&b);
            return NULL;
        }
        j.last = sb_finish(&b);
        if (j.last == ABSENT) {
            p->lx->failed = true;
            return NULL;
        }
        return text_constant(p, &j);
    }
    for (size_t i = first; i < last; i++) {
        const char *s, *end;
        Token t = p->base[i];
        literal_body(p, &t, &s, &end);
        bool ok;
        if (t.aux & STRF_FORMAT)
            ok = fstring_parts(p, &j, &t, &s, end, t.aux & STRF_RAW, 0);
        else
            ok = s == end || add_text(p, &j, decode_str(p, &t, s, end, t.aux & STRF_RAW));
        if (!ok) {
            release(j.last);
            p->top = j.from;
            return NULL;
        }
    }
    return finish_joined(p, &j);
}

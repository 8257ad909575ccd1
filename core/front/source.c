/* The text of a source file: its encoding (PEP 263), and its check. */
#include "base/utf8.h"
#include "front/parser.h"
#include "front/syntax_error.h"
#include "object/bytes.h"
#include "object/codec.h"
#include "object/str.h"
#include "object/tuple.h"

/* The encoding that a comment names ("coding[:=] name"), or n 0. */
static const char *line_cookie(const char *s, const char *end, size_t *n) {
    *n = 0;
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\f'))
        s++;
    if (s >= end || *s != '#')
        return NULL;
    for (; s + 7 <= end; s++) {
        if (memcmp(s, "coding", 6) != 0 || (s[6] != ':' && s[6] != '='))
            continue;
        const char *name = s + 7;
        while (name < end && (*name == ' ' || *name == '\t'))
            name++;
        const char *q = name;
        while (q < end && ((*q >= 'a' && *q <= 'z') || (*q >= 'A' && *q <= 'Z') || (*q >= '0' && *q <= '9') ||
                           *q == '-' || *q == '_' || *q == '.'))
            q++;
        if (q > name) {
            *n = (size_t)(q - name);
            return name;
        }
    }
    return NULL;
}

/* True when a line holds nothing but blank space and a comment: only then may the next one be a cookie. */
static bool only_comment(const char *s, const char *end) {
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\f'))
        s++;
    return s >= end || *s == '#' || *s == '\r';
}

/* Common spellings in one form. */
static void normal_name(const char *s, size_t n, char out[64]) {
    size_t m = n < 63 ? n : 63;
    char head[13] = {0};
    for (size_t i = 0; i < m && i < 12; i++)
        head[i] = (char)(s[i] == '_' ? '-' : s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 32 : s[i]);
    if (strcmp(head, "utf-8") == 0 || strncmp(head, "utf-8-", 6) == 0) {
        strcpy(out, "utf-8");
    } else if (strcmp(head, "latin-1") == 0 || strcmp(head, "iso-8859-1") == 0 || strcmp(head, "iso-latin-1") == 0 ||
               strncmp(head, "latin-1-", 8) == 0 || strncmp(head, "iso-8859-1-", 11) == 0 ||
               strncmp(head, "iso-latin-1-", 12) == 0) {
        strcpy(out, "iso-8859-1");
    } else {
        memcpy(out, s, m);
        out[m] = 0;
    }
}

/* SyntaxError without a place in the text. */
static COLD int encoding_error(Value filename, const char *fmt, const char *what) {
    Value msg = str_format_c(fmt, what);
    Value where = msg != ABSENT
                      ? tuple_pack(4, filename != ABSENT ? filename : V_NONE, v_from_int(0), v_from_int(-1), V_NONE)
                      : ABSENT;
    Value e = where != ABSENT ? obj_call2(V_OF(&exc_SyntaxError), msg, where) : ABSENT;
    release(msg);
    release(where);
    if (e != ABSENT)
        err_raise(e);
    return -1;
}

int source_to_utf8(const char *raw, size_t n, Value filename, Arena *arena, const char **out, size_t *out_n) {
    bool bom = n >= 3 && memcmp(raw, "\xef\xbb\xbf", 3) == 0;
    const char *s = raw + (bom ? 3 : 0), *end = raw + n;
    const char *nl = memchr(s, '\n', (size_t)(end - s));
    const char *first_end = nl != NULL ? nl : end;
    size_t len;
    const char *cookie = line_cookie(s, first_end, &len);
    if (cookie == NULL && nl != NULL && only_comment(s, first_end)) {
        const char *nl2 = memchr(nl + 1, '\n', (size_t)(end - nl - 1));
        cookie = line_cookie(nl + 1, nl2 != NULL ? nl2 : end, &len);
    }
    *out = s;
    *out_n = (size_t)(end - s);
    if (cookie == NULL)
        return 0;
    char name[64];
    normal_name(cookie, len, name);
    if (strcmp(name, "utf-8") == 0)
        return 0;
    if (bom)
        return encoding_error(filename, "encoding problem: %s with BOM", name);
    Value bytes = bytes_from(s, (size_t)(end - s));
    Value text = bytes != ABSENT ? codec_decode(bytes, name, NULL) : ABSENT;
    release(bytes);
    if (text != ABSENT && !v_is_str(text)) {
        release(text);
        return encoding_error(filename, "encoding problem: %s", name);
    }
    if (text == ABSENT) {
        if (err_matches(&exc_SyntaxError) || err_matches(&exc_MemoryError) || !err_matches(&exc_Exception))
            return -1;
        bool unknown = err_matches(&exc_LookupError) && !err_matches(&exc_UnicodeError);
        Value e = err_fetch();
        Value what = obj_str(e);
        release(e);
        size_t what_n;
        const char *utf8 = what != ABSENT ? str_utf8(what, &what_n) : NULL;
        if (utf8 != NULL)
            encoding_error(filename, unknown && strstr(utf8, "text encoding") == NULL ? "unknown encoding: %s" : "%s",
                           unknown && strstr(utf8, "text encoding") == NULL ? name : utf8);
        release(what);
        return -1;
    }
    text = arena_keep(arena, text);
    if (text == ABSENT)
        return -1;
    *out = str_utf8(text, out_n);
    return *out != NULL ? 0 : -1;
}

int source_check_utf8(const char *s, size_t n, Value filename) {
    size_t chars;
    uint32_t bits;
    size_t bad = utf8_scan((const uint8_t *)s, n, &chars, &bits);
    if (bad == n)
        return 0;
    int line = 1;
    for (size_t i = 0; i < bad; i++)
        line += s[i] == '\n';
    Value msg = str_format_c("Non-UTF-8 code starting with '\\x%.2x' in file %S on line %d, but no encoding declared; "
                             "see https://peps.python.org/pep-0263/ for details",
                             (unsigned)(unsigned char)s[bad], filename != ABSENT ? filename : V_NONE, line);
    if (msg != ABSENT)
        err_set_value(&exc_SyntaxError, msg);
    release(msg);
    return -1;
}

/* Exceptions as text: tracebacks with source lines and carets, chains, notes, groups, syntax errors, suggestions. In C,
 * so that it works without the traceback module and when little else does. */
#include <ctype.h>
#include <sys/stat.h>

#include "front/arena.h"
#include "front/parser.h"
#include "gc/heap.h"
#include "interp/frame.h"
#include "interp/traceback.h"
#include "modules/sys_impl.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/list.h"
#include "object/module.h"
#include "object/set.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/suggest.h"

enum { SAME_LINE_MAX = 3, GROUP_WIDTH_MAX = 15, GROUP_DEPTH_MAX = 10, TRACEBACK_LIMIT = 1000 };

typedef struct Printer {
    StrBuilder out;
    int depth;       /* of groups around what is printed */
    bool need_close; /* the box of the last sub-exception is still open */
    Value seen[256]; /* exceptions printed or being printed */
    int n_seen;
    /* the file read last */
    Value file_name;
    char *text;
    size_t text_n;
} Printer;

static void indent(Printer *p) {
    for (int i = 0; i < p->depth; i++)
        sb_cstr(&p->out, "  ");
}
static void margin(Printer *p) {
    indent(p);
    if (p->depth)
        sb_cstr(&p->out, "| ");
}

/* ---- source lines ---- */

static FILE *open_source(Value filename) {
    Value b = str_encode_fs(filename);
    if (!b) {
        err_clear();
        return NULL;
    }
    const char *name = bytes_data(b);
    struct stat st;
    FILE *f = stat(name, &st) == 0 && S_ISREG(st.st_mode) ? fopen(name, "rb") : NULL;
    if (!f && *name != '/' && *name != '<') { /* a name relative to an entry of sys.path */
        const char *tail = strrchr(name, '/');
        tail = tail ? tail + 1 : name;
        Value path = sys_get("path");
        for (intptr_t i = 0; !f && path && v_is_list(path) && i < list_len(path); i++) {
            Value e = list_get(path, i), eb = e && v_is_str(e) ? str_encode_fs(e) : ABSENT;
            char full[4400];
            if (eb && bytes_len(eb) && snprintf(full, sizeof full, "%s/%s", bytes_data(eb), tail) < (int)sizeof full &&
                stat(full, &st) == 0 && S_ISREG(st.st_mode))
                f = fopen(full, "rb");
            release(e);
            release(eb);
        }
        release(path);
        err_clear();
    }
    release(b);
    return f;
}

static bool load_file(Printer *p, Value filename) {
    if (p->file_name && v_is_str(filename) && str_equal(p->file_name, filename))
        return p->text != NULL;
    release(p->file_name);
    free(p->text);
    p->text = NULL;
    p->text_n = 0;
    p->file_name = retained(filename);
    if (!v_is_str(filename))
        return false;
    FILE *f = open_source(filename);
    if (!f)
        return false;
    char *raw = NULL;
    size_t n = 0, cap = 0;
    for (;;) {
        if (n == cap) {
            char *q = realloc(raw, cap = cap ? cap * 2 : 16384);
            if (!q)
                break;
            raw = q;
        }
        size_t k = fread(raw + n, 1, cap - n, f);
        if (k == 0)
            break;
        n += k;
    }
    fclose(f);
    if (!raw)
        return false;
    Arena a;
    arena_init(&a);
    const char *text;
    size_t len;
    if (source_to_utf8(raw, n, filename, &a, &text, &len) == 0) {
        p->text = malloc(len + 1);
        if (p->text) {
            memcpy(p->text, text, len);
            p->text_n = len;
        }
    }
    arena_free(&a);
    free(raw);
    err_clear();
    return p->text != NULL;
}

/* Line number `line` of a file without its newline: owned str, or ABSENT. */
static Value source_line(Printer *p, Value filename, int line) {
    if (line < 1 || !load_file(p, filename))
        return ABSENT;
    const char *s = p->text, *end = s + p->text_n;
    for (int i = 1; i < line; i++) {
        while (s < end && *s != '\n' && *s != '\r')
            s++;
        if (s == end)
            return ABSENT;
        s += *s == '\r' && s + 1 < end && s[1] == '\n' ? 2 : 1;
    }
    if (s == end)
        return ABSENT;
    const char *e = s;
    while (e < end && *e != '\n' && *e != '\r')
        e++;
    Value v = str_from_utf8_lossy(s, (size_t)(e - s));
    if (!v)
        err_clear();
    return v;
}

Value traceback_source_line(Value filename, int line) {
    Printer p = {0};
    Value v = source_line(&p, filename, line);
    release(p.file_name);
    free(p.text);
    return v;
}

static bool is_space(uint32_t c) {
    return c == ' ' || c == '\t' || c == '\f';
}

static intptr_t leading_space(Value line) {
    intptr_t i = 0;
    while (i < str_len(line) && is_space(str_at(line, i)))
        i++;
    return i;
}

/* Characters in the first `bytes` bytes of the UTF-8 form. */
static intptr_t char_offset(Value line, intptr_t bytes) {
    intptr_t i = 0, n = 0;
    while (i < str_len(line) && n < bytes) {
        uint32_t c = str_at(line, i++);
        n += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    return i;
}

/* Where the operator of a binary operation, or the brackets of a subscript, lie in line[start, end): character offsets.
 * False: neither. */
static bool find_anchors(Value line, intptr_t start, intptr_t end, intptr_t *left, intptr_t *right) {
    Value seg = str_substr(line, start, end);
    size_t n;
    const char *s = seg ? str_utf8(seg, &n) : NULL;
    bool found = false;
    Arena a;
    arena_init(&a);
    Value name = s ? str_from_c("<segment>") : ABSENT;
    AstModule *m = name ? parse_source(s, n, name, PARSE_EXEC, PARSE_IGNORE_COOKIE, &a) : NULL;
    if (m && m->body.n == 1 && m->body.v[0]->kind == STMT_Expr) {
        Expr *e = m->body.v[0]->Expr.value;
        intptr_t l = 0, r = 0;
        if (e->kind == EXPR_BinOp && e->BinOp.left->pos.end_lineno == e->BinOp.right->pos.lineno) {
            Expr *lo = e->BinOp.left, *hi = e->BinOp.right;
            for (intptr_t i = lo->pos.end_col; i < hi->pos.col; i++) {
                if (isspace((unsigned char)s[i]))
                    continue;
                l = i;
                r = i + 1;
                if (i + 1 < hi->pos.col && !isspace((unsigned char)s[i + 1]))
                    r++;
                found = true;
                break;
            }
        } else if (e->kind == EXPR_Subscript) {
            l = e->Subscript.value->pos.end_col;
            r = e->Subscript.slice->pos.end_col + 1;
            found = true;
        }
        if (found) {
            *left = start + char_offset(seg, l);
            *right = start + char_offset(seg, r);
        }
    }
    arena_free(&a);
    err_clear();
    release(name);
    release(seg);
    return found;
}

static void print_carets(Printer *p, Value line, const CodePos *pos, intptr_t spaces) {
    if (pos->line < 0 || pos->end_line < 0 || pos->col < 0 || pos->end_col < 0)
        return;
    intptr_t start = char_offset(line, pos->col), end = char_offset(line, pos->end_col), left = -1, right = -1;
    bool anchors = false;
    if (pos->line == pos->end_line)
        anchors = find_anchors(line, start, end, &left, &right);
    else {
        end = str_len(line);
        while (end > 0 && is_space(str_at(line, end - 1)))
            end--;
    }
    if (end - start == str_len(line) - spaces && !anchors)
        return;
    margin(p);
    for (intptr_t at = spaces - 4 + 1; at <= end; at++) {
        if (at <= start)
            sb_char(&p->out, ' ');
        else if (anchors)
            sb_char(&p->out, left < at && at <= right ? '^' : '~');
        else
            sb_char(&p->out, '^');
    }
    sb_char(&p->out, '\n');
}

/* ---- tracebacks ---- */

static void print_entry(Printer *p, Traceback *tb, Code *code, Value filename, Value name) {
    margin(p);
    Value line = str_format_c("  File \"%S\", line %d, in %S\n", filename, tb->lineno, name);
    if (line)
        sb_str(&p->out, line);
    release(line);
    line = source_line(p, filename, tb->lineno);
    if (!line)
        return;
    intptr_t spaces = leading_space(line);
    if (spaces < str_len(line)) {
        margin(p);
        sb_cstr(&p->out, "    ");
        sb_substr(&p->out, line, spaces, str_len(line));
        sb_char(&p->out, '\n');
        CodePos pos = code_pos(code, tb->lasti);
        print_carets(p, line, &pos, spaces);
    }
    release(line);
}

static void print_repeats(Printer *p, long n) {
    margin(p);
    sb_printf(&p->out, "  [Previous line repeated %ld more time%s]\n", n, n == 1 ? "" : "s");
}

static long traceback_limit(void) {
    long limit = TRACEBACK_LIMIT;
    Value lim = sys_get("tracebacklimit");
    if (lim && v_is_integer(lim)) {
        int64_t n;
        if (num_as_i64(lim, &n) < 0) {
            err_clear();
            limit = int_sign(lim) < 0 ? 0 : LONG_MAX;
        } else {
            limit = n > LONG_MAX ? LONG_MAX : (long)n;
        }
    }
    release(lim);
    return limit;
}

static void print_traceback(Printer *p, Value tbv) {
    long limit = traceback_limit(), depth = 0;
    for (Value t = tbv; t; t = ref_peek(&((Traceback *)t)->next))
        depth++;
    Value last_file = ABSENT, last_name = ABSENT;
    int last_line = -1;
    long same = 0;
    for (Value t = tbv; t; t = ref_peek(&((Traceback *)t)->next)) {
        if (depth-- > limit)
            continue;
        Traceback *tb = (Traceback *)t;
        Code *code = frame_object_code(ref_peek(&tb->frame));
        Value file = ref_peek(&code->filename), name = ref_peek(&code->name);
        if (!last_file || file != last_file || tb->lineno != last_line || name != last_name) {
            if (same > SAME_LINE_MAX)
                print_repeats(p, same - SAME_LINE_MAX);
            last_file = file;
            last_name = name;
            last_line = tb->lineno;
            same = 0;
        }
        if (++same <= SAME_LINE_MAX)
            print_entry(p, tb, code, file, name);
    }
    if (same > SAME_LINE_MAX)
        print_repeats(p, same - SAME_LINE_MAX);
}

/* ---- one exception ---- */

static Value safe_str(Value v, const char *failed) {
    Value s = obj_str(v);
    if (!s) {
        err_clear();
        s = str_from_c(failed);
    }
    return s;
}

static void print_name(Printer *p, Type *t) {
    Value m = type_module(t), q = type_qualname(t);
    if (err_pending())
        err_clear();
    if (!m || !v_is_str(m))
        sb_cstr(&p->out, "<unknown>.");
    else if (!str_equal_c(m, "builtins") && !str_equal_c(m, "__main__")) {
        sb_str(&p->out, m);
        sb_char(&p->out, '.');
    }
    if (q && v_is_str(q))
        sb_str(&p->out, q);
    else
        sb_cstr(&p->out, "<unknown>");
    release(m);
    release(q);
}

static Value attr_or_none(Value o, const char *name) {
    Value v;
    if (obj_lookup_attr_str(o, name, &v) <= 0) {
        err_clear();
        return V_NONE;
    }
    return v;
}
static intptr_t int_of(Value v, intptr_t dflt) {
    return v_is_int(v) ? (intptr_t)v_int(v) : dflt;
}

static void print_syntax_location(Printer *p, Value e) {
    Value file = attr_or_none(e, "filename"), line = attr_or_none(e, "lineno"), text = attr_or_none(e, "text");
    Value off = attr_or_none(e, "offset"), end_off = attr_or_none(e, "end_offset");
    if (v_is_int(line)) {
        margin(p);
        Value s = file == V_NONE ? str_format_c("  File \"<string>\", line %S\n", line)
                                 : str_format_c("  File \"%S\", line %S\n", file, line);
        if (s)
            sb_str(&p->out, s);
        release(s);
        if (v_is_str(text)) {
            intptr_t n = str_len(text), first = 0;
            while (n > 0 && str_at(text, n - 1) == '\n')
                n--;
            while (first < n && (str_at(text, first) == ' ' || str_at(text, first) == '\t' ||
                                 str_at(text, first) == '\f' || str_at(text, first) == '\n'))
                first++;
            margin(p);
            sb_cstr(&p->out, "    ");
            sb_substr(&p->out, text, first, n);
            sb_char(&p->out, '\n');
            intptr_t offset = int_of(off, 0);
            if (offset > 0) {
                intptr_t end = int_of(end_off, 0);
                if (end == 0 || end == -1)
                    end = offset;
                if (end <= offset)
                    end = offset + 1;
                intptr_t col = offset - 1 - first, end_col = end - 1 - first;
                if (col >= 0) {
                    margin(p);
                    sb_cstr(&p->out, "    ");
                    for (intptr_t i = 0; i < col; i++) {
                        uint32_t c = first + i < n ? str_at(text, first + i) : ' ';
                        sb_char(&p->out, c == '\t' || c == '\f' ? c : ' ');
                    }
                    for (intptr_t i = col; i < end_col; i++)
                        sb_char(&p->out, '^');
                    sb_char(&p->out, '\n');
                }
            }
        }
    }
    release(file);
    release(line);
    release(text);
    release(off);
    release(end_off);
}

static void print_notes(Printer *p, Value e) {
    Value notes;
    if (obj_lookup_attr(e, ID("__notes__"), &notes) <= 0) {
        err_clear();
        return;
    }
    Value list = ABSENT;
    if ((v_is_list(notes) || v_is_tuple(notes)) && (list = seq_to_list(notes)) != ABSENT) {
        for (intptr_t i = 0; i < list_len(list); i++) {
            Value n = list_get(list, i), s = safe_str(n, "<note str() failed>");
            intptr_t len = s ? str_len(s) : 0, from = 0;
            do {
                intptr_t to = from;
                while (to < len && str_at(s, to) != '\n')
                    to++;
                margin(p);
                sb_substr(&p->out, s, from, to);
                sb_char(&p->out, '\n');
                from = to + 1;
            } while (from < len);
            release(n);
            release(s);
        }
    } else if (notes != V_NONE) {
        Value r = obj_repr(notes);
        if (!r) {
            err_clear();
            r = str_from_c("<__notes__ repr() failed>");
        }
        margin(p);
        sb_str(&p->out, r);
        sb_char(&p->out, '\n');
        release(r);
    }
    err_clear();
    release(list);
    release(notes);
}

static bool is_group(Value e) {
    return type_is_subtype(type_of(e), &exc_BaseExceptionGroup);
}

static void print_one(Printer *p, Value e) {
    Value tb = exc_traceback(e);
    if (v_is_exact(tb, IDX_TRACEBACK) && traceback_limit() > 0) {
        indent(p);
        if (p->depth)
            sb_cstr(&p->out, is_group(e) && p->depth == 1 ? "+ " : "| ");
        sb_cstr(&p->out, is_group(e) ? "Exception Group Traceback (most recent call last):\n"
                                     : "Traceback (most recent call last):\n");
        print_traceback(p, tb);
    }
    release(tb);
    bool syntax = type_is_subtype(type_of(e), &exc_SyntaxError);
    Value text = ABSENT;
    if (syntax) {
        Value line = attr_or_none(e, "lineno");
        print_syntax_location(p, e);
        if (v_is_int(line)) { /* the location is not said twice */
            Value msg = attr_or_none(e, "msg");
            text = msg == V_NONE ? str_from_c("<no detail available>") : safe_str(msg, "<exception str() failed>");
            release(msg);
        }
        release(line);
    }
    if (!text)
        text = safe_str(e, "<exception str() failed>");
    margin(p);
    print_name(p, type_of(e));
    if (text && str_len(text) > 0) {
        sb_cstr(&p->out, ": ");
        sb_str(&p->out, text);
    }
    release(text);
    Value hint = suggest_for(e);
    if (hint) {
        Value s = str_format_c(". Did you mean: %R?", hint);
        if (s)
            sb_str(&p->out, s);
        release(s);
        release(hint);
    }
    err_clear();
    sb_char(&p->out, '\n');
    print_notes(p, e);
}

/* ---- chains and groups ---- */

static void print_all(Printer *p, Value e);

static void print_group(Printer *p, Value e) {
    if (p->depth > GROUP_DEPTH_MAX) {
        margin(p);
        sb_printf(&p->out, "... (max_group_depth is %d)\n", GROUP_DEPTH_MAX);
        return;
    }
    bool top = p->depth == 0;
    if (top)
        p->depth = 1;
    print_one(p, e);
    Value excs = ref_peek(&((ExcGroup *)e)->excs);
    intptr_t total = tuple_len(excs), n = total <= GROUP_WIDTH_MAX ? total : GROUP_WIDTH_MAX + 1;
    p->need_close = false;
    for (intptr_t i = 0; i < n; i++) {
        bool last = i == n - 1, cut = i >= GROUP_WIDTH_MAX;
        if (last)
            p->need_close = true;
        indent(p);
        sb_cstr(&p->out, i == 0 ? "+-" : "  ");
        if (cut)
            sb_cstr(&p->out, "+---------------- ... ----------------\n");
        else
            sb_printf(&p->out, "+---------------- %zd ----------------\n", (ssize_t)(i + 1));
        p->depth++;
        if (!cut)
            print_all(p, tuple_get(excs, i));
        else {
            intptr_t rest = total - GROUP_WIDTH_MAX;
            margin(p);
            sb_printf(&p->out, "and %zd more exception%s\n", (ssize_t)rest, rest > 1 ? "s" : "");
        }
        if (last && p->need_close) {
            indent(p);
            sb_cstr(&p->out, "+------------------------------------\n");
            p->need_close = false;
        }
        p->depth--;
    }
    if (top)
        p->depth = 0;
}

static bool seen(Printer *p, Value e) {
    for (int i = 0; i < p->n_seen; i++)
        if (p->seen[i] == e)
            return true;
    return false;
}
static void print_linked(Printer *p, Value e, const char *message) {
    bool need_close = p->need_close;
    print_all(p, e);
    p->need_close = need_close;
    margin(p);
    sb_char(&p->out, '\n');
    margin(p);
    sb_cstr(&p->out, message);
    margin(p);
    sb_char(&p->out, '\n');
}

static void print_all(Printer *p, Value e) {
    if (!recursion_enter(" while printing an exception")) {
        err_clear();
        return;
    }
    if (p->n_seen < (int)ARRAY_LEN(p->seen))
        p->seen[p->n_seen++] = e;
    Value cause = exc_cause(e), context = exc_context(e);
    if (cause != V_NONE) {
        if (!seen(p, cause) && p->n_seen < (int)ARRAY_LEN(p->seen))
            print_linked(p, cause, "The above exception was the direct cause of the following exception:\n");
    } else if (context != V_NONE && !LOAD_RELAXED(&((BaseExc *)e)->suppress_context)) {
        if (!seen(p, context) && p->n_seen < (int)ARRAY_LEN(p->seen))
            print_linked(p, context, "During handling of the above exception, another exception occurred:\n");
    }
    release(cause);
    release(context);
    if (is_group(e))
        print_group(p, e);
    else
        print_one(p, e);
}

static void printer_init(Printer *p) {
    memset(p, 0, sizeof *p);
    sb_init(&p->out);
}
static Value printer_finish(Printer *p) {
    release(p->file_name);
    free(p->text);
    err_clear();
    return sb_finish(&p->out);
}

Value exc_format_full(Value e, Value tb) {
    Value own = exc_traceback(e);
    if (own == V_NONE && tb && v_is_exact(tb, IDX_TRACEBACK))
        exc_set_traceback(e, tb);
    release(own);
    Printer p;
    printer_init(&p);
    print_all(&p, e);
    return printer_finish(&p);
}

/* ---- where it goes ---- */

static void write_stderr(Value text) {
    Value err = sys_get("stderr");
    if (err == V_NONE)
        return;
    if (err) {
        Value a[] = {text}, r = obj_call_method(err, ID("write"), a, 1);
        if (r) {
            release(r);
            r = obj_call_method(err, ID("flush"), NULL, 0);
        }
        release(r);
        release(err);
        if (!r)
            err_clear();
        return;
    }
    size_t n;
    const char *s = str_utf8(text, &n);
    if (s)
        fwrite(s, 1, n, stderr);
    else
        err_clear();
}

void excepthook_default(Value e, Value tb) {
    Value text = exc_format_full(e, tb);
    if (!text) {
        err_clear();
        fprintf(stderr, "%s\n", type_cname(type_of(e)));
        return;
    }
    write_stderr(text);
    release(text);
}

void unraisable_default(Value e, Value msg, Value object) {
    Printer p;
    printer_init(&p);
    if (object && object != V_NONE) {
        if (msg && v_is_str(msg))
            sb_str(&p.out, msg);
        else
            sb_cstr(&p.out, "Exception ignored in");
        sb_cstr(&p.out, ": ");
        Value r = obj_repr(object);
        if (r)
            sb_str(&p.out, r);
        else {
            err_clear();
            sb_cstr(&p.out, "<object repr() failed>");
        }
        release(r);
        sb_char(&p.out, '\n');
    } else if (msg && v_is_str(msg)) {
        sb_str(&p.out, msg);
        sb_cstr(&p.out, ":\n");
    }
    if (v_is_exc(e)) {
        Value tb = exc_traceback(e);
        if (v_is_exact(tb, IDX_TRACEBACK)) {
            sb_cstr(&p.out, "Traceback (most recent call last):\n");
            print_traceback(&p, tb);
        }
        release(tb);
        print_name(&p, type_of(e));
        Value s = safe_str(e, "<exception str() failed>");
        if (s && str_len(s)) {
            sb_cstr(&p.out, ": ");
            sb_str(&p.out, s);
        }
        release(s);
    }
    sb_char(&p.out, '\n');
    Value text = printer_finish(&p);
    if (text)
        write_stderr(text);
    release(text);
    err_clear();
}

/* _sre: patterns, matches and scanners over the engine of sre.h. */
#include "heap.h"
#include "modules/sre.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/text.h"
#include "object/tuple.h"
#include "object/unicode.h"

typedef struct Pattern {
    Object hdr;
    Ref pattern, groupindex, indexgroup; /* fixed; pattern None: made from a parse tree */
    uint32_t *code;                      /* heap_block */
    size_t n_code;
    uint32_t groups, flags;
    int8_t bytes; /* 1 bytes, 0 str, -1 either */
} Pattern;

typedef struct Match {
    Object hdr;
    Ref string, pattern; /* fixed */
    Ref regs;            /* made on demand */
    intptr_t pos, endpos;
    int32_t lastindex;
    uint32_t groups;  /* the whole match included */
    intptr_t marks[]; /* start, end of each group; -1 */
} Match;

typedef struct Scanner {
    Object hdr;
    Ref string, pattern; /* fixed */
    Buffer buffer;       /* pins a string that is no str */
    intptr_t start, end;
    bool must_advance;
    _Atomic(bool) busy;
} Scanner;

static Type pattern_type, match_type, scanner_type, finditer_type;
static Pattern *pat(Value v) {
    return (Pattern *)v;
}
static Match *mat(Value v) {
    return (Match *)v;
}

enum { FLAG_IGNORECASE = 2, FLAG_UNICODE = 32 };

/* ---- the text of a match ---- */

/* A subject: str or a buffer, with the engine's state on it. */
typedef struct Subject {
    SreState st;
    Value string; /* borrowed */
    Buffer buffer;
    bool pinned;
    intptr_t len;
    const void *data;
    int kind;
} Subject;

static int subject_text(Subject *s, Pattern *p, Value string) {
    s->string = string;
    s->pinned = false;
    if (v_is_str(string)) {
        if (p->bytes > 0) {
            err_set(&exc_TypeError, "cannot use a bytes pattern on a string-like object");
            return -1;
        }
        s->data = str_data(string);
        s->kind = str_kind(string);
        s->len = str_len(string);
        return 0;
    }
    if (!v_is_buffer(string)) {
        err_set(&exc_TypeError, "expected string or bytes-like object, got '%T'", string);
        return -1;
    }
    if (p->bytes == 0) {
        err_set(&exc_TypeError, "cannot use a string pattern on a bytes-like object");
        return -1;
    }
    if (buffer_get(string, &s->buffer, false) < 0)
        return -1;
    s->pinned = true;
    s->data = s->buffer.data;
    s->kind = 1;
    s->len = s->buffer.len;
    return 0;
}

static int subject_open(Subject *s, Value pattern, Value string, intptr_t pos, intptr_t endpos) {
    Pattern *p = pat(pattern);
    if (subject_text(s, p, string) < 0)
        return -1;
    pos = MIN(MAX(pos, 0), s->len);
    endpos = MIN(MAX(endpos, 0), s->len);
    if (sre_state_init(&s->st, p->code, p->groups, s->data, s->kind, pos, endpos) < 0) {
        if (s->pinned)
            buffer_release(&s->buffer);
        err_no_memory();
        return -1;
    }
    return 0;
}
static void subject_close(Subject *s) {
    sre_state_done(&s->st);
    if (s->pinned)
        buffer_release(&s->buffer);
}

/* string[lo:hi] as str or bytes. */
static Value slice_of(Value string, const void *data, intptr_t lo, intptr_t hi) {
    if (v_is_str(string))
        return str_substr(string, lo, hi);
    if (v_is_exact(string, IDX_BYTES) && lo == 0 && hi == bytes_len(string))
        return retained(string);
    return bytes_from(hi > lo ? (const char *)data + lo : "", (size_t)MAX(hi - lo, 0));
}
static Value subject_slice(Subject *s, intptr_t lo, intptr_t hi) {
    return slice_of(s->string, s->data, lo, hi);
}
static Value subject_group(Subject *s, uint32_t g, Value unmatched) {
    if (g == 0)
        return subject_slice(s, s->st.start, s->st.ptr);
    intptr_t lo = s->st.marks[2 * g - 2], hi = s->st.marks[2 * g - 1];
    return lo < 0 || hi < lo ? retained(unmatched) : subject_slice(s, lo, hi);
}

/* An engine's negative answer as an exception. */
static Value engine_error(int r) {
    if (r == SRE_NO_MEMORY)
        err_no_memory();
    return ABSENT;
}

static Value match_new(Value pattern, Subject *s, intptr_t pos, intptr_t endpos) {
    Pattern *p = pat(pattern);
    uint32_t groups = p->groups + 1;
    Value v = obj_new_sized(&match_type, (size_t)groups * 2 * sizeof(intptr_t));
    if (v == ABSENT)
        return ABSENT;
    Match *m = mat(v);
    m->groups = groups;
    m->marks[0] = s->st.start;
    m->marks[1] = s->st.ptr;
    for (size_t g = 1; g < groups; g++) {
        intptr_t lo = s->st.marks[2 * g - 2], hi = s->st.marks[2 * g - 1];
        bool ok = lo >= 0 && hi >= lo;
        m->marks[2 * g] = ok ? lo : -1;
        m->marks[2 * g + 1] = ok ? hi : -1;
    }
    m->lastindex = s->st.lastindex;
    m->pos = pos;
    m->endpos = endpos;
    ref_init(&m->string, retained(s->string));
    ref_init(&m->pattern, retained(pattern));
    trace_track(v_obj(v));
    return v;
}

/* ---- arguments ---- */

static int position_args(Value *args, intptr_t nargs, intptr_t i, intptr_t *pos, intptr_t *endpos) {
    Value a = arg_at(args, nargs, i), b = arg_at(args, nargs, i + 1);
    *pos = 0;
    *endpos = INTPTR_MAX;
    if ((a != ABSENT && num_as_index(a, pos, NULL) < 0) || (b != ABSENT && num_as_index(b, endpos, NULL) < 0))
        return -1;
    return 0;
}

enum { DO_MATCH, DO_FULLMATCH, DO_SEARCH };
static Value match_method(Value self, Value *args, intptr_t nargs, int how) {
    intptr_t pos, endpos;
    Subject s;
    if (position_args(args, nargs, 1, &pos, &endpos) < 0 || subject_open(&s, self, args[0], pos, endpos) < 0)
        return ABSENT;
    intptr_t start = s.st.start, end = s.st.end;
    s.st.match_all = how == DO_FULLMATCH;
    int r = how == DO_SEARCH ? sre_search(&s.st) : sre_match(&s.st);
    Value v = r < 0 ? engine_error(r) : r == 0 ? V_NONE : match_new(self, &s, start, end);
    subject_close(&s);
    return v;
}
static Value p_match(Value self, Value *args, intptr_t nargs, Value kw) {
    return match_method(self, args, nargs, DO_MATCH);
}
static Value p_fullmatch(Value self, Value *args, intptr_t nargs, Value kw) {
    return match_method(self, args, nargs, DO_FULLMATCH);
}
static Value p_search(Value self, Value *args, intptr_t nargs, Value kw) {
    return match_method(self, args, nargs, DO_SEARCH);
}

/* After a match: where the next search starts, and that it must not be empty there. */
static void advance(SreState *st) {
    st->must_advance = st->ptr == st->start;
    st->start = st->ptr;
    intptr_t start = st->start;
    bool must = st->must_advance;
    sre_state_reset(st);
    st->start = start;
    st->must_advance = must;
}

static Value p_findall(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t pos, endpos;
    Subject s;
    Pattern *p = pat(self);
    if (position_args(args, nargs, 1, &pos, &endpos) < 0 || subject_open(&s, self, args[0], pos, endpos) < 0)
        return ABSENT;
    Value list = list_new(0), empty = v_is_str(args[0]) ? str_empty() : bytes_empty();
    int r = 0;
    while (list != ABSENT && s.st.start <= s.st.end && (r = sre_search(&s.st)) > 0) {
        Value item;
        if (p->groups <= 1)
            item = subject_group(&s, p->groups, empty);
        else if ((item = tuple_new(p->groups)) != ABSENT)
            for (uint32_t g = 1; g <= p->groups; g++) {
                Value part = subject_group(&s, g, empty);
                if (part == ABSENT) {
                    release(item);
                    item = ABSENT;
                    break;
                }
                tuple_init_item(item, g - 1, part);
            }
        if (item == ABSENT || list_append_steal(list, item) < 0) {
            r = SRE_INTERRUPTED;
            break;
        }
        advance(&s.st);
    }
    if (r < 0) {
        engine_error(r);
        release(list);
        list = ABSENT;
    }
    subject_close(&s);
    return list;
}

static Value p_split(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t max = 0, n = 0, last = 0;
    Subject s;
    Pattern *p = pat(self);
    if (text_size_arg(arg_at(args, nargs, 1), 0, &max) < 0 || subject_open(&s, self, args[0], 0, INTPTR_MAX) < 0)
        return ABSENT;
    Value list = list_new(0), item;
    int r = 0;
    while (list != ABSENT && (max == 0 || n < max) && (r = sre_search(&s.st)) > 0) {
        item = subject_slice(&s, last, s.st.start);
        if (item == ABSENT || list_append_steal(list, item) < 0)
            goto fail;
        for (uint32_t g = 1; g <= p->groups; g++) {
            item = subject_group(&s, g, V_NONE);
            if (item == ABSENT || list_append_steal(list, item) < 0)
                goto fail;
        }
        last = s.st.ptr;
        n++;
        advance(&s.st);
    }
    if (r >= 0 && list != ABSENT) {
        item = subject_slice(&s, last, s.len);
        if (item != ABSENT && list_append_steal(list, item) == 0)
            goto done;
    }
fail:
    engine_error(r);
    release(list);
    list = ABSENT;
done:
    subject_close(&s);
    return list;
}

/* ---- sub ---- */

/* What a replacement template says: groups and literals as re._parser.parse_template gives them. */
typedef struct Template {
    Value pair;     /* owned (groups, literals), or ABSENT */
    Value literals; /* borrowed list of str, bytes or None */
    Value groups;   /* borrowed list of (index into literals, group) */
} Template;

/* What re._subx makes of a template: its result in *filter (owned: the literal to put in, or a function). The
 * function's default argument is the parsed template: then t->pair is set, and it need not be called. 0, -1. */
static int template_open(Template *t, Value pattern, Value repl, Value *filter) {
    Value f = import_attr("re", "_subx"), defaults;
    t->pair = ABSENT;
    if (f == ABSENT)
        return -1;
    *filter = obj_call2(f, pattern, repl);
    release(f);
    if (*filter == ABSENT)
        return -1;
    if (!v_is_callable(*filter))
        return 0;
    int r = obj_lookup_attr_str(*filter, "__defaults__", &defaults);
    if (r <= 0)
        return r;
    Value pair = v_is_tuple(defaults) && tuple_len(defaults) == 1 ? tuple_get(defaults, 0) : ABSENT;
    if (pair != ABSENT && v_is_tuple(pair) && tuple_len(pair) == 2 && v_is_list(tuple_get(pair, 0)) &&
        v_is_list(tuple_get(pair, 1))) {
        t->pair = retained(pair);
        t->groups = tuple_get(pair, 0);
        t->literals = tuple_get(pair, 1);
    }
    release(defaults);
    return 0;
}

/* Pieces of the result, joined at the end. */
typedef struct Pieces {
    bool text;
    StrBuilder sb;
    BytesBuilder bb;
} Pieces;
static void pieces_slice(Pieces *o, Subject *s, intptr_t lo, intptr_t hi) {
    if (!o->text)
        bb_bytes(&o->bb, (const char *)s->data + lo, (size_t)(hi - lo));
    else
        sb_substr(&o->sb, s->string, lo, hi);
}
/* A piece that a template or function gave; `i` is its number, for the message. */
static bool pieces_value(Pieces *o, Value v, intptr_t i) {
    if (o->text) {
        if (!v_is_str(v)) {
            err_set(&exc_TypeError, "sequence item %zd: expected str instance, %T found", i, v);
            return false;
        }
        sb_str(&o->sb, v);
        return true;
    }
    if (!v_is_buffer(v)) {
        err_set(&exc_TypeError, "sequence item %zd: expected a bytes-like object, %T found", i, v);
        return false;
    }
    ByteView w;
    if (view_open(&w, v) < 0)
        return false;
    bb_bytes(&o->bb, w.p, (size_t)w.n);
    view_close(&w);
    return true;
}

static bool pieces_template(Pieces *o, Subject *s, Template *t, uint32_t groups, intptr_t i) {
    Value lit, pair;
    intptr_t next = 0;
    for (intptr_t k = 0; (lit = list_get(t->literals, k)) != ABSENT; k++) {
        if (lit != V_NONE) {
            bool ok = pieces_value(o, lit, i);
            release(lit);
            if (!ok)
                return false;
            continue;
        }
        pair = list_get(t->groups, next++);
        int64_t g = -1;
        if (pair != ABSENT && v_is_tuple(pair) && tuple_len(pair) == 2 && v_is_int(tuple_get(pair, 1)))
            g = v_int(tuple_get(pair, 1));
        release(pair);
        if (g < 0 || g > groups) {
            err_set(&exc_IndexError, "no such group");
            return false;
        }
        if (g == 0)
            pieces_slice(o, s, s->st.start, s->st.ptr);
        else if (s->st.marks[2 * g - 2] >= 0 && s->st.marks[2 * g - 1] >= s->st.marks[2 * g - 2])
            pieces_slice(o, s, s->st.marks[2 * g - 2], s->st.marks[2 * g - 1]);
    }
    return true;
}

/* Whether a str or bytes-like template holds a backslash. */
static int has_backslash(Value v) {
    if (v_is_str(v))
        return str_find_char(v, '\\', 0, str_len(v), 1) >= 0;
    ByteView w;
    if (view_open(&w, v) < 0)
        return -1;
    int r = w.n > 0 && memchr(w.p, '\\', (size_t)w.n) != NULL;
    view_close(&w);
    return r;
}

static Value substitute(Value self, Value *args, intptr_t nargs, bool with_count) {
    Value repl = args[0], string = args[1], result = ABSENT;
    intptr_t max = 0, n = 0, last = 0, piece = 0;
    Subject s;
    Template t = {.pair = ABSENT};
    enum { LITERAL, TEMPLATE, FUNCTION } how = FUNCTION;
    if (text_size_arg(arg_at(args, nargs, 2), 0, &max) < 0)
        return ABSENT;
    Value filter = ABSENT;
    if (!v_is_callable(repl)) {
        int b = v_is_str(repl) || v_is_buffer(repl) ? has_backslash(repl) : 1;
        if (b < 0 || (b > 0 && template_open(&t, self, repl, &filter) < 0))
            return ABSENT;
        if (filter != ABSENT)
            repl = filter;
        how = t.pair != ABSENT ? TEMPLATE : v_is_callable(repl) ? FUNCTION : LITERAL;
    }
    if (subject_open(&s, self, string, 0, INTPTR_MAX) < 0) {
        release(t.pair);
        release(filter);
        return ABSENT;
    }
    Pieces o = {.text = v_is_str(string)};
    sb_init(&o.sb);
    bb_init(&o.bb);
    int r = 0;
    while ((max == 0 || n < max) && (r = sre_search(&s.st)) > 0) {
        if (last < s.st.start) {
            pieces_slice(&o, &s, last, s.st.start);
            piece++;
        }
        bool ok;
        if (how == LITERAL)
            ok = pieces_value(&o, repl, piece++);
        else if (how == TEMPLATE)
            ok = pieces_template(&o, &s, &t, pat(self)->groups, piece++);
        else {
            Value m = match_new(self, &s, 0, s.st.end), v = m == ABSENT ? ABSENT : obj_call1(repl, m);
            release(m);
            ok = v == V_NONE || (v != ABSENT && pieces_value(&o, v, piece++));
            release(v);
        }
        if (!ok)
            goto done;
        last = s.st.ptr;
        n++;
        advance(&s.st);
    }
    if (r < 0) {
        engine_error(r);
        goto done;
    }
    if (n == 0)
        result = o.text ? str_exact(string) : subject_slice(&s, 0, s.len);
    else {
        pieces_slice(&o, &s, last, s.len);
        result = o.text ? sb_finish(&o.sb) : bb_finish(&o.bb);
    }
done:
    sb_free(&o.sb);
    bb_free(&o.bb);
    subject_close(&s);
    release(t.pair);
    release(filter);
    if (!with_count || result == ABSENT)
        return result;
    Value pair[2] = {result, v_from_int(n)};
    return tuple_from_steal(pair, 2);
}
static Value p_sub(Value self, Value *args, intptr_t nargs, Value kw) {
    return substitute(self, args, nargs, false);
}
static Value p_subn(Value self, Value *args, intptr_t nargs, Value kw) {
    return substitute(self, args, nargs, true);
}

/* ---- scanners ---- */

static Value scanner_new(Type *t, Value self, Value *args, intptr_t nargs) {
    intptr_t pos, endpos;
    Subject s;
    if (position_args(args, nargs, 1, &pos, &endpos) < 0 || subject_text(&s, pat(self), args[0]) < 0)
        return ABSENT;
    Value v = obj_new(t);
    if (v == ABSENT) {
        if (s.pinned)
            buffer_release(&s.buffer);
        return ABSENT;
    }
    Scanner *sc = (Scanner *)v;
    if (s.pinned)
        sc->buffer = s.buffer;
    ref_init(&sc->string, retained(args[0]));
    ref_init(&sc->pattern, retained(self));
    sc->start = MIN(MAX(pos, 0), s.len);
    sc->end = MIN(MAX(endpos, 0), s.len);
    trace_track(v_obj(v));
    return v;
}

static Value scan(Value self, bool search) {
    Scanner *sc = (Scanner *)self;
    if (atomic_exchange(&sc->busy, true))
        return err_set(&exc_ValueError, "regular expression scanner already executing");
    Value pattern = ref_peek(&sc->pattern), string = ref_peek(&sc->string), v = V_NONE;
    if (sc->start >= 0 && sc->start <= sc->end) {
        Pattern *p = pat(pattern);
        Subject s = {.string = string};
        if (sc->buffer.owner != ABSENT) {
            s.data = sc->buffer.data;
            s.kind = 1;
            s.len = sc->buffer.len;
        } else {
            s.data = str_data(string);
            s.kind = str_kind(string);
            s.len = str_len(string);
        }
        if (sre_state_init(&s.st, p->code, p->groups, s.data, s.kind, sc->start, sc->end) < 0)
            v = err_no_memory();
        else {
            s.st.must_advance = sc->must_advance;
            intptr_t pos = sc->start;
            int r = search ? sre_search(&s.st) : sre_match(&s.st);
            if (r < 0)
                v = engine_error(r);
            else if (r == 0)
                sc->start = -1;
            else {
                v = match_new(pattern, &s, pos, sc->end);
                sc->must_advance = s.st.ptr == s.st.start;
                sc->start = s.st.ptr;
            }
            sre_state_done(&s.st);
        }
    }
    STORE_RELEASE(&sc->busy, false);
    return v;
}

static void scanner_traverse(Value self, VisitFn visit, void *arg) {
    Scanner *s = (Scanner *)self;
    visit(ref_peek(&s->string), arg);
    visit(ref_peek(&s->pattern), arg);
    visit(s->buffer.owner, arg);
}
static void scanner_clear(Value self) {
    Scanner *s = (Scanner *)self;
    buffer_release(&s->buffer);
    ref_clear(self, &s->string);
    ref_clear(self, &s->pattern);
}
static const TypeOps scanner_ops = {.traverse = scanner_traverse, .clear = scanner_clear};

static Value p_scanner(Value self, Value *args, intptr_t nargs, Value kw) {
    return scanner_new(&scanner_type, self, args, nargs);
}
static Value p_finditer(Value self, Value *args, intptr_t nargs, Value kw) {
    return scanner_new(&finditer_type, self, args, nargs);
}
static Value s_match(Value self, Value *args, intptr_t nargs, Value kw) {
    return scan(self, false);
}
static Value s_search(Value self, Value *args, intptr_t nargs, Value kw) {
    return scan(self, true);
}
static Value finditer_next(Value self) {
    Value v = scan(self, true);
    return v == V_NONE ? ABSENT : v;
}
static Value s_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = scan(self, true);
    return v == V_NONE ? err_stop_iteration(ABSENT) : v;
}
static Value s_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}
static Value g_scanner_pattern(Value self) {
    return retained(ref_peek(&((Scanner *)self)->pattern));
}

/* ---- patterns ---- */

static void pattern_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&pat(self)->pattern), arg);
    visit(ref_peek(&pat(self)->groupindex), arg);
    visit(ref_peek(&pat(self)->indexgroup), arg);
}
static void pattern_clear(Value self) {
    ref_clear(self, &pat(self)->pattern);
    ref_clear(self, &pat(self)->groupindex);
    ref_clear(self, &pat(self)->indexgroup);
}
static void pattern_fini(Value self) {
    heap_block_free(pat(self)->code);
    pat(self)->code = NULL;
}
static const TypeOps pattern_ops = {.traverse = pattern_traverse, .clear = pattern_clear, .fini = pattern_fini};

static Value f_compile(Value self, Value *args, intptr_t nargs, Value kw) {
    Value pattern = args[0], list = args[2], groupindex = args[4], indexgroup = args[5];
    int64_t flags, groups;
    if (num_as_i64(args[1], &flags) < 0 || num_as_i64(args[3], &groups) < 0)
        return ABSENT;
    if (!v_is_list(list))
        return err_set(&exc_TypeError, "compile() argument 'code' must be list, not %T", list);
    if (!v_is_dict(groupindex))
        return err_set(&exc_TypeError, "compile() argument 'groupindex' must be dict, not %T", groupindex);
    if (!v_is_tuple(indexgroup))
        return err_set(&exc_TypeError, "compile() argument 'indexgroup' must be tuple, not %T", indexgroup);
    size_t n = (size_t)list_len(list);
    uint32_t *code = heap_block((n + 1) * sizeof(uint32_t));
    if (code == NULL)
        return err_no_memory();
    for (size_t i = 0; i < n; i++) {
        Value item = list_get(list, (intptr_t)i);
        int64_t c = -1;
        if (item == ABSENT || !v_is_integer(item) || int_to_i64(item, &c) != 0 || c < 0 || c > UINT32_MAX) {
            release(item);
            heap_block_free(code);
            return err_set(&exc_OverflowError, "regular expression code size limit exceeded");
        }
        code[i] = (uint32_t)c;
        release(item);
    }
    if (groups < 0 || groups > (1 << 30) || !sre_validate(code, n, (uint32_t)groups)) {
        heap_block_free(code);
        return err_set(&exc_RuntimeError, "invalid SRE code");
    }
    Value v = obj_new(&pattern_type);
    if (v == ABSENT) {
        heap_block_free(code);
        return ABSENT;
    }
    Pattern *p = pat(v);
    p->code = code;
    p->n_code = n;
    p->groups = (uint32_t)groups;
    p->flags = (uint32_t)flags;
    p->bytes = pattern == V_NONE ? -1 : !v_is_str(pattern);
    ref_init(&p->pattern, retained(pattern));
    ref_init(&p->groupindex, retained(groupindex));
    ref_init(&p->indexgroup, retained(indexgroup));
    trace_track(v_obj(v));
    return v;
}

static Value p_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    static const struct {
        const char *name;
        uint32_t flag;
    } names[] = {{"re.TEMPLATE", 1}, {"re.IGNORECASE", 2}, {"re.LOCALE", 4},  {"re.MULTILINE", 8},
                 {"re.DOTALL", 16},  {"re.VERBOSE", 64},   {"re.DEBUG", 128}, {"re.ASCII", 256}};
    Pattern *p = pat(self);
    Value text = obj_repr(ref_peek(&p->pattern));
    if (text == ABSENT)
        return ABSENT;
    uint32_t flags = p->flags;
    if (v_is_str(ref_peek(&p->pattern)) && (flags & (4 | FLAG_UNICODE | 256)) == FLAG_UNICODE)
        flags &= ~(uint32_t)FLAG_UNICODE;
    StrBuilder b;
    sb_init(&b);
    sb_cstr(&b, "re.compile(");
    sb_substr(&b, text, 0, 200);
    release(text);
    const char *sep = ", ";
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (flags & names[i].flag) {
            sb_cstr(&b, sep);
            sb_cstr(&b, names[i].name);
            flags &= ~names[i].flag;
            sep = "|";
        }
    if (flags) {
        sb_cstr(&b, sep);
        sb_printf(&b, "0x%x", flags);
    }
    sb_char(&b, ')');
    return sb_finish(&b);
}

static Value p_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = args[0];
    if (type_of(o) != &pattern_type)
        return V_NOTIMPL;
    if (self == o)
        return V_TRUE;
    Pattern *a = pat(self), *b = pat(o);
    if (a->flags != b->flags || a->bytes != b->bytes || a->n_code != b->n_code ||
        memcmp(a->code, b->code, a->n_code * sizeof(uint32_t)) != 0)
        return V_FALSE;
    return obj_compare(ref_peek(&a->pattern), ref_peek(&b->pattern), CMP_EQ);
}
static Value p_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    Value r = p_eq(self, args, nargs, kw);
    if (r == ABSENT || r == V_NOTIMPL)
        return r;
    int t = obj_truth(r);
    release(r);
    return t < 0 ? ABSENT : v_bool(!t);
}
static Value p_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    Pattern *p = pat(self);
    int64_t h = obj_hash(ref_peek(&p->pattern));
    if (h == -1)
        return ABSENT;
    uint64_t x = (uint64_t)h ^ str_hash_bytes(p->code, p->n_code * sizeof(uint32_t)) ^ p->flags ^
                 (uint64_t)(uint8_t)p->bytes << 8 ^ (uint64_t)p->groups << 16;
    return v_from_int((int64_t)(x >> 2));
}
static Value self_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}

static Value g_pattern(Value self) {
    return retained(ref_peek(&pat(self)->pattern));
}
static Value g_flags(Value self) {
    return v_from_int(pat(self)->flags);
}
static Value g_groups(Value self) {
    return v_from_int(pat(self)->groups);
}
static Value g_groupindex(Value self) {
    Value d = ref_peek(&pat(self)->groupindex);
    if (dict_len(d) == 0)
        return dict_new();
    Value f = import_attr("types", "MappingProxyType"), r = ABSENT;
    if (f == ABSENT)
        return ABSENT;
    r = obj_call1(f, d);
    release(f);
    return r;
}

/* ---- matches ---- */

static void match_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&mat(self)->string), arg);
    visit(ref_peek(&mat(self)->pattern), arg);
    visit(ref_peek(&mat(self)->regs), arg);
}
static void match_clear(Value self) {
    ref_clear(self, &mat(self)->string);
    ref_clear(self, &mat(self)->pattern);
    ref_clear(self, &mat(self)->regs);
}
static const TypeOps match_ops = {.traverse = match_traverse, .clear = match_clear};

static Value group_text(Value self, size_t g, Value unmatched) {
    Match *m = mat(self);
    intptr_t lo = m->marks[2 * g], hi = m->marks[2 * g + 1];
    Value string = ref_peek(&m->string);
    if (lo < 0 || string == V_NONE)
        return retained(unmatched);
    if (v_is_str(string))
        return str_substr(string, lo, hi);
    if (v_is_bytes(string))
        return slice_of(string, bytes_data(string), lo, hi);
    ByteView w;
    if (view_open(&w, string) < 0)
        return ABSENT;
    hi = MIN(hi, w.n);
    Value r = slice_of(string, w.p, MIN(lo, hi), hi);
    view_close(&w);
    return r;
}

/* The number of the group that an index or a name means; -1 with IndexError. */
static intptr_t group_index(Value self, Value key) {
    Match *m = mat(self);
    int64_t i = -1;
    if (v_is_int(key))
        i = v_int(key);
    else if (v_is_index(key)) {
        Value n = num_index(key);
        if (n == ABSENT)
            return -1;
        if (int_to_i64(n, &i) != 0)
            i = -1;
        release(n);
    } else {
        Value found;
        int r = dict_lookup(ref_peek(&pat(ref_peek(&m->pattern))->groupindex), key, &found);
        if (r < 0) {
            if (!err_matches(&exc_TypeError)) /* an unhashable key is no group either */
                return -1;
            err_clear();
        }
        if (r > 0) {
            if (v_is_int(found))
                i = v_int(found);
            release(found);
        }
    }
    if (i < 0 || i >= m->groups) {
        err_set(&exc_IndexError, "no such group");
        return -1;
    }
    return (intptr_t)i;
}

static Value m_group(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs == 0)
        return group_text(self, 0, V_NONE);
    if (nargs == 1) {
        intptr_t g = group_index(self, args[0]);
        return g < 0 ? ABSENT : group_text(self, (uint32_t)g, V_NONE);
    }
    Value t = tuple_new(nargs);
    for (intptr_t i = 0; t != ABSENT && i < nargs; i++) {
        intptr_t g = group_index(self, args[i]);
        Value v = g < 0 ? ABSENT : group_text(self, (uint32_t)g, V_NONE);
        if (v == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, i, v);
    }
    return t;
}
static Value m_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t g = group_index(self, args[0]);
    return g < 0 ? ABSENT : group_text(self, (uint32_t)g, V_NONE);
}
static Value m_groups(Value self, Value *args, intptr_t nargs, Value kw) {
    Value dflt = nargs > 0 && args[0] != ABSENT ? args[0] : V_NONE;
    Match *m = mat(self);
    Value t = tuple_new(m->groups - 1);
    for (uint32_t g = 1; t != ABSENT && g < m->groups; g++) {
        Value v = group_text(self, g, dflt);
        if (v == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, g - 1, v);
    }
    return t;
}
static Value m_groupdict(Value self, Value *args, intptr_t nargs, Value kw) {
    Value dflt = nargs > 0 && args[0] != ABSENT ? args[0] : V_NONE;
    Value d = dict_new(), names = ref_peek(&pat(ref_peek(&mat(self)->pattern))->groupindex), k, i;
    intptr_t pos = 0;
    while (d != ABSENT && dict_next(names, &pos, &k, &i)) {
        Value v = v_is_int(i) && v_int(i) >= 0 && v_int(i) < mat(self)->groups
                      ? group_text(self, (uint32_t)v_int(i), dflt)
                      : retained(dflt);
        int r = v == ABSENT ? -1 : dict_set(d, k, v);
        release(v);
        release(k);
        release(i);
        if (r < 0) {
            release(d);
            return ABSENT;
        }
    }
    return d;
}

static Value span_tuple(intptr_t lo, intptr_t hi) {
    Value p[2] = {v_from_int(lo), v_from_int(hi)};
    return tuple_from_steal(p, 2);
}
static intptr_t group_arg(Value self, Value *args, intptr_t nargs) {
    return nargs > 0 && args[0] != ABSENT ? group_index(self, args[0]) : 0;
}
static Value m_start(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t g = group_arg(self, args, nargs);
    return g < 0 ? ABSENT : v_from_int(mat(self)->marks[2 * g]);
}
static Value m_end(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t g = group_arg(self, args, nargs);
    return g < 0 ? ABSENT : v_from_int(mat(self)->marks[2 * g + 1]);
}
static Value m_span(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t g = group_arg(self, args, nargs);
    return g < 0 ? ABSENT : span_tuple(mat(self)->marks[2 * g], mat(self)->marks[2 * g + 1]);
}

static Value m_expand(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = import_attr("re", "_expand");
    if (f == ABSENT)
        return ABSENT;
    Value r = obj_call3(f, ref_peek(&mat(self)->pattern), self, args[0]);
    release(f);
    return r;
}

static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value g = group_text(self, 0, V_NONE);
    if (g == ABSENT)
        return ABSENT;
    Value r = str_format_c("<re.Match object; span=(%zd, %zd), match=%R>", mat(self)->marks[0], mat(self)->marks[1], g);
    release(g);
    return r;
}

static Value g_string(Value self) {
    return retained(ref_peek(&mat(self)->string));
}
static Value g_re(Value self) {
    return retained(ref_peek(&mat(self)->pattern));
}
static Value g_pos(Value self) {
    return v_from_int(mat(self)->pos);
}
static Value g_endpos(Value self) {
    return v_from_int(mat(self)->endpos);
}
static Value g_lastindex(Value self) {
    return mat(self)->lastindex >= 0 ? v_from_int(mat(self)->lastindex) : V_NONE;
}
static Value g_lastgroup(Value self) {
    Value names = ref_peek(&pat(ref_peek(&mat(self)->pattern))->indexgroup);
    int32_t i = mat(self)->lastindex;
    return i >= 0 && i < tuple_len(names) ? retained(tuple_get(names, i)) : V_NONE;
}
static Value g_regs(Value self) {
    Match *m = mat(self);
    ExclCs cs;
    excl_read_begin(&cs, self);
    Value t = ref_load(self, &m->regs);
    excl_read_end(&cs);
    if (t != ABSENT)
        return t;
    if ((t = tuple_new(m->groups)) == ABSENT)
        return ABSENT;
    for (size_t g = 0; g < m->groups; g++) {
        Value s = span_tuple(m->marks[2 * g], m->marks[2 * g + 1]);
        if (s == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, g, s);
    }
    excl_cs_begin(&cs, self);
    Value old = ref_swap(self, &m->regs, retained(t));
    excl_cs_end(&cs);
    release(old);
    return t;
}

/* ---- the module ---- */

static Value char_function(Value *args, uint32_t (*lower)(uint32_t), uint32_t (*upper)(uint32_t)) {
    int c;
    if (num_as_int(args[0], &c) < 0)
        return ABSENT;
    if (upper == NULL)
        return v_from_int((int64_t)lower((uint32_t)c));
    return v_bool(lower((uint32_t)c) != (uint32_t)c || upper((uint32_t)c) != (uint32_t)c);
}
static uint32_t ascii_lower(uint32_t c) {
    return c - 'A' < 26 ? c + 32 : c;
}
static uint32_t ascii_upper(uint32_t c) {
    return c - 'a' < 26 ? c - 32 : c;
}
static Value f_ascii_iscased(Value self, Value *args, intptr_t nargs, Value kw) {
    return char_function(args, ascii_lower, ascii_upper);
}
static Value f_unicode_iscased(Value self, Value *args, intptr_t nargs, Value kw) {
    return char_function(args, unicode_lower1, unicode_upper1);
}
static Value f_ascii_tolower(Value self, Value *args, intptr_t nargs, Value kw) {
    return char_function(args, ascii_lower, NULL);
}
static Value f_unicode_tolower(Value self, Value *args, intptr_t nargs, Value kw) {
    return char_function(args, unicode_lower1, NULL);
}
static Value f_getcodesize(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(sizeof(uint32_t));
}

#define MATCH_SIG "($self, /, string, pos=0, endpos=sys.maxsize)"
static const NativeDef pattern_methods[] = {
    {"match", p_match, MATCH_SIG},
    {"fullmatch", p_fullmatch, MATCH_SIG},
    {"search", p_search, MATCH_SIG},
    {"findall", p_findall, MATCH_SIG},
    {"finditer", p_finditer, MATCH_SIG},
    {"scanner", p_scanner, MATCH_SIG},
    {"split", p_split, "($self, /, string, maxsplit=0)"},
    {"sub", p_sub, "($self, /, repl, string, count=0)"},
    {"subn", p_subn, "($self, /, repl, string, count=0)"},
    {"__repr__", p_repr, "($self, /)"},
    {"__eq__", p_eq, "($self, value, /)"},
    {"__ne__", p_ne, "($self, value, /)"},
    {"__hash__", p_hash, "($self, /)"},
    {"__copy__", self_copy, "($self, /)"},
    {"__deepcopy__", self_copy, "($self, memo, /)"},
    CLASS_GETITEM_DEF,
    {NULL},
};
static const GetSetDef pattern_getsets[] = {
    {"pattern", g_pattern, NULL, "The pattern string from which the RE object was compiled."},
    {"flags", g_flags, NULL, "The regex matching flags."},
    {"groups", g_groups, NULL, "The number of capturing groups in the pattern."},
    {"groupindex", g_groupindex, NULL, "A dictionary mapping group names to group numbers."},
    {NULL},
};
static const NativeDef match_methods[] = {
    {"group", m_group, "($self, *args)"},
    {"groups", m_groups, "($self, /, default=None)"},
    {"groupdict", m_groupdict, "($self, /, default=None)"},
    {"start", m_start, "($self, group=0, /)"},
    {"end", m_end, "($self, group=0, /)"},
    {"span", m_span, "($self, group=0, /)"},
    {"expand", m_expand, "($self, /, template)"},
    {"__getitem__", m_getitem, "($self, key, /)"},
    {"__repr__", m_repr, "($self, /)"},
    {"__copy__", self_copy, "($self, /)"},
    {"__deepcopy__", self_copy, "($self, memo, /)"},
    CLASS_GETITEM_DEF,
    {NULL},
};
static const GetSetDef match_getsets[] = {
    {"string", g_string, NULL, "The string passed to match() or search()."},
    {"re", g_re, NULL, "The regular expression object."},
    {"pos", g_pos, NULL, "The index into the string at which the RE engine started looking for a match."},
    {"endpos", g_endpos, NULL, "The index into the string beyond which the RE engine will not go."},
    {"lastindex", g_lastindex, NULL, "The integer index of the last matched capturing group."},
    {"lastgroup", g_lastgroup, NULL, "The name of the last matched capturing group."},
    {"regs", g_regs, NULL, NULL},
    {NULL},
};
static const NativeDef scanner_methods[] = {
    {"match", s_match, "($self, /)"}, {"search", s_search, "($self, /)"}, {NULL}};
static const GetSetDef scanner_getsets[] = {{"pattern", g_scanner_pattern, NULL, NULL}, {NULL}};
static const NativeDef finditer_methods[] = {
    {"__iter__", s_iter, "($self, /)"}, {"__next__", s_next, "($self, /)"}, {NULL}};

static const TypeSpec pattern_spec = {.name = "re.Pattern",
                                      .doc = "Compiled regular expression object.",
                                      .basic_size = sizeof(Pattern),
                                      .flags = TF_IMMUTABLE | TF_NO_NEW | TF_WEAKREF,
                                      .ops = &pattern_ops,
                                      .methods = pattern_methods,
                                      .getsets = pattern_getsets};
static const TypeSpec match_spec = {
    .name = "re.Match",
    .doc = "The result of re.match() and re.search().\nMatch objects always have a boolean value of True.",
    .basic_size = sizeof(Match),
    .flags = TF_IMMUTABLE | TF_NO_NEW,
    .ops = &match_ops,
    .methods = match_methods,
    .getsets = match_getsets};
static const TypeSpec scanner_spec = {.name = "_sre.SRE_Scanner",
                                      .basic_size = sizeof(Scanner),
                                      .flags = TF_IMMUTABLE | TF_NO_NEW,
                                      .ops = &scanner_ops,
                                      .methods = scanner_methods,
                                      .getsets = scanner_getsets};
static const TypeSpec finditer_spec = {.name = "callable_iterator",
                                       .basic_size = sizeof(Scanner),
                                       .flags = TF_IMMUTABLE | TF_NO_NEW,
                                       .ops = &scanner_ops,
                                       .methods = finditer_methods};

static int exec(Value m) {
    if (pattern_type.spec == NULL) { /* a second import finds the same classes */
        type_init_module_type(&pattern_type, &pattern_spec);
        type_init_module_type(&match_type, &match_spec);
        type_init_module_type(&scanner_type, &scanner_spec);
        type_init_module_type(&finditer_type, &finditer_spec);
        iter_register(&finditer_type, finditer_next);
    }
    if (module_add_int(m, "MAGIC", 20220615) < 0 || module_add_int(m, "CODESIZE", 4) < 0 ||
        module_add_int(m, "MAXREPEAT", SRE_MAXREPEAT) < 0 || module_add_int(m, "MAXGROUPS", (1 << 30) - 1) < 0)
        return -1;
    return 0;
}

static const NativeDef functions[] = {
    {"compile", f_compile, "($module, /, pattern, flags, code, groups, groupindex, indexgroup)"},
    {"ascii_iscased", f_ascii_iscased, "($module, character, /)"},
    {"unicode_iscased", f_unicode_iscased, "($module, character, /)"},
    {"ascii_tolower", f_ascii_tolower, "($module, character, /)"},
    {"unicode_tolower", f_unicode_tolower, "($module, character, /)"},
    {"getcodesize", f_getcodesize, "($module, /)"},
    {NULL},
};
const ModuleSpec module__sre = {.name = "_sre", .functions = functions, .exec = exec};

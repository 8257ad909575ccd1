/* The few functions on Values that the front end calls, without a heap: lets it be tested, fuzzed and timed alone.
 * Nothing is ever freed. */
#include "tests/unit/front_stubs.h"
#include "base/utf8.h"
#include "front/arena.h"
#include "object/bytes.h"
#include "object/float.h"
#include "object/int.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/unicode.h"

char shape_region[SHAPE_REGION_BYTES] __attribute__((aligned(64)));
_Thread_local Thread *thread_current;
static Thread the_thread;
Type str_type, bytes_type, int_type, complex_type, float_type, list_type, tuple_type;
Type *immediate_type[64];
#define DEFINE_EXC(name, base) Type exc_##name;
EXCEPTION_TYPES(DEFINE_EXC)
Type exc_ExceptionGroup;
StubError stub_error;

static const char *exc_name(Type *t) {
#define EXC_NAME(name, base) \
    if (t == &exc_##name)    \
        return #name;
    EXCEPTION_TYPES(EXC_NAME)
    return "?";
}

static void setup_type(Type *t, uint32_t index, uint32_t flags, const char *name) {
    t->flags = flags;
    t->c_name = name;
    shape_at(index)->type = t;
}
void stubs_init(void) {
    thread_current = &the_thread;
    setup_type(&str_type, IDX_STR, TF_STR, "str");
    setup_type(&bytes_type, IDX_BYTES, TF_BYTES, "bytes");
    setup_type(&int_type, IDX_INT, TF_INT, "int");
    setup_type(&complex_type, IDX_COMPLEX, 0, "complex");
    setup_type(&float_type, IDX_FLOAT, TF_FLOAT, "float");
    setup_type(&list_type, IDX_LIST, TF_LIST, "list");
    setup_type(&tuple_type, IDX_TUPLE, TF_TUPLE, "tuple");
    for (int i = 0; i < 64; i++)
        immediate_type[i] = &int_type;
}
static void *object(uint32_t index, size_t n) {
    Object *o = calloc(1, n);
    STORE_RELAXED(&o->index, index);
    return o;
}
void fatal_at(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}
void count_release_slow(Object *o) {
    (void)o;
}

bool recursion_enter(const char *where) {
    static char *base;
    char here;
    if (base == NULL)
        base = &here;
    if (base - &here > 6 << 20) {
        err_set(&exc_RecursionError, "maximum recursion depth exceeded%s", where);
        return false;
    }
    return true;
}

/* errors */
Value err_set(Type *exc, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value m = str_format_v(fmt, ap);
    va_end(ap);
    stub_error = (StubError){exc_name(exc), exc, m, ABSENT};
    the_thread.exc = m;
    return ABSENT;
}
Value err_raise(Value v) {
    the_thread.exc = v;
    return ABSENT;
}
Value err_no_memory(void) {
    return err_set(&exc_MemoryError, "out of memory");
}
bool err_matches(Type *exc) {
    Type *t = stub_error.type;
    if (exc == &exc_SyntaxError)
        return t == &exc_SyntaxError || t == &exc_IndentationError || t == &exc_TabError;
    return t == exc;
}
void err_clear(void) {
    the_thread.exc = ABSENT;
}
static StubError fetched;
Value err_fetch(void) {
    Value v = the_thread.exc;
    fetched = stub_error;
    the_thread.exc = ABSENT;
    return v;
}
void err_restore(Value v) {
    the_thread.exc = v;
    stub_error = fetched;
}
int err_warn(Type *category, int stacklevel, const char *fmt, ...) {
    return 0;
}
int err_warn_explicit(Type *category, Value message, Value filename, int lineno) {
    return 0;
}
Value obj_call2(Value f, Value a, Value b) {
    stub_error = (StubError){exc_name((Type *)f), (Type *)f, a, b};
    return b;
}
Value obj_str(Value v) {
    return v;
}

/* str: the data is UTF-8 here */
static Value make_str(const char *s, size_t n) {
    Str *o = object(IDX_STR, sizeof(Str) + n + 1);
    STORE_RELAXED(&o->len_state, n << STR_LEN_SHIFT | STR_ASCII | 1);
    memcpy(o->data, s, n);
    return V_OF(o);
}
Value str_from_ascii(const char *s, size_t n) {
    return make_str(s, n);
}
Value str_from_utf8(const char *s, size_t n) {
    size_t chars;
    uint32_t bits;
    if (utf8_scan((const uint8_t *)s, n, &chars, &bits) != n)
        return err_set(&exc_UnicodeDecodeError, "invalid utf-8");
    return make_str(s, n);
}
Value str_from_utf8_lossy(const char *s, size_t n) {
    return make_str(s, n);
}
Value str_empty(void) {
    return make_str("", 0);
}
Value str_intern_static(const char *s) {
    return str_intern(make_str(s, strlen(s)));
}
static struct InternSlot {
    Value v;
} intern_table[1 << 18];
Value str_intern(Value v) {
    const char *s = TEXT(v);
    uint64_t h = 1469598103934665603u;
    for (const char *c = s; *c; c++)
        h = (h ^ (uint8_t)*c) * 1099511628211u;
    for (h &= (1 << 18) - 1;; h = (h + 1) & ((1 << 18) - 1)) {
        if (intern_table[h].v == ABSENT)
            return intern_table[h].v = v;
        if (str_len(intern_table[h].v) == str_len(v) && strcmp(TEXT(intern_table[h].v), s) == 0)
            return intern_table[h].v;
    }
}
const char *str_utf8(Value s, size_t *n) {
    *n = (size_t)str_len(s);
    return TEXT(s);
}
bool str_is_identifier(Value v) {
    unsigned char c = ((unsigned char *)TEXT(v))[0];
    return c != 0xe2;
}
Value str_substr(Value s, intptr_t lo, intptr_t hi) {
    return make_str(TEXT(s) + lo, (size_t)(hi - lo));
}
uint32_t stub_char;
Value str_concat(Value a, Value b) {
    size_t n = (size_t)str_len(a), m = (size_t)str_len(b);
    char *d = malloc(n + m + 1);
    memcpy(d, TEXT(a), n);
    memcpy(d + n, TEXT(b), m);
    Value v = make_str(d, n + m);
    free(d);
    return v;
}
bool str_equal_c(Value a, const char *s) {
    return strcmp(TEXT(a), s) == 0;
}
bool str_equal_slow(Value a, Value b) {
    return strcmp(TEXT(a), TEXT(b)) == 0;
}

static void room(StrBuilder *b, size_t n) {
    if (b->len + n > b->cap) {
        b->cap = (b->len + n) * 2 + 16;
        b->data = realloc(b->data, b->cap);
    }
}
void sb_init(StrBuilder *b) {
    memset(b, 0, sizeof *b);
}
void sb_ascii(StrBuilder *b, const char *s, size_t n) {
    room(b, n);
    memcpy((char *)b->data + b->len, s, n);
    b->len += n;
}
void sb_char_slow(StrBuilder *b, uint32_t c) {
    char u[4];
    int n;
    if (c < 0x80)
        u[0] = (char)c, n = 1;
    else if (c < 0x800)
        u[0] = (char)(0xc0 | c >> 6), u[1] = (char)(0x80 | (c & 63)), n = 2;
    else if (c < 0x10000)
        u[0] = (char)(0xe0 | c >> 12), u[1] = (char)(0x80 | (c >> 6 & 63)), u[2] = (char)(0x80 | (c & 63)), n = 3;
    else
        u[0] = (char)(0xf0 | c >> 18), u[1] = (char)(0x80 | (c >> 12 & 63)), u[2] = (char)(0x80 | (c >> 6 & 63)),
        u[3] = (char)(0x80 | (c & 63)), n = 4;
    sb_ascii(b, u, (size_t)n);
}
void sb_str(StrBuilder *b, Value s) {
    sb_ascii(b, TEXT(s), (size_t)str_len(s));
}
Value sb_finish(StrBuilder *b) {
    Value v = make_str(b->data ? b->data : "", b->len);
    free(b->data);
    return v;
}
void sb_free(StrBuilder *b) {
    free(b->data);
}

Value str_format_v(const char *fmt, va_list ap) {
    char out[4096];
    size_t n = 0;
    for (const char *f = fmt; *f && n < sizeof out - 300; f++) {
        if (*f != '%') {
            out[n++] = *f;
            continue;
        }
        const char *start = f++;
        if (*f == '%') {
            out[n++] = '%';
            continue;
        }
        if (*f == 'S' || *f == 'U') {
            Value v = va_arg(ap, Value);
            n += (size_t)snprintf(out + n, sizeof out - n, "%s", TEXT(v));
            continue;
        }
        if (*f == 'R') {
            Value v = va_arg(ap, Value);
            n += (size_t)snprintf(out + n, sizeof out - n, "'%s'", TEXT(v));
            continue;
        }
        while (strchr("0123456789.*-", *f))
            f++;
        char spec[16];
        bool z = *f == 'z';
        if (z)
            f++;
        memcpy(spec, start, (size_t)(f - start) + 1);
        spec[f - start + 1] = 0;
        if (strchr(spec, '*')) {
            int w = va_arg(ap, int);
            n += (size_t)snprintf(out + n, sizeof out - n, spec, w, va_arg(ap, char *));
        } else if (*f == 's') {
            n += (size_t)snprintf(out + n, sizeof out - n, spec, va_arg(ap, char *));
        } else if (z) {
            n += (size_t)snprintf(out + n, sizeof out - n, spec, va_arg(ap, size_t));
        } else {
            n += (size_t)snprintf(out + n, sizeof out - n, spec, va_arg(ap, int));
        }
    }
    return make_str(out, n);
}
Value str_format_c(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Value v = str_format_v(fmt, ap);
    va_end(ap);
    return v;
}

/* numbers: a large int keeps its text */
Value int_from_str(const char *s, size_t n, int base) {
    Str *o = object(IDX_INT, sizeof(Str) + n + 1);
    memcpy(o->data, s, n);
    return V_OF(o);
}
double float_parse(const char *s, size_t n, bool *ok) {
    char buf[512];
    n = n < 511 ? n : 511;
    memcpy(buf, s, n);
    buf[n] = 0;
    *ok = true;
    return strtod(buf, NULL);
}
Value float_new_slow(double d) {
    Float *f = object(IDX_FLOAT, sizeof *f);
    f->value = d;
    return V_OF(f);
}
Value complex_new(double re, double im) {
    Complex *c = object(IDX_COMPLEX, sizeof *c);
    c->re = re;
    c->im = im;
    return V_OF(c);
}
Value bytes_from(const char *s, size_t n) {
    Bytes *b = object(IDX_BYTES, sizeof *b + n + 1);
    b->len_ext = n << 1;
    memcpy(b->data, s, n);
    return V_OF(b);
}
Value list_new(intptr_t cap) {
    return V_OF(object(IDX_LIST, sizeof(List)));
}
int list_append_steal(Value l, Value v) {
    return 0;
}
Value tuple_pack(int n, ...) {
    Tuple *t = object(IDX_TUPLE, sizeof *t + (size_t)n * 8);
    t->len = (size_t)n;
    va_list ap;
    va_start(ap, n);
    for (int i = 0; i < n; i++)
        ref_init(&t->items[i], va_arg(ap, Value));
    va_end(ap);
    return V_OF(t);
}
intptr_t str_find_char(Value s, uint32_t c, intptr_t lo, intptr_t hi, int dir) {
    for (intptr_t i = lo; i < hi; i++)
        if ((unsigned char)TEXT(s)[i] == c)
            return i;
    return -1;
}
void sb_substr(StrBuilder *b, Value s, intptr_t lo, intptr_t hi) {
    sb_ascii(b, TEXT(s) + lo, (size_t)(hi - lo));
}
Value codec_decode(Value b, const char *encoding, const char *errors) {
    return make_str(bytes_data(b), (size_t)bytes_len(b));
}
Value err_set_value(Type *exc, Value v) {
    return err_set(exc, "%S", v);
}
Value str_intern_ascii(const char *s, size_t n) {
    return str_intern(make_str(s, n));
}
Value str_from_c(const char *s) {
    return make_str(s, strlen(s));
}

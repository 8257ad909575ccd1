/* The % operator of str, bytes and bytearray. One parser; what differs is behind `bytes`. */
#include "object/bytes.h"
#include "object/dict.h"
#include "object/float.h"
#include "object/int.h"
#include "object/str.h"
#include "object/tuple.h"

typedef struct Percent {
    Value fmt;        /* str, or ABSENT for bytes */
    const char *bfmt; /* bytes */
    intptr_t n, pos;
    Value args;           /* borrowed */
    Value dict;           /* borrowed: args when it can be asked by name, else ABSENT */
    intptr_t next, nargs; /* nargs -1: args is the one argument; -2: it is used up or a dict */
    Value held;           /* argument by name, owned while in use */
    bool bytes;
    StrBuilder out; /* str; for bytes code points below 256 stand for bytes */
} Percent;

enum { F_LEFT = 1, F_SIGN = 2, F_BLANK = 4, F_ALT = 8, F_ZERO = 16 };

static uint32_t at(Percent *p, intptr_t i) {
    return p->bytes ? (uint8_t)p->bfmt[i] : str_at(p->fmt, i);
}

/* Next argument, borrowed from args. */
static Value next_arg(Percent *p) {
    if (p->nargs >= 0 && p->next < p->nargs)
        return tuple_get(p->args, p->next++);
    if (p->nargs == -1) {
        p->nargs = -2;
        return p->args;
    }
    return err_set(&exc_TypeError, "not enough arguments for format string");
}

/* The sign, prefix and digits of a number, padded. `text` is ASCII: [sign][0x]digits. */
static void put_number(Percent *p, const char *text, intptr_t n, int flags, intptr_t width, bool has_prefix) {
    StrBuilder *b = &p->out;
    char sign = 0;
    if (n > 0 && (*text == '-' || *text == '+')) {
        sign = *text++;
        n--;
    }
    if (sign == 0 || sign == '+')
        sign = flags & F_SIGN ? '+' : flags & F_BLANK ? ' ' : 0;
    intptr_t room = width - n - (sign != 0);
    if (!(flags & (F_LEFT | F_ZERO)))
        sb_fill(b, ' ', room);
    if (sign != 0)
        sb_char(b, (uint8_t)sign);
    if (has_prefix && n >= 2) {
        sb_ascii(b, text, 2);
        text += 2;
        n -= 2;
    }
    if ((flags & F_ZERO) && !(flags & F_LEFT))
        sb_fill(b, '0', room);
    sb_ascii(b, text, (size_t)n);
    if (flags & F_LEFT)
        sb_fill(b, ' ', room);
}

static bool put_float(Percent *p, Value v, uint32_t c, int flags, intptr_t width, intptr_t prec) {
    double d;
    if (num_as_double(v, &d) < 0) {
        if (p->bytes && err_matches(&exc_TypeError))
            err_set(&exc_TypeError, "float argument required, not %T", v);
        return false;
    }
    Value text = float_format(d, (char)c, prec < 0 ? 6 : (int)MIN(prec, INT_MAX), flags & F_ALT, false, false);
    if (text == ABSENT)
        return false;
    const char *s = str_data(text);
    /* inf and nan are padded with spaces, as CPython does with zeros only before digits */
    put_number(p, s, str_len(text), flags, width, false);
    release(text);
    return true;
}

/* An int for d i u (through __index__ or __int__ of numbers) or x X o (__index__ alone). Owned. */
static Value as_integer(Percent *p, Value v, uint32_t c) {
    if (v_is_integer(v))
        return retained(v);
    bool hex = c == 'x' || c == 'X' || c == 'o';
    Value n = ABSENT;
    if (hex ? v_is_index(v) : true) {
        if (hex)
            n = num_index(v);
        else if (v_is_floating(v))
            n = int_from_double(float_value(v));
        else {
            n = obj_call_special(v, SP_INT, NULL, 0);
            if (n == V_MARK)
                n = v_is_index(v) ? num_index(v) : ABSENT;
            else if (n != ABSENT && !v_is_integer(n)) {
                release(n);
                n = ABSENT;
            }
        }
        if (n != ABSENT || (err_pending() && !err_matches(&exc_TypeError)))
            return n;
    }
    return err_set(&exc_TypeError,
                   hex ? "%%%c format: an integer is required, not %T"
                       : "%%%c format: a real number is required, not %T",
                   (int)c, v);
}

static bool put_integer(Percent *p, Value v, uint32_t c, int flags, intptr_t width, intptr_t prec) {
    Value n = as_integer(p, v, c);
    if (n == ABSENT)
        return false;
    int base = c == 'x' || c == 'X' ? 16 : c == 'o' ? 8 : 10;
    Value text = int_to_str(n, base, base != 10 && (flags & F_ALT));
    release(n);
    if (text == ABSENT)
        return false;
    const char *s = str_data(text);
    intptr_t len = str_len(text);
    bool prefix = base != 10 && (flags & F_ALT), negative = len > 0 && s[0] == '-';
    intptr_t digits = len - negative - (prefix ? 2 : 0);
    if (prec <= digits && c != 'X') {
        put_number(p, s, len, flags, width, prefix);
        release(text);
        return true;
    }
    intptr_t zeros = MAX(prec - digits, 0);
    char *buf = zeros < INT_MAX ? malloc((size_t)(len + zeros) + 1) : NULL;
    if (buf == NULL) {
        release(text);
        err_set(&exc_ValueError, "precision too large");
        return false;
    }
    intptr_t head = len - digits;
    memcpy(buf, s, (size_t)head);
    memset(buf + head, '0', (size_t)zeros);
    memcpy(buf + head + zeros, s + head, (size_t)digits);
    if (c == 'X')
        for (intptr_t i = 0; i < len + zeros; i++)
            if (buf[i] >= 'a' && buf[i] <= 'z')
                buf[i] = (char)(buf[i] - 32);
    put_number(p, buf, len + zeros, flags, width, prefix);
    free(buf);
    release(text);
    return true;
}

static void put_text(Percent *p, Value s, int flags, intptr_t width, intptr_t prec) {
    intptr_t n = str_len(s);
    if (prec >= 0)
        n = MIN(n, prec);
    if (!(flags & F_LEFT))
        sb_fill(&p->out, ' ', width - n);
    sb_substr(&p->out, s, 0, n);
    if (flags & F_LEFT)
        sb_fill(&p->out, ' ', width - n);
}

/* %s and %b of bytes: what bytes(v) gives for buffers and __bytes__. Latin-1 str, owned. */
static Value bytes_text(Value v) {
    if (!v_is_buffer(v)) {
        Value b = obj_call_special(v, SP_BYTES, NULL, 0);
        if (b == ABSENT)
            return ABSENT;
        if (b == V_MARK)
            return err_set(&exc_TypeError,
                           "%%b requires a bytes-like object, or an object that implements __bytes__, not '%T'", v);
        Value s = v_is_bytes(b) ? str_from_latin1(bytes_data(b), (size_t)bytes_len(b))
                                : err_set(&exc_TypeError, "__bytes__ returned non-bytes (type %T)", b);
        release(b);
        return s;
    }
    ByteView w;
    if (view_open(&w, v) < 0)
        return ABSENT;
    Value s = str_from_latin1(w.p, (size_t)w.n);
    view_close(&w);
    return s;
}

/* %c: a str of one character, owned. */
static Value char_text(Percent *p, Value v) {
    int64_t i;
    if (p->bytes) {
        if (v_is_bytes(v) || v_is_bytearray(v)) {
            ByteView w;
            if (view_open(&w, v) < 0)
                return ABSENT;
            Value s = w.n == 1 ? str_from_char((uint8_t)w.p[0]) : ABSENT;
            view_close(&w);
            if (s != ABSENT)
                return s;
        } else if (v_is_index(v) && !v_is_floating(v)) {
            Value n = num_index(v);
            if (n == ABSENT)
                return ABSENT;
            int r = int_to_i64(n, &i);
            release(n);
            if (r != 0 || i < 0 || i > 255)
                return err_set(&exc_OverflowError, "%%c arg not in range(256)");
            return str_from_char((uint32_t)i);
        }
        return err_set(&exc_TypeError, "%%c requires an integer in range(256) or a single byte");
    }
    if (v_is_str(v)) {
        if (str_len(v) == 1)
            return str_exact(v);
    } else if (v_is_index(v)) {
        Value n = num_index(v);
        if (n == ABSENT)
            return ABSENT;
        int r = int_to_i64(n, &i);
        release(n);
        if (r != 0 || i < 0 || i > 0x10ffff)
            return err_set(&exc_OverflowError, "%%c arg not in range(0x110000)");
        return str_from_char((uint32_t)i);
    }
    return err_set(&exc_TypeError, "%%c requires int or char");
}

/* A number in the format, or from the arguments for *. 0, -1. */
static int number_arg(Percent *p, intptr_t *out, bool precision, int *flags) {
    if (p->pos < p->n && at(p, p->pos) == '*') {
        p->pos++;
        Value v = next_arg(p);
        if (v == ABSENT)
            return -1;
        if (!v_is_integer(v)) {
            err_set(&exc_TypeError, "* wants int");
            return -1;
        }
        int64_t i;
        if (int_to_i64(v, &i) != 0 || (precision && i > INT_MAX)) {
            err_set(&exc_OverflowError, precision ? "Python int too large to convert to C int"
                                                  : "Python int too large to convert to C ssize_t");
            return -1;
        }
        if (precision)
            *out = MAX(i, 0);
        else {
            if (i < 0) {
                *flags |= F_LEFT;
                i = -i;
            }
            *out = (intptr_t)i;
        }
        return 0;
    }
    intptr_t n = precision ? 0 : *out;
    bool any = false;
    while (p->pos < p->n && at(p, p->pos) >= '0' && at(p, p->pos) <= '9') {
        intptr_t d = (intptr_t)at(p, p->pos++) - '0';
        any = true;
        if (n < 0)
            n = 0;
        if (n > ((precision ? INT_MAX : INTPTR_MAX) - d) / 10) {
            err_set(&exc_ValueError, precision ? "precision too big" : "width too big");
            return -1;
        }
        n = n * 10 + d;
    }
    if (any || precision)
        *out = n;
    return 0;
}

/* "(key)" behind the %: args becomes the value under that key. 0, -1. */
static int key_arg(Percent *p) {
    if (p->dict == ABSENT) {
        err_set(&exc_TypeError, "format requires a mapping");
        return -1;
    }
    intptr_t lo = ++p->pos;
    int depth = 1;
    while (p->pos < p->n && depth > 0) {
        uint32_t c = at(p, p->pos++);
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    if (depth > 0) {
        err_set(&exc_ValueError, "incomplete format key");
        return -1;
    }
    Value key = p->bytes ? bytes_from(p->bfmt + lo, (size_t)(p->pos - 1 - lo)) : str_substr(p->fmt, lo, p->pos - 1);
    if (key == ABSENT)
        return -1;
    Value v = obj_getitem(p->dict, key);
    release(key);
    if (v == ABSENT)
        return -1;
    release(p->held);
    p->held = v;
    p->args = v;
    p->nargs = -1;
    return 0;
}

/* A conversion that is one letter, of a str or small int: true when it is done. */
static bool convert_plain(Percent *p) {
    uint32_t c = p->pos < p->n ? at(p, p->pos) : 0;
    if (!(c == 'd' || (c == 's' && !p->bytes)) || !(p->nargs == -1 || p->next < p->nargs))
        return false;
    Value v = p->nargs == -1 ? p->args : tuple_get(p->args, p->next);
    if (v_is_int(v)) {
        char buf[INT_DIGITS_MAX], *end = buf + sizeof buf, *digits = int_digits(end, v_int(v));
        sb_ascii(&p->out, digits, (size_t)(end - digits));
    } else if (c == 's' && v_is_exact(v, IDX_STR)) {
        sb_str(&p->out, v);
    } else {
        return false;
    }
    p->pos++;
    next_arg(p);
    return true;
}

/* One conversion; pos is behind the %. */
static bool convert(Percent *p) {
    int flags = 0;
    intptr_t width = -1, prec = -1;
    if (p->pos < p->n && at(p, p->pos) == '%') {
        p->pos++;
        sb_char(&p->out, '%');
        return true;
    }
    if (p->pos < p->n && at(p, p->pos) == '(' && key_arg(p) < 0)
        return false;
    for (;; p->pos++) {
        uint32_t c = p->pos < p->n ? at(p, p->pos) : 0;
        int f = c == '-' ? F_LEFT : c == '+' ? F_SIGN : c == ' ' ? F_BLANK : c == '#' ? F_ALT : c == '0' ? F_ZERO : 0;
        if (f == 0)
            break;
        flags |= f;
    }
    if (number_arg(p, &width, false, &flags) < 0)
        return false;
    if (p->pos < p->n && at(p, p->pos) == '.') {
        p->pos++;
        if (number_arg(p, &prec, true, &flags) < 0)
            return false;
    }
    if (p->pos < p->n && (at(p, p->pos) == 'h' || at(p, p->pos) == 'l' || at(p, p->pos) == 'L'))
        p->pos++;
    if (p->pos >= p->n) {
        err_set(&exc_ValueError, "incomplete format");
        return false;
    }
    uint32_t c = at(p, p->pos++);
    Value v = next_arg(p), s;
    if (v == ABSENT)
        return false;
    switch (c) {
    case 's':
    case 'b':
        if (c == 'b' && !p->bytes)
            break;
        s = p->bytes ? bytes_text(v) : obj_str(v);
        goto text;
    case 'r':
        s = p->bytes ? obj_ascii(v) : obj_repr(v);
        goto text;
    case 'a':
        s = obj_ascii(v);
        goto text;
    case 'c':
        s = char_text(p, v);
        prec = -1;
    text:
        if (s == ABSENT)
            return false;
        put_text(p, s, flags, width, prec);
        release(s);
        return true;
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        return put_integer(p, v, c, flags, width, prec);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        return put_float(p, v, c, flags, width, prec);
    default:
        break;
    }
    err_set(&exc_ValueError, "unsupported format character '%c' (0x%x) at index %zd", c >= 32 && c < 127 ? (int)c : '?',
            (unsigned)c, p->pos - 1);
    return false;
}

static intptr_t next_percent(Percent *p) {
    intptr_t i = p->pos;
    if (p->bytes || str_kind(p->fmt) == 1) {
        const char *text = p->bytes ? p->bfmt : str_data(p->fmt), *found = memchr(text + i, '%', (size_t)(p->n - i));
        return found == NULL ? p->n : found - text;
    }
    while (i < p->n && str_at(p->fmt, i) != '%')
        i++;
    return i;
}

static bool run(Percent *p) {
    sb_init(&p->out);
    while (p->pos < p->n) {
        intptr_t lo = p->pos;
        p->pos = next_percent(p);
        if (p->bytes)
            sb_kind(&p->out, p->bfmt + lo, 1, (size_t)(p->pos - lo));
        else
            sb_substr(&p->out, p->fmt, lo, p->pos);
        if (p->pos++ >= p->n)
            break;
        if (!convert_plain(p) && !convert(p))
            return false;
    }
    bool left = p->nargs == -1 || (p->nargs >= 0 && p->next < p->nargs);
    if (left && p->dict == ABSENT) {
        err_set(&exc_TypeError, p->bytes ? "not all arguments converted during bytes formatting"
                                         : "not all arguments converted during string formatting");
        return false;
    }
    return true;
}

static void set_args(Percent *p, Value args) {
    p->args = args;
    p->nargs = v_is_tuple(args) ? tuple_len(args) : -1;
    bool mapping = !v_is_tuple(args) && !v_is_str(args) && type_special(type_of(args), SP_GETITEM) != ABSENT &&
                   !(p->bytes && (v_is_bytes(args) || v_is_bytearray(args)));
    p->dict = mapping ? args : ABSENT;
}

Value str_percent(Value fmt, Value args) {
    Percent p = {.fmt = fmt, .n = str_len(fmt)};
    set_args(&p, args);
    bool ok = run(&p);
    release(p.held);
    if (ok)
        return sb_finish(&p.out);
    sb_free(&p.out);
    return ABSENT;
}

Value bytes_percent(Value fmt, Value args, bool to_bytearray) {
    ByteView w;
    if (view_open(&w, fmt) < 0)
        return ABSENT;
    /* What the arguments' methods do may change a bytearray: its format is copied. */
    char *copy = v_is_bytes(fmt) ? NULL : malloc((size_t)w.n + 1);
    if (copy != NULL)
        memcpy(copy, w.p, (size_t)w.n);
    Percent p = {.bytes = true, .bfmt = copy != NULL ? copy : w.p, .n = w.n};
    set_args(&p, args);
    bool ok = run(&p);
    release(p.held);
    free(copy);
    view_close(&w);
    if (!ok) {
        sb_free(&p.out);
        return ABSENT;
    }
    Value s = sb_finish(&p.out);
    if (s == ABSENT)
        return ABSENT;
    const char *d = str_data(s);
    Value r = to_bytearray ? bytearray_from(d, (size_t)str_len(s)) : bytes_from(d, (size_t)str_len(s));
    release(s);
    return r;
}

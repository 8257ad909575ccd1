/* TextIOWrapper: characters over a buffered stream of bytes.
 *
 * UTF-8, ASCII and Latin-1 are coded in C; every other encoding by the codec registry's incremental coders. `snapshot`
 * remembers, for the chunk that the decoded characters come from, the decoder's state before it and its bytes: tell()
 * replays them to find the byte position of a character, and packs what cannot be told in bytes into the number it
 * returns.
 */
#include <errno.h>

#include "io.h"
#include "object/codec.h"
#include "object/int.h"
#include "object/refs.h"

Type textiowrapper_type;

typedef enum { CODER_UTF8, CODER_ASCII, CODER_LATIN1, CODER_OBJECT } Coder;

typedef struct TextIO {
    Object hdr;
    IoLock lock;
    Ref buffer, encoding, errors, encoder, decoder; /* coders: objects for CODER_OBJECT */
    Ref decoded;                                    /* str read ahead, or ABSENT */
    Ref snapshot;                                   /* bytes of the current chunk, or ABSENT */
    int64_t snapshot_flags;
    intptr_t used; /* characters of decoded that were given out */
    char *wbuf;
    size_t wlen, wcap;
    char rest[8]; /* incomplete sequence at the end of the last chunk */
    uint8_t n_rest;
    Newlines nl;
    Coder coder;
    intptr_t chunk;
    bool ready, detached, universal, translate, line_buffering, write_through, seekable, telling, has_read1, at_start;
    char read_nl[3], write_nl[3];
} TextIO;

static void traverse(Value self, VisitFn visit, void *arg) {
    TextIO *t = (TextIO *)self;
    Ref *refs[] = {&t->buffer, &t->encoding, &t->errors, &t->encoder, &t->decoder, &t->decoded, &t->snapshot};
    for (size_t i = 0; i < ARRAY_LEN(refs); i++)
        visit(ref_peek(refs[i]), arg);
}
static void clear(Value self) {
    TextIO *t = (TextIO *)self;
    Ref *refs[] = {&t->buffer, &t->encoding, &t->errors, &t->encoder, &t->decoder, &t->decoded, &t->snapshot};
    for (size_t i = 0; i < ARRAY_LEN(refs); i++)
        ref_clear(self, refs[i]);
}
static void fini(Value self) {
    free(((TextIO *)self)->wbuf);
}
static const TypeOps ops = {traverse, clear, fini};

static Value text_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        io_lock_init(&((TextIO *)self)->lock);
        trace_track(v_obj(self));
    }
    return self;
}

static Value buffer_of(TextIO *t) {
    return ref_peek(&t->buffer);
}
/* Calls a method of the stream below, or of a coder. Whatever runs in it may detach the stream or set it up anew. */
static Value call_field(Ref *r, const char *method, Value *args, intptr_t nargs) {
    Value o = retained(ref_peek(r));
    if (o == ABSENT)
        return err_set(&exc_ValueError, "underlying buffer has been detached");
    Value v = obj_call_method_str(o, method, args, nargs);
    release(o);
    return v;
}
static Value call_below(TextIO *t, const char *method) {
    return call_field(&t->buffer, method, NULL, 0);
}
static Value call_below1(TextIO *t, const char *method, Value arg) {
    return call_field(&t->buffer, method, &arg, 1);
}
static int below_is_closed(TextIO *t) {
    Value b = retained(buffer_of(t));
    if (b == ABSENT) {
        err_set(&exc_ValueError, "underlying buffer has been detached");
        return -1;
    }
    int closed = io_is_closed(b);
    release(b);
    return closed;
}
static Value getattr_below(TextIO *t, Value name) {
    Value b = retained(buffer_of(t)), v = obj_getattr(b, name);
    release(b);
    return v;
}
/* Takes text, which may be ABSENT, as what was read ahead. */
static void set_decoded(Value self, Value text, intptr_t used) {
    TextIO *t = (TextIO *)self;
    Value old = ref_swap(self, &t->decoded, text);
    t->used = used;
    release(old);
}

static TextIO *usable(Value self) {
    TextIO *t = (TextIO *)self;
    if (t->ready)
        return t;
    err_set(&exc_ValueError,
            t->detached ? "underlying buffer has been detached" : "I/O operation on uninitialized object");
    return NULL;
}
static TextIO *enter(Value self) {
    TextIO *t = usable(self);
    if (!t)
        return NULL;
    io_lock_enter_again(&t->lock);
    int closed = below_is_closed(t);
    if (closed == 0)
        return t;
    io_lock_leave(&t->lock);
    if (closed > 0)
        err_set(&exc_ValueError, "I/O operation on closed file.");
    return NULL;
}
static Value leave(TextIO *t, Value v) {
    io_lock_leave(&t->lock);
    return v;
}

/* ---- set-up ---- */

static bool newline_ok(Value v, const char **out) {
    *out = NULL;
    if (v == ABSENT || v == V_NONE)
        return true;
    if (!v_is_str(v)) {
        err_set(&exc_TypeError, "newline must be str or None, not %T", v);
        return false;
    }
    const char *s = str_utf8(v, NULL);
    if (!s)
        return false;
    if (*s && strcmp(s, "\n") && strcmp(s, "\r") && strcmp(s, "\r\n")) {
        err_set(&exc_ValueError, "illegal newline value: %s", s);
        return false;
    }
    *out = s;
    return true;
}
static void set_newline(TextIO *t, const char *nl) {
    t->universal = !nl || !*nl;
    t->translate = !nl;
    snprintf(t->read_nl, sizeof t->read_nl, "%s", nl ? nl : "\n");
    t->write_nl[0] = 0;
    if (nl && *nl == '\r')
        snprintf(t->write_nl, sizeof t->write_nl, "%s", nl);
}

static Coder coder_named(const char *name) {
    char low[16];
    size_t n = 0;
    for (; *name && n < sizeof low - 1; name++)
        if (*name != '-' && *name != '_' && *name != ' ')
            low[n++] = (char)(*name | (*name >= 'A' && *name <= 'Z' ? 32 : 0));
    low[n] = 0;
    if (!strcmp(low, "utf8"))
        return CODER_UTF8;
    if (!strcmp(low, "ascii") || !strcmp(low, "usascii"))
        return CODER_ASCII;
    if (!strcmp(low, "latin1") || !strcmp(low, "iso88591"))
        return CODER_LATIN1;
    return CODER_OBJECT;
}

/* Chooses the coders for encoding and errors (str objects, borrowed). */
static bool set_coders(Value self, Value encoding, Value errors) {
    TextIO *t = (TextIO *)self;
    const char *name = str_utf8_nonul(encoding), *err = name ? str_utf8_nonul(errors) : NULL;
    if (!err)
        return false;
    Coder c = coder_named(name);
    Value enc = ABSENT, dec = ABSENT;
    if (c == CODER_OBJECT) {
        Value info = codec_lookup(name);
        if (info == ABSENT)
            return false;
        Value is_text;
        int has = obj_lookup_attr_str(info, "_is_text_encoding", &is_text);
        if (has < 0 || (has && is_text == V_FALSE)) {
            release(info);
            if (has > 0)
                err_set(&exc_LookupError, "'%s' is not a text encoding; use codecs.open() to handle arbitrary codecs",
                        name);
            return false;
        }
        Value make = obj_getattr_str(info, "incrementalencoder");
        if (make != ABSENT)
            enc = obj_call1(make, errors);
        release(make);
        make = enc == ABSENT ? ABSENT : obj_getattr_str(info, "incrementaldecoder");
        if (make != ABSENT)
            dec = obj_call1(make, errors);
        release(make);
        release(info);
        if (dec == ABSENT) {
            release(enc);
            return false;
        }
    } else if (strcmp(err, "strict") != 0) {
        Value h = codec_lookup_error(err);
        if (h == ABSENT)
            return false;
        release(h);
    }
    t->coder = c;
    ref_write(self, &t->encoding, encoding); /* they are read without the stream's lock too */
    ref_write(self, &t->errors, errors);
    ref_store(self, &t->encoder, enc);
    ref_store(self, &t->decoder, dec);
    t->n_rest = 0;
    return true;
}

static Value text_init(Value self, Value *args, intptr_t nargs, Value kw) {
    TextIO *t = (TextIO *)self;
    Value buffer = args[0], encoding = arg_at(args, nargs, 1), errors = arg_at(args, nargs, 2),
          nlv = arg_at(args, nargs, 3);
    const char *nl;
    int line_buffering = 0, write_through = 0;
    t->ready = t->detached = false;
    if (!newline_ok(nlv, &nl))
        return ABSENT;
    if (arg_at(args, nargs, 4) != ABSENT && (line_buffering = obj_truth(args[4])) < 0)
        return ABSENT;
    if (arg_at(args, nargs, 5) != ABSENT && (write_through = obj_truth(args[5])) < 0)
        return ABSENT;
    if (encoding != ABSENT && encoding != V_NONE && !v_is_str(encoding))
        return err_set(&exc_TypeError, "TextIOWrapper() argument 'encoding' must be str or None, not %T", encoding);
    if (errors != ABSENT && errors != V_NONE && !v_is_str(errors))
        return err_set(&exc_TypeError, "TextIOWrapper() argument 'errors' must be str or None, not %T", errors);
    if (encoding == ABSENT || encoding == V_NONE || str_equal_c(encoding, "locale"))
        encoding = ID("UTF-8");
    if (errors == ABSENT || errors == V_NONE)
        errors = ID("strict");
    if (!set_coders(self, encoding, errors))
        return ABSENT;
    set_newline(t, nl);
    t->nl = (Newlines){0};
    t->line_buffering = line_buffering;
    t->write_through = write_through;
    t->chunk = IO_BUFFER_SIZE;
    t->wlen = 0;
    set_decoded(self, ABSENT, 0);
    ref_store(self, &t->snapshot, ABSENT);
    ref_store(self, &t->buffer, retained(buffer));
    Type *bt = type_of(buffer);
    bool ours = bt == &buffered_reader_type || bt == &buffered_writer_type || bt == &buffered_random_type ||
                bt == &bytesio_type;
    Value r = io_call(buffer, "seekable");
    if (r == ABSENT)
        return ABSENT;
    int seekable = obj_truth(r);
    release(r);
    if (seekable < 0)
        return ABSENT;
    t->seekable = t->telling = seekable;
    t->has_read1 = ours;
    if (!ours) {
        Value m;
        int has = obj_lookup_attr(buffer, ID("read1"), &m);
        if (has < 0)
            return ABSENT;
        t->has_read1 = has;
        if (has)
            release(m);
    }
    t->at_start = true;
    t->ready = true;
    /* Appending: an encoder that would write a mark must not. */
    if (t->coder == CODER_OBJECT && seekable) {
        Value w = io_call(buffer, "writable");
        if (w == V_TRUE) {
            Value pos = io_call(buffer, "tell");
            if (pos == ABSENT)
                return ABSENT;
            if (pos != v_from_int(0)) {
                t->at_start = false;
                Value zero = v_from_int(0), s = call_field(&t->encoder, "setstate", &zero, 1);
                if (s == ABSENT) {
                    release(pos);
                    return ABSENT;
                }
                release(s);
            }
            release(pos);
        } else if (w == ABSENT) {
            return ABSENT;
        }
    }
    return V_NONE;
}

/* ---- writing ---- */

static Value encode_with(TextIO *t, Value s, const char *e) {
    switch (t->coder) {
    case CODER_UTF8:
        return codec_utf8_encode(s, e);
    case CODER_ASCII:
        return codec_ascii_encode(s, e);
    case CODER_LATIN1:
        return codec_latin1_encode(s, e);
    default:
        return call_field(&t->encoder, "encode", &s, 1);
    }
}
static Value encode(TextIO *t, Value s) {
    Value errors = retained(ref_peek(&t->errors)), r = encode_with(t, s, str_utf8(errors, NULL));
    release(errors);
    return r;
}

/* Gives the pending bytes to the buffer: 0, -1. */
static int flush_pending(TextIO *t) {
    if (t->wlen == 0)
        return 0;
    Value b = bytes_from(t->wbuf, t->wlen);
    if (b == ABSENT)
        return -1;
    t->wlen = 0;
    Value r = call_below1(t, "write", b);
    release(b);
    if (r == ABSENT)
        return -1;
    release(r);
    return 0;
}
static int add_pending(TextIO *t, const char *p, size_t n) {
    if (t->wlen + n > t->wcap) {
        size_t cap = (t->wlen + n) * 2 + 256;
        char *q = realloc(t->wbuf, cap);
        if (!q) {
            err_no_memory();
            return -1;
        }
        t->wbuf = q;
        t->wcap = cap;
    }
    if (n > 0)
        memcpy(t->wbuf + t->wlen, p, n);
    t->wlen += n;
    return 0;
}

static Value write_text(Value self, TextIO *t, Value s) {
    set_decoded(self, ABSENT, 0);
    if (v_is_obj(ref_peek(&t->snapshot)))
        ref_store(self, &t->snapshot, ABSENT);
    bool has_lf = (t->write_nl[0] || t->line_buffering) && str_find_char(s, '\n', 0, str_len(s), 1) >= 0;
    Value text = retained(s);
    if (has_lf && t->write_nl[0]) {
        Value nl = str_from_c(t->write_nl), lf = str_from_char('\n');
        Value r = nl == ABSENT || lf == ABSENT ? ABSENT : str_replace(text, lf, nl, -1);
        release(nl);
        release(lf);
        release(text);
        text = r;
        if (text == ABSENT)
            return ABSENT;
    }
    bool flush = t->line_buffering && (has_lf || str_find_char(text, '\r', 0, str_len(text), 1) >= 0);
    int bad;
    if (t->coder != CODER_OBJECT && str_is_ascii(text)) {
        bad = add_pending(t, str_data(text), (size_t)str_len(text));
    } else {
        Value b = encode(t, text);
        if (b != ABSENT && !v_is_bytes(b)) {
            err_set(&exc_TypeError, "encoder should return a bytes object, not '%T'", b);
            release(b);
            b = ABSENT;
        }
        bad = b == ABSENT ? -1 : add_pending(t, bytes_data(b), (size_t)bytes_len(b));
        release(b);
    }
    release(text);
    if (bad < 0)
        return ABSENT;
    if ((t->wlen >= (size_t)t->chunk || flush || t->write_through) && flush_pending(t) < 0)
        return ABSENT;
    if (flush) {
        Value r = call_below(t, "flush");
        if (r == ABSENT)
            return ABSENT;
        release(r);
    }
    return v_from_int(str_len(s));
}
static Value text_write(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "write() argument must be str, not %T", args[0]);
    TextIO *t = enter(self);
    return t ? leave(t, write_text(self, t, args[0])) : ABSENT;
}
static Value text_flush(Value self, Value *args, intptr_t nargs, Value kw) {
    TextIO *t = enter(self);
    if (!t)
        return ABSENT;
    t->telling = t->seekable;
    return leave(t, flush_pending(t) < 0 ? ABSENT : call_below(t, "flush"));
}

/* ---- reading ---- */

static Value decode_raw(TextIO *t, const char *p, size_t n, bool final, const char *e) {
    if (t->coder == CODER_OBJECT) {
        Value b = bytes_from(p, n);
        if (b == ABSENT)
            return ABSENT;
        Value a[2] = {b, v_bool(final)}, r = call_field(&t->decoder, "decode", a, 2);
        release(b);
        if (r != ABSENT && !v_is_str(r)) {
            err_set(&exc_TypeError, "decoder should return a string result, not '%T'", r);
            release(r);
            return ABSENT;
        }
        return r;
    }
    if (t->coder == CODER_LATIN1)
        return str_from_latin1(p, n);
    if (t->coder == CODER_ASCII)
        return codec_ascii_decode(p, n, e);
    if (t->n_rest == 0) {
        size_t used = n;
        Value r = codec_utf8_decode(p, n, e, final, &used);
        if (r != ABSENT) {
            t->n_rest = (uint8_t)(n - used);
            memcpy(t->rest, p + used, n - used);
        }
        return r;
    }
    char *joined = malloc(n + t->n_rest + 1);
    if (!joined)
        return err_no_memory();
    memcpy(joined, t->rest, t->n_rest);
    memcpy(joined + t->n_rest, p, n);
    size_t total = n + t->n_rest, used = total;
    Value r = codec_utf8_decode(joined, total, e, final, &used);
    if (r != ABSENT) {
        t->n_rest = (uint8_t)(total - used);
        memcpy(t->rest, joined + used, total - used);
    }
    free(joined);
    return r;
}
static Value decode(TextIO *t, const char *p, size_t n, bool final) {
    Value errors = retained(ref_peek(&t->errors)), s = decode_raw(t, p, n, final, str_utf8(errors, NULL));
    release(errors);
    return s != ABSENT && t->universal ? newlines_decode(&t->nl, s, t->translate, final) : s;
}

/* State of the decoder: the bytes it holds (owned bytes object) and a number. */
static Value decoder_state(TextIO *t, int64_t *flags) {
    if (t->coder != CODER_OBJECT) {
        *flags = t->nl.pending_cr;
        return bytes_from(t->rest, t->n_rest);
    }
    Value s = call_field(&t->decoder, "getstate", NULL, 0);
    if (s == ABSENT)
        return ABSENT;
    if (!v_is_tuple(s) || tuple_len(s) != 2 || !v_is_bytes(tuple_get(s, 0)) || num_as_i64(tuple_get(s, 1), flags) < 0) {
        release(s);
        return err_pending() ? ABSENT : err_set(&exc_TypeError, "illegal decoder state");
    }
    *flags = *flags << 1 | t->nl.pending_cr;
    Value b = retained(tuple_get(s, 0));
    release(s);
    return b;
}
static int set_decoder_state(TextIO *t, const char *p, size_t n, int64_t flags) {
    t->nl.pending_cr = flags & 1;
    if (t->coder != CODER_OBJECT) {
        t->n_rest = (uint8_t)MIN(n, sizeof t->rest);
        memcpy(t->rest, p, t->n_rest);
        return 0;
    }
    Value b = bytes_from(p, n), s = b == ABSENT ? ABSENT : tuple_pack(2, b, v_from_int(flags >> 1)), r = ABSENT;
    if (s != ABSENT)
        r = n == 0 && flags >> 1 == 0 ? call_field(&t->decoder, "reset", NULL, 0)
                                      : call_field(&t->decoder, "setstate", &s, 1);
    release(b);
    release(s);
    release(r);
    return r == ABSENT ? -1 : 0;
}

/* Reads and decodes one chunk; appends nothing: decoded must be used up. 1 read, 0 at the end, -1; *eof. */
static int read_chunk(Value self, TextIO *t, intptr_t hint) {
    Value held = ABSENT;
    int64_t flags = 0;
    if (t->telling) {
        held = decoder_state(t, &flags);
        if (held == ABSENT)
            return -1;
    }
    intptr_t n = MAX(hint, t->chunk);
    Value b = call_below1(t, t->has_read1 ? "read1" : "read", v_from_int(n));
    if (b == ABSENT)
        goto fail;
    Buffer view;
    if (b == V_NONE || buffer_get(b, &view, false) < 0) {
        if (b == V_NONE)
            err_set(&exc_TypeError, "underlying %s() should have returned a bytes-like object, not 'NoneType'",
                    t->has_read1 ? "read1" : "read");
        else if (err_matches(&exc_TypeError)) {
            err_clear();
            err_set(&exc_TypeError, "underlying %s() should have returned a bytes-like object, not '%T'",
                    t->has_read1 ? "read1" : "read", b);
        }
        release(b);
        goto fail;
    }
    bool eof = view.len == 0;
    Value s = decode(t, view.data, (size_t)view.len, eof);
    if (s != ABSENT && t->telling) {
        Value snap = bytes_from(NULL, (size_t)(bytes_len(held) + view.len));
        if (snap != ABSENT) {
            memcpy(bytes_data(snap), bytes_data(held), (size_t)bytes_len(held));
            memcpy(bytes_data(snap) + bytes_len(held), view.data, (size_t)view.len);
            ref_store(self, &t->snapshot, snap);
            t->snapshot_flags = flags;
        } else {
            release(s);
            s = ABSENT;
        }
    }
    buffer_release(&view);
    release(b);
    release(held);
    if (s == ABSENT)
        return -1;
    bool some = str_len(s) > 0;
    set_decoded(self, s, 0);
    return some || !eof;
fail:
    release(held);
    return -1;
}

/* Up to n of the characters read ahead (all for n < 0): owned. */
static Value take(TextIO *t, intptr_t n) {
    Value d = ref_peek(&t->decoded);
    if (d == ABSENT)
        return str_empty();
    intptr_t left = str_len(d) - t->used;
    if (n < 0 || n > left)
        n = left;
    Value s = t->used == 0 && n == str_len(d) ? retained(d) : str_substr(d, t->used, t->used + n);
    if (s != ABSENT)
        t->used += n;
    return s;
}

static int before_read(TextIO *t) {
    if (flush_pending(t) < 0)
        return -1;
    return 0;
}

static Value text_read(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n;
    if (io_size_arg(arg_at(args, nargs, 0), &n) < 0)
        return ABSENT;
    TextIO *t = enter(self);
    if (!t)
        return ABSENT;
    if (before_read(t) < 0)
        return leave(t, ABSENT);
    if (n < 0) {
        Value b = call_below(t, "read"), s = ABSENT, head, all = ABSENT;
        if (b == V_NONE)
            return leave(t, err_set(&exc_BlockingIOError, "Read returned None."));
        Buffer view;
        if (b == ABSENT || buffer_get(b, &view, false) < 0) {
            release(b);
            return leave(t, ABSENT);
        }
        s = decode(t, view.data, (size_t)view.len, true);
        buffer_release(&view);
        release(b);
        if (s == ABSENT)
            return leave(t, ABSENT);
        head = take(t, -1);
        if (head != ABSENT)
            all = str_len(head) ? str_concat(head, s) : retained(s);
        release(head);
        release(s);
        set_decoded(self, ABSENT, 0);
        ref_store(self, &t->snapshot, ABSENT);
        return leave(t, all);
    }
    Value first = take(t, n);
    if (first == ABSENT || str_len(first) >= n)
        return leave(t, first);
    StrBuilder sb;
    sb_init(&sb);
    sb_str(&sb, first);
    intptr_t left = n - str_len(first);
    release(first);
    while (left > 0) {
        int r = read_chunk(self, t, left);
        if (r < 0) {
            sb_free(&sb);
            return leave(t, ABSENT);
        }
        if (r == 0)
            break;
        Value piece = take(t, left);
        if (piece == ABSENT) {
            sb_free(&sb);
            return leave(t, ABSENT);
        }
        left -= str_len(piece);
        sb_str(&sb, piece);
        release(piece);
    }
    return leave(t, sb_finish(&sb));
}

/* Index behind the end of the first line in s from start, or -1. *cr: a CR stands last and may go on with LF. */
static intptr_t line_end(TextIO *t, Value s, intptr_t start, bool *cr) {
    intptr_t len = str_len(s);
    *cr = false;
    if (t->translate || (!t->universal && t->read_nl[0] == '\n')) {
        intptr_t i = str_find_char(s, '\n', start, len, 1);
        return i < 0 ? -1 : i + 1;
    }
    const void *d = str_data(s);
    int kind = str_kind(s);
    for (intptr_t i = start; i < len; i++) {
        uint32_t c = str_at_kind(d, kind, i);
        bool more = i + 1 < len;
        if (t->universal) {
            if (c == '\n')
                return i + 1;
            if (c == '\r')
                return more && str_at_kind(d, kind, i + 1) == '\n' ? i + 2 : i + 1;
        } else if (c == '\r') {
            if (!t->read_nl[1])
                return i + 1;
            if (more && str_at_kind(d, kind, i + 1) == '\n')
                return i + 2;
            *cr = !more;
        }
    }
    return -1;
}

static Value read_line(Value self, TextIO *t, intptr_t limit) {
    StrBuilder sb;
    bool building = false, cr;
    intptr_t have = 0;
    for (;;) {
        Value d = ref_peek(&t->decoded);
        intptr_t left = d == ABSENT ? 0 : str_len(d) - t->used;
        if (left == 0) {
            int r = read_chunk(self, t, 0);
            if (r < 0) {
                if (building)
                    sb_free(&sb);
                return ABSENT;
            }
            if (r == 0)
                return building ? sb_finish(&sb) : str_empty();
            continue;
        }
        intptr_t end = line_end(t, d, t->used, &cr), n = end < 0 ? left : end - t->used;
        bool last = end >= 0;
        if (limit >= 0 && n >= limit - have) {
            n = limit - have;
            last = true;
        }
        if (last && !building)
            return take(t, n);
        if (!building) {
            sb_init(&sb);
            building = true;
        }
        sb_substr(&sb, d, t->used, t->used + n);
        t->used += n;
        have += n;
        if (last)
            return sb_finish(&sb);
        if (cr) {
            /* "\r" ended the chunk: a line end when the next one begins with "\n". */
            int r = read_chunk(self, t, 0);
            if (r < 0) {
                sb_free(&sb);
                return ABSENT;
            }
            d = ref_peek(&t->decoded);
            if (r > 0 && d != ABSENT && str_len(d) > 0 && str_at(d, 0) == '\n') {
                t->used = 1;
                sb_char(&sb, '\n');
                return sb_finish(&sb);
            }
            if (r == 0)
                return sb_finish(&sb);
        }
    }
}
static Value text_readline(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t limit;
    if (io_size_arg(arg_at(args, nargs, 0), &limit) < 0)
        return ABSENT;
    TextIO *t = enter(self);
    if (!t)
        return ABSENT;
    return leave(t, before_read(t) < 0 ? ABSENT : read_line(self, t, limit));
}
static Value text_next(Value self, Value *args, intptr_t nargs, Value kw) {
    Value line;
    if (type_of(self) == &textiowrapper_type) {
        TextIO *t = enter(self);
        if (!t)
            return ABSENT;
        t->telling = false;
        line = before_read(t) < 0 ? ABSENT : read_line(self, t, -1);
        if (line != ABSENT && str_len(line) == 0) {
            t->telling = t->seekable;
            ref_store(self, &t->snapshot, ABSENT);
        }
        leave(t, line);
    } else {
        line = io_call(self, "readline");
        if (line != ABSENT && !v_is_str(line)) {
            err_set(&exc_OSError, "readline() should have returned a str object, not '%T'", line);
            release(line);
            return ABSENT;
        }
    }
    if (line == ABSENT || str_len(line) > 0)
        return line;
    release(line);
    return err_set_none(&exc_StopIteration);
}

/* ---- position ---- */

typedef struct Cookie {
    int64_t start;
    int32_t flags, to_feed, to_skip;
    uint8_t need_eof;
} Cookie;
enum { COOKIE_BYTES = 21 };

static Value cookie_pack(const Cookie *c) {
    unsigned char b[COOKIE_BYTES];
    memcpy(b, &c->start, 8);
    memcpy(b + 8, &c->flags, 4);
    memcpy(b + 12, &c->to_feed, 4);
    memcpy(b + 16, &c->to_skip, 4);
    b[20] = c->need_eof;
    return int_from_bytes(b, sizeof b, true, false);
}
static int cookie_unpack(Value v, Cookie *c) {
    unsigned char b[COOKIE_BYTES];
    Value i = num_index(v);
    if (i == ABSENT || int_to_bytes(i, b, sizeof b, true, false) < 0) {
        release(i);
        return -1;
    }
    release(i);
    memcpy(&c->start, b, 8);
    memcpy(&c->flags, b + 8, 4);
    memcpy(&c->to_feed, b + 12, 4);
    memcpy(&c->to_skip, b + 16, 4);
    c->need_eof = b[20];
    return 0;
}

static Value tell(Value self, TextIO *t) {
    if (!t->seekable)
        return io_unsupported("underlying stream is not seekable");
    if (!t->telling)
        return err_set(&exc_OSError, "telling position disabled by next() call");
    if (flush_pending(t) < 0)
        return ABSENT;
    Value f = call_below(t, "flush");
    if (f == ABSENT)
        return ABSENT;
    release(f);
    Value pos = call_below(t, "tell"), snap = ref_peek(&t->snapshot);
    if (pos == ABSENT || snap == ABSENT)
        return pos;
    Cookie c = {0};
    int bad = num_as_i64(pos, &c.start);
    release(pos);
    if (bad < 0)
        return ABSENT;
    c.start -= bytes_len(snap);
    c.flags = (int32_t)t->snapshot_flags;
    if (t->used == 0 || ref_peek(&t->decoded) == ABSENT)
        return cookie_pack(&c);
    /* Replay the chunk byte by byte up to the last place where the decoder holds nothing and no more than `used`
     * characters came out. */
    int64_t now_flags = 0;
    intptr_t used = t->used;
    retain(snap);
    Value now = decoder_state(t, &now_flags), out = ABSENT;
    Newlines nl_before = t->nl;
    if (now == ABSENT) {
        release(snap);
        return ABSENT;
    }
    if (set_decoder_state(t, "", 0, t->snapshot_flags) < 0)
        goto done;
    intptr_t chars = 0, n = bytes_len(snap), i = 0;
    for (; i < n && chars < used; i++) {
        Value s = decode(t, bytes_data(snap) + i, 1, false);
        if (s == ABSENT)
            goto restore;
        chars += str_len(s);
        release(s);
        c.to_feed++;
        int64_t flags = 0;
        Value held = decoder_state(t, &flags);
        if (held == ABSENT)
            goto restore;
        bool safe = bytes_len(held) == 0 && chars <= used;
        release(held);
        if (safe) {
            c.start += c.to_feed;
            used -= chars;
            c.flags = (int32_t)flags;
            c.to_feed = 0;
            chars = 0;
        }
    }
    if (chars < used) {
        Value s = decode(t, "", 0, true);
        if (s == ABSENT)
            goto restore;
        c.need_eof = 1;
        chars += str_len(s);
        release(s);
        if (chars < used) {
            err_set(&exc_OSError, "can't reconstruct logical file position");
            goto restore;
        }
    }
    c.to_skip = (int32_t)used;
    out = cookie_pack(&c);
restore:;
    Value pending = out == ABSENT ? err_fetch() : ABSENT;
    if (set_decoder_state(t, bytes_data(now), (size_t)bytes_len(now), now_flags) < 0 && out != ABSENT) {
        release(out);
        out = ABSENT;
    }
    t->nl.seen = nl_before.seen;
    if (pending != ABSENT)
        err_restore(pending);
done:
    release(snap);
    release(now);
    return out;
}
static Value text_tell(Value self, Value *args, intptr_t nargs, Value kw) {
    TextIO *t = enter(self);
    return t ? leave(t, tell(self, t)) : ABSENT;
}

static int reset_encoder(TextIO *t, bool at_start) {
    t->at_start = at_start;
    if (t->coder != CODER_OBJECT)
        return 0;
    Value zero = v_from_int(0);
    Value r = at_start ? call_field(&t->encoder, "reset", NULL, 0) : call_field(&t->encoder, "setstate", &zero, 1);
    release(r);
    return r == ABSENT ? -1 : 0;
}

static Value seek(Value self, TextIO *t, Value cookie, int whence) {
    if (!t->seekable)
        return io_unsupported("underlying stream is not seekable");
    int sign = 1;
    int64_t small;
    Value number = num_index(cookie);
    if (number == ABSENT)
        return ABSENT;
    sign = int_sign(number);
    int fits = int_to_i64(number, &small);
    release(number);
    if (whence == 1 || whence == 2) {
        if (fits != 0 || small != 0)
            return io_unsupported(whence == 1 ? "can't do nonzero cur-relative seeks"
                                              : "can't do nonzero end-relative seeks");
        if (whence == 1) {
            Value here = tell(self, t);
            if (here == ABSENT)
                return ABSENT;
            Value r = seek(self, t, here, 0);
            release(here);
            return r;
        }
    } else if (whence != 0) {
        return err_set(&exc_ValueError, "invalid whence (%d, should be %d, %d or %d)", whence, 0, 1, 2);
    } else if (sign < 0) {
        return err_set(&exc_ValueError, "negative seek position %R", cookie);
    }
    if (flush_pending(t) < 0)
        return ABSENT;
    Value f = call_below(t, "flush");
    if (f == ABSENT)
        return ABSENT;
    release(f);
    set_decoded(self, ABSENT, 0);
    ref_store(self, &t->snapshot, ABSENT);
    if (whence == 2) {
        Value a[2] = {v_from_int(0), v_from_int(2)}, r = call_field(&t->buffer, "seek", a, 2);
        if (r == ABSENT || set_decoder_state(t, "", 0, 0) < 0 || reset_encoder(t, r == v_from_int(0)) < 0) {
            release(r);
            return ABSENT;
        }
        return r;
    }
    Cookie c;
    if (cookie_unpack(cookie, &c) < 0)
        return ABSENT;
    Value start = int_from_i64(c.start), r = start == ABSENT ? ABSENT : call_below1(t, "seek", start);
    release(start);
    if (r == ABSENT)
        return ABSENT;
    release(r);
    if (set_decoder_state(t, "", 0, c.flags) < 0)
        return ABSENT;
    if (c.to_skip || c.to_feed) {
        Value b = call_below1(t, "read", v_from_int(c.to_feed));
        if (b == ABSENT)
            return ABSENT;
        if (!v_is_bytes(b)) {
            err_set(&exc_TypeError, "underlying read() should have returned a bytes object, not '%T'", b);
            release(b);
            return ABSENT;
        }
        Value s = decode(t, bytes_data(b), (size_t)bytes_len(b), c.need_eof);
        if (s == ABSENT) {
            release(b);
            return ABSENT;
        }
        ref_store(self, &t->snapshot, b);
        t->snapshot_flags = c.flags;
        if (c.to_skip < 0 || str_len(s) < c.to_skip) {
            release(s);
            return err_set(&exc_OSError, "can't restore logical file position");
        }
        set_decoded(self, s, c.to_skip);
    } else {
        Value empty = bytes_empty();
        ref_store(self, &t->snapshot, retained(empty));
        t->snapshot_flags = c.flags;
    }
    if (reset_encoder(t, c.start == 0 && c.flags == 0) < 0)
        return ABSENT;
    return retained(cookie);
}
static Value text_seek(Value self, Value *args, intptr_t nargs, Value kw) {
    int whence = 0;
    if (nargs > 1 && num_as_int(args[1], &whence) < 0)
        return ABSENT;
    TextIO *t = enter(self);
    return t ? leave(t, seek(self, t, args[0], whence)) : ABSENT;
}
static Value text_truncate(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = text_flush(self, NULL, 0, ABSENT);
    if (f == ABSENT)
        return ABSENT;
    release(f);
    return call_below1((TextIO *)self, "truncate", arg_at(args, nargs, 0) == ABSENT ? V_NONE : args[0]);
}

/* ---- the rest ---- */

static Value text_close(Value self, Value *args, intptr_t nargs, Value kw) {
    TextIO *t = usable(self);
    if (!t)
        return ABSENT;
    int closed = below_is_closed(t);
    if (closed)
        return closed < 0 ? ABSENT : V_NONE;
    Value f = io_call(self, "flush"), first = f == ABSENT ? err_fetch() : ABSENT;
    release(f);
    Value r = call_below(t, "close");
    if (first != ABSENT) {
        release(r);
        err_clear();
        err_restore(first);
        return ABSENT;
    }
    return r;
}
static Value text_detach(Value self, Value *args, intptr_t nargs, Value kw) {
    TextIO *t = usable(self);
    if (!t)
        return ABSENT;
    Value f = io_call(self, "flush");
    if (f == ABSENT)
        return ABSENT;
    release(f);
    if (!usable(self)) /* flushing detached it */
        return ABSENT;
    t->ready = false;
    t->detached = true;
    return ref_swap(self, &t->buffer, ABSENT);
}
static Value text_reconfigure(Value self, Value *args, intptr_t nargs, Value kw) {
    Value encoding = arg_at(args, nargs, 0), errors = arg_at(args, nargs, 1), nlv = arg_at(args, nargs, 2),
          line = arg_at(args, nargs, 3), through = arg_at(args, nargs, 4);
    TextIO *t = usable(self);
    if (!t)
        return ABSENT;
    bool recode = (encoding != ABSENT && encoding != V_NONE) || (errors != ABSENT && errors != V_NONE);
    if (ref_peek(&t->decoded) != ABSENT && (recode || nlv != ABSENT))
        return io_unsupported("It is not possible to set the encoding or newline of stream after the first read");
    const char *nl;
    if (nlv != ABSENT && !newline_ok(nlv, &nl))
        return ABSENT;
    int lb = line == ABSENT || line == V_NONE ? t->line_buffering : obj_truth(line);
    int wt = through == ABSENT || through == V_NONE ? t->write_through : obj_truth(through);
    if (lb < 0 || wt < 0)
        return ABSENT;
    Value f = io_call(self, "flush");
    if (f == ABSENT)
        return ABSENT;
    release(f);
    if (recode) {
        Value e = encoding != ABSENT && encoding != V_NONE ? encoding : ref_peek(&t->encoding);
        Value r = errors != ABSENT && errors != V_NONE ? errors : e == encoding ? ID("strict") : ref_peek(&t->errors);
        if (!v_is_str(e) || !v_is_str(r))
            return err_set(&exc_TypeError, "reconfigure() argument must be str or None, not %T", v_is_str(e) ? r : e);
        if (str_equal_c(e, "locale"))
            e = ID("UTF-8");
        if (!set_coders(self, e, r))
            return ABSENT;
    }
    if (nlv != ABSENT)
        set_newline(t, nl);
    t->line_buffering = lb;
    t->write_through = wt;
    return V_NONE;
}

#define FORWARD(name)                                                             \
    static Value text_##name(Value self, Value *args, intptr_t nargs, Value kw) { \
        return usable(self) ? call_below((TextIO *)self, #name) : ABSENT;         \
    }
FORWARD(seekable)
FORWARD(readable)
FORWARD(writable)
FORWARD(fileno)
FORWARD(isatty)

static Value text_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!usable(self))
        return ABSENT;
    int in = repr_enter(self);
    if (in < 0)
        return ABSENT;
    if (in > 0)
        return err_set(&exc_RuntimeError, "reentrant call inside %T.__repr__", self);
    StrBuilder sb;
    sb_init(&sb);
    sb_cstr(&sb, "<_io.TextIOWrapper");
    static const char *const attrs[] = {"name", "mode"};
    for (int i = 0; i < 2; i++) {
        Value v;
        int has = obj_lookup_attr_str(self, attrs[i], &v);
        if (has < 0) {
            if (!err_matches(&exc_ValueError)) {
                sb_free(&sb);
                repr_leave(self);
                return ABSENT;
            }
            err_clear();
        }
        if (has > 0) {
            Value r = obj_repr(v);
            release(v);
            if (r == ABSENT) {
                sb_free(&sb);
                repr_leave(self);
                return ABSENT;
            }
            sb_printf(&sb, " %s=", attrs[i]);
            sb_str(&sb, r);
            release(r);
        }
    }
    sb_cstr(&sb, " encoding=");
    Value encoding = ref_read(self, &((TextIO *)self)->encoding), e = obj_repr(encoding);
    release(encoding);
    if (e != ABSENT)
        sb_str(&sb, e);
    release(e);
    sb_char(&sb, '>');
    repr_leave(self);
    return sb_finish(&sb);
}
static Value text_no_pickle(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "cannot pickle '_io.%T' object", self);
}
static Value text_del(Value self, Value *args, intptr_t nargs, Value kw) {
    if (((TextIO *)self)->ready) {
        if (io_is_closed(self) == 0) {
            Value r = io_call(self, "close");
            release(r);
        }
        err_clear();
    }
    return V_NONE;
}

static Value text_get_encoding(Value self) {
    return usable(self) ? ref_read(self, &((TextIO *)self)->encoding) : ABSENT;
}
static Value text_get_errors(Value self) {
    return usable(self) ? ref_read(self, &((TextIO *)self)->errors) : ABSENT;
}
static Value text_get_buffer(Value self) {
    return usable(self) ? retained(buffer_of((TextIO *)self)) : ABSENT;
}
static Value text_get_name(Value self) {
    return usable(self) ? getattr_below((TextIO *)self, ID("name")) : ABSENT;
}
static Value text_get_closed(Value self) {
    return usable(self) ? getattr_below((TextIO *)self, ID("closed")) : ABSENT;
}
static Value text_get_newlines(Value self) {
    TextIO *t = usable(self);
    return !t ? ABSENT : t->universal ? newlines_seen(t->nl.seen) : V_NONE;
}
static Value text_get_line_buffering(Value self) {
    return v_bool(((TextIO *)self)->line_buffering);
}
static Value text_get_write_through(Value self) {
    return v_bool(((TextIO *)self)->write_through);
}
static Value text_get_chunk(Value self) {
    return usable(self) ? v_from_int(((TextIO *)self)->chunk) : ABSENT;
}
static int text_set_chunk(Value self, Value v) {
    intptr_t n;
    if (v == ABSENT) {
        err_set(&exc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (num_as_index(v, &n, &exc_ValueError) < 0)
        return -1;
    if (n <= 0) {
        err_set(&exc_ValueError, "a strictly positive integer is required");
        return -1;
    }
    ((TextIO *)self)->chunk = n;
    return 0;
}

static const NativeDef methods[] = {
    {"__new__", text_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__init__", text_init,
     "($self, buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)"},
    {"read", text_read, "($self, size=-1, /)"},
    {"readline", text_readline, "($self, size=-1, /)"},
    {"write", text_write, "($self, text, /)"},
    {"flush", text_flush, "($self, /)"},
    {"close", text_close, "($self, /)"},
    {"detach", text_detach, "($self, /)"},
    {"reconfigure", text_reconfigure,
     "($self, /, *, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None)"},
    {"tell", text_tell, "($self, /)"},
    {"seek", text_seek, "($self, cookie, whence=0, /)"},
    {"truncate", text_truncate, "($self, pos=None, /)"},
    {"seekable", text_seekable, "($self, /)"},
    {"readable", text_readable, "($self, /)"},
    {"writable", text_writable, "($self, /)"},
    {"fileno", text_fileno, "($self, /)"},
    {"isatty", text_isatty, "($self, /)"},
    {"__next__", text_next, "($self, /)"},
    {"__repr__", text_repr, "($self, /)"},
    {"__getstate__", text_no_pickle, "($self, /)"},
    {"__del__", text_del, "($self, /)"},
    {NULL},
};
static const GetSetDef getsets[] = {{"encoding", text_get_encoding},
                                    {"errors", text_get_errors},
                                    {"buffer", text_get_buffer},
                                    {"name", text_get_name},
                                    {"closed", text_get_closed},
                                    {"newlines", text_get_newlines},
                                    {"line_buffering", text_get_line_buffering},
                                    {"write_through", text_get_write_through},
                                    {"_CHUNK_SIZE", text_get_chunk, text_set_chunk},
                                    {NULL}};

int io_text_init(Value m) {
    static const TypeSpec spec = {.name = "_io.TextIOWrapper",
                                  .doc = "Character and line based layer over a BufferedIOBase object, buffer.",
                                  .base = &textiobase_type,
                                  .basic_size = sizeof(TextIO),
                                  .flags = TF_BASETYPE | TF_HAS_DICT | TF_WEAKREF | TF_FINALIZER,
                                  .ops = &ops,
                                  .methods = methods,
                                  .getsets = getsets};
    type_init_module_type(&textiowrapper_type, &spec);
    return module_add_type(m, &textiowrapper_type);
}

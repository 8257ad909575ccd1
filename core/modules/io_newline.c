/* Universal newlines, and IncrementalNewlineDecoder. */
#include "io.h"
#include "object/int.h"

Type newline_decoder_type;

Value newlines_seen(uint32_t seen) {
    static const char *const text[] = {NULL, "\r", "\n", NULL, "\r\n"};
    if (seen == 0)
        return V_NONE;
    if ((seen & (seen - 1)) == 0)
        return str_from_c(text[seen]);
    Value items[3];
    intptr_t n = 0;
    for (uint32_t b = 1; b <= 4; b <<= 1)
        if (seen & b)
            items[n++] = str_from_c(text[b]);
    return tuple_from_steal(items, n);
}

Value newlines_decode(Newlines *n, Value text, bool translate, bool final) {
    if (text == ABSENT)
        return ABSENT;
    intptr_t len = str_len(text);
    if (n->pending_cr && (final || len > 0)) {
        Value cr = str_from_char('\r'), joined = cr == ABSENT ? ABSENT : str_concat(cr, text);
        release(cr);
        release(text);
        if (joined == ABSENT)
            return ABSENT;
        text = joined;
        len++;
        n->pending_cr = false;
    }
    /* A CR at the end may be half of a CRLF. */
    if (!final && len > 0 && str_at(text, len - 1) == '\r') {
        Value cut = str_substr(text, 0, len - 1);
        release(text);
        if (cut == ABSENT)
            return ABSENT;
        text = cut;
        len--;
        n->pending_cr = true;
    }
    if (len == 0)
        return text;
    const void *d = str_data(text);
    int kind = str_kind(text);
    if (kind == 1 && !memchr(d, '\r', (size_t)len)) {
        if (!(n->seen & NL_LF) && memchr(d, '\n', (size_t)len))
            n->seen |= NL_LF;
        return text;
    }
    bool any_cr = false;
    for (intptr_t i = 0; i < len; i++) {
        uint32_t c = str_at_kind(d, kind, i);
        if (c == '\n') {
            n->seen |= NL_LF;
        } else if (c == '\r') {
            any_cr = true;
            if (i + 1 < len && str_at_kind(d, kind, i + 1) == '\n') {
                n->seen |= NL_CRLF;
                i++;
            } else {
                n->seen |= NL_CR;
            }
        }
    }
    if (!translate || !any_cr)
        return text;
    StrBuilder b;
    sb_init(&b);
    for (intptr_t i = 0, start = 0; i <= len; i++) {
        if (i < len && str_at_kind(d, kind, i) != '\r')
            continue;
        sb_substr(&b, text, start, i);
        if (i < len) {
            sb_char(&b, '\n');
            if (i + 1 < len && str_at_kind(d, kind, i + 1) == '\n')
                i++;
        }
        start = i + 1;
    }
    release(text);
    return sb_finish(&b);
}

typedef struct NewlineDecoder {
    Object hdr;
    IoLock lock;
    Ref decoder; /* or None */
    bool translate;
    Newlines state;
} NewlineDecoder;

static void traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((NewlineDecoder *)self)->decoder), arg);
}
static void clear(Value self) {
    ref_clear(self, &((NewlineDecoder *)self)->decoder);
}
static const TypeOps ops = {traverse, clear, NULL};

static Value decoder_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value self = obj_new((Type *)cls);
    if (self != ABSENT) {
        ref_init(&((NewlineDecoder *)self)->decoder, V_NONE);
        io_lock_init(&((NewlineDecoder *)self)->lock);
        trace_track(v_obj(self));
    }
    return self;
}
static Value decoder_init(Value self, Value *args, intptr_t nargs, Value kw) {
    NewlineDecoder *d = (NewlineDecoder *)self;
    int translate = obj_truth(args[1]);
    if (translate < 0)
        return ABSENT;
    io_lock_enter_again(&d->lock);
    ref_store(self, &d->decoder, retained(args[0]));
    d->translate = translate;
    d->state = (Newlines){0};
    io_lock_leave(&d->lock);
    return V_NONE;
}
static Value decoder_decode(Value self, Value *args, intptr_t nargs, Value kw) {
    NewlineDecoder *d = (NewlineDecoder *)self;
    int final = arg_at(args, nargs, 1) == ABSENT ? 0 : obj_truth(args[1]);
    if (final < 0)
        return ABSENT;
    io_lock_enter_again(&d->lock);
    Value inner = ref_peek(&d->decoder), text, out = ABSENT;
    if (inner == V_NONE) {
        text = retained(args[0]);
    } else {
        Value a[2] = {args[0], v_bool(final)};
        text = obj_call_method_str(inner, "decode", a, 2);
    }
    if (text != ABSENT && !v_is_str(text)) {
        err_set(&exc_TypeError, "decoder should return a string result, not '%T'", text);
        release(text);
    } else {
        out = newlines_decode(&d->state, text, d->translate, final);
    }
    io_lock_leave(&d->lock);
    return out;
}
static Value decoder_getstate(Value self, Value *args, intptr_t nargs, Value kw) {
    NewlineDecoder *d = (NewlineDecoder *)self;
    Value inner = ref_peek(&d->decoder), buffer = bytes_empty(), flag = v_from_int(0), out;
    if (inner != V_NONE) {
        Value state = io_call(inner, "getstate");
        if (state == ABSENT)
            return ABSENT;
        if (!v_is_tuple(state) || tuple_len(state) != 2) {
            release(state);
            return err_set(&exc_TypeError, "illegal decoder state");
        }
        buffer = retained(tuple_get(state, 0));
        flag = retained(tuple_get(state, 1));
        release(state);
    } else {
        retain(buffer);
    }
    Value shifted = num_binary(SP_LSHIFT, flag, v_from_int(1)),
          full = shifted == ABSENT ? ABSENT : num_binary(SP_OR, shifted, v_from_int(d->state.pending_cr));
    out = full == ABSENT ? ABSENT : tuple_pack(2, buffer, full);
    release(shifted);
    release(full);
    release(buffer);
    release(flag);
    return out;
}
static Value decoder_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    NewlineDecoder *d = (NewlineDecoder *)self;
    if (!v_is_tuple(args[0]) || tuple_len(args[0]) != 2)
        return err_set(&exc_TypeError, "state argument must be a tuple");
    int64_t flag;
    if (num_as_i64(tuple_get(args[0], 1), &flag) < 0)
        return ABSENT;
    d->state.pending_cr = flag & 1;
    Value inner = ref_peek(&d->decoder);
    if (inner == V_NONE)
        return V_NONE;
    Value state = tuple_pack(2, tuple_get(args[0], 0), v_from_int(flag >> 1));
    Value r = state == ABSENT ? ABSENT : io_call1(inner, "setstate", state);
    release(state);
    return r;
}
static Value decoder_reset(Value self, Value *args, intptr_t nargs, Value kw) {
    NewlineDecoder *d = (NewlineDecoder *)self;
    d->state = (Newlines){0};
    Value inner = ref_peek(&d->decoder);
    return inner == V_NONE ? V_NONE : io_call(inner, "reset");
}
static Value decoder_newlines(Value self) {
    return newlines_seen(((NewlineDecoder *)self)->state.seen);
}

static const NativeDef methods[] = {
    {"__new__", decoder_new, "($type, *args, **kwargs)", NF_STATIC},
    {"__init__", decoder_init, "($self, decoder, translate, errors='strict')"},
    {"decode", decoder_decode, "($self, input, final=False)"},
    {"getstate", decoder_getstate, "($self, /)"},
    {"setstate", decoder_setstate, "($self, state, /)"},
    {"reset", decoder_reset, "($self, /)"},
    {NULL},
};
static const GetSetDef getsets[] = {{"newlines", decoder_newlines}, {NULL}};

int io_newline_init(Value m) {
    static const TypeSpec spec = {.name = "_io.IncrementalNewlineDecoder",
                                  .doc = "Codec used when reading a file in universal newlines mode.",
                                  .basic_size = sizeof(NewlineDecoder),
                                  .flags = TF_BASETYPE,
                                  .ops = &ops,
                                  .methods = methods,
                                  .getsets = getsets};
    type_init_module_type(&newline_decoder_type, &spec);
    return module_add_type(m, &newline_decoder_type);
}

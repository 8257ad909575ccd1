#include "interp/code.h"

#include "interp/ic.h"
#include "interp/interp.h"
#include "object/bytes.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "runtime/thread.h"

#include <pthread.h>

const InstrInfo instr_info[OP_COUNT] = {
#define X(name, operands, extra, effects) {#name, operands, extra, effects},
#include "interp/instructions.def"
#undef X
};

Type code_type;

/* All code objects, for clearing inline caches; the lock is held for a few instructions only. */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static Code *code_list;

/* ---- verification ---- */

/* Checks operands against the table; the message names the first bad word. */
static const char *verify(const CodeSpec *s, uint32_t *where) {
    intptr_t n_consts = tuple_len(s->consts), n_names = tuple_len(s->names), n_free = tuple_len(s->freevars);
    for (uint32_t i = 0; i < s->n_instrs;) {
        uint64_t w = s->instrs[i];
        *where = i;
        if (instr_op(w) >= OP_COUNT)
            return "unknown instruction";
        const InstrInfo *info = &instr_info[instr_op(w)];
        if (i + 1 + info->extra > s->n_instrs)
            return "truncated";
        if (s->depths[i] > s->n_regs)
            return "depth above the registers";
        bool bc = info->operands[2] == ' ';
        unsigned ops[3] = {instr_a(w), instr_b(w), instr_c(w)};
        for (int k = 0; k < 3; k++) {
            int64_t v = k == 1 && bc ? instr_bc(w) : (int64_t)ops[k];
            int64_t target = i + (bc ? instr_bc(w) : instr_sc(w));
            switch (info->operands[k]) {
            case 'D':
            case 'R':
            case 'T':
                if (v >= s->n_regs && !(v == NO_REG && info->operands[k] == 'R'))
                    return "register out of range";
                break;
            case 'K':
                if (v >= n_consts)
                    return "constant out of range";
                break;
            case 'N':
                if (v >= n_names)
                    return "name out of range";
                break;
            case 'F':
                if (v >= n_free)
                    return "free variable out of range";
                break;
            case 'J':
                if (target < 0 || target >= s->n_instrs)
                    return "jump out of the code";
                break;
            }
        }
        i += 1 + info->extra;
    }
    for (uint32_t i = 0; i < s->n_excs; i++) {
        const ExcEntry *e = &s->excs[i];
        *where = e->start;
        if (e->start > e->end || e->end > s->n_instrs || e->handler >= s->n_instrs || e->depth >= s->n_regs)
            return "bad exception table";
    }
    return NULL;
}

/* ---- construction ---- */

static void *copy_array(const void *src, size_t n, size_t size, bool *failed) {
    void *p = malloc(n ? n * size : 1);
    if (!p)
        *failed = true;
    else if (n)
        memcpy(p, src, n * size);
    return p;
}

static void code_traverse(Value self, VisitFn visit, void *arg) {
    Code *c = (Code *)self;
    Ref *refs = &c->const_tuple;
    for (int i = 0; i < (int)((&c->code_bytes - refs) + 1); i++)
        visit(ref_peek(&refs[i]), arg);
}
static void code_clear(Value self) {
    Code *c = (Code *)self;
    Ref *refs = &c->const_tuple;
    for (int i = 0; i < (int)((&c->code_bytes - refs) + 1); i++)
        ref_clear(self, &refs[i]);
}
static void code_fini(Value self) {
    Code *c = (Code *)self;
    if (c->listed) {
        pthread_mutex_lock(&list_lock);
        if (c->list_prev)
            c->list_prev->list_next = c->list_next;
        else
            code_list = c->list_next;
        if (c->list_next)
            c->list_next->list_prev = c->list_prev;
        pthread_mutex_unlock(&list_lock);
    }
    free((void *)c->instrs);
    free(c->depths);
    free(c->positions);
    free(c->excs);
    free(c->holes);
    free(c->cell_regs);
    c->instrs = NULL;
    c->depths = NULL;
    c->positions = NULL;
    c->excs = NULL;
    c->holes = NULL;
    c->cell_regs = NULL;
}

void code_each(void (*fn)(Code *)) {
    pthread_mutex_lock(&list_lock);
    for (Code *c = code_list; c; c = c->list_next)
        fn(c);
    pthread_mutex_unlock(&list_lock);
}

/* Instructions that often follow each other become one. Loops end in one instruction instead of two: a jump back to a
 * FOR_ITER does its work itself, and a jump back to a test of locals that leaves the loop right behind the jump becomes
 * the opposite test. */
static void fuse(Code *c) {
    for (uint32_t i = 0; i < c->n_instrs;) {
        uint64_t w = LOAD_RELAXED(&c->instrs[i]);
        uint32_t len = (uint32_t)instr_length(instr_op(w));
        if (instr_op(w) == OP_JUMP_BACK && instr_bc(w) >= INT16_MIN) {
            int32_t back = instr_bc(w);
            uint64_t top = LOAD_RELAXED(&c->instrs[(int32_t)i + back]);
            unsigned op = instr_op(top);
            if (op == OP_FOR_ITER) {
                uint64_t first = LOAD_RELAXED(&c->instrs[(int32_t)i + back + 1]);
                bool pairs = instr_op(first) == OP_UNPACK && instr_c(first) == 2 && instr_b(first) == instr_b(top);
                STORE_RELAXED(&c->instrs[i], instr_make(pairs ? OP_FOR_PAIRS : OP_FOR_LOOP, instr_flags(top),
                                                        instr_a(top), instr_b(top), (uint16_t)back));
            } else if (op >= OP_JLT && op <= OP_JNGE_I && back + instr_sc(top) == 1 && back < -1 &&
                       !(instr_flags(top) & (IF_KILL_A | IF_KILL_B))) {
                bool negative = ((op - OP_JLT) / 6) & 1;
                STORE_RELAXED(&c->instrs[i], instr_make(negative ? op - 6 : op + 6, instr_flags(top), instr_a(top),
                                                        instr_b(top), (uint16_t)(back + 1)));
            }
        }
        uint64_t next = i + len < c->n_instrs ? LOAD_RELAXED(&c->instrs[i + len]) : 0;
        unsigned nop = instr_op(next), reg = instr_a(w);
        if (instr_op(w) == OP_BUILD_SLICE && (nop == OP_GETITEM || nop == OP_SETITEM) && instr_c(next) == reg &&
            instr_b(w) == reg && instr_flags(w) == 0 && (instr_flags(next) & IF_KILL_C)) {
            /* In the middle of an expression nothing jumps to the second word. It is skipped, but stays readable for
             * the code's length. */
            STORE_RELAXED(&c->instrs[i], (next & ~(uint64_t)0xff) | (nop == OP_GETITEM ? OP_GETSLICE : OP_SETSLICE));
            c->positions[i] = c->positions[i + 1];
        } else if (instr_op(w) == OP_CALL && instr_b(w) == 0 && instr_c(w) == reg && instr_flags(w) == 0 &&
                   (nop == OP_LOAD_METHOD || nop == OP_LOAD_ATTR) && instr_b(next) == reg &&
                   (instr_flags(next) & IF_KILL_B) && (nop == OP_LOAD_ATTR || instr_a(next) == reg) && i >= 3 &&
                   instr_op(LOAD_RELAXED(&c->instrs[i - 3])) == OP_LOAD_GLOBAL &&
                   str_equal_c(c->names[instr_c(LOAD_RELAXED(&c->instrs[i - 3]))], "super")) {
            STORE_RELAXED(&c->instrs[i], (w & ~(uint64_t)0xff) | OP_CALL_SUPER);
        }
        i += len;
    }
}

Value code_new(const CodeSpec *s) {
    if (POLYGIL_ASSERT >= 1) {
        uint32_t where = 0;
        const char *bad = verify(s, &where);
        if (bad)
            return err_set(&exc_SystemError, "malformed code at %u: %s", (unsigned)where, bad);
    }
    Value v = obj_new(&code_type);
    if (v == ABSENT)
        return ABSENT;
    Code *c = (Code *)v;
    bool failed = false;
    c->instrs = copy_array(s->instrs, s->n_instrs, sizeof(uint64_t), &failed);
    c->depths = copy_array(s->depths, s->n_instrs, sizeof(uint16_t), &failed);
    c->positions = copy_array(s->positions, s->n_instrs, sizeof(CodePos), &failed);
    c->excs = copy_array(s->excs, s->n_excs, sizeof(ExcEntry), &failed);
    c->holes = copy_array(s->holes, s->n_holes, sizeof(HoleEntry), &failed);
    c->cell_regs = copy_array(s->cell_regs, (size_t)tuple_len(s->cellvars), sizeof(uint16_t), &failed);
    if (failed) {
        release(v);
        return err_no_memory();
    }
    c->n_instrs = s->n_instrs;
    c->names = tuple_items(s->names);
    fuse(c);
    for (uint32_t h = 0; h < s->n_holes; h++)
        for (uint32_t i = s->holes[h].start; i < s->holes[h].end; i++)
            c->yields_in_block |= instr_op(s->instrs[i]) == OP_YIELD;
    c->n_excs = s->n_excs;
    c->n_holes = s->n_holes;
    c->n_regs = s->n_regs + 2; /* room to put a receiver in front of a full call block */
    c->n_locals = s->n_locals;
    c->argcount = s->argcount;
    c->posonlyargcount = s->posonlyargcount;
    c->kwonlyargcount = s->kwonlyargcount;
    c->flags = s->flags;
    c->firstlineno = s->firstlineno;
    c->inline_slots_hint = s->inline_slots_hint;
    bool simple = s->kwonlyargcount == 0 &&
                  !(s->flags & (CO_VARARGS | CO_VARKEYWORDS | CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR));
    c->fast_args = simple ? s->argcount : UINT32_MAX;
    c->owned_params = s->owned_params;
    ref_init(&c->const_tuple, retained(s->consts));
    ref_init(&c->name_tuple, retained(s->names));
    c->consts = tuple_items(s->consts);
    c->names = tuple_items(s->names);
    ref_init(&c->varnames, retained(s->varnames));
    ref_init(&c->cellvars, retained(s->cellvars));
    ref_init(&c->freevars, retained(s->freevars));
    ref_init(&c->filename, retained(s->filename));
    ref_init(&c->name, retained(s->name));
    ref_init(&c->qualname, retained(s->qualname));
    count_set_uncounted(v_obj(v)); /* deferred: frames borrow their code, and threads share it */
    trace_track(v_obj(v));
    pthread_mutex_lock(&list_lock);
    c->listed = true;
    c->list_next = code_list;
    if (code_list)
        code_list->list_prev = c;
    code_list = c;
    pthread_mutex_unlock(&list_lock);
    return v;
}

/* ---- positions ---- */

CodePos code_pos(const Code *c, intptr_t index) {
    if (index < 0 || index >= c->n_instrs)
        return (CodePos){-1, -1, -1, -1};
    return c->positions[index];
}
int code_line(const Code *c, intptr_t index) {
    if (index < 0)
        return c->firstlineno;
    return code_pos(c, index).line;
}

/* ---- text ---- */

/* The word before it was quickened. */
static uint64_t code_plain_word(uint64_t w) {
    switch (instr_op(w)) {
    case OP_STORE_ATTR_SHARED:
        return w - OP_STORE_ATTR_SHARED + OP_STORE_ATTR;
    case OP_SETITEM_SHARED:
        return w - OP_SETITEM_SHARED + OP_SETITEM;
    default:
        return w;
    }
}

static void disassemble_word(const Code *c, uint32_t i, char *out, size_t size) {
    uint64_t w = LOAD_RELAXED(&c->instrs[i]);
    const InstrInfo *info = &instr_info[instr_op(w)];
    size_t n = (size_t)snprintf(out, size, "%5u %-20s", (unsigned)i, info->name);
    bool bc = info->operands[2] == ' ';
    unsigned ops[3] = {instr_a(w), instr_b(w), instr_c(w)};
    for (int k = 0; k < 3 && n < size; k++) {
        char kind = info->operands[k];
        if (kind == '-' || kind == ' ')
            continue;
        long v = k == 1 && bc ? instr_bc(w) : (long)ops[k];
        if (kind == 'I' && !bc)
            v = (int16_t)v;
        if (kind == 'J') {
            n += (size_t)snprintf(out + n, size - n, " ->%ld", (long)i + (bc ? instr_bc(w) : instr_sc(w)));
            continue;
        }
        const char *prefix = kind == 'K' ? "k" : kind == 'N' ? "n" : kind == 'F' ? "f" : strchr("DRT", kind) ? "r" : "";
        n += (size_t)snprintf(out + n, size - n, " %s%ld", prefix, v);
        if (kind == 'N' && n < size) {
            const char *s = str_utf8(c->names[v], NULL);
            n += (size_t)snprintf(out + n, size - n, "(%s)", s ? s : "?");
        }
    }
    if (instr_flags(w) && n < size) {
        unsigned f = instr_flags(w);
        snprintf(out + n, size - n, "  [%s%s%s%s%s%s%s]", f & IF_KILL_A ? "a" : "", f & IF_KILL_B ? "b" : "",
                 f & IF_KILL_C ? "c" : "", f & IF_DST_LOCAL ? "l" : "", f & IF_INPLACE ? "=" : "", f & IF_X1 ? "1" : "",
                 f & IF_X2 ? "2" : "");
    }
}

Value code_disassemble(Value code) {
    Code *c = (Code *)code;
    StrBuilder b;
    sb_init(&b);
    for (uint32_t i = 0; i < c->n_instrs;) {
        char line[200];
        disassemble_word(c, i, line, sizeof line);
        sb_cstr(&b, line);
        sb_char(&b, '\n');
        i += (uint32_t)instr_length(instr_op(LOAD_RELAXED(&c->instrs[i])));
    }
    return sb_finish(&b);
}

void code_dump(FILE *f, const Code *c) {
    fprintf(f, "%s: %u registers, %u locals, %u arguments\n", str_utf8(ref_peek(&((Code *)c)->qualname), NULL),
            c->n_regs, c->n_locals, c->argcount);
    for (uint32_t i = 0; i < c->n_instrs;) {
        char line[200];
        disassemble_word(c, i, line, sizeof line);
        fprintf(f, "%4d d%-3u %s\n", c->positions[i].line, c->depths[i], line);
        i += (uint32_t)instr_length(instr_op(LOAD_RELAXED(&((Code *)c)->instrs[i])));
    }
    for (uint32_t i = 0; i < c->n_excs; i++)
        fprintf(f, "  exc [%u, %u) -> %u depth %u\n", c->excs[i].start, c->excs[i].end, c->excs[i].handler,
                c->excs[i].depth);
    for (uint32_t i = 0; i < c->n_holes; i++)
        fprintf(f, "  hole [%u, %u) r%u +%u\n", c->holes[i].start, c->holes[i].end, c->holes[i].first, c->holes[i].n);
}

/* ---- what Python sees ---- */

/* Words count as two bytes in what Python sees, as CPython's code units do. */
static Value code_words(Value self, bool quickened) {
    Code *c = (Code *)self;
    Value b = bytes_from(NULL, (size_t)c->n_instrs * 8);
    if (b == ABSENT)
        return ABSENT;
    for (uint32_t i = 0; i < c->n_instrs; i++) {
        uint64_t w = LOAD_RELAXED(&c->instrs[i]);
        if (!quickened)
            w = code_plain_word(w);
        memcpy(bytes_data(b) + (size_t)i * 8, &w, 8);
        for (int k = instr_info[instr_op(w)].extra; k > 0 && i + 1 < c->n_instrs; k--)
            memset(bytes_data(b) + (size_t)++i * 8, 0, 8);
    }
    return b;
}
static Value code_get_code(Value self) {
    Value v = ref_peek(&((Code *)self)->code_bytes);
    return v != ABSENT ? retained(v) : code_words(self, false);
}
static Value code_get_adaptive(Value self) {
    return code_words(self, true);
}
static Value code_get_empty_bytes(Value self) {
    return bytes_from("", 0);
}
static Value code_get_nlocals(Value self) {
    return v_from_int(tuple_len(ref_peek(&((Code *)self)->varnames)));
}

static Value code_lines(Value self, Value *args, intptr_t nargs, Value kw) {
    Code *c = (Code *)self;
    Value l = list_new(0);
    if (l == ABSENT)
        return ABSENT;
    for (uint32_t i = 0; i < c->n_instrs;) {
        uint32_t j = i + 1;
        while (j < c->n_instrs && c->positions[j].line == c->positions[i].line)
            j++;
        int line = c->positions[i].line;
        Value t =
            tuple_pack(3, v_from_int((int64_t)i * 2), v_from_int((int64_t)j * 2), line < 0 ? V_NONE : v_from_int(line));
        if (t == ABSENT || list_append_steal(l, t) < 0) {
            release(l);
            return ABSENT;
        }
        i = j;
    }
    Value it = obj_iter(l);
    release(l);
    return it;
}
static Value pos_value(int v) {
    return v < 0 ? V_NONE : v_from_int(v);
}
/* One entry per word: tb_lasti // 2 is an index. */
static Value code_positions(Value self, Value *args, intptr_t nargs, Value kw) {
    Code *c = (Code *)self;
    Value l = list_new(0);
    if (l == ABSENT)
        return ABSENT;
    for (uint32_t i = 0; i < c->n_instrs; i++) {
        CodePos p = c->positions[i];
        Value t = tuple_pack(4, pos_value(p.line), pos_value(p.end_line), pos_value(p.col), pos_value(p.end_col));
        if (t == ABSENT || list_append_steal(l, t) < 0) {
            release(l);
            return ABSENT;
        }
    }
    Value it = obj_iter(l);
    release(l);
    return it;
}

enum { CO_KIND = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };

/* True when instructions made for the constant old do well with v: they rely on code, on strings, and on the lengths
 * and strings of tuples (names of keyword arguments). */
static bool constant_fits(Value old, Value v) {
    if (v_is_code(old))
        return v_is_code(v) &&
               tuple_len(ref_peek(&((Code *)old)->freevars)) == tuple_len(ref_peek(&((Code *)v)->freevars));
    if (v_is_str(old))
        return v_is_exact(v, IDX_STR);
    if (!v_is_tuple_exact(old))
        return true;
    if (!v_is_tuple_exact(v) || tuple_len(v) != tuple_len(old))
        return false;
    for (intptr_t i = 0; i < tuple_len(v); i++)
        if (!constant_fits(tuple_get(old, i), tuple_get(v, i)))
            return false;
    return true;
}
static bool constants_fit(Value old, Value new) {
    for (intptr_t i = 0; i < tuple_len(old); i++)
        if (!constant_fits(tuple_get(old, i), tuple_get(new, i)))
            return false;
    return true;
}

/* Registers that hold parameters when a call begins. Instructions rely on their being bound. */
static uint64_t n_parameters(uint32_t argcount, uint32_t kwonlyargcount, uint32_t flags) {
    return (uint64_t)argcount + kwonlyargcount + !!(flags & CO_VARARGS) + !!(flags & CO_VARKEYWORDS);
}

/* A tuple of interned names for one of strings: owned. */
static Value interned_names(Value names) {
    Value t = tuple_new(tuple_len(names));
    for (intptr_t i = 0; t != ABSENT && i < tuple_len(names); i++) {
        Value name = tuple_get(names, i);
        if (!v_is_exact(name, IDX_STR)) {
            release(t);
            return err_set(&exc_TypeError, "name tuples must contain only strings, not '%T'", name);
        }
        name = str_intern(retained(name));
        if (name == ABSENT) {
            release(t);
            return ABSENT;
        }
        tuple_init_item(t, i, name);
    }
    if (t != ABSENT && tuple_len(names) > 0)
        tuple_track(t);
    return t;
}

static Value code_replace(Value self, Value *args, intptr_t nargs, Value kw) {
    Code *c = (Code *)self;
    CodeSpec s = {.instrs = NULL,
                  .depths = c->depths,
                  .positions = c->positions,
                  .n_instrs = c->n_instrs,
                  .excs = c->excs,
                  .n_excs = c->n_excs,
                  .holes = c->holes,
                  .n_holes = c->n_holes,
                  .n_regs = c->n_regs - 2,
                  .n_locals = c->n_locals,
                  .argcount = c->argcount,
                  .owned_params = c->owned_params,
                  .posonlyargcount = c->posonlyargcount,
                  .kwonlyargcount = c->kwonlyargcount,
                  .flags = c->flags,
                  .inline_slots_hint = c->inline_slots_hint,
                  .firstlineno = c->firstlineno,
                  .cell_regs = c->cell_regs};
    s.consts = ref_peek(&c->const_tuple);
    s.names = ref_peek(&c->name_tuple);
    s.varnames = ref_peek(&c->varnames);
    s.cellvars = ref_peek(&c->cellvars);
    s.freevars = ref_peek(&c->freevars);
    s.filename = ref_peek(&c->filename);
    s.name = ref_peek(&c->name);
    s.qualname = ref_peek(&c->qualname);
    struct {
        const char *name;
        Value *value;
        uint32_t *number;
    } fields[] = {{"co_consts", &s.consts, NULL},
                  {"co_names", &s.names, NULL},
                  {"co_varnames", &s.varnames, NULL},
                  {"co_freevars", &s.freevars, NULL},
                  {"co_cellvars", &s.cellvars, NULL},
                  {"co_filename", &s.filename, NULL},
                  {"co_name", &s.name, NULL},
                  {"co_qualname", &s.qualname, NULL},
                  {"co_flags", NULL, &s.flags},
                  {"co_firstlineno", NULL, (uint32_t *)&s.firstlineno},
                  {"co_argcount", NULL, &s.argcount},
                  {"co_posonlyargcount", NULL, &s.posonlyargcount},
                  {"co_kwonlyargcount", NULL, &s.kwonlyargcount}};
    if (nargs)
        return err_set(&exc_TypeError, "replace() takes 0 positional arguments but %zd %s given", (ssize_t)nargs,
                       nargs == 1 ? "was" : "were");
    for (intptr_t i = 0, n = kw ? tuple_len(kw) : 0; i < n; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(fields) && !str_equal_c(tuple_get(kw, i), fields[k].name))
            k++;
        if (k == ARRAY_LEN(fields)) {
            Value name = tuple_get(kw, i);
            if (str_equal_c(name, "co_code") || str_equal_c(name, "co_linetable") ||
                str_equal_c(name, "co_exceptiontable") || str_equal_c(name, "co_nlocals") ||
                str_equal_c(name, "co_stacksize"))
                continue; /* follow from the instructions, which cannot be replaced */
            return err_set(&exc_TypeError, "'%S' is an invalid keyword argument for replace()", name);
        }
        Value v = args[nargs + i];
        if (fields[k].number) {
            int n32;
            if (num_as_int(v, &n32) < 0)
                return ABSENT;
            if (n32 < 0 && fields[k].number != (uint32_t *)&s.firstlineno)
                return err_set(&exc_ValueError, "code: %s must not be negative", fields[k].name + 3);
            *fields[k].number = (uint32_t)n32;
        } else {
            bool text = fields[k].value == &s.filename || fields[k].value == &s.name || fields[k].value == &s.qualname;
            if (text ? !v_is_str(v) : !v_is_tuple_exact(v))
                return err_set(&exc_TypeError, "replace() argument '%s' must be %s, not %T", fields[k].name,
                               text ? "str" : "tuple", v);
            *fields[k].value = v;
        }
    }
    uint32_t kind = c->flags & CO_KIND;
    if (tuple_len(s.consts) < tuple_len(ref_peek(&c->const_tuple)) ||
        tuple_len(s.names) < tuple_len(ref_peek(&c->name_tuple)) ||
        tuple_len(s.varnames) != tuple_len(ref_peek(&c->varnames)) ||
        tuple_len(s.cellvars) != tuple_len(ref_peek(&c->cellvars)) ||
        tuple_len(s.freevars) != tuple_len(ref_peek(&c->freevars)) || s.posonlyargcount > s.argcount ||
        n_parameters(s.argcount, s.kwonlyargcount, s.flags) != n_parameters(c->argcount, c->kwonlyargcount, c->flags) ||
        ((s.flags ^ c->flags) & CO_OPTIMIZED) || (kind && (s.flags & CO_KIND) != kind) ||
        !constants_fit(ref_peek(&c->const_tuple), s.consts))
        return err_set(&exc_ValueError, "code: the replaced part does not fit the instructions");
    Value *names[] = {&s.names, &s.varnames, &s.cellvars, &s.freevars}, kept[ARRAY_LEN(names)] = {ABSENT}, v = ABSENT;
    uint64_t *words = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        kept[i] = interned_names(*names[i]);
        if (kept[i] == ABSENT)
            goto done;
        *names[i] = kept[i];
    }
    words = malloc(MAX(c->n_instrs, 1) * sizeof(uint64_t));
    if (!words) {
        err_no_memory();
        goto done;
    }
    for (uint32_t i = 0; i < c->n_instrs; i++)
        words[i] = LOAD_RELAXED(&c->instrs[i]);
    ic_reset_words(words, c->n_instrs);
    s.instrs = words;
    v = code_new(&s);
done:
    free(words);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        release(kept[i]);
    return v;
}

static Value code_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = args[0];
    if (!v_is_code(o))
        return V_NOTIMPL;
    if (o == self)
        return V_TRUE;
    Code *a = (Code *)self, *b = (Code *)o;
    if (a->n_instrs != b->n_instrs || a->argcount != b->argcount || a->kwonlyargcount != b->kwonlyargcount ||
        a->flags != b->flags || a->firstlineno != b->firstlineno || a->posonlyargcount != b->posonlyargcount)
        return V_FALSE;
    Value ca = code_get_code(self), cb = code_get_code(o);
    int same = ca == ABSENT || cb == ABSENT ? -1 : obj_eq(ca, cb);
    release(ca);
    release(cb);
    if (same <= 0)
        return same < 0 ? ABSENT : V_FALSE;
    if (memcmp(a->positions, b->positions, a->n_instrs * sizeof(CodePos)) != 0)
        return V_FALSE;
    Ref *pairs[][2] = {
        {&a->name, &b->name},         {&a->const_tuple, &b->const_tuple}, {&a->name_tuple, &b->name_tuple},
        {&a->varnames, &b->varnames}, {&a->freevars, &b->freevars},       {&a->cellvars, &b->cellvars}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        int r = obj_eq(ref_peek(pairs[i][0]), ref_peek(pairs[i][1]));
        if (r <= 0)
            return r < 0 ? ABSENT : V_FALSE;
    }
    return V_TRUE;
}
static Value code_hash_method(Value self, Value *args, intptr_t nargs, Value kw) {
    Code *c = (Code *)self;
    int64_t h = obj_hash(ref_peek(&c->name));
    if (h == -1)
        return ABSENT;
    h = h * 31 + c->firstlineno;
    h = h * 31 + c->n_instrs;
    return int_from_i64(h == -1 ? -2 : h);
}
static Value code_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Code *c = (Code *)self;
    return str_format_c("<code object %S at 0x%lx, file \"%S\", line %d>", ref_peek(&c->name),
                        (unsigned long)obj_id(self), ref_peek(&c->filename), c->firstlineno);
}
static Value code_disassemble_method(Value self, Value *args, intptr_t nargs, Value kw) {
    return code_disassemble(self);
}
static Value code_varname_from_oparg(Value self, Value *args, intptr_t nargs, Value kw) {
    int i;
    if (num_as_int(args[0], &i) < 0)
        return ABSENT;
    Value names = ref_peek(&((Code *)self)->varnames);
    if (i < 0 || i >= tuple_len(names))
        return err_set(&exc_IndexError, "tuple index out of range");
    return retained(tuple_get(names, i));
}

static const NativeDef code_methods[] = {
    {"__eq__", code_eq, "($self, value, /)"},
    {"__hash__", code_hash_method, "($self, /)"},
    {"__repr__", code_repr, "($self, /)"},
    {"co_lines", code_lines, "($self, /)"},
    {"co_positions", code_positions, "($self, /)"},
    {"replace", code_replace, "($self, /, **changes)"},
    {"_varname_from_oparg", code_varname_from_oparg, "($self, oparg, /)"},
    {"_disassemble", code_disassemble_method, "($self, /)"},
    {NULL},
};
static const GetSetDef code_getsets[] = {
    {"co_code", code_get_code},
    {"_co_code_adaptive", code_get_adaptive},
    {"co_linetable", code_get_empty_bytes},
    {"co_lnotab", code_get_empty_bytes},
    {"co_exceptiontable", code_get_empty_bytes},
    {"co_nlocals", code_get_nlocals},
    {NULL},
};
static const MemberDef code_members[] = {
    {"co_argcount", MK_INT32 | MK_READONLY, offsetof(Code, argcount)},
    {"co_posonlyargcount", MK_INT32 | MK_READONLY, offsetof(Code, posonlyargcount)},
    {"co_kwonlyargcount", MK_INT32 | MK_READONLY, offsetof(Code, kwonlyargcount)},
    {"co_flags", MK_INT32 | MK_READONLY, offsetof(Code, flags)},
    {"co_firstlineno", MK_INT32 | MK_READONLY, offsetof(Code, firstlineno)},
    {"co_stacksize", MK_INT32 | MK_READONLY, offsetof(Code, n_regs)},
    {"co_consts", MK_REF | MK_READONLY, offsetof(Code, const_tuple)},
    {"co_names", MK_REF | MK_READONLY, offsetof(Code, name_tuple)},
    {"co_varnames", MK_REF | MK_READONLY, offsetof(Code, varnames)},
    {"co_cellvars", MK_REF | MK_READONLY, offsetof(Code, cellvars)},
    {"co_freevars", MK_REF | MK_READONLY, offsetof(Code, freevars)},
    {"co_filename", MK_REF | MK_READONLY, offsetof(Code, filename)},
    {"co_name", MK_REF | MK_READONLY, offsetof(Code, name)},
    {"co_qualname", MK_REF | MK_READONLY, offsetof(Code, qualname)},
    {NULL},
};

void code_init(void) {
    static const TypeOps ops = {code_traverse, code_clear, code_fini};
    static const TypeSpec spec = {.name = "code",
                                  .basic_size = sizeof(Code),
                                  .flags = TF_NO_NEW | TF_WEAKREF,
                                  .ops = &ops,
                                  .methods = code_methods,
                                  .getsets = code_getsets,
                                  .members = code_members};
    type_init_static(&code_type, IDX_CODE, &spec);
}

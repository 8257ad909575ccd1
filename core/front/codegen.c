/* Emitting instructions: registers, labels, exception ranges, what is bound where. */
#include "front/codegen.h"

#include "front/syntax_error.h"
#include "object/err.h"
#include "object/str.h"

static const char operand_letters[OP_COUNT][4] = {
#define X(name, operands, extra, effects) operands,
#include "interp/instructions.def"
#undef X
};

/* Operands that an instruction reads but never consumes, or consumes without being told. */
static int never_killed(int op) {
    switch (op) {
    case OP_LIST_APPEND:
    case OP_SET_ADD:
    case OP_MAP_ADD:
    case OP_LIST_EXTEND:
    case OP_SET_UPDATE:
    case OP_DICT_UPDATE:
    case OP_EXC_MATCH:
    case OP_EXC_GROUP_MATCH:
    case OP_PUSH_EXC:
    case OP_SEND:
    case OP_GET_ANEXT:
    case OP_MATCH_MAPPING:
    case OP_MATCH_SEQUENCE:
    case OP_MATCH_KEYS:
    case OP_MATCH_CLASS:
    case OP_GET_LEN:
    case OP_COPY_WITHOUT_KEYS:
    case OP_IMPORT_FROM:
    case OP_PREP_RERAISE_STAR:
    case OP_WITH_EXIT:
        return KEEP_B;
    case OP_DICT_MERGE:
        return KEEP_A | KEEP_B;
    case OP_WITH_EXCEPT:
        return KEEP_B | KEEP_C;
    case OP_YIELD:
        return KEEP_C;
    case OP_CHECK_LOCAL:
    case OP_DELETE_LOCAL:
    case OP_CLEAR:
    case OP_RELEASE:
    case OP_MAKE_CELL:
    case OP_POP_EXC:
    case OP_END_ASYNC_FOR:
    case OP_JUMP_IF_TRUE_OR_POP:
    case OP_JUMP_IF_FALSE_OR_POP:
        return KEEP_A;
    default:
        return 0;
    }
}

void fail(Gen *g) {
    ASSERT(err_pending());
    g->failed = true;
}

bool enter(Unit *u) {
    if (LIKELY(recursion_enter(" during compilation")))
        return true;
    fail(u->g);
    return false;
}

void error_at(Unit *u, const AstPos *pos, const char *fmt, ...) {
    if (u->g->failed)
        return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    syntax_error_node(u->g->filename, *pos, "%s", text);
    fail(u->g);
}

void warn_at(Unit *u, const AstPos *pos, const char *fmt, ...) {
    if (u->g->failed)
        return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (syntax_warning(&exc_SyntaxWarning, u->g->filename, *pos, "%s", text) < 0)
        fail(u->g);
}

/* A buffer of the arena, twice as large; false after an error. */
static bool grow(Unit *u, void **p, uint32_t *cap, size_t size, uint32_t first) {
    uint32_t n = *cap ? *cap * 2 : first;
    void *q = arena_grow(u->arena, *p, *cap * size, n * size);
    if (!q) {
        fail(u->g);
        return false;
    }
    *p = q;
    *cap = n;
    return true;
}

void set_depth(Unit *u, uint32_t depth) {
    u->depth = depth;
    if (depth > u->max_depth) {
        u->max_depth = depth;
        if (UNLIKELY(depth > MAX_REGS) && !u->g->failed) {
            err_set(&exc_RecursionError, "too many values in one expression");
            fail(u->g);
        }
    }
}

AsmInstr *emit_keep(Unit *u, int op, uint32_t a, uint32_t b, uint32_t c, int keep) {
    if (!u->reachable || UNLIKELY(u->g->failed))
        return &u->scratch;
    if (UNLIKELY(u->n == u->cap)) {
        uint32_t cap = u->cap ? u->cap * 2 : 256;
        AsmInstr *p = realloc(u->ins, cap * sizeof *p);
        if (!p) {
            err_no_memory();
            fail(u->g);
            return &u->scratch;
        }
        u->ins = p;
        u->cap = cap;
    }
    const char *kinds = operand_letters[op];
    keep |= never_killed(op);
    unsigned flags = 0;
    if (kinds[0] == 'R' && !(keep & KEEP_A) && a >= u->n_locals)
        flags |= IF_KILL_A;
    if (kinds[1] == 'R' && !(keep & KEEP_B) && b >= u->n_locals && b != NO_REG)
        flags |= IF_KILL_B;
    if (kinds[2] == 'R' && !(keep & KEEP_C) && c >= u->n_locals && c != NO_REG)
        flags |= IF_KILL_C;
    if ((kinds[0] == 'D' && a < u->n_locals) || (kinds[1] == 'D' && b < u->n_locals) ||
        (kinds[2] == 'D' && c < u->n_locals))
        flags |= IF_DST_LOCAL;
    AsmInstr *i = &u->ins[u->n++];
    *i = (AsmInstr){.op = (uint8_t)op,
                    .flags = (uint8_t)flags,
                    .depth = (uint16_t)u->depth,
                    .a = a,
                    .b = b,
                    .c = c,
                    .handler = u->handler,
                    .pos = u->pos};
    if (u->handler >= 0)
        u->handlers[u->handler].used = true;
    return i;
}

void at_name_of(Unit *u, const Expr *attr) {
    if (u->pos.line == attr->pos.end_lineno)
        return;
    intptr_t n = str_len(attr->Attribute.attr), end = attr->pos.end_col;
    u->pos.line = attr->pos.end_lineno;
    if (n <= end && end <= INT16_MAX) {
        u->pos.col = (int16_t)(end - n);
    } else { /* a tree with odd positions */
        u->pos.col = u->pos.end_col = -1;
        u->pos.end_line = u->pos.line;
    }
}

/* ---- labels ---- */
Label new_label(Unit *u) {
    if (u->n_labels == u->cap_labels && !grow(u, (void **)&u->labels, &u->cap_labels, sizeof *u->labels, 32))
        return 0;
    u->labels[u->n_labels] = (LabelInfo){-1, -1, NULL};
    return (Label)u->n_labels++;
}

static uint64_t *copy_state(Unit *u, const uint64_t *s) {
    uint64_t *p = arena_alloc(u->arena, u->state_words * sizeof *p);
    if (!p) {
        fail(u->g);
        return NULL;
    }
    return memcpy(p, s, u->state_words * sizeof *p);
}

static void merge_state(Unit *u, LabelInfo *l) {
    if (!l->state) {
        l->state = copy_state(u, u->state);
        return;
    }
    for (uint32_t i = 0; i < u->state_words; i++)
        l->state[i] &= u->state[i];
}

static void check_depth(Unit *u, LabelInfo *l, uint32_t depth) {
    if (l->depth < 0)
        l->depth = (int32_t)depth;
    ASSERT(u->g->failed || l->depth == (int32_t)depth);
}

AsmInstr *emit_jump(Unit *u, int op, uint32_t a, uint32_t b, Label target, uint32_t depth_after) {
    if (UNLIKELY(u->g->failed))
        return &u->scratch;
    AsmInstr *i;
    if (operand_letters[op][1] == 'J')
        i = emit(u, op, a, (uint32_t)target, 0);
    else
        i = emit(u, op, a, b, (uint32_t)target);
    if (u->reachable) {
        LabelInfo *l = &u->labels[target];
        check_depth(u, l, depth_after);
        if (l->at < 0) /* backward: the loop's head already assumes the least */
            merge_state(u, l);
        if (op == OP_JUMP || op == OP_JUMP_BACK)
            u->reachable = false;
    }
    set_depth(u, depth_after);
    return i;
}

void jump(Unit *u, Label target) {
    if (!u->g->failed)
        emit_jump(u, u->labels[target].at >= 0 ? OP_JUMP_BACK : OP_JUMP, 0, 0, target, u->depth);
}

void codegen_bind(Unit *u, Label target) {
    if (UNLIKELY(u->g->failed))
        return;
    LabelInfo *l = &u->labels[target];
    if (u->reachable) {
        check_depth(u, l, u->depth);
        if (l->state)
            merge_state(u, l);
    } else if (l->state) {
        u->reachable = true;
        set_depth(u, (uint32_t)l->depth);
    }
    if (l->state && u->state_words)
        memcpy(u->state, l->state, u->state_words * sizeof *u->state);
    l->at = u->bound_at = (int32_t)u->n;
}

void bind_loop(Unit *u, Label target) {
    if (UNLIKELY(u->g->failed))
        return;
    LabelInfo *l = &u->labels[target];
    check_depth(u, l, u->depth);
    for (uint32_t i = 0; i < u->state_words; i++)
        u->state[i] &= ~u->deletable[i];
    l->at = u->bound_at = (int32_t)u->n;
}

/* ---- exception ranges ---- */
int handler_begin(Unit *u, Label l) {
    if (u->g->failed ||
        (u->n_handlers == u->cap_handlers && !grow(u, (void **)&u->handlers, &u->cap_handlers, sizeof *u->handlers, 8)))
        return 0;
    uint64_t *s = copy_state(u, u->state);
    for (uint32_t i = 0; s && i < u->state_words; i++)
        s[i] &= ~u->deletable[i];
    u->handlers[u->n_handlers] = (Handler){l, u->depth, false, s};
    u->handler = (int32_t)u->n_handlers;
    return (int)u->n_handlers++;
}

void handler_end(Unit *u, int outer) {
    u->handler = outer;
}

void handler_bind(Unit *u, int h) {
    if (UNLIKELY(u->g->failed))
        return;
    Handler *x = &u->handlers[h];
    LabelInfo *l = &u->labels[x->label];
    ASSERT(!u->reachable);
    u->reachable = x->used || l->state != NULL;
    for (uint32_t i = 0; i < u->state_words; i++)
        u->state[i] = x->state[i] & (l->state ? l->state[i] : UINT64_MAX);
    l->at = (int32_t)u->n;
    set_depth(u, x->depth + 1);
    check_depth(u, l, u->depth);
}

/* ---- constants, names, holes ---- */
uint32_t add_const(Unit *u, Value v) {
    if (u->g->failed)
        return 0;
    int i = consts_add(&u->consts, v);
    if (i < 0) {
        fail(u->g);
        return 0;
    }
    return (uint32_t)i;
}

uint32_t add_const_steal(Unit *u, Value v) {
    if (v == ABSENT) {
        if (!u->g->failed)
            fail(u->g);
        return 0;
    }
    uint32_t i = add_const(u, v);
    release(v);
    return i;
}

uint32_t add_name(Unit *u, Value name) {
    NameTable *t = &u->names;
    if (u->g->failed)
        return 0;
    if (t->n * 2 >= t->mask || !t->slots) {
        uint32_t size = t->slots ? (t->mask + 1) * 2 : 16;
        uint32_t *slots = arena_zalloc(u->arena, size * sizeof *slots);
        if (!slots) {
            fail(u->g);
            return 0;
        }
        for (uint32_t i = 0; i < t->n; i++) {
            uint32_t j = (uint32_t)(t->names[i] >> 4) * 0x9e3779b1u >> 7 & (size - 1);
            while (slots[j])
                j = (j + 1) & (size - 1);
            slots[j] = i + 1;
        }
        t->slots = slots;
        t->mask = size - 1;
    }
    uint32_t j = (uint32_t)(name >> 4) * 0x9e3779b1u >> 7 & t->mask;
    for (; t->slots[j]; j = (j + 1) & t->mask)
        if (t->names[t->slots[j] - 1] == name)
            return t->slots[j] - 1;
    if (t->n == t->cap && !grow(u, (void **)&t->names, &t->cap, sizeof(Value), 16))
        return 0;
    t->names[t->n] = name;
    t->slots[j] = t->n + 1;
    return t->n++;
}

Value mangled(Unit *u, Value name) {
    if (u->scope->private_name == ABSENT)
        return name;
    Value m = name_mangle(u->arena, u->scope->private_name, name);
    if (m == ABSENT) {
        fail(u->g);
        return name;
    }
    return m;
}

void add_hole(Unit *u, uint32_t start, uint32_t first, uint32_t n) {
    if (!u->reachable || u->g->failed || start >= u->n)
        return;
    if (u->n_holes == u->cap_holes && !grow(u, (void **)&u->holes, &u->cap_holes, sizeof *u->holes, 32))
        return;
    u->holes[u->n_holes++] = (Hole){start, u->n, (uint16_t)first, (uint16_t)n};
}

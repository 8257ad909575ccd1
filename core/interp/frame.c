/* The register stack, its roots, and frame objects. */
#include "interp/frame.h"

#include <sys/mman.h>

#include "interp/function.h"
#include "interp/generator.h"
#include "interp/interp.h"
#include "object/dict.h"
#include "object/int.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

/* ---- segments ---- */

typedef struct Segment {
    struct Segment *prev;
    size_t bytes;
    Value *limit; /* stack_limit while it is the current one */
    Value words[];
} Segment;

typedef struct InterpState {
    Segment *segment;
    Segment *spare; /* one emptied segment, so that a call at the edge does not map and unmap for ever */
    Binding *binding;
} InterpState;

enum { SEGMENT_BYTES = 1 << 20, SEGMENT_SLACK = 64 };

static Segment *segment_new(Segment *prev, size_t words) {
    size_t bytes = MAX((size_t)SEGMENT_BYTES, (words + SEGMENT_SLACK) * sizeof(Value) + sizeof(Segment));
    bytes = (bytes + 4095) & ~(size_t)4095;
    Segment *s = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    s->prev = prev;
    s->bytes = bytes;
    s->limit = (Value *)((char *)s + bytes) - SEGMENT_SLACK;
    return s;
}

int interp_thread_init(Thread *t) {
    InterpState *st = calloc(1, sizeof *st);
    if (!st)
        return -1;
    st->segment = segment_new(NULL, 0);
    if (!st->segment) {
        free(st);
        return -1;
    }
    t->interp = st;
    t->frame = NULL;
    t->stack_limit = st->segment->limit;
    return 0;
}

void interp_thread_fini(Thread *t) {
    InterpState *st = t->interp;
    if (!st)
        return;
    for (Segment *s = st->segment, *prev; s; s = prev) {
        prev = s->prev;
        munmap(s, s->bytes);
    }
    if (st->spare)
        munmap(st->spare, st->spare->bytes);
    free(st);
    t->interp = NULL;
}

Value *interp_top(Thread *t) {
    InterpState *st = t->interp;
    Segment *s = st->segment;
    Value *top = t->frame ? t->frame->regs + t->frame->code->n_regs : s->words;
    for (Binding *b = st->binding; UNLIKELY(b != NULL); b = b->prev) {
        Value *end = b->regs + b->n;
        if (b->regs >= s->words && end <= s->limit) /* the frame may lie in the segment before this one */
            return top < end || top > s->limit || top < s->words ? end : top;
    }
    return top;
}

void interp_bind_begin(Binding *b, Value *regs, uint32_t n) {
    InterpState *st = thread_self()->interp;
    *b = (Binding){st->binding, regs, n};
    st->binding = b;
}
void interp_bind_end(Binding *b) {
    ((InterpState *)thread_self()->interp)->binding = b->prev;
}

Value *interp_push_segment(Thread *t, size_t n) {
    InterpState *st = t->interp;
    Segment *s = st->spare;
    if (s && n + SEGMENT_SLACK <= (size_t)(s->limit - s->words)) {
        st->spare = NULL;
        s->prev = st->segment;
    } else {
        s = segment_new(st->segment, n);
        if (!s) {
            err_no_memory();
            return NULL;
        }
    }
    st->segment = s;
    t->stack_limit = s->limit;
    return s->words;
}

void interp_pop_segment(Thread *t) {
    InterpState *st = t->interp;
    Segment *s = st->segment;
    st->segment = s->prev;
    t->stack_limit = st->segment->limit;
    if (st->spare)
        munmap(s, s->bytes);
    else
        st->spare = s;
}

/* ---- live registers ---- */

bool interp_pc_published(const Thread *t) {
    return !t->frame || t->frame->pc != NULL;
}
uint32_t frame_live(const InterpFrame *f, const InterpFrame *callee) {
    if (callee && !(callee->flags & (FR_ENTRY | FR_GEN | FR_RESULT_A)))
        return instr_a(LOAD_RELAXED(f->pc)); /* the callee owns the call block from its first word */
    return f->code->depths[f->pc - f->code->instrs];
}

static bool in_hole(const Code *c, uint32_t pc, uint32_t reg) {
    for (uint32_t i = 0; i < c->n_holes; i++) {
        const HoleEntry *h = &c->holes[i];
        if (pc < h->start)
            break;
        if (pc < h->end && reg >= h->first && reg < (uint32_t)h->first + h->n)
            return true;
    }
    return false;
}

void frame_release(InterpFrame *f, uint32_t from, uint32_t to) {
    if (!COUNT_EXACT)
        return;
    uint32_t pc = (uint32_t)(f->pc - f->code->instrs);
    for (uint32_t i = to; i-- > from;) {
        Value v = f->regs[i];
        if (!v_is_obj(v) || (i >= f->code->n_locals && in_hole(f->code, pc, i)))
            continue;
        f->regs[i] = ABSENT;
        release(v);
    }
}

void interp_visit_roots(Thread *t, VisitFn visit, void *arg) {
    InterpFrame *callee = NULL;
    for (InterpFrame *f = t->frame; f; callee = f, f = f->prev) {
        visit(f->func, arg);
        visit(V_OF(f->code), arg);
        if (f->flags & (FR_INIT | FR_GEN | FR_LOCALS))
            visit(f->extra, arg);
        if (f->flags & FR_OBJECT)
            visit(f->frame_obj, arg);
        uint32_t pc = (uint32_t)(f->pc - f->code->instrs), live = frame_live(f, callee);
        for (uint32_t i = 0; i < live; i++) {
            Value v = f->regs[i];
            if (v_is_obj(v) && !(i >= f->code->n_locals && in_hole(f->code, pc, i)))
                visit(v, arg);
        }
    }
    InterpState *st = t->interp; /* NULL: the thread has ended */
    for (Binding *b = st ? st->binding : NULL; b; b = b->prev)
        for (uint32_t i = 0; i < b->n; i++)
            if (v_is_obj(b->regs[i]))
                visit(b->regs[i], arg);
}

/* ---- frame objects ---- */

/* While its frame runs (live), an object reads the frame; afterwards, its own copies. A generator's frame comes and
 * goes: see frame_detach and gen_resume. The running thread writes live and generator, live last: who finds both empty
 * with acquire may read the copies; else other threads read in a stopped world (is_foreign). */
typedef struct FrameObj {
    Object hdr;
    _Atomic(InterpFrame *) live;
    Code *code;
    int32_t lasti;
    uint32_t n;
    _Atomic(bool) trace_lines, trace_opcodes, cleared;
    _Atomic(Value) generator; /* of a generator that lives: it holds this object. Not counted; where nothing is, traced
                                 (see gen_clear_refs) */
    Ref func, back, space, snapshot, trace;
    Ref regs[];
} FrameObj;

Type frame_type;

static void frame_traverse(Value self, VisitFn visit, void *arg) {
    FrameObj *o = (FrameObj *)self;
    for (Ref *r = &o->func; r <= &o->trace; r++)
        visit(ref_peek(r), arg);
    if (!COUNT_EXACT)
        visit(LOAD_RELAXED(&o->generator), arg);
    for (uint32_t i = 0; i < o->n; i++)
        visit(ref_peek(&o->regs[i]), arg);
}
static void frame_clear(Value self) {
    FrameObj *o = (FrameObj *)self;
    for (Ref *r = &o->back; r <= &o->trace; r++)
        ref_clear(self, r);
    for (uint32_t i = 0; i < o->n; i++)
        ref_clear(self, &o->regs[i]);
    ref_clear(self, &o->func);
}

Value frame_object(InterpFrame *f) {
    if (f->flags & FR_OBJECT)
        return retained(f->frame_obj);
    if (f->flags & FR_GEN) {
        Value had = ref_peek(&((Generator *)f->extra)->frame_obj);
        if (had != ABSENT) {
            STORE_RELEASE(&((FrameObj *)had)->live, f);
            f->frame_obj = retained(had);
            f->flags |= FR_OBJECT;
            return retained(had);
        }
    }
    Value v = obj_new_sized(&frame_type, f->code->n_locals * sizeof(Value));
    if (v == ABSENT)
        return ABSENT;
    FrameObj *o = (FrameObj *)v;
    atomic_init(&o->live, f);
    o->code = f->code;
    atomic_init(&o->trace_lines, true);
    ref_init(&o->func, retained(f->func));
    ref_init(&o->space, retained(frame_space(f)));
    o->n = f->code->n_locals;
    trace_track(v_obj(v));
    if (excl_world_stopped())
        publish(v); /* of another thread's frame */
    f->frame_obj = retained(v);
    f->flags |= FR_OBJECT;
    if (f->flags & FR_GEN)
        ref_store(f->extra, &((Generator *)f->extra)->frame_obj, retained(v));
    return v;
}

Value frame_object_suspended(Value gen) {
    Generator *g = (Generator *)gen;
    Value v = ref_peek(&g->frame_obj);
    if (v != ABSENT)
        return retained(v);
    Code *c = (Code *)ref_peek(&g->code);
    v = obj_new_sized(&frame_type, c->n_locals * sizeof(Value));
    if (v == ABSENT)
        return ABSENT;
    FrameObj *o = (FrameObj *)v;
    o->code = c;
    atomic_init(&o->trace_lines, true);
    o->n = c->n_locals;
    o->lasti = (int32_t)(g->pc - c->instrs);
    ref_init(&o->func, retained(ref_peek(&g->func)));
    atomic_init(&o->generator, gen);
    trace_track(v_obj(v));
    ref_store(gen, &g->frame_obj, retained(v));
    return v;
}

void frame_detach(InterpFrame *f) {
    Value v = f->frame_obj;
    FrameObj *o = (FrameObj *)v;
    o->lasti = (int32_t)(f->pc - f->code->instrs);
    if (COUNT_EXACT && count_is_unique(v_obj(v))) {
        f->flags &= ~(uint32_t)FR_OBJECT;
        STORE_RELEASE(&o->generator, ABSENT);
        STORE_RELEASE(&o->live, NULL);
        release(v);
        return;
    }
    if (f->prev && !(f->flags & FR_GEN)) {
        Thread *t = thread_self();
        Value exc = t->exc;
        t->exc = ABSENT;
        Value back = frame_object(f->prev);
        if (back == ABSENT)
            err_clear();
        t->exc = exc;
        ref_store(v, &o->back, back);
    }
    for (uint32_t i = 0; i < o->n; i++) {
        Value x = f->regs[i];
        f->regs[i] = ABSENT;
        ref_store(v, &o->regs[i], x);
    }
    /* Until here the object is the frame's: who looks at the frame in a stopped world finds it. */
    f->flags &= ~(uint32_t)FR_OBJECT;
    STORE_RELEASE(&o->generator, ABSENT);
    STORE_RELEASE(&o->live, NULL); /* pairs with is_foreign */
    release(v);
}

void interp_thread_vanished(Thread *t) {
    for (InterpFrame *f = t->frame; f; f = f->prev) {
        if (f->flags & FR_OBJECT)
            frame_detach(f);
        if (f->flags & FR_GEN) { /* it stays one that runs, as nobody can say where it is */
            Generator *g = (Generator *)f->extra;
            g->frame = NULL;
            ref_clear(f->extra, &g->frame_obj);
        }
    }
    t->frame = NULL;
}

/* A generator that is suspended keeps its registers itself: the frame object reads them there. */
void frame_suspend(InterpFrame *f) {
    FrameObj *o = (FrameObj *)f->frame_obj;
    o->lasti = (int32_t)(f->pc - f->code->instrs);
    f->flags &= ~(uint32_t)FR_OBJECT;
    STORE_RELEASE(&o->generator, f->extra);
    STORE_RELEASE(&o->live, NULL);
    release(f->frame_obj);
}

void frame_orphan(Value frame, Value gen) {
    FrameObj *o = (FrameObj *)frame;
    Generator *g = (Generator *)gen;
    o->lasti = (int32_t)(g->pc - o->code->instrs);
    for (uint32_t i = 0; i < o->n && i < g->n_saved; i++)
        ref_store(frame, &o->regs[i], ref_swap(gen, &g->regs[i], ABSENT));
    STORE_RELEASE(&o->generator, ABSENT); /* pairs with is_foreign */
}

/* True when the frame is one that another thread may be running, or its generator: it can be read in a stopped world
 * only. */
static bool is_foreign(FrameObj *o) {
    if (!EXCL_PARALLEL || excl_alone(V_OF(o)))
        return false;
    InterpFrame *live = LOAD_ACQUIRE(&o->live);
    if (live == NULL)
        return LOAD_ACQUIRE(&o->generator) != ABSENT;
    for (InterpFrame *f = thread_self()->frame; f; f = f->prev)
        if (f == live)
            return false;
    return true;
}

/* As frame_peek, but what the frame made for itself stays its own. */
static Value frame_register(FrameObj *o, uint32_t i) {
    InterpFrame *live = LOAD_RELAXED(&o->live);
    if (live) {
        Value v = live->regs[i];
        return v != ABSENT ? v : ref_peek(&o->regs[i]); /* frame_detach may have moved it */
    }
    Value gen = LOAD_RELAXED(&o->generator);
    if (gen != ABSENT) {
        Generator *g = (Generator *)gen;
        if (LOAD_RELAXED(&g->state) == GEN_FINISHED)
            return ABSENT;
        return i < g->n_saved ? ref_peek(&g->regs[i]) : ABSENT;
    }
    return ref_peek(&o->regs[i]);
}

/* Register i, borrowed: of the caller's own frame, of one that is over, or in a stopped world. */
static Value frame_peek(FrameObj *o, uint32_t i) {
    Value v = frame_register(o, i);
    obj_let_out(v);
    return v;
}

/* The registers of another thread's frame, as a tuple with holes; ABSENT with MemoryError. */
static Value foreign_regs(FrameObj *o) {
    Value t = tuple_new(o->n);
    if (t == ABSENT)
        return ABSENT;
    excl_stop_world();
    for (uint32_t i = 0; i < o->n; i++) {
        Value v = frame_peek(o, i);
        publish(v);
        tuple_init_item(t, i, retained(v));
    }
    excl_start_world();
    return t;
}

/* Register i, borrowed; regs: ABSENT, or what foreign_regs gave. */
static Value frame_reg(FrameObj *o, Value regs, uint32_t i) {
    return regs != ABSENT ? tuple_get(regs, i) : frame_peek(o, i);
}

static int snapshot_set(Value d, Value name, Value v) {
    if (v != ABSENT)
        return dict_set(d, name, v);
    int has = dict_contains(d, name);
    return has > 0 ? dict_del(d, name) : has;
}

static Value frame_object_locals(Value self) {
    FrameObj *o = (FrameObj *)self;
    Code *c = o->code;
    Value space = ref_peek(&o->space), regs = ABSENT, d;
    if (space != ABSENT)
        return retained(space);
    d = ref_load(self, &o->snapshot);
    if (d == ABSENT) {
        d = dict_new();
        if (d == ABSENT)
            return ABSENT;
        ref_store(self, &o->snapshot, retained(d));
    }
    if (UNLIKELY(is_foreign(o)) && (regs = foreign_regs(o)) == ABSENT)
        goto fail;
    Value names = ref_peek(&c->varnames), cells = ref_peek(&c->cellvars), frees = ref_peek(&c->freevars);
    for (intptr_t i = 0; i < tuple_len(names); i++) {
        Value v = retained(frame_reg(o, regs, (uint32_t)i));
        /* A parameter that is a cell variable holds its cell, once the function has begun. */
        if (v != ABSENT && v_is_exact(v, IDX_CELL))
            for (intptr_t k = 0; k < tuple_len(cells); k++)
                if (c->cell_regs[k] == i) {
                    Value in = cell_get(v);
                    release(v);
                    v = in;
                    break;
                }
        int r = snapshot_set(d, tuple_get(names, i), v);
        release(v);
        if (r < 0)
            goto fail;
    }
    for (intptr_t k = 0; k < tuple_len(cells); k++) {
        if (c->cell_regs[k] < tuple_len(names))
            continue;
        Value cell = frame_reg(o, regs, c->cell_regs[k]);
        Value v = cell != ABSENT && v_is_exact(cell, IDX_CELL) ? cell_get(cell) : ABSENT;
        int r = snapshot_set(d, tuple_get(cells, k), v);
        release(v);
        if (r < 0)
            goto fail;
    }
    Value func = ref_peek(&o->func);
    Value closure = func == ABSENT ? ABSENT : ref_peek(&((Function *)func)->closure);
    for (intptr_t k = 0;
         closure != ABSENT && !LOAD_RELAXED(&o->cleared) && (c->flags & CO_OPTIMIZED) && k < tuple_len(frees); k++) {
        Value v = cell_get(tuple_get(closure, k));
        int r = snapshot_set(d, tuple_get(frees, k), v);
        release(v);
        if (r < 0)
            goto fail;
    }
    release(regs);
    return d;
fail:
    release(regs);
    release(d);
    return ABSENT;
}

static int32_t frame_lasti(FrameObj *o) {
    bool foreign = is_foreign(o);
    if (UNLIKELY(foreign))
        excl_stop_world();
    int32_t at = o->lasti;
    Value gen = LOAD_RELAXED(&o->generator);
    InterpFrame *live = LOAD_RELAXED(&o->live);
    if (live)
        at = (int32_t)(live->pc - live->code->instrs);
    else if (gen != ABSENT && LOAD_RELAXED(&((Generator *)gen)->state) != GEN_FINISHED)
        at = (int32_t)(((Generator *)gen)->pc - o->code->instrs);
    if (UNLIKELY(foreign))
        excl_start_world();
    return at;
}

Value frame_current(int level) {
    InterpFrame *f = thread_self()->frame;
    while (f && level-- > 0)
        f = f->prev;
    return f ? frame_object(f) : ABSENT;
}
Value frame_space(InterpFrame *f) {
    if (f->flags & FR_LOCALS)
        return f->extra;
    return f->flags & FR_GEN && !(f->code->flags & CO_OPTIMIZED) ? ref_peek(&((Generator *)f->extra)->finalizer)
                                                                 : ABSENT;
}
Value frame_globals(InterpFrame *f) {
    return ref_peek(&((Function *)f->func)->globals);
}
Value frame_builtins(InterpFrame *f) {
    return ref_peek(&((Function *)f->func)->builtins);
}
Value frame_locals(InterpFrame *f) {
    Value space = frame_space(f);
    if (space != ABSENT)
        return retained(space);
    Value o = frame_object(f);
    if (o == ABSENT)
        return ABSENT;
    Value d = frame_object_locals(o);
    release(o);
    return d;
}
int frame_line(InterpFrame *f) {
    return code_line(f->code, f->pc - f->code->instrs);
}
Value current_globals(void) {
    InterpFrame *f = thread_self()->frame;
    return f ? frame_globals(f) : ABSENT;
}
Value current_builtins(void) {
    InterpFrame *f = thread_self()->frame;
    return f ? frame_builtins(f) : ABSENT;
}
Value current_locals(void) {
    InterpFrame *f = thread_self()->frame;
    return f ? frame_locals(f) : err_set(&exc_SystemError, "frame does not exist");
}

int frame_super_args(Value *cls, Value *self) {
    InterpFrame *f = thread_self()->frame;
    const char *why = "super(): no current frame";
    if (!f)
        goto fail;
    Code *c = f->code;
    why = "super(): no arguments";
    if (c->argcount == 0)
        goto fail;
    Value first = f->regs[0];
    Value cells = ref_peek(&c->cellvars);
    if (first != ABSENT && v_is_exact(first, IDX_CELL))
        for (intptr_t k = 0; k < tuple_len(cells); k++)
            if (c->cell_regs[k] == 0) {
                first = cell_get(first);
                release(first); /* the cell keeps it */
                break;
            }
    obj_let_out(first);
    why = "super(): arg[0] deleted";
    if (first == ABSENT)
        goto fail;
    Value frees = ref_peek(&c->freevars), closure = ref_peek(&((Function *)f->func)->closure);
    why = "super(): __class__ cell not found";
    for (intptr_t i = 0; i < tuple_len(frees); i++)
        if (tuple_get(frees, i) == ID("__class__")) {
            Value k = closure == ABSENT ? ABSENT : cell_get(tuple_get(closure, i));
            why = "super(): empty __class__ cell";
            if (k == ABSENT)
                goto fail;
            release(k); /* classes are uncounted, and the cell keeps it */
            why = "super(): __class__ is not a type";
            if (!v_is_type(k))
                goto fail;
            *cls = k;
            *self = first;
            return 0;
        }
fail:
    err_set(&exc_RuntimeError, "%s", why);
    return -1;
}

/* ---- what Python sees ---- */

static Value get_back(Value self) {
    FrameObj *o = (FrameObj *)self;
    bool foreign = is_foreign(o);
    if (UNLIKELY(foreign))
        excl_stop_world();
    InterpFrame *live = LOAD_RELAXED(&o->live);
    Value prev = live == NULL ? ABSENT : live->prev ? frame_object(live->prev) : V_NONE;
    if (UNLIKELY(foreign))
        excl_start_world();
    if (live)
        return prev;
    Value b = ref_load(self, &o->back);
    return b == ABSENT ? V_NONE : b;
}
Code *frame_object_code(Value frame) {
    return ((FrameObj *)frame)->code;
}
static Value get_code(Value self) {
    return retained(V_OF(((FrameObj *)self)->code));
}
static Value get_globals(Value self) {
    return retained(ref_peek(&((Function *)ref_peek(&((FrameObj *)self)->func))->globals));
}
static Value get_builtins(Value self) {
    return retained(ref_peek(&((Function *)ref_peek(&((FrameObj *)self)->func))->builtins));
}
static Value get_lasti(Value self) {
    return v_from_int((int64_t)frame_lasti((FrameObj *)self) * 2);
}
static Value get_lineno(Value self) {
    FrameObj *o = (FrameObj *)self;
    int line = code_line(o->code, frame_lasti(o));
    return line < 0 ? V_NONE : v_from_int(line);
}
static int set_lineno(Value self, Value v) {
    if (v == ABSENT) {
        err_set(&exc_AttributeError, "cannot delete attribute");
        return -1;
    }
    err_set(&exc_ValueError, "f_lineno can only be set in a trace function");
    return -1;
}
static Value get_trace(Value self) {
    Value v = ref_read(self, &((FrameObj *)self)->trace);
    return v == ABSENT ? V_NONE : v;
}
static int set_trace(Value self, Value v) {
    ref_write(self, &((FrameObj *)self)->trace, v == V_NONE ? ABSENT : v);
    return 0;
}
static Value get_trace_lines(Value self) {
    return v_bool(LOAD_RELAXED(&((FrameObj *)self)->trace_lines));
}
static int set_trace_lines(Value self, Value v) {
    STORE_RELAXED(&((FrameObj *)self)->trace_lines, v == V_TRUE);
    return 0;
}
static Value get_trace_opcodes(Value self) {
    return v_bool(LOAD_RELAXED(&((FrameObj *)self)->trace_opcodes));
}
static int set_trace_opcodes(Value self, Value v) {
    STORE_RELAXED(&((FrameObj *)self)->trace_opcodes, v == V_TRUE);
    return 0;
}
static Value frame_clear_method(Value self, Value *args, intptr_t nargs, Value kw) {
    FrameObj *o = (FrameObj *)self;
    if (LOAD_ACQUIRE(&o->live))
        return err_set(&exc_RuntimeError, "cannot clear an executing frame");
    Value gen = LOAD_ACQUIRE(&o->generator);
    if (gen != ABSENT) {
        gen_finalize(gen);
        return V_NONE;
    }
    STORE_RELAXED(&o->cleared, true);
    ref_clear(self, &o->snapshot);
    for (uint32_t i = 0; i < o->n; i++)
        ref_clear(self, &o->regs[i]);
    return V_NONE;
}
static Value frame_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    FrameObj *o = (FrameObj *)self;
    return str_format_c("<frame at 0x%lx, file '%S', line %d, code %S>", (unsigned long)obj_id(self),
                        ref_peek(&o->code->filename), code_line(o->code, frame_lasti(o)), ref_peek(&o->code->name));
}

static const NativeDef methods[] = {
    {"clear", frame_clear_method, "($self, /)", 0, NULL},
    {"__repr__", frame_repr, "($self, /)", 0, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
static const GetSetDef getsets[] = {
    {"f_back", get_back, NULL, NULL},
    {"f_code", get_code, NULL, NULL},
    {"f_globals", get_globals, NULL, NULL},
    {"f_builtins", get_builtins, NULL, NULL},
    {"f_locals", frame_object_locals, NULL, NULL},
    {"f_lasti", get_lasti, NULL, NULL},
    {"f_lineno", get_lineno, set_lineno, NULL},
    {"f_trace", get_trace, set_trace, NULL},
    {"f_trace_lines", get_trace_lines, set_trace_lines, NULL},
    {"f_trace_opcodes", get_trace_opcodes, set_trace_opcodes, NULL},
    {NULL, NULL, NULL, NULL},
};

void frame_init(void) {
    static const TypeOps ops = {frame_traverse, frame_clear, NULL};
    static const TypeSpec spec = {.name = "frame",
                                  .basic_size = sizeof(FrameObj),
                                  .flags = TF_NO_NEW,
                                  .ops = &ops,
                                  .methods = methods,
                                  .getsets = getsets};
    type_init_static(&frame_type, IDX_FRAME, &spec);
}

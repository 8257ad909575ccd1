#include "interp/traceback.h"

#include "object/exc.h"
#include "object/list.h"
#include "object/object.h"

Type traceback_type;

static void traceback_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Traceback *)self)->next), arg);
    visit(ref_peek(&((Traceback *)self)->frame), arg);
}
static void traceback_clear(Value self) {
    ref_clear(self, &((Traceback *)self)->next);
    ref_clear(self, &((Traceback *)self)->frame);
}

static Value traceback_make(Value next, Value frame, int32_t lasti, int32_t lineno) {
    Value v = obj_new(&traceback_type);
    if (v == ABSENT)
        return ABSENT;
    Traceback *tb = (Traceback *)v;
    if (next != V_NONE)
        ref_init(&tb->next, retained(next));
    ref_init(&tb->frame, retained(frame));
    tb->lasti = lasti;
    tb->lineno = lineno;
    trace_track(v_obj(v));
    return v;
}

void traceback_here(Thread *t, InterpFrame *f) {
    Value exc = t->exc;
    t->exc = ABSENT;
    int32_t lasti = (int32_t)(f->pc - f->code->instrs);
    Value frame = frame_object(f);
    if (frame != ABSENT) {
        Value next = exc_traceback(exc);
        Value tb = traceback_make(next, frame, lasti, code_line(f->code, lasti));
        release(next);
        release(frame);
        if (tb != ABSENT) {
            exc_set_traceback(exc, tb);
            release(tb);
        }
    }
    if (t->exc != ABSENT)
        release(t->exc);
    t->exc = exc;
}

static Value get_next(Value self) {
    Value v = ref_peek(&((Traceback *)self)->next);
    return v == ABSENT ? V_NONE : retained(v);
}
static int set_next(Value self, Value v) {
    if (v == ABSENT) {
        err_set(&exc_TypeError, "can't delete tb_next attribute");
        return -1;
    }
    if (v != V_NONE && !v_is_exact(v, IDX_TRACEBACK)) {
        err_set(&exc_TypeError, "expected traceback object or None, got '%T'", v);
        return -1;
    }
    for (Value x = v; x != V_NONE && x != ABSENT; x = ref_peek(&((Traceback *)x)->next))
        if (x == self) {
            err_set(&exc_ValueError, "traceback loop detected");
            return -1;
        }
    ExclCs cs;
    excl_cs_begin(&cs, self);
    Value old = ref_swap(self, &((Traceback *)self)->next, v == V_NONE ? ABSENT : retained(v));
    excl_cs_end(&cs);
    release(old);
    return 0;
}
static Value get_lasti(Value self) {
    return v_from_int((int64_t)((Traceback *)self)->lasti * 2);
}

static Value traceback_new_method(Value cls, Value *args, intptr_t nargs, Value kw) {
    int lasti, lineno;
    if (args[0] != V_NONE && !v_is_exact(args[0], IDX_TRACEBACK))
        return err_set(&exc_TypeError, "expected traceback object or None, got '%T'", args[0]);
    if (!v_is_exact(args[1], IDX_FRAME))
        return err_set(&exc_TypeError, "TracebackType() argument 'tb_frame' must be frame, not %T", args[1]);
    if (num_as_int(args[2], &lasti) < 0 || num_as_int(args[3], &lineno) < 0)
        return ABSENT;
    return traceback_make(args[0], args[1], lasti / 2, lineno);
}
static Value traceback_dir(Value self, Value *args, intptr_t nargs, Value kw) {
    Value l = list_new(4);
    static const char *const names[] = {"tb_frame", "tb_next", "tb_lasti", "tb_lineno"};
    for (size_t i = 0; l != ABSENT && i < ARRAY_LEN(names); i++)
        if (list_append(l, str_intern_static(names[i])) < 0) {
            release(l);
            return ABSENT;
        }
    return l;
}

static const NativeDef methods[] = {
    {"__new__", traceback_new_method, "($type, tb_next, tb_frame, tb_lasti, tb_lineno)", 0, NULL},
    {"__dir__", traceback_dir, "($self, /)", 0, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
static const GetSetDef getsets[] = {
    {"tb_next", get_next, set_next, NULL},
    {"tb_lasti", get_lasti, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};
static const MemberDef members[] = {
    {"tb_frame", MK_REF | MK_READONLY, offsetof(Traceback, frame), NULL},
    {"tb_lineno", MK_INT32 | MK_READONLY, offsetof(Traceback, lineno), NULL},
    {NULL, 0, 0, NULL},
};

void traceback_init(void) {
    static const TypeOps ops = {traceback_traverse, traceback_clear, NULL};
    static const TypeSpec spec = {.name = "traceback",
                                  .basic_size = sizeof(Traceback),
                                  .ops = &ops,
                                  .methods = methods,
                                  .getsets = getsets,
                                  .members = members};
    type_init_static(&traceback_type, IDX_TRACEBACK, &spec);
}

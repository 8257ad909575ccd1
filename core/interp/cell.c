/* Cells: variables shared between a function and those nested in it. */
#include "interp/function.h"
#include "object/object.h"

Type cell_type;

static void cell_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&((Cell *)self)->value), arg);
}
static void cell_clear(Value self) {
    ref_clear(self, &((Cell *)self)->value);
}

Value cell_new(Value v) {
    Value c = obj_new(&cell_type);
    if (c == ABSENT)
        return ABSENT;
    ref_init(&((Cell *)c)->value, retained(v));
    trace_track(v_obj(c));
    return c;
}
Value cell_get(Value cell) {
    ExclCs cs;
    excl_read_begin(&cs, cell);
    Value v = ref_load(cell, &((Cell *)cell)->value);
    excl_read_end(&cs);
    return v;
}
static NOINLINE void set_shared(Value cell, Value v) {
    excl_leaf_lock(cell);
    Value old = ref_swap(cell, &((Cell *)cell)->value, v);
    excl_leaf_unlock(cell);
    release(old);
}
/* Steals v. */
static ALWAYS_INLINE void set_owned(Value cell, Value v) {
    if (LIKELY(obj_is_private(cell)))
        release(ref_swap_private(cell, &((Cell *)cell)->value, v));
    else
        set_shared(cell, v);
}
static NOINLINE void set_object(Value cell, Value v) {
    set_owned(cell, retained(v));
}
void cell_set(Value cell, Value v) {
    if (v_is_obj(v))
        set_object(cell, v);
    else
        set_owned(cell, v); /* apart: saves no registers */
}

static Value cell_new_method(Value cls, Value *args, intptr_t nargs, Value kw) {
    return cell_new(arg_at(args, nargs, 0));
}
static Value get_contents(Value self) {
    Value v = cell_get(self);
    return v != ABSENT ? v : err_set(&exc_ValueError, "Cell is empty");
}
static int set_contents(Value self, Value v) {
    cell_set(self, v);
    return 0;
}
static Value cell_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = cell_get(self);
    if (v == ABSENT)
        return str_format_c("<cell at 0x%lx: empty>", (unsigned long)obj_id(self));
    Value r =
        str_format_c("<cell at 0x%lx: %T object at 0x%lx>", (unsigned long)obj_id(self), v, (unsigned long)obj_id(v));
    release(v);
    return r;
}
/* Contents compare; an empty cell is less than any other. */
static Value cell_compare(Value a, Value b, int op) {
    if (!v_is_exact(b, IDX_CELL))
        return V_NOTIMPL;
    Value x = cell_get(a), y = cell_get(b), r;
    if (x != ABSENT && y != ABSENT) {
        r = obj_compare(x, y, op);
    } else {
        int c = (x != ABSENT) - (y != ABSENT);
        r = v_bool(op == CMP_LT   ? c < 0
                   : op == CMP_LE ? c <= 0
                   : op == CMP_EQ ? c == 0
                   : op == CMP_NE ? c != 0
                   : op == CMP_GT ? c > 0
                                  : c >= 0);
    }
    release(x);
    release(y);
    return r;
}
static Value cell_lt(Value self, Value *args, intptr_t nargs, Value kw) {
    return cell_compare(self, args[0], CMP_LT);
}
static Value cell_le(Value self, Value *args, intptr_t nargs, Value kw) {
    return cell_compare(self, args[0], CMP_LE);
}
static Value cell_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    return cell_compare(self, args[0], CMP_EQ);
}
static Value cell_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    return cell_compare(self, args[0], CMP_NE);
}
static Value cell_gt(Value self, Value *args, intptr_t nargs, Value kw) {
    return cell_compare(self, args[0], CMP_GT);
}
static Value cell_ge(Value self, Value *args, intptr_t nargs, Value kw) {
    return cell_compare(self, args[0], CMP_GE);
}

static const NativeDef cell_methods[] = {
    {"__new__", cell_new_method, "($type, contents=<unset>, /)", 0, NULL},
    {"__repr__", cell_repr, "($self, /)", 0, NULL},
    {"__lt__", cell_lt, "($self, value, /)", 0, NULL},
    {"__le__", cell_le, "($self, value, /)", 0, NULL},
    {"__eq__", cell_eq, "($self, value, /)", 0, NULL},
    {"__ne__", cell_ne, "($self, value, /)", 0, NULL},
    {"__gt__", cell_gt, "($self, value, /)", 0, NULL},
    {"__ge__", cell_ge, "($self, value, /)", 0, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
static const GetSetDef cell_getsets[] = {
    {"cell_contents", get_contents, set_contents, NULL},
    {NULL, NULL, NULL, NULL},
};

void cell_init(void) {
    static const TypeOps ops = {cell_traverse, cell_clear, NULL};
    static const TypeSpec spec = {
        .name = "cell", .basic_size = sizeof(Cell), .ops = &ops, .methods = cell_methods, .getsets = cell_getsets};
    type_init_static(&cell_type, IDX_CELL, &spec);
    /* Defining __eq__ alone takes hashing away, as in CPython. */
}

/* mappingproxy: a mapping that cannot be changed through it. */
#include "object/dict.h"
#include "object/exc.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"

Type mappingproxy_type;

typedef struct MappingProxy {
    Object hdr;
    Ref mapping;
} MappingProxy;

static Value M(Value v) {
    return ref_peek(&((MappingProxy *)v)->mapping);
}

Value mappingproxy_new(Value mapping) {
    Value v = obj_new(&mappingproxy_type);
    if (v) {
        ref_init(&((MappingProxy *)v)->mapping, retained(mapping));
        trace_track(v_obj(v));
    }
    return v;
}
static Value p_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Value m = args[0];
    if (!type_special(type_of(m), SP_GETITEM) || v_is_list(m) || v_is_tuple(m))
        return err_set(&exc_TypeError, "mappingproxy() argument must be a mapping, not %T", m);
    return mappingproxy_new(m);
}
static Value p_len(Value self, Value *args, intptr_t nargs, Value kw) {
    intptr_t n = obj_len(M(self));
    return n < 0 ? ABSENT : v_from_int(n);
}
static Value p_getitem(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_getitem(M(self), args[0]);
}
static Value p_contains(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = obj_contains(M(self), args[0]);
    return r < 0 ? ABSENT : v_bool(r);
}
static Value p_iter(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_iter(M(self));
}
static Value p_reversed(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_call_method(M(self), ID("__reversed__"), NULL, 0);
}
static Value p_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value a[] = {args[0], nargs > 1 && args[1] ? args[1] : V_NONE};
    return obj_call_method(M(self), ID("get"), a, 2);
}
static Value p_keys(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_call_method(M(self), ID("keys"), NULL, 0);
}
static Value p_values(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_call_method(M(self), ID("values"), NULL, 0);
}
static Value p_items(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_call_method(M(self), ID("items"), NULL, 0);
}
static Value p_copy(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_call_method(M(self), ID("copy"), NULL, 0);
}
static Value p_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return str_format_c("mappingproxy(%R)", M(self));
}
static Value p_str(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_str(M(self));
}
static Value compare(Value self, Value other, int op) {
    if (v_is_exact(other, IDX_MAPPINGPROXY))
        other = M(other);
    return obj_compare(M(self), other, op);
}
static Value p_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_EQ);
}
static Value p_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_NE);
}
static Value unwrap(Value v) {
    return v_is_exact(v, IDX_MAPPINGPROXY) ? M(v) : v;
}
static Value p_or(Value self, Value *args, intptr_t nargs, Value kw) {
    return num_binary(SP_OR, unwrap(self), unwrap(args[0]));
}
static Value p_ror(Value self, Value *args, intptr_t nargs, Value kw) {
    return num_binary(SP_OR, unwrap(args[0]), unwrap(self));
}
static Value p_ior(Value self, Value *args, intptr_t nargs, Value kw) {
    return err_set(&exc_TypeError, "'|=' is not supported by mappingproxy; use '|' instead");
}
static void traverse(Value self, VisitFn visit, void *arg) {
    visit(M(self), arg);
}
static void clear(Value self) {
    ref_clear(self, &((MappingProxy *)self)->mapping);
}
static const TypeOps ops = {traverse, clear, NULL};
static const NativeDef methods[] = {
    {"__new__", p_new, "(mapping)", 0, NULL},
    {"__len__", p_len, "($self, /)", 0, "Return len(self)."},
    {"__getitem__", p_getitem, "($self, key, /)", 0, "Return self[key]."},
    {"__contains__", p_contains, "($self, key, /)", 0, "Return key in self."},
    {"__iter__", p_iter, "($self, /)", 0, "Implement iter(self)."},
    {"__reversed__", p_reversed, "($self, /)", 0, "D.__reversed__() -> reverse iterator"},
    {"get", p_get, "($self, key, default=None, /)", 0,
     "Return the value for key if key is in the mapping, else default."},
    {"keys", p_keys, "($self, /)", 0, "D.keys() -> a set-like object providing a view on D's keys"},
    {"values", p_values, "($self, /)", 0, "D.values() -> an object providing a view on D's values"},
    {"items", p_items, "($self, /)", 0, "D.items() -> a set-like object providing a view on D's items"},
    {"copy", p_copy, "($self, /)", 0, "D.copy() -> a shallow copy of D"},
    {"__repr__", p_repr, "($self, /)", 0, "Return repr(self)."},
    {"__str__", p_str, "($self, /)", 0, "Return str(self)."},
    {"__eq__", p_eq, "($self, value, /)", 0, "Return self==value."},
    {"__ne__", p_ne, "($self, value, /)", 0, "Return self!=value."},
    {"__or__", p_or, "($self, value, /)", 0, "Return self|value."},
    {"__ror__", p_ror, "($self, value, /)", 0, "Return value|self."},
    {"__ior__", p_ior, "($self, value, /)", 0, "Return self|=value."},
    CLASS_GETITEM_DEF,
    {0},
};
static const TypeSpec spec = {
    .name = "mappingproxy", .basic_size = sizeof(MappingProxy), .flags = TF_MAPPING, .ops = &ops, .methods = methods};
void mappingproxy_init(void) {
    type_init_static(&mappingproxy_type, IDX_MAPPINGPROXY, &spec);
}

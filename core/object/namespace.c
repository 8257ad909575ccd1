/* types.SimpleNamespace. */
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

Type namespace_type;

Value namespace_new(void) {
    Value v = obj_new(&namespace_type);
    if (v)
        trace_track(v_obj(v));
    return v;
}
static Value ns_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Value v = obj_new((Type *)self);
    if (v)
        trace_track(v_obj(v));
    return v;
}
static Value ns_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs > 0)
        return err_set(&exc_TypeError, "no positional arguments expected");
    for (intptr_t i = 0; kw && i < tuple_len(kw); i++)
        if (attrs_set(self, tuple_get(kw, i), args[nargs + i]) < 0)
            return ABSENT;
    return V_NONE;
}
static Value ns_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = type_of(self) == &namespace_type ? str_from_c("namespace") : type_name(type_of(self));
    int in = repr_enter(self);
    if (in != 0) {
        Value r = in > 0 ? str_format_c("%S(...)", name) : ABSENT;
        release(name);
        return r;
    }
    Value d = attrs_snapshot(self), r = ABSENT;
    StrBuilder b;
    sb_init(&b);
    sb_str(&b, name);
    sb_char(&b, '(');
    if (d && d != V_NONE) {
        Value k, v;
        bool first = true, ok = true;
        for (intptr_t pos = 0; ok && dict_next(d, &pos, &k, &v);) {
            if (v_is_str(k) && str_len(k) > 0) {
                Value t = str_format_c(first ? "%S=%R" : ", %S=%R", k, v);
                if (t)
                    sb_str(&b, t);
                else
                    ok = false;
                release(t);
                first = false;
            }
            release(k);
            release(v);
        }
        if (!ok) {
            release(d);
            d = ABSENT;
        }
    }
    sb_char(&b, ')');
    if (d)
        r = sb_finish(&b);
    else
        sb_free(&b);
    release(d);
    release(name);
    repr_leave(self);
    return r;
}
static Value compare(Value a, Value b, int op) {
    if (!type_is_subtype(type_of(a), &namespace_type) || !type_is_subtype(type_of(b), &namespace_type))
        return V_NOTIMPL;
    Value x = attrs_dict(a), y = x ? attrs_dict(b) : ABSENT;
    Value r = y ? obj_compare(x, y, op) : ABSENT;
    release(x);
    release(y);
    return r;
}
static Value ns_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_EQ);
}
static Value ns_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    return compare(self, args[0], CMP_NE);
}
static Value ns_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = attrs_dict(self);
    Value r = d ? tuple_pack(3, V_OF(type_of(self)), tuple_empty(), d) : ABSENT;
    release(d);
    return r;
}
static Value ns_dict(Value self) {
    return attrs_dict(self);
}
static const GetSetDef getsets[] = {{"__dict__", ns_dict, NULL, NULL}, {0}};
static const NativeDef methods[] = {
    {"__new__", ns_new, "(*args, **kwargs)", 0, NULL},
    {"__init__", ns_init, "($self, /, *args, **kwargs)", 0, "Initialize self."},
    {"__repr__", ns_repr, "($self, /)", 0, "Return repr(self)."},
    {"__eq__", ns_eq, "($self, value, /)", 0, "Return self==value."},
    {"__ne__", ns_ne, "($self, value, /)", 0, "Return self!=value."},
    {"__reduce__", ns_reduce, "($self, /)", 0, "Return state information for pickling"},
    {0},
};
static const TypeSpec spec = {.name = "types.SimpleNamespace",
                              .doc = "A simple attribute-based namespace.\n\nSimpleNamespace(**kwargs)",
                              .basic_size = sizeof(Object),
                              .flags = TF_BASETYPE | TF_HAS_DICT,
                              .methods = methods,
                              .getsets = getsets};
void namespace_init(void) {
    type_init_static(&namespace_type, IDX_NAMESPACE, &spec);
}

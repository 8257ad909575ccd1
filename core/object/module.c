/* module objects. Their attributes live in a dict from birth: module_dict. */
#include "object/module.h"

#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

Type module_type;

Value module_getattribute(Value self, Value *args, intptr_t nargs, Value kw); /* attr.c */

Value module_dict(Value m) {
    Value w = LOAD_ACQUIRE(attrs_word_at(m, v_shape(m)->slots_offset)); /* never replaced after module_set_up */
    return w;
}

static int set_up(Value m, Value name, Value doc) {
    Value d = attrs_dict(m);
    if (!d)
        return -1;
    count_set_uncounted(v_obj(d)); /* lives as long as the module, is read by every function of it */
    int r = dict_set(d, ID("__name__"), name);
    if (r == 0)
        r = dict_set(d, ID("__doc__"), doc);
    if (r == 0)
        r = dict_set(d, ID("__package__"), V_NONE);
    if (r == 0)
        r = dict_set(d, ID("__loader__"), V_NONE);
    if (r == 0)
        r = dict_set(d, ID("__spec__"), V_NONE);
    release(d);
    return r;
}

Value module_new(Value name) {
    Value m = obj_new(&module_type);
    if (!m)
        return ABSENT;
    count_set_uncounted(v_obj(m));
    if (set_up(m, name, V_NONE) < 0) {
        release(m);
        return ABSENT;
    }
    trace_track(v_obj(m));
    return m;
}

int module_add(Value m, const char *name, Value v) {
    if (!v)
        return -1;
    Value n = str_intern_static(name);
    type_share_value(v);
    int r = dict_set(module_dict(m), n, v);
    release(v);
    return r;
}
int module_add_int(Value m, const char *name, int64_t v) {
    return module_add(m, name, v_from_int(v));
}
int module_add_str(Value m, const char *name, const char *s) {
    return module_add(m, name, str_from_c(s));
}
int module_add_type(Value m, Type *t) {
    return module_add(m, t->c_name ? t->c_name : type_cname(t), retained(V_OF(t)));
}

static Value m_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Value m = obj_new((Type *)self);
    if (!m)
        return ABSENT;
    count_set_uncounted(v_obj(m));
    Value d = attrs_dict(m);
    if (!d) {
        release(m);
        return ABSENT;
    }
    count_set_uncounted(v_obj(d));
    release(d);
    trace_track(v_obj(m));
    return m;
}
static Value m_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "module() argument 1 must be str, not %T", args[0]);
    Value doc = arg_at(args, nargs, 1);
    return set_up(self, args[0], doc ? doc : V_NONE) < 0 ? ABSENT : V_NONE;
}
Value import_module_repr(Value m); /* runtime/import.c */
static Value m_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return import_module_repr(self);
}
static Value m_dir(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = obj_getattr(self, ID("__dict__")), f = ABSENT, r = ABSENT; /* a subclass may have another one */
    if (d && !v_is_dict(d)) {
        err_set(&exc_TypeError, "%T.__dict__ is not a dictionary", self);
    } else if (d && (f = dict_get(d, ID("__dir__"))) != ABSENT) {
        r = obj_call0(f);
        release(f);
    } else if (d && !err_pending()) {
        r = dict_keys_list(d);
    }
    release(d);
    return r;
}
static Value g_dict(Value self) {
    return retained(module_dict(self));
}
static Value g_annotations(Value self) {
    Value d = module_dict(self), a = dict_get(d, ID("__annotations__"));
    if (a || err_pending())
        return a;
    a = dict_new();
    if (!a)
        return ABSENT;
    Value r = dict_setdefault(d, ID("__annotations__"), a);
    release(a);
    return r;
}
static int s_annotations(Value self, Value v) {
    if (v)
        return dict_set(module_dict(self), ID("__annotations__"), v);
    Value old;
    int r = dict_pop(module_dict(self), ID("__annotations__"), &old);
    if (r == 0)
        err_set(&exc_AttributeError, "__annotations__");
    if (r > 0)
        release(old);
    return r > 0 ? 0 : -1;
}
static const NativeDef methods[] = {
    {"__new__", m_new, "(*args, **kwargs)", 0, NULL},
    {"__init__", m_init, "($self, /, name, doc=None)", 0, "Initialize self."},
    {"__getattribute__", module_getattribute, "($self, name, /)", 0, "Return getattr(self, name)."},
    {"__repr__", m_repr, "($self, /)", 0, "Return repr(self)."},
    {"__dir__", m_dir, "($self, /)", 0, "__dir__() -> list\nspecialized dir() implementation"},
    {0},
};
static const GetSetDef getsets[] = {
    {"__dict__", g_dict, NULL, NULL}, {"__annotations__", g_annotations, s_annotations, NULL}, {0}};
static const TypeSpec spec = {.name = "module",
                              .doc = "module(name, doc=None)\n--\n\nCreate a module object.\n\nThe name must be a "
                                     "string; the optional doc argument can "
                                     "have any type.",
                              .basic_size = sizeof(Object),
                              .flags = TF_BASETYPE | TF_HAS_DICT | TF_DICT_MODE | TF_WEAKREF,
                              .methods = methods,
                              .getsets = getsets};
void module_init(void) {
    type_init_static(&module_type, IDX_MODULE, &spec);
}

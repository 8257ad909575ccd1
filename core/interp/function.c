#include "interp/function.h"

#include "interp/interp.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/module.h"
#include "object/native.h"
#include "object/refs.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

Type function_type;

static void function_traverse(Value self, VisitFn visit, void *arg) {
    Function *f = (Function *)self;
    for (Ref *r = &f->code; r <= &f->dict; r++)
        visit(ref_peek(r), arg);
}
static void function_clear(Value self) {
    Function *f = (Function *)self;
    for (Ref *r = &f->code; r <= &f->dict; r++)
        ref_clear(self, r);
}

Value function_builtins_of(Value globals) {
    Value b = dict_get(globals, ID("__builtins__"));
    if (b == ABSENT) {
        if (err_pending())
            return ABSENT;
        b = import_module("builtins");
        if (b == ABSENT)
            return ABSENT;
    }
    if (v_is_obj(b) && (type_of(b) == &module_type || type_is_subtype(type_of(b), &module_type))) {
        Value d = retained(module_dict(b));
        release(b);
        return d;
    }
    if (!v_is_dict(b)) {
        release(b);
        return dict_new();
    }
    return b;
}

Value function_new(Value code, Value globals) {
    Code *c = (Code *)code;
    Thread *t = thread_self();
    Value builtins;
    /* Nearly always those of the code that makes it. */
    if (t->frame && ref_peek(&((Function *)t->frame->func)->globals) == globals)
        builtins = retained(ref_peek(&((Function *)t->frame->func)->builtins));
    else
        builtins = function_builtins_of(globals);
    if (builtins == ABSENT)
        return ABSENT;
    Value v = obj_new(&function_type);
    if (v == ABSENT) {
        release(builtins);
        return ABSENT;
    }
    Function *f = (Function *)v;
    ref_init(&f->code, retained(code));
    ref_init(&f->globals, retained(globals));
    ref_init(&f->builtins, builtins);
    ref_init(&f->name, retained(ref_peek(&c->name)));
    ref_init(&f->qualname, retained(ref_peek(&c->qualname)));
    Value module = dict_get(globals, ID("__name__"));
    if (module == ABSENT)
        err_clear();
    ref_init(&f->module, module);
    /* The docstring is the first constant. */
    if (tuple_len(ref_peek(&c->const_tuple)) > 0 && v_is_str(c->consts[0]))
        ref_init(&f->doc, retained(c->consts[0]));
    trace_track(v_obj(v));
    return v;
}

/* ---- attributes ---- */

static Value none_for_absent(Value v) {
    return v == ABSENT ? V_NONE : v;
}

static Value function_dict(Value self) {
    Function *f = (Function *)self;
    Value d = ref_read(self, &f->dict);
    if (d != ABSENT)
        return d;
    Value fresh = dict_new();
    if (fresh == ABSENT)
        return ABSENT;
    ExclCs cs;
    excl_cs_begin(&cs, self);
    if (ref_peek(&f->dict) == ABSENT)
        ref_store(self, &f->dict, retained(fresh));
    d = retained(ref_peek(&f->dict));
    excl_cs_end(&cs);
    release(fresh);
    return d;
}

static Value get_code(Value self) {
    return ref_read(self, &((Function *)self)->code);
}
static int set_code(Value self, Value v) {
    Function *f = (Function *)self;
    if (v == ABSENT || !v_is_code(v)) {
        err_set(&exc_TypeError, "__code__ must be set to a code object");
        return -1;
    }
    Value closure = ref_peek(&f->closure);
    intptr_t have = closure == ABSENT ? 0 : tuple_len(closure), want = tuple_len(ref_peek(&((Code *)v)->freevars));
    if (have != want) {
        err_set(&exc_ValueError, "%S() requires a code object with %zd free vars, not %zd", ref_peek(&f->name),
                (ssize_t)have, (ssize_t)want);
        return -1;
    }
    ref_write(self, &f->code, v);
    return 0;
}
static Value get_defaults(Value self) {
    return none_for_absent(ref_read(self, &((Function *)self)->defaults));
}
static int set_defaults(Value self, Value v) {
    if (v != ABSENT && v != V_NONE && !v_is_tuple(v)) {
        err_set(&exc_TypeError, "__defaults__ must be set to a tuple object");
        return -1;
    }
    ref_write(self, &((Function *)self)->defaults, v == V_NONE ? ABSENT : v);
    return 0;
}
static Value get_kwdefaults(Value self) {
    return none_for_absent(ref_read(self, &((Function *)self)->kwdefaults));
}
static int set_kwdefaults(Value self, Value v) {
    if (v != ABSENT && v != V_NONE && !v_is_dict(v)) {
        err_set(&exc_TypeError, "__kwdefaults__ must be set to a dict object");
        return -1;
    }
    ref_write(self, &((Function *)self)->kwdefaults, v == V_NONE ? ABSENT : v);
    return 0;
}
static Value get_name(Value self) {
    return ref_read(self, &((Function *)self)->name);
}
static int set_name(Value self, Value v) {
    if (v == ABSENT || !v_is_str(v)) {
        err_set(&exc_TypeError, "__name__ must be set to a string object");
        return -1;
    }
    ref_write(self, &((Function *)self)->name, v);
    return 0;
}
static Value get_qualname(Value self) {
    return ref_read(self, &((Function *)self)->qualname);
}
static int set_qualname(Value self, Value v) {
    if (v == ABSENT || !v_is_str(v)) {
        err_set(&exc_TypeError, "__qualname__ must be set to a string object");
        return -1;
    }
    ref_write(self, &((Function *)self)->qualname, v);
    return 0;
}
static Value get_module(Value self) {
    return none_for_absent(ref_read(self, &((Function *)self)->module));
}
static int set_module(Value self, Value v) {
    ref_write(self, &((Function *)self)->module, v);
    return 0;
}
static Value get_doc(Value self) {
    return none_for_absent(ref_read(self, &((Function *)self)->doc));
}
static int set_doc(Value self, Value v) {
    ref_write(self, &((Function *)self)->doc, v);
    return 0;
}
/* A tuple name, value, ... is what MAKE_FUNCTION stores; it becomes a dict when asked for. */
static Value get_annotations(Value self) {
    Function *f = (Function *)self;
    Value v = ref_read(self, &f->annotations);
    if (v != ABSENT && v_is_dict(v))
        return v;
    Value d = dict_new();
    if (d == ABSENT) {
        release(v);
        return ABSENT;
    }
    if (v != ABSENT)
        for (intptr_t i = 0; i + 1 < tuple_len(v); i += 2)
            if (dict_set(d, tuple_get(v, i), tuple_get(v, i + 1)) < 0) {
                release(v);
                release(d);
                return ABSENT;
            }
    ExclCs cs;
    excl_cs_begin(&cs, self);
    Value now = ref_peek(&f->annotations), old = ABSENT;
    if (now == v) {
        old = ref_swap(self, &f->annotations, retained(d));
    } else if (now != ABSENT && v_is_dict(now)) {
        old = d;
        d = retained(now);
    }
    excl_cs_end(&cs);
    release(old);
    release(v);
    return d;
}
static int set_annotations(Value self, Value v) {
    if (v != ABSENT && v != V_NONE && !v_is_dict(v)) {
        err_set(&exc_TypeError, "__annotations__ must be set to a dict object");
        return -1;
    }
    ref_write(self, &((Function *)self)->annotations, v == V_NONE ? ABSENT : v);
    return 0;
}
static Value get_builtins(Value self) {
    return retained(ref_peek(&((Function *)self)->builtins));
}
static Value get_closure(Value self) {
    return retained(none_for_absent(ref_peek(&((Function *)self)->closure)));
}
static int set_dict(Value self, Value v) {
    if (v == ABSENT) {
        err_set(&exc_TypeError, "cannot delete __dict__");
        return -1;
    }
    if (!v_is_dict(v)) {
        err_set(&exc_TypeError, "__dict__ must be set to a dictionary, not a '%T'", v);
        return -1;
    }
    ref_write(self, &((Function *)self)->dict, v);
    return 0;
}

/* Attributes of functions are the class's descriptors, then the dict of their own. */
static Value function_getattribute(Value self, Value *args, intptr_t nargs, Value kw) {
    Value name = args[0];
    if (!v_is_str(name))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
    Value key = str_is_interned(name) ? retained(name) : str_intern(retained(name));
    if (key == ABSENT)
        return ABSENT;
    Value found = type_lookup(&function_type, key), result = ABSENT;
    if (found != ABSENT && type_special(type_of(found), SP_SET) != ABSENT) {
        result = descr_get(found, self, &function_type);
        release(found);
        release(key);
        return result;
    }
    Value d = ref_read(self, &((Function *)self)->dict);
    if (d != ABSENT) {
        result = dict_get(d, key);
        release(d);
        if (result != ABSENT || err_pending())
            goto done;
    }
    if (found != ABSENT)
        result = descr_get(found, self, &function_type);
    else
        err_attribute(self, key);
done:
    release(found);
    release(key);
    return result;
}
static int function_set_attribute(Value self, Value name, Value v) {
    if (!v_is_str(name)) {
        err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
        return -1;
    }
    Value key = str_is_interned(name) ? retained(name) : str_intern(retained(name));
    if (key == ABSENT)
        return -1;
    int r = -1;
    Value found = type_lookup(&function_type, key);
    if (found != ABSENT && type_special(type_of(found), SP_SET) != ABSENT) {
        Value args[2] = {self, v};
        Value out = obj_call_special(found, v == ABSENT ? SP_DELETE : SP_SET, args, v == ABSENT ? 1 : 2);
        r = out == ABSENT ? -1 : 0;
        release(out);
    } else {
        Value d = function_dict(self);
        if (d != ABSENT) {
            r = v == ABSENT ? dict_contains(d, key) : 1;
            if (r == 0) {
                err_attribute(self, key);
                r = -1;
            } else if (r > 0) {
                r = v == ABSENT ? dict_del(d, key) : dict_set(d, key, v);
            }
            release(d);
        }
    }
    release(found);
    release(key);
    return r;
}
static Value function_setattr(Value self, Value *args, intptr_t nargs, Value kw) {
    return function_set_attribute(self, args[0], args[1]) < 0 ? ABSENT : V_NONE;
}
static Value function_delattr(Value self, Value *args, intptr_t nargs, Value kw) {
    return function_set_attribute(self, args[0], ABSENT) < 0 ? ABSENT : V_NONE;
}

static Value function_get(Value self, Value *args, intptr_t nargs, Value kw) {
    if (args[0] == V_NONE && arg_at(args, nargs, 1) != V_OF(&none_type))
        return retained(self);
    return method_new(self, args[0]);
}
static Value function_call(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_call(self, args, nargs, kw);
}
static Value function_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Value q = get_qualname(self);
    Value r = str_format_c("<function %S at 0x%lx>", q, (unsigned long)obj_id(self));
    release(q);
    return r;
}

/* types.FunctionType(code, globals, name=None, argdefs=None, closure=None) */
static Value function_new_method(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value code = args[0], globals = args[1], name = arg_at(args, nargs, 2), defaults = arg_at(args, nargs, 3),
          closure = arg_at(args, nargs, 4);
    if (!v_is_code(code))
        return err_set(&exc_TypeError, "function() argument 'code' must be code, not %T", code);
    if (!v_is_dict(globals))
        return err_set(&exc_TypeError, "function() argument 'globals' must be dict, not %T", globals);
    if (name != ABSENT && name != V_NONE && !v_is_str(name))
        return err_set(&exc_TypeError, "arg 3 (name) must be None or string");
    if (defaults != ABSENT && defaults != V_NONE && !v_is_tuple(defaults))
        return err_set(&exc_TypeError, "arg 4 (defaults) must be None or tuple");
    intptr_t want = tuple_len(ref_peek(&((Code *)code)->freevars));
    if (closure == V_NONE)
        closure = ABSENT;
    if (closure != ABSENT && !v_is_tuple(closure))
        return err_set(&exc_TypeError, "arg 5 (closure) must be tuple");
    if (closure == ABSENT && want)
        return err_set(&exc_TypeError, "arg 5 (closure) must be tuple");
    intptr_t have = closure == ABSENT ? 0 : tuple_len(closure);
    if (have != want)
        return err_set(&exc_ValueError, "%S requires closure of length %zd, not %zd", ref_peek(&((Code *)code)->name),
                       (ssize_t)want, (ssize_t)have);
    for (intptr_t i = 0; i < have; i++)
        if (!v_is_exact(tuple_get(closure, i), IDX_CELL))
            return err_set(&exc_TypeError, "arg 5 (closure) expected cell, found %T", tuple_get(closure, i));
    Value v = function_new(code, globals);
    if (v == ABSENT)
        return ABSENT;
    Function *f = (Function *)v;
    if (name != ABSENT && name != V_NONE)
        ref_write(v, &f->name, name);
    if (defaults != ABSENT && defaults != V_NONE)
        ref_write(v, &f->defaults, defaults);
    if (have)
        ref_write(v, &f->closure, closure);
    return v;
}

static const NativeDef function_methods[] = {
    {"__new__", function_new_method, "($type, code, globals, name=None, argdefs=None, closure=None)", 0, NULL},
    {"__get__", function_get, "($self, instance, owner=None, /)", 0, NULL},
    {"__call__", function_call, NULL, 0, NULL},
    {"__repr__", function_repr, "($self, /)", 0, NULL},
    {"__getattribute__", function_getattribute, "($self, name, /)", 0, NULL},
    {"__setattr__", function_setattr, "($self, name, value, /)", 0, NULL},
    {"__delattr__", function_delattr, "($self, name, /)", 0, NULL},
    {NULL, NULL, NULL, 0, NULL},
};
static const GetSetDef function_getsets[] = {
    {"__code__", get_code, set_code, NULL},
    {"__defaults__", get_defaults, set_defaults, NULL},
    {"__kwdefaults__", get_kwdefaults, set_kwdefaults, NULL},
    {"__annotations__", get_annotations, set_annotations, NULL},
    {"__name__", get_name, set_name, NULL},
    {"__qualname__", get_qualname, set_qualname, NULL},
    {"__module__", get_module, set_module, NULL},
    {"__doc__", get_doc, set_doc, NULL},
    {"__dict__", function_dict, set_dict, NULL},
    {"__builtins__", get_builtins, NULL, NULL},
    {"__closure__", get_closure, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

/* A member, as types.MemberDescriptorType is the class of this attribute. */
static const MemberDef function_members[] = {{"__globals__", MK_REF | MK_READONLY, offsetof(Function, globals), NULL},
                                             {0}};

void function_init(void) {
    static const TypeOps ops = {function_traverse, function_clear, NULL};
    static const TypeSpec spec = {.name = "function",
                                  .doc = "Create a function object.",
                                  .basic_size = sizeof(Function),
                                  .flags = TF_WEAKREF | TF_METHOD_DESCR,
                                  .ops = &ops,
                                  .methods = function_methods,
                                  .getsets = function_getsets,
                                  .members = function_members};
    type_init_static(&function_type, IDX_FUNCTION, &spec);
}

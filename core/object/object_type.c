/* The class `object`: what every instance inherits. */
#include "base/hash.h"
#include "gc/heap.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/int.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type_impl.h"

Type object_type;
Type *immediate_type[64];

static bool overrides(Type *t, int sp) {
    return type_special(t, sp) != type_special(&object_type, sp);
}

static COLD Value abstract_error(Type *t) {
    Value am = dict_get(type_dict(t), ID("__abstractmethods__"));
    Value l = am ? seq_to_list(am) : ABSENT;
    release(am);
    if (!l)
        return ABSENT;
    if (list_sort(l) < 0) {
        release(l);
        return ABSENT;
    }
    intptr_t n = list_len(l);
    Value sep = str_from_c(", "), text = sep ? str_join(sep, l) : ABSENT, name = type_name(t);
    if (text)
        err_set(&exc_TypeError, "Can't instantiate abstract class %S with abstract method%s %S", name,
                n == 1 ? "" : "s", text);
    release(name);
    release(text);
    release(sep);
    release(l);
    return ABSENT;
}

static Value o_new(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = (Type *)self;
    if (nargs || (kw && tuple_len(kw))) {
        if (overrides(t, SP_NEW))
            return err_set(&exc_TypeError, "object.__new__() takes exactly one argument (the type to instantiate)");
        if (!overrides(t, SP_INIT))
            return err_set(&exc_TypeError, "%s() takes no arguments", type_cname(t));
    }
    if (t->flags & TF_ABSTRACT)
        return abstract_error(t);
    Value v = obj_new(t);
    if (v && !(t->flags & TF_UNTRACKED))
        trace_track(v_obj(v));
    return v;
}
static Value o_init(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs || (kw && tuple_len(kw))) {
        Type *t = type_of(self);
        if (overrides(t, SP_INIT))
            return err_set(&exc_TypeError, "object.__init__() takes exactly one argument (the instance to initialize)");
        if (!overrides(t, SP_NEW))
            return err_set(&exc_TypeError, "%s.__init__() takes exactly one argument (the instance to initialize)",
                           type_cname(t));
    }
    return V_NONE;
}
static Value o_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    Type *t = type_of(self);
    Value m = type_module(t), q = type_qualname(t), r;
    if (m && v_is_str(m) && !str_equal_c(m, "builtins"))
        r = str_format_c("<%S.%S object at 0x%zx>", m, q, (size_t)obj_id(self));
    else
        r = str_format_c("<%S object at 0x%zx>", q, (size_t)obj_id(self));
    release(m);
    release(q);
    return r;
}
static Value o_str(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_repr(self);
}
static Value o_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    /* Not the address itself: nothing should depend on its order or its low bits. */
    uint64_t h = (uint64_t)self * 0x9e3779b97f4a7c15ull;
    h ^= h >> 29;
    return v_from_int((int64_t)(h & 0x0fffffffffffffff));
}
static Value o_eq(Value self, Value *args, intptr_t nargs, Value kw) {
    return self == args[0] ? V_TRUE : V_NOTIMPL;
}
static Value o_ne(Value self, Value *args, intptr_t nargs, Value kw) {
    Value r = obj_call_special(self, SP_EQ, args, 1);
    if (!r || r == V_NOTIMPL || r == V_MARK)
        return r == V_MARK ? V_NOTIMPL : r;
    int b = obj_truth(r);
    release(r);
    return b < 0 ? ABSENT : v_bool(!b);
}
static Value o_order(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_NOTIMPL;
}
static Value o_getattribute(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", args[0]);
    return obj_generic_getattr(self, args[0]);
}
static Value o_setattr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (v_is_type(self))
        return err_set(&exc_TypeError, "can't apply this __setattr__ to %T object", self);
    return obj_generic_setattr(self, args[0], args[1]) < 0 ? ABSENT : V_NONE;
}
static Value o_delattr(Value self, Value *args, intptr_t nargs, Value kw) {
    if (v_is_type(self))
        return err_set(&exc_TypeError, "can't apply this __delattr__ to %T object", self);
    return obj_generic_setattr(self, args[0], ABSENT) < 0 ? ABSENT : V_NONE;
}

static int merge_class(Value d, Value cls) {
    Value cd;
    int r = obj_lookup_attr(cls, ID("__dict__"), &cd);
    if (r > 0) {
        r = dict_update(d, cd);
        release(cd);
    }
    if (r < 0)
        return -1;
    Value bases;
    r = obj_lookup_attr(cls, ID("__bases__"), &bases);
    if (r > 0) {
        for (intptr_t i = 0; r >= 0 && v_is_tuple(bases) && i < tuple_len(bases); i++)
            r = merge_class(d, tuple_get(bases, i));
        release(bases);
    }
    return r < 0 ? -1 : 0;
}
static Value o_dir(Value self, Value *args, intptr_t nargs, Value kw) {
    Value d = ABSENT, c = ABSENT;
    int r = obj_lookup_attr(self, ID("__dict__"), &d);
    if (r < 0)
        return ABSENT;
    Value copy = r > 0 && v_is_dict(d) ? dict_copy(d) : dict_new();
    release(d);
    if (!copy)
        return ABSENT;
    r = obj_lookup_attr(self, ID("__class__"), &c);
    if (r > 0) {
        r = merge_class(copy, c);
        release(c);
    }
    Value l = r < 0 ? ABSENT : dict_keys_list(copy);
    release(copy);
    return l;
}
static Value o_format(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_str(args[0]))
        return err_set(&exc_TypeError, "__format__() argument must be str, not %T", args[0]);
    if (str_len(args[0]) > 0)
        return err_set(&exc_TypeError, "unsupported format string passed to %T.__format__", self);
    return obj_str(self);
}
static Value o_sizeof(Value self, Value *args, intptr_t nargs, Value kw) {
    if (!v_is_obj(self))
        return v_from_int(0);
    return v_from_int(heap_has(self) ? (int64_t)heap_size_of(v_obj(self)) : type_of(self)->basic_size);
}

/* ---- pickling ---- */

static Value slot_names(Type *t) {
    Value n = dict_get(type_dict(t), ID("__slotnames__"));
    if (n && n != V_NONE)
        return n;
    Value f = import_attr("copyreg", "_slotnames");
    if (!f)
        return ABSENT;
    n = obj_call1(f, V_OF(t));
    release(f);
    return n;
}

static Value default_state(Value o, bool required) {
    Type *t = type_of(o);
    if (required && (t->base == NULL || !(t->flags & TF_HEAP)) && t->basic_size > sizeof(Object) &&
        !(t->flags & TF_EXC))
        return err_set(&exc_TypeError, "cannot pickle %T objects", o);
    Value state = V_NONE;
    if (t->flags & TF_HAS_DICT) {
        state = attrs_snapshot(o);
        if (!state)
            return ABSENT;
        if (state == V_NONE) {
            state = V_NONE;
        }
    }
    if (!(t->flags & TF_HEAP))
        return state;
    Value names = slot_names(t);
    if (!names) {
        release(state);
        return ABSENT;
    }
    if (v_is_list(names) && list_len(names) > 0) {
        Value slots = dict_new();
        for (intptr_t i = 0; slots && i < list_len(names); i++) {
            Value name = list_get(names, i), v;
            int r = obj_lookup_attr(o, name, &v);
            if (r > 0) {
                r = dict_set(slots, name, v);
                release(v);
            }
            release(name);
            if (r < 0) {
                release(slots);
                slots = ABSENT;
            }
        }
        if (!slots) {
            release(state);
            release(names);
            return ABSENT;
        }
        if (dict_len(slots) > 0) {
            Value pair = tuple_pack(2, state, slots);
            release(state);
            state = pair;
        }
        release(slots);
    }
    release(names);
    return state;
}
static Value o_getstate(Value self, Value *args, intptr_t nargs, Value kw) {
    return default_state(self, false);
}

static Value get_state(Value o, bool required) {
    Value f;
    if (obj_lookup_attr(o, ID("__getstate__"), &f) <= 0)
        return ABSENT;
    if (v_is_exact(f, IDX_NATIVE) && ((Native *)f)->fn == o_getstate) {
        release(f);
        return default_state(o, required);
    }
    Value s = obj_call0(f);
    release(f);
    return s;
}

static Value reduce_newobj(Value o) {
    Type *t = type_of(o);
    if (!type_special(t, SP_NEW) || t->flags & TF_NO_NEW)
        return err_set(&exc_TypeError, "cannot pickle '%T' object", o);
    Value args = ABSENT, kwargs = ABSENT, f, ctor = ABSENT, cargs = ABSENT, state = ABSENT, items = V_NONE,
          pairs = V_NONE, r = ABSENT;
    int k = obj_lookup_attr(o, ID("__getnewargs_ex__"), &f);
    if (k < 0)
        return ABSENT;
    bool has_args = true;
    if (k > 0) {
        Value p = obj_call0(f);
        release(f);
        if (!p)
            return ABSENT;
        if (!v_is_tuple(p) || tuple_len(p) != 2 || !v_is_tuple(tuple_get(p, 0)) || !v_is_dict(tuple_get(p, 1))) {
            if (!v_is_tuple(p))
                err_set(&exc_TypeError, "__getnewargs_ex__ should return a tuple, not '%T'", p);
            else if (tuple_len(p) != 2)
                err_set(&exc_ValueError, "__getnewargs_ex__ should return a tuple of length 2, not %zd", tuple_len(p));
            else if (!v_is_tuple(tuple_get(p, 0)))
                err_set(&exc_TypeError,
                        "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '%T'",
                        tuple_get(p, 0));
            else
                err_set(&exc_TypeError,
                        "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '%T'",
                        tuple_get(p, 1));
            release(p);
            return ABSENT;
        }
        args = retained(tuple_get(p, 0));
        kwargs = retained(tuple_get(p, 1));
        release(p);
    } else {
        k = obj_lookup_attr(o, ID("__getnewargs__"), &f);
        if (k < 0)
            return ABSENT;
        if (k > 0) {
            args = obj_call0(f);
            release(f);
            if (args && !v_is_tuple(args))
                err_set(&exc_TypeError, "__getnewargs__ should return a tuple, not '%T'", args);
            if (!args || !v_is_tuple(args)) {
                release(args);
                return ABSENT;
            }
        } else {
            has_args = false;
            args = retained(tuple_empty());
        }
    }
    if (kwargs && dict_len(kwargs) > 0) {
        ctor = import_attr("copyreg", "__newobj_ex__");
        cargs = tuple_pack(3, V_OF(t), args, kwargs);
    } else {
        ctor = import_attr("copyreg", "__newobj__");
        Value cls = tuple_pack(1, V_OF(t));
        cargs = cls ? tuple_concat(cls, args) : ABSENT;
        release(cls);
    }
    if (!ctor || !cargs)
        goto out;
    bool required = !has_args && !(t->flags & (TF_LIST | TF_DICT));
    state = get_state(o, required);
    if (!state)
        goto out;
    if (t->flags & TF_LIST) {
        items = obj_iter(o);
        if (!items)
            goto out;
    }
    if (t->flags & TF_DICT) {
        Value m = obj_call_method(o, ID("items"), NULL, 0);
        pairs = m ? obj_iter(m) : ABSENT;
        release(m);
        if (!pairs)
            goto out;
    }
    r = tuple_pack(5, ctor, cargs, state, items, pairs);
out:
    release(args);
    release(kwargs);
    release(ctor);
    release(cargs);
    release(state);
    release(items);
    release(pairs);
    return r;
}

static Value common_reduce(Value o, int64_t proto) {
    if (proto >= 2)
        return reduce_newobj(o);
    Value f = import_attr("copyreg", "_reduce_ex");
    if (!f)
        return ABSENT;
    Value r = obj_call2(f, o, v_from_int(proto));
    release(f);
    return r;
}
static Value o_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return common_reduce(self, 0);
}
static Value o_reduce_ex(Value self, Value *args, intptr_t nargs, Value kw) {
    int64_t proto;
    if (num_as_i64(args[0], &proto) < 0)
        return ABSENT;
    Value f = type_lookup(type_of(self), ID("__reduce__")), own = type_lookup(&object_type, ID("__reduce__"));
    bool overridden = f && f != own;
    release(f);
    release(own);
    if (overridden) {
        Value m = obj_getattr(self, ID("__reduce__"));
        if (!m)
            return ABSENT;
        Value r = obj_call0(m);
        release(m);
        return r;
    }
    return common_reduce(self, proto);
}

static Value o_init_subclass(Value self, Value *args, intptr_t nargs, Value kw) {
    if (kw && tuple_len(kw))
        return err_set(&exc_TypeError, "%s.__init_subclass__() takes no keyword arguments", type_cname((Type *)self));
    if (nargs)
        return err_set(&exc_TypeError, "%s.__init_subclass__() takes no arguments (%zd given)",
                       type_cname((Type *)self), nargs);
    return V_NONE;
}
static Value o_subclasshook(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_NOTIMPL;
}

static Value g_class(Value self) {
    return retained(V_OF(type_of(self)));
}
static int s_class(Value self, Value v) {
    if (!v) {
        err_set(&exc_TypeError, "can't delete __class__ attribute");
        return -1;
    }
    if (!v_is_type(v)) {
        err_set(&exc_TypeError, "__class__ must be set to a class, not '%T' object", v);
        return -1;
    }
    Type *from = type_of(self), *to = (Type *)v;
    bool modules = type_is_subtype(from, &module_type) && type_is_subtype(to, &module_type);
    if (!modules && (!(from->flags & TF_HEAP) || !(to->flags & TF_HEAP))) {
        err_set(&exc_TypeError, "__class__ assignment only supported for mutable types or ModuleType subclasses");
        return -1;
    }
    if (from == to)
        return 0;
    if (!type_same_layout(from, to) || ((from->flags ^ to->flags) & TF_WEAKREF)) {
        err_set(&exc_TypeError, "__class__ assignment: '%s' object layout differs from '%s'", type_cname(to),
                type_cname(from));
        return -1;
    }
    Shape *next = to->root;
    if (from->flags & TF_HAS_DICT) { /* dict mode is the same whatever the class's inline slots */
        Value d = attrs_dict(self);
        if (!d)
            return -1;
        release(d);
        next = shape_dict_mode(to);
    }
    excl_stop_world();
    STORE_RELEASE(&v_obj(self)->index, shape_index(next));
    if (to->flags & TF_FINALIZER)
        obj_set_flag(v_obj(self), OF_FINALIZER);
    if (to->flags & (TF_FINALIZER | TF_TYPE | TF_SWEEP_STOPPED) && heap_has(self))
        heap_note(v_obj(self), to->flags & (TF_TYPE | TF_SWEEP_STOPPED));
    excl_start_world();
    return 0;
}

static const NativeDef methods[] = {
    {"__new__", o_new, "(*args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__", o_init, "($self, /, *args, **kwargs)", 0,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__repr__", o_repr, "($self, /)", 0, "Return repr(self)."},
    {"__str__", o_str, "($self, /)", 0, "Return str(self)."},
    {"__hash__", o_hash, "($self, /)", 0, "Return hash(self)."},
    {"__eq__", o_eq, "($self, value, /)", 0, "Return self==value."},
    {"__ne__", o_ne, "($self, value, /)", 0, "Return self!=value."},
    {"__lt__", o_order, "($self, value, /)", 0, "Return self<value."},
    {"__le__", o_order, "($self, value, /)", 0, "Return self<=value."},
    {"__gt__", o_order, "($self, value, /)", 0, "Return self>value."},
    {"__ge__", o_order, "($self, value, /)", 0, "Return self>=value."},
    {"__getattribute__", o_getattribute, "($self, name, /)", 0, "Return getattr(self, name)."},
    {"__setattr__", o_setattr, "($self, name, value, /)", 0, "Implement setattr(self, name, value)."},
    {"__delattr__", o_delattr, "($self, name, /)", 0, "Implement delattr(self, name)."},
    {"__dir__", o_dir, "($self, /)", 0, "Default dir() implementation."},
    {"__format__", o_format, "($self, format_spec, /)", 0, "Default object formatter."},
    {"__sizeof__", o_sizeof, "($self, /)", 0, "Size of object in memory, in bytes."},
    {"__reduce__", o_reduce, "($self, /)", 0, "Helper for pickle."},
    {"__reduce_ex__", o_reduce_ex, "($self, protocol, /)", 0, "Helper for pickle."},
    {"__getstate__", o_getstate, "($self, /)", 0, "Helper for pickle."},
    {"__init_subclass__", o_init_subclass, "(*args, **kwargs)", NF_CLASS,
     "This method is called when a class is subclassed."},
    {"__subclasshook__", o_subclasshook, "(*args, **kwargs)", NF_CLASS,
     "Abstract classes can override this to customize issubclass()."},
    {0},
};
static const GetSetDef getsets[] = {{"__class__", g_class, s_class, "the object's class"}, {0}};
static const TypeSpec spec = {
    .name = "object",
    .doc = "object()\n--\n\nThe base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns "
           "a new featureless\n"
           "instance that has no instance attributes and cannot be given any.\n",
    .basic_size = sizeof(Object),
    .flags = TF_BASETYPE,
    .methods = methods,
    .getsets = getsets,
};

/* ---- None, Ellipsis, NotImplemented ---- */

Type none_type, ellipsis_type, notimpl_type;

static Value none_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(ID("None"));
}
static Value none_bool(Value self, Value *args, intptr_t nargs, Value kw) {
    return V_FALSE;
}
static Value none_hash(Value self, Value *args, intptr_t nargs, Value kw) {
    return v_from_int(0xfca86420);
}
static Value ellipsis_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(ID("Ellipsis"));
}
static Value notimpl_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(ID("NotImplemented"));
}
static Value single_new(Value self, Value *args, intptr_t nargs, Value kw) {
    if (nargs || (kw && tuple_len(kw)))
        return err_set(&exc_TypeError, "%s takes no arguments",
                       self == V_OF(&ellipsis_type) ? "EllipsisType" : ((Type *)self)->c_name);
    return self == V_OF(&none_type) ? V_NONE : self == V_OF(&ellipsis_type) ? V_ELLIPSIS : V_NOTIMPL;
}
static Value notimpl_bool(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_truth(self) < 0 ? ABSENT : V_TRUE;
}
static Value ellipsis_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(ID("Ellipsis"));
}
static Value notimpl_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(ID("NotImplemented"));
}

static const NativeDef none_methods[] = {
    {"__new__", single_new, "(*args, **kwargs)", 0, NULL},
    {"__repr__", none_repr, "($self, /)", 0, "Return repr(self)."},
    {"__bool__", none_bool, "($self, /)", 0, "self != 0"},
    {"__hash__", none_hash, "($self, /)", 0, "Return hash(self)."},
    {0},
};
static const NativeDef ellipsis_methods[] = {
    {"__new__", single_new, "(*args, **kwargs)", 0, NULL},
    {"__repr__", ellipsis_repr, "($self, /)", 0, "Return repr(self)."},
    {"__reduce__", ellipsis_reduce, "($self, /)", 0, NULL},
    {0},
};
static const NativeDef notimpl_methods[] = {
    {"__new__", single_new, "(*args, **kwargs)", 0, NULL},
    {"__repr__", notimpl_repr, "($self, /)", 0, "Return repr(self)."},
    {"__bool__", notimpl_bool, "($self, /)", 0, "self != 0"},
    {"__reduce__", notimpl_reduce, "($self, /)", 0, NULL},
    {0},
};
static const TypeSpec none_spec = {.name = "NoneType", .flags = TF_UNTRACKED, .methods = none_methods};
static const TypeSpec ellipsis_spec = {.name = "ellipsis", .flags = TF_UNTRACKED, .methods = ellipsis_methods};
static const TypeSpec notimpl_spec = {.name = "NotImplementedType", .flags = TF_UNTRACKED, .methods = notimpl_methods};

void type_init(void);

void object_init(void) {
    type_init_static(&object_type, IDX_OBJECT, &spec);
    type_init();
    type_init_static(&none_type, IDX_NONE, &none_spec);
    type_init_static(&ellipsis_type, IDX_ELLIPSIS, &ellipsis_spec);
    type_init_static(&notimpl_type, IDX_NOTIMPL, &notimpl_spec);
    for (unsigned i = 0; i < 64; i++) {
        Value v = i;
        immediate_type[i] = v & 1 ? &int_type : (v & 3) == 2 ? &float_type : &object_type;
    }
    immediate_type[V_NONE] = &none_type;
    immediate_type[V_FALSE] = immediate_type[V_TRUE] = &bool_type;
    immediate_type[V_ELLIPSIS] = &ellipsis_type;
    immediate_type[V_NOTIMPL] = &notimpl_type;
}

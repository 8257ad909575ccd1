/* Attribute access: the protocol of __getattribute__, __getattr__, descriptors and instance dicts. */
#include "object/dict.h"
#include "object/exc.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

static COLD Value no_attribute(Value o, Value name) {
    Value msg = str_format_c("'%T' object has no attribute '%S'", o, name);
    if (!msg)
        return ABSENT;
    err_set_value(&exc_AttributeError, msg);
    release(msg);
    Value e = err_fetch();
    if (e && type_of(e) == &exc_AttributeError) {
        obj_setattr(e, ID("name"), name);
        obj_setattr(e, ID("obj"), o);
    }
    err_restore(e);
    return ABSENT;
}
Value err_attribute(Value o, Value name) {
    return no_attribute(o, name);
}

/* object.__getattribute__. quiet: ABSENT and nothing pending when there is none. */
static Value generic_get(Value o, Value name, bool quiet) {
    Type *t = type_of(o);
    Value cv = type_lookup(t, name);
    Value get = ABSENT;
    if (cv && v_is_obj(cv)) {
        Type *ct = v_shape(cv)->type;
        get = type_special(ct, SP_GET);
        if (get && (type_special(ct, SP_SET) || type_special(ct, SP_DELETE))) {
            Value r = descr_get(cv, o, t);
            release(cv);
            return r;
        }
    }
    if (t->flags & TF_HAS_DICT) {
        Value v = attrs_get(o, name);
        if (v || err_pending()) {
            release(cv);
            return v;
        }
    }
    if (cv) {
        if (!get)
            return cv;
        Value r = descr_get(cv, o, t);
        release(cv);
        return r;
    }
    return quiet ? ABSENT : no_attribute(o, name);
}
Value obj_generic_getattr(Value o, Value name) {
    return generic_get(o, name, false);
}

static Value module_getattr(Value m, Value name, bool quiet);

/* The class's __getattr__ after a failed lookup. An AttributeError may be pending. */
static Value try_getattr_hook(Value o, Value name) {
    if (err_pending()) {
        if (type_special(type_of(o), SP_GETATTR) == ABSENT) /* the lookup may have deleted it */
            return ABSENT;
        err_clear();
    }
    Value args[] = {name}, r = obj_call_special(o, SP_GETATTR, args, 1);
    return r == V_MARK ? no_attribute(o, name) : r;
}

static Value getattr_any(Value o, Value name, bool quiet) {
    Type *t = type_of(o);
    if (UNLIKELY(!v_is_str(name)))
        return err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
    Value r;
    bool hook = type_special(t, SP_GETATTR) != ABSENT;
    if (LIKELY(t->flags & TF_GENERIC_GETATTR)) {
        r = generic_get(o, name, quiet || hook);
        if (r || !hook)
            return r;
        if (err_pending() && !err_matches(&exc_AttributeError))
            return ABSENT;
    } else {
        Value ga = type_special(t, SP_GETATTRIBUTE);
        if (t->flags & TF_TYPE && ga == type_special(&type_type, SP_GETATTRIBUTE)) {
            r = type_getattr((Type *)o, name, quiet || hook);
            if (r || !hook)
                return r;
            if (err_pending() && !err_matches(&exc_AttributeError))
                return ABSENT;
        } else if (ga == type_special(&module_type, SP_GETATTRIBUTE)) {
            r = module_getattr(o, name, quiet || hook);
            if (r || !hook)
                return r;
            if (err_pending() && !err_matches(&exc_AttributeError))
                return ABSENT;
        } else {
            Value args[] = {name};
            r = obj_call_special(o, SP_GETATTRIBUTE, args, 1);
            if (r == V_MARK)
                r = no_attribute(o, name);
            if (r || !hook || !err_matches(&exc_AttributeError))
                return r;
        }
    }
    return try_getattr_hook(o, name);
}

Value obj_getattr(Value o, Value name) {
    Value r = getattr_any(o, name, false);
    return r;
}
Value obj_getattr_str(Value o, const char *name) {
    Value n = str_from_c(name);
    if (!n)
        return ABSENT;
    n = str_intern(n);
    Value r = n ? obj_getattr(o, n) : ABSENT;
    release(n);
    return r;
}
int obj_lookup_attr(Value o, Value name, Value *out) {
    *out = getattr_any(o, name, true);
    if (*out)
        return 1;
    if (!err_pending())
        return 0;
    if (!err_matches(&exc_AttributeError))
        return -1;
    err_clear();
    return 0;
}
int obj_lookup_attr_str(Value o, const char *name, Value *out) {
    Value n = str_from_c(name);
    if (n)
        n = str_intern(n);
    int r = n ? obj_lookup_attr(o, n, out) : -1;
    release(n);
    return r;
}

/* ---- setting ---- */

int obj_generic_setattr(Value o, Value name, Value v) {
    Type *t = type_of(o);
    if (!v_is_str(name)) {
        err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
        return -1;
    }
    Value cv = type_lookup(t, name);
    if (cv && v_is_obj(cv)) {
        Type *ct = v_shape(cv)->type;
        int r = 1;
        if (v_is_exact(cv, IDX_GETSET) || v_is_exact(cv, IDX_MEMBER))
            r = getset_set(cv, o, v);
        else {
            Value set = type_special(ct, SP_SET), del = type_special(ct, SP_DELETE);
            if (set || del) {
                Value args[] = {o, v};
                int sp = v ? SP_SET : SP_DELETE;
                if (v ? set : del) {
                    Value res = obj_call_special(cv, sp, args, v ? 2 : 1);
                    r = res ? 0 : -1;
                    release(res);
                } else {
                    err_set(&exc_AttributeError, v ? "__set__" : "__delete__");
                    r = -1;
                }
            }
        }
        if (r <= 0) {
            release(cv);
            return r;
        }
    }
    if (t->flags & TF_HAS_DICT) {
        release(cv);
        if (v)
            return attrs_set(o, name, v);
        int r = attrs_del(o, name);
        if (r == 0)
            no_attribute(o, name);
        return r > 0 ? 0 : -1;
    }
    if (cv) {
        release(cv);
        err_set(&exc_AttributeError, "'%T' object attribute '%S' is read-only", o, name);
    } else
        no_attribute(o, name);
    return -1;
}

int obj_setattr(Value o, Value name, Value v) {
    Type *t = type_of(o);
    if (LIKELY(t->flags & TF_GENERIC_SETATTR))
        return obj_generic_setattr(o, name, v);
    if (!v_is_str(name)) {
        err_set(&exc_TypeError, "attribute name must be string, not '%T'", name);
        return -1;
    }
    if (t->flags & TF_TYPE && type_special(t, SP_SETATTR) == type_special(&type_type, SP_SETATTR) && v)
        return type_setattr((Type *)o, name, v);
    Value args[] = {name, v};
    Value r = obj_call_special(o, v ? SP_SETATTR : SP_DELATTR, args, v ? 2 : 1);
    if (r == V_MARK) {
        no_attribute(o, name);
        return -1;
    }
    release(r);
    return r ? 0 : -1;
}
int obj_setattr_str(Value o, const char *name, Value v) {
    Value n = str_from_c(name);
    if (n)
        n = str_intern(n);
    int r = n ? obj_setattr(o, n, v) : -1;
    release(n);
    return r;
}

Value obj_get_dict(Value o) {
    Type *t = type_of(o);
    if (t->flags & TF_HAS_DICT)
        return attrs_dict(o);
    return no_attribute(o, ID("__dict__"));
}

/* ---- special methods and calls by name ---- */

int obj_lookup_special(Value o, int sp, Value *out) {
    Type *t = type_of(o);
    Value m = type_special(t, sp);
    if (!m) {
        *out = ABSENT;
        return 0;
    }
    *out = descr_get(m, o, t);
    return *out ? 1 : -1;
}

/* obj_call with self in front. */
static Value call_unbound(Value f, Value self, Value *args, intptr_t nargs) {
    if (nargs <= 7) {
        Value tmp[8];
        tmp[0] = self;
        for (intptr_t i = 0; i < nargs; i++)
            tmp[i + 1] = args[i];
        return obj_call(f, tmp, nargs + 1, ABSENT);
    }
    Value t = tuple_new(nargs + 1);
    if (!t)
        return ABSENT;
    tuple_init_item(t, 0, retained(self));
    for (intptr_t i = 0; i < nargs; i++)
        tuple_init_item(t, i + 1, retained(args[i]));
    Value r = obj_call(f, tuple_items(t), nargs + 1, ABSENT);
    release(t);
    return r;
}

Value obj_call_special(Value o, int sp, Value *args, intptr_t nargs) {
    Type *t = type_of(o);
    Value m = type_special(t, sp);
    if (!m)
        return V_MARK;
    if (v_is_exact(m, IDX_METHOD_DESCR))
        return recursion_enter(" while calling a Python object") ? native_call_with((Native *)m, o, args, nargs, ABSENT)
                                                                 : ABSENT;
    if (v_is_exact(m, IDX_FUNCTION))
        return call_unbound(m, o, args, nargs);
    if (m == V_NONE) /* x = None blocks a special method: callers test for it where the message differs */
        return err_set(&exc_TypeError, "'NoneType' object is not callable");
    Value f = descr_get(m, o, t);
    if (!f)
        return ABSENT;
    Value r = obj_call(f, args, nargs, ABSENT);
    release(f);
    return r;
}

/* A method_descr found on o's class, which may be another class's. */
static Value native_call_self(Native *m, Value o, Value *args, intptr_t nargs) {
    return type_is_subtype(type_of(o), m->owner) ? native_call_with(m, o, args, nargs, ABSENT)
                                                 : native_wrong_self(m, o);
}

Value obj_call_method(Value o, Value name, Value *args, intptr_t nargs) {
    Type *t = type_of(o);
    if (LIKELY(t->flags & TF_GENERIC_GETATTR)) {
        Value m = type_lookup(t, name);
        if (m && v_is_obj(m) && (obj_index(m) == IDX_FUNCTION || obj_index(m) == IDX_METHOD_DESCR)) {
            Value own = t->flags & TF_HAS_DICT ? attrs_get(o, name) : ABSENT;
            if (own || err_pending()) {
                release(m);
                if (!own)
                    return ABSENT;
                Value r = obj_call(own, args, nargs, ABSENT);
                release(own);
                return r;
            }
            Value r = obj_index(m) == IDX_FUNCTION ? call_unbound(m, o, args, nargs)
                                                   : native_call_self((Native *)m, o, args, nargs);
            release(m);
            return r;
        }
        release(m);
    }
    Value f = obj_getattr(o, name);
    if (!f)
        return ABSENT;
    Value r = obj_call(f, args, nargs, ABSENT);
    release(f);
    return r;
}
Value obj_call_method_str(Value o, const char *name, Value *args, intptr_t nargs) {
    Value n = str_from_c(name);
    if (n)
        n = str_intern(n);
    Value r = n ? obj_call_method(o, n, args, nargs) : ABSENT;
    release(n);
    return r;
}

Value obj_dir(Value o) {
    Value r = obj_call_special(o, SP_DIR, NULL, 0);
    if (r == V_MARK)
        return err_set(&exc_TypeError, "object does not provide __dir__");
    if (!r)
        return ABSENT;
    Value l = seq_to_list(r);
    release(r);
    if (l && list_sort(l) < 0) {
        release(l);
        return ABSENT;
    }
    return l;
}

/* ---- modules ---- */

static COLD Value module_missing(Value m, Value name, bool quiet) {
    Value d = module_dict(m);
    Value hook = d ? dict_get(d, ID("__getattr__")) : ABSENT;
    if (hook) {
        Value r = obj_call1(hook, name);
        release(hook);
        return r;
    }
    if (err_pending() || quiet)
        return ABSENT;
    Value mn = d ? dict_get(d, ID("__name__")) : ABSENT;
    if (mn && v_is_str(mn)) {
        bool initialising = false;
        Value spec = dict_get(d, ID("__spec__"));
        if (spec && spec != V_NONE) {
            Value init;
            if (obj_lookup_attr(spec, ID("_initializing"), &init) > 0) {
                initialising = obj_truth(init) > 0;
                release(init);
            }
            err_clear();
        }
        release(spec);
        Value msg = str_format_c(
            initialising
                ? "partially initialized module '%S' has no attribute '%S' (most likely due to a circular import)"
                : "module '%S' has no attribute '%S'",
            mn, name);
        if (msg)
            err_set_value(&exc_AttributeError, msg);
        release(msg);
    } else
        err_set(&exc_AttributeError, "module has no attribute '%S'", name);
    release(mn);
    Value e = err_fetch();
    if (e && type_of(e) == &exc_AttributeError) {
        obj_setattr(e, ID("name"), name);
        obj_setattr(e, ID("obj"), m);
    }
    err_restore(e);
    return ABSENT;
}

static Value module_getattr(Value m, Value name, bool quiet) {
    Value r = generic_get(m, name, true);
    if (r || err_pending())
        return r;
    return module_missing(m, name, quiet);
}
Value module_getattribute(Value self, Value *args, intptr_t nargs, Value kw) {
    return module_getattr(self, args[0], false);
}

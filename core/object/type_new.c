/* Making classes: bases, layout, MRO, __slots__, and what a class statement promises to the class, its attributes and
 * its parent. */
#include "gc/heap.h"
#include "interp/frame.h"
#include "interp/function.h"
#include "object/dict.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type_impl.h"

_Thread_local uint32_t type_slots_hint;

/* ---- method resolution order ---- */

static Value mro_error(Value *tails, const intptr_t *at, intptr_t n) {
    StrBuilder b;
    sb_init(&b);
    sb_cstr(&b, "Cannot create a consistent method resolution\norder (MRO) for bases");
    Value seen[64];
    int n_seen = 0;
    for (intptr_t i = 0; i < n; i++) {
        if (at[i] >= tuple_len(tails[i]))
            continue;
        Value c = tuple_get(tails[i], at[i]);
        bool dup = false;
        for (int j = 0; j < n_seen; j++)
            dup |= seen[j] == c;
        if (dup || n_seen == 64)
            continue;
        sb_cstr(&b, n_seen ? ", " : " ");
        seen[n_seen++] = c;
        Value name = v_is_type(c) ? type_name((Type *)c) : str_from_c("?");
        if (name)
            sb_str(&b, name);
        release(name);
    }
    Value msg = sb_finish(&b);
    if (msg) {
        err_set_value(&exc_TypeError, msg);
        release(msg);
    }
    return ABSENT;
}

Value type_mro_c3(Type *t, Value bases) {
    intptr_t nb = tuple_len(bases);
    for (intptr_t i = 0; i < nb; i++)
        if (!type_mro((Type *)tuple_get(bases, i)))
            return err_set(&exc_TypeError, "Cannot extend an incomplete type '%s'",
                           type_cname((Type *)tuple_get(bases, i)));
    for (intptr_t i = 0; i < nb; i++) /* a class may name a base once only */
        for (intptr_t j = i + 1; j < nb; j++)
            if (tuple_get(bases, i) == tuple_get(bases, j)) {
                Value n = type_name((Type *)tuple_get(bases, i));
                err_set(&exc_TypeError, "duplicate base class %S", n);
                release(n);
                return ABSENT;
            }
    if (nb == 1) {
        Value bm = type_mro((Type *)tuple_get(bases, 0));
        intptr_t n = tuple_len(bm);
        Value mro = tuple_new(n + 1);
        if (!mro)
            return ABSENT;
        tuple_init_item(mro, 0, retained(V_OF(t)));
        for (intptr_t i = 0; i < n; i++)
            tuple_init_item(mro, i + 1, retained(tuple_get(bm, i)));
        return mro;
    }
    Value out = list_new(8), holder = tuple_new(nb + 1);
    intptr_t *at = calloc((size_t)nb + 1, sizeof *at);
    Value result = ABSENT;
    if (!out || !holder || !at) {
        if (!at && !err_pending())
            err_no_memory();
        goto done;
    }
    for (intptr_t i = 0; i < nb; i++)
        tuple_init_item(holder, i, retained(type_mro((Type *)tuple_get(bases, i))));
    tuple_init_item(holder, nb, retained(bases));
    if (list_append(out, V_OF(t)) < 0)
        goto done;
    Value *tails = tuple_items(holder);
    for (;;) {
        bool empty = true, found = false;
        for (intptr_t i = 0; i <= nb && !found; i++) {
            if (at[i] >= tuple_len(tails[i]))
                continue;
            empty = false;
            Value c = tuple_get(tails[i], at[i]);
            bool good = true;
            for (intptr_t j = 0; j <= nb && good; j++)
                for (intptr_t k = at[j] + 1; k < tuple_len(tails[j]) && good; k++)
                    good = tuple_get(tails[j], k) != c;
            if (!good)
                continue;
            found = true;
            if (list_append(out, c) < 0)
                goto done;
            for (intptr_t j = 0; j <= nb; j++)
                if (at[j] < tuple_len(tails[j]) && tuple_get(tails[j], at[j]) == c)
                    at[j]++;
        }
        if (empty)
            break;
        if (!found) {
            mro_error(tails, at, nb + 1);
            goto done;
        }
    }
    result = list_to_tuple(out);
done:
    release(out);
    release(holder);
    free(at);
    return result;
}

static Type *solid_base(Type *t);

Value type_compute_mro(Type *t) {
    Type *meta = type_of(V_OF(t));
    Value custom = ABSENT;
    if (meta != &type_type) {
        Value m = type_lookup(meta, ID("mro")), own = type_lookup(&type_type, ID("mro"));
        if (m && m != own) {
            Value bound = descr_get(m, V_OF(t), meta);
            custom = bound ? obj_call0(bound) : ABSENT;
            release(bound);
            if (!custom) {
                release(m);
                release(own);
                return ABSENT;
            }
        }
        release(m);
        release(own);
    }
    Value mro;
    if (custom) {
        mro = seq_to_tuple(custom);
        release(custom);
        for (intptr_t i = 0; mro && i < tuple_len(mro); i++)
            if (!v_is_type(tuple_get(mro, i))) {
                err_set(&exc_TypeError, "mro() returned a non-class ('%T')", tuple_get(mro, i));
                release(mro);
                mro = ABSENT;
            } else { /* methods of a class expect its layout */
                Type *c = (Type *)tuple_get(mro, i);
                if (!type_is_subtype(t->base ? solid_base(t) : t, c == t ? t : solid_base(c)) && c != t) {
                    err_set(&exc_TypeError, "mro() returned base with unsuitable layout ('%s')", type_cname(c));
                    release(mro);
                    mro = ABSENT;
                }
            }
    } else
        mro = type_mro_c3(t, type_bases(t));
    if (mro && v_is_obj(mro))
        count_set_uncounted(v_obj(mro));
    return mro;
}

/* ---- layout ---- */

/* A class whose instances have a C layout of their own, or that adds slots. */
static bool adds_layout(Type *t) {
    Type *b = t->base;
    if (!b)
        return true;
    /* Of what is built in, a class next to object is one whatever its size: its methods expect what it makes. */
    if (b == &object_type && !(t->flags & TF_HEAP))
        return true;
    return t->basic_size != b->basic_size || t->ops != b->ops ||
           ((t->flags ^ b->flags) &
            (TF_INT | TF_STR | TF_BYTES | TF_TUPLE | TF_TYPE | TF_DICT | TF_LIST | TF_SET | TF_FROZENSET)) != 0;
}
static Type *solid_base(Type *t) {
    while (!adds_layout(t))
        t = t->base;
    return t;
}

Type *type_best_base(Value bases) {
    Type *best = NULL, *solid = NULL;
    for (intptr_t i = 0; i < tuple_len(bases); i++) {
        Value b = tuple_get(bases, i);
        if (!v_is_type(b)) {
            err_set(&exc_TypeError, "bases must be types");
            return NULL;
        }
        Type *t = (Type *)b;
        if (!(t->flags & TF_BASETYPE)) {
            err_set(&exc_TypeError, "type '%s' is not an acceptable base type", type_cname(t));
            return NULL;
        }
        Type *s = solid_base(t);
        if (!solid) {
            solid = s;
            best = t;
        } else if (type_is_subtype(solid, s))
            ;
        else if (type_is_subtype(s, solid)) {
            solid = s;
            best = t;
        } else {
            err_set(&exc_TypeError, "multiple bases have instance lay-out conflict");
            return NULL;
        }
    }
    return best;
}

Type *type_calculate_meta(Type *meta, Value bases) {
    Type *winner = meta;
    for (intptr_t i = 0; i < tuple_len(bases); i++) {
        Type *m = type_of(tuple_get(bases, i));
        if (type_is_subtype(winner, m))
            continue;
        if (type_is_subtype(m, winner)) {
            winner = m;
            continue;
        }
        err_set(
            &exc_TypeError,
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses "
            "of all its bases");
        return NULL;
    }
    return winner;
}

bool type_same_layout(Type *a, Type *b) {
    if (a->basic_size != b->basic_size || a->ops != b->ops || a->slots_offset != b->slots_offset)
        return false;
    if ((a->flags ^ b->flags) &
        (TF_HAS_DICT | TF_DICT_MODE | TF_TAIL_ATTRS | TF_INT | TF_STR | TF_BYTES | TF_TUPLE | TF_TYPE | TF_EXC))
        return false;
    /* Members made by __slots__ must have the same names at the same places. */
    Type *x = a, *y = b;
    for (;;) {
        while (x->flags & TF_HEAP && !x->slot_members)
            x = x->base;
        while (y->flags & TF_HEAP && !y->slot_members)
            y = y->base;
        if (x == y)
            return true;
        if (!(x->flags & TF_HEAP) || !(y->flags & TF_HEAP))
            return !(x->flags & TF_HEAP) && !(y->flags & TF_HEAP) && solid_base(x) == solid_base(y);
        const MemberDef *m = x->slot_members, *n = y->slot_members;
        for (; m->name && n->name; m++, n++)
            if (strcmp(m->name, n->name) || m->offset != n->offset)
                return false;
        if (m->name || n->name)
            return false;
        x = x->base;
        y = y->base;
    }
}

/* ---- __slots__ ---- */

static Value mangle(Value name, Value cls_name) {
    const char *n = str_utf8(name, NULL), *c = str_utf8(cls_name, NULL);
    if (!n || !c)
        return ABSENT;
    size_t len = strlen(n);
    if (len < 3 || n[0] != '_' || n[1] != '_' || (n[len - 1] == '_' && n[len - 2] == '_') || strchr(n, '.'))
        return retained(name);
    while (*c == '_')
        c++;
    if (!*c)
        return retained(name);
    return str_format_c("_%s%s", c, n);
}

typedef struct SlotsPlan {
    Value names; /* list of mangled names, sorted; ABSENT without __slots__ */
    bool dict, weakref, given;
} SlotsPlan;

static int plan_slots(SlotsPlan *p, Type *base, Value dict, Value cls_name, Value bases) {
    bool may_dict = !(base->flags & TF_HAS_DICT) && !(base->flags & TF_TYPE);
    bool may_weak = !(base->flags & TF_WEAKREF);
    Value slots = dict_get(dict, ID("__slots__"));
    if (!slots) {
        if (err_pending())
            return -1;
        p->dict = may_dict;
        p->weakref = may_weak;
        return 0;
    }
    p->given = true;
    Value t = v_is_str(slots) ? tuple_pack(1, slots) : seq_to_tuple(slots);
    release(slots);
    if (!t)
        return -1;
    int r = -1;
    intptr_t n = tuple_len(t);
    if (n > 0 && base->flags & (TF_INT | TF_TUPLE | TF_BYTES | TF_TYPE)) {
        err_set(&exc_TypeError, "nonempty __slots__ not supported for subtype of '%s'", type_cname(base));
        goto out;
    }
    p->names = list_new(n);
    for (intptr_t i = 0; p->names && i < n; i++) {
        Value s = tuple_get(t, i);
        if (!v_is_str(s)) {
            err_set(&exc_TypeError, "__slots__ items must be strings, not '%T'", s);
            goto out;
        }
        if (!str_is_identifier(s)) {
            err_set(&exc_TypeError, "__slots__ must be identifiers");
            goto out;
        }
        if (str_equal_c(s, "__dict__")) {
            if (!may_dict || p->dict) {
                err_set(&exc_TypeError, "__dict__ slot disallowed: we already got one");
                goto out;
            }
            p->dict = true;
            continue;
        }
        if (str_equal_c(s, "__weakref__")) {
            if (!may_weak || p->weakref) {
                err_set(&exc_TypeError, "__weakref__ slot disallowed: we already got one");
                goto out;
            }
            p->weakref = true;
            continue;
        }
        Value m = mangle(s, cls_name);
        if (!m || (m = str_intern(m)) == ABSENT)
            goto out;
        int err = list_append(p->names, m), has = dict_contains(dict, m);
        if (err == 0 && has > 0 && !str_equal_c(m, "__qualname__") && !str_equal_c(m, "__classcell__")) {
            err_set(&exc_ValueError, "%R in __slots__ conflicts with class variable", m);
            err = -1;
        }
        release(m);
        if (err < 0 || has < 0)
            goto out;
    }
    if (!p->names || list_sort(p->names) < 0)
        goto out;
    /* A secondary base may bring what __slots__ leaves out. */
    for (intptr_t i = 0; i < tuple_len(bases); i++) {
        Type *b = (Type *)tuple_get(bases, i);
        if (b == base)
            continue;
        if (may_dict && b->flags & TF_HAS_DICT)
            p->dict = true;
        if (may_weak && b->flags & TF_WEAKREF)
            p->weakref = true;
    }
    r = 0;
out:
    release(t);
    return r;
}

/* ---- instance __dict__ and __weakref__ as attributes of classes ---- */

static Value get_dict(Value self) {
    return obj_get_dict(self);
}
static int set_dict(Value self, Value v) {
    if (v == ABSENT) {
        Value d = dict_new();
        if (!d)
            return -1;
        int r = attrs_set_dict(self, d);
        release(d);
        return r;
    }
    if (!v_is_dict(v)) {
        err_set(&exc_TypeError, "__dict__ must be set to a dictionary, not a '%T'", v);
        return -1;
    }
    return attrs_set_dict(self, v);
}
Value weakref_first(Value o); /* gc/: the object's canonical weak reference, owned, or V_NONE */
static Value get_weakref(Value self) {
    return weakref_first(self);
}
const GetSetDef type_dict_getset = {"__dict__", get_dict, set_dict, "dictionary for instance variables (if defined)"};
const GetSetDef type_weakref_getset = {"__weakref__", get_weakref, NULL,
                                       "list of weak references to the object (if defined)"};

static int add_getset(Value dict, const GetSetDef *def, Type *t) {
    Value name = str_intern_static(def->name);
    int has = dict_contains(dict, name);
    if (has)
        return has < 0 ? -1 : 0;
    Value g = getset_new(def, t);
    if (!g)
        return -1;
    int r = dict_set(dict, name, g);
    release(g);
    return r;
}

/* ---- the class statement's promises ---- */

static int wrap_implicit(Value dict, Value name, bool is_static) {
    Value f = dict_get(dict, name);
    if (!f)
        return err_pending() ? -1 : 0;
    int r = 0;
    if (v_is_function(f)) {
        Value w = is_static ? staticmethod_new(f) : classmethod_new(f);
        r = w ? dict_set(dict, name, w) : -1;
        release(w);
    }
    release(f);
    return r;
}

static int call_set_names(Type *t) {
    /* A copy: __set_name__ may change the class. */
    Value items = dict_items_list(type_dict(t));
    if (!items)
        return -1;
    int r = 0;
    for (intptr_t i = 0; r == 0 && i < list_len(items); i++) {
        Value pair = list_get(items, i);
        if (!pair)
            break;
        Value name = tuple_get(pair, 0), v = tuple_get(pair, 1);
        Value set = type_lookup(type_of(v), ID("__set_name__"));
        if (set) {
            Value bound = descr_get(set, v, type_of(v));
            Value res = bound ? obj_call2(bound, V_OF(t), name) : ABSENT;
            release(bound);
            release(set);
            if (!res) {
                Value cause = err_fetch();
                Value tn = type_name(t);
                err_set(&exc_RuntimeError, "Error calling __set_name__ on '%T' instance %R in '%S'", v, name, tn);
                release(tn);
                Value e = err_fetch();
                if (e && cause) {
                    Value args[] = {cause};
                    (void)args;
                    obj_setattr(e, ID("__cause__"), cause);
                    obj_setattr(e, ID("__context__"), cause);
                }
                release(cause);
                err_restore(e);
                r = -1;
            }
            release(res);
        }
        release(pair);
    }
    release(items);
    return r;
}

static int call_init_subclass(Type *t, Value *kwvalues, Value kwnames) {
    Value mro = type_mro(t), f = ABSENT;
    for (intptr_t i = 1; mro && i < tuple_len(mro) && !f; i++) {
        f = dict_get(type_dict((Type *)tuple_get(mro, i)), ID("__init_subclass__"));
        if (!f && err_pending())
            return -1;
    }
    intptr_t nk = kwnames ? tuple_len(kwnames) : 0;
    if (!f || (nk == 0 && v_is_exact(f, IDX_CLASSMETHOD_DESCR))) { /* object's own */
        release(f);
        return 0;
    }
    Value bound = descr_get(f, V_OF(t), type_of(V_OF(t)));
    if (v_is_exact(f, IDX_CLASSMETHOD) || v_is_exact(f, IDX_CLASSMETHOD_DESCR)) {
        release(bound);
        bound = descr_get(f, V_NONE, t);
    }
    release(f);
    Value res = bound ? obj_call(bound, kwvalues, 0, nk ? kwnames : ABSENT) : ABSENT;
    release(bound);
    release(res);
    return res ? 0 : -1;
}

/* ---- type(name, bases, dict) ---- */

static int fill_dict(Type *t, Value dict, Type *base, const SlotsPlan *plan) {
    if (!dict_contains(dict, ID("__module__"))) {
        Value g = current_globals();
        Value m = g ? dict_get(g, ID("__name__")) : ABSENT;
        int r = m ? dict_set(dict, ID("__module__"), m) : 0;
        release(m);
        if (r < 0)
            return -1;
    }
    Value qn = dict_get(dict, ID("__qualname__"));
    if (qn) {
        if (!v_is_str(qn)) {
            err_set(&exc_TypeError, "type __qualname__ must be a str, not %T", qn);
            release(qn);
            return -1;
        }
        ref_store(V_OF(t), &t->qualname, qn);
        if (dict_del(dict, ID("__qualname__")) < 0)
            return -1;
    }
    if (!dict_contains(dict, ID("__doc__")) && dict_set(dict, ID("__doc__"), V_NONE) < 0)
        return -1;
    if (wrap_implicit(dict, ID("__new__"), true) < 0 || wrap_implicit(dict, ID("__init_subclass__"), false) < 0 ||
        wrap_implicit(dict, ID("__class_getitem__"), false) < 0)
        return -1;
    if (dict_contains(dict, special_name(SP_EQ)) && !dict_contains(dict, special_name(SP_HASH)) &&
        dict_set(dict, special_name(SP_HASH), V_NONE) < 0)
        return -1;
    if (plan->dict && add_getset(dict, &type_dict_getset, t) < 0)
        return -1;
    if (plan->weakref && add_getset(dict, &type_weakref_getset, t) < 0)
        return -1;
    for (const MemberDef *m = t->slot_members; m && m->name; m++) {
        Value md = member_new(m, t);
        Value name = str_from_c(m->name);
        if (name)
            name = str_intern(name);
        int r = md && name ? dict_set(dict, name, md) : -1;
        release(md);
        release(name);
        if (r < 0)
            return -1;
    }
    (void)base;
    return err_pending() ? -1 : 0;
}

static int lay_out(Type *t, Type *base, SlotsPlan *plan, uint32_t hint) {
    t->base = base;
    enum {
        KEEP = TF_INT | TF_STR | TF_BYTES | TF_LIST | TF_TUPLE | TF_DICT | TF_TYPE | TF_EXC | TF_SET | TF_FLOAT |
               TF_FROZENSET | TF_WEAKREF | TF_HAS_DICT | TF_DICT_MODE | TF_TAIL_ATTRS
    };
    t->flags = (base->flags & KEEP) | TF_HEAP | TF_BASETYPE | (plan->dict ? TF_HAS_DICT : 0) |
               (plan->weakref ? TF_WEAKREF : 0);
    t->ops = base->ops;
    t->basic_size = base->basic_size;
    intptr_t n = plan->names ? list_len(plan->names) : 0;
    if (n > 0) {
        MemberDef *defs = calloc((size_t)n + 1, sizeof *defs);
        if (!defs) {
            err_no_memory();
            return -1;
        }
        t->slot_members = defs;
        for (intptr_t i = 0; i < n; i++) {
            Value name = list_get(plan->names, i);
            const char *s = str_utf8(name, NULL);
            defs[i].name = s ? strdup(s) : NULL;
            defs[i].kind = MK_REF;
            defs[i].offset = t->basic_size;
            t->basic_size += 8;
            release(name);
            if (!defs[i].name) {
                if (!err_pending())
                    err_no_memory();
                return -1;
            }
        }
    }
    bool var = base->flags & (TF_INT | TF_STR | TF_BYTES | TF_TUPLE);
    if (t->flags & TF_HAS_DICT && var) {
        t->flags |= TF_TAIL_ATTRS | TF_DICT_MODE;
        t->slots_offset = 0;
        t->inline_slots = 0;
    } else if (t->flags & TF_HAS_DICT) {
        t->slots_offset = (uint16_t)t->basic_size;
        t->self_slots = (uint16_t)MIN(base->self_slots + hint, (uint32_t)SHAPE_MAX_INLINE);
        t->inline_slots = t->flags & TF_DICT_MODE ? 0 : t->self_slots ? t->self_slots : SHAPE_DEFAULT_INLINE;
    }
    t->root = shape_new_root(t, t->ops, t->flags & TF_DICT_MODE ? SF_DICT_MODE : 0);
    return 0;
}

bool type_name_valid(Value name) {
    size_t n;
    const char *text = str_utf8(name, &n);
    if (!text)
        return false;
    if (strlen(text) != n)
        err_set(&exc_ValueError, "type name must not contain null characters");
    return strlen(text) == n;
}

Value type_new(Type *meta, Value name, Value bases, Value ns, Value *kwvalues, Value kwnames) {
    uint32_t hint = type_slots_hint;
    type_slots_hint = 0;
    Value own_bases = tuple_len(bases) ? retained(bases) : tuple_pack(1, V_OF(&object_type));
    SlotsPlan plan = {0};
    Value result = ABSENT, dict = ABSENT, cell = ABSENT, tv = ABSENT;
    if (!own_bases)
        goto out;
    Type *base = type_best_base(own_bases);
    if (!base)
        goto out;
    if (!type_name_valid(name))
        goto out;
    dict = dict_copy(ns);
    if (!dict || plan_slots(&plan, base, dict, name, own_bases) < 0)
        goto out;
    for (intptr_t i = 0; i < tuple_len(own_bases); i++) { /* inherited from any base */
        Type *b = (Type *)tuple_get(own_bases, i);
        if (!plan.given && b->flags & TF_HAS_DICT && !(base->flags & TF_HAS_DICT))
            plan.dict = true;
    }
    tv = obj_new(meta);
    if (!tv)
        goto out;
    count_set_uncounted(v_obj(tv));
    Type *t = (Type *)tv;
    ref_init(&t->name, retained(name));
    ref_init(&t->qualname, retained(name));
    if (v_is_obj(own_bases))
        count_set_uncounted(v_obj(own_bases));
    ref_init(&t->bases, retained(own_bases));
    count_set_uncounted(v_obj(dict));
    ref_init(&t->dict, retained(dict));
    if (lay_out(t, base, &plan, hint) < 0 || fill_dict(t, dict, base, &plan) < 0)
        goto out;
    cell = dict_get(dict, ID("__classcell__"));
    if (cell) {
        if (!v_is_exact(cell, IDX_CELL)) {
            err_set(&exc_TypeError, "__classcell__ must be a nonlocal cell, not <class '%T'>", cell);
            goto out;
        }
        cell_set(cell, tv);
        if (dict_del(dict, ID("__classcell__")) < 0)
            goto out;
    }
    trace_track(v_obj(tv));
    Value mro = type_compute_mro(t);
    if (!mro)
        goto out;
    publish_into(tv, mro);
    ref_init(&t->mro, mro);
    /* Pattern matching's flags come from any base. */
    for (intptr_t i = 1; i < tuple_len(mro); i++) {
        uint32_t f = ((Type *)tuple_get(mro, i))->flags & (TF_SEQUENCE | TF_MAPPING);
        if (f && !(t->flags & (TF_SEQUENCE | TF_MAPPING)))
            t->flags |= f;
    }
    Value k, v;
    for (intptr_t pos = 0; dict_next(dict, &pos, &k, &v);) {
        type_share_value(v);
        release(k);
        release(v);
    }
    type_compute_specials(t);
    publish(tv); /* its bases list it */
    if (type_add_to_bases(t) < 0)
        goto out;
    type_modified(t);
    if (call_set_names(t) < 0 || call_init_subclass(t, kwvalues, kwnames) < 0)
        goto out;
    result = retained(tv);
out:
    release(own_bases);
    release(plan.names);
    release(dict);
    release(cell);
    release(tv);
    return result;
}

/* ---- __bases__ = ... ---- */

typedef struct MroUndo {
    Type *t;
    Value old, new;
} MroUndo;

static int collect_mros(Type *t, MroUndo *undo, size_t *n, size_t cap) {
    if (*n == cap) {
        err_no_memory();
        return -1;
    }
    Value before = type_mro(t), mro = type_compute_mro(t);
    if (!mro)
        return -1;
    if (type_mro(t) !=
        before) /* an mro() has set this class's bases: what it led to stays, with what it did for the subclasses */
        return 0;
    undo[*n] = (MroUndo){t, before, mro};
    ++*n;
    publish_into(V_OF(t), mro);
    STORE_RELEASE(&t->mro, mro);
    Value subs = type_subclasses(t);
    if (!subs)
        return -1;
    int r = 0;
    for (intptr_t i = 0; i < list_len(subs) && r == 0; i++) {
        Value sub = list_get(subs, i);
        r = collect_mros((Type *)sub, undo, n, cap);
        release(sub);
    }
    release(subs);
    return r;
}

/* True when a class is met on the line of bases: what an MRO that is not set anew yet does not show. */
static bool on_base_line(const Type *from, const Type *t) {
    while (from && from != t)
        from = from->base;
    return from != NULL;
}

int type_set_bases(Type *t, Value bases) {
    if (!v_is_tuple(bases)) {
        err_set(&exc_TypeError, "can only assign tuple to %s.__bases__, not %T", type_cname(t), bases);
        return -1;
    }
    if (tuple_len(bases) == 0) {
        err_set(&exc_TypeError, "can only assign non-empty tuple to %s.__bases__, not ()", type_cname(t));
        return -1;
    }
    for (intptr_t i = 0; i < tuple_len(bases); i++) {
        Value b = tuple_get(bases, i);
        if (!v_is_type(b)) {
            err_set(&exc_TypeError, "%s.__bases__ must be tuple of classes, not '%T'", type_cname(t), b);
            return -1;
        }
        if (type_is_subtype((Type *)b, t) || (type_mro(t) && on_base_line((Type *)b, t))) {
            err_set(&exc_TypeError, "a __bases__ item causes an inheritance cycle");
            return -1;
        }
    }
    Type *base = type_best_base(bases);
    if (!base)
        return -1;
    if (base->basic_size != t->base->basic_size || base->slots_offset != t->base->slots_offset ||
        solid_base(base) != solid_base(t->base)) {
        err_set(&exc_TypeError, "__bases__ assignment: '%s' object layout differs from '%s'", type_cname(base),
                type_cname(t->base));
        return -1;
    }
    enum { MAX = 4096 };
    MroUndo *undo = malloc(MAX * sizeof *undo);
    if (!undo) {
        err_no_memory();
        return -1;
    }
    Value old_bases = type_bases(t);
    Type *old_base = t->base;
    size_t n = 0;
    if (v_is_obj(bases))
        count_set_uncounted(v_obj(bases));
    publish_into(V_OF(t), bases);
    STORE_RELEASE(&t->bases, retained(bases));
    t->base = base;
    /* A metaclass with an mro() of its own runs Python code here, so the world runs; lookups meanwhile see one MRO or
     * the other. That code may set the bases of these classes too: the last one to come here has its way. */
    int r = collect_mros(t, undo, &n, MAX);
    if (r < 0) {
        while (n > 0) {
            n--;
            if (type_mro(undo[n].t) == undo[n].new)
                STORE_RELEASE(&undo[n].t->mro, undo[n].old);
        }
        if (type_bases(t) == bases) {
            STORE_RELEASE(&t->bases, old_bases);
            t->base = old_base;
        }
    } else {
        if (type_bases(t) == bases) {
            type_remove_from(t, old_bases);
            r = type_add_to_bases(t);
        }
        excl_stop_world();
        type_tree_recompute(t);
        if (type_clear_caches)
            type_clear_caches();
        excl_start_world();
        type_modified(t);
    }
    free(undo);
    return r;
}

/* ---- end of a class ---- */

void type_clear(Value self) {
    Type *t = (Type *)self;
    if (!(t->flags & TF_HEAP))
        return;
    type_remove_from_bases(t);
    ref_clear(self, &t->name);
    ref_clear(self, &t->qualname);
    ref_clear(self, &t->bases);
    ref_clear(self, &t->mro);
    ref_clear(self, &t->dict);
    for (int i = 0; i < SP_COUNT; i++)
        STORE_RELAXED(&t->special[i], ABSENT);
}

void type_fini(Value self) {
    Type *t = (Type *)self;
    if (!(t->flags & TF_HEAP))
        return;
    shape_tree_free(t->root);
    Shape *dm = LOAD_RELAXED(&t->dict_shape);
    if (dm && dm != t->root)
        shape_tree_free(dm);
    for (const MemberDef *m = t->slot_members; m && m->name; m++)
        free((char *)m->name);
    free((void *)t->slot_members);
    free(t->subclasses);
    t->slot_members = NULL;
    t->subclasses = NULL;
}

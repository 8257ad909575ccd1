/* _functools: reduce, partial, cmp_to_key, and the wrapper behind lru_cache. */
#include "object/dict.h"
#include "object/int.h"
#include "object/iter_impl.h"
#include "object/list.h"
#include "object/module.h"
#include "object/refs.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "tracer.h"

Value method_new(Value func, Value self); /* interp/method.c */

/* ---- reduce ---- */

static Value f_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value f = args[0], it = obj_iter(args[1]), acc = arg_at(args, nargs, 2), v;
    if (it == ABSENT) {
        if (err_matches(&exc_TypeError))
            err_set(&exc_TypeError, "reduce() arg 2 must support iteration");
        return ABSENT;
    }
    if (acc != ABSENT) {
        retain(acc);
    } else if ((acc = iter_pull(it)) == ABSENT) {
        release(it);
        return err_pending() ? ABSENT : err_set(&exc_TypeError, "reduce() of empty iterable with no initial value");
    }
    while ((v = iter_pull(it)) != ABSENT) {
        Value next = obj_call2(f, acc, v);
        release(acc);
        release(v);
        if ((acc = next) == ABSENT)
            break;
    }
    release(it);
    if (!err_pending())
        return acc;
    release(acc);
    return ABSENT;
}

/* ---- partial ---- */

typedef struct Partial {
    Object hdr;
    Ref func, args, kw; /* kw: a dict. All three are replaced by __setstate__ only */
} Partial;
static Partial *P(Value v) {
    return (Partial *)v;
}
static Type partial_type;

static Value p_field(Value p, Ref *r) {
    return ref_read(p, r);
}

/* A new dict of base and the keywords of a call. */
static Value merged_keywords(Value base, Value *args, intptr_t nargs, Value kw) {
    Value d = base == ABSENT ? dict_new() : dict_copy(base);
    for (intptr_t i = 0, n = kw == ABSENT ? 0 : tuple_len(kw); d != ABSENT && i < n; i++)
        if (dict_set(d, tuple_get(kw, i), args[nargs + i]) < 0) {
            release(d);
            return ABSENT;
        }
    return d;
}

static Value partial_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    if (nargs < 1)
        return err_set(&exc_TypeError, "type 'partial' takes at least one argument");
    Value func = args[0], inner_args = ABSENT, inner_kw = ABSENT;
    if (!v_is_callable(func))
        return err_set(&exc_TypeError, "the first argument must be callable");
    retain(func);
    if (type_of(func) == &partial_type && (Type *)cls == &partial_type && !attrs_have_any(func)) {
        Value p = func;
        inner_args = p_field(p, &P(p)->args);
        inner_kw = p_field(p, &P(p)->kw);
        func = p_field(p, &P(p)->func);
        release(p);
    }
    Value own = tuple_from(args + 1, nargs - 1), all = own;
    if (inner_args != ABSENT && own != ABSENT) {
        all = tuple_concat(inner_args, own);
        release(own);
    }
    Value d = all == ABSENT ? ABSENT : merged_keywords(inner_kw, args, nargs, kw),
          p = d == ABSENT ? ABSENT : obj_new((Type *)cls);
    release(inner_args);
    release(inner_kw);
    if (p == ABSENT) {
        release(func);
        release(all);
        release(d);
        return ABSENT;
    }
    ref_init(&P(p)->func, func);
    ref_init(&P(p)->args, all);
    ref_init(&P(p)->kw, d);
    trace_track(v_obj(p));
    return p;
}

static Value partial_call(Value self, Value *args, intptr_t nargs, Value kw) {
    Value func = p_field(self, &P(self)->func), given = p_field(self, &P(self)->args), d = p_field(self, &P(self)->kw),
          r = ABSENT;
    intptr_t n = tuple_len(given), n_kw = kw == ABSENT ? 0 : tuple_len(kw), total = n + nargs + n_kw;
    Value few[16], scratch = ABSENT, *all = few;
    if (dict_len(d)) {
        Value t = tuple_new(n + nargs), merged = t == ABSENT ? ABSENT : merged_keywords(d, args, nargs, kw);
        if (merged != ABSENT) {
            for (intptr_t i = 0; i < n + nargs; i++)
                tuple_init_item(t, i, retained(i < n ? tuple_get(given, i) : args[i - n]));
            if (n + nargs)
                tuple_track(t);
            r = obj_call_tuple_dict(func, t, merged);
        }
        release(t);
        release(merged);
    } else {
        if (total > (intptr_t)ARRAY_LEN(few)) {
            if ((scratch = scratch_new(total)) == ABSENT)
                goto done;
            all = tuple_items(scratch);
        }
        /* Borrowed: the tuple and the caller keep them alive. */
        memcpy(all, tuple_items(given), (size_t)n * sizeof(Value));
        memcpy(all + n, args, (size_t)(nargs + n_kw) * sizeof(Value));
        r = obj_call(func, all, n + nargs, kw);
        if (scratch != ABSENT) {
            memset(all, 0, (size_t)total * sizeof(Value));
            release(scratch);
        }
    }
done:
    release(func);
    release(given);
    release(d);
    return r;
}

static Value partial_repr(Value self, Value *args, intptr_t nargs, Value kw) {
    int r = repr_enter(self);
    if (r)
        return r < 0 ? ABSENT : str_from_c("...");
    Value func = p_field(self, &P(self)->func), given = p_field(self, &P(self)->args), d = p_field(self, &P(self)->kw),
          key, v, s;
    StrBuilder sb;
    sb_init(&sb);
    s = str_format_c("%s(%R", type_of(self) == &partial_type ? "functools.partial" : type_cname(type_of(self)), func);
    if (s != ABSENT)
        sb_str(&sb, s);
    release(s);
    for (intptr_t i = 0; !err_pending() && i < tuple_len(given); i++) {
        s = str_format_c(", %R", tuple_get(given, i));
        if (s != ABSENT)
            sb_str(&sb, s);
        release(s);
    }
    intptr_t pos = 0;
    while (!err_pending() && dict_next(d, &pos, &key, &v)) {
        s = str_format_c(", %S=%R", key, v);
        if (s != ABSENT)
            sb_str(&sb, s);
        release(s);
        release(key);
        release(v);
    }
    sb_char(&sb, ')');
    release(func);
    release(given);
    release(d);
    repr_leave(self);
    if (!err_pending())
        return sb_finish(&sb);
    sb_free(&sb);
    return ABSENT;
}

static Value partial_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    Value func = p_field(self, &P(self)->func), given = p_field(self, &P(self)->args), d = p_field(self, &P(self)->kw),
          r = ABSENT;
    Value attrs = attrs_have_any(self) ? attrs_dict(self) : V_NONE, one = tuple_pack(1, func);
    Value state = attrs == ABSENT ? ABSENT : tuple_pack(4, func, given, d, attrs);
    if (state != ABSENT && one != ABSENT)
        r = tuple_pack(3, V_OF(type_of(self)), one, state);
    release(func);
    release(given);
    release(d);
    release(attrs);
    release(one);
    release(state);
    return r;
}
static Value partial_setstate(Value self, Value *args, intptr_t nargs, Value kw) {
    Value s = args[0];
    if (!v_is_tuple(s) || tuple_len(s) != 4)
        return err_set(&exc_TypeError, "invalid partial state");
    Value func = tuple_get(s, 0), given = tuple_get(s, 1), d = tuple_get(s, 2), attrs = tuple_get(s, 3);
    if (!v_is_callable(func) || !v_is_tuple(given) || (!v_is_none(d) && !v_is_dict(d)))
        return err_set(&exc_TypeError, "invalid partial state");
    given = seq_to_tuple(given);
    d = v_is_none(d) ? dict_new() : v_is_dict_exact(d) ? retained(d) : dict_copy(d);
    if (given == ABSENT || d == ABSENT) {
        release(given);
        release(d);
        return ABSENT;
    }
    excl_leaf_lock(self);
    Value old[3] = {ref_swap(self, &P(self)->func, retained(func)), ref_swap(self, &P(self)->args, given),
                    ref_swap(self, &P(self)->kw, d)};
    excl_leaf_unlock(self);
    for (int i = 0; i < 3; i++)
        release(old[i]);
    Value fresh = v_is_dict(attrs) ? retained(attrs) : attrs_have_any(self) ? dict_new() : ABSENT;
    int r = fresh == ABSENT ? err_pending() ? -1 : 0 : attrs_set_dict(self, fresh);
    release(fresh);
    if (r < 0)
        return ABSENT;
    return V_NONE;
}
static void partial_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&P(self)->func), arg);
    visit(ref_peek(&P(self)->args), arg);
    visit(ref_peek(&P(self)->kw), arg);
}
static void partial_clear(Value self) {
    ref_clear(self, &P(self)->func);
    ref_clear(self, &P(self)->args);
    ref_clear(self, &P(self)->kw);
}
static const TypeOps partial_ops = {partial_traverse, partial_clear, NULL};
static const NativeDef partial_methods[] = {
    {"__new__", partial_new, "($type, /, *args, **kwargs)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__call__", partial_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__repr__", partial_repr, "($self, /)", 0, "Return repr(self)."},
    {"__reduce__", partial_reduce, "($self, /)", 0, NULL},
    {"__setstate__", partial_setstate, "($self, state, /)", 0, NULL},
    CLASS_GETITEM_DEF,
    {NULL},
};
static const MemberDef partial_members[] = {
    {"func", MK_REF | MK_READONLY, offsetof(Partial, func), "function object to use in future partial calls"},
    {"args", MK_REF | MK_READONLY, offsetof(Partial, args), "tuple of arguments to future partial calls"},
    {"keywords", MK_REF | MK_READONLY, offsetof(Partial, kw),
     "dictionary of keyword arguments to future partial calls"},
    {NULL},
};
static const GetSetDef dict_getset[] = {INSTANCE_DICT_DEF, {NULL}};

/* ---- cmp_to_key ---- */

typedef struct KeyObject {
    Object hdr;
    Ref cmp, object; /* object ABSENT: the maker of keys itself */
} KeyObject;
static KeyObject *K(Value v) {
    return (KeyObject *)v;
}
static Type key_type;

static Value key_new(Value cmp, Value object) {
    Value k = obj_new(&key_type);
    if (k == ABSENT)
        return ABSENT;
    ref_init(&K(k)->cmp, retained(cmp));
    ref_init(&K(k)->object, retained(object));
    trace_track(v_obj(k));
    return k;
}
static Value f_cmp_to_key(Value self, Value *args, intptr_t nargs, Value kw) {
    return key_new(args[0], ABSENT);
}
static Value key_call(Value self, Value *args, intptr_t nargs, Value kw) {
    return key_new(ref_peek(&K(self)->cmp), args[0]);
}
static Value compare(Value a, Value b, int op) {
    if (type_of(b) != &key_type)
        return err_set(&exc_TypeError, "other argument must be K instance");
    Value x = ref_read(a, &K(a)->object), y = ref_read(b, &K(b)->object), r = ABSENT;
    if (x == ABSENT || y == ABSENT) {
        err_set(&exc_AttributeError, "object");
    } else {
        Value c = obj_call2(ref_peek(&K(a)->cmp), x, y);
        if (c != ABSENT)
            r = obj_compare(c, v_from_int(0), op);
        release(c);
    }
    release(x);
    release(y);
    return r;
}
COMPARE_NATIVES(key, compare)
static void key_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&K(self)->cmp), arg);
    visit(ref_peek(&K(self)->object), arg);
}
static void key_clear(Value self) {
    ref_clear(self, &K(self)->cmp);
    ref_clear(self, &K(self)->object);
}
static const TypeOps key_ops = {key_traverse, key_clear, NULL};
static const NativeDef key_methods[] = {
    {"__call__", key_call, "($self, /, obj)", 0, "Call self as a function."}, COMPARE_DEFS(key), {NULL}};
static const MemberDef key_members[] = {
    {"obj", MK_REF_NONE, offsetof(KeyObject, object), "Value wrapped by a key function."}, {NULL}};

/* ---- _lru_cache_wrapper ----
 *
 * A dict from keys to links; links form a ring, least recently used first. The ring owns its links, and is changed
 * under the wrapper's lock; the dict has its own. A link can be in one of the two only, for a moment. Calls of the
 * function run outside of both. */

typedef struct Link {
    Object hdr;
    struct Link *prev, *next; /* NULL: not in the ring */
    int64_t hash;
    Ref key, result;
} Link;
typedef struct LruCache {
    Object hdr;
    Ref func, cache, info_type;
    struct Link ring; /* never an object: only prev and next are used */
    intptr_t maxsize; /* -1: unbounded */
    bool typed;
    _Atomic(intptr_t) hits, misses;
} LruCache;
static LruCache *C(Value v) {
    return (LruCache *)v;
}
static Link *LK(Value v) {
    return (Link *)v;
}
static Type lru_type, link_type;
static Ref keyword_mark; /* an object that is in no other key; a registered root */

static void link_traverse(Value self, VisitFn visit, void *arg) {
    visit(ref_peek(&LK(self)->key), arg);
    visit(ref_peek(&LK(self)->result), arg);
}
static void link_clear(Value self) {
    ref_clear(self, &LK(self)->key);
    ref_clear(self, &LK(self)->result);
}
static const TypeOps link_ops = {link_traverse, link_clear, NULL};

/* Under the lock. */
static void unlink(Link *l) {
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}
static void link_last(LruCache *c, Link *l) {
    l->prev = c->ring.prev;
    l->next = &c->ring;
    l->prev->next = l;
    c->ring.prev = l;
}
/* Takes the least recently used link out of the ring: owned, or ABSENT. */
static Value take_oldest(Value self) {
    excl_leaf_lock(self);
    Link *l = C(self)->ring.next;
    if (l == &C(self)->ring)
        l = NULL;
    else
        unlink(l);
    excl_leaf_unlock(self);
    return l ? V_OF(l) : ABSENT;
}

static Value make_key(LruCache *c, Value *args, intptr_t nargs, Value kw) {
    intptr_t n_kw = kw == ABSENT ? 0 : tuple_len(kw);
    if (!c->typed && n_kw == 0 && nargs == 1 &&
        (v_is_exact(args[0], IDX_STR) || v_is_int(args[0]) || v_is_exact(args[0], IDX_INT)))
        return retained(args[0]);
    Value t = tuple_new(nargs + (n_kw ? 1 + 2 * n_kw : 0) + (c->typed ? nargs + n_kw : 0));
    if (t == ABSENT)
        return ABSENT;
    intptr_t at = 0;
    for (intptr_t i = 0; i < nargs; i++)
        tuple_init_item(t, at++, retained(args[i]));
    if (n_kw)
        tuple_init_item(t, at++, retained(ref_peek(&keyword_mark)));
    for (intptr_t i = 0; i < n_kw; i++) {
        tuple_init_item(t, at++, retained(tuple_get(kw, i)));
        tuple_init_item(t, at++, retained(args[nargs + i]));
    }
    for (intptr_t i = 0; c->typed && i < nargs + n_kw; i++)
        tuple_init_item(t, at++, retained(V_OF(type_of(args[i]))));
    if (at)
        tuple_track(t);
    return t;
}

static void count_up(_Atomic(intptr_t) *n) {
    if (EXCL_PARALLEL)
        atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
    else
        STORE_RELAXED(n, LOAD_RELAXED(n) + 1);
}

static Value call_unbounded(Value self, Value key, int64_t hash, Value *args, intptr_t nargs, Value kw) {
    LruCache *c = C(self);
    Value cache = ref_peek(&c->cache), v = dict_get_hashed(cache, key, hash);
    if (v != ABSENT) {
        count_up(&c->hits);
        return v;
    }
    if (err_pending())
        return ABSENT;
    count_up(&c->misses);
    v = obj_call(ref_peek(&c->func), args, nargs, kw);
    if (v != ABSENT && dict_set_hashed(cache, key, hash, v) < 0) {
        release(v);
        return ABSENT;
    }
    return v;
}

static Value call_bounded(Value self, Value key, int64_t hash, Value *args, intptr_t nargs, Value kw) {
    LruCache *c = C(self);
    Value cache = ref_peek(&c->cache), l = dict_get_hashed(cache, key, hash), v;
    if (l != ABSENT) {
        excl_leaf_lock(self);
        if (LK(l)->next) {
            unlink(LK(l));
            link_last(c, LK(l));
        }
        excl_leaf_unlock(self);
        v = retained(ref_peek(&LK(l)->result)); /* set before the link was published, never changed */
        release(l);
        count_up(&c->hits);
        return v;
    }
    if (err_pending())
        return ABSENT;
    count_up(&c->misses);
    v = obj_call(ref_peek(&c->func), args, nargs, kw);
    if (v == ABSENT)
        return ABSENT;
    l = obj_new(&link_type);
    if (l == ABSENT)
        goto fail;
    LK(l)->hash = hash;
    ref_init(&LK(l)->key, retained(key));
    ref_init(&LK(l)->result, retained(v));
    trace_track(v_obj(l));
    Value there = dict_setdefault_hashed(cache, key, hash, l);
    if (there == ABSENT)
        goto fail;
    if (there == l) {
        excl_leaf_lock(self);
        retain(l);
        link_last(c, LK(l));
        excl_leaf_unlock(self);
    }
    release(there);
    release(l);
    while (dict_len(cache) > c->maxsize) {
        Value old = take_oldest(self);
        if (old == ABSENT)
            break;
        int r = dict_del_if_hashed(cache, ref_peek(&LK(old)->key), LK(old)->hash, old);
        release(old);
        if (r < 0) {
            release(v);
            return ABSENT;
        }
    }
    return v;
fail:
    release(l);
    release(v);
    return ABSENT;
}

static Value lru_call(Value self, Value *args, intptr_t nargs, Value kw) {
    LruCache *c = C(self);
    if (c->maxsize == 0) {
        count_up(&c->misses);
        return obj_call(ref_peek(&c->func), args, nargs, kw);
    }
    Value key = make_key(c, args, nargs, kw);
    int64_t hash = key == ABSENT ? -1 : dict_hash_key(key);
    Value v = ABSENT;
    if (hash != -1)
        v = c->maxsize < 0 ? call_unbounded(self, key, hash, args, nargs, kw)
                           : call_bounded(self, key, hash, args, nargs, kw);
    release(key);
    return v;
}

static Value lru_new(Value cls, Value *args, intptr_t nargs, Value kw) {
    Value func = args[0], max = args[1];
    intptr_t maxsize = -1;
    int typed = obj_truth(args[2]);
    if (typed < 0)
        return ABSENT;
    if (!v_is_callable(func))
        return err_set(&exc_TypeError, "the first argument must be callable");
    if (!v_is_none(max)) {
        if (!v_is_index(max))
            return err_set(&exc_TypeError, "maxsize should be integer or None");
        if (num_as_index(max, &maxsize, &exc_OverflowError) < 0)
            return ABSENT;
        maxsize = MAX(maxsize, 0);
    }
    Value cache = dict_new(), self = cache == ABSENT ? ABSENT : obj_new((Type *)cls);
    if (self == ABSENT) {
        release(cache);
        return ABSENT;
    }
    LruCache *c = C(self);
    c->ring.prev = c->ring.next = &c->ring;
    c->maxsize = maxsize;
    c->typed = typed;
    ref_init(&c->func, retained(func));
    ref_init(&c->cache, cache);
    ref_init(&c->info_type, retained(args[3]));
    trace_track(v_obj(self));
    return self;
}
static Value lru_info(Value self, Value *args, intptr_t nargs, Value kw) {
    LruCache *c = C(self);
    Value a[4] = {v_from_int(LOAD_RELAXED(&c->hits)), v_from_int(LOAD_RELAXED(&c->misses)),
                  c->maxsize < 0 ? V_NONE : v_from_int(c->maxsize), v_from_int(dict_len(ref_peek(&c->cache)))};
    return obj_call(ref_peek(&c->info_type), a, 4, ABSENT);
}
static Value lru_clear_cache(Value self, Value *args, intptr_t nargs, Value kw) {
    Value l;
    while ((l = take_oldest(self)) != ABSENT)
        release(l);
    STORE_RELAXED(&C(self)->hits, 0);
    STORE_RELAXED(&C(self)->misses, 0);
    dict_clear(ref_peek(&C(self)->cache));
    return V_NONE;
}
static Value lru_get(Value self, Value *args, intptr_t nargs, Value kw) {
    Value o = args[0];
    return o == ABSENT || v_is_none(o) ? retained(self) : method_new(self, o);
}
static Value lru_reduce(Value self, Value *args, intptr_t nargs, Value kw) {
    return obj_getattr_str(self, "__qualname__");
}
static Value lru_same(Value self, Value *args, intptr_t nargs, Value kw) {
    return retained(self);
}

static void lru_traverse(Value self, VisitFn visit, void *arg) {
    LruCache *c = C(self);
    visit(ref_peek(&c->func), arg);
    visit(ref_peek(&c->cache), arg);
    visit(ref_peek(&c->info_type), arg);
    for (Link *l = c->ring.next; l && l != &c->ring; l = l->next)
        visit(V_OF(l), arg);
}
static void lru_clear(Value self) {
    LruCache *c = C(self);
    while (c->ring.next && c->ring.next != &c->ring) {
        Link *l = c->ring.next;
        unlink(l);
        release(V_OF(l));
    }
    ref_clear(self, &c->func);
    ref_clear(self, &c->cache);
    ref_clear(self, &c->info_type);
}
static const TypeOps lru_ops = {lru_traverse, lru_clear, NULL};
static const NativeDef lru_methods[] = {
    {"__new__", lru_new, "($type, user_function, maxsize, typed, cache_info_type)", 0,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__call__", lru_call, "($self, /, *args, **kwargs)", 0, "Call self as a function."},
    {"__get__", lru_get, "($self, instance, owner=None, /)", 0,
     "Return an attribute of instance, which is of type owner."},
    {"cache_info", lru_info, "($self, /)", 0, "Report cache statistics"},
    {"cache_clear", lru_clear_cache, "($self, /)", 0, "Clear the cache and cache statistics"},
    {"__reduce__", lru_reduce, "($self, /)", 0, NULL},
    {"__copy__", lru_same, "($self, /)", 0, NULL},
    {"__deepcopy__", lru_same, "($self, memo, /)", 0, NULL},
    {NULL},
};

/* ---- the module ---- */

static int exec(Value m) {
    static const TypeSpec partial = {.name = "functools.partial",
                                     .doc = "partial(func, *args, **keywords) - new function with partial "
                                            "application\n    of the given arguments and keywords.\n",
                                     .basic_size = sizeof(Partial),
                                     .flags = TF_BASETYPE | TF_IMMUTABLE | TF_HAS_DICT | TF_WEAKREF,
                                     .ops = &partial_ops,
                                     .methods = partial_methods,
                                     .members = partial_members,
                                     .getsets = dict_getset};
    static const TypeSpec key = {.name = "functools.KeyWrapper",
                                 .basic_size = sizeof(KeyObject),
                                 .flags = TF_IMMUTABLE | TF_NO_NEW,
                                 .ops = &key_ops,
                                 .methods = key_methods,
                                 .members = key_members};
    static const TypeSpec lru = {.name = "functools._lru_cache_wrapper",
                                 .doc = "Create a cached callable that wraps another function.\n\nuser_function:      "
                                        "the function being cached\n\nmaxsize:  0         for no caching\n"
                                        "          None      for unlimited cache size\n          n         for a "
                                        "bounded cache\n\ntyped:    False     cache f(3) and f(3.0) as identical "
                                        "calls\n          True      cache f(3) and f(3.0) as distinct "
                                        "calls\n\ncache_info_type:    namedtuple class with the fields:\n"
                                        "                        hits misses currsize maxsize\n",
                                 .basic_size = sizeof(LruCache),
                                 .flags = TF_BASETYPE | TF_IMMUTABLE | TF_HAS_DICT | TF_WEAKREF,
                                 .ops = &lru_ops,
                                 .methods = lru_methods,
                                 .getsets = dict_getset};
    static const TypeSpec link = {.name = "functools._lru_list_elem",
                                  .basic_size = sizeof(Link),
                                  .flags = TF_IMMUTABLE | TF_NO_NEW,
                                  .ops = &link_ops};
    type_init_module_type(&partial_type, &partial);
    type_init_module_type(&key_type, &key);
    type_init_module_type(&lru_type, &lru);
    type_init_module_type(&link_type, &link);
    if (ref_peek(&keyword_mark) == ABSENT) {
        Value mark = obj_new(&object_type);
        if (mark == ABSENT)
            return -1;
        ref_init_global(&keyword_mark, mark);
        handle_register(&keyword_mark);
    }
    return module_add_type(m, &partial_type) < 0 ? -1 : module_add_type(m, &lru_type);
}

static const NativeDef functions[] = {
    {"reduce", f_reduce, "($module, function, iterable, initial=<unrepresentable>, /)", 0,
     "reduce(function, iterable[, initial], /) -> value\n\nApply a function of two arguments cumulatively to the items "
     "of an iterable, from left to right.\n\n"
     "This effectively reduces the iterable to a single value.  If initial is present,\nit is placed before the items "
     "of the iterable in the calculation, and "
     "serves as\na default when the iterable is empty.\n\nFor example, reduce(lambda x, y: x+y, [1, 2, 3, 4, "
     "5])\ncalculates ((((1 + 2) + 3) + 4) + 5)."},
    {"cmp_to_key", f_cmp_to_key, "($module, /, mycmp)", 0, "Convert a cmp= function into a key= function."},
    {NULL},
};

const ModuleSpec module__functools = {"_functools", "Tools that operate on functions.", functions, exec};

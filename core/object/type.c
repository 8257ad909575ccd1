/* Types: static ones, lookup along the MRO, versions and the method cache, special[].
 *
 * Invariants:
 *   - A class's dict object is never replaced. MRO and bases change in a stopped world only, and old tuples are
 * uncounted, so all three are read borrowed without a lock.
 *   - Writers change the dict first, then the version: whoever cached an old answer did so under a version nobody has
 * any more.
 *   - special[] changes in a stopped world once other threads run.
 */
#include "object/type_impl.h"

#include "base/seqword.h"
#include "heap.h"
#include "mutex.h"
#include "object/dict.h"
#include "object/list.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"
#include "tracer.h"

/* ---- names of special methods ---- */

static Value sp_names[SP_COUNT];
enum { SP_TABLE = 512 };
static struct {
    Value name;
    int sp;
} sp_table[SP_TABLE];

static size_t sp_hash(Value name) {
    return (size_t)((name >> 3) * 0x9e3779b97f4a7c15ull >> 40) % SP_TABLE;
}

static void special_names_init(void) {
    static const char *const text[SP_COUNT] = {
#define SPECIAL_TEXT(id, name) [SP_##id] = name,
        SPECIAL_METHODS(SPECIAL_TEXT)
#undef SPECIAL_TEXT
    };
    for (int i = 0; i < SP_COUNT; i++) {
        sp_names[i] = str_intern_static(text[i]);
        size_t h = sp_hash(sp_names[i]);
        while (sp_table[h].name)
            h = (h + 1) % SP_TABLE;
        sp_table[h].name = sp_names[i];
        sp_table[h].sp = i;
    }
}
Value special_name(int sp) {
    return sp_names[sp];
}
int special_index(Value name) {
    for (size_t h = sp_hash(name); sp_table[h].name; h = (h + 1) % SP_TABLE)
        if (sp_table[h].name == name)
            return sp_table[h].sp;
    return -1;
}

/* ---- versions and the method cache ---- */

static _Atomic(uint32_t) version_counter = 1;
/* Subclass lists. Held for a few pointer operations, or a walk over a class tree that only stores versions. */
static Mutex type_mutex = MUTEX_INIT(RANK_TYPE);

static uint32_t version_next(void) {
    uint32_t v = LOAD_RELAXED(&version_counter);
    do {
        if (v == UINT32_MAX)
            return 0; /* spent: no caching any more */
    } while (!atomic_compare_exchange_weak_explicit(&version_counter, &v, v + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    return v + 1;
}

typedef struct SubList {
    size_t n, cap;
    Type *items[]; /* weak: types_prune drops the dead before anyone can meet them */
} SubList;

static int sublist_add(Type *base, Type *t) {
    mutex_lock(&type_mutex);
    SubList *l = base->subclasses;
    int r = 0;
    if (!l || l->n == l->cap) {
        size_t cap = l ? l->cap * 2 : 4;
        SubList *n = realloc(l, sizeof *n + cap * sizeof(Type *));
        if (n) {
            if (!l)
                n->n = 0;
            n->cap = cap;
            base->subclasses = l = n;
        } else
            r = -1;
    }
    if (r == 0)
        l->items[l->n++] = t;
    mutex_unlock(&type_mutex);
    if (r < 0)
        err_no_memory();
    return r;
}

static void sublist_remove(Type *base, Type *t) {
    mutex_lock(&type_mutex);
    SubList *l = base->subclasses;
    for (size_t i = 0; l && i < l->n; i++)
        if (l->items[i] == t) {
            memmove((void *)&l->items[i], (void *)&l->items[i + 1], (l->n - i - 1) * sizeof(Type *));
            l->n--;
            break;
        }
    mutex_unlock(&type_mutex);
}

int type_add_to_bases(Type *t) {
    Value bases = type_bases(t);
    for (intptr_t i = 0; i < tuple_len(bases); i++)
        if (sublist_add((Type *)tuple_get(bases, i), t) < 0)
            return -1;
    return 0;
}
void type_remove_from(Type *t, Value bases) {
    for (intptr_t i = 0; bases && i < tuple_len(bases); i++)
        if (v_is_type(tuple_get(bases, i)))
            sublist_remove((Type *)tuple_get(bases, i), t);
}
void type_remove_from_bases(Type *t) {
    type_remove_from(t, type_bases(t));
}

Value type_subclasses(Type *t) {
    for (;;) {
        mutex_lock(&type_mutex);
        SubList *l = t->subclasses;
        size_t n = l ? l->n : 0;
        mutex_unlock(&type_mutex);
        Value r = list_new((intptr_t)n);
        if (!r)
            return ABSENT;
        Value tmp[64], *items = n <= 64 ? tmp : NULL;
        Value holder = ABSENT;
        if (!items) {
            holder = tuple_new((intptr_t)n);
            if (!holder) {
                release(r);
                return ABSENT;
            }
            items = tuple_items(holder);
        }
        mutex_lock(&type_mutex);
        l = t->subclasses;
        bool same = (l ? l->n : 0) == n;
        for (size_t i = 0; same && i < n; i++)
            items[i] = retained(V_OF(l->items[i]));
        mutex_unlock(&type_mutex);
        int err = 0;
        for (size_t i = 0; same && i < n && err == 0; i++)
            err = list_append(r, items[i]);
        if (holder)
            release(holder);
        else
            for (size_t i = 0; same && i < n; i++)
                release(items[i]);
        if (err < 0) {
            release(r);
            return ABSENT;
        }
        if (same)
            return r;
        release(r);
    }
}

static void versions_renew(Type *t) {
    STORE_RELEASE(&t->version, version_next());
    SubList *l = t->subclasses;
    for (size_t i = 0; l && i < l->n; i++)
        versions_renew(l->items[i]);
}

void type_modified(Type *t) {
    mutex_lock(&type_mutex);
    versions_renew(t);
    mutex_unlock(&type_mutex);
}

/* The method cache. Each entry is guarded by a sequence word: odd while it is being written. An entry holds a value
 * that outlives any reader (immediate or uncounted), or the class in whose dict a counted value has to be looked up. */
typedef struct CacheEntry {
    SeqWord seq;
    _Atomic(uint32_t) version;
    _Atomic(Value) name;  /* retained */
    _Atomic(Value) value; /* ABSENT: no such attribute */
    _Atomic(Type *) owner;
} CacheEntry;
enum { CACHE_SIZE = 4096 };
static CacheEntry cache[CACHE_SIZE];

static ALWAYS_INLINE CacheEntry *cache_entry(uint32_t version, Value name) {
    return &cache[(version * 2654435761u ^ (uint32_t)(name >> 4)) % CACHE_SIZE];
}

static void cache_put(CacheEntry *e, uint32_t version, Value name, Value value, Type *owner) {
    if (!seq_write_begin(&e->seq))
        return; /* somebody else is at it: only a cache */
    Value old = LOAD_RELAXED(&e->name);
    publish(name);
    STORE_RELEASE(&e->version, version);
    STORE_RELEASE(&e->name, retained(name));
    STORE_RELEASE(&e->value, value);
    STORE_RELEASE(&e->owner, owner);
    seq_write_end(&e->seq);
    release(old);
}

void type_cache_clear(void) {
    for (size_t i = 0; i < CACHE_SIZE; i++) {
        CacheEntry *e = &cache[i];
        STORE_RELAXED(&e->version, 0);
        STORE_RELAXED(&e->value, ABSENT);
        STORE_RELAXED(&e->owner, NULL);
        release(LOAD_RELAXED(&e->name));
        STORE_RELAXED(&e->name, ABSENT);
    }
}

static Value lookup_mro(Type *t, Value name, Type **owner) {
    Value mro = type_mro(t);
    for (intptr_t i = 0, n = mro ? tuple_len(mro) : 0; i < n; i++) {
        Type *c = (Type *)tuple_get(mro, i);
        Value d = type_dict(c);
        if (!d)
            continue;
        Value v = dict_get(d, name);
        if (v) {
            *owner = c;
            return v;
        }
    }
    return ABSENT;
}

Value type_lookup(Type *t, Value name) {
    if (UNLIKELY(!str_is_interned(name))) {
        Type *owner;
        Value v = lookup_mro(t, name, &owner);
        if (!v && err_pending())
            err_clear();
        return v;
    }
    uint32_t version = LOAD_ACQUIRE(&t->version);
    CacheEntry *e = cache_entry(version, name);
    uint32_t seq = seq_read_begin(&e->seq);
    if (LIKELY(LOAD_ACQUIRE(&e->version) == version && LOAD_ACQUIRE(&e->name) == name && version)) {
        Value v = LOAD_ACQUIRE(&e->value);
        Type *owner = LOAD_ACQUIRE(&e->owner);
        if (LIKELY(seq_read_ok(&e->seq, seq))) {
            if (LIKELY(!owner))
                return retained(v);
            v = dict_get(type_dict(owner), name);
            if (v)
                return v;
        }
    }
    Type *owner = NULL;
    Value v = lookup_mro(t, name, &owner);
    if (version) {
        bool stable = !v_is_obj(v) || count_is_uncounted(v_obj(v));
        cache_put(e, version, name, stable ? v : ABSENT, stable ? NULL : owner);
    }
    return v;
}

bool type_is_subtype(Type *a, Type *b) {
    if (a == b)
        return true;
    Value mro = type_mro(a);
    if (!mro) { /* during start-up */
        for (Type *t = a; t; t = t->base)
            if (t == b)
                return true;
        return b == &object_type;
    }
    for (intptr_t i = 0, n = tuple_len(mro); i < n; i++)
        if (tuple_get(mro, i) == V_OF(b))
            return true;
    return false;
}

/* ---- special[] ---- */

void type_share_value(Value v) {
    if (!COUNT_EXACT || !v_is_obj(v) || obj_flags(v_obj(v)) & OF_UNCOUNTED)
        return;
    uint32_t idx = obj_index(v);
    bool share = idx == IDX_FUNCTION || idx == IDX_METHOD_DESCR || idx == IDX_NATIVE || idx == IDX_CLASSMETHOD_DESCR ||
                 idx == IDX_GETSET || idx == IDX_MEMBER || idx == IDX_PROPERTY || idx == IDX_CLASSMETHOD ||
                 idx == IDX_STATICMETHOD || v_is_type(v);
    /* Those first: the specials of their types may not be known yet. */
    if (!share && (type_of(v)->flags & TF_HEAP || !type_special(type_of(v), SP_SET)))
        return;
    bool stop = LOAD_RELAXED(&world_threaded);
    if (stop)
        excl_stop_world();
    if (idx == IDX_CLASSMETHOD || idx == IDX_STATICMETHOD) {
        Value f = ref_peek(&((WrapDescr *)v)->func);
        if (v_is_exact(f, IDX_FUNCTION))
            count_set_uncounted(v_obj(f));
    } else if (idx == IDX_PROPERTY) {
        Property *p = (Property *)v;
        Value parts[] = {ref_peek(&p->fget), ref_peek(&p->fset), ref_peek(&p->fdel)};
        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
            if (v_is_exact(parts[i], IDX_FUNCTION))
                count_set_uncounted(v_obj(parts[i]));
    }
    count_set_uncounted(v_obj(v));
    if (stop)
        excl_start_world();
}

static void special_set(Type *t, int sp) {
    Type *owner;
    Value v = lookup_mro(t, sp_names[sp], &owner);
    if (COUNT_EXACT && v_is_obj(v) && !(obj_flags(v_obj(v)) & OF_UNCOUNTED))
        count_set_uncounted(v_obj(v));
    STORE_RELEASE(&t->special[sp], special_for(t, sp, v));
    release(v);
}

static void refresh_flags(Type *t) {
    uint32_t f = t->flags & ~(uint32_t)(TF_GENERIC_GETATTR | TF_GENERIC_SETATTR | TF_GENERIC_NEW | TF_FINALIZER);
    if (type_special(t, SP_GETATTRIBUTE) == type_special(&object_type, SP_GETATTRIBUTE))
        f |= TF_GENERIC_GETATTR;
    if (type_special(t, SP_SETATTR) == type_special(&object_type, SP_SETATTR) &&
        type_special(t, SP_DELATTR) == type_special(&object_type, SP_DELATTR))
        f |= TF_GENERIC_SETATTR;
    if (type_special(t, SP_NEW) == type_special(&object_type, SP_NEW))
        f |= TF_GENERIC_NEW;
    if (type_special(t, SP_DEL) || (t->spec && t->spec->flags & TF_FINALIZER) ||
        (t->base && t->base->flags & TF_FINALIZER)) {
        f |= TF_FINALIZER;
        if (!(t->flags & TF_FINALIZER) && LOAD_RELAXED(&t->version) != 0)
            STORE_RELAXED(&heap_look_everywhere, true); /* its instances were made without a note */
    }
    t->flags = f;
}

void type_compute_specials(Type *t) {
    Type *base = t->base;
    Value mro = type_mro(t);
    /* With one line of bases the table is the base's but for the class's own entries. */
    bool single = base && mro && type_mro(base) && tuple_len(mro) == tuple_len(type_mro(base)) + 1;
    if (single) {
        for (int i = 0; i < SP_COUNT; i++)
            STORE_RELAXED(&t->special[i], LOAD_RELAXED(&base->special[i]));
        Value d = type_dict(t), k, v;
        for (intptr_t pos = 0; dict_next(d, &pos, &k, &v);) {
            if (v_is_exact(k, IDX_STR)) {
                k = str_intern(k); /* keys of a dict that a program made need not be interned */
                int sp = k ? special_index(k) : -1;
                if (sp >= 0) {
                    if (COUNT_EXACT && v_is_obj(v) && !(obj_flags(v_obj(v)) & OF_UNCOUNTED))
                        count_set_uncounted(v_obj(v));
                    STORE_RELEASE(&t->special[sp], special_for(t, sp, v));
                }
            }
            release(k);
            release(v);
        }
    } else {
        for (int i = 0; i < SP_COUNT; i++)
            special_set(t, i);
    }
    refresh_flags(t);
}

static void specials_follow(Type *t, int sp) {
    special_set(t, sp);
    refresh_flags(t);
    SubList *l = t->subclasses;
    for (size_t i = 0; l && i < l->n; i++)
        specials_follow(l->items[i], sp);
}

typedef struct FindName {
    Value name;
    bool found;
} FindName;
static void find_name(Value v, void *arg) {
    FindName *f = arg;
    if (v == f->name)
        f->found = true;
}
static bool shapes_have_name(Shape *s, Value name) {
    FindName f = {name, false};
    shape_tree_visit(s, find_name, &f);
    return f.found;
}
static bool tree_has_name(Type *t, Value name) {
    if (shapes_have_name(t->root, name))
        return true;
    SubList *l = t->subclasses;
    for (size_t i = 0; l && i < l->n; i++)
        if (tree_has_name(l->items[i], name))
            return true;
    return false;
}

/* Whether instances of t or a subclass have a member of that name: __slots__, or a built-in class's. */
static bool tree_has_member(const Type *t, const char *name) {
    const Type *p = t;
    do {
        const MemberDef *lists[] = {p->slot_members, p->spec ? p->spec->members : NULL};
        for (size_t i = 0; i < ARRAY_LEN(lists); i++)
            for (const MemberDef *m = lists[i]; m && m->name; m++)
                if (strcmp(m->name, name) == 0)
                    return true;
        p = p->base;
    } while (p);
    SubList *l = t->subclasses;
    for (size_t i = 0; l && i < l->n; i++)
        if (tree_has_member(l->items[i], name))
            return true;
    return false;
}

void type_attr_changed(Type *t, Value name) {
    type_modified(t);
    int sp = special_index(name);
    bool clear = sp == SP_GETATTRIBUTE || sp == SP_SETATTR || sp == SP_DELATTR;
    const char *text = str_utf8(name, NULL);
    if (!text)
        err_clear(); /* no identifier */
    else if (!clear) {
        mutex_lock(&type_mutex);
        clear = tree_has_member(t, text); /* caches know a member's place without asking for the version */
        mutex_unlock(&type_mutex);
    }
    if (!clear) {
        Value v = type_lookup(t, name);
        if (v) {
            Type *vt = type_of(v);
            if (type_special(vt, SP_SET) || type_special(vt, SP_DELETE)) {
                mutex_lock(&type_mutex);
                clear = tree_has_name(t, name);
                mutex_unlock(&type_mutex);
            }
            release(v);
        }
    }
    if (sp < 0 && !clear)
        return;
    excl_stop_world();
    if (sp >= 0) {
        specials_follow(t, sp);
        versions_renew(t);
    }
    if (clear && type_clear_caches)
        type_clear_caches();
    excl_start_world();
}

/* All of special[], after a change of bases. World stopped. */
void type_tree_recompute(Type *t) {
    type_compute_specials(t);
    SubList *l = t->subclasses;
    for (size_t i = 0; l && i < l->n; i++)
        type_tree_recompute(l->items[i]);
}

/* ---- static types ---- */

static struct Pending {
    Type *t;
    const TypeSpec *spec;
} pending[512];
static size_t n_pending;
static bool finished;
static Type *static_types[1024];
static size_t n_static;

enum {
    INHERITED = TF_INT | TF_STR | TF_BYTES | TF_LIST | TF_TUPLE | TF_DICT | TF_TYPE | TF_EXC | TF_SET | TF_FLOAT |
                TF_FROZENSET | TF_WEAKREF | TF_HAS_DICT | TF_DICT_MODE | TF_SEQUENCE | TF_MAPPING
};

static void static_prepare(Type *t, uint32_t index, const TypeSpec *spec) {
    Type *base = spec->base ? spec->base : t == &object_type ? NULL : &object_type;
    STORE_RELAXED(&t->hdr.index, IDX_TYPE);
    obj_set_immortal(&t->hdr);
    t->spec = spec;
    t->base = base;
    t->flags = spec->flags | TF_IMMUTABLE | (base ? base->flags & INHERITED : 0);
    t->ops = spec->ops ? spec->ops : base ? base->ops : NULL;
    t->basic_size = spec->basic_size ? spec->basic_size : base ? base->basic_size : (uint32_t)sizeof(Object);
    t->basic_size = (t->basic_size + 7) & ~7u;
    const char *dot = strrchr(spec->name, '.');
    t->c_name = dot ? dot + 1 : spec->name;
    t->slots_offset = t->flags & TF_HAS_DICT ? (uint16_t)t->basic_size : 0;
    t->inline_slots = 0;
    t->root =
        index ? shape_init_at(index, t, t->ops) : shape_new_root(t, t->ops, t->flags & TF_DICT_MODE ? SF_DICT_MODE : 0);
    STORE_RELAXED(&t->version, version_next());
}

static void must(int r) {
    if (r < 0)
        fatal("out of memory while making built-in types");
}

static void static_finish(Type *t, const TypeSpec *spec) {
    Value name = str_intern_static(t->c_name);
    ref_init_global(&t->name, name);
    ref_init_global(&t->qualname, name);
    Value dict = dict_new();
    if (!dict)
        fatal("out of memory while making built-in types");
    count_set_uncounted(v_obj(dict));
    ref_init_global(&t->dict, dict);
    Type *base = t->base;
    ref_init_global(&t->bases, base ? tuple_pack(1, V_OF(base)) : retained(tuple_empty()));
    Value bm = base ? type_mro(base) : ABSENT;
    intptr_t n = bm ? tuple_len(bm) : 0;
    Value mro = tuple_new(n + 1);
    tuple_init_item(mro, 0, V_OF(t));
    for (intptr_t i = 0; i < n; i++)
        tuple_init_item(mro, i + 1, retained(tuple_get(bm, i)));
    count_set_uncounted(v_obj(mro));
    ref_init_global(&t->mro, mro);
    bool has_eq = false, has_hash = false;
    for (const NativeDef *m = spec->methods; m && m->name; m++) {
        Value key = str_intern_static(m->name), v;
        if (m->name[0] == '_' && strcmp(m->name, "__new__") == 0)
            v = native_new(m, V_OF(t), ABSENT);
        else if (m->flags & NF_STATIC) {
            Value f = native_new(m, ABSENT, ABSENT);
            v = staticmethod_new(f);
            release(f);
        } else if (m->flags & NF_CLASS)
            v = classmethod_descr_new(m, t);
        else
            v = method_descr_new(m, t);
        if (!v)
            fatal("out of memory while making built-in types");
        if (m->name[0] == '_' && m->name[1] == '_') {
            has_eq |= strcmp(m->name, "__eq__") == 0;
            has_hash |= strcmp(m->name, "__hash__") == 0;
        }
        type_share_value(v);
        must(dict_set(dict, key, v));
        release(v);
    }
    for (const GetSetDef *g = spec->getsets; g && g->name; g++) {
        Value v = getset_new(g, t);
        type_share_value(v);
        must(dict_set(dict, str_intern_static(g->name), v));
        release(v);
    }
    for (const MemberDef *m = spec->members; m && m->name; m++) {
        Value v = member_new(m, t);
        type_share_value(v);
        must(dict_set(dict, str_intern_static(m->name), v));
        release(v);
    }
    if (has_eq && !has_hash)
        must(dict_set(dict, sp_names[SP_HASH], V_NONE));
    if (dict_contains(dict, ID("__doc__")) == 0) {
        const char *doc = spec->doc, *body = doc ? strstr(doc, ")\n--\n\n") : NULL;
        Value d = !doc ? V_NONE : str_from_c(body ? body + 6 : doc);
        must(d ? dict_set(dict, ID("__doc__"), d) : -1);
        release(d);
    }
    const char *dot = strrchr(spec->name, '.');
    if (dot) {
        Value m = str_from_utf8(spec->name, (size_t)(dot - spec->name));
        m = str_intern(m);
        must(dict_set(dict, ID("__module__"), m));
        release(m);
    }
    if (base)
        must(sublist_add(base, t));
    type_compute_specials(t);
}

static void visit_static_types(VisitFn visit, void *arg) {
    for (size_t i = 0; i < n_static; i++) {
        type_traverse(V_OF(static_types[i]), visit, arg);
        for (int sp = 0; sp < SP_COUNT; sp++)
            visit(LOAD_RELAXED(&static_types[i]->special[sp]), arg);
    }
}

void types_finish(void) {
    trace_register_roots(visit_static_types);
    special_names_init();
    for (size_t i = 0; i < n_pending; i++)
        static_finish(pending[i].t, pending[i].spec);
    /* Types before `object`, `type` and the descriptors in the list copied an unfinished base: once more, in order. */
    for (size_t i = 0; i < n_pending; i++)
        refresh_flags(pending[i].t);
    n_pending = 0;
    finished = true;
}

void type_init_static(Type *t, uint32_t index, const TypeSpec *spec) {
    if (t->spec)
        return;
    static_prepare(t, index, spec);
    if (n_static == ARRAY_LEN(static_types) || (!finished && n_pending == ARRAY_LEN(pending)))
        fatal("too many static types");
    static_types[n_static++] = t;
    if (finished)
        static_finish(t, spec);
    else
        pending[n_pending++] = (struct Pending){t, spec};
}

void type_init_module_type(Type *t, const TypeSpec *spec) {
    type_init_static(t, 0, spec);
}

void type_set_two_bases(Type *t, Type *a, Type *b) {
    Value bases = tuple_pack(2, V_OF(a), V_OF(b));
    count_set_uncounted(v_obj(bases));
    release(type_bases(t));
    ref_init_global(&t->bases, bases);
    Value ma = type_mro(a), mb = type_mro(b);
    Value list = list_new(8);
    must(list ? 0 : -1);
    must(list_append(list, V_OF(t)));
    for (intptr_t i = 0; i < tuple_len(ma); i++)
        if (!type_is_subtype(b, (Type *)tuple_get(ma, i)))
            must(list_append(list, tuple_get(ma, i)));
    for (intptr_t i = 0; i < tuple_len(mb); i++)
        must(list_append(list, tuple_get(mb, i)));
    Value mro = list_to_tuple(list);
    release(list);
    count_set_uncounted(v_obj(mro));
    ref_init_global(&t->mro, mro);
    must(sublist_add(b, t));
    type_compute_specials(t);
    type_modified(t);
}

Value err_no_memory_last(void); /* err.c: the error made beforehand */

/* ---- making instances ---- */

Value obj_new_sized(Type *t, size_t extra) {
    size_t size = t->basic_size + extra;
    if (t->flags & TF_HAS_DICT)
        size += t->slots_offset ? 8 + 8 * (size_t)t->inline_slots : 8;
    Object *o = heap_alloc(size);
    if (UNLIKELY(!o)) {
        return err_no_memory_last();
    }
    count_init(o);
    if (UNLIKELY(t->flags & (TF_FINALIZER | TF_TYPE | TF_SWEEP_STOPPED))) {
        if (t->flags & TF_FINALIZER)
            obj_set_flag(o, OF_FINALIZER);
        heap_note(o, t->flags & (TF_TYPE | TF_SWEEP_STOPPED));
    }
    STORE_RELEASE(&o->index, shape_index(t->root));
    return V_OF(o);
}

Value obj_new(Type *t) {
    return obj_new_sized(t, 0);
}

/* ---- names ---- */

static Value load_ref(Type *t, Ref *r) {
    ExclCs cs;
    excl_read_begin(&cs, V_OF(t));
    Value v = ref_load(V_OF(t), r);
    excl_read_end(&cs);
    return v;
}
Value type_name(Type *t) {
    return load_ref(t, &t->name);
}
Value type_qualname(Type *t) {
    return load_ref(t, &t->qualname);
}
Value type_module(Type *t) {
    if (!(t->flags & TF_HEAP)) { /* the dict may hold a descriptor for instances instead */
        const char *dot = strrchr(t->spec->name, '.');
        return dot ? str_intern(str_from_utf8(t->spec->name, (size_t)(dot - t->spec->name))) : retained(ID("builtins"));
    }
    Value d = type_dict(t);
    return d ? dict_get(d, ID("__module__")) : ABSENT;
}

const char *type_cname(const Type *t) {
    if (t->c_name)
        return t->spec && t->spec->name ? t->spec->name : t->c_name;
    Value n = LOAD_RELAXED((Ref *)&t->name);
    const char *s = n ? str_utf8(n, NULL) : NULL;
    if (!s) {
        err_clear();
        return "?";
    }
    return s;
}

/* ---- for the collectors ---- */

void type_traverse(Value self, VisitFn visit, void *arg) {
    Type *t = (Type *)self;
    visit(ref_peek(&t->name), arg);
    visit(ref_peek(&t->qualname), arg);
    visit(ref_peek(&t->bases), arg);
    visit(ref_peek(&t->mro), arg);
    visit(ref_peek(&t->dict), arg);
    if (t->base)
        visit(V_OF(t->base), arg);
    shape_tree_visit(t->root, visit, arg);
    if (LOAD_RELAXED(&t->dict_shape) != t->root)
        shape_tree_visit(LOAD_RELAXED(&t->dict_shape), visit, arg);
}

void types_visit_roots(VisitFn visit, void *arg) {
    for (size_t i = 0; i < n_static; i++)
        type_traverse(V_OF(static_types[i]), visit, arg);
}

static void prune(Type *t, bool (*is_dead)(Object *)) {
    SubList *l = t->subclasses;
    if (!l)
        return;
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (!(l->items[i]->flags & TF_HEAP) || !is_dead(&l->items[i]->hdr)) {
            l->items[n++] = l->items[i];
        }
    l->n = n;
    for (size_t i = 0; i < n; i++)
        prune(l->items[i], is_dead);
}
void types_prune(bool (*is_dead)(Object *)) {
    prune(&object_type, is_dead);
    type_cache_clear();
}

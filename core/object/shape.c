/* Shapes and the storage of instance attributes: see shape.h. */
#include "object/shape.h"

#include <pthread.h>

#include "heap.h"
#include "object/dict.h"
#include "object/native.h"
#include "object/refs.h"
#include "object/str.h"

_Alignas(64) char shape_region[SHAPE_REGION_BYTES];
void (*type_clear_caches)(void);

/* Guards the allocation of shapes and additions to transition tables; readers take no lock. Nothing is acquired,
 * allocated from the heap or run under it. */
static pthread_mutex_t shape_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t next_index = (IDX_ORD_END + 1) * (uint32_t)(sizeof(Shape) / 16);

/* transitions: 0, a single child, or (bit 0) a table. */
typedef struct TransTable {
    struct TransTable *older; /* outgrown tables live as long as the newest: readers may be inside them */
    size_t mask, used;
    _Atomic(Shape *) child[];
} TransTable;

/* Name to slot, for shapes with many attributes. */
typedef struct SlotTable {
    size_t mask;
    struct {
        Value name;
        uint32_t slot;
    } e[];
} SlotTable;

enum { LINEAR_MAX = 6, MAX_CHILDREN = 512 };

static ALWAYS_INLINE size_t name_hash(Value name) {
    return (size_t)((name >> 3) * 0x9e3779b97f4a7c15ull >> 32);
}

/* ---- making shapes ---- */

static Shape *shape_alloc_locked(void) {
    size_t per = sizeof(Shape) / 16;
    if (((size_t)next_index + per) * 16 > SHAPE_REGION_BYTES)
        return NULL;
    Shape *s = shape_at(next_index);
    next_index += (uint32_t)per;
    return s;
}

static void shape_fill(Shape *s, Type *t, const TypeOps *ops, uint32_t flags) {
    s->type = t;
    s->ops = ops;
    s->inline_slots = t->inline_slots;
    s->slots_offset = t->slots_offset;
    s->flags = flags;
    s->layout_id = shape_index(s);
    if (ops && ops->fini && !(t->flags & (TF_LIST | TF_DICT | TF_SET | TF_FROZENSET | TF_STR | TF_BYTES)))
        t->flags |= TF_SWEEP_STOPPED;
}

Shape *shape_new_root(Type *t, const TypeOps *ops, uint32_t flags) {
    pthread_mutex_lock(&shape_lock);
    Shape *s = shape_alloc_locked();
    pthread_mutex_unlock(&shape_lock);
    if (!s)
        fatal("too many shapes");
    shape_fill(s, t, ops, flags | SF_ROOT);
    return s;
}

Shape *shape_init_at(uint32_t index, Type *t, const TypeOps *ops) {
    Shape *s = shape_at(index);
    shape_fill(s, t, ops, SF_ROOT | (t->flags & TF_DICT_MODE ? SF_DICT_MODE : 0));
    return s;
}

Shape *shape_dict_mode(Type *t) {
    Shape *s = LOAD_ACQUIRE(&t->dict_shape);
    if (LIKELY(s != NULL))
        return s;
    if (t->flags & TF_DICT_MODE)
        s = t->root;
    else
        s = shape_new_root(t, t->ops, SF_DICT_MODE);
    Shape *expected = NULL;
    if (!atomic_compare_exchange_strong_explicit(&t->dict_shape, &expected, s, memory_order_acq_rel,
                                                 memory_order_acquire))
        s = expected; /* the loser's 64 bytes stay unused */
    return s;
}

/* ---- finding a name ---- */

static NOINLINE SlotTable *shape_build_table(const Shape *s) {
    size_t cap = 16;
    while (cap < (size_t)s->n_attrs * 2)
        cap *= 2;
    SlotTable *t = calloc(1, sizeof *t + cap * sizeof t->e[0]);
    if (!t)
        return NULL;
    t->mask = cap - 1;
    for (const Shape *p = s; p->parent; p = p->parent) {
        Value name = LOAD_RELAXED(&((Shape *)p)->name);
        size_t i = name_hash(name) & t->mask;
        while (t->e[i].name)
            i = (i + 1) & t->mask;
        t->e[i].name = name;
        t->e[i].slot = p->n_attrs - 1;
    }
    void *expected = NULL;
    /* release: the table's contents come before its address; pairs with the acquire in shape_find */
    if (!atomic_compare_exchange_strong_explicit(&((Shape *)s)->table, &expected, t, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        free(t);
        t = expected;
    }
    return t;
}

intptr_t shape_find(const Shape *s, Value name) {
    if (s->n_attrs <= LINEAR_MAX) {
        for (const Shape *p = s; p->parent; p = p->parent)
            if (LOAD_RELAXED(&((Shape *)p)->name) == name)
                return (intptr_t)p->n_attrs - 1;
        return -1;
    }
    SlotTable *t = LOAD_ACQUIRE(&((Shape *)s)->table);
    if (!t && !(t = shape_build_table(s))) {
        for (const Shape *p = s; p->parent; p = p->parent)
            if (LOAD_RELAXED(&((Shape *)p)->name) == name)
                return (intptr_t)p->n_attrs - 1;
        return -1;
    }
    for (size_t i = name_hash(name) & t->mask; t->e[i].name; i = (i + 1) & t->mask)
        if (t->e[i].name == name)
            return t->e[i].slot;
    return -1;
}

Value shape_name_at(const Shape *s, uint32_t slot) {
    while (s->n_attrs > slot + 1)
        s = s->parent;
    return LOAD_RELAXED(&((Shape *)s)->name);
}

/* ---- transitions ---- */

static ALWAYS_INLINE TransTable *trans_table(void *w) {
    return (TransTable *)((uintptr_t)w & ~(uintptr_t)1);
}

static Shape *shape_child(const Shape *s, Value name) {
    void *w = LOAD_ACQUIRE(&((Shape *)s)->transitions); /* pairs with the releases in shape_add */
    if (!w)
        return NULL;
    if (!((uintptr_t)w & 1)) {
        Shape *c = w;
        return LOAD_RELAXED(&c->name) == name ? c : NULL;
    }
    TransTable *t = trans_table(w);
    for (size_t i = name_hash(name) & t->mask;; i = (i + 1) & t->mask) {
        Shape *c = LOAD_ACQUIRE(&t->child[i]);
        if (!c)
            return NULL;
        if (LOAD_RELAXED(&c->name) == name)
            return c;
    }
}

static void trans_put(TransTable *t, Shape *c) {
    size_t i = name_hash(LOAD_RELAXED(&c->name)) & t->mask;
    while (LOAD_RELAXED(&t->child[i]))
        i = (i + 1) & t->mask;
    STORE_RELEASE(&t->child[i], c);
    t->used++;
}

static TransTable *trans_new(size_t cap) {
    TransTable *t = calloc(1, sizeof *t + cap * sizeof t->child[0]);
    if (t)
        t->mask = cap - 1;
    return t;
}

Shape *shape_add(Shape *s, Value name) {
    Shape *c = shape_child(s, name);
    if (LIKELY(c != NULL))
        return c;
    if (s->n_attrs >= SHAPE_MAX_ATTRS || s->flags & SF_DICT_MODE)
        return NULL;
    retain(name); /* shapes keep their names for ever */
    pthread_mutex_lock(&shape_lock);
    c = shape_child(s, name);
    if (c)
        goto out;
    void *w = LOAD_RELAXED(&s->transitions);
    TransTable *t = NULL, *older = NULL, *fresh = NULL;
    if (w) {
        if (!((uintptr_t)w & 1)) {
            if (!(t = fresh = trans_new(8)))
                goto out;
            trans_put(t, w);
        } else {
            t = trans_table(w);
            if (t->used >= MAX_CHILDREN)
                goto out;
            if ((t->used + 1) * 2 > t->mask) {
                older = t;
                if (!(t = fresh = trans_new((older->mask + 1) * 2)))
                    goto out;
                for (size_t i = 0; i <= older->mask; i++)
                    if (LOAD_RELAXED(&older->child[i]))
                        trans_put(t, LOAD_RELAXED(&older->child[i]));
                t->older = older;
            }
        }
    }
    if (!(c = shape_alloc_locked())) {
        free(fresh);
        goto out;
    }
    c->type = s->type;
    c->ops = s->ops;
    c->parent = s;
    STORE_RELAXED(&c->name, name);
    c->n_attrs = s->n_attrs + 1;
    c->inline_slots = s->inline_slots;
    c->slots_offset = s->slots_offset;
    c->flags = s->flags & ~(uint32_t)SF_ROOT;
    c->layout_id = shape_index(c);
    name = ABSENT;
    if (t) {
        trans_put(t, c);
        STORE_RELEASE(&s->transitions, (void *)((uintptr_t)t | 1));
    } else
        STORE_RELEASE(&s->transitions, (void *)c);
out:
    pthread_mutex_unlock(&shape_lock);
    release(name);
    return c;
}

void shape_tree_visit(Shape *s, VisitFn visit, void *arg) {
    if (!s)
        return;
    Value name = LOAD_RELAXED(&s->name);
    if (name)
        visit(name, arg);
    void *w = LOAD_RELAXED(&s->transitions);
    if (!w)
        return;
    if (!((uintptr_t)w & 1)) {
        shape_tree_visit(w, visit, arg);
        return;
    }
    TransTable *t = trans_table(w);
    for (size_t i = 0; i <= t->mask; i++)
        shape_tree_visit(LOAD_RELAXED(&t->child[i]), visit, arg);
}

void shape_tree_free(Shape *s) {
    if (!s)
        return;
    void *w = LOAD_RELAXED(&s->transitions);
    STORE_RELAXED(&s->transitions, NULL);
    if (w && !((uintptr_t)w & 1))
        shape_tree_free(w);
    else if (w) {
        TransTable *t = trans_table(w);
        for (size_t i = 0; i <= t->mask; i++)
            shape_tree_free(LOAD_RELAXED(&t->child[i]));
        while (t) {
            TransTable *older = t->older;
            free(t);
            t = older;
        }
    }
    free(LOAD_RELAXED(&s->table));
    STORE_RELAXED(&s->table, NULL);
    /* The cell itself is not used again: caches may still hold its index. */
}

/* ---- attributes of instances ---- */

_Atomic(Value) *attrs_word(Value o) {
    const Shape *s = v_shape(o);
    if (LIKELY(s->slots_offset))
        return attrs_word_at(o, s->slots_offset);
    ASSERT(s->type->flags & TF_TAIL_ATTRS);
    return (_Atomic(Value) *)((char *)v_obj(o) + heap_size_of(v_obj(o)) - 8);
}

static ALWAYS_INLINE uint32_t index_acquire(Value o) {
    return LOAD_ACQUIRE(&v_obj(o)->index); /* pairs with index_publish: slot and block come before the shape */
}
static ALWAYS_INLINE void index_publish(Value o, const Shape *s) {
    STORE_RELEASE(&v_obj(o)->index, shape_index(s));
}

/* Whatever moves or empties slots. Where stores take no lock the world is stopped. */
static void structure_begin(ExclCs *cs, Value o) {
    if (EXCL_PARALLEL && !STORES_NEED_LOCK)
        excl_stop_world();
    else
        excl_cs_begin(cs, o);
}
static void structure_end(ExclCs *cs) {
    if (EXCL_PARALLEL && !STORES_NEED_LOCK)
        excl_start_world();
    else
        excl_cs_end(cs);
}

/* The dict of an instance in dict mode: owned; ABSENT and nothing pending when it was never made and !create. */
static Value dict_mode_dict(Value o, bool create) {
    for (;;) {
        _Atomic(Value) *w = attrs_word(o);
        ExclCs cs;
        excl_read_begin(&cs, o);
        Value v = LOAD_ACQUIRE(w);
        if (v && !(v & 1))
            v = ref_load(o, (Ref *)w);
        excl_read_end(&cs);
        if (v && !(v & 1))
            return v;
        if (v & 1) { /* between the two stores of attrs_dict, which are in a section */
            excl_cs_begin(&cs, o);
            excl_cs_end(&cs);
            continue;
        }
        if (!create)
            return ABSENT;
        Value d = dict_new();
        if (!d)
            return ABSENT;
        excl_cs_begin(&cs, o);
        if (LOAD_RELAXED(w) == ABSENT) {
            ref_swap(o, (Ref *)w, retained(d));
            excl_cs_end(&cs);
            return d;
        }
        excl_cs_end(&cs);
        release(d);
    }
}

static Value own_name(Value name) {
    return str_is_interned(name) ? retained(name) : str_intern(retained(name));
}

Value attrs_get(Value o, Value name) {
    if (UNLIKELY(!str_is_interned(name))) {
        Value n = own_name(name);
        if (!n)
            return ABSENT;
        Value r = attrs_get(o, n);
        release(n);
        return r;
    }
    for (;;) {
        uint32_t idx = index_acquire(o);
        const Shape *s = shape_at(idx);
        if (s->flags & SF_DICT_MODE) {
            Value d = dict_mode_dict(o, false);
            if (!d)
                return ABSENT;
            Value v = dict_get(d, name);
            release(d);
            return v;
        }
        if (!s->parent)
            return ABSENT;
        intptr_t slot = shape_find(s, name);
        if (slot < 0)
            return ABSENT;
        ExclCs cs;
        excl_read_begin(&cs, o);
        Ref *r = attrs_slot(o, s, (uint32_t)slot);
        Value v = r ? ref_load(o, r) : ABSENT;
        excl_read_end(&cs);
        if (v || (r && index_acquire(o) == idx))
            return v;
    }
}

/* Room for slot in the overflow block: 0, -1. */
static int attrs_grow(Value o, const Shape *s, uint32_t slot) {
    size_t need = slot - s->inline_slots + 1, cap = need < 4 ? 4 : (need + need / 2 + 1);
    AttrBlock *b = heap_block(sizeof *b + cap * sizeof(Ref));
    if (!b) {
        err_no_memory();
        return -1;
    }
    memset(b, 0, sizeof *b + cap * sizeof(Ref));
    b->capacity = cap;
    ExclCs cs;
    _Atomic(Value) *w = attrs_word_at(o, s->slots_offset);
    structure_begin(&cs, o);
    Value old = LOAD_RELAXED(w);
    AttrBlock *ob = old & 1 ? (AttrBlock *)(uintptr_t)(old & ~(Value)1) : NULL;
    if ((old && !ob) || (ob && ob->capacity >= need)) {
        structure_end(&cs); /* somebody else was faster */
        heap_block_free(b);
        return 0;
    }
    for (size_t i = 0; ob && i < ob->capacity; i++)
        STORE_RELAXED(&b->items[i], LOAD_RELAXED(&ob->items[i]));
    STORE_RELEASE(w, V_OF(b) | 1); /* pairs with the acquire in attrs_slot */
    /* The references have moved: a reader still in the old block finds nothing and starts again. */
    for (size_t i = 0; ob && i < ob->capacity; i++)
        STORE_RELEASE(&ob->items[i], ABSENT);
    structure_end(&cs);
    if (ob)
        block_retire(o, ob);
    return 0;
}

int attrs_set(Value o, Value name, Value v) {
    if (UNLIKELY(!str_is_interned(name))) {
        Value n = own_name(name);
        if (!n)
            return -1;
        int r = attrs_set(o, n, v);
        release(n);
        return r;
    }
    for (;;) {
        uint32_t idx = index_acquire(o);
        Shape *s = shape_at(idx);
        if (s->flags & SF_DICT_MODE) {
            Value d = dict_mode_dict(o, true);
            if (!d)
                return -1;
            int r = dict_set(d, name, v);
            release(d);
            return r;
        }
        intptr_t slot = shape_find(s, name);
        Shape *next = NULL;
        if (slot < 0) {
            next = shape_add(s, name);
            if (!next) {
                Value d = attrs_dict(o);
                if (!d)
                    return -1;
                release(d);
                continue;
            }
            slot = s->n_attrs;
        }
        ExclCs cs;
        excl_cs_begin(&cs, o);
        if (index_acquire(o) != idx) {
            excl_cs_end(&cs);
            continue;
        }
        Ref *r = attrs_slot(o, s, (uint32_t)slot);
        if (!r) {
            excl_cs_end(&cs);
            if (attrs_grow(o, s, (uint32_t)slot) < 0)
                return -1;
            continue;
        }
        if (!next && ref_peek(r) == ABSENT) { /* a hole: dict mode keeps the order right */
            excl_cs_end(&cs);
            Value d = attrs_dict(o);
            if (!d)
                return -1;
            release(d);
            continue;
        }
        Value old = ref_swap(o, r, retained(v));
        if (next)
            index_publish(o, next);
        excl_cs_end(&cs);
        release(old);
        return 0;
    }
}

int attrs_del(Value o, Value name) {
    Value n = own_name(name);
    if (!n)
        return -1;
    int result;
    for (;;) {
        uint32_t idx = index_acquire(o);
        const Shape *s = shape_at(idx);
        if (s->flags & SF_DICT_MODE) {
            Value d = dict_mode_dict(o, false), old;
            result = 0;
            if (d) {
                result = dict_pop(d, n, &old);
                if (result > 0)
                    release(old);
                release(d);
            }
            break;
        }
        intptr_t slot = shape_find(s, n);
        if (slot < 0) {
            result = 0;
            break;
        }
        ExclCs cs;
        excl_cs_begin(&cs, o);
        Ref *r = index_acquire(o) == idx ? attrs_slot(o, s, (uint32_t)slot) : NULL;
        if (!r) {
            excl_cs_end(&cs);
            continue;
        }
        Value old = ref_swap(o, r, ABSENT);
        excl_cs_end(&cs);
        result = old != ABSENT;
        release(old);
        break;
    }
    release(n);
    return result;
}

/* Values of the shape's n slots, owned, into vals; false when the instance changed meanwhile. */
static bool snapshot_slots(Value o, const Shape *s, uint32_t n, Value *vals) {
    for (uint32_t i = 0; i < n; i++) {
        ExclCs cs;
        excl_read_begin(&cs, o);
        Ref *r = attrs_slot(o, s, i);
        vals[i] = r ? ref_load(o, r) : ABSENT;
        excl_read_end(&cs);
    }
    return index_acquire(o) == shape_index(s);
}

static int fill_dict(Value d, const Shape *s, uint32_t n, const Value *vals) {
    const Shape *chain[SHAPE_MAX_ATTRS];
    for (const Shape *p = s; p->parent; p = p->parent)
        chain[p->n_attrs - 1] = p;
    for (uint32_t i = 0; i < n; i++)
        if (vals[i] && dict_set(d, LOAD_RELAXED(&((Shape *)chain[i])->name), vals[i]) < 0)
            return -1;
    return 0;
}

Value attrs_snapshot(Value o) {
    for (;;) {
        const Shape *s = shape_at(index_acquire(o));
        if (s->flags & SF_DICT_MODE) {
            Value d = dict_mode_dict(o, false);
            if (!d)
                return err_pending() ? ABSENT : V_NONE;
            Value c = dict_len(d) ? dict_copy(d) : V_NONE;
            release(d);
            return c;
        }
        uint32_t n = s->n_attrs;
        Value vals[SHAPE_MAX_ATTRS];
        bool ok = snapshot_slots(o, s, n, vals);
        Value d = ABSENT;
        if (ok) {
            bool any = false;
            for (uint32_t i = 0; i < n; i++)
                any |= vals[i] != ABSENT;
            d = any ? dict_new_presized(n) : V_NONE;
            if (any && d && fill_dict(d, s, n, vals) < 0) {
                release(d);
                d = ABSENT;
            }
        }
        for (uint32_t i = 0; i < n; i++)
            release(vals[i]);
        if (ok)
            return d;
    }
}

bool attrs_have_any(Value o) {
    if (!(type_of(o)->flags & TF_HAS_DICT))
        return false;
    Value d = attrs_snapshot(o);
    bool any = d && d != V_NONE && dict_len(d) > 0;
    if (!d)
        err_clear();
    release(d);
    return any;
}

Value attrs_dict(Value o) {
    for (;;) {
        uint32_t idx = index_acquire(o);
        const Shape *s = shape_at(idx);
        if (s->flags & SF_DICT_MODE)
            return dict_mode_dict(o, true);
        Shape *dm = shape_dict_mode(s->type);
        uint32_t n = s->n_attrs;
        Value vals[SHAPE_MAX_ATTRS], d = ABSENT;
        bool done = false, ok = snapshot_slots(o, s, n, vals);
        if (ok) {
            d = dict_new_presized(n);
            if (d && fill_dict(d, s, n, vals) < 0) {
                release(d);
                d = ABSENT;
            }
            if (d) {
                ExclCs cs;
                structure_begin(&cs, o);
                /* The snapshot holds references, so equal words mean unchanged slots. */
                bool same = index_acquire(o) == idx;
                for (uint32_t i = 0; same && i < n; i++) {
                    Ref *r = attrs_slot(o, s, i);
                    same = (r ? ref_peek(r) : ABSENT) == vals[i];
                }
                Value block = ABSENT;
                if (same) {
                    _Atomic(Value) *w = attrs_word(o);
                    block = LOAD_RELAXED(w);
                    ref_written(o, ABSENT, d);
                    /* The tag is there before the shape, with or without a block: who sees the shape waits for the
                     * dict. */
                    if (block == ABSENT)
                        STORE_RELAXED(w, ATTRS_TAG);
                    index_publish(o, dm);
                    STORE_RELEASE(w, retained(d)); /* pairs with the acquire in dict_mode_dict */
                    for (uint32_t i = 0; i < n && i < s->inline_slots; i++)
                        STORE_RELEASE(attrs_inline(o, s->slots_offset, i), ABSENT);
                    if (block & 1) {
                        AttrBlock *b = (AttrBlock *)(uintptr_t)(block & ~(Value)1);
                        for (size_t i = 0; i < b->capacity; i++)
                            STORE_RELEASE(&b->items[i], ABSENT);
                    }
                    done = true;
                }
                structure_end(&cs);
                if (done) {
                    for (uint32_t i = 0; i < n; i++)
                        release(vals[i]); /* the slots' own references */
                    if (block & 1)
                        block_retire(o, (void *)(uintptr_t)(block & ~(Value)1));
                }
            }
        }
        for (uint32_t i = 0; i < n; i++)
            release(vals[i]);
        if (done)
            return d;
        if (ok && !d)
            return ABSENT;
        release(d);
    }
}

int attrs_set_dict(Value o, Value dict) {
    Value d = attrs_dict(o);
    if (!d)
        return -1;
    release(d);
    ExclCs cs;
    excl_cs_begin(&cs, o);
    Value old = ref_swap(o, (Ref *)attrs_word(o), retained(dict));
    excl_cs_end(&cs);
    release(old);
    return 0;
}

/* ---- for the collectors ---- */

static void visit_slot_members(Object *o, const Type *t, VisitFn visit, void *arg) {
    for (; t && t->flags & TF_HEAP; t = t->base)
        for (const MemberDef *m = t->slot_members; m && m->name; m++)
            visit(ref_peek((Ref *)((char *)o + m->offset)), arg);
}

void obj_traverse(Object *o, VisitFn visit, void *arg) {
    Value v = V_OF(o);
    const Shape *s = v_shape(v);
    const Type *t = s->type;
    if (s->ops && s->ops->traverse)
        s->ops->traverse(v, visit, arg);
    if (t->flags & TF_HEAP) {
        visit(V_OF(t), arg);
        visit_slot_members(o, t, visit, arg);
    }
    if (!(t->flags & TF_HAS_DICT))
        return;
    Value w = LOAD_RELAXED(attrs_word(v));
    if (s->flags & SF_DICT_MODE) {
        if (w && !(w & 1))
            visit(w, arg);
        return;
    }
    uint32_t n = s->n_attrs < s->inline_slots ? s->n_attrs : s->inline_slots;
    for (uint32_t i = 0; i < n; i++)
        visit(ref_peek(attrs_inline(v, s->slots_offset, i)), arg);
    if (w & 1) {
        AttrBlock *b = (AttrBlock *)(uintptr_t)(w & ~(Value)1);
        for (size_t i = 0; i < b->capacity; i++)
            visit(ref_peek(&b->items[i]), arg);
    }
}

void obj_free_attrs(Object *o) {
    const Shape *s = v_shape(V_OF(o));
    if (!(s->type->flags & TF_HAS_DICT) || s->flags & SF_DICT_MODE)
        return;
    Value w = LOAD_RELAXED(attrs_word(V_OF(o)));
    if (w & 1)
        heap_block_free((void *)(uintptr_t)(w & ~(Value)1));
}

void obj_clear_refs(Object *o) {
    Value v = V_OF(o);
    const Shape *s = v_shape(v);
    const Type *t = s->type;
    for (const Type *p = t; p->flags & TF_HEAP; p = p->base) /* the last one, object, is none */
        for (const MemberDef *m = p->slot_members; m && m->name; m++)
            ref_clear(v, (Ref *)((char *)o + m->offset));
    if (t->flags & TF_HAS_DICT) {
        _Atomic(Value) *wp = attrs_word(v);
        Value w = LOAD_RELAXED(wp);
        if (s->flags & SF_DICT_MODE) {
            if (w && !(w & 1))
                ref_clear(v, (Ref *)wp);
        } else {
            uint32_t n = s->n_attrs < s->inline_slots ? s->n_attrs : s->inline_slots;
            for (uint32_t i = 0; i < n; i++)
                ref_clear(v, attrs_inline(v, s->slots_offset, i));
            if (w & 1) {
                AttrBlock *b = (AttrBlock *)(uintptr_t)(w & ~(Value)1);
                for (size_t i = 0; i < b->capacity; i++)
                    ref_clear(v, &b->items[i]);
                STORE_RELEASE(wp, ABSENT);
                block_retire(v, b);
            }
        }
    }
    if (s->ops && s->ops->clear)
        s->ops->clear(v);
}

/* ---- inline caches ---- */

static bool is_data_descr(Value cv) {
    Type *ct = type_of(cv);
    return type_special(ct, SP_SET) || type_special(ct, SP_DELETE);
}
static bool cacheable_value(Value v) {
    return !v_is_obj(v) || count_is_uncounted(v_obj(v)); /* where nothing is counted, all are */
}

/* The member's Ref offset when cv is a __slots__ descriptor of plain references that applies to t; else 0. */
static uint32_t member_offset(Value cv, Type *t) {
    if (!v_is_exact(cv, IDX_MEMBER))
        return 0;
    MemberDescr *m = (MemberDescr *)cv;
    return m->def->kind == MK_REF && type_is_subtype(t, m->owner) ? m->def->offset : 0;
}

/* Through the property's field r, where it may be cached. */
static void found_property(Ref *r, AttrLoc *out) {
    Value f = ref_peek(r);
    if (f && f != V_NONE && cacheable_value(f)) {
        out->kind = ATTR_PROPERTY;
        out->value = f;
    }
}

void attr_find(Value o, Value name, AttrLoc *out) {
    memset(out, 0, sizeof *out);
    if (!v_is_obj(o))
        return;
    uint32_t idx = index_acquire(o);
    const Shape *s = shape_at(idx);
    Type *t = s->type;
    out->shape = idx;
    out->version = LOAD_ACQUIRE(&t->version);
    if (v_is_exact(o, IDX_MODULE)) {
        out->kind = ATTR_MODULE;
        return;
    }
    if (!(t->flags & TF_GENERIC_GETATTR) || !out->version)
        return;
    Value cv = type_lookup(t, name);
    bool keep = cv && cacheable_value(cv);
    out->value = keep ? cv : ABSENT;
    release(cv); /* uncounted objects are freed in stopped worlds only: the caller stores the value before its next
                    safepoint */
    if (cv && !keep && type_special(type_of(cv), SP_GET))
        return;
    if (cv && is_data_descr(cv)) {
        uint32_t off = member_offset(cv, t);
        if (off) {
            out->kind = ATTR_MEMBER;
            out->slot = off;
        } else if (v_is_exact(cv, IDX_PROPERTY)) {
            found_property(&((Property *)cv)->fget, out);
        } else if (!(type_of(cv)->flags & TF_HEAP)) {
            out->kind = ATTR_GETSET;
        }
        return;
    }
    if (t->flags & TF_HAS_DICT) {
        if (s->flags & SF_DICT_MODE) {
            out->kind = ATTR_DICT;
            return;
        }
        intptr_t slot = shape_find(s, name);
        if (slot >= 0) {
            Ref *r = attrs_slot(o, s, (uint32_t)slot);
            if (!r || ref_peek(r) == ABSENT)
                return;
            out->kind = slot < s->inline_slots ? ATTR_INLINE : ATTR_OVERFLOW;
            out->slot = (uint32_t)(slot < s->inline_slots ? slot : slot - s->inline_slots);
            return;
        }
    }
    if (!keep)
        return;
    if (v_is_exact(cv, IDX_FUNCTION) || v_is_exact(cv, IDX_METHOD_DESCR))
        out->kind = ATTR_METHOD;
    else if (!type_special(type_of(cv), SP_GET))
        out->kind = ATTR_CLASS_VALUE;
}

void attr_find_store(Value o, Value name, AttrLoc *out) {
    memset(out, 0, sizeof *out);
    if (!v_is_obj(o))
        return;
    uint32_t idx = index_acquire(o);
    Shape *s = shape_at(idx);
    Type *t = s->type;
    out->shape = idx;
    out->version = LOAD_ACQUIRE(&t->version);
    if (v_is_exact(o, IDX_MODULE)) {
        out->kind = ATTR_MODULE;
        return;
    }
    if (!(t->flags & TF_GENERIC_SETATTR) || !out->version || !str_is_interned(name))
        return;
    Value cv = type_lookup(t, name);
    if (cv && is_data_descr(cv)) {
        uint32_t off = member_offset(cv, t);
        if (off) {
            out->kind = ATTR_MEMBER;
            out->slot = off;
        } else if (v_is_exact(cv, IDX_PROPERTY) && cacheable_value(cv)) {
            found_property(&((Property *)cv)->fset, out);
        }
        release(cv);
        return;
    }
    release(cv);
    if (!(t->flags & TF_HAS_DICT))
        return;
    if (s->flags & SF_DICT_MODE) {
        out->kind = ATTR_DICT;
        return;
    }
    intptr_t slot = shape_find(s, name);
    if (slot >= 0) {
        out->kind = slot < s->inline_slots ? ATTR_INLINE : ATTR_OVERFLOW;
        out->slot = (uint32_t)(slot < s->inline_slots ? slot : slot - s->inline_slots);
    } else if (s->n_attrs < s->inline_slots) {
        Shape *next = shape_add(s, name);
        if (next) {
            out->kind = ATTR_ADD_INLINE;
            out->slot = s->n_attrs;
            out->next_shape = shape_index(next);
        }
    }
}

#include "object/set.h"

#include "object/dict.h"
#include "object/iter.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/set_impl.h"
#include "object/tuple.h"

static Set *S(Value v) {
    return (Set *)v;
}
static SetBlock *block_of(Value s) {
    return LOAD_RELAXED(&S(s)->block);
}
static size_t len_of(Value s) {
    return LOAD_RELAXED(&S(s)->len);
}

enum { MIN_TABLE = 8, LINEAR_PROBES = 9, PERTURB_SHIFT = 5 };

/* ---- blocks ---- */

static _Atomic(uint64_t) stamp_ranges;
static _Thread_local uint64_t stamp_next;
static uint64_t new_stamp(void) {
    if (UNLIKELY((stamp_next & 0xfff) == 0))
        stamp_next = atomic_fetch_add_explicit(&stamp_ranges, 0x1000, memory_order_relaxed);
    return ++stamp_next;
}

static SetBlock *block_new(size_t table) {
    if (UNLIKELY(table > (SIZE_MAX / 4) / sizeof(SetEntry))) {
        err_no_memory();
        return NULL;
    }
    size_t bytes = sizeof(SetBlock) + table * sizeof(SetEntry);
    SetBlock *b = block_alloc(bytes);
    if (UNLIKELY(!b))
        return NULL;
    memset((void *)b, 0, bytes);
    b->mask = table - 1;
    b->stamp = new_stamp();
    return b;
}
static size_t table_above(size_t n) {
    size_t table = MIN_TABLE;
    while (table <= n)
        table <<= 1;
    return table;
}

/* The probing sequence: runs of LINEAR_PROBES + 1 neighbours where they fit, then a jump. */
typedef struct Walk {
    size_t base, perturb, at, end; /* at: this slot; end: last slot of the run */
} Walk;
static ALWAYS_INLINE void walk_run(Walk *w, size_t mask) {
    w->at = w->base;
    w->end = w->base + LINEAR_PROBES <= mask ? w->base + LINEAR_PROBES : w->base;
}
static ALWAYS_INLINE void walk_start(Walk *w, int64_t hash, size_t mask) {
    w->perturb = (size_t)hash;
    w->base = (size_t)hash & mask;
    walk_run(w, mask);
}
static ALWAYS_INLINE void walk_next(Walk *w, size_t mask) {
    if (w->at++ < w->end)
        return;
    w->perturb >>= PERTURB_SHIFT;
    w->base = (w->base * 5 + 1 + w->perturb) & mask;
    walk_run(w, mask);
}

/* Into an unpublished block, or in the section: steals key, which is not there yet. */
static void insert_clean(SetBlock *b, Value key, int64_t hash) {
    Walk w;
    walk_start(&w, hash, b->mask);
    while (LOAD_RELAXED(&b->entries[w.at].key) != ABSENT)
        walk_next(&w, b->mask);
    STORE_RELAXED(&b->entries[w.at].hash, hash);
    STORE_RELEASE(&b->entries[w.at].key, key);
    b->objects |= v_is_obj(key);
    b->fill++;
}

static ALWAYS_INLINE bool in_use(Value key) {
    return key != ABSENT && key != V_MARK;
}

/* In the section. */
static void install(Value s, SetBlock *nb) {
    SetBlock *old = block_of(s);
    STORE_RELEASE(&S(s)->block, nb); /* pairs with the readers' acquire */
    if (old) {
        if (COUNT_EXACT && readers_unlocked(s))
            for (size_t i = 0; i <= old->mask; i++)
                STORE_RELEASE(&old->entries[i].key, ABSENT);
        block_retire(s, old);
    }
}

/* In the section: room for more than `above` items. */
static int resize(Value s, size_t above) {
    SetBlock *old = block_of(s), *nb = block_new(table_above(above));
    if (!nb)
        return -1;
    heap_note_oversize(v_obj(s), above * sizeof(SetEntry));
    for (size_t i = 0, n = old ? old->mask + 1 : 0; i < n; i++) {
        Value key = LOAD_RELAXED(&old->entries[i].key);
        if (in_use(key))
            insert_clean(nb, key, LOAD_RELAXED(&old->entries[i].hash));
    }
    install(s, nb);
    return 0;
}

/* ---- probing ---- */

enum { MISS, HIT, UNSURE };
typedef struct Probe {
    SetBlock *b;
    Walk w;
    uint64_t stamp;
    Value seen; /* UNSURE: the entry's key, owned; only obj_eq can tell */
} Probe;

static ALWAYS_INLINE void probe_start(Probe *p, SetBlock *b, int64_t hash) {
    p->b = b;
    p->stamp = b->stamp;
    walk_start(&p->w, hash, b->mask);
}
static ALWAYS_INLINE int probe(Probe *p, Value s, Value key, int64_t hash, bool guarded) {
    SetBlock *b = p->b;
    size_t mask = b->mask;
    for (;; walk_next(&p->w, mask)) {
        SetEntry *e = &b->entries[p->w.at];
        Value k = LOAD_ACQUIRE(&e->key); /* pairs with insert_clean: the hash is there */
        if (k == ABSENT)
            return MISS;
        if (k == key)
            return HIT;
        if (LOAD_RELAXED(&e->hash) != hash || k == V_MARK)
            continue;
        int r;
        if (guarded || !readers_unlocked(s)) {
            r = simple_eq(k, key);
            if (r < 0)
                p->seen = retained(k);
        } else {
            Value kept = ref_load(s, &e->key);
            r = kept == k ? simple_eq(k, key) : 0;
            if (r < 0)
                p->seen = kept;
            else
                release(kept);
        }
        if (r != 0)
            return r > 0 ? HIT : UNSURE;
    }
}
static int settle(Probe *p, Value key) {
    int r = obj_eq(p->seen, key);
    release(p->seen);
    return r;
}
static bool still_valid(Probe *p, Value s) {
    return LOAD_ACQUIRE(&S(s)->block) == p->b && p->b->stamp == p->stamp &&
           LOAD_RELAXED(&p->b->entries[p->w.at].key) == p->seen;
}

/* ---- one item ---- */

static NOINLINE int contains_probing(Value s, Value key, int64_t hash) {
    ExclCs cs;
    Probe p;
restart:
    excl_read_begin(&cs, s);
    SetBlock *b = LOAD_ACQUIRE(&S(s)->block);
    if (!b) {
        excl_read_end(&cs);
        return 0;
    }
    probe_start(&p, b, hash);
    for (;;) {
        int r = probe(&p, s, key, hash, !READS_LOCK_FREE);
        if (r == UNSURE) {
            excl_read_end(&cs);
            r = settle(&p, key);
            if (r < 0)
                return -1;
            excl_read_begin(&cs, s);
            if (!still_valid(&p, s)) {
                excl_read_end(&cs);
                goto restart;
            }
            if (r == 0) {
                walk_next(&p.w, b->mask);
                continue;
            }
        }
        bool moved = EXCL_PARALLEL && r != HIT && LOAD_ACQUIRE(&S(s)->block) != b;
        excl_read_end(&cs);
        if (moved)
            goto restart;
        return r == HIT;
    }
}

int set_contains_hashed(Value s, Value key, int64_t hash) {
    SetBlock *b = READS_LOCK_FREE ? LOAD_ACQUIRE(&S(s)->block) : NULL;
    if (LIKELY(b != NULL)) {
        Value k = LOAD_ACQUIRE(&b->entries[(size_t)hash & b->mask].key); /* as in probe */
        if (k == key)
            return 1;
        if (k == ABSENT && (!EXCL_PARALLEL || LOAD_ACQUIRE(&S(s)->block) == b))
            return 0;
    }
    return contains_probing(s, key, hash);
}

/* In the section, after a MISS at p in the block b, which may be NULL. */
static int append_entry(Value s, SetBlock *b, Probe *p, Value key, int64_t hash) {
    if (!b) {
        if ((b = block_new(MIN_TABLE)) == NULL)
            return -1;
        STORE_RELEASE(&S(s)->block, b);
        walk_start(&p->w, hash, b->mask);
    }
    ref_written(s, ABSENT, key);
    SetEntry *e = &b->entries[p->w.at];
    STORE_RELAXED(&e->hash, hash);
    STORE_RELEASE(&e->key, retained(key));
    b->objects |= v_is_obj(key);
    size_t n = len_of(s) + 1;
    STORE_RELEASE(&S(s)->len, n);
    if (++b->fill * 5 < b->mask * 3)
        return 0;
    if (resize(s, n > 50000 ? n * 2 : n * 4) < 0) {
        if (b->fill <= b->mask - 1) { /* it fits still */
            err_clear();
            return 0;
        }
        ref_store(s, &e->key, V_MARK);
        STORE_RELEASE(&S(s)->len, n - 1);
        return -1;
    }
    return 0;
}

/* Adds (1), finds (0), or fails (-1). */
int set_add_hashed(Value s, Value key, int64_t hash) {
    ExclCs cs;
    Probe p;
    excl_cs_begin(&cs, s);
restart:;
    SetBlock *b = block_of(s);
    int r = MISS;
    if (b)
        probe_start(&p, b, hash);
    for (;;) {
        if (b)
            r = probe(&p, s, key, hash, true);
        if (LIKELY(r != UNSURE))
            break;
        excl_cs_end(&cs);
        r = settle(&p, key);
        if (r < 0)
            return -1;
        excl_cs_begin(&cs, s);
        if (!still_valid(&p, s))
            goto restart;
        if (r > 0) {
            r = HIT;
            break;
        }
        walk_next(&p.w, b->mask);
    }
    r = r == HIT ? 0 : append_entry(s, b, &p, key, hash) < 0 ? -1 : 1;
    excl_cs_end(&cs);
    return r;
}

int set_discard_hashed(Value s, Value key, int64_t hash) {
    ExclCs cs;
    Probe p;
    Value old = ABSENT;
    excl_cs_begin(&cs, s);
restart:;
    SetBlock *b = block_of(s);
    if (!b) {
        excl_cs_end(&cs);
        return 0;
    }
    probe_start(&p, b, hash);
    for (;;) {
        int r = probe(&p, s, key, hash, true);
        if (r == UNSURE) {
            excl_cs_end(&cs);
            r = settle(&p, key);
            if (r < 0)
                return -1;
            excl_cs_begin(&cs, s);
            if (!still_valid(&p, s))
                goto restart;
            if (r == 0) {
                walk_next(&p.w, b->mask);
                continue;
            }
        }
        if (r == HIT) {
            old = ref_swap(s, &b->entries[p.w.at].key, V_MARK);
            STORE_RELEASE(&S(s)->len, len_of(s) - 1);
        }
        excl_cs_end(&cs);
        release(old);
        return r == HIT;
    }
}

int set_add_new(Value s, Value v) {
    int64_t h = dict_hash_key(v);
    return h == -1 ? -1 : set_add_hashed(s, v, h);
}
int set_add(Value s, Value v) {
    return set_add_new(s, v) < 0 ? -1 : 0;
}

/* A set is looked for by the hash of its frozen copy. */
static Value frozen_key(Value v) {
    if (!v_has_flag(v, TF_SET) || !err_matches(&exc_TypeError))
        return ABSENT;
    err_clear();
    return frozenset_from(v);
}
int set_contains(Value s, Value v) {
    int64_t h = dict_hash_key(v);
    if (h != -1)
        return set_contains_hashed(s, v, h);
    Value frozen = frozen_key(v);
    if (frozen == ABSENT)
        return -1;
    int r = set_contains(s, frozen);
    release(frozen);
    return r;
}
int set_discard(Value s, Value v) {
    int64_t h = dict_hash_key(v);
    if (h != -1)
        return set_discard_hashed(s, v, h);
    Value frozen = frozen_key(v);
    if (frozen == ABSENT)
        return -1;
    int r = set_discard(s, frozen);
    release(frozen);
    return r;
}

Value set_pop(Value s) {
    ExclCs cs;
    Value v = ABSENT;
    excl_cs_begin(&cs, s);
    SetBlock *b = block_of(s);
    if (b && len_of(s)) {
        size_t i = b->finger & b->mask;
        while (!in_use(LOAD_RELAXED(&b->entries[i].key)))
            i = i == b->mask ? 0 : i + 1;
        v = ref_swap(s, &b->entries[i].key, V_MARK);
        STORE_RELEASE(&S(s)->len, len_of(s) - 1);
        b->finger = (uint32_t)(i + 1);
    }
    excl_cs_end(&cs);
    return v != ABSENT ? v : err_set(&exc_KeyError, "pop from an empty set");
}

void set_clear(Value s) {
    ExclCs cs;
    excl_cs_begin(&cs, s);
    SetBlock *b = block_of(s);
    STORE_RELEASE(&S(s)->len, 0);
    STORE_RELEASE(&S(s)->block, NULL);
    for (size_t i = 0, n = b ? b->mask + 1 : 0; i < n; i++)
        ref_store(s, &b->entries[i].key, ABSENT);
    block_retire(s, b);
    excl_cs_end(&cs);
}

bool set_next_hashed(Value s, intptr_t *pos, Value *item, int64_t *hash) {
    ExclCs cs;
    bool found = false;
    intptr_t first = *pos;
    excl_read_begin(&cs, s);
    for (;;) {
        SetBlock *b = LOAD_ACQUIRE(&S(s)->block);
        intptr_t i = first, n = b ? (intptr_t)b->mask + 1 : 0;
        for (; i < n; i++) {
            SetEntry *e = &b->entries[i];
            if (!in_use(LOAD_ACQUIRE(&e->key)))
                continue;
            Value v = ref_load(s, &e->key);
            if (in_use(v)) {
                *item = v;
                if (hash)
                    *hash = LOAD_RELAXED(&e->hash);
                found = true;
                break;
            }
        }
        *pos = i + 1;
        if (found || !EXCL_PARALLEL || LOAD_ACQUIRE(&S(s)->block) == b)
            break;
    }
    excl_read_end(&cs);
    return found;
}
bool set_next(Value s, intptr_t *pos, Value *item) {
    return set_next_hashed(s, pos, item, NULL);
}

/* ---- many items ---- */

/* s |= src in one section, as far as no Python code is needed: the position in src where it stopped, -1 done, -2 error.
 */
static intptr_t merge_atomic(Value s, Value src) {
    ExclCs cs;
    intptr_t at = -1;
    excl_cs_begin2(&cs, s, src);
    SetBlock *sb = block_of(src), *b = block_of(s);
    size_t n = len_of(src);
    if (!sb || n == 0)
        goto done;
    size_t fill = b ? b->fill : 0, mask = b ? b->mask : MIN_TABLE - 1;
    if ((fill + n) * 5 >= mask * 3) {
        if (resize(s, (len_of(s) + n) * 2) < 0)
            goto fail;
    } else if (!b) {
        if ((b = block_new(MIN_TABLE)) == NULL)
            goto fail;
        STORE_RELEASE(&S(s)->block, b);
    }
    b = block_of(s);
    if (b->fill == 0) {
        if (b->mask == sb->mask && sb->fill == n) {
            b->objects = sb->objects;
            b->fill = n;
            if (!b->objects && !readers_unlocked(s)) {
                memcpy((void *)b->entries, (void *)sb->entries, (b->mask + 1) * sizeof *b->entries);
            } else {
                for (size_t i = 0; i <= b->mask; i++) {
                    publish_into(s, LOAD_RELAXED(&sb->entries[i].key));
                    STORE_RELAXED(&b->entries[i].hash, LOAD_RELAXED(&sb->entries[i].hash));
                    STORE_RELEASE(&b->entries[i].key, retained(LOAD_RELAXED(&sb->entries[i].key)));
                }
            }
        } else {
            for (size_t i = 0; i <= sb->mask; i++) {
                Value key = LOAD_RELAXED(&sb->entries[i].key);
                if (in_use(key)) {
                    publish_into(s, key);
                    insert_clean(b, retained(key), LOAD_RELAXED(&sb->entries[i].hash));
                }
            }
        }
        STORE_RELEASE(&S(s)->len, n);
        goto done;
    }
    for (size_t i = 0; i <= sb->mask; i++) {
        Value key = LOAD_RELAXED(&sb->entries[i].key);
        int64_t hash = LOAD_RELAXED(&sb->entries[i].hash);
        Probe p;
        if (!in_use(key))
            continue;
        probe_start(&p, block_of(s), hash);
        int r = probe(&p, s, key, hash, true);
        if (r == UNSURE) {
            release(p.seen);
            at = (intptr_t)i;
            break;
        }
        if (r == MISS && append_entry(s, p.b, &p, key, hash) < 0)
            goto fail;
    }
done:
    excl_cs_end(&cs);
    return at;
fail:
    excl_cs_end(&cs);
    return -2;
}

static int merge_set(Value s, Value src) {
    if (s == src)
        return 0;
    intptr_t pos = merge_atomic(s, src);
    Value key;
    int64_t hash;
    if (pos < 0)
        return pos == -1 ? 0 : -1;
    while (set_next_hashed(src, &pos, &key, &hash)) {
        int r = set_add_hashed(s, key, hash);
        release(key);
        if (r < 0)
            return -1;
    }
    return 0;
}

Value set_with(Value s, Value v) {
    int64_t h = dict_hash_key(v);
    Value r = h == -1 ? ABSENT : set_copy(s);
    if (r == ABSENT)
        return ABSENT;
    SetBlock *b = block_of(r); /* nobody else has r */
    bool ok = !b || (b->fill + 1) * 5 < b->mask * 3 || resize(r, (len_of(r) + 1) * 2) == 0;
    if (!ok || set_add_hashed(r, v, h) < 0) {
        release(r);
        return ABSENT;
    }
    return r;
}

int set_update(Value s, Value iterable) {
    if (v_is_set(iterable))
        return merge_set(s, iterable);
    if (v_is_dict_exact(iterable)) {
        ExclCs cs;
        excl_cs_begin(&cs, s);
        SetBlock *b = block_of(s);
        size_t n = (size_t)dict_len(iterable), fill = b ? b->fill : 0, mask = b ? b->mask : MIN_TABLE - 1;
        int r = (fill + n) * 5 >= mask * 3 ? resize(s, (len_of(s) + n) * 2) : 0;
        excl_cs_end(&cs);
        intptr_t pos = 0;
        Value key;
        int64_t hash;
        while (r >= 0 && dict_next_hashed(iterable, &pos, &key, NULL, &hash)) {
            r = set_add_hashed(s, key, hash);
            release(key);
        }
        return r < 0 ? -1 : 0;
    }
    Value it = obj_iter(iterable), item;
    if (it == ABSENT)
        return -1;
    NextFn next = iter_next_fn(it);
    for (size_t steps = 1; (item = next ? next(it) : obj_next(it)) != ABSENT; steps++) {
        int r = set_add(s, item);
        release(item);
        if (r < 0 || ((steps & 1023) == 0 && excl_poll() < 0))
            break;
    }
    release(it);
    return err_pending() ? -1 : 0;
}

int set_difference_update(Value s, Value iterable) {
    if (iterable == s) {
        set_clear(s);
        return 0;
    }
    Value item;
    if (v_is_set(iterable)) {
        intptr_t pos = 0;
        int64_t hash;
        while (set_next_hashed(iterable, &pos, &item, &hash)) {
            int r = set_discard_hashed(s, item, hash);
            release(item);
            if (r < 0)
                return -1;
        }
    } else {
        Value it = obj_iter(iterable);
        if (it == ABSENT)
            return -1;
        while ((item = obj_next(it)) != ABSENT) {
            int64_t h = dict_hash_key(item);
            int r = h == -1 ? -1 : set_discard_hashed(s, item, h);
            release(item);
            if (r < 0)
                break;
        }
        release(it);
        if (err_pending())
            return -1;
    }
    /* Tombstones in more than a quarter of the table: compact it. */
    ExclCs cs;
    int r = 0;
    excl_cs_begin(&cs, s);
    SetBlock *b = block_of(s);
    if (b && (b->fill - len_of(s)) * 4 > b->mask)
        r = resize(s, len_of(s) > 50000 ? len_of(s) * 2 : len_of(s) * 4);
    excl_cs_end(&cs);
    return r;
}

int set_symmetric_difference_update(Value s, Value iterable) {
    if (iterable == s) {
        set_clear(s);
        return 0;
    }
    Value other = v_is_set(iterable) ? retained(iterable) : set_from(iterable), item;
    if (other == ABSENT)
        return -1;
    intptr_t pos = 0;
    int64_t hash;
    int r = 0;
    while (r >= 0 && set_next_hashed(other, &pos, &item, &hash)) {
        r = set_discard_hashed(s, item, hash);
        if (r == 0)
            r = set_add_hashed(s, item, hash);
        release(item);
    }
    release(other);
    return r < 0 ? -1 : 0;
}

/* What s holds afterwards is what the unpublished set tmp holds; tmp is left with the old contents. */
void set_swap_contents(Value s, Value tmp) {
    ExclCs cs;
    excl_cs_begin2(&cs, s, tmp);
    SetBlock *a = block_of(s), *b = block_of(tmp);
    size_t n = len_of(s);
    for (size_t i = 0; b && obj_is_shared(s) && i <= b->mask; i++)
        publish_into(s, LOAD_RELAXED(&b->entries[i].key));
    if (COUNT_EXACT && readers_unlocked(s) && a) {
        /* Readers may be in a: it is not given to tmp but emptied into a copy, whose failure leaves the items to the
         * collector's mercy. */
        SetBlock *copy = block_alloc(sizeof(SetBlock) + (a->mask + 1) * sizeof(SetEntry));
        if (copy)
            memcpy((void *)copy, (void *)a, sizeof(SetBlock) + (a->mask + 1) * sizeof(SetEntry));
        else
            err_clear();
        STORE_RELEASE(&S(s)->block, b);
        for (size_t i = 0; i <= a->mask; i++)
            STORE_RELEASE(&a->entries[i].key, ABSENT);
        block_retire(s, a);
        a = copy;
    } else {
        STORE_RELEASE(&S(s)->block, b);
    }
    STORE_RELEASE(&S(s)->len, len_of(tmp));
    STORE_RELEASE(&S(tmp)->block, a);
    STORE_RELEASE(&S(tmp)->len, a ? n : 0);
    excl_cs_end(&cs);
}

/* ---- making ---- */

Value set_new_type(Type *t) {
    Value s = obj_new(t);
    if (s != ABSENT) {
        STORE_RELAXED(&S(s)->hash, -1);
        trace_track(v_obj(s));
    }
    return s;
}
Value set_new(void) {
    return set_new_type(&set_type);
}

Value set_make(Type *t, Value iterable) {
    Value s = set_new_type(t);
    if (s != ABSENT && iterable != ABSENT && set_update(s, iterable) < 0) {
        release(s);
        return ABSENT;
    }
    return s;
}
Value set_from(Value iterable) {
    return set_make(&set_type, iterable);
}
Value frozenset_from(Value iterable) {
    if (v_is_exact(iterable, IDX_FROZENSET))
        return retained(iterable);
    return set_make(&frozenset_type, iterable);
}
Value set_copy(Value s) {
    return set_make(v_has_flag(s, TF_FROZENSET) ? &frozenset_type : &set_type, s);
}

Value set_to_list(Value s) {
    ExclCs cs;
    excl_cs_begin(&cs, s);
    SetBlock *b = block_of(s);
    intptr_t n = set_len(s), k = 0;
    Value items = scratch_new(n), l = ABSENT;
    for (size_t i = 0; items != ABSENT && k < n; i++) {
        Value key = LOAD_RELAXED(&b->entries[i].key);
        if (in_use(key))
            tuple_init_item(items, k++, retained(key));
    }
    excl_cs_end(&cs);
    if (items != ABSENT)
        l = list_from(tuple_items(items), n);
    release(items);
    return l;
}

/* ---- comparison ---- */

int set_issubset(Value s, Value other) {
    if (set_len(s) > set_len(other))
        return 0;
    intptr_t pos = 0;
    Value item;
    int64_t hash;
    int r = 1;
    while (r > 0 && set_next_hashed(s, &pos, &item, &hash)) {
        r = set_contains_hashed(other, item, hash);
        release(item);
    }
    return r;
}
int set_equal(Value a, Value b) {
    if (a == b)
        return 1;
    if (set_len(a) != set_len(b))
        return 0;
    int64_t x = LOAD_RELAXED(&S(a)->hash), y = LOAD_RELAXED(&S(b)->hash);
    if (x != -1 && y != -1 && x != y)
        return 0;
    return set_issubset(a, b);
}

/* Of the hashes of the items, in any order; CPython's mixing. */
int64_t set_hash(Value s) {
    int64_t cached = LOAD_RELAXED(&S(s)->hash);
    if (cached != -1)
        return cached;
    uint64_t h = 0;
    intptr_t pos = 0;
    Value item;
    int64_t hash;
    while (set_next_hashed(s, &pos, &item, &hash)) {
        release(item);
        h ^= (((uint64_t)hash ^ 89869747u) ^ ((uint64_t)hash << 16)) * 3644798167u;
    }
    h ^= ((uint64_t)set_len(s) + 1) * 1927868237u;
    h ^= (h >> 11) ^ (h >> 25);
    h = h * 69069u + 907133923u;
    if (h == (uint64_t)-1)
        h = 590923713u;
    STORE_RELAXED(&S(s)->hash, (int64_t)h);
    return (int64_t)h;
}

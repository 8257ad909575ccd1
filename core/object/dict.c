#include "object/dict.h"

#include "object/iter.h"
#include "object/list.h"
#include "object/refs.h"
#include "object/str.h"
#include "object/tuple.h"

static Dict *D(Value v) {
    return (Dict *)v;
}
static DictBlock *block_of(Value d) {
    return LOAD_RELAXED(&D(d)->block);
}
static size_t len_of(Value d) {
    return LOAD_RELAXED(&D(d)->len);
}

/* ---- stamps ---- */

/* Threads take stamps in ranges, so that two blocks of different threads do not share one. */
enum { STAMP_RANGE = 4096 };
static _Atomic(uint32_t) stamp_ranges;
static _Thread_local uint32_t stamp_next;
static _Atomic(uint32_t) layout_ids;

static uint32_t new_stamp(void) {
    if (UNLIKELY(stamp_next % STAMP_RANGE == 0))
        stamp_next = atomic_fetch_add_explicit(&stamp_ranges, STAMP_RANGE, memory_order_relaxed);
    return ++stamp_next & ~DICT_ID_BIT;
}
/* 0 when they have run out: then nothing is cached any more. */
static uint32_t new_layout_id(void) {
    uint32_t id = LOAD_RELAXED(&layout_ids);
    do {
        if (id == DICT_ID_BIT - 1)
            return 0;
    } while (
        !atomic_compare_exchange_weak_explicit(&layout_ids, &id, id + 1, memory_order_relaxed, memory_order_relaxed));
    return (id + 1) | DICT_ID_BIT;
}

/* ---- blocks ---- */

#define MAX_ENTRIES ((size_t)0x55000000)

/* The table holds entry numbers counted from 1; 0 is empty. */
static ALWAYS_INLINE void *table_of(DictBlock *b) {
    return b->entries + b->capacity;
}
static ALWAYS_INLINE size_t table_bytes(size_t mask) {
    return (mask + 1) << (mask <= 0xff ? 0 : mask <= 0xffff ? 1 : 2);
}

static ALWAYS_INLINE uint32_t table_get(DictBlock *b, size_t mask, size_t i) {
    if (mask <= 0xff)
        return LOAD_ACQUIRE(&((_Atomic(uint8_t) *)table_of(b))[i]); /* pairs with table_set: the entry is complete */
    if (mask <= 0xffff)
        return LOAD_ACQUIRE(&((_Atomic(uint16_t) *)table_of(b))[i]);
    return LOAD_ACQUIRE(&((_Atomic(uint32_t) *)table_of(b))[i]);
}
static ALWAYS_INLINE void table_set(DictBlock *b, size_t mask, size_t i, uint32_t n) {
    if (mask <= 0xff)
        STORE_RELEASE(&((_Atomic(uint8_t) *)table_of(b))[i], (uint8_t)n);
    else if (mask <= 0xffff)
        STORE_RELEASE(&((_Atomic(uint16_t) *)table_of(b))[i], (uint16_t)n);
    else
        STORE_RELEASE(&((_Atomic(uint32_t) *)table_of(b))[i], n);
}

/* Two thirds of the table; three of four in the smallest. */
static size_t usable(size_t table) {
    return table == 4 ? 3 : table * 2 / 3;
}
static size_t table_for(size_t n) {
    size_t table = 4;
    while (usable(table) < n)
        table <<= 1;
    return table;
}

/* A block with a table of that size (a power of two). Its entries are not initialised. */
static DictBlock *block_new(size_t table) {
    size_t cap = usable(table);
    if (UNLIKELY(cap > MAX_ENTRIES)) {
        err_no_memory();
        return NULL;
    }
    size_t tb = table_bytes(table - 1);
    DictBlock *b = block_alloc(sizeof(DictBlock) + cap * sizeof(DictEntry) + tb);
    if (UNLIKELY(!b))
        return NULL;
    b->capacity = (uint32_t)cap;
    b->mask = (uint32_t)(table - 1);
    STORE_RELAXED(&b->used, 0);
    STORE_RELAXED(&b->stamp, new_stamp());
    memset(table_of(b), 0, tb);
    return b;
}

static ALWAYS_INLINE size_t next_slot(size_t i, size_t *perturb, size_t mask) {
    *perturb >>= 5;
    return (i * 5 + *perturb + 1) & mask;
}

static size_t free_slot(DictBlock *b, int64_t hash) {
    size_t mask = b->mask, perturb = (size_t)hash, i = perturb & mask;
    while (table_get(b, mask, i))
        i = next_slot(i, &perturb, mask);
    return i;
}

/* Fills entry `used` of a block and publishes its number in table slot i. Steals key and v. */
static ALWAYS_INLINE void put(DictBlock *b, size_t i, Value key, int64_t hash, Value v) {
    uint32_t ix = LOAD_RELAXED(&b->used);
    DictEntry *e = &b->entries[ix];
    STORE_RELAXED(&e->hash, hash);
    STORE_RELAXED(&e->value, v);
    STORE_RELAXED(&e->key, key);
    STORE_RELEASE(&b->used, ix + 1); /* iterators that see the count see the entry */
    table_set(b, b->mask, i, ix + 1);
}

/* In the section: nb, which owns the items, becomes the block. */
static void install(Value d, DictBlock *nb) {
    DictBlock *old = block_of(d);
    STORE_RELEASE(&D(d)->block, nb); /* pairs with the readers' acquire */
    if (old) {
        if (COUNT_EXACT && readers_unlocked(d))
            for (uint32_t i = 0, n = LOAD_RELAXED(&old->used); i < n; i++) {
                STORE_RELEASE(&old->entries[i].key, ABSENT);
                STORE_RELEASE(&old->entries[i].value, ABSENT);
            }
        block_retire(d, old);
    }
}

static bool live(const DictEntry *e) {
    return LOAD_RELAXED((Ref *)&e->value) != ABSENT;
}

/* In the section: a new block with room for n entries, without tombstones and holes. */
static int resize(Value d, size_t n) {
    DictBlock *old = block_of(d), *nb = block_new(table_for(n));
    if (!nb)
        return -1;
    heap_note_oversize(v_obj(d), n * sizeof(DictEntry));
    for (uint32_t i = 0, used = old ? LOAD_RELAXED(&old->used) : 0; i < used; i++) {
        DictEntry *e = &old->entries[i];
        int64_t hash = LOAD_RELAXED(&e->hash);
        if (live(e))
            put(nb, free_slot(nb, hash), LOAD_RELAXED(&e->key), hash, LOAD_RELAXED(&e->value));
        else
            release(LOAD_RELAXED(&e->key)); /* a hole's name; tombstones are constants */
    }
    install(d, nb);
    return 0;
}
/* Three times what is live, as CPython: doubles a full table, shrinks one that is mostly tombstones. */
static int grow(Value d) {
    return resize(d, usable(table_for(MAX(len_of(d) * 2, 5))));
}

/* ---- probing ---- */

enum { MISS, HIT, UNSURE };

typedef struct Probe {
    DictBlock *b;
    size_t i, perturb;
    uint32_t ix; /* HIT, UNSURE: the entry */
    uint32_t stamp;
    Value seen; /* UNSURE: its key, owned; only obj_eq can tell */
} Probe;

static ALWAYS_INLINE void probe_start(Probe *p, DictBlock *b, int64_t hash) {
    p->b = b;
    p->perturb = (size_t)hash;
    p->i = p->perturb & b->mask;
    p->stamp = LOAD_RELAXED(&b->stamp);
}

/* Goes on from p->i. guarded: the section is held, or nobody else can write. */
static ALWAYS_INLINE int probe(Probe *p, Value d, Value key, int64_t hash, bool guarded) {
    DictBlock *b = p->b;
    size_t mask = b->mask, i = p->i, perturb = p->perturb;
    int result;
    for (;; i = next_slot(i, &perturb, mask)) {
        uint32_t n = table_get(b, mask, i);
        if (n == 0) {
            result = MISS;
            break;
        }
        DictEntry *e = &b->entries[n - 1];
        Value k = LOAD_ACQUIRE(&e->key);
        if (k == key) {
            p->ix = n - 1;
            result = HIT;
            break;
        }
        if (LOAD_RELAXED(&e->hash) != hash || k == V_MARK || k == ABSENT)
            continue;
        int r;
        if (guarded || !readers_unlocked(d)) {
            r = LIKELY(v_is_exact(k, IDX_STR) && v_is_exact(key, IDX_STR)) ? str_equal_text(k, key) : simple_eq(k, key);
            if (r < 0)
                p->seen = retained(k);
        } else {
            Value kept = ref_load(d, &e->key);
            r = kept == k ? simple_eq(k, key) : 0;
            if (r < 0)
                p->seen = kept;
            else
                release(kept);
        }
        if (r == 0)
            continue;
        p->ix = n - 1;
        result = r > 0 ? HIT : UNSURE;
        break;
    }
    p->i = i;
    p->perturb = perturb;
    return result;
}
static void probe_advance(Probe *p) {
    p->i = next_slot(p->i, &p->perturb, p->b->mask);
}

/* Outside of sections: __eq__ of the entry's key and the wanted one. */
static int settle(Probe *p, Value key) {
    int r = obj_eq(p->seen, key);
    release(p->seen); /* its address is still compared: entries never change hands */
    return r;
}
/* After settle, in the section (or protected) again: whether the probe may go on. */
static bool still_valid(Probe *p, Value d) {
    return LOAD_ACQUIRE(&D(d)->block) == p->b && LOAD_RELAXED(&p->b->stamp) == p->stamp &&
           LOAD_RELAXED(&p->b->entries[p->ix].key) == p->seen;
}

/* True when the key's hash was had without a call. */
static ALWAYS_INLINE bool hash_at_hand(Value key, int64_t *hash) {
    const int64_t modulus = ((int64_t)1 << 61) - 1;
    if (v_is_int(key)) { /* as int_hash */
        *hash = v_int(key);
        return LIKELY(*hash > -modulus && *hash < modulus && *hash != -1);
    }
    if (!v_is_exact(key, IDX_STR))
        return false;
    *hash = LOAD_RELAXED(&((Str *)key)->hash);
    return LIKELY(*hash != 0);
}
int64_t dict_hash_key(Value key) {
    int64_t hash;
    if (hash_at_hand(key, &hash))
        return hash;
    if (v_is_exact(key, IDX_STR))
        return str_hash(key);
    if (v_is_exact(key, IDX_TUPLE))
        return tuple_hash(key);
    return obj_hash(key);
}

/* The entry of key as far as identity, hashes and simple_eq tell; NULL: the search ended at the empty *slot of the
 * table; UNTOLD: only a comparison that may run Python code can tell. The entry may have lost its value. guarded as in
 * probe; without it keys are not compared. */
static DictEntry untold;
#define UNTOLD (&untold)
static NOINLINE DictEntry *find_equal(DictBlock *b, Value key, int64_t hash, size_t i, size_t perturb, size_t *slot) {
    Probe p = {.b = b, .i = i, .perturb = perturb};
    switch (probe(&p, ABSENT, key, hash, true)) {
    case HIT:
        return &b->entries[p.ix];
    case MISS:
        *slot = p.i;
        return NULL;
    default:
        release(p.seen);
        return UNTOLD;
    }
}
static ALWAYS_INLINE DictEntry *find(DictBlock *b, Value key, int64_t hash, bool guarded, size_t *slot) {
    size_t mask = b->mask, perturb = (size_t)hash, i = perturb & mask;
    for (;; i = next_slot(i, &perturb, mask)) {
        uint32_t n = table_get(b, mask, i);
        if (n == 0) {
            *slot = i;
            return NULL;
        }
        DictEntry *e = &b->entries[n - 1];
        if (LIKELY(LOAD_ACQUIRE(&e->key) == key))
            return e;
        if (UNLIKELY(LOAD_RELAXED(&e->hash) == hash))
            return guarded ? find_equal(b, key, hash, i, perturb, slot) : UNTOLD;
    }
}

/* ---- reading ---- */

static NOINLINE int lookup_probing(Value d, Value key, int64_t hash, Value *out) {
    ExclCs cs;
    Probe p = {0};
restart:
    excl_read_begin(&cs, d);
    DictBlock *b = LOAD_ACQUIRE(&D(d)->block);
    if (!b) {
        excl_read_end(&cs);
        return 0;
    }
    probe_start(&p, b, hash);
    for (;;) {
        int r = probe(&p, d, key, hash, !READS_LOCK_FREE);
        if (r == UNSURE) {
            excl_read_end(&cs);
            r = settle(&p, key);
            if (r < 0)
                return -1;
            excl_read_begin(&cs, d);
            if (!still_valid(&p, d)) {
                excl_read_end(&cs);
                goto restart;
            }
            if (r == 0) {
                probe_advance(&p);
                continue;
            }
            r = HIT;
        }
        Value v = r == HIT ? ref_load(d, &b->entries[p.ix].value) : ABSENT;
        if (LIKELY(v != ABSENT)) {
            excl_read_end(&cs);
            *out = v;
            return 1;
        }
        bool moved = EXCL_PARALLEL && LOAD_ACQUIRE(&D(d)->block) != b;
        excl_read_end(&cs);
        if (moved)
            goto restart;
        return 0;
    }
}

/* 1: *out is owned; 0: *out is unchanged; -1. What identity and hashes tell is told without a call. */
static int lookup_hashed(Value d, Value key, int64_t hash, Value *out) {
    DictBlock *b = READS_LOCK_FREE ? LOAD_ACQUIRE(&D(d)->block) : NULL;
    if (LIKELY(b != NULL)) {
        size_t slot;
        DictEntry *e = find(b, key, hash, !readers_unlocked(d), &slot);
        if (e == NULL) {
            if (!EXCL_PARALLEL || LIKELY(LOAD_ACQUIRE(&D(d)->block) == b))
                return 0;
        } else {
            Value v = LOAD_ACQUIRE(&e->value); /* UNTOLD has none */
            if (LIKELY(v != ABSENT && ref_load_quick(&e->value, v))) {
                *out = v;
                return 1;
            }
        }
    }
    return lookup_probing(d, key, hash, out);
}

Value dict_get_quick(Value d, Value key) {
    int64_t hash;
    DictBlock *b = READS_LOCK_FREE || excl_alone(d) ? LOAD_ACQUIRE(&D(d)->block) : NULL;
    if (UNLIKELY(b == NULL || !hash_at_hand(key, &hash)))
        return ABSENT;
    size_t slot;
    DictEntry *e = find(b, key, hash, !readers_unlocked(d), &slot);
    Value v = LIKELY(e != NULL) ? LOAD_ACQUIRE(&e->value) : ABSENT;
    if (!READS_LOCK_FREE)
        return retained(v);
    return LIKELY(v != ABSENT && ref_load_quick(&e->value, v)) ? v : ABSENT;
}

int dict_lookup(Value d, Value key, Value *out) {
    int64_t h = dict_hash_key(key);
    *out = ABSENT;
    return UNLIKELY(h == -1) ? -1 : lookup_hashed(d, key, h, out);
}
Value dict_get_hashed(Value d, Value key, int64_t hash) {
    Value v = ABSENT;
    lookup_hashed(d, key, hash, &v);
    return v;
}
Value dict_get(Value d, Value key) {
    Value v;
    dict_lookup(d, key, &v);
    return v;
}
Value dict_get_str(Value d, const char *key) {
    Value k = str_from_c(key), v = ABSENT;
    if (k != ABSENT) {
        dict_lookup(d, k, &v);
        release(k);
    }
    return v;
}
int dict_contains(Value d, Value key) {
    Value v;
    int r = dict_lookup(d, key, &v);
    release(v);
    return r;
}

/* Key and value of entry e (owned where asked for); false when it is none (any more). */
static bool entry_load(Value d, DictEntry *e, Value *key, Value *value) {
    if (LOAD_ACQUIRE(&e->value) == ABSENT)
        return false;
    Value v = value ? ref_load(d, &e->value) : V_NONE;
    if (v == ABSENT)
        return false;
    Value k = key ? ref_load(d, &e->key) : V_NONE;
    if (k == ABSENT || k == V_MARK) {
        if (value)
            release(v);
        return false;
    }
    if (key)
        *key = k;
    if (value)
        *value = v;
    return true;
}

/* Entries before the front are dead for ever. Once many are, the hash of entry 0, a tombstone, remembers it (negative),
 * so that taking items from the front one after another is linear. */
static intptr_t front(DictBlock *b, intptr_t n) {
    int64_t link = LOAD_RELAXED(&b->entries[0].hash);
    if (LIKELY(link >= 0) || LOAD_RELAXED(&b->entries[0].key) != V_MARK)
        return 0;
    return MIN((intptr_t)~link, n);
}
/* Without the section: a negative hash may be that of a key which is being buried. */
static intptr_t front_for_reader(Value d, DictBlock *b, intptr_t n) {
    intptr_t at = front(b, n);
    if (LIKELY(at == 0) || !readers_unlocked(d))
        return at;
    excl_leaf_lock(d);
    at = front(b, n);
    excl_leaf_unlock(d);
    return at;
}
static void set_front(DictBlock *b, intptr_t at) {
    if (LOAD_RELAXED(&b->entries[0].key) == V_MARK)
        STORE_RELAXED(&b->entries[0].hash, ~(int64_t)at);
}

static ALWAYS_INLINE bool next_entry(Value d, intptr_t *pos, Value *key, Value *value, int64_t *hash) {
    ExclCs cs;
    bool found = false;
    intptr_t i = *pos;
    excl_read_begin(&cs, d);
    for (;;) {
        DictBlock *b = LOAD_ACQUIRE(&D(d)->block);
        intptr_t n = b ? LOAD_ACQUIRE(&b->used) : 0;
        intptr_t at = i;
        if (at == 0 && n > 0)
            at = front_for_reader(d, b, n);
        intptr_t from = at;
        for (; at < n; at++) {
            if (hash)
                *hash = LOAD_ACQUIRE(&b->entries[at].hash); /* pairs with bury: a key still there then had this hash */
            if ((found = entry_load(d, &b->entries[at], key, value)))
                break;
        }
        if (UNLIKELY(i == 0 && at - from > 16))
            set_front(b, at);
        if (found || !EXCL_PARALLEL || LOAD_ACQUIRE(&D(d)->block) == b) {
            *pos = at + 1;
            break;
        }
    }
    excl_read_end(&cs);
    return found;
}
bool dict_next(Value d, intptr_t *pos, Value *key, Value *value) {
    return next_entry(d, pos, key, value, NULL);
}
bool dict_next_hashed(Value d, intptr_t *pos, Value *key, Value *value, int64_t *hash) {
    return next_entry(d, pos, key, value, hash);
}

intptr_t dict_end(Value d) {
    ExclCs cs;
    excl_read_begin(&cs, d);
    DictBlock *b = LOAD_ACQUIRE(&D(d)->block);
    intptr_t n = b ? LOAD_ACQUIRE(&b->used) : 0;
    excl_read_end(&cs);
    return n;
}

bool dict_prev(Value d, intptr_t *pos, Value *key, Value *value) {
    ExclCs cs;
    bool found = false;
    excl_read_begin(&cs, d);
    for (;;) {
        DictBlock *b = LOAD_ACQUIRE(&D(d)->block);
        intptr_t n = b ? LOAD_ACQUIRE(&b->used) : 0;
        intptr_t at = MIN(*pos, n);
        while (at > 0 && !(found = entry_load(d, &b->entries[at - 1], key, value)))
            at--;
        if (found || !EXCL_PARALLEL || LOAD_ACQUIRE(&D(d)->block) == b) {
            *pos = at - 1;
            break;
        }
    }
    excl_read_end(&cs);
    return found;
}

/* ---- writing ---- */

typedef enum InsertMode {
    REPLACE,      /* new value */
    KEEP,         /* an old value stays */
    KEEP_AND_GET, /* the same, and it is returned */
} InsertMode;

/* In the section, after a MISS at slot i of b (NULL: no block yet). */
static int append_entry(Value d, DictBlock *b, size_t i, Value key, int64_t hash, Value v) {
    if (UNLIKELY(!b || LOAD_RELAXED(&b->used) == b->capacity)) {
        if (grow(d) < 0)
            return -1;
        b = block_of(d);
        i = free_slot(b, hash);
    }
    ref_written(d, ABSENT, key);
    ref_written(d, ABSENT, v);
    put(b, i, retained(key), hash, retained(v));
    if (v != ABSENT)
        STORE_RELEASE(&D(d)->len, len_of(d) + 1);
    return 0;
}

/* In the section: entry e is a hole whose key is about to get a value. Inline caches that know the hole are void. */
static void bury_hole(Value d, DictBlock *b, DictEntry *e) {
    STORE_RELEASE(&b->stamp, new_stamp());
    ref_store(d, &e->key, V_MARK);
}

/* One step in the section: MISS when stored (or 1/HIT when there was an old value), UNSURE to settle p, -1 error. *old:
 * what is to be released after the section, or (KEEP_AND_GET) to be returned. */
static ALWAYS_INLINE int insert_step(Value d, Probe *p, Value key, int64_t hash, Value v, InsertMode mode, Value *old) {
    for (;;) {
        int r = p->b ? probe(p, d, key, hash, true) : MISS;
        if (r == MISS)
            return append_entry(d, p->b, p->i, key, hash, v) < 0 ? -1 : MISS;
        if (r == UNSURE)
            return UNSURE;
        DictEntry *e = &p->b->entries[p->ix];
        if (UNLIKELY(!live(e))) {
            bury_hole(d, p->b, e);
            continue;
        }
        if (mode == REPLACE)
            *old = ref_swap(d, &e->value, retained(v));
        else if (mode == KEEP_AND_GET)
            *old = retained(ref_peek(&e->value));
        return HIT;
    }
}

/* 1: there was a value (owned in *old for KEEP_AND_GET), 0: inserted, -1. */
static int insert(Value d, Value key, int64_t hash, Value v, InsertMode mode, Value *old) {
    ExclCs cs;
    Probe p = {0};
    *old = ABSENT;
    excl_cs_begin(&cs, d);
restart:;
    DictBlock *b = block_of(d);
    p.b = b;
    p.i = 0;
    if (b)
        probe_start(&p, b, hash);
    for (;;) {
        int r = insert_step(d, &p, key, hash, v, mode, old);
        if (LIKELY(r != UNSURE)) {
            excl_cs_end(&cs);
            return r;
        }
        excl_cs_end(&cs);
        r = settle(&p, key);
        if (r < 0)
            return -1;
        excl_cs_begin(&cs, d);
        if (!still_valid(&p, d))
            goto restart;
        if (r == 0) {
            probe_advance(&p);
            continue;
        }
        DictEntry *e = &p.b->entries[p.ix];
        if (!live(e))
            goto restart;
        if (mode == REPLACE)
            *old = ref_swap(d, &e->value, retained(v));
        else if (mode == KEEP_AND_GET)
            *old = retained(ref_peek(&e->value));
        excl_cs_end(&cs);
        return HIT;
    }
}

/* What needs neither a section nor Python code, where nobody else can write: true when stored. */
static ALWAYS_INLINE bool set_quick(Value d, Value key, int64_t hash, Value v) {
    DictBlock *b = block_of(d);
    if (UNLIKELY(b == NULL))
        return false;
    size_t i;
    DictEntry *e = find(b, key, hash, true, &i);
    if (e == NULL)
        return LIKELY(LOAD_RELAXED(&b->used) < b->capacity) && append_entry(d, b, i, key, hash, v) == 0;
    if (UNLIKELY(!live(e))) /* UNTOLD too */
        return false;
    release(ref_swap(d, &e->value, retained(v)));
    return true;
}

bool dict_set_quick(Value d, Value key, Value v) {
    int64_t hash;
    return hash_at_hand(key, &hash) && set_quick(d, key, hash, v);
}
int dict_set_hashed(Value d, Value key, int64_t hash, Value v) {
    Value old;
    if ((excl_alone(d) || excl_retains(d)) && set_quick(d, key, hash, v))
        return 0;
    int r = insert(d, key, hash, v, REPLACE, &old);
    release(old);
    return r < 0 ? -1 : 0;
}
int dict_set(Value d, Value key, Value v) {
    int64_t h = dict_hash_key(key);
    return UNLIKELY(h == -1) ? -1 : dict_set_hashed(d, key, h, v);
}
int dict_set_str(Value d, const char *key, Value v) {
    Value k = str_from_c(key);
    if (k == ABSENT)
        return -1;
    k = str_intern(k);
    if (k == ABSENT)
        return -1;
    int r = dict_set(d, k, v);
    release(k);
    return r;
}
Value dict_setdefault_hashed(Value d, Value key, int64_t hash, Value dflt) {
    Value old;
    int r = insert(d, key, hash, dflt, KEEP_AND_GET, &old);
    return r < 0 ? ABSENT : r == 0 ? retained(dflt) : old;
}
Value dict_setdefault(Value d, Value key, Value dflt) {
    int64_t h = dict_hash_key(key);
    return h == -1 ? ABSENT : dict_setdefault_hashed(d, key, h, dflt);
}

/* In the section: the entry becomes a tombstone; its key and value are owned by the caller. */
static void bury(Value d, DictEntry *e, Value *key, Value *value) {
    *key = ref_swap(d, &e->key, V_MARK);
    *value = ref_swap(d, &e->value, ABSENT);
    STORE_RELEASE(&e->hash, 0); /* of a tombstone: see dict_popitem; after the key, for next_entry */
    STORE_RELEASE(&D(d)->len, len_of(d) - 1);
}

/* The live entry of key: HIT, or MISS, with the section held; -1 with an exception, without it. */
static int find_in_section(Value d, Value key, int64_t hash, ExclCs *cs, DictEntry **entry) {
    Probe p = {0};
    excl_cs_begin(cs, d);
restart:;
    DictBlock *b = block_of(d);
    if (!b)
        return MISS;
    probe_start(&p, b, hash);
    for (;;) {
        int r = probe(&p, d, key, hash, true);
        if (r == UNSURE) {
            excl_cs_end(cs);
            r = settle(&p, key);
            if (r < 0)
                return -1;
            excl_cs_begin(cs, d);
            if (!still_valid(&p, d))
                goto restart;
            if (r == 0) {
                probe_advance(&p);
                continue;
            }
            r = HIT;
        }
        *entry = &b->entries[p.ix];
        return r == HIT && live(*entry) ? HIT : MISS;
    }
}

/* only: ABSENT, or the value that the entry must hold. */
static int pop_if(Value d, Value key, int64_t hash, Value only, Value *out) {
    ExclCs cs;
    DictEntry *e;
    Value old_key = ABSENT;
    *out = ABSENT;
    int r = find_in_section(d, key, hash, &cs, &e);
    if (r < 0)
        return -1;
    if (r == HIT && only != ABSENT && ref_peek(&e->value) != only)
        r = MISS;
    if (r == HIT)
        bury(d, e, &old_key, out);
    excl_cs_end(&cs);
    release(old_key);
    return r == HIT;
}

int dict_pop_hashed(Value d, Value key, int64_t hash, Value *out) {
    return pop_if(d, key, hash, ABSENT, out);
}
int dict_del_if_hashed(Value d, Value key, int64_t hash, Value v) {
    Value out;
    int r = pop_if(d, key, hash, v, &out);
    if (r > 0)
        release(out);
    return r;
}
int dict_del_if(Value d, Value key, Value v) {
    int64_t h = dict_hash_key(key);
    return h == -1 ? -1 : dict_del_if_hashed(d, key, h, v);
}

/* A new block whose first entry is e, which becomes a tombstone in the old one. */
static int move_to_front(Value d, DictEntry *e) {
    DictBlock *nb = block_new(table_for(MAX(len_of(d), 5)));
    if (!nb)
        return -1;
    int64_t hash = LOAD_RELAXED(&e->hash);
    put(nb, free_slot(nb, hash), LOAD_RELAXED(&e->key), hash, LOAD_RELAXED(&e->value));
    DictBlock *old = block_of(d);
    for (uint32_t i = 0, n = LOAD_RELAXED(&old->used); i < n; i++) {
        DictEntry *x = &old->entries[i];
        hash = LOAD_RELAXED(&x->hash);
        if (!live(x))
            release(LOAD_RELAXED(&x->key));
        else if (x != e)
            put(nb, free_slot(nb, hash), LOAD_RELAXED(&x->key), hash, LOAD_RELAXED(&x->value));
    }
    install(d, nb);
    return 0;
}

int dict_move_to_end(Value d, Value key, bool last) {
    ExclCs cs;
    DictEntry *e;
    int64_t hash = dict_hash_key(key);
    int r = hash == -1 ? -1 : find_in_section(d, key, hash, &cs, &e);
    if (r < 0)
        return -1;
    int failed = 0;
    if (r == HIT) {
        DictBlock *b = block_of(d);
        if (!last) {
            failed = move_to_front(d, e);
        } else if (e != &b->entries[LOAD_RELAXED(&b->used) - 1]) {
            if (LOAD_RELAXED(&b->used) == b->capacity) {
                /* Growing moves the entries: look for it again by identity. */
                Value k = LOAD_RELAXED(&e->key);
                if ((failed = grow(d)) == 0) {
                    b = block_of(d);
                    e = b->entries;
                    while (LOAD_RELAXED(&e->key) != k)
                        e++;
                }
            }
            if (!failed) {
                hash = LOAD_RELAXED(&e->hash);
                put(b, free_slot(b, hash), LOAD_RELAXED(&e->key), hash, LOAD_RELAXED(&e->value));
                /* As in bury, but that nothing is given up: who looks the key up finds it all the time. */
                STORE_RELEASE(&e->key, V_MARK);
                STORE_RELEASE(&e->value, ABSENT);
                STORE_RELEASE(&e->hash, 0);
            }
        }
    }
    excl_cs_end(&cs);
    if (failed)
        return -1;
    return r == HIT;
}

int dict_popfirst(Value d, Value *key, Value *value) {
    ExclCs cs;
    excl_cs_begin(&cs, d);
    DictBlock *b = block_of(d);
    bool found = b && len_of(d);
    if (found) {
        intptr_t i = front(b, LOAD_RELAXED(&b->used));
        while (!live(&b->entries[i]))
            i++;
        bury(d, &b->entries[i], key, value);
        set_front(b, i);
    }
    excl_cs_end(&cs);
    return found;
}

int dict_pop(Value d, Value key, Value *out) {
    int64_t h = dict_hash_key(key);
    *out = ABSENT;
    return h == -1 ? -1 : dict_pop_hashed(d, key, h, out);
}
int dict_del(Value d, Value key) {
    Value v;
    int r = dict_pop(d, key, &v);
    if (r > 0) {
        release(v);
        return 0;
    }
    if (r == 0)
        err_key(key);
    return -1;
}

int dict_popitem(Value d, Value *key, Value *value) {
    ExclCs cs;
    bool found = false;
    excl_cs_begin(&cs, d);
    DictBlock *b = block_of(d);
    if (b && len_of(d)) {
        uint32_t top = LOAD_RELAXED(&b->used) - 1, i = top;
        /* The hash of a tombstone at the end, when negative, says where the search goes on, so that emptying a dict is
         * linear. */
        if (LOAD_RELAXED(&b->entries[top].key) == V_MARK && LOAD_RELAXED(&b->entries[top].hash) < 0)
            i = MIN((uint32_t)~LOAD_RELAXED(&b->entries[top].hash), top);
        while (!live(&b->entries[i]))
            i--;
        bury(d, &b->entries[i], key, value);
        if (LOAD_RELAXED(&b->entries[top].key) == V_MARK)
            STORE_RELAXED(&b->entries[top].hash, ~(int64_t)i);
        found = true;
    }
    excl_cs_end(&cs);
    return found;
}

void dict_clear(Value d) {
    ExclCs cs;
    excl_cs_begin(&cs, d);
    DictBlock *b = block_of(d);
    STORE_RELEASE(&D(d)->len, 0);
    STORE_RELEASE(&D(d)->block, NULL);
    for (uint32_t i = 0, n = b ? LOAD_RELAXED(&b->used) : 0; i < n; i++) {
        ref_store(d, &b->entries[i].key, V_MARK);
        ref_clear(d, &b->entries[i].value);
    }
    block_retire(d, b);
    excl_cs_end(&cs);
}

/* ---- making ---- */

Value dict_new(void) {
    Value d = obj_new(&dict_type);
    if (LIKELY(d != ABSENT))
        trace_track(v_obj(d));
    return d;
}
Value dict_new_presized(intptr_t n) {
    Value d = dict_new();
    if (d == ABSENT || n <= 0)
        return d;
    DictBlock *b = block_new(table_for((size_t)MIN(n, (intptr_t)1 << 20)));
    if (!b) {
        release(d);
        return ABSENT;
    }
    STORE_RELEASE(&D(d)->block, b);
    return d;
}

/* In src's section: a new block with the items of src, retained; NULL with MemoryError, or when src is empty (*failed
 * false). */
static DictBlock *clone(Value src, bool *failed) {
    DictBlock *b = block_of(src);
    size_t n = len_of(src);
    *failed = false;
    if (!n)
        return NULL;
    size_t table = table_for(n);
    DictBlock *nb = block_new(table);
    if (!nb) {
        *failed = true;
        return NULL;
    }
    uint32_t used = LOAD_RELAXED(&b->used);
    if (used == n && b->mask == nb->mask) {
        uint32_t stamp = LOAD_RELAXED(&nb->stamp);
        memcpy((void *)nb, (void *)b, sizeof(DictBlock) + b->capacity * sizeof(DictEntry) + table_bytes(b->mask));
        STORE_RELAXED(&nb->stamp, stamp);
        if (COUNT_EXACT)
            for (uint32_t i = 0; i < used; i++) {
                retain(LOAD_RELAXED(&nb->entries[i].key));
                retain(LOAD_RELAXED(&nb->entries[i].value));
            }
        return nb;
    }
    for (uint32_t i = 0; i < used; i++) {
        DictEntry *e = &b->entries[i];
        if (!live(e))
            continue;
        int64_t hash = LOAD_RELAXED(&e->hash);
        put(nb, free_slot(nb, hash), retained(LOAD_RELAXED(&e->key)), hash, retained(LOAD_RELAXED(&e->value)));
    }
    return nb;
}

Value dict_copy(Value d) {
    Value r = obj_new(&dict_type);
    if (r == ABSENT)
        return ABSENT;
    ExclCs cs;
    bool failed;
    excl_cs_begin(&cs, d);
    DictBlock *nb = clone(d, &failed);
    STORE_RELAXED(&D(r)->len, nb ? len_of(d) : 0);
    STORE_RELEASE(&D(r)->block, nb);
    excl_cs_end(&cs);
    if (failed) {
        release(r);
        return ABSENT;
    }
    trace_track(v_obj(r));
    return r;
}

static bool iterates_as_dict(Value v) {
    if (v_is_dict_exact(v))
        return true;
    Type *t = type_of(v);
    return (t->flags & TF_DICT) && type_special(t, SP_ITER) == type_special(&dict_type, SP_ITER);
}

/* The part of a merge of two dicts that runs no Python code, in one section: the position in src where it stopped; -1
 * when all is done; -2 error. */
static intptr_t merge_atomic(Value d, Value src, InsertMode mode, bool fail_on_duplicate, Value *duplicate) {
    ExclCs cs;
    intptr_t at = -1;
    excl_cs_begin2(&cs, d, src);
    DictBlock *sb = block_of(src), *b = block_of(d);
    bool failed = false;
    if (!sb || !len_of(src))
        goto done;
    if (!b || LOAD_RELAXED(&b->used) == 0) {
        DictBlock *nb = clone(src, &failed);
        if (!failed) {
            for (uint32_t i = 0; i < LOAD_RELAXED(&nb->used) && obj_is_shared(d); i++) {
                publish_into(d, LOAD_RELAXED(&nb->entries[i].key));
                publish_into(d, LOAD_RELAXED(&nb->entries[i].value));
            }
            install(d, nb);
            STORE_RELEASE(&D(d)->len, len_of(src));
        }
        goto done;
    }
    size_t room = b ? b->capacity - LOAD_RELAXED(&b->used) : 0;
    if (room * 3 / 2 < len_of(src) && resize(d, len_of(d) + len_of(src)) < 0) {
        failed = true;
        goto done;
    }
    for (uint32_t i = 0, n = LOAD_RELAXED(&sb->used); i < n; i++) {
        DictEntry *e = &sb->entries[i];
        if (!live(e))
            continue;
        Probe p = {0};
        Value old = ABSENT, key = LOAD_RELAXED(&e->key);
        probe_start(&p, block_of(d), LOAD_RELAXED(&e->hash));
        int r = insert_step(d, &p, key, LOAD_RELAXED(&e->hash), LOAD_RELAXED(&e->value), mode, &old);
        release(old);
        if (r == MISS)
            continue;
        if (r == UNSURE) {
            release(p.seen);
            at = i;
            break;
        }
        if (r == HIT && fail_on_duplicate)
            *duplicate = retained(key);
        if (r < 0 || (r == HIT && fail_on_duplicate)) {
            failed = true;
            break;
        }
    }
done:
    excl_cs_end(&cs);
    return failed ? -2 : at;
}

static int merge_dict(Value d, Value src, int override) {
    InsertMode mode = override == 1 ? REPLACE : KEEP;
    Value key = ABSENT, v, old;
    if (d == src)
        return 0;
    intptr_t pos = merge_atomic(d, src, mode, override == 2, &key);
    if (pos == -1)
        return 0;
    if (pos == -2) {
        if (key != ABSENT) {
            err_key(key);
            release(key);
        }
        return -1;
    }
    intptr_t n = dict_len(src);
    while (dict_next(src, &pos, &key, &v)) {
        int64_t h = dict_hash_key(key);
        int r = h == -1 ? -1 : insert(d, key, h, v, mode, &old);
        if (r >= 0)
            release(old);
        if (r == 1 && override == 2) {
            err_key(key);
            r = -1;
        }
        release(key);
        release(v);
        if (r < 0)
            return -1;
        if (dict_len(src) != n) {
            err_set(&exc_RuntimeError, "dict mutated during update");
            return -1;
        }
    }
    return 0;
}

static int merge_one(Value d, Value key, Value v, int override) {
    int64_t h = dict_hash_key(key);
    Value old = ABSENT;
    int r = h == -1 ? -1 : insert(d, key, h, v, override == 1 ? REPLACE : KEEP, &old);
    if (r < 0)
        return -1;
    release(old);
    if (r == 1 && override == 2) {
        err_key(key);
        return -1;
    }
    return 0;
}

int dict_merge(Value d, Value other, int override) {
    if (iterates_as_dict(other))
        return merge_dict(d, other, override);
    Value keys = obj_call_method(other, ID("keys"), NULL, 0);
    if (keys == ABSENT)
        return -1;
    Value it = obj_iter(keys);
    release(keys);
    if (it == ABSENT)
        return -1;
    Value key;
    while ((key = obj_next(it)) != ABSENT) {
        Value v = obj_getitem(other, key);
        int r = v == ABSENT ? -1 : merge_one(d, key, v, override);
        release(key);
        release(v);
        if (r < 0)
            break;
    }
    release(it);
    return err_pending() ? -1 : 0;
}

int dict_merge_pairs(Value d, Value iterable, int override) {
    Value it = obj_iter(iterable), item;
    if (it == ABSENT)
        return -1;
    for (intptr_t i = 0; (item = obj_next(it)) != ABSENT; i++) {
        Value pair = ABSENT;
        int r = -1;
        if (v_is_tuple_exact(item) || v_is_list_exact(item)) {
            pair = seq_to_tuple(item);
        } else {
            Value sub = obj_iter(item);
            if (sub == ABSENT) {
                if (err_matches(&exc_TypeError))
                    err_set(&exc_TypeError, "cannot convert dictionary update sequence element #%zd to a sequence",
                            (ssize_t)i);
            } else {
                pair = seq_to_tuple(sub);
                release(sub);
            }
        }
        if (pair != ABSENT) {
            if (tuple_len(pair) != 2)
                err_set(&exc_ValueError, "dictionary update sequence element #%zd has length %zd; 2 is required",
                        (ssize_t)i, (ssize_t)tuple_len(pair));
            else
                r = merge_one(d, tuple_get(pair, 0), tuple_get(pair, 1), override);
        }
        release(pair);
        release(item);
        if (r < 0)
            break;
    }
    release(it);
    return err_pending() ? -1 : 0;
}

int dict_update(Value d, Value other) {
    if (iterates_as_dict(other))
        return merge_dict(d, other, 1);
    Value keys;
    int r = obj_lookup_attr(other, ID("keys"), &keys);
    if (r < 0)
        return -1;
    if (r == 0)
        return dict_merge_pairs(d, other, 1);
    release(keys);
    return dict_merge(d, other, 1);
}

typedef enum Part { KEYS, VALUES, ITEMS } Part;

static Value part_list(Value d, Part part) {
    ExclCs cs;
    for (;;) {
        /* Pairs are made before the section, so that nothing is allocated for each item inside. */
        intptr_t n = dict_len(d), k = 0;
        Value scratch = n ? scratch_new(n) : ABSENT;
        if (n && scratch == ABSENT)
            return ABSENT;
        if (part == ITEMS)
            for (intptr_t i = 0; i < n; i++) {
                Value pair = tuple_new(2);
                if (pair == ABSENT) {
                    release(scratch);
                    return ABSENT;
                }
                tuple_init_item(scratch, i, pair);
            }
        excl_cs_begin(&cs, d);
        DictBlock *b = block_of(d);
        bool same = len_of(d) == (size_t)n;
        for (uint32_t i = 0, used = b && same ? LOAD_RELAXED(&b->used) : 0; i < used; i++) {
            DictEntry *e = &b->entries[i];
            if (!live(e))
                continue;
            Value key = LOAD_RELAXED(&e->key), v = LOAD_RELAXED(&e->value);
            if (part == ITEMS) {
                Value pair = tuple_get(scratch, k++);
                tuple_init_item(pair, 0, retained(key));
                tuple_init_item(pair, 1, retained(v));
            } else {
                tuple_init_item(scratch, k++, retained(part == KEYS ? key : v));
            }
        }
        excl_cs_end(&cs);
        if (!same) {
            release(scratch);
            continue;
        }
        if (part == ITEMS)
            for (intptr_t i = 0; i < n; i++)
                tuple_track(tuple_get(scratch, i));
        Value l = n ? list_from(tuple_items(scratch), n) : list_new(0);
        release(scratch);
        return l;
    }
}
Value dict_keys_list(Value d) {
    return part_list(d, KEYS);
}
Value dict_values_list(Value d) {
    return part_list(d, VALUES);
}
Value dict_items_list(Value d) {
    return part_list(d, ITEMS);
}

int dict_equal(Value a, Value b) {
    if (dict_len(a) != dict_len(b))
        return 0;
    if (!recursion_enter(" in comparison"))
        return -1;
    intptr_t pos = 0;
    Value key, x, y;
    while (dict_next(a, &pos, &key, &x)) {
        int r = dict_lookup(b, key, &y);
        if (r > 0) {
            r = simple_eq(x, y);
            if (r < 0)
                r = obj_eq(x, y);
        }
        release(key);
        release(x);
        release(y);
        if (r <= 0)
            return r;
    }
    return 1;
}

/* ---- inline caches ---- */

intptr_t dict_cache_slot(Value d, Value key, uint32_t *layout_id) {
    ExclCs cs;
    Probe p = {0};
    intptr_t slot = -1;
    int64_t hash = str_hash(key);
    excl_cs_begin(&cs, d);
    DictBlock *b = block_of(d);
    int r = MISS;
    p.i = 0;
    if (b) {
        probe_start(&p, b, hash);
        r = probe(&p, d, key, hash, true);
    }
    if (r == UNSURE) {
        release(p.seen);
    } else if (r == HIT) {
        slot = p.ix;
    } else if (append_entry(d, p.b, p.i, key, hash, ABSENT) < 0) {
        err_clear();
    } else {
        b = block_of(d);
        slot = (intptr_t)LOAD_RELAXED(&b->used) - 1;
    }
    if (slot >= 0) {
        uint32_t stamp = LOAD_RELAXED(&b->stamp);
        if (!(stamp & DICT_ID_BIT)) {
            stamp = new_layout_id();
            if (stamp)
                STORE_RELEASE(&b->stamp, stamp);
        }
        *layout_id = stamp;
        if (!stamp || slot >= (intptr_t)1 << 28)
            slot = -1;
    }
    excl_cs_end(&cs);
    return slot;
}

Value dict_cached_load_locked(Value d, uint32_t layout_id, uint32_t slot) {
    ExclCs cs;
    excl_read_begin(&cs, d);
    DictBlock *b = block_of(d);
    Value v = b && LOAD_RELAXED(&b->stamp) == layout_id ? ref_load(d, &b->entries[slot].value) : ABSENT;
    excl_read_end(&cs);
    return v;
}

bool dict_cached_missing_locked(Value d, uint32_t layout_id, uint32_t slot) {
    ExclCs cs;
    excl_read_begin(&cs, d);
    DictBlock *b = block_of(d);
    bool missing = b && LOAD_RELAXED(&b->stamp) == layout_id && ref_peek(&b->entries[slot].value) == ABSENT;
    excl_read_end(&cs);
    return missing;
}

bool dict_cached_store_slow(Value d, uint32_t layout_id, uint32_t slot, Value v) {
    excl_leaf_lock(d);
    DictBlock *b = block_of(d);
    bool ok = b && LOAD_RELAXED(&b->stamp) == layout_id && live(&b->entries[slot]);
    Value old = ok ? ref_swap(d, &b->entries[slot].value, retained(v)) : ABSENT;
    excl_leaf_unlock(d);
    release(old);
    return ok;
}

#include "interp/ic.h"

#include "base/seqword.h"
#include "object/dict.h"
#include "object/module.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "runtime/safepoint.h"

SideCell ic_cells[IC_MAX_CELLS];
static _Atomic(uint32_t) cells_used = 1;

/* A fresh cell, or NULL when all are in use, until the caller's next safepoint clears the caches. */
static SideCell *cell_new(uint32_t *index) {
    uint32_t i = LOAD_RELAXED(&cells_used);
    do {
        if (i >= IC_MAX_CELLS) {
            thread_set_poll(thread_self(), POLL_CACHES);
            return NULL;
        }
    } while (
        !atomic_compare_exchange_weak_explicit(&cells_used, &i, i + 1, memory_order_relaxed, memory_order_relaxed));
    *index = i;
    return &ic_cells[i];
}

/* ---- the table of all sites ---- */

typedef struct LookupKey {
    uint32_t ident, own;
    IcUse use;
    Value name;
} LookupKey;
typedef struct LookupEntry {
    SeqWord seq;
    _Atomic(uint32_t) ident; /* shape index; of a class as receiver: its version */
    _Atomic(uint32_t) own;   /* IC_USE_SUPER: root shape of the class that super() starts behind */
    _Atomic(uint32_t) use;
    _Atomic(Value) name; /* interned, so it lives for ever */
    _Atomic(uint64_t) word;
} LookupEntry;
enum { LOOKUP_SIZE = 4096 };
static LookupEntry lookup_table[LOOKUP_SIZE];

static LookupEntry *lookup_entry(const LookupKey *k) {
    uint32_t h = k->ident * 2654435761u ^ k->own * 40503u ^ (uint32_t)(k->name >> 4) ^ (uint32_t)k->use << 9;
    return &lookup_table[(h ^ h >> 16) % LOOKUP_SIZE];
}
/* The word, or 0. */
static uint64_t lookup_get(const LookupKey *k) {
    LookupEntry *e = lookup_entry(k);
    uint32_t seq = seq_read_begin(&e->seq);
    bool same = LOAD_ACQUIRE(&e->ident) == k->ident && LOAD_ACQUIRE(&e->own) == k->own &&
                LOAD_ACQUIRE(&e->use) == (uint32_t)k->use && LOAD_ACQUIRE(&e->name) == k->name;
    uint64_t word = LOAD_ACQUIRE(&e->word);
    return same && seq_read_ok(&e->seq, seq) ? word : 0;
}
static void lookup_put(const LookupKey *k, uint64_t word) {
    LookupEntry *e = lookup_entry(k);
    if (word == 0 || word == lookup_get(k) || !str_is_interned(k->name) || !seq_write_begin(&e->seq))
        return;
    STORE_RELEASE(&e->ident, k->ident);
    STORE_RELEASE(&e->own, k->own);
    STORE_RELEASE(&e->use, (uint32_t)k->use);
    STORE_RELEASE(&e->name, k->name);
    STORE_RELEASE(&e->word, word); /* the cell's contents come before it */
    seq_write_end(&e->seq);
}

/* ---- learning ---- */

/* By chance: counted, sites that miss in the same order every time would find that it is always the same one's turn. */
static bool one_in_16(void) {
    static _Thread_local uint32_t random;
    random = random * 1664525 + 1013904223; /* Knuth, "The Art of Computer Programming", 3.3.4 */
    return random >> 28 == 0;
}
/* Once a site has learnt something, most misses leave it as it is: all threads read its line. One that meets several
 * shapes is written more and more rarely: after 16 misses of a thread, then 32, up to 4096. The counts are of the sites
 * that missed last, and lost when another one takes the place. */
static bool site_due(const Instr *site) {
    enum { PLACES = 64, FIRST = 16, LAST = 4096 };
    static _Thread_local struct {
        const Instr *site;
        uint32_t misses, limit;
    } places[PLACES];
    size_t i = ((uintptr_t)site >> 3 ^ (uintptr_t)site >> 9) % PLACES;
    if (places[i].site != site) {
        places[i].site = site;
        places[i].misses = 1;
        places[i].limit = FIRST;
        return false;
    }
    if (++places[i].misses < places[i].limit)
        return false;
    places[i].misses = 0;
    places[i].limit = MIN(places[i].limit * 2, (uint32_t)LAST);
    return true;
}
static bool site_fresh(const Instr *site) {
    return LOAD_RELAXED(site) == 0;
}
static bool site_open(const Instr *site) {
    return site_fresh(site) || site_due(site);
}
static void site_put(Instr *site, uint64_t word) {
    if (IC_KIND(word) != IC_EMPTY)
        STORE_RELEASE(site, word); /* pairs with the acquire of sites that go through a side cell */
}

static uint64_t cell_word(uint32_t guard, uint32_t kind, SideCell contents) {
    uint32_t index;
    SideCell *c = cell_new(&index);
    if (!c)
        return 0;
    *c = contents;
    return ic_word(guard, kind, index);
}
static uint64_t loc_word(const AttrLoc *loc, uint32_t kind, uint32_t aux) {
    SideCell contents = {.type = shape_at(loc->shape)->type,
                         .version = loc->version,
                         .aux = aux,
                         .value = loc->value,
                         .next_shape = loc->next_shape};
    return cell_word(loc->shape, kind, contents);
}

const SideCell *ic_find_super(Instr *site, uint32_t shape, uint32_t own, Value name) {
    uint64_t word = LOAD_ACQUIRE(site);
    if (IC_GUARD_KIND(word) == IC_KEY(shape, IC_SUPER) && ic_cell(word)->aux == own && ic_cell_valid(ic_cell(word)))
        return ic_cell(word);
    LookupKey k = {shape, own, IC_USE_SUPER, name};
    word = lookup_get(&k);
    if (word == 0 || !ic_cell_valid(ic_cell(word)))
        return NULL;
    if (site_open(site))
        site_put(site, word);
    return ic_cell(word);
}

void ic_learn_super(Instr *site, uint32_t shape, uint32_t own, Value name, Type *type, uint32_t version, Value value) {
    if (!site_fresh(site) && !one_in_16())
        return;
    SideCell contents = {.type = type, .version = version, .aux = own, .value = value};
    LookupKey k = {shape, own, IC_USE_SUPER, name};
    uint64_t word = cell_word(shape, IC_SUPER, contents);
    lookup_put(&k, word);
    site_put(site, word);
}

static uint32_t inline_offset(uint32_t shape, uint32_t slot) {
    return shape_at(shape)->slots_offset + 8 + slot * 8;
}

/* Attributes of classes whose metaclass is `type` itself, which never changes. */
static uint64_t learn_type(Value o, Value name) {
    Type *t = (Type *)o;
    uint32_t version = LOAD_ACQUIRE(&t->version);
    Value meta = type_lookup(&type_type, name);
    bool shadowed = meta != ABSENT && (type_special(type_of(meta), SP_SET) || type_special(type_of(meta), SP_DELETE));
    release(meta);
    Value cv = version && !shadowed ? type_lookup(t, name) : ABSENT, value = ABSENT;
    uint32_t aux = 0;
    if (cv == ABSENT)
        return 0;
    if (v_is_obj(cv) && (type_of(cv) == &classmethod_type || type_of(cv) == &staticmethod_type)) {
        Value func = ref_peek(&((WrapDescr *)cv)->func);
        aux = type_of(cv) == &classmethod_type;
        if (v_is_exact(func, IDX_FUNCTION))
            value = func;
    } else if (v_is_exact(cv, IDX_FUNCTION) || v_is_exact(cv, IDX_METHOD_DESCR) || !type_special(type_of(cv), SP_GET)) {
        value = cv;
    }
    bool keep = value != ABSENT && (!v_is_obj(value) || count_is_uncounted(v_obj(value)));
    release(cv); /* see attr_find */
    SideCell contents = {.type = t, .version = version, .value = value, .aux = aux};
    return keep ? cell_word(IDX_TYPE, IC_TYPE, contents) : 0;
}

static uint64_t learn_load(Value o, Value name) {
    if (v_is_exact(o, IDX_TYPE))
        return learn_type(o, name);
    AttrLoc loc = {0};
    attr_find(o, name, &loc);
    switch (loc.kind) {
    case ATTR_INLINE:
        return ic_word(loc.shape, IC_INLINE, inline_offset(loc.shape, loc.slot));
    case ATTR_MEMBER:
        return ic_word(loc.shape, IC_INLINE, loc.slot);
    case ATTR_OVERFLOW:
        return ic_word(loc.shape, IC_OVERFLOW, loc.slot);
    case ATTR_METHOD:
        return loc_word(&loc, IC_METHOD, 0);
    case ATTR_CLASS_VALUE:
        return loc_word(&loc, IC_CLASS_VALUE, 0);
    case ATTR_PROPERTY:
        return loc_word(&loc, IC_PROPERTY, 0);
    case ATTR_GETSET:
        return loc_word(&loc, IC_GETSET, 0);
    case ATTR_MODULE: {
        Value d = module_dict(o);
        uint32_t layout = 0;
        intptr_t slot = dict_cache_slot(d, name, &layout);
        if (slot < 0 || dict_cached_missing(d, layout, (uint32_t)slot))
            return 0;
        /* The guard of a module is its shape, shared by all modules: the cell says which dict block it is about. */
        loc.version = layout;
        return loc_word(&loc, IC_MODULE, (uint32_t)slot);
    }
    default:
        return 0;
    }
}

static uint64_t learn_store(Value o, Value name) {
    AttrLoc loc = {0};
    attr_find_store(o, name, &loc);
    switch (loc.kind) {
    case ATTR_INLINE:
        return ic_word(loc.shape, IC_INLINE, inline_offset(loc.shape, loc.slot));
    case ATTR_MEMBER:
        return ic_word(loc.shape, IC_MEMBER, loc.slot);
    case ATTR_OVERFLOW:
        return ic_word(loc.shape, IC_OVERFLOW, loc.slot);
    case ATTR_ADD_INLINE:
        return loc_word(&loc, IC_ADD_INLINE, inline_offset(loc.shape, loc.slot));
    case ATTR_PROPERTY:
        return loc_word(&loc, IC_PROPERTY, 0);
    default:
        return 0;
    }
}

static LookupKey key_of(Value o, Value name, IcUse use) {
    return (LookupKey){v_is_exact(o, IDX_TYPE) ? LOAD_ACQUIRE(&((Type *)o)->version) : obj_index(o), 0, use, name};
}

static uint64_t learn(const LookupKey *k, Value o) {
    uint64_t word = k->use == IC_USE_LOAD ? learn_load(o, k->name) : learn_store(o, k->name);
    if (word == 0)
        word = ic_word(obj_index(o), IC_EMPTY, 0);
    if (IC_GUARD(word) == k->ident || IC_KIND(word) == IC_TYPE) /* else the shape has changed meanwhile */
        lookup_put(k, word);
    return word;
}

uint64_t ic_find_elsewhere(Instr *site, Value o, Value name, IcUse use) {
    LookupKey k = key_of(o, name, use);
    uint64_t word = lookup_get(&k);
    if (word == 0 ? site_fresh(site) || one_in_16() : IC_KIND(word) == IC_EMPTY && one_in_16())
        word = learn(&k, o);
    if (site_open(site))
        site_put(site, word);
    return word;
}

void ic_stale(Instr *site, uint64_t word, Value o, Value name, IcUse use) {
    bool has_version = IC_KIND(word) == IC_METHOD || IC_KIND(word) == IC_CLASS_VALUE || IC_KIND(word) == IC_PROPERTY ||
                       IC_KIND(word) == IC_GETSET || IC_KIND(word) == IC_ADD_INLINE || IC_KIND(word) == IC_TYPE;
    if (!v_is_obj(o) || IC_KIND(word) == IC_EMPTY || (has_version && ic_cell_valid(ic_cell(word))) || !one_in_16())
        return; /* a cell of this version would be learnt again as it is */
    LookupKey k = key_of(o, name, use);
    site_put(site, learn(&k, o));
}

void ic_quicken(Instr *pc, uint64_t w, unsigned op) {
    if (site_due(pc))
        STORE_RELAXED(pc, (w & ~(uint64_t)0xff) | op);
}

void ic_reset_words(uint64_t *words, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        unsigned op = instr_op(words[i]);
        if (op == OP_WIDE_NAME) {
            i++;
            continue;
        }
        for (int k = instr_info[op].extra; op != OP_MATCH_CLASS && k > 0 && i + 1 < n; k--)
            words[++i] = 0;
        if (op == OP_MATCH_CLASS)
            i++;
    }
}

static void clear_code(Code *c) {
    for (uint32_t i = 0; i < c->n_instrs;) {
        unsigned op = instr_op(LOAD_RELAXED(&c->instrs[i]));
        int extra = instr_info[op].extra;
        if (op != OP_WIDE_NAME && op != OP_MATCH_CLASS)
            for (int k = 1; k <= extra; k++)
                STORE_RELAXED(&c->instrs[i + (uint32_t)k], 0);
        i += 1 + (uint32_t)extra;
    }
}

void ic_clear_all(void) {
    bool stop = !excl_world_stopped();
    if (stop)
        excl_stop_world();
    code_each(clear_code);
    for (size_t i = 0; i < LOOKUP_SIZE; i++)
        STORE_RELAXED(&lookup_table[i].word, (uint64_t)0);
    STORE_RELAXED(&cells_used, 1);
    if (stop)
        excl_start_world();
}

/* Classes that change all the time use up the cells: a million of them, so the stop is worth it. */
static int caches_poll(Thread *t) {
    if (LOAD_RELAXED(&cells_used) >= IC_MAX_CELLS)
        ic_clear_all();
    return 0;
}

void ic_init(void) {
    type_clear_caches = ic_clear_all;
    safepoint_hook(POLL_CACHES, caches_poll);
}

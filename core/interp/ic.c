#include "interp/ic.h"

#include "object/dict.h"
#include "object/module.h"
#include "object/native.h"
#include "object/shape.h"

SideCell ic_cells[IC_MAX_CELLS];
static _Atomic(uint32_t) cells_used = 1;

SideCell *ic_cell_new(uint32_t *index) {
    uint32_t i = LOAD_RELAXED(&cells_used);
    do {
        if (i >= IC_MAX_CELLS)
            return NULL;
    } while (
        !atomic_compare_exchange_weak_explicit(&cells_used, &i, i + 1, memory_order_relaxed, memory_order_relaxed));
    *index = i;
    return &ic_cells[i];
}

/* A site that meets many shapes would spend its time learning: once it has learnt something, most misses leave it as it
 * is. */
static bool worth_learning(Instr *ic) {
    static _Thread_local uint32_t tick;
    return LOAD_RELAXED(ic) == 0 || (++tick & 15) == 0;
}

static void ic_put(Instr *ic, uint32_t guard, uint32_t kind, uint32_t payload) {
    STORE_RELEASE(ic, ic_word(guard, kind, payload)); /* pairs with the acquire of sites that go through a side cell */
}

static void learn_cell(Instr *ic, Value o, const AttrLoc *loc, uint32_t kind, uint32_t aux) {
    uint64_t old = LOAD_ACQUIRE(ic);
    if (IC_KIND(old) == kind && IC_GUARD(old) == loc->shape) {
        const SideCell *c = ic_cell(old);
        if (c->version == loc->version && c->value == loc->value && c->aux == aux)
            return;
    }
    uint32_t index;
    SideCell *c = ic_cell_new(&index);
    if (!c)
        return;
    c->type = shape_at(loc->shape)->type;
    c->version = loc->version;
    c->value = loc->value;
    c->aux = aux;
    c->next_shape = loc->next_shape;
    ic_put(ic, loc->shape, kind, index);
}

void ic_publish_super(Instr *ic, uint32_t shape, Type *type, uint32_t version, uint32_t own, Value value) {
    uint32_t index;
    if (!worth_learning(ic))
        return;
    SideCell *c = ic_cell_new(&index);
    if (!c)
        return;
    c->type = type;
    c->version = version;
    c->value = value;
    c->aux = own;
    ic_put(ic, shape, IC_SUPER, index);
}

static uint32_t inline_offset(uint32_t shape, uint32_t slot) {
    return shape_at(shape)->slots_offset + 8 + slot * 8;
}

/* Attributes of classes whose metaclass is `type` itself, which never changes. */
static void learn_type(Instr *ic, Value o, Value name) {
    Type *t = (Type *)o;
    uint32_t version = LOAD_ACQUIRE(&t->version), index;
    Value meta = type_lookup(&type_type, name);
    bool shadowed = meta != ABSENT && (type_special(type_of(meta), SP_SET) || type_special(type_of(meta), SP_DELETE));
    release(meta);
    Value cv = version && !shadowed ? type_lookup(t, name) : ABSENT, value = ABSENT;
    uint32_t aux = 0;
    if (cv == ABSENT)
        return;
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
    SideCell *c = keep ? ic_cell_new(&index) : NULL;
    if (!c)
        return;
    c->type = t;
    c->version = version;
    c->value = value;
    c->aux = aux;
    ic_put(ic, IDX_TYPE, IC_TYPE, index);
}

void ic_learn_load(Instr *ic, Value o, Value name, bool method) {
    if (!v_is_obj(o) || !worth_learning(ic))
        return;
    if (v_is_exact(o, IDX_TYPE)) {
        learn_type(ic, o, name);
        return;
    }
    AttrLoc loc = {0};
    attr_find(o, name, &loc);
    switch (loc.kind) {
    case ATTR_INLINE:
        ic_put(ic, loc.shape, IC_INLINE, inline_offset(loc.shape, loc.slot));
        break;
    case ATTR_MEMBER:
        ic_put(ic, loc.shape, IC_INLINE, loc.slot);
        break;
    case ATTR_OVERFLOW:
        ic_put(ic, loc.shape, IC_OVERFLOW, loc.slot);
        break;
    case ATTR_METHOD:
        learn_cell(ic, o, &loc, IC_METHOD, 0);
        break;
    case ATTR_CLASS_VALUE:
        learn_cell(ic, o, &loc, IC_CLASS_VALUE, 0);
        break;
    case ATTR_PROPERTY:
        learn_cell(ic, o, &loc, IC_PROPERTY, 0);
        break;
    case ATTR_GETSET:
        learn_cell(ic, o, &loc, IC_GETSET, 0);
        break;
    case ATTR_MODULE: {
        Value d = module_dict(o);
        uint32_t layout = 0;
        intptr_t slot = dict_cache_slot(d, name, &layout);
        uint32_t index;
        if (slot < 0 || dict_cached_missing(d, layout, (uint32_t)slot))
            break;
        /* The guard of a module is its shape, shared by all modules: the cell says which dict block it is about. */
        SideCell *c = ic_cell_new(&index);
        if (!c)
            break;
        c->type = shape_at(loc.shape)->type;
        c->version = layout;
        c->aux = (uint32_t)slot;
        ic_put(ic, loc.shape, IC_MODULE, index);
        break;
    }
    default:
        break;
    }
}

void ic_learn_store(Instr *ic, Value o, Value name) {
    if (!v_is_obj(o) || !worth_learning(ic))
        return;
    AttrLoc loc = {0};
    attr_find_store(o, name, &loc);
    switch (loc.kind) {
    case ATTR_INLINE:
        ic_put(ic, loc.shape, IC_INLINE, inline_offset(loc.shape, loc.slot));
        break;
    case ATTR_MEMBER:
        ic_put(ic, loc.shape, IC_INLINE, loc.slot);
        break;
    case ATTR_OVERFLOW:
        ic_put(ic, loc.shape, IC_OVERFLOW, loc.slot);
        break;
    case ATTR_ADD_INLINE:
        learn_cell(ic, o, &loc, IC_ADD_INLINE, inline_offset(loc.shape, loc.slot));
        break;
    default:
        break;
    }
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
    STORE_RELAXED(&cells_used, 1);
    if (stop)
        excl_start_world();
}

void ic_init(void) {
    type_clear_caches = ic_clear_all;
}

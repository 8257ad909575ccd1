/* Names, globals and attributes: the steps behind the inline caches' first guess. */
#include "interp/eval.h"
#include "object/dict.h"
#include "object/exc.h"
#include "object/module.h"
#include "object/native.h"
#include "object/shape.h"
#include "object/str.h"
#include "object/tuple.h"

static Function *frame_func(Value *R) {
    return (Function *)frame_of_regs(R)->func;
}
static Value name_of(Value *R, uint64_t w) {
    return frame_of_regs(R)->code->names[instr_c(w)];
}

/* ---- globals ---- */

/* Looks name up in globals, then builtins; caches: two words or NULL. Owned, or ABSENT with NameError. */
static Value global_lookup(Value *R, Value name, Instr *caches) {
    Value globals = ref_peek(&frame_func(R)->globals), builtins = ref_peek(&frame_func(R)->builtins), v;
    if (LIKELY(v_is_dict_exact(globals))) {
        v = dict_get(globals, name);
    } else {
        v = obj_getitem(globals, name);
        if (v == ABSENT && err_matches(&exc_KeyError))
            err_clear();
        caches = NULL;
    }
    if (v == ABSENT && err_pending())
        return ABSENT;
    bool in_builtins = v == ABSENT;
    if (in_builtins) {
        if (LIKELY(v_is_dict_exact(builtins))) {
            v = dict_get(builtins, name);
        } else {
            v = obj_getitem(builtins, name);
            if (v == ABSENT && err_matches(&exc_KeyError))
                err_clear();
            caches = NULL;
        }
        if (v == ABSENT)
            return err_pending() ? ABSENT : err_name(name);
    }
    if (caches) {
        uint32_t layout = 0;
        intptr_t slot = dict_cache_slot(globals, name, &layout);
        if (slot >= 0 && slot <= 0x0fffffff)
            STORE_RELEASE(&caches[0], ic_word(layout, IC_DICT_SLOT, (uint32_t)slot));
        if (in_builtins && (slot = dict_cache_slot(builtins, name, &layout)) >= 0 && slot <= 0x0fffffff)
            STORE_RELEASE(&caches[1], ic_word(layout, IC_DICT_SLOT, (uint32_t)slot));
    }
    return v;
}

int step_load_global(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    return step_result(R, w & ~(uint64_t)((IF_KILL_B | IF_KILL_C) << 8), global_lookup(R, name_of(R, w), pc + 1),
                       ABSENT, ABSENT);
}
static int store_global(Value *R, Instr *ic, uint64_t w, Value name) {
    Value v = R[instr_a(w)], globals = ref_peek(&frame_func(R)->globals);
    if (dict_set(globals, name, v) < 0)
        return STEP_ERROR;
    uint32_t layout = 0;
    intptr_t slot = ic && v_is_dict_exact(globals) ? dict_cache_slot(globals, name, &layout) : -1;
    if (slot >= 0 && slot <= 0x0fffffff)
        STORE_RELEASE(ic, ic_word(layout, IC_DICT_SLOT, (uint32_t)slot));
    kill_reg(R, w, IF_KILL_A, instr_a(w), v);
    return STEP_NEXT;
}
int step_store_global(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    return store_global(R, pc + 1, w, name_of(R, w));
}
static int delete_global(Value *R, Value name) {
    Value globals = ref_peek(&frame_func(R)->globals);
    if (dict_del(globals, name) == 0)
        return STEP_NEXT;
    if (err_matches(&exc_KeyError)) {
        err_clear();
        err_name(name);
    }
    return STEP_ERROR;
}
int step_delete_global(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    return delete_global(R, name_of(R, w));
}

/* ---- names in module and class bodies ---- */

/* The namespace's own entry: owned, or ABSENT (nothing pending: not there). */
static Value space_get(Value space, Value name) {
    if (v_is_dict_exact(space))
        return dict_get(space, name);
    Value v = obj_getitem(space, name);
    if (v == ABSENT && err_matches(&exc_KeyError))
        err_clear();
    return v;
}
static bool space_is_globals(Value *R) {
    InterpFrame *f = frame_of_regs(R);
    Value space = frame_space(f);
    return space == ABSENT || space == ref_peek(&((Function *)f->func)->globals);
}

static Value load_name(Value *R, Value name, Instr *caches) {
    if (space_is_globals(R))
        return global_lookup(R, name, caches);
    Value v = space_get(frame_of_regs(R)->extra, name);
    if (v != ABSENT || err_pending())
        return v;
    return global_lookup(R, name, NULL);
}
int step_load_name(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    if (LIKELY(space_is_globals(R))) {
        Value g = ref_peek(&frame_func(R)->globals), b = ref_peek(&frame_func(R)->builtins);
        uint64_t ic = LOAD_RELAXED(pc + 1), ic2 = LOAD_RELAXED(pc + 2);
        if (v_is_dict_exact(g) && IC_KIND(ic) == IC_DICT_SLOT) {
            Value v = dict_cached_load(g, IC_GUARD(ic), IC_PAYLOAD(ic));
            if (v == ABSENT && IC_KIND(ic2) == IC_DICT_SLOT && v_is_dict_exact(b) &&
                dict_cached_missing(g, IC_GUARD(ic), IC_PAYLOAD(ic)))
                v = dict_cached_load(b, IC_GUARD(ic2), IC_PAYLOAD(ic2));
            if (v != ABSENT) {
                set_a(R, w, v);
                return STEP_NEXT;
            }
        }
    }
    Value v = load_name(R, name_of(R, w), pc + 1);
    if (v == ABSENT)
        return STEP_ERROR;
    set_a(R, w, v);
    return STEP_NEXT;
}
static int store_name(Value *R, Instr *ic, uint64_t w, Value name) {
    if (space_is_globals(R))
        return store_global(R, ic, w, name);
    Value space = frame_of_regs(R)->extra, v = R[instr_a(w)];
    if ((v_is_dict_exact(space) ? dict_set(space, name, v) : obj_setitem(space, name, v)) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_A, instr_a(w), v);
    return STEP_NEXT;
}
int step_store_name(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    if (LIKELY(space_is_globals(R))) {
        uint64_t ic = LOAD_RELAXED(pc + 1);
        Value g = ref_peek(&frame_func(R)->globals), v = R[instr_a(w)];
        if (IC_KIND(ic) == IC_DICT_SLOT && v_is_dict_exact(g) &&
            dict_cached_store(g, IC_GUARD(ic), IC_PAYLOAD(ic), v)) {
            kill_reg(R, w, IF_KILL_A, instr_a(w), v);
            return STEP_NEXT;
        }
    }
    return store_name(R, pc + 1, w, name_of(R, w));
}
static int delete_name(Value *R, Value name) {
    if (space_is_globals(R))
        return delete_global(R, name);
    Value space = frame_of_regs(R)->extra;
    if ((v_is_dict_exact(space) ? dict_del(space, name) : obj_delitem(space, name)) == 0)
        return STEP_NEXT;
    if (err_matches(&exc_KeyError)) {
        err_clear();
        err_name(name);
    }
    return STEP_ERROR;
}
int step_delete_name(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    return delete_name(R, name_of(R, w));
}

/* ---- attributes ---- */

/* Slot of an instance: owned or ABSENT (try again the long way). */
static Value slot_load(Value o, Ref *r, uint32_t index) {
    if (READS_LOCK_FREE)
        return ref_load(o, r);
    ExclCs cs;
    excl_read_begin(&cs, o);
    Value v = obj_index(o) == index ? ref_load(o, r) : ABSENT;
    excl_read_end(&cs);
    return v;
}

/* What the cache word says about attribute name of o: owned, V_MARK when it does not apply; ABSENT with exception (a
 * getter's). */
static Value cached_load(Value o, uint64_t ic, Value name) {
    if (!v_is_obj(o))
        return V_MARK;
    uint32_t index = obj_index(o);
    if (IC_GUARD(ic) != index || IC_KIND(ic) == IC_EMPTY)
        return V_MARK;
    Value v;
    switch (IC_KIND(ic)) {
    case IC_INLINE:
        v = slot_load(o, (Ref *)((char *)o + IC_PAYLOAD(ic)), index);
        return v == ABSENT ? V_MARK : v;
    case IC_OVERFLOW: {
        const Shape *s = shape_at(index);
        if (!READS_LOCK_FREE)
            return V_MARK;
        Ref *r = attrs_slot(o, s, IC_PAYLOAD(ic) + s->inline_slots);
        v = r ? ref_load(o, r) : ABSENT;
        return v == ABSENT ? V_MARK : v;
    }
    }
    const SideCell *c = ic_cell(ic);
    if (IC_KIND(ic) == IC_MODULE) {
        if (!v_is_exact(o, IDX_MODULE))
            return V_MARK;
        v = ic_module_load(o, c);
        return v == ABSENT ? V_MARK : v;
    }
    if (IC_KIND(ic) == IC_TYPE) /* the class first: a cell of another one may outlive it */
        return c->type != (Type *)o || !ic_cell_valid(c) ? V_MARK
               : c->aux                                  ? method_new(c->value, o)
                                                         : retained(c->value);
    if (!ic_cell_valid(c))
        return V_MARK;
    switch (IC_KIND(ic)) {
    case IC_CLASS_VALUE:
        return retained(c->value);
    case IC_METHOD:
        return v_is_function(c->value) ? method_new(c->value, o) : V_MARK;
    case IC_PROPERTY:
        return obj_call1(c->value, o);
    case IC_GETSET:
        return v_is_exact(c->value, IDX_GETSET) ? getset_get(c->value, o) : descr_get(c->value, o, type_of(o));
    }
    return V_MARK;
}

int step_load_attr(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value o = R[instr_b(w)], name = name_of(R, w);
    uint64_t ic = ic_find(pc + 1, o, name, IC_USE_LOAD);
    if (IC_KIND(ic) == IC_PROPERTY && ic_cell_valid(ic_cell(ic)) &&
        push_result_a(t, R, ic_cell(ic)->value, &o, 1) == STEP_FRAME)
        return STEP_FRAME;
    Value v = cached_load(o, ic, name);
    if (UNLIKELY(v == V_MARK)) {
        ic_stale(pc + 1, ic, o, name, IC_USE_LOAD);
        v = obj_getattr(o, name);
    }
    return step_result(R, w, v, o, ABSENT);
}

/* True when done. v: borrowed. */
static bool cached_store(Value o, uint64_t ic, Value v) {
    uint32_t index = obj_index(o);
    if (IC_GUARD(ic) != index)
        return false;
    Ref *r = NULL;
    const Shape *overflow = NULL;
    uint32_t next = index;
    switch (IC_KIND(ic)) {
    case IC_INLINE:
    case IC_MEMBER:
        r = (Ref *)((char *)o + IC_PAYLOAD(ic));
        break;
    case IC_OVERFLOW:
        overflow = shape_at(index);
        break;
    case IC_ADD_INLINE: {
        const SideCell *c = ic_cell(ic);
        if (!ic_cell_valid(c))
            return false;
        r = (Ref *)((char *)o + c->aux);
        next = c->next_shape;
        break;
    }
    default:
        return false;
    }
    retain(v);
    bool locked = STORES_NEED_LOCK || (EXCL_PARALLEL && next != index);
    if (locked)
        excl_leaf_lock(o);
    /* The shape may have changed before the lock, and the block with it; and a slot that was given up holds ABSENT. */
    bool ok = obj_index(o) == index;
    if (ok && overflow)
        r = attrs_slot(o, overflow, IC_PAYLOAD(ic) + overflow->inline_slots);
    ok = ok && r && (IC_KIND(ic) == IC_MEMBER || (ref_peek(r) == ABSENT) == (next != index));
    Value old = ABSENT;
    if (ok) {
        old = ref_swap(o, r, v);
        if (next != index)
            STORE_RELEASE(&v_obj(o)->index, next); /* pairs with readers' guard: the value comes before the shape */
    }
    if (locked)
        excl_leaf_unlock(o);
    release(ok ? old : v);
    return ok;
}

int step_store_attr(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value v = R[instr_a(w)], o = R[instr_b(w)];
    Value name = name_of(R, w);
    if (!STORES_NEED_LOCK && v_is_obj(o))
        excl_stores_turn(t, o);
    if (v_is_obj(o) && excl_retains_quick(t, o) != (instr_op(w) == OP_STORE_ATTR_SHARED))
        ic_quicken(pc, w, instr_op(w) == OP_STORE_ATTR ? OP_STORE_ATTR_SHARED : OP_STORE_ATTR);
    uint64_t ic = ic_find(pc + 1, o, name, IC_USE_STORE);
    if (IC_KIND(ic) == IC_PROPERTY && IC_GUARD(ic) == obj_index(o) && ic_cell_valid(ic_cell(ic)) &&
        push_result_a(t, R, ic_cell(ic)->value, (Value[]){o, v}, 2) == STEP_FRAME)
        return STEP_FRAME; /* the setter; see return_slow */
    if (!v_is_obj(o) || !cached_store(o, ic, v)) {
        ic_stale(pc + 1, ic, o, name, IC_USE_STORE);
        if (obj_setattr(o, name, v) < 0)
            return STEP_ERROR;
    }
    kill_reg(R, w, IF_KILL_A, instr_a(w), v);
    kill_reg(R, w, IF_KILL_B, instr_b(w), o);
    return STEP_NEXT;
}

int step_delete_attr(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value o = R[instr_b(w)];
    if (obj_setattr(o, name_of(R, w), ABSENT) < 0)
        return STEP_ERROR;
    kill_reg(R, w, IF_KILL_B, instr_b(w), o);
    return STEP_NEXT;
}

int step_load_method(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value o = R[instr_b(w)], name = name_of(R, w), *block = &R[instr_a(w)], func = ABSENT;
    uint64_t ic = ic_find(pc + 1, o, name, IC_USE_LOAD);
    const SideCell *c = ic_cell(ic);
    if (IC_KIND(ic) == IC_METHOD && ic_cell_valid(c)) {
        func = c->value;
    } else if (IC_KIND(ic) == IC_TYPE && c->aux && ic_cell_valid(c)) {
        func = c->value; /* the function of a classmethod, called with the class in front */
    } else if (IC_KIND(ic) == IC_METHOD || IC_KIND(ic) == IC_EMPTY) {
        AttrLoc loc = {0};
        attr_find(o, name, &loc);
        if (loc.kind == ATTR_METHOD) {
            func = loc.value;
            ic_stale(pc + 1, ic, o, name, IC_USE_LOAD); /* else below */
        }
    }
    if (func != ABSENT) {
        if (!(instr_flags(w) & IF_KILL_B))
            retain(o);
        block[0] = retained(func);
        block[1] = ABSENT;
        block[FRAME_WORDS] = o;
        return STEP_NEXT;
    }
    Value v = cached_load(o, ic, name);
    if (v == V_MARK) {
        ic_stale(pc + 1, ic, o, name, IC_USE_LOAD);
        v = obj_getattr(o, name);
    }
    if (v == ABSENT)
        return STEP_ERROR;
    block[0] = ABSENT;
    block[1] = v;
    block[FRAME_WORDS] = ABSENT;
    kill_reg(R, w, IF_KILL_B, instr_b(w), o);
    return STEP_NEXT;
}

int step_load_super_attr(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value *b = &R[instr_b(w)];
    Value s = obj_call2(b[2], b[0], b[1]);
    if (s == ABSENT)
        return STEP_ERROR;
    Value v = obj_getattr(s, name_of(R, w));
    release(s);
    if (v == ABSENT)
        return STEP_ERROR;
    Value x = b[0], y = b[1], z = b[2];
    b[0] = b[1] = b[2] = ABSENT;
    set_a(R, w, v);
    release(x);
    release(y);
    release(z);
    return STEP_NEXT;
}

int step_wide_name(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value name = frame_of_regs(R)->code->names[LOAD_RELAXED(pc + 1)], v, o;
    switch (instr_c(w)) {
    case OP_LOAD_GLOBAL:
        v = global_lookup(R, name, NULL);
        break;
    case OP_LOAD_NAME:
        v = load_name(R, name, NULL);
        break;
    case OP_LOAD_ATTR:
        o = R[instr_b(w)];
        v = obj_getattr(o, name);
        return step_result(R, w, v, o, ABSENT);
    case OP_STORE_GLOBAL:
        return store_global(R, NULL, w, name);
    case OP_STORE_NAME:
        return store_name(R, NULL, w, name);
    case OP_DELETE_GLOBAL:
        return delete_global(R, name);
    case OP_DELETE_NAME:
        return delete_name(R, name);
    case OP_STORE_ATTR:
    case OP_DELETE_ATTR:
        o = R[instr_b(w)];
        v = instr_c(w) == OP_STORE_ATTR ? R[instr_a(w)] : ABSENT;
        if (obj_setattr(o, name, v) < 0)
            return STEP_ERROR;
        kill_reg(R, w, IF_KILL_A, instr_a(w), v);
        kill_reg(R, w, IF_KILL_B, instr_b(w), o);
        return STEP_NEXT;
    default:
        UNREACHABLE();
    }
    if (v == ABSENT)
        return STEP_ERROR;
    set_a(R, w, v);
    return STEP_NEXT;
}

/* ---- cells ---- */

static Value local_name(Code *c, unsigned reg) {
    Value names = ref_peek(&c->varnames);
    if (reg < (unsigned)tuple_len(names))
        return tuple_get(names, reg);
    for (intptr_t k = 0; k < tuple_len(ref_peek(&c->cellvars)); k++)
        if (c->cell_regs[k] == reg)
            return tuple_get(ref_peek(&c->cellvars), k);
    return ID("?");
}
COLD static int unbound_local(Value *R, unsigned reg) {
    err_set(&exc_UnboundLocalError, "cannot access local variable '%S' where it is not associated with a value",
            local_name(frame_of_regs(R)->code, reg));
    return STEP_ERROR;
}
COLD static int unbound_free(Value *R, unsigned index) {
    Value name = tuple_get(ref_peek(&frame_of_regs(R)->code->freevars), index);
    err_set(&exc_NameError,
            "cannot access free variable '%S' where it is not associated with a value in enclosing scope", name);
    if (v_is_exc(thread_self()->exc))
        ref_store(thread_self()->exc, &((NameErrorExc *)thread_self()->exc)->name, retained(name));
    return STEP_ERROR;
}
static Value closure_cell(Value *R, unsigned index) {
    return tuple_get(ref_peek(&frame_func(R)->closure), index);
}

int step_check_local(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    return R[instr_a(w)] == ABSENT ? unbound_local(R, instr_a(w)) : STEP_NEXT;
}
int step_delete_local(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value old = R[instr_a(w)];
    if (old == ABSENT)
        return unbound_local(R, instr_a(w));
    R[instr_a(w)] = ABSENT;
    release(old);
    return STEP_NEXT;
}
int step_make_cell(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value old = R[instr_a(w)], c = cell_new(old);
    if (c == ABSENT)
        return STEP_ERROR;
    R[instr_a(w)] = c;
    release(old);
    return STEP_NEXT;
}
int step_load_cell(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value v = cell_get(R[instr_b(w)]);
    if (v == ABSENT)
        return unbound_local(R, instr_b(w));
    set_a(R, w, v);
    return STEP_NEXT;
}
int step_store_cell(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value v = R[instr_a(w)];
    cell_set(R[instr_b(w)], v);
    kill_reg(R, w, IF_KILL_A, instr_a(w), v);
    return STEP_NEXT;
}
int step_delete_cell(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = R[instr_b(w)];
    if (ref_peek(&((Cell *)c)->value) == ABSENT)
        return unbound_local(R, instr_b(w));
    cell_set(c, ABSENT);
    return STEP_NEXT;
}
int step_load_free(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value v = cell_get(closure_cell(R, instr_b(w)));
    if (v == ABSENT)
        return unbound_free(R, instr_b(w));
    set_a(R, w, v);
    return STEP_NEXT;
}
int step_store_free(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value v = R[instr_a(w)];
    cell_set(closure_cell(R, instr_b(w)), v);
    kill_reg(R, w, IF_KILL_A, instr_a(w), v);
    return STEP_NEXT;
}
int step_delete_free(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    Value c = closure_cell(R, instr_b(w));
    if (ref_peek(&((Cell *)c)->value) == ABSENT)
        return unbound_free(R, instr_b(w));
    cell_set(c, ABSENT);
    return STEP_NEXT;
}
int step_load_classderef(Thread *t, Value *R, Instr *pc, uint64_t w) {
    publish_pc(R, pc);
    InterpFrame *f = frame_of_regs(R);
    Value space = frame_space(f), v = space != ABSENT ? space_get(space, name_of(R, w)) : ABSENT;
    if (v == ABSENT) {
        if (err_pending())
            return STEP_ERROR;
        v = cell_get(closure_cell(R, instr_b(w)));
        if (v == ABSENT)
            return unbound_free(R, instr_b(w));
    }
    set_a(R, w, v);
    return STEP_NEXT;
}

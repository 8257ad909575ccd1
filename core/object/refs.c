#include "object/refs.h"

#include "object/shape.h"

void refs_move(Value holder, Ref *dst, Ref *src, size_t n) {
    if (!readers_unlocked(holder)) {
        memmove((void *)dst, (void *)src, n * sizeof(Ref));
    } else if (dst < src) {
        for (size_t i = 0; i < n; i++)
            STORE_RELEASE(&dst[i], LOAD_RELAXED(&src[i]));
    } else {
        for (size_t i = n; i-- > 0;)
            STORE_RELEASE(&dst[i], LOAD_RELAXED(&src[i]));
    }
}

void refs_retain(const Ref *src, size_t n) {
    if (!COUNT_EXACT)
        return;
    for (size_t i = 0; i < n; i++)
        retain(LOAD_RELAXED(&src[i]));
}

void refs_retain_times(const Ref *src, size_t n, size_t times) {
    if (!COUNT_EXACT)
        return;
    for (size_t i = 0; i < n; i++) {
        Value v = LOAD_RELAXED(&src[i]);
        for (size_t k = 0; v_is_obj(v) && k < times; k++)
            retain(v);
    }
}

void refs_copy(Ref *dst, const Ref *src, size_t n) {
    if (n)
        memcpy((void *)dst, (const void *)src, n * sizeof(Ref));
    refs_retain(dst, n);
}

void refs_release(Ref *src, size_t n) {
    if (!COUNT_EXACT)
        return;
    for (size_t i = 0; i < n; i++)
        release(LOAD_RELAXED(&src[i]));
}

void refs_zero(Ref *dst, size_t n) {
    for (size_t i = 0; i < n; i++)
        STORE_RELEASE(&dst[i], ABSENT);
}

Value ref_read(Value holder, Ref *r) {
    ExclCs cs;
    excl_read_begin(&cs, holder);
    Value v = ref_load(holder, r);
    excl_read_end(&cs);
    return v;
}
void ref_write(Value holder, Ref *r, Value v) {
    ExclCs cs;
    retain(v);
    excl_cs_begin(&cs, holder);
    Value old = ref_swap(holder, r, v);
    excl_cs_end(&cs);
    release(old);
}

void *block_alloc(size_t bytes) {
    void *p = heap_block(bytes);
    if (UNLIKELY(!p))
        err_no_memory();
    return p;
}
void *block_alloc_zeroed(size_t bytes, size_t from) {
    void *p = heap_block_zeroed(bytes, from);
    if (UNLIKELY(!p))
        err_no_memory();
    return p;
}
void block_retire(Value holder, void *block) {
    if (block == NULL)
        return;
    if (excl_alone(holder))
        heap_block_free(block);
    else
        retire_mem(block);
}
void block_free(void *block) {
    if (block)
        heap_block_free(block);
}

bool seq_defers(Value other, int reflected_sp) {
    Type *t = type_of(other);
    if (type_special(t, reflected_sp) == ABSENT)
        return false;
    if (reflected_sp == SP_RMUL && !(t->flags & TF_HEAP) &&
        (t->flags & TF_SEQUENCE || t == &str_type || t == &bytes_type || t == &bytearray_type))
        return false; /* sequences multiply by integers alone */
    return t != &int_type && t != &bool_type && t != &float_type && t != &complex_type;
}

Value instance_dict_get(Value self) {
    return attrs_dict(self);
}
int instance_dict_set(Value self, Value v) {
    if (v == ABSENT) {
        err_set(&exc_TypeError, "cannot delete __dict__");
        return -1;
    }
    if (!v_is_dict(v)) {
        err_set(&exc_TypeError, "__dict__ must be set to a dictionary, not a '%T'", v);
        return -1;
    }
    return attrs_set_dict(self, v);
}

bool check_no_keywords(Type *base, int sp, Type *t, const char *name, Value kw) {
    if (kw == ABSENT || tuple_len(kw) == 0 || (t != base && type_special(t, sp) != type_special(base, sp)))
        return true;
    err_set(&exc_TypeError, "%s() takes no keyword arguments", name);
    return false;
}

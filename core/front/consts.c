#include "front/consts.h"

#include "object/bytes.h"
#include "object/float.h"
#include "object/int.h"
#include "object/list.h"
#include "object/str.h"
#include "object/tuple.h"

enum { SMALL = 8 }; /* up to here a linear scan is faster than hashing */

int consts_init(ConstTable *t, Arena *a) {
    *t = (ConstTable){0};
    t->list = arena_keep(a, list_new(4));
    return t->list == ABSENT ? -1 : 0;
}

void consts_fini(ConstTable *t) {
    free(t->slots);
    *t = (ConstTable){0};
}

static uint64_t mix(uint64_t h, uint64_t v) {
    h ^= v;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

static uint64_t hash_bytes(const void *p, size_t n, uint64_t h) {
    const unsigned char *s = p;
    for (; n >= 8; n -= 8, s += 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        h = mix(h, w);
    }
    uint64_t w = 0;
    memcpy(&w, s, n);
    return mix(h, w ^ ((uint64_t)n << 56));
}

uint64_t const_hash(Value v) {
    if (!v_is_obj(v))
        return mix(1, v);
    uint64_t seed = obj_index(v);
    switch (obj_index(v)) {
    case IDX_STR:
        return hash_bytes(str_data(v), (size_t)str_len(v) * (size_t)str_kind(v), seed);
    case IDX_BYTES:
        return hash_bytes(bytes_data(v), (size_t)bytes_len(v), seed);
    case IDX_FLOAT:
        return mix(seed, float_bits(float_value(v)));
    case IDX_COMPLEX:
        return mix(mix(seed, float_bits(((Complex *)v)->re)), float_bits(((Complex *)v)->im));
    case IDX_INT:
        return mix(seed, (uint64_t)int_hash(v));
    case IDX_TUPLE: {
        uint64_t h = seed;
        for (intptr_t i = 0; i < tuple_len(v); i++)
            h = mix(h, const_hash(tuple_get(v, i)));
        return h;
    }
    default:
        return mix(seed, v);
    }
}

bool const_same(Value a, Value b) {
    if (a == b)
        return true;
    if (!v_is_obj(a) || !v_is_obj(b) || obj_index(a) != obj_index(b))
        return false;
    switch (obj_index(a)) {
    case IDX_STR:
        return str_len(a) == str_len(b) && str_kind(a) == str_kind(b) &&
               memcmp(str_data(a), str_data(b), (size_t)str_len(a) * (size_t)str_kind(a)) == 0;
    case IDX_BYTES:
        return bytes_len(a) == bytes_len(b) && memcmp(bytes_data(a), bytes_data(b), (size_t)bytes_len(a)) == 0;
    case IDX_FLOAT:
        return float_bits(float_value(a)) == float_bits(float_value(b));
    case IDX_COMPLEX:
        return float_bits(((Complex *)a)->re) == float_bits(((Complex *)b)->re) &&
               float_bits(((Complex *)a)->im) == float_bits(((Complex *)b)->im);
    case IDX_INT:
        return int_equal(a, b);
    case IDX_TUPLE:
        if (tuple_len(a) != tuple_len(b))
            return false;
        for (intptr_t i = 0; i < tuple_len(a); i++)
            if (!const_same(tuple_get(a, i), tuple_get(b, i)))
                return false;
        return true;
    default:
        return false; /* frozensets, code: by identity */
    }
}

/* The list is private to one compiler and only grows: borrowed reads are safe. */
static Value item(const ConstTable *t, uint32_t i) {
    List *l = (List *)t->list;
    return ref_peek(&LOAD_RELAXED(&l->block)->items[i]);
}

static int rehash(ConstTable *t, uint32_t size) {
    uint32_t *slots = calloc(size, sizeof *slots);
    if (!slots) {
        err_no_memory();
        return -1;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t j = (uint32_t)const_hash(item(t, i)) & (size - 1);
        while (slots[j])
            j = (j + 1) & (size - 1);
        slots[j] = i + 1;
    }
    free(t->slots);
    t->slots = slots;
    t->mask = size - 1;
    return 0;
}

int consts_add(ConstTable *t, Value v) {
    uint32_t j = 0;
    if (!t->slots) {
        for (uint32_t i = 0; i < t->n; i++)
            if (const_same(item(t, i), v))
                return (int)i;
        if (t->n >= SMALL && rehash(t, 64) < 0)
            return -1;
    }
    if (t->slots) {
        if ((t->n + 1) * 2 > t->mask && rehash(t, (t->mask + 1) * 4) < 0)
            return -1;
        for (j = (uint32_t)const_hash(v) & t->mask; t->slots[j]; j = (j + 1) & t->mask)
            if (const_same(item(t, t->slots[j] - 1), v))
                return (int)t->slots[j] - 1;
        t->slots[j] = t->n + 1;
    }
    if (list_append(t->list, v) < 0)
        return -1;
    return (int)t->n++;
}

Value consts_tuple(ConstTable *t) {
    return list_to_tuple(t->list);
}

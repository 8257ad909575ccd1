#include "front/arena.h"

#include "object/list.h"

enum { CHUNK_BYTES = 64 * 1024 };

void arena_init(Arena *a) {
    memset(a, 0, sizeof *a);
}

void arena_free(Arena *a) {
    for (ArenaChunk *c = a->chunks; c != NULL;) {
        ArenaChunk *next = c->next;
        free(c);
        c = next;
    }
    release(a->keep);
    memset(a, 0, sizeof *a);
}

NOINLINE void *arena_alloc_slow(Arena *a, size_t n) {
    size_t size = sizeof(ArenaChunk) + n;
    bool own = n > CHUNK_BYTES / 4;
    if (!own)
        size = CHUNK_BYTES;
    if (size < n) {
        err_no_memory();
        return NULL;
    }
    ArenaChunk *c = malloc(size);
    if (c == NULL) {
        err_no_memory();
        return NULL;
    }
    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    char *p = (char *)(c + 1);
    if (!own || (size_t)(a->end - a->cur) < 64) {
        a->cur = p + n;
        a->end = (char *)c + size;
    }
    return p;
}

void *arena_grow(Arena *a, void *old, size_t old_size, size_t new_size) {
    size_t padded = (old_size + 7) & ~(size_t)7;
    if (old != NULL && (char *)old + padded == a->cur && new_size <= (size_t)(a->end - (char *)old)) {
        a->cur = (char *)old + ((new_size + 7) & ~(size_t)7);
        if (a->cur > a->end)
            a->cur = a->end;
        return old;
    }
    void *p = arena_alloc(a, new_size);
    if (p != NULL && old != NULL && old_size > 0)
        memcpy(p, old, old_size);
    return p;
}

Value arena_keep(Arena *a, Value v) {
    if (!v_is_obj(v))
        return v;
    if (a->keep == ABSENT) {
        a->keep = list_new(64);
        if (a->keep == ABSENT) {
            release(v);
            return ABSENT;
        }
    }
    if (list_append_steal(a->keep, v) < 0)
        return ABSENT;
    return v;
}

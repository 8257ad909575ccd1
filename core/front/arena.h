/* Bump arena of one compilation: AST, symbol table, scratch. Everything is freed at once; nothing is freed singly.
 *
 * Values reached from arena memory are not seen by a collector there: arena_keep makes them reachable through the list
 * `keep`, which the stack scanner finds because the Arena itself lives on the C stack of the function that compiles. */
#ifndef POLYGIL_ARENA_H
#define POLYGIL_ARENA_H

#include "backend/value.h"

typedef struct ArenaChunk {
    struct ArenaChunk *next;
    size_t size;
} ArenaChunk;

typedef struct Arena {
    char *cur, *end;
    ArenaChunk *chunks;
    Value keep;    /* list, owned; ABSENT until the first arena_keep */
    void *names;   /* identifier table: front/lexer.c */
    void *mangled; /* cache of mangled names: front/symtable.c */
} Arena;

void arena_init(Arena *a); /* no memory is taken yet */
void arena_free(Arena *a); /* releases what was kept */

void *arena_alloc_slow(Arena *a, size_t n);
/* 8-byte aligned, not zeroed. NULL with MemoryError pending. */
static ALWAYS_INLINE void *arena_alloc(Arena *a, size_t n) {
    n = (n + 7) & ~(size_t)7;
    if (UNLIKELY(n > (size_t)(a->end - a->cur)))
        return arena_alloc_slow(a, n);
    void *p = a->cur;
    a->cur += n;
    return p;
}
static ALWAYS_INLINE void *arena_zalloc(Arena *a, size_t n) {
    void *p = arena_alloc(a, n);
    return LIKELY(p != NULL) ? memset(p, 0, n) : NULL;
}
/* A larger copy of a block (the old one is wasted, or extended in place when it is the newest). */
void *arena_grow(Arena *a, void *old, size_t old_size, size_t new_size);

/* Steals v and keeps it alive as long as the arena; returns it borrowed. ABSENT in, or no memory: ABSENT. */
Value arena_keep(Arena *a, Value v);

#endif

/* The heap's answers to the collectors: is this word an object, which objects are there. The world is stopped. */
#include "heap_impl.h"

Object *heap_find(uintptr_t word) {
    uintptr_t i = word >> HEAP_CHUNK_SHIFT;
    if (i >= ARRAY_LEN(heap_chunk_map))
        return NULL;
    uint8_t m = LOAD_RELAXED(&heap_chunk_map[i]);
    if (m == 0)
        return NULL;
    while (m == 2)
        m = LOAD_RELAXED(&heap_chunk_map[--i]);
    Chunk *c = (Chunk *)(i << HEAP_CHUNK_SHIFT);
    Page *p;
    char *cell;
    if (c->huge_size) {
        p = &c->pages[HEAP_FIRST_PAGE];
        cell = p->base + 8;
    } else {
        p = &c->pages[(word & (HEAP_CHUNK - 1)) >> HEAP_PAGE_SHIFT];
        if (p->kind == PAGE_LARGE_CONT)
            p -= p->span;
        if (p->kind == PAGE_OBJECTS) {
            uint32_t unit = heap_unit_of(p, (void *)word) - 1;
            uint32_t n = (uint32_t)(((uint64_t)unit * p->inverse) >> 32);
            if (n * p->units >= p->bump)
                return NULL;
            cell = p->base + 8 + (size_t)n * p->units * 8;
            return LOAD_RELAXED(&((Object *)cell)->index) ? (Object *)cell : NULL;
        }
        cell = p->base + 8;
    }
    if (p->kind != PAGE_LARGE || word < (uintptr_t)cell || word >= (uintptr_t)cell + p->large_size)
        return NULL;
    return LOAD_RELAXED(&((Object *)cell)->index) ? (Object *)cell : NULL;
}

void heap_page_each(Page *p, void (*fn)(Object *o, void *arg), void *arg) {
    if (p->kind == PAGE_LARGE) {
        Object *o = (Object *)(p->base + 8);
        if (LOAD_RELAXED(&o->index))
            fn(o, arg);
        return;
    }
    size_t step = (size_t)p->units * 8;
    char *cell = p->base + 8;
    for (uint32_t u = 0; u < p->bump; u += p->units, cell += step) {
        Object *o = (Object *)cell;
        if (LOAD_RELAXED(&o->index))
            fn(o, arg);
        if (p->kind != PAGE_OBJECTS)
            return; /* fn freed its last cell and the page went with it */
    }
}

void heap_each_page(void (*fn)(Page *p, void *arg), void *arg) {
    Chunk *next;
    heap_walking++;
    for (Chunk *c = heap_chunks; c; c = next) {
        next = c->next;
        if (c->huge_size) {
            fn(&c->pages[HEAP_FIRST_PAGE], arg);
            continue;
        }
        for (int i = HEAP_FIRST_PAGE; i < HEAP_CHUNK_PAGES; i++)
            if (c->pages[i].kind == PAGE_OBJECTS || c->pages[i].kind == PAGE_LARGE)
                fn(&c->pages[i], arg);
    }
    heap_walk_end();
}

typedef struct EachCell {
    void (*fn)(Object *o, void *arg);
    void *arg;
} EachCell;
static void each_page_cells(Page *p, void *arg) {
    EachCell *e = arg;
    heap_page_each(p, e->fn, e->arg);
}
void heap_each(void (*fn)(Object *o, void *arg), void *arg) {
    EachCell e = {fn, arg};
    heap_each_page(each_page_cells, &e);
}

uint32_t heap_page_cells(const Page *p) {
    return p->units ? p->limit / p->units : 1;
}

/* (The compiler's own is a call where the instruction may be missing.) */
static uint32_t bits_of(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return (uint32_t)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}
uint32_t heap_page_marked(const Page *p) {
    const _Atomic(uint64_t) *m = heap_chunk_of(p)->marks[p - heap_chunk_of(p)->pages];
    uint32_t n = 0;
    for (uint32_t i = 0; i < (p->bump + 63u) / 64; i++)
        n += bits_of(LOAD_RELAXED(&m[i]));
    return n;
}

void heap_clear_marks(void) {
    for (Chunk *c = heap_chunks; c; c = c->next)
        for (int i = HEAP_FIRST_PAGE; i < HEAP_CHUNK_PAGES; i++)
            if (c->pages[i].kind == PAGE_OBJECTS || c->pages[i].kind == PAGE_LARGE)
                memset((void *)c->marks[i], 0, sizeof c->marks[0]);
}

static void verify_page(Page *p, void *arg) {
    if (p->kind == PAGE_LARGE)
        return;
    uint32_t carved = p->bump / p->units, n_free = 0;
    for (uint32_t u = p->free; u; n_free++) {
        if ((u - 1) % p->units || u > p->bump || n_free > carved)
            fatal("heap: broken free list");
        void *cell = p->base + (size_t)u * 8;
        if (p->kind == PAGE_OBJECTS && LOAD_RELAXED(&((Object *)cell)->index))
            fatal("heap: a free cell looks alive");
        u = *heap_link_of(cell);
    }
    if (p->used + n_free != carved)
        fatal("heap: cells lost");
}
void heap_verify(void) {
    heap_each_page(verify_page, NULL);
}

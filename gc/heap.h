/* The heap: cells for objects, blocks for buffers, and the answers the collectors need.
 *
 * Glossary
 *   unit     8 bytes
 *   chunk    1 MiB, aligned, from the C library's allocator (jemalloc): a header, then 62 pages; or one huge cell
 *   page     16 KiB of a chunk, cut into cells of one size class; or part of a span
 *   span     consecutive pages that hold one large cell
 *   cell     an object's memory: word 0 is the object's header; its index half is 0 while the cell is free
 *   block    memory that is no object (buffers, tables). Small ones lie in pages of their own kind, others come from
 * malloc
 *
 *   sweep    what the last marking found dead is freed page by page, by the page's owner when it needs cells (lazily),
 *            or in the pause
 *
 *   owner    the pages of one thread. Only its thread allocates from them; others push what they free on the page's
 *            remote list. A thread that ends leaves its owner to the pool; the next thread, or one in need of pages,
 *            takes it over
 *
 * Invariants
 *   - A page keeps its kind and class while any reader may hold a pointer into it: an empty page is given away only
 * after a grace period (page_empty, pages_give), so a stale pointer always meets a header.
 *   - A free cell's link is the 16 bits at byte 6 of word 0 (unit number of the next free cell, counted from 1; 0 ends
 * the list); lock, flags and count bytes of a free cell hold what the object left there, and nobody but a late reader
 * looks at them.
 *   - The chunk map says for every MiB of the address space whether it is ours.
 */
#ifndef POLYGIL_HEAP_H
#define POLYGIL_HEAP_H

#include "backend/backend.h"

#define HEAP_PAGE_SHIFT 14
#define HEAP_PAGE ((size_t)1 << HEAP_PAGE_SHIFT)
#define HEAP_CHUNK_SHIFT 20
#define HEAP_CHUNK ((size_t)1 << HEAP_CHUNK_SHIFT)
#define HEAP_CHUNK_PAGES 64
#define HEAP_FIRST_PAGE 2 /* the chunk's header covers the pages before it */
#define HEAP_CELL_MAX 8184
#define HEAP_MARK_WORDS (HEAP_PAGE / 8 / 64)

typedef enum PageKind {
    PAGE_OBJECTS,
    PAGE_BLOCKS,
    PAGE_FREE,
    PAGE_LARGE,      /* first page of a span of one object */
    PAGE_LARGE_CONT, /* the others */
} PageKind;

/* Page.bits. Written by the owner's thread, or in a stopped world. An unswept page is in the owner's list of these and
 * in no other: it may hold dead objects, whose references lead nowhere. */
enum {
    PAGE_UNSWEPT = 1,
    PAGE_REUSED = 2,        /* a sweep gave it free cells: they count as taken when the page is allocated from */
    PAGE_LOOK = 4,          /* may hold objects with finalizers, or classes */
    PAGE_SWEEP_STOPPED = 8, /* may hold objects that must be freed in a stopped world */
    PAGE_UNMARKED = 16,     /* the cycle collector's, during a collection: holds unmarked objects */
};

struct Page {
    char *base;     /* 8 bytes before the first cell: cell = base + 8 * unit, units from 1 */
    uint16_t free;  /* unit of the first free cell, 0: none */
    uint16_t used;  /* cells not on `free` and not beyond `bump`; remote frees count as used until collected */
    uint16_t bump;  /* units carved so far; the rest of the page has never been touched */
    uint16_t limit; /* units that cells may use */
    uint16_t units; /* of a cell; 0 for spans */
    uint8_t kind;   /* PageKind */
    uint8_t class_;
    uint8_t listed;   /* is in its owner's list of pages with free cells */
    uint8_t span;     /* pages of the span, or the distance to its first page */
    uint8_t bits;     /* PAGE_* bits above */
    uint32_t inverse; /* 2^32 / units, rounded up: unit number to cell number */
    _Atomic(HeapOwner *) owner;
    Page *next, *prev; /* in a list of the owner */

    _Alignas(64) _Atomic(uint32_t) remote; /* unit of the first cell freed by another thread, 0: none */
    Page *remote_next;                     /* in the owner's list of pages with remote frees */
    int32_t *edges;                        /* the tracer's, during a collection: per cell */
    uint64_t large_size;                   /* bytes of the span's cell */
    uint64_t grace;                        /* when it became empty: retire_stamp() */
};

typedef struct Chunk {
    Page pages[HEAP_CHUNK_PAGES];
    _Atomic(uint64_t) marks[HEAP_CHUNK_PAGES][HEAP_MARK_WORDS]; /* one bit per unit */
    uint64_t free_pages;                                        /* bit i: page i is free and not part of anything */
    struct Chunk *next, *prev;                                  /* all chunks */
    size_t huge_size; /* bytes of the one cell that starts at HEAP_HUGE_OFFSET, 0: an ordinary chunk */
    size_t mapped;    /* bytes obtained */
} Chunk;
_Static_assert(sizeof(Page) == 128, "a page record is two cache lines");
#define HEAP_HUGE_OFFSET ((size_t)HEAP_FIRST_PAGE << HEAP_PAGE_SHIFT)
_Static_assert(sizeof(Chunk) <= HEAP_HUGE_OFFSET, "the chunk's header fits before its first page");

/* Per MiB of address space: 0 not ours, 1 a chunk starts, 2 a chunk goes on (huge cells). */
#define HEAP_ADDRESS_BITS 47
extern _Atomic(uint8_t) heap_chunk_map[(size_t)1 << (HEAP_ADDRESS_BITS - HEAP_CHUNK_SHIFT)];

static ALWAYS_INLINE bool heap_owns(const void *p) {
    uintptr_t i = (uintptr_t)p >> HEAP_CHUNK_SHIFT;
    return i < ARRAY_LEN(heap_chunk_map) && LOAD_RELAXED(&heap_chunk_map[i]) != 0;
}
/* Of an address in an ordinary chunk, or the start of a huge cell. */
static ALWAYS_INLINE Chunk *heap_chunk_of(const void *p) {
    return (Chunk *)((uintptr_t)p & ~(HEAP_CHUNK - 1));
}
static ALWAYS_INLINE Page *heap_page_of(const void *p) {
    return &heap_chunk_of(p)->pages[((uintptr_t)p & (HEAP_CHUNK - 1)) >> HEAP_PAGE_SHIFT];
}
static ALWAYS_INLINE uint32_t heap_unit_of(const Page *p, const void *cell) {
    return (uint32_t)(((const char *)cell - p->base) >> 3);
}
static ALWAYS_INLINE uint16_t *heap_link_of(void *cell) {
    return (uint16_t *)((char *)cell + 6);
}

/* ---- allocation ---- */

Object *heap_alloc_slow(Thread *t, size_t size);
void *heap_block_slow(Thread *t, size_t size);
void heap_free_slow(Page *p, void *cell, uint32_t old_free);
void heap_free_remote(Page *p, void *cell);
void heap_block_free_big(void *block);
void heap_free_large(Object *o);

static ALWAYS_INLINE void *heap_pop(Page *p) {
    char *cell = p->base + (size_t)p->free * 8;
    p->free = *heap_link_of(cell);
    p->used++;
    return cell;
}
/* All but the header. */
static ALWAYS_INLINE void heap_zero(void *cell, size_t size) {
    uint64_t *w = cell;
    size_t n = (size + 7) / 8, i = sizeof(Object) / 8;
    if (__builtin_constant_p(size) || size > 128) {
        if (n > i)
            memset(w + i, 0, (n - i) * 8);
        return;
    }
    for (; i < n; i++) /* atomic, or the compiler makes vectors of three words */
        STORE_RELAXED((_Atomic(uint64_t) *)w + i, 0);
}

/* A cell of at least size bytes (8 or more), all zero but the header, which count_init writes next. NULL at the heap's
 * limit or out of memory (nothing pending). May collect, but runs no Python code. The header's index must be set before
 * the next allocation or call. */
static ALWAYS_INLINE Object *heap_alloc_for(Thread *t, size_t size) {
    size_t units = (size + 7) / 8;
    if (LIKELY(units <= HEAP_SMALL_UNITS)) {
        Page *p = t->heap.bin[PAGE_OBJECTS][units];
        if (LIKELY(p->free != 0)) {
            Object *o = heap_pop(p);
            heap_zero(o, units * 8);
            return o;
        }
    }
    return heap_alloc_slow(t, size);
}
/* The same for an object without references: only the last word is zero. NULL: use heap_alloc.
 */
static ALWAYS_INLINE Object *heap_alloc_leaf(size_t size) {
    UNUSED size_t units = (size + 7) / 8;
    if (UNLIKELY(POLYGIL_SANITIZED || units > HEAP_SMALL_UNITS))
        return NULL;
    Page *p = thread_self()->heap.bin[PAGE_OBJECTS][units];
    if (UNLIKELY(p->free == 0))
        return NULL;
    Object *o = heap_pop(p);
    STORE_RELAXED((_Atomic(uint64_t) *)o + units - 1, 0);
    return o;
}
static ALWAYS_INLINE Object *heap_alloc(size_t size) {
    return heap_alloc_for(thread_self(), size);
}

/* The object holds no reference any more and nobody can reach it. Attached threads only. */
static ALWAYS_INLINE void heap_free(Object *o) {
    Page *p = heap_page_of(o);
    Thread *t = thread_self();
    STORE_RELAXED(&o->index, 0);                            /* free: the scanner passes over it */
    if (LIKELY(LOAD_RELAXED(&p->owner) == t->heap.owner)) { /* spans have no owner */
        uint32_t old = p->free;
        *heap_link_of(o) = (uint16_t)old;
        p->free = (uint16_t)heap_unit_of(p, o);
        p->used--;
        if (UNLIKELY(old == 0 || p->used == 0))
            heap_free_slow(p, o, old);
        return;
    }
    heap_free_remote(p, o);
}

/* The fresh object needs a look when it is dead, or a stopped world to be freed in. */
static ALWAYS_INLINE void heap_note(Object *o, bool stopped) {
    if (!COUNT_EXACT)
        heap_page_of(o)->bits |= PAGE_LOOK | (stopped ? PAGE_SWEEP_STOPPED : 0);
}
/* Every page needs a look: objects got a finalizer after they were made. */
extern _Atomic(bool) heap_look_everywhere;

/* Memory that is no object: at least size bytes, 8-byte aligned, not zeroed. NULL as heap_alloc. Freed by
 * heap_block_free, or retired by retire_mem, never by free. */
static ALWAYS_INLINE void *heap_block(size_t size) {
    Thread *t = thread_self();
    UNUSED size_t units = (size + 7) / 8;
    if (!POLYGIL_SANITIZED && LIKELY(units <= HEAP_SMALL_UNITS)) {
        Page *p = t->heap.bin[PAGE_BLOCKS][units];
        if (LIKELY(p->free != 0))
            return heap_pop(p);
    }
    return heap_block_slow(t, size);
}
static ALWAYS_INLINE void heap_block_free(void *block) {
    if (UNLIKELY(!heap_owns(block))) {
        if (block)
            heap_block_free_big(block);
        return;
    }
    Page *p = heap_page_of(block);
    if (LIKELY(LOAD_RELAXED(&p->owner) == thread_self()->heap.owner)) {
        uint32_t old = p->free;
        *heap_link_of(block) = (uint16_t)old;
        p->free = (uint16_t)heap_unit_of(p, block);
        p->used--;
        if (UNLIKELY(old == 0 || p->used == 0))
            heap_free_slow(p, block, old);
        return;
    }
    heap_free_remote(p, block);
}
/* The same, its bytes from `from` on zero; from HEAP_OVERSIZE on they are no memory before they are written. */
enum { HEAP_OVERSIZE = 1048576 };
void heap_note_oversize_(const Object *o);
/* o has got a block of size bytes. If it is large, and no count tells when o dies, the next collection that finds o
 * dead frees it in its pause: as an unswept object it would keep the block from being used again, and count as alive.
 */
static ALWAYS_INLINE void heap_note_oversize(const Object *o, size_t size) {
    if (!COUNT_EXACT && UNLIKELY(size >= HEAP_OVERSIZE))
        heap_note_oversize_(o);
}
void *heap_block_zeroed(size_t size, size_t from);
/* As realloc, for a block that no reader without a lock can hold. */
void *heap_block_resize(void *block, size_t size);
/* Usable bytes. */
size_t heap_block_size(const void *block);

/* Bytes of the object's cell (its size class): where attributes end in variable-size objects. */
size_t heap_size_of(const Object *o);

/* ---- accounting ---- */

/* Limit of all cells and blocks together, 0: none. At the limit an allocation collects, tries once more and then fails.
 */
void heap_set_limit(size_t bytes);
size_t heap_limit(void);
/* Bytes in pages, spans and blocks now. */
size_t heap_bytes(void);
/* Bytes taken since the last collection before one is asked for: by POLL_COLLECT of the thread that took the last of
 * them, and of others that take more, until one has begun. */
void heap_set_trigger(size_t bytes);
/* Bytes taken since then: pages and blocks, and cells used again after a sweep. */
int64_t heap_taken(void);
/* Threads that took much of it, and have not ended; at least 1. */
uint32_t heap_takers(void);
/* A collection is asked for. */
bool heap_asks(void);
/* The same, to the one thread that is to collect: the request is gone then. */
bool heap_take_request(void);
/* A section, inside which nothing may be collected, has taken more than the limit. */
bool heap_beyond_limit(void);
/* Memory outside the heap that counts towards limit and trigger (retired memory does). */
void heap_account(int64_t bytes);
/* False when the process may not take that many bytes more, after collecting: for memory obtained elsewhere (GMP
 * limbs). */
bool heap_may_take(size_t bytes);

int heap_init(void);             /* first thing, before any thread: 0, -1 */
int heap_thread_init(Thread *t); /* 0, -1 without memory */
/* After it, by the thread itself, best without locks: jemalloc may give pages back meanwhile. */
void heap_thread_use_arena(const Thread *t);
void heap_thread_fini(Thread *t); /* its pages go to the pool */
void heap_after_fork_child(void);

/* ---- for the collectors: the world is stopped ---- */

/* The object whose cell contains the word (interior addresses included), or NULL. Exact addresses: cell == word. */
Object *heap_find(uintptr_t word);
/* v is an object in the heap (not a static one). */
static ALWAYS_INLINE bool heap_has(Value v) {
    return v_is_obj(v) && heap_owns(v_obj(v));
}

/* Calls fn for every cell in use (index not 0). fn may free the cell. */
void heap_each(void (*fn)(Object *o, void *arg), void *arg);
void heap_each_page(void (*fn)(Page *p, void *arg), void *arg);
/* Cells of a page in use; fn may free the cell it is given. Spans and huge cells too. */
void heap_page_each(Page *p, void (*fn)(Object *o, void *arg), void *arg);

static ALWAYS_INLINE _Atomic(uint64_t) *heap_mark_word(const Object *o, uint64_t *bit) {
    Chunk *c = heap_chunk_of(o);
    uintptr_t off = (uintptr_t)o & (HEAP_CHUNK - 1);
    *bit = (uint64_t)1 << (off >> 3 & 63);
    return &c->marks[off >> HEAP_PAGE_SHIFT][(off & (HEAP_PAGE - 1)) >> 9];
}
static ALWAYS_INLINE bool heap_is_marked(const Object *o) {
    uint64_t bit;
    _Atomic(uint64_t) *w = heap_mark_word(o, &bit);
    return LOAD_RELAXED(w) & bit;
}
/* True when it was not marked before. One marker at a time. */
static ALWAYS_INLINE bool heap_mark(Object *o) {
    uint64_t bit;
    _Atomic(uint64_t) *w = heap_mark_word(o, &bit);
    uint64_t m = LOAD_RELAXED(w);
    if (m & bit)
        return false;
    STORE_RELAXED(w, m | bit);
    return true;
}
/* The same with several markers. */
static ALWAYS_INLINE bool heap_mark_shared(Object *o) {
    uint64_t bit;
    _Atomic(uint64_t) *w = heap_mark_word(o, &bit);
    return !(LOAD_RELAXED(w) & bit) && !(atomic_fetch_or_explicit(w, bit, memory_order_relaxed) & bit);
}
/* Frees the unmarked cells of a page for which dead() is true; dead() has finished with them. Returns how many. The
 * page's place in its owner's lists is the caller's business: heap_page_swept, in a stopped world. */
void heap_page_swept(Page *p);
static ALWAYS_INLINE uint32_t heap_page_sweep(Page *p, bool (*dead)(Object *o, void *arg), void *arg) {
    if (p->kind == PAGE_LARGE) {
        Object *o = (Object *)(p->base + 8);
        if (LOAD_RELAXED(&o->index) && !heap_is_marked(o) && dead(o, arg)) {
            STORE_RELAXED(&o->index, 0);
            heap_free_large(o);
        }
        return 0;
    }
    uint32_t step = p->units, freed = 0, end = p->bump, free = p->free;
    _Atomic(uint64_t) *marks = heap_chunk_of(p)->marks[p - heap_chunk_of(p)->pages];
    char *base = p->base + 8;
    for (uint32_t u = 0; u < end; u += step) {
        if (LOAD_RELAXED(&marks[u >> 6]) >> (u & 63) & 1)
            continue;
        Object *o = (Object *)(base + (size_t)u * 8);
        if (!LOAD_RELAXED(&o->index) || !dead(o, arg))
            continue;
        STORE_RELAXED(&o->index, 0);
        *heap_link_of(o) = (uint16_t)free;
        free = u + 1;
        freed++;
    }
    p->free = (uint16_t)free;
    p->used = (uint16_t)(p->used - freed);
    return freed;
}
/* Calls fn for the cells in use that are not marked; fn may mark, and free the cell. */
static ALWAYS_INLINE void heap_page_each_unmarked(Page *p, void (*fn)(Object *o)) {
    if (p->kind == PAGE_LARGE) {
        Object *o = (Object *)(p->base + 8);
        if (LOAD_RELAXED(&o->index) && !heap_is_marked(o))
            fn(o);
        return;
    }
    _Atomic(uint64_t) *marks = heap_chunk_of(p)->marks[p - heap_chunk_of(p)->pages];
    char *base = p->base + 8;
    for (uint32_t u = 0; u < p->bump && p->kind == PAGE_OBJECTS; u += p->units) {
        Object *o = (Object *)(base + (size_t)u * 8);
        if (!(LOAD_RELAXED(&marks[u >> 6]) >> (u & 63) & 1) && LOAD_RELAXED(&o->index))
            fn(o);
    }
}
/* For heap_page_swept's callers: the cells in use, and of these the marked ones. */
uint32_t heap_page_marked(const Page *p);

/* Frees what dead(o, &memo) says of the unmarked cells (memo: a uint32_t, 0 at first, of one page's walk): large ones
 * and those of PAGE_SWEEP_STOPPED pages, and of owners whose blocks are large, now, the others when their owners need
 * cells or the next collection begins. dead() must only free blocks. Returns about how many bytes the dead hold, in
 * cells and blocks. */
size_t heap_sweep_lazily(bool (*dead)(Object *o, void *arg));
/* World stopped: nothing unswept is left. To be called before anything else looks at the heap. */
void heap_sweep_finish(void);
/* The calling thread's pages. */
void heap_sweep_own(Thread *t);
void heap_clear_marks(void);
/* Cell number within its page, and how many cells the page can hold: for side tables. */
static ALWAYS_INLINE uint32_t heap_cell_number(const Page *p, const Object *o) {
    return p->units == 0 ? 0 : (uint32_t)(((uint64_t)(heap_unit_of(p, o) - 1) * p->inverse) >> 32);
}
uint32_t heap_page_cells(const Page *p);
/* Takes in remote frees and gives empty pages and chunks back, all but one chunk, or as many as make up spare bytes. */
void heap_trim(size_t spare);
/* Forced rare events: see runtime/torture.h; 0: never. Set while one thread exists; cleared at any time. */
void heap_torture_set(uint32_t collect_every, uint32_t fail_every);
/* Checks every page's lists and counts: aborts when one is wrong. */
void heap_verify(void);

#endif

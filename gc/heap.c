/* The heap's allocation side: pages, owners, remote frees, spans, blocks and accounting. See heap.h. */
#include "heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#if !POLYGIL_SANITIZED
#include <jemalloc/jemalloc.h>
#endif

#include "heap_impl.h"
#include "stats.h"
#include "tracer.h"

/* jemalloc's: blocks above the threshold go back to the system when they are freed. A list that grows to a million
 * leaves a tail of smaller blocks behind, and kept, they were a third of its memory. */
__attribute__((visibility("default"))) const char *malloc_conf = "oversize_threshold:1048576";

_Atomic(uint8_t) heap_chunk_map[(size_t)1 << (HEAP_ADDRESS_BITS - HEAP_CHUNK_SHIFT)];

Mutex heap_mutex = MUTEX_INIT(RANK_HEAP);
Chunk *heap_chunks; /* those with free pages first; but for the time of a walk */
int heap_walking;
static bool order_pending;
static Chunk *chunks_last;
static HeapOwner *pool; /* owners without a thread */
static Page empty_page; /* stands in every bin that has no page: no free cell, nothing to carve */

static _Atomic(size_t) total;                   /* bytes in pages, spans, huge cells and blocks */
static _Atomic(size_t) limit;                   /* 0: none */
static _Atomic(int64_t) taken;                  /* since the last collection: see heap_taken */
static _Atomic(int64_t) trigger = INT64_MAX;    /* taken beyond which a collection is due */
static _Atomic(int64_t) trigger_at = INT64_MAX; /* taken beyond which somebody is asked for it */
static _Atomic(uint32_t) takers;
_Atomic(bool) heap_look_everywhere;
static _Atomic(bool) asked; /* a collection is asked for, and nobody has begun it */

enum {
    REPORT_BYTES = 64 << 10,
    ASK_AGAIN_BYTES = 1 << 20,
    TAKER_BYTES = 1 << 20,
    EMPTIES_MAX = 8,
    SWEEP_PAGES = 64,
    LARGE_PAGES_MAX = 31
};

static const uint16_t class_units[HEAP_CLASSES] = {
    [0] = 2,    [1] = 2,    [65] = 80,  [66] = 96,  [67] = 112, [68] = 128, [69] = 160, [70] = 192,
    [71] = 224, [72] = 256, [73] = 320, [74] = 384, [75] = 448, [76] = 512, [77] = 682, [78] = 1023,
};
enum { CLASS_LAST = 78 };

static uint32_t class_of(size_t units) {
    if (units <= HEAP_SMALL_UNITS)
        return (uint32_t)units;
    uint32_t c = HEAP_SMALL_UNITS + 1;
    while (class_units[c] < units)
        c++;
    return c;
}
static uint32_t units_of_class(uint32_t c) {
    return class_units[c] ? class_units[c] : c;
}

/* ---- accounting ---- */

size_t heap_bytes(void) {
    return LOAD_RELAXED(&total);
}
size_t heap_limit(void) {
    return LOAD_RELAXED(&limit);
}
void heap_set_limit(size_t bytes) {
    STORE_RELAXED(&limit, bytes);
}

void heap_set_trigger(size_t bytes) {
    size_t now = LOAD_RELAXED(&total), cap = LOAD_RELAXED(&limit);
    size_t at = MIN(bytes, SIZE_MAX / 4);
    /* Near a limit: half of what is left, so that the limit is met by collecting early and seldom inside an allocation.
     */
    if (cap && now + at > cap)
        at = now < cap ? (cap - now) / 2 : cap >> 4;
    STORE_RELAXED(&taken, 0);
    if (excl_world_stopped()) {
        STORE_RELAXED(&takers, 0);
        for (Thread *t = thread_list; t; t = t->next)
            t->heap.taken = t->heap.took = 0;
    }
    STORE_RELAXED(&trigger, (int64_t)at);
    STORE_RELAXED(&trigger_at, (int64_t)at);
}
int64_t heap_taken(void) {
    return LOAD_RELAXED(&taken);
}
uint32_t heap_takers(void) {
    return MAX(LOAD_RELAXED(&takers), 1u);
}

bool heap_asks(void) {
    return LOAD_RELAXED(&asked);
}
bool heap_take_request(void) {
    if (!LOAD_RELAXED(&asked) || !atomic_exchange_explicit(&asked, false, memory_order_relaxed))
        return false;
    int64_t due = LOAD_RELAXED(&trigger);
    if (LOAD_RELAXED(&taken) > due)
        return true;
    STORE_RELAXED(&trigger_at, due); /* much was freed since: a table's old memory, when it grew */
    return false;
}
static void ask(Thread *t) {
    STORE_RELAXED(&asked, true);
    if (t)
        thread_set_poll(t, POLL_COLLECT);
}

static void count_total(int64_t bytes) {
    atomic_fetch_add_explicit(&total, (size_t)bytes, memory_order_relaxed);
}
static void count_taken(Thread *t, int64_t bytes) {
    int64_t now = atomic_fetch_add_explicit(&taken, bytes, memory_order_relaxed) + bytes;
    if (t && bytes > 0) {
        if (t->heap.took < TAKER_BYTES && t->heap.took + bytes >= TAKER_BYTES)
            atomic_fetch_add_explicit(&takers, 1, memory_order_relaxed);
        t->heap.took += bytes;
    }
    if (bytes > 0 && UNLIKELY(now > LOAD_RELAXED(&trigger_at))) {
        /* Who is asked may sleep before its next safepoint, or never come to one: whoever takes more is asked next. The
         * collection sets it anew. */
        STORE_RELAXED(&trigger_at, now + ASK_AGAIN_BYTES);
        ask(thread_self());
    }
}
static void account(int64_t bytes) {
    Thread *t = thread_self();
    count_total(bytes);
    if (!(bytes < 0 && t && t->heap.sweeping))
        count_taken(t, bytes);
}
/* Cells that a sweep freed are used again. */
static void account_reuse(Thread *t, size_t bytes) {
    t->heap.taken += (int64_t)bytes;
    if (t->heap.taken > REPORT_BYTES) {
        int64_t n = t->heap.taken;
        t->heap.taken = 0;
        count_taken(t, n);
    }
}
void heap_account(int64_t bytes) {
    Thread *t = thread_self();
    if (!t) {
        account(bytes);
        return;
    }
    t->heap.unreported += bytes;
    if (!(bytes < 0 && t->heap.sweeping))
        t->heap.taken += bytes;
    if (t->heap.unreported > REPORT_BYTES || t->heap.unreported < -REPORT_BYTES) {
        int64_t n = t->heap.unreported;
        t->heap.unreported = 0;
        count_total(n);
    }
    if (t->heap.taken > REPORT_BYTES || t->heap.taken < -REPORT_BYTES) {
        int64_t n = t->heap.taken;
        t->heap.taken = 0;
        count_taken(t, n);
    }
}

static bool fits(size_t bytes) {
    size_t cap = LOAD_RELAXED(&limit), now = LOAD_RELAXED(&total);
    return cap == 0 || (bytes <= cap && now <= cap - bytes);
}
bool heap_beyond_limit(void) {
    return !fits(0);
}
bool heap_may_take(size_t bytes) {
    if (LIKELY(fits(bytes)))
        return true;
    Thread *t = thread_self();
    if (t->heap.no_limit)
        return true;
    if (excl_in_section(t) || excl_world_stopped()) {
        /* No collection here: some slack, and one at the next safepoint. */
        ask(t);
        size_t cap = LOAD_RELAXED(&limit), slack = cap / 8 + (1 << 20);
        return bytes <= slack && LOAD_RELAXED(&total) <= cap + slack - bytes;
    }
    trace_emergency(t);
    return fits(bytes);
}

/* ---- chunks and pages: under heap_mutex ---- */

static void map_set(Chunk *c, size_t bytes, bool on) {
    uintptr_t i = (uintptr_t)c >> HEAP_CHUNK_SHIFT, n = (bytes + HEAP_CHUNK - 1) >> HEAP_CHUNK_SHIFT;
    for (uintptr_t k = 0; k < n; k++)
        STORE_RELAXED(&heap_chunk_map[i + k], (uint8_t)(!on ? 0 : k == 0 ? 1 : 2));
}
static void chunk_unlink(Chunk *c) {
    if (c->prev)
        c->prev->next = c->next;
    else
        heap_chunks = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        chunks_last = c->prev;
}
static void chunk_link_first(Chunk *c) {
    c->prev = NULL;
    c->next = heap_chunks;
    if (heap_chunks)
        heap_chunks->prev = c;
    else
        chunks_last = c;
    heap_chunks = c;
}
static void chunk_link_last(Chunk *c) {
    c->next = NULL;
    c->prev = chunks_last;
    if (chunks_last)
        chunks_last->next = c;
    else
        heap_chunks = c;
    chunks_last = c;
}

static Chunk *chunk_new(size_t huge_bytes) {
    size_t bytes = huge_bytes ? HEAP_HUGE_OFFSET + huge_bytes : HEAP_CHUNK;
    if (huge_bytes > SIZE_MAX / 2)
        return NULL;
    /* Whole chunks: heap_owns goes by chunks, so malloc must not hand out the rest of the last one. What is never
     * touched costs nothing. */
    bytes = (bytes + HEAP_CHUNK - 1) & ~(size_t)(HEAP_CHUNK - 1);
    Chunk *c = NULL;
    if (posix_memalign((void **)&c, HEAP_CHUNK, bytes) != 0)
        return NULL;
    if (((uintptr_t)c + bytes) >> HEAP_ADDRESS_BITS) {
        free(c);
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->mapped = bytes;
    c->huge_size = huge_bytes;
    for (int i = 0; i < HEAP_CHUNK_PAGES; i++) {
        c->pages[i].kind = PAGE_FREE;
        c->pages[i].base = (char *)c + ((size_t)i << HEAP_PAGE_SHIFT) - 8;
    }
    if (!huge_bytes)
        c->free_pages = ~(uint64_t)0 << HEAP_FIRST_PAGE;
    map_set(c, bytes, true);
    if (c->free_pages)
        chunk_link_first(c);
    else
        chunk_link_last(c);
    STAT_ADD(chunks, 1);
    return c;
}
static void chunk_free(Chunk *c) {
    chunk_unlink(c);
    map_set(c, c->mapped, false);
    free(c);
}

/* The first of n consecutive free pages, taken; NULL without memory. */
static Page *pages_take(uint32_t n) {
    Chunk *c;
    uint64_t run = 0;
    for (c = heap_chunks; c && c->free_pages; c = c->next) {
        run = c->free_pages;
        for (uint32_t have = 1; run && have < n;) {
            uint32_t step = MIN(have, n - have);
            run &= run >> step;
            have += step;
        }
        if (run)
            break;
    }
    if (!c || !c->free_pages) {
        if (!(c = chunk_new(0)))
            return NULL;
        run = c->free_pages;
    }
    int i = __builtin_ctzll(run);
    c->free_pages &= ~((((uint64_t)1 << n) - 1) << i);
    if (c->free_pages == 0 && c != chunks_last) {
        if (heap_walking)
            order_pending = true;
        else {
            chunk_unlink(c);
            chunk_link_last(c);
        }
    }
    return &c->pages[i];
}
static void pages_give(Page *p, uint32_t n) {
    Chunk *c = heap_chunk_of(p);
    int i = (int)(p - c->pages);
    for (uint32_t k = 0; k < n; k++) {
        p[k].kind = PAGE_FREE;
        p[k].span = 0;
        p[k].units = 0;
        STORE_RELAXED(&p[k].owner, NULL);
        memset((void *)c->marks[i + (int)k], 0, sizeof c->marks[0]);
    }
    bool was_full = c->free_pages == 0;
    c->free_pages |= (((uint64_t)1 << n) - 1) << i;
    if (was_full) {
        if (heap_walking)
            order_pending = true; /* a walk must not miss a chunk that moves before the one it stands on */
        else {
            chunk_unlink(c);
            chunk_link_first(c);
        }
    }
}

void heap_walk_end(void) {
    if (--heap_walking > 0 || !order_pending)
        return;
    order_pending = false;
    Chunk *next;
    for (Chunk *c = heap_chunks; c; c = next) {
        next = c->next;
        if (c->free_pages) { /* the full ones sink to the end */
            chunk_unlink(c);
            chunk_link_first(c);
        }
    }
}

/* ---- pages of an owner ---- */

static void page_list(HeapOwner *w, Page *p) {
    ASSERT(!p->listed);
    Page **head = &w->avail[p->kind][p->class_];
    p->prev = NULL;
    p->next = *head;
    if (*head)
        (*head)->prev = p;
    *head = p;
    p->listed = 1;
}
static void page_unlist(HeapOwner *w, Page *p) {
    ASSERT(p->listed);
    if (p->prev)
        p->prev->next = p->next;
    else
        w->avail[p->kind][p->class_] = p->next;
    if (p->next)
        p->next->prev = p->prev;
    p->listed = 0;
}

static void page_format(Page *p, PageKind kind, uint32_t cls) {
    uint32_t units = units_of_class(cls);
    p->free = 0;
    p->used = 0;
    p->bump = 0;
    p->units = (uint16_t)units;
    p->limit = (uint16_t)(HEAP_PAGE / 8 / units * units);
    p->inverse = (uint32_t)((((uint64_t)1 << 32) + units - 1) / units);
    p->kind = (uint8_t)kind;
    p->class_ = (uint8_t)cls;
    p->listed = 0;
    p->span = 0;
    p->bits = 0;
    p->large_size = 0;
    ASSERT(LOAD_RELAXED(&p->remote) == 0);
}

/* Turns some untouched memory into free cells: false when the page has none left. */
static bool page_carve(Page *p) {
    uint32_t units = p->units, n = (uint32_t)(p->limit - p->bump) / units;
    if (n == 0)
        return false;
    uint32_t batch = 4096 / 8 / units;
    if (batch == 0)
        batch = 1;
    if (n > batch)
        n = batch;
    uint32_t first = p->bump + 1u;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t u = first + i * units;
        uint64_t link = i + 1 < n ? u + units : p->free;
        *(uint64_t *)(p->base + (size_t)u * 8) = link << 48;
    }
    p->free = (uint16_t)first;
    p->bump = (uint16_t)(p->bump + n * units);
    return true;
}

static void page_empty(HeapOwner *w, Page *p) {
    if (p->listed)
        page_unlist(w, p);
    bool swept = p->bits & PAGE_REUSED || thread_self()->heap.sweeping;
    page_format(p, (PageKind)p->kind, p->class_); /* carved anew when it is used again */
    p->bits = swept ? PAGE_REUSED : 0;
    p->grace = retire_stamp();
    p->next = NULL;
    if (w->empties_last)
        w->empties_last->next = p;
    else
        w->empties = p;
    w->empties_last = p;
    if (++w->n_empties <= EMPTIES_MAX || !retire_passed(w->empties->grace))
        return;
    mutex_lock(&heap_mutex);
    int given = 0;
    while (w->empties && w->n_empties > EMPTIES_MAX / 2 && retire_passed(w->empties->grace)) {
        Page *e = w->empties;
        w->empties = e->next;
        w->n_empties--;
        w->n_pages--;
        given++;
        pages_give(e, 1);
    }
    if (!w->empties)
        w->empties_last = NULL;
    mutex_unlock(&heap_mutex);
    account(-(int64_t)given * (int64_t)HEAP_PAGE);
}

static bool page_is_current(const Thread *t, const Page *p) {
    return t->heap.bin[p->kind][p->class_] == p;
}

void heap_free_slow(Page *p, void *cell, uint32_t old_free) {
    Thread *t = thread_self();
    HeapOwner *w = t->heap.owner;
    if (page_is_current(t, p) || p->bits & PAGE_UNSWEPT)
        return;
    if (t->heap.sweeping)
        p->bits |= PAGE_REUSED;
    if (p->used == 0)
        page_empty(w, p);
    else if (old_free == 0 && !p->listed)
        page_list(w, p);
}

/* ---- remote frees ---- */

static void owner_notify(HeapOwner *w, Page *p) {
    Page *head = LOAD_RELAXED(&w->remote_pages);
    do
        p->remote_next = head;
    /* release: remote_next comes before the head; pairs with the acquire in take_remote */
    while (
        !atomic_compare_exchange_weak_explicit(&w->remote_pages, &head, p, memory_order_release, memory_order_relaxed));
}

void heap_free_remote(Page *p, void *cell) {
    if (p->kind == PAGE_LARGE) {
        heap_free_large(cell);
        return;
    }
    SCHED_POINT(SCHED_ALLOC, p);
    uint32_t unit = heap_unit_of(p, cell), head = LOAD_RELAXED(&p->remote);
    do
        *heap_link_of(cell) = (uint16_t)head;
    /* release: the link, and our last accesses to the cell, come before; acquire, for who finds it empty and writes
     * remote_next: the owner has read it. Both pair with the exchange in page_take_remote. */
    while (!atomic_compare_exchange_weak_explicit(&p->remote, &head, unit, memory_order_acq_rel, memory_order_relaxed));
    /* Who makes the list non-empty tells the owner. Should the page change hands meanwhile, the old owner's list is
     * searched as well. */
    if (head == 0)
        owner_notify(LOAD_ACQUIRE(&p->owner), p); /* pairs with the release in pool_absorb */
}

static void page_take_remote(Thread *t, HeapOwner *w, Page *p) {
    uint32_t u = atomic_exchange_explicit(&p->remote, 0, memory_order_acq_rel); /* pairs with heap_free_remote */
    if (u == 0)
        return;
    bool was_out = p->free == 0;
    while (u) {
        char *cell = p->base + (size_t)u * 8;
        uint32_t next = *heap_link_of(cell);
        *heap_link_of(cell) = p->free;
        p->free = (uint16_t)u;
        p->used--;
        u = next;
    }
    if ((t && page_is_current(t, p)) || p->bits & PAGE_UNSWEPT)
        return;
    if (p->used == 0)
        page_empty(w, p);
    else if (was_out && !p->listed)
        page_list(w, p);
}
/* t: the owner's thread, or NULL for an owner in the pool. */
static void take_remote(Thread *t, HeapOwner *w) {
    if (LIKELY(LOAD_RELAXED(&w->remote_pages) == NULL))
        return;
    Page *p = atomic_exchange_explicit(&w->remote_pages, NULL, memory_order_acquire); /* pairs with owner_notify */
    while (p) {
        Page *next = p->remote_next;
        HeapOwner *o = LOAD_RELAXED(&p->owner);
        if (o == w)
            page_take_remote(t, w, p);
        else
            owner_notify(o, p);
        p = next;
    }
}

/* ---- owners ---- */

static HeapOwner *all_owners;

static void page_unswept(HeapOwner *w, Page *p) {
    p->bits |= PAGE_UNSWEPT;
    p->listed = 0;
    p->next = w->unswept[p->class_];
    w->unswept[p->class_] = p;
    w->n_unswept++;
}

/* Takes one pooled owner's pages over. Under heap_mutex. */
static bool pool_absorb(Thread *t) {
    HeapOwner *w = t->heap.owner, *v = pool;
    while (v && v->n_pages == 0 && LOAD_RELAXED(&v->remote_pages) == NULL)
        v = v->pool_next;
    if (!v)
        return false;
    for (Chunk *c = heap_chunks; c && v->n_pages; c = c->next) {
        for (int i = HEAP_FIRST_PAGE; i < HEAP_CHUNK_PAGES; i++) {
            Page *p = &c->pages[i];
            if (LOAD_RELAXED(&p->owner) != v ||
                p->kind > PAGE_BLOCKS) /* the owner first: nobody but a page's owner writes its kind */
                continue;
            bool listed = p->listed;
            p->listed = 0;
            STORE_RELEASE(&p->owner, w); /* pairs with the acquire in heap_free_remote */
            v->n_pages--;
            w->n_pages++;
            if (p->bits & PAGE_UNSWEPT) {
                page_unswept(w, p);
            } else if (p->bump == 0) {
                p->next = NULL;
                if (w->empties_last)
                    w->empties_last->next = p;
                else
                    w->empties = p;
                w->empties_last = p;
                w->n_empties++;
            } else if (listed || p->used == 0) {
                page_list(w, p);
            }
        }
    }
    memset(v->avail, 0, sizeof v->avail);
    memset(v->unswept, 0, sizeof v->unswept);
    v->n_unswept = 0;
    v->empties = v->empties_last = NULL;
    v->n_empties = 0;
    take_remote(NULL, v); /* forwards to us */
    return true;
}

/* ---- lazy sweeping ---- */

static bool (*sweep_dead)(Object *o, void *arg);

/* The page's dead cells, in a thread that may: the owner's, or any while the world is stopped. */
static void page_sweep_now(Thread *t, HeapOwner *w, Page *p) {
    w->unswept[p->class_] = p->next;
    w->n_unswept--;
    p->bits &= (uint8_t)~PAGE_UNSWEPT;
    t->heap.sweeping++;
    retire_freeing(t, 1);
    uint32_t plain = 0;
    if (heap_page_sweep(p, sweep_dead, &plain))
        p->bits |= PAGE_REUSED;
    retire_freeing(t, -1);
    t->heap.sweeping--;
}
/* An owner's swept page goes where it belongs. */
static void page_place(Thread *t, HeapOwner *w, Page *p) {
    t->heap.sweeping++;
    if (p->used == 0)
        page_empty(w, p);
    else if (p->free != 0 || p->bump < p->limit)
        page_list(w, p);
    t->heap.sweeping--;
}
/* Some unswept pages of any class; false when there are none. */
static bool sweep_some(Thread *t, uint32_t n) {
    HeapOwner *w = t->heap.owner;
    if (LIKELY(w->n_unswept == 0) || t->heap.sweeping)
        return false;
    for (uint32_t c = 0; c < HEAP_CLASSES; c++)
        while (w->unswept[c]) {
            Page *p = w->unswept[c];
            page_sweep_now(t, w, p);
            page_place(t, w, p);
            if (--n == 0)
                return true;
        }
    return true;
}
/* A page of the class with free cells, in no list; or NULL. */
static Page *sweep_for(Thread *t, uint32_t cls) {
    HeapOwner *w = t->heap.owner;
    while (w->unswept[cls] && !t->heap.sweeping) {
        Page *p = w->unswept[cls];
        page_sweep_now(t, w, p);
        if (p->free != 0)
            return p;
        if (p->bump < p->limit)
            page_list(w, p);
    }
    return NULL;
}
void heap_sweep_own(Thread *t) {
    while (sweep_some(t, UINT32_MAX)) {
    }
}

/* A page for the class, formatted: from the own empty ones, the pool, or the chunks. */
static Page *page_fresh(Thread *t, PageKind kind, uint32_t cls) {
    HeapOwner *w = t->heap.owner;
    Page **link = &w->empties, *prev = NULL;
    for (Page *p = w->empties; p; prev = p, link = &p->next, p = p->next) {
        if ((p->kind == kind && p->class_ == cls) || retire_passed(p->grace)) {
            *link = p->next;
            if (w->empties_last == p)
                w->empties_last = prev;
            w->n_empties--;
            uint8_t swept = p->bits & PAGE_REUSED;
            page_format(p, kind, cls);
            p->bits = swept;
            return p;
        }
    }
    if (!heap_may_take(HEAP_PAGE))
        return NULL;
    if (UNLIKELY(w->avail[kind][cls] != NULL)) { /* the collection above left some, or the caller's sweep */
        Page *p = w->avail[kind][cls];
        page_unlist(w, p);
        return p;
    }
    mutex_lock(&heap_mutex);
    if (UNLIKELY(pool != NULL) && pool_absorb(t)) {
        mutex_unlock(&heap_mutex);
        take_remote(t, w);
        Page *p = w->avail[kind][cls];
        if (p) {
            page_unlist(w, p);
            return p;
        }
        mutex_lock(&heap_mutex);
    }
    Page *p = pages_take(1);
    if (p) {
        page_format(p, kind, cls);
        STORE_RELAXED(&p->owner, w);
        w->n_pages++;
    }
    mutex_unlock(&heap_mutex);
    if (p)
        account(HEAP_PAGE);
    return p;
}

/* A page with a free cell in the bin, or NULL. */
static Page *refill(Thread *t, PageKind kind, uint32_t cls) {
    HeapOwner *w = t->heap.owner;
    Page **bin = &t->heap.bin[kind][cls];
    SCHED_POINT(SCHED_ALLOC, bin);
    take_remote(t, w);
    if ((*bin)->free != 0)
        return *bin;
    if (*bin != &empty_page && page_carve(*bin))
        return *bin;
    for (;;) {
        Page *p = w->avail[kind][cls];
        if (p) {
            page_unlist(w, p);
        } else if (kind == PAGE_OBJECTS && w->unswept[cls] && (p = sweep_for(t, cls)) != NULL) {
        } else {
            /* Growing comes after sweeping: dead objects may hold just the blocks, or free whole pages. */
            for (int n = 0; n < SWEEP_PAGES && !w->avail[kind][cls] && !w->empties && sweep_some(t, 1); n++) {
            }
            if (w->avail[kind][cls])
                continue;
            if (!(p = page_fresh(t, kind, cls)))
                return NULL;
        }
        if (p->bits & PAGE_REUSED) {
            p->bits &= (uint8_t)~PAGE_REUSED;
            account_reuse(t, ((size_t)(p->bump ? p->bump : p->limit) - (size_t)p->used * p->units) * 8);
        }
        /* A collection inside page_fresh may have refilled or even changed the old page: it is full, or listed by who
         * freed in it. */
        Page *old = *bin;
        *bin = p;
        if (old != &empty_page && old != p && !old->listed) {
            if (old->used == 0)
                page_empty(w, old);
            else if (old->free != 0)
                page_list(w, old);
        }
        if (p->free != 0 || page_carve(p))
            return p;
    }
}

#if !POLYGIL_SANITIZED
static unsigned cores = 1;
#endif

int heap_init(void) {
#if !POLYGIL_SANITIZED
    cores = (unsigned)MAX(1, sysconf(_SC_NPROCESSORS_ONLN));
#endif
    return 0;
}

/* Left to itself jemalloc spreads threads over four arenas a core, and what one freed lies idle while the next one
 * takes new memory. Threads that follow each other share an arena here, and no more are used than there are cores. */
void heap_thread_use_arena(const Thread *t) {
#if !POLYGIL_SANITIZED
    unsigned arena = t->heap.owner->number % cores;
    (void)mallctl("thread.arena", NULL, NULL, &arena, sizeof arena); /* if it fails, the thread keeps its arena */
#endif
}

int heap_thread_init(Thread *t) {
    memset(&t->heap, 0, sizeof t->heap);
    for (int k = 0; k < 2; k++)
        for (int c = 0; c < HEAP_CLASSES; c++)
            t->heap.bin[k][c] = &empty_page;
    mutex_lock(&heap_mutex);
    HeapOwner *w = pool;
    if (w) {
        pool = w->pool_next;
        w->pool_next = NULL;
    } else if ((w = calloc(1, sizeof *w)) != NULL) {
        w->number = all_owners ? all_owners->number + 1 : 0;
        w->all_next = all_owners;
        all_owners = w;
    }
    mutex_unlock(&heap_mutex);
    t->heap.owner = w;
    if (w == NULL)
        return -1;
    w->thread = t;
    return 0;
}
void heap_thread_fini(Thread *t) {
    HeapOwner *w = t->heap.owner;
    if (!w)
        return;
    for (int k = 0; k < 2; k++)
        for (int c = 0; c < HEAP_CLASSES; c++) {
            Page *p = t->heap.bin[k][c];
            t->heap.bin[k][c] = &empty_page;
            if (p == &empty_page)
                continue;
            if (p->used == 0)
                page_empty(w, p);
            else if ((p->free != 0 || p->bump < p->limit) && !p->listed)
                page_list(w, p);
        }
    take_remote(t, w);
    count_total(t->heap.unreported);
    count_taken(NULL, t->heap.taken);
    if (t->heap.took >= TAKER_BYTES) /* no collection runs meanwhile */
        atomic_fetch_sub_explicit(&takers, 1, memory_order_relaxed);
    t->heap.unreported = 0;
    t->heap.taken = 0;
    t->heap.owner = NULL;
    w->thread = NULL;
    mutex_lock(&heap_mutex);
    w->pool_next = pool;
    pool = w;
    mutex_unlock(&heap_mutex);
}
void heap_after_fork_child(void) {
    mutex_reinit(&heap_mutex);
    /* Who was asked for a collection may be gone. */
    STORE_RELAXED(&asked, false);
    STORE_RELAXED(&trigger_at, LOAD_RELAXED(&trigger));
}

void heap_each_owner(void (*fn)(HeapOwner *w, void *arg), void *arg) {
    for (HeapOwner *w = all_owners; w; w = w->all_next)
        fn(w, arg);
}

/* ---- large cells ---- */

static Object *alloc_large(size_t size) {
    size_t bytes = (size + 7) & ~(size_t)7;
    if (bytes < size)
        return NULL;
    size_t n = (bytes + HEAP_PAGE - 1) >> HEAP_PAGE_SHIFT;
    bool huge = n > LARGE_PAGES_MAX;
    int64_t cost = huge ? (int64_t)bytes : (int64_t)(n << HEAP_PAGE_SHIFT);
    if (!heap_may_take((size_t)cost))
        return NULL;
    mutex_lock(&heap_mutex);
    Page *p = NULL;
    if (huge) {
        Chunk *c = chunk_new(bytes);
        if (c) {
            p = &c->pages[HEAP_FIRST_PAGE];
            p->span = 1;
        }
    } else {
        p = pages_take((uint32_t)n);
        if (p) {
            p->span = (uint8_t)n;
            for (uint32_t k = 1; k < n; k++) {
                p[k].kind = PAGE_LARGE_CONT;
                p[k].span = (uint8_t)k;
            }
        }
    }
    if (p) {
        p->units = 0;
        p->used = 1;
        p->bits = 0;
        p->large_size = bytes;
        STORE_RELAXED(&p->owner, NULL);
        *(uint64_t *)(p->base + 8) = 0;
        p->kind = PAGE_LARGE;
    }
    mutex_unlock(&heap_mutex);
    if (!p)
        return NULL;
    account(cost);
    memset(p->base + 8, 0, bytes);
    return (Object *)(p->base + 8);
}
void heap_free_large(Object *o) {
    Page *p = heap_page_of(o);
    Chunk *c = heap_chunk_of(o);
    int64_t cost = c->huge_size ? (int64_t)p->large_size : (int64_t)p->span << HEAP_PAGE_SHIFT;
    mutex_lock(&heap_mutex);
    if (c->huge_size)
        chunk_free(c);
    else
        pages_give(p, p->span);
    mutex_unlock(&heap_mutex);
    account(-cost);
}

/* ---- forced events ---- */

HeapTorture heap_torture;
_Atomic(bool) heap_torture_on;

bool heap_torture_alloc(Thread *t) {
    uint32_t fail = LOAD_RELAXED(&heap_torture.fail_every), collect = LOAD_RELAXED(&heap_torture.collect_every);
    if (t->heap.no_limit || excl_in_section(t) || excl_world_stopped())
        return false; /* here nothing may be collected, and little may fail */
    uint32_t n = atomic_fetch_add_explicit(&heap_torture.n, 1, memory_order_relaxed) + 1;
    if (collect && n % collect == 0)
        trace_emergency(t);
    return fail && n % fail == 0;
}
static void bin_empty(Thread *t, PageKind kind, uint32_t cls) {
    Page *p = t->heap.bin[kind][cls];
    t->heap.bin[kind][cls] = &empty_page;
    if (p != &empty_page && p->used == 0)
        page_empty(t->heap.owner, p);
    else if (p != &empty_page && (p->free != 0 || p->bump < p->limit) && !p->listed)
        page_list(t->heap.owner, p);
}
void heap_torture_set(uint32_t collect_every, uint32_t fail_every) {
    Thread *t = thread_self();
    STORE_RELAXED(&heap_torture.collect_every, collect_every);
    STORE_RELAXED(&heap_torture.fail_every, fail_every);
    bool on = collect_every || fail_every;
    STORE_RELAXED(&heap_torture_on, on);
    for (int k = 0; k < 2; k++)
        for (uint32_t c = 0; on && c < HEAP_CLASSES; c++)
            bin_empty(t, (PageKind)k, c);
}

/* ---- the slow ways in ---- */

NOINLINE Object *heap_alloc_slow(Thread *t, size_t size) {
    if (UNLIKELY(LOAD_RELAXED(&heap_torture_on)) && heap_torture_alloc(t))
        return NULL;
    size_t units = (size + 7) / 8;
    if (UNLIKELY(size > HEAP_CELL_MAX))
        return alloc_large(size);
    uint32_t cls = class_of(units);
    Page *p = t->heap.bin[PAGE_OBJECTS][cls];
    if (p->free == 0 && !(p = refill(t, PAGE_OBJECTS, cls)))
        return NULL;
    Object *o = heap_pop(p);
    heap_zero(o, (size_t)p->units * 8);
    if (UNLIKELY(LOAD_RELAXED(&heap_torture_on)))
        bin_empty(t, PAGE_OBJECTS, cls);
    return o;
}

enum { BLOCK_CELL_MAX = POLYGIL_SANITIZED ? 0 : 1024 };

/* From HUGE_BLOCK on a new block is aligned to the system's huge pages, and asks for them: a list of 5.6 MB takes 400
 * page faults then and not 1,370. One that grows does not: of a million pairs in a list, 7 bytes each would be pages
 * that are not used, or no more. Nor does one that is to be zero: it is a list that several threads make grow. */
enum { HUGE_PAGE = 2 << 20, HUGE_BLOCK = 2 * HUGE_PAGE };

static void *raw_block(size_t size, bool zeroed) {
#if !POLYGIL_SANITIZED
    if (size >= HUGE_BLOCK && !zeroed) {
        void *b = mallocx(size, MALLOCX_ALIGN(HUGE_PAGE));
        if (b)
            (void)madvise(b, size & ~(size_t)(HUGE_PAGE - 1), MADV_HUGEPAGE); /* a hint */
        return b;
    }
#endif
    return zeroed ? calloc(1, size) : malloc(size ? size : 1);
}

static void *block_malloc(size_t size, bool zeroed) {
    sweep_some(thread_self(), (uint32_t)(size >> HEAP_PAGE_SHIFT) + 1);
    if (!heap_may_take(size))
        return NULL;
    void *b = raw_block(size, zeroed);
    if (UNLIKELY(!b)) {
        Thread *t = thread_self();
        if (excl_in_section(t) || excl_world_stopped())
            return NULL;
        trace_emergency(t);
        if (!(b = raw_block(size, zeroed)))
            return NULL;
    }
    heap_account((int64_t)malloc_usable_size(b));
    return b;
}
NOINLINE void *heap_block_slow(Thread *t, size_t size) {
    if (UNLIKELY(LOAD_RELAXED(&heap_torture_on)) && heap_torture_alloc(t))
        return NULL;
    if (size > BLOCK_CELL_MAX)
        return block_malloc(size, false);
    uint32_t cls = class_of((size + 7) / 8);
    if (cls < 2)
        cls = 2;
    Page *p = t->heap.bin[PAGE_BLOCKS][cls];
    if (p->free == 0 && !(p = refill(t, PAGE_BLOCKS, cls)))
        return NULL;
    void *b = heap_pop(p);
    if (UNLIKELY(LOAD_RELAXED(&heap_torture_on)))
        bin_empty(t, PAGE_BLOCKS, cls);
    return b;
}
void *heap_block_zeroed(size_t size, size_t from) {
    /* What was used before must be cleared by the allocator too, and what is below `from` with it. */
    if (size >= HEAP_OVERSIZE && from < size && !LOAD_RELAXED(&heap_torture_on))
        return block_malloc(size, true);
    char *b = heap_block(size);
    if (b)
        memset(b + from, 0, size - from);
    return b;
}
void heap_block_free_big(void *block) {
    heap_account(-(int64_t)malloc_usable_size(block));
    free(block);
}
size_t heap_block_size(const void *block) {
    if (!block)
        return 0;
    return heap_owns(block) ? (size_t)heap_page_of(block)->units * 8 : malloc_usable_size((void *)block);
}
void *heap_block_resize(void *block, size_t size) {
    if (!block)
        return heap_block(size);
    size_t have = heap_block_size(block);
    if (!heap_owns(block) && size > BLOCK_CELL_MAX) {
        if (size > have && !heap_may_take(size - have))
            return NULL;
        void *b = realloc(block, size ? size : 1);
        if (b)
            heap_account((int64_t)malloc_usable_size(b) - (int64_t)have);
        return b;
    }
    if (size <= have && size >= have / 2)
        return block;
    void *b = heap_block(size);
    if (!b)
        return size <= have ? block : NULL;
    memcpy(b, block, MIN(size, have));
    heap_block_free(block);
    return b;
}
size_t heap_size_of(const Object *o) {
    const Page *p = heap_page_of(o);
    return p->units ? (size_t)p->units * 8 : p->large_size;
}

static void take_all_remote(void) {
    for (Thread *t = thread_list; t; t = t->next)
        if (t->heap.owner)
            take_remote(t, t->heap.owner);
    for (HeapOwner *w = pool; w; w = w->pool_next)
        take_remote(NULL, w);
}

/* ---- sweeping: the world is stopped ---- */

void heap_page_swept(Page *p) {
    HeapOwner *w = LOAD_RELAXED(&p->owner);
    if (p->kind != PAGE_OBJECTS || (w->thread && page_is_current(w->thread, p)))
        return;
    p->bits |= PAGE_REUSED;
    if (p->used == 0)
        page_empty(w, p);
    else if (!p->listed && p->free != 0)
        page_list(w, p);
}

static void finish_owner(HeapOwner *w, void *unused) {
    Thread *t = thread_self();
    for (uint32_t c = 0; c < HEAP_CLASSES; c++)
        while (w->unswept[c]) {
            Page *p = w->unswept[c];
            page_sweep_now(t, w, p);
            page_place(t, w, p);
        }
}
void heap_sweep_finish(void) {
    heap_each_owner(finish_owner, NULL);
}

/* Pages with owners of large blocks, by a hash: who grows an object need not own its page, whose bits are the owner's.
 * Too many at a time are forgotten, and swept like any other. */
enum { OVERSIZE_BITS = 1024, OVERSIZE_MAX = OVERSIZE_BITS / 8 };
static _Atomic(uint64_t) oversize[OVERSIZE_BITS / 64];

static uint32_t oversize_bit(const Page *p) {
    return (uint32_t)((uint64_t)(uintptr_t)p->base / HEAP_PAGE % OVERSIZE_BITS);
}
void heap_note_oversize_(const Object *o) {
    uint32_t bit = oversize_bit(heap_page_of(o));
    atomic_fetch_or_explicit(&oversize[bit / 64], (uint64_t)1 << bit % 64, memory_order_relaxed);
}
static bool may_hold_oversize(const Page *p) {
    uint32_t bit = oversize_bit(p);
    return LOAD_RELAXED(&oversize[bit / 64]) >> bit % 64 & 1;
}
/* World stopped. */
static void oversize_swept(void) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < ARRAY_LEN(oversize); i++)
        n += (uint32_t)__builtin_popcountll(LOAD_RELAXED(&oversize[i]));
    for (uint32_t i = 0; n > OVERSIZE_MAX && i < ARRAY_LEN(oversize); i++)
        STORE_RELAXED(&oversize[i], 0);
}

typedef struct LazySweep {
    size_t cell_bytes, dead_bytes; /* of the cells in use, of the dead among them */
} LazySweep;
static void sweep_page_later(Page *p, void *arg) {
    LazySweep *l = arg;
    if (p->kind == PAGE_LARGE) {
        uint32_t plain = 0;
        heap_page_sweep(p, sweep_dead, &plain);
        return;
    }
    if (p->bump == 0)
        return; /* empty, and in its owner's list of these */
    HeapOwner *w = LOAD_RELAXED(&p->owner);
    uint32_t n_dead = p->used - heap_page_marked(p);
    l->cell_bytes += (size_t)p->used * p->units * 8;
    p->listed = 0;
    if (p->used == 0) { /* it was a thread's current page */
        page_place(thread_self(), w, p);
        return;
    }
    if (n_dead == 0) {
        if (p->free != 0 || p->bump < p->limit)
            page_list(w, p);
        return;
    }
    l->dead_bytes += (size_t)n_dead * p->units * 8;
    page_unswept(w, p);
    if (p->bits & PAGE_SWEEP_STOPPED || may_hold_oversize(p)) {
        Thread *t = thread_self();
        page_sweep_now(t, w, p);
        page_place(t, w, p);
    }
}
static void forget_lists(HeapOwner *w, void *unused) {
    memset(w->avail[PAGE_OBJECTS], 0, sizeof w->avail[PAGE_OBJECTS]);
}
size_t heap_sweep_lazily(bool (*dead)(Object *o, void *arg)) {
    sweep_dead = dead;
    LazySweep l = {0};
    take_all_remote();
    for (Thread *t = thread_list; t; t = t->next)
        for (int c = 0; c < HEAP_CLASSES; c++)
            if (t->heap.owner)
                t->heap.bin[PAGE_OBJECTS][c] = &empty_page;
    heap_each_owner(forget_lists, NULL);
    heap_each_page(sweep_page_later, &l);
    oversize_swept();
    /* What the dead hold in blocks is found by sweeping: as much for a byte of theirs as for any other. */
    size_t died = (size_t)((double)heap_bytes() * (double)l.dead_bytes / (double)MAX(l.cell_bytes, 1u));
    return MIN(died, MAX(l.dead_bytes, (size_t)MAX(heap_taken(), 0)));
}

/* ---- giving back: the world is stopped ---- */

void heap_trim(size_t spare) {
    take_all_remote();
    for (HeapOwner *w = all_owners; w; w = w->all_next) {
        int64_t given = 0;
        mutex_lock(&heap_mutex);
        while (w->empties) { /* nobody reads: every grace period is over */
            Page *p = w->empties;
            w->empties = p->next;
            w->n_empties--;
            w->n_pages--;
            given++;
            pages_give(p, 1);
        }
        w->empties_last = NULL;
        mutex_unlock(&heap_mutex);
        account(-given * (int64_t)HEAP_PAGE);
    }
    mutex_lock(&heap_mutex);
    Chunk *next;
    size_t kept = 0;
    for (Chunk *c = heap_chunks; c && c->free_pages; c = next) {
        next = c->next;
        if (c->free_pages != ~(uint64_t)0 << HEAP_FIRST_PAGE)
            continue;
        if (kept == 0 || kept + HEAP_CHUNK <= spare)
            kept += HEAP_CHUNK;
        else
            chunk_free(c);
    }
    mutex_unlock(&heap_mutex);
}

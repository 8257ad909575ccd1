/* The heap: cells do not overlap, come back, are found by address, cross threads, outlive their thread; limits hold. */
#include "tests/unit/gc_stubs.h"

#include "dead.h"

enum { LIVE = 2000 };

static size_t pick_size(uint32_t *r) {
    uint32_t k = random_next(r) % 100;
    if (k < 80)
        return random_next(r) % 200;
    if (k < 95)
        return random_next(r) % 5000;
    if (k < 99)
        return random_next(r) % 100000;
    return random_next(r) % 2000000;
}
static void fill(Value v, size_t bytes, uint8_t pattern) {
    ((Node *)v)->bytes = (uint32_t)bytes;
    memset((void *)((Node *)v)->ref, pattern, bytes);
}
static void check_fill(Value v, uint8_t pattern) {
    Node *n = (Node *)v;
    CHECK(n->magic == NODE_MAGIC);
    const uint8_t *p = (const uint8_t *)n->ref;
    for (uint32_t i = 0; i < n->bytes; i++)
        CHECK(p[i] == pattern);
}
static void drop(Value v) {
    leaf_type.ops->fini(v);
    heap_free(v_obj(v));
}

static void churn(void *arg, int i) {
    uint32_t r = 99u + (uint32_t)i;
    static _Thread_local Value live[LIVE];
    for (int step = 0; step < 40000; step++) {
        uint32_t k = random_next(&r) % LIVE;
        if (live[k]) {
            check_fill(live[k], (uint8_t)k);
            drop(live[k]);
            live[k] = ABSENT;
        } else {
            size_t n = pick_size(&r);
            Value v = leaf_new(n);
            CHECK(v);
            fill(v, n, (uint8_t)k);
            live[k] = v;
            CHECK(heap_find(v) == v_obj(v));
            CHECK(n == 0 ||
                  heap_find(v + sizeof(Node) + n / 2) == v_obj(v)); /* within its own page: no world is stopped */
            CHECK(heap_size_of(v_obj(v)) >= sizeof(Node) + n);
        }
        if (step % 256 == 0)
            excl_poll();
    }
    for (uint32_t k = 0; k < LIVE; k++)
        if (live[k]) {
            check_fill(live[k], (uint8_t)k);
            drop(live[k]);
            live[k] = ABSENT;
        }
}

/* Blocks of all sizes. */
static void blocks(void *arg, int i) {
    uint32_t r = 7u + (uint32_t)i;
    char *live[64] = {0};
    size_t size[64];
    for (int step = 0; step < 40000; step++) {
        uint32_t k = random_next(&r) % 64;
        if (live[k] && random_next(&r) % 4 == 0) {
            size_t n = random_next(&r) % 3000 + 1;
            live[k] = heap_block_resize(live[k], n);
            CHECK(live[k][0] == (char)k && live[k][MIN(n, size[k]) - 1] == (char)k);
            memset(live[k], (int)k, n);
            size[k] = n;
        } else if (live[k]) {
            CHECK(live[k][0] == (char)k && live[k][size[k] - 1] == (char)k);
            heap_block_free(live[k]);
            live[k] = NULL;
        } else {
            size[k] = random_next(&r) % 3000 + 1;
            live[k] = heap_block(size[k]);
            CHECK(heap_block_size(live[k]) >= size[k]);
            memset(live[k], (int)k, size[k]);
        }
    }
    for (int k = 0; k < 64; k++)
        if (live[k])
            heap_block_free(live[k]);
}

/* One thread allocates, the other frees: pages return to their owner. */
static _Atomic(Value) box[512];
static void cross(void *arg, int i) {
    for (int n = 0; n < 300000; n++) {
        _Atomic(Value) *b = &box[n % 512];
        if (i == 0) {
            while (LOAD_RELAXED(b))
                excl_poll();
            Value v = leaf_new(40);
            STORE_RELEASE(b, v);
        } else {
            Value v;
            while (!(v = LOAD_ACQUIRE(b)))
                excl_poll();
            STORE_RELAXED(b, ABSENT);
            drop(v);
        }
    }
}

/* What an ended thread leaves is used by the others. */
static Value left[3000];
static void leave(void *arg, int i) {
    for (int k = i * 1000; k < i * 1000 + 1000; k++)
        left[k] = leaf_new(100);
}

static size_t n_found;
static void count_cell(Object *o, void *unused) {
    n_found++;
}

int main(void) {
    stubs_init();
    churn(NULL, 0);
    blocks(NULL, 0);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
    size_t base = heap_bytes();

    on_threads(3, churn, NULL);
    on_threads(3, blocks, NULL);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);

    on_threads(2, cross, NULL);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
    CHECK(heap_bytes() < base + (8 << 20));

    for (int round = 0; round < 20; round++) {
        on_threads(3, leave, NULL);
        n_found = 0;
        excl_stop_world();
        heap_each(count_cell, NULL);
        excl_start_world();
        CHECK(n_found == 3000);
        for (int k = 0; k < 3000; k++)
            drop(left[k]);
        settle();
    }
    CHECK(heap_bytes() < base + (8 << 20));

    /* At the limit allocation fails, and works again when something was freed. */
    heap_set_limit(heap_bytes() + (8 << 20));
    static Value held[200000];
    int n = 0;
    while (n < 200000 && (held[n] = leaf_new(100)) != ABSENT)
        n++;
    CHECK(n > 10000 && n < 200000);
    CHECK(leaf_new(16 << 20) == ABSENT);
    CHECK(heap_block(16 << 20) == NULL);
    while (n > 0)
        drop(held[--n]);
    settle();
    Value v = leaf_new(1 << 20);
    CHECK(v);
    drop(v);
    heap_set_limit(0);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
    printf("ok\n");
    return 0;
}

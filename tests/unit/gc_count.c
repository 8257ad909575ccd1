/* The count policies under threads: no object is lost, none dies twice, none dies while somebody holds it. */
#include "tests/unit/gc_stubs.h"

#include <time.h>

#include "dead.h"

enum { SLOTS = 32, STEPS = EXCL_PARALLEL ? 200000 : 20000 };

/* Makes the object the caller's own where that can be, in place of freezing's samples. */
static void want(Value v) {
#if COUNT_BIASED
    count_rebias(v_obj(v));
#endif
}
static void sleep_ns(long ns) {
    DETACHED_BEGIN
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
    DETACHED_END
}

/* Threads load, store and clear slots of shared holders. */
static Value holder;
static void hammer(void *arg, int i) {
    uint32_t r = 12345u + (uint32_t)i * 7919u;
    Node *h = (Node *)holder;
    Value kept[8] = {0};
    for (int step = 0; step < STEPS; step++) {
        uint32_t k = random_next(&r) % SLOTS, what = random_next(&r) % 8;
        ExclCs cs;
        if (what < 5) {
            excl_read_begin(&cs, holder);
            Value v = ref_load(holder, &h->ref[k]);
            excl_read_end(&cs);
            if (v) {
                CHECK(((Node *)v)->magic == NODE_MAGIC);
                if (random_next(&r) % 4 == 0)
                    want(v);
                Value old = kept[what];
                kept[what] = v;
                release(old);
            }
        } else if (what < 7) {
            Value v = node_new(1);
            if (kept[0])
                ref_init(&((Node *)v)->ref[0], random_next(&r) % 4 ? ABSENT : retained(kept[1]));
            excl_cs_begin(&cs, holder);
            Value old = ref_swap(holder, &h->ref[k], v);
            excl_cs_end(&cs);
            release(old);
        } else {
            excl_cs_begin(&cs, holder);
            ref_clear(holder, &h->ref[k]); /* dies inside the section: waits for its end */
            excl_cs_end(&cs);
        }
        if (step % 64 == 0)
            excl_poll();
        if (random_next(&r) % 2048 == 0)
            sleep_ns(1000); /* its objects may change hands */
    }
    for (int k = 0; k < 8; k++)
        release(kept[k]);
}
static void test_hammer(int threads) {
    holder = node_new(SLOTS);
    publish(holder);
    on_threads(threads, hammer, NULL);
    release(holder);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
}

/* One thread makes, another drops: nothing may pile up. */
enum { RING = 256 };
static _Atomic(Value) ring[RING];
static void produce_consume(void *arg, int i) {
    for (int n = 0; n < STEPS; n++) {
        _Atomic(Value) *slot = &ring[n % RING];
        if (i == 0) {
            Value v = node_new(2);
            publish(v);
            while (LOAD_RELAXED(slot) != ABSENT)
                excl_poll();
            STORE_RELEASE(slot, v); /* the reference itself is handed over */
        } else {
            Value v;
            while ((v = LOAD_ACQUIRE(slot)) == ABSENT)
                excl_poll();
            CHECK(((Node *)v)->magic == NODE_MAGIC);
            STORE_RELAXED(slot, ABSENT);
            retain(v);
            release(v);
            release(v);
        }
        if (n % 64 == 0)
            excl_poll();
        CHECK(atomic_load(&nodes_live) < 60000);
    }
}
static void test_handover(void) {
    on_threads(2, produce_consume, NULL);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
}

/* The owner sleeps; its last user frees the object at once. arg: who drops it has stopped the world, and the owner does
 * not wake for long. */
static _Atomic(Value) given;
static _Atomic(bool) freed;
static void sleeper(void *arg, int i) {
    if (i == 0) {
        Value v = node_new(0);
        publish(v);
        STORE_RELEASE(&given, v);
        while (!LOAD_ACQUIRE(&freed))
            sleep_ns(arg ? 300000000 : 100000);
    } else {
        Value v;
        while ((v = LOAD_ACQUIRE(&given)) == ABSENT)
            excl_poll();
        sleep_ns(50000000); /* until the owner sleeps */
        int64_t before = LOAD_RELAXED(&nodes_cleared);
        STORE_RELAXED(&given, ABSENT);
        if (COUNT_BIASED && arg)
            excl_stop_world();
        release(v);
        if (COUNT_BIASED && arg)
            excl_start_world();
        excl_poll();
        /* The owner may have been awake just then: it has 100 ms, and sleeps all but a few of them. */
        for (int k = 0; k < 1000 && LOAD_RELAXED(&nodes_cleared) == before; k++)
            excl_poll();
        CHECK(!COUNT_EXACT || LOAD_RELAXED(&nodes_cleared) == before + 1);
        STORE_RELEASE(&freed, true);
    }
}
static void test_sleeper(void) {
    on_threads(2, sleeper, NULL);
    STORE_RELAXED(&freed, false);
    on_threads(2, sleeper, &freed);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
}

/* Objects outlive the thread that made them. */
static Value survivors[64];
static void leave(void *arg, int i) {
    for (int k = i * 8; k < i * 8 + 8; k++)
        publish(survivors[k] = node_new(1));
}
static void test_dead_owner(void) {
    on_threads(8, leave, NULL);
    for (int k = 0; k < 64; k++) {
        CHECK(((Node *)survivors[k])->magic == NODE_MAGIC);
        retain(survivors[k]);
        release(survivors[k]);
        release(survivors[k]);
    }
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
}

/* The owner sleeps, or has dropped its reference: who uses the object owns it, and the others' references hold it. */
#if COUNT_BIASED
static void taker(void *arg, int i) {
    if (i == 0) {
        Value v = node_new(0);
        publish(v);
        retain(v); /* one reference for each of the two */
        STORE_RELEASE(&given, v);
        while (!LOAD_ACQUIRE(&freed))
            sleep_ns(100000);
        release(v);
        return;
    }
    Value v;
    while ((v = LOAD_ACQUIRE(&given)) == ABSENT)
        excl_poll();
    Object *o = v_obj(v);
    for (int k = 0; k < 1000 && !count_is_mine(o); k++) {
        sleep_ns(1000000); /* until the owner sleeps */
        count_rebias(o);
    }
    CHECK(count_is_mine(o) && count_get(o) == 2);
    for (int k = 0; k < 100; k++) {
        retain(v);
        release(v);
    }
    CHECK(count_is_mine(o) && count_get(o) == 2);
    STORE_RELEASE(&freed, true);
    while (count_get(o) != 1) {
        sleep_ns(100000); /* the other drops its own, which merges the object */
        excl_poll();
    }
    CHECK(!count_is_mine(o) && count_rebias(o) && count_is_mine(o) && count_is_unique(o));
    STORE_RELAXED(&given, ABSENT);
    release(v);
}
static void test_rebias(void) {
    STORE_RELAXED(&freed, false);
    on_threads(2, taker, NULL);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
}
#else
static void test_rebias(void) {}
#endif

static void test_chain(void) {
    /* A million deep: destroyed without recursion. */
    Value head = ABSENT;
    for (int i = 0; i < 1000000; i++) {
        Value n = node_new(1);
        ref_init(&((Node *)n)->ref[0], head);
        head = n;
    }
    release(head);
    settle();
    CHECK(atomic_load(&nodes_live) == 0);
}

static void test_uncounted(void) {
    Value v = node_new(0);
    count_set_uncounted(v_obj(v));
    for (int i = 0; i < 100; i++)
        release(v);
    for (int i = 0; i < 100; i++)
        retain(v);
    CHECK(count_is_uncounted(v_obj(v)) && ((Node *)v)->magic == NODE_MAGIC);
    CHECK(count_try_retain(v_obj(v)));
    node_type.ops->fini(v);
    heap_free(v_obj(v));
}

int main(void) {
    stubs_init();
    if (!COUNT_EXACT)
        return 0;
    test_uncounted();
    test_chain();
    test_hammer(1);
    test_hammer(2);
    test_hammer(4);
    test_handover();
    test_sleeper();
    test_rebias();
    test_dead_owner();
    test_hammer(3);
    printf("ok\n");
    return 0;
}

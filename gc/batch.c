/* Retired memory in batches. See batch.h. */
#include "batch.h"

#include "backend/backend.h"
#include "heap.h"
#include "mutex.h"
#include "stats.h"

#if RETIRE_DEFERS

static Mutex orphans_mutex = MUTEX_INIT(RANK_RETIRE);
static RetireBatch *orphans;
static _Atomic(bool) any_orphans;

static size_t item_bytes(uintptr_t item) {
    void *p = (void *)(item & ~(uintptr_t)1);
    return item & 1 ? heap_size_of(p) : heap_block_size(p);
}

bool retire_put(Thread *t, uintptr_t item) {
    RetireLocal *l = &t->retire.local;
    RetireBatch *b = l->open;
    if (!b) {
        b = malloc(sizeof *b);
        if (UNLIKELY(!b)) {
            /* Stays until the heap's end: nothing here may fail, and nothing here may wait. */
            return false;
        }
        b->n = 0;
        b->bytes = 0;
        b->next = NULL;
        l->open = b;
    }
    size_t bytes = item_bytes(item);
    b->item[b->n++] = item;
    b->bytes += bytes;
    l->bytes += bytes;
    STAT_ADD(retired_bytes, bytes);
    STAT_ADD(retired_items, 1);
    return b->n == RETIRE_BATCH || b->bytes >= RETIRE_BATCH_BYTES;
}

void retire_close(Thread *t, uint64_t stamp) {
    RetireLocal *l = &t->retire.local;
    RetireBatch *b = l->open;
    if (!b)
        return;
    l->open = NULL;
    b->stamp = stamp;
    b->next = NULL;
    if (l->first)
        *l->last = b;
    else
        l->first = b;
    l->last = &b->next;
}

void retire_ask_above(Thread *t, size_t bytes) {
    RetireLocal *l = &t->retire.local;
    if (l->bytes > bytes && !l->ask) {
        l->ask = true;
        thread_set_poll(t, POLL_QUIESCENT);
    }
}
bool retire_asked(Thread *t, size_t bytes) {
    RetireLocal *l = &t->retire.local;
    if (LIKELY(!l->ask))
        return false;
    l->ask = false;
    if (l->bytes <= bytes)
        return false;
    STAT_ADD(quiescent_requests, 1);
    return true;
}

static void batch_free(RetireBatch *b) {
    for (uint32_t i = 0; i < b->n; i++)
        retire_free(b->item[i]);
    free(b);
}

void retire_free_until(Thread *t, uint64_t safe, int max) {
    RetireLocal *l = &t->retire.local;
    while (l->first && l->first->stamp <= safe && max-- > 0) {
        RetireBatch *b = l->first;
        l->first = b->next;
        l->bytes -= b->bytes;
        batch_free(b);
    }
}

void retire_free_all(void) {
    for (Thread *t = thread_list; t; t = t->next) {
        RetireLocal *l = &t->retire.local;
        retire_close(t, 0);
        while (l->first) {
            RetireBatch *b = l->first;
            l->first = b->next;
            batch_free(b);
        }
        l->bytes = 0;
    }
    retire_free_orphans();
}
void retire_free_orphans(void) {
    while (orphans) {
        RetireBatch *b = orphans;
        orphans = b->next;
        batch_free(b);
    }
    STORE_RELAXED(&any_orphans, false);
}

void retire_abandon(Thread *t) {
    RetireLocal *l = &t->retire.local;
    if (!l->first)
        return;
    mutex_lock(&orphans_mutex);
    *l->last = orphans;
    orphans = l->first;
    STORE_RELAXED(&any_orphans, true);
    mutex_unlock(&orphans_mutex);
    l->first = NULL;
    l->bytes = 0;
}
void retire_adopt(Thread *t) {
    if (LIKELY(!LOAD_RELAXED(&any_orphans)))
        return;
    RetireLocal *l = &t->retire.local;
    mutex_lock(&orphans_mutex);
    RetireBatch *b = orphans;
    orphans = NULL;
    STORE_RELAXED(&any_orphans, false);
    mutex_unlock(&orphans_mutex);
    /* Old stamps, in front of the own ones: they are safe no later. */
    while (b) {
        RetireBatch *next = b->next;
        b->next = l->first;
        if (!l->first)
            l->last = &b->next;
        l->first = b;
        l->bytes += b->bytes;
        b = next;
    }
}

#endif

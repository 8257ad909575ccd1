/* RETIRE qsbr: quiescent-state-based reclamation (McKenney and others; the variant with a global counter, as in
 * liburcu's qsbr flavour).
 *
 * `now` counts grace periods. A record says what its thread saw of it at its last quiescent state, or OFFLINE while it
 * is detached.
 *
 *   retire   the writer has unlinked the memory (release store). Closing the batch adds one to `now`: the batch's stamp
 *            is the new value.
 *
 *   free     when every record is OFFLINE or has seen at least the stamp.
 *
 * Why: (1) A reader that has seen >= stamp loaded `now` after the writer's addition (acquire: pairs with the addition's
 * release), so what it loads since shows the unlinking; its earlier reads are over before it stores `seen` (release:
 * pairs with the acquire in oldest()). (2) A reader that comes online stores ENTERING, which is older than everything,
 * and then does a read-modify-write on `now`. Either that comes before the writer's addition in the order of `now`,
 * then the addition synchronizes with it and oldest() finds ENTERING or later; or after, then the reader sees the
 * unlinking. Both being read-modify-writes of one variable, no fence is needed.
 */
#include "batch.h"
#include "heap.h"
#include "mutex.h"
#include "stats.h"

typedef struct QsbrRecord {
    _Alignas(64) _Atomic(uint64_t) seen;
    struct QsbrRecord *next;      /* all records, never unlinked */
    struct QsbrRecord *free_next; /* those without a thread */
} QsbrRecord;

enum { ENTERING = 1 };
#define OFFLINE UINT64_MAX
enum { ASK_BYTES = 512 << 10, FREE_BATCHES = 8 };

static _Atomic(uint64_t) now = 2;
static _Atomic(QsbrRecord *) records;
static Mutex records_mutex = MUTEX_INIT(RANK_RETIRE);
static QsbrRecord *free_records;

/* The least any reader may still be in. */
static uint64_t oldest(void) {
    uint64_t min = OFFLINE;
    for (QsbrRecord *r = LOAD_ACQUIRE(&records); r; r = r->next) { /* pairs with the release in retire_thread_init */
        uint64_t s = LOAD_ACQUIRE(&r->seen); /* pairs with the releases in quiescent, attach and detach */
        if (s < min)
            min = s;
    }
    return min;
}

static NOINLINE void batch_full(Thread *t) {
    /* acq_rel: see (1) and (2) */
    retire_close(t, atomic_fetch_add_explicit(&now, 1, memory_order_acq_rel) + 1);
    retire_adopt(t);
    retire_free_until(t, oldest(), FREE_BATCHES);
    retire_ask_above(t, ASK_BYTES);
}

static void retire(uintptr_t item) {
    Thread *t = thread_self();
    if (!LOAD_RELAXED(&world_threaded) || t->retire.local.freeing) {
        retire_free(item);
        return;
    }
    SCHED_POINT(SCHED_MISC, item);
    if (UNLIKELY(retire_put(t, item)))
        batch_full(t);
}
void retire_mem(void *block) {
    if (block)
        retire((uintptr_t)block);
}
void retire_object(Object *o) {
    retire((uintptr_t)o | 1);
}

void retire_quiescent(Thread *t) {
    QsbrRecord *r = t->retire.record;
    uint64_t n = LOAD_ACQUIRE(&now); /* pairs with the addition in batch_full */
    if (LOAD_RELAXED(&r->seen) != n)
        STORE_RELEASE(&r->seen, n); /* pairs with oldest(): our reads so far are over */
    if (t->retire.local.first)
        retire_free_until(t, oldest(), FREE_BATCHES);
    if (UNLIKELY(retire_asked(t, ASK_BYTES)))
        thread_set_poll_all(POLL_QUIESCENT);
}
void retire_attach(Thread *t) {
    QsbrRecord *r = t->retire.record;
    if (UNLIKELY(!r))
        return; /* its first attach: retire_thread_init follows */
    STORE_RELAXED(&r->seen, ENTERING);
    /* acq_rel read-modify-write: see (2); it also orders the store before it */
    uint64_t n = atomic_fetch_add_explicit(&now, 0, memory_order_acq_rel);
    STORE_RELEASE(&r->seen, n);
}
void retire_detach(Thread *t) {
    QsbrRecord *r = t->retire.record;
    if (LIKELY(r != NULL))
        STORE_RELEASE(&r->seen, OFFLINE); /* pairs with oldest(): our reads are over */
}

uint64_t retire_stamp(void) {
    if (!LOAD_RELAXED(&world_threaded))
        return 0;
    return atomic_fetch_add_explicit(&now, 1, memory_order_acq_rel) + 1;
}
bool retire_passed(uint64_t stamp) {
    return stamp == 0 || !LOAD_RELAXED(&world_threaded) || oldest() >= stamp;
}

int retire_thread_init(Thread *t) {
    memset(&t->retire, 0, sizeof t->retire);
    mutex_lock(&records_mutex);
    QsbrRecord *r = free_records;
    if (r) {
        free_records = r->free_next;
    } else if (posix_memalign((void **)&r, 64, sizeof *r) == 0) {
        STORE_RELAXED(&r->seen, OFFLINE);
        r->next = LOAD_RELAXED(&records);
        STORE_RELEASE(&records, r); /* pairs with oldest() */
    } else {
        r = NULL;
    }
    mutex_unlock(&records_mutex);
    t->retire.record = r;
    if (!r)
        return -1;
    retire_attach(t);
    return 0;
}
void retire_thread_fini(Thread *t) {
    QsbrRecord *r = t->retire.record;
    if (!r)
        return;
    retire_close(t, atomic_fetch_add_explicit(&now, 1, memory_order_acq_rel) + 1);
    STORE_RELEASE(&r->seen, OFFLINE);
    retire_free_until(t, oldest(), INT_MAX);
    retire_abandon(t);
    t->retire.record = NULL;
    mutex_lock(&records_mutex);
    r->free_next = free_records;
    free_records = r;
    mutex_unlock(&records_mutex);
}
void retire_after_fork_child(void) {
    mutex_reinit(&records_mutex);
}
void retire_flush_stopped(void) {
    retire_free_all();
}

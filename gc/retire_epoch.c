/* RETIRE epoch: ConcurrencyKit's epochs decide when a batch may be freed. An attached thread is inside an epoch
 * section; a quiescent state leaves it and enters the next. */
#include <ck_epoch.h>

#include "batch.h"
#include "heap.h"
#include "mutex.h"
#include "stats.h"

typedef struct EpochRecord {
    ck_epoch_record_t ck; /* first: ck_epoch_recycle gives its address */
    bool inside;
} EpochRecord;

enum { ASK_BYTES = 512 << 10, FREE_BATCHES = 8 };

static ck_epoch_t epoch;

/* ck's instructions are assembler, which the thread sanitizer does not look into: it is told that what is freed after
 * an epoch comes after the sections that ended in it. A section that has not ended is still seen to race. */
#ifdef __has_feature /* clang */
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__
#endif
#endif
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define SECTIONS_PASSED() __tsan_acquire(&epoch)
#define SECTION_ENDS() __tsan_release(&epoch)
#else
#define SECTIONS_PASSED() ((void)0)
#define SECTION_ENDS() ((void)0)
#endif
static Mutex records_mutex = MUTEX_INIT(RANK_RETIRE);
static bool made;

/* ck's epoch e is over for everybody once the global one is e + 2 (see the argument in ck_epoch.c: at most two epochs
 * are active). */
static uint64_t passed_epoch(ck_epoch_record_t *r) {
    ck_epoch_poll(r);
    return ck_epoch_value(&epoch);
}

/* The 32-bit counter, widened: stamps of waiting batches are never 2^31 apart. */
static uint64_t widen(uint32_t e) {
    static _Atomic(uint64_t) last;
    uint64_t l = LOAD_RELAXED(&last);
    uint64_t w = (l & ~(uint64_t)UINT32_MAX) | e;
    if (w + ((uint64_t)1 << 31) < l)
        w += (uint64_t)1 << 32;
    else if (w > l + ((uint64_t)1 << 31) && w >= (uint64_t)1 << 32)
        w -= (uint64_t)1 << 32;
    if (w > l)
        STORE_RELAXED(&last, w);
    return w;
}

/* For what the caller has unlinked: who enters a later epoch does not find it. */
static uint64_t stamp_now(void) {
    ck_pr_fence_memory();
    return widen(ck_epoch_value(&epoch));
}

static void free_passed(Thread *t) {
    if (!t->retire.local.first)
        return;
    uint64_t e = widen((uint32_t)passed_epoch(&t->retire.record->ck));
    SECTIONS_PASSED();
    if (e > 2)
        retire_free_until(t, e - 2, FREE_BATCHES);
}

static NOINLINE void batch_full(Thread *t) {
    retire_close(t, stamp_now());
    retire_adopt(t);
    free_passed(t);
    retire_ask_above(t, ASK_BYTES);
}
static void retire(uintptr_t item) {
    Thread *t = thread_self();
    if (!LOAD_RELAXED(&world_threaded) || t->retire.local.freeing) {
        retire_free(item);
        return;
    }
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

void retire_attach(Thread *t) {
    EpochRecord *r = t->retire.record;
    if (r && !r->inside) {
        ck_epoch_begin(&r->ck, NULL);
        r->inside = true;
    }
}
void retire_detach(Thread *t) {
    EpochRecord *r = t->retire.record;
    if (r && r->inside) {
        SECTION_ENDS();
        ck_epoch_end(&r->ck, NULL);
        r->inside = false;
    }
}
void retire_quiescent(Thread *t) {
    retire_detach(t);
    free_passed(t);
    retire_attach(t);
    if (UNLIKELY(retire_asked(t, ASK_BYTES)))
        thread_set_poll_all(POLL_QUIESCENT);
}

uint64_t retire_stamp(void) {
    return LOAD_RELAXED(&world_threaded) ? stamp_now() : 0;
}
bool retire_passed(uint64_t stamp) {
    return stamp == 0 || !LOAD_RELAXED(&world_threaded) || widen(ck_epoch_value(&epoch)) >= stamp + 2;
}

int retire_thread_init(Thread *t) {
    memset(&t->retire, 0, sizeof t->retire);
    mutex_lock(&records_mutex);
    if (!made) {
        ck_epoch_init(&epoch);
        made = true;
    }
    EpochRecord *r = (EpochRecord *)ck_epoch_recycle(&epoch, NULL);
    if (!r && posix_memalign((void **)&r, 64, sizeof *r) == 0)
        ck_epoch_register(&epoch, &r->ck, NULL);
    mutex_unlock(&records_mutex);
    if (!r)
        return -1;
    r->inside = false;
    t->retire.record = r;
    retire_attach(t);
    return 0;
}
void retire_thread_fini(Thread *t) {
    EpochRecord *r = t->retire.record;
    if (!r)
        return;
    retire_detach(t);
    retire_close(t, stamp_now());
    free_passed(t);
    retire_abandon(t);
    t->retire.record = NULL;
    mutex_lock(&records_mutex);
    ck_epoch_unregister(&r->ck);
    mutex_unlock(&records_mutex);
}
void retire_after_fork_child(void) {
    mutex_reinit(&records_mutex);
}
void retire_flush_stopped(void) {
    retire_free_all();
}

/* Memory waiting for its grace period, in batches of one thread. Shared by the policies that defer. */
#ifndef POLYGIL_BATCH_H
#define POLYGIL_BATCH_H

#include "base/base.h"

enum { RETIRE_BATCH = 254, RETIRE_BATCH_BYTES = 64 << 10 };

typedef struct RetireBatch {
    struct RetireBatch *next;
    uint64_t stamp; /* the policy's: when it was closed */
    size_t bytes;
    uint32_t n;
    void *entry[2];               /* room for the policy */
    uintptr_t item[RETIRE_BATCH]; /* an address; bit 0: an object, else a block */
} RetireBatch;

/* What a deferring policy keeps in a thread. */
typedef struct RetireLocal {
    RetireBatch *open;          /* being filled, or NULL */
    RetireBatch *first, **last; /* closed, oldest first */
    size_t bytes;               /* waiting in all of them */
    int freeing;                /* > 0: see retire_freeing */
    bool ask;                   /* too many: the next slow poll asks all threads for a quiescent state */
} RetireLocal;

struct Thread;
/* Puts an address into the open batch; true when the batch should be closed now. Without memory for a batch the address
 * stays allocated. */
bool retire_put(struct Thread *t, uintptr_t item);
/* When more than `bytes` wait: has the thread's next slow poll see retire_asked(). What is to be done then may wait for
 * other threads, and whoever retires may be in a section. */
void retire_ask_above(struct Thread *t, size_t bytes);
/* At a slow poll: whether that was asked for and more than `bytes` still wait. */
bool retire_asked(struct Thread *t, size_t bytes);
/* Moves the open batch to the closed ones with that stamp. */
void retire_close(struct Thread *t, uint64_t stamp);
/* Frees the closed batches whose stamp is at most `safe`, oldest first; at most `max` batches. */
void retire_free_until(struct Thread *t, uint64_t safe, int max);
/* Frees everything in every thread's batches. The world is stopped. */
void retire_free_all(void);
/* World stopped: frees the orphans. */
void retire_free_orphans(void);
/* An ending thread's batches go to the orphans, which the next thread that frees takes over. */
void retire_abandon(struct Thread *t);
void retire_adopt(struct Thread *t);

#endif

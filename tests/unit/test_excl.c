/* The EXCL slot as a whole: attach and detach, safepoints, stopping the world, sections, thread start and end, fork.
 * Built for each policy. */
#include <sys/wait.h>
#include <unistd.h>

#include "backend/backend.h"
#include "object/object.h"
#include "parking.h"
#include "stats.h"
#include "unit.h"

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#define UNDER_TSAN __has_feature(thread_sanitizer)
#else
#define UNDER_TSAN 0
#endif

static _Atomic(int) running;
static _Atomic(bool) quit;

/* n threads run fn; the caller waits detached until all have ended. */
static _Atomic(uint32_t) left;
static void (*thread_fn)(Thread *);
static void count_left(Thread *t) {
    thread_fn(t);
    atomic_fetch_sub(&left, 1);
}
static void start_all(int n, void (*fn)(Thread *)) {
    thread_fn = fn;
    atomic_store(&left, (uint32_t)n);
    for (int i = 0; i < n; i++)
        CHECK(thread_start(count_left, V_NONE) != 0);
}
static void wait_all(void) {
    while (atomic_load(&left) != 0) {
        DETACHED_BEGIN
        unit_sleep_us(100);
        DETACHED_END
        excl_poll();
    }
    while (thread_count() != 1) {
        DETACHED_BEGIN
        unit_sleep_us(50);
        DETACHED_END
    }
    /* Alone again: the last thread to end asks for that after it is no longer counted. */
    for (int i = 0; i < 10000 && LOAD_RELAXED(&world_threaded); i++) {
        DETACHED_BEGIN
        unit_sleep_us(100);
        DETACHED_END
        excl_poll();
    }
    CHECK(!LOAD_RELAXED(&world_threaded));
}

/* ---- stopping the world ---- */

static uint64_t work[64]; /* plain: only its thread writes it, and a stopper reads it */
static void worker(Thread *t) {
    int me = atomic_fetch_add(&running, 1);
    uint64_t n = 0;
    while (!LOAD_ACQUIRE(&quit)) {
        work[me]++;
        CHECK(excl_poll() == 0);
        if (++n % 64 == 0) {
            DETACHED_BEGIN
            if (n % 256 == 0)
                unit_sleep_us(20);
            DETACHED_END
        }
        if (n % 5000 == 0) {
            excl_stop_world(); /* stoppers compete */
            excl_start_world();
        }
    }
}
static void test_stop(void) {
    STORE_RELAXED(&quit, false);
    start_all(6, worker);
    for (int i = 0; i < 200 * unit_scale(); i++) {
        excl_stop_world();
        CHECK(excl_world_stopped());
        uint64_t sum = 0, again = 0;
        for (int k = 0; k < 6; k++)
            sum += work[k];
        for (Thread *t = thread_list; t != NULL; t = t->next)
            CHECK(t == thread_self() || (LOAD_RELAXED(&t->excl.state) & THREAD_STATE_MASK) != THREAD_ATTACHED);
        if (i % 20 == 0)
            unit_sleep_us(200);
        for (int k = 0; k < 6; k++)
            again += work[k];
        CHECK(sum == again);
        excl_start_world();
        if (i % 3 == 0)
            excl_yield(thread_self());
        DETACHED_BEGIN
        unit_sleep_us(300);
        DETACHED_END
    }
    STORE_RELEASE(&quit, true);
    wait_all();
}

/* ---- sections ---- */

/* Fewer for FIFO spinlocks: with more threads than cores each hand-over to a preempted thread takes a time slice. */
#ifndef EXCL_TRANSFERS
#define EXCL_TRANSFERS 4000
#endif
#define ACCOUNTS 8
static Object account_obj[ACCOUNTS];
static int64_t account[ACCOUNTS]; /* guarded by the object */
static Object total_obj;
static int64_t transfers;

static void cs_in(Object *o) {
    /* Under one lock a section is nothing, and safepoints are what it may not hold. */
    ASSERT(excl_in_section(thread_self()));
}
static void transfer(Thread *t) {
    uint64_t rng = t->serial * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < EXCL_TRANSFERS * unit_scale(); i++) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        int a = (int)(rng >> 33) % ACCOUNTS, b = (int)(rng >> 43) % ACCOUNTS;
        ExclCs cs, inner, nested;
        excl_cs_begin2(&cs, V_OF(&account_obj[a]), V_OF(&account_obj[b]));
        cs_in(&account_obj[a]);
        account[a] -= 3;
        account[b] += 3;
        if (i % 4 == 0) {
            /* Again on one that is held: nothing. */
            excl_cs_begin(&nested, V_OF(&account_obj[b]));
            account[b]++;
            account[b]--;
            excl_cs_end(&nested);
        }
        if (i % 3 == 0) {
            /* Another one inside: waiting may suspend the outer ones, so what follows reads anew. */
            excl_cs_begin(&inner, V_OF(&total_obj));
            transfers++;
            excl_cs_end(&inner);
            account[a] -= 2;
            account[b] += 2;
        } else {
            excl_leaf_lock(V_OF(&total_obj));
            transfers++;
            excl_leaf_unlock(V_OF(&total_obj));
            account[b] -= 1;
            account[a] += 1;
        }
        excl_cs_end(&cs);
        CHECK(!excl_in_section(t));
        CHECK(excl_poll() == 0);
        if (i % 100 == 0)
            excl_yield(t);
        if (i % 1000 == 0) {
            excl_stop_world();
            int64_t sum = 0;
            for (int k = 0; k < ACCOUNTS; k++)
                sum += account[k];
            CHECK(sum == 0);
            excl_start_world();
        }
    }
}
static void test_sections(void) {
    transfers = 0;
    start_all(8, transfer);
    wait_all();
    int64_t sum = 0;
    for (int k = 0; k < ACCOUNTS; k++) {
        sum += account[k];
        if (EXCL_HAS_OBJECT_LOCK)
            CHECK(atomic_load((_Atomic(uint8_t) *)((char *)&account_obj[k] + 4)) == 0);
    }
    CHECK(sum == 0);
    CHECK(transfers == 8 * EXCL_TRANSFERS * unit_scale());
}

/* ---- storms ---- */

static void brief(Thread *t) {
    ExclCs cs;
    excl_cs_begin(&cs, V_OF(&total_obj));
    transfers++;
    excl_cs_end(&cs);
    excl_poll();
}
static void test_storm(void) {
    transfers = 0;
    int n = 0;
    for (int i = 0; i < 30 * unit_scale(); i++) {
        start_all(10, brief);
        if (i % 2) {
            excl_stop_world();
            excl_start_world();
        }
        wait_all();
        n += 10;
    }
    CHECK(transfers == n);
}

/* ---- claims ---- */

static _Atomic(Thread *) sleeper_record;
static int64_t sleepers_word; /* written by the sleeper while attached, by the claimer while it holds the claim */
static void sleeper(Thread *t) {
    STORE_RELEASE(&sleeper_record, t);
    while (!LOAD_ACQUIRE(&quit)) {
        sleepers_word++;
        DETACHED_BEGIN
        unit_sleep_us(30);
        DETACHED_END
    }
}
static void test_claim(void) {
    if (!EXCL_PARALLEL)
        return;
    STORE_RELAXED(&quit, false);
    STORE_RELAXED(&sleeper_record, NULL);
    start_all(1, sleeper);
    Thread *s;
    while ((s = LOAD_ACQUIRE(&sleeper_record)) == NULL)
        excl_yield(thread_self());
    int claimed = 0;
    while (claimed < 500) {
        if (excl_claim(s)) {
            sleepers_word++;
            excl_unclaim(s);
            claimed++;
        }
        if (claimed % 50 == 7) {
            excl_stop_world();
            excl_start_world();
        }
        excl_poll();
    }
    STORE_RELEASE(&quit, true);
    wait_all();
}

/* ---- fork ---- */

static void test_fork(void) {
    STORE_RELAXED(&quit, false);
    atomic_store(&running, 0);
    start_all(3, worker);
    for (int i = 0; i < 5; i++) {
        thread_before_fork();
        pid_t pid = fork();
        if (pid == 0) {
            thread_after_fork_child();
            CHECK(thread_count() == 1 && !LOAD_RELAXED(&world_threaded));
            ExclCs cs;
            for (int k = 0; k < ACCOUNTS; k++) {
                excl_cs_begin(&cs, V_OF(&account_obj[k]));
                excl_cs_end(&cs);
            }
            STORE_RELAXED(&quit, false);
            if (!UNDER_TSAN) { /* which knows no threads after a fork */
                start_all(2, brief);
                wait_all();
            }
            _exit(0);
        }
        thread_after_fork_parent();
        int status;
        DETACHED_BEGIN
        CHECK(waitpid(pid, &status, 0) == pid);
        DETACHED_END
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    STORE_RELEASE(&quit, true);
    wait_all();
}

/* ---- the end ---- */

static void daemon_thread(Thread *t) {
    for (uint64_t n = 0;; n++) {
        excl_poll();
        if (n % 100 == 0) {
            DETACHED_BEGIN
            unit_sleep_us(10);
            DETACHED_END
        }
        CHECK(LOAD_RELAXED(&thread_ender) == NULL);
    }
}

int main(void) {
    CHECK(thread_attach_new() != NULL);
    for (int i = 0; i < ACCOUNTS; i++)
        obj_set_flag(&account_obj[i], OF_SHARED);
    obj_set_flag(&total_obj, OF_SHARED);
    test_stop();
    printf("stop ok: %llu stops, p99 %llu ns to stop\n", (unsigned long long)LOAD_RELAXED(&stat_time_to_stop.n),
           (unsigned long long)stat_time_quantile(&stat_time_to_stop, 0.99));
    test_sections();
    printf("sections ok\n");
    test_storm();
    printf("storm ok\n");
    test_claim();
    test_fork();
    printf("fork ok\n");
    fflush(stdout);
    start_all(3, daemon_thread);
    DETACHED_BEGIN
    unit_sleep_us(20000);
    DETACHED_END
    thread_at_exit();
    unit_sleep_us(20000);
    printf("exit ok\n");
    return 0;
}

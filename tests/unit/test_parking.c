/* The parking lot: validation, order, timeouts, interrupts, wake-all, and that no wake is lost. */
#include "parking.h"
#include "unit.h"

static _Atomic(uint32_t) word, parked, interrupt;
static int order[UNIT_THREADS_MAX];
static _Atomic(int) order_len;

static bool word_is_zero(void *arg) {
    return LOAD_RELAXED(&word) == 0;
}

static void invalid(void) {
    STORE_RELAXED(&word, 1);
    ParkSpec s = {.addr = &word, .still = word_is_zero, .deadline_ns = -1};
    CHECK(parking_park(&s, NULL) == PARK_INVALID);
    STORE_RELAXED(&word, 0);
}

static void timeouts(void) {
    int64_t t0 = now_ns();
    ParkSpec s = {.addr = &word, .deadline_ns = deadline_in(3000000)};
    CHECK(parking_park(&s, NULL) == PARK_TIMEOUT);
    CHECK(now_ns() - t0 >= 3000000);
    CHECK(!parking_unpark_one(&word, NULL, NULL)); /* it left the queue */
    parking_alert_one(&word, now_ns() + 50000);
}

/* Under the bucket's lock, which is held until the waiter is queued: the next one comes behind it. */
static bool count_parked(void *arg) {
    atomic_fetch_add(&parked, 1);
    return true;
}
static void body_wait_in_order(int i, void *arg) {
    while (LOAD_ACQUIRE(&parked) != (uint32_t)i)
        unit_sleep_us(100);
    ParkSpec s = {.addr = &word, .still = count_parked, .deadline_ns = -1};
    uintptr_t token = 0;
    CHECK(parking_park(&s, &token) == PARK_WOKEN);
    CHECK(token == 100 + (uintptr_t)i);
    order[atomic_fetch_add(&order_len, 1)] = i;
}
static uintptr_t give(void *arg, const UnparkInfo *info) {
    CHECK(info->found);
    CHECK(info->more == (*(int *)arg < 7));
    return 100 + (uintptr_t)*(int *)arg;
}
static void *wake_in_order(void *arg) {
    while (LOAD_ACQUIRE(&parked) != 8)
        unit_sleep_us(100);
    unit_sleep_us(20000); /* the last one may not sleep yet */
    for (int i = 0; i < 8; i++) {
        if (i % 2) {
            parking_alert_one(&word, now_ns() + 50000); /* it stays where it is: asleep again after a while, or awake */
            unit_sleep_us(i % 4 == 1 ? 1000 : 20);
        }
        CHECK(parking_unpark_one(&word, give, &i));
        while (LOAD_RELAXED(&order_len) != i + 1)
            unit_sleep_us(50);
    }
    return NULL;
}
static void fifo(void) {
    STORE_RELAXED(&parked, 0);
    pthread_t id;
    pthread_create(&id, NULL, wake_in_order, NULL);
    unit_run(8, body_wait_in_order, NULL);
    pthread_join(id, NULL);
    for (int i = 0; i < 8; i++)
        CHECK(order[i] == i);
}

static void body_interrupt(int i, void *arg) {
    if (i == 0) {
        ParkSpec s = {.addr = &word, .deadline_ns = -1, .interrupt = &interrupt, .interrupt_mask = 4};
        STORE_RELEASE((_Atomic(Parker *) *)arg, parker_self());
        CHECK(parking_park(&s, NULL) == PARK_INTERRUPTED);
    } else {
        Parker *p;
        while ((p = LOAD_ACQUIRE((_Atomic(Parker *) *)arg)) == NULL)
            unit_sleep_us(100);
        unit_sleep_us(2000);
        parker_wake(p); /* spurious: it goes on waiting */
        unit_sleep_us(2000);
        atomic_fetch_or(&interrupt, 4);
        parker_wake(p);
    }
}

/* A semaphore of the simplest kind, with timeouts racing wakes: every permit is taken once. */
static _Atomic(int) permits, taken;
static bool no_permit(void *arg) {
    return LOAD_RELAXED(&permits) <= 0;
}
static void body_semaphore(int i, void *arg) {
    int n = *(int *)arg;
    for (int k = 0; k < n; k++) {
        if (i % 2 == 0) {
            atomic_fetch_add(&permits, 1);
            if (k % 5 == 0)
                parking_alert_one(&permits, now_ns() + 50000);
            parking_unpark_one(&permits, NULL, NULL);
            continue;
        }
        for (;;) {
            int p = LOAD_RELAXED(&permits);
            if (p > 0 && atomic_compare_exchange_strong(&permits, &p, p - 1))
                break;
            if (p > 0)
                continue;
            ParkSpec s = {.addr = &permits, .still = no_permit, .deadline_ns = k % 3 ? -1 : deadline_in(1000)};
            parking_park(&s, NULL);
        }
        atomic_fetch_add(&taken, 1);
    }
}

static void body_all(int i, void *arg) {
    if (i > 0) {
        ParkSpec s = {.addr = arg, .still = word_is_zero, .deadline_ns = -1};
        atomic_fetch_add(&parked, 1);
        ParkResult r = parking_park(&s, NULL);
        CHECK(r == PARK_WOKEN || r == PARK_INVALID);
        return;
    }
    while (LOAD_ACQUIRE(&parked) != 11)
        unit_sleep_us(100);
    atomic_store(&word, 1);
    parking_unpark_all(arg, 0);
}

/* Who is overdue asks, in the queue, as long as it is told to; so does who was alerted to its turn, without a deadline.
 */
static _Atomic(uint32_t) asked;
static int64_t ask_again(void *arg) {
    atomic_fetch_add(&asked, 1);
    return LOAD_RELAXED(&asked) < 3 ? deadline_in(1000000) : -1;
}
static void body_overdue(int i, void *arg) {
    if (i == 0) {
        ParkSpec s = {.addr = &word, .deadline_ns = deadline_in(1000000), .overdue = ask_again};
        uintptr_t token = 0;
        CHECK(parking_park(&s, &token) == PARK_WOKEN);
        CHECK(token == 107);
        return;
    }
    while (LOAD_ACQUIRE(&asked) < 3)
        unit_sleep_us(100);
    unit_sleep_us(5000);
    CHECK(LOAD_ACQUIRE(&asked) == 3);   /* no deadline: it is not overdue again */
    while (LOAD_ACQUIRE(&asked) == 3) { /* an alert may find it still on its way to sleep */
        parking_alert_one(&word, now_ns() + 20000);
        unit_sleep_us(1000);
    }
    int last = 7;
    CHECK(parking_unpark_one(&word, give, &last) == true);
}

int main(void) {
    invalid();
    timeouts();
    fifo();
    _Atomic(Parker *) p = NULL;
    unit_run(2, body_interrupt, (void *)&p);
    int n = 20000 * unit_scale();
    unit_run(8, body_semaphore, &n);
    CHECK(LOAD_RELAXED(&taken) == 4 * n && LOAD_RELAXED(&permits) == 0);
    STORE_RELAXED(&parked, 0);
    unit_run(12, body_all, (void *)&word);
    unit_run(2, body_overdue, NULL);
    printf("parking lot ok\n");
    return 0;
}

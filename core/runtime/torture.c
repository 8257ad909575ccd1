/* Reads -X torture=... and sets the hooks that the heap, the locks and the safepoint look at. See torture.h. */
#include "runtime/torture.h"

#include "bytelock.h"
#include "gc/heap.h"
#include "runtime/thread.h"

static uint32_t collect_every, fail_every;
static bool want_switch, want_park;

static bool number(const char *s, size_t len, uint32_t *out) {
    uint64_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9' || n > UINT32_MAX / 10)
            return false;
        n = n * 10 + (uint64_t)(s[i] - '0');
    }
    *out = (uint32_t)n;
    return len > 0 && n > 0 && n <= UINT32_MAX;
}

bool torture_option(const char *text) {
    while (*text) {
        size_t len = strcspn(text, ",");
        if (len > 8 && memcmp(text, "collect:", 8) == 0) {
            if (!number(text + 8, len - 8, &collect_every))
                return false;
        } else if (len > 5 && memcmp(text, "fail:", 5) == 0) {
            if (!number(text + 5, len - 5, &fail_every))
                return false;
        } else if (len == 6 && memcmp(text, "switch", 6) == 0) {
            want_switch = true;
        } else if (len == 4 && memcmp(text, "park", 4) == 0) {
            want_park = true;
        } else {
            return false;
        }
        text += len;
        if (*text == ',' && text[1])
            text++;
    }
    return collect_every || fail_every || want_switch || want_park;
}

void torture_begin(void) {
    torture_switch = want_switch;
    bytelock_no_spin = want_park;
    heap_torture_set(collect_every, fail_every);
    if (want_switch)
        thread_set_poll(thread_self(), POLL_TORTURE);
}

void torture_end(void) {
    heap_torture_set(0, 0);
}

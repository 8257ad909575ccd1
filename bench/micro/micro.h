/* Google Benchmark's face for benchmarks in C. A body runs batches: it attaches to the VM, does `n` operations and
 * detaches, so that no thread holds the VM at the library's barriers.
 *
 *     static void retain_release(Micro *m) {
 *         MICRO_BATCHES(m, n) { for (int64_t i = 0; i < n; i++) ... }
 *     }
 *     MICRO(retain_release, "count/retain+release")
 */
#ifndef POLYGIL_MICRO_H
#define POLYGIL_MICRO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Micro Micro;
typedef void (*MicroFn)(Micro *m);

enum { MICRO_BATCH = 16384 };

/* False when the benchmark is over; blocks detached at the start and the end when there are several threads. */
bool micro_next(Micro *m, int64_t n);
int micro_thread(const Micro *m);
int64_t micro_argument(const Micro *m);
/* One benchmark, in the order of registration; threads 0: single, without a number in its name. setup: called before
 * it, NULL allowed. */
void micro_register(const char *name, MicroFn fn, int64_t argument, int threads, void (*setup)(void));
/* Parses Google Benchmark's options, runs; the exit status. */
int micro_main(int argc, char **argv);
/* Keeps the compiler from dropping what computes v. */
static inline void micro_keep(uint64_t v) {
    __asm__ volatile("" : : "r"(v) : "memory");
}

#ifdef __cplusplus
}
#endif
#endif

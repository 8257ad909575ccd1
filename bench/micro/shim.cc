/* Google Benchmark behind micro.h. */
#include "micro.h"

#include <benchmark/benchmark.h>

struct Micro {
    benchmark::State *state;
    int64_t argument;
};

bool micro_next(Micro *m, int64_t n) { return m->state->KeepRunningBatch(n); }
int micro_thread(const Micro *m) { return m->state->thread_index(); }
int64_t micro_argument(const Micro *m) { return m->argument; }

void micro_register(const char *name, MicroFn fn, int64_t argument, int threads) {
    auto *b = benchmark::RegisterBenchmark(name, [fn, argument](benchmark::State &state) {
        Micro m{&state, argument};
        fn(&m);
    });
    b->UseRealTime();
    if (threads > 0)
        b->Threads(threads);
}

int micro_main(int argc, char **argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

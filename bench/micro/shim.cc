/* Google Benchmark behind micro.h. */
#include "micro.h"

#include <benchmark/benchmark.h>

struct Micro {
    benchmark::State *state;
    int64_t argument;
};

bool micro_next(Micro *m, int64_t n) {
    return m->state->KeepRunningBatch(n);
}
int micro_thread(const Micro *m) {
    return m->state->thread_index();
}
int64_t micro_argument(const Micro *m) {
    return m->argument;
}

static void (*common_setup)(void); /* the same for all that have one */
static void set_up(const benchmark::State &) {
    common_setup();
}

void micro_register(const char *name, MicroFn fn, int64_t argument, int threads, void (*setup)(void)) {
    auto *b = benchmark::RegisterBenchmark(name, [fn, argument](benchmark::State &state) {
        Micro m{&state, argument};
        fn(&m);
    });
    b->UseRealTime();
    if (threads > 0)
        b->Threads(threads);
    if (setup != nullptr) {
        common_setup = setup;
        b->Setup(set_up);
    }
}

int micro_main(int argc, char **argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

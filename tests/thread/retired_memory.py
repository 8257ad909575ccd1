"""Two threads append to one list: the blocks that it outgrows are given back while they run, and do not pile up until the next collection."""

import gc

import common

N = 1_500_000 * common.SCALE
THREADS = 2


def peak_kib():
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])


def append(index, shared):
    for i in range(N):
        shared.append(i)


def fill():
    shared = []
    common.run(THREADS, append, shared)
    assert len(shared) == THREADS * N, len(shared)


def keeps_freed_memory():
    """A sanitizer's allocator does, for a while."""
    with open("/proc/self/maps") as f:
        return "san.so" in f.read()


fill()
first = peak_kib()
for _ in range(5):
    gc.collect()  # lists that are dead may wait for one; the blocks that a list outgrew may not
    fill()
grown = peak_kib() - first
# A dead list besides; the blocks of one list together are three times as large.
most = 2 * 8 * THREADS * N / 1024
assert grown < most or keeps_freed_memory(), "%d KiB at first, %d more after five lists" % (first, grown)

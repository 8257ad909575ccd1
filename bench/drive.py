"""Runs one workload in this interpreter and prints one line of JSON.

    INTERPRETER bench/drive.py WORKLOAD THREADS SAMPLES [--scale F] [--wait] [--number N]

--wait: prints "ready" after the warm-up and after each sample; each begins when a line arrives on stdin.
--number: the core to run on, counted from 0 and round again; processes that run together get different ones.

Threads, or processes that start together, get a core each when there are enough: left to the system's scheduler two of
them often begin on one core, and stay there for a good part of a short sample. Cores are not always equally fast (another
virtual machine may run beside one of them), so a thread alone, whose throughput that of many together is compared with in
the contended workloads, takes its sample in equal parts on every core.
Times are of the parallel region alone: from the moment all threads are at the starting line until the last one ends.
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads"))

try:
    import _polygil
except ImportError:
    _polygil = None


CORES = sorted(os.sched_getaffinity(0))


def take_core(number):
    os.sched_setaffinity(0, {CORES[number % len(CORES)]})


def run_threads(module, state, threads, scale):
    """One sample: wall seconds, CPU seconds, and each thread's wall seconds."""
    if threads == 1:
        parts = [scale]
        if module.GROUP == "contended":
            parts = [scale * (i + 1) // len(CORES) - scale * i // len(CORES) for i in range(len(CORES))]
        cpu = time.process_time()
        start = time.perf_counter()
        for number, part in enumerate(parts):
            if len(parts) > 1:
                take_core(number)
            module.work(part, state)
        wall = time.perf_counter() - start
        return wall, time.process_time() - cpu, [wall]
    gate = threading.Lock()
    gate.acquire()
    ready = threading.Semaphore(0)
    ends = [0.0] * threads

    def body(index):
        if threads <= len(CORES):
            take_core(index)
        ready.release()
        with gate:
            pass
        module.work(scale, state)
        ends[index] = time.perf_counter()

    pool = [threading.Thread(target=body, args=(i,)) for i in range(threads)]
    for t in pool:
        t.start()
    for t in pool:
        ready.acquire()
    cpu = time.process_time()
    start = time.perf_counter()
    gate.release()
    for t in pool:
        t.join()
    wall = max(ends) - start
    return wall, time.process_time() - cpu, [e - start for e in ends]


def as_json(value):
    """Of what a result consists of. Importing the json module would add 6 to 13 ms to each process."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join('"%s": %s' % (k, as_json(v)) for k, v in value.items())
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(as_json, value))
    return repr(value).lower()  # a number or a bool


def peak_kib():
    """High-water mark of resident memory of this process since it was started."""
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def main(argv):
    factor = 1.0
    wait = False
    args = []
    it = iter(argv)
    for a in it:
        if a == "--scale":
            factor = float(next(it))
        elif a == "--wait":
            wait = True
        elif a == "--number":
            take_core(int(next(it)))
        else:
            args.append(a)
    name, threads, samples = args[0], int(args[1]), int(args[2])
    module = __import__(name)
    scale = max(1, int(module.SCALE * factor)) if isinstance(module.SCALE, int) and module.SCALE > 50 else module.SCALE
    setup = getattr(module, "setup", None)
    check = getattr(module, "check", None)
    # The warm-up is half a sample: caches are learned, and memory is not new to the process.
    half = scale // 2 if isinstance(scale, int) and scale > 50 else scale
    run_threads(module, setup() if setup else None, threads, half)
    if _polygil is not None:
        _polygil.reset()
    walls, cpus, per_thread, lost = [], [], [], False
    for _ in range(samples):
        if wait:
            print("ready", flush=True)
            sys.stdin.readline()
        state = setup() if setup else None  # each sample does the same work
        wall, cpu, each = run_threads(module, state, threads, scale)
        walls.append(wall)
        cpus.append(cpu)
        per_thread.append(each)
        lost = lost or (check is not None and not check(state, threads, scale))
        state = None
    result = {"wall": walls, "cpu": cpus, "threads": per_thread, "maxrss": peak_kib()}
    if lost:
        result["lost"] = True
    if _polygil is not None:
        result["stats"] = _polygil.stats()
    print(as_json(result))


main(sys.argv[1:])

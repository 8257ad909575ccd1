"""Runs the micro-benchmarks of a build folder (-DPOLYGIL_MICRO=ON): prints the table of all counts and locks, and writes costs.json into the
folder: nanoseconds per count operation and per lock by backend, from which bench/compare estimates the overhead over the lower bound.

    python3 bench/micro/costs.py BUILD [--rounds N]

The binaries take turns; every figure is the least of its rounds, in CPU time of the thread.
"""

import argparse
import glob
import json
import os
import subprocess
import sys

ROWS = (
    ("count/retain+release, 1024 objects", "retain + release, 1,024 objects in turn"),
    ("count/retain+release, same object", "retain + release, one object"),
    ("count/retain+release, own object/1", "... while the process has two threads"),
    ("count/retain+release between other work", "... 1,024 objects, other work between the two"),
    ("count/load from a shared list/1", "load an item of a list and release it"),
    ("lock/object section, elided", "object section, one thread"),
    ("lock/object section/1", "object section, two threads exist"),
    ("lock/object leaf/1", "object lock of one store, two threads exist"),
    ("lock/object leaf between other work/1", "... other work between"),
    ("lock/mutex/1", "mutex (parking lot)"),
    ("lock/pthread mutex/1", "pthread mutex"),
    ("lock/ck fas/1", "ConcurrencyKit: fas"),
    ("lock/ck ticket/1", "ConcurrencyKit: ticket"),
    ("lock/ck mcs/1", "ConcurrencyKit: mcs"),
    ("thread/attach+detach", "detach + attach"),
    ("safepoint/poll", "safepoint"),
)


def measure(binary):
    """Nanoseconds of CPU time by name; threads:N becomes /N."""
    out = subprocess.run([binary, "--benchmark_format=json", "--benchmark_min_time=0.05",
                          "--benchmark_filter=^(count|lock|thread|safepoint/poll).*"], check=True, capture_output=True, text=True, timeout=300)
    result = {}
    for b in json.loads(out.stdout)["benchmarks"]:
        if not b.get("error_occurred"):
            result[b["name"].replace("/real_time", "").replace("/threads:", "/")] = b["cpu_time"]
    return result


def costs_of(name, figures):
    """The costs of one operation by the counter that counts it (gc/stats.h): what it adds to a loop of other work. Alone it takes longer,
    but nothing overlaps it there."""
    f = figures[name]
    pair, locked = "count/retain+release between other work", "lock/object leaf between other work"
    loop = min(g[pair] for g in figures.values())  # what the least one, that does not count, leaves
    cost = (f[pair] - loop) / 2
    atomic = (figures.get("atomic", f)[pair] - loop) / 2  # who is not the owner adds atomically, as every count of `atomic` does
    result = {
        "count_owner": cost,
        "count_shared": max(cost, atomic) if name.startswith("biased") else cost,
        "lock_acquired": max(0.0, f[locked + "/1"] - f[locked + ", elided"]),
    }
    return {k: round(v, 3) for k, v in result.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("--rounds", type=int, default=3)
    args = p.parse_args()
    binaries = {os.path.basename(b)[len("micro-"):]: b for b in sorted(glob.glob(os.path.join(args.build, "micro-*")))}
    if not binaries:
        p.error("no micro-benchmarks in %s: configure with -DPOLYGIL_MICRO=ON" % args.build)
    figures = {}
    for _ in range(args.rounds):
        for name, binary in binaries.items():
            for k, v in measure(binary).items():
                best = figures.setdefault(name, {})
                best[k] = min(best.get(k, v), v)
    print("| ns | " + " | ".join(figures) + " |")
    print("| --- " * (len(figures) + 1) + "|")
    for key, text in ROWS:
        print("| %s | " % text + " | ".join("%.1f" % f[key] if key in f else "" for f in figures.values()) + " |")
    with open(os.path.join(args.build, "costs.json"), "w") as f:
        json.dump({name: costs_of(name, figures) for name in figures}, f, indent=1)
        f.write("\n")


main()

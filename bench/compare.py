"""The comparison: every workload on every backend, interleaved, and the report. Started by bench/compare after the build."""

import argparse
import csv
import importlib
import json
import os
import random
import subprocess
import sys
import time

import report
import runner

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
REFERENCE = "/usr/bin/python3.11"


def usage_error(message):
    print("compare: " + message, file=sys.stderr)
    raise SystemExit(2)


def backend_table(build):
    """Rows of the backend table that CMake wrote: [{"name", "excl", "count", "retire", "trace", "control"}]."""
    path = os.path.join(build, "backends.tsv")
    try:
        with open(path, newline="") as f:
            return list(csv.DictReader(f, delimiter="\t"))
    except OSError as e:
        usage_error("no backend table: %s" % e)


def load_workloads(names):
    folder = os.path.join(HERE, "workloads")
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    known = sorted(f[:-3] for f in os.listdir(folder) if f.endswith(".py"))
    for n in names or []:
        if n not in known:
            usage_error("unknown workload '%s': one of %s" % (n, ", ".join(known)))
    order = {"single": 0, "shared": 1, "contended": 2, "io": 3}
    out = []
    for n in names or known:
        module = importlib.import_module(n)
        out.append({"name": n, "group": module.GROUP, "doc": module.__doc__.strip()})
    return sorted(out, key=lambda w: (order[w["group"]], w["name"]))


class Progress:
    """A bar on stderr with the time left; one line now and then when stderr is no terminal."""

    def __init__(self, total):
        self.total, self.done, self.start, self.last = total, 0, time.monotonic(), 0.0
        self.tty = sys.stderr.isatty()

    def step(self, label):
        self.done += 1
        now = time.monotonic()
        left = (now - self.start) / self.done * (self.total - self.done)
        if self.tty:
            width = 30
            filled = width * self.done // self.total
            text = "[%s%s] %d/%d  %d:%02d left  %-40.40s" % (
                "#" * filled, "." * (width - filled), self.done, self.total, left // 60, left % 60, label)
            sys.stderr.write("\r" + text)
            if self.done == self.total:
                sys.stderr.write("\n")
            sys.stderr.flush()
        elif now - self.last > 15 or self.done == self.total:
            self.last = now
            sys.stderr.write("%d/%d samples, %d:%02d left\n" % (self.done, self.total, left // 60, left % 60))
            sys.stderr.flush()


def plan(workloads, interpreters, counts, reference):
    """The samples of one round: (workload, interpreter name, kind, threads)."""
    cells = []
    for w in workloads:
        for name in interpreters:
            cells.append((w, name, "threads", 1))
            if w["group"] == "io":
                continue
            if name == reference:
                continue
            for n in counts:
                cells.append((w, name, "threads", n))
                if w["group"] in ("single", "shared"):
                    cells.append((w, name, "processes", n))
            if w["group"] == "contended":
                cells.append((w, name, "threads", 8))
    return cells


def count_events(workloads, binaries, counts, samples, scale, progress):
    """Event totals of `samples` samples, by builds with counters: {(workload, interpreter, threads): stats}. Not timed, so one is run."""
    events = {}
    for w in workloads:
        for name, binary in binaries.items():
            for n in [1] + ([] if w["group"] == "io" else counts[:1]):
                progress.step("%s %s events" % (w["name"], name))
                try:
                    stats = runner.threads_sample(binary, w["name"], n, 1, scale).get("stats", {})
                    events[w["name"], name, n] = {k: v * samples for k, v in stats.items()}
                except runner.Failed:
                    pass  # the timed run of the same program reports failures
    return events


def run(workloads, binaries, counting, counts, rounds, samples, scale, reference):
    """All records: {(workload, interpreter, kind, threads): [record per round]} and the failures. counting: builds with event counters,
    by name; what they count joins the last round's record of the same cell."""
    cells = plan(workloads, list(binaries), counts, reference)
    progress = Progress(len(cells) * rounds + len(counting) * sum(1 if w["group"] == "io" else 1 + len(counts[:1]) for w in workloads))
    results, failures = {}, {}
    shuffle = random.Random(1)
    by_workload = {}
    for c in cells:
        by_workload.setdefault(c[0]["name"], []).append(c)
    for _ in range(rounds):
        for group in by_workload.values():
            shuffle.shuffle(group)
            for w, name, kind, n in group:
                key = (w["name"], name, kind, n)
                progress.step("%s %s %d" % (w["name"], name, n))
                if key in failures:
                    continue
                try:
                    if kind == "threads":
                        record = runner.threads_sample(binaries[name], w["name"], n, samples, scale)
                    else:
                        record = runner.processes_sample(binaries[name], w["name"], n, samples, scale)
                except runner.Failed as e:
                    failures[key] = str(e)
                    continue
                results.setdefault(key, []).append(record)
    for (w, name, n), events in count_events(workloads, counting, counts, samples, scale, progress).items():
        records = results.get((w, name, "threads", n))
        if records:
            records[-1]["stats"] = dict(events, **records[-1].get("stats", {}))
    return results, failures


def parse_args(argv):
    p = argparse.ArgumentParser(prog="bench/compare", description="Compares the concurrency backends on the same programs.")
    p.add_argument("--full", action="store_true", help="the long comparison: 10 rounds, all thread counts")
    p.add_argument("--build", default=os.path.join(ROOT, "build-bench"), help="folder of the built interpreters")
    p.add_argument("--backends", help="comma-separated names (default: all of the table)")
    p.add_argument("--workloads", help="comma-separated names (default: all of bench/workloads)")
    p.add_argument("--threads", help="comma-separated thread counts besides 1 (default: the number of cores)")
    p.add_argument("--rounds", type=int, help="interleaved rounds (default 3; 10 with --full)")
    p.add_argument("--samples", type=int, default=1, help="timed runs inside one process, after one to warm up (default 1)")
    p.add_argument("--scale", type=float, default=1.0, help="factor on every workload's size")
    p.add_argument("--output", default=os.path.join(HERE, "results"), help="folder of the report")
    p.add_argument("--no-reference", action="store_true", help="leave out %s" % REFERENCE)
    args = p.parse_args(argv)
    if args.rounds is not None and args.rounds < 1 or args.samples < 1 or args.scale <= 0:
        usage_error("--rounds, --samples and --scale take positive numbers")
    return args


def main(argv):
    args = parse_args(argv)
    table = backend_table(args.build)
    names = [r["name"] for r in table if r["control"] == "0"]
    if args.backends:
        known = [r["name"] for r in table]
        names = args.backends.split(",")
        for n in names:
            if n not in known:
                usage_error("unknown backend '%s': one of %s" % (n, ", ".join(known)))
    binaries = {}
    for n in names:
        path = os.path.join(args.build, "polygil-" + n)
        if not os.access(path, os.X_OK):
            usage_error("%s is not built" % path)
        binaries[n] = path
    counting = {}
    for n in names:
        path = os.path.join(args.build + "-counting", "polygil-" + n)
        if os.access(path, os.X_OK):
            counting[n] = path
    reference = None
    if not args.no_reference:
        if not os.access(REFERENCE, os.X_OK):
            usage_error("%s is missing: install Debian's package python3.11, or give --no-reference" % REFERENCE)
        reference = "python3.11"
        binaries[reference] = REFERENCE
    cores = os.cpu_count() or 1
    if args.threads:
        try:
            counts = sorted({int(t) for t in args.threads.split(",")} - {1})
        except ValueError:
            usage_error("--threads takes numbers, not '%s'" % args.threads)
    elif args.full:
        counts = sorted({n for n in (2, 4, 8, 16, 32) if n < cores} | ({cores} if cores > 1 else {2}))
    else:
        counts = [max(2, cores)]
    rounds = args.rounds or (10 if args.full else 3)
    workloads = load_workloads(args.workloads.split(",") if args.workloads else None)
    start = time.time()
    results, failures = run(workloads, binaries, counting, counts, rounds, args.samples, args.scale, reference)
    data = {
        "hardware": runner.hardware(),
        "reference": runner.reference_info(REFERENCE) if reference else None,
        "compiler": report.compiler_of(args.build),
        "revision": revision(),
        "options": {"rounds": rounds, "samples": args.samples, "scale": args.scale, "threads": counts},
        "backends": [r for r in table if r["name"] in names],
        "workloads": workloads,
        "seconds": time.time() - start,
        "costs": load_costs(args.build),
        "records": [
            {"workload": k[0], "interpreter": k[1], "kind": k[2], "threads": k[3], "rounds": v} for k, v in results.items()],
        "failures": [
            {"workload": k[0], "interpreter": k[1], "kind": k[2], "threads": k[3], "message": m} for k, m in failures.items()],
    }
    os.makedirs(args.output, exist_ok=True)
    summary = report.summarise(data)
    sys.stdout.write(report.text(data, summary))
    paths = [os.path.join(args.output, "comparison." + e) for e in ("json", "csv", "html")]
    with open(paths[0], "w") as f:
        json.dump(dict(data, summary=summary), f, indent=1)
    with open(paths[1], "w", newline="") as f:
        report.write_csv(f, summary)
    with open(paths[2], "w") as f:
        f.write(report.html(data, summary))
    print("\nreport: " + "  ".join(os.path.relpath(p) for p in paths))
    return 1 if failures else 0


def revision():
    try:
        return subprocess.check_output(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], text=True, stderr=subprocess.DEVNULL).strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def load_costs(build):
    """Measured nanoseconds per operation, when bench/micro has run: {"gil": {"retain": 0.4, ...}}."""
    try:
        with open(os.path.join(build, "costs.json")) as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\ncompare: interrupted", file=sys.stderr)
        sys.exit(130)

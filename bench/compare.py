"""The comparison: every workload on every backend, interleaved, and the report. Started by bench/compare after the build."""

import argparse
import concurrent.futures
import csv
import importlib
import json
import os
import random
import resource
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

    def seconds(self):
        return time.monotonic() - self.start

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


CROWD = 8  # threads that meet in the contended workloads, whatever the cores
ROUNDS, ROUNDS_MIN, LIMIT = 4, 3, 280  # of the default run; seconds, the events not counted in
SAMPLE = 0.025  # seconds of one thread's sample on the first backend, on average, that the default run is sized for
SAMPLES = 2  # of each process in a turn, where a crowd takes one; of one thread's the second half are sliced


def plan(workloads, interpreters, counts, reference):
    """The cells of one round: (workload, interpreter name, kind, threads)."""
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
            if w["group"] == "contended" and CROWD not in counts:
                cells.append((w, name, "threads", CROWD))
    return cells


def size_for(workloads, binary):
    """The factor on the workloads' sizes with which a slow machine, too, ends in time: samples of SAMPLE seconds on average. One sample each
    tells; on a quick machine the factor is 1."""
    walls = []
    for w in workloads:
        try:
            c = runner.Cell(binary, w["name"], 1, 1, 1.0)
            c.sample()
            walls += c.finish()["wall"]
        except runner.Failed:
            pass  # the timed run of the same program reports failures
    return min(1.0, SAMPLE * len(walls) / sum(walls)) if walls else 1.0


def count_events(workloads, binaries, counts, scale, progress):
    """Event totals of one sample, by builds with counters: {(workload, interpreter, threads): stats}. Not timed: one sample is run, as
    many at a time as there are cores."""

    def events_of(cell):
        w, name, n = cell
        try:
            c = runner.Cell(binaries[name], w["name"], n, 1, scale)
            c.sample()
            stats = c.finish().get("stats", {})
        except runner.Failed:
            stats = {}  # the timed run of the same program reports failures
        progress.step("%s %s events" % (w["name"], name))
        return stats

    cells = [(w, name, n) for w in workloads for name in binaries for n in [1] + ([] if w["group"] == "io" else counts[:1])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return {(w["name"], name, n): e for (w, name, n), e in zip(cells, pool.map(events_of, cells)) if e}


def is_alone(cell):
    return cell[2:] == ("threads", 1)


def parts(cells, group):
    """Lists of the cells of one workload that are measured together. What one thread does is compared between interpreters, what many do
    with processes of the same interpreter or, in contended workloads, with one thread. The fewer start together, the less is lost between
    the warm-up and a sample: sleeping processes find their memory out of the caches. One thread alone has two turns, in new processes:
    intervals are taken over turns, and few of them make wide ones."""
    if group not in ("single", "shared"):
        return [cells]
    by_name = {}
    for c in cells:
        if not is_alone(c):
            by_name.setdefault(c[1], []).append(c)
    alone = [c for c in cells if is_alone(c)]
    return [alone, *by_name.values(), alone]


def samples_of(cell, group, samples):
    """How many samples one process takes: a crowd's take long."""
    return samples if group == "io" or cell[3] == CROWD and group == "contended" else samples * SAMPLES


def is_sliced(cells, group):
    """Whether interpreters are compared by samples that share a core. How quick a core is changes within some 20 ms (another virtual machine
    runs beside it), so samples of tens of milliseconds one after the other differ by as much as if they were taken on different days: time on
    the processor, of processes between which the scheduler changes every few milliseconds, differs by a third of that. What several threads
    do cannot be sliced, for a thread that has no core keeps its locks."""
    return group in ("single", "shared") and all(map(is_alone, cells))


def in_turn(cells, shuffle):
    """The cells in a random order in which each interpreter's follow each other."""
    place = {}
    for _, name, kind, n in cells:
        place.setdefault(name, shuffle.random())
    return sorted(cells, key=lambda c: (place[c[1]], c[3], shuffle.random()))


class Round:
    """One round of one workload: processes of every cell, and their samples in turn. core: where one thread alone runs, or None."""

    def __init__(self, samples, binaries, scale, core, progress, failed):
        """samples: of each cell, by cell."""
        self.progress, self.running, self.failed, self.core, self.left = progress, {}, failed, core, dict(samples)
        # Starting and warming up is not measured: as many at a time as there are cores.
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda key: self._start(key, binaries, samples[key], scale), samples))

    def _start(self, key, binaries, samples, scale):
        workload, name, kind, n = key
        if key not in self.failed:
            self._try(key, lambda: runner.Cell(
                binaries[name], workload, n if kind == "threads" else 1, samples, scale, n if kind == "processes" else 0,
                self.core if is_alone(key) else None))
        self.progress.step("%s %s %d" % (workload, name, n))

    def _try(self, key, action):
        """Keeps what the action returns in place of the cell, or notes how it failed."""
        try:
            self.running[key] = action()
        except runner.Failed as e:
            self.failed[key] = str(e)
            self.running.pop(key, None)

    def _do(self, key, action):
        """A method of the cell, unless it has failed."""
        if key in self.running:
            cell = self.running[key]
            self._try(key, lambda: action(cell) or cell)

    def _took(self, key):
        self.left[key] -= 1
        self.progress.step("%s %s %d" % (key[0], key[1], key[3]))

    def sample(self, order):
        """A sample of each cell that has one left, in turn."""
        for key in order:
            if self.left[key]:
                self._do(key, runner.Cell.sample)
                self._took(key)

    def sample_sliced(self, order):
        """A sample of each cell, all at the same time on one core: the system's scheduler changes between them every few milliseconds."""
        for action in runner.Cell.begin, runner.Cell.wait:
            for key in order:
                self._do(key, action)
        for key in order:
            self._took(key)

    def finish(self):
        """{cell: record}."""
        for key in list(self.running):
            self._try(key, self.running[key].finish)
        return self.running

    def abandon(self):
        for cell in self.running.values():
            cell.abandon()


def run(workloads, binaries, counting, counts, rounds, limit, samples, scale, reference):
    """All records, {(workload, interpreter, kind, threads): [record per turn]}, the failures, and how many rounds there were. counting:
    builds with event counters, by name; what they count joins the last round's record of the same cell. limit: the seconds after which, by
    what the rounds so far have taken, no other round begins that would end later; three in any case, and all of them where it is None."""
    results, failures = {}, {}
    shuffle = random.Random(1)
    by_workload, groups = {}, {w["name"]: w["group"] for w in workloads}
    for w, name, kind, n in plan(workloads, list(binaries), counts, reference):
        by_workload.setdefault(w["name"], []).append((w["name"], name, kind, n))
    together = [
        (groups[name], turn, {c: samples_of(c, groups[name], samples) for c in cells})
        for name, all_cells in by_workload.items() for turn, cells in enumerate(parts(all_cells, groups[name]))]
    round_steps = sum(1 + n for _, _, of_cell in together for n in of_cell.values())
    progress = Progress(
        rounds * round_steps + len(counting) * sum(1 if w["group"] == "io" else 1 + len(counts[:1]) for w in workloads))
    done = 0
    for number in range(rounds):
        if limit is not None and number >= ROUNDS_MIN and progress.seconds() * (number + 1) / number > limit:
            progress.total -= (rounds - number) * round_steps
            break
        for group, turn, of_cell in together:
            # What is compared runs on the same core, which in turn is each of them; contended workloads see to that themselves, and those
            # with threads of their own need all cores.
            core = number + (turn > 0) if group in ("single", "shared") else None
            r = Round(of_cell, binaries, scale, core, progress, failures)
            sliced = samples if is_sliced(of_cell, group) else 0
            try:
                for _ in range(max(of_cell.values()) - sliced):
                    r.sample(in_turn(of_cell, shuffle))
                for _ in range(sliced):
                    r.sample_sliced(in_turn(of_cell, shuffle))
                for key, record in r.finish().items():
                    if sliced:
                        record["sliced"] = record["cpu"][-sliced:]
                        for field in ("wall", "cpu", "threads"):
                            del record[field][-sliced:]
                    results.setdefault(key, []).append(record)
            except BaseException:
                r.abandon()
                raise
        done += 1
    for (w, name, n), events in count_events(workloads, counting, counts, scale, progress).items():
        records = results.get((w, name, "threads", n))
        if records:
            taken = len(records[-1]["wall"] + records[-1].get("sliced", []))
            events = {k: v * taken for k, v in events.items()}
            records[-1]["stats"] = dict(events, **records[-1].get("stats", {}))
    return results, failures, done


def parse_args(argv):
    p = argparse.ArgumentParser(prog="bench/compare", description="Compares the concurrency backends on the same programs.")
    p.add_argument("--full", action="store_true", help="the long comparison: 12 rounds, all thread counts")
    p.add_argument("--build", default=os.path.join(ROOT, "build-bench"), help="folder of the built interpreters")
    p.add_argument("--backends", help="comma-separated names (default: all of the table)")
    p.add_argument("--workloads", help="comma-separated names (default: all of bench/workloads)")
    p.add_argument("--threads", help="comma-separated thread counts besides 1 (default: the number of cores)")
    p.add_argument("--rounds", type=int, help="interleaved rounds (default %d, one less on a machine where they take longer than %d s; 12 with --full)" % (ROUNDS, LIMIT))
    p.add_argument("--samples", type=int, default=1, help="timed samples of one process, after half a one to warm up (default 1; %d times as many but where %d threads meet)" % (SAMPLES, CROWD))
    p.add_argument("--scale", type=float, help="factor on every workload's size (default: 1, less on a machine where a sample takes longer than %.0f ms on average; 1 with --full or --rounds)" % (SAMPLE * 1e3))
    p.add_argument("--output", default=os.path.join(HERE, "results"), help="folder of the report")
    p.add_argument("--no-reference", action="store_true", help="leave out %s" % REFERENCE)
    args = p.parse_args(argv)
    if args.rounds is not None and args.rounds < 1 or args.samples < 1 or args.scale is not None and args.scale <= 0:
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
    rounds = args.rounds or (12 if args.full else ROUNDS)
    limit = None if args.rounds or args.full else LIMIT
    workloads = load_workloads(args.workloads.split(",") if args.workloads else None)
    raise_open_files()
    start = time.time()
    scale = args.scale or (size_for(workloads, binaries[names[0]]) if limit else 1.0)
    results, failures, done = run(workloads, binaries, counting, counts, rounds, limit, args.samples, scale, reference)
    data = {
        "hardware": runner.hardware(),
        "reference": runner.reference_info(REFERENCE) if reference else None,
        "compiler": report.compiler_of(args.build),
        "revision": revision(),
        "options": {"rounds": done, "samples": args.samples, "scale": scale, "threads": counts},
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


def raise_open_files():
    """A round of many threads holds three pipes for each of hundreds of processes."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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

"""Builds and tests. Started by tests/run, which installs what is missing.

Every test is one command with an expected output or exit status; they run side by side on all cores. The expected output of a program is
the .expected file beside it, or else what /usr/bin/python3.11 prints for it.
"""

import argparse
import concurrent.futures
import glob
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
ORACLE = "/usr/bin/python3.11"
CORES = os.cpu_count() or 1
# Folder of CPython's own test files (Debian's libpython3.11-testsuite).
CPYTHON_TESTS = "/usr/lib/python3.11/test"


class Result:
    def __init__(self, name, status, detail="", seconds=0.0):
        self.name, self.status, self.detail, self.seconds = name, status, detail, seconds


def backend_rows(build):
    with open(os.path.join(build, "backends.tsv")) as f:
        return [line.rstrip("\n").split("\t") for line in f][1:]


def backends(build):
    return [r[0] for r in backend_rows(build) if r[5] == "0"]


def uncounted(build):
    """Backends on which nothing dies at once."""
    return {r[0] for r in backend_rows(build) if r[2] == "none"}


def run_command(argv, timeout, cwd=None, env=None, stdin=None):
    """(exit status or None for a time-out, output of both streams)."""
    full = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0", LC_ALL="C.UTF-8", TERM="dumb")
    full.setdefault("TSAN_OPTIONS", "die_after_fork=0")  # a forked child may start threads: that ends a build with the thread sanitizer otherwise
    full.update(env or {})
    with tempfile.TemporaryFile() as out:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT,
                             cwd=cwd, env=full, start_new_session=True)
        try:
            p.communicate(stdin, timeout=timeout)
            status = p.returncode
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, 9)
            p.wait()
            status = None
        out.seek(0)
        return status, out.read().decode("utf-8", "replace")


def build(folder, *options, targets=(), log):
    """Configures and builds; exits with the compiler's words when that fails."""
    steps = [["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", *options], ["ninja", "-C", folder, *targets]]
    print("building %s (%s)" % (os.path.relpath(folder, ROOT), " ".join(options)), flush=True)
    for argv in steps:
        p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with open(log, "a") as f:
            f.write(p.stdout)
        if p.returncode:
            sys.stdout.write("".join(p.stdout.splitlines(True)[-40:]))
            print("build failed: %s" % " ".join(argv))
            print("0 passed, 1 failed, 0 skipped")
            sys.exit(1)


# ---- rules of the tree ----


def sources(*patterns):
    out = []
    for p in patterns:
        out += glob.glob(os.path.join(ROOT, p), recursive=True)
    return sorted(out)


def rule_no_slot_in_if():
    """No #if under core/ (but core/backend) names a backend or a slot."""
    bad = []
    pattern = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)\b.*(BACKEND|EXCL_|COUNT_|RETIRE_|TRACE_)")
    for path in sources("core/**/*.[ch]"):
        if os.sep + os.path.join("core", "backend") + os.sep in path:
            continue
        with open(path) as f:
            for n, line in enumerate(f, 1):
                if pattern.match(line):
                    bad.append("%s:%d: %s" % (os.path.relpath(path, ROOT), n, line.strip()))
    return bad


def rule_file_size():
    """No file above about 1,500 lines without a reason in its first lines."""
    bad = []
    for path in sources("core/**/*.[ch]", "locks/*.[ch]", "gc/*.[ch]", "bench/**/*.py", "tests/**/*.py"):
        with open(path) as f:
            lines = f.read().split("\n")
        if len(lines) > 1550 and "long because" not in " ".join(lines[:12]).lower():
            bad.append("%s: %d lines" % (os.path.relpath(path, ROOT), len(lines)))
    return bad


def rule_no_suppressions():
    """The sanitizers' suppression lists are empty: there are none."""
    return [os.path.relpath(p, ROOT) for p in sources("**/*.supp", "**/*suppress*") if "/build" not in p]


RULES = [rule_no_slot_in_if, rule_file_size, rule_no_suppressions]


def run_rule(rule):
    start = time.monotonic()
    bad = rule()
    return Result("rule " + rule.__name__[5:], "failed" if bad else "passed", "\n".join(bad), time.monotonic() - start)


# ---- programs ----

_oracle = {}


def expected_output(path, args):
    """What the program must print, or None when nothing is fixed."""
    fixed = os.path.splitext(path)[0] + ".expected"
    if os.path.exists(fixed):
        with open(fixed) as f:
            return 0, f.read()
    key = (path, tuple(args))
    if key not in _oracle:
        _oracle[key] = run_command([ORACLE, "-B", path, *args], 120, cwd=os.path.dirname(path))
    return _oracle[key]


def same_output(path, wanted, got):
    """Figures that a program measures may differ: programs without .expected say so in a line `# output: any`."""
    with open(path) as f:
        head = f.read(400)
    return "# output: any" in head or wanted == got


def run_program(name, binary, path, args=(), timeout=120, env=None, any_output=False, options=("-X", "leakcheck"), core=None):
    """core: the one to run on."""
    start = time.monotonic()
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    status, out = run_command([*pinned, binary, *options, "-B", path, *args], timeout, cwd=os.path.dirname(path), env=env)
    seconds = time.monotonic() - start
    if status is None:
        return Result(name, "failed", "time-out after %d s\n%s" % (timeout, out[-1500:]), seconds)
    if any_output:
        ok = status == 0
        return Result(name, "passed" if ok else "failed", "" if ok else "exit status %s\n%s" % (status, out[-2000:]), seconds)
    want_status, want = expected_output(path, args)
    if status == want_status and same_output(path, want, out):
        return Result(name, "passed", "", seconds)
    return Result(name, "failed", "exit status %s, wanted %s\n--- wanted\n%s\n--- got\n%s" % (status, want_status, want[-1500:], out[-1500:]), seconds)


# Programs whose output is measured: they must end well, with small arguments.
MEASURING = {"03_count.py": ["200000"], "04_cpu_io_bound.py": ["20000"], "06_hello_dis.py": [], "11_release_in_c.py": [], "12_convoy.py": []}


# Programs of later work: they are skipped while a C module that they import is missing.
NEEDS = {"07_process_queue.py": "_multiprocessing", "11_release_in_c.py": "zlib"}


def skipped(name, reason):
    return Result(name, "skipped", reason)


def program_tests(binaries, quick):
    tests = []
    for path in sources("tests/programs/*.py"):
        base = os.path.basename(path)
        if quick and base in ("12_convoy.py", "11_release_in_c.py"):
            continue
        for b, binary in binaries.items():
            name = "program %s %s" % (base[:-3], b)
            need = NEEDS.get(base)
            if need and run_command([binary, "-c", "import " + need], 60)[0] != 0:
                tests.append((skipped, (name, "no module " + need), {}))
            elif base in MEASURING:
                tests.append((run_program, (name, binary, path, MEASURING[base]), {"any_output": True}))
            else:
                tests.append((run_program, (name, binary, path), {}))
    for folder in ("lang", "thread", "stdlib"):
        for path in sources("tests/%s/*.py" % folder):
            if os.path.basename(path) == "common.py":
                continue
            for b, binary in binaries.items():
                tests.append((run_program, ("%s %s %s" % (folder, os.path.basename(path)[:-3], b), binary, path), {"timeout": 180}))
    return tests


def run_workload(name, binary, workload, threads, samples, scale):
    """A workload of the comparison as bench/compare runs it: it must end well, lose no write and report each sample."""
    start = time.monotonic()
    command = [binary, "-X", "leakcheck", "-B", os.path.join(ROOT, "bench", "drive.py"), workload, str(threads), str(samples), "--scale", str(scale)]
    status, out = run_command(command, 180)
    seconds = time.monotonic() - start
    if status == 0:
        try:
            result = json.loads(out)
        except ValueError:
            result = {}
        walls = result.get("wall", [])
        if "lost" not in result and len(walls) == samples and all(w > 0 for w in walls):
            return Result(name, "passed", "", seconds)
    return Result(name, "failed", "exit status %s\n%s" % (status, out[-2000:]), seconds)


def workload_tests(binaries, quick):
    """All of them small; the contended ones, whose threads meet in the heap and the locks, in full with eight threads."""
    tests = []
    for path in sources("bench/workloads/*.py"):
        workload = os.path.basename(path)[:-3]
        contended = workload.startswith("contended_")
        if quick and workload != "contended_append":
            continue
        for b, binary in binaries.items():
            size = (8, 2, 1) if contended else (2, 1, 0.02)
            tests.append((run_workload, ("workload %s %s" % (workload, b), binary, workload, *size), {}))
    return tests


def run_cpython_test(name, binary, module, timeout):
    """One of CPython's own test files, unchanged."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as cwd:
        status, out = run_command([binary, "-B", "-m", "unittest", "-q", "test." + module], timeout, cwd=cwd)
    seconds = time.monotonic() - start
    if status == 0:
        return Result(name, "passed", "", seconds)
    return Result(name, "failed", "exit status %s\n%s" % (status, out[-3000:]), seconds)


def cpython_tests(binaries, quick, slow_death, sanitized):
    listing = os.path.join(HERE, "stdlib", "cpython.txt")
    if not os.path.exists(listing):
        return []
    with open(listing) as f:
        modules = [line.split("#")[0].split() for line in f]
    modules = [m for m in modules if m]
    if quick:
        modules = modules[:6]
    tests = []
    for m in modules:
        for b, binary in binaries.items():
            name = "cpython %s %s" % (m[0], b)
            if "prompt" in m[1:] and b in slow_death:
                tests.append((skipped, (name, "it relies on objects that die at once"), {}))
            elif "stack" in m[1:] and b in slow_death and sanitized:
                tests.append((skipped, (name, "a sanitizer's frames hold stale words"), {}))
            else:
                tests.append((run_cpython_test, (name, binary, m[0], 300), {}))
    return tests


# ---- torture: forced rare events (core/runtime/torture.h) ----


def run_failing(name, binary, path, numbers):
    """With each of the numbers in fail:N the program ends, well or with MemoryError, and nothing leaks."""
    start = time.monotonic()
    bad = []
    for n in numbers:
        status, out = run_command([binary, "-B", "-S", "-X", "leakcheck", "-X", "torture=fail:%d" % n, path], 120, cwd=os.path.dirname(path))
        if status not in (0, 1):
            bad.append("fail:%d: exit status %s\n%s" % (n, status, out[-500:]))
    return Result(name, "failed" if bad else "passed", "\n".join(bad), time.monotonic() - start)


def torture_tests(binaries, quick):
    tests = []
    program = os.path.join(HERE, "torture", "allocations.py")
    lang = ["generators", "classes", "containers_dict", "text_str", "async_"]
    for b, binary in binaries.items():
        numbers = range(1, 40, 4) if quick else [*range(1, 100), *range(100, 3000, 37)]
        tests.append((run_failing, ("torture fail " + b, binary, program, numbers), {}))
        for n in (1, 13) if quick else (1, 2, 3, 7, 13, 64):
            tests.append((run_program, ("torture collect:%d %s" % (n, b), binary, program),
                          {"options": ("-S", "-X", "leakcheck", "-X", "torture=collect:%d" % n)}))
        for t in lang[:2] if quick else lang:
            tests.append((run_program, ("torture collect:200 %s %s" % (t, b), binary, os.path.join(HERE, "lang", t + ".py")),
                          {"timeout": 180, "options": ("-X", "leakcheck", "-X", "torture=collect:200")}))
        for path in sources("tests/thread/*_ops.py", "tests/thread/locks.py")[:2 if quick else 99]:
            name = "torture switch,park %s %s" % (os.path.basename(path)[:-3], b)
            tests.append((run_program, (name, binary, path), {"timeout": 180, "options": ("-X", "leakcheck", "-X", "torture=switch,park")}))
    return tests


# ---- stress ----


def thread_programs():
    return [p for p in sources("tests/thread/*.py") if os.path.basename(p) != "common.py"]


def stress_tests(binaries, times):
    """Each thread test so many times on each backend."""
    tests = []
    for n in range(times):
        for path in thread_programs():
            for b, binary in binaries.items():
                tests.append((run_program, ("thread %s %s run %d" % (os.path.basename(path)[:-3], b, n), binary, path), {"timeout": 180}))
    return tests


# Under the scheduler's eye one thread runs at a time and many points are slow: these are small enough, and in these all waits are visible.
SEEDED = {"attr_ops": "1/60", "dict_ops": "1/60", "gc_threads": "1/40", "list_ops": "1/60", "locks": "1/60", "queue_ops": "1/20", "rebias": "1/3",
          "set_deque_ops": "1/60", "start_join": "1/5"}


def seed_tests(binaries, seeds):
    """The thread tests under the seeded scheduler (core/runtime/sched.h)."""
    tests = []
    cores = itertools.cycle(sorted(os.sched_getaffinity(0)))  # one thread runs at a time: to wake the next on the same core is quicker by half
    for seed in range(1, seeds + 1):
        for name, scale in SEEDED.items():
            path = os.path.join(HERE, "thread", name + ".py")
            for b, binary in binaries.items():
                env = {"POLYGIL_SCHED": "random:%d" % seed}
                tests.append((run_program, ("thread %s %s seed %d" % (name, b, seed), binary, path, (scale,)),
                              {"timeout": 180, "env": env, "core": next(cores)}))
    return tests


# ---- controls and options of the slots ----


def control_builds(folder):
    """(name, CMake options) of what the build of all backends leaves out; all have asserts, so the backends come again with these."""
    rows = [(r[0], ["-DPOLYGIL_BACKEND=" + r[0]]) for r in backend_rows(folder) if r[5] == "1"]
    rows += [("biased-" + lock, ["-DPOLYGIL_BACKEND=biased", "-DPOLYGIL_OBJLOCK=" + lock]) for lock in ("pthread", "ck_fas", "ck_ticket", "ck_mcs")]
    rows += [("gil-" + policy, ["-DPOLYGIL_BACKEND=gil", "-DPOLYGIL_GIL_POLICY=" + policy]) for policy in ("tick", "fair", "priority")]
    rows += [(r[0] + "-checked", ["-DPOLYGIL_BACKEND=" + r[0]]) for r in backend_rows(folder) if r[5] == "0"]
    return rows


def run_unit(name, binary, args, timeout=180):
    start = time.monotonic()
    status, out = run_command([binary, *args], timeout)
    ok = status == 0
    return Result(name, "passed" if ok else "failed", "" if ok else "exit status %s\n%s" % (status, out[-2000:]), time.monotonic() - start)


def unit_tests(folder):
    """Executables that CMake built from tests/unit (one per test and composition)."""
    found = sorted(glob.glob(os.path.join(folder, "tests", "unit", "unit_*")))
    return [(run_unit, ("unit " + os.path.basename(p)[5:], p, []), {}) for p in found if os.access(p, os.X_OK) and os.path.isfile(p)]


def bad_input_tests(binaries):
    """Each bad input ends as CPython's does, or in one clear line."""
    def check(name, argv, status, text, stdin=None, timeout=60):
        start = time.monotonic()
        got, out = run_command(argv, timeout, stdin=stdin)
        ok = got == status and text in out
        return Result(name, "passed" if ok else "failed", "" if ok else "exit status %s, wanted %s with %r\n%s" % (got, status, text, out[-1500:]),
                      time.monotonic() - start)

    tests = []
    for b, p in binaries.items():
        for what, argv, status, text in [
            ("syntax", [p, "-c", "x ="], 1, "SyntaxError: invalid syntax"),
            ("missing file", [p, "/nonexistent.py"], 2, "can't open file '/nonexistent.py': [Errno 2] No such file or directory"),
            ("option", [p, "--nonsense"], 2, "unknown option --nonsense"),
            ("recursion", [p, "-c", "def f(): f()\nf()"], 1, "RecursionError: maximum recursion depth exceeded"),
            ("heap limit", [p, "-X", "heap=64M", "-c", "x = []\nwhile True: x.append([0] * 1000)"], 1, "MemoryError"),
            ("uncaught", [p, "-c", "1/0"], 1, "ZeroDivisionError: division by zero"),
            ("exit status", [p, "-c", "import sys; sys.exit(7)"], 7, ""),
            ("hash seed", ["env", "PYTHONHASHSEED=4294967296", p, "-c", ""], 1, "PYTHONHASHSEED must be \"random\" or an integer in range"),
            ("hash seed 0", ["env", "PYTHONHASHSEED=0", p, "-c", "print(hash('polygil') == 2699832805)"], 0, "True\n"),
            ("hash seed, -E", ["env", "PYTHONHASHSEED=0", p, "-Ec", "print(hash('polygil') == 2699832805)"], 0, "False\n"),
            ("bad hash seed, -E", ["env", "PYTHONHASHSEED=x", p, "-Ec", "import os; print(os.environ['PYTHONHASHSEED'])"], 0, "x\n"),
            ("hash seed, -R", ["env", "PYTHONHASHSEED=0", p, "-Rc", "import os, sys; print(os.environ['PYTHONHASHSEED'], sys.flags.hash_randomization)"], 0, "0 1\n"),
        ]:
            tests.append((check, ("bad input, %s %s" % (what, b), argv, status, text), {}))
    return tests


# ---- running ----


def run_all(tests, verbose, jobs):
    results = []
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(f, *a, **k) for f, a, k in tests]
        for n, future in enumerate(concurrent.futures.as_completed(futures), 1):
            r = future.result()
            results.append(r)
            if r.status == "failed":
                print("FAILED %s (%.1f s)\n    %s" % (r.name, r.seconds, r.detail.replace("\n", "\n    ")), flush=True)
            elif verbose:
                print("%s %s (%.1f s)" % (r.status, r.name, r.seconds), flush=True)
            if n % 50 == 0 or n == len(futures):
                print("%d of %d, %.0f s" % (n, len(futures), time.monotonic() - start), flush=True)
    return results


def parse_args(argv):
    p = argparse.ArgumentParser(prog="tests/run", description="Builds and tests every backend.")
    p.add_argument("--quick", action="store_true", help="the short selection (under 3 minutes)")
    p.add_argument("--backends", help="comma-separated names (default: all of the table)")
    p.add_argument("--only", help="run only tests whose name contains this")
    p.add_argument("--build", default=os.path.join(ROOT, "build-test"), help="folder to build in")
    p.add_argument("--stress", type=int, metavar="N", help="instead: each thread test N times on each backend")
    p.add_argument("--seeds", type=int, metavar="N", help="instead: the thread tests, scaled down, under the seeded scheduler with seeds 1 to N")
    p.add_argument("--controls", metavar="NAMES", help="instead: language, programs and thread tests on the named controls and options of "
                   "the slots (comma-separated, or all), each built with asserts")
    p.add_argument("--jobs", type=int, default=CORES, help="tests at a time (default: the number of cores)")
    p.add_argument("--cmake", action="append", default=[], metavar="OPTION", help="an option for CMake, e.g. "
                   "--cmake=-DPOLYGIL_SANITIZE=address; give --build as well")
    p.add_argument("--verbose", action="store_true", help="print every test")
    return p.parse_args(argv)


def all_tests(args, binaries, log):
    tests = [(run_rule, (r,), {}) for r in RULES]
    tests += unit_tests(args.build)
    tests += bad_input_tests(binaries)
    tests += program_tests(binaries, args.quick)
    tests += workload_tests(binaries, args.quick)
    tests += torture_tests(binaries, args.quick)
    tests += cpython_tests(binaries, args.quick, uncounted(args.build), any("POLYGIL_SANITIZE=" in o for o in args.cmake))
    if not args.quick:
        for name in ("biased-epoch", "gil-stw", "objlock-checked"):
            tests += control_tests(args, name, log)
    return tests


def control_tests(args, name, log):
    """Builds one control with asserts; the tests of language, programs and threads on it."""
    options = dict(control_builds(args.build))[name]
    folder = args.build + "-" + name
    build(folder, "-DCMAKE_BUILD_TYPE=Dev", *options, *args.cmake, targets=["polygil"], log=log)
    return program_tests({name: os.path.join(folder, "polygil")}, True)


def run_controls(args, log):
    subprocess.run(["cmake", "-S", ROOT, "-B", args.build, "-G", "Ninja"], stdout=subprocess.DEVNULL, check=True)
    known = [name for name, _ in control_builds(args.build)]
    names = known if args.controls == "all" else args.controls.split(",")
    for n in names:
        if n not in known:
            print("tests/run: unknown control '%s': one of %s" % (n, ", ".join(known)), file=sys.stderr)
            return 2
    return run_and_count(args, [t for n in names for t in control_tests(args, n, log)])


def main(argv):
    args = parse_args(argv)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background it is ignored, and the tests would inherit that
    args.build = os.path.abspath(args.build)
    log = args.build + ".log"
    open(log, "w").close()
    if args.seeds and args.build == os.path.join(ROOT, "build-test"):
        args.build = os.path.join(ROOT, "build-sched")
    options = ["-DPOLYGIL_BACKEND=all", "-DCMAKE_BUILD_TYPE=Release"]
    if args.seeds:
        options = ["-DPOLYGIL_BACKEND=all", "-DCMAKE_BUILD_TYPE=Release", "-DPOLYGIL_ASSERT=1", "-DPOLYGIL_SCHED=ON"]
    special = args.stress or args.seeds
    targets = ["polygil-" + b for b in args.backends.split(",")] if special and args.backends else ["all"] if special else ["all", "unit-build"]
    if args.controls:
        return run_controls(args, log)
    build(args.build, *options, *args.cmake, targets=targets, log=log)
    names = backends(args.build)
    if args.backends:
        wanted = args.backends.split(",")
        for w in wanted:
            if w not in names:
                print("tests/run: unknown backend '%s': one of %s" % (w, ", ".join(names)), file=sys.stderr)
                return 2
        names = wanted
    binaries = {n: os.path.join(args.build, "polygil-" + n) for n in names}
    if args.stress:
        tests = stress_tests(binaries, args.stress)
    elif args.seeds:
        tests = seed_tests(binaries, args.seeds)
    else:
        tests = all_tests(args, binaries, log)
    return run_and_count(args, tests)


def run_and_count(args, tests):
    if args.only:
        tests = [t for t in tests if args.only in (t[1][0] if isinstance(t[1][0], str) else t[1][0].__name__)]
    results = run_all(tests, args.verbose, args.jobs)
    count = {s: sum(r.status == s for r in results) for s in ("passed", "failed", "skipped")}
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % count)
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Lines that the front end compiles in a second: every source of the standard library to final bytecode, in one process.

    /usr/bin/python3.11 bench/frontend.py [INTERPRETER...]       default: the binaries of build-bench

Sources are read before the clock starts; each is compiled whole, every function body, nothing kept. Best of three passes,
CPU time; python3.11 compiles the same files in turn with them."""

import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = "/usr/bin/python3.11"
LIBRARY = "/usr/lib/python3.11"
PROGRAM = """
import sys, time
sources = []
for path in sys.argv[1].split("\\n"):
    with open(path, "rb") as f:
        sources.append((path, f.read()))
lines = sum(text.count(b"\\n") for path, text in sources)
start = time.process_time()
for path, text in sources:
    compile(text, path, "exec", dont_inherit=True)
print(lines / (time.process_time() - start))
"""
PASSES = 3


def library_files():
    files = []
    for folder, folders, names in os.walk(LIBRARY):
        folders[:] = sorted(d for d in folders if d not in ("test", "tests", "site-packages", "dist-packages", "__pycache__"))
        files += [os.path.join(folder, n) for n in sorted(names) if n.endswith(".py")]
    return files


def measure(binary, files):
    out = subprocess.run([binary, "-I", "-S", "-W", "ignore", "-c", PROGRAM, "\n".join(files)], capture_output=True, text=True, timeout=300)
    if out.returncode != 0:
        sys.exit("%s: %s" % (binary, (out.stderr.strip().splitlines() or ["failed"])[-1]))
    return float(out.stdout)


def main(argv):
    binaries = [REFERENCE] + (argv or sorted(glob.glob(os.path.join(HERE, "..", "build-bench", "polygil-*"))))
    if len(binaries) == 1:
        sys.exit("no interpreter to measure: build one, or name it")
    files = library_files()
    best = [0.0] * len(binaries)
    for _ in range(PASSES):
        for k, b in enumerate(binaries):
            best[k] = max(best[k], measure(b, files))
    print("%d files" % len(files))
    for b, lines in zip(binaries, best):
        print("%-24s %10.0f lines/s (%.1f of python3.11)" % (os.path.basename(b), lines, lines / best[0]))


if __name__ == "__main__":
    main(sys.argv[1:])

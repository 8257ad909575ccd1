"""Lines that the front end compiles in a second: every source of the standard library to final bytecode, in one process.

    /usr/bin/python3.11 bench/frontend.py [INTERPRETER...]       default: the binaries of build-bench

Sources are read before the clock starts; each is compiled whole, every function body, nothing kept. Best of three passes,
CPU time; python3.11 compiles the same files in turn with them."""

import os
import sys

import interpreters

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


def main(argv):
    binaries = [interpreters.REFERENCE] + interpreters.named(__doc__, argv)
    files = library_files()
    best = [0.0] * len(binaries)
    for _ in range(PASSES):
        for k, b in enumerate(binaries):
            best[k] = max(best[k], interpreters.figure(b, ["-W", "ignore"], PROGRAM, "\n".join(files)))
    print("%d files" % len(files))
    for b, lines in zip(binaries, best):
        print("%-24s %10.0f lines/s (%.1f of python3.11)" % (os.path.basename(b), lines, lines / best[0]))


if __name__ == "__main__":
    main(sys.argv[1:])

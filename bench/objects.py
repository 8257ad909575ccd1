"""Bytes per object of a million objects in a list, the list's slot included: resident memory of one process per figure.

    /usr/bin/python3.11 bench/objects.py [INTERPRETER...]        default: the binaries of build-bench

Kinds: two-attribute instances, two-item tuples and lists, each with constants inside and with distinct ints."""

import os
import sys

import interpreters

N = 1_000_000
PROGRAM = """
class P:
    def __init__(self, a, b):
        self.a = a
        self.b = b
def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096
P(1, 2)
n = %d
before = resident()
x = [%s for i in range(n)]
print((resident() - before) / n)
"""
KINDS = {
    "instance": "P(%s, %s)",
    "tuple": "(%s, %s)",
    "list": "[%s, %s]",
}
# A tuple of constants alone would be one constant: an item is read from a name.
CONTENTS = {"constants": ("None", "n"), "distinct ints": ("i + 1000", "i + 2000000")}


def main(argv):
    binaries = interpreters.named(__doc__, argv)
    print("%-10s %-14s %12s" % ("kind", "contents", "python3.11"), *("%16s" % os.path.basename(b) for b in binaries))
    for kind, form in KINDS.items():
        for contents, items in CONTENTS.items():
            program = PROGRAM % (N, form % items)
            ref, *row = (interpreters.figure(b, [], program) for b in [interpreters.REFERENCE] + binaries)
            print("%-10s %-14s %12.1f" % (kind, contents, ref), *("%9.1f (%3.0f%%)" % (v, 100 * v / ref) for v in row))


if __name__ == "__main__":
    main(sys.argv[1:])

"""The command line of the tools that measure one figure per interpreter: which ones, and a program's figure in one."""

import argparse
import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = "/usr/bin/python3.11"


def fail(message):
    print("%s: %s" % (os.path.basename(sys.argv[0]), message), file=sys.stderr)
    raise SystemExit(2)


def named(doc, argv):
    """The interpreters named in argv, else the binaries of build-bench; doc: the tool's, shown by --help."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interpreter", nargs="*", help="default: the binaries of build-bench")
    binaries = parser.parse_args(argv).interpreter or sorted(glob.glob(os.path.join(HERE, "..", "build-bench", "polygil-*")))
    if not binaries:
        fail("no interpreter to measure: build one, or name it")
    for b in binaries + [REFERENCE]:
        if shutil.which(b) is None:
            fail("not an interpreter: %s" % b)
    return binaries


def figure(binary, options, program, *args):
    """The number that the program prints."""
    out = subprocess.run([binary, "-I", "-S", *options, "-c", program, *args], capture_output=True, text=True, timeout=300)
    if out.returncode != 0:
        fail("%s: %s" % (binary, (out.stderr.strip().splitlines() or ["failed"])[-1]))
    return float(out.stdout)

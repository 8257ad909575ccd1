"""Automatic collections go on: after finalizers that allocate much, when who was asked for one sleeps, in forked children, and at the heap's limit
inside a collection's finalizers. No finalizer is lost, whichever thread runs it."""
import gc
import os
import subprocess
import sys
import threading
import time
import weakref

from common import PROMPT, SCALE, run


class Node:
    pass


def cycles(n):
    for i in range(n):
        x = Node()
        x.me = x
        x.data = [i] * 200


def collections():
    return gc.get_stats()[1]["collections"]


def go_on():
    """Enough garbage for several collections starts some."""
    before = collections()
    for _ in range(600):
        cycles(1_000)
        if collections() > before + 2:
            return True
    return False


class Finalized:
    def __init__(self, fn):
        self.me = self
        self.fn = fn
        self.data = [None] * 200

    def __del__(self):
        self.fn()


def finalize(fn):
    """Leaves it to an automatic collection to run fn, once; False when none comes."""
    ran = []

    def once():
        if not ran:
            ran.append(True)
            fn()

    for _ in range(100):
        for _ in range(100):
            Finalized(once)
        cycles(1_000)
        if ran:
            return True
    return False


def allocate():
    kept = [[i] * 30 for i in range(100_000)]
    return [len(k) for k in kept[:1000]]


print("after finalizers", finalize(allocate) and go_on())

# It allocates beyond what is due, and sleeps in the same call.
r, w = os.pipe()
sleeper = threading.Thread(target=os.read, args=(r, 100 << 20))
sleeper.start()
time.sleep(0.1)
print("beside a sleeper", go_on())


def fork():
    pid = os.fork()
    if pid == 0:
        ok = False
        try:
            ok = go_on()
        finally:
            os._exit(0 if ok else 1)
    return os.waitpid(pid, 0)[1] == 0


print("child beside a sleeper", fork())
os.write(w, b"x")
sleeper.join()

forked = []
finalize(lambda: forked.append(fork()))
print("child of a finalizer", forked)

# Another thread's finalizer runs while this one forks.
inside, go = threading.Event(), threading.Event()


def wait():
    inside.set()
    go.wait(60)


waiting = threading.Thread(target=finalize, args=(wait,))
waiting.start()
inside.wait(60)
print("child beside a finalizer", fork())
go.set()
waiting.join()

# Finalizers that meet safepoints, in all threads at once.
N = 3000 * SCALE
T = 4
made, seen = [0] * T, []


def churn(i):
    for _ in range(N):
        f = Finalized(lambda: seen.append([None] * 500) or None)
        f.big = [None] * 1000
        made[i] += 1


run(T, churn)
for _ in range(3):
    gc.collect()
# A stale word of a C stack may hold a few where nothing is counted.
print("all finalized", sum(made) - len(seen) <= (0 if PROMPT else 8), len(seen) <= sum(made))

# What dies in a callback dies there, in a section too.
if PROMPT:
    dead, sizes = [], []

    class Mortal:
        def __del__(self):
            dead.append(1)

    def callback(r):
        box = [Mortal()]
        box[0] = None
        sizes.append(len(dead))
        box = [Mortal()]
        box.clear()
        sizes.append(len(dead))
        box = {1: Mortal()}
        box[1] = None
        sizes.append(len(dead))

    n = Node()
    r = weakref.ref(n, callback)
    del n
    assert sizes == [1, 2, 3], sizes


# Destructions nested in each other through built-in functions alone do not exhaust the C stack.
class Chain(list):
    pass


Chain.__del__ = list.clear
x = None
for _ in range(100_000):
    chain = Chain()
    chain.append(x)
    x = chain
del chain
x = None
table = {}
first = n = Node()
for _ in range(100_000):
    r = weakref.ref(n, table.__delitem__)
    n = table[r] = Node()
    del r
del n, first
print("chains", not table or not PROMPT)
table.clear()

LIMITED = """
import gc
class Node: pass
def fill():
    for i in range(2000):
        x = Node()
        x.me = x
        x.data = [i] * 10000
class Final:
    def __init__(self): self.me = self
    def __del__(self):
        try:
            fill()
            print("filled")
        except MemoryError:
            print("MemoryError")
Final()
[0] * 10000
gc.collect()
gc.collect()
"""
out = subprocess.run([sys.executable, "-X", "heap=64M", "-c", LIMITED], capture_output=True, text=True)
print("at the limit", out.stdout.split(), out.stderr[-300:])

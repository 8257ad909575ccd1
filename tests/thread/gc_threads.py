# Collections while threads make, share and drop cycles, weak references and finalizers.
import gc
import sys
import threading
import weakref

from common import SCALE, run

N = 400 * SCALE
T = 5
finalized = [0] * T


class Node:
    def __init__(self, i):
        self.i = i
        self.next = None
        self.data = [i] * 5


class Final(Node):
    def __del__(self):
        finalized[self.i] += 1


shared = {}
stop = False
sys.setswitchinterval(1e-4)


def collect():
    while not stop:
        gc.collect()


collector = threading.Thread(target=collect)
collector.start()


def cycles(i):
    for k in range(N):
        a, b = Node(i), Node(i)
        a.next, b.next = b, a
        w = weakref.ref(a)
        assert w() is a
        shared[i] = (a, w)
        other = shared.get((i + 1) % T)
        if other is not None:
            o, ow = other
            assert o.next.next is o and ow() in (o, None)
        f = Final(i)
        f.next = f
        del a, b, f
        [Node(i) for _ in range(3)]


run(T, cycles)
stop = True
collector.join()
shared.clear()
gc.collect()
gc.collect()
print("finalized", finalized == [N] * T)

d = weakref.WeakValueDictionary()
s = weakref.WeakSet()


def weak(i):
    for k in range(N):
        n = Node(i)
        d[i, k] = n
        s.add(n)
        assert d[i, k] is n and n in s
        del n


run(T, weak)
gc.collect()
print("weak", len(d) == 0, len(s) == 0)

box = [None]


def pass_on(i):
    # Objects made in one thread die in another.
    for k in range(N * 5):
        box[0] = Node(i)
        x = box[0]
        assert x.data == [x.i] * 5


run(T, pass_on)
print("passed")

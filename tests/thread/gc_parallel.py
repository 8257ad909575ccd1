# Large heaps of several threads, marked by several markers: long lists and tuples, dicts, deep chains and shared parts keep all they
# hold, and cycles without holders go.
import gc
import sys
import threading
import weakref

from common import SCALE, run

COUNT = 6000 * SCALE
THREADS = 4


class Node:
    def __init__(self, name, next=None):
        self.name = name
        self.next = next


def chain(n, tag):
    head = None
    for i in range(n):
        head = Node("%s %d" % (tag, i), head)
    return head


def build(tag, shared):
    numbers = [[tag, i, str(i)] for i in range(COUNT)]
    pairs = tuple((str(i), [i]) for i in range(COUNT))
    table = {"%s-%d" % (tag, i): {"i": i, "shared": shared} for i in range(COUNT)}
    return numbers, pairs, table, chain(COUNT, tag), [numbers, pairs] * 300


def check(built, tag, shared):
    numbers, pairs, table, head, nested = built
    assert len(numbers) == len(pairs) == len(table) == COUNT
    for i, (t, n, s) in enumerate(numbers):
        assert t == tag and n == i and s == str(i), (t, n, s)
    for i, (s, (n,)) in enumerate(pairs):
        assert s == str(i) and n == i
    for i, (key, value) in enumerate(table.items()):
        assert key == "%s-%d" % (tag, i) and value["i"] == i and value["shared"] is shared
    i = COUNT
    while head:
        i -= 1
        assert head.name == "%s %d" % (tag, i)
        head = head.next
    assert i == 0 and len(nested) == 600 and nested[-1] is pairs


def cycles(n):
    refs = []
    for _ in range(n):
        a = Node("a")
        a.next = Node("b", a)
        refs.append(weakref.ref(a))
    return refs


shared = [["shared", i] for i in range(COUNT)]
gone = []


def work(k):
    for round in range(3):
        tag = "%d.%d" % (k, round)
        built = build(tag, shared)
        gone.extend(cycles(50))
        gc.collect()
        check(built, tag, shared)
        del built


run(THREADS, work)
gc.collect()
left = sum(r() is not None for r in gone)
assert len(gone) == 50 * 3 * THREADS
assert left <= 5, left  # a word that a C stack still holds may keep one or another
assert shared == [["shared", i] for i in range(COUNT)]
print("done")

# set, frozenset, deque, itertools.count, bytearray and str from several threads.
import itertools
from collections import OrderedDict, defaultdict, deque

from common import SCALE, run

N = 2000 * SCALE
T = 6

s = set()


def add(i):
    for k in range(N):
        s.add(i * N + k)


run(T, add)
print("set.add", len(s) == T * N)

got = [[] for _ in range(T)]


def pop(i):
    while True:
        try:
            got[i].append(s.pop())
        except KeyError:
            return


run(T, pop)
print("set.pop", not s, sorted(x for g in got for x in g) == list(range(T * N)))


def churn(i):
    for k in range(N // 5):
        s.add((i, k))
        assert (i, k) in s
        s.discard((i, k))
        if k % 50 == 0:
            len(s | {1})
            s.copy()


run(T, churn)
print("set churn", not s)

q = deque()


def push(i):
    for k in range(N):
        (q.append if k % 2 else q.appendleft)((i, k))


run(T, push)
print("deque.append", len(q) == T * N)
got = [0] * T


def popq(i):
    while True:
        try:
            q.pop() if i % 2 else q.popleft()
            got[i] += 1
        except IndexError:
            return


run(T, popq)
print("deque.pop", sum(got) == T * N)
q = deque(maxlen=10)


def bounded(i):
    for k in range(N):
        q.append(k)
        assert len(q) <= 10
        if k % 100 == 0:
            q.rotate(1)


run(T, bounded)
print("deque maxlen", len(q) == 10)

c = itertools.count()
nums = [[] for _ in range(T)]


def take(i):
    for k in range(N):
        nums[i].append(next(c))


run(T, take)
print("count", sorted(x for g in nums for x in g) == list(range(T * N)))

it = iter(range(T * N))
nums = [[] for _ in range(T)]


def drain(i):
    for x in it:
        nums[i].append(x)


run(T, drain)
flat = [x for g in nums for x in g]
print("range iterator", set(flat) == set(range(T * N)))

b = bytearray()


def grow(i):
    for k in range(N):
        b.append(i)


run(T, grow)
print("bytearray", len(b) == T * N)

dd = defaultdict(list)


def default(i):
    for k in range(N // 10):
        dd[k % 20].append((i, k))


run(T, default)
print("defaultdict", sum(map(len, dd.values())) <= T * (N // 10))

od = OrderedDict()


def ordered(i):
    for k in range(N // 10):
        od[i, k] = k
        od.pop((i, k))


run(T, ordered)
print("OrderedDict", len(od) == 0)

parts = [""] * T


def text(i):
    s = ""
    for k in range(N):
        s += "abc"
    parts[i] = s


run(T, text)
print("str +=", all(p == "abc" * N for p in parts))
base = "x" * 100


def fork_text(i):
    # All append to the same string: each gets its own result.
    for k in range(N // 10):
        s = base
        s += str(i) * 3
        s += "!"
        assert s == "x" * 100 + str(i) * 3 + "!", s


run(T, fork_text)
print("shared str +=")

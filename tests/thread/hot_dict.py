# Several threads store into one dict at every moment, and into dicts and lists of their own by the same instructions; others
# read, delete, and make it grow. What a thread stored under keys of its own is there afterwards.
from common import SCALE, run

N = 6000 * SCALE
T = 4


class Item:
    def __init__(self, owner, n):
        self.owner, self.n = owner, n


def store(o, k, v):
    o[k] = v


def hammer(d, check):
    wrong = []

    def writer(i):
        own, cells = {}, [0] * 64
        for k in range(N):
            store(d, k & 63, k)  # everybody's: immediates
            store(d, "s%d" % (k & 63), Item(i, k))  # everybody's: objects under equal keys
            store(d, (i, k & 63), k)  # this thread's, growing
            store(own, k & 63, k)
            store(cells, k & 63, k)
            v = d["s%d" % (k & 63)]
            if not 0 <= v.n < N or v.n & 63 != k & 63:
                wrong.append((v.owner, v.n, k))
            if k & 255 == 0:
                d["t%d" % i] = i
                del d["t%d" % i]
        if own != dict(enumerate(cells)) or len(own) != min(N, 64):
            wrong.append((i, own, cells))

    run(T, writer)
    last = {r: max(k for k in range(N - 64, N) if k & 63 == r) for r in range(64)}
    print(check, len(d), wrong[:3], all(d[i, r] == last[r] for i in range(T) for r in range(64)))
    print(all(d[r] & 63 == r for r in range(64)), all(d["s%d" % r].n & 63 == r for r in range(64)))


hammer({}, "new")
hammer({i: None for i in range(64)}, "there already")

# One list that all of them make grow, to where its block is copied; ints alone, and then with objects among them.
for value in (int, lambda k: k if k % 1000 else Item(0, k)):
    grown = []

    def append(i):
        for k in range(12 * N):
            grown.append(value(k))
            if k % 97 == 0:
                grown[k >> 1]

    run(T, append)
    numbers = [x if type(x) is int else x.n for x in grown]
    print(len(grown) == 12 * N * T, sum(numbers) == T * sum(range(12 * N)))

# Operations on one dict from several threads.
from common import SCALE, run

N = 3000 * SCALE
T = 6
d = {}


def insert(i):
    for k in range(N):
        d[(i, k)] = k


run(T, insert)
print("insert", len(d) == T * N, all(d[i, k] == k for i in range(T) for k in range(N)))

popped = [0] * T


def pop(i):
    for j in range(T):
        for k in range(N):
            if d.pop((j, k), None) is not None:
                popped[i] += 1


run(T, pop)
print("pop", len(d) == 0, sum(popped) == T * N)

first = [0] * T


def setdefault(i):
    for k in range(N):
        if d.setdefault(k, (i, k)) == (i, k):
            first[i] += 1


run(T, setdefault)
print("setdefault", sum(first) == N)

d = {str(k): k for k in range(200)}


def mix(i):
    for k in range(N):
        s = str((k * 13 + i) % 200)
        if i == 0:
            d[s] = int(s)
        elif i == 1:
            if k % 50 == 0:
                d[s + "x"] = 1
                del d[s + "x"]
        else:
            v = d.get(s)
            assert v is None or v == int(s), (s, v)
            assert s in d


run(T, mix)
print("mix", len(d) == 200, all(d[k] == int(k) for k in d))

d = {}


def churn(i):
    for k in range(N // 10):
        for j in range(20):
            d[i, j] = object()
        for j in range(20):
            del d[i, j]
        if k % 20 == 0:
            try:
                for key in d:
                    pass
            except RuntimeError as e:
                assert "changed" in str(e), e
            list(d)
            list(d.items())
            dict(d)
            d.copy()
            len(d.keys() & {1, 2})


run(T, churn)
print("churn", d == {})


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 5

    def __eq__(self, other):
        return isinstance(other, Key) and self.n == other.n


d = {}


def python_keys(i):
    for k in range(N // 20):
        key = Key(k % 40)
        d[key] = i
        assert d.get(Key(k % 40)) is not None or True
        if k % 7 == 0:
            d.pop(key, None)


run(T, python_keys)
print("keys with __eq__", len(d) <= 40, len({k.n for k in d}) == len(d))

counts = {}


def update(i):
    for k in range(N // 10):
        counts.update({(i, k): 1, (i, -k - 1): 2})


run(T, update)
print("update", len(counts) == T * (N // 10) * 2)

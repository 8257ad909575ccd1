# Operations on one list from several threads: each is atomic, nothing is lost or made up.
from common import SCALE, run

N = 3000 * SCALE
T = 6

shared = []


def append(i):
    for k in range(N):
        shared.append(i * N + k)


run(T, append)
print("append", len(shared) == T * N, sorted(shared) == list(range(T * N)))

got = [[] for _ in range(T)]


def pop(i):
    mine = got[i]
    while True:
        try:
            mine.append(shared.pop())
        except IndexError:
            return


run(T, pop)
print("pop", shared == [], sorted(x for g in got for x in g) == list(range(T * N)))

shared = []


def extend(i):
    for k in range(N // 10):
        shared.extend([(i, k)] * 5)


run(T, extend)
whole = all(len(set(shared[j:j + 5])) == 1 for j in range(0, len(shared), 5))
print("extend", len(shared) == T * (N // 10) * 5, whole)

lists = [[] for _ in range(N // 30)]
torn = []


def extend_iterate(i):
    for k, items in enumerate(lists):
        if i == 0:
            for _ in range(20):
                items.extend([k] * 300)
        while len(items) < 6000:
            n = 0
            for x in items:
                n += 1
            if n % 300:
                torn.append(n)


run(3, extend_iterate)
print("extend, iterate", all(len(items) == 6000 for items in lists), torn)

shared = []


def insert_delete(i):
    for k in range(N // 10):
        shared.insert(0, i)
        shared.append(i)
        del shared[0]


run(T, insert_delete)
print("insert, del", len(shared) == T * (N // 10))

shared = list(range(100))


def read_write(i):
    for k in range(N):
        j = (k * 7 + i) % 100
        if i % 2:
            shared[j] = shared[j]
        else:
            v = shared[j]
            assert 0 <= v < 100, v
            assert len(shared) == 100
            assert len(shared[10:20]) == 10
            for x in shared:
                assert 0 <= x < 100
                break


run(T, read_write)
print("getitem, setitem", all(0 <= x < 100 for x in shared))

shared = list(range(50))


def reorder(i):
    for k in range(N // 30):
        try:
            if i % 3 == 0:
                shared.reverse()
            elif i % 3 == 1:
                shared.sort()
            else:
                sum(shared)
                shared.index(shared[0] if shared else 0)
        except ValueError as e:
            # sort() empties the list while it runs; others see that, and it sees them.
            assert "modified" in str(e) or "not in list" in str(e), e
        except IndexError:
            pass


run(T, reorder)
print("sort, reverse", sorted(shared) == list(range(50)))

shared = []


def iterate(i):
    for k in range(N // 20):
        if i % 2:
            shared.append(k)
            if len(shared) > 50:
                try:
                    shared.pop(0)
                except IndexError:
                    pass
        else:
            for x in shared:
                assert isinstance(x, int)
            list(shared)
            tuple(shared)
            [x for x in reversed(shared)]
            shared[:] = shared[-20:]


run(T, iterate)
print("iteration done")

# Several threads push to and pop from one heap. While comparing runs no Python code each operation is atomic: what was
# pushed comes out once, and the list is a heap between any two operations. With Python's comparisons an operation may
# find that the list has changed, and says so; even then nothing is doubled, and nothing is lost but what such a pop
# had taken.
import heapq
from common import SCALE, run

N = 3000 * SCALE
T = 4


def is_heap(h):
    return all(not h[i] < h[(i - 1) >> 1] for i in range(1, len(h)))


def push_pop(make):
    heap = [make(i, T) for i in range(8)]
    heapq.heapify(heap)
    start, got = list(heap), [[] for _ in range(T)]

    def body(i):
        mine = got[i]
        for k in range(N):
            heapq.heappush(heap, make(k * 7919 % N, i))
            if k % 5 == 4:
                mine.append(heapq.heapreplace(heap, make(k, i + T)))
            elif k % 5 == 3:
                mine.append(heapq.heappushpop(heap, make(k, i + T)))
            if k % 3:
                mine.append(heapq.heappop(heap))

    run(T, body)
    pushed = start + [make(k * 7919 % N, i) for i in range(T) for k in range(N)]
    pushed += [make(k, i + T) for i in range(T) for k in range(N) if k % 5 >= 3]
    left, ordered = list(heap), is_heap(heap)
    came = sorted(left + [x for mine in got for x in mine])
    out = [heapq.heappop(heap) for _ in left]
    return came == sorted(pushed), ordered, out == sorted(left)


print("ints", push_pop(lambda k, i: k * 16 + i))
print("floats", push_pop(lambda k, i: k * 1e300 + i))
print("large", push_pop(lambda k, i: (1 << 70) + k * 16 + i))
print("strs", push_pop(lambda k, i: "%06d %d" % (k, i)))
print("mixed numbers", push_pop(lambda k, i: (k + i / 16) if k & 1 else k))
print("tuples", push_pop(lambda k, i: (k, "%d" % i)))


class Task:  # never compared: numbers before it decide
    def __init__(self, n):
        self.n = n


# The heap stays as long as it was: replaced items, and items that go through.
def through():
    heap = [(k, 0, Task(k)) for k in range(64)]
    n = len(heap)
    bad = []

    def body(i):
        for k in range(N):
            item = heapq.heapreplace(heap, (k, i + 1, Task(k)))
            if item[2].n != item[0]:
                bad.append(item)
            if len(heap) != n:
                bad.append(len(heap))

    run(T, body)
    return bad[:3], is_heap(heap), len(set(heap)) == n


print("replace", through())


# heapify and pops of the largest, while others push.
def heapify():
    heap, got = list(range(5000, 0, -1)), [[] for _ in range(T)]

    def body(i):
        for k in range(N // 20 + 1):
            if i == 0:
                heapq.heapify(heap)
            elif i == 1:
                got[i].append(heapq.heappop(heap))
            else:
                heapq.heappush(heap, 10000 + k * T + i)

    run(T, body)
    pushed = list(range(5000, 0, -1)) + [10000 + k * T + i for i in (2, 3) for k in range(N // 20 + 1)]
    return sorted(heap + got[1]) == sorted(pushed), is_heap(heap) or heapq.heapify(heap) or is_heap(heap)


print("heapify", heapify())


def maxima():
    heap, got = list(range(T * N)), [[] for _ in range(T)]
    heapq._heapify_max(heap)

    def body(i):
        for k in range(N):
            got[i].append(heapq._heappop_max(heap))

    run(T, body)
    return heap, sorted(x for mine in got for x in mine) == list(range(T * N)), all(
        mine == sorted(mine, reverse=True) for mine in got)


print("maxima", maxima())


class Slow:
    def __init__(self, n, who):
        self.n, self.who = n, who

    def __lt__(self, other):
        return self.n < other.n


def python_compares():
    heap, got, failed = [Slow(k, T) for k in range(50)], [[] for _ in range(T)], [0] * T
    made = list(heap)
    mine = [[] for _ in range(T)]

    def body(i):
        for k in range(N // 2):
            x = Slow(k * 7919 % N, i)
            mine[i].append(x)
            try:
                heapq.heappush(heap, x)
            except RuntimeError:  # it is in the list
                pass
            try:
                got[i].append(heapq.heappop(heap))
            except RuntimeError:  # an item has gone
                failed[i] += 1

    run(T, body)
    made += [x for m in mine for x in m]
    out = heap + [x for g in got for x in g]
    return len(set(map(id, out))) == len(out), set(map(id, out)) <= set(map(id, made)), \
        len(out) + sum(failed) == len(made)


print("Python's comparisons", python_compares())

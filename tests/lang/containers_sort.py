# list.sort: stability, order, errors, and code that runs inside.
import random


def show(f, *a):
    try:
        print(f(*a))
    except Exception as e:
        print(type(e).__name__, e)


rnd = random.Random(7)


def check(data, **kw):
    a = list(data)
    a.sort(**kw)
    key = kw.get("key", lambda x: x)
    rev = kw.get("reverse", False)
    tagged = sorted(enumerate(data), key=lambda p: key(p[1]), reverse=rev)
    assert a == [v for i, v in tagged]
    for (i, x), (j, y) in zip(tagged, tagged[1:]):
        if rev:
            assert key(x) >= key(y)
        else:
            assert key(x) <= key(y)
        if key(x) == key(y):
            assert i < j, "not stable"


for n in list(range(40)) + [63, 64, 65, 127, 200, 511, 1000, 3000]:
    for kind in range(9):
        if kind == 0:
            data = [rnd.randrange(-n, n + 1) for _ in range(n)]
        elif kind == 1:
            data = [rnd.random() - 0.5 for _ in range(n)]
        elif kind == 2:
            data = [str(rnd.randrange(n + 1)) for _ in range(n)]
        elif kind == 3:
            data = [(rnd.randrange(4), str(rnd.randrange(4)), rnd.random()) for _ in range(n)]
        elif kind == 4:
            data = list(range(n))
        elif kind == 5:
            data = list(range(n, 0, -1))
        elif kind == 6:
            data = [i % 10 for i in range(n)]
        elif kind == 7:
            data = list(range(n // 2)) + list(range(n // 2, 0, -1))
        else:
            data = [rnd.choice([1, 2.5, 3, True, 10 ** 30]) for _ in range(n)]
        check(data)
        check(data, reverse=True)
        if n < 300:
            check(data, key=lambda x: hash(x) % 7)
            check(data, key=lambda x: hash(x) % 7, reverse=True)
print("sorted")

show(lambda: [1, "a", 2].sort())
show(lambda: [1].sort(5))
show(lambda: [1].sort(cmp=5))
show(lambda: [3, 1].sort(key=5))
show(lambda: [3, 1].sort(key=lambda: 0))
show(lambda: [].sort(key=5))
l = [3, 1, 2]
show(lambda: l.sort(key=lambda x: l.append(x) or x))
print(l)
l = [3, 1, 2]
show(lambda: l.sort(key=lambda x: l.clear() or x))
print(l)
l = [5, 4, 3]
seen = []
l.sort(key=lambda x: seen.append(list(l)) or x)
print(l, seen)


class Fussy:
    def __init__(self, v):
        self.v = v

    def __lt__(self, other):
        if self.v == 13 or other.v == 13:
            raise ValueError("unlucky")
        return self.v < other.v

    def __repr__(self):
        return f"F{self.v}"


for n in (14, 100, 1000):
    l = [Fussy(i) for i in range(n)]
    rnd.shuffle(l)
    before = sorted(map(id, l))
    show(l.sort)
    print(sorted(map(id, l)) == before)

nan = float("nan")
l = [3.0, nan, 1.0, 2.0]
l.sort()
print(l)
l = ["b", "a", "\u00e9", "z", "\U0001f600", "\u20ac"]
print(sorted(l), sorted(l, reverse=True), sorted(l, key=str.upper))
print(sorted([True, False, 2, 0.5]), sorted([(1, "b"), (1, "a"), (0,)]), sorted([[2], [1, 5], [1]]))
print(sorted({"b": 1, "a": 2}), sorted(range(5, 0, -1)), sorted("banana"))
print(min([3, 1, 2]), max("abc"), min([], default=5))

# range, slice, and the built-in iterators.


def show(f, *a):
    try:
        print(f(*a))
    except Exception as e:
        print(type(e).__name__, e)


for r in (range(5), range(2, 10, 3), range(10, 0, -3), range(0), range(5, 1), range(-3, 3), range(2 ** 70, 2 ** 70 + 3), range(0, 2 ** 65, 2 ** 64)):
    print(r, len(r), list(r), list(reversed(r)), bool(r), r[1:], r[::-1], hash(r) == hash(r[:]))
show(lambda: range())
show(lambda: range(1, 2, 3, 4))
show(lambda: range(1.5))
show(lambda: range("a"))
show(lambda: range(1, 2, 0))
show(lambda: range(5)[5])
show(lambda: range(5)["a"])
show(lambda: len(range(2 ** 70)))
show(lambda: range(5).index(7))
show(lambda: range(5) < range(6))
print(range(5)[-1], range(10)[2:8:2], range(0, 100, 7).index(21), range(10).count(3), range(10).count(3.0), 3 in range(10), 3.0 in range(10), "a" in range(3))
print(range(0, 3, 2) == range(0, 4, 2), range(0) == range(2, 1), range(1) != range(2), range(10).start, range(1, 10, 2).step, 2 ** 70 in range(2 ** 71))
it = iter(range(5))
next(it)
print(it.__length_hint__(), it.__reduce__()[1:], list(it), list(it))
it = iter(range(2 ** 70, 2 ** 70 + 4))
print(next(it) - 2 ** 70, it.__length_hint__(), [x - 2 ** 70 for x in it])
it = iter(range(10))
it.__setstate__(7)
print(list(it))

s = slice(1, 10, 2)
print(s, s.start, s.stop, s.step, s.indices(5), slice(None), slice(5), s == slice(1, 10, 2), s < slice(2, 5, 1), slice(None, None, -1).indices(10))
show(lambda: hash(s))
show(lambda: s.indices(-1))
show(lambda: slice(None, None, 0).indices(5))
show(lambda: slice())
show(lambda: slice(1, 2, 3, 4))
show(lambda: [1][slice("a")])
print(slice(-(2 ** 70), 2 ** 70).indices(10), slice(2 ** 70, None, -(2 ** 70)).indices(2 ** 80))


class Seq:
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError
        return i * 10


print(list(Seq(4)), list(reversed(Seq(4))), 20 in Seq(4), iter(Seq(3)).__length_hint__(), list(iter(lambda c=iter([1, 2, 0, 3]): next(c), 0)))
print(list(enumerate("abc")), list(enumerate("ab", 5)), list(enumerate("a", 2 ** 70)), next(enumerate([1], start=3)))
print(list(zip()), list(zip("ab", [1, 2, 3])), list(zip("ab", [1, 2], strict=True)), list(zip([1])))
show(lambda: list(zip("ab", [1], strict=True)))
show(lambda: list(zip("a", [1, 2], strict=True)))
show(lambda: list(zip("ab", [1, 2], [1], strict=True)))
show(lambda: list(zip("a", [1], [1, 2], strict=True)))
show(lambda: zip(1))
show(lambda: zip(x=1))
print(list(map(str, [1, 2])), list(map(lambda a, b: a + b, [1, 2], [3, 4, 5])), list(map(pow, range(3), range(3))))
show(lambda: map())
show(lambda: map(str))
show(lambda: list(map(str, 5)))
show(lambda: list(map(None, [1])))
print(list(filter(None, [0, 1, "", "a"])), list(filter(lambda x: x % 2, range(6))))
show(lambda: filter(None))
show(lambda: filter(None, 5))
show(lambda: reversed({1}))
show(lambda: reversed(5))
show(lambda: list(reversed({1: 2})))
show(lambda: enumerate(5))
show(lambda: enumerate([], "a"))
show(lambda: next(iter([])))
show(lambda: next(5))
show(lambda: iter(5))
show(lambda: next(iter([]), "default"))
print(iter([]).__iter__() is not None, type(iter([])).__name__, type(iter({})).__name__, type(iter(())).__name__)
print([type(iter(x)).__name__ for x in ({}.keys(), {}.values(), {}.items(), set(), range(1), range(2 ** 70), Seq(1))])
import copy

for it in (iter([1, 2, 3]), iter((1, 2, 3)), iter(range(3)), iter({1: 2}), enumerate("ab"), zip("ab", "cd"), map(str, [1, 2]), filter(None, [1, 2]), reversed([1, 2]), iter({5})):
    next(it)
    try:
        dup = copy.copy(it)
    except Exception as e:
        print(type(e).__name__, e)
        continue
    print(type(it).__name__, list(dup))


class It:
    def __iter__(self):
        return self

    def __next__(self):
        raise ValueError("from next")


show(lambda: list(It()))
show(lambda: [*It()])
show(lambda: tuple(zip([1], It())))


class BadHint:
    def __iter__(self):
        return iter([1, 2])

    def __length_hint__(self):
        return -1


show(lambda: list(BadHint()))
BadHint.__length_hint__ = lambda self: "a"
show(lambda: list(BadHint()))
BadHint.__length_hint__ = lambda self: NotImplemented
show(lambda: list(BadHint()))
print(sum(range(101)), max(range(5)), sorted(zip([3, 1, 2], "abc")), dict(zip("ab", range(2))), any(map(bool, [0, 1])), all(x for x in []))
a, *b, c = range(5)
print(a, b, c)

"""What has a quick path in the interpreter: text that grows where it lies, loops over text, slices with steps, generators drained by built-ins."""


def appended():
    a = "x"
    keep = []
    for i in range(40):
        a += "ab"
        if i % 7 == 0:
            keep.append(a)
    b = a
    a += "!"
    s = "é"
    for c in "aé€😀z" * 3:
        s = s + c
        keep.append(hash(s) == hash(str(s.encode("utf-8"), "utf-8")))
    d = "q" + a[:3] + a[3:5]
    d += d
    d += d
    print(keep, b == a[:-1], len(a), s, d, d == "".join(list(d)))
    t = "k" * 3 + str(5)
    table = {t: 1}
    t += "z"
    t += "z"
    print(table, t, table.get("kkk5"), t in table)


def loops():
    print([c for c in "aé€😀"], [c for c in ""], [c for c in "a" * 3 + "\xff"])
    it = iter("abc")
    print(next(it), [c for c in it], list(it))
    for c in "abc":
        for c in "xy":
            if c == "y":
                break
        print(c, end=" ")
    print()

    class S(str):
        def __iter__(self):
            return iter([1, 2])

    print([c for c in S("text")])


def slices():
    a = list(range(10))
    print(a[::-1], a[8:2:-2], a[-3::-1], a[::3], a[20::-4], a[5:5:-1], a[-100:100:4], a[:: -(2**62)], a[:: 2**70])
    for lo, hi, src in ((0, 3, [7]), (2, 2, list("abc")), (1, 100, []), (-2, None, a), (None, None, [1, 2])):
        b = list(range(6))
        b[lo:hi] = src
        print(b)
    b = list(range(5))
    b[1:3] = b
    print(b)
    try:
        a[::0]
    except ValueError as e:
        print(e)


def drained():
    def g(n):
        for i in range(n):
            yield i
        return 5

    def bad(n):
        yield 1
        raise KeyError(n)

    print(sum(g(10)), list(g(3)), "".join(str(i) for i in g(12)), max(g(5)), sorted(-i for i in g(4)))
    for f in (list, sum, set, tuple):
        try:
            f(bad(3))
        except KeyError as e:
            print(f.__name__, e, e.__traceback__.tb_next.tb_frame.f_code.co_name)
    try:
        raise ValueError("outer")
    except ValueError:
        print(sum(i for i in g(4)))
        try:
            list(bad(2))
        except KeyError as e:
            print(repr(e.__context__))
    x = g(4)
    next(x)
    print(list(zip(x, "ab")), list(x), next(x, "end"))
    def own():
        yield from (sum(y) for y in (x,))
    x = own()
    try:
        list(x)
    except ValueError as e:
        print(e)


def compared():
    words = ["a", "b", "ab", "", "é", "z€"]
    print([[(x < y, x <= y, x == y, x != y, x > y, x >= y) for x in words] for y in words[:3]])
    print(sum(1 for x in words for y in words if x <= y), [x for x in words if "a" <= x <= "b"])


def pairs():
    a, b = [1, 2, 3], [4, 5]
    print(list(zip(a, b)), [x + y for x, y in zip(a, b)], [(i, x) for i, x in enumerate(a, 7)])
    out = []
    for x, y in zip(a, a):
        out.append((x, y))
        if x < 6:
            a.append(x + 3)
    for i, x in enumerate(a):
        if i == 2:
            del a[3:]
        out.append((i, x))
    print(out, a)
    e = enumerate("abc", 2**62 - 2)
    print([i for i, _ in e])
    s = {1, -1, -2, 2**61 - 1, 2**61 - 2, 1 - 2**61, 0.0, 2**61}
    print(-1 in s, 2**61 - 1 in s, 0 in s, hash(-1), sorted(s), {2**61 - 1: 1, 0: 2})


appended()
loops()
slices()
drained()
compared()
pairs()


def mixed():
    print(1 + 2.5, 2.5 - 1, 3 * 0.5, -7 / 2, 0 / -5, 7 / 0.25, 2.0 / 3, 1e300 * 10, (2**61) / 3.0, 2**53 / 3, (2**53 + 1) / 3, 2**62 + 0.5)
    for f in (lambda: 1 / 0, lambda: 1 / 0.0, lambda: 1.5 / 0, lambda: 1.5 / -0.0):
        try:
            f()
        except ZeroDivisionError as e:
            print(e)


def dict_loops():
    d = {i: str(i) for i in range(8)}
    del d[0], d[3]
    print([k for k in d], [v for v in d.values()], [(k, v) for k, v in d.items()])
    try:
        for k in d:
            d[k + 100] = 1
    except RuntimeError as e:
        print(e)
    try:
        for k in d:
            del d[k]
            d["other"] = 1
    except RuntimeError as e:
        print(e)
    for k in d:
        d[k] = 0
    print(sorted(map(str, d)), sum(d.values()))
    t = {(1, 2): "a", (1, 2.0, "x"): "b", ((1,), 2): "c", (): "d", (None, -1): "e"}
    print(t[1, 2], t[1.0, 2.0, "x"], t[(1.0,), 2], t[()], t[None, -1], (2, 1) in t, (1, 2, 3) in t, t.get((True, 2)))
    print(hash((1, -1, "")) == hash((1.0, -1, "")), hash((1, (2, 3))), hash((-1, -2, 2**61 - 1)), hash(-(2**61)), hash(2**62 - 1))
    try:
        t[1, []]
    except TypeError as e:
        print(e)


mixed()
dict_loops()


def set_unions():
    for kind in (set, frozenset):
        for n in (0, 1, 3, 4, 5, 6, 9, 13, 20, 40):
            s = kind(range(0, n * 7, 7))
            print(type(s | {3}).__name__, list(s | {3})[:12], s | {0} == s or n == 0, len(s | {n * 7}), len(s))
    s = {1, "a"}
    t = s
    s |= {2}
    print(s is t, len(s), len({5} | {5}), len(s | {"a"}), len(s | {("t", 1)}))
    try:
        s | {[]}
    except TypeError as e:
        print(e)
    print({1: 2}.keys() | {3}, len(s | {1.0} | {True}))

    class S(set):
        def __or__(self, other):
            return "own", other

    print(S() | {1})
    x = frozenset("ab")
    for i in range(30):
        x = x | {"k%d" % i}
        y = x | {i}
    print(len(x), len(y), sorted(map(str, y))[:5])


def pair_loops():
    z = zip([1, 2, 3], (4, 5))
    for a, b in z:
        print(a, b, end=";")
    print(list(z))
    it = iter([1, 2, 3, 4, 5])
    print([(a, b) for a, b in zip(it, it)], list(it))
    for a, a in zip([1, 2], [3, 4]):
        print(a, end=" ")
    for a, b in enumerate((7, 8)):
        for c, d in {a: b}.items():
            print(a, b, c, d, end=";")
    l = [1, 2, 3]
    for i, x in enumerate(l):
        if i < 3:
            l.append(x * 10)
    print(l)
    for a, b in zip([1, 2, 3], [4]):
        pass
    i = iter([1, 2, 3])
    for a, b in zip(i, [9]):
        pass
    print(a, b, next(i, "none"))
    try:
        for a, b in enumerate([[1]], "x"):
            pass
    except TypeError as e:
        print(e)
    try:
        for a, b in zip([1, 2], [1], strict=True):
            pass
    except ValueError as e:
        print(a, b, e)


set_unions()
pair_loops()

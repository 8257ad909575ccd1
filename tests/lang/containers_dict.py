# dict: order, views, errors, mutation while somebody looks.


def show(f, *a):
    try:
        print(f(*a))
    except Exception as e:
        print(type(e).__name__, e)


d = {"a": 1, "b": 2, "c": 3}
del d["b"]
d["b"] = 4
print(d, list(d), d.popitem(), d)
d.update(x=1, a=5)
d.update([("p", 1), "qr"])
d.update({"s": 2}, t=3)
print(d, len(d), "a" in d, "zz" in d)
show(lambda: d["nothing"])
show(lambda: {}.popitem())
show(lambda: {}.pop(1))
show(lambda: d.pop("nothing"))
show(lambda: {[]: 1})
show(lambda: d[{}])
show(lambda: {}.__delitem__("k"))
show(lambda: dict(1))
show(lambda: dict([1]))
show(lambda: dict(["abc"]))
show(lambda: dict([(1, 2, 3)]))
show(lambda: dict({}, {}))
show(lambda: {}.update(1))
show(lambda: {} < {})
show(lambda: {} + {})
show(lambda: hash({}))
show(lambda: {} | [])
show(lambda: {}.__ior__(5))
print(d.pop("x"), d.pop("x", "gone"), d.get("a"), d.get("zz"), d.get("zz", 9), d.setdefault("n"), d.setdefault("n", 5), d)
print(dict.fromkeys("abc"), dict.fromkeys([1, 2], 0), dict(a=1), dict([("a", 1)]), dict({"a": 1}, b=2))
print({"a": 1} | {"b": 2}, {"a": 1} == {"a": 1.0}, {"a": 1} != {"a": 2}, {1: "x"} == {1: "x", 2: "y"})
e = {"a": 1}
e |= [("z", 26)]
print(e, {1: 1, True: 2, 1.0: 3}, {0: "a", 0.0: "b", False: "c", "": 1})
r = {}
r["self"] = r
print(r)
print(list(reversed({"a": 1, "b": 2})), list(reversed({"a": 1}.items())), list(reversed({"a": 1}.values())))

# views
d = {"a": 1, "b": 2, "c": 3}
k, v, i = d.keys(), d.values(), d.items()
print(k, v, i, len(k), "a" in k, ("a", 1) in i, ("a", 2) in i, 2 in v)
d["d"] = 4
print(k, sorted(k & {"a", "d", "z"}), sorted(k | "xy"), sorted(k - {"a"}), sorted(k ^ {"a", "q"}))
print(sorted({"a", "q"} & k), sorted(["a", "q"] - k), sorted({"a"} | k), k.isdisjoint("xyz"), k.isdisjoint(["a"]))
print(k == {"a", "b", "c", "d"}, k >= {"a"}, k < {"a"}, {"a"} < k, k == d.keys(), v == d.values(), i == d.items())
print(sorted(i & {("a", 1), ("b", 5)}), k.mapping["a"], type(k.mapping).__name__)
show(lambda: k & 5)
show(lambda: v & v)
show(lambda: k.mapping.__setitem__("a", 1))

# changes during iteration
def grow():
    for x in d:
        d[x + "x"] = 1


def shrink():
    for x in d:
        del d[x]


def same():
    for x in list(d.values()):
        pass
    for x in d:
        d[x] = 0
    return d


show(grow)
show(shrink)
show(same)
it = iter({"a": 1, "b": 2})
print(next(it), it.__length_hint__(), it.__reduce__()[1], list(it), list(it), it.__length_hint__())


class Evil:
    def __init__(self, h=1):
        self.h = h

    def __hash__(self):
        return self.h

    def __eq__(self, other):
        if acting:
            acting.pop()()
        return self is other


acting = []
for action in ("d.clear()", "d.update((i, i) for i in range(100))", "d.pop(keys[1], 0)", "d.__setitem__(keys[0], 'new')"):
    keys = [Evil() for _ in range(5)]
    d = {x: n for n, x in enumerate(keys)}
    acting = [lambda: eval(action)] * 2
    show(lambda: d.get(Evil()))
    acting = [lambda: eval(action)] * 2
    show(lambda: d.__setitem__(Evil(), "v"))
    acting = []
    print(len(d))


class BadHash:
    def __hash__(self):
        raise RuntimeError("no hash")


class BadEq:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        raise RuntimeError("no eq")


show(lambda: {BadHash(): 1})
show(lambda: {1: 1}[BadEq()])
show(lambda: {BadEq(): 1, 1: 2})


class D(dict):
    def __missing__(self, key):
        return f"missing {key}"


d = D(a=1)
print(d["a"], d["b"], d.get("b"), d, type(d.copy()), type(d | {}), D.fromkeys("ab"))
d.attr = 5
print(d.attr, d.__dict__)

# growth, deletion, holes
d = {}
for n in range(1000):
    d[n] = str(n)
    if n % 3 == 0:
        del d[n]
print(len(d), list(d)[:5], list(d)[-3:], sum(d))
for n in list(d):
    if n % 2:
        del d[n]
print(len(d), list(d.items())[:4])
while d:
    d.popitem()
print(d)
for n in range(300):
    d["k" * n] = n
for n in range(300):
    assert d["k" * n] == n
for n in range(299):
    del d[next(iter(d))]
print(len(d), list(d.values()))
d = {(x, y): x * y for x in range(20) for y in range(20)}
print(d[3, 4], (5, 6) in d, (50, 6) in d, len(d))
d = {1.5: "f", 2 ** 70: "big", None: 0, b"x": 1, frozenset([1]): 2, (): 3}
print(d[1.5], d[2 ** 70], d[None], d[b"x"], d[frozenset([1])], d[()], -1 in d)
d = dict.fromkeys(range(70000), 0)
print(len(d), 69999 in d, 70000 in d)
d.clear()
print(d, len(d))


def f(**kw):
    return kw


show(lambda: f(**{"a": 1}, **{"a": 2}))
show(lambda: f(**{1: 2}))
print(f(**{"a": 1}, b=2), {**{"a": 1}, "a": 2, **{"c": 3}})


class M:
    def keys(self):
        return ["x", "y"]

    def __getitem__(self, k):
        return k * 2


print(dict(M()), f(**M()), {**M()})
print(dict[str, int])
g = globals()
hole_test = 1
del hole_test
show(lambda: hole_test)
hole_test = 2
show(lambda: hole_test)
print(list(g)[-1])


def use_len():
    return len("abc")


print(use_len())
len = lambda x: "shadowed"
print(use_len())
del len
print(use_len())

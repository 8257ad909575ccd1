# collections, functools, operator, heapq, bisect: the C parts through the unmodified library.
import bisect
import copy
import functools
import heapq
import operator
import _operator
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple


def show(f, *a):
    try:
        print(f(*a))
    except Exception as e:
        print(type(e).__name__, e)


d = deque([1, 2, 3], 4)
d.append(4)
d.append(5)
d.appendleft(0)
print(d, d.maxlen, len(d), d[0], d[-1], 3 in d, d.pop(), d.popleft(), d)
d.extend("abc")
d.extendleft("xy")
print(d, list(reversed(d)), d.count("y"), d.index("x"), d.copy(), d == d.copy(), deque("ab") < deque("b"))
d = deque(range(7))
d.rotate(2)
print(d)
d.rotate(-3)
print(d)
d.rotate(100)
print(d)
d.insert(2, "i")
d.insert(-1, "j")
d.insert(100, "k")
d.remove("i")
del d[1]
d[0] = "first"
d.reverse()
print(d, d + deque("z"), deque("ab") * 2, 2 * deque("a"))
d += [1]
d *= 2
print(d)
d.clear()
print(d, bool(d), repr(deque([], 0)), deque("abc", maxlen=0))
show(lambda: d.pop())
show(lambda: d.popleft())
show(lambda: d[0])
show(lambda: d.remove(1))
show(lambda: d.index(1))
show(lambda: deque([1], 1).insert(0, 2))
show(lambda: deque([], -1))
show(lambda: deque([], "a"))
show(lambda: deque(5))
show(lambda: d["a"])
show(lambda: d + [1])
show(lambda: hash(d))
d = deque("abc")


def grow():
    for x in d:
        d.append(x)


show(grow)
it = iter(d)
next(it)
print(it.__length_hint__(), d.__reduce__()[:3], copy.copy(d), copy.deepcopy(d))
r = deque()
r.append(r)
print(r)
d = deque()
for i in range(1000):
    d.append(i)
    if i % 3 == 0:
        d.popleft()
print(len(d), d[0], d[-1], sum(d))

o = OrderedDict([("a", 1), ("b", 2), ("c", 3)])
o.move_to_end("a")
print(o, list(o), list(reversed(o)))
o.move_to_end("c", last=False)
print(o, o.popitem(), o.popitem(last=False), o)
print(OrderedDict(a=1, b=2) == OrderedDict(b=2, a=1), OrderedDict(a=1, b=2) == {"b": 2, "a": 1}, OrderedDict(), o.keys(), o.items(), o.values())
show(lambda: o.move_to_end("zz"))
show(lambda: OrderedDict().popitem())
show(lambda: o.pop("zz"))
show(lambda: OrderedDict(1, 2))
print(o.pop("zz", 5), o.setdefault("n", 6), o | {"q": 7}, type({} | o), o.copy(), OrderedDict.fromkeys("ab", 0), o.__reduce__()[:4])
for i in range(100):
    o[i] = i
for i in range(100):
    o.popitem(last=False)
print(o)


class OD(OrderedDict):
    def __setitem__(self, k, v):
        super().__setitem__(k, v * 10)


print(OD(a=1, b=2), OD([("x", 1)]), OD({"y": 2}).copy())
o = OrderedDict(a=1)
o.attr = 3
print(o.__dict__, copy.copy(o), copy.deepcopy(o).attr)


def mutate():
    for k in o:
        o[k + "x"] = 1


show(mutate)

dd = defaultdict(list, a=[0])
dd["b"].append(1)
print(dd, dd.default_factory, dd["a"], dd.copy(), dd | {"z": 1}, dict(dd), dd.get("nope"), copy.copy(dd))
show(lambda: defaultdict(None)["x"])
show(lambda: defaultdict(5))
dd.default_factory = None
show(lambda: dd["x"])

c = Counter("abracadabra")
c.update("aab")
print(c.most_common(2), c["zz"], c + Counter(a=1), c - Counter("aaaa"), sorted(c.elements())[:3], Counter([1, 1.0, True]), +Counter(a=-1))
P = namedtuple("P", "x y", defaults=[5])
p = P(1)
print(p, p.x, p._replace(x=3), p._asdict(), P._fields, p == (1, 5), P.x)
show(lambda: setattr(p, "x", 1))
print(ChainMap({"a": 1}, {"b": 2})["b"])


@functools.lru_cache(maxsize=3)
def sq(x, *, k=0):
    return x * x + k


print([sq(i) for i in (1, 2, 3, 1, 4, 2, 1)], sq.cache_info(), sq(1, k=2), sq(1.0), sq.cache_info(), sq.cache_parameters(), sq.__name__)
sq.cache_clear()
print(sq.cache_info())


@functools.cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(80), fib.cache_info())


class A:
    @functools.lru_cache(None, typed=True)
    def m(self, x):
        return x + 1

    @functools.cached_property
    def cp(self):
        print("computed")
        return 5


a = A()
print(a.m(1), a.m(1), a.m(1.0), A.m.cache_info(), a.cp, a.cp)
show(lambda: sq([]))
f = functools.partial(int, base=2)
print(f("101"), f.func, f.args, f.keywords, functools.partial(functools.partial(pow, 2), 3)(), functools.partial(lambda *a, **k: (a, k), 1, z=2)(3, y=4))
print(repr(functools.partial(print, 1, sep="x")).replace(repr(print), "print"), copy.copy(f)("11"))
show(lambda: functools.partial())
show(lambda: functools.partial(5))
print(functools.reduce(operator.add, [1, 2, 3]), functools.reduce(lambda a, b: a + [b], "ab", []))
show(lambda: functools.reduce(operator.add, []))
show(lambda: functools.reduce(operator.add, 5))
print(sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: b - a)))


@functools.singledispatch
def g(x):
    return "other"


@g.register
def _(x: int):
    return "int"


print(g(1), g("a"))


@functools.total_ordering
class V:
    def __init__(self, v):
        self.v = v

    def __eq__(self, o):
        return self.v == o.v

    def __lt__(self, o):
        return self.v < o.v


print(V(1) <= V(2), V(1) >= V(2))
print(operator.itemgetter(1)([1, 2]), operator.itemgetter(1, 0)("ab"), operator.attrgetter("real.imag")(3), operator.attrgetter("real", "imag")(3), operator.methodcaller("split", ",", maxsplit=1)("a,b,c"))
print(operator.itemgetter(1, "a"), operator.attrgetter("a.b"), operator.methodcaller("f", 1, k=2), operator.countOf([1, 1], 1), operator.indexOf("abc", "c"), operator.concat([1], [2]))
show(lambda: operator.concat(1, 2))
show(lambda: operator.indexOf([1], 2))
show(lambda: operator.itemgetter())
show(lambda: operator.itemgetter(5)([1]))
print(operator.length_hint(iter([1, 2])), operator.length_hint(5, 3), operator.index(True), operator.not_(0), operator.truth([]), operator.pow(2, 3), operator.iadd([1], [2]), operator.call(max, 1, 2))
print(_operator._compare_digest("ab", "ab"), _operator._compare_digest(b"ab", b"ac"))
h = [5, 3, 8, 1, 9, 2]
heapq.heapify(h)
print(h, heapq.heappop(h), heapq.heappushpop(h, 4), heapq.heapreplace(h, 0), h, heapq.nsmallest(2, h), heapq.nlargest(2, h))
heapq.heappush(h, 7)
print([heapq.heappop(h) for _ in range(len(h))], list(heapq.merge([1, 4], [2, 3])))
show(lambda: heapq.heappop([]))
show(lambda: heapq.heapify(()))
h = []
for w in [(3, "c"), (1, "z"), (1, "a"), (2, "b")]:
    heapq.heappush(h, w)
print([heapq.heappop(h) for _ in range(4)])
l = [1, 3, 3, 5]
print(bisect.bisect(l, 3), bisect.bisect_left(l, 3), bisect.bisect_right(l, 9), bisect.bisect(l, 0), bisect.bisect_left(l, 3, 2, 3))
bisect.insort(l, 4)
bisect.insort_left(l, 3)
bisect.insort(l, -7, key=abs)
print(l, bisect.bisect([1, 2, 3], 2, key=lambda x: -x))
show(lambda: bisect.bisect([1], 1, -1))
import queue

q = queue.SimpleQueue()
q.put(1)
print(q.get(), q.empty())
q = queue.PriorityQueue()
for i in (3, 1, 2):
    q.put(i)
print([q.get() for _ in range(3)])

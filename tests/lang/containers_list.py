# Lists and tuples: methods, slices, errors, and what user code does to them meanwhile.


def show(f, *a):
    try:
        print(f(*a))
    except Exception as e:
        print(type(e).__name__, e)


a = list(range(10))
print(a[2:8:2], a[::-1], a[-3:], a[100:], a[8:2:-2], a[::3], a[-100:100])
a[2:4] = "xyz"
print(a)
a[::2] = range(len(a[::2]))
print(a)
show(lambda: a.__setitem__(slice(None, None, 2), [1]))
del a[::3]
print(a)
del a[1:3]
print(a)
a[1:1] = a
print(a)
a[:] = []
print(a, len(a))
show(lambda: a[0])
show(lambda: a.pop())
show(lambda: a.remove(3))
show(lambda: [1].pop(5))
show(lambda: [1].index(5))
show(lambda: ["a"].index("b"))
show(lambda: (1,).index(5))
show(lambda: [1]["a"])
show(lambda: (1,)["a"])
show(lambda: (1,)[3])
show(lambda: [] + ())
show(lambda: () + [])
show(lambda: [] + 1)
show(lambda: [1] * 1.5)
show(lambda: [1] * "a")
show(lambda: list(1))
show(lambda: list(x=1))
show(lambda: [].__setitem__(0, 1))
show(lambda: [].__delitem__(0))
show(lambda: [1, 2].__setitem__(slice(0, 1), 5))
show(lambda: [1, 2].__setitem__(slice(0, 2, 2), 5))
show(lambda: [1, 2][1:2:0])
show(lambda: hash([]))
show(lambda: [1] < 1)
show(lambda: [1, "a"] < [1, 2])
b = [1]
b.append(b)
print(b, b == b)
t = ([],)
t[0].append(t)
print(t)
print([1, 2] * 3, 2 * (1, 2), [None] * 0, (1,) * -1, [[]] * 2)
c = [1, 2]
c *= 3
print(c)
c += "ab"
print(c)
d = c
c += c
print(c is d, len(c))
c *= 0
print(c)
print([1, 2] == [1, 2], [1, 2] < [1, 3], [1] < [1, 0], (1, 2) >= (1,), [] != [], (1, 2) == [1, 2])
print([3, 1, 2].index(1), [1, 2, 3, 1].index(1, 1), [1, 2, 1, 1].count(1), (1, 2, 1).count(1))
show(lambda: [1, 2, 3].index(3, 0, 2))
x = [1, 2, 3]
x.insert(100, 9)
x.insert(-100, 8)
x.insert(-1, 7)
print(x, x.pop(0), x.pop(-1), x.pop(1), x)
x.reverse()
print(x, x.copy() is x, x.clear(), x)
print(hash((1, 2, 3)), hash(()), hash((1, (2, 3), -1)))
print(tuple("abc"), tuple(), tuple([1]), (1,) + (2,), repr((1,)))
print(list(reversed([1, 2, 3])), [1, 2, 3].__reversed__().__length_hint__())
print(sorted([3, 1, 2]), sorted("hello", reverse=True), sorted([], key=len))

# __eq__ that changes the list
class Evil:
    def __init__(self, target, how):
        self.target = target
        self.how = how

    def __eq__(self, other):
        self.how(self.target)
        return False

    __hash__ = None


for how in (list.clear, lambda l: l.append(1), lambda l: l.pop() if l else None, lambda l: l.reverse()):
    l = [1, 2, 3]
    l.insert(1, Evil(l, how))
    n = 0
    show(lambda: l.index("nothing"))
    l = [Evil(None, len) for i in range(3)]
    for e in l:
        e.target = l
        e.how = how
    show(lambda: l.count(5) >= 0 and len(l) < 100)
l = [1]
l[0] = Evil(l, list.clear)
print([l[0]] == [2], l)
print(l == [], len(l))

# iterators
it = iter([1, 2, 3])
next(it)
print(it.__length_hint__(), it.__reduce__()[1:], list(it), list(it), it.__length_hint__(), it.__reduce__()[1:])
it = iter([1, 2, 3, 4])
it.__setstate__(2)
print(list(it))
l = [1, 2]
for v in l:
    if len(l) < 10:
        l.append(v * 2)
print(l)
r = reversed([1, 2, 3])
print(next(r), r.__reduce__()[1:], list(r))


class L(list):
    def __init__(self, *a):
        super().__init__(*a)
        self.extra = 1


l = L("abc")
print(l, l.extra, type(l + [1]), type(l[:]), type(l * 2), l == ["a", "b", "c"], isinstance(l.copy(), L))


class T(tuple):
    def __new__(cls, *a):
        o = super().__new__(cls, a)
        o.extra = len(a)
        return o


t = T(1, 2, 3)
print(t, t.extra, t.__dict__, type(t[:]), type(t + ()), t == (1, 2, 3), hash(t) == hash((1, 2, 3)), tuple(t) is t)
t.more = 5
print(sorted(t.__dict__), t[1:], len(t), [*t], t * 2)
print(list[int], tuple[int, ...], [1, 2].__class_getitem__(str))
big = list(range(1000))
for i in range(500):
    big.pop(0)
print(big[0], big[-1], len(big))
big[10:490] = []
print(big)
l = []
l[5:1] = [1, 2]
print(l)
l[1:1] = (i * i for i in range(3))
print(l)
match [1, 2, 3]:
    case [a, *b]:
        print(a, b)

# set and frozenset.


def show(f, *a):
    try:
        print(f(*a))
    except Exception as e:
        print(type(e).__name__, e)


print({3, 1, 2}, {10, 5, 300, -1, 7}, set(), frozenset(), frozenset([2, 1]), {1, True, 1.0}, set(range(20, 0, -1)))
print({(i * 7919) % 1000 for i in range(50)})
print(set("a"), {None}, {(1, 2)}, {frozenset([1])})
s = {1, 2, 3}
s.add(4)
s.discard(1)
s.discard(100)
s.remove(2)
print(s, len(s), 3 in s, 1 in s)
show(lambda: s.remove(100))
show(lambda: set().pop())
show(lambda: {[]})
show(lambda: s.add([]))
show(lambda: hash(s))
show(lambda: s | [1])
show(lambda: s < [1])
show(lambda: set(5))
show(lambda: set(x=1))
show(lambda: frozenset(x=1))
show(lambda: set(1, 2))
show(lambda: frozenset().add(1))
show(lambda: s.__isub__(5))
a, b = {1, 2, 3, 4}, {3, 4, 5}
print(a & b, a | b, a - b, b - a, a ^ b, a.intersection([1, 9]), a.union("x" * 0, [7]), a.difference([1], [2]), a.symmetric_difference([1, 8]))
print(a <= b, a >= {1}, {1} < a, a > a, a == {4, 3, 2, 1}, a != b, a == frozenset(a), a.issubset(range(10)), a.issuperset([1]), a.isdisjoint([9]), a.isdisjoint([1]))
c = set(a)
c &= b
print(c)
c |= {9}
c -= {3}
c ^= {9, 10}
print(c)
c.update([1], (2,), {5: 6})
c.intersection_update([1, 2, 5, 77], [2, 5])
c.difference_update([5], [6])
c.symmetric_difference_update([2, 3])
print(c, c.clear(), c)
print(type({1} | frozenset([2])), type(frozenset([1]) | {2}), frozenset([1, 2]) == {1, 2}, hash(frozenset([1, 2, 3])) == hash(frozenset([3, 2, 1])))
print(hash(frozenset()), hash(frozenset([1, 2, 3])), hash(frozenset(range(100))))
print({1, 2} in {frozenset([1, 2])}, {frozenset([1])} >= {frozenset([1])})
f = {frozenset([1])}
f.remove({1})
print(f)
f = frozenset([1, 2])
print(f.copy() is f, frozenset(f) is f, f.union() is f)


def grow():
    for x in s:
        s.add(x + 100)


show(grow)
it = iter({1, 2, 3})
print(next(it), it.__length_hint__(), it.__reduce__()[1], list(it), it.__length_hint__())


class Evil:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        if acting:
            acting.pop()()
        return self is other


acting = []
for action in ("s.clear()", "s.update(range(100))", "s.pop()"):
    s = {Evil() for _ in range(5)}
    acting = [lambda: eval(action)] * 2
    show(lambda: Evil() in s)
    s = {Evil() for _ in range(5)}
    acting = [lambda: eval(action)] * 2
    show(lambda: s.add(Evil()))
    acting = []
    print(len(s) > -1)


class S(set):
    pass


class F(frozenset):
    def __new__(cls, *a):
        return super().__new__(cls, *a)


x = S("a")
x.attr = 1
print(x, x.attr, type(x | {1}), type(x.copy()), F([1]), type(F([1]) | {2}), F() == frozenset(), x.__reduce__()[1:])
s = set()
for i in range(1000):
    s.add(i * i)
    if i % 3 == 0:
        s.discard((i // 2) ** 2)
print(len(s), sum(s))
out = []
while s:
    out.append(s.pop())
print(sum(out), len(out))
print(set(range(1000)) - set(range(5, 1000)), set(range(5)) & set(range(3, 1000)), sorted(set("hello") | set("world")))
print(set[int], frozenset[str])
print({1, 2, 3}.pop(), {*"a", *[1]} == {"a", 1}, repr(S()), repr(F([2])))
r = S()
print({x for x in range(5)}, {i % 3 for i in range(10)}, {-1, -2}, {2 ** 61 - 1, 0}, {2 ** 61, 1})

# Attributes of instances, classes and modules; globals; closures.
import sys
import types

from common import SCALE, run

N = 3000 * SCALE
T = 6


class Point:
    def __init__(self):
        self.x = 0
        self.y = 0

    def both(self):
        return self.x, self.y


p = Point()


def write_read(i):
    for k in range(N):
        if i % 2:
            p.x = (k, k)
        else:
            v = p.x
            assert v == 0 or v[0] == v[1]
            p.both()


run(T, write_read)
print("slots of an instance")


def grow(i):
    for k in range(N // 10):
        setattr(p, "a%d_%d" % (i, k), k)


run(T, grow)
print("new attributes", all(getattr(p, "a%d_%d" % (i, k)) == k for i in range(T) for k in range(N // 10)))


def shrink(i):
    for k in range(N // 10):
        delattr(p, "a%d_%d" % (i, k))


run(T, shrink)
print("deleted", sorted(vars(p)) == ["x", "y"])


def objects(i):
    for k in range(N):
        q = Point()
        q.z = k
        q.w = q.z
        assert q.both() == (0, 0) and q.w == k


run(T, objects)
print("same shape from all threads")


class C:
    value = 0

    def method(self):
        return 1


c = C()


def class_attr(i):
    for k in range(N // 5):
        if i == 0:
            C.value = k
        elif i == 1:
            C.method = (lambda self: 1) if k % 2 else (lambda self: 2)
        else:
            assert c.method() in (1, 2)
            assert 0 <= c.value < N


run(T, class_attr)
print("class attributes")

x = 0


def global_write(i):
    global x
    for k in range(N):
        if i == 0:
            x = k
            globals()["extra%d" % (k % 100)] = k
        else:
            assert 0 <= x < N


run(T, global_write)
print("globals")


def cell():
    n = 0

    def work(i):
        nonlocal n
        for k in range(N):
            n = (i, k)
            assert len(n) == 2

    run(T, work)
    return len(n)


print("cells", cell())


def classes(i):
    for k in range(N // 60):
        cls = type("K%d" % i, (Point,), {"m": lambda self: i, "__slots__": ("s",)})
        o = cls()
        o.s = i
        assert o.m() == i and o.s == i and isinstance(o, Point)


run(T, classes)
print("classes", len([k for k in Point.__subclasses__()]) <= T * (N // 60) + 1)


def modules(i):
    for k in range(N // 60):
        m = types.ModuleType("m")
        m.a = k
        sys.intern("name%d" % k)
        assert m.a == k


run(T, modules)
print("modules")


def gen():
    while True:
        yield 1


g = gen()
busy = [0]


def shared_generator(i):
    for k in range(N // 5):
        try:
            assert next(g) == 1
        except ValueError as e:
            assert str(e) == "generator already executing"
            busy[0] += 1


run(T, shared_generator)
print("generator")


class Part:
    tag = -1

    def __init__(self, n):
        self.n = n

    def get(self):
        return self.n

    @classmethod
    def of(cls):
        return cls


def part(i):
    class Sub(Part):
        def __init__(self, n):
            super().__init__(n)
            self.tag = self.n

    for k in range(i % 4):
        setattr(Sub, "filler%d" % k, k)
    return Sub


parts = [part(i) for i in range(24)]


def many_classes(i):
    for k in range(N // 4):
        o = parts[(i + k) % len(parts)](k)
        o.more = k + 1
        o.n = o.more
        assert o.get() == k + 1 and o.tag == k and o.of() is type(o)
        if i == 0 and k % 8 == 0:
            c = parts[k % len(parts)]
            c.get = (lambda self: self.more) if k % 16 else Part.get
            c.extra = k


run(T, many_classes)
print("objects of many classes")


def borrow(i):
    for k in range(N // 4):
        o = p
        if i % 2:
            o.__class__ = (Point, Part)[k % 2]
        o.tag = k
        assert type(o.tag) is int
        try:
            o.get()
        except AttributeError:
            pass


p = Point()
run(T, borrow)
print("changing classes")

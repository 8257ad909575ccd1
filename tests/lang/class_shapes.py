"""The same reads, stores, calls and super() on objects of many classes, while the classes change."""


class Root:
    kind = "root"

    def __init__(self, n):
        self.n = n
        self.steps = ["root"]

    def call(self):
        return "root", self.n

    @property
    def double(self):
        return self.n * 2

    @classmethod
    def made(cls):
        return cls.__name__


def derive(i, base):
    def __init__(self, n):
        super(cls, self).__init__(n)
        self.own = i

    def call(self):
        return i, super(cls, self).call()

    body = {"__init__": __init__}
    if i % 3 == 0:
        body["call"] = call
    if i % 5 == 0:
        body["kind"] = i
    if i % 7 == 0:
        body["__slots__"] = ("slot%d" % i,)
    cls = type("C%d" % i, (base,), body)
    return cls


def classes(n):
    made = [Root]
    for i in range(1, n):
        made.append(derive(i, made[i // 4]))
    return made


def use(o):
    o.mark = o.n + 1
    o.n = o.mark - 1
    return o.kind, o.call(), o.double, o.mark, type(o).made(), type(o).kind, getattr(o, "own", None)


def digest(values):
    total = 0
    for v in values:
        for c in repr(v):
            total = (total * 31 + ord(c)) % 1000000007
    return total


few = classes(6)
objects = [c(i) for i, c in enumerate(few)]
for round in range(60):
    got = [use(o) for o in objects]
    if round % 10 == 0:
        print(got[round // 10 % len(got)], digest(got))
    if round == 10:
        few[2].kind = "two"
    if round == 20:
        Root.double = property(lambda self: -self.n)
        few[1].call = lambda self: "replaced"
    if round == 30:
        Root.mark = property(lambda self: 100 + self.n, lambda self, v: self.steps.append(v))
    if round == 40:
        del Root.mark
        few[3].n = 7
        objects[4].__class__ = few[5]
    if round == 50:
        few[1].call = few[2].call
        Root.made = "no method"
        Root.made = classmethod(lambda cls: "new " + cls.__name__)
        del objects[3].n
        objects[0].n = 3

many = classes(3000)
objects = [c(i) for i, c in enumerate(many)]
for round in range(4):
    print(digest(use(o) for o in objects))
    for c in many[round::50]:
        c.kind = round


class Counted:
    n = 0

    def get(self):
        return self.n


counted = Counted()
for i in range(100_000):  # each store is a new version of the class
    Counted.n += 1
    if i % 5_000 == 0:
        assert counted.get() == Counted.n == i + 1
print(Counted.n, counted.get(), digest(use(o) for o in objects))


class Plain:
    pass


class Slotted:
    __slots__ = ("value", "other")


class Fallback:
    def __getattr__(self, name):
        return "no " + name


class Watching:
    def __setattr__(self, name, v):
        object.__setattr__(self, name, (name, v))

    def __getattribute__(self, name):
        return "watched", object.__getattribute__(self, name)


class Data:
    def __get__(self, o, cls=None):
        return "data"

    def __set__(self, o, v):
        raise AttributeError("read only")


class WithData:
    value = Data()


class ByDict:
    def __init__(self):
        self.__dict__ = {"value": "of the dict"}


def store_and_load(o, v):
    try:
        o.value = v
    except Exception as e:
        return type(e).__name__, str(e)
    try:
        return o.value, o.value
    except Exception as e:
        return type(e).__name__, str(e)


def load(o):
    try:
        return o.value
    except Exception as e:
        return type(e).__name__, str(e)


mixed = [Plain(), Slotted(), Fallback(), Watching(), WithData(), ByDict(), 5, "text", None, Plain, store_and_load, Slotted]
for round in range(20):
    loads = [load(o) for o in mixed[:9]]
    stores = [store_and_load(o, round) for o in mixed[:10]]
    if round % 7 == 0:
        print(loads, stores)
    for o in mixed[:3] + mixed[5:6]:
        if round % 2:
            del o.value
for o in (Plain, Slotted, WithData, Plain, Data):
    for name in ("value", "other", "__name__"):
        print(o.__name__, name, type(getattr(o, name, None)).__name__, o.__name__)

"""Attributes of classes, read again and again while the classes change."""


class Base:
    limit = 3
    name = "base"

    @classmethod
    def make(cls, *args):
        return cls.__name__, args

    @staticmethod
    def plain(x=0):
        return x + 1

    def method(self):
        return "method", self

    @property
    def prop(self):
        return 5


class Derived(Base):
    name = "derived"


class Meta(type):
    limit = 99

    @property
    def shown(cls):
        return "meta " + cls.__name__

    def __getattr__(cls, name):
        return "getattr " + name


class WithMeta(metaclass=Meta):
    shown = 1


def read(c):
    return c.limit, c.name, c.make(1), c.make(), c.plain(), c.plain(4), c.method(7), c.__name__, type(c.prop).__name__


for round in range(40):
    for c in (Base, Derived):
        got = read(c)
    if round % 10 == 0:
        print(got, read(Base))
    if round == 10:
        Base.limit = "changed"
        Base.plain = lambda: "no argument", 1
        Base.plain = staticmethod(lambda x=3: ("static", x))
    if round == 20:
        Derived.make = lambda *a: ("plain", a)
        Base.method = classmethod(lambda cls, x: ("now a classmethod", cls.__name__, x))
    if round == 30:
        del Derived.make
        del Derived.name
        Derived.limit = property(lambda self: 1)
        Derived.limit = [round]

for _ in range(20):
    m = WithMeta.shown, WithMeta.missing, WithMeta.limit
print(m)


def fresh(i):
    class C:
        value = i
        text = "t%d" % i

        @classmethod
        def who(cls):
            return cls.value, i

        @staticmethod
        def what():
            return i

    return C


def use(c):
    return c.value, c.text, c.who(), c.what(), c().who()


out = []
for i in range(50):
    out.append(use(fresh(i)))
print(out[::7])
kept = [fresh(i) for i in range(3)]
print([use(kept[i % 3]) for i in range(9)])
Derived.value = 1
try:
    for i in range(5):
        print(Derived.value)
        if i == 2:
            del Derived.value
except AttributeError as e:
    print(e)


def tb():
    class K:
        @classmethod
        def f(cls):
            raise KeyError(cls.__name__)

        @staticmethod
        def g(x):
            return x.y

    for i in range(4):
        try:
            K.f() if i % 2 else K.g(i)
        except (KeyError, AttributeError) as e:
            t = e.__traceback__
            while t:
                print(t.tb_frame.f_code.co_name, end=" ")
                t = t.tb_next
            print(repr(e))


tb()

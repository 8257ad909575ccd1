# The class statement.
class Base:
    attr = [i * 2 for i in range(3)]
    x = 1
    y = x + 1

    def __init__(self, v=0):
        self.v = v
        self.__private = v * 2

    def get(self):
        return self.__private

    def who(self):
        return 'Base'

    def __init_subclass__(cls, tag=None, **kw):
        super().__init_subclass__(**kw)
        cls.tag = tag


class Derived(Base, tag='t'):
    def __init__(self):
        super().__init__(5)
        self.w = super().who()

    def who(self):
        return 'Derived/' + super().who()

    @classmethod
    def make(cls):
        return super().__new__(cls), __class__

    @staticmethod
    def st():
        return __class__


d = Derived()
print(d.v, d.get(), d.w, d.who(), Derived.tag, d._Base__private, Derived.make()[1], Derived.st(), Base.attr, Base.y)


class Meta(type):
    @classmethod
    def __prepare__(mcls, name, bases, **kw):
        print('prepare', name, kw)
        return {'prepared': 1}

    def __new__(mcls, name, bases, ns, **kw):
        ns.pop('__classcell__', None) if kw.get('drop') else None
        return super().__new__(mcls, name, bases, ns)

    def __init__(cls, name, bases, ns, **kw):
        super().__init__(name, bases, ns)


class WithMeta(metaclass=Meta, flag=1):
    z = prepared + 1


print(WithMeta.z, type(WithMeta).__name__)
bases = (Base,)


class Star(*bases, **{'tag': 's'}):
    pass


print(Star.tag, Star.__mro__[1].__name__)
x = 'global'


def scopes():
    x = 'local'
    free = 'free'

    class A:
        print(x, free)
        x = 'class'
        print(x)

        def m(self):
            return x, free
        lst = [x for _ in range(1)]

        class Inner:
            print(x)
            y = free
    print(A().m(), A.lst, A.Inner.y)

    class B:
        nonlocal free
        free = 'changed'
        global newglobal
        newglobal = 5
        x = x
        free2 = free
    print(free, newglobal, B.x, B.free2, 'free' in B.__dict__)

    class D:
        def f(self):
            return __class__.__name__
        if False:
            x = 1
        print(x)
    return D().f()


print(scopes())


class Names:
    a: int = 1
    b: str
    __slots_ = 1

    def __mangled(self, __arg, *, __kw=3):
        __local = __arg
        self.__attr = __local
        import os as __os
        return __local, __kw, sorted(vars(self)), '_Names__os' in locals()

    def call(self):
        return self.__mangled(1), self._Names__mangled(2, _Names__kw=4)

    class __Nested:
        pass


print(Names.__annotations__, Names().call(), [n for n in vars(Names) if 'Nested' in n], Names.__dict__['_Names__slots_'])


class Doc:
    "the doc"
    __slots__ = ('a', '_b')


print(Doc.__doc__, Doc.__name__, Doc.__qualname__, Doc.__module__)
o = Doc()
o.a = 1
try:
    o.c = 2
except AttributeError as e:
    print(e)


class Del:
    t = 1
    del t
    try:
        t
    except NameError as e:
        print(e)
    for i in range(2):
        pass
    exec('dyn = 3')


print(Del.i, Del.dyn)


class Op:
    def __init__(self, v): self.v = v
    def __add__(self, o): return Op(self.v + (o.v if isinstance(o, Op) else o))
    def __radd__(self, o): return Op(o + self.v)
    def __iadd__(self, o): self.v += o; return self
    def __eq__(self, o): return self.v == o.v
    def __hash__(self): return hash(self.v)
    def __getitem__(self, k): return k
    def __setitem__(self, k, v): print('set', k, v)
    def __delitem__(self, k): print('del', k)
    def __contains__(self, x): return x == self.v
    def __len__(self): return self.v
    def __iter__(self): return iter(range(self.v))
    def __repr__(self): return f'Op({self.v})'
    def __enter__(self): return self.v
    def __exit__(self, *a): print('exit', a[0]); return True
    def __getattr__(self, n): return n
    def __neg__(self): return Op(-self.v)
    def __matmul__(self, o): return 'mat'


p = Op(3)
q = p
q += 4
print(p + 1, 1 + p, p + p, p, q is p, p == Op(7), p[1], 7 in p, 8 not in p, len(p), list(p), -p, p @ 1, p.zzz)
p[1:2] = 5
del p[3]
with p as v:
    print(v)
    1 / 0


def local_class(n):
    class L:
        def __init__(self):
            self.n = n
            self.a, (self.b, self.c) = 1, (2, 3)
            for self.loop in range(2):
                pass
            with p as self.w:
                pass
            self.n += 1
    return L()


print(sorted(local_class(3).__dict__.items()))
try:
    class Bad(metaclass=5):
        pass
except TypeError as e:
    print(type(e).__name__)
print(type('Dyn', (Base,), {'q': 1})().q)

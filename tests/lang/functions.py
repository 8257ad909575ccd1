# Parameters and arguments of all kinds, defaults, decorators, names.
def f(a, b=2, /, c=3, *args, d, e=5, **kw):
    return a, b, c, args, d, e, kw


print(f(1, d=4))
print(f(1, 2, 3, 4, 5, d=6, e=7, g=8))
print(f(*[1, 2], **{'d': 3, 'x': 4}), f(1, *(2, 3), *[4], d=0, **{'q': 1}, **{'r': 2}))
for call in ('f()', 'f(1)', 'f(1, d=1, a=2)', 'f(1, d=1, **{"d": 2})', 'f(*5)', 'f(1, **3)', 'f(1, d=1, **{1: 2})', 'g(1, 2, 3)', 'g()', 'g(1, a=1)',
             'g(b=1)', 'g(1, 2, c=3)', 'h(1)', 'k()', 'k(x=1)', 'f(1, *5, d=1)', 'f(**{"d": 1}, **5)', 'm(1, 2)', 'm(1, b=2)', '(1)(2)', 'None()'):
    def g(a, b=1): return a, b
    def h(): pass
    def k(*, x, y): pass
    def m(a, b, /): pass
    try:
        print(call, eval(call))
    except TypeError as e:
        print(call, '->', e)


def defaults(x, l=[], *, m={}):
    l.append(x)
    m[x] = len(l)
    return l, m


defaults(1)
print(defaults(2), defaults.__defaults__, defaults.__kwdefaults__)


def deco(*args):
    print('make', args)

    def inner(fn):
        print('apply', args, getattr(fn, '__name__', fn))
        return fn
    return inner


@deco(1)
@deco(2, 3)
def decorated():
    "doc of decorated"
    return 1


@deco('class')
class K:
    'doc of K'

    @staticmethod
    def s(x): return x + 1

    @classmethod
    def c(cls, x): return cls.__name__, x

    @property
    def p(self): return 'p'

    @deco('in')
    def m(self, x=3): return x


print(decorated.__doc__, K.__doc__, K.s(1), K.c(2), K().p, K().m(), K().m(x=4))


def outer():
    def inner():
        class C:
            def method(self):
                return lambda: [x for x in ()]
        return C
    return inner


C = outer()()
print(outer.__qualname__, outer().__qualname__, C.__qualname__, C.method.__qualname__, C().method().__qualname__)
print((lambda: 0).__qualname__, C.__module__, outer.__name__, f.__code__.co_varnames, f.__code__.co_argcount, f.__code__.co_posonlyargcount,
      f.__code__.co_kwonlyargcount, f.__code__.co_flags & 0x2f, outer.__code__.co_name, outer().__code__.co_qualname)


def globalname():
    global made

    def made():
        pass
    return made.__qualname__


print(globalname())


def recursive(n):
    return 1 if n < 2 else n * recursive(n - 1)


print(recursive(20))
print(list(map(lambda x, y: x * y, [1, 2], [3, 4])), sorted([3, 1, 2], key=lambda v: -v), max('abc', key=ord))


class Callable:
    def __call__(self, *a, **k):
        return a, k

    def meth(self, *a, **k):
        return a, k

    attr = len


c = Callable()
print(c(1, x=2), c.meth(1, *[2], x=3), c.meth(**{'y': 1}), c.attr([1, 2]), c.meth(x=1), Callable.meth(c, 5))
c.own = lambda *a: a
print(c.own(1, 2), [1, 2].index(2), 'a,b'.split(sep=','), 'x'.join(['a', 'b']), {}.get('a', 5), dict(a=1, **{'b': 2}))
print(f.__get__(5)(d=1), print.__name__, (lambda *, a: a)(a=1))


def many(*args, **kw):
    return len(args), len(kw), args[-1] if args else None


print(eval('many(' + ', '.join(map(str, range(300))) + ')'))
print(eval('many(' + ', '.join(map(str, range(1500))) + ', a=1, **{"b": 2})'))
print(eval('many(' + ', '.join(f'k{i}={i}' for i in range(300)) + ')'))
print(eval('[' + ', '.join(map(str, range(5000))) + ', many][4999]'))
print(len(eval('{' + ', '.join(f'{i}: many' for i in range(5000)) + '}')))


def docstring():
    """doc"""


def nodoc():
    x = 'not doc'


def implicit(): pass


def early(x):
    if x:
        return
    return 5
    print('dead')


print(docstring.__doc__, nodoc.__doc__, implicit(), early(1), early(0), (lambda: 'x').__doc__)

"""Stores into properties, at sites that also meet other shapes: what setters raise, return, store and change."""
import sys
import traceback


class A:

    def __init__(self):
        self.log = []

    @property
    def x(self):
        return self.log

    @x.setter
    def x(self, v):
        if v == 7:
            raise ValueError('seven')
        self.log.append(v)
        return 'ignored'

    @property
    def ro(self):
        return 1

    def setter2(self, v, extra=3):
        self.log.append((v, extra))
    y = property(None, setter2)
    z = property(None, lambda self, *a: self.log.append(a))


def make():
    return A()


def go():
    a = A()
    for i in range(40):
        a.x = i + 1000000000000 * i
        a.y = str(i) + 'k'
        a.z = [i]
        make().x = [i]
        try:
            a.x = 7
        except ValueError as e:
            if i == 39:
                traceback.print_exc(file=sys.stdout)
        try:
            a.ro = 1
        except AttributeError as e:
            last = str(e)
        (a if i % 2 else make()).x = (i,)
    print(a.log[-9:], len(a.log), last)
    b = A()
    b.x = b.x = 5
    print(b.log)

    def rec(n):

        class R:

            @property
            def p(self):
                return 0

            @p.setter
            def p(self, v):
                self.p = v + 1
        R().p = 1
    try:
        rec(0)
    except RecursionError as e:
        print('RecursionError', e)


go()


def g():
    a = A()

    class P(A):

        @property
        def x(self):
            return 1
    for k in range(8, 100):
        o = P() if k % 3 == 0 else A()
        try:
            o.x = k
        except AttributeError as e:
            m = str(e)
    print(m)
    A.x = property(lambda s: 1, lambda s, v: print('new', v))
    a.x = 3
    del A.x
    a.x = 4
    print(a.__dict__)


g()


class Gen:

    @property
    def p(self):
        return 1

    @p.setter
    def p(self, v):
        yield v


def h():
    q = Gen()
    for i in range(50):
        q.p = i
    print('gen ok')


h()

# Python code that runs while arguments are bound: it replaces the function's defaults, starts frames, collects.
import gc


class Named:
    def __init__(self, v):
        self.v = v

    def __repr__(self):
        return "N%r" % (self.v,)


armed = False
kept = []


class Key:
    def __init__(self, name):
        self.hash = hash(name)

    def __hash__(self):
        return self.hash

    def __eq__(self, other):
        if armed:

            def deep(n, *args):
                x, y, z = [n], [n], [n]
                return deep(n - 1, x, y, z) if n else 0

            deep(20)
            kept.append(func.__kwdefaults__)  # CPython reads it once more
            func.__kwdefaults__ = {"k": 3, "j": [4], "m": Named("later")}
            func.__defaults__ = ("later",)
            gc.collect()
        return False


def func(a, b=[1, 2], *, k=1, j=[2], m=5):
    return a, b, k, j, m


def arm():
    global armed
    armed = False
    func.__defaults__ = (Named("d"),)
    func.__kwdefaults__ = {Key("k"): 1, "k": Named("k"), Key("j"): 2, "j": Named("j"), "m": Named("m")}
    armed = True


def spread(*args, **kw):
    arm()
    try:
        return func(*args, **kw)
    except TypeError as e:
        return str(e)


def plain(which):
    arm()
    if which == 0:
        return func(Named(1), m=Named(3))
    if which == 1:
        return func(a=Named(1))
    return list(map(func, [Named(i) for i in range(3)]))


for _ in range(3):
    print(spread(Named(1)), spread(Named(1), Named(2)), spread(a=Named(1), b=Named(2)), spread(a=Named(1), m=Named(2)))
    print([plain(which) for which in range(3)])


# What dies behind a call with * and ** runs code before the callee does.
class Keywords(dict):
    def __del__(self):
        def deep(n):
            x, y, z = [n], [n], [n]
            return deep(n - 1) if n else gc.collect()

        deep(10)
        died.append(len(self))


class Text(str):
    def __del__(self):
        died.append(str(self))


died = []


def callee(a, b, *rest, **kw):
    return a, b, rest, sorted(kw)


def call(f):
    died.clear()
    return f(*[Named(i) for i in range(4)], **Keywords({Text("x"): Named("x"), "y": Named("y")}))


for _ in range(3):
    print(*call(callee))
    try:
        call(lambda a: a)
    except TypeError as e:
        print(e)

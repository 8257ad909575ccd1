# Members of __slots__ that are deleted, replaced or shadowed after sites have learnt their place.


def st(o, v):
    try:
        o.x = v
    except AttributeError as e:
        print(e)


def ld(o):
    try:
        return o.x
    except AttributeError as e:
        return str(e)


def warm(*classes):
    for i in range(60):
        for c in classes:
            o = c()
            st(o, i)
            st(o, i + 1)
            ld(o)


def classes():
    class C:
        __slots__ = ("x", "y")

    class D(C):
        __slots__ = ("z",)

    class M:
        __slots__ = ()

    class E(M, C):
        pass

    return C, D, M, E


for change in ("del C.x", "C.x = property(lambda s: 'P', lambda s, v: print('set', v))", "C.x = 7", "D.x = 7", "D.x = property(lambda s: 'D')", "M.x = 5", "M.x = property(lambda s: 'M')", "E.x = None", "C.x, C.y = C.y, C.x"):
    C, D, M, E = classes()
    warm(C, D, E)
    objects = C(), D(), E()
    for o in objects:
        st(o, 1)
    exec(change)
    for o in objects:
        print(change, type(o).__name__, ld(o))
        st(o, 2)
        print(ld(o))
    for c in (C, D, E):
        o = c()
        st(o, 3)
        print(c.__name__, ld(o))

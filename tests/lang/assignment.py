# Targets of assignment, deletion, scopes, unbound names.
a = b = c = 1
(d, e), [f, *g] = (2, 3), 'xyz'
print(a, b, c, d, e, f, g)
*h, i = range(4)
j, *k, l = 'ab'
(m,) = [5]
[] = ()
print(h, i, j, k, l, m)
for x, (y, *z) in [(1, (2, 3, 4)), (5, 'ab')]:
    print(x, y, z)


class Obj:
    pass


o = Obj()
o.x, o.y = 1, 2
o.x, o.y = o.y, o.x
o.l = [1, 2, 3]
o.l[0], o.l[1:] = o.l[2], [7, 8]
o.x += 5
o.l[0] *= 2
o.l += [4]
print(o.x, o.y, o.l)
del o.x, (o.y, [o.l])
print(o.__dict__)

for bad in ('a, b = 1', 'a, b = (1,)', 'a, b = 1, 2, 3', '*a, b = ()', 'a, b = {1: 2}.items()', '[a] = 5', 'a, b, *c = [1]', 'a, b = iter("abc")'):
    try:
        exec(bad)
        print('no error', bad)
    except Exception as ex:
        print(bad, '->', type(ex).__name__, ex)


def swap(a, b, c):
    a, b = b, a
    a, b, c = c, a, b
    print(a, b, c)
    a, b = b, a + b
    a, a = 1, 2
    (a, b), c = (b, a), c
    x = y = z = a
    x, [y, z] = z, (x, y)
    return a, b, c, x, y, z


print(swap(1, 2, 3))


def fib(n):
    a, b = 0, 1
    while a < n:
        yield a
        a, b = b, a + b


print(*fib(100))


def unbound(which):
    if which == 1:
        v = 1
    try:
        print(v)
    except UnboundLocalError as e:
        print(e)
    if which == 2:
        del v
    try:
        for q in []:
            pass
        print(q)
    except UnboundLocalError as e:
        print(e)
    try:
        raise ValueError
    except ValueError as err:
        pass
    try:
        err
    except UnboundLocalError as e:
        print(e)
    v = 2
    del v
    try:
        v
    except UnboundLocalError as e:
        print(e)
    try:
        del v
    except UnboundLocalError as e:
        print(e)
    try:
        v += 1
    except UnboundLocalError as e:
        print(e)
    for n in range(3):
        if n:
            print(w)
        w = n
        if n == 1:
            del w
            w = 7
    while True:
        u = 1
        break
    else:
        u = 2
    print(u)
    with open('/dev/null') as fh:
        inside = 3
    print(inside, fh.closed)


unbound(1)
try:
    unbound(2)
except UnboundLocalError as e:
    print('outer', e)


def loop_del():
    for i in range(3):
        if i == 2:
            try:
                print(z)
            except UnboundLocalError as e:
                print(e)
            z = 5
        elif i == 1:
            print(z)
            del z
        else:
            z = 1
    return z


print(loop_del())

try:
    print(nothing_here)
except NameError as e:
    print(e)
try:
    del nothing_here
except NameError as e:
    print(e)


def globals_():
    global gl, made_here
    gl = 1
    made_here = 2
    gl += 5
    del made_here
    return gl


gl = 0
print(globals_(), gl, 'made_here' in globals())


def closures():
    x = 1
    fs = []

    def get():
        return x

    def setx(v):
        nonlocal x
        x = v
    print(get())
    setx(5)
    print(x, get())
    del x
    try:
        get()
    except NameError as e:
        print(e)
    try:
        x
    except UnboundLocalError as e:
        print(e)
    for i in range(3):
        fs.append(lambda: i)
        fs.append(lambda i=i: i)
    print([f() for f in fs])

    def deep():
        def deeper():
            nonlocal x
            x = 'deep'
            return i
        return deeper()
    print(deep(), x)

    def counter():
        n = 0

        def inc(by=1):
            nonlocal n
            n += by
            return n
        return inc
    c1, c2 = counter(), counter()
    c1(), c1(5), c2()
    print(c1(), c2(), c1.__closure__[0].cell_contents, c1.__code__.co_freevars)

    def param_cell(a, *args, k=1, **kw):
        a += 1
        return lambda: (a, args, k, kw)
    print(param_cell(1, 2, 3, k=4, z=5)())


closures()

# annotations
ann: int = 5
only: str
o.attr: int = 3
o.l: "x" = [1]
(par): int = 1
o.l[0]: int = 7
print(__annotations__, ann, o.attr, o.l, par)


def annotated(a: int, b: 'str' = 'x', *args: float, c: list = [], **kw: dict) -> tuple:
    local: int = 3
    undefined: there_is_no_such_name
    return local


print(annotated.__annotations__, annotated(1))
x = 5; x += 1; print(x)
if x: y = 1
else: y = 2
print(y)

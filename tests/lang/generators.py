import gc
# Generators, comprehensions, yield from.
def g(n):
    try:
        for i in range(n):
            x = yield i
            if x:
                print('got', x)
    except GeneratorExit:
        print('closed')
        raise
    except ValueError as e:
        print('thrown', e)
        yield 'after throw'
    finally:
        print('finally')
    return 'done'


print(list(g(3)))
it = g(5)
print(next(it), it.send('hello'), it.throw(ValueError('boo')))
try:
    next(it)
except StopIteration as e:
    print('stop', e.value)
it = g(5)
next(it)
it.close()
it.close()
print(it.gi_frame, it.__name__, g.__name__)
it = g(1)
try:
    it.send(5)
except TypeError as e:
    print(e)
try:
    it.throw(KeyError('early'))
except KeyError as e:
    print(repr(e))
print(list(it))


def delegating():
    r = yield from g(2)
    print('result', r)
    r = yield from [10, 20]
    print('result', r)
    try:
        yield from g(3)
    except KeyError as e:
        print('caught', repr(e))
    return (yield), (yield 5)


d = delegating()
print(next(d), d.send('sent'), next(d), next(d), next(d), next(d))
print(d.throw(KeyError('k')))
print(d.send(1))
try:
    d.send(2)
except StopIteration as e:
    print(e.value)


def chain(n):
    if n:
        yield n
        yield from chain(n - 1)


print(list(chain(20)))


def bad():
    yield 1
    raise StopIteration('inside')


try:
    list(bad())
except RuntimeError as e:
    print(e, repr(e.__cause__))


def reentrant():
    yield next(me)


me = reentrant()
try:
    next(me)
except ValueError as e:
    print(e)


def cleanup():
    try:
        yield 1
    finally:
        print('cleaned')


for v in cleanup():
    break
gc.collect()  # nothing dies at once where nothing is counted
c = cleanup()
next(c)
del c
gc.collect()
print('after')

# comprehensions
print([x * y for x in range(3) if x for y in range(3) if y != x], {x % 3 for x in range(7)}, {k: v for k, v in zip('abc', range(3))})
print(list(x for x in 'abc'), sum(i * i for i in range(10)), [[j for j in range(i)] for i in range(4)], [(a, b) for a, *b in ['xyz', 'w']])
print([y for x in range(3) for y in [x * 2]], [f() for f in [lambda: x for x in range(3)]], [i for i in range(5) if i % 2 if i > 1])
x = 'outer'
print([x for x in range(2)], x)


def scoped(a):
    b = 10
    return [a + b + c for c in range(3)], {a: (b := b + c) for c in range(2)}, b


print(scoped(1))


class InClass:
    items = [1, 2, 3]
    doubled = [i * 2 for i in items]
    try:
        nested = [j for i in items for j in items]
    except NameError as e:
        print(e)


print(InClass.doubled)
gen = (print('lazy', i) or i for i in range(3))
print('made')
print(next(gen), next(gen))
print(sorted({x: x for x in range(5)}), [*(i for i in range(3))], dict((i, i) for i in range(2)), max((len(w), w) for w in ['a', 'bb']))
print([i for i in range(3) if (lambda: i)()], [lambda: i for i in range(2)][0]())
print((lambda: (yield))().__next__(), [None if i else 'z' for i in range(2)])


def walrus():
    total = 0
    print([total := total + v for v in range(4)], total)
    if any((found := v) > 2 for v in range(5)):
        print(found)


walrus()


def infinite():
    i = 0
    while True:
        got = yield i
        i = i + 1 if got is None else got


i = infinite()
print([next(i) for _ in range(3)], i.send(10), next(i))


def many_locals():
    a, b, c = 1, 2, 3
    for q in range(2):
        z = yield a, b, c, q
        with open('/dev/null') as f:
            yield (a + (yield b) + q, f.closed)
    yield f(1) if callable(f) else [a, *((yield c),), b]


m = many_locals()
print(next(m), next(m), m.send(5), next(m), next(m), m.send(7), next(m), m.send(9))

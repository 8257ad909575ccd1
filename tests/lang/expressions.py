# Operators, comparisons, conditions, displays, and the order in which operands are evaluated.
log = []


def t(x):
    log.append(x)
    return x


def flush():
    global log
    print(*log)
    log = []


def arithmetic(a, b):
    print(a + b, a - b, a * b, a / b, a // b, a % b, a ** b, a << b, a >> b, a & b, a | b, a ^ b)
    print(-a, +a, ~a, not a)
    print(a + 1, a - 1, 1 + a, 1 - a, a * 3, a // 3, a % 3, a ** 2, a << 1, a >> 1, a & 6, a | 6, a ^ 6, a + 100000, a + 0.5, a / 4)
    a += b
    a -= 1
    a *= 2
    a //= 3
    a **= 2
    a %= 100
    a <<= 3
    a >>= 1
    a |= 1
    a ^= 5
    a &= 255
    print(a)


arithmetic(7, 3)
print(2 ** 100, -2 ** 2, (-2) ** 2, 10 ** -2, 1_000_000, 0xff, 0o17, 0b101, 1e3, 1j * 1j)


def chains(x, y, z):
    print(x < y < z, x < y > z, x == y == z, x < y <= z < 10, (x < y) == True, 1 < x < 3, x is y is z, x in (1, 2) in [(1, 2)])
    if x < y < z:
        print('increasing')
    if not x < y < z:
        print('not increasing')
    while x < t(y) < z:
        break
    if t(x) < t(y) < t(z):
        print('yes')
    else:
        print('no')
    if t(x) < t(y) < t(z) < t(0):
        print('yes')
    else:
        print('no')
    r = t(x) < t(y) < t(z)
    s = [t(z) < t(y) < t(x)]
    print(r, s)
    flush()


chains(1, 2, 3)
chains(3, 2, 1)
chains(2, 2, 2)


class Loud:
    def __init__(self, v):
        self.v = v

    def __lt__(self, other):
        print('lt', self.v, other.v)
        return [] if self.v > other.v else [1]

    def __bool__(self):
        print('bool', self.v)
        return self.v > 0

    def __repr__(self):
        return f'L{self.v}'


print(Loud(1) < Loud(2) < Loud(3), Loud(3) < Loud(2) < Loud(1))
print(Loud(1) and Loud(0) and Loud(2), Loud(0) or Loud(1) or Loud(2), not Loud(1))


def boolean(a, b, c):
    x = a and b or c
    y = a or b and c
    z = not (a and b)
    w = a if b else c
    a = a and a or b
    print(x, y, z, w, a)
    if a and b and c:
        print('all')
    if a or b or c:
        print('any')
    if not (a or b) and c:
        print('only c')
    if (a if b else c):
        print('cond')
    if a and (b or c) or (not a and b):
        print('mixed')
    while a and not b:
        a -= 1
    return a or None


for i in 0, 1, 2:
    for j in 0, 1:
        for k in 0, 1:
            print(i, j, k, boolean(i, j, k))


def order():
    d = {}
    d[t('k')] = t('v')
    t([1, 2])[t(0)] += t(5)
    x = (t(1), [t(2), *t([3, 4])], {t(5): t(6), **t({7: 8})}, {t(9)})
    t(x)[t(1)][t(0):t(2):t(1)]
    print(x, t(1) if t(0) else t(2), t(0) or t(3) and t(4))
    flush()

    def f(*a, **k):
        return a, k
    print(f(t(1), *t([2]), t(3), k=t(4), **t({'m': 5}), n=t(6)))
    flush()
    a, d[t('x')], [b, *c] = t((1, 2, 'xyz'))
    print(a, b, c, d)
    flush()


order()


def rebinding():
    x = 1
    print(x + (x := 3), x)
    print((x := 5) + x, x, [x, (x := 6), x])
    f = lambda *a: a
    print(f(x, (x := 7), x), x < (x := 8) < x + 1)
    a = [0, 1, 2, 3]
    i = 0
    a[i] = i = 2
    print(a, i)
    i = a[i] = 3
    print(a, i)
    x = y = x
    print(x, y)
    x, y = y, x = x, 9
    print(x, y)
    x = [1, 2]
    x, z = z, x = x
    print(x, z)
    if (n := len(a)) > 3 and (m := n * 2):
        print(n, m)
    print([last := v for v in range(3)], last)
    print(any((hit := v) > 1 for v in range(5)), hit)
    while (x := x + 1) < 5:
        print(x)
    x = 1
    x += (x := 10)
    print(x)
    s = {x: (x := 'a'), x: (x := 'b')}
    print(s, x, (y := 1, 2), y)
    x = 3
    print(f(*[x, (x := 4)], k := x), x and (x := 0) or x, k)


rebinding()

# displays
print([], (), {}, [1], (1,), {1}, {1: 2}, [1, 2, 3], (1, (2, 3)), {'a', 'a'})
a, b = [1, 2], {'x': 1}
print([*a, *a, 3], (*a,), {*a, 5}, {**b, 'y': 2, **{'x': 3}}, [*a], [0, *range(3), 9])
big = [i0 for i0 in range(3)] + [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                                 a, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53,
                                 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, a]
print(len(big), big[-1], big)
bigd = {0: a, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 10: 10, 11: 11, 12: 12, 13: 13, 14: 14, 15: 15, 16: 16, 17: 17, 18: b}
print(bigd)
print("%s-%r" % ('a', 'b'), "x" "y", 'a' + 'b' * 3, b'a' b'b', 'abc'[1], (1, 2, 3)[-1], -1 ** 2, not 1, 3 in [1, 2, 3], 3 in {1, 2})

# slices
l = list(range(10))
print(l[2:5], l[:3], l[7:], l[::2], l[::-1], l[-3:-1], l[1:8:3], l[:], l[5:2])
l[2:4] = ['a', 'b', 'c']
del l[0], l[-1:]
l[::4] = [0] * len(l[::4])
print(l)


class Ix:
    def __getitem__(self, k):
        return k

    def __class_getitem__(cls, k):
        return cls.__name__, k


print(Ix()[1:2, ..., None], Ix()[:], Ix()[1, 2:3], Ix()[*l[:2], 5], Ix[int], Ix()['k'], Ix()[-1], Ix()[1 << 40], Ix()[()])

# f-strings
name, v, w = 'n', 3.14159, 10
print(f'{name}{v:.2f}|{v:{w}.3f}|{name!r:>5}|{name!s}|{name!a}|{{}}|{v=}|{name = !s}|{w:>{w}}|{"nested " + f"{w + 1}"}')
print(f'', f'x', f'{1}', f'{1}' 'a' f'{2}', f'{[1, 2]!r}', f'{lambda_ if (lambda_ := 5) else 0}')
print(f"{'a' if w else 'b'} {w:x} {w!r:^7} {dict(a=1)['a']}" * 2)

print((lambda x, *y, z=3, **k: (x, y, z, k))(1, 2, z=4, q=5), (lambda: 5)(), (lambda a, /, b, *, c: a + b + c)(1, 2, c=3))
print(1 if True else 2, None is None, ... is Ellipsis, __debug__, (yield_ := 1))

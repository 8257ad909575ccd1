# A number or str that an operator makes for a local may be freed or changed in place when the local is assigned again:
# only if nothing else got hold of it.
import sys

BIG = 1 << 200
kept = []


class Keeper:
    """Keeps every operand that it meets."""

    def __add__(self, other):
        kept.append(other)
        return other

    __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __add__

    def __eq__(self, other):
        kept.append(other)
        return True

    __lt__ = __gt__ = __le__ = __ge__ = __ne__ = __eq__
    __hash__ = None

    def __contains__(self, other):
        kept.append(other)
        return True


def churn():
    """Uses what was freed."""
    return [BIG * k + 1 for k in range(2, 40)], ["%d-%s" % (k, "y" * (k % 50)) for k in range(40)]


def aliases(n):
    x = BIG + n
    x = x * 3
    y = x
    pair = (x, y)
    x = x * 5
    x *= 7
    churn()
    z = x + 0
    x += 1
    churn()
    return pair, y, x, z


def operand_comes_back(n):
    a = BIG + n
    a = a * 2
    b = a + 0
    c = 0 + a
    d = a | 0
    e = a | a
    f = a - 0
    g = a * 1
    h = a // 1
    a = a + 1
    churn()
    b = b + 1
    churn()
    return a, b, c, d, e, f, g, h


def same_local(n):
    a = BIG + n
    a = a * 2
    a = a + 0
    a = a | a
    a += 0
    churn()
    a *= 1
    churn()
    return a


def to_keeper(n):
    k = Keeper()
    a = BIG + n
    a = a * 2
    r = a + k
    a = a * 3
    s = k * a
    a = a * 5
    t = a == k
    a = a * 7
    u = k < a
    a = a * 11
    if a > k:
        a = a * 13
    while k != a:
        a = a * 17
        break
    v = a in k
    a = a * 19
    churn()
    return r, s, t, u, v, a


def strs(n):
    s = ""
    seen = []
    for i in range(n):
        s += chr(97 + i % 26)
        if i % 7 == 3:
            seen.append(s)
        if i % 11 == 5:
            t = s
            t += "!"
            seen.append(t)
    return s, seen


def strs_plain(n):
    s = "x"
    for i in range(n):
        s += "ab"
    t = s
    s += "c"
    s += "d"
    u = s + ""
    s += "e"
    v = "" + s
    s += "f"
    w = s
    return s, t, u, v, w


def strs_wide(n):
    s = "x"
    for i in range(n):
        s += "ab"
        if i == 5:
            s += "\u20ac"
        if i == 9:
            s += "\U0001f600"
    return s, len(s), hash(s) == hash("".join(list(s)))


def keys(n):
    d = {}
    s = "k"
    for i in range(n):
        s += "k"
        d[s] = i
        if s in d:
            s += "j"
    return d


def snapshots(n):
    s = "a"
    x = BIG
    out = []
    for i in range(n):
        s += "b"
        x *= 3
        out.append(dict(locals()))
        out[-1].pop("out")
        s += "c"
        x *= 5
    f = sys._getframe()
    s += "d"
    g = f.f_locals["s"]
    s += "e"
    s += "f"
    h = f.f_locals["s"]
    s += "g"
    return s, x, g, h, out


def from_outside(n):
    def look():
        f = sys._getframe(1)
        return f.f_locals["s"], f.f_locals["x"]

    s = "a"
    x = BIG
    out = []
    for i in range(n):
        s += "b"
        x = x * 3
        out.append(look())
    s += "c"
    x = x * 3
    churn()
    return s, x, out


def raises(n):
    s = "a"
    x = BIG
    for i in range(n):
        s += "b"
        x = x * 3
    x = x // (n - n)
    return s


def generator(n):
    s = "a"
    x = BIG
    for i in range(n):
        s += "b"
        x = x * 3
        got = yield s
        if got:
            s += got
    return x


def parameters(a, b, s):
    a = a * 2
    b += a
    s += "z"
    s += "z"
    a = a * b
    churn()
    return a, b, s


def swapped(n):
    a = BIG + n
    b = BIG - n
    for i in range(n):
        a = a * 3
        b = b * 5
        a, b = b, a
        a, b = b + 1, a + 1
    return a, b


def conditional(n):
    a = BIG
    b = BIG
    for i in range(n):
        a = a * 3 if i % 2 else b
        b = b + 1 if i % 3 else a
        b = a and b
        a = a or b
        a = (b := b + 2) + a
    return a, b


def closures(n):
    x = BIG
    s = "a"

    def get():
        return x, s

    out = []
    for i in range(n):
        x = x * 3
        s += "b"
        out.append(get())
    return out


def deleted(n):
    x = BIG * n
    x = x * 3
    y = x
    del x
    churn()
    try:
        x = x * 2
    except UnboundLocalError as e:
        s = str(e)
    x = y * 2
    x = x * 2
    return x, y, s


def comparisons(n):
    a = BIG * n
    b = BIG * n
    c = 0
    for i in range(n):
        a = a * 3
        b = b * 3
        c += (a == b) + (a < b) + (a <= b) + (not a) + (a is b)
        if a == b:
            c += 1
        if a != b or not a:
            c += 100
    s = t = "q"
    for i in range(n):
        s += "r"
        t += "r"
        if s == t:
            c += 1
        if s < t:
            c += 100
        if s + "x" == t + "x":
            c += 1
    churn()
    return a, b, c, s, t


def others(n):
    z = 1j
    w = z
    f = 1.5e300
    g = f
    for i in range(n):
        z = z * (2 + 1j)
        z += 1
        if i == 3:
            w = z
        f = f * 0.99
        f *= 1e10 if i == 2 else 1.0
        if i == 4:
            g = f
    return z, w, f, g


def formatted(n):
    s = "a"
    for i in range(n):
        s += "%d" % i
        s = s % () if i % 5 == 0 else s
        s = "<" + s + ">"
    return s


class Sub(str):
    def __add__(self, other):
        kept.append(self)
        return Sub(str.__add__(self, other))

    def __radd__(self, other):
        kept.append(other)
        return Sub(other + "|" + str(self))


def subclasses(n):
    s = "a"
    s += "b"
    t = Sub("c")
    s += t
    u = s
    s += "d"
    v = "e"
    v += "f"
    v = v + "g"
    v += t
    churn()
    return s, u, v


def large(n):
    s = ""
    for i in range(n):
        s += "0123456789"
    t = s
    s += "x"
    s += "y"
    return len(s), len(t), s[-3:], t[-3:], s[:12], t[:12]


for n in (1, 2, 5, 30):
    print("aliases", aliases(n))
    print("operand", operand_comes_back(n))
    print("same", same_local(n))
    print("keeper", to_keeper(n), len(kept))
    print("strs", strs(n))
    print("plain", strs_plain(n))
    print("wide", strs_wide(n))
    print("keys", keys(n))
    print("snapshots", snapshots(n))
    print("outside", from_outside(n))
    print("parameters", parameters(BIG * n, BIG, "p"), parameters(BIG * n, 1.5, "p"))
    print("swapped", swapped(n))
    print("conditional", conditional(n))
    print("closures", closures(n))
    print("deleted", deleted(n))
    print("comparisons", comparisons(n))
    print("others", others(n))
    print("formatted", formatted(n))
    print("subclasses", subclasses(n))
    print("large", large(n * 300))
    try:
        raises(n)
    except ZeroDivisionError as e:
        f = e.__traceback__.tb_next.tb_frame
        first = f.f_locals["s"], f.f_locals["x"]
        churn()
        print("raises", first, f.f_locals["x"])
    g = generator(n)
    seen = [next(g)]
    try:
        while True:
            seen.append(g.gi_frame.f_locals["s"])
            seen.append(g.gi_frame.f_locals["x"])
            seen.append(g.send("." if len(seen) % 2 else None))
            churn()
    except StopIteration as e:
        seen.append(e.value)
    print("generator", seen)
print(kept)

# What an operator makes for a call may be freed when the function returns that only reads it: not if it got away.
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench/workloads"))
from nqueens import queens

BIG = 1 << 200
kept = []


def churn():
    """Uses what was freed."""
    return [BIG * k + 1 for k in range(2, 30)], ["%d-%s" % (k, "y" * (k % 40)) for k in range(30)], [{k, k + 1} for k in range(30)]


def reads(s, item, n):
    if item in s:
        return 1
    if n == 0:
        return 0
    return reads(s | {n}, item, n - 1)


def numbers(a, b):
    if a < b:
        return a + b
    return a - b


def strs(s, t):
    if s == t:
        return s + "="
    return s + t


def gives_back(s):
    return s


def either(s, t, which):
    return s if which else t


def takes_more(s):
    t = s | {1}
    u = t | s
    return t, u, s == t, s < u


def assigns(s, n):
    s = s | {n}
    n = n * BIG
    s |= {n}
    return s


def closes(s):
    return lambda: s


def gathers(*s):
    return s


def defaults(s, t=frozenset({5}), *, u=None):
    return s, t, u


def generates(s):
    yield 1 in s
    churn()
    yield s


def keeps_frame(s, n):
    kept.append(sys._getframe())
    return n + len(kept)


def looks(s, n):
    return sys._getframe().f_locals["s"], n + 1


def raises(s, n):
    if 1 in s:
        raise ValueError(n + 1)
    return 0


def iterates(s):
    return sorted(x for x in s)


class Peeks:
    """Finds the set that it is looked for in, and keeps it."""

    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return hash(self.n)

    def __eq__(self, other):
        kept.append(dict(sys._getframe(1).f_locals))
        return self.n == getattr(other, "n", None)


class Holder:
    def __init__(self, s):
        self.s = s

    def method(self, s):
        return self.s | s, s

    def __call__(self, s):
        return s


class Any:
    def __or__(self, other):
        kept.append(other)
        return other

    __ror__ = __add__ = __radd__ = __or__

    def __contains__(self, item):
        kept.append(item)
        return False


def any_operand(s, n):
    a = Any()
    x = s | a
    y = a | s
    z = n + a
    w = n in a
    return x, y, z, w


def many(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2,
         d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3, g4, g5, g6):
    return a0 + a1 + g3 + g4 + g5 + g6 + e5


def swapped_code(s):
    return 1 in s


def other_code(s):
    kept.append(s)
    return s


def nested(a, b):
    return a | b


def locals_of(s, t):
    return s + t, dict(locals())


a, b = frozenset({1, 2}), frozenset({3})
x, y = BIG, "s" * 20
for n in (0, 1, 9):
    print(reads(a | b, 7, n), reads(a | b, n, n), numbers(x * n, x * 2), numbers(x * 3, x * n), strs(y + "a", y + "a"), strs(y + "a", y * n))
    got = [gives_back(a | b), gives_back(x * 7), gives_back(y + y), either(a | b, b | a, n), takes_more(a | b), assigns(a | b, n), closes(a | b),
           gathers(a | b, x * 3), defaults(a | b), defaults(a | b, b | a), defaults(s=a | b, u=x * 5), list(generates(a | b)), looks(a | b, n),
           iterates(a | b), any_operand(a | b, x * 11), locals_of(y + "1", y + "2"), nested(a | b, nested(b | a, a | {n}))]
    churn()
    got[6] = got[6]()
    got[4] = got[4][2:] + tuple(sorted(s) for s in got[4][:2])
    print([sorted(g) if isinstance(g, frozenset) else g for g in got])
    churn()
    keeps_frame(a | b, n)
    churn()
    print(sorted(kept[-1].f_locals["s"]), kept[-1].f_locals["n"])
    try:
        raises(a | b, x * 3)
    except ValueError as e:
        churn()
        f = e.__traceback__.tb_next.tb_frame
        print(sorted(f.f_locals["s"]), f.f_locals["n"], e)
    h = Holder(a | b)
    print(sorted(h.s), [sorted(s) for s in h.method(a | {n})], sorted(h(a | b)), sorted((lambda s: s)(a | b)), len(a | b), sorted(a | b), max(x * 3, x * 2))
    print(reads(a | {Peeks(n)}, Peeks(n), 0), reads(a | {Peeks(n), Peeks(n + 1)}, Peeks(n + 1), 2))
    churn()
    print([sorted(len(v) if isinstance(v, frozenset) else 0 for v in k.values()) for k in kept if isinstance(k, dict)])
    print(many(*range(66), x), [many(x * 2, *range(50), x * 3, *range(n, n + 15)) for _ in range(2)])
    code = swapped_code.__code__
    r = swapped_code(a | b)
    swapped_code.__code__ = other_code.__code__
    s = swapped_code(a | b)
    swapped_code.__code__ = code
    churn()
    print(r, sorted(s), sorted(kept[-1]), swapped_code(a | b))
print(queens(6), sorted(map(repr, (k for k in kept if isinstance(k, (int, frozenset))))))


def deep(s, n):
    if n in s:
        return n
    return deep(s | {n + 1000}, n + 1)


try:
    deep(a | b, 4)
except RecursionError as e:
    print("RecursionError")


def set_local(n):
    s = {0} | {n}
    seen = []
    for i in range(n):
        s = s | {i}
        t = s
        s = s | {i * 100}
        if i % 3 == 0:
            s |= {-i}
            seen.append(t)
        s = s & s
        s = s - {2}
    churn()
    return sorted(s), [sorted(t) for t in seen]


print(set_local(3), set_local(12))


def kept_results(n):
    t = BIG * n
    t = t * 3
    return t


def used_again(n):
    k = [gives_back(BIG * n), kept_results(n), gives_back("s" * n + "t" * n), gives_back({n} | {n + 1}), either(BIG * n, n, True)]
    seen = []
    for i in range(3):
        seen += [k[0] + i, k[1] * 2, k[2] + "u", k[3] | {i}, k[4] - i, nested(k[3], {i} | {n}), numbers(k[0], BIG * 5)]
        churn()
    return k, seen


print(used_again(3), used_again(20))

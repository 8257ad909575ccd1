# Postponed annotations keep the expression's source in normal form.
from __future__ import annotations

import typing


def f(a: x+1, b: (y), c: ( lambda  q , *r, s=1, t: q ) = 1, *args: 'str', d: [1,2,  3], e: {1:2, **z}, g: {1, 2}, h: (1,), i: (), j: a.b[c:d, ::2, ...],
      k: not (a and b) or c, l: -x ** 2 if y else (yield_), m: a < b <= c is not d not in e, n: f(*a, b=1, **c), o: [i for i in x if y if z],
      p: {k: v for k, v in w}, q: (i for i in x), r: f"{a!r:>{w}} {{x}}", s: 1j, t: 1e400, u: b'x', v: None, w: a @ b // c % d << e | g & h ^ ~i,
      x: (a, b), z: list[int], aa: a[(b, c)], bb: a[b, c], cc: (a + b) * c, dd: (-a) ** -b, ee: 1 .real, ff: lambda: 0, **kw: u'u') -> None: pass


for k, v in f.__annotations__.items():
    print(k, v, sep='|')


class C:
    a: int = 3
    b: List[ 'x' ]
    def m(self, x: C) -> "C": pass


print(C.__annotations__, C.m.__annotations__)
mod: Undefined[ 1 ] = 5
print(__annotations__)
x: int
print(typing.get_type_hints(C.m))

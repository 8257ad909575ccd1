"""Much of the language in little time: run with -X torture, where every n-th allocation collects or fails."""


class A:
    def __init__(self, x):
        self.x = x
        self.y = [x]

    def __repr__(self):
        return f'A({self.x!r})'

    def __del__(self):
        deleted.append(self.x)


deleted = []


def gen(n):
    for i in range(n):
        try:
            yield A(i)
        finally:
            pass


def run():
    out = []
    for a in gen(20):
        out.append(a)
        out.append({a.x: a, 'k': (a, a.x * 10**20)})
    s = ''.join(str(o) for o in out)
    d = {k: v for k, v in zip(range(50), s)}
    st = set(d) | {str(x) for x in d}
    try:
        1 / 0
    except ZeroDivisionError as e:
        s += str(e)
    f = lambda *a, **k: (a, k)
    f(*out, **{'a': 1})
    b = bytearray(b'abc') * 100 + bytes(range(256))
    list(iter(sorted(out, key=str)))
    type('T', (A,), {'z': 1})(3)
    exec('def g(x=1):\n  class Z: pass\n  return [Z() for i in range(3)]\ng()')
    s += '%s %r %5.2f' % (len(s), out, 3.14)
    s += '{:>10}'.format('x').encode().decode()
    return len(s)


for _ in range(5):
    try:
        print(run())
    except MemoryError:
        pass

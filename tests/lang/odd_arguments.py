# Arguments and operands of kinds that nobody means: the errors and the results are CPython's.


class C:
    pass


class Pair(tuple):
    pass


class Index:
    def __index__(self):
        return 1


def attempt(what, f, *args):
    try:
        print(what, repr(f(*args)))
    except Exception as e:
        print(what, type(e).__name__, e)


def delete(o, key):
    del o[key]


def store(o, key):
    o[key] = 1


for o in ("s", (1,), b"x", range(3), {1}, frozenset(), C(), Pair((1,)), 5, 1.5, None, len, C, int, slice(1), memoryview(b"x"), iter([]), (i for i in []), {}.keys(), {}.values()):
    for key in (0, "k", 10**30, Index()):
        attempt("del", delete, o, key)
        attempt("set", store, o, key)

for flag in (0, 1, 5, -1, True, None, 1.5, "yes", [], Index(), C()):
    attempt("lines", lambda: "a\nb\r\n".splitlines(flag))
    attempt("lines", lambda: b"a\nb\r\n".splitlines(keepends=flag) if flag is not None else bytearray(b"\n").splitlines(flag))
    attempt("enumerate", lambda: list(enumerate("ab", flag)))
    attempt("sum", lambda: [flag + True, False - flag, flag * True, True + True] if isinstance(flag, int) else True + flag)

"""What callbacks may do to the object that calls them, and natives that call natives without end: an error, never a crash. CPython 3.11
crashes in some of it, so the expected output is a file."""
import codecs
import functools
import gc
import io
import itertools
import types


def attempt(what, f):
    try:
        r = f()
        print(what, "done", r if isinstance(r, (int, str, bytes)) else type(r).__name__)
    except BaseException as e:
        print(what, type(e).__name__)


def nested(make, inner, n=200000):
    for _ in range(n):
        inner = make(inner)
    return inner


def partial_of(f):
    p = functools.partial(int)
    p.__setstate__((f, (), {}, {}))
    return p


class Below(io.RawIOBase):
    act = at = None

    def run(self, name):
        if self.at == name:
            self.at = None
            self.act()

    def readable(self):
        return True
    writable = seekable = readable

    def readinto(self, b):
        self.run("readinto")
        return 0

    def write(self, b):
        self.run("write")
        return len(b)

    def flush(self):
        self.run("flush")

    @property
    def closed(self):
        self.run("closed")
        return False


# Nothing here has a Python frame of its own.
for name, make in dict(map=lambda i: map(str, i), zip=zip, chain=itertools.chain, islice=lambda i: itertools.islice(i, 5), accumulate=itertools.accumulate,
                       pairwise=itertools.pairwise, until=lambda i: iter(i.__next__, 5)).items():
    try:
        next(nested(make, iter("a")))
    except RecursionError:  # where the frames of C are small, the stack has room for all
        pass
print("iterators")
attempt("partial", nested(partial_of, int))
attempt("lru_cache", nested(functools.lru_cache(1), int))
attempt("abstract", lambda: nested(property, int).__isabstractmethod__)
attempt("attribute", lambda: nested(lambda f: types.MethodType(f, 1), int).missing)
attempt("hash", lambda: hash(nested(lambda t: types.GenericAlias(t, int), int)))
attempt("alias", lambda: nested(lambda t: types.GenericAlias(list, (t,)), int)[0])
attempt("bare", staticmethod.__new__(staticmethod))

for stream in (io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.TextIOWrapper):
    for act in ("detach", "__init__"):
        for at, operation in ((("readinto", lambda s: s.read(5)), ("write", lambda s: (s.write("a" if stream is io.TextIOWrapper else b"a"), s.flush())),
                               ("flush", lambda s: s.flush()), ("flush", lambda s: s.detach()), ("closed", lambda s: s.close()))):
            below = Below()
            s = stream(below)
            below.at = at
            below.act = lambda: getattr(s, act)(*([io.BytesIO(b"abc")] if act == "__init__" else []))
            try:
                operation(s)
            except (ValueError, RuntimeError, OSError, AttributeError):
                pass
print("streams")


class Decoder(codecs.IncrementalDecoder):
    def decode(self, data, final=False):
        return act() or ("" if final else "a")

    def getstate(self):
        return b"", 0


codecs.register(lambda name: name == "reentered" and codecs.CodecInfo(None, None, incrementaldecoder=Decoder,
                                                                       incrementalencoder=codecs.IncrementalEncoder) or None)
rewind = []
for act in (lambda: s.detach() and "", lambda: s.__init__(io.BytesIO(b"x")), lambda: rewind.pop()() and "" if rewind else None, lambda: s.close()):
    for operation in (lambda: s.read(5), lambda: s.readline(), lambda: s.read()):
        s = io.TextIOWrapper(io.BytesIO(b"abc\n" * 5), "reentered")
        rewind[:] = [lambda: s.seek(0)]
        try:
            operation()
        except (ValueError, OSError):
            pass
        try:
            s.tell()
        except (ValueError, OSError):
            pass
print("decoders")
s = io.TextIOWrapper(io.BytesIO(b"abcdef"), "ascii")
attempt("skip backwards", lambda: s.seek(1 << 96 | ((1 << 32) - 1) << 128) and s.read(3))


def f(a, b=1):
    x = a + b
    return g(x, name="k")


def g(x, name):
    return x, name


def h():
    yield 1


for code, changes in ((f, dict(co_argcount=0)), (f, dict(co_argcount=-1, co_kwonlyargcount=1)), (f, dict(co_flags=f.__code__.co_flags | 4)),
                      (f, dict(co_varnames=("a", "b", "x", "y"))), (f, dict(co_varnames=("a", "b", 5))), (f, dict(co_names=(5,) * 9)),
                      (f, dict(co_consts=(5,) * 9)), (f, dict(co_flags=0)), (h, dict(co_flags=h.__code__.co_flags & ~0x20)),
                      (f, dict(co_posonlyargcount=3)), (f, dict(co_name="other")), (h, dict(co_flags=h.__code__.co_flags | 0x100)),
                      (f, dict(co_argcount=1, co_kwonlyargcount=1))):
    attempt(sorted(changes), lambda: code.__code__.replace(**changes))
print(types.FunctionType(f.__code__.replace(co_argcount=1, co_kwonlyargcount=1), globals())(1, b=2))

for spec in ("{:%d}", "{:0%d}", "{:^%d}", "{:0=+%d}"):
    for width in (2**62, 2**63 - 1):
        try:
            (spec % width).format(1)
        except (MemoryError, OverflowError, ValueError):
            pass
print("widths")

calls = []
gc.callbacks[:] = [lambda phase, info: calls.append(gc.collect())]
gc.collect()
print(calls)
gc.callbacks.clear()

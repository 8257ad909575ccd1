# Generators that several threads resume, close and look at, without a lock of theirs: every item comes once, and who
# comes while another thread runs one gets ValueError.
import inspect

from common import SCALE, run

N = 3000 * SCALE


def count():
    for i in range(N):
        yield i


def delegate():
    result = yield from count()
    assert result is None


def resume(g, got, how):
    while True:
        try:
            got.append(how(g))
        except StopIteration:
            return
        except ValueError as e:
            assert "already executing" in str(e), e


def loop(g, got):
    while True:
        try:
            for x in g:
                got.append(x)
            return
        except ValueError as e:
            assert "already executing" in str(e), e


def look(g):
    for i in range(40 * SCALE):
        f = g.gi_frame
        if f is not None:
            assert f.f_code is g.gi_code and f.f_lineno is not None
            assert f.f_locals.get("i", 0) in range(N)
        it = g.gi_yieldfrom
        assert it is None or inspect.isgenerator(it)
        assert inspect.getgeneratorstate(g) in ("GEN_CREATED", "GEN_RUNNING", "GEN_SUSPENDED", "GEN_CLOSED")
        g.__name__ = "renamed%d" % i
        g.__qualname__ = g.__name__ + "!"
        assert "renamed" in repr(g) or "count" in repr(g) or "delegate" in repr(g)


for make in (count, delegate):
    for way in range(3):
        shared = make()
        got = [[], [], []]

        def body(index):
            if index == 3:
                look(shared)
            elif way == 0:
                resume(shared, got[index], next)
            elif way == 1:
                resume(shared, got[index], lambda g: g.send(None))
            else:
                loop(shared, got[index])

        run(4, body)
        # A loop's item is the next one's as well where the generator delegates: only next says whose it is.
        assert sorted(x for g in got for x in g) == list(range(N)), (make, way)


# Closed or thrown into while others resume it: its cleanup runs once.
class Stop(Exception):
    pass


def guarded(ended):
    def inner():
        try:
            while True:
                yield 1
        finally:
            ended.append("inner")

    try:
        yield from inner()
    finally:
        ended.append("outer")


for i in range(60 * SCALE):
    ended = []
    g = guarded(ended)
    if i % 3:
        next(g)

    def body(index):
        while True:
            try:
                if index == 2:
                    if i % 2:
                        g.close()
                    else:
                        g.throw(Stop)
                    return
                next(g)
            except ValueError as e:
                assert "already executing" in str(e), e
            except (StopIteration, Stop):
                return

    run(3, body)
    assert ended in ([], ["inner", "outer"]), ended
    assert g.gi_frame is None

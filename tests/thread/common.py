# Shared by the thread tests: run a function in n threads at once, re-raise what fails.
import sys
import threading
import weakref


def run(n, fn, *args):
    barrier = threading.Barrier(n)
    failures = []

    def body(i):
        barrier.wait()
        try:
            fn(i, *args)
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


class Scale:
    """Times it, a count of rounds grows or shrinks, but never below 1: the first argument, a number or 1/NUMBER."""

    def __init__(self, text):
        up, _, down = text.partition("/")
        self.up, self.down = int(up), int(down or 1)

    def __rmul__(self, n):
        return max(1, n * self.up // self.down)


SCALE = Scale(sys.argv[1] if len(sys.argv) > 1 else "1")


class Plain:
    pass


PROMPT = weakref.ref(Plain())() is None  # on a backend without counts the collector has to be asked

# Shared by the thread tests: run a function in n threads at once, re-raise what fails.
import sys
import threading


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


SCALE = int(sys.argv[1]) if len(sys.argv) > 1 else 1

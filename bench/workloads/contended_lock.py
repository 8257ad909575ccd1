"""All threads add to one counter under one lock: none may be lost."""
import threading

GROUP = "contended"


class Counter:
    def __init__(self):
        self.lock = threading.Lock()
        self.n = 0


def setup():
    return Counter()


def work(scale, state):
    lock = state.lock
    for _ in range(scale):
        with lock:
            state.n += 1
    return 0


def check(state, threads, scale):
    return state.n == threads * scale


SCALE = 400_000

"""All threads put into and take from one queue."""
import queue

GROUP = "contended"


def setup():
    return queue.SimpleQueue()


def work(scale, state):
    put, get = state.put, state.get
    total = 0
    for i in range(scale):
        put(i)
        total += get() is not None
    return total


def check(state, threads, scale):
    return state.empty()


SCALE = 600_000

"""All threads append to one list."""
GROUP = "contended"


def setup():
    return []


def work(scale, state):
    append = state.append
    for i in range(scale):
        append(i)
    return 0


def check(state, threads, scale):
    return len(state) == threads * scale


SCALE = 1_500_000

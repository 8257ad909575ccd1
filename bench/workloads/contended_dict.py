"""All threads set keys of one dictionary."""
GROUP = "contended"


def setup():
    return {i: 0 for i in range(512)}


def work(scale, state):
    for i in range(scale):
        state[i & 511] = i
    return 0


def check(state, threads, scale):
    return len(state) == 512


SCALE = 1_500_000

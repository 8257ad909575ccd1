"""All threads call the same global functions."""
GROUP = "shared"
LIMIT = 3


def inner(x):
    return x + LIMIT


def middle(x):
    return inner(x) + inner(x + 1)


def work(scale, state):
    total = 0
    for i in range(scale):
        total += middle(i)
    return total


SCALE = 1_000_000

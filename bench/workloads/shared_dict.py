"""All threads look keys up in one dictionary."""
GROUP = "shared"
TABLE = {"key%d" % i: i for i in range(1000)}
OBJECTS = {i: [i] for i in range(100)}
KEYS = tuple(TABLE)[:100]


def work(scale, state):
    total = 0
    for _ in range(scale):
        for k in KEYS:
            total += TABLE[k]
        for i in range(100):
            if i in OBJECTS:
                total += 1
    return total


SCALE = 9000

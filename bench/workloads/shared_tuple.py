"""All threads iterate over and unpack shared tuples."""
GROUP = "shared"
POINTS = tuple((i, i * 2, i * 3) for i in range(500))


def work(scale, state):
    total = 0
    for _ in range(scale):
        for x, y, z in POINTS:
            total += x + y - z
        for i in range(500):
            total += POINTS[i][1]
    return total


SCALE = 4000

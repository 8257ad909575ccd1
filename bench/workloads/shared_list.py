"""All threads read one list, of numbers and of objects."""
GROUP = "shared"
NUMBERS = list(range(1000))
ROWS = [[i, i + 1] for i in range(100)]


def work(scale, state):
    total = 0
    for _ in range(scale):
        for i in range(1000):
            total += NUMBERS[i]
        for row in ROWS:
            total += row[1]
    return total


SCALE = 5000

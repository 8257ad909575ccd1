"""Nested loops over lists of lists: matrix product and power iteration."""
GROUP = "single"


def product(a, b):
    columns = list(zip(*b))
    return [[sum([x * y for x, y in zip(row, col)]) for col in columns] for row in a]


def eval_a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(u):
    n = len(u)
    return [sum([eval_a(i, j) * u[j] for j in range(n)]) for i in range(n)]


def work(scale, state):
    a = [[(i * j) % 7 + 1 for j in range(scale)] for i in range(scale)]
    p = product(a, a)
    u = [1.0] * scale
    for _ in range(6):
        u = times(u)
    return p[-1][-2] + u[0]


SCALE = 115

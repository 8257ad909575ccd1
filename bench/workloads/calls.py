"""Recursive function calls: Fibonacci numbers and Ackermann's function."""
GROUP = "single"


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def tak(x, y, z):
    if y >= x:
        return z
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))


def work(scale, state):
    total = 0
    for _ in range(scale):
        total += fib(17) + tak(10, 6, 2)
    return total


SCALE = 500

"""Integer arithmetic: Collatz chains, greatest common divisors, bit operations."""
GROUP = "single"


def collatz(limit):
    longest = 0
    for start in range(1, limit):
        n = start
        steps = 0
        while n != 1:
            n = n * 3 + 1 if n & 1 else n >> 1
            steps += 1
        if steps > longest:
            longest = steps
    return longest


def gcds(limit):
    total = 0
    for a in range(1, limit):
        b = limit
        x = a
        while b:
            x, b = b, x % b
        total += x
    return total


def work(scale, state):
    return collatz(scale) + gcds(scale)


SCALE = 30_000

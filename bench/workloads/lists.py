"""Lists: a sieve, comprehensions, slices, append and index."""
GROUP = "single"


def sieve(limit):
    flags = [True] * (limit + 1)
    flags[0] = flags[1] = False
    for i in range(2, int(limit**0.5) + 1):
        if flags[i]:
            for j in range(i * i, limit + 1, i):
                flags[j] = False
    return [i for i, prime in enumerate(flags) if prime]


def shuffle(items):
    out = []
    for i in range(len(items)):
        out.append(items[(i * 7919) % len(items)])
    left = out[: len(out) // 2]
    right = out[len(out) // 2 :]
    return [a + b for a, b in zip(left, right)]


def work(scale, state):
    primes = sieve(scale)
    total = 0
    for _ in range(4):
        total += sum(shuffle(primes))
    return total


SCALE = 700_000

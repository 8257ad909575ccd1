"""Dictionaries: counting words, integer keys, tuple keys, iteration."""
GROUP = "single"

WORDS = ["w%d" % (i * i % 997) for i in range(2000)]


def count_words(rounds):
    counts = {}
    for _ in range(rounds):
        for word in WORDS:
            counts[word] = counts.get(word, 0) + 1
    return counts


def grid(size):
    cells = {}
    for x in range(size):
        for y in range(size):
            cells[x, y] = x * y
    return sum(cells[y, x] for x, y in cells)


def memo(limit):
    table = {0: 0, 1: 1}
    for i in range(2, limit):
        table[i] = (table[i - 1] + table[i - 2]) % 1000007
    return sum(v for k, v in table.items() if k % 3 == 0)


def work(scale, state):
    counts = count_words(scale)
    return len(counts) + grid(120) + memo(20_000)


SCALE = 300

"""Sorting: ints, floats, strings, tuples, with a key, partially ordered data; and a hand-written quicksort."""
GROUP = "single"


def pseudo_random(n, seed=12345):
    out = []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(seed)
    return out


def quicksort(items):
    if len(items) < 2:
        return items
    pivot = items[len(items) // 2]
    return (
        quicksort([x for x in items if x < pivot])
        + [x for x in items if x == pivot]
        + quicksort([x for x in items if x > pivot])
    )


def work(scale, state):
    data = pseudo_random(scale)
    a = sorted(data)
    b = sorted([x / 7 for x in data])
    c = sorted([str(x) for x in data])
    d = sorted([(x % 100, x) for x in data])
    e = sorted(data, key=lambda x: -x)
    a.sort(reverse=True)
    return a[0] + int(b[1]) + len(c[2]) + d[3][1] + e[4] + quicksort(data[: scale // 4])[5]


SCALE = 40_000

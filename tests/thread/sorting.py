"""list.sort is atomic where comparing runs no Python code, and a thread that sorts stops for others: nothing is lost, and nobody finds the list empty."""

import random

import common

ROUNDS = 60 * common.SCALE
N = 3000

shared = {
    "ints": ([], lambda i: i * 7919 % 10007),
    "large ints": ([], lambda i: (i * 7919 % 10007) << 70),
    "floats": ([], lambda i: float(i * 7919 % 10007)),
    "strs": ([], lambda i: str(i * 7919 % 10007)),
    "bytes": ([], lambda i: b"%d" % (i * 7919 % 10007)),
    "tuples": ([], lambda i: (i * 7919 % 107, str(i), None)),
    "mixed": ([], lambda i: i / 2 if i % 2 else i << 60),
}
for items, make in shared.values():
    items.extend(make(i) for i in range(N))


def body(index):
    chance = random.Random(index)
    for r in range(ROUNDS):
        for items, make in shared.values():
            if index == 0:
                items.sort(reverse=r % 2 == 1)
            else:
                items.append(make(chance.randrange(N)))
                assert len(items) >= N and items[N // 2] is not None
                own = [make(i) for i in range(r, r + 1500)]
                chance.shuffle(own)
                own.sort()
                assert all(a <= b for a, b in zip(own, own[1:]))


common.run(3, body)
for name, (items, _) in shared.items():
    assert len(items) == N + 2 * ROUNDS, (name, len(items))
    items.sort()
    assert all(a <= b for a, b in zip(items, items[1:])), name

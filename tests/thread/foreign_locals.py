# What another thread sees in a frame's locals stays what it was, however the thread that runs the frame goes on.
import sys
import threading
import time

from common import SCALE

BIG = 1 << 100


def has(s, n, wanted):
    if wanted in s or n == 0:
        return n
    return has(s | {n}, n - 1, wanted)


def work(stop, counts, index):
    rounds = 0
    while not stop:
        text = ""
        number = BIG
        for i in range(60):
            text += "ab"
            number = number * 3
            number += 1
            text += "cd"
        has({-1} | {-2}, 20, -3)
        rounds += 1
        counts[index] = rounds


def number_after(steps):
    n = BIG
    for _ in range(steps):
        n = n * 3 + 1
    return n


numbers = {number_after(k) for k in range(61)} | {number_after(k) * 3 for k in range(60)}
stop, counts = [], [0, 0]
pool = [threading.Thread(target=work, args=(stop, counts, i)) for i in range(2)]
for t in pool:
    t.start()
seen = []
end = time.monotonic() + 1.5 * SCALE
while (len(seen) < 1000 * SCALE and time.monotonic() < end) or not all(counts):  # a thread may begin late
    frames = sys._current_frames()
    for t in pool:
        f = frames.get(t.ident)
        while f is not None:
            if f.f_code is work.__code__ or f.f_code is has.__code__:
                d = f.f_locals
                for name in ("text", "number", "s"):
                    if name in d:
                        v = d[name]
                        seen.append((name, v, sorted(v) if name == "s" else str(v)))
            f = f.f_back
stop.append(1)
for t in pool:
    t.join()
for name, v, before in seen:
    if name == "text":
        assert v == before and v == ("abcd" * 60)[: len(v)] and hash(v) == hash(before), (v, before)
    elif name == "number":
        assert str(v) == before and v in numbers, (v, before)
    else:
        assert sorted(v) == before and {-1, -2} <= v, (v, before)
print(bool(seen), all(counts))

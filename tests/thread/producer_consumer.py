# One thread makes objects and another drops them: memory stays bounded. Arguments: SCALE, or "seconds=N" with "report" for a line every ten seconds.
import collections
import sys
import threading
import time

SECONDS = next((float(a[8:]) for a in sys.argv[1:] if a.startswith("seconds=")), 2.0)
REPORT = "report" in sys.argv


class Node:
    def __init__(self, i, other):
        self.i = i
        self.pair = (i, other)
        self.text = "node %d" % i
        self.table = {"i": i, "list": [i, other]}


def rss():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096 / 2**20


ENOUGH, PATIENCE = 150_000, 13.0  # a slow build first has to come to its first collections


def going_on():
    now = time.monotonic()
    return now < end or (made < ENOUGH and now < end + PATIENCE)


channel = collections.deque()
room, items = threading.Semaphore(256), threading.Semaphore(0)
made = taken = total = 0
end = time.monotonic() + SECONDS


def produce():
    global made
    other = None
    while going_on():
        for _ in range(64):
            node = Node(made, other if made % 8 else None)
            other = node
            room.acquire()
            channel.append(node)
            items.release()
            made += 1
    room.acquire()
    channel.append(None)
    items.release()


def consume():
    global taken, total
    while True:
        items.acquire()
        node = channel.popleft()
        room.release()
        if node is None:
            return
        total += node.table["i"] - node.pair[0] + len(node.text) * 0
        taken += 1


threads = [threading.Thread(target=f) for f in (produce, consume)]
for t in threads:
    t.start()
samples = []
while any(t.is_alive() for t in threads):
    time.sleep(SECONDS / 20)
    samples.append(rss())
    if REPORT:
        print("%.0f s left, %d items, %.1f MiB" % (end - time.monotonic(), taken, samples[-1]), flush=True)
for t in threads:
    t.join()
early, late = max(samples[: len(samples) // 2]), max(samples[len(samples) // 2:])
print("all arrived", made == taken and total == 0)
print("bounded", late < early * 1.5 + 48)

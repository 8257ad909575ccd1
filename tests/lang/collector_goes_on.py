# Finalizers that allocate so much that the next collection is due while theirs still runs: it comes.
import gc


class Node:
    def __init__(self):
        self.me = self


class Allocates(Node):
    def __del__(self):
        global kept
        kept = [bytes(20000) for _ in range(600)]


def made(n):
    before = sum(s["collections"] for s in gc.get_stats())
    for i in range(n):
        node = Node()
        node.pad = bytes(1000)
        if i % 5000 == 0:
            Allocates()
    return sum(s["collections"] for s in gc.get_stats()) - before


print([made(30000) > 0 for _ in range(4)])

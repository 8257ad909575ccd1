"""What the C stack refers to does not keep the object before it in memory alive."""
import functools
import gc
import weakref


class Node:
    __slots__ = ("value", "__weakref__")


def pairs(n):
    kept, gone = [], []
    for _ in range(n):
        before, after = Node(), Node()
        gone.append(weakref.ref(before))
        kept.append(after)
    return kept, gone


def alive_while(call, n=200):
    kept, gone = pairs(n)
    counts = []

    def look(node):
        if not counts:
            gc.collect()
            counts.append(sum(r() is not None for r in gone))
        return 0

    call(kept, look)
    return counts[0]


print("max", alive_while(lambda kept, look: max(kept, key=look)))
print("map", alive_while(lambda kept, look: list(map(look, kept))))
print("reduce", alive_while(lambda kept, look: functools.reduce(lambda _, node: look(node), kept, 0)))

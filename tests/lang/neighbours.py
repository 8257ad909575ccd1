"""What the C stack refers to does not keep the objects before it in memory alive."""
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


def alive_while(call, depth=40):
    """How many are, while `depth` native functions inside each other hold the ones after them."""
    kept, gone = pairs(depth)

    def look(node, n):
        if n < depth:
            return call(kept[n], lambda node: look(node, n + 1))
        gc.collect()
        return sum(r() is not None for r in gone)

    return look(None, 0)


# A word that was left on the stack may keep some.
print("reduce", alive_while(lambda node, look: functools.reduce(lambda _, n: look(n), [node], 0)) < 10)
print("map", alive_while(lambda node, look: next(map(look, [node]))) < 10)

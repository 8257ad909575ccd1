"""Generators: pipelines, yield from, generator expressions."""
GROUP = "single"


def numbers(n):
    i = 0
    while i < n:
        yield i
        i += 1


def squares(source):
    for x in source:
        yield x * x


def odd(source):
    for x in source:
        if x & 1:
            yield x


class Tree:
    def __init__(self, depth):
        self.left = Tree(depth - 1) if depth else None
        self.right = Tree(depth - 1) if depth else None
        self.depth = depth

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.depth
        if self.right is not None:
            yield from self.right


def work(scale, state):
    total = sum(odd(squares(numbers(scale))))
    total += sum(x + 1 for x in numbers(scale))
    for _ in range(5):
        total += sum(Tree(10))
    return total


SCALE = 250_000

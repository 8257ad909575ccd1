"""Allocation and death of many small objects: complete binary trees of tuples and of instances."""
GROUP = "single"


class Node:
    def __init__(self, left, right):
        self.left = left
        self.right = right


def tuples(depth):
    return (tuples(depth - 1), tuples(depth - 1)) if depth else (None, None)


def check_tuples(tree):
    left, right = tree
    return 1 if left is None else 1 + check_tuples(left) + check_tuples(right)


def nodes(depth):
    return Node(nodes(depth - 1), nodes(depth - 1)) if depth else Node(None, None)


def check_nodes(tree):
    return 1 if tree.left is None else 1 + check_nodes(tree.left) + check_nodes(tree.right)


def work(scale, state):
    keep = nodes(scale)
    total = 0
    for _ in range(8):
        total += check_tuples(tuples(scale)) + check_nodes(nodes(scale))
    return total + check_nodes(keep)


SCALE = 14

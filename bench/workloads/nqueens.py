"""Backtracking with sets and tuples: queens on a board."""
GROUP = "single"


def queens(n, row=0, cols=frozenset(), up=frozenset(), down=frozenset()):
    if row == n:
        return 1
    count = 0
    for col in range(n):
        if col not in cols and row + col not in up and row - col not in down:
            count += queens(n, row + 1, cols | {col}, up | {row + col}, down | {row - col})
    return count


def work(scale, state):
    return queens(scale)


SCALE = 10

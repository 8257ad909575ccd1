"""Exceptions: try without raising, raising and catching, finally, custom classes."""
GROUP = "single"


class Stop(Exception):
    pass


def risky(i):
    if i % 5 == 0:
        raise Stop(i)
    if i % 7 == 0:
        return {}[i]
    return i


def guarded(i):
    try:
        return risky(i)
    except KeyError:
        return -1
    finally:
        i += 1


def work(scale, state):
    total = 0
    for i in range(scale):
        try:
            total += guarded(i)
        except Stop as e:
            total += e.args[0]
        try:
            total += 1
        except ValueError:
            total = 0
    return total


SCALE = 250_000

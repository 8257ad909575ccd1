"""Closures, lambdas, higher-order functions, default and star arguments."""
GROUP = "single"


def counter(start, step):
    value = start

    def bump(times=1):
        nonlocal value
        value += step * times
        return value

    return bump


def compose(*functions):
    def run(x):
        for f in functions:
            x = f(x)
        return x

    return run


def call_star(f, *args, **kwargs):
    return f(*args, **kwargs)


def work(scale, state):
    bump = counter(0, 3)
    pipeline = compose(lambda x: x + 1, lambda x: x * 2, lambda x: x - 3)
    total = 0
    for i in range(scale):
        total += bump() + pipeline(i) + call_star(bump, times=2)
    return total + sum(map(lambda x: x & 7, range(scale)))


SCALE = 150_000

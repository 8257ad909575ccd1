"""All threads write attributes of one object."""
GROUP = "contended"


class Box:
    def __init__(self):
        self.value = 0
        self.other = None


def setup():
    return Box()


def work(scale, state):
    for i in range(scale):
        state.value = i
        state.other = state.value
    return 0


SCALE = 4_000_000

"""All threads read attributes of one object and of objects that it refers to."""
GROUP = "shared"


class Config:
    def __init__(self):
        self.limit = 10
        self.name = "shared"
        self.child = Child()


class Child:
    def __init__(self):
        self.value = [1, 2, 3]
        self.weight = 2.5


CONFIG = Config()


def work(scale, state):
    total = 0.0
    c = CONFIG
    for i in range(scale):
        total += c.limit + CONFIG.child.weight
        if CONFIG.name is None:
            total += 1
    return total


SCALE = 1_200_000

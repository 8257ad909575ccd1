"""Objects: attributes, methods, inheritance, properties, operators."""
GROUP = "single"


class Shape:
    def __init__(self, name):
        self.name = name

    def area(self):
        return 0

    def describe(self):
        return self.area() * 2


class Rect(Shape):
    def __init__(self, w, h):
        super().__init__("rect")
        self.w = w
        self.h = h

    def area(self):
        return self.w * self.h


class Square(Rect):
    def __init__(self, side):
        super().__init__(side, side)

    @property
    def side(self):
        return self.w

    @side.setter
    def side(self, value):
        self.w = self.h = value


class Vec:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vec(self.x + other.x, self.y + other.y)

    def __eq__(self, other):
        return self.x == other.x and self.y == other.y


def work(scale, state):
    total = 0
    v = Vec(0, 0)
    step = Vec(1, 2)
    for i in range(scale):
        r = Rect(i, 2)
        s = Square(i)
        s.side = s.side + 1
        total += r.describe() + s.describe()
        v = v + step
        if v == step:
            total += 1
    return total + v.x + v.y


SCALE = 60_000

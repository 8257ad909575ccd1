"""Floating-point loops with early exit, and complex numbers."""
GROUP = "single"


def escape(cr, ci, limit):
    zr = zi = 0.0
    for i in range(limit):
        r2 = zr * zr
        i2 = zi * zi
        if r2 + i2 > 4.0:
            return i
        zi = 2.0 * zr * zi + ci
        zr = r2 - i2 + cr
    return limit


def escape_complex(c, limit):
    z = 0j
    for i in range(limit):
        z = z * z + c
        if abs(z) > 2.0:
            return i
    return limit


def work(scale, state):
    total = 0
    for y in range(scale):
        for x in range(scale):
            total += escape(3.0 * x / scale - 2.0, 2.0 * y / scale - 1.0, 60)
    for k in range(scale * 4):
        total += escape_complex(complex(0.3, k / (scale * 8)), 60)
    return total


SCALE = 170

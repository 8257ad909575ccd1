# Views are released in one thread while others use them: an operation is done on memory that is there, or finds the view
# released. What is exported keeps its size; when all is released it can change again.
import io
import threading
from array import array
from common import SCALE, run

N = 150 * SCALE
T = 4
SIZE = 4096


def index(v):
    return v[7] & 0 or v[-1] & 0


USES = [
    lambda v: index(v),
    lambda v: len(v[1:9]) - 8,
    lambda v: sum(v[16:24].tolist()) & 0,
    lambda v: len(v.tobytes()) - SIZE,
    lambda v: len(v.cast("B")) - SIZE,
    lambda v: len(bytes(v)) - SIZE,  # by the buffer that it exports
    lambda v: len(memoryview(v)) - SIZE,
    lambda v: len(v.toreadonly()) - SIZE,
    lambda v: len(v.hex()) - 2 * SIZE,
    lambda v: 0 if (v == v[:]) in (True, False) else 1,
    lambda v: 0 if v.obj is not None else 1,
]


# In rounds of their own, where nobody reads the memory, and each thread in a part of its own.
def write(v, i):
    for at in range(64 * i, 64 * i + 64, 8):
        v[at] = i
        v[at + 1:at + 4] = b"abc"


def hammer(make, resize):
    wrong, cell = [], [None]
    meet = threading.Barrier(T)

    def body(i):
        for k in range(N):
            if i == 0:
                owner = make()
                cell[0] = memoryview(owner) if not isinstance(owner, io.BytesIO) else owner.getbuffer()
            meet.wait()
            v = cell[0]
            if i == 0:
                for _ in range(k % 20):
                    len(v[1:])
                while True:
                    try:
                        v.release()
                        break
                    except BufferError:  # in use by what takes its buffer
                        pass
                v.release()
                try:
                    resize(owner)  # refused as long as a derived view lives
                except BufferError:
                    pass
            else:
                try:
                    if k & 3 == 0:
                        write(v, i)
                    for use in USES[(k + i) % 11:] + USES[:(k + i) % 11] if k & 3 else ():
                        if use(v) != 0:
                            wrong.append((i, k, use))
                except ValueError as e:
                    if "released" not in str(e):
                        wrong.append(e)
            v = None
            meet.wait()

    run(T, body)
    return wrong[:3]


print("bytearray", hammer(lambda: bytearray(SIZE), lambda o: o.extend(bytes(5 * SIZE))))
print("array", hammer(lambda: array("B", bytes(SIZE)), lambda o: o.frombytes(bytes(5 * SIZE))))
print("BytesIO", hammer(lambda: io.BytesIO(bytes(SIZE)), lambda o: (o.seek(SIZE), o.write(bytes(5 * SIZE)))))


# Read-only: hashes.
def hashes():
    wrong, cell, data = [], [None], b"abc" * 1000
    meet = threading.Barrier(T)

    def body(i):
        for k in range(N):
            if i == 0:
                cell[0] = memoryview(data)
            meet.wait()
            v = cell[0]
            try:
                if i == 0:
                    v.release()
                elif hash(v) != hash(data):
                    wrong.append(k)
            except ValueError:
                pass
            meet.wait()

    run(T, body)
    return wrong[:3]


print("hash", hashes())


# One bytearray grows and shrinks while others take views of it and release them.
def resizes():
    b, refused, wrong = bytearray(b"x" * 100), [0] * T, []

    def body(i):
        for k in range(10 * N):
            if i & 1:
                try:
                    if k & 1:
                        b.extend(b"x" * 1000)
                    elif len(b) > 500:
                        del b[200:]
                    b[10:20] = b"y" * 10
                    b[50:60 + k % 3] = b"x" * 10
                except BufferError:
                    refused[i] += 1
            else:
                with memoryview(b) as v, v[:8] as head:
                    n = len(v)
                    if head.tobytes() != b"x" * 8 or len(v) != n:
                        wrong.append(k)

    run(T, body)
    b += b"z"
    return wrong[:3], b[-1:]


print("resize", resizes())

# Exports refuse a release, and nothing is counted twice.
v = memoryview(bytearray(8))
w = memoryview(v)
v.release()
try:
    v[0]
except ValueError as e:
    print(e)
print(len(w))
b = io.BytesIO(b"abc")
with b.getbuffer() as v:
    v[0] = 65
    try:
        b.write(b"hello")
    except BufferError as e:
        print(e)
b.write(b"hello")
print(b.getvalue())

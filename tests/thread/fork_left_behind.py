# What threads held or were doing that a fork left behind: a stream's lock, a hash's, a queue's gate, frames, generators,
# imports. The child goes on with all of it.
import _queue
import hashlib
import io
import os
import signal
import sys
import threading
import time


def wait_until(ready):
    # Until then, and a moment longer: the thread that makes it true goes on to wait.
    while not ready():
        time.sleep(0.005)
    time.sleep(0.1)


def in_child(name, work):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        status = 1
        try:
            print(name, work(), flush=True)
            status = 0
        except BaseException as e:
            print(name, repr(e), flush=True)
        os._exit(status)
    status = os.waitpid(pid, 0)[1]
    if status != 0:
        print(name, "status", status)


def start(f, *args):
    t = threading.Thread(target=f, args=args, daemon=True)
    t.start()
    return t


# A text stream over a buffered one over a full pipe.
r, w = os.pipe()
full = open(w, "w", closefd=False)


def fill():
    full.write("x" * 10**6)
    full.flush()


filler = start(fill)
wait_until(lambda: os.read(r, 1) == b"x")


def print_there():
    os.dup2(os.open(os.devnull, os.O_WRONLY), w)
    print("more", file=full, flush=True)
    with full.buffer as b:
        b.write(b"yes")
    return "written"


in_child("stream", print_there)
while filler.is_alive():
    os.read(r, 1 << 16)
    filler.join(0.001)

# The thread that forks holds the lock itself, and goes on holding it.
class Forks:
    closed = False

    def __init__(self):
        self.pid = None

    def readable(self):
        return False

    def writable(self):
        return True

    def seekable(self):
        return False

    def write(self, b):
        if self.pid is None:
            self.pid = os.fork()
        return len(b)

    def flush(self):
        pass


raw = Forks()
nested = io.TextIOWrapper(io.BufferedWriter(raw))
print("once", file=nested, flush=True)
if raw.pid == 0:
    t = start(lambda: print("twice", file=nested, flush=True))
    t.join(60)
    os._exit(t.is_alive())
print("survivor", os.waitpid(raw.pid, 0)[1])

# A hash that a thread is updating.
h = hashlib.sha256()
h.update(b"a")
data = b"x" * (1 << 24)
stop = False


def update():
    while not stop:
        h.update(data)


updater = start(update)
time.sleep(0.1)
for _ in range(3):
    in_child("hash", lambda: len(h.digest()))
stop = True
updater.join()

# A queue at which a thread waits; and one that got an item meanwhile.
q = _queue.SimpleQueue()
start(q.get)
time.sleep(0.2)
q.put(1)


def get():
    while not q.empty():
        q.get()
    threading.Timer(0.3, q.put, (2,)).start()
    return q.get(timeout=60)


in_child("queue", get)
waiting = _queue.SimpleQueue()
for _ in range(3):
    start(waiting.get)
time.sleep(0.2)


def get_waiting():
    threading.Timer(0.2, waiting.put, (3,)).start()
    return waiting.get(timeout=60)


in_child("queue, waited at", get_waiting)

# Frames of threads that are not there.
event = threading.Event()


def outer(a):
    b = [a]
    inner(b)


def inner(c):
    d = (c, frames)
    frames.append(sys._getframe())
    event.wait()
    return d


def numbers():
    n = 7
    event.wait()
    yield n


frames = []
outer_thread = start(outer, "a")
g = numbers()
g_frame = g.gi_frame
consumer = start(next, g)
wait_until(lambda: frames and g.gi_running)


def look():
    f = frames[0]
    out = [f.f_code.co_name, f.f_lineno - f.f_code.co_firstlineno, sorted(f.f_locals), f.f_locals["c"]]
    f = f.f_back
    out += [f.f_code.co_name, sorted(f.f_locals), f.f_locals["b"], f.f_back.f_code.co_name]
    out += [g_frame.f_lineno - g_frame.f_code.co_firstlineno, sorted(g_frame.f_locals), g.gi_running]
    try:
        next(g)
    except ValueError as e:
        out.append(str(e))
    import gc

    gc.collect()
    del f
    more = [[i] for i in range(10000)]
    out += [len(more), sorted(frames[0].f_locals), frames[0].f_back.f_locals["b"]]
    return out


in_child("frames", look)
current = sys._current_frames()[outer_thread.ident]


def look_current():
    n = 0
    f = current
    while f is not None:
        n += f.f_lineno > 0 and len(f.f_locals) > 0
        f = f.f_back
    return n >= 5


in_child("current frames", look_current)
event.set()
outer_thread.join()
consumer.join()


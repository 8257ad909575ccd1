# Starting, joining, daemons, names, thread-local data, exceptions, timers.
import io
import sys
import threading
import time
import _thread

from common import SCALE, run

done = []
ROUNDS = 5 * SCALE
STORM = 40 * SCALE
for rounds in range(ROUNDS):
    threads = [threading.Thread(target=done.append, args=(i,)) for i in range(STORM)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
print("storm", len(done) == STORM * ROUNDS, threading.active_count())


def spawn(depth):
    if depth:
        ts = [threading.Thread(target=spawn, args=(depth - 1,)) for _ in range(3)]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
    done.append(depth)


done.clear()
DEPTH = 4 * SCALE
spawn(DEPTH)
print("tree", len(done) == sum(3**i for i in range(DEPTH + 1)))

t = threading.Thread(target=time.sleep, args=(0.05,), name="sleeper")
print(t.name, t.daemon, t.ident, t.is_alive())
t.start()
print(t.is_alive(), t.ident is not None, t.native_id is not None)
t.join(0.001)
print(t.is_alive())
t.join()
print(t.is_alive())
for bad in (t.start, threading.current_thread().join):
    try:
        bad()
    except RuntimeError as e:
        print(e)
idents = set()
lock = threading.Lock()


def ident(i):
    with lock:
        idents.add(threading.get_ident())
    assert threading.current_thread().ident == threading.get_ident()
    time.sleep(0.01)


run(8, ident)
print("idents", len(idents) == 8)

# Local data.
local = threading.local()
local.x = "main"


def use_local(i):
    assert not hasattr(local, "x")
    local.x = i
    time.sleep(0.001)
    assert local.x == i and local.__dict__ == {"x": i}
    del local.x
    assert not hasattr(local, "x")


run(8, use_local)
print("local", local.x)


class Local(threading.local):
    made = []

    def __init__(self, start):
        self.n = start
        Local.made.append(1)

    def step(self):
        self.n += 1
        return self.n


loc = Local(10)


def use_class(i):
    for k in range(100):
        assert loc.step() == 11 + k


run(6, use_class)
print("local class", loc.n, len(Local.made))
try:
    threading.local(1)
except TypeError as e:
    print(e)


# The values of a thread go when it ends, those of a local when it goes.
class Noted:
    def __del__(self):
        gone.append(self.name)


gone = []


def leave(i):
    v = Noted()
    v.name = i
    local.v = v


run(4, leave)
import gc

gc.collect()
gc.collect()
print("freed", len(gone) >= 3)

# Exceptions.
err = io.StringIO()
old, sys.stderr = sys.stderr, err


def fail():
    raise ValueError("in the thread")


t = threading.Thread(target=fail, name="failing")
t.start()
t.join()
sys.stderr = old
text = err.getvalue()
print(text.splitlines()[0], "|", text.splitlines()[-1])

caught = []
threading.excepthook = lambda args: caught.append((args.exc_type.__name__, str(args.exc_value), args.thread.name))
t = threading.Thread(target=fail, name="hooked")
t.start()
t.join()
print(caught)
threading.excepthook = threading.__excepthook__


def leave_early():
    sys.exit(3)


t = threading.Thread(target=leave_early)
t.start()
t.join()
print("sys.exit in a thread ends that thread")

timer = threading.Timer(0.01, done.clear)
timer.start()
timer.join()
print("timer", done)
timer = threading.Timer(10, done.clear)
timer.start()
timer.cancel()
timer.join()

_thread.start_new_thread(lambda *a, **k: done.append((a, k)), (1, 2), {"z": 3})
while not done:
    time.sleep(0.001)
print(done)
for bad in ((1, ()), (print, 1), (print, (), 1)):
    try:
        _thread.start_new_thread(*bad)
    except TypeError as e:
        print(e)
print(_thread.stack_size(), _thread.stack_size(256 * 1024), _thread.stack_size(0))
try:
    _thread.stack_size(100)
except ValueError as e:
    print(e)


def recurse(n):
    return 0 if n == 0 else 1 + recurse(n - 1)


results = []


def deep(i):
    try:
        recurse(100000)
    except RecursionError:
        results.append(recurse(200))


run(3, deep)
print("recursion", results)

# fork while other threads run, hold locks and wait.
import os
import threading
import time

from common import SCALE

stop = False
n = 0
lock = threading.Lock()
shared = []


def busy():
    global n
    while not stop:
        n += 1
        with lock:
            shared.append(n)
            if len(shared) > 100:
                shared.clear()


def blocked():
    event.wait()


event = threading.Event()
threads = [threading.Thread(target=busy) for _ in range(3)] + [threading.Thread(target=blocked)]
for t in threads:
    t.start()
ok = 0
for i in range(10 * SCALE):
    pid = os.fork()
    if pid == 0:
        # The child is alone and works on; threads of its own too.
        try:
            assert threading.active_count() == 1, threading.enumerate()
            out = []
            t = threading.Thread(target=out.append, args=(1,))
            t.start()
            t.join()
            assert out == [1]
            shared.append(1)
            [object() for _ in range(1000)]
            os._exit(0)
        except BaseException as e:
            os.write(2, repr(e).encode() + b"\n")
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    ok += status == 0
stop = True
event.set()
for t in threads:
    t.join()
print("forks", ok == 10 * SCALE)
before, after = [], []
os.register_at_fork(before=lambda: before.append(1), after_in_parent=lambda: after.append(2), after_in_child=lambda: after.append(3))
pid = os.fork()
if pid == 0:
    os._exit(0 if (before, after) == ([1], [3]) else 1)
print("hooks", os.waitpid(pid, 0)[1], before, after)

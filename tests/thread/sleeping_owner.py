# An object whose maker sleeps, in sleep or in recv, dies as soon as another thread drops its last reference.
import gc
import socket
import threading
import time
import weakref

from common import PROMPT, Plain


class Thing:
    def __init__(self, log, name):
        self.log, self.name = log, name
        self.inner = [name, {"name": name}]

    def __del__(self):
        self.log.append(("del", self.name))


def check(kind, sleep, wake):
    log, box, made, asleep = [], [], threading.Event(), threading.Event()

    def owner():
        for k in range(20):
            box.append(Thing(log, k))
            plain = Plain()
            plain.me = [k]
            box.append((weakref.ref(plain, lambda r, k=k: log.append(("callback", k))), plain))
            del plain
        made.set()
        sleep()
        asleep.clear()

    asleep.set()
    t = threading.Thread(target=owner)
    t.start()
    made.wait()
    time.sleep(0.02)
    seen = []
    for k in reversed(range(20)):
        ref, plain = box.pop()
        del plain
        thing = box.pop()
        del thing
        if not PROMPT:
            gc.collect()
        seen.append(ref() is None and sorted(log) == [("callback", k), ("del", k)] and asleep.is_set())
        log.clear()
        del ref
    # Without counts, words left on the sleeper's C stack keep the youngest few for a while.
    print(kind, all(seen) if PROMPT else sum(seen) >= 15, len(seen))
    wake()
    t.join()


done = threading.Event()


def nap():
    while not done.is_set():
        time.sleep(0.2)


check("sleep", nap, done.set)
a, b = socket.socketpair()
check("recv", lambda: a.recv(1), lambda: b.send(b"x"))
a.close()
b.close()
lock = threading.Lock()
lock.acquire()
check("lock", lock.acquire, lock.release)

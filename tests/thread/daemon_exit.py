# Daemon threads compute, wait and sleep while the process ends.
import atexit
import threading
import time


def compute():
    n = 0
    d = {}
    while True:
        n += 1
        d[n % 100] = [n]


def wait():
    threading.Event().wait()


def sleep():
    while True:
        time.sleep(0.001)


for f in (compute, compute, wait, sleep, sleep):
    threading.Thread(target=f, daemon=True).start()


def last():
    print("not a daemon: waited for")


t = threading.Timer(0.05, last)
t.start()
atexit.register(print, "atexit")
print("main ends")

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


main_ends = threading.Event()


def last():
    # An event, as five other threads may keep the main one from the lock for longer than any fixed time.
    main_ends.wait()
    time.sleep(0.05)
    print("not a daemon: waited for")


threading.Thread(target=last).start()
atexit.register(print, "atexit")
print("main ends")
main_ends.set()

# Lock, RLock, Condition, Semaphore, Event, Barrier, and their timeouts.
import threading
import time

from common import SCALE, run

N = 1500 * SCALE
T = 6
lock = threading.Lock()
n = 0


def count(i):
    global n
    for k in range(N):
        with lock:
            n += 1


run(T, count)
print("lock", n == T * N, lock.locked())

rlock = threading.RLock()
n = 0


def recount(i):
    global n
    for k in range(N // 2):
        with rlock:
            with rlock:
                rlock.acquire()
                n += 1
                rlock.release()


run(T, recount)
print("rlock", n == T * (N // 2))
try:
    rlock.release()
except RuntimeError as e:
    print(e)
try:
    lock.release()
except RuntimeError as e:
    print(e)
for bad in ((False, 1), (True, -2)):
    try:
        lock.acquire(*bad)
    except ValueError as e:
        print(e)
try:
    lock.acquire(True, 1e12)
except OverflowError as e:
    print(e)
print(lock.acquire(), lock.acquire(False), lock.acquire(timeout=0.01), lock.locked())
lock.release()

cond = threading.Condition()
items = []
out = []


def producer_consumer(i):
    if i % 2:
        for k in range(N // 4):
            with cond:
                items.append((i, k))
                cond.notify()
    else:
        for k in range(N // 4):
            with cond:
                while not items:
                    cond.wait()
                out.append(items.pop())


run(T, producer_consumer)
print("condition", len(out) == T // 2 * (N // 4), not items)

sem = threading.Semaphore(3)
inside = 0
most = 0


def semaphore(i):
    global inside, most
    for k in range(N // 5):
        with sem:
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1


run(T, semaphore)
print("semaphore", inside, most <= 3)

event = threading.Event()
seen = []


def wait_event(i):
    if i == 0:
        time.sleep(0.01)
        event.set()
    else:
        seen.append(event.wait(10))


run(T, wait_event)
print("event", seen == [True] * (T - 1), threading.Event().wait(0.01))

barrier = threading.Barrier(T)
turns = []


def rounds(i):
    for k in range(20):
        if barrier.wait() == 0:
            turns.append(k)


run(T, rounds)
print("barrier", turns == list(range(20)))

with cond:
    t0 = time.monotonic()
    print("wait times out", cond.wait(0.02), time.monotonic() - t0 >= 0.02)


# Many waiters on one lock: released once each, all get it.
lock.acquire()
order = []


def queue_up(i):
    with lock:
        order.append(i)


threads = [threading.Thread(target=queue_up, args=(i,)) for i in range(12)]
for t in threads:
    t.start()
time.sleep(0.02)
lock.release()
for t in threads:
    t.join()
print("waiters", sorted(order) == list(range(12)))

# A lock may be released by another thread.
lock.acquire()
threading.Timer(0.01, lock.release).start()
print(lock.acquire(timeout=10))
lock.release()

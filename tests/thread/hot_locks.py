# Threads that use one object at every moment keep its lock from one operation to the next, and so does a thread that
# nobody competes with. It must pass on when its holder turns to something else, sleeps, starts a process, ends, or when
# the object dies; and nothing may be lost.
import gc
import os
import sys
import threading
import time
import weakref

N = int(sys.argv[1]) if len(sys.argv) > 1 else 60000


def together(count, fn, *args):
    gate = threading.Barrier(count)

    def body(i):
        gate.wait()
        fn(i, *args)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


class Box:
    def __init__(self):
        self.value = 0
        self.other = None


def hammer(i, box, log, table, seen):
    append = log.append
    for k in range(N):
        append(k)
        box.value = k
        table[k] = i
        seen.add(k)


words = hammer.__code__.co_code
for count in (2, 5):
    box, log, table, seen = Box(), [], {}, set()
    together(count, hammer, box, log, table, seen)
    print(len(log) == count * N, sum(log) == count * sum(range(N)), len(table) == len(seen) == N, box.value == N - 1)


print(words == hammer.__code__.co_code)


def short_lived(i, gate, place, lost):
    """A list and an object after the other, most of them where the last ones were."""
    for r in range(30):
        if i == 0:
            place[:] = [], Box()
        gate.wait()
        log, box = place
        append = log.append
        for k in range(N // 30):
            append(k)
            box.value = r
            box.other = log
        if gate.wait() == 0:
            lost.append(2 * (N // 30) - len(log))
            place.clear()
        del log, box, append
        gate.wait()


lost = []
together(2, short_lived, threading.Barrier(2), [], lost)
print(len(lost), sum(lost))


def turns(i, log, done):
    """Each is busy with the list, then for a while with something else."""
    append = log.append
    for r in range(6):
        for k in range(N // 12):
            append((i, r))
        if r % 3 == 0:
            sum(range(200000))
        elif r % 3 == 1:
            time.sleep(0.001)
        else:
            gc.collect(0)
    done.append(i)


log, done = [], []
together(4, turns, log, done)
print(len(log) == 4 * 6 * (N // 12), sorted(done))
for i in range(4):
    mine = [r for who, r in log if who == i]
    assert mine == sorted(mine), "the order of one thread's operations"


def last_user(i, holder, alive):
    """The list dies while one of the threads may still keep its lock."""
    shared = holder[0]
    append = shared.append
    for k in range(N // 6):
        append(k)
    del shared, append
    alive.acquire()
    holder[1] -= 1
    if holder[1] == 0:
        del holder[0]
    alive.release()
    more = [0] * 50
    for k in range(2000):
        more[k % 50] = [k]


class Dying(list):
    pass


for r in range(10):
    one = Dying()
    holder, alive = [one, 3], threading.Lock()
    gone = weakref.ref(one)
    del one
    together(3, last_user, holder, alive)
    gc.collect()
    assert gone() is None
    fresh = [Dying() for _ in range(200)]  # whoever gets the memory finds its lock free
    for f in fresh:
        f.append(r)
print("died")


def forker(i, log, codes):
    append = log.append
    for k in range(N // 4):
        append(i)
        if i == 0 and k % (N // 20) == N // 40:
            pid = os.fork()
            if pid == 0:
                append(i)  # the parent's threads are gone, and keep no lock here
                os._exit(log.count(99) + 7)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


log, codes = [], []
together(3, forker, log, codes)
print(len(log) == 3 * (N // 4), codes)


def alone(i, boxes, table, log):
    """Objects that others could use, one after the other; each dies right behind its last use."""
    while True:
        try:
            box = boxes.pop()
        except IndexError:
            break
        for k in range(40):
            box.value = k
        box.other = box.value
    for k in range(N // 20):
        table.update({(i, k): [k]})  # with a dict of this thread's own, which dies
    for r in range(5):
        for k in range(100):
            log.append(r)
        sorted(range(N, 0, -1))  # no look at those who wait


def others(log, table):
    for r in range(50):
        log.append(r)
        table[r] = r
        time.sleep(0.0005)


boxes, table, log = [Box() for _ in range(400)], {}, []
threads = [threading.Thread(target=alone, args=(0, boxes, table, log)), threading.Thread(target=others, args=(log, table))]
for t in threads:
    t.start()
for t in threads:
    t.join()
fresh = [Box() for _ in range(400)]
for k, f in enumerate(fresh):
    f.value = k
print(len(boxes), len(table) == N // 20 + 50, len(log), sum(f.value for f in fresh))
together(2, alone, [Box() for _ in range(400)], table, log)
print(len(table) == 2 * (N // 20) + 50, len(log), gc.collect() >= 0)

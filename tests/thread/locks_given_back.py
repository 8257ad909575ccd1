# Who waits for a condition has its lock again, whatever comes; of two threads that release a lock once too often one
# gets RuntimeError; timeouts that are no numbers.
import os
import queue
import signal
import threading
import time

from common import SCALE, run

condition = threading.Condition()
caught = []


def handler(*args):
    caught.append(1)
    raise KeyboardInterrupt


def disturb():
    with condition:
        time.sleep(0.3)  # the main thread sleeps by then, past the last moment where a signal leaves it without the lock
        os.kill(os.getpid(), signal.SIGUSR1)
        while not caught:
            time.sleep(0.001)
        time.sleep(0.3)  # the main thread waits for the lock by then
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.05)


signal.signal(signal.SIGUSR1, handler)
for _ in range(2):
    caught.clear()
    t = threading.Thread(target=disturb)
    with condition:
        try:
            t.start()
            condition.wait()
        except KeyboardInterrupt:
            pass
        assert condition._is_owned()
    t.join()
    assert len(caught) == 2, caught

lock = threading.Lock()
meet = threading.Barrier(2)
failed = []


def release(index):
    for _ in range(300 * SCALE):
        meet.wait()
        if index == 0:
            lock.acquire()
        meet.wait()
        try:
            lock.release()
        except RuntimeError as e:
            assert str(e) == "release unlocked lock", e
            failed.append(index)
        meet.wait()
        assert not lock.locked()


run(2, release)
assert len(failed) == 300 * SCALE, len(failed)

for timeout, error in (float("nan"), ValueError), (1e300, OverflowError), (-1, ValueError):
    try:
        queue.SimpleQueue().get(timeout=timeout)
    except error:
        pass
    else:
        assert False, timeout

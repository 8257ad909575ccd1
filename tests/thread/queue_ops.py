# queue.Queue, SimpleQueue, LifoQueue, PriorityQueue, concurrent.futures between threads.
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

from common import SCALE, run

N = 500 * SCALE
for kind in (queue.Queue, queue.LifoQueue, queue.PriorityQueue, queue.SimpleQueue):
    for size in (0, 4):
        if size and kind is queue.SimpleQueue:
            continue
        q = kind(size) if size else kind()
        got = [[] for _ in range(6)]

        def work(i):
            if i % 2:
                for k in range(N):
                    q.put((i, k))
            else:
                for k in range(N):
                    got[i].append(q.get(timeout=30))

        run(6, work)
        flat = sorted(x for g in got for x in g)
        print(kind.__name__, size, flat == sorted((i, k) for i in (1, 3, 5) for k in range(N)), q.empty())
q = queue.Queue(1)
for f in (q.get_nowait, lambda: q.get(timeout=0.01), lambda: (q.put(1), q.put(2, timeout=0.01))):
    try:
        f()
    except (queue.Empty, queue.Full) as e:
        print(type(e).__name__)
q = queue.Queue()


def worker(i):
    while True:
        item = q.get()
        q.task_done()
        if item is None:
            return


def feed():
    for k in range(N):
        q.put(k)
    q.join()
    for _ in range(3):
        q.put(None)


t = threading.Thread(target=feed)
t.start()
run(3, worker)
t.join()
print("task_done")
with ThreadPoolExecutor(4) as pool:
    print("pool", sum(pool.map(lambda x: x * x, range(200))), pool.submit(divmod, 7, 3).result())
    f = pool.submit(lambda: 1 / 0)
    print(type(f.exception()).__name__)

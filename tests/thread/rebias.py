# Objects whose makers sleep, used by one thread for long and then by another: nobody loses or keeps them.
import gc
import threading
import time
import weakref

from common import PROMPT, SCALE, run


class Part:
    def __init__(self, k):
        self.k, self.name = k, "part"


class Job:
    def __init__(self, k, log):
        self.k, self.total, self.log = k, 0, log
        self.part = Part(k)
        self.items = [Part(k) for _ in range(4)]

    def __del__(self):
        self.log.append(self.k)


def use(job, n):
    """Counts the job and what it refers to again and again."""
    for _ in range(n):
        for item in job.items:
            if item.name is not job.part.name:
                raise AssertionError(item.name)
        job.total += job.part.k


def die(log, n, parts=()):
    """Whether n jobs and all parts have died; what a running thread owns, one that ends for instance, dies at its next safepoint."""
    deadline = time.monotonic() + (5 if PROMPT else 0.5)
    while (len(log) < n or any(p() is not None for p in parts)) and time.monotonic() < deadline:
        if not PROMPT:
            gc.collect()
        time.sleep(0.001)
    # Without counts, words left on a C stack keep the youngest few for a while.
    alive = n - len(log) + sum(p() is not None for p in parts)
    return len(set(log)) == len(log) and alive <= (0 if PROMPT else min(10, n // 4))


JOBS = 200 * SCALE
USES = 60 * SCALE


def hand_on():
    """The main thread makes jobs and forgets them; each goes through all workers, and dies with the last."""
    log, parts = [], []
    stages = [[] for _ in range(4)]
    for k in range(JOBS):
        job = Job(k, log)
        parts.append(weakref.ref(job.part))
        stages[0].append(job)
    del job
    more = [threading.Semaphore(JOBS if i == 0 else 0) for i in range(4)]

    def worker(i):
        for k in range(JOBS):
            more[i].acquire()
            job = stages[i].pop()
            use(job, USES)
            if job.total != job.k * USES * (i + 1):
                raise AssertionError((i, job.k, job.total))
            if i < 3:
                stages[i + 1].append(job)
                more[i + 1].release()

    run(4, worker)
    print("handed on", die(log, JOBS, parts))


def in_turns():
    """Threads use the same jobs in turns, each for long while the others sleep."""
    log = []
    jobs = [Job(k, log) for k in range(8)]
    turn = threading.Condition()
    whose = 0

    def worker(i):
        nonlocal whose
        for _ in range(10):
            with turn:
                turn.wait_for(lambda: whose == i)
                for job in jobs:
                    use(job, USES)
                whose = (i + 1) % 3
                turn.notify_all()

    run(3, worker)
    print("in turns", all(job.total == job.k * USES * 30 for job in jobs), log == [])
    del jobs[:]
    print("dead", die(log, 8))


def owner_awakes():
    """The maker comes back now and then, and counts what has become another's."""
    log = []
    jobs = [Job(k, log) for k in range(8)]
    looks = rounds = 0

    def worker():
        nonlocal rounds
        while looks < 20:
            for job in jobs:
                use(job, USES)
            rounds += 1

    t = threading.Thread(target=worker)
    t.start()
    while looks < 20:
        time.sleep(0.001)
        looks += sum(job.part.k == job.k and len([job.items[0]]) for job in jobs) == 8
    t.join()
    del t
    print("owner awakes", rounds > 0, all(job.total == job.k * USES * rounds for job in jobs))
    jobs.clear()
    print("dead", die(log, 8))


gc.disable()
hand_on()
in_turns()
owner_awakes()

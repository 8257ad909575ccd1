# Several threads on the same containers. Operations that are atomic under a global lock must lose nothing; the rest must not crash.
import _thread
import itertools
import sys
import time
from collections import OrderedDict, defaultdict, deque

N_THREADS = 4
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 300
failures = []


def together(*functions):
    left = [len(functions) * N_THREADS]
    done = _thread.allocate_lock()
    done.acquire()
    guard = _thread.allocate_lock()

    def run(f, n):
        try:
            f(n)
        except Exception as e:
            failures.append((f.__name__, type(e).__name__, str(e)))
        with guard:
            left[0] -= 1
            if left[0] == 0:
                done.release()

    for f in functions:
        for n in range(N_THREADS):
            _thread.start_new_thread(run, (f, n))
    done.acquire()


def check(name, ok):
    print(name, "ok" if ok else "FAILED")


# list.append, extend, +=, pop
l = []


def append(n):
    for i in range(ROUNDS * 10):
        l.append((n, i))


together(append)
check("append", len(l) == len(set(l)) == N_THREADS * ROUNDS * 10)


def extend(n):
    global l
    for i in range(ROUNDS):
        l.extend([n] * 7)
        l += (n, n, n)


l = []
keep = l
together(extend)
check("extend", len(l) == N_THREADS * ROUNDS * 10 and all(l.count(n) == ROUNDS * 10 for n in range(N_THREADS)))

l = list(range(N_THREADS * ROUNDS * 5))
popped = [[] for _ in range(N_THREADS)]


def pop(n):
    while True:
        try:
            popped[n].append(l.pop())
            popped[n].append(l.pop(0))
        except IndexError:
            return


together(pop)
check("pop", sorted(sum(popped, [])) == list(range(N_THREADS * ROUNDS * 5)))

# reading while others change
l = [str(i) for i in range(100)]
stop = []


def churn(n):
    for i in range(ROUNDS):
        l.append(str(i))
        l.insert(0, str(i))
        l[5:10] = [str(i)] * 3
        del l[3:5]
        l[1] = str(n)
        l.reverse()
        l.sort()
        if len(l) > 200:
            l.clear()
            l.extend(map(str, range(100)))


def read(n):
    for i in range(ROUNDS):
        for v in l:
            v.upper()
        for j in range(20):
            try:
                l[j].upper()
                l[-j].upper()
            except IndexError:
                pass
        l[:]
        l + l
        l * 2
        "5" in l
        l.count("7")
        sorted(l)
        l == list(l)
        repr(l)


together(churn, read)
check("list churn", all(isinstance(v, str) for v in l))

# dict: different keys, the same key, deletion, iteration
d = {}


def store(n):
    for i in range(ROUNDS * 10):
        d[n, i] = i
        d["k%d.%d" % (n, i)] = i


together(store)
check("store", len(d) == N_THREADS * ROUNDS * 20 and all(d[n, i] == i for n in range(N_THREADS) for i in range(ROUNDS * 10)))

d = {}
wins = [0] * N_THREADS


def default(n):
    for i in range(ROUNDS * 5):
        if d.setdefault(i, n) == n:
            wins[n] += 1


together(default)
check("setdefault", sum(wins) == ROUNDS * 5 == len(d))

d = {i: i for i in range(ROUNDS * 20)}
got = [[] for _ in range(N_THREADS)]


def popitem(n):
    while True:
        try:
            got[n].append(d.popitem()[0])
        except KeyError:
            return


together(popitem)
check("popitem", sorted(sum(got, [])) == list(range(ROUNDS * 20)))

d = {str(i): str(i) for i in range(50)}


def dict_churn(n):
    for i in range(ROUNDS * 3):
        d[str(i % 60)] = str(i)
        d.pop(str((i * 7) % 60), None)
        d[i % 50 + 0.5] = n
        if i % 50 == 0:
            d.clear()
            d.update({str(j): "x" for j in range(30)})


def dict_read(n):
    for i in range(ROUNDS):
        try:
            for k, v in d.items():
                str(k), str(v)
        except RuntimeError:
            pass
        d.get(str(i % 60))
        str(i % 60) in d
        list(d)
        d.copy()
        dict(d)
        repr(d)
        list(map(str, list(d.values())))
        d == dict(d)
        d | {"z": 1}


together(dict_churn, dict_read)
check("dict churn", isinstance(d, dict))


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 3

    def __eq__(self, other):
        return self.n == other.n


d = {}


def slow_keys(n):
    for i in range(ROUNDS // 3):
        d[Key(i % 20)] = n
        d.get(Key(i % 25))
        d.pop(Key((i * 3) % 20), None)


together(slow_keys)
check("slow keys", len(d) <= 20 and len({k.n for k in d}) == len(d))

# set
s = set()


def add(n):
    for i in range(ROUNDS * 10):
        s.add((n, i))
        s.add(i)


together(add)
check("add", len(s) == (N_THREADS + 1) * ROUNDS * 10)
taken = [[] for _ in range(N_THREADS)]


def set_pop(n):
    while True:
        try:
            taken[n].append(s.pop())
        except KeyError:
            return


together(set_pop)
check("set pop", len(set(sum(taken, []))) == len(sum(taken, [])) == (N_THREADS + 1) * ROUNDS * 10)
s = set(map(str, range(50)))


def set_churn(n):
    for i in range(ROUNDS * 3):
        s.add(str(i % 80))
        s.discard(str(i * 7 % 80))
        if i % 100 == 0:
            s.clear()
            s.update(map(str, range(40)))


def set_read(n):
    for i in range(ROUNDS):
        str(i % 80) in s
        try:
            for v in s:
                v.upper()
        except RuntimeError:
            pass
        s | {"q"}, s & {"1", "2"}, s - {"3"}, s ^ {"4"}
        s <= set(s)
        len(s)
        list(s)


together(set_churn, set_read)
check("set churn", all(isinstance(v, str) for v in s))

# deque, next(count), shared iterators
q = deque()


def put(n):
    for i in range(ROUNDS * 10):
        q.append((n, i))
        q.appendleft((n, -i - 1))


together(put)
check("deque append", len(q) == len(set(q)) == N_THREADS * ROUNDS * 20)
q = deque(range(ROUNDS * 20))
out = [[] for _ in range(N_THREADS)]


def take(n):
    while True:
        try:
            out[n].append(q.popleft())
            out[n].append(q.pop())
        except IndexError:
            return


together(take)
check("deque pop", sorted(sum(out, [])) == list(range(ROUNDS * 20)))


def deque_churn(n):
    for i in range(ROUNDS * 3):
        q.append(str(i))
        q.rotate(3)
        try:
            q[0], q[-1]
            q.popleft()
            for v in q:
                v.upper()
        except (IndexError, RuntimeError):
            pass
        if len(q) > 50:
            q.clear()


together(deque_churn)
check("deque churn", all(isinstance(v, str) for v in q))

counter = itertools.count()
counted = [[] for _ in range(N_THREADS)]


def count(n):
    counted[n] = [next(counter) for _ in range(ROUNDS * 10)]


together(count)
check("count", sorted(sum(counted, [])) == list(range(N_THREADS * ROUNDS * 10)))
for make in (lambda: iter(range(ROUNDS * 10)), lambda: iter(list(range(ROUNDS * 10))), lambda: iter(tuple(range(ROUNDS * 10))), lambda: iter(dict.fromkeys(range(ROUNDS * 10))), lambda: iter(set(range(ROUNDS * 10)))):
    it = make()
    parts = [[] for _ in range(N_THREADS)]

    def share(n):
        parts[n] = list(it)

    together(share)
    check("shared " + type(it).__name__, sorted(sum(parts, [])) == list(range(ROUNDS * 10)))

its = [itertools.chain("ab" * ROUNDS, "cd"), itertools.cycle("abc"), itertools.islice(range(ROUNDS * 5), 1, None, 2), itertools.accumulate(range(ROUNDS)), enumerate("x" * ROUNDS),
       zip("x" * ROUNDS, range(ROUNDS)), itertools.product("ab", repeat=6), itertools.groupby("aabb" * ROUNDS), itertools.pairwise(range(ROUNDS)), itertools.zip_longest("ab" * ROUNDS, "c"), reversed(list("x" * ROUNDS)),
       itertools.permutations(range(5)), itertools.tee(range(ROUNDS))[0], map(str, range(ROUNDS)), filter(None, range(ROUNDS))]


def pull(n):
    for it in its:
        try:
            for v in itertools.islice(it, ROUNDS * 2):
                repr(v)
        except RuntimeError:
            pass


together(pull)
check("iterators", True)

dd = defaultdict(list)
od = OrderedDict((i, i) for i in range(50))


def mixed(n):
    for i in range(ROUNDS):
        dd[i % 10].append(n)
        od[i % 60] = i
        try:
            od.move_to_end(i * 7 % 60, last=i % 2)
        except KeyError:
            pass
        od.popitem(last=i % 3 == 0) if len(od) > 40 else None


together(mixed)
check("defaultdict", sum(map(len, dd.values())) > 0 and len(od) <= 60)

big = [str(i * 7919 % 1000) for i in range(2000)]


def sorter(n):
    for i in range(10):
        big.sort(reverse=i % 2)
        big.append(str(i))


together(sorter)
check("sort", len(big) == 2000 + N_THREADS * 10)
print(failures)

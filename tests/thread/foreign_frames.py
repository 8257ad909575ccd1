# Frames of running threads are read by others: line, locals and callers, while they change.
import sys
import threading

stop = False
sys.setswitchinterval(1e-4)


def inner(n):
    items = [n, str(n)]
    pair = (n, items)
    total = 0
    for i in range(50):
        items.append(i)
        total += len(items)
    return total + len(pair)


def work():
    n = 0
    while not stop:
        n += 1
        inner(n)


threads = [threading.Thread(target=work) for _ in range(3)]
for t in threads:
    t.start()
idents = {t.ident for t in threads}
seen = set()
kept = []
rounds = 0
while rounds < 300 or not {"inner", "work"} <= seen:
    rounds += 1
    for ident, frame in sys._current_frames().items():
        if ident not in idents:
            continue
        while frame is not None:
            seen.add(frame.f_code.co_name)
            assert frame.f_lineno is None or frame.f_lineno > 0
            values = dict(frame.f_locals)
            if "items" in values and len(kept) < 1000:
                kept.append(values["items"])
                values["items"].append("foreign")
            frame = frame.f_back
stop = True
for t in threads:
    t.join()
print({"inner", "work"} <= seen, all(type(k) is list for k in kept))

# Large containers that are dead do not pile up, though nobody uses the memory pages of their objects again.
import sys



def peak_kib():
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])


def keeps_freed_memory():
    """A sanitizer's allocator does, for a while, and a backend that frees nothing."""
    try:
        from _polygil import backend
    except ImportError:
        return False
    with open("/proc/self/maps") as f:
        return "san.so" in f.read() or backend == "leak"


def fill_list(n=1_000_000):
    items = []
    for i in range(n):
        items.append(i)
    return items


def fill_dict(n=300_000):
    items = {}
    for i in range(n):
        items[i] = i
    return items


def fill_set(n=300_000):
    items = set()
    for i in range(n):
        items.add(i)
    return items


for fill in fill_list, fill_dict, fill_set:
    for _ in range(4):
        n, size = len(fill()), sys.getsizeof(fill())
    first = peak_kib()
    for _ in range(36):
        fill()
    # Two that are dead, where collections fall badly; those that piled up were five and more.
    tables = (peak_kib() - first) * 1024 / size
    print(fill.__name__, n, tables < 2.5 or keeps_freed_memory() or tables)

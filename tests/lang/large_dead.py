# Large lists that are dead do not pile up, though nobody uses the memory pages of their objects again.


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


def fill_list():
    items = []
    for i in range(1_000_000):
        items.append(i)
    return len(items)


for fill in (fill_list,):
    for _ in range(4):
        n = fill()
    first = peak_kib()
    for _ in range(16):
        fill()
    grown = peak_kib() - first
    print(fill.__name__, n, grown < 12_000 or keeps_freed_memory() or grown)

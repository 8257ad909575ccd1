"""_polygil.watch takes weak references, and None, while threads run; what it prints goes to stderr."""
import gc
import os
import threading
import weakref

try:
    from _polygil import watch
except ImportError:  # CPython

    def watch(ref):
        if ref is not None and not isinstance(ref, weakref.ref):
            raise TypeError("a weak reference or None is required")


class Node:
    pass


def round_(n):
    node = Node()
    node.me = node
    for _ in range(n):
        watch(weakref.ref(node))
    watch(None)


saved = os.dup(2)
null = os.open(os.devnull, os.O_WRONLY)
os.dup2(null, 2)
threads = [threading.Thread(target=round_, args=(200,)) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
keep = Node()
watch(weakref.ref(keep))
gc.collect()
watch(None)
gc.collect()
os.dup2(saved, 2)
for bad in (5, "x", Node()):
    try:
        watch(bad)
    except TypeError as e:
        print(e)
print(type(keep).__name__)

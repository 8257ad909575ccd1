"""The first thread starts while what a collection found dead is still waiting to be swept: dead objects refer to cells that were given out again."""
import threading


class Node:
    def __init__(self, value, text):
        self.value = value
        self.text = text
        self.pair = (value, text)


def garbage(n):
    for i in range(n):
        try:
            raise OSError(i, "text %d" % i, Node(i, [str(i)]))
        except OSError as e:
            kept = Node(e, {i: "x%d" % i})
    return kept


last = garbage(40_000)
texts = ["again %d" % i for i in range(3_000)]
lists = [[i] for i in range(3_000)]
result = []
t = threading.Thread(target=lambda: result.append(len(texts) + len(lists)))
t.start()
t.join()
print(result, last.value.args[0], texts[-1], lists[-1])

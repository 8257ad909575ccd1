# Indexes and slices that count from a list's end while other threads change what lies in front of it: the length and
# the items are those of one moment.
from common import SCALE, run

TAIL = ["third", "second", "last"]
items = TAIL[:]
done = False


def change_front():
    global done
    for i in range(20000 * SCALE):
        items.insert(0, i)
        items.insert(0, [i])
        items.pop(0)
        del items[:1]
        items[0:0] = [i, i, i]
        del items[0:3]
    done = True


def read():
    minus = -3
    while not done:
        assert items[-1] == "last" and items[-2] == "second" and items[minus] == "third", items[-4:]
        assert items[-2:] == TAIL[-2:] and items[:-4:-1] == TAIL[::-1] and items[-3:-1] == TAIL[:-1], items[-4:]
        assert [x for x in [items.__getitem__(-1), items.__getitem__(slice(-1, None))[0]] if x != "last"] == []


def write():
    minus = -3
    while not done:
        items[-1] = "last"
        items[-2:] = TAIL[-2:]
        items[minus] = "third"
        items[-3:-1] = TAIL[:-1]
        items.__setitem__(-1, "last")


run(3, lambda index: (change_front, read, write)[index]())
assert items == TAIL, items


# A list that its key function publishes while it is sorted: who finds it sorted shares the items too.
class Item:
    def __init__(self, n):
        self.n = [n]


published = None


def sort(index):
    global published
    if index:
        while not done:
            found = published
            if found:
                assert len(found) in (0, 50)
                got = found[:]
                assert [x.n[0] for x in got] == list(range(len(got)))
        return
    for i in range(150 * SCALE):
        mine = [Item(49 - n) for n in range(50)]

        def key(item):
            global published
            published = mine
            return item.n[0]

        mine.sort(key=key)
        for k in range(20):
            assert mine[k].n == [k]


def sort_all(index):
    global done
    try:
        sort(index)
    finally:
        done = True


done = False
run(3, sort_all)

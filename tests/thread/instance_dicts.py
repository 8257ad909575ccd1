"""Reading attributes of an instance while another thread asks for its __dict__ the first time: none may be missing for a moment."""
import os
import sys
import threading

from common import SCALE

N = 6000 * SCALE


class Few:
    a = b = None

    def __init__(self, n):
        self.a = n
        self.b = n + 1


class Many(Few):
    def __init__(self, n):
        super().__init__(n)
        for i in range(20):
            setattr(self, "x%d" % i, i)
        self.b = n + 1


class Hand:
    def __init__(self):
        self.object = None
        self.stored = 0


def ask(hand, rounds):
    seen = None
    for i in range(rounds):
        while hand.object is seen:
            os.sched_yield()
        seen = hand.object
        seen.__dict__["z"] = i
        hand.stored = i + 1


def read(hand, rounds, cls):
    wrong = looks = 0
    for i in range(rounds):
        o = cls(i)
        hand.object = o
        while hand.stored <= i:
            wrong += o.a != i
            wrong += o.b != i + 1
            wrong += getattr(o, "a", None) != i
            wrong += not hasattr(o, "b")
            looks += 1
            if looks % 50 == 0:
                os.sched_yield()  # on a busy machine the other may have no core
        wrong += o.z != i
    return wrong


sys.setswitchinterval(1e-5)
for cls in Few, Many:
    hand = Hand()
    t = threading.Thread(target=ask, args=(hand, N))
    t.start()
    print(cls.__name__, read(hand, N, cls))
    t.join()

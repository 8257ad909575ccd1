# d[k] and d[k] = v at the same sites with every kind of key, found and not found, in dicts of all table widths.


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return hash(self.n)

    def __eq__(self, other):
        return (other.n if isinstance(other, Key) else other) == self.n

    def __repr__(self):
        return "Key(%r)" % self.n


class Sub(str):
    def __hash__(self):
        return str.__hash__(self)


def get(d, k):
    try:
        return d[k]
    except Exception as e:
        return type(e).__name__, str(e)


def put(d, k, v):
    try:
        d[k] = v
    except Exception as e:
        return type(e).__name__, str(e)


M = 2**61 - 1
KEYS = [0, -1, -2, 1, M, -M, M - 1, 1 - M, M + 1, 2**62, -(2**62), 2**64, 0.0, -1.0, 1.5, True, False, None, "", "a", "0", "é", "日本",
        "".join(["a", "b"]), "ab", Sub("ab"), b"ab", (1, 2), (1, (2, "x")), Key(1), Key("a"), Key(-1), frozenset([1]), int, [], {}]

for size in (0, 3, 100, 300, 70000):
    d = {("filler", i): i for i in range(size)}
    seen = []
    for turn in range(3):
        for k in KEYS:
            before = get(d, k)
            failed = put(d, k, (turn, str(k)))
            seen.append((before, failed, get(d, k), len(d) - size))
    print(size, len(d))
    for line in seen:
        print(line)

# Collisions on one slot, tombstones in between, and keys that are equal but not the same.
d = {}
for i in range(40):
    d[i << 20] = i
for i in range(0, 40, 3):
    del d[i << 20]
for i in range(40):
    print(get(d, i << 20), end=" ")
    d["%d" % (i << 20)] = -i
    d["%d" % (i << 20)] += 1
print()
print(sorted(d.items(), key=str)[:12], len(d))
d[0] = "zero again"
print(list(d)[0], list(d)[-1], d[0], d[False], d[0.0])


# One site: dict, list, bytearray, user class, in turn; constant keys too.
class Box:
    def __setitem__(self, k, v):
        print("set", k, v)

    def __getitem__(self, k):
        return "got", k


class Default(dict):
    def __missing__(self, k):
        return "missing", k


def site(o, k, v):
    o[k] = v
    return o[k]


def constant(o):
    return get_x(o), o["y"]


def get_x(o):
    return o["x"]


for turn in range(3):
    for o in ({}, [0, 0, 0], bytearray(3), Box(), Default(), {"x": 1, 1: 2}):
        print(type(o).__name__, site(o, 1, turn))
for o in ({"x": 1, "y": 2}, Default(x=3), Box(), {"y": 1}, [1], "xy"):
    try:
        print(constant(o))
    except Exception as e:
        print(type(e).__name__, e)


# The old value dies inside the store, and changes the dict.
class Loud:
    def __del__(self):
        d2.get("k"), len(d2)
        d2["last"] = None


d2 = {}
for k in ("k", "k", 1, 1):
    d2[k] = Loud()
    if k == "k":
        d2[k] = "plain"
print(d2["k"], type(d2[1]).__name__)
d2.clear()

# Temporary keys and values.
d3 = {}
for i in range(5):
    d3["%s" % i] = [i] * 3
    d3[(i, i)] = d3["%s" % i]
    d3[i + 0.5] = d3[(i, i)].pop()
print(d3)

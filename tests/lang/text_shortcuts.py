"""One character for another, lists of characters, any and all: the short ways and the long ones give the same."""
import string


class Text(str):
    def __iter__(self):
        return iter("own")


class Odd:
    def __bool__(self):
        raise ValueError("neither")


for s in ("", "o", "xoox", "hello world, o", "ooo" * 40, "x" * 300, "\xe9o\xe9", "o\u20aco", string.printable):
    for a, b in (("o", "0"), ("o", "o"), ("o", ""), ("o", "\xe9"), ("\xe9", "e"), ("", "-"), ("oo", "00"), ("\n", " ")):
        for count in (-1, 0, 1, 2, 5, 10**20 // 10**19, 1000):
            r = s.replace(a, b, count)
            if a:
                parts = s.split(a, count) if count >= 0 else s.split(a)
                assert r == b.join(parts), (s, a, b, count, r)
    print(ascii(s.replace("o", "0"))[:70], ascii(s.replace("o", "0", 2))[:70])
    chars = list(s)
    assert chars == [s[i] for i in range(len(s))] == [*s] and "".join(chars) == s
    chars.append("end")
    chars.pop(0)
    print(len(chars), len(set(chars)))
print(list(Text("abc")), Text("abc").replace("a", "b"), type(Text("abc").replace("z", "y")).__name__)
big = "ab" * 20000
print(len(list(big)), list(big)[-3:], big.replace("a", "c").count("c"), len(sorted(big)))
for items in ([], [0] * 2000, [0] * 1999 + [1], (0.0, "", (), {}, None), "", "a", {0: 1}, iter([0, [], 3]), (x for x in [0, 0])):
    print(any(items), end=" ")
print()
for items in ([], [1] * 2000, [1] * 1999 + [0], (0.5, "x", (1,), {1}, True), "", {0: 1}, map(int, "1101")):
    print(all(items), end=" ")
print()
for f in any, all:
    for items in ([Odd()], [0, Odd()], [1, Odd()], 5, [1, 0, Odd()]):
        try:
            print(f(items))
        except (ValueError, TypeError) as e:
            print(type(e).__name__, e)

# Conversions of one letter, and those that look like them.
for fmt in ("%s", "%d", "%s%d", "%d%%", "%%%s", "é%s", "%s日", "%x", "%c", "%5d", "%-5s|", "%.2s", "%s %s", "%", "%q", "%d %", ""):
    for args in (5, -5, 0, 2**61, -(2**62), 2**62, 2**70, True, None, 1.5, "t", "é", (), (1,), (1, "x"), ("x", 1), (1, 2, 3), {"a": 1}, [1]):
        try:
            print(repr(fmt % args))
        except Exception as e:
            print(fmt, type(e).__name__, e)
for fmt in (b"%s", b"%d", b"%b", b"%d%%", b"%a"):
    for args in (5, b"x", "x", (1,), (b"y",), None, 2**70, -1, bytearray(b"z")):
        try:
            print(fmt % args)
        except Exception as e:
            print(fmt, type(e).__name__, e)


class I(int):
    def __str__(self):
        return "I!"


class S(str):
    def __str__(self):
        return "S!"


print("%s %d %s" % (I(3), I(3), S("x")))
for i in (0, 9, 10, 99, 100, 101, 999, 1000, 12345, 10**18, 2**62 - 1, -1, -10, -100, -(2**62)):
    print(str(i), repr(i), f"{i}", "%d" % i, "{}".format(i), "{:d}".format(i))
print("a b  c\t\x1c d\x1f\x85e\u2003f".split(), "a,b,,c".split(","), "a b".split(maxsplit=0), " x ".split(), "".split(), "x".split("x"))
print(" ".join(str(i) for i in range(40)).split()[-3:], ",".join("ab" * 20).split(",", 5))

"""Strings: split, join, formatting, concatenation, search and replace."""
GROUP = "single"

TEXT = "The quick brown fox jumps over the lazy dog while 42 owls watch and wonder. " * 12


def caesar(text, shift):
    out = []
    for ch in text:
        if "a" <= ch <= "z":
            out.append(chr((ord(ch) - 97 + shift) % 26 + 97))
        else:
            out.append(ch)
    return "".join(out)


def work(scale, state):
    total = 0
    for i in range(scale):
        words = TEXT.split()
        line = "-".join(w.capitalize() for w in words)
        line = line.replace("Fox", "cat").upper()
        total += line.find("LAZY")
        acc = ""
        for w in words:
            acc += w[0]
        total += len(acc) + len("%s:%05d" % (acc, i)) + len(f"{i:>10}|{line[:20]!r}")
        total += caesar(TEXT[:200], i % 26).count("e")
    return total


SCALE = 1600

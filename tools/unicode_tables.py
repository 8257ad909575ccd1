#!/usr/bin/python3.11
"""Writes core/object/unicode_tables.c: properties of Unicode that utf8proc does not have, as exceptions to what follows from the category.

Run with the reference interpreter, so that both agree: tools/unicode_tables.py > core/object/unicode_tables.c
"""
import ctypes
import unicodedata as u
from fractions import Fraction

ALL = [chr(i) for i in range(0x110000)]


def ranges(pred):
    out = []
    for i, c in enumerate(ALL):
        if pred(c):
            if out and out[-1][1] == i - 1:
                out[-1][1] = i
            else:
                out.append([i, i])
    return out


def emit_ranges(name, pred):
    r = ranges(pred)
    print(f"const UnicodeRange {name}[] = {{")
    line = "   "
    for lo, hi in r:
        item = f" {{0x{lo:x}, 0x{hi:x}}},"
        if len(line) + len(item) > 120:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};")
    print(f"const size_t {name}_len = {len(r)};\n")


def emit_case(name, simple, full):
    """Code points whose mapping is not the simple one."""
    rows = []
    for c in ALL:
        if 0xD800 <= ord(c) < 0xE000:
            continue
        m = full(c)
        if m != simple(c):
            rows.append((ord(c), [ord(x) for x in m]))
    print(f"const UnicodeMap {name}[] = {{")
    line = "   "
    for c, m in rows:
        m = m + [0] * (3 - len(m))
        item = f" {{0x{c:x}, {{{', '.join(hex(x) if x else '0' for x in m)}}}}},"
        if len(line) + len(item) > 120:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};")
    print(f"const size_t {name}_len = {len(rows)};\n")


def only_single(f):
    def g(c):
        m = f(c)
        return m if len(m) == 1 else None
    return g


print("""/* Written by tools/unicode_tables.py; do not edit. */
#include "object/unicode_impl.h"
""")
# Characters that utf8proc knows and the reference does not yet.
utf8proc = ctypes.CDLL("libutf8proc.so.2")
emit_ranges("unicode_newer", lambda c: u.category(c) == "Cn" and utf8proc.utf8proc_category(ord(c)) != 0)
emit_ranges("unicode_other_lower", lambda c: c.islower() and u.category(c) != "Ll")
emit_ranges("unicode_other_upper", lambda c: c.isupper() and u.category(c) != "Lu")


def ignorable(c):
    return ("a" + c + "\u03a3").lower()[-1] == "\u03c2" and (" " + c + "\u03a3").lower()[-1] != "\u03c2"


emit_ranges("unicode_case_ignorable", lambda c: ignorable(c) != (u.category(c) in ("Mn", "Me", "Cf", "Lm", "Sk")))
START = ("Lu", "Ll", "Lt", "Lm", "Lo", "Nl")
CONT = START + ("Mn", "Mc", "Nd", "Pc")
emit_ranges("unicode_id_start", lambda c: c.isidentifier() != (u.category(c) in START))
emit_ranges("unicode_id_continue", lambda c: ("a" + c).isidentifier() != (u.category(c) in CONT))
# Mappings to several code points; casefold: whatever is not the lower case.
emit_case("unicode_upper", lambda c: c.upper() if len(c.upper()) == 1 else None, str.upper)
emit_case("unicode_lower", lambda c: c.lower() if len(c.lower()) == 1 else None, str.lower)
emit_case("unicode_title", lambda c: c.title() if len(c.title()) == 1 else None, str.title)
emit_case("unicode_fold", lambda c: c.lower(), str.casefold)

# Numeric values: runs of code points whose values rise by one; digits beyond category Nd; the rest as fractions.
dec = [i for i, c in enumerate(ALL) if u.decimal(c, None) == 0]
print("const uint32_t unicode_decimal_zeros[] = {")
line = "   "
for i in dec:
    item = f" 0x{i:x},"
    if len(line) + len(item) > 120:
        print(line)
        line = "   "
    line += item
print(line)
print("};")
print(f"const size_t unicode_decimal_zeros_len = {len(dec)};\n")
for z in dec:
    assert all(u.decimal(chr(z + k)) == k for k in range(10))

runs = []
for i, c in enumerate(ALL):
    if u.decimal(c, None) is not None:
        continue
    v = u.numeric(c, None)
    if v is None:
        continue
    f = Fraction(v).limit_denominator(1000)
    d = u.digit(c, None) is not None
    if runs and runs[-1][1] == i - 1 and runs[-1][4] == d and f.denominator == 1 == runs[-1][3] and \
            f.numerator == runs[-1][2] + (i - runs[-1][0]):
        runs[-1][1] = i
    else:
        runs.append([i, i, f.numerator, f.denominator, d])
print("const UnicodeNumber unicode_numbers[] = {")
line = "   "
for lo, hi, n, d, dig in runs:
    item = f" {{0x{lo:x}, 0x{hi:x}, {n}, {d}, {int(dig)}}},"
    if len(line) + len(item) > 120:
        print(line)
        line = "   "
    line += item
print(line)
print("};")
print(f"const size_t unicode_numbers_len = {len(runs)};")

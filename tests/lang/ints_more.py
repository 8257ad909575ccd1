"""Bases, hints and conversions of ints at their edges; logarithms, combinations and hexadecimal floats of any size."""
import math, warnings
warnings.simplefilter("error")
for f in (lambda: int('43',2**100), lambda: int('0',base=-2**234), lambda: int(0,2), lambda: math.comb(10**30,10**30), lambda: math.comb(10**30,10**30-2), lambda: math.comb(2**70,2**65), lambda: math.perm(10**30,2), lambda: math.perm(2**70,2**65), lambda: math.log(-10**1000), lambda: math.log10(-10**1000), lambda: math.log2(0), lambda: math.log(10**1000), lambda: 0/-10**40, lambda: 0/10**40, lambda: -0.0 ** -math.inf, lambda: float.fromhex('0x'+'1'*500), lambda: float.fromhex('0x.'+'0'*500+'1p2000'), lambda: float.fromhex(''), lambda: float.fromhex('0x'), lambda: float.fromhex('1p'), lambda: float.fromhex('-.8p1 '), lambda: float.fromhex('0x1.8P+3'), lambda: float.fromhex('1..2'), lambda: float.fromhex('1p5000'), lambda: float.fromhex('0p999999999999'), lambda: float.fromhex('-inf'), lambda: float.fromhex('1p-99999999999999999999')):
    try: print(f())
    except Exception as e: print(type(e).__name__, e)
class T:
    def __trunc__(self): return True
try: print(int(T()))
except DeprecationWarning as e: print(e)
warnings.simplefilter("ignore")
print(int(T()), type(int(T())))
class V:
    def __bytes__(self): return b"\x01\x02"
class Bad:
    def __bytes__(self): return "a"
print(int.from_bytes(V()), int.from_bytes([1,2]))
try: int.from_bytes(Bad())
except TypeError as e: print(e)
class BA(bytearray): pass
print(int(BA(b'100'),2), bytes(V()))

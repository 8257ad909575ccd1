"""Formats of inf and nan, powers at the edges, hexadecimal text, keywords of built-in classes, classes that are sequences and mappings."""
nan=float('nan'); inf=float('inf')
for v in (nan,inf,-inf):
    for s in ('f','e','g','','%','F','E','G','n','.2f','010f','<10f','+f','+','08','=10','=+10f','010','_f',',.2f','z.1f','+08.1e','^12g'):
        try: print(repr(s), format(v,s), end=' | ')
        except Exception as e: print(repr(s), e, end=' | ')
    for s in ('%f','%e','%g','%08.2f','%+f','%s','%r','% f','%-10f|'): print(s%v, end=' | ')
    print()
for a,b in ((-0.0,-inf),(0.0,-inf),(-inf,-1),(0.0,-1),(-0.0,-1.0),(-inf,0.5),(-1.0,inf),(0.5,-inf),(-8.0,1/3.),(1.0,nan),(nan,0.0),(-inf,-3.0),(-inf,3.0)):
    try: print(a,b,a**b, end='; ')
    except Exception as e: print(a,b,type(e).__name__,e, end='; ')
print()
class S(float):
    def __init__(self,v,newarg=None): self.n=newarg
print(S(2.5,newarg=3).n)
class S2(float):
    def __new__(cls,v,newarg=None):
        s=super().__new__(cls,v); s.n=newarg; return s
print(S2(2.5,newarg=3).n)
class S3(float): pass
try: S3(2.5,newarg=3)
except TypeError as e: print(e)
try: float(x=3)
except TypeError as e: print(e)
class F(str):
    def __float__(self): return float(str(self))+1
print(float(F('8')))
try: float.__getformat__(1)
except TypeError as e: print(e)
for h in ('0x0.ffffffffffffecp-1022','0x0.00000000000008p-1022','0x0.000000000000080000001p-1022','0x.8p-1074','0x.8000001p-1074','0x1.fffffffffffff8p1023','0x1.fffffffffffff7p1023','0x0.fffffffffffffcp-1022','0x1p-1075','0x1.8p-1074','0x2.8p-1074','0x1.0000000000000p-1022','0x0.fffffffffffff8p-1022','0x0.ffffffffffffe8p-1022','0x0.ffffffffffffd8p-1022'):
    try: print(h, float.fromhex(h).hex(), end='; ')
    except Exception as e: print(h,type(e).__name__,e, end='; ')
print()
for t,a in ((int,'5'),(str,'a'),(list,[1]),(tuple,[1]),(set,[1]),(frozenset,[1]),(bytes,b'a'),(bytearray,b'a'),(complex,1),(dict,{}),(bool,1)):
    if t is bool: continue
    class X(t):
        def __init__(self,v,newarg=None): self.n=newarg
    try: print(t.__name__, X(a,newarg=3).n, end='; ')
    except Exception as e: print(t.__name__,e, end='; ')
    class X(t):
        def __new__(cls,v,newarg=None):
            u=t.__new__(cls,v); u.n=newarg; return u
    try: print(t.__name__, X(a,newarg=3).n, end='; ')
    except Exception as e: print(t.__name__,e, end='; ')
    class X(t): pass
    try: print(X(a,newarg=3), end='; ')
    except Exception as e: print(t.__name__,e)
import collections.abc as C
class M3(C.Sequence, C.Mapping):
    def __getitem__(s,i): raise KeyError
    def __len__(s): return 0
    def __iter__(s): return iter(())
class S4(C.Mapping, C.Sequence):
    def __getitem__(s,i): raise KeyError
    def __len__(s): return 0
    def __iter__(s): return iter(())
class L1(list, C.Mapping):
    pass
class D1(dict, C.Sequence): pass
class Q1(C.Sequence, dict): pass
def k(x):
    match x:
        case [*_]: return "seq"
        case {}: return "map"
def k2(x):
    match x:
        case {}: return "map"
        case [*_]: return "seq"
for c in (M3,S4,L1,D1,Q1): print(c.__name__, k(c()), k2(c()))

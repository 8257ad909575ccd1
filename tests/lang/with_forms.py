"""Managers of all kinds: functions, native methods, callables, static methods; exits by return, break, continue, exceptions, in generators and async."""
import threading
import asyncio
import contextlib
class M:
    def __enter__(self): print("enter"); return 5
    def __exit__(self,*a): print("exit", a[0], a[1]); return self.s
    def __init__(self,s=False): self.s=s
    async def __aenter__(self): print("aenter"); return 6
    async def __aexit__(self,*a): print("aexit", a[0], a[1]); return self.s
with M() as x: print(x)
with M(True): 1/0
try:
    with M(): 1/0
except ZeroDivisionError as e: print("zde", e)
def f():
    with M() as a, M(True) as b:
        return a+b
print(f())
def g():
    for i in range(3):
        with M():
            if i==0: continue
            if i==1: break
    try:
        with M(): return [i]
    finally: print("fin")
print(g())
@contextlib.contextmanager
def cm():
    try: yield 3
    finally: print("cm out")
with cm() as z: print(z)
try:
    with cm(): raise KeyError(3)
except KeyError as e: print(repr(e), e.__context__)
class Odd:
    __enter__ = lambda self: 1
    __exit__ = staticmethod(lambda *a: print("static exit", len(a)))
with Odd(): pass
class Call:
    def __call__(self,*a): print("called", len(a)); return True
class Odd2:
    __enter__ = Call(); __exit__ = Call()
with Odd2(): raise ValueError
async def h():
    async with M() as q:
        print(q); await asyncio.sleep(0)
    async with M(True): raise ValueError(1)
    async with M(): return 77
print(asyncio.run(h()))
for bad in (3, type("E",(),{"__enter__":1})()):
    try:
        with bad: pass
    except TypeError as e: print(e)
def gen():
    with M(): 
        yield 1
        yield 2
it=gen(); next(it); it.close()
with M() as (a): 
    with M(True) as b: raise OSError(b)
lock = threading.Lock()
with lock as held:
    print(held, lock.locked())
with memoryview(b"abc") as view, lock:
    print(bytes(view), lock.locked())
print(lock.locked())
try:
    with lock:
        raise KeyError(lock.locked())
except KeyError as e:
    print(repr(e), lock.locked())
try:
    view[0]
except ValueError as e:
    print(e)

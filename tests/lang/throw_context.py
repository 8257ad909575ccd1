"""__context__ of exceptions that are thrown into generators and of those raised there."""
# context chains
def ctx(e):
    out=[]; seen=set()
    while e is not None and id(e) not in seen:
        seen.add(id(e)); out.append(repr(e)); e=e.__context__
    return out
def gen(exc):
    try: yield
    finally: raise exc
e1,e2,e3=Exception(1),Exception(2),Exception(3)
g=gen(e2); next(g)
try:
    try: raise e1
    except Exception as e:
        g.throw(type(e),e)
except Exception as x: print(ctx(x))
g=gen(e3); next(g)
try: g.throw(type(e2), e2)
except Exception as x: print(ctx(x))
e1,e2,e3=Exception(1),Exception(2),Exception(3)
g2=gen(e2); next(g2); g3=gen(e3); next(g3)
try:
    try: raise e1
    except Exception as e:
        try: g2.throw(e)
        except Exception as f:
            g3.throw(f)
except Exception as x: print(ctx(x))
e1,e2,e3=Exception(1),Exception(2),Exception(3)
g2=gen(e2); next(g2); g3=gen(e3); next(g3)
try:
    try: raise e1
    except Exception as e:
        try: g2.throw(e)
        except: f=__import__("sys").exc_info()[1]
        print(ctx(f))
        try: g3.throw(f)
        except: h=__import__("sys").exc_info()[1]
        print(ctx(h))
        h.__context__=f
        raise h
except Exception as x: print(ctx(x))
a,b,c=Exception("a"),Exception("b"),Exception("c")
b.__context__=a
try:
    try: raise b
    except Exception:
        raise a
except Exception as x: print(ctx(x))
a,b,c=Exception("a"),Exception("b"),Exception("c")
c.__context__=b; b.__context__=a
try:
    try: raise c
    except Exception:
        raise a
except Exception as x: print(ctx(x), ctx(c))
a,b,c=Exception("a"),Exception("b"),Exception("c")
c.__context__=b; b.__context__=a
try:
    try: raise a
    except Exception:
        raise c
except Exception as x: print(ctx(x), ctx(a), ctx(b))
try:
    try: raise a
    except Exception as y:
        raise a
except Exception as x: print(ctx(x))
import sys
def ctx(e):
    out=[]; seen=set()
    while e is not None and id(e) not in seen:
        seen.add(id(e)); out.append(repr(e)); e=e.__context__
    if e is not None: out.append("LOOP "+repr(e))
    return out
def gen(exc):
    try: yield
    finally: raise exc
class CM:
    def __init__(s,exc): s.gen=gen(exc); next(s.gen)
    def __exit__(s,typ,value,tb):
        try: s.gen.throw(typ,value,tb)
        except StopIteration as exc: return exc is not value
        except RuntimeError as exc:
            if exc is value: return False
            raise
        except BaseException as exc:
            if exc is not value: raise
            return False
        raise RuntimeError
e=[Exception(i) for i in range(5)]
cms=[CM(e[4]),CM(e[3]),CM(e[2])]
def exit(*d):
    frame_exc=sys.exc_info()[1]
    print("frame", frame_exc)
    def _fix(new,old):
        while 1:
            c=new.__context__
            if c is None or c is old: return
            if c is frame_exc: break
            new=c
        new.__context__=old
    for cb in reversed(cms):
        try:
            cb.__exit__(*d)
        except:
            n=sys.exc_info()
            print(ctx(n[1]))
            _fix(n[1],d[1])
            print(" fixed",ctx(n[1]))
            d=n
    fixed=d[1].__context__
    try: raise d[1]
    except BaseException:
        print(ctx(d[1]))
        d[1].__context__=fixed
        raise
class S:
    def __enter__(s): pass
    def __exit__(s,*d): exit(*d)
try:
    with S(): raise e[1]
except Exception as x: print(ctx(x))


def inner():
    yield


def outer():
    try:
        raise KeyError("a")
    except Exception:
        yield from inner()


g = outer()
g.send(None)
try:
    g.throw(ValueError)
except Exception as x:
    print(ctx(x))

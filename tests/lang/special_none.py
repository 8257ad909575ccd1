"""Special methods set to None, reflected operators of subclasses, class methods of bound methods, hints of length, texts of special methods."""
class A:
    def __eq__(self,o):
        return "A.eq" if isinstance(o,A) else NotImplemented
    def __lt__(self,o): return "A.lt"
    def __gt__(self,o): return "A.gt"
    def __add__(self,o): return "A.add"
    def __radd__(self,o): return "A.radd"
class B(A):
    def __eq__(self,o): return "B.eq"
    def __gt__(self,o): return "B.gt"
    def __radd__(self,o): return "B.radd"
class C(A): pass
print(A()==B(), A()<B(), A()+B(), A()==C(), A()<C(), A()+C(), B()==A(), A()!=B())
for i in range(50):
    x=(A()==B(), A()<B(), A()+B())
print(x)
class meta(type):
    def __get__(self,*a): return 1
class D:
    @classmethod
    @property
    def p(cls): return cls.__name__
print(D.p, D().p)
class A2:
    @classmethod
    def foo(cls): return 'spam'
class B2:
    bar = classmethod(A2.foo)
class aug:
    def __init__(self,v): self.val=v
    __iadd__=None
    def __add__(self,o): return 5
    def __radd__(self,o): return 6
x=aug(1)
try:
    x+=1; print("no",x)
except TypeError as e: print(e)
class N:
    __radd__=None
    __eq__=None
    __hash__=None
    __len__=None
    __iter__=None
    __contains__=None
    __lt__=None
    __getitem__=None
    __call__=None
    __neg__=None
    __bool__=None
    __index__=None
    __enter__=None
for s in ("1+N()","N()==N()","hash(N())","len(N())","iter(N())","1 in N()","N()<N()","N()>N()","N()[0]","N()()","-N()","bool(N())","range(N())","N()!=N()","1==N()","[*N()]","{N():1}","N()+1"):
    try: print(s, eval(s))
    except Exception as e: print(s, type(e).__name__, e)
class I:
    def __iter__(self): return iter([1])
    def __length_hint__(self): raise RuntimeError("len")
    def __len__(self): raise ZeroDivisionError("l")
for f in (list, tuple, bytearray, set, sorted, [].extend, bytearray().extend, bytes):
    try: print(f(I()))
    except Exception as e: print(type(e).__name__, e)
print(iter([]).__next__.__doc__, (lambda:(yield))().__next__.__doc__, [].__len__.__doc__, object.__init__.__doc__, int.__add__.__doc__)
print(hasattr(A2().foo,'__get__'), hasattr(A2.foo,'__get__'))
class A3:
    def foo(self, cls): return ('spam', cls.__name__)
    def one(self): return 'one'
class B3:
    bar = classmethod(A3().foo)
    two = classmethod(A3.one)
    three = A3().one
    four = staticmethod(A3().one)
    five = classmethod(len)
    six = classmethod(property(lambda s: 6))
print(B3.bar(), B3().bar(), B3.two(), B3().three(), B3.four(), B3.six, B3().six)
f=A3().foo
try: print(f.__get__(5) is f, f.__get__(None, int) is f)
except Exception as e: print(type(e).__name__, e)

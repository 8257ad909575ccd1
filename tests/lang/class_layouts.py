"""Bases whose instances are made differently cannot be combined."""
import sys
try:
    class X(type(sys),str): pass
    x=X("abc")
    for f in (len, repr, str, hash, dir, lambda x: x+"a", lambda x: x.upper(), lambda x: x.__dict__, lambda x:x.__name__):
        try: print(f(x))
        except Exception as e: print(type(e).__name__, e)
except TypeError as e: print(e)
for base in (int,float,str,tuple,list,dict,set,frozenset,bytes,bytearray,Exception,type,type(sys),property,complex,OSError):
    for b2 in (int,float,str,tuple,list,dict,set,frozenset,bytes,bytearray,Exception,type,type(sys),property,complex,OSError):
        if base is b2: continue
        try:
            type("Z",(base,b2),{}); print("ok",base.__name__,b2.__name__)
        except TypeError as e: print(base.__name__,b2.__name__,e)

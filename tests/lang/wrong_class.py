"""Built-in classes' special methods in classes that do not inherit from them: an error where CPython gives one, never a crash."""
import array
import collections
import copy
import functools
import io
import itertools
import math
import operator as op
import os
import re
import sys
import threading
import types
import weakref

BASES = [object, int, str, list, dict, tuple, float, BaseException]
SHOWN = [int, str, list, dict, tuple, float, bytes, set]
TRIED = [range, complex, bytearray, frozenset, slice, memoryview, type, property, classmethod, staticmethod, super, map, filter, zip, enumerate,
         reversed, OSError, types.FunctionType, types.MethodType, types.GeneratorType, types.ModuleType, types.CodeType, types.FrameType,
         types.MappingProxyType, types.SimpleNamespace, collections.deque, collections.OrderedDict, collections.defaultdict, array.array,
         io.BytesIO, io.StringIO, io.FileIO, io.TextIOWrapper, io.BufferedReader, itertools.count, itertools.chain, functools.partial,
         re.Pattern, re.Match, weakref.ref, type(threading.Lock()), type(threading.RLock()), threading.local, type(iter([])), type(iter({})),
         type({}.keys()), type({}.values()), types.GenericAlias, types.CellType, types.CoroutineType, types.AsyncGeneratorType, os.DirEntry]


def store(x):
    x[0] = 1


def delete(x):
    del x[0]


def enter(x):
    with x:
        pass


USES = {
    "__len__": len, "__iter__": iter, "__next__": next, "__hash__": hash, "__bool__": bool, "__repr__": repr, "__call__": lambda x: x(),
    "__getitem__": lambda x: x[0], "__contains__": lambda x: 0 in x, "__reversed__": reversed, "__int__": int, "__float__": float,
    "__complex__": complex, "__index__": op.index, "__abs__": abs, "__neg__": op.neg, "__invert__": op.invert, "__enter__": enter, "__exit__": enter,
    "__format__": lambda x: format(x, ""), "__reduce__": copy.copy, "__trunc__": math.trunc, "__round__": round,
    "__get__": lambda x: type("H", (), {"a": x})().a, "__fspath__": os.fspath, "__bytes__": bytes,
    "__instancecheck__": lambda x: isinstance(1, x), "__missing__": lambda x: x[5], "__setitem__": store, "__delitem__": delete,
    "__divmod__": lambda x: divmod(x, 2), "__new__": None, "__init__": None,
}
for name in "add sub mul truediv mod pow lshift and or xor".split():
    f = getattr(op, name + "_" * (name in ("and", "or")))
    USES["__%s__" % name] = lambda x, f=f: f(x, 2)
    USES["__r%s__" % name] = lambda x, f=f: f(2, x)
    USES["__i%s__" % name] = lambda x, f=getattr(op, "i" + name): f(x, 2)
for name in "lt le eq ne gt ge".split():
    USES["__%s__" % name] = lambda x, f=getattr(op, name): f(x, 2)


def attempt(fn, *args):
    try:
        fn(*args)
        return "done"
    except Exception as e:
        return type(e).__name__


for t in SHOWN + TRIED:
    for base in BASES:
        line = []
        for name, use in USES.items():
            if name not in t.__dict__ or (issubclass(base, t) and base is not BaseException):
                continue
            cls = type("X", (base,), {name: t.__dict__[name]})
            if use is None:
                line += [name] + [attempt(cls, *args) for args in ((), (1,))]
                continue
            try:
                x = cls()
            except Exception as e:
                line += [name, "not made"]
                continue
            line += [name, attempt(use, x)]
        if t in SHOWN:
            print(t.__name__, base.__name__, *line)

for t in (list, str, dict):
    for name in ("append", "join", "keys", "__getnewargs__", "__reduce__"):
        if name in t.__dict__:
            x = type("X", (), {name: t.__dict__[name]})()
            try:
                getattr(x, name)
            except TypeError as e:
                print(e)
for function in (lambda x: x == x, lambda x: x + x, lambda x: x < x, lambda x: 1 == x, lambda x: {x: 1}):
    try:
        print(function(type("A", (int,), {"__eq__": str.__eq__, "__add__": str.__add__, "__lt__": str.__lt__})()))
    except TypeError as e:
        print(e)


class Deletes:
    def __getattr__(self, name):
        raise AttributeError(name)

    def __getattribute__(self, name):
        del Deletes.__getattr__
        raise AttributeError("first " + name)


try:
    Deletes().x
except AttributeError:
    print("no attribute")

"""Error handlers of codecs, called with exceptions of any state."""
import codecs
for h in ("ignore","replace","xmlcharrefreplace","backslashreplace","namereplace","surrogateescape","surrogatepass"):
    f=codecs.lookup_error(h)
    for mk in (lambda: UnicodeError("x"), lambda: UnicodeEncodeError("ascii","\u1234a",0,1,"r"), lambda: UnicodeDecodeError("ascii",b"\xffa",0,1,"r"), lambda: UnicodeTranslateError("\u1234a",0,1,"r")):
        for o in (None, b"ab", "\u1234b", 5):
            e=mk()
            if o is not None:
                try: e.object=o
                except Exception as x: print(type(x), x)
            try: print(h, type(e).__name__, repr(o), f(e))
            except Exception as x: print(h, type(e).__name__, repr(o), type(x).__name__, str(x) if o is None or not isinstance(x, UnicodeError) else "")
    e=UnicodeEncodeError("ascii","\u1234a",0,1,"r")
    try: del e.object
    except Exception as x: print(type(x).__name__, x)
    try: print(f(e))
    except Exception as x: print(type(x).__name__, x if not isinstance(x, UnicodeError) else "")
import codecs,warnings
warnings.simplefilter("always")
def m(exc):
    exc.object=b'\\'+exc.object[exc.end:]; return ('\u0404',0)
codecs.register_error('m2',m)
print(codecs.unicode_escape_decode(br'\x0n\z','m2'))

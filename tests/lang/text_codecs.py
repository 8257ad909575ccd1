# Codecs and error handlers.
import codecs


def ev(src):
    try:
        print(ascii(src), "->", ascii(eval(src)))
    except UnicodeError as e:
        print(ascii(src), "->", type(e).__name__, ascii(str(e)), ascii(e.args[1:]) if len(e.args) > 1 else "")
    except Exception as e:
        print(ascii(src), "->", type(e).__name__, ascii(str(e)))


def handler(e):
    if isinstance(e, UnicodeDecodeError):
        return ("<%s>" % e.object[e.start:e.end].hex(), e.end)
    return ("[%d]" % (e.end - e.start), e.end)


def back(e):
    return ("x", e.start)


codecs.register_error("test.h", handler)
codecs.register_error("test.bytes", lambda e: (b"\xff", e.end))
codecs.register_error("test.bad", lambda e: 5)
codecs.register_error("test.wide", lambda e: ("\u1234", e.end))
codecs.register_error("test.pos", lambda e: ("?", 100))
codecs.register_error("test.neg", lambda e: ("?", -1))

TEXTS = ["", "abc", "é", "a\u1234b", "\U00012345x", "\ud800", "a\udc80b", "\x00\x7f\x80\xff", "a+b-c/~\\", "\n\t'\""]
for enc in ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii", "latin-1", "utf-7", "utf-8-sig",
            "unicode_escape", "raw_unicode_escape", "cp1252", "cp437", "iso-8859-15", "punycode"]:
    for errors in ["strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "surrogateescape", "surrogatepass", "test.h"]:
        for t in TEXTS:
            try:
                b = t.encode(enc, errors)
                r = repr(b)
                if errors == "strict":
                    r += " " + ("ok" if b.decode(enc) == t else "DIFFERS " + ascii(b.decode(enc)))
            except Exception as e:
                r = type(e).__name__ + " " + ascii(str(e))
            print(enc, errors, ascii(t), r)

BAD = [b"\xff", b"a\xc3", b"\xc3(", b"\xe2\x82", b"\xe2\x28\xa1", b"\xf0\x90", b"\xf0\x28\x8c\xbc", b"\xed\xa0\x80", b"\xc0\x80", b"\xf8\x88",
       b"\xf4\x90\x80\x80", b"abc\x80def", b"\xe0\x80\x80", b"\xd8\x00", b"\x00\xd8", b"\x00\xdc\x00", b"a\x00b", b"\xff\xfea\x00", b"\xfe\xff\x00a",
       b"\x00\x00\x11\x00", b"+AA", b"+AGE-", b"+2AA-", b"a+-b", b"+!", b"\\x4", b"\\u12", b"\\U00110000", b"\\N{SPACE}", b"\\N{x", b"\\",
       b"\\n\\t\\101\\x41\\u1234\\U00012345\\q", b"\x81\x8d"]
for enc in ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "ascii", "latin-1", "utf-7", "unicode_escape", "raw_unicode_escape",
            "cp1252", "utf-8-sig"]:
    for errors in ["strict", "ignore", "replace", "backslashreplace", "surrogateescape", "surrogatepass", "test.h"]:
        for b in BAD:
            try:
                r = ascii(b.decode(enc, errors))
            except UnicodeDecodeError as e:
                r = "%s %s %d %d %s" % (type(e).__name__, e.encoding, e.start, e.end, e.reason)
            except Exception as e:
                r = type(e).__name__ + " " + ascii(str(e))
            print(enc, errors, b, r)

for src in r"""
'é'.encode('ascii', 'test.bytes'), 'é'.encode('ascii', 'test.wide') if 0 else 0
'é'.encode('ascii', 'test.wide')
'é'.encode('ascii', 'test.bad')
'é'.encode('ascii', 'test.pos')
b'\xff'.decode('ascii', 'test.bad')
b'\xffa'.decode('ascii', 'test.pos')
b'\xffa'.decode('ascii', 'test.neg')
b'\xff'.decode('utf-8', 'test.bytes')
'é'.encode('ascii', 'nosuch')
b'\xff'.decode('ascii', 'nosuch')
b'\xff'.decode('ascii', 'xmlcharrefreplace')
'é'.encode('ascii', 'namereplace')
codecs.lookup('UTF8').name, codecs.lookup('latin1').name, codecs.lookup('Utf_16-LE').name
codecs.lookup('nosuch')
codecs.lookup_error('strict')(UnicodeDecodeError('a', b'b', 0, 1, 'c'))
codecs.lookup_error('ignore')(UnicodeDecodeError('a', b'b', 0, 1, 'c'))
codecs.lookup_error('replace')(UnicodeEncodeError('a', 'bcd', 0, 2, 'c')), codecs.lookup_error('replace')(UnicodeTranslateError('bcd', 0, 2, 'c'))
codecs.lookup_error('backslashreplace')(UnicodeDecodeError('a', b'bcd', 0, 2, 'c'))
codecs.lookup_error('nosuch')
codecs.lookup_error('ignore')(5)
codecs.encode('abc', 'rot13'), codecs.encode(b'abc', 'hex'), codecs.decode(b'616263', 'hex'), codecs.encode(b'a', 'base64')
'abc'.encode('rot13')
b'abc'.decode('hex')
codecs.utf_8_decode(b'a\xc3'), codecs.utf_8_decode(b'a\xc3', 'strict', False)
codecs.utf_8_decode(b'a\xc3', 'strict', True)
codecs.utf_16_decode(b'a\x00b'), codecs.utf_16_ex_decode(b'\xff\xfea\x00', 'strict', 0, True)
codecs.utf_7_decode(b'a+AG', 'strict', False), codecs.unicode_escape_decode(b'a\\u12', 'strict', False)
codecs.escape_decode(b'a\\x41\\n\\\\'), codecs.escape_encode(b"a\n'\x00\xff\\")
codecs.escape_decode(b'\\x4')
codecs.charmap_decode(b'ab', 'strict', {97: 'X', 98: None})
codecs.charmap_decode(b'a\xff', 'strict', 'abc')
codecs.charmap_decode(b'ab', 'replace', {97: 0x1234}), codecs.charmap_encode('ab', 'strict', {97: b'XY', 98: 1})
codecs.charmap_encode('ab', 'strict', {97: 300})
codecs.charmap_encode('abé', 'replace', {97: 65, 63: 33}), codecs.charmap_build('abc')[98]
codecs.register(5)
codecs.register_error('x', 5)
codecs.readbuffer_encode('é'), codecs.readbuffer_encode(b'x')
codecs.utf_8_encode('é'), codecs.ascii_encode('a'), codecs.latin_1_encode('é'), codecs.utf_16_encode('a', 'strict', 1)
str(UnicodeEncodeError('ascii', 'aé', 1, 2, 'why')), str(UnicodeEncodeError('ascii', 'aéé', 1, 3, 'why'))
str(UnicodeDecodeError('ascii', b'a\xff', 1, 2, 'why')), str(UnicodeTranslateError('aé', 1, 2, 'why'))
codecs.getincrementaldecoder('utf-8')().decode(b'\xc3'), codecs.iterdecode([b'\xc3', b'\xa9'], 'utf-8').__next__()
list(codecs.iterdecode([b'a\x00', b'b', b'\x00'], 'utf-16-le')), list(codecs.iterencode(['a', 'é'], 'utf-8'))
codecs.BOM_UTF8.decode('utf-8-sig'), '\ufeffa'.encode('utf-8-sig')
""".strip().splitlines():
    ev(src)


def search(name):
    if name == "test_codec":
        return codecs.CodecInfo(lambda s, e="strict": (s.upper().encode(), len(s)), lambda b, e="strict": (bytes(b).decode().lower(), len(b)),
                                name="test_codec")


codecs.register(search)
print("abc".encode("Test codec"), b"ABC".decode("test_codec"))
codecs.unregister(search)
try:
    "abc".encode("test_codec")
except LookupError as e:
    print(e)

# bytes, bytearray, memoryview: results and messages.


def ev(src):
    try:
        print(ascii(src), "->", ascii(eval(src)))
    except Exception as e:
        print(ascii(src), "->", type(e).__name__, ascii(str(e)))


class Idx:
    def __index__(self):
        return 65


class HasBytes:
    def __bytes__(self):
        return b"hb"


class BadBytes:
    def __bytes__(self):
        return "x"


EXPRS = r"""
T(b'abc')
T()
T(5)
T(-1)
T([1, 2, 255])
T([256])
T(['a'])
T('abc')
T('abc', 'ascii')
T('é', encoding='utf-8')
T(b'abc', 'ascii')
T(5, 'ascii')
T(encoding='ascii')
T(1.5)
T(range(5))
T(x for x in (1, 2))
T(Idx())
T(memoryview(b'abc')[::-1])
T(b'abc') + b'def'
T(b'abc') + bytearray(b'def')
T(b'abc') + memoryview(b'def')
T(b'abc') + 'def'
T(b'abc') + 1
T(b'abc') * 3
2 * T(b'ab')
T(b'abc') * -1
T(b'abc') * 'a'
T(b'abc')[1]
T(b'abc')[-1]
T(b'abc')[5]
T(b'abc')['a']
T(b'abcdef')[1:4]
T(b'abcdef')[::-2]
len(T(b'abc'))
list(T(b'abc'))
T(b'abc') == b'abc', T(b'abc') == 'abc', T(b'abc') < b'abd', T(b'abc') != bytearray(b'abc')
T(b'abc') < 'abc'
b'b' in T(b'abc'), 98 in T(b'abc'), 300 in T(b'abc')
'b' in T(b'abc')
T(b'abc').find(b'c'), T(b'abc').find(99), T(b'abc').rfind(b''), T(b'abc').find(b'', 4)
T(b'abc').find('c')
T(b'abc').find(256)
T(b'abc').index(b'x')
T(b'abcabc').find(b'c', -2), T(b'abcabc').rfind(b'a', 0, -1), T(b'abc').find(b'a', -100, 100)
T(b'aXbXc').count(b'X'), T(b'abc').count(b'')
T(b'abc').startswith(b'a'), T(b'abc').startswith((b'x', b'ab')), T(b'abc').endswith(b'bc', 1, 3)
T(b'abc').startswith('a')
T(b'aXbXc').replace(b'X', b'--'), T(b'abc').replace(b'', b'-'), T(b'aaa').replace(b'a', b'b', 2)
T(b'abc').replace('a', b'b')
T(b' a b  c ').split(), T(b' a b  c ').split(None, 1), T(b' a b  c ').rsplit(None, 1), T(b'a,b,c').split(b',', 1)
T(b'a,b,c').rsplit(b',', 1), T(b'a').split(b'') if 0 else 0
T(b'a').split(b'')
T(b'a').split('a')
T(b'a\nb\r\nc\x85d\x0ce').splitlines(), T(b'a\n').splitlines(True)
T(b'a=b=c').partition(b'='), T(b'a=b=c').rpartition(b'='), T(b'a').partition(b'='), T(b'a').rpartition(b'=')
T(b',').join([b'a', bytearray(b'b'), memoryview(b'c')])
T(b',').join(['a'])
T(b',').join(1)
T(b' abc ').strip(), T(b'xxaxx').lstrip(b'x'), T(b'xxaxx').rstrip(b'xa')
T(b'abc').strip('a')
T(b'abc').removeprefix(b'ab'), T(b'abc').removesuffix(b'bc')
T(b'abc').center(10), T(b'abc').center(10, b'*'), T(b'abc').ljust(5), T(b'abc').rjust(5, b'.'), T(b'-5').zfill(5)
T(b'abc').center(10, 'a')
T(b'abc').center(10, b'ab')
T(b'a\tb').expandtabs(), T(b'a\tb').expandtabs(4)
T(b'aBc dEf').lower(), T(b'aBc').upper(), T(b'hello wORLD').title(), T(b'aBc').swapcase(), T(b'aBC').capitalize()
T(b'abc').isalpha(), T(b'12').isdigit(), T(b'a1').isalnum(), T(b' \n').isspace(), T(b'\x80').isascii(), T(b'').isascii()
T(b'abc').islower(), T(b'ABC').isupper(), T(b'Abc De').istitle(), T(b'aBc').istitle(), T(b'1').islower()
T(b'abc').translate(bytes(range(1, 256)) + b'\0'), T(b'abc').translate(None, b'b')
T(b'abc').translate(b'a')
T.maketrans(b'ab', b'cd')[97:99]
T.maketrans(b'a', b'cd')
T(b'\x00\xff').hex(), T(b'abcdef').hex(':'), T(b'abcdef').hex('-', 2), T(b'abcdef').hex('-', -4)
T(b'a').hex('ab')
T(b'a').hex(1)
T.fromhex('00 ff aB'), T.fromhex('')
T.fromhex('0')
T.fromhex('zz')
T.fromhex(b'00')
T(b'caf\xc3\xa9').decode(), T(b'\xe9').decode('latin-1'), T(b'\xff').decode('utf-8', 'replace'), T(b'\xff').decode(errors='ignore')
T(b'\xff').decode()
T(b'\xe2\x82').decode()
T(b'a\xe2\x28b').decode()
T(b'\x80').decode('ascii')
T(b'abc').decode('nosuch')
T(b'abc').decode('rot13')
repr(T(b'a\'b"\\\n\r\t\x00\xff')), repr(T(b"it's")), str(T(b'a'))
T(b'%s|%5s|%-5d|%x|%c|%b|%a|%r') % (b'a', b'b', 3, 255, 65, b'z', 'é', 'é')
T(b'%(a)s') % {b'a': b'x'}
T(b'%s') % 'a'
T(b'%d') % 'a'
T(b'%c') % 256
T(b'%i %%') % 1.5
T(b'%s')  % (b'a', b'b')
T(b'%s %s') % b'a'
T(b'%.2f %e %G') % (1.5, 2.5, 1e20)
""".strip().splitlines()

for T in (bytes, bytearray):
    for src in EXPRS:
        ev(src)

for src in r"""
bytes(HasBytes())
bytes(BadBytes())
hash(b'abc') == hash(b'ab' + b'c'), {b'a': 1}[b'a']
hash(bytearray())
b'abc' is bytes(b'abc')
bytes.__new__(bytes, b'x')
b'abc'.__getnewargs__(), b'abc'.__bytes__()
bytearray(b'abc').__reduce__()
bytearray(b'abc').__reduce_ex__(3)
""".strip().splitlines():
    ev(src)


class B(bytes):
    pass


b = B(b"abc")
b.x = 1
print(b, type(b), b.x, b + b"d", type(b[:]), b == b"abc", hash(b) == hash(b"abc"), {b: 1}[b"abc"], bytes(b), type(bytes(b)))


class BA(bytearray):
    def __init__(self, *a):
        super().__init__(*a)
        self.y = 2


ba = BA(b"xyz")
print(ba, ba.y, repr(ba), ba == b"xyz", type(ba.upper()))

a = bytearray(b"hello")
a.append(33)
a.extend(b"ab")
a.extend([1, 2])
a.insert(0, 72)
a.insert(-1, 7)
a.insert(100, 9)
print(a, a.pop(), a.pop(0), a)
a.remove(101)
a.reverse()
print(a)
a[0] = 65
a[-1] = Idx()
a[1:3] = b"XYZW"
a[0:0] = b"__"
a[2:2] = [1, 2, 3]
a[::2] = bytes(len(a[::2]))
print(a, len(a))
del a[0]
del a[1:3]
del a[::3]
del a[::-2]
print(a, len(a))
a += b"tail"
a *= 2
print(a)
c = a.copy()
c.clear()
print(c, a != c, bool(c))
for stmt in ["a[99] = 1", "a['x'] = 1", "a[0] = 256", "a[0] = 'x'", "a[::2] = b'1'", "a[0:1] = 5", "a[0:1] = 'x'", "del a[99]",
             "a.append(256)", "a.append('x')", "a.pop(99)", "bytearray().pop()", "a.remove(0x99)", "a.extend('x')", "a.extend(5)",
             "a += 'x'", "a.insert('x', 1)", "a.insert(0, 300)", "a.extend([1, 256])", "a.extend(['x'])"]:
    try:
        exec(stmt)
        print(stmt, "ok", a)
    except Exception as e:
        print(stmt, type(e).__name__, e)

m = memoryview(a)
for stmt in ["a.append(1)", "a.pop()", "del a[0]", "a[0:1] = b'xx'", "a[0:1] = b'x'", "a.clear()", "a.extend(b'x')", "a += b'x'", "a *= 2"]:
    try:
        exec(stmt)
        print(stmt, "ok", a)
    except Exception as e:
        print(stmt, type(e).__name__, e)
m.release()
a.append(1)
print(a)
it = iter(bytearray(b"ab"))
print(next(it), it.__length_hint__(), list(it), list(it))
x = bytearray(range(256)) * 40
while len(x) > 100:
    del x[:37]
    x.append(len(x) % 256)
print(len(x), sum(x), bytes(x[:5]))

# memoryview
for src in r"""
memoryview(b'abc')[0], memoryview(b'abc')[-1], bytes(memoryview(b'abcdef')[1:4]), memoryview(b'abcdef')[::-1].tobytes()
memoryview(b'abc')[5]
memoryview(b'abc')['a']
memoryview('abc')
memoryview(b'abc').format, memoryview(b'abc').itemsize, memoryview(b'abc').shape, memoryview(b'abc').strides, memoryview(b'abc').ndim
memoryview(b'abc').readonly, memoryview(bytearray()).readonly, memoryview(b'abc').obj, memoryview(b'abc').nbytes
memoryview(b'abcdefgh').cast('I').tolist(), memoryview(b'abcdefgh').cast('H')[1], memoryview(bytes(8)).cast('d')[0]
memoryview(b'abc').cast('I')
memoryview(b'abcd').cast('z')
memoryview(b'abcdefgh').cast('B', [2, 4]).tolist(), memoryview(b'abcdefgh').cast('B', (2, 2, 2)).tolist()
memoryview(b'abcdefgh').cast('B', [2, 4])[1, 2], memoryview(b'abcdefgh').cast('B', [2, 4]).shape
memoryview(b'abcdefgh').cast('B', [2, 4]).strides, memoryview(b'abcdefgh').cast('B', [2, 4]).c_contiguous
memoryview(b'abcdefgh').cast('B', [3, 3])
memoryview(b'abcdefgh').cast('B', [2, 4])[1]
memoryview(b'abc') == b'abc', memoryview(b'abc') == memoryview(b'abd'), memoryview(b'abc') == 'abc'
memoryview(b'abcdefgh').cast('H') == memoryview(b'abcdefgh'), memoryview(b'abcdefgh').cast('H')[::2].tolist()
hash(memoryview(b'abc')) == hash(b'abc')
hash(memoryview(bytearray(b'abc')))
memoryview(b'abc')[0:2].hex(), memoryview(b'abc').hex(':')
memoryview(b'abc').tobytes('F'), memoryview(b'abc').toreadonly().readonly
memoryview(b'abc').contiguous, memoryview(b'abcd')[::2].contiguous, memoryview(b'abc').suboffsets
list(memoryview(b'abc')), 97 in memoryview(b'abc'), len(memoryview(b'abcdefgh').cast('Q'))
memoryview(b'abc') < b'a'
b''.join([memoryview(b'ab'), memoryview(b'abcd')[1:3]])
memoryview(b'abcd')[::2].cast('B')
memoryview(b'abcd')[::2][::-1].tolist()
memoryview(b'')[:].tolist()
memoryview(memoryview(b'xyz')).tolist()
""".strip().splitlines():
    ev(src)
buf = bytearray(b"abcdefgh")
m = memoryview(buf)
m[0] = 90
m[1:3] = b"YX"
m[4:6], m[0:2] = m[0:2], m[4:6]
print(buf, m.tolist())
mi = m.cast("i")
mi[0] = -2
print(buf, mi.tolist())
for stmt in ["m[0] = 300", "m[0] = 'x'", "m[0:2] = b'abc'", "m[0] = b'a'", "mi[0] = 1 << 40", "memoryview(b'a')[0] = 1", "del m[0]", "m[9] = 1"]:
    try:
        exec(stmt)
        print(stmt, "ok", m.tolist())
    except Exception as e:
        print(stmt, type(e).__name__, e)
with memoryview(b"abc") as w:
    print(w[0])
try:
    w[0]
except ValueError as e:
    print(e)
s = m[2:4]
m.release()
print(s.tolist())
try:
    m.tolist()
except ValueError as e:
    print(e)
mi.release()
s.release()
buf = bytearray(buf) + b"\x01"  # without counts a view that nobody holds may still pin it
print(buf, repr(m).startswith("<released memory at "))

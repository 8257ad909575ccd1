# _struct, array, binascii.
import array
import binascii
import struct


def ev(src):
    try:
        r = eval(src)
        print(ascii(src), "->", ascii(r))
    except Exception as e:
        print(ascii(src), "->", type(e).__name__, ascii(str(e)))


class Idx:
    def __index__(self):
        return 65


VALUES = {"b": [0, -128, 127, 128, -129], "B": [0, 255, 256, -1], "h": [-32768, 32767, 32768], "H": [65535, 65536, -1],
          "i": [-2**31, 2**31 - 1, 2**31, 2**70], "I": [2**32 - 1, 2**32, -1, 2**70], "l": [2**31, 2**63 - 1, 2**63, -2**63], "L": [2**64 - 1, 2**64, -1],
          "q": [2**63 - 1, 2**63], "Q": [2**64 - 1, -1], "n": [5, 2**63], "N": [5, -1], "P": [5, -1, 2**64], "e": [1.5, 65504.0, 65520.0, 1e-8, float("inf"), 0.1],
          "f": [1.5, 1e300, float("inf"), 0.1], "d": [1.5, 0.1, -0.0], "?": [True, 0, "x", []], "c": [b"a", b"ab", "a"], "s": [b"a", "a", bytearray(b"q")],
          "3s": [b"abcdef", b"a"], "p": [b"abc"], "5p": [b"abcdefgh", b"ab"], "300p": [b"x" * 299], "x": [], "0s": [b"a"]}
for order in ["", "@", "=", "<", ">", "!"]:
    for code, values in VALUES.items():
        for v in values + [Idx(), "str", 1.5, None]:
            try:
                b = struct.pack(order + code, v)
                print(order + code, ascii(v) if not isinstance(v, Idx) else "idx", b if len(b) < 20 else len(b), struct.unpack(order + code, b))
            except Exception as e:
                print(order + code, ascii(v) if not isinstance(v, Idx) else "idx", type(e).__name__, e)
        try:
            print(order + code, struct.calcsize(order + code))
        except Exception as e:
            print(order + code, type(e).__name__, e)
for f in ["bhilq", "bhilqb", "b3xi", "bi0q", "2h i", " i ", "3i", "0i", "xxi", "if", "cP", "bd", "9" * 30 + "i", "z", "5", "i5", "", "b0l"]:
    for order in ["", "<", "!"]:
        try:
            print(order + f, struct.calcsize(order + f))
        except Exception as e:
            print(order + f, type(e).__name__, e)
for src in r"""
struct.unpack('i', b'a')
struct.unpack('2h', b'\x01\x00\x02\x00'), struct.unpack_from('<h', b'abcd', 1), struct.unpack_from('<h', buffer=b'abcd', offset=-2)
struct.unpack_from('i', b'a')
struct.unpack_from('i', b'aaaaaa', 5)
struct.unpack_from('i', b'aaaaaa', -2)
struct.unpack_from('i', b'aaaaaa', -20)
list(struct.iter_unpack('<H', b'abcdef')), struct.iter_unpack('i', b'1234').__length_hint__()
struct.iter_unpack('', b'')
struct.iter_unpack('i', b'a')
struct.pack_into('i', bytearray(2), 0, 1)
struct.pack_into('i', bytearray(2), -1, 1)
struct.pack_into('i', bytearray(2), -9, 1)
struct.pack_into('i', b'aaaa', 0, 1)
struct.pack_into('i', bytearray(8), 9, 1)
struct.pack_into('i')
struct.pack_into('i', bytearray(4))
struct.pack_into('i', bytearray(4), 0)
struct.pack()
struct.pack('ii', 1)
struct.unpack('i', 'a')
struct.Struct('i').pack()
struct.Struct('<hi').size, struct.Struct(b'i').format, struct.Struct('3s').pack(b'a')
struct.Struct()
struct.Struct(5)
struct.Struct('\u1234')
struct.Struct('i\0')
struct.error.__module__, struct.error.__mro__[1]
struct.unpack('>f', b'\x3f\x80\x00\x00'), struct.unpack('<d', struct.pack('<d', float('nan')))[0] != 0
""".strip().splitlines():
    ev(src)
b = bytearray(10)
struct.pack_into("<hb", b, 3, 258, 3)
struct.pack_into("<h", b, -2, 1)
print(b)

A = array.array
for code in "bBuhHiIlLqQfd":
    a = A(code, ["a", "\u1234"] if code == "u" else [1, 2, 3])
    print(a, a.itemsize, a.typecode, a.tobytes(), a[0], a[-1], a[1:], a[::-1], len(a), a == A(code, a.tolist()), a.tolist(), a * 2, a + a)
    a.byteswap()
    print(a.tobytes())
for src in """
A('z')
A('i',['a'])
A('i',[1.0])
A('b',[200])
A('B',[-1])
A('B',[256])
A('h',[1<<20])
A('H',[-1])
A('i',[1<<40])
A('I',[-1])
A('I',[1<<40])
A('l',[1<<70])
A('L',[-1])
A('q',[1<<70])
A('Q',[-1])
A('Q',[1<<70])
A('f',['a'])
A('u',['ab'])
A('u','abc')
A('i','abc')
A()
A(5)
A('i',b'abc')
A('i',b'abcd')
A('i',5)
A('u',A('i'))
A('ii')
A(typecode='i')
A('i',[1],2)
A('i', range(5)), A('d', A('i', [1, 2])), A('i', A('i', [3])), A('b', bytearray(b'ab'))
A('i', [1, 2]) == A('d', [1.0, 2.0]), A('i', [1]) < A('i', [2]), A('i', [1]) == [1], A('i') != A('i')
A('i', [1]) < [1]
hash(A('i'))
A('i', [1, 2, 1]).count(1), A('i', [1, 2, 1]).index(1, 1), 2 in A('i', [1, 2]), 'x' in A('i', [1])
A('i').index(5)
A('i', [1, 2, 3]).index(3, 0, 2)
A('i').pop()
A('i', [1]).pop(5)
A('i', [1]).remove(5)
A('i')[0]
A('i')['x']
A('i', [1]) + 5
A('i', [1]) + A('d')
A('i', [1]) * 'a'
A('i', [1]).fromunicode('a')
A('i', [1]).tounicode()
A('i').frombytes(b'abc')
A('i').frombytes('abc')
A('i').fromlist(5)
A('i').fromlist(['a'])
A('i').extend(5)
A('i').extend(A('d'))
A('i', [1]).__reduce_ex__(2), A('u', 'ab').__reduce_ex__(2), A('i', [1]).__reduce_ex__(3)[1][1:]
array._array_reconstructor(A, 'i', 9, b'\\0\\0\\0\\1'), array._array_reconstructor(A, 'd', 15, b'\\x3f\\x80\\0\\0'), array._array_reconstructor(A, 'u', 18, b'a\\0b\\0')
array._array_reconstructor(A, 'i', 99, b'')
array._array_reconstructor(int, 'i', 0, b'')
array._array_reconstructor(A, 'i', 8, b'abc')
memoryview(A('i', [1, 2])).format, memoryview(A('i', [1, 2])).tolist(), memoryview(A('d', [1.5])).itemsize, bytes(A('h', [1]))
array.typecodes, array.ArrayType is A
iter(A('i', [1])).__reduce__(), list(A('i', [1, 2])), next(iter(A('i', [5])))
""".strip().splitlines():
    ev(src)
a = A("i", [1, 2, 3, 4, 5])
for stmt in ["a.append(6)", "a.extend([7, 8])", "a.extend(A('i', [9]))", "a.insert(0, 0)", "a.insert(-1, 99)", "a.insert(100, 5)", "a.pop()", "a.pop(0)", "a.remove(99)", "a.reverse()",
             "a[0] = 42", "a[1:3] = A('i', [7, 7, 7])", "a[::2] = A('i', [0] * len(a[::2]))", "del a[0]", "del a[1:3]", "del a[::2]", "a += A('i', [1])", "a *= 2",
             "a[0] = 'x'", "a[99] = 1", "a[0:1] = 5", "a[0:1] = A('d')", "a[::2] = A('i', [1])", "del a[99]", "a += 5", "a.append('x')", "a.fromlist([5, 'x'])",
             "a.fromlist([5, 6])", "a.frombytes(b'abcd')", "m = memoryview(a)", "a.append(1)", "a.pop()", "m[0] = 77", "m.release()", "a.append(1)"]:
    try:
        exec(stmt)
        print(stmt, a)
    except Exception as e:
        print(stmt, type(e).__name__, e, a)


class AA(A):
    pass


x = AA("i", [1])
x.attr = 1
print(x, x.attr, type(x[:]), x == A("i", [1]))

for src in r"""
binascii.hexlify(b'\x00\xff'), binascii.b2a_hex(b'abcd', '-', 2), binascii.unhexlify('00fF'), binascii.a2b_hex(b'616263')
binascii.unhexlify('abc')
binascii.unhexlify('zz')
binascii.unhexlify(5)
binascii.unhexlify('é')
binascii.b2a_base64(b''), binascii.b2a_base64(b'a'), binascii.b2a_base64(b'ab'), binascii.b2a_base64(b'abc', newline=False)
binascii.a2b_base64('é')
binascii.a2b_base64('a')
binascii.a2b_base64('abcde')
binascii.a2b_base64('ab')
binascii.a2b_base64('ab=c')
binascii.a2b_base64('ab==c', strict_mode=True)
binascii.a2b_base64('=ab', strict_mode=True)
binascii.a2b_base64('a\nb', strict_mode=True)
binascii.a2b_base64('ab=', strict_mode=True)
binascii.a2b_base64('ab==\n', strict_mode=True)
binascii.a2b_base64('a=b', strict_mode=True)
binascii.a2b_base64('abc===', strict_mode=True)
binascii.a2b_base64('abcd=', strict_mode=True)
binascii.a2b_base64('abcd=='), binascii.a2b_base64('ab=c='), binascii.a2b_base64('='), binascii.a2b_base64('a b\nc d'), binascii.a2b_base64('ab==cdef')
binascii.a2b_uu(b''), binascii.a2b_uu(b'~'), binascii.a2b_uu('!!!'), binascii.a2b_uu(b'!')
binascii.a2b_uu(b'#abc~x')
binascii.a2b_uu(b'! \x80')
binascii.a2b_uu(b'#86)Cx')
binascii.b2a_uu(b'a' * 46)
binascii.b2a_uu(b'abc', backtick=True), binascii.b2a_uu(b'\0\0'), binascii.b2a_uu(b'\0', backtick=True), binascii.b2a_uu(b'a' * 45), binascii.a2b_uu(binascii.b2a_uu(b'hello'))
binascii.crc32(b'abc'), binascii.crc32(b'abc', 5), binascii.crc32(b'abc', -1), binascii.crc32(bytes(range(256)) * 300), binascii.crc_hqx(b'abc', 0), binascii.crc_hqx(b'abc', 70000)
binascii.crc32('a')
binascii.b2a_qp(b' a\t\n'), binascii.b2a_qp(b'a=b\xff\n.\n'), binascii.b2a_qp(b'x' * 100), binascii.b2a_qp(b'a b', header=True), binascii.b2a_qp(b'a b_\t', quotetabs=True, header=True)
binascii.b2a_qp(b'a\r\nb \r\nc\n'), binascii.b2a_qp(b'a\nb\r', istext=False), binascii.b2a_qp(b'x' * 75 + b'=\n' + b'y' * 76 + b'\n'), binascii.b2a_qp(b'end '), binascii.b2a_qp(b'\0\x01~\x7f')
binascii.a2b_qp(b'=\n=zz=4'), binascii.a2b_qp(b'a=3D=20_b'), binascii.a2b_qp('a_b', header=True), binascii.a2b_qp(b'a=\r\nb='), binascii.a2b_qp(b'==41=g')
binascii.Error.__mro__[1], binascii.Incomplete.__mro__[1]
""".strip().splitlines():
    ev(src)
for n in range(60, 90):
    print(binascii.b2a_qp(bytes((i * 7 + n) % 256 for i in range(n)) + b" \nab\t\n" + b"z" * n))

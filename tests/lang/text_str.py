# Methods and operators of str: results and messages.


def ev(src):
    try:
        print(ascii(src), "->", ascii(eval(src)))
    except Exception as e:
        print(ascii(src), "->", type(e).__name__, ascii(str(e)))


for src in r"""
'abc'+'def'
'abc'+1
'abc'*3
'abc'*-1
'abc'*'a'
3*'é'
'abc'[1]
'abc'[-1]
'abc'[3]
'abc'['a']
'abc'[1.0]
'abcdef'[::2]
'abcdef'[::-1]
'abcdef'[4:1:-1]
'a\u1234b\U00012345'[::-1]
'\u1234abc'[1:]
'abc'.find('c')
'abc'.find('')
'abc'.find('', 4)
'abc'.rfind('')
'abcabc'.rfind('b', 0, 4)
'abcabc'.rfind('abc')
'a\u1234b\u1234'.find('\u1234', 2)
'aé'.find('\u1234')
'abc'.index('x')
'abc'.find(1)
'abc'.find('a', 'b')
'aXbXc'.count('X')
'abc'.count('')
'aaa'.count('aa')
'abc'.startswith(('x', 'a'))
'abc'.startswith(1)
'abc'.startswith((1,))
'abc'.endswith('bc', 1)
'abc'.startswith('', 4)
'aXbXc'.replace('X', '--')
'aXbXc'.replace('X', '--', 1)
'abc'.replace('', '-')
'abc'.replace('', '-', 2)
'abc'.replace('b', '\u1234')
'a\u1234c'.replace('\u1234', 'b')
'a\u1234c'.replace('\u1234', '')
'abc'.replace(1, 'a')
'abc'.replace('a', 1)
' a b  c '.split()
' a b  c '.split(None, 1)
' a b  c '.split(' ')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
' a b  c '.rsplit(None, 1)
'a'.split('')
'a'.split(1)
'a--b--c'.split('--')
'a--b--c'.rsplit('--', 1)
'a\u2003b'.split()
'a\nb\r\nc\x85d\u2028e'.splitlines()
'a\nb\r\nc\n'.splitlines(True)
''.splitlines()
'a=b=c'.partition('=')
'a=b=c'.rpartition('=')
'abc'.partition('=')
'abc'.rpartition('=')
'abc'.partition('')
','.join(['a', 'b'])
','.join(('a', '\u1234', 'c'))
','.join(str(i) for i in range(5))
','.join(['a', 1])
','.join(1)
''.join([])
'-'.join({'a': 1})
'  abc '.strip()
'xxabcxx'.strip('x')
'xyabcyx'.lstrip('xy')
'abc'.rstrip('')
'abc'.strip(1)
'abc'.removeprefix('ab')
'abc'.removesuffix('bc')
'abc'.removeprefix(1)
'abc'.center(10)
'abc'.center(10, '*')
'abc'.center(4, '*')
'abc'.ljust(6, '\u1234')
'abc'.rjust(6)
'abc'.ljust(6, 'ab')
'abc'.ljust(6, 1)
'-42'.zfill(6)
'+42'.zfill(2)
'42'.zfill(5)
'a\tbc\td'.expandtabs()
'a\tbc\td'.expandtabs(4)
'a\tb\n\tc'.expandtabs(tabsize=3)
'abc'.translate({97: 'X', 98: None, 99: 0x1234})
'abc'.translate({97: 'XYZ'})
'abc'.translate({97: 1.5})
'abc'.translate({97: 0x110000})
'abc'.translate([])
str.maketrans('ab', 'cd', 'e')
str.maketrans({'a': 1, 98: 2})
str.maketrans('ab', 'c')
str.maketrans(1)
str.maketrans({'ab': 1})
'Hello World'.swapcase()
'hello world'.title()
"they're bill's".title()
'hELLO'.capitalize()
'Straße'.upper()
'Straße'.casefold()
'ΑΣ ΑΣΑ Σ'.lower()
'ǆ ﬁx'.title()
'İ'.lower()
'ŉ'.upper()
'ﬀ'.capitalize()
'abc'.isidentifier(), '1a'.isidentifier(), 'é_1'.isidentifier(), ''.isidentifier(), 'a-b'.isidentifier()
'٣'.isdigit(), '²'.isdigit(), '²'.isdecimal(), '½'.isnumeric(), '½'.isdigit()
'abc1'.isalnum(), 'abc '.isalpha(), 'é'.isalpha()
'\xa0'.isspace(), ' \t\n'.isspace(), ''.isspace()
'ABC'.isupper(), 'aBC'.isupper(), 'Abc Def'.istitle(), 'ABc'.istitle(), 'ǅ'.istitle()
'abc\n'.isprintable(), 'abc\u200b'.isprintable(), 'é'.isprintable()
'abc'.isascii(), 'é'.isascii()
'abc' < 'abd', 'abc' < 'ab', 'a\u1234' > 'a\xff', 'a' == 'b', 'é' == 'é', 'a' != 1
'b' in 'abc', '' in 'abc', '\u1234' in 'abc'
1 in 'abc'
'abc' < 1
repr('a\'b"c\n\x00\u200b\U0001f600\ud800')
repr("it's")
ascii('é\u1234\U00012345')
str()
str(b'abc', 'ascii')
str(b'\xc3\xa9', encoding='utf-8')
str(b'\xff', 'utf-8')
str(b'\xff', 'utf-8', 'replace')
str('a', 'utf-8')
str(1, 'utf-8')
str(object='x')
str(b'abc', 5)
len('a\u1234\U00012345')
list('a\u1234b')
list(iter('abc'))
'é'.encode()
'é\ud800'.encode()
'é'.encode('ascii', 'xmlcharrefreplace')
'é'.encode('ascii', 'backslashreplace')
'é'.encode('ascii')
'aéb\u1234'.encode('latin-1')
'\udc80a'.encode('utf-8', 'surrogateescape')
'a'.encode('nosuch')
'a'.encode(1)
'abc'.__getnewargs__()
'abc'.format_map({})
min('hello'), max('hello'), sorted('hello')
'%s' % 'a' 'b'
'a' 'b' f'{1+1}' 'c'
chr(0x110000)
ord('ab')
ord('\u1234')
hash('abc') == hash('ab' + 'c')
'abc' is 'abc'
""".strip().splitlines():
    ev(src)


class S(str):
    def __str__(self):
        return "custom"


s = S("abc")
print(s.upper(), type(s.upper()), type(s + "x"), type(s[:]), type(str(s)), s == "abc", hash(s) == hash("abc"))
s.attr = 5
print(s.attr, len(s), s * 2, f"{s}", "%s" % s, repr(s), s.join(["1", "2"]), "-".join([s, s]))
print({s: 1}["abc"], S(), S(b"x", "ascii"), S("é") + "f")

# s += t in a loop shares a growing buffer: branches must not see each other.
a = ""
parts = []
for i in range(3000):
    a += chr(97 + i % 26)
    if i % 500 == 0:
        parts.append(a)
b = a
a += "X"
b += "Y"
print(len(a), a[-3:], b[-3:], [len(p) for p in parts], parts[3] == a[:1501], hash(parts[3]) == hash(a[:1501]))
c = a
for i in range(5):
    c += "\u1234"
print(len(c), ascii(c[-7:]), a[-1], {a: 1}[a], a.encode()[-1:], (a + "").upper()[:3])

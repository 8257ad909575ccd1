# %-formatting, str.format, f-strings, format specs of str.


def ev(src):
    try:
        print(ascii(src), "->", ascii(eval(src)))
    except Exception as e:
        print(ascii(src), "->", type(e).__name__, ascii(str(e)))


class Obj:
    a = 5
    d = {"k": "v", 3: "three"}

    def __repr__(self):
        return "<Obj>"

    def __format__(self, spec):
        return "F[" + spec + "]"

    def __int__(self):
        return 7

    def __index__(self):
        return 8

    def __float__(self):
        return 2.5

    def __getitem__(self, k):
        return ("item", k)


o = Obj()
for src in r"""
'%s %r %a' % ('é', 'é', 'é')
'%d %i %u' % (1, -2, 3)
'%5d|%-5d|%05d|%+d|% d|%+05d' % (1, 2, 3, 4, 5, 6)
'%x %X %o %#x %#X %#o' % (255, 255, 8, 255, 255, 8)
'%x' % -255, '%#x' % -255, '%08x' % -255, '%#010x' % 255, '%-#8x|' % 255
'%.3d|%8.3d|%-8.3d|%+.3d' % (5, 5, 5, 5)
'%#.5x' % 255, '%.5X' % 255
'%d' % 1.9, '%d' % True, '%d' % 10**30, '%x' % 10**30
'%d' % o, '%x' % o, '%f' % o, '%s' % o, '%c' % o
'%f %e %g %F %E %G' % (1.5, 1.5, 1.5, 1.5, 1.5, 1.5)
'%.2f|%8.2f|%-8.2f|%08.2f|%+.1f|% .1f' % (1.555, 1.555, 1.555, 1.555, 1.5, 1.5)
'%#.0f %#g' % (1.0, 1.0)
'%f %F %e' % (float('inf'), float('nan'), float('-inf'))
'%05f|%-8f|' % (float('inf'), float('nan'))
'%c%c%c' % ('a', 98, '\u1234')
'%5c|%-5c|' % ('a', 98)
'%c' % 'ab'
'%c' % 0x110000
'%c' % 1.5
'%.2s|%5.1s|%-5s|' % ('abc', 'abc', 'abc')
'%%' % (), '%5%|' % ()
'%s' % (1,)
'%s %s' % (1,)
'%s' % (1, 2)
'abc' % 1
'abc' % ()
'abc' % {}
'abc' % []
'%(a)s %(b)d' % {'a': 1, 'b': 2}
'%(a)s' % {'b': 1}
'%(a)s' % 1
'%(a(b))s' % {'a(b)': 5}
'%(a' % {}
'%*d|%-*d|%.*f' % (5, 1, 5, 2, 2, 1.234)
'%*d' % (-5, 1)
'%*d' % ('a', 1)
'%z' % 1
'%' % 1
'%5' % 1
'%d' % 'a'
'%x' % 1.5
'%f' % 'a'
'%d' % None
'%s' % None
'%ld %hd %Ld' % (1, 2, 3)
'%\u1234' % 1
'%s' % [1, 2]
'%s %s' % ('\u1234', 'b')
'%r' % ('a\u1234',)
'{}'.format(1), '{0} {1} {0}'.format('a', 'b'), '{a}'.format(a=1), '{} {x}'.format(1, x=2)
'{0.a}'.format(o), '{0.d[k]}'.format(o), '{0.d[3]}'.format(o), '{0[0]}'.format([5]), '{0[a]}'.format({'a': 1})
'{0[-1]}'.format([5])
'{0[a.b]}'.format({'a.b': 1}), '{[0]}'.format([9]), '{.a}'.format(o)
'{!r} {!s} {!a}'.format('é', 'é', 'é'), '{0!r:>10}'.format('a')
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')
'{:{}}'.format('a', 5), '{:{w}.{p}}'.format('abcdef', w=8, p=3), '{0:{1}{2}}'.format('a', '>', 4)
'{{}}'.format(), '{{{}}}'.format(1), '}}{{'.format()
'{'.format()
'}'.format()
'{}'.format()
'{1}'.format(1)
'{a}'.format()
'{0} {}'.format(1, 2)
'{} {0}'.format(1, 2)
'{!x}'.format(1)
'{!}'.format(1)
'{!r'.format(1)
'{!rx}'.format(1)
'{0[}'.format([1])
'{0[]}'.format([1])
'{0[0]x}'.format([1])
'{0.}'.format(1)
'{:{:{}}}'.format(1, 2, 3)
'{:{'.format(1)
'{0:'.format(1)
'{a{}}'.format(1)
'{:x}'.format(o), '{!s:x}'.format(1)
'{:d}'.format('a')
'{:5}'.format(None)
'{:5}'.format([1])
'{:}'.format(o), format(o), format(o, 'z')
'{:05d} {:+d} {:,} {:_} {:x} {:#b} {:e} {:.2f} {:%} {:n}'.format(1, 2, 1234567, 1234567, 255, 5, 1.5, 1.555, 0.5, 5)
'{0:>{1}}'.format('x', 5), '{:>s}'.format('x'), '{:3.2s}|'.format('abc'), '{:=5}'.format(5)
'{:=5}'.format('a')
'{:+}'.format('a')
'{:,}'.format('a')
'{:0>5}'.format('a'), '{:05}'.format('a')
'{:\u1234^5}'.format('a')
'{a[b][c]}'.format(a={'b': {'c': 1}}), '{0.__class__.__name__}'.format(1)
'{:%Y}'.format(o)
'{x}'.format_map({'x': 1})
'{x}'.format_map(o)
'{0}'.format_map({})
'{}'.format_map({})
'{x} {y}'.format(**{'x': 1, 'y': 2}), '{0}{x}'.format(*[1], **{'x': 2})
'{99999999999999999999}'.format(1)
f'{1}{"a"!r:>5}{o:abc}{1.5:.2f}{{}}'
f'{1:{5}}|{"x":{">"}{3}}'
f'{o.a=} {1+1 = } {"é"!a}'
format('abc', '>10'), format('abc', '.2'), format('abc', '')
format('abc', 5)
format(True), format(True, 'd'), format(None, '')
str.format('{}', 1), str.format('{a}', a=2)
'a{}b'.format('\u1234'), '{}\U00012345'.format('é')
'{:10}|{:<10}|{:^10}|'.format(True, 1+2j, 2.5)
'%s' % type(1), '%s' % ValueError('x')
""".strip().splitlines():
    ev(src)


class D(dict):
    def __missing__(self, k):
        return "<" + k + ">"


print("{a} {b}".format_map(D(a=1)), "%(a)s %(b)s" % D(a=1))
import _string
print(list(_string.formatter_parser("a{b!r:c{d}}e{{f}}{}")))
print([list(x) if not isinstance(x, (int, str)) else x for x in _string.formatter_field_name_split("a.b[c][0].d")])

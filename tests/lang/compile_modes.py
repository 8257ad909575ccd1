# compile(), exec, eval: modes, flags, code attributes, positions.
import types

print(eval('1 + 2'), eval(compile('x + 1', '<e>', 'eval'), {'x': 4}), eval('  [1, 2][0]'))
ns = {}
exec('a = 1\ndef f(): return a\nclass K: pass', ns)
print(ns['f'](), ns['K'].__qualname__, sorted(k for k in ns if k != '__builtins__'))
exec(compile('1 + 1\n', '<s>', 'single'))
exec(compile('for i in range(2): i * 10\n', '<s>', 'single'))
exec(compile('x = 5; x; None; "s"\n', '<s>', 'single'))
exec(compile('def g():\n  5\n  return 6\n', '<s>', 'single'))
print(g())
for opt in 0, 1, 2:
    ns = {}
    exec(compile('"""doc"""\nassert 0 if __debug__ else 1\ndef f():\n  "fdoc"\nx = __debug__' if opt else '"doc"\nx = __debug__\ndef f(): "fdoc"', '<o>', 'exec', optimize=opt), ns)
    print(opt, ns.get('__doc__'), ns['f'].__doc__, ns['x'])


def locals_in(a, b):
    c = 3
    exec('d = a + b + c')
    return sorted(locals())


print(locals_in(1, 2), eval('a + b', {'a': 1}, {'b': 2}))


def outer(p, *args, q=1, **kw):
    "doc"
    loc = p

    def inner():
        return loc, q
    return inner


c = outer.__code__
print(c.co_name, c.co_qualname, c.co_argcount, c.co_kwonlyargcount, c.co_nlocals, c.co_varnames, c.co_cellvars, c.co_freevars, c.co_firstlineno,
      c.co_flags & 0xff, c.co_consts[0])
c = outer(1).__code__
print(c.co_name, c.co_qualname, c.co_cellvars, c.co_freevars, c.co_flags & 0xff)
print(types.FunctionType(outer.__code__, globals())(1, q=5)(), outer.__code__.replace(co_name='renamed').co_name, outer.__code__ == outer.__code__)
print([n for n in dir(c) if n.startswith('co_') and n not in ('co_lnotab', 'co_linetable', 'co_exceptiontable')])


def lines():
    x = (1 +
         2 +
         undefined_name)
    return x


def where(f, *a):
    import traceback
    try:
        f(*a)
    except Exception as e:
        tb = e.__traceback__
        while tb.tb_next:
            tb = tb.tb_next
        pos = list(tb.tb_frame.f_code.co_positions())[tb.tb_lasti // 2]
        print(tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno, [p and (p - tb.tb_frame.f_code.co_firstlineno if i < 2 else p) for i, p in enumerate(pos)])


def caret(a, b):
    return a.x.y + b[0](
        1, 2).z


def caret2(d):
    for i in d['k']['missing']:
        pass


def caret3(a, b):
    return (a +
            b) * (a
                  / 0)


def caret4(f):
    with f as g: pass


def caret5(a):
    a.b.c = 1


def caret6(a):
    return [x for x in a
            if x.y]


def caret7(a, b):
    a, b = b
    assert a, 'msg'


def caret8(é):
    return 'ü' + é.ö


where(lines)
where(caret, 1, 2)
where(caret2, {'k': {}})
where(caret3, 1, 2)
where(caret4, 5)
where(caret5, 5)
where(caret6, [1])
where(caret7, 1, [1, 2, 3])
where(caret7, 1, [0, 2])
where(caret8, 'x')
where(lambda: nothing_at_all)
where(lambda a, b: a < b, 1, 'x')
where(lambda a: -a, 'x')
where(lambda a: f'{a:d}', 'x')
where(lambda a: not_a_function(a), 'x')
where(lambda a: len(a, a), 'x')
where(lambda a: a[1:2], 5)
where(lambda a: (yield_ := a.b), 5)

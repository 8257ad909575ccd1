# Deep, long and wide code: nothing may crash, jumps and tables beyond 16 bits work.
import sys


def attempt(name, src, mode='exec'):
    ns = {}
    try:
        code = compile(src, '<t>', mode)
    except (RecursionError, MemoryError, SyntaxError) as e:
        print(name, 'refused', type(e).__name__ in ('RecursionError', 'MemoryError', 'SyntaxError'))
        return ns
    try:
        r = eval(code, ns) if mode == 'eval' else exec(code, ns)
    except RecursionError:
        r = 'recursion'
    print(name, 'ran', r if isinstance(r, (int, bool, str, type(None))) and len(str(r)) < 50 else type(r).__name__)
    return ns


# long straight code, jumps over all of it
n = 9000
ns = attempt('long if', 'x = 0\nif x:\n' + '    x += 1\n' * n * 2 + 'else:\n    x = "else"\ny = x')
print(ns['y'])
src = '''
def f(limit):
    total = 0
    for i in range(limit):
        if i == 3:
            continue
        if i == 7:
            break
%s
    else:
        total = -1
    while limit < 3:
%s
        limit += 1
    return total, [x for x in range(3) if x], limit
'''
ns = attempt('long loop', src % ('        total = total + i\n' * n * 4, '        total = total + limit if limit != 5 else 0\n' * n))
print(ns['f'](5), ns['f'](10), ns['f'](1), ns['f'](0))
src = '''
def g(x):
    try:
        try:
            if x == 1:
                raise ValueError(x)
            if x == 2:
                return 'early'
            if not 0 < x < 10 or x is None or x in (50, 51):
                y = 'outer'
            else:
                y = 'inner'
%s
        except ValueError as e:
            return 'caught', str(e), x
        finally:
            z = 1
    finally:
        z = 2
    return x, y, z
'''
ns = attempt('long try', src % ('            x = x + 0\n' * n * 4))
print(ns['g'](1), ns['g'](2), ns['g'](3), ns['g'](50))
src = '''
def h():
    for i in (yield 1), 2:
%s
        yield i
'''
ns = attempt('long generator', src % ('        i = i + 0\n' * n * 4))
g = ns['h']()
print(next(g), g.send(5), next(g), next(g, 'end'))

# many names, constants, locals
ns = attempt('names', '\n'.join(f'a{i} = {i}.5' for i in range(70000)) + '\nprint(a0, a65534, a65535, a65536, a69999)\ndel a65536\n'
             'b = [q for q in [a69999]]\nclass C: a69998 = a69998\nC.a69998 += 1\nC.zz1 = C.a69998\ndel C.zz1\nprint(C.a69998, C().a69998, b)')
print('a65536' in ns, ns['a65537'])
ns = attempt('constants', 'def f():\n    x = 0\n' + '\n'.join(f'    x = x + "{i}".__len__() + {i}.25' for i in range(33000)) + '\n    return x + 0.125, x * 2.0, {"z": 1}["z"]\nprint(f())')
ns = attempt('locals', 'def f():\n' + '\n'.join(f'    v{i} = {i}' for i in range(3000)) + '\n    del v5\n    return v0 + v2999, len(locals())\nprint(f())')
attempt('arguments', 'def f(' + ', '.join(f'a{i}' for i in range(2000)) + '): return a1999\nx = f(' + ', '.join('7' for i in range(2000)) + ')\nprint(x)')
attempt('string', 'f"' + '{1}x' * 3000 + '"', 'eval')

# deep nesting
for depth in 50, 90:
    attempt('parens', '(' * depth + '1' + ')' * depth, 'eval')
    attempt('lists', '[' * depth + ']' * depth, 'eval')
for depth in 200, 100000:
    attempt('unary', '-' * depth + '1', 'eval') if depth < 1000 else attempt('unary', 'not ' * depth + '1', 'eval') or 0
    attempt('binop', '+'.join(['x'] * depth).replace('x', '1', 1) if False else '1' + '+1' * depth, 'eval') if depth < 1000 else None
attempt('attributes', 'x = 1\ny = x' + '.real' * 500)
attempt('calls', 'f = lambda: f\nf' + '()' * 500)
attempt('subscripts', 'd = {}\nd[0] = d\nd' + '[0]' * 500)
attempt('lambdas', 'lambda: ' * 50 + '1', 'eval')
attempt('elif', 'x = 0\nif x: pass\n' + 'elif x: pass\n' * 300 + 'else: print("else")')
attempt('and', ' and '.join(['1'] * 2000), 'eval')
attempt('compare', ' < '.join(map(str, range(2000))), 'eval')
attempt('blocks', ''.join(' ' * i + 'if 1:\n' for i in range(90)) + ' ' * 90 + 'print("deep")')
attempt('functions', ''.join(' ' * i + f'def f{i}():\n' for i in range(60)) + ' ' * 60 + 'pass')
for huge in ('(' * 50000, '[' * 100000 + ']' * 100000, '-' * 200000 + '1', 'x' + '.y' * 200000, 'f' + '()' * 200000, '1' + '+1' * 200000,
             'a if b else ' * 100000 + 'c', 'lambda: ' * 100000 + '1', ' and '.join(['not x'] * 100000), '1' + '**1' * 100000, 'x[' * 50000):
    try:
        compile(huge, '<huge>', 'eval')
    except (RecursionError, MemoryError, SyntaxError):
        pass
print('survived')

# The match statement.
class Point:
    __match_args__ = ('x', 'y')

    def __init__(self, x, y):
        self.x, self.y = x, y


class Color:
    RED = 'red'


def m(v):
    match v:
        case 0:
            return 'zero'
        case -1 | 1.5 | 2+3j:
            return 'number'
        case 'a' | b'b':
            return 'text'
        case True | None:
            return 'singleton'
        case Color.RED:
            return 'red'
        case []:
            return 'empty'
        case [1, 2]:
            return 'one two'
        case [1, x]:
            return '1', x
        case ['head', *rest]:
            return 'head', rest
        case [*_, 'tail']:
            return 'tail'
        case ['mid', _, *mid, last] if last != 9:
            return 'mid', mid, last
        case (('n', a), [b, *_]):
            return a, b
        case {'type': 'k', 'v': val, **rest}:
            return 'mapping', val, rest
        case {'only': 1}:
            return 'only'
        case Point(x=0, y=0):
            return 'origin'
        case Point(0, y):
            return 'on y', y
        case Point(x, y=(1 | 2) as yy):
            return 'point', x, yy
        case Point():
            return 'any point'
        case int(n) | float(n) if n > 100:
            return 'big', n
        case str() as s:
            return 'str', s
        case int() | float():
            return 'num'
        case [Point(x=px), {'k': [inner, *_]}]:
            return px, inner
        case {}:
            return 'dict'
        case (1, [2, (3 | 4) as z, [*w]]) | (z, w, 'alt'):
            return z, w
        case _:
            return 'other'


for v in [0, -1, 1.5, 2+3j, 'a', b'b', True, None, 'red', [], (), [1, 2], [1, 5], ['head'], ['head', 1, 2], [3, 'tail'], ['mid', 0, 1, 2, 3],
          ['mid', 0, 9], [('n', 5), [6, 7, 8]], {'type': 'k', 'v': 1, 'z': 2}, {'only': 1, 'more': 2}, Point(0, 0), Point(0, 5), Point(3, 2),
          Point(3, 9), 500, 101.5, 'text', 7, 2.5, [Point(1, 2), {'k': 'xyz'}], {'q': 1}, (1, [2, 4, 'ab']), (1, [2, 4, ['p', 'q']]),
          ('Z', 'W', 'alt'), {1}, range(2), object]:
    print(repr(v)[:30] if not isinstance(v, Point) else ('P', v.x, v.y), m(v))


def captures(v):
    x = 'before'
    match v:
        case [x, 5]:
            pass
        case [_, _] if False:
            pass
    return x


print(captures([1, 5]), captures([1, 6]), captures(3))


def subject_rebound(x):
    match x:
        case [x, y] if x > y:
            return 'gt', x
        case [a, b]:
            return a, b, x


print(subject_rebound([2, 1]), subject_rebound([1, 2]))


class NoArgs:
    pass


class Bad:
    __match_args__ = 5


for cls, n in ((NoArgs, 1), (Bad, 1), (Point, 3), (int, 2)):
    try:
        match cls() if cls not in (Point,) else Point(1, 2):
            case cls(a) if n == 1:
                pass
            case cls(a, b) if n == 2:
                pass
            case cls(a, b, c):
                pass
    except TypeError as e:
        print(e)
try:
    match 5:
        case print():
            pass
except TypeError as e:
    print(e)


def in_loop():
    for v in [1, 'skip', 2, 'stop', 3]:
        match v:
            case 'skip':
                continue
            case 'stop':
                break
            case int(k):
                print('int', k)
    match (yield 1):
        case got:
            yield got


g = in_loop()
next(g)
print(g.send('sent'))
match = {'case': 1}
match['case'] += 1
print(match, end='')
match match:
    case {'case': case}:
        print(case)
match 1, 2:
    case a, b:
        print(a, b)
match *[1, 2], 3:
    case a, *b:
        print(a, b)
gl = None
match [1, {'a': {'b': [1, 2, 3]}}]:
    case [int(gl), {'a': {'b': [*_, last]}}]:
        print(gl, last)
match {'x': 1, 'y': 2}:
    case {'x': 1, **gl}:
        print(gl)
match {'x': None}:
    case {'x': None, 'y': _}:
        print('no')
    case {'x': None}:
        print('yes')
match 3:
    case 3 if gl is None:
        print('no')
    case (3 as three) if three:
        print(three)

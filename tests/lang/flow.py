# Loops, try, with: every way in and out.
def loops():
    for i in range(5):
        if i == 1:
            continue
        if i == 3:
            break
        print('for', i)
    else:
        print('never')
    for i in range(2):
        pass
    else:
        print('else', i)
    n = 0
    while n < 3:
        n += 1
        if n == 2:
            continue
    else:
        print('while else', n)
    while True:
        n += 1
        if n > 5:
            break
    while n:
        n -= 1
        for j in 'ab':
            if j == 'b':
                break
        else:
            continue
        break
    print(n, j)
    for a in []:
        pass
    else:
        print('empty')
    for i in range(3, 0, -1):
        print(i, end_ := i * 2)
    for x in range(0):
        print('no')
    for i, (a, b) in enumerate(zip('ab', [1, 2])):
        print(i, a, b)
    for i in range(10 ** 20, 10 ** 20 + 2):
        print(i)
    range_ = range
    for i in range_(2):
        i += 10
    print(i)
    while 0:
        print('dead')
    if 0:
        print('dead')
    elif 1:
        print('alive')
    for k in {'x': 1, 'y': 2}:
        print(k)
    for c in 'hé€':
        print(c)


loops()


def shadow():
    def range(n):
        return 'abc'[:n]
    for i in range(2):
        print(i)


shadow()


def tries(how):
    try:
        print('try', how)
        if how == 'value':
            raise ValueError('v')
        if how == 'key':
            {}['k']
        if how == 'zero':
            1 / 0
        if how == 'return':
            return 'returned'
        if how == 'type':
            None + 1
    except ValueError as e:
        print('value', e)
    except (KeyError, IndexError) as e:
        print('key', repr(e))
        return 'from handler'
    except ZeroDivisionError:
        print('zero')
        raise
    else:
        print('else')
    finally:
        print('finally')
    return 'end'


for how in 'value', 'key', 'zero', 'return', 'type', 'nothing':
    try:
        print(tries(how))
    except Exception as e:
        print('outer', type(e).__name__, e)


def finally_order():
    out = []

    def f(x):
        try:
            out.append(1)
            if x == 0:
                return out.append(2) or 'ret'
            if x == 1:
                raise KeyError
            for i in range(3):
                try:
                    if x == 2 and i == 1:
                        continue
                    if x == 3 and i == 1:
                        break
                    if x == 4:
                        return 'in loop'
                    if x == 5:
                        raise ValueError
                finally:
                    out.append(('f', i))
            else:
                out.append('loop else')
        except KeyError:
            out.append('key')
            return 'caught'
        finally:
            out.append('finally')
            if x == 5:
                return 'swallowed'
        return 'end'
    for x in range(6):
        out.append(f(x))
    print(out)


finally_order()


def override():
    for i in range(3):
        try:
            return 'lost'
        finally:
            if i < 2:
                continue
            break
    return 'kept'


def nested():
    try:
        try:
            raise KeyError('a')
        finally:
            try:
                raise ValueError('b')
            except ValueError as e:
                print(repr(e), repr(e.__context__))
    except KeyError as e:
        print(repr(e), e.__context__)
    try:
        try:
            raise KeyError('a')
        except KeyError as e:
            raise ValueError('b') from e
    except ValueError as e:
        print(repr(e), repr(e.__cause__), repr(e.__context__), e.__suppress_context__)
    try:
        try:
            raise KeyError('a')
        except KeyError as e:
            raise ValueError('b') from None
    except ValueError as e:
        print(e.__cause__, repr(e.__context__), e.__suppress_context__)
    try:
        raise KeyError
    except KeyError:
        try:
            raise ValueError
        except ValueError:
            pass
        try:
            raise
        except KeyError as e:
            print('reraised', repr(e))
    try:
        raise
    except RuntimeError as e:
        print(e)
    try:
        raise ValueError from 5
    except TypeError as e:
        print(e)
    try:
        raise 5
    except TypeError as e:
        print(e)
    try:
        try:
            1 / 0
        except 5:
            pass
    except TypeError as e:
        print(e)
    try:
        try:
            1 / 0
        except (ValueError, 'x'):
            pass
    except TypeError as e:
        print(e)
    e = 'kept'
    try:
        raise ValueError
    except ValueError as err:
        del err
    except TypeError as e:
        pass
    print(e)
    while True:
        try:
            raise ValueError
        except ValueError as q:
            break
    try:
        q
    except NameError as x:
        print(x)


print(override())
nested()


class CM:
    def __init__(self, name, suppress=False):
        self.name, self.suppress = name, suppress

    def __enter__(self):
        print('enter', self.name)
        return self.name

    def __exit__(self, t, v, tb):
        print('exit', self.name, t and t.__name__, v, tb is None)
        return self.suppress


def withs():
    with CM('a') as a, CM('b', True) as b:
        print(a, b)
        raise ValueError('in with')
    with CM('c'):
        pass
    with (CM('d') as d, CM('e')):
        print(d)
    for i in range(3):
        with CM(i):
            if i == 0:
                continue
            break
    try:
        with CM('f') as f:
            1 / 0
    except ZeroDivisionError as e:
        print(f, e)

    def ret(x):
        with CM('g') as v, CM('h'):
            if x:
                return v + '!'
            return
    print(ret(1), ret(0))

    def ret2():
        for i in range(3):
            with CM(i):
                try:
                    return [i]
                finally:
                    print('f')
    print(ret2())
    o = {}
    with CM('i') as o['x'], CM('jk') as (j, k):
        print(o, j, k)
    with CM('x', True):
        with CM('y'):
            raise KeyError('deep')
    try:
        with CM('z') as (p, q):
            pass
    except ValueError as e:
        print(e)
    try:
        with 5:
            pass
    except TypeError as e:
        print(e)


withs()


def groups(exc):
    try:
        try:
            raise exc
        except* ValueError as g:
            print('values', g.exceptions)
        except* (KeyError, TypeError) as g:
            print('keys', g.exceptions)
            raise IndexError('new')
        else:
            print('else')
        finally:
            print('finally')
    except BaseException as e:
        print('left', repr(e), getattr(e, 'exceptions', None))


groups(ExceptionGroup('g', [ValueError(1), KeyError(2)]))
groups(ExceptionGroup('g', [ValueError(1), OSError(2), ExceptionGroup('h', [ValueError(3), OSError(4)])]))
groups(ValueError('naked'))
groups(OSError('other'))
try:
    try:
        pass
    except* ValueError:
        pass
    else:
        print('no exception')
    for i in range(3):
        try:
            raise ExceptionGroup('x', [ValueError(i)])
        except* ValueError:
            for j in range(2):
                break
            print('ok', i)
except Exception as e:
    print(e)


def asserts(x):
    try:
        assert x
        assert x > 1, f'x is {x}'
        print('fine')
    except AssertionError as e:
        print(repr(e))


for x in 0, 1, 2:
    asserts(x)


def deep(n):
    if n:
        try:
            return deep(n - 1)
        finally:
            pass
    return 'bottom'


print(deep(100))


def exc_state():
    import sys
    print(sys.exc_info())
    try:
        raise KeyError(1)
    except KeyError:
        print(sys.exc_info()[0])
        for i in range(2):
            try:
                raise ValueError(2)
            except ValueError:
                print(sys.exc_info()[0])
                if i:
                    break
                continue
        print(sys.exc_info()[0])

        def g():
            yield sys.exc_info()[0]
            try:
                raise IndexError
            except IndexError:
                yield sys.exc_info()[0]
            yield sys.exc_info()[0]
        for v in g():
            print(v, sys.exc_info()[0])
    print(sys.exc_info())


exc_state()

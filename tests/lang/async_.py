# Coroutines without an event loop.
class Later:
    def __init__(self, v):
        self.v = v

    def __await__(self):
        r = yield self.v
        return r


def run(coro, log=True):
    send, out = None, []
    while True:
        try:
            v = coro.send(send)
        except StopIteration as e:
            print('suspended at', out, 'result', e.value)
            return e.value
        out.append(v)
        send = v * 2 if isinstance(v, int) else v


async def add(a, b):
    return await Later(a) + await Later(b)


run(add(1, 2))


async def nested():
    x = await add(1, 2)
    try:
        y = await fails()
    except ValueError as e:
        y = str(e)
    return x, y, [await Later(i) for i in range(2)], {i: await Later(i) async for i in agen(2)}


async def fails():
    await Later('f')
    raise ValueError('failed')


async def agen(n):
    for i in range(n):
        await Later(f'g{i}')
        yield i


run(nested())


class ACM:
    def __init__(self, name, suppress=False):
        self.name, self.suppress = name, suppress

    async def __aenter__(self):
        await Later('enter ' + self.name)
        return self

    async def __aexit__(self, t, v, tb):
        await Later('exit ' + self.name)
        print('aexit', self.name, t and t.__name__)
        return self.suppress


async def withs():
    async with ACM('a') as a, ACM('b', True):
        print(a.name)
        raise KeyError('x')
    async with ACM('c'):
        for i in range(3):
            async with ACM('loop'):
                if i == 0:
                    continue
                break
    try:
        async with ACM('d'):
            return 'returned'
    finally:
        await Later('finally')


run(withs())


class AIter:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        await Later('next')
        return self.n


async def fors():
    async for x in AIter(3):
        if x == 1:
            continue
        print('item', x)
    else:
        print('else')
    async for x, y in pairs():
        print(x, y)
        break
    l = [x async for x in AIter(3) if x != 1]
    s = {x async for x in agen(3)}
    g = (x * 2 async for x in AIter(2))
    n = [[y async for y in AIter(x)] for x in range(3)]
    return l, s, [x async for x in g], n, [await add(i, i) for i in range(2) if await Later(i) or True]


async def pairs():
    yield 1, 2
    try:
        yield 3, 4
    finally:
        print('pairs finalised')


run(fors())


async def agen_protocol():
    async def echo():
        got = None
        try:
            while True:
                got = yield got
        except ValueError as e:
            yield 'threw ' + str(e)
        finally:
            print('echo done')
    e = echo()
    print(await e.asend(None), await e.asend('x'), await e.asend('y'))
    print(await e.athrow(ValueError('z')))
    await e.aclose()
    try:
        await e.__anext__()
    except StopAsyncIteration:
        print('exhausted')
    print(await anext(agen(1)), await anext(agen(0), 'default'))


run(agen_protocol())


async def errors():
    for bad in (5, [1]):
        try:
            await bad
        except TypeError as e:
            print(e)
    try:
        async with 5:
            pass
    except TypeError as e:
        print(e)
    try:
        async for i in 5:
            pass
    except TypeError as e:
        print(e)


run(errors())
c = add(1, 2)
c.close()
try:
    c.send(None)
except RuntimeError as e:
    print(e)


async def closing():
    try:
        await Later('wait')
    except GeneratorExit:
        print('exit')
        raise
    finally:
        print('closing finally')


c = closing()
c.send(None)
c.close()
c = closing()
c.send(None)
try:
    c.throw(KeyError('in'))
except KeyError as e:
    print(repr(e))
print(add.__code__.co_flags & 0x280, agen.__code__.co_flags & 0x2a0, type(agen(1)).__name__)

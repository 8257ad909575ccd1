# Message digests: BLAKE2 with all its parameters and what it refuses, copies, several threads over one object.
import _blake2
import _sha3
import hashlib
import sys
import threading


def show(f, *args, **kw):
    try:
        print(f.__name__, args, kw, f(*args, **kw).hexdigest())
    except Exception as e:
        print(f.__name__, args, kw, type(e).__name__, e)


def refused(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)


print(sorted(k for k in vars(_blake2) if k.isupper()))
numbers = (-1, 0, 1, 33, 65, 255, 256, 2**32 - 1, 2**32, 2**48 - 1, 2**48, 2**63, 2**64 - 1, 2**64, "x", None, 1.0, True)
for f in _blake2.blake2b, _blake2.blake2s:
    print(f.__module__, f.SALT_SIZE, f.PERSON_SIZE, f.MAX_KEY_SIZE, f.MAX_DIGEST_SIZE, sorted(vars(f)))
    print(f().name, f().block_size, f().digest_size, f(digest_size=5).digest_size)
    show(f)
    show(f, "a")
    show(f, 1)
    show(f, b"", b"")
    show(f, data=b"x")
    show(f, foo=1)
    for name in "digest_size fanout depth leaf_size node_offset node_depth inner_size".split():
        for n in numbers:
            show(f, **{name: n})
    for name in "key", "salt", "person":
        for data in b"", b"a" * 8, b"a" * 16, b"a" * 17, b"a" * 65, "x", 3, bytearray(b"ab"):
            show(f, b"data", **{name: data})
    print(f(memoryview(b"abcd")[1:3], key=memoryview(b"abcd")[:2]).hexdigest())
    show(f, last_node=1)
    show(f, last_node=[])
    show(f, usedforsecurity=False)
    tree = dict(key=b"k", salt=b"s", person=b"p", fanout=3, depth=2, leaf_size=77, node_offset=5, node_depth=1, inner_size=16)
    h = f(b"x" * 5000, last_node=True, **tree)
    copy = h.copy()
    h.update(b"more")
    print(h.hexdigest(), copy.hexdigest(), copy.digest() == copy.digest(), type(copy) is f)
    refused(lambda: setattr(f, "x", 1))
    refused(lambda: type("A", (f,), {}))
    refused(lambda: f().update())
    refused(lambda: f().update("s"))
    refused(lambda: f().update(7))
    refused(lambda: setattr(f(), "name", 1))
    refused(lambda: f.__new__(f).hexdigest())
    refused(lambda: f.__new__(int))
    refused(lambda: f.__new__())
refused(lambda: _blake2.blake2b.__new__(_blake2.blake2s))

# The module once more: objects and types of before still work.
old = _blake2
del sys.modules["_blake2"]
import _blake2

print(len({old.blake2b(b"1").hexdigest(), _blake2.blake2b(b"1").hexdigest(), old.blake2b(b"1").copy().hexdigest()}))

for name in sorted(hashlib.algorithms_guaranteed):
    h = hashlib.new(name, b"data")
    length = (20,) if name.startswith("shake") else ()
    print(name, h.block_size, h.digest_size, h.hexdigest(*length), h.copy().hexdigest(*length) == h.hexdigest(*length))
for f in _sha3.sha3_224, _sha3.sha3_256, _sha3.sha3_384, _sha3.sha3_512, _sha3.shake_128, _sha3.shake_256:
    print(f().name, f()._rate_bits, f()._capacity_bits, f()._suffix)


def feed(h):
    for _ in range(200):
        h.update(b"ab" * 40)
        h.update(b"ab" * 4000)
        h.copy().digest()


for make in hashlib.blake2b, hashlib.blake2s, hashlib.sha256:
    h = make()
    threads = [threading.Thread(target=feed, args=(h,)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(h.name, h.hexdigest() == make(b"ab" * (4 * 200 * 4040)).hexdigest())

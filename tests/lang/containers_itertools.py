import copy
from itertools import *


def show(f, *a):
    try:
        print(f(*a))
    except Exception as e:
        print(type(e).__name__, e)


take = lambda n, it: list(islice(it, n))
print(take(4, count()), take(3, count(5, 2)), take(3, count(1.5)), take(3, count(2 ** 62 - 1)), take(3, count(10, -3)), take(2, count(start=3, step=5)))
print(count(), count(5), count(1, 2), count(2.5, 1), repeat(1), repeat("a", 3))
show(lambda: count("a"))
print(take(7, cycle("abc")), take(3, cycle([])), list(repeat(5, 3)), take(2, repeat(1)), repeat(1, 5).__length_hint__(), list(repeat(1, -3)), list(repeat(object=1, times=2)))
show(lambda: repeat(1).__length_hint__())
print(list(chain("ab", [1], ())), list(chain.from_iterable(["ab", "c"])), list(chain()))
show(lambda: list(chain(1)))
print(list(islice("abcdefg", 2)), list(islice("abcdefg", 2, 4)), list(islice("abcdefg", 2, None)), list(islice("abcdefg", 0, None, 3)), list(islice("abc", None)))
show(lambda: islice("a", -1))
show(lambda: islice("a", 0, -1))
show(lambda: islice("a", 0, 1, 0))
show(lambda: islice("a"))
it = iter(range(10))
print(list(islice(it, 1, 5, 3)), list(it))
print(list(starmap(pow, [(2, 3), (3, 2)])), list(takewhile(lambda x: x < 3, range(6))), list(dropwhile(lambda x: x < 3, range(6))), list(filterfalse(None, [0, 1, 2, ""])), list(filterfalse(lambda x: x % 2, range(5))))
print(list(accumulate([1, 2, 3])), list(accumulate([1, 2, 3], initial=10)), list(accumulate([3, 1, 2], max)), list(accumulate([], initial=5)), list(accumulate("abc")), list(accumulate([1, 2, 3], func=lambda a, b: a * b)))
print(list(compress("abcdef", [1, 0, 1, 0, 1])), list(pairwise("abcd")), list(pairwise("a")), list(zip_longest("abc", [1], fillvalue="-")), list(zip_longest()), list(zip_longest("ab", "c")))
print(list(product("ab", [1, 2])), list(product("ab", repeat=2)), list(product()), list(product("ab", [])), list(product([1], repeat=0)))
print(list(permutations("abc")), list(permutations("abc", 2)), list(permutations([])), list(permutations("ab", 3)))
print(list(combinations("abcd", 2)), list(combinations("abc", 0)), list(combinations("ab", 3)), list(combinations_with_replacement("abc", 2)), list(combinations_with_replacement([], 1)), list(combinations_with_replacement([], 0)))
show(lambda: combinations("abc", -1))
show(lambda: permutations("abc", -1))
show(lambda: permutations("abc", "a"))
show(lambda: product("ab", repeat=-1))
show(lambda: product("ab", foo=1))
print([(k, list(g)) for k, g in groupby("aaabbc")], [(k, list(g)) for k, g in groupby(range(6), key=lambda x: x // 2)], [k for k, g in groupby("aabbaa")])
groups = list(groupby("aab"))
print([list(g) for k, g in groups])
a, b = tee(range(5))
print(next(a), list(b), list(a), tee([], 0), len(tee("ab", 3)))
a, b = tee(iter(range(200)))
print(sum(a), sum(b))
a, = tee("abc", 1)
next(a)
print(list(copy.copy(a)), list(a))
show(lambda: tee("a", -1))
show(lambda: tee(5))
for make in (
    lambda: count(3), lambda: cycle("ab"), lambda: repeat(1, 5), lambda: chain("ab", "cd"), lambda: islice("abcdef", 1, 5), lambda: takewhile(bool, [1, 2, 3]),
    lambda: dropwhile(bool, [0, 1, 2]), lambda: filterfalse(None, [0, 0, 0]), lambda: accumulate([1, 2, 3]), lambda: compress("abc", [1, 1, 1]), lambda: zip_longest("abc", "d"),
    lambda: product("ab", "cd"), lambda: permutations("abc", 2), lambda: combinations("abcd", 2), lambda: combinations_with_replacement("abc", 2), lambda: starmap(pow, [(1, 2), (3, 2)]),
    lambda: groupby("aabbcc"),
):
    it = make()
    next(it)
    dup = copy.copy(it)
    print(type(it).__name__, take(3, dup) if not isinstance(it, groupby) else next(dup)[0], it.__reduce__()[0] is not None)
    it = make()
    dup = copy.deepcopy(it) if not isinstance(it, starmap) else it
    print(take(2, dup) if not isinstance(it, groupby) else next(dup)[0])
p = permutations("abcd", 3)
for _ in range(10):
    next(p)
print(p.__reduce__()[1:])
show(lambda: list(islice(accumulate([1, "a"]), 5)))


class Boom:
    def __iter__(self):
        return self

    def __next__(self):
        raise ValueError("boom")


for f in (lambda b: cycle(b), lambda b: chain(b), lambda b: islice(b, 3), lambda b: accumulate(b), lambda b: pairwise(b), lambda b: zip_longest("a", b), lambda b: groupby(b), lambda b: tee(b)[0]):
    show(lambda: next(f(Boom())))
    it = f(iter([]))
    print(next(it, "end"), next(it, "end"))
print(chain[int], count.__doc__.split("\n")[0])

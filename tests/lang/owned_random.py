"""Random functions over numbers, strs and sets: what operators make for locals, parameters and operands is used again only when nobody has it.

    owned_random.py [FIRST COUNT]    other seeds than the test's
"""
import functools
import random
import sys
import types

BIG = 1 << 200
kept = []

# Of numbers, strs and sets: atoms, binary operators, augmented ones, what locals begin with, arguments, what is added to an argument.
KINDS = {
    "number": (["BIG", "3", "7", "BIG * 2", "-BIG", "True", "1.5"], "+ - * & | ^".split(), "+ - |".split(), "BIG", ["BIG * 3", "5", "-BIG"], "+ 1"),
    "str": (["'a'", "'bcd'", "'\xe9'", "'q' * 20", "'\u20ac'"], ["+"], ["+"], "'s'", ["'k' * 7", "''", "'\xfc' + 'v'"], "+ 'e'"),
    "set": (["{1}", "frozenset({2})", "{3, 4}", "frozenset()", "{1, 2}", "set()"], "| & - ^".split(), "| & - ^".split(), "frozenset({9})",
            ["frozenset({1, 5})", "{1} | {7}", "{4}"], "| {8}"),
}


def keep(v):
    kept.append(v)
    return v


def ident(v):
    return v


def noisy(v, w=None):
    return v, w


class Keeper:
    def __init__(self, v):
        self.v = v

    def give(self, v, w=None):
        return v

    def __call__(self, *vs):
        self.v = vs
        return self.v[0]


def stars(*vs, **more):
    return vs


def gives(v):
    yield v
    churn()
    yield v


part = functools.partial(noisy, 1)
CALLS = ["ident(%s)", "keep(%s)", "noisy(%s)[0]", "(lambda q: q)(%s)", "(i, %s)[1]", "Keeper(%s).v", "Keeper(i).give(%s)", "Keeper(i)(%s)", "stars(%s)[0]",
         "stars(*[%s])[0]", "part(%s)[1]", "part(w=%s)[1]", "list(gives(%s))[1]", "next(iter([%s]))", "kept.append(%s) or kept[-1]", "vars(Keeper(%s))['v']"]


def first(v):
    """A number, str or set of what a function gave."""
    if isinstance(v, types.GeneratorType):
        v = list(v)[-1]
    while isinstance(v, tuple):
        v = v[0]
    return v


def churn():
    """Uses what was freed."""
    return [BIG * k + 1 for k in range(2, 12)], ["%d-%s" % (k, "y" * (k % 40)) for k in range(10)], [{k, k + 1} for k in range(10)]


def show(v):
    if isinstance(v, (set, frozenset)):
        return sorted(map(repr, v))
    if isinstance(v, (tuple, list)):
        return [show(x) for x in v]
    if isinstance(v, dict):
        return [(k, show(x)) for k, x in sorted(v.items())]
    if isinstance(v, int):
        return v % 1000003
    if isinstance(v, str) and len(v) > 40:
        return len(v), v[:9], v[-9:]
    return v


class Function:
    """The text of a random function f<number>; earlier: {number: (parameters, kind)} of those that it may call."""

    def __init__(self, r, number, earlier):
        self.r, self.earlier, self.loops = r, earlier, 0
        self.kind = r.choice(list(KINDS))
        self.atoms, self.operators, self.augmented, begin, _, _ = KINDS[self.kind]
        self.parameters = ["p%d" % i for i in range(r.randint(1, 3))]
        self.names = self.parameters + ["x", "y", "z"]
        self.lines = ["def f%d(%s):" % (number, ", ".join(self.parameters)), "    i = 0"]
        for name in "xyz":
            self.lines.append("    %s = %s" % (name, r.choice([r.choice(self.parameters), begin])))
        if r.random() < 0.12:
            self.lines.append("    kept.append((lambda: %s)())" % r.choice(self.names))
        is_generator = r.random() < 0.12
        for _ in range(r.randint(3, 9)):
            self.statement(1, 0)
            if self.kind == "number":
                self.lines.append("    x %= 10**80; y %= 10**70; z %= 10**90")
            elif self.kind == "str" and r.random() < 0.15:
                self.lines.append("    z = z[:300]")
            if is_generator and r.random() < 0.4:
                self.lines.append("    yield " + r.choice(self.names))
        if is_generator:
            self.lines.append("    yield %s, %s" % (r.choice(self.names), self.expression(1)))
        else:
            self.lines.append("    return " + r.choice([r.choice(self.names), self.expression(1), "%s, %s" % (r.choice(self.names), r.choice(self.names)), "x, y, z"]))

    def atom(self):
        return self.r.choice(self.names) if self.r.random() < 0.6 else self.r.choice(self.atoms)

    def condition(self):
        what = self.r.random()
        if what < 0.5:
            return "%s %s %s" % (self.atom(), self.r.choice(["<", "==", "!=", ">", "<="]), self.atom())
        if what < 0.58:
            return "%s <= %s < %s" % (self.atom(), self.expression(2), self.atom())
        if what < 0.66 and self.kind == "str":
            return "%s in %s" % (self.atom(), self.expression(2))
        if what < 0.66 and self.kind == "set":
            return "%d in %s" % (self.r.randint(0, 4), self.expression(2))
        return self.r.choice(["not %s" % self.atom(), self.atom(), "i % 2"])

    def expression(self, depth=0):
        what = self.r.random()
        if depth > 2 or what < 0.25:
            return self.atom()
        if self.kind == "str" and (depth > 1 or self.loops):
            return "(%s + %s)" % (self.r.choice(self.names), self.r.choice(self.atoms))  # or it would grow without end
        operator = self.r.choice(self.operators)
        text = "(%s %s %s)" % (self.expression(depth + 1), operator, self.expression(depth + 1))
        if operator == "*":
            text = "(%s %% 10**90)" % text
        if what < 0.75:
            return text
        if what < 0.78:
            return "(%s %s %s)" % (text, self.r.choice(["and", "or"]), self.atom())
        if what < 0.80:
            return "(%s if %s else %s)" % (text, self.condition(), self.atom())
        if what < 0.85:
            number = self.r.choice(list(self.earlier)) if self.earlier else None
            if number is not None and self.earlier[number][1] == self.kind:
                return "first(f%d(%s))" % (number, ", ".join(self.argument(depth) for _ in range(self.earlier[number][0])))
        elif what < 0.90:
            return "(" + self.r.choice(CALLS) % text + ")"
        elif what < 0.93:
            return "(%s := %s)" % (self.r.choice(self.names), text)
        elif self.kind == "str":
            return "(%s * %d)" % (text, self.r.randint(0, 2))
        elif self.kind == "number":
            return "(%s %% 10**40)" % text
        return text

    def argument(self, depth):
        return "(str(i) + %s)" % self.r.choice(self.atoms) if self.kind == "str" else self.expression(depth + 1)

    def block(self, head, indent, depth, statements=1):
        self.lines.append("    " * indent + head)
        for _ in range(statements):
            self.statement(indent + 1, depth + 1)

    def statement(self, indent, depth):
        r = self.r
        add = lambda *words: self.lines.append("    " * indent + " ".join(words))
        name, other = r.sample(self.names, 2)  # `x, x = ...` is stored in the wrong order by 3.11.2
        what = r.random()
        if what < 0.20 and depth < 2:
            if what < 0.04:
                self.block("try:", indent, depth)
                add("    if %s: raise ValueError(%s)" % (self.condition(), self.expression(2)))
                self.statement(indent + 1, depth + 1)
                self.block("except ValueError as e:", indent, depth)
                add("    kept.append(e.args[0])")
                if r.random() < 0.3:
                    self.block("finally:", indent, depth)
            elif what < 0.12:
                self.block("if %s:" % self.condition(), indent, depth)
                if r.random() < 0.5:
                    self.block("else:", indent, depth)
            else:
                self.loops += 1
                self.block("for i in range(%d):" % r.randint(1, 4), indent, depth, 2)
                self.loops -= 1
        elif what < 0.38:
            add(name, r.choice(self.augmented) + "=", self.expression(1) if self.kind != "str" else r.choice(self.atoms + self.parameters))
        elif what < 0.46:
            add(name, "=", other)
        elif what < 0.50:
            add("%s, %s = %s, %s" % (name, other, self.expression(1), self.expression(1)))
        elif what < 0.54:
            add("kept.append(%s)" % self.expression(1))
        elif what < 0.56:
            add("churn()")
        elif what < 0.58:
            add("kept.append(dict(locals()))")
        elif what < 0.60:
            add("kept.append(sys._getframe().f_locals.get(%r))" % name)
        elif what < 0.64:
            add(name, "=", other, "=", self.expression(1))
        elif what < 0.65:
            add("del %s; %s = %s" % (name, name, other))
        else:
            add(name, "=", self.expression())


def run(seed):
    r = random.Random(seed)
    space, earlier, texts = dict(globals()), {}, []
    for number in range(r.randint(2, 4)):
        f = Function(r, number, earlier)
        earlier[number] = len(f.parameters), f.kind
        texts.append("\n".join(f.lines))
    exec("\n".join(texts), space)
    for number, (n, kind) in earlier.items():
        _, _, _, _, arguments, added = KINDS[kind]
        for _ in range(4):
            call = "f%d(%s)" % (number, ", ".join(r.choice(arguments) + (" " + added if r.random() < 0.6 else "") for _ in range(n)))
            for _ in range(2):
                try:
                    got = eval(call, space)
                    if isinstance(got, types.GeneratorType):
                        got = list(got)
                except (TypeError, ValueError, OverflowError, UnboundLocalError) as e:
                    got = type(e).__name__, str(e)[:60]
                churn()
                print(seed, call, show(got), [show(k) for k in kept[-4:]])
    churn()
    print(seed, [show(k) for k in kept[:100]])
    kept.clear()


begin, count = map(int, sys.argv[1:]) if len(sys.argv) > 1 else (1, 150)
for seed in range(begin, begin + count):
    run(seed)

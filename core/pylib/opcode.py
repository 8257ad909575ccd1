"""
The instructions of Polygil's register machine, under the names of the standard opcode module.

An instruction is a word of 64 bits: opcode, flags, and three operands of 16 bits.
"""

__all__ = ["cmp_op", "hasconst", "hasname", "hasjrel", "hasjabs",
           "haslocal", "hascompare", "hasfree", "opname", "opmap",
           "HAVE_ARGUMENT", "EXTENDED_ARG", "hasnargs"]

from _opcode import instructions as _instructions, stack_effect

__all__.append('stack_effect')

cmp_op = ('<', '<=', '==', '!=', '>', '>=')

_table = _instructions()
_names = [row[0] for row in _table]
opname = _names + ['<%d>' % op for op in range(len(_names), 256)]
opmap = {name: op for op, name in enumerate(_names)}


def _with(letter):
    return [op for op, row in enumerate(_table) if letter in row[1]]


hasconst = _with('K')
hasname = _with('N')
hasjrel = _with('J')
hasjabs = []
haslocal = [op for op, row in enumerate(_table) if 'D' in row[1] or 'R' in row[1]]
hascompare = [opmap[name] for name in ('LT', 'LE', 'EQ', 'NE', 'GT', 'GE')]
hasfree = _with('F')
hasnargs = [op for op, name in enumerate(_names) if name.startswith('CALL')]

HAVE_ARGUMENT = 0
EXTENDED_ARG = 255  # never used: operands are as wide as they need to be

_nb_ops = []
_specializations = {}
_specialized_instructions = []
for _name in _names:
    # A quickened form is named after what it specialises.
    _base = next((n for n in sorted(_names, key=len, reverse=True)
                  if n != _name and _name.startswith(n + '_')
                  and _table[opmap[n]][1:3] == _table[opmap[_name]][1:3]
                  and opmap[_name] > opmap['COPY_WITHOUT_KEYS']), None)
    if _base:
        _specializations.setdefault(_base, []).append(_name)
        _specialized_instructions.append(_name)
_inline_cache_entries = [row[2] for row in _table] + [0] * (256 - len(_table))

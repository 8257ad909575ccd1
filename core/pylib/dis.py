"""Disassembler of Polygil's bytecode: the interface of the standard module."""

import sys
import types
import collections
import io

from opcode import *
from opcode import (
    __all__ as _opcodes_all,
    _inline_cache_entries,
    _specializations,
    _table,
)
from _opcode import (
    exception_table as _exception_table,
    local_registers as _local_registers,
)

__all__ = ["code_info", "dis", "disassemble", "distb", "disco",
           "findlinestarts", "findlabels", "show_code",
           "get_instructions", "Instruction", "Bytecode"] + _opcodes_all
del _opcodes_all

_have_code = (types.MethodType, types.FunctionType, types.CodeType,
              classmethod, staticmethod, type)

_WORD = 8  # bytes of co_code
_UNIT = 2  # what offsets count per word, as CPython's code units: tb_lasti, co_lines; co_positions has one entry per word
_NO_REG = 0xffff
_CACHE = "CACHE"
# Flag bits of a word.
_KILL_B, _KILL_C, _DST_LOCAL, _INPLACE, _KILL_A, _X1, _X2 = (1 << i for i in range(7))
_KILL = (_KILL_A, _KILL_B, _KILL_C)

_generic = {s: base for base, specialized in _specializations.items() for s in specialized}
_OPNAME_WIDTH = 20

COMPILER_FLAG_NAMES = {
     1: "OPTIMIZED",
     2: "NEWLOCALS",
     4: "VARARGS",
     8: "VARKEYWORDS",
    16: "NESTED",
    32: "GENERATOR",
    64: "NOFREE",
   128: "COROUTINE",
   256: "ITERABLE_COROUTINE",
   512: "ASYNC_GENERATOR",
}


def pretty_flags(flags):
    """Return pretty representation of code flags."""
    names = []
    for i in range(32):
        flag = 1 << i
        if flags & flag:
            names.append(COMPILER_FLAG_NAMES.get(flag, hex(flag)))
            flags ^= flag
            if not flags:
                break
    else:
        names.append(hex(flags))
    return ", ".join(names)


class _Unknown:
    def __repr__(self):
        return "<unknown>"


UNKNOWN = _Unknown()


def _try_compile(source, name):
    """Compile as an expression if possible, as statements otherwise."""
    try:
        return compile(source, name, 'eval')
    except SyntaxError:
        pass
    return compile(source, name, 'exec')


def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False):
    """Disassemble classes, methods, functions, and other compiled objects.

    With no argument, disassemble the last traceback.

    Compiled objects currently include generator objects, async generator
    objects, and coroutine objects, all of which store their code object
    in a special attribute.
    """
    if x is None:
        distb(file=file, show_caches=show_caches, adaptive=adaptive)
        return
    if hasattr(x, '__func__'):
        x = x.__func__
    if hasattr(x, '__code__'):
        x = x.__code__
    elif hasattr(x, 'gi_code'):
        x = x.gi_code
    elif hasattr(x, 'ag_code'):
        x = x.ag_code
    elif hasattr(x, 'cr_code'):
        x = x.cr_code
    if hasattr(x, '__dict__'):  # class or module
        for name, x1 in sorted(x.__dict__.items()):
            if isinstance(x1, _have_code):
                print("Disassembly of %s:" % name, file=file)
                try:
                    dis(x1, file=file, depth=depth, show_caches=show_caches, adaptive=adaptive)
                except TypeError as msg:
                    print("Sorry:", msg, file=file)
                print(file=file)
    elif hasattr(x, 'co_code'):
        _disassemble_recursive(x, file=file, depth=depth, show_caches=show_caches, adaptive=adaptive)
    elif isinstance(x, (bytes, bytearray)):
        _print_instructions(_decode(x, show_caches=show_caches), file=file)
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, '<dis>'), file=file, depth=depth,
                               show_caches=show_caches, adaptive=adaptive)
    else:
        raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def distb(tb=None, *, file=None, show_caches=False, adaptive=False):
    """Disassemble a traceback (default: last traceback)."""
    if tb is None:
        try:
            if hasattr(sys, 'last_exc'):
                tb = sys.last_exc.__traceback__
            else:
                tb = sys.last_traceback
        except AttributeError:
            raise RuntimeError("no last traceback to disassemble") from None
        while tb.tb_next:
            tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, show_caches=show_caches, adaptive=adaptive)


def _get_code_object(x):
    """Helper to handle methods, compiled or raw code objects, and strings."""
    if hasattr(x, '__func__'):
        x = x.__func__
    if hasattr(x, '__code__'):
        x = x.__code__
    elif hasattr(x, 'gi_code'):
        x = x.gi_code
    elif hasattr(x, 'ag_code'):
        x = x.ag_code
    elif hasattr(x, 'cr_code'):
        x = x.cr_code
    if isinstance(x, str):
        x = _try_compile(x, "<disassembly>")
    if hasattr(x, 'co_code'):
        return x
    raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def code_info(x):
    """Formatted details of methods, functions, or code."""
    return _format_code_info(_get_code_object(x))


def _format_code_info(co):
    lines = []
    lines.append("Name:              %s" % co.co_name)
    lines.append("Filename:          %s" % co.co_filename)
    lines.append("Argument count:    %s" % co.co_argcount)
    lines.append("Positional-only arguments: %s" % co.co_posonlyargcount)
    lines.append("Kw-only arguments: %s" % co.co_kwonlyargcount)
    lines.append("Number of locals:  %s" % co.co_nlocals)
    lines.append("Stack size:        %s" % co.co_stacksize)
    lines.append("Flags:             %s" % pretty_flags(co.co_flags))
    for title, values, text in (("Constants:", co.co_consts, repr), ("Names:", co.co_names, str),
                                ("Variable names:", co.co_varnames, str),
                                ("Free variables:", co.co_freevars, str),
                                ("Cell variables:", co.co_cellvars, str)):
        if values:
            lines.append(title)
            for i, value in enumerate(values):
                lines.append("%4d: %s" % (i, text(value)))
    return "\n".join(lines)


def show_code(co, *, file=None):
    """Print details of methods, functions, or code to *file*.

    If *file* is not provided, the output is printed on stdout.
    """
    print(code_info(co), file=file)


Positions = collections.namedtuple(
    'Positions',
    ['lineno', 'end_lineno', 'col_offset', 'end_col_offset'],
    defaults=[None] * 4
)

_Instruction = collections.namedtuple(
    "_Instruction",
    ['opname', 'opcode', 'arg', 'argval', 'argrepr', 'offset', 'starts_line', 'is_jump_target', 'positions'],
    defaults=[None]
)

_Instruction.opname.__doc__ = "Human readable name for operation"
_Instruction.opcode.__doc__ = "Numeric code for operation"
_Instruction.arg.__doc__ = "The three operands as one number (flags and opcode taken away)"
_Instruction.argval.__doc__ = "Resolved operand: constant, name, variable or jump target; otherwise same as arg"
_Instruction.argrepr.__doc__ = "Human readable description of the operands"
_Instruction.offset.__doc__ = "Start index of operation within bytecode sequence"
_Instruction.starts_line.__doc__ = "Line started by this opcode (if any), otherwise None"
_Instruction.is_jump_target.__doc__ = "True if other code jumps to here, otherwise False"
_Instruction.positions.__doc__ = "dis.Positions object holding the span of source code covered by this instruction"

_ExceptionTableEntry = collections.namedtuple("_ExceptionTableEntry", "start end target depth lasti")


class Instruction(_Instruction):
    """Details for a bytecode operation

       Defined fields:
         opname - human readable name for operation
         opcode - numeric code for operation
         arg - numeric operands of the operation
         argval - resolved operand value (if known), otherwise same as arg
         argrepr - human readable description of the operands
         offset - start index of operation within bytecode sequence
         starts_line - line started by this opcode (if any), otherwise None
         is_jump_target - True if other code jumps to here, otherwise False
         positions - Optional dis.Positions object holding the span of source code
                     covered by this instruction
    """

    def _disassemble(self, lineno_width=3, mark_as_current=False, offset_width=4):
        """Format instruction details for inclusion in disassembly output

        *lineno_width* sets the width of the line number field (0 omits it)
        *mark_as_current* inserts a '-->' marker arrow as part of the line
        *offset_width* sets the width of the instruction offset field
        """
        fields = []
        if lineno_width:
            if self.starts_line is not None:
                fields.append(f"{self.starts_line:{lineno_width}d}")
            else:
                fields.append(' ' * lineno_width)
        fields.append('-->' if mark_as_current else '   ')
        fields.append('>>' if self.is_jump_target else '  ')
        fields.append(repr(self.offset).rjust(offset_width))
        fields.append(self.opname.ljust(_OPNAME_WIDTH))
        fields.append(self.argrepr)
        return ' '.join(fields).rstrip()


def _signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value


def _words(code):
    """The words of co_code with their offsets; extra words come with the word that they belong to."""
    i = 0
    while i < len(code):
        word = int.from_bytes(code[i:i + _WORD], 'little')
        n = _inline_cache_entries[word & 255]
        extra = [int.from_bytes(code[j:j + _WORD], 'little') for j in range(i + _WORD, i + _WORD * (n + 1), _WORD)]
        yield i // _WORD * _UNIT, word, extra
        i += _WORD * (n + 1)


def _split(word):
    """Opcode, flags, and the operands as [(letter, value)]; jumps in words."""
    op = word & 255
    letters = _table[op][1]
    values = [word >> 16 & 0xffff, word >> 32 & 0xffff, word >> 48]
    if letters[2] == ' ':
        values[1:] = [_signed(word >> 32, 32)]
        letters = letters[:2]
    else:
        values = [_signed(v, 16) if k in 'IJ' else v for k, v in zip(letters, values)]
    return op, word >> 8 & 255, list(zip(letters, values))


def findlabels(code):
    """Detect all offsets in a byte code which are jump targets.

    Return the list of offsets.
    """
    labels = []
    for offset, word, extra in _words(code):
        for letter, value in _split(word)[2]:
            if letter == 'J':
                target = offset + value * _UNIT
                if target not in labels:
                    labels.append(target)
    return labels


def _decode(code, varnames=None, names=None, co_consts=None, freevars=None, linestarts=None, line_offset=0,
            exception_entries=(), co_positions=None, show_caches=False, adaptive=True, n_locals=None):
    labels = set(findlabels(code))
    for entry in exception_entries:
        labels.add(entry.target)

    def register(r):
        if r == _NO_REG:
            return '-'
        if n_locals is None:
            return 'r%d' % r
        return varnames[r] if r < n_locals else 't%d' % (r - n_locals)

    def lookup(sequence, i):
        return UNKNOWN if sequence is None else sequence[i]

    for offset, word, extra in _words(code):
        op, flags, operands = _split(word)
        name = opname[op]
        if not adaptive:
            name = _generic.get(name, name)
        argval = arg = word >> 16
        parts = []
        for position, (letter, value) in enumerate(operands):
            if letter in 'DRT':
                text = register(value)
                if letter == 'R' and flags & _KILL[position]:
                    text += '!'
                elif letter == 'T':
                    text += '..'
                if letter == 'R' and n_locals is not None and value < n_locals:
                    argval = varnames[value]
            elif letter == 'K':
                argval = lookup(co_consts, value)
                text = repr(argval)
            elif letter == 'N':
                argval = text = lookup(names, value)
            elif letter == 'F':
                argval = text = lookup(freevars, value)
            elif letter == 'J':
                argval = offset + value * _UNIT
                text = "to " + repr(argval)
            elif letter in 'IU':
                argval = value
                text = repr(value)
            else:
                continue
            parts.append(str(text))
        if name == 'MATCH_CLASS':
            parts.append(repr(extra[0]))
        if flags & _INPLACE:
            parts.append('inplace')
        if flags & _X1:
            parts.append('x1')
        if flags & _X2:
            parts.append('x2')
        starts_line = None
        if linestarts is not None:
            starts_line = linestarts.get(offset)
            if starts_line is not None:
                starts_line += line_offset
        positions = Positions(*next(co_positions, ())) if co_positions else Positions()
        yield Instruction(name, op, arg, argval, ', '.join(parts), offset, starts_line, offset in labels, positions)
        for i in range(1, len(extra) + 1):
            next(co_positions or iter(()), None)
            if show_caches:
                yield Instruction(_CACHE, 0, 0, None, '', offset + i * _UNIT, None, False, positions)


def _parse_exception_table(code):
    return [_ExceptionTableEntry(*row, False) for row in _exception_table(code)]


def _register_names(co):
    names = co.co_varnames + tuple(name for name in co.co_cellvars if name not in co.co_varnames)
    return names, _local_registers(co)


def _instructions_of(co, linestarts, line_offset=0, show_caches=False, adaptive=False):
    varnames, n_locals = _register_names(co)
    code = co._co_code_adaptive if adaptive and hasattr(co, '_co_code_adaptive') else co.co_code
    return _decode(code, varnames, co.co_names, co.co_consts, co.co_freevars, linestarts, line_offset,
                   _parse_exception_table(co), co.co_positions(), show_caches, adaptive, n_locals)


def get_instructions(x, *, first_line=None, show_caches=False, adaptive=False):
    """Iterator for the opcodes in methods, functions or code

    Generates a series of Instruction named tuples giving the details of
    each operations in the supplied code.

    If *first_line* is not None, it indicates the line number that should
    be reported for the first source line in the disassembled code.
    Otherwise, the source line information (if any) is taken directly from
    the disassembled code object.
    """
    co = _get_code_object(x)
    line_offset = first_line - co.co_firstlineno if first_line is not None else 0
    return _instructions_of(co, dict(findlinestarts(co)), line_offset, show_caches, adaptive)


def disassemble(co, lasti=-1, *, file=None, show_caches=False, adaptive=False):
    """Disassemble a code object."""
    linestarts = dict(findlinestarts(co))
    _print_instructions(_instructions_of(co, linestarts, 0, show_caches, adaptive), lasti, linestarts, len(co.co_code),
                        _parse_exception_table(co), file)


def _disassemble_recursive(co, *, file=None, depth=None, show_caches=False, adaptive=False):
    disassemble(co, file=file, show_caches=show_caches, adaptive=adaptive)
    if depth is None or depth > 0:
        if depth is not None:
            depth = depth - 1
        for x in co.co_consts:
            if hasattr(x, 'co_code'):
                print(file=file)
                print("Disassembly of %r:" % (x,), file=file)
                _disassemble_recursive(x, file=file, depth=depth, show_caches=show_caches, adaptive=adaptive)


def _print_instructions(instructions, lasti=-1, linestarts=None, size=10000, exception_entries=(), file=None):
    lines = [line for line in (linestarts or {}).values() if line is not None]
    lineno_width = 0
    if linestarts:
        lineno_width = max(3, len(str(max(lines, default=0))))
    offset_width = max(4, len(str(size)))
    for instr in instructions:
        if linestarts and instr.starts_line is not None and instr.offset > 0:
            print(file=file)
        current = instr.offset <= lasti < instr.offset + _UNIT
        print(instr._disassemble(lineno_width, current, offset_width), file=file)
    if exception_entries:
        print("ExceptionTable:", file=file)
        for start, end, target, depth, lasti in exception_entries:
            print(f"  {start} to {end - _UNIT} -> {target} [{depth}]", file=file)


disco = disassemble  # XXX For backwards compatibility


def _unpack_opargs(code):
    for offset, word, extra in _words(code):
        yield offset, word & 255, word >> 16


def findlinestarts(code):
    """Find the offsets in a byte code which are start of lines in the source.

    Generate pairs (offset, lineno)
    """
    lastline = None
    for start, end, line in code.co_lines():
        if line is not None and line != lastline:
            lastline = line
            yield start, line


def _find_imports(co):
    """Find import statements in the code

    Generate triplets (name, level, fromlist) where
    name is the imported module and level, fromlist are
    the corresponding args to __import__.
    """
    level = fromlist = None
    for instr in _instructions_of(co, None):
        if instr.opname in ('LOAD_CONST', 'LOAD_INT'):
            level, fromlist = fromlist, instr.argval
        elif instr.opname == 'IMPORT_NAME':
            yield instr.argval, level, fromlist


def _find_store_names(co):
    """Find names of variables which are written in the code

    Generate sequence of strings
    """
    for instr in _instructions_of(co, None):
        if instr.opname in ('STORE_NAME', 'STORE_GLOBAL'):
            yield instr.argval


class Bytecode:
    """The bytecode operations of a piece of code

    Instantiate this with a function, method, other compiled object, string of
    code, or a code object (as returned by compile()).

    Iterating over this yields the bytecode operations as Instruction instances.
    """
    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False, adaptive=False):
        self.codeobj = co = _get_code_object(x)
        if first_line is None:
            self.first_line = co.co_firstlineno
            self._line_offset = 0
        else:
            self.first_line = first_line
            self._line_offset = first_line - co.co_firstlineno
        self._linestarts = dict(findlinestarts(co))
        self._original_object = x
        self.current_offset = current_offset
        self.exception_entries = _parse_exception_table(co)
        self.show_caches = show_caches
        self.adaptive = adaptive

    def __iter__(self):
        return _instructions_of(self.codeobj, self._linestarts, self._line_offset, self.show_caches, self.adaptive)

    def __repr__(self):
        return "{}({!r})".format(self.__class__.__name__, self._original_object)

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        """ Construct a Bytecode from the given traceback """
        while tb.tb_next:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti, show_caches=show_caches, adaptive=adaptive)

    def info(self):
        """Return formatted information about the code object."""
        return _format_code_info(self.codeobj)

    def dis(self):
        """Return a formatted view of the bytecode operations."""
        offset = self.current_offset if self.current_offset is not None else -1
        with io.StringIO() as output:
            _print_instructions(iter(self), offset, self._linestarts, len(self.codeobj.co_code),
                                self.exception_entries, output)
            return output.getvalue()


def _test():
    """Simple test program to disassemble a file."""
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument('infile', type=argparse.FileType('rb'), nargs='?', default='-')
    args = parser.parse_args()
    with args.infile as infile:
        source = infile.read()
    code = compile(source, args.infile.name, "exec")
    dis(code)


if __name__ == "__main__":
    _test()

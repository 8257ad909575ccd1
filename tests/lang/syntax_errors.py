# Errors that the compiler finds behind the parser, with their places.
import os

for line in open(os.path.join(os.path.dirname(__file__), 'syntax_errors.txt')).read().splitlines():
    src = line.replace('\\n', '\n')
    try:
        compile(src, '<test>', 'exec')
        print('compiles:', line)
    except SyntaxError as e:
        print(line, '->', type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset)

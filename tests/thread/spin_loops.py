"""A loop that only waits, whatever its condition is made of, lets other threads run and the world stop."""
import gc
import threading
import warnings

warnings.simplefilter("ignore")


class Box:
    value = None


CONDITIONS = [
    "box.value is None", "box.value is not 1", "box.value is seen", "not box.value", "not (box.value is not None)", "box.value == None",
    "box.value != 1", "box.value in nothing", "box.value not in ones", "1 not in [box.value]", "(box.value or 0) < 1", "not (box.value or 0) >= 1",
    "box.value is None and seen is None", "box.value is None or box.value != 1", "[] is not box and box.value is None",
    "True if box.value is None else False", "not isinstance(box.value, int)", "(x := box.value) is None", "0 <= (box.value or 0) < 1",
]

for condition in CONDITIONS:
    code = "def wait(box, seen=None, nothing=(None,), ones=(1,)):\n    while %s: pass\n" % condition
    scope = {}
    exec(compile(code, "wait", "exec", dont_inherit=True), scope)
    for jump in ("while", "for"):
        box = Box()
        if jump == "for":
            exec(code.replace("    while %s: pass" % condition, "    while True:\n        if not (%s): break" % condition), scope)
        t = threading.Thread(target=scope["wait"], args=(box,))
        t.start()
        gc.collect()
        box.value = 1
        t.join()
        print(condition, jump)

"""How programs are started: paths relative to the working directory, links, directories, -m, -c and standard input."""
import os
import subprocess
import sys
import tempfile
import zipfile

PROGRAM = """
import os, sys
def where(): return where.__code__.co_filename
before = os.path.exists(__file__) if "__file__" in globals() else None
os.chdir("/")
after = os.path.exists(__file__) if "__file__" in globals() else None
print(globals().get("__file__"), sys.argv, sys.path[0], where(), __name__, before, after)
import beside
print(beside.__file__)
raise SystemExit(3) if len(sys.argv) > 1 else ValueError("uncaught")
"""


def run(folder, *args, stdin=None, base=None):
    p = subprocess.run([sys.executable, *args], cwd=folder, capture_output=True, text=True, input=stdin)
    err = [line for line in p.stderr.splitlines() if "File" not in line or "runpy" not in line]
    for text in (p.stdout, "\n".join(err)):
        print(text.replace(base or folder, "FOLDER").replace(sys.executable, "EXECUTABLE").strip())
    print(p.returncode)


with tempfile.TemporaryDirectory() as folder:
    folder = os.path.realpath(folder)
    os.makedirs(os.path.join(folder, "package"))
    for name in ("script.py", "package/__main__.py"):
        with open(os.path.join(folder, name), "w") as f:
            f.write(PROGRAM)
    for name in ("beside.py", "package/beside.py"):
        open(os.path.join(folder, name), "w").close()
    os.symlink("script.py", os.path.join(folder, "link.py"))
    os.symlink("../script.py", os.path.join(folder, "package", "link.py"))
    for path in ("script.py", "./script.py", "package/../script.py", "link.py", "package/link.py", os.path.join(folder, "script.py"), "package", "package/"):
        run(folder, path, "argument")
    run(folder, "script.py")
    run(folder, "missing.py")
    run(folder, "package/missing/")
    run(folder, "-m", "script", "argument")
    run(os.path.join(folder, "package"), "../script.py", "argument", base=folder)
    run(folder, "-", "argument", stdin="import sys; print(sys.argv, repr(sys.path[0]), '__file__' in globals())")
    run(folder, "-c", "import sys; print(sys.argv, repr(sys.path[0]))", "argument")
    for args, text in (("-c", "print(list(globals())); x: int = 1; print(__annotations__)"), None), ((), "print(list(globals()), __file__); x: int; print(__annotations__)"):
        run(folder, *args, stdin=text)
    for option in ("faulthandler", "dev", "utf8"):
        run(folder, "-X", option, "-c", "import faulthandler, sys; print(faulthandler.is_enabled(), sys.flags.dev_mode, sys.flags.int_max_str_digits)")

# Archives: as a program, on sys.path, with packages; a folder in isolated mode.
with tempfile.TemporaryDirectory() as folder:
    folder = os.path.realpath(folder)
    archive = os.path.join(folder, "archive.zip")
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("__main__.py", "import sys, inside.deeper.last\nprint(__file__, sys.path[0], __name__, inside.deeper.last.__file__)\n")
        z.writestr("inside/__init__.py", "")
        z.writestr("inside/deeper/__init__.py", "")
        z.writestr("inside/deeper/last.py", "print('last of', __name__, __loader__)\n")
    with open(os.path.join(folder, "__main__.py"), "w") as f:
        f.write("import sys\nprint(sys.path[0], sys.flags.isolated)\n")
    run(folder, "archive.zip")
    run(folder, "-I", archive)
    run(folder, "-I", folder)
    run(folder, "-c", "import sys; sys.path.insert(0, 'archive.zip'); from inside.deeper import last; import inside; print(inside.__path__)")
    run(folder, "-c", "import zipimport, sys; print(zipimport.zipimporter in sys.path_hooks, zipimport.__spec__.origin)")
    with open(archive, "wb") as f:
        f.write(b"PK")
    run(folder, "-c", "import sys; sys.path.insert(0, 'archive.zip'); import inside")

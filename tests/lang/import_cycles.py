# A package whose __init__ imports the very submodule that is being imported, and modules that import each other.
import os
import sys
import tempfile

import html.entities

print(html.entities.html5["amp;"])
with tempfile.TemporaryDirectory() as folder:
    os.mkdir(os.path.join(folder, "pk"))
    for name, text in {
        "__init__": "import pk.a",
        "a": "import pk.b; x = 1",
        "b": "import pk.a; y = 2",
        "c": "from . import d; z = d.w + 1",
        "d": "from . import c; w = 3",
        "e": "from .f import name\nother = 1",
        "f": "from .e import other\nname = 2",
    }.items():
        with open(os.path.join(folder, "pk", name + ".py"), "w") as f:
            f.write(text)
    sys.path.insert(0, folder)
    import pk.b

    print(pk.b.y, pk.a.x)
    import pk.c

    print(pk.c.z, pk.d.c is pk.c)
    try:
        import pk.e
    except ImportError as e:
        print(str(e).replace(folder, "DIR"), sorted(m for m in sys.modules if m.startswith("pk")))
    try:
        import pk.g
    except ModuleNotFoundError as e:
        print(e, e.name)

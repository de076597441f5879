"""The frozen program's first script: a hit ends here.

It runs before PyInstaller's own start, which patches what imports modules and imports ctypes where that was collected:
time that only a refresh need spend. What a hit needs lies beside the executable as plain bytecode.
"""

import os

try:
    from credproc.cli import hit
except (ImportError, OSError) as error:  # the only imports that nothing of ours could explain
    os.write(2, b"credproc: error: its own files cannot be read: %a\n" % str(error)[:300])
    os.write(2, b"credproc: hint: install it again, and let everybody read what is in its directory\n")
    os._exit(1)

hit()

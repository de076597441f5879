"""The frozen program's first script: a hit ends here.

It runs before PyInstaller's own start, which opens its archive, patches what is imported and imports ctypes where that
was collected: a third of a hit's time, and all of it for a refresh. What a hit needs lies beside it as plain bytecode.
"""

from credproc.cli import hit

hit()

"""H. Disk."""

ROWS = ()

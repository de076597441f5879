"""E. State directory and file-system objects."""

ROWS = ()
